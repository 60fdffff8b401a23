//! Decides what one POP3 check does (RFC 1939): what to download, what to delete on the server, what to remember.
//!
//! The dry run and the check itself are this same function: every listed message gets one [`Step`], with its reason
//! and the day on which it leaves the server. Local messages never appear here as something to remove: a message
//! missing from the server says nothing about the copy on this disk. Deletions on the server come from the policy or
//! from an act of the user that is written in the ledger, never from the absence of a local message.

mod breaker;
mod keep;
mod reason;

pub use breaker::Suspicion;
pub use reason::{Due, Reason};

use std::collections::{BTreeMap, BTreeSet};

use posthorn_model::{Hash, LeaveOnServer, LedgerRow, LedgerState, MsgNo, Pop3Policy, Timestamp, Uidl};

/// The ledger's reason for a deletion that the user caused here, under [`LeaveOnServer::UntilRemoved`].
pub const REMOVED_HERE: &str = "removed from the inbox here";

/// What an account remembers of its maildrop.
pub type Ledger = BTreeMap<Uidl, LedgerRow>;

/// What identifies a listed message.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Naming {
    /// The server's own UIDL, unique in this listing.
    Server,
    /// Made from its header, or remembered from an unchanged listing: good enough to know it again, never to delete
    /// by it.
    Made,
    /// For this session only: what it is shows once it is here.
    Session,
}

/// One message as the server lists it now.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Listed {
    pub number: MsgNo,
    pub uidl: Uidl,
    pub naming: Naming,
    pub size: Option<u64>,
}

/// What becomes of a listed message at this check.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Act {
    /// RETR.
    Download,
    /// TOP: the header alone.
    Headers,
    /// Probably here already under another name: TOP tells. Downloaded where that cannot be told.
    Compare,
    /// DELE: it is durable here, and is read back before.
    Delete,
    /// Nothing at this check.
    Wait,
}

impl Act {
    #[must_use]
    pub const fn name(self) -> &'static str {
        match self {
            Self::Download => "download",
            Self::Headers => "headers",
            Self::Compare => "compare",
            Self::Delete => "delete",
            Self::Wait => "wait",
        }
    }
}

/// What happens to one listed message, and why.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Step {
    pub listed: Listed,
    pub act: Act,
    pub reason: Reason,
    /// When and why it leaves the server as things are; for what is yet to be downloaded, as if that went well now.
    pub due: Option<Due>,
    /// For [`Act::Compare`]: the rows that it may be, most likely first.
    pub candidates: Vec<Uidl>,
}

/// A message that the ledger expects and the server no longer lists.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Missing {
    pub uidl: Uidl,
    pub reason: Reason,
}

/// What one check does.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct Plan {
    /// One for each listed message, in the order in which they are worked off.
    pub steps: Vec<Step>,
    pub missing: Vec<Missing>,
    /// Ledger rows that change by what the listing says alone.
    pub ledger: Vec<LedgerRow>,
    /// Nothing is deleted, and nothing called gone, before the user has looked.
    pub suspicion: Option<Suspicion>,
}

impl Plan {
    pub fn to(&self, act: Act) -> impl Iterator<Item = &Step> {
        self.steps.iter().filter(move |step| step.act == act)
    }
}

/// What stays the same during the whole check.
#[derive(Clone, Copy, Debug)]
pub struct Situation {
    pub policy: Pop3Policy,
    pub now: Timestamp,
    /// The user has seen the sudden disappearance and said to go on.
    pub accepted: bool,
    /// An earlier check has stopped at a sudden disappearance that nobody has looked at yet.
    pub tripped: bool,
    /// This provider lists nothing twice: what was fetched vanishes, and that says nothing.
    pub hides_fetched: bool,
}

/// What this very session has told so far.
#[derive(Clone, Debug, Default)]
pub struct Told {
    /// Their headers have been compared, and are none of those that are here.
    pub compared: BTreeSet<Uidl>,
    /// Downloaded in this session: their numbers are certain, whatever they are called.
    pub fetched: BTreeSet<MsgNo>,
    /// Nothing more is downloaded: the session's portion is full, or all has been tried.
    pub full: bool,
}

/// Plans one check from what the server lists and what the ledger remembers.
#[must_use]
pub fn plan(listed: &[Listed], ledger: &Ledger, situation: &Situation, told: &Told) -> Plan {
    let present: BTreeSet<&Uidl> = listed.iter().map(|entry| &entry.uidl).collect();
    // While some have no name yet, nobody can say what is missing.
    let complete = listed.iter().all(|entry| entry.naming != Naming::Session);
    let mut plan = Plan {
        steps: Vec::with_capacity(listed.len()),
        suspicion: breaker::suspect(&present, ledger, situation).filter(|_| complete),
        ..Plan::default()
    };
    let orphans = Orphans::of(ledger, &present);
    for entry in listed {
        let row = ledger
            .get(&entry.uidl)
            .filter(|_| entry.naming != Naming::Session);
        let step = match row {
            None => plan.meet_new(entry, &orphans, situation, told),
            Some(row) => plan.meet_known(entry, row, situation, told),
        };
        plan.steps.push(step);
    }
    for row in ledger
        .values()
        .filter(|row| complete && !present.contains(&row.uidl))
    {
        plan.miss(row, situation);
    }
    keep::at_most(&mut plan.steps, ledger, situation);
    for step in &mut plan.steps {
        step.settle(
            ledger.get(&step.listed.uidl),
            situation,
            told,
            plan.suspicion.is_some(),
        );
    }
    plan.take_back_unwanted(ledger, situation.now);
    plan.order(situation.policy, told);
    plan
}

