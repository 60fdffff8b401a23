//! `posthorn account remove`: its server is not touched.

use serde_json::json;

use crate::failure::{Failure, Status};
use crate::output::Output;
use crate::resolve;
use crate::session::{Context, Purpose};

/// # Errors
/// Where there is no such account, or the disk refuses.
pub fn run(name: &str, context: &Context, output: &mut Output) -> Result<Status, Failure> {
    let session = context.open(Purpose::WriteAndSignIn)?;
    let accounts = session.ask(|catalog| async move { catalog.accounts().await })?;
    let id = resolve::account(&accounts, name)?.id;
    session.wait(session.engine.remove_account(id))?;
    if output.is_json() {
        output.document(&json!({ "removed": name }))?;
    } else {
        output.line(&format!("removed {name}; nothing was changed on its server"))?;
    }
    Ok(Status::Done)
}
