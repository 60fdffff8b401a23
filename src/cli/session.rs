//! How a command opens the profile, waits for the engine, and leaves in order.

use posthorn_engine::{Catalog, Engine, Error, Options};
use posthorn_model::{Secret, SecretPlace};
use std::cell::Cell;
use std::future::Future;
use std::io::IsTerminal;

use crate::Window;
use crate::arguments::Common;
use crate::failure::Failure;
use crate::interrupt::Interrupts;

/// Opens the sealed file of secrets.
const SECRETS_KEY: &str = "POSTHORN_SECRETS_KEY";

/// What the options of every command say.
pub struct Context {
    common: Common,
}

/// What a command is going to do with the profile.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Purpose {
    /// Only reads; works beside a running window.
    Read,
    /// Reads, and signs in to servers.
    ReadAndSignIn,
    /// Changes what is here.
    Write,
    /// Changes what is here, and signs in to servers or keeps a secret.
    WriteAndSignIn,
}

impl Context {
    #[must_use]
    pub const fn new(common: Common) -> Self {
        Self { common }
    }

    /// An additional trust root for this run.
    #[must_use]
    pub fn ca_file(&self) -> Option<&std::path::Path> {
        self.common.ca_file.as_deref()
    }

    /// The window on this profile.
    #[must_use]
    pub fn window(&self) -> Window {
        Window {
            profile: self.common.profile.clone(),
            ca_file: self.common.ca_file.clone(),
            ..Window::default()
        }
    }

    /// # Errors
    /// Where the profile cannot be opened: another instance has it, the disk, a newer version's store.
    pub fn open(&self, purpose: Purpose) -> Result<Session, Failure> {
        let secrets_key = match purpose {
            Purpose::Read | Purpose::Write => None,
            Purpose::ReadAndSignIn | Purpose::WriteAndSignIn => self.find_secrets_key()?,
        };
        self.open_with(purpose, secrets_key)
    }

    /// As [`Context::open`], with the key of the sealed file already known.
    ///
    /// # Errors
    /// As [`Context::open`].
    pub fn open_with(&self, purpose: Purpose, secrets_key: Option<Secret>) -> Result<Session, Failure> {
        let runtime = tokio::runtime::Builder::new_current_thread()
            .enable_all()
            .build()
            .map_err(|error| Failure::disk("cannot start", &error))?;
        let engine = Engine::open(Options {
            profile: self.common.profile.clone(),
            ca_file: self.common.ca_file.clone(),
            imap_without: imap_without_of_environment(),
            secrets_key,
            read_only: matches!(purpose, Purpose::Read | Purpose::ReadAndSignIn),
            ..Options::default()
        })?;
        Ok(Session {
            engine,
            interrupts: Cell::default(),
            runtime,
        })
    }

    /// The sealed file's key, from the environment, or asked for where some account needs it.
    fn find_secrets_key(&self) -> Result<Option<Secret>, Failure> {
        if let Some(key) = secrets_key_of_environment() {
            return Ok(Some(key));
        }
        if !std::io::stdin().is_terminal() {
            return Ok(None);
        }
        let session = self.open_with(Purpose::Read, None)?;
        let accounts = session.ask(|catalog| async move { catalog.accounts().await })?;
        drop(session);
        if accounts
            .iter()
            .any(|account| account.config.secrets == SecretPlace::File)
        {
            prompt("Key of the sealed file of passwords: ").map(Some)
        } else {
            Ok(None)
        }
    }
}

#[must_use]
pub fn secrets_key_of_environment() -> Option<Secret> {
    std::env::var(SECRETS_KEY)
        .ok()
        .filter(|key| !key.is_empty())
        .map(Secret::new)
}

/// IMAP capabilities that are not to be used, separated by commas: to run the same tests with every extension off.
#[must_use]
pub fn imap_without_of_environment() -> Vec<String> {
    let names = std::env::var("POSTHORN_IMAP_WITHOUT").unwrap_or_default();
    let names = names.split(',').map(str::trim).filter(|name| !name.is_empty());
    names.map(str::to_owned).collect()
}

/// Asks on the terminal, without echo.
///
/// # Errors
/// Where there is no terminal, or the answer is empty.
pub fn prompt(question: &str) -> Result<Secret, Failure> {
    let text = rpassword::prompt_password(question).map_err(|error| Failure::disk("cannot ask", &error))?;
    if text.is_empty() {
        return Err(Failure::config("an empty answer"));
    }
    Ok(Secret::new(text))
}

/// An open profile.
pub struct Session {
    pub engine: Engine,
    interrupts: Cell<Option<Interrupts>>,
    // Declared after the engine: what the engine still runs is dropped first.
    runtime: tokio::runtime::Runtime,
}

impl Session {
    /// Waits for the engine.
    pub fn wait<F: Future>(&self, future: F) -> F::Output {
        self.runtime.block_on(future)
    }

    /// Asks the catalog.
    ///
    /// # Errors
    /// What the catalog says.
    pub fn ask<T, F>(&self, question: impl FnOnce(Catalog) -> F) -> Result<T, Failure>
    where
        F: Future<Output = Result<T, Error>>,
    {
        Ok(self.wait(question(self.engine.catalog()))?)
    }

    /// Waits until it is done, or until the user interrupts: then `None`. From the first such wait on, an interrupt
    /// that comes between two of them ends the next.
    pub fn wait_or_interrupt<F: Future>(&self, future: F) -> Option<F::Output> {
        self.wait(async {
            let mut interrupts = self.interrupts.take().unwrap_or_else(Interrupts::listen);
            let outcome = tokio::select! {
                done = future => Some(done),
                () = interrupts.next() => None,
            };
            self.interrupts.set(Some(interrupts));
            outcome
        })
    }
}

/// Lets the engine finish its step. A second interrupt leaves at once: everything that counts is committed already.
impl Drop for Session {
    fn drop(&mut self) {
        self.wait_or_interrupt(self.engine.shutdown());
    }
}
