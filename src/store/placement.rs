//! Placements: one message in one mailbox, with the flags shown here and those the server last named.

use posthorn_model::{FlagChange, Flags, MailboxId, MessageId, Placement, Uid, UidSet};
use rusqlite::{Connection, OptionalExtension, Row, Transaction, params};

use crate::column::{build_flags, flags_at, keywords, uid_at};
use crate::db::{Pace, Store};
use crate::error::{Error, Result};

/// A placement in few bytes, for the whole of a large mailbox at once.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Placed {
    pub message: MessageId,
    pub uid: Option<Uid>,
    flags: u8,
    base: u8,
    /// Rare: a pointer where there are none.
    keywords: Option<Box<(String, String)>>,
}

impl Placed {
    #[must_use]
    pub fn flags(&self) -> Flags {
        build_flags(
            i64::from(self.flags),
            self.keywords.as_ref().map_or("", |both| &both.0),
        )
    }

    #[must_use]
    pub fn base(&self) -> Flags {
        build_flags(
            i64::from(self.base),
            self.keywords.as_ref().map_or("", |both| &both.1),
        )
    }
}

impl Store {
    pub async fn placements_of(&self, message: MessageId) -> Result<Vec<Placement>> {
        self.read(Pace::Quick, move |reader| {
            let mut select = reader.index.prepare_cached(
                "SELECT message, mailbox, uid, flags, keywords, base_flags, base_keywords
                 FROM placement WHERE message = ?1 ORDER BY mailbox",
            )?;
            let rows = select.query_map([message.0], read_row)?;
            Ok(rows.collect::<rusqlite::Result<_>>()?)
        })
        .await
    }

    pub async fn placement(&self, mailbox: MailboxId, message: MessageId) -> Result<Option<Placement>> {
        self.read(Pace::Quick, move |reader| load(&reader.index, mailbox, message))
            .await
    }

    pub async fn placement_by_uid(&self, mailbox: MailboxId, uid: Uid) -> Result<Option<Placement>> {
        self.read(Pace::Quick, move |reader| {
            load_by_uid(&reader.index, mailbox, uid)
        })
        .await
    }

    /// Those of `uids` that are here, by UID.
    pub async fn placements_by_uids(&self, mailbox: MailboxId, uids: &UidSet) -> Result<Vec<Placement>> {
        let uids = uids.clone();
        self.read(Pace::Bulk, move |reader| {
            let mut select = reader.index.prepare_cached(
                "SELECT message, mailbox, uid, flags, keywords, base_flags, base_keywords
                 FROM placement WHERE mailbox = ?1 AND uid BETWEEN ?2 AND ?3 ORDER BY uid",
            )?;
            let mut all = Vec::new();
            for (first, last) in uids.ranges() {
                let rows = select.query_map(params![mailbox.0, first, last], read_row)?;
                for row in rows {
                    all.push(row?);
                }
            }
            Ok(all)
        })
        .await
    }

    /// The whole mailbox, newest first, some 40 bytes each.
    pub async fn placements_in(&self, mailbox: MailboxId) -> Result<Vec<Placed>> {
        self.read(Pace::Bulk, move |reader| {
            let mut select = reader.index.prepare_cached(
                "SELECT message, uid, flags, keywords, base_flags, base_keywords
                 FROM placement WHERE mailbox = ?1 ORDER BY message DESC",
            )?;
            let rows = select.query_map([mailbox.0], |row| {
                let (shown, base) = (row.get_ref(3)?.as_str()?, row.get_ref(5)?.as_str()?);
                let some = !shown.is_empty() || !base.is_empty();
                Ok(Placed {
                    message: MessageId(row.get(0)?),
                    uid: uid_at(row, 1)?,
                    flags: row.get(2)?,
                    base: row.get(4)?,
                    keywords: some.then(|| Box::new((shown.to_owned(), base.to_owned()))),
                })
            })?;
            Ok(rows.collect::<rusqlite::Result<_>>()?)
        })
        .await
    }

    /// The UIDs known in a mailbox.
    pub async fn uids(&self, mailbox: MailboxId) -> Result<UidSet> {
        self.read(Pace::Bulk, move |reader| {
            let mut select = reader.index.prepare_cached(
                "SELECT uid FROM placement WHERE mailbox = ?1 AND uid IS NOT NULL ORDER BY uid",
            )?;
            let mut rows = select.query([mailbox.0])?;
            let mut set = UidSet::default();
            while let Some(row) = rows.next()? {
                if let Some(uid) = uid_at(row, 0)? {
                    set.insert(uid);
                }
            }
            Ok(set)
        })
        .await
    }
}

fn read_row(row: &Row<'_>) -> rusqlite::Result<Placement> {
    Ok(Placement {
        message: MessageId(row.get(0)?),
        mailbox: MailboxId(row.get(1)?),
        uid: uid_at(row, 2)?,
        flags: flags_at(row, 3)?,
        base: flags_at(row, 5)?,
    })
}

fn load(index: &Connection, mailbox: MailboxId, message: MessageId) -> Result<Option<Placement>> {
    let mut select = index.prepare_cached(
        "SELECT message, mailbox, uid, flags, keywords, base_flags, base_keywords
         FROM placement WHERE mailbox = ?1 AND message = ?2",
    )?;
    Ok(select.query_row([mailbox.0, message.0], read_row).optional()?)
}

