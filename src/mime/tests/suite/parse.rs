use posthorn_mime::{Defect, Parsed, parse, parse_header, part_bytes, survey};

/// Everything that a list and a reader show, one fact a line.
fn describe(parsed: &Parsed) -> String {
    let mut out = String::new();
    let mut line = |name: &str, value: String| {
        if !value.is_empty() {
            out.push_str(&format!("{name}: {value}\n"));
        }
    };
    let list = |addresses: &[posthorn_model::Address]| {
        addresses
            .iter()
            .map(ToString::to_string)
            .collect::<Vec<_>>()
            .join(" | ")
    };
    let envelope = &parsed.envelope;
    line(
        "date",
        envelope.date.map(|date| date.to_string()).unwrap_or_default(),
    );
    line(
        "received",
        parsed.received.map(|date| date.to_string()).unwrap_or_default(),
    );
    line("subject", envelope.subject.clone());
    line("from", list(&envelope.from));
    line("to", list(&envelope.to));
    line("cc", list(&envelope.cc));
    line(
        "id",
        envelope
            .message_id
            .as_ref()
            .map(ToString::to_string)
            .unwrap_or_default(),
    );
    for part in &parsed.parts {
        let name = part.name.as_deref().unwrap_or("-");
        let place = if part.inline { "inline" } else { "attached" };
        line(
            "part",
            format!(
                "{} {} {name} {} {place}",
                part.index, part.content_type, part.size
            ),
        );
    }
    line(
        "text",
        parsed
            .text
            .as_ref()
            .map(|text| format!("{text:?}"))
            .unwrap_or_default(),
    );
    line(
        "html",
        parsed
            .html
            .as_ref()
            .map(|html| format!("{html:?}"))
            .unwrap_or_default(),
    );
    line("preview", parsed.preview.clone());
    for defect in &parsed.defects {
        line("defect", defect.to_string());
    }
    out
}

fn check(raw: &[u8], expect: &str) {
    let parsed = parse(raw);
    let row = survey(raw);
    let without_texts = Parsed {
        text: None,
        html: None,
        ..parsed.clone()
    };
    assert_eq!(describe(&row), describe(&without_texts));
    assert!(row.text.is_none() && row.html.is_none() && row.index_text.is_none());
    let got = describe(&parsed);
    let expect: String = expect
        .lines()
        .map(str::trim)
        .filter(|line| !line.is_empty())
        .map(|line| format!("{line}\n"))
        .collect();
    assert_eq!(got, expect, "for\n{}", String::from_utf8_lossy(raw));
}

const HEAD: &str = "From: A <a@x.example>\r\nDate: Fri, 22 Nov 2024 00:00:00 +0000\r\n";
const FACTS: &str = "date: 2024-11-22T00:00:00Z\n";

#[test]
fn reads_a_plain_message() {
    check(
        b"Received: from x by y; Fri, 22 Nov 2024 00:01:00 +0000\r\nReceived: older; Fri, 22 Nov 2024 00:00:30 +0000\r\n\
          From: Anna <a@x.example>\r\nTo: b@y.example,\r\n C <c@z.example>\r\nTo: d@w.example\r\nSubject: Hi\r\n there\r\n\
          Date: Fri, 22 Nov 2024 00:00:00 +0000\r\nMessage-ID: <1@x.example>\r\n\r\nHello,\r\nBob\r\n",
        "date: 2024-11-22T00:00:00Z
         received: 2024-11-22T00:01:00Z
         subject: Hi there
         from: Anna <a@x.example>
         to: b@y.example | C <c@z.example> | d@w.example
         id: <1@x.example>
         part: 0 text/plain - 13 inline
         text: \"Hello,\\nBob\\n\"
         preview: Hello, Bob",
    );
}

