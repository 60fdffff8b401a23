//! The reader, drawn.

use std::time::{Duration, Instant};

use iced::widget::{column, container, responsive, rich_text, row, scrollable, space, span, text};
use iced::{Center, Element, Fill, Theme};
use posthorn_engine::catalog::Row;
use posthorn_model::{BodyState, Flag, MessageId};

use super::block::Block;
use super::canvas::Canvas;
use super::page::{card_id, page_id};
use super::reading::Reading;
use super::{Message, Opened, Reader, SCROLL, attachment, bar, event, header};
use crate::directory::Directory;
use crate::icon::{self, Icon};
use crate::measure::cut;
use crate::row as card;
use crate::shortcut::{self, Wish};
use crate::t;
use crate::theme::{font, line, size, space as gap, style, tokens};
use crate::when::{self, Clock};
use crate::widget::page::PageView;
use crate::widget::witness::witness;
use crate::widget::{Kind, hint, press, rule, words};

/// The widest that text is set, for the eye.
const MEASURE: f32 = 840.0;

/// The whole conversation.
pub fn view<'a>(reader: &'a Reader, directory: &'a Directory, clock: &'a Clock) -> Element<'a, Message> {
    let Some(current) = &reader.current else {
        return empty();
    };
    let parts = match reader.inside.last().and_then(|id| reader.reading_of(*id)) {
        Some(inner) => nested(reader, inner, clock),
        None => conversation(reader, current, directory, clock),
    };
    let content = container(container(parts).max_width(MEASURE).padding([gap::L, gap::XL]))
        .center_x(Fill)
        .padding(iced::Padding::default().bottom(gap::XL));
    let scrolled = scrollable(witness(content, reader.place.clone()))
        .id(SCROLL)
        .direction(style::vertical())
        .style(style::scroll)
        .height(Fill);
    let mut all = column![];
    if let Some(find) = &reader.find {
        all = all.push(bar::find(find)).push(rule());
    }
    let mut layers = iced::widget::stack![scrolled];
    if let Some(url) = reader.hovered_link() {
        layers = layers.push(bar::target(url));
    }
    all.push(layers).height(Fill).into()
}

fn conversation<'a>(
    reader: &'a Reader,
    current: &'a Row,
    directory: &'a Directory,
    clock: &'a Clock,
) -> iced::widget::Column<'a, Message> {
    let title = container(words::title(card::subject(current)).width(Fill)).padding([0.0, 2.0]);
    let mut parts = column![title].spacing(gap::M);
    for row in &reader.thread {
        parts = parts.push(match reader.open.get(&row.message) {
            Some(opened) => open(reader, row, opened, directory, clock),
            None => folded(row, clock),
        });
    }
    parts
}

/// A message inside another one, in the conversation's place.
fn nested<'a>(reader: &'a Reader, inner: &'a Reading, clock: &'a Clock) -> iced::widget::Column<'a, Message> {
    let back = press(
        row![
            icon::icon(Icon::Left).width(13).height(13),
            words::caption(t!("reader-nested-back"))
        ]
        .spacing(gap::XS)
        .align_y(Center),
    )
    .kind(Kind::Quiet)
    .padding([4, 8])
    .on_press(Message::NestedClosed);
    let subject = inner.mail().envelope.subject.as_str();
    let subject = if subject.is_empty() {
        t!("list-no-subject")
    } else {
        subject.to_owned()
    };
    let title = container(words::title(subject).width(Fill)).padding([0.0, 2.0]);
    column![
        hint(back, t!("key-back"), shortcut::keys_of(Wish::Back)),
        title,
        container(content(reader, inner, None, clock))
            .padding(gap::L)
            .width(Fill)
            .style(style::card)
    ]
    .spacing(gap::M)
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
    let who = crate::row::authors(row);
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
            let lives = header::lives_line(row, directory, clock);
            self::content(reader, reading, Some(lives), clock)
        }
    };
    let card = container(content).padding(gap::L).width(Fill).style(style::card);
    container(card).id(card_id(row.message)).into()
}

