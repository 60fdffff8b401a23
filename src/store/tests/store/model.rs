//! Random writes against a naive model: lists, counts and positions must agree.

use std::collections::{BTreeMap, BTreeSet};

use posthorn_model::query::{PageStart, View};
use posthorn_model::{Flag, FlagChange, Flags, MailboxId, MessageId, Protocol};
use posthorn_store::Write;
use proptest::prelude::*;

use super::support::{Fixture, place, wait};

#[derive(Clone, Debug)]
enum Step {
    Add {
        date: i64,
        mailbox: usize,
        seen: bool,
    },
    Place {
        message: usize,
        mailbox: usize,
        seen: bool,
        uid: u32,
    },
    Unplace {
        message: usize,
        mailbox: usize,
    },
    Flip {
        message: usize,
        mailbox: usize,
        seen: bool,
    },
    Move {
        message: usize,
        from: usize,
        to: usize,
    },
    DropMailbox {
        mailbox: usize,
    },
}

fn steps() -> impl Strategy<Value = Vec<Step>> {
    // Dates in few, far-apart and close places: shared seconds, shared spans, empty spans.
    let date = prop_oneof![0_i64..4, 65_530_i64..65_540, 1_000_000_i64..1_200_000];
    let step = prop_oneof![
        4 => (date, 0..3_usize, any::<bool>()).prop_map(|(date, mailbox, seen)| Step::Add { date, mailbox, seen }),
        2 => (0..20_usize, 0..3_usize, any::<bool>(), 1..9_u32)
            .prop_map(|(message, mailbox, seen, uid)| Step::Place { message, mailbox, seen, uid }),
        2 => (0..20_usize, 0..3_usize).prop_map(|(message, mailbox)| Step::Unplace { message, mailbox }),
        2 => (0..20_usize, 0..3_usize, any::<bool>())
            .prop_map(|(message, mailbox, seen)| Step::Flip { message, mailbox, seen }),
        2 => (0..20_usize, 0..3_usize, 0..3_usize)
            .prop_map(|(message, from, to)| Step::Move { message, from, to }),
        1 => (1..3_usize).prop_map(|mailbox| Step::DropMailbox { mailbox }),
    ];
    proptest::collection::vec(step, 1..60)
}

struct World {
    fixture: Fixture,
    mailboxes: Vec<MailboxId>,
    /// Ever added.
    messages: Vec<MessageId>,
    /// (mailbox, message) → seen.
    placed: BTreeMap<(MailboxId, MessageId), bool>,
}

impl World {
    fn new() -> Self {
        let fixture = Fixture::new(Protocol::Imap);
        let mailboxes = vec![fixture.inbox, fixture.add_mailbox("A"), fixture.add_mailbox("B")];
        Self {
            fixture,
            mailboxes,
            messages: Vec::new(),
            placed: BTreeMap::new(),
        }
    }

    fn here(&self, message: usize) -> Option<MessageId> {
        let id = *self.messages.get(message)?;
        self.placed.keys().any(|(_, placed)| *placed == id).then_some(id)
    }

    fn take(&mut self, step: &Step) {
        let flags = |seen: bool| {
            if seen {
                Flags::default().with(Flag::Seen)
            } else {
                Flags::default()
            }
        };
        match *step {
            Step::Add { date, mailbox, seen } => {
                let id = format!("m{}@x", self.messages.len());
                let parent = format!("m{}@x", self.messages.len() / 3);
                let message = self.fixture.new_message(date, &id, &[&parent]);
                let (id, mailbox) = (message.id, self.mailboxes[mailbox]);
                self.fixture.apply(vec![
                    Write::AddMessage(Box::new(message)),
                    place(id, mailbox, None, flags(seen)),
                ]);
                self.messages.push(id);
                self.placed.insert((mailbox, id), seen);
            }
            Step::Place {
                message,
                mailbox,
                seen,
                uid,
            } => {
                let Some(id) = self.here(message) else { return };
                let mailbox = self.mailboxes[mailbox];
                self.fixture
                    .apply(vec![place(id, mailbox, Some(uid), flags(seen))]);
                self.placed.insert((mailbox, id), seen);
            }
            Step::Unplace { message, mailbox } => {
                let Some(id) = self.here(message) else { return };
                let mailbox = self.mailboxes[mailbox];
                self.fixture.apply(vec![Write::Unplace { message: id, mailbox }]);
                self.placed.remove(&(mailbox, id));
            }
            Step::Flip {
                message,
                mailbox,
                seen,
            } => {
                let Some(id) = self.here(message) else { return };
                let mailbox = self.mailboxes[mailbox];
                let change = if seen {
                    FlagChange::adding(Flag::Seen)
                } else {
                    FlagChange::removing(Flag::Seen)
                };
                self.fixture.apply(vec![Write::ChangeFlags {
                    message: id,
                    mailbox,
                    change,
                }]);
                self.placed.entry((mailbox, id)).and_modify(|now| *now = seen);
            }
            Step::Move { message, from, to } => {
                let Some(id) = self.here(message) else { return };
                let (from, to) = (self.mailboxes[from], self.mailboxes[to]);
                self.fixture.apply(vec![
                    Write::Unplace {
                        message: id,
                        mailbox: from,
                    },
                    place(id, to, None, flags(true)),
                ]);
                self.placed.remove(&(from, id));
                self.placed.insert((to, id), true);
            }
            Step::DropMailbox { mailbox } => {
                let gone = self.mailboxes[mailbox];
                self.fixture.apply(vec![Write::RemoveMailbox(gone)]);
                self.placed.retain(|(placed, _), _| *placed != gone);
                self.mailboxes[mailbox] = self.fixture.add_mailbox(["", "A", "B"][mailbox]);
            }
        }
    }

