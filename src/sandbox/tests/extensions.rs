//! The newer extensions, word for word.

use std::io::{Read, Write};

use posthorn_model::{Flag, Flags, Uid};
use tokio::io::{AsyncReadExt, AsyncWriteExt};

use super::{Talk, empty};
use crate::{NewMessage, Sandbox, SandboxOptions, Service};

fn letter(number: u32) -> NewMessage {
    NewMessage {
        raw: format!(
            "Message-ID: <{number}@x>\r\nReferences: <root@x>\r\nSubject: {number}\r\n\r\nSome\r\n  text.\r\n"
        )
        .into_bytes(),
        ..NewMessage::default()
    }
}

async fn log_in(sandbox: &Sandbox) -> Talk {
    let mut talk = Talk::open(sandbox, Service::Imap);
    talk.line().await;
    let answer = talk.ask("LOGIN robin sandbox").await;
    assert!(answer.starts_with("t OK"), "{answer}");
    talk
}

fn with(options: SandboxOptions) -> Sandbox {
    Sandbox::without_ports(options).unwrap()
}

#[tokio::test]
async fn objects_keep_their_ids() {
    let sandbox = empty();
    sandbox.add_message("INBOX", letter(1)).unwrap();
    sandbox.add_message("INBOX", letter(2)).unwrap();
    let mut talk = log_in(&sandbox).await;
    let made = talk.ask("CREATE One").await;
    let id = made.split(['(', ')']).nth(1).unwrap().to_owned();
    talk.ask("RENAME One Two").await;
    let status = talk.ask("STATUS Two (MAILBOXID)").await;
    assert!(status.contains(&format!("(MAILBOXID ({id}))")), "{status}");
    let selected = talk.ask("SELECT INBOX").await;
    assert!(selected.contains("* OK [MAILBOXID (F"), "{selected}");
    let ids = talk.ask("UID FETCH 1:2 (EMAILID THREADID)").await;
    let words: Vec<&str> = ids
        .split(['(', ')', ' '])
        .filter(|word| word.len() == 17)
        .collect();
    let [one, thread, two, same] = words[..] else {
        panic!("{ids}")
    };
    assert!(one != two && thread == same, "{ids}");
    let one = one.to_owned();
    talk.ask("UID MOVE 1 Two").await;
    talk.ask("SELECT Two").await;
    let moved = talk.ask("UID FETCH 1:* EMAILID").await;
    assert!(moved.contains(&one), "{moved}");
}

#[tokio::test]
async fn notify_tells_of_mailboxes_that_are_not_selected() {
    let sandbox = empty();
    let user = sandbox.login().username.clone();
    let mut talk = log_in(&sandbox).await;
    talk.ask("SELECT INBOX").await;
    talk.check(
        "NOTIFY SET (selected (MessageNew MessageExpunge FlagChange)) (personal (MessageNew MessageExpunge FlagChange MailboxName))",
        "t OK watching",
    )
    .await;
    sandbox.add_message("Archive", letter(1)).unwrap();
    assert!(
        talk.line()
            .await
            .starts_with("* STATUS \"Archive\" (UIDVALIDITY ")
    );
    sandbox.add_message("INBOX", letter(2)).unwrap();
    assert_eq!(talk.line().await, "* 1 EXISTS\r\n");
    assert_eq!(talk.line().await, "* 0 RECENT\r\n");
    let seen = Flags::default().with(Flag::Seen);
    sandbox
        .store()
        .set_flags(&user, "Archive", Uid::new(1).unwrap(), seen);
    assert!(talk.line().await.contains("UNSEEN 0"));
    sandbox.store().create(&user, "New");
    assert_eq!(talk.line().await, "* LIST () \"/\" \"New\"\r\n");
}

