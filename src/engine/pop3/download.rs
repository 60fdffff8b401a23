//! Takes messages as they stream in: kept durably and verified, then listed, batch by batch.

use std::collections::BTreeMap;
use std::time::Duration;

use posthorn_model::{
    AccountId, Flags, Hash, LedgerRow, LedgerState, MailboxId, MessageId, MsgNo, Timestamp, Uidl,
};
use posthorn_net::Payload;
use posthorn_net::pop3::{Retrieved, Session};
use posthorn_store::write::Write;
use posthorn_store::{Durability, Provenance, RawInput};
use tokio::sync::mpsc;
use tokio::time::timeout;

use super::plan::Listed;
use crate::Error;
use crate::event::{Doing, Event};
use crate::filter::round::Round;
use crate::intake;
use crate::shared::Shared;

/// A batch is committed when it holds this many messages …
const MESSAGES: usize = 100;
/// … or this many bytes …
const BYTES: u64 = 8 << 20;
/// … or nothing more came for this long.
const PAUSE: Duration = Duration::from_millis(30);

/// One download: what is wanted, and what has become of it.
pub struct Download {
    pub core: Shared,
    pub account: AccountId,
    pub inbox: (MailboxId, String),
    pub wanted: BTreeMap<MsgNo, Listed>,
    /// Messages here by their bytes: the same bytes under another name are the same message.
    pub known: BTreeMap<Hash, Option<MessageId>>,
    /// When each name was first listed.
    pub first_seen: BTreeMap<Uidl, Timestamp>,
    /// Durable, verified and listed, with the ledger row.
    pub rows: Vec<(MsgNo, LedgerRow)>,
    /// Messages that were not here before.
    pub new: u64,
    /// Not handed over by the server: tried again next time.
    pub refused: u64,
}

impl Download {
    /// # Errors
    /// Where the connection broke, or this disk failed; `rows` holds what was kept until then.
    pub async fn run(&mut self, session: &mut Session) -> Result<(), Error> {
        let mut order: Vec<(MsgNo, Option<u64>)> = self
            .wanted
            .values()
            .map(|listed| (listed.number, listed.size))
            .collect();
        order.reverse();
        let (out, arrived) = mpsc::channel::<Retrieved>(64);
        let fetching = async {
            let result = session.retrieve(&order, &out).await;
            drop(out);
            result
        };
        let (fetched, kept) = tokio::join!(fetching, self.take(arrived));
        kept?;
        Ok(fetched?)
    }

    /// Owns the receiver: where a commit fails, the session must not wait for room in the channel for ever.
    async fn take(&mut self, mut arrived: mpsc::Receiver<Retrieved>) -> Result<(), Error> {
        let total = self.wanted.len() as u64;
        let mut done = 0;
        while let Some(first) = arrived.recv().await {
            let mut batch = Vec::new();
            let mut bytes = self.sort(first, &mut batch);
            while batch.len() < MESSAGES && bytes < BYTES {
                match timeout(PAUSE, arrived.recv()).await {
                    Ok(Some(next)) => bytes += self.sort(next, &mut batch),
                    Ok(None) | Err(_) => break,
                }
            }
            done += batch.len() as u64;
            self.commit(batch).await?;
            self.core.progress(self.account, Doing::Bodies, done, total);
        }
        Ok(())
    }

    fn sort(&mut self, retrieved: Retrieved, batch: &mut Vec<(MsgNo, Payload)>) -> u64 {
        match retrieved.result {
            Ok(payload) => {
                let bytes = payload.len();
                batch.push((retrieved.number, payload));
                bytes
            }
            Err(error) => {
                log::warn!("Message {} was not handed over: {error}.", retrieved.number);
                self.refused += 1;
                0
            }
        }
    }

    /// Durable and verified first; then the messages and their ledger rows in one transaction.
    async fn commit(&mut self, batch: Vec<(MsgNo, Payload)>) -> Result<(), Error> {
        let (numbers, payloads): (Vec<MsgNo>, Vec<Payload>) = batch.into_iter().unzip();
        let mut inputs = Vec::new();
        let mut parsed = Vec::new();
        let mut guards = Vec::new();
        for (number, read) in numbers.into_iter().zip(intake::read_all(payloads).await?) {
            let Some(listed) = self.wanted.get(&number).cloned() else {
                continue;
            };
            let size = read.payload.len();
            let (source, guard) = intake::into_source(read.payload);
            guards.extend(guard);
            inputs.push(RawInput {
                source,
                provenance: Provenance {
                    account: self.account,
                    mailbox: self.inbox.1.clone(),
                    uid: None,
                    uidl: Some(listed.uidl.clone()),
                    received: read.parsed.received,
                    flags: Flags::default(),
                },
            });
            parsed.push((listed, size, read.parsed, read.header));
        }
        let hashes = self.core.store.keep_raw(inputs).await?;
        drop(guards);
        let sound = self.core.store.verify_raw(hashes.clone()).await?;
        let now = self.core.now();
        let _local = self.core.local().await;
        let mut writes = Vec::new();
        let mut fresh = Vec::new();
        let mut round = Round::open(&self.core, self.account, self.inbox.0);
        for (((listed, size, parsed, header), hash), sound) in parsed.into_iter().zip(hashes).zip(sound) {
            if !sound {
                log::error!("A message could not be read back as it was written: it is fetched again.");
                continue;
            }
            let message = match self.known.get(&hash) {
                Some(message) => *message,
                None => {
                    let new = intake::build_message(&self.core.store, self.account, hash, size, parsed, None);
                    let id = new.id;
                    round.take(&new, &header, None, &Flags::default());
                    writes.push(Write::AddMessage(Box::new(new)));
                    writes.push(Write::Place {
                        message: id,
                        mailbox: self.inbox.0,
                        uid: None,
                        flags: Flags::default(),
                        base: Flags::default(),
                    });
                    fresh.push(id);
                    self.known.insert(hash, Some(id));
                    Some(id)
                }
            };
            let row = LedgerRow {
                uidl: listed.uidl.clone(),
                size: listed.size,
                first_seen: self.first_seen.get(&listed.uidl).copied().unwrap_or(now),
                downloaded_at: Some(now),
                hash: Some(hash),
                message,
                state: LedgerState::Downloaded,
                changed_at: now,
                reason: String::new(),
                reply: String::new(),
            };
            writes.push(Write::PutLedger {
                account: self.account,
                row: Box::new(row.clone()),
            });
            self.rows.push((listed.number, row));
        }
        let filtered = round.finish(&self.core, None).await?;
        writes.extend(filtered.writes);
        self.core.apply(self.account, writes, Durability::Full).await?;
        self.new += fresh.len() as u64;
        fresh.retain(|message| !filtered.quiet.contains(message));
        if !fresh.is_empty() {
            self.core.hub.publish(&Event::NewMail {
                account: self.account,
                messages: fresh,
            });
        }
        Ok(())
    }
}
