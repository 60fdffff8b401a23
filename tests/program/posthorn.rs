//! The built program, run as a script runs it, on a profile of its own.

use serde_json::Value;
use std::ffi::OsStr;
use std::io::{BufRead, BufReader, Read, Write};
use std::path::{Path, PathBuf};
use std::process::{Child, ChildStdout, Command, ExitStatus, Stdio};
use std::sync::mpsc;
use std::time::{Duration, Instant};
use tempfile::TempDir;

/// No command on these few messages may take longer; one that does hangs.
const PATIENCE: Duration = Duration::from_secs(180);

/// What the program printed and how it left.
#[derive(Debug)]
pub struct Answer {
    /// `None`: ended by a signal.
    pub code: Option<i32>,
    pub stdout: Vec<u8>,
    pub stderr: String,
}

impl Answer {
    pub fn json(&self) -> Value {
        serde_json::from_slice(&self.stdout).unwrap_or_else(|error| {
            panic!(
                "not one JSON document ({error}): {:?}",
                String::from_utf8_lossy(&self.stdout)
            )
        })
    }

    pub fn text(&self) -> String {
        String::from_utf8_lossy(&self.stdout).into_owned()
    }

    #[track_caller]
    pub fn expect(self, code: i32) -> Self {
        assert_eq!(self.code, Some(code), "{}\n{}", self.text(), self.stderr);
        self
    }

    /// The error of a command that failed with `code`, whose class must be `class`.
    #[track_caller]
    pub fn expect_error(self, code: i32, class: &str) -> Value {
        let answer = self.expect(code);
        let error = answer.json()["error"].clone();
        assert_eq!(error["class"], class, "{error}");
        assert!(
            error["message"]
                .as_str()
                .is_some_and(|message| !message.is_empty()),
            "{error}"
        );
        assert!(error["remedies"].is_array(), "{error}");
        error
    }
}

/// A profile and the program on it. The profile goes when this is dropped.
pub struct Posthorn {
    home: TempDir,
    profile: PathBuf,
    ca: Option<PathBuf>,
    /// Environment of every command.
    settings: Vec<(&'static str, &'static str)>,
}

impl Posthorn {
    pub fn new(ca: Option<&Path>) -> Self {
        let home = tempfile::Builder::new()
            .prefix("posthorn-test-")
            .tempdir()
            .unwrap();
        let profile = home.path().join("profile");
        // A server without TLS has no authority to trust.
        let ca = ca.filter(|ca| std::fs::metadata(ca).is_ok_and(|file| file.len() > 0));
        // A copy: the server that it belongs to may go first.
        let ca = ca.map(|ca| {
            let copy = home.path().join("ca.pem");
            std::fs::copy(ca, &copy).unwrap();
            copy
        });
        Self {
            home,
            profile,
            ca,
            settings: Vec::new(),
        }
    }

    /// On a profile that lies elsewhere.
    pub fn at(profile: &Path, ca: Option<&Path>) -> Self {
        Self {
            profile: profile.to_owned(),
            ..Self::new(ca)
        }
    }

    /// Sets a variable in the environment of every command from here on.
    pub fn set(&mut self, name: &'static str, value: &'static str) {
        self.settings.push((name, value));
    }

    pub fn profile(&self) -> &Path {
        &self.profile
    }

    pub fn command(&self) -> Command {
        let mut command = Command::new(env!("CARGO_BIN_EXE_posthorn"));
        command
            .arg("--profile")
            .arg(&self.profile)
            .env("HOME", self.home.path())
            .env("POSTHORN_SECRETS_KEY", "the key of these tests")
            .env("TZ", "UTC")
            .stdin(Stdio::null())
            .stdout(Stdio::piped())
            .stderr(Stdio::piped());
        for name in [
            "XDG_CONFIG_HOME",
            "XDG_DATA_HOME",
            "XDG_RUNTIME_DIR",
            "DBUS_SESSION_BUS_ADDRESS",
            "COLUMNS",
        ] {
            command.env_remove(name);
        }
        command.envs(self.settings.iter().copied());
        if let Some(ca) = &self.ca {
            command.arg("--ca-file").arg(ca);
        }
        command
    }

    /// With `--json`.
    pub fn run(&self, words: &[&str]) -> Answer {
        self.run_with_input(words, b"")
    }

    pub fn run_with_input(&self, words: &[&str], input: &[u8]) -> Answer {
        let mut command = self.command();
        command.arg("--json").args(words);
        finish(command, input)
    }

    /// As people run it, without `--json`.
    pub fn run_plain(&self, words: &[&str]) -> Answer {
        let mut command = self.command();
        command.args(words);
        finish(command, b"")
    }

    /// The JSON of a command that must work.
    #[track_caller]
    pub fn json(&self, words: &[&str]) -> Value {
        self.run(words).expect(0).json()
    }

    /// The array under `name` in the JSON of a command that must work.
    #[track_caller]
    pub fn list(&self, words: &[&str], name: &str) -> Vec<Value> {
        self.json(words)[name]
            .as_array()
            .unwrap_or_else(|| panic!("no {name:?} in the answer"))
            .clone()
    }

