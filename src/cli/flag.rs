//! `posthorn flag`: here at once, on the server with the next sync.

use posthorn_engine::Command;
use posthorn_engine::command::Selection;
use posthorn_model::{FlagChange, Flags};

use crate::arguments::FlagRequest;
use crate::failure::{Failure, Status};
use crate::output::Output;
use crate::relocate::carry_out;
use crate::resolve;
use crate::session::{Context, Purpose};

/// # Errors
/// Where a flag or a message does not exist; then nothing was changed.
pub fn run(request: &FlagRequest, context: &Context, output: &mut Output) -> Result<Status, Failure> {
    let change = FlagChange {
        add: read_flags(&request.add)?,
        remove: read_flags(&request.remove)?,
    };
    if change.is_empty() {
        return Err(Failure::usage("which flag? --add seen, --remove flagged"));
    }
    let session = context.open(Purpose::Write)?;
    let messages = resolve::messages(&session, &request.messages)?;
    let command = Command::Flag {
        selection: Selection {
            messages,
            mailbox: None,
        },
        change,
    };
    carry_out(&session, command, "flags set on", output)
}

fn read_flags(names: &[String]) -> Result<Flags, Failure> {
    let mut flags = Flags::default();
    for name in names {
        if !flags.insert_named(name) {
            return Err(Failure::usage(format!("{name:?} cannot be a flag")));
        }
    }
    Ok(flags)
}
