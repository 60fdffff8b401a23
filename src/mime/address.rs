//! Addresses (RFC 5322 section 3.4): as headers hold them, as people type them, and written back.

mod field;

use posthorn_model::Address;

use crate::defect::{Defect, Defects};
use crate::sender::{SenderWarning, Shown, show_parts};
use crate::word;

/// What of an address list is kept.
const MAX_ADDRESSES: usize = 2_000;

/// Reads the value of an address field. Groups give their members, comments stay with the name. Every address is
/// as it may be shown (see [`crate::sender::show`]): what is stored, listed, answered and notified is the same.
pub(crate) fn read(value: &[u8], charset: Option<&str>, defects: &mut Defects) -> Vec<Address> {
    let mut out = Vec::new();
    read_each(value, charset, defects, |shown| out.push(shown.into_address()));
    out
}

/// The same with what is odd about each.
pub(crate) fn read_shown(value: &[u8], charset: Option<&str>, defects: &mut Defects) -> Vec<Shown> {
    let mut out = Vec::new();
    read_each(value, charset, defects, |shown| out.push(shown));
    out
}

fn read_each(value: &[u8], charset: Option<&str>, defects: &mut Defects, mut take: impl FnMut(Shown)) {
    let line = word::to_line(value, charset, defects);
    let mailboxes = field::read(&line, MAX_ADDRESSES, &mut |name| {
        word::decode_words(name, defects).into_owned()
    });
    if mailboxes.len() > MAX_ADDRESSES {
        defects.add(Defect::TooManyAddresses);
    }
    for mailbox in mailboxes.into_iter().take(MAX_ADDRESSES) {
        let mut shown = show_parts(&mailbox.name, mailbox.email);
        if mailbox.ambiguous {
            defects.add(Defect::AmbiguousAddress);
            shown.warnings.push(SenderWarning::Ambiguous);
        }
        if shown.name.is_some() || !shown.email.is_empty() {
            take(shown);
        }
    }
}

fn clean_email(email: &str) -> String {
    email
        .chars()
        .filter(|c| {
            !c.is_control() && !c.is_whitespace() && !word::is_override(*c) && !matches!(c, '<' | '>')
        })
        .take(320)
        .collect()
}

/// Reads what a person types into To: names with or without quotes, commas or semicolons or line breaks between,
/// groups (whose members are taken), `mailto:` in front. What is no address comes back as it stands, without an
/// `@`, so that it can be shown as wrong: see [`is_plausible`].
#[must_use]
pub fn parse_addresses(typed: &str) -> Vec<Address> {
    let mut out: Vec<Address> = Vec::new();
    // `Müller, Hans <hans@example.org>`: a name cut at its comma.
    let mut pending: Option<String> = None;
    for (piece, separator) in split(typed) {
        let piece = piece.trim();
        if piece.is_empty() || out.len() >= MAX_ADDRESSES {
            continue;
        }
        let mut address = parse_one(piece);
        if let Some(first) = pending.take() {
            match &address.name {
                Some(name) if !name.contains(',') && piece.ends_with('>') => {
                    address.name = Some(format!("{first}, {name}"));
                }
                _ => out.push(Address::bare(first)),
            }
        }
        let bare_words = address.name.is_none() && !address.email.contains('@');
        if bare_words && separator == Some(',') && !piece.starts_with('"') {
            pending = Some(word::clean(piece));
        } else {
            out.push(address);
        }
    }
    out.extend(pending.map(Address::bare));
    out
}

/// Cuts at separators outside quotes, comments and angle brackets. A group's name and colon are dropped.
fn split(typed: &str) -> Vec<(String, Option<char>)> {
    let mut pieces = Vec::new();
    let mut piece = String::new();
    let (mut quoted, mut escaped, mut angle, mut comment) = (false, false, false, 0_u32);
    for c in typed.chars() {
        if escaped {
            escaped = false;
            piece.push(c);
            continue;
        }
        match c {
            '\\' if quoted || comment > 0 => escaped = true,
            '"' if comment == 0 => quoted = !quoted,
            '(' if !quoted => comment += 1,
            ')' if !quoted => comment = comment.saturating_sub(1),
            '<' if !quoted && comment == 0 => angle = true,
            '>' if !quoted && comment == 0 => angle = false,
            ':' if !quoted && comment == 0 && !angle && !piece.contains('@') => {
                piece.clear();
                continue;
            }
            // A line break always separates: an open quote must not swallow the rest of a pasted list.
            ',' | ';' | '\n' | '\r' if c.is_control() || (!quoted && comment == 0 && !angle) => {
                pieces.push((std::mem::take(&mut piece), Some(c)));
                (quoted, angle, comment) = (false, false, 0);
                continue;
            }
            _ => {}
        }
        piece.push(c);
    }
    pieces.push((piece, None));
    pieces
}

