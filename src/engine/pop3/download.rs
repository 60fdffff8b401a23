//! Takes messages as they stream in: kept durably and verified, then listed, batch by batch.

use std::collections::{BTreeMap, BTreeSet};
use std::sync::Arc;
use std::time::Duration;

use posthorn_model::{
    AccountId, Flags, Hash, LeaveOnServer, LedgerRow, LedgerState, MailboxId, MessageId, MsgNo, Uidl,
};
use posthorn_net::Payload;
use posthorn_net::pop3::{Retrieved, Session};
use posthorn_store::write::Write;
use posthorn_store::{Durability, Provenance, RawInput};
use tokio::sync::{OwnedSemaphorePermit, mpsc};
use tokio::time::timeout;

use super::driver::Check;
use super::header;
use super::plan::{Act, Listed, Naming, Plan, REMOVED_HERE};
use crate::Error;
use crate::event::{Doing, Event};
use crate::filter::round::Round;
use crate::intake::{self, Read};
use crate::shared::Shared;

/// A batch is committed when it holds this many messages …
const MESSAGES: usize = 200;
/// … or this many bytes …
const BYTES: u64 = 4 << 20;
/// … or nothing more came for this long.
const PAUSE: Duration = Duration::from_millis(30);

/// Messages that may come while a batch is being kept; the session bounds their bytes.
const AHEAD: usize = 1024;

/// A message that has come, with its part of the memory for such.
type Arrival = (MsgNo, Payload, Option<OwnedSemaphorePermit>);

impl Check<'_> {
    /// Downloads what the plan says. Where the connection broke, what came whole until then is kept.
    pub(super) async fn download(&mut self, plan: &Plan) -> Result<(), Error> {
        let mut steps: Vec<&Listed> = plan.to(Act::Download).map(|step| &step.listed).collect();
        // What failed before is asked for last: it must not stand in the way of the others.
        steps.sort_by_key(|listed| self.failed.contains(&listed.uidl));
        if steps.is_empty() {
            return Ok(());
        }
        let order: Vec<(MsgNo, Option<u64>)> =
            steps.iter().map(|listed| (listed.number, listed.size)).collect();
        let mut download = Download {
            core: Arc::clone(&self.post.core),
            account: self.post.id,
            inbox: self.inbox.clone(),
            known: self
                .ledger
                .values()
                .filter_map(|row| Some((row.hash?, row.message)))
                .collect(),
            wanted: steps
                .into_iter()
                .map(|listed| {
                    let row = self
                        .ledger
                        .get(&listed.uidl)
                        .filter(|_| listed.naming != Naming::Session);
                    (listed.number, (listed.clone(), row.cloned()))
                })
                .collect(),
            removed: self
                .ledger
                .values()
                .filter(|row| self.situation.policy.leave == LeaveOnServer::UntilRemoved && was_removed(row))
                .filter_map(|row| row.hash)
                .collect(),
            by_bytes: self
                .ledger
                .values()
                .filter(|row| header::is_named_whole(&row.uidl))
                .map(|row| (row.uidl.clone(), row.clone()))
                .collect(),
            rows: Vec::new(),
            new: 0,
            failed: Vec::new(),
        };
        let result = download.run(&mut self.session, &order).await;
        self.report.new += download.new;
        self.report.bodies += download.rows.len() as u64;
        self.kept += download.rows.len() as u64;
        for (number, row) in download.rows {
            self.told.fetched.insert(number);
            self.failed.remove(&row.uidl);
            self.rename(number, &row.uidl);
            self.ledger.insert(row.uidl.clone(), row);
        }
        self.failed.extend(download.failed);
        result
    }
}

/// One download: what is wanted, and what has become of it.
struct Download {
    core: Shared,
    account: AccountId,
    inbox: (MailboxId, String),
    /// With what the ledger knows of each.
    wanted: BTreeMap<MsgNo, (Listed, Option<LedgerRow>)>,
    /// Messages here by their bytes: the same bytes under another name are the same message.
    known: BTreeMap<Hash, Option<MessageId>>,
    /// Messages that the user has removed here, by their bytes: under another name they are still removed.
    removed: BTreeSet<Hash>,
    /// What the ledger knows of messages that are named by their bytes.
    by_bytes: BTreeMap<Uidl, LedgerRow>,
    /// Durable, verified and listed, with the ledger row.
    rows: Vec<(MsgNo, LedgerRow)>,
    /// Messages that were not here before.
    new: u64,
    /// Refused by the server, or not read whole: tried again next time.
    failed: Vec<Uidl>,
}

