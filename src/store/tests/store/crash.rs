//! A process killed at any moment leaves two sound files, and everything that was acknowledged.

use std::io::{BufRead, BufReader};
use std::path::Path;
use std::process::{Command, Stdio};

use posthorn_model::{AccountId, Flag, FlagChange, Flags, Hash, Protocol, SyncState, Timestamp, UidValidity};
use posthorn_store::{Depth, Durability, NewMessage, Provenance, RawInput, RawSource, Store, Write};
use rusqlite::Connection;

use super::support::{body, envelope, mailbox, place, text_of, wait};

const DIR: &str = "POSTHORN_STORE_CRASH_DIR";

/// Not a test of its own: what the parent starts and kills. Prints a line for each thing that is acknowledged.
#[test]
fn child() {
    let Some(dir) = std::env::var_os(DIR) else { return };
    let store = Store::open(Path::new(&dir)).unwrap();
    let round = wait(store.setting("round"))
        .unwrap()
        .map_or(0, |text| text.parse::<u64>().unwrap());
    let account = match wait(store.accounts()).unwrap().first() {
        Some(account) => account.id,
        None => {
            let id = store.new_account_id();
            let (_, put) = mailbox(&store, id, "INBOX", false);
            let put_account = Write::PutAccount {
                id,
                name: "work".into(),
                protocol: Protocol::Imap,
            };
            wait(store.apply(vec![put_account, put], Durability::Normal)).unwrap();
            id
        }
    };
    let inbox = wait(store.mailboxes(None)).unwrap()[0].id;
    for number in round.. {
        let inputs: Vec<RawInput> = (0..number % 7 + 1)
            .map(|part| input(account, number, part))
            .collect();
        let hashes = wait(store.keep_raw(inputs)).unwrap();
        for hash in &hashes {
            println!("kept {hash}");
        }
        let mut writes = vec![Write::PutSetting {
            key: "round".into(),
            value: Some((number + 1).to_string()),
        }];
        let mut last = None;
        for (part, hash) in (0_u64..).zip(hashes) {
            let date = 1_700_000_000 + i64::try_from(number * 5 + part).unwrap();
            let id = store.message_id(Timestamp(date));
            let name = format!("{number}.{part}@x");
            let envelope = envelope(date, &name, &[&format!("{}.0@x", number / 2)]);
            writes.push(Write::AddMessage(Box::new(NewMessage {
                id,
                account,
                envelope: envelope.clone(),
                received: None,
                size: 10,
                has_attachments: false,
                body: Some(body(id, &bytes(number, part), hash, envelope, "words to find")),
            })));
            writes.push(place(
                id,
                inbox,
                u32::try_from(number * 10 + part + 1).ok(),
                Flags::default(),
            ));
            last = Some(id);
        }
        writes.push(Write::SetSyncState {
            mailbox: inbox,
            state: Some(SyncState {
                uid_validity: UidValidity::new(1).unwrap(),
                uid_next: u32::try_from(number * 10 + 10).unwrap(),
                highest_modseq: None,
            }),
        });
        let durability = if number % 3 == 0 {
            Durability::Full
        } else {
            Durability::Normal
        };
        wait(store.apply(writes, durability)).unwrap();
        println!("applied {number}");
        if let Some(message) = last.filter(|_| number % 4 == 0) {
            let change = FlagChange::adding(Flag::Seen);
            let flip = Write::ChangeFlags {
                message,
                mailbox: inbox,
                change,
            };
            let remove = Write::Unplace {
                message,
                mailbox: inbox,
            };
            let write = if number % 8 == 0 { flip } else { remove };
            wait(store.apply(vec![write], Durability::Normal)).unwrap();
        }
        wait(store.index_pending(3, text_of())).unwrap();
    }
}

fn bytes(number: u64, part: u64) -> Vec<u8> {
    // Now and then a large one, kept as a file.
    let size = if number % 5 == 4 && part == 0 {
        1_200_000
    } else {
        3_000
    };
    format!("message {number} {part} ")
        .into_bytes()
        .into_iter()
        .cycle()
        .take(size)
        .collect()
}

fn input(account: AccountId, number: u64, part: u64) -> RawInput {
    RawInput {
        source: RawSource::Bytes(bytes(number, part)),
        provenance: Provenance {
            account,
            mailbox: "INBOX".into(),
            uid: None,
            uidl: None,
            received: None,
            flags: Flags::default(),
        },
    }
}

fn kill_after(dir: &Path, lines: usize) -> (Vec<Hash>, Option<u64>) {
    let mut child = Command::new(std::env::current_exe().unwrap())
        .args([
            "store::crash::child",
            "--exact",
            "--nocapture",
            "--test-threads=1",
        ])
        .env(DIR, dir)
        .stdout(Stdio::piped())
        .spawn()
        .unwrap();
    let mut output = BufReader::new(child.stdout.take().unwrap()).lines();
    let (mut kept, mut applied) = (Vec::new(), None);
    let mut note = |line: String| {
        if let Some((_, hex)) = line.split_once("kept ") {
            let hex: Vec<u8> = (0..32)
                .map(|at| u8::from_str_radix(hex.get(at * 2..at * 2 + 2).unwrap(), 16).unwrap())
                .collect();
            kept.push(Hash::from_slice(&hex).unwrap());
        } else if let Some((_, number)) = line.split_once("applied ") {
            applied = Some(number.parse().unwrap());
        }
    };
    for line in output.by_ref().take(lines) {
        note(line.unwrap());
    }
    child.kill().unwrap();
    child.wait().unwrap();
    // What it said before it died counts; a line cut short does not.
    for line in output.map_while(Result::ok) {
        if line.starts_with("applied ") || line.len() == "kept ".len() + 64 {
            note(line);
        }
    }
    (kept, applied)
}

#[test]
fn a_kill_at_any_moment_loses_nothing_acknowledged() {
    let dir = tempfile::tempdir().unwrap();
    let mut all = Vec::new();
    for lines in [1, 3, 17, 8, 40, 5, 29, 12] {
        let (kept, applied) = kill_after(dir.path(), lines);
        all.extend(kept);
        for file in ["index.sqlite", "messages.sqlite"] {
            let connection = Connection::open(dir.path().join(file)).unwrap();
            let sound: String = connection
                .query_row("PRAGMA integrity_check", [], |row| row.get(0))
                .unwrap();
            assert_eq!(sound, "ok", "{file}");
            let mut references = connection.prepare("PRAGMA foreign_key_check").unwrap();
            assert!(!references.exists([]).unwrap(), "{file}");
        }
        let store = Store::open(dir.path()).unwrap();
        assert!(store.notices().is_empty() && !store.rebuild_wanted());
        assert_eq!(wait(store.check(Depth::Bytes)).unwrap(), Vec::<String>::new());
        assert!(
            wait(store.verify_raw(all.clone()))
                .unwrap()
                .into_iter()
                .all(|well| well)
        );
        let round: Option<u64> = wait(store.setting("round"))
            .unwrap()
            .map(|text| text.parse().unwrap());
        if let Some(applied) = applied {
            assert!(
                round.is_some_and(|round| round > applied),
                "{round:?} after {applied}"
            );
        }
    }
    assert!(all.len() > 50, "the children did too little: {}", all.len());
}
