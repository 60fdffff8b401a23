//! Which mailboxes came, changed and went, from what LIST said. Pure.

use std::collections::{BTreeMap, BTreeSet};

use posthorn_model::{MailboxId, SpecialUse};
use posthorn_net::imap::ListedMailbox;
use posthorn_store::MailboxRow;

use super::plan::{Disappearance, suspect};

/// What to do about the list of mailboxes.
#[derive(Debug, Default)]
pub struct FolderPlan {
    /// New ones and those whose description changed, with the id of a known one.
    pub put: Vec<(Option<MailboxId>, ListedMailbox)>,
    /// Known ones that are not listed: to be removed at the end of the pass, if that is to be believed.
    pub missing: Vec<MailboxId>,
}

/// A known mailbox that is listed under another name.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Rename {
    pub id: MailboxId,
    /// The new name as the server writes it.
    pub wire: Vec<u8>,
    /// By the server's own word (RFC 8474); else what stands in it has to be compared.
    pub certain: bool,
}

/// Mailboxes that other clients have renamed: by MAILBOXID, else where exactly one that went and one that came
/// agree in UIDVALIDITY, UIDNEXT and number of messages.
#[must_use]
pub fn renames(known: &[MailboxRow], listed: &[ListedMailbox]) -> Vec<Rename> {
    let mut found: Vec<Rename> = Vec::new();
    for mailbox in listed {
        let named = known.iter().find(|row| row.name.wire == mailbox.name.wire);
        let Some(object) = mailbox.mailbox_id.as_deref() else {
            continue;
        };
        if named.is_some_and(|row| row.object_id.as_deref().is_none_or(|known| known == object)) {
            continue;
        }
        let same = known
            .iter()
            .find(|row| !row.local && row.object_id.as_deref() == Some(object));
        if let Some(row) = same {
            found.push(Rename {
                id: row.id,
                wire: mailbox.name.wire.clone(),
                certain: true,
            });
        }
    }
    let gone: Vec<&MailboxRow> = known
        .iter()
        .filter(|row| !row.local && row.total > 0 && !found.iter().any(|rename| rename.id == row.id))
        .filter(|row| !listed.iter().any(|mailbox| mailbox.name.wire == row.name.wire))
        .collect();
    let came: Vec<&ListedMailbox> = listed
        .iter()
        .filter(|mailbox| !known.iter().any(|row| row.name.wire == mailbox.name.wire))
        .filter(|mailbox| !found.iter().any(|rename| rename.wire == mailbox.name.wire))
        .collect();
    for row in &gone {
        let mut alike = came.iter().filter(|mailbox| is_alike(row, mailbox));
        let (Some(mailbox), None) = (alike.next(), alike.next()) else {
            continue;
        };
        if gone.iter().filter(|row| is_alike(row, mailbox)).count() == 1 {
            found.push(Rename {
                id: row.id,
                wire: mailbox.name.wire.clone(),
                certain: false,
            });
        }
    }
    found
}

/// Whether a mailbox that came may be the one that went.
fn is_alike(row: &MailboxRow, mailbox: &ListedMailbox) -> bool {
    let (Some(state), Some(status)) = (row.sync, mailbox.status.as_ref()) else {
        return false;
    };
    let told_apart = row.object_id.is_some() && mailbox.mailbox_id.is_some();
    !told_apart
        && mailbox.selectable
        && status.uid_validity == Some(state.uid_validity)
        && status.uid_next == Some(state.uid_next)
        && u64::from(status.messages) == row.total
}

/// `busy`: mailboxes that pending operations speak of; they stay whatever the server lists.
#[must_use]
pub fn plan(
    known: &[MailboxRow],
    listed: &[ListedMailbox],
    busy: &[MailboxId],
    renamed: &[Rename],
) -> FolderPlan {
    let mut plan = FolderPlan::default();
    let has_inbox = listed.iter().any(|mailbox| mailbox.name.is_inbox());
    let moved = |id: MailboxId| renamed.iter().any(|rename| rename.id == id);
    let mut rows: BTreeMap<&[u8], &MailboxRow> = known
        .iter()
        .filter(|row| !moved(row.id))
        .map(|row| (row.name.wire.as_slice(), row))
        .collect();
    for rename in renamed {
        if let Some(row) = known.iter().find(|row| row.id == rename.id) {
            rows.insert(&rename.wire, row);
        }
    }
    let mut kept: Vec<MailboxId> = Vec::new();
    for mailbox in assign_purposes(listed) {
        let row = rows.get(mailbox.name.wire.as_slice()).copied();
        kept.extend(row.map(|row| row.id));
        match row {
            None => plan.put.push((None, mailbox)),
            Some(row) if differs(row, &mailbox) => plan.put.push((Some(row.id), mailbox)),
            Some(_) => {}
        }
    }
    // INBOX always exists (RFC 9051 section 5.1): a list without it is not the whole list.
    if has_inbox {
        let missing = known
            .iter()
            .filter(|row| !row.local && !busy.contains(&row.id) && !kept.contains(&row.id));
        plan.missing = missing.map(|row| row.id).collect();
    }
    plan
}

/// Whether so many messages going with their mailboxes is to be believed without asking.
#[must_use]
pub fn suspect_removal(known: &[MailboxRow], gone: u64, accepted: bool) -> Option<Disappearance> {
    let before = known.iter().map(|row| row.total).sum();
    suspect(before, gone).filter(|_| !accepted && gone > 0)
}

/// Mailboxes of one account at most: what goes beyond is a server out of its mind, or nobody's mail.
pub const MOST: usize = 20_000;

/// Cuts a list without measure: what is known stays, then the server's order counts. Returns how many are left out.
pub fn cut(listed: &mut Vec<ListedMailbox>, known: &[MailboxRow]) -> usize {
    let all = listed.len();
    if all <= MOST {
        return 0;
    }
    let names: BTreeSet<&[u8]> = known.iter().map(|row| row.name.wire.as_slice()).collect();
    let is_known =
        |mailbox: &ListedMailbox| mailbox.name.is_inbox() || names.contains(mailbox.name.wire.as_slice());
    let mut room = MOST.saturating_sub(listed.iter().filter(|mailbox| is_known(mailbox)).count());
    listed.retain(|mailbox| {
        if is_known(mailbox) {
            return true;
        }
        let keep = room > 0;
        room = room.saturating_sub(1);
        keep
    });
    all - listed.len()
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
