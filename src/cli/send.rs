//! `posthorn send`: hands a finished message to the outbox, durably, then to the server.

use posthorn_engine::Outgoing;
use posthorn_engine::catalog::{Account, Submission};
use posthorn_engine::report::{Bodies, SyncRequest};
use posthorn_model::{SubmissionId, SubmissionState, Timestamp};
use serde_json::json;
use std::io::Read as _;

use crate::arguments::SendRequest;
use crate::date;
use crate::failure::{Failure, Status};
use crate::output::Output;
use crate::resolve;
use crate::session::{Context, Purpose, Session};
use crate::sync;

/// # Errors
/// Where the message cannot be read or did not enter the outbox.
pub fn run(request: &SendRequest, context: &Context, output: &mut Output) -> Result<Status, Failure> {
    let raw = read_message(&request.file)?;
    let session = context.open(Purpose::WriteAndSignIn)?;
    let accounts = session.ask(|catalog| async move { catalog.accounts().await })?;
    let account = choose_account(&accounts, request.account.as_deref(), &sender(&raw))?;
    let outgoing = Outgoing {
        account: account.id,
        raw,
        recipients: Vec::new(),
        at: request.at,
        draft: None,
    };
    hand_over(outgoing, &session, output)
}

fn read_message(file: &str) -> Result<Vec<u8>, Failure> {
    let mut raw = Vec::new();
    let result = if file == "-" {
        std::io::stdin().lock().read_to_end(&mut raw).map(drop)
    } else {
        std::fs::read(file).map(|bytes| raw = bytes)
    };
    result.map_err(|error| Failure::disk(file, &error))?;
    if raw.is_empty() {
        return Err(Failure::usage(format!("{file}: an empty message")));
    }
    Ok(raw)
}

/// The addresses that the message says it comes from.
fn sender(raw: &[u8]) -> Vec<String> {
    let envelope = posthorn_mime::parse_header(raw).envelope;
    envelope.from.into_iter().map(|address| address.email).collect()
}

/// The account named, else the one whose address the message comes from, else the only one that can send.
///
/// # Errors
/// Where that leaves none or several.
pub fn choose_account<'a>(
    accounts: &'a [Account],
    name: Option<&str>,
    from: &[String],
) -> Result<&'a Account, Failure> {
    if let Some(name) = name {
        return resolve::account(accounts, name);
    }
    let mut able = accounts
        .iter()
        .filter(|account| account.config.outgoing.is_some());
    let is_sender = |account: &&Account| {
        from.iter()
            .any(|address| address.eq_ignore_ascii_case(&account.config.identity.email))
    };
    if let Some(account) = able.clone().find(is_sender) {
        return Ok(account);
    }
    match (able.next(), able.next()) {
        (Some(account), None) => Ok(account),
        (None, _) => Err(Failure::config("no account has an outgoing server")),
        (Some(_), Some(_)) => Err(Failure::usage("which account sends? --account NAME")),
    }
}

/// Puts the message into the outbox, and unless it is to wait, lets the outbox empty itself.
///
/// # Errors
/// Where the message did not enter the outbox; after that its state is printed, whatever it is.
pub fn hand_over(outgoing: Outgoing, session: &Session, output: &mut Output) -> Result<Status, Failure> {
    let account = outgoing.account;
    let later = outgoing.at.is_some_and(|at| at > date::now());
    let id = session.wait(session.engine.send(outgoing))?;
    let mut status = Status::Done;
    if !later {
        let pass = SyncRequest {
            accounts: vec![account],
            bodies: Bodies::None,
            push_only: true,
        };
        match session.wait_or_interrupt(session.engine.sync(pass)) {
            Some(Ok(report)) => status = sync::status(&report),
            Some(Err(error)) => output.note(&error.message),
            None => output.note("interrupted; the message is kept in the outbox"),
        }
    }
    let outbox = session.ask(|catalog| async move { catalog.outbox().await })?;
    let found = outbox.iter().find(|one| one.id == id);
    print(id, found, output)?;
    Ok(match found.map(|one| one.state) {
        // Trouble of the same pass with reading mail is not this message's.
        Some(SubmissionState::Sent) => Status::Done,
        Some(SubmissionState::Queued) if later => Status::Done,
        _ if status == Status::NeedsUser => Status::NeedsUser,
        _ => Status::Partly,
    })
}

fn print(id: SubmissionId, found: Option<&Submission>, output: &mut Output) -> Result<(), Failure> {
    let state = found.map_or("unknown", |one| one.state.name());
    let reply = found.map_or("", |one| one.reply.as_str());
    let at: Option<Timestamp> = found.and_then(|one| one.not_before);
    if output.is_json() {
        return output
            .document(&json!({ "submission": id, "state": state, "reply": reply, "not_before": at }));
    }
    let said = if reply.is_empty() {
        String::new()
    } else {
        format!(" (the server said: {reply})")
    };
    output.line(&format!("submission {id}: {state}{said}"))
}
