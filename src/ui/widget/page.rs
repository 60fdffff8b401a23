//! A laid-out message: strips of pixels that somebody else painted, with links under the pointer and marked text.
//!
//! It stands within a scrollable as tall as the whole page, draws the strips in view, and asks for those that are
//! missing there and a little beyond. Scrolling sends a message only when strips are missing. Selecting by mouse is
//! told in the page's own coordinates; what is marked comes back as rectangles and is drawn over the strips. With the
//! keyboard's focus, Tab goes from link to link (`links`); marking beyond the view's edge scrolls (`hand`).

mod hand;
mod links;
mod tile;

pub use tile::{Grid, Tile, Tiles};

use iced::advanced::layout;
use iced::advanced::mouse::click::Click;
use iced::advanced::renderer::Quad;
use iced::advanced::widget::operation::Focusable;
use iced::advanced::widget::{Id, Operation};
use iced::advanced::{Renderer as _, Shell, image};
use iced::keyboard::Modifiers;
use iced::time::Instant;
use iced::{
    Background, Color, Element, Event, Length, Point, Rectangle, Renderer, Size, Theme, keyboard, mouse,
    window,
};
use posthorn_html::page::{Grain, Page, Rect};

use crate::theme;
use crate::widget::frame::{At, Brush, Idea, alone};
use crate::widget::press::draw_focus;

/// As much above and below the view is asked for before it is needed, as a share of the view.
const MARGIN: f32 = 0.75;

/// What happened on a page.
#[derive(Clone, Debug, PartialEq)]
pub enum PageEvent {
    /// The room that the page has, in logical pixels.
    Sized(f32),
    /// These strips are in view or near it, and not all are there (the last is exclusive).
    Needed {
        first: u32,
        last: u32,
    },
    /// The pointer came over a link, by its place in the page's list, or left it.
    Hovered(Option<usize>),
    /// Text is being marked, between two points of the page.
    Marking {
        from: Point,
        to: Point,
        grain: Grain,
    },
    /// A click beside any text takes the mark away.
    Unmarked,
    LinkPressed(usize),
    /// The keyboard's focus came to a link, or left it.
    LinkFocused(Option<usize>),
    /// Text is being marked beyond the view's edge: the view follows, by so many pixels.
    Scrolled(f32),
    /// The other button.
    Context {
        link: Option<usize>,
    },
}

/// What is shown of a page that is laid out.
#[derive(Clone, Copy, Debug)]
pub struct Shown<'a> {
    pub page: &'a Page,
    pub grid: Grid,
    pub tiles: &'a Tiles,
}

/// A rectangle of marked text.
#[derive(Clone, Copy, Debug, PartialEq)]
pub struct Mark {
    pub rect: Rect,
    pub kind: MarkKind,
}

#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum MarkKind {
    Selected,
    /// Found by the find bar.
    Hit,
    /// The hit that the find bar stands at.
    HitHere,
}

/// See the module.
pub struct PageView<'a, Message> {
    shown: Option<Shown<'a>>,
    /// Whose page it is: what the hands did on another is forgotten.
    subject: i64,
    /// The room that the owner knows of.
    known: Option<f32>,
    marks: Vec<Mark>,
    id: Option<Id>,
    /// How tall it is until the page is laid out.
    placeholder: f32,
    /// It takes long: something is to be seen meanwhile.
    skeleton: bool,
    on_event: Box<dyn Fn(PageEvent) -> Message + 'a>,
}

#[derive(Debug, Default)]
pub(super) struct State {
    subject: i64,
    width: f32,
    asked: Option<(u64, u32, u32)>,
    hovered: Option<usize>,
    click: Option<Click>,
    /// Where marking began, in the page's coordinates, and how far it reaches.
    dragging: Option<Drag>,
    /// Where the last mark began, for Shift and a click.
    anchor: Option<Point>,
    /// Where it ends, as far as the keyboard moves it.
    reach: Option<Point>,
    modifiers: Modifiers,
    focused: bool,
    /// The link that has the focus, where one has.
    link: Option<usize>,
    /// The focus has come, and which way the last Tab went: its first or last link takes it.
    entering: bool,
    backwards: bool,
    /// It was clicked last.
    active: bool,
    /// When the view last followed the mouse.
    followed: Option<Instant>,
    /// How far a page that is too wide is moved to the left.
    pan: f32,
}

#[derive(Clone, Copy, Debug)]
struct Drag {
    from: Point,
    grain: Grain,
    moved: bool,
}

impl Focusable for State {
    fn is_focused(&self) -> bool {
        self.focused
    }

    fn focus(&mut self) {
        self.entering = !self.focused;
        self.focused = true;
    }

    fn unfocus(&mut self) {
        self.focused = false;
        self.entering = false;
    }
}

impl<'a, Message> PageView<'a, Message> {
    /// `known` is the room that the owner has been told of.
    pub fn new(
        subject: i64,
        shown: Option<Shown<'a>>,
        known: Option<f32>,
        on_event: impl Fn(PageEvent) -> Message + 'a,
    ) -> Self {
        Self {
            shown,
            subject,
            known,
            marks: Vec::new(),
            id: None,
            placeholder: 120.0,
            skeleton: false,
            on_event: Box::new(on_event),
        }
    }

