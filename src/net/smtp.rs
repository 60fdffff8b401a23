//! Submission (RFC 6409): one message, handed over step by step, and exactly what became of it.
//!
//! A message must not be sent twice nor lost, so [`submit`] tells apart four ends: accepted; refused by the server's
//! own word; not sent, for certain, because the final dot never left; and uncertain, where the dot left and no reply
//! with a code came back. It never tries again by itself.
//!
//! lettre speaks the protocol, over a `guard` that keeps its replies parsable; each step has a deadline. Start
//! reading at `hand_over`.

mod guard;
mod offer;

use lettre::Address;
use lettre::transport::smtp::client::AsyncSmtpConnection;
use lettre::transport::smtp::commands::{Data, Mail, Quit, Rcpt};
use lettre::transport::smtp::extension::ClientId;
use posthorn_model::{Endpoint, ErrorClass};
use std::fmt::Display;
use std::io;
use std::net::Ipv4Addr;
use std::sync::Arc;
use std::sync::atomic::{AtomicBool, Ordering};
use std::time::Duration;
use tokio::sync::Notify;
use tokio::time::timeout;
use zeroize::Zeroizing;

use crate::sasl::{self, Exchange, Mechanism};
use crate::{Channel, Credentials, Dialer, Error, Greeter};
use guard::{Guard, Reply};
use offer::Offer;

/// Bytes handed to the connection at a time.
const CHUNK: usize = 32 * 1024;
/// How long a farewell may take.
const FAREWELL: Duration = Duration::from_secs(2);
/// Challenges that any mechanism of ours needs, with room.
const TURNS: usize = 6;

/// What to send, and to whom.
#[derive(Clone, Debug)]
pub struct Message {
    /// The envelope's sender, an address; empty for the null sender.
    pub from: String,
    /// Addresses.
    pub to: Vec<String>,
    /// The message without its Bcc field. Line ends are made CRLF before it is sent.
    pub raw: Vec<u8>,
}

/// What became of a message.
#[derive(Debug)]
pub enum Outcome {
    /// The server has it.
    Accepted {
        /// The server's word, with its code.
        reply: String,
        /// Recipients that it will not go to, each with the server's word.
        refused: Vec<(String, String)>,
    },
    /// The server said no to all of it; `permanent`: it will say so again.
    Refused(Error),
    /// It failed before the final dot was sent: safe to try again.
    NotSent(Error),
    /// The final dot was sent, and no answer came that says what became of it.
    Uncertain(Error),
}

/// Sends one message.
pub async fn submit(
    dialer: &Dialer,
    endpoint: &Endpoint,
    credentials: Option<&Credentials>,
    message: &Message,
) -> Outcome {
    submit_when(dialer, endpoint, credentials, message, async { Ok(()) }).await
}

/// Sends one message; `ready` is awaited when the server waits for its content, before the first byte of it goes
/// out. From then on a crash of ours leaves its fate uncertain, which the caller may want to write down first. Where
/// `ready` fails, the message is not sent.
pub async fn submit_when(
    dialer: &Dialer,
    endpoint: &Endpoint,
    credentials: Option<&Credentials>,
    message: &Message,
    ready: impl Future<Output = Result<(), Error>> + Send,
) -> Outcome {
    match dialer.open(endpoint, Greeter::Smtp).await {
        Ok(channel) => submit_over(channel, endpoint.port, credentials, message, ready).await,
        Err(error) => Outcome::NotSent(error),
    }
}

/// Connects, logs in where there are credentials, and takes leave.
///
/// # Errors
/// What is wrong with the account or the server.
pub async fn check(
    dialer: &Dialer,
    endpoint: &Endpoint,
    credentials: Option<&Credentials>,
) -> Result<(), Error> {
    let channel = dialer.open(endpoint, Greeter::Smtp).await?;
    let submission = Submission::begin(channel, endpoint.port, credentials).await?;
    submission.take_leave().await;
    Ok(())
}

async fn submit_over(
    channel: Channel,
    port: u16,
    credentials: Option<&Credentials>,
    message: &Message,
    ready: impl Future<Output = Result<(), Error>> + Send,
) -> Outcome {
    match Submission::begin(channel, port, credentials).await {
        Ok(mut submission) => {
            let outcome = submission.hand_over(message, ready).await;
            submission.take_leave().await;
            outcome
        }
        Err(error) => Outcome::NotSent(error),
    }
}

