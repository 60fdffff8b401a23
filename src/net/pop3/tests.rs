//! Transcripts over a duplex stream: what is said to the server, and what its answers are taken for.

use super::*;
use posthorn_model::Secret;
use std::future::Future;
use std::task::Poll;
use std::time::Duration;
use tokio::io::{AsyncBufReadExt, AsyncWriteExt, BufReader, DuplexStream};
use tokio::sync::mpsc;

mod by_top;
mod login;

/// A server that expects each command and gives its answer; after the last one it closes.
async fn serve(stream: DuplexStream, script: Vec<(String, Vec<u8>)>, then_stall: bool) {
    let mut stream = BufReader::new(stream);
    for (expected, answer) in script {
        let mut line = String::new();
        stream.read_line(&mut line).await.expect("a command");
        assert_eq!(line, format!("{expected}\r\n"));
        if stream.write_all(&answer).await.is_err() {
            return;
        }
    }
    if then_stall {
        std::future::pending::<()>().await;
    }
}

fn script(lines: &[(&str, &[u8])]) -> Vec<(String, Vec<u8>)> {
    lines
        .iter()
        .map(|(command, answer)| ((*command).to_owned(), answer.to_vec()))
        .collect()
}

const LOGIN: [(&str, &[u8]); 3] = [
    ("CAPA", b"-ERR what?\r\n"),
    ("USER alice", b"+OK\r\n"),
    ("PASS s3 cret", b"+OK\r\n"),
];
const CAPA: &[u8] = b"+OK\r\nTOP\r\nUIDL\r\nPIPELINING\r\n.\r\n";

fn alice() -> Credentials {
    Credentials::Password {
        username: "alice".into(),
        password: Secret::new("s3 cret".into()),
    }
}

fn place() -> SpoolPlace {
    SpoolPlace {
        dir: std::env::temp_dir(),
        memory_limit: 1 << 20,
    }
}

async fn begin(
    greeting: &[u8],
    credentials: &Credentials,
    lines: Vec<(String, Vec<u8>)>,
    then_stall: bool,
) -> Result<Session, Error> {
    let (near, far) = tokio::io::duplex(1 << 20);
    tokio::spawn(serve(far, lines, then_stall));
    let mut channel = Channel::over(near, "pop.example.org");
    channel.set_greeting(greeting.to_vec());
    Session::begin(channel, (995, Wishes::default()), credentials, place()).await
}

/// A session past a login by USER and PASS.
async fn session(lines: &[(&str, &[u8])]) -> Session {
    let all = script(&[&LOGIN[..], lines].concat());
    begin(b"+OK hello\r\n", &alice(), all, false)
        .await
        .expect("login")
}

/// A session with a server that pipelines.
async fn pipelined(lines: &[(&str, &[u8])]) -> Session {
    let login: [(&str, &[u8]); 4] = [("CAPA", CAPA), LOGIN[1], LOGIN[2], ("CAPA", CAPA)];
    let all = script(&[&login[..], lines].concat());
    begin(b"+OK hello\r\n", &alice(), all, false)
        .await
        .expect("login")
}

/// What came of the messages 1 to `count`: the bytes, or the class of the error; and how the whole ended.
async fn retrieve(
    session: &mut Session,
    count: u32,
) -> (Vec<(u32, Result<Vec<u8>, ErrorClass>)>, Result<(), ErrorClass>) {
    let numbers: Vec<_> = (1..=count).map(|number| (MsgNo(number), None)).collect();
    retrieve_sized(session, &numbers).await
}

/// The same, with sizes by LIST.
async fn retrieve_sized(
    session: &mut Session,
    numbers: &[(MsgNo, Option<u64>)],
) -> (Vec<(u32, Result<Vec<u8>, ErrorClass>)>, Result<(), ErrorClass>) {
    let (sender, mut receiver) = mpsc::channel(2);
    let gather = async {
        let mut all = Vec::new();
        while let Some(Retrieved { number, result, .. }) = receiver.recv().await {
            let result = result.map(|payload| payload.into_bytes().expect("bytes"));
            all.push((number.0, result.map_err(|error| error.class)));
        }
        all
    };
    let fetch = async {
        let result = session.retrieve(numbers, &sender).await;
        drop(sender);
        result.map_err(|error| error.class)
    };
    let (ended, all) = tokio::join!(fetch, gather);
    (all, ended)
}

