//! Mailboxes made, renamed and deleted, messages between accounts, and what is left after lost answers.

use std::collections::BTreeSet;

use posthorn_model::{
    AccountId, ErrorClass, Flag, FlagChange, LeaveOnServer, MailboxId, MessageId, OperationState, Protocol,
};
use posthorn_sandbox::{Fault, NewMessage, SandboxOptions, SandboxUser, Service};

use tokio::io::{AsyncBufReadExt, AsyncWriteExt, BufReader};
use tokio::net::TcpStream;

use super::world::{NOW, World, letter, run, subject_of};
use crate::Command;
use crate::command::Selection;

async fn world() -> World {
    World::new(Protocol::Imap).await
}

fn only(message: MessageId) -> Selection {
    Selection {
        messages: vec![message],
        mailbox: None,
    }
}

/// Signs in by itself and says these commands, each of which must succeed.
async fn another_program(world: &World, commands: &[&str]) {
    let endpoint = world.sandbox.endpoint(Service::Imap);
    let stream = TcpStream::connect((endpoint.host.as_str(), endpoint.port)).await;
    let mut stream = BufReader::new(stream.expect("connected"));
    let mut line = String::new();
    stream.read_line(&mut line).await.expect("a greeting");
    let login = world.sandbox.login();
    let login = format!("LOGIN \"{}\" \"{}\"", login.username, login.password);
    for command in std::iter::once(login.as_str()).chain(commands.iter().copied()) {
        stream
            .write_all(format!("x {command}\r\n").as_bytes())
            .await
            .expect("sent");
        line.clear();
        while !line.starts_with("x ") {
            line.clear();
            assert!(
                stream.read_line(&mut line).await.expect("an answer") > 0,
                "{command}"
            );
        }
        assert!(line.starts_with("x OK"), "{command}: {line}");
    }
}

impl World {
    async fn create(&self, path: &str) -> MailboxId {
        let wish = Command::CreateMailbox {
            account: self.account,
            path: path.into(),
        };
        self.command(wish).await.mailbox.expect("a mailbox")
    }

    async fn rename(&self, from: &str, to: &str) {
        let mailbox = self.mailbox(from).await;
        let path = to.into();
        self.command(Command::RenameMailbox { mailbox, path }).await;
    }

    async fn remove(&self, path: &str) {
        let mailbox = self.mailbox(path).await;
        let with_messages = true;
        self.command(Command::DeleteMailbox {
            mailbox,
            with_messages,
        })
        .await;
    }

    async fn undo(&self) {
        self.command(Command::Undo { intent: None }).await;
    }

    async fn paths(&self) -> BTreeSet<String> {
        let all = self.engine().catalog().mailboxes(Some(self.account)).await;
        all.expect("mailboxes")
            .into_iter()
            .map(|mailbox| mailbox.name.path)
            .collect()
    }

    fn paths_there(&self) -> BTreeSet<String> {
        let user = self.sandbox.login().username.clone();
        let all = self.sandbox.store().mailboxes(&user).into_iter();
        all.map(|mailbox| mailbox.path).collect()
    }

    async fn waiting(&self) -> Vec<OperationState> {
        let all = self.engine().catalog().operations().await.expect("operations");
        all.iter().map(|operation| operation.state).collect()
    }

    fn break_imap(&self, fault: impl FnOnce(Service) -> Fault) {
        self.sandbox.faults().inject(fault(Service::Imap));
    }
}

#[test]
fn mailboxes_are_here_at_once_and_on_the_server_after_the_sync() {
    run(async {
        let world = world().await;
        world.sync_well().await;
        world.create("Reisen").await;
        world.create("Reisen/Köln & Bonn").await;
        world.rename("Reisen", "Trips").await;
        world.create("Trips/later").await;
        assert!(world.paths().await.contains("Trips/Köln & Bonn"));
        assert!(!world.paths_there().contains("Trips"));
        world.sync_well().await;
        assert_eq!(world.paths().await, world.paths_there());
        assert!(world.waiting().await.is_empty());
        world.rename("Trips", "A/B").await;
        world.remove("A/B/later").await;
        world.sync_well().await;
        assert_eq!(world.paths().await, world.paths_there());
        assert!(world.paths_there().contains("A/B/Köln & Bonn"));
        world.sync_well().await;
        assert_eq!(world.paths().await, world.paths_there());
    });
}

