//! What is wrong now: a list, not pop-ups. The next success of the same thing clears it.

use std::collections::BTreeMap;
use std::sync::{Mutex, PoisonError};

use posthorn_model::{AccountId, MailboxId, OperationId, Problem, SubmissionId, Timestamp};

use crate::Error;

/// What a problem is about: a new one of the same topic replaces it.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord)]
pub enum Topic {
    Store,
    /// Rules that cannot be read, or not carried out.
    Filters(Option<AccountId>),
    /// Settings for reading that cannot be understood.
    Reading,
    /// Stopped after panics.
    Stopped(AccountId),
    /// Fetching mail, signing in.
    Sync(AccountId),
    /// One mailbox that the server does not open.
    Mailbox(AccountId, MailboxId),
    /// More mailboxes than are kept.
    Mailboxes(AccountId),
    /// Messages that the server lists and does not hand over.
    Withheld(AccountId, MailboxId),
    /// The same, of their bodies.
    WithoutBody(AccountId, MailboxId),
    /// A mailbox whose numbers change whenever it is opened.
    Unlasting(AccountId, MailboxId),
    /// Messages of a maildrop that cannot be read whole.
    Unread(AccountId),
    /// A sudden disappearance.
    Vanished(AccountId, Option<MailboxId>),
    Operation(AccountId, OperationId),
    /// Messages that the server could only mark.
    LeftDeleted(AccountId, MailboxId),
    /// Keywords that the server does not keep.
    Keywords(AccountId, MailboxId),
    /// Reaching the outgoing server.
    Sending(AccountId),
    Submission(AccountId, SubmissionId),
}

impl Topic {
    const fn account(self) -> Option<AccountId> {
        match self {
            Self::Store | Self::Reading => None,
            Self::Filters(account) => account,
            Self::Stopped(account)
            | Self::Sync(account)
            | Self::Mailbox(account, _)
            | Self::Mailboxes(account)
            | Self::Withheld(account, _)
            | Self::WithoutBody(account, _)
            | Self::Unlasting(account, _)
            | Self::Unread(account)
            | Self::Vanished(account, _)
            | Self::Operation(account, _)
            | Self::LeftDeleted(account, _)
            | Self::Keywords(account, _)
            | Self::Sending(account)
            | Self::Submission(account, _) => Some(account),
        }
    }

    const fn mailbox(self) -> Option<MailboxId> {
        match self {
            Self::Mailbox(_, mailbox)
            | Self::Withheld(_, mailbox)
            | Self::WithoutBody(_, mailbox)
            | Self::Unlasting(_, mailbox)
            | Self::Vanished(_, Some(mailbox))
            | Self::LeftDeleted(_, mailbox)
            | Self::Keywords(_, mailbox) => Some(mailbox),
            _ => None,
        }
    }
}

/// The list of problems.
#[derive(Debug, Default)]
pub struct Problems(Mutex<BTreeMap<Topic, Problem>>);

impl Problems {
    /// Whether the list changed.
    pub fn raise(&self, topic: Topic, error: &Error, now: Timestamp) -> bool {
        let mut map = self.0.lock().unwrap_or_else(PoisonError::into_inner);
        let since = match map.get(&topic) {
            Some(known) if known.detail == error.message && known.class == error.class => return false,
            Some(known) if known.class == error.class => known.since,
            _ => now,
        };
        map.insert(
            topic,
            Problem {
                account: topic.account(),
                mailbox: topic.mailbox(),
                class: error.class,
                since,
                detail: error.message.clone(),
                remedies: error.remedies.clone(),
            },
        );
        true
    }

    /// Whether the list changed.
    pub fn drop_where(&self, gone: impl Fn(Topic) -> bool) -> bool {
        let mut map = self.0.lock().unwrap_or_else(PoisonError::into_inner);
        let before = map.len();
        map.retain(|topic, _| !gone(*topic));
        map.len() != before
    }

    /// Whether the list changed.
    pub fn forget(&self, account: AccountId) -> bool {
        self.drop_where(|topic| topic.account() == Some(account))
    }

    pub fn list(&self) -> Vec<Problem> {
        let map = self.0.lock().unwrap_or_else(PoisonError::into_inner);
        map.values().cloned().collect()
    }

    pub fn of(&self, account: AccountId) -> Vec<Problem> {
        let mut list = self.list();
        list.retain(|problem| problem.account == Some(account));
        list
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use posthorn_model::ErrorClass;

    #[test]
    fn one_problem_a_topic_since_it_began() {
        let problems = Problems::default();
        let (a, b) = (AccountId(1), AccountId(2));
        let error = |text: &str| Error::new(ErrorClass::Network, text);
        assert!(problems.raise(Topic::Sync(a), &error("gone"), Timestamp(1)));
        assert!(!problems.raise(Topic::Sync(a), &error("gone"), Timestamp(2)));
        assert!(problems.raise(Topic::Sync(a), &error("still gone"), Timestamp(3)));
        assert!(problems.raise(Topic::Sync(b), &error("gone"), Timestamp(4)));
        let since: Vec<_> = problems.list().iter().map(|problem| problem.since.0).collect();
        assert_eq!(since, [1, 4]);
        assert!(problems.drop_where(|topic| topic == Topic::Sync(a)));
        assert!(!problems.drop_where(|topic| topic == Topic::Sync(a)));
        assert_eq!(problems.of(b).len(), 1);
        assert!(problems.forget(b));
        assert!(problems.list().is_empty());
    }
}
