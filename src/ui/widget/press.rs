//! A button that takes the keyboard's focus: Tab reaches it, Enter and Space press it, and the focus is visible.

use iced::advanced::layout;
use iced::advanced::renderer::{self, Quad};
use iced::advanced::widget::operation::Focusable;
use iced::advanced::widget::{Id, Operation};
use iced::advanced::{Renderer as _, Shell};
use iced::keyboard::key::{Key, Named};
use iced::{
    Background, Border, Color, Element, Event, Length, Padding, Point, Rectangle, Renderer, Size, Theme,
    keyboard, mouse, touch, window,
};

use super::Drag;
use super::frame::{At, Brush, Idea, around};
use crate::theme::{self, radius};

/// How much a button asks to be pressed.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Kind {
    /// The one thing to do here.
    Primary,
    /// Beside it.
    Secondary,
    /// Tool bars: nothing but its content until pointed at.
    Quiet,
    /// A row of a sidebar or menu; may be the selected one.
    Row { selected: bool },
    /// Destroys something.
    Danger,
    /// On the toast.
    Inverse,
}

/// See [`press`].
pub struct Press<'a, Message> {
    content: Element<'a, Message>,
    button: Button<Message>,
}

struct Button<Message> {
    on_press: Option<Message>,
    on_menu: Option<Message>,
    on_drag: Option<Message>,
    drag: Drag,
    kind: Kind,
    id: Option<Id>,
    width: Length,
    height: Length,
    padding: Padding,
    status: Status,
}

#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
enum Status {
    #[default]
    Idle,
    Hovered,
    Pressed,
}

#[derive(Debug, Default)]
pub(super) struct State {
    focused: bool,
    held: Option<Held>,
}

/// What the pointer does with its button down.
#[derive(Clone, Copy, Debug, PartialEq)]
enum Held {
    /// Since it was here.
    Pressed(Point),
    /// What the button stands for is on its way elsewhere.
    Dragged,
}

impl Focusable for State {
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

/// A button around `content`; disabled until [`Press::on_press`].
pub fn press<'a, Message>(content: impl Into<Element<'a, Message>>) -> Press<'a, Message> {
    Press {
        content: content.into(),
        button: Button::new(),
    }
}

impl<Message> Press<'_, Message> {
    #[must_use]
    pub fn on_press(mut self, message: Message) -> Self {
        self.button.on_press = Some(message);
        self
    }

    /// The other mouse button; with the focus, the menu key or Shift F10.
    #[must_use]
    pub fn on_menu(mut self, message: Message) -> Self {
        self.button.on_menu = Some(message);
        self
    }

    /// Held and moved away; nothing is pressed then.
    #[must_use]
    pub fn on_drag_maybe(mut self, drag: Drag, message: Option<Message>) -> Self {
        self.button.drag = drag;
        self.button.on_drag = message.filter(|_| drag != Drag::Impossible);
        self
    }

    #[must_use]
    pub fn on_press_maybe(mut self, message: Option<Message>) -> Self {
        self.button.on_press = message;
        self
    }

    #[must_use]
    pub fn kind(mut self, kind: Kind) -> Self {
        self.button.kind = kind;
        self
    }

    #[must_use]
    pub fn id(mut self, id: impl Into<Id>) -> Self {
        self.button.id = Some(id.into());
        self
    }

    #[must_use]
    pub fn width(mut self, width: impl Into<Length>) -> Self {
        self.button.width = width.into();
        self
    }

    #[must_use]
    pub fn height(mut self, height: impl Into<Length>) -> Self {
        self.button.height = height.into();
        self
    }

    #[must_use]
    pub fn padding(mut self, padding: impl Into<Padding>) -> Self {
        self.button.padding = padding.into();
        self
    }
}

