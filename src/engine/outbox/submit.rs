//! Takes messages into the outbox, and does what the user decides about them there.

use posthorn_model::{Address, ErrorClass, Flags, MessageId, SubmissionId, SubmissionState, Timestamp};
use posthorn_store::write::{NewSubmission, Write};
use posthorn_store::{Durability, SubmissionRecord};

use super::file;
use super::state;
use crate::command::Receipt;
use crate::ops::wish::{Outcome, keep, submission};
use crate::problem::Topic;
use crate::shared::Core;
use crate::{Error, Outgoing};

/// Sent submissions are forgotten after this many days; their copies stay in the mailbox for sent mail.
const REMEMBERED: i64 = 30;

/// The draft that a submission replaces.
pub fn draft_key(id: SubmissionId) -> String {
    format!("outbox-draft/{id}")
}

/// What goes with a submission.
#[derive(Debug, Default)]
pub struct Beside {
    /// Nobody is told where it could not be delivered: the reverse-path is empty (RFC 5321 section 4.5.5).
    pub no_returns: bool,
    /// In the same transaction.
    pub writes: Vec<Write>,
}

/// Takes a message in: when this returns it is durable.
///
/// # Errors
/// `Config` where it cannot be sent: no outgoing server, no recipients, no account; `Disk`.
pub async fn accept(core: &Core, outgoing: Outgoing) -> Result<SubmissionId, Error> {
    accept_with(core, outgoing, Beside::default()).await
}

/// # Errors
/// As [`accept`].
pub async fn accept_with(core: &Core, outgoing: Outgoing, beside: Beside) -> Result<SubmissionId, Error> {
    let account = outgoing.account;
    let config = core.config(account);
    let config = config.ok_or_else(|| Error::config("there is no such account"))?;
    if config.outgoing.is_none() {
        return Err(Error::config(format!(
            "{} has no outgoing server: this account only receives",
            config.name
        )));
    }
    let raw = outgoing.raw;
    let envelope = posthorn_mime::parse_header(&raw).envelope;
    let mut recipients = outgoing.recipients;
    if recipients.is_empty() {
        let all = envelope.to.iter().chain(&envelope.cc).chain(&envelope.bcc);
        recipients = all.map(|address: &Address| address.email.clone()).collect();
    }
    recipients.sort_unstable();
    recipients.dedup();
    let fits = |address: &String| {
        address.contains('@')
            && !address.contains(|c: char| c.is_control() || c.is_whitespace() || c == '<' || c == '>')
    };
    if let Some(bad) = recipients.iter().find(|address| !fits(address)) {
        return Err(Error::config(format!("{bad:?} is not a mail address")));
    }
    if recipients.is_empty() {
        return Err(Error::config("the message has no recipients"));
    }
    let stripped = posthorn_mime::compose::without_bcc(&raw);
    let sent = if stripped == raw { None } else { Some(stripped) };
    let flags: Flags = [posthorn_model::Flag::Seen].into_iter().collect();
    let copy = keep(core, account, "Sent", &flags, raw).await?;
    let hash = match sent {
        Some(stripped) => keep(core, account, "Sent", &flags, stripped).await?,
        None => copy,
    };
    let id = core.store.new_submission_id();
    let from = config.identity.email;
    let mut writes = beside.writes;
    writes.push(Write::AddSubmission(Box::new(NewSubmission {
        id,
        account,
        hash,
        copy: Some(copy),
        message_id: envelope.message_id.map(|id| id.0).unwrap_or_default(),
        subject: envelope.subject,
        from: if beside.no_returns { String::new() } else { from },
        to: recipients,
        created: core.now(),
        not_before: outgoing.at,
    })));
    if let Some(draft) = outgoing.draft {
        writes.push(Write::PutSetting {
            key: draft_key(id),
            value: Some(draft.0.to_string()),
        });
    }
    core.apply(account, writes, Durability::Full).await?;
    Ok(id)
}

