//! A thousand messages: what is stored is what the server serves, byte for byte.

use posthorn_model::Security;
use std::collections::BTreeMap;
use std::path::Path;

use crate::mail::{message, odd_messages};
use crate::posthorn::{Posthorn, run_tool};
use crate::server::{Server, USER, shared};

const COUNT: usize = 1_000;

/// Years of one person's mail, some of it broken; simpler mail where the generator is not there.
pub fn generate(count: usize) -> Vec<Vec<u8>> {
    if let Some(generator) = shared("bench/corpus") {
        let folder = tempfile::tempdir().unwrap();
        let path = folder.path().join("mail");
        let words = [
            generator.to_str().unwrap(),
            &count.to_string(),
            path.to_str().unwrap(),
            "--format",
            "eml",
        ];
        if run_tool("python3", &words).is_some() {
            let mut mail = Vec::new();
            collect(&path, &mut mail);
            assert_eq!(mail.len(), count);
            return mail;
        }
    }
    println!("no mail generator beside the project: simpler mail is used");
    let mut mail = odd_messages();
    mail.extend(
        (mail.len()..count).map(|n| message(&format!("Number {n}"), &format!("{n} ü ").repeat(n % 97))),
    );
    mail
}

fn collect(folder: &Path, mail: &mut Vec<Vec<u8>>) {
    let mut entries: Vec<_> = std::fs::read_dir(folder)
        .unwrap()
        .map(|entry| entry.unwrap().path())
        .collect();
    entries.sort();
    for path in entries {
        if path.is_dir() {
            collect(&path, mail);
        } else if path.extension().is_some_and(|extension| extension == "eml") {
            mail.push(with_crlf(&std::fs::read(path).unwrap()));
        }
    }
}

/// As mail travels.
fn with_crlf(raw: &[u8]) -> Vec<u8> {
    let mut out = Vec::with_capacity(raw.len() + raw.len() / 40);
    for line in raw.split_inclusive(|byte| *byte == b'\n') {
        let text = line.strip_suffix(b"\n").unwrap_or(line);
        out.extend_from_slice(text.strip_suffix(b"\r").unwrap_or(text));
        if line.ends_with(b"\n") {
            out.extend_from_slice(b"\r\n");
        }
    }
    out
}

/// How often each hash stands there, as `dump` writes hashes.
pub fn hashes(raws: impl IntoIterator<Item = Vec<u8>>) -> BTreeMap<String, usize> {
    let mut counted = BTreeMap::new();
    for raw in raws {
        *counted.entry(sha24(&raw)).or_default() += 1;
    }
    counted
}

pub fn sha24(raw: &[u8]) -> String {
    use sha2::Digest as _;
    sha2::Sha256::digest(raw)
        .iter()
        .take(12)
        .map(|byte| format!("{byte:02x}"))
        .collect()
}

/// The hashes that `dump` prints of one mailbox.
pub fn dumped(posthorn: &Posthorn, folder: &str) -> BTreeMap<String, usize> {
    let dump = posthorn.json(&["dump"]);
    assert_eq!(dump["headers_only"], serde_json::json!([]));
    let mut counted = BTreeMap::new();
    for message in dump["messages"].as_array().unwrap().iter().filter(|message| {
        // Only INBOX ignores case (RFC 9051 section 5.1), and no two mailboxes here differ in case alone.
        message["folder"]
            .as_str()
            .is_some_and(|found| found.eq_ignore_ascii_case(folder))
    }) {
        *counted
            .entry(message["sha"].as_str().unwrap().to_owned())
            .or_default() += 1;
    }
    counted
}

/// By POP3 a message always ends with a line end (RFC 1939 section 3).
pub fn as_pop3_serves(mut raw: Vec<u8>) -> Vec<u8> {
    if !raw.ends_with(b"\r\n") {
        raw.extend_from_slice(b"\r\n");
    }
    raw
}

fn compare_by_both_protocols(server: &Server, mail: &[Vec<u8>]) {
    server.seed("INBOX", mail.iter().map(|raw| (raw.as_slice(), "")));
    let held: Vec<Vec<u8>> = server
        .held(USER, "INBOX")
        .into_iter()
        .map(|held| held.raw)
        .collect();
    assert_eq!(held.len(), mail.len());

    for protocol in ["imap", "pop3"] {
        let posthorn = server.profile(protocol, Security::Tls, None);
        let report = posthorn.run(&["sync"]).expect(0).json();
        assert_eq!(report["accounts"][0]["new"], mail.len(), "{report}");
        let served = held.iter().cloned().map(|raw| {
            if protocol == "pop3" {
                as_pop3_serves(raw)
            } else {
                raw
            }
        });
        let (served, stored) = (hashes(served), dumped(&posthorn, "work/INBOX"));
        let wrong: Vec<_> = served
            .iter()
            .filter(|(sha, count)| stored.get(*sha) != Some(count))
            .collect();
        assert!(wrong.is_empty(), "{protocol}: not stored as served: {wrong:?}");
        assert_eq!(stored.values().sum::<usize>(), mail.len(), "{protocol}");
        let seconds = &report["accounts"][0]["seconds"];
        println!(
            "{protocol}: {} messages in {seconds} s, every hash equal",
            mail.len()
        );
    }
}

#[test]
fn a_thousand_messages_are_stored_as_dovecot_serves_them() {
    if let Some(server) = Server::dovecot() {
        compare_by_both_protocols(&server, &generate(COUNT));
    }
}

#[test]
fn the_sandbox_serves_the_same() {
    compare_by_both_protocols(&Server::sandbox(Security::Tls), &generate(300));
}
