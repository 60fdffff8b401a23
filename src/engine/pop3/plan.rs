//! Decides what one POP3 check does (RFC 1939): what to download, what to delete on the server, what to remember.
//!
//! Local messages never appear here as something to remove: a message missing from the server says nothing about
//! the copy on this disk. Deletions on the server come from the policy or from an act of the user that is written
//! in the ledger, never from the absence of a local message.

use std::collections::{BTreeMap, BTreeSet};

use posthorn_model::{Hash, LeaveOnServer, LedgerRow, LedgerState, MsgNo, Timestamp, Uidl};

/// The ledger's reason for a deletion that the user caused here, under [`LeaveOnServer::UntilRemoved`].
pub const REMOVED_HERE: &str = "removed from the inbox here";

/// Fewer messages than this may vanish without a question.
const MANY: usize = 20;

/// One message as the server lists it now.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Listed {
    pub number: MsgNo,
    /// What identifies it: the server's UIDL, or one made from its header where the server gives none.
    pub uidl: Uidl,
    /// Whether the UIDL is the server's own and unique in this listing. Nothing is deleted without.
    pub certain: bool,
    pub size: Option<u64>,
}

/// A listed message that is probably here already: its header decides.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Recheck {
    pub listed: Listed,
    /// What it may be: rows with a hash, most likely first.
    pub candidates: Vec<(Uidl, Hash)>,
}

/// Why nothing is deleted before the user has looked.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum Suspicion {
    /// The listing is empty where many messages were.
    Empty { before: usize },
    /// Not one UIDL is known.
    AllNew { before: usize, listed: usize },
    /// More than a fifth is gone at once.
    ManyGone { before: usize, gone: usize },
}

impl Suspicion {
    #[must_use]
    pub fn explain(&self) -> String {
        match self {
            Self::Empty { before } => format!(
                "the server lists no message where it had {before}; everything downloaded is kept here, and nothing is deleted on the server until you have looked"
            ),
            Self::AllNew { before, listed } => format!(
                "the server gives {listed} messages new names and knows none of the {before} it had; everything is kept, and nothing is deleted on the server until you have looked"
            ),
            Self::ManyGone { before, gone } => format!(
                "{gone} of {before} messages are gone from the server at once; everything downloaded is kept here, and nothing is deleted on the server until you have looked"
            ),
        }
    }
}

/// What one check does.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct Plan {
    /// Newest last on the server, newest first here: higher numbers are newer by custom.
    pub download: Vec<Listed>,
    /// Compare headers first; download where they differ or cannot be had.
    pub recheck: Vec<Recheck>,
    /// To delete now, with the reason. Each is durable and verified here already.
    pub delete: Vec<(Listed, String)>,
    /// Ledger rows that change by what the listing says alone.
    pub ledger: Vec<LedgerRow>,
    pub suspicion: Option<Suspicion>,
}

/// What stays the same during the whole check.
#[derive(Clone, Copy, Debug)]
pub struct Situation {
    pub policy: LeaveOnServer,
    pub now: Timestamp,
    /// The user has seen the sudden disappearance and said to go on.
    pub accepted: bool,
}

/// Plans one check from what the server lists and what the ledger remembers. `checked`: listed messages whose
/// headers have been compared and are none of those that are here.
#[must_use]
pub fn plan(listed: &[Listed], ledger: &[LedgerRow], situation: Situation, checked: &BTreeSet<Uidl>) -> Plan {
    let known: BTreeMap<&Uidl, &LedgerRow> = ledger.iter().map(|row| (&row.uidl, row)).collect();
    let present: BTreeSet<&Uidl> = listed.iter().map(|entry| &entry.uidl).collect();
    let suspicion = suspect(&present, ledger).filter(|_| !situation.accepted);
    let mut plan = Plan {
        suspicion,
        ..Plan::default()
    };
    let orphans = Orphans::of(ledger, &present);
    for entry in listed {
        let checked = checked.contains(&entry.uidl);
        match known.get(&entry.uidl) {
            None => plan.meet_new(entry, &orphans, situation.now, checked),
            Some(row) => plan.meet_known(entry, row, situation, checked),
        }
    }
    for row in ledger.iter().filter(|row| !present.contains(&row.uidl)) {
        plan.miss(row, situation.now);
    }
    plan.download.sort_by_key(|entry| std::cmp::Reverse(entry.number));
    if plan.suspicion.is_some() {
        plan.delete.clear();
    }
    plan
}

impl Plan {
    fn meet_new(&mut self, entry: &Listed, orphans: &Orphans<'_>, now: Timestamp, checked: bool) {
        let candidates = orphans.like(entry.size);
        if checked || candidates.is_empty() {
            self.download.push(entry.clone());
        } else {
            self.recheck.push(Recheck {
                listed: entry.clone(),
                candidates,
            });
        }
        self.ledger.push(LedgerRow {
            uidl: entry.uidl.clone(),
            size: entry.size,
            first_seen: now,
            downloaded_at: None,
            hash: None,
            message: None,
            state: LedgerState::Seen,
            changed_at: now,
            reason: String::new(),
            reply: String::new(),
        });
    }

