//! IMAP, word for word.

use posthorn_model::{Flag, Flags, Timestamp, Uid};

use super::{Talk, empty};
use crate::{IMAP_EXTENSIONS, NewMessage, Sandbox, SandboxOptions, Service};

const RAW: &str = "From: Ada <ada@example.org>\r\nTo: b@example.org\r\nSubject: =?utf-8?Q?caf=C3=A9?=\r\nDate: Sun, 15 Jun 2025 12:00:00 +0200\r\nMessage-ID: <1@example.org>\r\nMIME-Version: 1.0\r\nContent-Type: multipart/mixed; boundary=\"b\"\r\n\r\npreamble\r\n--b\r\nContent-Type: text/plain; charset=utf-8\r\nContent-Transfer-Encoding: quoted-printable\r\n\r\nna=C3=AFve\r\n--b\r\nContent-Type: message/rfc822\r\n\r\nSubject: inner\r\nFrom: c@example.org\r\n\r\ninner text\r\n--b\r\nContent-Type: application/pdf; name=\"a.pdf\"\r\nContent-Disposition: attachment; filename=\"a.pdf\"\r\nContent-Transfer-Encoding: base64\r\n\r\nJVBERg==\r\n--b--\r\n";

fn message(raw: &str) -> NewMessage {
    NewMessage {
        raw: raw.as_bytes().to_vec(),
        internal_date: Timestamp(1_749_988_800),
        ..NewMessage::default()
    }
}

/// `count` small messages in INBOX.
fn with_messages(count: u32) -> Sandbox {
    let sandbox = empty();
    for number in 1..=count {
        sandbox
            .add_message(
                "INBOX",
                message(&format!("Subject: {number}\r\n\r\nbody {number}\r\n")),
            )
            .unwrap();
    }
    sandbox
}

async fn log_in(sandbox: &Sandbox) -> Talk {
    let mut talk = Talk::open(sandbox, Service::Imap);
    talk.line().await;
    assert!(talk.ask("LOGIN robin sandbox").await.starts_with("t OK"));
    talk
}

async fn select(sandbox: &Sandbox) -> Talk {
    let mut talk = log_in(sandbox).await;
    assert!(talk.ask("SELECT INBOX").await.contains("t OK [READ-WRITE]"));
    talk
}

#[tokio::test]
async fn greets_and_logs_in() {
    let sandbox = empty();
    let mut talk = Talk::open(&sandbox, Service::Imap);
    assert!(
        talk.line()
            .await
            .starts_with("* OK [CAPABILITY IMAP4rev1 LITERAL+ SASL-IR")
    );
    talk.check("SELECT INBOX", "t BAD log in first").await;
    talk.check(
        "LOGIN robin wrong",
        "t NO [AUTHENTICATIONFAILED] wrong user name or password",
    )
    .await;
    talk.check(
        "ID (\"name\" NIL)",
        "* ID (\"name\" \"Posthorn sandbox\")\nt OK done",
    )
    .await;
    let answer = talk.ask("AUTHENTICATE PLAIN AHJvYmluAHNhbmRib3g=").await;
    assert!(answer.starts_with("t OK [CAPABILITY "), "{answer}");
    talk.check("NAMESPACE", "* NAMESPACE ((\"\" \"/\")) NIL NIL\nt OK done")
        .await;
    talk.check("FETCH 1 UID", "t BAD select a mailbox before FETCH")
        .await;
    talk.check("NONSENSE", "t BAD unknown command").await;
    talk.send("t LOGOUT\r\n").await;
    assert_eq!(talk.until("t ").await, "* BYE until next time\r\nt OK done\r\n");
    assert_eq!(talk.line().await, "");
}

