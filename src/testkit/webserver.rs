//! A web server on loopback that answers what a test wants, and remembers every byte that it was asked.

use std::io::{self, Read, Write};
use std::net::{SocketAddr, TcpListener, TcpStream};
use std::sync::atomic::{AtomicBool, AtomicUsize, Ordering};
use std::sync::{Arc, Mutex, PoisonError};
use std::thread;

use rustls::pki_types::pem::PemObject;
use rustls::pki_types::{CertificateDer, PrivateKeyDer};
use rustls::{ServerConfig, ServerConnection, StreamOwned};

use crate::ca::ServerCertificate;

/// What a client sent.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Asked {
    /// Request line and fields, as they came.
    pub head: String,
    pub body: String,
}

impl Asked {
    /// `GET /path`.
    #[must_use]
    pub fn line(&self) -> &str {
        let line = self.head.lines().next().unwrap_or_default();
        line.strip_suffix(" HTTP/1.1").unwrap_or(line)
    }

    /// A field's value.
    #[must_use]
    pub fn field(&self, name: &str) -> Option<&str> {
        self.head.lines().skip(1).find_map(|line| {
            let (known, value) = line.split_once(':')?;
            known.eq_ignore_ascii_case(name).then(|| value.trim())
        })
    }
}

/// What it gets.
#[derive(Clone, Debug)]
pub enum Answer {
    /// These bytes, and the end.
    Bytes(Vec<u8>),
    /// These, and then the last of them again and again, until the client has enough.
    Endless(Vec<u8>),
    /// These, and then nothing until the client hangs up.
    Stuck(Vec<u8>),
}

impl Answer {
    /// A whole response.
    #[must_use]
    pub fn response(status: &str, fields: &[(&str, &str)], body: &[u8]) -> Self {
        let mut bytes = format!("HTTP/1.1 {status}\r\n");
        for (name, value) in fields {
            bytes.push_str(&format!("{name}: {value}\r\n"));
        }
        bytes.push_str(&format!(
            "Content-Length: {}\r\nConnection: close\r\n\r\n",
            body.len()
        ));
        let mut bytes = bytes.into_bytes();
        bytes.extend_from_slice(body);
        Self::Bytes(bytes)
    }

    /// A redirect.
    #[must_use]
    pub fn redirect(to: &str) -> Self {
        Self::response("302 Found", &[("Location", to)], b"")
    }
}

type Answering = dyn Fn(&Asked) -> Answer + Send + Sync;

struct Shared {
    tls: Option<Arc<ServerConfig>>,
    answer: Box<Answering>,
    asked: Mutex<Vec<Asked>>,
    connections: AtomicUsize,
    over: AtomicBool,
}

/// Serves until it is dropped.
pub struct WebServer {
    address: SocketAddr,
    shared: Arc<Shared>,
}

impl WebServer {
    /// Without a certificate it speaks plain HTTP.
    pub fn start(
        certificate: Option<&ServerCertificate>,
        answer: impl Fn(&Asked) -> Answer + Send + Sync + 'static,
    ) -> io::Result<Self> {
        Self::start_at("127.0.0.1:0", certificate, answer)
    }

    /// At an address of the caller's.
    ///
    /// # Errors
    /// Where nobody may listen there.
    pub fn start_at(
        address: &str,
        certificate: Option<&ServerCertificate>,
        answer: impl Fn(&Asked) -> Answer + Send + Sync + 'static,
    ) -> io::Result<Self> {
        let listener = TcpListener::bind(address)?;
        let address = listener.local_addr()?;
        let shared = Arc::new(Shared {
            tls: certificate.map(configure).transpose()?,
            answer: Box::new(answer),
            asked: Mutex::default(),
            connections: AtomicUsize::new(0),
            over: AtomicBool::new(false),
        });
        let serving = Arc::clone(&shared);
        thread::spawn(move || {
            for stream in listener.incoming() {
                if serving.over.load(Ordering::SeqCst) {
                    return;
                }
                let Ok(stream) = stream else { continue };
                serving.connections.fetch_add(1, Ordering::SeqCst);
                let serving = Arc::clone(&serving);
                thread::spawn(move || serve(&serving, stream));
            }
        });
        Ok(Self { address, shared })
    }

    #[must_use]
    pub const fn address(&self) -> SocketAddr {
        self.address
    }

    /// Everything so far, in order.
    #[must_use]
    pub fn asked(&self) -> Vec<Asked> {
        let asked = self.shared.asked.lock().unwrap_or_else(PoisonError::into_inner);
        asked.clone()
    }

    /// Connections so far, whether or not anything was asked.
    #[must_use]
    pub fn connections(&self) -> usize {
        self.shared.connections.load(Ordering::SeqCst)
    }
}

impl Drop for WebServer {
    fn drop(&mut self) {
        self.shared.over.store(true, Ordering::SeqCst);
        // Wakes the thread that waits for connections.
        drop(TcpStream::connect(self.address));
    }
}

fn configure(certificate: &ServerCertificate) -> io::Result<Arc<ServerConfig>> {
    let chain = CertificateDer::from_pem_slice(certificate.certificate_pem.as_bytes());
    let key = PrivateKeyDer::from_pem_slice(certificate.key_pem.as_bytes());
    let (chain, key) = (chain.map_err(io::Error::other)?, key.map_err(io::Error::other)?);
    let config = ServerConfig::builder_with_provider(Arc::new(rustls::crypto::ring::default_provider()))
        .with_safe_default_protocol_versions()
        .map_err(io::Error::other)?
        .with_no_client_auth()
        .with_single_cert(vec![chain], key)
        .map_err(io::Error::other)?;
    Ok(Arc::new(config))
}

fn serve(shared: &Shared, stream: TcpStream) {
    // However it ends, it is the client's business to notice.
    let _ = match &shared.tls {
        Some(config) => ServerConnection::new(Arc::clone(config))
            .map_err(io::Error::other)
            .and_then(|session| talk(shared, &mut StreamOwned::new(session, stream))),
        None => talk(shared, &mut &stream),
    };
}

fn talk(shared: &Shared, stream: &mut (impl Read + Write)) -> io::Result<()> {
    let asked = read_request(stream)?;
    let answer = (shared.answer)(&asked);
    shared
        .asked
        .lock()
        .unwrap_or_else(PoisonError::into_inner)
        .push(asked);
    match answer {
        Answer::Bytes(bytes) => stream.write_all(&bytes),
        Answer::Endless(bytes) => {
            stream.write_all(&bytes)?;
            let more = vec![bytes.last().copied().unwrap_or(0); 16 * 1024];
            loop {
                stream.write_all(&more)?;
            }
        }
        Answer::Stuck(bytes) => {
            stream.write_all(&bytes)?;
            stream.flush()?;
            while stream.read(&mut [0; 64])? > 0 {}
            Ok(())
        }
    }?;
    stream.flush()
}

fn read_request(stream: &mut impl Read) -> io::Result<Asked> {
    let mut bytes = Vec::new();
    let mut byte = [0];
    while !bytes.ends_with(b"\r\n\r\n") {
        stream.read_exact(&mut byte)?;
        bytes.extend_from_slice(&byte);
    }
    let mut asked = Asked {
        head: String::from_utf8_lossy(&bytes).into_owned(),
        body: String::new(),
    };
    let length = asked
        .field("content-length")
        .and_then(|length| length.parse().ok());
    let mut body = vec![0; length.unwrap_or(0).min(1 << 20)];
    stream.read_exact(&mut body)?;
    asked.body = String::from_utf8_lossy(&body).into_owned();
    Ok(asked)
}
