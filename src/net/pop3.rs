//! POP3 (RFC 1939): one session with one maildrop.
//!
//! A [`Session`] is logged in when it exists. It speaks of messages by number, valid within the session only, and
//! decides nothing: which to fetch and which to delete is the caller's. A deletion counts only once
//! [`Session::quit`] has given the server's +OK; dropping the session instead takes all of them back.
//!
//! What is served is kept byte for byte: only the dots that POP3 adds are taken away. Start reading at `wire` (the
//! framing) and `retrieve`; `dialogue` holds async-pop.

mod dialogue;
mod login;
pub mod quirks;
mod reply;
mod retrieve;
mod spool;
mod top;
mod unstuff;
mod whole;
mod wire;

use posthorn_model::{Endpoint, ErrorClass, MsgNo, Uidl};
use std::collections::BTreeSet;
use std::sync::Arc;
use tokio::sync::{OwnedSemaphorePermit, Semaphore};

use crate::{Channel, Credentials, Dialer, Error, Greeter, Payload, TrafficCount};
use dialogue::{Answer, Ask, Dialogue};
pub use quirks::Quirk;
pub use reply::Capabilities;
use reply::Reply;
use spool::{Spool, SpoolPlace};
use wire::Wire;

/// Bytes of a message above which a server is not believed to mean it.
const MESSAGE: u64 = 1 << 30;

/// Kibibytes of messages in memory that may have come and wait to be kept.
const WAITING: usize = 8 * 1024;

/// What the user wants of a session beside being logged in.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub struct Wishes {
    /// APOP where the server offers nothing stronger and the connection is not protected by the password's absence
    /// alone: it rests on MD5.
    pub apop: bool,
    /// UTF8 (RFC 6856) where the server offers it, whether or not the user name needs it.
    pub utf8: bool,
    /// Messages by TOP where RETR may be taken for a removal (see `retrieve`).
    pub by_top: bool,
}

/// One message as it came, or why it did not.
#[derive(Debug)]
pub struct Retrieved {
    pub number: MsgNo,
    pub result: Result<Payload, Error>,
    /// Its part of the memory that messages may take which have come and are not kept yet: held as long as its bytes.
    pub share: Option<OwnedSemaphorePermit>,
}

/// A maildrop, open and locked by us. Dropped without [`Session::quit`], nothing is deleted.
pub struct Session {
    wire: Wire,
    dialogue: Dialogue,
    capabilities: Capabilities,
    place: SpoolPlace,
    message_limit: u64,
    /// In kibibytes.
    memory: Arc<Semaphore>,
    quirks: BTreeSet<Quirk>,
    /// Messages shorter than LIST said that were proven to be whole.
    proofs: u32,
    /// Messages are asked for by TOP …
    by_top: bool,
    /// … which has shown a whole one.
    top_shows_all: bool,
    /// A command was sent whose reply has not been read to its end: the next reply would be taken for another's.
    out_of_step: bool,
}

impl Session {
    /// Connects, protects the connection as the endpoint says, and logs in.
    ///
    /// # Errors
    /// As [`Dialer::open`]; Auth where the user name or password is wrong; Network where the maildrop is locked or
    /// the server asks for patience.
    pub async fn connect(
        dialer: &Dialer,
        endpoint: &Endpoint,
        credentials: &Credentials,
    ) -> Result<Self, Error> {
        Self::connect_with(dialer, endpoint, credentials, Wishes::default()).await
    }

    /// The same, with wishes.
    ///
    /// # Errors
    /// As [`Session::connect`].
    pub async fn connect_with(
        dialer: &Dialer,
        endpoint: &Endpoint,
        credentials: &Credentials,
        wishes: Wishes,
    ) -> Result<Self, Error> {
        let channel = dialer.open(endpoint, Greeter::Pop3).await?;
        let place = SpoolPlace {
            dir: dialer.spool_dir().to_path_buf(),
            memory_limit: dialer.memory_limit(),
        };
        Self::begin(channel, (endpoint.port, wishes), credentials, place).await
    }

