//! Our own framing over the connection: lines, listings and messages, each with a bound and an end that is seen.

use std::io;
use std::time::Duration;
use tokio::io::{AsyncBufReadExt, AsyncWriteExt, BufReader};
use tokio::time::{Instant, timeout};

use super::reply::Reply;
use super::unstuff::Unstuffer;
use crate::{Channel, Error};

/// Bytes in one line outside messages. RFC 2449, section 4 allows 512; unique ids come longer than that.
const LINE: usize = 64 * 1024;
/// Bytes in one listing: four million messages.
const LISTING: usize = 64 << 20;
/// Bytes that must come between two looks at the clock while a message is read: 50 bytes a second with the usual
/// timeout. A server that is slower than any line would hold us for ever.
const TRICKLE: u64 = 16 * 1024;

/// How long the end of a message is waited for where the server is known to leave it out.
const HURRY: Duration = Duration::from_secs(2);

/// Bytes of the end of a message: a line's end, and a line with a lone dot.
const END: usize = 4;

pub(super) struct Wire {
    stream: BufReader<Channel>,
    host: String,
}

impl Wire {
    pub(super) fn new(channel: Channel) -> Self {
        let host = channel.host().to_owned();
        Self {
            stream: BufReader::with_capacity(64 * 1024, channel),
            host,
        }
    }

    pub(super) fn host(&self) -> &str {
        &self.host
    }

    pub(super) fn channel(&self) -> &Channel {
        self.stream.get_ref()
    }

    /// Sends whole command lines.
    pub(super) async fn send(&mut self, commands: &[u8]) -> Result<(), Error> {
        let channel = self.stream.get_mut();
        let sent = async {
            channel.write_all(commands).await?;
            channel.flush().await
        };
        sent.await
            .map_err(|error| Error::from_io(&self.host, "sending a command", &error))
    }

    /// Whether the server hears of it or not: the connection is over.
    pub(super) async fn close(&mut self) {
        let _ = timeout(HURRY, self.stream.get_mut().shutdown()).await;
    }

    /// One line, without its end (CRLF or LF).
    pub(super) async fn line(&mut self) -> Result<Vec<u8>, Error> {
        let patience = self.patience();
        let mut line = Vec::new();
        // A listing has many lines, most of which are here already: those need no clock.
        let is_here = memchr::memchr(b'\n', self.stream.buffer()).is_some();
        let reading = self.read_line(&mut line);
        let read = if is_here {
            reading.await
        } else {
            timeout(patience, reading)
                .await
                .unwrap_or_else(|_| Err(io::ErrorKind::TimedOut.into()))
        };
        match read {
            Ok(()) => Ok(line),
            Err(error) if error.kind() == io::ErrorKind::InvalidData => {
                Err(Error::protocol(&self.host, "the server sends a line without end"))
            }
            Err(error) => Err(Error::from_io(&self.host, "waiting for an answer", &error)),
        }
    }

    async fn read_line(&mut self, line: &mut Vec<u8>) -> io::Result<()> {
        loop {
            let ready = self.stream.fill_buf().await?;
            let (fresh, used, ended) = match memchr::memchr(b'\n', ready) {
                Some(at) => (ready.get(..at).unwrap_or_default(), at + 1, true),
                None => (ready, ready.len(), false),
            };
            if line.len() + fresh.len() > LINE {
                return Err(io::ErrorKind::InvalidData.into());
            }
            line.extend_from_slice(fresh);
            self.stream.consume(used);
            if ended {
                if line.last() == Some(&b'\r') {
                    line.pop();
                }
                return Ok(());
            }
        }
    }

    /// The status line of the next reply. Class Protocol: what came is none, so the replies are out of step.
    pub(super) async fn status(&mut self) -> Result<Reply, Error> {
        let line = self.line().await?;
        Reply::parse(&line).ok_or_else(|| {
            Error::protocol(
                &self.host,
                "the server answered with something that is no POP3 reply",
            )
        })
    }

    /// The lines of a listing whose status has been read, up to the lone dot.
    pub(super) async fn listing(&mut self) -> Result<Vec<Vec<u8>>, Error> {
        let (mut lines, mut total) = (Vec::new(), 0_usize);
        loop {
            let mut line = self.line().await?;
            if line.first() == Some(&b'.') {
                if line.len() == 1 {
                    return Ok(lines);
                }
                line.remove(0);
            }
            // What a line costs in memory, not only on the wire: empty lines are not free.
            total += line.len() + size_of::<Vec<u8>>();
            if total > LISTING {
                return Err(Error::protocol(&self.host, "the server's listing does not end"));
            }
            lines.push(line);
        }
    }

