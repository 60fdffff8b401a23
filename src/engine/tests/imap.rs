use posthorn_model::query::{PageStart, View};
use posthorn_model::{ErrorClass, Flag, FlagChange, Flags, LeaveOnServer, Protocol};
use posthorn_sandbox::{Fault, SandboxOptions, Service};

use super::world::{World, letter, run};
use crate::Command;
use crate::command::Selection;

async fn world() -> World {
    World::new(Protocol::Imap).await
}

fn only(message: posthorn_model::MessageId) -> Selection {
    Selection {
        messages: vec![message],
        mailbox: None,
    }
}

#[test]
fn first_sync_brings_everything_and_the_next_nothing() {
    run(async {
        let world = world().await;
        for number in 0..30 {
            world.deliver("INBOX", number);
        }
        world.deliver("Archive", 100);
        let first = world.sync_well().await;
        assert_eq!((first.new, first.bodies), (31, 31));
        assert_eq!(world.here("INBOX").await, world.there("INBOX"));
        world.assert_bytes("INBOX").await;
        world.assert_bytes("Archive").await;
        let again = world.sync_well().await;
        assert_eq!((again.new, again.changed, again.gone, again.bodies), (0, 0, 0, 0));
        assert!(
            again.bytes_in < first.bytes_in / 2,
            "{} of {}",
            again.bytes_in,
            first.bytes_in
        );
    });
}

#[test]
fn the_sample_mail_arrives_with_flags_and_purposes() {
    run(async {
        let options = SandboxOptions {
            security: posthorn_model::Security::None,
            ..SandboxOptions::default()
        };
        let world = World::with(Protocol::Imap, LeaveOnServer::Forever, options).await;
        world.sync_well().await;
        for mailbox in world.sandbox.store().mailboxes(&world.sandbox.login().username) {
            assert_eq!(
                world.here(&mailbox.path).await,
                world.there(&mailbox.path),
                "{}",
                mailbox.path
            );
            world.assert_bytes(&mailbox.path).await;
        }
        let catalog = world.engine().catalog();
        let page = catalog
            .page(View::Inbox, PageStart::Newest, 50)
            .await
            .expect("a page");
        assert!(page.total > 3);
        for row in page.rows {
            let message = catalog.message(row.message).await.expect("read").expect("there");
            assert!(
                message.text.is_some() || message.html.is_some(),
                "{}",
                row.subject
            );
        }
    });
}

/// Every way of learning what changed, with and without the extensions that spare turns.
#[test]
fn changes_on_the_server_arrive_by_every_plan() {
    let none: &[&str] = &[];
    for without in [
        none,
        &["QRESYNC"],
        &["QRESYNC", "CONDSTORE"],
        &[
            "QRESYNC",
            "CONDSTORE",
            "ESEARCH",
            "LIST-STATUS",
            "UIDPLUS",
            "MOVE",
        ],
    ] {
        run(async {
            let options = SandboxOptions {
                without,
                ..SandboxOptions::plain_and_empty()
            };
            let world = World::with(Protocol::Imap, LeaveOnServer::Forever, options).await;
            let user = world.sandbox.login().username.clone();
            for number in 0..25 {
                world.deliver("INBOX", number);
            }
            world.sync_well().await;
            let uids: Vec<_> = world
                .sandbox
                .messages("INBOX")
                .iter()
                .map(|message| message.uid)
                .collect();
            let seen = Flags::default().with(Flag::Seen);
            world.sandbox.store().set_flags(&user, "INBOX", uids[3], seen);
            world
                .sandbox
                .store()
                .vanish(&user, "INBOX", |message| message.uid == uids[5]);
            world.deliver("INBOX", 77);
            let report = world.sync_well().await;
            assert_eq!(
                (report.new, report.changed, report.gone),
                (1, 1, 1),
                "{without:?}"
            );
            assert_eq!(world.here("INBOX").await, world.there("INBOX"), "{without:?}");
            world.assert_bytes("INBOX").await;
        });
    }
}

