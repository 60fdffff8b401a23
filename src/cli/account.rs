//! `posthorn account`: one file for each of its commands.

mod add;
mod list;
pub mod policy;
mod remove;
mod set;
mod show;
mod test;

use posthorn_engine::catalog::Account;
use posthorn_model::{AccountConfig, Endpoint, Protocol};
use serde_json::{Value, json};

use crate::arguments::AccountCommand;
use crate::failure::{Failure, Status};
use crate::output::Output;
use crate::session::Context;
use crate::unbuilt;

/// Why a POP3 account takes no number of connections.
const FOR_IMAP: &str = "--connections is for IMAP: a maildrop admits one session at a time";

/// # Errors
/// What the single command says.
pub fn run(command: AccountCommand, context: &Context, output: &mut Output) -> Result<Status, Failure> {
    match command {
        AccountCommand::Add(request) => add::run(*request, context, output),
        AccountCommand::Discover { .. } => unbuilt::refuse("account discover"),
        AccountCommand::List => list::run(context, output),
        AccountCommand::Show { name } => show::run(&name, context, output),
        AccountCommand::Set(request) => set::run(&request, context, output),
        AccountCommand::Remove { name } => remove::run(&name, context, output),
        AccountCommand::Test { name } => test::run(&name, context, output),
    }
}

/// In plain words, for `show`.
fn say_connections(config: &AccountConfig) -> (&'static str, String) {
    let most = posthorn_engine::imap::provider::connections(config);
    let said = match config.connections {
        Some(asked) if asked > most => format!("at most {most} at once: the provider allows no more"),
        _ => format!("at most {most} at once"),
    };
    ("connections", said)
}

/// An account's settings, as scripts read them. Holds no secret.
fn to_json(account: &Account) -> Value {
    let config = &account.config;
    let policy = (config.protocol == Protocol::Pop3).then_some(&config.pop3);
    let endpoint = |endpoint: &Endpoint| json!({ "host": endpoint.host, "port": endpoint.port, "security": endpoint.security });
    json!({
        "id": account.id,
        "name": config.name,
        "email": config.identity.email,
        "display_name": config.identity.name,
        "protocol": config.protocol,
        "username": config.username,
        "auth": config.auth,
        "secrets": config.secrets,
        "client_cert": config.client_certificate.as_ref().map(|own| &own.certificate),
        "client_key": config.client_certificate.as_ref().map(|own| &own.key),
        "incoming": endpoint(&config.incoming),
        "outgoing": config.outgoing.as_ref().map(endpoint),
        "allow_cleartext": config.allow_cleartext,
        "connections": (config.protocol == Protocol::Imap).then(|| posthorn_engine::imap::provider::connections(config)),
        "leave_on_server": policy.map(|policy| policy.leave.to_string()),
        "keep_at_most": policy.and_then(|policy| policy.keep_at_most).map(|limit| limit.to_string()),
        "headers_first": policy.map(|policy| policy.headers_first),
        "size_cap": policy.and_then(|policy| policy.body_cap),
        "newest_first": policy.map(|policy| policy.newest_first),
        "per_session": policy.and_then(|policy| policy.per_session),
        "apop": policy.map(|policy| policy.apop),
    })
}
