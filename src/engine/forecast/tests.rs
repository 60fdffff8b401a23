use posthorn_model::{
    Hash, KeepAtMost, LeaveOnServer, LedgerRow, LedgerState, MessageId, Pop3Policy, Timestamp, Uidl,
};

use super::others::{Client, compare};
use super::{Count, Leaves, Letter, Maildrop, forecast, newly_leaving};
use crate::pop3::plan::{Act, Ledger, REMOVED_HERE, Reason};

const NOW: Timestamp = Timestamp(1_760_000_000);

fn days_ago(days: i64) -> Timestamp {
    NOW.plus_seconds(-days * Timestamp::DAY)
}

/// A message of 100 octets: when its sender dated it, when it was first seen, when it was downloaded.
fn row(name: &str, first_seen: i64, downloaded: Option<i64>) -> LedgerRow {
    let here = downloaded.is_some();
    LedgerRow {
        size: Some(100),
        downloaded_at: downloaded.map(days_ago),
        hash: here.then_some(Hash([1; 32])),
        served: here.then_some(100),
        message: here.then_some(MessageId(1)),
        state: if here {
            LedgerState::Downloaded
        } else {
            LedgerState::Seen
        },
        ..LedgerRow::first_seen(Uidl(name.as_bytes().to_vec()), days_ago(first_seen))
    }
}

fn maildrop(rows: &[(LedgerRow, i64)]) -> Maildrop {
    let ledger: Ledger = rows
        .iter()
        .map(|(row, _)| (row.uidl.clone(), row.clone()))
        .collect();
    let mut maildrop = Maildrop::remembered(ledger);
    maildrop.letters = rows
        .iter()
        .filter(|(row, _)| row.hash.is_some())
        .map(|(row, dated)| {
            let letter = Letter {
                date: Some(days_ago(*dated)),
                ..Letter::default()
            };
            (row.uidl.clone(), letter)
        })
        .collect();
    maildrop
}

fn leaving(leave: LeaveOnServer) -> Pop3Policy {
    Pop3Policy::leaving(leave)
}

use LeaveOnServer as Leave;

#[test]
fn says_when_each_message_leaves_and_why() {
    let removed = LedgerRow {
        state: LedgerState::DeleteWanted,
        reason: REMOVED_HERE.to_owned(),
        ..row("m", 20, Some(20))
    };
    let check = |row: LedgerRow, policy: Pop3Policy, act: Act, leaves: Leaves, reason: Option<Reason>| {
        let looked = forecast(&maildrop(&[(row.clone(), 0)]), policy, NOW);
        let line = &looked.lines[0];
        let due = line.due.as_ref().map(|due| due.reason.clone());
        assert_eq!(
            (line.act, line.leaves, due),
            (act, leaves, reason),
            "{row:?} {policy:?}"
        );
    };
    let old = || row("m", 20, Some(20));
    let young = || row("m", 5, Some(5));
    let absent = || row("m", 5, None);
    let on = |days: i64| Leaves::On(NOW.plus_seconds(days * Timestamp::DAY));
    check(old(), leaving(Leave::Forever), Act::Wait, Leaves::Never, None);
    check(
        old(),
        leaving(Leave::Never),
        Act::Delete,
        Leaves::Next,
        Some(Reason::Verified),
    );
    check(
        old(),
        leaving(Leave::Days(14)),
        Act::Delete,
        Leaves::Next,
        Some(Reason::Days(14)),
    );
    check(
        young(),
        leaving(Leave::Days(14)),
        Act::Wait,
        on(9),
        Some(Reason::Days(14)),
    );
    check(
        young(),
        leaving(Leave::Days(60)),
        Act::Wait,
        on(55),
        Some(Reason::Days(60)),
    );
    check(
        young(),
        leaving(Leave::UntilRemoved),
        Act::Wait,
        Leaves::Never,
        None,
    );
    check(
        removed,
        leaving(Leave::UntilRemoved),
        Act::Delete,
        Leaves::Next,
        Some(Reason::RemovedHere),
    );
    check(
        absent(),
        leaving(Leave::Forever),
        Act::Download,
        Leaves::Never,
        None,
    );
    check(
        absent(),
        leaving(Leave::Never),
        Act::Download,
        Leaves::Next,
        Some(Reason::Verified),
    );
    check(
        absent(),
        leaving(Leave::Days(3)),
        Act::Download,
        on(3),
        Some(Reason::Days(3)),
    );
    let headers = Pop3Policy {
        headers_first: true,
        ..leaving(Leave::Never)
    };
    check(absent(), headers, Act::Headers, Leaves::Never, None);
}

