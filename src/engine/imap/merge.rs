//! Lays what the server says over what is here: flags three ways, and arrivals matched with messages that wait for
//! their UID. Pure: reads and writes are data.

use std::collections::BTreeMap;

use posthorn_model::{Envelope, Flags, MailboxId, MessageId, Timestamp, Uid};
use posthorn_store::write::Write;

/// A placement as it is here now.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Held {
    pub message: MessageId,
    pub uid: Option<Uid>,
    pub flags: Flags,
    pub base: Flags,
}

/// Writes for flags that the server reports. The user's own pending changes stay: they are what differs between
/// `flags` and `base`.
#[must_use]
pub fn merge_flags<'a>(
    mailbox: MailboxId,
    held: &BTreeMap<Uid, Held>,
    reports: impl IntoIterator<Item = (Uid, &'a Flags)>,
) -> Vec<Write> {
    let writes = reports.into_iter().filter_map(|(uid, remote)| {
        let here = held.get(&uid)?;
        let merged = Flags::merge(&here.flags, &here.base, remote);
        (merged != here.flags || *remote != here.base).then(|| Write::SetFlags {
            message: here.message,
            mailbox,
            flags: merged,
            base: remote.clone(),
        })
    });
    writes.collect()
}

/// What tells one message from another when its UID cannot.
#[derive(Clone, Debug, PartialEq, Eq, PartialOrd, Ord)]
pub struct Likeness {
    message_id: String,
    size: u64,
    /// Only where there is no Message-ID.
    date: Option<Timestamp>,
    subject: String,
}

impl Likeness {
    #[must_use]
    pub fn of(envelope: &Envelope, size: u64) -> Self {
        match &envelope.message_id {
            Some(id) => Self {
                message_id: id.0.clone(),
                size,
                date: None,
                subject: String::new(),
            },
            None => Self {
                message_id: String::new(),
                size,
                date: envelope.date,
                subject: envelope.subject.clone(),
            },
        }
    }
}

/// Messages here that stand in a mailbox without a UID: moved, copied or uploaded by us with no word of the UID
/// they got, or left over when the UIDs' generation changed.
#[derive(Clone, Debug, Default)]
pub struct Waiting {
    exact: BTreeMap<Likeness, Vec<MessageId>>,
    /// Uploads: servers may store them with another size.
    uploads: BTreeMap<String, Vec<MessageId>>,
}

impl Waiting {
    pub fn add(&mut self, message: MessageId, envelope: &Envelope, size: u64) {
        self.exact
            .entry(Likeness::of(envelope, size))
            .or_default()
            .push(message);
    }

    /// A message that we upload: its Message-ID alone is enough.
    pub fn add_upload(&mut self, message: MessageId, envelope: &Envelope) {
        if let Some(id) = &envelope.message_id {
            self.uploads.entry(id.0.clone()).or_default().push(message);
        }
    }

    #[must_use]
    pub fn is_empty(&self) -> bool {
        self.exact.is_empty() && self.uploads.is_empty()
    }

    /// The waiting message that this arrival is; each is given once.
    pub fn take(&mut self, envelope: &Envelope, size: u64) -> Option<MessageId> {
        let exact = pop(&mut self.exact, &Likeness::of(envelope, size));
        let found = exact.or_else(|| pop(&mut self.uploads, &envelope.message_id.as_ref()?.0))?;
        for list in self.exact.values_mut().chain(self.uploads.values_mut()) {
            list.retain(|message| *message != found);
        }
        Some(found)
    }
}

fn pop<K: Ord>(map: &mut BTreeMap<K, Vec<MessageId>>, key: &K) -> Option<MessageId> {
    let list = map.get_mut(key)?;
    let message = (!list.is_empty()).then(|| list.remove(0));
    if list.is_empty() {
        map.remove(key);
    }
    message
}

#[cfg(test)]
mod tests;
