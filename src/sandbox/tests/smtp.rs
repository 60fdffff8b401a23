//! SMTP, word for word.

use super::{Talk, empty};
use crate::{SMTP_EXTENSIONS, Sandbox, SandboxOptions, Service};

async fn check(talk: &mut Talk, commands: &str, expect: &[&str]) {
    talk.send(&commands.replace('\n', "\r\n")).await;
    for line in expect {
        assert_eq!(talk.line().await, format!("{line}\r\n"), "{commands}");
    }
}

async fn log_in(sandbox: &Sandbox) -> Talk {
    let mut talk = Talk::open(sandbox, Service::Smtp);
    check(&mut talk, "", &["220 sandbox.example.org ESMTP sandbox ready"]).await;
    check(
        &mut talk,
        "MAIL FROM:<robin@example.org>\n",
        &["530 5.7.0 log in first"],
    )
    .await;
    check(
        &mut talk,
        "EHLO me\n",
        &[
            "250-sandbox.example.org",
            "250-AUTH PLAIN LOGIN",
            "250-PIPELINING",
            "250-8BITMIME",
            "250-SMTPUTF8",
            "250-ENHANCEDSTATUSCODES",
            "250 SIZE 52428800",
        ],
    )
    .await;
    check(
        &mut talk,
        "AUTH LOGIN\ncm9iaW4=\nc2FuZGJveA==\n",
        &["334 VXNlcm5hbWU6", "334 UGFzc3dvcmQ6", "235 2.7.0 logged in"],
    )
    .await;
    talk
}

#[tokio::test]
async fn delivers_what_was_submitted_byte_for_byte() {
    let sandbox = empty();
    let mut talk = log_in(&sandbox).await;
    let message = "Subject: x\n\n..\n..dots\nbare \u{b}line\n.\n";
    check(&mut talk, "MAIL FROM:<robin@example.org> SIZE=99 BODY=8BITMIME\nRCPT TO:<Alex+tag@Example.ORG>\nRCPT TO:<refused@example.org>\nRCPT TO:<later@example.org>\nRCPT TO:<robin@example.org>\nDATA\n", &["250 2.1.0 sender noted", "250 2.1.5 recipient noted", "550 5.1.1 this recipient is always refused", "451 4.2.1 this recipient always says later", "250 2.1.5 recipient noted", "354 end with a dot on a line of its own"]).await;
    check(&mut talk, message, &["250 2.0.0 taken"]).await;
    for user in ["robin", "alex"] {
        let inbox = sandbox.store().messages(user, "INBOX");
        assert_eq!(inbox.len(), 1, "{user}");
        let text = String::from_utf8_lossy(&inbox[0].raw).into_owned();
        assert!(
            text.starts_with("Return-Path: <robin@example.org>\r\nReceived: from me by sandbox.example.org"),
            "{text}"
        );
        assert!(
            text.ends_with("\r\nSubject: x\r\n\r\n.\r\n.dots\r\nbare \u{b}line\r\n"),
            "{text}"
        );
    }
    check(&mut talk, "QUIT\n", &["221 2.0.0 bye"]).await;
}

#[tokio::test]
async fn only_a_dot_between_crlfs_ends_a_message() {
    let sandbox = empty();
    let mut talk = log_in(&sandbox).await;
    talk.send("MAIL FROM:<robin@example.org>\r\nRCPT TO:<robin@example.org>\r\nDATA\r\n")
        .await;
    talk.until("354").await;
    talk.send("Subject: x\r\n\r\nfirst\n.\r\nMAIL FROM:<a@b>\n.\n.\r\nlast\r\n.\r\n")
        .await;
    assert_eq!(talk.line().await, "250 2.0.0 taken\r\n");
    let raw = sandbox.messages("INBOX")[0].raw.clone();
    assert!(
        raw.ends_with(b"\r\n\r\nfirst\n.\r\nMAIL FROM:<a@b>\n.\n.\r\nlast\r\n"),
        "{:?}",
        String::from_utf8_lossy(&raw)
    );
}

#[tokio::test]
async fn tells_the_sender_about_strangers() {
    let sandbox = empty();
    let mut talk = log_in(&sandbox).await;
    talk.send("MAIL FROM:<robin@example.org>\r\nRCPT TO:<who@nowhere.example>\r\nDATA\r\n")
        .await;
    talk.until("354").await;
    check(&mut talk, "Subject: hello\n\n.\n", &["250 2.0.0 taken"]).await;
    let inbox = sandbox.messages("INBOX");
    let text = String::from_utf8_lossy(&inbox[0].raw).into_owned();
    assert!(
        text.contains("Final-Recipient: rfc822; who@nowhere.example\r\n")
            && text.contains("\r\nSubject: hello\r\n"),
        "{text}"
    );
}

#[tokio::test]
async fn refuses_what_is_out_of_order_or_too_large() {
    let sandbox = empty();
    let mut talk = log_in(&sandbox).await;
    check(&mut talk, "RCPT TO:<a@b>\nDATA\nMAIL FROM:a@b\nMAIL FROM:<a@b> SIZE=999999999\nMAIL FROM:<a@b> X=1\nMAIL FROM:<a@b>\nMAIL FROM:<a@b>\nDATA\nRSET\nNOOP\nWHAT\n", &["503 5.5.1 MAIL first", "503 5.5.1 MAIL first", "501 5.5.4 MAIL FROM:<address>", "552 5.3.4 message too large", "555 5.5.4 unknown parameter", "250 2.1.0 sender noted", "503 5.5.1 one message at a time", "554 5.5.1 no valid recipients", "250 2.0.0 nothing is pending", "250 2.0.0 still here", "500 5.5.1 unknown command"]).await;
}

#[tokio::test]
async fn works_with_every_extension_switched_off() {
    let options = SandboxOptions {
        without: SMTP_EXTENSIONS,
        ..SandboxOptions::plain_and_empty()
    };
    let sandbox = Sandbox::without_ports(options).unwrap();
    let mut talk = Talk::open(&sandbox, Service::Smtp);
    talk.line().await;
    check(
        &mut talk,
        "EHLO me\n",
        &["250-sandbox.example.org", "250 AUTH PLAIN LOGIN"],
    )
    .await;
    check(
        &mut talk,
        "AUTH PLAIN AHJvYmluAHdyb25n\n",
        &["535 5.7.8 wrong user name or password"],
    )
    .await;
    check(
        &mut talk,
        "AUTH PLAIN AHJvYmluAHNhbmRib3g=\nMAIL FROM:<a@b> SIZE=1\n",
        &["235 2.7.0 logged in", "555 5.5.4 unknown parameter"],
    )
    .await;
}

#[tokio::test]
async fn keeps_no_more_than_it_has_room_for() {
    let options = SandboxOptions {
        quota: 10,
        ..SandboxOptions::plain_and_empty()
    };
    let sandbox = Sandbox::without_ports(options).unwrap();
    let mut talk = log_in(&sandbox).await;
    talk.send("MAIL FROM:<robin@example.org>\r\nRCPT TO:<robin@example.org>\r\nDATA\r\n")
        .await;
    talk.until("354").await;
    check(
        &mut talk,
        "Subject: hello\n\n.\n",
        &["452 4.2.2 the sandbox is full"],
    )
    .await;
    assert!(sandbox.messages("INBOX").is_empty());
}
