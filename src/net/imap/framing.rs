//! What kind of reply a line begins, and which replies async-imap's parser takes without harm.

use bytes::BytesMut;

/// Who may read a reply.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) enum Kind {
    /// A tagged or untagged status, or a continuation: async-imap, after repair.
    Status,
    /// `* n EXISTS` and its like: async-imap as it stands.
    Plain,
    Fetch,
    /// SEARCH, ESEARCH, VANISHED: ours, and long.
    Listing,
    /// Everything else: ours.
    Data,
    /// Not IMAP.
    Foreign,
}

pub(super) fn classify(line: &[u8]) -> Kind {
    if line.first() == Some(&b'+') {
        return Kind::Status;
    }
    let Some(rest) = line.strip_prefix(b"* ") else {
        return classify_tagged(line);
    };
    let (word, after) = split_word(rest);
    if word.iter().all(u8::is_ascii_digit) && !word.is_empty() {
        let (what, after) = split_word(after);
        let small = word.len() < 10;
        return if what.eq_ignore_ascii_case(b"FETCH") {
            Kind::Fetch
        } else if small && after.is_empty() && is_any(what, &[b"EXISTS", b"RECENT", b"EXPUNGE"]) {
            Kind::Plain
        } else {
            Kind::Data
        };
    }
    if is_any(word, &[b"OK", b"NO", b"BAD", b"BYE", b"PREAUTH"]) {
        Kind::Status
    } else if is_any(word, &[b"SEARCH", b"ESEARCH", b"VANISHED"]) {
        Kind::Listing
    } else {
        Kind::Data
    }
}

fn classify_tagged(line: &[u8]) -> Kind {
    let (tag, after) = split_word(line);
    let (status, _) = split_word(after);
    let ours = !tag.is_empty() && tag.len() <= 32 && tag.iter().all(u8::is_ascii_alphanumeric);
    if ours && is_any(status, &[b"OK", b"NO", b"BAD"]) {
        Kind::Status
    } else if line.starts_with(b"*") || !ours {
        // A broken line alone is passed over; only what claims to answer a command must be understood.
        Kind::Data
    } else {
        Kind::Foreign
    }
}

fn is_any(word: &[u8], of: &[&[u8]]) -> bool {
    of.iter().any(|candidate| word.eq_ignore_ascii_case(candidate))
}

/// The first word, and what follows the spaces after it, line end excluded.
fn split_word(text: &[u8]) -> (&[u8], &[u8]) {
    let text = text.trim_ascii_end();
    let end = memchr::memchr(b' ', text).unwrap_or(text.len());
    let (word, rest) = text.split_at(end);
    (word, rest.trim_ascii_start())
}

/// Writes a status line so that imap-proto cannot fail on it: a second space before the text keeps it from
/// parsing (and panicking on) response codes, which are ours, and tells the server's words from our own marks.
pub(super) fn pass_status(line: &[u8], out: &mut BytesMut) {
    let (tag, rest) = if line.first() == Some(&b'+') {
        line.split_at_checked(1).unwrap_or_default()
    } else {
        split_word(line)
    };
    out.extend_from_slice(tag);
    let text = if tag == b"+" {
        rest.trim_ascii()
    } else {
        let (status, text) = split_word(rest);
        out.extend_from_slice(b" ");
        out.extend_from_slice(status);
        text
    };
    out.extend_from_slice(b"  ");
    out.extend(text.iter().map(|&byte| if byte < b' ' { b' ' } else { byte }));
    out.extend_from_slice(b"\r\n");
}

/// Writes `* n EXISTS` and its like with single spaces.
pub(super) fn pass_plain(line: &[u8], out: &mut BytesMut) {
    let (number, what) = split_word(line.get(2..).unwrap_or_default());
    for piece in [b"* ", number, b" ", what, b"\r\n"] {
        out.extend_from_slice(piece);
    }
}

