//! The order in which things reach the disk and the server, as the kernel saw it: nothing is deleted on a server before
//! it is synced here.

use posthorn_model::Security;
use std::collections::BTreeMap;
use std::process::Command;

use crate::mail::message;
use crate::posthorn::run_tool;
use crate::server::Server;

/// What of a trace matters, in order.
#[derive(Debug, PartialEq, Eq)]
enum Step {
    /// The whole of this number was asked for, by RETR or by TOP.
    Asked(u32),
    /// Bytes went into the file of raw messages, or its log.
    Written,
    /// Such a file was synced, since the step of this index.
    Synced { began: usize },
    /// DELE was sent for this number.
    Deleted(u32),
}

fn numbers<'a>(line: &'a str, command: &'a str) -> impl Iterator<Item = u32> + 'a {
    let parts = line.split(command).skip(1);
    parts.filter_map(|rest| {
        let digits: String = rest.chars().take_while(char::is_ascii_digit).collect();
        digits.parse().ok()
    })
}

/// Reads what strace wrote with -f and -y: calls that others interrupt come in two lines.
fn read(trace: &str) -> Vec<Step> {
    let mut steps = Vec::new();
    let mut pending: BTreeMap<&str, usize> = BTreeMap::new();
    for line in trace.lines() {
        let Some((thread, call)) = line.split_once(' ') else {
            continue;
        };
        let call = call.trim_start();
        let is_sync = call.starts_with("fdatasync(") || call.starts_with("fsync(");
        let of_messages = call.contains("/messages.sqlite") || call.contains("/large/");
        if is_sync && of_messages {
            if call.contains("<unfinished") {
                pending.insert(thread, steps.len());
            } else {
                steps.push(Step::Synced { began: steps.len() });
            }
        } else if call.starts_with("<... fdatasync resumed") || call.starts_with("<... fsync resumed") {
            if let Some(began) = pending.remove(thread) {
                steps.push(Step::Synced { began });
            }
        } else if call.starts_with("pwrite64(") && of_messages {
            steps.push(Step::Written);
        } else if call.starts_with("sendto(") || call.starts_with("write") {
            steps.extend(numbers(call, "RETR ").map(Step::Asked));
            steps.extend(numbers(call, "TOP ").map(Step::Asked));
            steps.extend(numbers(call, "DELE ").map(Step::Deleted));
        }
    }
    steps
}

/// The numbers that were deleted, each after a sync that covers all that was written before it.
fn check(steps: &[Step]) -> Vec<u32> {
    let mut deleted = Vec::new();
    for (at, step) in steps.iter().enumerate() {
        let Step::Deleted(number) = step else {
            continue;
        };
        let before = &steps[..at];
        let asked = before.iter().position(|step| *step == Step::Asked(*number));
        let asked = asked.unwrap_or_else(|| panic!("{number} is deleted and was not fetched"));
        let written = before.iter().rposition(|step| *step == Step::Written);
        let written = written.unwrap_or_else(|| panic!("{number} is deleted and nothing was written"));
        let is_safe = before
            .iter()
            .any(|step| matches!(step, Step::Synced { began } if *began > asked && *began > written));
        assert!(is_safe, "{number} is deleted before what was written is synced");
        deleted.push(*number);
    }
    deleted
}

#[test]
fn nothing_is_deleted_on_the_server_before_it_is_synced_here() {
    if run_tool("strace", &["-V"]).is_none() {
        println!("skipped: there is no strace");
        return;
    }
    let server = Server::sandbox(Security::None);
    let letters: Vec<Vec<u8>> = (0..40)
        .map(|number| message(&format!("Number {number}"), &"text ".repeat(2000)))
        .collect();
    server.seed("INBOX", letters.iter().map(|raw| (raw.as_slice(), "")));
    let posthorn = server.profile("pop3", Security::None, Some("never"));
    let trace = posthorn.profile().with_extension("trace");
    let command = posthorn.command();
    let mut traced = Command::new("strace");
    traced
        .args([
            "-f",
            "-y",
            "-s",
            "4000",
            "-e",
            "trace=fdatasync,fsync,pwrite64,write,writev,sendto",
            "-o",
        ])
        .arg(&trace)
        .arg(command.get_program())
        .args(command.get_args())
        .args(["sync", "--json"]);
    for (name, value) in command.get_envs() {
        match value {
            Some(value) => traced.env(name, value),
            None => traced.env_remove(name),
        };
    }
    let output = traced.output().unwrap();
    let text = String::from_utf8_lossy(&std::fs::read(&trace).unwrap_or_default()).into_owned();
    if !output.status.success() && text.is_empty() {
        println!("skipped: strace may not trace here");
        return;
    }
    let said = String::from_utf8_lossy(&output.stdout);
    assert!(
        output.status.success(),
        "{said}\n{}",
        String::from_utf8_lossy(&output.stderr)
    );
    let mut deleted = check(&read(&text));
    deleted.sort_unstable();
    assert_eq!(deleted, (1..=40).collect::<Vec<_>>());
    assert!(server.held(crate::server::USER, "INBOX").is_empty());
}

#[test]
#[should_panic(expected = "before what was written is synced")]
fn a_deletion_before_the_sync_is_found() {
    let trace = "1 sendto(9<TCP>, \"RETR 1\\r\\n\", 8, 0) = 8\n\
                 2 pwrite64(5</p/messages.sqlite-wal>, \"x\", 1, 0) = 1\n\
                 2 fdatasync(5</p/messages.sqlite-wal> <unfinished ...>\n\
                 1 sendto(9<TCP>, \"DELE 1\\r\\n\", 8, 0) = 8\n\
                 2 <... fdatasync resumed>) = 0\n";
    check(&read(trace));
}
