//! A road between the engine and a server, which can be cut, blocked, counted and listened to.

use std::io;
use std::pin::Pin;
use std::sync::atomic::{AtomicUsize, Ordering};
use std::sync::{Arc, Mutex};
use std::task::{Context, Poll, ready};

use tokio::io::{AsyncRead, AsyncWrite, AsyncWriteExt, ReadBuf};
use tokio::net::{TcpListener, TcpStream};
use tokio::sync::watch;

/// Forwards connections to a port on this machine.
pub struct Proxy {
    port: u16,
    state: Arc<State>,
}

struct State {
    live: AtomicUsize,
    accepted: AtomicUsize,
    /// Connections of an earlier generation are cut.
    generation: watch::Sender<u64>,
    blocked: watch::Sender<bool>,
    allowed: AtomicUsize,
    said: Mutex<Vec<u8>>,
}

struct Life(Arc<State>);

impl Drop for Life {
    fn drop(&mut self) {
        self.0.live.fetch_sub(1, Ordering::SeqCst);
    }
}

impl Proxy {
    pub async fn to(port: u16) -> Self {
        let listener = TcpListener::bind("127.0.0.1:0").await.expect("a port");
        let state = Arc::new(State {
            live: AtomicUsize::new(0),
            accepted: AtomicUsize::new(0),
            generation: watch::Sender::new(0),
            blocked: watch::Sender::new(false),
            allowed: AtomicUsize::new(usize::MAX),
            said: Mutex::default(),
        });
        let this = Self {
            port: listener.local_addr().expect("an address").port(),
            state: Arc::clone(&state),
        };
        tokio::spawn(async move {
            while let Ok((client, _)) = listener.accept().await {
                state.accepted.fetch_add(1, Ordering::SeqCst);
                state.live.fetch_add(1, Ordering::SeqCst);
                tokio::spawn(forward(client, port, Life(Arc::clone(&state))));
            }
        });
        this
    }

    pub fn port(&self) -> u16 {
        self.port
    }

    /// Connections open now.
    pub fn live(&self) -> usize {
        self.state.live.load(Ordering::SeqCst)
    }

    /// Connections ever opened.
    pub fn accepted(&self) -> usize {
        self.state.accepted.load(Ordering::SeqCst)
    }

    /// Turns away whoever comes while there are so many connections, as servers do.
    pub fn allow(&self, connections: usize) {
        self.state.allowed.store(connections, Ordering::SeqCst);
    }

    /// What clients have said so far, in lines.
    pub fn said(&self) -> Vec<String> {
        let said = self.state.said.lock().expect("nobody fails while he listens");
        String::from_utf8_lossy(&said)
            .lines()
            .map(str::to_owned)
            .collect()
    }

    /// Ends every connection.
    pub fn cut(&self) {
        self.state.generation.send_modify(|generation| *generation += 1);
    }

    /// From now on nothing passes, and nobody is told.
    pub fn block(&self, blocked: bool) {
        self.state.blocked.send_replace(blocked);
    }
}

async fn forward(client: TcpStream, port: u16, life: Life) {
    let state = &life.0;
    let mut generation = state.generation.subscribe();
    let mut blocked = state.blocked.subscribe();
    let mut client = Heard {
        stream: client,
        state: Arc::clone(state),
    };
    if state.live.load(Ordering::SeqCst) > state.allowed.load(Ordering::SeqCst) {
        let _ = client.write_all(b"* BYE [LIMIT] too many connections\r\n").await;
        return;
    }
    let Ok(mut server) = TcpStream::connect(("127.0.0.1", port)).await else {
        return;
    };
    loop {
        let pass = async {
            // A blocked road is not looked at: the client sees neither an end nor an answer.
            let open = blocked.wait_for(|blocked| !blocked).await.is_ok();
            assert!(open, "the proxy is there as long as its connections");
        };
        tokio::select! {
            _ = generation.changed() => return,
            () = pass => {}
        }
        tokio::select! {
            _ = generation.changed() => return,
            _ = blocked.changed() => {}
            _ = tokio::io::copy_bidirectional(&mut client, &mut server) => return,
        }
    }
}

/// A client's side.
struct Heard {
    stream: TcpStream,
    state: Arc<State>,
}

impl AsyncRead for Heard {
    fn poll_read(
        mut self: Pin<&mut Self>,
        cx: &mut Context<'_>,
        buf: &mut ReadBuf<'_>,
    ) -> Poll<io::Result<()>> {
        let before = buf.filled().len();
        ready!(Pin::new(&mut self.stream).poll_read(cx, buf))?;
        let fresh = buf.filled().get(before..).unwrap_or_default();
        self.state
            .said
            .lock()
            .expect("nobody fails while he listens")
            .extend_from_slice(fresh);
        Poll::Ready(Ok(()))
    }
}

impl AsyncWrite for Heard {
    fn poll_write(mut self: Pin<&mut Self>, cx: &mut Context<'_>, bytes: &[u8]) -> Poll<io::Result<usize>> {
        Pin::new(&mut self.stream).poll_write(cx, bytes)
    }

    fn poll_flush(mut self: Pin<&mut Self>, cx: &mut Context<'_>) -> Poll<io::Result<()>> {
        Pin::new(&mut self.stream).poll_flush(cx)
    }

    fn poll_shutdown(mut self: Pin<&mut Self>, cx: &mut Context<'_>) -> Poll<io::Result<()>> {
        Pin::new(&mut self.stream).poll_shutdown(cx)
    }
}
