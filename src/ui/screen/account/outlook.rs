//! The forecast with everything that is drawn of it, made off the window's thread.

use posthorn_engine::forecast::others::{Comparison, compare};
use posthorn_engine::forecast::{Forecast, Maildrop, forecast};
use posthorn_model::{LedgerRow, LedgerState, Pop3Policy, Timestamp};

/// What a policy will do, and what was done.
#[derive(Debug)]
pub struct Outlook {
    pub policy: Pop3Policy,
    pub forecast: Forecast,
    pub others: Vec<Comparison>,
    /// The newest first.
    pub deleted: Vec<LedgerRow>,
}

impl Outlook {
    #[must_use]
    pub fn new(maildrop: &Maildrop, policy: Pop3Policy, now: Timestamp) -> Self {
        let forecast = forecast(maildrop, policy, now);
        let others = compare(maildrop, &policy, &forecast);
        let mut deleted: Vec<LedgerRow> = maildrop
            .ledger
            .values()
            .filter(|row| matches!(row.state, LedgerState::Deleted | LedgerState::DeleteWanted))
            .cloned()
            .collect();
        deleted.sort_by_key(|row| std::cmp::Reverse(row.changed_at));
        Self {
            policy,
            forecast,
            others,
            deleted,
        }
    }
}
