//! Large messages in pieces, from servers that do it well, badly and not at all.

use super::extensions::{end, greeted};
use crate::imap::*;
use crate::{Error, Payload};
use posthorn_model::ErrorClass;
use std::fmt::Write;

const MIB: usize = 1 << 20;

/// Bytes that differ everywhere, without a line end.
fn bytes(from: usize, count: usize) -> String {
    let letters = b"abcdefghijklmnopqrstuvwxyz";
    (from..from + count)
        .map(|at| char::from(letters[at * 31 / 7 % 26]))
        .collect()
}

/// A command for a piece, with its tag.
fn asked(tag: u32, from: usize) -> String {
    format!("C: A{tag:04} UID FETCH 7 (UID BODY.PEEK[]<{from}.{MIB}>)\n")
}

fn answer(tag: u32, from: usize, piece: &str) -> String {
    format!(
        "S: * 1 FETCH (UID 7 BODY[]<{from}> {{{}}}\nS: {piece})\nS: A{tag:04} OK\n",
        piece.len()
    )
}

async fn fetch(dir: &std::path::Path, size: usize, script: &str) -> Result<Option<Vec<u8>>, Error> {
    let (mut session, player) = greeted("hi", "IMAP4rev1", &[], script).await;
    let mut part = PartialBody::open(dir, "7").expect("a part");
    let uid = Uid::new(7).expect("not 0");
    let fetched = session.fetch_large(uid, size as u64, &mut part).await;
    drop(part);
    match &fetched {
        Ok(_) => end(session, player).await,
        Err(_) => drop(session),
    }
    Ok(fetched?.map(|payload: Payload| payload.into_bytes().expect("bytes")))
}

fn held(dir: &std::path::Path) -> u64 {
    let part = PartialBody::open(dir, "7").expect("a part");
    part.len()
}

#[tokio::test]
async fn pieces_make_the_message() {
    let dir = tempfile::tempdir().expect("a folder");
    let size = 2 * MIB + 10;
    let script = asked(2, 0)
        + &asked(3, MIB)
        + &answer(2, 0, &bytes(0, MIB))
        + &asked(4, 2 * MIB)
        + &answer(3, MIB, &bytes(MIB, MIB))
        + &answer(4, 2 * MIB, &bytes(2 * MIB, 10));
    let got = fetch(dir.path(), size, &script).await.expect("fetched");
    assert!(got.expect("there") == bytes(0, size).as_bytes());
    assert_eq!(held(dir.path()), 0, "taken and removed");
}

/// The connection is lost in the middle of the second piece; the next one asks for the rest, and compares.
#[tokio::test]
async fn a_lost_connection_costs_nothing_that_was_there() {
    let dir = tempfile::tempdir().expect("a folder");
    let size = MIB + 10;
    let script = asked(2, 0)
        + &asked(3, MIB)
        + &answer(2, 0, &bytes(0, MIB))
        + "S: * 1 FETCH (UID 7 BODY[]<1048576> {10}\nS+ abc\n-- close";
    let error = fetch(dir.path(), size, &script).await.expect_err("lost");
    assert_eq!(error.class, ErrorClass::Network);
    assert_eq!(held(dir.path()), MIB as u64);
    let from = MIB - (64 << 10);
    let rest = bytes(from, size - from);
    let script = asked(2, from) + &answer(2, from, &rest);
    let got = fetch(dir.path(), size, &script).await.expect("fetched");
    assert!(got.expect("there") == bytes(0, size).as_bytes());
}

/// What is here is not what the server has: it is thrown away.
#[tokio::test]
async fn a_part_of_another_message_is_not_gone_on_with() {
    let dir = tempfile::tempdir().expect("a folder");
    let part = PartialBody::open(dir.path(), "7").expect("a part");
    drop(part);
    let file = std::fs::read_dir(dir.path())
        .expect("dir")
        .next()
        .expect("a file")
        .expect("a file");
    std::fs::write(file.path(), vec![0; 100_000]).expect("a part");
    let from = 100_000 - (64 << 10);
    let whole = bytes(0, 200_000);
    let script = asked(2, from)
        + &answer(2, from, &bytes(from, whole.len() - from))
        + &asked(3, 0)
        + &answer(3, 0, &whole);
    let got = fetch(dir.path(), whole.len(), &script).await.expect("fetched");
    assert!(got.expect("there") == whole.as_bytes());
}

