//! One connection of any of the three protocols: bytes in, bytes out, TLS half-way, limits and injected faults.

use std::io;
use std::time::Duration;

use flate2::{Compress, Compression, Decompress, FlushCompress, FlushDecompress, Status};
use tokio::io::{AsyncRead, AsyncReadExt, AsyncWrite, AsyncWriteExt};
use tokio_rustls::TlsAcceptor;

use crate::fault::LinkFault;

/// A client that says nothing for this long is let go (RFC 9051 section 5.4 asks for at least 30 minutes).
const SILENCE: Duration = Duration::from_secs(31 * 60);
/// Replies are gathered up to here, then sent.
const GATHER: usize = 128 * 1024;

/// Anything a session can run over.
pub trait Stream: AsyncRead + AsyncWrite + Unpin + Send {}
impl<T: AsyncRead + AsyncWrite + Unpin + Send> Stream for T {}

/// Why a session is over. None of these is worth more than a log line.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Hangup {
    /// The client closed the connection.
    Eof,
    /// The client said nothing for half an hour.
    Silent,
    /// A line was longer than its cap.
    LineTooLong,
    /// An injected fault.
    Fault,
    /// Bytes followed STARTTLS in clear: an attack, or a broken client.
    Injection,
    Io(io::ErrorKind),
    /// The session said goodbye.
    Done,
}

impl From<io::Error> for Hangup {
    fn from(error: io::Error) -> Self {
        match error.kind() {
            io::ErrorKind::UnexpectedEof => Self::Eof,
            kind => Self::Io(kind),
        }
    }
}

pub type Result<T> = std::result::Result<T, Hangup>;

/// A buffered connection. Replies are gathered and leave when the client's next bytes are waited for, so that a
/// pipelining client costs one flush for many commands.
pub struct Link {
    stream: Box<dyn Stream>,
    input: Vec<u8>,
    /// How much of `input` has been taken.
    taken: usize,
    /// How much of `input` has been searched for a line end.
    searched: usize,
    output: Vec<u8>,
    tls: bool,
    deflate: Option<Box<Deflate>>,
    fault: LinkFault,
    sent: u64,
    received: u64,
}

impl Link {
    pub fn new(stream: impl Stream + 'static, tls: bool, fault: LinkFault) -> Self {
        Self {
            stream: Box::new(stream),
            input: Vec::new(),
            taken: 0,
            searched: 0,
            output: Vec::new(),
            tls,
            deflate: None,
            fault,
            sent: 0,
            received: 0,
        }
    }

    pub const fn is_tls(&self) -> bool {
        self.tls
    }

    /// Queues a reply.
    pub fn push(&mut self, bytes: impl AsRef<[u8]>) {
        self.output.extend_from_slice(bytes.as_ref());
    }

    /// Queues one reply line and its CRLF.
    pub fn line(&mut self, text: impl AsRef<[u8]>) {
        self.push(text);
        self.push(b"\r\n");
    }

    /// Sends what is queued if there is much of it, so that memory stays bounded.
    pub async fn relieve(&mut self) -> Result<()> {
        if self.output.len() < GATHER {
            return Ok(());
        }
        self.write_out().await
    }

    /// Sends what is queued.
    pub async fn flush(&mut self) -> Result<()> {
        if self.output.is_empty() {
            return Ok(());
        }
        if let Some(delay) = self.fault.delay {
            tokio::time::sleep(delay).await;
        }
        self.write_out().await
    }

    async fn write_out(&mut self) -> Result<()> {
        let mut bytes = std::mem::take(&mut self.output);
        if let Some(deflate) = &mut self.deflate {
            bytes = deflate.pack(&bytes)?;
        }
        let mut cut = false;
        if let Some(limit) = self.fault.close_after_sent {
            let left = usize::try_from(limit.saturating_sub(self.sent)).unwrap_or(usize::MAX);
            cut = bytes.len() >= left;
            bytes.truncate(left);
        }
        self.stream.write_all(&bytes).await?;
        self.stream.flush().await?;
        self.sent += bytes.len() as u64;
        bytes.clear();
        self.output = bytes;
        if cut { Err(Hangup::Fault) } else { Ok(()) }
    }

