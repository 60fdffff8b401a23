//! Events to any number of readers. What one reader has not taken yet is merged, not queued: a reader that falls
//! behind gets fewer, wider events, never silence, and what waits for it is bounded.

use std::collections::{BTreeMap, BTreeSet, VecDeque};
use std::sync::{Arc, Mutex, PoisonError, Weak};
use std::time::Duration;

use posthorn_model::{AccountId, MailboxId, MessageId, NetworkPolicy};
use tokio::runtime::Handle;
use tokio::sync::Notify;

use crate::event::{AccountState, Doing, Event};

/// Between two deliveries to one reader: about one frame of a screen.
const FOLD: Duration = Duration::from_millis(16);

/// More ids than this are not named one by one.
const FEW: usize = 200;

/// Sends events to its readers.
#[derive(Default)]
pub struct Hub {
    readers: Mutex<Vec<Weak<Inbox>>>,
}

#[derive(Default)]
struct Inbox {
    waiting: Mutex<Waiting>,
    notify: Notify,
}

/// What a reader has not taken yet.
#[derive(Default)]
struct Waiting {
    closed: bool,
    accounts: bool,
    mailboxes: BTreeSet<AccountId>,
    /// Rows changed, by mailbox; `None`: too many to name.
    rows: BTreeMap<MailboxId, Option<BTreeSet<MessageId>>>,
    new_mail: BTreeMap<AccountId, Vec<MessageId>>,
    states: BTreeMap<AccountId, AccountState>,
    progress: BTreeMap<AccountId, (Doing, u64, u64)>,
    network: Option<(NetworkPolicy, NetworkPolicy)>,
    reading: bool,
    problems: bool,
    operations: bool,
    outbox: bool,
}

impl Hub {
    pub fn publish(&self, event: &Event) {
        let mut readers = self.readers.lock().unwrap_or_else(PoisonError::into_inner);
        readers.retain(|reader| {
            let Some(inbox) = reader.upgrade() else {
                return false;
            };
            inbox
                .waiting
                .lock()
                .unwrap_or_else(PoisonError::into_inner)
                .merge(event);
            inbox.notify.notify_one();
            true
        });
    }

    /// Nothing comes any more: readers end when they have taken what waits.
    pub fn close(&self) {
        let mut readers = self.readers.lock().unwrap_or_else(PoisonError::into_inner);
        for inbox in readers.drain(..).filter_map(|reader| reader.upgrade()) {
            inbox
                .waiting
                .lock()
                .unwrap_or_else(PoisonError::into_inner)
                .closed = true;
            inbox.notify.notify_one();
        }
    }

    /// A reader of what happens from now on.
    pub fn subscribe(&self, runtime: Handle) -> Reader {
        let inbox = Arc::new(Inbox::default());
        self.readers
            .lock()
            .unwrap_or_else(PoisonError::into_inner)
            .push(Arc::downgrade(&inbox));
        Reader {
            inbox,
            ready: VecDeque::new(),
            runtime,
            first: true,
        }
    }
}

/// One reader's end.
pub struct Reader {
    inbox: Arc<Inbox>,
    ready: VecDeque<Event>,
    runtime: Handle,
    first: bool,
}

impl Reader {
    pub async fn next(&mut self) -> Option<Event> {
        loop {
            if let Some(event) = self.ready.pop_front() {
                return Some(event);
            }
            if !std::mem::take(&mut self.first) {
                // The timer belongs to the engine's runtime, whatever executor polls this.
                let _ = self.runtime.spawn(tokio::time::sleep(FOLD)).await;
            }
            loop {
                let (events, closed) = self
                    .inbox
                    .waiting
                    .lock()
                    .unwrap_or_else(PoisonError::into_inner)
                    .take();
                if !events.is_empty() {
                    self.ready = events;
                    break;
                }
                if closed {
                    return None;
                }
                self.inbox.notify.notified().await;
            }
        }
    }
}