#[test]
fn adds_up_in_figures() {
    let rows: Vec<(LedgerRow, i64)> = [Some(40), Some(20), Some(5), Some(1), None]
        .into_iter()
        .enumerate()
        .map(|(n, downloaded)| (row(&format!("m{n}"), 40, downloaded), 50))
        .collect();
    let maildrop = maildrop(&rows);
    let check = |policy: Pop3Policy, next: u64, within: u64, stay: u64| {
        let totals = forecast(&maildrop, policy, NOW).totals;
        assert_eq!(
            totals.on_server,
            Count {
                messages: 5,
                bytes: 500
            }
        );
        let found = [totals.leave_next, totals.leave_within, totals.stay].map(|count| count.messages);
        assert_eq!(found, [next, within, stay], "{policy:?}");
        assert_eq!(totals.leave_next.bytes, 100 * next);
        assert_eq!(totals.download.messages, 1);
    };
    check(leaving(Leave::Forever), 0, 0, 5);
    check(leaving(Leave::Never), 5, 5, 0);
    check(leaving(Leave::Days(30)), 1, 5, 0);
    check(leaving(Leave::Days(35)), 1, 3, 2);
    check(leaving(Leave::Days(14)), 2, 5, 0);
    let most = |limit| Pop3Policy {
        keep_at_most: Some(limit),
        ..leaving(Leave::Forever)
    };
    check(most(KeepAtMost::Messages(3)), 2, 2, 3);
    check(most(KeepAtMost::Bytes(450)), 1, 1, 4);
    let before = leaving(Leave::Days(35));
    assert_eq!(
        newly_leaving(&maildrop, before, leaving(Leave::Days(14)), NOW).messages,
        1
    );
    assert_eq!(
        newly_leaving(&maildrop, before, leaving(Leave::Forever), NOW).messages,
        0
    );
}

#[test]
fn others_count_from_other_days() {
    // Dated 100 days ago, first seen 20 days ago, downloaded 5 days ago.
    let old = maildrop(&[(row("m", 20, Some(5)), 100)]);
    let check = |maildrop: &Maildrop, policy: Pop3Policy, expect: [Option<i64>; 3]| {
        let looked = forecast(maildrop, policy, NOW);
        let found = Client::ALL.map(|client| {
            let on = client.removes(&policy, &looked.lines[0], maildrop, NOW)?;
            Some((on.0 - NOW.0) / Timestamp::DAY)
        });
        assert_eq!(found, expect, "{policy:?}");
    };
    // Thunderbird, Evolution, KMail.
    check(&old, leaving(Leave::Days(14)), [Some(9), Some(0), Some(0)]);
    check(&old, leaving(Leave::Days(60)), [Some(55), Some(0), Some(40)]);
    check(&old, leaving(Leave::Days(120)), [Some(115), Some(20), Some(100)]);
    check(&old, leaving(Leave::Never), [Some(0); 3]);
    check(&old, leaving(Leave::Forever), [None; 3]);
    check(&old, leaving(Leave::UntilRemoved), [None; 3]);
    let removed = LedgerRow {
        state: LedgerState::DeleteWanted,
        reason: REMOVED_HERE.to_owned(),
        ..row("m", 20, Some(5))
    };
    check(
        &maildrop(&[(removed, 100)]),
        leaving(Leave::UntilRemoved),
        [Some(0), Some(0), None],
    );
    let at_most = Pop3Policy {
        keep_at_most: Some(KeepAtMost::Messages(0)),
        ..leaving(Leave::Forever)
    };
    check(&old, at_most, [None, None, Some(0)]);
    // Not here yet: its date is not known, and the download is still to come.
    check(
        &maildrop(&[(row("m", 3, None), 100)]),
        leaving(Leave::Days(7)),
        [Some(7), Some(7), Some(4)],
    );
    let policy = leaving(Leave::Days(14));
    let compared = compare(&old, &policy, &forecast(&old, policy, NOW));
    let sooner: Vec<u64> = compared.iter().map(|one| one.sooner.messages).collect();
    assert_eq!(sooner, [0, 1, 1]);
}

#[test]
fn an_open_breaker_holds_what_is_due() {
    let mut maildrop = maildrop(
        &(0..30)
            .map(|n| (row(&format!("m{n}"), 40, Some(40)), 50))
            .collect::<Vec<_>>(),
    );
    maildrop.listed.truncate(10);
    maildrop.live = true;
    let looked = forecast(&maildrop, leaving(Leave::Days(14)), NOW);
    assert!(looked.suspicion.is_some());
    assert_eq!(
        (looked.totals.held.messages, looked.totals.leave_within.messages),
        (10, 0)
    );
    assert!(looked.lines.iter().all(|line| line.leaves == Leaves::Held));
    maildrop.accepted = true;
    let looked = forecast(&maildrop, leaving(Leave::Days(14)), NOW);
    assert!(looked.suspicion.is_none());
    assert_eq!(looked.totals.leave_next.messages, 10);
}
