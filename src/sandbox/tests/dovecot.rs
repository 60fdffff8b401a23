//! The sandbox beside Dovecot: the same mail must be described in the same words.

use posthorn_testkit::mail::Corpus;
use posthorn_testkit::mailserver::{MailServer, Options, Seed};

use super::{Talk, empty};
use crate::{NewMessage, Service};

/// Dovecot writes some words in other cases, and names the charset that the sandbox leaves out, or the reverse.
fn fold(line: &str) -> String {
    line.to_ascii_lowercase().replace("\r\n", "\n")
}

#[tokio::test]
async fn describes_a_corpus_as_dovecot_does() {
    let Some(server) = MailServer::start(Options {
        smtp: false,
        ..Options::default()
    })
    .unwrap() else {
        return;
    };
    let mail: Vec<_> = Corpus::new(11, 200).malformed(150).take(200).collect();
    let seeds: Vec<Seed> = mail.iter().map(Seed::from).collect();
    server.seed("alice", "INBOX", &seeds).unwrap();
    let sandbox = empty();
    for message in &mail {
        let message = NewMessage {
            raw: message.raw.clone(),
            flags: message.flags.clone(),
            internal_date: message.internal_date,
        };
        sandbox.add_message("INBOX", message).unwrap();
    }
    let mut talk = Talk::open(&sandbox, Service::Imap);
    talk.line().await;
    talk.ask("LOGIN robin sandbox").await;
    talk.ask("SELECT INBOX").await;
    for items in ["(UID RFC822.SIZE)", "BODYSTRUCTURE", "BODY", "ENVELOPE"] {
        let command = format!("FETCH 1:* {items}");
        let theirs = server.imap("alice", Some("INBOX"), &command).unwrap();
        let theirs = split(&fold(&theirs.join("\n")));
        let ours = split(&fold(&talk.ask(&command).await));
        assert_eq!((ours.len(), theirs.len()), (mail.len(), mail.len()));
        for ((ours, theirs), mail) in ours.iter().zip(&theirs).zip(&mail) {
            assert_eq!(ours, theirs, "{items} {:?} {:?}", mail.defect, mail.message_id);
        }
    }
}

/// One piece for each message.
fn split(answer: &str) -> Vec<String> {
    let mut pieces: Vec<String> = Vec::new();
    for line in answer.lines().filter(|line| !line.starts_with("t ok")) {
        if line.starts_with(&format!("* {} fetch (", pieces.len() + 1)) {
            pieces.push(line.to_owned());
        } else if let Some(piece) = pieces.last_mut() {
            piece.push_str(line);
        }
    }
    pieces
}
