//! What a message's header says of its identity: the same from TOP and from RETR, today and after a move.

use posthorn_model::{Hash, Uidl};
use posthorn_net::Payload;
use sha2::{Digest, Sha256};
use std::io::Read;

use crate::Error;

/// What a UIDL made from a header begins with.
const MADE: &[u8] = b"posthorn-header:";
/// What a UIDL made from the whole message begins with.
const WHOLE: &[u8] = b"posthorn-message:";

/// Bytes in which a header ends, or is not looked at further.
const HEADER: u64 = 1 << 20;

/// Written into stored messages by servers, after the fact.
const VOLATILE: [&[u8]; 7] = [
    b"status:",
    b"x-status:",
    b"x-uidl:",
    b"x-keywords:",
    b"x-imap:",
    b"x-imapbase:",
    b"content-length:",
];

/// The SHA-256 of the header block, with LF as its line end and without what servers write into it later: TOP and
/// RETR may differ in what follows it.
pub fn digest(raw: &[u8]) -> Hash {
    let mut hasher = Sha256::new();
    let mut skipping = false;
    for line in raw.split(|byte| *byte == b'\n') {
        let line = line.strip_suffix(b"\r").unwrap_or(line);
        if line.is_empty() {
            break;
        }
        let folded = line.first().is_some_and(|byte| matches!(byte, b' ' | b'\t'));
        if !folded {
            let is = |name: &&[u8]| {
                line.split_at_checked(name.len())
                    .is_some_and(|(head, _)| head.eq_ignore_ascii_case(name))
            };
            skipping = VOLATILE.iter().any(is);
        }
        if !skipping {
            hasher.update(line);
            hasher.update(b"\n");
        }
    }
    Hash(hasher.finalize().into())
}

/// The digest of a message that has come; `None` where its file cannot be read.
pub fn digest_of(payload: &Payload) -> Option<Hash> {
    match payload {
        Payload::Memory(bytes) => Some(digest(bytes)),
        Payload::File { path, .. } => {
            let mut start = Vec::new();
            let file = std::fs::File::open(path).ok()?;
            file.take(HEADER).read_to_end(&mut start).ok()?;
            Some(digest(&start))
        }
    }
}

/// The SHA-256 of a whole message; `None` where its file cannot be read.
pub async fn whole_of(payload: Payload) -> Result<Option<Hash>, Error> {
    let hashing = tokio::task::spawn_blocking(move || hash_of(&payload));
    hashing
        .await
        .map_err(|_| Error::bug("hashing a message failed unexpectedly"))
}

/// The same where we are: for the few messages that no server names.
pub fn hash_of(payload: &Payload) -> Option<Hash> {
    let mut hasher = Sha256::new();
    match payload {
        Payload::Memory(bytes) => hasher.update(bytes),
        Payload::File { path, .. } => {
            std::io::copy(&mut std::fs::File::open(path).ok()?, &mut hasher).ok()?;
        }
    }
    Some(Hash(hasher.finalize().into()))
}

/// What a message without a UIDL is called by its header.
pub fn name(header: Hash) -> Uidl {
    Uidl([MADE, header.to_string().as_bytes()].concat())
}

/// What a message without a UIDL is called once its bytes are here.
pub fn name_whole(message: Hash) -> Uidl {
    Uidl([WHOLE, message.to_string().as_bytes()].concat())
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn knows_a_header_again() {
        let check = |one: &[u8], other: &[u8], same: bool| {
            assert_eq!(
                digest(one) == digest(other),
                same,
                "{:?}",
                other.escape_ascii().to_string()
            );
        };
        let message = b"From: a\r\nSubject: b\r\n folded\r\n\r\nbody\r\n";
        check(message, b"From: a\nSubject: b\n folded\n\nother body", true);
        check(message, b"From: a\r\nSubject: b\r\n folded\r\n", true);
        check(
            message,
            b"From: a\r\nStatus: RO\r\nSubject: b\r\n folded\r\nX-UIDL: 1\r\n 2\r\n\r\n",
            true,
        );
        check(message, b"From: a\r\nSubject: b\r\n  folded\r\n\r\n", false);
        check(message, b"From: a\r\nSubject: c\r\n folded\r\n\r\n", false);
        check(
            message,
            b"X-Status-Note: x\r\nFrom: a\r\nSubject: b\r\n folded\r\n\r\n",
            false,
        );
    }
}
