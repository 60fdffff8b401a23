//! What tells one message from another when its UID cannot: for moves by others, copies in several mailboxes, and
//! UIDs whose generation changed.

use std::collections::BTreeMap;

use posthorn_model::{AccountId, Envelope, InternetMessageId, MailboxId, MessageId, Timestamp, Uid};
use rusqlite::{Connection, OptionalExtension, Row, Transaction, params};

use crate::column::{json_at, signed, time_at, uid_at, unsigned};
use crate::db::{Pace, Store};
use crate::error::Result;
use crate::thread;

/// A message in a mailbox that no UID names.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Adrift {
    pub message: MessageId,
    pub message_id: Option<InternetMessageId>,
    /// As the server listed it, else of the bytes that are here.
    pub size: u64,
    pub subject: String,
    /// Only where there is no Message-ID.
    pub date: Option<Timestamp>,
}

/// What to look for among the messages of an account.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct Wanted {
    pub object_id: Option<String>,
    pub message_id: Option<InternetMessageId>,
}

/// A message that may be the one wanted.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Candidate {
    pub message: MessageId,
    pub object_id: Option<String>,
    pub message_id: Option<InternetMessageId>,
    /// As the server listed it, else of the bytes that are here.
    pub size: u64,
    pub received: Option<Timestamp>,
    pub subject: String,
    pub from_email: Option<String>,
    /// It stands in the mailbox asked about already.
    pub placed: bool,
}

/// Candidates for one wish: more than this are no identity at all.
const MOST: usize = 8;

impl Store {
    /// Messages in the mailbox that no UID names.
    pub async fn adrift(&self, mailbox: MailboxId) -> Result<Vec<Adrift>> {
        self.read(Pace::Bulk, move |reader| {
            let mut select = reader.index.prepare_cached(ADRIFT)?;
            let rows = select.query_map([mailbox.0], |row| {
                let envelope: Option<Envelope> = match row.get_ref(4)? {
                    rusqlite::types::ValueRef::Null => None,
                    _ => Some(json_at(row, 4)?),
                };
                Ok(Adrift {
                    message: MessageId(row.get(0)?),
                    message_id: row.get::<_, Option<String>>(1)?.map(InternetMessageId),
                    size: unsigned(row.get(2)?),
                    subject: row.get(3)?,
                    date: envelope.and_then(|envelope| envelope.date),
                })
            })?;
            Ok(rows.collect::<rusqlite::Result<_>>()?)
        })
        .await
    }

    /// How many messages no UID names, in each mailbox of an account.
    pub async fn adrift_counts(&self, account: AccountId) -> Result<BTreeMap<MailboxId, u64>> {
        self.read(Pace::Quick, move |reader| {
            let mut select = reader.index.prepare_cached(ADRIFT_COUNTS)?;
            let rows = select.query_map([account.0], |row| {
                Ok((MailboxId(row.get(0)?), unsigned(row.get(1)?)))
            })?;
            Ok(rows.collect::<rusqlite::Result<_>>()?)
        })
        .await
    }

    /// How many messages of a mailbox no UID names.
    pub async fn adrift_count(&self, mailbox: MailboxId) -> Result<u64> {
        self.read(Pace::Quick, move |reader| {
            let mut select = reader.index.prepare_cached(ADRIFT_COUNT)?;
            Ok(select.query_row([mailbox.0], |row| Ok(unsigned(row.get(0)?)))?)
        })
        .await
    }

    /// The highest UID known in a mailbox.
    pub async fn last_uid(&self, mailbox: MailboxId) -> Result<Option<Uid>> {
        self.read(Pace::Quick, move |reader| {
            let mut select = reader.index.prepare_cached(
                "SELECT uid FROM placement WHERE mailbox = ?1 AND uid IS NOT NULL ORDER BY uid DESC LIMIT 1",
            )?;
            let found = select.query_row([mailbox.0], |row| uid_at(row, 0)).optional()?;
            Ok(found.flatten())
        })
        .await
    }

    /// Those of `messages` that stand in no other mailbox.
    pub async fn only_placed_in(
        &self,
        mailbox: MailboxId,
        messages: Vec<MessageId>,
    ) -> Result<Vec<MessageId>> {
        self.read(Pace::Bulk, move |reader| {
            let mut select = reader.index.prepare_cached(
                "SELECT EXISTS (SELECT 1 FROM placement WHERE message = ?1 AND mailbox <> ?2)",
            )?;
            let mut only = Vec::new();
            for message in messages {
                let elsewhere: bool = select.query_row([message.0, mailbox.0], |row| row.get(0))?;
                if !elsewhere {
                    only.push(message);
                }
            }
            Ok(only)
        })
        .await
    }