#[tokio::test]
async fn walks_through_a_session() {
    let mut session = session(&[
        ("STAT", b"+OK 2 320\r\n"),
        ("LIST", b"+OK\r\n1 120\r\n2 200 extra\r\nnonsense\r\n2 9\r\n.\r\n"),
        ("UIDL", b"+OK\r\n1 aa\r\n2 b b\r\n.\r\n"),
        ("TOP 1 0", b"+OK\r\nSubject: x\r\n\r\n.\r\n"),
        ("RETR 1", b"+OK\r\n..dot\r\n.\r\n"),
        ("NOOP", b"+OK\r\n"),
        ("DELE 1", b"+OK gone\r\n"),
        ("DELE 7", b"-ERR no such message\r\n"),
        ("RSET", b"+OK a rather longer answer than any before it\r\n"),
        ("NOOP", b"+OK\r\n"),
        ("QUIT", b"+OK bye\r\n"),
    ])
    .await;
    assert!(!session.capabilities().known);
    assert_eq!(session.stat().await.expect("stat"), (2, 320));
    assert_eq!(
        session.list().await.expect("list"),
        [(MsgNo(1), 120), (MsgNo(2), 200)]
    );
    let ids = session.uidl().await.expect("uidl").expect("has ids");
    assert_eq!(
        ids,
        [(MsgNo(1), Uidl(b"aa".into())), (MsgNo(2), Uidl(b"b b".into()))]
    );
    let mut header = None;
    session
        .tops(&[MsgNo(1)], &mut |_, top| header = top)
        .await
        .expect("top");
    assert_eq!(header.as_deref(), Some(&b"Subject: x\r\n\r\n"[..]));
    let (messages, ended) = retrieve(&mut session, 1).await;
    assert_eq!((messages, ended), (vec![(1, Ok(b".dot\r\n".to_vec()))], Ok(())));
    let deleted = session.delete(&[MsgNo(1), MsgNo(7)]).await.expect("delete");
    assert_eq!(deleted[0], (MsgNo(1), Ok("gone".to_owned())));
    let refused = deleted[1].1.as_ref().expect_err("refused");
    assert_eq!(
        (refused.class, refused.server.as_deref()),
        (ErrorClass::Refused, Some("no such message"))
    );
    session.reset().await.expect("reset");
    session.noop().await.expect("noop");
    assert_eq!(session.quit().await.expect("quit"), "bye");
}

#[tokio::test]
async fn asks_ahead_only_where_the_server_offers_it() {
    // The script answers one command at a time; that all were sent before the first answer shows in the round trips.
    let answer: &[u8] = b"+OK\r\nx\r\n.\r\n";
    let lines = [
        ("RETR 1", answer),
        ("RETR 2", answer),
        ("RETR 3", b"-ERR no\r\n"),
        ("RETR 4", answer),
        ("NOOP", b"+OK\r\n"),
    ];
    let expect = vec![
        (1, Ok(b"x\r\n".to_vec())),
        (2, Ok(b"x\r\n".to_vec())),
        (3, Err(ErrorClass::Refused)),
        (4, Ok(b"x\r\n".to_vec())),
    ];
    let mut ahead = pipelined(&lines).await;
    let before = ahead.traffic().round_trips;
    assert_eq!(retrieve(&mut ahead, 4).await, (expect.clone(), Ok(())));
    assert_eq!(ahead.traffic().round_trips - before, 1);
    let mut waiting = session(&lines).await;
    let before = waiting.traffic().round_trips;
    assert_eq!(retrieve(&mut waiting, 4).await, (expect, Ok(())));
    assert_eq!(waiting.traffic().round_trips - before, 5);
}

#[tokio::test]
async fn asks_for_hundreds_in_a_bounded_window() {
    let names: Vec<String> = (1..=100).map(|number| format!("RETR {number}")).collect();
    let mut lines: Vec<(&str, &[u8])> = names
        .iter()
        .map(|name| (name.as_str(), &b"+OK\r\n.\r\n"[..]))
        .collect();
    lines.push(("NOOP", b"-ERR not here\r\n"));
    let mut session = pipelined(&lines).await;
    let (messages, ended) = retrieve(&mut session, 100).await;
    assert_eq!((messages.len(), ended), (100, Ok(())));
    assert!(messages.iter().all(|(_, result)| result == &Ok(Vec::new())));
}

