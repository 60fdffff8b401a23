//! Conversations with a server that plays from a script.

mod extensions;
mod news;
mod pieces;
mod quirks;
mod recorded;

use super::*;
use crate::{Channel, Credentials, DialOptions, Dialer, Error};
use posthorn_model::{ErrorClass, Secret};
use tokio::io::{AsyncBufReadExt, AsyncWriteExt, BufReader, DuplexStream};
use tokio::task::JoinHandle;

/// Plays lines: `C: …` is expected (a `*` at the end stands for anything), `S: …` is sent, with `\n` for further
/// line ends in it. At the end of the script the connection closes.
fn play(stream: DuplexStream, script: String) -> JoinHandle<()> {
    tokio::spawn(async move {
        let mut stream = BufReader::new(stream);
        for line in script.lines().filter(|line| !line.trim().is_empty()) {
            let line = line.trim_start();
            if let Some(expect) = line.strip_prefix("C: ") {
                let mut got = String::new();
                stream.read_line(&mut got).await.expect("a command");
                let got = got.trim_end();
                match expect.strip_suffix('*') {
                    Some(start) => assert!(got.starts_with(start), "expected {expect:?}, got {got:?}"),
                    None => assert_eq!(got, expect),
                }
            } else if let Some(answer) = line.strip_prefix("S: ") {
                let answer = answer.replace("\\n", "\r\n");
                stream
                    .write_all(format!("{answer}\r\n").as_bytes())
                    .await
                    .expect("answering");
            } else if let Some(seconds) = line.strip_prefix("W: ") {
                let seconds = seconds.parse().expect("seconds");
                tokio::time::sleep(Duration::from_secs(seconds)).await;
            } else {
                panic!("not a line of a script: {line:?}");
            }
        }
    })
}

const USUAL: &str = "IMAP4rev1 LITERAL+ UIDPLUS MOVE IDLE ESEARCH CONDSTORE QRESYNC ENABLE";

fn password() -> Credentials {
    Credentials::Password {
        username: "alice".into(),
        password: Secret::new("s3cret".into()),
    }
}

fn dialer() -> Dialer {
    let options = DialOptions {
        memory_limit: 50,
        ..DialOptions::default()
    };
    Dialer::new(options).expect("dialer")
}

/// Sessions live in tasks that move between threads.
#[test]
fn sessions_and_their_work_can_be_sent() {
    fn check<T: Send>(_: T) {}
    async fn work(session: &mut Session, out: tokio::sync::mpsc::Sender<Body>) {
        let uids = UidSet::default();
        let _ = session.list().await;
        let _ = session.select(&inbox(), Access::Write, None).await;
        let _ = session.fetch_flags(&uids, None, &mut |_| {}).await;
        let _ = session.fetch_summaries(&uids, &mut |_| {}).await;
        let _ = session.fetch_bodies(&[], &out).await;
        let _ = session.move_messages(&uids, &inbox()).await;
        let _ = session.append(&inbox(), &Flags::default(), None, b"x").await;
        let _ = session.idle(Duration::from_secs(1)).await;
    }
    fn of(session: &mut Session, out: tokio::sync::mpsc::Sender<Body>) {
        check(work(session, out));
    }
    let _ = of;
}

async fn begin(script: String, credentials: &Credentials) -> (Result<Session, Error>, JoinHandle<()>) {
    let (ours, theirs) = tokio::io::duplex(1 << 16);
    let player = play(theirs, script);
    let mut channel = Channel::over(ours, "test");
    let greeting = channel.read_line(1000).await.expect("greeting");
    channel.set_greeting(greeting);
    (Session::begin(&dialer(), channel, credentials).await, player)
}

/// A session with `capabilities`, and a server that goes on with `script`.
async fn session(capabilities: &str, script: &str) -> (Session, JoinHandle<()>) {
    let mut start = format!(
        "S: * OK [CAPABILITY {capabilities} SASL-IR AUTH=PLAIN] hi
         C: L1 AUTHENTICATE PLAIN AGFsaWNlAHMzY3JldA==
         S: L1 OK [CAPABILITY {capabilities}] in\n"
    );
    if capabilities.contains("QRESYNC") {
        start.push_str(
            "C: A0002 ENABLE CONDSTORE QRESYNC
             S: * ENABLED CONDSTORE QRESYNC
             S: A0002 OK\n",
        );
    }
    let (session, player) = begin(start + script, &password()).await;
    (session.expect("a session"), player)
}