/// A message on its way into the store.
struct Coming {
    listed: Listed,
    row: Option<LedgerRow>,
    size: u64,
    digest: Option<Hash>,
    header: Vec<u8>,
    parsed: posthorn_mime::Parsed,
}

/// What a batch adds to the store.
struct Batch {
    writes: Vec<Write>,
    fresh: Vec<MessageId>,
    round: Round,
}

impl Download {
    /// # Errors
    /// Where the connection broke, or this disk failed; `rows` holds what was kept until then.
    async fn run(&mut self, session: &mut Session, order: &[(MsgNo, Option<u64>)]) -> Result<(), Error> {
        let (out, arrived) = mpsc::channel::<Retrieved>(AHEAD);
        let fetching = async {
            let result = session.retrieve(order, &out).await;
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

    fn sort(&mut self, retrieved: Retrieved, batch: &mut Vec<Arrival>) -> u64 {
        match retrieved.result {
            Ok(payload) => {
                let bytes = payload.len();
                batch.push((retrieved.number, payload, retrieved.share));
                bytes
            }
            Err(error) => {
                log::warn!("Message {} did not come whole: {error}.", retrieved.number);
                let wanted = self.wanted.get(&retrieved.number);
                self.failed.extend(wanted.map(|(listed, _)| listed.uidl.clone()));
                0
            }
        }
    }

    /// Durable and verified first; then the messages and their ledger rows in one transaction.
    async fn commit(&mut self, batch: Vec<Arrival>) -> Result<(), Error> {
        if batch.is_empty() {
            return Ok(());
        }
        let (batch, shares): (Vec<_>, Vec<_>) = batch
            .into_iter()
            .map(|(number, payload, share)| ((number, payload), share))
            .unzip();
        let (coming, inputs, guards) = self.prepare(batch).await?;
        let hashes = self.core.store.keep_raw(inputs).await?;
        drop(guards);
        drop(shares);
        let sound = self.core.store.verify_raw(hashes.clone()).await?;
        let core = Arc::clone(&self.core);
        let _local = core.local().await;
        let mut batch = Batch {
            writes: Vec::new(),
            fresh: Vec::new(),
            round: Round::open(&core, self.account, self.inbox.0),
        };
        for ((coming, hash), sound) in coming.into_iter().zip(hashes).zip(sound) {
            if !sound {
                log::error!("A message could not be read back as it was written: it is fetched again.");
                self.failed.push(coming.listed.uidl);
                continue;
            }
            let number = coming.listed.number;
            let row = self.list_message(coming, hash, &mut batch).await?;
            batch.writes.push(Write::PutLedger {
                account: self.account,
                row: Box::new(row.clone()),
            });
            self.rows.push((number, row));
        }
        let Batch {
            mut writes,
            mut fresh,
            round,
        } = batch;
        let filtered = round.finish(&core, None).await?;
        writes.extend(filtered.writes);
        core.apply(self.account, writes, Durability::Full).await?;
        self.new += fresh.len() as u64;
        fresh.retain(|message| !filtered.quiet.contains(message));
        if !fresh.is_empty() {
            core.hub.publish(&Event::NewMail {
                account: self.account,
                messages: fresh,
            });
        }
        Ok(())
    }

    async fn prepare(
        &mut self,
        batch: Vec<(MsgNo, Payload)>,
    ) -> Result<(Vec<Coming>, Vec<RawInput>, Vec<Arc<tempfile::TempPath>>), Error> {
        let (numbers, payloads): (Vec<MsgNo>, Vec<Payload>) = batch.into_iter().unzip();
        let mut coming = Vec::new();
        let mut inputs = Vec::new();
        let mut guards = Vec::new();
        for (number, read) in numbers.into_iter().zip(intake::read_all(payloads).await?) {
            let Read {
                payload,
                parsed,
                header,
            } = read;
            let Some((mut listed, mut row)) = self.wanted.get(&number).cloned() else {
                continue;
            };
            if listed.naming == Naming::Session {
                let hash = header::hash_of(&payload);
                listed.uidl =
                    header::name_whole(hash.ok_or_else(|| Error::bug("a spooled message is gone"))?);
                row = self.by_bytes.get(&listed.uidl).cloned();
            }
            let size = payload.len();
            let digest = header::digest_of(&payload);
            let (source, guard) = intake::into_source(payload);
            guards.extend(guard);
            inputs.push(RawInput {
                source,
                provenance: Provenance {
                    account: self.account,
                    mailbox: self.inbox.1.clone(),
                    uid: None,
                    uidl: Some(listed.uidl.clone()),
                    received: parsed.received,
                    flags: Flags::default(),
                },
            });
            coming.push(Coming {
                listed,
                row,
                size,
                digest,
                header,
                parsed,
            });
        }
        Ok((coming, inputs, guards))
    }

    /// Lists the message, unless it is here; gives its ledger row.
    async fn list_message(
        &mut self,
        coming: Coming,
        hash: Hash,
        batch: &mut Batch,
    ) -> Result<LedgerRow, Error> {
        let now = self.core.now();
        let Coming {
            listed,
            row,
            size,
            digest,
            header,
            parsed,
        } = coming;
        let uidl = listed.uidl;
        let header_only = row
            .as_ref()
            .filter(|row| row.hash.is_none())
            .and_then(|row| row.message);
        let message = match (self.known.get(&hash), header_only) {
            (Some(message), None) => *message,
            (_, Some(id)) if self.core.store.message(id).await?.is_some() => {
                let body = intake::build_body(id, hash, size, parsed);
                batch.writes.push(Write::SetBody(Box::new(body)));
                Some(id)
            }
            (Some(message), Some(_)) => *message,
            (None, _) => {
                let new = intake::build_message(&self.core.store, self.account, hash, size, parsed, None);
                let id = new.id;
                batch.round.take(&new, &header, None, &Flags::default());
                batch.writes.push(Write::AddMessage(Box::new(new)));
                batch.writes.push(Write::Place {
                    message: id,
                    mailbox: self.inbox.0,
                    uid: None,
                    flags: Flags::default(),
                    base: Flags::default(),
                });
                batch.fresh.push(id);
                Some(id)
            }
        };
        self.known.insert(hash, message);
        let removed = self.removed.contains(&hash) && !self.is_in_inbox(message).await?;
        let base = row.unwrap_or_else(|| LedgerRow::first_seen(uidl.clone(), now));
        // The same bytes once more do not begin its days anew.
        let again = base.hash == Some(hash);
        let wanted_gone = again && base.state == LedgerState::DeleteWanted;
        let state = if wanted_gone || removed {
            LedgerState::DeleteWanted
        } else {
            LedgerState::Downloaded
        };
        Ok(LedgerRow {
            uidl,
            size: listed.size.or(base.size),
            downloaded_at: base.downloaded_at.filter(|_| again).or(Some(now)),
            hash: Some(hash),
            header_hash: digest,
            served: Some(size),
            message,
            state,
            wanted: false,
            changed_at: if state == base.state { base.changed_at } else { now },
            verified_at: Some(now),
            asked_at: None,
            reason: if wanted_gone {
                base.reason.clone()
            } else if removed {
                REMOVED_HERE.to_owned()
            } else {
                String::new()
            },
            reply: String::new(),
            ..base
        })
    }

    async fn is_in_inbox(&self, message: Option<MessageId>) -> Result<bool, Error> {
        let Some(message) = message else {
            return Ok(false);
        };
        let placements = self.core.store.placements_of(message).await?;
        Ok(placements
            .iter()
            .any(|placement| placement.mailbox == self.inbox.0))
    }
}

/// Whether the user has removed this message here, whatever has become of it on the server.
fn was_removed(row: &LedgerRow) -> bool {
    let asked_for = matches!(
        row.state,
        LedgerState::DeleteWanted | LedgerState::Deleted | LedgerState::Gone
    );
    asked_for && row.reason == REMOVED_HERE
}
