//! What POP3 servers get wrong, by name: found out on the wire, remembered for the account's next connections of a
//! check, and each with a test.

use posthorn_model::{MsgNo, Uidl};
use std::collections::BTreeSet;

/// One way of a server's own.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub enum Quirk {
    /// No CAPA (RFC 2449): what it can do is found by trying.
    NoCapa,
    NoUidl,
    NoTop,
    /// TOP does not show whole messages, or sizes do not tell whether it does: they come by RETR.
    PartialTop,
    /// TOP was refused for a message: the others come by RETR in this session too.
    RefusedTop,
    /// One unique id for several messages.
    RepeatedUidl,
    /// Unique ids longer than 70 characters, or of others than RFC 1939, section 7 allows.
    OddUidl,
    /// Lines of messages end with a bare LF, or a bare CR.
    BareLineEnds,
    /// Dots are not stuffed as RFC 1939, section 3 says: messages are read by the size that LIST gives.
    WrongStuffing,
    /// LIST gives sizes that messages do not have; whole ones are known by their end alone.
    WrongSizes,
    /// Messages end without the lone dot.
    Unterminated,
    /// Messages that were fetched once are not listed again (Gmail), and no more than some 250 at a time.
    HidesFetched,
    /// Only the last 30 days are listed (Gmail with `recent:` before the user name): what is older is not gone.
    RecentOnly,
    /// Neither dots nor sizes tell where a message ends: each is fetched alone, and ends where the server falls silent.
    Unbounded,
}

impl Quirk {
    pub const ALL: [Self; 14] = [
        Self::NoCapa,
        Self::NoUidl,
        Self::NoTop,
        Self::PartialTop,
        Self::RefusedTop,
        Self::RepeatedUidl,
        Self::OddUidl,
        Self::BareLineEnds,
        Self::WrongStuffing,
        Self::WrongSizes,
        Self::Unterminated,
        Self::HidesFetched,
        Self::RecentOnly,
        Self::Unbounded,
    ];

    #[must_use]
    pub const fn name(self) -> &'static str {
        match self {
            Self::NoCapa => "no-capa",
            Self::NoUidl => "no-uidl",
            Self::NoTop => "no-top",
            Self::PartialTop => "partial-top",
            Self::RefusedTop => "refused-top",
            Self::RepeatedUidl => "repeated-uidl",
            Self::OddUidl => "odd-uidl",
            Self::BareLineEnds => "bare-line-ends",
            Self::WrongStuffing => "wrong-stuffing",
            Self::WrongSizes => "wrong-sizes",
            Self::Unterminated => "unterminated",
            Self::HidesFetched => "hides-fetched",
            Self::RecentOnly => "recent-only",
            Self::Unbounded => "unbounded",
        }
    }

    /// What it means for the user's mail.
    #[must_use]
    pub const fn explain(self) -> &'static str {
        match self {
            Self::NoCapa => "the server does not say what it can do; it is found by trying",
            Self::NoUidl => {
                "the server gives messages no names; they are known by their headers, or by their bytes"
            }
            Self::NoTop => "the server shows no headers alone; messages come whole",
            Self::PartialTop => {
                "the server shows only a part of a message; messages come by RETR, which some servers take for a removal"
            }
            Self::RefusedTop => "the server did not show a message; messages come by RETR in this session",
            Self::RepeatedUidl => {
                "the server gives several messages one name; they are known by their headers"
            }
            Self::OddUidl => "the server's names for messages are longer or odder than the standard allows",
            Self::BareLineEnds => "the server ends lines in its own way; messages are kept as they come",
            Self::WrongStuffing => {
                "the server sends lines with dots wrongly; messages are read by their size"
            }
            Self::WrongSizes => "the server's sizes are wrong; messages are known to be whole by their end",
            Self::Unterminated => {
                "the server leaves out the end of messages; they are taken where their size agrees"
            }
            Self::HidesFetched => "the provider lists no message twice once it was fetched",
            Self::RecentOnly => "the provider lists the mail of the last 30 days only",
            Self::Unbounded => {
                "the server does not say where a message ends; each is fetched alone, and ends where the server falls silent"
            }
        }
    }
}

