//! Who wrote a message, to whom, when, and where it lives.

use iced::widget::{column, container, responsive, row, space, text};
use iced::{Center, Element, Fill};
use posthorn_engine::catalog::{Message as Mail, Row};
use posthorn_mime::Verdict;
use posthorn_model::{Address, Protocol, Where};

use super::reading::Reading;
use super::{Message, trust};
use crate::directory::Directory;
use crate::icon::{self, Icon};
use crate::measure::{cut, width};
use crate::shortcut::{self, Wish};
use crate::t;
use crate::theme::{font, size, space as gap, style};
use crate::when::Clock;
use crate::widget::{Kind, Press, hint, press, sign, words};

/// The height of the line that names the authors.
const AUTHORS: f32 = 20.0;
/// As many of them as could ever stand in a line.
const AUTHORS_SHOWN: usize = 50;

/// The people of one header field, as a line.
fn people(addresses: &[Address]) -> String {
    const SHOWN: usize = 6;
    let mut line = addresses
        .iter()
        .take(SHOWN)
        .map(Address::display)
        .collect::<Vec<_>>()
        .join(", ");
    if addresses.len() > SHOWN {
        line = t!(
            "reader-and-more",
            people = line,
            count = (addresses.len() - SHOWN)
        );
    }
    line
}

/// Names with their addresses.
pub(super) fn in_full(addresses: &[Address]) -> String {
    const SHOWN: usize = 50;
    addresses
        .iter()
        .take(SHOWN)
        .map(ToString::to_string)
        .collect::<Vec<_>>()
        .join(", ")
}

/// The header line of an open message.
pub fn header<'a>(reading: &'a Reading, clock: &Clock, detailed: bool) -> Element<'a, Message> {
    let mail = reading.mail();
    let envelope = &mail.envelope;
    let first = row![
        container(responsive(move |room| authors(reading, room.width))).height(AUTHORS),
        words::muted(clock.long(mail.date)).wrapping(text::Wrapping::None)
    ]
    .spacing(gap::M)
    .align_y(Center);
    let to = people(&envelope.to);
    let to = if to.is_empty() {
        t!("reader-to-nobody")
    } else {
        t!("reader-to", people = to)
    };
    let id = reading.id();
    let mut second = row![container(words::muted(to)).width(Fill)]
        .spacing(2)
        .align_y(Center);
    if !reading.read.reading.unsubscribe.is_empty() {
        second = second.push(quiet(t!("reader-unsubscribe"), Message::UnsubscribePressed(id)));
    }
    second = second.push(hint(
        quiet(
            if detailed {
                t!("reader-less")
            } else {
                t!("reader-details")
            },
            Message::DetailsPressed(id),
        ),
        t!("action-details"),
        shortcut::keys_of(Wish::Details),
    ));
    second = second.push(sign(
        icon::icon(Icon::More).width(14).height(14),
        5,
        t!("action-message-menu"),
        shortcut::keys_of(Wish::MessageMenu),
        Some(Message::MenuPressed(id)),
    ));
    let mut all = column![first, second].spacing(2);
    if !reading.read.reading.reply_elsewhere.is_empty() {
        let people = people(&reading.read.reading.reply_elsewhere);
        all = all.push(words::caption(t!("reader-reply-elsewhere", people = people)));
    }
    if detailed {
        all = all.push(details(mail, &reading.read.reading.verdict));
    }
    all.into()
}

/// Names, the mark of trust and addresses of all who wrote it, cut to the room so that it is seen where something is
/// missing.
fn authors(reading: &Reading, room: f32) -> Element<'_, Message> {
    let (names, addresses) = name_authors(reading);
    let mark = trust::mark(reading);
    let mark_room = if mark.is_some() { 15.0 + gap::S } else { 0.0 };
    let room = room - mark_room;
    let strong = font::suited(&names, font::SEMIBOLD);
    let wanted = width(&addresses, size::BODY, font::REGULAR) + gap::S;
    // Names have the most of it, and what the addresses leave.
    let names = cut(&names, size::READING, strong, (room * 0.6).max(room - wanted));
    let left = room - width(&names, size::READING, strong) - gap::S;
    let addresses = cut(&addresses, size::BODY, font::REGULAR, left);
    let mut line = row![
        words::strong(names)
            .font(strong)
            .size(size::READING)
            .wrapping(text::Wrapping::None)
    ]
    .spacing(gap::S)
    .height(AUTHORS)
    .align_y(Center)
    .push(mark);
    if !addresses.is_empty() {
        line = line.push(words::muted(addresses).wrapping(text::Wrapping::None));
    }
    line.into()
}

