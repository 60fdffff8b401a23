//! Each extension, used where it is offered and done without where it is not or is struck out.

use super::{inbox, set};
use crate::imap::*;
use crate::{Channel, Credentials, DialOptions, Dialer, Error};
use posthorn_model::{ErrorClass, Flag, FlagChange, Secret};
use posthorn_testkit::transcript::{self, Mismatch};
use tokio::task::JoinHandle;

pub(super) type Player = JoinHandle<Result<Vec<String>, Mismatch>>;

/// A session with a server that greets with `greeting`, offers `offered`, and goes on with `script`.
pub(super) async fn greeted(
    greeting: &str,
    offered: &str,
    without: &[&str],
    script: &str,
) -> (Session, Player) {
    let whole = format!(
        "S: * OK [CAPABILITY {offered}] {greeting}
         C: {{tag}} LOGIN \"alice\" \"s3cret\"
         S: {{tag}} OK [CAPABILITY {offered}] in\n{script}"
    );
    let (stream, player) = transcript::serve(&whole);
    let mut channel = Channel::over(stream, "test");
    let greeting = channel.read_line(2000).await.expect("greeting");
    channel.set_greeting(greeting);
    let options = DialOptions {
        without: without.iter().map(|&name| name.to_owned()).collect(),
        memory_limit: 50,
        ..DialOptions::default()
    };
    let dialer = Dialer::new(options).expect("dialer");
    let credentials = Credentials::Password {
        username: "alice".into(),
        password: Secret::new("s3cret".into()),
    };
    let session = Session::begin(&dialer, channel, &credentials).await;
    (session.expect("a session"), player)
}

async fn session(offered: &str, without: &[&str], script: &str) -> (Session, Player) {
    greeted("hi", offered, without, script).await
}

/// The script must have been played to its end.
pub(super) async fn end(session: Session, player: Player) {
    drop(session);
    let played = player.await.expect("the player");
    played.unwrap_or_else(|mismatch| panic!("{mismatch}"));
}

fn mailbox(path: &str) -> MailboxName {
    MailboxName::local(path)
}

