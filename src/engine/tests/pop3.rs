use posthorn_model::{ErrorClass, LeaveOnServer, LedgerState, Protocol, Where};
use posthorn_sandbox::{Fault, SandboxOptions, Service};

use super::world::{World, letter, run};
use crate::Command;
use crate::command::Selection;

async fn world(policy: LeaveOnServer) -> World {
    World::with(Protocol::Pop3, policy, SandboxOptions::plain_and_empty()).await
}

async fn states(world: &World) -> Vec<LedgerState> {
    let rows = world
        .engine()
        .catalog()
        .ledger(world.account)
        .await
        .expect("a ledger");
    rows.iter().map(|row| row.state).collect()
}

fn deliver(world: &World, numbers: std::ops::Range<usize>) {
    for number in numbers {
        world.deliver("INBOX", number);
    }
}

#[test]
fn downloads_once_and_goes_on_where_it_stopped() {
    run(async {
        let mut world = world(LeaveOnServer::Forever).await;
        deliver(&world, 0..40);
        let first = world.sync_well().await;
        assert_eq!((first.new, first.bodies), (40, 40));
        assert_eq!(world.subjects("Inbox").await, world.subjects_there("INBOX"));
        world.restart().await;
        deliver(&world, 40..43);
        let second = world.sync_well().await;
        assert_eq!((second.new, second.bodies), (3, 3));
        assert_eq!(world.sandbox.messages("INBOX").len(), 43);
        assert_eq!(world.subjects("Inbox").await, world.subjects_there("INBOX"));
    });
}

#[test]
fn policies_delete_what_they_say_and_when() {
    let check = |policy: LeaveOnServer, after_sync: usize, after_three_days: usize| {
        run(async {
            let world = world(policy).await;
            deliver(&world, 0..4);
            world.sync_well().await;
            assert_eq!(world.sandbox.messages("INBOX").len(), after_sync, "{policy}");
            world.pass_days(2);
            world.sync_well().await;
            assert_eq!(
                world.sandbox.messages("INBOX").len(),
                after_sync,
                "{policy} after two days"
            );
            world.pass_days(1);
            world.sync_well().await;
            assert_eq!(
                world.sandbox.messages("INBOX").len(),
                after_three_days,
                "{policy}"
            );
            assert_eq!(world.subjects("Inbox").await.len(), 4);
            let expect = if after_three_days == 0 {
                LedgerState::Deleted
            } else {
                LedgerState::Downloaded
            };
            assert!(
                states(&world).await.iter().all(|state| *state == expect),
                "{policy}"
            );
        });
    };
    check(LeaveOnServer::Forever, 4, 4);
    check(LeaveOnServer::Never, 0, 0);
    check(LeaveOnServer::Days(3), 4, 0);
    check(LeaveOnServer::UntilRemoved, 4, 4);
}

#[test]
fn until_removed_follows_the_act_and_its_undo() {
    run(async {
        let world = world(LeaveOnServer::UntilRemoved).await;
        deliver(&world, 0..3);
        world.sync_well().await;
        let pick = |message| Selection {
            messages: vec![message],
            mailbox: None,
        };
        let kept = world.find("Inbox", "letter 0000").await;
        let receipt = world.command(Command::Delete(pick(kept))).await;
        let row = world.rows("Trash").await;
        assert!(matches!(row[0].lives, Where::Leaving { .. }));
        world
            .command(Command::Undo {
                intent: receipt.intent,
            })
            .await;
        let removed = world.find("Inbox", "letter 0001").await;
        world.command(Command::Archive(pick(removed))).await;
        world.sync_well().await;
        assert_eq!(world.subjects_there("INBOX"), ["letter 0000", "letter 0002"]);
        assert_eq!(world.subjects("Archive").await, ["letter 0001"]);
        assert_eq!(world.rows("Archive").await[0].lives, Where::OnlyHere);
        assert_eq!(world.rows("Inbox").await[0].lives, Where::Both);
    });
}

