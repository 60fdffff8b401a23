//! What stays on a server marked \Deleted: found, told as a problem for as long as it lies there, and removed when
//! the user says so.

use posthorn_model::operation::Target;
use posthorn_model::{
    AccountId, ErrorClass, Flag, MailboxId, MessageId, Operation, OperationKind, OperationState, Remedy,
    UidValidity,
};

use crate::Error;
use crate::account::Post;
use crate::problem::Topic;
use crate::shared::Core;

/// What is marked as deleted in a mailbox, as far as is known here.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct Marked {
    pub uid_validity: Option<UidValidity>,
    /// All of it, as an operation names it.
    pub targets: Vec<Target>,
    /// Those among them that stand here, marked by other programs or by hand; the others were removed here.
    pub others: Vec<MessageId>,
}

/// # Errors
/// `Disk`.
pub async fn find(core: &Core, account: AccountId, mailbox: MailboxId) -> Result<Marked, Error> {
    let uid_validity = core
        .store
        .sync_state(mailbox)
        .await?
        .map(|state| state.uid_validity);
    let operations = core.store.operations(Some(account)).await?;
    let mut marked = Marked {
        uid_validity,
        ..Marked::default()
    };
    for left in left_in(&operations, mailbox).filter(|left| left.uid_validity == uid_validity) {
        marked.targets.extend(left.targets.iter().cloned());
    }
    for placed in core.store.placements_in(mailbox).await? {
        let there = placed.uid.is_some() && placed.base().contains(Flag::Deleted);
        if there && !marked.targets.iter().any(|target| target.uid == placed.uid) {
            marked.others.push(placed.message);
            marked.targets.push(Target {
                message: placed.message,
                uid: placed.uid,
                before: placed.flags(),
                message_id: None,
                size: None,
            });
        }
    }
    Ok(marked)
}

impl Marked {
    /// What the server is to be asked.
    #[must_use]
    pub fn into_operation(
        self,
        core: &Core,
        account: AccountId,
        mailbox: MailboxId,
        intent: i64,
    ) -> Operation {
        Operation {
            id: core.store.new_operation_id(),
            account,
            mailbox,
            uid_validity: self.uid_validity,
            targets: self.targets,
            kind: OperationKind::ExpungeMailbox,
            state: OperationState::Queued,
            created: core.now(),
            intent,
            tries: 0,
            reply: String::new(),
        }
    }
}

fn left_in(operations: &[Operation], mailbox: MailboxId) -> impl Iterator<Item = &Operation> {
    operations
        .iter()
        .filter(move |operation| operation.mailbox == mailbox && operation.kind == OperationKind::LeftDeleted)
}

/// What a user must know before the whole mailbox is expunged.
#[must_use]
pub fn warn_of_others(count: usize) -> String {
    format!(
        "{count} {} that other programs have marked as deleted would go for good too",
        if count == 1 { "message" } else { "messages" }
    )
}

/// Says what lies there, mailbox by mailbox, and no longer what does not.
///
/// # Errors
/// `Disk`.
pub async fn tell(post: &Post) -> Result<(), Error> {
    let core = &post.core;
    let operations = core.store.operations(Some(post.id)).await?;
    let mut told = Vec::new();
    for left in operations
        .iter()
        .filter(|operation| operation.kind == OperationKind::LeftDeleted)
    {
        let Some(row) = core.store.mailbox(left.mailbox).await? else {
            continue;
        };
        let count = left.targets.len();
        let others = find(core, post.id, left.mailbox).await?.others.len();
        let mut words = format!(
            "{}: {count} {} left on the server, marked as deleted: it cannot remove single messages, and other \
             programs may still show them",
            row.name.path,
            if count == 1 { "message is" } else { "messages are" }
        );
        if others > 0 {
            words = format!(
                "{words}; if all that is marked is removed, {}",
                warn_of_others(others)
            );
        }
        let notice = Error {
            remedies: vec![Remedy::ExpungeMailbox],
            ..Error::new(ErrorClass::Limited, words)
        };
        core.raise(Topic::LeftDeleted(post.id, left.mailbox), &notice);
        told.push(left.mailbox);
    }
    core.clear_where(|topic| {
        matches!(topic, Topic::LeftDeleted(account, mailbox) if account == post.id && !told.contains(&mailbox))
    });
    Ok(())
}