    #[must_use]
    pub fn id(mut self, id: impl Into<Id>) -> Self {
        self.id = Some(id.into());
        self
    }

    #[must_use]
    pub fn marks(mut self, marks: Vec<Mark>) -> Self {
        self.marks = marks;
        self
    }

    /// Draws lines where the page will be.
    #[must_use]
    pub const fn skeleton(mut self, slow: bool) -> Self {
        self.skeleton = slow;
        self
    }

    /// A point of the window as a point of the page.
    fn to_page(&self, state: &State, bounds: Rectangle, at: Point) -> Option<Point> {
        let shown = self.shown?;
        let fit = shown.grid.fit();
        Some(Point::new(
            (at.x - bounds.x + state.pan) / fit,
            (at.y - bounds.y) / fit,
        ))
    }

    fn link_at(&self, state: &State, bounds: Rectangle, at: Point) -> Option<usize> {
        let point = self.to_page(state, bounds, at)?;
        let links = &self.shown?.page.links;
        links
            .iter()
            .position(|link| link.rects.iter().any(|rect| holds(rect, point)))
    }

    /// A rectangle of the page where it stands in the window.
    fn on_window(&self, shown: Shown<'_>, state: &State, bounds: Rectangle, rect: &Rect) -> Rectangle {
        let fit = shown.grid.fit();
        Rectangle {
            x: bounds.x + rect.x * fit - state.pan,
            y: bounds.y + rect.y * fit,
            width: rect.width * fit,
            height: rect.height * fit,
        }
    }

    /// The strips within some part of the window, widened by a share of its height.
    fn strips(&self, bounds: Rectangle, viewport: &Rectangle, margin: f32) -> Option<(u32, u32)> {
        let shown = self.shown?;
        let seen = bounds.intersection(viewport)?;
        let more = viewport.height * margin;
        shown
            .grid
            .within(seen.y - bounds.y - more, seen.y - bounds.y + seen.height + more)
    }

    fn ask(
        &self,
        state: &mut State,
        bounds: Rectangle,
        viewport: &Rectangle,
        shell: &mut Shell<'_, Message>,
    ) {
        if self.known != Some(state.width) && state.width > 0.0 {
            shell.publish((self.on_event)(PageEvent::Sized(state.width)));
        }
        let (Some(shown), Some((first, last))) = (self.shown, self.strips(bounds, viewport, MARGIN)) else {
            state.asked = None;
            return;
        };
        if (first..last).all(|n| shown.tiles.has(n)) {
            state.asked = None;
            return;
        }
        let key = (shown.page.id.0, first, last);
        if state.asked != Some(key) {
            state.asked = Some(key);
            shell.publish((self.on_event)(PageEvent::Needed { first, last }));
        }
    }

    fn draw_strips(
        &self,
        shown: Shown<'_>,
        state: &State,
        bounds: Rectangle,
        viewport: &Rectangle,
        renderer: &mut Renderer,
    ) {
        let Some((first, last)) = self.strips(bounds, viewport, 0.0) else {
            return;
        };
        for n in first..last {
            let Some(tile) = shown.tiles.get(n) else { continue };
            let area = shown.grid.place(n, tile, bounds, state.pan);
            let picture = image::Image::new(tile.handle.clone())
                .filter_method(image::FilterMethod::Nearest)
                .snap(true);
            image::Renderer::draw_image(renderer, picture, area, bounds);
        }
    }

    fn draw_marks(
        &self,
        shown: Shown<'_>,
        state: &State,
        bounds: Rectangle,
        viewport: &Rectangle,
        renderer: &mut Renderer,
        theme: &Theme,
    ) {
        for mark in &self.marks {
            let area = self.on_window(shown, state, bounds, &mark.rect);
            let Some(area) = area.intersection(&bounds) else {
                continue;
            };
            if area.intersection(viewport).is_none() {
                continue;
            }
            renderer.fill_quad(
                Quad {
                    bounds: area,
                    ..Quad::default()
                },
                Background::Color(mark_color(mark.kind, theme)),
            );
        }
        self.draw_link_focus(shown, state, bounds, renderer, theme);
        if let Some(link) = state.hovered.and_then(|n| shown.page.links.get(n)) {
            for rect in &link.rects {
                let area = self.on_window(shown, state, bounds, rect);
                renderer.fill_quad(
                    Quad {
                        bounds: area,
                        border: iced::border::rounded(3),
                        ..Quad::default()
                    },
                    Background::Color(theme::tokens(theme).over_link),
                );
            }
        }
    }
}

/// Lines of text to come.
fn draw_skeleton(renderer: &mut Renderer, theme: &Theme, bounds: Rectangle) {
    const LINES: [f32; 4] = [0.92, 0.84, 0.96, 0.41];
    const STEP: f32 = 24.0;
    let mut y = bounds.y;
    for share in LINES {
        renderer.fill_quad(
            Quad {
                bounds: Rectangle {
                    x: bounds.x,
                    y,
                    width: bounds.width * share,
                    height: 10.0,
                },
                border: iced::border::rounded(4),
                ..Quad::default()
            },
            Background::Color(theme::tokens(theme).hover),
        );
        y += STEP;
    }
}

