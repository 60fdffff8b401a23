//! When an account is looked at again, and how much of it: polling, and backing off after failures. Pure: time and
//! chance are passed in.

use std::collections::BTreeSet;
use std::time::Duration;

use posthorn_model::{ErrorClass, MailboxId, NetworkPolicy, Protocol};

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

/// How news of an IMAP account come while nobody asks.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub enum Watching {
    /// They do not: only polling finds them.
    #[default]
    Nothing,
    /// Of the inbox by IDLE (RFC 2177); other mailboxes are asked for their STATUS.
    Inbox,
    /// Of every mailbox by NOTIFY (RFC 5465).
    Everything,
}

/// How long the whole account is left alone between two looks.
#[must_use]
pub fn poll_interval(protocol: Protocol, watching: Watching, policy: NetworkPolicy, chance: u8) -> Duration {
    let minutes = match (protocol, watching) {
        (Protocol::Pop3, _) => 10,
        (Protocol::Imap, Watching::Nothing) => 5,
        // The rest is for what STATUS does not show, and for servers that forget to tell.
        (Protocol::Imap, Watching::Inbox) => 15,
        (Protocol::Imap, Watching::Everything) => 30,
    };
    spread(slower(Duration::from_secs(minutes * 60), policy), chance)
}

/// How often a mailbox that is not watched is asked for its STATUS; `None`: never. `wanted`: the user has looked at
/// it, or is subscribed to it.
#[must_use]
pub fn status_interval(wanted: Wanted, policy: NetworkPolicy) -> Option<Duration> {
    let minutes = match (wanted, policy) {
        (Wanted::Visited | Wanted::Subscribed, NetworkPolicy::Online) | (Wanted::Visited, _) => 2,
        (Wanted::No, NetworkPolicy::Online) => 5,
        (Wanted::Subscribed | Wanted::No, NetworkPolicy::Metered | NetworkPolicy::Offline) => return None,
    };
    Some(slower(Duration::from_secs(minutes * 60), policy))
}

/// How much the user cares for a mailbox, as far as can be told.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord)]
pub enum Wanted {
    No,
    Subscribed,
    /// Opened since the program started.
    Visited,
}

fn slower(wait: Duration, policy: NetworkPolicy) -> Duration {
    if policy == NetworkPolicy::Online {
        wait
    } else {
        wait * 4
    }
}

/// Between 75 % and 125 %: many clients must not come all at once.
fn spread(wait: Duration, chance: u8) -> Duration {
    wait.mul_f64(0.75 + f64::from(chance) / 510.0)
}

/// What a server that turned us away wants us to wait.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub enum Pause {
    #[default]
    Usual,
    /// It is not well (RFC 5530 section 3, RFC 3206).
    Busy,
    /// Somebody else has the mailbox open (RFC 5530 section 3, RFC 2449 section 8.1.1), often for a moment only.
    Locked,
    /// There are too many of us, or we come too often (RFC 5530 LIMIT, RFC 2449 LOGIN-DELAY).
    Crowded,
}

impl Pause {
    /// What the server's words ask for: its response code, and where it gives none, what servers usually write.
    #[must_use]
    pub fn asked_by(words: &str) -> Self {
        let words = words.to_ascii_uppercase();
        let code = words
            .split_once('[')
            .and_then(|(_, rest)| rest.split([']', ' ']).next())
            .unwrap_or_default();
        match code {
            "UNAVAILABLE" | "SERVERBUG" | "SYS/TEMP" => Self::Busy,
            "INUSE" | "IN-USE" => Self::Locked,
            "LIMIT" | "LOGIN-DELAY" | "THROTTLED" => Self::Crowded,
            _ if words.contains("TOO MANY") || words.contains("TOO FREQUENT") => Self::Crowded,
            _ if words.contains("LOCK") && words.contains("MAILDROP") => Self::Locked,
            _ => Self::Usual,
        }
    }

    const fn least(self) -> Duration {
        Duration::from_secs(match self {
            Self::Usual => 0,
            Self::Busy | Self::Locked => 30,
            Self::Crowded => 5 * 60,
        })
    }
}

