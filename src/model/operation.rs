//! The user's intents, durable before anything is sent.

use serde::{Deserialize, Serialize};

use crate::{
    AccountId, FlagChange, Flags, Hash, InternetMessageId, MailboxId, MessageId, OperationId, Timestamp, Uid,
    UidValidity,
};

/// One message as the operation found it on the server.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct Target {
    pub message: MessageId,
    /// Where it stood when the user acted; `None` where the server did not have it yet.
    pub uid: Option<Uid>,
    /// Flags before the act, for the way back.
    pub before: Flags,
    /// What the message says of itself: checked before anything is expunged, and found again by it where the
    /// UIDs' generation has changed.
    #[serde(default)]
    pub message_id: Option<InternetMessageId>,
}

/// What the server is to do.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "kebab-case", tag = "kind")]
pub enum OperationKind {
    SetFlags {
        change: FlagChange,
    },
    Move {
        to: MailboxId,
    },
    Copy {
        to: MailboxId,
    },
    /// Removed for good from this mailbox (by UID EXPUNGE only).
    Expunge,
    /// The local message is uploaded: a sent copy or a draft.
    Append {
        hash: Hash64,
        flags: Flags,
        date: Timestamp,
    },
}

/// A [`Hash`] in hexadecimal, as JSON carries it.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(transparent)]
pub struct Hash64(String);

impl From<Hash> for Hash64 {
    fn from(hash: Hash) -> Self {
        Self(hash.to_string())
    }
}

impl Hash64 {
    #[must_use]
    pub fn hash(&self) -> Option<Hash> {
        let digit = |at: usize| u8::from_str_radix(self.0.get(at * 2..at * 2 + 2)?, 16).ok();
        let bytes: Option<Vec<u8>> = (0..32).map(digit).collect();
        (self.0.len() == 64).then(|| Hash::from_slice(&bytes?)).flatten()
    }
}

/// Where an operation stands.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash, Serialize, Deserialize)]
#[serde(rename_all = "lowercase")]
pub enum OperationState {
    /// Waiting; may still be undone without the server hearing of it.
    Queued,
    /// Handed to the server; the answer is not known yet. After a restart it is tried again: every kind is safe
    /// to repeat, or checks first.
    Sent,
    /// Refused or impossible for now; shown with the server's words.
    Held,
}

/// One durable operation on messages of one mailbox.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Operation {
    pub id: OperationId,
    pub account: AccountId,
    /// The mailbox acted on; the target mailbox for [`OperationKind::Append`].
    pub mailbox: MailboxId,
    /// The UIDs' generation when the user acted; they are void under another.
    pub uid_validity: Option<UidValidity>,
    pub targets: Vec<Target>,
    pub kind: OperationKind,
    pub state: OperationState,
    pub created: Timestamp,
    /// Operations of one intent of the user share this; undo takes all of them.
    pub intent: i64,
    pub tries: u32,
    /// The server's words, or why it is held; empty while all is well.
    pub reply: String,
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn hash_survives_its_hex_form() {
        let hash = Hash(std::array::from_fn(|n| u8::try_from(n).unwrap_or(0)));
        assert_eq!(Hash64::from(hash).hash(), Some(hash));
        assert_eq!(Hash64("ab".into()).hash(), None);
        assert_eq!(Hash64("é".repeat(32)).hash(), None);
    }
}
