//! Brings one mailbox up to date: asks what the plan needs, merges it, and writes it with the new sync state.

use std::collections::BTreeMap;

use posthorn_mime::parse_header;
use posthorn_model::imap::SyncState;
use posthorn_model::{ErrorClass, Flag, Flags, MessageId, ModSeq, SpecialUse, Uid, UidSet, UidValidity};
use posthorn_net::imap::{Access, FlagReport, Resume, Selected, Session, Status, Summary};
use posthorn_store::write::{NewMessage, Write};
use posthorn_store::{Durability, MailboxRow};

use super::merge::{Held, Waiting, merge_flags};
use super::plan::{self, Local, Plan, Remote};
use crate::Error;
use crate::account::Post;
use crate::event::{Doing, Event};
use crate::filter::round::Round;
use crate::ops::queue;
use crate::problem::Topic;
use crate::report::AccountReport;

/// Messages a transaction: the list fills in visible steps, and commits stay cheap.
const BATCH: usize = 500;

/// UIDs in one mailbox: a set larger than this is not believed.
const MOST: u64 = 10_000_000;

/// One mailbox in one pass.
pub struct MailboxSync<'a> {
    pub post: &'a Post,
    pub session: &'a mut Session,
    pub report: &'a mut AccountReport,
    pub mailbox: &'a MailboxRow,
    /// The user has seen a sudden disappearance and said to go on.
    pub accepted: bool,
}

/// What is known once the mailbox is open.
struct Opened {
    uid_validity: UidValidity,
    remote: Remote,
    selected: Selected,
    plan: Plan,
    /// It has been synchronised before: what arrives is new mail.
    familiar: bool,
}

