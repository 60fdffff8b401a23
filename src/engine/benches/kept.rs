//! How long a POP3 check takes that finds nothing new in a maildrop where everything is kept. Prints one line each.
//!
//! `cargo bench -p posthorn-engine`, with `MESSAGES=5000` for a smaller maildrop. The sandbox serves in the same
//! process, so that its work is in the figures too.

#![allow(clippy::print_stdout, clippy::unwrap_used)]

use std::time::Instant;

use posthorn_engine::report::SyncRequest;
use posthorn_engine::{Engine, Options};
use posthorn_model::{
    AccountConfig, AuthMethod, Flags, Identity, LeaveOnServer, Pop3Policy, Protocol, Secret, SecretPlace,
    Security, Timestamp,
};
use posthorn_sandbox::{NewMessage, Sandbox, SandboxMail, SandboxOptions, Service};

/// The last second of 2023.
const ARRIVED: i64 = 1_704_067_199;

fn main() {
    let count: u32 = std::env::var("MESSAGES").map_or(50_000, |text| text.parse().unwrap());
    let runtime = tokio::runtime::Builder::new_multi_thread()
        .enable_all()
        .build()
        .unwrap();
    runtime.block_on(measure(count));
}

async fn measure(count: u32) {
    let options = SandboxOptions {
        security: Security::None,
        mail: SandboxMail::Empty,
        ..SandboxOptions::default()
    };
    let sandbox = Sandbox::start(options).await.unwrap();
    for number in 0..count {
        deliver(&sandbox, number);
    }
    let folder = tempfile::tempdir().unwrap();
    let engine = Engine::open(Options {
        profile: Some(folder.path().join("profile")),
        secrets_key: Some(Secret::new("key".into())),
        ..Options::default()
    })
    .unwrap();
    let login = sandbox.login();
    let config = AccountConfig {
        name: "kept".into(),
        protocol: Protocol::Pop3,
        username: login.username.clone(),
        auth: AuthMethod::Password,
        client_certificate: None,
        secrets: SecretPlace::File,
        allow_cleartext: false,
        connections: None,
        pop3: Pop3Policy::leaving(LeaveOnServer::Forever),
        identity: Identity {
            name: String::new(),
            email: login.address.clone(),
            signature: String::new(),
        },
        incoming: sandbox.endpoint(Service::Pop3),
        outgoing: None,
    };
    let secret = Secret::new(login.password.clone());
    engine.add_account(config, Some(secret)).await.unwrap();
    check(&engine, "first check", u64::from(count)).await;
    for _ in 0..3 {
        check(&engine, "nothing new", 0).await;
    }
    deliver(&sandbox, count);
    check(&engine, "one new", 1).await;
    engine.shutdown().await;
}

fn deliver(sandbox: &Sandbox, number: u32) {
    let raw = format!(
        "From: a@example.org\r\nTo: b@example.org\r\nSubject: letter {number}\r\n\
         Message-ID: <{number}@kept.example>\r\nDate: Sun, 31 Dec 2023 23:59:59 +0000\r\n\r\nThe text of {number}.\r\n"
    );
    let message = NewMessage {
        raw: raw.into_bytes(),
        flags: Flags::default(),
        internal_date: Timestamp(ARRIVED),
    };
    sandbox.add_message("INBOX", message).unwrap();
}

async fn check(engine: &Engine, what: &str, new: u64) {
    let begin = Instant::now();
    let report = engine.sync(SyncRequest::default()).await.unwrap();
    let took = begin.elapsed();
    let account = report.accounts.first().unwrap();
    assert!(account.problems.is_empty(), "{:?}", account.problems);
    assert_eq!(account.new, new);
    println!(
        "{what:<12} {:7.3} s, {} round trips, {} bytes in, {} bodies",
        took.as_secs_f64(),
        account.round_trips,
        account.bytes_in,
        account.bodies
    );
}
