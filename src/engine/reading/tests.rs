use std::collections::BTreeSet;

use posthorn_model::{AccountId, BodyState, Sender, ThreadId, Timestamp, Where};

use super::*;

fn facts() -> Facts {
    Facts {
        me: vec!["me@example.org".into()],
        ..Facts::default()
    }
}

fn message(raw: &[u8]) -> Message {
    Message {
        id: MessageId(1),
        account: AccountId(1),
        thread: ThreadId(1),
        envelope: posthorn_mime::parse_header(raw).envelope,
        date: Timestamp(0),
        size: raw.len() as u64,
        hash: None,
        body: BodyState::Whole,
        text: None,
        html: None,
        parts: Vec::new(),
        defects: Vec::new(),
        placements: Vec::new(),
        lives: Where::OnlyHere,
    }
}

fn read_raw(raw: &str) -> Reading {
    let raw = raw.replace('\n', "\r\n");
    read(message(raw.as_bytes()), Some(raw.as_bytes()), facts())
}

#[test]
fn pictures_are_shown_only_where_the_rule_and_the_sender_are_certain() {
    use AskWhy::{Junk, Metered, Nested, NotVerified, Usual};
    use PictureRule::{Ask, Never, Show};
    let senders =
        |text: &str| -> BTreeSet<Sender> { text.split_whitespace().filter_map(Sender::parse).collect() };
    let check =
        |policy: PicturePolicy, allowed: &str, forbidden: &str, verified: bool, expect: PictureRule| {
            let mut facts = facts();
            facts.settings.pictures = policy;
            facts.settings.pictures_from = senders(allowed);
            facts.settings.no_pictures_from = senders(forbidden);
            let envelope =
                posthorn_mime::parse_header(b"From: News <news@mail.shop.example>\r\n\r\n").envelope;
            let found = decide(&facts, &envelope, verified);
            assert_eq!(found, expect, "{policy:?} {allowed} {forbidden} {verified}");
            if found == Show {
                let with = |change: &dyn Fn(&mut Facts)| {
                    let mut facts = facts.clone();
                    change(&mut facts);
                    decide(&facts, &envelope, verified)
                };
                assert_eq!(with(&|facts| facts.junk = true), Ask(Junk));
                assert_eq!(with(&|facts| facts.path = vec![1]), Ask(Nested));
                assert_eq!(
                    with(&|facts| facts.network = NetworkPolicy::Metered),
                    Ask(Metered)
                );
                assert_eq!(
                    with(&|facts| facts.network = NetworkPolicy::Offline),
                    Ask(Metered)
                );
            }
        };
    use PicturePolicy::{Always, Ask as Asking, Never as No};
    check(Asking, "", "", true, Ask(Usual));
    check(Asking, "news@mail.shop.example", "", true, Show);
    check(Asking, "@shop.example", "", true, Show);
    check(Asking, "@shop.example", "", false, Ask(NotVerified));
    check(Asking, "@other.example", "", true, Ask(Usual));
    check(Asking, "@shop.example", "news@mail.shop.example", true, Never);
    check(No, "", "", true, Never);
    check(No, "@shop.example", "", true, Show);
    check(No, "@shop.example", "", false, Ask(NotVerified));
    check(Always, "", "", false, Show);
    check(Always, "", "@shop.example", true, Never);
    let mut two = facts();
    two.settings.pictures_from = senders("@a.example @b.example");
    let envelope = posthorn_mime::parse_header(b"From: x@a.example, y@b.example\r\n\r\n").envelope;
    assert_eq!(
        decide(&two, &envelope, true),
        Ask(Usual),
        "nobody vouches for two authors"
    );
}

