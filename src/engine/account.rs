//! One account's actor: it alone speaks to the account's mail server, one pass at a time, and is told what to do
//! by messages. Beside it run the outbox, the watch for news and the task that fetches
//! messages over a connection of its own.

mod worker;

use std::collections::BTreeSet;
use std::sync::atomic::{AtomicU32, Ordering};
use std::sync::{Arc, PoisonError};
use std::time::Duration;

use posthorn_model::{AccountConfig, AccountId, MailboxId, MessageId, Protocol};
use tokio::sync::{Mutex, mpsc, oneshot, watch};
use tokio::task::JoinHandle;
use tokio::time::Instant;

use crate::Error;
use crate::imap::connections::Connections;
use crate::imap::{bodies, provider, watch as imap_watch};
use crate::outbox::runner as outbox;
use crate::report::{AccountReport, Bodies};
use crate::schedule::{Extent, Watching};
use crate::shared::Shared;
use crate::supervise::Supervisor;

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
    /// A user waits for this message, and no other connection can be had.
    Fetch(MessageId),
    /// The user wants it looked at now.
    Check,
    /// From now on, work unasked.
    Start,
}

/// The ends by which others reach an account's tasks.
pub struct Actor {
    requests: mpsc::UnboundedSender<Request>,
    outbox: mpsc::UnboundedSender<outbox::Request>,
    bodies: mpsc::UnboundedSender<bodies::Wish>,
    supervisor: Supervisor,
    tasks: Vec<JoinHandle<()>>,
}

impl Actor {
    /// Starts the account's tasks; they do nothing unasked before [`Request::Start`].
    pub fn spawn(core: &Shared, id: AccountId, config: AccountConfig) -> Self {
        let supervisor = Supervisor::new(Arc::clone(core), id);
        let (requests, inbox) = mpsc::unbounded_channel();
        let (outbox, submissions) = mpsc::unbounded_channel();
        let (bodies, wanted) = mpsc::unbounded_channel();
        let connections = provider::connections(&config);
        let post = Arc::new(Post {
            core: Arc::clone(core),
            id,
            supervisor: supervisor.clone(),
            config,
            requests: requests.clone(),
            connections: Connections::new(connections),
            bodies: bodies.clone(),
            signed_in: watch::Sender::new(false),
            watching: watch::Sender::default(),
            crowded: watch::Sender::new(false),
            login_delay: AtomicU32::new(0),
            misled: std::sync::Mutex::default(),
        });
        let inbox = Arc::new(Mutex::new(inbox));
        let submissions = Arc::new(Mutex::new(submissions));
        let wanted = Arc::new(Mutex::new(wanted));
        let mut tasks = Vec::new();
        let main = Arc::clone(&post);
        tasks.push(supervisor.keep("sync", move || worker::run(Arc::clone(&main), Arc::clone(&inbox))));
        let sender = Arc::clone(&post);
        tasks.push(supervisor.keep("outbox", move || {
            outbox::run(Arc::clone(&sender), Arc::clone(&submissions))
        }));
        if post.config.protocol == Protocol::Imap {
            let waiting = Arc::clone(&post);
            tasks.push(supervisor.keep("fetch", move || {
                bodies::serve(Arc::clone(&waiting), Arc::clone(&wanted))
            }));
            tasks.push(supervisor.keep("watch", move || imap_watch::run(Arc::clone(&post))));
        }
        Self {
            requests,
            outbox,
            bodies,
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
        let _ = self.bodies.send(bodies::Wish::Urgent(message));
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
    /// How many connections the account may have.
    pub connections: Arc<Connections>,
    /// The task that fetches messages beside the actor.
    pub bodies: mpsc::UnboundedSender<bodies::Wish>,
    /// The last pass in the background went well: the watch may connect.
    pub signed_in: watch::Sender<bool>,
    /// What the watch hears now: the less, the more often the account is polled.
    pub watching: watch::Sender<Watching>,
    /// The watch has no connection of its own: the actor listens between its passes.
    crowded: watch::Sender<bool>,
    /// Seconds that the server wants between two logins (RFC 2449 section 6.5).
    login_delay: AtomicU32,
    /// Where bodies showed that UIDs known here name other messages: what they name now is not listed yet.
    misled: std::sync::Mutex<BTreeSet<MailboxId>>,
}

impl Post {
    /// Takes what the server said of logging in again, for the time of the next poll.
    pub fn note_login_delay(&self, seconds: Option<u32>) {
        self.login_delay.store(seconds.unwrap_or(0), Ordering::Relaxed);
    }

    fn login_delay(&self) -> Duration {
        // Longer than an hour would look like an account that is dead.
        Duration::from_secs(self.login_delay.load(Ordering::Relaxed).min(3600).into())
    }

    pub fn set_crowded(&self, crowded: bool) {
        self.crowded
            .send_if_modified(|known| std::mem::replace(known, crowded) != crowded);
    }

    pub fn note_misled(&self, mailbox: MailboxId) {
        self.misled
            .lock()
            .unwrap_or_else(PoisonError::into_inner)
            .insert(mailbox);
    }

    fn take_misled(&self) -> BTreeSet<MailboxId> {
        std::mem::take(&mut self.misled.lock().unwrap_or_else(PoisonError::into_inner))
    }

    fn tell(&self, request: Request) {
        // Where the actor has stopped, nobody listens and nothing happens.
        let _ = self.requests.send(request);
    }

    /// So much has changed on the server, perhaps.
    pub fn hint(&self, extent: Extent) {
        self.tell(Request::Hint(extent));
    }
}

/// Signs in to the account's IMAP server.
pub async fn connect(post: &Post) -> Result<posthorn_net::imap::Session, Error> {
    let (dialer, credentials) = post.core.sign_in(post.id, &post.config).await?;
    Ok(posthorn_net::imap::Session::connect(&dialer, &post.config.incoming, &credentials).await?)
}
