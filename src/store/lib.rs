//! The local message cache in SQLite: the only crate that names rusqlite.

pub mod write;
