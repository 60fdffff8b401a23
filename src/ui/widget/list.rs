//! A list of fixed row height that shows a million rows as cheaply as ten.
//!
//! It draws only the rows in view, straight from the owner's data, and keeps its own place as (row, pixels within the
//! row), since a plain offset grows too coarse beyond 300,000 rows. Scrolling sends no message and rebuilds no view.
//! Rows that are not loaded are drawn as skeletons and asked for. When rows come or go above the view, the row at the
//! top stays where it is: its key is looked up in the new data.

mod hand;
mod place;

pub use place::Place;

use std::fmt::Debug;

use iced::advanced::layout;
use iced::advanced::mouse::click::Click;
use iced::advanced::renderer::Quad;
use iced::advanced::widget::operation::Focusable;
use iced::advanced::widget::{Id, Operation};
use iced::advanced::{Renderer as _, Shell};
use iced::keyboard::Modifiers;
use iced::{
    Background, Border, Color, Element, Event, Length, Point, Rectangle, Renderer, Size, Theme, keyboard,
    mouse, window,
};

use crate::theme;
use crate::widget::Drag;
use crate::widget::frame::{At, Brush, Idea, alone};
use crate::widget::press::draw_focus;

/// The scroll bar's track.
const BAR: f32 = 10.0;
/// The scroll bar's thumb never gets smaller.
const THUMB: f32 = 28.0;

/// What the list shows. All of it in memory; nothing here may wait.
pub trait Rows {
    /// Identifies a row while others come and go.
    type Key: Copy + PartialEq + Debug + 'static;

    /// How many rows there are, loaded or not.
    fn total(&self) -> u64;
    /// The row's key; `None` where it is not loaded.
    fn key(&self, row: u64) -> Option<Self::Key>;
    /// Where the key is now; `None` where it is not loaded.
    fn find(&self, key: Self::Key) -> Option<u64>;
    /// Draws a row, or its skeleton where it is not loaded.
    fn draw(&self, row: u64, hovered: bool, bounds: Rectangle, renderer: &mut Renderer, theme: &Theme);
    /// Names the row's texts, for whatever reads the window instead of looking at it.
    fn read(&self, row: u64, bounds: Rectangle, text: &mut dyn FnMut(Rectangle, &str));
}

/// What happened in the list.
#[derive(Clone, Debug, PartialEq)]
pub enum ListEvent<K> {
    /// A click; `at` is within the row, `width` is the row's.
    Pressed {
        row: u64,
        key: K,
        at: Point,
        width: f32,
        modifiers: Modifiers,
    },
    DoublePressed {
        key: K,
    },
    /// Held and moved away.
    Dragged {
        key: K,
    },
    /// The other button; `at` is within the window.
    Context {
        row: u64,
        key: K,
        at: Point,
    },
    /// These rows are in view and not loaded (the last is exclusive).
    Needed {
        first: u64,
        last: u64,
    },
}

/// See the module.
pub struct List<'a, R: Rows, Message> {
    rows: R,
    row_height: f32,
    id: Option<Id>,
    /// Changes whenever the list shows something else altogether: back to the top.
    subject: u64,
    /// A row to bring into view, once for each serial number.
    reveal: Option<(u64, u64)>,
    drag: Drag,
    on_event: Box<dyn Fn(ListEvent<R::Key>) -> Message + 'a>,
}

#[derive(Debug)]
pub(super) struct State<K> {
    place: Place<K>,
    subject: u64,
    revealed: u64,
    height: f32,
    hovered: Option<u64>,
    /// Where on the thumb it was taken.
    dragging: Option<f32>,
    click: Option<Click>,
    held: Option<Held<K>>,
    modifiers: Modifiers,
    focused: bool,
    asked: Option<(u64, u64)>,
}

/// A row with the pointer's button down on it.
#[derive(Clone, Copy, Debug)]
enum Held<K> {
    /// Since the pointer was here.
    Pressed(K, Point),
    /// It is on its way elsewhere.
    Dragged,
}

impl<K> Focusable for State<K> {
    fn is_focused(&self) -> bool {
        self.focused
    }