#[test]
fn prefers_plain_text_and_keeps_html() {
    let raw = format!(
        "{HEAD}Content-Type: multipart/mixed; boundary=out\r\n\r\npreamble\r\n--out\r\n\
         Content-Type: multipart/alternative; boundary=\"in ner\"\r\n\r\n--in ner\r\n\r\nplain\r\n--in ner\r\n\
         Content-Type: multipart/related; boundary=rel\r\n\r\n--rel\r\nContent-Type: text/html; charset=utf-8\r\n\r\n\
         <p>html<img src=\"cid:pic@x\"></p>\r\n--rel\r\nContent-Type: image/png\r\nContent-ID: <pic@x>\r\n\
         Content-Transfer-Encoding: base64\r\n\r\niVBORw0KGgo=\r\n--rel--\r\n--in ner--\r\n--out\r\n\
         Content-Type: application/pdf; name*=utf-8''r%C3%A9sum%C3%A9.pdf\r\nContent-Disposition: attachment\r\n\
         Content-Transfer-Encoding: base64\r\n\r\naGVsbG8=\r\n--out--\r\nepilogue\r\n"
    );
    check(
        raw.as_bytes(),
        &format!(
            "{FACTS}from: A <a@x.example>
             part: 0 text/plain - 5 inline
             part: 1 text/html - 32 inline
             part: 2 image/png part-3.png 8 inline
             part: 3 application/pdf résumé.pdf 5 attached
             text: \"plain\"
             html: \"<p>html<img src=\\\"cid:pic@x\\\"></p>\"
             preview: html"
        ),
    );
    assert_eq!(
        part_bytes(raw.as_bytes(), 3).as_deref(),
        Some(b"hello".as_slice())
    );
    assert_eq!(part_bytes(raw.as_bytes(), 4), None);
    let parsed = parse(raw.as_bytes());
    let searched = parsed.index_text.expect("a text");
    assert!(searched.contains("plain") && searched.contains("résumé.pdf"));
}

#[test]
fn either_alternative_is_searched() {
    let searched = |plain: &str, html: &str| {
        let raw = format!(
            "Content-Type: multipart/alternative; boundary=b\n\n--b\nContent-Type: text/plain\n\n{plain}\n--b\n\
             Content-Type: text/html\n\n{html}\n--b--\n"
        );
        parse(raw.as_bytes()).index_text.unwrap_or_default()
    };
    assert_eq!(searched("Hello you", "<p>Hello <b>you</b></p>"), "Hello you");
    assert_eq!(
        searched("Please use another program.", "<p>The invoice is due.</p>"),
        "The invoice is due.\nPlease use another program."
    );
    assert_eq!(
        searched(
            "The invoice is due.\nAs you asked: https://example.org/pay",
            "<p>The <i>invoice</i> is due.</p>"
        ),
        "The invoice is due.\nAs you asked: https://example.org/pay"
    );
    assert_eq!(searched("Only here", "<style>p{}</style>"), "Only here");
}

#[test]
fn reads_html_alone_and_blank_alternatives() {
    check(
        format!("{HEAD}Content-Type: text/html\r\n\r\n<p class=a>One<br>two &amp; three</p><p>four</p>")
            .as_bytes(),
        &format!(
            "{FACTS}from: A <a@x.example>
             part: 0 text/html - 48 inline
             text: \"One\\ntwo & three\\n\\nfour\"
             html: \"<p class=a>One<br>two &amp; three</p><p>four</p>\"
             preview: One two & three four"
        ),
    );
    check(
        format!(
            "{HEAD}Content-Type: multipart/alternative; boundary=b\r\n\r\n--b\r\n\r\n \r\n--b\r\nContent-Type: text/html\r\n\r\nshown\r\n--b--\r\n"
        )
        .as_bytes(),
        &format!(
            "{FACTS}from: A <a@x.example>
             part: 0 text/plain - 1 inline
             part: 1 text/html - 5 inline
             text: \"shown\"
             html: \"shown\"
             preview: shown"
        ),
    );
}

#[test]
fn decodes_text_by_what_is_known() {
    let text = |head: &str, body: &[u8]| {
        let raw = [format!("{HEAD}{head}\r\n").as_bytes(), body].concat();
        let parsed = parse(&raw);
        (parsed.text.unwrap_or_default(), parsed.defects)
    };
    let check = |head: &str, body: &[u8], expect: &str, defects: &[Defect]| {
        assert_eq!(
            text(head, body),
            (expect.to_owned(), defects.to_vec()),
            "{head:?}"
        );
    };
    check(
        "Content-Type: text/plain; charset=iso-8859-1\r\n",
        b"caf\xe9",
        "café",
        &[],
    );
    check(
        "Content-Type: text/plain; charset=\"utf-8\"\r\n",
        "é".as_bytes(),
        "é",
        &[],
    );
    check("", b"caf\xe9", "café", &[Defect::UndeclaredCharset]);
    check("", "café".as_bytes(), "café", &[Defect::UndeclaredCharset]);
    check(
        "Content-Type: text/plain; charset=x-klingon\r\n",
        b"a\xe9",
        "aé",
        &[
            Defect::UnknownCharset("x-klingon".into()),
            Defect::UndeclaredCharset,
        ],
    );
    check(
        "Content-Transfer-Encoding: QUOTED-PRINTABLE\r\nContent-Type: text/plain; charset=utf-8\r\n",
        b"=C3=A9=\r\n!",
        "é!",
        &[],
    );
    check(
        "Content-Type: text/plain; format=flowed\r\n",
        b"one \r\ntwo\r\n> q \r\n> r",
        "one two\n> q r",
        &[],
    );
    check(
        "Content-Type: text/html\r\n",
        b"<meta charset=windows-1251>\xcf\xf0",
        "Пр",
        &[],
    );
    check("", b"a\0b\x07c\rd", "abc\nd", &[Defect::NulBytes]);
}

