//! What happens in mailboxes that are on no server follows into messages.sqlite, so that a lost index brings back where
//! a message stood, and whether it was read, starred and tagged: no server knows.
//!
//! The index leads, in its own transaction. Should the following fail or be cut short, nothing is lost while the index
//! stands.

use std::collections::btree_map::Entry;
use std::collections::{BTreeMap, BTreeSet};

use posthorn_model::{AccountId, Hash, MailboxId, MessageId};
use rusqlite::{Connection, OptionalExtension, TransactionBehavior, params};

use crate::column::{hash_at, required_hash_at};
use crate::db::Writer;
use crate::error::Result;
use crate::raw::{self, wrap};
use crate::write::Write;

/// The value of `place.flags` for a message that is not there any more.
pub(crate) const ABSENT: i64 = -1;

/// What a batch does to local mailboxes, as far as the index tells before it.
#[derive(Default)]
pub(crate) struct Touched {
    /// With the message's hash, where it was here before the batch.
    places: BTreeMap<(MessageId, MailboxId), Option<Hash>>,
    /// Local mailboxes, with account and path.
    mailboxes: BTreeMap<MailboxId, (AccountId, String)>,
    /// Removed by the batch.
    removed: BTreeSet<MailboxId>,
}

/// Looks before the batch: what it removes cannot be asked for afterwards.
pub(crate) fn look(index: &Connection, writes: &[Write]) -> Result<Touched> {
    let mut touched = Touched::default();
    let mut others: BTreeSet<MailboxId> = BTreeSet::new();
    // One look for all: each of its own would take and leave a lock.
    let index = index.unchecked_transaction()?;
    for write in writes {
        let (mailbox, message) = match write {
            Write::Place { message, mailbox, .. }
            | Write::Unplace { message, mailbox }
            | Write::ChangeFlags { message, mailbox, .. }
            | Write::SetFlags { message, mailbox, .. } => (*mailbox, Some(*message)),
            Write::PutMailbox(new) if new.local => (new.id, None),
            Write::RemoveMailbox(id) => {
                touched.removed.insert(*id);
                (*id, None)
            }
            _ => continue,
        };
        if others.contains(&mailbox) {
            continue;
        }
        if let Entry::Vacant(room) = touched.mailboxes.entry(mailbox) {
            let Some(found) = load_local(&index, mailbox)? else {
                others.insert(mailbox);
                continue;
            };
            room.insert(found);
        }
        if let Some(message) = message {
            let hash = load_hash(&index, message)?;
            touched.places.insert((message, mailbox), hash);
        }
    }
    Ok(touched)
}

fn load_local(index: &Connection, mailbox: MailboxId) -> Result<Option<(AccountId, String)>> {
    let mut select = index.prepare_cached("SELECT account, path FROM mailbox WHERE id = ?1 AND local = 1")?;
    Ok(select
        .query_row([mailbox.0], |row| Ok((AccountId(row.get(0)?), row.get(1)?)))
        .optional()?)
}

fn load_hash(index: &Connection, message: MessageId) -> Result<Option<Hash>> {
    let mut select = index.prepare_cached("SELECT hash FROM message WHERE id = ?1")?;
    Ok(select
        .query_row([message.0], |row| hash_at(row, 0))
        .optional()?
        .flatten())
}

/// One line to be written down: the message, its mailbox, and its marks; `None`: it is not there.
struct Place<'a> {
    hash: Hash,
    account: AccountId,
    path: &'a str,
    marks: Option<(i64, String)>,
}

/// Writes down what the batch has done. Without a sync of its own: it is as safe as the next one.
pub(crate) fn follow(writer: &mut Writer, touched: &Touched) -> Result<()> {
    if touched.mailboxes.is_empty() {
        return Ok(());
    }
    let places = list_places(writer, touched)?;
    let moved = renamed(&writer.index, touched)?;
    if places.is_empty() && moved.is_empty() && touched.removed.is_empty() {
        return Ok(());
    }
    writer
        .messages
        .execute_batch("PRAGMA synchronous = NORMAL")
        .map_err(wrap)?;
    let done = put(writer, &places, &moved, touched);
    writer
        .messages
        .execute_batch("PRAGMA synchronous = FULL")
        .map_err(wrap)?;
    done
}

/// What the batch made of each place, where that is not written down yet.
fn list_places<'a>(writer: &Writer, touched: &'a Touched) -> Result<Vec<Place<'a>>> {
    let index = writer.index.unchecked_transaction()?;
    let messages = writer.messages.unchecked_transaction().map_err(wrap)?;
    let mut places = Vec::new();
    for ((message, mailbox), hash) in &touched.places {
        let fresh = hash.is_none();
        let hash = match hash {
            Some(hash) => Some(*hash),
            None => load_hash(&index, *message)?,
        };
        let (Some(hash), Some((account, path))) = (hash, touched.mailboxes.get(mailbox)) else {
            continue;
        };
        if touched.removed.contains(mailbox) {
            continue;
        }
        let marks = load_marks(&index, *mailbox, *message)?;
        let plain = marks
            .as_ref()
            .is_some_and(|(flags, keywords)| *flags == 0 && keywords.is_empty());
        if fresh && plain && came_here(&messages, hash, *account, path)? {
            continue;
        }
        places.push(Place {
            hash,
            account: *account,
            path,
            marks,
        });
    }
    Ok(places)
}

