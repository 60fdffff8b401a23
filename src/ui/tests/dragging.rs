//! What can be dragged out of the window, and what not.

use iced::{Event, Point, mouse};
use posthorn_model::{MessageId, Part};

use super::*;
use crate::app::{Action, Message};
use crate::screen::mail::{self, reader};
use crate::widget::ListEvent;

const NEWEST: &str = "Re: Sunday walk along the estuary";

fn chosen(window: &Window) -> MessageId {
    window.app.mail.reader.current.as_ref().unwrap().message
}

/// Takes what stands there and moves the pointer away with it, without letting go.
fn drag(window: &Window, label: &str) -> Vec<Message> {
    let mut ui = window.ui();
    let from = ui.find(label).unwrap().visible_bounds().unwrap().center();
    ui.point_at(from);
    let moved = |by: f32| {
        Event::Mouse(mouse::Event::CursorMoved {
            position: Point::new(from.x + by, from.y),
        })
    };
    ui.simulate([Event::Mouse(mouse::Event::ButtonPressed(mouse::Button::Left))]);
    for by in [2.0, 20.0, 40.0] {
        ui.point_at(Point::new(from.x + by, from.y));
        ui.simulate([moved(by)]);
    }
    ui.into_messages().collect()
}

#[test]
fn what_is_held_and_moved_is_dragged_where_the_display_lets_it() {
    let mut window = Window::open(&Fixture::full());
    window.press(NEWEST);
    let files = |messages: Vec<Message>| {
        let dragged = messages.into_iter().filter(|message| {
            matches!(
                message,
                Message::Mail(mail::Message::Reader(reader::Message::PartDragged(..)))
            )
        });
        dragged.count()
    };
    let rows = |messages: Vec<Message>| {
        let dragged = messages.into_iter().filter(|message| {
            matches!(
                message,
                Message::Mail(mail::Message::Listed(ListEvent::Dragged { .. }))
            )
        });
        dragged.count()
    };
    for (place, expect) in [(None, 0), (Some(7), 1), (None, 0)] {
        window.send(Message::Placed(place));
        assert_eq!(files(drag(&window, "estuary-map.pdf")), expect, "{place:?}");
        assert_eq!(rows(drag(&window, NEWEST)), expect, "{place:?}");
    }
}

#[test]
fn a_file_that_could_do_harm_is_asked_about_instead() {
    let mut window = Window::open(&Fixture::full());
    window.press(NEWEST);
    let id = chosen(&window);
    let part = |index: u32, name: &str| Part {
        index,
        content_type: "application/octet-stream".into(),
        name: Some(name.into()),
        size: 10,
        content_id: None,
        inline: false,
    };
    let mut dragged = |part: Part| {
        let reader = &mut window.app.mail.reader;
        reader.update(reader::Message::PartDragged(id, part))
    };
    assert!(matches!(
        dragged(part(98, "notes.txt")).as_slice(),
        [Action::DragPart(_)]
    ));
    assert!(matches!(
        dragged(part(99, "setup.exe")).as_slice(),
        [Action::AskOpen(..)]
    ));
}