#[test]
fn the_best_way_out_of_a_list_stands_first() {
    let check = |list: &str, post: bool, expect: &[&str]| {
        let post = if post {
            "List-Unsubscribe-Post: List-Unsubscribe=One-Click\n"
        } else {
            ""
        };
        let reading = read_raw(&format!(
            "From: a@b.example\nList-Unsubscribe: {list}\n{post}\nx\n"
        ));
        let ways: Vec<String> = reading
            .unsubscribe
            .iter()
            .map(|way| match way {
                Unsubscribe::OneClick { url, host, .. } => format!("post {host} {url}"),
                Unsubscribe::Mail { to } => format!("mail {}", to.email),
                Unsubscribe::Web { url } => format!("web {url}"),
            })
            .collect();
        assert_eq!(ways, expect, "{list}");
    };
    let both = "<mailto:out@l.example?subject=bye>, <https://l.example/u?x=1>";
    check(
        both,
        true,
        &["post l.example https://l.example/u?x=1", "mail out@l.example"],
    );
    check(both, false, &["mail out@l.example"]);
    check("<https://l.example/u>", false, &["web https://l.example/u"]);
    check("<http://l.example/u>", true, &[]);
    check("<mailto:?subject=x>", true, &[]);
    check("<javascript:x>", true, &[]);
}

#[test]
fn parts_come_with_the_html_that_names_them() {
    let reading = read_raw(
        "From: a@b.example\nReply-To: A@B.example, c@d.example\nContent-Type: multipart/related; boundary=x\n\n\
         --x\nContent-Type: text/html\n\n<img src=\"cid:one@x\">\n\
         --x\nContent-Type: image/gif\nContent-ID: <one@x>\nContent-Transfer-Encoding: base64\n\nR0lGODdh\n\
         --x\nContent-Type: image/gif\nContent-ID: <two@x>\n\nx\n--x--\n",
    );
    let bytes = reading.related.get("one@x").map(Vec::as_slice);
    assert_eq!(bytes, Some(&b"GIF87a"[..]));
    let others: Vec<&str> = reading
        .reply_elsewhere
        .iter()
        .map(|to| to.email.as_str())
        .collect();
    assert_eq!(others, ["c@d.example"]);
    assert!(
        reading
            .message
            .html
            .is_some_and(|html| html.contains("cid:one@x"))
    );
}

#[test]
fn a_receipt_is_offered_only_to_whom_one_may_be_sent() {
    let check = |head: &str, change: &dyn Fn(&mut Facts), expect: &str| {
        let raw = format!("{head}Subject: s\r\n\r\ntext\r\n");
        let mut facts = facts();
        facts.settings.receipts = ReceiptPolicy::Ask;
        change(&mut facts);
        let reading = read(message(raw.as_bytes()), Some(raw.as_bytes()), facts);
        let found = match reading.receipt {
            None => "none",
            Some(ReceiptState::Open(_)) => "open",
            Some(ReceiptState::Off(_)) => "off",
            Some(ReceiptState::Answered) => "answered",
        };
        assert_eq!(found, expect, "{head}");
    };
    let ask = "From: a@b.example\r\nDisposition-Notification-To: a@b.example\r\n";
    check(ask, &|_| {}, "open");
    check("From: a@b.example\r\n", &|_| {}, "none");
    check(
        ask,
        &|facts| facts.settings.receipts = ReceiptPolicy::Never,
        "off",
    );
    check(ask, &|facts| facts.junk = true, "off");
    check(ask, &|facts| facts.receipt_answered = true, "answered");
    check(ask, &|facts| facts.path = vec![1], "none");
    check(&format!("{ask}List-Id: <l.example>\r\n"), &|_| {}, "none");
    check(
        &format!("{ask}Disposition-Notification-Options: x=required,y\r\n"),
        &|_| {},
        "none",
    );
    let own = "From: me@example.org\r\nDisposition-Notification-To: me@example.org\r\n";
    check(own, &|_| {}, "none");
}

#[test]
fn the_header_ends_at_the_first_empty_line() {
    let check = |raw: &str, expect: &str| {
        assert_eq!(
            catalog::header_block(raw.as_bytes()),
            expect.as_bytes(),
            "{raw:?}"
        );
    };
    check("A: b\r\nC: d\r\n\r\nbody\r\n\r\n", "A: b\r\nC: d\r\n");
    check("A: b\nC: d\n\nbody", "A: b\nC: d\n");
    check("A: b", "A: b");
    check("\r\nbody", "");
    check("", "");
}

#[test]
fn hosts_are_read_from_addresses() {
    let check = |url: &str, expect: Option<&str>| assert_eq!(host_of(url).as_deref(), expect, "{url}");
    check("https://l.example/u?x@y", Some("l.example"));
    check("https://a@l.example:443/u", Some("l.example:443"));
    check("https://l.example?x", Some("l.example"));
    check("https:///x", None);
    check("mailto:a@b", None);
}
