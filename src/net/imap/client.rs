//! Commands and their replies: our own executor over async-imap's stream. It demands the tagged OK, takes NO, BAD,
//! BYE and an early end for what they are, hands each reply on as it comes, and bears no more than its deadlines.

use imap_proto::{MailboxDatum, RequestId, Response, Status};
use posthorn_model::{ErrorClass, MailboxName};
use std::time::Duration;
use tokio::io::AsyncWriteExt;
use tokio::time::Instant;

use super::code::{Done, StatusText, Verdict};
use super::fetched::Fetched;
use super::framing;
use super::guard::{Captured, Guard, Literals};
use super::mailboxes::{begins, key};
use super::news::{Heard, News};
use super::status::{Told, parse_status};
use crate::{Channel, Error, TrafficCount};

/// Untagged replies that one command may bring before we stop believing in its end.
const MOST_REPLIES: u64 = 20_000_000;

/// Replies that answer nothing, and such as only our parsers read, that one command may bring.
const MOST_CHATTER: u32 = 50_000;
const MOST_DATA: u32 = 2_000_000;
/// What was waited for when a connection broke.
pub(super) const ANSWER: &str = "it should have answered";

/// Ends of commands that are kept until they are asked for: as many as are ever under way together.
const MOST_EARLY: usize = 64;

/// One reply.
#[derive(Debug)]
pub(super) enum Reply {
    /// The end of the command with this tag.
    Done(String, Done),
    /// `+`.
    Continue(String),
    /// Untagged OK, NO or BAD.
    Status(Verdict, StatusText),
    Exists(u32),
    Expunged,
    Fetch(Fetched),
    /// What async-imap did not see.
    Data(Captured),
    /// What we do not use.
    Other,
}

/// A connection on which commands run one after the other, or a few in a row.
pub(super) struct Client {
    session: async_imap::Session<Guard>,
    host: String,
    tags: u32,
    /// Ends of commands that came before they were asked for.
    early: Vec<(String, Done)>,
    /// The server's words on leaving.
    bye: Option<String>,
    /// Messages in the selected mailbox, where the last word on it still holds.
    exists: Option<u32>,
    /// What the server told unasked, until somebody asks.
    heard: Heard,
    /// RFC 5465: the server tells of other mailboxes.
    notified: bool,
    /// STATUS and LIST replies answer a question.
    asking: bool,
    /// Such replies since the last command was sent.
    chatter: u32,
    data: u32,
    /// A FETCH brought a MODSEQ that cannot be.
    odd_modseq: bool,
    /// When the server last said anything.
    last_heard: Instant,
    /// Why nothing can be asked any more.
    broken: Option<Error>,
    /// Commands under way; if their future was dropped, the connection is in no known state.
    flying: usize,
    /// The next command may be sent while others are under way.
    pipelining: bool,
}

impl Client {
    pub(super) async fn new(channel: Channel, spool_dir: &std::path::Path) -> Result<Self, Error> {
        let host = channel.host().to_owned();
        let guard = Guard::new(channel, spool_dir.to_owned());
        // Answered by the guard: see there.
        let session = async_imap::Client::new(guard).login("-", "-").await;
        let session = session.map_err(|(error, _)| {
            Error::new(
                ErrorClass::Bug,
                &host,
                format!("no session could be made ({error})"),
            )
        })?;
        Ok(Self {
            session,
            host,
            tags: 0,
            early: Vec::new(),
            bye: None,
            exists: None,
            heard: Heard::default(),
            notified: false,
            asking: false,
            chatter: 0,
            data: 0,
            odd_modseq: false,
            last_heard: Instant::now(),
            broken: None,
            flying: 0,
            pipelining: false,
        })
    }

    pub(super) fn host(&self) -> &str {
        &self.host
    }

    pub(super) fn guard(&mut self) -> &mut Guard {
        self.session.as_mut()
    }

    pub(super) fn traffic(&self) -> TrafficCount {
        self.session.get_ref().channel().traffic().snapshot()
    }

    pub(super) fn is_tls(&self) -> bool {
        self.session.get_ref().channel().is_tls()
    }

    /// How long a command may take in all: three times the silence that is borne.
    pub(super) fn patience(&self) -> Duration {
        self.session.get_ref().channel().read_timeout() * 3
    }

