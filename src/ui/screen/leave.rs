//! When POP3 mail leaves the server, as it is chosen: the rule, and a number of days beside it.

use posthorn_model::LeaveOnServer;

use crate::t;

/// What stands in the field of days until somebody types there.
pub const USUAL_DAYS: u16 = 14;

/// The rule, without the number of days.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Leave {
    Forever,
    Days,
    UntilRemoved,
    Never,
}

impl Leave {
    /// The rule of a policy, and the days to show beside it.
    #[must_use]
    pub const fn of(policy: LeaveOnServer) -> (Self, u16) {
        match policy {
            LeaveOnServer::Forever => (Self::Forever, USUAL_DAYS),
            LeaveOnServer::Never => (Self::Never, USUAL_DAYS),
            LeaveOnServer::UntilRemoved => (Self::UntilRemoved, USUAL_DAYS),
            LeaveOnServer::Days(days) => (Self::Days, days),
        }
    }

    /// The policy that was chosen.
    ///
    /// # Errors
    /// What to say where the days are no number.
    pub fn policy(self, days: &str) -> Result<LeaveOnServer, String> {
        Ok(match self {
            Self::Forever => LeaveOnServer::Forever,
            Self::Never => LeaveOnServer::Never,
            Self::UntilRemoved => LeaveOnServer::UntilRemoved,
            Self::Days => LeaveOnServer::Days(days.parse().map_err(|_| t!("setup-bad-days"))?),
        })
    }

    /// What it means, in a sentence.
    #[must_use]
    pub fn means(self, days: &str) -> String {
        match self {
            Self::Forever => t!("leave-forever-means"),
            Self::Days => t!("leave-days-means", days = days.to_owned()),
            Self::UntilRemoved => t!("leave-until-removed-means"),
            Self::Never => t!("leave-never-means"),
        }
    }
}
