//! Values with parameters: `Content-Type` (RFC 2045 section 5.1), `Content-Disposition` (RFC 2183), with RFC 2231's
//! continuations and charsets, and with the encoded words that RFC 2047 section 5 forbids here.

use std::collections::BTreeMap;

use crate::charset;
use crate::decode::hex;
use crate::defect::Defects;
use crate::word;

/// Parameters and sections read: no mail program writes more.
const MAX_PARAMETERS: usize = 200;

/// What stands before the first semicolon, and the parameters by lower-case name.
#[derive(Debug, Default, PartialEq, Eq)]
pub(crate) struct Value {
    /// Lower case, without white space.
    pub(crate) text: String,
    parameters: BTreeMap<String, String>,
}

impl Value {
    pub(crate) fn parameter(&self, name: &str) -> Option<&str> {
        self.parameters.get(name).map(String::as_str)
    }
}

struct Section<'x> {
    number: u32,
    /// Percent-encoded, and with the charset in front where it is the first.
    encoded: bool,
    text: &'x str,
}

/// Reads one unfolded line.
pub(crate) fn read(line: &str, defects: &mut Defects) -> Value {
    let pieces = split(line);
    let mut pieces = pieces.iter();
    let mut out = Value {
        text: pieces
            .next()
            .map(|text| {
                text.chars()
                    .filter(|c| !c.is_whitespace())
                    .collect::<String>()
                    .to_ascii_lowercase()
            })
            .unwrap_or_default(),
        ..Value::default()
    };
    let mut extended: BTreeMap<String, Vec<Section<'_>>> = BTreeMap::new();
    for piece in pieces.take(MAX_PARAMETERS) {
        let Some((name, text)) = piece.split_once('=') else {
            continue;
        };
        let name = name.trim().to_ascii_lowercase();
        match name.split_once('*') {
            None => {
                let text = word::decode_line(text.as_bytes(), Some("utf-8"), defects);
                out.parameters.entry(name).or_insert(text);
            }
            Some((base, rest)) => {
                let (number, encoded) = match rest.strip_suffix('*') {
                    Some(number) => (number, true),
                    None => (rest, rest.is_empty()),
                };
                let number = number.parse().unwrap_or(0);
                extended.entry(base.to_owned()).or_default().push(Section {
                    number,
                    encoded,
                    text,
                });
            }
        }
    }
    // The extended form is the better one where both stand (RFC 6266 section 4.3 says so for HTTP).
    for (name, sections) in extended {
        out.parameters.insert(name, join(sections, defects));
    }
    out
}

/// Bytes are joined before they are decoded: a character may be cut in two between sections.
fn join(mut sections: Vec<Section<'_>>, defects: &mut Defects) -> String {
    sections.sort_by_key(|section| section.number);
    let mut label = None;
    let mut bytes = Vec::new();
    for (index, section) in sections.iter().enumerate() {
        let mut text = section.text;
        if !section.encoded {
            bytes.extend_from_slice(text.as_bytes());
            continue;
        }
        let mut quotes = text.splitn(3, '\'');
        if index == 0
            && let (Some(charset), Some(_language), Some(rest)) =
                (quotes.next(), quotes.next(), quotes.next())
        {
            label = Some(charset);
            text = rest;
        }
        percent_decode(text, &mut bytes);
    }
    let text = charset::decode_text(Some(label.unwrap_or("utf-8")), &bytes, defects);
    if label.is_none() && text.contains("=?") {
        // Both ways at once: encoded words cut into sections.
        return word::clean(&word::decode_words(&text, defects));
    }
    word::clean(&text)
}

fn percent_decode(text: &str, out: &mut Vec<u8>) {
    let mut rest = text.as_bytes();
    while let [byte, tail @ ..] = rest {
        rest = tail;
        if let (b'%', [high, low, tail @ ..]) = (byte, tail)
            && let (Some(high), Some(low)) = (hex(*high), hex(*low))
        {
            out.push(high << 4 | low);
            rest = tail;
        } else {
            out.push(*byte);
        }
    }
}

/// Cuts at semicolons outside quotes and comments. Quotes and comments are taken off.
fn split(line: &str) -> Vec<String> {
    let mut pieces = Vec::new();
    let mut piece = String::new();
    let (mut quoted, mut comment) = (false, 0_u32);
    let mut chars = line.chars().peekable();
    while let Some(c) = chars.next() {
        match c {
            // Only these two: Windows paths come unescaped.
            '\\' if quoted && matches!(chars.peek(), Some('"' | '\\')) => piece.extend(chars.next()),
            '"' if comment == 0 => quoted = !quoted,
            // Parentheses stand unquoted in file names; a comment follows white space or nothing.
            '(' if !quoted && (comment > 0 || is_comment(&piece)) => comment += 1,
            ')' if !quoted && comment > 0 => comment -= 1,
            _ if comment > 0 => {}
            ';' if !quoted => {
                pieces.push(std::mem::take(&mut piece).trim().to_owned());
                if pieces.len() > MAX_PARAMETERS {
                    return pieces;
                }
            }
            ' ' | '\t' if !quoted && piece.ends_with('=') => {}
            c => piece.push(c),
        }
    }
    pieces.push(piece.trim().to_owned());
    pieces
}

fn is_comment(before: &str) -> bool {
    !before.contains('=') || before.ends_with('=')
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn reads_parameters() {
        let check = |line: &str, text: &str, parameters: &[(&str, &str)]| {
            let value = read(line, &mut Defects::default());
            let got: Vec<_> = value
                .parameters
                .iter()
                .map(|(name, text)| (name.as_str(), text.as_str()))
                .collect();
            assert_eq!(
                (value.text.as_str(), got.as_slice()),
                (text, parameters),
                "{line:?}"
            );
        };
        check(
            " Text/Plain; Charset=\"UTF-8\" ; format = flowed",
            "text/plain",
            &[("charset", "UTF-8"), ("format", "flowed")],
        );
        check("text (comment; x=y) / plain", "text/plain", &[]);
        check("a; name=my file (2).txt", "a", &[("name", "my file (2).txt")]);
        check("a; name=\"x;y=z\"", "a", &[("name", "x;y=z")]);
        check("a; name=\"quo\\\"te\"", "a", &[("name", "quo\"te")]);
        check("a; name=\"C:\\dir\\file\"", "a", &[("name", "C:\\dir\\file")]);
        check("a; name=\"open; x=y", "a", &[("name", "open; x=y")]);
        check("a; n*=iso-8859-1'en'%E9%20x", "a", &[("n", "é x")]);
        check(
            "a; n*0*=utf-8''%E2%82; n*1*=%AC; n*2=.txt",
            "a",
            &[("n", "€.txt")],
        );
        check("a; n*1=b; n*0=a", "a", &[("n", "ab")]);
        check(
            "a; n*0=\"=?utf-8?Q?\"; n*1=\"=C3=A9?=.txt\"",
            "a",
            &[("n", "é.txt")],
        );
        check("a; n=plain; n*=utf-8''better", "a", &[("n", "better")]);
        check("a; n=one; n=two", "a", &[("n", "one")]);
        check("a; n*=%41%ZZ", "a", &[("n", "A%ZZ")]);
        check("a; n==?utf-8?Q?=C3=A9?=", "a", &[("n", "é")]);
        check("a; n=\"=?utf-8?B?w6k=?= =?utf-8?B?w6k=?=\"", "a", &[("n", "éé")]);
        check(";;;=\"", "", &[("", "")]);
        check("", "", &[]);
    }
}
