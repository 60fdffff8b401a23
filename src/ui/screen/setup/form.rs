//! An account's settings as they are typed, and the account that they make.

use posthorn_model::{
    AccountConfig, AuthMethod, Endpoint, Identity, Pop3Policy, Protocol, Secret, SecretPlace, Security,
};

use super::FormMessage;
use crate::screen::leave::{Leave, USUAL_DAYS};
use crate::t;

/// The password field, for the keyboard.
pub const PASSWORD: &str = "setup-password";

/// One server, as typed.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Server {
    pub host: String,
    pub port: String,
    pub security: Security,
}

/// Everything about an account, as typed.
#[derive(Clone, Debug)]
pub struct Form {
    /// What the account is called here.
    pub name: String,
    pub email: String,
    /// The name that others see.
    pub person: String,
    pub signature: String,
    pub protocol: Protocol,
    pub username: String,
    pub password: String,
    pub secrets: SecretPlace,
    /// The password is in the sealed file: that stays a choice. It is none for others, since the file needs a key.
    pub sealed: bool,
    pub incoming: Server,
    pub outgoing: Server,
    pub leave: Leave,
    pub days: String,
    /// The rest of the POP3 policy, which this form hands on as it is.
    pub pop3: Pop3Policy,
    /// Handed on as it is, too.
    pub connections: Option<u8>,
    pub cleartext: bool,
    /// An account that exists already: an empty password keeps the one it has.
    pub existing: bool,
}

/// The usual port (RFC 8314, RFC 9051, RFC 1939, RFC 6409).
#[must_use]
pub const fn usual_port(service: Service, security: Security) -> u16 {
    match (service, security) {
        (Service::Incoming(Protocol::Imap), Security::Tls) => 993,
        (Service::Incoming(Protocol::Imap), _) => 143,
        (Service::Incoming(Protocol::Pop3), Security::Tls) => 995,
        (Service::Incoming(Protocol::Pop3), _) => 110,
        (Service::Outgoing, Security::Tls) => 465,
        (Service::Outgoing, _) => 587,
    }
}

/// What a server is for.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Service {
    Incoming(Protocol),
    Outgoing,
}

const fn prefix(protocol: Protocol) -> &'static str {
    match protocol {
        Protocol::Imap => "imap.",
        Protocol::Pop3 => "pop.",
    }
}

impl Form {
    /// A plain guess from the address alone: nothing is asked of the network.
    #[must_use]
    pub fn guess(address: &str) -> Option<Self> {
        let email = address.trim();
        let (local, domain) = email.rsplit_once('@')?;
        let plain = |text: &str| !text.is_empty() && !text.contains(|c: char| c.is_whitespace() || c == '@');
        if !plain(local) || !plain(domain) {
            return None;
        }
        let domain = domain.to_ascii_lowercase();
        Some(Self {
            name: email.to_owned(),
            email: email.to_owned(),
            person: String::new(),
            signature: String::new(),
            protocol: Protocol::Imap,
            username: email.to_owned(),
            password: String::new(),
            secrets: SecretPlace::Keychain,
            sealed: false,
            incoming: Server {
                host: format!("imap.{domain}"),
                port: "993".into(),
                security: Security::Tls,
            },
            outgoing: Server {
                host: format!("smtp.{domain}"),
                port: "465".into(),
                security: Security::Tls,
            },
            leave: Leave::Forever,
            days: USUAL_DAYS.to_string(),
            pop3: Pop3Policy::default(),
            connections: None,
            cleartext: false,
            existing: false,
        })
    }

