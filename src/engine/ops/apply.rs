//! What a wish does here at once, what it asks of the server, and the way back: one list of writes for one
//! transaction. Pure.

mod label;

use std::collections::{BTreeMap, BTreeSet};

use posthorn_model::operation::{Hash64, Target};
use posthorn_model::{
    AccountId, FlagChange, Flags, Hash, InternetMessageId, LeaveOnServer, LedgerRow, LedgerState, MailboxId,
    MessageId, Operation, OperationId, OperationKind, OperationState, SpecialUse, Timestamp, Uid,
    UidValidity,
};
use posthorn_store::MailboxRow;
use posthorn_store::write::{NewMessage, Write};
use serde::{Deserialize, Serialize};

use crate::Error;
use crate::pop3::plan::REMOVED_HERE;

/// A message in a mailbox, as far as a wish needs to know it.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Placed {
    pub message: MessageId,
    pub mailbox: MailboxId,
    pub uid: Option<Uid>,
    pub flags: Flags,
    pub base: Flags,
    pub message_id: Option<InternetMessageId>,
    /// `Some` where the whole message is here.
    pub hash: Option<Hash>,
    pub size: u64,
}

/// A mailbox, as far as a wish needs to know it.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Room {
    pub id: MailboxId,
    pub account: AccountId,
    pub special_use: Option<SpecialUse>,
    pub selectable: bool,
    /// On no server: nothing is sent for what happens in it.
    pub local: bool,
    pub uid_validity: Option<UidValidity>,
}

impl From<&MailboxRow> for Room {
    fn from(row: &MailboxRow) -> Self {
        Self {
            id: row.id,
            account: row.account,
            special_use: row.special_use,
            selectable: row.selectable,
            local: row.local,
            uid_validity: row.sync.map(|state| state.uid_validity),
        }
    }
}

/// What a wish works on.
#[derive(Clone, Debug, Default)]
pub struct Facts {
    pub placed: Vec<Placed>,
    /// Accounts whose mailboxes are labels (X-GM-EXT-1).
    pub labelled: BTreeSet<AccountId>,
    /// Places where the server has these messages, chosen or not.
    pub standing: BTreeSet<(MessageId, MailboxId)>,
    /// Where else messages of such accounts stand.
    pub beside: Vec<Placed>,
    pub rooms: BTreeMap<MailboxId, Room>,
    /// Ledger rows of POP3 messages among them, with their account's policy: a message may have several UIDLs.
    pub ledger: BTreeMap<MessageId, Vec<(AccountId, LedgerRow, LeaveOnServer)>>,
    /// Uploads that the server has not heard of: (message, mailbox) → operation.
    pub uploads: BTreeMap<(MessageId, MailboxId), OperationId>,
    /// What messages become in another account, where they go there.
    pub copies: BTreeMap<MessageId, NewMessage>,
    pub now: Timestamp,
}

impl Facts {
    pub(super) fn room(&self, id: MailboxId) -> Result<&Room, Error> {
        let room = self.rooms.get(&id);
        room.ok_or_else(|| Error::config("there is no such mailbox"))
    }

    /// The account's mailbox for a purpose.
    #[must_use]
    pub fn purpose(&self, account: AccountId, purpose: SpecialUse) -> Option<MailboxId> {
        let fits =
            |room: &&Room| room.account == account && room.special_use == Some(purpose) && room.selectable;
        self.rooms.values().find(fits).map(|room| room.id)
    }
}

/// One step back.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct Step {
    /// What the server was to do; `None` where nothing was sent.
    pub operation: Option<OperationId>,
    pub message: MessageId,
    pub mailbox: MailboxId,
    pub back: Back,
}

