//! Widgets that the toolkit lacks: buttons with keyboard focus, a list that holds a million rows, splitters.

pub mod circle;
mod frame;
pub mod list;
pub mod page;
pub mod press;
pub mod reveal;
pub mod splitter;
pub mod still;
pub mod stride;
pub mod witness;
pub mod words;

use iced::widget::{column, container, row, text, tooltip};
use iced::{Center, Element};

use crate::icon::{self, Icon};
use crate::shortcut::{self, Wish};
use crate::theme::{self, space, style};

pub use list::{List, ListEvent, Rows};
pub use press::{Kind, Press, press};
pub use splitter::splitter;

/// Whether things can be dragged out of the window.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub enum Drag {
    #[default]
    Impossible,
    Possible,
    /// Something is on its way, and whoever is under the pointer wants it.
    Wanted,
}

impl Drag {
    /// What the pointer looks like on the way.
    const fn pointer(self) -> iced::mouse::Interaction {
        match self {
            Self::Wanted => iced::mouse::Interaction::Copy,
            Self::Impossible | Self::Possible => iced::mouse::Interaction::Grabbing,
        }
    }
}

/// Whether the pointer, still held, has gone so far that something is dragged and no longer pressed.
fn is_dragged(from: iced::Point, to: iced::Point) -> bool {
    const SLACK: f32 = 6.0;
    from.distance(to) > SLACK
}

/// A button of words.
pub fn button<'a, Message: Clone + 'a>(label: String, kind: Kind) -> Press<'a, Message> {
    press(words::body(label).font(theme::font::MEDIUM)).kind(kind)
}

/// A button as wide as its column.
pub fn wide_button<'a, Message: Clone + 'a>(label: String, kind: Kind) -> Press<'a, Message> {
    press(container(words::body(label).font(theme::font::MEDIUM)).center_x(iced::Fill))
        .kind(kind)
        .width(iced::Fill)
        .padding([10, 12])
}

/// A button of an icon and words.
pub fn icon_button<'a, Message: Clone + 'a>(icon: Icon, label: String, kind: Kind) -> Press<'a, Message> {
    let color = move |theme: &iced::Theme| match kind {
        Kind::Primary => theme::tokens(theme).on_accent,
        _ => theme::tokens(theme).text_muted,
    };
    press(
        row![
            icon::colored(icon, color),
            words::body(label).font(theme::font::MEDIUM)
        ]
        .spacing(space::S)
        .align_y(Center),
    )
    .kind(kind)
}

/// A button of an icon alone: what it is called, and its key, in the tooltip.
pub fn sign<'a, Message: Clone + 'a>(
    icon: iced::widget::Svg<'a>,
    padding: u16,
    name: String,
    keys: &'static str,
    message: Option<Message>,
) -> Element<'a, Message> {
    let button = press(icon)
        .kind(Kind::Quiet)
        .padding(padding)
        .on_press_maybe(message);
    hint(button, name, keys)
}

/// A tool bar's button: an icon, with its name and key in the tooltip.
pub fn tool<'a, Message: Clone + 'a>(
    icon: Icon,
    wish: Wish,
    message: Option<Message>,
) -> Element<'a, Message> {
    let name = shortcut::name(wish);
    let keys = shortcut::keys_of(wish);
    let icon = icon::colored(icon, |theme| theme::tokens(theme).text);
    sign(icon, 7, name, keys, message)
}

/// A tooltip: what it is, and its key.
pub fn hint<'a, Message: 'a>(
    content: impl Into<Element<'a, Message>>,
    name: String,
    keys: &'static str,
) -> Element<'a, Message> {
    let mut words =
        row![words::caption(name).style(|_| iced::widget::text::Style::default())].spacing(space::S);
    if !keys.is_empty() {
        words = words.push(
            words::caption(shortcut::spell(keys)).style(|theme: &iced::Theme| iced::widget::text::Style {
                color: Some(theme::tokens(theme).inverse_accent),
            }),
        );
    }
    tooltip(
        content,
        container(words)
            .padding([space::XS, space::S])
            .style(style::tooltip),
        tooltip::Position::Bottom,
    )
    .gap(space::XS)
    .delay(std::time::Duration::from_millis(500))
    .into()
}

/// A line between parts.
pub fn rule<'a, Message: 'a>() -> Element<'a, Message> {
    container(iced::widget::space().width(iced::Fill).height(theme::HAIRLINE))
        .style(style::hairline)
        .into()
}

/// What is odd, a line each, in a bar that is seen; nothing where there is nothing.
pub fn warnings<'a, Message: 'a>(all: impl Iterator<Item = String>) -> Option<Element<'a, Message>> {
    let lines: Vec<Element<'a, Message>> = all
        .map(|said| {
            row![
                icon::colored(Icon::Warning, |theme| theme::tokens(theme).warning)
                    .width(14)
                    .height(14),
                words::body(said)
                    .width(iced::Fill)
                    .wrapping(text::Wrapping::WordOrGlyph)
            ]
            .spacing(space::S)
            .into()
        })
        .collect();
    (!lines.is_empty()).then(|| {
        container(column(lines).spacing(space::XS))
            .padding([space::S, space::M])
            .width(iced::Fill)
            .style(style::warning_bar)
            .into()
    })
}
