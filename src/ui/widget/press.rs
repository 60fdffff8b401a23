//! A button that takes the keyboard's focus: Tab reaches it, Enter and Space press it, and the focus is visible.

use iced::advanced::layout::{self, Layout};
use iced::advanced::renderer::{self, Quad};
use iced::advanced::widget::operation::Focusable;
use iced::advanced::widget::{Id, Operation, Tree, tree};
use iced::advanced::{Clipboard, Renderer as _, Shell, Widget, overlay};
use iced::keyboard::key::{Key, Named};
use iced::{
    Background, Border, Color, Element, Event, Length, Padding, Point, Rectangle, Renderer, Size, Theme,
    Vector, keyboard, mouse, touch, window,
};

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
    on_press: Option<Message>,
    on_menu: Option<Message>,
    on_drag: Option<Message>,
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
struct State {
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
        on_press: None,
        on_menu: None,
        on_drag: None,
        kind: Kind::Secondary,
        id: None,
        width: Length::Shrink,
        height: Length::Shrink,
        padding: Padding::from([6.0, 12.0]),
        status: Status::Idle,
    }
}

impl<'a, Message> Press<'a, Message> {
    #[must_use]
    pub fn on_press(mut self, message: Message) -> Self {
        self.on_press = Some(message);
        self
    }

    /// The other mouse button; with the focus, the menu key or Shift F10.
    #[must_use]
    pub fn on_menu(mut self, message: Message) -> Self {
        self.on_menu = Some(message);
        self
    }

    /// Held and moved away; nothing is pressed then.
    #[must_use]
    pub fn on_drag_maybe(mut self, message: Option<Message>) -> Self {
        self.on_drag = message;
        self
    }

    #[must_use]
    pub fn on_press_maybe(mut self, message: Option<Message>) -> Self {
        self.on_press = message;
        self
    }

    #[must_use]
    pub fn kind(mut self, kind: Kind) -> Self {
        self.kind = kind;
        self
    }

    #[must_use]
    pub fn id(mut self, id: impl Into<Id>) -> Self {
        self.id = Some(id.into());
        self
    }

    #[must_use]
    pub fn width(mut self, width: impl Into<Length>) -> Self {
        self.width = width.into();
        self
    }

    #[must_use]
    pub fn height(mut self, height: impl Into<Length>) -> Self {
        self.height = height.into();
        self
    }

    #[must_use]
    pub fn padding(mut self, padding: impl Into<Padding>) -> Self {
        self.padding = padding.into();
        self
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

impl<Message: Clone> Widget<Message, Theme, Renderer> for Press<'_, Message> {
    fn tag(&self) -> tree::Tag {
        tree::Tag::of::<State>()
    }

    fn state(&self) -> tree::State {
        tree::State::new(State::default())
    }

    fn children(&self) -> Vec<Tree> {
        vec![Tree::new(&self.content)]
    }

    fn diff(&self, tree: &mut Tree) {
        tree.diff_children(std::slice::from_ref(&self.content));
    }

    fn size(&self) -> Size<Length> {
        Size::new(self.width, self.height)
    }

    fn layout(&mut self, tree: &mut Tree, renderer: &Renderer, limits: &layout::Limits) -> layout::Node {
        layout::padded(
            limits,
            self.width,
            self.height,
            self.padding,
            |limits| match tree.children.first_mut() {
                Some(child) => self.content.as_widget_mut().layout(child, renderer, limits),
                None => layout::Node::new(Size::ZERO),
            },
        )
    }

    fn operate(
        &mut self,
        tree: &mut Tree,
        layout: Layout<'_>,
        renderer: &Renderer,
        operation: &mut dyn Operation,
    ) {
        operation.container(self.id.as_ref(), layout.bounds());
        if self.on_press.is_some() {
            operation.focusable(
                self.id.as_ref(),
                layout.bounds(),
                tree.state.downcast_mut::<State>(),
            );
        }
        operation.traverse(&mut |operation| {
            if let (Some(child), Some(layout)) = (tree.children.first_mut(), layout.children().next()) {
                self.content
                    .as_widget_mut()
                    .operate(child, layout, renderer, operation);
            }
        });
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
        if let (Some(child), Some(layout)) = (tree.children.first_mut(), layout.children().next()) {
            self.content
                .as_widget_mut()
                .update(child, event, layout, cursor, renderer, clipboard, shell, viewport);
        }
        if shell.is_event_captured() {
            return;
        }
        let state = tree.state.downcast_mut::<State>();
        self.react(state, event, layout.bounds(), cursor, shell);
        let status = match (self.on_press.is_some(), cursor.is_over(layout.bounds())) {
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
        tree: &Tree,
        renderer: &mut Renderer,
        theme: &Theme,
        _style: &renderer::Style,
        layout: Layout<'_>,
        cursor: mouse::Cursor,
        viewport: &Rectangle,
    ) {
        let bounds = layout.bounds();
        let (background, border, text_color) = self.look(theme);
        if background.is_some() || border.is_some() {
            renderer.fill_quad(
                Quad {
                    bounds,
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
        if let (Some(child), Some(layout)) = (tree.children.first(), layout.children().next()) {
            self.content.as_widget().draw(
                child,
                renderer,
                theme,
                &renderer::Style { text_color },
                layout,
                cursor,
                viewport,
            );
        }
        if tree.state.downcast_ref::<State>().focused {
            draw_focus(renderer, theme, bounds);
        }
    }

    fn mouse_interaction(
        &self,
        tree: &Tree,
        layout: Layout<'_>,
        cursor: mouse::Cursor,
        _viewport: &Rectangle,
        _renderer: &Renderer,
    ) -> mouse::Interaction {
        if tree.state.downcast_ref::<State>().held == Some(Held::Dragged) {
            mouse::Interaction::Grabbing
        } else if self.on_press.is_some() && cursor.is_over(layout.bounds()) {
            mouse::Interaction::Pointer
        } else {
            mouse::Interaction::default()
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

impl<'a, Message: Clone + 'a> From<Press<'a, Message>> for Element<'a, Message> {
    fn from(press: Press<'a, Message>) -> Self {
        Element::new(press)
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
