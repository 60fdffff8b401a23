//! What real servers do beside the standard, one conversation each: shortened from what they were seen to say.

use super::extensions::{end, greeted};
use super::{inbox, set};
use crate::imap::*;
use posthorn_model::ErrorClass;

fn mailbox(path: &str) -> MailboxName {
    MailboxName::local(path)
}

/// Labels that are names, quoted backslashes, and NIL where Gmail forgot one.
#[tokio::test]
async fn gmail_labels_hold_nil() {
    let (mut session, player) = greeted(
        "Gimap ready for requests",
        "IMAP4rev1 X-GM-EXT-1",
        &[],
        r#"C: {tag} UID FETCH 1:2 (UID FLAGS INTERNALDATE RFC822.SIZE X-GM-MSGID X-GM-THRID X-GM-LABELS BODY{*}
           S: * 1 FETCH (X-GM-THRID 1266 X-GM-MSGID 1278 X-GM-LABELS (\Important "Custom Label" NIL "\\\\Sent" Pap&AOk-) UID 1 BODY[HEADER.FIELDS (DATE)] {0}
           S: )
           S: * 2 FETCH (X-GM-THRID 1 X-GM-MSGID 2 X-GM-LABELS () UID 2 BODY[HEADER.FIELDS (DATE)] "")
           S: {tag} OK"#,
    )
    .await;
    let mut got = Vec::new();
    session
        .fetch_summaries(&set("1:2"), &mut |summary| got.push(summary))
        .await
        .expect("summaries");
    let labels = ["\\Important", "Custom Label", "\\Sent", "Papé"].map(str::to_owned);
    assert_eq!(got[0].labels.as_deref(), Some(&labels[..]));
    assert_eq!(got[0].email_id.as_deref(), Some("gm:1278"));
    assert_eq!(got[0].thread_id.as_deref(), Some("gm:1266"));
    assert_eq!(got[1].labels.as_deref(), Some(&[][..]));
    end(session, player).await;
}

/// COPYUID on a line of its own, without `* OK`; and a message that FETCH passes over with OK.
#[tokio::test]
async fn exchange_says_copyuid_without_a_status() {
    let (mut session, player) = greeted(
        "The Microsoft Exchange IMAP4 service is ready.",
        "IMAP4 IMAP4rev1 MOVE UIDPLUS",
        &[],
        r#"C: {tag} UID MOVE 31 "Ziel"
           S: [COPYUID 55 31 6]
           S: * 1 EXPUNGE
           S: * 0 EXISTS
           S: {tag} OK MOVE completed.
           C: {tag} UID FETCH 32 {*}
           S: {tag} OK FETCH completed."#,
    )
    .await;
    let moved = session
        .move_messages(&set("31"), &mailbox("Ziel"))
        .await
        .expect("moved");
    let to: Vec<u32> = moved
        .copied
        .expect("told")
        .to
        .iter()
        .map(|uid| uid.value())
        .collect();
    assert_eq!(to, [6]);
    let received = session
        .fetch_summaries(&set("32"), &mut |_| {})
        .await
        .expect("asked");
    assert!(received.is_empty(), "what did not come is not received");
    end(session, player).await;
}

/// Counts changes in its own way, and is at times not available: neither ends an account.
#[tokio::test]
async fn yahoo_counts_changes_in_its_own_way() {
    let (mut session, player) = greeted(
        "IMAP4rev1 imapgate-1.8.1 imap1015.mail.gq1.yahoo.com",
        "IMAP4rev1 NAMESPACE UIDPLUS CONDSTORE QRESYNC ENABLE XYMHIGHESTMODSEQ",
        &[],
        r#"C: {tag} SELECT "Inbox"
           S: * 14 EXISTS
           S: * OK [HIGHESTMODSEQ 12345] of its own
           S: {tag} OK
           C: {tag} STATUS "Sent" (MESSAGES UNSEEN UIDNEXT UIDVALIDITY)
           S: {tag} NO [UNAVAILABLE] STATUS Service is temporarily not available"#,
    )
    .await;
    let selected = session
        .select(&mailbox("Inbox"), Access::Write, None)
        .await
        .expect("selected");
    assert_eq!(selected.highest_modseq, None);
    let error = session.status(&mailbox("Sent")).await.expect_err("not now");
    assert_eq!(
        (error.class, error.code),
        (ErrorClass::Network, Some(ResponseCode::Unavailable))
    );
    end(session, player).await;
}