#[tokio::test]
async fn notify_renames_and_is_quiet_again() {
    let sandbox = empty();
    let mut watcher = log_in(&sandbox).await;
    let answer = watcher
        .ask("NOTIFY SET STATUS (personal (MessageNew MessageExpunge MailboxName))")
        .await;
    assert_eq!(answer.matches("* STATUS").count(), 6, "{answer}");
    let mut other = log_in(&sandbox).await;
    other.ask("RENAME Archive Cellar").await;
    assert_eq!(
        watcher.line().await,
        "* LIST () \"/\" \"Cellar\" (\"OLDNAME\" (\"Archive\"))\r\n"
    );
    other.ask("DELETE Cellar").await;
    assert_eq!(
        watcher.line().await,
        "* LIST (\\NonExistent) \"/\" \"Cellar\"\r\n"
    );
    watcher.check("NOTIFY NONE", "t OK quiet").await;
    sandbox.add_message("INBOX", letter(1)).unwrap();
    watcher.check("NOOP", "t OK done").await;
    for (command, expect) in [
        (
            "NOTIFY SET (personal (MessageNew))",
            "t BAD MessageNew and MessageExpunge go together, FlagChange with both",
        ),
        ("NOTIFY SET (nowhere NONE)", "t BAD unknown NOTIFY filter"),
        ("NOTIFY SET (selected NONE)", "t OK watching"),
    ] {
        watcher.check(command, expect).await;
    }
}

#[tokio::test]
async fn deflate_carries_everything_after_its_answer() {
    let sandbox = empty();
    sandbox.add_message("INBOX", letter(1)).unwrap();
    let (mut stream, server) = tokio::io::duplex(1 << 16);
    tokio::spawn(sandbox.serve_imap(server));
    let mut seen = Vec::new();
    let mut read_to = async |stream: &mut tokio::io::DuplexStream, end: &str| {
        seen.clear();
        while !String::from_utf8_lossy(&seen).contains(end) {
            assert_ne!(stream.read_buf(&mut seen).await.unwrap(), 0);
        }
        String::from_utf8_lossy(&seen).into_owned()
    };
    stream.write_all(b"a LOGIN robin sandbox\r\n").await.unwrap();
    let answer = read_to(&mut stream, "a OK").await;
    assert!(answer.contains("COMPRESS=DEFLATE"), "{answer}");
    stream.write_all(b"b COMPRESS DEFLATE\r\n").await.unwrap();
    read_to(&mut stream, "b OK from here on\r\n").await;
    let mut packer = flate2::write::DeflateEncoder::new(Vec::new(), flate2::Compression::default());
    packer
        .write_all(b"c SELECT INBOX\r\nd FETCH 1 BODY.PEEK[]\r\ne COMPRESS DEFLATE\r\nf LOGOUT\r\n")
        .unwrap();
    packer.flush().unwrap();
    stream.write_all(packer.get_ref()).await.unwrap();
    let mut packed = Vec::new();
    stream.read_to_end(&mut packed).await.unwrap();
    let mut text = String::new();
    // The server ends without a final block: what came before it is there all the same.
    let _ = flate2::read::DeflateDecoder::new(&packed[..]).read_to_string(&mut text);
    for expect in ["  text.\r\n)", "e NO [COMPRESSIONACTIVE]", "f OK done\r\n"] {
        assert!(text.contains(expect), "{expect}: {text}");
    }
}

#[tokio::test]
async fn names_are_utf8_once_that_is_enabled() {
    let sandbox = empty();
    let mut talk = log_in(&sandbox).await;
    talk.ask("CREATE Entw&APw-rfe").await;
    talk.check("ENABLE UTF8=ACCEPT", "* ENABLED UTF8=ACCEPT\nt OK done")
        .await;
    let list = talk.ask("LIST \"\" Entw%").await;
    assert!(list.contains("\"Entwürfe\""), "{list}");
    assert!(talk.ask("SELECT \"Entwürfe\"").await.contains("t OK"));
    talk.ask("CREATE \"R&D\"").await;
    assert!(
        talk.ask("STATUS \"R&D\" (MESSAGES)")
            .await
            .contains("\"R&D\" (MESSAGES 0)")
    );
    let raw = "Subject: Grüße\r\n\r\ntext\r\n";
    let command = format!("t APPEND INBOX UTF8 (~{{{}+}}\r\n{raw})\r\n", raw.len());
    talk.send(&command).await;
    assert!(talk.until("t ").await.contains("t OK [APPENDUID"));
    assert_eq!(&*sandbox.messages("INBOX")[0].raw, raw.as_bytes());
}