impl<Message> Button<Message> {
    fn new() -> Self {
        Self {
            on_press: None,
            on_menu: None,
            on_drag: None,
            drag: Drag::Impossible,
            kind: Kind::Secondary,
            id: None,
            width: Length::Shrink,
            height: Length::Shrink,
            padding: Padding::from([6.0, 12.0]),
            status: Status::Idle,
        }
    }

    fn look(&self, theme: &Theme) -> (Option<Color>, Option<Color>, Color) {
        let t = theme::tokens(theme);
        let enabled = self.on_press.is_some();
        let over = |idle: Option<Color>| match self.status {
            Status::Idle => idle,
            Status::Hovered => Some(t.hover),
            Status::Pressed => Some(t.pressed),
        };
        let text = if enabled { t.text } else { t.text_muted };
        match self.kind {
            Kind::Primary if enabled => {
                let fill = if self.status == Status::Idle {
                    t.accent_fill
                } else {
                    t.accent_fill_hover
                };
                (Some(fill), None, t.on_accent)
            }
            Kind::Danger if enabled => (Some(t.danger), None, t.on_danger),
            Kind::Primary | Kind::Danger => (Some(t.hover), None, t.text_muted),
            Kind::Secondary => (over(Some(t.surface_raised)), Some(t.border), text),
            Kind::Quiet => (over(None), None, text),
            Kind::Row { selected: true } => (Some(t.accent_soft), None, t.text),
            Kind::Row { selected: false } => (over(None), None, text),
            Kind::Inverse => (None, None, t.inverse_accent),
        }
    }

