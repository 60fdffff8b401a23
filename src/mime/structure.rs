//! A message cut into leaves (RFC 2046 section 5.1): one pass over the delimiter lines with a stack of open
//! boundaries, so that neither depth nor missing delimiters cost more than the message is long.

use crate::decode::Encoding;
use crate::defect::{Defect, Defects};
use crate::envelope::message_ids;
use crate::field::{self, Block, FieldName};
use crate::parameter::{self, Value};
use crate::word;

const MAX_DEPTH: usize = 100;
const MAX_PARTS: usize = 5_000;
/// RFC 2046 section 5.1.1 allows 70 characters.
const MAX_BOUNDARY: usize = 250;

/// What the header of a part says about its body.
#[derive(Debug, Default)]
pub(crate) struct PartHead {
    /// Lower case, `type/subtype`.
    pub(crate) content_type: String,
    pub(crate) charset: Option<String>,
    pub(crate) boundary: Option<String>,
    pub(crate) flowed: bool,
    pub(crate) delsp: bool,
    /// As the sender wrote it, decoded.
    pub(crate) name: Option<String>,
    pub(crate) attachment: bool,
    pub(crate) encoding: Encoding,
    pub(crate) content_id: Option<String>,
    /// Where the part says it stands (RFC 2557 section 4.2), as written.
    pub(crate) location: Option<String>,
}

impl PartHead {
    fn is_multipart(&self) -> bool {
        self.content_type.starts_with("multipart/")
    }

    pub(crate) fn is_message(&self) -> bool {
        matches!(self.content_type.as_str(), "message/rfc822" | "message/global")
    }
}

#[derive(Debug)]
pub(crate) struct Leaf<'x> {
    pub(crate) head: PartHead,
    /// Still encoded.
    pub(crate) body: &'x [u8],
    /// Which multipart/alternative it is a rendering of.
    pub(crate) alternative: Option<usize>,
    /// Whether it is a companion, not the root, of a multipart/related.
    pub(crate) related: bool,
}

#[derive(Debug)]
pub(crate) struct Tree<'x> {
    pub(crate) block: Block<'x>,
    pub(crate) charset: Option<String>,
    pub(crate) leaves: Vec<Leaf<'x>>,
}

struct Level {
    boundary: Vec<u8>,
    kind: Kind,
    /// Where its preamble starts.
    body: usize,
    /// Parts begun so far.
    parts: usize,
    serial: usize,
}

#[derive(Clone, Copy, PartialEq, Eq)]
enum Kind {
    Alternative,
    Related,
    Digest,
    Mixed,
}

struct Delimiter {
    /// End of the content before it: the line break belongs to the delimiter.
    content_end: usize,
    /// Start of the line after it.
    next: usize,
    level: usize,
    closes: bool,
}

struct Scanner<'x, 'd> {
    raw: &'x [u8],
    defects: &'d mut Defects,
    levels: Vec<Level>,
    leaves: Vec<Leaf<'x>>,
    serial: usize,
}

pub(crate) fn scan<'x>(raw: &'x [u8], defects: &mut Defects) -> Tree<'x> {
    let block = field::read_block(raw, 0, |_| false, defects);
    let mut head = part_head(&block, "text/plain", None, defects);
    let charset = head.charset.clone();
    // What is not ASCII in the header may be in the charset that it names.
    if charset.is_some() && !raw.get(..block.body).unwrap_or(raw).is_ascii() {
        head = part_head(&block, "text/plain", charset.as_deref(), defects);
    }
    let mut scanner = Scanner {
        raw,
        defects,
        levels: Vec::new(),
        leaves: Vec::new(),
        serial: 0,
    };
    scanner.run(head, block.body, charset.as_deref());
    let leaves = scanner.leaves;
    Tree {
        block,
        charset,
        leaves,
    }
}

