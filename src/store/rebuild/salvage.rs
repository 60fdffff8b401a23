//! Saves what can still be read of a damaged file: row by row, passing over what cannot.

use std::collections::HashMap;
use std::path::Path;

use posthorn_model::{AccountId, Hash, MessageId};
use rusqlite::types::Value;
use rusqlite::{Connection, OpenFlags, params_from_iter};

use crate::column::required_hash_at;
use crate::error::Result;
use crate::raw::{self, Encoding, LARGE_DIR, decode, hash_bytes, hash_file};
use crate::{local, settings};

/// Tables of the index that nothing else can bring back, parents first; and columns that must not come along.
const PRECIOUS: &[(&str, &[&str])] = &[
    ("account", &["total", "headers_only"]),
    ("mailbox", &["total", "unread"]),
    ("setting", &[]),
    ("ledger", &["message"]),
    ("operation", &[]),
    ("submission", &[]),
];

fn open_damaged(path: &Path) -> rusqlite::Result<Connection> {
    let flags = OpenFlags::SQLITE_OPEN_READ_ONLY | OpenFlags::SQLITE_OPEN_NO_MUTEX;
    let connection = Connection::open_with_flags(path, flags)?;
    connection.execute_batch("PRAGMA writable_schema = ON; PRAGMA query_only = ON;")?;
    Ok(connection)
}

/// Names, settings, ledgers, submissions, operations; and a note of where the old message ids can be read, so
/// that operations keep their meaning.
pub(super) fn copy_index(aside: &Path, index: &mut Connection) -> Result<()> {
    let damaged = match open_damaged(aside) {
        Ok(damaged) => damaged,
        Err(error) => {
            log::warn!("Nothing can be read of {}: {error}.", aside.display());
            return Ok(());
        }
    };
    let tx = index.transaction()?;
    settings::put(&tx, super::WANTED, Some("0"))?;
    settings::put(&tx, super::OLD_IDS, aside.to_str())?;
    for (table, without) in PRECIOUS {
        let mut columns = load_columns(&tx, table, without)?;
        // Damaged before it was brought up to date, it lacks what came later.
        let there = load_columns(&damaged, table, without).unwrap_or_default();
        columns.retain(|column| there.is_empty() || there.contains(column));
        match copy_rows(&damaged, table, &columns, &tx) {
            Ok(copied) => log::info!("{copied} rows of {table} were saved from the damaged index."),
            Err(error) => log::warn!("Rows of {table} were lost with the damaged index: {error}."),
        }
    }
    tx.commit()?;
    Ok(())
}

/// The ids that whole messages had in a damaged index, as far as they can be read.
pub(super) fn load_old_ids(aside: &Path) -> HashMap<(AccountId, Hash), MessageId> {
    let mut ids = HashMap::new();
    let read = |ids: &mut HashMap<_, _>| -> rusqlite::Result<()> {
        let damaged = open_damaged(aside)?;
        let mut select = damaged.prepare("SELECT account, hash, id FROM message WHERE hash IS NOT NULL")?;
        let mut rows = select.query([])?;
        while let Some(row) = rows.next()? {
            let key = (AccountId(row.get(0)?), required_hash_at(row, 1)?);
            ids.insert(key, MessageId(row.get(2)?));
        }
        Ok(())
    };
    if let Err(error) = read(&mut ids) {
        log::warn!("Some messages get new ids, since the damaged index does not tell the old: {error}.");
    }
    ids
}

fn load_columns(index: &Connection, table: &str, without: &[&str]) -> Result<Vec<String>> {
    let mut select = index.prepare("SELECT name FROM pragma_table_info(?1)")?;
    let rows = select.query_map([table], |row| row.get::<_, String>(0))?;
    let all: Vec<String> = rows.collect::<rusqlite::Result<_>>()?;
    Ok(all
        .into_iter()
        .filter(|name| !without.contains(&name.as_str()))
        .collect())
}

/// Until the first row that cannot be read; a row that the new table refuses is passed over.
fn copy_rows(from: &Connection, table: &str, columns: &[String], to: &Connection) -> rusqlite::Result<u64> {
    let list = columns.join(", ");
    let marks = vec!["?"; columns.len()].join(", ");
    let mut insert = to.prepare(&format!(
        "INSERT OR IGNORE INTO {table} ({list}) VALUES ({marks})"
    ))?;
    let mut select = from.prepare(&format!("SELECT {list} FROM {table}"))?;
    let mut rows = select.query([])?;
    let mut copied = 0;
    while let Some(row) = rows.next()? {
        let values: Vec<Value> = (0..columns.len())
            .map(|at| row.get(at))
            .collect::<rusqlite::Result<_>>()?;
        match insert.execute(params_from_iter(values)) {
            Ok(_) => copied += 1,
            Err(error) => log::warn!("A row of {table} does not fit the new index: {error}."),
        }
    }
    Ok(copied)
}

