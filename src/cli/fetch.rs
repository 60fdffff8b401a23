//! `posthorn fetch`: the rest of messages of which only the header is here.

use std::collections::BTreeSet;
use std::time::Duration;

use posthorn_engine::Command;
use posthorn_engine::report::{Bodies, SyncRequest as Pass};
use posthorn_model::{AccountId, BodyState, MessageId, Protocol};
use serde_json::json;

use super::sync;
use crate::arguments::Chosen;
use crate::failure::{Failure, Status};
use crate::output::Output;
use crate::resolve;
use crate::session::{Context, Purpose, Session};

/// How long a message may take beside the pass …
const PATIENCE: Duration = Duration::from_secs(60);
/// … and how often it is looked for.
const LOOK: Duration = Duration::from_millis(100);

/// # Errors
/// Where there is no such message; trouble with a server is in the answer.
pub fn run(chosen: &Chosen, context: &Context, output: &mut Output) -> Result<Status, Failure> {
    let session = context.open(Purpose::WriteAndSignIn)?;
    let messages = resolve::messages(&session, chosen)?;
    let mut accounts = BTreeSet::new();
    for id in &messages {
        let (account, body) = look(&session, *id)?;
        if body == BodyState::Headers {
            accounts.insert(account);
        }
    }
    // All of them exist: only now is anything asked for.
    for id in &messages {
        if look(&session, *id)?.1 == BodyState::Headers {
            session.wait(session.engine.command(Command::FetchBody(*id)))?;
        }
    }
    let mut status = Status::Done;
    let mut problems = Vec::new();
    if !accounts.is_empty() {
        let pass = Pass {
            accounts: accounts.into_iter().collect(),
            bodies: Bodies::None,
            push_only: false,
        };
        let report = session
            .wait_or_interrupt(session.engine.sync(pass))
            .ok_or_else(Failure::interrupted)??;
        status = sync::status(&report);
        problems.extend(report.accounts.into_iter().flat_map(|account| account.problems));
    }
    let known = session.ask(|catalog| async move { catalog.accounts().await })?;
    let by_imap: BTreeSet<AccountId> = known
        .into_iter()
        .filter(|account| account.config.protocol == Protocol::Imap)
        .map(|account| account.id)
        .collect();
    let mut whole = BTreeSet::new();
    for id in &messages {
        let patient = problems.is_empty() && by_imap.contains(&look(&session, *id)?.0);
        let came = session
            .wait_or_interrupt(wait_for(&session, *id, patient))
            .ok_or_else(Failure::interrupted)??;
        if came {
            whole.insert(*id);
        }
    }
    if whole.len() < messages.iter().collect::<BTreeSet<_>>().len() && status == Status::Done {
        status = Status::Partly;
    }
    if output.is_json() {
        let told = messages.iter().map(|id| {
            let body = if whole.contains(id) { "whole" } else { "headers" };
            json!({ "id": id.0, "body": body })
        });
        let told: Vec<_> = told.collect();
        let problems: Vec<_> = problems.iter().map(sync::problem_to_json).collect();
        output.document(&json!({ "messages": told, "problems": problems }))?;
    } else {
        for problem in &problems {
            output.line(&problem.detail)?;
        }
        for id in &messages {
            let state = if whole.contains(id) {
                "is here whole"
            } else {
                "has not come yet"
            };
            output.line(&format!("message {id} {state}"))?;
        }
    }
    Ok(status)
}

fn look(session: &Session, id: MessageId) -> Result<(AccountId, BodyState), Failure> {
    let message = session.ask(|catalog| async move { catalog.message(id).await })?;
    let message = message.ok_or_else(|| resolve::no_such_message(id))?;
    Ok((message.account, message.body))
}

/// Whether the whole message is here; by IMAP it may come on a connection of its own, after the pass.
async fn wait_for(session: &Session, id: MessageId, patient: bool) -> Result<bool, Failure> {
    let catalog = session.engine.catalog();
    let looking = async {
        loop {
            let message = catalog.message(id).await?;
            let is_whole = message.is_some_and(|message| message.body == BodyState::Whole);
            if is_whole || !patient {
                return Ok(is_whole);
            }
            tokio::time::sleep(LOOK).await;
        }
    };
    tokio::time::timeout(PATIENCE, looking).await.unwrap_or(Ok(false))
}
