//! Puts mail into the search index, behind everything else: in small steps, and never while mail comes in.

use std::sync::Arc;
use std::time::Duration;

use posthorn_store::TextOf;

use crate::Error;
use crate::shared::Shared;

/// Messages a step: about a twentieth of a second of the writer's time.
const STEP: usize = 100;

/// Between two steps while mail comes in.
const BESIDE: Duration = Duration::from_secs(2);

/// Messages for which the end of the program waits; more are left to the next start, or to the next search.
const AT_THE_END: u64 = 300;

/// Runs until the engine stops.
pub async fn run(core: Shared) {
    let outcome = follow(&core).await;
    let few = core
        .store
        .coverage()
        .await
        .is_ok_and(|seen| seen.pending <= AT_THE_END);
    let ended = match outcome {
        Ok(()) if few => finish(&core).await,
        other => other,
    };
    if let Err(error) = ended {
        log::warn!("Indexing stopped until the next start: {error}.");
    }
}

async fn follow(core: &Shared) -> Result<(), Error> {
    while !core.is_stopping() {
        let woken = core.unindexed.notified();
        if core.takes_mail_in() {
            // Mail that comes in needs the processor and the writer more: one step now and then.
            let _ = tokio::time::timeout(BESIDE, core.stopped()).await;
        }
        if !core.is_stopping() && step(core).await? == 0 {
            tokio::select! {
                () = woken => {}
                () = core.stopped() => {}
            }
        }
        // Let those waiting for the writer go first.
        tokio::task::yield_now().await;
    }
    Ok(())
}

/// Until nothing waits.
pub async fn finish(core: &Shared) -> Result<(), Error> {
    while step(core).await? > 0 {}
    Ok(())
}

/// How many messages it took.
async fn step(core: &Shared) -> Result<usize, Error> {
    // One at a time: two would read the same messages.
    let _turn = core.indexing.lock().await;
    let text_of: TextOf = Arc::new(|raw: &[u8]| posthorn_mime::parse(raw).index_text.unwrap_or_default());
    Ok(core.store.index_pending(STEP, text_of).await?)
}
