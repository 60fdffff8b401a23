//! Servers' faults, each with its name: how it shows, where it was seen, and what is done about it. What our parsers
//! merely bear has its name in the tests (`tests/quirks.rs`).

use super::capability::Capabilities;

/// How a server shows that it has a fault.
enum Sign {
    /// It announces this.
    Capability(&'static str),
    /// It calls itself so, in its greeting or by ID (RFC 2971).
    Name(&'static str),
}

/// What is done differently, beyond passing over extensions.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) enum Care {
    /// STATUS is not asked for MAILBOXID.
    NoMailboxIdInStatus,
    /// Messages are not fetched in pieces.
    NoPieces,
}

struct Quirk {
    /// What it is called in the log.
    name: &'static str,
    sign: Sign,
    /// Announced, but not to be relied upon.
    broken: &'static [&'static str],
    care: Option<Care>,
}

const QUIRKS: [Quirk; 4] = [
    // Yahoo and AOL count changes in a way of their own and refuse or forget what the standard needs.
    Quirk {
        name: "yahoo-modseq-of-its-own",
        sign: Sign::Capability("XYMHIGHESTMODSEQ"),
        broken: &["CONDSTORE", "QRESYNC"],
        care: None,
    },
    // iCloud answers ENABLE QRESYNC without ENABLED and then names living messages in VANISHED
    // (Mailspring-Sync pull request 91, MailKit issue 1871).
    Quirk {
        name: "icloud-vanished-lives",
        sign: Sign::Capability("XAPPLELITERAL"),
        broken: &["QRESYNC"],
        care: None,
    },
    // Cyrus 3.6 puts bytes of uninitialised memory into MAILBOXID where LIST returns it with STATUS.
    Quirk {
        name: "cyrus-mailboxid-garbage",
        sign: Sign::Name("cyrus"),
        broken: &[],
        care: Some(Care::NoMailboxIdInStatus),
    },
    // hMailServer crashes when a piece is asked for that begins beyond the end, and once returned other pieces than
    // were asked for (its issues 524 and 334).
    Quirk {
        name: "hmailserver-crashes-beyond-the-end",
        sign: Sign::Name("hmailserver"),
        broken: &[],
        care: Some(Care::NoPieces),
    },
];

/// The faults that a server has shown.
#[derive(Debug, Default)]
pub(super) struct Quirks(Vec<&'static Quirk>);

impl Quirks {
    /// Notes faults, and takes away what the server only claims. `called` is what it calls itself, so far as known.
    pub(super) fn learn(&mut self, capabilities: &mut Capabilities, called: &str) {
        let called = called.to_ascii_lowercase();
        for quirk in &QUIRKS {
            let shows = match quirk.sign {
                Sign::Capability(name) => capabilities.has(name),
                Sign::Name(name) => called.contains(name),
            };
            if shows && !self.0.iter().any(|known| known.name == quirk.name) {
                log::debug!("The server has the quirk {}.", quirk.name);
                self.0.push(quirk);
                quirk.broken.iter().for_each(|name| capabilities.remove(name));
            }
        }
    }

    pub(super) fn ask_for(&self, care: Care) -> bool {
        self.0.iter().any(|quirk| quirk.care == Some(care))
    }
}

impl std::fmt::Debug for Quirk {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        f.write_str(self.name)
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn takes_away_what_is_only_claimed() {
        let check = |list: &str, called: &str, expect: &str, care: Option<Care>| {
            let mut capabilities = Capabilities::parse(list);
            let mut quirks = Quirks::default();
            quirks.learn(&mut capabilities, called);
            quirks.learn(&mut capabilities, called);
            assert_eq!(capabilities, Capabilities::parse(expect), "{list}");
            for each in [Care::NoMailboxIdInStatus, Care::NoPieces] {
                assert_eq!(quirks.ask_for(each), care == Some(each), "{list} {called}");
            }
        };
        check(
            "IDLE CONDSTORE QRESYNC XYMHIGHESTMODSEQ",
            "",
            "IDLE XYMHIGHESTMODSEQ",
            None,
        );
        check(
            "CONDSTORE QRESYNC XAPPLELITERAL",
            "",
            "CONDSTORE XAPPLELITERAL",
            None,
        );
        check("CONDSTORE QRESYNC", "Dovecot", "CONDSTORE QRESYNC", None);
        let cyrus = "host Cyrus IMAP 3.6.1-Debian server ready";
        check("OBJECTID", cyrus, "OBJECTID", Some(Care::NoMailboxIdInStatus));
        check("IDLE", "hMailServer", "IDLE", Some(Care::NoPieces));
    }
}