/// A connection on which the next command may be MAIL.
struct Submission {
    connection: AsyncSmtpConnection,
    guard: Guard,
    offer: Offer,
    host: String,
    /// How long a silence is borne at the usual steps; others have multiples (RFC 5321, section 4.5.3.2).
    patience: Duration,
}

impl Submission {
    async fn begin(channel: Channel, port: u16, credentials: Option<&Credentials>) -> Result<Self, Error> {
        let (host, patience) = (channel.host().to_owned(), channel.read_timeout());
        let guard = Guard::new(channel);
        // RFC 5321, section 4.1.3: an address literal, so that the machine's name stays here.
        let hello = ClientId::Ipv4(Ipv4Addr::LOCALHOST);
        let connecting = AsyncSmtpConnection::connect_with_transport(Box::new(guard.clone()), &hello);
        let connection = match timeout(patience * 3, connecting).await {
            Ok(Ok(connection)) => connection,
            Ok(Err(error)) => return Err(explain(&host, &guard, "greeting us", &error)),
            Err(_) => return Err(late(&host, "greeting us")),
        };
        let offer = Offer::parse(&guard.texts());
        let mut submission = Self {
            connection,
            guard,
            offer,
            host,
            patience,
        };
        if let Some(credentials) = credentials
            && let Err(error) = submission.log_in(port, credentials).await
        {
            submission.take_leave().await;
            return Err(error);
        }
        Ok(submission)
    }

    /// RFC 4954. One mechanism, and no other after a refusal.
    async fn log_in(&mut self, port: u16, credentials: &Credentials) -> Result<(), Error> {
        let Some(mechanism) = Mechanism::choose(&self.offer.sasl, credentials) else {
            let what = "the server offers no login that this account can use";
            return Err(Error::new(ErrorClass::Config, &self.host, what));
        };
        let mut exchange = Exchange::new(mechanism, credentials, &self.host, port)?;
        let mut command = Zeroizing::new(format!("AUTH {}", mechanism.name()));
        if let Some(first) = exchange.initial() {
            command.push(' ');
            command.push_str(if first.is_empty() { "=" } else { &first });
        }
        for _ in 0..TURNS {
            command.push_str("\r\n");
            let reply = self.say(command.as_str(), "logging in", 1).await?;
            match reply.code {
                235 => return exchange.finish(&self.host),
                334 => {
                    let answer = exchange.answer(&self.host, reply.text.as_bytes());
                    if answer.is_err() {
                        self.say("*\r\n", "logging in", 1).await.ok();
                    }
                    command = answer?;
                }
                _ => {
                    return Err(refused_login(
                        &self.host,
                        &reply,
                        sasl::refused_words(credentials),
                    ));
                }
            }
        }
        Err(Error::protocol(&self.host, "the server asks on and on at login"))
    }

    async fn hand_over(
        &mut self,
        message: &Message,
        ready: impl Future<Output = Result<(), Error>> + Send,
    ) -> Outcome {
        let raw = offer::normalise(&message.raw);
        let refused = match self.address_envelope(message, &raw).await {
            Ok(refused) => refused,
            Err(outcome) => return outcome,
        };
        match self.say(Data, "asking for the message", 2).await {
            Ok(reply) if reply.code == 354 => match ready.await {
                Ok(()) => self.send_content(&raw, refused).await,
                Err(error) => Outcome::NotSent(error),
            },
            Ok(reply) => refusal(&self.host, "the server does not take the message", &reply),
            Err(error) => Outcome::NotSent(error),
        }
    }

