//! SASL (RFC 4422): the client's half of proving who the user is, the same for IMAP, POP3 and SMTP.
//!
//! An [`Exchange`] turns the server's challenges into answers, both in base64 as the three protocols carry them.
//! One mechanism is chosen before anything is sent, and a refusal by the server is final: nobody can talk us down
//! to a weaker mechanism.

mod scram;

use base64::Engine;
use base64::engine::general_purpose::STANDARD as BASE64;
use posthorn_model::{ErrorClass, Secret};
use zeroize::Zeroizing;

use crate::{Credentials, Error};
use scram::Scram;

/// A way to prove who the user is.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum Mechanism {
    /// RFC 7677: the password stays here, and the server proves that it knows it too.
    ScramSha256,
    /// RFC 4616.
    Plain,
    /// Older than RFC 4616 and still the only one of some servers.
    Login,
    /// RFC 7628.
    OAuthBearer,
    /// What came before RFC 7628.
    XOAuth2,
    /// RFC 4422, appendix A: who the user is was proven below, by TLS.
    External,
}

impl Mechanism {
    const FOR_PASSWORDS: [Self; 3] = [Self::ScramSha256, Self::Plain, Self::Login];
    const FOR_TOKENS: [Self; 2] = [Self::OAuthBearer, Self::XOAuth2];

    pub(crate) const fn name(self) -> &'static str {
        match self {
            Self::ScramSha256 => "SCRAM-SHA-256",
            Self::Plain => "PLAIN",
            Self::Login => "LOGIN",
            Self::OAuthBearer => "OAUTHBEARER",
            Self::XOAuth2 => "XOAUTH2",
            Self::External => "EXTERNAL",
        }
    }

    /// The strongest mechanism that the server offers and that these credentials can be used with.
    pub(crate) fn choose<S: AsRef<str>>(offered: &[S], credentials: &Credentials) -> Option<Self> {
        let offers = |mechanism: &Self| {
            offered
                .iter()
                .any(|name| name.as_ref().eq_ignore_ascii_case(mechanism.name()))
        };
        match credentials {
            Credentials::Password { username, password } => {
                // SASLprep (RFC 4013) leaves printable ASCII as it is; other passwords go by PLAIN as they were typed.
                let plain_text = |text: &str| text.bytes().all(|byte| (0x20..0x7f).contains(&byte));
                let scram_fits = plain_text(username) && plain_text(password.reveal());
                Self::FOR_PASSWORDS
                    .into_iter()
                    .filter(|mechanism| scram_fits || *mechanism != Self::ScramSha256)
                    .find(offers)
            }
            Credentials::Bearer { .. } => Self::FOR_TOKENS.into_iter().find(offers),
            Credentials::Certificate { .. } => Some(Self::External).filter(offers),
        }
    }
}

/// What a refusal is about, in words for people.
pub(crate) const fn refused_words(credentials: &Credentials) -> &'static str {
    match credentials {
        Credentials::Password { .. } => "the server refused the user name or password",
        Credentials::Bearer { .. } => "the server refused the access token: it may have expired",
        Credentials::Certificate { .. } => "the server refused the account's certificate",
    }
}

/// One authentication under way. Texts that go out are wiped when dropped.
pub(crate) struct Exchange {
    state: State,
}

enum State {
    /// What is said first, once asked for: PLAIN and the token mechanisms.
    First {
        message: Zeroizing<String>,
        on_trouble: &'static str,
    },
    /// The one message was said. A further challenge tells what went wrong, and wants this answer.
    Said {
        on_trouble: &'static str,
    },
    LoginName {
        username: String,
        password: Secret,
    },
    LoginPassword {
        password: Secret,
    },
    Scram(Box<Scram>),
    Done,
}

