//! The words of the field: plain types that every other crate speaks in.
//!
//! This crate does no I/O, has no async, reads no clock, no environment and no globals; it decides nothing
//! about when or where. Names are those of RFC 5322 (messages), RFC 9051 (IMAP), RFC 1939 (POP3) and RFC 5321
//! (submission). Start reading at [`message`] (a `Message` is content, a `Placement` is one message in one
//! mailbox) and [`account`].

pub mod account;
pub mod address;
pub mod appearance;
pub mod envelope;
pub mod filter;
pub mod flags;
pub mod id;
pub mod imap;
pub mod mailbox;
pub mod message;
pub mod operation;
pub mod outbox;
pub mod policy;
pub mod pop3;
pub mod problem;
pub mod query;
pub mod reading;
pub mod secret;
pub mod time;

pub use account::{
    AccountConfig, AuthMethod, ClientCertificate, Endpoint, Identity, Protocol, SecretPlace, Security,
};
pub use address::Address;
pub use appearance::Appearance;
pub use envelope::Envelope;
pub use flags::{Flag, FlagChange, Flags, Keyword};
pub use id::{AccountId, InternetMessageId, MailboxId, MessageId, OperationId, SubmissionId, ThreadId};
pub use imap::{ModSeq, SyncState, Uid, UidSet, UidValidity};
pub use mailbox::{MailboxName, SpecialUse};
pub use message::{BodyState, Hash, Part, Placement, Where};
pub use operation::{Operation, OperationKind, OperationState};
pub use outbox::SubmissionState;
pub use policy::NetworkPolicy;
pub use pop3::{KeepAtMost, LeaveOnServer, LedgerRow, LedgerState, MsgNo, Pop3Policy, Uidl};
pub use problem::{ErrorClass, Problem, Remedy};
pub use reading::{PicturePolicy, ReadingSettings, ReceiptPolicy, Sender};
pub use secret::Secret;
pub use time::Timestamp;
