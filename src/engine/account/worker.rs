//! The actor's main loop: what is due, one pass at a time, and when the next one is.

use std::sync::Arc;
use std::time::Duration;

use posthorn_model::{AccountConfig, ErrorClass, MessageId, Protocol};
use posthorn_net::imap::Session;
use tokio::sync::{Mutex, mpsc, watch};
use tokio::time::{Instant, timeout};

use super::{Post, Request, connect};
use crate::Error;
use crate::event::{AccountState, Doing};
use crate::imap::bodies;
use crate::imap::driver::ImapPass;
use crate::imap::lookout::{Interrupt, Lookout, Perch};
use crate::link::Network;
use crate::pop3::driver as pop3;
use crate::problem::Topic;
use crate::report::{AccountReport, Bodies};
use crate::schedule::{self, Extent};
use crate::shared::Core;

/// Hints of new mail are folded for this long.
const FOLD: Duration = Duration::from_millis(150);

/// Signing out takes no longer, whatever the server does.
const GOODBYE: Duration = Duration::from_secs(2);

/// What the actor keeps between passes.
struct Worker {
    post: Arc<Post>,
    imap: Option<Session>,
    background: bool,
    failures: u32,
    /// When the whole account is looked at again.
    poll: Option<Instant>,
    /// When something smaller is due.
    small: Option<(Instant, Extent)>,
    network: watch::Receiver<Network>,
    moves: watch::Receiver<u64>,
    /// Whether the watch has no connection of its own.
    crowded: watch::Receiver<bool>,
    /// Listens between passes then.
    lookout: Option<Lookout>,
}

/// What the actor turns to next.
enum Turn {
    Stop,
    Asked(Request),
    Due(Extent),
    /// What the network may be used for has changed.
    Network,
    /// The machine woke, or stands in another network.
    Moved,
    /// Who listens for news has changed.
    Crowded,
}

/// How a pass ended.
enum Ended {
    Done(Result<(), Error>),
    /// Cut off: nothing may use the network any more.
    Offline,
    /// Cut off: what it spoke over leads nowhere now.
    Moved,
}

/// Runs until the account stops.
pub async fn run(post: Arc<Post>, inbox: Arc<Mutex<mpsc::UnboundedReceiver<Request>>>) {
    let mut inbox = inbox.lock().await;
    let mut worker = Worker {
        network: post.core.watch_network(),
        moves: post.core.watch_moves(),
        crowded: post.crowded.subscribe(),
        post: Arc::clone(&post),
        imap: None,
        background: false,
        failures: 0,
        poll: None,
        small: None,
        lookout: None,
    };
    loop {
        let turn = worker.next_turn(&mut inbox).await;
        if matches!(turn, Turn::Stop) {
            break;
        }
        tokio::select! {
            () = post.supervisor.stopped() => break,
            () = worker.take(turn) => {}
        }
    }
    worker.sign_out().await;
}

impl Worker {
    async fn next_turn(&mut self, inbox: &mut mpsc::UnboundedReceiver<Request>) -> Turn {
        if self.background
            && *self.crowded.borrow()
            && let Some(mut session) = self.imap.take()
        {
            let (turn, listened) = self.listen(&mut session, inbox).await;
            // Where waiting failed, the next pass connects anew, and says what is wrong.
            self.imap = listened.is_ok().then_some(session);
            if let Some(turn) = turn {
                return turn;
            }
        }
        self.await_turn(inbox).await
    }

    /// Waits for news on the actor's own session until there is something to do.
    async fn listen(
        &mut self,
        session: &mut Session,
        inbox: &mut mpsc::UnboundedReceiver<Request>,
    ) -> (Option<Turn>, Result<(), Error>) {
        let post = Arc::clone(&self.post);
        let mut turn = None;
        let listening = async {
            let mut lookout = match self.lookout.take() {
                Some(lookout) => lookout,
                None => Lookout::new(&post).await?,
            };
            if lookout.settle_in(&post, session, Perch::Shared).await? {
                while turn.is_none() {
                    post.watching.send_replace(lookout.watching());
                    let mut interrupt = Interrupt::by(async { turn = Some(self.await_turn(inbox).await) });
                    lookout.round(&post, session, &mut interrupt).await?;
                }
            }
            self.lookout = Some(lookout);
            Ok(())
        };
        let listened = listening.await;
        (turn, listened)
    }

    async fn await_turn(&mut self, inbox: &mut mpsc::UnboundedReceiver<Request>) -> Turn {
        let due = self.due();
        tokio::select! {
            biased;
            () = self.post.supervisor.stopped() => Turn::Stop,
            // The senders live as long as the engine: an error means that it is gone.
            changed = self.network.changed() => if changed.is_ok() { Turn::Network } else { Turn::Stop },
            changed = self.moves.changed() => if changed.is_ok() { Turn::Moved } else { Turn::Stop },
            Ok(()) = self.crowded.changed() => Turn::Crowded,
            request = inbox.recv() => request.map_or(Turn::Stop, Turn::Asked),
            extent = until(due) => Turn::Due(extent),
        }
    }