impl MailboxSync<'_> {
    pub async fn run(mut self, status: Option<Status>) -> Result<(), Error> {
        let state = self.post.core.store.sync_state(self.mailbox.id).await?;
        let (known, strays) = self.known(state).await?;
        if let Some(status) = status {
            let local = Local { state, uids: &known };
            if !strays && plan::is_unchanged(&local, &from_status(status)) {
                return Ok(());
            }
        }
        let mut opened = self.open(state, &known, strays).await?;
        log::debug!(
            "Mailbox {} is synchronised by {:?}.",
            self.mailbox.id,
            opened.plan
        );
        if opened.plan == Plan::Nothing {
            return Ok(());
        }
        if opened.plan == Plan::Rekey {
            self.void_uids(opened.uid_validity).await?;
        }
        self.bring_up_to_date(&mut opened).await
    }

    /// UIDs placed here or on their way out, and whether messages stand here that no UID and no operation explains.
    async fn known(&mut self, state: Option<SyncState>) -> Result<(UidSet, bool), Error> {
        let post = self.post;
        let store = &post.core.store;
        let mut known = store.uids(self.mailbox.id).await?;
        let operations = store.operations(Some(self.post.id)).await?;
        if let Some(state) = state {
            let leaving = queue::taken_out(&operations, self.mailbox.id, state.uid_validity);
            for uid in leaving.iter() {
                known.insert(uid);
            }
        }
        let placed = self.mailbox_total().await?;
        let with_uid = store.uids(self.mailbox.id).await?.len();
        let coming = queue::coming_in(&operations, self.mailbox.id).len() as u64;
        Ok((known, placed > with_uid.saturating_add(coming)))
    }

    async fn mailbox_total(&mut self) -> Result<u64, Error> {
        let row = self.post.core.store.mailbox(self.mailbox.id).await?;
        Ok(row.map_or(0, |row| row.total))
    }

    async fn open(
        &mut self,
        state: Option<SyncState>,
        known: &UidSet,
        strays: bool,
    ) -> Result<Opened, Error> {
        let resume = state.filter(|_| !strays).and_then(|state| {
            Some(Resume {
                uid_validity: state.uid_validity,
                modseq: state.highest_modseq?,
                known: known.clone(),
            })
        });
        let mut selected = self
            .session
            .select(&self.mailbox.name, Access::Examine, resume)
            .await?;
        let uid_validity = selected.uid_validity.ok_or_else(|| {
            Error::new(
                ErrorClass::Refused,
                "the server keeps no lasting numbers for the messages of this mailbox: what is here is kept, nothing new is fetched",
            )
        })?;
        let remote = Remote {
            uid_validity: Some(uid_validity),
            uid_next: selected.uid_next,
            exists: selected.exists,
            highest_modseq: selected.highest_modseq,
            resynced: selected.vanished.is_some(),
        };
        let local = Local { state, uids: known };
        let mut plan = plan::plan(&local, &remote);
        if strays && plan != Plan::Rekey {
            plan = Plan::UidDiff;
        }
        if !matches!(plan, Plan::Quick { .. }) {
            selected.changed.clear();
            selected.vanished = None;
        }
        Ok(Opened {
            uid_validity,
            remote,
            selected,
            plan,
            familiar: state.is_some_and(|state| state.uid_next > 1),
        })
    }

    /// The UIDs' generation changed: what is here keeps its place and waits to be recognised.
    async fn void_uids(&mut self, uid_validity: UidValidity) -> Result<(), Error> {
        let post = self.post;
        let core = &post.core;
        let _local = core.local().await;
        let placed = core.store.placements_in(self.mailbox.id).await?;
        let mut writes: Vec<Write> = placed
            .iter()
            .filter(|placed| placed.uid.is_some())
            .map(|placed| Write::SetUid {
                message: placed.message,
                mailbox: self.mailbox.id,
                uid: None,
            })
            .collect();
        writes.push(self.state_write(plan::unfinished(uid_validity, 1)));
        core.apply(self.post.id, writes, Durability::Normal).await?;
        Ok(())
    }

    fn state_write(&self, state: SyncState) -> Write {
        Write::SetSyncState {
            mailbox: self.mailbox.id,
            state: Some(state),
        }
    }

    async fn bring_up_to_date(&mut self, opened: &mut Opened) -> Result<(), Error> {
        let reports = self.fetch_flags(opened).await?;
        let (known, _) = self.known(Some(plan::unfinished(opened.uid_validity, 1))).await?;
        let server = self.server_uids(opened, &known, &reports).await?;
        let fresh = match (&server, opened.plan) {
            (Some(server), _) => server.minus(&known),
            (None, Plan::Quick { from } | Plan::Resync { from, .. }) => {
                self.fresh_range(opened, from).await?.minus(&known)
            }
            (None, _) => UidSet::default(),
        };
        let missing = self.take_in(opened, &fresh, server.is_some()).await?;
        self.merge(&reports).await?;
        self.finish(opened, server, missing).await
    }

    /// Flags that changed, or all of them where nothing tells which.
    async fn fetch_flags(&mut self, opened: &mut Opened) -> Result<Vec<FlagReport>, Error> {
        let every = UidSet::range(Uid(std::num::NonZeroU32::MIN), Uid(std::num::NonZeroU32::MAX));
        let since: Option<ModSeq> = match opened.plan {
            Plan::Nothing => return Ok(Vec::new()),
            Plan::Quick { .. } => return Ok(std::mem::take(&mut opened.selected.changed)),
            Plan::Resync { since, .. } => Some(since),
            Plan::UidDiff | Plan::Rekey => None,
        };
        let here = self.post.core.store.uids(self.mailbox.id).await?;
        if since.is_none() && here.is_empty() || opened.remote.exists == 0 {
            return Ok(Vec::new());
        }
        let mut reports = Vec::new();
        let mut take = |report: FlagReport| {
            if here.contains(report.uid) || since.is_none() {
                reports.push(report);
            }
        };
        self.session.fetch_flags(&every, since, &mut take).await?;
        Ok(reports)
    }

    /// Every UID that the server has, where the plan needs it; `None` where it does not.
    async fn server_uids(
        &mut self,
        opened: &Opened,
        known: &UidSet,
        reports: &[FlagReport],
    ) -> Result<Option<UidSet>, Error> {
        match opened.plan {
            Plan::UidDiff | Plan::Rekey if opened.remote.exists == 0 => Ok(Some(UidSet::default())),
            Plan::UidDiff | Plan::Rekey if known.is_empty() || reports.is_empty() => {
                let all = self.session.search_all_uids().await?;
                bounded(all).map(Some)
            }
            Plan::UidDiff | Plan::Rekey => {
                // The flags of all messages came with their UIDs. A server may leave one out and still say OK: that
                // something is gone is believed only when asked for by itself.
                let told: UidSet = reports.iter().map(|report| report.uid).collect();
                if known.minus(&told).is_empty() {
                    return Ok(Some(told));
                }
                let all = self.session.search_all_uids().await?;
                bounded(all).map(Some)
            }
            Plan::Nothing | Plan::Quick { .. } | Plan::Resync { .. } => Ok(None),
        }
    }

    /// What may be new, from the first UID not seen to the last that SELECT promised.
    async fn fresh_range(&mut self, opened: &Opened, from: u32) -> Result<UidSet, Error> {
        let end = opened.remote.uid_next.unwrap_or(u32::MAX).saturating_sub(1);
        let (Some(first), Some(last)) = (Uid::new(from), Uid::new(end)) else {
            return Ok(UidSet::default());
        };
        let range = UidSet::range(first, last);
        if range.len() <= BATCH as u64 {
            return Ok(range);
        }
        let all = bounded(self.session.search_all_uids().await?)?;
        Ok(all.minus(&all.minus(&range)))
    }

    /// Fetches and stores new summaries, newest first. Returns what was asked for and did not come.
    async fn take_in(&mut self, opened: &Opened, fresh: &UidSet, exact: bool) -> Result<UidSet, Error> {
        let mut missing = UidSet::default();
        if fresh.is_empty() {
            return Ok(missing);
        }
        let post = self.post;
        let core = &post.core;
        let total = if exact { fresh.len() } else { 0 };
        let mut done = 0;
        for batch in plan::newest_first(fresh, BATCH) {
            let asked: UidSet = batch.iter().copied().collect();
            let mut summaries: Vec<Summary> = Vec::new();
            let received = self
                .session
                .fetch_summaries(&asked, &mut |summary| summaries.push(summary))
                .await?;
            summaries.retain(|summary| asked.contains(summary.uid));
            for uid in asked.minus(&received).iter() {
                missing.insert(uid);
            }
            done += summaries.len() as u64;
            self.store_batch(opened, summaries).await?;
            core.progress(self.post.id, Doing::Headers, done, total);
        }
        // In a range not every number is a message: only what a list named can be missing.
        Ok(if exact { missing } else { UidSet::default() })
    }

    async fn store_batch(&mut self, opened: &Opened, summaries: Vec<Summary>) -> Result<(), Error> {
        let (post, mailbox) = (self.post, self.mailbox.id);
        let core = &post.core;
        let arrivals = read_summaries(&core.store, self.post.id, summaries).await?;
        let _local = core.local().await;
        let asked: UidSet = arrivals.iter().map(|arrival| arrival.uid).collect();
        let placed = core.store.placements_by_uids(mailbox, &asked).await?;
        let here: UidSet = placed.iter().filter_map(|placement| placement.uid).collect();
        let mut waiting = self.waiting().await?;
        let mut writes = Vec::new();
        let mut new_mail = Vec::new();
        if core
            .store
            .sync_state(mailbox)
            .await?
            .map(|state| state.uid_validity)
            != Some(opened.uid_validity)
        {
            writes.push(self.state_write(plan::unfinished(opened.uid_validity, 1)));
        }
        let inbox = self.mailbox.special_use == Some(SpecialUse::Inbox);
        let filtering = inbox && opened.familiar;
        let mut round = Round::open(core, self.post.id, mailbox);
        let mut seen = UidSet::default();
        for arrival in arrivals {
            if here.contains(arrival.uid) || seen.contains(arrival.uid) {
                continue;
            }
            seen.insert(arrival.uid);
            if let Some(message) = waiting.take(&arrival.new.envelope, arrival.new.size) {
                writes.extend(self.adopt(message, &arrival).await?);
                continue;
            }
            self.report.new += 1;
            if filtering {
                round.take(&arrival.new, &arrival.header, Some(arrival.uid), &arrival.flags);
            }
            if !arrival.flags.contains(Flag::Seen) {
                new_mail.push(arrival.new.id);
            }
            writes.push(Write::Place {
                message: arrival.new.id,
                mailbox,
                uid: Some(arrival.uid),
                flags: arrival.flags.clone(),
                base: arrival.flags,
            });
            // Before its placement, which names it.
            writes.insert(writes.len() - 1, Write::AddMessage(Box::new(arrival.new)));
        }
        let filtered = round.finish(core, Some(opened.uid_validity)).await?;
        writes.extend(filtered.writes);
        new_mail.retain(|message| !filtered.quiet.contains(message));
        core.apply(self.post.id, writes, Durability::Normal).await?;
        if inbox && opened.familiar && !new_mail.is_empty() {
            core.hub.publish(&Event::NewMail {
                account: self.post.id,
                messages: new_mail,
            });
        }
        Ok(())
    }

    /// A message that is here already gets its UID.
    async fn adopt(&mut self, message: MessageId, arrival: &Arrival) -> Result<Vec<Write>, Error> {
        let mailbox = self.mailbox.id;
        let here = self.post.core.store.placement(mailbox, message).await?;
        let Some(here) = here else {
            return Ok(Vec::new());
        };
        Ok(vec![
            Write::SetUid {
                message,
                mailbox,
                uid: Some(arrival.uid),
            },
            Write::SetFlags {
                message,
                mailbox,
                flags: Flags::merge(&here.flags, &here.base, &arrival.flags),
                base: arrival.flags.clone(),
            },
        ])
    }

    /// Messages here without a UID, which an arrival may turn out to be. Call with the local lock held.
    async fn waiting(&mut self) -> Result<Waiting, Error> {
        let post = self.post;
        let store = &post.core.store;
        let mut waiting = Waiting::default();
        let without: Vec<MessageId> = store
            .placements_in(self.mailbox.id)
            .await?
            .into_iter()
            .filter(|placed| placed.uid.is_none())
            .map(|placed| placed.message)
            .collect();
        if without.is_empty() {
            return Ok(waiting);
        }
        let operations = store.operations(Some(self.post.id)).await?;
        let uploads = queue::uploads_into(&operations, self.mailbox.id);
        for message in without {
            if let Some(record) = store.message(message).await? {
                waiting.add(message, &record.envelope, record.size);
                if uploads.contains(&message) {
                    waiting.add_upload(message, &record.envelope);
                }
            }
        }
        Ok(waiting)
    }

    async fn merge(&mut self, reports: &[FlagReport]) -> Result<(), Error> {
        let (post, mailbox) = (self.post, self.mailbox.id);
        let core = &post.core;
        for chunk in reports.chunks(BATCH) {
            let _local = core.local().await;
            let uids: UidSet = chunk.iter().map(|report| report.uid).collect();
            let placed = core.store.placements_by_uids(mailbox, &uids).await?;
            let held: BTreeMap<Uid, Held> = placed
                .into_iter()
                .filter_map(|placement| {
                    let held = Held {
                        message: placement.message,
                        uid: placement.uid,
                        flags: placement.flags,
                        base: placement.base,
                    };
                    Some((placement.uid?, held))
                })
                .collect();
            let writes = merge_flags(
                mailbox,
                &held,
                chunk.iter().map(|report| (report.uid, &report.flags)),
            );
            self.report.changed += writes.len() as u64;
            core.apply(self.post.id, writes, Durability::Normal).await?;
        }
        Ok(())
    }

    /// Removes what vanished, unless that looks like an accident, and remembers how far this pass has come.
    async fn finish(
        &mut self,
        opened: &Opened,
        server: Option<UidSet>,
        mut missing: UidSet,
    ) -> Result<(), Error> {
        let post = self.post;
        let core = &post.core;
        let (known, _) = self.known(Some(plan::unfinished(opened.uid_validity, 1))).await?;
        let mut gone = match (&server, &opened.selected.vanished) {
            (Some(server), _) => known.minus(server),
            (None, Some(told)) => known.minus(&known.minus(told)),
            (None, None) => UidSet::default(),
        };
        let mut complete = server.is_some();
        let expected = known.len().saturating_sub(gone.len());
        if server.is_none() && expected != u64::from(opened.remote.exists) {
            // The figures do not add up: ask for everything rather than guess.
            let all = bounded(self.session.search_all_uids().await?)?;
            gone = known.minus(&all);
            missing = all.minus(&known);
            complete = true;
        }
        let _local = core.local().await;
        let placed = core.store.placements_in(self.mailbox.id).await?;
        let operations = core.store.operations(Some(self.post.id)).await?;
        let coming = queue::coming_in(&operations, self.mailbox.id);
        // Without a UID after a complete look, and nothing brings it: it is not on the server.
        let stray = |message: &MessageId| complete && missing.is_empty() && !coming.contains(message);
        let leaving: Vec<MessageId> = placed
            .iter()
            .filter(|placed| match placed.uid {
                Some(uid) => gone.contains(uid),
                None => stray(&placed.message),
            })
            .map(|placed| placed.message)
            .collect();
        let suspicion = plan::suspect(placed.len() as u64, leaving.len() as u64).filter(|_| !self.accepted);
        let topic = Topic::Vanished(self.post.id, Some(self.mailbox.id));
        let mut writes = Vec::new();
        let state = if let Some(suspicion) = suspicion {
            let error = Error {
                remedies: vec![posthorn_model::Remedy::ReviewAndContinue],
                ..Error::new(ErrorClass::Suspicious, suspicion.explain(&self.mailbox.name.path))
            };
            core.raise(topic, &error);
            // The next pass looks at the whole mailbox again.
            plan::unfinished(opened.uid_validity, 1)
        } else {
            core.clear(topic);
            self.report.gone += leaving.len() as u64;
            writes.extend(leaving.into_iter().map(|message| Write::Unplace {
                message,
                mailbox: self.mailbox.id,
            }));
            plan::next_state(opened.uid_validity, &opened.remote, &known, &missing)
        };
        writes.extend(queue::forget_left(
            &operations,
            self.mailbox.id,
            opened.uid_validity,
            &gone,
        ));
        writes.push(self.state_write(state));
        core.apply(self.post.id, writes, Durability::Normal).await?;
        Ok(())
    }
}

