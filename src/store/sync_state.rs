//! What is known of a mailbox on its server, in the same transaction as the messages it describes.

use posthorn_model::{MailboxId, ModSeq, SyncState, UidValidity};
use rusqlite::{OptionalExtension, Row, Transaction, params};

use crate::column::{signed, unsigned};
use crate::db::{Pace, Store};
use crate::error::Result;

impl Store {
    /// `None`: never synchronised, or forgotten.
    pub async fn sync_state(&self, mailbox: MailboxId) -> Result<Option<SyncState>> {
        self.read(Pace::Quick, move |reader| {
            let mut select = reader.index.prepare_cached(
                "SELECT uid_validity, uid_next, highest_modseq FROM sync_state WHERE mailbox = ?1",
            )?;
            let state = select.query_row([mailbox.0], |row| read_at(row, 0)).optional()?;
            Ok(state.flatten())
        })
        .await
    }
}

/// From three neighbouring columns, the first NULL where there is none.
pub(crate) fn read_at(row: &Row<'_>, at: usize) -> rusqlite::Result<Option<SyncState>> {
    let Some(uid_validity) = row.get::<_, Option<u32>>(at)?.and_then(UidValidity::new) else {
        return Ok(None);
    };
    Ok(Some(SyncState {
        uid_validity,
        uid_next: row.get(at + 1)?,
        highest_modseq: row
            .get::<_, Option<i64>>(at + 2)?
            .map(|seq| ModSeq(unsigned(seq))),
    }))
}

pub(crate) fn set(tx: &Transaction<'_>, mailbox: MailboxId, state: Option<SyncState>) -> Result<()> {
    match state {
        None => {
            tx.prepare_cached("DELETE FROM sync_state WHERE mailbox = ?1")?
                .execute([mailbox.0])?;
        }
        Some(state) => {
            tx.prepare_cached(
                "INSERT INTO sync_state (mailbox, uid_validity, uid_next, highest_modseq) VALUES (?1, ?2, ?3, ?4)
                 ON CONFLICT (mailbox) DO UPDATE SET uid_validity = excluded.uid_validity,
                     uid_next = excluded.uid_next, highest_modseq = excluded.highest_modseq",
            )?
            .execute(params![
                mailbox.0,
                state.uid_validity.0.get(),
                state.uid_next,
                state.highest_modseq.map(|seq| signed(seq.0)),
            ])?;
        }
    }
    Ok(())
}
