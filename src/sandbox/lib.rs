//! A mailbox server in this process: IMAP4rev1, POP3 and SMTP submission over one mailbox store in memory.
//!
//! It is for the demo ("try it with a sandbox mailbox"), for the protocol lab, and for tests with faults that a
//! real server cannot be asked for. It listens on 127.0.0.1 only, and nothing submitted to it ever leaves it.
//!
//! What it must never do: share code with the client. It depends on the words of `posthorn-model` alone and reads
//! messages with a MIME walker of its own, so that a mistake of the client's parser is not made twice. It must not
//! be more forgiving than real servers are: what the standards refuse, it refuses.
//!
//! Start reading at [`Sandbox`] (`server`), then `mailbox` (what there is), `wire` (one connection), and one of
//! `imap`, `pop3`, `smtp`. [`fault`] is how tests break things, `sample` the mail that a new user finds.

pub mod fault;
mod gmail;
mod imap;
pub mod mailbox;
mod pop3;
mod sample;
mod server;
mod smtp;
#[cfg(test)]
mod tests;
mod tls;
mod wire;

pub use fault::{Fault, Faults, Service};
pub use mailbox::{MailStore, MailboxSummary, NewMessage, SandboxUser, StoredMessage};
pub use server::{
    IMAP_EXTENSIONS, Login, POP3_EXTENSIONS, SMTP_EXTENSIONS, Sandbox, SandboxMail, SandboxOptions,
};
pub use wire::{Hangup, Stream};
