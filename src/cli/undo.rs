//! `posthorn undo`.

use posthorn_engine::Command;

use crate::failure::{Failure, Status};
use crate::output::Output;
use crate::relocate::carry_out;
use crate::session::{Context, Purpose};

/// # Errors
/// Where there is nothing to take back.
pub fn run(context: &Context, output: &mut Output) -> Result<Status, Failure> {
    let session = context.open(Purpose::Write)?;
    let wish = Command::Undo { intent: None };
    if output.is_json() {
        return carry_out(&session, wish, "taken back for", output);
    }
    let receipt = session.wait(session.engine.command(wish))?;
    output.line(&match receipt.messages {
        0 => "taken back".to_owned(),
        1 => "taken back for: 1 message".to_owned(),
        count => format!("taken back for: {count} messages"),
    })?;
    Ok(Status::Done)
}
