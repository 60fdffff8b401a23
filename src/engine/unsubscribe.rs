//! Leaving a mailing list, because the user said so: one POST (RFC 8058), or a message to the list (RFC 2369).

use posthorn_mime::compose::{self, Draft};
use posthorn_model::{ErrorClass, MessageId, SubmissionId};

use crate::catalog::Catalog;
use crate::reading::{Reading, Unsubscribe};
use crate::shared::Shared;
use crate::{Error, Outgoing, outbox};

/// By which of the ways that [`Reading::unsubscribe`] lists.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum By {
    OneClick,
    Mail,
}

/// What was done.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum Unsubscribed {
    /// The server took the wish.
    Posted { host: String },
    /// A message to this address waits in the outbox.
    Queued { to: String, submission: SubmissionId },
}

/// # Errors
/// `Config` where the message does not offer this way; `Network` where the server was not reached or refused.
pub(crate) async fn perform(core: &Shared, message: MessageId, by: By) -> Result<Unsubscribed, Error> {
    let reading = Catalog::new(Shared::clone(core)).reading(message).await?;
    let reading = reading.ok_or_else(|| Error::config("there is no such message"))?;
    match by {
        By::OneClick => post(core, &reading).await,
        By::Mail => mail(core, &reading).await,
    }
}

fn not_offered() -> Error {
    Error::config("this message does not offer to unsubscribe this way")
}

async fn post(core: &Shared, reading: &Reading) -> Result<Unsubscribed, Error> {
    let found = reading.unsubscribe.iter().find_map(|way| match way {
        Unsubscribe::OneClick { url, host, .. } => Some((url.clone(), host.clone())),
        Unsubscribe::Mail { .. } | Unsubscribe::Web { .. } => None,
    });
    let (url, host) = found.ok_or_else(not_offered)?;
    if core.is_offline() {
        return Err(Error::new(
            ErrorClass::Network,
            "posthorn works offline: the list was not told",
        ));
    }
    let web = core.web().await?;
    let posting = tokio::task::spawn_blocking(move || posthorn_net::unsubscribe::post(&web, &url));
    let posted = posting
        .await
        .map_err(|_| Error::bug("unsubscribing failed unexpectedly"))?;
    match posted {
        Ok(()) => Ok(Unsubscribed::Posted { host }),
        Err(fault) => Err(Error {
            remedies: vec![posthorn_model::Remedy::TryAgain],
            ..Error::new(
                ErrorClass::Network,
                format!("{host} did not confirm that it unsubscribed you: {fault}"),
            )
        }),
    }
}

/// Only to the first address of the link: whoever else it names has nothing to do with it.
async fn mail(core: &Shared, reading: &Reading) -> Result<Unsubscribed, Error> {
    let config = core.config(reading.message.account);
    let config = config.ok_or_else(|| Error::config("there is no such account"))?;
    let links = reading.list.unsubscribe.iter();
    let mut wishes = links.filter_map(|url| compose::from_mailto(url));
    let wish = wishes.find(|wish| wish.to.iter().any(|to| to.email.contains('@')));
    let wish = wish.ok_or_else(not_offered)?;
    let to = wish
        .to
        .into_iter()
        .find(|to| to.email.contains('@'))
        .ok_or_else(not_offered)?;
    let draft = Draft {
        identity: config.identity,
        to: vec![to.clone()],
        subject: if wish.subject.is_empty() {
            "unsubscribe".to_owned()
        } else {
            wish.subject
        },
        body: wish.body,
        ..Draft::default()
    };
    let built = outbox::building::build(&draft, core.now())?;
    let outgoing = Outgoing {
        account: reading.message.account,
        raw: built.raw,
        recipients: built.recipients,
        at: None,
        draft: None,
    };
    let submission = outbox::submit::accept(core, outgoing).await?;
    Ok(Unsubscribed::Queued {
        to: to.email,
        submission,
    })
}
