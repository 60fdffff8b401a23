//! Brings one mailbox up to date: asks what the plan needs, merges it, and writes it with the new sync state.
//!
//! The branches of a [`Plan`] meet here; each step has a file of its own. `open`: what is known here, what SELECT
//! says, which plan follows. `flags`: told by SELECT (Quick), changed since (Resync), all (UidDiff, Rekey).
//! `arrivals`: new messages, newest first, by headers or whole as the `pace` allows; `arrival` takes them apart and
//! `storer` lists them, recognised where they are here already. `vanished`: what is gone, which is believed only when
//! the whole pass has been through, because a message that left one mailbox may have arrived in another.

mod arrival;
mod arrivals;
mod flags;
mod open;
mod pace;
mod storer;
mod vanished;

use posthorn_model::imap::SyncState;
use posthorn_model::{ErrorClass, Uid, UidSet, UidValidity};
use posthorn_net::imap::{Selected, Session, Status};
use posthorn_store::MailboxRow;
use posthorn_store::write::Write;

pub use self::pace::Pace;
pub use self::vanished::{Departure, any_lost, settle};
use super::plan::{Plan, Remote};
use crate::Error;
use crate::account::Post;
use crate::ops::queue;
use crate::problem::Topic;
use crate::report::{AccountReport, Bodies};

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
    /// Which bodies are fetched beside the list.
    pub bodies: Bodies,
    /// How fast messages come in this pass.
    pub pace: &'a mut Pace,
    /// What is gone, for the end of the pass.
    pub departures: &'a mut Vec<Departure>,
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
    pub async fn run(mut self) -> Result<(), Error> {
        let here = self.look_here().await?;
        let mut opened = self.open(&here).await?;
        log::debug!(
            "Mailbox {} is synchronised by {:?}.",
            self.mailbox.id,
            opened.plan
        );
        if opened.plan == Plan::Nothing {
            return Ok(());
        }
        // An earlier pass broke off: it is taken up only where the UIDs mean what they meant.
        let broken_off = opened.plan == Plan::UidDiff && !opened.familiar && here.known > 0;
        if broken_off && self.has_misled().await? {
            opened.plan = Plan::Rekey;
        }
        // Two rounds: the second knows no UIDs that could mislead it.
        while !self.bring_up_to_date(&mut opened).await? {
            log::warn!(
                "A server gave UIDs of mailbox {} to other messages.",
                self.mailbox.id
            );
            opened.plan = Plan::Rekey;
            opened.selected.changed.clear();
            opened.selected.vanished = None;
        }
        Ok(())
    }

    /// False where the UIDs known here turn out to name other messages now: nothing but true arrivals was written.
    async fn bring_up_to_date(&mut self, opened: &mut Opened) -> Result<bool, Error> {
        let rekey = opened.plan == Plan::Rekey;
        if rekey {
            self.void_uids(opened.uid_validity).await?;
        }
        let reports = self.fetch_flags(opened).await?;
        let server = self.server_uids(opened, &reports).await?;
        let (fresh, exact) = self.find_fresh(opened, server.as_ref()).await?;
        let doubts = opened.familiar && !rekey;
        let (mut withheld, doubt) = self.take_in(opened, &fresh, exact, doubts).await?;
        if !doubt.arrived.is_empty() {
            if self.misleads(&doubt.standing).await? {
                return Ok(false);
            }
            // They are copies.
            let (more, _) = self.take_in(opened, &doubt.arrived, exact, false).await?;
            for uid in more.iter() {
                withheld.insert(uid);
            }
        }
        self.merge(&reports).await?;
        drop(reports);
        self.finish(opened, server, withheld).await?;
        Ok(true)
    }

    /// Every UID that the server has, where the plan needs it; `None` where it does not.
    async fn server_uids(
        &mut self,
        opened: &Opened,
        reports: &[flags::Told],
    ) -> Result<Option<UidSet>, Error> {
        match opened.plan {
            Plan::Nothing | Plan::Quick { .. } | Plan::Resync { .. } => Ok(None),
            Plan::UidDiff | Plan::Rekey if opened.remote.exists == 0 => Ok(Some(UidSet::default())),
            Plan::UidDiff | Plan::Rekey => {
                // The flags of all messages came with their UIDs. A server may leave one out and still say OK: that
                // something is gone is believed only when asked for by itself.
                let told: UidSet = reports.iter().map(|report| report.uid).collect();
                if !told.is_empty()
                    && self
                        .known_uids(opened.uid_validity)
                        .await?
                        .minus(&told)
                        .is_empty()
                {
                    return Ok(Some(told));
                }
                bounded(self.session.search_all_uids().await?).map(Some)
            }
        }
    }

    /// UIDs placed here, and those that operations are taking out.
    async fn known_uids(&mut self, uid_validity: UidValidity) -> Result<UidSet, Error> {
        let post = self.post;
        let mut known = post.core.store.uids(self.mailbox.id).await?;
        for uid in self.leaving(uid_validity).await?.iter() {
            known.insert(uid);
        }
        Ok(known)
    }

    /// UIDs that operations are taking out: still on the server, no longer shown here.
    async fn leaving(&mut self, uid_validity: UidValidity) -> Result<UidSet, Error> {
        let post = self.post;
        let operations = post.core.store.operations(Some(post.id)).await?;
        Ok(queue::taken_out(&operations, self.mailbox.id, uid_validity))
    }

    fn state_write(&self, state: SyncState) -> Write {
        Write::SetSyncState {
            mailbox: self.mailbox.id,
            state: Some(state),
        }
    }

    /// Says how many messages the server speaks of and does not hand over, or that all is well again.
    fn tell_withheld(&self, withheld: &UidSet, counted: Option<(u32, u64)>) {
        let core = &self.post.core;
        let topic = Topic::Withheld(self.post.id, self.mailbox.id);
        let path = &self.mailbox.name.path;
        let what = if !withheld.is_empty() {
            format!(
                "the server lists {} messages in “{path}” that it does not hand over; they are asked for again each time",
                withheld.len()
            )
        } else if let Some((counted, named)) = counted {
            format!("the server counts {counted} messages in “{path}” but names only {named} of them")
        } else {
            core.clear(topic);
            return;
        };
        core.raise(topic, &Error::new(ErrorClass::Protocol, what));
    }
}

/// What STATUS or LIST said, as a plan sees it.
pub fn from_status(status: &Status) -> Remote {
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

/// Those of `set` in `first..=last`.
fn within(set: &UidSet, first: Uid, last: Uid) -> UidSet {
    set.minus(&set.minus(&UidSet::range(first, last)))
}