fn put(
    writer: &mut Writer,
    places: &[Place<'_>],
    moved: &[(AccountId, String, String)],
    touched: &Touched,
) -> Result<()> {
    let tx = writer
        .messages
        .transaction_with_behavior(TransactionBehavior::Immediate)
        .map_err(wrap)?;
    for (account, from, to) in moved {
        tx.execute(
            "UPDATE OR IGNORE mailbox SET path = ?3, wire = CAST(?3 AS BLOB) WHERE account = ?1 AND path = ?2",
            params![account.0, from, to],
        )
        .map_err(wrap)?;
    }
    for id in &touched.removed {
        if let Some((account, path)) = touched.mailboxes.get(id) {
            tx.execute(
                "DELETE FROM mailbox WHERE account = ?1 AND path = ?2",
                params![account.0, path],
            )
            .map_err(wrap)?;
        }
    }
    for place in places {
        let Some(mailbox) = raw::keep_mailbox(&tx, &writer.index, place.account, place.path)? else {
            continue;
        };
        put_place(&tx, place, mailbox).map_err(wrap)?;
    }
    tx.commit().map_err(wrap)
}

fn put_place(messages: &Connection, place: &Place<'_>, mailbox: i64) -> rusqlite::Result<()> {
    let (flags, keywords) = match &place.marks {
        Some((flags, keywords)) => (*flags, keywords.as_str()),
        None => (ABSENT, ""),
    };
    messages
        .prepare_cached(
            "INSERT INTO place (raw, mailbox, flags, keywords)
             SELECT id, ?2, ?3, ?4 FROM raw WHERE hash = ?1
             ON CONFLICT (raw, mailbox) DO UPDATE SET flags = excluded.flags, keywords = excluded.keywords",
        )?
        .execute(params![place.hash.0, mailbox, flags, keywords])?;
    Ok(())
}

fn load_marks(index: &Connection, mailbox: MailboxId, message: MessageId) -> Result<Option<(i64, String)>> {
    let mut select =
        index.prepare_cached("SELECT flags, keywords FROM placement WHERE mailbox = ?1 AND message = ?2")?;
    Ok(select
        .query_row([mailbox.0, message.0], |row| Ok((row.get(0)?, row.get(1)?)))
        .optional()?)
}

/// Whether that it came to this mailbox is written down already.
/// The cross joins keep the planner from walking the whole mailbox: a message has few origins.
fn came_here(messages: &Connection, hash: Hash, account: AccountId, path: &str) -> Result<bool> {
    messages
        .prepare_cached(
            "SELECT EXISTS (SELECT 1 FROM raw r CROSS JOIN provenance p ON p.raw = r.id
                     CROSS JOIN mailbox b ON b.id = +p.mailbox
                 WHERE r.hash = ?1 AND b.account = ?2 AND b.path = ?3 AND p.flags = 0 AND p.keywords = '')
             AND NOT EXISTS (SELECT 1 FROM raw r JOIN place p ON p.raw = r.id WHERE r.hash = ?1)",
        )
        .and_then(|mut select| select.query_row(params![hash.0, account.0, path], |row| row.get(0)))
        .map_err(wrap)
}

fn renamed(index: &Connection, touched: &Touched) -> Result<Vec<(AccountId, String, String)>> {
    let mut all = Vec::new();
    for (id, (account, before)) in &touched.mailboxes {
        if let Some((_, now)) = load_local(index, *id)?
            && now != *before
        {
            all.push((*account, before.clone(), now));
        }
    }
    Ok(all)
}

/// What is written down of one raw message's places: by mailbox of this file, its marks.
pub(crate) fn load_places(messages: &Connection, raw: i64) -> rusqlite::Result<BTreeMap<i64, (i64, String)>> {
    let mut select = messages.prepare_cached("SELECT mailbox, flags, keywords FROM place WHERE raw = ?1")?;
    let rows = select.query_map([raw], |row| Ok((row.get(0)?, (row.get(1)?, row.get(2)?))))?;
    rows.collect()
}

/// Copies the places of a damaged file, as far as they can be read, for messages that were saved from it.
pub(crate) fn salvage(damaged: &Connection, messages: &Connection) -> rusqlite::Result<u64> {
    let mut select = damaged
        .prepare("SELECT r.hash, p.mailbox, p.flags, p.keywords FROM place p JOIN raw r ON r.id = p.raw")?;
    let mut rows = select.query([])?;
    let mut copied = 0;
    while let Some(row) = rows.next()? {
        let hash = required_hash_at(row, 0)?;
        let (mailbox, flags, keywords): (i64, i64, String) = (row.get(1)?, row.get(2)?, row.get(3)?);
        let put = messages.execute(
            "INSERT OR IGNORE INTO place (raw, mailbox, flags, keywords)
             SELECT id, ?2, ?3, ?4 FROM raw WHERE hash = ?1",
            params![hash.0, mailbox, flags, keywords],
        );
        copied += u64::try_from(put.unwrap_or(0)).unwrap_or(0);
    }
    Ok(copied)
}
