//! What goes wrong, said plainly, with a remedy, and nothing lost.

use posthorn_model::Security;
use posthorn_testkit::ca::CertificateKind;
use posthorn_testkit::mailserver::Options;
use serde_json::Value;
use std::io::Write;
use std::net::TcpListener;
use std::path::Path;
use std::process::Command;

use crate::mail::message;
use crate::posthorn::Posthorn;
use crate::server::{Server, USER};

fn add(posthorn: &Posthorn, protocol: &str, incoming: &str, security: &str) {
    let words = [
        "account",
        "add",
        "--name",
        "work",
        "--email",
        "a@example.org",
        "--protocol",
        protocol,
        "--incoming",
        incoming,
        "--incoming-security",
        security,
        "--password-stdin",
        "--secrets",
        "file",
    ];
    posthorn.run_with_input(&words, b"secret\n").expect(0);
}

/// The one problem of a sync that leaves with `code`.
#[track_caller]
fn problem(posthorn: &Posthorn, code: i32) -> Value {
    let report = posthorn.run(&["sync"]).expect(code).json();
    let problems = report["accounts"][0]["problems"].as_array().unwrap().clone();
    assert!(!problems.is_empty(), "{report}");
    assert!(
        !problems[0]["remedies"].as_array().unwrap().is_empty(),
        "no remedy: {report}"
    );
    problems[0].clone()
}

#[test]
fn an_unknown_host() {
    for protocol in ["imap", "pop3"] {
        let posthorn = Posthorn::new(None);
        add(&posthorn, protocol, "no-such-host.invalid:993", "tls");
        let found = problem(&posthorn, 1);
        assert!(
            ["network", "config"].contains(&found["class"].as_str().unwrap()),
            "{found}"
        );
        assert!(
            found["detail"].as_str().unwrap().contains("no-such-host.invalid"),
            "{found}"
        );
        let test = posthorn.run(&["account", "test", "work"]).expect(1).json();
        assert_eq!(test["good"], false);
    }
}

#[test]
fn nobody_listens() {
    let port = TcpListener::bind("127.0.0.1:0")
        .unwrap()
        .local_addr()
        .unwrap()
        .port();
    let posthorn = Posthorn::new(None);
    add(&posthorn, "imap", &format!("127.0.0.1:{port}"), "tls");
    assert_eq!(problem(&posthorn, 1)["class"], "network");
}

#[test]
fn certificates_that_cannot_be_trusted() {
    for kind in [
        CertificateKind::WrongHost,
        CertificateKind::Expired,
        CertificateKind::NotYetValid,
        CertificateKind::SelfSigned,
    ] {
        let Some(server) = Server::dovecot_with(Options {
            certificate: kind,
            smtp: false,
            ..Options::default()
        }) else {
            return;
        };
        for (protocol, security) in [("imap", Security::Tls), ("pop3", Security::StartTls)] {
            let posthorn = server.profile(protocol, security, None);
            let found = problem(&posthorn, 4);
            assert_eq!(found["class"], "certificate", "{kind:?} {protocol}: {found}");
            assert!(
                found["remedies"]
                    .as_array()
                    .unwrap()
                    .contains(&"inspect-certificate".into()),
                "{found}"
            );
        }
        let Server::Dovecot(server) = server else { continue };
        assert!(
            !server.logs().contains("user=<alice>"),
            "{kind:?}: a login was tried: {}",
            server.logs()
        );
    }
}

#[test]
fn an_authority_that_is_not_named() {
    let server = Server::sandbox(Security::Tls);
    let posthorn = Posthorn::new(None);
    server.add_account(&posthorn, "imap", Security::Tls, None);
    assert_eq!(problem(&posthorn, 4)["class"], "certificate");
}

/// Greets everybody with one line and says no more.
fn greeter(line: &'static str) -> String {
    let listener = TcpListener::bind("127.0.0.1:0").unwrap();
    let address = listener.local_addr().unwrap().to_string();
    std::thread::spawn(move || {
        let mut kept = Vec::new();
        for stream in listener.incoming().map_while(Result::ok) {
            let _ = (&stream).write_all(line.as_bytes());
            kept.push(stream);
        }
    });
    address
}

#[test]
fn a_port_that_speaks_another_protocol() {
    let check = |protocol: &str, security: &str, greeting: &'static str, named: &str| {
        let posthorn = Posthorn::new(None);
        add(&posthorn, protocol, &greeter(greeting), security);
        let found = problem(&posthorn, 1);
        assert_eq!(
            found["class"], "config",
            "{greeting:?} for {protocol}/{security}: {found}"
        );
        assert!(
            found["detail"].as_str().unwrap().contains(named),
            "{greeting:?}: {found}"
        );
        assert!(
            found["remedies"]
                .as_array()
                .unwrap()
                .contains(&"check-settings".into()),
            "{found}"
        );
    };
    for security in ["starttls", "none"] {
        check("imap", security, "+OK ready\r\n", "POP3");
        check("imap", security, "220 mail.example.org ESMTP\r\n", "SMTP");
        check("pop3", security, "* OK IMAP4rev1 ready\r\n", "IMAP");
    }
    check("imap", "tls", "* OK IMAP4rev1 ready\r\n", "TLS");
}

