use posthorn_testkit::mailserver::{Kind, quote};

use super::{Place, Script, Where, flags_of, run, sync};
use crate::mail::{message, odd_messages};
use crate::posthorn::{Posthorn, signal, wait_for_end};

const SCRIPTS: [(&str, Script); 13] = [
    ("arrives-whole", arrives_whole),
    ("new-mail", new_mail_and_nothing_new),
    ("flags", flags_go_both_ways),
    ("acts-here", acts_here_are_done_there),
    ("acts-there", acts_there_are_seen_here),
    ("mailboxes", mailboxes_come_and_go),
    ("odd-names", odd_names_are_only_names),
    ("new-numbers", another_uid_validity_downloads_nothing),
    ("killed", killed_in_the_middle),
    ("large", a_large_message),
    ("offline", what_was_done_offline_meets_what_was_done_there),
    ("twice", two_profiles_on_one_account),
    ("pushed", new_mail_is_told_at_once),
];

#[test]
fn dovecot() {
    run(Where::Real(Kind::Dovecot), "imap", false, &SCRIPTS);
}

#[test]
fn dovecot_without_extensions() {
    run(Where::Real(Kind::Dovecot), "imap", true, &SCRIPTS);
}

#[test]
fn cyrus() {
    run(Where::Real(Kind::Cyrus), "imap", false, &SCRIPTS);
}

#[test]
fn cyrus_without_extensions() {
    run(Where::Real(Kind::Cyrus), "imap", true, &SCRIPTS);
}

#[test]
fn courier() {
    run(Where::Real(Kind::Courier), "imap", false, &SCRIPTS);
}

#[test]
fn courier_without_extensions() {
    run(Where::Real(Kind::Courier), "imap", true, &SCRIPTS);
}

#[test]
fn sandbox() {
    run(Where::Sandbox, "imap", false, &SCRIPTS);
}

#[test]
fn sandbox_without_extensions() {
    run(Where::Sandbox, "imap", true, &SCRIPTS);
}

fn several(words: &str) -> Vec<Vec<u8>> {
    words
        .split_whitespace()
        .map(|word| message(word, &format!("The text of {word}.")))
        .collect()
}

fn arrives_whole(place: &Place) {
    let mut odd = odd_messages();
    if place.kind() == Some(Kind::Cyrus) {
        // Cyrus refuses what it calls a bare newline or a NUL, and nothing of these has one.
        odd.retain(|raw| !raw.contains(&0));
    }
    place.seed("INBOX", &odd);
    place.seed("Archive", &several("Old"));
    let posthorn = place.profile(None);
    let report = sync(&posthorn);
    assert_eq!(report["new"], odd.len() + 1, "{report}");
    assert_eq!(report["bodies"], odd.len() + 1, "{report}");
    place.assert_same(&posthorn, "INBOX");
    place.assert_same(&posthorn, "Archive");
}

fn new_mail_and_nothing_new(place: &Place) {
    place.seed("INBOX", &several("One Two"));
    let posthorn = place.profile(None);
    sync(&posthorn);
    for (round, word) in ["Three", "Four"].iter().enumerate() {
        let report = sync(&posthorn);
        for figure in ["new", "changed", "gone", "bodies"] {
            assert_eq!(report[figure], 0, "{round}: {figure}: {report}");
        }
        place.seed("INBOX", &several(word));
        assert_eq!(sync(&posthorn)["new"], 1);
    }
    place.assert_same(&posthorn, "INBOX");
}

fn flags_go_both_ways(place: &Place) {
    place.seed("INBOX", &several("One Two"));
    let posthorn = place.profile(None);
    sync(&posthorn);
    let id = place.id(&posthorn, "INBOX", "One");
    posthorn.json(&["flag", &id, "--add", "seen", "--add", "$Forwarded"]);
    place.elsewhere("INBOX", "One", "UID STORE {uid} +FLAGS (\\Flagged)");
    place.elsewhere("INBOX", "Two", "UID STORE {uid} +FLAGS (\\Answered)");
    sync(&posthorn);
    sync(&posthorn);
    let served = place.held("INBOX");
    assert_eq!(served[0].flags, ["$Forwarded", "\\Flagged", "\\Seen"]);
    let messages = posthorn.list(&["list", &place.here("INBOX")], "messages");
    for (subject, expect) in [
        ("One", vec!["seen", "flagged", "$Forwarded"]),
        ("Two", vec!["answered"]),
    ] {
        let message = messages.iter().find(|message| message["subject"] == subject);
        assert_eq!(flags_of(message.unwrap()), expect, "{subject}");
    }
    posthorn.json(&["flag", &id, "--remove", "seen"]);
    place.elsewhere("INBOX", "Two", "UID STORE {uid} FLAGS ()");
    sync(&posthorn);
    let served = place.held("INBOX");
    assert_eq!(served[0].flags, ["$Forwarded", "\\Flagged"]);
    let messages = posthorn.list(&["list", &place.here("INBOX")], "messages");
    assert!(messages.iter().any(|message| flags_of(message).is_empty()));
}

