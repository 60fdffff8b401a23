//! Asking web servers for the little that mail needs: a picture that the reader allowed, an unsubscribing POST.
//!
//! A message chooses the address, so the address is not trusted: names are looked up here, every address is held
//! against [`guard`] before anything is sent to it, exactly the addresses that were looked at are dialled (a second
//! look-up could answer otherwise), and each redirect is a new visit with the same checks. Nothing that tells one
//! reader from another is sent: no cookies, no referrer, no language, one fixed `User-Agent`, no TLS session kept.
//! The proxy variables of the environment are not heeded: a proxy would look names up where nobody checks them.
//!
//! Everything here blocks: it belongs on a blocking thread.

mod connector;
pub mod guard;

use std::fmt;
use std::io;
use std::net::{IpAddr, SocketAddr, ToSocketAddrs};
use std::path::Path;
use std::sync::Arc;
use std::time::{Duration, Instant};

use rustls::ClientConfig;
use ureq::http::{Response, header};
use ureq::unversioned::transport::{Connector, TcpConnector};
use ureq::{Agent, Body, Timeout};
use url::{Host, Url};

use crate::{Error, tls};
use connector::{Looker, TlsConnector};

/// Says nothing of this program, its version or the system; without any, many servers refuse to answer.
const USER_AGENT: &str = "Mozilla/5.0";
/// Longest address asked for, in bytes.
const LONGEST: usize = 8 * 1024;
const MOST_REDIRECTS: usize = 5;

/// Why a server was not asked, or what came instead of an answer.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub enum Fault {
    /// No web address, or one with a name and password, or with another port than 80 and 443.
    BadAddress,
    /// It leads to this machine or into the local network.
    Private,
    /// There is no server of this name, or the network is away.
    NotFound,
    Unreachable,
    /// It does not let itself be reached with encryption, and the rest was not allowed.
    NotEncrypted,
    /// Its certificate is not trusted: never asked without encryption then.
    Certificate,
    TooSlow,
    TooManyRedirects,
    /// An HTTP status other than success.
    Status(u16),
    TooLarge,
    /// No PNG, JPEG, GIF, WebP or BMP.
    WrongType,
    /// More pictures, or more bytes, than one message may bring.
    TooMany,
    /// The reader went on before it came.
    Cancelled,
    /// The answer breaks HTTP.
    Garbled,
}

impl fmt::Display for Fault {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(match self {
            Self::BadAddress => "the address is not one that is asked for anything",
            Self::Private => "the address leads to this machine or into the local network",
            Self::NotFound => "there is no server of this name",
            Self::Unreachable => "the server cannot be reached",
            Self::NotEncrypted => "the server offers no encryption",
            Self::Certificate => "the server's certificate is not trusted",
            Self::TooSlow => "the server did not answer in time",
            Self::TooManyRedirects => "the server sends on and on to other addresses",
            Self::Status(code) => return write!(f, "the server answered with the HTTP status {code}"),
            Self::TooLarge => "the answer is too large",
            Self::WrongType => "the answer is no picture of a known kind",
            Self::TooMany => "the message wants more pictures than are fetched for one",
            Self::Cancelled => "it was given up",
            Self::Garbled => "the answer cannot be understood",
        })
    }
}

impl std::error::Error for Fault {}

type LookUp = dyn Fn(&str, u16) -> io::Result<Vec<SocketAddr>> + Send + Sync;
type Admit = dyn Fn(IpAddr) -> bool + Send + Sync;

/// Where names are looked up, and which addresses may be dialled. Tests bring their own; everybody else takes the
/// default.
#[derive(Clone)]
pub struct WebRules {
    look_up: Arc<LookUp>,
    admit: Arc<Admit>,
}

impl WebRules {
    #[must_use]
    pub fn new(
        look_up: impl Fn(&str, u16) -> io::Result<Vec<SocketAddr>> + Send + Sync + 'static,
        admit: impl Fn(IpAddr) -> bool + Send + Sync + 'static,
    ) -> Self {
        Self {
            look_up: Arc::new(look_up),
            admit: Arc::new(admit),
        }
    }

    /// The system's names, and public addresses only.
    #[must_use]
    pub fn strict() -> Self {
        Self::new(
            |host, port| Ok((host, port).to_socket_addrs()?.collect()),
            guard::is_public,
        )
    }

