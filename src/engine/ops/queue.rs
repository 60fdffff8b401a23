//! Which operation goes to the server next, and what is learnt about the others meanwhile. Pure.

use std::collections::{BTreeMap, BTreeSet};

use posthorn_model::operation::Target;
use posthorn_model::{
    FlagChange, Flags, MailboxId, MessageId, Operation, OperationId, OperationKind, OperationState, Uid,
    UidSet, UidValidity,
};
use posthorn_store::write::Write;

/// One turn with the server: one operation, or neighbours folded into one.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Turn {
    /// The operations that are done when this is.
    pub operations: Vec<OperationId>,
    pub mailbox: MailboxId,
    pub work: Work,
}

/// What a turn does.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum Work {
    /// Each change with the messages that it is for.
    Flags(Vec<(FlagChange, Vec<Aim>)>),
    Move {
        to: MailboxId,
        aims: Vec<Aim>,
    },
    Copy {
        to: MailboxId,
        aims: Vec<Aim>,
    },
    Expunge {
        aims: Vec<Aim>,
    },
    /// The operation says what is uploaded.
    Append,
    /// The operation says what is fetched for another account.
    Fetch,
    /// Messages that are safe in another account are removed here.
    Release {
        aims: Vec<Aim>,
    },
    /// What is marked \Deleted in the mailbox is removed: these and no others.
    Sweep {
        aims: Vec<Aim>,
    },
    /// The operation says what becomes of the mailbox.
    Mailbox,
}

/// A target, and the generation that its UID belongs to.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Aim {
    pub target: Target,
    pub uid_validity: Option<UidValidity>,
}

/// Targets of one turn at most: a server's patience, and what is repeated after a lost connection, are bounded.
const TURN: usize = 1000;

/// The next turn; `None` where nothing waits for the server.
#[must_use]
pub fn next_turn(operations: &[Operation]) -> Option<Turn> {
    let awaited = awaited(operations);
    let mut waiting = operations
        .iter()
        .filter(|operation| operation.state != OperationState::Held && !waits(operation))
        .filter(|operation| {
            let mut targets = operation.targets.iter();
            !targets.any(|target| awaited.contains(&target.message))
        })
        .peekable();
    let first = waiting.next()?;
    let mut run = vec![first];
    let mut size = first.targets.len();
    while let Some(next) = waiting.next_if(|next| folds(first, next) && size + next.targets.len() <= TURN) {
        size += next.targets.len();
        run.push(next);
    }
    let aims = || run.iter().flat_map(|operation| aims_of(operation)).collect();
    let work = match &first.kind {
        OperationKind::SetFlags { .. } => Work::Flags(fold_flags(&run)),
        OperationKind::Move { to } => Work::Move {
            to: *to,
            aims: aims(),
        },
        OperationKind::Copy { to } => Work::Copy {
            to: *to,
            aims: aims(),
        },
        OperationKind::Expunge => Work::Expunge { aims: aims() },
        OperationKind::Append { .. } => Work::Append,
        OperationKind::Handover { hash: None, .. } => Work::Fetch,
        OperationKind::Handover { .. } | OperationKind::LeftDeleted => Work::Release { aims: aims() },
        OperationKind::ExpungeMailbox => Work::Sweep { aims: aims() },
        OperationKind::CreateMailbox { .. }
        | OperationKind::RenameMailbox { .. }
        | OperationKind::DeleteMailbox
        | OperationKind::Subscribe { .. } => Work::Mailbox,
    };
    Some(Turn {
        operations: run.iter().map(|operation| operation.id).collect(),
        mailbox: first.mailbox,
        work,
    })
}

/// Whether an operation waits for something other than the server.
fn waits(operation: &Operation) -> bool {
    match &operation.kind {
        OperationKind::Append { hash, .. } => hash.hash().is_none(),
        OperationKind::Handover { hash, append, .. } => hash.is_some() && append.is_some(),
        OperationKind::LeftDeleted => true,
        _ => false,
    }
}

/// Messages that are not here yet to be uploaded: what else is wanted of them waits as well.
fn awaited(operations: &[Operation]) -> BTreeSet<MessageId> {
    let uploads = operations
        .iter()
        .filter(|operation| matches!(operation.kind, OperationKind::Append { .. }) && waits(operation));
    uploads
        .flat_map(|operation| operation.targets.iter().map(|target| target.message))
        .collect()
}

/// Whether two neighbours make one turn: never across another operation, so that order is kept.
fn folds(first: &Operation, next: &Operation) -> bool {
    if first.mailbox != next.mailbox {
        return false;
    }
    match (&first.kind, &next.kind) {
        (OperationKind::SetFlags { .. }, OperationKind::SetFlags { .. })
        | (OperationKind::Expunge, OperationKind::Expunge) => true,
        (OperationKind::Move { to: a }, OperationKind::Move { to: b })
        | (OperationKind::Copy { to: a }, OperationKind::Copy { to: b }) => a == b,
        (OperationKind::Handover { hash: a, .. }, OperationKind::Handover { hash: b, .. }) => {
            a.is_some() && b.is_some()
        }
        _ => false,
    }
}

fn aims_of(operation: &Operation) -> impl Iterator<Item = Aim> + '_ {
    operation.targets.iter().map(|target| Aim {
        target: target.clone(),
        uid_validity: operation.uid_validity,
    })
}

