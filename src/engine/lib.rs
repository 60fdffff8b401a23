//! The account manager: one actor per account, an IMAP sync engine or a POP3 downloader, both writing into the
//! local message cache. The window and the command line sit on this crate and see nothing below it.
//!
//! Data flows one way: wire → engine → store → event → window. Readers ask [`Catalog`], which never touches the
//! network; wishes go in as [`Command`] and are durable, with their local effect, before anything is sent;
//! [`Event`]s carry ids only and follow the commit.
//!
//! The engine has a tokio runtime of its own. Every async method here may be awaited on any executor.
//!
//! Must never: wait for the network to answer a reader, delete on a server what is not durable and verified here,
//! derive a server deletion from local absence, log a secret or a message's text.
//!
//! Start reading at [`command`], then `manager`, then `imap/plan` and `pop3/plan`.

pub mod catalog;
pub mod command;
pub mod error;
pub mod event;
pub mod report;

use std::path::PathBuf;

use posthorn_model::{AccountConfig, AccountId, Problem, Secret, SubmissionId, Timestamp};

pub use catalog::Catalog;
pub use command::{Command, Receipt};
pub use error::Error;
pub use event::{AccountState, Event, Events};

/// How to open a profile.
#[derive(Clone, Debug, Default)]
pub struct Options {
    /// Everything under this directory; `None` uses the platform's directories.
    pub profile: Option<PathBuf>,
    /// PEM file with an additional trust root for this run.
    pub ca_file: Option<PathBuf>,
    /// Opens the sealed file of secrets (`POSTHORN_SECRETS_KEY` or a prompt).
    pub secrets_key: Option<Secret>,
    /// Only read: allowed beside an instance that writes.
    pub read_only: bool,
}

/// A message to send: built already, exactly as it is to be kept.
#[derive(Clone, Debug)]
pub struct Outgoing {
    pub account: AccountId,
    /// RFC 5322 bytes, with Bcc where there is one; Bcc is removed before sending.
    pub raw: Vec<u8>,
    /// Envelope recipients; empty: taken from To, Cc and Bcc.
    pub recipients: Vec<String>,
    /// Not before this time.
    pub at: Option<Timestamp>,
    /// The draft that this message replaces, removed when the submission is accepted.
    pub draft: Option<posthorn_model::MessageId>,
}

/// An open profile. Cheap to clone; [`Engine::shutdown`] ends it for all.
#[derive(Clone)]
pub struct Engine {}

impl Engine {
    /// Opens the profile: takes its lock (unless `read_only`), opens the store, reads the configuration. Contacts
    /// no server. Blocks for a moment: call it off the window's thread.
    ///
    /// # Errors
    /// `Config` where another instance has the profile or its store is of a newer version, `Disk`, `Corrupt`.
    pub fn open(_options: Options) -> Result<Self, Error> {
        Err(Error::bug("the engine is not built"))
    }

    /// What is stored, to read.
    #[must_use]
    pub fn catalog(&self) -> Catalog {
        Catalog {}
    }

    /// What happens from now on.
    #[must_use]
    pub fn events(&self) -> Events {
        Events {}
    }

    /// Starts the background work of every account: sync now, then IDLE or polling, operations and outbox.
    pub fn start(&self) {}

    /// Commits the wish with its local effect; returns when it is durable, not when the server has it.
    ///
    /// # Errors
    /// Where nothing was changed.
    pub async fn command(&self, _command: Command) -> Result<Receipt, Error> {
        Err(Error::bug("the engine is not built"))
    }

    /// Hands a message to the outbox, durably.
    ///
    /// # Errors
    /// Where it was not accepted into the outbox: bad recipients, no outgoing server, disk.
    pub async fn send(&self, _outgoing: Outgoing) -> Result<SubmissionId, Error> {
        Err(Error::bug("the engine is not built"))
    }

    /// One complete pass: operations pushed, outbox emptied, mail fetched; ends when done.
    ///
    /// # Errors
    /// Where no account could be started; trouble of single accounts is in the report.
    pub async fn sync(&self, _request: report::SyncRequest) -> Result<report::SyncReport, Error> {
        Err(Error::bug("the engine is not built"))
    }

    /// Adds an account and keeps its secret. Contacts no server.
    ///
    /// # Errors
    /// `Config` for a name already taken, cleartext without leave, a keychain that is not there.
    pub async fn add_account(
        &self,
        _config: AccountConfig,
        _secret: Option<Secret>,
    ) -> Result<AccountId, Error> {
        Err(Error::bug("the engine is not built"))
    }

    /// Replaces an account's settings, and its secret where one is given.
    ///
    /// # Errors
    /// As [`Engine::add_account`].
    pub async fn update_account(
        &self,
        _id: AccountId,
        _config: AccountConfig,
        _secret: Option<Secret>,
    ) -> Result<(), Error> {
        Err(Error::bug("the engine is not built"))
    }

    /// Forgets an account, its secret and its local index. Never touches its server.
    ///
    /// # Errors
    /// `Config` for an unknown account, `Disk`.
    pub async fn remove_account(&self, _id: AccountId) -> Result<(), Error> {
        Err(Error::bug("the engine is not built"))
    }

    /// Signs in to both servers and out again; sends nothing else.
    pub async fn test_account(&self, _config: AccountConfig, _secret: Option<Secret>) -> report::TestReport {
        report::TestReport::default()
    }

    /// What is wrong now. A success removes a problem.
    #[must_use]
    pub fn problems(&self) -> Vec<Problem> {
        Vec::new()
    }

    /// How each account is doing now.
    #[must_use]
    pub fn states(&self) -> Vec<(AccountId, AccountState)> {
        Vec::new()
    }

    /// Stops commands, lets the actors finish their step, signs out within 2 s, drains the writer.
    pub async fn shutdown(&self) {}
}