#[test]
fn flags_go_both_ways_at_once() {
    run(async {
        let world = world().await;
        let user = world.sandbox.login().username.clone();
        world.deliver("INBOX", 1);
        world.sync_well().await;
        let message = world.find("INBOX", "letter 0001").await;
        let change = FlagChange::adding(Flag::Flagged);
        world
            .command(Command::Flag {
                selection: only(message),
                change,
            })
            .await;
        let uid = world.sandbox.messages("INBOX")[0].uid;
        let answered = Flags::default().with(Flag::Answered);
        world.sandbox.store().set_flags(&user, "INBOX", uid, answered);
        world.sync_well().await;
        let both = [(
            "letter 0001".to_owned(),
            vec!["answered".to_owned(), "flagged".to_owned()],
        )];
        assert_eq!(world.here("INBOX").await, both);
        assert_eq!(world.there("INBOX"), both);
        assert!(
            world
                .engine()
                .catalog()
                .operations()
                .await
                .expect("operations")
                .is_empty()
        );
    });
}

#[test]
fn a_move_reaches_the_server_and_keeps_the_body() {
    run(async {
        let world = world().await;
        world.deliver("INBOX", 1);
        world.sync_well().await;
        let message = world.find("INBOX", "letter 0001").await;
        let to = world.mailbox("Archive").await;
        world
            .command(Command::Move {
                selection: only(message),
                to,
            })
            .await;
        assert!(world.subjects("INBOX").await.is_empty());
        let report = world.sync_well().await;
        assert_eq!((report.new, report.bodies, report.gone), (0, 0, 0));
        assert!(world.there("INBOX").is_empty());
        assert_eq!(world.there("Archive").len(), 1);
        assert_eq!(world.find("Archive", "letter 0001").await, message);
        world.sync_well().await;
        assert_eq!(world.find("Archive", "letter 0001").await, message);
    });
}

#[test]
fn a_delete_taken_back_before_sending_is_never_heard_of() {
    run(async {
        let world = world().await;
        world.deliver("INBOX", 1);
        world.sync_well().await;
        let message = world.find("INBOX", "letter 0001").await;
        let receipt = world.command(Command::Delete(only(message))).await;
        assert!(world.subjects("INBOX").await.is_empty());
        world
            .command(Command::Undo {
                intent: receipt.intent,
            })
            .await;
        assert_eq!(world.subjects("INBOX").await, ["letter 0001"]);
        assert!(
            world
                .engine()
                .catalog()
                .operations()
                .await
                .expect("operations")
                .is_empty()
        );
        let uid = world.sandbox.messages("INBOX")[0].uid;
        let report = world.sync_well().await;
        assert_eq!((report.new, report.changed, report.gone), (0, 0, 0));
        assert_eq!(world.sandbox.messages("INBOX")[0].uid, uid);
    });
}

#[test]
fn a_delete_taken_back_after_sending_comes_back_from_the_server_too() {
    run(async {
        let mut world = world().await;
        world.deliver("INBOX", 1);
        world.sync_well().await;
        let message = world.find("INBOX", "letter 0001").await;
        world.command(Command::Delete(only(message))).await;
        world.sync_well().await;
        assert_eq!(world.subjects_there("Trash"), ["letter 0001"]);
        world.restart().await;
        world.command(Command::Undo { intent: None }).await;
        world.sync_well().await;
        assert_eq!(world.subjects_there("INBOX"), ["letter 0001"]);
        assert!(world.subjects_there("Trash").is_empty());
        assert_eq!(world.here("INBOX").await, world.there("INBOX"));
        assert!(world.here("Trash").await.is_empty());
    });
}

#[test]
fn deleting_from_the_trash_expunges_only_that_message() {
    run(async {
        let world = world().await;
        world.deliver("Trash", 1);
        world.deliver("Trash", 2);
        world.sync_well().await;
        let message = world.find("Trash", "letter 0001").await;
        world.command(Command::Delete(only(message))).await;
        world.sync_well().await;
        assert_eq!(world.subjects_there("Trash"), ["letter 0002"]);
        assert_eq!(world.subjects("Trash").await, ["letter 0002"]);
    });
}

