//! Sessions with servers that break POP3 on purpose.

use super::*;
use crate::hostile::{Hostile, alice};
use posthorn_model::Security;
use sha2::{Digest, Sha256};
use tokio::sync::mpsc;

/// The first 24 hex digits, by which the server names messages in its log.
fn name(bytes: &[u8]) -> String {
    Sha256::digest(bytes)
        .iter()
        .take(12)
        .map(|byte| format!("{byte:02x}"))
        .collect()
}

/// A whole session in one line: what was listed, what was received, how it ended. Deletes nothing but message 1, and
/// that only where `delete` says so.
async fn visit(dialer: &Dialer, endpoint: &Endpoint, delete: bool) -> (String, Vec<Vec<u8>>) {
    let mut told = String::new();
    let mut messages = Vec::new();
    let mut tell = |words: String| {
        told.push_str(&words);
        told.push(' ');
    };
    let mut session = match Session::connect(dialer, endpoint, &alice()).await {
        Ok(session) => session,
        Err(error) => return (format!("login:{}", error.class.name()), messages),
    };
    let class = |error: &Error| error.class.name();
    tell(session.stat().await.map_or_else(
        |error| format!("stat:{}", class(&error)),
        |stat| stat.0.to_string(),
    ));
    let list = session.list().await;
    tell(
        list.as_ref()
            .map_or_else(|error| class(error).to_owned(), |list| list.len().to_string()),
    );
    match session.uidl().await {
        Ok(Some(ids)) => tell(ids.len().to_string()),
        Ok(None) => tell("no-ids".into()),
        Err(error) => tell(class(&error).into()),
    }
    let numbers: Vec<_> = list
        .unwrap_or_default()
        .iter()
        .take(5)
        .map(|(number, size)| (*number, Some(*size)))
        .collect();
    let (sender, mut receiver) = mpsc::channel(2);
    let gather = async {
        let mut got = String::new();
        while let Some(Retrieved { result, .. }) = receiver.recv().await {
            match result {
                Ok(payload) => {
                    got.push('+');
                    messages.push(payload.into_bytes().expect("bytes"));
                }
                Err(error) => got.push_str(&format!("({})", error.class.name())),
            }
        }
        got
    };
    let fetch = async {
        let result = session.retrieve(&numbers, &sender).await;
        drop(sender);
        result
    };
    let (fetched, got) = tokio::join!(fetch, gather);
    tell(got);
    if let Err(error) = fetched {
        tell(format!("retr:{}", class(&error)));
        return (told.trim().to_owned(), messages);
    }
    if delete {
        let answers = session.delete(&[MsgNo(1)]).await.expect("answers");
        tell(
            answers[0]
                .1
                .as_ref()
                .map_or_else(|error| format!("dele:{}", class(error)), |_| "deleted".into()),
        );
    }
    tell(
        session
            .quit()
            .await
            .map_or_else(|error| format!("quit:{}", class(&error)), |_| "bye".into()),
    );
    (told.trim().to_owned(), messages)
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn hostile_servers_get_the_better_of_nobody() {
    let Some(mut server) = Hostile::start("hostile_pop3.py", &["--size", "8"]) else {
        return;
    };
    let (dialer, endpoint) = (server.dialer(100_000), server.endpoint(Security::StartTls));
    let all: [(&str, &str); 44] = [
        ("ok", "5 5 5 +++++ bye"),
        ("stls-stripped", "login:config"),
        ("stls-refused", "login:config"),
        ("stls-inject", "login:protocol"),
        ("apop-weak", "5 5 5 +++++ bye"),
        ("auth-fail", "login:auth"),
        ("sys-temp", "login:network"),
        ("in-use", "login:network"),
        ("login-delay", "login:network"),
        ("greeting-err", "login:network"),
        ("greeting-garbage", "login:config"),
        ("greeting-none", "login:network"),
        ("stall-login", "login:network"),
        ("stall-retr", "5 5 5 +(network) retr:network"),
        ("drop-mid-retr", "5 5 5 +(network) retr:network"),
        ("drop-mid-retr-rst", "5 5 5 + retr:network"),
        ("drop-after-retr", "5 5 5 +++++ retr:network"),
        ("err-midway", "5 5 5 +(network)+++ bye"),
        ("err-list", "5 refused 5  bye"),
        ("err-stat", "stat:refused 5 5 +++++ bye"),
        ("uidl-none", "5 5 no-ids +++++ bye"),
        ("uidl-dup", "5 5 5 +++++ bye"),
        ("uidl-change", "5 5 5 +++++ bye"),
        ("uidl-evil", "5 5 4 +++++ bye"),
        ("uidl-partial", "5 5 4 +++++ bye"),
        ("uidl-mixed", "5 5 5 +++++ bye"),
        ("renumber", "5 5 5 +++++ bye"),
        ("list-lie", "5 5 5 +++++ bye"),
        ("stat-lie", "8 5 5 +++++ bye"),
        ("stat-huge", "stat:protocol 5 5 +++++ bye"),
        ("list-flood", "5 500000 5 +++++ bye"),
        ("unterminated", "5 5 5 + retr:network"),
        ("unterminated-stall", "5 5 5 + retr:network"),
        ("no-stuff", "5 5 5 (protocol) retr:protocol"),
        ("over-stuff", "5 5 5 (protocol) retr:protocol"),
        ("bare-lf", "5 5 5 +++++ bye"),
        ("bare-cr", "5 5 5 +++++ bye"),
        ("eightbit", "5 5 5 +++++ bye"),
        ("huge-line", "5 5 5 +++++ bye"),
        ("huge-message", "5 5 5 +++++ bye"),
        (
            "empty-message",
            "5 5 5 (protocol)(protocol)(protocol)(protocol)(protocol) bye",
        ),
        ("dot-only", "5 5 5 +++++ bye"),
        ("top-missing", "5 5 5 +++++ bye"),
        ("capa-missing", "5 5 5 +++++ bye"),
    ];
    let log = std::fs::read_to_string(server.log()).expect("log");
    let mut wrong = Vec::new();
    for (mode, expect) in all {
        server.tell(&format!("mode {mode}"));
        let (told, messages) = visit(&dialer, &endpoint, false).await;
        // A reset may take the status line along, and then the message has not begun.
        let told = if mode.ends_with("-rst") {
            told.replace("(network)", "")
        } else {
            told
        };
        if told != expect {
            wrong.push(format!("{mode}: {told:?} instead of {expect:?}"));
        }
        // What the server says it stored is what came.
        let as_stored = !matches!(
            mode,
            "eightbit" | "huge-line" | "huge-message" | "empty-message" | "dot-only" | "bare-lf" | "bare-cr"
        );
        for message in messages.iter().filter(|_| as_stored) {
            if !log.contains(&name(message)) {
                wrong.push(format!(
                    "{mode}: a message differs from what is stored: {message:?}"
                ));
            }
        }
    }
    assert!(wrong.is_empty(), "{wrong:#?}");
    assert_eq!(server.violations(), Vec::<String>::new());
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn deletions_are_believed_only_when_confirmed() {
    let Some(mut server) = Hostile::start("hostile_pop3.py", &["--count", "20"]) else {
        return;
    };
    let (dialer, endpoint) = (server.dialer(100_000), server.endpoint(Security::StartTls));
    for (mode, expect) in [
        ("dele-err", "20 20 20 +++++ dele:refused bye"),
        ("quit-err", "20 20 20 +++++ deleted quit:network"),
        ("drop-before-quit", "20 20 20 +++++ deleted quit:network"),
        ("quit-commit-drop", "20 20 20 +++++ deleted quit:network"),
        ("ok", "19 19 19 +++++ deleted bye"),
        ("ok", "18 18 18 +++++ deleted bye"),
    ] {
        server.tell(&format!("mode {mode}"));
        let (told, _) = visit(&dialer, &endpoint, true).await;
        assert_eq!(told, expect, "{mode}");
    }
    assert_eq!(server.violations(), Vec::<String>::new());
}
