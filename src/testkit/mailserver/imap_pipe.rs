//! An IMAP session with none of the code of the client under test: how tests look at mailboxes and change them. With
//! the server's own imap program over pipes, logged in already, or by a password over loopback.

use std::io::{BufRead, BufReader, Read, Write};
use std::net::{Ipv4Addr, TcpStream};
use std::process::{Child, Command, Stdio};

use posthorn_model::{Hash, Timestamp};
use sha2::{Digest, Sha256};

use super::{Error, Result, Seed, fail};

const MONTHS: [&str; 12] = [
    "Jan", "Feb", "Mar", "Apr", "May", "Jun", "Jul", "Aug", "Sep", "Oct", "Nov", "Dec",
];

/// A message as the server serves it.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct ServedMessage {
    pub uid: u32,
    /// IMAP flags, sorted, without `\Recent`.
    pub flags: Vec<String>,
    pub raw: Vec<u8>,
    pub sha256: Hash,
}

/// Ends its session when it is dropped.
pub struct ImapPipe {
    child: Option<Child>,
    input: Option<Box<dyn Write>>,
    output: BufReader<Box<dyn Read>>,
}

impl ImapPipe {
    /// Runs a program that speaks IMAP over its standard input and output and greets with PREAUTH.
    pub(super) fn open(mut command: Command) -> Result<Self> {
        let mut child = command
            .stdin(Stdio::piped())
            .stdout(Stdio::piped())
            .stderr(Stdio::null())
            .spawn()?;
        let (input, output) = (child.stdin.take(), child.stdout.take());
        let output = output.ok_or_else(|| Error("no pipe to imap".into()))?;
        let mut pipe = Self {
            child: Some(child),
            input: input.map(|input| Box::new(input) as Box<dyn Write>),
            output: BufReader::new(Box::new(output)),
        };
        loop {
            let greeting = pipe.line()?;
            if greeting.starts_with("* PREAUTH") {
                return Ok(pipe);
            }
            // Courier says first what it cannot do.
            if !greeting.starts_with("* OK [ALERT]") {
                return fail(format!("imap said {greeting:?}"));
            }
        }
    }

    /// Logs in on loopback, in clear.
    pub fn connect(port: u16, user: &str, password: &str) -> Result<Self> {
        let stream = TcpStream::connect((Ipv4Addr::LOCALHOST, port))?;
        stream.set_read_timeout(Some(super::PATIENCE))?;
        let mut pipe = Self {
            child: None,
            input: Some(Box::new(stream.try_clone()?)),
            output: BufReader::new(Box::new(stream)),
        };
        pipe.line()?;
        pipe.command(&format!("LOGIN {} {}", quote(user), quote(password)))?;
        Ok(pipe)
    }

    fn line(&mut self) -> Result<String> {
        let mut line = Vec::new();
        self.output.read_until(b'\n', &mut line)?;
        if line.is_empty() {
            return fail("imap ended");
        }
        Ok(String::from_utf8_lossy(&line).trim_end().to_owned())
    }

    fn send(&mut self, bytes: &[u8]) -> Result<()> {
        match &mut self.input {
            Some(input) => {
                input.write_all(bytes)?;
                Ok(input.flush()?)
            }
            None => fail("no pipe to imap"),
        }
    }

    /// One command; its untagged lines, once it was answered OK.
    pub fn command(&mut self, text: &str) -> Result<Vec<String>> {
        self.send(format!("t {text}\r\n").as_bytes())?;
        self.answer(text)
    }

    fn answer(&mut self, what: &str) -> Result<Vec<String>> {
        let mut lines = Vec::new();
        loop {
            let line = self.line()?;
            match line.strip_prefix("t ") {
                Some(answer) if answer.starts_with("OK") => return Ok(lines),
                Some(answer) => return fail(format!("{what}: {answer}")),
                None => lines.push(line),
            }
        }
    }

