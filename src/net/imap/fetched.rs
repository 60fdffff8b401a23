//! What one FETCH reply told (RFC 9051 section 7.5.2), whoever parsed it: async-imap the plain ones, we those
//! with literals, body structures or mistakes.

use imap_proto::AttributeValue;
use posthorn_model::{Flags, ModSeq, Timestamp, Uid};

use super::date;
use super::guard::{Captured, Literal};
use super::scan::{Scanner, Token};
use super::structure;
use crate::Payload;

/// Flags and keywords kept of one message; a server that claims more is not believed.
const MOST_FLAGS: usize = 200;

#[derive(Debug, Default)]
pub(super) struct Fetched {
    pub(super) uid: Option<Uid>,
    pub(super) flags: Option<Flags>,
    pub(super) modseq: Option<ModSeq>,
    pub(super) internal_date: Option<Timestamp>,
    pub(super) size: Option<u64>,
    /// `BODY[HEADER]` or `BODY[HEADER.FIELDS (…)]`.
    pub(super) header: Option<Vec<u8>>,
    /// `BODY[]`; `None` for NIL.
    pub(super) body: Option<Payload>,
    /// From BODYSTRUCTURE: whether something is attached. `None` where it says nothing clear.
    pub(super) attachments: Option<bool>,
}

impl Fetched {
    pub(super) fn from_parsed(items: &[AttributeValue<'_>]) -> Self {
        let mut fetched = Self::default();
        for item in items {
            match item {
                AttributeValue::Uid(uid) => fetched.uid = Uid::new(*uid),
                AttributeValue::Flags(names) => {
                    fetched.flags = Some(flags(names.iter().map(|name| name.as_bytes())));
                }
                AttributeValue::ModSeq(modseq) => fetched.modseq = Some(ModSeq(*modseq)),
                AttributeValue::Rfc822Size(size) => fetched.size = Some(u64::from(*size)),
                _ => {}
            }
        }
        fetched
    }

    /// Reads as far as it makes sense; what was read until then counts.
    pub(super) fn parse(captured: &mut Captured) -> Self {
        let mut fetched = Self::default();
        let mut scanner = Scanner::new(captured);
        // `*`, the sequence number, `FETCH`, `(`.
        for _ in 0..4 {
            scanner.token();
        }
        while let Some(Token::Atom(name)) = scanner.token() {
            let Some(value) = scanner.token() else { break };
            if fetched
                .accept(&name.to_ascii_uppercase(), value, &mut scanner)
                .is_none()
            {
                break;
            }
        }
        fetched
    }

    fn accept(&mut self, name: &[u8], value: Token<'_>, scanner: &mut Scanner<'_>) -> Option<()> {
        match name {
            b"UID" => {
                self.uid = value
                    .number()
                    .and_then(|uid| u32::try_from(uid).ok())
                    .and_then(Uid::new);
            }
            b"RFC822.SIZE" => self.size = value.number(),
            b"INTERNALDATE" => {
                if let Token::Quoted(text) = value {
                    self.internal_date = std::str::from_utf8(&text).ok().and_then(date::parse);
                }
            }
            b"FLAGS" if matches!(value, Token::Open) => {
                let mut names = Vec::new();
                scanner.walk(&mut |_, token| {
                    if names.len() < MOST_FLAGS {
                        names.extend(token.into_bytes());
                    }
                })?;
                self.flags = Some(flags(names.iter().map(Vec::as_slice)));
            }
            b"MODSEQ" if matches!(value, Token::Open) => {
                let mut read = None;
                scanner.walk(&mut |_, token| read = read.or(token.number()))?;
                self.modseq = read.map(ModSeq);
            }
            b"BODYSTRUCTURE" | b"BODY" if matches!(value, Token::Open) => {
                self.attachments = structure::has_attachments(scanner)?;
            }
            _ if name.starts_with(b"BODY[HEADER") || name == b"RFC822.HEADER" => {
                self.header = string(value).map(|literal| literal.payload.into_bytes().unwrap_or_default());
            }
            _ if name.starts_with(b"BODY[]") || name == b"RFC822" => {
                // A body of which a part was dropped is not a body.
                self.body = string(value)
                    .filter(|literal| !literal.cut)
                    .map(|literal| literal.payload);
            }
            _ => scanner.skip(&value)?,
        }
        Some(())
    }
}

fn string(value: Token<'_>) -> Option<Literal> {
    match value {
        Token::Literal(literal) => Some(literal),
        Token::Quoted(bytes) => Some(Literal {
            payload: Payload::Memory(bytes),
            cut: false,
        }),
        _ => None,
    }
}

pub(super) fn flags<'a>(names: impl Iterator<Item = &'a [u8]>) -> Flags {
    let mut flags = Flags::default();
    for name in names.take(MOST_FLAGS) {
        if let Ok(name) = std::str::from_utf8(name) {
            // RFC 9051 section 2.3.2: \Recent is the session's, and other backslash names are not defined.
            flags.insert_named(name);
        }
    }
    flags
}

