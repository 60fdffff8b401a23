//! Positions in a list, from counts kept for spans of 2^16 seconds: twenty years of mail are some 9,600 spans.

use std::collections::BTreeMap;

use posthorn_model::query::Cursor;
use posthorn_model::{MailboxId, MessageId};
use rusqlite::{Connection, Params, params};

use super::Source;
use crate::column::unsigned;
use crate::error::Result;

/// As the triggers of the schema have it.
pub(crate) const SHIFT: u32 = MessageId::SERIAL_BITS + 16;

/// How many rows stand at or above a place.
pub(super) fn count_through(index: &Connection, source: &Source, at: Cursor) -> Result<u64> {
    let span = at.message.0 >> SHIFT;
    // The last id of the span.
    let end = span << SHIFT | ((1 << SHIFT) - 1);
    let mut above = 0;
    match source {
        Source::Placements(mailboxes) => {
            for mailbox in mailboxes {
                // The smallest message id that stands at or above the place in this mailbox.
                let lowest = at.message.0.saturating_add(i64::from(*mailbox < at.mailbox));
                above += count(
                    index,
                    "SELECT coalesce(sum(total), 0) FROM mailbox_span WHERE mailbox = ?1 AND span > ?2",
                    [mailbox.0, span],
                )?;
                above += count(
                    index,
                    "SELECT count(*) FROM placement WHERE mailbox = ?1 AND message BETWEEN ?2 AND ?3",
                    [mailbox.0, lowest, end],
                )?;
            }
        }
        Source::Messages(Some(account)) => {
            above += count(
                index,
                "SELECT coalesce(sum(total), 0) FROM account_span WHERE account = ?1 AND span > ?2",
                [account.0, span],
            )?;
            above += count(
                index,
                "SELECT count(*) FROM message WHERE account = ?1 AND id BETWEEN ?2 AND ?3",
                [account.0, at.message.0, end],
            )?;
        }
        Source::Messages(None) => {
            above += count(
                index,
                "SELECT coalesce(sum(total), 0) FROM account_span WHERE span > ?1",
                [span],
            )?;
            above += count(
                index,
                "SELECT count(*) FROM message WHERE id BETWEEN ?1 AND ?2",
                [at.message.0, end],
            )?;
        }
    }
    Ok(above)
}

fn count(index: &Connection, sql: &str, params: impl Params) -> Result<u64> {
    Ok(index
        .prepare_cached(sql)?
        .query_row(params, |row| Ok(unsigned(row.get(0)?)))?)
}

/// The place from which, after skipping the number given, row `row` is the next; `None` beyond the end.
pub(super) fn find_row(index: &Connection, source: &Source, row: u64) -> Result<Option<(Cursor, usize)>> {
    let mut spans: BTreeMap<i64, u64> = BTreeMap::new();
    match source {
        Source::Placements(mailboxes) => {
            let mut select =
                index.prepare_cached("SELECT span, total FROM mailbox_span WHERE mailbox = ?1")?;
            for mailbox in mailboxes {
                let mut rows = select.query(params![mailbox.0])?;
                while let Some(found) = rows.next()? {
                    *spans.entry(found.get(0)?).or_default() += unsigned(found.get(1)?);
                }
            }
        }
        Source::Messages(account) => {
            let mut select = index
                .prepare_cached("SELECT span, total FROM account_span WHERE ?1 IS NULL OR account = ?1")?;
            let mut rows = select.query(params![account.map(|account| account.0)])?;
            while let Some(found) = rows.next()? {
                *spans.entry(found.get(0)?).or_default() += unsigned(found.get(1)?);
            }
        }
    }
    let mut above = 0_u64;
    for (span, total) in spans.into_iter().rev() {
        if above + total > row {
            let below = Cursor {
                message: MessageId((span + 1).saturating_mul(1 << SHIFT)),
                mailbox: MailboxId(i64::MIN),
            };
            return Ok(Some((below, usize::try_from(row - above).unwrap_or(usize::MAX))));
        }
        above += total;
    }
    Ok(None)
}
