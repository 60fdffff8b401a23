//! Fetches whole messages, newest first, over a connection of their own, while the actor goes on listing mailboxes.
//! What a user waits for comes first. Where there is no connection to spare, or little to fetch, the actor does it
//! over its own at the end of its pass.

mod commit;
mod pull;
mod queue;

use std::collections::VecDeque;
use std::sync::Arc;
use std::time::Duration;

use posthorn_model::{BodyState, ErrorClass, MailboxId, MessageId};
use posthorn_net::TrafficCount;
use posthorn_net::imap::Session;
use posthorn_store::MailboxRow;
use tokio::sync::{Mutex, mpsc, oneshot};

pub use self::commit::{CHANNEL, gather, provenance};
pub use self::pull::LARGE;
use self::pull::{Puller, headers_only};
use super::connections::{self, Permit};
use crate::Error;
use crate::account::{Post, Request, connect};
use crate::event::Doing;
use crate::ops::runner;
use crate::problem::Topic;
use crate::report::{AccountReport, Bodies};

/// A connection is kept so long for the next wish.
const KEPT: Duration = Duration::from_secs(60);

/// Failures in a row after which the actor is left to do it.
const FAILURES: u32 = 2;

/// What the fetching task is asked.
pub enum Wish {
    /// A user waits for this one.
    Urgent(MessageId),
    /// Headers came in: more may be missing in this mailbox.
    More { mailbox: MailboxId, bodies: Bodies },
    /// The list is complete: everything that is missing in these, in this order. `taken`: whether this task does it;
    /// `done`: what it has done since it was last asked.
    Rest {
        mailboxes: Vec<MailboxRow>,
        bodies: Bodies,
        taken: oneshot::Sender<bool>,
        done: oneshot::Sender<Fetched>,
    },
}

/// What was fetched over other connections than the actor's.
#[derive(Debug, Default)]
pub struct Fetched {
    pub bodies: u64,
    pub connections: u64,
    pub traffic: TrafficCount,
    /// Why it ended early: the rest is left to the actor.
    pub error: Option<Error>,
}

/// A connection in use.
struct Line {
    session: Session,
    permit: Permit,
    /// Traffic that a report has told already.
    counted: TrafficCount,
    /// Whether it was decided to compress.
    measured: bool,
}

/// Somebody waits for the end of a sweep.
struct Rest {
    mailboxes: Vec<MailboxRow>,
    done: oneshot::Sender<Fetched>,
}

struct Fetcher {
    post: Arc<Post>,
    line: Option<Line>,
    puller: Puller,
    urgent: VecDeque<MessageId>,
    rest: Option<Rest>,
    /// Too little to fetch, or no connection for it: the actor will do it.
    parked: bool,
    failures: u32,
    fetched: Fetched,
}

/// Runs until the account stops.
pub async fn serve(post: Arc<Post>, wishes: Arc<Mutex<mpsc::UnboundedReceiver<Wish>>>) {
    let mut wishes = wishes.lock().await;
    let mut fetcher = Fetcher {
        post: Arc::clone(&post),
        line: None,
        puller: Puller::default(),
        urgent: VecDeque::new(),
        rest: None,
        parked: false,
        failures: 0,
        fetched: Fetched::default(),
    };
    let mut moves = post.core.watch_moves();
    loop {
        if fetcher.has_work() {
            // What came meanwhile is heard before the next turn: a user who waits goes first.
            match wishes.try_recv() {
                Ok(wish) => fetcher.note(wish).await,
                Err(_) => tokio::select! {
                    biased;
                    () = post.supervisor.stopped() => break,
                    () = post.core.went_offline() => fetcher.drop_all(),
                    Ok(()) = moves.changed() => fetcher.start_afresh(),
                    () = fetcher.step() => {}
                },
            }
            continue;
        }
        let wish = tokio::select! {
            biased;
            () = post.supervisor.stopped() => break,
            Ok(()) = moves.changed() => {
                fetcher.start_afresh();
                continue;
            }
            wish = wishes.recv() => wish,
            () = tokio::time::sleep(KEPT), if fetcher.line.is_some() => {
                fetcher.sign_out().await;
                continue;
            }
        };
        match wish {
            Some(wish) => fetcher.note(wish).await,
            None => break,
        }
    }
    fetcher.sign_out().await;
}

impl Fetcher {
    fn has_work(&self) -> bool {
        !self.urgent.is_empty() || self.rest.is_some() || !self.parked && !self.puller.is_done()
    }

