//! What people do, from end to end.

use std::time::Duration;

use posthorn_engine::Command;
use posthorn_model::query::View;
use posthorn_model::{Flag, Protocol};

use super::Window;
use crate::app::Screen;
use crate::fixture::Fixture;
use crate::screen::compose::Saved;
use crate::screen::{compose, setup};
use crate::shortcut::Wish;
use crate::t;

const NEWEST: &str = "Re: Sunday walk along the estuary";

fn subject(window: &Window) -> String {
    window
        .app
        .mail
        .reader
        .current
        .as_ref()
        .map(|row| row.subject.clone())
        .unwrap_or_default()
}

#[test]
fn the_first_run_is_one_field_and_then_a_choice_of_equals() {
    let fixture = Fixture::empty();
    let mut window = Window::open(&fixture);
    assert!(window.shows(&t!("setup-welcome")));
    window.type_into(setup::ADDRESS, "ada@example.org");
    window.press(&t!("setup-continue"));
    assert!(window.shows("IMAP") && window.shows("POP3"));
    assert!(window.shows(&t!("setup-imap")) && window.shows(&t!("setup-pop3")));
    window.press("POP3");
    assert!(window.shows("pop.example.org") && window.shows("995"));
    assert!(window.shows(&t!("leave-title")));
    window.press(&t!("leave-until-removed"));
    window.press(&t!("setup-test-and-add"));
    assert!(window.shows(&t!("setup-no-password")));
    window.type_into(setup::form::PASSWORD, "secret");
    window.press(&t!("setup-test-and-add"));
    assert!(matches!(window.app.screen, Screen::Mail));
    let state = fixture.lock();
    let config = &state.accounts[0].config;
    assert_eq!(config.protocol, Protocol::Pop3);
    assert_eq!(config.pop3.leave.to_string(), "until-removed");
    drop(state);
    assert!(window.shows(&t!("empty-inbox")));
}

#[test]
fn a_refused_test_shows_the_servers_words_and_adds_nothing() {
    let fixture = Fixture::empty();
    fixture.lock().refuse_test = true;
    let mut window = Window::open(&fixture);
    window.type_into(setup::ADDRESS, "nobody");
    window.press(&t!("setup-continue"));
    assert!(window.shows(&t!("setup-bad-address")));
    window.type_into(setup::ADDRESS, "@example.org");
    window.press(&t!("setup-continue"));
    window.type_into(setup::form::PASSWORD, "wrong");
    window.press(&t!("setup-test-and-add"));
    assert!(
        window
            .shows("the server did not accept the user name and password (server said: invalid credentials)")
    );
    assert!(fixture.lock().accounts.is_empty());
    window.press(&t!("setup-add-anyway"));
    assert_eq!(fixture.lock().accounts.len(), 1);
}

#[test]
fn a_message_opens_and_counts_as_read_after_a_moment() {
    let fixture = Fixture::full();
    let mut window = Window::open(&fixture);
    window.press(NEWEST);
    assert_eq!(subject(&window), NEWEST);
    assert!(window.shows(&t!("reader-attachments", count = 2)));
    assert!(window.shows("estuary-map.pdf"));
    assert!(window.shows(&t!("lives-both-imap")));
    assert!(fixture.lock().commands.is_empty(), "not read yet");
    window.later(Duration::from_secs(2));
    let commands = fixture.lock().commands.clone();
    assert!(
        matches!(commands.as_slice(), [Command::Flag { change, .. }] if change.add.contains(Flag::Seen)),
        "{commands:?}"
    );
    window.later(Duration::from_secs(4));
    assert_eq!(fixture.lock().commands.len(), 1, "once only");
}

#[test]
fn the_conversation_has_ones_own_replies_folded() {
    let mut window = Window::open(&Fixture::full());
    window.press(NEWEST);
    // Ada's own answer stands among them, though it is in Sent.
    assert!(window.shows("Ada Berg"));
    assert!(!window.shows(&t!("lives-only-here")));
}