/// How long to wait before trying again after `failures` failures in a row; `chance` in 0..=255 spreads many
/// clients over time. `None`: not before the user has acted.
#[must_use]
pub fn retry_after(class: ErrorClass, pause: Pause, failures: u32, chance: u8) -> Option<Duration> {
    let first = match class {
        ErrorClass::Auth | ErrorClass::Certificate | ErrorClass::Config | ErrorClass::Suspicious => {
            return None;
        }
        ErrorClass::Network => Duration::from_secs(2),
        ErrorClass::Refused | ErrorClass::Protocol | ErrorClass::Quota | ErrorClass::Limited => {
            Duration::from_secs(60)
        }
        ErrorClass::Disk | ErrorClass::Corrupt | ErrorClass::Bug => Duration::from_secs(30),
    };
    let doubled = first.max(pause.least()).saturating_mul(
        1u32.checked_shl(failures.saturating_sub(1).min(16))
            .unwrap_or(u32::MAX),
    );
    let capped = doubled.min(LONGEST);
    Some(spread(capped, chance))
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
        let check_pause = |class, pause, failures, expect: Option<u64>| {
            let wait = retry_after(class, pause, failures, 127);
            let wait = wait.map(|wait| (wait + Duration::from_millis(500)).as_secs());
            assert_eq!(wait, expect, "{class:?} {pause:?} {failures}");
        };
        let check = |class, failures, expect| check_pause(class, Pause::Usual, failures, expect);
        check(ErrorClass::Network, 1, Some(2));
        check(ErrorClass::Network, 2, Some(4));
        check(ErrorClass::Network, 5, Some(32));
        check(ErrorClass::Network, 40, Some(899));
        check(ErrorClass::Refused, 1, Some(60));
        check(ErrorClass::Auth, 1, None);
        check(ErrorClass::Certificate, 9, None);
        check_pause(ErrorClass::Network, Pause::Busy, 1, Some(30));
        check_pause(ErrorClass::Network, Pause::Crowded, 1, Some(300));
        check_pause(ErrorClass::Network, Pause::Crowded, 9, Some(899));
        check_pause(ErrorClass::Refused, Pause::Busy, 1, Some(60));
        check_pause(ErrorClass::Auth, Pause::Busy, 1, None);
    }

    #[test]
    fn servers_say_how_long_to_stay_away() {
        let check = |words, expect| assert_eq!(Pause::asked_by(words), expect, "{words}");
        check("[UNAVAILABLE] later", Pause::Busy);
        check("[InUse] locked", Pause::Locked);
        check("[IN-USE] do you have another session?", Pause::Locked);
        check("[SYS/TEMP] database away", Pause::Busy);
        check("[LIMIT] 10 sessions", Pause::Crowded);
        check("[LOGIN-DELAY] wait", Pause::Crowded);
        check(
            "[ALERT] Too many simultaneous connections. (Failure)",
            Pause::Crowded,
        );
        check("login failed", Pause::Usual);
        check("[", Pause::Usual);
        check("", Pause::Usual);
    }

    #[test]
    fn polls_the_less_the_more_is_told() {
        use NetworkPolicy::{Metered, Online};
        let check = |protocol, watching, policy, expect| {
            let wait = poll_interval(protocol, watching, policy, 127) + Duration::from_secs(5);
            assert_eq!(
                wait.as_secs() / 60,
                expect,
                "{protocol:?} {watching:?} {policy:?}"
            );
        };
        check(Protocol::Imap, Watching::Nothing, Online, 5);
        check(Protocol::Imap, Watching::Inbox, Online, 15);
        check(Protocol::Imap, Watching::Everything, Online, 30);
        check(Protocol::Imap, Watching::Nothing, Metered, 20);
        check(Protocol::Pop3, Watching::Nothing, Online, 10);
        check(Protocol::Pop3, Watching::Nothing, Metered, 40);
    }

    #[test]
    fn mailboxes_that_are_looked_at_are_asked_more_often() {
        use NetworkPolicy::{Metered, Online};
        let check = |wanted, policy, expect: Option<u64>| {
            let wait = status_interval(wanted, policy).map(|wait| wait.as_secs() / 60);
            assert_eq!(wait, expect, "{wanted:?} {policy:?}");
        };
        check(Wanted::Visited, Online, Some(2));
        check(Wanted::Subscribed, Online, Some(2));
        check(Wanted::No, Online, Some(5));
        check(Wanted::Visited, Metered, Some(8));
        check(Wanted::Subscribed, Metered, None);
        check(Wanted::No, Metered, None);
    }

    #[test]
    fn chance_spreads_the_wait() {
        let wait =
            |chance| retry_after(ErrorClass::Network, Pause::Usual, 3, chance).map(|wait| wait.as_millis());
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
