//! An account and its server: the forecast follows the policy, and nothing that deletes is taken up unasked.

use posthorn_engine::Command;
use posthorn_model::{AccountId, Appearance, LeaveOnServer, SecretPlace};

use super::Window;
use crate::app::{Action, Message, Screen};
use crate::fixture::Fixture;
use crate::screen::account::{AccountPage, Edit, Leave, Message as Page, Tab};
use crate::screen::{mail, sheet};
use crate::shortcut::Wish;
use crate::t;

const CLUB: AccountId = AccountId(2);

fn page(window: &Window) -> &AccountPage {
    match &window.app.screen {
        Screen::Account(page) => page,
        other => panic!("another screen: {other:?}"),
    }
}

/// Opens the page of an account; its forecast is made on another thread.
fn open(fixture: &Fixture, id: AccountId) -> Window {
    let mut window = Window::open(fixture);
    window.send(Message::Mail(mail::Message::ServerPressed(id)));
    if id == CLUB {
        settled(&mut window);
    }
    window
}

/// Waits until the forecast is of the policy in the draft.
fn settled(window: &mut Window) {
    window.until("the forecast of the draft", |app| match &app.screen {
        Screen::Account(page) => {
            let wanted = page.draft.policy().ok();
            page.outlook.as_ref().map(|outlook| outlook.policy) == wanted
        }
        _ => false,
    });
}

fn edit(window: &mut Window, edit: Edit) {
    window.send(Message::Account(Page::Edited(edit)));
    settled(window);
}

fn leave_of(fixture: &Fixture) -> LeaveOnServer {
    let state = fixture.lock();
    let account = state.accounts.iter().find(|account| account.id == CLUB);
    account.expect("the club's account").config.pop3.leave
}

fn leaving(window: &Window) -> u64 {
    let outlook = page(window).outlook.as_ref().expect("a forecast");
    outlook.forecast.totals.leave_next.messages
}

#[test]
fn the_table_follows_the_policy_at_once() {
    let fixture = Fixture::full();
    let mut window = open(&fixture, CLUB);
    assert!(window.shows(&t!("leave-title")));
    assert!(window.shows("Thunderbird") && window.shows("Evolution") && window.shows("KMail"));
    edit(&mut window, Edit::Leave(Leave::Forever));
    assert_eq!(leaving(&window), 0);
    assert!(window.shows(&t!("account-leaves-none")));
    assert!(window.shows(&t!("account-line-stays")));
    window.press(&t!("leave-never"));
    settled(&mut window);
    let all = page(&window)
        .outlook
        .as_ref()
        .expect("a forecast")
        .forecast
        .totals
        .on_server
        .messages;
    assert!(all > 0);
    assert_eq!(leaving(&window), all);
    assert!(window.shows(&t!("account-line-next")));
    edit(&mut window, Edit::Days("3".into()));
    let some = leaving(&window);
    edit(&mut window, Edit::Days("60".into()));
    assert!(leaving(&window) < some.max(1));
}

#[test]
fn a_policy_that_deletes_is_asked_about_with_its_numbers() {
    let fixture = Fixture::full();
    let mut window = open(&fixture, CLUB);
    let before = leave_of(&fixture);
    edit(&mut window, Edit::Leave(Leave::Never));
    window.press(&t!("settings-save"));
    let question = page(&window).question.expect("a question");
    assert_eq!(question.next.messages, leaving(&window));
    assert_eq!(
        leave_of(&fixture),
        before,
        "nothing is taken up before the answer"
    );
    assert!(window.shows(&t!("account-ask-kept")));
    window.press(&t!("cancel"));
    assert_eq!(leave_of(&fixture), before);
    window.press(&t!("settings-save"));
    window.press(&t!("account-ask-save"));
    assert_eq!(leave_of(&fixture), LeaveOnServer::Never);
    assert!(page(&window).question.is_none() && !page(&window).draft.is_changed());
    // What deletes nothing is not asked about.
    edit(&mut window, Edit::Leave(Leave::Forever));
    window.press(&t!("settings-save"));
    assert_eq!(leave_of(&fixture), LeaveOnServer::Forever);
    assert!(window.shows(&t!("settings-saved")));
}