    /// Puts a message into a mailbox that exists.
    pub fn append(&mut self, mailbox: &str, message: &Seed) -> Result<()> {
        let date = message
            .internal_date
            .map(|at| format!(" {}", date_time(at)))
            .unwrap_or_default();
        let name = quote(mailbox);
        let head = format!(
            "t APPEND {name} ({}){date} {{{}}}\r\n",
            message.flags,
            message.raw.len()
        );
        self.send(head.as_bytes())?;
        // Not every server takes a literal unasked.
        let leave = self.line()?;
        if !leave.starts_with('+') {
            return fail(format!("APPEND: {leave}"));
        }
        self.send(&message.raw)?;
        self.send(b"\r\n")?;
        self.answer("APPEND").map(|_| ())
    }

    /// All mailboxes, as the server writes them.
    pub fn list(&mut self) -> Result<Vec<String>> {
        let lines = self.command("LIST \"\" *")?;
        let names = lines
            .iter()
            .filter(|line| line.starts_with("* LIST"))
            .filter_map(|line| {
                // `* LIST (attributes) "." name`
                let (_, name) = line.split_once(") ")?.1.split_once(' ')?;
                Some(name.trim_matches('"').to_owned())
            });
        Ok(names.collect())
    }

    /// Every message of the selected mailbox.
    pub fn fetch_all(&mut self) -> Result<Vec<ServedMessage>> {
        self.send(b"t UID FETCH 1:* (UID FLAGS BODY.PEEK[])\r\n")?;
        let mut messages = Vec::new();
        loop {
            let line = self.line()?;
            if let Some(answer) = line.strip_prefix("t ") {
                return if answer.starts_with("OK") {
                    Ok(messages)
                } else {
                    fail(answer)
                };
            }
            let Some(size) = line
                .strip_suffix('}')
                .and_then(|line| line.rsplit_once('{')?.1.parse().ok())
            else {
                continue;
            };
            let mut raw = vec![0; size];
            self.output.read_exact(&mut raw)?;
            self.line()?;
            messages.push(read_item(&line, raw)?);
        }
    }
}

impl Drop for ImapPipe {
    fn drop(&mut self) {
        let _ = self.send(b"t LOGOUT\r\n");
        drop(self.input.take());
        // Read to the end, so that it cannot wait for us to read while we wait for it to end.
        let _ = std::io::copy(&mut self.output, &mut std::io::sink());
        if let Some(child) = &mut self.child {
            let _ = child.wait();
        }
    }
}

fn read_item(line: &str, raw: Vec<u8>) -> Result<ServedMessage> {
    let uid = line
        .split_once("UID ")
        .and_then(|(_, rest)| rest.split([' ', ')']).next()?.parse().ok());
    let flags = line
        .split_once("FLAGS (")
        .and_then(|(_, rest)| rest.split(')').next());
    let (Some(uid), Some(flags)) = (uid, flags) else {
        return fail(format!("imap said {line:?}"));
    };
    let mut flags: Vec<String> = flags
        .split_ascii_whitespace()
        .filter(|flag| *flag != "\\Recent")
        .map(str::to_owned)
        .collect();
    flags.sort();
    let sha256 = Hash(Sha256::digest(&raw).into());
    Ok(ServedMessage {
        uid,
        flags,
        raw,
        sha256,
    })
}

/// As a quoted string.
pub fn quote(text: &str) -> String {
    format!("\"{}\"", text.replace('\\', "\\\\").replace('"', "\\\""))
}

fn date_time(at: Timestamp) -> String {
    let at = jiff::Timestamp::from_second(at.0)
        .unwrap_or_default()
        .to_zoned(jiff::tz::TimeZone::UTC);
    let month = usize::try_from(at.month() - 1)
        .ok()
        .and_then(|index| MONTHS.get(index))
        .unwrap_or(&"Jan");
    let (day, year, hour, minute, second) = (at.day(), at.year(), at.hour(), at.minute(), at.second());
    format!("\"{day:2}-{month}-{year:04} {hour:02}:{minute:02}:{second:02} +0000\"")
}
