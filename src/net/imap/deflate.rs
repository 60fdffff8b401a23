//! COMPRESS=DEFLATE (RFC 4978): raw deflate in both directions, between TLS and the guard, so that what is counted
//! is what crosses the wire.

use bytes::{Buf, BytesMut};
use flate2::{Compress, Compression, Decompress, FlushCompress, FlushDecompress, Status};
use std::io;
use std::pin::Pin;
use std::task::{Context, Poll, ready};
use tokio::io::{AsyncRead, AsyncWrite, ReadBuf};

use super::Session;
use super::code::Verdict;
use crate::Error;
use crate::channel::Transport;

const CHUNK: usize = 16 * 1024;
/// Compressed bytes that may wait to be sent.
const OUTGOING: usize = 64 * 1024;
/// What a server may send for each byte on the wire. Mail gives three to twenty; deflate could give a thousand.
const RATIO: u64 = 200;
/// What it may send beyond that: a few attachments of nothing but zeros are honest.
const CREDIT: u64 = 256 << 20;

impl Session {
    /// Compresses both directions from now on, once a connection; false where that is not offered. It spares a
    /// slow link two bytes of five and costs the server five times the work: the caller decides.
    ///
    /// # Errors
    /// Where the connection fails.
    pub async fn compress(&mut self) -> Result<bool, Error> {
        if self.compressed || !self.capabilities.has("COMPRESS=DEFLATE") {
            return Ok(self.compressed);
        }
        let patience = self.client.patience();
        let done = self.client.run("COMPRESS DEFLATE", patience, &mut |_| {}).await?;
        // RFC 4978 section 3: COMPRESSIONACTIVE where TLS compresses already.
        if done.verdict != Verdict::Ok {
            self.capabilities.remove("COMPRESS=DEFLATE");
            return Ok(false);
        }
        self.client.guard().deflate();
        self.compressed = true;
        Ok(true)
    }

    /// Whether the connection is compressed.
    #[must_use]
    pub const fn is_compressed(&self) -> bool {
        self.compressed
    }
}

pub(crate) struct Deflated {
    inner: Box<dyn Transport>,
    inflate: Decompress,
    deflate: Compress,
    /// Received, not yet inflated.
    incoming: BytesMut,
    chunk: Box<[u8]>,
    /// The inflater may hold more than the last reader had room for.
    more: bool,
    ended: bool,
    /// Deflated, not yet sent.
    outgoing: BytesMut,
    /// The deflater holds what has not been flushed.
    dirty: bool,
}

impl Deflated {
    /// `already` has been read from `inner` and is compressed.
    pub(crate) fn new(inner: Box<dyn Transport>, already: &[u8]) -> Self {
        Self {
            inner,
            // RFC 4978 section 4: without zlib's header.
            inflate: Decompress::new(false),
            deflate: Compress::new(Compression::fast(), false),
            incoming: BytesMut::from(already),
            chunk: vec![0; CHUNK].into_boxed_slice(),
            more: false,
            ended: false,
            outgoing: BytesMut::new(),
            dirty: false,
        }
    }

    /// Inflates into `buf`; false where more must be received first.
    fn inflate_into(&mut self, buf: &mut ReadBuf<'_>) -> io::Result<bool> {
        if self.ended || (self.incoming.is_empty() && !self.more) {
            return Ok(self.ended);
        }
        let room = buf.remaining();
        let (before_in, before_out) = (self.inflate.total_in(), self.inflate.total_out());
        let status = self
            .inflate
            .decompress(&self.incoming, buf.initialize_unfilled(), FlushDecompress::None)
            .map_err(|_| broken("the server's compressed data makes no sense"))?;
        let taken = usize::try_from(self.inflate.total_in() - before_in).unwrap_or(self.incoming.len());
        let made = usize::try_from(self.inflate.total_out() - before_out).unwrap_or(room);
        self.incoming.advance(taken.min(self.incoming.len()));
        buf.advance(made.min(room));
        self.more = made == room;
        self.ended = status == Status::StreamEnd;
        if taken == 0 && made == 0 && !self.incoming.is_empty() {
            return Err(broken("the server's compressed data makes no sense"));
        }
        let allowed = self.inflate.total_in().saturating_mul(RATIO) + CREDIT;
        if self.inflate.total_out() > allowed {
            return Err(broken("the server's compressed data unpacks without end"));
        }
        Ok(made > 0 || self.ended)
    }

    /// Deflates `bytes`; with a sync flush, so that the other side can read all of it.
    fn deflate_from(&mut self, mut bytes: &[u8], flush: FlushCompress) -> io::Result<()> {
        let mut made = [0; CHUNK];
        loop {
            let (before_in, before_out) = (self.deflate.total_in(), self.deflate.total_out());
            self.deflate
                .compress(bytes, &mut made, flush)
                .map_err(|_| io::Error::other("what is to be sent cannot be compressed"))?;
            let taken = usize::try_from(self.deflate.total_in() - before_in).unwrap_or(bytes.len());
            let out = usize::try_from(self.deflate.total_out() - before_out).unwrap_or_default();
            bytes = bytes.get(taken..).unwrap_or_default();
            self.outgoing
                .extend_from_slice(made.get(..out).unwrap_or_default());
            // Room that was left over says that nothing more is held back.
            if bytes.is_empty() && out < made.len() {
                return Ok(());
            }
        }
    }

