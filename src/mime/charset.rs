//! Bytes to text. Declared charsets are believed where they can be; undeclared 8-bit text is guessed.

use std::borrow::Cow;

use encoding_rs::{EUC_KR, Encoding, GBK, ISO_2022_JP, UTF_8, WINDOWS_1252};
use mail_parser::decoders::charsets::map::charset_decoder;

use crate::defect::{Defect, Defects};

/// Decodes by a declared label; `None` where the label is unknown or says nothing.
#[must_use]
pub fn decode(label: &str, bytes: &[u8]) -> Option<String> {
    let label = label.trim().trim_matches(['"', '\'']);
    if label.is_empty() || label.len() > 45 {
        return None;
    }
    // The Encoding Standard dropped these two for browsers; old mail has them.
    if label.eq_ignore_ascii_case("iso-2022-kr") || label.eq_ignore_ascii_case("csiso2022kr") {
        return Some(
            EUC_KR
                .decode_without_bom_handling(&shift_out_to_high(bytes))
                .0
                .into_owned(),
        );
    }
    if label.eq_ignore_ascii_case("hz-gb-2312") {
        return Some(
            GBK.decode_without_bom_handling(&tilde_to_high(bytes))
                .0
                .into_owned(),
        );
    }
    if let Some(decoder) = charset_decoder(label.as_bytes()) {
        return Some(decoder(bytes));
    }
    Encoding::for_label(label.as_bytes()).map(|encoding| encoding.decode(bytes).0.into_owned())
}

/// Decodes text with what is known of it, and lists what was wrong.
pub(crate) fn decode_text<'x>(label: Option<&str>, bytes: &'x [u8], defects: &mut Defects) -> Cow<'x, str> {
    if let Some((encoding, length)) = Encoding::for_bom(bytes) {
        let rest = bytes.get(length..).unwrap_or_default();
        return encoding.decode_without_bom_handling(rest).0;
    }
    let label = label.map(str::trim).filter(|label| !says_nothing(label));
    let Some(label) = label else {
        return guess(bytes, defects);
    };
    if is_utf8(label) {
        return decode_utf8(bytes, defects);
    }
    match decode(label, bytes) {
        Some(text) => text.into(),
        None => {
            let shown = label.chars().filter(char::is_ascii_graphic).take(40).collect();
            defects.add(Defect::UnknownCharset(shown));
            guess(bytes, defects)
        }
    }
}

fn is_utf8(label: &str) -> bool {
    Encoding::for_label(label.as_bytes()) == Some(UTF_8)
}

/// Labels that tell no more than no label: what claims to be ASCII is, or is undeclared.
fn says_nothing(label: &str) -> bool {
    [
        "",
        "us-ascii",
        "ascii",
        "ansi_x3.4-1968",
        "unknown",
        "unknown-8bit",
        "x-unknown",
        "8bit",
        "7bit",
        "binary",
        "default",
        "none",
    ]
    .iter()
    .any(|known| known.eq_ignore_ascii_case(label))
}

fn decode_utf8<'x>(bytes: &'x [u8], defects: &mut Defects) -> Cow<'x, str> {
    if let Ok(text) = std::str::from_utf8(bytes) {
        return text.into();
    }
    defects.add(Defect::BadCharset);
    let lossy = String::from_utf8_lossy(bytes);
    let broken = lossy.matches('\u{fffd}').count();
    let high = lossy.chars().filter(|c| !c.is_ascii()).count();
    // A cut or damaged character here and there is still UTF-8; if hardly anything decodes it never was.
    if broken.saturating_mul(3) < high {
        lossy
    } else {
        WINDOWS_1252.decode_without_bom_handling(bytes).0
    }
}

fn guess<'x>(bytes: &'x [u8], defects: &mut Defects) -> Cow<'x, str> {
    if let Ok(text) = std::str::from_utf8(bytes) {
        let ascii = text.is_ascii();
        let escapes = ascii && memchr::memchr(0x1b, bytes).is_some();
        if escapes && (text.contains("\u{1b}$B") || text.contains("\u{1b}$@")) {
            defects.add(Defect::UndeclaredCharset);
            return ISO_2022_JP.decode_without_bom_handling(bytes).0;
        }
        if !ascii {
            defects.add(Defect::UndeclaredCharset);
        }
        return text.into();
    }
    defects.add(Defect::UndeclaredCharset);
    WINDOWS_1252.decode_without_bom_handling(bytes).0
}

