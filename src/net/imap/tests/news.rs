//! What a server tells by itself.

use super::extensions::{end, greeted};
use crate::imap::*;
use posthorn_model::ErrorClass;
use tokio::time::Instant;

const PERSONAL: &str = "(personal (MessageNew MessageExpunge FlagChange MailboxName SubscriptionChange))";

async fn notified(offered: &str, script: &str) -> (Session, super::extensions::Player) {
    let script = format!("C: {{tag}} NOTIFY SET {PERSONAL}\nS: {{tag}} OK\n{script}");
    let (mut session, player) = greeted("hi", offered, &[], &script).await;
    assert!(session.notify(false).await.expect("notify"));
    (session, player)
}

fn told(news: &[News]) -> Vec<String> {
    let show = |news: &News| match news {
        News::Selected => "selected".to_owned(),
        News::Mailboxes => "mailboxes".to_owned(),
        News::Overflow => "overflow".to_owned(),
        News::Mailbox { name, status } => {
            let status = status.as_ref().map(|status| status.messages);
            format!("{} {status:?}", name.path)
        }
    };
    news.iter().map(show).collect()
}

#[tokio::test(start_paused = true)]
async fn mailboxes_tell_their_news_while_idling() {
    let (mut session, player) = notified(
        "IMAP4rev1 NOTIFY IDLE",
        r#"C: {tag} IDLE
           S: + idling
           S: * STATUS "Gr&APw-n" (MESSAGES 3 UIDNEXT 4 UNSEEN 3)
           S: * STATUS other (UIDNEXT 4 UNSEEN 3)
           S: * LIST (\NonExistent) "." gone
           S: * 1 EXISTS
           C: DONE
           S: {tag} OK
           C: {tag} IDLE
           S: + idling
           C: DONE
           S: {tag} OK"#,
    )
    .await;
    let news = session.wait(Duration::from_secs(60)).await.expect("news");
    assert_eq!(
        told(&news),
        ["selected", "mailboxes", "Grün Some(3)", "other None"]
    );
    assert_eq!(session.wait(Duration::from_secs(60)).await.expect("silence"), []);
    end(session, player).await;
}

#[tokio::test]
async fn what_is_told_in_passing_is_kept() {
    let (mut session, player) = notified(
        "IMAP4rev1 NOTIFY IDLE",
        r#"C: {tag} UID FETCH 1 (UID FLAGS)
           S: * STATUS a (MESSAGES 1 UIDNEXT 2)
           S: * 1 FETCH (UID 1 FLAGS ())
           S: * STATUS a (MESSAGES 2 UIDNEXT 3)
           S: {tag} OK
           C: {tag} STATUS "b" (MESSAGES UNSEEN UIDNEXT UIDVALIDITY)
           S: * STATUS b (MESSAGES 7 UIDNEXT 8)
           S: * STATUS c (MESSAGES 9 UIDNEXT 10)
           S: {tag} OK"#,
    )
    .await;
    session
        .fetch_flags(&super::set("1"), None, &mut |_| {})
        .await
        .expect("flags");
    let status = session.status(&MailboxName::local("b")).await.expect("status");
    assert_eq!(status.messages, 7);
    let news = session.wait(Duration::from_secs(60)).await.expect("news");
    assert_eq!(told(&news), ["a Some(2)", "c Some(9)"]);
    end(session, player).await;
}

/// RFC 5465 section 5.8: afterwards it tells nothing.
#[tokio::test]
async fn an_overflow_is_told_and_ends_the_telling() {
    let (mut session, player) = notified(
        "IMAP4rev1 NOTIFY",
        r#"C: {tag} NOOP
           S: * OK [NOTIFICATIONOVERFLOW] too much
           S: * STATUS a (MESSAGES 1 UIDNEXT 2)
           S: {tag} OK"#,
    )
    .await;
    session.noop().await.expect("noop");
    let error = session
        .wait(Duration::from_secs(60))
        .await
        .expect_err("it tells no more");
    assert_eq!(error.class, ErrorClass::Config);
    end(session, player).await;

    let (mut session, player) = notified(
        "IMAP4rev1 NOTIFY IDLE",
        "C: {tag} IDLE\nS: + idling\nS: * OK [NOTIFICATIONOVERFLOW] too much\nC: DONE\nS: {tag} OK",
    )
    .await;
    let news = session.wait(Duration::from_secs(60)).await.expect("news");
    assert_eq!(told(&news), ["overflow"]);
    end(session, player).await;
}

/// Without IDLE it listens, and tries the connection after 150 seconds without a word.
#[tokio::test(start_paused = true)]
async fn listens_without_idle_and_tries_the_connection() {
    let begin = "C: A0002 NOTIFY SET*\nS: A0002 OK\n";
    let script =
        "C: A0003 NOOP\nS: A0003 OK\nC: A0004 NOOP\nS: * STATUS a (MESSAGES 1 UIDNEXT 2)\nS: A0004 OK";
    let (mut session, player) = super::session("IMAP4rev1 NOTIFY", &format!("{begin}{script}")).await;
    assert!(session.notify(true).await.expect("notify"));
    let started = Instant::now();
    // A mere minute, over and over: the connection is tried all the same.
    let mut news = Vec::new();
    while news.is_empty() {
        news = session.wait(Duration::from_secs(61)).await.expect("news");
    }
    assert_eq!(told(&news), ["a Some(1)"]);
    assert_eq!(started.elapsed().as_secs(), 300);
    player.await.expect("the script");

    let script = format!("{begin}C: A0003 NOOP\nC: never");
    let (mut session, _player) = super::session("IMAP4rev1 NOTIFY", &script).await;
    assert!(session.notify(true).await.expect("notify"));
    let started = Instant::now();
    let error = session
        .wait(Duration::from_secs(6000))
        .await
        .expect_err("nobody there");
    assert_eq!(error.class, ErrorClass::Network);
    assert_eq!(started.elapsed().as_secs(), 180);
}

#[tokio::test(start_paused = true)]
async fn waiting_ends_when_the_server_or_the_caller_wants() {
    let script = "C: {tag} IDLE\nS: + idling\nS: {tag} OK enough\nC: {tag} NOOP\nS: {tag} OK";
    let (mut session, player) = greeted("hi", "IMAP4rev1 IDLE", &[], script).await;
    assert_eq!(session.wait(Duration::from_secs(600)).await.expect("ended"), []);
    session.noop().await.expect("usable");
    end(session, player).await;

    let script =
        "C: {tag} IDLE\nS: + idling\nC: DONE\nS: * 3 EXISTS\nS: {tag} OK\nC: {tag} NOOP\nS: {tag} OK";
    let (mut session, player) = greeted("hi", "IMAP4rev1 IDLE", &[], script).await;
    let mut soon = Box::pin(tokio::time::sleep(Duration::from_secs(5)));
    let started = Instant::now();
    let news = session
        .wait_until(Duration::from_secs(600), &mut soon)
        .await
        .expect("interrupted");
    assert_eq!(told(&news), ["selected"]);
    assert_eq!(started.elapsed().as_secs(), 5);
    session.noop().await.expect("usable");
    end(session, player).await;
}