    /// The settings of an account that exists.
    #[must_use]
    pub fn of(config: &AccountConfig) -> Self {
        let server = |endpoint: &Endpoint| Server {
            host: endpoint.host.clone(),
            port: endpoint.port.to_string(),
            security: endpoint.security,
        };
        let (leave, days) = Leave::of(config.pop3.leave);
        Self {
            name: config.name.clone(),
            email: config.identity.email.clone(),
            person: config.identity.name.clone(),
            signature: config.identity.signature.clone(),
            protocol: config.protocol,
            username: config.username.clone(),
            password: String::new(),
            secrets: config.secrets,
            sealed: config.secrets == SecretPlace::File,
            incoming: server(&config.incoming),
            outgoing: config.outgoing.as_ref().map_or(
                Server {
                    host: String::new(),
                    port: "465".into(),
                    security: Security::Tls,
                },
                server,
            ),
            leave,
            days: days.to_string(),
            pop3: config.pop3,
            connections: config.connections,
            cleartext: config.allow_cleartext,
            existing: true,
        }
    }

    /// Takes what was typed.
    pub fn update(&mut self, message: FormMessage) {
        match message {
            FormMessage::NameTyped(text) => self.name = text,
            FormMessage::PersonTyped(text) => self.person = text,
            FormMessage::SignatureTyped(text) => self.signature = text,
            FormMessage::UsernameTyped(text) => self.username = text,
            FormMessage::PasswordTyped(text) => self.password = text,
            FormMessage::SecretsPicked(place) => self.secrets = place,
            FormMessage::ProtocolPicked(protocol) => self.pick_protocol(protocol),
            FormMessage::HostTyped(service, text) => self.server(service).host = text,
            FormMessage::PortTyped(service, text) => {
                self.server(service).port = text.chars().filter(char::is_ascii_digit).take(5).collect();
            }
            FormMessage::SecurityPicked(service, security) => {
                let server = self.server(service);
                let usual = |security| usual_port(service, security).to_string();
                if server.port == usual(server.security) {
                    server.port = usual(security);
                }
                server.security = security;
            }
            FormMessage::LeavePicked(leave) => self.leave = leave,
            FormMessage::DaysTyped(text) => {
                self.days = text.chars().filter(char::is_ascii_digit).take(4).collect();
            }
            FormMessage::CleartextPressed => self.cleartext = !self.cleartext,
        }
    }

    const fn server(&mut self, service: Service) -> &mut Server {
        match service {
            Service::Incoming(_) => &mut self.incoming,
            Service::Outgoing => &mut self.outgoing,
        }
    }

    /// The guessed host and the usual port follow the protocol; what was typed by hand stays.
    fn pick_protocol(&mut self, protocol: Protocol) {
        let before = std::mem::replace(&mut self.protocol, protocol);
        if let Some(rest) = self.incoming.host.strip_prefix(prefix(before)) {
            self.incoming.host = format!("{}{rest}", prefix(protocol));
        }
        let security = self.incoming.security;
        let usual = |protocol| usual_port(Service::Incoming(protocol), security).to_string();
        if self.incoming.port == usual(before) {
            self.incoming.port = usual(protocol);
        }
    }

    /// Whether a password would travel in clear beyond this machine.
    #[must_use]
    pub fn is_exposed(&self) -> bool {
        [&self.incoming, &self.outgoing].into_iter().any(|server| {
            server.security == Security::None
                && !server.host.trim().is_empty()
                && !Endpoint {
                    host: server.host.trim().to_owned(),
                    port: 1,
                    security: server.security,
                }
                .is_loopback()
        })
    }

    fn endpoint(server: &Server, what: &str) -> Result<Endpoint, String> {
        let host = server.host.trim();
        let address = if host.contains(':') {
            format!("[{host}]:{}", server.port)
        } else {
            format!("{host}:{}", server.port)
        };
        Endpoint::parse(&address, server.security)
            .ok_or_else(|| t!("setup-bad-server", server = what.to_owned()))
    }

