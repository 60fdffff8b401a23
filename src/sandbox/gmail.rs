//! How Gmail keeps mail: every message once, in All Mail; the other mailboxes are labels on it. What was done to one
//! copy is carried to the others after each change.

use std::collections::{BTreeMap, BTreeSet};

use posthorn_model::{Flags, SpecialUse};

use crate::mailbox::{Account, State, StoredMessage};

pub const ALL_MAIL: &str = "[Gmail]/All Mail";

/// The flags last seen of each message, and which messages lay in Junk or Trash.
#[derive(Debug, Default)]
pub struct Gmail {
    flags: BTreeMap<u64, Flags>,
    discarded: BTreeSet<u64>,
}

/// Whether what lies in a mailbox for this purpose lies nowhere else.
pub const fn hides(purpose: Option<SpecialUse>) -> bool {
    matches!(purpose, Some(SpecialUse::Junk | SpecialUse::Trash))
}

/// Makes All Mail, and keeps it from here on. Archive becomes a label like any other: Gmail has no such mailbox.
pub fn set_up(state: &mut State, username: &str) {
    state.create(username, ALL_MAIL, Some(SpecialUse::All));
    if let Some(account) = state.account_mut(username) {
        if let Some(archive) = account.mailbox_mut("Archive") {
            archive.special_use = None;
        }
        account.gmail = Some(Gmail::default());
        settle(account);
    }
}

/// Brings all copies in line with the one that was just changed.
pub fn settle(account: &mut Account) {
    let Some(mut gmail) = account.gmail.take() else {
        return;
    };
    let discarded: BTreeSet<u64> = account
        .mailboxes
        .iter()
        .filter(|mailbox| hides(mailbox.special_use))
        .flat_map(|mailbox| mailbox.messages.iter().map(|message| message.email_id))
        .collect();
    // Into Trash or Junk: out of everything else. Into a label out of there: no longer discarded.
    let fresh: BTreeSet<u64> = discarded.difference(&gmail.discarded).copied().collect();
    for mailbox in &mut account.mailboxes {
        if !hides(mailbox.special_use) {
            mailbox.remove(|message| fresh.contains(&message.email_id));
        }
    }
    let labelled: Vec<StoredMessage> = account
        .mailboxes
        .iter()
        .filter(|mailbox| !hides(mailbox.special_use))
        .flat_map(|mailbox| mailbox.messages.iter().cloned())
        .collect();
    let restored: BTreeSet<u64> = labelled.iter().map(|message| message.email_id).collect();
    for mailbox in &mut account.mailboxes {
        if hides(mailbox.special_use) {
            mailbox.remove(|message| restored.contains(&message.email_id));
        }
    }
    if let Some(all) = account.mailbox_mut(ALL_MAIL) {
        let mut known: BTreeSet<u64> = all.messages.iter().map(|message| message.email_id).collect();
        for message in labelled {
            if known.insert(message.email_id) {
                all.append(message.raw, message.flags, message.internal_date);
            }
        }
    }
    settle_flags(account, &mut gmail);
    gmail.discarded = discarded.difference(&restored).copied().collect();
    account.gmail = Some(gmail);
}

fn settle_flags(account: &mut Account, gmail: &mut Gmail) {
    let every = |account: &Account| -> Vec<(u64, Flags)> {
        let messages = account.mailboxes.iter().flat_map(|mailbox| &mailbox.messages);
        messages.map(|m| (m.email_id, m.flags.clone())).collect()
    };
    let seen = every(account);
    // The copy that differs from what was known is the one that was changed.
    let changed: Vec<(u64, Flags)> = seen
        .iter()
        .filter(|(id, flags)| gmail.flags.get(id).is_some_and(|known| known != flags))
        .cloned()
        .collect();
    gmail.flags.extend(changed);
    for (id, flags) in seen {
        gmail.flags.entry(id).or_insert(flags);
    }
    for mailbox in &mut account.mailboxes {
        let uids: Vec<_> = mailbox.messages.iter().map(|m| (m.uid, m.email_id)).collect();
        for (uid, id) in uids {
            if let Some(flags) = gmail.flags.get(&id) {
                mailbox.set_flags(uid, flags.clone());
            }
        }
    }
}
