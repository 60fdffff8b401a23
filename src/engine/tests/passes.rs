//! What a pass costs, and which connections it uses.

use posthorn_model::{ErrorClass, Flag, Flags, LeaveOnServer, Protocol, UidSet};
use posthorn_sandbox::{Fault, IMAP_EXTENSIONS, SandboxOptions, Service};

use super::proxy::Proxy;
use super::world::{World, letter, run};
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

/// How many messages were asked for with these words.
fn asked(proxy: &Proxy, item: &str) -> u64 {
    let sets = proxy.said().into_iter().filter_map(|line| {
        let (set, items) = line.split_once("UID FETCH ")?.1.split_once(' ')?;
        items.contains(item).then(|| UidSet::parse(set))?
    });
    sets.map(|set| set.len()).sum()
}

#[test]
fn many_new_messages_come_whole_where_that_takes_no_time() {
    run(async {
        let (world, proxy) = World::behind_proxy(without(&[])).await;
        for number in 0..900 {
            world.deliver("INBOX", number);
        }
        let report = world.sync_well().await;
        assert_eq!((report.new, report.bodies), (900, 900));
        assert_eq!(world.here("INBOX").await, world.there("INBOX"));
        world.assert_bytes("INBOX").await;
        let headers = asked(&proxy, "HEADER.FIELDS");
        assert_eq!(
            headers, 100,
            "a few first, so that the list shows something at once"
        );
        assert_eq!(asked(&proxy, "BODY.PEEK[]"), 900);

        // Another client files them elsewhere: they are recognised there, and nothing is fetched again.
        let user = world.sandbox.login().username.clone();
        world.sandbox.store().vanish(&user, "INBOX", |_| true);
        for number in 0..900 {
            world.deliver("Archive", number);
        }
        let report = world.sync_well().await;
        assert_eq!((report.new, report.bodies), (0, 0));
        assert_eq!(world.here("Archive").await, world.there("Archive"));
        assert_eq!(asked(&proxy, "BODY.PEEK[]"), 900);
    });
}

#[test]
fn a_line_that_breaks_while_messages_come_whole_loses_and_repeats_nothing() {
    for bytes in [60_000, 150_000, 250_000, 350_000] {
        run(async {
            let world = world(without(&[])).await;
            for number in 0..700 {
                world.deliver("INBOX", number);
            }
            world.sandbox.faults().inject(Fault::CloseAfterSent {
                service: Service::Imap,
                bytes,
            });
            world.sync().await;
            world.sync_well().await;
            assert_eq!(world.here("INBOX").await, world.there("INBOX"), "{bytes}");
            world.assert_bytes("INBOX").await;
        });
    }
}

#[test]
fn a_large_message_among_many_is_listed_before_it_is_here() {
    run(async {
        let (world, proxy) = World::behind_proxy(without(&[])).await;
        let mut large = letter(1000);
        large.extend_from_slice(&b"A line of a long text that somebody sends.\r\n".repeat(120_000));
        world.deliver_raw("INBOX", large);
        for number in 0..300 {
            world.deliver("INBOX", number);
        }
        let report = world.sync_well().await;
        assert_eq!((report.new, report.bodies), (301, 301));
        world.assert_bytes("INBOX").await;
        assert_eq!(asked(&proxy, "HEADER.FIELDS"), 101);
        assert_eq!(
            asked(&proxy, "BODY.PEEK[]"),
            301 + asked(&proxy, "BODY.PEEK[]<") - 1
        );
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