impl<'x> Scanner<'x, '_> {
    fn run(&mut self, top: PartHead, body: usize, charset: Option<&str>) {
        let mut next = self.take_entity(top, body);
        while let Some(at) = next {
            if self.leaves.len() >= MAX_PARTS {
                self.defects.add(Defect::TooManyParts);
                return;
            }
            let levels = &self.levels;
            let raw = self.raw;
            let block = field::read_block(raw, at, |line| match_level(levels, line).is_some(), self.defects);
            let digest = self.levels.last().is_some_and(|level| level.kind == Kind::Digest);
            let default = if digest { "message/rfc822" } else { "text/plain" };
            let head = part_head(&block, default, charset, self.defects);
            next = self.take_entity(head, block.body);
        }
    }

    /// Takes one entity whose body starts at `body`; gives where the next one's header starts.
    fn take_entity(&mut self, head: PartHead, body: usize) -> Option<usize> {
        let boundary = head
            .boundary
            .as_deref()
            .unwrap_or_default()
            .as_bytes()
            .trim_ascii_end();
        let opens = head.is_multipart() && !boundary.is_empty() && boundary.len() <= MAX_BOUNDARY;
        let deep = self.levels.len() >= MAX_DEPTH;
        let mut pending = None;
        if opens && !deep {
            self.serial += 1;
            let kind = match head.content_type.as_str() {
                "multipart/alternative" => Kind::Alternative,
                "multipart/related" => Kind::Related,
                "multipart/digest" => Kind::Digest,
                _ => Kind::Mixed,
            };
            let (boundary, serial) = (boundary.to_vec(), self.serial);
            self.levels.push(Level {
                boundary,
                kind,
                body,
                parts: 0,
                serial,
            });
        } else {
            if head.is_multipart() {
                self.defects
                    .add(if deep { Defect::TooDeep } else { Defect::NoBoundary });
            }
            pending = Some(head);
        }
        let mut from = body;
        loop {
            let found = self.next_delimiter(from);
            let end = found
                .as_ref()
                .map_or(self.raw.len(), |delimiter| delimiter.content_end);
            if let Some(head) = pending.take() {
                self.push_leaf(head, body, end);
            }
            let keep = found.as_ref().map_or(0, |delimiter| delimiter.level + 1);
            self.abandon(keep, end);
            let Delimiter {
                next, level, closes, ..
            } = found?;
            if closes {
                // What follows up to the next delimiter outside is the epilogue: not shown.
                let closed = self.levels.pop();
                if closed.is_some_and(|level| level.parts == 0) {
                    self.defects.add(Defect::NoBoundary);
                }
                from = next;
                continue;
            }
            if let Some(level) = self.levels.get_mut(level) {
                level.parts += 1;
            }
            return Some(next);
        }
    }

    /// Drops levels that never saw their closing delimiter. Where not even the first one came, the preamble is all
    /// there is, and is shown.
    fn abandon(&mut self, keep: usize, end: usize) {
        while self.levels.len() > keep {
            let Some(level) = self.levels.pop() else {
                return;
            };
            if level.parts > 0 {
                self.defects.add(Defect::UnclosedMultipart);
                continue;
            }
            self.defects.add(Defect::NoBoundary);
            let head = PartHead {
                content_type: "text/plain".to_owned(),
                ..PartHead::default()
            };
            self.push_leaf(head, level.body, end);
        }
    }

    fn push_leaf(&mut self, mut head: PartHead, start: usize, end: usize) {
        if head.is_multipart() {
            head.content_type = "text/plain".to_owned();
        }
        let body = self.raw.get(start..end.max(start)).unwrap_or_default();
        let alternative = self
            .levels
            .iter()
            .rev()
            .find(|level| level.kind == Kind::Alternative);
        let related = self
            .levels
            .last()
            .is_some_and(|level| level.kind == Kind::Related && level.parts > 1);
        self.leaves.push(Leaf {
            head,
            body,
            alternative: alternative.map(|level| level.serial),
            related,
        });
    }

    fn next_delimiter(&self, from: usize) -> Option<Delimiter> {
        if self.levels.is_empty() {
            return None;
        }
        let check = |start: usize| {
            let line = self.raw.get(start..)?;
            let (level, closes) = match_level(&self.levels, line)?;
            let next = memchr::memchr(b'\n', line).map_or(self.raw.len(), |end| start + end + 1);
            let before = self.raw.get(from..start).unwrap_or_default();
            let before = before.strip_suffix(b"\n").unwrap_or(before);
            let before = before.strip_suffix(b"\r").unwrap_or(before);
            Some(Delimiter {
                content_end: from + before.len(),
                next,
                level,
                closes,
            })
        };
        if let Some(delimiter) = check(from) {
            return Some(delimiter);
        }
        let rest = self.raw.get(from..)?;
        memchr::memmem::find_iter(rest, b"\n--").find_map(|at| check(from + at + 1))
    }
}

