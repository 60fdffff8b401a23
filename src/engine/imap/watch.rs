//! Watches for news over a connection of its own: by NOTIFY of every mailbox (RFC 5465), else by IDLE of the inbox
//! (RFC 2177) and by asking the others for their STATUS in between. What it sees is only a hint: the actor looks
//! for itself.

use std::sync::Arc;
use std::time::Duration;

use posthorn_model::NetworkPolicy;
use posthorn_net::imap::Session;
use tokio::time::{Instant, sleep};

use super::connections;
use super::lookout::{Interrupt, Lookout, Perch};
use crate::Error;
use crate::account::{Post, connect};
use crate::link::{Onward, Vigil};
use crate::schedule::{Extent, Watching};
use crate::shared::Core;

/// How long until a server that told nothing by itself is asked again.
const AGAIN: Duration = Duration::from_secs(30 * 60);

/// How long until it is looked again whether there is room for one more connection.
const ROOM: Duration = Duration::from_secs(60);

/// A moment for a new network to carry something.
const SETTLE: Duration = Duration::from_millis(500);

/// How a watch ended.
enum Ended {
    /// The server tells nothing by itself: polling does it.
    Mute,
    /// The account has no connection to spare: the actor listens between passes.
    Crowded,
    Offline,
    /// The machine woke, or stands in another network.
    Moved,
    Failed(Error),
}

/// Runs while the account works in the background, until it stops.
pub async fn run(post: Arc<Post>) {
    let mut vigil = Vigil::default();
    let work = async {
        loop {
            be_ready(&post).await;
            let begun = Instant::now();
            let ended = watch(&post).await;
            post.watching.send_replace(Watching::Nothing);
            post.set_crowded(matches!(ended, Ended::Crowded));
            let wait = settle(&post, &mut vigil, ended, begun.elapsed());
            sleep(wait).await;
        }
    };
    tokio::select! {
        () = post.supervisor.stopped() => {}
        () = work => {}
    }
}

/// Trouble with signing in is told once, by the pass that met it: until one went well there is nothing to watch.
async fn be_ready(post: &Post) {
    let mut signed_in = post.signed_in.subscribe();
    let mut network = post.core.watch_network();
    let online = network.wait_for(|network| network.in_effect() != NetworkPolicy::Offline);
    // The senders live as long as the account: without them nothing is left to watch, and it is being stopped.
    if online.await.is_err() || signed_in.wait_for(|ready| *ready).await.is_err() {
        std::future::pending().await
    }
}

/// How long to wait before the next watch.
fn settle(post: &Post, vigil: &mut Vigil, ended: Ended, lasted: Duration) -> Duration {
    match ended {
        Ended::Mute => AGAIN,
        Ended::Crowded => ROOM,
        Ended::Offline => Duration::ZERO,
        Ended::Moved => {
            vigil.forget();
            SETTLE
        }
        Ended::Failed(error) => {
            log::info!("Watching account {} was interrupted: {error}.", post.id);
            // The next pass says whether the account works, and finds what came meanwhile.
            post.signed_in.send_replace(false);
            post.hint(Extent::All);
            match vigil.ended(lasted, error.pause, Core::chance()) {
                Onward::Again(wait) => wait,
                Onward::Poll(wait) => {
                    log::info!(
                        "Account {} is polled: its server ends every watch early.",
                        post.id
                    );
                    wait
                }
            }
        }
    }
}

async fn watch(post: &Post) -> Ended {
    let mut moves = post.core.watch_moves();
    moves.mark_unchanged();
    let Some(permit) = post.connections.take_more() else {
        return Ended::Crowded;
    };
    let mut session = tokio::select! {
        () = post.core.went_offline() => return Ended::Offline,
        Ok(()) = moves.changed() => return Ended::Moved,
        connected = connect(post) => match connected {
            Ok(session) => session,
            // One more than the server allows, as far as can be told: the actor's own has just worked.
            Err(error) if connections::is_refusal(&error) => {
                post.connections.refused(permit);
                return Ended::Crowded;
            }
            Err(error) => return Ended::Failed(error),
        },
    };
    post.set_crowded(false);
    let ended = tokio::select! {
        () = post.core.went_offline() => Ended::Offline,
        Ok(()) = moves.changed() => Ended::Moved,
        ended = listen(post, &mut session) => ended,
    };
    // Only where it is still in a state to hear it.
    if matches!(ended, Ended::Mute) {
        session.logout().await;
    }
    drop(permit);
    ended
}

async fn listen(post: &Post, session: &mut Session) -> Ended {
    let listening = async {
        let mut lookout = Lookout::new(post).await?;
        if !lookout.settle_in(post, session, Perch::Own).await? {
            return Ok::<_, Error>(Ended::Mute);
        }
        loop {
            post.watching.send_replace(lookout.watching());
            lookout.round(post, session, &mut Interrupt::never()).await?;
        }
    };
    listening.await.unwrap_or_else(Ended::Failed)
}
