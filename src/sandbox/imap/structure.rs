//! A message's MIME tree as ranges of its bytes: just enough for `BODYSTRUCTURE` and `BODY[…]`, and written apart
//! from the client's parser so that each checks the other.

use std::ops::Range;

use super::command::{Section, SectionText};
use super::envelope;
use super::{push_nstring, push_string};

const MAX_DEPTH: u32 = 30;
const MAX_PARTS: usize = 1000;

/// A header field: `whole` with its line ends, `value` after the colon.
#[derive(Clone, Copy, Debug)]
pub struct Field<'a> {
    pub name: &'a [u8],
    pub value: &'a [u8],
    pub whole: &'a [u8],
}

/// One entity: a message or a part.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Entity {
    /// The header with the blank line that ends it.
    pub header: Range<usize>,
    pub body: Range<usize>,
    /// Lower case.
    pub kind: String,
    pub subtype: String,
    pub params: Vec<(String, Vec<u8>)>,
    /// The parts of a multipart.
    pub children: Vec<Entity>,
    /// What a message/rfc822 holds.
    pub message: Option<Box<Entity>>,
}

pub fn slice<'a>(raw: &'a [u8], range: &Range<usize>) -> &'a [u8] {
    raw.get(range.clone()).unwrap_or_default()
}

/// The length of the line at the start of `bytes`, line end included.
fn line_length(bytes: &[u8]) -> usize {
    memchr::memchr(b'\n', bytes).map_or(bytes.len(), |at| at + 1)
}

fn is_blank(line: &[u8]) -> bool {
    matches!(line, b"\r\n" | b"\n")
}

/// Where the header ends: after the first blank line.
fn header_length(bytes: &[u8]) -> usize {
    let mut at = 0;
    while let Some(rest) = bytes.get(at..).filter(|rest| !rest.is_empty()) {
        let length = line_length(rest);
        at += length;
        if is_blank(rest.get(..length).unwrap_or_default()) {
            break;
        }
    }
    at
}

/// The fields of a header block, folded lines included; lines that are no fields are passed over.
pub fn fields(header: &[u8]) -> Vec<Field<'_>> {
    let mut fields = Vec::new();
    let mut rest = header;
    while !rest.is_empty() {
        let mut length = line_length(rest);
        if is_blank(rest.get(..length).unwrap_or_default()) {
            break;
        }
        while let Some(next) = rest.get(length..)
            && matches!(next.first(), Some(b' ' | b'\t'))
        {
            length += line_length(next);
        }
        let (whole, after) = rest.split_at_checked(length).unwrap_or((rest, &[]));
        rest = after;
        if let Some(colon) = memchr::memchr(b':', whole)
            && let Some((name, value)) = whole.split_at_checked(colon)
        {
            let name = name.trim_ascii_end();
            if !name.is_empty() && name.iter().all(u8::is_ascii_graphic) {
                fields.push(Field {
                    name,
                    value: value.get(1..).unwrap_or_default(),
                    whole,
                });
            }
        }
    }
    fields
}

/// The first field of this name, unfolded and trimmed.
pub fn header_value(header: &[u8], name: &str) -> Option<Vec<u8>> {
    let fields = fields(header);
    let field = fields
        .iter()
        .find(|field| field.name.eq_ignore_ascii_case(name.as_bytes()))?;
    Some(unfold(field.value))
}

pub fn unfold(value: &[u8]) -> Vec<u8> {
    let flat: Vec<u8> = value
        .iter()
        .copied()
        .filter(|byte| !matches!(byte, b'\r' | b'\n' | 0))
        .collect();
    flat.trim_ascii().to_vec()
}

/// `value; name=value; …` (RFC 2045 section 5.1): the first word in lower case, then the parameters.
fn parse_parameters(value: &[u8]) -> (String, Vec<(String, Vec<u8>)>) {
    let mut pieces = split_outside_quotes(value).into_iter();
    let first = String::from_utf8_lossy(pieces.next().unwrap_or_default())
        .trim()
        .to_ascii_lowercase();
    let mut params = Vec::new();
    for piece in pieces {
        let Some(equals) = memchr::memchr(b'=', piece) else {
            continue;
        };
        let Some((name, value)) = piece.split_at_checked(equals) else {
            continue;
        };
        let name = String::from_utf8_lossy(name).trim().to_ascii_lowercase();
        let value = value.get(1..).unwrap_or_default().trim_ascii();
        if !name.is_empty() && name.bytes().all(|byte| byte.is_ascii_graphic()) {
            params.push((name, unquote(value)));
        }
    }
    (first, params)
}

fn split_outside_quotes(value: &[u8]) -> Vec<&[u8]> {
    let (mut quoted, mut escaped) = (false, false);
    value
        .split(|byte| {
            let cut = *byte == b';' && !quoted;
            match byte {
                _ if escaped => escaped = false,
                b'\\' if quoted => escaped = true,
                b'"' => quoted = !quoted,
                _ => (),
            }
            cut
        })
        .collect()
}

