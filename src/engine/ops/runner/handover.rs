//! The source's side of messages that go to another account: their bodies are fetched where they are missing, and
//! they are removed once they are safe.

use posthorn_model::operation::Hash64;
use posthorn_model::{Flags, MailboxId, Operation, OperationKind, SpecialUse};
use posthorn_net::imap::{Body, Selected};
use posthorn_store::write::Write;
use posthorn_store::{Durability, MailboxRow, Provenance, RawInput};
use tokio::sync::mpsc;

use super::{Run, held, take_back};
use crate::Error;
use crate::account::Post;
use crate::intake;
use crate::ops::handover::stranded;
use crate::ops::queue::Aim;
use crate::problem::Topic;
use posthorn_model::ErrorClass;

/// Messages whose upload was refused, or whose other account is gone, stay where they were.
pub(super) async fn hold_stranded(post: &Post) -> Result<(), Error> {
    let core = &post.core;
    let _local = core.local().await;
    let own = core.store.operations(Some(post.id)).await?;
    if !own
        .iter()
        .any(|operation| matches!(operation.kind, OperationKind::Handover { .. }))
    {
        return Ok(());
    }
    let all = core.store.operations(None).await?;
    let mut writes = Vec::new();
    for operation in stranded(&own, &all) {
        let OperationKind::Handover { append, .. } = &operation.kind else {
            continue;
        };
        let upload = all.iter().find(|upload| Some(upload.id) == *append);
        let why = upload.map_or("its account is gone", |upload| upload.reply.as_str());
        let error = Error::new(
            ErrorClass::Refused,
            format!("the message could not be put into the other account and stays here: {why}"),
        );
        writes.extend(take_back(core, operation).await?);
        writes.push(held(operation, &error));
        core.raise(Topic::Operation(post.id, operation.id), &error);
    }
    core.apply(post.id, writes, Durability::Normal).await?;
    Ok(())
}

impl Run<'_> {
    /// Fetches one message whole, for its upload elsewhere.
    pub(super) async fn fetch_for_handover(
        &mut self,
        mailbox: &MailboxRow,
        selected: &Selected,
    ) -> Result<Vec<Write>, Error> {
        let Some(operation) = self.concerned().next().cloned() else {
            return Ok(Vec::new());
        };
        let (OperationKind::Handover { copy, append, .. }, Some(target)) =
            (&operation.kind, operation.targets.first())
        else {
            return Ok(Vec::new());
        };
        let aim = Aim {
            target: target.clone(),
            uid_validity: operation.uid_validity,
        };
        let aims = [aim];
        let mut writes = Vec::new();
        let found = self.resolve(mailbox.id, selected.uid_validity, &aims).await?;
        let found = self.certify(selected, found, &aims, &mut writes).await?;
        let gone = || Error::new(ErrorClass::Refused, "the message is no longer on the server");
        let uid = *found.keys().next().ok_or_else(gone)?;
        let (out, mut bodies) = mpsc::channel::<Body>(1);
        let wanted = [(uid, target.size.unwrap_or_default())];
        let (fetched, body) = tokio::join!(
            async {
                let result = self.session.fetch_bodies(&wanted, &out).await;
                drop(out);
                result
            },
            bodies.recv()
        );
        fetched?;
        let payload = body.ok_or_else(gone)?.payload;
        let read = intake::read_aside(&self.post.core.desk, payload).await?;
        let size = read.payload.len();
        let (source, _guard) = intake::into_source(read.payload);
        let core = &self.post.core;
        let input = RawInput {
            source,
            provenance: Provenance {
                account: self.post.id,
                mailbox: mailbox.name.path.clone(),
                uid: selected.uid_validity.map(|validity| (validity, uid)),
                uidl: None,
                received: None,
                flags: Flags::default(),
            },
        };
        let hash = core.store.keep_raw(vec![input]).await?.first().copied();
        let hash = hash.ok_or_else(|| Error::bug("the message was not kept"))?;
        writes.push(Write::SetBody(Box::new(intake::build_body(
            *copy,
            hash,
            size,
            read.parsed,
        ))));
        let hash = Hash64::from(hash);
        let all = core.store.operations(None).await?;
        let upload = all.into_iter().find(|upload| Some(upload.id) == *append);
        if let Some(upload) = upload
            && let OperationKind::Append { flags, date, .. } = &upload.kind
        {
            let kind = OperationKind::Append {
                hash: hash.clone(),
                flags: flags.clone(),
                date: *date,
            };
            writes.push(Write::PutOperation(Box::new(Operation { kind, ..upload })));
        }
        writes.extend(next_stage(&operation, hash));
        Ok(writes)
    }

    /// Removes messages that are safe elsewhere: on the other server, or on this disk, which is looked at again.
    pub(super) async fn release(&mut self, selected: &Selected, aims: &[Aim]) -> Result<Vec<Write>, Error> {
        let hashes = self.concerned().filter_map(|operation| match &operation.kind {
            OperationKind::Handover { hash, .. } => hash.as_ref()?.hash(),
            _ => None,
        });
        let hashes: Vec<_> = hashes.collect();
        let count = hashes.len();
        let whole = self.post.core.store.verify_raw(hashes).await?;
        if whole.len() != count || whole.contains(&false) {
            return Err(Error::new(
                ErrorClass::Corrupt,
                "what is kept here of a message that moved is damaged: it is not removed from its server",
            ));
        }
        if self.has_labels()
            && let Some(trash) = self.other_trash().await?
        {
            return self.relocate(selected, trash, aims, true).await;
        }
        self.expunge(selected, aims).await
    }

    /// Where the account has one and this is not it.
    async fn other_trash(&mut self) -> Result<Option<MailboxId>, Error> {
        let post = self.post;
        let rows = post.core.store.mailboxes(Some(post.id)).await?;
        let away = |row: &&MailboxRow| {
            matches!(row.special_use, Some(SpecialUse::Trash | SpecialUse::Junk))
                && row.id == self.turn.mailbox
        };
        if rows.iter().any(|row| away(&row)) {
            return Ok(None);
        }
        let trash = rows
            .iter()
            .find(|row| row.special_use == Some(SpecialUse::Trash) && row.selectable);
        Ok(trash.map(|row| row.id))
    }
}

/// A move goes on to the removal; a copy is done.
fn next_stage(operation: &Operation, hash: Hash64) -> Option<Write> {
    let OperationKind::Handover {
        copy,
        append,
        away: true,
        ..
    } = &operation.kind
    else {
        return None;
    };
    Some(Write::PutOperation(Box::new(Operation {
        kind: OperationKind::Handover {
            copy: *copy,
            append: *append,
            hash: Some(hash),
            away: true,
        },
        ..operation.clone()
    })))
}