#[test]
fn messages_wait_for_the_mailbox_that_they_go_to() {
    run(async {
        let world = world().await;
        world.deliver("INBOX", 1);
        world.sync_well().await;
        let message = world.find("INBOX", "letter 0001").await;
        let to = world.create("Later").await;
        let selection = only(message);
        world.command(Command::Move { selection, to }).await;
        world.rename("Later", "Sooner").await;
        assert_eq!(world.subjects("Sooner").await, ["letter 0001"]);
        world.sync_well().await;
        assert_eq!(world.subjects_there("Sooner"), ["letter 0001"]);
        assert_eq!(world.find("Sooner", "letter 0001").await, message);
        // Sent already: the way back is a rename, a move and a deletion.
        for _ in 0..3 {
            world.undo().await;
        }
        world.sync_well().await;
        assert_eq!(world.subjects_there("INBOX"), ["letter 0001"]);
        assert_eq!(world.paths().await, world.paths_there());
        assert!(!world.paths_there().contains("Later") && !world.paths_there().contains("Sooner"));
    });
}

#[test]
fn a_deleted_mailbox_leaves_its_messages_in_the_trash() {
    run(async {
        let world = world().await;
        world
            .sandbox
            .store()
            .create(&world.sandbox.login().username, "Old/Deep");
        world.deliver("Archive", 3);
        world.deliver("Old/Deep", 2);
        world.sync_well().await;
        let mailbox = world.mailbox("Old/Deep").await;
        let refused = world.engine().command(Command::DeleteMailbox {
            mailbox,
            with_messages: false,
        });
        assert_eq!(refused.await.expect_err("not empty").class, ErrorClass::Config);
        world.remove("Old/Deep").await;
        assert_eq!(world.subjects("Trash").await, ["letter 0002"]);
        assert!(!world.paths().await.contains("Old/Deep"));
        world.undo().await;
        assert_eq!(world.subjects("Old/Deep").await, ["letter 0002"]);
        assert!(world.waiting().await.is_empty(), "the server never hears of it");
        world.remove("Old/Deep").await;
        world.sync_well().await;
        assert_eq!(world.subjects_there("Trash"), ["letter 0002"]);
        assert!(!world.paths_there().contains("Old/Deep"));
        world.undo().await;
        world.sync_well().await;
        assert_eq!(world.subjects_there("Old/Deep"), ["letter 0002"]);
        assert_eq!(world.subjects("Old/Deep").await, ["letter 0002"]);
        assert!(world.subjects_there("Trash").is_empty());
        world.assert_bytes("Old/Deep").await;
    });
}

#[test]
fn mail_that_came_meanwhile_keeps_a_mailbox_from_being_deleted() {
    run(async {
        let world = world().await;
        world
            .sandbox
            .store()
            .create(&world.sandbox.login().username, "Old");
        world.sync_well().await;
        world.remove("Old").await;
        world.deliver("Old", 5);
        let report = world.sync().await;
        assert_eq!(report.problems.len(), 1, "{:?}", report.problems);
        assert!(report.problems[0].detail.contains("Old: 1 messages have come"));
        assert_eq!(world.subjects_there("Old"), ["letter 0005"]);
        assert_eq!(world.subjects("Old").await, ["letter 0005"]);
    });
}

#[test]
fn what_another_program_did_first_is_done() {
    run(async {
        let world = world().await;
        let user = world.sandbox.login().username.clone();
        for path in ["Gone", "Kept"] {
            world.sandbox.store().create(&user, path);
        }
        world.sync_well().await;
        world.create("Same").await;
        world.remove("Gone").await;
        world.sandbox.store().create(&user, "Same");
        another_program(&world, &["DELETE Gone"]).await;
        world.sync_well().await;
        assert_eq!(world.paths().await, world.paths_there());
        assert!(world.paths_there().contains("Same") && !world.paths_there().contains("Gone"));
    });
}

