//! `posthorn dump`: every stored message with its hash, to be held against the server.

use serde_json::{Value, json};

use crate::failure::{Failure, Status};
use crate::outbox;
use crate::output::Output;
use crate::session::{Context, Purpose};

/// Hexadecimal digits of the SHA-256 that are printed.
const DIGITS: usize = 24;

/// # Errors
/// Where the profile cannot be read.
pub fn run(context: &Context, output: &mut Output) -> Result<Status, Failure> {
    let session = context.open(Purpose::Read)?;
    let rows = session.ask(|catalog| async move { catalog.dump().await })?;
    let outbox = session.ask(|catalog| async move { catalog.outbox().await })?;
    let mut messages: Vec<Value> = Vec::with_capacity(rows.len());
    // Without its bytes a message has no hash: it stands apart, so that a list of hashes has no gaps.
    let mut headers_only: Vec<Value> = Vec::new();
    for row in &rows {
        let flags = row.flags.names();
        match row.hash {
            Some(hash) => {
                let sha: String = hash.to_string().chars().take(DIGITS).collect();
                messages.push(
                    json!({ "id": row.id, "folder": row.folder, "sha": sha, "size": row.size, "flags": flags }),
                );
            }
            None => headers_only
                .push(json!({ "id": row.id, "folder": row.folder, "size": row.size, "flags": flags })),
        }
    }
    if output.is_json() {
        let outbox: Vec<Value> = outbox
            .iter()
            .map(|one| json!({ "mid": outbox::header(&one.message_id), "state": one.state }))
            .collect();
        output.document(&json!({ "messages": messages, "headers_only": headers_only, "outbox": outbox }))?;
    } else {
        for row in &rows {
            let hash = row
                .hash
                .map_or_else(|| "-".repeat(DIGITS), |hash| hash.to_string());
            let sha: String = hash.chars().take(DIGITS).collect();
            output.line(&format!(
                "{sha}  {:>9}  {}  {}",
                row.size,
                row.folder,
                row.flags.names().join(",")
            ))?;
        }
    }
    Ok(Status::Done)
}
