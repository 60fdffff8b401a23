use super::*;
use posthorn_model::{Flag, Uidl};

fn room(id: i64, special_use: Option<SpecialUse>, local: bool) -> (MailboxId, Room) {
    let room = Room {
        id: MailboxId(id),
        account: AccountId(if id < 10 { 1 } else { 2 }),
        special_use,
        selectable: true,
        local,
        uid_validity: UidValidity::new(7).filter(|_| !local),
    };
    (room.id, room)
}

fn placed(message: i64, mailbox: i64, flags: Flags) -> Placed {
    Placed {
        message: MessageId(message),
        mailbox: MailboxId(mailbox),
        uid: u32::try_from(message).ok().and_then(Uid::new),
        base: flags.clone(),
        flags,
        message_id: None,
        hash: None,
        size: 10,
    }
}

fn facts(local: bool, placed: Vec<Placed>) -> Facts {
    Facts {
        placed,
        rooms: BTreeMap::from([
            room(1, Some(SpecialUse::Inbox), local),
            room(2, Some(SpecialUse::Trash), local),
            room(3, Some(SpecialUse::Archive), local),
            room(11, Some(SpecialUse::Inbox), local),
        ]),
        now: Timestamp(50),
        ..Facts::default()
    }
}

fn apply(facts: &Facts, act: impl FnOnce(&mut Applier<'_>) -> Result<(), Error>) -> Result<Effect, Error> {
    let mut next = 100;
    let mut new_id = || {
        next += 1;
        OperationId(next)
    };
    let mut applier = Applier::new(facts, 9, &mut new_id);
    act(&mut applier)?;
    Ok(applier.finish())
}

fn operations(effect: &Effect) -> Vec<&Operation> {
    let all = effect.writes.iter().filter_map(|write| match write {
        Write::AddOperation(operation) => Some(&**operation),
        _ => None,
    });
    all.collect()
}

#[test]
fn a_move_is_local_at_once_and_one_operation_a_mailbox() {
    let facts = facts(
        false,
        vec![
            placed(1, 1, Flags::default()),
            placed(2, 1, Flags::default()),
            placed(3, 3, Flags::default()),
        ],
    );
    let effect = apply(&facts, |applier| applier.move_to(MailboxId(2))).expect("moved");
    let sent: Vec<_> = operations(&effect)
        .iter()
        .map(|operation| (operation.mailbox.0, operation.targets.len(), operation.intent))
        .collect();
    assert_eq!(sent, [(1, 2, 9), (3, 1, 9)]);
    let placed = effect
        .writes
        .iter()
        .filter(|write| matches!(write, Write::Place { mailbox, uid: None, .. } if mailbox.0 == 2));
    let gone = effect
        .writes
        .iter()
        .filter(|write| matches!(write, Write::Unplace { mailbox, .. } if mailbox.0 != 2));
    assert_eq!((placed.count(), gone.count(), effect.messages), (3, 3, 3));
}

#[test]
fn local_mailboxes_send_nothing() {
    let facts = facts(true, vec![placed(1, 1, Flags::default())]);
    let effect = apply(&facts, |applier| applier.delete()).expect("deleted");
    assert!(operations(&effect).is_empty());
    assert_eq!(effect.steps.len(), 1);
}

#[test]
fn deleting_from_the_trash_is_for_good() {
    let facts = facts(
        false,
        vec![placed(1, 2, Flags::default()), placed(2, 1, Flags::default())],
    );
    let effect = apply(&facts, |applier| applier.delete()).expect("deleted");
    let kinds: Vec<_> = operations(&effect)
        .iter()
        .map(|operation| operation.kind.clone())
        .collect();
    assert_eq!(
        kinds,
        [OperationKind::Move { to: MailboxId(2) }, OperationKind::Expunge]
    );
}

#[test]
fn flags_that_are_set_already_ask_for_nothing() {
    let seen = Flags::default().with(Flag::Seen);
    let facts = facts(false, vec![placed(1, 1, seen), placed(2, 1, Flags::default())]);
    let change = FlagChange::adding(Flag::Seen);
    let effect = apply(&facts, |applier| applier.flag(&change)).expect("flagged");
    let targets: Vec<_> = operations(&effect)
        .iter()
        .flat_map(|operation| &operation.targets)
        .map(|target| target.message.0)
        .collect();
    assert_eq!(targets, [2]);
    assert_eq!(
        effect.steps[0].back,
        Back::Flags {
            change: FlagChange::removing(Flag::Seen)
        }
    );
}

#[test]
fn refuses_a_missing_mailbox_and_a_missing_purpose() {
    let facts = facts(false, vec![placed(1, 1, Flags::default())]);
    assert!(apply(&facts, |applier| applier.move_to(MailboxId(99))).is_err());
    assert!(apply(&facts, |applier| applier.file(SpecialUse::Junk)).is_err());
}

fn copy_of(message: i64, to: i64) -> NewMessage {
    NewMessage {
        id: MessageId(message),
        account: AccountId(to),
        envelope: posthorn_model::Envelope::default(),
        received: None,
        size: 10,
        has_attachments: false,
        body: None,
    }
}

#[test]
fn what_goes_to_another_account_is_removed_only_after_its_upload() {
    let check =
        |what: &str, whole: bool, away: bool, local_source: bool, local_target: bool, expect: &[&str]| {
            let mut one = placed(1, 1, Flags::default().with(Flag::Seen));
            one.hash = whole.then_some(Hash([7; 32]));
            let mut facts = facts(false, vec![one]);
            facts.copies.insert(MessageId(1), copy_of(500, 2));
            for (id, local) in [(1, local_source), (11, local_target)] {
                if let Some(room) = facts.rooms.get_mut(&MailboxId(id)) {
                    room.local = local;
                }
            }
            let to = MailboxId(11);
            let effect = apply(&facts, |applier| {
                if away {
                    applier.move_to(to)
                } else {
                    applier.copy_to(to)
                }
            });
            let effect = effect.unwrap_or_else(|error| panic!("{what}: {error}"));
            let kinds: Vec<&str> = operations(&effect)
                .iter()
                .map(|operation| match &operation.kind {
                    OperationKind::Append { hash, .. } if hash.hash().is_some() => "append",
                    OperationKind::Append { .. } => "append later",
                    OperationKind::Handover {
                        append: Some(_),
                        hash: Some(_),
                        ..
                    } => "wait",
                    OperationKind::Handover { hash: Some(_), .. } => "remove",
                    OperationKind::Handover { .. } => "fetch",
                    _ => "other",
                })
                .collect();
            assert_eq!(kinds, expect, "{what}");
            let gone = effect.writes.iter().any(|write| {
                matches!(
                    write,
                    Write::Unplace {
                        mailbox: MailboxId(1),
                        ..
                    }
                )
            });
            assert_eq!(gone, away, "{what}");
            let here = effect.writes.iter().any(|write| {
                matches!(
                    write,
                    Write::Place {
                        mailbox: MailboxId(11),
                        message: MessageId(500),
                        uid: None,
                        ..
                    }
                )
            });
            assert!(here, "{what}");
        };
    check("a move", true, true, false, false, &["append", "wait"]);
    check(
        "a move of headers",
        false,
        true,
        false,
        false,
        &["append later", "fetch"],
    );
    check("a copy", true, false, false, false, &["append"]);
    check(
        "a copy of headers",
        false,
        false,
        false,
        false,
        &["append later", "fetch"],
    );
    check("from POP3", true, true, true, false, &["append"]);
    check("into POP3", true, true, false, true, &["remove"]);
    check("headers into POP3", false, true, false, true, &["fetch"]);
    check("POP3 to POP3", true, true, true, true, &[]);
}

#[test]
fn an_upload_that_nobody_heard_of_is_cancelled() {
    let mut draft = placed(1, 3, Flags::default());
    draft.uid = None;
    let mut facts = facts(false, vec![draft]);
    facts.uploads.insert((MessageId(1), MailboxId(3)), OperationId(5));
    let effect = apply(&facts, |applier| applier.discard()).expect("discarded");
    assert!(operations(&effect).is_empty());
    assert!(
        effect
            .writes
            .iter()
            .any(|write| matches!(write, Write::RemoveOperation(OperationId(5))))
    );
}

fn ledger_row(state: LedgerState) -> LedgerRow {
    LedgerRow {
        downloaded_at: Some(Timestamp(2)),
        hash: Some(Hash([1; 32])),
        message: Some(MessageId(1)),
        state,
        changed_at: Timestamp(2),
        ..LedgerRow::first_seen(Uidl(b"u".to_vec()), Timestamp(1))
    }
}

#[test]
fn until_removed_is_driven_by_the_act_and_only_under_that_policy() {
    let check = |policy, from: i64, to: i64, expect: bool| {
        let mut facts = facts(true, vec![placed(1, from, Flags::default())]);
        let row = ledger_row(LedgerState::Downloaded);
        let twin = LedgerRow {
            uidl: Uidl(b"another name".to_vec()),
            ..row.clone()
        };
        let rows = [row, twin].map(|row| (AccountId(1), row, policy));
        facts.ledger.insert(MessageId(1), rows.to_vec());
        let effect = apply(&facts, |applier| applier.move_to(MailboxId(to))).expect("moved");
        let wanted = effect.writes.iter().filter(
            |write| matches!(write, Write::PutLedger { row, .. } if row.state == LedgerState::DeleteWanted && row.reason == REMOVED_HERE),
        );
        assert_eq!(wanted.count(), if expect { 2 } else { 0 }, "{policy} {from} {to}");
    };
    check(LeaveOnServer::UntilRemoved, 1, 2, true);
    check(LeaveOnServer::UntilRemoved, 1, 3, true);
    // Where a rule has put it before: deleted, or put elsewhere.
    check(LeaveOnServer::UntilRemoved, 3, 2, true);
    check(LeaveOnServer::UntilRemoved, 2, 3, false);
    check(LeaveOnServer::Forever, 1, 2, false);
    check(LeaveOnServer::Days(3), 1, 2, false);
}

#[test]
fn a_way_back_survives_being_written_down() {
    let facts = facts(
        false,
        vec![
            placed(1, 1, Flags::default().with(Flag::Seen)),
            placed(2, 2, Flags::default()),
        ],
    );
    let effect = apply(&facts, |applier| applier.delete()).expect("deleted");
    let intent = Intent {
        id: 9,
        at: Timestamp(50),
        mailboxes: Vec::new(),
        steps: effect.steps,
    };
    let text = serde_json::to_string(&intent).expect("written");
    assert_eq!(serde_json::from_str::<Intent>(&text).expect("read"), intent);
}

#[test]
fn a_refusal_puts_things_back() {
    let facts = facts(false, vec![placed(1, 1, Flags::default())]);
    let effect = apply(&facts, |applier| applier.move_to(MailboxId(2))).expect("moved");
    let operation = operations(&effect)[0].clone();
    let here = posthorn_model::Placement {
        message: MessageId(1),
        mailbox: MailboxId(2),
        uid: None,
        flags: Flags::default(),
        base: Flags::default(),
    };
    let writes = take_back(&operation, &operation.targets[0], Some(&here));
    assert!(
        matches!(&writes[0], Write::Place { mailbox: MailboxId(1), uid: Some(uid), .. } if uid.value() == 1)
    );
    assert!(matches!(
        &writes[1],
        Write::Unplace {
            mailbox: MailboxId(2),
            ..
        }
    ));
}