#[test]
fn what_was_deleted_stands_in_its_own_list_and_checking_is_one_press() {
    let fixture = Fixture::full();
    let mut window = open(&fixture, CLUB);
    window.send(Message::Account(Page::TabPicked(Tab::Deleted)));
    let outlook = page(&window).outlook.clone().expect("a forecast");
    assert!(!outlook.deleted.is_empty() && !window.shows(&t!("account-nothing-deleted")));
    window.press(&t!("account-check"));
    let commands = fixture.lock().commands.clone();
    assert!(commands.contains(&Command::CheckNow(vec![CLUB])), "{commands:?}");
    window.key(Wish::Back);
    assert!(matches!(window.app.screen, Screen::Mail));
}

#[test]
fn a_sudden_disappearance_is_explained_and_waits_for_the_reader() {
    let fixture = Fixture::full();
    fixture.lock().vanished = true;
    let mut window = open(&fixture, CLUB);
    edit(&mut window, Edit::Leave(Leave::Never));
    let forecast = page(&window)
        .outlook
        .as_ref()
        .expect("a forecast")
        .forecast
        .clone();
    assert!(forecast.suspicion.is_some());
    assert_eq!((forecast.totals.leave_next.messages, leaving(&window)), (0, 0));
    window.press(&t!("account-go-on"));
    let commands = fixture.lock().commands.clone();
    assert!(
        commands.contains(&Command::AcceptDisappearance(CLUB)),
        "{commands:?}"
    );
}

#[test]
fn programs_that_keep_everything_share_a_sentence() {
    let fixture = Fixture::full();
    let mut window = open(&fixture, CLUB);
    edit(&mut window, Edit::Leave(Leave::Forever));
    let sentence = t!(
        "others-keep-all",
        programs = t!("list-and", some = "Thunderbird, Evolution", last = "KMail")
    );
    assert!(window.shows(&sentence) && !window.shows(&t!("others-title")));
    edit(&mut window, Edit::Leave(Leave::Never));
    assert!(!window.shows(&sentence) && window.shows(&t!("others-title")));
}

#[test]
fn an_imap_account_says_that_its_mail_is_the_servers() {
    let fixture = Fixture::full();
    let window = open(&fixture, AccountId(1));
    assert!(window.shows(&t!("account-imap-global")));
    assert!(window.shows(&t!("account-imap-no-backup")));
    assert!(!window.shows(&t!("leave-title")));
}

#[test]
fn the_sealed_file_is_a_choice_only_for_a_password_that_is_in_it() {
    let fixture = Fixture::full();
    for (place, expect) in [(SecretPlace::Keychain, false), (SecretPlace::File, true)] {
        fixture.lock().accounts[0].config.secrets = place;
        let mut window = Window::open(&fixture);
        let task = window.app.perform(Action::ShowSettings);
        window.add(task);
        window.settle();
        assert!(window.shows(&t!("setup-keychain")));
        assert_eq!(window.shows(&t!("setup-sealed")), expect, "{place:?}");
        // It stays one when another was picked.
        window.press(&t!("setup-session"));
        assert_eq!(window.shows(&t!("setup-sealed")), expect, "{place:?}");
    }
}

#[test]
fn the_chosen_look_is_kept() {
    let fixture = Fixture::full();
    let mut window = Window::open(&fixture);
    assert_eq!(window.app.appearance, Appearance::System);
    window.key(Wish::Settings);
    window.press(&t!("settings-window"));
    window.press(&t!("appearance-dark"));
    assert_eq!(window.app.appearance, Appearance::Dark);
    assert_eq!(Window::open(&fixture).app.appearance, Appearance::Dark);
}

#[test]
fn the_palette_changes_the_look_too() {
    let fixture = Fixture::full();
    let mut window = Window::open(&fixture);
    for (line, expect) in [
        (t!("look-dark"), Appearance::Dark),
        (t!("look-light"), Appearance::Light),
        (t!("look-system"), Appearance::System),
    ] {
        window.key(Wish::Palette);
        window.send(Message::Sheet(sheet::Message::Typed(line)));
        window.send(Message::Sheet(sheet::Message::Submitted));
        assert_eq!(window.app.appearance, expect);
        assert_eq!(Window::open(&fixture).app.appearance, expect);
        assert!(window.app.sheet.is_none());
    }
}
