//! Transcripts over a duplex stream: every way in which a submission ends.

use super::*;
use posthorn_model::Secret;
use proptest::prelude::*;
use tokio::io::{AsyncBufReadExt, AsyncWriteExt, BufReader, DuplexStream};

const EHLO: (&str, &str) = (
    "EHLO [127.0.0.1]",
    "250-h\r\n250-SIZE 5000\r\n250-8BITMIME\r\n250 AUTH PLAIN\r\n",
);
const MAIL: (&str, &str) = ("MAIL FROM:<me@example.org> SIZE=19", "250 ok\r\n");
const RCPT: (&str, &str) = ("RCPT TO:<you@example.org>", "250 ok\r\n");
const DATA: (&str, &str) = ("DATA", "354 go\r\n");
/// Stands for the content up to the lone dot.
const CONTENT: &str = "content";

/// A server that expects each command and gives its answer; after the last one it closes. Gives the content.
async fn serve(stream: DuplexStream, script: Vec<(String, String)>, then_stall: bool) -> Vec<u8> {
    let mut stream = BufReader::new(stream);
    let mut content = Vec::new();
    for (expected, answer) in script {
        if expected == CONTENT {
            while !content.ends_with(b"\r\n.\r\n") && content != b".\r\n" {
                stream.read_until(b'\n', &mut content).await.expect("content");
            }
        } else {
            let mut line = String::new();
            stream.read_line(&mut line).await.expect("a command");
            assert_eq!(line, format!("{expected}\r\n"));
        }
        if stream.write_all(answer.as_bytes()).await.is_err() {
            break;
        }
    }
    if then_stall {
        std::future::pending::<()>().await;
    }
    content
}

fn message(to: &[&str]) -> Message {
    Message {
        from: "me@example.org".into(),
        to: to.iter().map(|to| (*to).to_owned()).collect(),
        raw: b"Subject: x\r\n\r\nHi.\r\n".to_vec(),
    }
}

async fn run(
    message: &Message,
    credentials: Option<&Credentials>,
    lines: &[(&str, &str)],
    then_stall: bool,
) -> (Outcome, Option<Vec<u8>>) {
    let (near, far) = tokio::io::duplex(1 << 20);
    let script = lines
        .iter()
        .map(|(command, answer)| ((*command).to_owned(), (*answer).to_owned()))
        .collect();
    let server = tokio::spawn(serve(far, script, then_stall));
    let mut channel = Channel::over(near, "smtp.example.org");
    channel.set_greeting(b"220-hello\r\n220 there\r\n".to_vec());
    let outcome = submit_over(channel, 587, credentials, message, async { Ok(()) }).await;
    let content = if then_stall {
        None
    } else {
        Some(server.await.expect("server"))
    };
    (outcome, content)
}

/// The outcome in one line.
fn tell(outcome: &Outcome) -> String {
    match outcome {
        Outcome::Accepted { reply, refused } => format!("accepted {reply} {refused:?}"),
        Outcome::Refused(error) => format!("refused {} {}", error.class.name(), error.permanent),
        Outcome::NotSent(error) => format!("not sent {}", error.class.name()),
        Outcome::Uncertain(error) => format!("uncertain {}", error.class.name()),
    }
}

async fn check(lines: &[(&str, &str)], expect: &str) {
    let (outcome, _) = run(&message(&["you@example.org"]), None, lines, false).await;
    assert_eq!(tell(&outcome), expect, "{lines:?}");
}

#[tokio::test]
async fn hands_a_message_over() {
    let lines = [
        EHLO,
        MAIL,
        RCPT,
        DATA,
        (CONTENT, "250 2.0.0 queued\r\n"),
        ("QUIT", "221 bye\r\n"),
    ];
    let (outcome, content) = run(&message(&["you@example.org"]), None, &lines, false).await;
    assert_eq!(tell(&outcome), "accepted 250 2.0.0 queued []");
    assert_eq!(content.expect("content"), b"Subject: x\r\n\r\nHi.\r\n.\r\n");
}