#[test]
fn a_second_instance_is_told_and_may_read() {
    let server = Server::sandbox(Security::Tls);
    let raw = message("Here", "text");
    server.seed("INBOX", [(raw.as_slice(), "")]);
    let posthorn = server.profile("imap", Security::Tls, None);
    posthorn.run(&["sync"]).expect(0);

    let watch = posthorn.start(&["watch"]);
    watch.wait_for("the first event", |_| true);
    for words in [&["sync"][..], &["undo"], &["account", "remove", "work"]] {
        let error = posthorn.run(words).expect_error(1, "config");
        let message = error["message"].as_str().unwrap();
        assert!(
            message.contains("another") || message.contains("already"),
            "{words:?}: {message}"
        );
    }
    assert_eq!(posthorn.list(&["list", "inbox"], "messages").len(), 1);
    assert_eq!(posthorn.list(&["dump"], "messages").len(), 1);
    // New mail comes by itself, and what reads beside it sees it.
    let late = message("Late", "text");
    server.seed("INBOX", [(late.as_slice(), "")]);
    watch.wait_for("new mail", |event| event["event"] == "new_mail");
    assert_eq!(posthorn.list(&["list", "inbox"], "messages").len(), 2);
    assert_eq!(watch.stop("INT"), Some(0));
    posthorn.run(&["sync"]).expect(0);
}

/// Also one that comes while the program does something else than wait for it.
#[test]
fn no_interrupt_is_lost() {
    let server = Server::sandbox(Security::Tls);
    let posthorn = server.profile("imap", Security::Tls, None);
    for round in 0..15 {
        let watch = posthorn.start(&["watch"]);
        for _ in 0..=round % 5 {
            watch.wait_for("an event", |_| true);
        }
        assert_eq!(watch.stop("INT"), Some(0), "round {round}");
    }
}

#[test]
fn without_the_network_everything_can_be_read() {
    let server = Server::sandbox(Security::Tls);
    let raw = message("Here", "the text");
    server.seed("INBOX", [(raw.as_slice(), "")]);
    let posthorn = server.profile("imap", Security::Tls, None);
    posthorn.run(&["sync"]).expect(0);
    drop(server);

    assert_eq!(problem(&posthorn, 1)["class"], "network");
    let id = posthorn.id_of("inbox", "Here");
    assert_eq!(posthorn.run_plain(&["show", &id, "--raw"]).expect(0).stdout, raw);
    assert_eq!(posthorn.list(&["search", "text"], "hits").len(), 1);
    // What is written is kept for later.
    posthorn.json(&["flag", &id, "--add", "seen"]);
    assert_eq!(posthorn.list(&["operations"], "operations")[0]["state"], "queued");
    let letter = message("Later", "text");
    let sent = posthorn.run_with_input(&["send", "-"], &letter).expect(3).json();
    assert_eq!(sent["state"], "queued", "{sent}");
    assert_eq!(posthorn.json(&["outbox"])[0]["state"], "queued");
}

/// A small file system of its own; `None` where this machine does not let us make one.
struct SmallDisk(tempfile::TempDir);

impl SmallDisk {
    fn mount(size: &str) -> Option<Self> {
        let folder = tempfile::tempdir().unwrap();
        Self::call(
            folder.path(),
            &["-t", "tmpfs", "-o", &format!("size={size}"), "tmpfs"],
        )
        .then_some(Self(folder))
    }

    fn call(folder: &Path, words: &[&str]) -> bool {
        let output = Command::new("mount").args(words).arg(folder).output();
        output.is_ok_and(|output| output.status.success())
    }

    fn grow(&self, size: &str) {
        assert!(Self::call(
            self.0.path(),
            &["-o", &format!("remount,size={size}")]
        ));
    }
}

impl Drop for SmallDisk {
    fn drop(&mut self) {
        let _ = Command::new("umount").arg("--lazy").arg(self.0.path()).output();
    }
}

#[test]
fn a_full_disk_loses_nothing() {
    let Some(disk) = SmallDisk::mount("6m") else {
        println!("skipped: no small file system can be mounted here");
        return;
    };
    // Not compressible, so that it fills the disk.
    let mut state = 1_u64;
    let mut noise = || -> String {
        (0..60_000)
            .map(|n| {
                state = state
                    .wrapping_mul(6_364_136_223_846_793_005)
                    .wrapping_add(1_442_695_040_888_963_407);
                if n % 76 == 75 {
                    '\n'
                } else {
                    char::from(b'0' + u8::try_from(state >> 58).unwrap())
                }
            })
            .collect::<String>()
            .replace('\n', "\r\n")
    };
    let raws: Vec<Vec<u8>> = (0..200)
        .map(|n| message(&format!("Number {n}"), &noise()))
        .collect();
    for (protocol, policy) in [("pop3", Some("never")), ("imap", None)] {
        let server = Server::sandbox(Security::Tls);
        server.seed("INBOX", raws.iter().map(|raw| (raw.as_slice(), "")));
        let posthorn = Posthorn::at(&disk.0.path().join(protocol), Some(&server.ca()));
        server.add_account(&posthorn, protocol, Security::Tls, policy);
        let answer = posthorn.run(&["sync"]).expect(1);
        assert!(answer.text().contains("\"disk\""), "{}", answer.text());
        assert!(answer.text().contains("free-disk-space"), "{}", answer.text());
        // Whatever has left the server is here.
        let stored = posthorn.list(&["dump"], "messages").len();
        let left = server.held(USER, "INBOX").len();
        assert!(
            stored + left >= raws.len(),
            "{protocol}: {stored} here and {left} there of {}",
            raws.len()
        );

        disk.grow("300m");
        posthorn.run(&["sync"]).expect(0);
        assert_eq!(
            posthorn.list(&["dump"], "messages").len(),
            raws.len(),
            "{protocol}"
        );
        std::fs::remove_dir_all(posthorn.profile()).unwrap();
        disk.grow("6m");
    }
}
