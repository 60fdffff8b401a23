//! Schemas change by numbered files, frozen once released, one transaction each; a copy of the index is kept
//! from before. A file of a newer version is refused.

use std::path::Path;
use std::time::Duration;

use rusqlite::backup::Backup;
use rusqlite::{Connection, TransactionBehavior};

use crate::error::{Error, File, Result};

/// In order: the first makes version 1.
pub(crate) const INDEX: &[&str] = &[
    include_str!("migrations/index/0001_first.sql"),
    include_str!("migrations/index/0002_identity.sql"),
    include_str!("migrations/index/0003_ledger_identity.sql"),
    include_str!("migrations/index/0004_search_merge.sql"),
    include_str!("migrations/index/0005_unindexed_flood.sql"),
    include_str!("migrations/index/0006_authors.sql"),
    include_str!("migrations/index/0007_tally.sql"),
];
pub(crate) const MESSAGES: &[&str] = &[
    include_str!("migrations/messages/0001_first.sql"),
    include_str!("migrations/messages/0002_local_places.sql"),
];

pub(crate) const fn known(file: File) -> &'static [&'static str] {
    match file {
        File::Index => INDEX,
        File::Messages => MESSAGES,
    }
}

pub(crate) fn version(connection: &Connection, file: File) -> Result<i64> {
    connection
        .query_row("PRAGMA user_version", [], |row| row.get(0))
        .map_err(|error| Error::sqlite(&error, file))
}

/// Refuses what a newer program wrote.
pub(crate) fn check_version(connection: &Connection, file: File, steps: &[&str]) -> Result<usize> {
    let found = version(connection, file)?;
    match usize::try_from(found) {
        Ok(found) if found <= steps.len() => Ok(found),
        _ => Err(Error::Newer {
            file,
            found,
            known: i64::try_from(steps.len()).unwrap_or(i64::MAX),
        }),
    }
}

pub(crate) fn migrate(connection: &mut Connection, dir: &Path, file: File, steps: &[&str]) -> Result<()> {
    let found = check_version(connection, file, steps)?;
    if found == steps.len() {
        return Ok(());
    }
    if found > 0 && file == File::Index {
        back_up(connection, dir, found)?;
    }
    let wrap = |error: rusqlite::Error| Error::sqlite(&error, file);
    for (done, step) in steps.iter().enumerate().skip(found) {
        let transaction = connection
            .transaction_with_behavior(TransactionBehavior::Immediate)
            .map_err(wrap)?;
        transaction.execute_batch(step).map_err(wrap)?;
        transaction
            .pragma_update(None, "user_version", i64::try_from(done + 1).unwrap_or(i64::MAX))
            .map_err(wrap)?;
        transaction.commit().map_err(wrap)?;
        log::info!("{file} is now at schema {}.", done + 1);
    }
    Ok(())
}

fn back_up(connection: &Connection, dir: &Path, version: usize) -> Result<()> {
    let path = dir.join(format!("{}.before-schema-{}", File::Index, version + 1));
    let partial = dir.join(format!("{}.partial-copy", File::Index));
    match std::fs::remove_file(&partial) {
        Err(error) if error.kind() != std::io::ErrorKind::NotFound => {
            return Err(Error::io(&error, &partial));
        }
        _ => {}
    }
    {
        let mut copy = Connection::open(&partial)?;
        Backup::new(connection, &mut copy)?.run_to_completion(1000, Duration::ZERO, None)?;
    }
    std::fs::rename(&partial, &path).map_err(|error| Error::io(&error, &path))
}

#[cfg(test)]
mod tests {
    use super::*;

    const FIRST: &str = "CREATE TABLE a (x INTEGER NOT NULL) STRICT; INSERT INTO a (x) VALUES (7);";
    const SECOND: &str = "ALTER TABLE a ADD COLUMN y INTEGER NOT NULL DEFAULT 3;";
    const BROKEN: &str = "CREATE TABLE b (x INTEGER NOT NULL) STRICT; INSERT INTO nowhere (x) VALUES (1);";

    fn open(dir: &Path) -> Connection {
        Connection::open(dir.join(File::Index.name())).unwrap()
    }

    #[test]
    fn steps_forward_and_keeps_a_copy_from_before() {
        let dir = tempfile::tempdir().unwrap();
        let mut index = open(dir.path());
        migrate(&mut index, dir.path(), File::Index, &[FIRST]).unwrap();
        migrate(&mut index, dir.path(), File::Index, &[FIRST, SECOND]).unwrap();
        let both: (i64, i64) = index
            .query_row("SELECT x, y FROM a", [], |row| Ok((row.get(0)?, row.get(1)?)))
            .unwrap();
        assert_eq!(both, (7, 3));
        let copy = Connection::open(dir.path().join("index.sqlite.before-schema-2")).unwrap();
        assert_eq!(version(&copy, File::Index).unwrap(), 1);
        assert!(copy.query_row("SELECT y FROM a", [], |_| Ok(())).is_err());
    }

    #[test]
    fn a_failing_step_changes_nothing() {
        let dir = tempfile::tempdir().unwrap();
        let mut index = open(dir.path());
        migrate(&mut index, dir.path(), File::Index, &[FIRST]).unwrap();
        assert!(migrate(&mut index, dir.path(), File::Index, &[FIRST, BROKEN]).is_err());
        assert_eq!(version(&index, File::Index).unwrap(), 1);
        assert!(index.query_row("SELECT x FROM b", [], |_| Ok(())).is_err());
    }

    #[test]
    fn a_newer_schema_is_refused() {
        let dir = tempfile::tempdir().unwrap();
        let mut index = open(dir.path());
        migrate(&mut index, dir.path(), File::Index, &[FIRST, SECOND]).unwrap();
        let error = migrate(&mut index, dir.path(), File::Index, &[FIRST]).unwrap_err();
        assert_eq!(
            error,
            Error::Newer {
                file: File::Index,
                found: 2,
                known: 1
            }
        );
    }
}
