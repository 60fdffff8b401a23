//! The reader, drawn.

use std::time::{Duration, Instant};

use iced::widget::{column, container, responsive, rich_text, row, scrollable, space, span, text};
use iced::{Center, Element, Fill, Theme};
use posthorn_engine::catalog::Row;
use posthorn_model::{BodyState, Flag, MessageId, Part};

use super::block::Block;
use super::{Message, Opened, Reader, Reading, header};
use crate::directory::Directory;
use crate::icon::{self, Icon};
use crate::measure::cut;
use crate::row as card;
use crate::t;
use crate::theme::{self, font, line, size, space as gap, style, tokens};
use crate::when::{self, Clock};
use crate::widget::{Kind, press, rule, words};

/// The widest that text is set, for the eye.
const MEASURE: f32 = 840.0;

/// The whole conversation.
pub fn view<'a>(reader: &'a Reader, directory: &'a Directory, clock: &'a Clock) -> Element<'a, Message> {
    let Some(current) = &reader.current else {
        return empty();
    };
    let title = container(words::title(card::subject(current)).width(Fill)).padding([0.0, 2.0]);
    let mut parts = column![title].spacing(gap::M);
    for row in &reader.thread {
        parts = parts.push(match reader.open.get(&row.message) {
            Some(opened) => open(reader, row, opened, directory, clock),
            None => folded(row, clock),
        });
    }
    scrollable(
        container(container(parts).max_width(MEASURE).padding([gap::L, gap::XL]))
            .center_x(Fill)
            .padding(iced::Padding::default().bottom(gap::XL)),
    )
    .id(current.message.to_string())
    .direction(style::vertical())
    .style(style::scroll)
    .height(Fill)
    .into()
}

fn empty<'a>() -> Element<'a, Message> {
    container(
        column![
            icon::icon(Icon::All).width(28).height(28),
            words::muted(t!("reader-empty")),
            words::caption(t!("reader-empty-keys"))
        ]
        .spacing(gap::S)
        .align_x(Center),
    )
    .center(Fill)
    .into()
}

fn folded<'a>(row: &'a Row, clock: &Clock) -> Element<'a, Message> {
    const LINE: f32 = 17.0;
    let unread = !row.flags.contains(Flag::Seen);
    let who = row
        .from
        .as_ref()
        .map_or_else(|| t!("list-nobody"), |from| from.display().to_owned());
    let weight = font::suited(&who, if unread { font::SEMIBOLD } else { font::MEDIUM });
    let preview = responsive(|room| {
        words::muted(cut(&row.preview, size::BODY, font::REGULAR, room.width))
            .wrapping(text::Wrapping::None)
            .into()
    });
    press(
        row![
            words::body(cut(&who, size::BODY, weight, 170.0))
                .font(weight)
                .width(176)
                .wrapping(text::Wrapping::None),
            container(preview).width(Fill).height(LINE),
            words::muted(clock.short(row.date)).wrapping(text::Wrapping::None)
        ]
        .spacing(gap::M)
        .align_y(Center),
    )
    .kind(Kind::Row { selected: false })
    .padding([gap::S, gap::M])
    .width(Fill)
    .on_press(Message::Toggled(row.message))
    .into()
}

fn open<'a>(
    reader: &'a Reader,
    row: &'a Row,
    opened: &'a Opened,
    directory: &'a Directory,
    clock: &'a Clock,
) -> Element<'a, Message> {
    let content: Element<'a, Message> = match opened {
        Opened::Loading(since) => loading(*since),
        Opened::Failed(error) => failed(row.message, &error.message),
        Opened::Here(reading) => {
            let detailed = reader.details.contains(&row.message);
            let mut all = column![
                header::header(&reading.mail, clock, detailed),
                header::lives_line(row, directory, clock),
                rule(),
            ]
            .spacing(gap::M);
            if reading.from_html {
                all = all.push(html_bar());
            }
            all = all.push(body(reading));
            if let Some(files) = attachments(reading) {
                all = all.push(files);
            }
            all.into()
        }
    };
    container(content)
        .padding(gap::L)
        .width(Fill)
        .style(style::card)
        .into()
}

/// Nothing for a moment: most messages are here before an eye could tell.
fn loading<'a>(since: Instant) -> Element<'a, Message> {
    if since.elapsed() > Duration::from_millis(200) {
        words::muted(t!("reader-loading")).into()
    } else {
        space().height(size::BODY * line::LIST).into()
    }
}

fn failed<'a>(id: MessageId, why: &str) -> Element<'a, Message> {
    column![
        words::body(t!("reader-failed", why = why)),
        crate::widget::button(t!("remedy-try-again"), Kind::Secondary).on_press(Message::RetryPressed(id))
    ]
    .spacing(gap::M)
    .into()
}