    async fn begin(
        channel: Channel,
        (port, wishes): (u16, Wishes),
        credentials: &Credentials,
        place: SpoolPlace,
    ) -> Result<Self, Error> {
        // After STARTTLS there is no greeting to believe, and none comes.
        let greeting = channel.greeting().unwrap_or(b"+OK\r\n").to_vec();
        let mut wire = Wire::new(channel);
        let greeting = Reply::parse(&greeting)
            .ok_or_else(|| Error::protocol(wire.host(), "the server's greeting is not one of POP3"))?;
        if !greeting.is_ok {
            let mut error = greeting.refusal(wire.host(), "the server turns connections away");
            if error.class == ErrorClass::Refused && !error.permanent {
                error.class = ErrorClass::Network;
            }
            return Err(error);
        }
        let mut dialogue = Dialogue::begin(&mut wire, &greeting).await?;
        let before = fetch_capabilities(&mut wire).await?;
        let offer = login::Offer {
            greeting: &greeting.text,
            capabilities: &before,
            wishes,
        };
        login::log_in(&mut wire, &mut dialogue, port, &offer, credentials).await?;
        // What is offered may change with the login (RFC 2449, section 5).
        let capabilities = if before.known {
            fetch_capabilities(&mut wire).await?
        } else {
            before.clone()
        };
        let capabilities = if capabilities.known { capabilities } else { before };
        let mut quirks = BTreeSet::new();
        if !capabilities.known {
            quirks.insert(Quirk::NoCapa);
        }
        quirks.extend(quirks::of_provider(&greeting.text, credentials.username()));
        let by_top = wishes.by_top
            && capabilities.top
            && !quirks::keeps_fetched(&greeting.text, capabilities.implementation.as_deref());
        Ok(Self {
            wire,
            dialogue,
            by_top,
            top_shows_all: false,
            capabilities,
            place,
            message_limit: MESSAGE,
            memory: Arc::new(Semaphore::new(WAITING)),
            quirks,
            proofs: 0,
            out_of_step: false,
        })
    }

    #[must_use]
    pub const fn capabilities(&self) -> &Capabilities {
        &self.capabilities
    }

    /// What this server was found to get wrong, so far.
    #[must_use]
    pub const fn quirks(&self) -> &BTreeSet<Quirk> {
        &self.quirks
    }

    /// What an earlier connection has found out about the server.
    pub fn expect(&mut self, quirks: BTreeSet<Quirk>) {
        self.quirks.extend(quirks);
    }

    #[must_use]
    pub fn traffic(&self) -> TrafficCount {
        self.wire.channel().traffic().snapshot()
    }

    /// Bytes above which a message is refused and the session ended; 1 GiB at first.
    pub const fn set_message_limit(&mut self, bytes: u64) {
        self.message_limit = bytes;
    }

    /// STAT: how many messages, and their bytes by the server's count.
    ///
    /// # Errors
    /// Refused; Protocol where the server's numbers are none.
    pub async fn stat(&mut self) -> Result<(u32, u64), Error> {
        match self.ask(Ask::Stat).await? {
            Answer::Counts { messages, bytes } => u32::try_from(messages)
                .map(|messages| (messages, bytes))
                .map_err(|_| {
                    Error::protocol(
                        self.wire.host(),
                        "the server claims more messages than there can be",
                    )
                }),
            Answer::Text(_) => Err(Error::protocol(
                self.wire.host(),
                "the server's answer cannot be understood",
            )),
        }
    }

    /// LIST: the size of each message by the server's count, which may be wrong. Lines that are no listing and
    /// numbers said twice are left out.
    ///
    /// # Errors
    /// Refused where the server does not list; Protocol where the listing does not end.
    pub async fn list(&mut self) -> Result<Vec<(MsgNo, u64)>, Error> {
        match self.fetch_listing(b"LIST\r\n").await? {
            Ok(lines) => Ok(once_each(lines.iter().filter_map(|line| reply::parse_size(line)))),
            Err(reply) => Err(reply.refusal(self.wire.host(), "the server does not list its messages")),
        }
    }

    /// UIDL: the unique id of each message, as the server gives it: ids may repeat, and messages may lack one.
    /// `None`: the server has no unique ids.
    ///
    /// # Errors
    /// Where the server has them and does not list them now, so that nobody takes a bad day for a server without.
    pub async fn uidl(&mut self) -> Result<Option<Vec<(MsgNo, Uidl)>>, Error> {
        match self.fetch_listing(b"UIDL\r\n").await? {
            Ok(lines) => {
                let uidls = once_each(lines.iter().filter_map(|line| reply::parse_uidl(line)));
                self.quirks.extend(quirks::of_uidls(&uidls));
                Ok(Some(uidls))
            }
            Err(reply) => {
                let error = reply.refusal(self.wire.host(), "the server does not list its unique ids");
                let lacking = error.class == ErrorClass::Refused && !self.capabilities.uidl;
                if !lacking {
                    return Err(error);
                }
                self.quirks.insert(Quirk::NoUidl);
                Ok(None)
            }
        }
    }