    fn poll_drain(&mut self, cx: &mut Context<'_>) -> Poll<io::Result<()>> {
        while !self.outgoing.is_empty() {
            let written = ready!(Pin::new(&mut self.inner).poll_write(cx, &self.outgoing))?;
            if written == 0 {
                return Poll::Ready(Err(io::ErrorKind::WriteZero.into()));
            }
            self.outgoing.advance(written);
        }
        Poll::Ready(Ok(()))
    }
}

fn broken(what: &str) -> io::Error {
    Error::protocol("", what).into()
}

impl AsyncRead for Deflated {
    fn poll_read(self: Pin<&mut Self>, cx: &mut Context<'_>, buf: &mut ReadBuf<'_>) -> Poll<io::Result<()>> {
        let this = self.get_mut();
        if buf.remaining() == 0 {
            return Poll::Ready(Ok(()));
        }
        while !this.inflate_into(buf)? {
            let mut chunk = ReadBuf::new(&mut this.chunk);
            ready!(Pin::new(&mut this.inner).poll_read(cx, &mut chunk))?;
            if chunk.filled().is_empty() {
                return Poll::Ready(Ok(()));
            }
            this.incoming.extend_from_slice(chunk.filled());
        }
        Poll::Ready(Ok(()))
    }
}

impl AsyncWrite for Deflated {
    fn poll_write(self: Pin<&mut Self>, cx: &mut Context<'_>, bytes: &[u8]) -> Poll<io::Result<usize>> {
        let this = self.get_mut();
        if this.outgoing.len() >= OUTGOING {
            ready!(this.poll_drain(cx))?;
        }
        let taken = bytes.len().min(OUTGOING);
        this.deflate_from(bytes.get(..taken).unwrap_or_default(), FlushCompress::None)?;
        this.dirty |= taken > 0;
        Poll::Ready(Ok(taken))
    }

    fn poll_flush(self: Pin<&mut Self>, cx: &mut Context<'_>) -> Poll<io::Result<()>> {
        let this = self.get_mut();
        if this.dirty {
            this.deflate_from(&[], FlushCompress::Sync)?;
            this.dirty = false;
        }
        ready!(this.poll_drain(cx))?;
        Pin::new(&mut this.inner).poll_flush(cx)
    }

    fn poll_shutdown(mut self: Pin<&mut Self>, cx: &mut Context<'_>) -> Poll<io::Result<()>> {
        ready!(self.as_mut().poll_flush(cx))?;
        Pin::new(&mut self.get_mut().inner).poll_shutdown(cx)
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use proptest::prelude::*;
    use tokio::io::{AsyncReadExt, AsyncWriteExt};

    async fn both_ways(pieces: &[Vec<u8>], pipe: usize) -> Vec<u8> {
        let (a, b) = tokio::io::duplex(pipe);
        let (mut a, mut b) = (Deflated::new(Box::new(a), b""), Deflated::new(Box::new(b), b""));
        let send = async move {
            for piece in pieces {
                a.write_all(piece).await.expect("write");
                a.flush().await.expect("flush");
            }
            a.shutdown().await.expect("shutdown");
        };
        let mut got = Vec::new();
        let receive = async { b.read_to_end(&mut got).await.expect("read") };
        tokio::join!(send, receive);
        got
    }

    proptest! {
        #![proptest_config(ProptestConfig { failure_persistence: None, cases: 40, ..ProptestConfig::default() })]

        #[test]
        fn what_goes_in_comes_out(pieces in proptest::collection::vec(proptest::collection::vec(any::<u8>(), 0..40_000), 0..5), pipe in 1usize..5000) {
            let runtime = tokio::runtime::Builder::new_current_thread().build().expect("a runtime");
            let got = runtime.block_on(both_ways(&pieces, pipe));
            prop_assert_eq!(got, pieces.concat());
        }
    }

    #[tokio::test]
    async fn each_flush_can_be_read_at_once() {
        let (a, b) = tokio::io::duplex(1 << 16);
        let (mut a, mut b) = (Deflated::new(Box::new(a), b""), Deflated::new(Box::new(b), b""));
        for word in ["one", "two", ""] {
            a.write_all(word.as_bytes()).await.expect("write");
            a.flush().await.expect("flush");
            let mut got = vec![0; word.len()];
            b.read_exact(&mut got).await.expect("read");
            assert_eq!(got, word.as_bytes());
        }
    }

    #[tokio::test]
    async fn nonsense_and_bombs_are_errors() {
        let (mut raw, b) = tokio::io::duplex(1 << 16);
        let mut b = Deflated::new(Box::new(b), b"\xff\xff\xff");
        raw.write_all(b"\xff\xff\xff\xff").await.expect("write");
        let error = b.read_u8().await.expect_err("nonsense");
        assert!(error.to_string().contains("makes no sense"), "{error}");

        let (a, b) = tokio::io::duplex(1 << 16);
        let (mut a, mut b) = (Deflated::new(Box::new(a), b""), Deflated::new(Box::new(b), b""));
        a.deflate = Compress::new(Compression::best(), false);
        let bomb = async move {
            let zeros = vec![0; 1 << 20];
            for _ in 0..400 {
                if a.write_all(&zeros).await.is_err() || a.flush().await.is_err() {
                    break;
                }
            }
        };
        let mut sink = vec![0; 1 << 16];
        let receive = async move {
            let mut total = 0;
            loop {
                match b.read(&mut sink).await {
                    Ok(0) => panic!("ended after {total}"),
                    Ok(count) => total += count as u64,
                    Err(error) => return (total, error.to_string()),
                }
            }
        };
        let ((), (total, error)) = tokio::join!(bomb, receive);
        assert!(error.contains("without end"), "{error}");
        assert!(total < CREDIT + (64 << 20), "{total}");
    }
}