#[tokio::test]
async fn takes_literals_of_both_kinds() {
    let sandbox = empty();
    let mut talk = Talk::open(&sandbox, Service::Imap);
    talk.line().await;
    talk.send("t LOGIN {5}\r\n").await;
    assert_eq!(talk.line().await, "+ go ahead\r\n");
    talk.send("robin {7+}\r\nsandbox\r\n").await;
    talk.until("t OK").await;
    talk.send("t APPEND Sent (\\Seen) \"15-Jun-2025 12:00:00 +0000\" {11+}\r\nSubject: x\n\r\n")
        .await;
    assert!(talk.until("t ").await.starts_with("t OK [APPENDUID "));
    let sent = sandbox.messages("Sent");
    assert_eq!(
        (&*sent[0].raw, sent[0].internal_date),
        (b"Subject: x\n".as_slice(), Timestamp(1_749_988_800))
    );
    assert!(sent[0].flags.contains(Flag::Seen));
    talk.check("APPEND Nowhere {1+}\r\nx", "t NO [TRYCREATE] no such mailbox")
        .await;
    talk.check("APPEND Sent {999999999}", "t NO [TOOBIG] literal too large")
        .await;
    talk.send("t APPEND Sent {999999999+}\r\n").await;
    talk.until("* BYE").await;
    assert_eq!(talk.line().await, "");
}

#[tokio::test]
async fn describes_a_mailbox() {
    let sandbox = with_messages(2);
    sandbox.store().set_flags(
        "robin",
        "INBOX",
        Uid::new(1).unwrap(),
        Flags::default().with(Flag::Seen),
    );
    let validity = sandbox.store().mailboxes("robin")[0].uid_validity;
    let mut talk = log_in(&sandbox).await;
    let expect = format!(
        "* FLAGS (\\Seen \\Answered \\Flagged \\Deleted \\Draft)\n* OK [PERMANENTFLAGS ()] kept\n* 2 EXISTS\n* 0 RECENT\n* OK [UNSEEN 2] first unseen\n* OK [UIDVALIDITY {validity}] valid\n* OK [UIDNEXT 3] next\n* OK [HIGHESTMODSEQ 4] highest\n* OK [MAILBOXID (F1)] its id\nt OK [READ-ONLY] selected"
    );
    talk.check("EXAMINE INBOX", &expect).await;
    talk.check(
        "STORE 1 FLAGS ()",
        "t NO [READ-ONLY] the mailbox was opened read-only",
    )
    .await;
    talk.check(
        "FETCH 2 BODY[TEXT]",
        "* 2 FETCH (BODY[TEXT] {8}\nbody 2\n)\nt OK done",
    )
    .await;
    assert!(
        sandbox.messages("INBOX")[1].flags.is_empty(),
        "EXAMINE marks nothing"
    );
    talk.check(
        "STATUS inbox (MESSAGES UIDNEXT UNSEEN HIGHESTMODSEQ SIZE)",
        "* STATUS \"INBOX\" (MESSAGES 2 UIDNEXT 3 UNSEEN 1 HIGHESTMODSEQ 4 SIZE 44)\nt OK done",
    )
    .await;
    talk.check("SELECT Nowhere", "t NO [NONEXISTENT] no such mailbox")
        .await;
    talk.check("NOOP", "t OK done").await;
    talk.check("FETCH 1 UID", "t BAD select a mailbox before FETCH")
        .await;
}

#[tokio::test]
async fn lists_mailboxes() {
    let sandbox = empty();
    let mut talk = log_in(&sandbox).await;
    assert!(talk.ask("CREATE A/B").await.starts_with("t OK [MAILBOXID (F"));
    talk.check("CREATE A/B", "t NO [ALREADYEXISTS] it exists").await;
    talk.ask("CREATE \"Sp&AOQ-t\" (USE (\\Important))").await;
    talk.check("LIST \"\" \"\"", "* LIST (\\Noselect) \"/\" \"\"\nt OK done")
        .await;
    talk.check(
        "LIST \"\" A%",
        "* LIST (\\HasChildren) \"/\" \"A\"\n* LIST (\\HasNoChildren \\Archive) \"/\" \"Archive\"\nt OK done",
    )
    .await;
    talk.check("LIST A/ %", "* LIST (\\HasNoChildren) \"/\" \"A/B\"\nt OK done")
        .await;
    talk.check("UNSUBSCRIBE A", "t OK done").await;
    talk.check(
        "LIST (SUBSCRIBED) \"\" (A A/* S*t) RETURN (STATUS (MESSAGES))",
        "* LIST (\\HasNoChildren \\Subscribed) \"/\" \"A/B\"\n* STATUS \"A/B\" (MESSAGES 0)\n* LIST (\\HasNoChildren \\Subscribed \\Sent) \"/\" \"Sent\"\n* STATUS \"Sent\" (MESSAGES 0)\n* LIST (\\HasNoChildren \\Subscribed \\Important) \"/\" \"Sp&AOQ-t\"\n* STATUS \"Sp&AOQ-t\" (MESSAGES 0)\nt OK done",
    )
    .await;
    talk.check(
        "LSUB \"\" A*",
        "* LSUB () \"/\" \"A/B\"\n* LSUB () \"/\" \"Archive\"\nt OK done",
    )
    .await;
    talk.check("RENAME A Z", "t OK renamed").await;
    talk.check(
        "LIST \"\" Z*",
        "* LIST (\\HasChildren) \"/\" \"Z\"\n* LIST (\\HasNoChildren) \"/\" \"Z/B\"\nt OK done",
    )
    .await;
    talk.check("DELETE Z", "t NO [HASCHILDREN] it has mailboxes below it")
        .await;
    talk.check("DELETE Z/B", "t OK deleted").await;
    talk.check("DELETE inbox", "t NO [CANNOT] INBOX stays").await;
    talk.check("CREATE ../x", "t NO [CANNOT] impossible mailbox name")
        .await;
}

