use posthorn_testkit::mailserver::Kind;

use super::{Host, Place, Script, Where, run, sync};
use crate::mail::{message, odd_messages};
use crate::posthorn::{Posthorn, signal, wait_for_end};

const SCRIPTS: [(&str, Script); 16] = [
    ("arrives-whole", arrives_whole_and_once),
    ("forever", stays_for_ever),
    ("never", goes_at_once),
    ("until-removed", goes_when_removed_here),
    ("days", stays_for_days),
    ("taken", what_others_took_stays_here),
    ("renumbered", new_uidls_download_nothing),
    ("killed", killed_in_the_middle),
    ("headers-first", headers_come_first_and_the_rest_when_asked),
    ("size-cap", large_messages_come_when_asked),
    ("portions", the_newest_of_each_portion_first),
    ("limit-messages", at_most_so_many_messages_stay),
    ("limit-octets", at_most_so_many_octets_stay),
    ("two-accounts", two_accounts_share_a_maildrop),
    ("two-programs", two_programs_share_a_maildrop),
    ("one-takes-all", one_program_takes_what_the_other_leaves),
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
        wait_for_end(&mut child);
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

/// Each message here by its subject: whether all of it has come.
fn bodies(posthorn: &Posthorn) -> Vec<(String, bool)> {
    let messages = posthorn.list(&["list", "work/INBOX", "--limit", "100"], "messages");
    let mut bodies: Vec<(String, bool)> = messages
        .iter()
        .map(|message| {
            let shown = posthorn.json(&["show", &message["id"].to_string()]);
            let is_whole = shown["body"] == "whole";
            (message["subject"].as_str().unwrap().to_owned(), is_whole)
        })
        .collect();
    bodies.sort();
    bodies
}

fn names(range: std::ops::Range<u32>) -> Vec<String> {
    range.map(|number| format!("Number {number:02}")).collect()
}

fn is_kept(place: &Place, posthorn: &Posthorn, subject: &str) -> bool {
    let id = posthorn.id_of("work/INBOX", subject);
    let raw = posthorn.run_plain(&["show", &id, "--raw"]).expect(0).stdout;
    let held = place.held("INBOX");
    held.iter().any(|message| message.raw == raw)
}

fn headers_come_first_and_the_rest_when_asked(place: &Place) {
    place.seed("INBOX", &numbered(0..4));
    let posthorn = place.profile_with(&["--headers-first", "--leave-on-server", "never"]);
    let report = sync(&posthorn);
    assert_eq!(
        (&report["new"], &report["bodies"]),
        (&4.into(), &0.into()),
        "{report}"
    );
    assert!(bodies(&posthorn).iter().all(|(_, is_whole)| !is_whole));
    let id = posthorn.id_of("work/INBOX", "Number 02");
    posthorn.run_plain(&["show", &id, "--raw"]).expect(1);
    assert_eq!(sync(&posthorn)["bodies"], 0, "nobody asked");
    assert_eq!(place.held("INBOX").len(), 4, "headers alone let nothing go");
    let fetched = posthorn.json(&["fetch", &id]);
    assert_eq!(fetched["messages"][0]["body"], "whole", "{fetched}");
    assert_eq!(
        posthorn.id_of("work/INBOX", "Number 02"),
        id,
        "it is the same message"
    );
    let whole: Vec<(String, bool)> = names(0..4)
        .into_iter()
        .map(|name| (name.clone(), name.ends_with('2')))
        .collect();
    assert_eq!(bodies(&posthorn), whole);
    sync(&posthorn);
    assert_eq!(place.subjects("INBOX"), ["Number 00", "Number 01", "Number 03"]);
}

fn large_messages_come_when_asked(place: &Place) {
    let large = message("Number 02", &"a line of a large message\r\n".repeat(8_000));
    place.seed(
        "INBOX",
        &[&numbered(0..2)[..], &[large], &numbered(3..4)].concat(),
    );
    let posthorn = place.profile_with(&["--size-cap", "100kB"]);
    let report = sync(&posthorn);
    assert_eq!(
        (&report["new"], &report["bodies"]),
        (&4.into(), &3.into()),
        "{report}"
    );
    let id = posthorn.id_of("work/INBOX", "Number 02");
    assert_eq!(posthorn.json(&["show", &id])["body"], "headers");
    posthorn.json(&["fetch", &id]);
    assert!(is_kept(place, &posthorn, "Number 02"));
    assert_eq!(posthorn.list(&["list", "work/INBOX"], "messages").len(), 4);
}

fn the_newest_of_each_portion_first(place: &Place) {
    place.seed("INBOX", &numbered(0..5));
    let posthorn = place.profile_with(&[
        "--per-session",
        "2",
        "--newest-first",
        "--leave-on-server",
        "never",
    ]);
    for expect in [3..5, 1..5, 0..5, 0..5] {
        sync(&posthorn);
        assert_eq!(place.listed(&posthorn, "INBOX"), names(expect.clone()));
        assert_eq!(
            place.subjects("INBOX"),
            names(0..expect.start),
            "only what is here goes"
        );
    }
}

fn at_most_so_many_messages_stay(place: &Place) {
    place.seed("INBOX", &numbered(0..5));
    let posthorn = place.profile_with(&["--keep-at-most", "2"]);
    sync(&posthorn);
    sync(&posthorn);
    assert_eq!(place.subjects("INBOX"), names(3..5));
    place.seed("INBOX", &numbered(5..6));
    sync(&posthorn);
    sync(&posthorn);
    assert_eq!(place.subjects("INBOX"), names(4..6));
    assert_eq!(place.listed(&posthorn, "INBOX"), names(0..6));
}

fn at_most_so_many_octets_stay(place: &Place) {
    let raws: Vec<Vec<u8>> = names(0..5)
        .iter()
        .map(|name| message(name, &"x\r\n".repeat(10_000)))
        .collect();
    place.seed("INBOX", &raws);
    let posthorn = place.profile_with(&["--keep-at-most", "70kB"]);
    sync(&posthorn);
    sync(&posthorn);
    assert_eq!(
        place.subjects("INBOX"),
        names(3..5),
        "two of 30 kB are less than 70 kB"
    );
    assert_eq!(place.listed(&posthorn, "INBOX"), names(0..5));
}

/// Nothing twice in one place, whatever came in which order.
#[track_caller]
fn assert_once(subjects: &[String]) {
    let mut once = subjects.to_vec();
    once.dedup();
    assert_eq!(subjects, once);
}

fn two_accounts_share_a_maildrop(place: &Place) {
    let (endpoint, security, _) = place.way();
    place.seed("INBOX", &numbered(0..6));
    let posthorn = place.profile_with(&["--leave-on-server", "until-removed"]);
    place.add_account(
        &posthorn,
        "home",
        (&endpoint, security),
        &["--leave-on-server", "forever"],
    );
    // Both at once: neither locks the other out.
    posthorn.run(&["sync"]).expect(0);
    for account in ["work/INBOX", "home/INBOX"] {
        let messages = posthorn.list(&["list", account], "messages");
        assert_eq!(messages.len(), 6, "{account}");
    }
    posthorn.json(&["delete", &posthorn.id_of("work/INBOX", "Number 03")]);
    place.seed("INBOX", &numbered(6..8));
    for _ in 0..2 {
        posthorn.run(&["sync"]).expect(0);
    }
    let kept: Vec<String> = names(0..8)
        .into_iter()
        .filter(|name| name != "Number 03")
        .collect();
    assert_eq!(
        place.subjects("INBOX"),
        kept,
        "the one account's wish, and no more"
    );
    assert_eq!(place.listed(&posthorn, "INBOX"), kept);
    let home = posthorn.list(&["list", "home/INBOX"], "messages");
    assert_eq!(home.len(), 8, "what the other removed there stays here");
}

fn two_programs_share_a_maildrop(place: &Place) {
    let policies = [["--leave-on-server", "0"], ["--leave-on-server", "until-removed"]];
    let programs = policies.map(|policy| place.profile_with(&policy));
    for round in 0..4 {
        place.seed("INBOX", &numbered(round * 5..round * 5 + 5));
        let mut children = programs.each_ref().map(|posthorn| posthorn.spawn(&["sync"]));
        for child in &mut children {
            wait_for_end(child);
        }
    }
    for posthorn in &programs {
        posthorn.run(&["sync"]);
        posthorn.run(&["sync"]);
    }
    let here = programs
        .each_ref()
        .map(|posthorn| place.listed(posthorn, "INBOX"));
    for subjects in &here {
        assert_once(subjects);
    }
    assert_eq!(here[0], names(0..20), "it removes only what it has");
    assert!(place.subjects("INBOX").is_empty());
}

fn one_program_takes_what_the_other_leaves(place: &Place) {
    place.seed("INBOX", &numbered(0..30));
    let [greedy, careful] = ["never", "30"].map(|policy| place.profile(Some(policy)));
    sync(&careful);
    place.seed("INBOX", &numbered(30..35));
    sync(&greedy);
    sync(&greedy);
    assert!(place.subjects("INBOX").is_empty());
    // All of it gone at once: it stops, says so, and keeps everything.
    careful.run(&["sync"]).expect(4);
    assert_eq!(place.listed(&careful, "INBOX"), names(0..30));
    assert_eq!(place.listed(&greedy, "INBOX"), names(0..35));
    place.seed("INBOX", &numbered(35..36));
    careful.run(&["sync"]);
    let mut all = names(0..30);
    all.push("Number 35".to_owned());
    assert_eq!(
        place.listed(&careful, "INBOX"),
        all,
        "new mail comes all the same"
    );
}