    async fn take(&mut self, turn: Turn) {
        match turn {
            Turn::Stop | Turn::Crowded => {}
            Turn::Asked(request) => self.answer(request).await,
            Turn::Due(extent) => {
                self.begin(&extent);
                self.pass(&extent, Bodies::All).await;
            }
            Turn::Network => {
                if self.post.core.is_offline() {
                    self.go_offline().await;
                }
            }
            Turn::Moved => self.start_afresh(),
        }
    }

    async fn answer(&mut self, request: Request) {
        match request {
            Request::Sync {
                extent,
                bodies,
                reply,
            } => {
                let report = self.pass(&extent, bodies).await;
                let _ = reply.send(report);
                if !self.background {
                    self.sign_out().await;
                }
            }
            Request::Wake => self.plan_small(Instant::now(), Extent::Operations),
            Request::Hint(extent) => self.plan_small(Instant::now() + FOLD, extent),
            Request::Fetch(message) => self.fetch_one(message).await,
            Request::Check => {
                self.failures = 0;
                self.poll = Some(Instant::now());
            }
            Request::Start => {
                self.background = true;
                self.poll = Some(Instant::now());
            }
        }
    }

    fn due(&self) -> Option<(Instant, Extent)> {
        let poll = self.poll.map(|at| (at, Extent::All));
        match (self.small.clone(), poll) {
            (Some(small), Some(poll)) => Some(if poll.0 <= small.0 { poll } else { small }),
            (small, poll) => small.or(poll),
        }
    }

    /// What was due is being done; a whole pass does the smaller things too.
    fn begin(&mut self, extent: &Extent) {
        self.small = None;
        if *extent == Extent::All {
            self.poll = None;
        }
    }

    /// Nothing unasked before the start, and nothing small while the server cannot be reached: the next try is
    /// a whole pass anyway.
    fn plan_small(&mut self, at: Instant, extent: Extent) {
        if !self.background || self.failures > 0 || self.post.core.is_offline() {
            return;
        }
        self.small = Some(match self.small.take() {
            Some((known, other)) => (known.min(at), other.merge(extent)),
            None => (at, extent),
        });
    }

    /// Over the actor's own connection: for servers that allow no more.
    async fn fetch_one(&mut self, message: MessageId) {
        let post = Arc::clone(&self.post);
        let session = match self.imap.take() {
            Some(session) => Ok(session),
            None => connect(&post).await,
        };
        let fetched = match session {
            Ok(mut session) => {
                let fetched = bodies::fetch_one(&post, &mut session, message).await;
                self.imap = Some(session).filter(|_| fetched.is_ok());
                fetched
            }
            Err(error) => Err(error),
        };
        if let Err(error) = fetched {
            post.core.raise(Topic::Sync(post.id), &error);
        }
    }

    async fn sign_out(&mut self) {
        if let Some(session) = self.imap.take() {
            let _ = timeout(GOODBYE, session.logout()).await;
        }
    }

    async fn go_offline(&mut self) {
        self.sign_out().await;
        self.small = None;
        self.poll = None;
        self.post.core.set_state(self.post.id, AccountState::Offline);
    }

    /// What was learnt over the old way to the network holds no longer, neither connections nor failures.
    fn start_afresh(&mut self) {
        self.imap = None;
        if self.background {
            self.failures = 0;
            self.poll = Some(Instant::now());
        }
    }

    /// One pass, with its state, problems and the time of the next.
    async fn pass(&mut self, extent: &Extent, bodies: Bodies) -> AccountReport {
        let post = Arc::clone(&self.post);
        let mut report = new_report(&post.config);
        let started = Instant::now();
        // What happened until now does not cut this pass off.
        self.moves.mark_unchanged();
        let mut moves = self.moves.clone();
        let ended = if post.core.is_offline() {
            Ended::Offline
        } else {
            post.core.set_state(post.id, AccountState::Syncing);
            tokio::select! {
                biased;
                () = post.core.went_offline() => Ended::Offline,
                Ok(()) = moves.changed() => Ended::Moved,
                result = self.work(extent, bodies, &mut report) => Ended::Done(result),
            }
        };
        post.core.progress(post.id, Doing::Idle, 0, 0);
        report.seconds = started.elapsed().as_secs_f64();
        match ended {
            Ended::Done(result) => {
                self.settle(extent, &result);
                report.problems = post.core.problems.of(post.id);
            }
            Ended::Offline => {
                self.go_offline().await;
                let error = Error::new(ErrorClass::Network, "posthorn is set to work offline");
                report.problems = vec![as_problem(&post, &error)];
            }
            Ended::Moved => {
                self.start_afresh();
                let error = Error::new(ErrorClass::Network, "the network changed meanwhile");
                report.problems = vec![as_problem(&post, &error)];
            }
        }
        report
    }