#[test]
fn deleting_takes_the_row_out_at_once_and_undo_brings_it_back() {
    let fixture = Fixture::full();
    let mut window = Window::open(&fixture);
    window.press(NEWEST);
    let before = window.app.mail.listing.total;
    window.key(Wish::Delete);
    assert_eq!(window.app.mail.listing.total, before - 1);
    assert!(window.shows(&t!("done-deleted", count = 1)));
    assert_ne!(subject(&window), NEWEST, "the next message is open");
    window.press(&t!("action-undo"));
    assert_eq!(window.app.mail.listing.total, before);
    assert!(window.shows(NEWEST));
    assert!(window.shows(&t!("done-undone")));
}

#[test]
fn deleting_from_the_trash_asks_first() {
    let fixture = Fixture::full();
    let mut window = Window::open(&fixture);
    window.press(NEWEST);
    window.key(Wish::Delete);
    window.press(&t!("mailbox-trash"));
    window.key(Wish::Next);
    window.key(Wish::Delete);
    assert!(window.shows(&t!("delete-title", count = 1)));
    let before = fixture.lock().commands.len();
    window.key(Wish::Back);
    assert_eq!(fixture.lock().commands.len(), before);
    window.key(Wish::Delete);
    window.press(&t!("delete-confirm"));
    assert!(matches!(fixture.lock().commands.last(), Some(Command::Delete(_))));
    assert!(window.shows(&t!("empty-trash")));
}

#[test]
fn several_messages_are_moved_by_type_ahead() {
    let fixture = Fixture::full();
    let mut window = Window::open(&fixture);
    window.key(Wish::Next);
    window.key(Wish::ExtendNext);
    assert!(window.shows(&t!("list-selected", count = 2)));
    window.key(Wish::Move);
    window.by_hand(|ui| {
        ui.click(iced_test::selector::id(crate::screen::sheet::FIELD))
            .unwrap();
        ui.typewrite("gard");
        ui.tap_key(iced::keyboard::key::Named::Enter);
    });
    assert!(window.shows(&t!("done-moved", count = 2, mailbox = "Garden")));
    window.press("Garden");
    assert_eq!(window.app.mail.listing.total, 2);
    assert!(matches!(window.app.mail.view, View::Mailbox(_)));
}

#[test]
fn new_mail_appears_and_leaves_the_reader_alone() {
    let fixture = Fixture::full();
    let mut window = Window::open(&fixture);
    window.press("Draft contract, second reading");
    fixture.deliver("Fresh from the press");
    window.settle();
    assert!(window.shows("Fresh from the press"));
    assert_eq!(subject(&window), "Draft contract, second reading");
}

#[test]
fn searching_lists_what_was_found_and_escape_goes_back() {
    let mut window = Window::open(&Fixture::full());
    window.type_into(crate::screen::mail::SEARCH, "contract");
    window.send(crate::app::Message::Mail(
        crate::screen::mail::Message::SearchSubmitted,
    ));
    assert_eq!(window.app.mail.listing.total, 1);
    window.key(Wish::Back);
    assert!(window.app.mail.listing.total > 1);
}

#[test]
fn a_reply_is_written_sent_and_can_be_taken_back() {
    let fixture = Fixture::full();
    let mut window = Window::open(&fixture);
    window.press(NEWEST);
    window.key(Wish::Reply);
    window.until("the composer", |app| app.composing.is_some());
    window.type_into(compose::BODY, "I will bring cake. ");
    window.key(Wish::Send);
    window.until("sent", |app| !app.sent.is_empty());
    {
        let state = fixture.lock();
        let raw = String::from_utf8_lossy(&state.sent[0].raw).into_owned();
        assert!(raw.contains("I will bring cake."), "{raw}");
        assert!(raw.contains("In-Reply-To:"), "{raw}");
        assert_eq!(state.sent[0].recipients, ["nora@example.org"]);
        assert!(state.sent[0].at.is_some(), "not before it can be taken back");
    }
    assert!(window.app.composing.is_none());
    window.press(&t!("action-undo"));
    assert!(fixture.lock().sent.is_empty());
    let composer = &window.app.composers[0];
    assert!(composer.body.text().contains("I will bring cake."));
    assert!(composer.is_dirty());
}