#[tokio::test]
async fn fetches_every_part() {
    let sandbox = empty();
    sandbox.add_message("INBOX", message(RAW)).unwrap();
    let mut talk = select(&sandbox).await;
    let body = format!(
        "* 1 FETCH (BODY[] {{{}}}\n{})\nt OK done",
        RAW.len(),
        RAW.replace("\r\n", "\n")
    );
    talk.check("FETCH 1 BODY.PEEK[]", &body).await;
    for (item, expect) in [
        ("BODY.PEEK[1]", "BODY[1] {10}\nna=C3=AFve"),
        (
            "BODY.PEEK[1.MIME]",
            "BODY[1.MIME] {88}\nContent-Type: text/plain; charset=utf-8\nContent-Transfer-Encoding: quoted-printable\n\n",
        ),
        (
            "BODY.PEEK[2.HEADER]",
            "BODY[2.HEADER] {39}\nSubject: inner\nFrom: c@example.org\n\n",
        ),
        ("BODY.PEEK[2.TEXT]", "BODY[2.TEXT] {10}\ninner text"),
        ("BODY.PEEK[2.1]", "BODY[2.1] {10}\ninner text"),
        ("BODY.PEEK[3]<4.100>", "BODY[3]<4> {4}\nRg=="),
        ("BODY.PEEK[3]<400.1>", "BODY[3]<400> {0}\n"),
        ("BODY.PEEK[4]", "BODY[4] NIL"),
        ("BODY.PEEK[1.1]", "BODY[1.1] NIL"),
        (
            "BODY.PEEK[HEADER.FIELDS (to MESSAGE-ID)]",
            "BODY[HEADER.FIELDS (\"to\" \"MESSAGE-ID\")] {50}\nTo: b@example.org\nMessage-ID: <1@example.org>\n\n",
        ),
        ("RFC822.SIZE", "RFC822.SIZE 572"),
        ("INTERNALDATE", "INTERNALDATE \"15-Jun-2025 12:00:00 +0000\""),
        (
            "ENVELOPE",
            "ENVELOPE (\"Sun, 15 Jun 2025 12:00:00 +0200\" \"=?utf-8?Q?caf=C3=A9?=\" ((\"Ada\" NIL \"ada\" \"example.org\")) ((\"Ada\" NIL \"ada\" \"example.org\")) ((\"Ada\" NIL \"ada\" \"example.org\")) ((NIL NIL \"b\" \"example.org\")) NIL NIL NIL \"<1@example.org>\")",
        ),
        (
            "BODYSTRUCTURE",
            "BODYSTRUCTURE ((\"text\" \"plain\" (\"charset\" \"utf-8\") NIL NIL \"quoted-printable\" 10 0 NIL NIL NIL NIL)(\"message\" \"rfc822\" NIL NIL NIL \"7bit\" 49 (NIL \"inner\" ((NIL NIL \"c\" \"example.org\")) ((NIL NIL \"c\" \"example.org\")) ((NIL NIL \"c\" \"example.org\")) NIL NIL NIL NIL NIL) (\"text\" \"plain\" (\"charset\" \"us-ascii\") NIL NIL \"7bit\" 10 0 NIL NIL NIL NIL) 3 NIL NIL NIL NIL)(\"application\" \"pdf\" (\"name\" \"a.pdf\") NIL NIL \"base64\" 8 NIL (\"attachment\" (\"filename\" \"a.pdf\")) NIL NIL) \"mixed\" (\"boundary\" \"b\") NIL NIL NIL)",
        ),
    ] {
        talk.check(
            &format!("FETCH 1 {item}"),
            &format!("* 1 FETCH ({expect})\nt OK done"),
        )
        .await;
    }
    talk.check(
        "FETCH 1 (BODY[1]<0.2>)",
        "* 1 FETCH (BODY[1]<0> {2}\nna FLAGS (\\Seen))\nt OK done",
    )
    .await;
    talk.check("FETCH 2 UID", "t BAD no such message number").await;
    talk.check("UID FETCH 7 FLAGS", "t OK done").await;
    talk.check(
        "UID FETCH 7:* FLAGS",
        "* 1 FETCH (UID 1 FLAGS (\\Seen))\nt OK done",
    )
    .await;
}

