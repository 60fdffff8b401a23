//! Carries out a batch of writes in one transaction and says what changed.

use std::collections::{BTreeMap, BTreeSet};

use posthorn_model::{AccountId, MailboxId, MessageId, Placement, SubmissionState, ThreadId};
use rusqlite::{Connection, Transaction, TransactionBehavior};

use super::tally::Tally;
use super::{NewBody, Write};
use crate::column::build_json;
use crate::db::{Store, Writer};
use crate::error::{Error, Result};
use crate::{
    account, identity, ledger, local, mailbox, message, operation, outbox, placement, raw, search, settings,
    sync_state,
};

/// When a batch is safe from a power cut. A crash of the program alone loses neither.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Durability {
    /// Soon: a power cut may take the last batches back, whole ones, in order.
    Normal,
    /// When `apply` returns: for what lets something be deleted or sent.
    Full,
}

/// What a batch touched, for events. Ids only: whoever shows them asks again.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct Changes {
    pub accounts: BTreeSet<AccountId>,
    pub mailboxes: BTreeSet<MailboxId>,
    /// Ascending, each once. Of a removed account or mailbox, only the ids above are named.
    pub messages: Vec<MessageId>,
    /// Threads that were joined into others and are no more.
    pub threads_gone: BTreeSet<ThreadId>,
    pub operations: bool,
    pub outbox: bool,
    pub ledger: bool,
    pub settings: bool,
}

impl Changes {
    #[must_use]
    pub fn is_empty(&self) -> bool {
        *self == Self::default()
    }
}

impl Store {
    /// One transaction, after all that was asked before. An error means that nothing of it happened.
    pub async fn apply(&self, writes: Vec<Write>, durability: Durability) -> Result<Changes> {
        self.write(move |writer| apply_batch(writer, &writes, durability))
            .await
    }
}

fn apply_batch(writer: &mut Writer, writes: &[Write], durability: Durability) -> Result<Changes> {
    let touched = local::look(&writer.index, writes)?;
    let changes = with_durability(&mut writer.index, durability, |index| {
        let tx = index.transaction_with_behavior(TransactionBehavior::Immediate)?;
        let changes = apply(&tx, writes)?;
        tx.commit()?;
        Ok(changes)
    })?;
    // The other file follows: should this fail, the next keep or start says it again.
    for write in writes {
        let followed = match write {
            Write::PutAccount { id, name, protocol } => {
                raw::rename_account(&writer.messages, *id, name, *protocol)
            }
            Write::RemoveAccount(id) => raw::forget_account(&writer.messages, *id),
            _ => Ok(()),
        };
        if let Err(error) = followed {
            log::warn!("The raw messages' account list lags behind: {error}.");
        }
    }
    if let Err(error) = local::follow(writer, &touched) {
        log::warn!("Marks of local messages are in the index alone for now: {error}.");
    }
    Ok(changes)
}

/// A full commit syncs the journal, and with it every normal commit before.
fn with_durability<T>(
    index: &mut Connection,
    durability: Durability,
    run: impl FnOnce(&mut Connection) -> Result<T>,
) -> Result<T> {
    if durability == Durability::Normal {
        return run(index);
    }
    index.execute_batch("PRAGMA synchronous = FULL")?;
    let result = run(index);
    index.execute_batch("PRAGMA synchronous = NORMAL")?;
    result
}

/// Every change the store knows, in the given order.
fn apply<'a>(tx: &'a Transaction<'a>, writes: &'a [Write]) -> Result<Changes> {
    let mut batch = Batch {
        tx,
        changes: Changes::default(),
        messages: BTreeSet::new(),
        loose: BTreeSet::new(),
        bodies: BTreeMap::new(),
        bare: BTreeSet::new(),
        tally: Tally::default(),
    };
    for write in writes {
        batch.take(write)?;
    }
    batch.finish()
}

struct Batch<'a> {
    tx: &'a Transaction<'a>,
    changes: Changes,
    messages: BTreeSet<MessageId>,
    /// Added or taken out of a mailbox, and not put into one since: forgotten at the end where no mailbox holds them.
    /// At the end, so that a move may take out before it puts in.
    loose: BTreeSet<MessageId>,
    /// Whole messages: indexed together at the end, in the order that FTS5 gathers best.
    bodies: BTreeMap<MessageId, &'a NewBody>,
    /// Messages of which only the headers are here.
    bare: BTreeSet<MessageId>,
    tally: Tally,
}