    async fn note(&mut self, wish: Wish) {
        let post = Arc::clone(&self.post);
        match wish {
            Wish::Urgent(message) => self.urgent.push_back(message),
            Wish::More { mailbox, bodies } => {
                self.puller.restrict(&post, bodies);
                self.puller.queue.add(mailbox);
                if self.line.is_none() {
                    let missing = headers_only(&post).await.unwrap_or_default();
                    self.parked = self.failures >= FAILURES || !connections::deserves_own(missing);
                }
            }
            Wish::Rest {
                mailboxes,
                bodies,
                taken,
                done,
            } => {
                self.conclude().await;
                self.puller.restrict(&post, bodies);
                if let Err(error) = self.puller.settle(&post).await {
                    self.fetched.error = Some(error);
                }
                let missing = headers_only(&post).await.unwrap_or_default();
                let serve = self.line.is_some() || connections::deserves_own(missing);
                let serve = missing > 0 && serve && self.failures < FAILURES;
                let serve = serve && self.open_line().await.unwrap_or_default();
                self.failures = 0;
                let _ = taken.send(serve);
                if serve {
                    let ids: Vec<MailboxId> = mailboxes.iter().map(|row| row.id).collect();
                    self.puller.queue.sweep(&ids);
                    self.rest = Some(Rest { mailboxes, done });
                } else {
                    self.puller.queue.clear();
                    let _ = done.send(self.take_fetched());
                }
            }
        }
    }

    /// One message that somebody waits for, one turn, or the end of a sweep.
    async fn step(&mut self) {
        if let Some(message) = self.urgent.pop_front() {
            self.serve_one(message).await;
            return;
        }
        if self.puller.is_done() {
            self.conclude().await;
            return;
        }
        match self.pull().await {
            Ok(true) => self.failures = 0,
            Ok(false) => self.give_up(None).await,
            Err(error) => {
                log::info!(
                    "Fetching bodies for account {} was interrupted: {error}.",
                    self.post.id
                );
                self.line = None;
                self.failures += 1;
                let again = error.class == ErrorClass::Network && self.failures < FAILURES;
                let post = Arc::clone(&self.post);
                let settled = self.puller.settle(&post).await;
                match settled {
                    Ok(()) if again => self.puller.queue.restart(),
                    Ok(()) => self.give_up(Some(error)).await,
                    Err(error) => self.give_up(Some(error)).await,
                }
            }
        }
    }

    /// One turn. False where there is no connection for it.
    async fn pull(&mut self) -> Result<bool, Error> {
        if self.post.core.is_offline() || !self.open_line().await? {
            return Ok(false);
        }
        let post = Arc::clone(&self.post);
        let Some(line) = &mut self.line else {
            return Ok(false);
        };
        let turned = self.puller.turn(&post, &mut line.session).await;
        line.count(&mut self.fetched);
        turned?;
        if !line.measured
            && let Some(pays) = self.puller.pays_to_compress()
        {
            line.measured = true;
            // Refused or not offered: it goes on as it is.
            if pays && line.session.compress().await? {
                log::debug!(
                    "The connection for account {} is slow: it is compressed.",
                    post.id
                );
            }
        }
        Ok(true)
    }

    /// Whether there is a connection.
    async fn open_line(&mut self) -> Result<bool, Error> {
        if self.line.is_some() {
            return Ok(true);
        }
        let Some(permit) = self.post.connections.take_more() else {
            return Ok(false);
        };
        match connect(&self.post).await {
            Ok(session) => {
                self.fetched.connections += 1;
                self.puller.forget_connection();
                self.line = Some(Line {
                    session,
                    permit,
                    counted: TrafficCount::default(),
                    measured: false,
                });
                Ok(true)
            }
            Err(error) => {
                log::info!(
                    "There is no further connection for account {}: {error}.",
                    self.post.id
                );
                connections::note(&self.post.connections, permit, &error);
                Ok(false)
            }
        }
    }

    /// Nothing may use the network: what was wanted is wanted again by the first pass after that.
    fn drop_all(&mut self) {
        self.line = None;
        self.urgent.clear();
        self.puller.queue.clear();
        self.parked = true;
        self.rest = None;
    }

    /// What it spoke over leads nowhere now.
    fn start_afresh(&mut self) {
        self.line = None;
        self.puller.queue.restart();
    }

    /// The actor does what is left.
    async fn give_up(&mut self, error: Option<Error>) {
        self.puller.queue.clear();
        self.parked = true;
        self.fetched.error = error.or_else(|| {
            let what = "there is no further connection to fetch messages over";
            Some(Error::new(ErrorClass::Network, what))
        });
        if let Some(rest) = self.rest.take() {
            let _ = rest.done.send(self.take_fetched());
        }
    }

    /// Everything is written, and whoever waits for that is told.
    async fn conclude(&mut self) {
        let post = Arc::clone(&self.post);
        if let Err(error) = self.puller.settle(&post).await {
            post.core.raise(Topic::Sync(post.id), &error);
            self.fetched.error = Some(error);
        }
        if let Some(rest) = self.rest.take() {
            self.puller.tell_withheld(&post, &rest.mailboxes);
            post.core.progress(post.id, Doing::Idle, 0, 0);
            let _ = rest.done.send(self.take_fetched());
        }
    }

    fn take_fetched(&mut self) -> Fetched {
        if let Some(line) = &mut self.line {
            line.count(&mut self.fetched);
        }
        self.fetched.bodies += std::mem::take(&mut self.puller.kept);
        std::mem::take(&mut self.fetched)
    }

