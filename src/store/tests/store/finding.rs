//! Search finds what it should, whatever is typed.

use std::sync::Arc;

use posthorn_model::{Flag, Flags, Hash, MessageId, Protocol};
use posthorn_store::write::NewBody;
use posthorn_store::{TextOf, Typing, Write};
use proptest::prelude::*;

use super::support::{Fixture, body, envelope, place, raw, text_of, wait};

fn filled() -> Fixture {
    let fixture = Fixture::new(Protocol::Imap);
    let texts = [
        (
            "the budget meeting is on Monday, attached please find",
            Flags::default(),
        ),
        ("Zwölf Boxkämpfer, café, naïve", Flags::default().with(Flag::Seen)),
        ("東京都の天気は晴れです", Flags::default()),
        (
            "meetings; foo@example.org wrote: re-send",
            Flags::default().with(Flag::Flagged),
        ),
    ];
    for (number, (text, flags)) in (0_u8..).zip(texts) {
        let date = 1_700_000_000 + i64::from(number);
        let mut message = fixture.new_message(date, &format!("{number}@x"), &[]);
        let id = message.id;
        message.body = Some(body(
            id,
            b"",
            Hash([number; 32]),
            envelope(date, &format!("{number}@x"), &[]),
            text,
        ));
        fixture.apply(vec![
            Write::AddMessage(Box::new(message)),
            place(id, fixture.inbox, None, flags),
        ]);
    }
    assert_eq!(
        wait(fixture.store.coverage()).unwrap().pending,
        0,
        "whole mail is found at once"
    );
    fixture
}

/// Numbers of the messages found, newest first.
fn find(fixture: &Fixture, query: &str, typing: Typing) -> Vec<i64> {
    let hits = wait(fixture.store.search(query, typing, 10)).unwrap();
    assert_eq!(hits.total, hits.rows.len() as u64);
    hits.rows.iter().map(|row| row.date.0 - 1_700_000_000).collect()
}

#[test]
fn finds_words_phrases_and_scripts() {
    let fixture = filled();
    let check = |query: &str, expect: &[i64]| {
        assert_eq!(find(&fixture, query, Typing::Finished), expect, "{query}");
    };
    check("meeting", &[0]);
    check("meet*", &[3, 0]);
    check("MEETING budget", &[0]);
    check("meeting -monday", &[]);
    check("\"attached please\"", &[0]);
    check("\"please attached\"", &[]);
    check("zwolf cafe", &[1]);
    check("京都", &[2]);
    check("東京都の", &[2]);
    check("都京", &[]);
    check("晴", &[2]);
    check("です", &[2]);
    check("す", &[2]);
    check("foo@example.org", &[3]);
    check("from:anna", &[3, 2, 1, 0]);
    check("from:bert", &[]);
    check("to:bert meeting", &[0]);
    check("subject:meeting", &[]);
    check("is:unread", &[3, 2, 0]);
    check("is:flagged", &[3]);
    check("is:read cafe", &[1]);
    check("has:attachment", &[]);
    check("after:2023-11-14 meeting", &[0]);
    check("before:2023-11-14 meeting", &[]);
    check("", &[]);
    check("\" OR ) NEAR(", &[]);
    assert_eq!(find(&fixture, "budget meet", Typing::Unfinished), [0]);
    assert_eq!(find(&fixture, "budget meet", Typing::Finished), [0_i64; 0]);
}

#[test]
fn says_how_much_it_covers() {
    let fixture = filled();
    fixture.add(1_700_000_050, "late@x", &[]);
    let coverage = wait(fixture.store.coverage()).unwrap();
    assert_eq!(
        (coverage.messages, coverage.bodies_indexed, coverage.pending),
        (5, 4, 1)
    );
    assert_eq!(find(&fixture, "late", Typing::Finished), [0_i64; 0]);
    wait(fixture.store.index_pending(100, text_of())).unwrap();
    assert_eq!(find(&fixture, "late", Typing::Finished), [50]);
}

