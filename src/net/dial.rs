//! From an endpoint to a [`Channel`]: name lookup, TCP to whichever address answers first, TLS as the account
//! demands, and a plain word when the port speaks something else.

use futures_util::StreamExt;
use futures_util::stream::FuturesUnordered;
use posthorn_model::{ClientCertificate, Endpoint, ErrorClass, Remedy, Security};
use rustls::ClientConfig;
use rustls::pki_types::ServerName;
use std::io;
use std::net::SocketAddr;
use std::path::{Path, PathBuf};
use std::sync::Arc;
use std::time::Duration;
use tokio::io::BufReader;
use tokio::net::TcpStream;
use tokio::time::timeout;
use tokio_rustls::TlsConnector;

use crate::channel::{Metered, Prefix, Traffic, Transport};
use crate::{Channel, Error, starttls, tls};

/// RFC 8305 section 5: how long one address has before the next is tried beside it.
const ATTEMPT_DELAY: Duration = Duration::from_millis(250);
/// After so long without a greeting in clear, a second connection finds out whether the port wants TLS.
const SUSPICION: Duration = Duration::from_secs(5);
/// Bytes taken from the system at once below TLS.
const RECEIVED: usize = 64 * 1024;
/// Bytes in a greeting line.
const GREETING: usize = 8192;

/// How to reach servers.
#[derive(Clone, Debug)]
pub struct DialOptions {
    /// PEM certificates to trust beside the system's.
    pub ca_file: Option<PathBuf>,
    /// For name lookup, TCP and TLS each.
    pub connect_timeout: Duration,
    /// How long a server may be silent.
    pub read_timeout: Duration,
    /// The user's word that secrets may travel in clear to any host.
    pub allow_cleartext: bool,
    /// Where large messages wait until the store has them.
    pub spool_dir: PathBuf,
    /// Bytes: a message above this goes to a file in `spool_dir`.
    pub memory_limit: usize,
    /// IMAP capabilities that are not used though servers offer them; `all` for every one but IMAP4rev1, STARTTLS,
    /// LOGINDISABLED and the ways of logging in.
    pub without: Vec<String>,
}

impl Default for DialOptions {
    fn default() -> Self {
        Self {
            ca_file: None,
            connect_timeout: Duration::from_secs(20),
            read_timeout: Duration::from_secs(60),
            allow_cleartext: false,
            spool_dir: std::env::temp_dir(),
            memory_limit: 1 << 20,
            without: Vec::new(),
        }
    }
}

/// Whose greeting to expect, and so which STARTTLS dance.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Greeter {
    Imap,
    Pop3,
    Smtp,
}

impl Greeter {
    const fn name(self) -> &'static str {
        match self {
            Self::Imap => "IMAP",
            Self::Pop3 => "POP3",
            Self::Smtp => "SMTP",
        }
    }
}

/// Opens channels. Clones share the trusted certificates.
#[derive(Clone, Debug)]
pub struct Dialer {
    shared: Arc<Shared>,
    allow_cleartext: bool,
    /// With the user's certificate, where the account has one.
    certified: Option<Arc<ClientConfig>>,
}

#[derive(Debug)]
struct Shared {
    options: DialOptions,
    /// An error where the system has no trusted certificates: connections in clear do without.
    tls: Result<Arc<ClientConfig>, Error>,
    suspicion: Duration,
}

impl Dialer {
    /// Loads the trusted certificates; reads files, so not for a thread that must not wait.
    ///
    /// # Errors
    /// Class Config where `ca_file` holds no certificate.
    pub fn new(options: DialOptions) -> Result<Self, Error> {
        let tls = tls::client_config(tls::extra_roots(options.ca_file.as_deref())?);
        Ok(Self {
            allow_cleartext: options.allow_cleartext,
            certified: None,
            shared: Arc::new(Shared {
                options,
                tls,
                suspicion: SUSPICION,
            }),
        })
    }

    /// The same, for an account with its own rule about clear text.
    #[must_use]
    pub fn with_cleartext(&self, allow: bool) -> Self {
        Self {
            allow_cleartext: allow,
            ..self.clone()
        }
    }

    /// The same, for an account that shows a certificate of its own; reads files.
    ///
    /// # Errors
    /// Class Config where a file holds no certificate, no key, or not the one's other half.
    pub fn with_client_certificate(&self, own: &ClientCertificate) -> Result<Self, Error> {
        let config = self.shared.tls.clone()?;
        Ok(Self {
            certified: Some(tls::with_certificate(&config, &own.certificate, &own.key)?),
            ..self.clone()
        })
    }

