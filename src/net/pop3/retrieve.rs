//! Messages, many at a time: up to 32 commands under way where the server pipelines (RFC 2449, section 6.6).
//!
//! RETR tells a server that we have the message, before we have it: some remove it then and there, or hide it, and what
//! was on its way when this program or its connection ended is lost. TOP with more lines than there are shows the whole
//! message (RFC 1939, section 7) and tells nothing, so it is asked first, and believed where what came has the very
//! size that LIST gave. `whole` compares. Servers that are known to keep what they have handed over get RETR.
//!
//! A message is handed on only when the reply after it has begun as a reply must. A server that does not stuff dots
//! ends a message too early for us; what comes next is then no status line, and the cut message is not taken for
//! whole. So the last RETR is followed by a NOOP. A message that is shorter than LIST said is fetched once more and
//! alone, and LIST's answer about it must follow: no text in a message can stand for that by chance.

use std::collections::VecDeque;
use std::sync::Arc;
use std::time::Duration;

use posthorn_model::{ErrorClass, MsgNo};
use tokio::sync::Semaphore;
use tokio::sync::mpsc::Sender;
use tokio::time::timeout;

use super::quirks::Quirk;
use super::reply::Reply;
use super::whole::{self, Whole};
use super::{Retrieved, Session, Spool};
use crate::{Error, Payload};

/// Commands under way at once.
pub(super) const DEPTH: usize = 32;
/// Servers hang up after a minute of silence; this disk may need longer.
const SILENCE: Duration = Duration::from_secs(20);
/// Messages that LIST gave too large a size, each proven whole, before the server's sizes are known to be wrong.
const PROOFS: u32 = 3;
/// What a server may count into a size beside the message: the final CRLF.
pub(super) const SLACK: u64 = 2;
/// Lines of a body that no message has.
const ALL_LINES: u32 = 99_999_999;

/// A message number, with the size by LIST.
type Asked = (MsgNo, Option<u64>);

/// The command by which a message comes.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
enum Verb {
    Retr,
    /// TOP of all lines.
    Top,
}

/// A message that has come, until the next reply shows it to be whole.
struct Held {
    asked: Asked,
    payload: Payload,
    /// TOP may have shown a part only.
    partial: bool,
}

/// A message whose bytes leave room for doubt.
struct Doubtful {
    asked: Asked,
    /// Fetched anew by RETR like any other: TOP did not show it whole.
    anew: bool,
}

impl Session {
    /// Fetches each, in order. A message that the server refuses, or that cannot be kept, is reported as such and
    /// the others go on. The size is the server's from LIST: it raises doubts, no more.
    ///
    /// # Errors
    /// The session is over; messages neither sent to `out` nor refused there were not received whole.
    pub async fn retrieve(&mut self, numbers: &[Asked], out: &Sender<Retrieved>) -> Result<(), Error> {
        if numbers.is_empty() {
            return Ok(());
        }
        self.enter()?;
        let mut unasked: VecDeque<Asked> = numbers.iter().copied().collect();
        let mut doubtful = Vec::new();
        while !unasked.is_empty() {
            if self.quirks.contains(&Quirk::Unbounded) {
                self.fetch_to_silence(&mut unasked, out).await?;
                break;
            }
            if self.quirks.contains(&Quirk::WrongStuffing) {
                self.fetch_by_size(&mut unasked, out).await?;
                break;
            }
            self.stream(&mut unasked, &mut doubtful, out).await?;
            let (anew, alone): (Vec<Doubtful>, _) = doubtful.drain(..).partition(|message| message.anew);
            for message in alone {
                self.fetch_alone(message.asked, out).await?;
            }
            for message in anew.into_iter().rev() {
                unasked.push_front(message.asked);
            }
        }
        self.leave();
        Ok(())
    }

