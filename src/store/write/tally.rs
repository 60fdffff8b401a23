//! What a batch adds to the counters of accounts and mailboxes. What it changes or takes away, triggers count.

use std::collections::BTreeMap;

use posthorn_model::{Flag, MessageId, Placement};
use rusqlite::{Transaction, params};

use super::NewMessage;
use crate::error::Result;
use crate::listing::SHIFT;

/// Rows added since the counters were last told.
#[derive(Default)]
pub(super) struct Tally {
    /// Messages, and those without their body.
    accounts: Count,
    /// Placements, and those without \Seen.
    mailboxes: Count,
}

/// Of the accounts, or of the mailboxes, by their ids.
#[derive(Default)]
struct Count {
    totals: BTreeMap<i64, (i64, i64)>,
    spans: BTreeMap<(i64, i64), i64>,
}

impl Tally {
    pub(super) fn add_message(&mut self, message: &NewMessage) {
        self.accounts
            .add(message.account.0, message.id, message.body.is_none());
    }

    pub(super) fn add_placement(&mut self, placement: &Placement) {
        let unread = !placement.flags.contains(Flag::Seen);
        self.mailboxes.add(placement.mailbox.0, placement.message, unread);
    }

    /// Before anything is taken away, since a span that counts nothing is removed; and at the end.
    pub(super) fn tell(&mut self, tx: &Transaction<'_>) -> Result<()> {
        self.accounts.tell(
            tx,
            "UPDATE account SET total = total + ?2, headers_only = headers_only + ?3 WHERE id = ?1",
            "INSERT INTO account_span (account, span, total) VALUES (?1, ?2, ?3)
             ON CONFLICT (account, span) DO UPDATE SET total = total + excluded.total",
        )?;
        self.mailboxes.tell(
            tx,
            "UPDATE mailbox SET total = total + ?2, unread = unread + ?3 WHERE id = ?1",
            "INSERT INTO mailbox_span (mailbox, span, total) VALUES (?1, ?2, ?3)
             ON CONFLICT (mailbox, span) DO UPDATE SET total = total + excluded.total",
        )
    }
}

impl Count {
    fn add(&mut self, owner: i64, message: MessageId, marked: bool) {
        let (total, with_mark) = self.totals.entry(owner).or_default();
        *total += 1;
        *with_mark += i64::from(marked);
        *self.spans.entry((owner, message.0 >> SHIFT)).or_default() += 1;
    }

    fn tell(&mut self, tx: &Transaction<'_>, add_totals: &str, add_span: &str) -> Result<()> {
        for (owner, (total, marked)) in std::mem::take(&mut self.totals) {
            tx.prepare_cached(add_totals)?
                .execute(params![owner, total, marked])?;
        }
        for ((owner, span), total) in std::mem::take(&mut self.spans) {
            tx.prepare_cached(add_span)?
                .execute(params![owner, span, total])?;
        }
        Ok(())
    }
}
