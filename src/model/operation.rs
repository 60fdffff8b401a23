//! The user's intents, durable before anything is sent.

use serde::{Deserialize, Serialize};

use crate::{
    AccountId, FlagChange, Flags, Hash, InternetMessageId, MailboxId, MailboxName, MessageId, OperationId,
    Timestamp, Uid, UidValidity,
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
    /// In octets: what a message without a Message-ID is known by. `None`: not known.
    #[serde(default)]
    pub size: Option<u64>,
}

/// One mailbox of a rename: the one that the user named, or one below it.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct Renamed {
    pub mailbox: MailboxId,
    /// As the server calls it until the operation is done.
    pub from: MailboxName,
    pub to: MailboxName,
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
    /// The local message is uploaded: a sent copy, a draft, or what comes from another account.
    Append {
        hash: Hash64,
        flags: Flags,
        date: Timestamp,
    },
    /// The message goes to another account, where `copy` stands for it: its body is fetched where it is missing,
    /// and it is removed here once it is safe there. One target each.
    Handover {
        copy: MessageId,
        /// The upload into the other account while it is not known to be done; `None`: nothing is waited for.
        append: Option<OperationId>,
        /// `None`: the body is not here yet.
        hash: Option<Hash64>,
        /// Whether it is removed here: a move, not a copy.
        away: bool,
    },
    /// Not to be done: these messages stay marked \Deleted on a server that cannot remove single messages, and
    /// are not shown.
    LeftDeleted,
    /// Everything in the mailbox that is marked \Deleted is removed for good, whoever marked it. The targets are
    /// what the user was told of: where more is marked by then, nothing is removed.
    ExpungeMailbox,
    CreateMailbox {
        /// As people read it: what is told where the mailbox is no longer here.
        path: String,
    },
    /// The first is the one that the user named, the others stand below it.
    RenameMailbox {
        renamed: Vec<Renamed>,
    },
    DeleteMailbox,
    Subscribe {
        on: bool,
    },
}

impl OperationKind {
    /// Whether it changes which mailboxes there are, or their names.
    #[must_use]
    pub const fn is_structural(&self) -> bool {
        matches!(
            self,
            Self::CreateMailbox { .. } | Self::RenameMailbox { .. } | Self::DeleteMailbox
        )
    }
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
    /// Of a message whose bytes are still to come.
    #[must_use]
    pub const fn awaited() -> Self {
        Self(String::new())
    }

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

/// One durable operation on a mailbox or its messages.
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

impl Operation {
    /// The server has not heard of it: it can still be taken back as if it had never been.
    #[must_use]
    pub fn is_unheard(&self) -> bool {
        self.state == OperationState::Queued && self.tries == 0
    }
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
