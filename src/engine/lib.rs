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

mod account;
pub mod attachment;
pub mod catalog;
pub mod clock;
pub mod command;
pub mod config;

pub mod error;
pub mod event;
mod face;
pub mod filter;
pub mod forecast;
mod hub;
pub mod imap;
mod index;
mod intake;
pub mod invitation;
pub mod link;
mod manager;
pub mod ops;
pub mod outbox;
pub mod pictures;
pub mod pop3;
mod problem;
pub mod profile;
mod pulse;
pub mod reading;
mod receipt;
pub mod report;
pub mod schedule;
mod secrets;
mod setup;
mod shared;
mod spool;
mod supervise;
pub mod unsubscribe;
pub mod whereabouts;

use std::path::PathBuf;

use posthorn_model::{AccountId, Secret, Timestamp};

pub use catalog::Catalog;
pub use clock::Clock;
pub use command::{Command, Receipt};
pub use error::Error;
pub use event::{AccountState, Event, Events};
pub use face::Engine;
pub use link::Network;
pub use posthorn_net::web::WebRules;
pub use reading::Reading;

/// How to open a profile.
#[derive(Clone, Debug, Default)]
pub struct Options {
    /// Everything under this directory; `None` uses the platform's directories.
    pub profile: Option<PathBuf>,
    /// PEM file with an additional trust root for this run.
    pub ca_file: Option<PathBuf>,
    /// IMAP capabilities that are not used though servers offer them; `all` for every extension.
    pub imap_without: Vec<String>,
    /// Opens the sealed file of secrets (`POSTHORN_SECRETS_KEY` or a prompt).
    pub secrets_key: Option<Secret>,
    /// Only read: allowed beside an instance that writes.
    pub read_only: bool,
    /// The system's, unless a test brings its own.
    pub clock: Clock,
    /// Which web servers may be asked for pictures; tests bring their own.
    pub web: WebRules,
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

#[cfg(test)]
mod tests;
