//! One account's actor: it alone speaks to the account's mail server, one pass at a time, and is told what to do
//! by messages. Beside it run the outbox, the watch on the inbox and, for a user who waits, one more connection.

use std::sync::Arc;
use std::time::Duration;

use posthorn_model::{AccountConfig, AccountId, ErrorClass, MessageId, Protocol};
use tokio::sync::{Mutex, mpsc, oneshot, watch};
use tokio::task::JoinHandle;
use tokio::time::{Instant, timeout};

use crate::Error;
use crate::event::{AccountState, Doing};
use crate::imap::driver::ImapPass;
use crate::imap::{bodies, watch as imap_watch};
use crate::outbox::runner as outbox;
use crate::pop3::driver as pop3;
use crate::problem::Topic;
use crate::report::{AccountReport, Bodies};
use crate::schedule::{self, Extent};
use crate::shared::Shared;
use crate::supervise::Supervisor;

/// Hints of new mail are folded for this long.
const FOLD: Duration = Duration::from_millis(150);

/// What the actor is told.
pub enum Request {
    /// One pass, for someone who waits for its figures.
    Sync {
        extent: Extent,
        bodies: Bodies,
        reply: oneshot::Sender<AccountReport>,
    },
    /// Operations wait.
    Wake,
    /// So much has changed on the server, perhaps.
    Hint(Extent),
    /// The user wants it looked at now.
    Check,
    /// From now on, work unasked.
    Start,
}

/// The ends by which others reach an account's tasks.
pub struct Actor {
    requests: mpsc::UnboundedSender<Request>,
    outbox: mpsc::UnboundedSender<outbox::Request>,
    urgent: mpsc::UnboundedSender<MessageId>,
    supervisor: Supervisor,
    tasks: Vec<JoinHandle<()>>,
}

impl Actor {
    /// Starts the account's tasks; they do nothing unasked before [`Request::Start`].
    pub fn spawn(core: &Shared, id: AccountId, config: AccountConfig) -> Self {
        let supervisor = Supervisor::new(Arc::clone(core), id);
        let (requests, inbox) = mpsc::unbounded_channel();
        let (outbox, submissions) = mpsc::unbounded_channel();
        let (urgent, wanted) = mpsc::unbounded_channel();
        let post = Arc::new(Post {
            core: Arc::clone(core),
            id,
            supervisor: supervisor.clone(),
            config,
            requests: requests.clone(),
            signed_in: watch::Sender::new(false),
        });
        let inbox = Arc::new(Mutex::new(inbox));
        let submissions = Arc::new(Mutex::new(submissions));
        let wanted = Arc::new(Mutex::new(wanted));
        let mut tasks = Vec::new();
        let main = Arc::clone(&post);
        tasks.push(supervisor.keep("sync", move || run(Arc::clone(&main), Arc::clone(&inbox))));
        let sender = Arc::clone(&post);
        tasks.push(supervisor.keep("outbox", move || {
            outbox::run(Arc::clone(&sender), Arc::clone(&submissions))
        }));
        if post.config.protocol == Protocol::Imap {
            let waiting = Arc::clone(&post);
            tasks.push(supervisor.keep("fetch", move || {
                bodies::serve_urgent(Arc::clone(&waiting), Arc::clone(&wanted))
            }));
            tasks.push(supervisor.keep("watch", move || imap_watch::run(Arc::clone(&post))));
        }
        Self {
            requests,
            outbox,
            urgent,
            supervisor,
            tasks,
        }
    }

    /// Tells the actor; where it has stopped, nobody listens and nothing happens.
    pub fn tell(&self, request: Request) {
        if matches!(request, Request::Start) {
            let _ = self.outbox.send(outbox::Request::Start);
        }
        let _ = self.requests.send(request);
    }

    pub fn wake_outbox(&self) {
        let _ = self.outbox.send(outbox::Request::Wake);
    }

    pub fn fetch_body(&self, message: MessageId) {
        let _ = self.urgent.send(message);
    }

    /// The outbox emptied as far as it can be, then one pass over so much.
    pub async fn sync(
        requests: mpsc::UnboundedSender<Request>,
        outbox: mpsc::UnboundedSender<outbox::Request>,
        extent: Extent,
        bodies: Bodies,
    ) -> Result<AccountReport, Error> {
        let (done, emptied) = oneshot::channel();
        let _ = outbox.send(outbox::Request::Drain(done));
        // A dropped sender: the outbox has stopped, and said why in the problems.
        let _ = emptied.await;
        let (reply, report) = oneshot::channel();
        let _ = requests.send(Request::Sync {
            extent,
            bodies,
            reply,
        });
        report.await.map_err(|_| Error::stopped())
    }

