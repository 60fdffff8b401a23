//! Carries out one pass over an IMAP account: operations first, then the list of mailboxes, then what changed in them,
//! then what is gone from them, then bodies.

use std::collections::{BTreeMap, BTreeSet};

use posthorn_model::{ErrorClass, MailboxId, SpecialUse, SyncState};
use posthorn_net::imap::{Session, Status};
use posthorn_store::write::Write;
use posthorn_store::{Durability, MailboxRow};

use super::mailbox::{Departure, MailboxSync, Pace, any_lost, from_status, settle};
use super::plan::{self, Local};
use super::{bodies, listing};
use crate::Error;
use crate::account::Post;
use crate::ops::mailbox::on_server;
use crate::ops::runner;
use crate::ops::wish::{accept_key, labels_key};
use crate::problem::Topic;
use crate::report::{AccountReport, Bodies};
use crate::schedule::Extent;

/// One pass.
pub struct ImapPass<'a> {
    pub post: &'a Post,
    pub session: &'a mut Session,
    pub bodies: Bodies,
    /// Somebody waits for the figures: the pass ends when all bodies are here.
    pub patient: bool,
    pub report: &'a mut AccountReport,
}

/// What is found out on the way and believed at the end.
#[derive(Default)]
struct Found {
    pace: Pace,
    departures: Vec<Departure>,
    /// Mailboxes that the server no longer lists.
    missing: Vec<MailboxId>,
    /// Opened or seen to be unchanged.
    looked_at: BTreeSet<MailboxId>,
}