/// How a step is taken back.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "kebab-case", tag = "back")]
pub enum Back {
    Flags {
        change: FlagChange,
    },
    Move {
        to: MailboxId,
        uid: Option<Uid>,
        flags: Flags,
        base: Flags,
    },
    Uncopy {
        to: MailboxId,
    },
    /// A label is put on again, from where the message still stands; without that the server does it by itself, once
    /// the message is back.
    Label {
        again: Option<MailboxId>,
        uid: Option<Uid>,
        flags: Flags,
        base: Flags,
    },
    Restore {
        uid: Option<Uid>,
        flags: Flags,
        base: Flags,
        hash: Option<Hash64>,
    },
    /// Handed to another account, where `copy` stands for it in `to`.
    Handback {
        copy: MessageId,
        to: MailboxId,
        away: bool,
        uid: Option<Uid>,
        flags: Flags,
        base: Flags,
        hash: Option<Hash64>,
    },
}

/// An intent as it is remembered for undo.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct Intent {
    pub id: i64,
    pub at: Timestamp,
    pub steps: Vec<Step>,
    /// What became of mailboxes, before the messages in them can be put back.
    #[serde(default)]
    pub mailboxes: Vec<super::mailbox::Step>,
}

/// What a wish does.
#[derive(Clone, Debug, Default)]
pub struct Effect {
    pub writes: Vec<Write>,
    pub steps: Vec<Step>,
    pub mailboxes: Vec<super::mailbox::Step>,
    /// Accounts whose server is to hear of it.
    pub accounts: Vec<AccountId>,
    pub messages: usize,
}

/// Hands out operation ids.
pub type NewId<'a> = dyn FnMut() -> OperationId + 'a;

/// Builds effects of one intent.
pub struct Applier<'a> {
    pub facts: &'a Facts,
    pub intent: i64,
    pub new_id: &'a mut NewId<'a>,
    pub(super) effect: Effect,
    /// Messages that this intent has handed to another account, with their uploads.
    pub(super) handed: BTreeMap<MessageId, Option<OperationId>>,
    /// Messages with labels for which this intent has done all there is to do.
    settled: BTreeSet<MessageId>,
    /// Places that this intent has taken messages from.
    left: BTreeSet<(MessageId, MailboxId)>,
}

impl<'a> Applier<'a> {
    pub fn new(facts: &'a Facts, intent: i64, new_id: &'a mut NewId<'a>) -> Self {
        Self {
            facts,
            intent,
            new_id,
            effect: Effect::default(),
            handed: BTreeMap::new(),
            settled: BTreeSet::new(),
            left: BTreeSet::new(),
        }
    }

    #[must_use]
    pub fn finish(mut self) -> Effect {
        let mut messages: Vec<MessageId> = self.effect.steps.iter().map(|step| step.message).collect();
        messages.sort_unstable();
        messages.dedup();
        self.effect.messages = messages.len();
        self.effect.accounts.sort_unstable();
        self.effect.accounts.dedup();
        self.effect
    }

    /// # Errors
    /// `Config` for a mailbox that is not there.
    pub fn flag(&mut self, change: &FlagChange) -> Result<(), Error> {
        for (mailbox, placed) in self.by_mailbox() {
            let changing: Vec<&Placed> = placed
                .into_iter()
                .filter(|placed| change.apply(&placed.flags) != placed.flags)
                .collect();
            let kind = OperationKind::SetFlags {
                change: change.clone(),
            };
            let operation = self.ask(mailbox, &changing, kind)?;
            for placed in changing {
                self.effect.writes.push(Write::ChangeFlags {
                    message: placed.message,
                    mailbox,
                    change: change.clone(),
                });
                let back = Back::Flags {
                    change: change.apply(&placed.flags).change_to(&placed.flags),
                };
                self.step(operation, placed, back);
            }
        }
        Ok(())
    }

    /// # Errors
    /// `Config` where the target cannot hold messages.
    pub fn move_to(&mut self, to: MailboxId) -> Result<(), Error> {
        for (mailbox, placed) in self.by_mailbox() {
            if mailbox != to {
                self.move_some(mailbox, &placed, to)?;
            }
        }
        Ok(())
    }

