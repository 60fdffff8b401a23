//! A message is content, stored once; a placement is one message in one mailbox.

use serde::{Deserialize, Serialize};
use std::fmt;

use crate::{Flags, MailboxId, MessageId, Timestamp, Uid};

/// SHA-256 of a message's bytes exactly as the server served them (after un-stuffing, or of the literal).
#[derive(Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub struct Hash(pub [u8; 32]);

impl Hash {
    #[must_use]
    pub fn from_slice(bytes: &[u8]) -> Option<Self> {
        bytes.try_into().ok().map(Self)
    }
}

/// 64 hexadecimal digits, lower case.
impl fmt::Display for Hash {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        self.0.iter().try_for_each(|byte| write!(f, "{byte:02x}"))
    }
}

impl fmt::Debug for Hash {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "Hash({self})")
    }
}

/// How much of a message is on this disk.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash, Serialize, Deserialize)]
#[serde(rename_all = "lowercase")]
pub enum BodyState {
    /// Only its headers: the rest is on the server.
    Headers,
    /// Whole: the raw bytes are here and their hash is known.
    Whole,
}

/// One message in one mailbox.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Placement {
    pub message: MessageId,
    pub mailbox: MailboxId,
    /// `None`: not on the server (yet), or in a local mailbox.
    pub uid: Option<Uid>,
    /// As shown here.
    pub flags: Flags,
    /// As the server last said: the base of the three-way merge.
    pub base: Flags,
}

/// One leaf of a message's MIME tree, or a nested message.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct Part {
    /// Its index among the message's parts, in the order they stand.
    pub index: u32,
    /// Lower case, `type/subtype`.
    pub content_type: String,
    /// Decoded and made safe for a file system; `None` where the part has no name.
    pub name: Option<String>,
    /// Decoded size in bytes.
    pub size: u64,
    /// The Content-ID without angle brackets.
    pub content_id: Option<String>,
    /// Shown within the text rather than listed as an attachment.
    pub inline: bool,
}

/// Where a message lives, from facts, never from the account's type.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum Where {
    /// Whole here, and the server holds it as far as is known.
    Both,
    /// Whole here and on no server.
    OnlyHere,
    /// On the server; here only its headers.
    HeadersOnly,
    /// Whole here and on the server, to be removed there at the time given.
    Leaving { on: Timestamp },
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn hash_shows_as_hex() {
        assert_eq!(Hash([0xab; 32]).to_string(), "ab".repeat(32));
        assert_eq!(Hash::from_slice(&[1; 31]), None);
    }
}
