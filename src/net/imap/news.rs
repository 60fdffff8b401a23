//! What a server tells without being asked: by IDLE (RFC 2177), by NOTIFY (RFC 5465), or in passing.

use posthorn_model::MailboxName;
use std::collections::BTreeMap;

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

/// Other mailboxes that are remembered by name until somebody asks; more are an overflow.
const MOST: usize = 2000;

/// What was told and not yet taken.
#[derive(Debug, Default)]
pub(super) struct Heard {
    pub(super) selected: bool,
    /// Names of mailboxes came, went or changed.
    pub(super) mailboxes: bool,
    pub(super) overflow: bool,
    statuses: BTreeMap<Vec<u8>, Option<Status>>,
}

impl Heard {
    pub(super) fn is_empty(&self) -> bool {
        !self.selected && !self.mailboxes && !self.overflow && self.statuses.is_empty()
    }

    /// `whole`: the status tells enough to plan by.
    pub(super) fn status(&mut self, wire: Vec<u8>, status: Status, whole: bool) {
        if self.statuses.len() < MOST || self.statuses.contains_key(&wire) {
            self.statuses.insert(wire, whole.then_some(status));
        } else {
            self.overflow = true;
        }
    }

    /// Hands everything over; `name` reads a name as it is on the wire.
    pub(super) fn take(&mut self, name: impl Fn(Vec<u8>) -> MailboxName) -> Vec<News> {
        let heard = std::mem::take(self);
        let mut news = Vec::new();
        news.extend(heard.selected.then_some(News::Selected));
        news.extend(heard.mailboxes.then_some(News::Mailboxes));
        news.extend(heard.overflow.then_some(News::Overflow));
        let statuses = heard.statuses.into_iter();
        news.extend(statuses.map(|(wire, status)| News::Mailbox {
            name: name(wire),
            status,
        }));
        news
    }
}
