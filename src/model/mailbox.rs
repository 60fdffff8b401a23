//! Mailboxes: containers of messages on a server or only here.

use serde::{Deserialize, Serialize};
use std::fmt;

/// A mailbox's name: data from a server, never a path. `wire` are the bytes that name it in commands (modified
/// UTF-7 or UTF-8, as the server wrote them), `path` is what people read, with `/` between levels.
#[derive(Clone, Debug, PartialEq, Eq, Hash, Serialize, Deserialize)]
pub struct MailboxName {
    pub wire: Vec<u8>,
    pub path: String,
}

impl MailboxName {
    /// INBOX is the one name that ignores case (RFC 9051 section 5.1).
    #[must_use]
    pub fn is_inbox(&self) -> bool {
        self.wire.eq_ignore_ascii_case(b"INBOX")
    }

    /// The last level of the path.
    #[must_use]
    pub fn leaf(&self) -> &str {
        self.path.rsplit_once('/').map_or(&self.path, |(_, leaf)| leaf)
    }

    /// A mailbox that exists only here (POP3 accounts), named as people read it.
    #[must_use]
    pub fn local(path: &str) -> Self {
        Self {
            wire: path.as_bytes().to_vec(),
            path: path.to_owned(),
        }
    }
}

impl fmt::Display for MailboxName {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(&self.path)
    }
}

/// What a mailbox is for (RFC 6154), INBOX included.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Hash, Serialize, Deserialize)]
#[serde(rename_all = "lowercase")]
pub enum SpecialUse {
    Inbox,
    Drafts,
    Sent,
    Archive,
    Junk,
    Trash,
    Flagged,
    All,
    Important,
}

impl SpecialUse {
    pub const ALL: [Self; 9] = [
        Self::Inbox,
        Self::Drafts,
        Self::Sent,
        Self::Archive,
        Self::Junk,
        Self::Trash,
        Self::Flagged,
        Self::All,
        Self::Important,
    ];

    #[must_use]
    pub const fn name(self) -> &'static str {
        match self {
            Self::Inbox => "inbox",
            Self::Drafts => "drafts",
            Self::Sent => "sent",
            Self::Archive => "archive",
            Self::Junk => "junk",
            Self::Trash => "trash",
            Self::Flagged => "flagged",
            Self::All => "all",
            Self::Important => "important",
        }
    }

    #[must_use]
    pub fn parse(name: &str) -> Option<Self> {
        Self::ALL
            .into_iter()
            .find(|purpose| purpose.name().eq_ignore_ascii_case(name))
    }

    /// The LIST attribute, such as `\Sent`; INBOX has none.
    #[must_use]
    pub const fn attribute(self) -> Option<&'static str> {
        Some(match self {
            Self::Inbox => return None,
            Self::Drafts => "\\Drafts",
            Self::Sent => "\\Sent",
            Self::Archive => "\\Archive",
            Self::Junk => "\\Junk",
            Self::Trash => "\\Trash",
            Self::Flagged => "\\Flagged",
            Self::All => "\\All",
            Self::Important => "\\Important",
        })
    }

    /// Reads a LIST attribute such as `\Sent`.
    #[must_use]
    pub fn from_attribute(attribute: &str) -> Option<Self> {
        Self::parse(attribute.strip_prefix('\\')?).filter(|purpose| *purpose != Self::Inbox)
    }
}
