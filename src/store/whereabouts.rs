//! Where the messages of an account live, counted from facts, and the list of everything that is whole here.

use posthorn_model::{AccountId, Flags, Hash, MessageId};
use rusqlite::Connection;

use crate::column::{flags_at, required_hash_at, unsigned};
use crate::db::{Pace, Store};
use crate::error::Result;

#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub struct Amount {
    pub messages: u64,
    pub bytes: u64,
}

/// Every message of an account is in exactly one of these.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub struct Whereabouts {
    /// Whole here and on no server.
    pub only_here: Amount,
    /// Whole here, and the server holds it as far as is known.
    pub both: Amount,
    /// Here only by its headers.
    pub headers_only: Amount,
}

/// One whole message in one mailbox.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct DumpRow {
    pub message: MessageId,
    pub account: String,
    /// The mailbox's path.
    pub mailbox: String,
    pub hash: Hash,
    pub size: u64,
    pub flags: Flags,
}

impl Store {
    pub async fn whereabouts(&self, account: AccountId) -> Result<Whereabouts> {
        self.read(Pace::Bulk, move |reader| load(&reader.index, account))
            .await
    }

    /// By message and mailbox.
    pub async fn dump(&self) -> Result<Vec<DumpRow>> {
        self.read(Pace::Bulk, |reader| load_dump(&reader.index)).await
    }
}

fn load(index: &Connection, account: AccountId) -> Result<Whereabouts> {
    // IMAP: a UID says that the server holds it. POP3: the ledger does.
    let mut select = index.prepare_cached(
        "SELECT m.hash IS NOT NULL,
                EXISTS (SELECT 1 FROM placement p WHERE p.message = m.id AND p.uid IS NOT NULL)
                OR EXISTS (SELECT 1 FROM ledger l WHERE l.message = m.id
                               AND l.state IN ('seen', 'downloaded', 'delete-wanted')) AS there,
                count(*), sum(m.size)
         FROM message m WHERE m.account = ?1 GROUP BY 1, 2",
    )?;
    let mut rows = select.query([account.0])?;
    let mut all = Whereabouts::default();
    while let Some(row) = rows.next()? {
        let amount = match (row.get(0)?, row.get(1)?) {
            (true, true) => &mut all.both,
            (true, false) => &mut all.only_here,
            (false, _) => &mut all.headers_only,
        };
        amount.messages += unsigned(row.get(2)?);
        amount.bytes += unsigned(row.get(3)?);
    }
    Ok(all)
}

fn load_dump(index: &Connection) -> Result<Vec<DumpRow>> {
    let mut select = index.prepare_cached(
        "SELECT m.id, a.name, b.path, m.hash, m.size, p.flags, p.keywords
         FROM message m
         JOIN placement p ON p.message = m.id
         JOIN mailbox b ON b.id = p.mailbox
         JOIN account a ON a.id = m.account
         WHERE m.hash IS NOT NULL ORDER BY m.id, p.mailbox",
    )?;
    let rows = select.query_map([], |row| {
        Ok(DumpRow {
            message: MessageId(row.get(0)?),
            account: row.get(1)?,
            mailbox: row.get(2)?,
            hash: required_hash_at(row, 3)?,
            size: unsigned(row.get(4)?),
            flags: flags_at(row, 5)?,
        })
    })?;
    Ok(rows.collect::<rusqlite::Result<_>>()?)
}
