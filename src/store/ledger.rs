//! The POP3 ledger: one row for each UIDL ever seen, kept for ever.

use posthorn_model::{AccountId, LedgerRow, LedgerState, MessageId, Timestamp, Uidl};
use rusqlite::{Connection, OptionalExtension, Row, Transaction, params};

use crate::column::{hash_at, name_at, signed, time_at, unsigned};
use crate::db::{Pace, Store};
use crate::error::Result;

/// What a list needs of a message's ledger row: whether and when it leaves the server is the policy's answer.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct LedgerMark {
    pub state: LedgerState,
    pub downloaded_at: Option<Timestamp>,
}

/// What people know a message by whose ledger row names it.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct LedgerLetter {
    pub uidl: Uidl,
    pub message: MessageId,
    pub subject: String,
    /// The first author's name, or address; empty for none.
    pub from: String,
}

impl Store {
    /// The messages that are here of one account's ledger.
    pub async fn ledger_letters(&self, account: AccountId) -> Result<Vec<LedgerLetter>> {
        self.read(Pace::Bulk, move |reader| {
            let mut select = reader.index.prepare_cached(
                "SELECT l.uidl, m.id, m.subject, coalesce(m.from_name, m.from_email, '')
                 FROM ledger l JOIN message m ON m.id = l.message WHERE l.account = ?1",
            )?;
            let rows = select.query_map([account.0], |row| {
                Ok(LedgerLetter {
                    uidl: Uidl(row.get(0)?),
                    message: MessageId(row.get(1)?),
                    subject: row.get(2)?,
                    from: row.get(3)?,
                })
            })?;
            Ok(rows.collect::<rusqlite::Result<_>>()?)
        })
        .await
    }

    /// All rows of one account, by first sight.
    pub async fn ledger(&self, account: AccountId) -> Result<Vec<LedgerRow>> {
        self.read(Pace::Bulk, move |reader| load_all(&reader.index, account))
            .await
    }

    /// The row of a message that came by POP3: where the server has renamed it, the one of the name it has now.
    pub async fn ledger_of(&self, message: MessageId) -> Result<Option<(AccountId, LedgerRow)>> {
        self.read(Pace::Quick, move |reader| {
            let mut select = reader.index.prepare_cached(
                "SELECT uidl, size, first_seen, downloaded_at, hash, message, state, changed_at, reason, reply,
                        header_hash, served, verified_at, asked_at, wanted, account
                 FROM ledger WHERE message = ?1
                 ORDER BY state IN ('deleted', 'gone'), changed_at DESC LIMIT 1",
            )?;
            Ok(select
                .query_row([message.0], |row| Ok((AccountId(row.get(15)?), read_row(row)?)))
                .optional()?)
        })
        .await
    }

    /// All rows of a message that came by POP3: a maildrop may hold it under several names.
    pub async fn ledger_rows_of(&self, message: MessageId) -> Result<Vec<(AccountId, LedgerRow)>> {
        self.read(Pace::Quick, move |reader| {
            let mut select = reader.index.prepare_cached(
                "SELECT uidl, size, first_seen, downloaded_at, hash, message, state, changed_at, reason, reply,
                        header_hash, served, verified_at, asked_at, wanted, account
                 FROM ledger WHERE message = ?1 ORDER BY account, uidl",
            )?;
            let rows = select.query_map([message.0], |row| Ok((AccountId(row.get(15)?), read_row(row)?)))?;
            Ok(rows.collect::<rusqlite::Result<_>>()?)
        })
        .await
    }
}

pub(crate) fn load_all(index: &Connection, account: AccountId) -> Result<Vec<LedgerRow>> {
    let mut select = index.prepare_cached(
        "SELECT uidl, size, first_seen, downloaded_at, hash, message, state, changed_at, reason, reply,
                header_hash, served, verified_at, asked_at, wanted
         FROM ledger WHERE account = ?1 ORDER BY first_seen, uidl",
    )?;
    let rows = select.query_map([account.0], read_row)?;
    Ok(rows.collect::<rusqlite::Result<_>>()?)
}

fn read_row(row: &Row<'_>) -> rusqlite::Result<LedgerRow> {
    Ok(LedgerRow {
        uidl: Uidl(row.get(0)?),
        size: row.get::<_, Option<i64>>(1)?.map(unsigned),
        first_seen: Timestamp(row.get(2)?),
        downloaded_at: time_at(row, 3)?,
        hash: hash_at(row, 4)?,
        message: row.get::<_, Option<i64>>(5)?.map(MessageId),
        state: name_at(row, 6, &LedgerState::ALL, LedgerState::name)?,
        changed_at: Timestamp(row.get(7)?),
        reason: row.get(8)?,
        reply: row.get(9)?,
        header_hash: hash_at(row, 10)?,
        served: row.get::<_, Option<i64>>(11)?.map(unsigned),
        verified_at: time_at(row, 12)?,
        asked_at: time_at(row, 13)?,
        wanted: row.get(14)?,
    })
}

/// For a page of the list: one look-up a row, by the index on `message`.
pub(crate) fn load_mark(index: &Connection, message: MessageId) -> rusqlite::Result<Option<LedgerMark>> {
    index
        .prepare_cached(
            "SELECT state, downloaded_at FROM ledger WHERE message = ?1
                 ORDER BY state IN ('deleted', 'gone'), changed_at DESC LIMIT 1",
        )?
        .query_row([message.0], |row| {
            Ok(LedgerMark {
                state: name_at(row, 0, &LedgerState::ALL, LedgerState::name)?,
                downloaded_at: time_at(row, 1)?,
            })
        })
        .optional()
}

/// A message that is not here (any more) is left out of the row: the ledger outlives what it tells of.
pub(crate) fn put(tx: &Transaction<'_>, account: AccountId, row: &LedgerRow) -> Result<()> {
    tx.prepare_cached(
        "INSERT INTO ledger
             (account, uidl, size, first_seen, downloaded_at, hash, message, state, changed_at, reason, reply,
              header_hash, served, verified_at, asked_at, wanted)
         VALUES (?1, ?2, ?3, ?4, ?5, ?6, (SELECT id FROM message WHERE id = ?7), ?8, ?9, ?10, ?11,
                 ?12, ?13, ?14, ?15, ?16)
         ON CONFLICT (account, uidl) DO UPDATE SET size = excluded.size, first_seen = excluded.first_seen,
             downloaded_at = excluded.downloaded_at, hash = excluded.hash, message = excluded.message,
             state = excluded.state, changed_at = excluded.changed_at, reason = excluded.reason,
             reply = excluded.reply, header_hash = excluded.header_hash, served = excluded.served,
             verified_at = excluded.verified_at, asked_at = excluded.asked_at, wanted = excluded.wanted",
    )?
    .execute(params![
        account.0,
        row.uidl.0,
        row.size.map(signed),
        row.first_seen.0,
        row.downloaded_at.map(|at| at.0),
        row.hash.map(|hash| hash.0),
        row.message.map(|message| message.0),
        row.state.name(),
        row.changed_at.0,
        row.reason,
        row.reply,
        row.header_hash.map(|hash| hash.0),
        row.served.map(signed),
        row.verified_at.map(|at| at.0),
        row.asked_at.map(|at| at.0),
        row.wanted,
    ])?;
    Ok(())
}
