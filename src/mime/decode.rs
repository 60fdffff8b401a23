//! Content-Transfer-Encoding (RFC 2045 section 6), forgiving: damaged input loses only what is damaged.

use std::borrow::Cow;

use mail_parser::decoders::base64::base64_decode;

use crate::defect::{Defect, Defects};

#[derive(Clone, Copy, Debug, PartialEq, Eq, Default)]
pub(crate) enum Encoding {
    /// 7bit, 8bit, binary, and whatever nobody knows.
    #[default]
    Identity,
    Base64,
    QuotedPrintable,
}

impl Encoding {
    pub(crate) fn from_label(label: &str) -> Self {
        let label = label.trim();
        if label.eq_ignore_ascii_case("base64") {
            Self::Base64
        } else if label.eq_ignore_ascii_case("quoted-printable") {
            Self::QuotedPrintable
        } else {
            Self::Identity
        }
    }
}

pub(crate) fn decode<'x>(encoding: Encoding, body: &'x [u8], defects: &mut Defects) -> Cow<'x, [u8]> {
    match encoding {
        Encoding::Identity => Cow::Borrowed(body),
        Encoding::Base64 => Cow::Owned(decode_base64(body, defects)),
        Encoding::QuotedPrintable => Cow::Owned(decode_quoted_printable(body)),
    }
}

/// The size that decoding would give: exact for well-formed input.
pub(crate) fn decoded_len(encoding: Encoding, body: &[u8]) -> u64 {
    let length = match encoding {
        Encoding::Identity => body.len(),
        Encoding::Base64 => {
            let breaks = count_breaks(body);
            let tail = body.iter().rev().take(8).filter(|byte| **byte == b'=').count();
            let digits = body.len().saturating_sub(breaks + tail);
            digits / 4 * 3 + (digits % 4).saturating_sub(1)
        }
        Encoding::QuotedPrintable => decode_quoted_printable(body).len(),
    };
    u64::try_from(length).unwrap_or(u64::MAX)
}

/// In pieces whose count fits into a byte: the compiler makes that many bytes a step.
fn count_breaks(body: &[u8]) -> usize {
    let count = |piece: &[u8]| {
        let breaks = piece.iter().fold(0_u8, |count, byte| {
            count + u8::from(matches!(byte, b'\n' | b'\r'))
        });
        usize::from(breaks)
    };
    body.chunks(255).map(count).sum()
}

pub(crate) fn decode_base64(body: &[u8], defects: &mut Defects) -> Vec<u8> {
    if let Some(bytes) = defects.guard("base64", || base64_decode(body)) {
        return bytes;
    }
    defects.add(Defect::BadEncoding);
    let mut out = Vec::with_capacity(body.len() / 4 * 3);
    let mut bits: u32 = 0;
    let mut held = 0;
    for &byte in body {
        let digit = match byte {
            b'A'..=b'Z' => byte - b'A',
            b'a'..=b'z' => byte - b'a' + 26,
            b'0'..=b'9' => byte - b'0' + 52,
            b'+' | b'-' => 62,
            b'/' | b'_' => 63,
            // Padding ends a run; several runs may have been glued together.
            b'=' => {
                held = 0;
                continue;
            }
            _ => continue,
        };
        bits = (bits << 6) | u32::from(digit);
        held += 6;
        if held >= 8 {
            held -= 8;
            out.push(u8::try_from((bits >> held) & 0xff).unwrap_or(0));
        }
    }
    out
}

pub(crate) fn decode_quoted_printable(body: &[u8]) -> Vec<u8> {
    let mut out = Vec::with_capacity(body.len());
    let mut rest = body;
    while !rest.is_empty() {
        let end = memchr::memchr(b'\n', rest).map_or(rest.len(), |at| at + 1);
        let (line, after) = rest.split_at(end);
        rest = after;
        let (content, ending) = match line {
            [content @ .., b'\r', b'\n'] => (content, b"\r\n".as_slice()),
            [content @ .., b'\n'] => (content, b"\n".as_slice()),
            content => (content, b"".as_slice()),
        };
        // White space at the end of a line was added by a transport (RFC 2045 section 6.7 rule 3).
        let content = content.trim_ascii_end();
        let (content, soft) = match content.strip_suffix(b"=") {
            Some(content) => (content, true),
            None => (content, false),
        };
        decode_escapes(content, &mut out);
        if !soft {
            out.extend_from_slice(ending);
        }
    }
    out
}

fn decode_escapes(content: &[u8], out: &mut Vec<u8>) {
    let mut rest = content;
    while let Some(at) = memchr::memchr(b'=', rest) {
        let (before, after) = rest.split_at(at);
        out.extend_from_slice(before);
        rest = match after {
            [_, high, low, tail @ ..] => match (hex(*high), hex(*low)) {
                (Some(high), Some(low)) => {
                    out.push(high << 4 | low);
                    tail
                }
                // Not an escape: shown as it stands.
                _ => {
                    out.push(b'=');
                    after.get(1..).unwrap_or_default()
                }
            },
            _ => {
                out.extend_from_slice(after);
                &[]
            }
        };
    }
    out.extend_from_slice(rest);
}

pub(crate) const fn hex(digit: u8) -> Option<u8> {
    match digit {
        b'0'..=b'9' => Some(digit - b'0'),
        b'A'..=b'F' => Some(digit - b'A' + 10),
        b'a'..=b'f' => Some(digit - b'a' + 10),
        _ => None,
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn decodes_quoted_printable() {
        let check = |input: &str, expect: &str| {
            assert_eq!(
                String::from_utf8_lossy(&decode_quoted_printable(input.as_bytes())),
                expect,
                "{input:?}"
            );
        };
        check("a=C3=A9b", "aéb");
        check("soft=\r\nbreak", "softbreak");
        check("soft= \t\r\nbreak", "softbreak");
        check("trailing \t\r\nspace", "trailing\r\nspace");
        check("kept=20\r\n", "kept \r\n");
        check("1=2=", "1=2");
        check("=ZZ =4", "=ZZ =4");
        check("lower=c3=a9", "loweré");
        check("", "");
    }

    #[test]
    fn decodes_damaged_base64() {
        let check = |input: &str, expect: &str, broken: bool| {
            let mut defects = Defects::default();
            let bytes = decode_base64(input.as_bytes(), &mut defects);
            assert_eq!(String::from_utf8_lossy(&bytes), expect, "{input:?}");
            assert_eq!(!defects.into_vec().is_empty(), broken, "{input:?}");
        };
        check("aGVsbG8=", "hello", false);
        check("aGVs\r\nbG8=\r\n", "hello", false);
        check("aGV!sbG8=", "hello", true);
        check("", "", false);
    }

    #[test]
    fn sizes_match_decoding() {
        for (encoding, body) in [
            (Encoding::Base64, "aGVs\r\nbG8=\r\n"),
            (Encoding::Base64, "aGVsbG8h"),
            (Encoding::Base64, "aGVsbA==\n"),
            (Encoding::Base64, &"aGVs\r\n".repeat(500)),
            (Encoding::QuotedPrintable, "a=C3=A9=\r\nb\r\n"),
            (Encoding::Identity, "abc\r\n"),
        ] {
            let decoded = decode(encoding, body.as_bytes(), &mut Defects::default()).len();
            assert_eq!(decoded_len(encoding, body.as_bytes()), decoded as u64, "{body:?}");
        }
    }
}
