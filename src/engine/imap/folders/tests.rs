use super::*;
use posthorn_model::{AccountId, MailboxName, SyncState, UidValidity};
use posthorn_net::imap::Status;

fn row(id: i64, name: &str, total: u64) -> MailboxRow {
    MailboxRow {
        id: MailboxId(id),
        account: AccountId(1),
        name: MailboxName::local(name),
        delimiter: Some('/'),
        special_use: (name == "INBOX").then_some(SpecialUse::Inbox),
        selectable: true,
        subscribed: true,
        local: false,
        total,
        unread: 0,
        object_id: None,
        sync: None,
    }
}

fn listed(name: &str, special_use: Option<SpecialUse>) -> ListedMailbox {
    ListedMailbox {
        name: MailboxName::local(name),
        delimiter: Some('/'),
        special_use,
        selectable: true,
        subscribed: true,
        status: None,
        mailbox_id: None,
    }
}

#[test]
fn misses_only_what_a_whole_list_lacks() {
    let known = [row(1, "INBOX", 50), row(2, "Old", 3), row(3, "Huge", 500)];
    let check = |what: &str, names: &[&str], busy: &[i64], expect: &[i64]| {
        let listed: Vec<_> = names.iter().map(|name| listed(name, None)).collect();
        let busy: Vec<_> = busy.iter().map(|id| MailboxId(*id)).collect();
        let missing = plan(&known, &listed, &busy, &[]).missing;
        let expect: Vec<_> = expect.iter().map(|id| MailboxId(*id)).collect();
        assert_eq!(missing, expect, "{what}");
    };
    check("all there", &["INBOX", "Old", "Huge"], &[], &[]);
    check("one went", &["INBOX", "Huge"], &[], &[2]);
    check("it is spoken of", &["INBOX", "Huge"], &[2], &[]);
    check("an empty list", &[], &[], &[]);
    check("no inbox in it", &["Old"], &[], &[]);
    assert_eq!(suspect_removal(&known, 3, false), None);
    assert!(suspect_removal(&known, 500, false).is_some());
    assert_eq!(suspect_removal(&known, 500, true), None, "the user said yes");
    assert_eq!(suspect_removal(&known, 0, false), None, "all is elsewhere");
}

fn numbered(mut row: MailboxRow, generation: u32, uid_next: u32) -> MailboxRow {
    row.sync = UidValidity::new(generation).map(|uid_validity| SyncState {
        uid_validity,
        uid_next,
        highest_modseq: None,
    });
    row
}

fn counted(name: &str, generation: u32, uid_next: u32, messages: u32) -> ListedMailbox {
    ListedMailbox {
        status: Some(Status {
            messages,
            uid_next: Some(uid_next),
            uid_validity: UidValidity::new(generation),
            ..Status::default()
        }),
        ..listed(name, None)
    }
}

#[test]
fn recognises_renamed_mailboxes() {
    let known = [
        row(1, "INBOX", 5),
        numbered(row(2, "Old", 3), 7, 4),
        numbered(row(3, "Other", 9), 8, 10),
    ];
    let check = |what: &str, listed: &[ListedMailbox], expect: &[(i64, &str)]| {
        let found = renames(&known, listed);
        assert!(found.iter().all(|rename| !rename.certain), "{what}");
        let found: Vec<_> = found
            .iter()
            .map(|rename| (rename.id.0, String::from_utf8_lossy(&rename.wire).into_owned()))
            .collect();
        let expect: Vec<_> = expect
            .iter()
            .map(|(id, name)| (*id, (*name).to_owned()))
            .collect();
        assert_eq!(found, expect, "{what}");
    };
    let inbox = || listed("INBOX", None);
    let other = || counted("Other", 8, 10, 9);
    check("nothing", &[inbox(), counted("Old", 7, 4, 3), other()], &[]);
    check("one", &[inbox(), counted("New", 7, 4, 3), other()], &[(2, "New")]);
    check(
        "both",
        &[inbox(), counted("A", 7, 4, 3), counted("B", 8, 10, 9)],
        &[(2, "A"), (3, "B")],
    );
    check("not alike", &[inbox(), counted("New", 7, 5, 3), other()], &[]);
    check(
        "two alike",
        &[inbox(), counted("A", 7, 4, 3), counted("B", 7, 4, 3), other()],
        &[],
    );
    check(
        "a copy",
        &[inbox(), counted("Old", 7, 4, 3), counted("A", 7, 4, 3), other()],
        &[],
    );
}

