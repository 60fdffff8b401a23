//! What has happened: ids, never objects. Sent after the commit; the window queries again.

use posthorn_model::{AccountId, MailboxId, MessageId, NetworkPolicy};
use serde::Serialize;

/// How an account is doing.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize)]
#[serde(rename_all = "kebab-case")]
pub enum AccountState {
    Ready,
    Syncing,
    Offline,
    NeedsUser,
}

/// Something that has happened.
#[derive(Clone, Debug, PartialEq, Eq, Serialize)]
#[serde(rename_all = "snake_case", tag = "event")]
pub enum Event {
    AccountsChanged,
    /// Mailboxes came, went, were renamed, or their counts changed.
    MailboxesChanged {
        account: AccountId,
    },
    /// Rows of these mailboxes changed; `messages` names them where they are few, else is empty.
    MessagesChanged {
        mailboxes: Vec<MailboxId>,
        messages: Vec<MessageId>,
    },
    /// Mail that was not there before, in an inbox.
    NewMail {
        account: AccountId,
        messages: Vec<MessageId>,
    },
    StateChanged {
        account: AccountId,
        state: AccountState,
    },
    /// `total` is 0 while it is not known.
    Progress {
        account: AccountId,
        doing: Doing,
        done: u64,
        total: u64,
    },
    /// What the network may be used for: as the user chose, and as it is with the system's word on top.
    NetworkChanged {
        chosen: NetworkPolicy,
        policy: NetworkPolicy,
    },
    /// What the user allows a message.
    ReadingChanged,
    ProblemsChanged,
    OperationsChanged,
    OutboxChanged,
}

/// What an account is busy with.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize)]
#[serde(rename_all = "snake_case")]
pub enum Doing {
    Connecting,
    Listing,
    Headers,
    Bodies,
    Operations,
    Sending,
    /// Nothing any more: the progress line goes away.
    Idle,
}

/// The stream of events from the moment it was made.
pub struct Events(pub(crate) crate::hub::Reader);

impl Events {
    /// The next event; `None` after shutdown. A reader that falls behind gets events that cover what it missed,
    /// never silence.
    pub async fn next(&mut self) -> Option<Event> {
        self.0.next().await
    }
}
