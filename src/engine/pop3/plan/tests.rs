use super::*;
use posthorn_model::MessageId;
use proptest::prelude::*;

const NOW: Timestamp = Timestamp(1_000_000_000);

fn uidl(text: &str) -> Uidl {
    Uidl(text.as_bytes().to_vec())
}

fn listed(number: u32, name: &str, size: u64) -> Listed {
    Listed {
        number: MsgNo(number),
        uidl: uidl(name),
        certain: true,
        size: Some(size),
    }
}

fn row(name: &str, state: LedgerState, size: u64) -> LedgerRow {
    let here = state != LedgerState::Seen;
    LedgerRow {
        uidl: uidl(name),
        size: Some(size),
        first_seen: Timestamp(1),
        downloaded_at: here.then(|| NOW.plus_seconds(-10 * Timestamp::DAY)),
        hash: here.then_some(Hash([7; 32])),
        message: here.then_some(MessageId(1)),
        state,
        changed_at: Timestamp(1),
        reason: String::new(),
        reply: String::new(),
    }
}

fn situation(policy: LeaveOnServer) -> Situation {
    Situation {
        policy,
        now: NOW,
        accepted: false,
    }
}

fn run(listed: &[Listed], ledger: &[LedgerRow], policy: LeaveOnServer) -> Plan {
    plan(listed, ledger, situation(policy), &BTreeSet::new())
}

fn names(list: &[Listed]) -> Vec<String> {
    list.iter().map(|entry| entry.uidl.to_string()).collect()
}

use LeaveOnServer as Leave;
use LedgerState as State;

#[test]
fn downloads_what_is_not_here_newest_first() {
    let plan = run(
        &[listed(1, "a", 10), listed(2, "b", 20), listed(3, "c", 30)],
        &[row("b", State::Downloaded, 20)],
        Leave::Forever,
    );
    assert_eq!(names(&plan.download), ["c", "a"]);
    assert!(plan.delete.is_empty());
    let seen: Vec<_> = plan
        .ledger
        .iter()
        .map(|row| (row.uidl.to_string(), row.state))
        .collect();
    assert_eq!(seen, [("a".into(), State::Seen), ("c".into(), State::Seen)]);
}

#[test]
fn deletes_by_policy_only_what_is_verified_here() {
    let wanted = LedgerRow {
        reason: REMOVED_HERE.into(),
        ..row("w", State::DeleteWanted, 4)
    };
    let in_flight = LedgerRow {
        reason: "downloaded and verified here".into(),
        ..row("f", State::DeleteWanted, 5)
    };
    let ledger = [
        row("d", State::Downloaded, 1),
        row("s", State::Seen, 2),
        wanted,
        in_flight,
    ];
    let all = [
        listed(1, "d", 1),
        listed(2, "s", 2),
        listed(3, "w", 4),
        listed(4, "f", 5),
    ];
    let check = |policy, expect: &[&str]| {
        let plan = run(&all, &ledger, policy);
        let deleted: Vec<_> = plan
            .delete
            .iter()
            .map(|(entry, _)| entry.uidl.to_string())
            .collect();
        assert_eq!(deleted, expect, "{policy}");
        assert_eq!(names(&plan.download), ["s"], "{policy}");
    };
    check(Leave::Forever, &[]);
    check(Leave::Never, &["d", "w", "f"]);
    check(Leave::Days(10), &["d", "w", "f"]);
    check(Leave::Days(11), &[]);
    check(Leave::UntilRemoved, &["w"]);
}

#[test]
fn takes_back_a_wanted_deletion_that_the_policy_no_longer_asks_for() {
    let plan = run(
        &[listed(1, "a", 1)],
        &[row("a", State::DeleteWanted, 1)],
        Leave::Forever,
    );
    assert_eq!(plan.ledger.first().map(|row| row.state), Some(State::Downloaded));
}

#[test]
fn a_missing_message_says_what_became_of_it() {
    let check = |state, expect: Option<State>| {
        let plan = run(
            &[listed(1, "x", 1)],
            &[row("x", State::Downloaded, 1), row("a", state, 2)],
            Leave::Forever,
        );
        assert_eq!(plan.ledger.first().map(|row| row.state), expect, "{state:?}");
        assert!(plan.download.is_empty());
    };
    check(State::Seen, Some(State::Gone));
    check(State::Downloaded, Some(State::Gone));
    check(State::DeleteWanted, Some(State::Deleted));
    check(State::Deleted, None);
    check(State::Gone, None);
}

