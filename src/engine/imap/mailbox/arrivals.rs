//! New messages: their summaries come newest first and are stored while the next are on their way. One that is here
//! already (moved or copied by somebody, or kept through a change of UIDs) is recognised, not made anew.

use std::collections::BTreeSet;

use posthorn_mime::parse_header;
use posthorn_model::operation::Target;
use posthorn_model::{
    AccountId, ErrorClass, Flag, FlagChange, Flags, MessageId, Operation, OperationKind, OperationState,
    SpecialUse, Uid, UidSet, UidValidity,
};
use posthorn_net::imap::Summary;
use posthorn_store::write::{NewMessage, Write};
use posthorn_store::{Candidate, Durability, MailboxRow, Store, Wanted};
use tokio::sync::mpsc;

use super::{BATCH, MailboxSync, Opened, bounded, within};
use crate::Error;
use crate::event::{Doing, Event};
use crate::filter::round::Round;
use crate::imap::bodies::Wish;
use crate::imap::identity::{Traits, recognise};
use crate::imap::merge::Waiting;
use crate::imap::plan::{self, Plan};
use crate::ops::queue;
use crate::report::Bodies;
use crate::shared::Shared;

/// Messages asked for at once: the first answer is small, so that the list shows something soon.
const FIRST: usize = BATCH;
const REACH: usize = 4 * BATCH;

/// Batches between the wire and the store: with them, memory does not grow with the mailbox.
const BUFFER: usize = 2 * REACH / BATCH;

impl MailboxSync<'_> {
    /// UIDs that may be new, and whether each is known to be a message. In a range not every number is.
    pub(super) async fn find_fresh(
        &mut self,
        opened: &Opened,
        server: Option<&UidSet>,
    ) -> Result<(UidSet, bool), Error> {
        if let Some(server) = server {
            return Ok((server.minus(&self.known_uids(opened.uid_validity).await?), true));
        }
        let (Plan::Quick { from } | Plan::Resync { from, .. }) = opened.plan else {
            return Ok((UidSet::default(), true));
        };
        // From the first UID not seen to the last that SELECT promised.
        let end = opened.remote.uid_next.unwrap_or(u32::MAX).saturating_sub(1);
        let (Some(first), Some(last)) = (Uid::new(from), Uid::new(end)) else {
            return Ok((UidSet::default(), true));
        };
        let range = UidSet::range(first, last);
        if range.is_empty() {
            return Ok((range, true));
        }
        if range.len() > BATCH as u64 {
            let all = bounded(self.session.search_all_uids().await?)?;
            let known = self.known_uids(opened.uid_validity).await?;
            return Ok((within(&all, first, last).minus(&known), true));
        }
        let post = self.post;
        let placed = post
            .core
            .store
            .placements_by_uids(self.mailbox.id, &range)
            .await?;
        let placed: UidSet = placed.iter().filter_map(|placement| placement.uid).collect();
        let leaving = self.leaving(opened.uid_validity).await?;
        Ok((range.minus(&placed).minus(&leaving), false))
    }

    /// Fetches and stores new summaries, newest first. Returns what was asked for and did not come.
    pub(super) async fn take_in(
        &mut self,
        opened: &Opened,
        fresh: &UidSet,
        exact: bool,
    ) -> Result<UidSet, Error> {
        let mut missing = UidSet::default();
        if fresh.is_empty() {
            return Ok(missing);
        }
        let intake = self.prepare_intake(opened, fresh, exact).await?;
        let (give, batches) = mpsc::channel::<Vec<Summary>>(BUFFER);
        let storing = tokio::spawn(intake.run(batches));
        let fetched = self.fetch_summaries(fresh, &give, &mut missing).await;
        drop(give);
        let stored = storing
            .await
            .map_err(|_| Error::bug("storing new messages failed unexpectedly"))?;
        // Our own failure matters more than the connection's.
        self.report.new += stored?;
        fetched?;
        Ok(if exact { missing } else { UidSet::default() })
    }

    async fn fetch_summaries(
        &mut self,
        fresh: &UidSet,
        give: &mpsc::Sender<Vec<Summary>>,
        missing: &mut UidSet,
    ) -> Result<(), Error> {
        for asked in plan::newest_first(fresh, FIRST, REACH) {
            let Ok(mut room) = give.reserve_many(REACH / BATCH + 1).await else {
                // The store has failed, and says so itself.
                return Ok(());
            };
            let mut batch = Vec::new();
            let mut take = |summary: Summary| {
                if asked.contains(summary.uid) {
                    batch.push(summary);
                }
                if batch.len() >= BATCH
                    && let Some(place) = room.next()
                {
                    place.send(std::mem::take(&mut batch));
                }
            };
            let received = if self.bodies_follow() {
                self.session.fetch_headers(&asked, &mut take).await?
            } else {
                self.session.fetch_summaries(&asked, &mut take).await?
            };
            if !batch.is_empty()
                && let Some(place) = room.next()
            {
                place.send(batch);
            }
            for &(first, last) in asked.minus(&received).ranges() {
                if let (Some(first), Some(last)) = (Uid::new(first), Uid::new(last)) {
                    missing.insert_range(first, last);
                }
            }
        }
        Ok(())
    }

    /// Whether all that comes is fetched whole in a moment: then nobody has to guess what it holds.
    fn bodies_follow(&self) -> bool {
        self.bodies == Bodies::All && self.post.core.policy().prefetch_limit().is_none()
    }

    async fn prepare_intake(
        &mut self,
        opened: &Opened,
        fresh: &UidSet,
        exact: bool,
    ) -> Result<Intake, Error> {
        let post = self.post;
        let store = &post.core.store;
        let waiting = waiting(store, post.id, self.mailbox).await?;
        let account = store.accounts().await?.into_iter().find(|row| row.id == post.id);
        let total = store.mailbox(self.mailbox.id).await?.map_or(0, |row| row.total);
        Ok(Intake {
            core: std::sync::Arc::clone(&post.core),
            account: post.id,
            mailbox: self.mailbox.clone(),
            uid_validity: opened.uid_validity,
            announces: opened.familiar && self.mailbox.special_use == Some(SpecialUse::Inbox),
            elsewhere: account.is_none_or(|row| row.total > total),
            waiting,
            progress: (0, if exact { fresh.len() } else { 0 }),
            bodies: self.bodies,
            wishes: post.bodies.clone(),
        })
    }
}