    /// Fetches ahead, until nothing is left or a message is in doubt.
    async fn stream(
        &mut self,
        unasked: &mut VecDeque<Asked>,
        doubtful: &mut Vec<Doubtful>,
        out: &Sender<Retrieved>,
    ) -> Result<(), Error> {
        let mut under_way: VecDeque<(Asked, Verb)> = VecDeque::new();
        let mut held = None;
        // Whether the NOOP was sent with the last of them.
        let mut ends = false;
        loop {
            let depth = self.depth(unasked.front());
            let stop = !doubtful.is_empty();
            let has_room = out.capacity() > 0 && self.memory.available_permits() > 0;
            let waits = under_way.is_empty() && held.is_some() && !has_room && !stop;
            if waits && timeout(SILENCE, wait_for_room(&self.memory, out)).await.is_err() {
                // Our disk is slow: the server hears from us, and what is held may wait without a reply pending.
                self.prove_held(&mut held, doubtful, out).await?;
            }
            // Half of the window at a time: fewer, larger packets, and the server never runs dry.
            let room = has_room || under_way.is_empty();
            if !stop && room && under_way.len() <= depth / 2 && !unasked.is_empty() {
                let count = unasked.len().min(depth - under_way.len());
                let batch: Vec<(Asked, Verb)> = unasked
                    .drain(..count)
                    .map(|asked| (asked, self.verb(asked)))
                    .collect();
                ends = unasked.is_empty() && depth > 1;
                self.ask_for(&batch, ends).await?;
                under_way.extend(batch);
            }
            let Some((asked, verb)) = under_way.pop_front() else {
                break;
            };
            let reply = self.next_reply(&mut held, doubtful, (false, out)).await?;
            if reply.is_ok {
                held = self.receive((asked, verb), out).await?;
            } else if verb == Verb::Top {
                self.quirks.insert(Quirk::RefusedTop);
                doubtful.push(Doubtful { asked, anew: true });
            } else {
                let error = reply.refusal(self.wire.host(), "the server did not hand over a message");
                self.give(asked.0, Err(error), out, false).await?;
            }
            if ends && under_way.is_empty() {
                self.next_reply(&mut held, doubtful, (true, out)).await?;
                return Ok(());
            }
        }
        self.prove_held(&mut held, doubtful, out).await
    }

    /// How this message is asked for.
    fn verb(&self, (_, size): Asked) -> Verb {
        // Without a size, nobody could tell a part from the whole.
        let fails = self.quirks.contains(&Quirk::PartialTop) || self.quirks.contains(&Quirk::RefusedTop);
        if self.by_top && size.is_some() && !fails {
            Verb::Top
        } else {
            Verb::Retr
        }
    }

    /// How many commands may be under way.
    fn depth(&self, next: Option<&Asked>) -> usize {
        // One TOP alone first: where it does not show the whole, no more than that came in vain.
        let untried = !self.top_shows_all && next.is_some_and(|asked| self.verb(*asked) == Verb::Top);
        if self.capabilities.pipelining && !untried {
            DEPTH
        } else {
            1
        }
    }

    async fn ask_for(&mut self, batch: &[(Asked, Verb)], ends: bool) -> Result<(), Error> {
        let mut commands: String = batch
            .iter()
            .map(|((number, _), verb)| match verb {
                Verb::Retr => format!("RETR {number}\r\n"),
                Verb::Top => format!("TOP {number} {ALL_LINES}\r\n"),
            })
            .collect();
        if ends {
            commands.push_str("NOOP\r\n");
        }
        self.wire.send(commands.as_bytes()).await
    }

    /// A NOOP, whose answer shows that the message before it is whole.
    async fn prove_held(
        &mut self,
        held: &mut Option<Held>,
        doubtful: &mut Vec<Doubtful>,
        out: &Sender<Retrieved>,
    ) -> Result<(), Error> {
        match self.wire.send(b"NOOP\r\n").await {
            // The end of the connection is no sign of a cut message.
            Err(error) if held.is_none() => return Err(error),
            _ => {}
        }
        self.next_reply(held, doubtful, (true, out)).await.map(|_| ())
    }

    /// Reads the next status line, and hands over the message before it if that shows it to be whole. `idle`:
    /// nothing else is under way.
    async fn next_reply(
        &mut self,
        held: &mut Option<Held>,
        doubtful: &mut Vec<Doubtful>,
        (idle, out): (bool, &Sender<Retrieved>),
    ) -> Result<Reply, Error> {
        let reply = self.wire.status().await;
        let Some(Held {
            asked,
            payload,
            partial,
        }) = held.take()
        else {
            return reply;
        };
        let cut = reply
            .as_ref()
            .is_err_and(|error| error.class == ErrorClass::Protocol);
        if cut {
            self.quirks.insert(Quirk::WrongStuffing);
            let error = Error::protocol(
                self.wire.host(),
                "the server went on after the end of a message, so it may have been cut short",
            );
            self.give(asked.0, Err(error), out, false).await?;
        } else if partial || self.is_doubtful(asked.1, &payload) {
            doubtful.push(Doubtful { asked, anew: partial });
        } else {
            self.give(asked.0, Ok(payload), out, idle && reply.is_ok())
                .await?;
        }
        reply
    }