fn from_status(status: Status) -> Remote {
    Remote {
        uid_validity: status.uid_validity,
        uid_next: status.uid_next,
        exists: status.messages,
        highest_modseq: status.highest_modseq,
        resynced: false,
    }
}

fn bounded(set: UidSet) -> Result<UidSet, Error> {
    if set.len() > MOST {
        return Err(Error::new(
            ErrorClass::Protocol,
            "the server names more messages than a mailbox can hold",
        ));
    }
    Ok(set)
}

/// A new message as its summary tells it.
struct Arrival {
    uid: Uid,
    flags: Flags,
    new: NewMessage,
    /// For rules that look at any field.
    header: Vec<u8>,
}

async fn read_summaries(
    store: &posthorn_store::Store,
    account: posthorn_model::AccountId,
    summaries: Vec<Summary>,
) -> Result<Vec<Arrival>, Error> {
    let store = store.clone();
    let task = tokio::task::spawn_blocking(move || {
        let arrivals = summaries.into_iter().map(|summary| {
            let header = parse_header(&summary.header);
            let received = summary.internal_date.or(header.received);
            Arrival {
                uid: summary.uid,
                flags: summary.flags,
                new: NewMessage {
                    id: store.message_id(header.envelope.sort_date(received)),
                    account,
                    envelope: header.envelope,
                    received,
                    size: summary.size,
                    has_attachments: summary.attachments.unwrap_or(header.has_attachment_hint),
                    body: None,
                },
                header: summary.header,
            }
        });
        arrivals.collect()
    });
    task.await
        .map_err(|_| Error::bug("reading headers failed unexpectedly"))
}