fn parse_one(piece: &str) -> Address {
    let (name, email) = match piece.rsplit_once('<') {
        Some((name, rest)) => (name, rest.split('>').next().unwrap_or_default()),
        None => match piece.rsplit_once('(') {
            Some((email, comment)) if email.contains('@') => (comment.trim_end_matches(')'), email),
            _ => ("", piece),
        },
    };
    let name = word::clean(&unquote(name.trim()));
    if name.is_empty() && !email.contains('@') {
        return Address::bare(word::clean(email));
    }
    Address::new(name, clean_email(email))
}

fn unquote(name: &str) -> String {
    let mut out = String::with_capacity(name.len());
    let mut chars = name.chars();
    while let Some(c) = chars.next() {
        match c {
            '\\' => out.extend(chars.next()),
            '"' => {}
            c => out.push(c),
        }
    }
    out
}

/// Whether mail can be sent to it at all: one `@`, something before it, a domain after it, nothing that would
/// break out of a header or an SMTP command.
#[must_use]
pub fn is_plausible(email: &str) -> bool {
    let Some((local, domain)) = email.rsplit_once('@') else {
        return false;
    };
    let quoted = local.len() > 2 && local.starts_with('"') && local.ends_with('"');
    let clean =
        |text: &str| !text.contains(|c: char| c.is_control() || c.is_whitespace() || "<>(),;".contains(c));
    !local.is_empty()
        && (quoted || !local.contains(['@', '"', '\\', ':']))
        && (quoted && !local.contains(char::is_control) || clean(local))
        && clean(domain)
        && to_ascii_domain(domain).is_some()
}

/// The address as it goes over the wire: the domain in its ASCII form (IDNA), the local part as it is.
#[must_use]
pub fn wire_email(email: &str) -> String {
    match email.rsplit_once('@') {
        Some((local, domain)) => {
            to_ascii_domain(domain).map_or_else(|| email.to_owned(), |domain| format!("{local}@{domain}"))
        }
        None => email.to_owned(),
    }
}

fn to_ascii_domain(domain: &str) -> Option<String> {
    let literal = domain.strip_prefix('[').and_then(|rest| rest.strip_suffix(']'));
    if let Some(literal) = literal {
        let valid = |c: char| c.is_ascii_alphanumeric() || matches!(c, '.' | ':' | '-');
        return literal.chars().all(valid).then(|| domain.to_owned());
    }
    let ascii = idna::domain_to_ascii(domain).ok()?;
    let valid = |label: &str| {
        !label.is_empty()
            && label
                .chars()
                .all(|c| c.is_ascii_alphanumeric() || c == '-' || c == '_')
    };
    ascii.trim_end_matches('.').split('.').all(valid).then_some(ascii)
}

/// Writes an address so that [`parse_addresses`] reads the same: for address fields of the window, not for the
/// wire, where `compose` encodes.
#[must_use]
pub fn format_address(address: &Address) -> String {
    let Some(name) = address.name.as_deref().filter(|name| !name.is_empty()) else {
        return address.email.clone();
    };
    let plain = |c: char| c.is_alphanumeric() || c == ' ' || "!#$%&'*+-/=?^_`{|}~".contains(c);
    if name.chars().all(plain) {
        return format!("{name} <{}>", address.email);
    }
    let quoted = name.replace('\\', "\\\\").replace('"', "\\\"");
    format!("\"{quoted}\" <{}>", address.email)
}

/// Writes a list, comma separated.
#[must_use]
pub fn format_addresses(addresses: &[Address]) -> String {
    addresses
        .iter()
        .map(format_address)
        .collect::<Vec<_>>()
        .join(", ")
}

#[cfg(test)]
mod tests {
    use super::*;
    use proptest::prelude::*;

    fn show(addresses: &[Address]) -> Vec<(&str, &str)> {
        addresses
            .iter()
            .map(|a| (a.name.as_deref().unwrap_or(""), a.email.as_str()))
            .collect()
    }