/// Whether the server has heard of all: what one without UIDPLUS keeps is only remembered.
fn nothing_waits(posthorn: &Posthorn) -> bool {
    let operations = posthorn.list(&["operations"], "operations");
    operations
        .iter()
        .all(|operation| operation["kind"] == "left-deleted")
}

fn acts_here_are_done_there(place: &Place) {
    place.seed("INBOX", &several("Archived Deleted Junked Moved Stays Undone"));
    place.seed("Other", &several("There"));
    let posthorn = place.profile(None);
    sync(&posthorn);
    let id = |subject: &str| place.id(&posthorn, "INBOX", subject);
    posthorn.json(&["move", &id("Moved"), &place.here("Other")]);
    posthorn.json(&["delete", &id("Deleted")]);
    posthorn.json(&["archive", &id("Archived")]);
    posthorn.json(&["junk", &id("Junked")]);
    posthorn.json(&["move", &id("Undone"), &place.here("Other")]);
    posthorn.json(&["undo"]);
    for pass in 1..=3 {
        sync(&posthorn);
        for (path, expect) in [
            ("INBOX", vec!["Stays", "Undone"]),
            ("Other", vec!["Moved", "There"]),
            ("Trash", vec!["Deleted"]),
            ("Archive", vec!["Archived"]),
            ("Junk", vec!["Junked"]),
        ] {
            assert_eq!(place.subjects(path), expect, "pass {pass}: there in {path}");
            assert_eq!(
                place.listed(&posthorn, path),
                expect,
                "pass {pass}: here in {path}"
            );
        }
    }
    assert!(nothing_waits(&posthorn));
    posthorn.json(&["delete", &place.id(&posthorn, "Trash", "Deleted")]);
    sync(&posthorn);
    assert!(place.subjects("Trash").is_empty());
    assert!(place.listed(&posthorn, "Trash").is_empty());
    // What the server could only mark goes on the user's word.
    let operations = posthorn.list(&["operations"], "operations");
    for operation in &operations {
        let path = operation["mailbox"].as_str().unwrap();
        posthorn.json(&["mailbox", "expunge", path]);
        sync(&posthorn);
    }
    assert!(posthorn.list(&["operations"], "operations").is_empty());
    for path in ["INBOX", "Trash"] {
        let served = place.held(path);
        assert!(
            served
                .iter()
                .all(|message| message.flags.iter().all(|flag| flag != "\\Deleted"))
        );
        place.assert_same(&posthorn, path);
    }
}

fn acts_there_are_seen_here(place: &Place) {
    place.seed("INBOX", &several("A B C D E F G H I J"));
    let posthorn = place.profile(None);
    sync(&posthorn);
    let target = quote(&place.wire("Archive"));
    place.elsewhere(
        "INBOX",
        "C",
        &format!("UID COPY {{uid}} {target}; UID STORE {{uid}} +FLAGS (\\Deleted); EXPUNGE"),
    );
    place.elsewhere("INBOX", "F", "UID STORE {uid} +FLAGS (\\Deleted); EXPUNGE");
    place.elsewhere("INBOX", "H", &format!("UID COPY {{uid}} {target}"));
    sync(&posthorn);
    place.assert_same(&posthorn, "INBOX");
    place.assert_same(&posthorn, "Archive");
    assert_eq!(place.listed(&posthorn, "INBOX").len(), 8);
}