fn unquote(value: &[u8]) -> Vec<u8> {
    let Some(inner) = value.strip_prefix(b"\"") else {
        return value
            .split(|byte| *byte == b' ')
            .next()
            .unwrap_or_default()
            .to_vec();
    };
    let mut out = Vec::new();
    let mut bytes = inner.iter();
    while let Some(byte) = bytes.next() {
        match byte {
            b'"' => break,
            b'\\' => out.extend(bytes.next()),
            _ => out.push(*byte),
        }
    }
    out
}

/// Reads a message.
pub fn parse(raw: &[u8]) -> Entity {
    let mut parts = 0;
    parse_entity(raw, 0..raw.len(), "text/plain", 0, &mut parts)
}

fn parse_entity(raw: &[u8], range: Range<usize>, default: &str, depth: u32, parts: &mut usize) -> Entity {
    *parts += 1;
    let header_end = range.start + header_length(slice(raw, &range));
    let header = range.start..header_end;
    let body = header_end..range.end;
    let declared = header_value(slice(raw, &header), "Content-Type");
    let (mut full, params) = parse_parameters(declared.as_deref().unwrap_or_default());
    let valid = |text: &str| text.bytes().all(|byte| byte.is_ascii_graphic() && byte != b'"');
    if full.split_once('/').is_none_or(|(kind, subtype)| {
        kind.is_empty() || subtype.is_empty() || !valid(kind) || !valid(subtype)
    }) {
        default.clone_into(&mut full);
    }
    let (kind, subtype) = full.split_once('/').unwrap_or(("text", "plain"));
    let mut entity = Entity {
        header,
        body: body.clone(),
        kind: kind.to_owned(),
        subtype: subtype.to_owned(),
        params,
        children: Vec::new(),
        message: None,
    };
    if depth >= MAX_DEPTH || *parts >= MAX_PARTS {
        // Too deep: the rest is shown as one opaque part.
        if kind == "multipart" || full == "message/rfc822" {
            (entity.kind, entity.subtype) = ("application".into(), "octet-stream".into());
        }
        return entity;
    }
    if kind == "multipart" {
        let child_default = if subtype == "digest" {
            "message/rfc822"
        } else {
            "text/plain"
        };
        let boundary = entity
            .params
            .iter()
            .find(|(name, _)| name == "boundary")
            .map(|(_, value)| value.clone());
        for part in split_parts(raw, &body, boundary.as_deref().unwrap_or_default()) {
            if *parts >= MAX_PARTS {
                break;
            }
            entity
                .children
                .push(parse_entity(raw, part, child_default, depth + 1, parts));
        }
        if entity.children.is_empty() {
            entity.children.push(parse_entity(
                raw,
                body.end..body.end,
                child_default,
                MAX_DEPTH,
                parts,
            ));
        }
    } else if full == "message/rfc822" {
        entity.message = Some(Box::new(parse_entity(raw, body, "text/plain", depth + 1, parts)));
    }
    entity
}

/// The parts between boundary lines (RFC 2046 section 5.1.1): the line end before a boundary belongs to it.
fn split_parts(raw: &[u8], body: &Range<usize>, boundary: &[u8]) -> Vec<Range<usize>> {
    let mut parts = Vec::new();
    if boundary.is_empty() {
        return parts;
    }
    let mut start: Option<usize> = None;
    let mut at = body.start;
    while at < body.end {
        let rest = slice(raw, &(at..body.end));
        let length = line_length(rest);
        let line = rest.get(..length).unwrap_or_default();
        if let Some(after) = line
            .strip_prefix(b"--")
            .and_then(|line| line.strip_prefix(boundary))
        {
            let tail = after.trim_ascii_end();
            if tail.is_empty() || tail == b"--" {
                if let Some(start) = start {
                    parts.push(start..end_before(raw, start, at));
                }
                start = tail.is_empty().then_some(at + length);
                if start.is_none() {
                    return parts;
                }
            }
        }
        at += length;
    }
    if let Some(start) = start {
        parts.push(start..body.end);
    }
    parts
}

fn end_before(raw: &[u8], start: usize, boundary: usize) -> usize {
    let part = slice(raw, &(start..boundary));
    let part = part.strip_suffix(b"\n").unwrap_or(part);
    let part = part.strip_suffix(b"\r").unwrap_or(part);
    start + part.len()
}

/// The entity that part numbers name (RFC 9051 section 6.4.5.1).
fn resolve<'a>(root: &'a Entity, path: &[u32]) -> Option<&'a Entity> {
    let mut current = root;
    for (level, number) in path.iter().enumerate() {
        let container = if level == 0 {
            root
        } else {
            current.message.as_deref().unwrap_or(current)
        };
        let enters = level == 0 || current.message.is_some();
        current = if container.kind == "multipart" {
            let index = usize::try_from(*number).ok()?.checked_sub(1)?;
            container.children.get(index)?
        } else if *number == 1 && enters {
            container
        } else {
            return None;
        };
    }
    Some(current)
}