#[test]
fn a_refusal_takes_the_local_effect_back() {
    run(async {
        let world = world().await;
        world
            .sandbox
            .store()
            .create(&world.sandbox.login().username, "A/x");
        world.deliver("INBOX", 1);
        world.sync_well().await;
        let acts = [("CREATE", "create"), ("RENAME", "rename"), ("DELETE", "delete")];
        for (count, (command, wish)) in acts.into_iter().enumerate() {
            let before = world.paths().await;
            match wish {
                "create" => {
                    let to = world.create("New").await;
                    let selection = only(world.find("INBOX", "letter 0001").await);
                    world.command(Command::Move { selection, to }).await;
                }
                "rename" => world.rename("A/x", "Other").await,
                _ => world.remove("A/x").await,
            }
            assert_ne!(world.paths().await, before, "{wish}");
            world.break_imap(|service| Fault::Answer {
                service,
                command: command.into(),
                reply: "NO [NOPERM] not here".into(),
            });
            let report = world.sync().await;
            assert_eq!(report.problems.len(), count + 1, "{wish}: {:?}", report.problems);
            assert!(
                report
                    .problems
                    .iter()
                    .all(|problem| problem.detail.contains("not here"))
            );
            assert_eq!(world.paths().await, before, "{wish}");
            assert_eq!(world.paths_there(), before, "{wish}");
            assert_eq!(world.subjects("INBOX").await, ["letter 0001"], "{wish}");
            assert!(
                world
                    .waiting()
                    .await
                    .iter()
                    .all(|state| *state == OperationState::Held)
            );
            world.sync().await;
            assert_eq!(world.paths().await, before, "{wish}");
            assert_eq!(world.subjects("INBOX").await, ["letter 0001"], "{wish}");
        }
    });
}

/// Each command carried out and its answer lost: the second try finds it done.
#[test]
fn lost_answers_do_nothing_twice() {
    run(async {
        for command in [
            "CREATE",
            "RENAME",
            "DELETE",
            "UID MOVE",
            "UID COPY",
            "UID EXPUNGE",
            "UID STORE",
            "APPEND",
        ] {
            for without in [
                &[][..],
                &["MOVE", "UIDPLUS", "IMAP4rev2"][..],
                &["MOVE", "IMAP4rev2"][..],
            ] {
                let options = SandboxOptions {
                    without,
                    ..SandboxOptions::plain_and_empty()
                };
                let world = World::with(Protocol::Imap, LeaveOnServer::Forever, options).await;
                let user = world.sandbox.login().username.clone();
                for path in ["A", "B"] {
                    world.sandbox.store().create(&user, path);
                }
                world.deliver("INBOX", 1);
                world.deliver("INBOX", 2);
                world.sync_well().await;
                world.create("New").await;
                world.rename("A", "Else").await;
                world.remove("B").await;
                let to = world.mailbox("Else").await;
                let selection = only(world.find("INBOX", "letter 0001").await);
                world.command(Command::Move { selection, to }).await;
                let selection = only(world.find("INBOX", "letter 0002").await);
                world.command(Command::Copy { selection, to }).await;
                let raw = letter(9);
                let (account, replaces) = (world.account, None);
                world
                    .command(Command::SaveDraft {
                        account,
                        raw,
                        replaces,
                    })
                    .await;
                let command = command.to_owned();
                world.break_imap(|service| Fault::CloseBeforeAnswer { service, command });
                world.sync().await;
                world.sync().await;
                let mut report = world.sync().await;
                report
                    .problems
                    .retain(|problem| !problem.detail.contains("marked as deleted"));
                assert!(report.problems.is_empty(), "{without:?}: {:?}", report.problems);
                world.sandbox.faults().clear();
                assert_eq!(world.paths().await, world.paths_there());
                assert!(world.paths_there().contains("New") && world.paths_there().contains("Else"));
                assert_eq!(
                    world.subjects_there("Else"),
                    ["letter 0001", "letter 0002"],
                    "{without:?}"
                );
                assert_eq!(
                    world.subjects("Else").await,
                    ["letter 0001", "letter 0002"],
                    "{without:?}"
                );
                assert_eq!(world.subjects_there("Drafts"), ["letter 0009"], "{without:?}");
                assert_eq!(world.subjects("INBOX").await, ["letter 0002"], "{without:?}");
                let left = world.sandbox.messages("INBOX");
                let unmarked = left
                    .iter()
                    .filter(|message| !message.flags.contains(Flag::Deleted));
                assert_eq!(unmarked.count(), 1, "{without:?}");
            }
        }
    });
}

