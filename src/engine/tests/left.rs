//! Servers without UIDPLUS: messages that stay there, marked \Deleted, and are never taken for others.

use posthorn_model::{ErrorClass, Flag, Flags, LeaveOnServer, MessageId, OperationKind, Protocol, Remedy};
use posthorn_sandbox::{Fault, SandboxOptions, Service};

use super::world::{World, run, subject_of};
use crate::Command;
use crate::command::Selection;

async fn world() -> World {
    let options = SandboxOptions {
        without: &["MOVE", "UIDPLUS", "IMAP4rev2"],
        ..SandboxOptions::plain_and_empty()
    };
    World::with(Protocol::Imap, LeaveOnServer::Forever, options).await
}

fn only(message: MessageId) -> Selection {
    Selection {
        messages: vec![message],
        mailbox: None,
    }
}

/// Subjects there that are not marked.
fn unmarked(world: &World, path: &str) -> Vec<String> {
    let messages = world.sandbox.messages(path);
    messages
        .iter()
        .filter(|message| !message.flags.contains(Flag::Deleted))
        .map(|message| subject_of(&message.raw))
        .collect()
}

impl World {
    async fn delete(&self, path: &str, subject: &str) {
        let selection = only(self.find(path, subject).await);
        self.command(Command::Delete(selection)).await;
    }
}

#[test]
fn an_upload_whose_answer_was_lost_is_there_once() {
    run(async {
        let world = world().await;
        world.deliver("INBOX", 1);
        world.sync_well().await;
        world.delete("INBOX", "letter 0001").await;
        world.sync().await;
        world.delete("Trash", "letter 0001").await;
        world.sync().await;
        // Nothing of it is placed here any more: it is made anew from its bytes.
        world.command(Command::Undo { intent: None }).await;
        world.sandbox.faults().inject(Fault::CloseBeforeAnswer {
            service: Service::Imap,
            command: "APPEND".into(),
        });
        for _ in 0..3 {
            world.sync().await;
        }
        assert_eq!(unmarked(&world, "Trash"), ["letter 0001"]);
        assert_eq!(world.subjects("Trash").await, ["letter 0001"]);
    });
}

#[test]
fn what_was_left_is_not_taken_for_what_comes_back() {
    run(async {
        let world = world().await;
        world.deliver("INBOX", 1);
        world.sync_well().await;
        let (inbox, archive) = (world.mailbox("INBOX").await, world.mailbox("Archive").await);
        let selection = only(world.find("INBOX", "letter 0001").await);
        world
            .command(Command::Move {
                selection,
                to: archive,
            })
            .await;
        world.sync().await;
        assert!(unmarked(&world, "INBOX").is_empty());
        let selection = only(world.find("Archive", "letter 0001").await);
        world.command(Command::Move { selection, to: inbox }).await;
        // Nothing is done, and for all that is known here it may have been.
        world.sandbox.faults().inject(Fault::Answer {
            service: Service::Imap,
            command: "UID COPY".into(),
            reply: "NO [UNAVAILABLE] later".into(),
        });
        for _ in 0..3 {
            world.sync().await;
        }
        assert_eq!(unmarked(&world, "INBOX"), ["letter 0001"]);
        assert!(unmarked(&world, "Archive").is_empty());
        assert_eq!(world.subjects("INBOX").await, ["letter 0001"]);
    });
}

impl World {
    /// Another program marks a message.
    fn mark(&self, path: &str, subject: &str) {
        let messages = self.sandbox.messages(path);
        let found = messages
            .iter()
            .find(|message| subject_of(&message.raw) == subject);
        let uid = found.expect("there").uid;
        let user = self.sandbox.login().username.clone();
        let flags = Flags::default().with(Flag::Deleted);
        assert!(self.sandbox.store().set_flags(&user, path, uid, flags));
    }

    async fn kinds(&self) -> Vec<OperationKind> {
        let all = self.engine().catalog().operations().await.expect("operations");
        all.into_iter().map(|operation| operation.kind).collect()
    }
}

