//! The three servers from outside: transcripts over duplex streams, and Python's clients over real sockets.

mod clients;
#[cfg(target_os = "linux")]
mod dovecot;
mod extensions;
mod faults;
mod hostile;
mod imap;
mod pop3;
mod smtp;

use tokio::io::{AsyncReadExt, AsyncWriteExt, DuplexStream};

use crate::{Sandbox, SandboxOptions, Service};

/// A server that is silent for so long has failed the test.
const PATIENCE: std::time::Duration = std::time::Duration::from_secs(20);

/// A client that sends lines and reads until a line begins as expected.
pub struct Talk {
    stream: DuplexStream,
    seen: Vec<u8>,
}

impl Talk {
    pub fn open(sandbox: &Sandbox, service: Service) -> Self {
        let (stream, server) = tokio::io::duplex(1 << 16);
        match service {
            Service::Imap => tokio::spawn(sandbox.serve_imap(server)),
            Service::Pop3 => tokio::spawn(sandbox.serve_pop3(server)),
            Service::Smtp => tokio::spawn(sandbox.serve_smtp(server)),
        };
        Self {
            stream,
            seen: Vec::new(),
        }
    }

    /// One line with its line end, or what is left at the end.
    pub async fn line(&mut self) -> String {
        loop {
            if let Some(at) = self.seen.iter().position(|byte| *byte == b'\n') {
                let line: Vec<u8> = self.seen.drain(..=at).collect();
                return String::from_utf8_lossy(&line).into_owned();
            }
            let mut chunk = [0; 4096];
            let read = tokio::time::timeout(PATIENCE, self.stream.read(&mut chunk)).await;
            let count = read.expect("the server says nothing").unwrap_or(0);
            if count == 0 {
                return String::from_utf8_lossy(&std::mem::take(&mut self.seen)).into_owned();
            }
            self.seen.extend_from_slice(&chunk[..count]);
        }
    }

    pub async fn send(&mut self, text: &str) {
        self.stream.write_all(text.as_bytes()).await.unwrap();
    }

    /// All lines up to and including the one that begins with `end`; panics where the connection ends first.
    pub async fn until(&mut self, end: &str) -> String {
        let mut all = String::new();
        loop {
            let line = self.line().await;
            assert!(!line.is_empty(), "waited for {end:?}, got {all:?}");
            all.push_str(&line);
            if line.starts_with(end) {
                return all;
            }
        }
    }

    /// Sends one IMAP command and reads to its tagged answer.
    pub async fn ask(&mut self, command: &str) -> String {
        self.send(&format!("t {command}\r\n")).await;
        self.until("t ").await
    }

    /// Asks, and compares the whole answer, line ends as `\n`.
    pub async fn check(&mut self, command: &str, expect: &str) {
        let answer = self.ask(command).await.replace("\r\n", "\n");
        assert_eq!(answer.trim_end(), expect, "{command}");
    }
}

pub fn empty() -> Sandbox {
    Sandbox::without_ports(SandboxOptions::plain_and_empty()).unwrap()
}
