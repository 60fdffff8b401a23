//! Carries out wishes about mailboxes: reads what there is, lets [`super::mailbox`] decide, and commits it with the
//! way back.

use posthorn_model::{
    AccountId, MailboxId, OperationId, OperationKind, OperationState, Protocol, SpecialUse,
};
use posthorn_store::write::Write;

use super::apply::{Applier, Effect};
use super::left;
use super::mailbox::{Facts, NewId, Plan};
use super::wish::{Outcome, commit, gather};
use crate::Error;
use crate::command::{Receipt, Selection};
use crate::problem::Topic;
use crate::shared::Core;

/// One account's mailboxes and what waits for them. Call with [`Core::local`] held.
///
/// # Errors
/// `Config` for an account that is not there.
pub async fn load(core: &Core, account: AccountId, intent: i64) -> Result<Facts, Error> {
    let config = core.config(account);
    let config = config.ok_or_else(|| Error::config("there is no such account"))?;
    Ok(Facts {
        account,
        local: config.protocol == Protocol::Pop3,
        rows: core.store.mailboxes(Some(account)).await?,
        operations: core.store.operations(Some(account)).await?,
        now: core.now(),
        intent,
    })
}

/// # Errors
/// `Config` where no mailbox can have this name, or one has it.
pub async fn create(core: &Core, account: AccountId, path: &str) -> Result<Outcome, Error> {
    let id = core.store.new_mailbox_id();
    let decide = |facts: &Facts, new_id: &mut NewId<'_>| facts.create(&facts.name(path)?, id, new_id);
    change(core, account, decide).await
}

/// # Errors
/// As [`create`], and for the inbox.
pub async fn rename(core: &Core, mailbox: MailboxId, path: &str) -> Result<Outcome, Error> {
    let account = account_of(core, mailbox).await?;
    let decide = |facts: &Facts, new_id: &mut NewId<'_>| facts.rename(mailbox, &facts.name(path)?, new_id);
    change(core, account, decide).await
}

/// # Errors
/// `Config` for a mailbox that is not there.
pub async fn subscribe(core: &Core, mailbox: MailboxId, on: bool) -> Result<Outcome, Error> {
    let account = account_of(core, mailbox).await?;
    let decide = |facts: &Facts, new_id: &mut NewId<'_>| facts.subscribe(mailbox, on, new_id);
    change(core, account, decide).await
}

async fn account_of(core: &Core, mailbox: MailboxId) -> Result<AccountId, Error> {
    let row = core.store.mailbox(mailbox).await?;
    row.map(|row| row.account)
        .ok_or_else(|| Error::config("there is no such mailbox"))
}