    pub(super) fn set_read_timeout(&mut self, timeout: Duration) {
        self.guard().channel_mut().set_read_timeout(timeout);
    }

    pub(super) fn read_timeout(&self) -> Duration {
        self.session.get_ref().channel().read_timeout()
    }

    /// Runs a command to its tagged reply, whatever that says; `each` gets every untagged reply.
    pub(super) async fn run(
        &mut self,
        command: &str,
        patience: Duration,
        each: &mut (dyn FnMut(Reply) + Send),
    ) -> Result<Done, Error> {
        let until = Instant::now() + patience;
        let tag = self.send(command).await?;
        self.finish(&tag, until, each).await
    }

    /// Runs a command that must end in OK. `what` says what failed otherwise.
    pub(super) async fn demand(
        &mut self,
        command: &str,
        what: &str,
        each: &mut (dyn FnMut(Reply) + Send),
    ) -> Result<StatusText, Error> {
        let patience = self.patience();
        self.run(command, patience, each)
            .await?
            .demand_ok(&self.host, what)
    }

    /// Reads up to the end of the command with this tag.
    pub(super) async fn finish(
        &mut self,
        tag: &str,
        until: Instant,
        each: &mut (dyn FnMut(Reply) + Send),
    ) -> Result<Done, Error> {
        if let Some(at) = self.early.iter().position(|(found, _)| found == tag) {
            self.flying = self.flying.saturating_sub(1);
            return Ok(self.early.swap_remove(at).1);
        }
        let mut replies = 0;
        loop {
            match self.next(until).await? {
                Reply::Done(found, done) if found == tag => {
                    self.flying = self.flying.saturating_sub(1);
                    return Ok(done);
                }
                // Of another command sent together with this one, or a reply to nothing at all.
                Reply::Done(found, done) => {
                    self.early.push((found, done));
                    self.early.truncate(MOST_EARLY);
                }
                Reply::Continue(_) => {}
                reply => each(reply),
            }
            replies += 1;
            if replies > MOST_REPLIES {
                return Err(self.give_up(Error::protocol(&self.host, "the server's reply does not end")));
            }
        }
    }

    /// Sends a command without waiting; it has no line ends. Its tag.
    pub(super) async fn send(&mut self, command: &str) -> Result<String, Error> {
        self.begin()?;
        log::trace!(target: "posthorn_net::wire", "{} C: {}", self.host, command);
        let sent = self.session.run_command(command).await;
        match sent {
            Ok(RequestId(tag)) => Ok(tag),
            Err(async_imap::error::Error::Io(error)) => Err(self.lost(&error, "we were asking it")),
            Err(error) => Err(self.give_up(Error::new(
                ErrorClass::Bug,
                &self.host,
                format!("a command could not be sent ({error})"),
            ))),
        }
    }

    /// Sends a command past async-imap, whose log would hold it; `shown` stands for it in ours. Its tag.
    pub(super) async fn send_secret(&mut self, shown: &str, command: &[u8]) -> Result<String, Error> {
        self.begin()?;
        self.tags += 1;
        let tag = format!("L{}", self.tags);
        log::trace!(target: "posthorn_net::wire", "{} C: {shown} …", self.host);
        let line = [tag.as_bytes(), b" ", command, b"\r\n"].concat();
        self.send_raw(&line).await?;
        Ok(tag)
    }

    /// Sends bytes as they are, inside a command.
    pub(super) async fn send_raw(&mut self, bytes: &[u8]) -> Result<(), Error> {
        let guard: &mut Guard = self.session.as_mut();
        let sent = match guard.write_all(bytes).await {
            Ok(()) => guard.flush().await,
            Err(error) => Err(error),
        };
        sent.map_err(|error| self.lost(&error, "we were sending"))
    }

    /// Ends commands whose ends have been seen by the caller: none is under way any more.
    pub(super) fn settled(&mut self) {
        self.flying = 0;
    }

    fn begin(&mut self) -> Result<(), Error> {
        if let Some(error) = &self.broken {
            return Err(error.clone());
        }
        let pipelining = std::mem::take(&mut self.pipelining);
        if self.flying > 0 && !pipelining {
            let what = "the connection was left in the middle of a command";
            return Err(self.give_up(Error::new(ErrorClass::Network, &self.host, what)));
        }
        self.flying += 1;
        self.chatter = 0;
        self.data = 0;
        Ok(())
    }