#[tokio::test]
async fn a_message_cut_by_missing_stuffing_is_not_taken_for_whole() {
    let cut: &[u8] = b"+OK\r\nbefore\r\n.\r\nafter\r\n.\r\n";
    let mut waiting = session(&[("RETR 1", cut), ("NOOP", b"+OK\r\n")]).await;
    let expect = (vec![(1, Err(ErrorClass::Protocol))], Err(ErrorClass::Protocol));
    assert_eq!(retrieve(&mut waiting, 1).await, expect);
    assert_eq!(
        waiting.noop().await.expect_err("out of step").class,
        ErrorClass::Network
    );
    let good: &[u8] = b"+OK\r\nx\r\n.\r\n";
    let lines = [
        ("RETR 1", good),
        ("RETR 2", cut),
        ("RETR 3", good),
        ("NOOP", b"+OK\r\n"),
    ];
    let mut ahead = pipelined(&lines).await;
    let expect = (
        vec![(1, Ok(b"x\r\n".to_vec())), (2, Err(ErrorClass::Protocol))],
        Err(ErrorClass::Protocol),
    );
    assert_eq!(retrieve(&mut ahead, 3).await, expect);
}

/// What came of each message: its bytes, or the class of the error.
type Kept = Vec<(u32, Result<Vec<u8>, ErrorClass>)>;

/// A server without pipelining that says these lines, where these quirks of its are known already; sizes are LIST's.
async fn check_quirks(
    (sizes, known): (&[u64], &[Quirk]),
    lines: &[(&str, &[u8])],
    kept: Kept,
    ended: Result<(), ErrorClass>,
    found: &[Quirk],
) {
    let mut session = session(lines).await;
    session.expect(known.iter().copied().collect());
    let numbers: Vec<_> = (1..).map(MsgNo).zip(sizes.iter().copied().map(Some)).collect();
    let got = retrieve_sized(&mut session, &numbers).await;
    assert_eq!(got, (kept, ended), "{lines:?}");
    for quirk in found {
        assert!(session.quirks().contains(quirk), "{quirk:?}: {lines:?}");
    }
}

const NOOP: (&str, &[u8]) = ("NOOP", b"+OK\r\n");

fn ok(bytes: &[u8]) -> Result<Vec<u8>, ErrorClass> {
    Ok(bytes.to_vec())
}

#[tokio::test]
async fn messages_with_wrong_dots_and_line_ends_are_kept_whole_or_not_at_all() {
    // A lone dot inside, and words that look like the next reply: only the size and LIST tell.
    let cut: &[u8] = b"+OK\r\nab\r\n.\r\n+OK 3 messages\r\n.\r\n";
    let lines = [("RETR 1", cut), NOOP];
    check_quirks(
        (&[25], &[]),
        &lines,
        vec![(1, Err(ErrorClass::Protocol))],
        Err(ErrorClass::Protocol),
        &[],
    )
    .await;
    // Known to stuff wrongly, it is read by size.
    let whole: &[u8] = b"ab\r\n.\r\n+OK 3 messages\r\n";
    let wrong = [Quirk::WrongStuffing];
    check_quirks(
        (&[23], &wrong),
        &[("RETR 1", cut), ("LIST 1", b"+OK 1 23\r\n")],
        vec![(1, ok(whole))],
        Ok(()),
        &[],
    )
    .await;
    // A size that does not agree with what comes keeps nothing.
    for size in [20, 22] {
        let kept = vec![(1, Err(ErrorClass::Protocol))];
        let ended = Err(ErrorClass::Protocol);
        check_quirks((&[size], &wrong), &[("RETR 1", cut)], kept, ended, &[]).await;
    }
    // A dot before every line, the empty one included.
    let over: &[u8] = b"+OK\r\n.S: x\r\n.\r\n.body\r\n.\r\n";
    let lines = [("RETR 1", over), ("LIST 1", b"+OK 1 14\r\n")];
    check_quirks(
        (&[14], &wrong),
        &lines,
        vec![(1, ok(b"S: x\r\n\r\nbody\r\n"))],
        Ok(()),
        &[],
    )
    .await;
    // No final CRLF in the message itself: the server adds it.
    let lines: [(&str, &[u8]); 2] = [("RETR 1", b"+OK\r\na\r\nb\r\n.\r\n"), ("LIST 1", b"+OK 1 4\r\n")];
    check_quirks((&[4], &wrong), &lines, vec![(1, ok(b"a\r\nb\r\n"))], Ok(()), &[]).await;
    // Bare LF and bare CR: LIST counts them as two.
    let lines = [("RETR 1", &b"+OK\r\na\nb\nc\nd\n.\n"[..]), NOOP];
    check_quirks(
        (&[12], &[]),
        &lines,
        vec![(1, ok(b"a\nb\nc\nd\n"))],
        Ok(()),
        &[Quirk::BareLineEnds],
    )
    .await;
    let lines = [("RETR 1", &b"+OK\r\na\r\rc\rd\r.\r\n"[..]), NOOP];
    check_quirks(
        (&[12], &[]),
        &lines,
        vec![(1, ok(b"a\r\rc\rd\r"))],
        Ok(()),
        &[Quirk::BareLineEnds],
    )
    .await;
}

