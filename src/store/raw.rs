//! Raw messages, exactly as served: the precious part. Small ones are zstd blobs in messages.sqlite, large ones
//! files named by their hash; each is kept once, whoever sent it how often.
//!
//! Hashing and compressing happen before the keeper is asked, on the bulk reader or where the caller has a thread for
//! them: the keeper only inserts and syncs.

mod encode;
mod large;
mod origin;

use std::collections::HashMap;
use std::path::{Path, PathBuf};

use posthorn_model::{AccountId, Flags, Hash, Timestamp, Uid, UidValidity, Uidl};
use rusqlite::{Connection, OptionalExtension, TransactionBehavior, params};

pub(crate) use self::encode::{Encoding, decode, hash_bytes};
pub(crate) use self::large::{DIR as LARGE_DIR, hash_file, path as large_path};
#[cfg(test)]
pub(crate) use self::origin::HAS_PROVENANCE;
pub(crate) use self::origin::{forget_account, keep_mailbox, rename_account};
use crate::column::{signed, unsigned};
use crate::db::{Keeper, Pace, Reader, Store, now};
use crate::error::{Error, File, Result};

/// Messages above this many octets become files of their own.
pub const LARGE: u64 = 1 << 20;

/// A message as it came from a server, to be kept for good.
#[derive(Debug)]
pub struct RawInput {
    pub source: RawSource,
    pub provenance: Provenance,
}

#[derive(Debug)]
pub enum RawSource {
    Bytes(Vec<u8>),
    /// A spooled file: taken over (renamed) where it is large and on the same file system, else copied.
    File(PathBuf),
}

/// Where a message came from: what the index is rebuilt from, should it ever be lost.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Provenance {
    pub account: AccountId,
    /// The mailbox's path; empty for what no list shows, such as the bytes of a submission.
    pub mailbox: String,
    /// IMAP only.
    pub uid: Option<(UidValidity, Uid)>,
    /// POP3 only.
    pub uidl: Option<Uidl>,
    /// INTERNALDATE, or the topmost Received header.
    pub received: Option<Timestamp>,
    pub flags: Flags,
}

/// Messages that are hashed and compressed, and not kept yet: many batches of them are kept at once, since each
/// transaction waits for the disk and writes again what the one before wrote.
#[derive(Debug, Default)]
pub struct PreparedRaw {
    all: Vec<Prepared>,
    octets: usize,
}

impl PreparedRaw {
    pub fn append(&mut self, more: Self) {
        self.octets += more.octets;
        self.all.extend(more.all);
    }

    #[must_use]
    pub fn is_empty(&self) -> bool {
        self.all.is_empty()
    }

    /// In memory.
    #[must_use]
    pub const fn octets(&self) -> usize {
        self.octets
    }
}

/// Prepares messages one by one, where it is called: not where anything waits.
pub struct Preparer {
    dir: PathBuf,
    compressor: encode::Compressor,
    prepared: PreparedRaw,
}

#[derive(Debug)]
struct Prepared {
    hash: Hash,
    size: u64,
    encoding: Encoding,
    /// Empty where they are in a file.
    bytes: Vec<u8>,
    provenance: Provenance,
}

impl Store {
    /// Keeps messages for good: when this returns they are on the disk, synced, and survive a power cut. All of
    /// them, or none on error. Hashes come in the order of the input.
    pub async fn keep_raw(&self, inputs: Vec<RawInput>) -> Result<Vec<Hash>> {
        let prepare = move |reader: &Reader| {
            let mut preparer = Preparer::new(&reader.dir)?;
            let hashes = inputs.into_iter().map(|input| preparer.add(input));
            let hashes = hashes.collect::<Result<Vec<_>>>()?;
            Ok((preparer.finish(), hashes))
        };
        let (prepared, hashes) = self.read(Pace::Bulk, prepare).await?;
        self.keep_prepared(prepared).await?;
        Ok(hashes)
    }

    /// For the work before messages are kept.
    pub fn preparer(&self) -> Result<Preparer> {
        if self.is_read_only() {
            return Err(Error::ReadOnly);
        }
        Preparer::new(self.dir())
    }

    /// Keeps them for good, as [`Self::keep_raw`] does.
    pub async fn keep_prepared(&self, prepared: PreparedRaw) -> Result<()> {
        self.keep(move |keeper| keep(keeper, &prepared.all)).await
    }

    /// Reads each back from where it lies and hashes it: false where it is missing or differs.
    pub async fn verify_raw(&self, hashes: Vec<Hash>) -> Result<Vec<bool>> {
        self.read(Pace::Bulk, move |reader| verify_all(reader, hashes))
            .await
    }

    /// `None` where it is not kept; an error of class `Corrupt` where it is kept but differs from its hash.
    pub async fn raw(&self, hash: Hash) -> Result<Option<Vec<u8>>> {
        self.read(Pace::Quick, move |reader| {
            load(&reader.messages, &reader.dir, hash)
        })
        .await
    }

