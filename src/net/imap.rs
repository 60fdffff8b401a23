//! IMAP (RFC 3501 and RFC 9051 with the extensions that spare turns): one authenticated connection and what can be
//! asked over it.
//!
//! async-imap sits in the middle: [`client`] gives it commands and takes replies from it, [`guard`] lies under it
//! and decides which replies its parser may see. A [`Session`] never calls an early end, a NO or a BAD a success;
//! what was asked for and did not come is missing from the set it returns. After an error of class Network or
//! Protocol, or a dropped future, the session is spent: connect again.
//!
//! Every extension is used where it is offered and needed nowhere: what a server claims and does not do is struck out
//! for the rest of the connection, and [`crate::DialOptions::without`] strikes out what a test wants to do without.
//! Of RFC 3516 only the binary literal is used, in APPEND: what is fetched is kept as it is, never decoded.
//!
//! Where to read on: [`login`] begins a session, [`mailboxes`] and [`status`] look around, [`select`] and [`fetch`]
//! read, [`partial`] fetches what is large, [`change`] and [`append`] write, [`idle`] waits for [`news`], [`deflate`]
//! compresses, and [`quirks`] names servers' faults.
//!
//! Nothing here expunges what others marked: no EXPUNGE without UIDs, no CLOSE.

mod append;
mod capability;
mod change;
mod client;
mod code;
mod date;
mod deflate;
mod fetch;
mod fetched;
mod framing;
mod guard;
mod idle;
mod login;
mod mailboxes;
mod name;
mod namespace;
mod news;
mod partial;
mod quirks;
mod scan;
mod search;
mod select;
mod special_use;
mod status;
mod structure;

pub use capability::Capabilities;
pub use change::{CopyUid, Expunged, MoveOutcome};
pub use code::ResponseCode;
pub use idle::IdleEvent;
pub use name::from_path as mailbox_name;
pub use namespace::{Namespace, Namespaces};
pub use news::News;
pub use partial::PartialBody;

use posthorn_model::{Flags, MailboxName, ModSeq, SpecialUse, Timestamp, Uid, UidSet, UidValidity};
use std::time::Duration;

use crate::{Payload, TrafficCount};
use client::Client;

/// Characters of a UID set in one command.
const SET_LENGTH: usize = 1000;

/// An authenticated connection to an IMAP server.
pub struct Session {
    client: Client,
    capabilities: Capabilities,
    /// Bytes of a body that may stay in memory.
    memory_limit: u64,
    /// RFC 7162: modification sequences can be asked for.
    condstore: bool,
    /// RFC 7162: enabled on this connection.
    qresync: bool,
    /// RFC 6855: names are UTF-8 on this connection.
    utf8: bool,
    /// A mailbox is selected, or may be.
    selected: bool,
    /// Between the levels of names, as LIST last said.
    delimiter: Option<char>,
    /// What the names of the user's own mailboxes begin with: empty, or `INBOX` and the delimiter.
    prefix: String,
    /// As NAMESPACE last said; the outer `None`: not asked.
    namespaces: Option<Option<Namespaces>>,
    /// RFC 4978.
    compressed: bool,
    quirks: quirks::Quirks,
    /// The server speaks IMAP4rev2 and nothing older.
    rev2_only: bool,
    /// RFC 6855 section 4: what is appended may be UTF-8 in its header.
    utf8_append: bool,
}

/// A mailbox as LIST shows it.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct ListedMailbox {
    pub name: MailboxName,
    pub delimiter: Option<char>,
    /// As the server names it, or guessed from the name where it names none at all.
    pub special_use: Option<SpecialUse>,
    pub selectable: bool,
    pub subscribed: bool,
    /// Where the server told it in the same turn.
    pub status: Option<Status>,
    /// What stays when the mailbox is renamed (RFC 8474 section 4), where the server told it in the same turn.
    pub mailbox_id: Option<String>,
}

/// What a mailbox holds, without opening it.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct Status {
    pub messages: u32,
    pub unseen: u32,
    pub uid_next: Option<u32>,
    pub uid_validity: Option<UidValidity>,
    pub highest_modseq: Option<ModSeq>,
    /// Bytes of all messages together (RFC 8438).
    pub size: Option<u64>,
    /// RFC 8474 section 4.2.
    pub mailbox_id: Option<String>,
}

