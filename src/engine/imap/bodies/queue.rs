//! Which bodies are fetched next. Pure: the store and the wire are elsewhere.

use std::collections::{BTreeMap, BTreeSet, VecDeque};

use posthorn_model::{MailboxId, MessageId};

/// Mailboxes in which bodies are missing, in the order in which they are served.
#[derive(Debug, Default)]
pub struct Queue {
    order: VecDeque<MailboxId>,
    /// How far down each has been looked through, newest first; absent: not yet.
    reached: BTreeMap<MailboxId, MessageId>,
    /// On their way to the disk.
    under_way: BTreeSet<MessageId>,
    /// Asked for in this sweep, and not handed over.
    withheld: BTreeMap<MailboxId, BTreeSet<MessageId>>,
}

impl Queue {
    /// More may be missing in this mailbox, below what has been looked through.
    pub fn add(&mut self, mailbox: MailboxId) {
        if !self.order.contains(&mailbox) {
            self.order.push_back(mailbox);
        }
    }

    /// All of these, from the top.
    pub fn sweep(&mut self, mailboxes: &[MailboxId]) {
        for mailbox in mailboxes {
            self.reached.remove(mailbox);
        }
        let first: BTreeSet<MailboxId> = mailboxes.iter().copied().collect();
        let others = std::mem::take(&mut self.order);
        self.order.extend(mailboxes);
        self.order
            .extend(others.into_iter().filter(|known| !first.contains(known)));
    }

    /// All that is still wanted, from the top: what was asked for last may not have come.
    pub fn restart(&mut self) {
        self.reached.clear();
    }

    /// The mailbox to serve, and how far down it has been looked through.
    #[must_use]
    pub fn next(&self) -> Option<(MailboxId, Option<MessageId>)> {
        let mailbox = *self.order.front()?;
        Some((mailbox, self.reached.get(&mailbox).copied()))
    }

    #[must_use]
    pub fn is_empty(&self) -> bool {
        self.order.is_empty()
    }

    /// Everything down to this message has been looked at.
    pub fn reach(&mut self, mailbox: MailboxId, message: MessageId) {
        self.reached.insert(mailbox, message);
    }

    /// Nothing more is missing there for now.
    pub fn finish(&mut self, mailbox: MailboxId) {
        if self.order.front() == Some(&mailbox) {
            self.order.pop_front();
        } else {
            self.order.retain(|known| *known != mailbox);
        }
    }

    /// Whether this message is still to be asked for.
    #[must_use]
    pub fn wants(&self, mailbox: MailboxId, message: MessageId) -> bool {
        let withheld = self.withheld.get(&mailbox);
        !self.under_way.contains(&message) && !withheld.is_some_and(|set| set.contains(&message))
    }

    pub fn begin(&mut self, messages: impl IntoIterator<Item = MessageId>) {
        self.under_way.extend(messages);
    }

    pub fn end(&mut self, messages: &[MessageId]) {
        for message in messages {
            self.under_way.remove(message);
        }
    }

    pub fn withhold(&mut self, mailbox: MailboxId, message: MessageId) {
        self.withheld.entry(mailbox).or_default().insert(message);
    }

    /// How many were not handed over, by mailbox; they are asked for anew in the next sweep.
    pub fn take_withheld(&mut self) -> BTreeMap<MailboxId, u64> {
        let withheld = std::mem::take(&mut self.withheld);
        withheld
            .into_iter()
            .map(|(mailbox, set)| (mailbox, set.len() as u64))
            .collect()
    }

    /// Nothing is wanted any more.
    pub fn clear(&mut self) {
        self.order.clear();
        self.reached.clear();
        self.withheld.clear();
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn goes_down_each_mailbox_once_and_never_asks_twice() {
        let (a, b) = (MailboxId(1), MailboxId(2));
        let mut queue = Queue::default();
        queue.add(b);
        queue.add(a);
        queue.add(b);
        assert_eq!(queue.next(), Some((b, None)));
        queue.begin([MessageId(9), MessageId(8)]);
        queue.reach(b, MessageId(8));
        queue.withhold(b, MessageId(7));
        assert_eq!(queue.next(), Some((b, Some(MessageId(8)))));
        assert!(!queue.wants(a, MessageId(9)), "on its way from another mailbox");
        assert!(!queue.wants(b, MessageId(7)), "not handed over");
        assert!(queue.wants(a, MessageId(7)), "another copy may be");
        queue.finish(b);
        assert_eq!(queue.next(), Some((a, None)));
        queue.sweep(&[a, b]);
        assert_eq!(queue.next(), Some((a, None)));
        queue.finish(a);
        assert_eq!(queue.next(), Some((b, None)), "from the top");
        queue.end(&[MessageId(9)]);
        assert!(queue.wants(a, MessageId(9)));
        assert_eq!(queue.take_withheld(), BTreeMap::from([(b, 1)]));
        assert!(queue.wants(b, MessageId(7)), "a new sweep asks again");
        queue.clear();
        assert!(queue.is_empty());
    }
}