impl Plan {
    fn meet_new(
        &mut self,
        entry: &Listed,
        orphans: &Orphans<'_>,
        situation: &Situation,
        told: &Told,
    ) -> Step {
        let candidates = orphans.like(entry);
        if entry.naming != Naming::Session {
            self.ledger.push(LedgerRow {
                size: entry.size,
                ..LedgerRow::first_seen(entry.uidl.clone(), situation.now)
            });
        }
        if candidates.is_empty() || told.compared.contains(&entry.uidl) {
            let (act, reason) = how_to_fetch(entry, None, situation.policy);
            return Step::new(entry, act, reason);
        }
        Step {
            candidates,
            ..Step::new(entry, Act::Compare, Reason::MaybeRenamed)
        }
    }

    fn meet_known(&mut self, entry: &Listed, row: &LedgerRow, situation: &Situation, told: &Told) -> Step {
        let returned = matches!(row.state, LedgerState::Deleted | LedgerState::Gone);
        let compared = told.compared.contains(&entry.uidl);
        if row.hash.is_none() {
            if row.state != LedgerState::Seen {
                self.ledger.push(moved(row, LedgerState::Seen, situation.now));
            }
            let (act, reason) = how_to_fetch(entry, Some(row), situation.policy);
            return Step::new(entry, act, reason);
        }
        let resized = matches!((entry.size, row.size), (Some(now), Some(then)) if now != then);
        if (returned || resized) && !told.fetched.contains(&entry.number) {
            if compared {
                return Step::new(entry, Act::Download, Reason::New);
            }
            // Some servers give a removed message's UIDL to another one: what is listed may be new mail.
            return Step {
                candidates: vec![row.uidl.clone()],
                ..Step::new(entry, Act::Compare, Reason::NameUsedAgain)
            };
        }
        Step::new(entry, Act::Wait, Reason::of_keeping(situation.policy.leave))
    }

    fn miss(&mut self, row: &LedgerRow, situation: &Situation) {
        let asked = row.asked_at.is_some();
        let (state, reason) = match row.state {
            // The server was told, and no longer lists it.
            LedgerState::DeleteWanted if asked => (LedgerState::Deleted, Reason::DeletedByUs),
            LedgerState::Seen | LedgerState::Downloaded | LedgerState::DeleteWanted => {
                if self.suspicion.is_some() {
                    return;
                }
                let fetched = row.hash.is_some() && situation.hides_fetched;
                let reason = if fetched { Reason::Hidden } else { Reason::NotByUs };
                (LedgerState::Gone, reason)
            }
            LedgerState::Deleted | LedgerState::Gone => return,
        };
        self.missing.push(Missing {
            uidl: row.uidl.clone(),
            reason: reason.clone(),
        });
        self.ledger.push(LedgerRow {
            reply: if row.reply.is_empty() {
                reason.to_string()
            } else {
                row.reply.clone()
            },
            ..moved(row, state, situation.now)
        });
    }

    /// A deletion that was wanted and that nothing asks for any more.
    fn take_back_unwanted(&mut self, ledger: &Ledger, now: Timestamp) {
        if self.suspicion.is_some() {
            return;
        }
        for step in self
            .steps
            .iter()
            .filter(|step| step.act == Act::Wait && step.due.is_none())
        {
            let row = ledger.get(&step.listed.uidl);
            if let Some(row) = row.filter(|row| row.state == LedgerState::DeleteWanted) {
                self.ledger.push(LedgerRow {
                    reason: String::new(),
                    asked_at: None,
                    ..moved(row, LedgerState::Downloaded, now)
                });
            }
        }
    }

    /// Puts the steps into the order of the work, and what exceeds the session's portion off.
    fn order(&mut self, policy: Pop3Policy, told: &Told) {
        if policy.newest_first {
            // Higher numbers are newer by custom.
            self.steps.reverse();
        }
        let mut room = match policy.per_session {
            _ if told.full => Some(0),
            limit => limit,
        };
        for step in &mut self.steps {
            // What the user waits for is not put off.
            if !matches!(step.act, Act::Download | Act::Headers)
                || step.reason == Reason::AskedFor && !told.full
            {
                continue;
            }
            match &mut room {
                Some(0) => {
                    step.act = Act::Wait;
                    step.reason = Reason::NextSession;
                }
                Some(left) => *left -= 1,
                None => {}
            }
        }
    }
}

impl Step {
    fn new(entry: &Listed, act: Act, reason: Reason) -> Self {
        Self {
            listed: entry.clone(),
            act,
            reason,
            due: None,
            candidates: Vec::new(),
        }
    }