fn mailboxes_come_and_go(place: &Place) {
    let posthorn = place.profile(None);
    sync(&posthorn);
    place.seed("Made", &several("One"));
    place.seed("Made/Below", &several("Two"));
    sync(&posthorn);
    place.assert_same(&posthorn, "Made");
    place.assert_same(&posthorn, "Made/Below");
    let mut other = place.other();
    for command in [
        format!(
            "RENAME {} {}",
            quote(&place.wire("Made")),
            quote(&place.wire("Renamed"))
        ),
        format!("CREATE {}", quote(&place.wire("Empty"))),
    ] {
        other.command(&command).unwrap();
    }
    drop(other);
    let report = sync(&posthorn);
    assert!(
        report["problems"].as_array().is_none_or(Vec::is_empty),
        "{report}"
    );
    place.assert_same(&posthorn, "Renamed");
    place.assert_same(&posthorn, "Renamed/Below");
    assert!(place.listed(&posthorn, "Empty").is_empty());
    place
        .other()
        .command(&format!("DELETE {}", quote(&place.wire("Empty"))))
        .unwrap();
    sync(&posthorn);
    let names = posthorn.list(&["mailboxes"], "mailboxes");
    let known = |path: &str| {
        let wanted = place.here(path);
        names.iter().any(|mailbox| mailbox["path"] == wanted)
    };
    assert!(known("Renamed"), "{names:#?}");
    assert!(!known("Empty") && !known("Made"), "{names:#?}");
}

fn odd_names_are_only_names(place: &Place) {
    // As IMAP writes them, and as they read.
    let names = [
        ("Entw&APw-rfe", "Entwürfe"),
        ("&U,BTFw- &ZeVnLIqe-", "台北 日本語"),
        ("R&-D", "R&D"),
        ("two  spaces", "two  spaces"),
        ("per%cent *", "per%cent *"),
        ("it's (1) [2] {3}", "it's (1) [2] {3}"),
        ("~home", "~home"),
    ];
    let mut made = Vec::new();
    for (wire, name) in names {
        // What a server will not have is no concern of ours.
        let created = place
            .other()
            .command(&format!("CREATE {}", quote(&place.wire(wire))));
        if created.is_ok() {
            place.seed(wire, &several("One"));
            made.push((wire, name));
        }
    }
    assert!(made.len() >= 4, "{made:?}");
    let posthorn = place.profile(None);
    let report = sync(&posthorn);
    assert!(
        report["problems"].as_array().is_none_or(Vec::is_empty),
        "{report}"
    );
    for (wire, name) in &made {
        assert_eq!(place.listed(&posthorn, name), ["One"], "{name}");
        let id = place.id(&posthorn, name, "One");
        posthorn.json(&["flag", &id, "--add", "flagged"]);
        sync(&posthorn);
        assert_eq!(place.held(wire)[0].flags, ["\\Flagged"], "{name}");
    }
}

fn another_uid_validity_downloads_nothing(place: &Place) {
    let raws = several("A B C D E F G H I J K L");
    place.seed("Kept", &raws);
    let posthorn = place.profile(None);
    sync(&posthorn);
    // Servers take the time as UIDVALIDITY, in seconds.
    let before = std::time::SystemTime::now();
    while before.elapsed().unwrap().as_millis() < 1100 {
        std::thread::yield_now();
    }
    place
        .other()
        .command(&format!("DELETE {}", quote(&place.wire("Kept"))))
        .unwrap();
    place.seed("Kept", &raws);
    place.seed("Kept", &several("M"));
    let mut downloaded = 0;
    for _ in 0..3 {
        let report = posthorn.run(&["sync"]).json()["accounts"][0].clone();
        downloaded += report["bodies"].as_u64().unwrap();
    }
    place.assert_same(&posthorn, "Kept");
    assert_eq!(downloaded, 1, "only what is new");
}

fn killed_in_the_middle(place: &Place) {
    let raws: Vec<Vec<u8>> = (0..60)
        .map(|number| message(&format!("Number {number:02}"), &"line of text\r\n".repeat(400)))
        .collect();
    place.seed("INBOX", &raws);
    let posthorn = place.profile(None);
    for wait in [20, 60, 120, 250, 400] {
        let mut child = posthorn.spawn(&["sync"]);
        let begin = std::time::Instant::now();
        while begin.elapsed().as_millis() < wait && child.try_wait().unwrap().is_none() {
            std::thread::yield_now();
        }
        if child.try_wait().unwrap().is_none() {
            signal(child.id(), "KILL");
        }
        wait_for_end(&mut child);
    }
    sync(&posthorn);
    place.assert_same(&posthorn, "INBOX");
    assert_eq!(sync(&posthorn)["bodies"], 0);
}