    /// DELE for each: marked only, until [`Session::quit`]. Gives the server's word for each, in order.
    ///
    /// # Errors
    /// Where the connection failed: nothing is deleted then.
    pub async fn delete(&mut self, numbers: &[MsgNo]) -> Result<Vec<(MsgNo, Result<String, Error>)>, Error> {
        let mut answers = Vec::with_capacity(numbers.len());
        if self.capabilities.pipelining {
            for batch in numbers.chunks(retrieve::DEPTH) {
                self.enter()?;
                let commands: String = batch.iter().map(|number| format!("DELE {number}\r\n")).collect();
                self.wire.send(commands.as_bytes()).await?;
                for number in batch {
                    let reply = self.wire.status().await?;
                    answers.push((*number, self.judge_deletion(&reply)));
                }
                self.leave();
            }
            return Ok(answers);
        }
        for number in numbers {
            self.enter()?;
            let answer = self.dialogue.ask(&mut self.wire, Ask::Delete(number.0)).await?;
            self.leave();
            answers.push((*number, answer.map(text_of)));
        }
        Ok(answers)
    }

    fn judge_deletion(&self, reply: &Reply) -> Result<String, Error> {
        if reply.is_ok {
            Ok(crate::error::quote(&reply.text))
        } else {
            Err(reply.refusal(self.wire.host(), "the server did not delete a message"))
        }
    }

    /// # Errors
    /// Where the connection is gone.
    pub async fn noop(&mut self) -> Result<(), Error> {
        self.ask(Ask::Noop).await.map(|_| ())
    }

    /// RSET: takes back every deletion of this session.
    ///
    /// # Errors
    /// Where the server did not say that it did.
    pub async fn reset(&mut self) -> Result<(), Error> {
        self.ask(Ask::Reset).await.map(|_| ())
    }

    /// QUIT: the server now removes what was marked. Gives the text of its +OK.
    ///
    /// # Errors
    /// The deletions are not to be believed, nor to be disbelieved: the next listing tells.
    pub async fn quit(mut self) -> Result<String, Error> {
        self.ask(Ask::Quit).await.map(text_of)
    }

    /// Hangs up without QUIT, so that nothing is deleted and the maildrop is free for another connection.
    pub async fn hang_up(&mut self) {
        self.out_of_step = true;
        self.wire.close().await;
    }

    async fn ask(&mut self, ask: Ask) -> Result<Answer, Error> {
        self.enter()?;
        let answer = self.dialogue.ask(&mut self.wire, ask).await?;
        self.leave();
        answer
    }

    async fn fetch_listing(&mut self, command: &[u8]) -> Result<Result<Vec<Vec<u8>>, Reply>, Error> {
        self.enter()?;
        let listing = fetch_listing(&mut self.wire, command).await?;
        self.leave();
        Ok(listing)
    }

    /// Every command begins here. Where one before it was not finished (an error, a dropped future), no reply can
    /// be trusted to be its own.
    fn enter(&mut self) -> Result<(), Error> {
        if self.out_of_step {
            let what = "the connection broke off in the middle of an answer and is of no more use";
            return Err(Error::new(ErrorClass::Network, self.wire.host(), what));
        }
        self.out_of_step = true;
        Ok(())
    }

    const fn leave(&mut self) {
        self.out_of_step = false;
    }
}

async fn fetch_listing(wire: &mut Wire, command: &[u8]) -> Result<Result<Vec<Vec<u8>>, Reply>, Error> {
    wire.send(command).await?;
    let reply = wire.status().await?;
    if reply.is_ok {
        wire.listing().await.map(Ok)
    } else {
        Ok(Err(reply))
    }
}

/// A server without CAPA is as good as one with it.
async fn fetch_capabilities(wire: &mut Wire) -> Result<Capabilities, Error> {
    let lines = fetch_listing(wire, b"CAPA\r\n").await?;
    Ok(lines
        .map(|lines| Capabilities::parse(lines.iter().map(Vec::as_slice)))
        .unwrap_or_default())
}

fn text_of(answer: Answer) -> String {
    match answer {
        Answer::Text(text) => text,
        Answer::Counts { .. } => String::new(),
    }
}

/// In the order given, without a number's second mention.
fn once_each<T>(entries: impl Iterator<Item = (MsgNo, T)>) -> Vec<(MsgNo, T)> {
    let mut seen = BTreeSet::new();
    entries.filter(|(number, _)| seen.insert(*number)).collect()
}

#[cfg(test)]
mod hostile;
#[cfg(test)]
mod tests;
