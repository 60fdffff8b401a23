use posthorn_testkit::mailserver::Kind;

use super::{Host, Place, Script, Where, run, sync};
use crate::mail::{message, odd_messages};
use crate::posthorn::signal;

const SCRIPTS: [(&str, Script); 8] = [
    ("arrives-whole", arrives_whole_and_once),
    ("forever", stays_for_ever),
    ("never", goes_at_once),
    ("until-removed", goes_when_removed_here),
    ("days", stays_for_days),
    ("taken", what_others_took_stays_here),
    ("renumbered", new_uidls_download_nothing),
    ("killed", killed_in_the_middle),
];

#[test]
fn dovecot() {
    run(Where::Real(Kind::Dovecot), "pop3", false, &SCRIPTS);
}

#[test]
fn cyrus() {
    run(Where::Real(Kind::Cyrus), "pop3", false, &SCRIPTS);
}

#[test]
fn courier() {
    run(Where::Real(Kind::Courier), "pop3", false, &SCRIPTS);
}

#[test]
fn sandbox() {
    run(Where::Sandbox, "pop3", false, &SCRIPTS);
}

fn numbered(range: std::ops::Range<u32>) -> Vec<Vec<u8>> {
    range
        .map(|number| message(&format!("Number {number:02}"), "text"))
        .collect()
}

fn arrives_whole_and_once(place: &Place) {
    let odd = odd_messages();
    place.seed("INBOX", &odd);
    let posthorn = place.profile(None);
    let report = sync(&posthorn);
    assert_eq!(report["new"], odd.len(), "{report}");
    place.assert_same(&posthorn, "INBOX");
    place.seed("INBOX", &numbered(0..1));
    assert_eq!(sync(&posthorn)["bodies"], 1);
    assert_eq!(sync(&posthorn)["bodies"], 0);
    place.assert_same(&posthorn, "INBOX");
}

/// Two passes: a policy may act on what is verified here only at the next check.
fn check_policy(place: &Place, policy: &str, left: usize) {
    place.seed("INBOX", &numbered(0..5));
    let posthorn = place.profile(Some(policy));
    sync(&posthorn);
    sync(&posthorn);
    assert_eq!(place.held("INBOX").len(), left);
    assert_eq!(posthorn.list(&["list", "inbox"], "messages").len(), 5);
    assert_eq!(posthorn.list(&["ledger", "work"], "deletions").len(), 5 - left);
}

fn stays_for_ever(place: &Place) {
    check_policy(place, "forever", 5);
}

fn goes_at_once(place: &Place) {
    check_policy(place, "never", 0);
}

fn stays_for_days(place: &Place) {
    check_policy(place, "30", 5);
}

fn goes_when_removed_here(place: &Place) {
    place.seed("INBOX", &numbered(0..4));
    let posthorn = place.profile(Some("until-removed"));
    sync(&posthorn);
    posthorn.json(&["delete", &posthorn.id_of("work/INBOX", "Number 02")]);
    posthorn.json(&["archive", &posthorn.id_of("work/INBOX", "Number 03")]);
    sync(&posthorn);
    sync(&posthorn);
    assert_eq!(place.subjects("INBOX"), ["Number 00", "Number 01"]);
    assert_eq!(posthorn.list(&["list", "work/Trash"], "messages").len(), 1);
    assert_eq!(posthorn.list(&["list", "work/Archive"], "messages").len(), 1);
}

fn what_others_took_stays_here(place: &Place) {
    place.seed("INBOX", &numbered(0..10));
    let posthorn = place.profile(None);
    sync(&posthorn);
    place.elsewhere(
        "INBOX",
        "Number 04",
        "UID STORE {uid} +FLAGS (\\Deleted); EXPUNGE",
    );
    sync(&posthorn);
    let messages = posthorn.list(&["list", "inbox"], "messages");
    assert_eq!(messages.len(), 10);
    let lost = messages.iter().find(|message| message["subject"] == "Number 04");
    assert_eq!(lost.unwrap()["where"], "only_here");
}

/// What a server that was moved does; these two can be asked to.
fn new_uidls_download_nothing(place: &Place) {
    place.seed("INBOX", &numbered(0..6));
    let posthorn = place.profile(None);
    sync(&posthorn);
    match &place.host {
        Host::Real(server) if server.kind() == Kind::Dovecot => {
            server.set_uid_validity(&place.user, "INBOX", 4242).unwrap();
        }
        Host::Real(_) => return,
        Host::Sandbox { sandbox, .. } => {
            assert!(sandbox.store().bump_uid_validity(&place.user, "INBOX"));
        }
    }
    place.seed("INBOX", &numbered(6..7));
    for _ in 0..3 {
        posthorn.run(&["sync"]);
    }
    assert_eq!(posthorn.list(&["list", "inbox"], "messages").len(), 7);
    assert_eq!(place.held("INBOX").len(), 7);
}

fn killed_in_the_middle(place: &Place) {
    let raws: Vec<Vec<u8>> = (0..40)
        .map(|number| message(&format!("Number {number:02}"), &"line of text\r\n".repeat(400)))
        .collect();
    place.seed("INBOX", &raws);
    let posthorn = place.profile(Some("never"));
    for wait in [20, 60, 120, 250, 400] {
        let mut child = posthorn.spawn(&["sync"]);
        let begin = std::time::Instant::now();
        while begin.elapsed().as_millis() < wait && child.try_wait().unwrap().is_none() {
            std::thread::yield_now();
        }
        if child.try_wait().unwrap().is_none() {
            signal(child.id(), "KILL");
        }
        child.wait().unwrap();
    }
    // The server may hold the maildrop for the session that was killed.
    for _ in 0..40 {
        posthorn.run(&["sync"]);
        if place.held("INBOX").is_empty() {
            break;
        }
    }
    assert!(place.held("INBOX").is_empty());
    let messages = posthorn.list(&["list", "inbox", "--limit", "100"], "messages");
    assert_eq!(messages.len(), raws.len());
    for raw in &raws {
        let id = posthorn.id_of("work/INBOX", &super::subject_of(raw));
        assert!(posthorn.run_plain(&["show", &id, "--raw"]).expect(0).stdout == *raw);
    }
}
