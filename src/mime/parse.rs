//! Reading a message. Nothing here fails: a value and its defects.

use std::borrow::Cow;
use std::collections::HashSet;

use posthorn_model::{Envelope, Part, Timestamp};

use crate::charset;
use crate::decode::{self, Encoding};
use crate::defect::{Defect, Defects};
use crate::envelope;
use crate::field::{self, FieldName};
use crate::headers::{auth_results::AuthResults, list::ListHeaders};
use crate::inner;
use crate::name;
use crate::structure::{self, Leaf, Tree};
use crate::text;
use crate::uuencode;
use crate::word;

/// Text shown or indexed, in bytes. What lies beyond is in the raw message.
const MAX_TEXT: usize = 8 * 1024 * 1024;
const MAX_INDEX: usize = 1024 * 1024;
/// How deep forwarded messages are indexed.
const MAX_NESTED: u32 = 2;

/// A message as far as it could be understood.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct Parsed {
    pub envelope: Envelope,
    /// When the last server took it: from the topmost `Received`.
    pub received: Option<Timestamp>,
    /// Every leaf, in order; a forwarded message is one leaf.
    pub parts: Vec<Part>,
    /// The best plain text, lines ended by `\n`: text/plain, else made from HTML. `None`: there is no text.
    pub text: Option<String>,
    /// As sent, not sanitised: never to be shown as it is.
    pub html: Option<String>,
    /// At most 200 characters on one line, without quotes and signature.
    pub preview: String,
    /// Body text, names of attachments and text of forwarded messages, for searching. `None`: not read.
    pub index_text: Option<String>,
    pub list: ListHeaders,
    /// What the receiving server says about SPF, DKIM and DMARC. Anybody can write this field: believe it only
    /// where it names the user's own server.
    pub auth_results: Option<AuthResults>,
    pub defects: Vec<Defect>,
}

impl Parsed {
    /// The parts that are listed as attachments.
    pub fn attachments(&self) -> impl Iterator<Item = &Part> {
        self.parts.iter().filter(|part| !part.inline)
    }
}

/// A header block as far as it could be understood.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct ParsedHeader {
    pub envelope: Envelope,
    pub received: Option<Timestamp>,
    /// What the top-level type suggests (multipart/mixed and the like); only the whole message knows.
    pub has_attachment_hint: bool,
    pub list: ListHeaders,
    pub defects: Vec<Defect>,
}

/// Reads a whole message.
#[must_use]
pub fn parse(raw: &[u8]) -> Parsed {
    guarded(raw, |raw| parse_nested(raw, 0))
}

/// Reads what a row in a list shows of a whole message: `envelope`, `received`, `parts`, `preview` and `defects`, and
/// nothing else.
#[must_use]
pub fn survey(raw: &[u8]) -> Parsed {
    let survey = |raw: &[u8]| {
        let mut defects = Defects::default();
        let (_, _, parsed) = read(raw, &mut defects);
        Parsed {
            defects: defects.into_vec(),
            ..parsed
        }
    };
    let mut parsed = guarded(raw, survey);
    parsed.text = None;
    parsed
}

fn guarded(raw: &[u8], read: impl FnOnce(&[u8]) -> Parsed) -> Parsed {
    let mut defects = Defects::default();
    let parsed = defects.guard("message", || Some(read(raw)));
    parsed.unwrap_or_else(|| Parsed {
        text: Some(String::from_utf8_lossy(raw.get(..MAX_TEXT).unwrap_or(raw)).into_owned()),
        defects: defects.into_vec(),
        ..Parsed::default()
    })
}

/// Reads a header block, as IMAP's `BODY[HEADER]` or POP3's `TOP` gives it. What follows the blank line is ignored.
#[must_use]
pub fn parse_header(header: &[u8]) -> ParsedHeader {
    let mut defects = Defects::default();
    let mut found = Defects::default();
    let parsed = defects.guard("header", || Some(read_header(header, &mut found)));
    let mut parsed = parsed.unwrap_or_default();
    parsed.defects = found.into_vec();
    parsed.defects.extend(defects.into_vec());
    parsed
}