    fn settle(&mut self, extent: &Extent, result: &Result<(), Error>) {
        let (core, id) = (&self.post.core, self.post.id);
        let wait = match result {
            Ok(()) => {
                core.clear(Topic::Sync(id));
                core.clear(Topic::Stopped(id));
                self.failures = 0;
                let waits = core
                    .problems
                    .of(id)
                    .iter()
                    .any(|problem| problem.class.needs_user());
                core.set_state(
                    id,
                    if waits {
                        AccountState::NeedsUser
                    } else {
                        AccountState::Ready
                    },
                );
                self.post.signed_in.send_replace(self.background);
                Some(self.poll_interval())
            }
            Err(error) => {
                self.imap = None;
                self.failures = self.failures.saturating_add(1);
                core.raise(Topic::Sync(id), error);
                let state = match error.class {
                    ErrorClass::Network => AccountState::Offline,
                    class if class.needs_user() => AccountState::NeedsUser,
                    _ => AccountState::Ready,
                };
                core.set_state(id, state);
                schedule::retry_after(error.class, error.pause, self.failures, Core::chance())
            }
        };
        if self.background && (result.is_err() || *extent == Extent::All) {
            self.small = self.small.take().filter(|_| result.is_ok());
            let next = wait.map(|wait| Instant::now() + wait);
            // Somebody may have asked for a pass meanwhile.
            self.poll = match (self.poll, next) {
                (Some(asked), Some(next)) => Some(asked.min(next)),
                (asked, next) => asked.or(next),
            };
        }
    }

    fn poll_interval(&self) -> Duration {
        let post = &self.post;
        let watching = *post.watching.borrow();
        let policy = post.core.policy();
        schedule::poll_interval(post.config.protocol, watching, policy, Core::chance())
            .max(post.login_delay())
    }

    async fn work(
        &mut self,
        extent: &Extent,
        bodies: Bodies,
        report: &mut AccountReport,
    ) -> Result<(), Error> {
        let post = Arc::clone(&self.post);
        match post.config.protocol {
            Protocol::Pop3 if *extent == Extent::Operations => Ok(()),
            Protocol::Pop3 => pop3::check(&post, report).await,
            Protocol::Imap => {
                let reused = self.imap.is_some();
                let first = self.work_imap(extent, bodies, report).await;
                match first {
                    // A connection kept from the last pass may have died meanwhile: once more with a new one.
                    Err(error) if reused && error.class == ErrorClass::Network => {
                        self.imap = None;
                        self.work_imap(extent, bodies, report).await
                    }
                    other => other,
                }
            }
        }
    }

    async fn work_imap(
        &mut self,
        extent: &Extent,
        bodies: Bodies,
        report: &mut AccountReport,
    ) -> Result<(), Error> {
        let post = Arc::clone(&self.post);
        let (mut session, before) = match self.imap.take() {
            Some(session) => {
                let before = session.traffic();
                (session, before)
            }
            None => {
                if *extent == Extent::Operations
                    && post.core.store.operations(Some(post.id)).await?.is_empty()
                {
                    return Ok(());
                }
                post.core.progress(post.id, Doing::Connecting, 0, 0);
                let session = connect(&post).await?;
                report.connections += 1;
                (session, posthorn_net::TrafficCount::default())
            }
        };
        let mut pass = async |extent: &Extent| {
            let pass = ImapPass {
                post: &post,
                session: &mut session,
                bodies,
                patient: !self.background,
                report,
            };
            pass.run(extent).await
        };
        post.take_misled();
        let mut result = pass(extent).await;
        let misled = post.take_misled();
        if result.is_ok() && !misled.is_empty() {
            // Once: a server may go on like that.
            result = pass(&Extent::Mailboxes(misled)).await;
        }
        let after = session.traffic();
        report.bytes_in += after.bytes_in.saturating_sub(before.bytes_in);
        report.bytes_out += after.bytes_out.saturating_sub(before.bytes_out);
        report.round_trips += after.round_trips.saturating_sub(before.round_trips);
        if result.is_ok() {
            self.imap = Some(session);
        }
        result
    }
}

async fn until(due: Option<(Instant, Extent)>) -> Extent {
    match due {
        Some((at, extent)) => {
            tokio::time::sleep_until(at).await;
            extent
        }
        None => std::future::pending().await,
    }
}

fn new_report(config: &AccountConfig) -> AccountReport {
    AccountReport {
        name: config.name.clone(),
        protocol: config.protocol,
        mailboxes: 0,
        new: 0,
        changed: 0,
        gone: 0,
        bodies: 0,
        bytes_in: 0,
        bytes_out: 0,
        round_trips: 0,
        connections: 0,
        seconds: 0.0,
        problems: Vec::new(),
    }
}

fn as_problem(post: &Post, error: &Error) -> posthorn_model::Problem {
    posthorn_model::Problem {
        account: Some(post.id),
        mailbox: None,
        class: error.class,
        since: post.core.now(),
        detail: error.message.clone(),
        remedies: error.remedies.clone(),
    }
}
