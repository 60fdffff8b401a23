//! What the wire brought of new messages, taken apart: by their headers, or whole.

use std::collections::HashMap;
use std::sync::Arc;

use posthorn_mime::parse_header;
use posthorn_model::{AccountId, Flags, MessageId, Uid, UidValidity};
use posthorn_net::Payload;
use posthorn_net::imap::{Body, Summary};
use posthorn_store::write::{NewMessage, Write};
use posthorn_store::{PreparedRaw, Provenance, RawInput, Store};
use tokio::sync::{OwnedSemaphorePermit, Semaphore, mpsc};
use tokio::task::JoinHandle;

use crate::Error;
use crate::imap::bodies;
use crate::imap::identity::Traits;
use crate::intake;
use crate::shared::Shared;

/// What the wire gives, newest first.
pub(super) enum Coming {
    Headers(Vec<Summary>),
    /// Messages as they come, and what was told of each before.
    Whole {
        told: HashMap<Uid, Summary>,
        bodies: mpsc::Receiver<Body>,
    },
}

/// Messages that are kept and listed together.
const GROUP: usize = 250;

/// Messages taken apart.
#[derive(Default)]
pub(super) struct Batch {
    pub(super) arrivals: Vec<Arrival>,
    /// The bytes of those that are whole, to be kept before they are listed.
    pub(super) raw: PreparedRaw,
    /// Given back when they are listed.
    room: Option<OwnedSemaphorePermit>,
}

/// A batch that is being taken apart.
pub(super) type Pending = JoinHandle<Result<Batch, Error>>;

/// Takes batches apart beside each other and beside the wire; they leave in the order in which they came.
pub(super) struct Reader {
    pub(super) core: Shared,
    pub(super) account: AccountId,
    /// The mailbox's.
    pub(super) path: String,
    pub(super) uid_validity: UidValidity,
    /// Batches taken apart beside each other: more threads than this would only keep more memory each.
    pub(super) turns: Arc<Semaphore>,
    /// For messages that are taken apart and not listed yet: so many fit into memory, whatever a batch holds.
    pub(super) room: Arc<Semaphore>,
}

/// As many as [`Reader::turns`] lets in.
pub(super) const TURNS: usize = 2;
/// As many as [`Reader::room`] holds.
pub(super) const ROOM: u32 = 700;

impl Reader {
    /// The room in `hand_on` bounds how many batches are in memory.
    pub(super) async fn run(self, mut coming: mpsc::Receiver<Coming>, hand_on: mpsc::Sender<Pending>) {
        let reader = Arc::new(self);
        while let Some(next) = coming.recv().await {
            match next {
                Coming::Headers(summaries) => {
                    let room = reader.make_room(summaries.len()).await;
                    let batch = reader.begin(room, move |reader| Ok(reader.read_headers(summaries)));
                    if hand_on.send(batch).await.is_err() {
                        return;
                    }
                }
                Coming::Whole { mut told, mut bodies } => {
                    while let Some(batch) = bodies::gather(&mut bodies).await {
                        let known = |body: Body| Some((told.remove(&body.uid)?, body.payload));
                        let batch: Vec<_> = batch.into_iter().filter_map(known).collect();
                        let room = reader.make_room(batch.len()).await;
                        let batch = reader.begin(room, move |reader| reader.read_whole(batch));
                        if hand_on.send(batch).await.is_err() {
                            return;
                        }
                    }
                }
            }
        }
    }

    async fn make_room(&self, messages: usize) -> Option<OwnedSemaphorePermit> {
        let messages = u32::try_from(messages).unwrap_or(ROOM).min(ROOM);
        let room = Arc::clone(&self.room).acquire_many_owned(messages).await;
        room.ok()
    }

    /// Off the runtime: it is work for the processor.
    fn begin(
        self: &Arc<Self>,
        room: Option<OwnedSemaphorePermit>,
        read: impl FnOnce(&Self) -> Result<Batch, Error> + Send + 'static,
    ) -> Pending {
        let reader = Arc::clone(self);
        tokio::spawn(async move {
            let turn = Arc::clone(&reader.turns).acquire_owned().await;
            let task = tokio::task::spawn_blocking(move || {
                let _turn = turn;
                read(&reader)
            });
            let batch = task
                .await
                .map_err(|_| Error::bug("reading new messages failed unexpectedly"))??;
            Ok(Batch { room, ..batch })
        })
    }

