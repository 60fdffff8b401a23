//! One connection to a server: buffered, with deadlines, counted, and with an end that cannot be overlooked.

use bytes::{Buf, BytesMut};
use std::fmt;
use std::future::Future;
use std::io;
use std::pin::Pin;
use std::sync::atomic::{AtomicU64, Ordering};
use std::sync::{Arc, Mutex};
use std::task::{Context, Poll, ready};
use std::time::Duration;
use tokio::io::{AsyncRead, AsyncReadExt, AsyncWrite, ReadBuf};
use tokio::time::{Instant, Sleep};

/// What lies under a channel.
pub trait Transport: AsyncRead + AsyncWrite + Send + Unpin {}
impl<T: AsyncRead + AsyncWrite + Send + Unpin> Transport for T {}

/// Counters of one connection; clones count together.
#[derive(Clone, Default, Debug)]
pub struct Traffic(Arc<Counters>);

#[derive(Default, Debug)]
struct Counters {
    bytes_in: AtomicU64,
    bytes_out: AtomicU64,
    round_trips: AtomicU64,
}

/// A reading of [`Traffic`].
#[derive(Clone, Copy, Default, Debug, PartialEq, Eq)]
pub struct TrafficCount {
    /// Bytes of TCP payload, TLS included.
    pub bytes_in: u64,
    /// Bytes of TCP payload, TLS included.
    pub bytes_out: u64,
    /// How often something was sent after something had been read.
    pub round_trips: u64,
}

impl Traffic {
    #[must_use]
    pub fn snapshot(&self) -> TrafficCount {
        TrafficCount {
            bytes_in: self.0.bytes_in.load(Ordering::Relaxed),
            bytes_out: self.0.bytes_out.load(Ordering::Relaxed),
            round_trips: self.0.round_trips.load(Ordering::Relaxed),
        }
    }
}

/// The first bytes that a peer sent, kept to tell what a port really speaks.
#[derive(Clone, Default, Debug)]
pub(crate) struct Prefix(Arc<Mutex<Vec<u8>>>);

impl Prefix {
    const KEPT: usize = 64;

    fn record(&self, bytes: &[u8]) {
        if let Ok(mut kept) = self.0.lock() {
            let room = Self::KEPT.saturating_sub(kept.len());
            kept.extend(bytes.iter().take(room));
        }
    }

    pub(crate) fn bytes(&self) -> Vec<u8> {
        self.0.lock().map(|kept| kept.clone()).unwrap_or_default()
    }

    /// Starts over, as after STARTTLS.
    pub(crate) fn clear(&self) {
        if let Ok(mut kept) = self.0.lock() {
            kept.clear();
        }
    }
}

/// Counts what crosses the wire, below TLS.
pub(crate) struct Metered<T> {
    inner: T,
    traffic: Traffic,
    prefix: Prefix,
    prefix_full: bool,
}

impl<T> Metered<T> {
    pub(crate) fn new(inner: T, traffic: Traffic, prefix: Prefix) -> Self {
        Self {
            inner,
            traffic,
            prefix,
            prefix_full: false,
        }
    }
}

impl<T: AsyncRead + Unpin> AsyncRead for Metered<T> {
    fn poll_read(self: Pin<&mut Self>, cx: &mut Context<'_>, buf: &mut ReadBuf<'_>) -> Poll<io::Result<()>> {
        let this = self.get_mut();
        let before = buf.filled().len();
        ready!(Pin::new(&mut this.inner).poll_read(cx, buf))?;
        let fresh = buf.filled().get(before..).unwrap_or_default();
        this.traffic
            .0
            .bytes_in
            .fetch_add(fresh.len() as u64, Ordering::Relaxed);
        if !this.prefix_full {
            this.prefix.record(fresh);
            // A STARTTLS upgrade begins within the first few reads; after many bytes nobody asks any more.
            this.prefix_full = this.traffic.0.bytes_in.load(Ordering::Relaxed) > 65_536;
        }
        Poll::Ready(Ok(()))
    }
}

impl<T: AsyncWrite + Unpin> AsyncWrite for Metered<T> {
    fn poll_write(self: Pin<&mut Self>, cx: &mut Context<'_>, bytes: &[u8]) -> Poll<io::Result<usize>> {
        let this = self.get_mut();
        let written = ready!(Pin::new(&mut this.inner).poll_write(cx, bytes))?;
        this.traffic
            .0
            .bytes_out
            .fetch_add(written as u64, Ordering::Relaxed);
        Poll::Ready(Ok(written))
    }