#[tokio::test]
async fn the_end_is_where_the_server_has_no_more() {
    let check = async |what: &str, size: usize, script: String, expect: Option<usize>| {
        let dir = tempfile::tempdir().expect("a folder");
        let got = fetch(dir.path(), size, &script).await.expect(what);
        assert!(got == expect.map(|count| bytes(0, count).into_bytes()), "{what}");
    };
    let nothing = |tag: u32| format!("S: A{tag:04} OK\n");
    let no = |tag: u32| format!("S: A{tag:04} NO beyond the end\n");
    let nil = |tag: u32| format!("S: * 1 FETCH (UID 7 BODY[] NIL)\nS: A{tag:04} OK\n");
    let first = || asked(2, 0) + &answer(2, 0, &bytes(0, 100));
    check("the announced size", 100, first(), Some(100)).await;
    check(
        "announced too large",
        300,
        first() + &asked(3, 100) + &answer(3, 100, ""),
        Some(100),
    )
    .await;
    let more =
        first() + &asked(3, 100) + &answer(3, 100, &bytes(100, 50)) + &asked(4, 150) + &answer(4, 150, "");
    check("announced too small", 70, more.clone(), Some(150)).await;
    check("size unknown", 0, more, Some(150)).await;
    let exact = || asked(2, 0) + &answer(2, 0, &bytes(0, MIB)) + &asked(3, MIB);
    check("exact, then empty", MIB, exact() + &answer(3, MIB, ""), Some(MIB)).await;
    check("exact, then nothing", MIB, exact() + &nothing(3), Some(MIB)).await;
    check("exact, then NO", MIB, exact() + &no(3), Some(MIB)).await;
    check("exact, then NIL", MIB, exact() + &nil(3), Some(MIB)).await;
    check("not there", 100, asked(2, 0) + &nothing(2), None).await;
    check("NIL", 100, asked(2, 0) + &nil(2), None).await;
    check(
        "expunged meanwhile",
        300,
        first() + &asked(3, 100) + &nothing(3),
        None,
    )
    .await;
    check(
        "empty where it is not",
        100,
        asked(2, 0) + &answer(2, 0, ""),
        None,
    )
    .await;
}

#[tokio::test]
async fn a_server_that_knows_no_pieces_sends_the_whole() {
    let dir = tempfile::tempdir().expect("a folder");
    let size = MIB + 10;
    let whole = bytes(0, size);
    let mut script = asked(2, 0) + &asked(3, MIB);
    for tag in [2, 3] {
        write!(
            script,
            "S: * 1 FETCH (UID 7 BODY[] {{{size}}}\nS: {whole})\nS: A{tag:04} OK\n"
        )
        .expect("a string");
    }
    let got = fetch(dir.path(), size, &script).await.expect("fetched");
    assert!(got.expect("there") == whole.as_bytes());
}

#[tokio::test]
async fn lies_end_in_an_error() {
    let check = async |what: &str, size: usize, script: String| {
        let dir = tempfile::tempdir().expect("a folder");
        let error = fetch(dir.path(), size, &script).await.expect_err(what);
        assert_eq!(error.class, ErrorClass::Protocol, "{what}: {error}");
    };
    // Too much for a place in the middle, twice.
    let long = bytes(0, MIB + 1);
    let lie = |tag: u32| {
        asked(tag, 0) + &answer(tag, 0, &bytes(0, 10)) + &asked(tag + 1, 10) + &answer(tag + 1, 10, &long)
    };
    check("longer than asked", 300, lie(2) + &lie(4)).await;
    let drip = |tag: u32| -> String {
        (0..17)
            .map(|n| asked(tag + n, n as usize) + &answer(tag + n, n as usize, "a"))
            .collect()
    };
    check("a byte at a time", 300, drip(2) + &drip(19)).await;
    check("BAD", 300, asked(2, 0) + "S: A0002 BAD what?").await;
    check(
        "more than can be",
        300,
        asked(2, 0) + "S: * 1 FETCH (UID 7 BODY[]<0> {99999999999}",
    )
    .await;
}

#[test]
fn old_parts_are_swept_away() {
    let dir = tempfile::tempdir().expect("a folder");
    drop(PartialBody::open(dir.path(), "a").expect("a part"));
    std::fs::write(dir.path().join("other"), "x").expect("another file");
    PartialBody::sweep(dir.path(), Duration::from_secs(3600)).expect("swept");
    assert_eq!(std::fs::read_dir(dir.path()).expect("dir").count(), 2);
    PartialBody::sweep(dir.path(), Duration::ZERO).expect("swept");
    assert_eq!(std::fs::read_dir(dir.path()).expect("dir").count(), 1);
    PartialBody::sweep(&dir.path().join("nowhere"), Duration::ZERO).expect("nothing to sweep");
    let part = PartialBody::open(dir.path(), "b").expect("a part");
    part.discard().expect("discarded");
    assert_eq!(std::fs::read_dir(dir.path()).expect("dir").count(), 1);
}
