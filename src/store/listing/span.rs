//! Positions in a list, from counts kept for spans of 2^16 seconds: twenty years of mail are some 9,600 spans.

use posthorn_model::query::Cursor;
use posthorn_model::{MailboxId, MessageId};
use rusqlite::{Connection, Params};

use super::Source;
use crate::column::unsigned;
use crate::error::Result;

/// As the counters of the schema have it.
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
    let mut spans: Vec<(i64, u64)> = Vec::new();
    {
        let (sql, of): (&str, Vec<i64>) = match source {
            Source::Placements(mailboxes) => (
                "SELECT span, total FROM mailbox_span WHERE mailbox = ?1",
                mailboxes.iter().map(|mailbox| mailbox.0).collect(),
            ),
            Source::Messages(Some(account)) => (
                "SELECT span, total FROM account_span WHERE account = ?1",
                vec![account.0],
            ),
            Source::Messages(None) => ("SELECT span, total FROM account_span WHERE ?1 = 0", vec![0]),
        };
        let mut select = index.prepare_cached(sql)?;
        for of in of {
            let mut rows = select.query([of])?;
            while let Some(found) = rows.next()? {
                spans.push((found.get(0)?, unsigned(found.get(1)?)));
            }
        }
    }
    // Newest first; a span that several mailboxes have counts once, with their sum.
    spans.sort_unstable_by(|a, b| b.cmp(a));
    spans.dedup_by(|next, kept| {
        let same = next.0 == kept.0;
        kept.1 += if same { next.1 } else { 0 };
        same
    });
    let mut above = 0_u64;
    for (span, total) in spans {
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
