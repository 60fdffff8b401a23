//! Threads, ledgers, operations, submissions, settings, UIDs: what is written reads back.

use posthorn_model::operation::Target;
use posthorn_model::query::{PageStart, View};
use posthorn_model::{
    Flag, FlagChange, Flags, Hash, LedgerRow, LedgerState, ModSeq, Operation, OperationKind, OperationState,
    Protocol, SubmissionState, SyncState, Timestamp, Uid, UidSet, UidValidity, Uidl,
};
use posthorn_store::{Amount, NewSubmission, Scope, Write};

use super::support::{Fixture, body, envelope, place, text_of, wait};

#[test]
fn threads_join_when_the_missing_link_arrives() {
    let fixture = Fixture::new(Protocol::Imap);
    let thread = |id| wait(fixture.store.message(id)).unwrap().unwrap().thread;
    let a = fixture.add(1, "a@x", &[]);
    let c = fixture.add(3, "c@x", &["b@x"]);
    let d = fixture.add(4, "d@x", &["b@x", "c@x"]);
    let lone = fixture.add(5, "e@x", &["z@x"]);
    assert_ne!(thread(a), thread(c));
    assert_eq!(thread(c), thread(d));
    let b = fixture.new_message(2, "b@x", &["a@x"]);
    let (b, from) = (b.id, (b, thread(a)));
    let changes = fixture.apply(vec![
        Write::AddMessage(Box::new(from.0)),
        place(b, fixture.inbox, None, Flags::default()),
    ]);
    assert_eq!(changes.threads_gone.into_iter().collect::<Vec<_>>(), [from.1]);
    let rows = wait(fixture.store.thread(thread(b))).unwrap();
    assert_eq!(
        rows.iter().map(|row| row.message).collect::<Vec<_>>(),
        [a, b, c, d]
    );
    assert_eq!(rows[0].thread_count, 4);
    assert_ne!(thread(lone), thread(b));
    let found = wait(
        fixture
            .store
            .find_by_message_id(fixture.account, &posthorn_model::InternetMessageId("c@x".into())),
    );
    assert_eq!(found.unwrap(), [(c, 100, Timestamp(3))]);
    // A body may bring references that the first look did not.
    let late = body(lone, b"raw", Hash([1; 32]), envelope(5, "e@x", &["d@x"]), "text");
    fixture.apply(vec![Write::SetBody(Box::new(late))]);
    assert_eq!(thread(lone), thread(a));
    assert_eq!(wait(fixture.store.thread(thread(a))).unwrap().len(), 5);
}

#[test]
fn a_ledger_row_outlives_its_message() {
    let fixture = Fixture::new(Protocol::Pop3);
    let id = fixture.add(1, "a@x", &[]);
    let row = LedgerRow {
        uidl: Uidl(vec![0, 255, b'a']),
        size: Some(10),
        first_seen: Timestamp(5),
        downloaded_at: Some(Timestamp(6)),
        hash: Some(Hash([7; 32])),
        header_hash: Some(Hash([8; 32])),
        served: Some(11),
        message: Some(id),
        state: LedgerState::Downloaded,
        wanted: true,
        changed_at: Timestamp(6),
        verified_at: Some(Timestamp(7)),
        asked_at: Some(Timestamp(8)),
        reason: "why".into(),
        reply: "+OK".into(),
    };
    let put = |row: &LedgerRow| Write::PutLedger {
        account: fixture.account,
        row: Box::new(row.clone()),
    };
    assert!(fixture.apply(vec![put(&row)]).ledger);
    assert_eq!(
        wait(fixture.store.ledger(fixture.account)).unwrap(),
        std::slice::from_ref(&row)
    );
    let listed = wait(fixture.store.row(id)).unwrap().unwrap();
    let mark = listed.ledger.unwrap();
    assert_eq!(
        (mark.state, mark.downloaded_at),
        (LedgerState::Downloaded, Some(Timestamp(6)))
    );
    fixture.apply(vec![Write::Unplace {
        message: id,
        mailbox: fixture.inbox,
    }]);
    let gone = LedgerRow {
        message: None,
        ..row.clone()
    };
    assert_eq!(
        wait(fixture.store.ledger(fixture.account)).unwrap(),
        std::slice::from_ref(&gone)
    );
    // Told again about a message that is not here: the row is kept, without it.
    fixture.apply(vec![put(&row)]);
    assert_eq!(wait(fixture.store.ledger(fixture.account)).unwrap(), [gone]);
    fixture.check();
}