/// Every raw message that reads back as its hash says, with where it came from; large files are taken in by
/// their names. Returns how many.
pub(super) fn copy_raws(aside: &Path, dir: &Path, messages: &mut Connection) -> Result<u64> {
    let mut saved = 0;
    let tx = messages.transaction().map_err(raw::wrap)?;
    if let Ok(damaged) = open_damaged(aside) {
        for table in ["account", "mailbox"] {
            let columns = load_columns(&tx, table, &[])?;
            if let Err(error) = copy_rows(&damaged, table, &columns, &tx) {
                log::warn!("Rows of {table} were lost with the damaged messages: {error}.");
            }
        }
        saved += copy_good_raws(&damaged, dir, &tx);
        let columns = load_columns(&tx, "provenance", &[])?;
        if let Err(error) = copy_rows(&damaged, "provenance", &columns, &tx) {
            log::warn!("Where some messages came from was lost with the damaged messages: {error}.");
        }
        if let Err(error) = local::salvage(&damaged, &tx) {
            log::warn!("Marks of some local messages were lost with the damaged messages: {error}.");
        }
    }
    saved += take_large_files(dir, &tx);
    tx.commit().map_err(raw::wrap)?;
    Ok(saved)
}

/// Walks the ids one by one, since a scan ends at the first page that cannot be read.
fn copy_good_raws(damaged: &Connection, dir: &Path, tx: &Connection) -> u64 {
    let last: i64 = damaged
        .query_row("SELECT seq FROM sqlite_sequence WHERE name = 'raw'", [], |row| {
            row.get(0)
        })
        .or_else(|_| damaged.query_row("SELECT max(id) FROM raw", [], |row| row.get(0)))
        .unwrap_or(0);
    (1..=last)
        .filter(|id| matches!(copy_good_raw(damaged, dir, tx, *id), Ok(true)))
        .fold(0, |saved, _| saved + 1)
}

fn copy_good_raw(damaged: &Connection, dir: &Path, tx: &Connection, id: i64) -> Result<bool> {
    let mut select = damaged
        .prepare_cached("SELECT hash, size, encoding, kept_at, bytes FROM raw WHERE id = ?1")
        .map_err(raw::wrap)?;
    let (hash, size, encoding, kept_at, bytes) = select
        .query_row([id], |row| {
            Ok((
                required_hash_at(row, 0)?,
                row.get::<_, i64>(1)?,
                Encoding::at(row, 2)?,
                row.get::<_, i64>(3)?,
                row.get::<_, Vec<u8>>(4)?,
            ))
        })
        .map_err(raw::wrap)?;
    let good = if encoding == Encoding::File {
        hash_file(&raw::large_path(dir, hash)).is_ok_and(|(found, _)| found == hash)
    } else {
        decode(encoding, size.unsigned_abs(), &bytes).is_ok_and(|bytes| hash_bytes(&bytes) == hash)
    };
    if good {
        tx.prepare_cached(
            "INSERT OR IGNORE INTO raw (id, hash, size, encoding, kept_at, bytes)
             VALUES (?1, ?2, ?3, ?4, ?5, ?6)",
        )
        .and_then(|mut insert| {
            insert.execute(rusqlite::params![
                id,
                hash.0,
                size,
                encoding.code(),
                kept_at,
                bytes
            ])
        })
        .map_err(raw::wrap)?;
    }
    Ok(good)
}

/// A large file carries its hash as its name: it is known without the database.
fn take_large_files(dir: &Path, tx: &Connection) -> u64 {
    let folders = std::fs::read_dir(dir.join(LARGE_DIR))
        .into_iter()
        .flatten()
        .flatten();
    let files = folders.flat_map(|folder| std::fs::read_dir(folder.path()).into_iter().flatten().flatten());
    let mut taken = 0;
    for file in files {
        let Ok((hash, size)) = hash_file(&file.path()) else {
            continue;
        };
        if file.file_name().to_string_lossy() != hash.to_string()
            || matches!(raw::is_kept(tx, hash), Ok(true))
        {
            continue;
        }
        if raw::insert(tx, hash, size, Encoding::File, crate::db::now(), &[]).is_ok() {
            taken += 1;
        }
    }
    taken
}

/// Messages whose raw bytes are gone are headers again, so that their bodies are fetched where a server has them.
pub(super) fn unfill_lost(index: &mut Connection, messages: &Connection) -> Result<u64> {
    let tx = index.transaction()?;
    let mut lost = Vec::new();
    {
        let mut select = tx.prepare("SELECT id, hash FROM message WHERE hash IS NOT NULL")?;
        let rows = select.query_map([], |row| Ok((row.get::<_, i64>(0)?, required_hash_at(row, 1)?)))?;
        for row in rows {
            let (id, hash): (i64, Hash) = row?;
            if !raw::is_kept(messages, hash)? {
                lost.push(id);
            }
        }
        let mut empty = tx.prepare("UPDATE message SET hash = NULL WHERE id = ?1")?;
        for id in &lost {
            empty.execute([id])?;
        }
    }
    tx.commit()?;
    Ok(u64::try_from(lost.len()).unwrap_or(u64::MAX))
}
