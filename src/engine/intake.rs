//! From raw bytes to what the store keeps of them: the same for IMAP, POP3, drafts and sent copies.

mod abridge;

use std::sync::Arc;

use posthorn_mime::Parsed;
use posthorn_model::{AccountId, Hash, MessageId, Timestamp};
use posthorn_net::Payload;
use posthorn_store::write::{NewBody, NewMessage};
use posthorn_store::{RawSource, Store};

use crate::Error;

/// A message with what its bytes say.
pub struct Read {
    pub payload: Payload,
    pub parsed: Parsed,
    /// Its header block, for rules that look at any field.
    pub header: Vec<u8>,
}

/// Octets up to which a message is read whole to be understood.
const WHOLE: u64 = 6 << 20;

/// Octets of a header block that rules look at.
const HEADER: usize = 256 * 1024;

/// Parses a batch off the runtime: it is work for the processor.
pub async fn read_all(payloads: Vec<Payload>) -> Result<Vec<Read>, Error> {
    let task = tokio::task::spawn_blocking(move || payloads.into_iter().map(read).collect());
    task.await
        .map_err(|_| Error::bug("taking messages apart failed unexpectedly"))?
}

/// Parses one message where we are.
pub fn read(payload: Payload) -> Result<Read, Error> {
    let (mut parsed, header) = match &payload {
        Payload::Memory(bytes) => (posthorn_mime::parse(bytes), header_of(bytes)),
        Payload::File { path, size } if *size > WHOLE => {
            let abridged = abridge::read(path).map_err(|error| crate::profile::disk(path, "read", &error))?;
            let mut parsed = posthorn_mime::parse(&abridged.bytes);
            abridged.correct(&mut parsed);
            (parsed, header_of(&abridged.bytes))
        }
        Payload::File { path, .. } => {
            let bytes = std::fs::read(path).map_err(|error| crate::profile::disk(path, "read", &error))?;
            (posthorn_mime::parse(&bytes), header_of(&bytes))
        }
    };
    // No list and no index needs them, and batches wait for the disk.
    (parsed.text, parsed.html) = (None, None);
    Ok(Read {
        payload,
        parsed,
        header,
    })
}

fn header_of(raw: &[u8]) -> Vec<u8> {
    let mut length = 0;
    for line in raw.split_inclusive(|byte| *byte == b'\n') {
        if matches!(line, b"\n" | b"\r\n") || length > HEADER {
            break;
        }
        length += line.len();
    }
    raw.get(..length.min(HEADER)).unwrap_or_default().to_vec()
}

/// The payload as the store takes it. The guard keeps a spooled file until the store has it.
pub fn into_source(payload: Payload) -> (RawSource, Option<Arc<tempfile::TempPath>>) {
    match payload {
        Payload::Memory(bytes) => (RawSource::Bytes(bytes), None),
        Payload::File { path, .. } => (RawSource::File(path.to_path_buf()), Some(Arc::new(path))),
    }
}

/// What is kept of a parsed message.
pub fn build_body(message: MessageId, hash: Hash, size: u64, parsed: Parsed) -> NewBody {
    NewBody {
        message,
        hash,
        size,
        envelope: parsed.envelope,
        parts: parsed.parts,
        preview: parsed.preview,
        index_text: parsed.index_text,
        defects: parsed.defects.iter().map(ToString::to_string).collect(),
    }
}

/// A message that is here whole before anybody knew its headers. `now` dates it where nothing else does: our own.
pub fn build_message(
    store: &Store,
    account: AccountId,
    hash: Hash,
    size: u64,
    parsed: Parsed,
    received: Option<Timestamp>,
) -> NewMessage {
    let received = received.or(parsed.received);
    let envelope = parsed.envelope.clone();
    let id = store.message_id(envelope.sort_date(received));
    let has_attachments = parsed
        .parts
        .iter()
        .any(|part| !part.inline && part.name.is_some());
    NewMessage {
        id,
        account,
        envelope,
        received,
        size,
        has_attachments,
        body: Some(build_body(id, hash, size, parsed)),
    }
}

/// What a rebuild of the index needs of a message.
pub fn reading(parsed: Parsed) -> posthorn_store::Reading {
    posthorn_store::Reading {
        envelope: parsed.envelope,
        received: parsed.received,
        parts: parsed.parts,
        preview: parsed.preview,
        index_text: parsed.index_text,
        defects: parsed.defects.iter().map(ToString::to_string).collect(),
    }
}
