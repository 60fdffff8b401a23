//! Takes messages apart in batches as they come, has them made durable in groups, and reads those back: beside the wire
//! and beside each other.

use std::collections::BTreeMap;
use std::sync::Arc;

use posthorn_model::{AccountId, Flags, Hash, MsgNo, Uidl};
use posthorn_net::Payload;
use posthorn_net::pop3::Retrieved;
use posthorn_store::{Preparer, Provenance};
use tokio::sync::{OwnedSemaphorePermit, mpsc};

use super::{Listed, Naming, header};
use crate::Error;
use crate::intake::{self, Batch, Keeping, Pending, Read};
use crate::shared::Shared;

/// A batch is taken apart when it holds this many messages …
const MESSAGES: usize = 200;
/// … or this many bytes, or where nothing more comes for a moment.
const BYTES: u64 = 2 << 20;
/// Batches that are being taken apart while others are kept.
pub(super) const UNDER_WAY: usize = 2;
/// Messages that are kept together.
pub(super) const GROUP: usize = 200;

/// What takes messages apart.
pub(super) struct Keeper {
    pub core: Shared,
    pub account: AccountId,
    /// The path of the mailbox that they are listed in.
    pub mailbox: String,
}

/// A message that has come, with its part of the memory for such.
struct Arrival {
    listed: Listed,
    payload: Payload,
    _share: Option<OwnedSemaphorePermit>,
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

/// What is durable next, read back from where it lies.
///
/// # Errors
/// Where this disk failed: then none of it counts as kept.
pub(super) async fn next(keeping: &mut Keeping<Kept>) -> Result<Option<Vec<Kept>>, Error> {
    let Some(mut all) = keeping.next().await? else {
        return Ok(None);
    };
    let hashes = all.iter().filter_map(|kept| kept.hash).collect();
    let sound = keeping.store.verify_raw(hashes).await?;
    for (kept, sound) in all.iter_mut().zip(sound) {
        kept.hash = kept.hash.filter(|_| sound);
    }
    Ok(Some(all))
}

impl Keeper {
    /// Gathers what comes and hands on the batches that are being kept, in order. Gives what did not come whole.
    ///
    /// Owns the receiver: where nobody lists any more, the session must not wait for room in the channel for ever.
    pub(super) async fn run(
        self,
        wanted: &BTreeMap<MsgNo, &Listed>,
        mut arrived: mpsc::Receiver<Retrieved>,
        hand: mpsc::Sender<Pending<Kept>>,
    ) -> Vec<Uidl> {
        let keeper = Arc::new(self);
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
            let task = Arc::clone(&keeper);
            let desk = &keeper.core.desk;
            let batch = desk.begin(batch.len(), move || task.read(batch));
            if hand.send(batch).await.is_err() {
                break;
            }
        }
        lost
    }

    fn read(&self, batch: Vec<Arrival>) -> Result<Batch<Kept>, Error> {
        let look = intake::Look {
            flood: intake::is_flood(batch.len()),
            header: true,
        };
        let mut raw = self.core.store.preparer()?;
        let items = batch
            .into_iter()
            .map(|arrival| self.read_one(arrival, look, &mut raw));
        let items = items.collect::<Result<_, Error>>()?;
        let raw = raw.finish();
        Ok(Batch { items, raw })
    }

    fn read_one(&self, arrival: Arrival, look: intake::Look, raw: &mut Preparer) -> Result<Kept, Error> {
        let mut listed = arrival.listed;
        let Read {
            payload,
            parsed,
            header,
        } = intake::read(arrival.payload, look)?;
        if listed.naming == Naming::Session {
            let hash = header::hash_of(&payload);
            listed.uidl = header::name_whole(hash.ok_or_else(|| Error::bug("a spooled message is gone"))?);
        }
        let provenance = Provenance {
            account: self.account,
            mailbox: self.mailbox.clone(),
            uid: None,
            uidl: Some(listed.uidl.clone()),
            received: parsed.received,
            flags: Flags::default(),
        };
        let size = payload.len();
        let digest = header::digest_of(&payload);
        let hash = intake::prepare(raw, payload, provenance)?;
        Ok(Kept {
            listed,
            hash: Some(hash),
            size,
            digest,
            header,
            parsed,
        })
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
                _share: retrieved.share,
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
