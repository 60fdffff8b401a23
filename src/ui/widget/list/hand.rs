//! The pointer in a list: wheel, clicks, the scroll bar.

use iced::advanced::Shell;
use iced::advanced::mouse::click::{Click, Kind};
use iced::{Point, Rectangle, mouse};

use crate::widget::Drag;

use super::{BAR, Held, List, ListEvent, Rows, State};

/// What one notch of a wheel moves.
const NOTCH: f32 = 60.0;

impl<R: Rows, Message> List<'_, R, Message> {
    pub(super) fn pressed(
        &self,
        state: &mut State<R::Key>,
        button: mouse::Button,
        bounds: Rectangle,
        point: Point,
        shell: &mut Shell<'_, Message>,
    ) {
        if let Some(thumb) = self.thumb(state, bounds)
            && point.x >= bounds.x + bounds.width - BAR
        {
            let held = if thumb.contains(Point::new(thumb.x, point.y)) {
                point.y - thumb.y
            } else {
                thumb.height / 2.0
            };
            state.dragging = Some(held);
            self.drag(state, bounds, point, shell);
            shell.capture_event();
            return;
        }
        let Some((row, area)) = self.row_at(state, bounds, point) else {
            return;
        };
        let Some(key) = self.rows.key(row) else { return };
        shell.capture_event();
        if button == mouse::Button::Right {
            shell.publish((self.on_event)(ListEvent::Context { row, key, at: point }));
            return;
        }
        state.held = Some(Held::Pressed(key, point))
            .filter(|_| self.drag != Drag::Impossible && button == mouse::Button::Left);
        let click = Click::new(point, button, state.click);
        state.click = Some(click);
        if click.kind() == Kind::Double {
            shell.publish((self.on_event)(ListEvent::DoublePressed { key }));
        } else {
            shell.publish((self.on_event)(ListEvent::Pressed {
                row,
                key,
                at: Point::new(point.x - area.x, point.y - area.y),
                width: area.width,
                modifiers: state.modifiers,
            }));
        }
    }

    pub(super) fn drag(
        &self,
        state: &mut State<R::Key>,
        bounds: Rectangle,
        point: Point,
        shell: &mut Shell<'_, Message>,
    ) {
        let (Some(held), Some(thumb)) = (state.dragging, self.thumb(state, bounds)) else {
            return;
        };
        let track = bounds.height - thumb.height;
        let share = if track > 0.0 {
            (point.y - held - bounds.y) / track
        } else {
            0.0
        };
        state
            .place
            .jump(share, self.rows.total(), self.row_height, bounds.height);
        state.place.remember(&self.rows, self.row_height, state.height);
        self.ask(state, shell);
        shell.request_redraw();
    }

    /// The pointer has left the place where it took a row.
    fn drag_row(&self, state: &mut State<R::Key>, cursor: mouse::Cursor, shell: &mut Shell<'_, Message>) {
        if let (Some(Held::Pressed(key, from)), Some(now)) = (state.held, cursor.position())
            && crate::widget::is_dragged(from, now)
        {
            state.held = Some(Held::Dragged);
            shell.publish((self.on_event)(ListEvent::Dragged { key }));
        }
    }

    pub(super) fn mouse(
        &self,
        state: &mut State<R::Key>,
        event: &mouse::Event,
        bounds: Rectangle,
        cursor: mouse::Cursor,
        shell: &mut Shell<'_, Message>,
    ) {
        match event {
            mouse::Event::WheelScrolled { delta } if cursor.is_over(bounds) => {
                let pixels = match delta {
                    mouse::ScrollDelta::Lines { y, .. } => -y * NOTCH,
                    mouse::ScrollDelta::Pixels { y, .. } => -y,
                };
                self.scroll(state, pixels, shell);
                shell.capture_event();
            }
            mouse::Event::ButtonPressed(button) => {
                state.focused = false;
                if let Some(point) = cursor.position_over(bounds) {
                    self.pressed(state, *button, bounds, point, shell);
                }
            }
            mouse::Event::ButtonReleased(mouse::Button::Left) => {
                state.held = None;
                if state.dragging.take().is_some() {
                    shell.request_redraw();
                    shell.capture_event();
                }
            }
            mouse::Event::CursorMoved { .. } => {
                if state.dragging.is_some()
                    && let Some(point) = cursor.position()
                {
                    self.drag(state, bounds, point, shell);
                }
                self.drag_row(state, cursor, shell);
            }
            _ => {}
        }
        let hovered = cursor
            .position_over(bounds)
            .filter(|_| state.dragging.is_none())
            .and_then(|point| self.row_at(state, bounds, point))
            .map(|(row, _)| row);
        if hovered != state.hovered {
            state.hovered = hovered;
            shell.request_redraw();
        }
    }
}
