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

/// How much of what is here already may stay on the server: beyond it the oldest go first.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(try_from = "String", into = "String")]
pub enum KeepAtMost {
    Messages(u32),
    /// Octets by the server's own count.
    Bytes(u64),
}

impl KeepAtMost {
    /// Reads a number of messages, or a size as [`parse_octets`] does.
    #[must_use]
    pub fn parse(text: &str) -> Option<Self> {
        match text.parse() {
            Ok(messages) => Some(Self::Messages(messages)),
            Err(_) => parse_octets(text).map(Self::Bytes),
        }
    }
}

impl fmt::Display for KeepAtMost {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Self::Messages(messages) => messages.fmt(f),
            Self::Bytes(bytes) => f.write_str(&say_octets(*bytes)),
        }
    }
}

impl TryFrom<String> for KeepAtMost {
    type Error = &'static str;

    fn try_from(text: String) -> Result<Self, Self::Error> {
        Self::parse(&text).ok_or("expected a number of messages, or a size such as 200MB")
    }
}

impl From<KeepAtMost> for String {
    fn from(limit: KeepAtMost) -> Self {
        limit.to_string()
    }
}

const UNITS: [(&str, u64); 7] = [
    ("GB", 1_000_000_000),
    ("MB", 1_000_000),
    ("kB", 1_000),
    ("GiB", 1 << 30),
    ("MiB", 1 << 20),
    ("KiB", 1 << 10),
    ("B", 1),
];

/// Reads a size with its unit: `200MB`, `1 GiB`, `500kB`, `12B`. Case matters to nobody here.
#[must_use]
pub fn parse_octets(text: &str) -> Option<u64> {
    let digits = text.bytes().take_while(u8::is_ascii_digit).count();
    let (number, unit) = text.split_at_checked(digits)?;
    let unit = unit.trim_start();
    let (_, octets) = UNITS.iter().find(|(name, _)| name.eq_ignore_ascii_case(unit))?;
    number.parse::<u64>().ok()?.checked_mul(*octets)
}

/// The size with the largest unit that says it exactly: [`parse_octets`] reads it back.
#[must_use]
pub fn say_octets(octets: u64) -> String {
    let whole = UNITS
        .iter()
        .filter(|(_, unit)| octets >= *unit && octets.is_multiple_of(*unit));
    match whole.max_by_key(|(_, unit)| *unit) {
        Some((name, unit)) => format!("{}{name}", octets / unit),
        None => format!("{octets}B"),
    }
}

/// What the user wants of one POP3 account. The keys are those of an account in the configuration file.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, Serialize, Deserialize)]
pub struct Pop3Policy {
    #[serde(default, rename = "leave_on_server")]
    pub leave: LeaveOnServer,
    /// In addition to `leave`: what exceeds it goes sooner.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub keep_at_most: Option<KeepAtMost>,
    /// Only headers come by themselves; a message comes whole when the user asks for it.
    #[serde(default, skip_serializing_if = "is_false")]
    pub headers_first: bool,
    /// Octets: of what is larger only the header comes by itself.
    #[serde(default, skip_serializing_if = "Option::is_none", rename = "size_cap")]
    pub body_cap: Option<u64>,
    /// The newest come first; otherwise in the server's order, which by custom begins with the oldest.
    #[serde(default, skip_serializing_if = "is_false")]
    pub newest_first: bool,
    /// Messages that one session downloads at most; the others wait for the next.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub per_session: Option<u32>,
    /// Sign in by APOP (RFC 1939, section 7): weak, and only on the user's word.
    #[serde(default, skip_serializing_if = "is_false")]
    pub apop: bool,
}

impl Pop3Policy {
    /// The usual policy with this rule for what stays on the server.
    #[must_use]
    pub const fn leaving(leave: LeaveOnServer) -> Self {
        Self {
            leave,
            keep_at_most: None,
            headers_first: false,
            body_cap: None,
            newest_first: false,
            per_session: None,
            apop: false,
        }
    }
}

#[expect(clippy::trivially_copy_pass_by_ref, reason = "serde's signature")]
const fn is_false(value: &bool) -> bool {
    !*value
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
    /// SHA-256 of the whole message as it was served.
    pub hash: Option<Hash>,
    /// SHA-256 of its header block, with one kind of line end and without what servers write into it later.
    pub header_hash: Option<Hash>,
    /// Octets that came; LIST may have said otherwise.
    pub served: Option<u64>,
    pub message: Option<MessageId>,
    pub state: LedgerState,
    /// The user asked for the whole message where only its header came.
    pub wanted: bool,
    /// When `state` last changed.
    pub changed_at: Timestamp,
    /// When it was last read back from this disk and its hash compared: before each deletion.
    pub verified_at: Option<Timestamp>,
    /// When the server was last told to delete it.
    pub asked_at: Option<Timestamp>,
    /// Why a deletion was wanted, in words for people; empty otherwise.
    pub reason: String,
    /// What the server answered to the deletion; empty before.
    pub reply: String,
}

impl LedgerRow {
    /// A message that is listed, and of which nothing else is known.
    #[must_use]
    pub const fn first_seen(uidl: Uidl, now: Timestamp) -> Self {
        Self {
            uidl,
            size: None,
            first_seen: now,
            downloaded_at: None,
            hash: None,
            header_hash: None,
            served: None,
            message: None,
            state: LedgerState::Seen,
            wanted: false,
            changed_at: now,
            verified_at: None,
            asked_at: None,
            reason: String::new(),
            reply: String::new(),
        }
    }
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

    #[test]
    fn limits_read_back_as_written() {
        let check = |text: &str, expect: Option<KeepAtMost>, said: &str| {
            let limit = KeepAtMost::parse(text);
            assert_eq!(limit, expect, "{text:?}");
            let again = limit.map(|limit| limit.to_string());
            assert_eq!(again.as_deref().unwrap_or(""), said, "{text:?}");
            assert_eq!(again.and_then(|text| KeepAtMost::parse(&text)), expect);
        };
        let bytes = |bytes| Some(KeepAtMost::Bytes(bytes));
        check("500", Some(KeepAtMost::Messages(500)), "500");
        check("200MB", bytes(200_000_000), "200MB");
        check("1 gib", bytes(1 << 30), "1GiB");
        check("1500kB", bytes(1_500_000), "1500kB");
        check("1024B", bytes(1024), "1KiB");
        check("7B", bytes(7), "7B");
        check("0B", bytes(0), "0B");
        for wrong in ["", "MB", "-1", "1.5MB", "5XB", "99999999999GB", "5 MB x"] {
            check(wrong, None, "");
        }
    }
}
