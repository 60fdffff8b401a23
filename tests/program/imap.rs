//! IMAP, from the first sync to what another client does meanwhile.

use posthorn_model::Security;
use serde_json::Value;

use crate::mail::{message, odd_messages};
use crate::server::{Server, USER, on_each_server};

on_each_server! {
    mail_arrives_whole
    flags_travel_both_ways
    messages_are_moved_deleted_and_put_back
    what_others_removed_goes_here_too
}

fn mail_arrives_whole(server: &Server, security: Security) {
    let odd = odd_messages();
    server.seed("INBOX", odd.iter().map(|raw| (raw.as_slice(), "")));
    let grown = message("Flagged and read", "text");
    server.seed("Lists/Rust ü", [(grown.as_slice(), "seen flagged")]);
    let posthorn = server.profile("imap", security, None);

    let report = posthorn.run(&["sync"]).expect(0).json();
    let account = &report["accounts"][0];
    assert_eq!(account["name"], "work");
    assert_eq!(account["protocol"], "imap");
    assert_eq!(account["new"], odd.len() + 1, "{account}");
    assert_eq!(account["bodies"], odd.len() + 1, "{account}");
    assert_eq!(account["problems"], serde_json::json!([]));
    for figure in ["bytes_in", "bytes_out", "round_trips", "connections", "mailboxes"] {
        assert!(account[figure].as_u64() > Some(0), "{figure}: {account}");
    }

    let mailboxes = posthorn.list(&["mailboxes", "work"], "mailboxes");
    let inbox = mailboxes
        .iter()
        .find(|mailbox| mailbox["path"] == "work/INBOX")
        .unwrap();
    assert_eq!(inbox["total"], odd.len());
    assert_eq!(inbox["unread"], odd.len());
    assert_eq!(inbox["special_use"], "inbox");
    assert!(inbox["uid_validity"].is_u64());
    for (mailbox, purpose) in [
        ("work/Sent", "sent"),
        ("work/Trash", "trash"),
        ("work/Drafts", "drafts"),
    ] {
        let found = mailboxes.iter().find(|found| found["path"] == mailbox);
        assert_eq!(
            found.map(|found| &found["special_use"]),
            Some(&Value::from(purpose)),
            "{mailbox}"
        );
    }
    let list = posthorn.list(&["list", "work/Lists/Rust ü"], "messages");
    assert_eq!(list[0]["flags"], serde_json::json!(["seen", "flagged"]));
    assert_eq!(list[0]["where"], "both");

    for held in server.held(USER, "INBOX") {
        let id = posthorn.id_of("work/INBOX", &held.subject());
        let shown = posthorn.run_plain(&["show", &id, "--raw"]).expect(0).stdout;
        assert_eq!(shown, held.raw, "{}", held.subject());
    }
    let by_header = posthorn.json(&["show", "--message-id", "<flagged-and-read@tests.example>"]);
    assert_eq!(by_header["subject"], "Flagged and read");
    assert_eq!(by_header["text"].as_str().map(str::trim_end), Some("text"));

    // Nothing new: the second pass says so.
    let again = posthorn.run(&["sync"]).expect(0).json();
    let account = &again["accounts"][0];
    for figure in ["new", "changed", "gone", "bodies"] {
        assert_eq!(account[figure], 0, "{figure}: {account}");
    }
}

fn flags_travel_both_ways(server: &Server, security: Security) {
    let (one, two) = (message("One", "1"), message("Two", "2"));
    server.seed("INBOX", [(one.as_slice(), ""), (two.as_slice(), "flagged")]);
    let posthorn = server.profile("imap", security, None);
    posthorn.run(&["sync"]).expect(0);

    let id = posthorn.id_of("work/INBOX", "Two");
    posthorn.json(&[
        "flag", &id, "--add", "seen", "--add", "answered", "--remove", "flagged",
    ]);
    // Here at once, on the server only with the next pass.
    let flags = |subject: &str| {
        let messages = posthorn.list(&["list", "work/INBOX"], "messages");
        messages
            .iter()
            .find(|message| message["subject"] == subject)
            .unwrap()["flags"]
            .clone()
    };
    assert_eq!(flags("Two"), serde_json::json!(["seen", "answered"]));
    assert_eq!(posthorn.list(&["operations"], "operations").len(), 1);
    // Meanwhile another client acts on the same message and on the other one.
    server.set_flag("INBOX", "Two", "Draft");
    server.set_flag("INBOX", "One", "Flagged");

    posthorn.run(&["sync"]).expect(0);
    assert!(posthorn.list(&["operations"], "operations").is_empty());
    let on_server = |subject: &str| -> Vec<String> {
        let held = server.held(USER, "INBOX");
        held.iter()
            .find(|held| held.subject() == subject)
            .unwrap()
            .flags
            .iter()
            .cloned()
            .collect()
    };
    assert_eq!(on_server("Two"), ["answered", "draft", "seen"]);
    assert_eq!(flags("Two"), serde_json::json!(["seen", "answered", "draft"]));
    assert_eq!(flags("One"), serde_json::json!(["flagged"]));
}

