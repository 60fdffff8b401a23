//! Conversations, found as messages arrive: a Message-ID, here or only referred to, belongs to one thread of
//! its account, and a message that refers to two joins them (RFC 5256 section 2.2, without its subject step).

use std::collections::BTreeSet;

use posthorn_model::{AccountId, Envelope, InternetMessageId, ThreadId};
use rusqlite::{OptionalExtension, Transaction, params};
use sha2::{Digest, Sha256};

use crate::error::Result;

/// A message may claim to answer thousands; the newest references say where it belongs.
const REFERENCES_LIMIT: usize = 64;

/// The thread of a message of `account`, made or joined as needed. `current` is the one it is in already; a message
/// that is in none is counted in the one it gets.
/// Threads that were joined into another are added to `gone`.
pub(crate) fn assign(
    tx: &Transaction<'_>,
    account: AccountId,
    envelope: &Envelope,
    current: Option<ThreadId>,
    gone: &mut BTreeSet<ThreadId>,
) -> Result<ThreadId> {
    let keys = build_keys(account, envelope);
    let mut found: BTreeSet<ThreadId> = current.into_iter().collect();
    let mut unlinked = Vec::new();
    {
        let mut select = tx.prepare_cached("SELECT thread FROM link WHERE key = ?1")?;
        for key in keys {
            match select.query_row([key], |row| row.get(0)).optional()? {
                Some(thread) => {
                    found.insert(ThreadId(thread));
                }
                None => unlinked.push(key),
            }
        }
    }
    let thread = match found.len() {
        0 => {
            tx.prepare_cached("INSERT INTO thread (account, total) VALUES (?1, 1)")?
                .execute([account.0])?;
            ThreadId(tx.last_insert_rowid())
        }
        _ => {
            let thread = join(tx, found, gone)?;
            if current.is_none() {
                tx.prepare_cached("UPDATE thread SET total = total + 1 WHERE id = ?1")?
                    .execute([thread.0])?;
            }
            thread
        }
    };
    let mut insert = tx.prepare_cached("INSERT INTO link (key, thread) VALUES (?1, ?2)")?;
    for key in unlinked {
        insert.execute([key, thread.0])?;
    }
    Ok(thread)
}

/// The largest thread takes the others in, so that a long conversation is not rewritten for each late link.
fn join(tx: &Transaction<'_>, found: BTreeSet<ThreadId>, gone: &mut BTreeSet<ThreadId>) -> Result<ThreadId> {
    let mut best: Option<(i64, ThreadId)> = None;
    if found.len() > 1 {
        let mut select = tx.prepare_cached("SELECT total FROM thread WHERE id = ?1")?;
        for thread in &found {
            let total: i64 = select.query_row([thread.0], |row| row.get(0))?;
            if best.is_none_or(|(most, _)| total > most) {
                best = Some((total, *thread));
            }
        }
    }
    let keep = match (best, found.first()) {
        (Some((_, thread)), _) => thread,
        (None, first) => first.copied().unwrap_or(ThreadId(0)),
    };
    for thread in found.into_iter().filter(|thread| *thread != keep) {
        tx.prepare_cached("UPDATE message SET thread = ?1 WHERE thread = ?2")?
            .execute(params![keep.0, thread.0])?;
        tx.prepare_cached("UPDATE link SET thread = ?1 WHERE thread = ?2")?
            .execute(params![keep.0, thread.0])?;
        tx.prepare_cached("DELETE FROM thread WHERE id = ?1")?
            .execute([thread.0])?;
        gone.insert(thread);
    }
    Ok(keep)
}

fn build_keys(account: AccountId, envelope: &Envelope) -> BTreeSet<i64> {
    let own = envelope.message_id.iter();
    let last = envelope.references.iter().rev().take(REFERENCES_LIMIT);
    let answered = envelope.in_reply_to.iter().take(REFERENCES_LIMIT);
    own.chain(last)
        .chain(envelope.references.first())
        .chain(answered)
        .filter(|id| !id.0.is_empty())
        .map(|id| build_key(account, id))
        .collect()
}

/// 64 bits of a hash in place of ids of any length: a chance clash among ten million is one in 400,000, and a
/// forged one gains nothing that a forged References header would not.
pub(crate) fn build_key(account: AccountId, id: &InternetMessageId) -> i64 {
    let mut hasher = Sha256::new();
    hasher.update(account.0.to_le_bytes());
    hasher.update(id.0.as_bytes());
    let digest = hasher.finalize();
    let mut key = [0; 8];
    for (to, from) in key.iter_mut().zip(digest) {
        *to = from;
    }
    i64::from_le_bytes(key)
}