#[test]
fn operations_survive_a_crash() {
    run(async {
        let mut world = world().await;
        world.deliver("INBOX", 1);
        world.deliver("INBOX", 2);
        world.sync_well().await;
        let message = world.find("INBOX", "letter 0001").await;
        world.command(Command::Delete(only(message))).await;
        world.crash();
        assert_eq!(world.subjects("INBOX").await, ["letter 0002"]);
        world.sync_well().await;
        assert_eq!(world.subjects_there("INBOX"), ["letter 0002"]);
        assert_eq!(world.subjects_there("Trash"), ["letter 0001"]);
    });
}

#[test]
fn a_refused_move_comes_back_and_says_why() {
    run(async {
        let world = world().await;
        world.deliver("INBOX", 1);
        world.sync_well().await;
        let message = world.find("INBOX", "letter 0001").await;
        let to = world.mailbox("Archive").await;
        world.sandbox.faults().inject(Fault::Answer {
            service: Service::Imap,
            command: "UID MOVE".into(),
            reply: "NO [NOPERM] not allowed".into(),
        });
        world
            .command(Command::Move {
                selection: only(message),
                to,
            })
            .await;
        let report = world.sync().await;
        assert!(
            report
                .problems
                .iter()
                .any(|problem| problem.detail.contains("not allowed"))
        );
        assert_eq!(world.subjects("INBOX").await, ["letter 0001"]);
        assert!(world.subjects("Archive").await.is_empty());
        assert_eq!(world.sync().await.new, 0);
        assert_eq!(world.here("INBOX").await, world.there("INBOX"));
    });
}

#[test]
fn a_move_whose_answer_was_lost_is_not_done_twice() {
    for command in ["UID MOVE", "UID COPY"] {
        run(async {
            let options = SandboxOptions {
                without: if command == "UID COPY" { &["MOVE"] } else { &[] },
                ..SandboxOptions::plain_and_empty()
            };
            let world = World::with(Protocol::Imap, LeaveOnServer::Forever, options).await;
            world.deliver("INBOX", 1);
            world.sync_well().await;
            let message = world.find("INBOX", "letter 0001").await;
            let to = world.mailbox("Archive").await;
            world.sandbox.faults().inject(Fault::CloseBeforeAnswer {
                service: Service::Imap,
                command: command.into(),
            });
            world
                .command(Command::Move {
                    selection: only(message),
                    to,
                })
                .await;
            assert!(!world.sync().await.problems.is_empty());
            world.sync_well().await;
            assert_eq!(world.subjects_there("Archive"), ["letter 0001"], "{command}");
            assert!(world.subjects_there("INBOX").is_empty(), "{command}");
            assert_eq!(world.find("Archive", "letter 0001").await, message);
            assert!(world.subjects("INBOX").await.is_empty());
        });
    }
}

#[test]
fn converges_wherever_the_connection_breaks() {
    for bytes in [30, 300, 900, 1500, 2500, 4000, 7000, 12_000, 20_000] {
        run(async {
            let mut world = world().await;
            for number in 0..20 {
                world.deliver("INBOX", number);
            }
            world.sandbox.faults().inject(Fault::CloseAfterSent {
                service: Service::Imap,
                bytes,
            });
            world.sync().await;
            world.crash();
            world.sandbox.faults().clear();
            world.sync_well().await;
            assert_eq!(world.here("INBOX").await, world.there("INBOX"), "at {bytes}");
            world.assert_bytes("INBOX").await;
        });
    }
}

#[test]
fn a_sudden_disappearance_stops_and_asks() {
    run(async {
        let world = world().await;
        let user = world.sandbox.login().username.clone();
        for number in 0..25 {
            world.deliver("INBOX", number);
        }
        world.sync_well().await;
        world.sandbox.store().vanish(&user, "INBOX", |_| true);
        let report = world.sync().await;
        assert_eq!(report.gone, 0);
        assert!(
            report
                .problems
                .iter()
                .any(|problem| problem.class == ErrorClass::Suspicious)
        );
        assert_eq!(world.subjects("INBOX").await.len(), 25);
        world.deliver("INBOX", 99);
        let report = world.sync().await;
        assert_eq!((report.new, report.gone), (1, 0));
        world.command(Command::AcceptDisappearance(world.account)).await;
        world.sync_well().await;
        assert_eq!(world.subjects("INBOX").await, ["letter 0099"]);
        world.sync_well().await;
    });
}