    fn move_some(&mut self, mailbox: MailboxId, placed: &[&'a Placed], to: MailboxId) -> Result<(), Error> {
        if !self.same_account(mailbox, to)? {
            return self.hand_over(mailbox, placed, to, true);
        }
        if self.is_labelled(self.facts.room(to)?.account) {
            return self.relabel(mailbox, placed, to);
        }
        let operation = self.ask(mailbox, placed, OperationKind::Move { to })?;
        for placed in placed {
            self.place(placed, to);
            self.unplace(placed);
            self.mind_ledger(placed, to);
            let back = Back::Move {
                to,
                uid: placed.uid,
                flags: placed.flags.clone(),
                base: placed.base.clone(),
            };
            self.step(operation, placed, back);
        }
        Ok(())
    }

    /// # Errors
    /// As [`Applier::move_to`].
    pub fn copy_to(&mut self, to: MailboxId) -> Result<(), Error> {
        let already: Vec<MessageId> = self
            .facts
            .placed
            .iter()
            .filter(|placed| placed.mailbox == to)
            .map(|placed| placed.message)
            .collect();
        let mut done = already;
        for (mailbox, placed) in self.by_mailbox() {
            if mailbox == to {
                continue;
            }
            let fresh: Vec<&Placed> = placed
                .into_iter()
                .filter(|placed| !done.contains(&placed.message))
                .collect();
            if !self.same_account(mailbox, to)? {
                done.extend(fresh.iter().map(|placed| placed.message));
                self.hand_over(mailbox, &fresh, to, false)?;
                continue;
            }
            // The original lies there already.
            if self.is_labelled(self.facts.room(to)?.account) && self.purpose_of(to) == Some(SpecialUse::All)
            {
                continue;
            }
            let operation = self.ask(mailbox, &fresh, OperationKind::Copy { to })?;
            for placed in fresh {
                done.push(placed.message);
                self.place(placed, to);
                self.step(operation, placed, Back::Uncopy { to });
            }
        }
        Ok(())
    }

    /// To the mailbox for this purpose.
    ///
    /// # Errors
    /// `Config` where the account has none.
    pub fn file(&mut self, purpose: SpecialUse) -> Result<(), Error> {
        for (mailbox, placed) in self.by_mailbox() {
            let account = self.facts.room(mailbox)?.account;
            if purpose == SpecialUse::Archive && self.is_labelled(account) {
                self.archive_labelled(account, mailbox, &placed)?;
                continue;
            }
            let to = self.facts.purpose(account, purpose).ok_or_else(|| {
                Error::config(format!("this account has no mailbox for {}", purpose.name()))
            })?;
            if mailbox != to {
                self.move_some(mailbox, &placed, to)?;
            }
        }
        Ok(())
    }

    /// To the trash; from the trash, or where there is none, for good.
    ///
    /// # Errors
    /// `Config` for a mailbox that is not there.
    pub fn delete(&mut self) -> Result<(), Error> {
        for (mailbox, placed) in self.by_mailbox() {
            let account = self.facts.room(mailbox)?.account;
            match self.facts.purpose(account, SpecialUse::Trash) {
                Some(trash) if trash != mailbox => self.move_some(mailbox, &placed, trash)?,
                _ => self.expunge(mailbox, &placed)?,
            }
        }
        Ok(())
    }

    /// For good, without the trash: a discarded draft.
    ///
    /// # Errors
    /// `Config` for a mailbox that is not there.
    pub fn discard(&mut self) -> Result<(), Error> {
        for (mailbox, placed) in self.by_mailbox() {
            let account = self.facts.room(mailbox)?.account;
            let trash = self.facts.purpose(account, SpecialUse::Trash);
            match trash.filter(|trash| *trash != mailbox && self.is_labelled(account)) {
                Some(trash) => {
                    let uploads = &self.facts.uploads;
                    let (unheard, known): (Vec<&Placed>, Vec<&Placed>) =
                        placed.into_iter().partition(|placed| {
                            placed.uid.is_none() && uploads.contains_key(&(placed.message, mailbox))
                        });
                    self.expunge(mailbox, &unheard)?;
                    self.discard_labelled(trash, mailbox, &known)?;
                }
                None => self.expunge(mailbox, &placed)?,
            }
        }
        Ok(())
    }

    fn expunge(&mut self, mailbox: MailboxId, placed: &[&Placed]) -> Result<(), Error> {
        let (unheard, known): (Vec<&Placed>, Vec<&Placed>) = placed.iter().copied().partition(|placed| {
            placed.uid.is_none() && self.facts.uploads.contains_key(&(placed.message, mailbox))
        });
        for placed in &unheard {
            if let Some(upload) = self.facts.uploads.get(&(placed.message, mailbox)) {
                self.effect.writes.push(Write::RemoveOperation(*upload));
            }
        }
        let operation = self.ask(mailbox, &known, OperationKind::Expunge)?;
        for (placed, operation) in unheard
            .iter()
            .map(|placed| (placed, None))
            .chain(known.iter().map(|placed| (placed, operation)))
        {
            self.unplace(placed);
            self.mind_removal(placed);
            let back = Back::Restore {
                uid: placed.uid,
                flags: placed.flags.clone(),
                base: placed.base.clone(),
                hash: placed.hash.map(Hash64::from),
            };
            self.step(operation, placed, back);
        }
        Ok(())
    }

    /// The operation row for the server; `None` where no server holds this mailbox.
    pub(super) fn ask(
        &mut self,
        mailbox: MailboxId,
        placed: &[&Placed],
        kind: OperationKind,
    ) -> Result<Option<OperationId>, Error> {
        let room = self.facts.room(mailbox)?;
        if room.local || placed.is_empty() {
            return Ok(None);
        }
        let id = (self.new_id)();
        let targets = placed.iter().map(|placed| Target {
            message: placed.message,
            uid: placed.uid,
            before: placed.flags.clone(),
            message_id: placed.message_id.clone(),
            size: Some(placed.size),
        });
        self.effect.accounts.push(room.account);
        self.effect.writes.push(Write::AddOperation(Box::new(Operation {
            id,
            account: room.account,
            mailbox,
            uid_validity: room.uid_validity,
            targets: targets.collect(),
            kind,
            state: OperationState::Queued,
            created: self.facts.now,
            intent: self.intent,
            tries: 0,
            reply: String::new(),
        })));
        Ok(Some(id))
    }

    /// Whether both belong to the same account.
    fn same_account(&self, mailbox: MailboxId, to: MailboxId) -> Result<bool, Error> {
        let (from, to) = (self.facts.room(mailbox)?, self.facts.room(to)?);
        if !to.selectable {
            return Err(Error::config("this mailbox cannot hold messages"));
        }
        Ok(from.account == to.account)
    }

    /// What stands there already keeps the flags that the server has for it: a second copy there is another message.
    fn place(&mut self, placed: &Placed, to: MailboxId) {
        let place = (placed.message, to);
        if self.facts.standing.contains(&place) && !self.left.contains(&place) {
            return;
        }
        self.effect.writes.push(Write::Place {
            message: placed.message,
            mailbox: to,
            uid: None,
            flags: placed.flags.clone(),
            base: placed.flags.clone(),
        });
    }

    pub(super) fn unplace(&mut self, placed: &Placed) {
        self.left.insert((placed.message, placed.mailbox));
        self.effect.writes.push(Write::Unplace {
            message: placed.message,
            mailbox: placed.mailbox,
        });
    }

    pub(super) fn step(&mut self, operation: Option<OperationId>, placed: &Placed, back: Back) {
        self.effect.steps.push(Step {
            operation,
            message: placed.message,
            mailbox: placed.mailbox,
            back,
        });
    }

    /// Under "until removed here", the user's act is what the next check deletes by: never a missing message. A rule may
    /// have moved it out of the inbox before; that was no act of the user's, and a deletion from there is one.
    pub(super) fn mind_ledger(&mut self, placed: &Placed, to: MailboxId) {
        let purpose = |id| self.facts.rooms.get(&id).and_then(|room: &Room| room.special_use);
        let (from, to) = (purpose(placed.mailbox), purpose(to));
        if to == Some(SpecialUse::Inbox) {
            for (account, row, _) in self.facts.ledger.get(&placed.message).into_iter().flatten() {
                self.effect
                    .writes
                    .extend(unwanted(row, self.facts.now).map(|row| Write::PutLedger {
                        account: *account,
                        row: Box::new(row),
                    }));
            }
        } else if from == Some(SpecialUse::Inbox) || to == Some(SpecialUse::Trash) {
            self.mind_removal(placed);
        }
    }

    pub(super) fn mind_removal(&mut self, placed: &Placed) {
        for (account, row, policy) in self.facts.ledger.get(&placed.message).into_iter().flatten() {
            if *policy == LeaveOnServer::UntilRemoved
                && row.state == LedgerState::Downloaded
                && row.hash.is_some()
            {
                self.effect.writes.push(Write::PutLedger {
                    account: *account,
                    row: Box::new(LedgerRow {
                        state: LedgerState::DeleteWanted,
                        reason: REMOVED_HERE.to_owned(),
                        changed_at: self.facts.now,
                        ..row.clone()
                    }),
                });
                self.effect.accounts.push(*account);
            }
        }
    }

    fn by_mailbox(&self) -> BTreeMap<MailboxId, Vec<&'a Placed>> {
        let mut map: BTreeMap<MailboxId, Vec<&Placed>> = BTreeMap::new();
        for placed in &self.facts.placed {
            map.entry(placed.mailbox).or_default().push(placed);
        }
        map
    }
}

