//! What a message may do when it is read, and what the reader does about it.

use std::net::SocketAddr;
use std::sync::Arc;
use std::sync::atomic::{AtomicUsize, Ordering};

use posthorn_mime::{Mark, PartStat};
use posthorn_model::reading::TrustedServers;
use posthorn_model::{
    ErrorClass, MessageId, NetworkPolicy, Protocol, ReadingSettings, ReceiptPolicy, Sender, SpecialUse,
};
use posthorn_sandbox::SandboxUser;
use posthorn_testkit::ca::Ca;
use posthorn_testkit::webserver::{Answer, WebServer};

use super::world::{World, run};
use crate::invitation::InvitationAnswer;
use crate::pictures::{Consent, Fault, PictureRequest};
use crate::reading::{AskWhy, PartAt, PictureRule, ReceiptState, Unsubscribe};
use crate::unsubscribe::{By, Unsubscribed};
use crate::{Command, Reading, WebRules};

const GIF: &[u8] = b"GIF89a\x01\x00\x01\x00\x00\x00\x00;";
const PICTURE: &str = "https://pictures.example/open.gif?who=you";
/// What our own server writes above everything.
const GOOD: &str = "Authentication-Results: mx.home.example; dmarc=pass header.from=shop.example;\r\n dkim=pass header.d=shop.example\r\n";

/// A world with one web server for every name.
async fn world(protocol: Protocol) -> (World, WebServer) {
    let mut world = World::new(protocol).await;
    let ca = Ca::new().expect("an authority");
    let names = ["pictures.example", "list.example"];
    let certificate = ca.issue_for(&names).expect("a certificate");
    let server = WebServer::start(Some(&certificate), |asked| match asked.line() {
        "POST /leave?id=7" => Answer::response("200 OK", &[], b"gone"),
        "POST /no" => Answer::response("403 Forbidden", &[], b""),
        _ => Answer::response("200 OK", &[("Content-Type", "image/gif")], GIF),
    });
    let server = server.expect("a server");
    world.reach(rules(server.address()), ca.pem()).await;
    (world, server)
}

fn rules(at: SocketAddr) -> WebRules {
    let look_up = move |_: &str, port: u16| Ok(if port == 443 { vec![at] } else { Vec::new() });
    WebRules::new(look_up, |address| address.is_loopback())
}

fn newsletter(subject: &str, top: &str) -> Vec<u8> {
    format!(
        "{top}From: News <news@shop.example>\r\nTo: you@example.org\r\nSubject: {subject}\r\n\
         Date: Wed, 1 Oct 2025 10:00:00 +0000\r\nMessage-ID: <{subject}@shop.example>\r\n\
         Content-Type: text/html; charset=utf-8\r\n\r\n<p>Hello</p><img src=\"{PICTURE}\">\r\n"
    )
    .into_bytes()
}

async fn read(world: &World, id: MessageId) -> Reading {
    let reading = world.engine().catalog().reading(id).await.expect("a reading");
    reading.expect("there")
}

fn request(message: MessageId, consent: Consent) -> PictureRequest {
    PictureRequest {
        message,
        urls: vec![PICTURE.to_owned()],
        consent,
    }
}

/// Our own server's word counts, as the user set it.
async fn trust(world: &World, change: impl FnOnce(&mut ReadingSettings)) {
    let mut settings = world
        .engine()
        .catalog()
        .reading_settings()
        .await
        .expect("settings");
    settings.accounts = vec![TrustedServers {
        id: world.account,
        servers: vec!["mx.home.example".into()],
        removes_forged: true,
    }];
    change(&mut settings);
    world.command(Command::SetReading(Box::new(settings))).await;
}