    /// For a command sent while others are still being answered.
    pub(super) fn allow_pipelining(&mut self) {
        self.pipelining = true;
    }

    /// The next reply, by `until` at the latest.
    pub(super) async fn next(&mut self, until: Instant) -> Result<Reply, Error> {
        if let Some(error) = &self.broken {
            return Err(error.clone());
        }
        let read = tokio::time::timeout_at(until, self.session.read_response()).await;
        match read {
            Ok(Ok(Some(response))) => {
                let reply = self.sort(response.parsed());
                self.bear(reply)
            }
            Ok(Ok(None)) => Err(self.lost(&std::io::ErrorKind::UnexpectedEof.into(), ANSWER)),
            Ok(Err(error)) => Err(self.lost(&error, ANSWER)),
            Err(_) => {
                let what = "the server took too long to answer";
                Err(self.give_up(Error::new(ErrorClass::Network, &self.host, what)))
            }
        }
    }

    /// The next reply, or none by `until`: silence is no fault while idling.
    /// `due` says what was waited for.
    pub(super) async fn next_within(&mut self, until: Instant, due: &str) -> Result<Option<Reply>, Error> {
        match tokio::time::timeout_at(until, self.session.read_response()).await {
            Ok(Ok(Some(response))) => {
                let reply = self.sort(response.parsed());
                self.bear(reply).map(Some)
            }
            Ok(Ok(None)) => Err(self.lost(&std::io::ErrorKind::UnexpectedEof.into(), due)),
            Ok(Err(error)) => Err(self.lost(&error, due)),
            Err(_) => Ok(None),
        }
    }

    /// Nobody chatters that much and answers in the end.
    fn bear(&mut self, reply: Reply) -> Result<Reply, Error> {
        match &reply {
            Reply::Status(..) | Reply::Exists(_) | Reply::Continue(_) | Reply::Other => self.chatter += 1,
            Reply::Data(_) => self.data += 1,
            Reply::Fetch(fetched) => self.odd_modseq |= fetched.odd_modseq,
            Reply::Done(..) | Reply::Expunged => {}
        }
        if self.chatter > MOST_CHATTER || self.data > MOST_DATA {
            return Err(self.give_up(Error::protocol(&self.host, "the server's reply does not end")));
        }
        Ok(reply)
    }

    /// Whether a FETCH has brought a MODSEQ that cannot be.
    pub(super) const fn has_odd_modseq(&self) -> bool {
        self.odd_modseq
    }

    fn sort(&mut self, response: &Response<'_>) -> Reply {
        self.last_heard = Instant::now();
        match response {
            Response::Done { tag, status, outcome } => {
                let text = outcome.information.as_deref().unwrap_or_default();
                log::trace!(target: "posthorn_net::wire", "{} S: {} {status:?}{text}", self.host, tag.0);
                let done = Done {
                    verdict: verdict(status),
                    status: StatusText::parse(text),
                };
                Reply::Done(tag.0.clone(), done)
            }
            Response::Data { status, outcome } => {
                let text = outcome.information.as_deref().unwrap_or_default();
                // The server's own words begin with a space: the guard saw to it.
                if let Some(id) = text.strip_prefix("XGUARD ") {
                    let id = id.trim().parse().ok();
                    let Some(mut captured) = id.and_then(|id| self.guard().take(id)) else {
                        return Reply::Other;
                    };
                    // RFC 7162 section 3.2.10: with EARLIER it answers a question, without it is news.
                    if begins(&captured, b"VANISHED") && !begins(&captured, b"VANISHED (EARLIER)") {
                        self.shrunk();
                    }
                    if self.notified && !self.asking && self.overhear(&mut captured) {
                        return Reply::Other;
                    }
                    return place(captured);
                }
                log::trace!(target: "posthorn_net::wire", "{} S: * {status:?}{text}", self.host);
                let status_text = StatusText::parse(text);
                // RFC 5465 section 5.8: from here on it tells nothing any more.
                if status_text.is("NOTIFICATIONOVERFLOW") {
                    self.notified = false;
                    self.heard.overflow = true;
                }
                if *status == Status::Bye {
                    self.bye = Some(status_text.quotation());
                    return Reply::Other;
                }
                Reply::Status(verdict(status), status_text)
            }
            Response::Continue(outcome) => Reply::Continue(
                outcome
                    .information
                    .as_deref()
                    .unwrap_or_default()
                    .trim()
                    .to_owned(),
            ),
            Response::Fetch(_, items) => Reply::Fetch(Fetched::from_parsed(items)),
            Response::MailboxData(MailboxDatum::Exists(count)) => {
                // Some servers repeat it as a sign of life.
                self.heard.selected |= self.exists.replace(*count) != Some(*count);
                Reply::Exists(*count)
            }
            Response::Expunge(_) => {
                self.shrunk();
                Reply::Expunged
            }
            _ => Reply::Other,
        }
    }