    /// The file of a large message, to stream from; `None` where it is small or not kept. Never write to it.
    pub async fn raw_path(&self, hash: Hash) -> Result<Option<PathBuf>> {
        self.read(Pace::Quick, move |reader| {
            let found = find(&reader.messages, hash)?;
            Ok(found
                .filter(|found| found.encoding == Encoding::File)
                .map(|_| large_path(&reader.dir, hash)))
        })
        .await
    }

    /// Writes the bytes to a new file at `path`; false where the message is not kept.
    pub async fn raw_to_file(&self, hash: Hash, path: &Path) -> Result<bool> {
        let path = path.to_owned();
        self.read(Pace::Bulk, move |reader| {
            let Some(bytes) = load(&reader.messages, &reader.dir, hash)? else {
                return Ok(false);
            };
            std::fs::write(&path, bytes).map_err(|error| Error::io(&error, &path))?;
            Ok(true)
        })
        .await
    }

    /// Which of them are kept, without reading them.
    pub async fn has_raw(&self, hashes: Vec<Hash>) -> Result<Vec<bool>> {
        self.read(Pace::Quick, move |reader| {
            hashes
                .iter()
                .map(|hash| Ok(find(&reader.messages, *hash)?.is_some()))
                .collect()
        })
        .await
    }

    /// How many messages are kept, and their octets before compression.
    pub async fn raw_totals(&self) -> Result<(u64, u64)> {
        self.read(Pace::Bulk, |reader| {
            reader
                .messages
                .query_row("SELECT count(*), coalesce(sum(size), 0) FROM raw", [], |row| {
                    Ok((unsigned(row.get(0)?), unsigned(row.get(1)?)))
                })
                .map_err(wrap)
        })
        .await
    }
}

/// Errors of this room are about the other file.
pub(crate) fn wrap(error: rusqlite::Error) -> Error {
    Error::sqlite(&error, File::Messages)
}

impl Preparer {
    fn new(dir: &Path) -> Result<Self> {
        Ok(Self {
            dir: dir.to_owned(),
            compressor: encode::Compressor::new()?,
            prepared: PreparedRaw::default(),
        })
    }

    /// Hashes and compresses a message. Of a large one the bytes are on the disk after it, of any other nothing is.
    pub fn add(&mut self, input: RawInput) -> Result<Hash> {
        let (input, hash, size) = hash_input(input)?;
        let (encoding, bytes) = match input.source {
            RawSource::Bytes(bytes) if size > LARGE => {
                large::keep_bytes(&self.dir, hash, &bytes)?;
                (Encoding::File, Vec::new())
            }
            RawSource::File(path) if size > LARGE => {
                large::keep_file(&self.dir, hash, &path)?;
                (Encoding::File, Vec::new())
            }
            RawSource::Bytes(bytes) => self.compressor.encode(bytes),
            RawSource::File(path) => {
                let bytes = std::fs::read(&path).map_err(|error| Error::io(&error, &path))?;
                self.compressor.encode(bytes)
            }
        };
        self.prepared.octets += bytes.len();
        self.prepared.all.push(Prepared {
            hash,
            size,
            encoding,
            bytes,
            provenance: input.provenance,
        });
        Ok(hash)
    }

    #[must_use]
    pub fn finish(self) -> PreparedRaw {
        self.prepared
    }
}

fn hash_input(input: RawInput) -> Result<(RawInput, Hash, u64)> {
    let (hash, size) = match &input.source {
        RawSource::Bytes(bytes) => {
            let size = u64::try_from(bytes.len()).unwrap_or(u64::MAX);
            (hash_bytes(bytes), size)
        }
        RawSource::File(path) => hash_file(path)?,
    };
    Ok((input, hash, size))
}

fn keep(keeper: &mut Keeper, all: &[Prepared]) -> Result<()> {
    let kept_at = now();
    let tx = keeper
        .messages
        .transaction_with_behavior(TransactionBehavior::Immediate)
        .map_err(wrap)?;
    let mut origins = HashMap::new();
    for one in all {
        let from = &one.provenance;
        let raw = keep_bytes(&tx, &keeper.dir, one, kept_at)?;
        let key = (from.account, from.mailbox.as_str());
        let mailbox = match origins.get(&key) {
            Some(mailbox) => *mailbox,
            None => {
                let mailbox = origin::keep_mailbox(&tx, &keeper.index, from.account, &from.mailbox)?;
                origins.insert(key, mailbox);
                mailbox
            }
        };
        // An account that the index does not know leaves no provenance, and keeps its message all the same.
        if let Some(mailbox) = mailbox {
            origin::keep_provenance(&tx, raw, mailbox, from)?;
        }
    }
    tx.commit().map_err(wrap)
}