    /// MAIL and RCPT. Gives the recipients that were refused, where others were not.
    async fn address_envelope(
        &mut self,
        message: &Message,
        raw: &[u8],
    ) -> Result<Vec<(String, String)>, Outcome> {
        let bad_sender = || {
            let what = format!("{:?} is no address to send from", message.from);
            Outcome::Refused(Error::new(ErrorClass::Config, &self.host, what).permanently(true))
        };
        let from = match message.from.as_str() {
            "" => None,
            from => Some(parse_address(from).ok_or_else(bad_sender)?),
        };
        let to: Vec<_> = message.to.iter().map(|to| (to, parse_address(to))).collect();
        let addresses = from
            .iter()
            .chain(to.iter().filter_map(|(_, address)| address.as_ref()));
        let needs_utf8 = addresses
            .map(AsRef::<str>::as_ref)
            .any(|address| !address.is_ascii());
        let parameters = self
            .offer
            .parameters(&self.host, raw, needs_utf8)
            .map_err(Outcome::Refused)?;
        let reply = self
            .say(Mail::new(from, parameters), "naming the sender", 5)
            .await;
        let reply = reply.map_err(Outcome::NotSent)?;
        if reply.code / 100 != 2 {
            return Err(refusal(
                &self.host,
                "the server does not take mail from this sender",
                &reply,
            ));
        }
        let (mut refused, mut accepted, mut worst) = (Vec::new(), 0_usize, None);
        for (text, address) in to {
            let Some(address) = address else {
                refused.push((text.clone(), "this is no address".to_owned()));
                continue;
            };
            let reply = self
                .say(Rcpt::new(address, Vec::new()), "naming a recipient", 5)
                .await;
            let reply = reply.map_err(Outcome::NotSent)?;
            match reply.code / 100 {
                2 => accepted += 1,
                4 | 5 if reply.code != 421 => {
                    refused.push((text.clone(), reply.to_string()));
                    // One that may be taken later makes all of it worth another try.
                    if worst.as_ref().is_none_or(|worst: &Reply| reply.code < worst.code) {
                        worst = Some(reply);
                    }
                }
                _ => {
                    return Err(refusal(
                        &self.host,
                        "the server does not take this recipient",
                        &reply,
                    ));
                }
            }
        }
        if accepted > 0 {
            return Ok(refused);
        }
        Err(match worst {
            Some(reply) => refusal(&self.host, "the server takes none of the recipients", &reply),
            None => Outcome::Refused(
                Error::new(ErrorClass::Config, &self.host, "the message has no recipient").permanently(true),
            ),
        })
    }

    /// The message itself. lettre stuffs the dots and ends it with CRLF, dot, CRLF.
    async fn send_content(&mut self, raw: &[u8], refused: Vec<(String, String)>) -> Outcome {
        let content = raw.strip_suffix(b"\r\n").unwrap_or(raw);
        let ended = Arc::new(Ending::default());
        let end = ended.clone();
        let mut chunks = content.chunks(CHUNK);
        let parts = std::iter::from_fn(move || {
            let chunk = chunks.next();
            if chunk.is_none() {
                // What lettre writes next is the final dot: from here on nobody can call it back.
                end.dot.store(true, Ordering::Relaxed);
                end.reached.notify_one();
            }
            chunk
        });
        let wait = self.patience * 10;
        self.guard.set_patience(wait);
        let deadline = async {
            ended.reached.notified().await;
            tokio::time::sleep(wait).await;
        };
        let sent = tokio::select! {
            sent = self.connection.message_iter(parts) => sent.map(|_| ()),
            () = deadline => return Outcome::Uncertain(late(&self.host, "accepting the message")),
        };
        let error = match (self.guard.reply(), sent) {
            (Some(reply), Ok(())) if reply.code / 100 == 2 => {
                return Outcome::Accepted {
                    reply: reply.to_string(),
                    refused,
                };
            }
            (Some(reply), Err(error)) if error.status().is_some() && matches!(reply.code / 100, 4 | 5) => {
                let what = "the server refused the message";
                return Outcome::Refused(refusal_error(&self.host, what, &reply));
            }
            (_, Ok(())) => Error::protocol(
                &self.host,
                "the server's answer to the message cannot be understood",
            )
            .quoting(self.guard.words().as_bytes()),
            (_, Err(error)) => explain(&self.host, &self.guard, "taking the message", &error),
        };
        if ended.dot.load(Ordering::Relaxed) {
            Outcome::Uncertain(error)
        } else {
            Outcome::NotSent(error)
        }
    }

