//! `posthorn watch`: what happens, as it happens, until interrupted.

use posthorn_engine::catalog::Account;
use posthorn_engine::{AccountState, Event};
use posthorn_model::AccountId;
use serde_json::{Value, json};

use crate::arguments::AccountNames;
use crate::date;
use crate::failure::{Failure, Status};
use crate::output::Output;
use crate::resolve;
use crate::session::{Context, Purpose, Session};
use crate::sync::problem_to_json;

/// # Errors
/// Where the profile cannot be opened, or nobody reads what is printed.
pub fn run(request: &AccountNames, context: &Context, output: &mut Output) -> Result<Status, Failure> {
    let session = context.open(Purpose::WriteAndSignIn)?;
    follow(request, &session, output)
}

fn follow(request: &AccountNames, session: &Session, output: &mut Output) -> Result<Status, Failure> {
    let accounts = session.ask(|catalog| async move { catalog.accounts().await })?;
    if accounts.is_empty() {
        return Err(Failure::config(
            "there is no account yet: posthorn account add sets one up",
        ));
    }
    let chosen = resolve::account_ids(&accounts, &request.accounts)?;
    let mut events = session.engine.events();
    session.engine.start();
    // Interrupted, or the engine ended: either way it is over.
    while let Some(Some(event)) = session.wait_or_interrupt(events.next()) {
        let of = account_of(&event);
        if !chosen.is_empty() && of.is_some_and(|account| !chosen.contains(&account)) {
            continue;
        }
        let name = of.map(|account| resolve::account_name(&accounts, account));
        if output.is_json() {
            output.stream(&to_json(&event, name, session)?)?;
        } else if let Some(line) = say(&event, name.as_deref(), session, &accounts) {
            output.line(&format!("{}  {line}", date::say(date::now())))?;
            output.finish()?;
        }
    }
    Ok(Status::Done)
}

const fn account_of(event: &Event) -> Option<AccountId> {
    match event {
        Event::MailboxesChanged { account }
        | Event::NewMail { account, .. }
        | Event::StateChanged { account, .. }
        | Event::Progress { account, .. } => Some(*account),
        _ => None,
    }
}

fn to_json(event: &Event, name: Option<String>, session: &Session) -> Result<Value, Failure> {
    let mut value =
        serde_json::to_value(event).map_err(|error| Failure::of_output(&std::io::Error::from(error)))?;
    if let Some(fields) = value.as_object_mut() {
        fields.insert("at".into(), json!(date::now()));
        if let Some(name) = name {
            fields.insert("name".into(), json!(name));
        }
        if matches!(event, Event::ProblemsChanged) {
            let problems: Vec<Value> = session.engine.problems().iter().map(problem_to_json).collect();
            fields.insert("problems".into(), json!(problems));
        }
    }
    Ok(value)
}

/// `None` for what only a program wants to know.
fn say(event: &Event, name: Option<&str>, session: &Session, accounts: &[Account]) -> Option<String> {
    let name = name.unwrap_or_default();
    Some(match event {
        Event::NewMail { messages, .. } => format!("{name}: {} new", messages.len()),
        Event::StateChanged { state, .. } => format!("{name}: {}", say_state(*state)),
        Event::NetworkChanged { policy, .. } => format!("the network is {} now", policy.name()),
        Event::ProblemsChanged => {
            let problems: Vec<String> = session
                .engine
                .problems()
                .iter()
                .map(|problem| {
                    let of = problem.account.map(|id| resolve::account_name(accounts, id));
                    format!(
                        "{}{}",
                        of.map(|name| name + ": ").unwrap_or_default(),
                        problem.detail
                    )
                })
                .collect();
            if problems.is_empty() {
                "no problems".to_owned()
            } else {
                problems.join("; ")
            }
        }
        Event::ReadingChanged => "what messages may do changed".to_owned(),
        Event::OutboxChanged => "the outbox changed".to_owned(),
        Event::OperationsChanged => "the queue of changes changed".to_owned(),
        _ => return None,
    })
}

const fn say_state(state: AccountState) -> &'static str {
    match state {
        AccountState::Ready => "up to date",
        AccountState::Syncing => "syncing",
        AccountState::Offline => "offline",
        AccountState::NeedsUser => "needs you",
    }
}