    fn poll_flush(self: Pin<&mut Self>, cx: &mut Context<'_>) -> Poll<io::Result<()>> {
        Pin::new(&mut self.get_mut().inner).poll_flush(cx)
    }

    fn poll_shutdown(self: Pin<&mut Self>, cx: &mut Context<'_>) -> Poll<io::Result<()>> {
        Pin::new(&mut self.get_mut().inner).poll_shutdown(cx)
    }
}

/// A connection to a server. Reading fails after a silence of `read_timeout` and at the end of the stream (with
/// `UnexpectedEof`): nobody can take an end for an answer. Writing is buffered until a flush or the next read.
pub struct Channel {
    transport: Box<dyn Transport>,
    host: String,
    tls: bool,
    greeting: Option<Vec<u8>>,
    traffic: Traffic,
    prefix: Prefix,
    /// Read already, not yet handed on.
    pending: BytesMut,
    /// Accepted for writing, not yet sent.
    outgoing: BytesMut,
    read_timeout: Duration,
    reading: Deadline,
    writing: Deadline,
    answered: bool,
}

impl Channel {
    const OUTGOING: usize = 64 * 1024;

    /// A channel over any stream: for tests and in-process servers. The stream counts as plain text.
    pub fn over(transport: impl Transport + 'static, host: &str) -> Self {
        let (traffic, prefix) = (Traffic::default(), Prefix::default());
        let metered = Metered::new(transport, traffic.clone(), prefix.clone());
        Self::new(Box::new(metered), host, false, traffic, prefix)
    }

    pub(crate) fn new(
        transport: Box<dyn Transport>,
        host: &str,
        tls: bool,
        traffic: Traffic,
        prefix: Prefix,
    ) -> Self {
        Self {
            transport,
            host: host.to_owned(),
            tls,
            greeting: None,
            traffic,
            prefix,
            pending: BytesMut::new(),
            outgoing: BytesMut::new(),
            read_timeout: Duration::from_secs(60),
            reading: Deadline::default(),
            writing: Deadline::default(),
            answered: true,
        }
    }

    /// Whom this channel leads to, for messages.
    #[must_use]
    pub fn host(&self) -> &str {
        &self.host
    }

    /// Whether the peer is authenticated and the bytes protected.
    #[must_use]
    pub const fn is_tls(&self) -> bool {
        self.tls
    }

    /// The server's greeting, line end included, where it came over the connection as it now is. `None` after
    /// STARTTLS: what was said before is not to be believed.
    #[must_use]
    pub fn greeting(&self) -> Option<&[u8]> {
        self.greeting.as_deref()
    }

    pub(crate) fn set_greeting(&mut self, greeting: Vec<u8>) {
        self.greeting = Some(greeting);
    }

    #[must_use]
    pub fn traffic(&self) -> Traffic {
        self.traffic.clone()
    }

    /// How long a silence of the server, or its not taking what we send, is borne.
    pub fn set_read_timeout(&mut self, timeout: Duration) {
        self.read_timeout = timeout;
        self.reading.armed = false;
        self.writing.armed = false;
    }

    #[must_use]
    pub const fn read_timeout(&self) -> Duration {
        self.read_timeout
    }

    /// Puts bytes back, to be read first.
    pub fn unread(&mut self, bytes: &[u8]) {
        let mut front = BytesMut::from(bytes);
        front.extend_from_slice(&self.pending);
        self.pending = front;
    }

    /// Whether bytes wait that arrived together with what was read last.
    pub(crate) fn has_pending(&self) -> bool {
        !self.pending.is_empty()
    }

    pub(crate) fn prefix(&self) -> &Prefix {
        &self.prefix
    }

    /// Lets both directions pass through another stream from now on; nothing may wait to be sent. `wrap` also gets
    /// what was received and belongs to it already.
    pub(crate) fn rewrap(
        &mut self,
        mut received: Vec<u8>,
        wrap: impl FnOnce(Box<dyn Transport>, &[u8]) -> Box<dyn Transport>,
    ) {
        received.extend_from_slice(&std::mem::take(&mut self.pending));
        let inner = std::mem::replace(&mut self.transport, Box::new(tokio::io::empty()));
        self.transport = wrap(inner, &received);
    }