#[test]
fn pictures_are_fetched_only_with_the_reader_s_word() {
    run(async {
        let (mut world, server) = world(Protocol::Imap).await;
        world.deliver_raw("INBOX", newsletter("first", GOOD));
        world.deliver_raw("INBOX", newsletter("second", GOOD));
        world.deliver_raw("INBOX", newsletter("forged", ""));
        world.sync_well().await;
        trust(&world, |_| {}).await;
        let first = world.find("INBOX", "first").await;
        let reading = read(&world, first).await;
        assert_eq!(reading.pictures, PictureRule::Ask(AskWhy::Usual));
        assert_eq!(reading.verdict.mark, Mark::Verified("shop.example".into()));
        let refused = world.engine().fetch_pictures(request(first, Consent::Rule)).await;
        assert_eq!(refused.expect_err("no rule").class(), ErrorClass::Refused);
        assert_eq!(server.connections(), 0, "reading asks nobody");

        let shown = world.engine().fetch_pictures(request(first, Consent::Once)).await;
        assert_eq!(shown.expect("fetched").get(PICTURE), Some(&Ok(GIF.to_vec())));
        world
            .engine()
            .fetch_pictures(request(first, Consent::Once))
            .await
            .expect("kept");
        assert_eq!(server.asked().len(), 1, "it is here already");

        let sender = Sender::parse("news@shop.example").expect("a sender");
        world.command(Command::AllowPictures(sender.clone())).await;
        let second = world.find("INBOX", "second").await;
        assert_eq!(read(&world, second).await.pictures, PictureRule::Show);
        let forged = world.find("INBOX", "forged").await;
        assert_eq!(
            read(&world, forged).await.pictures,
            PictureRule::Ask(AskWhy::NotVerified)
        );
        let refused = world
            .engine()
            .fetch_pictures(request(forged, Consent::Rule))
            .await;
        assert_eq!(refused.expect_err("not certain").class(), ErrorClass::Refused);
        assert_eq!(
            server.asked().len(),
            1,
            "another message asks for itself, with leave only"
        );
        let shown = world
            .engine()
            .fetch_pictures(request(second, Consent::Rule))
            .await;
        assert!(
            shown
                .expect("by the rule")
                .get(PICTURE)
                .is_some_and(Result::is_ok)
        );
        assert_eq!(server.asked().len(), 2);

        world.restart().await;
        assert_eq!(
            read(&world, second).await.pictures,
            PictureRule::Show,
            "the rule is kept"
        );
        world.command(Command::ForbidPictures(sender)).await;
        assert_eq!(read(&world, second).await.pictures, PictureRule::Never);
        world.command(Command::SetNetwork(NetworkPolicy::Offline)).await;
        let offline = world
            .engine()
            .fetch_pictures(request(second, Consent::Once))
            .await;
        assert_eq!(offline.expect_err("offline").class(), ErrorClass::Network);
        assert_eq!(server.asked().len(), 2);
    });
}

#[test]
fn a_picture_inside_the_network_is_not_fetched() {
    run(async {
        let (world, server) = world(Protocol::Imap).await;
        world.deliver_raw("INBOX", newsletter("inside", ""));
        world.sync_well().await;
        let id = world.find("INBOX", "inside").await;
        let urls = [
            "http://localhost/x.gif",
            "https://router.lan/x.gif",
            "file:///etc/passwd",
        ];
        let request = PictureRequest {
            message: id,
            urls: urls.map(str::to_owned).into(),
            consent: Consent::Once,
        };
        let fetched = world.engine().fetch_pictures(request).await.expect("outcomes");
        let faults: Vec<_> = urls.iter().map(|url| fetched.get(*url).cloned()).collect();
        let expect = [Fault::Private, Fault::Private, Fault::BadAddress].map(|fault| Some(Err(fault)));
        assert_eq!(faults, expect);
        assert_eq!(server.connections(), 0);
    });
}

fn listed(subject: &str, ways: &str) -> Vec<u8> {
    format!(
        "From: list@list.example\r\nTo: you@example.org\r\nSubject: {subject}\r\nMessage-ID: <{subject}@list.example>\r\n\
         List-Id: <l.list.example>\r\nList-Unsubscribe: {ways}\r\nList-Unsubscribe-Post: List-Unsubscribe=One-Click\r\n\
         Date: Wed, 1 Oct 2025 10:00:00 +0000\r\n\r\nhello\r\n"
    )
    .into_bytes()
}

