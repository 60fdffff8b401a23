//! What every widget of ours does the same way, so that each file holds its idea only: keeping a state of its own, and
//! handing on to what stands within it whatever it does not do otherwise.

use iced::advanced::layout::{self, Layout};
use iced::advanced::renderer;
use iced::advanced::widget::{Operation, Tree, tree};
use iced::advanced::{Clipboard, Shell, Widget, overlay};
use iced::{Element, Event, Length, Rectangle, Renderer, Size, Theme, Vector, mouse};

/// A widget's idea. What it leaves as it is goes to its content, where it has one.
pub(super) trait Idea<Message> {
    /// What it remembers from view to view.
    type State: 'static;

    fn state(&self) -> Self::State;

    /// The window was built anew: what is remembered may be of something else.
    fn settle(&self, _state: &mut Self::State) {}

    /// `content`: what the content wants, nothing where there is none.
    fn size(&self, content: Size<Length>) -> Size<Length> {
        content
    }

    /// `content` lays out what stands within.
    fn layout(
        &self,
        _state: &mut Self::State,
        limits: &layout::Limits,
        content: &mut dyn FnMut(&layout::Limits) -> layout::Node,
    ) -> layout::Node {
        let node = content(limits);
        layout::Node::with_children(node.size(), vec![node])
    }

    /// `content` hands an operation on.
    fn operate(
        &self,
        _state: &mut Self::State,
        _bounds: Rectangle,
        operation: &mut dyn Operation,
        content: &mut dyn FnMut(&mut dyn Operation),
    ) {
        content(operation);
    }

    /// Whether the content hears of it.
    fn lets_through(&self, _event: &Event) -> bool {
        true
    }

    /// After the content, which may have taken it.
    fn update(
        &mut self,
        _state: &mut Self::State,
        _event: &Event,
        _at: At<'_>,
        _shell: &mut Shell<'_, Message>,
    ) {
    }

    /// `content` draws what stands within.
    fn draw(
        &self,
        _state: &Self::State,
        brush: &mut Brush<'_>,
        _at: At<'_>,
        content: &mut dyn FnMut(&mut Brush<'_>),
    ) {
        content(brush);
    }

    /// What the pointer looks like; `None`: the content says so.
    fn pointer(&self, _state: &Self::State, _at: At<'_>) -> Option<mouse::Interaction> {
        None
    }
}

/// Where the widget is, where the pointer, and what of the window can be seen.
#[derive(Clone, Copy, Debug)]
pub(super) struct At<'a> {
    pub bounds: Rectangle,
    pub cursor: mouse::Cursor,
    pub viewport: &'a Rectangle,
}

/// What is drawn with.
pub(super) struct Brush<'a> {
    pub renderer: &'a mut Renderer,
    pub theme: &'a Theme,
    pub style: renderer::Style,
}

/// An idea with what stands within it.
struct Frame<'a, Message, I> {
    idea: I,
    content: Option<Element<'a, Message>>,
}

/// A widget around another one.
pub(super) fn around<'a, Message, I>(idea: I, content: Element<'a, Message>) -> Element<'a, Message>
where
    Message: 'a,
    I: Idea<Message> + 'a,
{
    let content = Some(content);
    Element::new(Frame { idea, content })
}

/// A widget with nothing within.
pub(super) fn alone<'a, Message, I>(idea: I) -> Element<'a, Message>
where
    Message: 'a,
    I: Idea<Message> + 'a,
{
    Element::new(Frame { idea, content: None })
}

