//! The quiet bars around a message: what was found, where a link leads, what was not drawn.

use iced::widget::{column, container, row, space, text, text_input};
use iced::{Bottom, Center, Element, Fill, Left};
use posthorn_engine::reading::{AskWhy, PictureRule, ReceiptState};
use posthorn_html::page::{BlockedKind, Failure, Page};

use super::canvas::Canvas;
use super::find::Find;
use super::reading::{Pictures, Reading};
use super::{FIND, Message, trust};
use crate::icon::{self, Icon};
use crate::measure::cut;
use crate::shortcut::{self, Wish};
use crate::t;
use crate::theme::{font, size, space as gap, style, tokens};
use crate::widget::{Kind, Press, hint, press, sign, words};

/// The find bar, above the conversation.
pub fn find(find: &Find) -> Element<'_, Message> {
    let field = text_input(&t!("find-placeholder"), &find.words)
        .id(FIND)
        .on_input(Message::FindTyped)
        .size(size::BODY)
        .padding([5, 10])
        .width(260)
        .style(style::input);
    let count = match (find.words.trim().is_empty(), find.count()) {
        (true, _) => String::new(),
        (false, 0) => t!("find-none"),
        (false, count) => t!("find-count", place = find.place(), count = count),
    };
    let step = |glyph: Icon, wish: Wish, forward: bool| {
        let pressed = (find.count() > 0).then_some(Message::FindStepped(forward));
        let glyph = icon::icon(glyph).width(14).height(14);
        sign(glyph, 6, shortcut::name(wish), shortcut::keys_of(wish), pressed)
    };
    container(
        row![
            field,
            step(Icon::Up, Wish::FindPrevious, false),
            step(Icon::Down, Wish::FindNext, true),
            words::caption(count),
            space::horizontal(),
            sign(
                icon::icon(Icon::Close).width(12).height(12),
                6,
                t!("close"),
                shortcut::keys_of(Wish::Back),
                Some(Message::FindClosed)
            )
        ]
        .spacing(gap::XS)
        .align_y(Center),
    )
    .padding([gap::S, gap::XL])
    .into()
}

/// Where the link under the pointer really leads, at the bottom of the pane.
pub fn target(url: &str) -> Element<'_, Message> {
    const WIDEST: f32 = 560.0;
    let shown = cut(url, size::CAPTION, font::REGULAR, WIDEST);
    container(
        container(
            words::caption(shown)
                .wrapping(text::Wrapping::None)
                .style(|theme| text::Style {
                    color: Some(tokens(theme).on_inverse),
                }),
        )
        .padding([3.0, gap::S])
        .style(style::tooltip),
    )
    .padding(gap::XS)
    .width(Fill)
    .height(Fill)
    .align_x(Left)
    .align_y(Bottom)
    .into()
}

/// What is to be said above a message.
pub fn bars(reading: &Reading) -> Vec<Element<'_, Message>> {
    let mut all: Vec<_> = trust::warnings(reading).into_iter().collect();
    all.extend(receipt(reading));
    if let Some(failure) = reading.canvas.as_ref().and_then(Canvas::failure) {
        all.push(quiet(Icon::File, failure_words(failure)));
    } else if reading.canvas.is_none() && reading.mail().html.is_some() {
        all.push(quiet(Icon::File, t!("reader-html-as-text")));
    }
    if let Some(canvas) = reading.drawn()
        && let Some(page) = canvas.page()
    {
        all.extend(pictures(reading, page));
    }
    all
}

/// The sender wants to be told that the message was read.
fn receipt<'a>(reading: &Reading) -> Option<Element<'a, Message>> {
    let id = reading.id();
    let Some(ReceiptState::Open(asked)) = &reading.read.reading.receipt else {
        return None;
    };
    let to = asked.to.first().map(|to| to.email.clone()).unwrap_or_default();
    let said = if asked.elsewhere {
        t!("receipt-asked-elsewhere", to = to)
    } else {
        t!("receipt-asked")
    };
    let line = row![
        icon::icon(Icon::Check).width(14).height(14),
        words::caption(said).width(Fill),
        action(t!("receipt-send"), Message::ReceiptPressed(id, true)),
        action(t!("receipt-no"), Message::ReceiptPressed(id, false)),
    ]
    .spacing(gap::S)
    .align_y(Center);
    Some(
        container(line)
            .padding([6.0, gap::M])
            .width(Fill)
            .style(style::bar)
            .into(),
    )
}

