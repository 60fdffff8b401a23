use posthorn_mime::compose::{Attachment, Draft, build, forward, message_id, reply, without_bcc};
use posthorn_mime::{Parsed, parse, part_bytes};
use posthorn_model::{Address, Identity, InternetMessageId, Timestamp};
use proptest::prelude::*;

fn me() -> Identity {
    Identity {
        name: "Jörg Müller".into(),
        email: "joerg@example.org".into(),
        signature: "Jörg".into(),
    }
}

fn id(text: &str) -> InternetMessageId {
    InternetMessageId(text.to_owned())
}

fn draft() -> Draft {
    Draft {
        identity: me(),
        to: vec![Address::new("Anna, die Große", "anna@münchen.example")],
        subject: "Grüße".into(),
        body: "Hallo\n".into(),
        ..Draft::default()
    }
}

fn build_raw(draft: &Draft) -> Vec<u8> {
    build(draft, Timestamp(1_732_233_600), &id("left@example.org"), 7).raw
}

/// Every line ends in CRLF, and the header holds exactly these fields.
fn assert_fields(raw: &[u8], expect: &[&str]) {
    let text = String::from_utf8_lossy(raw);
    assert_eq!(text.matches('\n').count(), text.matches("\r\n").count(), "{text}");
    assert_eq!(text.matches('\r').count(), text.matches("\r\n").count(), "{text}");
    let head = text.split("\r\n\r\n").next().unwrap_or_default();
    let names: Vec<_> = head
        .split("\r\n")
        .filter(|line| !line.starts_with([' ', '\t']))
        .map(|line| line.split(':').next().unwrap_or_default())
        .collect();
    assert_eq!(names, expect, "{text}");
    for line in head.split("\r\n") {
        assert!(line.len() <= 998, "{line}");
    }
}

#[test]
fn builds_a_plain_message() {
    let built = build(&draft(), Timestamp(1_732_233_600), &id("left@example.org"), 7);
    assert_fields(
        &built.raw,
        &[
            "From",
            "To",
            "Subject",
            "Date",
            "Message-ID",
            "MIME-Version",
            "Content-Type",
            "Content-Transfer-Encoding",
        ],
    );
    assert_eq!(built.recipients, ["anna@xn--mnchen-3ya.example"]);
    assert_eq!(built.refused, []);
    let parsed = parse(&built.raw);
    assert_eq!(
        parsed.envelope.from,
        [Address::new("Jörg Müller", "joerg@example.org")]
    );
    assert_eq!(
        parsed.envelope.to,
        [Address::new("Anna, die Große", "anna@münchen.example")]
    );
    assert_eq!(parsed.envelope.subject, "Grüße");
    assert_eq!(parsed.envelope.date, Some(Timestamp(1_732_233_600)));
    assert_eq!(parsed.envelope.message_id, Some(id("left@example.org")));
    assert_eq!(parsed.text.as_deref(), Some("Hallo\n"));
    assert_eq!(parsed.defects, []);
    let text = String::from_utf8(built.raw).unwrap();
    assert!(
        text.contains("format=\"flowed\"") || text.contains("format=flowed"),
        "{text}"
    );
    assert!(!text.contains("User-Agent"));
}

#[test]
fn text_comes_back_as_written() {
    let check = |body: &str, expect: &str| {
        let parsed = parse(&build_raw(&Draft {
            body: body.into(),
            ..draft()
        }));
        assert_eq!(parsed.text.as_deref(), Some(expect), "{body:?}");
        assert_eq!(parsed.defects, [], "{body:?}");
    };
    check("", "\n");
    check("a\r\nb\rc\n\n\n", "a\nb\nc\n");
    check(
        "From here\n>quoted\n indented\n",
        "From here\n> quoted\n indented\n",
    );
    check("häßlich 你好 🎺\n", "häßlich 你好 🎺\n");
    check(
        &format!("{}\n", "lang und breit ".repeat(60).trim_end()),
        &format!("{}\n", "lang und breit ".repeat(60).trim_end()),
    );
    check(
        &format!("{}\n", "x".repeat(5_000)),
        &format!("{}\n", "x".repeat(5_000)),
    );
    check("Hi\n\n-- \nme\n", "Hi\n\n-- \nme\n");
    check("nul\0 bell\x07\n", "nul bell\n");
    check(".\n..\n.dot\n", ".\n..\n.dot\n");
}

