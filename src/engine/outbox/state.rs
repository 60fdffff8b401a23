//! How far a submission has come, and what the next attempt may do (RFC 5321 section 4.2.1, RFC 6409). Pure.
//!
//! A submission is handed to SMTP at most once without the user's say: whatever may have been accepted is never
//! sent again by itself.

use std::time::Duration;

use posthorn_model::{ErrorClass, SubmissionState, Timestamp};

/// How an attempt ended.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum Ending {
    /// The server has it; some recipients may have been refused (address, the server's words).
    Accepted {
        reply: String,
        refused: Vec<(String, String)>,
    },
    /// The server has nothing and said so.
    Refused {
        class: ErrorClass,
        permanent: bool,
        reply: String,
    },
    /// It did not come to that.
    NotSent {
        class: ErrorClass,
        permanent: bool,
        reply: String,
    },
    /// The connection was lost after the final dot.
    Uncertain { reply: String },
}

/// What becomes of the submission.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Next {
    pub state: SubmissionState,
    pub reply: String,
    pub not_before: Option<Timestamp>,
    /// The class of the problem to show; `None` where all is well.
    pub problem: Option<ErrorClass>,
}

/// A submission found after a restart: one that was being handed over may have arrived.
#[must_use]
pub const fn found_at_start(state: SubmissionState) -> SubmissionState {
    match state {
        SubmissionState::Sending => SubmissionState::Uncertain,
        other => other,
    }
}

/// Why an attempt is made.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Occasion {
    /// The time has come.
    Timer,
    /// The user asked for a sync: do not wait out the back-off of an earlier failure.
    Asked,
}

/// Whether this submission is to be tried now. A delay that the user asked for is always kept.
#[must_use]
pub fn is_due(
    state: SubmissionState,
    not_before: Option<Timestamp>,
    tries: u32,
    now: Timestamp,
    occasion: Occasion,
) -> bool {
    let waited = not_before.is_none_or(|at| at <= now) || (tries > 0 && occasion == Occasion::Asked);
    state == SubmissionState::Queued && waited
}

/// What an attempt's ending means; `tries` counts it.
#[must_use]
pub fn after(ending: &Ending, tries: u32, now: Timestamp) -> Next {
    match ending {
        Ending::Accepted { reply, refused } if refused.is_empty() => Next {
            state: SubmissionState::Sent,
            reply: reply.clone(),
            not_before: None,
            problem: None,
        },
        Ending::Accepted { reply, refused } => Next {
            state: SubmissionState::Sent,
            reply: format!("{reply}; not accepted for {}", name_refused(refused)),
            not_before: None,
            problem: Some(ErrorClass::Refused),
        },
        Ending::Uncertain { reply } => Next {
            state: SubmissionState::Uncertain,
            reply: reply.clone(),
            not_before: None,
            problem: Some(ErrorClass::Network),
        },
        Ending::Refused {
            class,
            permanent,
            reply,
        }
        | Ending::NotSent {
            class,
            permanent,
            reply,
        } => failed(*class, *permanent, reply, tries, now),
    }
}

fn failed(class: ErrorClass, permanent: bool, reply: &str, tries: u32, now: Timestamp) -> Next {
    // Signing in and certificates are the account's trouble: the message waits for them, it is not refused.
    let hold = match class {
        ErrorClass::Auth | ErrorClass::Certificate | ErrorClass::Network => false,
        ErrorClass::Config => true,
        _ => permanent,
    };
    Next {
        state: if hold {
            SubmissionState::Held
        } else {
            SubmissionState::Queued
        },
        reply: reply.to_owned(),
        not_before: (!hold)
            .then(|| now.plus_seconds(backoff(tries).as_secs().try_into().unwrap_or(i64::MAX))),
        problem: Some(class),
    }
}

fn backoff(tries: u32) -> Duration {
    let doubled = 30u64.saturating_mul(1 << tries.saturating_sub(1).min(8));
    Duration::from_secs(doubled.min(3600))
}

fn name_refused(refused: &[(String, String)]) -> String {
    let named = refused
        .iter()
        .map(|(address, words)| format!("{address} ({words})"));
    named.collect::<Vec<_>>().join(", ")
}

#[cfg(test)]
mod tests {
    use super::*;
    use SubmissionState as State;

    fn words(text: &str) -> String {
        text.to_owned()
    }

    #[test]
    fn endings_lead_to_states() {
        let now = Timestamp(1000);
        let check = |ending: Ending, tries, state, not_before: Option<i64>, problem| {
            let next = after(&ending, tries, now);
            assert_eq!(
                (next.state, next.not_before, next.problem),
                (state, not_before.map(Timestamp), problem),
                "{ending:?}"
            );
        };
        let refused = |class, permanent| Ending::Refused {
            class,
            permanent,
            reply: words("no"),
        };
        let not_sent = |class| Ending::NotSent {
            class,
            permanent: false,
            reply: words("no"),
        };
        let accepted = |refused| Ending::Accepted {
            reply: words("250 ok"),
            refused,
        };
        check(accepted(vec![]), 1, State::Sent, None, None);
        let half = vec![(words("b@example.org"), words("550 no"))];
        check(accepted(half), 1, State::Sent, None, Some(ErrorClass::Refused));
        check(
            refused(ErrorClass::Refused, true),
            1,
            State::Held,
            None,
            Some(ErrorClass::Refused),
        );
        check(
            refused(ErrorClass::Refused, false),
            1,
            State::Queued,
            Some(1030),
            Some(ErrorClass::Refused),
        );
        check(
            not_sent(ErrorClass::Network),
            3,
            State::Queued,
            Some(1120),
            Some(ErrorClass::Network),
        );
        check(
            not_sent(ErrorClass::Network),
            99,
            State::Queued,
            Some(4600),
            Some(ErrorClass::Network),
        );
        check(
            not_sent(ErrorClass::Auth),
            1,
            State::Queued,
            Some(1030),
            Some(ErrorClass::Auth),
        );
        check(
            not_sent(ErrorClass::Config),
            1,
            State::Held,
            None,
            Some(ErrorClass::Config),
        );
        let lost = Ending::Uncertain { reply: words("lost") };
        check(lost, 1, State::Uncertain, None, Some(ErrorClass::Network));
    }

    #[test]
    fn never_tries_again_what_may_have_arrived() {
        for state in State::ALL {
            let found = found_at_start(state);
            let due = is_due(found, None, 0, Timestamp(0), Occasion::Asked);
            assert_eq!(due, state == State::Queued, "{state:?}");
        }
        assert_eq!(found_at_start(State::Sending), State::Uncertain);
    }

    #[test]
    fn keeps_the_users_delay_and_skips_its_own() {
        let check = |tries, occasion, expect| {
            let due = is_due(State::Queued, Some(Timestamp(10)), tries, Timestamp(5), occasion);
            assert_eq!(due, expect, "{tries} {occasion:?}");
        };
        check(0, Occasion::Timer, false);
        check(0, Occasion::Asked, false);
        check(1, Occasion::Timer, false);
        check(1, Occasion::Asked, true);
    }
}
