//! What goes wrong, sorted by what to do about it.

use serde::{Deserialize, Serialize};

use crate::{AccountId, MailboxId, Timestamp};

/// What kind of trouble an error is. Policy hangs on this alone.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash, Serialize, Deserialize)]
#[serde(rename_all = "lowercase")]
pub enum ErrorClass {
    /// Retry with back-off.
    Network,
    /// Ask for the password.
    Auth,
    /// Ask about the certificate.
    Certificate,
    /// The server said no: hold the operation and quote it.
    Refused,
    /// The server or the disk quota is full.
    Quota,
    /// The server broke its protocol.
    Protocol,
    /// The set-up is wrong.
    Config,
    /// This disk failed or is full.
    Disk,
    /// Stored data is damaged.
    Corrupt,
    /// A sudden disappearance: stopped until the user has looked (the circuit breaker).
    Suspicious,
    /// Our own mistake.
    Bug,
    /// The server cannot do all that was wanted; what it can do is done. Told, and no failure.
    Limited,
}

impl ErrorClass {
    /// Whether trying again later, unasked, makes sense.
    #[must_use]
    pub const fn is_transient(self) -> bool {
        matches!(self, Self::Network)
    }

    /// Whether nothing goes on before the user has acted.
    #[must_use]
    pub const fn needs_user(self) -> bool {
        matches!(self, Self::Auth | Self::Certificate | Self::Suspicious)
    }

    #[must_use]
    pub const fn name(self) -> &'static str {
        match self {
            Self::Network => "network",
            Self::Auth => "auth",
            Self::Certificate => "certificate",
            Self::Refused => "refused",
            Self::Quota => "quota",
            Self::Protocol => "protocol",
            Self::Config => "config",
            Self::Disk => "disk",
            Self::Corrupt => "corrupt",
            Self::Suspicious => "suspicious",
            Self::Bug => "bug",
            Self::Limited => "limited",
        }
    }
}

/// Something that the user can press.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash, Serialize, Deserialize)]
#[serde(rename_all = "kebab-case")]
pub enum Remedy {
    TryAgain,
    EnterPassword,
    CheckSettings,
    /// See the certificate, and trust its issuer with `--ca-file`.
    InspectCertificate,
    FreeDiskSpace,
    /// Look at what vanished, then let the sync go on.
    ReviewAndContinue,
    WorkOffline,
    /// Remove everything in the mailbox that is marked as deleted, whoever marked it.
    ExpungeMailbox,
}

/// One trouble of one account, shown until the next success clears it.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct Problem {
    /// `None`: the program's own (the disk, the store).
    pub account: Option<AccountId>,
    /// Where it is about one.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub mailbox: Option<MailboxId>,
    pub class: ErrorClass,
    pub since: Timestamp,
    /// What happened and what was kept, in plain words.
    pub detail: String,
    pub remedies: Vec<Remedy>,
}
