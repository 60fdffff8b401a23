//! Where raw messages came from: accounts, mailboxes and UIDs beside the bytes, so that a lost index can be made
//! again.

use posthorn_model::{AccountId, Protocol};
use rusqlite::{Connection, OptionalExtension, params};

use super::{Provenance, wrap};
use crate::column::{keywords, protocol_at};
use crate::error::Result;

/// The mailbox's id in this file; `None` where the index does not know the account.
pub(crate) fn keep_mailbox(
    messages: &Connection,
    index: &Connection,
    account: AccountId,
    path: &str,
) -> Result<Option<i64>> {
    let known = index
        .prepare_cached("SELECT name, protocol FROM account WHERE id = ?1")?
        .query_row([account.0], |row| {
            Ok((row.get::<_, String>(0)?, protocol_at(row, 1)?))
        })
        .optional()?;
    let Some((name, protocol)) = known else {
        return Ok(None);
    };
    put_account(messages, account, &name, protocol)?;
    let described = index
        .prepare_cached(
            "SELECT wire, delimiter, special_use, local FROM mailbox WHERE account = ?1 AND path = ?2",
        )?
        .query_row(params![account.0, path], |row| {
            Ok((
                row.get::<_, Vec<u8>>(0)?,
                row.get::<_, String>(1)?,
                row.get::<_, String>(2)?,
                row.get::<_, bool>(3)?,
            ))
        })
        .optional()?;
    let (wire, delimiter, special_use, local) = described.unwrap_or_else(|| {
        let special_use = if path.eq_ignore_ascii_case("INBOX") {
            "inbox"
        } else {
            ""
        };
        (
            path.as_bytes().to_vec(),
            String::new(),
            special_use.to_owned(),
            protocol == Protocol::Pop3,
        )
    });
    messages
        .prepare_cached(
            "INSERT INTO mailbox (account, path, wire, delimiter, special_use, local)
             VALUES (?1, ?2, ?3, ?4, ?5, ?6)
             ON CONFLICT (account, path) DO UPDATE SET wire = excluded.wire, delimiter = excluded.delimiter,
                 special_use = excluded.special_use, local = excluded.local
             RETURNING id",
        )
        .and_then(|mut insert| {
            insert.query_row(
                params![account.0, path, wire, delimiter, special_use, local],
                |row| row.get(0),
            )
        })
        .map(Some)
        .map_err(wrap)
}

/// The plus keeps the planner from walking the whole mailbox: a message has few origins.
pub(crate) const HAS_PROVENANCE: &str =
    "SELECT EXISTS (SELECT 1 FROM provenance WHERE raw = ?1 AND +mailbox = ?2
     AND uid_validity IS ?3 AND uid IS ?4 AND uidl IS ?5)";

pub(super) fn keep_provenance(
    messages: &Connection,
    raw: i64,
    mailbox: i64,
    from: &Provenance,
) -> Result<()> {
    put_provenance(messages, raw, mailbox, from).map_err(wrap)
}

fn put_provenance(messages: &Connection, raw: i64, mailbox: i64, from: &Provenance) -> rusqlite::Result<()> {
    let validity = from.uid.map(|(validity, _)| validity.0.get());
    let uid = from.uid.map(|(_, uid)| uid.value());
    let uidl = from.uidl.as_ref().map(|uidl| &uidl.0);
    let known: bool = messages
        .prepare_cached(HAS_PROVENANCE)?
        .query_row(params![raw, mailbox, validity, uid, uidl], |row| row.get(0))?;
    if known {
        return Ok(());
    }
    // One row of plain values: an insert from a query copies each page it writes, to be able to take it back.
    messages
        .prepare_cached(
            "INSERT INTO provenance (raw, mailbox, uid_validity, uid, uidl, received, flags, keywords)
             VALUES (?1, ?2, ?3, ?4, ?5, ?6, ?7, ?8)",
        )?
        .execute(params![
            raw,
            mailbox,
            validity,
            uid,
            uidl,
            from.received.map(|at| at.0),
            from.flags.bits(),
            keywords(&from.flags),
        ])?;
    Ok(())
}

fn put_account(messages: &Connection, id: AccountId, name: &str, protocol: Protocol) -> Result<()> {
    messages
        .prepare_cached(
            "INSERT INTO account (id, name, protocol) VALUES (?1, ?2, ?3)
             ON CONFLICT (id) DO UPDATE SET name = excluded.name, protocol = excluded.protocol",
        )
        .and_then(|mut insert| insert.execute(params![id.0, name, protocol.name()]))
        .map_err(wrap)?;
    Ok(())
}

pub(crate) fn rename_account(
    messages: &Connection,
    id: AccountId,
    name: &str,
    protocol: Protocol,
) -> Result<()> {
    messages
        .execute(
            "UPDATE account SET name = ?2, protocol = ?3 WHERE id = ?1 AND (name <> ?2 OR protocol <> ?3)",
            params![id.0, name, protocol.name()],
        )
        .map_err(wrap)?;
    Ok(())
}

/// A removed account must not come back with a rebuilt index. The raw bytes stay until swept.
pub(crate) fn forget_account(messages: &Connection, id: AccountId) -> Result<()> {
    messages
        .execute("DELETE FROM account WHERE id = ?1", [id.0])
        .map_err(wrap)?;
    Ok(())
}