    #[test]
    fn reads_address_fields() {
        let check = |value: &[u8], expect: &[(&str, &str)]| {
            let mut defects = Defects::default();
            let addresses = read(value, None, &mut defects);
            assert_eq!(show(&addresses), expect, "{:?}", String::from_utf8_lossy(value));
        };
        check(b" a@b.c", &[("", "a@b.c")]);
        check(
            b"A B <a@b.c>, \"C, D\" <c@d.e>",
            &[("A B", "a@b.c"), ("C, D", "c@d.e")],
        );
        check(b"=?iso-8859-1?Q?J=F6rg?= <j@x>", &[("Jörg", "j@x")]);
        check(b"\"=?utf-8?Q?J=C3=B6rg?=\" <j@x>", &[("Jörg", "j@x")]);
        check(b"J\xf6rg <j@x>", &[("Jörg", "j@x")]);
        check("Jörg <j@x>".as_bytes(), &[("Jörg", "j@x")]);
        check(b"a@b (Comment)", &[("Comment", "a@b")]);
        check(
            b"Group: a@b, C <c@d>;, e@f",
            &[("", "a@b"), ("C", "c@d"), ("", "e@f")],
        );
        check(b"undisclosed-recipients:;", &[]);
        check(b"=?utf-8?Q?x=0D=0ABcc:_evil@x?= <a@b>", &[("", "a@b")]);
        check(b"A\r\n <a@\r\n b>", &[("A", "a@b")]);
        check(b"a@b, , c@d", &[("", "a@b"), ("", "c@d")]);
        check(b"\"quo\\\"te\" <a@b>", &[("quo\"te", "a@b")]);
        check(b"", &[]);
        check(b"<>", &[]);
        check(b"A <@x,@y:a@b>, c@d", &[("A", "a@b"), ("", "c@d")]);
        check(b"A <a@b, c@d", &[("A", "a@b"), ("", "c@d")]);
        check(b"A <x@y> <a@b>", &[("A", "a@b")]);
        check(b"\"o@p\"@b.example", &[("", "\"o@p\"@b.example")]);
        check(b"A (c (d) e) <a@b>", &[("A", "a@b")]);
        check(b"A :( <a@b>", &[("A :", "a@b")]);
        check(b"a @ b.example", &[("", "a@b.example")]);
        check(b"x y a@b", &[("x y", "a@b")]);
        check(b"=?utf-8?Q?A,_B?= <a@b>", &[("A, B", "a@b")]);
        check(
            b"=?utf-8?Q?a=40b?=@c.example",
            &[("", "=?utf-8?Q?a=40b?=@c.example")],
        );
        check(b"a@[IPv6:::1], b@c", &[("", "a@[IPv6:::1]"), ("", "b@c")]);
        check(b"Re: A <a@b>", &[("Re: A", "a@b")]);
        check(b"nobody", &[("", "nobody")]);
        check(b"Only A Name", &[("Only A Name", "")]);
        check(b"\"'Twice'\" <a@b>", &[("Twice", "a@b")]);
    }

    #[test]
    fn reads_what_people_type() {
        let check = |typed: &str, expect: &[(&str, &str)]| {
            assert_eq!(show(&parse_addresses(typed)), expect, "{typed:?}");
        };
        check("a@b.c", &[("", "a@b.c")]);
        check(
            " a@b.c , d@e.f;g@h.i\nj@k.l ",
            &[("", "a@b.c"), ("", "d@e.f"), ("", "g@h.i"), ("", "j@k.l")],
        );
        check(
            "Anna Müller <anna@münchen.de>",
            &[("Anna Müller", "anna@münchen.de")],
        );
        check("\"Müller, Hans\" <h@x.de>", &[("Müller, Hans", "h@x.de")]);
        check(
            "Müller, Hans <h@x.de>, b@x.de",
            &[("Müller, Hans", "h@x.de"), ("", "b@x.de")],
        );
        check(
            "friends: a@b, C <c@d>; e@f",
            &[("", "a@b"), ("C", "c@d"), ("", "e@f")],
        );
        check("mailto:a@b.c", &[("", "a@b.c")]);
        check("a@b.c (Anna)", &[("Anna", "a@b.c")]);
        check("nobody", &[("", "nobody")]);
        check("nobody, a@b.c", &[("", "nobody"), ("", "a@b.c")]);
        check("\"open quote <a@b>\nc@d", &[("open quote", "a@b"), ("", "c@d")]);
        check("", &[]);
        check(",;,\n", &[]);
        check("a@b\r\nBcc: evil@x", &[("", "a@b"), ("", "evil@x")]);
    }

    #[test]
    fn judges_addresses() {
        for (email, expect) in [
            ("a@b.c", true),
            ("a.b+c@x-y.example", true),
            ("anna@münchen.de", true),
            ("\"odd name\"@b.c", true),
            ("a@[127.0.0.1]", true),
            ("a@localhost", true),
            ("", false),
            ("a", false),
            ("@b", false),
            ("a@", false),
            ("a b@c", false),
            ("a@b c", false),
            ("a@b>c", false),
            ("a@b@c", false),
            ("a\r\n@b", false),
            ("\"a\r\n\"@b", false),
            ("a@b..c", false),
        ] {
            assert_eq!(is_plausible(email), expect, "{email:?}");
        }
        assert_eq!(wire_email("anna@münchen.de"), "anna@xn--mnchen-3ya.de");
    }

    proptest! {
        #[test]
        fn typed_form_reads_back(name in "[\\PC&&[^\u{202a}-\u{202e}\u{2066}-\u{2069}]]{0,30}", local in "[a-z0-9.]{1,10}") {
            let address = Address::new(word::clean(&name), format!("{local}@example.org"));
            let read = parse_addresses(&format_address(&address));
            prop_assert_eq!(read, vec![address]);
        }

        #[test]
        fn typed_input_never_panics(typed in "\\PC{0,80}") {
            let _ = parse_addresses(&typed);
        }
    }
}
