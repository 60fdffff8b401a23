//! Which mailboxes came, changed and went, from what LIST said. Pure.

use std::collections::BTreeMap;

use posthorn_model::{MailboxId, SpecialUse};
use posthorn_net::imap::ListedMailbox;
use posthorn_store::MailboxRow;

use super::plan::{Disappearance, suspect};

/// What to do about the list of mailboxes.
#[derive(Debug, Default)]
pub struct FolderPlan {
    /// New ones and those whose description changed, with the id of a known one.
    pub put: Vec<(Option<MailboxId>, ListedMailbox)>,
    pub remove: Vec<MailboxId>,
    /// So many messages would go with the missing mailboxes that nothing is removed before the user has looked.
    pub suspicion: Option<Disappearance>,
}

/// `busy`: mailboxes that pending operations speak of; they stay whatever the server lists.
#[must_use]
pub fn plan(
    known: &[MailboxRow],
    listed: &[ListedMailbox],
    busy: &[MailboxId],
    accepted: bool,
) -> FolderPlan {
    let mut plan = FolderPlan::default();
    let has_inbox = listed.iter().any(|mailbox| mailbox.name.is_inbox());
    let by_name: BTreeMap<&[u8], &MailboxRow> =
        known.iter().map(|row| (row.name.wire.as_slice(), row)).collect();
    for mailbox in assign_purposes(listed) {
        match by_name.get(mailbox.name.wire.as_slice()) {
            None => plan.put.push((None, mailbox)),
            Some(row) if differs(row, &mailbox) => plan.put.push((Some(row.id), mailbox)),
            Some(_) => {}
        }
    }
    // INBOX always exists (RFC 9051 section 5.1): a list without it is not the whole list.
    if !has_inbox {
        return plan;
    }
    let missing: Vec<&MailboxRow> = known
        .iter()
        .filter(|row| !row.local && !busy.contains(&row.id))
        .filter(|row| !listed.iter().any(|mailbox| mailbox.name.wire == row.name.wire))
        .collect();
    let before = known.iter().map(|row| row.total).sum();
    let gone = missing.iter().map(|row| row.total).sum();
    match suspect(before, gone).filter(|_| !accepted && gone > 0) {
        Some(suspicion) => plan.suspicion = Some(suspicion),
        None => plan.remove = missing.iter().map(|row| row.id).collect(),
    }
    plan
}

fn differs(row: &MailboxRow, listed: &ListedMailbox) -> bool {
    row.special_use != listed.special_use
        || row.selectable != listed.selectable
        || row.subscribed != listed.subscribed
        || row.delimiter != listed.delimiter
        || row.name != listed.name
}

/// INBOX is the inbox whatever it is called, and each purpose belongs to one mailbox.
fn assign_purposes(listed: &[ListedMailbox]) -> Vec<ListedMailbox> {
    let mut taken: Vec<SpecialUse> = vec![SpecialUse::Inbox];
    let mut all = Vec::with_capacity(listed.len());
    for mailbox in listed {
        let mut mailbox = mailbox.clone();
        if mailbox.name.is_inbox() {
            mailbox.special_use = Some(SpecialUse::Inbox);
        } else if let Some(purpose) = mailbox.special_use {
            if taken.contains(&purpose) {
                mailbox.special_use = None;
            } else {
                taken.push(purpose);
            }
        }
        all.push(mailbox);
    }
    all
}

#[cfg(test)]
mod tests;
