//! Between the connection and lettre: replies made safe to parse, and kept.
//!
//! lettre 0.11 takes text that is not UTF-8, a code without text (RFC 5321, section 4.2 allows it) and a bare LF for
//! broken replies, after which nobody knows what became of the message; it reads a line without bound, forgets SIZE,
//! and takes a reply too many for the next command's. So each reply line is bounded and cleaned here, all lines of
//! the last reply are kept, and a command after a surplus reply fails.

use lettre::transport::smtp::client::AsyncTokioStream;
use std::fmt;
use std::io;
use std::net::SocketAddr;
use std::pin::Pin;
use std::sync::{Arc, Mutex, MutexGuard, PoisonError};
use std::task::{Context, Poll, ready};
use std::time::Duration;
use tokio::io::{AsyncRead, AsyncWrite, ReadBuf};

use crate::{Channel, Error};

/// Bytes in a reply line: eight times what RFC 5321, section 4.5.3.1.5 allows.
const LINE: usize = 4096;
/// Bytes of a line that are handed on; lettre takes 1,000.
const SHOWN: usize = 900;
/// Lines in one reply.
const LINES: usize = 300;

/// The last reply, whatever lettre made of it.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(super) struct Reply {
    pub(super) code: u16,
    pub(super) text: String,
}

impl fmt::Display for Reply {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "{} {}", self.code, self.text)
    }
}

/// The transport that lettre is given.
#[derive(Clone)]
pub(super) struct Guard(Arc<Mutex<Shared>>);

struct Shared {
    channel: Channel,
    /// A line that has not ended yet.
    partial: Vec<u8>,
    /// Cleaned lines for lettre.
    ready: Vec<u8>,
    /// The lines of the reply since something was last sent.
    lines: Vec<String>,
    /// Its last line has come.
    complete: bool,
    /// Lines came after that.
    surplus: bool,
}

impl Guard {
    pub(super) fn new(mut channel: Channel) -> Self {
        let ready = match channel.greeting().map(<[u8]>::to_vec) {
            Some(greeting) => {
                channel.unread(&greeting);
                Vec::new()
            }
            // After STARTTLS the server is silent (RFC 3207, section 4.2); lettre waits for a greeting all the same.
            None => b"220 protected\r\n".to_vec(),
        };
        Self(Arc::new(Mutex::new(Shared {
            channel,
            partial: Vec::new(),
            ready,
            lines: Vec::new(),
            complete: false,
            surplus: false,
        })))
    }

    /// Never contended: lettre and we take turns within one task.
    fn shared(&self) -> MutexGuard<'_, Shared> {
        self.0.lock().unwrap_or_else(PoisonError::into_inner)
    }

    pub(super) fn set_patience(&self, silence: Duration) {
        self.shared().channel.set_read_timeout(silence);
    }

    /// The last reply, once it is whole.
    pub(super) fn reply(&self) -> Option<Reply> {
        let shared = self.shared();
        let last = shared.lines.last().filter(|_| shared.complete)?;
        let text = shared.lines.iter().filter_map(|line| line.get(4..));
        Some(Reply {
            code: last.get(..3)?.parse().ok()?,
            text: text.collect::<Vec<_>>().join(" ").trim().to_owned(),
        })
    }

    /// The lines of the last reply without their codes.
    pub(super) fn texts(&self) -> Vec<String> {
        self.shared()
            .lines
            .iter()
            .filter_map(|line| line.get(4..))
            .map(str::to_owned)
            .collect()
    }

    /// What came last, for a quotation.
    pub(super) fn words(&self) -> String {
        self.shared().lines.join(" ")
    }
}

impl Shared {
    fn take_in(&mut self, bytes: &[u8]) -> io::Result<()> {
        for piece in bytes.split_inclusive(|byte| *byte == b'\n') {
            self.partial.extend_from_slice(piece);
            if self.partial.len() > LINE {
                return Err(Error::protocol("", "the server sends a line without end").into());
            }
            if piece.ends_with(b"\n") {
                let line = clean(&std::mem::take(&mut self.partial));
                self.keep(line)?;
            }
        }
        Ok(())
    }

