//! Submissions to servers that break SMTP on purpose.

use super::*;
use crate::hostile::{Hostile, alice};
use posthorn_model::Security;

fn tell(outcome: &Outcome) -> String {
    match outcome {
        Outcome::Accepted { refused, .. } => format!("accepted {}", refused.len()),
        Outcome::Refused(error) => format!("refused {} {}", error.class.name(), error.permanent),
        Outcome::NotSent(error) => format!("not sent {}", error.class.name()),
        Outcome::Uncertain(error) => format!("uncertain {}", error.class.name()),
    }
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn hostile_servers_are_never_told_as_sent_by_mistake() {
    let Some(mut server) = Hostile::start("hostile_smtp.py", &["--size", "2"]) else {
        return;
    };
    let (dialer, endpoint) = (server.dialer(100_000), server.endpoint(Security::StartTls));
    let credentials = alice();
    let all: [(&str, &str); 46] = [
        ("ok", "accepted 0"),
        ("no-starttls", "not sent config"),
        ("starttls-refused", "not sent config"),
        ("starttls-garbage", "not sent protocol"),
        ("starttls-inject", "not sent protocol"),
        ("starttls-inject-all", "not sent protocol"),
        ("pretls-capa", "accepted 0"),
        ("ehlo-500", "not sent config"),
        ("greeting-554", "not sent network"),
        ("greeting-421", "not sent network"),
        ("greeting-none", "not sent network"),
        ("greeting-garbage", "not sent config"),
        ("greeting-huge", "not sent protocol"),
        ("auth-535", "not sent auth"),
        ("auth-454", "not sent network"),
        ("auth-530", "not sent auth"),
        ("auth-none", "not sent config"),
        ("auth-cram", "not sent config"),
        ("auth-stall", "not sent network"),
        ("mail-4xx", "refused refused false"),
        ("mail-5xx", "refused refused true"),
        ("rcpt-4xx", "accepted 1"),
        ("rcpt-5xx", "accepted 1"),
        ("rcpt-452", "accepted 1"),
        ("rcpt-all-5xx", "refused refused true"),
        ("data-4xx", "refused refused false"),
        ("data-5xx", "refused refused true"),
        ("dot-4xx", "refused refused false"),
        ("dot-5xx", "refused refused true"),
        ("dot-550-but-stored", "refused refused true"),
        ("drop-after-dot", "uncertain network"),
        ("drop-after-dot-lost", "uncertain network"),
        ("slow-after-dot", "accepted 0"),
        ("drop-mid-data", "uncertain network"),
        ("stall-data", "not sent network"),
        ("quit-drop", "accepted 0"),
        ("size-limit", "refused refused true"),
        ("no-8bitmime", "accepted 0"),
        ("reply-malformed", ""),
        ("reply-flood", "not sent protocol"),
        ("pipeline-desync", "not sent protocol"),
        ("421-any", "not sent network"),
        ("multi-250", "not sent protocol"),
        ("drop-random", ""),
        ("drop-random", ""),
        ("drop-random", ""),
    ];
    let mut wrong = Vec::new();
    for (turn, (mode, expect)) in all.into_iter().enumerate() {
        server.tell("set logins 0");
        server.tell(&format!("mode {mode}"));
        let padding = if mode == "size-limit" { 3000 } else { 300 };
        let message = Message {
            from: "alice@localhost".into(),
            to: ["you", "slow", "bad", "fourth"]
                .map(|to| format!("{to}@x.example"))
                .to_vec(),
            raw: format!(
                "Message-ID: <m{turn}@x.example>\nSubject: x\n\n.\n.dot\n{}\n",
                "filler ".repeat(padding / 7)
            )
            .into(),
        };
        let told = tell(&submit(&dialer, &endpoint, Some(&credentials), &message).await);
        let stored = server.tell("state").contains(&format!("<m{turn}@x.example>"));
        let truthful = if told.starts_with("accepted") {
            stored
        } else {
            !stored || told.starts_with("uncertain") || mode == "dot-550-but-stored"
        };
        if !truthful || (told != expect && !expect.is_empty()) {
            wrong.push(format!(
                "{mode}: {told:?} instead of {expect:?}, stored: {stored}"
            ));
        }
    }
    assert!(wrong.is_empty(), "{wrong:#?}");
    assert_eq!(server.violations(), Vec::<String>::new());
}