    fn focus(&mut self) {
        self.focused = true;
    }

    fn unfocus(&mut self) {
        self.focused = false;
    }
}

impl<'a, R: Rows, Message> List<'a, R, Message> {
    pub fn new(
        rows: R,
        row_height: f32,
        subject: u64,
        on_event: impl Fn(ListEvent<R::Key>) -> Message + 'a,
    ) -> Self {
        Self {
            rows,
            row_height,
            id: None,
            subject,
            reveal: None,
            drag: Drag::Impossible,
            on_event: Box::new(on_event),
        }
    }

    #[must_use]
    pub fn id(mut self, id: impl Into<Id>) -> Self {
        self.id = Some(id.into());
        self
    }

    /// Brings a row into view; again only when `serial` changes.
    #[must_use]
    pub fn reveal(mut self, row: Option<u64>, serial: u64) -> Self {
        self.reveal = row.map(|row| (row, serial));
        self
    }

    /// Whether rows can be dragged away.
    #[must_use]
    pub const fn drags(mut self, drag: Drag) -> Self {
        self.drag = drag;
        self
    }

    fn row_at(&self, state: &State<R::Key>, bounds: Rectangle, point: Point) -> Option<(u64, Rectangle)> {
        let (row, top) = state.place.row_at(point.y - bounds.y, self.row_height);
        (row < self.rows.total()).then(|| (row, self.row_bounds(bounds, top)))
    }

    fn row_bounds(&self, bounds: Rectangle, top: f32) -> Rectangle {
        Rectangle {
            x: bounds.x,
            y: bounds.y + top,
            width: bounds.width,
            height: self.row_height,
        }
    }

    fn thumb(&self, state: &State<R::Key>, bounds: Rectangle) -> Option<Rectangle> {
        let (start, length) = state
            .place
            .thumb(self.rows.total(), self.row_height, bounds.height, THUMB)?;
        Some(Rectangle {
            x: bounds.x + bounds.width - BAR + 2.0,
            y: bounds.y + start,
            width: BAR - 4.0,
            height: length,
        })
    }

    fn each_in_view(&self, state: &State<R::Key>, bounds: Rectangle, mut each: impl FnMut(u64, Rectangle)) {
        let mut top = -state.place.px;
        let mut row = state.place.row;
        while top < bounds.height && row < self.rows.total() {
            each(row, self.row_bounds(bounds, top));
            top += self.row_height;
            row += 1;
        }
    }

    /// Keeps the place in line with the data, and asks for what is in view and missing.
    fn keep_place(&self, state: &mut State<R::Key>, height: f32) {
        state.height = height;
        if state.subject != self.subject {
            state.subject = self.subject;
            state.place = Place::default();
            state.asked = None;
        }
        state.place.keep(&self.rows);
        state.place.clamp(self.rows.total(), self.row_height, height);
        if let Some((row, serial)) = self.reveal
            && serial != state.revealed
        {
            state.revealed = serial;
            state.place.reveal(row, self.row_height, height);
            state.place.clamp(self.rows.total(), self.row_height, height);
        }
        state.place.remember(&self.rows, self.row_height, height);
    }

    fn ask(&self, state: &mut State<R::Key>, shell: &mut Shell<'_, Message>) {
        let (first, last) = state
            .place
            .in_view(self.rows.total(), self.row_height, state.height);
        let missing = (first..last).any(|row| self.rows.key(row).is_none());
        if !missing {
            state.asked = None;
        } else if state.asked != Some((first, last)) {
            state.asked = Some((first, last));
            shell.publish((self.on_event)(ListEvent::Needed { first, last }));
        }
    }

    fn scroll(&self, state: &mut State<R::Key>, pixels: f32, shell: &mut Shell<'_, Message>) {
        let before = (state.place.row, state.place.px);
        state.place.scroll(pixels, self.row_height);
        state
            .place
            .clamp(self.rows.total(), self.row_height, state.height);
        state.place.remember(&self.rows, self.row_height, state.height);
        if before != (state.place.row, state.place.px) {
            self.ask(state, shell);
            shell.request_redraw();
        }
    }

