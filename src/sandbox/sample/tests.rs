use std::collections::BTreeSet;

use posthorn_model::Flag;

use super::*;
use crate::{Sandbox, SandboxOptions, StoredMessage};

const NOW: Timestamp = Timestamp(1_750_000_000);

fn filled() -> Sandbox {
    Sandbox::without_ports(SandboxOptions {
        now: Some(NOW),
        ..SandboxOptions::default()
    })
    .unwrap()
}

fn all(sandbox: &Sandbox) -> Vec<StoredMessage> {
    let mailboxes = sandbox.store().mailboxes(&sandbox.username);
    mailboxes
        .iter()
        .flat_map(|mailbox| sandbox.messages(&mailbox.path))
        .collect()
}

#[test]
fn is_well_formed_mail_of_the_last_sixty_days() {
    let sandbox = filled();
    let messages = all(&sandbox);
    assert!(messages.len() > 55, "{}", messages.len());
    let mut ids = BTreeSet::new();
    for message in &messages {
        let text = String::from_utf8_lossy(&message.raw);
        let (head, _) = text.split_once("\r\n\r\n").unwrap();
        assert!(
            !text.replace("\r\n", "").contains(['\r', '\n']),
            "bare line end: {head}"
        );
        assert!(text.lines().all(|line| line.len() <= 998), "long line: {head}");
        assert!(head.is_ascii(), "{head}");
        for name in [
            "From: ",
            "To: ",
            "Subject: ",
            "Date: ",
            "Message-ID: ",
            "Content-Type: ",
        ] {
            assert_eq!(
                head.matches(&format!("\n{name}")).count() + usize::from(head.starts_with(name)),
                1,
                "{name}: {head}"
            );
        }
        assert!(!text.contains("{me}") && !text.contains("{address}"), "{head}");
        let id = head.lines().find(|line| line.starts_with("Message-ID:")).unwrap();
        assert!(ids.insert(id.to_owned()), "{id} twice");
        let age = NOW.0 - message.internal_date.0;
        assert!((0..61 * Timestamp::DAY).contains(&age), "{age}: {head}");
    }
}

#[test]
fn fills_every_kind_of_mailbox() {
    let sandbox = filled();
    for path in [
        "INBOX",
        "Sent",
        "Drafts",
        "Junk",
        "Trash",
        "Archive",
        "Travel",
        "Projects/Lighthouse",
        "Lists/Paper boats",
    ] {
        assert!(!sandbox.messages(path).is_empty(), "{path}");
    }
    let unread = |path: &str| {
        sandbox
            .messages(path)
            .iter()
            .filter(|m| !m.flags.contains(Flag::Seen))
            .count()
    };
    assert!((4..12).contains(&unread("INBOX")), "{}", unread("INBOX"));
    assert_eq!(unread("Sent"), 0);
    assert!(sandbox.messages("Drafts")[0].flags.contains(Flag::Draft));
    let dates: Vec<_> = sandbox
        .messages("INBOX")
        .iter()
        .map(|m| m.internal_date)
        .collect();
    assert!(dates.is_sorted(), "mail came in the order of its dates");
}

#[test]
fn only_placeholders_are_named() {
    let reserved = [".example", "example.org", "example.com", "example.net"];
    for message in all(&filled()) {
        let text = String::from_utf8_lossy(&message.raw);
        for address in text
            .split(['<', '>', ' ', '\r', '\n', '"', ':', ';', ','])
            .filter(|word| word.contains('@'))
        {
            let domain = address
                .rsplit('@')
                .next()
                .unwrap()
                .trim_end_matches(['.', ')', '?', '=']);
            let ours = domain.is_empty() || reserved.iter().any(|end| domain.ends_with(end));
            assert!(ours || !domain.contains('.'), "{address}");
        }
    }
}
