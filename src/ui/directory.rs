//! What every screen may look at: accounts, their mailboxes, how they are doing.

use std::collections::BTreeMap;

use posthorn_engine::catalog::{Account, Mailbox};
use posthorn_engine::event::Doing;
use posthorn_engine::{AccountState, Network};
use posthorn_model::query::View;
use posthorn_model::{AccountId, MailboxId, Problem, Protocol, SpecialUse};

use crate::icon::Icon;
use crate::t;

/// How far an account has come with what it does.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Progress {
    pub doing: Doing,
    pub done: u64,
    /// 0: not known.
    pub total: u64,
}

/// Owned copies; replaced as a whole when the engine says that they changed.
#[derive(Clone, Debug, Default)]
pub struct Directory {
    pub accounts: Vec<Account>,
    pub mailboxes: Vec<Mailbox>,
    pub states: BTreeMap<AccountId, AccountState>,
    pub progress: BTreeMap<AccountId, Progress>,
    pub problems: Vec<Problem>,
    /// What is held or uncertain in the outbox.
    pub stuck: Vec<posthorn_engine::catalog::Submission>,
    pub network: Network,
}

impl Directory {
    #[must_use]
    pub fn account(&self, id: AccountId) -> Option<&Account> {
        self.accounts.iter().find(|account| account.id == id)
    }

    #[must_use]
    pub fn account_number(&self, id: AccountId) -> usize {
        self.accounts
            .iter()
            .position(|account| account.id == id)
            .unwrap_or(0)
    }

    #[must_use]
    pub fn mailbox(&self, id: MailboxId) -> Option<&Mailbox> {
        self.mailboxes.iter().find(|mailbox| mailbox.id == id)
    }

    /// Takes the mailboxes in the order in which they are shown: by purpose, then by path.
    pub fn take_mailboxes(&mut self, mut mailboxes: Vec<Mailbox>) {
        mailboxes.sort_by_cached_key(|mailbox| {
            (
                mailbox.account,
                mailbox.special_use.is_none(),
                mailbox.special_use,
                mailbox.name.path.to_lowercase(),
            )
        });
        self.mailboxes = mailboxes;
    }

    /// How deep a mailbox stands below others that are shown, and what it is called there: with those levels of its
    /// path that no shown mailbox stands for.
    #[must_use]
    pub fn place(&self, mailbox: &Mailbox) -> (usize, String) {
        if mailbox.special_use.is_some() {
            return (0, mailbox_name(mailbox));
        }
        let mut depth = 0;
        let mut rest = mailbox.name.path.as_str();
        for (at, _) in mailbox.name.path.match_indices('/') {
            let (Some(parent), Some(below)) = (mailbox.name.path.get(..at), mailbox.name.path.get(at + 1..))
            else {
                continue;
            };
            let shown = self
                .mailboxes_of(mailbox.account)
                .any(|other| other.special_use.is_none() && other.name.path == parent);
            if shown {
                depth += 1;
                rest = below;
            }
        }
        (depth, rest.to_owned())
    }

    pub fn mailboxes_of(&self, account: AccountId) -> impl Iterator<Item = &Mailbox> {
        self.mailboxes
            .iter()
            .filter(move |mailbox| mailbox.account == account)
    }

    #[must_use]
    pub fn special(&self, account: AccountId, purpose: SpecialUse) -> Option<&Mailbox> {
        self.mailboxes_of(account)
            .find(|mailbox| mailbox.special_use == Some(purpose))
    }

    #[must_use]
    pub fn inbox_unread(&self) -> u64 {
        self.mailboxes
            .iter()
            .filter(|mailbox| mailbox.special_use == Some(SpecialUse::Inbox))
            .map(|mailbox| mailbox.unread)
            .sum()
    }

    #[must_use]
    pub fn state(&self, account: AccountId) -> AccountState {
        self.states
            .get(&account)
            .copied()
            .unwrap_or(AccountState::Offline)
    }

    /// What a list is called.
    #[must_use]
    pub fn title(&self, view: View) -> String {
        match view {
            View::Inbox => t!("view-all-inboxes"),
            View::All => t!("view-all"),
            View::Account(id) => self
                .account(id)
                .map_or_else(|| t!("view-all"), |account| account.config.name.clone()),
            View::Mailbox(id) => self
                .mailbox(id)
                .map_or_else(|| t!("view-mailbox-gone"), mailbox_name),
        }
    }

    /// Whether a list shows mail that the user wrote.
    #[must_use]
    pub fn is_outgoing(&self, view: View) -> bool {
        matches!(self.purpose(view), Some(SpecialUse::Sent | SpecialUse::Drafts))
    }

