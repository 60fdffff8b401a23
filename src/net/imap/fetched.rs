//! What one FETCH reply told (RFC 9051 section 7.5.2), whoever parsed it: async-imap the plain ones, we those
//! with literals, body structures or mistakes.

use imap_proto::AttributeValue;
use posthorn_model::{Flags, ModSeq, Timestamp, Uid};

use super::date;
use super::guard::{Captured, Literal};
use super::scan::{Scanner, Token};
use super::structure;
use crate::Payload;

/// Labels kept of one message, and the bytes of one.
const MOST_LABELS: usize = 1000;
const LONGEST_LABEL: usize = 1000;
/// RFC 8474 section 7: an object id has at most 255 characters. RFC 8970 section 3: a preview at most 256.
const LONGEST_ID: usize = 255;
const LONGEST_PREVIEW: usize = 256;

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
    /// MODSEQ was 0 or less: the server's counting of changes is not to be relied upon.
    pub(super) odd_modseq: bool,
    /// Where a piece of a body begins: `BODY[]<o>`.
    pub(super) origin: Option<u64>,
    /// RFC 8474 section 5.
    pub(super) email_id: Option<String>,
    pub(super) thread_id: Option<String>,
    /// `X-GM-LABELS`, as on the wire.
    pub(super) labels: Option<Vec<Vec<u8>>>,
    /// RFC 8970; `None` for NIL.
    pub(super) preview: Option<String>,
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
                AttributeValue::ModSeq(modseq) => {
                    fetched.modseq = Some(ModSeq(*modseq)).filter(|modseq| modseq.0 > 0);
                    fetched.odd_modseq = fetched.modseq.is_none();
                }
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
        let mut extra = 0;
        loop {
            match scanner.token() {
                Some(Token::Atom(name)) => {
                    let Some(value) = scanner.token() else { break };
                    let name = name.to_ascii_uppercase();
                    if fetched.accept(&name, value, &mut scanner).is_none() {
                        break;
                    }
                }
                // Domino puts parentheses around single items: they mean nothing.
                Some(Token::Open) if extra < 10 => extra += 1,
                Some(Token::Close) if extra > 0 => extra -= 1,
                _ => break,
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
                // RFC 7162 section 3.1.1: never 0; Zoho says 0 and -1 where it has none.
                self.modseq = read.filter(|modseq| *modseq > 0).map(ModSeq);
                self.odd_modseq = self.modseq.is_none();
            }
            b"EMAILID" | b"THREADID" if matches!(value, Token::Open) => {
                let mut read = None;
                scanner.walk(&mut |_, token| read = read.take().or(object_id(token)))?;
                let place = if name == b"EMAILID" {
                    &mut self.email_id
                } else {
                    &mut self.thread_id
                };
                *place = read.or(place.take());
            }
            b"X-GM-MSGID" | b"X-GM-THRID" => {
                let gmail = value.number().map(|number| format!("gm:{number}"));
                let place = if name == b"X-GM-MSGID" {
                    &mut self.email_id
                } else {
                    &mut self.thread_id
                };
                // The standard's own ids win.
                *place = place.take().or(gmail);
            }
            b"X-GM-LABELS" if matches!(value, Token::Open) => {
                let mut labels = Vec::new();
                scanner.walk(&mut |_, token| {
                    // Gmail lists NIL among them where it forgot a name.
                    if labels.len() < MOST_LABELS && !token.is_nil() {
                        let label = token.into_bytes().filter(|label| !label.is_empty());
                        labels.extend(label.filter(|label| label.len() <= LONGEST_LABEL));
                    }
                })?;
                self.labels = Some(labels);
            }
            b"PREVIEW" => match value {
                Token::Open => scanner.skip(&value)?,
                value if value.is_nil() => {}
                value => {
                    let text = value.into_bytes().unwrap_or_default();
                    let text = String::from_utf8_lossy(&text);
                    let shown = |c: char| if c.is_control() { ' ' } else { c };
                    self.preview = Some(text.chars().take(LONGEST_PREVIEW).map(shown).collect());
                }
            },
            b"BODYSTRUCTURE" | b"BODY" if matches!(value, Token::Open) => {
                self.attachments = structure::has_attachments(scanner)?;
            }
            _ if name.starts_with(b"BODY[HEADER") || name == b"RFC822.HEADER" => {
                self.header = string(value).map(|literal| literal.payload.into_bytes().unwrap_or_default());
            }
            _ if name.starts_with(b"BODY[]") || name == b"RFC822" => {
                self.origin = name
                    .strip_prefix(b"BODY[]<")
                    .and_then(|rest| rest.strip_suffix(b">"))
                    .and_then(super::scan::number);
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

/// RFC 8474 section 7: letters, digits, `_` and `-`.
pub(super) fn object_id(token: Token<'_>) -> Option<String> {
    let bytes = token.into_bytes()?;
    let fits = |byte: &u8| byte.is_ascii_alphanumeric() || b"_-".contains(byte);
    let good = !bytes.is_empty() && bytes.len() <= LONGEST_ID && bytes.iter().all(fits);
    good.then(|| String::from_utf8(bytes).ok()).flatten()
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
        shown.extend(fetched.origin.map(|origin| format!("from {origin}")));
        shown.extend(fetched.email_id.map(|id| format!("email {id}")));
        shown.extend(fetched.thread_id.map(|id| format!("thread {id}")));
        let labels = fetched
            .labels
            .map(|labels| labels.into_iter().map(text).collect::<Vec<_>>());
        shown.extend(labels.map(|labels| format!("labels {labels:?}")));
        shown.extend(fetched.preview.map(|preview| format!("preview {preview:?}")));
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
        check(
            "* 1 FETCH (UID 7 (INTERNALDATE NIL) (FLAGS (\\Seen)) MODSEQ (5))",
            "uid 7; flags seen; modseq 5",
        );
        check("* 1 FETCH (MODSEQ (-1) FLAGS () UID 7)", "uid 7; flags ");
        check("* 1 FETCH (MODSEQ (0) FLAGS (\\Seen) UID 7)", "uid 7; flags seen");
        check("* 1 FETCH (UID 7 BODY[] )", "uid 7");
        check(
            "* 1 FETCH (UID 7 BODY[]<1024> ~xy~)",
            "uid 7; body \"xy\"; from 1024",
        );
        check(
            "* 1 FETCH (UID 7 EMAILID (M6d99ac3275bb4e) THREADID (T64b478a75b7ea9))",
            "uid 7; email M6d99ac3275bb4e; thread T64b478a75b7ea9",
        );
        check("* 1 FETCH (EMAILID (no/slash) THREADID NIL UID 7)", "uid 7");
        check(
            "* 1 FETCH (X-GM-MSGID 1278455344230334865 X-GM-THRID 99 UID 7)",
            "uid 7; email gm:1278455344230334865; thread gm:99",
        );
        check(
            "* 1 FETCH (X-GM-LABELS (\\Inbox \"\\\\Sent\" Muy&-Importante ~lit~ NIL \"a b\") UID 7)",
            "uid 7; labels [\"\\\\Inbox\", \"\\\\Sent\", \"Muy&-Importante\", \"lit\", \"a b\"]",
        );
        check(
            "* 1 FETCH (UID 7 PREVIEW \"short\ttext\")",
            "uid 7; preview \"short text\"",
        );
        check("* 1 FETCH (UID 7 PREVIEW NIL)", "uid 7");
        check(
            "* 1 FETCH (UID 7 PREVIEW ~lit\u{e9}~)",
            "uid 7; preview \"lit\u{e9}\"",
        );
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
