//! From a dialled channel to an authenticated session: greeting, capabilities, one way of proving who we are, ID
//! and ENABLE.

use base64::Engine;
use base64::engine::general_purpose::STANDARD;
use posthorn_model::{Endpoint, ErrorClass, Remedy};
use tokio::time::Instant;
use zeroize::Zeroizing;

use super::capability::Capabilities;
use super::client::{Client, Reply};
use super::code::{Done, StatusText, Verdict};
use super::{Session, name, quirks};
use crate::{Channel, Credentials, Dialer, Error, Greeter};

impl Session {
    /// Dials, and logs in with the one mechanism that fits; after a refusal no other is tried.
    ///
    /// # Errors
    /// As [`Dialer::open`]; Auth where the server does not accept the credentials; Network where it is only
    /// temporarily unwilling; Config where it offers no way of logging in that we know.
    pub async fn connect(
        dialer: &Dialer,
        endpoint: &Endpoint,
        credentials: &Credentials,
    ) -> Result<Self, Error> {
        let channel = dialer.open(endpoint, Greeter::Imap).await?;
        Self::begin(dialer, channel, credentials).await
    }

    /// The same over a channel that exists already, whose greeting has been read where it has one.
    ///
    /// # Errors
    /// As [`Session::connect`], dialling apart.
    pub async fn begin(dialer: &Dialer, channel: Channel, credentials: &Credentials) -> Result<Self, Error> {
        let mut capabilities = greet(&channel)?;
        let mut client = Client::new(channel, dialer.spool_dir()).await?;
        if capabilities.is_empty() {
            capabilities = ask_capabilities(&mut client).await?;
        }
        let told = log_in(&mut client, &capabilities, credentials).await?;
        capabilities = if told.is_empty() {
            ask_capabilities(&mut client).await?
        } else {
            told
        };
        quirks::correct(&mut capabilities);
        let mut session = Self {
            client,
            capabilities,
            memory_limit: dialer.memory_limit() as u64,
            condstore: false,
            qresync: false,
            utf8: false,
            delimiter: None,
            exists: 0,
        };
        session.introduce().await?;
        Ok(session)
    }

    /// ID (RFC 2971) and ENABLE (RFC 5161), in one turn.
    async fn introduce(&mut self) -> Result<(), Error> {
        let mut tags = Vec::new();
        if self.capabilities.has("ID") {
            let id = format!(
                "ID (\"name\" \"Posthorn\" \"version\" \"{}\")",
                env!("CARGO_PKG_VERSION")
            );
            tags.push(self.client.send(&id).await?);
        }
        if self.capabilities.has("ENABLE") {
            let wanted: Vec<&str> = ["CONDSTORE", "QRESYNC", "UTF8=ACCEPT"]
                .into_iter()
                .filter(|extension| self.capabilities.has(extension))
                .collect();
            if !wanted.is_empty() {
                self.client.allow_pipelining();
                tags.push(self.client.send(&format!("ENABLE {}", wanted.join(" "))).await?);
            }
        }
        let mut enabled = Capabilities::default();
        for tag in tags {
            let until = Instant::now() + self.client.patience();
            // Whatever these say: nothing hangs on ID, and what ENABLE did not do is not used.
            self.client
                .finish(&tag, until, &mut |reply| {
                    if let Some(list) = listed(&reply, "ENABLED") {
                        enabled = Capabilities::parse(&list);
                    }
                })
                .await?;
        }
        // RFC 7162 section 3.2.3: enabling QRESYNC enables CONDSTORE.
        self.qresync = enabled.has("QRESYNC");
        self.condstore = self.qresync || self.capabilities.has("CONDSTORE");
        self.utf8 = enabled.has("UTF8=ACCEPT");
        Ok(())
    }
}

/// Reads the greeting; its capabilities count only where it came over the connection as it is now.
fn greet(channel: &Channel) -> Result<Capabilities, Error> {
    let Some(greeting) = channel.greeting() else {
        return Ok(Capabilities::default());
    };
    let greeting = String::from_utf8_lossy(greeting);
    let text = greeting.trim().strip_prefix("* ").unwrap_or_default();
    let (word, text) = text.split_once(' ').unwrap_or((text, ""));
    let host = channel.host();
    match word.to_ascii_uppercase().as_str() {
        "OK" => {
            let status = StatusText::parse(text);
            let told = if status.is("CAPABILITY") {
                status.arguments
            } else {
                String::new()
            };
            Ok(Capabilities::parse(&told))
        }
        "PREAUTH" => Err(Error::protocol(
            host,
            "the server says that we are logged in before we were; it was left",
        )
        .with_remedies(&[Remedy::CheckSettings])),
        _ => Err(
            Error::new(ErrorClass::Network, host, "the server turns connections away")
                .quoting(StatusText::parse(text).quotation().as_bytes()),
        ),
    }
}

