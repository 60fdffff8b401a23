//! What a sync or a test has done, in figures.

use posthorn_model::{AccountId, Problem, Protocol};

/// Which bodies to fetch.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Default)]
pub enum Bodies {
    #[default]
    All,
    /// Of the last 30 days.
    Recent,
    None,
}

/// One pass over some accounts.
#[derive(Clone, Debug, Default)]
pub struct SyncRequest {
    /// Empty: all.
    pub accounts: Vec<AccountId>,
    pub bodies: Bodies,
    /// Only what waits here goes out: operations and the outbox. Nothing is fetched.
    pub push_only: bool,
}

/// What the pass did.
#[derive(Clone, Debug, Default)]
pub struct SyncReport {
    pub accounts: Vec<AccountReport>,
}

/// What the pass did for one account.
#[derive(Clone, Debug)]
pub struct AccountReport {
    pub name: String,
    pub protocol: Protocol,
    pub mailboxes: u64,
    /// Messages that were not here before.
    pub new: u64,
    /// Messages whose flags or mailboxes changed by the server's word.
    pub changed: u64,
    /// Messages that the server no longer holds.
    pub gone: u64,
    /// Whole messages fetched.
    pub bodies: u64,
    pub bytes_in: u64,
    pub bytes_out: u64,
    pub round_trips: u64,
    pub connections: u64,
    pub seconds: f64,
    pub problems: Vec<Problem>,
}

impl AccountReport {
    /// The figures of a second pass beside those of the first; its problems are the newer ones.
    pub fn add(&mut self, after: Self) {
        self.new += after.new;
        self.changed += after.changed;
        self.gone += after.gone;
        self.bodies += after.bodies;
        self.bytes_in += after.bytes_in;
        self.bytes_out += after.bytes_out;
        self.round_trips += after.round_trips;
        self.connections += after.connections;
        self.seconds += after.seconds;
        self.problems = after.problems;
    }
}

/// One server's answer to a test.
#[derive(Clone, Debug)]
pub struct ServerTest {
    /// `imap`, `pop3` or `smtp`.
    pub service: &'static str,
    pub endpoint: String,
    /// What it offers, or why it failed.
    pub result: Result<Vec<String>, crate::Error>,
}

/// Whether an account's settings work.
#[derive(Clone, Debug, Default)]
pub struct TestReport {
    pub servers: Vec<ServerTest>,
}

impl TestReport {
    #[must_use]
    pub fn is_good(&self) -> bool {
        !self.servers.is_empty() && self.servers.iter().all(|server| server.result.is_ok())
    }
}
