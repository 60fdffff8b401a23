//! Any field by its name, for rules that look at fields which nothing else here reads.

use crate::defect::Defects;
use crate::word;

/// Fields of one name that are read: more is no field to look at.
const MOST: usize = 50;
/// Octets of a value that are read.
const LONGEST: usize = 16 * 1024;

/// The values of every field of this name in a header block (or a message: what follows the blank line is ignored),
/// unfolded and decoded (RFC 2047), in their order.
#[must_use]
pub fn field_values(header: &[u8], name: &str) -> Vec<String> {
    raw_values(header, name)
        .iter()
        .map(|value| decode(value))
        .collect()
}

/// The same as the bytes stand, still folded and encoded.
pub(crate) fn raw_values(header: &[u8], name: &str) -> Vec<Vec<u8>> {
    let mut values = Vec::new();
    let mut open: Option<Vec<u8>> = None;
    for line in header.split_inclusive(|byte| *byte == b'\n') {
        if matches!(line, b"\n" | b"\r\n") {
            break;
        }
        let continues = line.starts_with(b" ") || line.starts_with(b"\t");
        if continues {
            if let Some(value) = open.as_mut().filter(|value| value.len() < LONGEST) {
                value.extend_from_slice(line);
            }
            continue;
        }
        values.extend(open.take());
        if values.len() >= MOST {
            return values;
        }
        open = value_of(line, name).map(<[u8]>::to_vec);
    }
    values.extend(open);
    values
}

fn value_of<'x>(line: &'x [u8], name: &str) -> Option<&'x [u8]> {
    let (field, rest) = line.split_at_checked(name.len())?;
    if !field.eq_ignore_ascii_case(name.as_bytes()) {
        return None;
    }
    rest.trim_ascii_start().strip_prefix(b":")
}

fn decode(value: &[u8]) -> String {
    let value = value.get(..LONGEST).unwrap_or(value);
    word::decode_line(value, None, &mut Defects::default())
        .trim()
        .to_owned()
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn finds_fields_by_name() {
        let header = b"X-Loop: yes\r\nSubject: a\r\nx-loop : =?utf-8?q?gr=C3=BCn?=\r\n\tand more\r\nX-Loopy: no\r\n\r\nX-Loop: body\r\n";
        assert_eq!(field_values(header, "X-Loop"), ["yes", "grün and more"]);
        assert_eq!(field_values(header, "subject"), ["a"]);
        assert_eq!(field_values(header, "X-Loopy"), ["no"]);
        assert!(field_values(header, "X-Absent").is_empty());
        assert_eq!(field_values(b"A: 1", "a"), ["1"]);
        assert!(field_values(b"", "a").is_empty());
        assert!(field_values(b" folded: first\n", "folded").is_empty());
        assert_eq!(field_values(&b"A: b\n".repeat(1000), "A").len(), MOST);
    }
}
