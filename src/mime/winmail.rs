//! `winmail.dat`: what Outlook sends to those whom it takes for its like (TNEF, [MS-OXTNEF]).

mod rtf;

use crate::charset;
use crate::inner::{Inner, MAX_INNER};
use crate::media_type::content_type_for;

/// What a stream begins with (section 2.1.3.1), before a key that means nothing.
const SIGNATURE: &[u8] = &[0x78, 0x9f, 0x3e, 0x22];

// Attributes (section 2.1.3.2): only those that make a file.
const OEM_CODEPAGE: u32 = 0x0006_9007;
const ATTACH_REND_DATA: u32 = 0x0006_9002;
const ATTACH_DATA: u32 = 0x0006_800f;
const ATTACH_TITLE: u32 = 0x0001_8010;
const ATTACHMENT: u32 = 0x0006_9005;
const MESSAGE_PROPERTIES: u32 = 0x0006_9003;

/// The files inside, as far as they can be read.
pub(crate) fn files(bytes: &[u8]) -> Vec<Inner> {
    let mut out: Vec<Inner> = Vec::new();
    let mut label = "windows-1252".to_owned();
    let mut open: Option<Inner> = None;
    for (id, data) in Attributes::new(bytes) {
        if out.len() >= MAX_INNER {
            break;
        }
        match id {
            OEM_CODEPAGE => {
                if let Some([low, high, ..]) = data.get(..4) {
                    label = format!("windows-{}", u16::from_le_bytes([*low, *high]));
                }
            }
            ATTACH_REND_DATA => {
                close(open.take(), &mut out);
                open = Some(Inner::default());
            }
            ATTACH_DATA => open.get_or_insert_default().bytes = data.to_vec(),
            ATTACH_TITLE => {
                let file = open.get_or_insert_default();
                if file.name.is_empty() {
                    file.name = narrow(data, &label);
                }
            }
            MESSAGE_PROPERTIES => out.extend(body(data, &label)),
            ATTACHMENT => note_properties(data, &label, open.get_or_insert_default()),
            _ => {}
        }
    }
    close(open, &mut out);
    out
}

/// The text of the message, in the best form there is: where the parts beside it hold none, nothing else has it.
fn body(data: &[u8], label: &str) -> Option<Inner> {
    let (mut html, mut plain, mut rich) = (None, None, None);
    for (tag, value) in Properties::new(data) {
        // PidTagBodyHtml, PidTagRtfCompressed, PidTagBody.
        match (tag, value) {
            (0x1013, Value::Binary(bytes)) => html = Some(bytes.to_vec()),
            (0x1013, value) => html = Some(property_text(value, label).into_bytes()),
            (0x1009, value) => rich = rtf::decompress(value.bytes()),
            (0x1000, value) => plain = Some(property_text(value, label).into_bytes()),
            _ => {}
        }
    }
    let found = [
        ("body.html", "text/html", html),
        ("body.rtf", "application/rtf", rich),
        ("body.txt", "text/plain", plain),
    ];
    found.into_iter().find_map(|(name, content_type, bytes)| {
        Some(Inner {
            name: name.to_owned(),
            content_type: content_type.to_owned(),
            bytes: bytes.filter(|bytes| !bytes.is_empty())?,
        })
    })
}

fn close(file: Option<Inner>, out: &mut Vec<Inner>) {
    let Some(mut file) = file.filter(|file| !(file.bytes.is_empty() && file.name.is_empty())) else {
        return;
    };
    if file.content_type.is_empty() {
        file.content_type = content_type_for(&file.name).to_owned();
    }
    out.push(file);
}

fn narrow(bytes: &[u8], label: &str) -> String {
    let bytes = bytes.split(|byte| *byte == 0).next().unwrap_or_default();
    charset::decode(label, bytes).unwrap_or_else(|| String::from_utf8_lossy(bytes).into_owned())
}

fn note_properties(data: &[u8], label: &str, file: &mut Inner) {
    for (tag, value) in Properties::new(data) {
        match tag {
            // PidTagAttachLongFilename, PidTagAttachMimeTag, PidTagAttachDataBinary ([MS-OXPROPS]).
            0x3707 => file.name = property_text(value, label),
            0x370e => file.content_type = media_type(&property_text(value, label)),
            0x3701 if file.bytes.is_empty() => file.bytes = value.bytes().to_vec(),
            _ => {}
        }
    }
}

/// Attribute after attribute: a level, an id, a length, the data, a checksum that is not needed. It ends where the
/// bytes do not add up; what came before is kept.
struct Attributes<'x>(Cursor<'x>);

impl<'x> Attributes<'x> {
    fn new(bytes: &'x [u8]) -> Self {
        let rest = bytes.strip_prefix(SIGNATURE).and_then(|rest| rest.get(2..));
        Self(Cursor(rest.unwrap_or_default()))
    }
}