    /// Whether less came than the server lists, and nothing explains it.
    fn is_doubtful(&mut self, size: Option<u64>, payload: &Payload) -> bool {
        let Some(size) = size.filter(|_| !self.quirks.contains(&Quirk::WrongSizes)) else {
            return false;
        };
        if payload.len() + SLACK >= size {
            return false;
        }
        let counted = payload.len() + whole::count_ends(payload).bare;
        if counted + SLACK >= size {
            self.quirks.insert(Quirk::BareLineEnds);
            return false;
        }
        true
    }

    /// Reads one message whose status has been read. `None`: it could not be kept here, and was reported.
    async fn receive(
        &mut self,
        (asked, verb): (Asked, Verb),
        out: &Sender<Retrieved>,
    ) -> Result<Option<Held>, Error> {
        let (number, size) = asked;
        let place = self.place.clone();
        let mut spool = Spool::new(&place, size);
        let hurry = size.filter(|_| self.quirks.contains(&Quirk::Unterminated));
        let received = self
            .wire
            .message(self.message_limit, hurry, &mut |bytes| spool.write(bytes))
            .await;
        let error = match received {
            Ok(()) => match spool.finish() {
                Ok(payload) => return Ok(Some(self.hold((asked, verb), payload))),
                Err(error) => super::spool::trouble(self.wire.host(), &error),
            },
            // All that LIST promised has come, and the end did not: nothing is missing.
            Err(error) if error.class == ErrorClass::Network && spool.is_whole(size) => {
                self.quirks.insert(Quirk::Unterminated);
                let payload = spool.finish();
                let payload = payload.map_err(|error| super::spool::trouble(self.wire.host(), &error));
                self.give(number, payload, out, false).await?;
                return Err(error);
            }
            Err(error) => {
                // All has come, and more: by RETR it may be seen to be whole.
                if verb == Verb::Top && size.is_some_and(|size| spool.came() >= size) {
                    self.quirks.insert(Quirk::PartialTop);
                }
                error
            }
        };
        self.give(number, Err(error.clone()), out, false).await?;
        Err(error)
    }

    /// A message that has come to its end, as it was asked for.
    fn hold(&mut self, (asked, verb): (Asked, Verb), payload: Payload) -> Held {
        let (payload, partial) = match (verb, asked.1) {
            (Verb::Top, Some(size)) => match whole::compare(payload, size) {
                Whole::Yes(payload) => {
                    self.top_shows_all = true;
                    (payload, false)
                }
                Whole::Unclear(payload) => {
                    self.quirks.insert(Quirk::PartialTop);
                    (payload, true)
                }
            },
            _ => (payload, false),
        };
        Held {
            asked,
            payload,
            partial,
        }
    }

    /// A message in doubt, once more and alone: what it is followed by must be LIST's answer about it.
    async fn fetch_alone(&mut self, asked: Asked, out: &Sender<Retrieved>) -> Result<(), Error> {
        let (number, size) = asked;
        self.ask_for(&[(asked, Verb::Retr)], false).await?;
        let reply = match self.wire.status().await {
            Ok(reply) => reply,
            Err(error) => {
                self.quirks.insert(Quirk::WrongStuffing);
                self.give(number, Err(error.clone()), out, false).await?;
                return Err(error);
            }
        };
        if !reply.is_ok {
            let error = reply.refusal(self.wire.host(), "the server did not hand over a message");
            return self.give(number, Err(error), out, true).await;
        }
        let Some(Held { payload, .. }) = self.receive((asked, Verb::Retr), out).await? else {
            return Ok(());
        };
        if let Err(error) = self.probe(number, size).await {
            self.quirks.insert(Quirk::WrongStuffing);
            self.give(number, Err(error.clone()), out, false).await?;
            return Err(error);
        }
        if payload.is_empty() {
            let what = "the server sends nothing for a message that it lists as larger";
            let error = Error::protocol(self.wire.host(), what);
            return self.give(number, Err(error), out, true).await;
        }
        self.proofs += 1;
        if self.proofs >= PROOFS {
            self.quirks.insert(Quirk::WrongSizes);
        }
        self.give(number, Ok(payload), out, true).await
    }

    /// Whether the server answers about this very message: else what it says is still the message itself.
    async fn probe(&mut self, number: MsgNo, size: Option<u64>) -> Result<(), Error> {
        self.wire.send(format!("LIST {number}\r\n").as_bytes()).await?;
        let reply = self.wire.status().await?;
        let expected = super::reply::parse_size(&reply.text);
        if reply.is_ok && expected == size.map(|size| (number, size)) {
            return Ok(());
        }
        Err(Error::protocol(
            self.wire.host(),
            "the server went on after the end of a message, so it may have been cut short",
        ))
    }

