//! Carries out one pass over an IMAP account: operations first, then mailboxes, then bodies.

use std::collections::BTreeMap;

use posthorn_model::{ErrorClass, MailboxId, SpecialUse};
use posthorn_net::imap::{ListedMailbox, Session, Status};
use posthorn_store::write::{NewMailbox, Write};
use posthorn_store::{Durability, MailboxRow};

use super::{bodies, folders};
use crate::Error;
use crate::account::Post;
use crate::event::Doing;
use crate::imap::mailbox::MailboxSync;
use crate::ops::mailbox::{busy, on_server, overlay};
use crate::ops::runner;
use crate::ops::wish::accept_key;
use crate::problem::Topic;
use crate::report::{AccountReport, Bodies};
use crate::schedule::Extent;

/// One pass.
pub struct ImapPass<'a> {
    pub post: &'a Post,
    pub session: &'a mut Session,
    pub bodies: Bodies,
    pub report: &'a mut AccountReport,
}

impl ImapPass<'_> {
    pub async fn run(mut self, extent: &Extent) -> Result<(), Error> {
        let post = self.post;
        let core = &post.core;
        runner::push(self.post, self.session).await?;
        if *extent == Extent::Operations {
            return Ok(());
        }
        let accepted = core.store.setting(&accept_key(self.post.id)).await?.is_some();
        let statuses = if *extent == Extent::All {
            self.refresh_mailboxes(accepted).await?
        } else {
            BTreeMap::new()
        };
        let mailboxes = self.choose_mailboxes(extent).await?;
        for row in &mailboxes {
            let status = statuses.get(&row.id).cloned();
            self.sync_one(row, status, accepted).await?;
        }
        if accepted && *extent == Extent::All {
            let used = Write::PutSetting {
                key: accept_key(self.post.id),
                value: None,
            };
            core.apply(self.post.id, vec![used], Durability::Normal).await?;
            core.clear_where(|topic| matches!(topic, Topic::Vanished(account, _) if account == self.post.id));
        }
        // What the user did meanwhile.
        runner::push(self.post, self.session).await?;
        let mailboxes = self.choose_mailboxes(extent).await?;
        bodies::fetch_missing(self.post, self.session, &mailboxes, self.bodies, self.report).await
    }

    /// The mailboxes to look at, most urgent first, under the names by which the server knows them now.
    async fn choose_mailboxes(&mut self, extent: &Extent) -> Result<Vec<MailboxRow>, Error> {
        let core = &self.post.core;
        let _local = core.local().await;
        let rows = core.store.mailboxes(Some(self.post.id)).await?;
        let operations = core.store.operations(Some(self.post.id)).await?;
        let mut mailboxes = on_server(rows, &operations);
        mailboxes.retain(|row| row.selectable && !row.local);
        if let Extent::Mailboxes(wanted) = extent {
            mailboxes.retain(|row| wanted.contains(&row.id));
        }
        mailboxes.sort_by_key(urgency);
        Ok(mailboxes)
    }

    /// One mailbox; trouble with it alone does not keep the others from being looked at.
    async fn sync_one(
        &mut self,
        row: &MailboxRow,
        status: Option<Status>,
        accepted: bool,
    ) -> Result<(), Error> {
        let post = self.post;
        let core = &post.core;
        let topic = Topic::Mailbox(self.post.id, row.id);
        let pass = MailboxSync {
            post: self.post,
            session: self.session,
            report: self.report,
            mailbox: row,
            accepted,
        };
        match pass.run(status).await {
            Ok(()) => core.clear(topic),
            Err(error) if error.class == ErrorClass::Refused => {
                let told = Error {
                    message: format!("{}: {}", row.name.path, error.message),
                    ..error
                };
                core.raise(topic, &told);
            }
            Err(error) => return Err(error),
        }
        self.report.mailboxes += 1;
        Ok(())
    }

    /// Asks for the mailboxes and brings ours in line; returns what LIST told of their contents.
    async fn refresh_mailboxes(&mut self, accepted: bool) -> Result<BTreeMap<MailboxId, Status>, Error> {
        let (post, account) = (self.post, self.post.id);
        let core = &post.core;
        core.progress(account, Doing::Listing, 0, 0);
        let listed = self.session.list().await?;
        let _local = core.local().await;
        let known = core.store.mailboxes(Some(account)).await?;
        let operations = core.store.operations(Some(account)).await?;
        let listed = overlay(listed, &known, &operations);
        let busy = busy(&operations);
        let plan = folders::plan(&known, &listed, &busy, accepted);
        let topic = Topic::Vanished(account, None);
        match plan.suspicion {
            Some(suspicion) => core.raise(
                topic,
                &Error {
                    remedies: vec![posthorn_model::Remedy::ReviewAndContinue],
                    ..Error::new(
                        ErrorClass::Suspicious,
                        suspicion.explain("mailboxes that the server no longer lists"),
                    )
                },
            ),
            None => core.clear(topic),
        }
        let mut writes: Vec<Write> = Vec::new();
        let mut ids: BTreeMap<Vec<u8>, MailboxId> =
            known.iter().map(|row| (row.name.wire.clone(), row.id)).collect();
        for (id, mailbox) in plan.put {
            let id = id.unwrap_or_else(|| core.store.new_mailbox_id());
            ids.insert(mailbox.name.wire.clone(), id);
            writes.push(Write::PutMailbox(describe(id, account, mailbox)));
        }
        writes.extend(plan.remove.into_iter().map(Write::RemoveMailbox));
        core.apply(account, writes, Durability::Normal).await?;
        let told = listed.into_iter().filter_map(|mailbox| {
            let id = ids.get(&mailbox.name.wire)?;
            Some((*id, mailbox.status?))
        });
        Ok(told.collect())
    }
}

fn describe(id: MailboxId, account: posthorn_model::AccountId, listed: ListedMailbox) -> NewMailbox {
    NewMailbox {
        id,
        account,
        name: listed.name,
        delimiter: listed.delimiter,
        special_use: listed.special_use,
        selectable: listed.selectable,
        subscribed: listed.subscribed,
        local: false,
    }
}

/// What the user looks at first comes first.
fn urgency(row: &MailboxRow) -> (u8, String) {
    let rank = match row.special_use {
        Some(SpecialUse::Inbox) => 0,
        Some(SpecialUse::Drafts | SpecialUse::Sent) => 1,
        Some(SpecialUse::Archive | SpecialUse::Flagged | SpecialUse::Important) | None => 2,
        Some(SpecialUse::Trash | SpecialUse::Junk) => 3,
        Some(SpecialUse::All) => 4,
    };
    (rank, row.name.path.clone())
}
