//! `posthorn move`, `delete`, `archive` and `junk`: here at once, on the server with the next sync.

use posthorn_engine::Command;
use posthorn_engine::command::Selection;
use serde_json::json;

use crate::arguments::{Chosen, MoveRequest};
use crate::failure::{Failure, Status};
use crate::output::Output;
use crate::resolve::{self, Names};
use crate::session::{Context, Purpose, Session};

/// # Errors
/// Where there is no such mailbox or message; then nothing was changed.
pub fn to_mailbox(request: MoveRequest, context: &Context, output: &mut Output) -> Result<Status, Failure> {
    let (mailbox, chosen) = read_move(request)?;
    let session = context.open(Purpose::Write)?;
    let to = Names::load(&session)?.mailbox(&mailbox)?.id;
    let selection = select(&session, &chosen)?;
    carry_out(&session, Command::Move { selection, to }, "moved", output)
}

/// # Errors
/// Where there is no such message; then nothing was changed.
pub fn delete(chosen: &Chosen, context: &Context, output: &mut Output) -> Result<Status, Failure> {
    act_on(chosen, Command::Delete, "deleted", context, output)
}

/// # Errors
/// As [`delete`].
pub fn archive(chosen: &Chosen, context: &Context, output: &mut Output) -> Result<Status, Failure> {
    act_on(chosen, Command::Archive, "archived", context, output)
}

/// # Errors
/// As [`delete`].
pub fn junk(chosen: &Chosen, context: &Context, output: &mut Output) -> Result<Status, Failure> {
    act_on(chosen, Command::Junk, "moved to junk", context, output)
}

fn act_on(
    chosen: &Chosen,
    command: fn(Selection) -> Command,
    done: &str,
    context: &Context,
    output: &mut Output,
) -> Result<Status, Failure> {
    let session = context.open(Purpose::Write)?;
    let selection = select(&session, chosen)?;
    carry_out(&session, command(selection), done, output)
}

fn select(session: &Session, chosen: &Chosen) -> Result<Selection, Failure> {
    Ok(Selection {
        messages: resolve::messages(session, chosen)?,
        mailbox: None,
    })
}

/// The last word is the mailbox, the others are numbers.
fn read_move(request: MoveRequest) -> Result<(String, Chosen), Failure> {
    let mut words = request.words;
    let mailbox = words.pop().unwrap_or_default();
    let ids: Vec<i64> = words
        .iter()
        .map(|word| {
            word.parse()
                .map_err(|_| Failure::usage(format!("{word:?} is not a message's number")))
        })
        .collect::<Result<_, _>>()?;
    if ids.is_empty() && request.message_id.is_none() {
        return Err(Failure::usage("which messages? posthorn move ID… ACCOUNT/Path"));
    }
    Ok((
        mailbox,
        Chosen {
            ids,
            message_id: request.message_id,
        },
    ))
}

/// Commits the wish and says what it did.
///
/// # Errors
/// Where nothing was changed.
pub fn carry_out(
    session: &Session,
    command: Command,
    done: &str,
    output: &mut Output,
) -> Result<Status, Failure> {
    let receipt = session.wait(session.engine.command(command))?;
    if output.is_json() {
        output.document(&json!({ "messages": receipt.messages, "intent": receipt.intent }))?;
    } else {
        let undo = if receipt.intent.is_some() {
            "; posthorn undo takes it back"
        } else {
            ""
        };
        let plural = if receipt.messages == 1 {
            "message"
        } else {
            "messages"
        };
        output.line(&format!("{done}: {} {plural}{undo}", receipt.messages))?;
    }
    Ok(Status::Done)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_last_word_of_move_is_the_mailbox() {
        let check = |words: &[&str], header: Option<&str>, expect: Option<(&str, &[i64])>| {
            let read = read_move(MoveRequest {
                words: words.iter().map(|word| (*word).to_owned()).collect(),
                message_id: header.map(str::to_owned),
            });
            let read = read.ok().map(|(mailbox, chosen)| (mailbox, chosen.ids));
            assert_eq!(
                read,
                expect.map(|(mailbox, ids)| (mailbox.to_owned(), ids.to_vec())),
                "{words:?}"
            );
        };
        check(&["1", "2", "work/Trash"], None, Some(("work/Trash", &[1, 2])));
        check(&["work/Trash"], Some("<a@b>"), Some(("work/Trash", &[])));
        check(&["work/Trash"], None, None);
        check(&["x", "work/Trash"], None, None);
    }
}