#[test]
fn messages_left_marked_are_not_shown_and_are_told_of() {
    run(async {
        let options = SandboxOptions {
            without: &["MOVE", "UIDPLUS", "IMAP4rev2"],
            ..SandboxOptions::plain_and_empty()
        };
        let world = World::with(Protocol::Imap, LeaveOnServer::Forever, options).await;
        for number in 1..4 {
            world.deliver("INBOX", number);
        }
        world.sync_well().await;
        let selection = only(world.find("INBOX", "letter 0001").await);
        world.command(Command::Delete(selection)).await;
        let report = world.sync().await;
        assert!(
            report.problems[0].detail.contains("INBOX: 1 message is left"),
            "{:?}",
            report.problems
        );
        for _ in 0..2 {
            let selection = only(world.find("INBOX", "letter 0002").await);
            let change = FlagChange::adding(Flag::Flagged);
            world.command(Command::Flag { selection, change }).await;
            world.sync().await;
            assert_eq!(world.subjects("INBOX").await, ["letter 0002", "letter 0003"]);
        }
        let inbox = world.engine().catalog().mailboxes(None).await.expect("mailboxes");
        assert_eq!((inbox[0].total, inbox[0].unread), (2, 2));
        assert_eq!(world.subjects_there("INBOX").len(), 3);
        // Another program removes it for good: nothing is remembered of it.
        let user = world.sandbox.login().username.clone();
        world
            .sandbox
            .store()
            .vanish(&user, "INBOX", |message| message.flags.contains(Flag::Deleted));
        world.sync().await;
        assert!(world.waiting().await.is_empty());
        assert_eq!(world.here("INBOX").await, world.there("INBOX"));
    });
}

#[test]
fn a_mailbox_that_went_is_made_again_for_what_is_moved_there() {
    run(async {
        let world = world().await;
        world
            .sandbox
            .store()
            .create(&world.sandbox.login().username, "Work");
        world.deliver("INBOX", 1);
        world.sync_well().await;
        another_program(&world, &["DELETE Work"]).await;
        let to = world.mailbox("Work").await;
        let selection = only(world.find("INBOX", "letter 0001").await);
        world.command(Command::Move { selection, to }).await;
        world.sync_well().await;
        assert_eq!(world.subjects_there("Work"), ["letter 0001"]);
        assert_eq!(world.subjects("Work").await, ["letter 0001"]);
    });
}

#[test]
fn a_full_mailbox_is_named() {
    run(async {
        let world = world().await;
        world.deliver("INBOX", 1);
        world.sync_well().await;
        let to = world.mailbox("Archive").await;
        let selection = only(world.find("INBOX", "letter 0001").await);
        world.command(Command::Copy { selection, to }).await;
        world.break_imap(|service| Fault::Answer {
            service,
            command: "UID COPY".into(),
            reply: "NO [OVERQUOTA] no room".into(),
        });
        let report = world.sync().await;
        assert_eq!(report.problems[0].class, ErrorClass::Quota);
        assert!(
            report.problems[0].detail.starts_with("Archive: "),
            "{:?}",
            report.problems
        );
        assert!(world.subjects("Archive").await.is_empty());
    });
}

/// A server that gives UIDs out again must not make us move another message.
#[test]
fn a_uid_given_to_another_message_is_noticed_before_anything_goes() {
    run(async {
        for wish in ["delete", "mark"] {
            let options = SandboxOptions {
                without: &["QRESYNC", "CONDSTORE"],
                ..SandboxOptions::plain_and_empty()
            };
            let world = World::with(Protocol::Imap, LeaveOnServer::Forever, options).await;
            world.deliver("INBOX", 1);
            world.sync_well().await;
            let selection = only(world.find("INBOX", "letter 0001").await);
            world
                .command(if wish == "delete" {
                    Command::Delete(selection)
                } else {
                    let change = FlagChange::adding(Flag::Deleted);
                    Command::Flag { selection, change }
                })
                .await;
            let user = world.sandbox.login().username.clone();
            let uid = world.sandbox.messages("INBOX")[0].uid;
            assert!(world.sandbox.store().reuse_uid(&user, "INBOX", uid, &letter(7)));
            world.sync().await;
            let there = world.there("INBOX");
            assert_eq!(there, [("letter 0007".to_owned(), Vec::new())], "{wish}");
            assert!(world.there("Trash").is_empty(), "{wish}");
            world.sync_well().await;
            assert_eq!(world.subjects("INBOX").await, ["letter 0007"], "{wish}");
        }
    });
}

const FRIEND: &str = "friend";

fn two_users() -> SandboxOptions {
    let mut options = SandboxOptions::plain_and_empty();
    options.users.push(SandboxUser::new(FRIEND, "word"));
    options
}

async fn second(world: &World, protocol: Protocol) -> AccountId {
    let first = world
        .engine()
        .catalog()
        .accounts()
        .await
        .expect("accounts")
        .remove(0);
    let config = posthorn_model::AccountConfig {
        name: "second".into(),
        protocol,
        username: FRIEND.into(),
        incoming: world.sandbox.endpoint(match protocol {
            Protocol::Imap => Service::Imap,
            Protocol::Pop3 => Service::Pop3,
        }),
        ..first.config
    };
    let secret = Some(posthorn_model::Secret::new("word".into()));
    world
        .engine()
        .add_account(config, secret)
        .await
        .expect("an account")
}

