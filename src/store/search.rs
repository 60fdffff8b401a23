//! Search by words, newest first. Whole messages are indexed in the transaction that brings them; of others the
//! headers are, behind the critical path: such mail is listed first, found later, and every answer says how much of
//! it the index covers.
//!
//! The FTS5 table has no content: what it finds are message ids, and their order is the list's own. What the user
//! types never reaches FTS5 as syntax: see [`query`].

mod bigram;
mod query;

use std::collections::BTreeMap;

use posthorn_model::query::Cursor;
use posthorn_model::{Address, Envelope, Flag, MailboxId, MessageId};
use rusqlite::{Connection, OptionalExtension, Transaction, TransactionBehavior, params};

pub use self::query::Typing;
use self::query::{Filter, Query};
use crate::column::{cut, json_at, unsigned};
use crate::db::{Pace, Store, Writer};
use crate::error::Result;
use crate::listing::{ListRow, load_any_row, load_row};
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
    /// About 2,000 a second; the writer is busy meanwhile, so ask for some 100 at a time.
    pub async fn index_pending(&self, limit: usize) -> Result<usize> {
        self.write(move |writer| index_pending(writer, limit)).await
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

fn index_pending(writer: &mut Writer, limit: usize) -> Result<usize> {
    let tx = writer
        .index
        .transaction_with_behavior(TransactionBehavior::Immediate)?;
    let limit = i64::try_from(limit).unwrap_or(i64::MAX);
    let mut done = 0;
    {
        let mut waiting = tx.prepare_cached(
            "SELECT u.message, d.envelope, u.text FROM unindexed u JOIN message_detail d ON d.message = u.message
             ORDER BY u.message DESC LIMIT ?1",
        )?;
        let rows = waiting.query_map([limit], |row| {
            Ok((
                MessageId(row.get(0)?),
                json_at::<Envelope>(row, 1)?,
                row.get::<_, String>(2)?,
            ))
        })?;
        // Read before the table is written to.
        let rows: Vec<_> = rows.collect::<rusqlite::Result<_>>()?;
        // Newest first is the order of the steps, not of the rows: at a row id below the last one FTS5 writes out all
        // that it has gathered, which would make each row a segment of its own.
        for (message, envelope, text) in rows.iter().rev() {
            index_one(&tx, *message, envelope, text)?;
        }
        // Only now: the trigger of each makes a savepoint, at which FTS5 writes out all that it has gathered.
        let mut remove = tx.prepare_cached("DELETE FROM unindexed WHERE message = ?1")?;
        for (message, ..) in &rows {
            done += remove.execute([message.0])?;
        }
    }
    tx.commit()?;
    Ok(done)
}

/// A hostile message may carry any amount of text: beyond this it is found by its first million characters.
const INDEX_LIMIT: usize = 1 << 20;

/// Puts whole messages into the index, in the transaction that brings them: their text is at hand, and a list that
/// shows them already loses nothing by it.
pub(crate) fn index_bodies(tx: &Transaction<'_>, bodies: &BTreeMap<MessageId, &NewBody>) -> Result<()> {
    for (message, body) in bodies {
        index_one(tx, *message, &body.envelope, cut(&body.index_text, INDEX_LIMIT))?;
    }
    let mut remove = tx.prepare_cached("DELETE FROM unindexed WHERE message = ?1")?;
    for message in bodies.keys() {
        remove.execute([message.0])?;
    }
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