/// Thirty whole messages in one batch, of which nobody has read what is searched; the bytes of the first are lost.
fn flood(fixture: &Fixture) -> Vec<MessageId> {
    let texts: Vec<String> = (0..30).map(|number| format!("word{number} of a flood")).collect();
    let inputs = texts.iter().skip(1);
    let inputs = inputs.map(|text| raw(fixture.account, None, text.as_bytes()));
    let mut hashes = wait(fixture.store.keep_raw(inputs.collect())).unwrap();
    hashes.insert(0, Hash([7; 32]));
    let mut writes = Vec::new();
    let mut ids = Vec::new();
    for ((number, text), hash) in (0_i64..).zip(&texts).zip(hashes) {
        let date = 1_700_000_100 + number;
        let mut message = fixture.new_message(date, &format!("flood{number}@x"), &[]);
        let known = message.envelope.clone();
        message.body = Some(NewBody {
            index_text: None,
            ..body(message.id, text.as_bytes(), hash, known, text)
        });
        ids.push(message.id);
        writes.push(place(message.id, fixture.inbox, None, Flags::default()));
        writes.insert(0, Write::AddMessage(Box::new(message)));
    }
    fixture.apply(writes);
    ids
}

#[test]
fn a_flood_is_listed_first_and_found_later() {
    let fixture = Fixture::new(Protocol::Imap);
    let ids = flood(&fixture);
    let coverage = wait(fixture.store.coverage()).unwrap();
    assert_eq!(
        (coverage.messages, coverage.bodies_indexed, coverage.pending),
        (30, 0, 30)
    );
    assert_eq!(find(&fixture, "flood", Typing::Finished), [0_i64; 0]);
    // One that goes meanwhile is not waited for.
    fixture.apply(vec![Write::Unplace {
        message: ids[10],
        mailbox: fixture.inbox,
    }]);
    // Newest first.
    assert_eq!(wait(fixture.store.index_pending(3, text_of())).unwrap(), 3);
    assert_eq!(find(&fixture, "flood", Typing::Finished), [129, 128, 127]);
    while wait(fixture.store.index_pending(10, text_of())).unwrap() > 0 {}
    assert_eq!(find(&fixture, "word11", Typing::Finished), [111]);
    assert_eq!(find(&fixture, "word10", Typing::Finished), [0_i64; 0]);
    // What cannot be read back is found by its headers, and holds up nothing.
    assert_eq!(find(&fixture, "word0", Typing::Finished), [0_i64; 0]);
    assert_eq!(find(&fixture, "subject:flood0", Typing::Finished), [100]);
    let coverage = wait(fixture.store.coverage()).unwrap();
    assert_eq!((coverage.bodies_indexed, coverage.pending), (29, 0));
}

#[test]
fn much_text_is_indexed_by_the_megabyte() {
    let fixture = Fixture::new(Protocol::Imap);
    flood(&fixture);
    let long: TextOf =
        Arc::new(|raw| format!("{} {}", String::from_utf8_lossy(raw), "long ".repeat(120_000)));
    assert_eq!(
        wait(fixture.store.index_pending(10, Arc::clone(&long))).unwrap(),
        2
    );
    assert_eq!(find(&fixture, "flood", Typing::Finished), [129, 128]);
    while wait(fixture.store.index_pending(10, Arc::clone(&long))).unwrap() > 0 {}
    assert_eq!(find(&fixture, "word11", Typing::Finished), [111]);
}

proptest! {
    #![proptest_config(ProptestConfig { cases: 300, failure_persistence: None, ..ProptestConfig::default() })]
    #[test]
    fn no_input_is_a_syntax_error(query in "(\\PC|[\"*:^(){}+\\-日本ab \0]|OR|AND|NOT|NEAR){0,24}", open: bool) {
        thread_local! {
            static FIXTURE: Fixture = filled();
        }
        let typing = if open { Typing::Unfinished } else { Typing::Finished };
        FIXTURE.with(|fixture| wait(fixture.store.search(&query, typing, 10))).unwrap();
    }
}
