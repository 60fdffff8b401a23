//! Servers that misbehave, and a client that is killed meanwhile: a short round of a longer campaign, where its
//! scripts lie beside the project.

use std::path::Path;
use std::process::Command;

use crate::server::shared;

/// Adds the account where it is missing, then does the work.
fn write_client(folder: &Path, protocol: &str) -> String {
    let posthorn = env!("CARGO_BIN_EXE_posthorn");
    let (incoming, outgoing) = match protocol {
        // Nobody listens for the incoming side: only sending is looked at.
        "smtp" => (
            "--protocol imap --incoming localhost:9",
            "--outgoing localhost:$1 --outgoing-security tls",
        ),
        "imap" => ("--protocol imap --incoming localhost:$1", ""),
        _ => (
            "--protocol pop3 --leave-on-server never --incoming localhost:$1",
            "",
        ),
    };
    let work = if protocol == "smtp" {
        // No pipe: what is killed must be the client itself, not a shell before it.
        "id=$(date +%s%N)$$\n\
         printf 'From: a@example.org\\r\\nTo: b@example.org\\r\\nSubject: x\\r\\nMessage-ID: <%s@tests>\\r\\n\\r\\ntext\\r\\n' $id >$2/../$id.eml\n\
         exec $run send $2/../$id.eml"
    } else {
        "exec $run sync --json"
    };
    let script = format!(
        "#!/bin/sh\nexport POSTHORN_SECRETS_KEY=key\nrun=\"{posthorn} --profile $2 --ca-file $3\"\n\
         $run account show it >/dev/null 2>&1 || echo s3cret | $run account add --name it --email a@example.org \\\n\
         --username alice --password-stdin --secrets file {incoming} {outgoing}\n{work}\n"
    );
    let path = folder.join("client");
    std::fs::write(&path, script).unwrap();
    format!("sh {} {{port}} {{dir}} {{ca}}", path.display())
}

fn run_round(protocol: &str) {
    let Some(script) = shared("hostile/crash_loop.py") else {
        println!("skipped: the hostile servers do not lie beside the project");
        return;
    };
    let folder = tempfile::tempdir().unwrap();
    let client = write_client(folder.path(), protocol);
    let dump = format!("{} --json --profile {{dir}} dump", env!("CARGO_BIN_EXE_posthorn"));
    let output = Command::new("python3")
        .arg(script)
        .args([
            protocol,
            "--client",
            &client,
            "--dump",
            &dump,
            "--rounds",
            "8",
            "--modes",
            "ok,drop-random",
        ])
        .args(["--max-ms", "1500", "--settle", "60"])
        .env("HOME", folder.path())
        .env("TMPDIR", folder.path())
        .output();
    let Ok(output) = output else {
        println!("skipped: no Python");
        return;
    };
    let said = String::from_utf8_lossy(&output.stdout);
    assert!(
        output.status.success(),
        "{said}\n{}",
        String::from_utf8_lossy(&output.stderr)
    );
    println!("{}", said.trim());
}

#[test]
fn imap_stays_whole() {
    run_round("imap");
}

#[test]
fn pop3_stays_whole() {
    run_round("pop3");
}

#[test]
fn smtp_sends_at_most_once() {
    run_round("smtp");
}