impl<'a> Batch<'a> {
    fn take(&mut self, write: &'a Write) -> Result<()> {
        let tx = self.tx;
        if let Write::Unplace { .. } | Write::RemoveMailbox(_) | Write::RemoveAccount(_) = write {
            self.tally.tell(tx)?;
        }
        match write {
            Write::PutAccount { id, name, protocol } => {
                self.changes.accounts.insert(*id);
                account::put(tx, *id, name, *protocol)
            }
            Write::RemoveAccount(id) => {
                self.changes.accounts.insert(*id);
                self.changes.operations = true;
                self.changes.outbox = true;
                self.changes.ledger = true;
                account::remove(tx, *id)
            }
            Write::PutMailbox(new) => {
                self.changes.accounts.insert(new.account);
                self.changes.mailboxes.insert(new.id);
                mailbox::put(tx, new)
            }
            Write::RemoveMailbox(id) => {
                self.changes.mailboxes.insert(*id);
                self.changes.operations = true;
                mailbox::remove(tx, *id)
            }
            Write::SetSyncState { mailbox, state } => sync_state::set(tx, *mailbox, *state),
            Write::AddMessage(new) => {
                self.messages.insert(new.id);
                self.loose.insert(new.id);
                match &new.body {
                    Some(body) => drop(self.bodies.insert(new.id, body)),
                    None => drop(self.bare.insert(new.id)),
                }
                message::add(tx, new, &mut self.changes.threads_gone)?;
                self.tally.add_message(new);
                Ok(())
            }
            Write::SetBody(body) => {
                if message::set_body(tx, body, &mut self.changes.threads_gone)? {
                    self.messages.insert(body.message);
                    self.bodies.insert(body.message, body);
                }
                Ok(())
            }
            Write::Identify {
                message,
                object_id,
                listed_size,
            } => identity::identify(tx, *message, object_id.as_deref(), *listed_size),
            Write::IdentifyMailbox { mailbox, object_id } => {
                identity::identify_mailbox(tx, *mailbox, object_id.as_deref())
            }
            Write::Place { .. }
            | Write::Unplace { .. }
            | Write::SetUid { .. }
            | Write::ChangeFlags { .. }
            | Write::SetFlags { .. } => self.take_placement(write),
            Write::PutLedger { account, row } => {
                self.changes.ledger = true;
                ledger::put(tx, *account, row)
            }
            Write::PutSetting { key, value } => {
                self.changes.settings = true;
                settings::put(tx, key, value.as_deref())
            }
            Write::AddOperation(_)
            | Write::SetOperation { .. }
            | Write::PutOperation(_)
            | Write::RemoveOperation(_)
            | Write::AddSubmission(_)
            | Write::SetSubmission { .. }
            | Write::RemoveSubmission(_) => self.take_queue(write),
        }
    }

    fn take_placement(&mut self, write: &Write) -> Result<()> {
        let tx = self.tx;
        let (message, mailbox) = match write {
            Write::Place { message, mailbox, .. }
            | Write::Unplace { message, mailbox }
            | Write::SetUid { message, mailbox, .. }
            | Write::ChangeFlags { message, mailbox, .. }
            | Write::SetFlags { message, mailbox, .. } => (*message, *mailbox),
            _ => return Err(Error::Bug("a write was taken for a placement's".into())),
        };
        self.messages.insert(message);
        self.changes.mailboxes.insert(mailbox);
        match write {
            Write::Place { uid, flags, base, .. } => {
                self.loose.remove(&message);
                let placement = Placement {
                    message,
                    mailbox,
                    uid: *uid,
                    flags: flags.clone(),
                    base: base.clone(),
                };
                if placement::place(tx, &placement)? {
                    self.tally.add_placement(&placement);
                }
                Ok(())
            }
            Write::Unplace { .. } => {
                self.loose.insert(message);
                placement::unplace(tx, message, mailbox)
            }
            Write::SetUid { uid, .. } => placement::set_uid(tx, message, mailbox, *uid),
            Write::ChangeFlags { change, .. } => placement::change_flags(tx, message, mailbox, change),
            Write::SetFlags { flags, base, .. } => placement::set_flags(tx, message, mailbox, flags, base),
            _ => Err(Error::Bug("a write was taken for a placement's".into())),
        }
    }

    fn take_queue(&mut self, write: &Write) -> Result<()> {
        let tx = self.tx;
        match write {
            Write::AddOperation(operation) | Write::PutOperation(operation) => {
                self.changes.operations = true;
                operation::put(tx, operation)
            }
            Write::SetOperation {
                id,
                state,
                tries,
                reply,
            } => {
                self.changes.operations = true;
                operation::set(tx, *id, *state, *tries, reply)
            }
            Write::RemoveOperation(id) => {
                self.changes.operations = true;
                operation::remove(tx, *id)
            }
            Write::AddSubmission(new) => {
                self.changes.outbox = true;
                outbox::add(tx, new, SubmissionState::Queued)
            }
            Write::SetSubmission {
                id,
                state,
                reply,
                tries,
                not_before,
            } => {
                self.changes.outbox = true;
                outbox::set(tx, *id, *state, reply, *tries, *not_before)
            }
            Write::RemoveSubmission(id) => {
                self.changes.outbox = true;
                outbox::remove(tx, *id)
            }
            _ => Err(Error::Bug("a write was taken for a queue's".into())),
        }
    }

    /// A list shows what a body says.
    fn name_mailboxes(&mut self) -> Result<()> {
        if self.bodies.is_empty() {
            return Ok(());
        }
        let messages: Vec<&MessageId> = self.bodies.keys().collect();
        let mut select = self.tx.prepare_cached(
            "SELECT DISTINCT p.mailbox FROM json_each(?1) m CROSS JOIN placement p ON p.message = m.value",
        )?;
        let mut rows = select.query([build_json(&messages)?])?;
        while let Some(row) = rows.next()? {
            self.changes.mailboxes.insert(MailboxId(row.get(0)?));
        }
        Ok(())
    }

    fn finish(mut self) -> Result<Changes> {
        self.tally.tell(self.tx)?;
        for message in &self.loose {
            if message::forget_unplaced(self.tx, *message)? {
                self.bodies.remove(message);
                self.bare.remove(message);
            }
        }
        self.name_mailboxes()?;
        let bare: Vec<MessageId> = self.bare.into_iter().collect();
        search::postpone(self.tx, &bare, false)?;
        search::index_bodies(self.tx, &self.bodies)?;
        self.changes.messages = self.messages.into_iter().collect();
        Ok(self.changes)
    }
}
