//! Accounts' rows: their names and counts. Their set-up lives in the configuration file.

use posthorn_model::{AccountId, Protocol};
use rusqlite::{Connection, Row, Transaction, params};

use crate::column::{protocol_at, unsigned};
use crate::db::{Pace, Store};
use crate::error::Result;

#[derive(Clone, Debug, PartialEq, Eq)]
pub struct AccountRow {
    pub id: AccountId,
    pub name: String,
    pub protocol: Protocol,
    /// Messages here, whole or by their headers.
    pub total: u64,
    /// Those of which only the headers are here.
    pub headers_only: u64,
}

impl Store {
    /// By id, that is in the order of creation.
    pub async fn accounts(&self) -> Result<Vec<AccountRow>> {
        self.read(Pace::Quick, |reader| load_all(&reader.index)).await
    }
}

pub(crate) fn load_all(index: &Connection) -> Result<Vec<AccountRow>> {
    let mut select =
        index.prepare_cached("SELECT id, name, protocol, total, headers_only FROM account ORDER BY id")?;
    let rows = select.query_map([], read_row)?;
    Ok(rows.collect::<rusqlite::Result<_>>()?)
}

fn read_row(row: &Row<'_>) -> rusqlite::Result<AccountRow> {
    Ok(AccountRow {
        id: AccountId(row.get(0)?),
        name: row.get(1)?,
        protocol: protocol_at(row, 2)?,
        total: unsigned(row.get(3)?),
        headers_only: unsigned(row.get(4)?),
    })
}

pub(crate) fn put(tx: &Transaction<'_>, id: AccountId, name: &str, protocol: Protocol) -> Result<()> {
    tx.prepare_cached(
        "INSERT INTO account (id, name, protocol) VALUES (?1, ?2, ?3)
         ON CONFLICT (id) DO UPDATE SET name = excluded.name, protocol = excluded.protocol",
    )?
    .execute(params![id.0, name, protocol.name()])?;
    Ok(())
}

/// Children first: a cascade from the account would meet the messages' reference to their thread half-way.
pub(crate) fn remove(tx: &Transaction<'_>, id: AccountId) -> Result<()> {
    for delete in [
        "DELETE FROM mailbox WHERE account = ?1",
        "DELETE FROM message WHERE account = ?1",
        "DELETE FROM thread WHERE account = ?1",
        "DELETE FROM account WHERE id = ?1",
    ] {
        tx.execute(delete, [id.0])?;
    }
    Ok(())
}
