//! Which messages exist, and which have a Message-ID (RFC 9051 section 6.4.4, RFC 4731); and sets of them that a
//! server names.

use posthorn_model::{ErrorClass, Uid, UidSet};

use super::Session;
use super::client::Reply;
use super::code::{self, Verdict};
use super::guard::Captured;
use super::mailboxes::begins;
use crate::Error;

/// Messages in one mailbox, and ranges in a set of them.
const MOST_FOUND: u64 = 20_000_000;
const MOST_RANGES: usize = 4_000_000;
/// Ranges that are put into a set one by one.
const FEW: usize = 16;

impl Session {
    /// All UIDs in the selected mailbox as it is now.
    ///
    /// # Errors
    /// Where the command does not end in OK.
    pub async fn search_all_uids(&mut self) -> Result<UidSet, Error> {
        self.search("ALL").await
    }

    /// Those that are marked \Deleted.
    ///
    /// # Errors
    /// Where the command does not end in OK.
    pub async fn search_marked(&mut self) -> Result<UidSet, Error> {
        self.search("DELETED").await
    }

    /// Messages whose Message-ID contains this (RFC 9051 section 6.4.4: a substring), so that each has to be asked what
    /// it is: to find what an append did before its connection was lost.
    ///
    /// # Errors
    /// Where the command does not end in OK, or the id cannot be sent.
    pub async fn find_message_id(&mut self, id: &str) -> Result<UidSet, Error> {
        if id.is_empty() || !id.is_ascii() || id.contains(['\r', '\n', '\0']) || id.len() > 900 {
            let what = "this message id cannot be searched for";
            return Err(Error::new(ErrorClass::Refused, self.client.host(), what).permanently(true));
        }
        let id = super::name::quote_text(id);
        self.search(&format!("HEADER Message-ID {id}")).await
    }

    async fn search(&mut self, criteria: &str) -> Result<UidSet, Error> {
        let extended = self.capabilities.has("ESEARCH");
        let wish = if extended { "RETURN (ALL) " } else { "" };
        let mut all = UidSet::default();
        let mut bounded = true;
        let patience = self.client.patience() * 2;
        let done = self
            .client
            .run(&format!("UID SEARCH {wish}{criteria}"), patience, &mut |reply| {
                if let Reply::Data(captured) = reply
                    && bounded
                    && let Some(found) = search_result(&captured)
                {
                    bounded = gather(&mut all, &found);
                }
            })
            .await?;
        if done.verdict == Verdict::Bad && extended {
            self.capabilities.remove("ESEARCH");
            return Box::pin(self.search(criteria)).await;
        }
        done.demand_ok(self.client.host(), "the mailbox could not be searched")?;
        if !bounded || all.len() > MOST_FOUND {
            return Err(Error::protocol(
                self.client.host(),
                "the server finds more messages than can be",
            ));
        }
        Ok(all)
    }
}

/// In time that grows with both sets, whatever their order: each range is put at the end.
pub(super) fn union(a: &UidSet, b: &UidSet) -> UidSet {
    let (mut a_ranges, mut b_ranges) = (a.ranges().iter().peekable(), b.ranges().iter().peekable());
    let mut all = UidSet::default();
    loop {
        let next = match (a_ranges.peek(), b_ranges.peek()) {
            (Some(left), Some(right)) if left <= right => a_ranges.next(),
            (_, Some(_)) => b_ranges.next(),
            (_, None) => a_ranges.next(),
        };
        let Some(&(first, last)) = next else { return all };
        insert(&mut all, u64::from(first), u64::from(last));
    }
}

/// Adds a set that a server named, one of many perhaps; false where it has become more than can be.
pub(super) fn gather(all: &mut UidSet, more: &UidSet) -> bool {
    if more.ranges().len() > FEW {
        *all = union(all, more);
    } else {
        for &(first, last) in more.ranges() {
            insert(all, u64::from(first), u64::from(last));
        }
    }
    all.ranges().len() <= MOST_RANGES
}

/// `* SEARCH 1 2 3` and `* ESEARCH (TAG "A1") UID ALL 1:3,5`.
fn search_result(captured: &Captured) -> Option<UidSet> {
    let text = captured.text.trim_ascii_end();
    if begins(captured, b"SEARCH") {
        let words = text.split(|byte| *byte == b' ').skip(2);
        // RFC 7162 section 3.1.5 may add `(MODSEQ n)`.
        let uids = words.take_while(|word| !word.starts_with(b"("));
        return Some(
            uids.filter_map(super::scan::number)
                .filter_map(|number| u32::try_from(number).ok())
                .filter_map(Uid::new)
                .collect(),
        );
    }
    if begins(captured, b"ESEARCH") {
        let mut words = text.split(|byte| *byte == b' ');
        words.find(|word| word.eq_ignore_ascii_case(b"ALL"))?;
        return Some(code::uid_set(words.next()?));
    }
    None
}

pub(super) fn insert(set: &mut UidSet, first: u64, last: u64) {
    let uid = |number: u64| u32::try_from(number).ok().and_then(Uid::new);
    if let (Some(first), Some(last)) = (uid(first), uid(last)) {
        set.insert_range(first, last);
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn reads_search_results() {
        let check = |text: &str, expect: Option<&str>| {
            let captured = Captured {
                text: text.as_bytes().to_vec(),
                ..Captured::default()
            };
            let found = search_result(&captured).map(|set| set.to_string());
            assert_eq!(found.as_deref(), expect, "{text:?}");
        };
        check("* SEARCH 3 1 2\r\n", Some("1:3"));
        check("* SEARCH\r\n", Some(""));
        check("* SEARCH 5 x 0 4294967296 (MODSEQ 9)\r\n", Some("5"));
        check("* ESEARCH (TAG \"A1\") UID ALL 1:3,7\r\n", Some("1:3,7"));
        check("* ESEARCH (TAG \"A1\") UID\r\n", None);
        check("* XYZ 1\r\n", None);
    }

    #[test]
    fn sets_are_united() {
        let check = |a: &str, b: &str, expect: &str| {
            let (a, b) = (
                UidSet::parse(a).unwrap_or_default(),
                UidSet::parse(b).unwrap_or_default(),
            );
            assert_eq!(union(&a, &b).to_string(), expect);
            let mut all = a.clone();
            assert!(gather(&mut all, &b));
            assert_eq!(all.to_string(), expect);
        };
        check("", "", "");
        check("1:3,9", "4,20:30", "1:4,9,20:30");
        check("5", "1:10", "1:10");
        check("2,4,6", "1,3,5", "1:6");
        // Interleaved and long: in no time.
        let every = |from: u32| {
            (0..500_000)
                .filter_map(|n| Uid::new(n * 4 + from))
                .collect::<UidSet>()
        };
        assert_eq!(union(&every(1), &every(3)).ranges().len(), 1_000_000);
    }
}