    async fn serve_one(&mut self, message: MessageId) {
        let post = Arc::clone(&self.post);
        let missing = post.core.store.message(message).await;
        let missing = missing.is_ok_and(|found| found.is_some_and(|found| found.body == BodyState::Headers));
        if !missing || post.core.is_offline() {
            return;
        }
        let reused = self.line.is_some();
        let mut fetched = self.fetch_one(message).await;
        if reused
            && fetched
                .as_ref()
                .is_err_and(|error| error.class == ErrorClass::Network)
        {
            fetched = self.fetch_one(message).await;
        }
        match fetched {
            Ok(()) => post.core.progress(post.id, Doing::Idle, 0, 0),
            Err(error) => post.core.raise(Topic::Sync(post.id), &error),
        }
    }

    async fn fetch_one(&mut self, message: MessageId) -> Result<(), Error> {
        let post = Arc::clone(&self.post);
        if !self.open_line().await? {
            let _ = post.requests.send(Request::Fetch(message));
            return Ok(());
        }
        let Some(line) = &mut self.line else {
            return Ok(());
        };
        let fetched = self.puller.fetch_one(&post, &mut line.session, message).await;
        line.count(&mut self.fetched);
        if let Err(error) = fetched {
            self.line = None;
            return Err(error);
        }
        Ok(())
    }

    async fn sign_out(&mut self) {
        if let Some(line) = self.line.take() {
            line.session.logout().await;
            drop(line.permit);
        }
    }
}

impl Line {
    /// Adds what went over it since the last time.
    fn count(&mut self, fetched: &mut Fetched) {
        let now = self.session.traffic();
        add_traffic(&mut fetched.traffic, &now, &self.counted);
        self.counted = now;
    }
}

fn add_traffic(to: &mut TrafficCount, now: &TrafficCount, before: &TrafficCount) {
    to.bytes_in += now.bytes_in.saturating_sub(before.bytes_in);
    to.bytes_out += now.bytes_out.saturating_sub(before.bytes_out);
    to.round_trips += now.round_trips.saturating_sub(before.round_trips);
}

/// One message that somebody waits for, over the actor's own connection.
pub async fn fetch_one(post: &Post, session: &mut Session, message: MessageId) -> Result<(), Error> {
    let mut puller = Puller::default();
    puller.fetch_one(post, session, message).await?;
    post.core.progress(post.id, Doing::Idle, 0, 0);
    Ok(())
}

/// Everything that is missing in these mailboxes: by the fetching task where it has a connection for it, else over
/// this one. `patient`: somebody waits for the figures.
pub async fn fetch_missing(
    post: &Post,
    session: &mut Session,
    mailboxes: &[MailboxRow],
    bodies: Bodies,
    patient: bool,
    report: &mut AccountReport,
) -> Result<(), Error> {
    if bodies == Bodies::None {
        return Ok(());
    }
    let (taken, is_taken) = oneshot::channel();
    let (done, fetched) = oneshot::channel();
    let _ = post.bodies.send(Wish::Rest {
        mailboxes: mailboxes.to_vec(),
        bodies,
        taken,
        done,
    });
    let is_taken = is_taken.await.unwrap_or_default();
    if is_taken && !patient {
        return Ok(());
    }
    if let Ok(fetched) = fetched.await {
        report.bodies += fetched.bodies;
        report.connections += fetched.connections;
        report.bytes_in += fetched.traffic.bytes_in;
        report.bytes_out += fetched.traffic.bytes_out;
        report.round_trips += fetched.traffic.round_trips;
        match fetched.error {
            None if is_taken => return Ok(()),
            Some(error)
                if matches!(
                    error.class,
                    ErrorClass::Disk | ErrorClass::Bug | ErrorClass::Corrupt
                ) =>
            {
                return Err(error);
            }
            _ => {}
        }
    }
    fetch_here(post, session, mailboxes, bodies, report).await
}

/// Over this connection.
async fn fetch_here(
    post: &Post,
    session: &mut Session,
    mailboxes: &[MailboxRow],
    bodies: Bodies,
    report: &mut AccountReport,
) -> Result<(), Error> {
    let mut puller = Puller::default();
    if headers_only(post).await? > 0 {
        puller.restrict(post, bodies);
        let ids: Vec<MailboxId> = mailboxes.iter().map(|row| row.id).collect();
        puller.queue.sweep(&ids);
        let mut fetched = puller.turn(post, session).await;
        while let Ok(true) = fetched {
            // What the user did meanwhile does not wait for the last body.
            if !post.core.store.operations(Some(post.id)).await?.is_empty() {
                runner::push(post, session).await?;
                puller.forget_selection();
            }
            fetched = puller.turn(post, session).await;
        }
        let settled = puller.settle(post).await;
        report.bodies += puller.kept;
        settled?;
        fetched?;
    }
    puller.tell_withheld(post, mailboxes);
    Ok(())
}
