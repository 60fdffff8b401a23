//! Fields that the window shows beside the envelope.

pub mod auth_results;
pub mod list;
pub mod named;
pub mod receipt;
pub mod verdict;