/// What follows `word` in an untagged reply of ours.
fn listed(reply: &Reply, word: &str) -> Option<String> {
    let Reply::Data(captured) = reply else { return None };
    let text = String::from_utf8_lossy(&captured.text);
    let rest = text.strip_prefix("* ")?;
    let (found, rest) = rest.split_at_checked(word.len())?;
    (found.eq_ignore_ascii_case(word) && rest.starts_with([' ', '\r'])).then(|| rest.trim().to_owned())
}

async fn ask_capabilities(client: &mut Client) -> Result<Capabilities, Error> {
    let mut told = Capabilities::default();
    client
        .demand(
            "CAPABILITY",
            "the server does not say what it can do",
            &mut |reply| {
                if let Some(list) = listed(&reply, "CAPABILITY") {
                    told = Capabilities::parse(&list);
                }
            },
        )
        .await?;
    Ok(told)
}

/// Logs in; the capabilities that came with the answer, if any.
async fn log_in(
    client: &mut Client,
    capabilities: &Capabilities,
    credentials: &Credentials,
) -> Result<Capabilities, Error> {
    let mut told = Capabilities::default();
    let done = match choose(client.host(), capabilities, credentials)? {
        Mechanism::Login(username, password) => {
            log_in_plainly(client, capabilities, username, password, &mut told).await?
        }
        Mechanism::Sasl(mechanism, response) => {
            authenticate(client, capabilities, mechanism, &response, &mut told).await?
        }
    };
    let status = accepted(client.host(), done)?;
    if status.is("CAPABILITY") {
        told = Capabilities::parse(&status.arguments);
    }
    Ok(told)
}

enum Mechanism<'a> {
    Login(&'a str, &'a str),
    /// Name and initial response, not yet in base64.
    Sasl(&'static str, Zeroizing<String>),
}

fn choose<'a>(
    host: &str,
    capabilities: &Capabilities,
    credentials: &'a Credentials,
) -> Result<Mechanism<'a>, Error> {
    let config = |what: &str| Error::new(ErrorClass::Config, host, what);
    if credentials.username().contains(['\0', '\r', '\n']) {
        return Err(config("the user name holds a line end"));
    }
    match credentials {
        Credentials::Password { username, password } => {
            let password = password.reveal();
            if password.contains(['\0', '\r', '\n']) {
                return Err(config("the password holds a line end, which no server takes"));
            }
            let login = !capabilities.has("LOGINDISABLED");
            let plain = capabilities.has("AUTH=PLAIN");
            let ascii = username.is_ascii() && password.is_ascii();
            // One turn is enough with SASL-IR (RFC 4959) or LOGIN; only PLAIN carries other letters (RFC 4616).
            if plain && (capabilities.has("SASL-IR") || !login || !ascii) {
                let response = Zeroizing::new(format!("\0{username}\0{password}"));
                Ok(Mechanism::Sasl("PLAIN", response))
            } else if login {
                Ok(Mechanism::Login(username, password))
            } else {
                Err(config(
                    "the server does not let this program log in with a password",
                ))
            }
        }
        Credentials::Bearer { username, token } => {
            let token = token.reveal();
            if capabilities.has("AUTH=OAUTHBEARER") {
                // RFC 7628 section 3.1; `,` and `=` in a name are escaped as in RFC 5801 section 4.
                let name = username.replace('=', "=3D").replace(',', "=2C");
                let response = format!("n,a={name},\x01auth=Bearer {token}\x01\x01");
                Ok(Mechanism::Sasl("OAUTHBEARER", Zeroizing::new(response)))
            } else if capabilities.has("AUTH=XOAUTH2") {
                let response = format!("user={username}\x01auth=Bearer {token}\x01\x01");
                Ok(Mechanism::Sasl("XOAUTH2", Zeroizing::new(response)))
            } else {
                Err(config("the server does not take access tokens"))
            }
        }
    }
}

fn note(told: &mut Capabilities, reply: &Reply) {
    if let Some(list) = listed(reply, "CAPABILITY") {
        *told = Capabilities::parse(&list);
    }
}

