use posthorn_model::{AccountId, ModSeq, SyncState, UidValidity};

use super::*;

const INBOX: MailboxId = MailboxId(1);
const LISTS: MailboxId = MailboxId(2);

fn row(id: MailboxId, path: &str) -> MailboxRow {
    MailboxRow {
        id,
        account: AccountId(1),
        name: MailboxName::local(path),
        delimiter: Some('/'),
        special_use: None,
        selectable: true,
        subscribed: true,
        local: false,
        total: 10,
        unread: 3,
        object_id: None,
        sync: Some(SyncState {
            uid_validity: UidValidity::new(7).expect("not 0"),
            uid_next: 11,
            highest_modseq: Some(ModSeq(50)),
        }),
    }
}

fn status() -> Status {
    Status {
        messages: 10,
        unseen: 3,
        uid_next: Some(11),
        uid_validity: UidValidity::new(7),
        highest_modseq: Some(ModSeq(50)),
        ..Status::default()
    }
}

fn lookout() -> Lookout {
    Lookout {
        rows: vec![row(INBOX, "INBOX"), row(LISTS, "Lists")],
        inbox: INBOX,
        told: BTreeMap::new(),
        asked: BTreeMap::new(),
        notified: true,
        cut_short: 0,
        calm: Calm::default(),
        begun: Instant::now(),
    }
}

fn some(ids: &[MailboxId]) -> Option<Extent> {
    Some(Extent::Mailboxes(ids.iter().copied().collect()))
}

fn of(path: &str, status: Option<Status>) -> News {
    News::Mailbox {
        name: MailboxName::local(path),
        status,
    }
}

#[test]
fn news_name_the_mailboxes_to_look_at() {
    let check = |news: &[News], expect: Option<Extent>| {
        assert_eq!(lookout().read(news), expect, "{news:?}");
    };
    let more = Status {
        messages: 11,
        ..status()
    };
    check(&[News::Selected], some(&[INBOX]));
    check(&[of("Lists", None)], some(&[LISTS]));
    check(&[of("Lists", None), News::Selected], some(&[INBOX, LISTS]));
    check(&[of("Lists", Some(more.clone()))], some(&[LISTS]));
    check(&[of("Lists", Some(status()))], None);
    check(&[of("Lists", Some(status())), News::Selected], some(&[INBOX]));
    check(&[of("Never seen", Some(more))], Some(Extent::All));
    check(&[News::Selected, News::Mailboxes], Some(Extent::All));
    check(&[News::Overflow], Some(Extent::All));
}

#[test]
fn a_status_is_news_where_it_says_more_than_is_here() {
    let check = |change: &dyn Fn(&mut Status, &mut MailboxRow), expect: bool| {
        let (mut told, mut here) = (status(), row(LISTS, "Lists"));
        change(&mut told, &mut here);
        assert_eq!(!is_known(&here, &told), expect, "{told:?}");
    };
    check(&|_, _| {}, false);
    check(&|told, _| told.uid_next = Some(12), true);
    check(&|told, _| told.messages = 9, true);
    check(&|told, _| told.highest_modseq = Some(ModSeq(51)), true);
    check(&|told, _| told.uid_validity = UidValidity::new(8), true);
    check(&|_, here| here.sync = None, true);
    // The modification sequence tells more than the counts.
    check(&|told, _| told.unseen = 2, false);
    // A server without them.
    check(&|told, _| told.highest_modseq = None, false);
    check(
        &|told, _| {
            told.highest_modseq = None;
            told.unseen = 2;
        },
        true,
    );
}

#[test]
fn what_was_told_once_is_told_once() {
    let mut lookout = lookout();
    let more = Status {
        unseen: 4,
        highest_modseq: None,
        ..status()
    };
    assert!(lookout.is_news(LISTS, &more));
    assert!(
        !lookout.is_news(LISTS, &more),
        "the pass found nothing to do about it"
    );
    assert!(!lookout.is_news(LISTS, &status()));
    assert!(lookout.is_news(LISTS, &more), "it changed in between");
}

#[test]
fn a_server_that_cannot_wait_is_found_out() {
    let mut lookout = lookout();
    let (meant, short) = (Duration::from_secs(1200), Duration::from_millis(1));
    lookout.heard_nothing(short, meant).expect("once");
    lookout.heard_nothing(short, meant).expect("twice");
    lookout.heard_nothing(meant, meant).expect("it waited");
    lookout.heard_nothing(short, meant).expect("once");
    lookout.heard_nothing(short, meant).expect("twice");
    lookout.heard_nothing(short, meant).expect_err("three times");
    // Nobody was meant to wait.
    for _ in 0..10 {
        lookout
            .heard_nothing(Duration::ZERO, Duration::ZERO)
            .expect("no wait");
    }
}