#[test]
fn attachments_come_back_bit_by_bit() {
    let every_byte: Vec<u8> = (0..=255).cycle().take(10_000).collect();
    let attachment = |name: &str, content_type: &str, bytes: &[u8]| Attachment {
        name: name.into(),
        content_type: content_type.into(),
        bytes: bytes.to_vec(),
    };
    let files = [
        attachment("résumé 2024.pdf", "application/pdf", &every_byte),
        attachment("unix.txt", "text/plain", b"line\nline\rline\r\n"),
        attachment("empty", "x/y", b""),
        attachment("mail.eml", "message/rfc822", b"Subject: x\n\ny"),
    ];
    let raw = build_raw(&Draft {
        attachments: files.to_vec(),
        ..draft()
    });
    let parsed = parse(&raw);
    assert_eq!(parsed.defects, []);
    assert_eq!(parsed.text.as_deref(), Some("Hallo\n"));
    let attached: Vec<_> = parsed.attachments().collect();
    assert_eq!(attached.len(), files.len());
    for (part, file) in attached.iter().zip(&files) {
        assert_eq!(part.name.as_deref(), Some(file.name.as_str()));
        assert_eq!(
            part_bytes(&raw, part.index).as_ref(),
            Some(&file.bytes),
            "{}",
            file.name
        );
        assert_eq!(part.size, file.bytes.len() as u64, "{}", file.name);
    }
}

#[test]
fn nothing_written_breaks_out_of_its_header() {
    let evil = "x\r\nX-Evil: 1\r\n\r\nbody\0\n\tX-Evil: 2\u{2028}\r";
    let draft = Draft {
        identity: Identity {
            name: evil.into(),
            email: format!("me@example.org{evil}"),
            signature: String::new(),
        },
        to: vec![
            Address::new(evil, evil),
            Address::new("a", "b@c.example>\r\nX-Evil: 3"),
        ],
        cc: vec![Address::bare(evil)],
        bcc: vec![Address::new(evil, "d@e.example")],
        subject: evil.into(),
        body: "x".into(),
        in_reply_to: Some(id(evil)),
        references: vec![id(evil), id("ok@x")],
        attachments: vec![Attachment {
            name: evil.into(),
            content_type: format!("text/plain{evil}"),
            bytes: vec![1],
        }],
    };
    let built = build(&draft, Timestamp(0), &message_id(&draft.identity, evil), 7);
    assert_fields(
        &built.raw,
        &[
            "From",
            "To",
            "Cc",
            "Bcc",
            "Subject",
            "Date",
            "Message-ID",
            "References",
            "MIME-Version",
            "Content-Type",
        ],
    );
    let text = String::from_utf8_lossy(&built.raw);
    assert!(
        !text.lines().any(|line| line.trim_start().starts_with("X-Evil")),
        "{text}"
    );
    assert_eq!(built.recipients, ["d@e.example"]);
    assert_eq!(built.refused.len(), 3);
}

#[test]
fn bcc_is_in_the_kept_copy_only() {
    let draft = Draft {
        bcc: (0..20)
            .map(|n| Address::new("Secret", format!("s{n}@example.org")))
            .collect(),
        body: "Bcc: in the body\n".into(),
        ..draft()
    };
    let built = build(&draft, Timestamp(0), &id("x@y"), 7);
    assert_eq!(parse(&built.raw).envelope.bcc.len(), 20);
    let sent = without_bcc(&built.raw);
    let text = String::from_utf8(sent.clone()).unwrap();
    assert!(!text.contains("s0@") && !text.contains("s19@"), "{text}");
    assert!(text.contains("Bcc: in the body"));
    assert_eq!(parse(&sent).envelope.to, parse(&built.raw).envelope.to);
    assert_eq!(built.recipients.len(), 21);
    assert_eq!(
        without_bcc(b"To: a\nBcc: b\n c\nSubject: x\n\nBcc: y"),
        b"To: a\nSubject: x\n\nBcc: y"
    );
    assert_eq!(without_bcc(b"bcc : b"), b"");
}

#[test]
fn message_ids_name_the_identity_never_the_machine() {
    assert_eq!(message_id(&me(), "r4nd0m"), id("r4nd0m@example.org"));
    let identity = Identity {
        email: "a@münchen.example".into(),
        ..me()
    };
    assert_eq!(
        message_id(&identity, "a b<>\r\n1"),
        id("ab1@xn--mnchen-3ya.example")
    );
    let identity = Identity {
        email: String::new(),
        ..me()
    };
    assert_eq!(message_id(&identity, "x"), id("x@localhost.invalid"));
}

fn parent(head: &str, body: &str) -> Parsed {
    parse(
        format!("Date: Fri, 22 Nov 2024 10:00:00 +0000\r\nMessage-ID: <p@x>\r\n{head}\r\n\r\n{body}")
            .as_bytes(),
    )
}