#[test]
fn a_list_is_left_by_one_post_or_by_mail() {
    run(async {
        let (world, server) = world(Protocol::Imap).await;
        assert!(world.sandbox.store().add_user(SandboxUser::new("leave", "x")));
        let domain = "example.org";
        let mail = format!("<mailto:leave@{domain}?subject=unsubscribe%20me&cc=victim@example.net>");
        world.deliver_raw(
            "INBOX",
            listed("good", &format!("<https://list.example/leave?id=7>, {mail}")),
        );
        world.deliver_raw("INBOX", listed("bad", "<https://list.example/no>"));
        world.sync_well().await;
        let good = world.find("INBOX", "good").await;
        assert!(matches!(
            read(&world, good).await.unsubscribe.as_slice(),
            [Unsubscribe::OneClick { .. }, Unsubscribe::Mail { .. }]
        ));
        assert_eq!(server.connections(), 0);
        let left = world
            .engine()
            .unsubscribe(good, By::OneClick)
            .await
            .expect("left");
        assert_eq!(
            left,
            Unsubscribed::Posted {
                host: "list.example".into()
            }
        );
        let asked = server.asked();
        assert_eq!(asked.len(), 1);
        assert_eq!(
            (asked[0].line(), asked[0].body.as_str()),
            ("POST /leave?id=7", "List-Unsubscribe=One-Click")
        );

        let left = world.engine().unsubscribe(good, By::Mail).await.expect("queued");
        assert!(matches!(left, Unsubscribed::Queued { .. }));
        world.sync_well().await;
        let taken = world.sandbox.store().messages("leave", "INBOX");
        assert_eq!(taken.len(), 1);
        let text = String::from_utf8_lossy(&taken[0].raw).into_owned();
        assert!(
            text.contains("Subject: unsubscribe me\r\n") && !text.contains("victim"),
            "{text}"
        );

        let bad = world.find("INBOX", "bad").await;
        let refused = world
            .engine()
            .unsubscribe(bad, By::OneClick)
            .await
            .expect_err("refused");
        assert!(refused.message.contains("403"), "{refused}");
        assert!(world.engine().unsubscribe(bad, By::Mail).await.is_err());
        world.command(Command::SetNetwork(NetworkPolicy::Offline)).await;
        assert!(world.engine().unsubscribe(good, By::OneClick).await.is_err());
        assert_eq!(server.asked().len(), 2, "one POST each, and no GET");
    });
}

fn asking(subject: &str, address: &str) -> Vec<u8> {
    format!(
        "From: Ada <{address}>\r\nTo: you@example.org\r\nSubject: {subject}\r\nMessage-ID: <{subject}@ada.example>\r\n\
         Disposition-Notification-To: <{address}>\r\nDate: Wed, 1 Oct 2025 10:00:00 +0000\r\n\r\nread this\r\n"
    )
    .into_bytes()
}

