//! Search by words, newest first. A few whole messages are indexed in the transaction that brings them; a flood of
//! them, and messages of which only the headers are here, behind the critical path: such mail is durable and listed
//! first, found later, and every answer says how much of it the index covers.
//!
//! The FTS5 table has no content: what it finds are message ids, and their order is the list's own. What the user
//! types never reaches FTS5 as syntax: see [`query`].

mod bigram;
mod query;

use std::collections::BTreeMap;
use std::sync::Arc;

use posthorn_model::query::Cursor;
use posthorn_model::{Address, Envelope, Flag, Hash, MailboxId, MessageId};
use rusqlite::{Connection, OptionalExtension, Transaction, TransactionBehavior, params};

pub use self::query::Typing;
use self::query::{Filter, Query};
use crate::column::{build_json, cut, hash_at, json_at, unsigned};
use crate::db::{Pace, Reader, Store, Writer};
use crate::error::{Error, Result};
use crate::listing::{ListRow, load_any_row, load_row};
use crate::raw;
use crate::write::NewBody;

#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct Hits {
    /// Newest first, each message once.
    pub rows: Vec<ListRow>,
    pub total: u64,
    /// False: there are more than `total`.
    pub total_is_exact: bool,
    pub coverage: Coverage,
}

/// How much a search can see.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub struct Coverage {
    pub messages: u64,
    /// Messages whose text is searched, not only their headers.
    pub bodies_indexed: u64,
    /// Messages that wait for [`Store::index_pending`].
    pub pending: u64,
}

/// What of a message's bytes is searched beside its headers: text, attachment names.
pub type TextOf = Arc<dyn Fn(&[u8]) -> String + Send + Sync>;

/// How many matches are looked at for the total.
const COUNT_LIMIT: u64 = 10_000;

impl Store {
    /// Words, "phrases", `word*`, `-word`, `from:`, `to:`, `subject:`, `is:unread`, `is:flagged`,
    /// `has:attachment`, `before:` and `after:` a day as 2024-11-02; all must hold.
    pub async fn search(&self, query: &str, typing: Typing, limit: usize) -> Result<Hits> {
        let query = query::parse(query, typing);
        self.read(Pace::Quick, move |reader| {
            let moment = reader.index.unchecked_transaction()?;
            find(&moment, &query, limit)
        })
        .await
    }

    pub async fn coverage(&self) -> Result<Coverage> {
        self.read(Pace::Quick, |reader| load_coverage(&reader.index))
            .await
    }

    /// Puts up to `limit` waiting messages into the index, newest first, and returns how many: 0 when none waits.
    /// `text_of` says what of a message's bytes is searched. The writer is busy for a twentieth of a second with
    /// some 100, so ask for no more at a time; with a megabyte of text they are fewer.
    pub async fn index_pending(&self, limit: usize, text_of: TextOf) -> Result<usize> {
        let waiting = self
            .read(Pace::Bulk, move |reader| load_waiting(reader, limit, &*text_of))
            .await?;
        if waiting.is_empty() {
            return Ok(0);
        }
        self.write(move |writer| index_waiting(writer, &waiting)).await
    }
}

fn load_coverage(index: &Connection) -> Result<Coverage> {
    let (messages, headers_only): (i64, i64) = index.query_row(
        "SELECT coalesce(sum(total), 0), coalesce(sum(headers_only), 0) FROM account",
        [],
        |row| Ok((row.get(0)?, row.get(1)?)),
    )?;
    let (pending, whole): (i64, i64) = index.query_row("SELECT total, whole FROM pending", [], |row| {
        Ok((row.get(0)?, row.get(1)?))
    })?;
    Ok(Coverage {
        messages: unsigned(messages),
        bodies_indexed: unsigned(messages - headers_only - whole),
        pending: unsigned(pending),
    })
}

/// A message that waits for the index, with what is searched in it.
struct Waiting {
    message: MessageId,
    whole: bool,
    envelope: Envelope,
    text: String,
}

/// Octets of text that are indexed together: the index gathers about so much before it writes.
const TOGETHER: usize = 1 << 20;

