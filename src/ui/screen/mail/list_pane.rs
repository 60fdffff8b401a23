//! The list with its search box, and the reader with its tool bar.

use std::time::Duration;

use iced::widget::{column, container, row, space, text, text_input};
use iced::{Center, Element, Fill};
use posthorn_model::query::View;
use posthorn_model::{AccountId, SpecialUse};

use super::{LIST, Mail, Message, SEARCH, reader};
use crate::directory::Directory;
use crate::icon::{self, Icon};
use crate::listing::Subject;
use crate::measure::cut;
use crate::row::{Cards, HEIGHT};
use crate::shortcut::Wish;
use crate::t;
use crate::theme::{font, size, space as gap, style};
use crate::when::{self, Clock};
use crate::widget::{List, rule, sign, tool, words};

/// The height of the bars at the top of both panes.
const BAR: f32 = 52.0;

pub fn view<'a>(
    mail: &'a Mail,
    directory: &'a Directory,
    clock: &'a Clock,
    width: f32,
) -> Element<'a, Message> {
    container(column![
        head(mail, directory, width),
        container(search(mail)).padding(iced::Padding {
            top: 0.0,
            right: gap::M,
            bottom: gap::S,
            left: gap::M,
        }),
        rule(),
        list(mail, directory, clock)
    ])
    .id(super::MIDDLE)
    .width(width)
    .height(Fill)
    .style(style::ground)
    .into()
}

fn head<'a>(mail: &Mail, directory: &Directory, width: f32) -> Element<'a, Message> {
    let title = match &mail.listing.subject {
        Subject::View(view) => directory.title(*view),
        Subject::Search(words) => t!("list-found", words = words.clone()),
    };
    let chosen = mail.listing.selected.len();
    let count = if chosen > 1 {
        t!("list-selected", count = chosen)
    } else if mail.listing.loaded {
        t!(
            "list-count",
            count = mail.listing.total,
            shown = when::count(mail.listing.total)
        )
    } else {
        String::new()
    };
    let taken = crate::measure::width(&count, size::CAPTION, font::REGULAR);
    container(
        row![
            sign(
                icon::icon(Icon::Sidebar),
                7,
                t!("list-sidebar"),
                "",
                Some(Message::SidebarToggled)
            ),
            text(cut(&title, 16.0, font::SEMIBOLD, width - taken - 84.0))
                .size(16)
                .font(font::SEMIBOLD)
                .wrapping(text::Wrapping::None),
            space::horizontal(),
            words::caption(count),
        ]
        .spacing(gap::S)
        .align_y(Center),
    )
    .padding([0.0, gap::M])
    .center_y(BAR)
    .into()
}

fn search(mail: &Mail) -> Element<'_, Message> {
    let field = text_input(&t!("search-placeholder"), &mail.search)
        .id(SEARCH)
        .on_input(Message::SearchTyped)
        .on_submit(Message::SearchSubmitted)
        .size(size::BODY)
        .padding(iced::Padding {
            top: 6.0,
            right: 30.0,
            bottom: 6.0,
            left: 30.0,
        })
        .style(style::search);
    let glass = container(icon::icon(Icon::Search).width(14).height(14)).padding([0.0, 10.0]);
    let mut layers = iced::widget::stack![field, container(glass).center_y(Fill)];
    if !mail.search.is_empty() {
        layers = layers.push(
            container(sign(
                icon::icon(Icon::Close).width(12).height(12),
                4,
                t!("search-clear"),
                "",
                Some(Message::SearchCleared),
            ))
            .align_right(Fill)
            .center_y(Fill)
            .padding([0, 6]),
        );
    }
    layers.into()
}