    fn read_headers(&self, summaries: Vec<Summary>) -> Batch {
        let store = &self.core.store;
        let arrivals = summaries.into_iter().map(|summary| {
            let header = parse_header(&summary.header);
            let received = summary.internal_date.or(header.received);
            Arrival {
                uid: summary.uid,
                flags: summary.flags,
                object_id: summary.email_id,
                listed_size: None,
                new: NewMessage {
                    id: store.message_id(header.envelope.sort_date(received)),
                    account: self.account,
                    envelope: header.envelope,
                    received,
                    size: summary.size,
                    has_attachments: summary.attachments.unwrap_or(header.has_attachment_hint),
                    body: None,
                },
                header: summary.header,
            }
        });
        Batch {
            arrivals: arrivals.collect(),
            ..Batch::default()
        }
    }

    fn read_whole(&self, batch: Vec<(Summary, Payload)>) -> Result<Batch, Error> {
        let flood = intake::is_flood(batch.len());
        let mut inputs = Vec::new();
        let mut taken_apart = Vec::new();
        let mut guards = Vec::new();
        for (told, payload) in batch {
            let read = intake::read(payload, flood)?;
            let received = told.internal_date.or(read.parsed.received);
            let size = read.payload.len();
            let (source, guard) = intake::into_source(read.payload);
            guards.extend(guard);
            inputs.push(RawInput {
                source,
                provenance: Provenance {
                    account: self.account,
                    mailbox: self.path.clone(),
                    uid: Some((self.uid_validity, told.uid)),
                    uidl: None,
                    received,
                    flags: Flags::default(),
                },
            });
            taken_apart.push((told, received, size, read.parsed, read.header));
        }
        let raw = self.core.store.prepare_raw(inputs)?;
        let arrivals = taken_apart.into_iter().zip(raw.hashes());
        let arrivals = arrivals.map(|((told, received, size, parsed, header), hash)| {
            let store = &self.core.store;
            let new = intake::build_message(store, self.account, hash, size, parsed, received);
            Arrival {
                uid: told.uid,
                flags: told.flags,
                object_id: told.email_id,
                listed_size: Some(told.size).filter(|listed| *listed != size),
                new,
                header,
            }
        });
        Ok(Batch {
            arrivals: arrivals.collect(),
            raw,
            room: None,
        })
    }
}

/// Keeps the bytes of what was taken apart, several batches at once: each transaction waits for the disk, and writes
/// whole pages, most of which the next would write again.
pub(super) async fn keep(
    store: Store,
    mut pending: mpsc::Receiver<Pending>,
    hand_on: mpsc::Sender<Result<Batch, Error>>,
) {
    while let Some(first) = pending.recv().await {
        let kept = keep_group(&store, first, &mut pending).await;
        let failed = kept.is_err();
        if hand_on.send(kept).await.is_err() || failed {
            return;
        }
    }
}

async fn keep_group(
    store: &Store,
    first: Pending,
    pending: &mut mpsc::Receiver<Pending>,
) -> Result<Batch, Error> {
    let mut group = finish(first).await?;
    while group.arrivals.len() < GROUP
        && let Some(next) = intake::next(pending).await
    {
        let next = finish(next).await?;
        group.arrivals.extend(next.arrivals);
        group.raw.append(next.raw);
        if let (Some(room), Some(more)) = (&mut group.room, next.room) {
            room.merge(more);
        }
    }
    let raw = std::mem::take(&mut group.raw);
    if !raw.is_empty() {
        store.keep_prepared(raw).await?;
    }
    Ok(group)
}

async fn finish(batch: Pending) -> Result<Batch, Error> {
    batch
        .await
        .map_err(|_| Error::bug("reading new messages failed unexpectedly"))?
}

/// A new message.
pub(super) struct Arrival {
    pub(super) uid: Uid,
    pub(super) flags: Flags,
    pub(super) object_id: Option<String>,
    pub(super) new: NewMessage,
    /// RFC822.SIZE where it is not the size.
    pub(super) listed_size: Option<u64>,
    /// For rules that look at any field.
    pub(super) header: Vec<u8>,
}

impl Arrival {
    pub(super) fn traits(&self) -> Traits<'_> {
        Traits {
            object_id: self.object_id.as_deref(),
            envelope: &self.new.envelope,
            size: self.listed_size.unwrap_or(self.new.size),
            received: self.new.received,
        }
    }

    /// Puts `message` where this arrived.
    pub(super) fn place(&self, message: MessageId, mailbox: posthorn_model::MailboxId) -> Vec<Write> {
        let mut writes = vec![Write::Place {
            message,
            mailbox,
            uid: Some(self.uid),
            flags: self.flags.clone(),
            base: self.flags.clone(),
        }];
        if self.object_id.is_some() || self.listed_size.is_some() {
            writes.push(Write::Identify {
                message,
                object_id: self.object_id.clone(),
                listed_size: self.listed_size,
            });
        }
        writes
    }
}
