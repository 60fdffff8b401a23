//! Lays what the server says over what is here: flags three ways, and arrivals matched with messages that wait for
//! their UID. Pure: reads and writes are data.

use std::collections::BTreeMap;

use posthorn_model::{Envelope, Flags, MailboxId, MessageId, Timestamp, Uid};
use posthorn_store::Adrift;
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
    /// `upload`: a message that we upload, whose Message-ID alone is enough.
    pub fn add(&mut self, adrift: &Adrift, upload: bool) {
        let likeness = Likeness {
            message_id: adrift
                .message_id
                .as_ref()
                .map_or_else(String::new, |id| id.0.clone()),
            size: adrift.size,
            date: adrift.date,
            subject: match adrift.message_id {
                Some(_) => String::new(),
                None => adrift.subject.clone(),
            },
        };
        self.exact.entry(likeness).or_default().push(adrift.message);
        if let Some(id) = adrift.message_id.as_ref().filter(|_| upload) {
            self.uploads.entry(id.0.clone()).or_default().push(adrift.message);
        }
    }

    #[must_use]
    pub fn is_empty(&self) -> bool {
        self.exact.is_empty() && self.uploads.is_empty()
    }

    /// The waiting message that this arrival is; each is given once.
    pub fn take(&mut self, envelope: &Envelope, size: u64) -> Option<MessageId> {
        let exact = pop(&mut self.exact, &Likeness::of(envelope, size));
        let by_id = envelope.message_id.as_ref();
        let uploads = !self.uploads.is_empty();
        let found = exact.or_else(|| pop(&mut self.uploads, &by_id?.0))?;
        // Under whatever else it waits, it has the same Message-ID.
        if let Some(id) = by_id.filter(|_| uploads) {
            let named = |likeness: &Likeness| likeness.message_id == id.0;
            for (_, list) in self.exact.iter_mut().filter(|(likeness, _)| named(likeness)) {
                list.retain(|message| *message != found);
            }
            if let Some(list) = self.uploads.get_mut(&id.0) {
                list.retain(|message| *message != found);
            }
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
