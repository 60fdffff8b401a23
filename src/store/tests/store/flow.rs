//! Mail comes in, is listed, read, flagged, moved and removed.

use posthorn_model::query::{PageStart, View};
use posthorn_model::{Address, BodyState, Flag, FlagChange, Flags, MailboxId, Protocol};
use posthorn_store::{Durability, Error, Store, Typing, Write};

use super::support::{Fixture, body, envelope, place, raw, text_of, wait};

#[test]
fn mail_is_listed_read_and_moved() {
    let fixture = Fixture::new(Protocol::Imap);
    let (store, inbox) = (&fixture.store, fixture.inbox);
    let archive = fixture.add_mailbox("Archive");
    let old = fixture.add(1_600_000_000, "a@x", &[]);
    let new = fixture.add(1_700_000_000, "b@x", &["a@x"]);

    let page = wait(store.page(View::Mailbox(inbox), PageStart::Newest, 10)).unwrap();
    let ids: Vec<_> = page.rows.iter().map(|row| row.message).collect();
    assert_eq!(
        (ids, page.first, page.total, page.next),
        (vec![new, old], 0, 2, None)
    );
    assert_eq!(page.rows[0].thread_count, 2);
    assert_eq!(page.rows[0].thread, page.rows[1].thread);
    assert_eq!(page.rows[0].body, BodyState::Headers);
    assert_eq!(page.rows[0].from[0].email, "anna@example.org");

    let bytes = b"Subject: hello\r\n\r\nworld\r\n";
    let hash = wait(store.keep_raw(vec![raw(fixture.account, Some(3), bytes)])).unwrap()[0];
    assert_eq!(wait(store.verify_raw(vec![hash])).unwrap(), [true]);
    let text = body(new, bytes, hash, envelope(1, "b@x", &["a@x"]), "world of horses");
    let changes = fixture.apply(vec![Write::SetBody(Box::new(text))]);
    assert!(changes.mailboxes.contains(&inbox));
    let record = wait(store.message(new)).unwrap().unwrap();
    assert_eq!(record.hash, Some(hash));
    assert_eq!(wait(store.raw(hash)).unwrap().unwrap(), bytes);

    assert_eq!(
        wait(store.index_pending(10, text_of())).unwrap(),
        1,
        "the one of which only the headers are here"
    );
    assert_eq!(wait(store.index_pending(10, text_of())).unwrap(), 0);
    let hits = wait(store.search("horses", Typing::Finished, 10)).unwrap();
    assert_eq!((hits.total, hits.rows[0].message), (1, new));
    assert_eq!((hits.coverage.messages, hits.coverage.bodies_indexed), (2, 1));

    fixture.apply(vec![
        Write::ChangeFlags {
            message: new,
            mailbox: inbox,
            change: FlagChange::adding(Flag::Seen),
        },
        Write::Unplace {
            message: old,
            mailbox: inbox,
        },
        place(old, archive, None, Flags::default()),
    ]);
    let counts = |mailbox| {
        let counts = wait(store.counts(View::Mailbox(mailbox))).unwrap();
        (counts.total, counts.unread)
    };
    assert_eq!((counts(inbox), counts(archive)), ((1, 0), (1, 1)));

    fixture.apply(vec![Write::Unplace {
        message: new,
        mailbox: inbox,
    }]);
    assert_eq!(wait(store.message(new)).unwrap(), None);
    assert_eq!(
        wait(store.search("horses", Typing::Finished, 10)).unwrap().total,
        0
    );
    assert!(
        wait(store.raw(hash)).unwrap().is_some(),
        "a write removed raw bytes"
    );
    fixture.check();
}

#[test]
fn a_failing_batch_changes_nothing() {
    let fixture = Fixture::new(Protocol::Imap);
    let message = fixture.new_message(5, "x@x", &[]);
    let id = message.id;
    let writes = vec![
        Write::AddMessage(Box::new(message)),
        place(id, fixture.inbox, Some(1), Flags::default()),
        place(id, MailboxId(999), Some(1), Flags::default()),
    ];
    let error = wait(fixture.store.apply(writes, Durability::Full)).unwrap_err();
    assert!(matches!(error, Error::Missing(_)), "{error:?}");
    assert_eq!(wait(fixture.store.message(id)).unwrap(), None);
    fixture.check();
}