/// The length that a line's end announces (RFC 9051 section 4.3, RFC 7888): `None` without one, `Some(None)` for
/// one that no number holds.
pub(super) fn literal_length(line: &[u8]) -> Option<Option<u64>> {
    let inner = line.strip_suffix(b"}")?;
    let open = memchr::memrchr(b'{', inner)?;
    let digits = inner.get(open + 1..)?;
    let digits = digits.strip_suffix(b"+").unwrap_or(digits);
    if digits.is_empty() {
        return None;
    }
    let signed = digits.strip_prefix(b"-").unwrap_or(digits);
    if !signed.iter().all(u8::is_ascii_digit) {
        return None;
    }
    Some(
        std::str::from_utf8(digits)
            .ok()
            .and_then(|text| text.parse().ok()),
    )
}

/// Whether a FETCH without literals consists of UID, FLAGS, MODSEQ and RFC822.SIZE in strict form only.
pub(super) fn is_plain_fetch(line: &[u8]) -> bool {
    let line = line.strip_suffix(b"\r\n").unwrap_or(line);
    let Some(open) = memchr::memchr(b'(', line) else {
        return false;
    };
    let (head, items) = line.split_at(open);
    let mut words = head.split(|byte| *byte == b' ');
    let head_fits = words.next() == Some(b"*")
        && words.next().is_some_and(is_small_number)
        && words
            .next()
            .is_some_and(|word| word.eq_ignore_ascii_case(b"FETCH"))
        && words.next() == Some(b"")
        && words.next().is_none();
    let items = items
        .strip_prefix(b"(")
        .and_then(|items| items.strip_suffix(b")"));
    head_fits && items.is_some_and(are_plain_items)
}

fn are_plain_items(mut items: &[u8]) -> bool {
    loop {
        let Some(at) = memchr::memchr(b' ', items) else {
            return false;
        };
        let (name, rest) = items.split_at(at);
        let value = rest.get(1..).unwrap_or_default();
        let end = if value.first() == Some(&b'(') {
            memchr::memchr(b')', value).map(|at| at + 1)
        } else {
            Some(memchr::memchr(b' ', value).unwrap_or(value.len()))
        };
        let Some((value, rest)) = end.and_then(|end| value.split_at_checked(end)) else {
            return false;
        };
        let inner = value
            .strip_prefix(b"(")
            .and_then(|value| value.strip_suffix(b")"));
        let fits = if is_any(name, &[b"UID", b"RFC822.SIZE"]) {
            is_small_number(value)
        } else if name.eq_ignore_ascii_case(b"MODSEQ") {
            inner.is_some_and(|digits| digits.len() < 19 && is_number(digits))
        } else if name.eq_ignore_ascii_case(b"FLAGS") {
            inner.is_some_and(are_plain_flags)
        } else {
            false
        };
        if !fits {
            return false;
        }
        match rest.split_first() {
            None => return true,
            Some((b' ', rest)) => items = rest,
            Some(_) => return false,
        }
    }
}

fn are_plain_flags(flags: &[u8]) -> bool {
    let plain = |byte: &u8| byte.is_ascii_alphanumeric() || b"$_-.:/+!#&@=~^".contains(byte);
    flags.is_empty()
        || flags.split(|byte| *byte == b' ').all(|flag| {
            let bare = flag.strip_prefix(b"\\").unwrap_or(flag);
            !bare.is_empty() && bare.iter().all(plain)
        })
}

fn is_number(digits: &[u8]) -> bool {
    !digits.is_empty() && digits.iter().all(u8::is_ascii_digit)
}

/// Fits 32 bits for certain.
fn is_small_number(digits: &[u8]) -> bool {
    digits.len() < 10 && is_number(digits)
}

#[cfg(test)]
mod tests {
    use super::*;
    use proptest::prelude::*;

    #[test]
    fn sorts_replies() {
        let check = |line: &str, expect: Kind| assert_eq!(classify(line.as_bytes()), expect, "{line:?}");
        check("A0001 OK done\r\n", Kind::Status);
        check("A0001 no\r\n", Kind::Status);
        check("* OK [ALERT] x\r\n", Kind::Status);
        check("* BYE\r\n", Kind::Status);
        check("+ go\r\n", Kind::Status);
        check("* 3 EXISTS\r\n", Kind::Plain);
        check("* 99999999999 EXISTS\r\n", Kind::Data);
        check("* 3 EXISTS x\r\n", Kind::Data);
        check("* 3 FETCH (UID 1)\r\n", Kind::Fetch);
        check("* SEARCH 1 2\r\n", Kind::Listing);
        check("* vanished 1\r\n", Kind::Listing);
        check("* LIST () \"/\" x\r\n", Kind::Data);
        check("* OKAY\r\n", Kind::Data);
        check("*\r\n", Kind::Data);
        check("\r\n", Kind::Data);
        check("A0001 WHAT\r\n", Kind::Foreign);
        check("HTTP/1.1 200 OK\r\n", Kind::Data);
    }

