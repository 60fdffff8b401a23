//! Looks at the clock and at the way to the network every few seconds, for the whole program: [`crate::link`]
//! decides what that means. Nothing is sent.

use std::time::Duration;

use posthorn_net::{metered, route};
use tokio::time::Instant;

use crate::link::{LOOK, LOOK_CLOSER, Route, has_slept};
use crate::shared::Shared;

/// Tests do not wait.
#[cfg(test)]
const HASTE: u32 = 100;
#[cfg(not(test))]
const HASTE: u32 = 1;

/// Runs until the engine stops.
pub async fn run(core: Shared) {
    let begun = Instant::now();
    let mut way = Route::<route::Route>::new();
    let (mut looked_at, mut wall) = (begun, core.now());
    let mut metered = metered::watch_metered();
    loop {
        let now = begun.elapsed();
        let moved = way.observe(now, route::Route::look());
        let passed = u64::try_from(core.now().0.saturating_sub(wall.0)).unwrap_or(0);
        let slept = has_slept(looked_at.elapsed(), Duration::from_secs(passed));
        (looked_at, wall) = (Instant::now(), core.now());
        if moved || slept {
            log::info!(
                "Connections are made anew: {}.",
                if slept {
                    "the machine slept"
                } else {
                    "the network is another one"
                }
            );
            core.note_move();
        }
        let wait = if way.is_changing(now) { LOOK_CLOSER } else { LOOK };
        tokio::select! {
            () = core.stopped() => return,
            () = tokio::time::sleep(wait / HASTE) => {}
            // An error: nobody says so any more, and what was said last stays.
            Ok(()) = metered.changed() => {
                let metered = *metered.borrow_and_update();
                core.set_network(|network| network.metered = metered);
            }
        }
    }
}
