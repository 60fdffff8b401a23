//! `posthorn operations`: changes that wait for the server.

use posthorn_model::{FlagChange, Operation, OperationKind, OperationState};
use serde_json::json;

use crate::date;
use crate::failure::{Failure, Status};
use crate::output::Output;
use crate::resolve::{self, Names};
use crate::session::{Context, Purpose};
use crate::table::{self, Column};

/// # Errors
/// Where the profile cannot be read.
pub fn run(context: &Context, output: &mut Output) -> Result<Status, Failure> {
    let session = context.open(Purpose::Read)?;
    let operations = session.ask(|catalog| async move { catalog.operations().await })?;
    let names = Names::load(&session)?;
    let paths = names.paths();
    let path = |id| paths.get(&id).cloned().unwrap_or_default();
    if output.is_json() {
        let list: Vec<_> = operations
            .iter()
            .map(|operation| {
                json!({
                    "id": operation.id,
                    "account": resolve::account_name(&names.accounts, operation.account),
                    "mailbox": path(operation.mailbox),
                    "kind": kind_name(&operation.kind),
                    "what": say(operation, path),
                    "messages": operation.targets.iter().map(|target| target.message).collect::<Vec<_>>(),
                    "state": operation.state,
                    "created": operation.created,
                    "intent": operation.intent,
                    "tries": operation.tries,
                    "reply": operation.reply,
                })
            })
            .collect();
        output.document(&json!({ "operations": list }))?;
    } else if operations.is_empty() {
        output.line("nothing waits for a server")?;
    } else {
        let columns = [
            ("id", Column::Right),
            ("state", Column::Left),
            ("since", Column::Left),
            ("mailbox", Column::Left),
            ("what", Column::Left),
            ("the server said", Column::Rest),
        ];
        let rows = operations.iter().map(|operation| {
            vec![
                operation.id.to_string(),
                state_name(operation.state).to_owned(),
                date::say(operation.created),
                path(operation.mailbox),
                say(operation, path),
                operation.reply.clone(),
            ]
        });
        table::print(output, &columns, rows)?;
    }
    Ok(Status::Done)
}

const fn state_name(state: OperationState) -> &'static str {
    match state {
        OperationState::Queued => "queued",
        OperationState::Sent => "sent",
        OperationState::Held => "held",
    }
}

const fn kind_name(kind: &OperationKind) -> &'static str {
    match kind {
        OperationKind::SetFlags { .. } => "set-flags",
        OperationKind::Move { .. } => "move",
        OperationKind::Copy { .. } => "copy",
        OperationKind::Expunge => "expunge",
        OperationKind::Append { .. } => "append",
        OperationKind::Handover { .. } => "hand-over",
        OperationKind::LeftDeleted => "left-deleted",
        OperationKind::ExpungeMailbox => "expunge-mailbox",
        OperationKind::CreateMailbox { .. } => "create-mailbox",
        OperationKind::RenameMailbox { .. } => "rename-mailbox",
        OperationKind::DeleteMailbox => "delete-mailbox",
        OperationKind::Subscribe { .. } => "subscribe",
    }
}

fn say(operation: &Operation, path: impl Fn(posthorn_model::MailboxId) -> String) -> String {
    let count = operation.targets.len();
    let messages = if count == 1 {
        "1 message".to_owned()
    } else {
        format!("{count} messages")
    };
    match &operation.kind {
        OperationKind::SetFlags { change } => format!("{} on {messages}", say_change(change)),
        OperationKind::Move { to } => format!("move {messages} to {}", path(*to)),
        OperationKind::Copy { to } => format!("copy {messages} to {}", path(*to)),
        OperationKind::Expunge => format!("delete {messages} for good"),
        OperationKind::Append { .. } => "upload 1 message".to_owned(),
        OperationKind::Handover { away: false, .. } => {
            "fetch 1 message that is copied to another account".to_owned()
        }
        OperationKind::Handover { .. } => "remove 1 message once the other account has it".to_owned(),
        OperationKind::LeftDeleted => format!("{messages} left there, marked as deleted"),
        OperationKind::ExpungeMailbox => format!("remove {messages} marked as deleted for good"),
        OperationKind::CreateMailbox { path } => format!("make the mailbox {path}"),
        OperationKind::RenameMailbox { renamed } => match renamed.first() {
            Some(first) => format!("rename {} to {}", first.from, first.to),
            None => "rename the mailbox".to_owned(),
        },
        OperationKind::DeleteMailbox => "delete the mailbox".to_owned(),
        OperationKind::Subscribe { on: true } => "subscribe to the mailbox".to_owned(),
        OperationKind::Subscribe { on: false } => "unsubscribe from the mailbox".to_owned(),
    }
}

fn say_change(change: &FlagChange) -> String {
    let added = change.add.names().into_iter().map(|name| format!("+{name}"));
    let removed = change.remove.names().into_iter().map(|name| format!("-{name}"));
    added.chain(removed).collect::<Vec<_>>().join(" ")
}
