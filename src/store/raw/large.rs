//! Large messages as files named by their hash: `large/ab/abcdef…`. A file is whole and synced under its final
//! name before the row that speaks of it is committed.

use std::io::{Read, Write};
use std::path::{Path, PathBuf};

use posthorn_model::Hash;
use sha2::{Digest, Sha256};

use crate::db::{create_dir, sync_dir};
use crate::error::{Error, Result};

pub(crate) const DIR: &str = "large";

pub(crate) fn path(dir: &Path, hash: Hash) -> PathBuf {
    let name = hash.to_string();
    dir.join(DIR).join(name.get(..2).unwrap_or_default()).join(name)
}

/// Streams the file: hash and size.
pub(crate) fn hash_file(path: &Path) -> Result<(Hash, u64)> {
    let wrap = |error: std::io::Error| Error::io(&error, path);
    let mut file = std::fs::File::open(path).map_err(wrap)?;
    let mut hasher = Sha256::new();
    let mut buffer = vec![0; 1 << 16];
    let mut size = 0;
    loop {
        let read = file.read(&mut buffer).map_err(wrap)?;
        let Some(chunk) = buffer.get(..read).filter(|chunk| !chunk.is_empty()) else {
            return Ok((Hash(hasher.finalize().into()), size));
        };
        hasher.update(chunk);
        size += u64::try_from(read).unwrap_or(0);
    }
}

pub(crate) fn keep_bytes(dir: &Path, hash: Hash, bytes: &[u8]) -> Result<()> {
    let (target, folder) = make_room(dir, hash)?;
    let wrap = |error: std::io::Error| Error::io(&error, &target);
    let mut temporary = tempfile::NamedTempFile::new_in(&folder).map_err(wrap)?;
    temporary.write_all(bytes).map_err(wrap)?;
    finish(temporary, &target, &folder)
}

pub(crate) fn keep_file(dir: &Path, hash: Hash, from: &Path) -> Result<()> {
    let (target, folder) = make_room(dir, hash)?;
    let wrap = |error: std::io::Error| Error::io(&error, from);
    let mut source = std::fs::File::open(from).map_err(wrap)?;
    source.sync_all().map_err(wrap)?;
    if std::fs::rename(from, &target).is_ok() {
        return sync_dir(&folder);
    }
    // Another file system, most likely: copy.
    let mut temporary = tempfile::NamedTempFile::new_in(&folder).map_err(wrap)?;
    std::io::copy(&mut source, &mut temporary).map_err(wrap)?;
    finish(temporary, &target, &folder)
}

fn make_room(dir: &Path, hash: Hash) -> Result<(PathBuf, PathBuf)> {
    let target = path(dir, hash);
    let all = dir.join(DIR);
    let folder = target.parent().map_or_else(|| all.clone(), Path::to_owned);
    if !folder.is_dir() {
        create_dir(&folder)?;
        sync_dir(&all)?;
        sync_dir(dir)?;
    }
    Ok((target, folder))
}

fn finish(temporary: tempfile::NamedTempFile, target: &Path, folder: &Path) -> Result<()> {
    temporary
        .as_file()
        .sync_all()
        .map_err(|error| Error::io(&error, target))?;
    temporary
        .persist(target)
        .map_err(|error| Error::io(&error.error, target))?;
    sync_dir(folder)
}
