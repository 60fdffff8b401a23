//! What a POP3 server says in lines: status, capabilities, listings (RFC 1939, RFC 2449, RFC 3206).

use posthorn_model::{ErrorClass, MsgNo, Uidl};

use crate::Error;

/// A status line.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(super) struct Reply {
    pub(super) is_ok: bool,
    /// What follows the status, without surrounding blanks.
    pub(super) text: Vec<u8>,
}

impl Reply {
    /// `None`: this is no status line, so we have lost count of the server's replies.
    pub(super) fn parse(line: &[u8]) -> Option<Self> {
        let after = |word: &[u8]| {
            let (head, rest) = line.split_at_checked(word.len())?;
            let ends = rest.first().is_none_or(u8::is_ascii_whitespace);
            (head.eq_ignore_ascii_case(word) && ends).then(|| rest.trim_ascii().to_vec())
        };
        let (is_ok, text) = match after(b"+OK") {
            Some(text) => (true, text),
            None => (false, after(b"-ERR")?),
        };
        Some(Self { is_ok, text })
    }

    /// The response code of a refusal (RFC 2449, section 8), in upper case.
    fn code(&self) -> Option<String> {
        let inside = self.text.strip_prefix(b"[")?;
        let end = inside.iter().position(|byte| *byte == b']')?;
        Some(String::from_utf8_lossy(inside.get(..end)?).to_ascii_uppercase())
    }

    /// What a refusal means where nothing but its code says more.
    pub(super) fn refusal(&self, host: &str, what: &str) -> Error {
        let (class, permanent) = match self.code().as_deref() {
            Some("IN-USE" | "LOGIN-DELAY" | "SYS/TEMP") => (ErrorClass::Network, false),
            Some("AUTH") => (ErrorClass::Auth, false),
            Some("SYS/PERM") => (ErrorClass::Refused, true),
            _ => (ErrorClass::Refused, false),
        };
        Error::new(class, host, what)
            .quoting(&self.text)
            .permanently(permanent)
    }

    /// What a refusal of a login means. Only some of them are about the password.
    pub(super) fn login_refusal(&self, host: &str, codes: bool, refused: &str) -> Error {
        let words = String::from_utf8_lossy(&self.text).to_ascii_lowercase();
        let locked = ["lock", "in use", "busy", "already"]
            .iter()
            .any(|word| words.contains(word));
        let (class, what, permanent) = match self.code().as_deref() {
            Some("IN-USE") => (ErrorClass::Network, "another program has the mailbox open", false),
            Some("LOGIN-DELAY") => (
                ErrorClass::Network,
                "the server wants a longer pause between logins",
                false,
            ),
            Some("SYS/TEMP") => (
                ErrorClass::Network,
                "the server cannot log in anybody for now",
                false,
            ),
            Some("SYS/PERM") => (
                ErrorClass::Refused,
                "the server needs its administrator's help",
                true,
            ),
            Some("AUTH") => (ErrorClass::Auth, refused, false),
            // RFC 3206, section 6: a server with AUTH-RESP-CODE would have said that it is about the password.
            _ if locked => (ErrorClass::Network, "another program has the mailbox open", false),
            _ if codes => (ErrorClass::Refused, "the server refused the login", false),
            _ => (ErrorClass::Auth, refused, false),
        };
        Error::new(class, host, what)
            .quoting(&self.text)
            .permanently(permanent)
    }
}

/// What a server says it can do (RFC 2449). A server without CAPA has all of it unset, and may still do it.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct Capabilities {
    /// Whether the server answered CAPA at all.
    pub known: bool,
    pub top: bool,
    pub uidl: bool,
    pub pipelining: bool,
    pub user: bool,
    pub response_codes: bool,
    /// Messages as they were sent, and user names in UTF-8, after UTF8 (RFC 6856).
    pub utf8: bool,
    /// Refusals about the password say so (RFC 3206).
    pub auth_response_codes: bool,
    /// Names of SASL mechanisms.
    pub sasl: Vec<String>,
    /// Days that a message stays; `None` where the server does not say, or keeps it for ever.
    pub expire_days: Option<u32>,
    /// Seconds that must lie between two logins.
    pub login_delay: Option<u32>,
    pub implementation: Option<String>,
    /// Every line, as it came.
    pub lines: Vec<String>,
}

impl Capabilities {
    pub(super) fn parse<'a>(lines: impl IntoIterator<Item = &'a [u8]>) -> Self {
        let mut found = Self {
            known: true,
            ..Self::default()
        };
        for line in lines {
            let line = crate::error::quote(line);
            let mut words = line.split_ascii_whitespace();
            match words.next().unwrap_or_default().to_ascii_uppercase().as_str() {
                "" => continue,
                "TOP" => found.top = true,
                "UIDL" => found.uidl = true,
                "PIPELINING" => found.pipelining = true,
                "USER" => found.user = true,
                "UTF8" => found.utf8 = true,
                "RESP-CODES" => found.response_codes = true,
                "AUTH-RESP-CODE" => found.auth_response_codes = true,
                "SASL" => found.sasl.extend(words.map(str::to_ascii_uppercase)),
                "EXPIRE" => found.expire_days = words.next().and_then(|days| days.parse().ok()),
                "LOGIN-DELAY" => found.login_delay = words.next().and_then(|seconds| seconds.parse().ok()),
                "IMPLEMENTATION" => found.implementation = Some(words.collect::<Vec<_>>().join(" ")),
                _ => {}
            }
            found.lines.push(line);
        }
        found
    }
}