#[tokio::test]
async fn rev2_answers_as_rev2_does() {
    let sandbox = empty();
    sandbox.add_message("INBOX", letter(1)).unwrap();
    let mut talk = log_in(&sandbox).await;
    talk.check("ENABLE IMAP4rev2", "* ENABLED IMAP4REV2\nt OK done")
        .await;
    let selected = talk.ask("SELECT INBOX").await;
    assert!(
        !selected.contains("RECENT") && !selected.contains("UNSEEN"),
        "{selected}"
    );
    assert!(selected.contains("* LIST () \"/\" \"INBOX\""), "{selected}");
    talk.check("UID SEARCH ALL", "* ESEARCH (TAG \"t\") UID ALL 1\nt OK done")
        .await;
    talk.check("FETCH 1 PREVIEW", "* 1 FETCH (PREVIEW \"Some text.\")\nt OK done")
        .await;
}

#[tokio::test]
async fn small_literals_only_under_literal_minus() {
    let sandbox = with(SandboxOptions {
        without: &["LITERAL+"],
        ..SandboxOptions::plain_and_empty()
    });
    let mut talk = log_in(&sandbox).await;
    talk.send("t SELECT {5+}\r\nINBOX\r\n").await;
    assert!(talk.until("t ").await.contains("t OK [READ-WRITE]"));
    talk.send("t APPEND INBOX {5000+}\r\n").await;
    assert!(talk.until("* BYE").await.contains("[TOOBIG]"));
}

#[tokio::test]
async fn what_is_switched_off_is_not_there() {
    for (extension, command) in [
        ("OBJECTID", "FETCH 1 EMAILID"),
        ("PREVIEW", "FETCH 1 PREVIEW"),
        ("NOTIFY", "NOTIFY NONE"),
        ("COMPRESS=DEFLATE", "COMPRESS DEFLATE"),
        ("X-GM-EXT-1", "FETCH 1 X-GM-MSGID"),
    ] {
        let sandbox = with(SandboxOptions {
            without: Box::leak(Box::new([extension])),
            ..SandboxOptions::plain_and_empty()
        });
        sandbox.add_message("INBOX", letter(1)).unwrap();
        let mut talk = log_in(&sandbox).await;
        assert!(!talk.ask("CAPABILITY").await.contains(extension), "{extension}");
        talk.ask("SELECT INBOX").await;
        let answer = talk.ask(command).await;
        assert!(answer.starts_with("t BAD unknown"), "{command}: {answer}");
    }
}

#[tokio::test]
async fn so_many_sessions_and_no_more() {
    let sandbox = with(SandboxOptions {
        max_sessions: 1,
        ..SandboxOptions::plain_and_empty()
    });
    let mut first = log_in(&sandbox).await;
    let mut second = Talk::open(&sandbox, Service::Imap);
    second.line().await;
    second
        .check(
            "LOGIN robin sandbox",
            "t NO [LIMIT] too many connections of this user",
        )
        .await;
    first.ask("LOGOUT").await;
    while !second.ask("LOGIN robin sandbox").await.starts_with("t OK") {
        tokio::task::yield_now().await;
    }
}

