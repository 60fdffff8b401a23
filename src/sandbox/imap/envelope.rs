//! `ENVELOPE` (RFC 9051 section 7.5.2) and the addresses in it (RFC 5322 section 3.4), left encoded as they stand.

use super::structure::header_value;
use super::{push_nstring, push_string};

/// One entry of an address list. A group opens with a name alone and closes with nothing.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct Entry {
    pub name: Option<Vec<u8>>,
    pub mailbox: Option<Vec<u8>>,
    pub host: Option<Vec<u8>>,
}

pub fn push_envelope(out: &mut Vec<u8>, header: &[u8]) {
    let list = |name: &str| {
        header_value(header, name)
            .map(|value| parse_addresses(&value))
            .unwrap_or_default()
    };
    let from = list("From");
    // RFC 9051: an absent or empty Sender or Reply-To is given as From.
    let or_from = |name: &str| {
        Some(list(name))
            .filter(|list| !list.is_empty())
            .unwrap_or_else(|| from.clone())
    };
    out.push(b'(');
    push_nstring(out, header_value(header, "Date").as_deref());
    out.push(b' ');
    push_nstring(out, header_value(header, "Subject").as_deref());
    for addresses in [
        &from,
        &or_from("Sender"),
        &or_from("Reply-To"),
        &list("To"),
        &list("Cc"),
        &list("Bcc"),
    ] {
        out.push(b' ');
        push_addresses(out, addresses);
    }
    for name in ["In-Reply-To", "Message-ID"] {
        out.push(b' ');
        push_nstring(out, header_value(header, name).as_deref());
    }
    out.push(b')');
}

fn push_addresses(out: &mut Vec<u8>, entries: &[Entry]) {
    if entries.is_empty() {
        out.extend_from_slice(b"NIL");
        return;
    }
    out.push(b'(');
    for entry in entries {
        out.push(b'(');
        push_nstring(out, entry.name.as_deref());
        out.extend_from_slice(b" NIL ");
        push_nstring(out, entry.mailbox.as_deref());
        out.push(b' ');
        match &entry.host {
            Some(host) => push_string(out, host),
            None => out.extend_from_slice(b"NIL"),
        }
        out.push(b')');
    }
    out.push(b')');
}

/// What has been read since the last comma.
#[derive(Default)]
struct Pending {
    /// For a display name: quotes removed, words separated by one space.
    name: Vec<u8>,
    /// For a bare address: quotes kept, blanks dropped.
    spec: Vec<u8>,
    angle: Option<Vec<u8>>,
    comment: Option<Vec<u8>>,
}

impl Pending {
    fn finish(&mut self, entries: &mut Vec<Entry>) {
        let taken = std::mem::take(self);
        let name = taken.name.trim_ascii().to_vec();
        let (name, spec) = match taken.angle {
            Some(spec) => (Some(name).filter(|name| !name.is_empty()).or(taken.comment), spec),
            None if taken.spec.is_empty() => return,
            None => (taken.comment, taken.spec),
        };
        let at = memchr::memrchr(b'@', &spec);
        let (mailbox, host) = at
            .and_then(|at| spec.split_at_checked(at))
            .unwrap_or((&spec, b"@"));
        entries.push(Entry {
            name,
            mailbox: Some(mailbox.to_vec()),
            host: Some(host.get(1..).unwrap_or_default().to_vec()),
        });
    }
}