fn list<'a>(mail: &'a Mail, directory: &'a Directory, clock: &'a Clock) -> Element<'a, Message> {
    let listing = &mail.listing;
    if listing.is_empty() {
        return nothing(mail, directory);
    }
    if !listing.loaded {
        // Nothing at all for a moment: most lists are here before an eye could tell.
        let slow = mail
            .waiting
            .is_some_and(|since| since.elapsed() > Duration::from_millis(200));
        if !slow {
            return space().width(Fill).height(Fill).into();
        }
    }
    let mixed = !matches!(
        listing.subject,
        Subject::View(View::Mailbox(_) | View::Account(_))
    );
    let accounts = if mixed && directory.accounts.len() > 1 {
        directory.accounts.as_slice()
    } else {
        &[]
    };
    let outgoing = match listing.subject {
        Subject::View(view) => directory.is_outgoing(view),
        Subject::Search(_) => false,
    };
    let reveal = listing.cursor.and_then(|cursor| listing.find(cursor));
    let ids: Vec<AccountId> = accounts.iter().map(|account| account.id).collect();
    let cards = Cards {
        listing,
        clock,
        accounts: ids,
        outgoing,
    };
    List::new(cards, HEIGHT, listing.serial, Message::Listed)
        .id(LIST)
        .reveal(reveal, listing.reveal)
        .drags(mail.reader.drag)
        .into()
}

/// What an empty list says: what is so, and what to do next.
fn nothing<'a>(mail: &Mail, directory: &Directory) -> Element<'a, Message> {
    let (glyph, what, next) = match mail.listing.subject {
        Subject::Search(_) => (Icon::Search, t!("empty-search"), t!("empty-search-next")),
        Subject::View(view) => match directory.purpose(view) {
            Some(SpecialUse::Inbox) => (Icon::Inbox, t!("empty-inbox"), t!("empty-inbox-next")),
            Some(SpecialUse::Drafts) => (Icon::Drafts, t!("empty-drafts"), t!("empty-drafts-next")),
            Some(SpecialUse::Trash) => (Icon::Trash, t!("empty-trash"), t!("empty-trash-next")),
            _ => (Icon::Folder, t!("empty-mailbox"), t!("empty-mailbox-next")),
        },
    };
    container(
        column![
            icon::icon(glyph).width(28).height(28),
            words::body(what).font(font::MEDIUM),
            words::caption(next).center()
        ]
        .spacing(gap::S)
        .align_x(Center),
    )
    .padding(gap::XL)
    .center(Fill)
    .into()
}

/// The reader's pane.
pub fn reading<'a>(mail: &'a Mail, directory: &'a Directory, clock: &'a Clock) -> Element<'a, Message> {
    let any = !mail.listing.selected.is_empty();
    let one = mail.reader.current.is_some();
    let act = |wish: Wish, on: bool| on.then_some(Message::WishPressed(wish));
    let starred = any
        && mail
            .chosen()
            .all(|row| row.flags.contains(posthorn_model::Flag::Flagged));
    let gap_between = || space().width(gap::S);
    let bar = row![
        tool(Icon::Reply, Wish::Reply, act(Wish::Reply, one)),
        tool(Icon::ReplyAll, Wish::ReplyAll, act(Wish::ReplyAll, one)),
        tool(Icon::Forward, Wish::Forward, act(Wish::Forward, one)),
        gap_between(),
        tool(Icon::Archive, Wish::Archive, act(Wish::Archive, any)),
        tool(Icon::Trash, Wish::Delete, act(Wish::Delete, any)),
        tool(Icon::Junk, Wish::Junk, act(Wish::Junk, any)),
        tool(Icon::Move, Wish::Move, act(Wish::Move, any)),
        gap_between(),
        tool(Icon::Unread, Wish::ToggleUnread, act(Wish::ToggleUnread, any)),
        tool(
            if starred { Icon::StarFull } else { Icon::Star },
            Wish::ToggleStar,
            act(Wish::ToggleStar, any)
        ),
        space::horizontal(),
    ]
    .spacing(2)
    .align_y(Center);
    container(column![
        container(bar).padding([0.0, gap::L]).center_y(BAR),
        rule(),
        reader::view(&mail.reader, directory, clock).map(Message::Reader)
    ])
    .width(Fill)
    .height(Fill)
    .style(style::ground)
    .into()
}

/// The pane with the messages below it that wait to be written on.
pub fn with_waiting<'a, M: 'a>(pane: Element<'a, M>, waiting: Vec<Element<'a, M>>) -> Element<'a, M> {
    if waiting.is_empty() {
        return pane;
    }
    column![
        container(pane).height(Fill),
        rule(),
        container(row(waiting).spacing(gap::S))
            .padding([gap::S, gap::L])
            .width(Fill)
            .style(style::ground)
    ]
    .into()
}
