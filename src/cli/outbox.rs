//! `posthorn outbox`: what waits to be sent, and what became of it.

use posthorn_engine::catalog::Submission;
use serde_json::{Value, json};

use crate::date;
use crate::failure::{Failure, Status};
use crate::output::Output;
use crate::session::{Context, Purpose};
use crate::table::{self, Column};

/// # Errors
/// Where the profile cannot be read.
pub fn run(context: &Context, output: &mut Output) -> Result<Status, Failure> {
    let session = context.open(Purpose::Read)?;
    let outbox = session.ask(|catalog| async move { catalog.outbox().await })?;
    if output.is_json() {
        output.document(&outbox.iter().map(to_json).collect::<Vec<_>>())?;
    } else if outbox.is_empty() {
        output.line("nothing to send")?;
    } else {
        let columns = [
            ("submission", Column::Right),
            ("state", Column::Left),
            ("written", Column::Left),
            ("to", Column::UpTo(30)),
            ("subject", Column::UpTo(40)),
            ("the server said", Column::Rest),
        ];
        let rows = outbox.iter().map(|one| {
            vec![
                one.id.to_string(),
                one.state.name().to_owned(),
                date::say(one.created),
                one.to.join(", "),
                one.subject.clone(),
                one.reply.clone(),
            ]
        });
        table::print(output, &columns, rows)?;
    }
    Ok(Status::Done)
}

fn to_json(one: &Submission) -> Value {
    json!({
        "submission": one.id,
        "message_id": header(&one.message_id),
        "state": one.state,
        "reply": one.reply,
        "tries": one.tries,
        "subject": one.subject,
        "to": one.to,
        "created": one.created,
        "not_before": one.not_before,
    })
}

/// The Message-ID as its header has it, angle brackets included.
#[must_use]
pub fn header(message_id: &str) -> String {
    let bare = message_id.trim().trim_start_matches('<').trim_end_matches('>');
    format!("<{bare}>")
}
