//! The same message in several places, and mailboxes under other names: nothing is fetched twice, nothing is gone in
//! between.

use posthorn_model::{LeaveOnServer, MailboxName, MessageId, Protocol, UidSet};
use posthorn_net::imap::{Access, Session};
use posthorn_net::{Credentials, DialOptions, Dialer};
use posthorn_sandbox::{IMAP_EXTENSIONS, SandboxOptions, Service};

use super::world::{World, letter, run, subject_of};
use crate::Command;
use crate::command::Selection;
use crate::report::{Bodies, SyncRequest};

/// Everything on, nothing but the base, and what most servers have.
const SERVERS: [&[&str]; 3] = [
    &[],
    IMAP_EXTENSIONS,
    &["OBJECTID", "QRESYNC", "IMAP4rev2", "X-GM-EXT-1"],
];

async fn world(without: &'static [&'static str]) -> World {
    let options = SandboxOptions {
        without,
        ..SandboxOptions::plain_and_empty()
    };
    World::with(Protocol::Imap, LeaveOnServer::Forever, options).await
}

/// Another client of the same account.
async fn other_client(world: &World) -> Session {
    let login = world.sandbox.login();
    let dialer = Dialer::new(DialOptions {
        spool_dir: world.path().join("other"),
        ..DialOptions::default()
    });
    let credentials = Credentials::Password {
        username: login.username.clone(),
        password: posthorn_model::Secret::new(login.password.clone()),
    };
    let endpoint = world.sandbox.endpoint(Service::Imap);
    Session::connect(&dialer.expect("a dialer"), &endpoint, &credentials)
        .await
        .expect("another client")
}

/// As another client moves or copies the first messages of a mailbox; without MOVE and UIDPLUS that is a copy, and
/// gone a moment later.
async fn transfer(world: &World, from: &str, to: &str, count: usize, away: bool) {
    let mut session = other_client(world).await;
    session
        .select(&MailboxName::local(from), Access::Write, None)
        .await
        .expect("opened");
    let uids: UidSet = world
        .sandbox
        .messages(from)
        .iter()
        .take(count)
        .map(|message| message.uid)
        .collect();
    session
        .copy(&uids, &MailboxName::local(to))
        .await
        .expect("copied");
    session.logout().await;
    if away {
        let user = world.sandbox.login().username.clone();
        let store = world.sandbox.store();
        store.vanish(&user, from, |message| uids.contains(message.uid));
    }
}

async fn messages(world: &World, path: &str) -> Vec<MessageId> {
    let mut all: Vec<_> = world.rows(path).await.iter().map(|row| row.message).collect();
    all.sort();
    all
}

#[test]
fn what_another_client_moves_is_never_gone_and_never_fetched_again() {
    for without in SERVERS {
        run(async {
            let world = world(without).await;
            for number in 0..25 {
                world.deliver("INBOX", number);
            }
            world.sync_well().await;
            let before = messages(&world, "INBOX").await;
            transfer(&world, "INBOX", "Archive", 99, true).await;
            // All at once: yet nothing is lost, so nobody is asked.
            let report = world.sync_well().await;
            assert_eq!((report.new, report.gone, report.bodies), (0, 0, 0), "{without:?}");
            assert_eq!(messages(&world, "Archive").await, before, "{without:?}");
            assert!(messages(&world, "INBOX").await.is_empty(), "{without:?}");
            // And back, which is looked at in the other order.
            transfer(&world, "Archive", "INBOX", 99, true).await;
            let report = world.sync_well().await;
            assert_eq!((report.new, report.gone, report.bodies), (0, 0, 0), "{without:?}");
            assert_eq!(messages(&world, "INBOX").await, before, "{without:?}");
            assert_eq!(world.here("INBOX").await, world.there("INBOX"), "{without:?}");
        });
    }
}

#[test]
fn a_copy_is_the_same_message_in_two_mailboxes() {
    for without in SERVERS {
        run(async {
            let world = world(without).await;
            world.deliver("INBOX", 1);
            world.deliver("INBOX", 2);
            world.sync_well().await;
            transfer(&world, "INBOX", "Archive", 99, false).await;
            let report = world.sync_well().await;
            assert_eq!((report.new, report.bodies), (0, 0), "{without:?}");
            assert_eq!(messages(&world, "Archive").await, messages(&world, "INBOX").await);
            assert_eq!(world.here("Archive").await, world.there("Archive"), "{without:?}");
        });
    }
}

