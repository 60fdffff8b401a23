use super::*;
use proptest::prelude::*;

fn set(text: &str) -> UidSet {
    UidSet::parse(text).unwrap_or_default()
}

fn validity(value: u32) -> UidValidity {
    UidValidity::new(value).expect("not zero")
}

fn state(generation: u32, uid_next: u32, modseq: Option<u64>) -> SyncState {
    SyncState {
        uid_validity: validity(generation),
        uid_next,
        highest_modseq: modseq.map(ModSeq),
    }
}

fn remote(generation: u32, uid_next: Option<u32>, exists: u32, modseq: Option<u64>) -> Remote {
    Remote {
        uid_validity: Some(validity(generation)),
        uid_next,
        exists,
        highest_modseq: modseq.map(ModSeq),
        resynced: false,
    }
}

#[test]
fn chooses_the_cheapest_way_that_misses_nothing() {
    let check = |what: &str, state: Option<SyncState>, uids: &str, remote: Remote, expect: Plan| {
        let uids = set(uids);
        let local = Local {
            state,
            known: uids.len(),
        };
        assert_eq!(plan(&local, &remote), expect, "{what}");
    };
    let known = Some(state(7, 4, Some(90)));
    check(
        "first time",
        None,
        "",
        remote(7, Some(4), 3, Some(90)),
        Plan::UidDiff,
    );
    check(
        "messages of no generation",
        None,
        "1:3",
        remote(7, Some(4), 3, None),
        Plan::Rekey,
    );
    check(
        "nothing new",
        known,
        "1:3",
        remote(7, Some(4), 3, Some(90)),
        Plan::Nothing,
    );
    let since = ModSeq(90);
    let resync = |from| Plan::Resync { since, from };
    check(
        "new mail",
        known,
        "1:3",
        remote(7, Some(5), 4, Some(95)),
        resync(4),
    );
    check(
        "flags only",
        known,
        "1:3",
        remote(7, Some(4), 3, Some(91)),
        resync(4),
    );
    check(
        "vanished without a mod-sequence",
        known,
        "1:3",
        remote(7, Some(4), 2, Some(90)),
        resync(4),
    );
    check(
        "no UIDNEXT",
        known,
        "1:3",
        remote(7, None, 3, Some(90)),
        resync(4),
    );
}

#[test]
fn doubts_what_does_not_fit_what_is_remembered() {
    let check = |what: &str, state: Option<SyncState>, uids: &str, remote: Remote, expect: Plan| {
        let uids = set(uids);
        let local = Local {
            state,
            known: uids.len(),
        };
        assert_eq!(plan(&local, &remote), expect, "{what}");
    };
    let known = Some(state(7, 4, Some(90)));
    let told = Remote {
        resynced: true,
        ..remote(7, Some(5), 4, Some(95))
    };
    check("told by SELECT", known, "1:3", told, Plan::Quick { from: 4 });
    check(
        "new generation",
        known,
        "1:3",
        remote(8, Some(4), 3, Some(90)),
        Plan::Rekey,
    );
    let nameless = Remote {
        uid_validity: None,
        ..remote(7, Some(4), 3, Some(90))
    };
    check("no generation", known, "1:3", nameless, Plan::Rekey);
    check(
        "modseq went back",
        known,
        "1:3",
        remote(7, Some(4), 3, Some(80)),
        Plan::UidDiff,
    );
    check(
        "UIDNEXT went back",
        known,
        "1:3",
        remote(7, Some(2), 1, Some(95)),
        Plan::UidDiff,
    );
    check(
        "no CONDSTORE here",
        known,
        "1:3",
        remote(7, Some(4), 3, None),
        Plan::UidDiff,
    );
    let plain = Some(state(7, 4, None));
    check(
        "none remembered",
        plain,
        "1:3",
        remote(7, Some(4), 3, Some(90)),
        Plan::UidDiff,
    );
}

#[test]
fn status_alone_is_believed_only_with_mod_sequences() {
    let check = |modseq: Option<u64>, expect: bool| {
        let local = Local {
            state: Some(state(7, 4, modseq)),
            known: 3,
        };
        assert_eq!(is_unchanged(&local, &remote(7, Some(4), 3, modseq)), expect);
    };
    check(Some(90), true);
    check(None, false);
}