/// How to open a mailbox.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Access {
    Write,
    /// EXAMINE: nothing changes, not even what is recent.
    Examine,
}

/// What is known of a mailbox, to be told only what has changed since (RFC 7162 section 3.2.5).
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Resume {
    pub uid_validity: UidValidity,
    pub modseq: ModSeq,
    pub known: UidSet,
}

/// An opened mailbox.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct Selected {
    /// `None`: the server keeps no UIDs, and nothing of this mailbox may be remembered.
    pub uid_validity: Option<UidValidity>,
    pub uid_next: Option<u32>,
    pub exists: u32,
    /// `None`: no modification sequences in this mailbox.
    pub highest_modseq: Option<ModSeq>,
    pub read_only: bool,
    /// Flags that last; `None` where the server did not say, which means all.
    pub permanent_flags: Option<Flags>,
    /// Whether new keywords can be made (`\*`).
    pub new_keywords: bool,
    /// What of the known messages is gone; `Some` only where QRESYNC answered for the UIDVALIDITY that was resumed.
    pub vanished: Option<UidSet>,
    /// What changed or came since the resumed modification sequence.
    pub changed: Vec<FlagReport>,
    /// RFC 8474 section 4.1.
    pub mailbox_id: Option<String>,
}

/// What the server says of one message's flags.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct FlagReport {
    pub uid: Uid,
    pub flags: Flags,
    pub modseq: Option<ModSeq>,
}

/// What a list shows of one message, without its body.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Summary {
    pub uid: Uid,
    pub flags: Flags,
    pub modseq: Option<ModSeq>,
    pub internal_date: Option<Timestamp>,
    /// Bytes, as announced: servers are sometimes wrong.
    pub size: u64,
    /// The fields of the header that a list, threading and mailing lists need, raw.
    pub header: Vec<u8>,
    /// From the body structure; `None` where that says nothing clear.
    pub attachments: Option<bool>,
    /// What names the message's content in every mailbox (RFC 8474 section 5.1); Gmail's own begin with `gm:`.
    pub email_id: Option<String>,
    /// What names its thread (RFC 8474 section 5.2); Gmail's own begin with `gm:`.
    pub thread_id: Option<String>,
    /// Gmail's labels: names of mailboxes that the message is in, and what Gmail calls `\Inbox` and the like.
    /// `None` where the server has none.
    pub labels: Option<Vec<String>>,
}

/// One whole message.
#[derive(Debug)]
pub struct Body {
    pub uid: Uid,
    pub payload: Payload,
}

impl Session {
    #[must_use]
    pub const fn capabilities(&self) -> &Capabilities {
        &self.capabilities
    }

    #[must_use]
    pub fn traffic(&self) -> TrafficCount {
        self.client.traffic()
    }

    /// Whether the connection is protected.
    #[must_use]
    pub fn is_tls(&self) -> bool {
        self.client.is_tls()
    }

    /// Whether modification sequences can be asked for (RFC 7162).
    #[must_use]
    pub const fn has_condstore(&self) -> bool {
        self.condstore
    }

    /// Whether SELECT can tell what changed and vanished (RFC 7162).
    #[must_use]
    pub const fn has_qresync(&self) -> bool {
        self.qresync
    }

    /// Whether the server has told in passing that the selected mailbox changed, since this was last asked: a hint
    /// to look, no more.
    pub fn take_news(&mut self) -> bool {
        self.client.take_news()
    }

    /// Says goodbye and closes, within two seconds whatever the server does.
    pub async fn logout(mut self) {
        let farewell = async {
            let patience = Duration::from_secs(2);
            // The server may leave without its OK: nothing is lost by that.
            let _ = self.client.run("LOGOUT", patience, &mut |_| {}).await;
            self.client.shut_down().await;
        };
        let _ = tokio::time::timeout(Duration::from_secs(2), farewell).await;
    }
}

#[cfg(test)]
mod real_tests;
#[cfg(test)]
mod tests;