fn read_header(header: &[u8], defects: &mut Defects) -> ParsedHeader {
    let block = field::read_block(header, 0, |_| false, defects);
    note_oddities(header.get(..block.body).unwrap_or(header), block.any, defects);
    let head = structure::part_head(&block, "text/plain", None, defects);
    let charset = head.charset.as_deref();
    let media = head.content_type.as_str();
    let text = matches!(media, "text/plain" | "text/html") && !head.attachment;
    let has_attachment_hint = !text
        && !matches!(
            media,
            "multipart/alternative" | "multipart/related" | "multipart/signed"
        );
    ParsedHeader {
        envelope: envelope::read(&block, charset, defects),
        received: envelope::received(&block, defects),
        has_attachment_hint,
        list: ListHeaders::read(&block),
        defects: Vec::new(),
    }
}

fn note_oddities(raw: &[u8], any_field: bool, defects: &mut Defects) {
    if raw.is_empty() && !any_field {
        defects.add(Defect::Empty);
    } else if !any_field {
        defects.add(Defect::NoHeader);
    }
    if memchr::memchr(0, raw).is_some() {
        defects.add(Defect::NulBytes);
    }
}

/// The decoded bytes of a part, by [`Part::index`]. Text comes in its own charset.
#[must_use]
pub fn part_bytes(raw: &[u8], index: u32) -> Option<Vec<u8>> {
    let mut defects = Defects::default();
    let tree = structure::scan(raw, &mut defects);
    if inner::split_index(index).is_some() {
        return inner::bytes_of(&tree, index);
    }
    let leaf = tree.leaves.get(usize::try_from(index).ok()?)?;
    Some(decode::decode(leaf.head.encoding, leaf.body, &mut defects).into_owned())
}

fn parse_nested(raw: &[u8], depth: u32) -> Parsed {
    let mut defects = Defects::default();
    let (tree, bodies, parsed) = read(raw, &mut defects);
    let text = bodies.text().map(Cow::into_owned);
    let html = bodies.html().map(Cow::into_owned);
    let shown = html.as_deref().map(text::strip_html);
    let body = searched(shown.as_deref(), text.as_deref());
    let auth_results = tree.block.first(FieldName::AuthResults).map(|value| {
        let line = word::to_line(value, None, &mut defects);
        AuthResults::read(&line)
    });
    Parsed {
        index_text: Some(index_text(&tree, &body, &parsed.parts, depth, &mut defects)),
        text,
        html,
        list: ListHeaders::read(&tree.block),
        auth_results,
        defects: defects.into_vec(),
        ..parsed
    }
}

/// What [`survey`] gives, but for the defects.
fn read<'a>(raw: &'a [u8], defects: &mut Defects) -> (Tree<'a>, Bodies, Parsed) {
    let tree = structure::scan(raw, defects);
    note_oddities(raw, tree.block.any, defects);
    let envelope = envelope::read(&tree.block, tree.charset.as_deref(), defects);
    let received = envelope::received(&tree.block, defects);
    let bodies = Bodies::read(&tree, defects);
    let html = bodies.html();
    let parts = list_parts(&tree, &bodies, html.as_deref(), defects);
    let parsed = Parsed {
        envelope,
        received,
        preview: preview(html.as_deref(), || bodies.text()),
        parts,
        ..Parsed::default()
    };
    drop(html);
    (tree, bodies, parsed)
}

/// One leaf that is read as text, decoded.
struct Body {
    leaf: usize,
    alternative: Option<usize>,
    html: bool,
    text: String,
    /// Octets, once its transfer encoding is undone.
    size: u64,
}

struct Bodies(Vec<Body>);

