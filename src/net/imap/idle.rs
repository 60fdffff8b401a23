//! Waiting for news: IDLE (RFC 2177), NOTIFY (RFC 5465), and NOOP where there is neither.

use posthorn_model::ErrorClass;
use std::time::Duration;
use tokio::time::Instant;

use super::client::Reply;
use super::code::{Done, Verdict};
use super::{News, Session, name};
use crate::Error;

/// RFC 2177: servers may log out who idles for 30 minutes, and routers forget sooner.
const RENEW: Duration = Duration::from_secs(9 * 60);
/// A server that has said nothing for so long is asked whether it is there: TCP alone does not tell. Most say
/// something every two minutes by themselves and are never asked.
const SILENCE: Duration = Duration::from_secs(150);
/// How long the answer may take: there is nothing in it to be worked out.
const ANSWER: Duration = Duration::from_secs(30);
/// How long after one change others are waited for, so that they are told together.
const LINGER: Duration = Duration::from_millis(50);

const MESSAGES: &str = "MessageNew MessageExpunge FlagChange";
const MAILBOXES: &str = " MailboxName SubscriptionChange";

/// How waiting ended.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum IdleEvent {
    /// Something in the mailbox changed: look.
    Changed,
    Timeout,
}

/// How listening ended.
enum Heard {
    /// News, or the time is over.
    Enough,
    /// The server ended its command by itself.
    Ended(Done),
    Interrupted,
}

impl Session {
    /// As [`Session::wait`], for who watches the selected mailbox alone.
    ///
    /// # Errors
    /// As [`Session::wait`].
    pub async fn idle(&mut self, up_to: Duration) -> Result<IdleEvent, Error> {
        let news = self.wait(up_to).await?;
        Ok(if news.is_empty() {
            IdleEvent::Timeout
        } else {
            IdleEvent::Changed
        })
    }

    /// Asks for news of all the user's mailboxes (RFC 5465 section 3), to be had from [`Session::wait`]; with
    /// `selected`, of the selected one too: whoever keeps one selected wants that. False where the server does not
    /// offer it or refuses. After [`News::Overflow`] it must be asked again.
    ///
    /// # Errors
    /// Where the connection fails.
    pub async fn notify(&mut self, selected: bool) -> Result<bool, Error> {
        if !self.capabilities.has("NOTIFY") {
            return Ok(false);
        }
        let open = if selected {
            format!("(selected ({MESSAGES})) ")
        } else {
            String::new()
        };
        // What it tells before its OK counts too.
        self.client.set_notified(true);
        for events in [format!("{MESSAGES}{MAILBOXES}"), MESSAGES.to_owned()] {
            let patience = self.client.patience();
            let command = format!("NOTIFY SET {open}(personal ({events}))");
            let done = self.client.run(&command, patience, &mut |_| {}).await?;
            if done.verdict == Verdict::Ok {
                return Ok(true);
            }
            // RFC 5465 section 3.1: it knows fewer events than that.
            if !done.status.is("BADEVENT") {
                break;
            }
        }
        self.client.set_notified(false);
        self.capabilities.remove("NOTIFY");
        Ok(false)
    }

    /// Waits for news, for `up_to` at most: by IDLE, or by listening alone where [`Session::notify`] succeeded and
    /// there is no IDLE; at once where the server told something during an earlier command. Nothing on a timeout, and
    /// where the server ends its IDLE by itself. IDLE is renewed in time, a connection that only listens is tried in
    /// time, and a server that does not answer that is given up.
    ///
    /// # Errors
    /// Config where the server tells no news by itself: poll with [`Session::noop`].
    pub async fn wait(&mut self, up_to: Duration) -> Result<Vec<News>, Error> {
        self.wait_until(up_to, &mut std::future::pending()).await
    }

