//! `posthorn ledger`: every deletion on a POP3 server: what, when, why, how verified, and the server's answer.

use posthorn_model::{LedgerRow, LedgerState, Protocol};
use serde_json::{Value, json};

use crate::arguments::LedgerRequest;
use crate::date;
use crate::failure::{Failure, Status};
use crate::output::Output;
use crate::resolve;
use crate::session::{Context, Purpose};
use crate::table::{self, Column};

/// # Errors
/// Where there is no such account, or it is not a POP3 account.
pub fn run(request: &LedgerRequest, context: &Context, output: &mut Output) -> Result<Status, Failure> {
    let session = context.open(Purpose::Read)?;
    let accounts = session.ask(|catalog| async move { catalog.accounts().await })?;
    let account = resolve::account(&accounts, &request.account)?;
    if account.config.protocol != Protocol::Pop3 {
        return Err(Failure::usage(
            "the ledger is a POP3 account's: by IMAP, what is deleted here is deleted on the server by its own rules",
        ));
    }
    let id = account.id;
    let mut rows = session.ask(|catalog| async move { catalog.ledger(id).await })?;
    rows.retain(|row| request.all || matches!(row.state, LedgerState::DeleteWanted | LedgerState::Deleted));
    if output.is_json() {
        let name = if request.all { "messages" } else { "deletions" };
        let list: Vec<Value> = rows.iter().map(to_json).collect();
        output.document(&json!({ "account": account.config.name, name: list }))?;
    } else if rows.is_empty() {
        output.line(if request.all {
            "nothing was ever listed on this server"
        } else {
            "nothing was deleted on this server"
        })?;
    } else {
        let columns = [
            ("uidl", Column::UpTo(24)),
            ("state", Column::Left),
            ("when", Column::Left),
            ("kept here since", Column::Left),
            ("verified", Column::Left),
            ("why", Column::Left),
            ("the server said", Column::Rest),
        ];
        let lines = rows.iter().map(|row| {
            vec![
                row.uidl.to_string(),
                row.state.name().to_owned(),
                date::say(row.changed_at),
                row.downloaded_at.map(date::say).unwrap_or_default(),
                row.verified_at.map(date::say).unwrap_or_default(),
                row.reason.clone(),
                row.reply.clone(),
            ]
        });
        table::print(output, &columns, lines)?;
    }
    Ok(Status::Done)
}

fn to_json(row: &LedgerRow) -> Value {
    json!({
        "uidl": row.uidl.to_string(),
        "message": row.message,
        "size": row.size,
        "state": row.state,
        "when": row.changed_at,
        "why": row.reason,
        "verified": row.downloaded_at.map(|at| json!({
            "at": at,
            "sha256": row.hash.map(|hash| hash.to_string()),
            "read_back_at": row.verified_at,
        })),
        "asked_at": row.asked_at,
        "answer": row.reply,
        "first_seen": row.first_seen,
    })
}
