//! Pushes operations to an IMAP server, one turn at a time, each marked before it is sent and settled after.

mod handover;
mod mailbox;
mod message;
mod upload;

use std::collections::{BTreeMap, BTreeSet};

use posthorn_model::operation::Target;
use posthorn_model::{
    AccountId, ErrorClass, MailboxId, MessageId, Operation, OperationId, OperationKind, OperationState, Uid,
    UidSet, UidValidity,
};
use posthorn_net::imap::{Access, Session};
use posthorn_store::write::Write;
use posthorn_store::{Durability, MailboxRow};

use self::message::is_same;
use super::left;
use super::queue::{self, Aim, Turn, Work};
use crate::Error;
use crate::account::Post;
use crate::event::Doing;
use crate::problem::Topic;
use crate::shared::Core;

/// So many messages that a search has found are none: they are not asked what they are.
const MANY: u64 = 200;

/// Sends everything that waits, oldest first.
///
/// # Errors
/// Where the connection fails: what was under way is looked at again. A refusal holds the operation instead.
pub async fn push(post: &Post, session: &mut Session) -> Result<(), Error> {
    handover::hold_stranded(post).await?;
    let mut done = 0;
    let mut later = Later::default();
    while let Some(begun) = begin(post, &later).await? {
        post.core
            .progress(post.id, Doing::Operations, done, begun.operations.len() as u64);
        done += begun.turn.operations.len() as u64;
        let mut run = Run {
            post,
            session,
            operations: &begun.operations,
            turn: &begun.turn,
            doubtful: begun.doubtful,
            unknown: false,
        };
        match run.carry_out().await {
            Ok(_) if run.unknown => later.put_off(post, &begun).await?,
            Ok(writes) => run.settle(writes).await?,
            Err(error) if holds(&error) => run.hold(&error).await?,
            Err(error) => return Err(error),
        }
    }
    left::tell(post).await
}

/// What must wait until the next look at its mailbox: the UIDs' generation has changed, and which message is which
/// is not known yet.
#[derive(Default)]
struct Later {
    mailboxes: BTreeSet<MailboxId>,
    messages: BTreeSet<MessageId>,
}

impl Later {
    fn concerns(&self, operation: &Operation) -> bool {
        let mut targets = operation.targets.iter();
        self.mailboxes.contains(&operation.mailbox)
            || targets.any(|target| self.messages.contains(&target.message))
    }

    async fn put_off(&mut self, post: &Post, begun: &Begun) -> Result<(), Error> {
        self.mailboxes.insert(begun.turn.mailbox);
        let concerned = begun
            .operations
            .iter()
            .filter(|operation| begun.turn.operations.contains(&operation.id));
        let mut writes = Vec::new();
        for operation in concerned {
            self.messages
                .extend(operation.targets.iter().map(|target| target.message));
            // As it was: nothing of it has been sent.
            writes.push(Write::SetOperation {
                id: operation.id,
                state: operation.state,
                tries: operation.tries,
                reply: operation.reply.clone(),
            });
        }
        post.core.apply(post.id, writes, Durability::Normal).await?;
        Ok(())
    }
}

/// A turn that is marked as handed to the server.
struct Begun {
    operations: Vec<Operation>,
    turn: Turn,
    doubtful: bool,
}

/// Takes the next turn and marks it, with nobody in between: what the user takes back is either cancelled before or
/// known to be under way.
async fn begin(post: &Post, later: &Later) -> Result<Option<Begun>, Error> {
    let core = &post.core;
    let _local = core.local().await;
    let mut operations = core.store.operations(Some(post.id)).await?;
    operations.retain(|operation| !later.concerns(operation));
    let Some(turn) = queue::next_turn(&operations) else {
        return Ok(None);
    };
    let concerned = || {
        operations
            .iter()
            .filter(|operation| turn.operations.contains(&operation.id))
    };
    let doubtful = concerned().any(|operation| operation.state == OperationState::Sent);
    // Fetching changes nothing on the server.
    if turn.work != Work::Fetch {
        let marks = concerned().map(|operation| Write::SetOperation {
            id: operation.id,
            state: OperationState::Sent,
            tries: operation.tries.saturating_add(1),
            reply: operation.reply.clone(),
        });
        // What must not happen twice has to be known after a power cut as well.
        let durability = match turn.work {
            Work::Flags(_) | Work::Expunge { .. } => Durability::Normal,
            _ => Durability::Full,
        };
        core.apply(post.id, marks.collect(), durability).await?;
    }
    Ok(Some(Begun {
        turn,
        doubtful,
        operations,
    }))
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
    /// Which message is which is not known before the next look at the mailbox: nothing was sent.
    unknown: bool,
}

