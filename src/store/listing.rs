//! Lists, newest first: the hot path.
//!
//! A page is found in two steps: its keys by walking an index backwards from a cursor, then its rows one look-up
//! each. Where a page starts in the whole list, and where row n lies, come from counts kept for spans of time
//! ([`span`]), so that neither counts rows one by one.

#[cfg(test)]
mod explain;
mod span;

pub(crate) use self::span::SHIFT;
use posthorn_model::query::{Cursor, PageStart, View};
use posthorn_model::{
    AccountId, Address, BodyState, Flags, InternetMessageId, MailboxId, MessageId, Protocol, ThreadId,
    Timestamp, Uid,
};
use rusqlite::{Connection, OptionalExtension, Row, params};

use crate::column::{build_address, flags_at, json_at, narrow, protocol_at, uid_at, unsigned};
use crate::db::{Pace, Store};
use crate::error::Result;
use crate::ledger::{self, LedgerMark};
use crate::message::{AUTHORS, body_state};

/// One row of a list: what it shows, owned.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct ListRow {
    pub message: MessageId,
    /// In a list of all messages, one of those that hold it.
    pub mailbox: MailboxId,
    pub account: AccountId,
    /// All authors, of very many the first.
    pub from: Vec<Address>,
    /// The first few.
    pub to: Vec<Address>,
    pub subject: String,
    /// To sort by, and to show.
    pub date: Timestamp,
    pub size: u64,
    pub flags: Flags,
    pub has_attachments: bool,
    pub preview: String,
    pub body: BodyState,
    pub thread: ThreadId,
    /// Messages of the thread, this one included.
    pub thread_count: u32,
    pub message_id: Option<InternetMessageId>,
    /// `None`: an IMAP server does not hold it here (yet).
    pub uid: Option<Uid>,
    /// The mailbox is on no server.
    pub local: bool,
    /// Where it came by POP3: what the maildrop is known to hold of it.
    pub ledger: Option<LedgerMark>,
}

impl ListRow {
    #[must_use]
    pub const fn cursor(&self) -> Cursor {
        Cursor {
            message: self.message,
            mailbox: self.mailbox,
        }
    }
}

#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct Page {
    pub rows: Vec<ListRow>,
    /// How many rows of the list stand above the first.
    pub first: u64,
    /// Rows of the whole list.
    pub total: u64,
    /// Where the next page starts; `None` at the end.
    pub next: Option<Cursor>,
}

#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub struct Counts {
    /// Rows of the list.
    pub total: u64,
    /// Unread placements in its mailboxes.
    pub unread: u64,
}

/// The most rows of one page: more is a mistake of the caller's.
const PAGE_LIMIT: usize = 5_000;
/// The most messages of one conversation: the newest.
const THREAD_LIMIT: i64 = 1_000;

impl Store {
    /// Rows, position and total are of one moment.
    pub async fn page(&self, view: View, start: PageStart, limit: usize) -> Result<Page> {
        self.read(Pace::Quick, move |reader| {
            let moment = reader.index.unchecked_transaction()?;
            load_page(&moment, view, start, limit)
        })
        .await
    }

    /// The row of a message in one of its mailboxes.
    pub async fn row(&self, message: MessageId) -> Result<Option<ListRow>> {
        self.read(Pace::Quick, move |reader| load_any_row(&reader.index, message))
            .await
    }

    /// The rows at these places; those that are gone are left out.
    pub async fn rows(&self, at: Vec<Cursor>) -> Result<Vec<ListRow>> {
        self.read(Pace::Quick, move |reader| {
            let rows = at.iter().map(|at| load_row(&reader.index, *at).transpose());
            rows.flatten().collect()
        })
        .await
    }

    /// The messages of a conversation, oldest first; of a very long one its newest thousand.
    pub async fn thread(&self, thread: ThreadId) -> Result<Vec<ListRow>> {
        self.read(Pace::Quick, move |reader| load_thread(&reader.index, thread))
            .await
    }

    pub async fn counts(&self, view: View) -> Result<Counts> {
        self.read(Pace::Quick, move |reader| load_counts(&reader.index, view))
            .await
    }
}

/// The two kinds of list: of placements in some mailboxes, or of messages.
enum Source {
    Placements(Vec<MailboxId>),
    /// `None`: of all accounts.
    Messages(Option<AccountId>),
}

