//! One IMAP connection: reads commands, carries them out, answers.

use std::sync::Arc;

use base64::Engine as _;
use base64::engine::general_purpose::STANDARD;

use super::command::{Command, Request};
use super::notify::Watch;
use super::parser::{self, Malformed};
use super::select::Selected;
use crate::fault::Service;
use crate::mailbox::{Account, Mailbox};
use crate::server::Core;
use crate::wire::{Hangup, Link, Result, trim_line};

/// One line of a command, without its literals.
const MAX_LINE: usize = 64 * 1024;
/// A literal before login, and all of a command's literals together except a message's.
const MAX_SMALL_LITERALS: usize = 64 * 1024;
/// RFC 7888 section 5.
const MAX_LITERAL_MINUS: usize = 4096;
/// A message to APPEND.
pub const MAX_MESSAGE: usize = 64 * 1024 * 1024;
/// Wrong passwords and nonsense before the server hangs up.
const MAX_FAILURES: u32 = 20;

/// The tagged answer to a command: `OK …`, `NO …` or `BAD …`, without the tag.
pub type Answer = std::result::Result<String, String>;

pub fn ok(text: &str) -> Answer {
    Ok(text.to_owned())
}

pub fn no(text: impl std::fmt::Display) -> Answer {
    Err(format!("NO {text}"))
}

pub fn bad(text: impl std::fmt::Display) -> Answer {
    Err(format!("BAD {text}"))
}

pub struct Session {
    pub link: Link,
    pub core: Arc<Core>,
    /// The login name, once logged in.
    pub user: Option<String>,
    pub selected: Option<Selected>,
    /// The tag of the command at hand.
    pub tag: String,
    pub condstore: bool,
    pub qresync: bool,
    /// UTF8=ACCEPT or IMAP4rev2 was enabled: names are UTF-8.
    pub utf8: bool,
    pub rev2: bool,
    pub notify: Option<Watch>,
    failures: u32,
}

impl Drop for Session {
    fn drop(&mut self) {
        if let Some(user) = &self.user {
            self.core.store.change_quietly(|state| {
                if let Some(account) = state.account_mut(user) {
                    account.sessions = account.sessions.saturating_sub(1);
                }
            });
        }
    }
}

impl Session {
    pub fn new(link: Link, core: Arc<Core>) -> Self {
        Self {
            link,
            core,
            user: None,
            selected: None,
            tag: String::new(),
            condstore: false,
            qresync: false,
            utf8: false,
            rev2: false,
            notify: None,
            failures: 0,
        }
    }

    pub async fn run(mut self) -> Hangup {
        let capabilities = self.capabilities();
        self.link
            .line(format!("* OK [CAPABILITY {capabilities}] sandbox ready"));
        let end = loop {
            if let Err(hangup) = self.turn().await {
                break hangup;
            }
        };
        match end {
            Hangup::LineTooLong => self.link.line("* BYE line too long"),
            Hangup::Silent => self.link.line("* BYE nothing heard for half an hour"),
            _ => (),
        }
        if end != Hangup::Fault {
            self.link.close().await;
        }
        end
    }

    /// What is offered in this state, in a fixed order.
    pub fn capabilities(&self) -> String {
        let mut names = vec!["IMAP4rev1"];
        let extensions = crate::server::IMAP_EXTENSIONS.iter().copied();
        names.extend(extensions.filter(|name| match *name {
            "STARTTLS" => self.core.tls.is_some() && !self.link.is_tls() && self.user.is_none(),
            "SASL-IR" => self.user.is_none() && self.core.offers(name),
            "COMPRESS=DEFLATE" => self.user.is_some() && !self.link.is_compressed() && self.core.offers(name),
            "CREATE-SPECIAL-USE" => self.core.offers("SPECIAL-USE") && self.core.offers(name),
            _ => self.core.offers(name),
        }));
        if self.user.is_none() {
            names.push(if self.core.allows_login(&self.link) {
                "AUTH=PLAIN"
            } else {
                "LOGINDISABLED"
            });
        }
        names.join(" ")
    }

    async fn turn(&mut self) -> Result<()> {
        let Some(bytes) = self.read_command().await? else {
            return Ok(());
        };
        match parser::parse(&bytes, self.utf8) {
            Ok(request) => self.answer(request).await,
            Err(Malformed(what)) => {
                let tag = parser::parse_tag(&bytes).unwrap_or_else(|| "*".to_owned());
                self.link.line(format!("{tag} BAD {what}"));
                self.count_failure()
            }
        }
    }

    pub fn count_failure(&mut self) -> Result<()> {
        self.failures += 1;
        if self.failures > MAX_FAILURES {
            self.link.line("* BYE too many mistakes");
            return Err(Hangup::Done);
        }
        Ok(())
    }

