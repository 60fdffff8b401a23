//! Takes an intent back. Where the server has not heard of it, the pair is cancelled and it never will; where it
//! has, the inverse goes the same way as any wish.

use std::collections::{BTreeMap, BTreeSet};

use posthorn_model::operation::{Hash64, Target};
use posthorn_model::{
    AccountId, Flags, InternetMessageId, MailboxId, MessageId, Operation, OperationId, OperationKind,
    OperationState, Placement, SpecialUse, UidValidity,
};
use posthorn_store::Durability;
use posthorn_store::write::Write;

use super::apply::{Back, Intent, Room, Step, unwanted};
use super::wish::{Outcome, UNDO, gather};
use crate::Error;
use crate::command::{Receipt, Selection};
use crate::shared::Core;

/// # Errors
/// `Config` where there is nothing to take back.
pub async fn take_back(core: &Core, intent: Option<i64>) -> Result<Outcome, Error> {
    let _local = core.local().await;
    let settings = core.store.settings().await?;
    let wanted = intent.map(|id| format!("{UNDO}{id:020}"));
    let found = settings
        .iter()
        .rev()
        .find(|(key, _)| key.starts_with(UNDO) && wanted.as_ref().is_none_or(|wanted| wanted == *key));
    let (key, text) = found.ok_or_else(|| Error::config("there is nothing to take back"))?;
    let record: Intent = serde_json::from_str(text)
        .map_err(|error| Error::bug(format!("the way back cannot be read: {error}")))?;
    let messages = record.steps.iter().map(|step| step.message).collect();
    let selection = Selection {
        messages,
        mailbox: None,
    };
    let facts = gather(core, &selection, None).await?;
    let operations = core.store.operations(None).await?;
    let mut way = Way {
        core,
        rooms: &facts.rooms,
        operations: &operations,
        intent: record.id,
        writes: vec![Write::PutSetting {
            key: key.clone(),
            value: None,
        }],
        inverse: BTreeMap::new(),
        cancelled: Vec::new(),
        returned: BTreeMap::new(),
        revived: BTreeMap::new(),
        touched: Vec::new(),
        messages: 0,
    };
    way.mailboxes_back(&record).await?;
    for step in record.steps.iter().rev() {
        way.take(step).await?;
    }
    let given_back: BTreeSet<MessageId> = record
        .steps
        .iter()
        .filter(|step| way.takes_removal_back(step))
        .map(|step| step.message)
        .collect();
    let ledger = facts
        .ledger
        .iter()
        .filter(|(message, _)| given_back.contains(message));
    for (account, row, _) in ledger.flat_map(|(_, rows)| rows) {
        if let Some(row) = unwanted(row, facts.now) {
            way.writes.push(Write::PutLedger {
                account: *account,
                row: Box::new(row),
            });
        }
    }
    way.finish().await
}

/// One operation to send for the way back: mailbox, kind, and whether it follows one that is being sent.
#[derive(Clone, Debug, PartialEq, Eq, PartialOrd, Ord)]
struct Inverse {
    mailbox: MailboxId,
    kind: String,
}

struct Way<'a> {
    core: &'a Core,
    rooms: &'a BTreeMap<MailboxId, Room>,
    operations: &'a [Operation],
    intent: i64,
    writes: Vec<Write>,
    inverse: BTreeMap<Inverse, (OperationKind, Vec<Target>)>,
    cancelled: Vec<OperationId>,
    /// Where earlier steps of this way back have put messages.
    returned: BTreeMap<(MailboxId, MessageId), Placement>,
    /// Messages that this way back makes anew, with their Message-ID and size: the store does not know them yet.
    revived: BTreeMap<MessageId, (Option<InternetMessageId>, u64)>,
    touched: Vec<AccountId>,
    messages: usize,
}

