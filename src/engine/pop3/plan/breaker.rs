//! The circuit breaker: a sudden disappearance stops and asks.

use posthorn_model::{LedgerRow, LedgerState, Uidl};
use std::collections::BTreeSet;

use super::{Ledger, Situation};

/// Fewer messages than this may vanish in part without a question …
const MANY: usize = 20;
/// … and fewer than this altogether.
const SOME: usize = 5;

/// Why nothing is deleted before the user has looked.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum Suspicion {
    /// The listing is empty where many messages were.
    Empty { before: usize },
    /// Not one UIDL is known.
    AllNew { before: usize, listed: usize },
    /// More than a fifth is gone at once, or what was missed before is still missing.
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

pub(super) fn suspect(
    present: &BTreeSet<&Uidl>,
    ledger: &Ledger,
    situation: &Situation,
) -> Option<Suspicion> {
    if situation.accepted {
        return None;
    }
    let is_expected = |row: &&LedgerRow| match row.state {
        LedgerState::Seen => true,
        LedgerState::Downloaded => !situation.hides_fetched,
        LedgerState::DeleteWanted => row.asked_at.is_none() && !situation.hides_fetched,
        LedgerState::Deleted | LedgerState::Gone => false,
    };
    let (mut before, mut gone) = (0, 0);
    for row in ledger.values().filter(is_expected) {
        before += 1;
        gone += usize::from(!present.contains(&row.uidl));
    }
    if gone == 0 {
        None
    } else if situation.tripped {
        Some(Suspicion::ManyGone { before, gone })
    } else if before < SOME {
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
