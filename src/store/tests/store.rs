//! The store on real SQLite files in temporary directories.

#[cfg(test)]
mod store {
    pub mod support;
    pub mod waiting;

    mod crash;
    mod damage;
    mod finding;
    mod flow;
    mod model;
    mod queues;
}
