//! Message flags and keywords (RFC 9051 section 2.3.2) and how three views of them merge.

use serde::{Deserialize, Serialize};
use std::collections::BTreeSet;
use std::fmt;

/// A system flag.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Hash, Serialize, Deserialize)]
#[serde(rename_all = "lowercase")]
pub enum Flag {
    Seen,
    Answered,
    Flagged,
    Deleted,
    Draft,
}

impl Flag {
    pub const ALL: [Self; 5] = [
        Self::Seen,
        Self::Answered,
        Self::Flagged,
        Self::Deleted,
        Self::Draft,
    ];

    /// Its bit in the store's `flags` column.
    #[must_use]
    pub const fn bit(self) -> u8 {
        match self {
            Self::Seen => 1,
            Self::Answered => 2,
            Self::Flagged => 4,
            Self::Deleted => 8,
            Self::Draft => 16,
        }
    }

    /// As IMAP writes it, backslash included.
    #[must_use]
    pub const fn imap_name(self) -> &'static str {
        match self {
            Self::Seen => "\\Seen",
            Self::Answered => "\\Answered",
            Self::Flagged => "\\Flagged",
            Self::Deleted => "\\Deleted",
            Self::Draft => "\\Draft",
        }
    }

    /// As people write it on the command line.
    #[must_use]
    pub const fn name(self) -> &'static str {
        match self {
            Self::Seen => "seen",
            Self::Answered => "answered",
            Self::Flagged => "flagged",
            Self::Deleted => "deleted",
            Self::Draft => "draft",
        }
    }
}

/// A keyword: an atom chosen by a user or program, such as `$Forwarded`. Compared without regard to case
/// (RFC 9051 section 2.3.2); kept as first written.
#[derive(Clone, Debug, Serialize, Deserialize)]
#[serde(transparent)]
pub struct Keyword(String);

impl Keyword {
    /// `None` where IMAP could not carry it (RFC 9051 `flag-keyword = atom`).
    #[must_use]
    pub fn parse(text: &str) -> Option<Self> {
        let atom = |byte: u8| {
            byte.is_ascii_graphic() && !matches!(byte, b'(' | b')' | b'{' | b'%' | b'*' | b'"' | b'\\' | b']')
        };
        (!text.is_empty() && text.len() <= 255 && text.bytes().all(atom)).then(|| Self(text.into()))
    }

    #[must_use]
    pub fn as_str(&self) -> &str {
        &self.0
    }

    fn folded(&self) -> impl Iterator<Item = u8> + '_ {
        self.0.bytes().map(|byte| byte.to_ascii_lowercase())
    }
}

impl PartialEq for Keyword {
    fn eq(&self, other: &Self) -> bool {
        self.0.eq_ignore_ascii_case(&other.0)
    }
}
impl Eq for Keyword {}
impl PartialOrd for Keyword {
    fn partial_cmp(&self, other: &Self) -> Option<std::cmp::Ordering> {
        Some(self.cmp(other))
    }
}
impl Ord for Keyword {
    fn cmp(&self, other: &Self) -> std::cmp::Ordering {
        self.folded().cmp(other.folded())
    }
}
impl fmt::Display for Keyword {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(&self.0)
    }
}

/// A set of system flags and keywords.
#[derive(Clone, Debug, Default, PartialEq, Eq, Serialize, Deserialize)]
pub struct Flags {
    bits: u8,
    keywords: BTreeSet<Keyword>,
}

impl Flags {
    #[must_use]
    pub fn from_bits(bits: u8, keywords: impl IntoIterator<Item = Keyword>) -> Self {
        let known = Flag::ALL.iter().fold(0, |all, flag| all | flag.bit());
        Self {
            bits: bits & known,
            keywords: keywords.into_iter().collect(),
        }
    }

    /// The system flags as the store keeps them: the sum of [`Flag::bit`].
    #[must_use]
    pub const fn bits(&self) -> u8 {
        self.bits
    }

    #[must_use]
    pub const fn keywords(&self) -> &BTreeSet<Keyword> {
        &self.keywords
    }

    #[must_use]
    pub const fn contains(&self, flag: Flag) -> bool {
        self.bits & flag.bit() != 0
    }

    #[must_use]
    pub fn is_empty(&self) -> bool {
        self.bits == 0 && self.keywords.is_empty()
    }

    pub fn insert(&mut self, flag: Flag) {
        self.bits |= flag.bit();
    }

    pub fn remove(&mut self, flag: Flag) {
        self.bits &= !flag.bit();
    }