#[test]
fn keeps_local_copy_when_uidl_vanishes() {
    run(async {
        let world = world(LeaveOnServer::Forever).await;
        let user = world.sandbox.login().username.clone();
        deliver(&world, 0..30);
        world.sync_well().await;
        let first = world.sandbox.messages("INBOX")[0].uid;
        world
            .sandbox
            .store()
            .vanish(&user, "INBOX", |message| message.uid == first);
        world.sync_well().await;
        assert_eq!(world.subjects("Inbox").await.len(), 30);
        assert_eq!(
            states(&world)
                .await
                .iter()
                .filter(|state| **state == LedgerState::Gone)
                .count(),
            1
        );
        world.sandbox.store().vanish(&user, "INBOX", |_| true);
        let report = world.sync().await;
        assert!(
            report
                .problems
                .iter()
                .any(|problem| problem.class == ErrorClass::Suspicious)
        );
        assert_eq!(world.subjects("Inbox").await.len(), 30);
        assert_eq!(
            states(&world)
                .await
                .iter()
                .filter(|state| **state == LedgerState::Gone)
                .count(),
            1
        );
        world.command(Command::AcceptDisappearance(world.account)).await;
        world.sync_well().await;
        assert_eq!(world.subjects("Inbox").await.len(), 30);
    });
}

#[test]
fn converges_wherever_the_connection_breaks_and_deletes_nothing_unkept() {
    for bytes in [20, 200, 600, 1000, 2000, 4000, 6000] {
        run(async {
            let mut world = world(LeaveOnServer::Never).await;
            deliver(&world, 0..20);
            world.sandbox.faults().inject(Fault::CloseAfterSent {
                service: Service::Pop3,
                bytes,
            });
            world.sync().await;
            let there = world.subjects_there("INBOX");
            let here = world.subjects("Inbox").await;
            let all = (0..20).map(|n| format!("letter {n:04}"));
            assert!(
                all.clone()
                    .all(|subject| there.contains(&subject) || here.contains(&subject)),
                "at {bytes}"
            );
            world.crash();
            world.sandbox.faults().clear();
            world.sync_well().await;
            assert_eq!(
                world.subjects("Inbox").await,
                all.collect::<Vec<_>>(),
                "at {bytes}"
            );
            assert!(world.sandbox.messages("INBOX").is_empty());
        });
    }
}

#[test]
fn an_unanswered_quit_is_settled_by_the_next_listing() {
    for deletes in [false, true] {
        run(async {
            let world = world(LeaveOnServer::Never).await;
            deliver(&world, 0..3);
            world.sandbox.faults().inject(Fault::DropQuit { deletes });
            world.sync().await;
            assert!(
                states(&world)
                    .await
                    .iter()
                    .all(|state| *state == LedgerState::DeleteWanted)
            );
            let report = world.sync_well().await;
            assert_eq!((report.new, report.bodies), (0, 0));
            assert!(
                states(&world)
                    .await
                    .iter()
                    .all(|state| *state == LedgerState::Deleted)
            );
            assert!(world.sandbox.messages("INBOX").is_empty());
            assert_eq!(world.subjects("Inbox").await.len(), 3);
        });
    }
}

#[test]
fn a_server_without_uidl_gives_nothing_twice_and_loses_nothing() {
    let plain: &[&str] = &["UIDL"];
    for (without, policy) in [
        (plain, LeaveOnServer::Forever),
        (&["UIDL", "TOP"], LeaveOnServer::Forever),
        (&["UIDL"], LeaveOnServer::Never),
    ] {
        run(async {
            let options = SandboxOptions {
                without,
                ..SandboxOptions::plain_and_empty()
            };
            let world = World::with(Protocol::Pop3, policy, options).await;
            deliver(&world, 0..5);
            world.sync_well().await;
            deliver(&world, 5..7);
            world.sync_well().await;
            world.sync_well().await;
            assert_eq!(world.subjects("Inbox").await.len(), 7, "{without:?}");
            let left = if policy == LeaveOnServer::Never { 0 } else { 7 };
            assert_eq!(world.sandbox.messages("INBOX").len(), left, "{without:?}");
        });
    }
}

