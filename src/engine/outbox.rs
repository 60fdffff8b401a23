//! Sending: submissions are durable before SMTP hears of them, and are handed over at most once.

pub(crate) mod building;
pub(crate) mod file;
pub(crate) mod runner;
pub mod state;
pub(crate) mod submit;
