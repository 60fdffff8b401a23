//! Speaking with mail servers: dialling, TLS, IMAP, POP3, SMTP, and the keychain that holds the secrets for it.
//!
//! This is the only crate that names async-imap, async-pop, lettre's transport, rustls, keyring and ureq; nothing of
//! theirs shows in a public signature. It knows no database and decides nothing about when to sync or what to
//! delete: it does one thing that it was asked, and says what the server answered.
//!
//! What it must never do: send a secret over a connection that is not protected (unless the user said so), believe
//! anything read before TLS, take an early end for success, hold more of a server's answer than a stated bound,
//! panic on what a server says, or write a secret or a message's text to the log.
//!
//! Start reading at [`dial`] (from a host name to a protected [`Channel`]), then [`imap`], [`pop3`] or [`smtp`];
//! `sasl` is how all protocols prove who the user is, and [`keychain`] keeps the secrets for it.

#[cfg(test)]
mod certified;
pub mod channel;
pub mod credentials;
pub mod dial;
pub mod error;
#[cfg(test)]
mod hostile;
pub mod imap;
pub mod keychain;
pub mod metered;
pub mod payload;
pub mod pictures;
pub mod pop3;
#[cfg(test)]
#[cfg(unix)]
mod real;
pub mod route;
mod sasl;
pub mod smtp;
mod starttls;
pub mod tls;
pub mod unsubscribe;
pub mod web;

pub use channel::{Channel, Traffic, TrafficCount};
pub use credentials::Credentials;
pub use dial::{DialOptions, Dialer, Greeter};
pub use error::Error;
pub use keychain::{Keychain, SealedFile, SecretStore, SessionSecrets};
pub use payload::Payload;
pub use tls::{CertificateFault, CertificateTrouble};
pub use web::{Web, WebRules};
