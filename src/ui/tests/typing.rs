//! Single letters never act while someone types, through the real widgets.

use iced::event::Status;
use iced::keyboard::Modifiers;
use iced_test::simulator::typewrite;

use super::Window;
use crate::fixture::Fixture;
use crate::screen::{compose, mail};
use crate::shortcut::{KeyPress, Keys, Wish};

const LETTERS: &str = "jkxcrafe#!usvz/gigsgd?";

/// Types into a field and lets the keys go the way that the window sends them.
fn wishes(window: &Window, field: &'static str) -> Vec<Wish> {
    let mut ui = window.ui();
    ui.click(iced_test::selector::id(field)).unwrap();
    let events: Vec<_> = typewrite(LETTERS).collect();
    let statuses = ui.simulate(events.clone());
    let mut keys = Keys::default();
    events
        .into_iter()
        .zip(statuses)
        .filter_map(|(event, status)| match event {
            iced::Event::Keyboard(iced::keyboard::Event::KeyPressed {
                modified_key,
                physical_key,
                ..
            }) => keys.read(&KeyPress {
                key: modified_key,
                physical: physical_key,
                modifiers: Modifiers::empty(),
                taken: status == Status::Captured,
            }),
            _ => None,
        })
        .collect()
}

#[test]
fn letters_in_the_search_box_are_text() {
    let window = Window::open(&Fixture::full());
    assert_eq!(wishes(&window, mail::SEARCH), []);
}

#[test]
fn letters_in_the_composer_are_text() {
    let mut window = Window::open(&Fixture::full());
    window.key(Wish::Compose);
    for field in [compose::TO, "compose-subject", compose::BODY] {
        assert_eq!(wishes(&window, field), [], "{field}");
    }
}

#[test]
fn the_same_letters_act_on_the_list() {
    let window = Window::open(&Fixture::full());
    let found = wishes(&window, mail::LIST);
    assert!(
        found.contains(&Wish::Next) && found.contains(&Wish::GoDrafts),
        "{found:?}"
    );
    assert_eq!(found.len(), LETTERS.len() - 3);
}
