use posthorn_model::{ErrorClass, Protocol, SpecialUse};

use super::world::{World, run};
use crate::{Engine, Options};

#[test]
fn a_second_writer_is_refused_and_a_reader_is_not() {
    run(async {
        let world = World::new(Protocol::Pop3).await;
        let options = |read_only| Options {
            profile: Some(world.path()),
            read_only,
            ..Options::default()
        };
        let error = Engine::open(options(false)).err().expect("refused");
        assert_eq!(error.class(), ErrorClass::Config);
        assert!(!error.remedies.is_empty());
        let reader = Engine::open(options(true)).expect("a reader");
        let accounts = reader.catalog().accounts().await.expect("accounts");
        assert_eq!(accounts.len(), 1);
        assert!(reader.remove_account(world.account).await.is_err());
    });
}

#[test]
fn a_pop3_account_has_its_own_mailboxes_and_survives_a_restart() {
    run(async {
        let mut world = World::new(Protocol::Pop3).await;
        world.restart().await;
        let mailboxes = world.engine().catalog().mailboxes(None).await.expect("mailboxes");
        let uses: Vec<_> = mailboxes
            .iter()
            .filter_map(|mailbox| mailbox.special_use)
            .collect();
        let expect = [
            SpecialUse::Inbox,
            SpecialUse::Drafts,
            SpecialUse::Sent,
            SpecialUse::Archive,
            SpecialUse::Junk,
            SpecialUse::Trash,
        ];
        assert_eq!(uses, expect);
        assert!(
            mailboxes
                .iter()
                .all(|mailbox| mailbox.local && mailbox.selectable)
        );
    });
}

#[test]
fn a_removed_account_is_gone_and_its_server_untouched() {
    run(async {
        let world = World::new(Protocol::Imap).await;
        world.deliver("INBOX", 1);
        world.sync_well().await;
        world
            .engine()
            .remove_account(world.account)
            .await
            .expect("removed");
        let catalog = world.engine().catalog();
        assert!(catalog.accounts().await.expect("accounts").is_empty());
        assert!(catalog.mailboxes(None).await.expect("mailboxes").is_empty());
        assert_eq!(world.sandbox.messages("INBOX").len(), 1);
    });
}

#[test]
fn a_wrong_password_needs_the_user() {
    run(async {
        let world = World::new(Protocol::Imap).await;
        let accounts = world.engine().catalog().accounts().await.expect("accounts");
        let config = accounts[0].config.clone();
        let wrong = posthorn_model::Secret::new("wrong".into());
        world
            .engine()
            .update_account(world.account, config, Some(wrong))
            .await
            .expect("updated");
        let report = world.sync().await;
        assert_eq!(
            report.problems.first().map(|problem| problem.class),
            Some(ErrorClass::Auth)
        );
        let states = world.engine().states();
        assert_eq!(states, [(world.account, crate::AccountState::NeedsUser)]);
    });
}
