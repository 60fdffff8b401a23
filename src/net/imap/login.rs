//! From a dialled channel to an authenticated session: greeting, capabilities, one way of proving who we are, ID
//! and ENABLE.

use posthorn_model::{Endpoint, ErrorClass, Remedy};
use std::time::Duration;
use tokio::time::Instant;
use zeroize::Zeroizing;

use super::capability::Capabilities;
use super::client::{ANSWER, Client, Reply};
use super::code::{Done, StatusText, Verdict};
use super::quirks::Quirks;
use super::scan::Scanner;
use super::{Session, name};
use crate::sasl::{Exchange, Mechanism};
use crate::{Channel, Credentials, Dialer, Error, Greeter};

/// How long a server's answer may follow a challenge that makes no sense.
const GRACE: Duration = Duration::from_secs(3);

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
        Self::start(dialer, channel, endpoint.port, credentials).await
    }

    /// The same over a channel that exists already, whose greeting has been read where it has one.
    ///
    /// # Errors
    /// As [`Session::connect`], dialling apart.
    pub async fn begin(dialer: &Dialer, channel: Channel, credentials: &Credentials) -> Result<Self, Error> {
        Self::start(dialer, channel, 143, credentials).await
    }

    async fn start(
        dialer: &Dialer,
        channel: Channel,
        port: u16,
        credentials: &Credentials,
    ) -> Result<Self, Error> {
        let mut capabilities = greet(&channel)?;
        let greeting = String::from_utf8_lossy(channel.greeting().unwrap_or_default()).into_owned();
        let without = dialer.without();
        let mut client = Client::new(channel, dialer.spool_dir()).await?;
        if capabilities.is_empty() {
            capabilities = ask_capabilities(&mut client).await?;
        }
        capabilities.strike(without);
        let told = log_in(&mut client, port, &capabilities, credentials).await?;
        capabilities = if told.is_empty() {
            ask_capabilities(&mut client).await?
        } else {
            told
        };
        let rev2_only = capabilities.has("IMAP4rev2") && !capabilities.has("IMAP4rev1");
        let mut quirks = Quirks::default();
        quirks.learn(&mut capabilities, &greeting);
        capabilities.strike(without);
        let mut session = Self {
            client,
            capabilities,
            memory_limit: dialer.memory_limit() as u64,
            condstore: false,
            qresync: false,
            selected: false,
            utf8: false,
            delimiter: None,
            prefix: String::new(),
            namespaces: None,
            compressed: false,
            quirks,
            rev2_only,
            utf8_append: false,
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
            let mut wanted: Vec<&str> = ["CONDSTORE", "QRESYNC", "UTF8=ACCEPT"]
                .into_iter()
                .filter(|extension| self.capabilities.has(extension))
                .collect();
            // RFC 9051 section 6.3.1: where both revisions are offered the older one is spoken, and does.
            wanted.extend(Some("IMAP4rev2").filter(|_| self.rev2_only));
            if !wanted.is_empty() {
                self.client.allow_pipelining();
                tags.push(self.client.send(&format!("ENABLE {}", wanted.join(" "))).await?);
            }
        }
        let mut enabled = Capabilities::default();
        let mut called = String::new();
        for tag in tags {
            let until = Instant::now() + self.client.patience();
            // Whatever these say: nothing hangs on ID, and what ENABLE did not do is not used.
            self.client
                .finish(&tag, until, &mut |reply| {
                    if let Some(list) = listed(&reply, "ENABLED") {
                        enabled = Capabilities::parse(&list);
                    }
                    if let Some(fields) = listed(&reply, "ID") {
                        called = name_in(&fields);
                    }
                })
                .await?;
        }
        // RFC 7162 section 3.2.3: enabling QRESYNC enables CONDSTORE.
        self.qresync = enabled.has("QRESYNC");
        self.condstore = self.qresync || self.capabilities.has("CONDSTORE");
        // RFC 6855 section 3, and RFC 9051 section 5.1 for whoever speaks that revision.
        self.utf8_append = enabled.has("UTF8=ACCEPT");
        self.utf8 = self.utf8_append || self.rev2_only;
        self.quirks.learn(&mut self.capabilities, &called);
        Ok(())
    }
}

/// What a server calls itself in its answer to ID: `("name" "Dovecot" …)`.
fn name_in(fields: &str) -> String {
    let mut scanner = Scanner::over(fields.as_bytes());
    let mut strings = Vec::new();
    while let Some(token) = scanner.token() {
        if strings.len() < 60
            && let Some(bytes) = token.into_bytes()
        {
            strings.push(String::from_utf8_lossy(&bytes).into_owned());
        }
    }
    let (pairs, _) = strings.as_chunks::<2>();
    let name = pairs.iter().find(|[field, _]| field.eq_ignore_ascii_case("name"));
    name.map_or_else(String::new, |[_, name]| name.clone())
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
    port: u16,
    capabilities: &Capabilities,
    credentials: &Credentials,
) -> Result<Capabilities, Error> {
    let mut told = Capabilities::default();
    let done = match choose(client.host(), capabilities, credentials)? {
        Way::Login(username, password) => {
            log_in_plainly(client, capabilities, username, password, &mut told).await?
        }
        Way::Sasl(mechanism) => {
            let exchange = Exchange::new(mechanism, credentials, client.host(), port)?;
            authenticate(client, capabilities, mechanism, exchange, &mut told).await?
        }
    };
    let status = accepted(client.host(), done)?;
    if status.is("CAPABILITY") {
        told = Capabilities::parse(&status.arguments);
    }
    Ok(told)
}

