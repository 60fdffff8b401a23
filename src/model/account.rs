//! What the user set up: one account, its servers, its identity and its policy.

use serde::{Deserialize, Serialize};
use std::fmt;
use std::path::PathBuf;

use crate::Pop3Policy;

/// How mail comes in.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash, Serialize, Deserialize)]
#[serde(rename_all = "lowercase")]
pub enum Protocol {
    Imap,
    Pop3,
}

impl Protocol {
    #[must_use]
    pub const fn name(self) -> &'static str {
        match self {
            Self::Imap => "imap",
            Self::Pop3 => "pop3",
        }
    }
}

/// How a connection is protected.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash, Serialize, Deserialize)]
#[serde(rename_all = "lowercase")]
pub enum Security {
    /// TLS from the first byte (RFC 8314).
    Tls,
    /// A plain greeting, then STARTTLS or STLS, without which nothing is sent.
    StartTls,
    /// In clear: for loopback, or on the user's explicit word.
    None,
}

impl Security {
    #[must_use]
    pub const fn name(self) -> &'static str {
        match self {
            Self::Tls => "tls",
            Self::StartTls => "starttls",
            Self::None => "none",
        }
    }
}

/// One server to connect to.
#[derive(Clone, Debug, PartialEq, Eq, Hash, Serialize, Deserialize)]
pub struct Endpoint {
    /// A DNS name or an IP address, without brackets.
    pub host: String,
    pub port: u16,
    pub security: Security,
}

impl Endpoint {
    /// Reads `HOST:PORT`, with an IPv6 address in brackets.
    #[must_use]
    pub fn parse(text: &str, security: Security) -> Option<Self> {
        let (host, port) = text.rsplit_once(':')?;
        let bare = match host.strip_prefix('[') {
            Some(rest) => rest.strip_suffix(']')?,
            None if host.contains(':') => return None,
            None => host,
        };
        let clean = !bare.is_empty() && !bare.contains(|c: char| c.is_whitespace() || c.is_control());
        let port: u16 = port.parse().ok()?;
        (clean && port != 0).then(|| Self {
            host: bare.to_owned(),
            port,
            security,
        })
    }

    /// Whether the host is this machine by its literal name or address.
    #[must_use]
    pub fn is_loopback(&self) -> bool {
        self.host.eq_ignore_ascii_case("localhost")
            || self
                .host
                .parse::<std::net::IpAddr>()
                .is_ok_and(|address| address.is_loopback())
    }
}

impl fmt::Display for Endpoint {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        if self.host.contains(':') {
            write!(f, "[{}]:{}", self.host, self.port)
        } else {
            write!(f, "{}:{}", self.host, self.port)
        }
    }
}

/// How the user proves who they are.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash, Serialize, Deserialize, Default)]
#[serde(rename_all = "lowercase")]
pub enum AuthMethod {
    #[default]
    Password,
    /// A bearer token (RFC 7628).
    OAuth,
    /// The account's client certificate, which TLS has shown already (SASL EXTERNAL, RFC 4422 appendix A).
    External,
}

/// What TLS shows of the user where a server asks for it (RFC 8446, section 4.4.2): PEM files, read at each connection.
#[derive(Clone, Debug, PartialEq, Eq, Hash, Serialize, Deserialize)]
pub struct ClientCertificate {
    /// The certificate, followed by those between it and its authority.
    pub certificate: PathBuf,
    /// Its private key, not encrypted.
    pub key: PathBuf,
}

/// Where the account's secret is kept.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash, Serialize, Deserialize, Default)]
#[serde(rename_all = "lowercase")]
pub enum SecretPlace {
    /// The system's keychain.
    #[default]
    Keychain,
    /// A sealed file in the profile, for machines without a keychain.
    File,
    /// This process's memory only.
    Session,
}

/// Who the user is when they write.
#[derive(Clone, Debug, Default, PartialEq, Eq, Serialize, Deserialize)]
pub struct Identity {
    /// The display name; empty for none.
    #[serde(default)]
    pub name: String,
    pub email: String,
    /// Plain text below what the user writes; empty for none.
    #[serde(default)]
    pub signature: String,
}

/// One account as the user set it up. Holds no secret.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct AccountConfig {
    /// Unique in the profile; what the command line calls it.
    pub name: String,
    pub protocol: Protocol,
    pub username: String,
    #[serde(default)]
    pub auth: AuthMethod,
    #[serde(default)]
    pub secrets: SecretPlace,
    /// The user's explicit word that passwords may travel in clear to a host other than this machine.
    #[serde(default)]
    pub allow_cleartext: bool,
    /// IMAP only: connections to the incoming server at once; `None`: as many as are usually enough.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub connections: Option<u8>,
    /// POP3 only; its keys stand beside the others in the file.
    #[serde(flatten)]
    pub pop3: Pop3Policy,
    pub identity: Identity,
    pub incoming: Endpoint,
    /// `None`: an account that only receives.
    pub outgoing: Option<Endpoint>,
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub client_certificate: Option<ClientCertificate>,
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn reads_endpoints() {
        let check = |text: &str, expect: Option<(&str, u16)>| {
            let endpoint = Endpoint::parse(text, Security::Tls);
            assert_eq!(
                endpoint.as_ref().map(|e| (e.host.as_str(), e.port)),
                expect,
                "{text:?}"
            );
        };
        check("imap.example.org:993", Some(("imap.example.org", 993)));
        check("[::1]:143", Some(("::1", 143)));
        check("::1:143", None);
        check("example.org", None);
        check("example.org:0", None);
        check("example.org:70000", None);
        check(":993", None);
        check("a b:993", None);
    }

    #[test]
    fn knows_this_machine() {
        for (host, expect) in [
            ("localhost", true),
            ("127.0.0.9", true),
            ("::1", true),
            ("10.0.0.1", false),
            ("localhost.example", false),
        ] {
            let endpoint = Endpoint {
                host: host.into(),
                port: 1,
                security: Security::None,
            };
            assert_eq!(endpoint.is_loopback(), expect, "{host}");
        }
    }
}