    /// Ids of a mailbox's messages by their subject.
    #[track_caller]
    pub fn id_of(&self, mailbox: &str, subject: &str) -> String {
        let messages = self.list(&["list", mailbox, "--limit", "1000"], "messages");
        let found = messages.iter().find(|message| message["subject"] == subject);
        found.unwrap_or_else(|| panic!("no {subject:?} in {messages:#?}"))["id"].to_string()
    }

    /// A command that goes on until it is told to stop.
    pub fn start(&self, words: &[&str]) -> Running {
        let mut command = self.command();
        command.arg("--json").args(words).stderr(Stdio::inherit());
        let mut child = command.spawn().unwrap();
        let lines = read_lines(child.stdout.take().unwrap());
        Running { child, lines }
    }

    pub fn spawn(&self, words: &[impl AsRef<OsStr>]) -> Child {
        let mut command = self.command();
        command.args(words).stdout(Stdio::null()).stderr(Stdio::null());
        command.spawn().unwrap()
    }

    /// Every file of the profile.
    pub fn files(&self) -> Vec<PathBuf> {
        fn walk(folder: &Path, found: &mut Vec<PathBuf>) {
            for entry in std::fs::read_dir(folder).into_iter().flatten() {
                let path = entry.unwrap().path();
                if path.is_dir() {
                    walk(&path, found)
                } else {
                    found.push(path)
                }
            }
        }
        let mut found = Vec::new();
        walk(&self.profile, &mut found);
        found
    }
}

fn finish(mut command: Command, input: &[u8]) -> Answer {
    command.stdin(Stdio::piped());
    let mut child = command.spawn().unwrap();
    let mut stdin = child.stdin.take().unwrap();
    let input = input.to_vec();
    // A program that does not read its input must not block us, nor we it.
    std::thread::spawn(move || {
        let _ = stdin.write_all(&input);
    });
    let pid = child.id();
    let (sender, receiver) = mpsc::channel();
    std::thread::spawn(move || sender.send(child.wait_with_output()));
    let Ok(output) = receiver.recv_timeout(PATIENCE) else {
        signal(pid, "KILL");
        panic!("hangs: {command:?}");
    };
    let output = output.unwrap();
    Answer {
        code: output.status.code(),
        stdout: output.stdout,
        stderr: String::from_utf8_lossy(&output.stderr).into_owned(),
    }
}

fn read_lines(stdout: ChildStdout) -> mpsc::Receiver<String> {
    let (sender, receiver) = mpsc::channel();
    std::thread::spawn(move || {
        for line in BufReader::new(stdout).lines().map_while(Result::ok) {
            if sender.send(line).is_err() {
                break;
            }
        }
    });
    receiver
}

/// Sends a signal to a process that this test started.
pub fn signal(pid: u32, name: &str) {
    let status = Command::new("kill")
        .args([format!("-{name}"), pid.to_string()])
        .status();
    assert!(status.is_ok_and(|status| status.success()), "cannot signal {pid}");
}

/// Until it has ended; one that does not hangs, and is killed.
#[track_caller]
pub fn wait_for_end(child: &mut Child) -> ExitStatus {
    let end = Instant::now() + PATIENCE;
    while Instant::now() < end {
        if let Some(status) = child.try_wait().unwrap() {
            return status;
        }
        std::thread::sleep(Duration::from_millis(5));
    }
    let _ = child.kill();
    panic!("process {} does not end", child.id());
}

/// A command that goes on. Killed when dropped.
pub struct Running {
    child: Child,
    lines: mpsc::Receiver<String>,
}

impl Running {
    /// The next line of JSON that is as wanted.
    #[track_caller]
    pub fn wait_for(&self, what: &str, wanted: impl Fn(&Value) -> bool) -> Value {
        let mut seen = Vec::new();
        // Of all the lines together: a program that goes on telling something else hangs as well.
        let end = Instant::now() + PATIENCE;
        loop {
            let left = end.saturating_duration_since(Instant::now());
            let Ok(line) = self.lines.recv_timeout(left) else {
                panic!("{what} did not come; there were {seen:#?}");
            };
            let value: Value = serde_json::from_str(&line).unwrap();
            if wanted(&value) {
                return value;
            }
            seen.push(value);
        }
    }

    /// Asks it to stop; its exit code.
    #[track_caller]
    pub fn stop(mut self, name: &str) -> Option<i32> {
        signal(self.child.id(), name);
        wait_for_end(&mut self.child).code()
    }
}

impl Drop for Running {
    fn drop(&mut self) {
        let _ = self.child.kill();
        let _ = self.child.wait();
    }
}

/// Runs another program to its end; `None` where it is not installed.
pub fn run_tool(name: &str, words: &[&str]) -> Option<String> {
    let mut child = Command::new(name)
        .args(words)
        .stdin(Stdio::null())
        .stdout(Stdio::piped())
        .stderr(Stdio::inherit())
        .spawn()
        .ok()?;
    let mut text = String::new();
    child.stdout.take()?.read_to_string(&mut text).ok()?;
    child.wait().is_ok_and(|status| status.success()).then_some(text)
}
