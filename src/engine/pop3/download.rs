//! Downloads messages: three things at once, joined by channels with bounds. The session fetches, the keeper takes
//! batches apart, and the lister has them made durable in groups and read back, and lists them, in order.

mod keep;

use std::collections::{BTreeMap, BTreeSet};
use std::sync::Arc;

use posthorn_model::{
    AccountId, Flags, Hash, LeaveOnServer, LedgerRow, LedgerState, MailboxId, MessageId, MsgNo, Uidl,
};
use posthorn_net::pop3::Retrieved;
use posthorn_store::Durability;
use posthorn_store::write::Write;
use tokio::sync::mpsc;

use self::keep::{Keeper, Kept};
use super::driver::Check;
use super::header;
use super::plan::{Act, Ledger, Listed, Naming, Plan, REMOVED_HERE};
use crate::Error;
use crate::event::{Doing, Event};
use crate::filter::round::Round;
use crate::intake::{self, Keeping};
use crate::shared::{Incoming, Shared};

/// Messages that may come while batches are being kept; the session bounds their bytes.
const AHEAD: usize = 1024;

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
        let wanted: BTreeMap<MsgNo, &Listed> =
            steps.into_iter().map(|listed| (listed.number, listed)).collect();
        let until_removed = self.situation.policy.leave == LeaveOnServer::UntilRemoved;
        let mut lister = Lister {
            core: Arc::clone(&self.post.core),
            account: self.post.id,
            inbox: self.inbox.0,
            known: self
                .ledger
                .values()
                .filter_map(|row| Some((row.hash?, row.message)))
                .collect(),
            removed: self
                .ledger
                .values()
                .filter(|row| until_removed && was_removed(row))
                .filter_map(|row| row.hash)
                .collect(),
            ledger: &mut self.ledger,
            listed: &mut self.listed,
            fetched: &mut self.told.fetched,
            failed: &mut self.failed,
            total: order.len() as u64,
            done: 0,
            new: 0,
        };
        let keeper = Keeper {
            core: Arc::clone(&self.post.core),
            account: self.post.id,
            mailbox: self.inbox.1.clone(),
        };
        let (out, arrived) = mpsc::channel::<Retrieved>(AHEAD);
        let (hand, pending) = mpsc::channel(keep::UNDER_WAY);
        let keeping = Keeping {
            store: self.post.core.store.clone(),
            pending,
            group: keep::GROUP,
        };
        let session = &mut self.session;
        let fetching = async {
            let result = session.retrieve(&order, &out).await;
            drop(out);
            result
        };
        let incoming = Incoming::begin(&self.post.core);
        let (fetched, lost, listed) =
            tokio::join!(fetching, keeper.run(&wanted, arrived, hand), lister.run(keeping));
        drop(incoming);
        let (new, done) = (lister.new, lister.done);
        self.failed.extend(lost);
        self.report.new += new;
        self.report.bodies += done;
        self.kept += done;
        listed?;
        Ok(fetched?)
    }
}

/// Lists what is durable and verified, group by group in the order in which it came.
struct Lister<'a> {
    core: Shared,
    account: AccountId,
    inbox: MailboxId,
    /// Messages here by their bytes: the same bytes under another name are the same message.
    known: BTreeMap<Hash, Option<MessageId>>,
    /// Messages that the user has removed here, by their bytes: under another name they are still removed.
    removed: BTreeSet<Hash>,
    ledger: &'a mut Ledger,
    listed: &'a mut [Listed],
    fetched: &'a mut BTreeSet<MsgNo>,
    /// Not read back as they were written: tried again next time.
    failed: &'a mut BTreeSet<Uidl>,
    total: u64,
    /// Durable, verified and listed.
    done: u64,
    /// Messages that were not here before.
    new: u64,
}

/// What a batch adds to the store.
struct Batch {
    writes: Vec<Write>,
    rows: Vec<(MsgNo, LedgerRow)>,
    fresh: Vec<MessageId>,
    round: Round,
}

impl Lister<'_> {
    /// Owns the receiver: where a batch fails, nothing more is kept and the session is not left waiting.
    ///
    /// # Errors
    /// Where this disk failed; what was listed until then stays so, and nothing after it is.
    async fn run(&mut self, mut keeping: Keeping<Kept>) -> Result<(), Error> {
        let mut next = keep::next(&mut keeping).await?;
        while let Some(kept) = next {
            // While a group is listed, the next is kept.
            let (listed, following) = tokio::join!(self.list(kept), keep::next(&mut keeping));
            listed?;
            next = following?;
            self.core
                .progress(self.account, Doing::Bodies, self.done, self.total);
        }
        Ok(())
    }

    /// The messages of a batch and their ledger rows, in one transaction.
    async fn list(&mut self, kept: Vec<Kept>) -> Result<(), Error> {
        let core = Arc::clone(&self.core);
        let _local = core.local().await;
        let mut batch = Batch {
            writes: Vec::new(),
            rows: Vec::new(),
            fresh: Vec::new(),
            round: Round::open(&core, self.account, self.inbox),
        };
        for kept in kept {
            let Some(hash) = kept.hash else {
                log::error!("A message could not be read back as it was written: it is fetched again.");
                self.failed.insert(kept.listed.uidl);
                continue;
            };
            let number = kept.listed.number;
            let row = self.list_message(kept, hash, &mut batch).await?;
            batch.writes.push(Write::PutLedger {
                account: self.account,
                row: Box::new(row.clone()),
            });
            batch.rows.push((number, row));
        }
        let Batch {
            mut writes,
            rows,
            mut fresh,
            round,
        } = batch;
        let filtered = round.finish(&core, None).await?;
        writes.extend(filtered.writes);
        core.apply(self.account, writes, Durability::Full).await?;
        for (number, row) in rows {
            self.done += 1;
            self.fetched.insert(number);
            self.failed.remove(&row.uidl);
            rename(self.listed, number, &row.uidl);
            self.ledger.insert(row.uidl.clone(), row);
        }
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

    /// Lists the message, unless it is here; gives its ledger row.
    async fn list_message(&mut self, kept: Kept, hash: Hash, batch: &mut Batch) -> Result<LedgerRow, Error> {
        let now = self.core.now();
        let Kept {
            listed,
            size,
            digest,
            header,
            parsed,
            ..
        } = kept;
        let uidl = listed.uidl;
        let row = self.ledger.get(&uidl).cloned();
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
                    mailbox: self.inbox,
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
        Ok(placements.iter().any(|placement| placement.mailbox == self.inbox))
    }
}

/// What a message without a name is called now that its bytes are here.
fn rename(listed: &mut [Listed], number: MsgNo, uidl: &Uidl) {
    let found = listed.binary_search_by_key(&number, |entry| entry.number);
    let entry = found.ok().and_then(|at| listed.get_mut(at));
    if let Some(entry) = entry.filter(|entry| entry.naming == Naming::Session) {
        entry.uidl.clone_from(uidl);
        entry.naming = Naming::Made;
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
