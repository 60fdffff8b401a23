//! What a server tells without being asked: by IDLE (RFC 2177), by NOTIFY (RFC 5465), or in passing.

use posthorn_model::MailboxName;

use super::Status;

/// A hint to look; never proof of anything.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum News {
    /// Something in the selected mailbox changed.
    Selected,
    /// Something in another mailbox changed; its state, where the server told it whole.
    Mailbox {
        name: MailboxName,
        status: Option<Status>,
    },
    /// A mailbox came, went, or was renamed or subscribed.
    Mailboxes,
    /// The server stopped telling because there was too much: look everywhere, and call
    /// [`super::Session::notify`] again.
    Overflow,
}
