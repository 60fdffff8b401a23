//! Flags, moves, copies and removals on the server.

use std::collections::BTreeMap;

use posthorn_model::operation::Target;
use posthorn_model::{
    ErrorClass, Flag, FlagChange, Flags, MailboxId, MessageId, Operation, OperationKind, OperationState, Uid,
    UidSet, UidValidity,
};
use posthorn_net::imap::{Access, CopyUid, Expunged, ResponseCode, Selected, Summary};
use posthorn_store::MailboxRow;
use posthorn_store::write::Write;

use super::Run;
use crate::Error;
use crate::ops::queue::{self, Aim};
use crate::problem::Topic;

/// Messages on the server, by UID, as this operation means them.
type Found = BTreeMap<Uid, MessageId>;

impl Run<'_> {
    pub(super) async fn set_flags(
        &mut self,
        mailbox: &MailboxRow,
        selected: &Selected,
        change: &FlagChange,
        aims: &[Aim],
    ) -> Result<Vec<Write>, Error> {
        let mut found = self.resolve(mailbox.id, selected.uid_validity, aims).await?;
        let mut writes = Vec::new();
        if change.add.contains(Flag::Deleted) {
            found = self.certify(selected, found, aims, &mut writes).await?;
        }
        let sent = storable(change, selected);
        if sent != *change {
            self.tell_of_keywords(mailbox).await?;
        }
        if found.is_empty() || sent.is_empty() {
            return Ok(writes);
        }
        let uids: UidSet = found.keys().copied().collect();
        self.session.store_flags(&uids, &sent).await?;
        let post = self.post;
        for placement in post.core.store.placements_by_uids(mailbox.id, &uids).await? {
            writes.push(Write::SetFlags {
                message: placement.message,
                mailbox: mailbox.id,
                flags: placement.flags,
                base: queue::base_after(&placement.base, &sent),
            });
        }
        Ok(writes)
    }

    /// Said once for each mailbox: it is no failure.
    async fn tell_of_keywords(&mut self, mailbox: &MailboxRow) -> Result<(), Error> {
        let core = &self.post.core;
        let key = format!("told/keywords/{}", mailbox.id);
        if core.store.setting(&key).await?.is_some() {
            return Ok(());
        }
        let told = Write::PutSetting {
            key,
            value: Some(core.now().to_string()),
        };
        core.apply(self.post.id, vec![told], posthorn_store::Durability::Normal)
            .await?;
        let words = format!(
            "{}: the server keeps no keywords of your own in this mailbox; they are kept here only",
            mailbox.name.path
        );
        let error = Error::new(ErrorClass::Limited, words);
        core.raise(Topic::Keywords(self.post.id, mailbox.id), &error);
        Ok(())
    }

    pub(super) async fn relocate(
        &mut self,
        selected: &Selected,
        to: MailboxId,
        aims: &[Aim],
        away: bool,
    ) -> Result<Vec<Write>, Error> {
        let target = self.mailbox(to).await?;
        let mut writes = Vec::new();
        let mut found = self
            .resolve(self.turn.mailbox, selected.uid_validity, aims)
            .await?;
        if away {
            found = self.certify(selected, found, aims, &mut writes).await?;
        }
        // With labels a second try changes nothing, and the original in All Mail says nothing of an arrival.
        if self.doubtful && !self.has_labels() {
            let (arrived, uid_validity) = self.already_in(&target, aims).await?;
            writes.extend(self.learn(to, uid_validity, &arrived).await?);
            let copied: Found = found
                .iter()
                .filter(|(_, message)| arrived.contains_key(*message))
                .map(|(uid, message)| (*uid, *message))
                .collect();
            found.retain(|_, message| !arrived.contains_key(message));
            if away && !copied.is_empty() {
                writes.extend(self.remove(&copied, selected.uid_validity).await?);
            }
        }
        if found.is_empty() {
            return Ok(writes);
        }
        let uids: UidSet = found.keys().copied().collect();
        let at_once = away && self.session.capabilities().has("MOVE");
        let copied = match self.transfer(&uids, &target, at_once).await {
            // RFC 9051 section 7.1: making the mailbox would help.
            Err(error) if error.code == Some(ResponseCode::TryCreate) => {
                self.session.create(&target.name, target.special_use).await?;
                self.transfer(&uids, &target, at_once).await?
            }
            other => other?,
        };
        let arrived = copied
            .as_ref()
            .map_or_else(BTreeMap::new, |copied| pair(copied, &found));
        if away && !at_once {
            match self.remove(&found, selected.uid_validity).await {
                Ok(left) => writes.extend(left),
                Err(error) => {
                    self.take_copies_back(&target, copied.as_ref(), &error).await?;
                    return Err(error);
                }
            }
        }
        if let Some(copied) = copied {
            writes.extend(self.learn(to, Some(copied.uid_validity), &arrived).await?);
        }
        Ok(writes)
    }

    /// Mailboxes are labels here: what is expunged from one lives on in All Mail, or does not, as the user has set it.
    pub(super) fn has_labels(&self) -> bool {
        self.session.capabilities().has("X-GM-EXT-1")
    }

    async fn transfer(
        &mut self,
        uids: &UidSet,
        target: &MailboxRow,
        at_once: bool,
    ) -> Result<Option<CopyUid>, posthorn_net::Error> {
        if at_once {
            let outcome = self.session.move_messages(uids, &target.name).await?;
            Ok(outcome.copied)
        } else {
            self.session.copy(uids, &target.name).await
        }
    }

    /// The originals could not be removed, and the move is taken back here: the copies go again, where it is known
    /// which they are, so that nothing stands there twice.
    async fn take_copies_back(
        &mut self,
        target: &MailboxRow,
        copied: Option<&CopyUid>,
        error: &Error,
    ) -> Result<(), Error> {
        let Some(copied) = copied.filter(|_| super::holds(error)) else {
            return Ok(());
        };
        let uids: UidSet = copied.to.iter().copied().collect();
        let selected = self.session.select(&target.name, Access::Write, None).await?;
        if selected.uid_validity != Some(copied.uid_validity) || selected.read_only {
            return Ok(());
        }
        let marked = self
            .session
            .store_flags(&uids, &FlagChange::adding(Flag::Deleted))
            .await;
        match marked {
            Ok(_) => {
                self.session.expunge(&uids).await?;
                Ok(())
            }
            Err(error) if error.class == ErrorClass::Refused => {
                log::warn!("Copies of messages that could not be moved stay: {error}.");
                Ok(())
            }
            Err(error) => Err(error.into()),
        }
    }

    /// Which of the messages an earlier try has brought into the target already.
    async fn already_in(
        &mut self,
        target: &MailboxRow,
        aims: &[Aim],
    ) -> Result<(BTreeMap<MessageId, Uid>, Option<UidValidity>), Error> {
        let source = self.mailbox(self.turn.mailbox).await?;
        let selected = self.session.select(&target.name, Access::Examine, None).await?;
        let mut arrived = BTreeMap::new();
        let mut taken = self.leaving(target, selected.uid_validity).await?;
        for aim in aims {
            if let Some(uid) = self.find_arrival(target, &aim.target, &taken).await? {
                taken.insert(uid);
                arrived.insert(aim.target.message, uid);
            }
        }
        self.session.select(&source.name, Access::Write, None).await?;
        Ok((arrived, selected.uid_validity))
    }

    pub(super) async fn expunge(&mut self, selected: &Selected, aims: &[Aim]) -> Result<Vec<Write>, Error> {
        let mut writes = Vec::new();
        let found = self
            .resolve(self.turn.mailbox, selected.uid_validity, aims)
            .await?;
        let found = self.certify(selected, found, aims, &mut writes).await?;
        if !found.is_empty() {
            writes.extend(self.remove(&found, selected.uid_validity).await?);
        }
        Ok(writes)
    }

    /// A UID may have been given to another message behind our back: before anything is taken from its place, each
    /// is asked what it is, in one turn, unless nothing can have changed since the last look.
    pub(super) async fn certify(
        &mut self,
        selected: &Selected,
        found: Found,
        aims: &[Aim],
        writes: &mut Vec<Write>,
    ) -> Result<Found, Error> {
        if found.is_empty() || self.is_assured(selected).await? {
            return Ok(found);
        }
        let expected: BTreeMap<MessageId, &Target> =
            aims.iter().map(|aim| (aim.target.message, &aim.target)).collect();
        let uids: UidSet = found.keys().copied().collect();
        let mut certain = Found::new();
        let mut mistaken: Vec<MessageId> = Vec::new();
        let mut identities: Vec<Summary> = Vec::new();
        self.session
            .fetch_identities(&uids, &mut |summary| identities.push(summary))
            .await?;
        for identity in identities {
            let Some(message) = found.get(&identity.uid) else {
                continue;
            };
            if expected
                .get(message)
                .is_some_and(|target| is_same(target, &identity))
            {
                certain.insert(identity.uid, *message);
            } else {
                mistaken.push(*message);
            }
        }
        if mistaken.is_empty() {
            return Ok(certain);
        }
        log::warn!("A server gave UIDs to other messages: the mailbox will be matched anew.");
        writes.push(Write::SetSyncState {
            mailbox: self.turn.mailbox,
            state: None,
        });
        for message in mistaken {
            let Some(target) = expected.get(&message) else {
                continue;
            };
            if let Some(uid) = self.search(target).await?
                && !certain.contains_key(&uid)
            {
                certain.insert(uid, message);
            }
        }
        Ok(certain)
    }

    /// Nothing has changed in the mailbox since the pass that learnt its UIDs (RFC 7162 section 3.1.2.2).
    async fn is_assured(&mut self, selected: &Selected) -> Result<bool, Error> {
        let state = self.post.core.store.sync_state(self.turn.mailbox).await?;
        Ok(state.is_some_and(|state| {
            Some(state.uid_validity) == selected.uid_validity
                && state.highest_modseq.is_some()
                && state.highest_modseq == selected.highest_modseq
        }))
    }

    /// Removes them for good; returns what is to be remembered where the server cannot.
    pub(super) async fn remove(
        &mut self,
        found: &Found,
        uid_validity: Option<UidValidity>,
    ) -> Result<Vec<Write>, Error> {
        let uids: UidSet = found.keys().copied().collect();
        self.session
            .store_flags(&uids, &FlagChange::adding(Flag::Deleted))
            .await?;
        match self.session.expunge(&uids).await? {
            Expunged::Done => Ok(Vec::new()),
            Expunged::LeftDeleted => self.remember_left(found, uid_validity).await,
        }
    }

    /// Removes everything that is marked \Deleted, as the user wants it. Where more is marked than the user was told of,
    /// nothing is removed.
    pub(super) async fn sweep(&mut self, selected: &Selected, aims: &[Aim]) -> Result<Vec<Write>, Error> {
        if aims.iter().any(|aim| aim.uid_validity != selected.uid_validity) {
            return Err(Error::new(
                ErrorClass::Refused,
                "the messages have got new numbers on the server: nothing was removed, look again what is marked there",
            ));
        }
        let told: UidSet = aims.iter().filter_map(|aim| aim.target.uid).collect();
        let marked = self.session.search_marked().await?;
        let strangers = marked.minus(&told).len();
        if strangers > 0 {
            return Err(Error::new(
                ErrorClass::Refused,
                format!("{strangers} more were marked as deleted there meanwhile: nothing was removed"),
            ));
        }
        if !marked.is_empty() && self.session.expunge(&marked).await? == Expunged::LeftDeleted {
            self.session.expunge_all().await?;
        }
        let (post, mailbox) = (self.post, self.turn.mailbox);
        let store = &post.core.store;
        let mut writes = Vec::new();
        // Those that somebody has unmarked stay.
        for placed in store.placements_by_uids(mailbox, &marked).await? {
            let message = placed.message;
            writes.push(Write::Unplace { message, mailbox });
        }
        if let Some(uid_validity) = selected.uid_validity {
            let operations = store.operations(Some(post.id)).await?;
            writes.extend(queue::forget_left(&operations, mailbox, uid_validity, &marked));
        }
        Ok(writes)
    }

    /// They stay on the server, marked \Deleted, and are not shown here again.
    async fn remember_left(
        &mut self,
        found: &Found,
        uid_validity: Option<UidValidity>,
    ) -> Result<Vec<Write>, Error> {
        let post = self.post;
        let core = &post.core;
        let mailbox = self.mailbox(self.turn.mailbox).await?;
        let operations = core.store.operations(Some(post.id)).await?;
        let known = operations.into_iter().find(|operation| {
            operation.mailbox == mailbox.id
                && operation.uid_validity == uid_validity
                && matches!(operation.kind, OperationKind::LeftDeleted)
        });
        let mut left = known.unwrap_or_else(|| Operation {
            id: core.store.new_operation_id(),
            account: post.id,
            mailbox: mailbox.id,
            uid_validity,
            targets: Vec::new(),
            kind: OperationKind::LeftDeleted,
            state: OperationState::Queued,
            created: core.now(),
            intent: 0,
            tries: 0,
            reply: "the server cannot remove single messages".to_owned(),
        });
        let new = found
            .iter()
            .filter(|(uid, _)| !left.targets.iter().any(|target| target.uid == Some(**uid)));
        let new: Vec<Target> = new
            .map(|(uid, message)| Target {
                message: *message,
                uid: Some(*uid),
                before: Flags::default(),
                message_id: None,
                size: None,
            })
            .collect();
        left.targets.extend(new);
        Ok(vec![Write::AddOperation(Box::new(left))])
    }
}

