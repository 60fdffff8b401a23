//! Damage and full disks: told in plain words, set aside, rebuilt; raw messages kept as they are.

use std::fs::OpenOptions;
use std::io::{Seek, SeekFrom, Write as _};
use std::path::{Path, PathBuf};
use std::sync::Arc;

use posthorn_model::query::{PageStart, View};
use posthorn_model::{
    ErrorClass, Flag, Flags, Hash, LedgerState, Operation, OperationKind, OperationState, Protocol,
    SpecialUse, Timestamp, UidSet, UidValidity, Uidl,
};
use posthorn_store::{Error, LARGE, Provenance, RawInput, RawSource, Reading, Store, Write};

use super::support::{Fixture, body, envelope, place, raw, wait};

fn parse(bytes: &[u8]) -> Reading {
    let text = String::from_utf8_lossy(bytes).into_owned();
    let id = text.split_whitespace().next().unwrap_or_default().to_owned();
    Reading {
        envelope: envelope(1_700_000_000, &id, &[]),
        index_text: Some(text),
        ..Reading::default()
    }
}

fn overwrite(path: &Path, at: u64, bytes: &[u8]) {
    let mut file = OpenOptions::new().write(true).open(path).unwrap();
    file.seek(SeekFrom::Start(at)).unwrap();
    file.write_all(bytes).unwrap();
}

fn set_aside(dir: &Path, name: &str) -> Vec<PathBuf> {
    let start = format!("{name}.damaged-");
    let is_it = |path: &PathBuf| {
        let name = path.file_name().unwrap().to_string_lossy().into_owned();
        name.starts_with(&start) && name.ends_with('Z')
    };
    let all = std::fs::read_dir(dir).unwrap().map(|entry| entry.unwrap().path());
    all.filter(is_it).collect()
}

/// Keeps and lists `text` as UID `uid` of the inbox.
fn receive(fixture: &Fixture, uid: u32, text: &str) -> Hash {
    let hash = wait(
        fixture
            .store
            .keep_raw(vec![raw(fixture.account, Some(uid), text.as_bytes())]),
    )
    .unwrap()[0];
    let mut message = fixture.new_message(1_700_000_000, "x@x", &[]);
    let id = message.id;
    let envelope = parse(text.as_bytes()).envelope;
    message.body = Some(body(id, text.as_bytes(), hash, envelope, text));
    fixture.apply(vec![
        Write::AddMessage(Box::new(message)),
        place(id, fixture.inbox, Some(uid), Flags::default()),
    ]);
    hash
}

fn close(fixture: Fixture) -> tempfile::TempDir {
    wait(fixture.store.drain());
    fixture.dir
}

#[test]
fn a_lost_index_is_made_again() {
    let fixture = Fixture::new(Protocol::Imap);
    let account = fixture.account;
    let hashes: Vec<Hash> = (1..=5)
        .map(|uid| receive(&fixture, uid, &format!("{uid}@x words")))
        .collect();
    let dir = close(fixture);
    std::fs::remove_file(dir.path().join("index.sqlite")).unwrap();
    let store = Store::open(dir.path()).unwrap();
    assert!(store.rebuild_wanted());
    let done = wait(store.rebuild(Arc::new(parse))).unwrap();
    assert_eq!((done.messages, done.unreadable), (5, 0));
    assert!(!store.rebuild_wanted());
    let rows = wait(store.page(View::Inbox, PageStart::Newest, 10)).unwrap().rows;
    assert_eq!(rows.len(), 5);
    assert_eq!(rows[0].account, account);
    let inbox = wait(store.mailboxes(None)).unwrap().remove(0);
    assert_eq!(inbox.special_use, Some(SpecialUse::Inbox));
    assert_eq!(wait(store.uids(inbox.id)).unwrap(), UidSet::parse("1:5").unwrap());
    assert_eq!(inbox.sync.unwrap().uid_validity, UidValidity::new(9).unwrap());
    for hash in hashes {
        assert_eq!(wait(store.find_by_hash(account, hash)).unwrap().len(), 1);
    }
    assert_eq!(
        wait(store.check(posthorn_store::Depth::Bytes)).unwrap(),
        Vec::<String>::new()
    );
    // Nothing more to do, also after a restart.
    drop(store);
    assert!(!Store::open(dir.path()).unwrap().rebuild_wanted());
}