    #[must_use]
    pub fn spool_dir(&self) -> &Path {
        &self.shared.options.spool_dir
    }

    /// Bytes: a message above this goes to a file.
    #[must_use]
    pub fn memory_limit(&self) -> usize {
        self.shared.options.memory_limit
    }

    /// IMAP capabilities that are not to be used.
    #[must_use]
    pub fn without(&self) -> &[String] {
        &self.shared.options.without
    }

    #[must_use]
    pub fn read_timeout(&self) -> Duration {
        self.shared.options.read_timeout
    }

    /// Connects, and protects the connection as the endpoint says. With TLS from the start or none, the greeting
    /// has been read ([`Channel::greeting`]). After STARTTLS there is none to believe,
    /// and capabilities must be asked for.
    ///
    /// # Errors
    /// Network (not reached), Certificate, Config (another protocol, clear text not allowed, STARTTLS not
    /// offered), Protocol (bytes injected before TLS).
    pub async fn open(&self, endpoint: &Endpoint, kind: Greeter) -> Result<Channel, Error> {
        if endpoint.security == Security::None && !self.allow_cleartext && !endpoint.is_loopback() {
            let what = "the account is set to send its password without encryption, which is not allowed";
            return Err(Error::new(ErrorClass::Config, &endpoint.host, what));
        }
        let mut channel = self.connect(endpoint).await?;
        if endpoint.security == Security::Tls {
            channel = self.protect(endpoint, kind, channel).await?;
        }
        let greeting = self.read_greeting(endpoint, kind, &mut channel).await?;
        if endpoint.security == Security::StartTls {
            starttls::prepare(&mut channel, kind, &greeting).await?;
            channel.prefix().clear();
            return self.protect(endpoint, kind, channel).await;
        }
        channel.set_greeting(greeting);
        Ok(channel)
    }

    /// TCP only.
    async fn connect(&self, endpoint: &Endpoint) -> Result<Channel, Error> {
        let host = &endpoint.host;
        let within = self.shared.options.connect_timeout;
        let looked_up = timeout(within, look_up(host, endpoint.port));
        let addresses = looked_up
            .await
            .unwrap_or_else(|_| Err(io::ErrorKind::TimedOut.into()));
        let unknown = || {
            let what = "no server of this name could be found: the name is wrong, or the network is away";
            Error::new(ErrorClass::Network, host, what).with_remedies(&[
                Remedy::CheckSettings,
                Remedy::TryAgain,
                Remedy::WorkOffline,
            ])
        };
        let addresses = addresses.map_err(|_| unknown())?;
        if addresses.is_empty() {
            return Err(unknown());
        }
        let connected = timeout(within, connect_any(addresses));
        let stream = connected
            .await
            .unwrap_or_else(|_| Err(io::ErrorKind::TimedOut.into()))
            .map_err(|error| Error::from_io(host, "connecting", &error))?;
        stream
            .set_nodelay(true)
            .map_err(|error| Error::from_io(host, "connecting", &error))?;
        // So that a connection that only waits keeps its place in routers, and a dead peer shows. Where the system
        // does not let us, deadlines find it out later.
        let _ = socket2::SockRef::from(&stream).set_tcp_keepalive(&keep_alive());
        let (traffic, prefix) = (Traffic::default(), Prefix::default());
        let metered = Metered::new(stream, traffic.clone(), prefix.clone());
        let mut channel = Channel::new(Box::new(metered), host, false, traffic, prefix);
        channel.set_read_timeout(self.shared.options.read_timeout);
        Ok(channel)
    }

    /// The TLS handshake over a channel with nothing pending.
    async fn protect(&self, endpoint: &Endpoint, kind: Greeter, channel: Channel) -> Result<Channel, Error> {
        let host = &endpoint.host;
        let (traffic, prefix) = (channel.traffic(), channel.prefix().clone());
        let handshake = timeout(
            self.shared.options.connect_timeout,
            self.handshake(host, channel.into_transport()),
        );
        let stream = handshake
            .await
            .unwrap_or_else(|_| Err(io::ErrorKind::TimedOut.into()))
            .map_err(|error| {
                let plain = recognise(&prefix.bytes()).filter(|spoken| *spoken != Spoken::Tls);
                match (plain, endpoint.security) {
                    (Some(_), Security::StartTls) => Error::protocol(
                        host,
                        "the server went on in clear where encryption should begin; the connection was ended",
                    ),
                    (Some(spoken), _) => not_tls(host, kind, spoken),
                    (None, _) => Error::from_io(host, "beginning encryption", &error),
                }
            })?;
        let mut channel = Channel::new(stream, host, true, traffic, prefix);
        channel.set_read_timeout(self.shared.options.read_timeout);
        Ok(channel)
    }

