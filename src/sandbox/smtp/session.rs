//! One SMTP connection.

use std::sync::Arc;

use base64::Engine as _;
use base64::engine::general_purpose::STANDARD;

use super::bounce;
use crate::fault::Service;
use crate::imap::session::decode_plain;
use crate::mailbox::{Account, NewMessage};
use crate::server::{Core, now};
use crate::wire::{Hangup, Link, Result, trim_line};

const MAX_LINE: usize = 16 * 1024;
/// Told by SIZE.
const MAX_MESSAGE: usize = 50 * 1024 * 1024;
const MAX_RECIPIENTS: usize = 200;
const MAX_FAILURES: u32 = 20;

/// The sandbox's own name in replies and trace headers.
const HOST: &str = "sandbox.example.org";

/// A message on its way, from MAIL to the final dot.
struct Transaction {
    from: String,
    to: Vec<String>,
}

pub struct Session {
    link: Link,
    core: Arc<Core>,
    /// What the client called itself; EHLO comes first.
    hello: Option<String>,
    user: Option<String>,
    transaction: Option<Transaction>,
    failures: u32,
}

impl Session {
    pub const fn new(link: Link, core: Arc<Core>) -> Self {
        Self {
            link,
            core,
            hello: None,
            user: None,
            transaction: None,
            failures: 0,
        }
    }

    pub async fn run(mut self) -> Hangup {
        self.link.line(format!("220 {HOST} ESMTP sandbox ready"));
        let end = loop {
            if let Err(hangup) = self.turn().await {
                break hangup;
            }
        };
        match end {
            Hangup::LineTooLong => self.link.line("500 5.5.2 line too long"),
            Hangup::Silent => self.link.line("421 4.4.2 nothing heard for half an hour"),
            _ => (),
        }
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
        if let Some(reply) = self.core.faults.answer(Service::Smtp, &command) {
            self.link.line(reply);
            return Ok(());
        }
        let cut = self.core.faults.closes_before_answer(Service::Smtp, &command);
        self.carry_out(&command, argument.trim()).await?;
        if cut {
            return Err(Hangup::Fault);
        }
        if !self.core.offers("PIPELINING") {
            self.link.flush().await?;
        }
        self.link.relieve().await
    }

    fn error(&mut self, text: &str) -> Result<()> {
        self.link.line(text);
        self.failures += 1;
        if self.failures > MAX_FAILURES {
            self.link.line("421 4.7.0 too many mistakes");
            return Err(Hangup::Done);
        }
        Ok(())
    }

    async fn carry_out(&mut self, command: &str, argument: &str) -> Result<()> {
        match command {
            "EHLO" | "HELO" if argument.is_empty() => self.error("501 5.5.4 and your name?"),
            "EHLO" => {
                self.greet(argument);
                self.tell_extensions();
                Ok(())
            }
            "HELO" => {
                self.greet(argument);
                self.link.line(format!("250 {HOST}"));
                Ok(())
            }
            "STARTTLS" => self.start_tls(argument).await,
            "AUTH" => self.authenticate(argument).await,
            "MAIL" => self.mail(argument),
            "RCPT" => self.rcpt(argument),
            "DATA" => self.data().await,
            "RSET" => {
                self.transaction = None;
                self.link.line("250 2.0.0 nothing is pending");
                Ok(())
            }
            "NOOP" => {
                self.link.line("250 2.0.0 still here");
                Ok(())
            }
            "VRFY" => {
                self.link.line("252 2.5.0 try and see");
                Ok(())
            }
            "QUIT" => {
                self.link.line("221 2.0.0 bye");
                Err(Hangup::Done)
            }
            _ => self.error("500 5.5.1 unknown command"),
        }
    }

    fn greet(&mut self, name: &str) {
        self.hello = Some(name.to_owned());
        self.transaction = None;
    }

    fn tell_extensions(&mut self) {
        let mut lines = vec![HOST.to_owned()];
        if !self.link.is_tls() && self.core.offers("STARTTLS") {
            lines.push("STARTTLS".to_owned());
        }
        if self.core.allows_login(&self.link) {
            lines.push("AUTH PLAIN LOGIN".to_owned());
        }
        for name in ["PIPELINING", "8BITMIME", "SMTPUTF8", "ENHANCEDSTATUSCODES"] {
            if self.core.offers(name) {
                lines.push(name.to_owned());
            }
        }
        if self.core.offers("SIZE") {
            lines.push(format!("SIZE {MAX_MESSAGE}"));
        }
        let last = lines.len();
        for (number, line) in (1..).zip(lines) {
            self.link
                .line(format!("250{}{line}", if number == last { ' ' } else { '-' }));
        }
    }

