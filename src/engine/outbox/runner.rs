//! Hands submissions to SMTP, one at a time for each account.

use std::sync::Arc;
use std::time::Duration;

use posthorn_model::{ErrorClass, SubmissionState};
use posthorn_net::smtp::{self, Outcome};
use posthorn_store::{Durability, SubmissionRecord};
use tokio::sync::{Mutex, mpsc, oneshot};

use super::state::{self, Ending, Occasion};
use super::{file, submit};
use crate::Error;
use crate::account::{Post, Request as Ask};
use crate::event::Doing;
use crate::problem::Topic;

/// What the outbox is told.
pub enum Request {
    /// Something was put in.
    Wake,
    /// Try everything now, and say when that is done.
    Drain(oneshot::Sender<()>),
    /// From now on, work unasked.
    Start,
}

/// Runs until the account stops.
pub async fn run(post: Arc<Post>, requests: Arc<Mutex<mpsc::UnboundedReceiver<Request>>>) {
    let mut requests = requests.lock().await;
    let mut background = false;
    loop {
        let wait = wait_for(&post, background).await;
        let request = tokio::select! {
            biased;
            () = post.supervisor.stopped() => return,
            request = requests.recv() => match request {
                Some(request) => Some(request),
                None => return,
            },
            () = tokio::time::sleep(wait) => None,
        };
        let (occasion, reply) = match request {
            Some(Request::Start) => {
                background = true;
                (Occasion::Asked, None)
            }
            Some(Request::Drain(reply)) => (Occasion::Asked, Some(reply)),
            Some(Request::Wake) | None => (Occasion::Timer, None),
        };
        if background || reply.is_some() {
            // A message under way is not cut off: shutting down waits for it a moment, and after that its state
            // says that its fate is unknown.
            if let Err(error) = empty(&post, occasion).await {
                post.core.raise(Topic::Sending(post.id), &error);
            }
        }
        if let Some(reply) = reply {
            let _ = reply.send(());
        }
    }
}

/// Until the next submission is due.
async fn wait_for(post: &Post, background: bool) -> Duration {
    let long = Duration::from_secs(3600);
    if !background {
        return long;
    }
    let Ok(records) = post.core.store.submissions().await else {
        return Duration::from_secs(60);
    };
    let now = post.core.now();
    let due = records
        .iter()
        .filter(|record| record.account == post.id && record.state == SubmissionState::Queued)
        .map(|record| record.not_before.unwrap_or(now).max(now).0 - now.0)
        .min();
    // Never a busy loop, however the attempt ended.
    due.map_or(long, |seconds| {
        Duration::from_secs(u64::try_from(seconds).unwrap_or(0).max(1)).min(long)
    })
}

async fn empty(post: &Post, occasion: Occasion) -> Result<(), Error> {
    if post.core.is_offline() {
        return Ok(());
    }
    let mut sent = false;
    for record in post.core.store.submissions().await? {
        let ours = record.account == post.id;
        let due = state::is_due(
            record.state,
            record.not_before,
            record.tries,
            post.core.now(),
            occasion,
        );
        if !ours || !due || post.core.is_stopping() || post.core.is_offline() {
            continue;
        }
        post.core.progress(post.id, Doing::Sending, 0, 0);
        sent |= send_one(post, record).await? == SubmissionState::Sent;
        post.core.progress(post.id, Doing::Idle, 0, 0);
    }
    if sent {
        let _ = post.requests.send(Ask::Wake);
    }
    Ok(())
}

async fn send_one(post: &Post, mut record: SubmissionRecord) -> Result<SubmissionState, Error> {
    let core = &post.core;
    record.tries = record.tries.saturating_add(1);
    let ending = hand_over(post, &record).await?;
    let next = state::after(&ending, record.tries, core.now());
    let _local = core.local().await;
    let mut writes = vec![submit::set(&record, next.state, &next.reply, next.not_before)];
    if next.state == SubmissionState::Sent {
        writes.extend(file::after_sending(core, &record).await?);
    }
    core.apply(post.id, writes, Durability::Full).await?;
    record.reply.clone_from(&next.reply);
    let topic = Topic::Submission(post.id, record.id);
    match (next.problem, submit::trouble(next.state, &record)) {
        (Some(_), Some(error)) => core.raise(topic, &error),
        (Some(class), None) if next.state == SubmissionState::Sent => core.raise(
            topic,
            &Error::new(
                class,
                format!("a message was sent, but not to everybody: {}", next.reply),
            ),
        ),
        (Some(class), None) => core.raise(Topic::Sending(post.id), &waiting(class, &next.reply)),
        (None, _) => {
            core.clear(topic);
            core.clear(Topic::Sending(post.id));
        }
    }
    Ok(next.state)
}

fn waiting(class: ErrorClass, reply: &str) -> Error {
    Error {
        remedies: match class {
            ErrorClass::Auth => vec![posthorn_model::Remedy::EnterPassword],
            ErrorClass::Certificate => vec![posthorn_model::Remedy::InspectCertificate],
            _ => vec![posthorn_model::Remedy::TryAgain],
        },
        ..Error::new(class, format!("a message waits in the outbox: {reply}"))
    }
}

/// Speaks with the server; the submission is marked as being handed over before the first byte of it goes out.
async fn hand_over(post: &Post, record: &SubmissionRecord) -> Result<Ending, Error> {
    let core = &post.core;
    let Some(endpoint) = &post.config.outgoing else {
        return Ok(Ending::NotSent {
            class: ErrorClass::Config,
            permanent: true,
            reply: "this account has no outgoing server".to_owned(),
        });
    };
    let Some(raw) = core.store.raw(record.hash).await? else {
        return Ok(Ending::NotSent {
            class: ErrorClass::Corrupt,
            permanent: true,
            reply: "the message to send is no longer here".to_owned(),
        });
    };
    let (dialer, credentials) = match core.sign_in(post.id, &post.config).await {
        Ok(both) => both,
        Err(error) => {
            return Ok(Ending::NotSent {
                class: error.class,
                permanent: false,
                reply: error.message,
            });
        }
    };
    let message = smtp::Message {
        from: record.from.clone(),
        to: record.to.clone(),
        raw,
    };
    let marked = submit::set(record, SubmissionState::Sending, "", record.not_before);
    let ready = async {
        let applied = core.apply(post.id, vec![marked], Durability::Full).await;
        applied
            .map(drop)
            .map_err(|error| posthorn_net::Error::new(error.class, "", error.message))
    };
    Ok(end_of(
        smtp::submit_when(&dialer, endpoint, Some(&credentials), &message, ready).await,
    ))
}

fn end_of(outcome: Outcome) -> Ending {
    match outcome {
        Outcome::Accepted { reply, refused } => Ending::Accepted { reply, refused },
        Outcome::Refused(error) => Ending::Refused {
            class: error.class,
            permanent: error.permanent,
            reply: error.to_string(),
        },
        Outcome::NotSent(error) => Ending::NotSent {
            class: error.class,
            permanent: error.permanent,
            reply: error.to_string(),
        },
        Outcome::Uncertain(error) => Ending::Uncertain {
            reply: error.to_string(),
        },
    }
}