    #[must_use]
    pub fn purpose(&self, view: View) -> Option<SpecialUse> {
        match view {
            View::Mailbox(id) => self.mailbox(id)?.special_use,
            View::Inbox => Some(SpecialUse::Inbox),
            View::Account(_) | View::All => None,
        }
    }

    /// Whether deleting from this mailbox is for good.
    #[must_use]
    pub fn deletes_for_good(&self, id: MailboxId) -> bool {
        self.mailbox(id).is_some_and(|mailbox| {
            mailbox.special_use == Some(SpecialUse::Trash)
                || self.special(mailbox.account, SpecialUse::Trash).is_none()
        })
    }

    #[must_use]
    pub fn protocol(&self, account: AccountId) -> Option<Protocol> {
        self.account(account).map(|account| account.config.protocol)
    }
}

/// A mailbox's name as people read it: those with a purpose by their purpose.
#[must_use]
pub fn mailbox_name(mailbox: &Mailbox) -> String {
    match mailbox.special_use {
        Some(SpecialUse::Inbox) => t!("mailbox-inbox"),
        Some(SpecialUse::Drafts) => t!("mailbox-drafts"),
        Some(SpecialUse::Sent) => t!("mailbox-sent"),
        Some(SpecialUse::Archive) => t!("mailbox-archive"),
        Some(SpecialUse::Junk) => t!("mailbox-junk"),
        Some(SpecialUse::Trash) => t!("mailbox-trash"),
        Some(SpecialUse::Flagged) => t!("mailbox-flagged"),
        Some(SpecialUse::All) => t!("mailbox-all"),
        Some(SpecialUse::Important) => t!("mailbox-important"),
        None => mailbox.name.leaf().to_owned(),
    }
}

#[must_use]
pub const fn mailbox_icon(purpose: Option<SpecialUse>) -> Icon {
    match purpose {
        Some(SpecialUse::Inbox) => Icon::Inbox,
        Some(SpecialUse::Drafts) => Icon::Drafts,
        Some(SpecialUse::Sent) => Icon::Sent,
        Some(SpecialUse::Archive) => Icon::Archive,
        Some(SpecialUse::Junk) => Icon::Junk,
        Some(SpecialUse::Trash) => Icon::Trash,
        Some(SpecialUse::Flagged) => Icon::Star,
        Some(SpecialUse::All) => Icon::All,
        Some(SpecialUse::Important) => Icon::Important,
        None => Icon::Folder,
    }
}

#[must_use]
pub const fn protocol_tag(protocol: Protocol) -> &'static str {
    match protocol {
        Protocol::Imap => "IMAP",
        Protocol::Pop3 => "POP3",
    }
}

/// What an account is doing, in words.
#[must_use]
pub fn doing_words(doing: Doing) -> String {
    match doing {
        Doing::Connecting => t!("doing-connecting"),
        Doing::Listing => t!("doing-listing"),
        Doing::Headers => t!("doing-headers"),
        Doing::Bodies => t!("doing-bodies"),
        Doing::Operations => t!("doing-operations"),
        Doing::Sending => t!("doing-sending"),
        Doing::Idle => t!("doing-idle"),
    }
}

/// How an account is doing, in words.
#[must_use]
pub fn state_words(state: AccountState) -> String {
    match state {
        AccountState::Ready => t!("state-ready"),
        AccountState::Syncing => t!("state-syncing"),
        AccountState::Offline => t!("state-offline"),
        AccountState::NeedsUser => t!("state-needs-user"),
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::fixture::Fixture;

    #[test]
    fn nested_mailboxes_stand_below_the_parents_that_are_shown() {
        let fixture = Fixture::full();
        let mut directory = Directory::default();
        let mut mailboxes = fixture.lock().mailboxes.clone();
        let mut orphan = mailboxes[0].clone();
        orphan.special_use = None;
        orphan.name = posthorn_model::MailboxName::local("Lists/Paper boats");
        mailboxes.insert(0, orphan);
        directory.take_mailboxes(mailboxes);
        let places: Vec<_> = directory
            .mailboxes_of(AccountId(1))
            .filter(|mailbox| mailbox.special_use.is_none())
            .map(|mailbox| directory.place(mailbox))
            .collect();
        let expect = [
            (0, "Garden"),
            (0, "Lists/Paper boats"),
            (0, "Travel"),
            (1, "2026"),
        ];
        assert_eq!(places, expect.map(|(depth, name)| (depth, name.to_owned())));
        assert_eq!(directory.mailboxes[0].special_use, Some(SpecialUse::Inbox));
    }
}