    /// The stream below, for a TLS handshake over it. Must have nothing pending either way.
    pub(crate) fn into_transport(self) -> Box<dyn Transport> {
        self.transport
    }

    /// Reads one line, its line end included.
    ///
    /// # Errors
    /// `InvalidData` where it is longer than `limit` bytes; as reading does.
    pub async fn read_line(&mut self, limit: usize) -> io::Result<Vec<u8>> {
        let mut scanned = 0;
        let mut chunk = vec![0; 4096];
        loop {
            let fresh = self.pending.get(scanned..).unwrap_or_default();
            if let Some(at) = memchr::memchr(b'\n', fresh) {
                return Ok(self.pending.split_to(scanned + at + 1).to_vec());
            }
            scanned = self.pending.len();
            if scanned > limit {
                return Err(io::Error::new(
                    io::ErrorKind::InvalidData,
                    "the server sends a line without end",
                ));
            }
            let held = std::mem::take(&mut self.pending);
            let read = self.read(&mut chunk).await;
            self.pending = held;
            self.pending
                .extend_from_slice(chunk.get(..read?).unwrap_or_default());
        }
    }

    fn poll_drain(&mut self, cx: &mut Context<'_>) -> Poll<io::Result<()>> {
        while !self.outgoing.is_empty() {
            match Pin::new(&mut self.transport).poll_write(cx, &self.outgoing) {
                Poll::Ready(Ok(0)) => return Poll::Ready(Err(io::ErrorKind::WriteZero.into())),
                Poll::Ready(Ok(written)) => {
                    self.writing.armed = false;
                    self.outgoing.advance(written);
                }
                Poll::Ready(Err(error)) => return Poll::Ready(Err(error)),
                Poll::Pending => return self.writing.poll(cx, self.read_timeout),
            }
        }
        Poll::Ready(Ok(()))
    }

    fn poll_send(&mut self, cx: &mut Context<'_>) -> Poll<io::Result<()>> {
        ready!(self.poll_drain(cx))?;
        match Pin::new(&mut self.transport).poll_flush(cx) {
            Poll::Ready(result) => {
                self.writing.armed = false;
                Poll::Ready(result)
            }
            Poll::Pending => self.writing.poll(cx, self.read_timeout),
        }
    }
}

impl AsyncRead for Channel {
    fn poll_read(self: Pin<&mut Self>, cx: &mut Context<'_>, buf: &mut ReadBuf<'_>) -> Poll<io::Result<()>> {
        let this = self.get_mut();
        if buf.remaining() == 0 {
            return Poll::Ready(Ok(()));
        }
        if !this.pending.is_empty() {
            let ready = this.pending.len().min(buf.remaining());
            buf.put_slice(&this.pending.split_to(ready));
            return Poll::Ready(Ok(()));
        }
        // Nobody answers what has not been sent.
        if !this.outgoing.is_empty()
            && let Poll::Ready(Err(error)) = this.poll_send(cx)
        {
            return Poll::Ready(Err(error));
        }
        let before = buf.filled().len();
        match Pin::new(&mut this.transport).poll_read(cx, buf) {
            Poll::Ready(Ok(())) if buf.filled().len() == before => Poll::Ready(Err(io::Error::new(
                io::ErrorKind::UnexpectedEof,
                "the server closed the connection",
            ))),
            Poll::Ready(result) => {
                this.reading.armed = false;
                this.answered = true;
                Poll::Ready(result)
            }
            Poll::Pending => this.reading.poll(cx, this.read_timeout),
        }
    }
}

impl AsyncWrite for Channel {
    fn poll_write(self: Pin<&mut Self>, cx: &mut Context<'_>, bytes: &[u8]) -> Poll<io::Result<usize>> {
        let this = self.get_mut();
        if this.outgoing.len() >= Self::OUTGOING {
            ready!(this.poll_drain(cx))?;
        }
        if this.answered && !bytes.is_empty() {
            this.answered = false;
            this.traffic.0.round_trips.fetch_add(1, Ordering::Relaxed);
        }
        let taken = bytes.len().min(Self::OUTGOING);
        this.outgoing
            .extend_from_slice(bytes.get(..taken).unwrap_or_default());
        Poll::Ready(Ok(taken))
    }

    fn poll_flush(self: Pin<&mut Self>, cx: &mut Context<'_>) -> Poll<io::Result<()>> {
        self.get_mut().poll_send(cx)
    }

