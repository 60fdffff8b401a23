//! Removes messages from the server: only what is on this disk, read back and hash-checked; and believes it only when
//! the server has confirmed it.

use std::collections::BTreeMap;

use posthorn_model::{Hash, LedgerRow, LedgerState, MsgNo, Uidl};
use posthorn_net::pop3::Session;
use posthorn_store::Durability;
use posthorn_store::write::Write;
use tokio::time::{Duration, sleep};

use super::driver::Check;
use super::plan::{Act, Plan, Step};
use crate::Error;

/// Servers hang up after a minute of silence; this disk may need longer to read back what is to be deleted.
const SILENCE: Duration = Duration::from_secs(20);

/// Messages that are read back, written down and marked on the server at a time.
const PART: usize = 2000;

impl Check<'_> {
    /// DELE for what is due, part by part. What cannot be read back stays there, and is downloaded again.
    pub(super) async fn delete(&mut self, plan: &Plan) -> Result<(), Error> {
        let due: Vec<&Step> = plan.to(Act::Delete).collect();
        for part in due.chunks(PART) {
            self.delete_part(part).await?;
        }
        Ok(())
    }

    async fn delete_part(&mut self, part: &[&Step]) -> Result<(), Error> {
        let post = self.post;
        let due = part.iter().filter_map(|step| {
            let row = self.ledger.get(&step.listed.uidl)?;
            Some((
                step.listed.number,
                step.reason.to_string(),
                row.clone(),
                row.hash?,
            ))
        });
        let due: Vec<(MsgNo, String, LedgerRow, Hash)> = due.collect();
        if due.is_empty() {
            return Ok(());
        }
        let hashes = due.iter().map(|(_, _, _, hash)| *hash).collect();
        let sound = meanwhile(&mut self.session, post.core.store.verify_raw(hashes)).await??;
        let now = post.core.now();
        let (mut safe, mut rows) = (Vec::new(), Vec::new());
        for ((number, reason, row, _), sound) in due.into_iter().zip(sound) {
            if sound {
                safe.push((number, row.uidl.clone()));
                rows.push(LedgerRow {
                    state: LedgerState::DeleteWanted,
                    changed_at: now,
                    verified_at: Some(now),
                    asked_at: Some(now),
                    reason,
                    ..row
                });
            } else {
                log::error!(
                    "A message to be deleted on the server cannot be read back here: it stays there, and comes again."
                );
                rows.push(LedgerRow {
                    state: LedgerState::Seen,
                    changed_at: now,
                    hash: None,
                    downloaded_at: None,
                    ..row
                });
            }
        }
        self.record(rows, Durability::Full).await?;
        let numbers: Vec<MsgNo> = safe.iter().map(|(number, _)| *number).collect();
        let answers: BTreeMap<MsgNo, _> = self.session.delete(&numbers).await?.into_iter().collect();
        let mut refused = Vec::new();
        for (number, uidl) in safe {
            match answers.get(&number) {
                Some(Ok(reply)) => self.asked.push((uidl, reply.clone())),
                Some(Err(error)) => {
                    let reply = error.server.clone().unwrap_or_else(|| error.what.clone());
                    refused.extend(self.ledger.get(&uidl).map(|row| LedgerRow {
                        reply,
                        asked_at: None,
                        ..row.clone()
                    }));
                }
                None => {}
            }
        }
        self.record(refused, Durability::Normal).await
    }
}

/// Waits for this disk without letting the server think that nobody is there.
async fn meanwhile<T>(session: &mut Session, work: impl Future<Output = T>) -> Result<T, Error> {
    let mut work = std::pin::pin!(work);
    loop {
        tokio::select! {
            biased;
            done = &mut work => return Ok(done),
            () = sleep(SILENCE) => session.noop().await?,
        }
    }
}

/// The rows of what QUIT has confirmed.
pub(super) fn confirmed(
    asked: &[(Uidl, String)],
    ledger: &super::plan::Ledger,
    reply: &str,
    check: (posthorn_model::AccountId, posthorn_model::Timestamp),
) -> Vec<Write> {
    let (account, now) = check;
    let rows = asked.iter().filter_map(|(uidl, said)| {
        let row = ledger.get(uidl)?;
        Some(Write::PutLedger {
            account,
            row: Box::new(LedgerRow {
                state: LedgerState::Deleted,
                changed_at: now,
                reply: format!("{said}; QUIT: {reply}"),
                ..row.clone()
            }),
        })
    });
    rows.collect()
}