/// Returns the row's id. What is kept already stays as it is where it reads back.
fn keep_bytes(messages: &Connection, dir: &Path, one: &Prepared, kept_at: Timestamp) -> Result<i64> {
    let Some(found) = find(messages, one.hash)? else {
        return insert(messages, one.hash, one.size, one.encoding, kept_at, &one.bytes).map_err(wrap);
    };
    if !verify(messages, dir, one.hash)? {
        messages
            .prepare_cached("UPDATE raw SET size = ?2, encoding = ?3, bytes = ?4 WHERE id = ?1")
            .and_then(|mut update| {
                update.execute(params![
                    found.id,
                    signed(one.size),
                    one.encoding.code(),
                    one.bytes
                ])
            })
            .map_err(wrap)?;
    }
    Ok(found.id)
}

pub(crate) fn insert(
    messages: &Connection,
    hash: Hash,
    size: u64,
    encoding: Encoding,
    kept_at: Timestamp,
    bytes: &[u8],
) -> rusqlite::Result<i64> {
    messages
        .prepare_cached("INSERT INTO raw (hash, size, encoding, kept_at, bytes) VALUES (?1, ?2, ?3, ?4, ?5)")?
        .execute(params![hash.0, signed(size), encoding.code(), kept_at.0, bytes])?;
    Ok(messages.last_insert_rowid())
}

struct Found {
    id: i64,
    encoding: Encoding,
}

fn find(messages: &Connection, hash: Hash) -> Result<Option<Found>> {
    messages
        .prepare_cached("SELECT id, encoding FROM raw WHERE hash = ?1")
        .and_then(|mut select| {
            select
                .query_row([hash.0], |row| {
                    Ok(Found {
                        id: row.get(0)?,
                        encoding: Encoding::at(row, 1)?,
                    })
                })
                .optional()
        })
        .map_err(wrap)
}

/// What lies in the database of one message.
enum Stored {
    Bytes(Vec<u8>),
    /// In a file of its own.
    Large,
}

fn unpack(messages: &Connection, hash: Hash) -> Result<Option<Stored>> {
    messages
        .prepare_cached("SELECT size, encoding, bytes FROM raw WHERE hash = ?1")
        .and_then(|mut select| {
            select
                .query_row([hash.0], |row| match Encoding::at(row, 1)? {
                    Encoding::File => Ok(Ok(Stored::Large)),
                    encoding => {
                        let stored = row.get_ref(2)?.as_blob()?;
                        Ok(decode(encoding, unsigned(row.get(0)?), stored).map(Stored::Bytes))
                    }
                })
                .optional()
        })
        .map_err(wrap)?
        .transpose()
}

pub(crate) fn load(messages: &Connection, dir: &Path, hash: Hash) -> Result<Option<Vec<u8>>> {
    let bytes = match unpack(messages, hash)? {
        None => return Ok(None),
        Some(Stored::Bytes(bytes)) => bytes,
        Some(Stored::Large) => read_large(&large_path(dir, hash))?,
    };
    if hash_bytes(&bytes) == hash {
        Ok(Some(bytes))
    } else {
        Err(differs(hash))
    }
}

fn read_large(path: &Path) -> Result<Vec<u8>> {
    std::fs::read(path).map_err(|error| match error.kind() {
        std::io::ErrorKind::NotFound => {
            Error::corrupt(File::Messages, format!("{} is missing", path.display()))
        }
        _ => Error::io(&error, path),
    })
}

fn differs(hash: Hash) -> Error {
    Error::corrupt(File::Messages, format!("message {hash} differs from its hash"))
}

pub(crate) fn is_kept(messages: &Connection, hash: Hash) -> Result<bool> {
    Ok(find(messages, hash)?.is_some())
}

/// Within one look at the file: each of its own would take and leave a lock.
fn verify_all(reader: &Reader, hashes: impl IntoIterator<Item = Hash>) -> Result<Vec<bool>> {
    let _look = reader.messages.unchecked_transaction().map_err(wrap)?;
    let verify = |hash| verify(&reader.messages, &reader.dir, hash);
    hashes.into_iter().map(verify).collect()
}

pub(crate) fn verify(messages: &Connection, dir: &Path, hash: Hash) -> Result<bool> {
    let same = match unpack(messages, hash) {
        Ok(None) => return Ok(false),
        Ok(Some(Stored::Bytes(bytes))) if hash_bytes(&bytes) == hash => Ok(()),
        Ok(Some(Stored::Bytes(_))) => Err(differs(hash)),
        // Streamed: a message may exceed what fits in memory.
        Ok(Some(Stored::Large)) => match hash_file(&large_path(dir, hash)) {
            Ok((found, _)) if found == hash => Ok(()),
            Ok(_) => Err(differs(hash)),
            Err(error) => {
                log::warn!("A large message could not be read back: {error}.");
                return Ok(false);
            }
        },
        Err(error) => Err(error),
    };
    match same {
        Ok(()) => Ok(true),
        Err(Error::Corrupt { what, .. }) => {
            log::error!("A message did not read back as it was kept: {what}.");
            Ok(false)
        }
        Err(error) => Err(error),
    }
}