    fn draw_bar(&self, state: &State<R::Key>, bounds: Rectangle, renderer: &mut Renderer, theme: &Theme) {
        let t = theme::tokens(theme);
        if let Some(thumb) = self.thumb(state, bounds) {
            let color = if state.dragging.is_some() {
                t.text_muted
            } else {
                t.border
            };
            renderer.fill_quad(
                Quad {
                    bounds: thumb,
                    border: Border {
                        color: Color::TRANSPARENT,
                        width: 0.0,
                        radius: 3.0.into(),
                    },
                    ..Quad::default()
                },
                Background::Color(color),
            );
        }
    }
}

impl<R: Rows, Message> Idea<Message> for List<'_, R, Message> {
    type State = State<R::Key>;

    fn state(&self) -> Self::State {
        State {
            place: Place::default(),
            subject: self.subject,
            revealed: 0,
            height: 0.0,
            hovered: None,
            dragging: None,
            click: None,
            held: None,
            modifiers: Modifiers::default(),
            focused: false,
            asked: None,
        }
    }

    fn size(&self, _content: Size<Length>) -> Size<Length> {
        Size::new(Length::Fill, Length::Fill)
    }

    fn layout(
        &self,
        state: &mut Self::State,
        limits: &layout::Limits,
        _content: &mut dyn FnMut(&layout::Limits) -> layout::Node,
    ) -> layout::Node {
        let node = layout::atomic(limits, Length::Fill, Length::Fill);
        self.keep_place(state, node.size().height);
        node
    }

    fn operate(
        &self,
        state: &mut Self::State,
        bounds: Rectangle,
        operation: &mut dyn Operation,
        _content: &mut dyn FnMut(&mut dyn Operation),
    ) {
        operation.container(self.id.as_ref(), bounds);
        operation.focusable(self.id.as_ref(), bounds, state);
        operation.traverse(&mut |operation| {
            self.each_in_view(state, bounds, |row, area| {
                self.rows
                    .read(row, area, &mut |area, text| operation.text(None, area, text));
            });
        });
    }

    fn update(&mut self, state: &mut Self::State, event: &Event, at: At<'_>, shell: &mut Shell<'_, Message>) {
        match event {
            Event::Mouse(event) => self.mouse(state, event, at.bounds, at.cursor, shell),
            Event::Keyboard(keyboard::Event::ModifiersChanged(modifiers)) => state.modifiers = *modifiers,
            Event::Window(window::Event::RedrawRequested(_)) => self.ask(state, shell),
            _ => {}
        }
    }

    fn draw(
        &self,
        state: &Self::State,
        brush: &mut Brush<'_>,
        at: At<'_>,
        _content: &mut dyn FnMut(&mut Brush<'_>),
    ) {
        let (bounds, theme) = (at.bounds, brush.theme);
        // A layer is not cut to the one around it: within a page that scrolls, the list would stand over its head.
        let Some(seen) = bounds.intersection(at.viewport) else {
            return;
        };
        brush.renderer.with_layer(seen, |renderer| {
            self.each_in_view(state, bounds, |row, area| {
                if area.intersects(&seen) {
                    self.rows
                        .draw(row, state.hovered == Some(row), area, renderer, theme);
                }
            });
            self.draw_bar(state, bounds, renderer, theme);
            if state.focused {
                draw_focus(renderer, theme, bounds.shrink(2.0));
            }
        });
    }

    fn pointer(&self, state: &Self::State, at: At<'_>) -> Option<mouse::Interaction> {
        if matches!(state.held, Some(Held::Dragged)) {
            return Some(self.drag.pointer());
        }
        at.cursor.is_over(at.bounds).then_some(mouse::Interaction::Idle)
    }
}

impl<'a, R: Rows + 'a, Message: 'a> From<List<'a, R, Message>> for Element<'a, Message> {
    fn from(list: List<'a, R, Message>) -> Self {
        alone(list)
    }
}

#[cfg(test)]
mod tests;
