//! What goes out because something was read: receipts, answers to invitations, and replies that carry nothing along.

use posthorn_mime::compose::{self, Draft, Receipt, build_answer, build_receipt};
use posthorn_mime::{parse, parse_header};
use posthorn_model::{Address, Identity, InternetMessageId, Timestamp};

const NOW: Timestamp = Timestamp(1_732_233_600);

fn id(text: &str) -> InternetMessageId {
    InternetMessageId(text.to_owned())
}

fn draft() -> Draft {
    Draft {
        identity: Identity {
            name: "Jörg".into(),
            email: "joerg@example.org".into(),
            signature: String::new(),
        },
        to: vec![Address::new("Ada", "ada@example.com")],
        subject: "Read: plans".into(),
        body: "Your message was shown.\n".into(),
        ..Draft::default()
    }
}

#[test]
fn a_receipt_is_the_report_that_rfc_8098_describes() {
    let receipt = Receipt {
        original: Some(id("asked@example.com")),
        recipient: "joerg@bücher.example".into(),
    };
    let built = build_receipt(&draft(), &receipt, NOW, &id("left@example.org"), 7);
    let text = String::from_utf8(built.raw.clone()).unwrap();
    assert_eq!(built.recipients, ["ada@example.com"]);
    for line in [
        "Auto-Submitted: auto-replied",
        "Content-Type: message/disposition-notification",
        "Reporting-UA: Posthorn",
        "Final-Recipient: rfc822;joerg@xn--bcher-kva.example",
        "Original-Message-ID: <asked@example.com>",
        "Disposition: manual-action/MDN-sent-manually; displayed",
    ] {
        assert_eq!(
            text.lines().filter(|known| *known == line).count(),
            1,
            "{line}\n{text}"
        );
    }
    let folded = text.replace("\r\n ", " ").replace("\r\n\t", " ");
    assert!(folded.contains("multipart/report;"), "{text}");
    assert!(
        folded.contains("report-type=\"disposition-notification\""),
        "{text}"
    );
    // Anything that refers to the original would mark it as answered.
    assert!(parse_header(&built.raw).envelope.in_reply_to.is_empty());
    let parsed = parse(&built.raw);
    assert_eq!(parsed.text.unwrap().trim_end(), "Your message was shown.");
    assert_eq!(parsed.parts.len(), 2);
}

#[test]
fn nothing_in_a_receipt_breaks_its_lines() {
    let receipt = Receipt {
        original: Some(id("a\r\nBcc: x@y.example\r\n\r\n<b>")),
        recipient: "me@example.org\r\nX: y".into(),
    };
    let built = build_receipt(&draft(), &receipt, NOW, &id("left@example.org"), 7);
    let text = String::from_utf8(built.raw).unwrap();
    assert!(!text.contains("\nBcc") && !text.contains("\nX:"), "{text}");
    let nameless = build_receipt(&draft(), &Receipt::default(), NOW, &id("left@example.org"), 7);
    assert!(
        !String::from_utf8(nameless.raw)
            .unwrap()
            .contains("Original-Message-ID")
    );
}

#[test]
fn an_answer_to_an_invitation_is_its_calendar_object() {
    let calendar = "BEGIN:VCALENDAR\r\nMETHOD:REPLY\r\nSUMMARY:Grüße\r\nEND:VCALENDAR\r\n";
    let built = build_answer(&draft(), calendar, NOW, &id("left@example.org"), 7);
    let text = String::from_utf8(built.raw.clone()).unwrap();
    let folded = text.replace("\r\n ", " ").replace("\r\n\t", " ");
    assert!(folded.contains("multipart/alternative;"), "{text}");
    assert!(folded.contains("text/calendar;"), "{text}");
    assert!(folded.contains("method=\"REPLY\""), "{text}");
    let parsed = parse(&built.raw);
    let part = parsed
        .parts
        .iter()
        .find(|part| part.content_type == "text/calendar")
        .unwrap();
    let bytes = posthorn_mime::part_bytes(&built.raw, part.index).unwrap();
    assert_eq!(String::from_utf8(bytes).unwrap(), calendar);
}

/// What is sent on is text: nothing in it loads when the next reader opens it.
#[test]
fn replies_and_forwards_carry_no_html_and_no_remote_reference() {
    let html = "<html><head><style>@import url(https://t.example/a.css); p{background:url(https://t.example/b.png)}</style>\
        <link rel=stylesheet href=https://t.example/c.css></head><body background=\"https://t.example/d.png\">\
        <p>Hello <b>there</b></p><img src=\"https://t.example/e.gif?id=1\" width=1 height=1><img src=cid:f@x>\
        <script src=https://t.example/g.js></script><iframe src=https://t.example/h></iframe></body></html>";
    for head in [
        "Content-Type: text/html; charset=utf-8",
        "Content-Type: text/html\r\nReply-To: <b@t.example>",
    ] {
        let raw = format!(
            "From: a@t.example\r\nTo: joerg@example.org\r\nSubject: s\r\nMessage-ID: <1@t.example>\r\n{head}\r\n\r\n{html}\r\n"
        );
        let parsed = parse(raw.as_bytes());
        for started in [
            compose::reply(&parsed, true, &draft().identity),
            compose::forward(&parsed, raw.as_bytes()),
        ] {
            let draft = Draft {
                to: draft().to,
                identity: draft().identity,
                ..started
            };
            let built = compose::build(&draft, NOW, &id("left@example.org"), 7);
            let text = String::from_utf8(built.raw.clone()).unwrap();
            assert!(text.contains("Hello there"), "{text}");
            assert!(!text.contains("t.example/"), "{text}");
            assert!(
                !text.contains('<') || !text.to_lowercase().contains("<img"),
                "{text}"
            );
            assert_eq!(parse(&built.raw).html, None);
            assert!(!text.to_lowercase().contains("text/html"), "{text}");
        }
    }
}
