//! Messages: content, stored once, however many mailboxes hold it.

use std::collections::BTreeSet;

use posthorn_model::{
    AccountId, Address, BodyState, Envelope, Hash, InternetMessageId, MailboxId, MessageId, Part, ThreadId,
    Timestamp, Uid,
};
use rusqlite::{OptionalExtension, Row, Transaction, params};

use crate::column::{build_json, cut, hash_at, json_at, signed, time_at, uid_at, unsigned};
use crate::db::{Pace, Reader, Store};
use crate::error::{Error, Result};
use crate::thread;
use crate::write::{NewBody, NewMessage};

/// Everything known of one message but its raw bytes.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct MessageRecord {
    pub id: MessageId,
    pub account: AccountId,
    pub thread: ThreadId,
    pub envelope: Envelope,
    /// `Some` exactly where the body is whole.
    pub hash: Option<Hash>,
    pub size: u64,
    pub body: BodyState,
    pub has_attachments: bool,
    pub parts: Vec<Part>,
    pub defects: Vec<String>,
    pub preview: String,
    /// To sort by: see `Envelope::sort_date`.
    pub date: Timestamp,
    pub received: Option<Timestamp>,
}

/// A message whose body has not been fetched.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct WithoutBody {
    pub message: MessageId,
    pub mailbox: MailboxId,
    /// `None`: no server holds it under a UID (POP3: see the ledger).
    pub uid: Option<Uid>,
    pub size: u64,
    /// As its headers said: a body that says another is not this message's.
    pub message_id: Option<InternetMessageId>,
    /// When the server received it.
    pub received: Option<Timestamp>,
}

/// Which bodies to look for, newest first.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Missing {
    pub mailbox: MailboxId,
    /// Only older ones than this.
    pub before: Option<MessageId>,
    /// Only this one and newer ones.
    pub from: Option<MessageId>,
    pub limit: usize,
}

/// Which messages to look through.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Scope {
    Account(AccountId),
    Mailbox(MailboxId),
}

impl Store {
    pub async fn message(&self, id: MessageId) -> Result<Option<MessageRecord>> {
        self.read(Pace::Quick, move |reader| load(reader, id)).await
    }

    /// Newest first.
    pub async fn messages_without_body(&self, scope: Scope, limit: usize) -> Result<Vec<WithoutBody>> {
        self.read(Pace::Quick, move |reader| load_without_body(reader, scope, limit))
            .await
    }

    /// Messages of a mailbox that have a UID there and no body here, newest first, some at a time.
    /// Not behind what is being kept: the connection stands idle until it knows.
    pub async fn bodies_missing(&self, missing: Missing) -> Result<Vec<WithoutBody>> {
        self.read(Pace::Quick, move |reader| {
            let mut select = reader.index.prepare_cached(BODIES_MISSING)?;
            let rows = select.query_map(
                params![
                    missing.mailbox.0,
                    missing.from.map_or(i64::MIN, |id| id.0),
                    missing.before.map_or(i64::MAX, |id| id.0),
                    i64::try_from(missing.limit).unwrap_or(i64::MAX),
                ],
                read_without_body,
            )?;
            Ok(rows.collect::<rusqlite::Result<_>>()?)
        })
        .await
    }

    /// All that carry this Message-ID: senders may repeat it.
    pub async fn find_by_message_id(
        &self,
        account: AccountId,
        id: &InternetMessageId,
    ) -> Result<Vec<(MessageId, u64, Timestamp)>> {
        let id = id.clone();
        self.read(Pace::Quick, move |reader| {
            let mut select = reader.index.prepare_cached(BY_MESSAGE_ID)?;
            let key = thread::build_key(account, &id);
            let rows = select.query_map(params![key, id.0, account.0], |row| {
                let message = MessageId(row.get(0)?);
                Ok((message, unsigned(row.get(1)?), message.date()))
            })?;
            Ok(rows.collect::<rusqlite::Result<_>>()?)
        })
        .await
    }

