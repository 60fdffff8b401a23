//! Time that moves only when a test says so.

use std::sync::Arc;
use std::sync::atomic::{AtomicI64, Ordering};

use posthorn_model::Timestamp;

/// A clock; clones show the same time.
#[derive(Clone, Debug)]
pub struct ManualClock(Arc<AtomicI64>);

impl ManualClock {
    #[must_use]
    pub fn new(start: Timestamp) -> Self {
        Self(Arc::new(AtomicI64::new(start.0)))
    }

    #[must_use]
    pub fn now(&self) -> Timestamp {
        Timestamp(self.0.load(Ordering::SeqCst))
    }

    pub fn advance(&self, seconds: i64) {
        self.0.fetch_add(seconds, Ordering::SeqCst);
    }

    pub fn advance_days(&self, days: i64) {
        self.advance(days * Timestamp::DAY);
    }
}

/// 2025-06-15T12:00:00Z, a Sunday: when tests begin.
impl Default for ManualClock {
    fn default() -> Self {
        Self::new(Timestamp(1_749_988_800))
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn moves_when_told() {
        let clock = ManualClock::default();
        let other = clock.clone();
        clock.advance_days(2);
        assert_eq!(other.now().to_string(), "2025-06-17T12:00:00Z");
    }
}