impl ImapPass<'_> {
    pub async fn run(mut self, extent: &Extent) -> Result<(), Error> {
        let post = self.post;
        let core = &post.core;
        runner::push(self.post, self.session).await?;
        if *extent == Extent::Operations {
            return Ok(());
        }
        let accepted = core.store.setting(&accept_key(self.post.id)).await?.is_some();
        let mut found = Found::default();
        let mut whole = *extent == Extent::All;
        match extent {
            Extent::Mailboxes(wanted) => {
                let mut rows = self.rows().await?;
                rows.retain(|row| wanted.contains(&row.id));
                self.sync_all(&rows, &mut found).await?;
                // What left these mailboxes may have arrived in others.
                whole = any_lost(post, &found.departures).await?;
            }
            Extent::Operations | Extent::All => {}
        }
        if whole {
            self.look_at_all(&mut found).await?;
        }
        settle(post, found.departures, accepted, self.report).await?;
        if whole {
            listing::remove_missing(post, &found.missing, accepted).await?;
        }
        if accepted && whole {
            let used = Write::PutSetting {
                key: accept_key(self.post.id),
                value: None,
            };
            core.apply(self.post.id, vec![used], Durability::Normal).await?;
            core.clear_where(|topic| matches!(topic, Topic::Vanished(account, _) if account == self.post.id));
        }
        // What the user did meanwhile.
        runner::push(self.post, self.session).await?;
        let mut rows = self.rows().await?;
        if let Extent::Mailboxes(_) = extent {
            rows.retain(|row| found.looked_at.contains(&row.id));
        }
        bodies::fetch_missing(post, self.session, &rows, self.bodies, self.patient, self.report).await
    }

    /// The mailboxes that can be opened, the most urgent first, under the names by which the server knows them now.
    async fn rows(&mut self) -> Result<Vec<MailboxRow>, Error> {
        let post = self.post;
        let core = &post.core;
        let _local = core.local().await;
        let rows = core.store.mailboxes(Some(post.id)).await?;
        let operations = core.store.operations(Some(post.id)).await?;
        let mut rows = on_server(rows, &operations);
        rows.retain(|row| row.selectable && !row.local);
        rows.sort_by_key(urgency);
        Ok(rows)
    }

    /// Whether mailboxes are labels here, for wishes that are carried out while nobody is asked.
    async fn note_labels(&mut self) -> Result<(), Error> {
        let post = self.post;
        let key = labels_key(post.id);
        let labelled = self.session.capabilities().has("X-GM-EXT-1");
        if post.core.store.setting(&key).await?.is_some() != labelled {
            let value = labelled.then(|| post.core.now().to_string());
            let noted = Write::PutSetting { key, value };
            post.core.apply(post.id, vec![noted], Durability::Normal).await?;
        }
        Ok(())
    }

    /// The list, and every mailbox that may have changed and has not been looked at yet.
    async fn look_at_all(&mut self, found: &mut Found) -> Result<(), Error> {
        self.note_labels().await?;
        // Of the mailbox that an earlier pass has left open, the server may tell what it held then.
        self.session.unselect().await?;
        let listed = listing::refresh(self.post, self.session).await?;
        found.missing = listed.missing;
        let mut rows = self.rows().await?;
        rows.retain(|row| !found.looked_at.contains(&row.id) && !found.missing.contains(&row.id));
        let chosen = self.choose(&rows, &listed.statuses).await?;
        self.report.mailboxes += (rows.len() - chosen.len()) as u64;
        found.looked_at.extend(rows.iter().map(|row| row.id));
        self.sync_all(&chosen, found).await
    }

    /// Those that have to be opened, from what is known here and what STATUS said: for the others it costs nothing.
    async fn choose(
        &mut self,
        rows: &[MailboxRow],
        statuses: &BTreeMap<MailboxId, Status>,
    ) -> Result<Vec<MailboxRow>, Error> {
        let post = self.post;
        let store = &post.core.store;
        let adrift = store.adrift_counts(post.id).await?;
        let operations = store.operations(Some(post.id)).await?;
        let silent = rows.iter().filter(|row| !statuses.contains_key(&row.id)).count();
        let mut chosen = BTreeSet::new();
        let mut still = BTreeMap::new();
        let mut empty = Vec::new();
        for row in rows {
            let inbox = row.special_use == Some(SpecialUse::Inbox);
            let Some(status) = statuses.get(&row.id) else {
                // Where the server tells nothing of thousands, those that never held anything are left alone.
                if inbox || row.sync.is_some() || silent <= SILENT {
                    chosen.insert(row.id);
                }
                continue;
            };
            let without_uid = adrift.get(&row.id).copied().unwrap_or_default();
            let busy = operations.iter().any(|operation| operation.mailbox == row.id);
            let local = Local {
                state: row.sync,
                known: row.total.saturating_sub(without_uid),
            };
            let remote = from_status(status);
            if without_uid > 0 || busy {
                chosen.insert(row.id);
            } else if plan::is_unchanged(&local, &remote) {
            } else if row.sync.is_none() && status.messages == 0 && row.total == 0 {
                empty.extend(first_state(row, status));
            } else if !inbox && plan::is_still(&local, row.unread, status.unseen, &remote) {
                still.insert(row.id, row.total);
            } else {
                chosen.insert(row.id);
            }
        }
        post.core.apply(post.id, empty, Durability::Normal).await?;
        chosen.extend(self.take_turn(&still).await?);
        let chosen = rows.iter().filter(|row| chosen.contains(&row.id));
        Ok(chosen.cloned().collect())
    }

    /// Without mod-sequences nothing shows that flags changed: mailboxes that look unchanged are opened in turn.
    async fn take_turn(&mut self, still: &BTreeMap<MailboxId, u64>) -> Result<Vec<MailboxId>, Error> {
        if still.is_empty() {
            return Ok(Vec::new());
        }
        let post = self.post;
        let core = &post.core;
        let key = format!("imap-turn-{}", self.post.id);
        let last = core.store.setting(&key).await?;
        let last = last.and_then(|last| last.parse().ok()).map(MailboxId);
        let chosen = plan::in_turn(still, last);
        if let Some(last) = chosen.last().filter(|_| chosen.len() < still.len()) {
            let write = Write::PutSetting {
                key,
                value: Some(last.to_string()),
            };
            core.apply(self.post.id, vec![write], Durability::Normal).await?;
        }
        Ok(chosen)
    }

    async fn sync_all(&mut self, rows: &[MailboxRow], found: &mut Found) -> Result<(), Error> {
        for row in rows {
            found.looked_at.insert(row.id);
            self.sync_one(row, found).await?;
        }
        Ok(())
    }

    /// One mailbox; trouble with it alone does not keep the others from being looked at.
    async fn sync_one(&mut self, row: &MailboxRow, found: &mut Found) -> Result<(), Error> {
        let post = self.post;
        let core = &post.core;
        let topic = Topic::Mailbox(self.post.id, row.id);
        let pass = MailboxSync {
            post: self.post,
            session: self.session,
            report: self.report,
            mailbox: row,
            bodies: self.bodies,
            pace: &mut found.pace,
            departures: &mut found.departures,
        };
        match pass.run().await {
            Ok(()) => core.clear(topic),
            Err(error) if error.class == ErrorClass::Refused => {
                let told = Error {
                    message: format!("{}: {}", row.name.path, error.message),
                    ..error
                };
                core.raise(topic, &told);
            }
            Err(error) => return Err(error),
        }
        self.report.mailboxes += 1;
        Ok(())
    }
}

/// Mailboxes that the server may keep silent about and that are opened all the same.
const SILENT: usize = 200;

/// An empty mailbox need not be opened to know what it holds.
fn first_state(row: &MailboxRow, status: &Status) -> Option<Write> {
    let state = SyncState {
        uid_validity: status.uid_validity?,
        uid_next: status.uid_next?,
        highest_modseq: status.highest_modseq,
    };
    Some(Write::SetSyncState {
        mailbox: row.id,
        state: Some(state),
    })
}

/// What the user looks at first comes first.
fn urgency(row: &MailboxRow) -> (u8, String) {
    let rank = match row.special_use {
        Some(SpecialUse::Inbox) => 0,
        Some(SpecialUse::Drafts | SpecialUse::Sent) => 1,
        Some(SpecialUse::Archive | SpecialUse::Flagged | SpecialUse::Important) | None => 2,
        Some(SpecialUse::Trash | SpecialUse::Junk) => 3,
        Some(SpecialUse::All) => 4,
    };
    (rank, row.name.path.clone())
}
