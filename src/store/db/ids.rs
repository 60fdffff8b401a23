//! Ids are handed out before they are stored, so that a batch of writes can name its own new rows.

use std::collections::HashMap;
use std::path::Path;
use std::sync::atomic::{AtomicI64, Ordering};
use std::sync::{Mutex, PoisonError};

use posthorn_model::{MessageId, Timestamp};
use rusqlite::Connection;

use super::file::{Access, open};
use crate::error::{File, Result};

#[derive(Clone, Copy)]
pub(crate) enum Kind {
    Account,
    Mailbox,
    Operation,
    Submission,
}

pub(crate) struct Ids {
    account: AtomicI64,
    mailbox: AtomicI64,
    operation: AtomicI64,
    submission: AtomicI64,
    /// Held for one look-up: callers are many, the work is microseconds.
    serials: Mutex<Serials>,
}

/// The next free serial of the seconds in use. Two generations bound the memory: a second is forgotten only
/// after 32,768 others were used, long after what was handed out for it has been stored.
struct Serials {
    index: Connection,
    young: HashMap<i64, i64>,
    old: HashMap<i64, i64>,
}

const GENERATION: usize = 32_768;

impl Ids {
    /// `index` has its tables already; the look-ups get a connection of their own.
    pub(crate) fn load(dir: &Path, index: &Connection) -> Result<Self> {
        let last = |table: &str| -> Result<AtomicI64> {
            // AUTOINCREMENT's own memory: an id is never used twice, even after its row is gone.
            let seq: i64 = index.query_row(
                "SELECT coalesce(max(seq), 0) FROM sqlite_sequence WHERE name = ?1",
                [table],
                |row| row.get(0),
            )?;
            Ok(AtomicI64::new(seq))
        };
        Ok(Self {
            account: last("account")?,
            mailbox: last("mailbox")?,
            operation: last("operation")?,
            submission: last("submission")?,
            serials: Mutex::new(Serials {
                index: open(dir, File::Index, Access::ReadOnly)?,
                young: HashMap::new(),
                old: HashMap::new(),
            }),
        })
    }

    pub(crate) fn next(&self, kind: Kind) -> i64 {
        let last = match kind {
            Kind::Account => &self.account,
            Kind::Mailbox => &self.mailbox,
            Kind::Operation => &self.operation,
            Kind::Submission => &self.submission,
        };
        last.fetch_add(1, Ordering::Relaxed) + 1
    }

    pub(crate) fn message(&self, date: Timestamp) -> MessageId {
        let mut serials = self.serials.lock().unwrap_or_else(PoisonError::into_inner);
        let mut second = MessageId::floor(date).date().0;
        loop {
            let serial = serials.take(second);
            if serial < 1 << MessageId::SERIAL_BITS {
                return MessageId((second << MessageId::SERIAL_BITS) | serial);
            }
            second += 1;
        }
    }
}

impl Serials {
    fn take(&mut self, second: i64) -> i64 {
        let serial = self
            .young
            .get(&second)
            .or_else(|| self.old.get(&second))
            .copied()
            .unwrap_or_else(|| self.load_free(second));
        self.young.insert(second, serial + 1);
        if self.young.len() > GENERATION {
            self.old = std::mem::take(&mut self.young);
        }
        serial
    }

    /// One above the highest stored. A failing read is told by the next write; here the middle of the range is
    /// as good a guess as any, and a clash would only refuse that write.
    fn load_free(&self, second: i64) -> i64 {
        let first = second << MessageId::SERIAL_BITS;
        let last = first | ((1 << MessageId::SERIAL_BITS) - 1);
        let highest = self
            .index
            .prepare_cached("SELECT max(id) FROM message WHERE id BETWEEN ?1 AND ?2");
        match highest
            .and_then(|mut highest| highest.query_row([first, last], |row| row.get::<_, Option<i64>>(0)))
        {
            Ok(Some(id)) => id - first + 1,
            Ok(None) => 0,
            Err(error) => {
                log::warn!("The message ids in use could not be read: {error}.");
                1 << (MessageId::SERIAL_BITS - 1)
            }
        }
    }
}