impl Bodies {
    fn read(tree: &Tree<'_>, defects: &mut Defects) -> Self {
        let mut out = Vec::new();
        let mut room = MAX_TEXT;
        for (index, leaf) in tree.leaves.iter().enumerate() {
            if !is_body(index, leaf) {
                continue;
            }
            if room == 0 {
                defects.add(Defect::TextTruncated);
                break;
            }
            let bytes = decode::decode(leaf.head.encoding, leaf.body, defects);
            let size = u64::try_from(bytes.len()).unwrap_or(u64::MAX);
            let text = read_body(leaf, bytes, tree.charset.as_deref(), &mut room, defects);
            let html = leaf.head.content_type == "text/html";
            out.push(Body {
                leaf: index,
                alternative: leaf.alternative,
                html,
                text,
                size,
            });
        }
        Self(out)
    }

    /// Each alternative once, plain before HTML, in order; HTML where the plain one is blank.
    fn text(&self) -> Option<Cow<'_, str>> {
        let show = |body: &Body| text::strip_html(&body.text);
        self.join(|body| !body.html, show, "")
    }

    /// The same with HTML before plain; `None` where there is no HTML at all.
    fn html(&self) -> Option<Cow<'_, str>> {
        let any = self.0.iter().any(|body| body.html);
        any.then(|| self.join(|body| body.html, as_html, APART)).flatten()
    }

    /// Those preferred as they are, the others converted; `apart` stands between one that is HTML and the next.
    fn join(
        &self,
        prefer: impl Fn(&Body) -> bool,
        convert: impl Fn(&Body) -> String,
        apart: &str,
    ) -> Option<Cow<'_, str>> {
        let mut chosen = self.0.iter().filter(|body| self.is_chosen(body, &prefer));
        let show = |body: &'_ Body| if prefer(body) { None } else { Some(convert(body)) };
        let first = chosen.next()?;
        let mut out = show(first).map_or(Cow::Borrowed(first.text.as_str()), Cow::Owned);
        let mut after_html = first.html;
        for body in chosen {
            let out = out.to_mut();
            if after_html {
                out.push_str(apart);
            }
            if !out.ends_with('\n') {
                out.push('\n');
            }
            out.push_str(show(body).as_deref().unwrap_or(&body.text));
            after_html = body.html;
        }
        Some(out)
    }

    /// Of alternatives, the preferred kind is, and the other only where that is blank.
    fn is_chosen(&self, body: &Body, prefer: impl Fn(&Body) -> bool) -> bool {
        if body.alternative.is_none() {
            return true;
        }
        let preferred = prefer(body);
        let mut others = self
            .0
            .iter()
            .filter(|other| other.alternative == body.alternative && prefer(other) != preferred);
        if preferred {
            !body.text.trim().is_empty() || others.next().is_none()
        } else {
            others.all(|other| other.text.trim().is_empty())
        }
    }
}

/// Stands between an HTML part and the next. An open quote in one once carried the text of the next to a server
/// ("Efail", direct exfiltration): this ends whatever a part has left open (HTML, section 13.2.5), a value in either
/// quotes, a tag, a comment, a CDATA section, an element whose content is text, and is nothing to be seen where
/// nothing is open.
const APART: &str = "</textarea></title></style></script></script></xmp></iframe></noembed></noframes></noscript>\
                     <x-end \"'--><x-end ]]></script></script></svg></math></x-end></x-end>";

/// A line of what the reader will show: two alternatives may say two things. Every message that comes is asked for it,
/// so little of it is read; more where that says nothing.
fn preview<'a>(html: Option<&str>, text: impl FnOnce() -> Option<Cow<'a, str>>) -> String {
    const LITTLE: usize = 8 * 1024;
    const MORE: usize = 64 * 1024;
    let head = |from: usize, most: usize| {
        let html = html?.get(from..)?;
        let head = html.get(..html.floor_char_boundary(most)).unwrap_or(html);
        Some(text::preview_html(head)).filter(|line| !line.is_empty())
    };
    // What stands before it are styles.
    let find = |tag: &str| memchr::memmem::find(html?.as_bytes(), tag.as_bytes());
    let body = find("<body").or_else(|| find("<BODY"));
    head(body.unwrap_or_default(), LITTLE)
        .or_else(|| head(0, MORE))
        .unwrap_or_else(|| text().map(|text| text::preview(&text)).unwrap_or_default())
}