async fn log_in_plainly(
    client: &mut Client,
    capabilities: &Capabilities,
    username: &str,
    password: &str,
    told: &mut Capabilities,
) -> Result<Done, Error> {
    let until = Instant::now() + client.patience();
    if username.is_ascii() && password.is_ascii() {
        let user = name::quote_text(username);
        let command = Zeroizing::new(format!(
            "LOGIN {user} {}",
            &*Zeroizing::new(name::quote_text(password))
        ));
        let tag = client.send_secret("LOGIN", command.as_bytes()).await?;
        return client.finish(&tag, until, &mut |reply| note(told, &reply)).await;
    }
    // Quoted strings are ASCII before UTF8=ACCEPT; literals carry anything.
    let plus = if capabilities.has("LITERAL+") || capabilities.has("LITERAL-") {
        "+"
    } else {
        ""
    };
    let command = format!("LOGIN {{{}{plus}}}", username.len());
    let tag = client.send_secret("LOGIN", command.as_bytes()).await?;
    let pieces = [
        Zeroizing::new(format!("{username} {{{}{plus}}}\r\n", password.len())),
        Zeroizing::new(format!("{password}\r\n")),
    ];
    for piece in pieces {
        if plus.is_empty()
            && let Some(done) = await_continue(client, &tag, until, told).await?.1
        {
            return Ok(done);
        }
        client.send_raw(piece.as_bytes()).await?;
    }
    client.finish(&tag, until, &mut |reply| note(told, &reply)).await
}

/// Waits for `+`, or for the command's end instead of it.
async fn await_continue(
    client: &mut Client,
    tag: &str,
    until: Instant,
    told: &mut Capabilities,
) -> Result<(String, Option<Done>), Error> {
    for _ in 0..1000 {
        match client.next(until).await? {
            Reply::Continue(text) => return Ok((text, None)),
            Reply::Done(found, done) if found == tag => {
                client.settled();
                return Ok((String::new(), Some(done)));
            }
            reply => note(told, &reply),
        }
    }
    Err(client.give_up(Error::protocol(
        client.host(),
        "the server does not answer the login",
    )))
}

async fn authenticate(
    client: &mut Client,
    capabilities: &Capabilities,
    mechanism: &str,
    response: &str,
    told: &mut Capabilities,
) -> Result<Done, Error> {
    let until = Instant::now() + client.patience();
    let encoded = Zeroizing::new(STANDARD.encode(response));
    let initial = capabilities.has("SASL-IR");
    let shown = format!("AUTHENTICATE {mechanism}");
    let command = if initial {
        Zeroizing::new(format!("{shown} {}", &*encoded))
    } else {
        Zeroizing::new(shown.clone())
    };
    let tag = client.send_secret(&shown, command.as_bytes()).await?;
    let mut answer = (!initial).then(|| Zeroizing::new(format!("{}\r\n", &*encoded)));
    // At most two challenges: for the response, and a bearer token's error, which is acknowledged
    // (RFC 7628 section 3.2.3) to get the real answer.
    for _ in 0..3 {
        let (_, done) = await_continue(client, &tag, until, told).await?;
        if let Some(done) = done {
            return Ok(done);
        }
        let line = match (answer.take(), mechanism) {
            (Some(response), _) => response,
            (None, "OAUTHBEARER") => Zeroizing::new("AQ==\r\n".to_owned()),
            (None, "XOAUTH2") => Zeroizing::new("\r\n".to_owned()),
            (None, _) => Zeroizing::new("*\r\n".to_owned()),
        };
        client.send_raw(line.as_bytes()).await?;
    }
    Err(client.give_up(Error::protocol(
        client.host(),
        "the server does not end the login",
    )))
}

/// What the answer to a login means. A bare NO is about the credentials; BAD is about the command.
fn accepted(host: &str, done: Done) -> Result<StatusText, Error> {
    let what = "the server does not accept this user name and password";
    match done.verdict {
        Verdict::Ok => Ok(done.status),
        Verdict::No => {
            let error = done.refusal(host, what);
            if error.class != ErrorClass::Refused {
                let temporary = "the server cannot log anybody in at the moment";
                let what = if error.class == ErrorClass::Network {
                    temporary
                } else {
                    what
                };
                return Err(Error {
                    what: what.to_owned(),
                    ..error
                });
            }
            Err(Error::new(ErrorClass::Auth, host, what)
                .quoting(done.status.quotation().as_bytes())
                .permanently(true))
        }
        Verdict::Bad => Err(done.refusal(host, "the server does not understand the login")),
    }
}
