//! Making, renaming, deleting and subscribing mailboxes: what happens here at once, what the server is asked, what
//! folds into what it has not heard of yet, and the way back. Pure.

use std::collections::{BTreeMap, BTreeSet};

use posthorn_model::operation::Renamed;
use posthorn_model::{
    AccountId, MailboxId, MailboxName, Operation, OperationId, OperationKind, OperationState, SpecialUse,
    Timestamp,
};
use posthorn_net::imap::ListedMailbox;
use posthorn_store::MailboxRow;
use posthorn_store::write::{NewMailbox, Write};
use serde::{Deserialize, Serialize};

use super::naming::{self, Naming};
use crate::Error;

/// What a wish about mailboxes works on: one account.
#[derive(Clone, Debug)]
pub struct Facts {
    pub account: AccountId,
    /// On no server: nothing is sent.
    pub local: bool,
    pub rows: Vec<MailboxRow>,
    pub operations: Vec<Operation>,
    pub now: Timestamp,
    pub intent: i64,
}

/// One step back.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct Step {
    /// What the server was to do; `None` where that folded away or nothing is sent.
    pub operation: Option<OperationId>,
    pub account: AccountId,
    pub mailbox: MailboxId,
    pub back: Back,
}

/// How a step is taken back: by the opposite wish, which folds like any other.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "kebab-case", tag = "back")]
pub enum Back {
    Delete,
    Rename {
        to: MailboxName,
    },
    Create(Described),
    Subscribe {
        on: bool,
    },
    /// What was to be removed for good stays, as long as the server has not heard of it.
    Keep,
}

/// A mailbox as it was, to be made again.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct Described {
    pub name: MailboxName,
    pub delimiter: Option<char>,
    pub special_use: Option<SpecialUse>,
    pub selectable: bool,
    pub subscribed: bool,
}

/// What a wish does.
#[derive(Clone, Debug, Default)]
pub struct Plan {
    pub writes: Vec<Write>,
    pub steps: Vec<Step>,
    pub mailbox: Option<MailboxId>,
}

/// Hands out operation ids.
pub type NewId<'a> = dyn FnMut() -> OperationId + 'a;

impl Facts {
    fn row(&self, mailbox: MailboxId) -> Result<&MailboxRow, Error> {
        let leaving = leaving(&self.operations);
        let row = self
            .rows
            .iter()
            .find(|row| row.id == mailbox && !leaving.contains(&mailbox));
        row.ok_or_else(|| Error::config("there is no such mailbox"))
    }

    /// The name for what the user wrote.
    ///
    /// # Errors
    /// `Config` where no mailbox of this account can have it.
    pub fn name(&self, path: &str) -> Result<MailboxName, Error> {
        if self.rows.is_empty() {
            return Err(Error::config(
                "this account has not been synchronised yet: how its server names mailboxes is not known",
            ));
        }
        Naming::of(&self.rows).name(path)
    }

    /// The mailbox and those below it, the deepest first.
    ///
    /// # Errors
    /// `Config` for a mailbox that is not there.
    pub fn family(&self, mailbox: MailboxId) -> Result<Vec<&MailboxRow>, Error> {
        let row = self.row(mailbox)?;
        let leaving = leaving(&self.operations);
        let mut all: Vec<&MailboxRow> = self
            .rows
            .iter()
            .filter(|other| other.id == mailbox || is_below(other, row))
            .filter(|other| !leaving.contains(&other.id))
            .collect();
        all.sort_by_key(|row| std::cmp::Reverse(row.name.path.split('/').count()));
        Ok(all)
    }

    fn taken(&self, name: &MailboxName) -> Option<&MailboxRow> {
        let same = |row: &&MailboxRow| row.name.wire == name.wire || row.name.is_inbox() && name.is_inbox();
        self.rows.iter().find(same)
    }

    fn new_operation(&self, id: OperationId, mailbox: MailboxId, kind: OperationKind) -> Write {
        Write::AddOperation(Box::new(Operation {
            id,
            account: self.account,
            mailbox,
            uid_validity: None,
            targets: Vec::new(),
            kind,
            state: OperationState::Queued,
            created: self.now,
            intent: self.intent,
            tries: 0,
            reply: String::new(),
        }))
    }