    /// As [`Session::wait`], and no longer than until `interrupt` is complete: the session can be used at once
    /// afterwards.
    ///
    /// # Errors
    /// As [`Session::wait`].
    pub async fn wait_until(
        &mut self,
        up_to: Duration,
        interrupt: &mut (dyn Future<Output = ()> + Send + Unpin),
    ) -> Result<Vec<News>, Error> {
        let can_idle = self.capabilities.has("IDLE");
        if !can_idle && !self.client.is_notified() {
            let what = "the server cannot tell news by itself";
            return Err(Error::new(ErrorClass::Config, self.client.host(), what));
        }
        let end = Instant::now() + up_to;
        loop {
            if self.client.has_news() {
                let (delimiter, utf8) = (self.delimiter, self.utf8);
                let read = |wire| name::from_wire(wire, delimiter, utf8);
                return Ok(self.client.take_all_news(read));
            }
            let left = end.saturating_duration_since(Instant::now());
            if left.is_zero() {
                return Ok(Vec::new());
            }
            // RFC 5465 asks for no IDLE, but Dovecot watches the selected mailbox only while it idles.
            let go_on = if can_idle {
                self.idle_round(RENEW.min(left), interrupt).await?
            } else if self.client.is_notified() {
                self.listen_round(left, interrupt).await?
            } else {
                // NOTIFY ended, and there is no IDLE: the caller polls from the next time on.
                false
            };
            if !go_on && !self.client.has_news() {
                return Ok(Vec::new());
            }
        }
    }

    /// Listens without a command; after [`SILENCE`], asks whether anybody is there. False: leave.
    async fn listen_round(
        &mut self,
        left: Duration,
        interrupt: &mut (dyn Future<Output = ()> + Send + Unpin),
    ) -> Result<bool, Error> {
        let silence = self.client.read_timeout();
        let quiet = self.client.last_heard().elapsed();
        let round = SILENCE.saturating_sub(quiet).min(left);
        if round.is_zero() {
            let what = "the server does not answer";
            let done = self.client.run("NOOP", ANSWER, &mut |_| {}).await?;
            done.demand_ok(self.client.host(), what)?;
            return Ok(true);
        }
        self.client.set_read_timeout(round + silence);
        let listened = self.listen("", round, interrupt).await;
        self.client.set_read_timeout(silence);
        Ok(!matches!(listened?, Heard::Interrupted))
    }

    /// One IDLE from its command to its tagged reply. News are noted by the client. False: leave.
    async fn idle_round(
        &mut self,
        round: Duration,
        interrupt: &mut (dyn Future<Output = ()> + Send + Unpin),
    ) -> Result<bool, Error> {
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
                    return Ok(false);
                }
                reply => self.heed(&reply),
            }
        }
        self.client.set_read_timeout(round + silence);
        let ended = self.listen(&tag, round, interrupt).await;
        self.client.set_read_timeout(silence);
        let (done, go_on) = match ended? {
            Heard::Ended(done) => (done, false),
            heard => {
                self.client.send_raw(b"DONE\r\n").await?;
                let until = Instant::now() + ANSWER;
                let mut flags = false;
                let done = self
                    .client
                    .finish(&tag, until, &mut |reply| {
                        flags |= matches!(reply, Reply::Fetch(_))
                    })
                    .await?;
                if flags {
                    self.client.note_news();
                }
                (done, !matches!(heard, Heard::Interrupted))
            }
        };
        done.demand_ok(self.client.host(), what)?;
        Ok(go_on)
    }

    /// Listens until there are news, the time is over, or nothing has been heard for [`SILENCE`].
    async fn listen(
        &mut self,
        tag: &str,
        round: Duration,
        interrupt: &mut (dyn Future<Output = ()> + Send + Unpin),
    ) -> Result<Heard, Error> {
        let mut end = Instant::now() + round;
        let mut lingering = false;
        loop {
            if self.client.has_news() && !lingering {
                lingering = true;
                end = end.min(Instant::now() + LINGER);
            }
            let until = end.min(self.client.last_heard() + SILENCE);
            let reply = tokio::select! {
                biased;
                () = &mut *interrupt => return Ok(Heard::Interrupted),
                reply = self.client.next_within(until, "we waited for news") => reply?,
            };
            match reply {
                None => return Ok(Heard::Enough),
                Some(Reply::Done(found, done)) if found == tag => {
                    self.client.settled();
                    return Ok(Heard::Ended(done));
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
