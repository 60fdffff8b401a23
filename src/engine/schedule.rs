//! When an account is looked at again, and how much of it: polling, and backing off after failures. Pure: time and
//! chance are passed in.

use std::collections::BTreeSet;
use std::time::Duration;

use posthorn_model::{ErrorClass, MailboxId, Protocol};

/// How much of an account a pass looks at. Operations that wait are pushed by every pass.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum Extent {
    /// Only what waits for the server.
    Operations,
    /// These mailboxes. One that is gone meanwhile is left out.
    Mailboxes(BTreeSet<MailboxId>),
    /// The list of mailboxes, and every one of them.
    All,
}

impl Extent {
    /// What covers both: two passes that are due become one.
    #[must_use]
    pub fn merge(self, other: Self) -> Self {
        match (self, other) {
            (Self::All, _) | (_, Self::All) => Self::All,
            (Self::Operations, other) | (other, Self::Operations) => other,
            (Self::Mailboxes(mut some), Self::Mailboxes(others)) => {
                some.extend(others);
                Self::Mailboxes(some)
            }
        }
    }
}

/// The longest wait after failures.
const LONGEST: Duration = Duration::from_secs(15 * 60);

/// How long mailboxes are left alone between two looks.
#[must_use]
pub const fn poll_interval(protocol: Protocol) -> Duration {
    match protocol {
        Protocol::Imap => Duration::from_secs(5 * 60),
        Protocol::Pop3 => Duration::from_secs(10 * 60),
    }
}

/// How long to wait before trying again after `failures` failures in a row; `chance` in 0..=255 spreads many
/// clients over time. `None`: not before the user has acted.
#[must_use]
pub fn retry_after(class: ErrorClass, failures: u32, chance: u8) -> Option<Duration> {
    let first = match class {
        ErrorClass::Auth | ErrorClass::Certificate | ErrorClass::Config | ErrorClass::Suspicious => {
            return None;
        }
        ErrorClass::Network => Duration::from_secs(2),
        ErrorClass::Refused | ErrorClass::Protocol | ErrorClass::Quota => Duration::from_secs(60),
        ErrorClass::Disk | ErrorClass::Corrupt | ErrorClass::Bug => Duration::from_secs(30),
    };
    let doubled = first.saturating_mul(
        1u32.checked_shl(failures.saturating_sub(1).min(16))
            .unwrap_or(u32::MAX),
    );
    let capped = doubled.min(LONGEST);
    // Between 75 % and 125 %.
    Some(capped.mul_f64(0.75 + f64::from(chance) / 510.0))
}

/// Panics of one account's tasks: how often it is started again.
#[derive(Clone, Debug, Default)]
pub struct Strikes {
    /// Seconds of the last panics.
    times: Vec<i64>,
}

impl Strikes {
    const WINDOW: i64 = 180;
    const LIMIT: usize = 3;

    /// Counts a panic; how long to wait before starting again, or `None` to stop the account.
    pub fn count(&mut self, now: posthorn_model::Timestamp) -> Option<Duration> {
        self.times.retain(|at| now.0 - at < Self::WINDOW);
        self.times.push(now.0);
        let strikes = self.times.len();
        (strikes < Self::LIMIT).then(|| Duration::from_secs(if strikes == 1 { 1 } else { 5 }))
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use posthorn_model::Timestamp;

    #[test]
    fn two_extents_become_what_covers_both() {
        let some = |ids: &[i64]| Extent::Mailboxes(ids.iter().copied().map(MailboxId).collect());
        let check = |one: &Extent, other: &Extent, expect: &Extent| {
            assert_eq!(&one.clone().merge(other.clone()), expect);
            assert_eq!(&other.clone().merge(one.clone()), expect);
        };
        check(&Extent::Operations, &Extent::Operations, &Extent::Operations);
        check(&Extent::Operations, &some(&[1]), &some(&[1]));
        check(&some(&[1, 2]), &some(&[2, 3]), &some(&[1, 2, 3]));
        check(&some(&[1]), &Extent::All, &Extent::All);
        check(&Extent::Operations, &Extent::All, &Extent::All);
    }

    #[test]
    fn backs_off_by_class() {
        let check = |class, failures, expect: Option<u64>| {
            let wait =
                retry_after(class, failures, 128).map(|wait| (wait + Duration::from_millis(500)).as_secs());
            assert_eq!(wait, expect, "{class:?} {failures}");
        };
        check(ErrorClass::Network, 1, Some(2));
        check(ErrorClass::Network, 2, Some(4));
        check(ErrorClass::Network, 5, Some(32));
        check(ErrorClass::Network, 40, Some(901));
        check(ErrorClass::Refused, 1, Some(60));
        check(ErrorClass::Auth, 1, None);
        check(ErrorClass::Certificate, 9, None);
    }

    #[test]
    fn chance_spreads_the_wait() {
        let wait = |chance| retry_after(ErrorClass::Network, 3, chance).map(|wait| wait.as_millis());
        assert_eq!(wait(0), Some(6000));
        assert_eq!(wait(255), Some(10_000));
    }

    #[test]
    fn third_panic_in_three_minutes_stops() {
        let mut strikes = Strikes::default();
        assert!(strikes.count(Timestamp(0)).is_some());
        assert!(strikes.count(Timestamp(100)).is_some());
        assert!(strikes.count(Timestamp(200)).is_some(), "the first is forgotten");
        assert!(strikes.count(Timestamp(201)).is_none());
    }
}