    pub fn insert_keyword(&mut self, keyword: Keyword) {
        self.keywords.insert(keyword);
    }

    #[must_use]
    pub fn with(mut self, flag: Flag) -> Self {
        self.insert(flag);
        self
    }

    /// Everything in `self` or `other`.
    #[must_use]
    pub fn union(&self, other: &Self) -> Self {
        Self {
            bits: self.bits | other.bits,
            keywords: self.keywords.union(&other.keywords).cloned().collect(),
        }
    }

    /// Everything in `self` that is not in `other`.
    #[must_use]
    pub fn minus(&self, other: &Self) -> Self {
        Self {
            bits: self.bits & !other.bits,
            keywords: self.keywords.difference(&other.keywords).cloned().collect(),
        }
    }

    /// What must be added and removed to turn `self` into `target`.
    #[must_use]
    pub fn change_to(&self, target: &Self) -> FlagChange {
        FlagChange {
            add: target.minus(self),
            remove: self.minus(target),
        }
    }

    /// Three-way merge, element by element: what changed here since `base` is laid over what the server says.
    #[must_use]
    pub fn merge(local: &Self, base: &Self, remote: &Self) -> Self {
        base.change_to(local).apply(remote)
    }

    /// Names as the command line shows them: system flags in lower case, then keywords.
    #[must_use]
    pub fn names(&self) -> Vec<String> {
        let system = Flag::ALL
            .iter()
            .filter(|flag| self.contains(**flag))
            .map(|flag| flag.name().to_owned());
        system
            .chain(self.keywords.iter().map(ToString::to_string))
            .collect()
    }

    /// Reads one flag as a person or an IMAP server writes it (`seen`, `\Seen`, `$Forwarded`); false where it is
    /// neither a system flag nor a possible keyword. `\Recent` and unknown backslash flags are not kept.
    pub fn insert_named(&mut self, name: &str) -> bool {
        let bare = name.strip_prefix('\\').unwrap_or(name);
        if let Some(flag) = Flag::ALL
            .iter()
            .find(|flag| flag.name().eq_ignore_ascii_case(bare))
        {
            self.insert(*flag);
            return true;
        }
        match Keyword::parse(name) {
            Some(keyword) => {
                self.keywords.insert(keyword);
                true
            }
            None => false,
        }
    }
}

impl FromIterator<Flag> for Flags {
    fn from_iter<I: IntoIterator<Item = Flag>>(flags: I) -> Self {
        flags.into_iter().fold(Self::default(), Self::with)
    }
}

/// Flags to add and flags to remove.
#[derive(Clone, Debug, Default, PartialEq, Eq, Serialize, Deserialize)]
pub struct FlagChange {
    pub add: Flags,
    pub remove: Flags,
}

impl FlagChange {
    #[must_use]
    pub fn adding(flag: Flag) -> Self {
        Self {
            add: Flags::default().with(flag),
            remove: Flags::default(),
        }
    }

    #[must_use]
    pub fn removing(flag: Flag) -> Self {
        Self {
            add: Flags::default(),
            remove: Flags::default().with(flag),
        }
    }

    #[must_use]
    pub fn is_empty(&self) -> bool {
        self.add.is_empty() && self.remove.is_empty()
    }

    #[must_use]
    pub fn apply(&self, flags: &Flags) -> Flags {
        flags.minus(&self.remove).union(&self.add)
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn flags(names: &str) -> Flags {
        let mut flags = Flags::default();
        for name in names.split_whitespace() {
            assert!(flags.insert_named(name), "{name}");
        }
        flags
    }

    #[test]
    fn merges_element_by_element() {
        let check = |local: &str, base: &str, remote: &str, expect: &str| {
            assert_eq!(
                Flags::merge(&flags(local), &flags(base), &flags(remote)),
                flags(expect),
                "local {local:?} base {base:?} remote {remote:?}"
            );
        };
        check("", "", "", "");
        check("seen", "", "", "seen");
        check("", "", "seen", "seen");
        check("", "seen", "seen", "");
        check("seen", "seen", "", "");
        check("seen flagged", "seen", "seen answered", "seen flagged answered");
        check("work", "", "home", "work home");
        check("", "work", "Work home", "home");
    }

    #[test]
    fn keywords_compare_without_case() {
        assert_eq!(Keyword::parse("$Junk"), Keyword::parse("$junk"));
        for bad in ["", "a b", "a(", "\\Seen", "ü"] {
            assert_eq!(Keyword::parse(bad), None, "{bad:?}");
        }
    }
}
