//! One POP3 connection.

use std::sync::Arc;

use md5::{Digest, Md5};
use posthorn_model::Uid;

use crate::fault::Service;
use crate::imap::session::decode_plain;
use crate::mailbox::{MailStore, StoredMessage};
use crate::server::Core;
use crate::wire::{Hangup, Link, Result, trim_line};

/// RFC 2449 section 4 asks for 255; AUTH responses are longer.
const MAX_LINE: usize = 4096;
const MAX_FAILURES: u32 = 20;

/// The maildrop as it was at login (RFC 1939 section 5). Dropping it lets the lock go.
struct Maildrop {
    store: MailStore,
    user: String,
    messages: Vec<StoredMessage>,
    deleted: Vec<bool>,
    validity: u32,
}

impl Maildrop {
    /// `None` where another session holds it.
    fn open(store: &MailStore, user: &str) -> Option<Self> {
        store.change_quietly(|state| {
            let account = state.account_mut(user)?;
            if std::mem::replace(&mut account.maildrop_locked, true) {
                return None;
            }
            let (messages, validity) = account
                .mailbox("INBOX")
                .map(|inbox| (inbox.messages.clone(), inbox.uid_validity))
                .unwrap_or_default();
            Some(Self {
                store: store.clone(),
                user: user.to_owned(),
                deleted: vec![false; messages.len()],
                messages,
                validity,
            })
        })
    }

    /// Numbers and messages that are not marked deleted.
    fn listed(&self) -> impl Iterator<Item = (usize, &StoredMessage)> {
        let numbered = (1..).zip(self.messages.iter().zip(&self.deleted));
        numbered
            .filter(|(_, (_, deleted))| !**deleted)
            .map(|(number, (message, _))| (number, message))
    }

    fn find(&self, argument: &str) -> Option<(usize, &StoredMessage)> {
        let number: usize = argument.parse().ok()?;
        self.listed().find(|(listed, _)| *listed == number)
    }

    fn uidl(&self, message: &StoredMessage) -> String {
        format!("{:08x}{:08x}", self.validity, message.uid.value())
    }

    /// Carries the deletions out.
    fn commit(&self) {
        let marked = self
            .messages
            .iter()
            .zip(&self.deleted)
            .filter(|(_, deleted)| **deleted);
        let uids: Vec<Uid> = marked.map(|(message, _)| message.uid).collect();
        self.store.change(|state| {
            let inbox = state
                .account_mut(&self.user)
                .and_then(|account| account.mailbox_mut("INBOX"));
            if let Some(inbox) = inbox.filter(|inbox| inbox.uid_validity == self.validity) {
                inbox.remove(|message| uids.contains(&message.uid));
            }
        });
    }
}

impl Drop for Maildrop {
    fn drop(&mut self) {
        self.store.change_quietly(|state| {
            if let Some(account) = state.account_mut(&self.user) {
                account.maildrop_locked = false;
            }
        });
    }
}

pub struct Session {
    link: Link,
    core: Arc<Core>,
    /// What USER said.
    name: Option<String>,
    maildrop: Option<Maildrop>,
    /// What APOP's digest is made over: with the angle brackets, empty where APOP is not offered.
    stamp: String,
    failures: u32,
}

impl Session {
    pub fn new(link: Link, core: Arc<Core>) -> Self {
        let stamp = if core.apop {
            format!("<{}.{}@sandbox>", std::process::id(), core.store.next_number())
        } else {
            String::new()
        };
        Self {
            link,
            stamp,
            core,
            name: None,
            maildrop: None,
            failures: 0,
        }
    }

    pub async fn run(mut self) -> Hangup {
        let greeting = format!("+OK sandbox ready {}", self.stamp);
        self.link.line(greeting.trim_end());
        let end = loop {
            if let Err(hangup) = self.turn().await {
                break hangup;
            }
        };
        if end == Hangup::LineTooLong {
            self.link.line("-ERR line too long");
        }
        // Before the last bytes leave, so that a client that has read them can come back at once.
        self.maildrop = None;
        if end != Hangup::Fault {
            self.link.close().await;
        }
        end
    }

    async fn turn(&mut self) -> Result<()> {
        let line = self.link.read_line(MAX_LINE).await?;
        let line = String::from_utf8_lossy(trim_line(&line)).into_owned();
        let (word, argument) = line.split_once(' ').unwrap_or((&line, ""));
        let command = word.to_ascii_uppercase();
        if let Some(reply) = self.core.faults.answer(Service::Pop3, &command) {
            self.link.line(reply);
            return Ok(());
        }
        let cut = self.core.faults.closes_before_answer(Service::Pop3, &command);
        match command.as_str() {
            "QUIT" => self.quit()?,
            "CAPA" if self.core.offers("CAPA") => self.capa(),
            _ if self.maildrop.is_none() => self.authorise(&command, argument).await?,
            _ => self.transact(&command, argument),
        }
        if cut {
            return Err(Hangup::Fault);
        }
        if !self.core.offers("PIPELINING") {
            self.link.flush().await?;
        }
        self.link.relieve().await
    }

