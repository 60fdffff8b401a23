//! Decides how a mailbox is brought up to date, from what is known here and what SELECT said (RFC 4549, RFC 7162).

use posthorn_model::{ModSeq, SyncState, Uid, UidSet, UidValidity};

/// Fewer messages than this may vanish without a question.
const MANY: u64 = 20;

/// What is known here.
#[derive(Clone, Debug)]
pub struct Local<'a> {
    pub state: Option<SyncState>,
    /// UIDs of the messages placed in this mailbox, and of those that a pending operation takes out of it.
    pub uids: &'a UidSet,
}

/// What SELECT (or STATUS) said.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct Remote {
    pub uid_validity: Option<UidValidity>,
    pub uid_next: Option<u32>,
    pub exists: u32,
    pub highest_modseq: Option<ModSeq>,
    /// Whether SELECT itself told what changed and vanished since (QRESYNC).
    pub resynced: bool,
}

/// How to bring the mailbox up to date.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Plan {
    /// Nothing has changed.
    Nothing,
    /// SELECT told flags and vanished messages (QRESYNC): only new messages are asked for, from this UID on.
    Quick { from: u32 },
    /// Ask for flags changed since and for new messages; look for vanished ones only where the count differs.
    Resync { since: ModSeq, from: u32 },
    /// Ask for every UID with its flags: no mod-sequences, or an earlier sync was not completed.
    UidDiff,
    /// The UIDs' generation changed: match what is here by what the messages are, then go on as with a new mailbox.
    Rekey,
}

/// Whether STATUS already shows that a SELECT would find nothing new.
#[must_use]
pub fn is_unchanged(local: &Local<'_>, status: &Remote) -> bool {
    // Without mod-sequences, flags may have changed with nothing in STATUS to show it.
    status.highest_modseq.is_some() && matches!(plan(local, status), Plan::Nothing)
}

/// Chooses the cheapest way that misses nothing.
#[must_use]
pub fn plan(local: &Local<'_>, remote: &Remote) -> Plan {
    let Some(state) = local.state else {
        return if local.uids.is_empty() {
            Plan::UidDiff
        } else {
            Plan::Rekey
        };
    };
    if remote.uid_validity != Some(state.uid_validity) {
        return Plan::Rekey;
    }
    let (Some(since), Some(now)) = (state.highest_modseq, remote.highest_modseq) else {
        return Plan::UidDiff;
    };
    // A mod-sequence that went back means a restored mailbox: believe nothing remembered.
    let sane = now >= since && remote.uid_next.is_none_or(|next| next >= state.uid_next);
    if !sane {
        return Plan::UidDiff;
    }
    let quiet = now == since && remote.uid_next.is_some_and(|next| next == state.uid_next);
    if quiet && u64::from(remote.exists) == local.uids.len() {
        return Plan::Nothing;
    }
    let from = state.uid_next.max(1);
    if remote.resynced {
        Plan::Quick { from }
    } else {
        Plan::Resync { since, from }
    }
}

/// A sudden disappearance that stops and asks (nothing is deleted meanwhile).
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Disappearance {
    pub before: u64,
    pub gone: u64,
}

impl Disappearance {
    #[must_use]
    pub fn explain(self, mailbox: &str) -> String {
        let Self { before, gone } = self;
        format!(
            "{gone} of {before} messages are gone at once from “{mailbox}” on the server; they are kept here until you have looked"
        )
    }
}

/// Whether so many messages vanishing at once is to be believed without asking.
#[must_use]
pub fn suspect(before: u64, gone: u64) -> Option<Disappearance> {
    let emptied = gone == before && before >= MANY / 4;
    let fifth = before >= MANY && gone.saturating_mul(5) > before;
    (emptied || fifth).then_some(Disappearance { before, gone })
}

/// What is remembered after a pass: never beyond what was asked for and not received.
#[must_use]
pub fn next_state(uid_validity: UidValidity, remote: &Remote, known: &UidSet, missing: &UidSet) -> SyncState {
    let after_known = known.max().map_or(1, |uid| uid.value().saturating_add(1));
    let reached = remote.uid_next.unwrap_or(after_known).max(after_known);
    match missing.iter().next() {
        None => SyncState {
            uid_validity,
            uid_next: reached,
            highest_modseq: remote.highest_modseq,
        },
        Some(first) => unfinished(uid_validity, first.value().min(reached)),
    }
}

/// What is remembered while the first messages of a mailbox come in, newest first: the UIDs' generation, and that
/// nothing is complete, so that whatever comes next asks for every UID.
#[must_use]
pub const fn unfinished(uid_validity: UidValidity, uid_next: u32) -> SyncState {
    SyncState {
        uid_validity,
        uid_next,
        highest_modseq: None,
    }
}

/// UIDs newest first, in batches.
#[must_use]
pub fn newest_first(uids: &UidSet, batch: usize) -> Vec<Vec<Uid>> {
    let all: Vec<Uid> = uids.iter().rev().collect();
    all.chunks(batch.max(1)).map(<[Uid]>::to_vec).collect()
}

#[cfg(test)]
mod tests;