#[test]
fn reads_broken_structures() {
    let texts = |head: &str, body: &str| {
        let parsed = parse(format!("{HEAD}{head}\r\n\r\n{body}").as_bytes());
        (
            parsed.text.unwrap_or_default(),
            parsed.parts.len(),
            parsed.defects,
        )
    };
    let check = |head: &str, body: &str, text: &str, parts: usize, defects: &[Defect]| {
        assert_eq!(
            texts(head, body),
            (text.to_owned(), parts, defects.to_vec()),
            "{head:?} {body:?}"
        );
    };
    let mixed = "Content-Type: multipart/mixed; boundary=b";
    check(
        mixed,
        "--b\r\n\r\nfirst\r\n--b\r\n\r\nsecond",
        "first\nsecond",
        2,
        &[Defect::UnclosedMultipart],
    );
    check(
        mixed,
        "no boundary here",
        "no boundary here",
        1,
        &[Defect::NoBoundary],
    );
    check(
        "Content-Type: multipart/mixed",
        "--b\r\n\r\nx",
        "--b\n\nx",
        1,
        &[Defect::NoBoundary],
    );
    check(mixed, "--b--\r\n", "", 0, &[Defect::NoBoundary]);
    check(mixed, "", "", 1, &[Defect::NoBoundary]);
    check(mixed, "--b\r\n--b\r\n\r\nx\r\n--b--", "\nx", 2, &[]);
    check(
        mixed,
        "--bb\r\n\r\nother\r\n--b \t\r\n\r\nx\r\n--b--\r\n",
        "x",
        1,
        &[],
    );
    // The inner one is never closed; the outer boundary ends it.
    check(
        mixed,
        "--b\r\nContent-Type: multipart/mixed; boundary=c\r\n\r\n--c\r\n\r\nin\r\n--b\r\n\r\nout\r\n--b--\r\n",
        "in\nout",
        2,
        &[Defect::UnclosedMultipart],
    );
    check("Content-Type: text", "x", "x", 1, &[]);
    check("Content-Type: ;;;=\"", "x", "x", 1, &[]);
}

#[test]
fn reads_what_is_hardly_a_message() {
    check(
        b"",
        "part: 0 text/plain - 0 inline
         text: \"\"
         defect: the message is empty
         defect: there is no date",
    );
}

#[test]
fn takes_text_without_a_header_for_text() {
    let parsed = parse(b"just some words\nand more\n");
    assert_eq!(parsed.text.as_deref(), Some("just some words\nand more\n"));
    assert!(parsed.defects.contains(&Defect::NoHeader));
    let parsed = parse(b"Subject: only a header");
    assert_eq!(parsed.envelope.subject, "only a header");
    let parsed = parse(b"From someone Thu Nov 21\nSubject: mbox\n\nx");
    assert_eq!(
        (parsed.envelope.subject.as_str(), parsed.text.as_deref()),
        ("mbox", Some("x"))
    );
}

#[test]
fn forwarded_messages_are_one_part_and_searchable() {
    let raw = format!(
        "{HEAD}Content-Type: multipart/mixed; boundary=b\r\n\r\n--b\r\n\r\nsee below\r\n--b\r\nContent-Type: message/rfc822\r\n\r\n\
         Subject: Inner / one\r\nFrom: z@x.example\r\n\r\ninner text\r\n--b--\r\n"
    );
    let parsed = parse(raw.as_bytes());
    assert_eq!(parsed.text.as_deref(), Some("see below"));
    assert_eq!(parsed.parts.len(), 2);
    assert_eq!(parsed.parts[1].name.as_deref(), Some("one.eml"));
    assert!(!parsed.parts[1].inline);
    let searched = parsed.index_text.expect("a text");
    assert!(searched.contains("inner text") && searched.contains("Inner / one"));
    let inner = parse(&part_bytes(raw.as_bytes(), 1).unwrap());
    assert_eq!(inner.envelope.subject, "Inner / one");
}

