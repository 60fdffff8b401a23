//! A hairline between two panes that can be dragged.

use iced::advanced::layout;
use iced::advanced::renderer::Quad;
use iced::advanced::{Renderer as _, Shell};
use iced::{Background, Element, Event, Length, Rectangle, Size, mouse};

use super::frame::{At, Brush, Idea, alone};
use crate::theme;

/// How wide the part is that takes the pointer.
const GRIP: f32 = 7.0;

struct Splitter<'a, Message> {
    on_drag: Box<dyn Fn(f32) -> Message + 'a>,
}

/// `on_drag` hears by how many pixels the pointer moved to the right.
pub fn splitter<'a, Message: 'a>(on_drag: impl Fn(f32) -> Message + 'a) -> Element<'a, Message> {
    alone(Splitter {
        on_drag: Box::new(on_drag),
    })
}

#[derive(Debug, Default)]
pub(super) struct State {
    /// Where the pointer was, while dragging.
    at: Option<f32>,
    hovered: bool,
}

impl<Message> Idea<Message> for Splitter<'_, Message> {
    type State = State;

    fn state(&self) -> State {
        State::default()
    }

    fn size(&self, _content: Size<Length>) -> Size<Length> {
        Size::new(Length::Fixed(theme::HAIRLINE), Length::Fill)
    }

    fn layout(
        &self,
        _state: &mut State,
        limits: &layout::Limits,
        _content: &mut dyn FnMut(&layout::Limits) -> layout::Node,
    ) -> layout::Node {
        layout::atomic(limits, theme::HAIRLINE, Length::Fill)
    }

    fn update(&mut self, state: &mut State, event: &Event, at: At<'_>, shell: &mut Shell<'_, Message>) {
        let over = at.cursor.is_over(grip(at.bounds));
        match event {
            Event::Mouse(mouse::Event::ButtonPressed(mouse::Button::Left)) if over => {
                state.at = at.cursor.position().map(|point| point.x);
                shell.capture_event();
            }
            Event::Mouse(mouse::Event::ButtonReleased(mouse::Button::Left)) if state.at.is_some() => {
                state.at = None;
                shell.capture_event();
            }
            Event::Mouse(mouse::Event::CursorMoved { .. }) => {
                if let (Some(from), Some(now)) = (state.at, at.cursor.position()) {
                    state.at = Some(now.x);
                    shell.publish((self.on_drag)(now.x - from));
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
        state: &State,
        brush: &mut Brush<'_>,
        at: At<'_>,
        _content: &mut dyn FnMut(&mut Brush<'_>),
    ) {
        let t = theme::tokens(brush.theme);
        brush.renderer.fill_quad(
            Quad {
                bounds: at.bounds,
                ..Quad::default()
            },
            Background::Color(if state.hovered { t.border } else { t.hairline }),
        );
    }

    fn pointer(&self, state: &State, at: At<'_>) -> Option<mouse::Interaction> {
        let over = state.at.is_some() || at.cursor.is_over(grip(at.bounds));
        over.then_some(mouse::Interaction::ResizingHorizontally)
    }
}

fn grip(bounds: Rectangle) -> Rectangle {
    Rectangle {
        x: bounds.x - (GRIP - bounds.width) / 2.0,
        width: GRIP,
        ..bounds
    }
}