    /// A whole command with its literals; `None` where it was refused half-way.
    async fn read_command(&mut self) -> Result<Option<Vec<u8>>> {
        let mut command = Vec::new();
        let mut literals = 0_usize;
        loop {
            let line = if command.is_empty() {
                self.read_first_line().await?
            } else {
                self.link.read_line(MAX_LINE).await?
            };
            command.extend_from_slice(&line);
            let Some((count, waits)) = announced_literal(trim_line(&line)) else {
                let whole = trim_line(&command).len();
                command.truncate(whole);
                return Ok(Some(command));
            };
            literals = literals.saturating_add(count);
            let cap = if self.user.is_some() && is_append(&command) {
                MAX_MESSAGE
            } else {
                MAX_SMALL_LITERALS
            };
            let accepted = waits
                || self.core.offers("LITERAL+")
                || ((self.core.offers("LITERAL-") || self.rev2) && count <= MAX_LITERAL_MINUS);
            if literals > cap || command.len() > cap + MAX_LINE || !accepted {
                let tag = parser::parse_tag(&command).unwrap_or_else(|| "*".to_owned());
                if waits {
                    self.link.line(format!("{tag} NO [TOOBIG] literal too large"));
                    self.count_failure()?;
                    return Ok(None);
                }
                // RFC 7888 section 4: the bytes are on their way already.
                self.link.line(format!("{tag} BAD [TOOBIG] literal not accepted"));
                self.link.line("* BYE literal not accepted");
                return Err(Hangup::Done);
            }
            if waits {
                self.link.line("+ go ahead");
            }
            self.link.read_exact(count, &mut command).await?;
        }
    }

    /// Waits for the next command, and under NOTIFY tells meanwhile what happens.
    async fn read_first_line(&mut self) -> Result<Vec<u8>> {
        let mut changes = self.core.store.changes();
        while self.notify.is_some() {
            self.tell_watched()?;
            self.link.flush().await?;
            tokio::select! {
                biased;
                line = self.link.read_line(MAX_LINE) => return line,
                changed = changes.changed() => {
                    if changed.is_err() {
                        return Err(Hangup::Done);
                    }
                }
            }
        }
        self.link.read_line(MAX_LINE).await
    }

    async fn answer(&mut self, request: Request) -> Result<()> {
        let Request { tag, command } = request;
        let name = command.name();
        self.tag.clone_from(&tag);
        if let Some(reply) = self.core.faults.answer(Service::Imap, name) {
            self.link.line(format!("{tag} {reply}"));
            return Ok(());
        }
        let cut = self.core.faults.closes_before_answer(Service::Imap, name);
        let tells_expunges = !matches!(
            command,
            Command::Fetch { uid: false, .. }
                | Command::Store { uid: false, .. }
                | Command::Search { uid: false, .. }
        );
        let answer = match command.needs() {
            Some(extension) if !self.core.offers(extension) => bad("unknown command"),
            _ => self.carry_out(command, &tag).await?,
        };
        if cut {
            return Err(Hangup::Fault);
        }
        if self.selected.is_some() {
            self.tell_changes(tells_expunges)?;
        }
        match answer {
            // STARTTLS and LOGOUT have answered for themselves.
            Ok(text) if text.is_empty() => (),
            Ok(text) => self.link.line(format!("{tag} OK {text}")),
            Err(text) => {
                self.link.line(format!("{tag} {text}"));
                if text.starts_with("BAD") {
                    self.count_failure()?;
                }
            }
        }
        self.link.relieve().await
    }

    async fn carry_out(&mut self, command: Command, tag: &str) -> Result<Answer> {
        Ok(match command {
            Command::Capability => {
                let capabilities = self.capabilities();
                self.link.line(format!("* CAPABILITY {capabilities}"));
                ok("done")
            }
            Command::Noop => ok("done"),
            Command::Id => {
                self.link.line("* ID (\"name\" \"Posthorn sandbox\")");
                ok("done")
            }
            Command::Logout => {
                self.link.line("* BYE until next time");
                self.link.line(format!("{tag} OK done"));
                return Err(Hangup::Done);
            }
            command if self.user.is_none() => self.log_in(command, tag).await?,
            command => self.carry_out_logged_in(command).await?,
        })
    }

    async fn log_in(&mut self, command: Command, tag: &str) -> Result<Answer> {
        match command {
            Command::StartTls => self.start_tls(tag).await,
            Command::Login { .. } | Command::Authenticate { .. } if !self.core.allows_login(&self.link) => {
                Ok(no("[PRIVACYREQUIRED] TLS first"))
            }
            Command::Login { username, password } => self.check_password(&username, &password),
            Command::Authenticate { mechanism, initial } => self.authenticate(&mechanism, initial).await,
            _ => Ok(bad("log in first")),
        }
    }

