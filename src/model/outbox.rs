//! Submission: how far a message handed to the outbox has come (RFC 5321, RFC 6409).

use serde::{Deserialize, Serialize};

/// The states of a submission. It is handed to SMTP at most once without the user's say.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash, Serialize, Deserialize)]
#[serde(rename_all = "lowercase")]
pub enum SubmissionState {
    /// Waiting to be sent.
    Queued,
    /// Being handed over. Found after a crash, it becomes `Uncertain`.
    Sending,
    /// The connection was lost after the final dot: the server may or may not have it. Only the user decides.
    Uncertain,
    /// Accepted by the server.
    Sent,
    /// Refused for good, or stopped: waits for the user.
    Held,
}

impl SubmissionState {
    pub const ALL: [Self; 5] = [
        Self::Queued,
        Self::Sending,
        Self::Uncertain,
        Self::Sent,
        Self::Held,
    ];

    #[must_use]
    pub const fn name(self) -> &'static str {
        match self {
            Self::Queued => "queued",
            Self::Sending => "sending",
            Self::Uncertain => "uncertain",
            Self::Sent => "sent",
            Self::Held => "held",
        }
    }
}