fn load_by_uid(index: &Connection, mailbox: MailboxId, uid: Uid) -> Result<Option<Placement>> {
    let mut select = index.prepare_cached(
        "SELECT message, mailbox, uid, flags, keywords, base_flags, base_keywords
         FROM placement WHERE mailbox = ?1 AND uid = ?2",
    )?;
    Ok(select
        .query_row(params![mailbox.0, uid.value()], read_row)
        .optional()?)
}

/// Whether it is a new row: the caller counts those.
pub(crate) fn place(tx: &Transaction<'_>, placement: &Placement) -> Result<bool> {
    let Placement {
        message,
        mailbox,
        uid,
        ..
    } = placement;
    // Mostly neither the message nor the UID is there: nobody looks before.
    let mut placed = insert(tx, placement);
    if fails_by(&placed, rusqlite::ffi::SQLITE_CONSTRAINT_UNIQUE)
        || fails_by(&placed, rusqlite::ffi::SQLITE_CONSTRAINT_PRIMARYKEY)
    {
        free_uid(tx, *message, *mailbox, *uid)?;
        if replace(tx, placement)? {
            return Ok(false);
        }
        placed = insert(tx, placement);
    }
    if fails_by(&placed, rusqlite::ffi::SQLITE_CONSTRAINT_FOREIGNKEY) {
        return Err(Error::Missing(format!("message {message} or mailbox {mailbox}")));
    }
    placed?;
    Ok(true)
}

fn fails_by(result: &rusqlite::Result<()>, constraint: i32) -> bool {
    matches!(result, Err(rusqlite::Error::SqliteFailure(failure, _)) if failure.extended_code == constraint)
}

fn insert(tx: &Transaction<'_>, placement: &Placement) -> rusqlite::Result<()> {
    let added = write(
        tx,
        "INSERT INTO placement (mailbox, message, uid, flags, keywords, base_flags, base_keywords)
         VALUES (?1, ?2, ?3, ?4, ?5, ?6, ?7)",
        placement,
    );
    added.map(drop)
}

/// False where the message is not in the mailbox.
fn replace(tx: &Transaction<'_>, placement: &Placement) -> rusqlite::Result<bool> {
    let replaced = write(
        tx,
        "UPDATE placement SET uid = coalesce(?3, uid), flags = ?4, keywords = ?5, base_flags = ?6, base_keywords = ?7
         WHERE mailbox = ?1 AND message = ?2",
        placement,
    )?;
    Ok(replaced > 0)
}

/// Rows written.
fn write(tx: &Transaction<'_>, sql: &str, placement: &Placement) -> rusqlite::Result<usize> {
    tx.prepare_cached(sql)?.execute(params![
        placement.mailbox.0,
        placement.message.0,
        placement.uid.map(Uid::value),
        placement.flags.bits(),
        keywords(&placement.flags),
        placement.base.bits(),
        keywords(&placement.base),
    ])
}

/// A UID names one message: the newest word about it wins, the other message's UID becomes unknown.
fn free_uid(tx: &Transaction<'_>, message: MessageId, mailbox: MailboxId, uid: Option<Uid>) -> Result<()> {
    if let Some(uid) = uid {
        tx.prepare_cached(
            "UPDATE placement SET uid = NULL WHERE mailbox = ?1 AND uid = ?2 AND message <> ?3",
        )?
        .execute(params![mailbox.0, uid.value(), message.0])?;
    }
    Ok(())
}

pub(crate) fn unplace(tx: &Transaction<'_>, message: MessageId, mailbox: MailboxId) -> Result<()> {
    tx.prepare_cached("DELETE FROM placement WHERE mailbox = ?1 AND message = ?2")?
        .execute([mailbox.0, message.0])?;
    Ok(())
}

pub(crate) fn set_uid(
    tx: &Transaction<'_>,
    message: MessageId,
    mailbox: MailboxId,
    uid: Option<Uid>,
) -> Result<()> {
    free_uid(tx, message, mailbox, uid)?;
    tx.prepare_cached("UPDATE placement SET uid = ?3 WHERE mailbox = ?1 AND message = ?2")?
        .execute(params![mailbox.0, message.0, uid.map(Uid::value)])?;
    Ok(())
}

/// Nothing where the message has left the mailbox meanwhile.
pub(crate) fn change_flags(
    tx: &Transaction<'_>,
    message: MessageId,
    mailbox: MailboxId,
    change: &FlagChange,
) -> Result<()> {
    if let Some(found) = load(tx, mailbox, message)? {
        let flags = change.apply(&found.flags);
        tx.prepare_cached(
            "UPDATE placement SET flags = ?3, keywords = ?4 WHERE mailbox = ?1 AND message = ?2",
        )?
        .execute(params![mailbox.0, message.0, flags.bits(), keywords(&flags)])?;
    }
    Ok(())
}

/// Nothing where the message has left the mailbox meanwhile.
pub(crate) fn set_flags(
    tx: &Transaction<'_>,
    message: MessageId,
    mailbox: MailboxId,
    flags: &Flags,
    base: &Flags,
) -> Result<()> {
    tx.prepare_cached(
        "UPDATE placement SET flags = ?3, keywords = ?4, base_flags = ?5, base_keywords = ?6
         WHERE mailbox = ?1 AND message = ?2",
    )?
    .execute(params![
        mailbox.0,
        message.0,
        flags.bits(),
        keywords(flags),
        base.bits(),
        keywords(base),
    ])?;
    Ok(())
}
