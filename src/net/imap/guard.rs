//! The stream under async-imap: it frames what the server sends, bounds it, and lets async-imap's parser see only
//! what that parser takes safely. Everything else is captured for our own parsers; in its place async-imap reads
//! `* OK XGUARD n`, so that the order of replies is kept.
//!
//! Why: a reply that imap-proto does not know ends its stream for good, some replies make it panic, nested
//! parentheses overflow its stack, and it allocates whatever length a literal announces.

use bytes::{Buf, BytesMut};
use std::collections::BTreeMap;
use std::fmt;
use std::io::{self, Write};
use std::path::PathBuf;
use std::pin::Pin;
use std::task::{Context, Poll, ready};
use tempfile::NamedTempFile;
use tokio::io::{AsyncRead, AsyncWrite, ReadBuf};

use super::framing::{self, Kind};
use crate::{Channel, Error, Payload};

/// What to do with a literal (RFC 9051 section 4.3) that a reply announces.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum Literals {
    /// Keep up to so many bytes, drop the rest of a longer one.
    Head(u64),
    /// In memory up to `memory` bytes, in a file up to `most`; more is an error.
    Whole { memory: u64, most: u64 },
}

impl Default for Literals {
    fn default() -> Self {
        Self::Head(256 * 1024)
    }
}

/// A reply that async-imap did not see: its text, with each literal's place and content apart.
#[derive(Debug, Default)]
pub(crate) struct Captured {
    /// Lines with their line ends; after each `{n}` CRLF the literal is left out.
    pub(crate) text: Vec<u8>,
    /// Where in `text` each literal belongs, ascending.
    pub(crate) literals: Vec<(usize, Literal)>,
}

#[derive(Debug)]
pub(crate) struct Literal {
    pub(crate) payload: Payload,
    /// Whether the end was dropped.
    pub(crate) cut: bool,
}

/// A literal being received.
struct Incoming {
    left: u64,
    keep: u64,
    cut: bool,
    memory: Vec<u8>,
    file: Option<NamedTempFile>,
    size: u64,
}

/// Bytes of a line that async-imap or our parsers of short replies see.
const LINE: usize = 1 << 20;
/// Bytes of a line that lists: SEARCH results, VANISHED sets, FETCH with a body structure.
const LISTING: usize = 16 << 20;
/// Bytes of all text and kept literals in one reply.
const REPLY: usize = 80 << 20;
/// Literals in one reply.
const LITERALS: usize = 10_000;
/// Bytes of a literal of which only the head is kept.
const MOST_DROPPED: u64 = 64 << 20;
const CHUNK: usize = 64 * 1024;
/// Bytes reserved for a literal before it comes.
const RESERVED: u64 = 1 << 20;

pub(crate) struct Guard {
    channel: Channel,
    spool_dir: PathBuf,
    literals: Literals,
    chunk: Box<[u8]>,
    /// Received, not yet framed; `scanned` bytes of it hold no line end.
    raw: BytesMut,
    scanned: usize,
    /// The reply being put together; its memory so far.
    current: Captured,
    held: usize,
    incoming: Option<Incoming>,
    /// For async-imap to read.
    out: BytesMut,
    captured: BTreeMap<u64, Captured>,
    next: u64,
    adopting: bool,
}

impl Guard {
    /// `channel` must have nothing left to read but replies.
    pub(crate) fn new(channel: Channel, spool_dir: PathBuf) -> Self {
        Self {
            channel,
            spool_dir,
            literals: Literals::default(),
            chunk: vec![0; CHUNK].into_boxed_slice(),
            raw: BytesMut::new(),
            scanned: 0,
            current: Captured::default(),
            held: 0,
            incoming: None,
            out: BytesMut::new(),
            captured: BTreeMap::new(),
            next: 0,
            adopting: true,
        }
    }

    pub(crate) fn channel(&self) -> &Channel {
        &self.channel
    }

    pub(crate) fn channel_mut(&mut self) -> &mut Channel {
        &mut self.channel
    }

    /// From here on both directions are deflated (RFC 4978): what has been received beyond the OK is already.
    pub(crate) fn deflate(&mut self) {
        let received = std::mem::take(&mut self.raw);
        self.scanned = 0;
        self.channel.rewrap(received.to_vec(), |inner, received| {
            Box::new(super::deflate::Deflated::new(inner, received))
        });
    }

