//! `posthorn account set`: changes how many connections an IMAP account may have, and what a POP3 account downloads and
//! leaves on the server.

use posthorn_engine::catalog::Account;
use posthorn_model::{AccountConfig, Protocol};
use serde_json::json;

use super::{FOR_IMAP, policy, to_json};
use crate::arguments::SetRequest;
use crate::failure::{Failure, Status};
use crate::output::Output;
use crate::resolve;
use crate::session::{Context, Purpose};

/// # Errors
/// Where there is no such account, nothing is said, or the policy cannot be kept; then nothing was changed.
pub fn run(request: &SetRequest, context: &Context, output: &mut Output) -> Result<Status, Failure> {
    if !request.policy.says_something() && request.connections.is_none() {
        return Err(Failure::usage(
            "nothing to change: say an option, such as --leave-on-server 14 or --connections 2",
        ));
    }
    let session = context.open(Purpose::Write)?;
    let accounts = session.ask(|catalog| async move { catalog.accounts().await })?;
    let account = resolve::account(&accounts, &request.name)?;
    match account.config.protocol {
        Protocol::Imap if request.policy.says_something() => return Err(Failure::usage(policy::FOR_POP3)),
        Protocol::Pop3 if request.connections.is_some() => return Err(Failure::usage(FOR_IMAP)),
        Protocol::Imap | Protocol::Pop3 => {}
    }
    let config = AccountConfig {
        connections: request.connections.or(account.config.connections),
        pop3: request.policy.apply(account.config.pop3),
        ..account.config.clone()
    };
    session.wait(session.engine.update_account(account.id, config.clone(), None))?;
    if output.is_json() {
        output.document(&json!({ "account": to_json(&Account { id: account.id, config }) }))?;
    } else {
        for (name, value) in say(&config) {
            output.line(&format!("{name:>13}  {value}"))?;
        }
    }
    Ok(Status::Done)
}

fn say(config: &AccountConfig) -> Vec<(&'static str, String)> {
    match config.protocol {
        Protocol::Imap => vec![super::say_connections(config)],
        Protocol::Pop3 => policy::say(&config.pop3),
    }
}
