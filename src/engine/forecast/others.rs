//! What Thunderbird, Evolution and KMail would do with the same setting. Pure.
//!
//! The three write the same words and count differently. Thunderbird counts the days from its own download, KMail from
//! when it first saw the message, Evolution from the `Date` header that the sender wrote. Thunderbird and Evolution
//! have no limit by number or size; KMail has no "until I delete it here".

use posthorn_model::{LeaveOnServer, LedgerState, Pop3Policy, Timestamp};
use serde::Serialize;

use super::{Count, Forecast, HORIZON, Line, Maildrop, is_over};
use crate::pop3::plan::REMOVED_HERE;

/// Another program.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize)]
#[serde(rename_all = "lowercase")]
pub enum Client {
    Thunderbird,
    Evolution,
    KMail,
}

/// What "after N days" counts from.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize)]
#[serde(rename_all = "kebab-case")]
pub enum CountsFrom {
    ItsDownload,
    FirstSeen,
    DateHeader,
}

impl Client {
    pub const ALL: [Self; 3] = [Self::Thunderbird, Self::Evolution, Self::KMail];

    #[must_use]
    pub const fn name(self) -> &'static str {
        match self {
            Self::Thunderbird => "Thunderbird",
            Self::Evolution => "Evolution",
            Self::KMail => "KMail",
        }
    }

    #[must_use]
    pub const fn counts_from(self) -> CountsFrom {
        match self {
            Self::Thunderbird => CountsFrom::ItsDownload,
            Self::Evolution => CountsFrom::DateHeader,
            Self::KMail => CountsFrom::FirstSeen,
        }
    }

    /// What a new account has there.
    #[must_use]
    pub const fn usual(self) -> LeaveOnServer {
        match self {
            Self::Thunderbird => LeaveOnServer::Days(14),
            Self::Evolution => LeaveOnServer::Forever,
            Self::KMail => LeaveOnServer::Never,
        }
    }

    /// The part of the setting that this program has.
    #[must_use]
    pub fn has(self, policy: &Pop3Policy) -> Has {
        let rule = self != Self::KMail || policy.leave != LeaveOnServer::UntilRemoved;
        let limit = self == Self::KMail || policy.keep_at_most.is_none();
        Has { rule, limit }
    }

    /// When it would remove the message; `None`: not by this setting.
    #[must_use]
    pub fn removes(
        self,
        policy: &Pop3Policy,
        line: &Line,
        maildrop: &Maildrop,
        now: Timestamp,
    ) -> Option<Timestamp> {
        let row = maildrop.ledger.get(&line.listed.uidl);
        let by_rule = match policy.leave {
            LeaveOnServer::Forever => None,
            LeaveOnServer::Never => Some(now),
            LeaveOnServer::Days(days) => {
                let from = match self.counts_from() {
                    CountsFrom::ItsDownload => line.downloaded_at,
                    CountsFrom::FirstSeen => line.first_seen,
                    CountsFrom::DateHeader => maildrop
                        .letters
                        .get(&line.listed.uidl)
                        .and_then(|letter| letter.date),
                };
                // What is not known yet begins with the next check.
                Some(from.unwrap_or(now).plus_days(days))
            }
            LeaveOnServer::UntilRemoved => row
                .filter(|row| row.state == LedgerState::DeleteWanted && row.reason == REMOVED_HERE)
                .filter(|_| self.has(policy).rule)
                .map(|_| now),
        };
        let by_limit = (self.has(policy).limit && is_over(line)).then_some(now);
        by_rule.into_iter().chain(by_limit).min().map(|on| on.max(now))
    }
}

/// What of a setting another program knows.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize)]
pub struct Has {
    /// The rule for what is left on the server.
    pub rule: bool,
    /// The limit by number or size, where one is set.
    pub limit: bool,
}

/// Another program's doing, in figures.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize)]
pub struct Comparison {
    pub client: Client,
    pub counts_from: CountsFrom,
    pub has: Has,
    #[serde(serialize_with = "in_words")]
    pub usual: LeaveOnServer,
    pub leave_next: Count,
    pub leave_within: Count,
    pub stay: Count,
    /// Of what leaves there at the next check, what stays here for now.
    pub sooner: Count,
}

fn in_words<S: serde::Serializer>(leave: &LeaveOnServer, serializer: S) -> Result<S::Ok, S::Error> {
    serializer.collect_str(leave)
}

/// Lays the three beside a forecast.
#[must_use]
pub fn compare(maildrop: &Maildrop, policy: &Pop3Policy, forecast: &Forecast) -> Vec<Comparison> {
    let horizon = forecast.now.plus_days(HORIZON);
    let compare_one = |client: Client| {
        let mut comparison = Comparison {
            client,
            counts_from: client.counts_from(),
            has: client.has(policy),
            usual: client.usual(),
            leave_next: Count::default(),
            leave_within: Count::default(),
            stay: Count::default(),
            sooner: Count::default(),
        };
        for line in &forecast.lines {
            let size = line.listed.size;
            match client.removes(policy, line, maildrop, forecast.now) {
                Some(on) if on <= forecast.now => {
                    comparison.leave_next.add(size);
                    comparison.leave_within.add(size);
                    if line.leaves != super::Leaves::Next {
                        comparison.sooner.add(size);
                    }
                }
                Some(on) if on <= horizon => comparison.leave_within.add(size),
                Some(_) | None => comparison.stay.add(size),
            }
        }
        comparison
    };
    Client::ALL.into_iter().map(compare_one).collect()
}
