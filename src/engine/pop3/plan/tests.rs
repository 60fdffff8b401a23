use super::*;
use posthorn_model::{KeepAtMost, MessageId};
use proptest::prelude::*;

const NOW: Timestamp = Timestamp(1_000_000_000);

fn uidl(text: &str) -> Uidl {
    Uidl(text.as_bytes().to_vec())
}

fn listed(number: u32, name: &str, size: u64) -> Listed {
    Listed {
        number: MsgNo(number),
        uidl: uidl(name),
        naming: Naming::Server,
        size: Some(size),
    }
}

fn row(name: &str, state: LedgerState, size: u64) -> LedgerRow {
    let here = state != LedgerState::Seen;
    LedgerRow {
        size: Some(size),
        downloaded_at: here.then(|| NOW.plus_seconds(-10 * Timestamp::DAY)),
        hash: here.then_some(Hash([7; 32])),
        message: here.then_some(MessageId(1)),
        state,
        ..LedgerRow::first_seen(uidl(name), Timestamp(1))
    }
}

fn situation(policy: LeaveOnServer) -> Situation {
    Situation {
        policy: Pop3Policy::leaving(policy),
        now: NOW,
        accepted: false,
        tripped: false,
        hides_fetched: false,
    }
}

fn ledger(rows: &[LedgerRow]) -> Ledger {
    rows.iter().map(|row| (row.uidl.clone(), row.clone())).collect()
}

fn run_in(situation: &Situation, listed: &[Listed], rows: &[LedgerRow]) -> Plan {
    plan(listed, &ledger(rows), situation, &Told::default())
}

fn run(listed: &[Listed], rows: &[LedgerRow], policy: LeaveOnServer) -> Plan {
    run_in(&situation(policy), listed, rows)
}

fn names(plan: &Plan, act: Act) -> Vec<String> {
    plan.to(act).map(|step| step.listed.uidl.to_string()).collect()
}

use LeaveOnServer as Leave;
use LedgerState as State;

#[test]
fn downloads_what_is_not_here_in_the_order_that_is_wanted() {
    let all = [
        listed(1, "a", 10),
        listed(2, "b", 20),
        listed(3, "c", 30),
        listed(4, "d", 40),
    ];
    let known = [row("b", State::Downloaded, 20)];
    let check = |change: fn(&mut Pop3Policy), expect: &[&str], headers: &[&str], waits: usize| {
        let mut situation = situation(Leave::Forever);
        change(&mut situation.policy);
        let plan = run_in(&situation, &all, &known);
        assert_eq!(names(&plan, Act::Download), expect);
        assert_eq!(names(&plan, Act::Headers), headers);
        assert_eq!(plan.to(Act::Wait).count(), waits);
        assert_eq!(plan.steps.len(), all.len());
    };
    check(|_| {}, &["a", "c", "d"], &[], 1);
    check(|policy| policy.newest_first = true, &["d", "c", "a"], &[], 1);
    check(|policy| policy.per_session = Some(2), &["a", "c"], &[], 2);
    check(
        |policy| (policy.per_session, policy.newest_first) = (Some(1), true),
        &["d"],
        &[],
        3,
    );
    check(|policy| policy.headers_first = true, &[], &["a", "c", "d"], 1);
    check(|policy| policy.body_cap = Some(30), &["a", "c"], &["d"], 1);
}