fn a_large_message(place: &Place) {
    let line = format!("{}\r\n", "0123456789".repeat(7));
    place.seed(
        "INBOX",
        &[message("Large", &line.repeat(200_000)), message("Small", "text")],
    );
    let posthorn = place.profile(None);
    sync(&posthorn);
    place.assert_same(&posthorn, "INBOX");
}

fn what_was_done_offline_meets_what_was_done_there(place: &Place) {
    place.seed("INBOX", &several("Both Gone Moved Star"));
    let posthorn = place.profile(None);
    sync(&posthorn);
    let id = |subject: &str| place.id(&posthorn, "INBOX", subject);
    posthorn.json(&["flag", &id("Star"), "--add", "flagged"]);
    posthorn.json(&["flag", &id("Gone"), "--add", "flagged"]);
    posthorn.json(&["move", &id("Moved"), &place.here("Archive")]);
    posthorn.json(&["delete", &id("Both")]);
    place.elsewhere("INBOX", "Star", "UID STORE {uid} +FLAGS (\\Seen)");
    place.elsewhere("INBOX", "Gone", "UID STORE {uid} +FLAGS (\\Deleted); EXPUNGE");
    let trash = quote(&place.wire("Trash"));
    place.elsewhere(
        "INBOX",
        "Both",
        &format!("UID COPY {{uid}} {trash}; UID STORE {{uid}} +FLAGS (\\Deleted); EXPUNGE"),
    );
    for _ in 0..3 {
        posthorn.run(&["sync"]);
    }
    assert!(nothing_waits(&posthorn));
    for (path, expect) in [
        ("INBOX", vec!["Star"]),
        ("Archive", vec!["Moved"]),
        ("Trash", vec!["Both"]),
    ] {
        assert_eq!(place.subjects(path), expect, "there in {path}");
        assert_eq!(place.listed(&posthorn, path), expect, "here in {path}");
    }
    assert_eq!(place.held("INBOX").last().unwrap().flags, ["\\Flagged", "\\Seen"]);
}

fn new_mail_is_told_at_once(place: &Place) {
    if place.bare {
        // Only polling finds it.
        return;
    }
    place.seed("INBOX", &several("First"));
    let posthorn = place.profile(None);
    sync(&posthorn);
    let watch = posthorn.start(&["watch"]);
    // What arrives before the watch stands is found by its first pass: the others show how long it takes.
    let mut took = Vec::new();
    for word in "A B C D".split_whitespace() {
        let raws = several(word);
        let begin = std::time::Instant::now();
        place.seed("INBOX", &raws);
        watch.wait_for("new mail", |event| event["event"] == "new_mail");
        took.push(begin.elapsed().as_millis());
    }
    println!("{:?}: told after {took:?} ms", place.kind());
    // Cyrus without its idled looks once a minute.
    let most = if place.kind() == Some(Kind::Cyrus) {
        70_000
    } else {
        10_000
    };
    assert!(took.iter().skip(2).all(|took| *took < most), "{took:?}");
    assert_eq!(watch.stop("INT"), Some(0));
}

fn two_profiles_on_one_account(place: &Place) {
    place.seed("INBOX", &several("A B C D E F"));
    let (one, two) = (place.profile(None), place.profile(None));
    sync(&one);
    sync(&two);
    one.json(&["archive", &place.id(&one, "INBOX", "B")]);
    two.json(&["archive", &place.id(&two, "INBOX", "B")]);
    one.json(&["flag", &place.id(&one, "INBOX", "C"), "--add", "seen"]);
    two.json(&["delete", &place.id(&two, "INBOX", "C")]);
    for _ in 0..3 {
        one.run(&["sync"]);
        two.run(&["sync"]);
    }
    for (path, expect) in [
        ("INBOX", vec!["A", "D", "E", "F"]),
        ("Archive", vec!["B"]),
        ("Trash", vec!["C"]),
    ] {
        assert_eq!(place.subjects(path), expect, "there in {path}");
        assert_eq!(place.listed(&one, path), expect, "one: {path}");
        assert_eq!(place.listed(&two, path), expect, "two: {path}");
    }
}