#[test]
fn a_damaged_index_is_set_aside_and_its_precious_rows_saved() {
    let fixture = Fixture::new(Protocol::Imap);
    let hash = receive(&fixture, 1, "1@x words");
    let (account, inbox) = (fixture.account, fixture.inbox);
    let message = wait(fixture.store.find_by_hash(account, hash)).unwrap()[0];
    let operation = Operation {
        id: fixture.store.new_operation_id(),
        account,
        mailbox: inbox,
        uid_validity: None,
        targets: Vec::new(),
        kind: OperationKind::Expunge,
        state: OperationState::Queued,
        created: Timestamp(1),
        intent: 1,
        tries: 0,
        reply: String::new(),
    };
    fixture.apply(vec![
        Write::AddOperation(Box::new(operation.clone())),
        Write::PutSetting {
            key: "theme".into(),
            value: Some("dark".into()),
        },
    ]);
    let dir = close(fixture);
    // A placement that refers to nothing: damage that only a whole look finds.
    {
        let index = rusqlite::Connection::open(dir.path().join("index.sqlite")).unwrap();
        index
            .execute_batch("PRAGMA foreign_keys = OFF; DELETE FROM message_detail; DELETE FROM thread;")
            .unwrap();
        std::fs::write(dir.path().join("index.sqlite.suspect"), b"").unwrap();
    }
    let store = Store::open(dir.path()).unwrap();
    assert_eq!(store.notices().len(), 1);
    assert_eq!(set_aside(dir.path(), "index.sqlite").len(), 1);
    assert!(store.rebuild_wanted());
    wait(store.rebuild(Arc::new(parse))).unwrap();
    assert_eq!(
        wait(store.find_by_hash(account, hash)).unwrap(),
        [message],
        "a message got a new id"
    );
    assert_eq!(wait(store.operations(None)).unwrap(), [operation]);
    assert_eq!(wait(store.setting("theme")).unwrap().as_deref(), Some("dark"));
    assert_eq!(wait(store.settings()).unwrap().len(), 1);
    assert!(store.new_operation_id().0 > 1);
    assert_eq!(
        wait(store.check(posthorn_store::Depth::Bytes)).unwrap(),
        Vec::<String>::new()
    );
}

#[test]
fn files_that_are_no_database_are_set_aside() {
    for name in ["index.sqlite", "messages.sqlite"] {
        let fixture = Fixture::new(Protocol::Imap);
        receive(&fixture, 1, "1@x words");
        let dir = close(fixture);
        overwrite(&dir.path().join(name), 0, &[b'x'; 4096]);
        let before = std::fs::read(dir.path().join(name)).unwrap();
        let store = Store::open(dir.path()).unwrap();
        assert!(!store.notices().is_empty(), "{name}");
        let aside = set_aside(dir.path(), name);
        assert!(std::fs::read(&aside[0]).unwrap() == before, "{name}");
        wait(store.rebuild(Arc::new(parse))).unwrap();
        let row = wait(store.page(View::All, PageStart::Newest, 1))
            .unwrap()
            .rows
            .remove(0);
        let whole = row.body == posthorn_model::BodyState::Whole;
        // Lost bytes make it headers again, to be fetched once more.
        assert_eq!(whole, name == "index.sqlite");
        assert_eq!(
            wait(store.check(posthorn_store::Depth::Bytes)).unwrap(),
            Vec::<String>::new()
        );
    }
}

#[test]
fn what_can_be_read_of_damaged_messages_is_saved() {
    let fixture = Fixture::new(Protocol::Imap);
    let mut seed = 7_u32;
    let mut noise = || {
        let letters = (0..20_000).map(|_| {
            seed = seed.wrapping_mul(1_664_525).wrapping_add(1_013_904_223);
            char::from(b'a' + seed.to_be_bytes()[0] % 26)
        });
        letters.collect::<String>()
    };
    let hashes: Vec<Hash> = (1..=20)
        .map(|uid| receive(&fixture, uid, &format!("{uid}@x {}", noise())))
        .collect();
    let big = format!("99@x {}", "large ".repeat(400_000));
    let big = receive(&fixture, 99, &big);
    let dir = close(fixture);
    let path = dir.path().join("messages.sqlite");
    let size = std::fs::metadata(&path).unwrap().len();
    overwrite(&path, size / 2, &[0xee; 8192 * 3]);
    std::fs::write(dir.path().join("messages.sqlite.suspect"), b"").unwrap();
    let store = Store::open(dir.path()).unwrap();
    if store.notices().is_empty() {
        // The damage lies within blobs: only their hashes tell.
        let well = wait(store.verify_raw(hashes.clone())).unwrap();
        assert!(well.contains(&false) && well.contains(&true));
    } else {
        let kept = wait(store.has_raw(hashes)).unwrap();
        assert!(kept.contains(&true) && kept.contains(&false), "{kept:?}");
    }
    assert_eq!(wait(store.verify_raw(vec![big])).unwrap(), [true]);
}