    /// Messages of one account with exactly these raw bytes.
    pub async fn find_by_hash(&self, account: AccountId, hash: Hash) -> Result<Vec<MessageId>> {
        self.read(Pace::Quick, move |reader| {
            let mut select = reader.index.prepare_cached(BY_HASH)?;
            let rows = select.query_map(params![hash.0, account.0], |row| Ok(MessageId(row.get(0)?)))?;
            Ok(rows.collect::<rusqlite::Result<_>>()?)
        })
        .await
    }
}

fn load(reader: &Reader, id: MessageId) -> Result<Option<MessageRecord>> {
    let mut select = reader.index.prepare_cached(
        "SELECT m.account, m.thread, d.envelope, m.hash, m.size, m.has_attachments, d.parts, d.defects, m.preview,
                m.received
         FROM message m JOIN message_detail d ON d.message = m.id WHERE m.id = ?1",
    )?;
    let read = |row: &Row<'_>| {
        let hash = hash_at(row, 3)?;
        Ok(MessageRecord {
            id,
            account: AccountId(row.get(0)?),
            thread: ThreadId(row.get(1)?),
            envelope: json_at(row, 2)?,
            hash,
            size: unsigned(row.get(4)?),
            body: body_state(hash.is_some()),
            has_attachments: row.get(5)?,
            parts: json_at(row, 6)?,
            defects: json_at(row, 7)?,
            preview: row.get(8)?,
            date: id.date(),
            received: time_at(row, 9)?,
        })
    };
    Ok(select.query_row([id.0], read).optional()?)
}

pub(crate) const fn body_state(whole: bool) -> BodyState {
    if whole {
        BodyState::Whole
    } else {
        BodyState::Headers
    }
}

fn load_without_body(reader: &Reader, scope: Scope, limit: usize) -> Result<Vec<WithoutBody>> {
    let (account, mailbox) = match scope {
        Scope::Account(account) => (account.0, None),
        Scope::Mailbox(mailbox) => {
            let account = reader
                .index
                .prepare_cached("SELECT account FROM mailbox WHERE id = ?1")?
                .query_row([mailbox.0], |row| row.get(0))
                .optional()?;
            let Some(account) = account else {
                return Ok(Vec::new());
            };
            (account, Some(mailbox.0))
        }
    };
    // A mailbox where a UID is known first; the partial index holds only what is missing.
    let mut select = reader.index.prepare_cached(WITHOUT_BODY)?;
    let limit = i64::try_from(limit).unwrap_or(i64::MAX);
    let rows = select.query_map(params![account, mailbox, limit], read_without_body)?;
    Ok(rows.collect::<rusqlite::Result<_>>()?)
}

fn read_without_body(row: &Row<'_>) -> rusqlite::Result<WithoutBody> {
    Ok(WithoutBody {
        message: MessageId(row.get(0)?),
        mailbox: MailboxId(row.get(1)?),
        uid: uid_at(row, 2)?,
        size: unsigned(row.get(3)?),
        message_id: row.get::<_, Option<String>>(4)?.map(InternetMessageId),
        received: row.get::<_, Option<i64>>(5)?.map(Timestamp),
    })
}

/// The plus keeps the planner from walking the whole account instead.
pub(crate) const BY_HASH: &str = "SELECT id FROM message WHERE hash = ?1 AND +account = ?2 ORDER BY id";
pub(crate) const BY_MESSAGE_ID: &str = "SELECT m.id, m.size FROM link l CROSS JOIN message m
     WHERE l.key = ?1 AND m.thread = l.thread AND m.message_id = ?2 AND +m.account = ?3 ORDER BY m.id";
pub(crate) const WITHOUT_BODY: &str = "SELECT m.id, p.mailbox, p.uid, m.size, m.message_id, m.received
     FROM message m CROSS JOIN placement p
     WHERE m.account = ?1 AND m.hash IS NULL AND p.message = m.id
       AND p.mailbox = coalesce(?2,
           (SELECT min(o.mailbox) FROM placement o WHERE o.message = m.id AND o.uid IS NOT NULL),
           (SELECT min(o.mailbox) FROM placement o WHERE o.message = m.id))
     ORDER BY m.id DESC LIMIT ?3";