    async fn handshake(&self, host: &str, stream: Box<dyn Transport>) -> io::Result<Box<dyn Transport>> {
        let name = idna::domain_to_ascii(host).unwrap_or_else(|_| host.to_owned());
        let name = ServerName::try_from(name)
            .map_err(|_| Error::new(ErrorClass::Config, host, "this is not the name of a server"))?;
        let config = match &self.certified {
            Some(config) => config.clone(),
            None => self.shared.tls.clone()?,
        };
        let connector = TlsConnector::from(config);
        // rustls asks for four kibibytes at a time.
        let stream = BufReader::with_capacity(RECEIVED, stream);
        Ok(Box::new(connector.connect(name, stream).await?))
    }

    async fn read_greeting(
        &self,
        endpoint: &Endpoint,
        kind: Greeter,
        channel: &mut Channel,
    ) -> Result<Vec<u8>, Error> {
        let host = endpoint.host.as_str();
        let prefix = channel.prefix().clone();
        let plain = !channel.is_tls();
        // A greeting may not drip in for ever.
        let rest = self.shared.options.read_timeout * 2;
        let mut reading = Box::pin(channel.read_line(GREETING));
        let mut first = timeout(self.shared.suspicion, reading.as_mut()).await;
        if first.is_err() && plain && prefix.bytes().is_empty() {
            if self.expects_tls(endpoint).await {
                return Err(tls_expected(host));
            }
            first = timeout(rest, reading.as_mut()).await;
        } else if first.is_err() {
            first = timeout(rest, reading.as_mut()).await;
        }
        drop(reading);
        let line = first.unwrap_or_else(|_| Err(io::ErrorKind::TimedOut.into()));
        let spoken = match &line {
            Ok(line) => recognise(line),
            Err(_) if plain => recognise(&prefix.bytes()),
            Err(_) => None,
        };
        match (spoken, line) {
            (Some(Spoken::Mail(spoken)), Ok(line)) if spoken == kind => {
                finish_greeting(kind, channel, line).await
            }
            (Some(Spoken::Mail(spoken)), Err(error)) if spoken == kind => {
                Err(if error.kind() == io::ErrorKind::InvalidData {
                    Error::protocol(host, "the server's greeting does not end")
                } else {
                    Error::from_io(host, "reading the greeting", &error)
                })
            }
            (Some(Spoken::Tls), _) if plain => Err(tls_expected(host)),
            (Some(spoken), _) => Err(other_protocol(host, kind, spoken)),
            (None, Ok(line)) => Err(Error::new(
                ErrorClass::Config,
                host,
                format!("this port does not speak {}", kind.name()),
            )
            .quoting(&line)),
            (None, Err(error)) if error.kind() == io::ErrorKind::InvalidData => Err(Error::new(
                ErrorClass::Config,
                host,
                format!(
                    "this port does not speak {}: its greeting does not end",
                    kind.name()
                ),
            )),
            (None, Err(error)) => Err(Error::from_io(host, "waiting for the greeting", &error)),
        }
    }

    /// Whether a server that is silent in clear answers a TLS handshake.
    async fn expects_tls(&self, endpoint: &Endpoint) -> bool {
        let Ok(channel) = self.connect(endpoint).await else {
            return false;
        };
        let prefix = channel.prefix().clone();
        let handshake = self.handshake(&endpoint.host, channel.into_transport());
        // Whether the certificate is good does not matter here: that it came does.
        let _ = timeout(SUSPICION, handshake).await;
        recognise(&prefix.bytes()) == Some(Spoken::Tls)
    }
}

/// An SMTP greeting may have several lines (RFC 5321 section 4.2).
async fn finish_greeting(
    kind: Greeter,
    channel: &mut Channel,
    mut greeting: Vec<u8>,
) -> Result<Vec<u8>, Error> {
    let mut last = greeting.clone();
    while kind == Greeter::Smtp && last.get(3) == Some(&b'-') {
        let read = channel.read_line(GREETING).await;
        last = read.map_err(|error| Error::from_io(channel.host(), "reading the greeting", &error))?;
        greeting.extend_from_slice(&last);
        if greeting.len() > 8 * GREETING {
            return Err(Error::protocol(
                channel.host(),
                "the server's greeting does not end",
            ));
        }
    }
    Ok(greeting)
}

fn keep_alive() -> socket2::TcpKeepalive {
    let keep_alive = socket2::TcpKeepalive::new()
        .with_time(Duration::from_secs(60))
        .with_interval(Duration::from_secs(15));
    #[cfg(any(target_os = "linux", target_os = "macos", target_os = "windows"))]
    let keep_alive = keep_alive.with_retries(4);
    keep_alive
}

