//! Every fault happens, and happens once.

use super::{Talk, empty};
use crate::{Fault, NewMessage, Sandbox, Service};

fn with_message() -> Sandbox {
    let sandbox = empty();
    let raw = b"Subject: 1\r\n\r\nbody\r\n".to_vec();
    sandbox
        .add_message(
            "INBOX",
            NewMessage {
                raw,
                ..NewMessage::default()
            },
        )
        .unwrap();
    sandbox
}

/// Sends everything, and reads to the end.
async fn run(sandbox: &Sandbox, service: Service, commands: &str) -> String {
    let mut talk = Talk::open(sandbox, service);
    talk.send(&commands.replace('\n', "\r\n")).await;
    let mut all = String::new();
    loop {
        let line = talk.line().await;
        if line.is_empty() {
            return all;
        }
        all.push_str(&line);
    }
}

const POP3: &str = "USER robin\nPASS sandbox\nDELE 1\nQUIT\n";
const SMTP: &str = "EHLO me\nAUTH PLAIN AHJvYmluAHNhbmRib3g=\nMAIL FROM:<robin@example.org>\nRCPT TO:<robin@example.org>\nDATA\nSubject: 2\n\n.\nQUIT\n";
const IMAP: &str = "a LOGIN robin sandbox\nb SELECT INBOX\nc UID STORE 1 +FLAGS (\\Seen)\nd LOGOUT\n";

#[tokio::test]
async fn cuts_at_the_chosen_byte() {
    let sandbox = with_message();
    // The first time sets \\Seen, which shows in the replies.
    run(&sandbox, Service::Imap, IMAP).await;
    let whole = run(&sandbox, Service::Imap, IMAP).await;
    assert!(whole.ends_with("d OK done\r\n"), "{whole}");
    for bytes in [0, 1, 20, whole.len() - 1] {
        sandbox.faults().inject(Fault::CloseAfterSent {
            service: Service::Imap,
            bytes: bytes as u64,
        });
        let cut = run(&sandbox, Service::Imap, IMAP).await;
        assert_eq!(cut, whole.get(..bytes).unwrap());
    }
    assert_eq!(run(&sandbox, Service::Imap, IMAP).await, whole);
    sandbox.faults().inject(Fault::CloseAfterReceived {
        service: Service::Imap,
        bytes: 30,
    });
    assert!(!run(&sandbox, Service::Imap, IMAP).await.contains("d OK"));
}

#[tokio::test]
async fn answers_in_place_of_doing() {
    let sandbox = with_message();
    sandbox.faults().inject(Fault::Answer {
        service: Service::Imap,
        command: "uid store".into(),
        reply: "NO [INUSE] later".into(),
    });
    let all = run(&sandbox, Service::Imap, IMAP).await;
    assert!(all.contains("c NO [INUSE] later\r\n"), "{all}");
    assert!(sandbox.messages("INBOX")[0].flags.is_empty());
    sandbox.faults().inject(Fault::CloseBeforeAnswer {
        service: Service::Imap,
        command: "UID STORE".into(),
    });
    let all = run(&sandbox, Service::Imap, IMAP).await;
    assert!(!all.contains("c OK"), "{all}");
    assert!(
        !sandbox.messages("INBOX")[0].flags.is_empty(),
        "it was done all the same"
    );
}

#[tokio::test]
async fn refuses_one_login() {
    let sandbox = with_message();
    for (service, commands, refused) in [
        (Service::Imap, IMAP, "a NO [AUTHENTICATIONFAILED]"),
        (Service::Pop3, "USER robin\nPASS sandbox\nQUIT\n", "-ERR [AUTH]"),
        (Service::Smtp, SMTP, "535 5.7.8"),
    ] {
        sandbox.faults().inject(Fault::RefuseLogin { service });
        assert!(
            run(&sandbox, service, commands).await.contains(refused),
            "{service:?}"
        );
        assert!(
            !run(&sandbox, service, commands).await.contains(refused),
            "{service:?}"
        );
    }
}

#[tokio::test]
async fn drops_quit_with_and_without_deleting() {
    for deletes in [false, true] {
        let sandbox = with_message();
        sandbox.faults().inject(Fault::DropQuit { deletes });
        let all = run(&sandbox, Service::Pop3, POP3).await;
        assert!(!all.contains("bye"), "{all}");
        assert_eq!(sandbox.messages("INBOX").is_empty(), deletes);
        assert!(
            run(&sandbox, Service::Pop3, "USER robin\nPASS sandbox\nQUIT\n")
                .await
                .contains("bye")
        );
    }
}

#[tokio::test]
async fn closes_after_the_final_dot_with_and_without_delivering() {
    for delivers in [false, true] {
        let sandbox = empty();
        sandbox.faults().inject(Fault::CloseAfterFinalDot { delivers });
        let all = run(&sandbox, Service::Smtp, SMTP).await;
        assert!(!all.contains("250 2.0.0 taken"), "{all}");
        assert_eq!(sandbox.messages("INBOX").len(), usize::from(delivers));
    }
}

#[tokio::test(start_paused = true)]
async fn delays_replies_by_virtual_time() {
    let sandbox = empty();
    sandbox
        .faults()
        .set_delay(Some(std::time::Duration::from_millis(50)));
    let before = tokio::time::Instant::now();
    run(&sandbox, Service::Imap, "a NOOP\nb NOOP\nc LOGOUT\n").await;
    let taken = before.elapsed().as_millis();
    assert!(
        (50..200).contains(&taken),
        "pipelined commands share a delay: {taken} ms"
    );
}
