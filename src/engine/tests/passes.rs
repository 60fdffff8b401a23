//! What a pass costs, and which connections it uses.

use posthorn_model::{ErrorClass, Flag, Flags, LeaveOnServer, Protocol};
use posthorn_sandbox::{Fault, IMAP_EXTENSIONS, SandboxOptions, Service};

use super::world::{World, run};
use crate::report::{Bodies, SyncRequest};

async fn world(options: SandboxOptions) -> World {
    World::with(Protocol::Imap, LeaveOnServer::Forever, options).await
}

fn without(names: &'static [&'static str]) -> SandboxOptions {
    SandboxOptions {
        without: names,
        ..SandboxOptions::plain_and_empty()
    }
}

#[test]
fn many_bodies_come_over_a_connection_of_their_own() {
    run(async {
        let world = world(without(&[])).await;
        for number in 0..120 {
            world.deliver("INBOX", number);
        }
        world.deliver("Archive", 500);
        let report = world.sync_well().await;
        assert_eq!((report.new, report.bodies), (121, 121));
        assert_eq!(report.connections, 2);
        world.assert_bytes("INBOX").await;
        world.deliver("INBOX", 501);
        let report = world.sync_well().await;
        assert_eq!((report.bodies, report.connections), (1, 1), "one is not worth it");
    });
}

#[test]
fn goes_on_with_fewer_connections_where_the_server_refuses_more() {
    run(async {
        let options = SandboxOptions {
            max_sessions: 1,
            ..SandboxOptions::plain_and_empty()
        };
        let world = world(options).await;
        for number in 0..120 {
            world.deliver("INBOX", number);
        }
        let report = world.sync_well().await;
        assert_eq!((report.bodies, report.connections), (120, 1));
        world.assert_bytes("INBOX").await;
    });
}

#[test]
fn nothing_new_costs_a_few_turns_whatever_the_number_of_mailboxes() {
    for off in [
        &[][..],
        &["LIST-STATUS"],
        &["QRESYNC", "LIST-STATUS", "IMAP4rev2"],
    ] {
        run(async {
            let world = world(without(off)).await;
            let user = world.sandbox.login().username.clone();
            for box_number in 0..20 {
                let name = format!("Box {box_number}");
                world.sandbox.store().create(&user, &name);
                for number in 0..5 {
                    world.deliver(&name, box_number * 10 + number);
                }
            }
            world.sync_well().await;
            let nothing = world.sync_well().await;
            assert_eq!((nothing.new, nothing.changed, nothing.bodies), (0, 0, 0));
            assert!(nothing.bytes_in < 10_000, "{off:?}: {} bytes", nothing.bytes_in);
            // Greeting, sign-in, ID and ENABLE, and the goodbye; the pass itself at most three.
            assert!(nothing.round_trips <= 9, "{off:?}: {} turns", nothing.round_trips);
        });
    }
}

#[test]
fn flags_converge_without_mod_sequences() {
    run(async {
        let world = world(without(IMAP_EXTENSIONS)).await;
        let user = world.sandbox.login().username.clone();
        for box_number in 0..4 {
            let name = format!("Box {box_number}");
            world.sandbox.store().create(&user, &name);
            for number in 0..3 {
                world.deliver(&name, box_number * 10 + number);
            }
        }
        world.sync_well().await;
        let uid = world.sandbox.messages("Box 2")[1].uid;
        let flagged = Flags::default().with(Flag::Flagged);
        world.sandbox.store().set_flags(&user, "Box 2", uid, flagged);
        let mut passes = 0;
        while world.here("Box 2").await != world.there("Box 2") {
            passes += 1;
            assert!(passes <= 4, "it takes for ever");
            world.sync_well().await;
        }
        assert!(passes > 0);
    });
}

#[test]
fn a_large_mailbox_is_listed_while_its_bodies_wait() {
    run(async {
        let world = world(without(&[])).await;
        for number in 0..1300 {
            world.deliver("INBOX", number);
        }
        let request = SyncRequest {
            bodies: Bodies::None,
            ..SyncRequest::default()
        };
        let mut report = world.engine().sync(request).await.expect("a sync");
        let report = report.accounts.remove(0);
        assert_eq!((report.new, report.bodies, report.connections), (1300, 0, 1));
        let report = world.sync_well().await;
        assert_eq!((report.new, report.bodies), (0, 1300));
    });
}

#[test]
fn what_the_server_does_not_hand_over_is_told_and_asked_for_again() {
    run(async {
        let world = world(without(&[])).await;
        world.deliver("INBOX", 1);
        let request = SyncRequest {
            bodies: Bodies::None,
            ..SyncRequest::default()
        };
        world.engine().sync(request).await.expect("a sync");
        world.sandbox.faults().inject(Fault::Answer {
            service: Service::Imap,
            command: "UID FETCH".into(),
            reply: "NO [SERVERBUG] not this one".into(),
        });
        let report = world.sync().await;
        assert_eq!(report.bodies, 0);
        let told = |problem: &posthorn_model::Problem| {
            problem.class == ErrorClass::Protocol && problem.detail.contains("does not hand over 1 messages")
        };
        assert!(report.problems.iter().any(told), "{:?}", report.problems);
        let report = world.sync_well().await;
        assert_eq!(report.bodies, 1);
        world.assert_bytes("INBOX").await;
    });
}
