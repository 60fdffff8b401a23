//! `posthorn sync`: one pass over the accounts, and what it did.

use posthorn_engine::report::{AccountReport, Bodies, SyncReport, SyncRequest as Pass};
use posthorn_model::{ErrorClass, OperationState, Problem, SubmissionState};
use serde_json::{Value, json};

use crate::arguments::{BodiesName, SyncRequest};
use crate::failure::{Failure, Status, advise};
use crate::output::Output;
use crate::resolve;
use crate::session::{Context, Purpose, Session};
use crate::table::{self, Column};

/// # Errors
/// Where no account could be started; trouble of single accounts is in the report.
pub fn run(request: &SyncRequest, context: &Context, output: &mut Output) -> Result<Status, Failure> {
    let session = context.open(Purpose::WriteAndSignIn)?;
    pass_over(request, &session, output)
}

fn pass_over(request: &SyncRequest, session: &Session, output: &mut Output) -> Result<Status, Failure> {
    let accounts = session.ask(|catalog| async move { catalog.accounts().await })?;
    if accounts.is_empty() {
        return Err(Failure::config(
            "there is no account yet: posthorn account add sets one up",
        ));
    }
    let pass = Pass {
        accounts: resolve::account_ids(&accounts, &request.names.accounts)?,
        bodies: match request.bodies {
            BodiesName::All => Bodies::All,
            BodiesName::Recent => Bodies::Recent,
            BodiesName::None => Bodies::None,
        },
        push_only: false,
    };
    let report = session
        .wait_or_interrupt(session.engine.sync(pass))
        .ok_or_else(Failure::interrupted)??;
    print(&report, output)?;
    Ok(match status(&report) {
        Status::Done if something_is_held(session)? => Status::Partly,
        status => status,
    })
}

/// What the exit code says about a pass.
#[must_use]
pub fn status(report: &SyncReport) -> Status {
    let something_worked = report.accounts.iter().any(|account| {
        let mut problems = account.problems.iter();
        problems.all(|problem| problem.class == ErrorClass::Limited)
    });
    Status::after(
        report.accounts.iter().flat_map(|account| &account.problems),
        something_worked,
    )
}

fn something_is_held(session: &Session) -> Result<bool, Failure> {
    let operations = session.ask(|catalog| async move { catalog.operations().await })?;
    let outbox = session.ask(|catalog| async move { catalog.outbox().await })?;
    Ok(operations
        .iter()
        .any(|operation| operation.state == OperationState::Held)
        || outbox
            .iter()
            .any(|one| matches!(one.state, SubmissionState::Held | SubmissionState::Uncertain)))
}

fn print(report: &SyncReport, output: &mut Output) -> Result<(), Failure> {
    if output.is_json() {
        let accounts: Vec<Value> = report.accounts.iter().map(account_to_json).collect();
        return output.document(&json!({ "accounts": accounts }));
    }
    let columns = [
        ("account", Column::Left),
        ("", Column::Left),
        ("mailboxes", Column::Right),
        ("new", Column::Right),
        ("changed", Column::Right),
        ("gone", Column::Right),
        ("bodies", Column::Right),
        ("received", Column::Right),
        ("seconds", Column::Right),
    ];
    let rows = report.accounts.iter().map(|account| {
        vec![
            account.name.clone(),
            account.protocol.name().to_uppercase(),
            account.mailboxes.to_string(),
            account.new.to_string(),
            account.changed.to_string(),
            account.gone.to_string(),
            account.bodies.to_string(),
            say_size(account.bytes_in),
            format!("{:.1}", account.seconds),
        ]
    });
    table::print(output, &columns, rows)?;
    for account in &report.accounts {
        for problem in &account.problems {
            output.line(&format!("{}: {}", account.name, problem.detail))?;
            for remedy in &problem.remedies {
                output.line(&format!("  {}", advise(*remedy)))?;
            }
        }
    }
    Ok(())
}

fn account_to_json(account: &AccountReport) -> Value {
    json!({
        "name": account.name,
        "protocol": account.protocol,
        "mailboxes": account.mailboxes,
        "new": account.new,
        "changed": account.changed,
        "gone": account.gone,
        "bodies": account.bodies,
        "bytes_in": account.bytes_in,
        "bytes_out": account.bytes_out,
        "round_trips": account.round_trips,
        "connections": account.connections,
        "seconds": account.seconds,
        "problems": account.problems.iter().map(problem_to_json).collect::<Vec<_>>(),
    })
}

/// A problem, as scripts read it.
#[must_use]
pub fn problem_to_json(problem: &Problem) -> Value {
    json!({
        "class": problem.class,
        "since": problem.since,
        "detail": problem.detail,
        "remedies": problem.remedies,
    })
}

/// Bytes, in the largest unit that leaves a figure before the point.
#[must_use]
pub fn say_size(bytes: u64) -> String {
    const UNITS: [(&str, u64); 3] = [("GB", 1_000_000_000), ("MB", 1_000_000), ("KB", 1_000)];
    UNITS.iter().find(|(_, unit)| bytes >= *unit).map_or_else(
        || format!("{bytes} B"),
        |(name, unit)| {
            let tenths = bytes / (unit / 10);
            format!("{}.{} {name}", tenths / 10, tenths % 10)
        },
    )
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn says_sizes() {
        for (bytes, expect) in [
            (0, "0 B"),
            (999, "999 B"),
            (1_000, "1.0 KB"),
            (1_550, "1.5 KB"),
            (27_000_000, "27.0 MB"),
            (5_250_000_000, "5.2 GB"),
        ] {
            assert_eq!(say_size(bytes), expect);
        }
    }
}