    fn error(&mut self, text: &str) -> Result<()> {
        self.link.line(format!("-ERR {text}"));
        self.failures += 1;
        if self.failures > MAX_FAILURES {
            Err(Hangup::Done)
        } else {
            Ok(())
        }
    }

    fn quit(&mut self) -> Result<()> {
        let Some(maildrop) = self.maildrop.take() else {
            self.link.line("+OK bye");
            return Err(Hangup::Done);
        };
        if let Some(deletes) = self.core.faults.drops_quit() {
            if deletes {
                maildrop.commit();
            }
            return Err(Hangup::Fault);
        }
        maildrop.commit();
        let count = maildrop.deleted.iter().filter(|deleted| **deleted).count();
        self.link.line(format!("+OK bye ({count} deleted)"));
        Err(Hangup::Done)
    }

    fn capa(&mut self) {
        self.link.line("+OK this is offered");
        let login = self.core.allows_login(&self.link);
        let lines = [
            ("TOP", true, "TOP"),
            ("UIDL", true, "UIDL"),
            ("RESP-CODES", true, "RESP-CODES"),
            ("AUTH-RESP-CODE", true, "AUTH-RESP-CODE"),
            ("UTF8", true, "UTF8"),
            ("PIPELINING", true, "PIPELINING"),
            ("SASL", login, "SASL PLAIN"),
            ("STLS", !self.link.is_tls(), "STLS"),
            ("USER", login, "USER"),
        ];
        for (name, here, line) in lines {
            if here && self.core.offers(name) {
                self.link.line(line);
            }
        }
        if let Some(seconds) = self.core.login_delay {
            self.link.line(format!("LOGIN-DELAY {seconds}"));
        }
        self.link.line("IMPLEMENTATION Posthorn sandbox");
        self.link.line(".");
    }

    async fn authorise(&mut self, command: &str, argument: &str) -> Result<()> {
        match command {
            "STLS" if self.core.offers("STLS") && !self.link.is_tls() => {
                if let Some(acceptor) = self.core.tls.clone() {
                    self.link.line("+OK begin TLS");
                    self.link.start_tls(&acceptor).await?;
                    self.name = None;
                }
                Ok(())
            }
            // RFC 6856 section 2: before login, and text is served as it lies here anyway.
            "UTF8" if self.core.offers("UTF8") => {
                self.link.line("+OK UTF-8 it is");
                Ok(())
            }
            "APOP" if !self.stamp.is_empty() => self.apop(argument),
            "USER" | "PASS" if !self.core.offers("USER") => self.error("not offered"),
            "USER" | "PASS" | "AUTH" if !self.core.allows_login(&self.link) => self.error("TLS first"),
            "USER" => {
                self.name = Some(argument.to_owned());
                self.link.line("+OK and the password?");
                Ok(())
            }
            "PASS" => match self.name.take() {
                Some(name) => self.log_in(&name, argument),
                None => self.error("USER first"),
            },
            "AUTH" if self.core.offers("SASL") => self.authenticate(argument).await,
            _ => self.error("log in first"),
        }
    }

    /// RFC 1939 section 7: the MD5 of the greeting's timestamp and the password.
    fn apop(&mut self, argument: &str) -> Result<()> {
        let known = argument.split_once(' ').and_then(|(name, digest)| {
            let (_, password) = self.core.store.password_of(name)?;
            let expect = Md5::digest(format!("{}{password}", self.stamp));
            let expect: String = expect.iter().map(|byte| format!("{byte:02x}")).collect();
            (expect == digest).then(|| (name.to_owned(), password))
        });
        let (name, password) = known.unwrap_or_default();
        self.log_in(&name, &password)
    }

    async fn authenticate(&mut self, argument: &str) -> Result<()> {
        if argument.is_empty() {
            self.link.line("+OK mechanisms follow\r\nPLAIN\r\n.");
            return Ok(());
        }
        let (mechanism, initial) = argument.split_once(' ').unwrap_or((argument, ""));
        if !mechanism.eq_ignore_ascii_case("PLAIN") {
            return self.error("only PLAIN is offered");
        }
        let mut encoded = initial.to_owned();
        if encoded.is_empty() {
            self.link.line("+ ");
            let line = self.link.read_line(MAX_LINE).await?;
            encoded = String::from_utf8_lossy(trim_line(&line)).into_owned();
        }
        match decode_plain(&encoded) {
            Some((name, password)) => self.log_in(&name, &password),
            None => self.error("not a PLAIN response"),
        }
    }