/// ISO-2022-KR (RFC 1557): between SO and SI two bytes make a character, as EUC-KR without the high bits.
fn shift_out_to_high(bytes: &[u8]) -> Vec<u8> {
    let bytes = bytes.strip_prefix(b"\x1b$)C").unwrap_or(bytes);
    let mut shifted = false;
    let mut out = Vec::with_capacity(bytes.len());
    for &byte in bytes {
        match byte {
            0x0e => shifted = true,
            0x0f => shifted = false,
            b'\n' => {
                shifted = false;
                out.push(byte);
            }
            0x21..=0x7e if shifted => out.push(byte | 0x80),
            _ => out.push(byte),
        }
    }
    out
}

/// HZ (RFC 1843): between `~{` and `~}` two bytes make a character, as GB 2312 without the high bits.
fn tilde_to_high(bytes: &[u8]) -> Vec<u8> {
    let mut shifted = false;
    let mut out = Vec::with_capacity(bytes.len());
    let mut rest = bytes.iter().copied();
    while let Some(byte) = rest.next() {
        if byte != b'~' {
            out.push(if shifted && byte.is_ascii_graphic() {
                byte | 0x80
            } else {
                byte
            });
            continue;
        }
        match rest.next() {
            Some(b'{') => shifted = true,
            Some(b'}') => shifted = false,
            Some(b'~') => out.push(b'~'),
            Some(b'\n') | None => {}
            Some(other) => out.extend([b'~', other]),
        }
    }
    out
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn decodes_declared_charsets() {
        let check = |label: &str, bytes: &[u8], expect: Option<&str>| {
            assert_eq!(decode(label, bytes).as_deref(), expect, "{label}");
        };
        check("iso-8859-1", b"caf\xe9", Some("café"));
        check("\"ISO-8859-15\"", b"\xa4", Some("€"));
        check("windows-1251", b"\xcf\xf0\xe8", Some("При"));
        check("koi8-r", b"\xf0\xd2\xc9", Some("При"));
        check("shift_jis", b"\x83n", Some("ハ"));
        check("gb2312", b"\xc4\xe3", Some("你"));
        check("big5", b"\xa7A", Some("你"));
        check("euc-kr", b"\xbe\xc8", Some("안"));
        check("iso-2022-jp", b"\x1b$B%O\x1b(B", Some("ハ"));
        check("iso-2022-kr", b"\x1b$)C\x0e>H\x0f!", Some("안!"));
        check("hz-gb-2312", b"~{Dc~} ~~", Some("你 ~"));
        check("utf-7", b"+AOk-", Some("é"));
        check("cp850", b"\x9b", Some("ø"));
        check("klingon", b"x", None);
        check("", b"x", None);
    }

    #[test]
    fn guesses_what_is_not_declared() {
        let check = |label: Option<&str>, bytes: &[u8], expect: &str, defect: Option<Defect>| {
            let mut defects = Defects::default();
            assert_eq!(
                decode_text(label, bytes, &mut defects),
                expect,
                "{label:?} {bytes:?}"
            );
            assert_eq!(defects.into_vec().pop(), defect, "{label:?} {bytes:?}");
        };
        check(None, b"plain", "plain", None);
        check(None, "é".as_bytes(), "é", Some(Defect::UndeclaredCharset));
        check(None, b"\xe9t\xe9", "été", Some(Defect::UndeclaredCharset));
        check(Some("us-ascii"), b"\xe9", "é", Some(Defect::UndeclaredCharset));
        check(Some("utf-8"), b"\xe9t\xe9", "été", Some(Defect::BadCharset));
        check(
            Some("utf-8"),
            "äöüß\u{e9}ä".as_bytes().get(..11).unwrap(),
            "äöüßé\u{fffd}",
            Some(Defect::BadCharset),
        );
        check(None, b"\x1b$B%O\x1b(B", "ハ", Some(Defect::UndeclaredCharset));
        check(None, b"\xef\xbb\xbfx", "x", None);
        check(Some("utf-16"), b"\xff\xfex\0", "x", None);
    }
}
