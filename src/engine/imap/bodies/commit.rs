//! Takes bodies apart as they come and keeps them in groups: raw bytes durably first, then what the index says of them.
//! Groups overlap, so that taking apart, compressing and writing go on beside the wire and beside each other.

use std::collections::BTreeMap;
use std::sync::Arc;

use posthorn_model::{AccountId, Flags, InternetMessageId, MessageId, Timestamp, Uid, UidValidity};
use posthorn_net::imap::Body;
use posthorn_store::write::{NewBody, Write};
use posthorn_store::{Durability, MailboxRow, Provenance};
use tokio::sync::mpsc;

use crate::Error;
use crate::event::Doing;
use crate::intake::{self, Batch, GROUP, Keeping, Pending};
use crate::shared::Shared;

/// A batch is taken apart when it holds this many messages …
const MESSAGES: usize = 250;
/// … or this many bytes, or where nothing more comes for a moment.
const BYTES: u64 = 1 << 20;
/// Batches that are being taken apart while others are kept.
const UNDER_WAY: usize = 2;

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

/// What the store is told of where a message came from.
pub fn provenance(
    account: AccountId,
    mailbox: &str,
    uid: (UidValidity, Uid),
    received: Option<Timestamp>,
) -> Provenance {
    Provenance {
        account,
        mailbox: mailbox.to_owned(),
        uid: Some(uid),
        uidl: None,
        received,
        flags: Flags::default(),
    }
}

/// Keeps the bodies of one turn in one mailbox.
pub struct Committer {
    pub core: Shared,
    pub account: AccountId,
    pub mailbox: MailboxRow,
    pub uid_validity: UidValidity,
    pub wanted: Arc<BTreeMap<Uid, Wanted>>,
    /// Of all bodies that are missing, for those who watch.
    pub progress: (u64, u64),
}

/// A body that came.
enum Arrival {
    Whole(Box<NewBody>),
    /// It is another message's.
    Mistaken(MessageId),
}

impl Committer {
    /// Owns the receiver: where a commit fails, the session must not wait for room in the channel for ever.
    pub async fn run(self, bodies: mpsc::Receiver<Body>) -> Result<Kept, Error> {
        let (hand_on, pending) = mpsc::channel(UNDER_WAY);
        let committer = Arc::new(self);
        let reading = tokio::spawn(Arc::clone(&committer).read_all(bodies, hand_on));
        let mut keeping = Keeping {
            store: committer.core.store.clone(),
            pending,
            group: GROUP,
        };
        let mut kept = Kept::default();
        let mut next = keeping.next().await?;
        while let Some(arrivals) = next {
            let listed = committer.list(arrivals, &mut kept);
            let (listed, following) = tokio::join!(listed, keeping.next());
            listed?;
            next = following?;
        }
        reading
            .await
            .map_err(|_| Error::bug("keeping messages failed unexpectedly"))?;
        Ok(kept)
    }

    async fn read_all(
        self: Arc<Self>,
        mut bodies: mpsc::Receiver<Body>,
        hand_on: mpsc::Sender<Pending<Arrival>>,
    ) {
        while let Some(batch) = gather(&mut bodies).await {
            let committer = Arc::clone(&self);
            let octets = batch.iter().map(|body| body.payload.in_memory()).sum();
            let desk = &self.core.desk;
            let batch = desk.begin_with_room(batch.len(), octets, move || committer.read(batch));
            if hand_on.send(batch.await).await.is_err() {
                return;
            }
        }
    }

    fn read(&self, batch: Vec<Body>) -> Result<Batch<Arrival>, Error> {
        let look = intake::Look {
            flood: intake::is_flood(self.wanted.len()),
            header: false,
        };
        let mut raw = self.core.store.preparer()?;
        let mut items = Vec::with_capacity(batch.len());
        for Body { uid, payload } in batch {
            let Some(wanted) = self.wanted.get(&uid) else {
                continue;
            };
            let read = intake::read(payload, look)?;
            let claimed = &read.parsed.envelope.message_id;
            if wanted.message_id.is_some() && claimed.is_some() && wanted.message_id != *claimed {
                items.push(Arrival::Mistaken(wanted.message));
                continue;
            }
            let size = read.payload.len();
            let path = &self.mailbox.name.path;
            let from = provenance(self.account, path, (self.uid_validity, uid), wanted.received);
            let hash = intake::prepare(&mut raw, read.payload, from)?;
            let body = intake::build_body(wanted.message, hash, size, read.parsed);
            items.push(Arrival::Whole(Box::new(body)));
        }
        let raw = raw.finish();
        Ok(Batch { items, raw })
    }

    async fn list(&self, arrivals: Vec<Arrival>, kept: &mut Kept) -> Result<(), Error> {
        let mut writes = Vec::with_capacity(arrivals.len());
        for arrival in arrivals {
            match arrival {
                Arrival::Whole(body) => writes.push(Write::SetBody(body)),
                Arrival::Mistaken(message) => kept.mistaken.push(message),
            }
        }
        kept.count += writes.len() as u64;
        self.core.apply(self.account, writes, Durability::Normal).await?;
        let (done, total) = self.progress;
        let done = (done + kept.count).min(total);
        self.core.progress(self.account, Doing::Bodies, done, total);
        Ok(())
    }
}