    fn publish(&self, shell: &mut Shell<'_, Message>)
    where
        Message: Clone,
    {
        if let Some(message) = &self.on_press {
            shell.publish(message.clone());
        }
        shell.capture_event();
    }

    fn publish_menu(&self, shell: &mut Shell<'_, Message>)
    where
        Message: Clone,
    {
        if let Some(message) = &self.on_menu {
            shell.publish(message.clone());
            shell.capture_event();
        }
    }

    fn react(
        &self,
        state: &mut State,
        event: &Event,
        bounds: Rectangle,
        cursor: mouse::Cursor,
        shell: &mut Shell<'_, Message>,
    ) where
        Message: Clone,
    {
        match event {
            Event::Mouse(mouse::Event::ButtonPressed(mouse::Button::Left))
            | Event::Touch(touch::Event::FingerPressed { .. }) => {
                if state.focused {
                    state.focused = false;
                    shell.request_redraw();
                }
                if let Some(at) = cursor.position_over(bounds).filter(|_| self.on_press.is_some()) {
                    state.held = Some(Held::Pressed(at));
                    shell.capture_event();
                }
            }
            Event::Mouse(mouse::Event::ButtonReleased(mouse::Button::Left))
            | Event::Touch(touch::Event::FingerLifted { .. })
                if state.held.is_some() =>
            {
                let held = state.held.take();
                if matches!(held, Some(Held::Pressed(_))) && cursor.is_over(bounds) {
                    self.publish(shell);
                }
            }
            Event::Mouse(mouse::Event::CursorMoved { position }) => {
                if let (Some(Held::Pressed(from)), Some(message)) = (state.held, &self.on_drag)
                    && super::is_dragged(from, *position)
                {
                    state.held = Some(Held::Dragged);
                    shell.publish(message.clone());
                }
            }
            Event::Mouse(mouse::Event::ButtonPressed(mouse::Button::Right)) if cursor.is_over(bounds) => {
                self.publish_menu(shell);
            }
            Event::Keyboard(keyboard::Event::KeyPressed { key, modifiers, .. })
                if state.focused && is_menu_key(key, *modifiers) =>
            {
                self.publish_menu(shell);
            }
            Event::Touch(touch::Event::FingerLost { .. }) => state.held = None,
            Event::Keyboard(keyboard::Event::KeyPressed { key, modifiers, .. })
                if state.focused
                    && modifiers.is_empty()
                    && matches!(key, Key::Named(Named::Enter | Named::Space)) =>
            {
                self.publish(shell);
            }
            _ => {}
        }
    }
}

fn is_menu_key(key: &Key, modifiers: keyboard::Modifiers) -> bool {
    match key {
        Key::Named(Named::ContextMenu) => modifiers.is_empty(),
        Key::Named(Named::F10) => modifiers == keyboard::Modifiers::SHIFT,
        _ => false,
    }
}

impl<Message: Clone> Idea<Message> for Button<Message> {
    type State = State;

    fn state(&self) -> State {
        State::default()
    }

    fn size(&self, _content: Size<Length>) -> Size<Length> {
        Size::new(self.width, self.height)
    }

    fn layout(
        &self,
        _state: &mut State,
        limits: &layout::Limits,
        content: &mut dyn FnMut(&layout::Limits) -> layout::Node,
    ) -> layout::Node {
        layout::padded(limits, self.width, self.height, self.padding, content)
    }

    fn operate(
        &self,
        state: &mut State,
        bounds: Rectangle,
        operation: &mut dyn Operation,
        content: &mut dyn FnMut(&mut dyn Operation),
    ) {
        operation.container(self.id.as_ref(), bounds);
        if self.on_press.is_some() {
            operation.focusable(self.id.as_ref(), bounds, state);
        }
        operation.traverse(&mut |operation| content(operation));
    }

    fn update(&mut self, state: &mut State, event: &Event, at: At<'_>, shell: &mut Shell<'_, Message>) {
        if shell.is_event_captured() {
            return;
        }
        self.react(state, event, at.bounds, at.cursor, shell);
        let status = match (self.on_press.is_some(), at.cursor.is_over(at.bounds)) {
            (true, true) if state.held.is_some() => Status::Pressed,
            (true, true) => Status::Hovered,
            _ => Status::Idle,
        };
        if let Event::Window(window::Event::RedrawRequested(_)) = event {
            self.status = status;
        } else if self.status != status {
            shell.request_redraw();
        }
    }

    fn draw(
        &self,
        state: &State,
        brush: &mut Brush<'_>,
        at: At<'_>,
        content: &mut dyn FnMut(&mut Brush<'_>),
    ) {
        let (background, border, text_color) = self.look(brush.theme);
        if background.is_some() || border.is_some() {
            brush.renderer.fill_quad(
                Quad {
                    bounds: at.bounds,
                    border: Border {
                        color: border.unwrap_or(Color::TRANSPARENT),
                        width: if border.is_some() { theme::HAIRLINE } else { 0.0 },
                        radius: radius::CONTROL.into(),
                    },
                    ..Quad::default()
                },
                Background::Color(background.unwrap_or(Color::TRANSPARENT)),
            );
        }
        brush.style = renderer::Style { text_color };
        content(brush);
        if state.focused {
            draw_focus(brush.renderer, brush.theme, at.bounds);
        }
    }

    fn pointer(&self, state: &State, at: At<'_>) -> Option<mouse::Interaction> {
        Some(if state.held == Some(Held::Dragged) {
            self.drag.pointer()
        } else if self.on_press.is_some() && at.cursor.is_over(at.bounds) {
            mouse::Interaction::Pointer
        } else {
            mouse::Interaction::default()
        })
    }
}

impl<'a, Message: Clone + 'a> From<Press<'a, Message>> for Element<'a, Message> {
    fn from(press: Press<'a, Message>) -> Self {
        around(press.button, press.content)
    }
}

/// The ring around whatever has the keyboard's focus.
pub fn draw_focus(renderer: &mut Renderer, theme: &Theme, bounds: Rectangle) {
    renderer.fill_quad(
        Quad {
            bounds: bounds.expand(1.0),
            border: Border {
                color: theme::tokens(theme).focus,
                width: 2.0,
                radius: (radius::CONTROL + 1.0).into(),
            },
            ..Quad::default()
        },
        Background::Color(Color::TRANSPARENT),
    );
}