fn as_html(body: &Body) -> String {
    let escaped = body
        .text
        .replace('&', "&amp;")
        .replace('<', "&lt;")
        .replace('>', "&gt;");
    format!("<pre style=\"white-space: pre-wrap\">{escaped}</pre>")
}

/// Whether a leaf is shown as text. The first one is even where it has a name; later ones with names are files.
fn is_body(index: usize, leaf: &Leaf<'_>) -> bool {
    let head = &leaf.head;
    matches!(head.content_type.as_str(), "text/plain" | "text/html")
        && !head.attachment
        && !leaf.related
        && (index == 0 || head.name.is_none())
}

fn read_body(
    leaf: &Leaf<'_>,
    bytes: Cow<'_, [u8]>,
    fallback: Option<&str>,
    room: &mut usize,
    defects: &mut Defects,
) -> String {
    let head = &leaf.head;
    // Files in the text are attachments.
    let bytes = match uuencode::without_files(&bytes) {
        Some(rest) if head.content_type == "text/plain" => rest.into(),
        _ => bytes,
    };
    let bytes = match bytes.get(..*room) {
        Some(cut) if cut.len() < bytes.len() => {
            defects.add(Defect::TextTruncated);
            cut
        }
        _ => &bytes,
    };
    *room = room.saturating_sub(bytes.len());
    // A part without a charset in a message that declares one elsewhere is most likely in that.
    let label = head.charset.as_deref().or(fallback).map(str::to_owned);
    let label = label.or_else(|| {
        if head.content_type == "text/html" {
            meta_charset(bytes)
        } else {
            None
        }
    });
    let decoded = charset::decode_text(label.as_deref(), bytes, defects);
    let clean = clean_text(&decoded);
    if head.flowed && head.content_type == "text/plain" {
        text::decode_flowed(&clean, head.delsp)
    } else {
        clean
    }
}

/// `<meta charset=…>` near the start, for HTML whose part declares nothing.
fn meta_charset(html: &[u8]) -> Option<String> {
    let head = String::from_utf8_lossy(html.get(..2048).unwrap_or(html)).to_ascii_lowercase();
    let (_, after) = head.split_once("charset=")?;
    let label = after.trim_start_matches(['"', '\'', ' ']);
    label
        .split(|c: char| !c.is_ascii_alphanumeric() && !"-_:.".contains(c))
        .next()
        .map(str::to_owned)
}

/// Line ends as `\n`, no controls but tabs.
fn clean_text(text: &str) -> String {
    let mut out = String::with_capacity(text.len());
    let mut from = 0;
    for end in memchr::memchr_iter(b'\n', text.as_bytes()) {
        let line = text.get(from..end).unwrap_or_default();
        push_clean(line.strip_suffix('\r').unwrap_or(line), &mut out);
        out.push('\n');
        from = end + 1;
    }
    push_clean(text.get(from..).unwrap_or_default(), &mut out);
    out
}

fn push_clean(line: &str, out: &mut String) {
    // All of the line, without a branch for each byte: hardly one has any.
    if !line
        .bytes()
        .fold(false, |odd, byte| odd | may_begin_control(byte))
    {
        return out.push_str(line);
    }
    for c in line.chars() {
        match c {
            '\r' => out.push('\n'),
            '\t' => out.push('\t'),
            c if !c.is_control() => out.push(c),
            _ => {}
        }
    }
}

/// Of text in UTF-8: a control to be looked at, or the first byte of one above ASCII.
const fn may_begin_control(byte: u8) -> bool {
    matches!(byte, 0..=8 | 11..=31 | 0x7f | 0xc2)
}