    /// The creation that the server has not heard of, where nothing that renames or deletes stands behind it in the
    /// queue: only then does taking part in it change nothing else.
    fn open_creation(&self, mailbox: MailboxId) -> Option<&Operation> {
        let created = |operation: &&Operation| {
            operation.mailbox == mailbox
                && operation.is_unheard()
                && matches!(operation.kind, OperationKind::CreateMailbox { .. })
        };
        let found = self.operations.iter().find(created)?;
        let reordered = self.operations.iter().any(|later| {
            later.id > found.id
                && matches!(
                    later.kind,
                    OperationKind::RenameMailbox { .. } | OperationKind::DeleteMailbox
                )
        });
        (!reordered).then_some(found)
    }

    /// # Errors
    /// `Config` where there is such a mailbox already.
    pub fn create(&self, name: &MailboxName, id: MailboxId, new_id: &mut NewId<'_>) -> Result<Plan, Error> {
        if let Some(row) = self.taken(name) {
            return if leaving(&self.operations).contains(&row.id) {
                self.revive(row)
            } else {
                Err(Error::config("there is a mailbox of this name already"))
            };
        }
        let described = Described {
            name: name.clone(),
            delimiter: Naming::of(&self.rows).delimiter,
            special_use: None,
            selectable: true,
            subscribed: true,
        };
        Ok(self.put_new(id, &described, new_id))
    }

    fn put_new(&self, mailbox: MailboxId, described: &Described, new_id: &mut NewId<'_>) -> Plan {
        let mut writes = vec![Write::PutMailbox(NewMailbox {
            id: mailbox,
            account: self.account,
            name: described.name.clone(),
            delimiter: described.delimiter,
            special_use: described.special_use,
            selectable: described.selectable,
            subscribed: described.subscribed,
            local: self.local,
        })];
        let operation = (!self.local).then(|| {
            let id = new_id();
            let path = described.name.path.clone();
            writes.push(self.new_operation(id, mailbox, OperationKind::CreateMailbox { path }));
            id
        });
        Plan {
            writes,
            steps: vec![Step {
                operation,
                account: self.account,
                mailbox,
                back: Back::Delete,
            }],
            mailbox: Some(mailbox),
        }
    }

    /// A mailbox that the user has deleted is wanted again before the server has done it.
    fn revive(&self, row: &MailboxRow) -> Result<Plan, Error> {
        let mut plan = Plan {
            writes: vec![Write::PutMailbox(describe(row))],
            mailbox: Some(row.id),
            ..Plan::default()
        };
        let deletion = self.operations.iter().find(|operation| {
            operation.mailbox == row.id && matches!(operation.kind, OperationKind::DeleteMailbox)
        });
        // What stands behind it in the queue was asked for with the name free.
        let open = deletion.filter(|deletion| {
            let mut later = self.operations.iter();
            deletion.is_unheard() && !later.any(|later| later.id > deletion.id && later.kind.is_structural())
        });
        let Some(deletion) = open else {
            return Err(Error::config(
                "a mailbox of this name is still to be deleted on the server: try again after the next sync",
            ));
        };
        plan.writes.push(Write::RemoveOperation(deletion.id));
        let operation = None;
        plan.steps.push(Step {
            operation,
            account: self.account,
            mailbox: row.id,
            back: Back::Delete,
        });
        Ok(plan)
    }

    /// # Errors
    /// `Config` for the inbox, a name that is taken, or one below the mailbox itself.
    pub fn rename(
        &self,
        mailbox: MailboxId,
        name: &MailboxName,
        new_id: &mut NewId<'_>,
    ) -> Result<Plan, Error> {
        let row = self.row(mailbox)?;
        self.refuse_fixed(row, "renamed")?;
        if row.name == *name {
            return Err(Error::config("the mailbox has this name already"));
        }
        let delimiter = row.delimiter.unwrap_or('/');
        if naming::below(name, &row.name, name, delimiter).is_some() {
            return Err(Error::config("a mailbox cannot be put into itself"));
        }
        // There would be no way back: no server puts a mailbox into itself.
        if naming::below(&row.name, name, name, delimiter).is_some() {
            return Err(Error::config(
                "a mailbox cannot take the name of what it stands in",
            ));
        }
        let mut family = self.family(mailbox)?;
        family.reverse();
        // They would become part of the renamed one, and a way back would take them along.
        let leaving = leaving(&self.operations);
        let stranger = self.rows.iter().any(|other| {
            !leaving.contains(&other.id)
                && naming::below(&other.name, name, name, delimiter).is_some()
                && family.iter().all(|one| one.id != other.id)
        });
        if stranger {
            return Err(Error::config("there are mailboxes below this name already"));
        }
        let mut renamed = Vec::new();
        for member in &family {
            let to = if member.id == mailbox {
                Some(name.clone())
            } else {
                naming::below(&member.name, &row.name, name, delimiter)
            };
            let Some(to) = to else { continue };
            let other = self
                .taken(&to)
                .filter(|other| family.iter().all(|one| one.id != other.id));
            if let Some(other) = other {
                return Err(Error::config(if leaving.contains(&other.id) {
                    "a mailbox of this name is still to be deleted on the server: try again after the next sync"
                } else {
                    "there is a mailbox of this name already"
                }));
            }
            renamed.push(Renamed {
                mailbox: member.id,
                from: member.name.clone(),
                to,
            });
        }
        let mut plan = Plan {
            mailbox: Some(mailbox),
            ..Plan::default()
        };
        for one in &renamed {
            if let Some(member) = family.iter().find(|member| member.id == one.mailbox) {
                plan.writes.push(Write::PutMailbox(NewMailbox {
                    name: one.to.clone(),
                    ..describe(member)
                }));
            }
        }
        let operation = self.ask_rename(mailbox, renamed, &mut plan.writes, new_id);
        plan.steps.push(Step {
            operation,
            account: self.account,
            mailbox,
            back: Back::Rename { to: row.name.clone() },
        });
        Ok(plan)
    }