/// QRESYNC names living messages in VANISHED: not enabled; whole messages by BODY[] (RFC822 brings none).
#[tokio::test]
async fn icloud_is_not_asked_what_vanished() {
    let (mut session, player) = greeted(
        "[CAPABILITY] iSCREAM ready",
        "XAPPLEPUSHSERVICE IMAP4 IMAP4rev1 CONDSTORE ENABLE QRESYNC XAPPLELITERAL LIST-STATUS",
        &[],
        r#"C: {tag} ENABLE CONDSTORE
           S: {tag} OK ENABLE completed
           C: {tag} SELECT "INBOX" (CONDSTORE)
           S: * 1 EXISTS
           S: * OK [HIGHESTMODSEQ 9]
           S: {tag} OK"#,
    )
    .await;
    assert!(session.has_condstore() && !session.has_qresync());
    let selected = session
        .select(&inbox(), Access::Write, None)
        .await
        .expect("selected");
    assert_eq!(selected.highest_modseq, Some(ModSeq(9)));
    end(session, player).await;
}

/// Fastmail and other Cyrus: object ids, but not in LIST with STATUS, where old ones put garbage; purposes in
/// lower case.
#[tokio::test]
async fn cyrus_is_not_asked_for_mailbox_ids_in_lists() {
    let (mut session, player) = greeted(
        "mail.example.org Cyrus IMAP 3.6.1-Debian server ready",
        "IMAP4rev1 LIST-EXTENDED LIST-STATUS SPECIAL-USE OBJECTID",
        &[],
        r#"C: {tag} LIST "" "*" RETURN (SUBSCRIBED SPECIAL-USE STATUS (MESSAGES UNSEEN UIDNEXT UIDVALIDITY))
           S: * LIST (\HasNoChildren \archive) "." INBOX.Archive
           S: {tag} OK
           C: {tag} SELECT "INBOX"
           S: * OK [MAILBOXID (hjiwhb6pnqqf24d3mee6rllc)] Ok
           S: {tag} OK"#,
    )
    .await;
    let listed = session.list().await.expect("a list");
    assert_eq!(listed[0].special_use, Some(SpecialUse::Archive));
    let selected = session
        .select(&inbox(), Access::Write, None)
        .await
        .expect("selected");
    assert_eq!(selected.mailbox_id.as_deref(), Some("hjiwhb6pnqqf24d3mee6rllc"));
    end(session, player).await;
}

/// Named by ID where STARTTLS left no greeting to believe; and garbage does not take the rest of a reply along.
#[tokio::test]
async fn fastmail_names_itself_by_id() {
    let (mut session, player) = greeted(
        "ready",
        "IMAP4rev1 ID OBJECTID",
        &[],
        r#"C: {tag} ID {*}
           S: * ID ("name" "Cyrus IMAPD" "version" "3.11" "vendor" "Project Cyrus")
           S: {tag} OK
           C: {tag} STATUS "a" (MESSAGES UNSEEN UIDNEXT UIDVALIDITY)
           S: * STATUS a (MESSAGES 3 MAILBOXID (\xff\xfe\x01) UIDNEXT 9)
           S: {tag} OK"#,
    )
    .await;
    let status = session.status(&mailbox("a")).await.expect("status");
    assert_eq!(
        (status.messages, status.uid_next, status.mailbox_id),
        (3, Some(9), None)
    );
    end(session, player).await;
}

