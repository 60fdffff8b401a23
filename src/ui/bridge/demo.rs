//! The sandbox mailbox: a mail server inside this process, with an IMAP and a POP3 account on it. Nothing leaves
//! this computer. Its accounts live as long as the window: they are removed when it closes, and what a crash left
//! behind is removed at the next start.

use std::sync::Arc;

use posthorn_engine::Error;
use posthorn_model::{
    AccountConfig, AccountId, AuthMethod, ErrorClass, Identity, Pop3Policy, Protocol, Secret, SecretPlace,
    Security,
};
use posthorn_sandbox::{Sandbox, SandboxOptions, Service};

use super::Bridge;
use crate::t;

/// A running sandbox; it ends when the last copy is dropped.
#[derive(Clone)]
pub struct Running {
    _sandbox: Arc<Sandbox>,
}

/// Host and words that no account of a user's has together.
const HOST: &str = "127.0.0.1";
const NAMES: [&str; 2] = ["Sandbox IMAP", "Sandbox POP3"];

/// Whether the account is one of the sandbox's.
#[must_use]
pub fn is_sandbox(config: &AccountConfig) -> bool {
    NAMES.contains(&config.name.as_str())
        && config.incoming.host == HOST
        && config.secrets == SecretPlace::Session
}

fn account(sandbox: &Sandbox, protocol: Protocol) -> AccountConfig {
    let login = sandbox.login();
    let [imap, pop3] = NAMES;
    let (name, service) = match protocol {
        Protocol::Imap => (imap, Service::Imap),
        Protocol::Pop3 => (pop3, Service::Pop3),
    };
    AccountConfig {
        name: name.to_owned(),
        protocol,
        username: login.username.clone(),
        auth: AuthMethod::Password,
        client_certificate: None,
        secrets: SecretPlace::Session,
        allow_cleartext: false,
        connections: None,
        pop3: Pop3Policy::default(),
        identity: Identity {
            name: login.name.clone(),
            email: login.address.clone(),
            signature: String::new(),
        },
        incoming: sandbox.endpoint(service),
        outgoing: Some(sandbox.endpoint(Service::Smtp)),
    }
}

/// Starts the sandbox and adds both accounts to the profile behind `bridge`. On loopback, hence in clear.
///
/// # Errors
/// Where the sandbox could not be started or an account not be added.
pub async fn start(bridge: Bridge) -> Result<Running, Error> {
    let stale = bridge.accounts().await?.into_iter();
    let stale = stale.filter(|account| is_sandbox(&account.config));
    clear(bridge.clone(), stale.map(|account| account.id).collect()).await?;
    let options = SandboxOptions {
        security: Security::None,
        ..SandboxOptions::default()
    };
    let sandbox = Sandbox::start(options)
        .await
        .map_err(|error| Error::new(ErrorClass::Config, t!("sandbox-failed", why = error.to_string())))?;
    for protocol in [Protocol::Imap, Protocol::Pop3] {
        let secret = Secret::new(sandbox.password.clone());
        bridge
            .add_account(account(&sandbox, protocol), Some(secret))
            .await?;
    }
    Ok(Running {
        _sandbox: Arc::new(sandbox),
    })
}

/// Removes accounts of a sandbox that has ended or is about to.
///
/// # Errors
/// As the engine's.
pub async fn clear(bridge: Bridge, accounts: Vec<AccountId>) -> Result<(), Error> {
    for account in accounts {
        bridge.remove_account(account).await?;
    }
    Ok(())
}