/// What a crash left open: a submission that was being handed over may have arrived, and only the user decides.
///
/// # Errors
/// Where the store fails.
pub async fn settle_after_restart(core: &Core) -> Result<(), Error> {
    let now = core.now();
    for record in core.store.submissions().await? {
        let found = state::found_at_start(record.state);
        if found != record.state {
            let reply =
                "posthorn ended while this message was being handed over: it may have arrived, or not";
            core.apply(
                record.account,
                vec![set(&record, found, reply, None)],
                Durability::Full,
            )
            .await?;
        }
        let old = record.state == SubmissionState::Sent
            && record.created.plus_seconds(REMEMBERED * Timestamp::DAY) < now;
        if old {
            let forget = vec![Write::RemoveSubmission(record.id)];
            core.apply(record.account, forget, Durability::Normal).await?;
        }
        if let Some(error) = trouble(found, &record) {
            core.raise(Topic::Submission(record.account, record.id), &error);
        }
    }
    Ok(())
}

/// What the user should know of a submission that waits for them.
pub fn trouble(state: SubmissionState, record: &SubmissionRecord) -> Option<Error> {
    let message = match state {
        SubmissionState::Uncertain => format!(
            "it is not known whether a message to {} was sent: look whether it arrived before sending it again",
            record.to.join(", ")
        ),
        SubmissionState::Held => format!(
            "a message to {} was not sent: {}",
            record.to.join(", "),
            record.reply
        ),
        SubmissionState::Queued | SubmissionState::Sending | SubmissionState::Sent => return None,
    };
    Some(Error::new(ErrorClass::Refused, message))
}

/// The submission's new state.
pub fn set(
    record: &SubmissionRecord,
    state: SubmissionState,
    reply: &str,
    not_before: Option<Timestamp>,
) -> Write {
    Write::SetSubmission {
        id: record.id,
        state,
        reply: reply.to_owned(),
        tries: record.tries,
        not_before,
    }
}

/// The user's word to send it (again).
///
/// # Errors
/// `Config` for one that does not wait for the user.
pub async fn resend(core: &Core, id: SubmissionId) -> Result<Outcome, Error> {
    let allowed = [
        SubmissionState::Held,
        SubmissionState::Uncertain,
        SubmissionState::Queued,
    ];
    let record = submission(core, id, &allowed).await?;
    let again = Write::SetSubmission {
        id,
        state: SubmissionState::Queued,
        reply: String::new(),
        tries: 0,
        not_before: None,
    };
    core.apply(record.account, vec![again], Durability::Full).await?;
    core.clear(Topic::Submission(record.account, id));
    Ok(done(&record, None, true))
}

/// Takes it out of the outbox.
///
/// # Errors
/// `Config` for one that is being sent or was.
pub async fn cancel(core: &Core, id: SubmissionId) -> Result<Outcome, Error> {
    let allowed = [
        SubmissionState::Queued,
        SubmissionState::Held,
        SubmissionState::Uncertain,
    ];
    let record = submission(core, id, &allowed).await?;
    let writes = vec![
        Write::RemoveSubmission(id),
        Write::PutSetting {
            key: draft_key(id),
            value: None,
        },
    ];
    core.apply(record.account, writes, Durability::Full).await?;
    core.clear(Topic::Submission(record.account, id));
    Ok(done(&record, None, false))
}

/// The user has seen that it arrived.
///
/// # Errors
/// `Config` for one whose fate is known.
pub async fn mark_sent(core: &Core, id: SubmissionId) -> Result<Outcome, Error> {
    let allowed = [SubmissionState::Uncertain, SubmissionState::Held];
    let record = submission(core, id, &allowed).await?;
    let _local = core.local().await;
    let mut writes = vec![set(
        &record,
        SubmissionState::Sent,
        "you said that it arrived",
        None,
    )];
    writes.extend(file::after_sending(core, &record).await?);
    core.apply(record.account, writes, Durability::Full).await?;
    core.clear(Topic::Submission(record.account, id));
    let mut outcome = done(&record, None, false);
    outcome.wake.push(record.account);
    Ok(outcome)
}

fn done(record: &SubmissionRecord, draft: Option<MessageId>, send: bool) -> Outcome {
    Outcome {
        receipt: Receipt {
            intent: None,
            messages: 1,
            draft,
            ..Receipt::default()
        },
        send: if send { vec![record.account] } else { Vec::new() },
        ..Outcome::default()
    }
}
