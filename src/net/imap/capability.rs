//! What a server says it can do (RFC 9051 section 7.2.2).

use std::collections::BTreeSet;

/// A server that offers more is believed up to here.
const MOST: usize = 500;

const REV2: &str = "IMAP4REV2";

/// What IMAP4rev2 includes (RFC 9051 appendix E).
const INCLUDED: [&str; 15] = [
    "NAMESPACE",
    "UNSELECT",
    "UIDPLUS",
    "ESEARCH",
    "SEARCHRES",
    "ENABLE",
    "IDLE",
    "SASL-IR",
    "LIST-EXTENDED",
    "LIST-STATUS",
    "MOVE",
    "LITERAL-",
    "SPECIAL-USE",
    "STATUS=SIZE",
    "BINARY",
];

/// A set of capability names, compared without case.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct Capabilities(BTreeSet<String>);

impl Capabilities {
    /// Reads what follows the word `CAPABILITY`.
    pub(super) fn parse(text: &str) -> Self {
        let names = text
            .split_ascii_whitespace()
            .filter(|name| name.len() <= 100 && name.bytes().all(|byte| byte.is_ascii_graphic()))
            .take(MOST);
        Self(names.map(str::to_ascii_uppercase).collect())
    }

    /// Whether the server has this; what IMAP4rev2 includes it has with that.
    #[must_use]
    pub fn has(&self, name: &str) -> bool {
        let name = name.to_ascii_uppercase();
        self.0.contains(&name) || (self.0.contains(REV2) && INCLUDED.contains(&name.as_str()))
    }

    #[must_use]
    pub fn is_empty(&self) -> bool {
        self.0.is_empty()
    }

    /// In upper case, sorted.
    pub fn iter(&self) -> impl Iterator<Item = &str> {
        self.0.iter().map(String::as_str)
    }

    /// For what the server only claims to have.
    pub(super) fn remove(&mut self, name: &str) {
        if self.0.remove(REV2) {
            self.0.extend(INCLUDED.into_iter().map(str::to_owned));
        }
        self.0.remove(name);
    }
}

/// What the list of capabilities not to be used calls all of them.
const ALL: &str = "all";

impl Capabilities {
    /// Strikes what is not to be used; `all` leaves what a session cannot begin without.
    pub(super) fn strike(&mut self, without: &[String]) {
        for name in without {
            if name.eq_ignore_ascii_case(ALL) {
                let rev1 = "IMAP4REV1";
                let kept = |name: &String| {
                    [rev1, REV2, "STARTTLS", "LOGINDISABLED"].contains(&name.as_str())
                        || name.starts_with("AUTH=")
                };
                self.0.retain(kept);
                if self.0.contains(rev1) || self.0.remove(REV2) {
                    self.0.remove(REV2);
                    self.0.insert(rev1.to_owned());
                }
            } else {
                self.remove(&name.to_ascii_uppercase());
            }
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn reads_names_in_any_case() {
        let capabilities = Capabilities::parse("IMAP4rev1 idle AUTH=PLAIN\r\n");
        assert!(capabilities.has("IDLE") && capabilities.has("auth=plain"));
        assert!(!capabilities.has("MOVE"));
        assert!(Capabilities::parse("IMAP4rev2").has("MOVE"));
        assert_eq!(Capabilities::parse(&"X ".repeat(10)).iter().count(), 1);
        let mut doubted = Capabilities::parse("IMAP4rev2");
        doubted.remove("LIST-EXTENDED");
        assert!(doubted.has("MOVE") && !doubted.has("LIST-EXTENDED"));
    }

    #[test]
    fn strikes_what_is_not_to_be_used() {
        let check = |list: &str, without: &[&str], expect: &str| {
            let mut capabilities = Capabilities::parse(list);
            let without: Vec<String> = without.iter().map(|&name| name.to_owned()).collect();
            capabilities.strike(&without);
            assert_eq!(
                capabilities,
                Capabilities::parse(expect),
                "{list} without {without:?}"
            );
        };
        check("IMAP4rev1 IDLE MOVE", &["idle"], "IMAP4rev1 MOVE");
        check("IMAP4rev1 IDLE", &[], "IMAP4rev1 IDLE");
        check(
            "IMAP4rev1 IMAP4rev2 STARTTLS AUTH=PLAIN SASL-IR IDLE LITERAL+",
            &["ALL"],
            "IMAP4rev1 STARTTLS AUTH=PLAIN",
        );
        check(
            "IMAP4rev2 LOGINDISABLED NOTIFY",
            &["all"],
            "IMAP4rev1 LOGINDISABLED",
        );
    }
}