#[test]
fn the_rest_of_a_header_comes_when_it_is_asked_for() {
    let check = |wanted, cap, act, reason: Reason| {
        let seen = LedgerRow {
            header_hash: Some(Hash([1; 32])),
            wanted,
            ..row("a", State::Seen, 50)
        };
        let mut situation = situation(Leave::Never);
        situation.policy.body_cap = cap;
        let plan = run_in(&situation, &[listed(1, "a", 50)], &[seen]);
        let step = &plan.steps[0];
        assert_eq!((step.act, &step.reason), (act, &reason));
        assert_eq!(
            step.due.is_some(),
            act == Act::Download,
            "a header alone is never deleted by"
        );
    };
    check(false, Some(10), Act::Wait, Reason::HeaderHere);
    check(true, Some(10), Act::Download, Reason::AskedFor);
    check(false, None, Act::Download, Reason::New);
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
    let rows = [
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
        let plan = run(&all, &rows, policy);
        assert_eq!(names(&plan, Act::Delete), expect, "{policy}");
        assert_eq!(names(&plan, Act::Download), ["s"], "{policy}");
    };
    check(Leave::Forever, &[]);
    check(Leave::Never, &["d", "w", "f"]);
    check(Leave::Days(10), &["d", "w", "f"]);
    check(Leave::Days(11), &[]);
    check(Leave::UntilRemoved, &["w"]);
}

#[test]
fn every_step_says_why_and_when() {
    let all = [listed(1, "old", 1), listed(2, "new", 2)];
    let rows = [row("old", State::Downloaded, 1)];
    let check = |policy, expect: [(Act, &str, Option<i64>); 2]| {
        let plan = run(&all, &rows, policy);
        for (step, (act, reason, due)) in plan.steps.iter().zip(expect) {
            assert_eq!(step.act, act, "{policy}");
            assert!(
                step.reason.to_string().contains(reason),
                "{policy}: {}",
                step.reason
            );
            let days = step.due.as_ref().map(|due| (due.on.0 - NOW.0) / Timestamp::DAY);
            assert_eq!(days, due, "{policy}");
        }
    };
    check(
        Leave::Forever,
        [
            (Act::Wait, "never removes", None),
            (Act::Download, "not here yet", None),
        ],
    );
    check(
        Leave::Days(14),
        [
            (Act::Wait, "stays 14 days", Some(4)),
            (Act::Download, "not here yet", Some(14)),
        ],
    );
    check(
        Leave::Never,
        [
            (Act::Delete, "verified here", Some(-10)),
            (Act::Download, "not here yet", Some(0)),
        ],
    );
    check(
        Leave::UntilRemoved,
        [
            (Act::Wait, "until you delete", None),
            (Act::Download, "not here yet", None),
        ],
    );
}

#[test]
fn keeps_at_most_so_much_and_lets_the_oldest_go() {
    let rows: Vec<_> = (0..4u32)
        .map(|n| LedgerRow {
            first_seen: Timestamp(i64::from(n)),
            ..row(&n.to_string(), State::Downloaded, 10)
        })
        .collect();
    // The server lists them the other way round: when they were first seen counts.
    let mut all: Vec<_> = (0..4u32).map(|n| listed(5 - n, &n.to_string(), 10)).collect();
    all.push(listed(6, "new", 10));
    let check = |limit, rows: &[LedgerRow], deleted: &[&str], later: usize| {
        let mut situation = situation(Leave::Forever);
        situation.policy.keep_at_most = Some(limit);
        let plan = run_in(&situation, &all, rows);
        let mut names = names(&plan, Act::Delete);
        names.sort();
        assert_eq!(names, deleted, "{limit}");
        assert_eq!(
            plan.to(Act::Download).filter(|step| step.due.is_some()).count(),
            later,
            "{limit}"
        );
    };
    check(KeepAtMost::Messages(5), &rows, &[], 0);
    check(KeepAtMost::Messages(3), &rows, &["0", "1"], 0);
    check(KeepAtMost::Messages(0), &rows, &["0", "1", "2", "3"], 1);
    check(KeepAtMost::Bytes(45), &rows, &["0"], 0);
    check(KeepAtMost::Bytes(50), &rows, &[], 0);
    // What is not verified here stays, whatever the limit.
    let mut unverified = rows.clone();
    unverified[0] = row("0", State::Seen, 10);
    unverified[0].header_hash = Some(Hash([1; 32]));
    let mut situation = situation(Leave::Forever);
    situation.policy.keep_at_most = Some(KeepAtMost::Messages(0));
    situation.policy.headers_first = true;
    let plan = run_in(&situation, &all, &unverified);
    assert_eq!(names(&plan, Act::Delete).len(), 3);
}