    async fn start_tls(&mut self, tag: &str) -> Result<Answer> {
        match self.core.tls.clone() {
            Some(acceptor) if !self.link.is_tls() && self.core.offers("STARTTLS") => {
                self.link.line(format!("{tag} OK begin TLS"));
                self.link.start_tls(&acceptor).await?;
                Ok(ok(""))
            }
            _ => Ok(bad("no TLS to start here")),
        }
    }

    fn check_password(&mut self, username: &str, password: &str) -> Result<Answer> {
        let refused = self.core.faults.refuses_login(Service::Imap);
        match self.core.store.log_in(username, password).filter(|_| !refused) {
            Some(user) => {
                let most = self.core.max_sessions;
                let admitted = self.core.store.change_quietly(|state| {
                    let account = state.account_mut(&user)?;
                    (account.sessions < most).then(|| account.sessions += 1)
                });
                if admitted.is_none() {
                    return Ok(no("[LIMIT] too many connections of this user"));
                }
                self.user = Some(user);
                Ok(Ok(format!("[CAPABILITY {}] logged in", self.capabilities())))
            }
            None => {
                self.count_failure()?;
                Ok(no("[AUTHENTICATIONFAILED] wrong user name or password"))
            }
        }
    }

    async fn authenticate(&mut self, mechanism: &str, initial: Option<String>) -> Result<Answer> {
        if mechanism != "PLAIN" {
            return Ok(no("[CANNOT] only PLAIN is offered"));
        }
        let encoded = match initial {
            Some(_) if !self.core.offers("SASL-IR") => return Ok(bad("no initial response here")),
            Some(text) => text,
            None => {
                self.link.line("+ ");
                let line = self.link.read_line(MAX_LINE).await?;
                String::from_utf8_lossy(trim_line(&line)).into_owned()
            }
        };
        match decode_plain(&encoded) {
            Some((username, password)) => self.check_password(&username, &password),
            None => Ok(bad("not a PLAIN response")),
        }
    }

    async fn carry_out_logged_in(&mut self, command: Command) -> Result<Answer> {
        match command {
            Command::Check => Ok(if self.selected.is_some() {
                ok("done")
            } else {
                bad("select a mailbox first")
            }),
            Command::Enable(names) => Ok(self.enable(&names)),
            Command::Namespace => {
                self.link.line("* NAMESPACE ((\"\" \"/\")) NIL NIL");
                Ok(ok("done"))
            }
            Command::Select(select) => Ok(self.select(&select)),
            Command::Create { mailbox, special_use } => Ok(self.create(&mailbox, special_use.as_deref())),
            Command::Delete(mailbox) => Ok(self.delete(&mailbox)),
            Command::Rename { from, to } => Ok(self.rename(&from, &to)),
            Command::Subscribe(mailbox) => Ok(self.subscribe(&mailbox, true)),
            Command::Unsubscribe(mailbox) => Ok(self.subscribe(&mailbox, false)),
            Command::List(list) => Ok(self.list(&list)),
            Command::Lsub { reference, pattern } => Ok(self.lsub(&reference, &pattern)),
            Command::Status { mailbox, items } => Ok(self.status(&mailbox, &items)),
            Command::Append {
                mailbox,
                flags,
                date,
                raw,
            } => Ok(self.append(&mailbox, flags, date, raw)),
            Command::Idle => self.idle().await,
            Command::Compress => self.compress().await,
            Command::Notify(wanted) => Ok(self.set_notify(wanted)),
            Command::Login { .. } | Command::Authenticate { .. } | Command::StartTls => {
                Ok(bad("logged in already"))
            }
            command if self.selected.is_none() => {
                Ok(bad(format_args!("select a mailbox before {}", command.name())))
            }
            command => self.carry_out_selected(command).await,
        }
    }

    async fn carry_out_selected(&mut self, command: Command) -> Result<Answer> {
        match command {
            Command::Close => Ok(self.close()),
            Command::Unselect => {
                self.selected = None;
                Ok(ok("done"))
            }
            Command::Expunge { uids } => Ok(self.expunge(uids.as_ref())),
            Command::Search { uid, search } => Ok(self.search(uid, &search)),
            Command::Fetch { uid, fetch } => self.fetch(uid, fetch).await,
            Command::Store { uid, store } => Ok(self.store_flags(uid, &store)),
            Command::Copy { uid, set, mailbox } => Ok(self.copy(uid, &set, &mailbox)),
            Command::Move { uid, set, mailbox } => Ok(self.move_messages(uid, &set, &mailbox)),
            _ => Ok(bad("unknown command")),
        }
    }

