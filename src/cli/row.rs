//! One message of a list, as JSON and as a line.

use posthorn_engine::catalog::Row;
use posthorn_model::{Address, Flag, MailboxId, Where};
use serde_json::{Value, json};
use std::collections::HashMap;

use crate::date;
use crate::failure::Failure;
use crate::output::Output;
use crate::table::{self, Column};

/// As `list` and `search` print it.
#[must_use]
pub fn to_json(row: &Row, paths: &HashMap<MailboxId, String>) -> Value {
    let names: Vec<String> = row.from.iter().map(ToString::to_string).collect();
    let mut value = json!({
        "id": row.message,
        "message_id": row.message_id.as_ref().map(ToString::to_string),
        "mailbox": paths.get(&row.mailbox),
        "from": (!row.from.is_empty()).then(|| names.join(", ")),
        "authors": names,
        "to": row.to.as_ref().map(ToString::to_string),
        "subject": row.subject,
        "preview": row.preview,
        "date": row.date,
        "size": row.size,
        "flags": row.flags.names(),
        "attachments": row.has_attachments,
        "thread": row.thread,
        "where": where_name(row.lives),
    });
    if let (Where::Leaving { on }, Some(fields)) = (row.lives, value.as_object_mut()) {
        fields.insert("leaves_on".into(), json!(on));
    }
    value
}

/// The word that scripts read.
#[must_use]
pub const fn where_name(lives: Where) -> &'static str {
    match lives {
        Where::Both => "both",
        Where::OnlyHere => "only_here",
        Where::HeadersOnly => "headers_only",
        Where::Leaving { .. } => "leaving",
    }
}

/// What people read; empty for the ordinary case, here and on the server.
#[must_use]
pub fn say_where(lives: Where) -> String {
    match lives {
        Where::Both => String::new(),
        Where::OnlyHere => "only here".to_owned(),
        Where::HeadersOnly => "headers only".to_owned(),
        Where::Leaving { on } => format!("leaves the server {}", date::say(on)),
    }
}

/// Prints rows as a table.
///
/// # Errors
/// Where nobody reads it.
pub fn print(output: &mut Output, rows: &[Row]) -> Result<(), Failure> {
    let somewhere_else = rows.iter().any(|row| row.lives != Where::Both);
    let mut columns = vec![
        ("id", Column::Right),
        ("", Column::Left),
        ("date", Column::Left),
        ("from", Column::UpTo(24)),
    ];
    if somewhere_else {
        columns.push(("lives", Column::Left));
    }
    columns.push(("subject", Column::Rest));
    let lines = rows.iter().map(|row| {
        let mut cells = vec![
            row.message.to_string(),
            marks(row),
            date::say(row.date),
            Address::display_all(&row.from),
        ];
        if somewhere_else {
            cells.push(say_where(row.lives));
        }
        cells.push(row.subject.clone());
        cells
    });
    table::print(output, &columns, lines)
}

/// Unread, flagged, attachment.
fn marks(row: &Row) -> String {
    [
        if row.flags.contains(Flag::Seen) {
            ' '
        } else {
            '●'
        },
        if row.flags.contains(Flag::Flagged) {
            '★'
        } else {
            ' '
        },
        if row.has_attachments { '@' } else { ' ' },
    ]
    .iter()
    .collect()
}
