//! What came with a message and is more than a file: invitations to answer, and contacts.

use iced::widget::{column, container, row, text};
use iced::{Center, Element, Fill};
use posthorn_engine::reading::Invited;
use posthorn_mime::{Card, Invitation, Method, Moment, PartStat};

use super::Message;
use super::reading::Reading;
use crate::icon::{self, Icon};
use crate::t;
use crate::theme::{size, space as gap, style, tokens};
use crate::when::Clock;
use crate::widget::{Kind, button, words};

/// Each invitation and each contact, as a card.
pub fn cards<'a>(reading: &'a Reading, clock: &Clock) -> Vec<Element<'a, Message>> {
    const CONTACTS: usize = 5;
    let read = &reading.read.reading;
    let events = read
        .invitations
        .iter()
        .enumerate()
        .map(|(n, invited)| event(reading, n, invited, clock));
    let contacts = read.cards.iter().take(CONTACTS).map(contact);
    events.chain(contacts).collect()
}

fn event<'a>(reading: &'a Reading, n: usize, invited: &'a Invited, clock: &Clock) -> Element<'a, Message> {
    let event = &invited.invitation;
    let title = if event.summary.is_empty() {
        t!("event-untitled")
    } else {
        event.summary.clone()
    };
    let mut said = column![
        words::caption(kind_words(event)),
        words::strong(title).size(size::READING).style(plain),
        words::body(when(event, clock))
    ]
    .spacing(2);
    if !event.location.is_empty() {
        said = said.push(words::muted(event.location.as_str()));
    }
    if let Some(organizer) = &event.organizer {
        let people = event.attendees.len();
        said = said.push(words::caption(if people > 1 {
            t!("event-by-with", who = organizer.display(), count = people)
        } else {
            t!("event-by", who = organizer.display())
        }));
    }
    let mut all = column![
        row![
            icon::colored(Icon::Calendar, |theme| tokens(theme).accent)
                .width(20)
                .height(20),
            said.width(Fill)
        ]
        .spacing(gap::M)
    ]
    .spacing(gap::M);
    if event.can_answer() {
        let now = invited.answered.or_else(|| event.my_status());
        let answer = |status: PartStat, label: String| {
            let chosen = now == Some(status);
            let kind = if chosen { Kind::Primary } else { Kind::Secondary };
            button(label, kind).on_press(Message::AnswerPressed(reading.id(), n, status))
        };
        all = all.push(
            row![
                answer(PartStat::Accepted, t!("event-accept")),
                answer(PartStat::Tentative, t!("event-tentative")),
                answer(PartStat::Declined, t!("event-decline")),
            ]
            .spacing(gap::S),
        );
    }
    card(all)
}

fn card<'a>(content: iced::widget::Column<'a, Message>) -> Element<'a, Message> {
    container(content)
        .padding(gap::L)
        .width(Fill)
        .style(style::bar)
        .into()
}

/// The text's own colour, within a quiet bar.
fn plain(theme: &iced::Theme) -> text::Style {
    text::Style {
        color: Some(tokens(theme).text),
    }
}

fn kind_words(event: &Invitation) -> String {
    if event.cancelled {
        return t!("event-cancelled");
    }
    match event.method {
        Method::Request => t!("event-invitation"),
        Method::Reply => t!("event-reply"),
        Method::Counter => t!("event-counter"),
        _ => t!("event-plain"),
    }
}

/// From when to when, where the reader is; a zone that nobody knows is named.
fn when(event: &Invitation, clock: &Clock) -> String {
    let Some(start) = &event.start else {
        return t!("event-no-time");
    };
    let from = moment(start, clock);
    let Some(end) = event.end.as_ref().filter(|end| *end != start) else {
        return from;
    };
    let same_day = (start.year, start.month, start.day) == (end.year, end.month, end.day);
    let to = match (end.time, end.at) {
        (Some(_), Some(at)) if same_day => clock.time(at),
        _ => moment(end, clock),
    };
    format!("{from} – {to}")
}

fn moment(moment: &Moment, clock: &Clock) -> String {
    match (moment.at, moment.time) {
        (Some(at), Some(_)) => clock.long(at),
        _ => {
            let day = format!("{:04}-{:02}-{:02}", moment.year, moment.month, moment.day);
            match (moment.time, &moment.zone) {
                (Some((hour, minute)), Some(zone)) => format!("{day} {hour:02}:{minute:02} ({zone})"),
                (Some((hour, minute)), None) => format!("{day} {hour:02}:{minute:02}"),
                (None, _) => day,
            }
        }
    }
}

fn contact(contact: &Card) -> Element<'_, Message> {
    let mut said = column![words::strong(contact.name.as_str()).style(plain)].spacing(2);
    let work = [contact.title.as_str(), contact.organisation.as_str()]
        .into_iter()
        .filter(|text| !text.is_empty())
        .collect::<Vec<_>>()
        .join(" · ");
    for line in [work]
        .into_iter()
        .chain(contact.emails.iter().take(3).cloned())
        .chain(contact.phones.iter().take(3).cloned())
        .chain(contact.addresses.iter().take(1).cloned())
        .filter(|line| !line.is_empty())
    {
        said = said.push(words::muted(line).wrapping(text::Wrapping::WordOrGlyph));
    }
    card(column![
        row![icon::icon(Icon::Person).width(20).height(20), said.width(Fill)]
            .spacing(gap::M)
            .align_y(Center)
    ])
}