#[tokio::test]
async fn object_ids_and_sizes_where_offered() {
    let (mut with, player) = session(
        "IMAP4rev1 OBJECTID STATUS=SIZE",
        &[],
        r#"C: {tag} STATUS "a" (MESSAGES UNSEEN UIDNEXT UIDVALIDITY SIZE MAILBOXID)
           S: * STATUS a (MESSAGES 3 UIDNEXT 9 SIZE 77 MAILBOXID (F-1))
           S: {tag} OK
           C: {tag} SELECT "a"
           S: * 0 EXISTS
           S: * OK [MAILBOXID (F-1)] id
           S: {tag} OK
           C: {tag} UID FETCH 7 (UID FLAGS INTERNALDATE RFC822.SIZE EMAILID THREADID BODY.PEEK[HEADER.FIELDS{*}
           S: * 1 FETCH (UID 7 EMAILID (M1) THREADID (T1) BODY[HEADER.FIELDS (DATE)] {0}
           S: )
           S: {tag} OK"#,
    )
    .await;
    let status = with.status(&mailbox("a")).await.expect("status");
    assert_eq!(
        (status.size, status.mailbox_id.as_deref()),
        (Some(77), Some("F-1"))
    );
    let selected = with
        .select(&mailbox("a"), Access::Write, None)
        .await
        .expect("selected");
    assert_eq!(selected.mailbox_id.as_deref(), Some("F-1"));
    let mut ids = Vec::new();
    let each = &mut |summary: Summary| ids.push((summary.email_id, summary.thread_id, summary.labels));
    with.fetch_summaries(&set("7"), each).await.expect("summaries");
    assert_eq!(ids, [(Some("M1".to_owned()), Some("T1".to_owned()), None)]);
    end(with, player).await;

    let (mut without, player) = session(
        "IMAP4rev1 OBJECTID STATUS=SIZE X-GM-EXT-1",
        &["all"],
        r#"C: {tag} STATUS "a" (MESSAGES UNSEEN UIDNEXT UIDVALIDITY)
           S: * STATUS a (MESSAGES 3 UIDNEXT 9)
           S: {tag} OK
           C: {tag} UID FETCH 7 (UID FLAGS INTERNALDATE RFC822.SIZE BODY.PEEK[HEADER.FIELDS{*}
           S: * 1 FETCH (UID 7 BODY[HEADER.FIELDS (DATE)] {0}
           S: )
           S: {tag} OK"#,
    )
    .await;
    without.status(&mailbox("a")).await.expect("status");
    let received = without.fetch_summaries(&set("7"), &mut |_| {}).await;
    assert_eq!(received.expect("summaries"), set("7"));
    end(without, player).await;
}

#[tokio::test]
async fn what_is_claimed_and_not_understood_is_done_without() {
    let (mut session, player) = session(
        "IMAP4rev1 OBJECTID PREVIEW NOTIFY COMPRESS=DEFLATE NAMESPACE",
        &[],
        r#"C: {tag} UID FETCH 7 (UID{*}EMAILID{*}
           S: {tag} BAD what?
           C: {tag} UID FETCH 7 (UID FLAGS INTERNALDATE RFC822.SIZE BODY.PEEK[HEADER.FIELDS{*}
           S: * 1 FETCH (UID 7 BODY[HEADER.FIELDS (DATE)] "")
           S: {tag} OK
           C: {tag} UID FETCH 7 (UID PREVIEW (LAZY))
           S: {tag} BAD what?
           C: {tag} NOTIFY SET (personal (MessageNew MessageExpunge FlagChange MailboxName SubscriptionChange))
           S: {tag} NO [BADEVENT (MessageNew)] fewer
           C: {tag} NOTIFY SET (personal (MessageNew MessageExpunge FlagChange))
           S: {tag} BAD what?
           C: {tag} COMPRESS DEFLATE
           S: {tag} NO [COMPRESSIONACTIVE] TLS does
           C: {tag} NAMESPACE
           S: {tag} BAD what?
           C: {tag} NOOP
           S: {tag} OK"#,
    )
    .await;
    let received = session.fetch_summaries(&set("7"), &mut |_| {}).await;
    assert_eq!(received.expect("summaries"), set("7"));
    for _ in 0..2 {
        let each = &mut |_, _| panic!("no preview");
        session.fetch_previews(&set("7"), each).await.expect("previews");
        assert!(!session.notify(false).await.expect("notify"));
        assert!(!session.compress().await.expect("compress"));
        assert_eq!(session.namespaces().await.expect("namespaces"), None);
    }
    session.noop().await.expect("noop");
    end(session, player).await;
}

#[tokio::test]
async fn what_is_struck_out_is_not_used() {
    let offered = "IMAP4rev1 OBJECTID PREVIEW NOTIFY COMPRESS=DEFLATE NAMESPACE ESEARCH UNSELECT ID ENABLE \
        CONDSTORE QRESYNC UTF8=ACCEPT IDLE LIST-EXTENDED LIST-STATUS SPECIAL-USE XLIST MOVE UIDPLUS SASL-IR \
        CREATE-SPECIAL-USE LITERAL+ BINARY APPENDLIMIT=3";
    let (mut session, player) = session(
        offered,
        &["ALL"],
        r#"C: A0002 LIST "" "*"
           C: A0003 LSUB "" "*"
           S: * LIST () "/" INBOX
           S: A0002 OK
           S: A0003 OK
           C: {tag} SELECT "INBOX"
           S: * 1 EXISTS
           S: * OK [UIDVALIDITY 7]
           S: * OK [HIGHESTMODSEQ 9]
           S: {tag} OK
           C: {tag} UID SEARCH ALL
           S: * SEARCH 7
           S: {tag} OK
           C: {tag} CREATE "b"
           S: {tag} OK
           C: {tag} SUBSCRIBE "b"
           S: {tag} OK
           C: {tag} APPEND "b" () {4}
           S: + go
           C+ 6
           S: {tag} OK
           C: {tag} EXAMINE "no mailbox of this name, so that none is selected"
           S: {tag} NO
           C: {tag} NOOP
           S: {tag} OK"#,
    )
    .await;
    session.list().await.expect("a list");
    let resume = Resume {
        uid_validity: UidValidity::new(7).expect("not 0"),
        modseq: ModSeq(5),
        known: set("7"),
    };
    let selected = session
        .select(&inbox(), Access::Write, Some(resume))
        .await
        .expect("selected");
    assert_eq!((selected.highest_modseq, selected.vanished), (None, None));
    assert_eq!(session.search_all_uids().await.expect("search"), set("7"));
    session
        .create(&mailbox("b"), Some(SpecialUse::Sent))
        .await
        .expect("made");
    let placed = session
        .append(&mailbox("b"), &Flags::default(), None, b"\0\xc3\xa4x")
        .await;
    assert_eq!(placed.expect("appended"), None);
    session.unselect().await.expect("left");
    assert!(!session.compress().await.expect("compress"));
    assert!(!session.notify(true).await.expect("notify"));
    assert_eq!(session.namespaces().await.expect("namespaces"), None);
    session
        .fetch_previews(&set("7"), &mut |_, _| {})
        .await
        .expect("previews");
    let error = session.wait(Duration::from_secs(9)).await.expect_err("no news");
    assert_eq!(error.class, ErrorClass::Config);
    assert_eq!(
        session.expunge(&set("7")).await.expect("expunge"),
        Expunged::LeftDeleted
    );
    session.noop().await.expect("noop");
    end(session, player).await;
}

#[tokio::test]
async fn namespaces_are_asked_for_once() {
    let (mut session, player) = session(
        "IMAP4rev1 NAMESPACE",
        &[],
        r#"C: {tag} NAMESPACE
           S: * NAMESPACE (("INBOX." ".")) NIL (("Shared." "."))
           S: {tag} OK"#,
    )
    .await;
    for _ in 0..2 {
        let spaces = session.namespaces().await.expect("namespaces").expect("some");
        assert_eq!(spaces.personal[0].prefix, b"INBOX.");
        assert_eq!((spaces.other.len(), spaces.shared.len()), (0, 1));
    }
    end(session, player).await;
}

#[tokio::test]
async fn statuses_come_in_one_turn_and_any_order() {
    let (mut session, player) = session(
        "IMAP4rev1",
        &[],
        r#"C: A0002 STATUS "a" (MESSAGES UNSEEN UIDNEXT UIDVALIDITY)
           C: A0003 STATUS "b" (MESSAGES UNSEEN UIDNEXT UIDVALIDITY)
           C: A0004 STATUS "c" (MESSAGES UNSEEN UIDNEXT UIDVALIDITY)
           S: * STATUS c (MESSAGES 3 UIDNEXT 4)
           S: A0004 OK
           S: A0003 NO [NONEXISTENT] no b
           S: * STATUS "a" (MESSAGES 1 UIDNEXT 2)
           S: A0002 OK"#,
    )
    .await;
    let names = [mailbox("a"), mailbox("b"), mailbox("bad\r\n"), mailbox("c")];
    let statuses = session.statuses(&names).await.expect("statuses");
    let counts: Vec<Option<u32>> = statuses
        .into_iter()
        .map(|status| Some(status?.messages))
        .collect();
    assert_eq!(counts, [Some(1), None, None, Some(3)]);
    assert_eq!(session.statuses(&[]).await.expect("nothing"), []);
    end(session, player).await;
}

#[tokio::test]
async fn makes_mailboxes_for_a_purpose() {
    let check = async |offered: &str, script: &str| {
        let (mut session, player) = session(offered, &[], script).await;
        session
            .create(&mailbox("Weg"), Some(SpecialUse::Trash))
            .await
            .expect("made");
        end(session, player).await;
    };
    check(
        "IMAP4rev1 CREATE-SPECIAL-USE",
        r#"C: {tag} CREATE "Weg" (USE (\Trash))
           S: {tag} OK
           C: {tag} SUBSCRIBE "Weg"
           S: {tag} OK"#,
    )
    .await;
    check(
        "IMAP4rev1 CREATE-SPECIAL-USE",
        r#"C: {tag} CREATE "Weg" (USE (\Trash))
           S: {tag} NO [USEATTR] not twice
           C: {tag} CREATE "Weg"
           S: {tag} NO [ALREADYEXISTS] there
           C: {tag} SUBSCRIBE "Weg"
           S: {tag} OK"#,
    )
    .await;
}

#[tokio::test]
async fn mailboxes_are_renamed_and_deleted() {
    let (mut session, player) = session(
        "IMAP4rev1",
        &[],
        r#"C: {tag} RENAME "a" "b"
           S: {tag} OK
           C: {tag} SUBSCRIBE "b"
           S: {tag} OK
           C: {tag} UNSUBSCRIBE "a"
           S: {tag} NO whatever
           C: {tag} RENAME "a" "b"
           S: {tag} NO [ALREADYEXISTS] there
           C: {tag} DELETE "b"
           S: {tag} NO [NONEXISTENT] gone
           C: {tag} UNSUBSCRIBE "b"
           S: {tag} OK
           C: {tag} DELETE "c"
           S: {tag} NO [INUSE] busy
           C: {tag} UNSUBSCRIBE "c"
           S: {tag} NO [NONEXISTENT] gone
           C: {tag} SUBSCRIBE "c"
           S: {tag} NO [NONEXISTENT] gone"#,
    )
    .await;
    let (a, b, c) = (mailbox("a"), mailbox("b"), mailbox("c"));
    session.rename(&a, &b).await.expect("renamed");
    let code = |result: Result<(), Error>| result.expect_err("refused").code;
    assert_eq!(
        code(session.rename(&a, &b).await),
        Some(ResponseCode::AlreadyExists)
    );
    session.delete(&b).await.expect("deleted");
    assert_eq!(code(session.delete(&c).await), Some(ResponseCode::InUse));
    session.subscribe(&c, false).await.expect("unsubscribed");
    assert_eq!(
        code(session.subscribe(&c, true).await),
        Some(ResponseCode::NonExistent)
    );
    end(session, player).await;
}

#[tokio::test]
async fn leaves_a_mailbox_without_expunging() {
    // BAD: it was gone already.
    for answer in ["OK", "BAD"] {
        let script = format!(
            "C: {{tag}} EXAMINE \"INBOX\"
             S: * OK [UIDVALIDITY 7]
             S: {{tag}} OK
             C: {{tag}} UNSELECT
             S: {{tag}} {answer}
             C: {{tag}} NOOP
             S: {{tag}} OK"
        );
        let (mut session, player) = session("IMAP4rev1 UNSELECT", &[], &script).await;
        session.unselect().await.expect("none is selected");
        session
            .select(&inbox(), Access::Examine, None)
            .await
            .expect("selected");
        session.unselect().await.expect("left");
        session.unselect().await.expect("none is selected any more");
        session.noop().await.expect("noop");
        end(session, player).await;
    }
}

#[tokio::test]
async fn searches_in_the_short_form_where_offered() {
    let check = async |without: &[&str], script: &str| {
        let (mut session, player) = session("IMAP4rev1 ESEARCH", without, script).await;
        assert_eq!(session.search_all_uids().await.expect("search"), set("1:3,7"));
        end(session, player).await;
    };
    check(
        &[],
        "C: A0002 UID SEARCH RETURN (ALL) ALL\nS: * ESEARCH (TAG \"A0002\") UID ALL 1:3,7\nS: A0002 OK",
    )
    .await;
    check(
        &["ESEARCH"],
        "C: A0002 UID SEARCH ALL\nS: * SEARCH 7 3 1 2\nS: A0002 OK",
    )
    .await;
}

#[tokio::test]
async fn short_texts_where_the_server_has_them() {
    let (mut session, player) = session(
        "IMAP4rev1 PREVIEW",
        &[],
        r#"C: {tag} UID FETCH 1:3 (UID PREVIEW (LAZY))
           S: * 1 FETCH (UID 1 PREVIEW "Hello")
           S: * 2 FETCH (UID 2 PREVIEW NIL)
           S: * 3 FETCH (UID 3 PREVIEW {5}
           S: Gr\xc3\xbc\xc3)
           S: {tag} OK"#,
    )
    .await;
    let mut got = Vec::new();
    let each = &mut |uid: Uid, text| got.push((uid.value(), text));
    session.fetch_previews(&set("1:3"), each).await.expect("previews");
    assert_eq!(got, [(1, "Hello".to_owned()), (3, "Gr\u{fc}\u{fffd}".to_owned())]);
    end(session, player).await;
}

/// What a message goes up in: the literal that its size and content allow.
#[tokio::test]
async fn literals_go_up_as_the_server_allows() {
    let check = async |offered: &str, raw: &[u8], script: &str| {
        let (mut session, player) = session(offered, &[], script).await;
        let placed = session.append(&mailbox("b"), &Flags::default(), None, raw).await;
        placed.unwrap_or_else(|error| panic!("{offered}: {error}"));
        end(session, player).await;
    };
    let short = [b'x'; 4096];
    let long = [b'x'; 4097];
    let at_once = |size: usize| {
        format!(
            "C: {{tag}} APPEND \"b\" () {{{size}+}}\nC+ {}\nS: {{tag}} OK",
            size + 2
        )
    };
    let asked = |size: usize| {
        format!(
            "C: {{tag}} APPEND \"b\" () {{{size}}}\nS: + go\nC+ {}\nS: {{tag}} OK",
            size + 2
        )
    };
    check("IMAP4rev1", &short, &asked(4096)).await;
    check("IMAP4rev1 LITERAL-", &short, &at_once(4096)).await;
    check("IMAP4rev1 LITERAL-", &long, &asked(4097)).await;
    check("IMAP4rev1 LITERAL+", &long, &at_once(4097)).await;
    check("IMAP4rev1 LITERAL+", &vec![b'x'; 2 << 20], &asked(2 << 20)).await;
    // RFC 3516: a NUL.
    check(
        "IMAP4rev1 LITERAL+ BINARY",
        b"a\0b",
        "C: {tag} APPEND \"b\" () ~{3+}\nC+ 5\nS: {tag} OK",
    )
    .await;
    check("IMAP4rev1 LITERAL+", b"a\0b", &at_once(3)).await;
}

#[tokio::test]
async fn a_message_above_the_limit_is_not_sent() {
    let (mut session, player) = session("IMAP4rev1 APPENDLIMIT=3 APPENDLIMIT", &[], "").await;
    let error = session
        .append(&mailbox("b"), &Flags::default(), None, b"long")
        .await;
    assert_eq!(error.expect_err("too big").code, Some(ResponseCode::TooBig));
    end(session, player).await;
}

#[tokio::test]
async fn names_and_headers_are_utf8_where_agreed() {
    let (mut with, player) = session(
        "IMAP4rev1 ENABLE UTF8=ACCEPT LITERAL+ X-GM-EXT-1",
        &[],
        r#"C: {tag} ENABLE UTF8=ACCEPT
           S: * ENABLED UTF8=ACCEPT
           S: {tag} OK
           C: A0003 LIST "" "*"
           C: A0004 LSUB "" "*"
           S: * LIST () "/" "B\xc3\xbccher & mehr"
           S: A0003 OK
           S: A0004 OK
           C: {tag} APPEND "Bücher & mehr" () UTF8 (~{2+}
           C+ 5
           S: {tag} OK
           C: {tag} UID FETCH 7 {*}
           S: * 1 FETCH (UID 7 X-GM-LABELS ("Gr\xc3\xbcn" "A&-B") BODY[HEADER.FIELDS (DATE)] "")
           S: {tag} OK"#,
    )
    .await;
    let listed = with.list().await.expect("a list");
    assert_eq!(listed[0].name.path, "Bücher & mehr");
    with.append(&listed[0].name, &Flags::default(), None, "ü".as_bytes())
        .await
        .expect("appended");
    let mut labels = Vec::new();
    with.fetch_summaries(&set("7"), &mut |summary| labels.extend(summary.labels))
        .await
        .expect("summaries");
    assert_eq!(labels, [["Grün", "A&-B"]]);
    end(with, player).await;

    let (mut without, player) = session(
        "IMAP4rev1 ENABLE UTF8=ACCEPT LITERAL+ X-GM-EXT-1",
        &["UTF8=ACCEPT"],
        r#"C: A0002 LIST "" "*"
           C: A0003 LSUB "" "*"
           S: * LIST () "/" "B&APw-cher &- mehr"
           S: A0002 OK
           S: A0003 OK
           C: {tag} APPEND "B&APw-cher &- mehr" () {2+}
           C+ 4
           S: {tag} OK
           C: {tag} UID FETCH 7 {*}
           S: * 1 FETCH (UID 7 X-GM-LABELS ("Gr&APw-n" "A&-B") BODY[HEADER.FIELDS (DATE)] "")
           S: {tag} OK"#,
    )
    .await;
    let listed = without.list().await.expect("a list");
    assert_eq!(listed[0].name.path, "Bücher & mehr");
    without
        .append(&listed[0].name, &Flags::default(), None, "ü".as_bytes())
        .await
        .expect("appended");
    let mut labels = Vec::new();
    without
        .fetch_summaries(&set("7"), &mut |summary| labels.extend(summary.labels))
        .await
        .expect("summaries");
    assert_eq!(labels, [["Grün", "A&B"]]);
    end(without, player).await;
}

/// RFC 9051: names in UTF-8, ESEARCH always, and what it includes without being listed.
#[tokio::test]
async fn speaks_revision_two_where_there_is_no_other() {
    let (mut session, player) = session(
        "IMAP4rev2 AUTH=EXTERNAL",
        &[],
        r#"C: {tag} ENABLE IMAP4rev2
           S: * ENABLED IMAP4rev2
           S: {tag} OK
           C: {tag} LIST "" "*" RETURN (SUBSCRIBED SPECIAL-USE STATUS (MESSAGES UNSEEN UIDNEXT UIDVALIDITY SIZE))
           S: * LIST (\Subscribed) "/" INBOX
           S: * STATUS INBOX (MESSAGES 1 UNSEEN 0 UIDNEXT 8 UIDVALIDITY 7 SIZE 12)
           S: * LIST (\Sent) "/" "verschickt/\xc3\xbc"
           S: {tag} OK
           C: {tag} SELECT "INBOX"
           S: * 1 EXISTS
           S: * LIST () "/" INBOX
           S: * OK [UIDVALIDITY 7]
           S: {tag} OK [READ-WRITE]
           C: A0005 UID SEARCH RETURN (ALL) ALL
           S: * ESEARCH (TAG "A0005") UID ALL 7
           S: A0005 OK
           C: {tag} UID MOVE 7 "verschickt/ü"
           S: * OK [COPYUID 9 7 1]
           S: * 1 EXPUNGE
           S: {tag} OK"#,
    )
    .await;
    let listed = session.list().await.expect("a list");
    assert_eq!(listed[0].status.as_ref().and_then(|status| status.size), Some(12));
    assert_eq!(listed[1].name.path, "verschickt/ü");
    let selected = session
        .select(&inbox(), Access::Write, None)
        .await
        .expect("selected");
    assert_eq!(selected.exists, 1);
    assert_eq!(session.search_all_uids().await.expect("search"), set("7"));
    let moved = session
        .move_messages(&set("7"), &listed[1].name)
        .await
        .expect("moved");
    assert_eq!(moved.originals, Expunged::Done);
    end(session, player).await;
}

#[tokio::test]
async fn flags_are_asked_for_since_a_change_where_that_can_be() {
    let check = async |without: &[&str], script: &str| {
        let (mut session, player) = session("IMAP4rev1 CONDSTORE", without, script).await;
        let mut got = Vec::new();
        let each = &mut |report: FlagReport| got.push(report.uid.value());
        session
            .fetch_flags(&set("1:9"), Some(ModSeq(5)), each)
            .await
            .expect("flags");
        assert_eq!(got, [3]);
        let seen = FlagChange::adding(Flag::Seen);
        session.store_flags(&set("3"), &seen).await.expect("stored");
        end(session, player).await;
    };
    check(
        &[],
        r"C: {tag} UID FETCH 1:9 (UID FLAGS MODSEQ) (CHANGEDSINCE 5)
          S: * 2 FETCH (UID 3 FLAGS () MODSEQ (7))
          S: {tag} OK
          C: {tag} UID STORE 3 +FLAGS (\Seen)
          S: {tag} OK",
    )
    .await;
    check(
        &["condstore"],
        r"C: {tag} UID FETCH 1:9 (UID FLAGS)
          S: * 2 FETCH (UID 3 FLAGS ())
          S: {tag} OK
          C: {tag} UID STORE 3 +FLAGS (\Seen)
          S: {tag} OK",
    )
    .await;
}

/// The OK and the first deflated bytes arrive together.
#[tokio::test]
async fn compresses_both_directions() {
    use crate::imap::deflate::Deflated;
    use tokio::io::{AsyncBufReadExt, AsyncReadExt, AsyncWriteExt, BufReader};

    let (ours, theirs) = tokio::io::duplex(1 << 16);
    let server = tokio::spawn(async move {
        let mut plain = BufReader::new(theirs);
        let mut line = String::new();
        plain
            .write_all(b"* OK [CAPABILITY IMAP4rev1 COMPRESS=DEFLATE] hi\r\n")
            .await
            .expect("greeting");
        plain.read_line(&mut line).await.expect("login");
        plain
            .write_all(b"L1 OK [CAPABILITY IMAP4rev1 COMPRESS=DEFLATE] in\r\n")
            .await
            .expect("in");
        line.clear();
        plain.read_line(&mut line).await.expect("compress");
        assert_eq!(line, "A0002 COMPRESS DEFLATE\r\n");
        // Deflated apart, so that it can leave in one piece with the OK.
        let (far, near) = tokio::io::duplex(1 << 16);
        let mut early = Deflated::new(Box::new(far), b"");
        early
            .write_all(b"* OK early\r\n* 5 EXISTS\r\n")
            .await
            .expect("early");
        early.flush().await.expect("early");
        drop(early);
        let mut first = b"A0002 OK deflate\r\n".to_vec();
        BufReader::new(near).read_to_end(&mut first).await.expect("early");
        plain.write_all(&first).await.expect("first");
        let mut packed = Deflated::new(Box::new(plain.into_inner()), b"");
        let mut got = [0; 12];
        packed.read_exact(&mut got).await.expect("noop");
        assert_eq!(&got, b"A0003 NOOP\r\n");
    });
    let mut channel = Channel::over(ours, "test");
    let greeting = channel.read_line(2000).await.expect("greeting");
    channel.set_greeting(greeting);
    let dialer = Dialer::new(DialOptions::default()).expect("dialer");
    let credentials = super::password();
    let mut session = Session::begin(&dialer, channel, &credentials)
        .await
        .expect("a session");
    assert!(session.compress().await.expect("compressed"));
    assert!(session.compress().await.expect("once only"));
    session.noop().await.expect_err("the server ends here");
    assert!(session.take_news(), "what came with the OK was read");
    server.await.expect("server");
}