/// What of a change the server keeps: without `\*` among the permanent flags, no keyword that it does not name
/// (RFC 9051 section 7.1).
fn storable(change: &FlagChange, selected: &Selected) -> FlagChange {
    let Some(permanent) = selected
        .permanent_flags
        .as_ref()
        .filter(|_| !selected.new_keywords)
    else {
        return change.clone();
    };
    let keep = |flags: &Flags| {
        let keywords = flags.keywords().intersection(permanent.keywords()).cloned();
        Flags::from_bits(flags.bits(), keywords)
    };
    FlagChange {
        add: keep(&change.add),
        remove: keep(&change.remove),
    }
}

/// By Message-ID; a message that has none, by its size.
pub(super) fn is_same(target: &Target, identity: &Summary) -> bool {
    let there = posthorn_mime::parse_header(&identity.header).envelope.message_id;
    match (&target.message_id, &there) {
        (Some(wanted), Some(there)) => wanted == there,
        (None, None) => target.size.is_none_or(|size| size == identity.size),
        _ => false,
    }
}

/// Which message became which UID: COPYUID names the n-th of one list as the n-th of the other. Only what was asked
/// for is believed.
fn pair(copied: &CopyUid, found: &Found) -> BTreeMap<MessageId, Uid> {
    if copied.from.len() != copied.to.len() {
        return BTreeMap::new();
    }
    let pairs = copied.from.iter().zip(&copied.to);
    pairs
        .filter_map(|(from, to)| Some((*found.get(from)?, *to)))
        .collect()
}

#[cfg(test)]
mod tests {
    use super::*;
    use posthorn_model::Keyword;

    #[test]
    fn keywords_that_the_server_does_not_keep_stay_here() {
        let flags = |names: &str| {
            let mut flags = Flags::default();
            for name in names.split_whitespace() {
                assert!(flags.insert_named(name), "{name}");
            }
            flags
        };
        let check = |permanent: Option<&str>, new: bool, add: &str, expect: &str| {
            let selected = Selected {
                permanent_flags: permanent.map(flags),
                new_keywords: new,
                ..Selected::default()
            };
            let change = FlagChange {
                add: flags(add),
                remove: Flags::default(),
            };
            assert_eq!(
                storable(&change, &selected).add,
                flags(expect),
                "{permanent:?} {add}"
            );
        };
        check(None, false, "seen work", "seen work");
        check(Some("seen"), true, "seen work", "seen work");
        check(Some("seen $junk"), false, "seen work $Junk", "seen $junk");
        check(Some("seen"), false, "flagged work", "flagged");
        assert!(Keyword::parse("\\Recent").is_none());
    }
}
