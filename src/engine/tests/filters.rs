use posthorn_model::filter::{Action, Condition, Matching, Rule};
use posthorn_model::{LeaveOnServer, LedgerState, Protocol};
use posthorn_sandbox::SandboxOptions;

use super::world::{World, run};
use crate::Command;
use crate::command::Selection;

fn rule(name: &str, conditions: &[&str], actions: &[&str]) -> Rule {
    Rule {
        name: name.into(),
        enabled: true,
        account: None,
        matching: Matching::All,
        conditions: conditions
            .iter()
            .map(|text| Condition::parse(text).expect("a condition"))
            .collect(),
        actions: actions
            .iter()
            .map(|text| Action::parse(text).expect("an action"))
            .collect(),
    }
}

async fn put(world: &World, rules: Vec<Rule>) {
    world.engine().put_filters(rules).await.expect("filters");
}

fn shown(list: &[(&str, &[&str])]) -> Vec<(String, Vec<String>)> {
    list.iter()
        .map(|(subject, flags)| {
            (
                (*subject).to_owned(),
                flags.iter().map(ToString::to_string).collect(),
            )
        })
        .collect()
}

#[test]
fn pop3_mail_is_filtered_here_and_nothing_leaves_the_server_by_it() {
    run(async {
        let options = SandboxOptions::plain_and_empty();
        let mut world = World::with(Protocol::Pop3, LeaveOnServer::UntilRemoved, options).await;
        put(
            &world,
            vec![
                rule(
                    "one",
                    &["subject ends 0001"],
                    &["tag work", "star", "move Archive"],
                ),
                rule("two", &["subject ends 0002"], &["read", "junk"]),
                rule(
                    "rest",
                    &["header message-id contains @letters"],
                    &["tag seen-by-rule"],
                ),
            ],
        )
        .await;
        for number in 0..4 {
            world.deliver("INBOX", number);
        }
        assert_eq!(world.sync_well().await.new, 4);
        let tagged: &[&str] = &["seen-by-rule"];
        assert_eq!(
            world.here("Inbox").await,
            shown(&[("letter 0000", tagged), ("letter 0003", tagged)])
        );
        let both: &[&str] = &["flagged", "seen-by-rule", "work"];
        assert_eq!(world.here("Archive").await, shown(&[("letter 0001", both)]));
        let read: &[&str] = &["seen", "seen-by-rule"];
        assert_eq!(world.here("Junk").await, shown(&[("letter 0002", read)]));
        world.restart().await;
        world.sync_well().await;
        assert_eq!(world.sandbox.messages("INBOX").len(), 4);
        let ledger = world
            .engine()
            .catalog()
            .ledger(world.account)
            .await
            .expect("a ledger");
        assert!(ledger.iter().all(|row| row.state == LedgerState::Downloaded));
    });
}

#[test]
fn imap_mail_that_arrives_is_filtered_once_and_the_server_hears_of_it() {
    run(async {
        let world = World::new(Protocol::Imap).await;
        world.deliver("INBOX", 0);
        world.sync_well().await;
        put(
            &world,
            vec![rule(
                "all",
                &["header message-id contains @letters"],
                &["star", "move Archive"],
            )],
        )
        .await;
        world.sync_well().await;
        assert_eq!(
            world.subjects("INBOX").await,
            ["letter 0000"],
            "what was here stays"
        );
        world.deliver("INBOX", 1);
        world.sync_well().await;
        let moved: &[&str] = &["flagged"];
        assert_eq!(world.here("Archive").await, shown(&[("letter 0001", moved)]));
        assert_eq!(world.there("Archive"), world.here("Archive").await);
        assert_eq!(world.subjects_there("INBOX"), ["letter 0000"]);
        world.sync_well().await;
        // Another program puts it back: the rule has had its turn.
        let raw = world.sandbox.messages("Archive")[0].raw.to_vec();
        world.deliver_raw("INBOX", raw);
        world.sync_well().await;
        assert_eq!(world.subjects("INBOX").await, ["letter 0000", "letter 0001"]);
    });
}

#[test]
fn a_mailbox_that_is_not_there_keeps_mail_in_the_inbox_and_says_so() {
    run(async {
        let world = World::new(Protocol::Pop3).await;
        let rules = vec![rule("lost", &[], &["move Nowhere"])];
        assert!(world.engine().put_filters(rules.clone()).await.is_err());
        let junk = vec![rule("fine", &[], &["move archive"])];
        put(&world, junk).await;
        world.deliver("INBOX", 1);
        world.sync_well().await;
        assert_eq!(world.subjects("Archive").await, ["letter 0001"]);
        // Written by hand, or the mailbox went away since.
        let path = world.path().join("config/filters.toml");
        let text = std::fs::read_to_string(&path)
            .expect("a file")
            .replace("archive", "Nowhere");
        let mut world = world;
        world.engine().shutdown().await;
        std::fs::write(&path, text).expect("written");
        world.restart().await;
        world.deliver("INBOX", 2);
        let report = world.sync().await;
        assert_eq!(world.subjects("Inbox").await, ["letter 0002"]);
        assert!(
            report
                .problems
                .iter()
                .any(|problem| problem.detail.contains("Nowhere"))
        );
    });
}

#[test]
fn a_run_over_what_is_here_can_be_previewed_and_undone() {
    run(async {
        let world = World::new(Protocol::Pop3).await;
        for number in 0..6 {
            world.deliver("INBOX", number);
        }
        world.sync_well().await;
        put(
            &world,
            vec![
                rule("low", &["subject ends 0001"], &["read", "move Archive"]),
                rule("mark", &["subject ends 0002"], &["tag work"]),
            ],
        )
        .await;
        let inbox = world.mailbox("Inbox").await;
        let before = world.here("Inbox").await;
        let preview = world
            .engine()
            .catalog()
            .preview_filters(inbox)
            .await
            .expect("a preview");
        assert_eq!((preview.looked_at, preview.tried.len()), (6, 2));
        assert_eq!(world.here("Inbox").await, before);
        let done = world.engine().run_filters(inbox).await.expect("a run");
        assert_eq!(done.receipt.messages, 2);
        let read: &[&str] = &["seen"];
        assert_eq!(world.here("Archive").await, shown(&[("letter 0001", read)]));
        world
            .command(Command::Undo {
                intent: done.receipt.intent,
            })
            .await;
        assert_eq!(world.here("Inbox").await, before);
        // Nothing new to do is no intent.
        let tag_only = world.find("Inbox", "letter 0002").await;
        let tried = world
            .engine()
            .catalog()
            .try_filters(tag_only)
            .await
            .expect("tried")
            .expect("there");
        assert_eq!(tried.verdict.rules, ["mark"]);
        world
            .command(Command::Delete(Selection {
                messages: vec![tag_only],
                mailbox: None,
            }))
            .await;
    });
}