    fn shrunk(&mut self) {
        self.exists = None;
        self.heard.selected = true;
    }

    /// Takes a reply that tells of another mailbox, if it is one.
    fn overhear(&mut self, captured: &mut Captured) -> bool {
        if begins(captured, b"STATUS") {
            if let Some((wire, status, whole)) = parse_status(captured) {
                self.heard.status(key(&wire), status, whole);
            }
            return true;
        }
        let listed = begins(captured, b"LIST");
        self.heard.mailboxes |= listed;
        listed
    }

    /// STATUS replies that came beside those that were asked for.
    pub(super) fn hear_statuses(&mut self, told: Told) {
        if self.notified {
            for (wire, (status, whole)) in told {
                self.heard.status(wire, status, whole);
            }
        }
    }

    pub(super) fn set_asking(&mut self, asking: bool) {
        self.asking = asking;
    }

    pub(super) const fn is_notified(&self) -> bool {
        self.notified
    }

    pub(super) fn set_notified(&mut self, notified: bool) {
        self.notified = notified;
    }

    pub(super) const fn last_heard(&self) -> Instant {
        self.last_heard
    }

    /// Whether there are news of any mailbox.
    pub(super) fn has_news(&self) -> bool {
        !self.heard.is_empty()
    }

    pub(super) fn note_news(&mut self) {
        self.heard.selected = true;
    }

    /// News of the selected mailbox.
    pub(super) fn take_news(&mut self) -> bool {
        std::mem::take(&mut self.heard.selected)
    }

    pub(super) fn take_all_news(&mut self, name: impl Fn(Vec<u8>) -> MailboxName) -> Vec<News> {
        self.heard.take(name)
    }

    /// The connection failed: from now on every question gets this answer.
    fn lost(&mut self, error: &std::io::Error, doing: &str) -> Error {
        // async-imap quotes what it could not parse; that belongs in no message.
        let unreadable =
            error.kind() == std::io::ErrorKind::Other && error.to_string().contains("during parsing of");
        if unreadable {
            return self.give_up(Error::protocol(&self.host, "the server's answer makes no sense"));
        }
        let error = match (&self.bye, error.kind()) {
            (Some(words), std::io::ErrorKind::UnexpectedEof | std::io::ErrorKind::ConnectionReset) => {
                Error::new(ErrorClass::Network, &self.host, "the server ended the session")
                    .quoting(words.as_bytes())
            }
            _ => Error::from_io(&self.host, doing, error),
        };
        self.give_up(error)
    }

    pub(super) fn give_up(&mut self, error: Error) -> Error {
        log::debug!("The connection to {} is given up: {}.", self.host, error.what);
        self.broken = Some(error.clone());
        error
    }

    pub(super) fn set_literals(&mut self, literals: Literals) {
        self.guard().set_literals(literals);
    }

    /// Closes without a word.
    pub(super) async fn shut_down(&mut self) {
        // The server may be gone already; nothing hangs on it.
        let _ = self.guard().shutdown().await;
    }
}

fn verdict(status: &Status) -> Verdict {
    match status {
        Status::Ok | Status::PreAuth => Verdict::Ok,
        Status::No | Status::Bye => Verdict::No,
        Status::Bad => Verdict::Bad,
    }
}

/// A captured reply as what it is.
fn place(mut captured: Captured) -> Reply {
    if framing::classify(&captured.text) == framing::Kind::Fetch {
        Reply::Fetch(Fetched::parse(&mut captured))
    } else {
        Reply::Data(captured)
    }
}
