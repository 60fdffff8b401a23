//! Notes how far the scrollable around it is scrolled, without a message and without building the window anew.

use std::sync::Arc;
use std::sync::atomic::{AtomicU32, Ordering};

use iced::advanced::layout::{self, Layout};
use iced::advanced::renderer;
use iced::advanced::widget::{Operation, Tree};
use iced::advanced::{Clipboard, Shell, Widget, overlay};
use iced::{Element, Event, Length, Rectangle, Renderer, Size, Theme, Vector, mouse, window};

/// A place, in pixels from the top.
#[derive(Clone, Debug, Default)]
pub struct Place(Arc<AtomicU32>);

impl Place {
    #[must_use]
    pub fn get(&self) -> f32 {
        f32::from_bits(self.0.load(Ordering::Relaxed))
    }

    fn set(&self, to: f32) {
        self.0.store(to.to_bits(), Ordering::Relaxed);
    }
}

/// See the module.
pub struct Witness<'a, Message> {
    content: Element<'a, Message>,
    place: Place,
}

/// Everything within a scrollable, and where to note the place.
pub fn witness<'a, Message>(content: impl Into<Element<'a, Message>>, place: Place) -> Witness<'a, Message> {
    Witness {
        content: content.into(),
        place,
    }
}

impl<Message> Widget<Message, Theme, Renderer> for Witness<'_, Message> {
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
            self.content
                .as_widget_mut()
                .operate(child, layout, renderer, operation);
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
        if let Event::Window(window::Event::RedrawRequested(_)) = event {
            self.place.set(viewport.y - layout.bounds().y);
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

impl<'a, Message: 'a> From<Witness<'a, Message>> for Element<'a, Message> {
    fn from(witness: Witness<'a, Message>) -> Self {
        Element::new(witness)
    }
}
