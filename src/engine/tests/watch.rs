//! News that nobody asked for: what another client does appears here by itself.

use posthorn_model::{Flag, Flags, LeaveOnServer, Protocol};
use posthorn_sandbox::SandboxOptions;

use super::world::{World, run};

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