    /// One command and its reply, whatever the code. `factor`: of the usual patience.
    async fn say(&mut self, command: impl Display, doing: &str, factor: u32) -> Result<Reply, Error> {
        let patience = self.patience * factor;
        self.guard.set_patience(patience);
        match timeout(patience * 3, self.connection.command(command)).await {
            Err(_) => Err(late(&self.host, doing)),
            Ok(Err(error)) if error.status().is_none() => {
                Err(explain(&self.host, &self.guard, doing, &error))
            }
            Ok(_) => self.guard.reply().ok_or_else(|| {
                Error::protocol(&self.host, format!("the server's answer while {doing} is broken"))
            }),
        }
    }

    /// Nothing hangs on the answer.
    async fn take_leave(mut self) {
        self.guard.set_patience(FAREWELL);
        let _ = timeout(FAREWELL, self.connection.command(Quit)).await;
    }
}

#[derive(Default)]
struct Ending {
    dot: AtomicBool,
    reached: Notify,
}

fn late(host: &str, doing: &str) -> Error {
    Error::from_io(host, doing, &io::ErrorKind::TimedOut.into())
}

/// What lettre's error means where no reply with a code came.
fn explain(host: &str, guard: &Guard, doing: &str, error: &lettre::transport::smtp::Error) -> Error {
    if let Some(code) = error.status() {
        // From lettre's error: it has said QUIT since, and the guard holds the answer to that.
        let text = std::error::Error::source(error).map(ToString::to_string);
        let reply = Reply {
            code: code.into(),
            text: text.unwrap_or_default(),
        };
        return refusal_error(host, &format!("the server refused while {doing}"), &reply);
    }
    let mut cause = std::error::Error::source(error);
    while let Some(found) = cause {
        if let Some(error) = found.downcast_ref::<io::Error>() {
            return Error::from_io(host, doing, error);
        }
        cause = found.source();
    }
    Error::protocol(
        host,
        format!("the server's answer while {doing} cannot be understood"),
    )
    .quoting(guard.words().as_bytes())
}

fn refusal(host: &str, what: &str, reply: &Reply) -> Outcome {
    let error = refusal_error(host, what, reply);
    if error.class == ErrorClass::Refused {
        Outcome::Refused(error)
    } else {
        Outcome::NotSent(error)
    }
}

fn refusal_error(host: &str, what: &str, reply: &Reply) -> Error {
    let class = match reply.code {
        421 => ErrorClass::Network,
        530 | 534 | 535 | 538 => ErrorClass::Auth,
        400..=599 => ErrorClass::Refused,
        _ => ErrorClass::Protocol,
    };
    Error::new(class, host, what)
        .quoting(reply.to_string().as_bytes())
        .permanently(reply.code >= 500)
}

fn refused_login(host: &str, reply: &Reply, refused: &str) -> Error {
    // RFC 4954, section 6: 454 is the server's trouble, 432 and 534 to 538 are about the password or its use.
    let (class, what) = match reply.code {
        432 => (
            ErrorClass::Auth,
            "the server wants another password or way to log in",
        ),
        400..=499 => (ErrorClass::Network, "the server cannot log in anybody for now"),
        500..=599 => (ErrorClass::Auth, refused),
        _ => (
            ErrorClass::Protocol,
            "the server's answer to the login cannot be understood",
        ),
    };
    Error::new(class, host, what).quoting(reply.to_string().as_bytes())
}

/// An address with its domain in ASCII (RFC 5891), or `None` where it could not go into a command line.
fn parse_address(text: &str) -> Option<Address> {
    let (user, domain) = text.trim().rsplit_once('@')?;
    let quoted = user.len() > 1 && user.starts_with('"') && user.ends_with('"');
    let fits = |c: char| !c.is_control() && !matches!(c, '<' | '>') && (quoted || !c.is_whitespace());
    if user.is_empty() || user.len() > 256 || !user.chars().all(fits) {
        return None;
    }
    let literal = domain.strip_prefix('[').and_then(|rest| rest.strip_suffix(']'));
    let domain = match literal {
        Some(_) => domain.to_ascii_lowercase(),
        None => idna::domain_to_ascii(domain).ok()?,
    };
    let fits =
        |byte: u8| byte.is_ascii_alphanumeric() || matches!(byte, b'.' | b'-' | b'_' | b':' | b'[' | b']');
    let clean = !domain.is_empty() && domain.len() <= 255 && domain.bytes().all(fits);
    clean.then(|| Address::new_dangerous(user, domain))
}

#[cfg(test)]
mod hostile;
#[cfg(test)]
mod tests;
