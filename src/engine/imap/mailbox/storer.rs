//! Lists what arrived, batch after batch, beside the wire.

use std::collections::BTreeSet;

use posthorn_model::operation::Target;
use posthorn_model::{
    AccountId, Flag, FlagChange, Flags, MessageId, Operation, OperationKind, OperationState, UidSet,
    UidValidity,
};
use posthorn_store::write::Write;
use posthorn_store::{Candidate, Durability, MailboxRow, Wanted};
use tokio::sync::mpsc;

use super::arrival::Arrival;
use crate::Error;
use crate::event::{Doing, Event};
use crate::filter::round::Round;
use crate::imap::bodies::Wish;
use crate::imap::identity::recognise;
use crate::imap::merge::Waiting;
use crate::imap::plan;
use crate::intake::Keeping;
use crate::report::Bodies;
use crate::shared::Shared;

/// How many came.
#[derive(Default)]
pub(super) struct Stored {
    /// Not here before.
    pub(super) new: u64,
    /// Of those, with their bodies.
    pub(super) whole: u64,
    /// Not listed: see [`Doubt`].
    pub(super) doubt: Doubt,
}

/// Arrivals that are what stands here under other UIDs: copies, or a server that gives UIDs to other messages.
#[derive(Default)]
pub(super) struct Doubt {
    /// The arrivals'.
    pub(super) arrived: UidSet,
    /// Of what they are alike.
    pub(super) standing: UidSet,
}

/// Lists what is new in one mailbox.
pub(super) struct Storer {
    pub(super) core: Shared,
    pub(super) account: AccountId,
    pub(super) mailbox: MailboxRow,
    pub(super) uid_validity: UidValidity,
    /// What arrives is news for the user.
    pub(super) announces: bool,
    /// There are messages in other mailboxes: one of them may be what arrives.
    pub(super) elsewhere: bool,
    /// What arrives may be what stands here.
    pub(super) doubts: bool,
    pub(super) waiting: Waiting,
    pub(super) progress: (u64, u64),
    pub(super) bodies: Bodies,
    pub(super) wishes: mpsc::UnboundedSender<Wish>,
}

impl Storer {
    /// While a group is listed, the next is made durable.
    pub(super) async fn run(mut self, mut keeping: Keeping<Arrival>) -> Result<Stored, Error> {
        let mut stored = Stored::default();
        let mut next = keeping.next().await?;
        while let Some(arrivals) = next {
            let listed = self.list(arrivals, &mut stored);
            let (listed, following) = tokio::join!(listed, keeping.next());
            listed?;
            next = following?;
        }
        Ok(stored)
    }

    async fn list(&mut self, arrivals: Vec<Arrival>, stored: &mut Stored) -> Result<(), Error> {
        let (mut done, total) = self.progress;
        done += arrivals.len() as u64;
        self.progress = (done, total);
        let bare = arrivals.iter().any(|arrival| arrival.new.body.is_none());
        self.store(arrivals, stored).await?;
        self.core.progress(self.account, Doing::Headers, done, total);
        if bare && self.bodies != Bodies::None {
            let _ = self.wishes.send(Wish::More {
                mailbox: self.mailbox.id,
                bodies: self.bodies,
            });
        }
        Ok(())
    }

    async fn store(&mut self, arrivals: Vec<Arrival>, stored: &mut Stored) -> Result<(), Error> {
        let mailbox = self.mailbox.id;
        let core = std::sync::Arc::clone(&self.core);
        let _local = core.local().await;
        let asked: UidSet = arrivals.iter().map(|arrival| arrival.uid).collect();
        let placed = core.store.placements_by_uids(mailbox, &asked).await?;
        let mut taken: UidSet = placed.iter().filter_map(|placement| placement.uid).collect();
        let candidates = self.find_candidates(&arrivals).await?;
        let mut writes = Vec::new();
        let mut new_mail = Vec::new();
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
            if let Some(message) = self.waiting.take(&arrival.new.envelope, arrival.traits().size)
                && self.adopt(message, &arrival, &mut writes).await?
            {
                continue;
            }
            let known = recognise(&arrival.traits(), &candidates).filter(|message| used.insert(*message));
            if let Some(message) = known {
                writes.extend(arrival.place(message, mailbox));
                continue;
            }
            if self.doubts && self.doubt(&arrival, &candidates, &mut stored.doubt).await? {
                continue;
            }
            stored.new += 1;
            stored.whole += u64::from(arrival.new.body.is_some());
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
        Ok(())
    }

    async fn find_candidates(&self, arrivals: &[Arrival]) -> Result<Vec<Vec<Candidate>>, Error> {
        if !self.elsewhere && !self.doubts {
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

    /// Whether it has the name and size of what stands here under another UID.
    async fn doubt(
        &self,
        arrival: &Arrival,
        candidates: &[Candidate],
        doubt: &mut Doubt,
    ) -> Result<bool, Error> {
        let traits = arrival.traits();
        let alike = candidates.iter().filter(|candidate| {
            candidate.placed
                && candidate.message_id.is_some()
                && candidate.message_id == traits.envelope.message_id
                && candidate.size == traits.size
        });
        let mut doubtful = false;
        for candidate in alike {
            let standing = self
                .core
                .store
                .placement(self.mailbox.id, candidate.message)
                .await?;
            if let Some(uid) = standing.and_then(|placement| placement.uid) {
                doubt.standing.insert(uid);
                doubtful = true;
            }
        }
        if doubtful {
            doubt.arrived.insert(arrival.uid);
        }
        Ok(doubtful)
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
                size: Some(arrival.traits().size),
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
