//! Accounts whose mailboxes are labels on messages that exist once, in All Mail (Gmail, X-GM-EXT-1): what a wish means
//! there. Nothing is ever copied into All Mail, and an original leaves it by way of the trash alone.

use std::collections::BTreeMap;

use posthorn_model::operation::Hash64;
use posthorn_model::{AccountId, MailboxId, MessageId, OperationKind, SpecialUse};

use super::{Applier, Back, Placed};
use crate::Error;

impl<'a> Applier<'a> {
    pub(super) fn is_labelled(&self, account: AccountId) -> bool {
        self.facts.labelled.contains(&account)
    }

    pub(super) fn purpose_of(&self, mailbox: MailboxId) -> Option<SpecialUse> {
        self.facts.rooms.get(&mailbox)?.special_use
    }

    /// Wherever the message stands in its account.
    fn places(&self, message: MessageId) -> impl Iterator<Item = &'a Placed> + use<'a> {
        let facts = self.facts;
        let all = facts.placed.iter().chain(&facts.beside);
        all.filter(move |placed| placed.message == message)
    }

    /// A move within the account: one label for another. Into the trash or junk the message goes with all its labels;
    /// out of All Mail it does not go, it only gets the label.
    pub(super) fn relabel(
        &mut self,
        mailbox: MailboxId,
        placed: &[&'a Placed],
        to: MailboxId,
    ) -> Result<(), Error> {
        let discards = is_out_of_the_way(self.purpose_of(to));
        let placed: Vec<&Placed> = placed
            .iter()
            .copied()
            .filter(|placed| !discards || self.settled.insert(placed.message))
            .collect();
        if self.purpose_of(mailbox) == Some(SpecialUse::All) && !discards {
            return self.label(mailbox, &placed, to);
        }
        let operation = self.ask(mailbox, &placed, OperationKind::Move { to })?;
        for placed in placed {
            let stands_there = self.places(placed.message).any(|place| place.mailbox == to);
            self.unplace(placed);
            let (uid, flags, base) = (placed.uid, placed.flags.clone(), placed.base.clone());
            let back = if stands_there {
                let again = Some(to);
                Back::Label {
                    again,
                    uid,
                    flags,
                    base,
                }
            } else {
                self.place(placed, to);
                Back::Move { to, uid, flags, base }
            };
            self.step(operation, placed, back);
            if discards {
                self.drop_other_labels(placed, to, operation);
            }
        }
        Ok(())
    }

    fn label(&mut self, mailbox: MailboxId, placed: &[&'a Placed], to: MailboxId) -> Result<(), Error> {
        let stands_there = |placed: &&&Placed| self.places(placed.message).any(|place| place.mailbox == to);
        let fresh: Vec<&Placed> = placed
            .iter()
            .filter(|placed| !stands_there(placed))
            .copied()
            .collect();
        let operation = self.ask(mailbox, &fresh, OperationKind::Copy { to })?;
        for placed in fresh {
            self.place(placed, to);
            self.step(operation, placed, Back::Uncopy { to });
        }
        Ok(())
    }

    fn drop_other_labels(
        &mut self,
        placed: &Placed,
        to: MailboxId,
        operation: Option<posthorn_model::OperationId>,
    ) {
        let others: Vec<&Placed> = self
            .places(placed.message)
            .filter(|place| place.mailbox != placed.mailbox && place.mailbox != to)
            .collect();
        for other in others {
            self.unplace(other);
            let back = Back::Label {
                again: None,
                uid: other.uid,
                flags: other.flags.clone(),
                base: other.base.clone(),
            };
            self.step(operation, other, back);
        }
    }

    /// Out of the inbox, wherever the user sees the message; its other labels stay.
    pub(super) fn archive_labelled(
        &mut self,
        account: AccountId,
        mailbox: MailboxId,
        placed: &[&'a Placed],
    ) -> Result<(), Error> {
        let all = self.facts.purpose(account, SpecialUse::All).ok_or_else(|| {
            Error::config(
                "this account keeps what is archived in All Mail, which it does not show by IMAP: let it be shown in \
                 Gmail's settings for labels",
            )
        })?;
        let mut sources: BTreeMap<MailboxId, Vec<&'a Placed>> = BTreeMap::new();
        for placed in placed {
            let source = if is_out_of_the_way(self.purpose_of(mailbox)) {
                Some(*placed)
            } else {
                let mut places = self.places(placed.message);
                places.find(|place| self.purpose_of(place.mailbox) == Some(SpecialUse::Inbox))
            };
            if let Some(source) = source
                && self.settled.insert(placed.message)
            {
                sources.entry(source.mailbox).or_default().push(source);
            }
        }
        for (from, placed) in sources {
            self.relabel(from, &placed, all)?;
        }
        Ok(())
    }

    /// For good: expunged from a label, the message would live on in All Mail. So it goes into the trash, and from there.
    pub(super) fn discard_labelled(
        &mut self,
        trash: MailboxId,
        mailbox: MailboxId,
        placed: &[&'a Placed],
    ) -> Result<(), Error> {
        let operation = self.ask(mailbox, placed, OperationKind::Move { to: trash })?;
        let moved: Vec<Placed> = placed
            .iter()
            .map(|placed| Placed {
                mailbox: trash,
                uid: None,
                ..(*placed).clone()
            })
            .collect();
        let moved: Vec<&Placed> = moved.iter().collect();
        self.ask(trash, &moved, OperationKind::Expunge)?;
        for placed in placed {
            self.unplace(placed);
            let back = Back::Restore {
                uid: placed.uid,
                flags: placed.flags.clone(),
                base: placed.base.clone(),
                hash: placed.hash.map(Hash64::from),
            };
            self.step(operation, placed, back);
            self.drop_other_labels(placed, trash, operation);
        }
        Ok(())
    }
}

/// Where a message has no label beside.
fn is_out_of_the_way(purpose: Option<SpecialUse>) -> bool {
    matches!(purpose, Some(SpecialUse::Trash | SpecialUse::Junk))
}