/// Reads an address list, leniently: what is no address becomes a mailbox without a host.
pub fn parse_addresses(value: &[u8]) -> Vec<Entry> {
    let mut entries = Vec::new();
    let mut pending = Pending::default();
    let mut in_group = false;
    let mut bytes = value.iter().copied();
    while let Some(byte) = bytes.next() {
        match byte {
            b'"' => {
                let text = read_quoted(&mut bytes);
                pending.name.extend_from_slice(&text);
                pending.spec.push(b'"');
                pending.spec.extend_from_slice(&text);
                pending.spec.push(b'"');
            }
            b'(' => pending.comment = Some(read_comment(&mut bytes)),
            b'<' => {
                let inside: Vec<u8> = bytes.by_ref().take_while(|byte| *byte != b'>').collect();
                pending.angle = Some(without_route(&inside));
            }
            b',' => pending.finish(&mut entries),
            b':' if pending.angle.is_none() && !in_group => {
                in_group = true;
                let name = std::mem::take(&mut pending).name.trim_ascii().to_vec();
                entries.push(Entry {
                    mailbox: Some(name),
                    ..Entry::default()
                });
            }
            b';' => {
                pending.finish(&mut entries);
                if std::mem::take(&mut in_group) {
                    entries.push(Entry::default());
                }
            }
            b' ' | b'\t' => pending.name.push(b' '),
            _ => {
                pending.name.push(byte);
                pending.spec.push(byte);
            }
        }
    }
    pending.finish(&mut entries);
    if in_group {
        entries.push(Entry::default());
    }
    entries
}

fn read_quoted(bytes: &mut impl Iterator<Item = u8>) -> Vec<u8> {
    let mut out = Vec::new();
    while let Some(byte) = bytes.next() {
        match byte {
            b'"' => break,
            b'\\' => out.extend(bytes.next()),
            _ => out.push(byte),
        }
    }
    out
}

fn read_comment(bytes: &mut impl Iterator<Item = u8>) -> Vec<u8> {
    let mut out = Vec::new();
    let mut depth = 1_u32;
    while let Some(byte) = bytes.next() {
        match byte {
            b'(' => depth = depth.saturating_add(1),
            b')' => depth -= 1,
            _ => (),
        }
        if depth == 0 {
            break;
        }
        if byte == b'\\' {
            out.extend(bytes.next());
        } else {
            out.push(byte);
        }
    }
    out
}

/// `@a,@b:user@host` is an obsolete source route (RFC 5322 section 4.4).
fn without_route(spec: &[u8]) -> Vec<u8> {
    let spec = match spec.trim_ascii() {
        route if route.starts_with(b"@") => memchr::memchr(b':', route)
            .and_then(|colon| route.get(colon + 1..))
            .unwrap_or(route),
        plain => plain,
    };
    spec.to_vec()
}

#[cfg(test)]
mod tests {
    use super::*;

    fn check(value: &str, expect: &str) {
        let mut out = Vec::new();
        push_addresses(&mut out, &parse_addresses(value.as_bytes()));
        assert_eq!(String::from_utf8_lossy(&out), expect, "{value}");
    }

    #[test]
    fn reads_addresses() {
        check("", "NIL");
        check("a@example.org", "((NIL NIL \"a\" \"example.org\"))");
        check(
            "Ada <a@example.org>, b@c",
            "((\"Ada\" NIL \"a\" \"example.org\")(NIL NIL \"b\" \"c\"))",
        );
        check(
            "\"L, Ada\" <a@example.org>",
            "((\"L, Ada\" NIL \"a\" \"example.org\"))",
        );
        check("\"a \\\"b\\\"\" <a@b>", "((\"a \\\"b\\\"\" NIL \"a\" \"b\"))");
        check("a@b (Ada (L))", "((\"Ada (L)\" NIL \"a\" \"b\"))");
        check(
            "undisclosed-recipients:;",
            "((NIL NIL \"undisclosed-recipients\" NIL)(NIL NIL NIL NIL))",
        );
        check(
            "Team: a@b, C <c@d>;",
            "((NIL NIL \"Team\" NIL)(NIL NIL \"a\" \"b\")(\"C\" NIL \"c\" \"d\")(NIL NIL NIL NIL))",
        );
        check("\"two words\"@b", "((NIL NIL \"\\\"two words\\\"\" \"b\"))");
        check("<@x,@y:a@b>", "((NIL NIL \"a\" \"b\"))");
        check("nobody", "((NIL NIL \"nobody\" \"\"))");
        check(
            "=?utf-8?Q?=C3=84?= <a@b>",
            "((\"=?utf-8?Q?=C3=84?=\" NIL \"a\" \"b\"))",
        );
        check("<", "((NIL NIL \"\" \"\"))");
    }
}