    fn enable(&mut self, names: &[String]) -> Answer {
        let mut enabled = Vec::new();
        for name in names {
            match name.as_str() {
                "CONDSTORE" if self.core.offers("CONDSTORE") => self.condstore = true,
                "QRESYNC" if self.core.offers("QRESYNC") => (self.condstore, self.qresync) = (true, true),
                "UTF8=ACCEPT" if self.core.offers("UTF8=ACCEPT") => self.utf8 = true,
                "IMAP4REV2" if self.core.offers("IMAP4rev2") => (self.utf8, self.rev2) = (true, true),
                _ => continue,
            }
            enabled.push(name.as_str());
        }
        self.link
            .line(format!("* ENABLED {}", enabled.join(" ")).trim_end());
        ok("done")
    }

    /// RFC 4978.
    async fn compress(&mut self) -> Result<Answer> {
        if self.link.is_compressed() {
            return Ok(no("[COMPRESSIONACTIVE] it is on already"));
        }
        let tag = self.tag.clone();
        self.link.line(format!("{tag} OK from here on"));
        self.link.start_deflate().await?;
        Ok(ok(""))
    }

    /// RFC 2177: tells changes until the client says DONE.
    async fn idle(&mut self) -> Result<Answer> {
        let mut changes = self.core.store.changes();
        self.link.line("+ idling");
        loop {
            if self.notify.is_some() {
                self.tell_watched()?;
            } else if self.selected.is_some() {
                self.tell_changes(true)?;
            }
            // Before the select below: a cancelled write would lose bytes.
            self.link.flush().await?;
            tokio::select! {
                line = self.link.read_line(MAX_LINE) => {
                    let done = trim_line(&line?).eq_ignore_ascii_case(b"DONE");
                    return Ok(if done { ok("done") } else { bad("expected DONE") });
                }
                changed = changes.changed() => {
                    if changed.is_err() {
                        return Err(Hangup::Done);
                    }
                }
            }
        }
    }

    /// Looks at this user's mail.
    pub fn with_account<T>(&self, look: impl FnOnce(&Account) -> T) -> Option<T> {
        let user = self.user.as_deref()?;
        self.core.store.read(|state| state.account(user).map(look))
    }

    /// Looks at the selected mailbox; `None` where it was deleted meanwhile.
    pub fn with_selected<T>(&self, look: impl FnOnce(&Mailbox) -> T) -> Option<T> {
        let id = self.selected.as_ref()?.id;
        self.with_account(|account| account.by_id(id).map(look)).flatten()
    }

    /// Changes this user's mail.
    pub fn change_account<T>(&self, act: impl FnOnce(&mut Account) -> T) -> Option<T> {
        let user = self.user.as_deref()?;
        self.core.store.change(|state| state.account_mut(user).map(act))
    }

    pub fn change_selected<T>(&self, act: impl FnOnce(&mut Mailbox) -> T) -> Option<T> {
        let id = self.selected.as_ref()?.id;
        self.change_account(|account| account.by_id_mut(id).map(act))
            .flatten()
    }
}

/// `{n}` or `{n+}` at a line's end: how many bytes follow, and whether the client waits for leave to send them.
fn announced_literal(line: &[u8]) -> Option<(usize, bool)> {
    let inner = line.strip_suffix(b"}")?;
    let open = memchr::memrchr(b'{', inner)?;
    let digits = std::str::from_utf8(inner.get(open + 1..)?).ok()?;
    let (digits, waits) = digits
        .strip_suffix('+')
        .map_or((digits, true), |digits| (digits, false));
    let plain = !digits.is_empty() && digits.bytes().all(|byte| byte.is_ascii_digit());
    plain.then(|| (digits.parse().unwrap_or(usize::MAX), waits))
}

fn is_append(command: &[u8]) -> bool {
    let mut words = command.splitn(3, |byte| *byte == b' ');
    words
        .nth(1)
        .is_some_and(|word| word.eq_ignore_ascii_case(b"APPEND"))
}

/// A SASL PLAIN response (RFC 4616): authorisation identity, user name and password between NULs.
pub fn decode_plain(encoded: &str) -> Option<(String, String)> {
    let text = String::from_utf8(STANDARD.decode(encoded).ok()?).ok()?;
    let mut pieces = text.splitn(3, '\0');
    let (_identity, username, password) = (pieces.next()?, pieces.next()?, pieces.next()?);
    (!username.is_empty()).then(|| (username.to_owned(), password.to_owned()))
}
