//! `posthorn mailbox`: makes, renames, deletes, expunges and subscribes mailboxes; here at once, on the server with the next
//! sync.

use posthorn_engine::Command;
use posthorn_model::MailboxId;
use serde_json::json;

use crate::arguments::MailboxCommand;
use crate::failure::{Failure, Status};
use crate::output::Output;
use crate::resolve::Names;
use crate::session::{Context, Purpose, Session};

/// # Errors
/// Where there is no such mailbox or account, or the name cannot be; then nothing was changed.
pub fn run(command: &MailboxCommand, context: &Context, output: &mut Output) -> Result<Status, Failure> {
    let session = context.open(Purpose::Write)?;
    let names = Names::load(&session)?;
    let (wish, done) = match command {
        MailboxCommand::Create { mailbox } => {
            let (account, path) = names.place(mailbox)?;
            let path = path.to_owned();
            (Command::CreateMailbox { account, path }, "made")
        }
        MailboxCommand::Rename { mailbox, to } => {
            let from = names.mailbox(mailbox)?;
            let (account, path) = names.place(to)?;
            if account != from.account {
                return Err(Failure::usage(
                    "a mailbox stays in its account: make one in the other, and move the messages",
                ));
            }
            let (mailbox, path) = (from.id, path.to_owned());
            (Command::RenameMailbox { mailbox, path }, "renamed")
        }
        MailboxCommand::Delete {
            mailbox,
            with_messages,
        } => {
            let wish = Command::DeleteMailbox {
                mailbox: names.mailbox(mailbox)?.id,
                with_messages: *with_messages,
            };
            (wish, "deleted")
        }
        MailboxCommand::Expunge { mailbox, with_others } => {
            let mailbox = names.mailbox(mailbox)?.id;
            if !with_others {
                warn(&session, mailbox, output)?;
            }
            let with_others = *with_others;
            (Command::ExpungeMailbox { mailbox, with_others }, "to be removed")
        }
        MailboxCommand::Subscribe { mailbox } => (subscribe(&names, mailbox, true)?, "subscribed"),
        MailboxCommand::Unsubscribe { mailbox } => (subscribe(&names, mailbox, false)?, "unsubscribed"),
    };
    carry_out(&session, wish, done, output)
}

/// Names what would go besides the user's own deletions; the engine refuses while it is not agreed to.
fn warn(session: &Session, mailbox: MailboxId, output: &Output) -> Result<(), Failure> {
    let others = session.ask(move |catalog| async move { catalog.marked_by_others(mailbox).await })?;
    for row in others.iter().take(NAMED) {
        let from = row.from.first().map_or("", |from| from.email.as_str());
        output.note(&format!("marked by another program: {} ({from})", row.subject));
    }
    if others.len() > NAMED {
        output.note(&format!("… and {} more", others.len() - NAMED));
    }
    if !others.is_empty() {
        output.note("nothing was removed; --with-others removes these too");
    }
    Ok(())
}

/// Messages that are named one by one.
const NAMED: usize = 20;

fn subscribe(names: &Names, mailbox: &str, on: bool) -> Result<Command, Failure> {
    let mailbox = names.mailbox(mailbox)?.id;
    Ok(Command::SubscribeMailbox { mailbox, on })
}

fn carry_out(session: &Session, wish: Command, done: &str, output: &mut Output) -> Result<Status, Failure> {
    let removes = matches!(wish, Command::ExpungeMailbox { .. });
    let receipt = session.wait(session.engine.command(wish))?;
    if output.is_json() {
        let path = path_of(session, receipt.mailbox)?;
        output.document(&json!({
            "mailbox": path,
            "messages": receipt.messages,
            "intent": receipt.intent,
        }))?;
    } else {
        let undo = if receipt.intent.is_some() {
            "; posthorn undo takes it back"
        } else {
            ""
        };
        let moved = match receipt.messages {
            count if removes => format!(" with the next sync: {count} marked as deleted"),
            0 => String::new(),
            1 => ", and 1 message moved to the trash".to_owned(),
            count => format!(", and {count} messages moved to the trash"),
        };
        output.line(&format!("{done}{moved}{undo}"))?;
    }
    Ok(Status::Done)
}

/// As the server's names made it: a prefix may have come before it.
fn path_of(session: &Session, mailbox: Option<MailboxId>) -> Result<Option<String>, Failure> {
    let Some(mailbox) = mailbox else {
        return Ok(None);
    };
    Ok(Names::load(session)?.paths().remove(&mailbox))
}