#[tokio::test]
async fn tells_how_a_submission_ended() {
    let quit = ("QUIT", "221 bye\r\n");
    check(&[("EHLO [127.0.0.1]", "500 what\r\n")], "not sent refused").await;
    check(&[("EHLO [127.0.0.1]", "421 busy\r\n")], "not sent network").await;
    check(&[EHLO, (MAIL.0, "451 later\r\n"), quit], "refused refused false").await;
    check(&[EHLO, (MAIL.0, "550 not you\r\n"), quit], "refused refused true").await;
    check(&[EHLO, (MAIL.0, "530 log in\r\n"), quit], "not sent auth").await;
    check(
        &[EHLO, MAIL, (RCPT.0, "550 unknown\r\n"), quit],
        "refused refused true",
    )
    .await;
    check(
        &[EHLO, MAIL, (RCPT.0, "450 grey\r\n"), quit],
        "refused refused false",
    )
    .await;
    check(&[EHLO, MAIL, (RCPT.0, "421 bye\r\n")], "not sent network").await;
    check(
        &[EHLO, MAIL, RCPT, ("DATA", "451 later\r\n"), quit],
        "refused refused false",
    )
    .await;
    check(
        &[EHLO, MAIL, RCPT, ("DATA", "250 what\r\n"), quit],
        "not sent protocol",
    )
    .await;
    check(&[EHLO, MAIL, RCPT], "not sent network").await;
    check(&[EHLO, MAIL, RCPT, ("DATA", "")], "not sent network").await;
    let whole = |answer| [EHLO, MAIL, RCPT, DATA, (CONTENT, answer), quit];
    check(&whole("451 4.3.0 later\r\n"), "refused refused false").await;
    check(&whole("554 5.7.1 no\r\n"), "refused refused true").await;
    check(&whole("250\r\n"), "accepted 250  []").await;
    check(&whole("250 caf\u{e9} \u{7}\n"), "accepted 250 caf\u{e9} []").await;
    check(&whole("354 go on\r\n"), "uncertain protocol").await;
    check(&whole("250-a\r\n550-b\r\n250 c\r\n"), "uncertain protocol").await;
    check(&whole("hello\r\n"), "uncertain protocol").await;
    check(&whole("2x0 ok\r\n"), "uncertain protocol").await;
    let cut = |answer| [EHLO, MAIL, RCPT, DATA, (CONTENT, answer)];
    check(&cut(""), "uncertain network").await;
    check(&cut("250-half\r\n"), "uncertain network").await;
    check(&cut("25"), "uncertain network").await;
    // Accepted is accepted, however the farewell goes.
    check(&cut("250 ok\r\n"), "accepted 250 ok []").await;
}

#[tokio::test]
async fn surplus_replies_are_not_taken_for_the_next_commands() {
    check(&[(EHLO.0, "250 h\r\n250 h\r\n")], "not sent protocol").await;
    let lines = [EHLO, MAIL, (RCPT.0, "250 ok\r\n354 go\r\n250 queued\r\n")];
    check(&lines, "not sent protocol").await;
}

#[tokio::test]
async fn endless_replies_end() {
    let flood = "250-x\r\n".repeat(2000);
    check(&[("EHLO [127.0.0.1]", &flood)], "not sent protocol").await;
    let long = "x".repeat(100_000);
    check(&[("EHLO [127.0.0.1]", &long)], "not sent protocol").await;
}

#[tokio::test(start_paused = true)]
async fn silence_ends_in_time() {
    let all = [EHLO, MAIL, RCPT, DATA, (CONTENT, "")];
    for (steps, expect, seconds) in [
        (0, "not sent network", 60),
        (2, "not sent network", 300),
        (4, "not sent network", 60),
        (5, "uncertain network", 600),
    ] {
        let started = tokio::time::Instant::now();
        let mut lines = all[..steps].to_vec();
        if steps == 4 {
            lines.pop();
            lines.push(("DATA", ""));
        }
        let (outcome, _) = run(&message(&["you@example.org"]), None, &lines, true).await;
        assert_eq!(tell(&outcome), expect, "{steps}");
        assert!(
            started.elapsed().as_secs() >= seconds,
            "{steps}: {:?}",
            started.elapsed()
        );
        assert!(
            started.elapsed().as_secs() <= seconds * 4,
            "{steps}: {:?}",
            started.elapsed()
        );
    }
}

#[tokio::test]
async fn names_those_whom_the_message_will_not_reach() {
    let lines = [
        EHLO,
        MAIL,
        RCPT,
        ("RCPT TO:<bad@xn--mller-kva.example>", "550 5.1.1 unknown\r\n"),
        DATA,
        (CONTENT, "250 ok\r\n"),
        ("QUIT", "221 bye\r\n"),
    ];
    let to = [
        "you@example.org",
        "bad@müller.example",
        "no address",
        "a@b\r\nDATA",
    ];
    let (outcome, _) = run(&message(&to), None, &lines, false).await;
    let Outcome::Accepted { refused, .. } = outcome else {
        panic!("{outcome:?}")
    };
    let refused: Vec<_> = refused
        .iter()
        .map(|(to, why)| (to.as_str(), why.as_str()))
        .collect();
    assert_eq!(
        refused,
        [
            ("bad@müller.example", "550 5.1.1 unknown"),
            ("no address", "this is no address"),
            ("a@b\r\nDATA", "this is no address")
        ]
    );
    let (outcome, _) = run(&message(&[]), None, &[EHLO, MAIL, ("QUIT", "")], false).await;
    assert_eq!(tell(&outcome), "refused config true");
}

