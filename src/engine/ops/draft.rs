//! Drafts: kept here at once, uploaded as an operation, and replaced as a whole.

use posthorn_model::operation::Target;
use posthorn_model::{
    AccountId, Flag, Flags, MessageId, Operation, OperationKind, OperationState, SpecialUse,
};
use posthorn_store::Durability;
use posthorn_store::write::Write;

use super::apply::{Applier, Placed};
use super::wish::{Outcome, gather, keep};
use crate::Error;
use crate::command::{Receipt, Selection};
use crate::shared::Core;

/// # Errors
/// `Config` where the account has no mailbox for drafts; `Disk`.
pub async fn save(
    core: &Core,
    account: AccountId,
    raw: Vec<u8>,
    replaces: Option<MessageId>,
) -> Result<Outcome, Error> {
    let drafts = core.store.mailboxes(Some(account)).await?;
    let drafts = drafts
        .into_iter()
        .find(|mailbox| mailbox.special_use == Some(SpecialUse::Drafts) && mailbox.selectable);
    let drafts = drafts.ok_or_else(|| Error::config("this account has no mailbox for drafts"))?;
    let flags: Flags = [Flag::Draft, Flag::Seen].into_iter().collect();
    let (size, parsed) = (raw.len() as u64, posthorn_mime::parse(&raw));
    let hash = keep(core, account, &drafts.name.path, &flags, raw).await?;
    let _local = core.local().await;
    let new = crate::intake::build_message(&core.store, account, hash, size, parsed, Some(core.now()));
    let (message, message_id) = (new.id, new.envelope.message_id.clone());
    let mut writes = vec![
        Write::AddMessage(Box::new(new)),
        Write::Place {
            message,
            mailbox: drafts.id,
            uid: None,
            flags: flags.clone(),
            base: flags.clone(),
        },
    ];
    let intent = core.store.new_operation_id();
    if !drafts.local {
        writes.push(Write::AddOperation(Box::new(Operation {
            id: core.store.new_operation_id(),
            account,
            mailbox: drafts.id,
            uid_validity: None,
            targets: vec![Target {
                message,
                uid: None,
                before: Flags::default(),
                message_id,
                size: Some(size),
            }],
            kind: OperationKind::Append {
                hash: hash.into(),
                flags,
                date: core.now(),
            },
            state: OperationState::Queued,
            created: core.now(),
            intent: intent.0,
            tries: 0,
            reply: String::new(),
        })));
    }
    if let Some(old) = replaces {
        writes.extend(discard(core, old).await?);
    }
    core.apply(account, writes, Durability::Full).await?;
    Ok(Outcome {
        receipt: Receipt {
            intent: None,
            messages: 1,
            draft: Some(message),
            ..Receipt::default()
        },
        wake: vec![account],
        ..Outcome::default()
    })
}

/// Writes that remove a draft for good, here and on its server. Call with [`Core::local`] held.
pub async fn discard(core: &Core, draft: MessageId) -> Result<Vec<Write>, Error> {
    let selection = Selection {
        messages: vec![draft],
        mailbox: None,
    };
    let mut facts = gather(core, &selection, None).await?;
    let drafts = |placed: &Placed| {
        let room = facts.rooms.get(&placed.mailbox);
        room.is_some_and(|room| room.special_use == Some(SpecialUse::Drafts))
    };
    let (placed, others): (Vec<Placed>, Vec<Placed>) =
        std::mem::take(&mut facts.placed).into_iter().partition(drafts);
    facts.placed = placed;
    if !facts.labelled.is_empty() {
        facts.beside.extend(others);
    }
    let mut new_id = || core.store.new_operation_id();
    let intent = new_id().0;
    let mut applier = Applier::new(&facts, intent, &mut new_id);
    applier.discard()?;
    Ok(applier.finish().writes)
}