impl<'x> Iterator for Attributes<'x> {
    type Item = (u32, &'x [u8]);

    fn next(&mut self) -> Option<Self::Item> {
        let level = self.0.take(1)?;
        if !matches!(level, [1 | 2]) {
            return None;
        }
        let id = self.0.take_u32()?;
        let length = usize::try_from(self.0.take_u32()?).ok()?;
        let data = self.0.take(length)?;
        let _ = self.0.take(2);
        Some((id, data))
    }
}

/// Little-endian numbers and bytes, one after the other.
struct Cursor<'x>(&'x [u8]);

impl<'x> Cursor<'x> {
    fn take(&mut self, length: usize) -> Option<&'x [u8]> {
        let (head, tail) = self.0.split_at_checked(length)?;
        self.0 = tail;
        Some(head)
    }

    fn take_u16(&mut self) -> Option<u16> {
        Some(u16::from_le_bytes(self.take(2)?.try_into().ok()?))
    }

    fn take_u32(&mut self) -> Option<u32> {
        Some(u32::from_le_bytes(self.take(4)?.try_into().ok()?))
    }

    /// Bytes behind their length, padded to four.
    fn take_sized(&mut self) -> Option<&'x [u8]> {
        let length = usize::try_from(self.take_u32()?).ok()?;
        let bytes = self.take(length)?;
        let _ = self.take(length.wrapping_neg() % 4);
        Some(bytes)
    }
}

fn media_type(text: &str) -> String {
    let valid = text.len() <= 100
        && text.matches('/').count() == 1
        && text.bytes().all(|byte| byte.is_ascii_graphic());
    if valid {
        text.to_ascii_lowercase()
    } else {
        String::new()
    }
}

fn property_text(value: Value<'_>, label: &str) -> String {
    match value {
        Value::Narrow(bytes) => narrow(bytes, label),
        Value::Wide(bytes) => {
            let units: Vec<u16> = bytes
                .chunks_exact(2)
                .map(|pair| match pair {
                    [low, high] => u16::from_le_bytes([*low, *high]),
                    _ => 0,
                })
                .take_while(|unit| *unit != 0)
                .collect();
            String::from_utf16_lossy(&units)
        }
        Value::Binary(_) => String::new(),
    }
}

#[derive(Clone, Copy)]
enum Value<'x> {
    Narrow(&'x [u8]),
    Wide(&'x [u8]),
    Binary(&'x [u8]),
}

impl<'x> Value<'x> {
    const fn bytes(self) -> &'x [u8] {
        match self {
            Self::Narrow(bytes) | Self::Wide(bytes) | Self::Binary(bytes) => bytes,
        }
    }
}

/// The property list of an attachment (section 2.1.3.4): only what has bytes comes out.
struct Properties<'x> {
    rest: Cursor<'x>,
    left: u32,
}

impl<'x> Properties<'x> {
    fn new(data: &'x [u8]) -> Self {
        let mut rest = Cursor(data);
        let left = rest.take_u32().unwrap_or(0).min(2_000);
        Self { rest, left }
    }

    fn take_property(&mut self) -> Option<(u16, Option<Value<'x>>)> {
        let (kind, id) = (self.rest.take_u16()?, self.rest.take_u16()?);
        if id >= 0x8000 {
            // Named: a GUID, and a number or a name.
            self.rest.take(16)?;
            match self.rest.take_u32()? {
                0 => {
                    self.rest.take(4)?;
                }
                _ => {
                    self.rest.take_sized()?;
                }
            }
        }
        let many = kind & 0x1000 != 0;
        let count = if many { self.rest.take_u32()? } else { 1 };
        let value = match kind & 0x0fff {
            0x01..=0x04 | 0x0a | 0x0b => {
                for _ in 0..count {
                    self.rest.take(4)?;
                }
                None
            }
            0x05 | 0x06 | 0x07 | 0x14 | 0x40 => {
                for _ in 0..count {
                    self.rest.take(8)?;
                }
                None
            }
            0x48 => {
                for _ in 0..count {
                    self.rest.take(16)?;
                }
                None
            }
            kind @ (0x0d | 0x1e | 0x1f | 0x0102) => {
                // Their number stands before them even where there is one only.
                let count = if many { count } else { self.rest.take_u32()? };
                let mut first = None;
                for _ in 0..count.min(1_000) {
                    let bytes = self.rest.take_sized()?;
                    first = first.or(Some(bytes));
                }
                first.map(|bytes| match kind {
                    0x1e => Value::Narrow(bytes),
                    0x1f => Value::Wide(bytes),
                    // An object's bytes follow the GUID of its interface.
                    0x0d => Value::Binary(bytes.get(16..).unwrap_or_default()),
                    _ => Value::Binary(bytes),
                })
            }
            _ => return None,
        };
        Some((id, value))
    }
}

impl<'x> Iterator for Properties<'x> {
    type Item = (u16, Value<'x>);

    fn next(&mut self) -> Option<Self::Item> {
        while self.left > 0 {
            self.left -= 1;
            let (id, value) = self.take_property()?;
            if let Some(value) = value {
                return Some((id, value));
            }
        }
        None
    }
}
