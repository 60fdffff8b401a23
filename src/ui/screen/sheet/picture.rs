//! A picture that came with a message, as large as the window.

use iced::advanced::image::Handle;
use iced::widget::{column, container, image, row, space, text};
use iced::{Center, ContentFit, Element, Fill};
use posthorn_engine::attachment::Caution;
use posthorn_engine::reading::PartAt;
use posthorn_html::page::{Failure, Pixels};
use posthorn_model::Part;

use super::{Message as SheetMessage, Outcome};
use crate::app::Action;
use crate::icon::{self, Icon};
use crate::measure::cut;
use crate::shortcut::{self, Wish};
use crate::t;
use crate::theme::{font, size, space as gap, style};
use crate::when;
use crate::widget::{Kind, button, rule, sign, tool, words};

/// Device pixels that are decoded, on the longer side; what is larger is made smaller.
pub const SIDE: u32 = 4096;

/// A message's pictures, and the one that is looked at.
#[derive(Clone, Debug)]
pub struct Viewer {
    pictures: Vec<(PartAt, Part)>,
    at: usize,
    seen: Seen,
}

#[derive(Clone, Debug)]
enum Seen {
    Coming,
    Here { handle: Handle, width: u32, height: u32 },
    Failed,
}

/// What happened.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Message {
    Stepped(bool),
    SavePressed,
    OpenPressed,
}

impl Viewer {
    /// Looks at one of them; the first step asks for it.
    #[must_use]
    pub fn new(pictures: Vec<(PartAt, Part)>, at: usize) -> Self {
        Self {
            pictures,
            at,
            seen: Seen::Coming,
        }
    }

    fn current(&self) -> Option<&(PartAt, Part)> {
        self.pictures.get(self.at)
    }

    /// What has to be decoded.
    #[must_use]
    pub fn wanted(&self) -> Option<Action> {
        self.current().map(|(at, _)| Action::LoadPicture(at.clone()))
    }

    /// It was decoded, or not.
    pub fn take(&mut self, of: &PartAt, result: Result<Pixels, Failure>) {
        if self.current().is_none_or(|(at, _)| at != of) {
            return;
        }
        let whole = result.ok().filter(|pixels| {
            let due = u64::from(pixels.width) * u64::from(pixels.height) * 4;
            due > 0 && u64::try_from(pixels.rgba.len()) == Ok(due)
        });
        self.seen = whole.map_or(Seen::Failed, |pixels| Seen::Here {
            width: pixels.width,
            height: pixels.height,
            handle: Handle::from_rgba(pixels.width, pixels.height, pixels.rgba),
        });
    }

    #[must_use]
    pub const fn is_here(&self) -> bool {
        matches!(self.seen, Seen::Here { .. })
    }

    pub fn update(&mut self, message: Message) -> Outcome {
        match message {
            Message::Stepped(forward) => self.step(forward),
            Message::SavePressed => self.current().map_or(Outcome::Close, |(at, part)| {
                Outcome::Also(Action::SavePart(at.clone(), part.clone()))
            }),
            Message::OpenPressed => self.current().map_or(Outcome::Close, |(at, _)| {
                Outcome::Also(Action::OpenPart(at.clone(), Caution::Usual))
            }),
        }
    }

    /// To the next picture of the message, or the one before.
    pub fn step(&mut self, forward: bool) -> Outcome {
        let to = if forward {
            self.at + 1
        } else {
            self.at.wrapping_sub(1)
        };
        if to >= self.pictures.len() {
            return Outcome::Stay;
        }
        self.at = to;
        self.seen = Seen::Coming;
        self.wanted().map_or(Outcome::Stay, Outcome::Also)
    }
}

/// All of the window.
pub fn view(viewer: &Viewer) -> Element<'_, SheetMessage> {
    let shown: Element<'_, Message> = match &viewer.seen {
        Seen::Coming => space().into(),
        Seen::Failed => words::muted(t!("picture-failed")).into(),
        Seen::Here { handle, .. } => image::viewer(handle.clone())
            .content_fit(ContentFit::ScaleDown)
            .width(Fill)
            .height(Fill)
            .into(),
    };
    column![
        bar(viewer),
        rule(),
        container(shown.map(SheetMessage::Picture))
            .padding(gap::M)
            .center(Fill)
    ]
    .into()
}

fn bar(viewer: &Viewer) -> Element<'_, SheetMessage> {
    const WIDEST: f32 = 420.0;
    let Some((_, part)) = viewer.current() else {
        return space().into();
    };
    let name = part.name.clone().unwrap_or_default();
    let bytes = when::size(part.size);
    let about = match viewer.seen {
        Seen::Here { width, height, .. } => t!("picture-about", width = width, height = height, size = bytes),
        _ => bytes,
    };
    let mut line = row![
        words::body(cut(&name, size::BODY, font::SEMIBOLD, WIDEST))
            .font(font::SEMIBOLD)
            .wrapping(text::Wrapping::None),
        words::muted(about).wrapping(text::Wrapping::None),
        space::horizontal(),
    ]
    .spacing(gap::M)
    .align_y(Center);
    let count = viewer.pictures.len();
    if count > 1 {
        let step = |glyph, name, wish, forward: bool, there: bool| {
            let pressed = there.then_some(SheetMessage::Picture(Message::Stepped(forward)));
            sign(icon::icon(glyph), 7, name, shortcut::keys_of(wish), pressed)
        };
        let (before, after) = (viewer.at > 0, viewer.at + 1 < count);
        line = line
            .push(step(
                Icon::Left,
                t!("picture-previous"),
                Wish::Previous,
                false,
                before,
            ))
            .push(
                words::muted(t!("picture-place", place = viewer.at + 1, count = count))
                    .wrapping(text::Wrapping::None),
            )
            .push(step(Icon::Right, t!("picture-next"), Wish::Next, true, after));
    }
    line = line
        .push(
            button(t!("attachment-save"), Kind::Secondary)
                .on_press(SheetMessage::Picture(Message::SavePressed)),
        )
        .push(
            button(t!("picture-open"), Kind::Secondary).on_press(SheetMessage::Picture(Message::OpenPressed)),
        )
        .push(tool(Icon::Close, Wish::Back, Some(SheetMessage::Closed)));
    container(line)
        .padding([gap::S, gap::L])
        .width(Fill)
        .style(style::surface)
        .into()
}