/// Gmail says in its greeting who it is; `recent:` before the user name makes it list the last 30 days again and again.
pub(super) fn of_provider(greeting: &[u8], username: &str) -> Option<Quirk> {
    let recent = username.starts_with("recent:");
    let quirk = if recent {
        Quirk::RecentOnly
    } else {
        Quirk::HidesFetched
    };
    greeting.starts_with(b"Gpop").then_some(quirk)
}

/// What servers call themselves that keep a message which RETR has fetched, however the connection ends.
const KEEPERS: [&str; 5] = ["dovecot", "courier", "cyrus", "microsoft exchange", "gpop"];

/// Whether RETR is known to change nothing that matters, so that its speed may be had.
pub(super) fn keeps_fetched(greeting: &[u8], implementation: Option<&str>) -> bool {
    let said = [
        &String::from_utf8_lossy(greeting),
        implementation.unwrap_or_default(),
    ];
    said.iter().any(|text| {
        let text = text.to_ascii_lowercase();
        KEEPERS.iter().any(|name| text.contains(name))
    })
}

pub(super) fn of_uidls(uidls: &[(MsgNo, Uidl)]) -> BTreeSet<Quirk> {
    let mut found = BTreeSet::new();
    let mut seen = BTreeSet::new();
    for (_, uidl) in uidls {
        let usual = uidl.0.len() <= 70 && uidl.0.iter().all(u8::is_ascii_graphic);
        if !usual {
            found.insert(Quirk::OddUidl);
        }
        if !seen.insert(uidl) {
            found.insert(Quirk::RepeatedUidl);
        }
    }
    found
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn knows_odd_names_and_gmail() {
        let check = |uidls: &[&[u8]], expect: &[Quirk]| {
            let uidls: Vec<_> = uidls.iter().map(|uidl| (MsgNo(1), Uidl(uidl.to_vec()))).collect();
            assert_eq!(of_uidls(&uidls), expect.iter().copied().collect());
        };
        check(&[b"a", b"b"], &[]);
        check(&[b"a", b"a"], &[Quirk::RepeatedUidl]);
        check(&[b"a b"], &[Quirk::OddUidl]);
        check(&[&[b'x'; 70]], &[]);
        check(&[&[b'x'; 71]], &[Quirk::OddUidl]);
        check(&[b"\xff"], &[Quirk::OddUidl]);
        let check = |greeting: &[u8], username, expect| {
            assert_eq!(of_provider(greeting, username), expect, "{username}");
        };
        check(
            b"Gpop ready for requests from 192.0.2.1",
            "a@gmail.com",
            Some(Quirk::HidesFetched),
        );
        check(
            b"Gpop ready for requests",
            "recent:a@gmail.com",
            Some(Quirk::RecentOnly),
        );
        check(b"Dovecot ready.", "recent:a@example.org", None);
    }

    #[test]
    fn knows_servers_that_keep_what_was_fetched() {
        let check = |greeting: &[u8], implementation, expect| {
            assert_eq!(
                keeps_fetched(greeting, implementation),
                expect,
                "{implementation:?}"
            );
        };
        check(b"Dovecot (Debian) ready.", None, true);
        check(b"Gpop ready for requests from 192.0.2.1", None, true);
        check(b"Hello there.", Some("Courier Mail Server"), true);
        check(b"The Microsoft Exchange POP3 service is ready.", None, true);
        check(b"POP3 ready", Some("Some Server 1.2"), false);
        check(b"", None, false);
    }

    #[test]
    fn quirks_have_names_of_their_own() {
        let names: BTreeSet<_> = Quirk::ALL.iter().map(|quirk| quirk.name()).collect();
        assert_eq!(names.len(), Quirk::ALL.len());
    }
}