async fn look_up(host: &str, port: u16) -> io::Result<Vec<SocketAddr>> {
    let name = idna::domain_to_ascii(host).unwrap_or_else(|_| host.to_owned());
    Ok(tokio::net::lookup_host((name.as_str(), port)).await?.collect())
}

/// RFC 8305: addresses of both families in turn, each a little after the one before; the first to answer wins.
async fn connect_any(addresses: Vec<SocketAddr>) -> io::Result<TcpStream> {
    let mut waiting = in_turn(addresses).into_iter();
    let mut attempts = FuturesUnordered::new();
    let mut first_error = None;
    loop {
        match waiting.next() {
            Some(address) => attempts.push(TcpStream::connect(address)),
            None if attempts.is_empty() => {
                return Err(first_error.unwrap_or_else(|| io::ErrorKind::AddrNotAvailable.into()));
            }
            None => {}
        }
        tokio::select! {
            Some(result) = attempts.next() => match result {
                Ok(stream) => return Ok(stream),
                Err(error) => {
                    first_error.get_or_insert(error);
                }
            },
            () = tokio::time::sleep(ATTEMPT_DELAY), if waiting.len() > 0 => {}
        }
    }
}

/// The system's order, with the two families alternating.
fn in_turn(addresses: Vec<SocketAddr>) -> Vec<SocketAddr> {
    let six_first = addresses.first().is_some_and(SocketAddr::is_ipv6);
    let (first, second): (Vec<_>, Vec<_>) = addresses
        .into_iter()
        .partition(|address| address.is_ipv6() == six_first);
    let (mut first, mut second) = (first.into_iter(), second.into_iter());
    let mut mixed = Vec::new();
    loop {
        match (first.next(), second.next()) {
            (None, None) => return mixed,
            (a, b) => mixed.extend(a.into_iter().chain(b)),
        }
    }
}

/// What the first bytes from a port show.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
enum Spoken {
    Mail(Greeter),
    Tls,
    Other(&'static str),
}

fn recognise(start: &[u8]) -> Option<Spoken> {
    const SIGNS: [(&[u8], Spoken); 15] = [
        (b"* OK", Spoken::Mail(Greeter::Imap)),
        (b"* PREAUTH", Spoken::Mail(Greeter::Imap)),
        (b"* BYE", Spoken::Mail(Greeter::Imap)),
        (b"+OK", Spoken::Mail(Greeter::Pop3)),
        (b"-ERR", Spoken::Mail(Greeter::Pop3)),
        (b"220", Spoken::Mail(Greeter::Smtp)),
        (b"421", Spoken::Mail(Greeter::Smtp)),
        (b"521", Spoken::Mail(Greeter::Smtp)),
        (b"554", Spoken::Mail(Greeter::Smtp)),
        (b"HTTP/", Spoken::Other("HTTP")),
        (b"<", Spoken::Other("HTTP")),
        (b"SSH-", Spoken::Other("SSH")),
        // TLS records: an alert and a handshake (RFC 8446 section 5.1).
        (b"\x15\x03", Spoken::Tls),
        (b"\x16\x03", Spoken::Tls),
        (b"* NO", Spoken::Mail(Greeter::Imap)),
    ];
    let matches = |sign: &[u8]| {
        start
            .get(..sign.len())
            .is_some_and(|head| head.eq_ignore_ascii_case(sign))
    };
    SIGNS
        .iter()
        .find(|(sign, _)| matches(sign))
        .map(|(_, spoken)| *spoken)
}

fn tls_expected(host: &str) -> Error {
    Error::new(
        ErrorClass::Config,
        host,
        "this port expects encryption from the start: choose TLS instead of STARTTLS or none",
    )
}

fn not_tls(host: &str, wanted: Greeter, spoken: Spoken) -> Error {
    match spoken {
        Spoken::Mail(found) if found == wanted => Error::new(
            ErrorClass::Config,
            host,
            format!(
                "this port speaks {} without encryption from the start: choose STARTTLS, or the port for TLS",
                wanted.name()
            ),
        ),
        _ => other_protocol(host, wanted, spoken),
    }
}

fn other_protocol(host: &str, wanted: Greeter, spoken: Spoken) -> Error {
    let found = match spoken {
        Spoken::Mail(found) => found.name(),
        Spoken::Tls => "TLS",
        Spoken::Other(name) => name,
    };
    Error::new(
        ErrorClass::Config,
        host,
        format!("this port speaks {found}, not {}", wanted.name()),
    )
}

#[cfg(test)]
mod tests;
