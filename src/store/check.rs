//! Is everything well? Integrity of both files, and agreement of what the store keeps twice.

use std::path::Path;

use posthorn_model::Hash;
use rusqlite::Connection;

use crate::column::required_hash_at;
use crate::db::{Pace, Reader, Store, suspect_mark};
use crate::error::{File, Result};
use crate::raw;

/// How closely to look.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Depth {
    /// Both databases' structure, references, counts.
    Structure,
    /// Also every raw message, read back and hashed.
    Bytes,
}

impl Store {
    /// What is wrong, one line each; empty where all is well. Takes long on a large store.
    pub async fn check(&self, depth: Depth) -> Result<Vec<String>> {
        self.read(Pace::Bulk, move |reader| check_all(reader, depth))
            .await
    }
}

/// Remembers for the next start that the file could not be read in places.
pub(crate) fn suspect(dir: &Path, file: File) {
    let mark = suspect_mark(dir, file);
    log::error!("{file} could not be read in places; the next start looks at all of it.");
    if let Err(error) = std::fs::write(&mark, b"") {
        log::warn!("{} could not be written: {error}.", mark.display());
    }
}

fn check_all(reader: &Reader, depth: Depth) -> Result<Vec<String>> {
    let mut wrong = Vec::new();
    for (file, connection) in [(File::Index, &reader.index), (File::Messages, &reader.messages)] {
        let found = check_file(connection, "PRAGMA integrity_check(20)")
            .map_err(|error| crate::Error::sqlite(&error, file))?;
        wrong.extend(found.into_iter().map(|line| format!("{file}: {line}")));
    }
    let moment = reader.index.unchecked_transaction()?;
    for (what, sql) in AGREEMENTS {
        let count: i64 = moment.query_row(sql, [], |row| row.get(0))?;
        if count != 0 {
            wrong.push(format!("{count} {what}"));
        }
    }
    check_bodies(reader, &moment, depth, &mut wrong)?;
    Ok(wrong)
}

/// Lines of trouble, without SQLite's "ok".
pub(crate) fn check_file(connection: &Connection, pragma: &str) -> rusqlite::Result<Vec<String>> {
    let mut lines = Vec::new();
    {
        let mut check = connection.prepare(pragma)?;
        let rows = check.query_map([], |row| row.get::<_, String>(0))?;
        for row in rows {
            lines.push(row?);
        }
    }
    lines.retain(|line| line != "ok");
    let mut references = connection.prepare("PRAGMA foreign_key_check")?;
    let rows = references.query_map([], |row| row.get::<_, String>(0))?;
    for row in rows.take(20) {
        lines.push(format!("a row of {} refers to nothing", row?));
    }
    Ok(lines)
}

const AGREEMENTS: &[(&str, &str)] = &[
    (
        "mailboxes count their messages wrongly",
        "SELECT count(*) FROM mailbox b WHERE total <> (SELECT count(*) FROM placement WHERE mailbox = b.id)
             OR unread <> (SELECT count(*) FROM placement WHERE mailbox = b.id AND flags & 1 = 0)",
    ),
    (
        "accounts count their messages wrongly",
        "SELECT count(*) FROM account a WHERE total <> (SELECT count(*) FROM message WHERE account = a.id)
             OR headers_only <> (SELECT count(*) FROM message WHERE account = a.id AND hash IS NULL)",
    ),
    (
        "threads count their messages wrongly",
        "SELECT count(*) FROM thread t WHERE total = 0
             OR total <> (SELECT count(*) FROM message WHERE thread = t.id)",
    ),
    (
        "spans of mailboxes are counted wrongly",
        "SELECT count(*) FROM (SELECT mailbox, span, sum(total) AS n FROM (
                 SELECT mailbox, span, total FROM mailbox_span
                 UNION ALL SELECT mailbox, message >> 36, -count(*) FROM placement GROUP BY 1, 2)
             GROUP BY 1, 2) WHERE n <> 0",
    ),
    (
        "spans of accounts are counted wrongly",
        "SELECT count(*) FROM (SELECT account, span, sum(total) AS n FROM (
                 SELECT account, span, total FROM account_span
                 UNION ALL SELECT account, id >> 36, -count(*) FROM message GROUP BY 1, 2)
             GROUP BY 1, 2) WHERE n <> 0",
    ),
    (
        "counts of what waits for the search index are wrong",
        "SELECT count(*) FROM pending WHERE total <> (SELECT count(*) FROM unindexed)
             OR whole <> (SELECT count(*) FROM unindexed WHERE whole = 1)",
    ),
    (
        "messages are in no mailbox",
        "SELECT count(*) FROM message m WHERE NOT EXISTS (SELECT 1 FROM placement WHERE message = m.id)",
    ),
];

fn check_bodies(reader: &Reader, index: &Connection, depth: Depth, wrong: &mut Vec<String>) -> Result<()> {
    let mut select = index.prepare(
        "SELECT hash FROM message WHERE hash IS NOT NULL
         UNION SELECT hash FROM submission UNION SELECT copy FROM submission WHERE copy IS NOT NULL",
    )?;
    let rows = select.query_map([], |row| required_hash_at(row, 0))?;
    for hash in rows {
        let hash = hash?;
        if !is_well(reader, hash, depth)? {
            wrong.push(format!("the bytes of message {hash} are missing or damaged"));
        }
    }
    Ok(())
}

fn is_well(reader: &Reader, hash: Hash, depth: Depth) -> Result<bool> {
    match depth {
        Depth::Structure => raw::is_kept(&reader.messages, hash),
        Depth::Bytes => raw::verify(&reader.messages, &reader.dir, hash),
    }
}
