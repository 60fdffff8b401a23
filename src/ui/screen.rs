//! The screens. Each keeps its own state, acts on its own messages and hands [`crate::app::Action`]s up.

pub mod account;
pub mod compose;
pub mod leave;
pub mod mail;
pub mod settings;
pub mod setup;
pub mod sheet;