fn mark_color(kind: MarkKind, theme: &Theme) -> Color {
    let t = theme::tokens(theme);
    match kind {
        MarkKind::Selected => t.over_selected,
        MarkKind::Hit => t.over_hit,
        MarkKind::HitHere => t.over_hit_here,
    }
}

fn holds(rect: &Rect, at: Point) -> bool {
    at.x >= rect.x && at.x < rect.x + rect.width && at.y >= rect.y && at.y < rect.y + rect.height
}

impl<Message> Idea<Message> for PageView<'_, Message> {
    type State = State;

    fn state(&self) -> State {
        State {
            subject: self.subject,
            ..State::default()
        }
    }

    fn settle(&self, state: &mut State) {
        if state.subject != self.subject {
            *state = State {
                subject: self.subject,
                width: state.width,
                modifiers: state.modifiers,
                ..State::default()
            };
        }
    }

    fn size(&self, _content: Size<Length>) -> Size<Length> {
        Size::new(Length::Fill, Length::Shrink)
    }

    fn layout(
        &self,
        state: &mut State,
        limits: &layout::Limits,
        _content: &mut dyn FnMut(&layout::Limits) -> layout::Node,
    ) -> layout::Node {
        let width = limits.max().width;
        state.width = width;
        let height = self
            .shown
            .map_or(self.placeholder, |shown| shown.grid.height(shown.page.height));
        let most = self
            .shown
            .map_or(0.0, |shown| shown.grid.too_wide(shown.page.width, width));
        state.pan = state.pan.clamp(0.0, most);
        layout::Node::new(limits.resolve(Length::Fill, Length::Fixed(height), Size::new(width, height)))
    }

    fn operate(
        &self,
        state: &mut State,
        bounds: Rectangle,
        operation: &mut dyn Operation,
        _content: &mut dyn FnMut(&mut dyn Operation),
    ) {
        operation.container(self.id.as_ref(), bounds);
        operation.focusable(self.id.as_ref(), bounds, state);
        if let Some(shown) = self.shown {
            operation.text(self.id.as_ref(), bounds, &shown.page.text);
        }
    }

    fn update(&mut self, state: &mut State, event: &Event, at: At<'_>, shell: &mut Shell<'_, Message>) {
        let (bounds, viewport) = (at.bounds, at.viewport);
        match event {
            Event::Mouse(event) => self.mouse(state, event, bounds, at.cursor, viewport, shell),
            Event::Keyboard(keyboard::Event::ModifiersChanged(modifiers)) => state.modifiers = *modifiers,
            Event::Keyboard(keyboard::Event::KeyPressed { key, modifiers, .. })
                if state.focused || state.active =>
            {
                self.key(state, key, *modifiers, shell);
            }
            Event::Keyboard(keyboard::Event::KeyPressed { key, modifiers, .. }) => {
                links::note_way(state, key, *modifiers);
            }
            Event::Window(window::Event::RedrawRequested(now)) => {
                self.settle_focus(state, bounds, viewport, shell);
                self.follow(state, bounds, at.cursor, viewport, *now, shell);
                self.ask(state, bounds, viewport, shell);
            }
            _ => {}
        }
    }

    fn draw(
        &self,
        state: &State,
        brush: &mut Brush<'_>,
        at: At<'_>,
        _content: &mut dyn FnMut(&mut Brush<'_>),
    ) {
        let (bounds, viewport, theme) = (at.bounds, at.viewport, brush.theme);
        let renderer = &mut *brush.renderer;
        let Some(seen) = bounds.intersection(viewport) else {
            return;
        };
        if let Some(shown) = self.shown {
            renderer.with_layer(seen, |renderer| {
                self.draw_strips(shown, state, bounds, viewport, renderer);
            });
            renderer.with_layer(seen, |renderer| {
                self.draw_marks(shown, state, bounds, viewport, renderer, theme);
            });
        }
        if self.shown.is_none() && self.skeleton {
            draw_skeleton(renderer, theme, bounds);
        }
        if state.focused && state.link.is_none() {
            renderer.with_layer(seen.expand(3.0), |renderer| {
                draw_focus(renderer, theme, bounds);
            });
        }
    }

    fn pointer(&self, state: &State, at: At<'_>) -> Option<mouse::Interaction> {
        if self.shown.is_none() || !at.cursor.is_over(at.bounds) {
            return None;
        }
        let links = state.hovered.is_some() && state.dragging.is_none_or(|drag| !drag.moved);
        Some(if links {
            mouse::Interaction::Pointer
        } else {
            mouse::Interaction::Text
        })
    }
}

impl<'a, Message: 'a> From<PageView<'a, Message>> for Element<'a, Message> {
    fn from(view: PageView<'a, Message>) -> Self {
        alone(view)
    }
}

#[cfg(test)]
mod tests;
