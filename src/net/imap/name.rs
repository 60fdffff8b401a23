//! Mailbox names between wire and reader: modified UTF-7 (RFC 3501 section 5.1.3) or UTF-8 (RFC 6855).

use base64::Engine;
use base64::alphabet::IMAP_MUTF7;
use base64::engine::{DecodePaddingMode, GeneralPurpose, GeneralPurposeConfig};
use posthorn_model::MailboxName;

const BASE64: GeneralPurpose = GeneralPurpose::new(
    &IMAP_MUTF7,
    GeneralPurposeConfig::new()
        .with_encode_padding(false)
        .with_decode_padding_mode(DecodePaddingMode::Indifferent)
        .with_decode_allow_trailing_bits(true),
);

/// A name as the server wrote it. `wire` is kept to the byte; `path` is for people and may lose what cannot be
/// shown: a `/` that is no delimiter becomes `∕`, control characters and what does not decode a replacement mark.
pub(super) fn from_wire(wire: Vec<u8>, delimiter: Option<char>, utf8: bool) -> MailboxName {
    let text = match std::str::from_utf8(&wire) {
        Ok(text) if utf8 || !text.is_ascii() => text.to_owned(),
        Ok(text) => decode(text).unwrap_or_else(|| text.to_owned()),
        Err(_) => String::from_utf8_lossy(&wire).into_owned(),
    };
    let show = |c: char| match c {
        c if Some(c) == delimiter => '/',
        '/' => '\u{2215}',
        c if c.is_control() => char::REPLACEMENT_CHARACTER,
        c => c,
    };
    let mut path: String = text.chars().map(show).collect();
    if wire.eq_ignore_ascii_case(b"INBOX") {
        "INBOX".clone_into(&mut path);
    }
    MailboxName { wire, path }
}

/// A label as people read it: modified UTF-7, or UTF-8 as it stands.
pub(super) fn read_label(wire: &[u8], utf8: bool) -> String {
    let text = String::from_utf8_lossy(wire).into_owned();
    let decoded = if utf8 || !text.is_ascii() {
        None
    } else {
        decode(&text)
    };
    decoded.unwrap_or(text)
}

impl super::Session {
    /// The name for a path that a person wrote, with `/` between levels, as this connection spells it.
    #[must_use]
    pub fn spell(&self, path: &str, delimiter: Option<char>) -> MailboxName {
        from_path(path, delimiter, self.utf8)
    }
}

/// The name for a path that a person wrote, with `/` between levels.
#[must_use]
pub fn from_path(path: &str, delimiter: Option<char>, utf8: bool) -> MailboxName {
    let text: String = path
        .chars()
        .map(|c| match (c, delimiter) {
            ('/', Some(delimiter)) => delimiter,
            ('\u{2215}', _) => '/',
            (c, _) => c,
        })
        .collect();
    let wire = if utf8 { text } else { encode(&text) };
    MailboxName {
        wire: wire.into_bytes(),
        path: path.to_owned(),
    }
}

fn encode(text: &str) -> String {
    let mut wire = String::new();
    let mut shifted: Vec<u8> = Vec::new();
    let end_shift = |shifted: &mut Vec<u8>, wire: &mut String| {
        if !shifted.is_empty() {
            wire.push('&');
            wire.push_str(&BASE64.encode(std::mem::take(shifted)));
            wire.push('-');
        }
    };
    for c in text.chars() {
        if matches!(c, ' '..='~') {
            end_shift(&mut shifted, &mut wire);
            wire.push(c);
            if c == '&' {
                wire.push('-');
            }
        } else {
            shifted.extend(
                c.encode_utf16(&mut [0; 2])
                    .iter()
                    .flat_map(|unit| unit.to_be_bytes()),
            );
        }
    }
    end_shift(&mut shifted, &mut wire);
    wire
}

/// `None` for what is not modified UTF-7.
fn decode(wire: &str) -> Option<String> {
    let mut text = String::new();
    let mut pieces = wire.split('&');
    text.push_str(pieces.next()?);
    for piece in pieces {
        let (shifted, plain) = piece.split_once('-')?;
        if shifted.is_empty() {
            text.push('&');
        } else {
            let bytes = BASE64.decode(shifted).ok()?;
            let (units, odd) = bytes.as_chunks::<2>();
            let units: Vec<u16> = units.iter().map(|pair| u16::from_be_bytes(*pair)).collect();
            text.push_str(&String::from_utf16(&units).ok().filter(|_| odd.is_empty())?);
        }
        text.push_str(plain);
    }
    Some(text)
}

/// The name as a command's argument; `None` where no command can carry it.
pub(super) fn quote(wire: &[u8]) -> Option<String> {
    let text = std::str::from_utf8(wire).ok()?;
    if text.is_empty() || text.len() > 1000 || text.contains(['\r', '\n', '\0']) {
        return None;
    }
    Some(quote_text(text))
}

/// A quoted string (RFC 9051 section 4.3); the text holds no line ends and no NUL.
pub(super) fn quote_text(text: &str) -> String {
    format!("\"{}\"", text.replace('\\', "\\\\").replace('"', "\\\""))
}

#[cfg(test)]
mod tests {
    use super::*;
    use proptest::prelude::*;

    #[test]
    fn reads_names() {
        let check = |wire: &str, delimiter: char, expect: &str| {
            let name = from_wire(wire.as_bytes().to_vec(), Some(delimiter), false);
            assert_eq!(name.path, expect, "{wire:?}");
            assert_eq!(name.wire, wire.as_bytes());
        };
        check("Entw&APw-rfe", '/', "Entwürfe");
        check("~peter/mail/&U,BTFw-/&ZeVnLIqe-", '/', "~peter/mail/台北/日本語");
        check("A&-B", '/', "A&B");
        check("INBOX.a/b", '.', "INBOX/a∕b");
        check("inbox", '.', "INBOX");
        check("bad&!!-name", '/', "bad&!!-name");
        check("half&2D0-", '/', "half&2D0-");
        check("open&AP", '/', "open&AP");
        check("a\u{7}b", '/', "a\u{fffd}b");
        check("schon ü", '/', "schon ü");
        check("../../etc/passwd", '/', "../../etc/passwd");
    }

    proptest! {
        #![proptest_config(ProptestConfig { failure_persistence: None, ..ProptestConfig::default() })]

        #[test]
        fn any_path_survives_the_wire(path in "[^\\p{Cc}∕/]{1,20}(/[^\\p{Cc}∕/.]{1,20})?", utf8 in any::<bool>()) {
            let name = from_path(&path, Some('/'), utf8);
            let back = from_wire(name.wire.clone(), Some('/'), utf8);
            prop_assume!(!path.eq_ignore_ascii_case("inbox"));
            prop_assert_eq!(&back.path, &path);
            prop_assert!(utf8 || name.wire.is_ascii());
        }
    }

    #[test]
    fn quotes_what_commands_can_carry() {
        assert_eq!(quote(b"a\"b\\c").as_deref(), Some(r#""a\"b\\c""#));
        for bad in [&b""[..], b"a\r\nb", b"\xff", &[b'x'; 2000]] {
            assert_eq!(quote(bad), None);
        }
    }
}
