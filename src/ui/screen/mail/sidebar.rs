//! Where mail is: the inboxes together, then every account with its mailboxes.

use iced::widget::{column, container, row, scrollable, space, text};
use iced::{Center, Element, Fill, Theme};
use posthorn_engine::AccountState;
use posthorn_engine::catalog::{Account, Mailbox};
use posthorn_model::query::View;

use super::{Mail, Message};
use crate::directory::{Directory, mailbox_icon, protocol_tag, state_words};
use crate::icon::{self, Icon};
use crate::listing::Subject;
use crate::measure::cut;
use crate::shortcut::{self, Wish};
use crate::t;
use crate::theme::{account_color, font, size, space as gap, style, tokens};
use crate::when;
use crate::widget::{Kind, Press, hint, icon_button, press, sign, words};

pub fn view<'a>(mail: &Mail, directory: &'a Directory, width: f32) -> Element<'a, Message> {
    let room = width - 2.0 * gap::S;
    let compose = icon_button(Icon::Compose, t!("action-compose"), Kind::Primary)
        .width(Fill)
        .on_press(Message::WishPressed(Wish::Compose));
    let mut rows = column![item(
        Icon::Inbox,
        t!("view-all-inboxes"),
        directory.inbox_unread(),
        is_shown(mail, View::Inbox),
        0.0,
        room,
        View::Inbox,
    )]
    .spacing(1);
    for (n, account) in directory.accounts.iter().enumerate() {
        let folded = mail.folded.contains(&account.id);
        rows = rows.push(heading(account, n, directory, folded, room));
        if !folded {
            for mailbox in directory.mailboxes_of(account.id) {
                rows = rows.push(mailbox_row(mailbox, mail, directory, room));
            }
        }
    }
    let foot = row![
        sign(
            icon::icon(Icon::Settings),
            7,
            t!("settings-title"),
            shortcut::keys_of(Wish::Settings),
            Some(Message::SettingsPressed)
        ),
        space::horizontal(),
        sign(
            icon::icon(Icon::Refresh),
            7,
            t!("action-check-now"),
            shortcut::keys_of(Wish::CheckNow),
            Some(Message::WishPressed(Wish::CheckNow))
        ),
    ]
    .align_y(Center);
    container(
        column![
            container(compose).padding([0.0, gap::XS]),
            scrollable(container(rows).width(Fill))
                .direction(style::vertical())
                .style(style::scroll)
                .height(Fill),
            foot
        ]
        .spacing(gap::M),
    )
    .id(super::LEFT)
    .padding(iced::Padding {
        top: gap::M,
        right: gap::S,
        bottom: gap::XS,
        left: gap::S,
    })
    .width(width)
    .height(Fill)
    .style(style::sunken)
    .into()
}

fn is_shown(mail: &Mail, view: View) -> bool {
    mail.view == view && matches!(mail.listing.subject, Subject::View(_))
}

fn heading<'a>(
    account: &'a Account,
    n: usize,
    directory: &Directory,
    folded: bool,
    room: f32,
) -> Element<'a, Message> {
    let state = directory.state(account.id);
    let tag = protocol_tag(account.config.protocol);
    let dot = container(space().width(8).height(8)).style(move |theme: &Theme| {
        let t = tokens(theme);
        let color = match state {
            AccountState::Ready => t.success,
            AccountState::Syncing => t.accent,
            AccountState::Offline => t.border,
            AccountState::NeedsUser => t.danger,
        };
        container::Style {
            background: Some(color.into()),
            border: iced::border::rounded(4),
            ..container::Style::default()
        }
    });
    let bar = container(space().width(crate::theme::ACCOUNT_BAR).height(14)).style(move |theme: &Theme| {
        container::Style {
            background: Some(account_color(tokens(theme), n).into()),
            border: iced::border::rounded(1.5),
            ..container::Style::default()
        }
    });
    let name = cut(&account.config.name, size::BODY, font::SEMIBOLD, room - 136.0);
    let arrow = if folded { Icon::Right } else { Icon::Down };
    let line = row![
        bar,
        words::strong(name).wrapping(text::Wrapping::None).width(Fill),
        container(words::caption(tag).size(10))
            .padding([1, 4])
            .style(style::tag),
        hint(dot, state_words(state), ""),
        icon::icon(arrow).width(11).height(11),
    ]
    .spacing(7)
    .align_y(Center);
    let server = sign(
        icon::icon(Icon::Server).width(14).height(14),
        6,
        t!("account-open"),
        "",
        Some(Message::ServerPressed(account.id)),
    );
    container(
        row![
            press(line)
                .kind(Kind::Row { selected: false })
                .padding([5.0, gap::S])
                .width(Fill)
                .on_press(Message::AccountToggled(account.id))
                .on_menu(Message::MenuAsked(account.id, None)),
            server,
        ]
        .align_y(Center),
    )
    .padding(iced::Padding::default().top(gap::M))
    .into()
}

fn mailbox_row<'a>(
    mailbox: &'a Mailbox,
    mail: &Mail,
    directory: &Directory,
    room: f32,
) -> Element<'a, Message> {
    let (depth, name) = directory.place(mailbox);
    let view = View::Mailbox(mailbox.id);
    item(
        mailbox_icon(mailbox.special_use),
        name,
        mailbox.unread,
        is_shown(mail, view),
        f32::from(u8::try_from(depth.min(4)).unwrap_or(4)) * gap::M,
        room,
        view,
    )
    .on_menu(Message::MenuAsked(mailbox.account, Some(mailbox.id)))
    .into()
}

fn item<'a>(
    glyph: Icon,
    name: String,
    unread: u64,
    selected: bool,
    indent: f32,
    room: f32,
    view: View,
) -> Press<'a, Message> {
    let figures = if unread > 0 {
        when::count(unread)
    } else {
        String::new()
    };
    let weight = if unread > 0 || selected {
        font::MEDIUM
    } else {
        font::REGULAR
    };
    let taken = crate::measure::width(&figures, size::CAPTION, font::MEDIUM);
    let name = cut(&name, size::BODY, weight, room - indent - taken - 56.0);
    let color = move |theme: &Theme| {
        let t = tokens(theme);
        if selected { t.accent } else { t.text_muted }
    };
    let line = row![
        icon::colored(glyph, color).width(15).height(15),
        words::body(name)
            .font(weight)
            .wrapping(text::Wrapping::None)
            .width(Fill),
        words::caption(figures).font(font::MEDIUM)
    ]
    .spacing(gap::S)
    .align_y(Center);
    let row = press(line);
    let row = if selected { row.id(super::SHOWN) } else { row };
    row.kind(Kind::Row { selected })
        .padding(iced::Padding {
            top: 5.0,
            right: gap::S,
            bottom: 5.0,
            left: gap::S + indent,
        })
        .width(Fill)
        .on_press(Message::ViewPicked(view))
}
