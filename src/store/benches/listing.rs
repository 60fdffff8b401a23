//! How long lists, search and batches take on a large store. Prints one line each.
//!
//! `cargo bench -p posthorn-store`, with `MESSAGES=100000` for a smaller store and `KEEP=DIR` to keep it between
//! runs.

#![allow(
    clippy::print_stdout,
    clippy::unwrap_used,
    clippy::cast_possible_truncation,
    clippy::indexing_slicing
)]

use std::path::PathBuf;
use std::time::{Duration, Instant};

use posthorn_model::query::{Cursor, PageStart, View};
use posthorn_model::{
    AccountId, Address, Envelope, Flag, Flags, Hash, InternetMessageId, MailboxId, MailboxName, MessageId,
    Protocol, SpecialUse, Timestamp, Uid,
};
use posthorn_store::{Durability, NewBody, NewMailbox, NewMessage, Store, Typing, Write};

#[path = "../tests/store/waiting.rs"]
mod waiting;
use waiting::wait;

const ACCOUNTS: u64 = 2;
const BATCH: u64 = 500;
/// Ten years.
const RANGE: u64 = 315_360_000;

fn main() {
    let count: u64 = std::env::var("MESSAGES").map_or(1_000_000, |text| text.parse().unwrap());
    let temporary = tempfile::tempdir().unwrap();
    let dir = std::env::var_os("KEEP").map_or_else(|| temporary.path().to_owned(), PathBuf::from);
    let fresh = !dir.join("index.sqlite").exists();
    let store = time("open", 1, || Store::open(&dir).unwrap());
    if fresh {
        fill(&store, count);
    }
    let inbox = wait(store.mailboxes(None)).unwrap()[0].id;
    measure(&store, inbox, count);
    wait(store.drain());
    drop(store);
    time("open again", 1, || Store::open(&dir).unwrap());
    let index = std::fs::metadata(dir.join("index.sqlite")).unwrap().len();
    println!(
        "index.sqlite {} MB, {} bytes a message",
        index >> 20,
        index / count
    );
}

/// Of the whole process, in seconds; what to trust on a busy machine. Linux only, in hundredths.
fn cpu() -> f64 {
    let stat = std::fs::read_to_string("/proc/self/stat").unwrap_or_default();
    let fields = stat.rsplit(')').next().unwrap_or_default().split_whitespace();
    fields
        .skip(11)
        .take(2)
        .filter_map(|ticks| ticks.parse::<f64>().ok())
        .sum::<f64>()
        / 100.0
}

fn time<T>(what: &str, rounds: u32, mut run: impl FnMut() -> T) -> T {
    let mut best = Duration::MAX;
    let begun = cpu();
    let mut last = None;
    for _ in 0..rounds {
        let round = Instant::now();
        last = Some(run());
        best = best.min(round.elapsed());
    }
    let mean = (cpu() - begun) / f64::from(rounds) * 1000.0;
    println!("{what:<44} CPU {mean:>8.2} ms  best {best:>10.1?}");
    last.unwrap()
}

fn fill(store: &Store, count: u64) {
    let mut writes = Vec::new();
    let mut inboxes = Vec::new();
    for number in 0..ACCOUNTS {
        let account = store.new_account_id();
        let mailbox = store.new_mailbox_id();
        inboxes.push((account, mailbox));
        writes.push(Write::PutAccount {
            id: account,
            name: format!("account {number}"),
            protocol: Protocol::Imap,
        });
        writes.push(Write::PutMailbox(NewMailbox {
            id: mailbox,
            account,
            name: MailboxName::local("INBOX"),
            delimiter: Some('/'),
            special_use: Some(SpecialUse::Inbox),
            selectable: true,
            subscribed: true,
            local: false,
        }));
    }
    wait(store.apply(writes, Durability::Normal)).unwrap();
    let begun = Instant::now();
    let (mut making, mut applying) = (0.0, 0.0);
    for batch in 0..count / BATCH {
        let start = cpu();
        let writes = (batch * BATCH..(batch + 1) * BATCH)
            .flat_map(|number| build(store, &inboxes, number, count))
            .collect();
        let made = cpu();
        wait(store.apply(writes, Durability::Normal)).unwrap();
        making += made - start;
        applying += cpu() - made;
    }
    println!(
        "apply and index, batches of {BATCH}: {:.0} messages per CPU second ({making:.1} s to make them, {:.1?} in all)",
        count as f64 / applying,
        begun.elapsed()
    );
}