    fn meet_known(&mut self, entry: &Listed, row: &LedgerRow, situation: Situation, checked: bool) {
        let Some(hash) = row.hash else {
            if row.state != LedgerState::Seen {
                self.ledger.push(moved(row, LedgerState::Seen, situation.now));
            }
            self.download.push(entry.clone());
            return;
        };
        let returned = matches!(row.state, LedgerState::Deleted | LedgerState::Gone);
        let resized = matches!((entry.size, row.size), (Some(now), Some(then)) if now != then);
        if (returned || resized) && checked {
            self.download.push(entry.clone());
            return;
        }
        if returned || resized {
            // Some servers give a removed message's UIDL to another one: what is listed may be new mail.
            self.recheck.push(Recheck {
                listed: entry.clone(),
                candidates: vec![(row.uidl.clone(), hash)],
            });
            return;
        }
        match due(row, situation).filter(|_| entry.certain) {
            Some(reason) => self.delete.push((entry.clone(), reason)),
            None if row.state == LedgerState::DeleteWanted => {
                self.ledger.push(LedgerRow {
                    reason: String::new(),
                    ..moved(row, LedgerState::Downloaded, situation.now)
                });
            }
            None => {}
        }
    }

    fn miss(&mut self, row: &LedgerRow, now: Timestamp) {
        match row.state {
            LedgerState::DeleteWanted => self.ledger.push(LedgerRow {
                reply: if row.reply.is_empty() {
                    "no longer listed".to_owned()
                } else {
                    row.reply.clone()
                },
                ..moved(row, LedgerState::Deleted, now)
            }),
            LedgerState::Seen | LedgerState::Downloaded if self.suspicion.is_none() => {
                self.ledger.push(moved(row, LedgerState::Gone, now));
            }
            LedgerState::Seen | LedgerState::Downloaded | LedgerState::Deleted | LedgerState::Gone => {}
        }
    }
}

fn moved(row: &LedgerRow, state: LedgerState, now: Timestamp) -> LedgerRow {
    LedgerRow {
        state,
        changed_at: now,
        ..row.clone()
    }
}

/// Why this row's message is to be deleted on the server now; `None` where it stays.
#[must_use]
pub fn due(row: &LedgerRow, situation: Situation) -> Option<String> {
    let verified = row.downloaded_at?;
    row.hash?;
    match situation.policy {
        LeaveOnServer::Forever => None,
        LeaveOnServer::Never => Some("downloaded and verified here".to_owned()),
        LeaveOnServer::Days(days) => (verified.plus_days(days) <= situation.now)
            .then(|| format!("{days} days after it was downloaded and verified here")),
        LeaveOnServer::UntilRemoved => (row.state == LedgerState::DeleteWanted && row.reason == REMOVED_HERE)
            .then(|| REMOVED_HERE.to_owned()),
    }
}

/// Rows with a message here that the listing lacks: what a renamed UIDL may belong to.
struct Orphans<'a> {
    by_size: BTreeMap<u64, Vec<&'a LedgerRow>>,
}

impl<'a> Orphans<'a> {
    /// Header comparisons for one listed message: beyond this it is cheaper to download it.
    const LIMIT: usize = 8;

    fn of(ledger: &'a [LedgerRow], present: &BTreeSet<&Uidl>) -> Self {
        let mut by_size: BTreeMap<u64, Vec<&LedgerRow>> = BTreeMap::new();
        for row in ledger {
            let absent = !present.contains(&row.uidl);
            if let Some(size) = row.size.filter(|_| absent && row.hash.is_some()) {
                by_size.entry(size).or_default().push(row);
            }
        }
        Self { by_size }
    }

    fn like(&self, size: Option<u64>) -> Vec<(Uidl, Hash)> {
        let rows = size.and_then(|size| self.by_size.get(&size));
        let pairs = rows
            .into_iter()
            .flatten()
            .filter_map(|row| Some((row.uidl.clone(), row.hash?)));
        pairs.take(Self::LIMIT).collect()
    }
}

fn suspect(present: &BTreeSet<&Uidl>, ledger: &[LedgerRow]) -> Option<Suspicion> {
    let expected: Vec<&LedgerRow> = ledger
        .iter()
        .filter(|row| matches!(row.state, LedgerState::Seen | LedgerState::Downloaded))
        .collect();
    let before = expected.len();
    let gone = expected.iter().filter(|row| !present.contains(&row.uidl)).count();
    if before < MANY / 4 || gone == 0 {
        None
    } else if present.is_empty() {
        Some(Suspicion::Empty { before })
    } else if gone == before {
        Some(Suspicion::AllNew {
            before,
            listed: present.len(),
        })
    } else if before >= MANY && gone * 5 > before {
        Some(Suspicion::ManyGone { before, gone })
    } else {
        None
    }
}

#[cfg(test)]
mod tests;
