//! How many connections an account may have at once, and what goes over which. Servers allow few: what is refused
//! once is not asked for again soon.

use std::sync::{Arc, Mutex, MutexGuard, PoisonError};
use std::time::{Duration, Instant};

use posthorn_model::ErrorClass;

use crate::Error;
use crate::schedule::Pause;

/// What the server allowed is tried again after this long.
const FORGIVEN: Duration = Duration::from_secs(30 * 60);

/// Bodies worth a connection of their own: below, signing in costs more turns than it spares.
const OWN: u64 = 50;

/// Bytes after which the measured rate of a connection is believed.
const MEASURED: u64 = 2 << 20;
/// Bytes a second: below, compressing (RFC 4978) spares more time than it costs the server.
const SLOW: u64 = 1 << 20;

/// One turn with bodies takes about so long: a user who waits for another one is served after it.
const TURN: Duration = Duration::from_secs(2);
const SMALLEST_TURN: u64 = 1 << 20;
const LARGEST_TURN: u64 = 32 << 20;

/// An account's budget. The actor has one connection; whoever else connects takes a [`Permit`] first and keeps it as long as the connection.
#[derive(Debug)]
pub struct Connections {
    most: u32,
    state: Mutex<State>,
}

#[derive(Debug)]
struct State {
    open: u32,
    /// As the server said by refusing one more, and when.
    allowed: Option<(u32, Instant)>,
}

impl Connections {
    #[must_use]
    pub fn new(most: u8) -> Arc<Self> {
        Arc::new(Self {
            most: u32::from(most.max(1)),
            state: Mutex::new(State {
                // The actor's own, which is always tried.
                open: 1,
                allowed: None,
            }),
        })
    }

    /// For one more; `None` where the account has as many as it may.
    #[must_use]
    pub fn take_more(self: &Arc<Self>) -> Option<Permit> {
        let mut state = self.lock();
        if state
            .allowed
            .is_some_and(|(_, since)| since.elapsed() >= FORGIVEN)
        {
            state.allowed = None;
        }
        let most = state
            .allowed
            .map_or(self.most, |(allowed, _)| allowed.min(self.most));
        (state.open < most).then(|| {
            state.open += 1;
            Permit(Arc::clone(self))
        })
    }

    /// The server refused the connection that `permit` was for: as many as are open without it are the most.
    pub fn refused(&self, permit: Permit) {
        drop(permit);
        let mut state = self.lock();
        let allowed = state.open.max(1);
        log::info!("The server takes no more than {allowed} connections.");
        state.allowed = Some((allowed, Instant::now()));
    }

    fn lock(&self) -> MutexGuard<'_, State> {
        self.state.lock().unwrap_or_else(PoisonError::into_inner)
    }
}

/// The right to one connection.
#[derive(Debug)]
pub struct Permit(Arc<Connections>);

impl Drop for Permit {
    fn drop(&mut self) {
        let mut state = self.0.lock();
        state.open = state.open.saturating_sub(1);
    }
}

/// Whether a further connection failed because there are enough, as far as can be told: the password is good, since
/// another one stands.
#[must_use]
pub fn is_refusal(error: &Error) -> bool {
    error.pause == Pause::Crowded
        || matches!(
            error.class,
            ErrorClass::Auth | ErrorClass::Refused | ErrorClass::Quota
        )
}

/// Whether so many missing bodies are worth a connection of their own.
#[must_use]
pub const fn deserves_own(missing: u64) -> bool {
    missing >= OWN
}

/// Whether to compress, once that can be told.
#[must_use]
pub fn pays_to_compress(bytes: u64, took: Duration) -> Option<bool> {
    (bytes >= MEASURED).then(|| rate(bytes, took) < SLOW)
}

/// Bytes of bodies to ask for in one turn.
#[must_use]
pub fn turn_size(bytes: u64, took: Duration) -> u64 {
    if bytes == 0 {
        return SMALLEST_TURN * 4;
    }
    rate(bytes, took)
        .saturating_mul(TURN.as_secs())
        .clamp(SMALLEST_TURN, LARGEST_TURN)
}

/// Bytes a second.
pub fn rate(bytes: u64, took: Duration) -> u64 {
    let millis = u64::try_from(took.as_millis()).unwrap_or(u64::MAX).max(1);
    bytes.saturating_mul(1000) / millis
}

/// What failed, for a caller that goes on without this connection.
pub fn note(connections: &Connections, permit: Permit, error: &Error) {
    if is_refusal(error) {
        connections.refused(permit);
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn gives_as_many_as_there_may_be() {
        let connections = Connections::new(3);
        let more = connections.take_more().expect("a second");
        let third = connections.take_more().expect("a third");
        assert!(connections.take_more().is_none());
        drop(third);
        let third = connections.take_more().expect("given back");
        connections.refused(third);
        assert!(connections.take_more().is_none(), "the server takes two");
        drop(more);
        assert!(connections.take_more().is_some(), "two it is");
        assert!(Connections::new(0).take_more().is_none(), "the actor's own");
    }

    #[test]
    fn a_lost_connection_is_no_refusal() {
        let check = |class: ErrorClass, pause: Pause, expect: bool| {
            let error = Error {
                pause,
                ..Error::new(class, "no")
            };
            assert_eq!(is_refusal(&error), expect, "{class:?} {pause:?}");
        };
        check(ErrorClass::Network, Pause::Usual, false);
        check(ErrorClass::Network, Pause::Crowded, true);
        check(ErrorClass::Auth, Pause::Usual, true);
        check(ErrorClass::Refused, Pause::Usual, true);
        check(ErrorClass::Protocol, Pause::Usual, false);
    }

    #[test]
    fn compresses_slow_links_only() {
        let check = |bytes: u64, millis: u64, expect: Option<bool>| {
            assert_eq!(
                pays_to_compress(bytes, Duration::from_millis(millis)),
                expect,
                "{bytes} in {millis} ms"
            );
        };
        check(0, 0, None);
        check(1 << 20, 60_000, None);
        check(2 << 20, 100, Some(false));
        check(2 << 20, 1_999, Some(false));
        check(2 << 20, 2_100, Some(true));
        check(100 << 20, 50_000, Some(false));
    }

    #[test]
    fn turns_last_about_two_seconds() {
        let check = |bytes: u64, millis: u64, expect: u64| {
            assert_eq!(turn_size(bytes, Duration::from_millis(millis)), expect);
        };
        check(0, 0, 4 << 20);
        check(1 << 20, 1000, 2 << 20);
        check(10 << 10, 1000, 1 << 20);
        check(100 << 20, 1000, 32 << 20);
    }
}
