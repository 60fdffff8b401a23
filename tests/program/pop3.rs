//! POP3: what comes down, and what is left on the server.

use posthorn_model::Security;

use crate::mail::{message, odd_messages};
use crate::server::{Server, USER, on_each_server};

on_each_server! {
    mail_arrives_whole_and_once
    the_policy_decides_what_stays_on_the_server
    removed_here_then_removed_there
    what_vanishes_there_stays_here
}

fn mail_arrives_whole_and_once(server: &Server, security: Security) {
    let odd = odd_messages();
    server.seed("INBOX", odd.iter().map(|raw| (raw.as_slice(), "")));
    let posthorn = server.profile("pop3", security, None);
    let report = posthorn.run(&["sync"]).expect(0).json();
    assert_eq!(report["accounts"][0]["new"], odd.len(), "{report}");
    assert_eq!(report["accounts"][0]["bodies"], odd.len(), "{report}");
    for held in server.held(USER, "INBOX") {
        let id = posthorn.id_of("work/INBOX", &held.subject());
        let shown = posthorn.run_plain(&["show", &id, "--raw"]).expect(0).stdout;
        // RFC 1939 section 3: a response's lines all end with CRLF, the message's last one too.
        let mut served = held.raw.clone();
        if !served.ends_with(b"\r\n") {
            served.extend_from_slice(b"\r\n");
        }
        assert_eq!(shown, served, "{}", held.subject());
    }
    let late = message("Late", "text");
    server.seed("INBOX", [(late.as_slice(), "")]);
    let report = posthorn.run(&["sync"]).expect(0).json();
    assert_eq!(report["accounts"][0]["new"], 1, "{report}");
    assert_eq!(posthorn.list(&["list", "inbox"], "messages").len(), odd.len() + 1);
    assert_eq!(
        server.held(USER, "INBOX").len(),
        odd.len() + 1,
        "left on the server by default"
    );
}

fn the_policy_decides_what_stays_on_the_server(server: &Server, security: Security) {
    let check = |policy: &str, left: usize, lives: &str| {
        let before = server.held(USER, "INBOX").len();
        for number in before..3 {
            let raw = message(&format!("For {policy} {number}"), "text");
            server.seed("INBOX", [(raw.as_slice(), "")]);
        }
        let posthorn = server.profile("pop3", security, Some(policy));
        posthorn.run(&["sync"]).expect(0);
        // A policy may act on what is verified here only at the next check.
        posthorn.run(&["sync"]).expect(0);
        assert_eq!(server.held(USER, "INBOX").len(), left, "{policy}");
        let messages = posthorn.list(&["list", "inbox"], "messages");
        assert_eq!(messages.len(), 3, "{policy}");
        for message in &messages {
            assert_eq!(message["where"], lives, "{policy}: {message}");
        }
        let deletions = posthorn.list(&["ledger", "work"], "deletions");
        assert_eq!(deletions.len(), 3 - left, "{policy}");
        for deletion in &deletions {
            assert_eq!(deletion["state"], "deleted", "{policy}: {deletion}");
            assert!(deletion["verified"]["sha256"].is_string(), "{policy}: {deletion}");
            assert_ne!(deletion["why"], "", "{policy}");
        }
    };
    check("forever", 3, "both");
    check("until-removed", 3, "both");
    check("30", 3, "leaving");
    check("0", 0, "only_here");
    check("never", 0, "only_here");
}

fn removed_here_then_removed_there(server: &Server, security: Security) {
    for subject in ["Keep", "Remove"] {
        let raw = message(subject, "text");
        server.seed("INBOX", [(raw.as_slice(), "")]);
    }
    let posthorn = server.profile("pop3", security, Some("until-removed"));
    posthorn.run(&["sync"]).expect(0);
    posthorn.json(&["delete", &posthorn.id_of("work/INBOX", "Remove")]);
    assert_eq!(server.subjects(USER, "INBOX"), ["Keep", "Remove"]);
    posthorn.run(&["sync"]).expect(0);
    posthorn.run(&["sync"]).expect(0);
    assert_eq!(server.subjects(USER, "INBOX"), ["Keep"]);
    assert_eq!(
        posthorn.list(&["list", "work/Trash"], "messages").len(),
        1,
        "the copy here is in the trash"
    );
    assert_eq!(posthorn.list(&["list", "work/INBOX"], "messages").len(), 1);
}

fn what_vanishes_there_stays_here(server: &Server, security: Security) {
    for number in 0..10 {
        let raw = message(&format!("Number {number}"), "text");
        server.seed("INBOX", [(raw.as_slice(), "")]);
    }
    let posthorn = server.profile("pop3", security, None);
    posthorn.run(&["sync"]).expect(0);
    // Another device takes one away.
    let other = server.profile("imap", security, None);
    other.run(&["sync"]).expect(0);
    other.json(&["move", &other.id_of("work/INBOX", "Number 4"), "work/Trash"]);
    other.run(&["sync"]).expect(0);
    assert_eq!(server.held(USER, "INBOX").len(), 9);

    posthorn.run(&["sync"]).expect(0);
    let messages = posthorn.list(&["list", "inbox"], "messages");
    assert_eq!(messages.len(), 10);
    let lost = messages
        .iter()
        .find(|message| message["subject"] == "Number 4")
        .unwrap();
    assert_eq!(lost["where"], "only_here");
}
