//! Takes bodies as they come and keeps them in batches: raw bytes durably first, then what the index says of them.
//! Batches overlap, so that taking apart, compressing and writing go on beside the wire and beside each other.

use std::collections::{BTreeMap, VecDeque};
use std::sync::Arc;

use posthorn_model::{AccountId, Flags, Hash, InternetMessageId, MessageId, Timestamp, Uid, UidValidity};
use posthorn_net::imap::Body;
use posthorn_store::write::Write;
use posthorn_store::{Durability, MailboxRow, Provenance, RawInput};
use tokio::sync::{Mutex, OwnedSemaphorePermit, Semaphore, mpsc};
use tokio::task::JoinHandle;

use crate::Error;
use crate::event::Doing;
use crate::intake;
use crate::shared::Shared;

/// A batch is committed when it holds this many messages …
const MESSAGES: usize = 250;
/// … or this many bytes, or where nothing more comes for a moment.
const BYTES: u64 = 2 << 20;
/// Batches being kept at once: each is taken apart, made durable and listed, one after the other, so that as many
/// keep two processors busy.
const UNDER_WAY: usize = 3;

/// Bodies between the wire and the first of them.
pub const CHANNEL: usize = 32;

/// The bodies of one batch; `None` where no more come.
pub async fn gather(bodies: &mut mpsc::Receiver<Body>) -> Option<Vec<Body>> {
    let first = bodies.recv().await?;
    let mut bytes = first.payload.len();
    let mut batch = vec![first];
    while batch.len() < MESSAGES && bytes < BYTES {
        let Some(body) = intake::next(bodies).await else {
            break;
        };
        bytes += body.payload.len();
        batch.push(body);
    }
    Some(batch)
}

/// A body that is missing here.
#[derive(Clone, Debug)]
pub struct Wanted {
    pub message: MessageId,
    /// As its headers said.
    pub message_id: Option<InternetMessageId>,
    pub received: Option<Timestamp>,
    pub size: u64,
}

/// What has become of the bodies of one turn.
#[derive(Debug, Default)]
pub struct Kept {
    pub count: u64,
    /// The server gave their UIDs to other messages.
    pub mistaken: Vec<MessageId>,
}

/// What turns share that are written beside each other, so that memory does not grow with their number.
pub struct Desk {
    /// Batches are taken apart one after another: it is short work, and each thread keeps memory of its own.
    reading: Mutex<()>,
    room: Arc<Semaphore>,
}

impl Default for Desk {
    fn default() -> Self {
        Self {
            reading: Mutex::default(),
            room: Arc::new(Semaphore::new(UNDER_WAY)),
        }
    }
}

/// Keeps the bodies of one turn in one mailbox.
pub struct Committer {
    pub core: Shared,
    pub desk: Arc<Desk>,
    pub account: AccountId,
    pub mailbox: MailboxRow,
    pub uid_validity: UidValidity,
    pub wanted: Arc<BTreeMap<Uid, Wanted>>,
    /// Of all bodies that are missing, for those who watch.
    pub progress: (u64, u64),
}

impl Committer {
    /// Owns the receiver: where a commit fails, the session must not wait for room in the channel for ever.
    pub async fn run(self, mut bodies: mpsc::Receiver<Body>) -> Result<Kept, Error> {
        let committer = Arc::new(self);
        let mut under_way: VecDeque<JoinHandle<Result<Kept, Error>>> = VecDeque::new();
        let mut all = Kept::default();
        while let Some(batch) = gather(&mut bodies).await {
            let room = Arc::clone(&committer.desk.room).acquire_owned().await;
            let room = room.map_err(|_| Error::bug("nothing is written any more"))?;
            while under_way.front().is_some_and(JoinHandle::is_finished) {
                committer.settle(&mut under_way, &mut all).await?;
            }
            under_way.push_back(tokio::spawn(Arc::clone(&committer).commit(batch, room)));
        }
        while !under_way.is_empty() {
            committer.settle(&mut under_way, &mut all).await?;
        }
        Ok(all)
    }

    /// Waits for the oldest batch under way.
    async fn settle(
        &self,
        under_way: &mut VecDeque<JoinHandle<Result<Kept, Error>>>,
        all: &mut Kept,
    ) -> Result<(), Error> {
        if let Some(task) = under_way.pop_front() {
            let kept = task
                .await
                .map_err(|_| Error::bug("keeping messages failed unexpectedly"))??;
            all.count += kept.count;
            all.mistaken.extend(kept.mistaken);
            let (done, total) = self.progress;
            let done = (done + all.count).min(total);
            self.core.progress(self.account, Doing::Bodies, done, total);
        }
        Ok(())
    }

    async fn commit(self: Arc<Self>, batch: Vec<Body>, _room: OwnedSemaphorePermit) -> Result<Kept, Error> {
        let (uids, payloads): (Vec<Uid>, Vec<_>) =
            batch.into_iter().map(|body| (body.uid, body.payload)).unzip();
        let mut inputs = Vec::new();
        let mut parsed = Vec::new();
        let mut guards = Vec::new();
        let mut kept = Kept::default();
        let alone = self.desk.reading.lock().await;
        let read = intake::read_all(payloads).await?;
        drop(alone);
        for (uid, read) in uids.into_iter().zip(read) {
            let Some(wanted) = self.wanted.get(&uid) else {
                continue;
            };
            let claimed = &read.parsed.envelope.message_id;
            if wanted.message_id.is_some() && claimed.is_some() && wanted.message_id != *claimed {
                kept.mistaken.push(wanted.message);
                continue;
            }
            let size = read.payload.len();
            let (source, guard) = intake::into_source(read.payload);
            guards.extend(guard);
            inputs.push(RawInput {
                source,
                provenance: Provenance {
                    account: self.account,
                    mailbox: self.mailbox.name.path.clone(),
                    uid: Some((self.uid_validity, uid)),
                    uidl: None,
                    received: wanted.received,
                    flags: Flags::default(),
                },
            });
            parsed.push((wanted.message, size, read.parsed));
        }
        let hashes: Vec<Hash> = self.core.store.keep_raw(inputs).await?;
        drop(guards);
        kept.count = parsed.len() as u64;
        let writes = parsed
            .into_iter()
            .zip(hashes)
            .map(|((message, size, parsed), hash)| {
                Write::SetBody(Box::new(intake::build_body(message, hash, size, parsed)))
            });
        self.core
            .apply(self.account, writes.collect(), Durability::Normal)
            .await?;
        Ok(kept)
    }
}