#[tokio::test]
async fn logs_in_once() {
    let alice = Credentials::Password {
        username: "alice".into(),
        password: Secret::new("s3cret".into()),
    };
    let auth = "AUTH PLAIN AGFsaWNlAHMzY3JldA==";
    let quit = ("QUIT", "221 bye\r\n");
    let check = async |lines: &[(&str, &str)], expect: &str| {
        let (outcome, _) = run(&message(&["you@example.org"]), Some(&alice), lines, false).await;
        assert_eq!(tell(&outcome), expect, "{lines:?}");
    };
    check(
        &[
            EHLO,
            (auth, "235 in\r\n"),
            MAIL,
            RCPT,
            DATA,
            (CONTENT, "250 ok\r\n"),
            quit,
        ],
        "accepted 250 ok []",
    )
    .await;
    check(&[EHLO, (auth, "535 5.7.8 no\r\n"), quit], "not sent auth").await;
    check(&[EHLO, (auth, "454 4.7.0 later\r\n"), quit], "not sent network").await;
    check(&[EHLO, (auth, "250 fine\r\n"), quit], "not sent protocol").await;
    check(
        &[("EHLO [127.0.0.1]", "250-h\r\n250 AUTH CRAM-MD5\r\n"), quit],
        "not sent config",
    )
    .await;
    let login = ("EHLO [127.0.0.1]", "250-h\r\n250-SIZE\r\n250 auth login\r\n");
    let steps = [
        ("AUTH LOGIN", "334 VXNlcg==\r\n"),
        ("YWxpY2U=", "334 UGFzcw==\r\n"),
        ("czNjcmV0", "535 no\r\n"),
    ];
    check(&[login, steps[0], steps[1], steps[2], quit], "not sent auth").await;
}

#[test]
fn reads_addresses() {
    let check = |text: &str, expect: Option<&str>| {
        let found = parse_address(text);
        assert_eq!(found.as_ref().map(AsRef::<str>::as_ref), expect, "{text:?}");
    };
    check("a@example.org", Some("a@example.org"));
    check("a..b.@example.org", Some("a..b.@example.org"));
    check("\"a b\"@example.org", Some("\"a b\"@example.org"));
    check("jürgen@müller.example", Some("jürgen@xn--mller-kva.example"));
    check("a@[127.0.0.1]", Some("a@[127.0.0.1]"));
    check("a@localhost", Some("a@localhost"));
    for bad in [
        "",
        "a",
        "@b",
        "a@",
        "a b@c",
        "a>@c",
        "a@b>c",
        "a@b c",
        "a\r\n@b",
        "a@b\r\n",
        "a@b SIZE=1",
    ] {
        let expect = (bad == "a@b\r\n").then_some("a@b");
        check(bad, expect);
    }
}

#[test]
fn submissions_cross_threads() {
    const fn needs_send<T: Send>(_: &T) {}
    let check = |dialer: &Dialer, endpoint: &Endpoint, message: &Message| {
        needs_send(&submit(dialer, endpoint, None, message));
        needs_send(&super::check(dialer, endpoint, None));
    };
    let _ = check;
}

proptest! {
    #![proptest_config(ProptestConfig::with_cases(64))]
    #[test]
    fn what_arrives_is_what_was_written(raw in proptest::collection::vec(
        prop_oneof![Just(b'.'), Just(b'\r'), Just(b'\n'), 32..127_u8], 0..300)) {
        let runtime = tokio::runtime::Builder::new_current_thread().enable_all().build().expect("runtime");
        let ehlo = (EHLO.0, "250 h\r\n");
        let mail = ("MAIL FROM:<me@example.org>", "250 ok\r\n");
        let lines = [ehlo, mail, RCPT, DATA, (CONTENT, "250 ok\r\n"), ("QUIT", "221 bye\r\n")];
        let message = Message { raw: raw.clone(), ..message(&["you@example.org"]) };
        let (outcome, content) = runtime.block_on(run(&message, None, &lines, false));
        prop_assert_eq!(tell(&outcome), "accepted 250 ok []");
        let content = content.expect("content");
        let stuffed = content.strip_suffix(b".\r\n").expect("the end");
        let mut arrived = Vec::new();
        for line in stuffed.split_inclusive(|byte| *byte == b'\n') {
            prop_assert!(line.ends_with(b"\r\n") && !line[..line.len() - 2].contains(&b'\r'));
            arrived.extend_from_slice(line.strip_prefix(b".").unwrap_or(line));
        }
        let written = offer::normalise(&raw);
        // An empty message still has the line end that begins the end.
        let expect = if written.is_empty() { b"\r\n" } else { written.as_ref() };
        prop_assert_eq!(arrived, expect);
    }
}