#[test]
fn what_came_shorter_than_listed_stays_there() {
    let short = LedgerRow {
        served: Some(40),
        ..row("a", State::Downloaded, 100)
    };
    let plan = run(&[listed(1, "a", 100)], &[short], Leave::Never);
    assert_eq!(
        plan.steps[0].reason,
        Reason::FellShort {
            size: 100,
            served: 40
        }
    );
    assert_eq!(plan.to(Act::Delete).count(), 0);
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
    let check = |state, asked: bool, expect: Option<State>| {
        let missing = LedgerRow {
            asked_at: asked.then_some(NOW),
            ..row("a", state, 2)
        };
        let plan = run(
            &[listed(1, "x", 1)],
            &[row("x", State::Downloaded, 1), missing],
            Leave::Forever,
        );
        assert_eq!(plan.ledger.first().map(|row| row.state), expect, "{state:?}");
        assert_eq!(plan.missing.len(), usize::from(expect.is_some()));
        assert_eq!(plan.to(Act::Download).count(), 0);
    };
    check(State::Seen, false, Some(State::Gone));
    check(State::Downloaded, false, Some(State::Gone));
    check(State::DeleteWanted, true, Some(State::Deleted));
    // Wanted, and nobody had told the server yet.
    check(State::DeleteWanted, false, Some(State::Gone));
    check(State::Deleted, true, None);
    check(State::Gone, false, None);
}

#[test]
fn a_removed_uidl_that_is_listed_again_is_looked_at() {
    for state in [State::Deleted, State::Gone] {
        let plan = run(&[listed(1, "a", 1)], &[row("a", state, 1)], Leave::Never);
        assert_eq!(plan.to(Act::Compare).count(), 1, "{state:?}");
        assert_eq!(plan.steps.len(), 1);
    }
    let resized = run(
        &[listed(1, "a", 2)],
        &[row("a", State::Downloaded, 1)],
        Leave::Never,
    );
    assert_eq!(resized.to(Act::Compare).count(), 1);
    let told = Told {
        compared: BTreeSet::from([uidl("a")]),
        ..Told::default()
    };
    let rows = ledger(&[row("a", State::Deleted, 1)]);
    let other = plan(&[listed(1, "a", 2)], &rows, &situation(Leave::Never), &told);
    assert_eq!(names(&other, Act::Download), ["a"]);
}

#[test]
fn renamed_messages_are_compared_before_they_are_downloaded_again() {
    let rows: Vec<_> = (0..30)
        .map(|n| row(&format!("old{n}"), State::Downloaded, 100 + n))
        .collect();
    let renamed: Vec<_> = (0..30)
        .map(|n| listed(n + 1, &format!("new{n}"), 100 + u64::from(n)))
        .collect();
    let plan = run(&renamed, &rows, Leave::Never);
    let expect = Suspicion::AllNew {
        before: 30,
        listed: 30,
    };
    assert_eq!(plan.suspicion, Some(expect));
    assert_eq!(plan.to(Act::Compare).count(), 30);
    assert_eq!(
        plan.to(Act::Compare).map(|step| step.candidates.len()).max(),
        Some(1)
    );
    assert!(
        plan.ledger.iter().all(|row| row.state == State::Seen),
        "nothing is called gone"
    );
}

