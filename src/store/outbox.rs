//! Submissions: messages handed to the outbox, and how far each has come.

use posthorn_model::{AccountId, Hash, SubmissionId, SubmissionState, Timestamp};
use rusqlite::{Connection, OptionalExtension, Row, Transaction, params};

use crate::column::{build_json, hash_at, json_at, name_at, required_hash_at, time_at};
use crate::db::{Pace, Store};
use crate::error::Result;
use crate::write::NewSubmission;

#[derive(Clone, Debug, PartialEq, Eq)]
pub struct SubmissionRecord {
    pub id: SubmissionId,
    pub account: AccountId,
    /// What is sent, without Bcc.
    pub hash: Hash,
    /// The sent copy, with Bcc; filed when the server has accepted.
    pub copy: Option<Hash>,
    pub message_id: String,
    pub subject: String,
    pub from: String,
    pub to: Vec<String>,
    pub created: Timestamp,
    pub not_before: Option<Timestamp>,
    pub state: SubmissionState,
    pub tries: u32,
    /// The server's words; empty before.
    pub reply: String,
}

macro_rules! select {
    ($rest:literal) => {
        concat!(
            "SELECT id, account, hash, copy, message_id, subject, sender, recipients, created, not_before, state,
                    tries, reply FROM submission ",
            $rest
        )
    };
}

impl Store {
    /// All, oldest first.
    pub async fn submissions(&self) -> Result<Vec<SubmissionRecord>> {
        self.read(Pace::Quick, |reader| load_all(&reader.index)).await
    }

    pub async fn submission(&self, id: SubmissionId) -> Result<Option<SubmissionRecord>> {
        self.read(Pace::Quick, move |reader| {
            let mut select = reader.index.prepare_cached(select!("WHERE id = ?1"))?;
            Ok(select.query_row([id.0], read_row).optional()?)
        })
        .await
    }
}

pub(crate) fn load_all(index: &Connection) -> Result<Vec<SubmissionRecord>> {
    let mut select = index.prepare_cached(select!("ORDER BY id"))?;
    let rows = select.query_map([], read_row)?;
    Ok(rows.collect::<rusqlite::Result<_>>()?)
}

fn read_row(row: &Row<'_>) -> rusqlite::Result<SubmissionRecord> {
    Ok(SubmissionRecord {
        id: SubmissionId(row.get(0)?),
        account: AccountId(row.get(1)?),
        hash: required_hash_at(row, 2)?,
        copy: hash_at(row, 3)?,
        message_id: row.get(4)?,
        subject: row.get(5)?,
        from: row.get(6)?,
        to: json_at(row, 7)?,
        created: Timestamp(row.get(8)?),
        not_before: time_at(row, 9)?,
        state: name_at(row, 10, &SubmissionState::ALL, SubmissionState::name)?,
        tries: row.get(11)?,
        reply: row.get(12)?,
    })
}

pub(crate) fn add(tx: &Transaction<'_>, submission: &NewSubmission, state: SubmissionState) -> Result<()> {
    tx.prepare_cached(
        "INSERT INTO submission
             (id, account, hash, copy, message_id, subject, sender, recipients, created, not_before, state, tries,
              reply)
         VALUES (?1, ?2, ?3, ?4, ?5, ?6, ?7, ?8, ?9, ?10, ?11, 0, '')",
    )?
    .execute(params![
        submission.id.0,
        submission.account.0,
        submission.hash.0,
        submission.copy.map(|hash| hash.0),
        submission.message_id,
        submission.subject,
        submission.from,
        build_json(&submission.to)?,
        submission.created.0,
        submission.not_before.map(|at| at.0),
        state.name(),
    ])?;
    Ok(())
}

pub(crate) fn set(
    tx: &Transaction<'_>,
    id: SubmissionId,
    state: SubmissionState,
    reply: &str,
    tries: u32,
    not_before: Option<Timestamp>,
) -> Result<()> {
    tx.prepare_cached(
        "UPDATE submission SET state = ?2, reply = ?3, tries = ?4, not_before = ?5 WHERE id = ?1",
    )?
    .execute(params![
        id.0,
        state.name(),
        reply,
        tries,
        not_before.map(|at| at.0)
    ])?;
    Ok(())
}

pub(crate) fn remove(tx: &Transaction<'_>, id: SubmissionId) -> Result<()> {
    tx.prepare_cached("DELETE FROM submission WHERE id = ?1")?
        .execute([id.0])?;
    Ok(())
}