impl Exchange {
    /// Fails where the credentials do not fit the mechanism, or hold what the mechanism cannot carry.
    pub(crate) fn new(
        mechanism: Mechanism,
        credentials: &Credentials,
        host: &str,
        port: u16,
    ) -> Result<Self, Error> {
        let clean = |text: &str| !text.contains(['\0', '\x01', '\r', '\n']);
        let none = Secret::new(String::new());
        let secret = match credentials {
            Credentials::Password { password, .. } => password,
            Credentials::Bearer { token, .. } => token,
            Credentials::Certificate { .. } => &none,
        };
        let username = credentials.username();
        if !clean(username) || !clean(secret.reveal()) {
            return Err(Error::new(
                ErrorClass::Config,
                host,
                "the user name or password holds characters that no server takes",
            ));
        }
        let first = |message: String, on_trouble| State::First {
            message: Zeroizing::new(message),
            on_trouble,
        };
        let state = match (mechanism, credentials) {
            (Mechanism::ScramSha256, Credentials::Password { .. }) => {
                State::Scram(Box::new(Scram::new(username, secret, &scram::nonce(host)?)))
            }
            (Mechanism::Plain, Credentials::Password { .. }) => {
                first(format!("\0{username}\0{}", secret.reveal()), "")
            }
            (Mechanism::Login, Credentials::Password { .. }) => State::LoginName {
                username: username.to_owned(),
                password: secret.clone(),
            },
            (Mechanism::OAuthBearer, Credentials::Bearer { .. }) => {
                let name = scram::escape_name(username);
                let token = secret.reveal();
                // RFC 7628, section 3.1; a lone 0x01 ends a failed exchange (section 3.2.3).
                first(
                    format!("n,a={name},\x01host={host}\x01port={port}\x01auth=Bearer {token}\x01\x01"),
                    "\x01",
                )
            }
            // As whom to act: the server checks that the certificate may.
            (Mechanism::External, Credentials::Certificate { .. }) => first(username.to_owned(), ""),
            (Mechanism::XOAuth2, Credentials::Bearer { .. }) => first(
                format!("user={username}\x01auth=Bearer {}\x01\x01", secret.reveal()),
                "",
            ),
            _ => {
                return Err(Error::new(
                    ErrorClass::Config,
                    host,
                    "the account's way to log in does not fit the server's",
                ));
            }
        };
        Ok(Self { state })
    }

    /// The initial response in base64, for protocols and lines that can carry one. Where this is not called, the
    /// first [`Self::answer`] gives it.
    pub(crate) fn initial(&mut self) -> Option<Zeroizing<String>> {
        match &mut self.state {
            State::LoginName { .. } => None,
            State::Scram(scram) => scram.first().map(|message| encode(&message)),
            State::First { .. } => Some(encode(&self.say_first())),
            State::Said { .. } | State::LoginPassword { .. } | State::Done => None,
        }
    }

    /// Answers one challenge, both in base64.
    pub(crate) fn answer(&mut self, host: &str, challenge: &[u8]) -> Result<Zeroizing<String>, Error> {
        match &mut self.state {
            State::First { .. } => Ok(encode(&self.say_first())),
            State::Said { on_trouble } => {
                let answer = encode(on_trouble);
                self.state = State::Done;
                Ok(answer)
            }
            State::LoginName { username, password } => {
                let answer = encode(username);
                self.state = State::LoginPassword {
                    password: password.clone(),
                };
                Ok(answer)
            }
            State::LoginPassword { password } => {
                let answer = encode(password.reveal());
                self.state = State::Done;
                Ok(answer)
            }
            State::Scram(scram) => {
                if let Some(first) = scram.first() {
                    return Ok(encode(&first));
                }
                let text = BASE64
                    .decode(challenge.trim_ascii())
                    .ok()
                    .and_then(|bytes| String::from_utf8(bytes).ok())
                    .ok_or_else(|| {
                        Error::protocol(host, "the server's challenge at login is not readable")
                    })?;
                scram.answer(host, &text).map(|answer| encode(&answer))
            }
            State::Done => Err(Error::protocol(
                host,
                "the server asks on after the login is said",
            )),
        }
    }

    /// To be called when the server says that the login succeeded: with SCRAM it must have proven that it knows the
    /// password (RFC 5802, section 5), or it is an impostor.
    pub(crate) fn finish(&self, host: &str) -> Result<(), Error> {
        match &self.state {
            State::Scram(scram) if !scram.is_proven() => Err(Error::protocol(
                host,
                "the server accepted the login without proving that it knows the password",
            )),
            _ => Ok(()),
        }
    }

