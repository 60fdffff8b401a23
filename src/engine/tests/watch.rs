//! News that nobody asked for: what another client does appears here by itself.

use posthorn_model::{Flag, Flags, LeaveOnServer, Protocol};
use posthorn_sandbox::SandboxOptions;

use std::time::Duration;

use super::network::soon;
use super::world::{World, run};
use crate::Command;
use crate::command::Selection;

/// A running account that has seen one letter in INBOX and in Archive.
async fn started(without: &'static [&'static str]) -> World {
    let options = SandboxOptions {
        without,
        ..SandboxOptions::plain_and_empty()
    };
    let world = World::with(Protocol::Imap, LeaveOnServer::Forever, options).await;
    for mailbox in ["INBOX", "Archive"] {
        world.deliver(mailbox, 1);
    }
    world.engine().start();
    appear(&world, "INBOX", 1).await;
    appear(&world, "Archive", 1).await;
    world
}

async fn appear(world: &World, path: &str, count: usize) {
    world
        .wait("letters to come and go", async |world| {
            let known = world.engine().catalog().mailboxes(None).await.expect("mailboxes");
            known.iter().any(|mailbox| mailbox.name.path == path) && world.rows(path).await.len() == count
        })
        .await;
}

/// All the ways in which a server may tell: by NOTIFY, by IDLE and STATUS, with and without modification sequences.
const WAYS: [&[&str]; 4] = [&[], &["NOTIFY"], &["NOTIFY", "CONDSTORE", "QRESYNC"], &["IDLE"]];

#[test]
fn what_another_client_does_appears() {
    for without in WAYS {
        run(async {
            let world = started(without).await;
            let user = world.sandbox.login().username.clone();
            for path in ["INBOX", "Archive"] {
                world.deliver(path, 2);
                appear(&world, path, 2).await;
                let uid = world.sandbox.messages(path)[0].uid;
                let flagged = Flags::default().with(Flag::Seen);
                world.sandbox.store().set_flags(&user, path, uid, flagged);
                world
                    .wait("the flag", async |world| {
                        world.here(path).await == world.there(path)
                    })
                    .await;
                world
                    .sandbox
                    .store()
                    .vanish(&user, path, |message| message.uid == uid);
                appear(&world, path, 1).await;
            }
            world.engine().shutdown().await;
        });
    }
}

#[test]
fn a_mailbox_that_another_client_makes_appears() {
    run(async {
        let world = started(&[]).await;
        let user = world.sandbox.login().username.clone();
        world.sandbox.store().create(&user, "Travel");
        world.deliver("Travel", 3);
        appear(&world, "Travel", 1).await;
    });
}

#[test]
fn news_come_over_the_only_connection_there_may_be() {
    run(async {
        let options = SandboxOptions {
            without: &["NOTIFY"],
            ..SandboxOptions::plain_and_empty()
        };
        let (world, proxy) = World::behind_proxy(options).await;
        proxy.allow(1);
        for mailbox in ["INBOX", "Archive"] {
            world.deliver(mailbox, 1);
        }
        world.engine().start();
        appear(&world, "INBOX", 1).await;
        appear(&world, "Archive", 1).await;
        soon(
            "a second connection to be refused",
            Duration::from_secs(20),
            || proxy.accepted() >= 2,
        )
        .await;
        for number in 2..5 {
            for mailbox in ["INBOX", "Archive"] {
                world.deliver(mailbox, number);
                appear(&world, mailbox, number).await;
            }
        }
        // What the user does interrupts the waiting.
        let message = world.find("INBOX", "letter 0001").await;
        let selection = Selection {
            messages: vec![message],
            // It lies in Archive too.
            mailbox: Some(world.mailbox("INBOX").await),
        };
        world.command(Command::Delete(selection)).await;
        world
            .wait("the deletion to be sent", async |world| {
                let operations = world.engine().catalog().operations().await;
                operations.expect("operations").is_empty()
            })
            .await;
        assert_eq!(world.subjects_there("Trash"), ["letter 0001"]);
        assert_eq!(proxy.live(), 1);
        assert_eq!(world.engine().problems(), []);
        world.engine().shutdown().await;
    });
}