/// Names where there are some, and the addresses of those who have one.
fn name_authors(reading: &Reading) -> (String, String) {
    let authors = &reading.mail().envelope.from;
    if authors.len() > 1 {
        let authors = authors.get(..AUTHORS_SHOWN).unwrap_or(authors);
        let addresses: Vec<&str> = authors
            .iter()
            .filter(|author| author.name.is_some())
            .map(|author| author.email.as_str())
            .collect();
        return (Address::display_all(authors), addresses.join(", "));
    }
    let Some(sender) = &reading.read.reading.sender else {
        return (t!("list-nobody"), String::new());
    };
    let address = sender.name.as_ref().map(|_| sender.email.clone());
    (sender.label().to_owned(), address.unwrap_or_default())
}

fn quiet<'a>(label: String, message: Message) -> Press<'a, Message> {
    press(words::caption(label))
        .kind(Kind::Quiet)
        .padding([3, 6])
        .on_press(message)
}

fn details<'a>(mail: &'a Mail, verdict: &Verdict) -> Element<'a, Message> {
    let envelope = &mail.envelope;
    let lines = [
        (t!("field-from"), in_full(&envelope.from)),
        (t!("field-to"), in_full(&envelope.to)),
        (t!("field-cc"), in_full(&envelope.cc)),
        (t!("field-reply-to"), in_full(&envelope.reply_to)),
        (
            t!("field-message-id"),
            envelope
                .message_id
                .as_ref()
                .map(ToString::to_string)
                .unwrap_or_default(),
        ),
        (t!("field-size"), crate::when::size(mail.size)),
        (t!("field-defects"), mail.defects.join(", ")),
    ];
    let rows = lines
        .into_iter()
        .chain(trust::details(verdict))
        .filter(|(_, value)| !value.is_empty())
        .map(|(name, value)| {
            row![
                words::caption(name).width(84),
                words::caption(value)
                    .style(text::default)
                    .width(Fill)
                    .wrapping(text::Wrapping::WordOrGlyph)
            ]
            .spacing(gap::S)
            .into()
        });
    container(column(rows).spacing(2))
        .padding(gap::S)
        .width(Fill)
        .style(style::bar)
        .into()
}

/// Where a message lives, in words; quiet where it is the ordinary case.
#[must_use]
pub fn lives(row: &Row, directory: &Directory, clock: &Clock) -> String {
    let pop = directory.protocol(row.account) == Some(Protocol::Pop3);
    match row.lives {
        Where::Both if pop => t!("lives-both-pop3"),
        Where::Both => t!("lives-both-imap"),
        Where::OnlyHere => t!("lives-only-here"),
        Where::HeadersOnly => t!("lives-headers-only"),
        Where::Leaving { on } if on <= clock.now => t!("lives-leaving-next"),
        Where::Leaving { on } => t!("lives-leaving", day = clock.day(on)),
    }
}

/// The line that says where the message lives.
pub fn lives_line<'a>(row: &Row, directory: &Directory, clock: &Clock) -> Element<'a, Message> {
    let icon = match row.lives {
        Where::Both => Icon::Check,
        Where::OnlyHere => Icon::Here,
        Where::HeadersOnly => Icon::Server,
        Where::Leaving { .. } => Icon::Clock,
    };
    iced::widget::row![
        icon::icon(icon).width(13).height(13),
        words::caption(lives(row, directory, clock)),
        space::horizontal()
    ]
    .spacing(6)
    .align_y(Center)
    .into()
}
