//! A server that keeps each message once and shows it under labels: wishes do what its users expect, offline as well.

use posthorn_model::{LeaveOnServer, MessageId, Protocol};
use posthorn_sandbox::{Fault, SandboxOptions, Service};

use super::world::{World, letter, run};
use crate::Command;
use crate::command::Selection;

const ALL: &str = "[Gmail]/All Mail";

/// Letters 1 and 2 in the inbox; 1 has the label Work too.
async fn world() -> World {
    let options = SandboxOptions {
        gmail_like: true,
        ..SandboxOptions::plain_and_empty()
    };
    let world = World::with(Protocol::Imap, LeaveOnServer::Forever, options).await;
    let user = world.sandbox.login().username.clone();
    world.sandbox.store().create(&user, "Work");
    for (mailbox, number) in [("INBOX", 1), ("INBOX", 2), ("Work", 1)] {
        world.deliver(mailbox, number);
    }
    world.sync_well().await;
    check(&world, &["1", "2"], &["1"], &["1", "2"], &[]).await;
    world
}

/// Letters in the inbox, in Work, in All Mail and in the trash.
async fn check_here(world: &World, inbox: &[&str], work: &[&str], all: &[&str], trash: &[&str]) {
    for (path, numbers) in [("INBOX", inbox), ("Work", work), (ALL, all), ("Trash", trash)] {
        let expect: Vec<String> = numbers
            .iter()
            .map(|number| format!("letter 000{number}"))
            .collect();
        assert_eq!(world.subjects(path).await, expect, "here in {path}");
    }
}

/// The same, and the server agrees; nothing waits any more.
async fn check(world: &World, inbox: &[&str], work: &[&str], all: &[&str], trash: &[&str]) {
    check_here(world, inbox, work, all, trash).await;
    for path in ["INBOX", "Work", ALL, "Trash", "Drafts"] {
        assert_eq!(world.here(path).await, world.there(path), "{path}");
    }
    let operations = world.engine().catalog().operations().await.expect("operations");
    assert!(operations.is_empty(), "{operations:?}");
}

/// Both passes: nothing may come anew or be fetched again.
async fn settle(world: &World) {
    for _ in 0..2 {
        let report = world.sync_well().await;
        assert_eq!((report.new, report.gone, report.bodies), (0, 0, 0));
    }
}

impl World {
    async fn choose(&self, path: &str, subject: &str) -> Selection {
        Selection {
            messages: vec![self.find(path, subject).await],
            mailbox: Some(self.mailbox(path).await),
        }
    }

    async fn everywhere(&self, subject: &str) -> Selection {
        let message: MessageId = self.find(ALL, subject).await;
        Selection {
            messages: vec![message],
            mailbox: None,
        }
    }

    async fn take_back(&self) {
        self.command(Command::Undo { intent: None }).await;
    }
}

#[test]
fn archiving_takes_off_the_inbox_label_and_copies_nothing() {
    run(async {
        // Seen in the inbox, under another label, in All Mail, or nowhere in particular: it is the same.
        for seen in [Some("INBOX"), Some("Work"), Some(ALL), None] {
            let world = world().await;
            let selection = match seen {
                Some(path) => world.choose(path, "letter 0001").await,
                None => world.everywhere("letter 0001").await,
            };
            world.command(Command::Archive(selection)).await;
            check_here(&world, &["2"], &["1"], &["1", "2"], &[]).await;
            settle(&world).await;
            check(&world, &["2"], &["1"], &["1", "2"], &[]).await;
            // Sent already: the label goes on again.
            world.take_back().await;
            check_here(&world, &["1", "2"], &["1"], &["1", "2"], &[]).await;
            settle(&world).await;
            check(&world, &["1", "2"], &["1"], &["1", "2"], &[]).await;
        }
    });
}

#[test]
fn an_archiving_that_was_taken_back_is_never_heard_of() {
    run(async {
        let world = world().await;
        let selection = world.choose("INBOX", "letter 0001").await;
        world.command(Command::Archive(selection)).await;
        world.take_back().await;
        check(&world, &["1", "2"], &["1"], &["1", "2"], &[]).await;
        settle(&world).await;
        check(&world, &["1", "2"], &["1"], &["1", "2"], &[]).await;
    });
}