impl Way<'_> {
    /// Mailboxes first: messages cannot go back into one that is not there.
    async fn mailboxes_back(&mut self, record: &Intent) -> Result<(), Error> {
        let core = self.core;
        let accounts: BTreeSet<AccountId> = record.mailboxes.iter().map(|step| step.account).collect();
        for account in accounts {
            let facts = super::housekeeping::load(core, account, record.id).await?;
            for step in record
                .mailboxes
                .iter()
                .rev()
                .filter(|step| step.account == account)
            {
                let plan = facts.take_back(step, &mut || core.store.new_operation_id())?;
                self.writes.extend(plan.writes);
                self.touched.push(account);
            }
        }
        Ok(())
    }

    /// Whether the step was what a maildrop's policy takes for a removal: out of the inbox, into the trash, or for
    /// good. A star that is taken back, or a way from one archive to another, leaves an earlier removal as it is.
    fn takes_removal_back(&self, step: &Step) -> bool {
        let purpose = |id: &MailboxId| self.rooms.get(id).and_then(|room| room.special_use);
        match (&step.back, purpose(&step.mailbox)) {
            (Back::Flags { .. } | Back::Uncopy { .. } | Back::Label { .. }, _)
            | (_, Some(SpecialUse::Trash)) => false,
            (_, Some(SpecialUse::Inbox)) | (Back::Restore { .. }, _) => true,
            (Back::Move { to, .. } | Back::Handback { to, .. }, _) => purpose(to) == Some(SpecialUse::Trash),
        }
    }

    async fn take(&mut self, step: &Step) -> Result<(), Error> {
        let operation = step
            .operation
            .and_then(|id| self.operations.iter().find(|operation| operation.id == id));
        if operation.is_some_and(|operation| operation.state == OperationState::Held) {
            // Its inverse was applied when the server refused it.
            self.cancel(step.operation);
            return Ok(());
        }
        let unheard = step.operation.is_none()
            || operation
                .is_some_and(|operation| operation.state == OperationState::Queued && operation.tries == 0);
        // Under another UIDVALIDITY the UID names another message: the next pass finds this one.
        let room = self.rooms.get(&step.mailbox);
        let lasts = operation
            .is_none_or(|operation| room.is_some_and(|room| room.uid_validity == operation.uid_validity));
        let store = &self.core.store;
        let here = match &step.back {
            Back::Move { to, .. } | Back::Uncopy { to } => store.placement(*to, step.message).await?,
            Back::Flags { .. } | Back::Restore { .. }
                if self.returned.contains_key(&(step.mailbox, step.message)) =>
            {
                self.returned.get(&(step.mailbox, step.message)).cloned()
            }
            Back::Flags { .. } | Back::Restore { .. } => store.placement(step.mailbox, step.message).await?,
            Back::Handback { copy, to, .. } => store.placement(*to, *copy).await?,
            Back::Label { again, .. } => match again {
                Some(again) => store.placement(*again, step.message).await?,
                None => None,
            },
        };
        let done = match &step.back {
            Back::Flags { change } => self.flags_back(step, here, change, unheard),
            Back::Move { to, uid, flags, base } => {
                let origin = unheard.then(|| (uid.filter(|_| lasts), flags.clone(), base.clone()));
                self.move_back(step, *to, here, origin)
            }
            // Another program may have taken the original away meanwhile, or brought it there itself.
            Back::Uncopy { to } if !unheard && self.is_last(step.message, *to).await? => false,
            Back::Uncopy { to } => self.uncopy(step, *to, here, unheard),
            Back::Label { uid, flags, base, .. } => {
                let placement = Placement {
                    message: step.message,
                    mailbox: step.mailbox,
                    uid: uid.filter(|_| unheard && lasts),
                    flags: flags.clone(),
                    base: base.clone(),
                };
                self.label_again(placement, here, unheard)
            }
            Back::Restore {
                uid,
                flags,
                base,
                hash,
            } => {
                let placement = Placement {
                    message: step.message,
                    mailbox: step.mailbox,
                    uid: uid.filter(|_| unheard && lasts),
                    flags: flags.clone(),
                    base: base.clone(),
                };
                self.restore(step, placement, hash.as_ref(), unheard).await?
            }
            Back::Handback { .. } => self.hand_back(step, here, unheard, lasts).await?,
        };
        if done {
            self.messages += 1;
            if unheard {
                self.cancel(step.operation);
            }
            if let Some(room) = self.rooms.get(&step.mailbox) {
                self.touched.push(room.account);
            }
        }
        Ok(())
    }

    fn cancel(&mut self, operation: Option<OperationId>) {
        if let Some(id) = operation.filter(|id| !self.cancelled.contains(id)) {
            self.cancelled.push(id);
            self.writes.push(Write::RemoveOperation(id));
        }
    }

    fn flags_back(
        &mut self,
        step: &Step,
        here: Option<Placement>,
        change: &posthorn_model::FlagChange,
        unheard: bool,
    ) -> bool {
        let Some(here) = here else {
            return false;
        };
        self.writes.push(Write::ChangeFlags {
            message: step.message,
            mailbox: step.mailbox,
            change: change.clone(),
        });
        if !unheard {
            let kind = OperationKind::SetFlags {
                change: change.clone(),
            };
            self.send(step.mailbox, kind, &here);
        }
        true
    }

    fn move_back(
        &mut self,
        step: &Step,
        to: MailboxId,
        here: Option<Placement>,
        origin: Option<(Option<posthorn_model::Uid>, Flags, Flags)>,
    ) -> bool {
        let Some(here) = here else {
            return false;
        };
        let unheard = origin.is_some();
        let (uid, flags, base) = origin.unwrap_or_else(|| (None, here.flags.clone(), here.flags.clone()));
        let returned = Placement {
            message: step.message,
            mailbox: step.mailbox,
            uid,
            flags,
            base,
        };
        self.writes.push(Write::Place {
            message: step.message,
            mailbox: step.mailbox,
            uid,
            flags: returned.flags.clone(),
            base: returned.base.clone(),
        });
        self.returned.insert((step.mailbox, step.message), returned);
        self.writes.push(Write::Unplace {
            message: step.message,
            mailbox: to,
        });
        if !unheard {
            self.send(to, OperationKind::Move { to: step.mailbox }, &here);
        }
        true
    }

    /// As it was, where the server has not heard of it; else the label goes on again by a copy of what stands elsewhere.
    fn label_again(&mut self, placement: Placement, here: Option<Placement>, unheard: bool) -> bool {
        if !unheard {
            let Some(here) = here else {
                return false;
            };
            let to = placement.mailbox;
            self.send(here.mailbox, OperationKind::Copy { to }, &here);
        }
        self.writes.push(Write::Place {
            message: placement.message,
            mailbox: placement.mailbox,
            uid: placement.uid,
            flags: placement.flags,
            base: placement.base,
        });
        true
    }

    /// Whether the message stands nowhere but there.
    async fn is_last(&self, message: MessageId, mailbox: MailboxId) -> Result<bool, Error> {
        let placements = self.core.store.placements_of(message).await?;
        Ok(placements.iter().all(|placement| placement.mailbox == mailbox))
    }

    fn uncopy(&mut self, step: &Step, to: MailboxId, here: Option<Placement>, unheard: bool) -> bool {
        let Some(here) = here else {
            return false;
        };
        self.writes.push(Write::Unplace {
            message: step.message,
            mailbox: to,
        });
        if !unheard {
            self.send(to, OperationKind::Expunge, &here);
        }
        true
    }

    /// What was removed for good comes back from its raw bytes; without them, the next sync brings it where the
    /// server still has it.
    async fn restore(
        &mut self,
        step: &Step,
        placement: Placement,
        hash: Option<&Hash64>,
        unheard: bool,
    ) -> Result<bool, Error> {
        let core = self.core;
        let Some(room) = self.rooms.get(&step.mailbox).cloned() else {
            return Ok(false);
        };
        let mut message = step.message;
        let hash = hash.and_then(Hash64::hash);
        if core.store.message(message).await?.is_none() {
            let raw = match hash {
                Some(hash) => core.store.raw(hash).await?,
                None => None,
            };
            let (Some(hash), Some(raw)) = (hash, raw) else {
                self.writes.push(Write::SetSyncState {
                    mailbox: step.mailbox,
                    state: room
                        .uid_validity
                        .map(|validity| crate::imap::plan::unfinished(validity, 1)),
                });
                return Ok(unheard);
            };
            let size = raw.len() as u64;
            let parsed = posthorn_mime::parse(&raw);
            let new = crate::intake::build_message(&core.store, room.account, hash, size, parsed, None);
            message = new.id;
            self.revived
                .insert(message, (new.envelope.message_id.clone(), size));
            self.writes.push(Write::AddMessage(Box::new(new)));
        }
        self.writes.push(Write::Place {
            message,
            mailbox: step.mailbox,
            uid: placement.uid,
            flags: placement.flags.clone(),
            base: placement.base.clone(),
        });
        if let Some(hash) = hash.filter(|_| !unheard && !room.local) {
            let kind = OperationKind::Append {
                hash: hash.into(),
                flags: placement.flags.clone(),
                date: message.date(),
            };
            let here = Placement {
                message,
                uid: None,
                ..placement
            };
            self.send(step.mailbox, kind, &here);
        }
        Ok(true)
    }

    /// The source gets the message back, unless it kept it; the copy in the other account goes.
    async fn hand_back(
        &mut self,
        step: &Step,
        here: Option<Placement>,
        unheard: bool,
        lasts: bool,
    ) -> Result<bool, Error> {
        let Back::Handback {
            copy,
            to,
            away,
            uid,
            flags,
            base,
            hash,
        } = &step.back
        else {
            return Ok(false);
        };
        let record = self.core.store.message(*copy).await?;
        let hash = hash.clone().or_else(|| Some(record.as_ref()?.hash?.into()));
        if *away {
            if !unheard && hash.is_none() {
                // Only the other server has it whole: it must stay there.
                return Ok(false);
            }
            let placement = Placement {
                message: step.message,
                mailbox: step.mailbox,
                uid: uid.filter(|_| unheard && lasts),
                flags: flags.clone(),
                base: base.clone(),
            };
            self.restore(step, placement, hash.as_ref(), unheard).await?;
        }
        let Some(here) = here else {
            return Ok(*away);
        };
        let upload = self.operations.iter().find(|operation| {
            operation.mailbox == *to
                && matches!(operation.kind, OperationKind::Append { .. })
                && operation.targets.iter().any(|target| target.message == *copy)
        });
        let unsent = upload.filter(|upload| upload.is_unheard() || upload.state == OperationState::Held);
        self.writes.push(Write::Unplace {
            message: *copy,
            mailbox: *to,
        });
        match unsent {
            Some(upload) => self.cancel(Some(upload.id)),
            None => self.send(*to, OperationKind::Expunge, &here),
        }
        if let Some(room) = self.rooms.get(to) {
            self.touched.push(room.account);
        }
        Ok(true)
    }

    fn send(&mut self, mailbox: MailboxId, kind: OperationKind, here: &Placement) {
        if self.rooms.get(&mailbox).is_none_or(|room| room.local) {
            return;
        }
        let append = matches!(kind, OperationKind::Append { .. });
        let tag = format!("{kind:?}{}", if append { here.message.0 } else { 0 });
        let (_, targets) = self
            .inverse
            .entry(Inverse { mailbox, kind: tag })
            .or_insert_with(|| (kind, Vec::new()));
        targets.push(Target {
            message: here.message,
            uid: here.uid,
            before: here.flags.clone(),
            message_id: None,
            size: None,
        });
    }

    async fn finish(mut self) -> Result<Outcome, Error> {
        for (inverse, (kind, mut targets)) in std::mem::take(&mut self.inverse) {
            let Some(room) = self.rooms.get(&inverse.mailbox) else {
                continue;
            };
            for target in &mut targets {
                if let Some((message_id, size)) = self.revived.get(&target.message).cloned() {
                    (target.message_id, target.size) = (message_id, Some(size));
                } else if let Some(record) = self.core.store.message(target.message).await? {
                    (target.message_id, target.size) = (record.envelope.message_id, Some(record.size));
                }
            }
            self.touched.push(room.account);
            self.writes.push(Write::AddOperation(Box::new(Operation {
                id: self.core.store.new_operation_id(),
                account: room.account,
                mailbox: inverse.mailbox,
                uid_validity: known_validity(room, &targets),
                targets,
                kind,
                state: OperationState::Queued,
                created: self.core.now(),
                intent: self.intent,
                tries: 0,
                reply: String::new(),
            })));
        }
        self.touched.sort_unstable();
        self.touched.dedup();
        let account = self.touched.first().copied().unwrap_or(AccountId(0));
        self.core.apply(account, self.writes, Durability::Full).await?;
        Ok(Outcome {
            receipt: Receipt {
                intent: None,
                messages: self.messages,
                ..Receipt::default()
            },
            wake: self.touched,
            ..Outcome::default()
        })
    }
}

fn known_validity(room: &Room, targets: &[Target]) -> Option<UidValidity> {
    room.uid_validity
        .filter(|_| targets.iter().any(|target| target.uid.is_some()))
}