impl Run<'_> {
    fn concerned(&self) -> impl Iterator<Item = &Operation> {
        self.operations
            .iter()
            .filter(|operation| self.turn.operations.contains(&operation.id))
    }

    /// Does the work; returns what is to be written with its end.
    async fn carry_out(&mut self) -> Result<Vec<Write>, Error> {
        if self.turn.work == Work::Mailbox {
            return self.change_mailbox().await;
        }
        let mailbox = self.mailbox(self.turn.mailbox).await?;
        if self.turn.work == Work::Append {
            return self.append(&mailbox).await;
        }
        let selected = self.session.select(&mailbox.name, Access::Write, None).await?;
        let turn = self.turn;
        match &turn.work {
            Work::Flags(groups) => {
                let mut writes = Vec::new();
                for (change, aims) in groups {
                    writes.extend(self.set_flags(&mailbox, &selected, change, aims).await?);
                }
                Ok(writes)
            }
            Work::Move { to, aims } => self.relocate(&selected, *to, aims, true).await,
            Work::Copy { to, aims } => self.relocate(&selected, *to, aims, false).await,
            Work::Expunge { aims } => self.expunge(&selected, aims).await,
            Work::Release { aims } => self.release(&selected, aims).await,
            Work::Sweep { aims } => self.sweep(&selected, aims).await,
            Work::Fetch => self.fetch_for_handover(&mailbox, &selected).await,
            Work::Append | Work::Mailbox => Ok(Vec::new()),
        }
    }

    /// The mailbox under the name by which the server knows it now.
    async fn mailbox(&mut self, id: MailboxId) -> Result<MailboxRow, Error> {
        let post = self.post;
        let core = &post.core;
        let _local = core.local().await;
        let row = core.store.mailbox(id).await?;
        let mut row = row.ok_or_else(|| Error::new(ErrorClass::Refused, "the mailbox is no longer there"))?;
        let mut operations = core.store.operations(Some(post.id)).await?;
        operations.retain(|operation| !self.turn.operations.contains(&operation.id));
        row.name = super::mailbox::server_name(&row, &operations);
        Ok(row)
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
        let state = self.post.core.store.sync_state(mailbox).await?;
        let current = state.is_some_and(|state| Some(state.uid_validity) == validity);
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
            if let Some(uid) = placement
                .as_ref()
                .and_then(|placement| placement.uid)
                .filter(|_| current)
            {
                found.insert(uid, target.message);
            } else if let Some(uid) = self.search(target).await? {
                found.insert(uid, target.message);
            } else if state.is_some() && !current && placement.is_some() {
                self.unknown = true;
            }
        }
        if self.unknown {
            found.clear();
        }
        Ok(found)
    }

    /// The one message with the target's Message-ID in the selected mailbox; several are none. A search finds what
    /// contains it (RFC 9051 section 6.4.4), such as `<10@example.org>` for `0@example.org`: each is asked what it is.
    async fn search(&mut self, target: &Target) -> Result<Option<Uid>, Error> {
        let Some(id) = &target.message_id else {
            return Ok(None);
        };
        let found = match self.session.find_message_id(&id.0).await {
            Ok(found) => found,
            Err(error) if error.permanent => return Ok(None),
            Err(error) => return Err(error.into()),
        };
        if found.is_empty() || found.len() > MANY {
            return Ok(None);
        }
        let mut same = UidSet::default();
        self.session
            .fetch_identities(&found, &mut |identity| {
                if found.contains(identity.uid) && is_same(target, &identity) {
                    same.insert(identity.uid);
                }
            })
            .await?;
        Ok(same.iter().next().filter(|_| same.len() == 1))
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
        let operations = core.store.operations(None).await?;
        writes.retain(|write| match write {
            Write::PutOperation(next) => operations.iter().any(|known| known.id == next.id),
            _ => true,
        });
        // What goes on in another way stays in the queue.
        let done: Vec<OperationId> = self
            .turn
            .operations
            .iter()
            .copied()
            .filter(|id| {
                !writes
                    .iter()
                    .any(|write| matches!(write, Write::PutOperation(next) if next.id == *id))
            })
            .collect();
        writes.extend(done.iter().map(|id| Write::RemoveOperation(*id)));
        let released = super::handover::release(&operations, &done);
        let mut others: Vec<AccountId> = released.iter().map(|operation| operation.account).collect();
        writes.extend(
            released
                .into_iter()
                .map(|operation| Write::PutOperation(Box::new(operation))),
        );
        let durability = match self.turn.work {
            // It lets something be removed elsewhere.
            Work::Append | Work::Fetch => Durability::Full,
            _ => Durability::Normal,
        };
        others.extend(writes.iter().filter_map(|write| match write {
            Write::PutOperation(next) if next.account != post.id => Some(next.account),
            _ => None,
        }));
        core.apply(post.id, writes, durability).await?;
        core.clear_where(|topic| matches!(topic, Topic::Operation(_, id) if done.contains(&id)));
        for account in others {
            core.nudge(account);
        }
        Ok(())
    }

    /// The server refused for good: what was done here is taken back, and the user is told in its words.
    async fn hold(&mut self, error: &Error) -> Result<(), Error> {
        if self.turn.work == Work::Mailbox {
            return self.hold_mailbox(error).await;
        }
        let post = self.post;
        let core = &post.core;
        let _local = core.local().await;
        let error = self.name_place(error).await?;
        let mut writes = Vec::new();
        for operation in self.concerned() {
            writes.extend(take_back(core, operation).await?);
            writes.push(held(operation, &error));
            core.raise(Topic::Operation(post.id, operation.id), &error);
        }
        core.apply(post.id, writes, Durability::Normal).await?;
        // A removal elsewhere may wait for what will not be done.
        for account in core.account_ids().into_iter().filter(|id| *id != post.id) {
            core.nudge(account);
        }
        Ok(())
    }

    /// The error with the mailbox that it is about: the one that was to take the messages, where there is one.
    async fn name_place(&mut self, error: &Error) -> Result<Error, Error> {
        let place = match &self.turn.work {
            Work::Move { to, .. } | Work::Copy { to, .. } => *to,
            _ => self.turn.mailbox,
        };
        let row = self.post.core.store.mailbox(place).await?;
        let path = row.map_or_else(String::new, |row| format!("{}: ", row.name.path));
        Ok(Error {
            message: format!("{path}{}", error.message),
            ..error.clone()
        })
    }
}

