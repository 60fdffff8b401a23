//! IMAP4rev1 (RFC 3501) with the extensions that modern clients use. `parser` turns bytes into a `command`,
//! `session` carries it out; `structure` and `envelope` look into messages, on purpose not by the client's code.

mod change;
pub(crate) mod command;
mod decode;
mod envelope;
mod fetch;
mod folders;
mod gmail;
mod notify;
mod parse_fetch;
mod parse_notify;
mod parse_search;
mod parser;
mod search;
mod select;
pub(crate) mod session;
mod structure;
mod utf7;

use posthorn_model::{Flag, Flags, Timestamp};

const MONTHS: [&str; 12] = [
    "Jan", "Feb", "Mar", "Apr", "May", "Jun", "Jul", "Aug", "Sep", "Oct", "Nov", "Dec",
];

/// A quoted string; the caller knows that the text is printable ASCII.
fn quote(text: &str) -> String {
    format!("\"{}\"", text.replace('\\', "\\\\").replace('"', "\\\""))
}

/// Any bytes as a quoted string, or as a literal where they do not fit into one.
fn push_string(out: &mut Vec<u8>, bytes: &[u8]) {
    let fits = bytes.len() < 1000 && bytes.iter().all(|byte| matches!(byte, b' '..=b'~'));
    if fits {
        out.push(b'"');
        for byte in bytes {
            if matches!(byte, b'"' | b'\\') {
                out.push(b'\\');
            }
            out.push(*byte);
        }
        out.push(b'"');
    } else {
        push_literal(out, bytes);
    }
}

fn push_literal(out: &mut Vec<u8>, bytes: &[u8]) {
    out.extend_from_slice(format!("{{{}}}\r\n", bytes.len()).as_bytes());
    out.extend_from_slice(bytes);
}

fn push_nstring(out: &mut Vec<u8>, bytes: Option<&[u8]>) {
    match bytes {
        Some(bytes) => push_string(out, bytes),
        None => out.extend_from_slice(b"NIL"),
    }
}

fn flag_list(flags: &Flags) -> String {
    let system = Flag::ALL
        .iter()
        .filter(|flag| flags.contains(**flag))
        .map(|flag| flag.imap_name());
    let all: Vec<&str> = system
        .chain(flags.keywords().iter().map(posthorn_model::Keyword::as_str))
        .collect();
    format!("({})", all.join(" "))
}

/// `date-time` (RFC 9051 section 9), in UTC.
fn date_time(at: Timestamp) -> String {
    let Ok(at) = jiff::Timestamp::from_second(at.0) else {
        return "\" 1-Jan-1970 00:00:00 +0000\"".to_owned();
    };
    let at = at.to_zoned(jiff::tz::TimeZone::UTC);
    let month = usize::try_from(at.month() - 1)
        .ok()
        .and_then(|index| MONTHS.get(index))
        .unwrap_or(&"Jan");
    format!(
        "\"{:2}-{month}-{:04} {:02}:{:02}:{:02} +0000\"",
        at.day(),
        at.year(),
        at.hour(),
        at.minute(),
        at.second()
    )
}

/// For the tests of hostile input.
#[cfg(test)]
pub(crate) fn parse_never_panics(bytes: &[u8]) {
    let _ = parser::parse(bytes, false);
    let _ = parser::parse(bytes, true);
}

/// For the tests of hostile input: looks at a message in every way that a client can ask for.
#[cfg(test)]
pub(crate) fn describe_never_panics(raw: &[u8]) {
    let entity = structure::parse(raw);
    let mut out = Vec::new();
    structure::push_body_structure(&mut out, raw, &entity, true);
    envelope::push_envelope(&mut out, structure::slice(raw, &entity.header));
    for path in [vec![], vec![1], vec![2], vec![1, 1], vec![1, 2, 1]] {
        for text in [
            command::SectionText::Whole,
            command::SectionText::Header,
            command::SectionText::Text,
        ] {
            structure::section(
                raw,
                &entity,
                &command::Section {
                    path: path.clone(),
                    text,
                },
            );
        }
    }
    decode::body_text(raw, &entity);
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn writes_dates_that_it_reads() {
        for (at, text) in [
            (1_700_000_000, "14-Nov-2023 22:13:20 +0000"),
            (0, " 1-Jan-1970 00:00:00 +0000"),
        ] {
            assert_eq!(date_time(Timestamp(at)), format!("\"{text}\""));
            assert_eq!(parser::parse_date_time(text), Some(Timestamp(at)));
        }
        assert_eq!(
            parser::parse_date_time("14-Nov-2023 23:13:20 +0100"),
            Some(Timestamp(1_700_000_000))
        );
        for bad in [
            "",
            "14-Nov-2023",
            "31-Feb-2023 00:00:00 +0000",
            "1-Jan-2023 25:00:00 +0000",
            "1-Jan-2023 00:00:00 0000",
        ] {
            assert_eq!(parser::parse_date_time(bad), None, "{bad}");
        }
    }
}