fn load_source(index: &Connection, view: View) -> Result<Source> {
    Ok(match view {
        View::Mailbox(mailbox) => Source::Placements(vec![mailbox]),
        View::Account(account) => Source::Messages(Some(account)),
        View::All => Source::Messages(None),
        View::Inbox => {
            let mut select =
                index.prepare_cached("SELECT id FROM mailbox WHERE special_use = 'inbox' ORDER BY id")?;
            let rows = select.query_map([], |row| Ok(MailboxId(row.get(0)?)))?;
            Source::Placements(rows.collect::<rusqlite::Result<_>>()?)
        }
    })
}

fn load_page(index: &Connection, view: View, start: PageStart, limit: usize) -> Result<Page> {
    let limit = limit.clamp(1, PAGE_LIMIT);
    let source = load_source(index, view)?;
    let total = load_counts(index, view)?.total;
    let top = Cursor {
        message: MessageId(i64::MAX),
        mailbox: MailboxId(i64::MAX),
    };
    let (first, below, skip) = match start {
        PageStart::Newest => (0, top, 0),
        PageStart::Before(cursor) => (span::count_through(index, &source, cursor)?, cursor, 0),
        PageStart::Row(row) => match span::find_row(index, &source, row)? {
            Some((below, skip)) => (row, below, skip),
            None => (total, top, usize::MAX),
        },
    };
    let mut page = Page {
        first,
        total,
        ..Page::default()
    };
    if skip < usize::MAX {
        for key in load_keys(index, &source, below, skip, limit)? {
            page.rows.extend(load_row(index, key)?);
        }
    }
    let shown = u64::try_from(page.rows.len()).unwrap_or(u64::MAX);
    if first.saturating_add(shown) < total {
        page.next = page.rows.last().map(ListRow::cursor);
    }
    Ok(page)
}

/// `limit` keys below a place, after leaving out `skip`. The order is (message, mailbox), descending.
fn load_keys(
    index: &Connection,
    source: &Source,
    below: Cursor,
    skip: usize,
    limit: usize,
) -> Result<Vec<Cursor>> {
    let wanted = i64::try_from(skip.saturating_add(limit)).unwrap_or(i64::MAX);
    let mut keys = Vec::new();
    match source {
        Source::Placements(mailboxes) => {
            let mut select = index.prepare_cached(MAILBOX_KEYS)?;
            for mailbox in mailboxes {
                // The largest message id that stands below the place in this mailbox.
                let highest = below
                    .message
                    .0
                    .saturating_sub(i64::from(*mailbox >= below.mailbox));
                let rows = select.query_map([mailbox.0, highest, wanted], |row| {
                    Ok(Cursor {
                        message: MessageId(row.get(0)?),
                        mailbox: *mailbox,
                    })
                })?;
                for row in rows {
                    keys.push(row?);
                }
            }
            if mailboxes.len() > 1 {
                keys.sort_unstable_by(|a, b| b.cmp(a));
            }
        }
        Source::Messages(account) => {
            let read = |row: &Row<'_>| {
                Ok(Cursor {
                    message: MessageId(row.get(0)?),
                    mailbox: MailboxId(row.get::<_, Option<i64>>(1)?.unwrap_or_default()),
                })
            };
            let highest = below.message.0.saturating_sub(1);
            let (sql, account) = match account {
                Some(account) => (ACCOUNT_KEYS, account.0),
                None => (ALL_KEYS, 0),
            };
            let mut select = index.prepare_cached(sql)?;
            for row in select.query_map([account, highest, wanted], read)? {
                keys.push(row?);
            }
        }
    }
    Ok(keys.into_iter().skip(skip).take(limit).collect())
}

pub(crate) const MAILBOX_KEYS: &str =
    "SELECT message FROM placement WHERE mailbox = ?1 AND message <= ?2 ORDER BY message DESC LIMIT ?3";
pub(crate) const ACCOUNT_KEYS: &str =
    "SELECT m.id, (SELECT min(p.mailbox) FROM placement p WHERE p.message = m.id) FROM message m
     WHERE m.account = ?1 AND m.id <= ?2 ORDER BY m.id DESC LIMIT ?3";
/// `?1` is not used: one shape of parameters for both.
pub(crate) const ALL_KEYS: &str =
    "SELECT m.id, (SELECT min(p.mailbox) FROM placement p WHERE p.message = m.id) FROM message m
     WHERE m.id <= ?2 AND ?1 = 0 ORDER BY m.id DESC LIMIT ?3";