    /// The operation for a rename, folded into what the server has not heard of.
    fn ask_rename(
        &self,
        mailbox: MailboxId,
        renamed: Vec<Renamed>,
        writes: &mut Vec<Write>,
        new_id: &mut NewId<'_>,
    ) -> Option<OperationId> {
        if self.local
            || renamed
                .iter()
                .all(|one| self.open_creation(one.mailbox).is_some())
        {
            return None;
        }
        let last = self
            .operations
            .iter()
            .rfind(|operation| operation.state != OperationState::Held && operation.kind.is_structural());
        if let Some(earlier) = last.filter(|earlier| earlier.mailbox == mailbox && earlier.is_unheard())
            && let OperationKind::RenameMailbox { renamed: before } = &earlier.kind
        {
            let names: BTreeMap<MailboxId, &Renamed> = renamed.iter().map(|one| (one.mailbox, one)).collect();
            let folded: Vec<Renamed> = before
                .iter()
                .filter_map(|one| {
                    let to = names.get(&one.mailbox)?.to.clone();
                    Some(Renamed { to, ..one.clone() })
                })
                .collect();
            if folded.first().is_none_or(|first| first.from == first.to) {
                writes.push(Write::RemoveOperation(earlier.id));
                return None;
            }
            // In one step it would go into itself, or onto what it stood in: that takes both.
            if !folded.iter().any(nests) {
                writes.push(Write::PutOperation(Box::new(Operation {
                    kind: OperationKind::RenameMailbox { renamed: folded },
                    ..earlier.clone()
                })));
                return Some(earlier.id);
            }
        }
        let id = new_id();
        writes.push(self.new_operation(id, mailbox, OperationKind::RenameMailbox { renamed }));
        Some(id)
    }

    /// Deletes one mailbox that holds nothing here any more.
    ///
    /// # Errors
    /// `Config` for the inbox and what a local account needs.
    pub fn delete(&self, mailbox: MailboxId, new_id: &mut NewId<'_>) -> Result<Plan, Error> {
        let row = self.row(mailbox)?;
        self.refuse_fixed(row, "deleted")?;
        let mut plan = Plan::default();
        let described = Described {
            name: row.name.clone(),
            delimiter: row.delimiter,
            special_use: row.special_use,
            selectable: row.selectable,
            subscribed: row.subscribed,
        };
        let creation = self.open_creation(mailbox).filter(|creation| {
            let others = self
                .operations
                .iter()
                .filter(|operation| operation.id != creation.id);
            !others.clone().any(|operation| mentions(operation, mailbox))
        });
        let operation = if self.local {
            plan.writes.push(Write::RemoveMailbox(mailbox));
            None
        } else if let Some(creation) = creation {
            plan.writes.push(Write::RemoveOperation(creation.id));
            plan.writes.push(Write::RemoveMailbox(mailbox));
            None
        } else {
            let id = new_id();
            // The row stays for what still speaks of it; told so that lists are read again.
            plan.writes.push(Write::PutMailbox(describe(row)));
            plan.writes
                .push(self.new_operation(id, mailbox, OperationKind::DeleteMailbox));
            Some(id)
        };
        plan.steps.push(Step {
            operation,
            account: self.account,
            mailbox,
            back: Back::Create(described),
        });
        Ok(plan)
    }

