//! `posthorn sandbox`: the built-in mailbox server on loopback, until interrupted.

use posthorn_sandbox::{Sandbox, SandboxMail, SandboxOptions, SandboxUser, Service};
use serde_json::{Value, json};
use std::path::Path;

use crate::arguments::SandboxRequest;
use crate::failure::{Failure, Status};
use crate::interrupt::Interrupts;
use crate::output::Output;

const SERVICES: [(&str, Service); 3] = [
    ("imap", Service::Imap),
    ("pop3", Service::Pop3),
    ("smtp", Service::Smtp),
];

/// # Errors
/// Where a port is taken, or nobody reads what is printed.
pub fn run(request: &SandboxRequest, output: &mut Output) -> Result<Status, Failure> {
    let runtime = tokio::runtime::Builder::new_current_thread()
        .enable_all()
        .build()
        .map_err(|error| Failure::disk("cannot start", &error))?;
    runtime.block_on(serve(request, output))
}

async fn serve(request: &SandboxRequest, output: &mut Output) -> Result<Status, Failure> {
    let options = SandboxOptions {
        imap_port: request.imap_port.unwrap_or(0),
        pop3_port: request.pop3_port.unwrap_or(0),
        smtp_port: request.smtp_port.unwrap_or(0),
        security: request.security.into(),
        mail: if request.empty {
            SandboxMail::Empty
        } else {
            SandboxMail::Sample
        },
        ..SandboxOptions::default()
    };
    let users = options.users.clone();
    // Before anybody is told that it serves, and may tell it to stop.
    let mut interrupts = Interrupts::listen();
    // A client in another process has to be told whom to trust.
    let folder = tempfile::Builder::new()
        .prefix("posthorn-sandbox-")
        .tempdir()
        .map_err(|error| Failure::disk("cannot make a temporary directory", &error))?;
    let ca_file = folder.path().join("ca.pem");
    let sandbox = Sandbox::start(options)
        .await
        .map_err(|error| Failure::disk("the sandbox cannot listen", &error))?;
    std::fs::write(&ca_file, &sandbox.ca_pem)
        .map_err(|error| Failure::disk(&ca_file.display().to_string(), &error))?;
    if output.is_json() {
        output.stream(&to_json(&sandbox, &users, &ca_file))?;
    } else {
        output.text(&to_text(&sandbox, &users, &ca_file))?;
        output.finish()?;
    }
    interrupts.next().await;
    sandbox.stop().await;
    Ok(Status::Done)
}

fn to_json(sandbox: &Sandbox, users: &[SandboxUser], ca_file: &Path) -> Value {
    let mut value = json!({
        "username": sandbox.username,
        "password": sandbox.password,
        "address": sandbox.login().address,
        "ca_file": ca_file,
        "users": users
            .iter()
            .map(|user| json!({
                "username": user.username,
                "password": user.password,
                "name": user.name,
                "address": user.address,
            }))
            .collect::<Vec<_>>(),
    });
    if let Some(fields) = value.as_object_mut() {
        for (name, service) in SERVICES {
            let endpoint = sandbox.endpoint(service);
            fields.insert(
                name.to_owned(),
                json!({ "host": endpoint.host, "port": endpoint.port, "security": endpoint.security }),
            );
        }
    }
    value
}

fn to_text(sandbox: &Sandbox, users: &[SandboxUser], ca_file: &Path) -> String {
    let mut lines: Vec<String> = SERVICES
        .iter()
        .map(|(name, service)| {
            let endpoint = sandbox.endpoint(*service);
            format!("{name}  {endpoint}  {}", endpoint.security.name())
        })
        .collect();
    lines.extend(users.iter().map(|user| {
        format!(
            "user {}, password {}, address {}",
            user.username, user.password, user.address
        )
    }));
    lines.push(format!("trust it with --ca-file {}", ca_file.display()));
    lines.push("runs until interrupted; nothing sent to it leaves this machine".to_owned());
    lines.join("\n")
}
