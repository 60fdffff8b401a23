//! The store on real SQLite files in temporary directories.

mod store {
    pub mod support;

    mod flow;
}