    /// # Errors
    /// `Config` for a mailbox that is not there.
    pub fn subscribe(&self, mailbox: MailboxId, on: bool, new_id: &mut NewId<'_>) -> Result<Plan, Error> {
        let row = self.row(mailbox)?;
        let mut plan = Plan {
            mailbox: Some(mailbox),
            ..Plan::default()
        };
        if row.subscribed == on {
            return Ok(plan);
        }
        plan.writes.push(Write::PutMailbox(NewMailbox {
            subscribed: on,
            ..describe(row)
        }));
        let earlier = self.operations.iter().rfind(|operation| {
            operation.mailbox == mailbox
                && operation.is_unheard()
                && matches!(operation.kind, OperationKind::Subscribe { .. })
        });
        let operation = if self.local || self.open_creation(mailbox).is_some() {
            // A creation subscribes as the row says.
            None
        } else if let Some(earlier) = earlier {
            plan.writes.push(Write::RemoveOperation(earlier.id));
            None
        } else {
            let id = new_id();
            plan.writes
                .push(self.new_operation(id, mailbox, OperationKind::Subscribe { on }));
            Some(id)
        };
        plan.steps.push(Step {
            operation,
            account: self.account,
            mailbox,
            back: Back::Subscribe { on: !on },
        });
        Ok(plan)
    }

    /// Takes one step back.
    ///
    /// # Errors
    /// `Config` where the mailbox has meanwhile become something else.
    pub fn take_back(&self, step: &Step, new_id: &mut NewId<'_>) -> Result<Plan, Error> {
        let held = self.operations.iter().find(|operation| {
            Some(operation.id) == step.operation && operation.state == OperationState::Held
        });
        if let Some(held) = held {
            // Its inverse was applied when the server refused it.
            return Ok(Plan {
                writes: vec![Write::RemoveOperation(held.id)],
                ..Plan::default()
            });
        }
        let mut plan = match &step.back {
            Back::Keep => self.keep(step)?,
            Back::Delete => {
                let row = self.row(step.mailbox)?;
                if row.total > 0 {
                    return Err(Error::config(
                        "the mailbox is no longer empty: delete it with its messages, or move them first",
                    ));
                }
                self.delete(step.mailbox, new_id)?
            }
            Back::Rename { to } => self.rename(step.mailbox, to, new_id)?,
            Back::Subscribe { on } => self.subscribe(step.mailbox, *on, new_id)?,
            Back::Create(described) => match self.rows.iter().find(|row| row.id == step.mailbox) {
                Some(row) => self.revive(row)?,
                None if self.taken(&described.name).is_some() => {
                    return Err(Error::config("there is a mailbox of this name again"));
                }
                None => self.put_new(step.mailbox, described, new_id),
            },
        };
        plan.steps.clear();
        Ok(plan)
    }

    /// Calls off the removal of what is marked in a mailbox.
    fn keep(&self, step: &Step) -> Result<Plan, Error> {
        let waiting = self
            .operations
            .iter()
            .find(|operation| Some(operation.id) == step.operation && operation.is_unheard());
        let waiting = waiting
            .ok_or_else(|| Error::config("the server has been told already: they are gone for good"))?;
        Ok(Plan {
            writes: vec![Write::RemoveOperation(waiting.id)],
            ..Plan::default()
        })
    }

    fn refuse_fixed(&self, row: &MailboxRow, what: &str) -> Result<(), Error> {
        if row.name.is_inbox() || row.special_use == Some(SpecialUse::Inbox) {
            return Err(Error::config(format!("the inbox cannot be {what}")));
        }
        if self.local && row.special_use.is_some() {
            return Err(Error::config(format!(
                "{} is needed by this account and cannot be {what}",
                row.name.path
            )));
        }
        Ok(())
    }
}

/// The row as it is, to be written again.
#[must_use]
pub fn describe(row: &MailboxRow) -> NewMailbox {
    NewMailbox {
        id: row.id,
        account: row.account,
        name: row.name.clone(),
        delimiter: row.delimiter,
        special_use: row.special_use,
        selectable: row.selectable,
        subscribed: row.subscribed,
        local: row.local,
    }
}

fn nests(renamed: &Renamed) -> bool {
    let (from, to) = (&renamed.from.path, &renamed.to.path);
    let within = |inner: &str, outer: &str| {
        inner
            .strip_prefix(outer)
            .is_some_and(|rest| rest.starts_with('/'))
    };
    within(to, from) || within(from, to)
}

