//! Mail by IMAP (RFC 9051, RFC 3501): plans, merging, and the drivers that carry them out.

pub(crate) mod bodies;
pub(crate) mod driver;
pub mod folders;
mod lookout;
pub(crate) mod mailbox;
pub mod merge;
pub mod plan;
pub mod provider;
pub(crate) mod watch;
