//! Mailboxes made, renamed, deleted and subscribed, and messages moved, on each server and on one that breaks off.

use posthorn_model::Security;
use serde_json::{Value, json};
use std::io::{BufRead, BufReader, Write};
use std::net::{TcpListener, TcpStream};
use std::path::Path;
use std::process::{Child, Command, Stdio};

use crate::mail::message;
use crate::posthorn::Posthorn;
use crate::server::{Server, USER, on_each_server, shared};

on_each_server! {
    mailboxes_are_made_renamed_and_deleted
    what_is_taken_back_is_never_heard_of
}

fn paths(posthorn: &Posthorn) -> Vec<String> {
    let all = posthorn.list(&["mailboxes", "work"], "mailboxes");
    all.iter()
        .map(|mailbox| mailbox["path"].as_str().unwrap_or_default().to_owned())
        .collect()
}

/// As another profile sees the server.
fn paths_there(server: &Server, security: Security) -> Vec<String> {
    let other = server.profile("imap", security, None);
    other.run(&["sync"]).expect(0);
    paths(&other)
}

fn mailboxes_are_made_renamed_and_deleted(server: &Server, security: Security) {
    let one = message("One", "1");
    server.seed("INBOX", [(one.as_slice(), "")]);
    let posthorn = server.profile("imap", security, None);
    posthorn.run(&["sync"]).expect(0);

    let made = posthorn.json(&["mailbox", "create", "work/Reisen/Köln & Bonn"]);
    assert_eq!(made["mailbox"], "work/Reisen/Köln & Bonn");
    assert!(made["intent"].is_i64());
    posthorn
        .run(&["mailbox", "create", "work/Reisen/Köln & Bonn"])
        .expect(1);
    posthorn.run(&["mailbox", "create", "work/ blank"]).expect(1);
    posthorn.run(&["mailbox", "create", "nobody/x"]).expect(1);
    let id = posthorn.id_of("work/INBOX", "One");
    posthorn.run(&["move", &id, "work/Reisen/Köln & Bonn"]).expect(0);
    posthorn
        .run(&["mailbox", "rename", "work/Reisen/Köln & Bonn", "work/Rhein"])
        .expect(0);
    posthorn.run(&["mailbox", "unsubscribe", "work/Rhein"]).expect(0);
    let waiting = posthorn.list(&["operations"], "operations");
    let kinds: Vec<&Value> = waiting.iter().map(|operation| &operation["kind"]).collect();
    assert_eq!(kinds[..2], [&json!("create-mailbox"), &json!("move")]);
    posthorn.run(&["sync"]).expect(0);
    assert_eq!(server.subjects(USER, "Rhein"), ["One"]);
    assert!(posthorn.list(&["operations"], "operations").is_empty());
    let rhein = posthorn.list(&["mailboxes", "work"], "mailboxes");
    let rhein = rhein
        .iter()
        .find(|mailbox| mailbox["path"] == "work/Rhein")
        .unwrap();
    assert_eq!(rhein["subscribed"], false);
    let there = paths_there(server, security);
    assert!(there.contains(&"work/Rhein".to_owned()), "{there:?}");

    posthorn.run(&["mailbox", "delete", "work/Rhein"]).expect(1);
    posthorn
        .run(&["mailbox", "delete", "work/INBOX", "--with-messages"])
        .expect(1);
    let deleted = posthorn.json(&["mailbox", "delete", "work/Rhein", "--with-messages"]);
    assert_eq!(deleted["messages"], 1);
    posthorn.run(&["sync"]).expect(0);
    assert_eq!(server.subjects(USER, "Trash"), ["One"]);
    assert!(!paths_there(server, security).contains(&"work/Rhein".to_owned()));
    let by_people = posthorn.run_plain(&["mailbox", "create", "work/Plain"]).expect(0);
    assert!(by_people.stdout.starts_with(b"made; posthorn undo"));
}

fn what_is_taken_back_is_never_heard_of(server: &Server, security: Security) {
    let posthorn = server.profile("imap", security, None);
    posthorn.run(&["sync"]).expect(0);
    let before = paths(&posthorn);
    posthorn.run(&["mailbox", "create", "work/New"]).expect(0);
    posthorn
        .run(&["mailbox", "rename", "work/New", "work/Newer"])
        .expect(0);
    posthorn.run(&["undo"]).expect(0);
    assert!(paths(&posthorn).contains(&"work/New".to_owned()));
    posthorn.run(&["undo"]).expect(0);
    assert_eq!(paths(&posthorn), before);
    assert!(posthorn.list(&["operations"], "operations").is_empty());
    posthorn.run(&["sync"]).expect(0);
    assert_eq!(paths_there(server, security), before);
}

