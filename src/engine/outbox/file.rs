//! What follows once a message was sent: its copy is filed, the original marked answered, the draft removed. All of
//! it is local and durable in the same transaction as the state; the server hears of it as operations.

use posthorn_model::operation::Target;
use posthorn_model::{
    Flag, FlagChange, Flags, MailboxName, MessageId, Operation, OperationKind, OperationState, Protocol,
    SpecialUse,
};
use posthorn_store::SubmissionRecord;
use posthorn_store::write::{NewMailbox, Write};

use super::submit::draft_key;
use crate::Error;
use crate::command::Selection;
use crate::imap::provider;
use crate::ops::apply::Applier;
use crate::ops::draft;
use crate::ops::wish::gather;
use crate::shared::Core;

/// Writes to go with the submission's new state. Call with [`Core::local`] held.
///
/// # Errors
/// Where the store fails.
pub async fn after_sending(core: &Core, record: &SubmissionRecord) -> Result<Vec<Write>, Error> {
    let mut writes = file_copy(core, record).await?;
    writes.extend(mark_answered(core, record).await?);
    let key = draft_key(record.id);
    if let Some(id) = core.store.setting(&key).await? {
        writes.push(Write::PutSetting { key, value: None });
        if let Ok(id) = id.parse() {
            writes.extend(draft::discard(core, MessageId(id)).await?);
        }
    }
    Ok(writes)
}

async fn file_copy(core: &Core, record: &SubmissionRecord) -> Result<Vec<Write>, Error> {
    let account = record.account;
    let Some(config) = core.config(account) else {
        return Ok(Vec::new());
    };
    let server_files = config
        .outgoing
        .as_ref()
        .is_some_and(|outgoing| provider::files_sent_mail(&outgoing.host));
    let (Some(hash), false) = (record.copy, server_files && config.protocol == Protocol::Imap) else {
        return Ok(Vec::new());
    };
    let Some(raw) = core.store.raw(hash).await? else {
        return Ok(Vec::new());
    };
    let mut writes = Vec::new();
    let mailboxes = core.store.mailboxes(Some(account)).await?;
    let sent = mailboxes
        .iter()
        .find(|mailbox| mailbox.special_use == Some(SpecialUse::Sent) && mailbox.selectable);
    let (mailbox, local) = match sent {
        Some(sent) => (sent.id, sent.local),
        None => {
            // Made on the server by the upload.
            let id = core.store.new_mailbox_id();
            writes.push(Write::PutMailbox(NewMailbox {
                id,
                account,
                name: MailboxName::local("Sent"),
                delimiter: None,
                special_use: Some(SpecialUse::Sent),
                selectable: true,
                subscribed: true,
                local: config.protocol == Protocol::Pop3,
            }));
            (id, config.protocol == Protocol::Pop3)
        }
    };
    let flags: Flags = [Flag::Seen].into_iter().collect();
    let now = core.now();
    let parsed = posthorn_mime::parse(&raw);
    let size = raw.len() as u64;
    let new = crate::intake::build_message(&core.store, account, hash, size, parsed, Some(now));
    let (message, message_id) = (new.id, new.envelope.message_id.clone());
    writes.push(Write::AddMessage(Box::new(new)));
    writes.push(Write::Place {
        message,
        mailbox,
        uid: None,
        flags: flags.clone(),
        base: flags.clone(),
    });
    if !local {
        let id = core.store.new_operation_id();
        writes.push(Write::AddOperation(Box::new(Operation {
            id,
            account,
            mailbox,
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
                date: now,
            },
            state: OperationState::Queued,
            created: now,
            intent: id.0,
            tries: 0,
            reply: String::new(),
        })));
    }
    Ok(writes)
}

/// The message that this one replies to, where it is here.
async fn mark_answered(core: &Core, record: &SubmissionRecord) -> Result<Vec<Write>, Error> {
    let Some(raw) = core.store.raw(record.hash).await? else {
        return Ok(Vec::new());
    };
    let envelope = posthorn_mime::parse_header(&raw).envelope;
    let mut messages = Vec::new();
    for id in envelope.in_reply_to.iter().take(3) {
        let found = core.store.find_by_message_id(record.account, id).await?;
        messages.extend(found.into_iter().map(|(message, _, _)| message));
    }
    if messages.is_empty() {
        return Ok(Vec::new());
    }
    let selection = Selection {
        messages,
        mailbox: None,
    };
    let facts = gather(core, &selection, None).await?;
    let mut new_id = || core.store.new_operation_id();
    let intent = new_id().0;
    let mut applier = Applier::new(&facts, intent, &mut new_id);
    applier.flag(&FlagChange::adding(Flag::Answered))?;
    Ok(applier.finish().writes)
}
