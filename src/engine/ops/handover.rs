//! Messages that go to another account: here at once as a message of that account, uploaded there, and removed at
//! their source only once they are safe. Pure.

use posthorn_model::operation::Hash64;
use posthorn_model::{
    Flag, Flags, MailboxId, MessageId, Operation, OperationId, OperationKind, OperationState,
};
use posthorn_store::write::{NewMessage, Write};

use super::apply::{Applier, Back, Placed, Room};
use crate::Error;

impl Applier<'_> {
    pub(super) fn hand_over(
        &mut self,
        mailbox: MailboxId,
        placed: &[&Placed],
        to: MailboxId,
        away: bool,
    ) -> Result<(), Error> {
        let (source, target) = (self.facts.room(mailbox)?.clone(), self.facts.room(to)?.clone());
        for placed in placed {
            let copy = self.facts.copies.get(&placed.message);
            let copy = copy
                .ok_or_else(|| Error::config("a rule cannot move messages to another account"))?
                .clone();
            if placed.hash.is_none() && placed.uid.is_none() {
                return Err(Error::config(
                    "the message is not here as a whole and no server holds it: it cannot be moved",
                ));
            }
            // What a mailbox says of itself does not travel.
            let flags = placed.flags.minus(&Flags::default().with(Flag::Deleted));
            let id = copy.id;
            let append = match self.handed.get(&placed.message) {
                Some(append) => *append,
                None => {
                    self.effect.writes.push(Write::AddMessage(Box::new(copy.clone())));
                    self.effect.writes.push(Write::Place {
                        message: id,
                        mailbox: to,
                        uid: None,
                        flags: flags.clone(),
                        base: flags.clone(),
                    });
                    let append = (!target.local).then(|| self.upload(&target, placed, &copy, flags));
                    self.handed.insert(placed.message, append);
                    append
                }
            };
            let operation = self.ask_handover(&source, placed, id, append, away)?;
            if away {
                self.unplace(placed);
                self.mind_ledger(placed, to);
            }
            let back = Back::Handback {
                copy: id,
                to,
                away,
                uid: placed.uid,
                flags: placed.flags.clone(),
                base: placed.base.clone(),
                hash: placed.hash.map(Hash64::from),
            };
            self.step(operation, placed, back);
        }
        Ok(())
    }

    fn upload(&mut self, target: &Room, placed: &Placed, copy: &NewMessage, flags: Flags) -> OperationId {
        let id = (self.new_id)();
        self.effect.accounts.push(target.account);
        self.effect.writes.push(Write::AddOperation(Box::new(Operation {
            id,
            account: target.account,
            mailbox: target.id,
            uid_validity: None,
            targets: vec![posthorn_model::operation::Target {
                message: copy.id,
                uid: None,
                before: Flags::default(),
                message_id: placed.message_id.clone(),
                size: Some(placed.size),
            }],
            kind: OperationKind::Append {
                hash: placed.hash.map_or_else(Hash64::awaited, Hash64::from),
                flags,
                date: copy.received.unwrap_or_else(|| copy.id.date()),
            },
            state: OperationState::Queued,
            created: self.facts.now,
            intent: self.intent,
            tries: 0,
            reply: String::new(),
        })));
        id
    }

    /// What the source's server is to do: fetch what is missing, then remove the message where it moves away.
    fn ask_handover(
        &mut self,
        source: &Room,
        placed: &Placed,
        copy: MessageId,
        append: Option<OperationId>,
        away: bool,
    ) -> Result<Option<OperationId>, Error> {
        if source.local || !away && placed.hash.is_some() {
            return Ok(None);
        }
        let kind = OperationKind::Handover {
            copy,
            append,
            hash: placed.hash.map(Hash64::from),
            away,
        };
        self.ask(source.id, &[placed], kind)
    }
}

/// The removals that waited for this upload may go ahead: the message is safe on the other server.
#[must_use]
pub fn release(operations: &[Operation], done: &[OperationId]) -> Vec<Operation> {
    let waiting = operations.iter().filter_map(|operation| {
        let OperationKind::Handover {
            append: Some(append),
            copy,
            hash,
            away,
        } = &operation.kind
        else {
            return None;
        };
        done.contains(append).then(|| Operation {
            kind: OperationKind::Handover {
                append: None,
                copy: *copy,
                hash: hash.clone(),
                away: *away,
            },
            ..operation.clone()
        })
    });
    waiting.collect()
}

/// Whether the other account has done its part of this one, or will never do it.
#[must_use]
pub fn is_released(operation: &Operation, all: &[Operation]) -> bool {
    let OperationKind::Handover { append, hash, .. } = &operation.kind else {
        return false;
    };
    let stranded = !stranded(std::slice::from_ref(operation), all).is_empty();
    operation.state != OperationState::Held && (stranded || hash.is_some() && append.is_none())
}

/// Removals whose upload will not be done: refused there, or its account is gone.
#[must_use]
pub fn stranded<'a>(own: &'a [Operation], all: &[Operation]) -> Vec<&'a Operation> {
    let lost = own.iter().filter(|operation| {
        let OperationKind::Handover {
            append: Some(append), ..
        } = &operation.kind
        else {
            return false;
        };
        let upload = all.iter().find(|upload| upload.id == *append);
        operation.state != OperationState::Held
            && upload.is_none_or(|upload| upload.state == OperationState::Held)
    });
    lost.collect()
}