#[test]
fn a_removed_uidl_that_is_listed_again_is_looked_at() {
    for state in [State::Deleted, State::Gone] {
        let plan = run(&[listed(1, "a", 1)], &[row("a", state, 1)], Leave::Never);
        assert_eq!(plan.recheck.len(), 1, "{state:?}");
        assert!(plan.download.is_empty() && plan.delete.is_empty());
    }
    let resized = run(
        &[listed(1, "a", 2)],
        &[row("a", State::Downloaded, 1)],
        Leave::Never,
    );
    assert_eq!(resized.recheck.len(), 1);
    let checked = BTreeSet::from([uidl("a")]);
    let other = plan(
        &[listed(1, "a", 2)],
        &[row("a", State::Deleted, 1)],
        situation(Leave::Never),
        &checked,
    );
    assert_eq!(names(&other.download), ["a"]);
}

#[test]
fn renamed_messages_are_compared_before_they_are_downloaded_again() {
    let ledger: Vec<_> = (0..30)
        .map(|n| row(&format!("old{n}"), State::Downloaded, 100 + n))
        .collect();
    let renamed: Vec<_> = (0..30)
        .map(|n| listed(n + 1, &format!("new{n}"), 100 + u64::from(n)))
        .collect();
    let plan = run(&renamed, &ledger, Leave::Never);
    assert!(matches!(
        plan.suspicion,
        Some(Suspicion::AllNew {
            before: 30,
            listed: 30
        })
    ));
    assert_eq!(plan.recheck.len(), 30);
    assert!(plan.download.is_empty() && plan.delete.is_empty());
    assert!(
        plan.ledger.iter().all(|row| row.state == State::Seen),
        "nothing is called gone"
    );
}

#[test]
fn stops_at_a_sudden_disappearance() {
    let ledger: Vec<_> = (0..30)
        .map(|n| row(&n.to_string(), State::Downloaded, n))
        .collect();
    let first = |count: u32| {
        (0..count)
            .map(|n| listed(n + 1, &n.to_string(), u64::from(n)))
            .collect::<Vec<_>>()
    };
    let check = |count, expect: Option<Suspicion>| {
        let plan = run(&first(count), &ledger, Leave::Never);
        let stops = expect.is_some();
        assert_eq!(plan.suspicion, expect);
        assert_eq!(plan.delete.is_empty(), stops);
        assert_eq!(
            plan.ledger.iter().any(|row| row.state == State::Gone),
            !stops && count < 30
        );
    };
    check(30, None);
    check(24, None);
    check(23, Some(Suspicion::ManyGone { before: 30, gone: 7 }));
    check(0, Some(Suspicion::Empty { before: 30 }));
    let told = Situation {
        accepted: true,
        ..situation(Leave::Never)
    };
    let plan = plan(&[], &ledger, told, &BTreeSet::new());
    assert!(plan.ledger.iter().all(|row| row.state == State::Gone));
}

#[test]
fn never_deletes_by_a_name_that_is_not_the_servers_own() {
    let mut unnamed = listed(1, "a", 1);
    unnamed.certain = false;
    let plan = run(&[unnamed], &[row("a", State::Downloaded, 1)], Leave::Never);
    assert!(plan.delete.is_empty());
}

fn any_state() -> impl Strategy<Value = LedgerState> {
    proptest::sample::select(LedgerState::ALL.to_vec())
}

proptest! {
    #[test]
    fn every_listed_message_is_met_once_and_only_the_safe_are_deleted(
        ledger in proptest::collection::btree_map(0u32..40, any_state(), 0..40),
        present in proptest::collection::btree_set(0u32..60, 0..40),
        policy in proptest::sample::select(vec![Leave::Never, Leave::Forever, Leave::Days(5), Leave::Days(50), Leave::UntilRemoved]),
        accepted: bool,
    ) {
        let rows: Vec<_> = ledger.iter().map(|(n, state)| row(&n.to_string(), *state, u64::from(*n))).collect();
        let all: Vec<_> = present.iter().map(|n| listed(n + 1, &n.to_string(), u64::from(*n))).collect();
        let plan = plan(&all, &rows, Situation { policy, now: NOW, accepted }, &BTreeSet::new());
        for entry in &all {
            let times = plan.download.iter().filter(|one| *one == entry).count()
                + plan.recheck.iter().filter(|one| one.listed == *entry).count()
                + plan.delete.iter().filter(|(one, _)| one == entry).count();
            prop_assert!(times <= 1);
            let known = rows.iter().find(|row| row.uidl == entry.uidl);
            if known.is_none_or(|row| row.hash.is_none()) {
                prop_assert_eq!(times, 1, "what is not here is fetched");
            }
        }
        for (entry, _) in &plan.delete {
            let row = rows.iter().find(|row| row.uidl == entry.uidl);
            prop_assert!(row.is_some_and(|row| row.hash.is_some() && row.downloaded_at.is_some()));
            prop_assert!(policy != Leave::Forever && plan.suspicion.is_none());
        }
    }
}