impl<Message, I: Idea<Message>> Widget<Message, Theme, Renderer> for Frame<'_, Message, I> {
    fn tag(&self) -> tree::Tag {
        tree::Tag::of::<I::State>()
    }

    fn state(&self) -> tree::State {
        tree::State::new(self.idea.state())
    }

    fn children(&self) -> Vec<Tree> {
        self.content.iter().map(Tree::new).collect()
    }

    fn diff(&self, tree: &mut Tree) {
        self.idea.settle(tree.state.downcast_mut());
        tree.diff_children(self.content.as_slice());
    }

    fn size(&self) -> Size<Length> {
        let nothing = Size::new(Length::Shrink, Length::Shrink);
        let content = self.content.as_ref();
        self.idea
            .size(content.map_or(nothing, |content| content.as_widget().size()))
    }

    fn layout(&mut self, tree: &mut Tree, renderer: &Renderer, limits: &layout::Limits) -> layout::Node {
        let (content, children) = (&mut self.content, &mut tree.children);
        let mut inner = |limits: &layout::Limits| match (content.as_mut(), children.first_mut()) {
            (Some(content), Some(child)) => content.as_widget_mut().layout(child, renderer, limits),
            _ => layout::Node::new(Size::ZERO),
        };
        self.idea.layout(tree.state.downcast_mut(), limits, &mut inner)
    }

    fn operate(
        &mut self,
        tree: &mut Tree,
        layout: Layout<'_>,
        renderer: &Renderer,
        operation: &mut dyn Operation,
    ) {
        let (content, children) = (&mut self.content, &mut tree.children);
        let mut inner = |operation: &mut dyn Operation| {
            if let (Some(content), Some(child), Some(layout)) =
                (content.as_mut(), children.first_mut(), layout.children().next())
            {
                content
                    .as_widget_mut()
                    .operate(child, layout, renderer, operation);
            }
        };
        let state = tree.state.downcast_mut();
        self.idea.operate(state, layout.bounds(), operation, &mut inner);
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
        if let (true, Some(content), Some(child), Some(layout)) = (
            self.idea.lets_through(event),
            self.content.as_mut(),
            tree.children.first_mut(),
            layout.children().next(),
        ) {
            content
                .as_widget_mut()
                .update(child, event, layout, cursor, renderer, clipboard, shell, viewport);
        }
        let at = At {
            bounds: layout.bounds(),
            cursor,
            viewport,
        };
        self.idea.update(tree.state.downcast_mut(), event, at, shell);
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
        let mut inner = |brush: &mut Brush<'_>| {
            if let (Some(content), Some(child), Some(layout)) = (
                self.content.as_ref(),
                tree.children.first(),
                layout.children().next(),
            ) {
                let (renderer, style) = (&mut *brush.renderer, &brush.style);
                content
                    .as_widget()
                    .draw(child, renderer, brush.theme, style, layout, cursor, viewport);
            }
        };
        let mut brush = Brush {
            renderer,
            theme,
            style: *style,
        };
        let at = At {
            bounds: layout.bounds(),
            cursor,
            viewport,
        };
        self.idea
            .draw(tree.state.downcast_ref(), &mut brush, at, &mut inner);
    }

    fn mouse_interaction(
        &self,
        tree: &Tree,
        layout: Layout<'_>,
        cursor: mouse::Cursor,
        viewport: &Rectangle,
        renderer: &Renderer,
    ) -> mouse::Interaction {
        let at = At {
            bounds: layout.bounds(),
            cursor,
            viewport,
        };
        let own = self.idea.pointer(tree.state.downcast_ref(), at);
        own.or_else(|| {
            let (content, child) = (self.content.as_ref()?, tree.children.first()?);
            let layout = layout.children().next()?;
            let pointer = content
                .as_widget()
                .mouse_interaction(child, layout, cursor, viewport, renderer);
            Some(pointer)
        })
        .unwrap_or_default()
    }

    fn overlay<'b>(
        &'b mut self,
        tree: &'b mut Tree,
        layout: Layout<'b>,
        renderer: &Renderer,
        viewport: &Rectangle,
        translation: Vector,
    ) -> Option<overlay::Element<'b, Message, Theme, Renderer>> {
        self.content.as_mut()?.as_widget_mut().overlay(
            tree.children.first_mut()?,
            layout.children().next()?,
            renderer,
            viewport,
            translation,
        )
    }
}