#[test]
fn the_whole_mailbox_is_expunged_on_the_users_word_alone() {
    run(async {
        let world = world().await;
        for number in 1..5 {
            world.deliver("INBOX", number);
        }
        world.sync_well().await;
        let mailbox = world.mailbox("INBOX").await;
        let expunge = |with_others| Command::ExpungeMailbox { mailbox, with_others };
        let refused = world.engine().command(expunge(true)).await;
        assert_eq!(refused.expect_err("nothing is marked").class, ErrorClass::Config);
        world.delete("INBOX", "letter 0001").await;
        world.mark("INBOX", "letter 0002");
        for _ in 0..2 {
            let problems = world.sync().await.problems;
            let problem = problems.first().expect("told for as long as it lies there");
            assert_eq!(problem.class, ErrorClass::Limited, "{problem:?}");
            assert_eq!(problem.mailbox, Some(mailbox));
            assert_eq!(problem.remedies, [Remedy::ExpungeMailbox]);
        }
        let detail = world.sync().await.problems.remove(0).detail;
        assert!(detail.contains("1 message that other programs"), "{detail}");
        let refused = world.engine().command(expunge(false)).await;
        assert!(
            refused.is_err(),
            "what others marked goes only where that was said"
        );
        let receipt = world.command(expunge(true)).await;
        assert_eq!(receipt.messages, 2);
        world.command(Command::Undo { intent: None }).await;
        assert_eq!(world.kinds().await, [OperationKind::LeftDeleted]);
        world.command(expunge(true)).await;
        // One more than the user was told of.
        world.mark("INBOX", "letter 0003");
        let problems = world.sync().await.problems;
        let held = problems
            .iter()
            .find(|problem| problem.class == ErrorClass::Refused);
        assert!(held.expect("held").detail.contains("1 more"), "{problems:?}");
        assert_eq!(world.subjects_there("INBOX").len(), 4, "nothing was removed");
        let receipt = world.command(expunge(true)).await;
        assert_eq!(receipt.messages, 3);
        let problems = world.sync().await.problems;
        assert!(problems.is_empty(), "{problems:?}");
        assert_eq!(world.subjects_there("INBOX"), ["letter 0004"]);
        assert_eq!(world.subjects("INBOX").await, ["letter 0004"]);
        assert!(world.kinds().await.is_empty());
        world.sync_well().await;
        assert_eq!(world.here("INBOX").await, world.there("INBOX"));
    });
}

/// A message stands in two mailboxes and is moved from one to the other, where another program takes it away first.
#[test]
fn a_move_to_where_the_message_stands_already_keeps_the_flags_there() {
    run(async {
        let options = SandboxOptions {
            without: &["QRESYNC"],
            ..SandboxOptions::plain_and_empty()
        };
        let world = World::with(Protocol::Imap, LeaveOnServer::Forever, options).await;
        world.deliver("Sent", 1);
        world.sync_well().await;
        let archive = world.mailbox("Archive").await;
        let selection = only(world.find("Sent", "letter 0001").await);
        let to = archive;
        world.command(Command::Copy { selection, to }).await;
        world.sync_well().await;
        let user = world.sandbox.login().username.clone();
        let uid = world.sandbox.messages("Archive")[0].uid;
        let flags = Flags::default().with(Flag::Flagged);
        world.sandbox.store().set_flags(&user, "Archive", uid, flags);
        world.sync_well().await;
        let selection = Selection {
            messages: vec![world.find("Sent", "letter 0001").await],
            mailbox: Some(world.mailbox("Sent").await),
        };
        world.command(Command::Move { selection, to }).await;
        world.sandbox.store().vanish(&user, "Sent", |_| true);
        world.sync_well().await;
        world.sync_well().await;
        assert_eq!(world.here("Archive").await, world.there("Archive"));
    });
}

#[test]
fn a_copy_that_is_taken_back_is_never_the_last_one() {
    run(async {
        let options = SandboxOptions {
            without: &["CONDSTORE", "OBJECTID", "NOTIFY"],
            ..SandboxOptions::plain_and_empty()
        };
        let world = World::with(Protocol::Imap, LeaveOnServer::Forever, options).await;
        world.deliver("INBOX", 1);
        world.sync_well().await;
        let selection = only(world.find("INBOX", "letter 0001").await);
        let to = world.mailbox("Archive").await;
        world.command(Command::Copy { selection, to }).await;
        // Another program moves it there first: what stands there then is no copy of ours.
        let user = world.sandbox.login().username.clone();
        world.sandbox.store().vanish(&user, "INBOX", |_| true);
        world.deliver("Archive", 1);
        world.sync_well().await;
        world.command(Command::Undo { intent: None }).await;
        world.sync_well().await;
        assert_eq!(world.subjects_there("Archive"), ["letter 0001"]);
        assert_eq!(world.subjects("Archive").await, ["letter 0001"]);
    });
}