#[test]
fn answers_go_to_the_right_people() {
    let check = |head: &str, all: bool, to: &[&str], cc: &[&str]| {
        let draft = reply(&parent(head, "x"), all, &me());
        let emails = |list: &[Address]| {
            list.iter()
                .map(|address| address.email.clone())
                .collect::<Vec<_>>()
        };
        assert_eq!(
            (emails(&draft.to), emails(&draft.cc)),
            (
                to.iter().map(ToString::to_string).collect(),
                cc.iter().map(ToString::to_string).collect()
            ),
            "{head:?}"
        );
    };
    check("From: a@x\r\nTo: joerg@example.org, b@x", false, &["a@x"], &[]);
    check(
        "From: a@x\r\nTo: Joerg@Example.org, b@x\r\nCc: c@x, A@x, b@x",
        true,
        &["a@x"],
        &["b@x", "c@x"],
    );
    check(
        "From: a@x\r\nReply-To: list@x\r\nTo: list@x",
        true,
        &["list@x"],
        &[],
    );
    check("From: a@x\r\nReply-To: <>", false, &["a@x"], &[]);
    check(
        "From: joerg@example.org\r\nTo: b@x\r\nCc: c@x",
        true,
        &["b@x"],
        &["c@x"],
    );
    check("From: joerg@example.org", false, &["joerg@example.org"], &[]);
    check("", false, &[], &[]);
}

#[test]
fn answers_quote_and_refer() {
    let draft = reply(
        &parent(
            "From: Anna <a@x>\r\nSubject: AW: Hi\r\nReferences: <r1@x> <r2@x>",
            "one\r\n> two\r\n-- \r\nAnna",
        ),
        false,
        &me(),
    );
    assert_eq!(draft.subject, "Re: Hi");
    assert_eq!(
        draft.body,
        "\n\nOn 2024-11-22, Anna wrote:\n> one\n>> two\n\n-- \nJörg\n"
    );
    assert_eq!(draft.in_reply_to, Some(id("p@x")));
    assert_eq!(draft.references, [id("r1@x"), id("r2@x"), id("p@x")]);
    let draft = reply(&parent("In-Reply-To: <q@x>", ""), false, &me());
    assert_eq!(draft.references, [id("q@x"), id("p@x")]);
    let draft = reply(&parent("In-Reply-To: <q@x> <s@x>", ""), false, &me());
    assert_eq!(draft.references, [id("p@x")]);
}

#[test]
fn long_reference_chains_keep_both_ends() {
    let draft = Draft {
        references: (0..500).map(|n| id(&format!("{n}@x"))).collect(),
        ..draft()
    };
    let references = parse(&build_raw(&draft)).envelope.references;
    assert_eq!(references.len(), 50);
    assert_eq!(
        (references[0].0.as_str(), references[49].0.as_str()),
        ("0@x", "499@x")
    );
}

#[test]
fn forwards_carry_text_and_files() {
    let mut original = draft();
    original.attachments = vec![Attachment {
        name: "a.bin".into(),
        content_type: "application/x-a".into(),
        bytes: vec![0, 1, 2],
    }];
    let raw = build_raw(&original);
    let draft = forward(&parse(&raw), &raw);
    assert_eq!(draft.subject, "Fwd: Grüße");
    assert!(
        draft.body.contains("From: Jörg Müller <joerg@example.org>\n"),
        "{}",
        draft.body
    );
    assert!(draft.body.contains("\nHallo\n"));
    assert_eq!(draft.attachments, original.attachments);
    assert_eq!((draft.in_reply_to, draft.to), (None, vec![]));
}

proptest! {
    #![proptest_config(ProptestConfig::with_cases(128))]

    #[test]
    fn any_draft_is_one_wellformed_message(
        name in "\\PC{0,60}|[\r\n\t a-z:]{0,30}",
        subject in "\\PC{0,120}|[\r\n\t a-z:]{0,60}",
        body in "(\\PC|\n){0,300}",
        file in "\\PC{0,80}|[\r\n;\"\\\\a-z]{0,30}",
    ) {
        let draft = Draft {
            to: vec![Address::new(name.clone(), "a@b.example")],
            subject,
            body,
            attachments: vec![Attachment { name: file, content_type: "a/b".into(), bytes: vec![9; 100] }],
            ..draft()
        };
        let raw = build_raw(&draft);
        assert_fields(&raw, &["From", "To", "Subject", "Date", "Message-ID", "MIME-Version", "Content-Type"]);
        let parsed = parse(&raw);
        prop_assert_eq!(parsed.defects, vec![]);
        prop_assert_eq!(parsed.parts.len(), 2);
        prop_assert_eq!(parsed.envelope.to.len(), 1);
        prop_assert_eq!(parsed.envelope.to[0].email.as_str(), "a@b.example");
    }
}