async fn mailbox_of(world: &World, account: AccountId, path: &str) -> MailboxId {
    let all = world
        .engine()
        .catalog()
        .mailboxes(Some(account))
        .await
        .expect("mailboxes");
    let found = all.iter().find(|mailbox| mailbox.name.path == path);
    found.unwrap_or_else(|| panic!("no {path}")).id
}

async fn subjects_in(world: &World, mailbox: MailboxId) -> Vec<String> {
    let view = posthorn_model::query::View::Mailbox(mailbox);
    let start = posthorn_model::query::PageStart::Newest;
    let page = world
        .engine()
        .catalog()
        .page(view, start, 100)
        .await
        .expect("a page");
    let mut all: Vec<String> = page.rows.into_iter().map(|row| row.subject).collect();
    all.sort();
    all
}

fn friends(world: &World, path: &str) -> Vec<String> {
    let messages = world.sandbox.store().messages(FRIEND, path);
    messages.iter().map(|message| subject_of(&message.raw)).collect()
}

async fn sync_all(world: &World) -> Vec<posthorn_model::Problem> {
    let report = world
        .engine()
        .sync(crate::report::SyncRequest::default())
        .await
        .expect("a sync");
    report
        .accounts
        .into_iter()
        .flat_map(|account| account.problems)
        .collect()
}

#[test]
fn a_message_moves_to_another_account_and_is_never_in_neither() {
    run(async {
        // What breaks, and whether bodies are here before.
        for (broken, bodies) in [
            (None, true),
            (None, false),
            (Some("APPEND"), true),
            (Some("APPEND"), false),
            (Some("UID EXPUNGE"), true),
            (Some("UID STORE"), true),
        ] {
            let world = World::with(Protocol::Imap, LeaveOnServer::Forever, two_users()).await;
            let other = second(&world, Protocol::Imap).await;
            world.deliver("INBOX", 1);
            let request = crate::report::SyncRequest {
                bodies: if bodies {
                    crate::report::Bodies::All
                } else {
                    crate::report::Bodies::None
                },
                ..Default::default()
            };
            world.engine().sync(request).await.expect("a sync");
            let to = mailbox_of(&world, other, "Archive").await;
            let selection = only(world.find("INBOX", "letter 0001").await);
            world.command(Command::Move { selection, to }).await;
            assert!(world.subjects("INBOX").await.is_empty());
            assert_eq!(subjects_in(&world, to).await, ["letter 0001"]);
            if let Some(command) = broken {
                let command = command.to_owned();
                world.break_imap(|service| Fault::CloseBeforeAnswer { service, command });
            }
            for _ in 0..4 {
                sync_all(&world).await;
                let both = world.subjects_there("INBOX").len() + friends(&world, "Archive").len();
                assert!(both >= 1, "{broken:?}: it is nowhere");
            }
            assert!(sync_all(&world).await.is_empty(), "{broken:?}");
            assert!(world.there("INBOX").is_empty(), "{broken:?}");
            assert_eq!(friends(&world, "Archive"), ["letter 0001"], "{broken:?} {bodies}");
            assert_eq!(subjects_in(&world, to).await, ["letter 0001"], "{broken:?}");
            let raw = world.sandbox.store().messages(FRIEND, "Archive")[0].raw.to_vec();
            assert_eq!(raw, letter(1));
            assert!(world.waiting().await.is_empty(), "{broken:?}");
            world.undo().await;
            for _ in 0..2 {
                sync_all(&world).await;
            }
            assert_eq!(world.subjects_there("INBOX"), ["letter 0001"], "{broken:?}");
            assert!(friends(&world, "Archive").is_empty(), "{broken:?}");
        }
    });
}

#[test]
fn a_move_between_accounts_taken_back_before_sending_is_never_heard_of() {
    run(async {
        let world = World::with(Protocol::Imap, LeaveOnServer::Forever, two_users()).await;
        let other = second(&world, Protocol::Imap).await;
        world.deliver("INBOX", 1);
        sync_all(&world).await;
        let to = mailbox_of(&world, other, "INBOX").await;
        let selection = only(world.find("INBOX", "letter 0001").await);
        world.command(Command::Move { selection, to }).await;
        world.undo().await;
        assert!(world.waiting().await.is_empty());
        assert_eq!(world.subjects("INBOX").await, ["letter 0001"]);
        assert!(subjects_in(&world, to).await.is_empty());
        assert!(sync_all(&world).await.is_empty());
        assert_eq!(world.here("INBOX").await, world.there("INBOX"));
        assert!(friends(&world, "INBOX").is_empty());
    });
}

