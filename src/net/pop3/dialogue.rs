//! async-pop, for what is answered in one line, held where it can do no harm.
//!
//! async-pop 1.1.3 spins for ever at the end of the stream, waits for ever for a short reply after a long one, asks
//! for capabilities that it cannot parse, has no bound and no deadline, and writes the password to the log at level
//! trace. So it never sees the connection. It speaks over a pipe in memory: we take its command from there, send it
//! ourselves, read one whole status line with our own framing, and pass on that line, short and in ASCII. It never
//! gets a password, CAPA is answered here, and a broken connection ends the wait beside it.

use async_pop::Client;
use async_pop::response::types::DataType;
use std::convert::Infallible;
use tokio::io::{AsyncReadExt, AsyncWriteExt, DuplexStream};

use super::reply::Reply;
use super::wire::Wire;
use crate::Error;
use posthorn_model::{ErrorClass, Secret};

/// What may be asked of the server in one line.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) enum Ask {
    Stat,
    Delete(u32),
    Reset,
    Noop,
    Quit,
}

/// What the server answered with +OK.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(super) enum Answer {
    Counts { messages: u64, bytes: u64 },
    Text(String),
}

pub(super) struct Dialogue {
    client: Client<DuplexStream>,
    far: DuplexStream,
    /// The last status line, whole: async-pop gets a cleaned one.
    last: Option<Reply>,
}

/// Bytes of a reply that async-pop is given: it must fit its buffer of 2,048 in one piece.
const SHOWN: usize = 500;
/// Bytes in the pipe.
const PIPE: usize = 8192;

impl Dialogue {
    /// `greeting` has been read and was +OK.
    pub(super) async fn begin(wire: &mut Wire, greeting: &Reply) -> Result<Self, Error> {
        let (near, mut far) = tokio::io::duplex(PIPE);
        let mut last = None;
        let greet = async {
            pass_on(&mut far, greeting).await?;
            relay(wire, &mut far, &mut last, None).await
        };
        let begun = tokio::select! {
            biased;
            client = async_pop::new(near) => client,
            stopped = greet => match stopped? {},
        };
        match begun {
            Ok(client) => Ok(Self {
                client,
                far,
                last: None,
            }),
            Err(_) => Err(Error::protocol(
                wire.host(),
                "the server's greeting is not one of POP3",
            )),
        }
    }

    /// The outer error: the connection is of no more use. The inner one: the server said no.
    pub(super) async fn ask(&mut self, wire: &mut Wire, ask: Ask) -> Result<Result<Answer, Error>, Error> {
        self.last = None;
        let Self { client, far, last } = self;
        let answered = tokio::select! {
            biased;
            answer = put(client, ask) => answer,
            stopped = relay(wire, far, last, None) => match stopped? {},
        };
        match (answered, &self.last) {
            (_, Some(reply)) if !reply.is_ok => Ok(Err(reply.refusal(wire.host(), refused(ask)))),
            (Some(Some(answer)), _) => Ok(Ok(answer)),
            (Some(None), _) => Ok(Err(Error::protocol(
                wire.host(),
                "the server gives numbers that cannot be",
            ))),
            (None, _) => Err(Error::protocol(
                wire.host(),
                "the server's answer cannot be understood",
            )),
        }
    }

    /// USER and PASS. The inner error is the server's refusal, unread as to its meaning.
    pub(super) async fn log_in(
        &mut self,
        wire: &mut Wire,
        username: &str,
        password: &Secret,
    ) -> Result<Result<(), Reply>, Error> {
        self.last = None;
        let Self { client, far, last } = self;
        let answered = tokio::select! {
            biased;
            answer = client.login(username, "") => answer.is_ok(),
            stopped = relay(wire, far, last, Some(password)) => match stopped? {},
        };
        match (answered, self.last.take()) {
            (_, Some(reply)) if !reply.is_ok => Ok(Err(reply)),
            (true, Some(_)) => Ok(Ok(())),
            _ => Err(Error::protocol(
                wire.host(),
                "the server's answer cannot be understood",
            )),
        }
    }
}

/// `None`: async-pop could not read the answer, and reads no other after it. `Some(None)`: its numbers are out of range.
async fn put(client: &mut Client<DuplexStream>, ask: Ask) -> Option<Option<Answer>> {
    let text = |text: async_pop::response::types::message::Text| {
        Some(Answer::Text(text.as_str_lossy().into_owned()))
    };
    match ask {
        Ask::Stat => {
            let stat = client.stat().await.ok()?;
            let number = |text: &str| text.parse().ok();
            let messages = stat.counter().as_str().ok().and_then(number);
            let bytes = stat.size().as_str().ok().and_then(number);
            Some(
                messages
                    .zip(bytes)
                    .map(|(messages, bytes)| Answer::Counts { messages, bytes }),
            )
        }
        Ask::Delete(number) => client.dele(usize::try_from(number).ok()?).await.ok().map(text),
        Ask::Reset => client.rset().await.ok().map(text),
        Ask::Noop => client
            .noop()
            .await
            .ok()
            .map(|()| Some(Answer::Text(String::new()))),
        Ask::Quit => client.quit().await.ok().map(text),
    }
}

const fn refused(ask: Ask) -> &'static str {
    match ask {
        Ask::Stat => "the server does not say how many messages it holds",
        Ask::Delete(_) => "the server did not delete a message",
        Ask::Reset => "the server did not take back the deletions",
        Ask::Noop => "the server refused a command",
        Ask::Quit => "the server did not confirm the end, so its deletions are not believed",
    }
}

/// Carries commands to the server and its replies back, until dropped or the connection fails.
async fn relay(
    wire: &mut Wire,
    far: &mut DuplexStream,
    last: &mut Option<Reply>,
    password: Option<&Secret>,
) -> Result<Infallible, Error> {
    let mut command = Vec::new();
    loop {
        if far.read_buf(&mut command).await.unwrap_or(0) == 0 {
            return Err(Error::new(
                ErrorClass::Bug,
                wire.host(),
                "the conversation ended before its answer",
            ));
        }
        if !command.ends_with(b"\n") {
            continue;
        }
        if command.starts_with(b"CAPA") {
            // Not taken as the server's answer: it is our own.
            pass_on(
                far,
                &Reply {
                    is_ok: false,
                    text: Vec::new(),
                },
            )
            .await?;
        } else {
            match password {
                Some(password) if command.starts_with(b"PASS") => {
                    let line = zeroize::Zeroizing::new(format!("PASS {}\r\n", password.reveal()));
                    wire.send(line.as_bytes()).await?;
                }
                _ => wire.send(&command).await?,
            }
            let reply = wire.status().await?;
            let passed = pass_on(far, &reply).await;
            *last = Some(reply);
            passed?;
        }
        command.clear();
    }
}

async fn pass_on(far: &mut DuplexStream, reply: &Reply) -> Result<(), Error> {
    let mut line = if reply.is_ok {
        b"+OK ".to_vec()
    } else {
        b"-ERR ".to_vec()
    };
    let shown = reply.text.iter().take(SHOWN);
    line.extend(shown.map(|byte| if (0x20..0x7f).contains(byte) { *byte } else { b'?' }));
    line.extend_from_slice(b"\r\n");
    far.write_all(&line)
        .await
        .map_err(|_| Error::new(ErrorClass::Bug, "", "the conversation ended before its answer"))
}
