//! The whole program, driven as a script drives it, against real servers and against the sandbox.
//!
//! Where Debian's Dovecot and Postfix are not installed, or this is not root, the tests that need them say so and
//! pass; under CI they fail.

#![allow(
    clippy::unwrap_used,
    clippy::panic,
    clippy::indexing_slicing,
    clippy::string_slice,
    clippy::print_stdout,
    clippy::cast_possible_truncation,
    reason = "a test that cannot go on panics, and says on standard output what it skips"
)]

mod account;
mod corpus;
mod crash;
#[cfg(target_os = "linux")]
mod drag;
mod hostile;
mod imap;
mod mail;
mod mailboxes;
mod order;
mod plan;
mod pop3;
mod posthorn;
mod reading;
mod remote;
#[cfg(unix)]
mod scenario;
mod send;
mod server;
mod shell;
mod synthetic;
mod trouble;
#[cfg(target_os = "linux")]
mod walk;
#[cfg(target_os = "linux")]
mod window;