#[tokio::test]
async fn messages_with_wrong_sizes_or_ends_are_kept_whole_or_not_at_all() {
    // Sizes ten times too large: each message is proven, and after three of them the rest is believed.
    let letter: &[u8] = b"+OK\r\nx\r\n.\r\n";
    let lines = [
        ("RETR 1", letter),
        ("RETR 2", letter),
        NOOP,
        ("RETR 1", letter),
        ("LIST 1", b"+OK 1 30\r\n"),
        ("RETR 2", letter),
        ("LIST 2", b"+OK 2 30\r\n"),
        ("RETR 3", letter),
        ("RETR 4", letter),
        NOOP,
        ("RETR 3", letter),
        ("LIST 3", b"+OK 3 30\r\n"),
        ("RETR 4", letter),
        ("LIST 4", b"+OK 4 30\r\n"),
        ("RETR 5", letter),
        NOOP,
    ];
    let all = (1..=5).map(|number| (number, ok(b"x\r\n"))).collect();
    check_quirks((&[30; 5], &[]), &lines, all, Ok(()), &[Quirk::WrongSizes]).await;
    // Nothing where there should be something is no message, and stands in nobody's way.
    let empty: &[u8] = b"+OK\r\n.\r\n";
    let lines = [
        ("RETR 1", empty),
        ("RETR 2", letter),
        NOOP,
        ("RETR 1", empty),
        ("LIST 1", b"+OK 1 30\r\n"),
    ];
    let kept = vec![(2, ok(b"x\r\n")), (1, Err(ErrorClass::Protocol))];
    check_quirks((&[30, 3], &[]), &lines, kept, Ok(()), &[]).await;
    // The end is missing, and all that LIST promised is there; and one octet less.
    let lines = [("RETR 1", &b"+OK\r\nx\r\n"[..])];
    check_quirks(
        (&[3], &[]),
        &lines,
        vec![(1, ok(b"x\r\n"))],
        Err(ErrorClass::Network),
        &[Quirk::Unterminated],
    )
    .await;
    check_quirks(
        (&[4], &[]),
        &lines,
        vec![(1, Err(ErrorClass::Network))],
        Err(ErrorClass::Network),
        &[],
    )
    .await;
}

#[tokio::test]
async fn shows_no_headers_where_there_is_no_top() {
    let check = async |mut session: Session, expect: &[bool], quirk: bool| {
        let numbers: Vec<_> = (1..=3).map(MsgNo).collect();
        let mut got = Vec::new();
        let asked = session
            .tops(&numbers, &mut |_, header| got.push(header.is_some()))
            .await;
        asked.expect("answers");
        assert_eq!(got, expect);
        assert_eq!(session.quirks().contains(&Quirk::NoTop), quirk);
    };
    let header: &[u8] = b"+OK\r\nS: x\r\n\r\n.\r\n";
    check(
        session(&[("TOP 1 0", b"-ERR unknown command\r\n")]).await,
        &[false; 3],
        true,
    )
    .await;
    let lines = [
        ("TOP 1 0", header),
        ("TOP 2 0", &b"-ERR no such message\r\n"[..]),
        ("TOP 3 0", header),
    ];
    check(pipelined(&lines).await, &[true, false, true], false).await;
}

