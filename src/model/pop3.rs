//! What a POP3 account remembers (RFC 1939): one ledger row for each UIDL ever seen.

use serde::{Deserialize, Serialize};
use std::fmt;

use crate::{Hash, MessageId, Timestamp};

/// A message number: valid within one session only, never stored.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub struct MsgNo(pub u32);

impl fmt::Display for MsgNo {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        self.0.fmt(f)
    }
}

/// A unique-id listing entry: bytes, since servers exceed RFC 1939's 70 printable characters.
#[derive(Clone, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub struct Uidl(pub Vec<u8>);

impl fmt::Display for Uidl {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        self.0.escape_ascii().fmt(f)
    }
}

impl fmt::Debug for Uidl {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "Uidl({self})")
    }
}

/// When a downloaded message is removed from the POP3 server. POP3 itself has no rule: this policy decides.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize, Deserialize, Default)]
#[serde(rename_all = "kebab-case")]
pub enum LeaveOnServer {
    /// Removed as soon as it is verified here.
    Never,
    /// Never removed by this client.
    #[default]
    Forever,
    /// Removed this many days after it was downloaded and verified here.
    Days(u16),
    /// Removed once it is deleted or moved out of the inbox here.
    UntilRemoved,
}

impl LeaveOnServer {
    /// Reads `never`, `forever`, `until-removed` or a number of days.
    #[must_use]
    pub fn parse(text: &str) -> Option<Self> {
        match text {
            "never" => Some(Self::Never),
            "forever" => Some(Self::Forever),
            "until-removed" => Some(Self::UntilRemoved),
            days => days.parse().ok().map(Self::Days),
        }
    }
}

impl fmt::Display for LeaveOnServer {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Self::Never => f.write_str("never"),
            Self::Forever => f.write_str("forever"),
            Self::Days(days) => days.fmt(f),
            Self::UntilRemoved => f.write_str("until-removed"),
        }
    }
}

/// Where a UIDL stands. Only `Deleted` and `Gone` say that the server no longer holds it.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash, Serialize, Deserialize)]
#[serde(rename_all = "kebab-case")]
pub enum LedgerState {
    /// Listed by the server, not yet here.
    Seen,
    /// Durable here, read back and hash-checked.
    Downloaded,
    /// To be deleted on the server; may have been sent, not yet believed.
    DeleteWanted,
    /// Deleted by us: QUIT answered +OK, or the next listing lacked it.
    Deleted,
    /// No longer listed, and not by our doing.
    Gone,
}

impl LedgerState {
    pub const ALL: [Self; 5] = [
        Self::Seen,
        Self::Downloaded,
        Self::DeleteWanted,
        Self::Deleted,
        Self::Gone,
    ];

    #[must_use]
    pub const fn name(self) -> &'static str {
        match self {
            Self::Seen => "seen",
            Self::Downloaded => "downloaded",
            Self::DeleteWanted => "delete-wanted",
            Self::Deleted => "deleted",
            Self::Gone => "gone",
        }
    }
}

/// One message of one maildrop, remembered for ever.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct LedgerRow {
    pub uidl: Uidl,
    /// Octets as LIST gave them; `None` where it did not.
    pub size: Option<u64>,
    pub first_seen: Timestamp,
    /// When the message was durable and verified here: the policy counts days from this.
    pub downloaded_at: Option<Timestamp>,
    pub hash: Option<Hash>,
    pub message: Option<MessageId>,
    pub state: LedgerState,
    /// When `state` last changed.
    pub changed_at: Timestamp,
    /// Why a deletion was wanted, in words for people; empty otherwise.
    pub reason: String,
    /// What the server answered to the deletion; empty before.
    pub reply: String,
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn policies_read_back_as_written() {
        for text in ["never", "forever", "until-removed", "0", "14", "65535"] {
            let policy = LeaveOnServer::parse(text);
            assert_eq!(policy.map(|policy| policy.to_string()).as_deref(), Some(text));
        }
        for text in ["", "-1", "65536", "always", "1.5"] {
            assert_eq!(LeaveOnServer::parse(text), None, "{text:?}");
        }
    }
}
