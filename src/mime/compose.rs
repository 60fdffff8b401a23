//! Meaning to bytes: drafts, the answers and forwards that start them, and the message that goes out.

pub mod answer;
pub mod build;
pub mod forward;
pub mod mailto;
pub mod receipt;
pub mod reply;
pub mod signature;

use posthorn_model::{Address, Identity, InternetMessageId};

pub use answer::build_answer;
pub use build::{Built, build, message_id, without_bcc};
pub use forward::forward;
pub use mailto::{Mailto, from_mailto};
pub use receipt::{Receipt, build_receipt};
pub use reply::reply;
pub use signature::with_signature;

/// A file to send along.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct Attachment {
    pub name: String,
    /// `type/subtype`; what is no such thing goes as application/octet-stream.
    pub content_type: String,
    pub bytes: Vec<u8>,
}

/// What a person writes, before it is a message.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct Draft {
    pub identity: Identity,
    pub to: Vec<Address>,
    pub cc: Vec<Address>,
    pub bcc: Vec<Address>,
    pub subject: String,
    /// Plain text, lines ended by `\n`.
    pub body: String,
    pub in_reply_to: Option<InternetMessageId>,
    pub references: Vec<InternetMessageId>,
    pub attachments: Vec<Attachment>,
}
