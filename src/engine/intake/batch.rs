//! The way of messages from the wire to the lists: taken apart in batches, made durable in groups, and handed on in the
//! order in which they came.

use posthorn_store::{PreparedRaw, Store};
use tokio::sync::{mpsc, oneshot};

use super::desk;
use crate::Error;

/// Messages that are kept together where they come by the thousand.
pub const GROUP: usize = 500;
/// A group is kept when it holds so many octets, too, as they are kept, or where nothing more is under way.
const OCTETS: usize = 8 << 20;

/// Messages taken apart.
pub struct Batch<T> {
    pub items: Vec<T>,
    /// The bytes of those that are whole: to be kept before anything is listed.
    pub raw: PreparedRaw,
}

/// A batch that is being taken apart.
pub type Pending<T> = oneshot::Receiver<Result<Batch<T>, Error>>;

/// Makes batches durable, several at once: each transaction waits for the disk, and writes whole pages, most of which
/// the next would write again.
pub struct Keeping<T> {
    pub store: Store,
    pub pending: mpsc::Receiver<Pending<T>>,
    /// Messages of a group.
    pub group: usize,
}

impl<T> Keeping<T> {
    /// What is durable next, in the order in which it came; `None` where no more comes.
    ///
    /// # Errors
    /// Where this disk failed: then none of it counts as kept.
    pub async fn next(&mut self) -> Result<Option<Vec<T>>, Error> {
        let Some(first) = self.pending.recv().await else {
            return Ok(None);
        };
        let Batch { mut items, mut raw } = desk::finish(first).await?;
        while items.len() < self.group
            && raw.octets() < OCTETS
            && let Some(more) = super::next(&mut self.pending).await
        {
            let more = desk::finish(more).await?;
            items.extend(more.items);
            raw.append(more.raw);
        }
        if !raw.is_empty() {
            self.store.keep_prepared(raw).await?;
        }
        Ok(Some(items))
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use posthorn_model::{AccountId, ErrorClass, Flags};
    use posthorn_store::{Provenance, RawInput, RawSource};

    fn message(octets: usize, number: u8) -> RawInput {
        // Nothing that could be compressed.
        let mut state = u64::from(number) + 1;
        let bytes = std::iter::repeat_with(|| {
            state ^= state << 13;
            state ^= state >> 7;
            state ^= state << 17;
            state.to_le_bytes()[0]
        });
        RawInput {
            source: RawSource::Bytes(bytes.take(octets).collect()),
            provenance: Provenance {
                account: AccountId(1),
                mailbox: String::new(),
                uid: None,
                uidl: None,
                received: None,
                flags: Flags::default(),
            },
        }
    }

    async fn groups(group: usize, octets: usize, batches: &[&[u8]]) -> Vec<Vec<u8>> {
        let dir = tempfile::tempdir().expect("a directory");
        let store = Store::open(dir.path()).expect("a store");
        let (give, pending) = mpsc::channel(batches.len());
        for numbers in batches {
            let (answer, batch) = oneshot::channel();
            let mut raw = store.preparer().expect("a preparer");
            for number in *numbers {
                raw.add(message(octets, *number)).expect("prepared");
            }
            let items = numbers.to_vec();
            let raw = raw.finish();
            assert!(answer.send(Ok(Batch { items, raw })).is_ok());
            give.send(batch).await.expect("room");
        }
        drop(give);
        let mut keeping = Keeping {
            store: store.clone(),
            pending,
            group,
        };
        let mut all = Vec::new();
        while let Some(items) = keeping.next().await.expect("kept") {
            all.push(items);
            let kept: usize = all.iter().map(Vec::len).sum();
            let durable = store.raw_totals().await.expect("read").0;
            assert_eq!(durable, kept as u64, "durable first");
        }
        all
    }

    #[tokio::test]
    async fn what_comes_fast_is_kept_together_and_in_order() {
        let batches: &[&[u8]] = &[&[1, 2], &[3, 4], &[5]];
        assert_eq!(groups(100, 200, batches).await, [vec![1, 2, 3, 4, 5]]);
        assert_eq!(groups(3, 200, batches).await, [vec![1, 2, 3, 4], vec![5]]);
        // Large ones are no reason to hold more in memory.
        let large = OCTETS / 11;
        let many: &[&[u8]] = &[&[1, 2, 3, 4, 5, 6], &[7, 8, 9, 10, 11, 12], &[13, 14]];
        let expect: [Vec<u8>; 2] = [(1..=12).collect(), vec![13, 14]];
        assert_eq!(groups(100, large, many).await, expect);
    }

    #[tokio::test]
    async fn a_batch_that_could_not_be_taken_apart_is_told() {
        let dir = tempfile::tempdir().expect("a directory");
        let store = Store::open(dir.path()).expect("a store");
        let (give, pending) = mpsc::channel::<Pending<u8>>(1);
        let (answer, batch) = oneshot::channel();
        drop(answer);
        give.send(batch).await.expect("room");
        let mut keeping = Keeping {
            store,
            pending,
            group: 1,
        };
        let error = keeping.next().await.expect_err("nobody answered");
        assert_eq!(error.class, ErrorClass::Bug);
    }
}
