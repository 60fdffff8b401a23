//! Every change of the store as data. A batch of writes is one transaction: all of it happens, or nothing.

mod apply;
mod tally;

pub use self::apply::{Changes, Durability};

use posthorn_model::imap::SyncState;
use posthorn_model::{
    AccountId, BodyState, Envelope, FlagChange, Flags, Hash, LedgerRow, MailboxId, MailboxName, MessageId,
    Operation, OperationId, OperationState, Part, Protocol, SpecialUse, SubmissionId, SubmissionState,
    Timestamp, Uid,
};

/// One change. Ids of new rows are handed out by the store beforehand, so that a batch can name them.
#[derive(Clone, Debug)]
pub enum Write {
    /// Creates or renames an account's row. Its settings live in the configuration file, not here.
    PutAccount {
        id: AccountId,
        name: String,
        protocol: Protocol,
    },
    /// Removes the account's mailboxes, messages, ledger and operations. Raw bytes stay until swept.
    RemoveAccount(AccountId),

    /// Creates the mailbox or updates everything but its sync state and counts.
    PutMailbox(NewMailbox),
    /// Removes the mailbox and its placements.
    RemoveMailbox(MailboxId),
    /// `None` forgets it: the next sync starts from nothing.
    SetSyncState {
        mailbox: MailboxId,
        state: Option<SyncState>,
    },

    /// A message that was not here. Its thread is found by its references.
    AddMessage(Box<NewMessage>),
    /// The whole message arrived (its raw bytes are durable already): what parsing found replaces what the
    /// headers said.
    SetBody(Box<NewBody>),

    /// What the server calls the message beside its UID (RFC 8474), and the size that it lists; `None` leaves
    /// what is known.
    Identify {
        message: MessageId,
        object_id: Option<String>,
        listed_size: Option<u64>,
    },
    /// What the server calls the mailbox beside its name (RFC 8474).
    IdentifyMailbox {
        mailbox: MailboxId,
        object_id: Option<String>,
    },

    /// Puts a message into a mailbox; replaces the placement of the same (mailbox, message), but for a UID that is
    /// known where this one is not: the server still holds what it names.
    Place {
        message: MessageId,
        mailbox: MailboxId,
        uid: Option<Uid>,
        flags: Flags,
        base: Flags,
    },
    /// Takes a message out of a mailbox. A message in no mailbox is forgotten; its raw bytes stay until swept.
    Unplace {
        message: MessageId,
        mailbox: MailboxId,
    },
    /// The server told its UID (COPYUID, APPENDUID), or the UID is void (`None`).
    SetUid {
        message: MessageId,
        mailbox: MailboxId,
        uid: Option<Uid>,
    },
    /// The user's change: `base` stays what the server said.
    ChangeFlags {
        message: MessageId,
        mailbox: MailboxId,
        change: FlagChange,
    },
    /// The server's word, already merged: both the shown flags and the base.
    SetFlags {
        message: MessageId,
        mailbox: MailboxId,
        flags: Flags,
        base: Flags,
    },

    /// Creates or replaces the ledger row of `row.uidl`.
    PutLedger {
        account: AccountId,
        row: Box<LedgerRow>,
    },

    AddOperation(Box<Operation>),
    SetOperation {
        id: OperationId,
        state: OperationState,
        tries: u32,
        reply: String,
    },
    /// Replaces the whole row: its targets or UIDs changed.
    PutOperation(Box<Operation>),
    RemoveOperation(OperationId),

    AddSubmission(Box<NewSubmission>),
    SetSubmission {
        id: SubmissionId,
        state: SubmissionState,
        reply: String,
        tries: u32,
        not_before: Option<Timestamp>,
    },
    RemoveSubmission(SubmissionId),

    /// `None` removes it.
    PutSetting {
        key: String,
        value: Option<String>,
    },
}

/// A mailbox as its server, or the program for local ones, describes it.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct NewMailbox {
    pub id: MailboxId,
    pub account: AccountId,
    pub name: MailboxName,
    pub delimiter: Option<char>,
    pub special_use: Option<SpecialUse>,
    pub selectable: bool,
    pub subscribed: bool,
    /// On no server: a POP3 account's mailboxes.
    pub local: bool,
}

/// A message as first seen: by its headers, or whole.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct NewMessage {
    /// From `Store::message_id(envelope.sort_date(received))`.
    pub id: MessageId,
    pub account: AccountId,
    pub envelope: Envelope,
    /// INTERNALDATE, or the topmost Received header.
    pub received: Option<Timestamp>,
    /// Octets as the server gives them; of the raw bytes once they are here.
    pub size: u64,
    /// A guess from BODYSTRUCTURE until the body is here.
    pub has_attachments: bool,
    /// `Some` where the whole message is here already.
    pub body: Option<NewBody>,
}

/// What parsing the whole message found.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct NewBody {
    pub message: MessageId,
    pub hash: Hash,
    pub size: u64,
    pub envelope: Envelope,
    pub parts: Vec<Part>,
    /// One line of text for the list.
    pub preview: String,
    /// What search looks through beside the headers. `None`: it is read from the raw message when its turn comes
    /// ([`Store::index_pending`](crate::Store::index_pending)).
    pub index_text: Option<String>,
    /// What is wrong with the message, in words, for the reader's details.
    pub defects: Vec<String>,
}

impl NewBody {
    #[must_use]
    pub const fn state(&self) -> BodyState {
        BodyState::Whole
    }
}

/// A message handed to the outbox. Its raw bytes are durable already.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct NewSubmission {
    pub id: SubmissionId,
    pub account: AccountId,
    /// What is sent, without Bcc.
    pub hash: Hash,
    /// The sent copy's message here, with Bcc; filed when the server has accepted.
    pub copy: Option<Hash>,
    pub message_id: String,
    pub subject: String,
    pub from: String,
    pub to: Vec<String>,
    pub created: Timestamp,
    /// Not before this time: delayed sending, and the moments in which undo is possible.
    pub not_before: Option<Timestamp>,
}
