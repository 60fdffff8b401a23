//! Downloads on their way to the store. What a crash left there belongs to nobody, but for parts of large messages:
//! those are gone on with.

use std::path::{Path, PathBuf};
use std::time::Duration;

use posthorn_net::imap::PartialBody;

/// A part that nobody has gone on with for so long is given up.
const KEPT: Duration = Duration::from_secs(14 * 24 * 60 * 60);

/// Where parts of large messages are.
#[must_use]
pub fn partial(spool: &Path) -> PathBuf {
    spool.join("partial")
}

/// Clears what no store took over. Failures are for whoever needs the place.
pub fn clear(spool: &Path) {
    let partial = partial(spool);
    for entry in std::fs::read_dir(spool).into_iter().flatten().flatten() {
        let path = entry.path();
        if path == partial {
            continue;
        }
        let _ = match entry.file_type() {
            Ok(kind) if kind.is_dir() => std::fs::remove_dir_all(&path),
            _ => std::fs::remove_file(&path),
        };
    }
    if let Err(error) = PartialBody::sweep(&partial, KEPT) {
        log::warn!("Old parts of messages could not be removed: {error}.");
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn keeps_parts_and_nothing_else() {
        let dir = tempfile::tempdir().expect("a directory");
        let spool = dir.path();
        std::fs::create_dir_all(spool.join("deep/er")).expect("made");
        std::fs::write(spool.join("half"), b"x").expect("written");
        drop(PartialBody::open(&partial(spool), "a key").expect("opened"));
        clear(spool);
        let left: Vec<_> = std::fs::read_dir(spool)
            .expect("readable")
            .flatten()
            .map(|entry| entry.path())
            .collect();
        assert_eq!(left, [partial(spool)]);
        assert_eq!(std::fs::read_dir(partial(spool)).expect("readable").count(), 1);
        clear(&spool.join("nowhere"));
    }
}