#[test]
fn a_damaged_blob_is_seen_and_mended_by_keeping_it_again() {
    let fixture = Fixture::new(Protocol::Imap);
    let hash = receive(&fixture, 1, "1@x words");
    {
        let messages = rusqlite::Connection::open(fixture.dir.path().join("messages.sqlite")).unwrap();
        messages.execute("UPDATE raw SET bytes = x'00'", []).unwrap();
    }
    assert_eq!(wait(fixture.store.verify_raw(vec![hash])).unwrap(), [false]);
    let error = wait(fixture.store.raw(hash)).unwrap_err();
    assert_eq!(error.class(), ErrorClass::Corrupt);
    assert!(fixture.dir.path().join("messages.sqlite.suspect").exists());
    assert_eq!(
        wait(
            fixture
                .store
                .keep_raw(vec![raw(fixture.account, Some(1), b"1@x words")])
        )
        .unwrap(),
        [hash]
    );
    assert_eq!(wait(fixture.store.verify_raw(vec![hash])).unwrap(), [true]);
}

#[test]
fn large_messages_are_files_kept_once() {
    let fixture = Fixture::new(Protocol::Pop3);
    let store = &fixture.store;
    let bytes: Vec<u8> = b"large "
        .iter()
        .copied()
        .cycle()
        .take(usize::try_from(LARGE).unwrap() + 1)
        .collect();
    let spool = fixture.dir.path().join("spool");
    std::fs::write(&spool, &bytes).unwrap();
    let provenance = Provenance {
        account: fixture.account,
        mailbox: "INBOX".into(),
        uid: None,
        uidl: Some(Uidl(b"u1".to_vec())),
        received: None,
        flags: Flags::default().with(Flag::Flagged),
    };
    let inputs = vec![
        RawInput {
            source: RawSource::File(spool.clone()),
            provenance: provenance.clone(),
        },
        RawInput {
            source: RawSource::Bytes(bytes.clone()),
            provenance,
        },
    ];
    let hashes = wait(store.keep_raw(inputs)).unwrap();
    assert_eq!(hashes[0], hashes[1]);
    assert!(!spool.exists(), "it was copied, not taken over");
    let path = wait(store.raw_path(hashes[0])).unwrap().unwrap();
    assert!(path.ends_with(format!(
        "large/{}/{}",
        hashes[0].to_string().get(..2).unwrap(),
        hashes[0]
    )));
    assert_eq!(wait(store.raw(hashes[0])).unwrap().unwrap(), bytes);
    assert_eq!(wait(store.raw_totals()).unwrap(), (1, LARGE + 1));
    let copy = fixture.dir.path().join("copy");
    assert!(wait(store.raw_to_file(hashes[0], &copy)).unwrap());
    assert_eq!(std::fs::read(&copy).unwrap(), bytes);
    overwrite(&path, 10, b"rot");
    assert_eq!(wait(store.verify_raw(hashes.clone())).unwrap(), [false, false]);
    std::fs::remove_file(&path).unwrap();
    assert_eq!(wait(store.verify_raw(hashes.clone())).unwrap(), [false, false]);
    assert_eq!(
        wait(store.raw(hashes[0])).unwrap_err().class(),
        ErrorClass::Corrupt
    );
}

