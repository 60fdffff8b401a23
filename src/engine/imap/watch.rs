//! Watches the inbox by IDLE (RFC 2177). What it sees is only a hint: the actor looks for itself.

use std::sync::Arc;
use std::time::Duration;

use posthorn_model::{ErrorClass, SpecialUse};
use posthorn_net::imap::{Access, IdleEvent};

use crate::Error;
use crate::account::{Post, connect};
use crate::schedule::{self, Extent};
use crate::shared::Core;

/// One wait: the command is renewed well within it.
const WAIT: Duration = Duration::from_secs(25 * 60);

/// Runs while the account works in the background; ends where the server has no IDLE: polling does it then.
pub async fn run(post: Arc<Post>) {
    let mut failures = 0;
    loop {
        let mut signed_in = post.signed_in.subscribe();
        tokio::select! {
            () = post.supervisor.stopped() => return,
            // Trouble with signing in is told once, by the pass that met it.
            ready = async { signed_in.wait_for(|ready| *ready).await.is_ok() } => if !ready {
                return;
            },
        }
        let watched = tokio::select! {
            () = post.supervisor.stopped() => return,
            watched = watch(&post, &mut failures) => watched,
        };
        let Err(error) = watched else {
            return;
        };
        failures += 1;
        log::info!("Watching account {} was interrupted: {error}.", post.id);
        // The next pass says whether the account works; until then there is nothing to watch.
        post.signed_in.send_replace(false);
        post.hint(Extent::All);
        let Some(pause) = schedule::retry_after(ErrorClass::Network, error.pause, failures, Core::chance())
        else {
            return;
        };
        tokio::select! {
            () = post.supervisor.stopped() => return,
            () = tokio::time::sleep(pause) => {}
        }
    }
}

/// `Ok` where the server has no IDLE.
async fn watch(post: &Post, failures: &mut u32) -> Result<(), Error> {
    let mailboxes = post.core.store.mailboxes(Some(post.id)).await?;
    let inbox = mailboxes
        .into_iter()
        .find(|mailbox| mailbox.special_use == Some(SpecialUse::Inbox));
    let inbox = inbox.ok_or_else(|| Error::new(ErrorClass::Network, "the inbox is not known yet"))?;
    let mut session = connect(post).await?;
    if !session.capabilities().has("IDLE") {
        session.logout().await;
        return Ok(());
    }
    session.select(&inbox.name, Access::Examine, None).await?;
    let look = || Extent::Mailboxes([inbox.id].into());
    // What came between the last pass and now.
    post.hint(look());
    *failures = 0;
    loop {
        let told = tokio::select! {
            () = post.core.went_offline() => None,
            told = session.idle(WAIT) => Some(told?),
        };
        match told {
            Some(IdleEvent::Changed) => {
                post.hint(look());
            }
            Some(IdleEvent::Timeout) => {}
            None => {
                session.logout().await;
                return Err(Error::new(ErrorClass::Network, "posthorn is set to work offline"));
            }
        }
    }
}
