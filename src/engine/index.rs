//! Puts new mail into the search index, behind everything else: in small steps, and never while mail comes in.

use std::sync::atomic::Ordering;
use std::time::Duration;

use crate::shared::Shared;

/// Messages a step: about a twentieth of a second of the writer's time.
const STEP: usize = 100;

/// Between two steps while mail comes in.
const BESIDE: Duration = Duration::from_millis(500);

/// How long the end of the program waits for the index; the rest is done at the next start.
const AT_THE_END: Duration = Duration::from_secs(3);

/// Runs until the engine stops.
pub async fn run(core: Shared) {
    loop {
        let woken = core.unindexed.notified();
        match core.store.index_pending(STEP).await {
            Ok(0) => {
                if core.is_stopping() {
                    return;
                }
                tokio::select! {
                    () = woken => {}
                    () = core.stopped() => break,
                }
            }
            Ok(_) => {
                if core.is_stopping() {
                    break;
                }
                if core.fetching.load(Ordering::Relaxed) > 0 {
                    // Mail that comes in needs the writer more: one step now and then.
                    let _ = tokio::time::timeout(BESIDE, core.stopped()).await;
                }
                // Let those waiting for the writer go first.
                tokio::task::yield_now().await;
            }
            Err(error) => {
                log::warn!("Indexing stopped until the next start: {error}.");
                return;
            }
        }
    }
    let _ = tokio::time::timeout(AT_THE_END, finish(&core)).await;
}

async fn finish(core: &Shared) {
    while core.store.index_pending(STEP).await.is_ok_and(|done| done > 0) {}
}