    fn poll_shutdown(self: Pin<&mut Self>, cx: &mut Context<'_>) -> Poll<io::Result<()>> {
        let this = self.get_mut();
        ready!(this.poll_send(cx))?;
        Pin::new(&mut this.transport).poll_shutdown(cx)
    }
}

impl fmt::Debug for Channel {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("Channel")
            .field("host", &self.host)
            .field("tls", &self.tls)
            .finish_non_exhaustive()
    }
}

/// A silence being measured: armed when waiting begins, disarmed by progress.
#[derive(Default)]
struct Deadline {
    sleep: Option<Pin<Box<Sleep>>>,
    armed: bool,
}

impl Deadline {
    /// Pending, or the error once `after` has passed since waiting began.
    fn poll<T>(&mut self, cx: &mut Context<'_>, after: Duration) -> Poll<io::Result<T>> {
        let at = Instant::now() + after;
        let sleep = self
            .sleep
            .get_or_insert_with(|| Box::pin(tokio::time::sleep_until(at)));
        if !self.armed {
            self.armed = true;
            sleep.as_mut().reset(at);
        }
        ready!(sleep.as_mut().poll(cx));
        self.armed = false;
        Poll::Ready(Err(io::Error::new(
            io::ErrorKind::TimedOut,
            "the server has been silent for too long",
        )))
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use tokio::io::AsyncWriteExt;

    fn pair() -> (Channel, tokio::io::DuplexStream) {
        let (ours, theirs) = tokio::io::duplex(1 << 16);
        (Channel::over(ours, "test"), theirs)
    }

    #[tokio::test(start_paused = true)]
    async fn silence_is_an_error_and_progress_restarts_the_clock() {
        let (mut channel, mut server) = pair();
        channel.set_read_timeout(Duration::from_secs(10));
        let started = Instant::now();
        let talk = async {
            tokio::time::sleep(Duration::from_secs(9)).await;
            server.write_all(b"a").await.expect("write");
            std::future::pending::<()>().await;
        };
        let listen = async {
            assert_eq!(channel.read_u8().await.expect("first byte"), b'a');
            channel.read_u8().await.expect_err("silence")
        };
        let error = tokio::select! { error = listen => error, () = talk => unreachable!() };
        assert_eq!(error.kind(), io::ErrorKind::TimedOut);
        assert_eq!(started.elapsed().as_secs(), 19);
    }

    #[tokio::test(start_paused = true)]
    async fn a_peer_that_takes_nothing_is_an_error() {
        let (mut channel, _server) = pair();
        let error = async {
            loop {
                channel.write_all(&[0; 65_536]).await?;
                channel.flush().await?;
            }
        };
        let result: io::Result<()> = error.await;
        assert_eq!(result.expect_err("stalled").kind(), io::ErrorKind::TimedOut);
    }

    #[tokio::test]
    async fn the_end_is_an_error() {
        let (mut channel, server) = pair();
        drop(server);
        let error = channel.read_u8().await.expect_err("end");
        assert_eq!(error.kind(), io::ErrorKind::UnexpectedEof);
    }

    #[tokio::test]
    async fn reads_lines_and_keeps_the_rest() {
        let (mut channel, mut server) = pair();
        server.write_all(b"one\r\ntwo\nthree").await.expect("write");
        assert_eq!(channel.read_line(100).await.expect("line"), b"one\r\n");
        assert!(channel.has_pending());
        assert_eq!(channel.read_line(100).await.expect("line"), b"two\n");
        let mut rest = [0; 5];
        channel.read_exact(&mut rest).await.expect("rest");
        assert_eq!(&rest, b"three");
        server.write_all(&[b'x'; 10_000]).await.expect("write");
        let error = channel.read_line(5000).await.expect_err("too long");
        assert_eq!(error.kind(), io::ErrorKind::InvalidData);
    }

    #[tokio::test]
    async fn counts_bytes_and_turns() {
        let (mut channel, mut server) = pair();
        for _ in 0..3 {
            channel.write_all(b"ab").await.expect("write");
            channel.write_all(b"cd").await.expect("write");
            channel.flush().await.expect("flush");
            let mut got = [0; 4];
            server.read_exact(&mut got).await.expect("read");
            server.write_all(b"ok\n").await.expect("write");
            channel.read_line(10).await.expect("line");
        }
        let expect = TrafficCount {
            bytes_in: 9,
            bytes_out: 12,
            round_trips: 3,
        };
        assert_eq!(channel.traffic().snapshot(), expect);
    }
}
