use posthorn_model::{AccountId, BodyState, Flags, MailboxId, MessageId, ThreadId, Timestamp, Where};

use super::*;

fn row(id: i64) -> Row {
    Row {
        message: MessageId(id),
        mailbox: MailboxId(1),
        account: AccountId(1),
        message_id: None,
        from: Vec::new(),
        to: None,
        subject: String::new(),
        preview: String::new(),
        date: Timestamp(id),
        size: 0,
        flags: Flags::default(),
        has_attachments: false,
        body: BodyState::Whole,
        thread: ThreadId(id),
        lives: Where::Both,
    }
}

fn at(id: i64) -> Cursor {
    key(&row(id))
}

/// A mailbox whose newest message is `newest`, down to 1.
fn page(newest: i64, start: PageStart, limit: u32) -> Page {
    let first = match start {
        PageStart::Newest => 0,
        PageStart::Row(row) => row,
        PageStart::Before(cursor) => u64::try_from(newest - cursor.message.0 + 1).unwrap(),
    };
    let rows: Vec<Row> = (1..=newest)
        .rev()
        .skip(usize::try_from(first).unwrap())
        .take(limit as usize)
        .map(row)
        .collect();
    let next = rows.last().filter(|last| last.message.0 > 1).map(key);
    Page {
        rows,
        first,
        total: u64::try_from(newest).unwrap(),
        next,
    }
}

/// Answers every fetch from a mailbox of `newest` messages; returns how many there were.
fn serve(listing: &mut Listing, mut fetch: Option<Fetch>, newest: i64) -> usize {
    let mut turns = 0;
    while let Some(asked) = fetch {
        turns += 1;
        fetch = listing.arrived(&asked, page(newest, asked.start, asked.limit));
    }
    turns
}

fn listing(newest: i64) -> Listing {
    let mut listing = Listing::new(Subject::View(View::All), 1);
    let fetch = listing.start();
    serve(&mut listing, fetch, newest);
    listing
}

#[test]
fn a_million_rows_cost_a_few_pages() {
    let mut list = listing(1_000_000);
    assert_eq!(list.total, 1_000_000);
    for middle in [999_990, 500_000, 3, 700_000] {
        let fetch = list.need(middle, middle + 10);
        assert_eq!(serve(&mut list, fetch, 1_000_000), 1, "{middle}");
        assert!((middle..middle + 10).all(|row| list.row(row).is_some()));
        assert!(list.rows.len() <= KEEP);
    }
}

#[test]
fn scrolling_down_continues_by_cursor() {
    let mut list = listing(10_000);
    for first in (140..3000).step_by(30) {
        let fetch = list.need(first, first + 20);
        if let Some(fetch) = &fetch {
            assert!(matches!(fetch.start, PageStart::Before(_)), "{fetch:?}");
        }
        serve(&mut list, fetch, 10_000);
        for number in first..first + 20 {
            let expect = 10_000 - i64::try_from(number).unwrap();
            assert_eq!(list.row(number).map(|row| row.message.0), Some(expect));
        }
    }
}

#[test]
fn only_one_fetch_is_on_its_way() {
    let mut list = listing(5_000);
    let first = list.need(2_000, 2_010).unwrap();
    assert_eq!(list.need(3_000, 3_010), None);
    assert_eq!(list.need(4_000, 4_010), None);
    let next = list.arrived(&first, page(5_000, first.start, first.limit));
    assert_eq!(next.map(|fetch| fetch.start), Some(PageStart::Row(3_960)));
}

#[test]
fn an_answer_for_another_list_is_dropped() {
    let mut list = Listing::new(Subject::View(View::All), 2);
    let fetch = list.start().unwrap();
    let old = Fetch { serial: 1, ..fetch };
    assert_eq!(list.arrived(&old, page(9, PageStart::Newest, 9)), None);
    assert!(!list.loaded);
}

#[test]
fn new_mail_reloads_the_same_stretch() {
    let mut list = listing(5_000);
    let fetch = list.need(2_000, 2_010);
    serve(&mut list, fetch, 5_000);
    let fetch = list.changed();
    assert!(matches!(fetch.as_ref().unwrap().start, PageStart::Row(1_960)));
    serve(&mut list, fetch, 5_003);
    assert_eq!(list.find(at(3_000)), Some(2_003));
}

#[test]
fn selects_by_click_ctrl_and_shift() {
    let mut list = listing(20);
    list.select_only(at(15));
    list.extend_to(at(12));
    assert_eq!(list.selected.len(), 4);
    list.extend_to(at(17));
    assert_eq!(list.selected, (15..=17).map(at).collect());
    list.toggle(at(3));
    list.toggle(at(16));
    assert_eq!(list.selected, [15, 17, 3].map(at).into());
    list.select_only(at(1));
    assert_eq!(list.selected, [at(1)].into());
}

#[test]
fn steps_stop_at_the_ends() {
    let mut list = listing(3);
    assert_eq!(list.step(1), Some(at(3)));
    list.select_only(at(3));
    assert_eq!(list.step(1), Some(at(2)));
    assert_eq!(list.step(9), Some(at(1)));
    assert_eq!(list.step(-1), Some(at(3)));
    assert_eq!(listing(0).step(1), None);
}

#[test]
fn after_a_deletion_the_next_row_is_taken() {
    let mut list = listing(10);
    list.selected = [8, 7].map(at).into();
    assert_eq!(list.neighbour(), Some(at(6)));
    list.selected = [2, 1].map(at).into();
    assert_eq!(list.neighbour(), Some(at(3)));
    list.select_all();
    assert_eq!(list.neighbour(), None);
}

#[test]
fn what_is_gone_is_not_selected() {
    let mut list = listing(10);
    list.select_only(at(10));
    let fetch = list.changed();
    serve(&mut list, fetch, 9);
    assert!(list.selected.is_empty());
    assert_eq!(list.cursor, None);
}
