//! The user's intents that a server has not confirmed yet, in the order they were made.

use posthorn_model::{AccountId, MailboxId, Operation, OperationId, OperationState, Timestamp};
use rusqlite::{Connection, Row, Transaction, params};

use crate::column::{build_json, json_at, name_at, validity_at};
use crate::db::{Pace, Store};
use crate::error::Result;

impl Store {
    /// One account's, or all, oldest first.
    pub async fn operations(&self, account: Option<AccountId>) -> Result<Vec<Operation>> {
        self.read(Pace::Quick, move |reader| load_all(&reader.index, account))
            .await
    }
}

const STATES: [OperationState; 3] = [OperationState::Queued, OperationState::Sent, OperationState::Held];

const fn state_name(state: OperationState) -> &'static str {
    match state {
        OperationState::Queued => "queued",
        OperationState::Sent => "sent",
        OperationState::Held => "held",
    }
}

pub(crate) fn load_all(index: &Connection, account: Option<AccountId>) -> Result<Vec<Operation>> {
    let mut select = index.prepare_cached(
        "SELECT id, account, mailbox, uid_validity, targets, kind, state, created, intent, tries, reply
         FROM operation WHERE ?1 IS NULL OR account = ?1 ORDER BY id",
    )?;
    let rows = select.query_map([account.map(|id| id.0)], read_row)?;
    Ok(rows.collect::<rusqlite::Result<_>>()?)
}

fn read_row(row: &Row<'_>) -> rusqlite::Result<Operation> {
    Ok(Operation {
        id: OperationId(row.get(0)?),
        account: AccountId(row.get(1)?),
        mailbox: MailboxId(row.get(2)?),
        uid_validity: validity_at(row, 3)?,
        targets: json_at(row, 4)?,
        kind: json_at(row, 5)?,
        state: name_at(row, 6, &STATES, state_name)?,
        created: Timestamp(row.get(7)?),
        intent: row.get(8)?,
        tries: row.get(9)?,
        reply: row.get(10)?,
    })
}

/// Creates it or replaces the whole row.
pub(crate) fn put(tx: &Transaction<'_>, operation: &Operation) -> Result<()> {
    tx.prepare_cached(
        "INSERT INTO operation
             (id, account, mailbox, uid_validity, targets, kind, state, created, intent, tries, reply)
         VALUES (?1, ?2, ?3, ?4, ?5, ?6, ?7, ?8, ?9, ?10, ?11)
         ON CONFLICT (id) DO UPDATE SET account = excluded.account, mailbox = excluded.mailbox,
             uid_validity = excluded.uid_validity, targets = excluded.targets, kind = excluded.kind,
             state = excluded.state, created = excluded.created, intent = excluded.intent,
             tries = excluded.tries, reply = excluded.reply",
    )?
    .execute(params![
        operation.id.0,
        operation.account.0,
        operation.mailbox.0,
        operation.uid_validity.map(|validity| validity.0.get()),
        build_json(&operation.targets)?,
        build_json(&operation.kind)?,
        state_name(operation.state),
        operation.created.0,
        operation.intent,
        operation.tries,
        operation.reply,
    ])?;
    Ok(())
}

pub(crate) fn set(
    tx: &Transaction<'_>,
    id: OperationId,
    state: OperationState,
    tries: u32,
    reply: &str,
) -> Result<()> {
    tx.prepare_cached("UPDATE operation SET state = ?2, tries = ?3, reply = ?4 WHERE id = ?1")?
        .execute(params![id.0, state_name(state), tries, reply])?;
    Ok(())
}

pub(crate) fn remove(tx: &Transaction<'_>, id: OperationId) -> Result<()> {
    tx.prepare_cached("DELETE FROM operation WHERE id = ?1")?
        .execute([id.0])?;
    Ok(())
}