/// The ledger row once the user has taken the removal back, where the server has not been told.
#[must_use]
pub fn unwanted(row: &LedgerRow, now: Timestamp) -> Option<LedgerRow> {
    let ours = row.state == LedgerState::DeleteWanted && row.reason == REMOVED_HERE;
    ours.then(|| LedgerRow {
        state: LedgerState::Downloaded,
        reason: String::new(),
        changed_at: now,
        ..row.clone()
    })
}

/// Takes one message of a refused operation back here; `now_at` is where the operation had put it.
#[must_use]
pub fn take_back(
    operation: &Operation,
    target: &Target,
    now_at: Option<&posthorn_model::Placement>,
) -> Vec<Write> {
    let (message, mailbox) = (target.message, operation.mailbox);
    match (&operation.kind, now_at) {
        (OperationKind::SetFlags { change }, Some(_)) => vec![Write::ChangeFlags {
            message,
            mailbox,
            // Back to what the server has, in what this operation had changed.
            change: change.apply(&target.before).change_to(&target.before),
        }],
        (OperationKind::Move { to }, Some(here)) => vec![
            Write::Place {
                message,
                mailbox,
                uid: target.uid,
                flags: here.flags.clone(),
                base: target.before.clone(),
            },
            Write::Unplace {
                message,
                mailbox: *to,
            },
        ],
        (OperationKind::Copy { to }, Some(_)) => vec![Write::Unplace {
            message,
            mailbox: *to,
        }],
        // Removed for good: the next pass brings it again, since the server still has it. An upload stays here.
        (OperationKind::Expunge | OperationKind::Handover { away: true, .. }, _) => {
            vec![Write::SetSyncState {
                mailbox,
                state: operation
                    .uid_validity
                    .map(|validity| crate::imap::plan::unfinished(validity, 1)),
            }]
        }
        _ => Vec::new(),
    }
}

#[cfg(test)]
mod tests;
