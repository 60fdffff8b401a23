//! Mailboxes made, renamed and deleted from the sidebar's menu.

use iced::mouse;
use posthorn_engine::Command;
use posthorn_model::{ErrorClass, MailboxId, Problem, Remedy, SpecialUse};

use super::Window;
use crate::app::{Action, Message};
use crate::fixture::{Fixture, NOW};
use crate::screen::mail;
use crate::screen::sheet::{self, FIELD, Sheet};
use crate::shortcut::Wish;
use crate::t;

impl Window {
    /// The first mailbox that is an ordinary one.
    fn ordinary(&self) -> (MailboxId, String) {
        let mailboxes = &self.app.directory.mailboxes;
        let found = mailboxes
            .iter()
            .find(|mailbox| mailbox.special_use.is_none() && !mailbox.local);
        let found = found.expect("an ordinary mailbox");
        (found.id, self.app.directory.place(found).1)
    }

    fn ask(&mut self, mailbox: MailboxId) {
        let account = self.app.directory.mailbox(mailbox).expect("there").account;
        self.send(Message::Mail(mail::Message::MenuAsked(account, Some(mailbox))));
    }

    fn press_other_button(&mut self, label: &str) {
        self.by_hand(|ui| {
            let found = ui.find(label).expect("shown");
            ui.point_at(found.visible_bounds().expect("in view").center());
            ui.simulate([iced::Event::Mouse(mouse::Event::ButtonPressed(
                mouse::Button::Right,
            ))]);
        });
    }
}

fn commands(fixture: &Fixture) -> Vec<Command> {
    fixture.lock().commands.clone()
}

#[test]
fn the_other_button_offers_what_can_be_done_with_a_mailbox() {
    let mut window = Window::open(&Fixture::full());
    let (_, name) = window.ordinary();
    window.press_other_button(&name);
    for line in [
        "mailbox-act-new-within",
        "mailbox-act-rename",
        "mailbox-act-delete",
    ] {
        assert!(window.shows(&crate::i18n::translate(line, &[])), "{line}");
    }
    window.key(Wish::Back);
    assert!(window.app.sheet.is_none());
    let inbox = window
        .app
        .directory
        .mailboxes
        .iter()
        .find(|mailbox| mailbox.special_use == Some(SpecialUse::Inbox))
        .expect("an inbox")
        .id;
    window.ask(inbox);
    assert!(!window.shows(&t!("mailbox-act-delete")), "the inbox stays");
    assert!(window.shows(&t!("mailbox-act-new-within")));
}

#[test]
fn a_mailbox_is_made_within_another() {
    let fixture = Fixture::full();
    let mut window = Window::open(&fixture);
    let (mailbox, _) = window.ordinary();
    let known = window.app.directory.mailbox(mailbox).expect("there").clone();
    window.ask(mailbox);
    window.press(&t!("mailbox-act-new-within"));
    window.key(Wish::Open);
    assert!(window.app.sheet.is_some(), "no name yet");
    window.type_into(FIELD, "  Rust ü ");
    window.press(&t!("mailbox-new-confirm"));
    let expect = Command::CreateMailbox {
        account: known.account,
        path: format!("{}/Rust ü", known.name.path),
    };
    assert_eq!(commands(&fixture), [expect]);
    assert!(window.shows(&t!("done-mailbox-made", name = "Rust ü")));
}

#[test]
fn a_mailbox_is_renamed_in_its_place() {
    let fixture = Fixture::full();
    let mut window = Window::open(&fixture);
    let (mailbox, _) = window.ordinary();
    let path = window
        .app
        .directory
        .mailbox(mailbox)
        .expect("there")
        .name
        .path
        .clone();
    window.ask(mailbox);
    window.press(&t!("mailbox-act-rename"));
    window.send(Message::Sheet(sheet::Message::Mailbox(
        sheet::mailbox::Message::Typed("Other".into()),
    )));
    window.key(Wish::Open);
    let expect = match path.rsplit_once('/') {
        Some((parent, _)) => format!("{parent}/Other"),
        None => "Other".to_owned(),
    };
    assert_eq!(
        commands(&fixture),
        [Command::RenameMailbox {
            mailbox,
            path: expect
        }]
    );
}

#[test]
fn deleting_a_mailbox_tells_what_goes_and_asks() {
    let fixture = Fixture::full();
    let mut window = Window::open(&fixture);
    let (mailbox, name) = window.ordinary();
    window.ask(mailbox);
    window.press(&t!("mailbox-act-delete"));
    assert!(window.shows(&t!("mailbox-delete-title", name = name.as_str())));
    assert!(commands(&fixture).is_empty(), "only asked");
    window.press(&t!("cancel"));
    assert!(commands(&fixture).is_empty());
    window.ask(mailbox);
    window.press(&t!("mailbox-act-delete"));
    window.press(&t!("mailbox-delete-confirm"));
    let expect = Command::DeleteMailbox {
        mailbox,
        with_messages: true,
    };
    assert_eq!(commands(&fixture), [expect]);
}

#[test]
fn the_palette_makes_a_mailbox_too() {
    let mut window = Window::open(&Fixture::full());
    window.key(Wish::NewMailbox);
    assert!(matches!(window.app.sheet, Some(Sheet::Mailbox(_))));
    assert!(window.shows(&t!("mailbox-new-title")));
}

#[test]
fn what_stayed_marked_on_the_server_is_removed_from_the_list_of_problems() {
    let fixture = Fixture::full();
    let mut window = Window::open(&fixture);
    let (mailbox, _) = window.ordinary();
    let account = window.app.directory.mailbox(mailbox).expect("there").account;
    let problem = Problem {
        account: Some(account),
        mailbox: Some(mailbox),
        class: ErrorClass::Limited,
        since: NOW,
        detail: "3 messages stay there, marked as deleted, one of them by another program".into(),
        remedies: vec![Remedy::ExpungeMailbox],
    };
    window.send(Message::ProblemsLoaded(Ok(vec![problem])));
    let task = window.app.perform(Action::ShowProblems);
    window.add(task);
    window.settle();
    assert!(window.shows("3 messages stay there, marked as deleted, one of them by another program"));
    assert!(commands(&fixture).is_empty(), "only told");
    window.press(&t!("remedy-expunge-mailbox"));
    let expect = Command::ExpungeMailbox {
        mailbox,
        with_others: true,
    };
    assert_eq!(commands(&fixture), [expect]);
}