#[test]
fn a_receipt_goes_once_and_only_where_it_was_allowed() {
    for protocol in [Protocol::Imap, Protocol::Pop3] {
        run(async {
            let mut world = World::new(protocol).await;
            assert!(world.sandbox.store().add_user(SandboxUser::new("ada", "x")));
            let domain = "example.org";
            let ada = format!("ada@{domain}");
            let inbox = if protocol == Protocol::Imap {
                "INBOX"
            } else {
                "Inbox"
            };
            world.deliver_raw("INBOX", asking("one", &ada));
            world.deliver_raw("INBOX", asking("two", &ada));
            world.sync_well().await;
            let one = world.find(inbox, "one").await;
            let received = |world: &World| world.sandbox.store().messages("ada", "INBOX");
            assert!(matches!(
                read(&world, one).await.receipt,
                Some(ReceiptState::Off(_))
            ));
            let refused = world
                .engine()
                .send_receipt(one, String::new())
                .await
                .expect_err("never");
            assert_eq!(refused.class(), ErrorClass::Refused);

            trust(&world, |settings| settings.receipts = ReceiptPolicy::Ask).await;
            assert!(matches!(
                read(&world, one).await.receipt,
                Some(ReceiptState::Open(_))
            ));
            world.sync_well().await;
            assert!(received(&world).is_empty(), "reading alone tells nobody");
            world
                .engine()
                .send_receipt(one, "Shown.".into())
                .await
                .expect("queued");
            world.crash();
            assert_eq!(read(&world, one).await.receipt, Some(ReceiptState::Answered));
            assert!(world.engine().send_receipt(one, String::new()).await.is_err());
            world.sync_well().await;
            let came = received(&world);
            assert_eq!(came.len(), 1);
            let text = String::from_utf8_lossy(&came[0].raw).into_owned();
            assert!(text.starts_with("Return-Path: <>\r\n"), "{text}");
            assert!(text.contains("Original-Message-ID: <one@ada.example>"), "{text}");
            if protocol == Protocol::Imap {
                let flags = world.there("INBOX");
                let of = |subject: &str| {
                    flags
                        .iter()
                        .find(|(known, _)| known == subject)
                        .map(|(_, flags)| flags.clone())
                };
                assert_eq!(of("one"), Some(vec!["$MDNSent".to_owned()]));
            }

            let two = world.find(inbox, "two").await;
            world.engine().decline_receipt(two).await.expect("remembered");
            assert_eq!(read(&world, two).await.receipt, Some(ReceiptState::Answered));
            assert!(world.engine().send_receipt(two, String::new()).await.is_err());
            world.sync_well().await;
            assert_eq!(received(&world).len(), 1);
        });
    }
}

#[test]
fn an_invitation_is_answered_to_its_organiser() {
    run(async {
        let world = World::new(Protocol::Imap).await;
        assert!(world.sandbox.store().add_user(SandboxUser::new("boss", "x")));
        let me = world.sandbox.login().address.clone();
        let domain = "example.org";
        let calendar = format!(
            "BEGIN:VCALENDAR\r\nVERSION:2.0\r\nPRODID:x\r\nMETHOD:REQUEST\r\nBEGIN:VEVENT\r\nUID:plan-1\r\nSUMMARY:Plans\r\n\
             DTSTAMP:20250101T000000Z\r\nDTSTART:20250301T100000Z\r\nORGANIZER:mailto:boss@{domain}\r\n\
             ATTENDEE;RSVP=TRUE:mailto:{me}\r\nEND:VEVENT\r\nEND:VCALENDAR\r\n"
        );
        let raw = format!(
            "From: Bot <bot@calendar.example>\r\nTo: {me}\r\nSubject: invited\r\nMessage-ID: <i@calendar.example>\r\n\
             Content-Type: text/calendar; method=REQUEST; charset=utf-8\r\n\r\n{calendar}"
        );
        world.deliver_raw("INBOX", raw.into_bytes());
        world.sync_well().await;
        let id = world.find("INBOX", "invited").await;
        let seen = read(&world, id).await;
        assert_eq!(seen.invitations.len(), 1);
        assert_eq!(seen.invitations[0].answered, None);
        let answer = |status, index| InvitationAnswer {
            message: id,
            index,
            status,
            comment: String::new(),
            subject: "Zugesagt: Plans".into(),
        };
        let engine = world.engine();
        assert!(
            engine
                .answer_invitation(answer(PartStat::Accepted, 1))
                .await
                .is_err()
        );
        assert!(
            engine
                .answer_invitation(answer(PartStat::NeedsAction, 0))
                .await
                .is_err()
        );
        engine
            .answer_invitation(answer(PartStat::Accepted, 0))
            .await
            .expect("queued");
        assert_eq!(
            read(&world, id).await.invitations[0].answered,
            Some(PartStat::Accepted)
        );
        world.sync_well().await;
        let came = world.sandbox.store().messages("boss", "INBOX");
        assert_eq!(came.len(), 1);
        let parsed = posthorn_mime::parse(&came[0].raw);
        assert_eq!(parsed.envelope.subject, "Zugesagt: Plans");
        let part = parsed
            .parts
            .iter()
            .find(|part| part.content_type == "text/calendar")
            .expect("a calendar");
        let bytes = posthorn_mime::part_bytes(&came[0].raw, part.index).expect("decodable");
        let text = String::from_utf8(bytes).expect("text");
        assert!(
            text.contains("METHOD:REPLY") && text.contains("PARTSTAT=ACCEPTED"),
            "{text}"
        );
    });
}