#[test]
fn a_message_to_nobody_is_not_sent() {
    let fixture = Fixture::full();
    let mut window = Window::open(&fixture);
    window.key(Wish::Compose);
    window.type_into(compose::BODY, "Hello");
    window.key(Wish::Send);
    assert!(window.shows(&t!("compose-no-recipient")));
    assert!(fixture.lock().sent.is_empty());
}

#[test]
fn what_is_written_is_kept_as_a_draft_and_goes_on() {
    let fixture = Fixture::full();
    let mut window = Window::open(&fixture);
    window.key(Wish::Compose);
    window.type_into(compose::TO, "nora@example.org");
    window.type_into("compose-subject", "Half a thought");
    window.later(Duration::from_secs(5));
    window.until("saved", |app| app.composers[0].saved == Saved::Yes);
    window.type_into(compose::BODY, "More.");
    window.key(Wish::Back);
    window.until("closed", |app| app.composers.is_empty());
    let drafts: Vec<_> = fixture
        .lock()
        .rows
        .iter()
        .filter(|row| row.subject == "Half a thought")
        .cloned()
        .collect();
    assert_eq!(drafts.len(), 1, "the later version replaced the earlier");
    window.key(Wish::GoDrafts);
    window.press("Half a thought");
    window.key(Wish::Open);
    window.until("the draft", |app| app.composing.is_some());
    assert!(window.app.composers[0].body.text().contains("More."));
    assert_eq!(window.app.composers[0].draft, Some(drafts[0].message));
}

#[test]
fn an_untouched_composer_leaves_no_draft() {
    let fixture = Fixture::full();
    let mut window = Window::open(&fixture);
    window.key(Wish::Compose);
    window.key(Wish::Back);
    assert!(window.app.composers.is_empty());
    assert!(fixture.lock().commands.is_empty());
}

#[test]
fn problems_are_a_list_with_a_button_for_each_remedy() {
    let fixture = Fixture::full();
    let mut window = Window::open(&fixture);
    fixture.trouble();
    window.settle();
    window.press(&t!("status-problems", count = 3));
    assert!(window.shows(&t!("remedy-enter-password")));
    assert!(window.shows(&t!("outbox-mark-sent")));
    window.press(&t!("remedy-review"));
    assert!(matches!(
        fixture.lock().commands.last(),
        Some(Command::AcceptDisappearance(_))
    ));
}

#[test]
fn removing_an_account_says_what_stays_on_the_server() {
    let fixture = Fixture::full();
    let mut window = Window::open(&fixture);
    window.send(crate::app::Message::Mail(
        crate::screen::mail::Message::SettingsPressed,
    ));
    window.press(&t!("remove-button"));
    assert!(window.shows(&t!("remove-imap", server = "imap.example.org")));
    window.press(&t!("cancel"));
    assert_eq!(fixture.lock().accounts.len(), 2);
    window.press(&t!("remove-button"));
    window.press(&t!("remove-confirm"));
    assert_eq!(fixture.lock().accounts.len(), 1);
}

#[test]
fn a_large_mailbox_is_walked_page_by_page() {
    let mut window = Window::open(&Fixture::many(3_000));
    window.key(Wish::Last);
    for _ in 0..40 {
        window.key(Wish::PageDown);
    }
    assert_eq!(window.app.mail.listing.total, 3_000);
    assert!(window.app.mail.listing.rows().count() <= 600);
}

#[test]
fn another_list_puts_the_message_away() {
    let mut window = Window::open(&Fixture::full());
    window.press(NEWEST);
    window.key(Wish::GoSent);
    assert!(window.app.mail.reader.current.is_none());
    assert!(window.shows(&t!("reader-empty")));
}
