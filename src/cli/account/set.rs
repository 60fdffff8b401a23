//! `posthorn account set`: changes what a POP3 account downloads and what it leaves on the server.

use posthorn_engine::catalog::Account;
use posthorn_model::{AccountConfig, Protocol};
use serde_json::json;

use super::{policy, to_json};
use crate::arguments::SetRequest;
use crate::failure::{Failure, Status};
use crate::output::Output;
use crate::resolve;
use crate::session::{Context, Purpose};

/// # Errors
/// Where there is no such account, nothing is said, or the policy cannot be kept; then nothing was changed.
pub fn run(request: &SetRequest, context: &Context, output: &mut Output) -> Result<Status, Failure> {
    if !request.policy.says_something() {
        return Err(Failure::usage(
            "nothing to change: say an option, such as --leave-on-server 14",
        ));
    }
    let session = context.open(Purpose::Write)?;
    let accounts = session.ask(|catalog| async move { catalog.accounts().await })?;
    let account = resolve::account(&accounts, &request.name)?;
    if account.config.protocol != Protocol::Pop3 {
        return Err(Failure::usage(policy::FOR_POP3));
    }
    let config = AccountConfig {
        pop3: request.policy.apply(account.config.pop3),
        ..account.config.clone()
    };
    session.wait(session.engine.update_account(account.id, config.clone(), None))?;
    if output.is_json() {
        output.document(&json!({ "account": to_json(&Account { id: account.id, config }) }))?;
    } else {
        for (name, value) in policy::say(&config.pop3) {
            output.line(&format!("{name:>13}  {value}"))?;
        }
    }
    Ok(Status::Done)
}
