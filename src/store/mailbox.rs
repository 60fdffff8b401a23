//! Mailboxes and their exact counts.

use posthorn_model::{AccountId, MailboxId, MailboxName, SpecialUse, SyncState};
use rusqlite::{Connection, OptionalExtension, Row, Transaction, params};

use crate::column::unsigned;
use crate::db::{Pace, Store};
use crate::error::Result;
use crate::sync_state;
use crate::write::NewMailbox;

#[derive(Clone, Debug, PartialEq, Eq)]
pub struct MailboxRow {
    pub id: MailboxId,
    pub account: AccountId,
    pub name: MailboxName,
    pub delimiter: Option<char>,
    pub special_use: Option<SpecialUse>,
    pub selectable: bool,
    pub subscribed: bool,
    /// On no server.
    pub local: bool,
    pub total: u64,
    pub unread: u64,
    /// What the server calls it beside its name (RFC 8474); `None`: unknown.
    pub object_id: Option<String>,
    /// `None`: never synchronised.
    pub sync: Option<SyncState>,
}

impl Store {
    /// One account's, or all, by account and path.
    pub async fn mailboxes(&self, account: Option<AccountId>) -> Result<Vec<MailboxRow>> {
        self.read(Pace::Quick, move |reader| load_all(&reader.index, account))
            .await
    }

    pub async fn mailbox(&self, id: MailboxId) -> Result<Option<MailboxRow>> {
        self.read(Pace::Quick, move |reader| load(&reader.index, id))
            .await
    }
}

macro_rules! select {
    ($rest:literal) => {
        concat!(
            "SELECT b.id, b.account, b.wire, b.path, b.delimiter, b.special_use, b.selectable, b.subscribed,
                    b.local, b.total, b.unread, b.object_id, s.uid_validity, s.uid_next, s.highest_modseq
             FROM mailbox b LEFT JOIN sync_state s ON s.mailbox = b.id ",
            $rest
        )
    };
}

fn load_all(index: &Connection, account: Option<AccountId>) -> Result<Vec<MailboxRow>> {
    let mut select = index.prepare_cached(select!(
        "WHERE ?1 IS NULL OR b.account = ?1 ORDER BY b.account, b.path, b.id"
    ))?;
    let rows = select.query_map([account.map(|id| id.0)], read_row)?;
    Ok(rows.collect::<rusqlite::Result<_>>()?)
}

pub(crate) fn load(index: &Connection, id: MailboxId) -> Result<Option<MailboxRow>> {
    let mut select = index.prepare_cached(select!("WHERE b.id = ?1"))?;
    Ok(select.query_row([id.0], read_row).optional()?)
}

fn read_row(row: &Row<'_>) -> rusqlite::Result<MailboxRow> {
    let delimiter: String = row.get(4)?;
    let special_use: String = row.get(5)?;
    Ok(MailboxRow {
        id: MailboxId(row.get(0)?),
        account: AccountId(row.get(1)?),
        name: MailboxName {
            wire: row.get(2)?,
            path: row.get(3)?,
        },
        delimiter: delimiter.chars().next(),
        special_use: SpecialUse::parse(&special_use),
        selectable: row.get(6)?,
        subscribed: row.get(7)?,
        local: row.get(8)?,
        total: unsigned(row.get(9)?),
        unread: unsigned(row.get(10)?),
        object_id: row.get(11)?,
        sync: sync_state::read_at(row, 12)?,
    })
}

pub(crate) fn put(tx: &Transaction<'_>, mailbox: &NewMailbox) -> Result<()> {
    tx.prepare_cached(
        "INSERT INTO mailbox (id, account, wire, path, delimiter, special_use, selectable, subscribed, local)
         VALUES (?1, ?2, ?3, ?4, ?5, ?6, ?7, ?8, ?9)
         ON CONFLICT (id) DO UPDATE SET account = excluded.account, wire = excluded.wire, path = excluded.path,
             delimiter = excluded.delimiter, special_use = excluded.special_use, selectable = excluded.selectable,
             subscribed = excluded.subscribed, local = excluded.local",
    )?
    .execute(params![
        mailbox.id.0,
        mailbox.account.0,
        mailbox.name.wire,
        mailbox.name.path,
        mailbox.delimiter.map(String::from).unwrap_or_default(),
        mailbox.special_use.map_or("", SpecialUse::name),
        mailbox.selectable,
        mailbox.subscribed,
        mailbox.local,
    ])?;
    Ok(())
}

/// Its placements go with it, and the messages that were nowhere else.
pub(crate) fn remove(tx: &Transaction<'_>, id: MailboxId) -> Result<()> {
    tx.execute(
        "DELETE FROM message WHERE id IN (SELECT p.message FROM placement p WHERE p.mailbox = ?1
             AND NOT EXISTS (SELECT 1 FROM placement o WHERE o.message = p.message AND o.mailbox <> ?1))",
        [id.0],
    )?;
    tx.execute("DELETE FROM mailbox WHERE id = ?1", [id.0])?;
    tx.execute("DELETE FROM thread WHERE total = 0", [])?;
    Ok(())
}