enum Way<'a> {
    /// The LOGIN command.
    Login(&'a str, &'a str),
    Sasl(Mechanism),
}

/// The one way that is tried.
fn choose<'a>(
    host: &str,
    capabilities: &Capabilities,
    credentials: &'a Credentials,
) -> Result<Way<'a>, Error> {
    let config = |what: &str| Error::new(ErrorClass::Config, host, what);
    let offered: Vec<&str> = capabilities
        .iter()
        .filter_map(|name| name.strip_prefix("AUTH="))
        .collect();
    let mechanism = Mechanism::choose(&offered, credentials);
    match credentials {
        Credentials::Password { username, password } => {
            let password = password.reveal();
            let line_end = |text: &str| text.contains(['\0', '\r', '\n']);
            if line_end(username) || line_end(password) {
                return Err(config(
                    "the user name or password holds a line end, which no server takes",
                ));
            }
            // LOGIN takes one turn, as PLAIN does with SASL-IR only (RFC 4959); but it carries ASCII alone.
            let ascii = username.is_ascii() && password.is_ascii();
            let quicker = match mechanism {
                Some(Mechanism::Plain) => ascii && !capabilities.has("SASL-IR"),
                Some(Mechanism::Login) => ascii,
                Some(_) => false,
                None => true,
            };
            match mechanism {
                _ if quicker && !capabilities.has("LOGINDISABLED") => Ok(Way::Login(username, password)),
                Some(mechanism) => Ok(Way::Sasl(mechanism)),
                None => Err(config(
                    "the server does not let this program log in with a password",
                )),
            }
        }
        Credentials::Bearer { .. } => mechanism
            .map(Way::Sasl)
            .ok_or_else(|| config("the server does not take access tokens")),
        Credentials::Certificate { .. } => mechanism
            .map(Way::Sasl)
            .ok_or_else(|| config("the server does not let this program log in with a certificate")),
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
    mechanism: Mechanism,
    mut exchange: Exchange,
    told: &mut Capabilities,
) -> Result<Done, Error> {
    let host = client.host().to_owned();
    let until = Instant::now() + client.patience();
    let initial = capabilities.has("SASL-IR").then(|| exchange.initial()).flatten();
    let shown = format!("AUTHENTICATE {}", mechanism.name());
    let command = match &initial {
        Some(initial) => Zeroizing::new(format!("{shown} {}", &**initial)),
        None => Zeroizing::new(shown.clone()),
    };
    let tag = client.send_secret(&shown, command.as_bytes()).await?;
    let mut said_all = mechanism == Mechanism::Plain && initial.is_some();
    for _ in 0..6 {
        let (challenge, done) = await_continue(client, &tag, until, told).await?;
        if let Some(done) = done {
            if done.verdict == Verdict::Ok {
                exchange.finish(&host).map_err(|error| client.give_up(error))?;
            }
            return Ok(done);
        }
        if said_all {
            // A `+` that nobody asked for: the real answer is on its way, and a line now would be taken for a
            // command.
            said_all = false;
            let soon = Instant::now() + GRACE;
            if let Some(Reply::Done(found, done)) = client.next_within(soon, ANSWER).await?
                && found == tag
            {
                client.settled();
                return Ok(done);
            }
        }
        let answer = match exchange.answer(&host, challenge.as_bytes()) {
            Ok(answer) => answer,
            Err(error) => {
                // RFC 9051 section 6.2.2: takes the attempt back.
                client.send_raw(b"*\r\n").await?;
                return Err(client.give_up(error));
            }
        };
        let line = Zeroizing::new(format!("{}\r\n", &*answer));
        client.send_raw(line.as_bytes()).await?;
    }
    Err(client.give_up(Error::protocol(&host, "the server does not end the login")))
}

/// What the answer to a login means. A bare NO is about the credentials; BAD is about the command.
fn accepted(host: &str, done: Done) -> Result<StatusText, Error> {
    let what = "the server does not accept this user name and password";
    match done.verdict {
        Verdict::Ok => Ok(done.status),
        Verdict::No => {
            let error = done.refusal(host, what);
            if error.class != ErrorClass::Refused {
                let what = match error.class {
                    ErrorClass::Network => "the server cannot log anybody in at the moment",
                    ErrorClass::Config => "the server wants an encrypted connection for logging in",
                    _ => what,
                };
                return Err(Error {
                    what: what.to_owned(),
                    ..error
                });
            }
            Err(Error::new(ErrorClass::Auth, host, what)
                .quoting(done.status.quotation().as_bytes())
                .permanently(true)
                .coded(error.code))
        }
        Verdict::Bad => Err(done.refusal(host, "the server does not understand the login")),
    }
}
