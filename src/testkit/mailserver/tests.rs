use std::io::{Read, Write};

use posthorn_model::Hash;
use sha2::{Digest, Sha256};

use super::*;

fn start(options: Options) -> Option<MailServer> {
    MailServer::start(options).unwrap()
}

/// A process that has ended but was not yet asked about (a zombie) has no directory any more.
fn alive(pid: u32) -> bool {
    fs::read_link(format!("/proc/{pid}/cwd")).is_ok()
}

#[test]
fn seeds_changes_and_lists_exactly_what_is_served() {
    let Some(server) = start(Options {
        smtp: false,
        ..Options::default()
    }) else {
        return;
    };
    let raws: [&[u8]; 3] = [
        b"Subject: one\r\n\r\n.dot\r\n",
        b"Subject: \xff\r\n\r\nno final line end",
        b"Subject: three\r\n\r\n",
    ];
    let seeds: Vec<Seed> = raws
        .iter()
        .map(|raw| Seed {
            raw: raw.to_vec(),
            flags: "\\Seen $Forwarded".into(),
            internal_date: Some(Timestamp(1_700_000_000)),
        })
        .collect();
    for mailbox in ["INBOX", "Sent", "New \"one\""] {
        server.seed("alice", mailbox, &seeds).unwrap();
        let served = server.messages("alice", mailbox).unwrap();
        assert_eq!(
            served.iter().map(|m| m.raw.as_slice()).collect::<Vec<_>>(),
            raws,
            "{mailbox}"
        );
        assert_eq!(served[0].flags, ["$Forwarded", "\\Seen"]);
        assert_eq!(served[0].sha256, Hash(Sha256::digest(raws[0]).into()));
    }
    server
        .set_flags("alice", "INBOX", "1", "FLAGS (\\Flagged)")
        .unwrap();
    server.expunge("alice", "INBOX", "2").unwrap();
    let served = server.messages("alice", "INBOX").unwrap();
    assert_eq!(served.iter().map(|m| m.uid).collect::<Vec<_>>(), [1, 3]);
    assert_eq!(served[0].flags, ["\\Flagged"]);
    server
        .deliver("bob", b"Subject: by LMTP\n\n.stuffed\nend\n")
        .unwrap();
    let served = server.messages("bob", "INBOX").unwrap();
    assert!(
        served[0]
            .raw
            .ends_with(b"Subject: by LMTP\r\n\r\n.stuffed\r\nend\r\n")
    );
    assert!(server.mailboxes("alice").unwrap().contains(&"Archive".to_owned()));
    server.set_uid_validity("alice", "INBOX", 77).unwrap();
    let status = server.imap("alice", None, "STATUS INBOX (UIDVALIDITY)").unwrap();
    assert!(
        status.contains(&"* STATUS INBOX (UIDVALIDITY 77)".to_owned()),
        "{status:?}"
    );
}

#[test]
fn every_kind_serves_what_it_was_given() {
    for kind in [Kind::Dovecot, Kind::Cyrus, Kind::Courier] {
        let Some(server) = start(Options {
            kind,
            smtp: false,
            ..Options::default()
        }) else {
            continue;
        };
        let (_, prefix) = server.naming();
        let odd = format!("{prefix}Entw&APw-rfe (1)");
        let raws: [&[u8]; 2] = [b"Subject: one\r\n\r\n.dot\r\n", b"Subject: two\r\n\r\ntext\r\n"];
        let seeds: Vec<Seed> = raws
            .iter()
            .map(|raw| Seed {
                raw: raw.to_vec(),
                flags: "\\Seen $Forwarded".into(),
                internal_date: Some(Timestamp(1_700_000_000)),
            })
            .collect();
        for mailbox in ["INBOX", odd.as_str()] {
            server.seed("alice", mailbox, &seeds).unwrap();
            let served = server.messages("alice", mailbox).unwrap();
            let bytes: Vec<&[u8]> = served.iter().map(|message| message.raw.as_slice()).collect();
            assert_eq!(bytes, raws, "{kind:?} {mailbox}");
            assert_eq!(served[0].flags, ["$Forwarded", "\\Seen"], "{kind:?}");
        }
        server
            .set_flags("alice", "INBOX", "1", "FLAGS (\\Flagged)")
            .unwrap();
        server.expunge("alice", "INBOX", "2").unwrap();
        let served = server.messages("alice", "INBOX").unwrap();
        assert_eq!(served.len(), 1, "{kind:?}");
        assert_eq!(served[0].flags, ["\\Flagged"], "{kind:?}");
        let names = server.mailboxes("alice").unwrap();
        for name in ["Drafts", "Sent", "Junk", "Trash", "Archive"] {
            assert!(names.contains(&format!("{prefix}{name}")), "{kind:?}: {names:?}");
        }
    }
}

#[test]
fn dovecot_offers_what_it_can() {
    let options = Options {
        smtp: false,
        ..Options::default()
    };
    let Some(server) = start(options) else { return };
    let offered = server.imap("alice", None, "CAPABILITY").unwrap().join(" ");
    // COMPRESS is not among them: Dovecot offers it only where the connection came over the network.
    for extension in [
        "NOTIFY",
        "SPECIAL-USE",
        "LIST-STATUS",
        "QRESYNC",
        "PREVIEW",
        "STATUS=SIZE",
    ] {
        assert!(
            offered.split(' ').any(|name| name == extension),
            "{extension}: {offered}"
        );
    }
}

