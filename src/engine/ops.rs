//! The user's intents: a local part, a part for the server, and a way back.

pub mod apply;
pub(crate) mod draft;
pub mod handover;
pub(crate) mod housekeeping;
pub(crate) mod left;
pub mod mailbox;
pub mod naming;
pub mod queue;
pub(crate) mod runner;
pub(crate) mod undo;
pub(crate) mod wish;
