//! What a list shows and where a page of it starts.

use serde::{Deserialize, Serialize};

use crate::{AccountId, MailboxId, MessageId};

/// A set of messages that can be listed.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash, Serialize, Deserialize)]
pub enum View {
    Mailbox(MailboxId),
    /// The inboxes of all accounts.
    Inbox,
    /// Every mailbox of one account.
    Account(AccountId),
    /// Every message.
    All,
}

/// Where a page starts. Newest first: a page runs from newer to older.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash)]
pub enum PageStart {
    Newest,
    /// The rows older than this one: keyset paging.
    Before(Cursor),
    /// The page whose first row is this many rows below the newest, for a scroll bar.
    Row(u64),
}

/// A place in a list, stable while mail arrives: the last row shown.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash, PartialOrd, Ord)]
pub struct Cursor {
    pub message: MessageId,
    pub mailbox: MailboxId,
}

impl Cursor {
    /// Reads what `Display` wrote.
    #[must_use]
    pub fn parse(text: &str) -> Option<Self> {
        let (message, mailbox) = text.split_once('.')?;
        Some(Self {
            message: MessageId(message.parse().ok()?),
            mailbox: MailboxId(mailbox.parse().ok()?),
        })
    }
}

impl std::fmt::Display for Cursor {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        write!(f, "{}.{}", self.message, self.mailbox)
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn cursor_reads_back() {
        let cursor = Cursor {
            message: MessageId(12),
            mailbox: MailboxId(3),
        };
        assert_eq!(Cursor::parse(&cursor.to_string()), Some(cursor));
        assert_eq!(Cursor::parse("12"), None);
    }
}
