//! What a POP3 policy will do: message by message, at the next check and within thirty days. Pure.
//!
//! The forecast is the check's own plan ([`plan::plan`]), read instead of carried out. Beside it stands what other
//! programs would do with the same setting ([`others`]): their words are the same, and they count from other days.

pub mod others;

use std::collections::BTreeMap;

use posthorn_model::{KeepAtMost, LeaveOnServer, LedgerState, MessageId, MsgNo, Pop3Policy, Timestamp, Uidl};
use serde::Serialize;

use crate::pop3::plan::{self, Act, Due, Ledger, Listed, Naming, Reason, Situation, Step, Suspicion, Told};

/// How far a forecast looks.
pub const HORIZON: u16 = 30;

/// What a forecast is made from.
#[derive(Clone, Debug, Default)]
pub struct Maildrop {
    /// What the server lists, or is thought to list.
    pub listed: Vec<Listed>,
    pub ledger: Ledger,
    /// What people know the messages by that are here.
    pub letters: BTreeMap<Uidl, Letter>,
    /// When the server was last asked; `None`: never.
    pub checked_at: Option<Timestamp>,
    /// The server was asked just now; otherwise this is what the last check left.
    pub live: bool,
    pub accepted: bool,
    pub tripped: bool,
    pub hides_fetched: bool,
}

/// What a message says of itself.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct Letter {
    pub subject: String,
    pub from: String,
    /// The `Date` header, or the day of receipt.
    pub date: Option<Timestamp>,
}

impl Maildrop {
    /// Without asking the server: what the last check left there.
    #[must_use]
    pub fn remembered(ledger: Ledger) -> Self {
        let mut there: Vec<_> = ledger
            .values()
            .filter(|row| {
                matches!(
                    row.state,
                    LedgerState::Seen | LedgerState::Downloaded | LedgerState::DeleteWanted
                )
            })
            .collect();
        there.sort_by(|a, b| (a.first_seen, &a.uidl).cmp(&(b.first_seen, &b.uidl)));
        let listed = there
            .into_iter()
            .zip(1..)
            .map(|(row, number)| Listed {
                number: MsgNo(number),
                uidl: row.uidl.clone(),
                naming: Naming::Server,
                size: row.size.or(row.served),
            })
            .collect();
        Self {
            listed,
            ledger,
            ..Self::default()
        }
    }
}

/// When a message leaves the server.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize)]
#[serde(rename_all = "kebab-case")]
pub enum Leaves {
    /// At the next check.
    Next,
    /// On this day, or at the first check after it.
    On(Timestamp),
    /// It is due, and stays until the user has looked at what vanished.
    Held,
    /// Not by this policy.
    Never,
}

/// One message on the server.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Line {
    pub listed: Listed,
    pub message: Option<MessageId>,
    pub first_seen: Option<Timestamp>,
    pub downloaded_at: Option<Timestamp>,
    /// What the next check does with it, and why.
    pub act: Act,
    pub reason: Reason,
    pub leaves: Leaves,
    /// Why it leaves.
    pub due: Option<Due>,
}

/// Messages and their octets, as far as the server has told those.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, Serialize)]
pub struct Count {
    pub messages: u64,
    pub bytes: u64,
}

impl Count {
    pub(crate) fn add(&mut self, size: Option<u64>) {
        self.messages += 1;
        self.bytes = self.bytes.saturating_add(size.unwrap_or(0));
    }
}

/// The forecast in figures.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, Serialize)]
pub struct Totals {
    pub on_server: Count,
    /// Come whole at the next check.
    pub download: Count,
    /// Come as headers at the next check.
    pub headers: Count,
    /// Leave the server at the next check.
    pub leave_next: Count,
    /// Leave it within thirty days, the next check included.
    pub leave_within: Count,
    /// Are due, and wait for the user.
    pub held: Count,
    /// Are still there after thirty days.
    pub stay: Count,
}