    /// Every address, or none: a name that leads both outside and inside is a trap.
    fn find(&self, host: &str, port: u16) -> Result<Vec<SocketAddr>, Fault> {
        let found = (self.look_up)(host, port).map_err(|_| Fault::NotFound)?;
        if found.is_empty() {
            return Err(Fault::NotFound);
        }
        if found.iter().all(|address| (self.admit)(address.ip())) {
            Ok(found)
        } else {
            Err(Fault::Private)
        }
    }
}

impl Default for WebRules {
    fn default() -> Self {
        Self::strict()
    }
}

impl fmt::Debug for WebRules {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str("WebRules")
    }
}

/// Whether a server without encryption may be asked.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Cleartext {
    Never,
    /// For an address that says `http:`, where its host has no encryption at all: it refuses connections on port
    /// 443, or speaks something else there. Never after a certificate that is not trusted, nor after silence.
    WhereNothingElse,
}

/// The way to web servers. Clones share the trusted certificates.
#[derive(Clone, Debug)]
pub struct Web {
    tls: Arc<ClientConfig>,
    rules: WebRules,
}

impl Web {
    /// Loads the trusted certificates; reads files, so not for a thread that must not wait.
    ///
    /// # Errors
    /// Class Config where `ca_file` holds no certificate, or the system has none.
    pub fn new(ca_file: Option<&Path>, rules: WebRules) -> Result<Self, Error> {
        let mut tls = ClientConfig::clone(&*tls::client_config(tls::extra_roots(ca_file)?)?);
        // A session that is taken up again tells the server who comes back (RFC 8446 appendix C.4).
        tls.resumption = rustls::client::Resumption::disabled();
        Ok(Self {
            tls: Arc::new(tls),
            rules,
        })
    }

    /// Connections made through it are used again until it is dropped, and never after.
    pub(crate) fn visit(&self, accept: &str) -> Visit {
        let config = Agent::config_builder()
            .proxy(None)
            .max_redirects(0)
            .max_redirects_will_error(false)
            .http_status_as_error(false)
            .user_agent(USER_AGENT)
            .accept(accept)
            .accept_encoding("")
            .max_response_header_size(64 * 1024)
            .build();
        let connector = ().chain(TcpConnector::default()).chain(TlsConnector(self.tls.clone()));
        Visit {
            agent: Agent::with_parts(config, connector, Looker(self.rules.clone())),
        }
    }
}

/// A few exchanges that belong together.
pub(crate) struct Visit {
    agent: Agent,
}

impl Visit {
    /// Follows redirects to the first answer that is none.
    pub(crate) fn get(
        &self,
        address: &str,
        cleartext: Cleartext,
        until: Instant,
    ) -> Result<Response<Body>, Fault> {
        let mut url = parse(address)?;
        for _ in 0..=MOST_REDIRECTS {
            let response = self.get_once(&url, cleartext, until)?;
            let Some(next) = redirect(&url, &response)? else {
                return Ok(response);
            };
            url = next;
        }
        Err(Fault::TooManyRedirects)
    }

    /// One exchange, encrypted if that can be had.
    fn get_once(&self, url: &Url, cleartext: Cleartext, until: Instant) -> Result<Response<Body>, Fault> {
        let safe = encrypted(url)?;
        let answer = self.ask(&safe, until);
        let fallback = url.scheme() == "http" && cleartext == Cleartext::WhereNothingElse;
        match answer {
            Err(Fault::NotEncrypted) if fallback => self.ask(url, until),
            answer => answer,
        }
    }

    fn ask(&self, url: &Url, until: Instant) -> Result<Response<Body>, Fault> {
        let request = self.agent.get(written(url)).config();
        let request = request.timeout_global(Some(left(until)?)).build();
        request.call().map_err(|error| explain(&error))
    }

    /// A POST of a form; redirects are answers like others.
    pub(crate) fn post(&self, address: &str, form: &str, until: Instant) -> Result<Response<Body>, Fault> {
        let url = parse(address)?;
        if url.scheme() != "https" {
            return Err(Fault::NotEncrypted);
        }
        let request = self.agent.post(written(&url)).config();
        let request = request.timeout_global(Some(left(until)?)).build();
        let request = request.header(header::CONTENT_TYPE, "application/x-www-form-urlencoded");
        request.send(form).map_err(|error| explain(&error))
    }
}

fn left(until: Instant) -> Result<Duration, Fault> {
    let left = until.saturating_duration_since(Instant::now());
    if left.is_zero() {
        Err(Fault::TooSlow)
    } else {
        Ok(left)
    }
}

