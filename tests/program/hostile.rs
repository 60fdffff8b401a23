//! Servers that misbehave, and a client that is killed meanwhile: a short round of a longer campaign, where its
//! scripts lie beside the project.

use std::io::{BufRead, BufReader, Write};
use std::net::{TcpListener, TcpStream};
use std::path::{Path, PathBuf};
use std::process::{Child, Command, Stdio};
use std::sync::Mutex;
use std::sync::atomic::{AtomicUsize, Ordering};
use std::time::{Duration, Instant};

use tempfile::TempDir;

use crate::posthorn::Posthorn;
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

/// What only ends when somebody's patience does, or shows itself only to a client that stays: not for this walk.
const SLOW: [&str; 13] = [
    "greeting-none",
    "slow-drip",
    "stall-login",
    "stall-fetch",
    "stall-mid-literal",
    "stall-idle",
    "stall-retr",
    "huge-literal-empty",
    "idle-flood",
    "idle-bye",
    "unterminated-stall",
    "untagged-only",
    "append-drop",
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
            .expect("a server that listens")
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
            .args(["--mode", mode, "--port", "0", "--size", "24", "--secs", "900"])
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

    fn tell(&mut self, line: &str) {
        writeln!(self.control.get_mut(), "{line}").unwrap();
        let mut answer = String::new();
        self.control.read_line(&mut answer).unwrap();
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
        let status = std::fs::read_to_string(format!("/proc/{}/status", child.id())).unwrap_or_default();
        // Its own pages: those of the program's file are many in a build that is not optimised, and are shared.
        let peak = status.lines().find_map(|line| line.strip_prefix("RssAnon:"));
        let peak = peak.and_then(|text| text.split_whitespace().next()?.parse::<u64>().ok());
        most = most.max(peak.unwrap_or(0) / 1024);
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

/// One mode: a pass while the server misbehaves, and one when it has come to its senses.
fn walk_one(script: &Path, protocol: &str, mode: &str, limit: u64) -> Result<String, String> {
    let mut server = Misbehaving::start(script, mode);
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
    let deadline = if SLOW.contains(&mode) { PATIENCE } else { DEADLINE };
    let (code, memory, seconds) =
        measure(&posthorn, &["sync"], deadline).map_err(|said| format!("{mode}: {said}"))?;
    server.tell("mode ok");
    let (again, memory_again, _) =
        measure(&posthorn, &["sync"], DEADLINE).map_err(|said| format!("{mode}, then well: {said}"))?;
    let most = memory.max(memory_again);
    let said = format!("{mode}: {code:?} in {seconds:.1} s, then {again:?}, {most} MiB");
    if code.is_none() || again.is_none() || [code, again].contains(&Some(101)) {
        return Err(format!("{said}: it fell over"));
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
    // Two at a time: each waits for the other side most of the time.
    std::thread::scope(|scope| {
        for _ in 0..2 {
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
