//! Text as SEARCH sees it: encoded words and transfer encodings undone, for UTF-8 and Latin-1 only.

use base64::Engine as _;
use base64::engine::{DecodePaddingMode, GeneralPurpose, GeneralPurposeConfig};

use super::structure::{Entity, header_value, slice};

const LENIENT: GeneralPurpose = GeneralPurpose::new(
    &base64::alphabet::STANDARD,
    GeneralPurposeConfig::new()
        .with_decode_padding_mode(DecodePaddingMode::Indifferent)
        .with_decode_allow_trailing_bits(true),
);

fn decode_base64(bytes: &[u8]) -> Vec<u8> {
    let clean: Vec<u8> = bytes
        .iter()
        .copied()
        .filter(|byte| !byte.is_ascii_whitespace())
        .collect();
    LENIENT.decode(clean).unwrap_or_default()
}

fn decode_quoted_printable(bytes: &[u8], underscores: bool) -> Vec<u8> {
    let mut out = Vec::with_capacity(bytes.len());
    let mut rest = bytes;
    while let Some((byte, after)) = rest.split_first() {
        rest = after;
        match byte {
            b'=' => {
                if let Some(next) = rest.strip_prefix(b"\r\n").or_else(|| rest.strip_prefix(b"\n")) {
                    rest = next;
                } else if let Some(value) = rest.get(..2).and_then(hex) {
                    out.push(value);
                    rest = rest.get(2..).unwrap_or_default();
                } else {
                    out.push(b'=');
                }
            }
            b'_' if underscores => out.push(b' '),
            _ => out.push(*byte),
        }
    }
    out
}

fn hex(digits: &[u8]) -> Option<u8> {
    u8::from_str_radix(std::str::from_utf8(digits).ok()?, 16).ok()
}

fn to_text(bytes: &[u8], charset: &str) -> String {
    let latin = ["iso-8859-1", "windows-1252", "iso-8859-15"]
        .iter()
        .any(|name| name.eq_ignore_ascii_case(charset));
    if latin {
        bytes.iter().map(|byte| char::from(*byte)).collect()
    } else {
        String::from_utf8_lossy(bytes).into_owned()
    }
}

/// A header value with its encoded words (RFC 2047) undone.
pub fn decode_header(value: &[u8]) -> String {
    let text = String::from_utf8_lossy(value);
    let mut out = String::new();
    let mut rest: &str = &text;
    let mut after_word = false;
    while let Some((before, tail)) = rest.split_once("=?") {
        let mut pieces = tail.splitn(4, '?');
        let parsed = (|| {
            let (charset, encoding, data) = (pieces.next()?, pieces.next()?, pieces.next()?);
            let after = pieces.next()?.strip_prefix('=')?;
            let bytes = match encoding {
                "B" | "b" => decode_base64(data.as_bytes()),
                "Q" | "q" => decode_quoted_printable(data.as_bytes(), true),
                _ => return None,
            };
            Some((to_text(&bytes, charset), after))
        })();
        // Blanks between two encoded words do not count (RFC 2047 section 6.2).
        if !(after_word && before.trim().is_empty()) {
            out.push_str(before);
        }
        if let Some((word, after)) = parsed {
            out.push_str(&word);
            rest = after;
            after_word = true;
        } else {
            out.push_str("=?");
            rest = tail;
            after_word = false;
        }
    }
    out.push_str(rest);
    out
}

/// All text parts of a message, one after the other.
pub fn body_text(raw: &[u8], entity: &Entity) -> String {
    let mut out = String::new();
    push_text(&mut out, raw, entity);
    out
}

fn push_text(out: &mut String, raw: &[u8], entity: &Entity) {
    for child in &entity.children {
        push_text(out, raw, child);
    }
    if let Some(message) = &entity.message {
        push_text(out, raw, message);
    }
    if entity.kind != "text" {
        return;
    }
    let encoding = header_value(slice(raw, &entity.header), "Content-Transfer-Encoding").unwrap_or_default();
    let body = slice(raw, &entity.body);
    let bytes = if encoding.eq_ignore_ascii_case(b"base64") {
        decode_base64(body)
    } else if encoding.eq_ignore_ascii_case(b"quoted-printable") {
        decode_quoted_printable(body, false)
    } else {
        body.to_vec()
    };
    let charset = entity
        .params
        .iter()
        .find(|(name, _)| name == "charset")
        .map(|(_, value)| value.as_slice());
    out.push_str(&to_text(
        &bytes,
        &String::from_utf8_lossy(charset.unwrap_or_default()),
    ));
    out.push('\n');
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn decodes_headers() {
        for (value, expect) in [
            ("plain", "plain"),
            (
                "=?utf-8?Q?Gr=C3=BC=C3=9Fe_aus?= =?utf-8?B?S8O2bG4=?=",
                "Grüße ausKöln",
            ),
            ("=?iso-8859-1?q?caf=E9?= ok", "café ok"),
            ("=?broken", "=?broken"),
            ("a =?x?y?z?= b", "a =?x?y?z?= b"),
        ] {
            assert_eq!(decode_header(value.as_bytes()), expect);
        }
    }
}
