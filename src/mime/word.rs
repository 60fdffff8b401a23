//! Encoded words in header values (RFC 2047), decoded run by run: senders cut characters in two between words of
//! one charset, so their bytes are joined before they are decoded.

use std::borrow::Cow;

use crate::charset;
use crate::decode::{decode_base64, hex};
use crate::defect::Defects;

const MAX_PAYLOAD: usize = 16 * 1024;

enum Segment<'x> {
    Text(&'x str),
    Decoded(String),
}

/// Raw bytes of a header value as one line of text: unfolded (RFC 5322 section 2.2.3), 8-bit decoded.
pub(crate) fn to_line(value: &[u8], charset: Option<&str>, defects: &mut Defects) -> String {
    let unfolded: Vec<u8> = value
        .iter()
        .copied()
        .filter(|byte| !matches!(byte, b'\r' | b'\n' | 0))
        .collect();
    if unfolded.is_ascii() {
        // ISO-2022-JP sent raw is ASCII too; the guess below knows it.
        if !unfolded.contains(&0x1b) {
            return String::from_utf8(unfolded).unwrap_or_default();
        }
    } else if let Ok(text) = std::str::from_utf8(&unfolded) {
        // Unencoded UTF-8 is what RFC 6532 allows.
        return text.to_owned();
    }
    charset::decode_text(charset, &unfolded, defects).into_owned()
}

/// Decodes an unstructured value to one clean line.
pub(crate) fn decode_line(value: &[u8], charset: Option<&str>, defects: &mut Defects) -> String {
    let line = to_line(value, charset, defects);
    clean(&decode_words(&line, defects))
}

/// Decodes the encoded words of a line; what they say may hold anything.
pub(crate) fn decode_words<'x>(line: &'x str, defects: &mut Defects) -> Cow<'x, str> {
    if !line.contains("=?") {
        return Cow::Borrowed(line);
    }
    let mut out = String::with_capacity(line.len());
    for segment in segments(line, defects) {
        match segment {
            Segment::Text(text) => out.push_str(text),
            Segment::Decoded(text) => out.push_str(&text),
        }
    }
    Cow::Owned(out)
}

/// The length of the encoded word that a text starts with.
pub(crate) fn word_length(at: &str) -> Option<usize> {
    let (_, _, _, rest) = cut_word(at)?;
    Some(at.len() - rest.len())
}

/// One line for people: no controls, no direction overrides, single spaces.
pub(crate) fn clean(text: &str) -> String {
    let mut out = String::with_capacity(text.len());
    let mut space = false;
    for c in text.chars() {
        if c == '\0' || is_override(c) {
            continue;
        }
        if c == ' ' || c.is_control() || matches!(c, '\u{2028}' | '\u{2029}') {
            space = true;
            continue;
        }
        if space && !out.is_empty() {
            out.push(' ');
        }
        space = false;
        out.push(c);
    }
    out
}

/// Characters that reverse what follows them: `exe.fdp` for `pdf.exe`.
pub(crate) const fn is_override(c: char) -> bool {
    matches!(c, '\u{202a}'..='\u{202e}' | '\u{2066}'..='\u{2069}')
}

fn segments<'x>(line: &'x str, defects: &mut Defects) -> Vec<Segment<'x>> {
    let mut out = Vec::new();
    let mut run: Option<(&'x str, Vec<u8>)> = None;
    let mut rest = line;
    let mut text = line;
    // `text` starts where plain text began, `rest` where the next word is looked for.
    while let Some(at) = rest.find("=?") {
        let start = text.len() - rest.len() + at;
        let (Some(before), Some(candidate)) = (text.get(..start), text.get(start..)) else {
            break;
        };
        let Some((charset, bytes, after)) = read_word(candidate, defects) else {
            rest = candidate.get(2..).unwrap_or_default();
            continue;
        };
        let adjoining = before.chars().all(char::is_whitespace);
        run = match run.take() {
            Some((open, mut held)) if adjoining && open.eq_ignore_ascii_case(charset) => {
                held.extend_from_slice(&bytes);
                Some((open, held))
            }
            open => {
                let ended = open.is_some();
                flush(open, &mut out, defects);
                if !(ended && adjoining) {
                    out.push(Segment::Text(before));
                }
                Some((charset, bytes))
            }
        };
        rest = after;
        text = after;
    }
    flush(run, &mut out, defects);
    out.push(Segment::Text(text));
    out
}