fn html_bar<'a>() -> Element<'a, Message> {
    container(
        row![
            icon::icon(Icon::Picture).width(14).height(14),
            words::caption(t!("reader-html-as-text"))
        ]
        .spacing(gap::S)
        .align_y(Center),
    )
    .padding([6.0, gap::M])
    .width(Fill)
    .style(style::bar)
    .into()
}

fn body(reading: &Reading) -> Element<'_, Message> {
    if reading.mail.body == BodyState::Headers && reading.whole == 0 {
        return words::muted(t!("reader-fetching")).into();
    }
    if reading.blocks.is_empty() {
        return words::muted(t!("reader-no-text")).into();
    }
    let mut all = column(reading.blocks.iter().map(set)).spacing(gap::S);
    if reading.shown < reading.whole {
        let rest = u64::try_from(reading.whole - reading.shown).unwrap_or(u64::MAX);
        all = all.push(
            crate::widget::button(t!("reader-show-more", size = when::size(rest)), Kind::Secondary)
                .on_press(Message::MorePressed(reading.mail.id)),
        );
    }
    all.into()
}

fn quote_color(theme: &Theme, depth: usize) -> iced::Color {
    let t = tokens(theme);
    match depth {
        0 => t.text,
        deep => t
            .quotes
            .get((deep - 1) % t.quotes.len())
            .copied()
            .unwrap_or(t.text_muted),
    }
}

fn set(block: &Block) -> Element<'_, Message> {
    let depth = block.depth;
    let spans: Vec<_> = block
        .spans
        .iter()
        .map(|piece| match &piece.url {
            Some(url) => span::<String, iced::Font>(piece.text.as_str())
                .link(url.clone())
                .underline(true),
            None => span(piece.text.as_str()),
        })
        .collect();
    let words = rich_text(spans)
        .on_link_click(Message::LinkPressed)
        .size(size::READING)
        .line_height(line::READING)
        .width(Fill)
        .wrapping(text::Wrapping::WordOrGlyph)
        .style(move |theme| text::Style {
            color: Some(quote_color(theme, depth)),
        });
    if block.depth == 0 {
        return words.into();
    }
    let shown = depth.min(5);
    let mut bars = row![].spacing(gap::S).height(Fill);
    for level in 1..=shown {
        bars = bars.push(
            container(space().width(2).height(Fill)).style(move |theme| container::Style {
                background: Some(quote_color(theme, level).into()),
                ..container::Style::default()
            }),
        );
    }
    let indent = f32::from(u8::try_from(shown).unwrap_or(5)) * (2.0 + gap::S);
    iced::widget::stack![
        container(words).padding(iced::Padding::default().left(indent)),
        bars
    ]
    .into()
}

fn attachments(reading: &Reading) -> Option<Element<'_, Message>> {
    let files: Vec<&Part> = reading.attachments().collect();
    if files.is_empty() {
        return None;
    }
    let here = reading.mail.body == BodyState::Whole;
    let chips = files.iter().map(|part| chip(reading.mail.id, part, here));
    let mut head = row![
        words::caption(t!("reader-attachments", count = files.len())),
        space::horizontal()
    ]
    .align_y(Center)
    .spacing(gap::S);
    if here && files.len() > 1 {
        head = head.push(
            press(words::caption(t!("reader-save-all")))
                .kind(Kind::Quiet)
                .padding([2, 6])
                .on_press(Message::SaveAllPressed(reading.mail.id)),
        );
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

fn chip<'a>(id: MessageId, part: &Part, here: bool) -> Element<'a, Message> {
    let name = part.name.clone().unwrap_or_else(|| part.content_type.clone());
    let glyph = if part.content_type.starts_with("image/") {
        Icon::Picture
    } else {
        Icon::File
    };
    press(
        row![
            icon::icon(glyph),
            column![
                words::body(cut(&name, size::BODY, font::MEDIUM, 200.0))
                    .font(font::MEDIUM)
                    .wrapping(text::Wrapping::None),
                words::caption(t!(
                    "reader-part",
                    kind = kind_words(&part.content_type),
                    size = when::size(part.size)
                ))
            ],
            icon::colored(Icon::Save, |theme| theme::tokens(theme).text_muted)
        ]
        .spacing(gap::S)
        .align_y(Center),
    )
    .kind(Kind::Secondary)
    .padding([6, 10])
    .on_press_maybe(here.then(|| Message::PartPressed(id, part.clone())))
    .into()
}

/// A content type as people say it.
fn kind_words(content_type: &str) -> String {
    match content_type {
        "application/pdf" => "PDF".to_owned(),
        "message/rfc822" => t!("kind-message"),
        "text/calendar" => t!("kind-calendar"),
        "application/zip" => "ZIP".to_owned(),
        other => match other.split_once('/') {
            Some(("image", kind)) => t!("kind-picture", kind = kind.to_ascii_uppercase()),
            Some(("audio", _)) => t!("kind-sound"),
            Some(("video", _)) => t!("kind-film"),
            Some(("text", _)) => t!("kind-text"),
            _ => t!("kind-file"),
        },
    }
}
