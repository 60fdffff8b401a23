//! Mail by IMAP (RFC 9051, RFC 3501): plans, merging, and the drivers that carry them out.

pub(crate) mod bodies;
pub(crate) mod connections;
pub(crate) mod driver;
pub mod folders;
pub mod identity;
pub(crate) mod listing;
pub(crate) mod lookout;
pub(crate) mod mailbox;
pub mod merge;
pub mod plan;
pub mod provider;
pub(crate) mod watch;