fn is_below(row: &MailboxRow, parent: &MailboxRow) -> bool {
    parent
        .delimiter
        .is_some_and(|delimiter| naming::below(&row.name, &parent.name, &parent.name, delimiter).is_some())
}

/// Whether an operation speaks of a mailbox.
#[must_use]
pub fn mentions(operation: &Operation, mailbox: MailboxId) -> bool {
    operation.mailbox == mailbox
        || match &operation.kind {
            OperationKind::Move { to } | OperationKind::Copy { to } => *to == mailbox,
            OperationKind::RenameMailbox { renamed } => renamed.iter().any(|one| one.mailbox == mailbox),
            _ => false,
        }
}

fn pending(operations: &[Operation]) -> impl Iterator<Item = &Operation> {
    operations
        .iter()
        .filter(|operation| operation.state != OperationState::Held)
}

/// Mailboxes that the user has deleted and the server may still have: not shown, and kept for the way back.
#[must_use]
pub fn leaving(operations: &[Operation]) -> BTreeSet<MailboxId> {
    let mut leaving = BTreeSet::new();
    for operation in pending(operations) {
        match operation.kind {
            OperationKind::DeleteMailbox => {
                leaving.insert(operation.mailbox);
            }
            OperationKind::CreateMailbox { .. } => {
                leaving.remove(&operation.mailbox);
            }
            _ => {}
        }
    }
    leaving
}

/// The mailboxes that the server has by now, under the names by which it knows them: what the user has done since
/// is still to be sent.
#[must_use]
pub fn on_server(rows: Vec<MailboxRow>, operations: &[Operation]) -> Vec<MailboxRow> {
    let away = |row: &MailboxRow| {
        pending(operations).any(|operation| {
            operation.mailbox == row.id
                && matches!(
                    operation.kind,
                    OperationKind::CreateMailbox { .. } | OperationKind::DeleteMailbox
                )
        })
    };
    rows.into_iter()
        .filter(|row| !away(row))
        .map(|mut row| {
            row.name = server_name(&row, operations);
            row
        })
        .collect()
}

/// The name by which the server knows the mailbox, until these operations are done.
#[must_use]
pub fn server_name(row: &MailboxRow, operations: &[Operation]) -> MailboxName {
    let first = pending(operations).find_map(|operation| match &operation.kind {
        OperationKind::RenameMailbox { renamed } => renamed.iter().find(|one| one.mailbox == row.id),
        _ => None,
    });
    first.map_or_else(|| row.name.clone(), |one| one.from.clone())
}

/// What the server lists, as it will be once what waits is sent.
#[must_use]
pub fn overlay(
    mut listed: Vec<ListedMailbox>,
    rows: &[MailboxRow],
    operations: &[Operation],
) -> Vec<ListedMailbox> {
    for operation in pending(operations) {
        let OperationKind::RenameMailbox { renamed } = &operation.kind else {
            continue;
        };
        let Some(first) = renamed.first() else { continue };
        for mailbox in &mut listed {
            let known = renamed.iter().find(|one| one.from.wire == mailbox.name.wire);
            let below = || naming::below(&mailbox.name, &first.from, &first.to, mailbox.delimiter?);
            if let Some(name) = known.map(|one| one.to.clone()).or_else(below) {
                mailbox.name = name;
            }
        }
    }
    for operation in pending(operations) {
        let OperationKind::Subscribe { on } = operation.kind else {
            continue;
        };
        let row = rows.iter().find(|row| row.id == operation.mailbox);
        let mailbox = row.and_then(|row| {
            listed
                .iter_mut()
                .find(|mailbox| mailbox.name.wire == row.name.wire)
        });
        if let Some(mailbox) = mailbox {
            mailbox.subscribed = on;
        }
    }
    listed
}

/// Mailboxes that operations speak of: they stay whatever the server lists.
#[must_use]
pub fn busy(operations: &[Operation]) -> Vec<MailboxId> {
    let mut busy = BTreeSet::new();
    for operation in operations {
        if matches!(operation.kind, OperationKind::LeftDeleted)
            || operation.state == OperationState::Held && operation.kind.is_structural()
        {
            continue;
        }
        busy.insert(operation.mailbox);
        match &operation.kind {
            OperationKind::Move { to } | OperationKind::Copy { to } => {
                busy.insert(*to);
            }
            OperationKind::RenameMailbox { renamed } => busy.extend(renamed.iter().map(|one| one.mailbox)),
            _ => {}
        }
    }
    busy.into_iter().collect()
}

#[cfg(test)]
pub(crate) mod tests;