    fn keep(&mut self, line: String) -> io::Result<()> {
        self.surplus |= self.complete;
        if !self.complete {
            self.complete = line.as_bytes().get(3) != Some(&b'-');
            self.ready.extend_from_slice(line.as_bytes());
            self.ready.extend_from_slice(b"\r\n");
            self.lines.push(line);
        }
        if self.lines.len() > LINES {
            return Err(Error::protocol("", "the server's reply does not end").into());
        }
        Ok(())
    }
}

/// One line that lettre can parse: UTF-8 without control characters, bounded, and a blank after a bare code.
fn clean(line: &[u8]) -> String {
    let text: String = String::from_utf8_lossy(line.trim_ascii_end())
        .chars()
        .map(|c| if c.is_control() { ' ' } else { c })
        .scan(0, |bytes, c| {
            *bytes += c.len_utf8();
            (*bytes <= SHOWN).then_some(c)
        })
        .collect();
    let bare = text.len() == 3 && text.bytes().all(|byte| byte.is_ascii_digit());
    if bare { text + " " } else { text }
}

impl AsyncRead for Guard {
    fn poll_read(self: Pin<&mut Self>, cx: &mut Context<'_>, buf: &mut ReadBuf<'_>) -> Poll<io::Result<()>> {
        let mut shared = self.shared();
        while shared.ready.is_empty() {
            let mut chunk = [0; 4096];
            let mut fresh = ReadBuf::new(&mut chunk);
            ready!(Pin::new(&mut shared.channel).poll_read(cx, &mut fresh))?;
            shared.take_in(fresh.filled())?;
            if shared.surplus && shared.ready.is_empty() {
                return Poll::Ready(Err(surplus().into()));
            }
        }
        let ready = shared.ready.len().min(buf.remaining());
        let taken: Vec<u8> = shared.ready.drain(..ready).collect();
        buf.put_slice(&taken);
        Poll::Ready(Ok(()))
    }
}

fn surplus() -> Error {
    Error::protocol(
        "",
        "the server answers more than it was asked, so its answers cannot be believed",
    )
}

impl AsyncWrite for Guard {
    fn poll_write(self: Pin<&mut Self>, cx: &mut Context<'_>, bytes: &[u8]) -> Poll<io::Result<usize>> {
        let mut shared = self.shared();
        if shared.surplus || !shared.partial.is_empty() {
            return Poll::Ready(Err(surplus().into()));
        }
        shared.lines.clear();
        shared.complete = false;
        Pin::new(&mut shared.channel).poll_write(cx, bytes)
    }

    fn poll_flush(self: Pin<&mut Self>, cx: &mut Context<'_>) -> Poll<io::Result<()>> {
        Pin::new(&mut self.shared().channel).poll_flush(cx)
    }

    fn poll_shutdown(self: Pin<&mut Self>, cx: &mut Context<'_>) -> Poll<io::Result<()>> {
        Pin::new(&mut self.shared().channel).poll_shutdown(cx)
    }
}

impl AsyncTokioStream for Guard {
    fn peer_addr(&self) -> io::Result<SocketAddr> {
        Err(io::ErrorKind::Unsupported.into())
    }
}

impl fmt::Debug for Guard {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str("Guard")
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn cleans_lines_without_losing_the_code() {
        let check = |line: &[u8], expect: &str| assert_eq!(clean(line), expect, "{line:?}");
        check(b"250 ok\r\n", "250 ok");
        check(b"250\r\n", "250 ");
        check(b"250-\r\n", "250-");
        check(b"250 caf\xe9\n", "250 caf\u{fffd}");
        check(b"250 a\x07b\0\r\n", "250 a b ");
        check(b"\r\n", "");
        assert_eq!(clean(&[b"250 ".as_slice(), &[b'x'; 4000]].concat()).len(), SHOWN);
    }
}
