//! What the wire brought of new messages, taken apart: by their headers, or whole.

use std::collections::HashMap;
use std::sync::Arc;

use posthorn_mime::parse_header;
use posthorn_model::{AccountId, Flags, MessageId, Uid, UidValidity};
use posthorn_net::Payload;
use posthorn_net::imap::{Body, Summary};
use posthorn_store::PreparedRaw;
use posthorn_store::write::{NewMessage, Write};
use tokio::sync::mpsc;

use crate::Error;
use crate::imap::bodies::{gather, provenance};
use crate::imap::identity::Traits;
use crate::intake::{self, Batch, Pending};
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

/// Takes apart what comes, batch by batch, beside the wire.
pub(super) struct Reader {
    pub(super) core: Shared,
    pub(super) account: AccountId,
    /// The mailbox's.
    pub(super) path: String,
    pub(super) uid_validity: UidValidity,
    /// Rules look at what arrives.
    pub(super) ruled: bool,
}

impl Reader {
    /// The desk's room bounds what waits to be taken apart; the room in `hand_on`, how many batches wait to be kept.
    pub(super) async fn run(
        self,
        mut coming: mpsc::Receiver<Coming>,
        hand_on: mpsc::Sender<Pending<Arrival>>,
    ) {
        let reader = Arc::new(self);
        while let Some(next) = coming.recv().await {
            match next {
                Coming::Headers(summaries) => {
                    let task = Arc::clone(&reader);
                    let desk = &reader.core.desk;
                    let batch = desk.begin(summaries.len(), move || Ok(task.read_headers(summaries)));
                    if hand_on.send(batch).await.is_err() {
                        return;
                    }
                }
                Coming::Whole { mut told, mut bodies } => {
                    let flood = intake::is_flood(told.len());
                    while let Some(batch) = gather(&mut bodies).await {
                        let known = |body: Body| Some((told.remove(&body.uid)?, body.payload));
                        let batch: Vec<_> = batch.into_iter().filter_map(known).collect();
                        let task = Arc::clone(&reader);
                        let octets = batch.iter().map(|(_, payload)| payload.in_memory()).sum();
                        let desk = &reader.core.desk;
                        let batch =
                            desk.begin_with_room(batch.len(), octets, move || task.read_whole(batch, flood));
                        if hand_on.send(batch.await).await.is_err() {
                            return;
                        }
                    }
                }
            }
        }
    }

    fn read_headers(&self, summaries: Vec<Summary>) -> Batch<Arrival> {
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
                header: if self.ruled { summary.header } else { Vec::new() },
            }
        });
        Batch {
            items: arrivals.collect(),
            raw: PreparedRaw::default(),
        }
    }

    fn read_whole(&self, batch: Vec<(Summary, Payload)>, flood: bool) -> Result<Batch<Arrival>, Error> {
        let store = &self.core.store;
        let look = intake::Look {
            flood,
            header: self.ruled,
        };
        let mut raw = store.preparer()?;
        let mut items = Vec::with_capacity(batch.len());
        for (told, payload) in batch {
            let read = intake::read(payload, look)?;
            let received = told.internal_date.or(read.parsed.received);
            let size = read.payload.len();
            let from = provenance(self.account, &self.path, (self.uid_validity, told.uid), received);
            let hash = intake::prepare(&mut raw, read.payload, from)?;
            items.push(Arrival {
                uid: told.uid,
                flags: told.flags,
                object_id: told.email_id,
                listed_size: Some(told.size).filter(|listed| *listed != size),
                new: intake::build_message(store, self.account, hash, size, read.parsed, received),
                header: read.header,
            });
        }
        let raw = raw.finish();
        Ok(Batch { items, raw })
    }
}

/// A new message.
pub(super) struct Arrival {
    pub(super) uid: Uid,
    pub(super) flags: Flags,
    pub(super) object_id: Option<String>,
    pub(super) new: NewMessage,
    /// RFC822.SIZE where it is not the size.
    pub(super) listed_size: Option<u64>,
    /// For rules that look at any field; empty where none look.
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