pub(crate) const ROW: &str =
    "SELECT m.account, m.from_name, m.from_email, m.recipients, m.subject, m.preview, m.size, m.hash IS NOT NULL,
            m.has_attachments, m.thread, t.total, m.message_id, p.uid, p.flags, p.keywords, b.local, a.protocol,
            coalesce(m.co_authors,
                (SELECT json_remove(json_extract(d.envelope, '$.from'), '$[0]') FROM message_detail d
                 WHERE d.message = m.id AND json_valid(d.envelope)),
                '[]')
     FROM placement p
     CROSS JOIN message m ON m.id = p.message
     CROSS JOIN thread t ON t.id = m.thread
     CROSS JOIN mailbox b ON b.id = p.mailbox
     CROSS JOIN account a ON a.id = m.account
     WHERE p.mailbox = ?1 AND p.message = ?2";

pub(crate) fn load_row(index: &Connection, at: Cursor) -> Result<Option<ListRow>> {
    let mut select = index.prepare_cached(ROW)?;
    let found = select
        .query_row([at.mailbox.0, at.message.0], |row| read_row(row, at))
        .optional()?;
    let Some((mut row, protocol)) = found else {
        return Ok(None);
    };
    if protocol == Protocol::Pop3 {
        row.ledger = ledger::load_mark(index, at.message)?;
    }
    Ok(Some(row))
}

fn read_row(row: &Row<'_>, at: Cursor) -> rusqlite::Result<(ListRow, Protocol)> {
    let mut from: Vec<Address> = build_address(row.get(1)?, row.get(2)?).into_iter().collect();
    from.extend(json_at::<Vec<Address>>(row, 17)?);
    from.truncate(AUTHORS);
    let list = ListRow {
        message: at.message,
        mailbox: at.mailbox,
        account: AccountId(row.get(0)?),
        from,
        to: json_at(row, 3)?,
        subject: row.get(4)?,
        date: at.message.date(),
        preview: row.get(5)?,
        size: unsigned(row.get(6)?),
        body: body_state(row.get(7)?),
        has_attachments: row.get(8)?,
        thread: ThreadId(row.get(9)?),
        thread_count: narrow(row.get(10)?),
        message_id: row.get::<_, Option<String>>(11)?.map(InternetMessageId),
        uid: uid_at(row, 12)?,
        flags: flags_at(row, 13)?,
        local: row.get(15)?,
        ledger: None,
    };
    Ok((list, protocol_at(row, 16)?))
}

pub(crate) fn load_any_row(index: &Connection, message: MessageId) -> Result<Option<ListRow>> {
    let mailbox: Option<i64> = index
        .prepare_cached("SELECT min(mailbox) FROM placement WHERE message = ?1")?
        .query_row([message.0], |row| row.get(0))?;
    match mailbox {
        Some(mailbox) => load_row(
            index,
            Cursor {
                message,
                mailbox: MailboxId(mailbox),
            },
        ),
        None => Ok(None),
    }
}

fn load_thread(index: &Connection, thread: ThreadId) -> Result<Vec<ListRow>> {
    let mut select =
        index.prepare_cached("SELECT id FROM message WHERE thread = ?1 ORDER BY id DESC LIMIT ?2")?;
    let ids = select.query_map(params![thread.0, THREAD_LIMIT], |row| Ok(MessageId(row.get(0)?)))?;
    let mut rows = Vec::new();
    for id in ids {
        rows.extend(load_any_row(index, id?)?);
    }
    rows.reverse();
    Ok(rows)
}

fn load_counts(index: &Connection, view: View) -> Result<Counts> {
    let (sql, of) = match view {
        View::Mailbox(mailbox) => ("SELECT total, unread FROM mailbox WHERE id = ?1", mailbox.0),
        View::Inbox => (
            "SELECT coalesce(sum(total), 0), coalesce(sum(unread), 0) FROM mailbox
             WHERE special_use = 'inbox' AND ?1 = 0",
            0,
        ),
        View::Account(account) => (
            "SELECT a.total, coalesce((SELECT sum(b.unread) FROM mailbox b WHERE b.account = a.id), 0)
             FROM account a WHERE a.id = ?1",
            account.0,
        ),
        View::All => (
            "SELECT coalesce(sum(a.total), 0), coalesce((SELECT sum(b.unread) FROM mailbox b), 0)
             FROM account a WHERE ?1 = 0",
            0,
        ),
    };
    let counts = index
        .prepare_cached(sql)?
        .query_row([of], |row| {
            Ok(Counts {
                total: unsigned(row.get(0)?),
                unread: unsigned(row.get(1)?),
            })
        })
        .optional()?;
    Ok(counts.unwrap_or_default())
}