    /// One by one, by the sizes that LIST gave: for servers that do not stuff dots as they must.
    async fn fetch_by_size(
        &mut self,
        unasked: &mut VecDeque<Asked>,
        out: &Sender<Retrieved>,
    ) -> Result<(), Error> {
        while let Some(asked) = unasked.pop_front() {
            let (number, size) = asked;
            let Some(size) = size else {
                let what = "the server sends dots wrongly and gives no size to read this message by";
                let error = Error::protocol(self.wire.host(), what);
                self.give(number, Err(error), out, true).await?;
                continue;
            };
            self.ask_for(&[(asked, Verb::Retr)], false).await?;
            let reply = self.wire.status().await?;
            if !reply.is_ok {
                let error = reply.refusal(self.wire.host(), "the server did not hand over a message");
                self.give(number, Err(error), out, true).await?;
                continue;
            }
            let place = self.place.clone();
            let mut spool = Spool::new(&place, Some(size));
            let limit = self.message_limit;
            let read = async {
                self.wire
                    .sized(size.min(limit), &mut |bytes| spool.write(bytes))
                    .await?;
                self.probe(number, Some(size)).await
            };
            let result = read.await.and_then(|()| {
                spool
                    .finish()
                    .map_err(|error| super::spool::trouble(self.wire.host(), &error))
            });
            let ended = result.as_ref().map(|_| ()).map_err(Clone::clone);
            if ended
                .as_ref()
                .is_err_and(|error| error.class == ErrorClass::Protocol)
            {
                self.quirks.insert(Quirk::Unbounded);
            }
            self.give(number, result, out, ended.is_ok()).await?;
            ended?;
        }
        Ok(())
    }

    /// One by one, with nothing else under way: all that the server says until it falls silent is the message, where a
    /// lone dot comes last and the server answers what it is asked then.
    async fn fetch_to_silence(
        &mut self,
        unasked: &mut VecDeque<Asked>,
        out: &Sender<Retrieved>,
    ) -> Result<(), Error> {
        while let Some(asked) = unasked.pop_front() {
            let (number, size) = asked;
            self.ask_for(&[(asked, Verb::Retr)], false).await?;
            let reply = self.wire.status().await?;
            if !reply.is_ok {
                let error = reply.refusal(self.wire.host(), "the server did not hand over a message");
                self.give(number, Err(error), out, true).await?;
                continue;
            }
            let place = self.place.clone();
            let mut spool = Spool::new(&place, size);
            let limit = self.message_limit;
            let read = async {
                self.wire
                    .read_to_silence(limit, &mut |bytes| spool.write(bytes))
                    .await?;
                self.probe(number, size).await
            };
            let result = read.await.and_then(|()| {
                spool
                    .finish()
                    .map_err(|error| super::spool::trouble(self.wire.host(), &error))
            });
            let ended = result.as_ref().map(|_| ()).map_err(Clone::clone);
            self.give(number, result, out, ended.is_ok()).await?;
            ended?;
        }
        Ok(())
    }

    /// Hands a message on. Where nothing is under way, the server hears from us while there is no room for it.
    async fn give(
        &mut self,
        number: MsgNo,
        result: Result<Payload, Error>,
        out: &Sender<Retrieved>,
        idle: bool,
    ) -> Result<(), Error> {
        let kibibytes = match &result {
            Ok(Payload::Memory(bytes)) => (bytes.len() / 1024 + 1).min(super::WAITING),
            Ok(Payload::File { .. }) | Err(_) => 0,
        };
        let kibibytes = u32::try_from(kibibytes).unwrap_or(0);
        let memory = Arc::clone(&self.memory);
        loop {
            let both = async {
                let share = Arc::clone(&memory).acquire_many_owned(kibibytes).await;
                out.reserve().await.map(|room| (room, share.ok()))
            };
            match timeout(SILENCE, both).await {
                Ok(Ok((room, share))) => {
                    room.send(Retrieved {
                        number,
                        result,
                        share,
                    });
                    return Ok(());
                }
                Ok(Err(_)) => {
                    let what = "the transfer was stopped";
                    return Err(Error::new(ErrorClass::Network, self.wire.host(), what));
                }
                Err(_) if idle => {
                    self.wire.send(b"NOOP\r\n").await?;
                    self.wire.status().await?;
                }
                Err(_) => {}
            }
        }
    }
}

async fn wait_for_room(memory: &Semaphore, out: &Sender<Retrieved>) {
    // An error means that nobody listens any more, which shows when something is handed on.
    let _ = memory.acquire().await;
    let _ = out.reserve().await;
}