    /// For the replies that come from now on.
    pub(crate) fn set_literals(&mut self, literals: Literals) {
        self.literals = literals;
    }

    /// Hands over what `* OK XGUARD n` stood for.
    pub(crate) fn take(&mut self, id: u64) -> Option<Captured> {
        self.captured.remove(&id)
    }

    /// Works on what has been received; false where more is needed.
    fn advance(&mut self) -> io::Result<bool> {
        if self.incoming.is_some() {
            let mut taken = std::mem::take(&mut self.raw);
            let rest = self.feed(&taken)?;
            taken.advance(taken.len() - rest);
            self.raw = taken;
            return Ok(self.incoming.is_none());
        }
        let fresh = self.raw.get(self.scanned..).unwrap_or_default();
        let Some(at) = memchr::memchr(b'\n', fresh) else {
            self.scanned = self.raw.len();
            let most = match framing::classify(&self.raw) {
                Kind::Listing | Kind::Fetch => LISTING,
                _ => LINE,
            };
            if self.scanned > most {
                return Err(broken("the server sends a line without end"));
            }
            return Ok(false);
        };
        let line = self.raw.split_to(self.scanned + at + 1);
        self.scanned = 0;
        self.accept_line(&line)?;
        Ok(true)
    }

    fn accept_line(&mut self, line: &[u8]) -> io::Result<()> {
        let line = line.strip_suffix(b"\n").unwrap_or(line);
        let line = line.strip_suffix(b"\r").unwrap_or(line);
        self.hold(line.len())?;
        // Only a status line's text may end like a literal's announcement and mean nothing by it.
        let first = self.current.text.is_empty();
        let literal = if first && framing::classify(line) == Kind::Status {
            None
        } else {
            framing::literal_length(line)
        };
        self.current.text.extend_from_slice(line);
        self.current.text.extend_from_slice(b"\r\n");
        match literal {
            None => self.finish_reply(),
            Some(None) => Err(broken("the server announces an impossible length")),
            Some(Some(length)) => self.begin_literal(length),
        }
    }

    fn begin_literal(&mut self, length: u64) -> io::Result<()> {
        if self.current.literals.len() >= LITERALS {
            return Err(broken("the server's reply does not end"));
        }
        let (keep, file) = match self.literals {
            Literals::Head(_) if length > MOST_DROPPED => {
                return Err(broken("the server sends far more than was asked for"));
            }
            Literals::Head(most) => (length.min(most), None),
            Literals::Whole { most, .. } if length > most => {
                return Err(broken(
                    "the server sends far more than the message's announced size",
                ));
            }
            Literals::Whole { memory, .. } if length > memory => {
                std::fs::create_dir_all(&self.spool_dir).map_err(disk)?;
                (
                    length,
                    Some(NamedTempFile::new_in(&self.spool_dir).map_err(disk)?),
                )
            }
            Literals::Whole { .. } => (length, None),
        };
        let reserved = if file.is_some() { 0 } else { keep.min(RESERVED) };
        let reserved = usize::try_from(reserved).unwrap_or_default();
        self.incoming = Some(Incoming {
            left: length,
            keep,
            cut: keep < length,
            // Memory follows what arrives: what is announced is reserved up to a bound, once.
            memory: Vec::with_capacity(reserved),
            file,
            size: length,
        });
        if length == 0 {
            self.end_literal()?;
        }
        Ok(())
    }

    /// Gives bytes to the literal being received; says how many were left over.
    fn feed(&mut self, bytes: &[u8]) -> io::Result<usize> {
        let Some(incoming) = &mut self.incoming else {
            return Ok(bytes.len());
        };
        let ours = usize::try_from(incoming.left).map_or(bytes.len(), |left| left.min(bytes.len()));
        let (ours, rest) = bytes.split_at(ours);
        incoming.left -= ours.len() as u64;
        let mut held = 0;
        if let Some(file) = &mut incoming.file {
            file.write_all(ours).map_err(disk)?;
        } else {
            let kept = usize::try_from(incoming.keep).map_or(ours.len(), |keep| keep.min(ours.len()));
            incoming.keep -= kept as u64;
            incoming
                .memory
                .extend_from_slice(ours.get(..kept).unwrap_or_default());
            held = kept;
        }
        let done = incoming.left == 0;
        self.hold(held)?;
        if done {
            self.end_literal()?;
        }
        Ok(rest.len())
    }