#[tokio::test]
async fn changes_flags_and_says_who_was_faster() {
    let sandbox = with_messages(3);
    let mut talk = select(&sandbox).await;
    talk.check(
        "STORE 1:2 +FLAGS (\\Flagged Work)",
        "* 1 FETCH (FLAGS (\\Flagged Work))\n* 2 FETCH (FLAGS (\\Flagged Work))\nt OK done",
    )
    .await;
    talk.check("UID STORE 2 -FLAGS.SILENT work", "t OK done").await;
    talk.check("UID FETCH 1:2 (FLAGS MODSEQ)", "* 1 FETCH (UID 1 FLAGS (\\Flagged Work) MODSEQ (5))\n* 2 FETCH (UID 2 FLAGS (\\Flagged) MODSEQ (7))\nt OK done").await;
    talk.check(
        "UID STORE 1:3 (UNCHANGEDSINCE 5) +FLAGS.SILENT (\\Seen)",
        "* 1 FETCH (UID 1 MODSEQ (8))\n* 3 FETCH (UID 3 MODSEQ (9))\nt OK [MODIFIED 2] some were changed meanwhile",
    )
    .await;
    talk.check(
        "FETCH 1:* (UID) (CHANGEDSINCE 8)",
        "* 3 FETCH (UID 3 MODSEQ (9))\nt OK done",
    )
    .await;
    talk.check("STORE 1 FLAGS (\\Recent)", "t BAD unknown flag").await;
    // What another session did is told, with .SILENT too.
    sandbox.store().set_flags(
        "robin",
        "INBOX",
        Uid::new(3).unwrap(),
        Flags::default().with(Flag::Draft),
    );
    talk.check(
        "STORE 3 +FLAGS.SILENT (\\Answered)",
        "* 3 FETCH (UID 3 FLAGS (\\Answered \\Draft) MODSEQ (11))\nt OK done",
    )
    .await;
}

#[tokio::test]
async fn moves_copies_and_removes() {
    let sandbox = with_messages(5);
    let validity = sandbox
        .store()
        .mailboxes("robin")
        .iter()
        .find(|m| m.path == "Archive")
        .unwrap()
        .uid_validity;
    let mut talk = select(&sandbox).await;
    talk.check(
        "COPY 1,3 Archive",
        &format!("t OK [COPYUID {validity} 1,3 1:2] copied"),
    )
    .await;
    talk.check(
        "UID MOVE 2 Archive",
        &format!("* OK [COPYUID {validity} 2 3] moved\n* 2 EXPUNGE\nt OK moved"),
    )
    .await;
    talk.check("UID COPY 99 Archive", "t OK copied").await;
    talk.check("COPY 1 Nowhere", "t NO [TRYCREATE] no such mailbox")
        .await;
    talk.check("STORE 1,2,4 +FLAGS.SILENT (\\Deleted)", "t OK done")
        .await;
    talk.check("UID EXPUNGE 3", "* 2 EXPUNGE\nt OK done").await;
    talk.check("EXPUNGE", "* 3 EXPUNGE\n* 1 EXPUNGE\nt OK done").await;
    assert_eq!(
        sandbox
            .messages("INBOX")
            .iter()
            .map(|m| m.uid.value())
            .collect::<Vec<_>>(),
        [4]
    );
    assert_eq!(sandbox.messages("Archive").len(), 3);
}

