//! A hairline between two panes that can be dragged.

use iced::advanced::layout::{self, Layout};
use iced::advanced::renderer::{self, Quad};
use iced::advanced::widget::{Tree, tree};
use iced::advanced::{Clipboard, Renderer as _, Shell, Widget};
use iced::{Background, Element, Event, Length, Rectangle, Renderer, Size, Theme, mouse};

use crate::theme;

/// How wide the part is that takes the pointer.
const GRIP: f32 = 7.0;

struct Splitter<'a, Message> {
    on_drag: Box<dyn Fn(f32) -> Message + 'a>,
}

/// `on_drag` hears by how many pixels the pointer moved to the right.
pub fn splitter<'a, Message: 'a>(on_drag: impl Fn(f32) -> Message + 'a) -> Element<'a, Message> {
    Element::new(Splitter {
        on_drag: Box::new(on_drag),
    })
}

#[derive(Debug, Default)]
struct State {
    /// Where the pointer was, while dragging.
    at: Option<f32>,
    hovered: bool,
}

impl<Message> Widget<Message, Theme, Renderer> for Splitter<'_, Message> {
    fn tag(&self) -> tree::Tag {
        tree::Tag::of::<State>()
    }

    fn state(&self) -> tree::State {
        tree::State::new(State::default())
    }

    fn size(&self) -> Size<Length> {
        Size::new(Length::Fixed(theme::HAIRLINE), Length::Fill)
    }

    fn layout(&mut self, _tree: &mut Tree, _renderer: &Renderer, limits: &layout::Limits) -> layout::Node {
        layout::atomic(limits, theme::HAIRLINE, Length::Fill)
    }

    fn update(
        &mut self,
        tree: &mut Tree,
        event: &Event,
        layout: Layout<'_>,
        cursor: mouse::Cursor,
        _renderer: &Renderer,
        _clipboard: &mut dyn Clipboard,
        shell: &mut Shell<'_, Message>,
        _viewport: &Rectangle,
    ) {
        let state = tree.state.downcast_mut::<State>();
        let over = cursor.is_over(grip(layout.bounds()));
        match event {
            Event::Mouse(mouse::Event::ButtonPressed(mouse::Button::Left)) if over => {
                state.at = cursor.position().map(|point| point.x);
                shell.capture_event();
            }
            Event::Mouse(mouse::Event::ButtonReleased(mouse::Button::Left)) if state.at.is_some() => {
                state.at = None;
                shell.capture_event();
            }
            Event::Mouse(mouse::Event::CursorMoved { .. }) => {
                if let (Some(at), Some(now)) = (state.at, cursor.position()) {
                    state.at = Some(now.x);
                    shell.publish((self.on_drag)(now.x - at));
                    shell.capture_event();
                }
            }
            _ => {}
        }
        let hovered = over || state.at.is_some();
        if state.hovered != hovered {
            state.hovered = hovered;
            shell.request_redraw();
        }
    }

    fn draw(
        &self,
        tree: &Tree,
        renderer: &mut Renderer,
        theme: &Theme,
        _style: &renderer::Style,
        layout: Layout<'_>,
        _cursor: mouse::Cursor,
        _viewport: &Rectangle,
    ) {
        let t = theme::tokens(theme);
        let hovered = tree.state.downcast_ref::<State>().hovered;
        renderer.fill_quad(
            Quad {
                bounds: layout.bounds(),
                ..Quad::default()
            },
            Background::Color(if hovered { t.border } else { t.hairline }),
        );
    }

    fn mouse_interaction(
        &self,
        tree: &Tree,
        layout: Layout<'_>,
        cursor: mouse::Cursor,
        _viewport: &Rectangle,
        _renderer: &Renderer,
    ) -> mouse::Interaction {
        let dragging = tree.state.downcast_ref::<State>().at.is_some();
        if dragging || cursor.is_over(grip(layout.bounds())) {
            mouse::Interaction::ResizingHorizontally
        } else {
            mouse::Interaction::default()
        }
    }
}

fn grip(bounds: Rectangle) -> Rectangle {
    Rectangle {
        x: bounds.x - (GRIP - bounds.width) / 2.0,
        width: GRIP,
        ..bounds
    }
}
