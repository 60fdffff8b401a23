//! The life of connections: what the network may be used for, whether the machine slept or went to another network,
//! and how a watch goes on when its connection ended. Pure: time, addresses and chance are passed in.

use std::time::Duration;

use posthorn_model::{ErrorClass, NetworkPolicy};

use crate::schedule::{self, Pause};

/// The setting that keeps the user's word on the network.
pub const NETWORK: &str = "network";

/// What the network may be used for, and who says so.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub struct Network {
    /// The user's word.
    pub chosen: NetworkPolicy,
    /// The system says that its connection is metered.
    pub metered: bool,
}

impl Network {
    #[must_use]
    pub const fn in_effect(self) -> NetworkPolicy {
        self.chosen.on_metered_connection(self.metered)
    }
}

/// Between two looks at the clock and the way to the network.
pub const LOOK: Duration = Duration::from_secs(5);

/// Between two looks while the way to the network is changing.
pub const LOOK_CLOSER: Duration = Duration::from_secs(1);

/// More time than this went by unnoticed: the machine slept.
const NAP: Duration = Duration::from_secs(20);

/// Whether the machine slept (or this program was stopped) between two looks `LOOK` apart. On some systems the
/// monotonic clock stands still meanwhile and only the wall clock goes on; on others both do. A wall clock that
/// somebody sets ahead looks the same, and costs one connection.
#[must_use]
pub fn has_slept(monotonic: Duration, wall: Duration) -> bool {
    monotonic > LOOK + NAP || wall > monotonic + NAP
}

/// How long a new way to the network must last before connections move over to it.
const SETTLE: Duration = Duration::from_secs(2);

/// Follows the way to the network. `T` is what tells one way from another: the addresses that this machine would
/// speak from. The default is no network at all.
#[derive(Clone, Debug)]
pub struct Route<T> {
    /// What connections stand on; `None` before the first look.
    settled: Option<T>,
    seen: T,
    since: Duration,
    /// The network was away for a while.
    lost: bool,
}

impl<T: Clone + Default + PartialEq> Route<T> {
    #[must_use]
    pub fn new() -> Self {
        Self {
            settled: None,
            seen: T::default(),
            since: Duration::ZERO,
            lost: false,
        }
    }

    /// Takes a look at the time `now`. True: connections made before are to be given up. That the network goes away
    /// alone ends nothing: it may come back as it was within a moment.
    pub fn observe(&mut self, now: Duration, seen: T) -> bool {
        let Some(settled) = &self.settled else {
            self.seen = seen.clone();
            self.settled = Some(seen);
            return false;
        };
        if seen != self.seen {
            self.seen = seen;
            self.since = now;
            return false;
        }
        if now.saturating_sub(self.since) < SETTLE {
            return false;
        }
        if seen == T::default() {
            self.lost |= *settled != seen;
            return false;
        }
        let moved = self.lost || *settled != seen;
        self.settled = Some(seen);
        self.lost = false;
        moved
    }

    /// Whether a closer look is worth it.
    #[must_use]
    pub fn is_changing(&self, now: Duration) -> bool {
        self.settled.as_ref().is_some_and(|settled| *settled != self.seen)
            && now.saturating_sub(self.since) <= SETTLE
    }
}

impl<T: Clone + Default + PartialEq> Default for Route<T> {
    fn default() -> Self {
        Self::new()
    }
}

/// How a watch goes on.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Onward {
    /// Again after this long.
    Again(Duration),
    /// Not with this server for now: leave it to polling for so long.
    Poll(Duration),
}

/// Counts watches that ended early: a server that hangs up on whoever waits is polled instead.
#[derive(Clone, Debug, Default)]
pub struct Vigil {
    short: u32,
}

impl Vigil {
    /// A watch that lasted this long was worth its connection.
    const LONG: Duration = Duration::from_secs(60);
    const TRIES: u32 = 6;
    const POLLING: Duration = Duration::from_secs(60 * 60);

    pub fn ended(&mut self, lasted: Duration, pause: Pause, chance: u8) -> Onward {
        if lasted >= Self::LONG {
            self.short = 0;
        }
        self.short += 1;
        if self.short >= Self::TRIES {
            self.short = 0;
            return Onward::Poll(Self::POLLING);
        }
        let wait = schedule::retry_after(ErrorClass::Network, pause, self.short, chance);
        wait.map_or(Onward::Poll(Self::POLLING), Onward::Again)
    }

    /// The network is another one: what this server did to us before may have been its fault.
    pub const fn forget(&mut self) {
        self.short = 0;
    }
}

/// Keeps a server that never stops telling news from keeping us busy.
#[derive(Clone, Debug, Default)]
pub struct Calm {
    /// News heard lately, in thirds: each fades away within three seconds.
    level: Duration,
    last: Duration,
}

impl Calm {
    const FADES: Duration = Duration::from_secs(3);
    /// So many in a row are ordinary: somebody tidies up elsewhere.
    const ORDINARY: u32 = 20;
    const LONGEST: Duration = Duration::from_secs(60);

    /// How long not to listen after news at the time `now`.
    pub fn after_news(&mut self, now: Duration) -> Duration {
        let passed = now.saturating_sub(self.last);
        self.last = now;
        self.level = self.level.saturating_sub(passed) + Self::FADES;
        let over = self.level.saturating_sub(Self::FADES * Self::ORDINARY);
        if over.is_zero() {
            return Duration::ZERO;
        }
        // One second, doubled with every five more.
        let doubled = 2f64.powf(over.as_secs_f64() / (Self::FADES.as_secs_f64() * 5.0));
        Duration::from_secs_f64(doubled.min(Self::LONGEST.as_secs_f64()))
    }
}

#[cfg(test)]
mod tests;
