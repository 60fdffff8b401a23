//! Puts messages into mailboxes, once: what an earlier try has brought there is found first.

use std::collections::BTreeMap;

use posthorn_model::operation::Target;
use posthorn_model::{MessageId, OperationKind, Uid, UidSet, UidValidity};
use posthorn_net::imap::{Access, Summary};
use posthorn_store::MailboxRow;
use posthorn_store::write::Write;

use super::Run;
use super::message::is_same;
use crate::Error;
use crate::ops::queue;
use posthorn_model::ErrorClass;

/// Messages that are asked what they are, in search of one that has no Message-ID.
const RECENT: u64 = 200;

impl Run<'_> {
    pub(super) async fn append(&mut self, mailbox: &MailboxRow) -> Result<Vec<Write>, Error> {
        let operation = self.concerned().next().cloned();
        let Some(operation) = operation else {
            return Ok(Vec::new());
        };
        let OperationKind::Append { hash, flags, date } = &operation.kind else {
            return Ok(Vec::new());
        };
        let Some(target) = operation.targets.first() else {
            return Ok(Vec::new());
        };
        if self.doubtful {
            let selected = self.session.select(&mailbox.name, Access::Examine, None).await?;
            let leaving = self.leaving(mailbox, selected.uid_validity).await?;
            let found = self.find_arrival(mailbox, target, &leaving).await?;
            if let Some(uid) = found {
                let arrived = BTreeMap::from([(target.message, uid)]);
                return self.learn(mailbox.id, selected.uid_validity, &arrived).await;
            }
        }
        let hash = hash
            .hash()
            .ok_or_else(|| Error::bug("an upload without its message"))?;
        let raw = self.post.core.store.raw(hash).await?;
        let raw =
            raw.ok_or_else(|| Error::new(ErrorClass::Refused, "the message to upload is no longer here"))?;
        let placed = self
            .session
            .append(&mailbox.name, flags, Some(*date), &raw)
            .await?;
        let (uid_validity, uid) = match placed {
            Some((validity, uid)) => (Some(validity), Some(uid)),
            None => {
                let selected = self.session.select(&mailbox.name, Access::Examine, None).await?;
                let leaving = self.leaving(mailbox, selected.uid_validity).await?;
                let uid = self.find_arrival(mailbox, target, &leaving).await?;
                (selected.uid_validity, uid)
            }
        };
        let arrived: BTreeMap<MessageId, Uid> = uid.map(|uid| (target.message, uid)).into_iter().collect();
        self.learn(mailbox.id, uid_validity, &arrived).await
    }

    /// What operations take out of a mailbox, or have left there marked \Deleted: no arrival, though it may be the
    /// same message.
    pub(super) async fn leaving(
        &mut self,
        mailbox: &MailboxRow,
        uid_validity: Option<UidValidity>,
    ) -> Result<UidSet, Error> {
        let Some(uid_validity) = uid_validity else {
            return Ok(UidSet::default());
        };
        let operations = self.post.core.store.operations(Some(self.post.id)).await?;
        Ok(queue::taken_out(&operations, mailbox.id, uid_validity))
    }

    /// The message in the selected mailbox, where an earlier try has brought it there: the newest of its kind that
    /// is not known here as another, and none of `taken`.
    pub(super) async fn find_arrival(
        &mut self,
        mailbox: &MailboxRow,
        target: &Target,
        taken: &UidSet,
    ) -> Result<Option<Uid>, Error> {
        let post = self.post;
        let store = &post.core.store;
        let candidates = match &target.message_id {
            Some(id) => match self.session.find_message_id(&id.0).await {
                Ok(found) => found,
                Err(error) if error.permanent => return Ok(None),
                Err(error) => return Err(error.into()),
            },
            None if target.size.is_some() => {
                let state = store.sync_state(mailbox.id).await?;
                let from = state.and_then(|state| Uid::new(state.uid_next));
                let Some(from) = from.or(Uid::new(1)) else {
                    return Ok(None);
                };
                let all = self.session.search_all_uids().await?;
                let old = from.value().checked_sub(1).and_then(Uid::new).zip(Uid::new(1));
                match old {
                    Some((last, first)) => all.minus(&UidSet::range(first, last)),
                    None => all,
                }
            }
            None => return Ok(None),
        };
        let mut fresh = UidSet::default();
        let mut newest: Vec<Uid> = candidates.iter().filter(|uid| !taken.contains(*uid)).collect();
        newest.reverse();
        for uid in newest
            .into_iter()
            .take(usize::try_from(RECENT).unwrap_or(usize::MAX))
        {
            let other = store.placement_by_uid(mailbox.id, uid).await?;
            if other.is_none_or(|other| other.message == target.message) {
                fresh.insert(uid);
            }
        }
        if fresh.is_empty() {
            return Ok(None);
        }
        let mut identities: Vec<Summary> = Vec::new();
        self.session
            .fetch_identities(&fresh, &mut |summary| identities.push(summary))
            .await?;
        let same = identities
            .into_iter()
            .filter(|identity| fresh.contains(identity.uid) && is_same(target, identity));
        Ok(same.map(|identity| identity.uid).max())
    }
}