    async fn start_tls(&mut self, argument: &str) -> Result<()> {
        match self.core.tls.clone() {
            Some(acceptor) if argument.is_empty() && !self.link.is_tls() && self.core.offers("STARTTLS") => {
                self.link.line("220 2.0.0 begin TLS");
                self.link.start_tls(&acceptor).await?;
                // RFC 3207 section 4.2: what was learned in clear is forgotten.
                self.hello = None;
                self.transaction = None;
                Ok(())
            }
            _ => self.error("503 5.5.1 no TLS to start here"),
        }
    }

    async fn authenticate(&mut self, argument: &str) -> Result<()> {
        if !self.core.allows_login(&self.link) {
            return self.error("538 5.7.11 TLS first");
        }
        if self.hello.is_none() || self.user.is_some() || self.transaction.is_some() {
            return self.error("503 5.5.1 not now");
        }
        let (mechanism, initial) = argument.split_once(' ').unwrap_or((argument, ""));
        let credentials = match mechanism.to_ascii_uppercase().as_str() {
            "PLAIN" => decode_plain(&self.response(initial, "").await?),
            "LOGIN" => {
                // "Username:" and "Password:", in base64.
                let name = decode_word(&self.response(initial, "VXNlcm5hbWU6").await?);
                let password = decode_word(&self.response("", "UGFzc3dvcmQ6").await?);
                name.zip(password)
            }
            _ => return self.error("504 5.5.4 only PLAIN and LOGIN are offered"),
        };
        let Some((name, password)) = credentials else {
            return self.error("501 5.5.2 not a response");
        };
        let refused = self.core.faults.refuses_login(Service::Smtp);
        match self.core.store.log_in(&name, &password).filter(|_| !refused) {
            Some(user) => {
                self.user = Some(user);
                self.link.line("235 2.7.0 logged in");
                Ok(())
            }
            None => self.error("535 5.7.8 wrong user name or password"),
        }
    }

    /// The client's next word of the exchange: what came with the command, or the next line.
    async fn response(&mut self, initial: &str, challenge: &str) -> Result<String> {
        if !initial.is_empty() {
            return Ok(initial.to_owned());
        }
        self.link.line(format!("334 {challenge}"));
        let line = self.link.read_line(MAX_LINE).await?;
        Ok(String::from_utf8_lossy(trim_line(&line)).into_owned())
    }

    fn mail(&mut self, argument: &str) -> Result<()> {
        if self.user.is_none() {
            return self.error("530 5.7.0 log in first");
        }
        if self.transaction.is_some() {
            return self.error("503 5.5.1 one message at a time");
        }
        let Some((from, parameters)) = parse_path(argument, "FROM:") else {
            return self.error("501 5.5.4 MAIL FROM:<address>");
        };
        for parameter in parameters.split_ascii_whitespace() {
            let (name, value) = parameter.split_once('=').unwrap_or((parameter, ""));
            match name.to_ascii_uppercase().as_str() {
                "SIZE" if self.core.offers("SIZE") => {
                    if value.parse::<usize>().is_ok_and(|size| size > MAX_MESSAGE) {
                        return self.error("552 5.3.4 message too large");
                    }
                }
                "BODY" if self.core.offers("8BITMIME") => (),
                "SMTPUTF8" if self.core.offers("SMTPUTF8") => (),
                "AUTH" => (),
                _ => return self.error("555 5.5.4 unknown parameter"),
            }
        }
        self.transaction = Some(Transaction { from, to: Vec::new() });
        self.link.line("250 2.1.0 sender noted");
        Ok(())
    }

    /// Any recipient is taken, so that sending always shows something: strangers bounce. Two names are traps for
    /// tests: `refused…@` and `later…@`.
    fn rcpt(&mut self, argument: &str) -> Result<()> {
        let Some(transaction) = &mut self.transaction else {
            return self.error("503 5.5.1 MAIL first");
        };
        let Some((to, _)) = parse_path(argument, "TO:").filter(|(to, _)| to.contains('@')) else {
            return self.error("501 5.5.4 RCPT TO:<address>");
        };
        let local = to.to_ascii_lowercase();
        if local.starts_with("refused") {
            self.link.line("550 5.1.1 this recipient is always refused");
        } else if local.starts_with("later") {
            self.link.line("451 4.2.1 this recipient always says later");
        } else if transaction.to.len() >= MAX_RECIPIENTS {
            self.link.line("452 4.5.3 too many recipients");
        } else {
            transaction.to.push(to);
            self.link.line("250 2.1.5 recipient noted");
        }
        Ok(())
    }

    async fn data(&mut self) -> Result<()> {
        let Some(transaction) = self.transaction.take() else {
            return self.error("503 5.5.1 MAIL first");
        };
        if transaction.to.is_empty() {
            return self.error("554 5.5.1 no valid recipients");
        }
        self.link.line("354 end with a dot on a line of its own");
        let Some(raw) = self.read_message().await? else {
            return self.error("552 5.3.4 message too large");
        };
        if !transaction.to.iter().all(|to| self.has_room(to, raw.len())) {
            return self.error("452 4.2.2 the sandbox is full");
        }
        let fault = self.core.faults.closes_after_final_dot();
        if fault == Some(false) {
            return Err(Hangup::Fault);
        }
        self.deliver(&transaction, &raw);
        if fault == Some(true) {
            return Err(Hangup::Fault);
        }
        self.link.line("250 2.0.0 taken");
        Ok(())
    }