/// A scan listing, "number size"; more may follow. `None`: not one.
pub(super) fn parse_size(line: &[u8]) -> Option<(MsgNo, u64)> {
    let text = std::str::from_utf8(line).ok()?;
    let mut words = text.split_ascii_whitespace();
    let number = words.next()?.parse().ok().filter(|number| *number > 0)?;
    Some((MsgNo(number), words.next()?.parse().ok()?))
}

/// A unique-id listing, "number id". The id is taken as it is, whatever its length and bytes. `None`: there is none.
pub(super) fn parse_uidl(line: &[u8]) -> Option<(MsgNo, Uidl)> {
    let line = line.trim_ascii_start();
    let digits = line.iter().take_while(|byte| byte.is_ascii_digit()).count();
    let (number, rest) = line.split_at_checked(digits)?;
    let number = std::str::from_utf8(number)
        .ok()?
        .parse()
        .ok()
        .filter(|number| *number > 0)?;
    let id = rest.strip_prefix(b" ").or_else(|| rest.strip_prefix(b"\t"))?;
    let blanks = id.iter().take_while(|byte| matches!(byte, b' ' | b'\t')).count();
    let id = id.get(blanks..).filter(|id| !id.is_empty())?;
    Some((MsgNo(number), Uidl(id.to_vec())))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn knows_status_lines() {
        let check = |line: &[u8], expect: Option<(bool, &[u8])>| {
            let found = Reply::parse(line);
            let expect = expect.map(|(is_ok, text)| Reply {
                is_ok,
                text: text.to_vec(),
            });
            assert_eq!(found, expect, "{:?}", line.escape_ascii().to_string());
        };
        check(b"+OK", Some((true, b"")));
        check(b"+OK 3 messages \r\n", Some((true, b"3 messages")));
        check(b"+ok\tcaf\xe9", Some((true, b"caf\xe9")));
        check(b"-ERR [AUTH] no", Some((false, b"[AUTH] no")));
        check(b"+OKAY", None);
        check(b" +OK", None);
        check(b"OK", None);
        check(b"+ challenge", None);
        check(b"", None);
    }

    #[test]
    fn refused_logins_are_not_all_about_the_password() {
        let check = |text: &str, codes: bool, expect: ErrorClass| {
            let reply = Reply {
                is_ok: false,
                text: text.as_bytes().to_vec(),
            };
            assert_eq!(
                reply.login_refusal("h", codes, "refused").class,
                expect,
                "{text:?}"
            );
        };
        check("[AUTH] bad password", true, ErrorClass::Auth);
        check("[auth] bad password", false, ErrorClass::Auth);
        check("invalid user or password", false, ErrorClass::Auth);
        check("invalid", true, ErrorClass::Refused);
        check("[IN-USE] do you have another session?", true, ErrorClass::Network);
        check("[LOGIN-DELAY] wait", true, ErrorClass::Network);
        check("[SYS/TEMP] database away", true, ErrorClass::Network);
        check("[SYS/PERM] mailbox broken", true, ErrorClass::Refused);
        check("unable to lock maildrop", false, ErrorClass::Network);
        check("[unclosed", false, ErrorClass::Auth);
    }

    #[test]
    fn reads_capabilities() {
        let lines: [&[u8]; 9] = [
            b"TOP",
            b"uidl",
            b"SASL PLAIN scram-sha-256",
            b"EXPIRE 60",
            b"LOGIN-DELAY 900 USER",
            b"UTF8 USER",
            b"IMPLEMENTATION Some Server 1.2",
            b"",
            b"X-\xff ODD",
        ];
        let found = Capabilities::parse(lines);
        assert!(found.known && found.top && found.uidl && found.utf8 && !found.pipelining && !found.user);
        assert_eq!(found.sasl, ["PLAIN", "SCRAM-SHA-256"]);
        assert_eq!((found.expire_days, found.login_delay), (Some(60), Some(900)));
        assert_eq!(found.implementation.as_deref(), Some("Some Server 1.2"));
        assert_eq!(found.lines.len(), 8);
        assert_eq!(Capabilities::parse([&b"EXPIRE NEVER"[..]]).expire_days, None);
    }

    #[test]
    fn reads_listings() {
        let check = |line: &[u8], expect: Option<(u32, u64)>| {
            assert_eq!(
                parse_size(line).map(|(number, size)| (number.0, size)),
                expect,
                "{line:?}"
            );
        };
        check(b"1 120", Some((1, 120)));
        check(b"2  200 more words", Some((2, 200)));
        check(b"0 5", None);
        check(b"1", None);
        check(b"-1 5", None);
        check(b"1 99999999999999999999", None);
        check(b"4294967296 1", None);
        check(b"\xff 1", None);
    }

    #[test]
    fn takes_unique_ids_as_they_are() {
        let check = |line: &[u8], expect: Option<(u32, &[u8])>| {
            let expect = expect.map(|(number, id)| (MsgNo(number), Uidl(id.to_vec())));
            assert_eq!(parse_uidl(line), expect, "{:?}", line.escape_ascii().to_string());
        };
        check(
            b"1 whqtswO00WBw418f9t5JxYwZ",
            Some((1, b"whqtswO00WBw418f9t5JxYwZ")),
        );
        check(b"2 a b c", Some((2, b"a b c")));
        check(b"3 \xff\xfe\0", Some((3, b"\xff\xfe\0")));
        check(b"4   padded ", Some((4, b"padded ")));
        check(b"5\ttab", Some((5, b"tab")));
        check(b"6 ", None);
        check(b"7", None);
        check(b"8x", None);
        check(b"0 x", None);
        check(b"x 1", None);
        let long = [b"9 ".as_slice(), &[b'x'; 5000]].concat();
        assert_eq!(parse_uidl(&long).map(|(_, id)| id.0.len()), Some(5000));
    }
}