/// Writes that take a refused operation's messages back here.
async fn take_back(core: &Core, operation: &Operation) -> Result<Vec<Write>, Error> {
    let mut writes = Vec::new();
    let state = core.store.sync_state(operation.mailbox).await?;
    let lasts = state.is_some_and(|state| Some(state.uid_validity) == operation.uid_validity);
    for target in &operation.targets {
        // Under another UIDVALIDITY the UID names another message.
        let target = &Target {
            uid: target.uid.filter(|_| lasts),
            ..target.clone()
        };
        let here = match &operation.kind {
            OperationKind::Move { to } | OperationKind::Copy { to } => {
                core.store.placement(*to, target.message).await?
            }
            _ => core.store.placement(operation.mailbox, target.message).await?,
        };
        writes.extend(super::apply::take_back(operation, target, here.as_ref()));
    }
    if let OperationKind::Handover {
        copy, append, hash, ..
    } = &operation.kind
        && (append.is_some() || hash.is_none())
    {
        writes.extend(append.map(Write::RemoveOperation));
        let placements = core.store.placements_of(*copy).await?;
        writes.extend(placements.into_iter().map(|placement| Write::Unplace {
            message: placement.message,
            mailbox: placement.mailbox,
        }));
    }
    Ok(writes)
}

fn held(operation: &Operation, error: &Error) -> Write {
    Write::SetOperation {
        id: operation.id,
        state: OperationState::Held,
        tries: operation.tries.saturating_add(1),
        reply: error.message.clone(),
    }
}
