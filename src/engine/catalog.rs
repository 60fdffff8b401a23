//! Everything that can be read without the network: mailboxes, pages of lists, messages, search, the queues.

use posthorn_model::operation::Operation;
use posthorn_model::query::{Cursor, PageStart, View};
use posthorn_model::{
    AccountConfig, AccountId, Address, BodyState, Envelope, Flags, Hash, InternetMessageId, LedgerRow,
    MailboxId, MailboxName, MessageId, Part, SpecialUse, SubmissionId, SubmissionState, ThreadId, Timestamp,
    Where,
};

use crate::Error;

/// An account, with its settings.
#[derive(Clone, Debug)]
pub struct Account {
    pub id: AccountId,
    pub config: AccountConfig,
}

/// A mailbox with its counts.
#[derive(Clone, Debug)]
pub struct Mailbox {
    pub id: MailboxId,
    pub account: AccountId,
    pub name: MailboxName,
    pub special_use: Option<SpecialUse>,
    pub selectable: bool,
    pub subscribed: bool,
    pub local: bool,
    pub total: u64,
    pub unread: u64,
    pub uid_validity: Option<u32>,
    pub highest_modseq: Option<u64>,
}

/// One line of a list: a message in a mailbox.
#[derive(Clone, Debug)]
pub struct Row {
    pub message: MessageId,
    pub mailbox: MailboxId,
    pub account: AccountId,
    pub message_id: Option<InternetMessageId>,
    pub from: Option<Address>,
    /// First of To, for Sent and Drafts.
    pub to: Option<Address>,
    pub subject: String,
    pub preview: String,
    pub date: Timestamp,
    pub size: u64,
    pub flags: Flags,
    pub has_attachments: bool,
    pub body: BodyState,
    pub thread: ThreadId,
    pub lives: Where,
}

/// A page of a list, newest first.
#[derive(Clone, Debug, Default)]
pub struct Page {
    pub rows: Vec<Row>,
    /// How many rows of the list stand above the first one here.
    pub first: u64,
    /// Rows in the whole list.
    pub total: u64,
    /// Where the next page starts; `None` at the end.
    pub next: Option<Cursor>,
}

/// One message, parsed, to read.
#[derive(Clone, Debug)]
pub struct Message {
    pub id: MessageId,
    pub account: AccountId,
    pub thread: ThreadId,
    pub envelope: Envelope,
    pub date: Timestamp,
    pub size: u64,
    pub hash: Option<Hash>,
    pub body: BodyState,
    /// The best plain text; `None` until the body is here.
    pub text: Option<String>,
    /// The HTML part, unsanitised: only `html` may look into it.
    pub html: Option<String>,
    pub parts: Vec<Part>,
    pub defects: Vec<String>,
    /// Where it stands, with flags.
    pub placements: Vec<(MailboxId, Flags)>,
    pub lives: Where,
}

/// One submission of the outbox.
#[derive(Clone, Debug)]
pub struct Submission {
    pub id: SubmissionId,
    pub account: AccountId,
    pub message_id: String,
    pub subject: String,
    pub to: Vec<String>,
    pub state: SubmissionState,
    /// The server's words.
    pub reply: String,
    pub tries: u32,
    pub created: Timestamp,
    pub not_before: Option<Timestamp>,
}

/// What a search found, newest first.
#[derive(Clone, Debug, Default)]
pub struct Hits {
    pub rows: Vec<Row>,
    pub total: u64,
    pub bodies_indexed: u64,
    pub messages: u64,
}

/// One stored message, for `dump`.
#[derive(Clone, Debug)]
pub struct DumpRow {
    pub id: MessageId,
    /// `ACCOUNT/Path`.
    pub folder: String,
    /// `None` while only its headers are here.
    pub hash: Option<Hash>,
    pub size: u64,
    pub flags: Flags,
}

/// Reads the store. Cheap to clone; every method may be awaited on any executor and never waits for the network.
#[derive(Clone)]
pub struct Catalog {}

macro_rules! unbuilt {
    () => {
        Err(Error::bug("the engine is not built"))
    };
}

impl Catalog {
    pub async fn accounts(&self) -> Result<Vec<Account>, Error> {
        unbuilt!()
    }

    /// `None`: of all accounts. Special-use first, then by path.
    pub async fn mailboxes(&self, _account: Option<AccountId>) -> Result<Vec<Mailbox>, Error> {
        unbuilt!()
    }

    pub async fn page(&self, _view: View, _start: PageStart, _limit: u32) -> Result<Page, Error> {
        unbuilt!()
    }

    /// `None` where there is no such message.
    pub async fn message(&self, _id: MessageId) -> Result<Option<Message>, Error> {
        unbuilt!()
    }

    /// The conversation, oldest first, one row a message.
    pub async fn thread(&self, _id: ThreadId) -> Result<Vec<Row>, Error> {
        unbuilt!()
    }

    /// The bytes exactly as served; `None` while only its headers are here.
    pub async fn raw(&self, _id: MessageId) -> Result<Option<Vec<u8>>, Error> {
        unbuilt!()
    }

    /// A part's decoded bytes.
    pub async fn part(&self, _id: MessageId, _index: u32) -> Result<Option<Vec<u8>>, Error> {
        unbuilt!()
    }

    /// Messages with this `Message-ID`.
    pub async fn by_message_id(&self, _id: InternetMessageId) -> Result<Vec<MessageId>, Error> {
        unbuilt!()
    }

    pub async fn search(&self, _query: String, _limit: u32) -> Result<Hits, Error> {
        unbuilt!()
    }

    pub async fn operations(&self) -> Result<Vec<Operation>, Error> {
        unbuilt!()
    }

    pub async fn outbox(&self) -> Result<Vec<Submission>, Error> {
        unbuilt!()
    }

    pub async fn ledger(&self, _account: AccountId) -> Result<Vec<LedgerRow>, Error> {
        unbuilt!()
    }

    pub async fn dump(&self) -> Result<Vec<DumpRow>, Error> {
        unbuilt!()
    }
}
