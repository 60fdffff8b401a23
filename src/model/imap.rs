//! What identifies and orders messages on an IMAP server (RFC 9051 sections 2.3.1 and 2.4, RFC 7162).

use serde::{Deserialize, Serialize};
use std::fmt;
use std::num::NonZeroU32;

/// A unique identifier within one mailbox and one UIDVALIDITY.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Hash, Serialize, Deserialize)]
#[serde(transparent)]
pub struct Uid(pub NonZeroU32);

impl Uid {
    #[must_use]
    pub fn new(value: u32) -> Option<Self> {
        NonZeroU32::new(value).map(Self)
    }

    #[must_use]
    pub const fn value(self) -> u32 {
        self.0.get()
    }
}

impl fmt::Display for Uid {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        self.0.fmt(f)
    }
}

/// The generation of a mailbox's UIDs: when it changes, every remembered UID is void.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Hash, Serialize, Deserialize)]
#[serde(transparent)]
pub struct UidValidity(pub NonZeroU32);

impl UidValidity {
    #[must_use]
    pub fn new(value: u32) -> Option<Self> {
        NonZeroU32::new(value).map(Self)
    }
}

/// A modification sequence (RFC 7162 section 3.1.1): 63 bits, never 0 for a message.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Hash, Serialize, Deserialize)]
#[serde(transparent)]
pub struct ModSeq(pub u64);

/// A set of UIDs as sorted, disjoint, non-adjacent ranges.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct UidSet {
    ranges: Vec<(u32, u32)>,
}

impl UidSet {
    /// `first..=last`; empty where `first > last`.
    #[must_use]
    pub fn range(first: Uid, last: Uid) -> Self {
        let mut set = Self::default();
        set.insert_range(first, last);
        set
    }

    pub fn insert(&mut self, uid: Uid) {
        self.insert_range(uid, uid);
    }

    pub fn insert_range(&mut self, first: Uid, last: Uid) {
        let (mut low, mut high) = (first.value(), last.value());
        if low > high {
            return;
        }
        // Ranges touching [low-1, high+1] melt into one. Appending at the end is the common case.
        let from = self
            .ranges
            .partition_point(|&(_, end)| end < low.saturating_sub(1));
        let mut to = from;
        while let Some(&(start, end)) = self.ranges.get(to) {
            if start > high.saturating_add(1) {
                break;
            }
            low = low.min(start);
            high = high.max(end);
            to += 1;
        }
        self.ranges.splice(from..to, [(low, high)]);
    }

    pub fn remove(&mut self, uid: Uid) {
        *self = self.minus(&Self::range(uid, uid));
    }

    #[must_use]
    pub fn contains(&self, uid: Uid) -> bool {
        let value = uid.value();
        let at = self.ranges.partition_point(|&(_, end)| end < value);
        self.ranges.get(at).is_some_and(|&(start, _)| start <= value)
    }

    #[must_use]
    pub fn is_empty(&self) -> bool {
        self.ranges.is_empty()
    }

    /// How many UIDs, which may exceed 32 bits only for the full range.
    #[must_use]
    pub fn len(&self) -> u64 {
        self.ranges
            .iter()
            .map(|&(start, end)| u64::from(end) - u64::from(start) + 1)
            .sum()
    }

    /// The ranges, first and last included, ascending.
    #[must_use]
    pub fn ranges(&self) -> &[(u32, u32)] {
        &self.ranges
    }

    #[must_use]
    pub fn max(&self) -> Option<Uid> {
        self.ranges.last().and_then(|&(_, end)| Uid::new(end))
    }

    /// Ascending. Bound the set before iterating a set that a server sent: it may hold four thousand million.
    pub fn iter(&self) -> impl DoubleEndedIterator<Item = Uid> + '_ {
        self.ranges
            .iter()
            .flat_map(|&(start, end)| (start..=end).filter_map(Uid::new))
    }

    #[must_use]
    pub fn minus(&self, other: &Self) -> Self {
        let mut left = Vec::with_capacity(self.ranges.len());
        let mut cuts = other.ranges.iter().copied().peekable();
        for &(mut start, end) in &self.ranges {
            while cuts.peek().is_some_and(|&(_, cut_end)| cut_end < start) {
                cuts.next();
            }
            let mut whole = true;
            while let Some(&(cut_start, cut_end)) = cuts.peek() {
                if cut_start > end {
                    break;
                }
                if cut_start > start {
                    left.push((start, cut_start - 1));
                }
                if cut_end >= end {
                    whole = false;
                    break;
                }
                start = start.max(cut_end + 1);
                cuts.next();
            }
            if whole {
                left.push((start, end));
            }
        }
        Self { ranges: left }
    }

    /// Sets of at most `limit` characters of IMAP text each: servers refuse longer lines.
    #[must_use]
    pub fn split_for_wire(&self, limit: usize) -> Vec<Self> {
        let mut sets: Vec<Self> = Vec::new();
        let mut used = 0;
        for &(start, end) in &self.ranges {
            let width = start.to_string().len() + end.to_string().len() + 2;
            if sets.is_empty() || used + width > limit {
                sets.push(Self::default());
                used = 0;
            }
            used += width;
            if let Some(set) = sets.last_mut() {
                set.ranges.push((start, end));
            }
        }
        sets
    }

    /// Reads IMAP `uid-set` text (`1:4,7`); `None` for anything else, `*` included.
    #[must_use]
    pub fn parse(text: &str) -> Option<Self> {
        let mut set = Self::default();
        for item in text.split(',') {
            let (a, b) = item.split_once(':').unwrap_or((item, item));
            let a = Uid::new(a.parse().ok()?)?;
            let b = Uid::new(b.parse().ok()?)?;
            set.insert_range(a.min(b), a.max(b));
        }
        Some(set)
    }
}

