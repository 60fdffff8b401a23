//! How the bytes lie in the file: as they are, or compressed where that pays.

use std::cell::RefCell;

use posthorn_model::Hash;
use rusqlite::Row;
use sha2::{Digest, Sha256};

use crate::column::damaged;
use crate::error::{Error, File, Result};

#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum Encoding {
    Plain,
    Zstd,
    /// Not here but in a file of its own.
    File,
}

impl Encoding {
    pub(crate) const fn code(self) -> i64 {
        match self {
            Self::Plain => 0,
            Self::Zstd => 1,
            Self::File => 2,
        }
    }

    pub(crate) fn at(row: &Row<'_>, at: usize) -> rusqlite::Result<Self> {
        match row.get(at)? {
            0 => Ok(Self::Plain),
            1 => Ok(Self::Zstd),
            2 => Ok(Self::File),
            other => Err(damaged(at, format!("an unknown encoding: {other}"))),
        }
    }
}

/// Above this, real mail grows three in a thousand smaller and takes half as long again.
const LEVEL: i32 = 2;

/// One context for a whole batch: making one costs more than a small message.
pub(crate) struct Compressor {
    context: zstd::bulk::Compressor<'static>,
    /// As large as the worst case wants it, so that what is kept is as large as it has to be.
    scratch: Vec<u8>,
}

impl Compressor {
    pub(crate) fn new() -> Result<Self> {
        let context = zstd::bulk::Compressor::new(LEVEL)
            .map_err(|error| Error::Bug(format!("no compressor: {error}")))?;
        Ok(Self {
            context,
            scratch: Vec::new(),
        })
    }

    /// Compressed where that saves at least a sixteenth.
    pub(crate) fn encode(&mut self, bytes: Vec<u8>) -> (Encoding, Vec<u8>) {
        if bytes.len() < 128 {
            return (Encoding::Plain, bytes);
        }
        self.scratch.clear();
        self.scratch.reserve(zstd::zstd_safe::compress_bound(bytes.len()));
        match self.context.compress_to_buffer(&bytes, &mut self.scratch) {
            Ok(small) if small < bytes.len() - bytes.len() / 16 => (Encoding::Zstd, self.scratch.to_vec()),
            _ => (Encoding::Plain, bytes),
        }
    }
}

thread_local! {
    /// Making one costs more than unpacking a small message.
    static DECOMPRESSOR: RefCell<Option<zstd::bulk::Decompressor<'static>>> = const { RefCell::new(None) };
}

fn unpack(stored: &[u8], size: usize) -> std::io::Result<Vec<u8>> {
    DECOMPRESSOR.with_borrow_mut(|slot| {
        let decompressor = match slot {
            Some(decompressor) => decompressor,
            None => slot.insert(zstd::bulk::Decompressor::new()?),
        };
        decompressor.decompress(stored, size)
    })
}

/// `size` bounds what is unpacked: a damaged row cannot ask for all memory.
pub(crate) fn decode(encoding: Encoding, size: u64, stored: &[u8]) -> Result<Vec<u8>> {
    match encoding {
        Encoding::Plain => Ok(stored.to_vec()),
        Encoding::Zstd => {
            let size = usize::try_from(size.min(super::LARGE)).unwrap_or(0);
            unpack(stored, size).map_err(|error| {
                Error::corrupt(File::Messages, format!("a message does not unpack: {error}"))
            })
        }
        Encoding::File => Err(Error::Bug(
            "a large message was looked for in the database".into(),
        )),
    }
}

pub(crate) fn hash_bytes(bytes: &[u8]) -> Hash {
    Hash(Sha256::digest(bytes).into())
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn compresses_only_where_it_pays() {
        let mut compressor = Compressor::new().unwrap();
        let mut seed = 1_u32;
        let noise: Vec<u8> = (0..4096)
            .map(|_| {
                seed = seed.wrapping_mul(1_664_525).wrapping_add(1_013_904_223);
                seed.to_be_bytes()[0]
            })
            .collect();
        for (bytes, expect) in [
            (b"short".to_vec(), Encoding::Plain),
            (b"long and dull ".repeat(100), Encoding::Zstd),
            (noise, Encoding::Plain),
            (Vec::new(), Encoding::Plain),
        ] {
            let size = bytes.len() as u64;
            let (encoding, stored) = compressor.encode(bytes.clone());
            assert_eq!(encoding, expect);
            assert_eq!(decode(encoding, size, &stored).unwrap(), bytes);
        }
    }

    #[test]
    fn a_damaged_blob_is_an_error() {
        assert!(decode(Encoding::Zstd, 100, b"not zstd").is_err());
        let bomb = zstd::bulk::compress(&vec![0; 1 << 20], 3).unwrap();
        assert!(decode(Encoding::Zstd, 100, &bomb).is_err());
    }
}