/// The partial index holds only what is missing: looking for it costs nothing where nothing is.
pub(crate) const BODIES_MISSING: &str = "SELECT m.id, p.mailbox, p.uid, m.size, m.message_id, m.received
     FROM mailbox b CROSS JOIN message m CROSS JOIN placement p
     WHERE b.id = ?1 AND m.account = b.account AND m.hash IS NULL AND m.id >= ?2 AND m.id < ?3
       AND p.mailbox = b.id AND p.message = m.id AND p.uid IS NOT NULL
     ORDER BY m.id DESC LIMIT ?4";

/// The most authors that a row names: nobody reads more, and a header may hold thousands.
pub(crate) const AUTHORS: usize = 50;

/// The columns that a list shows, from an envelope.
struct Shown<'a> {
    message_id: Option<&'a str>,
    from: Option<&'a Address>,
    co_authors: String,
    recipients: String,
    subject: &'a str,
}

fn build_shown(envelope: &Envelope) -> Result<Shown<'_>> {
    let recipients: Vec<&Address> = envelope.to.iter().take(3).collect();
    let co_authors: Vec<&Address> = envelope.from.iter().take(AUTHORS).skip(1).collect();
    Ok(Shown {
        message_id: envelope.message_id.as_ref().map(|id| id.0.as_str()),
        from: envelope.from.first(),
        co_authors: build_json(&co_authors)?,
        recipients: build_json(&recipients)?,
        subject: cut(&envelope.subject, 1000),
    })
}

/// JSON carries times as RFC 3339: a year beyond 9999 has none and says nothing anyway.
fn build_envelope(envelope: &Envelope) -> Result<String> {
    let odd = |date: Timestamp| Timestamp::parse_rfc3339(&date.to_string()) != Some(date);
    if envelope.date.is_some_and(odd) {
        let plain = Envelope {
            date: None,
            ..envelope.clone()
        };
        return Ok(build_json(&plain)?);
    }
    Ok(build_json(envelope)?)
}

pub(crate) fn add(tx: &Transaction<'_>, message: &NewMessage, gone: &mut BTreeSet<ThreadId>) -> Result<()> {
    let body = message.body.as_ref();
    if body.is_some_and(|body| body.message != message.id) {
        return Err(Error::Bug(format!(
            "message {} came with another's body",
            message.id
        )));
    }
    let envelope = body.map_or(&message.envelope, |body| &body.envelope);
    let thread = thread::assign(tx, message.account, envelope, None, gone)?;
    let shown = build_shown(envelope)?;
    tx.prepare_cached(
        "INSERT INTO message (id, account, thread, message_id, from_name, from_email, recipients, subject, preview,
             received, size, hash, has_attachments, co_authors)
         VALUES (?1, ?2, ?3, ?4, ?5, ?6, ?7, ?8, ?9, ?10, ?11, ?12, ?13, ?14)",
    )?
    .execute(params![
        message.id.0,
        message.account.0,
        thread.0,
        shown.message_id,
        shown.from.and_then(|from| from.name.as_deref()),
        shown.from.map(|from| from.email.as_str()),
        shown.recipients,
        shown.subject,
        body.map_or("", |body| cut(&body.preview, 300)),
        message.received.map(|at| at.0),
        signed(body.map_or(message.size, |body| body.size)),
        body.map(|body| body.hash.0),
        body.map_or(message.has_attachments, has_attachments),
        shown.co_authors,
    ])?;
    tx.prepare_cached(
        "INSERT INTO message_detail (message, envelope, parts, defects) VALUES (?1, ?2, ?3, ?4)",
    )?
    .execute(params![
        message.id.0,
        build_envelope(envelope)?,
        build_json(body.map_or(&[][..], |body| &body.parts[..]))?,
        build_json(body.map_or(&[][..], |body| &body.defects[..]))?,
    ])?;
    Ok(())
}