    pub fn ends(
        &self,
    ) -> (
        mpsc::UnboundedSender<Request>,
        mpsc::UnboundedSender<outbox::Request>,
    ) {
        (self.requests.clone(), self.outbox.clone())
    }

    /// Lets the tasks finish their step and sign out; cuts off what takes longer than `within`.
    pub async fn stop(self, within: Duration) {
        self.supervisor.stop.send_replace(true);
        let deadline = Instant::now() + within;
        for mut task in self.tasks {
            if tokio::time::timeout_at(deadline, &mut task).await.is_err() {
                task.abort();
            }
        }
    }
}

/// What an account's tasks share.
pub struct Post {
    pub core: Shared,
    pub id: AccountId,
    pub supervisor: Supervisor,
    pub config: AccountConfig,
    pub requests: mpsc::UnboundedSender<Request>,
    /// The last pass in the background went well: the watch may connect.
    pub signed_in: watch::Sender<bool>,
}

/// What the actor keeps between passes.
struct Worker {
    post: Arc<Post>,
    imap: Option<posthorn_net::imap::Session>,
    background: bool,
    failures: u32,
    /// When the whole account is looked at again.
    poll: Option<Instant>,
    /// When something smaller is due.
    small: Option<(Instant, Extent)>,
}

async fn run(post: Arc<Post>, inbox: Arc<Mutex<mpsc::UnboundedReceiver<Request>>>) {
    let mut inbox = inbox.lock().await;
    let mut worker = Worker {
        post,
        imap: None,
        background: false,
        failures: 0,
        poll: None,
        small: None,
    };
    let stop = Arc::clone(&worker.post);
    loop {
        let due = worker.due();
        let request = tokio::select! {
            biased;
            () = stop.supervisor.stopped() => break,
            request = inbox.recv() => match request {
                Some(request) => Some(request),
                None => break,
            },
            extent = until(due) => {
                worker.begin(&extent);
                tokio::select! {
                    () = stop.supervisor.stopped() => break,
                    _ = worker.pass(&extent, Bodies::All) => {}
                }
                None
            }
        };
        if let Some(request) = request {
            tokio::select! {
                () = stop.supervisor.stopped() => break,
                () = worker.take(request) => {}
            }
        }
    }
    if let Some(session) = worker.imap.take() {
        let _ = timeout(Duration::from_secs(2), session.logout()).await;
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

impl Worker {
    async fn take(&mut self, request: Request) {
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
        if !self.background || self.failures > 0 {
            return;
        }
        self.small = Some(match self.small.take() {
            Some((known, other)) => (known.min(at), other.merge(extent)),
            None => (at, extent),
        });
    }

    async fn sign_out(&mut self) {
        if let Some(session) = self.imap.take() {
            let _ = timeout(Duration::from_secs(2), session.logout()).await;
        }
    }

    /// One pass, with its state, problems and the time of the next.
    async fn pass(&mut self, extent: &Extent, bodies: Bodies) -> AccountReport {
        let post = Arc::clone(&self.post);
        let mut report = new_report(&post.config);
        let started = Instant::now();
        if post.core.is_offline() {
            post.core.set_state(post.id, AccountState::Offline);
            let error = Error::new(ErrorClass::Network, "posthorn is set to work offline");
            report.problems = vec![as_problem(&post, &error)];
            return report;
        }
        post.core.set_state(post.id, AccountState::Syncing);
        let result = self.work(extent, bodies, &mut report).await;
        post.core.progress(post.id, Doing::Idle, 0, 0);
        self.settle(extent, &result);
        report.seconds = started.elapsed().as_secs_f64();
        report.problems = post.core.problems.of(post.id);
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
                Some(schedule::poll_interval(self.post.config.protocol))
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
                schedule::retry_after(error.class, self.failures, crate::shared::Core::chance())
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
        let result = ImapPass {
            post: &post,
            session: &mut session,
            bodies,
            report,
        }
        .run(extent)
        .await;
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

/// Signs in to the account's IMAP server.
pub async fn connect(post: &Post) -> Result<posthorn_net::imap::Session, Error> {
    let dialer = post.core.dialer(&post.config).await?;
    let credentials = post.core.credentials(post.id, &post.config).await?;
    Ok(posthorn_net::imap::Session::connect(&dialer, &post.config.incoming, &credentials).await?)
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
        class: error.class,
        since: post.core.now(),
        detail: error.message.clone(),
        remedies: error.remedies.clone(),
    }
}