#[test]
fn messages_inside_messages_are_read_without_trust() {
    run(async {
        let (world, server) = world(Protocol::Imap).await;
        let inner = String::from_utf8(newsletter("inner", &format!("{GOOD}Disposition-Notification-To: <news@shop.example>\r\nList-Unsubscribe: <https://list.example/leave>\r\n"))).expect("text");
        let middle = format!(
            "From: b@example.org\r\nSubject: middle\r\nContent-Type: multipart/mixed; boundary=m\r\n\r\n--m\r\n\r\ntext\r\n\
             --m\r\nContent-Type: message/rfc822\r\n\r\n{inner}\r\n--m--\r\n"
        );
        let outer = format!(
            "From: a@example.org\r\nTo: you@example.org\r\nSubject: outer\r\nMessage-ID: <o@x>\r\nDate: Wed, 1 Oct 2025 10:00:00 +0000\r\n\
             Content-Type: multipart/mixed; boundary=o\r\n\r\n--o\r\n\r\nsee below\r\n--o\r\nContent-Type: message/rfc822\r\n\r\n{middle}\r\n--o--\r\n"
        );
        world.deliver_raw("INBOX", outer.into_bytes());
        world.sync_well().await;
        trust(&world, |settings| {
            settings.receipts = ReceiptPolicy::Ask;
            settings
                .pictures_from
                .insert(Sender::parse("@shop.example").expect("a sender"));
        })
        .await;
        let id = world.find("INBOX", "outer").await;
        let outer = read(&world, id).await;
        let inside = outer
            .attachments
            .iter()
            .find(|attached| attached.message)
            .expect("a message");
        let at = outer.part_at(inside.part.index);
        let catalog = world.engine().catalog();
        let middle = catalog
            .nested(at.clone())
            .await
            .expect("readable")
            .expect("there");
        assert_eq!(middle.message.envelope.subject, "middle");
        let inside = middle
            .attachments
            .iter()
            .find(|attached| attached.message)
            .expect("a message");
        let deep = middle.part_at(inside.part.index);
        assert_eq!(deep, at.inside(inside.part.index));
        let inner = catalog
            .nested(deep.clone())
            .await
            .expect("readable")
            .expect("there");
        assert_eq!(inner.message.envelope.subject, "inner");
        assert!(inner.message.html.is_some_and(|html| html.contains(PICTURE)));
        assert_eq!(inner.verdict.mark, Mark::Unknown);
        assert_eq!(inner.pictures, PictureRule::Ask(AskWhy::Nested));
        assert_eq!((inner.receipt, inner.unsubscribe), (None, Vec::new()));
        let bytes = catalog.part_at(deep).await.expect("readable").expect("there");
        assert!(bytes.starts_with(b"Authentication-Results"));
        for nowhere in [
            PartAt::of(id, 99),
            PartAt {
                message: id,
                path: Vec::new(),
            },
            PartAt {
                message: id,
                path: vec![0; 50],
            },
        ] {
            assert!(
                catalog
                    .nested(nowhere.clone())
                    .await
                    .expect("no failure")
                    .is_none(),
                "{nowhere:?}"
            );
        }
        let headers = catalog.headers(id).await.expect("readable").expect("there");
        assert!(
            headers.contains("Subject: outer\r\n") && headers.ends_with("boundary=o\r\n"),
            "{headers}"
        );
        assert_eq!(server.connections(), 0);
    });
}

