//! What Gmail adds (X-GM-EXT-1): ids of messages and threads, and labels in place of folders.

use super::command::{SequenceSet, StoreChange};
use super::session::{Answer, Session, bad, no, ok};
use super::structure::{header_value, parse, slice};
use super::{push_string, utf7};
use crate::mailbox::{Account, StoredMessage, canonical};
use std::hash::{DefaultHasher, Hash, Hasher};

/// Labels that Gmail writes with a backslash, and the mailboxes that show them here.
const SYSTEM: [(&str, &str); 4] = [
    ("\\Inbox", "INBOX"),
    ("\\Sent", "Sent"),
    ("\\Draft", "Drafts"),
    ("\\Important", "Important"),
];

/// The same for all messages of one conversation: by the oldest message that it names (RFC 5256's REFERENCES, in
/// short). `None` for a message that names none.
pub fn thread_id(message: &StoredMessage) -> Option<u64> {
    let entity = parse(&message.raw);
    let header = slice(&message.raw, &entity.header);
    let root = ["References", "In-Reply-To", "Message-ID"]
        .iter()
        .find_map(|name| {
            let value = header_value(header, name)?;
            let text = String::from_utf8_lossy(&value).into_owned();
            text.split_whitespace().next().map(str::to_owned)
        })?;
    let mut hasher = DefaultHasher::new();
    root.hash(&mut hasher);
    Some(hasher.finish() >> 1)
}

/// The labels of a message: each mailbox that shows it, but All Mail and `viewed`.
pub fn labels(account: &Account, message: &StoredMessage, viewed: Option<u64>, utf8: bool) -> Vec<u8> {
    let mut out = b"(".to_vec();
    for mailbox in &account.mailboxes {
        let shown = mailbox.path != crate::gmail::ALL_MAIL && Some(mailbox.id) != viewed;
        if !shown || !mailbox.messages.iter().any(|m| m.email_id == message.email_id) {
            continue;
        }
        if out.len() > 1 {
            out.push(b' ');
        }
        match SYSTEM.iter().find(|(_, path)| *path == mailbox.path) {
            Some((label, _)) => push_string(&mut out, label.as_bytes()),
            None if utf8 => push_string(&mut out, mailbox.path.as_bytes()),
            None => push_string(&mut out, utf7::encode(&mailbox.path).as_bytes()),
        }
    }
    out.push(b')');
    out
}

impl Session {
    /// STORE of X-GM-LABELS: a message comes into a mailbox or leaves it.
    pub fn store_labels(
        &mut self,
        uid: bool,
        set: &SequenceSet,
        change: StoreChange,
        labels: &[String],
    ) -> Answer {
        if !self.core.offers("X-GM-EXT-1") {
            return bad("no labels here");
        }
        let Some(targets) = self.targets(uid, set) else {
            return bad("no such message number");
        };
        let Some(viewed) = self.selected.as_ref().map(|selected| selected.id) else {
            return bad("select a mailbox first");
        };
        let paths: Vec<&str> = labels
            .iter()
            .map(|label| {
                let system = SYSTEM.iter().find(|(name, _)| name.eq_ignore_ascii_case(label));
                system.map_or(canonical(label), |(_, path)| path)
            })
            .collect();
        let done = self.change_account(|account| {
            for (_, uid) in targets {
                let Some(message) = account
                    .by_id(viewed)
                    .and_then(|mailbox| mailbox.find(uid))
                    .cloned()
                else {
                    continue;
                };
                for mailbox in &mut account.mailboxes {
                    let named = paths.contains(&mailbox.path.as_str());
                    let holds = mailbox.messages.iter().any(|m| m.email_id == message.email_id);
                    let label = mailbox.id != viewed && mailbox.path != crate::gmail::ALL_MAIL;
                    match change {
                        StoreChange::Add | StoreChange::Replace if named && !holds => {
                            mailbox.append(message.raw.clone(), message.flags.clone(), message.internal_date);
                        }
                        StoreChange::Remove if named && holds => {
                            mailbox.remove(|m| m.email_id == message.email_id);
                        }
                        StoreChange::Replace if !named && holds && label => {
                            mailbox.remove(|m| m.email_id == message.email_id);
                        }
                        _ => (),
                    }
                }
            }
        });
        match done {
            Some(()) => ok("labelled"),
            None => no("log in first"),
        }
    }
}
