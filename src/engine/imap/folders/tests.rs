use super::*;
use posthorn_model::{AccountId, MailboxName};

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
fn removes_only_what_a_whole_list_lacks() {
    let known = [row(1, "INBOX", 50), row(2, "Old", 3), row(3, "Huge", 500)];
    let check = |what: &str, names: &[&str], busy: &[i64], accepted, remove: &[i64], suspicious: bool| {
        let listed: Vec<_> = names.iter().map(|name| listed(name, None)).collect();
        let busy: Vec<_> = busy.iter().map(|id| MailboxId(*id)).collect();
        let plan = plan(&known, &listed, &busy, accepted);
        assert_eq!(
            plan.remove,
            remove.iter().map(|id| MailboxId(*id)).collect::<Vec<_>>(),
            "{what}"
        );
        assert_eq!(plan.suspicion.is_some(), suspicious, "{what}");
    };
    check("all there", &["INBOX", "Old", "Huge"], &[], false, &[], false);
    check("a small one went", &["INBOX", "Huge"], &[], false, &[2], false);
    check("it is spoken of", &["INBOX", "Huge"], &[2], false, &[], false);
    check("a large one went", &["INBOX", "Old"], &[], false, &[], true);
    check("the user said yes", &["INBOX", "Old"], &[], true, &[3], false);
    check("an empty list", &[], &[], true, &[], false);
    check("no inbox in it", &["Old"], &[], true, &[], false);
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
        false,
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
    let plan = plan(&known, &[listed("INBOX", None), work], &[], false);
    let put: Vec<_> = plan
        .put
        .iter()
        .map(|(id, mailbox)| (*id, mailbox.subscribed))
        .collect();
    assert_eq!(put, [(Some(MailboxId(2)), false)]);
}
