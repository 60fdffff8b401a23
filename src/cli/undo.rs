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
    carry_out(&session, Command::Undo { intent: None }, "taken back for", output)
}
