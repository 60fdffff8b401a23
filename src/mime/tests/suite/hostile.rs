//! Bounds: nothing that arrives may take the program's time, memory or stack. The sizes are such that quadratic work
//! would be noticed by anyone who runs the tests.

use posthorn_mime::{Defect, parse, parse_header};
use proptest::prelude::*;

#[test]
fn a_hundred_thousand_references_are_capped() {
    let references: String = (0..100_000).map(|n| format!(" <{n}@x.example>\r\n")).collect();
    let header = parse_header(format!("References:{references}\r\n").as_bytes());
    assert_eq!(header.envelope.references.len(), 200);
    assert_eq!(header.envelope.references[0].0, "0@x.example");
    assert!(header.defects.contains(&Defect::TooManyReferences));
}

#[test]
fn address_lists_are_capped() {
    let header = parse_header(format!("To: {}\r\n\r\n", "a@b.example,".repeat(50_000)).as_bytes());
    assert_eq!(header.envelope.to.len(), 2_000);
    assert!(header.defects.contains(&Defect::TooManyAddresses));
}

#[test]
fn nested_messages_cost_no_stack() {
    let raw = format!(
        "{}\r\nend",
        "Content-Type: message/rfc822\r\n\r\n".repeat(100_000)
    );
    assert_eq!(parse(raw.as_bytes()).parts.len(), 1);
}

#[test]
fn nested_multiparts_are_bounded() {
    let raw: String = (0..20_000)
        .map(|n| format!("Content-Type: multipart/mixed; boundary=b{n}\r\n\r\n--b{n}\r\n"))
        .collect();
    let parsed = parse(raw.as_bytes());
    assert!(parsed.defects.contains(&Defect::TooDeep), "{:?}", parsed.defects);
}

#[test]
fn missing_boundaries_cost_one_pass() {
    let part = "--b\r\nContent-Type: multipart/mixed; boundary=gone\r\n\r\n";
    let raw = format!(
        "Content-Type: multipart/mixed; boundary=b\r\n\r\n{}",
        part.repeat(100_000)
    );
    let parsed = parse(raw.as_bytes());
    assert!(
        parsed.defects.contains(&Defect::TooManyParts),
        "{:?}",
        parsed.defects
    );
    assert!(parsed.parts.len() <= 5_000);
}

#[test]
fn tiny_parts_and_fields_are_bounded() {
    let raw = format!(
        "Content-Type: multipart/mixed; boundary=b\r\n\r\n{}",
        "--b\n\n".repeat(1_000_000)
    );
    assert!(parse(raw.as_bytes()).parts.len() <= 5_000);
    let parsed = parse("a:\n".repeat(2_000_000).as_bytes());
    assert!(parsed.defects.contains(&Defect::HeaderTooLarge));
}

#[test]
fn unfinished_encoded_words_cost_one_pass() {
    for piece in [
        "=?utf-8?Q? ",
        "=?",
        "=?a?b?",
        "=?utf-8?B?x",
        "\"",
        "(",
        "<",
        "<@a",
        "\u{1b}]",
        "a@b ",
        "\\",
        ";a*1*=",
        "a*0=",
    ] {
        let value = piece.repeat(300_000 / piece.len());
        let raw = format!(
            "Subject: {value}\r\nTo: {value}\r\nContent-Type: {value}\r\nDate: {value}\r\nReferences: {value}\r\n\r\n"
        );
        let _ = parse(raw.as_bytes());
    }
}

#[test]
fn delimiter_like_lines_cost_one_pass() {
    let raw = format!(
        "Content-Type: multipart/mixed; boundary=b\r\n\r\n--b\r\n\r\n{}",
        "\n--\n--a".repeat(1_000_000)
    );
    assert_eq!(parse(raw.as_bytes()).parts.len(), 1);
}

proptest! {
    #![proptest_config(ProptestConfig::with_cases(512))]

    #[test]
    fn bytes_never_panic(raw in proptest::collection::vec(any::<u8>(), 0..400)) {
        let _ = parse(&raw);
        let _ = parse_header(&raw);
    }

    #[test]
    fn near_messages_never_panic(
        raw in "(From: |To: |Subject: |Date: |Content-Type: multipart/mixed; boundary=b|Content-Type: message/rfc822|\
                Content-Transfer-Encoding: base64|--b|--b--|\r\n|\r\n\r\n|=\\?utf-8\\?[QB]\\?|\\?=|<a@b>|\"|;|,|:|[a-zé ]{1,4}|\\(|\\)){0,60}"
    ) {
        let parsed = parse(raw.as_bytes());
        for defect in &parsed.defects {
            prop_assert!(!matches!(defect, Defect::ParserPanicked("message" | "header")), "{:?}", defect);
        }
    }
}