#[test]
fn a_refused_upload_leaves_the_message_at_its_source() {
    run(async {
        let world = World::with(Protocol::Imap, LeaveOnServer::Forever, two_users()).await;
        let other = second(&world, Protocol::Imap).await;
        world.deliver("INBOX", 1);
        sync_all(&world).await;
        let to = mailbox_of(&world, other, "Archive").await;
        let selection = only(world.find("INBOX", "letter 0001").await);
        world.command(Command::Move { selection, to }).await;
        world.break_imap(|service| Fault::Answer {
            service,
            command: "APPEND".into(),
            reply: "NO [OVERQUOTA] full".into(),
        });
        assert!(!sync_all(&world).await.is_empty());
        sync_all(&world).await;
        assert_eq!(world.subjects_there("INBOX"), ["letter 0001"]);
        assert_eq!(world.subjects("INBOX").await, ["letter 0001"]);
        assert!(subjects_in(&world, to).await.is_empty());
        assert!(friends(&world, "Archive").is_empty());
    });
}

#[test]
fn mail_moves_out_of_and_into_pop3_accounts() {
    run(async {
        let world = World::with(Protocol::Imap, LeaveOnServer::Forever, two_users()).await;
        let pop3 = second(&world, Protocol::Pop3).await;
        world.deliver("INBOX", 1);
        let message = NewMessage {
            raw: letter(2),
            flags: posthorn_model::Flags::default(),
            internal_date: posthorn_model::Timestamp(NOW),
        };
        world
            .sandbox
            .store()
            .append(FRIEND, "INBOX", message)
            .expect("delivered");
        sync_all(&world).await;
        let (inbox, archive) = (
            world.mailbox("INBOX").await,
            mailbox_of(&world, pop3, "Archive").await,
        );
        let theirs = mailbox_of(&world, pop3, "Inbox").await;
        let selection = only(world.find("INBOX", "letter 0001").await);
        world
            .command(Command::Move {
                selection,
                to: archive,
            })
            .await;
        let view = posthorn_model::query::View::Mailbox(theirs);
        let start = posthorn_model::query::PageStart::Newest;
        let page = world
            .engine()
            .catalog()
            .page(view, start, 10)
            .await
            .expect("a page");
        let selection = only(page.rows[0].message);
        world.command(Command::Move { selection, to: inbox }).await;
        for _ in 0..2 {
            assert!(sync_all(&world).await.is_empty());
        }
        assert_eq!(world.subjects_there("INBOX"), ["letter 0002"]);
        assert_eq!(world.subjects("INBOX").await, ["letter 0002"]);
        assert_eq!(subjects_in(&world, archive).await, ["letter 0001"]);
        assert!(subjects_in(&world, theirs).await.is_empty());
        assert_eq!(
            friends(&world, "INBOX"),
            ["letter 0002"],
            "left on the server, as the account says"
        );
        world.undo().await;
        for _ in 0..2 {
            sync_all(&world).await;
        }
        assert_eq!(subjects_in(&world, theirs).await, ["letter 0002"]);
        assert!(world.there("INBOX").is_empty());
    });
}

#[test]
fn mailboxes_of_a_pop3_account_are_made_and_deleted_here() {
    run(async {
        let world = World::new(Protocol::Pop3).await;
        world.deliver("INBOX", 1);
        world.sync_well().await;
        let to = world.create("Lists/Rust").await;
        let selection = only(world.find("Inbox", "letter 0001").await);
        world.command(Command::Move { selection, to }).await;
        world.rename("Lists/Rust", "Rust").await;
        assert_eq!(world.subjects("Rust").await, ["letter 0001"]);
        world.remove("Rust").await;
        assert_eq!(world.subjects("Trash").await, ["letter 0001"]);
        world.undo().await;
        assert_eq!(world.subjects("Rust").await, ["letter 0001"]);
        let inbox = world.mailbox("Trash").await;
        let refused = world.engine().command(Command::RenameMailbox {
            mailbox: inbox,
            path: "Bin".into(),
        });
        assert!(refused.await.is_err());
        assert!(world.waiting().await.is_empty());
    });
}