#[tokio::test]
async fn gmail_shows_one_message_in_many_places() {
    let sandbox = with(SandboxOptions {
        gmail_like: true,
        ..SandboxOptions::plain_and_empty()
    });
    let all = "[Gmail]/All Mail";
    sandbox.add_message("INBOX", letter(1)).unwrap();
    let mut talk = log_in(&sandbox).await;
    talk.ask("CREATE Work").await;
    talk.ask(&format!("SELECT \"{all}\"")).await;
    let shown = talk
        .ask("UID FETCH 1:* (X-GM-MSGID X-GM-THRID X-GM-LABELS)")
        .await;
    assert!(shown.contains("X-GM-LABELS (\"\\\\Inbox\")"), "{shown}");
    talk.ask("UID STORE 1 +X-GM-LABELS (Work)").await;
    assert_eq!(sandbox.messages("Work").len(), 1);
    talk.ask("UID STORE 1 +FLAGS.SILENT (\\Seen)").await;
    for mailbox in ["INBOX", "Work", all] {
        assert!(
            sandbox.messages(mailbox)[0].flags.contains(Flag::Seen),
            "{mailbox}"
        );
    }
    talk.ask("UID STORE 1 -X-GM-LABELS (\\Inbox)").await;
    assert!(sandbox.messages("INBOX").is_empty());
    // Removed from its label it stays in All Mail; in the trash it is nowhere else.
    talk.ask("SELECT Work").await;
    talk.ask("UID STORE 1 +FLAGS.SILENT (\\Deleted)").await;
    talk.ask("UID EXPUNGE 1").await;
    assert_eq!(sandbox.messages(all).len(), 1);
    talk.ask(&format!("SELECT \"{all}\"")).await;
    talk.ask("UID MOVE 1 Trash").await;
    assert_eq!(
        (sandbox.messages(all).len(), sandbox.messages("Trash").len()),
        (0, 1)
    );
    talk.ask("SELECT Trash").await;
    talk.ask("UID MOVE 1:* INBOX").await;
    let counts = [all, "INBOX", "Trash"].map(|mailbox| sandbox.messages(mailbox).len());
    assert_eq!(counts, [1, 1, 0]);
}

#[tokio::test]
async fn pop3_by_digest_and_not_too_often() {
    let sandbox = with(SandboxOptions {
        apop: true,
        login_delay: Some(600),
        without: &["USER", "TOP"],
        ..SandboxOptions::plain_and_empty()
    });
    let mut talk = Talk::open(&sandbox, Service::Pop3);
    let greeting = talk.line().await;
    let stamp = greeting.split_whitespace().last().unwrap();
    talk.send("CAPA\r\nUSER robin\r\nUTF8\r\n").await;
    let offered = talk.until(".").await;
    for (line, expect) in [
        ("LOGIN-DELAY 600", true),
        ("AUTH-RESP-CODE", true),
        ("UTF8", true),
        ("USER", false),
        ("TOP", false),
    ] {
        assert_eq!(offered.lines().any(|offered| offered == line), expect, "{line}");
    }
    assert_eq!(talk.line().await, "-ERR not offered\r\n");
    assert_eq!(talk.line().await, "+OK UTF-8 it is\r\n");
    use md5::{Digest, Md5};
    let digest = Md5::digest(format!("{stamp}sandbox"));
    let digest: String = digest.iter().map(|byte| format!("{byte:02x}")).collect();
    talk.send(&format!(
        "APOP robin {}\r\nAPOP robin {digest}\r\nQUIT\r\n",
        "0".repeat(32)
    ))
    .await;
    assert_eq!(talk.line().await, "-ERR [AUTH] wrong user name or password\r\n");
    assert_eq!(talk.line().await, "+OK 0 messages\r\n");
    let mut again = Talk::open(&sandbox, Service::Pop3);
    again.line().await;
    again.send("AUTH PLAIN AHJvYmluAHNhbmRib3g=\r\n").await;
    assert!(again.line().await.starts_with("-ERR [LOGIN-DELAY]"));
}
