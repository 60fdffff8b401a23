//! Makes, renames, deletes and subscribes mailboxes on the server. What is so already is done.

use posthorn_model::operation::Renamed;
use posthorn_model::{Flag, MailboxName, ModSeq, Operation, OperationKind, Uid, UidSet};
use posthorn_net::imap::{Access, ResponseCode};
use posthorn_store::write::{NewMailbox, Write};
use posthorn_store::{Durability, MailboxRow};

use super::{Run, held, take_back};
use crate::Error;
use crate::ops::mailbox::{describe, mentions};
use crate::problem::Topic;
use posthorn_model::ErrorClass;

impl Run<'_> {
    pub(super) async fn change_mailbox(&mut self) -> Result<Vec<Write>, Error> {
        let Some(operation) = self.concerned().next().cloned() else {
            return Ok(Vec::new());
        };
        let row = self.mailbox(operation.mailbox).await?;
        match &operation.kind {
            OperationKind::CreateMailbox { .. } => self.create(&row).await,
            OperationKind::RenameMailbox { renamed } => self.rename(renamed).await,
            OperationKind::DeleteMailbox => self.delete(&row).await,
            OperationKind::Subscribe { on } => {
                match self.session.subscribe(&row.name, *on).await {
                    // Gone meanwhile, which the next pass sees.
                    Err(error) if error.code == Some(ResponseCode::NonExistent) => {}
                    other => other?,
                }
                Ok(Vec::new())
            }
            _ => Ok(Vec::new()),
        }
    }

    async fn create(&mut self, row: &MailboxRow) -> Result<Vec<Write>, Error> {
        let name = self.spell(row).await?;
        match self.session.create(&name, row.special_use).await {
            Ok(()) => {}
            // Not every server gives the reason a code (RFC 5530): what is there is adopted.
            Err(error) if error.class == ErrorClass::Refused && self.is_there(&name).await? => {}
            Err(error) => return Err(error.into()),
        }
        if !row.subscribed {
            self.session.subscribe(&name, false).await?;
        }
        let here = self.post.core.store.mailbox(row.id).await?;
        let respelled = here.filter(|here| here.name == row.name && name != row.name);
        let writes = respelled.map(|here| {
            Write::PutMailbox(NewMailbox {
                name,
                ..describe(&here)
            })
        });
        Ok(writes.into_iter().collect())
    }

    /// The name as this connection wants it: made offline, it was a guess from the other mailboxes' names.
    async fn spell(&mut self, row: &MailboxRow) -> Result<MailboxName, Error> {
        let namespaces = self.session.namespaces().await?;
        let own = namespaces.and_then(|namespaces| namespaces.personal.into_iter().next());
        let Some(own) = own else {
            return Ok(self.session.spell(&row.name.path, row.delimiter));
        };
        let delimiter = own.delimiter.or(row.delimiter);
        let prefix: String = String::from_utf8_lossy(&own.prefix)
            .chars()
            .map(|c| if Some(c) == delimiter { '/' } else { c })
            .collect();
        let path = if row.name.path.starts_with(&prefix) {
            row.name.path.clone()
        } else {
            format!("{prefix}{}", row.name.path)
        };
        Ok(self.session.spell(&path, delimiter))
    }

    async fn is_there(&mut self, name: &MailboxName) -> Result<bool, Error> {
        let status = self.session.statuses(std::slice::from_ref(name)).await?;
        Ok(status.into_iter().next().flatten().is_some())
    }

    async fn rename(&mut self, renamed: &[Renamed]) -> Result<Vec<Write>, Error> {
        let Some((first, below)) = renamed.split_first() else {
            return Ok(Vec::new());
        };
        // Some servers end a session whose mailbox is renamed or deleted under it.
        self.session.unselect().await?;
        match self.session.rename(&first.from, &first.to).await {
            Ok(()) => {}
            Err(error) if error.class == ErrorClass::Refused => {
                // The answer to an earlier try was lost, or somebody else did the same.
                let done = self.is_there(&first.to).await? && !self.is_there(&first.from).await?;
                if !done {
                    return Err(error.into());
                }
            }
            Err(error) => return Err(error.into()),
        }
        for one in below {
            let row = self.post.core.store.mailbox(one.mailbox).await?;
            if row.is_some_and(|row| row.subscribed) {
                self.session.subscribe(&one.to, true).await.or_else(passing)?;
                self.session.subscribe(&one.from, false).await.or_else(passing)?;
            }
        }
        Ok(Vec::new())
    }

    /// DELETE takes the messages with it: it is sent only where there are none but those marked for removal.
    async fn delete(&mut self, row: &MailboxRow) -> Result<Vec<Write>, Error> {
        if row.selectable {
            match self.session.select(&row.name, Access::Examine, None).await {
                Ok(selected) => {
                    let strangers = if selected.exists > 0 {
                        self.count_unmarked().await?
                    } else {
                        0
                    };
                    if strangers > 0 {
                        return Err(Error::new(
                            ErrorClass::Refused,
                            format!("{strangers} messages have come into the mailbox meanwhile: it was kept"),
                        ));
                    }
                    self.session.unselect().await?;
                }
                Err(error) if error.class == ErrorClass::Refused => {
                    let listed = self.session.list().await?;
                    let there = listed.iter().find(|mailbox| mailbox.name.wire == row.name.wire);
                    if there.is_some_and(|mailbox| mailbox.selectable) {
                        return Err(error.into());
                    }
                }
                Err(error) => return Err(error.into()),
            }
        }
        match self.session.delete(&row.name).await {
            Ok(()) => {}
            Err(error) if error.class == ErrorClass::Refused => {
                let listed = self.session.list().await?;
                if listed
                    .iter()
                    .any(|mailbox| mailbox.name.wire == row.name.wire && mailbox.selectable)
                {
                    return Err(error.into());
                }
            }
            Err(error) => return Err(error.into()),
        }
        let operations = self.post.core.store.operations(None).await?;
        let wanted = operations
            .iter()
            .any(|later| !self.turn.operations.contains(&later.id) && mentions(later, row.id));
        Ok(vec![if wanted {
            Write::SetSyncState {
                mailbox: row.id,
                state: None,
            }
        } else {
            Write::RemoveMailbox(row.id)
        }])
    }

    /// Messages in the selected mailbox that are not marked \Deleted.
    async fn count_unmarked(&mut self) -> Result<usize, Error> {
        let every = UidSet::range(Uid(std::num::NonZeroU32::MIN), Uid(std::num::NonZeroU32::MAX));
        let mut count = 0;
        let since: Option<ModSeq> = None;
        let mut look = |report: posthorn_net::imap::FlagReport| {
            count += usize::from(!report.flags.contains(Flag::Deleted));
        };
        self.session.fetch_flags(&every, since, &mut look).await?;
        Ok(count)
    }

    /// The server refused: mailboxes are again as they were, and what was to be done with a mailbox that will not
    /// be is held as well.
    pub(super) async fn hold_mailbox(&mut self, error: &Error) -> Result<(), Error> {
        let post = self.post;
        let core = &post.core;
        let _local = core.local().await;
        let Some(operation) = self.concerned().next().cloned() else {
            return Ok(());
        };
        let rows = core.store.mailboxes(Some(post.id)).await?;
        let row = rows.iter().find(|row| row.id == operation.mailbox);
        let path = row.map_or_else(String::new, |row| format!("{}: ", row.name.path));
        let error = Error {
            message: format!("{path}{}", error.message),
            ..error.clone()
        };
        let mut writes = vec![held(&operation, &error)];
        match &operation.kind {
            OperationKind::RenameMailbox { renamed } => {
                for one in renamed {
                    let free = rows
                        .iter()
                        .all(|row| row.id == one.mailbox || row.name.wire != one.from.wire);
                    let row = rows
                        .iter()
                        .find(|row| row.id == one.mailbox && row.name == one.to);
                    if let Some(row) = row.filter(|_| free) {
                        writes.push(Write::PutMailbox(NewMailbox {
                            name: one.from.clone(),
                            ..describe(row)
                        }));
                    }
                }
            }
            OperationKind::Subscribe { on } => {
                writes.extend(row.map(|row| {
                    Write::PutMailbox(NewMailbox {
                        subscribed: !on,
                        ..describe(row)
                    })
                }));
            }
            OperationKind::CreateMailbox { .. } => {
                self.hold_dependants(&operation, &error, &mut writes).await?;
            }
            _ => writes.extend(row.map(|row| Write::PutMailbox(describe(row)))),
        }
        core.raise(Topic::Operation(post.id, operation.id), &error);
        core.apply(post.id, writes, Durability::Normal).await?;
        if matches!(operation.kind, OperationKind::CreateMailbox { .. }) {
            self.forget_unmade(&operation, &rows).await?;
        }
        Ok(())
    }

    /// What was to go into a mailbox that will not be made stays where it was.
    async fn hold_dependants(
        &mut self,
        creation: &Operation,
        error: &Error,
        writes: &mut Vec<Write>,
    ) -> Result<(), Error> {
        let core = &self.post.core;
        let operations = core.store.operations(Some(self.post.id)).await?;
        let dependants = operations.iter().filter(|operation| {
            operation.id != creation.id
                && mentions(operation, creation.mailbox)
                && operation.state != posthorn_model::OperationState::Held
        });
        for operation in dependants {
            writes.extend(take_back(core, operation).await?);
            writes.push(held(operation, error));
        }
        Ok(())
    }

    /// The mailbox that was not made is gone here too, unless messages stand in it that are nowhere else.
    async fn forget_unmade(&mut self, creation: &Operation, rows: &[MailboxRow]) -> Result<(), Error> {
        let core = &self.post.core;
        let row = core.store.mailbox(creation.mailbox).await?;
        let Some(row) = row.filter(|row| row.total == 0 && row.sync.is_none()) else {
            return Ok(());
        };
        // What is told of the refusal must outlive the mailbox.
        let home = rows
            .iter()
            .find(|row| row.name.is_inbox() && row.id != creation.mailbox);
        let operations = core.store.operations(Some(self.post.id)).await?;
        let told = operations
            .into_iter()
            .find(|operation| operation.id == creation.id);
        let mut writes = Vec::new();
        if let (Some(home), Some(told)) = (home, told) {
            writes.push(Write::PutOperation(Box::new(Operation {
                mailbox: home.id,
                ..told
            })));
        }
        writes.push(Write::RemoveMailbox(row.id));
        core.apply(self.post.id, writes, Durability::Normal).await?;
        Ok(())
    }
}

/// Passes over a refusal on which nothing hangs.
fn passing(error: posthorn_net::Error) -> Result<(), posthorn_net::Error> {
    match error.class {
        ErrorClass::Refused => Ok(()),
        _ => Err(error),
    }
}
