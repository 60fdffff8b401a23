//! What a batch adds to the counters of accounts and mailboxes. What it changes or takes away, triggers count.

use std::collections::BTreeMap;

use posthorn_model::{AccountId, Flag, MailboxId, MessageId, Placement};
use rusqlite::{Transaction, params};

use super::NewMessage;
use crate::error::Result;
use crate::listing::SHIFT;

/// Rows added since the counters were last told.
#[derive(Default)]
pub(super) struct Tally {
    /// Messages, and those without their body.
    accounts: BTreeMap<AccountId, (i64, i64)>,
    account_spans: BTreeMap<(AccountId, i64), i64>,
    /// Placements, and those without \Seen.
    mailboxes: BTreeMap<MailboxId, (i64, i64)>,
    mailbox_spans: BTreeMap<(MailboxId, i64), i64>,
}

impl Tally {
    pub(super) fn add_message(&mut self, message: &NewMessage) {
        let (total, headers_only) = self.accounts.entry(message.account).or_default();
        *total += 1;
        *headers_only += i64::from(message.body.is_none());
        *self
            .account_spans
            .entry((message.account, span(message.id)))
            .or_default() += 1;
    }

    pub(super) fn add_placement(&mut self, placement: &Placement) {
        let (total, unread) = self.mailboxes.entry(placement.mailbox).or_default();
        *total += 1;
        *unread += i64::from(!placement.flags.contains(Flag::Seen));
        *self
            .mailbox_spans
            .entry((placement.mailbox, span(placement.message)))
            .or_default() += 1;
    }

    /// Before anything is taken away, since a span that counts nothing is removed; and at the end.
    pub(super) fn tell(&mut self, tx: &Transaction<'_>) -> Result<()> {
        for (account, (total, headers_only)) in std::mem::take(&mut self.accounts) {
            tx.prepare_cached(
                "UPDATE account SET total = total + ?2, headers_only = headers_only + ?3 WHERE id = ?1",
            )?
            .execute(params![account.0, total, headers_only])?;
        }
        for ((account, span), total) in std::mem::take(&mut self.account_spans) {
            tx.prepare_cached(
                "INSERT INTO account_span (account, span, total) VALUES (?1, ?2, ?3)
                 ON CONFLICT (account, span) DO UPDATE SET total = total + excluded.total",
            )?
            .execute(params![account.0, span, total])?;
        }
        for (mailbox, (total, unread)) in std::mem::take(&mut self.mailboxes) {
            tx.prepare_cached("UPDATE mailbox SET total = total + ?2, unread = unread + ?3 WHERE id = ?1")?
                .execute(params![mailbox.0, total, unread])?;
        }
        for ((mailbox, span), total) in std::mem::take(&mut self.mailbox_spans) {
            tx.prepare_cached(
                "INSERT INTO mailbox_span (mailbox, span, total) VALUES (?1, ?2, ?3)
                 ON CONFLICT (mailbox, span) DO UPDATE SET total = total + excluded.total",
            )?
            .execute(params![mailbox.0, span, total])?;
        }
        Ok(())
    }
}

const fn span(message: MessageId) -> i64 {
    message.0 >> SHIFT
}
