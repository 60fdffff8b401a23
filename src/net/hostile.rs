//! For tests: servers that break their protocols on purpose, from `../shared/hostile` beside the workspace.

use posthorn_model::{Endpoint, Secret, Security};
use std::io::{BufRead, BufReader, Write};
use std::net::{TcpListener, TcpStream};
use std::path::{Path, PathBuf};
use std::process::{Child, Command, Stdio};
use std::time::Duration;

use crate::{Credentials, DialOptions, Dialer};

/// One running server, whose behaviour is changed while it runs. Stopped when dropped.
pub(crate) struct Hostile {
    child: Child,
    control: BufReader<TcpStream>,
    port: u16,
    dir: tempfile::TempDir,
}

impl Hostile {
    /// `None`, with a printed line, where the servers or Python are not at hand.
    pub(crate) fn start(script: &str, arguments: &[&str]) -> Option<Self> {
        let path = Path::new(env!("CARGO_MANIFEST_DIR"))
            .join("../../../shared/hostile")
            .join(script);
        let free = TcpListener::bind("127.0.0.1:0")
            .and_then(|listener| listener.local_addr())
            .expect("a free port");
        let dir = tempfile::tempdir().expect("dir");
        let started = Command::new("python3")
            .arg(&path)
            .args([
                "--port",
                "0",
                "--ctl",
                &free.port().to_string(),
                "--storm",
                "100000",
                "--stall",
                "6",
            ])
            .arg("--log")
            .arg(dir.path().join("log"))
            .arg("--certs")
            .arg(dir.path().join("certs"))
            .args(arguments)
            .stdout(Stdio::piped())
            .spawn();
        let Some(mut child) = started.ok().filter(|_| path.exists()) else {
            println!("skipped: {} is not here", path.display());
            return None;
        };
        let mut ready = String::new();
        BufReader::new(child.stdout.take().expect("stdout"))
            .read_line(&mut ready)
            .expect("a line");
        let port = ready
            .split_whitespace()
            .nth(1)
            .and_then(|port| port.parse().ok())
            .expect("READY port");
        let control = TcpStream::connect(("127.0.0.1", free.port())).expect("control port");
        Some(Self {
            child,
            control: BufReader::new(control),
            port,
            dir,
        })
    }

    /// Sends a line to the control port and gives the answer.
    pub(crate) fn tell(&mut self, line: &str) -> String {
        writeln!(self.control.get_mut(), "{line}").expect("control");
        let mut answer = String::new();
        self.control.read_line(&mut answer).expect("control");
        answer.trim().to_owned()
    }

    pub(crate) fn endpoint(&self, security: Security) -> Endpoint {
        Endpoint {
            host: "localhost".into(),
            port: self.port,
            security,
        }
    }

    /// Bears a silence of two seconds.
    pub(crate) fn dialer(&self, memory_limit: usize) -> Dialer {
        Dialer::new(DialOptions {
            ca_file: Some(self.dir.path().join("certs/ca.pem")),
            read_timeout: Duration::from_secs(2),
            spool_dir: self.dir.path().join("spool"),
            memory_limit,
            ..DialOptions::default()
        })
        .expect("dialer")
    }

    /// What the server saw that no client should do.
    pub(crate) fn violations(&self) -> Vec<String> {
        let log = std::fs::read_to_string(self.log()).expect("log");
        log.lines()
            .filter(|line| line.contains("\"ev\": \"violation\""))
            .map(str::to_owned)
            .collect()
    }

    pub(crate) fn log(&self) -> PathBuf {
        self.dir.path().join("log")
    }
}

impl Drop for Hostile {
    fn drop(&mut self) {
        self.child.kill().ok();
        self.child.wait().ok();
    }
}

pub(crate) fn alice() -> Credentials {
    Credentials::Password {
        username: "alice".into(),
        password: Secret::new("s3cret".into()),
    }
}