    /// Turns what is due into what is done, once everything that makes something due has spoken.
    fn settle(&mut self, row: Option<&LedgerRow>, situation: &Situation, told: &Told, stopped: bool) {
        if self.due.is_none() {
            self.due = match self.act {
                Act::Download => leaves(situation.now, None, situation.policy.leave),
                Act::Wait | Act::Delete => row.and_then(|row| due(row, situation.policy)),
                Act::Headers | Act::Compare => None,
            };
        }
        let Some(due) = self.due.as_ref().filter(|due| due.on <= situation.now) else {
            return;
        };
        if self.act != Act::Wait {
            return;
        }
        let fetched = told.fetched.contains(&self.listed.number);
        if stopped {
            self.reason = Reason::Stopped;
        } else if let Some(reason) = row.and_then(falls_short) {
            self.reason = reason;
            self.due = None;
        } else if self.listed.naming == Naming::Server || fetched {
            self.act = Act::Delete;
            self.reason = due.reason.clone();
        } else {
            // Downloaded once more in this session, its bytes say what it is beyond doubt.
            self.act = Act::Download;
            self.reason = Reason::Confirm;
        }
    }
}

/// How what is not whole here comes.
fn how_to_fetch(entry: &Listed, row: Option<&LedgerRow>, policy: Pop3Policy) -> (Act, Reason) {
    let too_large = entry
        .size
        .zip(policy.body_cap)
        .filter(|(size, cap)| size > cap)
        .map(|(size, cap)| Reason::TooLarge { size, cap });
    let held_back = too_large.or(policy.headers_first.then_some(Reason::HeadersFirst));
    let has_header = row.is_some_and(|row| row.header_hash.is_some());
    match held_back {
        _ if row.is_some_and(|row| row.wanted) => (Act::Download, Reason::AskedFor),
        Some(_) if has_header => (Act::Wait, Reason::HeaderHere),
        Some(reason) => (Act::Headers, reason),
        None => (Act::Download, Reason::New),
    }
}

fn moved(row: &LedgerRow, state: LedgerState, now: Timestamp) -> LedgerRow {
    LedgerRow {
        state,
        changed_at: now,
        ..row.clone()
    }
}

/// Where far less came than the server lists, what is here may not be the message: it stays there.
fn falls_short(row: &LedgerRow) -> Option<Reason> {
    let (size, served) = row.size.zip(row.served)?;
    (served < size / 2).then_some(Reason::FellShort { size, served })
}

/// When and why this row's message is to be deleted on the server by the rule for what is left there; `None` where
/// it stays.
#[must_use]
pub fn due(row: &LedgerRow, policy: Pop3Policy) -> Option<Due> {
    let verified = row.downloaded_at?;
    row.hash?;
    leaves(verified, Some(row), policy.leave)
}

fn leaves(verified: Timestamp, row: Option<&LedgerRow>, leave: LeaveOnServer) -> Option<Due> {
    let (on, reason) = match leave {
        LeaveOnServer::Forever => return None,
        LeaveOnServer::Never => (verified, Reason::Verified),
        LeaveOnServer::Days(days) => (verified.plus_days(days), Reason::Days(days)),
        LeaveOnServer::UntilRemoved => {
            let row =
                row.filter(|row| row.state == LedgerState::DeleteWanted && row.reason == REMOVED_HERE)?;
            (row.changed_at, Reason::RemovedHere)
        }
    };
    Some(Due { on, reason })
}

/// Rows with a message here that the listing lacks: what a renamed UIDL may belong to.
struct Orphans<'a> {
    by_size: BTreeMap<u64, Vec<&'a LedgerRow>>,
}

impl<'a> Orphans<'a> {
    /// Candidates for one listed message. One look at its header serves them all.
    const LIMIT: usize = 64;

    fn of(ledger: &'a Ledger, present: &BTreeSet<&Uidl>) -> Self {
        let mut by_size: BTreeMap<u64, Vec<&LedgerRow>> = BTreeMap::new();
        for row in ledger.values() {
            let known = row.hash.is_some() || row.header_hash.is_some();
            if let Some(size) = row.size.filter(|_| known && !present.contains(&row.uidl)) {
                by_size.entry(size).or_default().push(row);
            }
        }
        Self { by_size }
    }

    fn like(&self, entry: &Listed) -> Vec<Uidl> {
        // Without TOP there is nothing to compare; the bytes will tell.
        if entry.naming == Naming::Session {
            return Vec::new();
        }
        let rows = entry.size.and_then(|size| self.by_size.get(&size));
        let names = rows.into_iter().flatten().map(|row| row.uidl.clone());
        names.take(Self::LIMIT).collect()
    }
}

/// Whether two headers may belong to one message, by what the ledger keeps of them.
#[must_use]
pub fn is_same(row: &LedgerRow, header: Hash, size: Option<u64>) -> bool {
    let sizes_agree = size.zip(row.size).is_none_or(|(here, there)| here == there);
    row.header_hash == Some(header) && sizes_agree
}

#[cfg(test)]
mod tests;
