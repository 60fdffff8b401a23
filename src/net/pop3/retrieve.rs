//! Messages, many at a time: RETR with up to 32 commands under way where the server pipelines (RFC 2449, section 6.6).
//!
//! A message is handed on only when the reply after it has begun as a reply must. A server that does not stuff dots
//! ends a message too early for us; what comes next is then no status line, and the cut message is not taken for
//! whole. So the last RETR is followed by a NOOP.

use posthorn_model::{ErrorClass, MsgNo};
use tokio::sync::mpsc::Sender;

use super::reply::Reply;
use super::{Retrieved, Session, Spool};
use crate::{Error, Payload};

/// Commands under way at once.
pub(super) const DEPTH: usize = 32;

impl Session {
    /// RETR for each, in order. A message that the server refuses, or that cannot be kept, is reported as such and
    /// the others go on. The size is the server's from LIST: a hint, no more.
    ///
    /// # Errors
    /// The session is over; messages neither sent to `out` nor refused there were not received whole.
    pub async fn retrieve(
        &mut self,
        numbers: &[(MsgNo, Option<u64>)],
        out: &Sender<Retrieved>,
    ) -> Result<(), Error> {
        if numbers.is_empty() {
            return Ok(());
        }
        self.enter()?;
        let depth = if self.capabilities.pipelining { DEPTH } else { 1 };
        let mut unasked = numbers.iter();
        let mut under_way = 0;
        let mut held = None;
        for (number, size) in numbers {
            // Half of the window at a time: fewer, larger packets, and the server never runs dry.
            if under_way <= depth / 2 {
                let batch: Vec<_> = unasked.by_ref().take(depth - under_way).collect();
                under_way += batch.len();
                self.ask_for(&batch, unasked.len() == 0).await?;
            }
            let reply = self.next_reply(&mut held, out).await?;
            under_way -= 1;
            if reply.is_ok {
                held = Some((*number, self.receive(*number, *size, out).await?));
            } else {
                let error = reply.refusal(self.wire.host(), "the server did not hand over a message");
                hand_over(self.wire.host(), *number, Err(error), out).await?;
            }
        }
        if depth == 1 {
            self.wire.send(b"NOOP\r\n").await.or_else(|error| {
                // The end of the connection is no sign of a cut message.
                if held.is_some() { Ok(()) } else { Err(error) }
            })?;
        }
        self.next_reply(&mut held, out).await?;
        self.leave();
        Ok(())
    }

    async fn ask_for(&mut self, batch: &[&(MsgNo, Option<u64>)], is_last: bool) -> Result<(), Error> {
        let mut commands: String = batch
            .iter()
            .map(|(number, _)| format!("RETR {number}\r\n"))
            .collect();
        if commands.is_empty() {
            return Ok(());
        }
        if is_last && self.capabilities.pipelining {
            commands.push_str("NOOP\r\n");
        }
        self.wire.send(commands.as_bytes()).await
    }

    /// Reads the next status line, and hands over the message before it if that shows it to be whole.
    async fn next_reply(
        &mut self,
        held: &mut Option<(MsgNo, Payload)>,
        out: &Sender<Retrieved>,
    ) -> Result<Reply, Error> {
        let reply = self.wire.status().await;
        if let Some((number, payload)) = held.take() {
            let cut = reply
                .as_ref()
                .is_err_and(|error| error.class == ErrorClass::Protocol);
            let result = if cut {
                Err(Error::protocol(
                    self.wire.host(),
                    "the server went on after the end of a message, so it may have been cut short",
                ))
            } else {
                Ok(payload)
            };
            hand_over(self.wire.host(), number, result, out).await?;
        }
        reply
    }

    async fn receive(
        &mut self,
        number: MsgNo,
        size: Option<u64>,
        out: &Sender<Retrieved>,
    ) -> Result<Payload, Error> {
        let mut spool = Spool::new(&self.place, size);
        let received = self
            .wire
            .message(self.message_limit, &mut |bytes| spool.write(bytes))
            .await;
        let whole = received.and_then(|()| {
            spool
                .finish()
                .map_err(|error| super::spool::trouble(self.wire.host(), &error))
        });
        if let Err(error) = &whole
            && error.class != ErrorClass::Network
        {
            hand_over(self.wire.host(), number, Err(error.clone()), out).await?;
        }
        whole
    }
}

async fn hand_over(
    host: &str,
    number: MsgNo,
    result: Result<Payload, Error>,
    out: &Sender<Retrieved>,
) -> Result<(), Error> {
    let sent = out.send(Retrieved { number, result }).await;
    sent.map_err(|_| Error::new(ErrorClass::Network, host, "the transfer was stopped"))
}
