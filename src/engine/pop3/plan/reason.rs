//! Why something happens to a message, in words for people.

use posthorn_model::pop3::say_octets;
use posthorn_model::{KeepAtMost, LeaveOnServer, Timestamp};
use std::fmt;

use super::REMOVED_HERE;

/// When a message leaves the server, and why.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Due {
    pub on: Timestamp,
    pub reason: Reason,
}

/// Why a step is what it is. [`fmt::Display`] gives the words.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum Reason {
    /// Not here yet.
    New,
    /// The user asked for the whole of it.
    AskedFor,
    HeadersFirst,
    /// Octets.
    TooLarge {
        size: u64,
        cap: u64,
    },
    /// Its header is here; the rest comes when it is asked for.
    HeaderHere,
    MaybeRenamed,
    NameUsedAgain,
    /// Due, and without a name of the server's own.
    Confirm,
    NextSession,

    Verified,
    Days(u16),
    RemovedHere,
    OverLimit(KeepAtMost),

    KeptForever,
    KeptForDays(u16),
    KeptUntilRemoved,
    /// The circuit breaker is open.
    Stopped,
    /// Octets.
    FellShort {
        size: u64,
        served: u64,
    },

    DeletedByUs,
    NotByUs,
    Hidden,
}

impl Reason {
    /// Why a message that is here, and not due, is left alone.
    #[must_use]
    pub const fn of_keeping(leave: LeaveOnServer) -> Self {
        match leave {
            LeaveOnServer::Never => Self::Verified,
            LeaveOnServer::Forever => Self::KeptForever,
            LeaveOnServer::Days(days) => Self::KeptForDays(days),
            LeaveOnServer::UntilRemoved => Self::KeptUntilRemoved,
        }
    }

    /// Reads the reason of a deletion back from the words that the ledger keeps.
    #[must_use]
    pub fn of_deletion(words: &str) -> Option<Self> {
        let days = || words.split(' ').next()?.parse().ok().map(Self::Days);
        let limit = || {
            let limit = words
                .strip_prefix("the oldest beyond ")?
                .strip_suffix(", verified here")?;
            let number = limit
                .strip_suffix(" messages")
                .or_else(|| limit.strip_suffix(" message"));
            KeepAtMost::parse(number.unwrap_or(limit)).map(Self::OverLimit)
        };
        let mut known = [Some(Self::Verified), Some(Self::RemovedHere), days(), limit()]
            .into_iter()
            .flatten();
        known.find(|reason| reason.to_string() == words)
    }

    /// One word for scripts.
    #[must_use]
    pub const fn name(&self) -> &'static str {
        match self {
            Self::New => "new",
            Self::AskedFor => "asked-for",
            Self::HeadersFirst => "headers-first",
            Self::TooLarge { .. } => "too-large",
            Self::HeaderHere => "header-here",
            Self::MaybeRenamed => "maybe-renamed",
            Self::NameUsedAgain => "name-used-again",
            Self::Confirm => "confirm",
            Self::NextSession => "next-session",
            Self::Verified => "verified",
            Self::Days(_) => "days",
            Self::RemovedHere => "removed-here",
            Self::OverLimit(_) => "over-limit",
            Self::KeptForever => "kept-forever",
            Self::KeptForDays(_) => "kept-for-days",
            Self::KeptUntilRemoved => "kept-until-removed",
            Self::Stopped => "stopped",
            Self::FellShort { .. } => "fell-short",
            Self::DeletedByUs => "deleted-by-us",
            Self::NotByUs => "not-by-us",
            Self::Hidden => "hidden",
        }
    }
}

impl fmt::Display for Reason {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Self::New => f.write_str("not here yet"),
            Self::AskedFor => f.write_str("you asked for the whole of it"),
            Self::HeadersFirst => f.write_str("headers first, as this account is set"),
            Self::TooLarge { size, cap } => {
                let (size, cap) = (say_octets(*size), say_octets(*cap));
                write!(f, "{size} is more than {cap}, so its header comes first")
            }
            Self::HeaderHere => f.write_str("its header is here; the rest comes when you ask for it"),
            Self::MaybeRenamed => f.write_str("the server may have renamed a message that is here"),
            Self::NameUsedAgain => f.write_str("the server may have used a name for another message"),
            Self::Confirm => f.write_str(
                "the server gives it no name of its own, so it is compared whole before it is deleted",
            ),
            Self::NextSession => f.write_str("the portion of one check is full"),
            Self::Verified => f.write_str("downloaded and verified here"),
            Self::Days(1) => f.write_str("1 day after it was downloaded and verified here"),
            Self::Days(days) => write!(f, "{days} days after it was downloaded and verified here"),
            Self::RemovedHere => f.write_str(REMOVED_HERE),
            Self::OverLimit(KeepAtMost::Messages(1)) => {
                f.write_str("the oldest beyond 1 message, verified here")
            }
            Self::OverLimit(KeepAtMost::Messages(messages)) => {
                write!(f, "the oldest beyond {messages} messages, verified here")
            }
            Self::OverLimit(KeepAtMost::Bytes(bytes)) => {
                write!(f, "the oldest beyond {}, verified here", say_octets(*bytes))
            }
            Self::KeptForever => f.write_str("this account never removes mail from the server"),
            Self::KeptForDays(1) => f.write_str("stays 1 day after it was downloaded and verified here"),
            Self::KeptForDays(days) => {
                write!(f, "stays {days} days after it was downloaded and verified here")
            }
            Self::KeptUntilRemoved => f.write_str("stays until you delete or move it here"),
            Self::Stopped => f.write_str("nothing is deleted until you have looked at what vanished"),
            Self::FellShort { size, served } => {
                let (size, served) = (say_octets(*size), say_octets(*served));
                write!(f, "the server lists {size} and sends {served}: it stays there")
            }
            Self::DeletedByUs => f.write_str("no longer listed after this program deleted it"),
            Self::NotByUs => f.write_str("no longer listed, and not by this program's doing"),
            Self::Hidden => {
                f.write_str("no longer listed: this provider hides what was fetched, or what is old")
            }
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn reasons_of_deletions_read_back_from_the_ledger() {
        for reason in [
            Reason::Verified,
            Reason::RemovedHere,
            Reason::Days(1),
            Reason::Days(14),
            Reason::OverLimit(KeepAtMost::Messages(1)),
            Reason::OverLimit(KeepAtMost::Messages(500)),
            Reason::OverLimit(KeepAtMost::Bytes(200_000_000)),
        ] {
            assert_eq!(Reason::of_deletion(&reason.to_string()), Some(reason));
        }
        for words in [
            "",
            "somebody said so",
            "14 moons after",
            "the oldest beyond reason, verified here",
        ] {
            assert_eq!(Reason::of_deletion(words), None, "{words:?}");
        }
    }
}
