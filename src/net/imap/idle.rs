//! Waiting for news: IDLE (RFC 2177), and NOOP where there is none.

use posthorn_model::ErrorClass;
use std::time::Duration;
use tokio::time::Instant;

use super::Session;
use super::client::Reply;
use super::code::Done;
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
    /// Waits until something changes in the selected mailbox, for `up_to` at most; at once where the server told
    /// of a change during an earlier command. IDLE is renewed in time, and a server that does not answer that is
    /// given up.
    ///
    /// # Errors
    /// Config where the server has no IDLE: poll with [`Session::noop`].
    pub async fn idle(&mut self, up_to: Duration) -> Result<IdleEvent, Error> {
        if !self.capabilities.has("IDLE") {
            let what = "the server cannot tell news by itself";
            return Err(Error::new(ErrorClass::Config, self.client.host(), what));
        }
        let end = Instant::now() + up_to;
        loop {
            if self.client.take_news() {
                return Ok(IdleEvent::Changed);
            }
            let left = end.saturating_duration_since(Instant::now());
            if left.is_zero() {
                return Ok(IdleEvent::Timeout);
            }
            self.idle_round(RENEW.min(left)).await?;
        }
    }

    /// One IDLE from its command to its tagged reply. News are noted by the client.
    async fn idle_round(&mut self, round: Duration) -> Result<(), Error> {
        let what = "the server does not wait for news";
        let silence = self.client.read_timeout();
        let tag = self.client.send("IDLE").await?;
        let until = Instant::now() + self.client.patience();
        loop {
            match self.client.next(until).await? {
                Reply::Continue(_) => break,
                // The command may end without having begun.
                Reply::Done(found, done) if found == tag => {
                    self.client.settled();
                    done.demand_ok(self.client.host(), what)?;
                    return Ok(());
                }
                reply => self.heed(&reply),
            }
        }
        self.client.set_read_timeout(round + silence);
        let ended = self.listen(&tag, round).await;
        self.client.set_read_timeout(silence);
        let done = match ended? {
            Some(done) => done,
            None => {
                self.client.send_raw(b"DONE\r\n").await?;
                let until = Instant::now() + self.client.patience();
                self.client.finish(&tag, until, &mut |_| {}).await?
            }
        };
        done.demand_ok(self.client.host(), what)?;
        Ok(())
    }

    /// Listens until there are news or the time is over; the command's end where the server ends it by itself.
    async fn listen(&mut self, tag: &str, round: Duration) -> Result<Option<Done>, Error> {
        let mut end = Instant::now() + round;
        let mut lingering = false;
        loop {
            if self.client.has_news() && !lingering {
                lingering = true;
                end = end.min(Instant::now() + LINGER);
            }
            match self.client.next_within(end).await? {
                None => return Ok(None),
                Some(Reply::Done(found, done)) if found == tag => {
                    self.client.settled();
                    return Ok(Some(done));
                }
                Some(reply) => self.heed(&reply),
            }
        }
    }

    /// A FETCH that nobody asked for is news too.
    fn heed(&mut self, reply: &Reply) {
        if matches!(reply, Reply::Fetch(_)) {
            self.client.note_news();
        }
    }

    /// Asks whether anything is new; true where the server told something, now or in passing before.
    ///
    /// # Errors
    /// Where the command does not end in OK.
    pub async fn noop(&mut self) -> Result<bool, Error> {
        let mut flags = false;
        self.client
            .demand("NOOP", "the server does not answer", &mut |reply| {
                flags |= matches!(reply, Reply::Fetch(_));
            })
            .await?;
        Ok(self.client.take_news() || flags)
    }
}
