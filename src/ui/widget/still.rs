//! What lies under a dialog: it hears no key and takes no focus, and goes on as before when the dialog closes.

use iced::advanced::widget::operation::{Focusable, Scrollable, TextInput};
use iced::advanced::widget::{Id, Operation};
use iced::{Element, Event, Rectangle, Vector, keyboard};

use super::frame::{Idea, around};

/// Something lies over it now, or not.
struct Still(bool);

/// See the module. `still`: something lies over it now.
pub fn still<'a, Message: 'a>(content: impl Into<Element<'a, Message>>, still: bool) -> Element<'a, Message> {
    around(Still(still), content.into())
}

/// Which modifiers are held is told all the same: they may be let go meanwhile.
const fn is_key(event: &Event) -> bool {
    matches!(
        event,
        Event::Keyboard(keyboard::Event::KeyPressed { .. } | keyboard::Event::KeyReleased { .. })
    )
}

/// An operation that finds nothing to give the focus to.
struct NoFocus<'a>(&'a mut dyn Operation);

impl Operation for NoFocus<'_> {
    fn traverse(&mut self, operate: &mut dyn FnMut(&mut dyn Operation)) {
        self.0.traverse(&mut |inner| operate(&mut NoFocus(inner)));
    }

    fn container(&mut self, id: Option<&Id>, bounds: Rectangle) {
        self.0.container(id, bounds);
    }

    fn scrollable(
        &mut self,
        id: Option<&Id>,
        bounds: Rectangle,
        content: Rectangle,
        translation: Vector,
        state: &mut dyn Scrollable,
    ) {
        self.0.scrollable(id, bounds, content, translation, state);
    }

    fn focusable(&mut self, _id: Option<&Id>, _bounds: Rectangle, _state: &mut dyn Focusable) {}

    fn text_input(&mut self, id: Option<&Id>, bounds: Rectangle, state: &mut dyn TextInput) {
        self.0.text_input(id, bounds, state);
    }

    fn text(&mut self, id: Option<&Id>, bounds: Rectangle, text: &str) {
        self.0.text(id, bounds, text);
    }

    fn custom(&mut self, id: Option<&Id>, bounds: Rectangle, state: &mut dyn std::any::Any) {
        self.0.custom(id, bounds, state);
    }
}

impl<Message> Idea<Message> for Still {
    type State = ();

    fn state(&self) {}

    fn operate(
        &self,
        (): &mut (),
        _bounds: Rectangle,
        operation: &mut dyn Operation,
        content: &mut dyn FnMut(&mut dyn Operation),
    ) {
        if self.0 {
            content(&mut NoFocus(operation));
        } else {
            content(operation);
        }
    }

    fn lets_through(&self, event: &Event) -> bool {
        !self.0 || !is_key(event)
    }
}

#[cfg(test)]
mod tests {
    use iced::keyboard::Modifiers;
    use iced::mouse;

    use super::*;

    #[derive(Default)]
    struct Count {
        focusable: usize,
        texts: usize,
    }

    impl Operation for Count {
        fn traverse(&mut self, operate: &mut dyn FnMut(&mut dyn Operation)) {
            operate(self);
        }

        fn focusable(&mut self, _: Option<&Id>, _: Rectangle, _: &mut dyn Focusable) {
            self.focusable += 1;
        }

        fn text(&mut self, _: Option<&Id>, _: Rectangle, _: &str) {
            self.texts += 1;
        }
    }

    struct Field;

    impl Focusable for Field {
        fn is_focused(&self) -> bool {
            false
        }

        fn focus(&mut self) {}

        fn unfocus(&mut self) {}
    }

    #[test]
    fn what_lies_under_a_dialog_takes_no_focus_and_hears_no_key() {
        let look = |operation: &mut dyn Operation| {
            operation.traverse(&mut |inner| {
                inner.focusable(None, Rectangle::default(), &mut Field);
                inner.text(None, Rectangle::default(), "text");
            });
        };
        let mut count = Count::default();
        look(&mut count);
        look(&mut NoFocus(&mut count));
        assert_eq!((count.focusable, count.texts), (1, 2));
        let modifiers = keyboard::Event::ModifiersChanged(Modifiers::SHIFT);
        assert!(!is_key(&Event::Keyboard(modifiers)));
        assert!(!is_key(&Event::Mouse(mouse::Event::CursorLeft)));
    }
}
