//! What is known of the mailbox here, what SELECT says, and which plan follows.

use std::collections::BTreeMap;

use posthorn_mime::parse_header;
use posthorn_model::imap::SyncState;
use posthorn_model::{ErrorClass, UidSet, UidValidity};
use posthorn_net::imap::{Access, Resume, Summary};
use posthorn_store::Durability;
use posthorn_store::write::Write;

use super::{MailboxSync, Opened};
use crate::Error;
use crate::imap::plan::{self, Local, Plan, Remote};
use crate::ops::queue;

/// The mailbox as it is here, in figures: nothing of it is loaded.
pub(super) struct Here {
    pub(super) state: Option<SyncState>,
    /// UIDs placed here or on their way out.
    pub(super) known: u64,
    /// Messages stand here that no UID and no operation explains.
    pub(super) strays: bool,
}

impl MailboxSync<'_> {
    pub(super) async fn look_here(&mut self) -> Result<Here, Error> {
        let post = self.post;
        let store = &post.core.store;
        let row = store.mailbox(self.mailbox.id).await?;
        let (total, state) = row.map_or((0, None), |row| (row.total, row.sync));
        let adrift = store.adrift_count(self.mailbox.id).await?;
        let operations = store.operations(Some(post.id)).await?;
        let leaving = state.map_or_else(UidSet::default, |state| {
            queue::taken_out(&operations, self.mailbox.id, state.uid_validity)
        });
        // An operation that was taken back half-way may name what is placed again.
        let placed = if leaving.is_empty() {
            0
        } else {
            store.placements_by_uids(self.mailbox.id, &leaving).await?.len() as u64
        };
        let coming = queue::coming_in(&operations, self.mailbox.id).len() as u64;
        Ok(Here {
            state,
            known: total.saturating_sub(adrift) + leaving.len() - placed,
            strays: adrift > coming,
        })
    }

    pub(super) async fn open(&mut self, here: &Here) -> Result<Opened, Error> {
        let state = here.state;
        // RFC 7162 section 3.2.5.2: the set of known UIDs is left out; what we do not know of costs us nothing.
        let resume = state.filter(|_| !here.strays).and_then(|state| {
            Some(Resume {
                uid_validity: state.uid_validity,
                modseq: state.highest_modseq?,
                known: UidSet::default(),
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
        let local = Local {
            state,
            known: here.known,
        };
        let mut plan = plan::plan(&local, &remote);
        if here.strays && plan != Plan::Rekey {
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

    /// Whether UIDs known here name other messages on the server now, as far as a few of them show. It must not be (RFC
    /// 9051 section 2.3.1.1), and what is listed under another's UID would be listed a second time under its own.
    pub(super) async fn has_misled(&mut self) -> Result<bool, Error> {
        let all = self.post.core.store.uids(self.mailbox.id).await?;
        self.misleads(&sample(&all)).await
    }

    /// Whether one of these names another message now.
    pub(super) async fn misleads(&mut self, asked: &UidSet) -> Result<bool, Error> {
        let post = self.post;
        let store = &post.core.store;
        let mut told = BTreeMap::new();
        let mut take = |summary: Summary| {
            told.insert(summary.uid, parse_header(&summary.header).envelope.message_id);
        };
        self.session.fetch_outlines(asked, true, &mut take).await?;
        for placement in store.placements_by_uids(self.mailbox.id, asked).await? {
            let told = placement.uid.and_then(|uid| told.remove(&uid)).flatten();
            let known = store.message(placement.message).await?;
            let known = known.and_then(|known| known.envelope.message_id);
            if known.is_some() && told.is_some() && known != told {
                return Ok(true);
            }
        }
        Ok(false)
    }

    /// The UIDs' generation changed: what is here keeps its place and waits to be recognised.
    pub(super) async fn void_uids(&mut self, uid_validity: UidValidity) -> Result<(), Error> {
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
}

/// A few of them, from the first to the last.
fn sample(uids: &UidSet) -> UidSet {
    const PARTS: u64 = 4;
    let last = uids.len().saturating_sub(1);
    let mut chosen = (0..=PARTS).map(|part| last * part / PARTS).peekable();
    let mut sample = UidSet::default();
    for (at, uid) in (0..).zip(uids.iter()) {
        while chosen.next_if_eq(&at).is_some() {
            sample.insert(uid);
        }
    }
    sample
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_sample_reaches_from_the_first_to_the_last() {
        let check = |uids: &str, expect: &str| {
            let uids = UidSet::parse(uids).expect("a set");
            assert_eq!(sample(&uids), UidSet::parse(expect).expect("a set"), "{uids:?}");
        };
        check("7", "7");
        check("7,9", "7,9");
        check("1:100,900:1000", "1,51,900,950,1000");
    }
}