    #[test]
    fn reads_announced_lengths() {
        let check = |line: &str, expect: Option<Option<u64>>| {
            assert_eq!(literal_length(line.as_bytes()), expect, "{line:?}");
        };
        check("BODY[] {12}", Some(Some(12)));
        check("BODY[] {12+}", Some(Some(12)));
        check("BINARY[] ~{0}", Some(Some(0)));
        check("{18446744073709551616}", Some(None));
        check("{-1}", Some(None));
        check("{}", None);
        check("{a}", None);
        check("12}", None);
        check("", None);
    }

    #[test]
    fn tells_plain_fetches() {
        let check =
            |line: &str, expect: bool| assert_eq!(is_plain_fetch(line.as_bytes()), expect, "{line:?}");
        check("* 1 FETCH (UID 2 FLAGS (\\Seen $Junk) MODSEQ (3))\r\n", true);
        check("* 1 FETCH (FLAGS () UID 2)\r\n", true);
        check("* 1 FETCH (UID 2 RFC822.SIZE 4)\r\n", true);
        check("* 1 FETCH ()\r\n", false);
        check("* 1 FETCH (UID 2 )\r\n", false);
        check("* 1 FETCH (UID 4294967296)\r\n", false);
        check("* 1 FETCH (FLAGS (a  b))\r\n", false);
        check("* 1 FETCH (FLAGS (\\))\r\n", false);
        check("* 1 FETCH (UID 2 INTERNALDATE NIL)\r\n", false);
        check("* 1 FETCH (UID 2\r\n", false);
    }

    /// The promise of this page: what is passed on parses, whole; nothing panics.
    fn check_promise(line: &str) {
        let line = line.as_bytes();
        let mut out = BytesMut::new();
        match classify(line) {
            Kind::Status => pass_status(line, &mut out),
            Kind::Plain => pass_plain(line, &mut out),
            Kind::Fetch if is_plain_fetch(line) => out.extend_from_slice(line),
            _ => return,
        }
        let parsed = imap_proto::Response::parse(&out);
        assert!(matches!(parsed, Ok((b"", _))), "{line:?} as {out:?}: {parsed:?}");
    }

    proptest! {
        #![proptest_config(ProptestConfig { failure_persistence: None, cases: 2000, ..ProptestConfig::default() })]

        #[test]
        fn whatever_is_passed_parses(words in proptest::collection::vec("(\\*|\\+|A1|OK|NO|BAD|BYE|1|0|99999999999|EXISTS|RECENT|EXPUNGE|FETCH|\\(UID|UID|\\(FLAGS|FLAGS|\\(\\)|\\(\\\\Seen|\\$x\\)|\\)|MODSEQ|\\(5\\)\\)|\\[ALERT\\]|\\[UIDNEXT|5\\]|[ -~\u{e9}\0\t]{0,3})", 1..9), gap in "  ?") {
            check_promise(&format!("{}\r\n", words.join(&gap)));
            check_promise(&format!("* 1 {}\r\n", words.join(" ")));
        }
    }

    #[test]
    fn what_is_passed_parses() {
        let statuses = [
            "* OK",
            "* OK ",
            "* BAD",
            "* OK [",
            "* OK [ALERT]x",
            "* OK [ALERT]\u{e9}",
            "* NO [COPYUID 1 2]",
            "A1 OK [UIDNEXT 99999999999] x",
            "+",
            "+ ",
            "+ [ALERT]\u{e9}",
            "* BYE \0\x01",
            "* OK [CAPABILITY]",
        ];
        for status in statuses {
            let line = format!("{status}\r\n");
            assert_eq!(classify(line.as_bytes()), Kind::Status, "{status:?}");
            check_promise(&line);
        }
    }
}