#[tokio::test(start_paused = true)]
async fn a_slow_disk_does_not_make_the_server_hang_up() {
    let letter: &[u8] = b"+OK\r\nx\r\n.\r\n";
    let noop: (&str, &[u8]) = ("NOOP", b"+OK\r\n");
    let lines = [
        ("RETR 1", letter),
        ("RETR 2", letter),
        noop,
        noop,
        noop,
        ("RETR 3", letter),
        noop,
    ];
    let mut session = session(&lines).await;
    let numbers: Vec<_> = (1..=3).map(|number| (MsgNo(number), None)).collect();
    let (sender, mut receiver) = mpsc::channel(1);
    let disk = async {
        let mut count = 0;
        tokio::time::sleep(Duration::from_secs(70)).await;
        while receiver.recv().await.is_some() {
            count += 1;
        }
        count
    };
    let fetch = async {
        let result = session.retrieve(&numbers, &sender).await;
        drop(sender);
        result
    };
    let (fetched, count) = tokio::join!(fetch, disk);
    fetched.expect("all of them");
    assert_eq!(count, 3);
}

/// RFC 1939, section 7, with its example.
#[tokio::test]
async fn the_end_after_the_last_message_loses_nothing() {
    let mut session = session(&[("RETR 1", b"+OK\r\nx\r\n.\r\n")]).await;
    let expect = (vec![(1, Ok(b"x\r\n".to_vec()))], Err(ErrorClass::Network));
    assert_eq!(retrieve(&mut session, 1).await, expect);
}

#[tokio::test]
async fn the_end_inside_a_message_gives_no_message() {
    for partial in [
        &b"+OK\r\nhalf a mess"[..],
        b"+OK\r\nall but the end\r\n",
        b"+OK\r\nx\r\n.",
        b"+O",
    ] {
        let mut session = session(&[("RETR 1", partial)]).await;
        let begun = if partial.len() > 3 {
            vec![(1, Err(ErrorClass::Network))]
        } else {
            vec![]
        };
        assert_eq!(retrieve(&mut session, 1).await, (begun, Err(ErrorClass::Network)));
        assert_eq!(session.quit().await.expect_err("over").class, ErrorClass::Network);
    }
}

#[tokio::test]
async fn a_message_over_the_limit_ends_the_session() {
    let large = [b"+OK 10 octets\r\n".as_slice(), &[b'x'; 5000], b"\r\n.\r\n"].concat();
    let mut session = session(&[("RETR 1", &large)]).await;
    session.set_message_limit(4000);
    let expect = (vec![(1, Err(ErrorClass::Protocol))], Err(ErrorClass::Protocol));
    assert_eq!(retrieve(&mut session, 1).await, expect);
}

#[tokio::test(start_paused = true)]
async fn silence_ends_in_an_error() {
    for (lines, cut) in [(&LOGIN[..1], 0), (&LOGIN[..2], 0), (&LOGIN[..], 1)] {
        let mut all = script(lines);
        if cut > 0 {
            all.push(("STAT".into(), b"+OK 1 ".to_vec()));
        }
        let begun = begin(b"+OK\r\n", &alice(), all, true).await;
        let error = match begun {
            Ok(mut session) => session.stat().await.expect_err("silence"),
            Err(error) => error,
        };
        assert_eq!(error.class, ErrorClass::Network, "{error}");
    }
}

/// A server that sends a byte now and then for ever holds us only so long.
#[tokio::test(start_paused = true)]
async fn a_trickle_ends_in_an_error() {
    for opening in [&b"+OK\r\nbody "[..], b"+OK "] {
        let (near, mut far) = tokio::io::duplex(1 << 16);
        let drip = async move {
            far.write_all(opening).await.expect("write");
            while far.write_all(b"x").await.is_ok() {
                tokio::time::sleep(Duration::from_secs(10)).await;
            }
        };
        tokio::spawn(drip);
        let mut wire = Wire::new(Channel::over(near, "pop.example.org"));
        let read = async {
            wire.status().await?;
            wire.message(1 << 20, None, &mut |_| Ok(())).await
        };
        assert_eq!(read.await.expect_err("too slow").class, ErrorClass::Network);
    }
}

#[tokio::test]
async fn a_dropped_transfer_leaves_no_session_to_misread() {
    let lines = script(&[&LOGIN[..], &[("RETR 1", b"+OK\r\n+OK all deleted\r\n")]].concat());
    let mut session = begin(b"+OK\r\n", &alice(), lines, true).await.expect("login");
    let (sender, receiver) = mpsc::channel(1);
    let numbers = [(MsgNo(1), None)];
    {
        // Sent, and dropped before the answer is read: to QUIT it would look like its own.
        let mut transfer = std::pin::pin!(session.retrieve(&numbers, &sender));
        let once = std::future::poll_fn(|context| Poll::Ready(transfer.as_mut().poll(context).is_pending()));
        assert!(once.await);
    }
    drop(receiver);
    assert_eq!(
        session.quit().await.expect_err("not believed").class,
        ErrorClass::Network
    );
}