async fn change(
    core: &Core,
    account: AccountId,
    decide: impl Fn(&Facts, &mut NewId<'_>) -> Result<Plan, Error>,
) -> Result<Outcome, Error> {
    let _local = core.local().await;
    let intent = core.store.new_operation_id().0;
    let facts = load(core, account, intent).await?;
    let plan = decide(&facts, &mut || core.store.new_operation_id())?;
    let effect = Effect {
        writes: plan.writes,
        mailboxes: plan.steps,
        accounts: vec![account],
        ..Effect::default()
    };
    let context = super::apply::Facts {
        now: facts.now,
        ..super::apply::Facts::default()
    };
    let outcome = commit(core, &context, intent, effect).await?;
    Ok(Outcome {
        receipt: Receipt {
            mailbox: plan.mailbox,
            ..outcome.receipt
        },
        ..outcome
    })
}

/// Everything in the mailbox that is marked as deleted goes from the server for good, with the next push: on a server
/// without UIDPLUS the only way to be rid of it. `with_others`: the user has been told that messages which other
/// programs have marked go too.
///
/// # Errors
/// `Config` where nothing is marked, where others' messages would go unasked, and where there is no server.
pub async fn expunge(core: &Core, mailbox: MailboxId, with_others: bool) -> Result<Outcome, Error> {
    let account = account_of(core, mailbox).await?;
    let _local = core.local().await;
    let intent = core.store.new_operation_id().0;
    let facts = load(core, account, intent).await?;
    facts.family(mailbox)?;
    if facts.local {
        return Err(Error::config(
            "this mailbox is on no server: nothing in it is only marked",
        ));
    }
    let marked = left::find(core, account, mailbox).await?;
    if marked.targets.is_empty() {
        return Err(Error::config("no message of this mailbox is marked as deleted"));
    }
    if !with_others && !marked.others.is_empty() {
        return Err(Error::config(left::warn_of_others(marked.others.len())));
    }
    let mut effect = Effect {
        accounts: vec![account],
        messages: marked.targets.len(),
        ..Effect::default()
    };
    // Asked twice is wanted once: the newer one knows better what is marked.
    let earlier = facts.operations.iter().filter(|operation| {
        operation.mailbox == mailbox
            && operation.kind == OperationKind::ExpungeMailbox
            && operation.state != OperationState::Sent
    });
    let earlier: Vec<OperationId> = earlier.map(|operation| operation.id).collect();
    effect
        .writes
        .extend(earlier.iter().map(|id| Write::RemoveOperation(*id)));
    let operation = marked.into_operation(core, account, mailbox, intent);
    effect.mailboxes.push(super::mailbox::Step {
        operation: Some(operation.id),
        account,
        mailbox,
        back: super::mailbox::Back::Keep,
    });
    effect.writes.push(Write::AddOperation(Box::new(operation)));
    let context = super::apply::Facts {
        now: facts.now,
        ..super::apply::Facts::default()
    };
    let outcome = commit(core, &context, intent, effect).await?;
    core.clear_where(|topic| matches!(topic, Topic::Operation(_, id) if earlier.contains(&id)));
    Ok(Outcome {
        receipt: Receipt {
            mailbox: Some(mailbox),
            ..outcome.receipt
        },
        ..outcome
    })
}

/// Its messages go to the trash first, in the same transaction: nothing is lost with a mailbox.
///
/// # Errors
/// `Config` where it is not empty and may not be emptied, or there is no trash; `Disk`.
pub async fn delete(core: &Core, mailbox: MailboxId, with_messages: bool) -> Result<Outcome, Error> {
    let account = account_of(core, mailbox).await?;
    let _local = core.local().await;
    let intent = core.store.new_operation_id().0;
    let facts = load(core, account, intent).await?;
    let family: Vec<(MailboxId, u64)> = facts
        .family(mailbox)?
        .into_iter()
        .map(|row| (row.id, row.total))
        .collect();
    let filled = family.iter().any(|(_, total)| *total > 0);
    if !with_messages && (filled || family.len() > 1) {
        return Err(Error::config(if filled {
            "the mailbox holds messages: they must go to the trash with it, or somewhere else first"
        } else {
            "the mailbox holds other mailboxes: they must be deleted with it, or moved first"
        }));
    }
    let trash = facts
        .rows
        .iter()
        .find(|row| row.special_use == Some(SpecialUse::Trash) && row.selectable);
    let trash = trash.filter(|trash| family.iter().all(|(id, _)| *id != trash.id));
    if filled && trash.is_none() {
        return Err(Error::config(
            "there is no other trash that the messages could go to: move them away first",
        ));
    }
    let mut context = super::apply::Facts::default();
    for (id, _) in family.iter().filter(|(_, total)| *total > 0) {
        let messages = core.store.placements_in(*id).await?;
        let selection = Selection {
            messages: messages.into_iter().map(|placed| placed.message).collect(),
            mailbox: Some(*id),
        };
        let mut more = gather(core, &selection, None).await?;
        more.placed.append(&mut context.placed);
        more.ledger.append(&mut context.ledger);
        context = more;
    }
    context.now = facts.now;
    let mut new_id = || core.store.new_operation_id();
    let mut effect = {
        let mut applier = Applier::new(&context, intent, &mut new_id);
        applier.file(SpecialUse::Trash)?;
        applier.finish()
    };
    let mut deleted: Vec<Write> = Vec::new();
    for (id, _) in &family {
        let mut known = facts.clone();
        known
            .operations
            .extend(effect.writes.iter().filter_map(|write| match write {
                Write::AddOperation(operation) => Some((**operation).clone()),
                _ => None,
            }));
        let plan = known.delete(*id, &mut new_id)?;
        deleted.extend(plan.writes);
        effect.mailboxes.extend(plan.steps);
    }
    effect.writes.extend(deleted);
    effect.accounts.push(account);
    effect.accounts.dedup();
    commit(core, &context, intent, effect).await
}
