//! Servers that misbehave, and a client that is killed meanwhile: a short round of a longer campaign, where its
//! scripts lie beside the project.

use std::collections::BTreeSet;
use std::io::{BufRead, BufReader, Write};
use std::net::{TcpListener, TcpStream};
use std::path::{Path, PathBuf};
use std::process::{Child, Command, Stdio};
use std::sync::Mutex;
use std::sync::atomic::{AtomicUsize, Ordering};
use std::time::{Duration, Instant};

use serde_json::Value;
use tempfile::TempDir;

use crate::posthorn::{Posthorn, signal};
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

/// What goes wrong between the listing and the deletion, a server that deletes by itself among it.
const POP3_MODES: &str = "ok,drop-random,drop-before-quit,quit-commit-drop,quit-err,drop-mid-retr,autodelete,err-midway,\
                          uidl-reuse,renumber,arrive-midsession";

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
            if protocol == "pop3" { "16" } else { "8" },
            "--modes",
            if protocol == "pop3" {
                POP3_MODES
            } else {
                "ok,drop-random"
            },
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

/// Ends within this, whatever the server does …
const DEADLINE: Duration = Duration::from_secs(100);
/// … and within this where only patience ends it.
const PATIENCE: Duration = Duration::from_secs(400);

/// What only ends when somebody's patience does.
const SLOW: [&str; 10] = [
    "greeting-none",
    "slow-drip",
    "stall-login",
    "stall-fetch",
    "stall-mid-literal",
    "stall-retr",
    "huge-literal",
    "huge-literal-empty",
    "unterminated-stall",
    "untagged-only",
];

/// What shows itself only to a client that stays: looked at for so long.
const STAYS: [&str; 3] = ["stall-idle", "idle-flood", "idle-bye"];
const STAY: Duration = Duration::from_secs(12);

/// What shows itself only where something is changed.
const ACTS: [&str; 11] = [
    "append-drop",
    "append-drop-lost",
    "append-no",
    "append-trycreate",
    "store-no",
    "move-drop",
    "copy-no",
    "copyuid-evil",
    "expunge-drop",
    "uid-reuse",
    "select-no",
];

/// A server that misbehaves in one way until it is told otherwise.
struct Misbehaving {
    child: Child,
    control: BufReader<TcpStream>,
    port: String,
    log: PathBuf,
    ca: PathBuf,
    _folder: TempDir,
}

impl Misbehaving {
    /// Another program may take the port for its control between our looking and its binding.
    fn start(script: &Path, mode: &str) -> Self {
        (0..5)
            .find_map(|_| Self::try_start(script, mode))
            .unwrap_or_else(|| panic!("{mode}: no server listens"))
    }

    fn try_start(script: &Path, mode: &str) -> Option<Self> {
        let folder = tempfile::tempdir().unwrap();
        let (log, certs) = (folder.path().join("log"), folder.path().join("certs"));
        let control = TcpListener::bind("127.0.0.1:0")
            .unwrap()
            .local_addr()
            .unwrap()
            .port();
        let mut child = Command::new("python3")
            .arg(script)
            .args(["--mode", mode, "--port", "0", "--size", "24", "--secs", "1800"])
            .args(["--ctl", &control.to_string()])
            .arg("--log")
            .arg(&log)
            .arg("--certs")
            .arg(&certs)
            .stdout(Stdio::piped())
            .stderr(Stdio::null())
            .spawn()
            .unwrap();
        let mut ready = String::new();
        BufReader::new(child.stdout.take().unwrap())
            .read_line(&mut ready)
            .unwrap();
        let Some(port) = ready.split_whitespace().nth(1).map(str::to_owned) else {
            let _ = child.kill();
            let _ = child.wait();
            return None;
        };
        let control = BufReader::new(TcpStream::connect(("127.0.0.1", control)).unwrap());
        Some(Self {
            child,
            control,
            port,
            log,
            ca: certs.join("ca.pem"),
            _folder: folder,
        })
    }

    fn tell(&mut self, line: &str) -> String {
        writeln!(self.control.get_mut(), "{line}").unwrap();
        let mut answer = String::new();
        self.control.read_line(&mut answer).unwrap();
        answer
    }

    /// What lies there: mailbox and content.
    fn held(&mut self) -> Vec<(String, String)> {
        let state: Value = serde_json::from_str(&self.tell("state")).unwrap();
        let mut held = Vec::new();
        for (path, mailbox) in state["boxes"].as_object().into_iter().flatten() {
            for message in mailbox["msgs"].as_array().into_iter().flatten() {
                held.push((path.clone(), message["sha"].as_str().unwrap().to_owned()));
            }
        }
        held.sort();
        held
    }