#[test]
fn a_message_that_the_server_refuses_is_tried_again_and_the_others_arrive() {
    run(async {
        let world = world(LeaveOnServer::Forever).await;
        deliver(&world, 0..5);
        // By TOP, by which it is asked for first, and by RETR.
        for command in ["TOP", "RETR"] {
            world.sandbox.faults().inject(Fault::Answer {
                service: Service::Pop3,
                command: command.into(),
                reply: "-ERR later".into(),
            });
        }
        assert_eq!(world.sync().await.new, 4);
        assert_eq!(world.sync_well().await.new, 1);
    });
}

#[test]
fn a_server_whose_sizes_are_wrong_is_remembered_for_a_while() {
    run(async {
        let world = world(LeaveOnServer::Forever).await;
        deliver(&world, 0..1);
        world.sandbox.faults().inject(Fault::Answer {
            service: Service::Pop3,
            command: "LIST".into(),
            reply: "+OK\r\n1 99999\r\n.".into(),
        });
        world.sync().await;
        // `RETR 2` is eight octets shorter than the TOP that asks for all lines.
        deliver(&world, 1..2);
        let known = world.sync_well().await;
        deliver(&world, 2..3);
        assert_eq!(world.sync_well().await.bytes_out, known.bytes_out);
        world.pass_days(31);
        deliver(&world, 3..4);
        assert_eq!(world.sync_well().await.bytes_out, known.bytes_out + 8);
        assert_eq!(world.subjects("Inbox").await.len(), 4);
    });
}

#[test]
fn what_could_not_be_kept_stops_everything_after_it() {
    // In one of the first batches, and in a later one, while others are under way.
    let check = |at: usize| {
        run(async {
            let world = world(LeaveOnServer::Never).await;
            deliver(&world, 0..at);
            let large = [letter(at), b"A line of a long letter.\r\n".repeat(60_000)].concat();
            world.deliver_raw("INBOX", large);
            deliver(&world, at + 1..900);
            // Large messages are files of their own, for which there is no room.
            let room = world.path().join("data").join("large");
            std::fs::write(&room, b"").expect("written");
            let failed = world.sync().await;
            let classes: Vec<ErrorClass> = failed.problems.iter().map(|problem| problem.class).collect();
            assert_eq!(classes, [ErrorClass::Disk]);
            assert_eq!(world.sandbox.messages("INBOX").len(), 900, "nothing is deleted");
            let listed = world.rows("Inbox").await.len();
            assert!(listed <= at, "{listed} are listed, and {at} came before it");
            let ledger = world.engine().catalog().ledger(world.account).await;
            let verified = ledger.expect("a ledger").into_iter();
            let verified = verified.filter(|row| row.hash.is_some() || row.verified_at.is_some());
            assert_eq!(verified.count(), listed);
            std::fs::remove_file(&room).expect("removed");
            let repaired = world.sync_well().await;
            assert_eq!(repaired.new, 900 - listed as u64);
            assert_eq!(world.rows("Inbox").await.len(), 900);
            assert_eq!(world.sandbox.messages("INBOX").len(), 0);
        });
    };
    check(5);
    check(650);
}

#[test]
fn the_same_bytes_in_batches_under_way_at_once_are_one_message() {
    run(async {
        let world = world(LeaveOnServer::Forever).await;
        for _ in 0..3 {
            deliver(&world, 0..210);
        }
        let report = world.sync_well().await;
        assert_eq!((report.new, report.bodies), (210, 630));
        assert_eq!(world.rows("Inbox").await.len(), 210);
        let states = states(&world).await;
        assert_eq!(states, vec![LedgerState::Downloaded; 630]);
    });
}