/// Messages here without a UID, which an arrival may turn out to be. Looked at once: nothing reaches the server's
/// mailbox from here while a pass looks at it.
async fn waiting(store: &Store, account: AccountId, mailbox: &MailboxRow) -> Result<Waiting, Error> {
    let mut waiting = Waiting::default();
    let adrift = store.adrift(mailbox.id).await?;
    if adrift.is_empty() {
        return Ok(waiting);
    }
    let operations = store.operations(Some(account)).await?;
    let uploads = queue::uploads_into(&operations, mailbox.id);
    for one in adrift {
        let upload = uploads.contains(&one.message);
        waiting.add(&one, upload);
    }
    Ok(waiting)
}

/// Stores what comes, beside the wire.
struct Intake {
    core: Shared,
    account: AccountId,
    mailbox: MailboxRow,
    uid_validity: UidValidity,
    /// What arrives is news for the user.
    announces: bool,
    /// There are messages in other mailboxes: one of them may be what arrives.
    elsewhere: bool,
    waiting: Waiting,
    progress: (u64, u64),
    bodies: Bodies,
    wishes: mpsc::UnboundedSender<Wish>,
}

impl Intake {
    /// Returns how many were not here before.
    async fn run(mut self, mut batches: mpsc::Receiver<Vec<Summary>>) -> Result<u64, Error> {
        let mut new = 0;
        while let Some(batch) = batches.recv().await {
            let (mut done, total) = self.progress;
            done += batch.len() as u64;
            self.progress = (done, total);
            new += self.store(batch).await?;
            self.core.progress(self.account, Doing::Headers, done, total);
            if self.bodies != Bodies::None {
                let _ = self.wishes.send(Wish::More {
                    mailbox: self.mailbox.id,
                    bodies: self.bodies,
                });
            }
        }
        Ok(new)
    }

    async fn store(&mut self, summaries: Vec<Summary>) -> Result<u64, Error> {
        let mailbox = self.mailbox.id;
        let core = std::sync::Arc::clone(&self.core);
        let arrivals = read_summaries(&core.store, self.account, summaries).await?;
        let _local = core.local().await;
        let asked: UidSet = arrivals.iter().map(|arrival| arrival.uid).collect();
        let placed = core.store.placements_by_uids(mailbox, &asked).await?;
        let mut taken: UidSet = placed.iter().filter_map(|placement| placement.uid).collect();
        let candidates = self.find_candidates(&arrivals).await?;
        let mut writes = Vec::new();
        let mut new_mail = Vec::new();
        let mut new = 0;
        let state = core.store.sync_state(mailbox).await?;
        if state.map(|state| state.uid_validity) != Some(self.uid_validity) {
            writes.push(Write::SetSyncState {
                mailbox,
                state: Some(plan::unfinished(self.uid_validity, 1)),
            });
        }
        let mut used: BTreeSet<MessageId> = BTreeSet::new();
        let mut round = Round::open(&core, self.account, mailbox);
        for (arrival, candidates) in arrivals.into_iter().zip(candidates) {
            if taken.contains(arrival.uid) {
                continue;
            }
            taken.insert(arrival.uid);
            if let Some(message) = self.waiting.take(&arrival.new.envelope, arrival.new.size)
                && self.adopt(message, &arrival, &mut writes).await?
            {
                continue;
            }
            let known = recognise(&arrival.traits(), &candidates).filter(|message| used.insert(*message));
            if let Some(message) = known {
                writes.extend(arrival.place(message, mailbox));
                continue;
            }
            new += 1;
            if self.announces {
                round.take(&arrival.new, &arrival.header, Some(arrival.uid), &arrival.flags);
            }
            if !arrival.flags.contains(Flag::Seen) {
                new_mail.push(arrival.new.id);
            }
            let placing = arrival.place(arrival.new.id, mailbox);
            // Before its placement, which names it.
            writes.push(Write::AddMessage(Box::new(arrival.new)));
            writes.extend(placing);
        }
        let filtered = round.finish(&core, Some(self.uid_validity)).await?;
        writes.extend(filtered.writes);
        new_mail.retain(|message| !filtered.quiet.contains(message));
        core.apply(self.account, writes, Durability::Normal).await?;
        if self.announces && !new_mail.is_empty() {
            core.hub.publish(&Event::NewMail {
                account: self.account,
                messages: new_mail,
            });
        }
        Ok(new)
    }

