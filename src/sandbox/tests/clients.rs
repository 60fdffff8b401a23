//! Python's imaplib, poplib and smtplib: clients written by others, over TLS on real sockets.

use std::process::{Command, Output};

use posthorn_model::Security;

use crate::{Sandbox, SandboxMail, SandboxOptions};

async fn run_python(security: Security, mode: &str) {
    let options = SandboxOptions {
        security,
        mail: SandboxMail::Empty,
        ..SandboxOptions::default()
    };
    let sandbox = Sandbox::start(options).await.unwrap();
    let ca = std::env::temp_dir().join(format!("sandbox-ca-{}-{mode}.pem", std::process::id()));
    std::fs::write(&ca, &sandbox.ca_pem).unwrap();
    let ports = [sandbox.imap_port, sandbox.pop3_port, sandbox.smtp_port].map(|port| port.to_string());
    let (mode, login, ca_file) = (mode.to_owned(), sandbox.login().clone(), ca.clone());
    let output = tokio::task::spawn_blocking(move || {
        Command::new("python3")
            .args(["-I", "-c", include_str!("clients.py"), &mode])
            .args(ports)
            .args([&login.username, &login.password, &login.address])
            .arg(ca_file)
            .output()
    })
    .await
    .unwrap();
    std::fs::remove_file(&ca).unwrap();
    judge(output);
    sandbox.stop().await;
}

fn judge(output: std::io::Result<Output>) {
    match output {
        Err(error) => println!("skipped: python3 cannot be run: {error}"),
        Ok(output) => assert!(
            output.status.success(),
            "{}{}",
            String::from_utf8_lossy(&output.stdout),
            String::from_utf8_lossy(&output.stderr)
        ),
    }
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn python_is_served_over_tls() {
    run_python(Security::Tls, "tls").await;
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn python_is_served_after_starttls() {
    run_python(Security::StartTls, "starttls").await;
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn python_is_served_in_clear() {
    run_python(Security::None, "none").await;
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn python_reads_the_sample_mail_without_a_defect() {
    let options = SandboxOptions {
        security: Security::None,
        ..SandboxOptions::default()
    };
    let sandbox = Sandbox::start(options).await.unwrap();
    let (port, login) = (sandbox.imap_port.to_string(), sandbox.login().clone());
    let output = tokio::task::spawn_blocking(move || {
        Command::new("python3")
            .args([
                "-I",
                "-c",
                include_str!("sample.py"),
                &port,
                &login.username,
                &login.password,
            ])
            .output()
    });
    judge(output.await.unwrap());
}
