//! `posthorn account show`.

use posthorn_model::{AuthMethod, Endpoint, Protocol, SecretPlace, Security};
use serde_json::json;

use super::{policy, to_json};
use crate::failure::{Failure, Status};
use crate::output::Output;
use crate::resolve;
use crate::session::{Context, Purpose};

/// # Errors
/// Where there is no such account.
pub fn run(name: &str, context: &Context, output: &mut Output) -> Result<Status, Failure> {
    let session = context.open(Purpose::Read)?;
    let accounts = session.ask(|catalog| async move { catalog.accounts().await })?;
    let account = resolve::account(&accounts, name)?;
    if output.is_json() {
        output.document(&json!({ "account": to_json(account) }))?;
        return Ok(Status::Done);
    }
    let config = &account.config;
    let mut lines = vec![
        ("name", config.name.clone()),
        ("address", config.identity.email.clone()),
        ("display name", config.identity.name.clone()),
        ("protocol", config.protocol.name().to_uppercase()),
        ("user name", config.username.clone()),
        ("incoming", say_endpoint(&config.incoming)),
        (
            "outgoing",
            config
                .outgoing
                .as_ref()
                .map_or("none: only receives".to_owned(), say_endpoint),
        ),
        (
            "password in",
            match config.auth {
                AuthMethod::External => "none: it signs in by its certificate".to_owned(),
                AuthMethod::Password | AuthMethod::OAuth => say_secrets(config.secrets).to_owned(),
            },
        ),
        (
            "certificate",
            config
                .client_certificate
                .as_ref()
                .map_or(String::new(), |own| own.certificate.display().to_string()),
        ),
    ];
    match config.protocol {
        Protocol::Imap => lines.push(super::say_connections(config)),
        Protocol::Pop3 => lines.extend(policy::say(&config.pop3)),
    }
    for (name, value) in lines.iter().filter(|(_, value)| !value.is_empty()) {
        output.line(&format!("{name:>13}  {value}"))?;
    }
    Ok(Status::Done)
}

fn say_endpoint(endpoint: &Endpoint) -> String {
    let security = match endpoint.security {
        Security::Tls => "TLS",
        Security::StartTls => "STARTTLS",
        Security::None => "in clear",
    };
    format!("{endpoint}, {security}")
}

const fn say_secrets(place: SecretPlace) -> &'static str {
    match place {
        SecretPlace::Keychain => "the system's keychain",
        SecretPlace::File => "the sealed file of this profile",
        SecretPlace::Session => "memory only",
    }
}
