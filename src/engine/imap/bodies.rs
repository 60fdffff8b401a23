//! Fetches whole messages, newest first: received, parsed and committed in overlapping batches, each durable before
//! the index speaks of it. A user who waits for one is served over a connection of its own.

use std::collections::BTreeMap;
use std::sync::Arc;
use std::time::Duration;

use posthorn_model::{
    BodyState, ErrorClass, Hash, InternetMessageId, MailboxId, MessageId, Timestamp, Uid, UidValidity,
};
use posthorn_net::imap::{Access, Body, Session};
use posthorn_store::write::Write;
use posthorn_store::{Durability, MailboxRow, Provenance, RawInput, Scope};
use tokio::sync::{Mutex, mpsc};
use tokio::task::JoinHandle;
use tokio::time::timeout;

use crate::Error;
use crate::account::{Post, connect};
use crate::event::Doing;
use crate::intake;
use crate::problem::Topic;
use crate::report::{AccountReport, Bodies};
use crate::shared::Shared;

/// A batch is committed when it holds this many messages …
const MESSAGES: usize = 100;
/// … or this many bytes …
const BYTES: u64 = 8 << 20;
/// … or nothing more came for this long.
const PAUSE: Duration = Duration::from_millis(30);

/// Days that [`Bodies::Recent`] looks back.
const RECENT: i64 = 30;

/// A connection kept for the next wish of a waiting user.
const KEPT: Duration = Duration::from_secs(60);

/// A body that is missing here.
#[derive(Clone, Debug)]
struct Wanted {
    message: MessageId,
    message_id: Option<InternetMessageId>,
    received: Option<Timestamp>,
}

/// Fetches what is missing in these mailboxes, in their order, newest first in each.
pub async fn fetch_missing(
    post: &Post,
    session: &mut Session,
    mailboxes: &[MailboxRow],
    bodies: Bodies,
    report: &mut AccountReport,
) -> Result<(), Error> {
    let oldest = match bodies {
        Bodies::None => return Ok(()),
        Bodies::Recent => Some(post.core.now().plus_seconds(-RECENT * Timestamp::DAY)),
        Bodies::All => None,
    };
    let accounts = post.core.store.accounts().await?;
    let total = accounts
        .iter()
        .find(|row| row.id == post.id)
        .map_or(0, |row| row.headers_only);
    if total == 0 {
        return Ok(());
    }
    for mailbox in mailboxes {
        let list = missing_in(post, mailbox.id, oldest).await?;
        if list.is_empty() {
            continue;
        }
        report.bodies += fetch_in(post, session, mailbox, list, (report.bodies, total)).await?;
    }
    Ok(())
}

/// What is missing in one mailbox, as (UID, expected size) with what it is for, newest first.
type Missing = Vec<(Uid, u64, Wanted)>;

async fn missing_in(post: &Post, mailbox: MailboxId, oldest: Option<Timestamp>) -> Result<Missing, Error> {
    let all = post
        .core
        .store
        .messages_without_body(Scope::Mailbox(mailbox), usize::MAX >> 1)
        .await?;
    let floor = oldest.map(MessageId::floor);
    let wanted = all
        .into_iter()
        .filter(|without| floor.is_none_or(|floor| without.message >= floor));
    let wanted = wanted.filter_map(|without| {
        let wanted = Wanted {
            message: without.message,
            message_id: without.message_id,
            received: without.received,
        };
        Some((without.uid?, without.size, wanted))
    });
    Ok(wanted.collect())
}

async fn fetch_in(
    post: &Post,
    session: &mut Session,
    mailbox: &MailboxRow,
    list: Missing,
    progress: (u64, u64),
) -> Result<u64, Error> {
    let core = &post.core;
    let Some(state) = core.store.sync_state(mailbox.id).await? else {
        return Ok(0);
    };
    let selected = session.select(&mailbox.name, Access::Examine, None).await?;
    if selected.uid_validity != Some(state.uid_validity) {
        // The UIDs known here are void: the next pass matches them anew.
        return Ok(0);
    }
    let uids: Vec<(Uid, u64)> = list.iter().map(|(uid, size, _)| (*uid, *size)).collect();
    let mut committer = Committer {
        core: Arc::clone(core),
        account: post.id,
        mailbox: mailbox.clone(),
        uid_validity: state.uid_validity,
        wanted: Arc::new(list.into_iter().map(|(uid, _, wanted)| (uid, wanted)).collect()),
        under_way: None,
        done: progress.0,
        start: progress.0,
        total: progress.1,
    };
    let (out, bodies) = mpsc::channel::<Body>(64);
    let fetching = async {
        let result = session.fetch_bodies(&uids, &out).await;
        drop(out);
        result
    };
    let (fetched, committed) = tokio::join!(fetching, committer.run(bodies));
    // What came whole is kept even where the connection broke after it; our own failure matters more.
    let kept = committed?;
    fetched?;
    Ok(kept)
}

/// Takes bodies as they come and commits them in batches, one under way while the next gathers.
struct Committer {
    core: Shared,
    account: posthorn_model::AccountId,
    mailbox: MailboxRow,
    uid_validity: UidValidity,
    wanted: Arc<BTreeMap<Uid, Wanted>>,
    under_way: Option<JoinHandle<Result<u64, Error>>>,
    start: u64,
    done: u64,
    total: u64,
}

