//! What the planner decides, in the reader's words.

use posthorn_engine::forecast::others::{Comparison, CountsFrom};
use posthorn_engine::forecast::{Count, Leaves, Line, Totals};
use posthorn_engine::pop3::plan::{Act, Reason, Suspicion};
use posthorn_model::{KeepAtMost, LedgerRow, LedgerState};

use crate::t;
use crate::when::{self, Clock};

/// `12 messages (3 MB)`.
pub fn count(count: Count) -> String {
    t!(
        "account-messages",
        count = count.messages,
        shown = when::count(count.messages),
        size = when::size(count.bytes)
    )
}

/// A sentence about so many messages: its verb follows their number.
macro_rules! counted {
    ($id:literal, $count:expr) => {
        $crate::t!(
            $id,
            count = $count.messages,
            messages = $crate::screen::account::words::count($count)
        )
    };
}
pub(super) use counted;

/// The forecast in sentences.
pub fn sentences(totals: &Totals, stopped: bool) -> Vec<String> {
    let mut all = vec![t!("account-on-server", messages = count(totals.on_server))];
    if totals.download.messages > 0 {
        all.push(t!("account-comes", messages = count(totals.download)));
    }
    if totals.headers.messages > 0 {
        all.push(t!("account-comes-headers", messages = count(totals.headers)));
    }
    if stopped {
        all.push(counted!("account-held", totals.held));
        return all;
    }
    all.push(if totals.leave_next.messages > 0 {
        counted!("account-leaves-next", totals.leave_next)
    } else {
        t!("account-leaves-none")
    });
    let later = Count {
        messages: totals
            .leave_within
            .messages
            .saturating_sub(totals.leave_next.messages),
        bytes: totals.leave_within.bytes.saturating_sub(totals.leave_next.bytes),
    };
    if later.messages > 0 {
        all.push(counted!("account-leaves-within", later));
    }
    if totals.stay.messages > 0 && totals.stay != totals.on_server {
        all.push(t!("account-stays", messages = count(totals.stay)));
    }
    all
}

pub fn suspicion(suspicion: &Suspicion) -> String {
    let whole = |number: usize| number as u64;
    match suspicion {
        Suspicion::Empty { before } => t!("account-stopped-empty", before = whole(*before)),
        Suspicion::AllNew { before, listed } => {
            t!(
                "account-stopped-new",
                before = whole(*before),
                listed = whole(*listed)
            )
        }
        Suspicion::ManyGone { before, gone } => {
            t!(
                "account-stopped-gone",
                before = whole(*before),
                gone = whole(*gone)
            )
        }
    }
}

/// When a message leaves, for the right end of its line.
pub fn leaves(leaves: Leaves, clock: &Clock) -> String {
    match leaves {
        Leaves::Next => t!("account-line-next"),
        Leaves::On(on) => t!("account-line-on", day = clock.day(on)),
        Leaves::Held => t!("account-line-held"),
        Leaves::Never => t!("account-line-stays"),
    }
}

/// What happens to a message, and why.
pub fn line(line: &Line) -> String {
    let why = match &line.due {
        Some(due) if matches!(line.act, Act::Delete | Act::Wait) && line.reason != Reason::Stopped => {
            reason(&due.reason)
        }
        _ => reason(&line.reason),
    };
    let act = match line.act {
        Act::Download => t!("account-act-download"),
        Act::Headers => t!("account-act-headers"),
        Act::Compare => t!("account-act-compare"),
        Act::Delete | Act::Wait => return why,
    };
    format!("{act}: {why}")
}

pub fn reason(reason: &Reason) -> String {
    match reason {
        Reason::New => t!("reason-new"),
        Reason::AskedFor => t!("reason-asked-for"),
        Reason::HeadersFirst => t!("reason-headers-first"),
        Reason::TooLarge { size, cap } => {
            t!(
                "reason-too-large",
                size = when::size(*size),
                cap = when::size(*cap)
            )
        }
        Reason::HeaderHere => t!("reason-header-here"),
        Reason::MaybeRenamed => t!("reason-maybe-renamed"),
        Reason::NameUsedAgain => t!("reason-name-used-again"),
        Reason::Confirm => t!("reason-confirm"),
        Reason::NextSession => t!("reason-next-session"),
        Reason::Verified => t!("reason-verified"),
        Reason::Days(days) => t!("reason-days", days = u64::from(*days)),
        Reason::RemovedHere => t!("reason-removed-here"),
        Reason::OverLimit(KeepAtMost::Messages(messages)) => {
            t!("reason-over-messages", most = when::count(u64::from(*messages)))
        }
        Reason::OverLimit(KeepAtMost::Bytes(bytes)) => t!("reason-over-size", most = when::size(*bytes)),
        Reason::KeptForever => t!("reason-kept-forever"),
        Reason::KeptForDays(days) => t!("reason-kept-days", days = u64::from(*days)),
        Reason::KeptUntilRemoved => t!("reason-kept-until-removed"),
        Reason::Stopped => t!("reason-stopped"),
        Reason::FellShort { size, served } => {
            t!(
                "reason-fell-short",
                size = when::size(*size),
                served = when::size(*served)
            )
        }
        Reason::DeletedByUs => t!("reason-deleted-by-us"),
        Reason::NotByUs => t!("reason-not-by-us"),
        Reason::Hidden => t!("reason-hidden"),
    }
}

/// Why a message was deleted: the ledger keeps the words of the day on which it was decided.
pub fn why_deleted(words: &str) -> String {
    Reason::of_deletion(words).map_or_else(|| words.to_owned(), |known| reason(&known))
}

/// A deletion: when, and how sure we are of it.
pub fn deleted(row: &LedgerRow, clock: &Clock) -> String {
    match row.state {
        LedgerState::Deleted => t!("account-deleted-on", day = clock.within(row.changed_at)),
        _ => t!("account-delete-wanted"),
    }
}

/// What another program would do, beyond its figures.
pub fn other(comparison: &Comparison) -> String {
    if !comparison.has.rule {
        return t!("other-no-such-rule");
    }
    let counts = match comparison.counts_from {
        CountsFrom::ItsDownload => t!("other-from-download"),
        CountsFrom::FirstSeen => t!("other-from-first-seen"),
        CountsFrom::DateHeader => t!("other-from-date"),
    };
    if comparison.has.limit {
        counts
    } else {
        format!("{counts} {}", t!("other-no-limit"))
    }
}