    fn violations(&self) -> Vec<String> {
        let log = std::fs::read_to_string(&self.log).unwrap_or_default();
        let lines = log.lines().filter(|line| line.contains("\"ev\": \"violation\""));
        lines.map(str::to_owned).collect()
    }
}

impl Drop for Misbehaving {
    fn drop(&mut self) {
        let _ = self.child.kill();
        let _ = self.child.wait();
    }
}

/// In mebibytes. A process's own pages: those of the program's file are many in a build that is not optimised, and are
/// shared.
fn anonymous_memory(process: u32) -> u64 {
    let status = std::fs::read_to_string(format!("/proc/{process}/status")).unwrap_or_default();
    let held = status.lines().find_map(|line| line.strip_prefix("RssAnon:"));
    let held = held.and_then(|text| text.split_whitespace().next()?.parse::<u64>().ok());
    held.unwrap_or(0) / 1024
}

/// Runs a command to its end and looks at its memory meanwhile: exit code, mebibytes at most, seconds.
fn measure(
    posthorn: &Posthorn,
    words: &[&str],
    deadline: Duration,
) -> Result<(Option<i32>, u64, f64), String> {
    let mut child = posthorn.spawn(words);
    let begin = Instant::now();
    let mut most = 0;
    loop {
        most = most.max(anonymous_memory(child.id()));
        if let Some(status) = child.try_wait().unwrap() {
            return Ok((status.code(), most, begin.elapsed().as_secs_f64()));
        }
        if begin.elapsed() > deadline {
            let _ = child.kill();
            let _ = child.wait();
            return Err(format!("does not end within {} s", deadline.as_secs()));
        }
        std::thread::sleep(Duration::from_millis(5));
    }
}

/// One mode: two passes while the server misbehaves, and two when it has come to its senses. Then what it holds is here.
fn walk_one(script: &Path, protocol: &str, mode: &str, limit: u64) -> Result<String, String> {
    let mut server = Misbehaving::start(script, mode);
    let deadline = if SLOW.contains(&mode) { PATIENCE } else { DEADLINE };
    let posthorn = Posthorn::new(Some(&server.ca));
    let endpoint = format!("localhost:{}", server.port);
    let mut words = vec![
        "account",
        "add",
        "--name",
        "it",
        "--email",
        "a@example.org",
        "--username",
        "alice",
    ];
    words.extend([
        "--protocol",
        protocol,
        "--incoming",
        &endpoint,
        "--incoming-security",
        "starttls",
    ]);
    words.extend(["--password-stdin", "--secrets", "file"]);
    if protocol == "pop3" {
        words.extend(["--leave-on-server", "never"]);
    }
    posthorn.run_with_input(&words, b"s3cret\n").expect(0);
    if ACTS.contains(&mode) && protocol == "imap" {
        act(&posthorn, &mut server, mode);
    }
    let mut passes = Vec::new();
    for words in [&["sync"][..], &["sync"]] {
        passes.push(measure(&posthorn, words, deadline).map_err(|why| format!("{mode}: {why}"))?);
    }
    let stays = STAYS.contains(&mode);
    if stays {
        passes.push(stay(&posthorn)?);
    }
    server.tell("mode ok");
    for words in [&["sync"][..], &["sync"]] {
        passes.push(measure(&posthorn, words, deadline).map_err(|why| format!("{mode}: then {why}"))?);
    }
    let most = passes
        .iter()
        .map(|(_, memory, _)| *memory)
        .max()
        .unwrap_or_default();
    let ends: Vec<String> = passes
        .iter()
        .map(|(code, _, seconds)| format!("{} in {seconds:.1} s", code.unwrap_or(-1)))
        .collect();
    let said = format!("{mode}: {}, {most} MiB", ends.join(", "));
    if passes
        .iter()
        .any(|(code, ..)| code.is_none() || *code == Some(101))
    {
        return Err(format!("{said}: it fell over"));
    }
    if protocol == "imap" {
        let dump = posthorn.json(&["dump"]);
        let here: BTreeSet<&str> = dump["messages"]
            .as_array()
            .into_iter()
            .flatten()
            .filter_map(|message| message["sha"].as_str())
            .collect();
        let held = server.held();
        let missing = held
            .iter()
            .filter(|(_, sha)| !here.contains(sha.as_str()))
            .count();
        if missing > 0 {
            return Err(format!(
                "{said}: {missing} of {} messages are not here",
                held.len()
            ));
        }
    }
    if most > limit {
        return Err(format!("{said}: more than {limit} MiB"));
    }
    let names = posthorn.run(&["mailboxes"]).expect(0).text();
    if names.contains("Injected") || names.contains("Forged") {
        return Err(format!("{said}: it believed what came before TLS"));
    }
    match server.violations().first() {
        Some(first) => Err(format!("{said}: {first}")),
        None => Ok(said),
    }
}