/// Keeps everything of the user's below INBOX, and has none of the younger extensions.
#[tokio::test]
async fn courier_keeps_everything_below_inbox() {
    let (mut session, player) = greeted(
        "Courier-IMAP ready. Copyright 1998-2011 Double Precision, Inc.",
        "IMAP4rev1 UIDPLUS CHILDREN NAMESPACE THREAD=ORDEREDSUBJECT SORT QUOTA IDLE ACL ACL2=UNION",
        &[],
        r#"C: A0002 LIST "" "*"
           C: A0003 LSUB "" "*"
           S: * LIST (\Unmarked \HasChildren) "." "INBOX"
           S: * LIST (\HasNoChildren) "." "INBOX.Sent"
           S: A0002 OK LIST completed
           S: * LSUB (\HasChildren) "." "INBOX"
           S: A0003 OK LSUB completed
           C: {tag} CREATE "INBOX.Neu"
           S: {tag} OK "INBOX.Neu" created.
           C: {tag} SUBSCRIBE "INBOX.Neu"
           S: {tag} OK SUBSCRIBE completed."#,
    )
    .await;
    session.list().await.expect("a list");
    let name = session.name_for("Neu");
    session.create(&name, None).await.expect("made");
    end(session, player).await;
}

/// Watches the selected mailbox for NOTIFY only while it idles.
#[tokio::test]
async fn dovecot_idles_for_notify() {
    let (mut session, player) = greeted(
        "Dovecot ready.",
        "IMAP4rev1 IDLE NOTIFY",
        &[],
        r#"C: {tag} NOTIFY SET (selected (MessageNew MessageExpunge FlagChange)) (personal {*}
           S: * STATUS INBOX (MESSAGES 1 UIDNEXT 2 UIDVALIDITY 1543354379 UNSEEN 1)
           S: {tag} OK NOTIFY completed (0.001 + 0.000 secs).
           C: {tag} IDLE
           S: + idling
           S: * OK Still here
           S: * 1 EXISTS
           C: DONE
           S: {tag} OK Idle completed (0.001 + 5.433 + 5.433 secs)."#,
    )
    .await;
    assert!(session.notify(true).await.expect("notify"));
    let news = session.wait(Duration::from_secs(60)).await.expect("news");
    assert!(matches!(news.as_slice(), [News::Mailbox { .. }]), "{news:?}");
    let news = session.wait(Duration::from_secs(60)).await.expect("news");
    assert_eq!(news, [News::Selected]);
    end(session, player).await;
}

/// Modification sequences 0 and -1: changes are not asked for by them.
#[tokio::test]
async fn zoho_modseq_below_one_is_not_relied_upon() {
    let (mut session, player) = greeted(
        "Zoho",
        "IMAP4rev1 XLIST CONDSTORE LIST-EXTENDED LIST-STATUS",
        &[],
        r#"C: {tag} UID FETCH 1:3 (UID FLAGS MODSEQ)
           S: * 1 FETCH (MODSEQ (0) FLAGS (\Seen) UID 1)
           S: * 2 FETCH (MODSEQ (-1) FLAGS (\Recent \Seen) UID 2)
           S: * 3 FETCH (MODSEQ (1535361611473010002) FLAGS (\Seen) UID 3)
           S: {tag} OK Success
           C: {tag} SELECT "INBOX"
           S: * 3 EXISTS
           S: * OK [HIGHESTMODSEQ 1535361611473010002]
           S: {tag} OK Success
           C: {tag} LIST "" "*" RETURN (SUBSCRIBED STATUS (MESSAGES UNSEEN UIDNEXT UIDVALIDITY))
           S: * LIST (\HasNoChildren) "/" "INBOX"
           S: * LIST (\Noinferiors) "/" "Entw&APw-rfe"
           S: {tag} OK Success
           C: {tag} XLIST "" "*"
           S: * XLIST (\HasNoChildren \Inbox) "/" "Posteingang"
           S: * XLIST (\Noinferiors \Drafts) "/" "Entw&APw-rfe"
           S: {tag} OK Success"#,
    )
    .await;
    let mut modseqs = Vec::new();
    session
        .fetch_flags(&set("1:3"), None, &mut |report| modseqs.push(report.modseq))
        .await
        .expect("flags");
    assert_eq!(modseqs, [None, None, Some(ModSeq(1_535_361_611_473_010_002))]);
    assert!(!session.has_condstore());
    let selected = session
        .select(&inbox(), Access::Write, None)
        .await
        .expect("selected");
    assert_eq!(selected.highest_modseq, None);
    let listed = session.list().await.expect("a list");
    let purposes: Vec<_> = listed.iter().map(|mailbox| mailbox.special_use).collect();
    assert_eq!(purposes, [Some(SpecialUse::Inbox), Some(SpecialUse::Drafts)]);
    end(session, player).await;
}