fn list_parts(tree: &Tree<'_>, bodies: &Bodies, html: Option<&str>, defects: &mut Defects) -> Vec<Part> {
    let mut parts = Vec::with_capacity(tree.leaves.len());
    for (index, leaf) in (0_u32..).zip(&tree.leaves) {
        let head = &leaf.head;
        let text = bodies.0.iter().find(|body| u32::try_from(body.leaf) == Ok(index));
        let body = text.is_some();
        // Referred to from the HTML: part of it. Otherwise a picture sent "inline" must not vanish from the list.
        let referred = head.content_id.as_deref().is_some_and(|id| {
            let id = id.get(..200).unwrap_or(id);
            html.is_some_and(|html| html.contains(&format!("cid:{id}")))
        });
        let name = part_name(index, leaf, body);
        let files = list_files(index, leaf, defects);
        parts.push(Part {
            index,
            content_type: head.content_type.clone(),
            name,
            size: text.map_or_else(|| decode::decoded_len(head.encoding, leaf.body), |text| text.size),
            content_id: head.content_id.clone(),
            // What was unpacked is not listed beside what was in it.
            inline: body || referred || !files.is_empty(),
        });
        parts.extend(files);
    }
    parts
}

/// The files inside of a leaf, as parts.
fn list_files(index: u32, leaf: &Leaf<'_>, defects: &mut Defects) -> Vec<Part> {
    inner::files(leaf, defects)
        .into_iter()
        .enumerate()
        .filter_map(|(number, file)| {
            let index = inner::index_of(index, number)?;
            Some(Part {
                index,
                name: Some(
                    name::safe_file_name(&file.name)
                        .unwrap_or_else(|| name::made_up(index, &file.content_type)),
                ),
                content_type: file.content_type,
                size: u64::try_from(file.bytes.len()).unwrap_or(u64::MAX),
                content_id: None,
                inline: false,
            })
        })
        .collect()
}

fn part_name(index: u32, leaf: &Leaf<'_>, body: bool) -> Option<String> {
    let head = &leaf.head;
    if let Some(name) = head.name.as_deref().and_then(name::safe_file_name) {
        return Some(name);
    }
    if body {
        return None;
    }
    if head.is_message() && head.encoding == Encoding::Identity {
        let mut defects = Defects::default();
        let block = field::read_block(leaf.body, 0, |_| false, &mut defects);
        let subject = block
            .first(FieldName::Subject)
            .map(|value| word::decode_line(value, None, &mut defects));
        if let Some(name) = subject.and_then(|subject| name::safe_file_name(&format!("{subject}.eml"))) {
            return Some(name);
        }
    }
    Some(name::made_up(index, &head.content_type))
}

/// What is found is what can be read: the text that is shown, and lines that only the plain alternative has.
fn searched(shown: Option<&str>, plain: Option<&str>) -> String {
    let plain = plain.unwrap_or_default();
    let Some(shown) = shown.filter(|shown| !shown.trim().is_empty()) else {
        return plain.to_owned();
    };
    let shown = shown.get(..shown.floor_char_boundary(MAX_INDEX)).unwrap_or(shown);
    let words = |line| {
        let words = str::split(line, |c: char| !c.is_alphanumeric());
        words.filter(|word| !word.is_empty())
    };
    let known: HashSet<&str> = words(shown).collect();
    let mut out = shown.to_owned();
    for line in plain
        .lines()
        .filter(|line| words(line).any(|word| !known.contains(word)))
    {
        out.push('\n');
        out.push_str(line);
    }
    out
}

fn index_text(tree: &Tree<'_>, text: &str, parts: &[Part], depth: u32, defects: &mut Defects) -> String {
    let mut out = text
        .get(..text.floor_char_boundary(MAX_INDEX))
        .unwrap_or(text)
        .to_owned();
    for name in parts
        .iter()
        .filter(|part| !part.inline)
        .filter_map(|part| part.name.as_deref())
    {
        out.push('\n');
        out.push_str(name);
    }
    for leaf in &tree.leaves {
        if out.len() >= MAX_INDEX {
            break;
        }
        if leaf.head.is_message() && depth < MAX_NESTED {
            let bytes = decode::decode(leaf.head.encoding, leaf.body, defects);
            let nested = parse_nested(&bytes, depth + 1);
            for text in [Some(nested.envelope.subject), nested.index_text]
                .iter()
                .flatten()
            {
                out.push('\n');
                out.push_str(text);
            }
        }
    }
    out.truncate(out.floor_char_boundary(MAX_INDEX));
    out
}
