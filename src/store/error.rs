//! What can go wrong in the store, sorted by what to do about it.

use std::fmt;
use std::path::Path;

use posthorn_model::{ErrorClass, Remedy};
use rusqlite::ErrorCode;

/// Which of the two databases.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash)]
pub enum File {
    Index,
    Messages,
}

impl File {
    #[must_use]
    pub const fn name(self) -> &'static str {
        match self {
            Self::Index => "index.sqlite",
            Self::Messages => "messages.sqlite",
        }
    }
}

impl fmt::Display for File {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(self.name())
    }
}

#[derive(Clone, Debug, PartialEq, Eq, thiserror::Error)]
pub enum Error {
    #[error("the disk is full: {0}")]
    Full(String),
    #[error("the disk cannot be used: {0}")]
    Disk(String),
    #[error("{file} is damaged: {what}")]
    Corrupt { file: File, what: String },
    #[error(
        "{file} was written by a newer version of this program (its schema is {found}, this program knows {known})"
    )]
    Newer { file: File, found: i64, known: i64 },
    #[error("the store is open for reading only")]
    ReadOnly,
    #[error("the store is closed")]
    Closed,
    #[error("no such {0}")]
    Missing(String),
    #[error("{0}")]
    Bug(String),
}

pub type Result<T> = std::result::Result<T, Error>;

impl Error {
    #[must_use]
    pub const fn class(&self) -> ErrorClass {
        match self {
            Self::Full(_) | Self::Disk(_) => ErrorClass::Disk,
            Self::Corrupt { .. } => ErrorClass::Corrupt,
            Self::Newer { .. } | Self::ReadOnly => ErrorClass::Config,
            Self::Closed | Self::Missing(_) | Self::Bug(_) => ErrorClass::Bug,
        }
    }

    #[must_use]
    pub fn remedies(&self) -> Vec<Remedy> {
        match self {
            Self::Full(_) => vec![Remedy::FreeDiskSpace, Remedy::TryAgain],
            Self::Disk(_) => vec![Remedy::TryAgain],
            _ => Vec::new(),
        }
    }

    pub(crate) fn io(error: &std::io::Error, path: &Path) -> Self {
        let what = format!("{}: {error}", path.display());
        match error.kind() {
            std::io::ErrorKind::StorageFull | std::io::ErrorKind::QuotaExceeded => Self::Full(what),
            _ => Self::Disk(what),
        }
    }

    pub(crate) fn corrupt(file: File, what: impl Into<String>) -> Self {
        Self::Corrupt {
            file,
            what: what.into(),
        }
    }

    pub(crate) fn sqlite(error: &rusqlite::Error, file: File) -> Self {
        let what = format!("{file}: {error}");
        match error {
            rusqlite::Error::SqliteFailure(failure, _) => match failure.code {
                ErrorCode::DiskFull => Self::Full(what),
                ErrorCode::SystemIoFailure
                | ErrorCode::CannotOpen
                | ErrorCode::ReadOnly
                | ErrorCode::PermissionDenied
                | ErrorCode::DatabaseBusy
                | ErrorCode::DatabaseLocked
                | ErrorCode::FileLockingProtocolFailed
                | ErrorCode::NoLargeFileSupport => Self::Disk(what),
                ErrorCode::DatabaseCorrupt | ErrorCode::NotADatabase => {
                    Self::corrupt(file, error.to_string())
                }
                _ => Self::Bug(what),
            },
            // STRICT tables hold what we wrote: anything else was changed from outside, or rotted.
            rusqlite::Error::FromSqlConversionFailure(..)
            | rusqlite::Error::IntegralValueOutOfRange(..)
            | rusqlite::Error::InvalidColumnType(..) => Self::corrupt(file, error.to_string()),
            _ => Self::Bug(what),
        }
    }
}

/// Everything but `raw` works on the index.
impl From<rusqlite::Error> for Error {
    fn from(error: rusqlite::Error) -> Self {
        Self::sqlite(&error, File::Index)
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn sorts_what_sqlite_says() {
        let check = |code: i32, expect: ErrorClass| {
            let error = rusqlite::Error::SqliteFailure(rusqlite::ffi::Error::new(code), None);
            assert_eq!(Error::from(error).class(), expect, "{code}");
        };
        check(rusqlite::ffi::SQLITE_FULL, ErrorClass::Disk);
        check(rusqlite::ffi::SQLITE_IOERR_FSYNC, ErrorClass::Disk);
        check(rusqlite::ffi::SQLITE_READONLY, ErrorClass::Disk);
        check(rusqlite::ffi::SQLITE_CORRUPT, ErrorClass::Corrupt);
        check(rusqlite::ffi::SQLITE_NOTADB, ErrorClass::Corrupt);
        check(rusqlite::ffi::SQLITE_CONSTRAINT, ErrorClass::Bug);
    }

    #[test]
    fn a_full_disk_says_what_to_do() {
        let error = Error::io(&std::io::ErrorKind::StorageFull.into(), Path::new("x"));
        assert_eq!(error.remedies(), [Remedy::FreeDiskSpace, Remedy::TryAgain]);
    }
}