/// Tells purposes by XLIST only, sometimes twice; leaves out empty parts.
#[tokio::test]
async fn yandex_tells_purposes_by_xlist() {
    let (mut session, player) = greeted(
        "Yandex IMAP4rev1",
        "IMAP4rev1 CHILDREN UNSELECT LITERAL+ NAMESPACE XLIST UIDPLUS",
        &[],
        r#"C: A0002 LIST "" "*"
           C: A0003 LSUB "" "*"
           S: * LIST (\HasNoChildren \Unmarked) "|" Spam
           S: * LIST (\HasChildren \Unmarked) "|" "Drafts"
           S: * LIST (\HasNoChildren \Unmarked) "|" "Drafts|template"
           S: A0002 OK
           S: A0003 OK
           C: {tag} XLIST "" "*"
           S: * XLIST (\HasChildren \Unmarked \Drafts \Drafts) "|" Drafts
           S: * XLIST (\HasNoChildren \Unmarked \Junk \Spam) "|" Spam
           S: {tag} OK XLIST Completed.
           C: {tag} UID FETCH 3016 {*}
           S: * 1 FETCH (UID 3016 FLAGS () BODY[HEADER.FIELDS (DATE)] )
           S: {tag} OK FETCH Completed.
           C: {tag} UID FETCH 3016 (UID {*} BODY.PEEK[HEADER])
           S: * 1 FETCH (UID 3016 FLAGS () BODY[HEADER] {1}
           S: x)
           S: {tag} OK FETCH Completed."#,
    )
    .await;
    let listed = session.list().await.expect("a list");
    let shown: Vec<_> = listed
        .iter()
        .map(|mailbox| (mailbox.name.path.as_str(), mailbox.special_use))
        .collect();
    let expect = [
        ("Spam", Some(SpecialUse::Junk)),
        ("Drafts", Some(SpecialUse::Drafts)),
        ("Drafts/template", None),
    ];
    assert_eq!(shown, expect);
    let mut headers = Vec::new();
    let each = &mut |summary: Summary| headers.push(summary.header);
    session
        .fetch_summaries(&set("3016"), each)
        .await
        .expect("summaries");
    assert_eq!(headers, [b"x"]);
    end(session, player).await;
}

/// Parentheses around single items, a backslash between levels.
#[tokio::test]
async fn domino_puts_parentheses_around_items() {
    let (mut session, player) = greeted(
        "Domino IMAP4 Server Release 8.5.3 ready",
        "IMAP4rev1 LITERAL+ NAMESPACE QUOTA UIDPLUS",
        &[],
        r#"C: {tag} UID FETCH 14935 {*}
           S: * 2 FETCH (UID 14935 (FLAGS (\\Seen)) (RFC822.SIZE 7) BODY[HEADER.FIELDS (DATE)] {1}
           S: x BODYSTRUCTURE ("TEXT" "PLAIN" NIL NIL NIL "7BIT" 0 0 NIL))
           S: {tag} OK
           C: {tag} NAMESPACE
           S: * NAMESPACE (("" "\\\\")) (("Other\\\\" "\\\\")) (("Shared\\\\" "\\\\"))
           S: {tag} OK NAMESPACE completed"#,
    )
    .await;
    let mut got = Vec::new();
    session
        .fetch_summaries(&set("14935"), &mut |summary| got.push(summary))
        .await
        .expect("summaries");
    assert_eq!((got[0].size, got[0].attachments), (7, Some(false)));
    let spaces = session.namespaces().await.expect("namespaces").expect("some");
    assert_eq!(spaces.other[0].prefix, b"Other\\");
    assert_eq!(spaces.personal[0].delimiter, Some('\\'));
    end(session, player).await;
}