/// The bytes that `BODY[section]` names; `None` where the message has no such part.
pub fn section(raw: &[u8], root: &Entity, section: &Section) -> Option<Vec<u8>> {
    let entity = resolve(root, &section.path)?;
    // HEADER and TEXT of a part are those of the message that it holds.
    let inner = if section.path.is_empty() {
        Some(root)
    } else {
        entity.message.as_deref()
    };
    Some(match &section.text {
        SectionText::Whole if section.path.is_empty() => raw.to_vec(),
        SectionText::Whole => slice(raw, &entity.body).to_vec(),
        SectionText::Mime => slice(raw, &entity.header).to_vec(),
        SectionText::Header => slice(raw, &inner?.header).to_vec(),
        SectionText::Text => slice(raw, &inner?.body).to_vec(),
        SectionText::HeaderFields { names, inverted } => {
            let mut out = Vec::new();
            for field in fields(slice(raw, &inner?.header)) {
                let named = names
                    .iter()
                    .any(|name| field.name.eq_ignore_ascii_case(name.as_bytes()));
                if named != *inverted {
                    out.extend_from_slice(field.whole);
                }
            }
            out.extend_from_slice(b"\r\n");
            out
        }
    })
}

/// `BODY` or, with the extension data, `BODYSTRUCTURE` (RFC 9051 section 7.5.2).
pub fn push_body_structure(out: &mut Vec<u8>, raw: &[u8], entity: &Entity, extended: bool) {
    out.push(b'(');
    if entity.kind == "multipart" {
        for child in &entity.children {
            push_body_structure(out, raw, child, extended);
        }
        out.push(b' ');
        push_string(out, entity.subtype.as_bytes());
        if extended {
            out.push(b' ');
            push_params(out, &entity.params);
            push_disposition(out, raw, entity);
        }
    } else {
        push_leaf(out, raw, entity, extended);
    }
    out.push(b')');
}

fn push_leaf(out: &mut Vec<u8>, raw: &[u8], entity: &Entity, extended: bool) {
    let header = slice(raw, &entity.header);
    let body = slice(raw, &entity.body);
    push_string(out, entity.kind.as_bytes());
    out.push(b' ');
    push_string(out, entity.subtype.as_bytes());
    out.push(b' ');
    if entity.params.is_empty() && entity.kind == "text" {
        out.extend_from_slice(b"(\"charset\" \"us-ascii\")");
    } else {
        push_params(out, &entity.params);
    }
    for name in ["Content-ID", "Content-Description"] {
        out.push(b' ');
        push_nstring(out, header_value(header, name).as_deref());
    }
    out.push(b' ');
    let encoding = header_value(header, "Content-Transfer-Encoding").filter(|value| !value.is_empty());
    push_string(out, encoding.as_deref().unwrap_or(b"7bit"));
    out.extend_from_slice(format!(" {}", body.len()).as_bytes());
    let lines = memchr::memchr_iter(b'\n', body).count();
    if let Some(message) = &entity.message {
        out.push(b' ');
        envelope::push_envelope(out, slice(raw, &message.header));
        out.push(b' ');
        push_body_structure(out, raw, message, extended);
        out.extend_from_slice(format!(" {lines}").as_bytes());
    } else if entity.kind == "text" {
        out.extend_from_slice(format!(" {lines}").as_bytes());
    }
    if extended {
        out.push(b' ');
        push_nstring(out, header_value(header, "Content-MD5").as_deref());
        push_disposition(out, raw, entity);
    }
}

/// Disposition, language and location.
fn push_disposition(out: &mut Vec<u8>, raw: &[u8], entity: &Entity) {
    let header = slice(raw, &entity.header);
    out.push(b' ');
    match header_value(header, "Content-Disposition").map(|value| parse_parameters(&value)) {
        Some((kind, params)) if !kind.is_empty() => {
            out.push(b'(');
            push_string(out, kind.as_bytes());
            out.push(b' ');
            push_params(out, &params);
            out.push(b')');
        }
        _ => out.extend_from_slice(b"NIL"),
    }
    for name in ["Content-Language", "Content-Location"] {
        out.push(b' ');
        push_nstring(out, header_value(header, name).as_deref());
    }
}

fn push_params(out: &mut Vec<u8>, params: &[(String, Vec<u8>)]) {
    if params.is_empty() {
        out.extend_from_slice(b"NIL");
        return;
    }
    for (index, (name, value)) in params.iter().enumerate() {
        out.push(if index == 0 { b'(' } else { b' ' });
        push_string(out, name.as_bytes());
        out.push(b' ');
        push_string(out, value);
    }
    out.push(b')');
}
