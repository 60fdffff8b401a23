//! Whole messages by TOP, and what follows where TOP does not show them whole.

use super::*;

/// A server that pipelines and says these lines, of which messages are asked by TOP; sizes are LIST's.
async fn check(greeting: &[u8], sizes: &[Option<u64>], lines: &[(&str, &[u8])], kept: Kept, found: &[Quirk]) {
    let (near, far) = tokio::io::duplex(1 << 20);
    let login: [(&str, &[u8]); 4] = [("CAPA", CAPA), LOGIN[1], LOGIN[2], ("CAPA", CAPA)];
    tokio::spawn(serve(far, script(&[&login[..], lines].concat()), false));
    let mut channel = Channel::over(near, "pop.example.org");
    channel.set_greeting(greeting.to_vec());
    let wishes = Wishes {
        by_top: true,
        ..Wishes::default()
    };
    let mut session = Session::begin(channel, (995, wishes), &alice(), place())
        .await
        .expect("login");
    let numbers: Vec<_> = (1..).map(MsgNo).zip(sizes.iter().copied()).collect();
    assert_eq!(
        retrieve_sized(&mut session, &numbers).await,
        (kept, Ok(())),
        "{lines:?}"
    );
    assert_eq!(
        session.quirks().iter().copied().collect::<Vec<_>>(),
        found,
        "{lines:?}"
    );
}

const OK: &[u8] = b"+OK\r\n";
const MESSAGE: &[u8] = b"a: b\r\n\r\nc\r\n";
const SERVED: &[u8] = b"+OK\r\na: b\r\n\r\nc\r\n.\r\n";
const WITH_A_LINE_MORE: &[u8] = b"+OK\r\na: b\r\n\r\nc\r\n\r\n.\r\n";
const HEADER_ONLY: &[u8] = b"+OK\r\na: b\r\n\r\n.\r\n";
const SIZE: Option<u64> = Some(11);

#[tokio::test]
async fn the_first_alone_and_then_many() {
    check(
        b"+OK hello\r\n",
        &[SIZE; 3],
        &[
            ("TOP 1 99999999", SERVED),
            ("TOP 2 99999999", WITH_A_LINE_MORE),
            ("TOP 3 99999999", SERVED),
            ("NOOP", OK),
        ],
        vec![(1, ok(MESSAGE)), (2, ok(MESSAGE)), (3, ok(MESSAGE))],
        &[],
    )
    .await;
    check(
        b"+OK hello\r\n",
        &[SIZE],
        &[("TOP 1 99999999", SERVED), ("NOOP", OK)],
        vec![(1, ok(MESSAGE))],
        &[],
    )
    .await;
}

#[tokio::test]
async fn what_top_does_not_show_whole_comes_by_retr() {
    // A part, found at the first message: one only came in vain.
    check(
        b"+OK hello\r\n",
        &[SIZE; 3],
        &[
            ("TOP 1 99999999", HEADER_ONLY),
            ("RETR 2", SERVED),
            ("RETR 3", SERVED),
            ("NOOP", OK),
            ("RETR 1", SERVED),
            ("NOOP", OK),
        ],
        vec![(2, ok(MESSAGE)), (3, ok(MESSAGE)), (1, ok(MESSAGE))],
        &[Quirk::PartialTop],
    )
    .await;
    // Refused, and found late.
    check(
        b"+OK hello\r\n",
        &[SIZE; 3],
        &[
            ("TOP 1 99999999", SERVED),
            ("TOP 2 99999999", b"-ERR too many lines\r\n"),
            ("TOP 3 99999999", SERVED),
            ("NOOP", OK),
            ("RETR 2", b"-ERR [SYS/TEMP] not now\r\n"),
            ("NOOP", OK),
        ],
        vec![(1, ok(MESSAGE)), (3, ok(MESSAGE)), (2, Err(ErrorClass::Network))],
        &[Quirk::RefusedTop],
    )
    .await;
}

#[tokio::test]
async fn retr_where_the_server_keeps_what_it_gave_or_gives_no_size() {
    let lines: [(&str, &[u8]); 2] = [("RETR 1", SERVED), ("NOOP", OK)];
    check(
        b"+OK Dovecot ready.\r\n",
        &[SIZE],
        &lines,
        vec![(1, ok(MESSAGE))],
        &[],
    )
    .await;
    check(b"+OK hello\r\n", &[None], &lines, vec![(1, ok(MESSAGE))], &[]).await;
}

/// A server whose messages end neither where their dots say nor where their size says.
async fn check_silence(served: &[u8], expect: Result<&[u8], ErrorClass>) {
    let lines: [(&str, &[u8]); 2] = [("RETR 1", served), ("LIST 1", b"+OK 1 7\r\n")];
    let mut session = session(&lines).await;
    session.expect([Quirk::WrongStuffing, Quirk::Unbounded].into());
    let (kept, _) = retrieve_sized(&mut session, &[(MsgNo(1), Some(7))]).await;
    assert_eq!(
        kept,
        [(1, expect.map(<[u8]>::to_vec))],
        "{:?}",
        served.escape_ascii().to_string()
    );
}

#[tokio::test(start_paused = true)]
async fn ends_where_the_server_falls_silent() {
    check_silence(
        b"+OK\r\nab\r\n.\r\n+OK x\r\n..\r\n.\r\n",
        Ok(b"ab\r\n.\r\n+OK x\r\n..\r\n"),
    )
    .await;
    check_silence(b"+OK\r\n.\r\n", Ok(b"")).await;
    check_silence(b"+OK\r\na\n.\n", Ok(b"a\n")).await;
    check_silence(b"+OK\r\n.a\r\n.\r\n", Ok(b".a\r\n")).await;
    // Silent in the middle.
    check_silence(b"+OK\r\nab\r\n", Err(ErrorClass::Network)).await;
}