#[cfg(test)]
mod tests {
    use super::*;
    use proptest::prelude::*;

    fn literal(text: &str) -> Literal {
        Literal {
            payload: Payload::Memory(text.as_bytes().to_vec()),
            cut: false,
        }
    }

    /// `~text~` in a line stands for a literal.
    fn captured(line: &str) -> Captured {
        let mut captured = Captured::default();
        for (index, piece) in line.split('~').enumerate() {
            if index % 2 == 0 {
                captured.text.extend_from_slice(piece.as_bytes());
            } else {
                captured
                    .text
                    .extend_from_slice(format!("{{{}}}\r\n", piece.len()).as_bytes());
                captured.literals.push((captured.text.len(), literal(piece)));
            }
        }
        captured.text.extend_from_slice(b"\r\n");
        captured
    }

    fn show(fetched: Fetched) -> String {
        let mut shown = Vec::new();
        shown.extend(fetched.uid.map(|uid| format!("uid {uid}")));
        shown.extend(
            fetched
                .flags
                .map(|flags| format!("flags {}", flags.names().join(","))),
        );
        shown.extend(fetched.modseq.map(|modseq| format!("modseq {}", modseq.0)));
        shown.extend(fetched.internal_date.map(|date| date.to_string()));
        shown.extend(fetched.size.map(|size| format!("size {size}")));
        let text = |bytes: Vec<u8>| String::from_utf8_lossy(&bytes).into_owned();
        shown.extend(fetched.header.map(|header| format!("header {:?}", text(header))));
        let body = fetched.body.map(|body| text(body.into_bytes().expect("memory")));
        shown.extend(body.map(|body| format!("body {body:?}")));
        shown.extend(fetched.attachments.map(|some| format!("attachments {some}")));
        shown.join("; ")
    }

    #[test]
    fn reads_fetches_of_any_quality() {
        let check = |line: &str, expect: &str| {
            assert_eq!(show(Fetched::parse(&mut captured(line))), expect, "{line:?}")
        };
        check("* 1 FETCH (UID 7 BODY[] ~a\r\nb~)", "uid 7; body \"a\\r\\nb\"");
        check(
            "* 1 FETCH (BODY[] ~x~ UID 7 FLAGS (\\Seen))",
            "uid 7; flags seen; body \"x\"",
        );
        check("* 1 FETCH (UID 7 BODY[] NIL)", "uid 7");
        check("* 1 FETCH (UID 7 BODY[] \"quoted\")", "uid 7; body \"quoted\"");
        check(
            "* 1 FETCH (UID 7 BODY[HEADER.FIELDS (FROM TO)] ~F: x~)",
            "uid 7; header \"F: x\"",
        );
        check(
            "* 1 FETCH (UID 7 BODY[HEADER.FIELDS (FROM TO)] \"\")",
            "uid 7; header \"\"",
        );
        check("* 1 FETCH (UID 0 RFC822.SIZE 4294967296)", "size 4294967296");
        check("* 1 FETCH (UID 4294967296 FLAGS (a ) junk))", "flags a");
        check("* 1 FETCH (UID 7 INTERNALDATE NIL MODSEQ (5))", "uid 7; modseq 5");
        check("* 1 FETCH (X-NEW (a (b \"c)\")) UID 7)", "uid 7");
        check("* 1 FETCH (UID 7 ENVELOPE (\"unended)", "uid 7");
        check("* 1 FETCH ()", "");
        check("* 1 FETCH", "");
        check("* 1 FETCH (UID 7 BODYSTRUCTURE ((((", "uid 7");
    }

    proptest! {
        #![proptest_config(ProptestConfig { failure_persistence: None, ..ProptestConfig::default() })]

        #[test]
        fn survives_anything(line in "[ ()\\[\\]\"{}\\\\a-z0-9~\r\n]{0,200}") {
            Fetched::parse(&mut captured(&line));
        }

        /// Both parsers say the same of what either may get.
        #[test]
        fn agrees_with_imap_proto(uid in 1u32..999_999_999, modseq in 1u64..1_000_000_000_000_000_000, size in 0u32..999_999_999, flags in proptest::collection::vec("(\\\\Seen|\\\\Flagged|\\$?[A-Za-z0-9]{1,8})", 0..5)) {
            let line = format!("* 3 FETCH (FLAGS ({}) UID {uid} MODSEQ ({modseq}) RFC822.SIZE {size})\r\n", flags.join(" "));
            prop_assert!(super::super::framing::is_plain_fetch(line.as_bytes()));
            let Ok((_, imap_proto::Response::Fetch(3, items))) = imap_proto::Response::parse(line.as_bytes()) else {
                panic!("imap-proto refuses {line}");
            };
            let theirs = show(Fetched::from_parsed(&items));
            let ours = show(Fetched::parse(&mut captured(line.trim_end())));
            prop_assert_eq!(theirs, ours);
        }
    }
}