    /// Waits for more input. Safe to cancel: what was read stays in the buffer.
    async fn fill(&mut self) -> Result<()> {
        self.flush().await?;
        if self.taken > 0 {
            self.input.drain(..self.taken);
            self.searched = self.searched.saturating_sub(self.taken);
            self.taken = 0;
        }
        // Compressed bytes go through a buffer of their own; unpacking does not wait, so cancelling loses nothing.
        let mut packed = Vec::new();
        let into = if self.deflate.is_some() {
            &mut packed
        } else {
            &mut self.input
        };
        into.reserve(8192);
        let count = match tokio::time::timeout(SILENCE, self.stream.read_buf(into)).await {
            Ok(result) => result?,
            Err(_) => return Err(Hangup::Silent),
        };
        if let Some(deflate) = &mut self.deflate {
            deflate.unpack(&packed, &mut self.input)?;
        }
        if count == 0 {
            return Err(Hangup::Eof);
        }
        self.received += count as u64;
        match self.fault.close_after_received {
            Some(limit) if self.received >= limit => Err(Hangup::Fault),
            _ => Ok(()),
        }
    }

    fn waiting(&self) -> &[u8] {
        self.input.get(self.taken..).unwrap_or_default()
    }

    /// One line with its line end. `limit` counts the line end too. Safe to cancel.
    pub async fn read_line(&mut self, limit: usize) -> Result<Vec<u8>> {
        loop {
            let from = self.searched.max(self.taken);
            let fresh = self.input.get(from..).unwrap_or_default();
            if let Some(at) = memchr::memchr(b'\n', fresh) {
                let end = from + at + 1;
                if end - self.taken > limit {
                    return Err(Hangup::LineTooLong);
                }
                let line = self.input.get(self.taken..end).unwrap_or_default().to_vec();
                self.taken = end;
                self.searched = end;
                return Ok(line);
            }
            self.searched = self.input.len();
            if self.waiting().len() > limit {
                return Err(Hangup::LineTooLong);
            }
            self.fill().await?;
        }
    }

    /// Exactly `count` bytes, appended to `into`. The caller has capped `count`.
    pub async fn read_exact(&mut self, count: usize, into: &mut Vec<u8>) -> Result<()> {
        let mut left = count;
        loop {
            let waiting = self.waiting();
            let take = waiting.len().min(left);
            into.extend(waiting.iter().take(take));
            self.taken += take;
            left -= take;
            if left == 0 {
                return Ok(());
            }
            self.fill().await?;
        }
    }

    /// The server's half of STARTTLS or STLS, after its positive reply was queued.
    pub async fn start_tls(&mut self, acceptor: &TlsAcceptor) -> Result<()> {
        if !self.waiting().is_empty() {
            return Err(Hangup::Injection);
        }
        self.flush().await?;
        let (closed, _) = tokio::io::duplex(1);
        let plain = std::mem::replace(&mut self.stream, Box::new(closed));
        self.stream = Box::new(acceptor.accept(plain).await?);
        self.tls = true;
        Ok(())
    }

    pub const fn is_compressed(&self) -> bool {
        self.deflate.is_some()
    }

    /// From the next byte on both ways are compressed (RFC 4978), after the positive reply was queued.
    pub async fn start_deflate(&mut self) -> Result<()> {
        if !self.waiting().is_empty() {
            return Err(Hangup::Injection);
        }
        self.flush().await?;
        self.deflate = Some(Box::new(Deflate {
            compress: Compress::new(Compression::default(), false),
            decompress: Decompress::new(false),
        }));
        Ok(())
    }

    /// Sends what is queued and closes properly (TLS close_notify included).
    pub async fn close(&mut self) {
        if self.flush().await.is_ok() {
            let _ = self.stream.shutdown().await;
        }
    }
}

/// Raw DEFLATE (RFC 1951) both ways.
struct Deflate {
    compress: Compress,
    decompress: Decompress,
}