impl Waiting {
    fn merge(&mut self, event: &Event) {
        match event {
            Event::AccountsChanged => self.accounts = true,
            Event::MailboxesChanged { account } => {
                self.mailboxes.insert(*account);
            }
            Event::MessagesChanged { mailboxes, messages } => self.merge_rows(mailboxes, messages),
            Event::NewMail { account, messages } => {
                let known = self.new_mail.entry(*account).or_default();
                let room = FEW.saturating_sub(known.len());
                known.extend(messages.iter().take(room));
            }
            Event::StateChanged { account, state } => {
                self.states.insert(*account, *state);
            }
            Event::Progress {
                account,
                doing,
                done,
                total,
            } => {
                self.progress.insert(*account, (*doing, *done, *total));
            }
            Event::NetworkChanged { chosen, policy } => self.network = Some((*chosen, *policy)),
            Event::ReadingChanged => self.reading = true,
            Event::ProblemsChanged => self.problems = true,
            Event::OperationsChanged => self.operations = true,
            Event::OutboxChanged => self.outbox = true,
        }
    }

    fn merge_rows(&mut self, mailboxes: &[MailboxId], messages: &[MessageId]) {
        for mailbox in mailboxes {
            let named = self.rows.entry(*mailbox).or_insert_with(|| Some(BTreeSet::new()));
            if let Some(set) = named {
                set.extend(messages);
                if messages.is_empty() || set.len() > FEW {
                    *named = None;
                }
            }
        }
    }

    fn take(&mut self) -> (VecDeque<Event>, bool) {
        let closed = self.closed;
        let taken = std::mem::take(self);
        self.closed = closed;
        let mut events = VecDeque::new();
        if taken.accounts {
            events.push_back(Event::AccountsChanged);
        }
        for account in taken.mailboxes {
            events.push_back(Event::MailboxesChanged { account });
        }
        for (mailbox, messages) in taken.rows {
            events.push_back(Event::MessagesChanged {
                mailboxes: vec![mailbox],
                messages: messages.into_iter().flatten().collect(),
            });
        }
        for (account, messages) in taken.new_mail {
            events.push_back(Event::NewMail { account, messages });
        }
        for (account, state) in taken.states {
            events.push_back(Event::StateChanged { account, state });
        }
        for (account, (doing, done, total)) in taken.progress {
            events.push_back(Event::Progress {
                account,
                doing,
                done,
                total,
            });
        }
        if let Some((chosen, policy)) = taken.network {
            events.push_back(Event::NetworkChanged { chosen, policy });
        }
        let flags = [
            (taken.reading, Event::ReadingChanged),
            (taken.problems, Event::ProblemsChanged),
            (taken.operations, Event::OperationsChanged),
            (taken.outbox, Event::OutboxChanged),
        ];
        events.extend(flags.into_iter().filter(|(set, _)| *set).map(|(_, event)| event));
        (events, closed)
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn rows(mailbox: i64, messages: impl IntoIterator<Item = i64>) -> Event {
        Event::MessagesChanged {
            mailboxes: vec![MailboxId(mailbox)],
            messages: messages.into_iter().map(MessageId).collect(),
        }
    }

    #[tokio::test]
    async fn a_slow_reader_gets_wider_events_and_never_silence() {
        let hub = Hub::default();
        let mut reader = hub.subscribe(Handle::current());
        hub.publish(&rows(1, [1, 2]));
        hub.publish(&rows(1, [2, 3]));
        for n in 0..1000 {
            hub.publish(&rows(2, [n]));
        }
        hub.publish(&Event::OutboxChanged);
        hub.publish(&Event::OutboxChanged);
        hub.close();
        let mut seen = Vec::new();
        while let Some(event) = reader.next().await {
            seen.push(event);
        }
        assert_eq!(seen, [rows(1, [1, 2, 3]), rows(2, []), Event::OutboxChanged]);
    }

    #[tokio::test]
    async fn a_reader_wakes_when_something_happens() {
        let hub = Arc::new(Hub::default());
        let mut reader = hub.subscribe(Handle::current());
        let publisher = Arc::clone(&hub);
        let task = tokio::spawn(async move { publisher.publish(&Event::ProblemsChanged) });
        assert_eq!(reader.next().await, Some(Event::ProblemsChanged));
        task.await.expect("published");
    }
}