    /// Up to the final dot, un-stuffed (RFC 5321 section 4.5.2). Only CRLF `.` CRLF ends it: a bare LF is content.
    /// `None` where it was too large; it is read to its end all the same.
    async fn read_message(&mut self) -> Result<Option<Vec<u8>>> {
        let mut raw = Vec::new();
        let mut too_large = false;
        let mut after_crlf = true;
        loop {
            let line = self.link.read_line(MAX_MESSAGE).await?;
            if after_crlf && line == b".\r\n" {
                return Ok((!too_large).then_some(raw));
            }
            let line_ends = line.ends_with(b"\r\n");
            let content = if after_crlf {
                line.strip_prefix(b".").unwrap_or(&line)
            } else {
                &line
            };
            too_large |= raw.len() + content.len() > MAX_MESSAGE;
            if !too_large {
                raw.extend_from_slice(content);
            }
            after_crlf = line_ends;
        }
    }

    /// Strangers have: nothing is kept for them.
    fn has_room(&self, address: &str, octets: usize) -> bool {
        let Some(user) = self.core.store.recipient(address) else {
            return true;
        };
        self.core.store.read(|state| {
            let used = state.account(&user).map_or(0, Account::size);
            used.saturating_add(octets as u64) <= state.quota
        })
    }

    fn deliver(&self, transaction: &Transaction, raw: &[u8]) {
        let now = now();
        let date = rfc2822(now);
        let hello: String = self
            .hello
            .as_deref()
            .unwrap_or("client")
            .chars()
            .filter(|c| !c.is_control())
            .collect();
        let mut strangers = Vec::new();
        for to in &transaction.to {
            let Some(user) = self.core.store.recipient(to) else {
                strangers.push(to.as_str());
                continue;
            };
            let mut message = format!(
                "Return-Path: <{}>\r\nReceived: from {hello} by {HOST} with ESMTPSA for <{to}>;\r\n\t{date}\r\n",
                transaction.from
            )
            .into_bytes();
            message.extend_from_slice(raw);
            let message = NewMessage {
                raw: message,
                internal_date: now,
                ..NewMessage::default()
            };
            self.core.store.append(&user, "INBOX", message);
        }
        if let (false, Some(user)) = (strangers.is_empty(), self.core.store.recipient(&transaction.from)) {
            let raw = bounce::build(&transaction.from, &strangers, raw, &date, now);
            let message = NewMessage {
                raw,
                internal_date: now,
                ..NewMessage::default()
            };
            self.core.store.append(&user, "INBOX", message);
        }
    }
}

fn decode_word(encoded: &str) -> Option<String> {
    String::from_utf8(STANDARD.decode(encoded).ok()?).ok()
}

/// `FROM:<address> parameters` (RFC 5321 section 4.1.2); the address may be empty.
fn parse_path<'a>(argument: &'a str, keyword: &str) -> Option<(String, &'a str)> {
    let (head, rest) = argument.split_at_checked(keyword.len())?;
    if !head.eq_ignore_ascii_case(keyword) {
        return None;
    }
    let (path, parameters) = rest.trim_start().strip_prefix('<')?.split_once('>')?;
    // A source route is ignored (RFC 5321 appendix C).
    let address = path
        .strip_prefix('@')
        .and_then(|route| route.split_once(':'))
        .map_or(path, |(_, address)| address);
    let clean = address.len() <= 320 && !address.chars().any(|c| c.is_control() || c.is_whitespace());
    clean.then(|| (address.to_owned(), parameters))
}

/// A date as headers have it.
pub fn rfc2822(at: posthorn_model::Timestamp) -> String {
    let zoned = jiff::Timestamp::from_second(at.0)
        .unwrap_or_default()
        .to_zoned(jiff::tz::TimeZone::UTC);
    jiff::fmt::rfc2822::to_string(&zoned).unwrap_or_default()
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn reads_paths() {
        let check = |argument: &str, expect: Option<(&str, &str)>| {
            let found = parse_path(argument, "FROM:");
            assert_eq!(
                found.as_ref().map(|(path, rest)| (path.as_str(), *rest)),
                expect,
                "{argument:?}"
            );
        };
        check("FROM:<a@b>", Some(("a@b", "")));
        check("from: <a@b> SIZE=3", Some(("a@b", " SIZE=3")));
        check("FROM:<>", Some(("", "")));
        check("FROM:<@x,@y:a@b>", Some(("a@b", "")));
        check("FROM:a@b", None);
        check("FROM:<a b@c>", None);
        check("TO:<a@b>", None);
        check("é", None);
    }
}