#[test]
fn a_batch_counts_what_it_adds_once_whatever_it_does_with_it() {
    let fixture = Fixture::new(Protocol::Imap);
    let (inbox, archive) = (fixture.inbox, fixture.add_mailbox("Archive"));
    let counts = |mailbox| {
        let counts = wait(fixture.store.counts(View::Mailbox(mailbox))).unwrap();
        (counts.total, counts.unread)
    };
    let [a, b, c] = ["a@x", "b@x", "c@x"].map(|id| fixture.new_message(1_700_000_000, id, &["a@x"]));
    let (first, second, third) = (a.id, b.id, c.id);
    let seen = Flags::default().with(Flag::Seen);
    fixture.apply(vec![
        Write::AddMessage(Box::new(a)),
        place(first, inbox, Some(1), Flags::default()),
        // Once more, under the UID that it has.
        place(first, inbox, Some(1), seen.clone()),
        Write::AddMessage(Box::new(b)),
        // The first loses its UID to it.
        place(second, inbox, Some(1), Flags::default()),
        // The only one of its span in the archive, and gone again.
        place(second, archive, Some(7), Flags::default()),
        Write::Unplace {
            message: second,
            mailbox: archive,
        },
        // Placed nowhere: forgotten.
        Write::AddMessage(Box::new(c)),
    ]);
    assert_eq!((counts(inbox), counts(archive)), ((2, 1), (0, 0)));
    assert_eq!(wait(fixture.store.message(third)).unwrap(), None);
    let placements = wait(fixture.store.placements_of(first)).unwrap();
    assert_eq!((placements.len(), placements[0].uid), (1, None));
    fixture.check();

    fixture.apply(vec![
        place(first, archive, Some(8), seen),
        Write::RemoveMailbox(archive),
        Write::Unplace {
            message: second,
            mailbox: inbox,
        },
    ]);
    assert_eq!(counts(inbox), (1, 0));
    fixture.check();
}

#[test]
fn reopening_shows_mail_at_once() {
    let fixture = Fixture::new(Protocol::Imap);
    let id = fixture.add(1_700_000_000, "a@x", &[]);
    wait(fixture.store.drain());
    assert!(matches!(wait(fixture.store.accounts()), Err(Error::Closed)));
    let Fixture { store, dir, .. } = fixture;
    drop(store);
    let store = Store::open(dir.path()).unwrap();
    let page = wait(store.page(View::All, PageStart::Newest, 10)).unwrap();
    assert_eq!(page.rows[0].message, id);
    assert!(store.message_id(id.date()) > id);
    let reader = Store::open_read_only(dir.path()).unwrap();
    assert_eq!(wait(reader.accounts()).unwrap().len(), 1);
    assert_eq!(
        wait(reader.apply(Vec::new(), Durability::Normal)).unwrap_err(),
        Error::ReadOnly
    );
}

#[test]
fn all_authors_are_listed_also_of_mail_from_before_they_were_noted() {
    let fixture = Fixture::new(Protocol::Imap);
    let authors = |count: usize| -> Vec<Address> {
        (0..count)
            .map(|n| Address::bare(format!("author{n}@example.org")))
            .collect()
    };
    let add = |date: i64, from: Vec<Address>| {
        let mut message = fixture.new_message(date, &format!("{date}@x"), &[]);
        message.envelope.from = from;
        let id = message.id;
        fixture.apply(vec![
            Write::AddMessage(Box::new(message)),
            place(id, fixture.inbox, None, Flags::default()),
        ]);
        id
    };
    let listed = |id| wait(fixture.store.row(id)).unwrap().unwrap().from;
    let mail: Vec<_> = [0, 1, 2, 300]
        .into_iter()
        .map(|count: usize| {
            (
                add(1_700_000_000 + i64::try_from(count).unwrap(), authors(count)),
                count,
            )
        })
        .collect();
    let check = |when: &str| {
        for (id, count) in &mail {
            assert_eq!(listed(*id), authors(50.min(*count)), "{count}, {when}");
        }
    };
    check("as they came");
    let index = rusqlite::Connection::open(fixture.dir.path().join("index.sqlite")).unwrap();
    index.execute("UPDATE message SET co_authors = NULL", []).unwrap();
    check("from before");

    // A body brings them anew, and what it says counts.
    let (two, _) = mail[2];
    let bytes = b"Subject: x\r\n\r\n";
    let hash = wait(fixture.store.keep_raw(vec![raw(fixture.account, None, bytes)])).unwrap()[0];
    let mut envelope = envelope(1, "two@x", &[]);
    envelope.from = authors(3);
    fixture.apply(vec![Write::SetBody(Box::new(body(
        two, bytes, hash, envelope, "",
    )))]);
    assert_eq!(listed(two), authors(3));

    // An envelope that is damaged costs the other names, not the list.
    index
        .execute_batch("UPDATE message SET co_authors = NULL; UPDATE message_detail SET envelope = '{';")
        .unwrap();
    assert_eq!(listed(two), authors(1));
}
