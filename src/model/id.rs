//! Local identities. Only these, and (mailbox, UIDVALIDITY, UID) or (account, UIDL) on a server, identify
//! anything; sequence numbers never do.

use serde::{Deserialize, Serialize};
use std::fmt;

use crate::time::Timestamp;

macro_rules! local_id {
    ($(#[$doc:meta])* $name:ident) => {
        $(#[$doc])*
        #[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Hash, Serialize, Deserialize)]
        #[serde(transparent)]
        pub struct $name(pub i64);

        impl fmt::Display for $name {
            fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
                self.0.fmt(f)
            }
        }
    };
}

local_id!(
    /// One account of this profile.
    AccountId
);
local_id!(
    /// One mailbox of one account (the window may say "folder").
    MailboxId
);
local_id!(
    /// One message: content, stored once, however many mailboxes hold it. Ids follow time: see
    /// [`MessageId::floor`], so that ordering by id is ordering by date.
    MessageId
);
local_id!(
    /// One conversation (RFC 5256 REFERENCES).
    ThreadId
);
local_id!(
    /// One durable intent of the user, waiting for the server.
    OperationId
);
local_id!(
    /// One message handed to the outbox.
    SubmissionId
);

impl MessageId {
    /// Bits below the second: how many messages may share one second.
    pub const SERIAL_BITS: u32 = 20;

    /// The smallest id of a message dated `date` (seconds before 1970 count as 1970).
    #[must_use]
    pub fn floor(date: Timestamp) -> Self {
        Self(date.0.clamp(0, i64::MAX >> Self::SERIAL_BITS) << Self::SERIAL_BITS)
    }

    /// The second that the id was made for.
    #[must_use]
    pub fn date(self) -> Timestamp {
        Timestamp(self.0 >> Self::SERIAL_BITS)
    }
}

/// The `Message-ID` header's value without its angle brackets (RFC 5322 section 3.6.4). Senders choose it: it
/// may be absent, repeated or forged, and never identifies a message alone.
#[derive(Clone, Debug, PartialEq, Eq, PartialOrd, Ord, Hash, Serialize, Deserialize)]
#[serde(transparent)]
pub struct InternetMessageId(pub String);

impl fmt::Display for InternetMessageId {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "<{}>", self.0)
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn message_ids_follow_time() {
        let earlier = MessageId::floor(Timestamp(1_700_000_000));
        let later = MessageId::floor(Timestamp(1_700_000_001));
        assert!(earlier < later);
        assert_eq!(later.date(), Timestamp(1_700_000_001));
    }

    #[test]
    fn dates_outside_the_range_stay_inside_it() {
        assert_eq!(MessageId::floor(Timestamp(-5)), MessageId(0));
        assert!(MessageId::floor(Timestamp(i64::MAX)).0 > 0);
    }
}
