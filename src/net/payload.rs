//! A message's raw bytes on their way to the store: in memory, or in a file where they are large.

use std::io;
use std::path::Path;
use tempfile::TempPath;

/// Raw bytes exactly as the server sent them. The file is removed when this is dropped.
#[derive(Debug)]
pub enum Payload {
    Memory(Vec<u8>),
    File {
        path: TempPath,
        /// Bytes.
        size: u64,
    },
}

impl Payload {
    /// Bytes.
    #[must_use]
    pub fn len(&self) -> u64 {
        match self {
            Self::Memory(bytes) => bytes.len() as u64,
            Self::File { size, .. } => *size,
        }
    }

    #[must_use]
    pub fn is_empty(&self) -> bool {
        self.len() == 0
    }

    /// Bytes that it takes in memory.
    #[must_use]
    pub fn in_memory(&self) -> u64 {
        match self {
            Self::Memory(bytes) => bytes.len() as u64,
            Self::File { .. } => 0,
        }
    }

    /// The file, where there is one.
    #[must_use]
    pub fn path(&self) -> Option<&Path> {
        match self {
            Self::Memory(_) => None,
            Self::File { path, .. } => Some(path),
        }
    }

    /// The bytes, read back from the file where they are in one: for small messages and tests.
    ///
    /// # Errors
    /// Where the file cannot be read.
    pub fn into_bytes(self) -> io::Result<Vec<u8>> {
        match self {
            Self::Memory(bytes) => Ok(bytes),
            Self::File { path, .. } => std::fs::read(&path),
        }
    }
}
