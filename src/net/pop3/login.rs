//! Proving who the user is: SASL where CAPA offers a mechanism that fits (RFC 5034), else USER and PASS (RFC 1939).
//!
//! APOP is never used: MD5 over a greeting that anybody on the way may have written (CVE-2007-1558). After a refusal
//! no other mechanism is tried.

use posthorn_model::{ErrorClass, Secret};

use super::dialogue::Dialogue;
use super::reply::Capabilities;
use super::wire::Wire;
use crate::sasl::{Exchange, Mechanism, refused_words};
use crate::{Credentials, Error};

/// Bytes in a command line, CRLF included (RFC 5034, section 4): a longer initial response goes on a line of its own.
const COMMAND: usize = 255;
/// Challenges that any mechanism of ours needs, with room.
const TURNS: usize = 6;

pub(super) async fn log_in(
    wire: &mut Wire,
    dialogue: &mut Dialogue,
    port: u16,
    capabilities: &Capabilities,
    credentials: &Credentials,
) -> Result<(), Error> {
    let mechanism = match (Mechanism::choose(&capabilities.sasl, credentials), credentials) {
        (Some(mechanism), _) => Some(mechanism),
        (None, Credentials::Password { .. }) => None,
        // Servers that take tokens do not all list how.
        (None, Credentials::Bearer { .. }) if capabilities.sasl.is_empty() => Some(Mechanism::XOAuth2),
        (None, Credentials::Bearer { .. }) => {
            return Err(Error::new(
                ErrorClass::Config,
                wire.host(),
                "this server takes no OAuth tokens",
            ));
        }
    };
    match (mechanism, credentials) {
        (Some(mechanism), _) => authenticate(wire, port, mechanism, capabilities, credentials).await,
        (None, Credentials::Password { username, password }) => {
            let fits = |text: &str| !text.contains(['\0', '\r', '\n']);
            if !fits(username) || !fits(password.reveal()) {
                let what = "the user name or password holds characters that no server takes";
                return Err(Error::new(ErrorClass::Config, wire.host(), what));
            }
            use_password(
                wire,
                dialogue,
                capabilities,
                (username, password),
                refused_words(credentials),
            )
            .await
        }
        (None, Credentials::Bearer { .. }) => Err(Error::new(
            ErrorClass::Config,
            wire.host(),
            "this server takes no OAuth tokens",
        )),
    }
}

async fn use_password(
    wire: &mut Wire,
    dialogue: &mut Dialogue,
    capabilities: &Capabilities,
    (username, password): (&str, &Secret),
    refused: &str,
) -> Result<(), Error> {
    match dialogue.log_in(wire, username, password).await? {
        Ok(()) => Ok(()),
        Err(reply) => Err(reply.login_refusal(wire.host(), capabilities.auth_response_codes, refused)),
    }
}

async fn authenticate(
    wire: &mut Wire,
    port: u16,
    mechanism: Mechanism,
    capabilities: &Capabilities,
    credentials: &Credentials,
) -> Result<(), Error> {
    let host = wire.host().to_owned();
    let mut exchange = Exchange::new(mechanism, credentials, &host, port)?;
    let mut command = zeroize::Zeroizing::new(format!("AUTH {}", mechanism.name()));
    let room = COMMAND.saturating_sub(command.len() + 3);
    // The token mechanisms have one message alone, which seldom fits: a fresh exchange would say the same again.
    let mut kept = exchange.initial();
    if let Some(first) = kept.take_if(|first| first.len() <= room) {
        command.push(' ');
        command.push_str(if first.is_empty() { "=" } else { &first });
    }
    command.push_str("\r\n");
    wire.send(command.as_bytes()).await?;
    for _ in 0..TURNS {
        let line = wire.line().await?;
        if let Some(reply) = super::reply::Reply::parse(&line) {
            if reply.is_ok {
                return exchange.finish(&host);
            }
            return Err(reply.login_refusal(
                &host,
                capabilities.auth_response_codes,
                refused_words(credentials),
            ));
        }
        let Some(challenge) = line.strip_prefix(b"+") else {
            return Err(Error::protocol(
                &host,
                "the server answered the login with something that is no POP3 reply",
            ));
        };
        let answer = match kept.take() {
            Some(first) => Ok(first),
            None => exchange.answer(&host, challenge.trim_ascii()),
        };
        match answer {
            Ok(answer) => {
                let line = zeroize::Zeroizing::new(format!("{}\r\n", *answer));
                wire.send(line.as_bytes()).await?;
            }
            Err(error) => {
                // RFC 5034, section 4: a lone star takes the attempt back.
                wire.send(b"*\r\n").await?;
                return Err(error);
            }
        }
    }
    Err(Error::protocol(&host, "the server asks on and on at login"))
}
