//! Decides how a mailbox is brought up to date, from what is known here and what SELECT said (RFC 4549, RFC 7162).

use std::collections::BTreeMap;

use posthorn_model::{MailboxId, ModSeq, SyncState, Uid, UidSet, UidValidity};

/// Fewer messages than this may vanish without a question.
const MANY: u64 = 20;

/// What is known here.
#[derive(Clone, Copy, Debug)]
pub struct Local {
    pub state: Option<SyncState>,
    /// How many messages are placed in this mailbox under a UID, or are being taken out of it by an operation.
    pub known: u64,
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
pub fn is_unchanged(local: &Local, status: &Remote) -> bool {
    // Without mod-sequences, flags may have changed with nothing in STATUS to show it.
    status.highest_modseq.is_some() && matches!(plan(local, status), Plan::Nothing)
}

/// Chooses the cheapest way that misses nothing.
#[must_use]
pub fn plan(local: &Local, remote: &Remote) -> Plan {
    let Some(state) = local.state else {
        return if local.known == 0 {
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
    if quiet && u64::from(remote.exists) == local.known {
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

/// Whether STATUS shows, on a server without mod-sequences, that nothing came, went or was read. Other flags may
/// have changed: see [`in_turn`].
#[must_use]
pub fn is_still(local: &Local, unread: u64, unseen: u32, status: &Remote) -> bool {
    let Some(state) = local.state else {
        return false;
    };
    status.uid_validity == Some(state.uid_validity)
        && status.uid_next == Some(state.uid_next)
        && u64::from(status.exists) == local.known
        && u64::from(unseen) == unread
}

/// Messages whose flags are looked at in one pass though nothing shows that they changed.
const IN_TURN: u64 = 2000;

/// Which of the mailboxes that look unchanged are opened all the same, so that flags converge: those that follow
/// `last` in the order of ids, as many as a small answer allows, and one at least. `still`: with their sizes.
#[must_use]
pub fn in_turn(still: &BTreeMap<MailboxId, u64>, last: Option<MailboxId>) -> Vec<MailboxId> {
    let after = |id: &MailboxId| last.is_none_or(|last| *id > last);
    let (next, before): (Vec<_>, Vec<_>) = still.iter().partition(|(id, _)| after(id));
    let mut chosen = Vec::new();
    let mut cost: u64 = 0;
    for (id, total) in next.into_iter().chain(before) {
        cost = cost.saturating_add(*total);
        if !chosen.is_empty() && cost > IN_TURN {
            break;
        }
        chosen.push(*id);
    }
    chosen
}

/// What is remembered after a pass: never beyond what was asked for and not received.
#[must_use]
pub fn next_state(
    uid_validity: UidValidity,
    remote: &Remote,
    last: Option<Uid>,
    missing: &UidSet,
) -> SyncState {
    let after_known = last.map_or(1, |uid| uid.value().saturating_add(1));
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

/// UIDs newest first: a small set to begin with, then larger ones.
pub fn newest_first(uids: &UidSet, first: usize, then: usize) -> impl Iterator<Item = UidSet> + '_ {
    let mut rest = uids.iter().rev();
    let mut size = first.max(1);
    std::iter::from_fn(move || {
        let set: UidSet = rest.by_ref().take(size).collect();
        size = then.max(1);
        (!set.is_empty()).then_some(set)
    })
}

#[cfg(test)]
mod tests;