/// The header, what is to be said, the page, and the files.
fn content<'a>(
    reader: &'a Reader,
    reading: &'a Reading,
    lives: Option<Element<'a, Message>>,
    clock: &'a Clock,
) -> Element<'a, Message> {
    let detailed = reader.details.contains(&reading.id());
    let mut all = column![header::header(reading, clock, detailed)]
        .push(lives)
        .push(rule())
        .spacing(gap::M);
    for bar in bar::bars(reading) {
        all = all.push(bar);
    }
    for card in event::cards(reading, clock) {
        all = all.push(card);
    }
    all = all.push(body(reader, reading));
    all.push(attachment::files(reading, reader.drag)).into()
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

fn body<'a>(reader: &'a Reader, reading: &'a Reading) -> Element<'a, Message> {
    if reading.mail().body == BodyState::Headers && reading.is_empty() {
        return words::muted(t!("reader-fetching")).into();
    }
    match reading.drawn() {
        Some(canvas) => drawn(reader, reading, canvas),
        None => text_body(reading),
    }
}

/// The message's page, and the quiet buttons below it.
fn drawn<'a>(reader: &'a Reader, reading: &'a Reading, canvas: &'a Canvas) -> Element<'a, Message> {
    let id = reading.id();
    let slow = canvas
        .waiting()
        .is_some_and(|since| since.elapsed() > Duration::from_millis(200));
    let view = PageView::new(id.0, canvas.shown(), canvas.width(), move |event| {
        Message::Page(id, event)
    })
    .id(page_id(id))
    .marks(reader.marks(id, canvas))
    .skeleton(slow);
    let mut all = column![view].spacing(gap::S);
    let material = canvas.material();
    if material.trims {
        let (glyph, said) = if reading.wanted.quoted {
            (Icon::Up, t!("reader-hide-quoted"))
        } else {
            (Icon::More, t!("reader-show-quoted"))
        };
        let chip = press(icon::icon(glyph))
            .kind(Kind::Secondary)
            .padding([1, 8])
            .on_press(Message::QuotedPressed(id));
        all = all.push(hint(chip, said, shortcut::keys_of(Wish::ShowQuoted)));
    }
    if material.more > 0 {
        all = all.push(more(id, material.more));
    }
    all.into()
}

fn more<'a>(id: MessageId, rest: usize) -> Element<'a, Message> {
    let size = when::size(u64::try_from(rest).unwrap_or(u64::MAX));
    crate::widget::button(t!("reader-show-more", size = size), Kind::Secondary)
        .on_press(Message::MorePressed(id))
        .into()
}

fn text_body(reading: &Reading) -> Element<'_, Message> {
    let Some(text) = reading.set.as_ref().filter(|text| !text.blocks.is_empty()) else {
        return words::muted(t!("reader-no-text")).into();
    };
    let mut all = column(text.blocks.iter().map(set)).spacing(gap::S);
    let links = links(&text.blocks);
    if !links.is_empty() {
        all = all.push(column(links.into_iter().map(link)).spacing(2));
    }
    if text.shown < text.whole {
        all = all.push(more(reading.id(), text.whole - text.shown));
    }
    all.into()
}

/// Where the text's links lead, each once. No key reaches a link within a text of the toolkit's: here one does.
fn links(blocks: &[Block]) -> Vec<&str> {
    const SHOWN: usize = 20;
    let mut found: Vec<&str> = Vec::new();
    let urls = blocks.iter().flat_map(|block| &block.spans);
    for url in urls.filter_map(|piece| piece.url.as_deref()) {
        if found.len() < SHOWN && !found.contains(&url) {
            found.push(url);
        }
    }
    found
}

fn link<'a>(url: &'a str) -> Element<'a, Message> {
    const SIGN: f32 = 13.0;
    let said = responsive(move |room| {
        row![
            icon::icon(Icon::Link).width(SIGN).height(SIGN),
            words::muted(cut(url, size::BODY, font::REGULAR, room.width - SIGN - gap::S))
                .wrapping(text::Wrapping::None)
        ]
        .spacing(gap::S)
        .align_y(Center)
        .into()
    });
    press(container(said).height(size::BODY * line::LIST))
        .kind(Kind::Quiet)
        .padding([2, 4])
        .width(Fill)
        .on_press(Message::LinkPressed(url.to_owned()))
        .into()
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
