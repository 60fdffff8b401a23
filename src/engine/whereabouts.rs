//! Where a message lives, from facts: what is on this disk, what the server said, what the policy will do. Pure.

use posthorn_model::{LeaveOnServer, LedgerState, Timestamp, Where};

/// What is known of one message.
#[derive(Clone, Copy, Debug, Default)]
pub struct Facts {
    /// The whole message is here.
    pub whole: bool,
    /// An IMAP server holds it in at least one mailbox, as far as the last sync told.
    pub on_imap: bool,
    /// Its ledger row, where it came by POP3.
    pub ledger: Option<Mark>,
}

/// A ledger row, as far as it matters here.
#[derive(Clone, Copy, Debug)]
pub struct Mark {
    pub state: LedgerState,
    pub downloaded_at: Option<Timestamp>,
    pub policy: LeaveOnServer,
}

/// Where it lives. A deletion that is due already leaves at the next check: the time given has passed then.
#[must_use]
pub fn lives(facts: &Facts) -> Where {
    let leaving = facts.ledger.as_ref().and_then(leaves_on);
    let on_pop3 = facts.ledger.is_some_and(|mark| {
        matches!(
            mark.state,
            LedgerState::Seen | LedgerState::Downloaded | LedgerState::DeleteWanted
        )
    });
    match (facts.whole, facts.on_imap || on_pop3, leaving) {
        (true, true, Some(on)) if !facts.on_imap => Where::Leaving { on },
        (true, true, _) => Where::Both,
        (true, false, _) => Where::OnlyHere,
        (false, _, _) => Where::HeadersOnly,
    }
}

fn leaves_on(mark: &Mark) -> Option<Timestamp> {
    let verified = mark.downloaded_at?;
    let listed = matches!(mark.state, LedgerState::Downloaded | LedgerState::DeleteWanted);
    match mark.policy {
        _ if !listed => None,
        LeaveOnServer::Forever => None,
        LeaveOnServer::Never => Some(verified),
        LeaveOnServer::Days(days) => Some(verified.plus_days(days)),
        LeaveOnServer::UntilRemoved => (mark.state == LedgerState::DeleteWanted).then_some(verified),
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn follows_the_facts() {
        let mark = |state, policy| Mark {
            state,
            downloaded_at: Some(Timestamp(100)),
            policy,
        };
        let check = |whole, on_imap, ledger, expect| {
            let facts = Facts {
                whole,
                on_imap,
                ledger,
            };
            assert_eq!(lives(&facts), expect, "{facts:?}");
        };
        use LeaveOnServer as Leave;
        use LedgerState as State;
        check(true, true, None, Where::Both);
        check(true, false, None, Where::OnlyHere);
        check(false, true, None, Where::HeadersOnly);
        check(
            true,
            false,
            Some(mark(State::Downloaded, Leave::Forever)),
            Where::Both,
        );
        check(
            true,
            false,
            Some(mark(State::Downloaded, Leave::UntilRemoved)),
            Where::Both,
        );
        check(
            true,
            false,
            Some(mark(State::Deleted, Leave::Never)),
            Where::OnlyHere,
        );
        check(
            true,
            false,
            Some(mark(State::Gone, Leave::Days(3))),
            Where::OnlyHere,
        );
        let on = |seconds| Where::Leaving {
            on: Timestamp(seconds),
        };
        check(
            true,
            false,
            Some(mark(State::Downloaded, Leave::Days(1))),
            on(86_500),
        );
        check(true, false, Some(mark(State::Downloaded, Leave::Never)), on(100));
        check(
            true,
            false,
            Some(mark(State::DeleteWanted, Leave::UntilRemoved)),
            on(100),
        );
    }
}
