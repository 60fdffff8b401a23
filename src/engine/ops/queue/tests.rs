use super::*;
use posthorn_model::{AccountId, Flag, Timestamp};
use proptest::prelude::*;

fn operation(id: i64, mailbox: i64, kind: OperationKind, messages: &[i64]) -> Operation {
    Operation {
        id: OperationId(id),
        account: AccountId(1),
        mailbox: MailboxId(mailbox),
        uid_validity: UidValidity::new(7),
        targets: messages
            .iter()
            .map(|message| Target {
                message: MessageId(*message),
                uid: u32::try_from(*message).ok().and_then(Uid::new),
                before: Flags::default(),
                message_id: None,
                size: None,
            })
            .collect(),
        kind,
        state: OperationState::Queued,
        created: Timestamp(0),
        intent: id,
        tries: 0,
        reply: String::new(),
    }
}

fn flags(change: FlagChange) -> OperationKind {
    OperationKind::SetFlags { change }
}

fn add(flag: Flag) -> FlagChange {
    FlagChange::adding(flag)
}

fn ids(turn: &Turn) -> Vec<i64> {
    turn.operations.iter().map(|id| id.0).collect()
}

#[test]
fn folds_neighbours_and_keeps_order() {
    let to = MailboxId(9);
    let all = [
        operation(1, 1, flags(add(Flag::Seen)), &[1]),
        operation(2, 1, flags(add(Flag::Seen)), &[2]),
        operation(3, 1, flags(add(Flag::Flagged)), &[1]),
        operation(4, 1, OperationKind::Move { to }, &[1]),
        operation(5, 1, flags(add(Flag::Seen)), &[3]),
    ];
    let turn = next_turn(&all).expect("a turn");
    assert_eq!(ids(&turn), [1, 2, 3]);
    let Work::Flags(groups) = turn.work else {
        panic!("not flags");
    };
    let groups: Vec<_> = groups
        .into_iter()
        .map(|(change, aims)| {
            (
                change.add.names(),
                aims.iter().map(|aim| aim.target.message.0).collect::<Vec<_>>(),
            )
        })
        .collect();
    let names = |text: &[&str]| text.iter().map(ToString::to_string).collect::<Vec<_>>();
    assert_eq!(
        groups,
        [
            (names(&["seen", "flagged"]), vec![1]),
            (names(&["seen"]), vec![2])
        ]
    );
    assert_eq!(ids(&next_turn(&all[3..]).expect("a turn")), [4]);
}

#[test]
fn passes_over_what_is_held() {
    let mut all = vec![
        operation(1, 1, OperationKind::Expunge, &[1]),
        operation(2, 1, OperationKind::Expunge, &[2]),
    ];
    all[0].state = OperationState::Held;
    assert_eq!(next_turn(&all).map(|turn| ids(&turn)), Some(vec![2]));
    all[1].state = OperationState::Held;
    assert_eq!(next_turn(&all), None);
}

#[test]
fn hides_what_is_leaving_and_expects_what_is_coming() {
    let to = MailboxId(2);
    let all = [
        operation(1, 1, OperationKind::Move { to }, &[1, 2]),
        operation(2, 1, OperationKind::Expunge, &[3]),
        operation(3, 1, flags(add(Flag::Seen)), &[4]),
        operation(4, 1, OperationKind::Copy { to }, &[5]),
    ];
    let validity = UidValidity::new(7).expect("not zero");
    let leaving = taken_out(&all, MailboxId(1), validity);
    assert_eq!(leaving.to_string(), "1:3");
    let other = UidValidity::new(8).expect("not zero");
    assert!(taken_out(&all, MailboxId(1), other).is_empty());
    let coming: Vec<_> = coming_in(&all, to).iter().map(|message| message.0).collect();
    assert_eq!(coming, [1, 2, 5]);
}

#[test]
fn later_operations_learn_uids() {
    let mut unknown = operation(2, 5, OperationKind::Expunge, &[1, 2]);
    unknown.uid_validity = None;
    for target in &mut unknown.targets {
        target.uid = None;
    }
    let mut stale = unknown.clone();
    stale.id = OperationId(3);
    stale.uid_validity = UidValidity::new(3);
    let all = [unknown, stale];
    let validity = UidValidity::new(7).expect("not zero");
    let uids = BTreeMap::from([(MessageId(1), Uid::new(40).expect("not zero"))]);
    let learnt = learn(&all, &[], MailboxId(5), validity, &uids);
    let told: Vec<_> = learnt
        .iter()
        .map(|operation| {
            (
                operation.id.0,
                operation.targets[0].uid.map(Uid::value),
                operation.targets[1].uid,
            )
        })
        .collect();
    assert_eq!(told, [(2, Some(40), None)]);
    assert!(learn(&all, &[OperationId(2)], MailboxId(5), validity, &uids).is_empty());
}

proptest! {
    #[test]
    fn two_changes_as_one_do_the_same(a in 0u8..32, b in 0u8..32, c in 0u8..32, d in 0u8..32, start in 0u8..32) {
        let flags = |bits| Flags::from_bits(bits, []);
        // A change that adds and removes the same flag is none that the program makes.
        let change = |add: u8, remove: u8| FlagChange { add: flags(add), remove: flags(remove & !add) };
        let (first, second) = (change(a, b), change(c, d));
        let one_by_one = second.apply(&first.apply(&flags(start)));
        prop_assert_eq!(then(&first, &second).apply(&flags(start)), one_by_one);
    }

    /// However the user's changes are folded, the server ends where the user's list ends.
    #[test]
    fn folding_keeps_the_outcome(changes in proptest::collection::vec((1i64..4, 0u8..32, 0u8..32), 1..12), start in 0u8..32) {
        let bits = |bits| Flags::from_bits(bits, []);
        let all: Vec<Operation> = changes.iter().enumerate().map(|(n, (message, add, remove))| {
            let change = FlagChange { add: bits(*add), remove: bits(*remove & !*add) };
            operation(i64::try_from(n).unwrap_or(0) + 1, 1, flags(change), &[*message])
        }).collect();
        let mut expect: BTreeMap<i64, Flags> = (1..4).map(|message| (message, bits(start))).collect();
        let mut server = expect.clone();
        for operation in &all {
            if let OperationKind::SetFlags { change } = &operation.kind {
                let message = operation.targets[0].message.0;
                expect.insert(message, change.apply(&expect[&message]));
            }
        }
        let turn = next_turn(&all).expect("a turn");
        prop_assert_eq!(turn.operations.len(), all.len());
        if let Work::Flags(groups) = turn.work {
            for (change, aims) in groups {
                for aim in aims {
                    let message = aim.target.message.0;
                    server.insert(message, change.apply(&server[&message]));
                }
            }
        }
        prop_assert_eq!(server, expect);
    }
}