/// How it stands with pictures on servers, and who tried to learn that the message was opened.
fn pictures<'a>(reading: &Reading, page: &Page) -> Option<Element<'a, Message>> {
    let id = reading.id();
    let trackers = trackers(page);
    let mut line = row![icon::icon(Icon::Picture).width(14).height(14)]
        .spacing(gap::S)
        .align_y(Center);
    let count = page.remote.len();
    match (reading.pictures, reading.read.reading.pictures) {
        (Pictures::Coming, _) => line = line.push(words::caption(t!("pictures-coming"))),
        (Pictures::Here { missing }, _) if missing > 0 => {
            line = line.push(words::caption(t!("pictures-missing", count = missing)));
        }
        (Pictures::Off, rule) if count > 0 => {
            line = line.push(words::caption(off_words(rule, count)));
            line = line.push(space::horizontal());
            if rule != PictureRule::Never {
                line = line.push(hint(
                    action(t!("pictures-once"), Message::PicturesPressed(id)),
                    t!("action-pictures"),
                    shortcut::keys_of(Wish::ShowPictures),
                ));
                line = line.push(action(t!("pictures-always"), Message::AlwaysPressed(id)));
            }
        }
        _ if trackers.is_none() => return None,
        _ => {}
    }
    let blocked = trackers.map(|said| words::caption(said).width(Fill));
    let all = match (line_is_empty(reading, count), blocked) {
        (true, blocked) => column![line.push(blocked)],
        (false, blocked) => column![line]
            .push(blocked.map(|said| container(said).padding(iced::Padding::default().left(14.0 + gap::S)))),
    };
    Some(
        container(all.spacing(gap::XS))
            .padding([6.0, gap::M])
            .width(Fill)
            .style(style::bar)
            .into(),
    )
}

/// Nothing is said but of trackers.
fn line_is_empty(reading: &Reading, count: usize) -> bool {
    match reading.pictures {
        Pictures::Coming => false,
        Pictures::Here { missing } => missing == 0,
        Pictures::Off => count == 0,
    }
}

fn off_words(rule: PictureRule, count: usize) -> String {
    match rule {
        PictureRule::Ask(AskWhy::Junk) => t!("pictures-off-junk", count = count),
        PictureRule::Ask(AskWhy::NotVerified) => t!("pictures-off-unverified", count = count),
        PictureRule::Ask(AskWhy::Metered) => t!("pictures-off-metered", count = count),
        PictureRule::Never => t!("pictures-never", count = count),
        _ => t!("pictures-off", count = count),
    }
}

/// Who is named: the hosts of what only tells that a message was opened.
fn trackers(page: &Page) -> Option<String> {
    const NAMED: usize = 3;
    let mut hosts: Vec<&str> = Vec::new();
    let mut count = 0_usize;
    for blocked in &page.blocked {
        if blocked.kind == BlockedKind::Tracker {
            count += 1;
            let host = host_of(&blocked.url);
            if !hosts.contains(&host) {
                hosts.push(host);
            }
        }
    }
    let named = hosts.iter().take(NAMED).copied().collect::<Vec<_>>().join(", ");
    (count > 0).then(|| t!("pictures-trackers", count = count, hosts = named))
}

fn host_of(url: &str) -> &str {
    let rest = url.split_once("://").map_or(url, |(_, rest)| rest);
    let authority = rest.split(['/', '?', '#']).next().unwrap_or(rest);
    authority.rsplit('@').next().unwrap_or(authority)
}

fn action<'a>(label: String, message: Message) -> Press<'a, Message> {
    press(words::caption(label).style(style::accent).font(font::MEDIUM))
        .kind(Kind::Quiet)
        .padding([2, 6])
        .on_press(message)
}

fn quiet<'a>(glyph: Icon, said: String) -> Element<'a, Message> {
    container(
        row![icon::icon(glyph).width(14).height(14), words::caption(said)]
            .spacing(gap::S)
            .align_y(Center),
    )
    .padding([6.0, gap::M])
    .width(Fill)
    .style(style::bar)
    .into()
}

fn failure_words(failure: Failure) -> String {
    match failure {
        Failure::TooSlow => t!("failure-too-slow"),
        Failure::TooLarge => t!("failure-too-large"),
        Failure::NoProcess => t!("failure-no-process"),
        Failure::Died | Failure::Gone | Failure::Unreadable => t!("failure-died"),
    }
}