fn load_waiting(reader: &Reader, limit: usize, text_of: &dyn Fn(&[u8]) -> String) -> Result<Vec<Waiting>> {
    let mut select = reader.index.prepare_cached(
        "SELECT u.message, u.whole, d.envelope, m.hash FROM unindexed u JOIN message m ON m.id = u.message
         JOIN message_detail d ON d.message = u.message ORDER BY u.message DESC LIMIT ?1",
    )?;
    let limit = i64::try_from(limit).unwrap_or(i64::MAX);
    let mut rows = select.query([limit])?;
    let mut all = Vec::new();
    let mut octets = 0;
    while octets < TOGETHER
        && let Some(row) = rows.next()?
    {
        let whole: bool = row.get(1)?;
        let hash = hash_at(row, 3)?.filter(|_| whole);
        let text = hash.map_or(Ok(String::new()), |hash| load_text(reader, hash, text_of))?;
        octets += text.len();
        all.push(Waiting {
            message: MessageId(row.get(0)?),
            whole,
            envelope: json_at(row, 2)?,
            text,
        });
    }
    Ok(all)
}

/// Of a message that cannot be read back, only the headers are found: the check of the store tells of it.
fn load_text(reader: &Reader, hash: Hash, text_of: &dyn Fn(&[u8]) -> String) -> Result<String> {
    match raw::load(&reader.messages, &reader.dir, hash) {
        Ok(raw) => {
            let mut text = raw.map(|raw| text_of(&raw)).unwrap_or_default();
            text.truncate(cut(&text, INDEX_LIMIT).len());
            Ok(text)
        }
        Err(Error::Corrupt { what, .. }) => {
            log::error!("A message could not be read to be indexed: {what}.");
            Ok(String::new())
        }
        Err(error) => Err(error),
    }
}

fn index_waiting(writer: &mut Writer, waiting: &[Waiting]) -> Result<usize> {
    let tx = writer
        .index
        .transaction_with_behavior(TransactionBehavior::Immediate)?;
    let mut done = Vec::with_capacity(waiting.len());
    // Newest first is the order of the steps, not of the rows: at a row id below the last one FTS5 writes out all
    // that it has gathered, which would make each row a segment of its own.
    for one in waiting.iter().rev() {
        // It may have gone meanwhile, or its body may have come: then its turn comes again.
        let same: bool = tx
            .prepare_cached("SELECT EXISTS (SELECT 1 FROM unindexed WHERE message = ?1 AND whole = ?2)")?
            .query_row(params![one.message.0, one.whole], |row| row.get(0))?;
        if same {
            index_one(&tx, one.message, &one.envelope, &one.text)?;
            done.push(one.message);
        }
    }
    remove_waiting(&tx, done)?;
    tx.commit()?;
    Ok(waiting.len())
}

/// Only after all were indexed: the trigger of each makes a savepoint, at which FTS5 writes out all that it has
/// gathered.
fn remove_waiting(tx: &Transaction<'_>, done: impl IntoIterator<Item = MessageId>) -> Result<()> {
    let mut remove = tx.prepare_cached("DELETE FROM unindexed WHERE message = ?1")?;
    for message in done {
        remove.execute([message.0])?;
    }
    Ok(())
}

/// A hostile message may carry any amount of text: beyond this it is found by its first million characters.
const INDEX_LIMIT: usize = 1 << 20;

/// Indexes whole messages in the transaction that brings them, where their text is at hand: new mail is found as soon
/// as it is listed. The others wait for [`Store::index_pending`].
pub(crate) fn index_bodies(tx: &Transaction<'_>, bodies: &BTreeMap<MessageId, &NewBody>) -> Result<()> {
    let mut now = Vec::new();
    let mut later = Vec::new();
    for (message, body) in bodies {
        match &body.index_text {
            Some(text) => {
                index_one(tx, *message, &body.envelope, cut(text, INDEX_LIMIT))?;
                now.push(*message);
            }
            None => later.push(*message),
        }
    }
    remove_waiting(tx, now)?;
    postpone(tx, &later, true)
}

/// In one statement: each of its own would copy what its triggers write to be able to take it back.
pub(crate) fn postpone(tx: &Transaction<'_>, messages: &[MessageId], whole: bool) -> Result<()> {
    if messages.is_empty() {
        return Ok(());
    }
    tx.prepare_cached(
        "INSERT INTO unindexed (message, whole) SELECT value, ?2 FROM json_each(?1) WHERE true
         ON CONFLICT (message) DO UPDATE SET whole = max(whole, excluded.whole)",
    )?
    .execute(params![build_json(messages)?, whole])?;
    Ok(())
}