    fn end_literal(&mut self) -> io::Result<()> {
        let Some(incoming) = self.incoming.take() else {
            return Ok(());
        };
        let payload = match incoming.file {
            Some(mut file) => {
                file.flush().map_err(disk)?;
                Payload::File {
                    path: file.into_temp_path(),
                    size: incoming.size,
                }
            }
            None => Payload::Memory(incoming.memory),
        };
        let cut = incoming.cut;
        let place = self.current.text.len();
        self.current.literals.push((place, Literal { payload, cut }));
        Ok(())
    }

    fn hold(&mut self, more: usize) -> io::Result<()> {
        self.held += more;
        if self.held > REPLY {
            return Err(broken("the server's reply does not end"));
        }
        Ok(())
    }

    /// Decides who parses the finished reply.
    fn finish_reply(&mut self) -> io::Result<()> {
        let reply = std::mem::take(&mut self.current);
        self.held = 0;
        let whole = reply.literals.is_empty();
        match framing::classify(&reply.text) {
            Kind::Status if whole => framing::pass_status(&reply.text, &mut self.out),
            Kind::Plain if whole => framing::pass_plain(&reply.text, &mut self.out),
            Kind::Fetch if whole && framing::is_plain_fetch(&reply.text) => {
                self.out.extend_from_slice(&reply.text);
            }
            Kind::Foreign => return Err(broken("the server does not speak IMAP any more")),
            _ => {
                let id = self.next;
                self.next += 1;
                self.captured.insert(id, reply);
                self.out
                    .extend_from_slice(format!("* OK XGUARD {id}\r\n").as_bytes());
            }
        }
        Ok(())
    }
}

/// Found again by [`Error::from_io`].
fn broken(what: &str) -> io::Error {
    Error::protocol("", what).into()
}

fn disk(error: io::Error) -> io::Error {
    let what = format!("a large message could not be kept on disk ({error})");
    Error::new(posthorn_model::ErrorClass::Disk, "", what).into()
}

impl AsyncRead for Guard {
    fn poll_read(self: Pin<&mut Self>, cx: &mut Context<'_>, buf: &mut ReadBuf<'_>) -> Poll<io::Result<()>> {
        let this = self.get_mut();
        loop {
            if !this.out.is_empty() {
                let ready = this.out.len().min(buf.remaining());
                buf.put_slice(this.out.get(..ready).unwrap_or_default());
                this.out.advance(ready);
                return Poll::Ready(Ok(()));
            }
            if this.advance()? {
                continue;
            }
            if !this.out.is_empty() {
                continue;
            }
            let mut chunk = ReadBuf::new(&mut this.chunk);
            ready!(Pin::new(&mut this.channel).poll_read(cx, &mut chunk))?;
            let filled = chunk.filled().len();
            let received = std::mem::take(&mut this.chunk);
            let fresh = received.get(..filled).unwrap_or_default();
            // A literal's bytes go where they belong without passing through `raw`.
            let left = if this.raw.is_empty() {
                this.feed(fresh)
            } else {
                Ok(fresh.len())
            };
            if let Ok(left) = left {
                this.raw
                    .extend_from_slice(fresh.get(fresh.len() - left..).unwrap_or_default());
            }
            this.chunk = received;
            left?;
        }
    }
}

impl AsyncWrite for Guard {
    fn poll_write(self: Pin<&mut Self>, cx: &mut Context<'_>, bytes: &[u8]) -> Poll<io::Result<usize>> {
        let this = self.get_mut();
        if this.adopting {
            // async-imap makes a session only out of its own LOGIN, whose arguments it would log: so that LOGIN
            // is answered here and never sent, and the real one is ours (see `login`).
            if bytes.ends_with(b"\r\n") {
                this.adopting = false;
                this.out.extend_from_slice(b"A0001 OK adopted\r\n");
            }
            return Poll::Ready(Ok(bytes.len()));
        }
        Pin::new(&mut this.channel).poll_write(cx, bytes)
    }

    fn poll_flush(self: Pin<&mut Self>, cx: &mut Context<'_>) -> Poll<io::Result<()>> {
        Pin::new(&mut self.get_mut().channel).poll_flush(cx)
    }

    fn poll_shutdown(self: Pin<&mut Self>, cx: &mut Context<'_>) -> Poll<io::Result<()>> {
        Pin::new(&mut self.get_mut().channel).poll_shutdown(cx)
    }
}

impl fmt::Debug for Guard {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("Guard").finish_non_exhaustive()
    }
}
