//! `posthorn account test`: signs in to both servers and out again.

use posthorn_engine::report::{ServerTest, TestReport};
use serde_json::{Value, json};

use crate::failure::{Failure, Status};
use crate::output::Output;
use crate::resolve;
use crate::session::{Context, Purpose};

/// # Errors
/// Where there is no such account; what the servers said is printed.
pub fn run(name: &str, context: &Context, output: &mut Output) -> Result<Status, Failure> {
    let session = context.open(Purpose::ReadAndSignIn)?;
    let accounts = session.ask(|catalog| async move { catalog.accounts().await })?;
    let config = resolve::account(&accounts, name)?.config.clone();
    let report = session
        .wait_or_interrupt(session.engine.test_account(config, None))
        .ok_or_else(Failure::interrupted)?;
    if output.is_json() {
        let servers: Vec<Value> = report.servers.iter().map(to_json).collect();
        output.document(&json!({ "account": name, "good": report.is_good(), "servers": servers }))?;
    } else {
        for server in &report.servers {
            let head = format!("{} {}", server.service.to_uppercase(), server.endpoint);
            match &server.result {
                Ok(offers) => output.line(&format!("{head}: works ({})", offers.join(" ")))?,
                Err(error) => output.text(&format!("{head}: {}", Failure::from(error.clone()).to_text()))?,
            }
        }
    }
    Ok(status(&report))
}

fn status(report: &TestReport) -> Status {
    let needs_user = report
        .servers
        .iter()
        .any(|server| matches!(&server.result, Err(error) if error.class.needs_user()));
    match (report.is_good(), needs_user) {
        (true, _) => Status::Done,
        (false, true) => Status::NeedsUser,
        (false, false) => Status::Failed,
    }
}

fn to_json(server: &ServerTest) -> Value {
    let mut value = json!({
        "service": server.service,
        "endpoint": server.endpoint,
        "good": server.result.is_ok(),
    });
    if let Some(fields) = value.as_object_mut() {
        match &server.result {
            Ok(offers) => fields.insert("offers".into(), json!(offers)),
            Err(error) => fields.insert("error".into(), Failure::from(error.clone()).to_json()),
        };
    }
    value
}