#[test]
fn ends_with_its_owner() {
    let Some(server) = start(Options::default()) else {
        return;
    };
    let (pids, directory) = (server.pids.clone(), server.directory().to_owned());
    assert!(pids.len() == 2 && pids.iter().all(|pid| alive(*pid)));
    drop(server);
    assert!(!pids.iter().any(|pid| alive(*pid)));
    assert!(!directory.exists());
}

#[test]
fn the_keeper_ends_what_a_killed_test_leaves() {
    let mut daemon = Command::new("sleep").arg("600").spawn().unwrap();
    let mut keeper = Keeper::start(&[daemon.id()]).unwrap();
    keeper.close_input();
    assert!(!daemon.wait().unwrap().success());
}

/// Talks TLS through openssl, which checks the certificate: `None` where it refused.
fn tls_session(server: &MailServer, port: u16, starttls: Option<&str>, lines: &[&str]) -> Option<String> {
    let mut command = Command::new("openssl");
    command.args([
        "s_client",
        "-quiet",
        "-verify_return_error",
        "-verify_hostname",
        "localhost",
        "-ign_eof",
    ]);
    command
        .arg("-CAfile")
        .arg(server.ca_pem())
        .arg("-connect")
        .arg(format!("127.0.0.1:{port}"));
    if let Some(protocol) = starttls {
        command.args(["-starttls", protocol]);
    }
    let mut child = command
        .stdin(Stdio::piped())
        .stdout(Stdio::piped())
        .stderr(Stdio::null())
        .spawn()
        .ok()?;
    let mut input = child.stdin.take()?;
    let _ = input.write_all(format!("{}\r\n", lines.join("\r\n")).as_bytes());
    let mut text = String::new();
    child.stdout.take()?.read_to_string(&mut text).ok()?;
    child.wait().ok()?.success().then_some(text)
}

#[test]
fn real_clients_get_through_every_door() {
    let Some(server) = start(Options::default()) else {
        return;
    };
    if Command::new("openssl").arg("version").output().is_err() {
        println!("skipped: no openssl");
        return;
    }
    let ports = server.ports();
    let check = |port: u16, starttls: Option<&str>, lines: &[&str], expect: &str| {
        let text = tls_session(&server, port, starttls, lines).unwrap_or_default();
        assert!(
            text.contains(expect),
            "{port} {starttls:?}: {text}\n{}",
            server.logs()
        );
    };
    let imap = ["a LOGIN alice alice-secret", "b LOGOUT"];
    check(ports.imaps, None, &imap, "a OK");
    check(ports.imap, Some("imap"), &imap, "a OK");
    let pop3 = ["USER alice", "PASS alice-secret", "QUIT"];
    check(ports.pop3s, None, &pop3, "+OK Logged in");
    check(ports.pop3, Some("pop3"), &pop3, "+OK Logged in");
    let submit = [
        "EHLO tests.example",
        "AUTH PLAIN AGFsaWNlAGFsaWNlLXNlY3JldA==",
        "MAIL FROM:<alice@example.test>",
        "RCPT TO:<bob@example.test>",
        "RCPT TO:<stranger@example.test>",
        "DATA",
        "Subject: from alice\r\n\r\nhello\r\n.",
        "QUIT",
    ];
    check(ports.submissions, None, &submit, "250 2.0.0 Ok: queued");
    check(ports.submission, Some("smtp"), &submit, "250 2.0.0 Ok: queued");
    check(ports.submission, Some("smtp"), &submit, "550 5.1.1");
    assert_eq!(server.wait_for_messages("bob", "INBOX", 3).unwrap(), 3);
    assert!(
        server.messages("bob", "INBOX").unwrap()[0]
            .raw
            .ends_with(b"\r\n\r\nhello\r\n")
    );
}

#[test]
fn bad_certificates_are_bad() {
    for kind in [
        CertificateKind::WrongHost,
        CertificateKind::Expired,
        CertificateKind::SelfSigned,
        CertificateKind::NotYetValid,
    ] {
        let options = Options {
            smtp: false,
            certificate: kind,
            ..Options::default()
        };
        let Some(server) = start(options) else { return };
        assert_eq!(
            tls_session(&server, server.ports().imaps, None, &["a LOGOUT"]),
            None,
            "{kind:?}"
        );
    }
}

#[test]
fn serves_a_corpus_byte_for_byte() {
    let Some(server) = start(Options {
        smtp: false,
        ..Options::default()
    }) else {
        return;
    };
    let mail: Vec<_> = crate::mail::Corpus::new(3, 300)
        .malformed(200)
        .take(300)
        .collect();
    let seeds: Vec<Seed> = mail.iter().map(Seed::from).collect();
    server.seed("alice", "INBOX", &seeds).unwrap();
    let served = server.messages("alice", "INBOX").unwrap();
    assert_eq!(served.len(), mail.len());
    for (served, mail) in served.iter().zip(&mail) {
        assert!(
            served.raw == mail.raw,
            "{:?} {}",
            mail.defect,
            String::from_utf8_lossy(&mail.raw)
        );
        let mut flags: Vec<_> = seeds[served.uid as usize - 1].flags.split_whitespace().collect();
        flags.sort_unstable();
        assert_eq!(served.flags, flags);
    }
}
