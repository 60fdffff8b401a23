//! POP3, word for word.

use super::{Talk, empty};
use crate::{NewMessage, POP3_EXTENSIONS, Sandbox, SandboxOptions, Service};

const RAWS: [&str; 3] = [
    "Subject: 1\r\n\r\n.dot\r\n..two\r\nlast\r\n",
    "Subject: 2\r\n\r\nno line end",
    "Subject: 3\r\n\r\n",
];

fn filled(options: SandboxOptions) -> Sandbox {
    let sandbox = Sandbox::without_ports(options).unwrap();
    for raw in RAWS {
        let message = NewMessage {
            raw: raw.as_bytes().to_vec(),
            ..NewMessage::default()
        };
        sandbox.add_message("INBOX", message).unwrap();
    }
    sandbox
}

async fn log_in(sandbox: &Sandbox) -> Talk {
    let mut talk = Talk::open(sandbox, Service::Pop3);
    talk.line().await;
    talk.send("USER robin\r\nPASS sandbox\r\n").await;
    talk.line().await;
    assert_eq!(talk.line().await, "+OK 3 messages\r\n");
    talk
}

/// Sends all at once, and compares all that comes back.
async fn check(talk: &mut Talk, commands: &str, expect: &[&str]) {
    talk.send(&commands.replace('\n', "\r\n")).await;
    for line in expect {
        assert_eq!(talk.line().await, format!("{line}\r\n"), "{commands}");
    }
}

#[tokio::test]
async fn serves_the_maildrop_pipelined() {
    let sandbox = filled(SandboxOptions::plain_and_empty());
    let mut talk = log_in(&sandbox).await;
    check(
        &mut talk,
        "STAT\nLIST\nLIST 2\nNOOP\n",
        &[
            "+OK 3 72",
            "+OK 3 messages (72 octets)",
            "1 33",
            "2 25",
            "3 14",
            ".",
            "+OK 2 25",
            "+OK",
        ],
    )
    .await;
    check(
        &mut talk,
        "RETR 1\nRETR 2\nRETR 3\n",
        &[
            "+OK 33 octets",
            "Subject: 1",
            "",
            "..dot",
            "...two",
            "last",
            ".",
            "+OK 25 octets",
            "Subject: 2",
            "",
            "no line end",
            ".",
            "+OK 14 octets",
            "Subject: 3",
            "",
            ".",
        ],
    )
    .await;
    check(
        &mut talk,
        "TOP 1 1\nTOP 1 0\nTOP 1\nRETR 4\nRETR x\nNONSENSE\n",
        &[
            "+OK top follows",
            "Subject: 1",
            "",
            "..dot",
            ".",
            "+OK top follows",
            "Subject: 1",
            "",
            ".",
            "-ERR TOP wants a message and a number of lines",
            "-ERR no such message",
            "-ERR no such message",
            "-ERR unknown command",
        ],
    )
    .await;
}

#[tokio::test]
async fn deletes_at_quit_and_not_before() {
    let sandbox = filled(SandboxOptions::plain_and_empty());
    let mut talk = log_in(&sandbox).await;
    check(
        &mut talk,
        "DELE 1\nDELE 1\nRETR 1\nSTAT\nRSET\nDELE 2\n",
        &[
            "+OK message 1 marked",
            "-ERR no such message",
            "-ERR no such message",
            "+OK 2 39",
            "+OK nothing is marked",
            "+OK message 2 marked",
        ],
    )
    .await;
    assert_eq!(sandbox.messages("INBOX").len(), 3);
    drop(talk);
    // The maildrop comes free once the server has seen the end; nothing was deleted.
    let mut talk = loop {
        let mut talk = Talk::open(&sandbox, Service::Pop3);
        talk.send("AUTH PLAIN AHJvYmluAHNhbmRib3g=\r\n").await;
        talk.line().await;
        match talk.line().await.as_str() {
            "+OK 3 messages\r\n" => break talk,
            line => assert_eq!(line, "-ERR [IN-USE] another session has the maildrop\r\n"),
        }
    };
    check(
        &mut talk,
        "DELE 3\nQUIT\n",
        &["+OK message 3 marked", "+OK bye (1 deleted)"],
    )
    .await;
    assert_eq!(talk.line().await, "");
    assert_eq!(
        sandbox
            .messages("INBOX")
            .iter()
            .map(|m| m.uid.value())
            .collect::<Vec<_>>(),
        [1, 2]
    );
}

#[tokio::test]
async fn keeps_its_uidls_and_its_lock() {
    let sandbox = filled(SandboxOptions::plain_and_empty());
    let mut talk = log_in(&sandbox).await;
    talk.send("UIDL\r\n").await;
    let first = talk.until(".").await;
    let mut second = Talk::open(&sandbox, Service::Pop3);
    second.line().await;
    check(
        &mut second,
        "USER robin\nPASS sandbox\nPASS x\n",
        &[
            "+OK and the password?",
            "-ERR [IN-USE] another session has the maildrop",
            "-ERR USER first",
        ],
    )
    .await;
    check(&mut talk, "QUIT\n", &["+OK bye (0 deleted)"]).await;
    assert_eq!(talk.line().await, "");
    let mut talk = log_in(&sandbox).await;
    talk.send("UIDL\r\n").await;
    assert_eq!(talk.until(".").await, first);
}

#[tokio::test]
async fn works_with_every_extension_switched_off() {
    let sandbox = filled(SandboxOptions {
        without: POP3_EXTENSIONS,
        ..SandboxOptions::plain_and_empty()
    });
    let mut talk = log_in(&sandbox).await;
    check(
        &mut talk,
        "CAPA\nUIDL\nTOP 1 1\nLIST 1\n",
        &[
            "-ERR unknown command",
            "-ERR unknown command",
            "-ERR unknown command",
            "+OK 1 33",
        ],
    )
    .await;
    let mut talk = Talk::open(&sandbox, Service::Pop3);
    talk.line().await;
    check(
        &mut talk,
        "AUTH PLAIN x\nUSER robin\nPASS no\n",
        &[
            "-ERR log in first",
            "+OK and the password?",
            "-ERR wrong user name or password",
        ],
    )
    .await;
}

#[tokio::test]
async fn says_what_it_can() {
    let sandbox = empty();
    let mut talk = Talk::open(&sandbox, Service::Pop3);
    talk.line().await;
    check(
        &mut talk,
        "CAPA\n",
        &[
            "+OK this is offered",
            "TOP",
            "UIDL",
            "RESP-CODES",
            "AUTH-RESP-CODE",
            "UTF8",
            "PIPELINING",
            "SASL PLAIN",
            "USER",
            "IMPLEMENTATION Posthorn sandbox",
            ".",
        ],
    )
    .await;
}
