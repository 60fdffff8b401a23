//! Waiting for news: IDLE (RFC 2177), and NOOP where there is none.

use posthorn_model::ErrorClass;
use std::time::Duration;
use tokio::time::Instant;

use super::Session;
use super::client::Reply;
use super::mailboxes::begins;
use crate::Error;

/// RFC 2177: servers may log out who idles for 30 minutes. Routers forget sooner, so that a dead peer is found out
/// by asking.
const RENEW: Duration = Duration::from_secs(9 * 60);
/// How long after one change others are waited for, so that they are told together.
const LINGER: Duration = Duration::from_millis(50);

/// How waiting ended.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum IdleEvent {
    /// Something in the mailbox changed: look.
    Changed,
    Timeout,
}

impl Session {
    /// Waits until something changes in the selected mailbox, for `up_to` at most. The command is renewed in time,
    /// and a server that does not answer that is given up.
    ///
    /// # Errors
    /// Config where the server has no IDLE: poll with [`Session::noop`].
    pub async fn idle(&mut self, up_to: Duration) -> Result<IdleEvent, Error> {
        if !self.capabilities.has("IDLE") {
            let what = "the server cannot tell news by itself";
            return Err(Error::new(ErrorClass::Config, self.client.host(), what));
        }
        let end = Instant::now() + up_to;
        while Instant::now() < end {
            let round = RENEW.min(end - Instant::now());
            if self.idle_round(round).await? {
                return Ok(IdleEvent::Changed);
            }
        }
        Ok(IdleEvent::Timeout)
    }

    /// One IDLE from its command to its tagged reply.
    async fn idle_round(&mut self, round: Duration) -> Result<bool, Error> {
        let silence = self.client.read_timeout();
        let tag = self.client.send("IDLE").await?;
        let until = Instant::now() + self.client.patience();
        let mut changed = false;
        // The command may end at once, without having begun.
        loop {
            match self.client.next(until).await? {
                Reply::Continue(_) => break,
                Reply::Done(found, done) if found == tag => {
                    self.client.settled();
                    done.demand_ok(self.client.host(), "the server does not wait for news")?;
                    return Ok(changed);
                }
                reply => changed |= self.is_news(&reply),
            }
        }
        self.client.set_read_timeout(round + silence);
        let end = Instant::now() + round;
        let heard = self
            .listen(&tag, if changed { Instant::now() + LINGER } else { end })
            .await;
        self.client.set_read_timeout(silence);
        match heard? {
            Heard::Ended(news) => return Ok(news || changed),
            Heard::News => changed = true,
            Heard::Silence => {}
        }
        self.client.send_raw(b"DONE\r\n").await?;
        let until = Instant::now() + self.client.patience();
        let exists = &mut self.exists;
        let done = self
            .client
            .finish(&tag, until, &mut |reply| {
                if let Reply::Exists(count) = reply {
                    *exists = count;
                }
                changed |= matches!(reply, Reply::Exists(_) | Reply::Expunge | Reply::Fetch(_));
            })
            .await?;
        done.demand_ok(self.client.host(), "the server does not wait for news")?;
        Ok(changed)
    }

    async fn listen(&mut self, tag: &str, mut end: Instant) -> Result<Heard, Error> {
        let mut news = false;
        loop {
            let Some(reply) = self.client.next_within(end).await? else {
                return Ok(if news { Heard::News } else { Heard::Silence });
            };
            if let Reply::Done(found, done) = &reply
                && found == tag
            {
                self.client.settled();
                done.clone()
                    .demand_ok(self.client.host(), "the server does not wait for news")?;
                return Ok(Heard::Ended(news));
            }
            if self.is_news(&reply) && !news {
                news = true;
                end = end.min(Instant::now() + LINGER);
            }
        }
    }

    fn is_news(&mut self, reply: &Reply) -> bool {
        match reply {
            Reply::Exists(count) => {
                // Some servers repeat it as a sign of life.
                let other = *count != self.exists;
                self.exists = *count;
                other
            }
            Reply::Expunge | Reply::Fetch(_) => true,
            Reply::Data(captured) => begins(captured, b"VANISHED"),
            _ => false,
        }
    }

    /// Asks whether anything is new; true where the server told something.
    ///
    /// # Errors
    /// Where the command does not end in OK.
    pub async fn noop(&mut self) -> Result<bool, Error> {
        let mut replies = Vec::new();
        self.client
            .demand("NOOP", "the server does not answer", &mut |reply| {
                if replies.len() < 1000 {
                    replies.push(reply);
                }
            })
            .await?;
        let mut news = false;
        for reply in &replies {
            news |= self.is_news(reply);
        }
        Ok(news)
    }
}

enum Heard {
    News,
    Silence,
    /// The server ended the command by itself; whether it told something before.
    Ended(bool),
}
