//! From raw bytes to what the store keeps of them: the same for IMAP, POP3, drafts and sent copies.

mod abridge;
mod batch;
mod desk;
mod large;

use std::sync::Arc;
use std::time::Duration;

use posthorn_mime::Parsed;
use posthorn_model::{AccountId, Hash, MessageId, Timestamp};
use posthorn_net::Payload;
use posthorn_store::write::{NewBody, NewMessage};
use posthorn_store::{Preparer, Provenance, RawInput, RawSource, Store};
use tokio::sync::mpsc::{self, error::TryRecvError};
use tokio::time::timeout;

pub use self::batch::{Batch, GROUP, Keeping, Pending};
pub use self::desk::Desk;
use crate::Error;

/// A message with what its bytes say.
pub struct Read {
    pub payload: Payload,
    pub parsed: Parsed,
    /// Its header block, for rules that look at any field: only where it was asked for, and of large ones.
    pub header: Vec<u8>,
}

/// How a message is read.
#[derive(Clone, Copy)]
pub struct Look {
    /// What is searched in it is read later.
    pub flood: bool,
    /// Rules may look at its header.
    pub header: bool,
}

/// Octets of a header block that rules look at.
const HEADER: usize = 256 * 1024;

/// A batch of messages waits so long for one more.
const PAUSE: Duration = Duration::from_millis(30);

/// What comes next, or `None` where nothing does for a moment, or ever.
pub async fn next<T>(coming: &mut mpsc::Receiver<T>) -> Option<T> {
    match coming.try_recv() {
        Ok(next) => Some(next),
        Err(TryRecvError::Disconnected) => None,
        // Only here: a clock for each message would cost more than its place in the batch.
        Err(TryRecvError::Empty) => timeout(PAUSE, coming.recv()).await.ok().flatten(),
    }
}

/// More messages than these at once come faster than they can be indexed: what is searched in them is read later, from
/// what is kept, when their turn comes. Large ones are not read twice.
const FLOOD: usize = 20;

/// Whether what is searched in so many messages is read later.
pub const fn is_flood(count: usize) -> bool {
    count > FLOOD
}

/// Parses one message off the runtime.
pub async fn read_aside(desk: &Desk, payload: Payload) -> Result<Read, Error> {
    let look = Look {
        flood: false,
        header: false,
    };
    desk::finish(desk.begin(1, move || read(payload, look))).await
}

/// Parses one message where we are: it is work for the processor.
pub fn read(payload: Payload, look: Look) -> Result<Read, Error> {
    let (mut parsed, header) = match &payload {
        Payload::Memory(bytes) => {
            let header = if look.header { header_of(bytes) } else { Vec::new() };
            (understand(bytes, look.flood), header)
        }
        Payload::File { path, size } => {
            large::read(path, *size).map_err(|error| crate::profile::disk(path, "read", &error))?
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

fn understand(raw: &[u8], flood: bool) -> Parsed {
    if flood && raw.len() as u64 <= posthorn_store::LARGE {
        posthorn_mime::survey(raw)
    } else {
        posthorn_mime::parse(raw)
    }
}

fn header_of(raw: &[u8]) -> Vec<u8> {
    let mut length = 0;
    for end in memchr::memchr_iter(b'\n', raw) {
        let line = raw.get(length..end).unwrap_or_default();
        if matches!(line, b"" | b"\r") || length > HEADER {
            break;
        }
        length = end + 1;
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

/// Hashes and compresses a message to be kept with others.
pub fn prepare(raw: &mut Preparer, payload: Payload, provenance: Provenance) -> Result<Hash, Error> {
    let (source, _guard) = into_source(payload);
    Ok(raw.add(RawInput { source, provenance })?)
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

/// What a rebuild of the index needs of a message: it is a flood.
pub fn reading(raw: &[u8]) -> posthorn_store::Reading {
    let parsed = understand(raw, true);
    posthorn_store::Reading {
        envelope: parsed.envelope,
        received: parsed.received,
        parts: parsed.parts,
        preview: parsed.preview,
        index_text: parsed.index_text,
        defects: parsed.defects.iter().map(ToString::to_string).collect(),
    }
}