#[test]
fn stops_at_a_sudden_disappearance() {
    let rows: Vec<_> = (0..30)
        .map(|n| row(&n.to_string(), State::Downloaded, n))
        .collect();
    let first = |count: u32| {
        (0..count)
            .map(|n| listed(n + 1, &n.to_string(), u64::from(n)))
            .collect::<Vec<_>>()
    };
    let check = |count, expect: Option<Suspicion>| {
        let plan = run(&first(count), &rows, Leave::Never);
        let stops = expect.is_some();
        assert_eq!(plan.suspicion, expect);
        assert_eq!(plan.to(Act::Delete).next().is_none(), stops);
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
    let accepted = run_in(&told, &[], &rows);
    assert!(accepted.ledger.iter().all(|row| row.state == State::Gone));
    // Once open, the breaker stays open while anything is missing, however much has come since.
    let tripped = Situation {
        tripped: true,
        ..situation(Leave::Never)
    };
    assert_eq!(
        run_in(&tripped, &first(29), &rows).suspicion,
        Some(Suspicion::ManyGone { before: 30, gone: 1 })
    );
    assert_eq!(run_in(&tripped, &first(30), &rows).suspicion, None);
    // Gmail lists nothing twice: that what was fetched is gone says nothing.
    let gmail = Situation {
        hides_fetched: true,
        ..situation(Leave::Never)
    };
    let hidden = run_in(&gmail, &[], &rows);
    assert_eq!(hidden.suspicion, None);
    assert!(
        hidden
            .missing
            .iter()
            .all(|missing| missing.reason == Reason::Hidden)
    );
}

#[test]
fn never_deletes_by_a_name_that_is_not_the_servers_own() {
    let unnamed = Listed {
        naming: Naming::Made,
        ..listed(1, "a", 1)
    };
    let rows = ledger(&[row("a", State::Downloaded, 1)]);
    let mut told = Told::default();
    let plan_with = |told: &Told| {
        plan(
            std::slice::from_ref(&unnamed),
            &rows,
            &situation(Leave::Never),
            told,
        )
    };
    let first = plan_with(&told);
    assert_eq!(
        names(&first, Act::Download),
        ["a"],
        "its bytes must say what it is"
    );
    assert_eq!(first.steps[0].reason, Reason::Confirm);
    told.fetched.insert(MsgNo(1));
    assert_eq!(names(&plan_with(&told), Act::Delete), ["a"]);
}

fn any_state() -> impl Strategy<Value = LedgerState> {
    proptest::sample::select(LedgerState::ALL.to_vec())
}

proptest! {
    #[test]
    fn every_listed_message_is_met_once_and_only_the_safe_are_deleted(
        known in proptest::collection::btree_map(0u32..40, any_state(), 0..40),
        present in proptest::collection::btree_set(0u32..60, 0..40),
        policy in proptest::sample::select(vec![Leave::Never, Leave::Forever, Leave::Days(5), Leave::Days(50), Leave::UntilRemoved]),
        keep_at_most in proptest::option::of(0u32..50),
        headers_first: bool,
        accepted: bool,
        tripped: bool,
    ) {
        let rows: Vec<_> = known.iter().map(|(n, state)| row(&n.to_string(), *state, u64::from(*n))).collect();
        let all: Vec<_> = present.iter().map(|n| listed(n + 1, &n.to_string(), u64::from(*n))).collect();
        let mut situation = Situation { accepted, tripped, ..situation(policy) };
        situation.policy.keep_at_most = keep_at_most.map(KeepAtMost::Messages);
        situation.policy.headers_first = headers_first;
        let plan = run_in(&situation, &all, &rows);
        prop_assert_eq!(plan.steps.len(), all.len());
        for step in &plan.steps {
            let known = rows.iter().find(|row| row.uidl == step.listed.uidl);
            let whole = known.is_some_and(|row| row.hash.is_some() && row.downloaded_at.is_some());
            if !whole {
                prop_assert!(matches!(step.act, Act::Download | Act::Headers | Act::Compare), "what is not here is fetched");
            }
            if step.act == Act::Delete {
                prop_assert!(whole && plan.suspicion.is_none());
                prop_assert!(policy != Leave::Forever || keep_at_most.is_some());
                prop_assert!(step.due.as_ref().is_some_and(|due| due.on <= NOW));
            }
        }
    }
}