/// False where the message is not here any more: it was removed while its body was on the way.
pub(crate) fn set_body(tx: &Transaction<'_>, body: &NewBody, gone: &mut BTreeSet<ThreadId>) -> Result<bool> {
    let envelope = build_envelope(&body.envelope)?;
    let known: Option<bool> = tx
        .prepare_cached("SELECT envelope = ?2 FROM message_detail WHERE message = ?1")?
        .query_row(params![body.message.0, envelope], |row| row.get(0))
        .optional()?;
    let Some(same) = known else {
        return Ok(false);
    };
    // Mostly it says what its headers said: then what is sorted by that stays as it is.
    if !same {
        set_envelope(tx, body.message, &body.envelope, &envelope, gone)?;
    }
    // Or fail: what one batch does is taken back whole, so that a statement need not be able to take back its own.
    tx.prepare_cached(
        "UPDATE OR FAIL message SET preview = ?2, size = ?3, hash = ?4, has_attachments = ?5,
             listed_size = coalesce(listed_size, nullif(size, ?3)) WHERE id = ?1",
    )?
    .execute(params![
        body.message.0,
        cut(&body.preview, 300),
        signed(body.size),
        body.hash.0,
        has_attachments(body),
    ])?;
    tx.prepare_cached("UPDATE message_detail SET parts = ?2, defects = ?3 WHERE message = ?1")?
        .execute(params![
            body.message.0,
            build_json(&body.parts)?,
            build_json(&body.defects)?,
        ])?;
    Ok(true)
}

fn set_envelope(
    tx: &Transaction<'_>,
    message: MessageId,
    envelope: &Envelope,
    json: &str,
    gone: &mut BTreeSet<ThreadId>,
) -> Result<()> {
    let (account, current): (i64, i64) = tx
        .prepare_cached("SELECT account, thread FROM message WHERE id = ?1")?
        .query_row([message.0], |row| Ok((row.get(0)?, row.get(1)?)))?;
    let thread = thread::assign(tx, AccountId(account), envelope, Some(ThreadId(current)), gone)?;
    let shown = build_shown(envelope)?;
    tx.prepare_cached(
        "UPDATE message SET thread = ?2, message_id = ?3, from_name = ?4, from_email = ?5, recipients = ?6,
             subject = ?7, co_authors = ?8 WHERE id = ?1",
    )?
    .execute(params![
        message.0,
        thread.0,
        shown.message_id,
        shown.from.and_then(|from| from.name.as_deref()),
        shown.from.map(|from| from.email.as_str()),
        shown.recipients,
        shown.subject,
        shown.co_authors,
    ])?;
    tx.prepare_cached("UPDATE message_detail SET envelope = ?2 WHERE message = ?1")?
        .execute(params![message.0, json])?;
    Ok(())
}

/// What a list marks with a paper clip: parts that are neither the text nor shown within it.
fn has_attachments(body: &NewBody) -> bool {
    body.parts.iter().any(|part| {
        let structure = part.content_type.starts_with("text/") || part.content_type.starts_with("multipart/");
        !part.inline && (part.name.is_some() || !structure)
    })
}

/// Removes a message that no mailbox holds, and its thread where it was the last. False where one holds it.
pub(crate) fn forget_unplaced(tx: &Transaction<'_>, id: MessageId) -> Result<bool> {
    let placed: bool = tx
        .prepare_cached("SELECT EXISTS (SELECT 1 FROM placement WHERE message = ?1)")?
        .query_row([id.0], |row| row.get(0))?;
    if placed {
        return Ok(false);
    }
    let thread: Option<i64> = tx
        .prepare_cached("SELECT thread FROM message WHERE id = ?1")?
        .query_row([id.0], |row| row.get(0))
        .optional()?;
    if let Some(thread) = thread {
        tx.prepare_cached("DELETE FROM message WHERE id = ?1")?
            .execute([id.0])?;
        tx.prepare_cached("DELETE FROM thread WHERE id = ?1 AND total = 0")?
            .execute([thread])?;
    }
    Ok(true)
}
