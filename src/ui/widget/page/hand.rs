//! A page under the mouse and the keyboard.

use iced::advanced::Shell;
use iced::advanced::mouse::click::{Click, Kind};
use iced::keyboard::key::{Key, Named};
use iced::time::Instant;
use iced::{Point, Rectangle, keyboard, mouse};
use posthorn_html::page::Grain;

use super::{Drag, PageEvent, PageView, State, links};

/// A press that moves less than this is a click.
const SLIP: f32 = 3.0;
/// How fast the view follows, in pixels a second: for each pixel beyond its edge, at least, and at most.
const FOLLOW: (f32, f32, f32) = (12.0, 90.0, 2400.0);

/// How far a height lies above (negative) or below what is in view.
fn beyond(y: f32, viewport: &Rectangle) -> f32 {
    (y - viewport.y).min(0.0) + (y - viewport.y - viewport.height).max(0.0)
}

impl<Message> PageView<'_, Message> {
    pub(super) fn mouse(
        &self,
        state: &mut State,
        event: &mouse::Event,
        bounds: Rectangle,
        cursor: mouse::Cursor,
        viewport: &Rectangle,
        shell: &mut Shell<'_, Message>,
    ) {
        if self.shown.is_none() {
            return;
        }
        let over = cursor.position_over(bounds).filter(|at| viewport.contains(*at));
        match event {
            mouse::Event::CursorMoved { .. } | mouse::Event::CursorLeft => {
                self.hover(state, bounds, over, shell);
                if let Some(at) = cursor.land().position() {
                    self.drag(state, bounds, at, shell);
                    if state.dragging.is_some() && beyond(at.y, viewport) != 0.0 {
                        shell.request_redraw();
                    }
                }
            }
            mouse::Event::ButtonPressed(mouse::Button::Left) => {
                self.leave_link(state, shell);
                state.focused = false;
                state.active = over.is_some();
                if let Some(at) = over {
                    self.pressed(state, bounds, at, shell);
                }
            }
            mouse::Event::ButtonReleased(mouse::Button::Left) => self.released(state, over, bounds, shell),
            mouse::Event::ButtonPressed(mouse::Button::Right) => {
                if let Some(at) = over {
                    let link = self.link_at(state, bounds, at);
                    shell.publish((self.on_event)(PageEvent::Context { link }));
                    shell.capture_event();
                }
            }
            mouse::Event::WheelScrolled { delta } if over.is_some() => self.pan(state, bounds, *delta, shell),
            _ => {}
        }
    }

    fn hover(
        &self,
        state: &mut State,
        bounds: Rectangle,
        over: Option<Point>,
        shell: &mut Shell<'_, Message>,
    ) {
        let hovered = over.and_then(|at| self.link_at(state, bounds, at));
        if hovered != state.hovered {
            state.hovered = hovered;
            shell.publish((self.on_event)(PageEvent::Hovered(hovered)));
            shell.request_redraw();
        }
    }

    fn pressed(&self, state: &mut State, bounds: Rectangle, at: Point, shell: &mut Shell<'_, Message>) {
        let Some(point) = self.to_page(state, bounds, at) else {
            return;
        };
        let click = Click::new(at, mouse::Button::Left, state.click);
        state.click = Some(click);
        let extends = state.modifiers.shift();
        let grain = match click.kind() {
            Kind::Single => Grain::Character,
            Kind::Double => Grain::Word,
            Kind::Triple => Grain::Line,
        };
        let from = match state.anchor {
            Some(anchor) if extends => anchor,
            _ => point,
        };
        state.anchor = Some(from);
        state.reach = Some(point);
        state.dragging = Some(Drag {
            from,
            grain,
            moved: extends || grain != Grain::Character,
        });
        if extends || grain != Grain::Character {
            shell.publish((self.on_event)(PageEvent::Marking {
                from,
                to: point,
                grain,
            }));
        }
        shell.capture_event();
    }

    fn drag(&self, state: &mut State, bounds: Rectangle, at: Point, shell: &mut Shell<'_, Message>) {
        let Some(drag) = state.dragging else { return };
        let Some(to) = self.to_page(state, bounds, at) else {
            return;
        };
        let apart = (to.x - drag.from.x).abs().max((to.y - drag.from.y).abs());
        if drag.moved || apart > SLIP {
            state.dragging = Some(Drag { moved: true, ..drag });
            state.reach = Some(to);
            shell.publish((self.on_event)(PageEvent::Marking {
                from: drag.from,
                to,
                grain: drag.grain,
            }));
        }
    }

    fn released(
        &self,
        state: &mut State,
        over: Option<Point>,
        bounds: Rectangle,
        shell: &mut Shell<'_, Message>,
    ) {
        let Some(drag) = state.dragging.take() else { return };
        if drag.moved {
            return;
        }
        let link = over.and_then(|at| self.link_at(state, bounds, at));
        shell.publish((self.on_event)(
            link.map_or(PageEvent::Unmarked, PageEvent::LinkPressed),
        ));
    }

    /// While text is marked with the pointer beyond the view's edge, the view follows, the faster the farther out,
    /// and the mark goes on to where the pointer is then.
    pub(super) fn follow(
        &self,
        state: &mut State,
        bounds: Rectangle,
        cursor: mouse::Cursor,
        viewport: &Rectangle,
        now: Instant,
        shell: &mut Shell<'_, Message>,
    ) {
        let at = cursor.land().position();
        let beyond = at.map_or(0.0, |at| beyond(at.y, viewport));
        let moved = state.dragging.is_some_and(|drag| drag.moved);
        let (Some(at), true) = (at, moved && beyond != 0.0) else {
            state.followed = None;
            return;
        };
        if let Some(before) = state.followed.replace(now) {
            // A frame that took long is no reason to leap.
            let seconds = now.duration_since(before).as_secs_f32().min(0.1);
            let (per_pixel, least, most) = FOLLOW;
            let speed = (beyond.abs() * per_pixel).clamp(least, most);
            shell.publish((self.on_event)(PageEvent::Scrolled(
                speed.copysign(beyond) * seconds,
            )));
            self.drag(state, bounds, at, shell);
        }
        shell.request_redraw();
    }

    /// Moves a page that is too wide to the side: a wheel that turns sideways, or with Shift.
    fn pan(
        &self,
        state: &mut State,
        bounds: Rectangle,
        delta: mouse::ScrollDelta,
        shell: &mut Shell<'_, Message>,
    ) {
        let Some(shown) = self.shown else { return };
        let most = shown.grid.too_wide(shown.page.width, bounds.width);
        let (x, y) = match delta {
            mouse::ScrollDelta::Lines { x, y } => (x * 60.0, y * 60.0),
            mouse::ScrollDelta::Pixels { x, y } => (x, y),
        };
        let by = if state.modifiers.shift() && x == 0.0 { y } else { x };
        if most > 0.0 && by != 0.0 {
            state.pan = (state.pan - by).clamp(0.0, most);
            shell.capture_event();
            shell.request_redraw();
        }
    }

    /// With the focus: Shift and an arrow mark further, by words and lines.
    pub(super) fn key(
        &self,
        state: &mut State,
        key: &Key,
        modifiers: keyboard::Modifiers,
        shell: &mut Shell<'_, Message>,
    ) {
        const LINE: f32 = 22.0;
        const WORD: f32 = 40.0;
        links::note_way(state, key, modifiers);
        if state.focused && self.key_on_links(state, key, modifiers, shell) {
            return;
        }
        if self.shown.is_none() || !modifiers.shift() {
            return;
        }
        let step = match key {
            Key::Named(Named::ArrowDown) => (0.0, LINE),
            Key::Named(Named::ArrowUp) => (0.0, -LINE),
            Key::Named(Named::ArrowRight) => (WORD, 0.0),
            Key::Named(Named::ArrowLeft) => (-WORD, 0.0),
            _ => return,
        };
        let from = *state.anchor.get_or_insert(Point::new(0.0, 0.0));
        let reach = state.reach.get_or_insert(from);
        reach.x = (reach.x + step.0).max(0.0);
        reach.y = (reach.y + step.1).max(0.0);
        let to = *reach;
        shell.publish((self.on_event)(PageEvent::Marking {
            from,
            to,
            grain: Grain::Word,
        }));
        shell.capture_event();
    }
}