/// An address from a message, if it is one that may be asked at all.
pub(crate) fn parse(address: &str) -> Result<Url, Fault> {
    if address.len() > LONGEST {
        return Err(Fault::BadAddress);
    }
    check(Url::parse(address.trim()).map_err(|_| Fault::BadAddress)?)
}

fn check(mut url: Url) -> Result<Url, Fault> {
    let ports: &[u16] = match url.scheme() {
        "https" => &[443],
        "http" => &[80],
        _ => return Err(Fault::BadAddress),
    };
    let port = url.port_or_known_default().ok_or(Fault::BadAddress)?;
    if !ports.contains(&port) || !url.username().is_empty() || url.password().is_some() {
        return Err(Fault::BadAddress);
    }
    if let Some(Host::Domain(name)) = url.host()
        && guard::is_local_name(name)
    {
        return Err(Fault::Private);
    }
    url.set_fragment(None);
    Ok(url)
}

fn encrypted(url: &Url) -> Result<Url, Fault> {
    let mut safe = url.clone();
    if safe.scheme() == "http" {
        safe.set_scheme("https").map_err(|()| Fault::BadAddress)?;
    }
    Ok(safe)
}

/// As RFC 3986 has it: browsers let a few characters pass that it does not.
fn written(url: &Url) -> String {
    let mut out = String::with_capacity(url.as_str().len());
    for c in url.as_str().chars() {
        match c {
            '|' | '^' | '`' | '{' | '}' | '"' | '<' | '>' | '\\' | ' ' => {
                out.push_str(&format!("%{:02X}", u32::from(c)));
            }
            c => out.push(c),
        }
    }
    out
}

/// Where the answer sends on to. From an encrypted address only to such: what says `http:` is asked with encryption.
fn redirect(from: &Url, response: &Response<Body>) -> Result<Option<Url>, Fault> {
    if !matches!(response.status().as_u16(), 301 | 302 | 303 | 307 | 308) {
        return Ok(None);
    }
    let location = response.headers().get(header::LOCATION);
    let location = location.and_then(|value| std::str::from_utf8(value.as_bytes()).ok());
    let location = location
        .filter(|location| location.len() <= LONGEST)
        .ok_or(Fault::Garbled)?;
    let next = check(from.join(location.trim()).map_err(|_| Fault::BadAddress)?)?;
    if from.scheme() == "https" {
        return encrypted(&next).map(Some);
    }
    Ok(Some(next))
}

fn explain(error: &ureq::Error) -> Fault {
    match error {
        ureq::Error::Timeout(Timeout::Resolve) => Fault::NotFound,
        ureq::Error::Timeout(_) => Fault::TooSlow,
        ureq::Error::HostNotFound => Fault::NotFound,
        ureq::Error::BadUri(_) | ureq::Error::Http(_) => Fault::BadAddress,
        ureq::Error::LargeResponseHeader(..) => Fault::TooLarge,
        ureq::Error::Io(error) => explain_io(error),
        ureq::Error::Rustls(error) => explain_tls(error),
        ureq::Error::Other(other) => other.downcast_ref::<Fault>().copied().unwrap_or(Fault::Garbled),
        _ => Fault::Garbled,
    }
}

pub(crate) fn explain_io(error: &io::Error) -> Fault {
    let inner = error.get_ref();
    if let Some(tls) = inner.and_then(|inner| inner.downcast_ref::<rustls::Error>()) {
        return explain_tls(tls);
    }
    if let Some(inner) = inner.and_then(|inner| inner.downcast_ref::<ureq::Error>()) {
        return explain(inner);
    }
    match error.kind() {
        io::ErrorKind::TimedOut | io::ErrorKind::WouldBlock => Fault::TooSlow,
        // Nobody listens there at all.
        io::ErrorKind::ConnectionRefused => Fault::NotEncrypted,
        _ => Fault::Unreachable,
    }
}

fn explain_tls(error: &rustls::Error) -> Fault {
    match error {
        rustls::Error::InvalidCertificate(_) | rustls::Error::NoCertificatesPresented => Fault::Certificate,
        // The first bytes are no TLS record.
        rustls::Error::InvalidMessage(_) => Fault::NotEncrypted,
        _ => Fault::Unreachable,
    }
}

#[cfg(test)]
pub(crate) mod tests;