#[tokio::test]
async fn tells_removals_only_where_numbers_may_change() {
    let sandbox = with_messages(3);
    let mut talk = select(&sandbox).await;
    sandbox
        .store()
        .vanish("robin", "INBOX", |message| message.uid.value() == 2);
    sandbox
        .add_message("INBOX", message("Subject: 4\r\n\r\n"))
        .unwrap();
    let answer = talk.ask("FETCH 1:3 UID").await;
    assert!(
        !answer.contains("EXPUNGE\r\n") && answer.contains("* 4 EXISTS"),
        "{answer}"
    );
    assert!(
        answer.ends_with("t NO [EXPUNGEISSUED] some of the messages are gone\r\n"),
        "{answer}"
    );
    talk.check("NOOP", "* 2 EXPUNGE\nt OK done").await;
    talk.check("FETCH 3 UID", "* 3 FETCH (UID 4)\nt OK done").await;
    sandbox.store().bump_uid_validity("robin", "INBOX");
    talk.send("t NOOP\r\n").await;
    assert_eq!(talk.line().await, "* BYE the selected mailbox is gone\r\n");
    assert_eq!(talk.line().await, "");
}

#[tokio::test]
async fn resynchronises_in_one_command() {
    let sandbox = with_messages(6);
    let validity = sandbox.store().mailboxes("robin")[0].uid_validity;
    sandbox
        .store()
        .vanish("robin", "INBOX", |message| [2, 5].contains(&message.uid.value()));
    sandbox.store().set_flags(
        "robin",
        "INBOX",
        Uid::new(3).unwrap(),
        Flags::default().with(Flag::Seen),
    );
    let mut talk = log_in(&sandbox).await;
    talk.check("SELECT INBOX (QRESYNC (1 1))", "t BAD not enabled")
        .await;
    talk.check("ENABLE QRESYNC NONSENSE", "* ENABLED QRESYNC\nt OK done")
        .await;
    let answer = talk
        .ask(&format!("SELECT INBOX (QRESYNC ({validity} 7 1:4 (1,2 1,2)))"))
        .await;
    assert!(
        answer.contains("* VANISHED (EARLIER) 2\r\n* 2 FETCH (UID 3 FLAGS (\\Seen) MODSEQ (9))\r\nt OK"),
        "{answer}"
    );
    let answer = talk.ask("SELECT INBOX (QRESYNC (1 7))").await;
    assert!(
        answer.starts_with("* OK [CLOSED]") && !answer.contains("VANISHED"),
        "{answer}"
    );
    talk.check(
        "UID FETCH 1:* (FLAGS) (CHANGEDSINCE 7 VANISHED)",
        "* VANISHED (EARLIER) 2,5\n* 2 FETCH (UID 3 FLAGS (\\Seen) MODSEQ (9))\nt OK done",
    )
    .await;
    sandbox
        .store()
        .vanish("robin", "INBOX", |message| message.uid.value() > 3);
    talk.check("NOOP", "* VANISHED 4,6\nt OK done").await;
}

