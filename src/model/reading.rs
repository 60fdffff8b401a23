//! What a reader allows: pictures on servers, receipts, and whose word counts on who a message is from.

use serde::{Deserialize, Serialize};
use std::collections::BTreeSet;
use std::fmt;

use crate::AccountId;

/// What is done with pictures on servers while no rule names the sender.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, Hash, Serialize, Deserialize)]
#[serde(rename_all = "lowercase")]
pub enum PicturePolicy {
    #[default]
    Ask,
    /// Not even offered.
    Never,
    /// Of everybody, also of those who only pretend to be somebody.
    Always,
}

impl PicturePolicy {
    pub const ALL: [Self; 3] = [Self::Ask, Self::Never, Self::Always];
}

/// What is done where a sender wants to be told that a message was read (RFC 8098).
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, Hash, Serialize, Deserialize)]
#[serde(rename_all = "lowercase")]
pub enum ReceiptPolicy {
    #[default]
    Never,
    /// Each time; nothing is sent without an answer.
    Ask,
}

/// The longest sender that a rule may name, in bytes.
const LONGEST: usize = 320;

/// Whom a rule is about: one address, or a domain with everything below it.
#[derive(Clone, Debug, PartialEq, Eq, PartialOrd, Ord, Hash, Serialize, Deserialize)]
#[serde(try_from = "String", into = "String")]
pub enum Sender {
    Address(String),
    Domain(String),
}

impl Sender {
    /// Reads `name@example.org` or `@example.org`; `None` where it is neither. Case does not count.
    #[must_use]
    pub fn parse(text: &str) -> Option<Self> {
        let text = text.trim().to_lowercase();
        let (local, domain) = text.rsplit_once('@')?;
        let domain = domain.trim_end_matches('.');
        let odd = |c: char| c.is_control() || c.is_whitespace() || matches!(c, '<' | '>' | ',' | ';');
        let bad = text.len() > LONGEST || text.contains(odd);
        if bad || domain.is_empty() || domain.starts_with('.') || domain.contains("..") {
            return None;
        }
        Some(if local.is_empty() {
            Self::Domain(domain.to_owned())
        } else {
            Self::Address(format!("{local}@{domain}"))
        })
    }

    /// Whether this address is meant.
    #[must_use]
    pub fn covers(&self, email: &str) -> bool {
        let Some(Self::Address(email)) = Self::parse(email) else {
            return false;
        };
        match self {
            Self::Address(address) => *address == email,
            Self::Domain(domain) => email.rsplit_once('@').is_some_and(|(_, host)| {
                host.strip_suffix(domain.as_str())
                    .is_some_and(|above| above.is_empty() || above.ends_with('.'))
            }),
        }
    }
}

impl fmt::Display for Sender {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Self::Address(address) => f.write_str(address),
            Self::Domain(domain) => write!(f, "@{domain}"),
        }
    }
}

impl From<Sender> for String {
    fn from(sender: Sender) -> Self {
        sender.to_string()
    }
}

impl TryFrom<String> for Sender {
    type Error = String;

    fn try_from(text: String) -> Result<Self, String> {
        Self::parse(&text).ok_or_else(|| format!("{text:?} is neither an address nor an @domain"))
    }
}

/// Whose `Authentication-Results` (RFC 8601) are believed for one account.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct TrustedServers {
    pub id: AccountId,
    /// The names that the account's own server writes first in the field. Empty: nobody is believed.
    pub servers: Vec<String>,
    /// They take away fields that pretend to be theirs, as RFC 8601 section 5 asks; so theirs counts wherever it
    /// stands. Without it, only what stands above the trace of the way in.
    #[serde(default)]
    pub removes_forged: bool,
}

/// What the user allows when mail is read.
#[derive(Clone, Debug, Default, PartialEq, Eq, Serialize, Deserialize)]
#[serde(deny_unknown_fields, default)]
pub struct ReadingSettings {
    pub pictures: PicturePolicy,
    pub receipts: ReceiptPolicy,
    /// Their pictures are shown without a question, where it is certain that a message is theirs.
    #[serde(skip_serializing_if = "BTreeSet::is_empty")]
    pub pictures_from: BTreeSet<Sender>,
    /// Their pictures are never shown, nor offered.
    #[serde(skip_serializing_if = "BTreeSet::is_empty")]
    pub no_pictures_from: BTreeSet<Sender>,
    /// Accounts whose trusted servers the user has named. For others they are learnt from the mail itself.
    #[serde(rename = "account", skip_serializing_if = "Vec::is_empty")]
    pub accounts: Vec<TrustedServers>,
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn senders_are_read() {
        let check = |text: &str, expect: Option<&str>| {
            let read = Sender::parse(text).map(|sender| sender.to_string());
            assert_eq!(read.as_deref(), expect, "{text:?}");
        };
        check("News@Shop.Example", Some("news@shop.example"));
        check(" @shop.example. ", Some("@shop.example"));
        check("\"a@b\"@shop.example", Some("\"a@b\"@shop.example"));
        for bad in [
            "",
            "shop.example",
            "@",
            "a@",
            "@.x",
            "@a..b",
            "a b@c",
            "a@b,c@d",
            "a\n@b",
            "<a@b>",
        ] {
            check(bad, None);
        }
        check(&format!("{}@x", "a".repeat(400)), None);
    }

    #[test]
    fn a_domain_covers_what_is_below_it_and_nothing_beside() {
        let check = |rule: &str, email: &str, expect: bool| {
            let rule = Sender::parse(rule).expect("a rule");
            assert_eq!(rule.covers(email), expect, "{rule} {email}");
        };
        check("a@x.example", "A@X.example", true);
        check("a@x.example", "b@x.example", false);
        check("@x.example", "a@x.example", true);
        check("@x.example", "a@mail.x.example", true);
        check("@x.example", "a@evilx.example", false);
        check("@x.example", "a@x.example.evil", false);
        check("@x.example", "a@x.example@evil", false);
        check("@x.example", "x.example", false);
        check("@x.example", "@x.example", false);
    }
}
