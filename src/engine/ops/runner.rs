//! Pushes operations to an IMAP server, one turn at a time, each marked before it is sent and settled after.

use std::collections::BTreeMap;

use posthorn_model::{
    ErrorClass, FlagChange, Flags, InternetMessageId, MailboxId, MessageId, Operation, OperationId,
    OperationKind, OperationState, Uid, UidSet, UidValidity,
};
use posthorn_net::imap::{Access, CopyUid, Expunged, Session, Summary};
use posthorn_store::write::Write;
use posthorn_store::{Durability, MailboxRow};

use super::queue::{self, Aim, Turn, Work};
use crate::Error;
use crate::account::Post;
use crate::event::Doing;
use crate::problem::Topic;

/// Sends everything that waits, oldest first.
///
/// # Errors
/// Where the connection fails: what was under way is looked at again. A refusal holds the operation instead.
pub async fn push(post: &Post, session: &mut Session) -> Result<(), Error> {
    let store = &post.core.store;
    let mut done = 0;
    loop {
        let operations = store.operations(Some(post.id)).await?;
        let Some(turn) = queue::next_turn(&operations) else {
            break;
        };
        post.core
            .progress(post.id, Doing::Operations, done, operations.len() as u64);
        done += turn.operations.len() as u64;
        let mut run = Run {
            post,
            session,
            operations: &operations,
            turn: &turn,
            doubtful: operations.iter().any(|operation| {
                turn.operations.contains(&operation.id) && operation.state == OperationState::Sent
            }),
        };
        run.mark_sent().await?;
        match run.carry_out().await {
            Ok(writes) => run.settle(writes).await?,
            Err(error) if holds(&error) => run.hold(&error).await?,
            Err(error) => return Err(error),
        }
    }
    Ok(())
}

/// Whether the server will not do this, however often it is asked.
fn holds(error: &Error) -> bool {
    matches!(
        error.class,
        ErrorClass::Refused | ErrorClass::Quota | ErrorClass::Config
    )
}

/// One turn.
struct Run<'a> {
    post: &'a Post,
    session: &'a mut Session,
    operations: &'a [Operation],
    turn: &'a Turn,
    /// It was sent before and the answer was lost: look before doing it again.
    doubtful: bool,
}