fn build(store: &Store, inboxes: &[(AccountId, MailboxId)], number: u64, count: u64) -> Vec<Write> {
    let (account, mailbox) = inboxes[(number % ACCOUNTS) as usize];
    // Arrives newest first within an account, as a first sync brings it.
    let date = 1_750_000_000 - (number * (RANGE / count.max(1))) as i64;
    let id: MessageId = store.message_id(Timestamp(date));
    let thread = number / 6 * 6 + number % ACCOUNTS;
    let envelope = Envelope {
        date: Some(Timestamp(date)),
        subject: format!("Re: minutes of meeting {} and what follows", number % 977),
        from: vec![Address::new(
            format!("Person {}", number % 313),
            format!("p{}@example.org", number % 313),
        )],
        to: vec![Address::new("Alice", "alice@example.org")],
        message_id: Some(InternetMessageId(format!("{number}.{date}@mail.example.org"))),
        references: vec![InternetMessageId(format!("thread.{thread}@mail.example.org"))],
        ..Envelope::default()
    };
    let text = format!(
        "Dear all, the budget of project{} is word{} and the rest of this text is plain.",
        number % 97,
        number % 5003
    );
    let mut hash = [0; 32];
    hash[..8].copy_from_slice(&(number.wrapping_mul(0x9e37_79b9_7f4a_7c15)).to_be_bytes());
    let flags = if number.is_multiple_of(5) {
        Flags::default()
    } else {
        Flags::default().with(Flag::Seen)
    };
    let body = NewBody {
        message: id,
        hash: Hash(hash),
        size: 4_000 + number % 9_000,
        envelope: envelope.clone(),
        parts: Vec::new(),
        preview: text.clone(),
        index_text: Some(text),
        defects: Vec::new(),
    };
    vec![
        Write::AddMessage(Box::new(NewMessage {
            id,
            account,
            envelope,
            received: None,
            size: body.size,
            has_attachments: false,
            body: Some(body),
        })),
        Write::Place {
            message: id,
            mailbox,
            uid: Uid::new((count - number) as u32),
            base: flags.clone(),
            flags,
        },
    ]
}

fn measure(store: &Store, inbox: MailboxId, count: u64) {
    let page = |view, start| wait(store.page(view, start, 50)).unwrap();
    let deep = page(View::Mailbox(inbox), PageStart::Row(count / ACCOUNTS / 2)).rows[0].cursor();
    let views = [
        ("mailbox", View::Mailbox(inbox)),
        ("unified inbox", View::Inbox),
        ("all", View::All),
    ];
    for (name, view) in views {
        let half = if view == View::Mailbox(inbox) {
            count / ACCOUNTS / 2
        } else {
            count / 2
        };
        time(&format!("{name}: newest page"), 50, || {
            page(view, PageStart::Newest)
        });
        time(&format!("{name}: page after a cursor half-way"), 50, || {
            page(view, PageStart::Before(deep))
        });
        time(&format!("{name}: page at row {half}"), 50, || {
            page(view, PageStart::Row(half))
        });
    }
    let mut cursor: Option<Cursor> = None;
    time("mailbox: scroll, page after page", 200, || {
        let found = page(
            View::Mailbox(inbox),
            cursor.map_or(PageStart::Newest, PageStart::Before),
        );
        cursor = found.next;
    });
    for query in [
        "budget",
        "word77",
        "from:p7 budget",
        "\"minutes of meeting\"",
        "bud*",
        "is:unread budget",
        "zebra",
    ] {
        time(&format!("search {query}, 50 rows"), 10, || {
            wait(store.search(query, Typing::Finished, 50)).unwrap().total
        });
    }
    time("counts", 50, || wait(store.counts(View::Inbox)).unwrap());
    time("all uids of a mailbox", 3, || {
        wait(store.uids(inbox)).unwrap().len()
    });
    time("all placements of a mailbox", 3, || {
        wait(store.placements_in(inbox)).unwrap().len()
    });
    let account = wait(store.accounts()).unwrap()[0].id;
    time("whereabouts of an account", 3, || {
        wait(store.whereabouts(account)).unwrap()
    });
}
