//! Proving who the user is: SASL where CAPA offers a mechanism that fits (RFC 5034), else USER and PASS (RFC 1939).
//!
//! APOP only on the user's word, and where nothing stronger is offered: MD5 over a greeting that anybody on the way may
//! have written (CVE-2007-1558). After a refusal no other mechanism is tried.

use md5::{Digest, Md5};
use posthorn_model::{ErrorClass, Secret};

use super::Wishes;
use super::dialogue::Dialogue;
use super::reply::Capabilities;
use super::wire::Wire;
use crate::sasl::{Exchange, Mechanism, refused_words};
use crate::{Credentials, Error};

/// Bytes in a command line, CRLF included (RFC 5034, section 4): a longer initial response goes on a line of its own.
const COMMAND: usize = 255;
/// Challenges that any mechanism of ours needs, with room.
const TURNS: usize = 6;

/// What is known before the login.
pub(super) struct Offer<'a> {
    pub(super) greeting: &'a [u8],
    pub(super) capabilities: &'a Capabilities,
    pub(super) wishes: Wishes,
}

pub(super) async fn log_in(
    wire: &mut Wire,
    dialogue: &mut Dialogue,
    port: u16,
    offer: &Offer<'_>,
    credentials: &Credentials,
) -> Result<(), Error> {
    let capabilities = offer.capabilities;
    // RFC 6856, section 2: before the login, so that the user name is read as UTF-8.
    if capabilities.utf8 && (offer.wishes.utf8 || !credentials.username().is_ascii()) {
        wire.send(b"UTF8\r\n").await?;
        let reply = wire.status().await?;
        if !reply.is_ok {
            log::warn!(
                "The server offers UTF8 and refuses it: {}.",
                crate::error::quote(&reply.text)
            );
        }
    }
    let mechanism = match (Mechanism::choose(&capabilities.sasl, credentials), credentials) {
        (Some(mechanism), _) => Some(mechanism),
        (None, Credentials::Password { .. }) => None,
        (None, Credentials::Certificate { .. }) => {
            let what = "this server does not let anybody log in with a certificate";
            return Err(Error::new(ErrorClass::Config, wire.host(), what));
        }
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
            if offer.wishes.apop {
                return use_apop(wire, offer, (username, password), refused_words(credentials)).await;
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
        (None, Credentials::Bearer { .. } | Credentials::Certificate { .. }) => Err(Error::new(
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

/// APOP (RFC 1939, section 7). Asked for and impossible, it is not replaced by the password in clear.
async fn use_apop(
    wire: &mut Wire,
    offer: &Offer<'_>,
    (username, password): (&str, &Secret),
    refused: &str,
) -> Result<(), Error> {
    let Some(timestamp) = find_timestamp(offer.greeting) else {
        let what = "this server does not offer APOP, which this account is set to use";
        return Err(Error::new(ErrorClass::Config, wire.host(), what));
    };
    log::warn!("APOP is used, as this account is set: it rests on MD5 and is weak.");
    let mut hasher = Md5::new();
    hasher.update(timestamp);
    hasher.update(password.reveal());
    let digest: String = hasher
        .finalize()
        .iter()
        .map(|byte| format!("{byte:02x}"))
        .collect();
    wire.send(format!("APOP {username} {digest}\r\n").as_bytes())
        .await?;
    let reply = wire.status().await?;
    if reply.is_ok {
        Ok(())
    } else {
        Err(reply.login_refusal(wire.host(), offer.capabilities.auth_response_codes, refused))
    }
}

/// The timestamp of a greeting, in the form of a message id (RFC 822): what is odder is somebody's attack.
fn find_timestamp(greeting: &[u8]) -> Option<&[u8]> {
    let start = greeting.iter().position(|byte| *byte == b'<')?;
    let rest = greeting.get(start..)?;
    let end = rest.iter().position(|byte| *byte == b'>')?;
    let timestamp = rest.get(..=end)?;
    let inside = timestamp.get(1..end)?;
    let (left, right) = inside.split_at_checked(inside.iter().position(|byte| *byte == b'@')?)?;
    let is_plain =
        |part: &[u8]| !part.is_empty() && part.iter().all(|byte| byte.is_ascii_graphic() && *byte != b'<');
    let sound = is_plain(left)
        && right
            .get(1..)
            .is_some_and(|right| is_plain(right) && !right.contains(&b'@'));
    sound.then_some(timestamp)
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

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn finds_the_timestamp_of_a_greeting() {
        let check = |greeting: &str, expect: Option<&str>| {
            let found = find_timestamp(greeting.as_bytes());
            assert_eq!(found, expect.map(str::as_bytes), "{greeting}");
        };
        check(
            "POP3 server ready <1896.697170952@dbc.mtview.ca.us>",
            Some("<1896.697170952@dbc.mtview.ca.us>"),
        );
        check("<a@b> and <c@d>", Some("<a@b>"));
        for wrong in [
            "ready",
            "<>",
            "<a>",
            "<@b>",
            "<a@>",
            "<a b@c>",
            "<a@b@c>",
            "<a@b",
            "<\u{ff}@b>",
            "<a<b@c>",
        ] {
            check(wrong, None);
        }
    }
}