    async fn find_candidates(&self, arrivals: &[Arrival]) -> Result<Vec<Vec<Candidate>>, Error> {
        if !self.elsewhere {
            return Ok(vec![Vec::new(); arrivals.len()]);
        }
        let wanted = arrivals.iter().map(|arrival| Wanted {
            object_id: arrival.object_id.clone(),
            message_id: arrival.new.envelope.message_id.clone(),
        });
        let store = &self.core.store;
        Ok(store
            .find_candidates(self.account, self.mailbox.id, wanted.collect())
            .await?)
    }

    /// A message that stands here already gets its UID. False where it has got one, or has gone, meanwhile.
    async fn adopt(
        &self,
        message: MessageId,
        arrival: &Arrival,
        writes: &mut Vec<Write>,
    ) -> Result<bool, Error> {
        let mailbox = self.mailbox.id;
        let here = self.core.store.placement(mailbox, message).await?;
        let Some(here) = here.filter(|here| here.uid.is_none()) else {
            return Ok(false);
        };
        writes.push(Write::SetUid {
            message,
            mailbox,
            uid: Some(arrival.uid),
        });
        let flags = Flags::merge(&here.flags, &here.base, &arrival.flags);
        // What the user changed may have been sent in vain while the UIDs were void: it is sent again.
        if flags != arrival.flags && !self.has_flags_to_send(message).await? {
            let change = arrival.flags.change_to(&flags);
            let operation = self.build_flag_operation(message, arrival, change);
            writes.push(Write::AddOperation(Box::new(operation)));
        }
        writes.push(Write::SetFlags {
            message,
            mailbox,
            flags,
            base: arrival.flags.clone(),
        });
        Ok(true)
    }

    async fn has_flags_to_send(&self, message: MessageId) -> Result<bool, Error> {
        let operations = self.core.store.operations(Some(self.account)).await?;
        Ok(operations.iter().any(|operation| {
            operation.mailbox == self.mailbox.id
                && matches!(
                    operation.kind,
                    OperationKind::SetFlags { .. } | OperationKind::Append { .. }
                )
                && operation.targets.iter().any(|target| target.message == message)
        }))
    }

    fn build_flag_operation(&self, message: MessageId, arrival: &Arrival, change: FlagChange) -> Operation {
        let id = self.core.store.new_operation_id();
        Operation {
            id,
            account: self.account,
            mailbox: self.mailbox.id,
            uid_validity: Some(self.uid_validity),
            targets: vec![Target {
                message,
                uid: Some(arrival.uid),
                before: arrival.flags.clone(),
                message_id: arrival.new.envelope.message_id.clone(),
                size: Some(arrival.new.size),
            }],
            kind: OperationKind::SetFlags { change },
            state: OperationState::Queued,
            created: self.core.now(),
            intent: id.0,
            tries: 0,
            reply: String::new(),
        }
    }
}

/// A new message as its summary tells it.
struct Arrival {
    uid: Uid,
    flags: Flags,
    object_id: Option<String>,
    new: NewMessage,
    /// For rules that look at any field.
    header: Vec<u8>,
}

impl Arrival {
    fn traits(&self) -> Traits<'_> {
        Traits {
            object_id: self.object_id.as_deref(),
            envelope: &self.new.envelope,
            size: self.new.size,
            received: self.new.received,
        }
    }

    /// Puts `message` where this arrived.
    fn place(&self, message: MessageId, mailbox: posthorn_model::MailboxId) -> Vec<Write> {
        let mut writes = vec![Write::Place {
            message,
            mailbox,
            uid: Some(self.uid),
            flags: self.flags.clone(),
            base: self.flags.clone(),
        }];
        if self.object_id.is_some() {
            writes.push(Write::Identify {
                message,
                object_id: self.object_id.clone(),
                listed_size: None,
            });
        }
        writes
    }
}

async fn read_summaries(
    store: &Store,
    account: AccountId,
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
                object_id: summary.email_id,
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
        .map_err(|_| Error::new(ErrorClass::Bug, "reading headers failed unexpectedly"))
}