#[test]
fn two_letters_that_only_look_alike_stay_two() {
    for without in SERVERS {
        run(async {
            let world = world(without).await;
            world.deliver("INBOX", 1);
            world.deliver("INBOX", 1);
            world.sync_well().await;
            assert_eq!(messages(&world, "INBOX").await.len(), 2, "{without:?}");
            // Which of the two was moved cannot be told: it is fetched.
            transfer(&world, "INBOX", "Archive", 1, true).await;
            world.sync_well().await;
            assert_eq!(messages(&world, "INBOX").await.len(), 1, "{without:?}");
            assert_eq!(messages(&world, "Archive").await.len(), 1, "{without:?}");
            world.assert_bytes("Archive").await;
        });
    }
}

#[test]
fn a_renamed_mailbox_keeps_its_messages() {
    for without in SERVERS {
        run(async {
            let world = world(without).await;
            let user = world.sandbox.login().username.clone();
            world.sandbox.store().create(&user, "Work");
            for number in 0..30 {
                world.deliver("Work", number);
            }
            world.sync_well().await;
            let (id, before) = (world.mailbox("Work").await, messages(&world, "Work").await);
            let mut session = other_client(&world).await;
            let (from, to) = (MailboxName::local("Work"), MailboxName::local("Done"));
            session.rename(&from, &to).await.expect("renamed");
            session.logout().await;
            let report = world.sync_well().await;
            assert_eq!((report.new, report.gone, report.bodies), (0, 0, 0), "{without:?}");
            assert_eq!(world.mailbox("Done").await, id, "{without:?}");
            assert_eq!(messages(&world, "Done").await, before, "{without:?}");
            world.deliver("Done", 99);
            assert_eq!(world.sync_well().await.new, 1, "{without:?}");
        });
    }
}

#[test]
fn a_mailbox_removed_after_its_mail_was_moved_asks_nobody() {
    for without in SERVERS {
        run(async {
            let world = world(without).await;
            let user = world.sandbox.login().username.clone();
            world.sandbox.store().create(&user, "Work");
            for number in 0..30 {
                world.deliver("Work", number);
            }
            world.sync_well().await;
            let before = messages(&world, "Work").await;
            transfer(&world, "Work", "Archive", 99, true).await;
            let mut session = other_client(&world).await;
            session
                .delete(&MailboxName::local("Work"))
                .await
                .expect("deleted");
            session.logout().await;
            let report = world.sync_well().await;
            assert_eq!((report.new, report.bodies), (0, 0), "{without:?}");
            assert_eq!(messages(&world, "Archive").await, before, "{without:?}");
            let left = world.engine().catalog().mailboxes(None).await.expect("mailboxes");
            assert!(
                left.iter().all(|mailbox| mailbox.name.path != "Work"),
                "{without:?}"
            );
        });
    }
}

#[test]
fn labels_are_places_of_one_message() {
    run(async {
        let options = SandboxOptions {
            gmail_like: true,
            ..SandboxOptions::plain_and_empty()
        };
        let world = World::with(Protocol::Imap, LeaveOnServer::Forever, options).await;
        for number in 0..10 {
            world.deliver("INBOX", number);
        }
        let report = world.sync_well().await;
        assert_eq!((report.new, report.bodies), (10, 10));
        let all = world.engine().catalog().mailboxes(None).await.expect("mailboxes");
        let all_mail = all
            .iter()
            .find(|mailbox| mailbox.special_use == Some(posthorn_model::SpecialUse::All));
        let all_mail = all_mail.expect("All Mail").name.path.clone();
        assert_eq!(messages(&world, &all_mail).await, messages(&world, "INBOX").await);
    });
}

