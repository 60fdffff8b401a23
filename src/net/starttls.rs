//! From a plain greeting to TLS: one step for IMAP (RFC 9051 section 6.2.1), POP3 (RFC 2595 section 4) and SMTP
//! (RFC 3207). Whatever a server says before TLS may come from anybody on the way, so nothing of it is believed
//! but the word to begin: exactly one reply is read, and a byte after it ends the connection.

use posthorn_model::{ErrorClass, Remedy};
use std::io;
use tokio::io::AsyncWriteExt;

use crate::dial::Greeter;
use crate::{Channel, Error};

/// Bytes in a line before TLS.
const LINE: usize = 8192;
/// Lines in one SMTP reply.
const LINES: usize = 200;

/// Speaks until the server is ready for the TLS handshake. `greeting` has been read already.
pub(crate) async fn prepare(channel: &mut Channel, kind: Greeter, greeting: &[u8]) -> Result<(), Error> {
    let host = channel.host().to_owned();
    check_greeting(&host, kind, greeting)?;
    if kind == Greeter::Smtp {
        // RFC 5321 section 4.1.3: an address literal, so that the machine's name stays here.
        let reply = ask(channel, kind, "EHLO [127.0.0.1]").await?;
        if !reply.starts_with(b"250") {
            return Err(refused(&host, &reply));
        }
    }
    let (command, ready): (&str, &[u8]) = match kind {
        Greeter::Imap => ("S1 STARTTLS", b"S1 OK"),
        Greeter::Pop3 => ("STLS", b"+OK"),
        Greeter::Smtp => ("STARTTLS", b"220"),
    };
    let reply = ask(channel, kind, command).await?;
    if starts_with_word(&reply, ready) {
        return Ok(());
    }
    let no: &[&[u8]] = match kind {
        Greeter::Imap => &[b"S1 NO", b"S1 BAD"],
        Greeter::Pop3 => &[b"-ERR"],
        Greeter::Smtp => &[b"4", b"5"],
    };
    if no.iter().any(|word| starts_with(&reply, word)) {
        return Err(refused(&host, &reply));
    }
    Err(Error::protocol(
        &host,
        "the server answered something else than asked before encryption began; nothing was sent",
    ))
}

fn starts_with(line: &[u8], word: &[u8]) -> bool {
    line.get(..word.len())
        .is_some_and(|start| start.eq_ignore_ascii_case(word))
}

fn starts_with_word(line: &[u8], word: &[u8]) -> bool {
    starts_with(line, word) && line.get(word.len()).is_none_or(|next| next.is_ascii_whitespace())
}

fn check_greeting(host: &str, kind: Greeter, greeting: &[u8]) -> Result<(), Error> {
    let welcome: &[u8] = match kind {
        Greeter::Imap => b"* OK",
        Greeter::Pop3 => b"+OK",
        Greeter::Smtp => b"220",
    };
    if starts_with(greeting, welcome) {
        return Ok(());
    }
    if kind == Greeter::Imap && starts_with(greeting, b"* PREAUTH") {
        return Err(Error::protocol(
            host,
            "the server calls this connection logged in before it is encrypted; it was left",
        )
        .with_remedies(&[Remedy::CheckSettings]));
    }
    Err(Error::new(
        ErrorClass::Network,
        host,
        "the server turns connections away",
    ))
}

fn refused(host: &str, reply: &[u8]) -> Error {
    Error::new(
        ErrorClass::Config,
        host,
        "the server does not begin encryption with STARTTLS; nothing was sent",
    )
    .quoting(reply)
}

/// Sends a command and reads its one reply, which must be all that came.
async fn ask(channel: &mut Channel, kind: Greeter, command: &str) -> Result<Vec<u8>, Error> {
    let host = channel.host().to_owned();
    let broken = |error: io::Error| Error::from_io(&host, "asking for encryption", &error);
    if channel.has_pending() {
        return Err(injected(&host));
    }
    channel
        .write_all(format!("{command}\r\n").as_bytes())
        .await
        .map_err(broken)?;
    channel.flush().await.map_err(broken)?;
    let mut reply = read_line(channel).await?;
    let mut lines = 1;
    while kind == Greeter::Smtp && reply.get(3) == Some(&b'-') {
        reply = read_line(channel).await?;
        lines += 1;
        if lines > LINES {
            return Err(Error::protocol(&host, "the server's reply does not end"));
        }
    }
    if channel.has_pending() {
        return Err(injected(&host));
    }
    Ok(reply)
}

async fn read_line(channel: &mut Channel) -> Result<Vec<u8>, Error> {
    let read = channel.read_line(LINE).await;
    read.map_err(|error| {
        if error.kind() == io::ErrorKind::InvalidData {
            Error::protocol(channel.host(), "the server sends a line without end")
        } else {
            Error::from_io(channel.host(), "asking for encryption", &error)
        }
    })
}

fn injected(host: &str) -> Error {
    Error::protocol(
        host,
        "data was injected before encryption began: this looks like an attack, and the connection was ended",
    )
    .with_remedies(&[Remedy::CheckSettings])
}