#[test]
fn mail_in_the_junk_mailbox_gets_nothing_by_rule() {
    run(async {
        let (world, _server) = world(Protocol::Imap).await;
        world.deliver_raw("INBOX", newsletter("spam", GOOD));
        world.sync_well().await;
        trust(&world, |settings| {
            settings
                .pictures_from
                .insert(Sender::parse("@shop.example").expect("a sender"));
        })
        .await;
        let id = world.find("INBOX", "spam").await;
        assert_eq!(read(&world, id).await.pictures, PictureRule::Show);
        let selection = crate::command::Selection {
            messages: vec![id],
            mailbox: None,
        };
        world.command(Command::Junk(selection)).await;
        assert_eq!(read(&world, id).await.pictures, PictureRule::Ask(AskWhy::Junk));
    });
}

#[test]
fn one_s_own_answers_stand_in_the_conversation() {
    run(async {
        let world = World::new(Protocol::Imap).await;
        let message = |subject: &str, id: &str, parent: &str| {
            format!(
                "From: a@example.org\r\nTo: b@example.org\r\nSubject: {subject}\r\nMessage-ID: <{id}@x>\r\n{parent}\
                 Date: Wed, 1 Oct 2025 10:00:00 +0000\r\n\r\ntext\r\n"
            )
            .into_bytes()
        };
        let parent = |id: &str| format!("In-Reply-To: <{id}@x>\r\nReferences: <1@x> <{id}@x>\r\n");
        let sent = world.engine().catalog().mailboxes(None).await.expect("mailboxes");
        assert!(
            sent.iter()
                .all(|mailbox| mailbox.special_use != Some(SpecialUse::Sent))
                || !sent.is_empty()
        );
        world.deliver_raw("INBOX", message("plans", "1", ""));
        world.deliver_raw("Sent", message("Re: plans", "2", &parent("1")));
        world.deliver_raw("Archive", message("Re: plans", "3", &parent("2")));
        world.sync_well().await;
        let rows = world.rows("INBOX").await;
        let thread = world
            .engine()
            .catalog()
            .thread(rows[0].thread)
            .await
            .expect("a thread");
        let ids: Vec<String> = thread
            .iter()
            .filter_map(|row| row.message_id.as_ref().map(|id| id.0.clone()))
            .collect();
        assert_eq!(ids.len(), 3, "{ids:?}");
        for id in ["1@x", "2@x", "3@x"] {
            assert!(ids.iter().any(|known| known == id), "{ids:?}");
        }
    });
}

#[test]
fn reading_answering_and_searching_ask_nobody() {
    run(async {
        let mut world = World::new(Protocol::Imap).await;
        let asked = Arc::new(AtomicUsize::new(0));
        let counter = Arc::clone(&asked);
        let look_up = move |_: &str, _: u16| {
            counter.fetch_add(1, Ordering::SeqCst);
            Ok(Vec::new())
        };
        world
            .reach(
                WebRules::new(look_up, |_| true),
                Ca::new().expect("an authority").pem(),
            )
            .await;
        world.deliver_raw("INBOX", newsletter("quiet", GOOD));
        world.deliver_raw("INBOX", listed("listed", "<https://list.example/leave>"));
        world.sync_well().await;
        let catalog = world.engine().catalog();
        for row in world.rows("INBOX").await {
            read(&world, row.message).await;
            let raw = catalog.raw(row.message).await.expect("readable").expect("whole");
            let parsed = posthorn_mime::parse(&raw);
            let me = posthorn_model::Identity::default();
            for draft in [
                posthorn_mime::compose::reply(&parsed, true, &me),
                posthorn_mime::compose::forward(&parsed, &raw),
            ] {
                assert!(!draft.body.contains("pictures.example"), "{}", draft.body);
            }
        }
        catalog.search("hello".into(), 10).await.expect("hits");
        assert_eq!(asked.load(Ordering::SeqCst), 0);
    });
}