/// Expunging from the inbox in its place might throw the message away: that is a setting of the user's.
#[test]
fn an_archiving_whose_answer_was_lost_is_only_repeated() {
    run(async {
        for carried_out in [true, false] {
            let world = world().await;
            let selection = world.choose("INBOX", "letter 0001").await;
            world.command(Command::Archive(selection)).await;
            let (service, command) = (Service::Imap, "UID MOVE".to_owned());
            world.sandbox.faults().inject(if carried_out {
                Fault::CloseBeforeAnswer { service, command }
            } else {
                let reply = "NO [UNAVAILABLE] later".into();
                Fault::Answer {
                    service,
                    command,
                    reply,
                }
            });
            world.sync().await;
            // Nothing may be expunged.
            world.sandbox.faults().inject(Fault::Answer {
                service: Service::Imap,
                command: "UID EXPUNGE".into(),
                reply: "NO never".into(),
            });
            settle(&world).await;
            check(&world, &["2"], &["1"], &["1", "2"], &[]).await;
        }
    });
}

#[test]
fn what_is_deleted_goes_to_the_trash_with_all_its_labels() {
    run(async {
        for seen in [Some("INBOX"), Some("Work"), Some(ALL), None] {
            let world = world().await;
            let selection = match seen {
                Some(path) => world.choose(path, "letter 0001").await,
                None => world.everywhere("letter 0001").await,
            };
            world.command(Command::Delete(selection.clone())).await;
            check_here(&world, &["2"], &[], &["2"], &["1"]).await;
            world.take_back().await;
            check(&world, &["1", "2"], &["1"], &["1", "2"], &[]).await;
            world.command(Command::Delete(selection)).await;
            settle(&world).await;
            check(&world, &["2"], &[], &["2"], &["1"]).await;
            let selection = world.choose("Trash", "letter 0001").await;
            world.command(Command::Delete(selection)).await;
            settle(&world).await;
            check(&world, &["2"], &[], &["2"], &[]).await;
        }
    });
}

#[test]
fn what_comes_back_from_the_trash_is_in_all_mail_again() {
    run(async {
        let world = world().await;
        let selection = world.choose("INBOX", "letter 0002").await;
        world.command(Command::Delete(selection)).await;
        settle(&world).await;
        check(&world, &["1"], &["1"], &["1"], &["2"]).await;
        world.take_back().await;
        settle(&world).await;
        check(&world, &["1", "2"], &["1"], &["1", "2"], &[]).await;
        let selection = world.choose("INBOX", "letter 0002").await;
        world.command(Command::Delete(selection)).await;
        let selection = world.choose("Trash", "letter 0002").await;
        world.command(Command::Archive(selection)).await;
        settle(&world).await;
        check(&world, &["1"], &["1"], &["1", "2"], &[]).await;
    });
}

#[test]
fn an_original_never_leaves_all_mail_for_a_label() {
    run(async {
        let world = world().await;
        let to = world.mailbox("Work").await;
        for (from, subject) in [
            (ALL, "letter 0002"),
            (ALL, "letter 0001"),
            ("INBOX", "letter 0002"),
        ] {
            let selection = world.choose(from, subject).await;
            world.command(Command::Move { selection, to }).await;
            settle(&world).await;
        }
        check(&world, &["1"], &["1", "2"], &["1", "2"], &[]).await;
        let selection = world.choose("INBOX", "letter 0001").await;
        let to = world.mailbox(ALL).await;
        let refused = world.engine().command(Command::Copy { selection, to }).await;
        assert!(refused.is_ok(), "{refused:?}");
        settle(&world).await;
        check(&world, &["1"], &["1", "2"], &["1", "2"], &[]).await;
    });
}

#[test]
fn a_discarded_draft_does_not_live_on_in_all_mail() {
    run(async {
        let world = world().await;
        let save = |raw, replaces| Command::SaveDraft {
            account: world.account,
            raw,
            replaces,
        };
        let draft = world.command(save(letter(5), None)).await.draft;
        world.sync_well().await;
        world.sync_well().await;
        assert_eq!(world.subjects_there(ALL).len(), 3);
        let draft = world
            .command(save(letter(6), draft))
            .await
            .draft
            .expect("a draft");
        world.sync_well().await;
        world.sync_well().await;
        assert_eq!(world.subjects_there("Drafts"), ["letter 0006"]);
        world.command(Command::DiscardDraft(draft)).await;
        world.sync_well().await;
        world.sync_well().await;
        check(&world, &["1", "2"], &["1"], &["1", "2"], &[]).await;
        assert!(world.subjects_there("Drafts").is_empty());
    });
}