/// What a policy will do.
#[derive(Clone, Debug)]
pub struct Forecast {
    pub now: Timestamp,
    /// In the server's order.
    pub lines: Vec<Line>,
    pub missing: Vec<plan::Missing>,
    pub suspicion: Option<Suspicion>,
    pub totals: Totals,
}

/// Looks ahead.
#[must_use]
pub fn forecast(maildrop: &Maildrop, policy: Pop3Policy, now: Timestamp) -> Forecast {
    let situation = Situation {
        policy,
        now,
        accepted: maildrop.accepted,
        tripped: maildrop.tripped,
        hides_fetched: maildrop.hides_fetched,
    };
    let plan = plan::plan(&maildrop.listed, &maildrop.ledger, &situation, &Told::default());
    let mut lines: Vec<Line> = plan
        .steps
        .into_iter()
        .map(|step| line(step, maildrop, now))
        .collect();
    lines.sort_by_key(|line| line.listed.number);
    let mut totals = Totals::default();
    for line in &lines {
        totals.count(line, now);
    }
    Forecast {
        now,
        lines,
        missing: plan.missing,
        suspicion: plan.suspicion,
        totals,
    }
}

fn line(step: Step, maildrop: &Maildrop, now: Timestamp) -> Line {
    let row = maildrop.ledger.get(&step.listed.uidl);
    let leaves = match &step.due {
        None => Leaves::Never,
        Some(_) if step.reason == Reason::Stopped => Leaves::Held,
        Some(due) if due.on > now || step.reason == Reason::NextSession => Leaves::On(due.on.max(now)),
        Some(_) => Leaves::Next,
    };
    Line {
        message: row.and_then(|row| row.message),
        first_seen: row.map(|row| row.first_seen),
        downloaded_at: row.and_then(|row| row.downloaded_at),
        act: step.act,
        reason: step.reason,
        leaves,
        due: step.due,
        listed: step.listed,
    }
}

impl Totals {
    fn count(&mut self, line: &Line, now: Timestamp) {
        let size = line.listed.size;
        self.on_server.add(size);
        match line.act {
            Act::Download => self.download.add(size),
            Act::Headers => self.headers.add(size),
            Act::Compare | Act::Delete | Act::Wait => {}
        }
        match line.leaves {
            Leaves::Next => {
                self.leave_next.add(size);
                self.leave_within.add(size);
            }
            Leaves::On(on) if on <= now.plus_days(HORIZON) => self.leave_within.add(size),
            Leaves::Held => self.held.add(size),
            Leaves::On(_) | Leaves::Never => self.stay.add(size),
        }
    }
}

/// Whether a policy deletes on the server what another one would have left there at the next check: the user is
/// asked before it is taken up.
#[must_use]
pub fn newly_leaving(maildrop: &Maildrop, before: Pop3Policy, after: Pop3Policy, now: Timestamp) -> Count {
    let kept: std::collections::BTreeSet<Uidl> = forecast(maildrop, before, now)
        .lines
        .into_iter()
        .filter(|line| line.leaves != Leaves::Next)
        .map(|line| line.listed.uidl)
        .collect();
    let mut count = Count::default();
    for line in forecast(maildrop, after, now).lines {
        if line.leaves == Leaves::Next && kept.contains(&line.listed.uidl) {
            count.add(line.listed.size);
        }
    }
    count
}

/// Whether a policy may delete anything at all, now or later.
#[must_use]
pub const fn may_delete(policy: &Pop3Policy) -> bool {
    !matches!(policy.leave, LeaveOnServer::Forever) || policy.keep_at_most.is_some()
}

/// Whether what exceeds a limit goes, by the program's own rule.
pub(crate) const fn is_over(line: &Line) -> bool {
    matches!(
        line.due,
        Some(Due {
            reason: Reason::OverLimit(KeepAtMost::Messages(_) | KeepAtMost::Bytes(_)),
            ..
        })
    )
}

#[cfg(test)]
mod tests;