#[tokio::test]
async fn searches() {
    let sandbox = with_messages(3);
    sandbox.add_message("INBOX", message(RAW)).unwrap();
    sandbox.store().set_flags(
        "robin",
        "INBOX",
        Uid::new(2).unwrap(),
        Flags::default().with(Flag::Seen),
    );
    let mut talk = select(&sandbox).await;
    for (keys, expect) in [
        ("ALL", " 1 2 3 4"),
        ("SEEN", " 2"),
        ("UNSEEN 2:*", " 3 4"),
        ("OR SUBJECT 1 SUBJECT 3", " 1 3"),
        ("NOT (OR SUBJECT 1 SUBJECT 3) UID 1:3", " 2"),
        ("SUBJECT {6+}\r\ncaf\u{e9}x", ""),
        ("CHARSET UTF-8 SUBJECT {5+}\r\nCAF\u{c9}", " 4"),
        ("BODY na\u{ef}ve", " 4"),
        ("TEXT \"inner text\"", " 4"),
        ("HEADER Message-ID <1@example.org>", " 4"),
        ("HEADER X-None \"\"", ""),
        ("LARGER 100", " 4"),
        ("SENTON 15-Jun-2025", " 4"),
        ("SENTBEFORE 15-Jun-2025", ""),
        ("SINCE 15-Jun-2025 BEFORE 16-Jun-2025", " 1 2 3 4"),
        ("ON 14-Jun-2025", ""),
        ("KEYWORD Work", ""),
    ] {
        talk.check(&format!("SEARCH {keys}"), &format!("* SEARCH{expect}\nt OK done"))
            .await;
    }
    talk.check(
        "UID SEARCH RETURN (MIN MAX COUNT ALL) ALL",
        "* ESEARCH (TAG \"t\") UID MIN 1 MAX 4 COUNT 4 ALL 1:4\nt OK done",
    )
    .await;
    talk.check("SEARCH RETURN () DRAFT", "* ESEARCH (TAG \"t\")\nt OK done")
        .await;
    talk.check("UID SEARCH MODSEQ 6", "* SEARCH 2 (MODSEQ 6)\nt OK done")
        .await;
    let answer = talk.ask("SEARCH CHARSET KOI8-R ALL").await;
    assert!(answer.starts_with("t BAD [BADCHARSET"), "{answer}");
}

#[tokio::test]
async fn idle_announces_what_arrives_and_what_goes() {
    let sandbox = empty();
    let mut talk = select(&sandbox).await;
    talk.send("t IDLE\r\n").await;
    talk.until("+ ").await;
    sandbox.add_message("INBOX", message("Subject: new\r\n\r\n"));
    assert_eq!(talk.until("* 0 RECENT").await, "* 1 EXISTS\r\n* 0 RECENT\r\n");
    sandbox.store().set_flags(
        "robin",
        "INBOX",
        Uid::new(1).unwrap(),
        Flags::default().with(Flag::Seen),
    );
    assert_eq!(talk.line().await, "* 1 FETCH (UID 1 FLAGS (\\Seen))\r\n");
    sandbox.store().vanish("robin", "INBOX", |_| true);
    assert_eq!(talk.line().await, "* 1 EXPUNGE\r\n");
    talk.send("DONE\r\n").await;
    assert_eq!(talk.line().await, "t OK done\r\n");
}

#[tokio::test]
async fn works_with_every_extension_switched_off() {
    let options = SandboxOptions {
        without: IMAP_EXTENSIONS,
        ..SandboxOptions::plain_and_empty()
    };
    let sandbox = Sandbox::without_ports(options).unwrap();
    sandbox.add_message("INBOX", message(RAW)).unwrap();
    let mut talk = Talk::open(&sandbox, Service::Imap);
    assert_eq!(
        talk.line().await,
        "* OK [CAPABILITY IMAP4rev1 AUTH=PLAIN] sandbox ready\r\n"
    );
    talk.ask("LOGIN robin sandbox").await;
    for command in [
        "ID NIL",
        "ENABLE QRESYNC",
        "NAMESPACE",
        "IDLE",
        "UNSELECT",
        "UID EXPUNGE 1",
    ] {
        assert!(talk.ask(command).await.starts_with("t BAD"), "{command}");
    }
    let answer = talk.ask("SELECT INBOX").await;
    assert!(!answer.contains("MODSEQ"), "{answer}");
    for command in [
        "MOVE 1 Sent",
        "UID SEARCH RETURN (ALL) ALL",
        "FETCH 1 MODSEQ",
        "STATUS INBOX (SIZE)",
        "LIST (SUBSCRIBED) \"\" *",
    ] {
        assert!(talk.ask(command).await.starts_with("t BAD"), "{command}");
    }
    talk.check("LIST \"\" Sent", "* LIST () \"/\" \"Sent\"\nt OK done")
        .await;
    talk.check("COPY 1 Sent", "t OK copied").await;
    talk.send("t APPEND Sent {1}\r\n").await;
    talk.until("+ ").await;
    talk.send("x\r\n").await;
    assert_eq!(talk.until("t ").await, "t OK kept\r\n");
}