impl Deflate {
    fn pack(&mut self, mut bytes: &[u8]) -> Result<Vec<u8>> {
        let mut out = Vec::with_capacity(bytes.len() / 2 + 64);
        loop {
            let before = self.compress.total_in();
            self.compress
                .compress_vec(bytes, &mut out, FlushCompress::Sync)
                .map_err(|_| Hangup::Io(io::ErrorKind::InvalidData))?;
            let taken = usize::try_from(self.compress.total_in() - before).unwrap_or(0);
            bytes = bytes.get(taken..).unwrap_or_default();
            // Room left over says that all of it, and its end marker, is out.
            if bytes.is_empty() && out.len() < out.capacity() {
                return Ok(out);
            }
            out.reserve(out.capacity().max(64));
        }
    }

    fn unpack(&mut self, mut bytes: &[u8], into: &mut Vec<u8>) -> Result<()> {
        loop {
            into.reserve(8192);
            let (before, had) = (self.decompress.total_in(), into.len());
            let status = self
                .decompress
                .decompress_vec(bytes, into, FlushDecompress::Sync)
                .map_err(|_| Hangup::Io(io::ErrorKind::InvalidData))?;
            let taken = usize::try_from(self.decompress.total_in() - before).unwrap_or(0);
            bytes = bytes.get(taken..).unwrap_or_default();
            let stuck = taken == 0 && into.len() == had;
            if status == Status::StreamEnd || stuck || (bytes.is_empty() && into.len() < into.capacity()) {
                return Ok(());
            }
        }
    }
}

/// A line without its line end, which may be CRLF or a bare LF.
pub fn trim_line(line: &[u8]) -> &[u8] {
    let line = line.strip_suffix(b"\n").unwrap_or(line);
    line.strip_suffix(b"\r").unwrap_or(line)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[tokio::test]
    async fn reads_lines_and_counts_across_reads() {
        let (mut client, server) = tokio::io::duplex(4);
        let mut link = Link::new(server, false, LinkFault::default());
        let writer = tokio::spawn(async move {
            client.write_all(b"one\r\ntwo\nthree-and-more").await.unwrap();
            client
        });
        assert_eq!(link.read_line(100).await.unwrap(), b"one\r\n");
        assert_eq!(link.read_line(100).await.unwrap(), b"two\n");
        let mut bytes = Vec::new();
        link.read_exact(5, &mut bytes).await.unwrap();
        assert_eq!(bytes, b"three");
        assert_eq!(link.read_line(5).await, Err(Hangup::LineTooLong));
        drop(writer.await.unwrap());
    }

    #[test]
    fn deflate_gives_back_what_it_took() {
        let deflate = || Deflate {
            compress: Compress::new(Compression::default(), false),
            decompress: Decompress::new(false),
        };
        let (mut here, mut there) = (deflate(), deflate());
        let mut noise: Vec<u8> = Vec::new();
        let mut state = 1_u32;
        for _ in 0..200_000 {
            state = state.wrapping_mul(1_664_525).wrapping_add(1_013_904_223);
            noise.extend(state.to_be_bytes().first());
        }
        for text in [
            b"a NOOP\r\n".to_vec(),
            vec![b'x'; 300_000],
            noise,
            b"end".to_vec(),
        ] {
            let packed = here.pack(&text).unwrap();
            let mut back = Vec::new();
            for piece in packed.chunks(1000) {
                there.unpack(piece, &mut back).unwrap();
            }
            assert!(back == text, "{} bytes", text.len());
        }
    }

    #[tokio::test]
    async fn closes_after_the_chosen_byte() {
        let (mut client, server) = tokio::io::duplex(64);
        let fault = LinkFault {
            close_after_sent: Some(7),
            ..LinkFault::default()
        };
        let mut link = Link::new(server, false, fault);
        link.line("hello");
        link.flush().await.unwrap_err();
        drop(link);
        let mut seen = Vec::new();
        client.read_to_end(&mut seen).await.unwrap();
        assert_eq!(seen, b"hello\r\n");
    }
}
