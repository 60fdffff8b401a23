//! Opening the two files: settings, damage, set-aside copies.

use std::path::{Path, PathBuf};
use std::time::{Duration, SystemTime, UNIX_EPOCH};

use posthorn_model::Timestamp;
use rusqlite::config::DbConfig;
use rusqlite::{Connection, OpenFlags};

use crate::error::{Error, File, Result};

#[derive(Clone, Copy, PartialEq, Eq)]
pub(crate) enum Access {
    /// The one writer.
    Write,
    /// A reader beside the writer of this process.
    Query,
    /// A reader beside another process.
    ReadOnly,
}

pub(crate) fn now() -> Timestamp {
    let since = SystemTime::now().duration_since(UNIX_EPOCH).unwrap_or_default();
    Timestamp(i64::try_from(since.as_secs()).unwrap_or(0))
}

pub(crate) fn open(dir: &Path, file: File, access: Access) -> Result<Connection> {
    let path = dir.join(file.name());
    let wrap = |error: rusqlite::Error| Error::sqlite(&error, file);
    let flags = OpenFlags::SQLITE_OPEN_NO_MUTEX
        | match access {
            Access::Write => OpenFlags::SQLITE_OPEN_READ_WRITE | OpenFlags::SQLITE_OPEN_CREATE,
            Access::Query => OpenFlags::SQLITE_OPEN_READ_WRITE,
            Access::ReadOnly => OpenFlags::SQLITE_OPEN_READ_ONLY,
        };
    let connection = Connection::open_with_flags(&path, flags).map_err(wrap)?;
    connection.busy_timeout(Duration::from_secs(10)).map_err(wrap)?;
    connection.set_prepared_statement_cache_capacity(96);
    // Without it the planner compares bound values with partial indexes, and prepares a cached statement anew
    // whenever a value changes: three quarters of the time of a list.
    connection
        .set_db_config(DbConfig::SQLITE_DBCONFIG_ENABLE_QPSG, true)
        .map_err(wrap)?;
    // The first statement that reads the file: a damaged header shows here.
    let settings = match (access, file) {
        // 16 KiB pages suit blobs, and a group is written without a page leaving the cache; FULL makes each commit
        // durable when it returns.
        (Access::Write, File::Messages) => {
            "PRAGMA page_size = 16384; PRAGMA journal_mode = WAL; PRAGMA synchronous = FULL;
             PRAGMA wal_autocheckpoint = 2000; PRAGMA journal_size_limit = 33554432; PRAGMA cache_size = -4000;
             PRAGMA temp_store = MEMORY; PRAGMA foreign_keys = ON;"
        }
        (Access::Write, File::Index) => {
            "PRAGMA journal_mode = WAL; PRAGMA synchronous = NORMAL; PRAGMA wal_autocheckpoint = 8000;
             PRAGMA journal_size_limit = 33554432; PRAGMA cache_size = -8000; PRAGMA temp_store = MEMORY;
             PRAGMA foreign_keys = ON;"
        }
        (_, File::Messages) => "PRAGMA query_only = ON; PRAGMA cache_size = -1000;",
        (_, File::Index) => "PRAGMA query_only = ON; PRAGMA cache_size = -4000; PRAGMA temp_store = MEMORY;",
    };
    connection.execute_batch(settings).map_err(wrap)?;
    Ok(connection)
}

/// A mark beside the file: something in it could not be read. The next start looks at all of it.
pub(crate) fn suspect_mark(dir: &Path, file: File) -> PathBuf {
    dir.join(format!("{}.suspect", file.name()))
}

/// Renames the database and its journal to a dated name; nothing is thrown away. Returns the new path.
pub(crate) fn set_aside(dir: &Path, file: File) -> Result<PathBuf> {
    let stamp = now().to_string().replace(':', "");
    let mut number = 0;
    let target = loop {
        let extra = if number == 0 {
            String::new()
        } else {
            format!("-{number}")
        };
        let target = dir.join(format!("{}.damaged-{stamp}{extra}", file.name()));
        if !target.exists() {
            break target;
        }
        number += 1;
    };
    for tail in ["-wal", "-shm", ""] {
        let from = dir.join(format!("{}{tail}", file.name()));
        let mut to = target.clone().into_os_string();
        to.push(tail);
        match std::fs::rename(&from, PathBuf::from(to)) {
            Err(error) if error.kind() != std::io::ErrorKind::NotFound => {
                return Err(Error::io(&error, &from));
            }
            _ => {}
        }
    }
    Ok(target)
}

/// Makes renames and new files in `dir` survive a power cut. Other systems than Unix have no such call.
pub(crate) fn sync_dir(dir: &Path) -> Result<()> {
    #[cfg(unix)]
    {
        std::fs::File::open(dir)
            .and_then(|handle| handle.sync_all())
            .map_err(|error| Error::io(&error, dir))?;
    }
    #[cfg(not(unix))]
    let _ = dir;
    Ok(())
}

/// Creates the directory for this user alone.
pub(crate) fn create_dir(dir: &Path) -> Result<()> {
    let mut builder = std::fs::DirBuilder::new();
    builder.recursive(true);
    #[cfg(unix)]
    {
        use std::os::unix::fs::DirBuilderExt;
        builder.mode(0o700);
    }
    builder.create(dir).map_err(|error| Error::io(&error, dir))
}