impl FromIterator<Uid> for UidSet {
    fn from_iter<I: IntoIterator<Item = Uid>>(uids: I) -> Self {
        let mut sorted: Vec<Uid> = uids.into_iter().collect();
        sorted.sort_unstable();
        let mut set = Self::default();
        for uid in sorted {
            set.insert(uid);
        }
        set
    }
}

/// IMAP `uid-set` text; empty for the empty set, which no command accepts.
impl fmt::Display for UidSet {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        for (index, (start, end)) in self.ranges.iter().enumerate() {
            let comma = if index > 0 { "," } else { "" };
            if start == end {
                write!(f, "{comma}{start}")?;
            } else {
                write!(f, "{comma}{start}:{end}")?;
            }
        }
        Ok(())
    }
}

/// What is known of a mailbox on the server, written in the same transaction as the messages it describes.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct SyncState {
    pub uid_validity: UidValidity,
    /// Every message below this UID has been seen here (RFC 9051 UIDNEXT at the last complete sync).
    pub uid_next: u32,
    /// All changes up to here have been seen; `None` where the server has no CONDSTORE.
    pub highest_modseq: Option<ModSeq>,
}

#[cfg(test)]
mod tests {
    use super::*;
    use proptest::prelude::*;
    use std::collections::BTreeSet;

    fn set(text: &str) -> UidSet {
        if text.is_empty() {
            UidSet::default()
        } else {
            UidSet::parse(text).unwrap_or_default()
        }
    }

    #[test]
    fn ranges_melt_and_subtract() {
        let check = |a: &str, b: &str, expect: &str| {
            assert_eq!(set(a).minus(&set(b)).to_string(), expect, "{a} minus {b}");
        };
        check("1:10", "", "1:10");
        check("1:10", "5", "1:4,6:10");
        check("1:10", "1:10", "");
        check("1:3,5:9", "2:6", "1,7:9");
        check("5,1,2,3,9:7", "8", "1:3,5,7,9");
        check("1:3,6:9", "1,7,9", "2:3,6,8");
    }

    #[test]
    fn refuses_what_is_not_a_uid_set() {
        for text in ["", "0", "1:*", "a", "1,,2", "4294967296", "-1"] {
            assert_eq!(UidSet::parse(text), None, "{text:?}");
        }
    }

    #[test]
    fn splits_by_length() {
        let long: UidSet = (0..1000).filter_map(|n| Uid::new(n * 2 + 1)).collect();
        let parts = long.split_for_wire(100);
        assert!(parts.iter().all(|part| part.to_string().len() <= 100));
        assert_eq!(parts.iter().map(UidSet::len).sum::<u64>(), 1000);
    }

    proptest! {
        #[test]
        fn behaves_like_a_set(a in proptest::collection::vec(1u32..60, 0..40), b in proptest::collection::vec(1u32..60, 0..40)) {
            let uids = |v: &[u32]| v.iter().filter_map(|n| Uid::new(*n)).collect::<UidSet>();
            let plain = |v: &[u32]| v.iter().copied().collect::<BTreeSet<u32>>();
            let (left, right) = (uids(&a), uids(&b));
            let expect: Vec<u32> = plain(&a).difference(&plain(&b)).copied().collect();
            prop_assert_eq!(left.minus(&right).iter().map(Uid::value).collect::<Vec<_>>(), expect);
            prop_assert_eq!(left.len(), plain(&a).len() as u64);
            for n in 1..60 {
                let uid = Uid::new(n);
                prop_assert_eq!(uid.is_some_and(|uid| left.contains(uid)), a.contains(&n));
            }
            if !left.is_empty() {
                prop_assert_eq!(UidSet::parse(&left.to_string()), Some(left));
            }
        }
    }
}