    /// The message whose status has been read, byte by byte as it was served. `hurry`: the octets after which the end
    /// is due at once.
    pub(super) async fn message(
        &mut self,
        limit: u64,
        hurry: Option<u64>,
        sink: &mut impl FnMut(&[u8]) -> io::Result<()>,
    ) -> Result<(), Error> {
        let patience = self.patience();
        let (mut unstuffer, mut total) = (Unstuffer::default(), 0_u64);
        let (mut looked_at, mut then) = (Instant::now(), 0);
        loop {
            let filling = self.stream.fill_buf();
            let ready = if hurry.is_some_and(|enough| total >= enough) {
                timeout(HURRY, filling)
                    .await
                    .unwrap_or_else(|_| Err(io::ErrorKind::TimedOut.into()))
            } else {
                filling.await
            };
            let ready = ready.map_err(|error| Error::from_io(&self.host, "sending a message", &error))?;
            if ready.is_empty() {
                let end = io::ErrorKind::UnexpectedEof.into();
                return Err(Error::from_io(&self.host, "sending a message", &end));
            }
            let fed = unstuffer
                .feed(ready, sink)
                .map_err(|error| super::spool::trouble(&self.host, &error))?;
            self.stream.consume(fed.used);
            total += fed.used as u64;
            if total > limit {
                return Err(Error::protocol(
                    &self.host,
                    format!(
                        "a message is larger than {} MB, which is the limit",
                        limit / 1_000_000
                    ),
                ));
            }
            if fed.ended {
                return Ok(());
            }
            if looked_at.elapsed() > patience {
                if total - then < TRICKLE {
                    let late = io::ErrorKind::TimedOut.into();
                    return Err(Error::from_io(&self.host, "sending a message", &late));
                }
                (looked_at, then) = (Instant::now(), total);
            }
        }
    }

    /// The message whose status has been read, by its size: the bytes as they come, and then the lone dot. Where every
    /// line has a dot before it, those are taken away.
    pub(super) async fn sized(
        &mut self,
        size: u64,
        sink: &mut impl FnMut(&[u8]) -> io::Result<()>,
    ) -> Result<(), Error> {
        let (mut left, mut at_line_start, mut stuffed) = (size, true, None);
        let mut is_split = false;
        while left > 0 {
            let ready = self.stream.fill_buf().await;
            let ready = ready.map_err(|error| Error::from_io(&self.host, "sending a message", &error))?;
            let Some(first) = ready.first() else {
                let end = io::ErrorKind::UnexpectedEof.into();
                return Err(Error::from_io(&self.host, "sending a message", &end));
            };
            // A message begins with a header: a dot there is one too many, and so in every line.
            let stuffed = *stuffed.get_or_insert(*first == b'.');
            if stuffed && at_line_start {
                if *first != b'.' {
                    return Err(self.lost_count());
                }
                at_line_start = false;
                self.stream.consume(1);
                continue;
            }
            let room = usize::try_from(left).unwrap_or(usize::MAX).min(ready.len());
            let taken = match memchr::memchr(b'\n', ready.get(..room).unwrap_or_default()) {
                Some(end) if stuffed => end + 1,
                _ => room,
            };
            let fresh = ready.get(..taken).unwrap_or_default();
            sink(fresh).map_err(|error| super::spool::trouble(&self.host, &error))?;
            at_line_start = fresh.last() == Some(&b'\n');
            is_split = fresh.last() == Some(&b'\r');
            left -= taken as u64;
            self.stream.consume(taken);
        }
        // RFC 1939, section 3: the message's last line is given its end where it has none.
        let mut end = self.line().await?;
        if !at_line_start && !is_split && end.is_empty() {
            sink(b"\r\n").map_err(|error| super::spool::trouble(&self.host, &error))?;
            end = self.line().await?;
        }
        if end == b"." {
            Ok(())
        } else {
            Err(self.lost_count())
        }
    }

    /// The message whose status has been read, to where the server falls silent after a lone dot: nothing in it is
    /// taken for its end, and no dot for one that was put there.
    pub(super) async fn read_to_silence(
        &mut self,
        limit: u64,
        sink: &mut impl FnMut(&[u8]) -> io::Result<()>,
    ) -> Result<(), Error> {
        // What may be the end is held back. A message begins where a line does.
        let mut tail: Vec<u8> = b"\n".to_vec();
        let (mut total, mut leading) = (0_u64, 1);
        loop {
            let ended = tail.ends_with(b"\n.\r\n") || tail.ends_with(b"\n.\n");
            let filling = self.stream.fill_buf();
            let ready = if ended {
                match timeout(HURRY, filling).await {
                    Ok(ready) => ready,
                    Err(_) => break,
                }
            } else {
                filling.await
            };
            let ready = ready.map_err(|error| Error::from_io(&self.host, "sending a message", &error))?;
            if ready.is_empty() {
                let end = io::ErrorKind::UnexpectedEof.into();
                return Err(Error::from_io(&self.host, "sending a message", &end));
            }
            let came = ready.len();
            tail.extend_from_slice(ready);
            self.stream.consume(came);
            total += came as u64;
            if total > limit {
                return Err(self.lost_count());
            }
            let sure = tail.len().saturating_sub(END);
            if sure > 0 {
                let sure: Vec<u8> = tail.drain(..sure).skip(leading).collect();
                leading = 0;
                sink(&sure).map_err(|error| super::spool::trouble(&self.host, &error))?;
            }
        }
        let end = if tail.ends_with(b".\r\n") { 3 } else { 2 };
        let rest = tail
            .get(leading..tail.len().saturating_sub(end))
            .unwrap_or_default();
        sink(rest).map_err(|error| super::spool::trouble(&self.host, &error))
    }

    fn lost_count(&self) -> Error {
        Error::protocol(
            &self.host,
            "a message is neither stuffed as it must be nor as long as the server says",
        )
    }

    /// How long the whole of a line may take; [`Channel`] bounds each silence.
    fn patience(&self) -> Duration {
        self.channel().read_timeout() * 5
    }
}