/// Changes of the same message become one; messages with the same change go together.
fn fold_flags(run: &[&Operation]) -> Vec<(FlagChange, Vec<Aim>)> {
    let mut order: Vec<MessageId> = Vec::new();
    let mut by_message: BTreeMap<MessageId, (Aim, FlagChange)> = BTreeMap::new();
    for operation in run {
        let OperationKind::SetFlags { change } = &operation.kind else {
            continue;
        };
        for aim in aims_of(operation) {
            match by_message.get_mut(&aim.target.message) {
                Some((known, composed)) => {
                    *composed = then(composed, change);
                    if known.target.uid.is_none() {
                        known.target.uid = aim.target.uid;
                        known.uid_validity = aim.uid_validity;
                    }
                }
                None => {
                    order.push(aim.target.message);
                    by_message.insert(aim.target.message, (aim, change.clone()));
                }
            }
        }
    }
    let mut groups: Vec<(FlagChange, Vec<Aim>)> = Vec::new();
    for message in order {
        let Some((aim, change)) = by_message.remove(&message) else {
            continue;
        };
        match groups.iter_mut().find(|(known, _)| *known == change) {
            Some((_, aims)) => aims.push(aim),
            None => groups.push((change, vec![aim])),
        }
    }
    groups
}

/// Both changes, one after the other, as one.
#[must_use]
pub fn then(first: &FlagChange, second: &FlagChange) -> FlagChange {
    FlagChange {
        add: first.add.minus(&second.remove).union(&second.add),
        remove: first.remove.minus(&second.add).union(&second.remove),
    }
}

/// Later operations that now know their messages' UIDs, as the server gave them with COPYUID or APPENDUID.
#[must_use]
pub fn learn(
    operations: &[Operation],
    done: &[OperationId],
    mailbox: MailboxId,
    uid_validity: UidValidity,
    uids: &BTreeMap<MessageId, Uid>,
) -> Vec<Operation> {
    let concerned = operations
        .iter()
        .filter(|operation| operation.mailbox == mailbox && !done.contains(&operation.id));
    let learnt = concerned.filter_map(|operation| {
        let mut next = operation.clone();
        let mut changed = false;
        for target in &mut next.targets {
            if let Some(uid) = uids.get(&target.message).filter(|_| target.uid.is_none()) {
                target.uid = Some(*uid);
                changed = true;
            }
        }
        next.uid_validity = next.uid_validity.or(Some(uid_validity));
        (changed && next.uid_validity == Some(uid_validity)).then_some(next)
    });
    learnt.collect()
}

/// UIDs that pending operations take out of the mailbox: the server still has them, the user no longer sees them.
#[must_use]
pub fn taken_out(operations: &[Operation], mailbox: MailboxId, uid_validity: UidValidity) -> UidSet {
    let leaving = operations.iter().filter(|operation| {
        operation.mailbox == mailbox
            && operation.uid_validity == Some(uid_validity)
            && operation.state != OperationState::Held
            && matches!(
                operation.kind,
                OperationKind::Move { .. }
                    | OperationKind::Expunge
                    | OperationKind::Handover { away: true, .. }
                    | OperationKind::LeftDeleted
            )
    });
    leaving
        .flat_map(|operation| operation.targets.iter().filter_map(|target| target.uid))
        .collect()
}

/// Messages that operations still bring into the mailbox: missing on the server, and rightly here.
#[must_use]
pub fn coming_in(operations: &[Operation], mailbox: MailboxId) -> Vec<MessageId> {
    let coming = operations.iter().filter(|operation| match operation.kind {
        OperationKind::Move { to } | OperationKind::Copy { to } => to == mailbox,
        OperationKind::Append { .. } => operation.mailbox == mailbox,
        _ => false,
    });
    coming
        .flat_map(|operation| operation.targets.iter().map(|target| target.message))
        .collect()
}

/// Messages whose upload into the mailbox is not known to be done.
#[must_use]
pub fn uploads_into(operations: &[Operation], mailbox: MailboxId) -> Vec<MessageId> {
    let uploads = operations.iter().filter(|operation| {
        operation.mailbox == mailbox && matches!(operation.kind, OperationKind::Append { .. })
    });
    uploads
        .flat_map(|operation| operation.targets.iter().map(|target| target.message))
        .collect()
}

/// Messages that were left marked \Deleted and are gone from the server now: nothing is remembered of them.
#[must_use]
pub fn forget_left(
    operations: &[Operation],
    mailbox: MailboxId,
    uid_validity: UidValidity,
    gone: &UidSet,
) -> Vec<Write> {
    let left = operations.iter().filter(|operation| {
        operation.mailbox == mailbox && matches!(operation.kind, OperationKind::LeftDeleted)
    });
    let forgotten = left.filter_map(|operation| {
        let mut next = operation.clone();
        let current = operation.uid_validity == Some(uid_validity);
        next.targets
            .retain(|target| current && target.uid.is_some_and(|uid| !gone.contains(uid)));
        if next.targets.is_empty() {
            return Some(Write::RemoveOperation(operation.id));
        }
        (next.targets.len() < operation.targets.len()).then(|| Write::PutOperation(Box::new(next)))
    });
    forgotten.collect()
}

/// Flags as the server will say them once the change is done: the next base of the three-way merge.
#[must_use]
pub fn base_after(base: &Flags, change: &FlagChange) -> Flags {
    change.apply(base)
}

#[cfg(test)]
mod tests;
