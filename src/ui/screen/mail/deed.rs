//! What is done to the chosen messages: at once on the screen, then by the engine.

use std::collections::{BTreeMap, BTreeSet};

use posthorn_engine::Command;
use posthorn_engine::command::Selection;
use posthorn_model::query::Cursor;
use posthorn_model::{Flag, FlagChange, MailboxId, MessageId};

use super::Mail;
use crate::app::{Action, Deed};
use crate::directory::Directory;
use crate::shortcut::Wish;
use crate::t;

impl Mail {
    /// The chosen rows, mailbox by mailbox.
    fn by_mailbox(&self, cursors: &BTreeSet<Cursor>) -> Vec<Selection> {
        let mut groups: BTreeMap<MailboxId, Vec<MessageId>> = BTreeMap::new();
        for cursor in cursors {
            groups.entry(cursor.mailbox).or_default().push(cursor.message);
        }
        groups
            .into_iter()
            .map(|(mailbox, messages)| Selection {
                messages,
                mailbox: Some(mailbox),
            })
            .collect()
    }

    pub(super) fn flag(&mut self, cursors: &BTreeSet<Cursor>, change: &FlagChange) -> Vec<Action> {
        if cursors.is_empty() {
            return Vec::new();
        }
        self.listing.flag(cursors, change);
        self.reader.flag(cursors, change);
        let commands = self
            .by_mailbox(cursors)
            .into_iter()
            .map(|selection| Command::Flag {
                selection,
                change: change.clone(),
            })
            .collect();
        vec![Action::Do(Deed::quiet(commands))]
    }

    /// Archive, delete or junk: the rows leave at once, and a toast offers them back.
    pub(super) fn put_away(&mut self, wish: Wish, directory: &Directory) -> Vec<Action> {
        let chosen = self.listing.selected.clone();
        if chosen.is_empty() {
            return Vec::new();
        }
        let for_good = wish == Wish::Delete
            && chosen
                .iter()
                .any(|cursor| directory.deletes_for_good(cursor.mailbox));
        if for_good {
            return vec![Action::AskDelete(chosen.len())];
        }
        self.carry_out(wish)
    }

    /// As [`Self::put_away`], after any question was answered.
    pub fn carry_out(&mut self, wish: Wish) -> Vec<Action> {
        let count = self.listing.selected.len();
        let (make, said): (fn(Selection) -> Command, String) = match wish {
            Wish::Archive => (Command::Archive, t!("done-archived", count = count)),
            Wish::Junk => (Command::Junk, t!("done-junked", count = count)),
            _ => (Command::Delete, t!("done-deleted", count = count)),
        };
        let commands = self
            .by_mailbox(&self.listing.selected)
            .into_iter()
            .map(make)
            .collect();
        self.leave(Deed::undoable(commands, said))
    }

    /// Moves the chosen rows.
    pub fn move_to(&mut self, to: MailboxId, name: &str) -> Vec<Action> {
        let count = self.listing.selected.len();
        let commands = self
            .by_mailbox(&self.listing.selected)
            .into_iter()
            .map(|selection| Command::Move { selection, to })
            .collect();
        self.leave(Deed::undoable(
            commands,
            t!("done-moved", count = count, mailbox = name.to_owned()),
        ))
    }

    fn leave(&mut self, deed: Deed) -> Vec<Action> {
        let gone = self.listing.selected.clone();
        let next = self.listing.neighbour();
        self.listing.remove(&gone);
        self.read_at = None;
        let mut actions = vec![Action::Do(deed)];
        match next {
            Some(next) => {
                self.listing.select_only(next);
                self.listing.reveal += 1;
                actions.extend(self.open());
            }
            None => self.reader.clear(),
        }
        actions
    }
}

/// Sets or takes the star.
pub fn star(on: bool) -> FlagChange {
    if on {
        FlagChange::adding(Flag::Flagged)
    } else {
        FlagChange::removing(Flag::Flagged)
    }
}