    /// The account and its password, or what is still missing.
    ///
    /// # Errors
    /// In plain words.
    pub fn account(&self) -> Result<(AccountConfig, Option<Secret>), String> {
        let leave = self.leave.policy(&self.days)?;
        if self.name.trim().is_empty() {
            return Err(t!("setup-no-name"));
        }
        if self.password.is_empty() && !self.existing {
            return Err(t!("setup-no-password"));
        }
        if self.is_exposed() && !self.cleartext {
            return Err(t!("setup-cleartext"));
        }
        let outgoing = if self.outgoing.host.trim().is_empty() {
            None
        } else {
            Some(Self::endpoint(&self.outgoing, &t!("setup-outgoing"))?)
        };
        let config = AccountConfig {
            name: self.name.trim().to_owned(),
            protocol: self.protocol,
            username: self.username.trim().to_owned(),
            auth: AuthMethod::Password,
            client_certificate: None,
            secrets: self.secrets,
            allow_cleartext: self.cleartext,
            connections: self.connections,
            pop3: Pop3Policy { leave, ..self.pop3 },
            identity: Identity {
                name: self.person.trim().to_owned(),
                email: self.email.trim().to_owned(),
                signature: self.signature.clone(),
            },
            incoming: Self::endpoint(&self.incoming, &t!("setup-incoming"))?,
            outgoing,
        };
        let secret = (!self.password.is_empty()).then(|| Secret::new(self.password.clone()));
        Ok((config, secret))
    }
}

#[cfg(test)]
mod tests {
    use posthorn_model::LeaveOnServer;

    use super::*;

    #[test]
    fn guesses_from_the_address_alone() {
        for (address, host) in [
            ("ada@example.org", Some("imap.example.org")),
            ("  Ada@Example.ORG ", Some("imap.example.org")),
            ("ada", None),
            ("@example.org", None),
            ("ada@", None),
            ("ada lovelace@example.org", None),
        ] {
            let form = Form::guess(address);
            assert_eq!(
                form.map(|form| form.incoming.host).as_deref(),
                host,
                "{address:?}"
            );
        }
    }

    #[test]
    fn the_guess_follows_the_protocol_and_what_was_typed_stays() {
        let mut form = Form::guess("ada@example.org").unwrap();
        form.update(FormMessage::ProtocolPicked(Protocol::Pop3));
        assert_eq!(form.incoming.host, "pop.example.org");
        assert_eq!(form.incoming.port, "995");
        form.update(FormMessage::SecurityPicked(
            Service::Incoming(Protocol::Pop3),
            Security::StartTls,
        ));
        assert_eq!(form.incoming.port, "110");
        form.update(FormMessage::HostTyped(
            Service::Incoming(Protocol::Pop3),
            "mail.example.net".into(),
        ));
        form.update(FormMessage::PortTyped(
            Service::Incoming(Protocol::Pop3),
            "11x10".into(),
        ));
        form.update(FormMessage::ProtocolPicked(Protocol::Imap));
        assert_eq!(
            (form.incoming.host.as_str(), form.incoming.port.as_str()),
            ("mail.example.net", "1110")
        );
    }

    #[test]
    fn says_what_is_missing() {
        let mut form = Form::guess("ada@example.org").unwrap();
        assert_eq!(form.account().unwrap_err(), t!("setup-no-password"));
        form.password = "secret".into();
        assert!(form.account().is_ok());
        form.incoming.security = Security::None;
        assert_eq!(form.account().unwrap_err(), t!("setup-cleartext"));
        form.incoming.host = "127.0.0.1".into();
        assert!(form.account().is_ok());
        form.incoming.port = "0".into();
        assert!(form.account().is_err());
    }

    #[test]
    fn reads_back_an_account() {
        let mut form = Form::guess("ada@example.org").unwrap();
        form.password = "secret".into();
        form.protocol = Protocol::Pop3;
        form.leave = Leave::Days;
        form.days = "30".into();
        let (config, _) = form.account().unwrap();
        assert_eq!(config.pop3.leave, LeaveOnServer::Days(30));
        let again = Form::of(&config);
        let (same, secret) = again.account().unwrap();
        assert_eq!(same, config);
        assert_eq!(secret, None);
    }
}
