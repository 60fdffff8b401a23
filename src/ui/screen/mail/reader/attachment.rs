//! What came with a message, as chips: what it is, how large, a look at it, and what can be done with it.

use iced::widget::{column, container, image, row, space, text};
use iced::{Center, ContentFit, Element, Fill};
use posthorn_mime::{Attached, Kind as FileKind};
use posthorn_model::BodyState;

use super::Message;
use super::preview::Preview;
use super::reading::Reading;
use crate::icon::{self, Icon};
use crate::measure::cut;
use crate::shortcut::{self, Wish};
use crate::t;
use crate::theme::{font, size, space as gap, style, tokens};
use crate::when;
use crate::widget::{Drag, Kind, hint, press, rule, sign, words};

/// All of a message's files; nothing where there are none. `drag`: whether they can be dragged away.
pub fn files(reading: &Reading, drag: Drag) -> Option<Element<'_, Message>> {
    let files: Vec<&Attached> = reading.attachments().collect();
    if files.is_empty() {
        return None;
    }
    let here = reading.mail().body == BodyState::Whole;
    let chips = files.iter().map(|file| chip(reading, file, here, drag));
    let mut head = row![
        words::caption(t!("reader-attachments", count = files.len())),
        space::horizontal()
    ]
    .align_y(Center)
    .spacing(gap::S);
    if here && files.len() > 1 {
        let all = press(words::caption(t!("reader-save-all")))
            .kind(Kind::Quiet)
            .padding([2, 6])
            .on_press(Message::SaveAllPressed(reading.id()));
        head = head.push(hint(all, t!("action-save-all"), shortcut::keys_of(Wish::SaveAll)));
    }
    Some(
        column![
            rule(),
            head,
            row(chips).spacing(gap::S).wrap().vertical_spacing(gap::S)
        ]
        .spacing(gap::S)
        .into(),
    )
}

/// The width of a file with a preview; the preview's height.
const CARD: (f32, f32) = (196.0, 116.0);

fn chip<'a>(reading: &'a Reading, file: &Attached, here: bool, drag: Drag) -> Element<'a, Message> {
    let part = &file.part;
    let id = reading.id();
    let name = part.name.clone().unwrap_or_else(|| kind_words(file));
    let preview = reading.previews.get(&part.index);
    let room = if preview.is_some() { CARD.0 - 78.0 } else { 200.0 };
    let save = sign(
        icon::icon(Icon::Save),
        6,
        t!("attachment-save"),
        "",
        here.then(|| Message::SavePressed(id, part.clone())),
    );
    let label = row![
        mark(file),
        column![
            words::body(cut(&name, size::BODY, font::MEDIUM, room))
                .font(font::MEDIUM)
                .wrapping(text::Wrapping::None),
            words::caption(t!(
                "reader-part",
                kind = kind_words(file),
                size = when::size(part.size)
            ))
            .wrapping(text::Wrapping::None)
        ]
        .width(if preview.is_some() { Fill } else { iced::Shrink }),
        save,
    ]
    .spacing(gap::S)
    .align_y(Center);
    let open = here.then(|| Message::PartPressed(id, part.clone()));
    let chip = match preview {
        Some(preview) => press(column![look(preview), label].spacing(gap::S))
            .width(CARD.0)
            .padding(gap::S),
        None => press(label).padding([5, 8]),
    };
    let dragged = here.then(|| Message::PartDragged(id, part.clone()));
    chip.kind(Kind::Secondary)
        .on_press_maybe(open)
        .on_drag_maybe(drag, dragged)
        .into()
}

fn look(preview: &Preview) -> Element<'_, Message> {
    let inner: Element<'_, Message> = match preview {
        Preview::Picture {
            handle,
            width,
            height,
        } => {
            // Small pictures are not blown up.
            let most = (f32::from(u16::try_from(*width).unwrap_or(u16::MAX)))
                .max(f32::from(u16::try_from(*height).unwrap_or(u16::MAX)));
            let fit = if most < CARD.1 {
                ContentFit::None
            } else {
                ContentFit::Contain
            };
            container(image(handle.clone()).content_fit(fit))
                .center(Fill)
                .into()
        }
        Preview::Text(text) => iced::widget::text(text.as_str())
            .size(9)
            .line_height(1.3)
            .style(style::muted)
            .font(font::MONO)
            .wrapping(text::Wrapping::None)
            .into(),
    };
    container(inner)
        .padding(if matches!(preview, Preview::Text(_)) {
            gap::S
        } else {
            0.0
        })
        .width(Fill)
        .height(CARD.1)
        .clip(true)
        .style(style::bar)
        .into()
}

/// The kind, or a warning where opening it should be asked about.
fn mark<'a>(file: &Attached) -> iced::widget::Svg<'a> {
    if file.nature.needs_question() {
        return icon::colored(Icon::Warning, |theme| tokens(theme).warning);
    }
    icon::icon(match file.nature.kind {
        FileKind::Calendar => Icon::Calendar,
        FileKind::Card => Icon::Person,
        FileKind::Message => Icon::Unread,
        FileKind::Picture => Icon::Picture,
        FileKind::Archive => Icon::Archive,
        _ => Icon::File,
    })
}

/// What it is, as people say it.
fn kind_words(file: &Attached) -> String {
    let extension = file.nature.extension.to_uppercase();
    match file.nature.kind {
        FileKind::Pdf => "PDF".to_owned(),
        FileKind::Message => t!("kind-message"),
        FileKind::Calendar => t!("kind-calendar"),
        FileKind::Card => t!("kind-card"),
        FileKind::Picture => t!(
            "kind-picture",
            kind = file
                .nature
                .media_type
                .rsplit('/')
                .next()
                .unwrap_or_default()
                .trim_end_matches("+xml")
                .to_uppercase()
        ),
        FileKind::Sound => t!("kind-sound"),
        FileKind::Film => t!("kind-film"),
        FileKind::Text => t!("kind-text"),
        FileKind::WebPage => t!("kind-web-page"),
        FileKind::Document => t!("kind-document"),
        FileKind::Table => t!("kind-table"),
        FileKind::Slides => t!("kind-slides"),
        FileKind::Archive => t!("kind-archive"),
        FileKind::Program => t!("kind-program"),
        FileKind::DiskImage => t!("kind-disk-image"),
        FileKind::Security => t!("kind-security"),
        FileKind::Font => t!("kind-font"),
        FileKind::Other if extension.is_empty() => t!("kind-file"),
        FileKind::Other => extension,
    }
}
