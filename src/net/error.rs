//! What went wrong with a server, in words that a user can act on.

use posthorn_model::{ErrorClass, Remedy};
use std::fmt;
use std::io;

use crate::imap::ResponseCode;
use crate::tls::{self, CertificateTrouble};

/// The longest quotation of a server, in characters.
const QUOTE: usize = 500;

/// A failed conversation with a server. Holds no secret and no mail text, so that it may be shown and logged.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Error {
    pub class: ErrorClass,
    /// Whom we spoke with; empty where there was nobody.
    pub host: String,
    /// What happened: plain words, lower case.
    pub what: String,
    /// The server's own words, without control characters, at most 500 characters.
    pub server: Option<String>,
    pub remedies: Vec<Remedy>,
    /// Whether the server will say the same tomorrow: SMTP 5xx, an IMAP NO that is not temporary.
    pub permanent: bool,
    /// The reason as an IMAP server codes it (RFC 9051 section 7.1), where it gave one.
    pub code: Option<ResponseCode>,
    /// For class Certificate.
    pub certificate: Option<Box<CertificateTrouble>>,
}

impl Error {
    pub fn new(class: ErrorClass, host: impl Into<String>, what: impl Into<String>) -> Self {
        Self {
            class,
            host: host.into(),
            what: what.into(),
            server: None,
            remedies: usual_remedies(class),
            permanent: false,
            code: None,
            certificate: None,
        }
    }

    #[must_use]
    pub const fn class(&self) -> ErrorClass {
        self.class
    }

    /// Quotes the server.
    #[must_use]
    pub fn quoting(mut self, words: &[u8]) -> Self {
        let words = quote(words);
        self.server = (!words.is_empty()).then_some(words);
        self
    }

    #[must_use]
    pub fn permanently(mut self, permanent: bool) -> Self {
        self.permanent = permanent;
        self
    }

    #[must_use]
    pub fn coded(mut self, code: Option<ResponseCode>) -> Self {
        self.code = code;
        self
    }

    #[must_use]
    pub fn with_remedies(mut self, remedies: &[Remedy]) -> Self {
        self.remedies = remedies.to_vec();
        self
    }

    /// What an I/O error means; `doing` reads like "waiting for the greeting".
    #[must_use]
    pub fn from_io(host: &str, doing: &str, error: &io::Error) -> Self {
        if let Some(found) = error.get_ref().and_then(|inner| inner.downcast_ref::<Self>()) {
            let mut found = found.clone();
            if found.host.is_empty() {
                host.clone_into(&mut found.host);
            }
            return found;
        }
        if let Some(found) = tls::explain(host, error) {
            return found;
        }
        use io::ErrorKind as Kind;
        let what = match error.kind() {
            Kind::UnexpectedEof => format!("the server closed the connection while {doing}"),
            Kind::ConnectionReset | Kind::ConnectionAborted | Kind::BrokenPipe => {
                format!("the connection broke while {doing}")
            }
            Kind::TimedOut => "the server did not answer in time".to_owned(),
            Kind::ConnectionRefused => "the server refuses connections on this port".to_owned(),
            Kind::HostUnreachable | Kind::NetworkUnreachable | Kind::NetworkDown | Kind::AddrNotAvailable => {
                "the network does not reach this server".to_owned()
            }
            Kind::StorageFull | Kind::QuotaExceeded => {
                return Self::new(
                    ErrorClass::Disk,
                    host,
                    "the disk is full: the message was not kept",
                );
            }
            kind => match error.raw_os_error() {
                Some(code) => format!("input or output failed while {doing} ({kind}, error {code})"),
                None => format!("input or output failed while {doing} ({kind})"),
            },
        };
        Self::new(ErrorClass::Network, host, what)
    }

    /// The server broke its protocol.
    #[must_use]
    pub fn protocol(host: &str, what: impl Into<String>) -> Self {
        Self::new(ErrorClass::Protocol, host, what)
    }
}

impl fmt::Display for Error {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        if !self.host.is_empty() {
            write!(f, "{}: ", self.host)?;
        }
        f.write_str(&self.what)?;
        match &self.server {
            Some(words) => write!(f, " (server said: {words})"),
            None => Ok(()),
        }
    }
}

impl std::error::Error for Error {}

/// For streams, whose errors must be I/O errors; [`Error::from_io`] finds the original again.
impl From<Error> for io::Error {
    fn from(error: Error) -> Self {
        Self::other(error)
    }
}

fn usual_remedies(class: ErrorClass) -> Vec<Remedy> {
    match class {
        ErrorClass::Network => vec![Remedy::TryAgain, Remedy::CheckSettings, Remedy::WorkOffline],
        ErrorClass::Auth => vec![Remedy::EnterPassword, Remedy::CheckSettings],
        ErrorClass::Certificate => vec![Remedy::InspectCertificate, Remedy::CheckSettings],
        ErrorClass::Refused | ErrorClass::Protocol | ErrorClass::Quota => vec![Remedy::TryAgain],
        ErrorClass::Config => vec![Remedy::CheckSettings],
        ErrorClass::Disk => vec![Remedy::FreeDiskSpace, Remedy::TryAgain],
        ErrorClass::Suspicious => vec![Remedy::ReviewAndContinue],
        ErrorClass::Corrupt | ErrorClass::Bug | ErrorClass::Limited => Vec::new(),
    }
}

/// A server's words as one line that is safe to show: no control or direction-changing characters, bounded.
#[must_use]
pub fn quote(words: &[u8]) -> String {
    let bounded = words.get(..QUOTE * 4).unwrap_or(words);
    let unsafe_to_show = |c: char| {
        c.is_control()
            || matches!(c, '\u{200b}'..='\u{200f}' | '\u{2028}'..='\u{202e}' | '\u{2066}'..='\u{2069}' | '\u{feff}')
    };
    let text: String = String::from_utf8_lossy(bounded)
        .chars()
        .map(|c| if unsafe_to_show(c) { ' ' } else { c })
        .take(QUOTE)
        .collect();
    text.trim().to_owned()
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn quotes_safely() {
        let check = |words: &[u8], expect: &str| assert_eq!(quote(words), expect, "{words:?}");
        check(b"Mailbox is full\r\n", "Mailbox is full");
        check(b"\x1b[31mred\x07", "[31mred");
        check("a\u{202e}b".as_bytes(), "a b");
        check(b"\xff\xfe", "\u{fffd}\u{fffd}");
        assert_eq!(quote(&[b'x'; 100_000]).len(), QUOTE);
    }

    #[test]
    fn passes_through_streams_unchanged() {
        let original = Error::protocol("", "the line is too long").quoting(b"x");
        let found = Error::from_io("imap.example.org", "reading", &original.clone().into());
        assert_eq!(
            found,
            Error {
                host: "imap.example.org".into(),
                ..original
            }
        );
    }

    #[test]
    fn shows_host_happening_and_quotation() {
        let error = Error::new(ErrorClass::Refused, "h", "the mailbox could not be opened")
            .quoting(b"No such mailbox");
        assert_eq!(
            error.to_string(),
            "h: the mailbox could not be opened (server said: No such mailbox)"
        );
    }
}