#[test]
fn believes_the_servers_own_names_for_mailboxes() {
    let named = |mut row: MailboxRow, object: &str| {
        row.object_id = Some(object.into());
        row
    };
    let listed_as = |name: &str, object: &str| ListedMailbox {
        mailbox_id: Some(object.into()),
        ..listed(name, None)
    };
    let known = [
        named(row(1, "INBOX", 5), "i"),
        named(row(2, "A", 3), "a"),
        named(row(3, "B", 3), "b"),
    ];
    let swapped = [listed_as("INBOX", "i"), listed_as("A", "b"), listed_as("B", "a")];
    let found = renames(&known, &swapped);
    let pairs: Vec<_> = found
        .iter()
        .map(|rename| (rename.id.0, rename.wire.as_slice()))
        .collect();
    assert_eq!(pairs, [(3, b"A".as_slice()), (2, b"B".as_slice())]);
    assert!(found.iter().all(|rename| rename.certain));
    let plan = plan(&known, &swapped, &[], &found);
    assert!(plan.missing.is_empty());
    let put: Vec<_> = plan
        .put
        .iter()
        .map(|(id, mailbox)| (*id, mailbox.name.path.as_str()))
        .collect();
    assert_eq!(put, [(Some(MailboxId(3)), "A"), (Some(MailboxId(2)), "B")]);
    let made_anew = [listed_as("INBOX", "i"), listed_as("A", "x"), listed_as("B", "b")];
    assert!(renames(&known, &made_anew).is_empty(), "its UIDVALIDITY tells");
}

#[test]
fn cuts_a_list_without_measure() {
    let mut all: Vec<_> = (0..MOST + 10).map(|n| listed(&format!("f{n}"), None)).collect();
    all.push(listed("INBOX", None));
    let last = format!("f{}", MOST + 9);
    assert_eq!(cut(&mut all, &[row(1, &last, 1)]), 11);
    assert_eq!(all.len(), MOST);
    assert!(all.iter().any(|mailbox| mailbox.name.is_inbox()));
    assert!(all.iter().any(|mailbox| mailbox.name.path == last));
    assert_eq!(cut(&mut all, &[]), 0);
}

#[test]
fn gives_each_purpose_once() {
    let plan = plan(
        &[],
        &[
            listed("INBOX", None),
            listed("Sent", Some(SpecialUse::Sent)),
            listed("Sent 2", Some(SpecialUse::Sent)),
            listed("Odd", Some(SpecialUse::Inbox)),
        ],
        &[],
        &[],
    );
    let purposes: Vec<_> = plan.put.iter().map(|(_, mailbox)| mailbox.special_use).collect();
    assert_eq!(
        purposes,
        [Some(SpecialUse::Inbox), Some(SpecialUse::Sent), None, None]
    );
}

#[test]
fn writes_only_what_changed() {
    let known = [row(1, "INBOX", 0), row(2, "Work", 0)];
    let mut work = listed("Work", None);
    work.subscribed = false;
    let plan = plan(&known, &[listed("INBOX", None), work], &[], &[]);
    let put: Vec<_> = plan
        .put
        .iter()
        .map(|(id, mailbox)| (*id, mailbox.subscribed))
        .collect();
    assert_eq!(put, [(Some(MailboxId(2)), false)]);
}
