//! Messages, many at a time: RETR with up to 32 commands under way where the server pipelines (RFC 2449, section 6.6).
//!
//! A message is handed on only when the reply after it has begun as a reply must. A server that does not stuff dots
//! ends a message too early for us; what comes next is then no status line, and the cut message is not taken for
//! whole. So the last RETR is followed by a NOOP. A message that is shorter than LIST said is fetched once more and
//! alone, and LIST's answer about it must follow: no text in a message can stand for that by chance.

use std::collections::VecDeque;
use std::io::Read;
use std::time::Duration;

use posthorn_model::{ErrorClass, MsgNo};
use tokio::sync::mpsc::Sender;
use tokio::time::timeout;

use super::quirks::Quirk;
use super::reply::Reply;
use super::{Retrieved, Session, Spool};
use crate::{Error, Payload};

/// Commands under way at once.
pub(super) const DEPTH: usize = 32;
/// Servers hang up after a minute of silence; this disk may need longer.
const SILENCE: Duration = Duration::from_secs(20);
/// Messages that LIST gave too large a size, each proven whole, before the server's sizes are known to be wrong.
const PROOFS: u32 = 3;
/// What a server may count into a size beside the message: the final CRLF.
const SLACK: u64 = 2;

/// A message number, with the size by LIST.
type Asked = (MsgNo, Option<u64>);

/// A message that has come, until the next reply shows it to be whole.
struct Held {
    asked: Asked,
    payload: Payload,
}

impl Session {
    /// RETR for each, in order. A message that the server refuses, or that cannot be kept, is reported as such and
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
            if self.quirks.contains(&Quirk::WrongStuffing) {
                self.fetch_by_size(&mut unasked, out).await?;
                break;
            }
            self.stream(&mut unasked, &mut doubtful, out).await?;
            for asked in doubtful.drain(..) {
                self.fetch_alone(asked, out).await?;
            }
        }
        self.leave();
        Ok(())
    }

    /// Fetches ahead, until nothing is left or a message is in doubt.
    async fn stream(
        &mut self,
        unasked: &mut VecDeque<Asked>,
        doubtful: &mut Vec<Asked>,
        out: &Sender<Retrieved>,
    ) -> Result<(), Error> {
        let depth = if self.capabilities.pipelining { DEPTH } else { 1 };
        let mut under_way: VecDeque<Asked> = VecDeque::new();
        let mut held = None;
        loop {
            let stop = !doubtful.is_empty();
            let waits = under_way.is_empty() && held.is_some() && out.capacity() == 0 && !stop;
            if waits && timeout(SILENCE, out.reserve()).await.is_err() {
                // Our disk is slow: the server hears from us, and what is held may wait without a reply pending.
                self.prove_held(&mut held, doubtful, out).await?;
            }
            // Half of the window at a time: fewer, larger packets, and the server never runs dry.
            let room = out.capacity() > 0 || under_way.is_empty();
            if !stop && room && under_way.len() <= depth / 2 {
                let count = unasked.len().min(depth - under_way.len());
                let batch: Vec<Asked> = unasked.drain(..count).collect();
                let ends = unasked.is_empty() && depth > 1;
                self.ask_for(&batch, ends).await?;
                under_way.extend(batch);
                if ends && under_way.is_empty() {
                    self.next_reply(&mut held, doubtful, (true, out)).await?;
                    return Ok(());
                }
            }
            let Some(asked) = under_way.pop_front() else {
                break;
            };
            let ends = unasked.is_empty() && depth > 1;
            let reply = self.next_reply(&mut held, doubtful, (false, out)).await?;
            if reply.is_ok {
                held = self.receive(asked, out).await?;
            } else {
                let error = reply.refusal(self.wire.host(), "the server did not hand over a message");
                self.give(asked.0, Err(error), out, false).await?;
            }
            if ends && under_way.is_empty() {
                // The NOOP was sent with the last of them.
                self.next_reply(&mut held, doubtful, (true, out)).await?;
                return Ok(());
            }
        }
        self.prove_held(&mut held, doubtful, out).await
    }

    async fn ask_for(&mut self, batch: &[Asked], ends: bool) -> Result<(), Error> {
        let mut commands: String = batch
            .iter()
            .map(|(number, _)| format!("RETR {number}\r\n"))
            .collect();
        if commands.is_empty() {
            return Ok(());
        }
        if ends {
            commands.push_str("NOOP\r\n");
        }
        self.wire.send(commands.as_bytes()).await
    }

    /// A NOOP, whose answer shows that the message before it is whole.
    async fn prove_held(
        &mut self,
        held: &mut Option<Held>,
        doubtful: &mut Vec<Asked>,
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
        doubtful: &mut Vec<Asked>,
        (idle, out): (bool, &Sender<Retrieved>),
    ) -> Result<Reply, Error> {
        let reply = self.wire.status().await;
        let Some(Held { asked, payload }) = held.take() else {
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
        } else if self.is_doubtful(asked.1, &payload) {
            doubtful.push(asked);
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
        let counted = payload.len() + count_bare_ends(payload);
        if counted + SLACK >= size {
            self.quirks.insert(Quirk::BareLineEnds);
            return false;
        }
        true
    }

    /// Reads one message whose status has been read. `None`: it could not be kept here, and was reported.
    async fn receive(&mut self, asked: Asked, out: &Sender<Retrieved>) -> Result<Option<Held>, Error> {
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
                Ok(payload) => return Ok(Some(Held { asked, payload })),
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
            Err(error) => error,
        };
        self.give(number, Err(error.clone()), out, false).await?;
        Err(error)
    }

    /// A message in doubt, once more and alone: what it is followed by must be LIST's answer about it.
    async fn fetch_alone(&mut self, asked: Asked, out: &Sender<Retrieved>) -> Result<(), Error> {
        let (number, size) = asked;
        self.ask_for(&[asked], false).await?;
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
        let Some(Held { payload, .. }) = self.receive(asked, out).await? else {
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
            self.ask_for(&[asked], false).await?;
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
        loop {
            match timeout(SILENCE, out.reserve()).await {
                Ok(Ok(room)) => {
                    room.send(Retrieved { number, result });
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

/// Line ends of one byte, which LIST counts as two: LF without CR, and CR without LF.
fn count_bare_ends(payload: &Payload) -> u64 {
    let (mut bare, mut before) = (0, 0);
    let mut count = |bytes: &[u8]| {
        for byte in bytes {
            match (before, *byte) {
                (b'\r', b'\n') => {}
                (_, b'\n') | (b'\r', _) => bare += 1,
                _ => {}
            }
            before = *byte;
        }
    };
    match payload {
        Payload::Memory(bytes) => count(bytes),
        Payload::File { path, .. } => {
            let Ok(mut file) = std::fs::File::open(path) else {
                return 0;
            };
            let mut buffer = vec![0; 64 * 1024];
            while let Ok(read @ 1..) = file.read(&mut buffer) {
                count(buffer.get(..read).unwrap_or_default());
            }
        }
    }
    bare + u64::from(before == b'\r')
}