#[test]
fn asks_before_believing_a_disappearance() {
    let check = |before, gone, expect: bool| {
        assert_eq!(suspect(before, gone).is_some(), expect, "{gone} of {before}");
    };
    check(0, 0, false);
    check(4, 4, false);
    check(5, 5, true);
    check(19, 10, false);
    check(20, 4, false);
    check(20, 5, true);
    check(1000, 200, false);
    check(1000, 201, true);
    check(1000, 1000, true);
}

#[test]
fn never_remembers_more_than_it_received() {
    let check = |known: &str, missing: &str, expect: SyncState| {
        let next = next_state(
            validity(7),
            &remote(7, Some(10), 9, Some(90)),
            set(known).max(),
            &set(missing),
        );
        assert_eq!(next, expect, "known {known:?} missing {missing:?}");
    };
    check("1:9", "", state(7, 10, Some(90)));
    check("", "", state(7, 10, Some(90)));
    check("1:20", "", state(7, 21, Some(90)));
    check("1:3,5:9", "4", state(7, 4, None));
}

proptest! {
    #[test]
    fn what_was_missing_is_asked_for_again(
        known in proptest::collection::btree_set(1u32..40, 0..30),
        missing in proptest::collection::btree_set(1u32..40, 1..10),
        uid_next in 1u32..50,
    ) {
        let all = |set: &std::collections::BTreeSet<u32>| set.iter().filter_map(|n| Uid::new(*n)).collect::<UidSet>();
        let lost = all(&missing).minus(&all(&known));
        let remote = remote(7, Some(uid_next), 9, Some(90));
        let next = next_state(validity(7), &remote, all(&known).max(), &lost);
        if let Some(first) = lost.iter().next() {
            prop_assert!(next.uid_next <= first.value());
            let local = Local { state: Some(next), known: all(&known).len() };
            prop_assert_eq!(plan(&local, &remote), Plan::UidDiff);
        }
    }

    #[test]
    fn batches_are_newest_first_and_complete(uids in proptest::collection::btree_set(1u32..200, 0..60), size in 1usize..20) {
        let set: UidSet = uids.iter().filter_map(|n| Uid::new(*n)).collect();
        let batches: Vec<UidSet> = newest_first(&set, 3, size).collect();
        prop_assert!(batches.first().is_none_or(|first| first.len() <= 3));
        prop_assert!(batches.iter().skip(1).all(|batch| batch.len() <= size as u64));
        let flat: Vec<u32> = batches.iter().flat_map(|batch| batch.iter().rev()).map(Uid::value).collect();
        let mut expect: Vec<u32> = uids.into_iter().collect();
        expect.reverse();
        prop_assert_eq!(flat, expect);
    }
}

#[test]
fn without_mod_sequences_figures_show_what_moved() {
    let local = Local {
        state: Some(state(7, 4, None)),
        known: 3,
    };
    let same = remote(7, Some(4), 3, None);
    let check = |what: &str, local: Local, unseen: u32, status: &Remote, expect: bool| {
        assert_eq!(is_still(&local, 1, unseen, status), expect, "{what}");
    };
    check("nothing moved", local, 1, &same, true);
    check("something was read", local, 0, &same, false);
    check("something came", local, 1, &remote(7, Some(5), 4, None), false);
    check(
        "one came, one went",
        local,
        1,
        &remote(7, Some(5), 3, None),
        false,
    );
    check("one went", local, 1, &remote(7, Some(4), 2, None), false);
    check("no UIDNEXT", local, 1, &remote(7, None, 3, None), false);
    check(
        "another generation",
        local,
        1,
        &remote(8, Some(4), 3, None),
        false,
    );
    let unknown = Local {
        state: None,
        known: 0,
    };
    check("never seen", unknown, 1, &same, false);
}

#[test]
fn every_mailbox_has_its_turn() {
    let still: BTreeMap<MailboxId, u64> = [(1, 1500), (2, 400), (3, 100_000), (4, 10)]
        .map(|(id, total)| (MailboxId(id), total))
        .into();
    let check = |last: Option<i64>, expect: &[i64]| {
        let chosen: Vec<i64> = in_turn(&still, last.map(MailboxId))
            .iter()
            .map(|id| id.0)
            .collect();
        assert_eq!(chosen, expect, "after {last:?}");
    };
    check(None, &[1, 2]);
    check(Some(2), &[3]);
    check(Some(3), &[4, 1, 2]);
    check(Some(9), &[1, 2]);
    assert!(in_turn(&BTreeMap::new(), None).is_empty());
}