fn set(text: &str) -> UidSet {
    UidSet::parse(text).unwrap_or_default()
}

fn inbox() -> MailboxName {
    MailboxName::local("INBOX")
}

#[tokio::test]
async fn logs_in_by_the_mechanism_that_fits() {
    let check = async |script: &str, credentials: &Credentials| {
        let (session, player) = begin(script.to_owned(), credentials).await;
        session.unwrap_or_else(|error| panic!("{script}: {error}"));
        player.await.expect("the script");
    };
    let bearer = Credentials::Bearer {
        username: "alice".into(),
        token: Secret::new("tok".into()),
    };
    let eight_bit = Credentials::Password {
        username: "alice".into(),
        password: Secret::new("pä\"ss".into()),
    };
    check(
        "S: * OK hi
         C: A0002 CAPABILITY
         S: * CAPABILITY IMAP4rev1
         S: A0002 OK
         C: L1 LOGIN \"alice\" \"s3cret\"
         S: L1 OK in
         C: A0003 CAPABILITY
         S: * CAPABILITY IMAP4rev1 ID
         S: A0003 OK
         C: A0004 ID (\"name\" \"Posthorn\"*
         S: * ID NIL
         S: A0004 OK",
        &password(),
    )
    .await;
    check(
        "S: * OK [CAPABILITY IMAP4rev1 LOGINDISABLED AUTH=PLAIN] hi
         C: L1 AUTHENTICATE PLAIN
         S: +
         C: AGFsaWNlAHMzY3JldA==
         S: L1 OK [CAPABILITY IMAP4rev1] in",
        &password(),
    )
    .await;
    check(
        "S: * OK [CAPABILITY IMAP4rev1] hi
         C: L1 LOGIN {5}
         S: + go
         C: alice {6}
         S: + go
         C: pä\"ss
         S: * CAPABILITY IMAP4rev1
         S: L1 OK in",
        &eight_bit,
    )
    .await;
    check(
        "S: * OK [CAPABILITY IMAP4rev1 SASL-IR AUTH=XOAUTH2] hi
         C: L1 AUTHENTICATE XOAUTH2 dXNlcj1hbGljZQFhdXRoPUJlYXJlciB0b2sBAQ==
         S: L1 OK [CAPABILITY IMAP4rev1] in",
        &bearer,
    )
    .await;
}

#[tokio::test]
async fn refused_logins_are_what_they_are_and_end_there() {
    let check = async |answer: &str, class: ErrorClass, words: &str| {
        let script = format!("S: * OK [CAPABILITY IMAP4rev1] hi\nC: L1 LOGIN*\nS: {answer}");
        let (session, player) = begin(script, &password()).await;
        let error = session.err().expect(answer);
        player.await.expect("nothing else is tried");
        assert_eq!(error.class, class, "{answer}: {error}");
        assert!(error.to_string().contains(words), "{answer}: {error}");
        assert!(!error.to_string().contains("s3cret"));
    };
    check(
        "L1 NO [AUTHENTICATIONFAILED] no",
        ErrorClass::Auth,
        "does not accept",
    )
    .await;
    check("L1 NO wrong", ErrorClass::Auth, "wrong").await;
    check("L1 NO [UNAVAILABLE] later", ErrorClass::Network, "at the moment").await;
    check("L1 NO [LIMIT] too many", ErrorClass::Network, "too many").await;
    check("L1 BAD what", ErrorClass::Protocol, "does not understand").await;
    check("* BYE go away", ErrorClass::Network, "go away").await;
    check("L1 WHAT", ErrorClass::Protocol, "").await;
}

#[tokio::test]
async fn says_nothing_secret_where_login_is_disabled() {
    for greeting in [
        "* OK [CAPABILITY IMAP4rev1 LOGINDISABLED] hi",
        "* PREAUTH hi",
        "* BYE no",
    ] {
        let (session, player) = begin(format!("S: {greeting}"), &password()).await;
        assert!(session.is_err(), "{greeting}");
        player.await.expect("the script");
    }
}

fn shown(mailboxes: &[ListedMailbox]) -> Vec<String> {
    let show = |mailbox: &ListedMailbox| {
        let purpose = mailbox.special_use.map_or("-", SpecialUse::name);
        let selectable = if mailbox.selectable { "" } else { " closed" };
        let subscribed = if mailbox.subscribed { " subscribed" } else { "" };
        let status = mailbox
            .status
            .as_ref()
            .map(|status| format!(" {}/{}", status.unseen, status.messages));
        format!(
            "{} {purpose}{selectable}{subscribed}{}",
            mailbox.name.path,
            status.unwrap_or_default()
        )
    };
    mailboxes.iter().map(show).collect()
}

#[tokio::test]
async fn lists_in_one_command_where_the_server_can() {
    let (mut session, player) = session(
        "IMAP4rev1 LIST-EXTENDED LIST-STATUS SPECIAL-USE",
        r#"C: A0002 LIST "" "*" RETURN (SUBSCRIBED SPECIAL-USE STATUS (MESSAGES UNSEEN UIDNEXT UIDVALIDITY))
           S: * LIST (\Subscribed) "." INBOX
           S: * STATUS INBOX (MESSAGES 3 UNSEEN 1 UIDNEXT 9 UIDVALIDITY 7)
           S: * LIST (\NonExistent) "." a
           S: * LIST (\Sent) "." "a.Entw&APw-rfe" ("CHILDINFO" ("SUBSCRIBED"))
           S: * LIST () NIL {6}\nbad\n!!
           S: A0002 OK"#,
    )
    .await;
    let mailboxes = session.list().await.expect("a list");
    player.await.expect("the script");
    assert_eq!(
        shown(&mailboxes),
        [
            "INBOX inbox subscribed 1/3",
            "a - closed",
            "a/Entwürfe sent",
            "bad\u{fffd}\u{fffd}! - closed"
        ]
    );
    assert_eq!(session.name_for("a/ü").wire, b"a.&APw-");
}

#[tokio::test]
async fn new_names_go_below_inbox_where_everything_is() {
    let (mut session, player) = session(
        "IMAP4rev1",
        r#"C: A0002 LIST "" "*"
           C: A0003 LSUB "" "*"
           S: * LIST () "." INBOX
           S: * LIST () "." INBOX.Sent
           S: A0002 OK
           S: A0003 OK"#,
    )
    .await;
    session.list().await.expect("a list");
    player.await.expect("the script");
    assert_eq!(session.name_for("a/b").wire, b"INBOX.a.b");
    assert_eq!(session.name_for("INBOX/a").wire, b"INBOX.a");
    assert_eq!(session.name_for("INBOX").wire, b"INBOX");
}

#[tokio::test]
async fn lists_in_two_commands_elsewhere() {
    let (mut session, player) = session(
        "IMAP4rev1",
        r#"C: A0002 LIST "" "*"
           C: A0003 LSUB "" "*"
           S: * LIST (\HasNoChildren) "/" INBOX
           S: * LIST () "/" Gesendet
           S: A0002 OK
           S: * LSUB () "/" Gesendet
           S: A0003 OK"#,
    )
    .await;
    let mailboxes = session.list().await.expect("a list");
    player.await.expect("the script");
    assert_eq!(shown(&mailboxes), ["INBOX inbox", "Gesendet sent subscribed"]);
}

#[tokio::test]
async fn resumes_a_mailbox_in_one_command() {
    let (mut session, player) = session(
        USUAL,
        r#"C: A0003 SELECT "INBOX" (QRESYNC (7 90 1:5))
           S: * 9 EXISTS
           S: * OK [CLOSED] left
           S: * 3 EXISTS
           S: * OK [UIDVALIDITY 7] ok
           S: * OK [UIDNEXT 11] ok
           S: * OK [HIGHESTMODSEQ 99] ok
           S: * OK [PERMANENTFLAGS (\Seen \*)] ok
           S: * VANISHED (EARLIER) 2:3
           S: * 1 FETCH (UID 4 FLAGS (\Seen) MODSEQ (95))
           S: A0003 OK [READ-WRITE] ok"#,
    )
    .await;
    let resume = Resume {
        uid_validity: UidValidity::new(7).expect("not 0"),
        modseq: ModSeq(90),
        known: set("1:5"),
    };
    let selected = session
        .select(&inbox(), Access::Write, Some(resume))
        .await
        .expect("selected");
    player.await.expect("the script");
    assert_eq!(selected.exists, 3);
    assert_eq!(selected.uid_next, Some(11));
    assert_eq!(selected.highest_modseq, Some(ModSeq(99)));
    assert_eq!(selected.vanished, Some(set("2:3")));
    assert_eq!(selected.changed.len(), 1);
    assert!(selected.new_keywords && !selected.read_only);
}

#[tokio::test]
async fn summaries_that_cannot_be_read_are_asked_for_again_with_less() {
    let (mut session, player) = session(
        "IMAP4rev1",
        r#"C: A0002 UID FETCH 1:3 (UID FLAGS INTERNALDATE RFC822.SIZE BODY.PEEK[HEADER.FIELDS*
           S: * 1 FETCH (UID 1 FLAGS (\Seen) INTERNALDATE "17-Jul-1996 02:44:25 -0700" RFC822.SIZE 12 BODY[HEADER.FIELDS (DATE)] {4}\nA: b BODYSTRUCTURE ("text" "plain" NIL NIL NIL "7bit" 1 1))
           S: * 2 FETCH (UID 2 BODYSTRUCTURE ((("oops" BODY[HEADER.FIELDS (DATE)] {4}\nC: d)
           S: * 9 FETCH (UID 9 BODY[HEADER.FIELDS (DATE)] {4}\nE: f)
           S: * 1 FETCH (UID 1 BODY[HEADER.FIELDS (DATE)] {4}\nX: y)
           S: A0002 OK
           C: A0003 UID FETCH 2 (UID FLAGS INTERNALDATE RFC822.SIZE BODY.PEEK[HEADER])
           S: * 2 FETCH (UID 2 BODY[HEADER] {4}\nC: d)
           S: A0003 OK"#,
    )
    .await;
    let mut got = Vec::new();
    let received = session
        .fetch_summaries(&set("1:3"), &mut |summary| got.push(summary))
        .await
        .expect("summaries");
    player.await.expect("the script");
    assert_eq!(received, set("1:2"), "what did not come is not received");
    let headers: Vec<&[u8]> = got.iter().map(|summary| summary.header.as_slice()).collect();
    assert_eq!(headers, [b"A: b", b"C: d"]);
    assert_eq!(got[0].attachments, Some(false));
    assert_eq!(got[0].internal_date.map(|at| at.0), Some(837_596_665));
}

#[tokio::test]
async fn headers_come_without_the_structure() {
    let (mut session, player) = session(
        "IMAP4rev1",
        r#"C: A0002 UID FETCH 1 (UID FLAGS INTERNALDATE RFC822.SIZE BODY.PEEK[HEADER.FIELDS (DATE FROM SENDER REPLY-TO TO CC BCC SUBJECT MESSAGE-ID IN-REPLY-TO REFERENCES CONTENT-TYPE LIST-ID LIST-POST LIST-UNSUBSCRIBE LIST-UNSUBSCRIBE-POST)])
           S: * 1 FETCH (UID 1 RFC822.SIZE 12 BODY[HEADER.FIELDS (DATE)] {4}\nA: b)
           S: A0002 OK"#,
    )
    .await;
    let mut got = Vec::new();
    let received = session
        .fetch_headers(&set("1"), &mut |summary| {
            got.push((summary.size, summary.attachments))
        })
        .await
        .expect("headers");
    player.await.expect("the script");
    assert_eq!((received, got), (set("1"), vec![(12, None)]));
}

async fn bodies(script: &str, uids: &[(u32, u64)]) -> (Result<UidSet, Error>, Vec<(u32, Vec<u8>)>) {
    let (mut session, _player) = session("IMAP4rev1", script).await;
    let uids: Vec<(Uid, u64)> = uids
        .iter()
        .filter_map(|(uid, size)| Some((Uid::new(*uid)?, *size)))
        .collect();
    let (sender, mut receiver) = tokio::sync::mpsc::channel(100);
    let received = session.fetch_bodies(&uids, &sender).await;
    drop(sender);
    let mut got = Vec::new();
    while let Some(Body { uid, payload }) = receiver.recv().await {
        assert_eq!(
            payload.path().is_some(),
            payload.len() > 50,
            "large ones are files"
        );
        got.push((uid.value(), payload.into_bytes().expect("bytes")));
    }
    (received, got)
}

#[tokio::test]
async fn bodies_come_whole_or_not_at_all() {
    let long = "x".repeat(60);
    let script = format!(
        "C: A0002 UID FETCH 1:5 (UID BODY.PEEK[])
         S: * 1 FETCH (UID 1 BODY[] {{5}}\\na\\nb\\n)
         S: * 2 FETCH (UID 2 BODY[] NIL)
         S: * 3 FETCH (BODY[] {{60}}\\n{long} UID 3)
         S: * 4 FETCH (UID 4 BODY[] \"\")
         S: * 7 FETCH (UID 7 BODY[] {{1}}\\nx)
         S: A0002 OK"
    );
    let (received, got) = bodies(&script, &[(1, 5), (2, 5), (3, 5), (4, 5), (5, 5)]).await;
    assert_eq!(received.expect("received"), set("1,3"));
    assert_eq!(got, [(1, b"a\r\nb\r".to_vec()), (3, long.into_bytes())]);
}

#[tokio::test]
async fn one_message_that_the_server_refuses_does_not_keep_the_others() {
    let script = r"C: A0002 UID FETCH 1:3 (UID BODY.PEEK[])
         S: * 1 FETCH (UID 1 BODY[] {1}\na)
         S: A0002 NO [SERVERBUG] broken
         C: A0003 UID FETCH 2 (UID BODY.PEEK[])
         C: A0004 UID FETCH 3 (UID BODY.PEEK[])
         S: A0003 NO broken
         S: * 3 FETCH (UID 3 BODY[] {1}\nc)
         S: A0004 OK";
    let (received, got) = bodies(script, &[(1, 1), (2, 1), (3, 1)]).await;
    assert_eq!(received.expect("received"), set("1,3"));
    assert_eq!(got.len(), 2);
}

#[tokio::test]
async fn an_early_end_is_an_error() {
    let check = async |lines: &str, class: ErrorClass| {
        let script = format!("C: A0002 UID FETCH 1:2*\n{lines}");
        let (received, _) = bodies(&script, &[(1, 1), (2, 1)]).await;
        assert_eq!(received.expect_err(lines).class, class, "{lines}");
    };
    check(r"S: * 1 FETCH (UID 1 BODY[] {1}\na)", ErrorClass::Network).await;
    check(r"S: * 1 FETCH (UID 1 BODY[] {100}\na", ErrorClass::Network).await;
    check(r"S: * BYE maintenance", ErrorClass::Network).await;
    check(r"S: * 1 FETCH (UID 1 BODY[] {99999999999}", ErrorClass::Protocol).await;
    check(r"S: * 1 FETCH (UID 1 BODY[] {-1}", ErrorClass::Protocol).await;
    check(r"S: A0002 BAD no", ErrorClass::Protocol).await;
}

#[tokio::test]
async fn a_spent_session_stays_spent() {
    let (mut session, _player) = session("IMAP4rev1", "C: A0002 NOOP").await;
    let first = session.noop().await.expect_err("closed");
    assert_eq!(session.noop().await.expect_err("still closed"), first);
}

#[tokio::test]
async fn a_dropped_question_spends_the_session() {
    let (mut session, _player) = session("IMAP4rev1", "C: A0002 NOOP\nC: never").await;
    let asked = tokio::time::timeout(Duration::from_millis(20), session.noop()).await;
    assert!(asked.is_err());
    let error = session.noop().await.expect_err("in the middle");
    assert!(error.what.contains("in the middle"), "{error}");
}

#[tokio::test(start_paused = true)]
async fn silence_and_dripping_have_deadlines() {
    let (ours, mut theirs) = tokio::io::duplex(1 << 16);
    let drip = tokio::spawn(async move {
        theirs.write_all(b"* OK hi\r\n").await.expect("greeting");
        loop {
            theirs.write_all(b"*").await.expect("a drop");
            tokio::time::sleep(Duration::from_secs(1)).await;
        }
    });
    let mut channel = Channel::over(ours, "test");
    let greeting = channel.read_line(1000).await.expect("greeting");
    channel.set_greeting(greeting);
    let started = tokio::time::Instant::now();
    let result = Session::begin(&dialer(), channel, &password()).await;
    assert_eq!(result.err().expect("too slow").class, ErrorClass::Network);
    assert_eq!(started.elapsed().as_secs(), 180);
    drip.abort();
}

#[tokio::test]
async fn moves_without_move_and_expunges_only_what_was_meant() {
    let (mut session, player) = session(
        "IMAP4rev1 UIDPLUS",
        r#"C: A0002 UID COPY 1:2 "Trash"
           S: A0002 OK [COPYUID 9 1:2 5:6] done
           C: A0003 UID STORE 1:2 +FLAGS (\Deleted)
           S: * 1 FETCH (UID 1 FLAGS (\Deleted))
           S: A0003 OK
           C: A0004 UID EXPUNGE 1:2
           S: * 1 EXPUNGE
           S: * 1 EXPUNGE
           S: A0004 OK"#,
    )
    .await;
    let outcome = session
        .move_messages(&set("1:2"), &MailboxName::local("Trash"))
        .await
        .expect("moved");
    player.await.expect("the script");
    assert_eq!(outcome.originals, Expunged::Done);
    assert_eq!(outcome.copied.map(|copied| copied.to.len()), Some(2));
    assert!(session.take_news() && !session.take_news());
}

#[tokio::test]
async fn without_uidplus_nothing_is_expunged() {
    let (mut session, player) = session(
        "IMAP4rev1",
        r#"C: A0002 UID COPY 1 "Trash"
           S: A0002 OK
           C: A0003 UID STORE 1 +FLAGS (\Deleted)
           S: A0003 OK"#,
    )
    .await;
    let trash = MailboxName::local("Trash");
    let outcome = session.move_messages(&set("1"), &trash).await.expect("moved");
    player.await.expect("the script");
    let expect = MoveOutcome {
        copied: None,
        originals: Expunged::LeftDeleted,
    };
    assert_eq!(outcome, expect);
}

#[tokio::test]
async fn a_copy_that_fails_leaves_the_originals_alone() {
    for answer in ["A0002 NO [OVERQUOTA] full", "A0002 BAD no"] {
        let script = format!(
            "C: A0002 UID COPY 1 \"Trash\"
             S: {answer}
             C: A0003 LOGOUT
             S: A0003 OK"
        );
        let (mut session, player) = session("IMAP4rev1 UIDPLUS", &script).await;
        let trash = MailboxName::local("Trash");
        let moved = session.move_messages(&set("1"), &trash).await;
        assert!(moved.is_err(), "{answer}");
        session.logout().await;
        player.await.expect("nothing but LOGOUT follows");
    }
}

#[tokio::test]
async fn appends_after_making_the_mailbox() {
    let (mut session, player) = session(
        "IMAP4rev1",
        r#"C: A0002 APPEND "Sent" (\Seen) "14-Nov-2023 22:13:20 +0000" {8}
           S: A0002 NO [TRYCREATE] no such mailbox
           C: A0003 CREATE "Sent"
           S: A0003 OK
           C: A0004 SUBSCRIBE "Sent"
           S: A0004 NO whatever
           C: A0005 APPEND "Sent" (\Seen) "14-Nov-2023 22:13:20 +0000" {8}
           S: + go
           C: A: b
           C: c
           S: A0005 OK [APPENDUID 7 9] done"#,
    )
    .await;
    let flags = Flags::default().with(posthorn_model::Flag::Seen);
    let at = Some(Timestamp(1_700_000_000));
    let sent = MailboxName::local("Sent");
    let placed = session.append(&sent, &flags, at, b"A: b\r\nc\r").await;
    player.await.expect("the script");
    assert_eq!(
        placed.expect("appended"),
        UidValidity::new(7).zip(Uid::new(9)),
        "told by APPENDUID"
    );
}

#[tokio::test]
async fn a_refused_append_says_why() {
    let (mut session, _player) = session(
        "IMAP4rev1",
        "C: A0002 APPEND \"Sent\" () {1}\nS: A0002 NO [OVERQUOTA] full",
    )
    .await;
    let sent = MailboxName::local("Sent");
    let error = session.append(&sent, &Flags::default(), None, b"x").await;
    assert_eq!(error.expect_err("full").class, ErrorClass::Quota);
}

#[tokio::test(start_paused = true)]
async fn idles_until_there_are_news() {
    let check = async |script: &str, expect: Result<IdleEvent, ErrorClass>, seconds: u64| {
        let (mut session, _player) = session("IMAP4rev1 IDLE", script).await;
        let started = tokio::time::Instant::now();
        let event = session.idle(Duration::from_secs(1000)).await;
        assert_eq!(event.map_err(|error| error.class), expect, "{script}");
        assert_eq!(started.elapsed().as_secs(), seconds, "{script}");
    };
    use IdleEvent::{Changed, Timeout};
    let news =
        "C: A0002 IDLE\nS: + idling\nS: * OK still here\nS: * 4 EXISTS\nS: * 1 RECENT\nC: DONE\nS: A0002 OK";
    check(news, Ok(Changed), 0).await;
    let flags = "C: A0002 IDLE\nS: + idling\nS: * 1 FETCH (FLAGS (\\Seen))\nC: DONE\nS: A0002 OK";
    check(flags, Ok(Changed), 0).await;
    // A peer that says nothing is asked every 150 seconds.
    let round = |tag: u32| format!("C: A000{tag} IDLE\nS: + idling\nC: DONE\nS: A000{tag} OK\n");
    let quiet: String = (2..9).map(round).collect();
    check(&quiet, Ok(Timeout), 1000).await;
    // One that is gone is found out by that, half a minute later.
    let dead = "C: A0002 IDLE\nS: + idling\nC: DONE\nC: never";
    check(dead, Err(ErrorClass::Network), 180).await;
    // One that says something now and then is left alone until the command is renewed.
    let beat = "W: 100\nS: * OK still here\n".repeat(5);
    let beating = format!("C: A0002 IDLE\nS: + idling\n{beat}C: DONE\nS: A0002 OK\nC: A0003 IDLE\nC: never");
    check(&beating, Err(ErrorClass::Network), 600).await;
    let bye = "C: A0002 IDLE\nS: + idling\nS: * BYE bored";
    check(bye, Err(ErrorClass::Network), 0).await;
    let refused = "C: A0002 IDLE\nS: A0002 NO not now";
    check(refused, Err(ErrorClass::Refused), 0).await;
}

#[tokio::test]
async fn what_cannot_be_borne_ends_the_connection() {
    let check = async |answer: String, words: &str| {
        let script = format!("C: A0002 NOOP\nS: {answer}");
        let (mut session, _player) = session("IMAP4rev1", &script).await;
        let error = session.noop().await.expect_err(words);
        assert_eq!(error.class, ErrorClass::Protocol, "{error}");
        assert!(error.what.contains(words), "{error}");
    };
    check(format!("* OK {}", "x".repeat(3 << 20)), "without end").await;
    check(format!("* SEARCH {}", "1 ".repeat(10 << 20)), "without end").await;
    check("* 1 FETCH (BODY[] {99999999}".into(), "more than was asked").await;
    check("* 1 FETCH (BODY[] {18446744073709551616}".into(), "impossible").await;
    check("A0002 PERHAPS".into(), "does not speak IMAP").await;
}