/// A good pass, then wishes that the server will meet in its mode. Only these messages may go from the inbox.
fn act(posthorn: &Posthorn, server: &mut Misbehaving, mode: &str) {
    server.tell("mode ok");
    posthorn.run(&["sync"]).expect(0);
    let rows = posthorn.list(&["list", "it/INBOX"], "messages");
    let ids: Vec<String> = rows.iter().map(|row| row["id"].to_string()).collect();
    let [flagged, moved, deleted, copied, ..] = ids.as_slice() else {
        panic!("five messages, and {ids:?}");
    };
    posthorn.json(&["flag", flagged, "--add", "flagged"]);
    posthorn.json(&["move", moved, "it/Archive"]);
    posthorn.json(&["delete", deleted]);
    // Deleted for good and taken back, a message is uploaded.
    posthorn.json(&["delete", copied]);
    posthorn.run(&["sync"]);
    posthorn.json(&["delete", copied]);
    posthorn.run(&["sync"]);
    posthorn.json(&["undo"]);
    posthorn.json(&["flag", deleted, "--add", "answered"]);
    posthorn.json(&["move", flagged, "it/Junk"]);
    server.tell(&format!("mode {mode}"));
}

/// Watches for a while, then is asked to leave: its memory, and how long leaving took.
fn stay(posthorn: &Posthorn) -> Result<(Option<i32>, u64, f64), String> {
    let mut child = posthorn.spawn(&["watch", "--json"]);
    let begin = Instant::now();
    let mut most = 0;
    while begin.elapsed() < STAY {
        most = most.max(anonymous_memory(child.id()));
        if let Some(status) = child.try_wait().unwrap() {
            return Err(format!("watch ended by itself: {status}"));
        }
        std::thread::sleep(Duration::from_millis(20));
    }
    signal(child.id(), "INT");
    let asked = Instant::now();
    loop {
        if let Some(status) = child.try_wait().unwrap() {
            return Ok((status.code(), most, asked.elapsed().as_secs_f64()));
        }
        if asked.elapsed() > DEADLINE {
            let _ = child.kill();
            let _ = child.wait();
            return Err("watch does not leave".to_owned());
        }
        std::thread::sleep(Duration::from_millis(20));
    }
}

fn walk(protocol: &str, limit: u64) {
    let Some(script) = shared(&format!("hostile/hostile_{protocol}.py")) else {
        println!("skipped: the hostile servers do not lie beside the project");
        return;
    };
    let Ok(output) = Command::new("python3").arg(&script).arg("--list-modes").output() else {
        println!("skipped: no Python");
        return;
    };
    // It takes minutes: asked for by name.
    let Ok(only) = std::env::var("POSTHORN_HOSTILE_MODES") else {
        println!(
            "skipped: POSTHORN_HOSTILE_MODES names no mode; `all` walks those that do not wait, `every` all"
        );
        return;
    };
    let said = String::from_utf8_lossy(&output.stdout).into_owned();
    let modes: Vec<&str> = said
        .split_whitespace()
        .filter(|mode| match only.as_str() {
            "all" => !SLOW.contains(mode),
            "every" => true,
            only => only.split(',').any(|wanted| wanted == *mode),
        })
        .collect();
    let next = AtomicUsize::new(0);
    let failed = Mutex::new(Vec::new());
    // Some at a time: each waits for the other side most of the time.
    std::thread::scope(|scope| {
        for _ in 0..4 {
            scope.spawn(|| {
                while let Some(mode) = modes.get(next.fetch_add(1, Ordering::SeqCst)) {
                    match walk_one(&script, protocol, mode, limit) {
                        Ok(said) => println!("{said}"),
                        Err(said) => {
                            println!("FAILED {said}");
                            failed.lock().unwrap().push(said);
                        }
                    }
                }
            });
        }
    });
    let failed = failed.into_inner().unwrap();
    assert!(
        failed.is_empty(),
        "{} of {} modes:\n{}",
        failed.len(),
        modes.len(),
        failed.join("\n")
    );
}

#[cfg(target_os = "linux")]
#[test]
fn imap_bears_every_mode() {
    walk("imap", 300);
}

#[cfg(target_os = "linux")]
#[test]
fn pop3_bears_every_mode() {
    walk("pop3", 80);
}