    /// Pages of every kind show exactly the model's rows, in order, with their positions.
    fn compare(&self) {
        for mailbox in &self.mailboxes {
            let all: Vec<_> = self
                .placed
                .keys()
                .filter(|(placed, _)| placed == mailbox)
                .collect();
            let expect: Vec<MessageId> = all.iter().rev().map(|(_, id)| *id).collect();
            let unread = all.iter().filter(|key| !self.placed[**key]).count() as u64;
            self.compare_view(View::Mailbox(*mailbox), &expect);
            let counts = wait(self.fixture.store.counts(View::Mailbox(*mailbox))).unwrap();
            assert_eq!((counts.total, counts.unread), (expect.len() as u64, unread));
        }
        let distinct: BTreeSet<MessageId> = self.placed.keys().map(|(_, id)| *id).collect();
        let expect: Vec<MessageId> = distinct.into_iter().rev().collect();
        self.compare_view(View::All, &expect);
        self.compare_view(View::Account(self.fixture.account), &expect);
    }

    fn compare_view(&self, view: View, expect: &[MessageId]) {
        let store = &self.fixture.store;
        let mut start = PageStart::Newest;
        let mut seen = Vec::new();
        loop {
            let page = wait(store.page(view, start, 3)).unwrap();
            assert_eq!(
                (page.first, page.total),
                (seen.len() as u64, expect.len() as u64),
                "{view:?}"
            );
            seen.extend(page.rows.iter().map(|row| row.message));
            match page.next {
                Some(next) => start = PageStart::Before(next),
                None => break,
            }
        }
        assert_eq!(seen, expect, "{view:?}");
        for at in [0, 1, expect.len() / 2, expect.len()] {
            let page = wait(store.page(view, PageStart::Row(at as u64), 2)).unwrap();
            let rows: Vec<_> = page.rows.iter().map(|row| row.message).collect();
            let wanted: Vec<_> = expect.iter().skip(at).take(2).copied().collect();
            let first = at.min(expect.len()) as u64;
            assert_eq!((rows, page.first), (wanted, first), "{view:?} from row {at}");
        }
    }
}

proptest! {
    #![proptest_config(ProptestConfig { cases: 24, failure_persistence: None, ..ProptestConfig::default() })]
    #[test]
    fn random_writes_agree_with_a_naive_model(steps in steps()) {
        let mut world = World::new();
        for step in &steps {
            world.take(step);
        }
        world.compare();
        world.fixture.check();
    }
}

#[test]
fn the_unified_inbox_merges_in_order() {
    let fixture = Fixture::new(Protocol::Imap);
    let store = &fixture.store;
    let other = store.new_account_id();
    let (second, put) = super::support::mailbox(store, other, "INBOX", true);
    let put_account = Write::PutAccount {
        id: other,
        name: "home".into(),
        protocol: Protocol::Pop3,
    };
    fixture.apply(vec![put_account, put]);
    let mut expect = Vec::new();
    for number in 0..40_i64 {
        let id = fixture.add(number * 40_000, &format!("{number}@x"), &[]);
        expect.push((id, fixture.inbox));
        // Half of them lie in both inboxes: the same message twice, under one date.
        if number % 2 == 0 {
            fixture.apply(vec![place(id, second, None, Flags::default())]);
            expect.push((id, second));
        }
    }
    expect.sort_by(|a, b| b.cmp(a));
    let (mut start, mut seen) = (PageStart::Newest, Vec::new());
    loop {
        let page = wait(store.page(View::Inbox, start, 7)).unwrap();
        assert_eq!((page.first, page.total), (seen.len() as u64, 60));
        seen.extend(page.rows.iter().map(|row| (row.message, row.mailbox)));
        let Some(next) = page.next else { break };
        start = PageStart::Before(next);
    }
    assert_eq!(seen, expect);
    for (at, expect) in (0..).zip(expect) {
        let page = wait(store.page(View::Inbox, PageStart::Row(at), 1)).unwrap();
        assert_eq!((page.rows[0].message, page.rows[0].mailbox), expect);
    }
}