/// A server of the hostile kind, and the way to tell it how to behave.
struct Hostile {
    child: Child,
    port: String,
    control: BufReader<TcpStream>,
}

impl Hostile {
    fn start(folder: &Path) -> Option<Self> {
        let script = shared("hostile/hostile_imap.py")?;
        let free = TcpListener::bind("127.0.0.1:0")
            .unwrap()
            .local_addr()
            .unwrap()
            .port();
        let mut child = Command::new("python3")
            .arg(script)
            .args([
                "--port",
                "0",
                "--ctl",
                &free.to_string(),
                "--tls",
                "implicit",
                "--count",
                "12",
            ])
            .arg("--certs")
            .arg(folder.join("certs"))
            .arg("--log")
            .arg(folder.join("log"))
            .stdout(Stdio::piped())
            .spawn()
            .ok()?;
        let mut ready = String::new();
        BufReader::new(child.stdout.take()?).read_line(&mut ready).ok()?;
        let port = ready.split_whitespace().nth(1)?.to_owned();
        let control = BufReader::new(TcpStream::connect(("127.0.0.1", free)).ok()?);
        Some(Self { child, port, control })
    }

    fn say(&mut self, words: &str) -> String {
        self.control
            .get_mut()
            .write_all(format!("{words}\n").as_bytes())
            .unwrap();
        let mut answer = String::new();
        self.control.read_line(&mut answer).unwrap();
        answer
    }
}

impl Drop for Hostile {
    fn drop(&mut self) {
        let _ = self.child.kill();
        let _ = self.child.wait();
    }
}

/// Whatever the server breaks off or refuses: in the end each message is in one place, and none is lost.
#[test]
fn broken_answers_lose_nothing_and_do_nothing_twice() {
    let modes = [
        "move-drop",
        "append-drop",
        "append-drop-lost",
        "append-no",
        "append-trycreate",
        "expunge-drop",
        "copyuid-evil",
        "store-no",
        "copy-no",
    ];
    for mode in modes {
        let folder = tempfile::tempdir().unwrap();
        let Some(mut server) = Hostile::start(folder.path()) else {
            println!("skipped: the hostile servers do not lie beside the project, or there is no Python");
            return;
        };
        let posthorn = Posthorn::new(Some(&folder.path().join("certs/ca.pem")));
        let incoming = format!("localhost:{}", server.port);
        for name in ["work", "other"] {
            let words = [
                "account",
                "add",
                "--name",
                name,
                "--email",
                "alice@example.org",
                "--username",
                "alice",
                "--password-stdin",
                "--secrets",
                "file",
                "--protocol",
                "imap",
                "--incoming",
                &incoming,
            ];
            posthorn.run_with_input(&words, b"s3cret\n").expect(0);
        }
        posthorn.run(&["sync"]).expect(0);
        let messages = posthorn.list(&["list", "work/INBOX"], "messages");
        let id = |n: usize| messages[n]["id"].to_string();
        server.say(&format!("mode {mode}"));
        posthorn.run(&["flag", &id(0), "--add", "flagged"]).expect(0);
        posthorn.run(&["move", &id(1), &id(2), "work/Archive"]).expect(0);
        posthorn.run(&["delete", &id(3)]).expect(0);
        posthorn.run(&["move", &id(4), "other/Archive"]).expect(0);
        for _ in 0..2 {
            posthorn.run(&["sync"]);
        }
        server.say("mode ok");
        for _ in 0..2 {
            posthorn.run(&["sync"]);
        }
        let state: Value = serde_json::from_str(&server.say("state")).unwrap();
        let mut copies: Vec<String> = Vec::new();
        for (_, mailbox) in state["boxes"].as_object().unwrap() {
            let held = mailbox["msgs"].as_array().unwrap().iter();
            copies.extend(held.map(|held| held["sha"].to_string()));
        }
        copies.sort();
        let count = copies.len();
        copies.dedup();
        // What cannot be marked cannot be removed at its source: it stays in both accounts, and that is told.
        let expect = if mode == "store-no" { 13 } else { 12 };
        assert_eq!((count, copies.len()), (expect, 12), "{mode}: {state}");
        let violations = server.say("violations");
        assert!(["0", "[]"].contains(&violations.trim()), "{mode}: {violations}");
        let shown: usize = ["INBOX", "Archive", "Trash"]
            .iter()
            .map(|path| {
                posthorn
                    .list(&["list", &format!("work/{path}")], "messages")
                    .len()
            })
            .sum();
        assert_eq!(shown, expect, "{mode}");
    }
}