impl Committer {
    /// Owns the receiver: where a commit fails, the session must not wait for room in the channel for ever.
    async fn run(&mut self, mut bodies: mpsc::Receiver<Body>) -> Result<u64, Error> {
        while let Some(first) = bodies.recv().await {
            let mut bytes = first.payload.len();
            let mut batch = vec![first];
            while batch.len() < MESSAGES && bytes < BYTES {
                match timeout(PAUSE, bodies.recv()).await {
                    Ok(Some(body)) => {
                        bytes += body.payload.len();
                        batch.push(body);
                    }
                    Ok(None) | Err(_) => break,
                }
            }
            self.settle().await?;
            self.core
                .progress(self.account, Doing::Bodies, self.done, self.total);
            let commit = commit(
                Arc::clone(&self.core),
                self.account,
                self.mailbox.clone(),
                self.uid_validity,
                Arc::clone(&self.wanted),
                batch,
            );
            self.under_way = Some(tokio::spawn(commit));
        }
        self.settle().await?;
        Ok(self.done - self.start)
    }

    /// Waits for the batch under way.
    async fn settle(&mut self) -> Result<(), Error> {
        if let Some(task) = self.under_way.take() {
            let kept = task
                .await
                .map_err(|_| Error::bug("keeping messages failed unexpectedly"))?;
            self.done += kept?;
        }
        Ok(())
    }
}

/// Keeps a batch: raw bytes durably first, then what the index says of them.
async fn commit(
    core: Shared,
    account: posthorn_model::AccountId,
    mailbox: MailboxRow,
    uid_validity: UidValidity,
    wanted: Arc<BTreeMap<Uid, Wanted>>,
    batch: Vec<Body>,
) -> Result<u64, Error> {
    let (uids, payloads): (Vec<Uid>, Vec<_>) = batch.into_iter().map(|body| (body.uid, body.payload)).unzip();
    let mut inputs = Vec::new();
    let mut kept = Vec::new();
    let mut guards = Vec::new();
    let mut mistaken = false;
    for (uid, read) in uids.into_iter().zip(intake::read_all(payloads).await?) {
        let Some(wanted) = wanted.get(&uid) else {
            continue;
        };
        let claimed = &read.parsed.envelope.message_id;
        if wanted.message_id.is_some() && claimed.is_some() && wanted.message_id != *claimed {
            // Not the message whose headers we have: the server has given its UID to another one.
            mistaken = true;
            continue;
        }
        let size = read.payload.len();
        let (source, guard) = intake::into_source(read.payload);
        guards.extend(guard);
        inputs.push(RawInput {
            source,
            provenance: Provenance {
                account,
                mailbox: mailbox.name.path.clone(),
                uid: Some((uid_validity, uid)),
                uidl: None,
                received: wanted.received,
                flags: posthorn_model::Flags::default(),
            },
        });
        kept.push((wanted.message, size, read.parsed));
    }
    let hashes: Vec<Hash> = core.store.keep_raw(inputs).await?;
    drop(guards);
    let count = kept.len() as u64;
    let mut writes: Vec<Write> = kept
        .into_iter()
        .zip(hashes)
        .map(|((message, size, parsed), hash)| {
            Write::SetBody(Box::new(intake::build_body(message, hash, size, parsed)))
        })
        .collect();
    if mistaken {
        log::warn!("A server gave a UID to another message: the mailbox will be matched anew.");
        writes.push(Write::SetSyncState {
            mailbox: mailbox.id,
            state: None,
        });
    }
    core.apply(account, writes, Durability::Normal).await?;
    Ok(count)
}

/// Serves users who wait for a body; ends when the account stops.
pub async fn serve_urgent(post: Arc<Post>, wanted: Arc<Mutex<mpsc::UnboundedReceiver<MessageId>>>) {
    let mut wanted = wanted.lock().await;
    let mut session: Option<Session> = None;
    loop {
        let next = tokio::select! {
            biased;
            () = post.supervisor.stopped() => break,
            next = wanted.recv() => next,
            () = tokio::time::sleep(KEPT), if session.is_some() => {
                if let Some(session) = session.take() {
                    session.logout().await;
                }
                continue;
            }
        };
        let Some(message) = next else {
            break;
        };
        if post.core.is_offline() {
            continue;
        }
        let kept = session.take();
        let reused = kept.is_some();
        let fetched = tokio::select! {
            () = post.supervisor.stopped() => break,
            fetched = fetch_one(&post, kept, message) => fetched,
        };
        let fetched = match fetched {
            Err(error) if reused && error.class == ErrorClass::Network => {
                fetch_one(&post, None, message).await
            }
            other => other,
        };
        match fetched {
            Ok(kept) => session = kept,
            Err(error) => post.core.raise(Topic::Sync(post.id), &error),
        }
    }
    if let Some(session) = session {
        session.logout().await;
    }
}

async fn fetch_one(
    post: &Post,
    session: Option<Session>,
    message: MessageId,
) -> Result<Option<Session>, Error> {
    let store = &post.core.store;
    let Some(record) = store.message(message).await? else {
        return Ok(session);
    };
    if record.body == BodyState::Whole {
        return Ok(session);
    }
    for placement in store.placements_of(message).await? {
        let Some(uid) = placement.uid else {
            continue;
        };
        let Some(mailbox) = store.mailbox(placement.mailbox).await? else {
            continue;
        };
        let mut session = match session {
            Some(session) => session,
            None => connect(post).await?,
        };
        let wanted = Wanted {
            message,
            message_id: record.envelope.message_id.clone(),
            received: record.received,
        };
        fetch_in(
            post,
            &mut session,
            &mailbox,
            vec![(uid, record.size, wanted)],
            (0, 1),
        )
        .await?;
        post.core.progress(post.id, Doing::Idle, 0, 0);
        return Ok(Some(session));
    }
    Ok(session)
}
