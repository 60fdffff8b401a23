//! Where a message goes while it arrives: memory, or a file once it is large.

use posthorn_model::ErrorClass;
use std::io::{self, Write};
use std::path::PathBuf;
use tempfile::NamedTempFile;

use crate::{Error, Payload};

/// Bytes gathered before each write to the file.
const GATHER: usize = 256 * 1024;

/// Where large messages go, and from what size on.
#[derive(Clone, Debug)]
pub(super) struct SpoolPlace {
    pub(super) dir: PathBuf,
    /// Bytes.
    pub(super) memory_limit: usize,
}

pub(super) struct Spool<'a> {
    place: &'a SpoolPlace,
    memory: Vec<u8>,
    file: Option<NamedTempFile>,
    written: u64,
}

impl<'a> Spool<'a> {
    pub(super) fn new(place: &'a SpoolPlace, expected: Option<u64>) -> Self {
        // The server's word on the size is a hint: it never makes us set aside more than the limit.
        let room = expected
            .and_then(|size| usize::try_from(size).ok())
            .unwrap_or(0)
            .min(place.memory_limit);
        Self {
            place,
            memory: Vec::with_capacity(room),
            file: None,
            written: 0,
        }
    }

    /// Writes to the page cache at most: short enough to be done where we are.
    pub(super) fn write(&mut self, bytes: &[u8]) -> io::Result<()> {
        self.memory.extend_from_slice(bytes);
        let bound = if self.file.is_some() {
            GATHER
        } else {
            self.place.memory_limit
        };
        if self.memory.len() > bound {
            self.spill()
        } else {
            Ok(())
        }
    }

    fn spill(&mut self) -> io::Result<()> {
        let file = match &mut self.file {
            Some(file) => file,
            None => {
                std::fs::create_dir_all(&self.place.dir)?;
                self.file.insert(NamedTempFile::new_in(&self.place.dir)?)
            }
        };
        file.write_all(&self.memory)?;
        self.written += self.memory.len() as u64;
        self.memory.clear();
        self.memory.shrink_to(GATHER * 2);
        Ok(())
    }

    /// Octets so far.
    pub(super) const fn came(&self) -> u64 {
        self.written + self.memory.len() as u64
    }

    /// Whether all octets that LIST gave have come, and end a line.
    pub(super) fn is_whole(&self, size: Option<u64>) -> bool {
        let came = self.came();
        size == Some(came) && came > 0 && self.memory.last().is_none_or(|byte| *byte == b'\n')
    }

    pub(super) fn finish(mut self) -> io::Result<Payload> {
        if self.file.is_some() && !self.memory.is_empty() {
            self.spill()?;
        }
        Ok(match self.file {
            None => Payload::Memory(self.memory),
            Some(file) => Payload::File {
                path: file.into_temp_path(),
                size: self.written,
            },
        })
    }
}

pub(super) fn trouble(host: &str, error: &io::Error) -> Error {
    Error::new(
        ErrorClass::Disk,
        host,
        format!("a message could not be written to the disk ({error})"),
    )
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn keeps_every_byte_in_memory_or_in_a_file() {
        let dir = tempfile::tempdir().expect("dir");
        let place = SpoolPlace {
            dir: dir.path().join("new"),
            memory_limit: 1000,
        };
        for (size, in_memory) in [
            (0, true),
            (1, true),
            (1000, true),
            (1001, false),
            (900_000, false),
        ] {
            let bytes: Vec<u8> = (0..size)
                .map(|n: u32| u8::try_from(n % 251).expect("small"))
                .collect();
            let mut spool = Spool::new(&place, Some(u64::MAX));
            for chunk in bytes.chunks(7001) {
                spool.write(chunk).expect("write");
            }
            let payload = spool.finish().expect("finish");
            assert_eq!(matches!(payload, Payload::Memory(_)), in_memory, "{size}");
            assert_eq!(payload.len(), u64::from(size));
            assert!(payload.into_bytes().expect("read") == bytes, "{size}");
        }
        let left = std::fs::read_dir(&place.dir).expect("dir").count();
        assert_eq!(left, 0, "files go with their payloads");
    }
}
