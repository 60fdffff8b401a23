//! NOTIFY (RFC 5465): telling of mailboxes that are not selected, and of the selected one without IDLE.

use std::collections::BTreeMap;

use super::command::{Events, Notify, StatusItem};
use super::folders::{Standing, status_line, wire_name};
use super::session::{Answer, Session, ok};
use crate::mailbox::{Account, Mailbox};
use crate::wire::Result;

/// What the client asked for, and what it was told last.
pub struct Watch {
    wanted: Notify,
    /// By mailbox id.
    told: BTreeMap<u64, Told>,
}

#[derive(Clone, PartialEq, Eq)]
struct Told {
    path: String,
    subscribed: bool,
    uid_next: u32,
    messages: usize,
    modseq: u64,
}

impl Session {
    pub fn set_notify(&mut self, wanted: Option<Notify>) -> Answer {
        let Some(wanted) = wanted else {
            self.notify = None;
            return ok("quiet");
        };
        let told = self.with_account(look).unwrap_or_default();
        if wanted.status && wanted.others.is_some() {
            let selected = self.selected.as_ref().map(|selected| selected.id);
            let items = self.status_items();
            let lines = self.with_account(|account| {
                let others = account
                    .mailboxes
                    .iter()
                    .filter(|mailbox| Some(mailbox.id) != selected);
                others
                    .map(|mailbox| status_line(mailbox, Standing::of(mailbox), &items, self.utf8))
                    .collect::<Vec<_>>()
            });
            for line in lines.unwrap_or_default() {
                self.link.line(line);
            }
        }
        self.notify = Some(Watch { wanted, told });
        ok("watching")
    }

    /// RFC 5465 section 5: MESSAGES and UIDNEXT for new mail, UIDVALIDITY with both, HIGHESTMODSEQ for flags.
    fn status_items(&self) -> Vec<StatusItem> {
        let mut items = vec![
            StatusItem::UidValidity,
            StatusItem::UidNext,
            StatusItem::Messages,
            StatusItem::Unseen,
        ];
        if self.core.offers("CONDSTORE") {
            items.push(StatusItem::HighestModSeq);
        }
        items
    }

    /// Tells what happened since the last time.
    pub fn tell_watched(&mut self) -> Result<()> {
        let Some(watch) = &self.notify else {
            return Ok(());
        };
        let (selected, delayed) = (watch.wanted.selected.unwrap_or_default(), watch.wanted.delayed);
        let events = watch.wanted.others.unwrap_or_default();
        if selected.message_new && self.selected.is_some() {
            self.tell_changes(!delayed)?;
        }
        let now = self.with_account(look).unwrap_or_default();
        let chosen = self.selected.as_ref().map(|selected| selected.id);
        let items = self.status_items();
        let lines = self.with_account(|account| {
            let Some(watch) = &self.notify else {
                return Vec::new();
            };
            let mut lines = Vec::new();
            for (id, told) in &watch.told {
                if !now.contains_key(id) && events.mailbox_name {
                    let name = wire_name(&told.path, self.utf8);
                    lines.push(format!("* LIST (\\NonExistent) \"/\" {name}"));
                }
            }
            for mailbox in &account.mailboxes {
                let (before, after) = (watch.told.get(&mailbox.id), now.get(&mailbox.id));
                tell_name(before, mailbox, events, self.utf8, &mut lines);
                if let (Some(after), true) = (after, Some(mailbox.id) != chosen)
                    && changed(before, after, events)
                {
                    lines.push(status_line(mailbox, Standing::of(mailbox), &items, self.utf8));
                }
            }
            lines
        });
        for line in lines.unwrap_or_default() {
            self.link.line(line);
        }
        if let Some(watch) = &mut self.notify {
            watch.told = now;
        }
        Ok(())
    }
}

fn tell_name(before: Option<&Told>, mailbox: &Mailbox, events: Events, utf8: bool, lines: &mut Vec<String>) {
    if !events.mailbox_name {
        return;
    }
    let name = wire_name(&mailbox.path, utf8);
    match before {
        None => lines.push(format!("* LIST () \"/\" {name}")),
        // RFC 5465 section 5.4: a rename says the old name.
        Some(told) if told.path != mailbox.path => {
            let old = wire_name(&told.path, utf8);
            lines.push(format!("* LIST () \"/\" {name} (\"OLDNAME\" ({old}))"));
        }
        Some(_) => (),
    }
}

fn changed(before: Option<&Told>, after: &Told, events: Events) -> bool {
    let Some(before) = before else {
        return events.message_new && after.messages > 0;
    };
    let counts = (before.uid_next, before.messages) != (after.uid_next, after.messages);
    (counts && events.message_new) || (before.modseq != after.modseq && events.flag_change)
}

fn look(account: &Account) -> BTreeMap<u64, Told> {
    let describe = |mailbox: &Mailbox| Told {
        path: mailbox.path.clone(),
        subscribed: account.subscriptions.contains(&mailbox.path),
        uid_next: mailbox.uid_next,
        messages: mailbox.messages.len(),
        modseq: mailbox.highest_modseq(),
    };
    let mailboxes = account.mailboxes.iter();
    mailboxes.map(|mailbox| (mailbox.id, describe(mailbox))).collect()
}