#[test]
fn a_new_uid_generation_matches_what_is_here_without_a_download() {
    run(async {
        let world = world().await;
        let user = world.sandbox.login().username.clone();
        for number in 0..25 {
            world.deliver("INBOX", number);
        }
        world.sync_well().await;
        let before: Vec<_> = world.rows("INBOX").await.iter().map(|row| row.message).collect();
        world.sandbox.store().bump_uid_validity(&user, "INBOX");
        world.deliver("INBOX", 50);
        let report = world.sync_well().await;
        assert_eq!((report.new, report.bodies, report.gone), (1, 1, 0));
        let after: Vec<_> = world.rows("INBOX").await.iter().map(|row| row.message).collect();
        assert!(before.iter().all(|message| after.contains(message)));
        assert_eq!(world.here("INBOX").await, world.there("INBOX"));
        assert_eq!(world.sync_well().await.new, 0);
    });
}

#[test]
fn new_mail_arrives_by_itself_while_started() {
    run(async {
        let world = world().await;
        world.deliver("INBOX", 1);
        world.engine().start();
        world
            .wait("the first letter", async |world| {
                let known = world.engine().catalog().mailboxes(None).await.expect("mailboxes");
                !known.is_empty() && world.rows("INBOX").await.len() == 1
            })
            .await;
        world.deliver("INBOX", 2);
        world
            .wait("the second letter", async |world| {
                world.rows("INBOX").await.len() == 2
            })
            .await;
        let message = world.find("INBOX", "letter 0002").await;
        world.command(Command::Delete(only(message))).await;
        world
            .wait("the deletion to be sent", async |world| {
                world
                    .engine()
                    .catalog()
                    .operations()
                    .await
                    .expect("operations")
                    .is_empty()
            })
            .await;
        assert_eq!(world.subjects_there("Trash"), ["letter 0002"]);
        world.engine().shutdown().await;
    });
}

#[test]
fn a_body_that_somebody_waits_for_jumps_the_queue() {
    run(async {
        let world = world().await;
        world.deliver("INBOX", 1);
        let request = crate::report::SyncRequest {
            bodies: crate::report::Bodies::None,
            ..crate::report::SyncRequest::default()
        };
        world.engine().sync(request).await.expect("a sync");
        let message = world.find("INBOX", "letter 0001").await;
        let catalog = world.engine().catalog();
        assert_eq!(catalog.raw(message).await.expect("read"), None);
        let events = world.engine().events();
        drop(events);
        world.command(Command::FetchBody(message)).await;
        world
            .wait("the body", async |world| {
                world
                    .engine()
                    .catalog()
                    .raw(message)
                    .await
                    .expect("read")
                    .is_some()
            })
            .await;
        assert_eq!(catalog.raw(message).await.expect("read"), Some(letter(1)));
    });
}

#[test]
fn a_draft_is_uploaded_replaced_and_discarded() {
    run(async {
        let world = world().await;
        world.sync_well().await;
        let save = |number, replaces| Command::SaveDraft {
            account: world.account,
            raw: letter(number),
            replaces,
        };
        let first = world.command(save(1, None)).await.draft.expect("a draft");
        assert_eq!(world.subjects("Drafts").await, ["letter 0001"]);
        world.sync_well().await;
        assert_eq!(world.subjects_there("Drafts"), ["letter 0001"]);
        let second = world.command(save(2, Some(first))).await.draft.expect("a draft");
        world.sync_well().await;
        assert_eq!(world.subjects_there("Drafts"), ["letter 0002"]);
        assert_eq!(world.find("Drafts", "letter 0002").await, second);
        world.command(Command::DiscardDraft(second)).await;
        world.sync_well().await;
        assert!(world.subjects_there("Drafts").is_empty());
        assert!(world.subjects("Drafts").await.is_empty());
    });
}