#[test]
fn the_ledger_comes_back_from_where_messages_came() {
    let fixture = Fixture::new(Protocol::Pop3);
    let account = fixture.account;
    let mut input = raw(account, None, b"1@x words");
    input.provenance.uidl = Some(Uidl(b"u1".to_vec()));
    let hash = wait(fixture.store.keep_raw(vec![input])).unwrap()[0];
    let dir = close(fixture);
    std::fs::remove_file(dir.path().join("index.sqlite")).unwrap();
    let store = Store::open(dir.path()).unwrap();
    wait(store.rebuild(Arc::new(parse))).unwrap();
    let row = wait(store.ledger(account)).unwrap().remove(0);
    assert_eq!(
        (row.uidl, row.hash, row.state),
        (Uidl(b"u1".to_vec()), Some(hash), LedgerState::Downloaded)
    );
    let listed = wait(store.row(row.message.unwrap())).unwrap().unwrap();
    assert!(listed.local && listed.uid.is_none());
}

#[test]
fn a_newer_file_is_refused_and_not_touched() {
    for name in ["index.sqlite", "messages.sqlite"] {
        let dir = close(Fixture::new(Protocol::Imap));
        let path = dir.path().join(name);
        rusqlite::Connection::open(&path)
            .unwrap()
            .pragma_update(None, "user_version", 99)
            .unwrap();
        let before = std::fs::read(&path).unwrap();
        for error in [
            Store::open(dir.path()).unwrap_err(),
            Store::open_read_only(dir.path()).unwrap_err(),
        ] {
            assert!(matches!(error, Error::Newer { found: 99, .. }), "{error:?}");
            assert_eq!(error.class(), ErrorClass::Config);
        }
        assert!(std::fs::read(&path).unwrap() == before, "{name}");
    }
}

/// Each message's mailbox and marks.
fn marks(store: &Store) -> Vec<(String, String, Vec<String>)> {
    let mut all = Vec::new();
    for mailbox in wait(store.mailboxes(None)).unwrap() {
        let page = wait(store.page(View::Mailbox(mailbox.id), PageStart::Newest, 10)).unwrap();
        for row in page.rows {
            let id = row.message_id.unwrap().0;
            all.push((mailbox.name.path.clone(), id, row.flags.names()));
        }
    }
    all.sort();
    all
}

#[test]
fn local_places_and_marks_survive_a_lost_index() {
    let fixture = Fixture::new(Protocol::Pop3);
    let (archive, put) = super::support::mailbox(&fixture.store, fixture.account, "Archive", true);
    let (attic, put_attic) = super::support::mailbox(&fixture.store, fixture.account, "Attic", true);
    fixture.apply(vec![put, put_attic]);
    let find = |hash| wait(fixture.store.find_by_hash(fixture.account, hash)).unwrap()[0];
    let ids: Vec<_> = (1..=5)
        .map(|n| find(receive(&fixture, n, &format!("{n}@x words"))))
        .collect();
    let mut flags = Flags::default().with(Flag::Seen);
    flags.insert_keyword(posthorn_model::Keyword::parse("work").unwrap());
    fixture.apply(vec![
        // Tagged and moved; starred; deleted for good; moved to and fro; moved to a mailbox that is renamed.
        place(ids[0], archive, None, flags.clone()),
        Write::Unplace {
            message: ids[0],
            mailbox: fixture.inbox,
        },
        Write::SetFlags {
            message: ids[1],
            mailbox: fixture.inbox,
            flags: Flags::default().with(Flag::Flagged),
            base: Flags::default(),
        },
        Write::Unplace {
            message: ids[2],
            mailbox: fixture.inbox,
        },
        place(ids[3], archive, None, Flags::default()),
        Write::Unplace {
            message: ids[3],
            mailbox: fixture.inbox,
        },
        place(ids[4], attic, None, Flags::default()),
        Write::Unplace {
            message: ids[4],
            mailbox: fixture.inbox,
        },
    ]);
    fixture.apply(vec![
        place(ids[3], fixture.inbox, None, Flags::default()),
        Write::Unplace {
            message: ids[3],
            mailbox: archive,
        },
    ]);
    let renamed = Write::PutMailbox(posthorn_store::NewMailbox {
        id: attic,
        account: fixture.account,
        name: posthorn_model::MailboxName::local("Loft"),
        delimiter: Some('/'),
        special_use: None,
        selectable: true,
        subscribed: true,
        local: true,
    });
    fixture.apply(vec![renamed]);
    let before = marks(&fixture.store);
    assert_eq!(before.len(), 4);
    let dir = close(fixture);
    std::fs::remove_file(dir.path().join("index.sqlite")).unwrap();
    let store = Store::open(dir.path()).unwrap();
    wait(store.rebuild(Arc::new(parse))).unwrap();
    assert_eq!(marks(&store), before);
}
