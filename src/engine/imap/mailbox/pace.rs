//! Whether new messages come whole at once, or by their headers first. Pure.
//!
//! Headers first is the rule: a list is usable long before its bodies are here. Where all that is new is here whole
//! within seconds, asking for each message twice is work that nobody gains by, here and on the server.

use std::time::Duration;

use crate::imap::connections::rate;

/// Lists may wait so long for bodies, in one pass.
const PATIENCE: Duration = Duration::from_secs(8);
/// Whether bodies come fast enough is tried for about so long.
const TRIAL: Duration = Duration::from_millis(250);
/// Bytes: on a line so slow that a trial is less, and at most so much of it.
const SHORTEST_TRIAL: u64 = 128 << 10;
const LONGEST_TRIAL: u64 = 4 << 20;
/// Bytes that are asked for whole at once.
const SMALLEST_TURN: u64 = 1 << 20;
const LARGEST_TURN: u64 = 64 << 20;

/// How fast messages come in one pass.
#[derive(Debug, Default)]
pub struct Pace {
    headers: (u64, Duration),
    whole: (u64, Duration),
    /// Messages whose size is known, and those sizes.
    sizes: (u64, u64),
}

impl Pace {
    pub fn note_headers(&mut self, bytes: u64, took: Duration) {
        add(&mut self.headers, bytes, took);
    }

    pub fn note_whole(&mut self, bytes: u64, took: Duration) {
        add(&mut self.whole, bytes, took);
    }

    pub fn note_sizes(&mut self, messages: u64, bytes: u64) {
        self.sizes.0 += messages;
        self.sizes.1 = self.sizes.1.saturating_add(bytes);
    }

    /// Bytes of so many messages, as far as can be told.
    #[must_use]
    pub fn expect(&self, messages: u64) -> u64 {
        let (known, bytes) = self.sizes;
        (bytes / known.max(1)).saturating_mul(messages)
    }

    /// Bytes to ask for whole in the next turn, with `rest` to come in all; `None`: headers first.
    #[must_use]
    pub fn turn(&self, rest: u64) -> Option<u64> {
        let (bytes, took) = self.whole;
        if bytes == 0 {
            // Headers come more slowly than bodies do: what they show of the line is the least.
            let trial = within(rate(self.headers.0, self.headers.1), TRIAL).min(LONGEST_TRIAL);
            return (trial >= SHORTEST_TRIAL).then_some(trial);
        }
        let rate = rate(bytes, took);
        let left = PATIENCE.saturating_sub(took);
        (rest <= within(rate, left))
            .then(|| within(rate, Duration::from_secs(1)).clamp(SMALLEST_TURN, LARGEST_TURN))
    }
}

fn add(sum: &mut (u64, Duration), bytes: u64, took: Duration) {
    sum.0 = sum.0.saturating_add(bytes);
    sum.1 = sum.1.saturating_add(took);
}

/// Bytes in that time.
fn within(rate: u64, time: Duration) -> u64 {
    let millis = u64::try_from(time.as_millis()).unwrap_or(u64::MAX);
    rate.saturating_mul(millis) / 1000
}

#[cfg(test)]
mod tests {
    use super::*;

    const MS: fn(u64) -> Duration = Duration::from_millis;

    #[test]
    fn a_trial_is_short_on_any_line() {
        let check = |bytes: u64, millis: u64, expect: Option<u64>| {
            let mut pace = Pace::default();
            pace.note_headers(bytes, MS(millis));
            assert_eq!(pace.turn(u64::MAX), expect, "{bytes} in {millis} ms");
        };
        // Nothing is known of the line yet.
        check(0, 0, None);
        // 100 kB/s: a trial would bring a few messages and tell nothing.
        check(400_000, 4000, None);
        check(400_000, 200, Some(500_000));
        check(400_000, 1, Some(LONGEST_TRIAL));
    }

    #[test]
    fn comes_whole_where_all_is_here_in_seconds() {
        let check = |bytes: u64, millis: u64, rest: u64, expect: bool| {
            let mut pace = Pace::default();
            pace.note_headers(1 << 20, MS(10));
            pace.note_whole(bytes, MS(millis));
            assert_eq!(
                pace.turn(rest).is_some(),
                expect,
                "{bytes} in {millis} ms, then {rest}"
            );
        };
        check(10 << 20, 100, 700 << 20, true);
        check(10 << 20, 100, 900 << 20, false);
        check(1 << 20, 250, 200 << 20, false);
        check(1 << 20, 250, 20 << 20, true);
        // What was waited for counts: nothing is left of the patience.
        check(800 << 20, 8000, 1, false);
    }

    #[test]
    fn what_is_not_told_yet_is_as_large_as_what_is() {
        let mut pace = Pace::default();
        assert_eq!(pace.expect(10), 0);
        pace.note_sizes(4, 400);
        assert_eq!(pace.expect(10), 1000);
        pace.note_sizes(0, u64::MAX);
        assert_eq!(pace.expect(u64::MAX), u64::MAX);
    }
}