impl Run<'_> {
    fn concerned(&self) -> impl Iterator<Item = &Operation> {
        self.operations
            .iter()
            .filter(|operation| self.turn.operations.contains(&operation.id))
    }

    async fn mark_sent(&mut self) -> Result<(), Error> {
        let writes = self.concerned().map(|operation| Write::SetOperation {
            id: operation.id,
            state: OperationState::Sent,
            tries: operation.tries.saturating_add(1),
            reply: operation.reply.clone(),
        });
        let writes = writes.collect();
        self.post
            .core
            .apply(self.post.id, writes, Durability::Normal)
            .await?;
        Ok(())
    }

    /// Does the work; returns what is to be written with its end.
    async fn carry_out(&mut self) -> Result<Vec<Write>, Error> {
        let mailbox = self.mailbox(self.turn.mailbox).await?;
        if matches!(self.turn.work, Work::Append) {
            return self.append(&mailbox).await;
        }
        let selected = self.session.select(&mailbox.name, Access::Write, None).await?;
        let validity = selected.uid_validity;
        let turn = self.turn;
        match &turn.work {
            Work::Flags(groups) => {
                let mut writes = Vec::new();
                for (change, aims) in groups {
                    writes.extend(self.set_flags(&mailbox, validity, change, aims).await?);
                }
                Ok(writes)
            }
            Work::Move { to, aims } => self.relocate(validity, *to, aims, true).await,
            Work::Copy { to, aims } => self.relocate(validity, *to, aims, false).await,
            Work::Expunge { aims } => self.expunge(validity, aims).await,
            Work::Append => Ok(Vec::new()),
        }
    }

    async fn mailbox(&mut self, id: MailboxId) -> Result<MailboxRow, Error> {
        let row = self.post.core.store.mailbox(id).await?;
        row.ok_or_else(|| Error::new(ErrorClass::Refused, "the mailbox is no longer there"))
    }

    /// The UIDs as they are now. A message that cannot be found any more is left out: somebody else has removed
    /// it, which is for the next pass to see.
    async fn resolve(
        &mut self,
        mailbox: MailboxId,
        validity: Option<UidValidity>,
        aims: &[Aim],
    ) -> Result<BTreeMap<Uid, MessageId>, Error> {
        let mut found = BTreeMap::new();
        for aim in aims {
            let target = &aim.target;
            if let Some(uid) = target
                .uid
                .filter(|_| aim.uid_validity == validity && validity.is_some())
            {
                found.insert(uid, target.message);
                continue;
            }
            let placement = self.post.core.store.placement(mailbox, target.message).await?;
            let state = self.post.core.store.sync_state(mailbox).await?;
            let current = state.is_some_and(|state| Some(state.uid_validity) == validity);
            if let Some(uid) = placement.and_then(|placement| placement.uid).filter(|_| current) {
                found.insert(uid, target.message);
            } else if let Some(uid) = self.search(target.message_id.as_ref()).await? {
                found.insert(uid, target.message);
            }
        }
        Ok(found)
    }

    /// The one message with this Message-ID in the selected mailbox; several are none.
    async fn search(&mut self, id: Option<&InternetMessageId>) -> Result<Option<Uid>, Error> {
        let Some(id) = id else {
            return Ok(None);
        };
        let found = match self.session.find_message_id(&id.0).await {
            Ok(found) => found,
            Err(error) if error.permanent => return Ok(None),
            Err(error) => return Err(error.into()),
        };
        let mut uids = found.iter();
        Ok(uids.next().filter(|_| found.len() == 1))
    }

    async fn set_flags(
        &mut self,
        mailbox: &MailboxRow,
        validity: Option<UidValidity>,
        change: &FlagChange,
        aims: &[Aim],
    ) -> Result<Vec<Write>, Error> {
        let found = self.resolve(mailbox.id, validity, aims).await?;
        if found.is_empty() || change.is_empty() {
            return Ok(Vec::new());
        }
        let uids: UidSet = found.keys().copied().collect();
        self.session.store_flags(&uids, change).await?;
        let post = self.post;
        let store = &post.core.store;
        let mut writes = Vec::new();
        for placement in store.placements_by_uids(mailbox.id, &uids).await? {
            writes.push(Write::SetFlags {
                message: placement.message,
                mailbox: mailbox.id,
                flags: placement.flags,
                base: queue::base_after(&placement.base, change),
            });
        }
        Ok(writes)
    }

    async fn relocate(
        &mut self,
        validity: Option<UidValidity>,
        to: MailboxId,
        aims: &[Aim],
        away: bool,
    ) -> Result<Vec<Write>, Error> {
        let target = self.mailbox(to).await?;
        let mut found = self.resolve(self.turn.mailbox, validity, aims).await?;
        let mut writes = Vec::new();
        if self.doubtful {
            let (arrived, uid_validity) = self.already_in(&target, aims).await?;
            writes.extend(self.learn(to, uid_validity, &arrived).await?);
            let copied: UidSet = found
                .iter()
                .filter(|(_, message)| arrived.contains_key(*message))
                .map(|(uid, _)| *uid)
                .collect();
            found.retain(|_, message| !arrived.contains_key(message));
            if away && !copied.is_empty() {
                self.remove(&copied).await?;
            }
        }
        if found.is_empty() {
            return Ok(writes);
        }
        let uids: UidSet = found.keys().copied().collect();
        let copied = if away {
            let outcome = self.session.move_messages(&uids, &target.name).await?;
            if outcome.originals == Expunged::LeftDeleted {
                log::warn!(
                    "The server cannot remove single messages: moved ones stay behind, marked deleted."
                );
            }
            outcome.copied
        } else {
            self.session.copy(&uids, &target.name).await?
        };
        if let Some(copied) = copied {
            let arrived = pair(&copied, &found);
            writes.extend(self.learn(to, Some(copied.uid_validity), &arrived).await?);
        }
        Ok(writes)
    }

    /// Which of the messages an earlier try has brought into the target already.
    async fn already_in(
        &mut self,
        target: &MailboxRow,
        aims: &[Aim],
    ) -> Result<(BTreeMap<MessageId, Uid>, Option<UidValidity>), Error> {
        let source = self.mailbox(self.turn.mailbox).await?;
        let selected = self.session.select(&target.name, Access::Examine, None).await?;
        let mut arrived = BTreeMap::new();
        for aim in aims {
            if let Some(uid) = self.search(aim.target.message_id.as_ref()).await? {
                let other = self.post.core.store.placement_by_uid(target.id, uid).await?;
                if other.is_none_or(|other| other.message == aim.target.message) {
                    arrived.insert(aim.target.message, uid);
                }
            }
        }
        self.session.select(&source.name, Access::Write, None).await?;
        Ok((arrived, selected.uid_validity))
    }

    /// Messages have got their UIDs in the target: their placements and later operations are told.
    async fn learn(
        &mut self,
        to: MailboxId,
        uid_validity: Option<UidValidity>,
        arrived: &BTreeMap<MessageId, Uid>,
    ) -> Result<Vec<Write>, Error> {
        let post = self.post;
        let store = &post.core.store;
        let state = store.sync_state(to).await?;
        let Some(uid_validity) = uid_validity else {
            return Ok(Vec::new());
        };
        let mut writes = Vec::new();
        let operations = store.operations(Some(self.post.id)).await?;
        for next in queue::learn(&operations, &self.turn.operations, to, uid_validity, arrived) {
            writes.push(Write::PutOperation(Box::new(next)));
        }
        if state.is_none_or(|state| state.uid_validity != uid_validity) {
            // The mailbox has not been looked at in this generation: the next pass recognises them.
            return Ok(writes);
        }
        for (message, uid) in arrived {
            let taken = store.placement_by_uid(to, *uid).await?;
            let here = store.placement(to, *message).await?;
            if here.is_some_and(|here| here.uid.is_none()) && taken.is_none() {
                writes.push(Write::SetUid {
                    message: *message,
                    mailbox: to,
                    uid: Some(*uid),
                });
            }
        }
        Ok(writes)
    }

    async fn expunge(&mut self, validity: Option<UidValidity>, aims: &[Aim]) -> Result<Vec<Write>, Error> {
        let found = self.resolve(self.turn.mailbox, validity, aims).await?;
        let expected: BTreeMap<MessageId, Option<&InternetMessageId>> = aims
            .iter()
            .map(|aim| (aim.target.message, aim.target.message_id.as_ref()))
            .collect();
        let uids: UidSet = found.keys().copied().collect();
        if uids.is_empty() {
            return Ok(Vec::new());
        }
        // A UID may have been given to another message behind our back: what cannot be undone is checked first.
        let mut certain = UidSet::default();
        let mut summaries: Vec<Summary> = Vec::new();
        self.session
            .fetch_summaries(&uids, &mut |summary| summaries.push(summary))
            .await?;
        for summary in summaries {
            let here = posthorn_mime::parse_header(&summary.header).envelope.message_id;
            let wanted = found.get(&summary.uid).and_then(|message| expected.get(message));
            if wanted.is_some_and(|wanted| *wanted == here.as_ref()) {
                certain.insert(summary.uid);
            }
        }
        if !certain.is_empty() {
            self.remove(&certain).await?;
        }
        Ok(Vec::new())
    }

    async fn remove(&mut self, uids: &UidSet) -> Result<(), Error> {
        self.session
            .store_flags(uids, &FlagChange::adding(posthorn_model::Flag::Deleted))
            .await?;
        if self.session.expunge(uids).await? == Expunged::LeftDeleted {
            log::warn!("The server cannot remove single messages: they stay, marked deleted.");
        }
        Ok(())
    }

    async fn append(&mut self, mailbox: &MailboxRow) -> Result<Vec<Write>, Error> {
        let operation = self.concerned().next().cloned();
        let Some(operation) = operation else {
            return Ok(Vec::new());
        };
        let OperationKind::Append { hash, flags, date } = &operation.kind else {
            return Ok(Vec::new());
        };
        let Some(target) = operation.targets.first() else {
            return Ok(Vec::new());
        };
        if self.doubtful && target.message_id.is_some() {
            let selected = self.session.select(&mailbox.name, Access::Examine, None).await?;
            if let Some(uid) = self.search(target.message_id.as_ref()).await? {
                let arrived = BTreeMap::from([(target.message, uid)]);
                return self.learn(mailbox.id, selected.uid_validity, &arrived).await;
            }
        }
        let hash = hash
            .hash()
            .ok_or_else(|| Error::bug("an upload without its message"))?;
        let raw = self.post.core.store.raw(hash).await?;
        let raw =
            raw.ok_or_else(|| Error::new(ErrorClass::Refused, "the message to upload is no longer here"))?;
        let flags: &Flags = flags;
        let placed = self
            .session
            .append(&mailbox.name, flags, Some(*date), &raw)
            .await?;
        let (uid_validity, uid) = match placed {
            Some((validity, uid)) => (Some(validity), Some(uid)),
            None => {
                let selected = self.session.select(&mailbox.name, Access::Examine, None).await?;
                (
                    selected.uid_validity,
                    self.search(target.message_id.as_ref()).await?,
                )
            }
        };
        let arrived: BTreeMap<MessageId, Uid> = uid.map(|uid| (target.message, uid)).into_iter().collect();
        self.learn(mailbox.id, uid_validity, &arrived).await
    }

    /// The server has done it.
    async fn settle(&mut self, mut writes: Vec<Write>) -> Result<(), Error> {
        let post = self.post;
        let core = &post.core;
        let _local = core.local().await;
        // The user may have changed flags while the answer was on its way: only the base is the server's.
        for write in &mut writes {
            if let Write::SetFlags {
                message,
                mailbox,
                flags,
                ..
            } = write
                && let Some(here) = core.store.placement(*mailbox, *message).await?
            {
                *flags = here.flags;
            }
        }
        // Undone meanwhile: it must not come back.
        let operations = core.store.operations(Some(self.post.id)).await?;
        writes.retain(|write| match write {
            Write::PutOperation(next) => operations.iter().any(|known| known.id == next.id),
            _ => true,
        });
        writes.extend(self.turn.operations.iter().map(|id| Write::RemoveOperation(*id)));
        core.apply(self.post.id, writes, Durability::Normal).await?;
        let done: Vec<OperationId> = self.turn.operations.clone();
        core.clear_where(|topic| matches!(topic, Topic::Operation(_, id) if done.contains(&id)));
        Ok(())
    }

    /// The server refused for good: what was done here is taken back, and the user is told in its words.
    async fn hold(&mut self, error: &Error) -> Result<(), Error> {
        let post = self.post;
        let core = &post.core;
        let _local = core.local().await;
        let mut writes = Vec::new();
        for operation in self.concerned() {
            for target in &operation.targets {
                let here = match &operation.kind {
                    OperationKind::Move { to } | OperationKind::Copy { to } => {
                        core.store.placement(*to, target.message).await?
                    }
                    _ => core.store.placement(operation.mailbox, target.message).await?,
                };
                writes.extend(super::apply::take_back(operation, target, here.as_ref()));
            }
            writes.push(Write::SetOperation {
                id: operation.id,
                state: OperationState::Held,
                tries: operation.tries.saturating_add(1),
                reply: error.message.clone(),
            });
            core.raise(Topic::Operation(self.post.id, operation.id), error);
        }
        core.apply(self.post.id, writes, Durability::Normal).await?;
        Ok(())
    }
}

/// Which message became which UID: COPYUID names the n-th of one list as the n-th of the other. Only what was asked
/// for is believed.
fn pair(copied: &CopyUid, found: &BTreeMap<Uid, MessageId>) -> BTreeMap<MessageId, Uid> {
    if copied.from.len() != copied.to.len() {
        return BTreeMap::new();
    }
    let pairs = copied.from.iter().zip(&copied.to);
    pairs
        .filter_map(|(from, to)| Some((*found.get(from)?, *to)))
        .collect()
}
