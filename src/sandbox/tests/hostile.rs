//! What no client should send: the parsers must answer, never panic, hang or grow.

use proptest::prelude::*;

use super::{Talk, empty};
use crate::imap::parse_never_panics;
use crate::{NewMessage, Service};

proptest! {
    #[test]
    fn any_bytes_parse_or_are_refused(bytes in proptest::collection::vec(any::<u8>(), 0..200)) {
        parse_never_panics(&bytes);
    }

    #[test]
    fn mangled_commands_parse_or_are_refused(
        command in prop::sample::select(vec![
            "a FETCH 1:*,3 (UID FLAGS BODY.PEEK[1.2.HEADER.FIELDS (A \"b\")]<0.9> ENVELOPE) (CHANGEDSINCE 4 VANISHED)",
            "a SELECT {3+}\r\nabc (QRESYNC (1 2 3:4 (1 2)) CONDSTORE)",
            "a UID SEARCH RETURN (MIN ALL) CHARSET UTF-8 OR (NOT SEEN 1:*) HEADER a b MODSEQ \"/flags\" all 4 SINCE 1-Jan-2020",
            "a LIST (SUBSCRIBED) \"\" (a* %) RETURN (STATUS (MESSAGES UIDNEXT))",
            "a APPEND \"x\" (\\Seen k) \" 1-Jan-2020 00:00:00 +0000\" {3}\r\nabc",
            "a UID STORE 1,2 (UNCHANGEDSINCE 3) +FLAGS.SILENT (\\Deleted)",
        ]),
        at in 0usize..120,
        byte in any::<u8>(),
        cut in 0usize..120,
    ) {
        let mut bytes = command.as_bytes().to_vec();
        if let Some(slot) = bytes.get_mut(at) {
            *slot = byte;
        }
        bytes.truncate(cut.max(1));
        parse_never_panics(&bytes);
    }

    #[test]
    fn any_message_can_be_described(
        pieces in proptest::collection::vec(prop::sample::select(vec![
            "Content-Type: multipart/mixed; boundary=b\r\n", "Content-Type: message/rfc822\r\n", "Content-Type: ;;;=\"\r\n",
            "\r\n", "\n", "--b\r\n", "--b--\r\n", "From: <a@b>, \"x (y\r\n", "To: g:;,(\r\n", "text", ":", "\r", " folded\r\n", "Subject: =?\r\n", "\u{e9}",
        ]), 0..40),
    ) {
        crate::imap::describe_never_panics(pieces.concat().as_bytes());
    }
}

#[test]
fn deep_nesting_is_cut() {
    let nested = "Content-Type: message/rfc822\r\n\r\n".repeat(5000);
    crate::imap::describe_never_panics(nested.as_bytes());
    let many = format!(
        "Content-Type: multipart/mixed; boundary=b\r\n\r\n{}",
        "--b\r\n\r\nx\r\n".repeat(20_000)
    );
    crate::imap::describe_never_panics(many.as_bytes());
    parse_never_panics(format!("a SEARCH {}", "(".repeat(60_000)).as_bytes());
    parse_never_panics(format!("a SEARCH {}ALL", "NOT ".repeat(10_000)).as_bytes());
}

#[tokio::test]
async fn a_line_without_end_ends_the_session() {
    let sandbox = empty();
    for (service, expect, length) in [
        (Service::Imap, "* BYE line too long", 65_537),
        (Service::Pop3, "-ERR line too long", 4_097),
        (Service::Smtp, "500 5.5.2", 16_385),
    ] {
        let mut talk = Talk::open(&sandbox, service);
        talk.line().await;
        talk.send(&"x".repeat(length)).await;
        assert!(talk.until(expect).await.starts_with(expect));
        assert_eq!(talk.line().await, "");
    }
}

#[tokio::test]
async fn one_user_cannot_fill_the_memory() {
    let sandbox = crate::Sandbox::without_ports(crate::SandboxOptions {
        quota: 100,
        ..crate::SandboxOptions::plain_and_empty()
    })
    .unwrap();
    sandbox
        .add_message(
            "INBOX",
            NewMessage {
                raw: vec![b'x'; 90],
                ..NewMessage::default()
            },
        )
        .unwrap();
    let mut talk = Talk::open(&sandbox, Service::Imap);
    talk.line().await;
    talk.ask("LOGIN robin sandbox").await;
    talk.check(
        "APPEND INBOX {11+}\r\nSubject: x\n",
        "t NO [OVERQUOTA] the sandbox is full",
    )
    .await;
    talk.ask("SELECT INBOX").await;
    talk.check("COPY 1 Sent", "t NO [OVERQUOTA] the sandbox is full")
        .await;
}

#[tokio::test]
async fn too_many_mistakes_end_the_session() {
    let sandbox = empty();
    let mut talk = Talk::open(&sandbox, Service::Imap);
    talk.line().await;
    talk.send(&"t LOGIN robin wrong\r\n".repeat(30)).await;
    talk.until("* BYE too many mistakes").await;
    assert_eq!(talk.line().await, "");
}

#[tokio::test]
async fn nothing_may_follow_starttls_in_clear() {
    let options = crate::SandboxOptions {
        security: posthorn_model::Security::StartTls,
        ..crate::SandboxOptions::plain_and_empty()
    };
    let sandbox = crate::Sandbox::without_ports(options).unwrap();
    for (service, early, command, answer) in [
        (
            Service::Imap,
            "t LOGIN robin sandbox\r\n",
            "t STARTTLS\r\nt LOGIN robin sandbox\r\n",
            "t OK begin TLS\r\n",
        ),
        (
            Service::Pop3,
            "USER robin\r\n",
            "STLS\r\nUSER robin\r\n",
            "+OK begin TLS\r\n",
        ),
        (
            Service::Smtp,
            "AUTH PLAIN AHJvYmluAHNhbmRib3g=\r\n",
            "STARTTLS\r\nEHLO me\r\n",
            "220 2.0.0 begin TLS\r\n",
        ),
    ] {
        let mut talk = Talk::open(&sandbox, service);
        talk.line().await;
        talk.send(early).await;
        assert!(talk.line().await.contains("TLS first"), "{service:?}");
        talk.send(command).await;
        assert_eq!(
            (talk.line().await.as_str(), talk.line().await.as_str()),
            (answer, ""),
            "{service:?}"
        );
    }
}
