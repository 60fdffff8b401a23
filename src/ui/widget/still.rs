//! What lies under a dialog: it hears no key and takes no focus, and goes on as before when the dialog closes.

use iced::advanced::layout::{self, Layout};
use iced::advanced::renderer;
use iced::advanced::widget::operation::{Focusable, Scrollable, TextInput};
use iced::advanced::widget::{Id, Operation, Tree};
use iced::advanced::{Clipboard, Shell, Widget, overlay};
use iced::{Element, Event, Length, Rectangle, Renderer, Size, Theme, Vector, keyboard, mouse};

/// See the module.
pub struct Still<'a, Message> {
    content: Element<'a, Message>,
    still: bool,
}

/// `still`: something lies over it now.
pub fn still<'a, Message>(content: impl Into<Element<'a, Message>>, still: bool) -> Still<'a, Message> {
    Still {
        content: content.into(),
        still,
    }
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

impl<Message> Widget<Message, Theme, Renderer> for Still<'_, Message> {
    fn children(&self) -> Vec<Tree> {
        vec![Tree::new(&self.content)]
    }

    fn diff(&self, tree: &mut Tree) {
        tree.diff_children(std::slice::from_ref(&self.content));
    }

    fn size(&self) -> Size<Length> {
        self.content.as_widget().size()
    }

    fn layout(&mut self, tree: &mut Tree, renderer: &Renderer, limits: &layout::Limits) -> layout::Node {
        match tree.children.first_mut() {
            Some(child) => {
                let node = self.content.as_widget_mut().layout(child, renderer, limits);
                layout::Node::with_children(node.size(), vec![node])
            }
            None => layout::Node::new(Size::ZERO),
        }
    }

    fn operate(
        &mut self,
        tree: &mut Tree,
        layout: Layout<'_>,
        renderer: &Renderer,
        operation: &mut dyn Operation,
    ) {
        if let (Some(child), Some(layout)) = (tree.children.first_mut(), layout.children().next()) {
            let content = self.content.as_widget_mut();
            if self.still {
                content.operate(child, layout, renderer, &mut NoFocus(operation));
            } else {
                content.operate(child, layout, renderer, operation);
            }
        }
    }

    fn update(
        &mut self,
        tree: &mut Tree,
        event: &Event,
        layout: Layout<'_>,
        cursor: mouse::Cursor,
        renderer: &Renderer,
        clipboard: &mut dyn Clipboard,
        shell: &mut Shell<'_, Message>,
        viewport: &Rectangle,
    ) {
        if self.still && is_key(event) {
            return;
        }
        if let (Some(child), Some(layout)) = (tree.children.first_mut(), layout.children().next()) {
            self.content
                .as_widget_mut()
                .update(child, event, layout, cursor, renderer, clipboard, shell, viewport);
        }
    }

    fn draw(
        &self,
        tree: &Tree,
        renderer: &mut Renderer,
        theme: &Theme,
        style: &renderer::Style,
        layout: Layout<'_>,
        cursor: mouse::Cursor,
        viewport: &Rectangle,
    ) {
        if let (Some(child), Some(layout)) = (tree.children.first(), layout.children().next()) {
            self.content
                .as_widget()
                .draw(child, renderer, theme, style, layout, cursor, viewport);
        }
    }

    fn mouse_interaction(
        &self,
        tree: &Tree,
        layout: Layout<'_>,
        cursor: mouse::Cursor,
        viewport: &Rectangle,
        renderer: &Renderer,
    ) -> mouse::Interaction {
        match (tree.children.first(), layout.children().next()) {
            (Some(child), Some(layout)) => self
                .content
                .as_widget()
                .mouse_interaction(child, layout, cursor, viewport, renderer),
            _ => mouse::Interaction::default(),
        }
    }

    fn overlay<'b>(
        &'b mut self,
        tree: &'b mut Tree,
        layout: Layout<'b>,
        renderer: &Renderer,
        viewport: &Rectangle,
        translation: Vector,
    ) -> Option<overlay::Element<'b, Message, Theme, Renderer>> {
        self.content.as_widget_mut().overlay(
            tree.children.first_mut()?,
            layout.children().next()?,
            renderer,
            viewport,
            translation,
        )
    }
}

impl<'a, Message: 'a> From<Still<'a, Message>> for Element<'a, Message> {
    fn from(witness: Still<'a, Message>) -> Self {
        Element::new(witness)
    }
}

#[cfg(test)]
mod tests {
    use iced::keyboard::Modifiers;

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