#[tokio::test]
async fn a_server_without_unique_ids_is_told_from_one_with_a_bad_day() {
    let check = async |mut session: Session, expect: Result<bool, ErrorClass>| {
        let found = session
            .uidl()
            .await
            .map(|ids| ids.is_some())
            .map_err(|error| error.class);
        assert_eq!(found, expect);
    };
    check(session(&[("UIDL", b"-ERR unknown command\r\n")]).await, Ok(false)).await;
    check(
        session(&[("UIDL", b"-ERR [SYS/TEMP] later\r\n")]).await,
        Err(ErrorClass::Network),
    )
    .await;
    check(
        pipelined(&[("UIDL", b"-ERR oops\r\n")]).await,
        Err(ErrorClass::Refused),
    )
    .await;
    check(session(&[("UIDL", b"+OK\r\n.\r\n")]).await, Ok(true)).await;
}

#[tokio::test]
async fn odd_answers_are_errors_and_no_more() {
    for answer in [
        &b"OK 1 2\r\n"[..],
        b"+OKAY 1 2\r\n",
        b"  +OK 1 2\r\n",
        b"+OK one two\r\n",
        b"+OK 4294967296 1\r\n",
        b"\r\n",
    ] {
        let error = session(&[("STAT", answer)]).await.stat().await.expect_err("odd");
        assert_eq!(
            error.class,
            ErrorClass::Protocol,
            "{:?}",
            answer.escape_ascii().to_string()
        );
    }
    let long = [&[b'x'; 70_000][..], b"\r\n"].concat();
    let error = session(&[("LIST", &long)]).await.list().await.expect_err("long");
    assert_eq!(error.class, ErrorClass::Protocol);
    let wide = [b"+OK 3 5 ".as_slice(), &[b'y'; 5000], b"\xff\r\n"].concat();
    assert_eq!(
        session(&[("STAT", &wide)]).await.stat().await.expect("wide"),
        (3, 5)
    );
}

#[tokio::test]
async fn a_quit_without_ok_is_not_believed() {
    for (answer, class) in [
        (&b"-ERR [SYS/TEMP] some left\r\n"[..], ErrorClass::Network),
        (b"-ERR\r\n", ErrorClass::Refused),
        (b"", ErrorClass::Network),
    ] {
        let error = session(&[("QUIT", answer)])
            .await
            .quit()
            .await
            .expect_err("no ok");
        assert_eq!(error.class, class);
    }
}

#[tokio::test]
async fn deletions_go_together_where_the_server_allows() {
    let mut session = pipelined(&[
        ("DELE 1", b"+OK\r\n"),
        ("DELE 2", b"-ERR locked\r\n"),
        ("QUIT", b"+OK\r\n"),
    ])
    .await;
    let before = session.traffic().round_trips;
    let answers = session.delete(&[MsgNo(1), MsgNo(2)]).await.expect("answers");
    assert_eq!(session.traffic().round_trips - before, 1);
    assert!(answers[0].1.is_ok() && answers[1].1.is_err());
    session.quit().await.expect("quit");
}

#[tokio::test]
async fn injected_commands_are_not_sent() {
    for (username, password) in [("a\r\nDELE 1", "x"), ("a", "x\r\nDELE 1"), ("a\0", "x")] {
        let credentials = Credentials::Password {
            username: username.into(),
            password: Secret::new(password.into()),
        };
        let begun = begin(b"+OK\r\n", &credentials, script(&LOGIN[..1]), false).await;
        assert_eq!(begun.err().expect("refused").class, ErrorClass::Config);
    }
}

#[test]
fn sessions_cross_threads() {
    const fn needs_send<T: Send>(_: &T) {}
    let check = |mut session: Session, dialer: &Dialer, endpoint: &Endpoint, credentials: &Credentials| {
        needs_send(&Session::connect(dialer, endpoint, credentials));
        needs_send(&session.stat());
        needs_send(&session.uidl());
        let (sender, _receiver) = mpsc::channel(1);
        needs_send(&session.retrieve(&[], &sender));
        needs_send(&session.delete(&[]));
        needs_send(&session.quit());
    };
    let _ = check;
}