fn flush(run: Option<(&str, Vec<u8>)>, out: &mut Vec<Segment<'_>>, defects: &mut Defects) {
    if let Some((charset, bytes)) = run {
        let text = charset::decode_text(Some(charset), &bytes, defects);
        out.push(Segment::Decoded(text.into_owned()));
    }
}

/// Reads `=?charset?encoding?text?=` at the start: the charset without RFC 2231's language, the bytes, the rest.
fn read_word<'x>(at: &'x str, defects: &mut Defects) -> Option<(&'x str, Vec<u8>, &'x str)> {
    let (charset, encoding, payload, rest) = cut_word(at)?;
    let bytes = match encoding {
        "B" | "b" => decode_base64(payload, defects),
        _ => decode_q(payload),
    };
    Some((charset, bytes, rest))
}

fn cut_word(at: &str) -> Option<(&str, &str, &[u8], &str)> {
    let (charset, rest) = at.strip_prefix("=?")?.split_once('?')?;
    let charset = charset.split('*').next()?;
    if charset.is_empty() || charset.len() > 60 || charset.contains(char::is_whitespace) {
        return None;
    }
    let (encoding, rest) = rest.split_once('?')?;
    if !matches!(encoding, "B" | "b" | "Q" | "q") {
        return None;
    }
    // RFC 2047 section 2 allows 75 characters; the bound keeps lines of unfinished words linear.
    let window = rest.as_bytes().get(..rest.len().min(MAX_PAYLOAD))?;
    let end = memchr::memmem::find(window, b"?=")?;
    let payload = window.get(..end)?;
    Some((charset, encoding, payload, rest.get(end + 2..)?))
}

fn decode_q(payload: &[u8]) -> Vec<u8> {
    let mut out = Vec::with_capacity(payload.len());
    let mut rest = payload;
    while let [byte, tail @ ..] = rest {
        rest = tail;
        match (byte, tail) {
            (b'_', _) => out.push(b' '),
            (b'=', [high, low, tail @ ..]) => match (hex(*high), hex(*low)) {
                (Some(high), Some(low)) => {
                    out.push(high << 4 | low);
                    rest = tail;
                }
                _ => out.push(b'='),
            },
            (byte, _) => out.push(*byte),
        }
    }
    out
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn decodes_lines() {
        let check = |input: &[u8], expect: &str| {
            let line = decode_line(input, None, &mut Defects::default());
            assert_eq!(line, expect, "{:?}", String::from_utf8_lossy(input));
        };
        check(b" plain  text ", "plain text");
        check(b"folded\r\n\tline", "folded line");
        check(b"=?iso-8859-1?Q?caf=E9_au?= lait", "café au lait");
        check(b"=?utf-8?B?5L2g?= =?utf-8?B?5aW9?=", "你好");
        // One character cut in two between words.
        check(b"=?utf-8?B?5L0=?= =?utf-8?B?oA==?=", "你");
        check(b"=?UTF-8?Q?a?=\r\n =?iso-8859-1?Q?=E9?= b", "aé b");
        check(b"a=?utf-8?Q?b?=c", "abc");
        check(b"=?utf-8*en?Q?hi?=", "hi");
        check(b"=?utf-8?Q?with space?=", "with space");
        check(b"=?utf-8?Q?=0D=0ABcc:_x@y?=", "Bcc: x@y");
        check(b"=?utf-8?X?no?= =?broken", "=?utf-8?X?no?= =?broken");
        check(b"=?iso-2022-kr?B?GyQpQw4+SA8=?=", "안");
        check("rå utf-8".as_bytes(), "rå utf-8");
        check(b"r\xe5 latin", "rå latin");
        check(b"nul\0byte", "nulbyte");
        check("x\u{202e}gpj.exe".as_bytes(), "xgpj.exe");
        check(b"", "");
    }

    #[test]
    fn believes_the_charset_of_the_message() {
        assert_eq!(
            decode_line(b"\xcf\xf0\xe8", Some("windows-1251"), &mut Defects::default()),
            "При"
        );
    }
}