    fn say_first(&mut self) -> Zeroizing<String> {
        match std::mem::replace(&mut self.state, State::Done) {
            State::First { message, on_trouble } => {
                self.state = State::Said { on_trouble };
                message
            }
            other => {
                self.state = other;
                Zeroizing::default()
            }
        }
    }
}

fn encode(text: &str) -> Zeroizing<String> {
    Zeroizing::new(BASE64.encode(text))
}

#[cfg(test)]
mod tests {
    use super::*;

    fn password(username: &str, password: &str) -> Credentials {
        Credentials::Password {
            username: username.into(),
            password: Secret::new(password.into()),
        }
    }

    fn token() -> Credentials {
        Credentials::Bearer {
            username: "a,b@example.org".into(),
            token: Secret::new("tok".into()),
        }
    }

    #[test]
    fn chooses_the_strongest_that_fits() {
        let check = |offered: &str, credentials: &Credentials, expect: Option<Mechanism>| {
            let offered: Vec<&str> = offered.split_whitespace().collect();
            assert_eq!(Mechanism::choose(&offered, credentials), expect, "{offered:?}");
        };
        let ascii = password("u", "p");
        check("PLAIN LOGIN SCRAM-SHA-256", &ascii, Some(Mechanism::ScramSha256));
        check("login plain", &ascii, Some(Mechanism::Plain));
        check("LOGIN CRAM-MD5", &ascii, Some(Mechanism::Login));
        check("CRAM-MD5 DIGEST-MD5 XOAUTH2", &ascii, None);
        check("", &ascii, None);
        check(
            "SCRAM-SHA-256 PLAIN",
            &password("u", "grün"),
            Some(Mechanism::Plain),
        );
        check("PLAIN XOAUTH2", &token(), Some(Mechanism::XOAuth2));
        check("XOAUTH2 OAUTHBEARER", &token(), Some(Mechanism::OAuthBearer));
        check("PLAIN LOGIN", &token(), None);
    }

    #[test]
    fn says_what_the_rfcs_say() {
        let check = |mechanism: Mechanism, credentials: &Credentials, expect: &[&str]| {
            let mut exchange = Exchange::new(mechanism, credentials, "h.example", 995).expect("fits");
            let mut said = Vec::new();
            if let Some(first) = exchange.initial() {
                said.push(first);
            }
            while said.len() < expect.len() {
                said.push(exchange.answer("h.example", b"").expect("answer"));
            }
            let said: Vec<String> = said
                .iter()
                .map(|text| String::from_utf8(BASE64.decode(text.as_bytes()).expect("base64")).expect("text"))
                .collect();
            assert_eq!(said, expect, "{mechanism:?}");
        };
        check(Mechanism::Plain, &password("tim", "tan sta"), &["\0tim\0tan sta"]);
        check(Mechanism::Login, &password("tim", "x"), &["tim", "x"]);
        check(
            Mechanism::OAuthBearer,
            &token(),
            &[
                "n,a=a=2Cb@example.org,\x01host=h.example\x01port=995\x01auth=Bearer tok\x01\x01",
                "\x01",
            ],
        );
        check(
            Mechanism::XOAuth2,
            &token(),
            &["user=a,b@example.org\x01auth=Bearer tok\x01\x01", ""],
        );
    }

    #[test]
    fn refuses_what_cannot_be_carried() {
        let check = |mechanism, credentials: &Credentials| {
            assert!(
                Exchange::new(mechanism, credentials, "h", 1).is_err(),
                "{mechanism:?}"
            );
        };
        check(Mechanism::Plain, &password("a\0b", "c"));
        check(Mechanism::Plain, &password("a", "c\r\nDELE 1"));
        check(Mechanism::Plain, &token());
        check(Mechanism::XOAuth2, &password("a", "b"));
    }

    #[test]
    fn an_endless_server_is_stopped() {
        let mut exchange = Exchange::new(Mechanism::Plain, &password("a", "b"), "h", 1).expect("fits");
        exchange.initial().expect("first");
        exchange.answer("h", b"").expect("trouble answered");
        assert!(exchange.answer("h", b"").is_err());
    }
}