    fn log_in(&mut self, name: &str, password: &str) -> Result<()> {
        let refused = self.core.faults.refuses_login(Service::Pop3);
        let codes = self.core.offers("RESP-CODES");
        let auth_code = self.core.offers("AUTH-RESP-CODE");
        let Some(user) = self.core.store.log_in(name, password).filter(|_| !refused) else {
            return self.error(if auth_code {
                "[AUTH] wrong user name or password"
            } else {
                "wrong user name or password"
            });
        };
        if let Some(delay) = self.core.login_delay {
            let delay = std::time::Duration::from_secs(delay.into());
            let waited = self.core.store.change_quietly(|state| {
                let account = state.account_mut(&user)?;
                let early = account.logged_in_at.is_some_and(|last| last.elapsed() < delay);
                (!early).then(|| account.logged_in_at = Some(std::time::Instant::now()))
            });
            if waited.is_none() {
                return self.error(if codes {
                    "[LOGIN-DELAY] too soon after the last login"
                } else {
                    "too soon after the last login"
                });
            }
        }
        match Maildrop::open(&self.core.store, &user) {
            Some(maildrop) => {
                self.link
                    .line(format!("+OK {} messages", maildrop.messages.len()));
                self.maildrop = Some(maildrop);
                Ok(())
            }
            None => self.error(if codes {
                "[IN-USE] another session has the maildrop"
            } else {
                "maildrop is locked"
            }),
        }
    }

    fn transact(&mut self, command: &str, argument: &str) {
        let Some(maildrop) = &mut self.maildrop else {
            return;
        };
        let reply = match command {
            "STAT" => {
                let (count, octets) = totals(maildrop);
                Ok(format!("+OK {count} {octets}\r\n").into_bytes())
            }
            "LIST" => listing(maildrop, argument, |message| message.raw.len().to_string()),
            "UIDL" if self.core.offers("UIDL") => {
                let uidl = |message: &StoredMessage| maildrop.uidl(message);
                listing(maildrop, argument, uidl)
            }
            "RETR" => maildrop
                .find(argument.trim())
                .ok_or("no such message")
                .map(|(_, message)| {
                    let mut out = format!("+OK {} octets\r\n", message.raw.len()).into_bytes();
                    push_stuffed(&mut out, &message.raw);
                    out
                }),
            "TOP" if self.core.offers("TOP") => top(maildrop, argument),
            "DELE" => match maildrop.find(argument.trim()).map(|(number, _)| number) {
                Some(number) => {
                    if let Some(deleted) = maildrop.deleted.get_mut(number - 1) {
                        *deleted = true;
                    }
                    Ok(format!("+OK message {number} marked\r\n").into_bytes())
                }
                None => Err("no such message"),
            },
            "RSET" => {
                maildrop.deleted.fill(false);
                Ok(b"+OK nothing is marked\r\n".to_vec())
            }
            "NOOP" => Ok(b"+OK\r\n".to_vec()),
            _ => Err("unknown command"),
        };
        match reply {
            Ok(bytes) => self.link.push(bytes),
            Err(text) => self.link.line(format!("-ERR {text}")),
        }
    }
}

fn totals(maildrop: &Maildrop) -> (usize, u64) {
    maildrop.listed().fold((0, 0), |(count, octets), (_, message)| {
        (count + 1, octets + message.raw.len() as u64)
    })
}

fn listing(
    maildrop: &Maildrop,
    argument: &str,
    show: impl Fn(&StoredMessage) -> String,
) -> std::result::Result<Vec<u8>, &'static str> {
    let argument = argument.trim();
    if !argument.is_empty() {
        let (number, message) = maildrop.find(argument).ok_or("no such message")?;
        return Ok(format!("+OK {number} {}\r\n", show(message)).into_bytes());
    }
    let (count, octets) = totals(maildrop);
    let mut out = format!("+OK {count} messages ({octets} octets)\r\n");
    for (number, message) in maildrop.listed() {
        out.push_str(&format!("{number} {}\r\n", show(message)));
    }
    out.push_str(".\r\n");
    Ok(out.into_bytes())
}

/// The header, the blank line and so many lines of the body (RFC 1939 section 7).
fn top(maildrop: &Maildrop, argument: &str) -> std::result::Result<Vec<u8>, &'static str> {
    let (number, lines) = argument
        .trim()
        .split_once(' ')
        .ok_or("TOP wants a message and a number of lines")?;
    let mut left: usize = lines.trim().parse().map_err(|_| "TOP wants a number of lines")?;
    let (_, message) = maildrop.find(number).ok_or("no such message")?;
    let mut end = 0;
    let mut in_body = false;
    for line in message.raw.split_inclusive(|byte| *byte == b'\n') {
        if in_body {
            if left == 0 {
                break;
            }
            left -= 1;
        }
        end += line.len();
        in_body |= matches!(line, b"\r\n" | b"\n");
    }
    let mut out = b"+OK top follows\r\n".to_vec();
    push_stuffed(&mut out, message.raw.get(..end).unwrap_or_default());
    Ok(out)
}

/// A multi-line reply (RFC 1939 section 3): dots at line starts doubled, CRLF before the final dot.
fn push_stuffed(out: &mut Vec<u8>, raw: &[u8]) {
    for line in raw.split_inclusive(|byte| *byte == b'\n') {
        if line.starts_with(b".") {
            out.push(b'.');
        }
        out.extend_from_slice(line);
    }
    if !raw.is_empty() && !raw.ends_with(b"\r\n") {
        out.extend_from_slice(b"\r\n");
    }
    out.extend_from_slice(b".\r\n");
}
