//! Makes messages durable and reads them back, in batches as they come. Batches overlap, so that taking apart,
//! compressing, writing and reading back go on beside the wire and beside each other.

use std::collections::BTreeMap;
use std::sync::Arc;

use posthorn_model::{AccountId, Flags, Hash, MsgNo, Uidl};
use posthorn_net::Payload;
use posthorn_net::pop3::Retrieved;
use posthorn_store::{Provenance, RawInput};
use tokio::sync::{Mutex, OwnedSemaphorePermit, Semaphore, mpsc};
use tokio::task::JoinHandle;

use super::{Listed, Naming, header};
use crate::Error;
use crate::intake::{self, Read};
use crate::shared::Shared;

/// A batch is kept when it holds this many messages …
const MESSAGES: usize = 200;
/// … or this many bytes, or where nothing more comes for a moment.
const BYTES: u64 = 4 << 20;
/// Batches that are being kept or listed at once: as many as keep two processors busy.
pub(super) const UNDER_WAY: usize = 3;

/// What makes messages durable.
pub(super) struct Keeper {
    pub core: Shared,
    pub account: AccountId,
    /// The path of the mailbox that they are listed in.
    pub mailbox: String,
    /// Batches are taken apart one after another: it is short work, and each thread keeps memory of its own.
    pub reading: Mutex<()>,
}

/// A message that has come, with its part of the memory for such.
struct Arrival {
    listed: Listed,
    payload: Payload,
    share: Option<OwnedSemaphorePermit>,
}

/// A message that is durable, and what its bytes say.
pub(super) struct Kept {
    /// With the name that its bytes give it, where it has no other.
    pub listed: Listed,
    /// Of what was read back from where it lies; `None` where that is not what came.
    pub hash: Option<Hash>,
    pub size: u64,
    pub digest: Option<Hash>,
    pub header: Vec<u8>,
    pub parsed: posthorn_mime::Parsed,
}

/// A batch that is being kept.
pub(super) struct Keeping {
    task: JoinHandle<Result<Vec<Kept>, Error>>,
    room: OwnedSemaphorePermit,
}

impl Keeping {
    /// Waits until all of the batch is durable and read back. The next batch may come once the permit is dropped.
    ///
    /// # Errors
    /// Where this disk failed: then none of the batch counts as kept.
    pub(super) async fn finish(self) -> Result<(Vec<Kept>, OwnedSemaphorePermit), Error> {
        let kept = self.task.await;
        let kept = kept.map_err(|_| Error::bug("keeping messages failed unexpectedly"))??;
        Ok((kept, self.room))
    }
}

impl Keeper {
    /// Gathers what comes and hands on the batches that are being kept, in order. Gives what did not come whole.
    ///
    /// Owns the receiver: where nobody lists any more, the session must not wait for room in the channel for ever.
    pub(super) async fn run(
        self,
        wanted: &BTreeMap<MsgNo, &Listed>,
        mut arrived: mpsc::Receiver<Retrieved>,
        hand: mpsc::Sender<Keeping>,
    ) -> Vec<Uidl> {
        let keeper = Arc::new(self);
        let under_way = Arc::new(Semaphore::new(UNDER_WAY));
        let mut lost = Vec::new();
        loop {
            let first = tokio::select! {
                biased;
                () = hand.closed() => break,
                first = arrived.recv() => first,
            };
            let Some(first) = first else {
                break;
            };
            let mut batch = Vec::new();
            let mut bytes = sort(first, wanted, &mut batch, &mut lost);
            while batch.len() < MESSAGES && bytes < BYTES {
                let Some(next) = intake::next(&mut arrived).await else {
                    break;
                };
                bytes += sort(next, wanted, &mut batch, &mut lost);
            }
            if batch.is_empty() {
                continue;
            }
            let room = tokio::select! {
                biased;
                () = hand.closed() => break,
                room = Arc::clone(&under_way).acquire_owned() => room,
            };
            let Ok(room) = room else {
                break;
            };
            let task = tokio::spawn(Arc::clone(&keeper).keep(batch));
            if hand.send(Keeping { task, room }).await.is_err() {
                break;
            }
        }
        lost
    }

    /// Durable first, then read back.
    async fn keep(self: Arc<Self>, batch: Vec<Arrival>) -> Result<Vec<Kept>, Error> {
        let alone = self.reading.lock().await;
        // It is work for the processor, and large messages are read from their files.
        let flood = intake::is_flood(batch.len());
        let reading = tokio::task::spawn_blocking(move || {
            batch.into_iter().map(|arrival| read(arrival, flood)).collect()
        });
        let read: Result<Vec<_>, Error> = reading
            .await
            .map_err(|_| Error::bug("taking messages apart failed unexpectedly"))?;
        drop(alone);
        let (mut all, mut inputs, mut held) = (Vec::new(), Vec::new(), Vec::new());
        for (kept, payload, share) in read? {
            let (source, guard) = intake::into_source(payload);
            held.push((guard, share));
            inputs.push(RawInput {
                source,
                provenance: Provenance {
                    account: self.account,
                    mailbox: self.mailbox.clone(),
                    uid: None,
                    uidl: Some(kept.listed.uidl.clone()),
                    received: kept.parsed.received,
                    flags: Flags::default(),
                },
            });
            all.push(kept);
        }
        let hashes = self.core.store.keep_raw(inputs).await?;
        drop(held);
        let sound = self.core.store.verify_raw(hashes.clone()).await?;
        for ((kept, hash), sound) in all.iter_mut().zip(hashes).zip(sound) {
            kept.hash = sound.then_some(hash);
        }
        Ok(all)
    }
}

/// Puts a message into the batch, or says that it did not come whole. Gives its bytes.
fn sort(
    retrieved: Retrieved,
    wanted: &BTreeMap<MsgNo, &Listed>,
    batch: &mut Vec<Arrival>,
    lost: &mut Vec<Uidl>,
) -> u64 {
    let Some(listed) = wanted.get(&retrieved.number) else {
        return 0;
    };
    match retrieved.result {
        Ok(payload) => {
            let bytes = payload.len();
            batch.push(Arrival {
                listed: (*listed).clone(),
                payload,
                share: retrieved.share,
            });
            bytes
        }
        Err(error) => {
            log::warn!("Message {} did not come whole: {error}.", retrieved.number);
            lost.push(listed.uidl.clone());
            0
        }
    }
}

/// Takes a message apart.
fn read(arrival: Arrival, flood: bool) -> Result<(Kept, Payload, Option<OwnedSemaphorePermit>), Error> {
    let Arrival {
        mut listed,
        payload,
        share,
    } = arrival;
    let Read {
        payload,
        parsed,
        header,
    } = intake::read(payload, flood)?;
    if listed.naming == Naming::Session {
        let hash = header::hash_of(&payload);
        listed.uidl = header::name_whole(hash.ok_or_else(|| Error::bug("a spooled message is gone"))?);
    }
    let kept = Kept {
        listed,
        hash: None,
        size: payload.len(),
        digest: header::digest_of(&payload),
        header,
        parsed,
    };
    Ok((kept, payload, share))
}