fn index_one(tx: &Transaction<'_>, message: MessageId, envelope: &Envelope, text: &str) -> Result<()> {
    // By its headers it may be there already.
    tx.prepare_cached("DELETE FROM search WHERE rowid = ?1")?
        .execute([message.0])?;
    let people = |all: &mut dyn Iterator<Item = &Address>| {
        let mut line = String::new();
        for address in all {
            line.push_str(address.name.as_deref().unwrap_or_default());
            line.push(' ');
            line.push_str(&address.email);
            line.push('\n');
        }
        line
    };
    let senders = people(
        &mut envelope
            .from
            .iter()
            .chain(&envelope.sender)
            .chain(&envelope.reply_to),
    );
    let recipients = people(&mut envelope.to.iter().chain(&envelope.cc).chain(&envelope.bcc));
    tx.prepare_cached(
        "INSERT INTO search (rowid, sender, recipients, subject, body) VALUES (?1, ?2, ?3, ?4, ?5)",
    )?
    .execute(params![
        message.0,
        bigram::spread(&senders),
        bigram::spread(&recipients),
        bigram::spread(&envelope.subject),
        bigram::spread(text),
    ])?;
    Ok(())
}

pub(crate) const MATCH: &str =
    "SELECT rowid FROM search WHERE search MATCH ?1 AND rowid >= ?2 AND rowid < ?3 ORDER BY rowid DESC";
pub(crate) const SCAN: &str =
    "SELECT id FROM message WHERE ?1 IS NULL AND id >= ?2 AND id < ?3 ORDER BY id DESC";

fn find(index: &Connection, query: &Query, limit: usize) -> Result<Hits> {
    let mut hits = Hits {
        coverage: load_coverage(index)?,
        total_is_exact: true,
        ..Hits::default()
    };
    if query.is_empty() {
        return Ok(hits);
    }
    let sql = if query.expression.is_some() { MATCH } else { SCAN };
    let mut select = index.prepare_cached(sql)?;
    let mut ids = select.query(params![query.expression, query.from.0, query.until.0])?;
    let mut seen = 0;
    while let Some(row) = ids.next()? {
        // With the page full, the rest is only for the total: counted to here, "more than" is as useful.
        if seen >= COUNT_LIMIT && hits.rows.len() >= limit {
            hits.total_is_exact = false;
            break;
        }
        seen += 1;
        let message = MessageId(row.get(0)?);
        let verdict = admit(index, query, message)?;
        if matches!(verdict, Verdict::Out) {
            continue;
        }
        hits.total += 1;
        if hits.rows.len() < limit {
            let found = match verdict {
                Verdict::In(mailbox) => load_row(index, Cursor { message, mailbox })?,
                _ => load_any_row(index, message)?,
            };
            hits.rows.extend(found);
        }
    }
    Ok(hits)
}

/// What the filters say of a message.
enum Verdict {
    Out,
    Anywhere,
    /// They ask for flags, and hold in this mailbox.
    In(MailboxId),
}

fn admit(index: &Connection, query: &Query, message: MessageId) -> Result<Verdict> {
    let (mut set, mut clear) = (0_u8, 0_u8);
    for filter in &query.filters {
        match filter {
            Filter::With(flag) => set |= flag.bit(),
            Filter::Without(flag) => clear |= flag.bit(),
            Filter::Attachment => {
                let has: Option<bool> = index
                    .prepare_cached("SELECT has_attachments FROM message WHERE id = ?1")?
                    .query_row([message.0], |row| row.get(0))
                    .optional()?;
                if has != Some(true) {
                    return Ok(Verdict::Out);
                }
            }
        }
    }
    if set | clear == 0 {
        return Ok(Verdict::Anywhere);
    }
    let mailbox: Option<i64> = index
        .prepare_cached(
            "SELECT mailbox FROM placement WHERE message = ?1 AND flags & ?2 = ?2 AND flags & ?3 = 0
             ORDER BY mailbox LIMIT 1",
        )?
        .query_row(params![message.0, set, clear], |row| row.get(0))
        .optional()?;
    Ok(mailbox.map_or(Verdict::Out, |mailbox| Verdict::In(MailboxId(mailbox))))
}

/// What `is:` may ask for.
const FLAG_WORDS: [(&str, Filter); 8] = [
    ("unread", Filter::Without(Flag::Seen)),
    ("read", Filter::With(Flag::Seen)),
    ("seen", Filter::With(Flag::Seen)),
    ("flagged", Filter::With(Flag::Flagged)),
    ("starred", Filter::With(Flag::Flagged)),
    ("answered", Filter::With(Flag::Answered)),
    ("draft", Filter::With(Flag::Draft)),
    ("deleted", Filter::With(Flag::Deleted)),
];