#[test]
fn a_copy_moved_back_beside_its_original_hides_nothing() {
    for without in SERVERS {
        run(async {
            let world = world(without).await;
            let user = world.sandbox.login().username.clone();
            world.deliver("INBOX", 1);
            world.deliver("INBOX", 4);
            world.sync_well().await;
            let message = world.find("INBOX", "letter 0001").await;
            let (inbox, archive) = (world.mailbox("INBOX").await, world.mailbox("Archive").await);
            let chosen = |mailbox| Selection {
                messages: vec![message],
                mailbox: Some(mailbox),
            };
            let copy = Command::Copy {
                selection: chosen(inbox),
                to: archive,
            };
            world.command(copy).await;
            world.sync_well().await;
            let back = Command::Move {
                selection: chosen(archive),
                to: inbox,
            };
            world.command(back).await;
            // As many came as went: the count alone shows nothing.
            world.sandbox.store().vanish(&user, "INBOX", |message| {
                super::world::subject_of(&message.raw) == "letter 0004"
            });
            // A server that cannot remove single messages is a problem of its own.
            world.sync().await;
            world.sync().await;
            assert_eq!(world.here("INBOX").await, world.there("INBOX"), "{without:?}");
        });
    }
}

/// These letters and no others are here, each as often as it is named, with its own bytes.
async fn assert_letters(world: &World, numbers: impl Iterator<Item = usize>) {
    let mut here = world.subjects("INBOX").await;
    here.sort();
    let mut all: Vec<String> = numbers.map(|number| subject_of(&letter(number))).collect();
    all.sort();
    assert_eq!(here, all);
    world.assert_bytes("INBOX").await;
}

#[test]
fn a_pass_that_broke_off_is_not_taken_up_where_its_uids_name_others() {
    run(async {
        let mut world = world(&["QRESYNC", "CONDSTORE", "OBJECTID"]).await;
        for number in 0..5 {
            world.deliver("INBOX", number);
        }
        world.sync_well().await;
        world.break_off("INBOX").await;
        for number in 5..10 {
            world.deliver("INBOX", number);
        }
        let user = world.sandbox.login().username.clone();
        for (number, message) in world.sandbox.messages("INBOX").iter().enumerate() {
            let other = letter((number + 3) % 10);
            assert!(
                world
                    .sandbox
                    .store()
                    .reuse_uid(&user, "INBOX", message.uid, &other)
            );
        }
        world.sync_well().await;
        assert_letters(&world, 0..10).await;
    });
}

#[test]
fn what_bodies_show_to_be_anothers_is_looked_at_again_in_the_same_pass() {
    for without in SERVERS {
        run(async {
            let world = world(without).await;
            for number in 0..20 {
                world.deliver("INBOX", number);
            }
            world.sync_well().await;
            world.deliver("INBOX", 20);
            world.deliver("INBOX", 21);
            // For a moment, the UIDs of the last two name two others that are here already.
            let user = world.sandbox.login().username.clone();
            let name = |uid, number| {
                let store = world.sandbox.store();
                assert!(store.reuse_uid(&user, "INBOX", uid, &letter(number)));
            };
            let uids: Vec<_> = world
                .sandbox
                .messages("INBOX")
                .iter()
                .map(|one| one.uid)
                .collect();
            name(uids[20], 3);
            name(uids[21], 4);
            let headers = SyncRequest {
                bodies: Bodies::None,
                ..SyncRequest::default()
            };
            world.engine().sync(headers).await.expect("listed");
            name(uids[20], 20);
            name(uids[21], 21);
            world.sync_well().await;
            assert_letters(&world, 0..22).await;
        });
    }
}

#[test]
fn an_arrival_that_stands_here_is_a_copy_or_a_server_that_misleads() {
    for without in SERVERS {
        run(async {
            let world = world(without).await;
            for number in 0..10 {
                world.deliver("INBOX", number);
            }
            world.sync_well().await;
            world.deliver("INBOX", 10);
            world.deliver("INBOX", 11);
            // Each UID names what another did, and the last two what stands here.
            let user = world.sandbox.login().username.clone();
            for (number, message) in world.sandbox.messages("INBOX").iter().enumerate() {
                let store = world.sandbox.store();
                assert!(store.reuse_uid(&user, "INBOX", message.uid, &letter((number + 4) % 12)));
            }
            world.sync_well().await;
            assert_letters(&world, 0..12).await;
            // A copy.
            world.deliver("INBOX", 5);
            world.sync_well().await;
            assert_letters(&world, (0..12).chain([5])).await;
        });
    }
}