#[test]
fn operations_and_submissions_read_back() {
    let fixture = Fixture::new(Protocol::Imap);
    let store = &fixture.store;
    let message = fixture.add(1, "a@x", &[]);
    let mut operation = Operation {
        id: store.new_operation_id(),
        account: fixture.account,
        mailbox: fixture.inbox,
        uid_validity: UidValidity::new(3),
        targets: vec![Target {
            message,
            uid: Uid::new(4),
            before: Flags::default().with(Flag::Flagged),
            message_id: None,
            size: None,
        }],
        kind: OperationKind::SetFlags {
            change: FlagChange::adding(Flag::Seen),
        },
        state: OperationState::Queued,
        created: Timestamp(9),
        intent: 77,
        tries: 0,
        reply: String::new(),
    };
    fixture.apply(vec![Write::AddOperation(Box::new(operation.clone()))]);
    assert_eq!(wait(store.operations(None)).unwrap(), [operation.clone()]);
    (operation.state, operation.tries, operation.reply) = (OperationState::Held, 2, "NO".into());
    fixture.apply(vec![Write::SetOperation {
        id: operation.id,
        state: OperationState::Held,
        tries: 2,
        reply: "NO".into(),
    }]);
    assert_eq!(
        wait(store.operations(Some(fixture.account))).unwrap(),
        [operation.clone()]
    );
    fixture.apply(vec![Write::RemoveOperation(operation.id)]);
    assert!(wait(store.operations(None)).unwrap().is_empty());
    assert!(store.new_operation_id() > operation.id);

    let hash = wait(store.keep_raw(vec![super::support::raw(fixture.account, None, b"to send")])).unwrap()[0];
    let new = NewSubmission {
        id: store.new_submission_id(),
        account: fixture.account,
        hash,
        copy: None,
        message_id: "s@x".into(),
        subject: "hi".into(),
        from: "a@x".into(),
        to: vec!["b@x".into(), "c@x".into()],
        created: Timestamp(4),
        not_before: Some(Timestamp(9)),
    };
    fixture.apply(vec![Write::AddSubmission(Box::new(new.clone()))]);
    let found = wait(store.submission(new.id)).unwrap().unwrap();
    assert_eq!(
        (found.state, &found.to, found.not_before),
        (SubmissionState::Queued, &new.to, new.not_before)
    );
    fixture.apply(vec![Write::SetSubmission {
        id: new.id,
        state: SubmissionState::Uncertain,
        reply: "lost".into(),
        tries: 1,
        not_before: None,
    }]);
    let found = wait(store.submissions()).unwrap();
    assert_eq!(
        (found[0].state, found[0].tries, found[0].reply.as_str()),
        (SubmissionState::Uncertain, 1, "lost")
    );
    fixture.check();
}

#[test]
fn uids_sync_states_and_settings_read_back() {
    let fixture = Fixture::new(Protocol::Imap);
    let (store, inbox) = (&fixture.store, fixture.inbox);
    let (a, b) = (fixture.add(1, "a@x", &[]), fixture.add(2, "b@x", &[]));
    let mut flags = Flags::default().with(Flag::Seen);
    flags.insert_named("$Junk");
    fixture.apply(vec![
        place(a, inbox, Some(5), Flags::default()),
        place(b, inbox, Some(5), flags.clone()),
        Write::SetUid {
            message: a,
            mailbox: inbox,
            uid: Uid::new(6),
        },
        Write::SetFlags {
            message: a,
            mailbox: inbox,
            flags: flags.clone(),
            base: Flags::default(),
        },
    ]);
    assert_eq!(wait(store.uids(inbox)).unwrap(), UidSet::parse("5:6").unwrap());
    let found = wait(store.placement_by_uid(inbox, Uid::new(5).unwrap()))
        .unwrap()
        .unwrap();
    assert_eq!((found.message, &found.flags), (b, &flags));
    let all = wait(store.placements_in(inbox)).unwrap();
    assert_eq!(
        (all[1].message, all[1].flags(), all[1].base()),
        (a, flags, Flags::default())
    );
    assert_eq!(
        wait(store.placements_by_uids(inbox, &UidSet::parse("1:5").unwrap()))
            .unwrap()
            .len(),
        1
    );
    let missing = wait(store.messages_without_body(Scope::Mailbox(inbox), 10)).unwrap();
    assert_eq!(missing.iter().map(|one| one.message).collect::<Vec<_>>(), [b, a]);
    let missing = wait(store.messages_without_body(Scope::Account(fixture.account), 1)).unwrap();
    assert_eq!((missing[0].message, missing[0].uid), (b, Uid::new(5)));

    let state = SyncState {
        uid_validity: UidValidity::new(4_000_000_000).unwrap(),
        uid_next: 4_000_000_001,
        highest_modseq: Some(ModSeq(1 << 62)),
    };
    fixture.apply(vec![Write::SetSyncState {
        mailbox: inbox,
        state: Some(state),
    }]);
    assert_eq!(wait(store.sync_state(inbox)).unwrap(), Some(state));
    assert_eq!(wait(store.mailbox(inbox)).unwrap().unwrap().sync, Some(state));
    fixture.apply(vec![Write::SetSyncState {
        mailbox: inbox,
        state: None,
    }]);
    assert_eq!(wait(store.sync_state(inbox)).unwrap(), None);

    fixture.apply(vec![Write::PutSetting {
        key: "theme".into(),
        value: Some("dark".into()),
    }]);
    assert_eq!(wait(store.setting("theme")).unwrap().as_deref(), Some("dark"));
    fixture.apply(vec![Write::PutSetting {
        key: "theme".into(),
        value: None,
    }]);
    assert!(wait(store.settings()).unwrap().is_empty());

    let both = wait(store.whereabouts(fixture.account)).unwrap();
    assert_eq!(
        both.headers_only,
        Amount {
            messages: 2,
            bytes: 200
        }
    );
    assert_eq!(both.both, Amount::default());
}

#[test]
fn a_removed_account_leaves_nothing_in_the_lists() {
    let fixture = Fixture::new(Protocol::Imap);
    let store = &fixture.store;
    fixture.add(1, "a@x", &[]);
    fixture.add(2, "b@x", &["a@x"]);
    wait(store.index_pending(10, text_of())).unwrap();
    fixture.apply(vec![Write::RemoveAccount(fixture.account)]);
    let page = wait(store.page(View::All, PageStart::Newest, 10)).unwrap();
    assert_eq!((page.rows.len(), page.total), (0, 0));
    assert!(wait(store.mailboxes(None)).unwrap().is_empty());
    assert!(store.new_account_id() > fixture.account);
    fixture.check();
}