    /// How many messages stand in each of these mailboxes and in no other one.
    pub async fn count_only_in(&self, mailboxes: Vec<MailboxId>) -> Result<u64> {
        self.read(Pace::Bulk, move |reader| {
            let mut select = reader.index.prepare_cached(
                "SELECT count(*) FROM placement p WHERE p.mailbox = ?1 AND NOT EXISTS
                     (SELECT 1 FROM placement o WHERE o.message = p.message AND o.mailbox <> ?1)",
            )?;
            let mut all = 0;
            for mailbox in mailboxes {
                all += select.query_row([mailbox.0], |row| Ok(unsigned(row.get(0)?)))?;
            }
            Ok(all)
        })
        .await
    }

    /// For each wish, in order, the messages of the account that it may be.
    pub async fn find_candidates(
        &self,
        account: AccountId,
        mailbox: MailboxId,
        wanted: Vec<Wanted>,
    ) -> Result<Vec<Vec<Candidate>>> {
        self.read(Pace::Bulk, move |reader| {
            wanted
                .iter()
                .map(|one| find(&reader.index, account, mailbox, one))
                .collect()
        })
        .await
    }
}

fn find(
    index: &Connection,
    account: AccountId,
    mailbox: MailboxId,
    wanted: &Wanted,
) -> Result<Vec<Candidate>> {
    if let Some(object) = &wanted.object_id {
        let mut select = index.prepare_cached(BY_OBJECT)?;
        let rows = select.query_map(params![object, account.0, mailbox.0], read_candidate)?;
        let found: Vec<Candidate> = rows.take(MOST).collect::<rusqlite::Result<_>>()?;
        if !found.is_empty() {
            return Ok(found);
        }
    }
    let Some(id) = &wanted.message_id else {
        return Ok(Vec::new());
    };
    let mut select = index.prepare_cached(BY_MESSAGE_ID)?;
    let key = thread::build_key(account, id);
    let rows = select.query_map(params![key, id.0, account.0, mailbox.0], read_candidate)?;
    Ok(rows.take(MOST).collect::<rusqlite::Result<_>>()?)
}

fn read_candidate(row: &Row<'_>) -> rusqlite::Result<Candidate> {
    Ok(Candidate {
        message: MessageId(row.get(0)?),
        object_id: row.get(1)?,
        message_id: row.get::<_, Option<String>>(2)?.map(InternetMessageId),
        size: unsigned(row.get(3)?),
        received: time_at(row, 4)?,
        subject: row.get(5)?,
        from_email: row.get(6)?,
        placed: row.get(7)?,
    })
}

macro_rules! candidate {
    ($rest:literal) => {
        concat!(
            "SELECT m.id, m.object_id, m.message_id, coalesce(m.listed_size, m.size), m.received, m.subject,
                    m.from_email,
                    EXISTS (SELECT 1 FROM placement p WHERE p.mailbox = ",
            $rest
        )
    };
}

pub(crate) const BY_OBJECT: &str = candidate!(
    "?3 AND p.message = m.id)
     FROM message m WHERE m.object_id = ?1 AND +m.account = ?2 ORDER BY m.id"
);
pub(crate) const BY_MESSAGE_ID: &str = candidate!(
    "?4 AND p.message = m.id)
     FROM link l CROSS JOIN message m
     WHERE l.key = ?1 AND m.thread = l.thread AND m.message_id = ?2 AND +m.account = ?3 ORDER BY m.id"
);
pub(crate) const ADRIFT: &str = "SELECT p.message, m.message_id, coalesce(m.listed_size, m.size), m.subject,
        CASE WHEN m.message_id IS NULL THEN d.envelope END
     FROM placement p INDEXED BY placement_adrift CROSS JOIN message m CROSS JOIN message_detail d
     WHERE p.mailbox = ?1 AND p.uid IS NULL AND m.id = p.message AND d.message = p.message
     ORDER BY p.message";
pub(crate) const ADRIFT_COUNT: &str =
    "SELECT count(*) FROM placement INDEXED BY placement_adrift WHERE mailbox = ?1 AND uid IS NULL";
pub(crate) const ADRIFT_COUNTS: &str = "SELECT b.id,
        (SELECT count(*) FROM placement INDEXED BY placement_adrift WHERE mailbox = b.id AND uid IS NULL)
     FROM mailbox b WHERE b.account = ?1";

/// What the server calls the message; what is `None` stays as it was.
pub(crate) fn identify(
    tx: &Transaction<'_>,
    message: MessageId,
    object_id: Option<&str>,
    listed_size: Option<u64>,
) -> Result<()> {
    tx.prepare_cached(
        "UPDATE message SET object_id = coalesce(?2, object_id), listed_size = coalesce(?3, listed_size)
         WHERE id = ?1",
    )?
    .execute(params![message.0, object_id, listed_size.map(signed)])?;
    Ok(())
}

/// What the server calls the mailbox.
pub(crate) fn identify_mailbox(
    tx: &Transaction<'_>,
    mailbox: MailboxId,
    object_id: Option<&str>,
) -> Result<()> {
    tx.prepare_cached("UPDATE mailbox SET object_id = ?2 WHERE id = ?1")?
        .execute(params![mailbox.0, object_id])?;
    Ok(())
}
