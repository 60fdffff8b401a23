//! Header blocks cut into fields (RFC 5322 section 2.2), within bounds and one pass.

use crate::defect::{Defect, Defects};

/// What of a header block is read. Servers cap at 64 KiB to 1 MiB.
const MAX_BLOCK: usize = 1024 * 1024;
/// What of one field is read: 200 references, or some thousand addresses, fit.
const MAX_VALUE: usize = 256 * 1024;
const MAX_FIELDS: usize = 2_000;

macro_rules! field_names {
    ($($variant:ident = $text:literal),+ $(,)?) => {
        /// The fields that are read; all others are passed over.
        #[derive(Clone, Copy, Debug, PartialEq, Eq)]
        pub(crate) enum FieldName { $($variant),+ }

        impl FieldName {
            fn from_bytes(name: &[u8]) -> Option<Self> {
                $(if name.eq_ignore_ascii_case($text.as_bytes()) { return Some(Self::$variant); })+
                None
            }

            pub(crate) const fn text(self) -> &'static str {
                match self { $(Self::$variant => $text),+ }
            }
        }
    };
}

field_names!(
    Received = "Received",
    From = "From",
    To = "To",
    Subject = "Subject",
    Date = "Date",
    MessageId = "Message-ID",
    ContentType = "Content-Type",
    TransferEncoding = "Content-Transfer-Encoding",
    Disposition = "Content-Disposition",
    ContentId = "Content-ID",
    Location = "Content-Location",
    References = "References",
    InReplyTo = "In-Reply-To",
    Cc = "Cc",
    Bcc = "Bcc",
    ReplyTo = "Reply-To",
    Sender = "Sender",
    ListId = "List-Id",
    ListPost = "List-Post",
    ListUnsubscribe = "List-Unsubscribe",
    ListUnsubscribePost = "List-Unsubscribe-Post",
    AuthResults = "Authentication-Results",
    ReturnPath = "Return-Path",
);

/// One field: its name, and its value as it stands, still folded.
#[derive(Clone, Copy, Debug)]
pub(crate) struct Field<'x> {
    pub(crate) name: FieldName,
    pub(crate) value: &'x [u8],
}

#[derive(Debug, Default)]
pub(crate) struct Block<'x> {
    pub(crate) fields: Vec<Field<'x>>,
    /// Where the body starts.
    pub(crate) body: usize,
    /// Whether any line was a field, known or not.
    pub(crate) any: bool,
}

impl<'x> Block<'x> {
    pub(crate) fn all(&self, name: FieldName) -> impl Iterator<Item = &'x [u8]> + '_ {
        self.fields
            .iter()
            .filter(move |field| field.name == name)
            .map(|field| field.value)
    }

    /// The first one that is not blank.
    pub(crate) fn first(&self, name: FieldName) -> Option<&'x [u8]> {
        self.all(name).find(|value| !value.trim_ascii().is_empty())
    }
}

/// Reads the block at `start`, up to the blank line, or to a line that `is_delimiter` claims, or to the end.
pub(crate) fn read_block<'x>(
    raw: &'x [u8],
    start: usize,
    is_delimiter: impl Fn(&[u8]) -> bool,
    defects: &mut Defects,
) -> Block<'x> {
    let mut block = Block::default();
    let mut at = start;
    let mut open: Option<(FieldName, usize)> = None;
    loop {
        let rest = raw.get(at..).unwrap_or_default();
        let length = memchr::memchr(b'\n', rest).map_or(rest.len(), |end| end + 1);
        let line = rest.get(..length).unwrap_or_default();
        let ends = line.is_empty() || matches!(line, b"\n" | b"\r\n") || is_delimiter(line);
        let continues = line.starts_with(b" ") || line.starts_with(b"\t");
        if !continues || ends {
            close(raw, open.take(), at, &mut block);
        }
        if ends {
            let blank = matches!(line, b"\n" | b"\r\n");
            block.body = if blank { at + length } else { at };
            return block;
        }
        if !continues {
            match name_of(line) {
                Some((name, value)) => {
                    block.any = true;
                    if at - start > MAX_BLOCK || block.fields.len() >= MAX_FIELDS {
                        defects.add(Defect::HeaderTooLarge);
                    } else {
                        open = FieldName::from_bytes(name).map(|name| (name, at + value));
                    }
                }
                // The envelope line that mbox and some spools put first.
                None if at == start && line.starts_with(b"From ") => {}
                None if !block.any => {
                    block.body = start;
                    return block;
                }
                None => defects.add(Defect::MalformedField),
            }
        }
        at += length;
    }
}

fn close<'x>(raw: &'x [u8], open: Option<(FieldName, usize)>, end: usize, block: &mut Block<'x>) {
    if let Some((name, start)) = open {
        let value = raw.get(start..end).unwrap_or_default();
        let value = value.get(..MAX_VALUE).unwrap_or(value);
        block.fields.push(Field { name, value });
    }
}

/// The name, and where the value starts in the line. White space before the colon is obsolete but happens.
fn name_of(line: &[u8]) -> Option<(&[u8], usize)> {
    let colon = memchr::memchr(b':', line)?;
    let name = line.get(..colon)?.trim_ascii_end();
    let valid = !name.is_empty() && name.len() <= 200 && name.iter().all(|byte| byte.is_ascii_graphic());
    valid.then_some((name, colon + 1))
}

#[cfg(test)]
mod tests {
    use super::*;

    fn read(raw: &[u8]) -> (Vec<(&'static str, String)>, usize, Vec<Defect>) {
        let mut defects = Defects::default();
        let block = read_block(raw, 0, |_| false, &mut defects);
        let fields = block
            .fields
            .iter()
            .map(|field| {
                (
                    field.name.text(),
                    String::from_utf8_lossy(field.value).into_owned(),
                )
            })
            .collect();
        (fields, block.body, defects.into_vec())
    }

    #[test]
    fn cuts_blocks() {
        let check = |raw: &str, expect: &[(&str, &str)], body: &str| {
            let (fields, at, _) = read(raw.as_bytes());
            let fields: Vec<_> = fields
                .iter()
                .map(|(name, value)| (*name, value.as_str()))
                .collect();
            assert_eq!(fields, expect, "{raw:?}");
            assert_eq!(raw.get(at..), Some(body), "{raw:?}");
        };
        check("Subject: a\r\n\r\nbody", &[("Subject", " a\r\n")], "body");
        check(
            "subject : a\n b\nX-Y: z\n\nbody",
            &[("Subject", " a\n b\n")],
            "body",
        );
        check("From x@y Thu\nTo: a\n\nb", &[("To", " a\n")], "b");
        check("Subject: no end", &[("Subject", " no end")], "");
        check(
            "no header here: at all\nmore",
            &[],
            "no header here: at all\nmore",
        );
        check("To: a\ngarbage\nCc: b\n\n", &[("To", " a\n"), ("Cc", " b\n")], "");
        check("\r\nbody", &[], "body");
        check("", &[], "");
    }

    #[test]
    fn bounds_huge_blocks() {
        let raw = "To: a\n".repeat(1_000_000);
        let (fields, body, defects) = read(raw.as_bytes());
        assert_eq!(fields.len(), MAX_FIELDS);
        assert_eq!(body, raw.len());
        assert_eq!(defects, [Defect::HeaderTooLarge]);
    }
}