fn messages_are_moved_deleted_and_put_back(server: &Server, security: Security) {
    let subjects = ["Archived", "Deleted", "Junked", "Moved", "Stays", "Undone"];
    let raws: Vec<Vec<u8>> = subjects.iter().map(|subject| message(subject, "text")).collect();
    server.seed("INBOX", raws.iter().map(|raw| (raw.as_slice(), "")));
    let other = message("There already", "text");
    server.seed("Other", [(other.as_slice(), "")]);
    let posthorn = server.profile("imap", security, None);
    posthorn.run(&["sync"]).expect(0);
    let id = |subject: &str| posthorn.id_of("work/INBOX", subject);

    posthorn.json(&["move", &id("Moved"), "work/Other"]);
    posthorn.json(&["delete", &id("Deleted")]);
    posthorn.json(&["archive", &id("Archived")]);
    posthorn.json(&["junk", &id("Junked")]);
    posthorn.json(&["move", &id("Undone"), "work/Other"]);
    posthorn.json(&["undo"]);
    let here = |mailbox: &str| {
        let messages = posthorn.list(&["list", mailbox], "messages");
        let mut subjects: Vec<String> = messages
            .iter()
            .map(|message| message["subject"].as_str().unwrap().to_owned())
            .collect();
        subjects.sort();
        subjects
    };
    let expected = [
        ("INBOX", vec!["Stays", "Undone"]),
        ("Other", vec!["Moved", "There already"]),
        ("Trash", vec!["Deleted"]),
        ("Archive", vec!["Archived"]),
        ("Junk", vec!["Junked"]),
    ];
    for (mailbox, subjects) in &expected {
        assert_eq!(
            here(&format!("work/{mailbox}")),
            *subjects,
            "here, before the server hears of it: {mailbox}"
        );
    }
    assert_eq!(
        server.subjects(USER, "INBOX").len(),
        6,
        "the server heard of it before a sync"
    );

    // Twice: the second pass must not move anything back.
    for pass in 1..=2 {
        posthorn.run(&["sync"]).expect(0);
        for (mailbox, subjects) in &expected {
            assert_eq!(
                here(&format!("work/{mailbox}")),
                *subjects,
                "here, pass {pass}: {mailbox}"
            );
            assert_eq!(
                server.subjects(USER, mailbox),
                *subjects,
                "on the server, pass {pass}: {mailbox}"
            );
        }
    }
    assert!(posthorn.list(&["operations"], "operations").is_empty());

    // From the trash it is deleted for good.
    posthorn.json(&["delete", &posthorn.id_of("work/Trash", "Deleted")]);
    posthorn.run(&["sync"]).expect(0);
    assert!(here("work/Trash").is_empty());
    assert!(server.subjects(USER, "Trash").is_empty());
}

fn what_others_removed_goes_here_too(server: &Server, security: Security) {
    let raws: Vec<Vec<u8>> = (0..10).map(|n| message(&format!("Number {n}"), "text")).collect();
    server.seed("INBOX", raws.iter().map(|raw| (raw.as_slice(), "")));
    let first = server.profile("imap", security, None);
    let second = server.profile("imap", security, None);
    first.run(&["sync"]).expect(0);
    second.run(&["sync"]).expect(0);

    second.json(&["move", &second.id_of("work/INBOX", "Number 3"), "work/Trash"]);
    second.run(&["sync"]).expect(0);
    let report = first.run(&["sync"]).expect(0).json();
    // It moved: nothing is gone, and nothing is fetched again.
    for (figure, expect) in [("gone", 0), ("new", 0), ("bodies", 0), ("changed", 1)] {
        assert_eq!(report["accounts"][0][figure], expect, "{figure}: {report}");
    }
    assert_eq!(first.list(&["list", "work/INBOX"], "messages").len(), 9);
    assert_eq!(first.list(&["list", "work/Trash"], "messages").len(), 1);
}
