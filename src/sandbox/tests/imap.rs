use super::{Talk, empty};
use crate::{NewMessage, Service};

#[tokio::test]
async fn greets_and_logs_in() {
    let sandbox = empty();
    let mut talk = Talk::open(&sandbox, Service::Imap);
    assert!(
        talk.line()
            .await
            .starts_with("* OK [CAPABILITY IMAP4rev1 LITERAL+ SASL-IR")
    );
    talk.check("SELECT INBOX", "t BAD log in first").await;
    talk.check(
        "LOGIN robin wrong",
        "t NO [AUTHENTICATIONFAILED] wrong user name or password",
    )
    .await;
    let answer = talk.ask("LOGIN robin \"sandbox\"").await;
    assert!(answer.starts_with("t OK [CAPABILITY "), "{answer}");
}

#[tokio::test]
async fn idle_announces_what_arrives() {
    let sandbox = empty();
    let mut talk = Talk::open(&sandbox, Service::Imap);
    talk.line().await;
    talk.ask("LOGIN robin sandbox").await;
    talk.ask("SELECT INBOX").await;
    talk.send("t IDLE\r\n").await;
    talk.until("+ ").await;
    sandbox.add_message(
        "INBOX",
        NewMessage {
            raw: b"Subject: new\r\n\r\n".to_vec(),
            ..NewMessage::default()
        },
    );
    assert_eq!(talk.until("* 1 EXISTS").await, "* 1 EXISTS\r\n");
    talk.send("DONE\r\n").await;
    talk.until("t OK").await;
}