/// 163.com and 126.com open no mailbox for a program that has not said who it is.
#[tokio::test]
async fn netease_hears_who_we_are_before_the_first_mailbox() {
    let (mut session, player) = greeted(
        "Coremail System IMap Server Ready",
        "IMAP4rev1 ID UIDPLUS X-CM-EXT-1",
        &[],
        r#"C: {tag} ID ("name" "Posthorn" "version" "{*}")
           S: * ID ("name" "Coremail Imap" "vendor" "Mailtech")
           S: {tag} OK ID completed
           C: {tag} SELECT "INBOX"
           S: * 0 EXISTS
           S: {tag} OK [READ-WRITE] SELECT completed"#,
    )
    .await;
    session
        .select(&inbox(), Access::Write, None)
        .await
        .expect("selected");
    end(session, player).await;
}

/// mail.de offers ID and then does not know it.
#[tokio::test]
async fn mail_de_does_not_know_the_id_it_offers() {
    let (mut session, player) = greeted(
        "IMAP4 ready",
        "IMAP4rev1 LITERAL+ ID ENABLE IDLE NAMESPACE",
        &[],
        "C: {tag} ID {*}\nS: {tag} BAD invalid command\nC: {tag} NOOP\nS: {tag} OK",
    )
    .await;
    session.noop().await.expect("usable");
    end(session, player).await;
}

/// hMailServer crashes at a piece beyond the end: it is asked for the whole.
#[tokio::test]
async fn hmailserver_is_not_asked_for_pieces() {
    let (mut session, player) = greeted(
        "hMailServer",
        "IMAP4rev1 IDLE",
        &[],
        r#"C: {tag} UID FETCH 7 (UID BODY.PEEK[])
           S: * 1 FETCH (UID 7 BODY[] {60}
           S: 012345678901234567890123456789012345678901234567890123456789)
           S: {tag} OK"#,
    )
    .await;
    let dir = tempfile::tempdir().expect("a folder");
    let mut part = PartialBody::open(dir.path(), "7").expect("a part");
    let uid = Uid::new(7).expect("not 0");
    let payload = session.fetch_large(uid, 60, &mut part).await.expect("fetched");
    assert_eq!(payload.map(|payload| payload.len()), Some(60));
    end(session, player).await;
}

/// GMX shows a multipart as if it were a leaf: nothing but the hint of attachments hangs on it.
#[tokio::test]
async fn gmx_shows_a_multipart_as_a_leaf() {
    let (mut session, player) = greeted(
        "IMAP server ready H mieue153",
        "IMAP4rev1 UIDPLUS",
        &[],
        r#"C: {tag} UID FETCH 168531 {*}
           S: * 58056 FETCH (UID 168531 RFC822.SIZE 5826 BODYSTRUCTURE (("multipart" "related" ("boundary" "x") NIL NIL "7BIT" 400 ("boundary" "x") NIL NIL NIL)("TEXT" "html" ("charset" "UTF8") NIL NIL "7BIT" 1115 70 NIL NIL NIL NIL) "mixed" ("boundary" "y") NIL NIL NIL) BODY[HEADER.FIELDS (DATE)] {1}
           S: x)
           S: {tag} OK"#,
    )
    .await;
    let mut got = Vec::new();
    session
        .fetch_summaries(&set("168531"), &mut |summary| {
            got.push((summary.size, summary.attachments))
        })
        .await
        .expect("summaries");
    assert_eq!(got, [(5826, Some(false))]);
    end(session, player).await;
}

/// Lower case throughout, and words that are no capabilities.
#[tokio::test]
async fn lower_case_is_understood() {
    let (mut session, player) = greeted(
        "dings imap.",
        "imap4rev1 starttls login uidplus",
        &[],
        "C: {tag} UID EXPUNGE 1\nS: * 1 expunge\nS: {tag} ok",
    )
    .await;
    assert_eq!(
        session.expunge(&set("1")).await.expect("expunged"),
        Expunged::Done
    );
    end(session, player).await;
}