/// Which open multipart a line delimits, the innermost first, and whether it closes it.
fn match_level(levels: &[Level], line: &[u8]) -> Option<(usize, bool)> {
    let rest = line.strip_prefix(b"--")?;
    // A delimiter is short; a long line is content.
    let window = rest.get(..MAX_BOUNDARY + 40).unwrap_or(rest);
    let window = memchr::memchr(b'\n', window).map_or(window, |end| window.get(..end).unwrap_or(window));
    levels.iter().enumerate().rev().find_map(|(index, level)| {
        let tail = window.strip_prefix(level.boundary.as_slice())?.trim_ascii();
        if tail.is_empty() {
            Some((index, false))
        } else {
            tail.starts_with(b"--").then_some((index, true))
        }
    })
}

/// Reads what a part's fields say about it (RFC 2045 section 5, RFC 2183).
pub(crate) fn part_head(
    block: &Block<'_>,
    default: &str,
    charset: Option<&str>,
    defects: &mut Defects,
) -> PartHead {
    // The first one counts; programs differ in that.
    for name in [
        FieldName::ContentType,
        FieldName::TransferEncoding,
        FieldName::Disposition,
    ] {
        if block.all(name).nth(1).is_some() {
            defects.add(Defect::DuplicateField(name.text()));
        }
    }
    let mut parse = |name: FieldName| {
        let value = block.first(name)?;
        let value = value.get(..8 * 1024).unwrap_or(value);
        let line = word::to_line(value, charset, defects);
        Some(parameter::read(&line, defects))
    };
    let content_type = parse(FieldName::ContentType);
    let disposition = parse(FieldName::Disposition);
    let of_type = |name: &str| content_type.as_ref().and_then(|value| value.parameter(name));
    let is = |name: &str, expect: &str| of_type(name).is_some_and(|text| text.eq_ignore_ascii_case(expect));
    let name = disposition
        .as_ref()
        .and_then(|value| value.parameter("filename"))
        .or_else(|| of_type("name"));
    let encoding = block.first(FieldName::TransferEncoding).map(|value| {
        let value = value
            .split(|byte| matches!(byte, b';' | b'('))
            .next()
            .unwrap_or_default();
        Encoding::from_label(&String::from_utf8_lossy(value))
    });
    PartHead {
        content_type: content_type
            .as_ref()
            .map_or_else(|| default.to_owned(), |value| media_type(value, default)),
        charset: of_type("charset").map(str::to_owned),
        boundary: of_type("boundary").map(str::to_owned),
        flowed: is("format", "flowed"),
        delsp: is("delsp", "yes"),
        name: name.map(str::to_owned).filter(|name| !name.is_empty()),
        attachment: disposition
            .as_ref()
            .is_some_and(|value| value.text == "attachment"),
        encoding: encoding.unwrap_or_default(),
        content_id: block
            .first(FieldName::ContentId)
            .and_then(|value| message_ids(value).into_iter().next())
            .map(|id| id.0),
        location: block
            .first(FieldName::Location)
            .map(|value| word::decode_line(value.get(..2_048).unwrap_or(value), charset, defects))
            .filter(|location| !location.is_empty()),
    }
}

fn media_type(value: &Value, default: &str) -> String {
    let valid = |text: &str| {
        text.len() <= 127 && !text.is_empty() && text.bytes().all(|byte| byte.is_ascii_graphic())
    };
    match value.text.split_once('/') {
        Some((main, sub)) if valid(main) && valid(sub) && !sub.contains('/') => value.text.clone(),
        // `Content-Type: text` is the default without its second half.
        None if value.text == "text" => "text/plain".to_owned(),
        None if value.text == "multipart" => "multipart/mixed".to_owned(),
        _ => default.to_owned(),
    }
}