#[test]
fn attachment_names_are_decoded_and_safe() {
    let check = |headers: &str, expect: &str| {
        let raw = format!(
            "{HEAD}Content-Type: multipart/mixed; boundary=b\r\n\r\n--b\r\n\r\nx\r\n--b\r\n{headers}\r\n\r\nx\r\n--b--\r\n"
        );
        let parsed = parse(raw.as_bytes());
        let name = parsed.attachments().next().and_then(|part| part.name.clone());
        assert_eq!(name.as_deref(), Some(expect), "{headers:?}");
    };
    check("Content-Disposition: attachment; filename=\"a b.txt\"", "a b.txt");
    check(
        "Content-Disposition: attachment; filename*=iso-8859-1''caf%E9.txt",
        "café.txt",
    );
    check(
        "Content-Disposition: attachment; filename*0*=utf-8''%E2%82;\r\n filename*1*=%AC.txt",
        "€.txt",
    );
    check(
        "Content-Disposition: attachment; filename*0=\"long\";\r\n filename*1=\"name.txt\"",
        "longname.txt",
    );
    check(
        "Content-Disposition: attachment; filename=\"=?utf-8?Q?caf=C3=A9.txt?=\"",
        "café.txt",
    );
    check(
        "Content-Disposition: attachment; filename=\"=?utf-8?B?Y2Fmw6k=?=\r\n =?utf-8?B?LnR4dA==?=\"",
        "café.txt",
    );
    check("Content-Disposition: attachment; filename=café.txt", "café.txt");
    check(
        "Content-Disposition: attachment; filename=../../etc/passwd",
        "passwd",
    );
    check(
        "Content-Disposition: attachment; filename=\"..\\\\..\\\\evil.bat\"",
        "evil.bat",
    );
    check(
        "Content-Disposition: attachment; filename*=utf-8''%E2%80%AEfdp.exe",
        "fdp.exe",
    );
    check(
        "Content-Disposition: attachment; filename*=utf-8''a%0D%0Ab%00.txt",
        "a b.txt",
    );
    check("Content-Disposition: attachment; filename=\"\"", "part-2.txt");
    check("Content-Disposition: attachment; filename=\"...\"", "part-2.txt");
    check("Content-Type: image/png", "part-2.png");
    check("Content-Type: application/x-unheard; name=x.y", "x.y");
}

#[test]
fn header_blocks_alone_are_enough_for_a_list() {
    let header = parse_header(
        b"Subject: =?utf-8?B?w6k=?=\r\nFrom: A <a@b>\r\nReferences: <1@x> <2@x>\r\nIn-Reply-To: <2@x>\r\n\
          Content-Type: multipart/mixed; boundary=x\r\nReceived: by y; Fri, 22 Nov 2024 00:00:00 +0000\r\n\r\n",
    );
    assert_eq!(header.envelope.subject, "é");
    assert_eq!(header.envelope.references.len(), 2);
    assert!(header.has_attachment_hint);
    assert_eq!(header.defects, [Defect::NoDate]);
    assert_eq!(
        header.envelope.sort_date(header.received).to_string(),
        "2024-11-22T00:00:00Z"
    );
    assert!(!parse_header(b"Content-Type: multipart/alternative; boundary=x\r\n\r\n").has_attachment_hint);
    assert!(!parse_header(b"Subject: x\r\n\r\n").has_attachment_hint);
    assert!(parse_header(b"Content-Type: application/pdf\r\n\r\n").has_attachment_hint);
    assert_eq!(parse_header(b"").defects, [Defect::Empty, Defect::NoDate]);
}

#[test]
fn the_first_of_duplicate_fields_counts() {
    let parsed = parse(b"From: real@x.example\r\nFrom: forged@x.example\r\nSubject: one\r\nSubject: two\r\nDate: bad\r\n\r\n");
    assert_eq!(parsed.envelope.from[0].email, "real@x.example");
    assert_eq!(parsed.envelope.subject, "one");
    assert!(parsed.defects.contains(&Defect::DuplicateField("From")));
    assert!(parsed.defects.contains(&Defect::BadDate));
}
