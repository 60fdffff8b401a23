//! The settings, drawn: accounts on the left, the chosen one on the right.

use iced::widget::{column, container, row, scrollable, space, text};
use iced::{Center, Element, Fill};
use posthorn_engine::Network;
use posthorn_model::{Appearance, NetworkPolicy};

use super::{Message, Settings, removal_words};
use crate::directory::{Directory, protocol_tag};
use crate::icon::Icon;
use crate::measure::cut;
use crate::screen::setup::form::Form;
use crate::screen::setup::{form_view, report_view};
use crate::shortcut::{self, Wish};
use crate::t;
use crate::theme::{font, size, space as gap, style};
use crate::widget::{Kind, button, icon_button, press, rule, sign, words};

pub fn view<'a>(
    settings: &'a Settings,
    directory: &'a Directory,
    appearance: Appearance,
) -> Element<'a, Message> {
    let page = match &settings.form {
        Some(form) => account_page(settings, form),
        None => window_page(appearance, directory),
    };
    row![
        index(settings, directory),
        container(
            scrollable(container(page).max_width(720).padding([gap::XL, gap::XXL]))
                .direction(style::vertical())
                .style(style::scroll)
                .width(Fill)
        )
        .width(Fill)
        .height(Fill)
        .style(style::ground)
    ]
    .into()
}

fn index<'a>(settings: &Settings, directory: &'a Directory) -> Element<'a, Message> {
    let accounts = directory.accounts.iter().map(|account| {
        let name = cut(&account.config.name, size::BODY, font::MEDIUM, 130.0);
        press(
            row![
                words::body(name)
                    .font(font::MEDIUM)
                    .wrapping(text::Wrapping::None)
                    .width(Fill),
                container(words::caption(protocol_tag(account.config.protocol)).size(10))
                    .padding([1, 4])
                    .style(style::tag)
            ]
            .spacing(gap::S)
            .align_y(Center),
        )
        .kind(Kind::Row {
            selected: settings.account == Some(account.id),
        })
        .padding([6.0, gap::S])
        .width(Fill)
        .on_press(Message::AccountPicked(account.id))
        .into()
    });
    container(
        column![
            row![
                sign(
                    crate::icon::icon(Icon::Left),
                    7,
                    t!("key-back"),
                    shortcut::keys_of(Wish::Back),
                    Some(Message::BackPressed)
                ),
                text(t!("settings-title")).size(16).font(font::SEMIBOLD)
            ]
            .spacing(gap::S)
            .align_y(Center),
            words::caption(t!("settings-accounts")),
            column(accounts).spacing(1),
            icon_button(Icon::Plus, t!("settings-add"), Kind::Quiet).on_press(Message::AddPressed),
            rule(),
            press(words::body(t!("settings-window")).font(font::MEDIUM))
                .kind(Kind::Row {
                    selected: settings.form.is_none(),
                })
                .padding([6.0, gap::S])
                .width(Fill)
                .on_press(Message::WindowPicked),
        ]
        .spacing(gap::S),
    )
    .padding(gap::M)
    .width(240)
    .height(Fill)
    .style(style::sunken)
    .into()
}

fn account_page<'a>(settings: &'a Settings, form: &'a Form) -> Element<'a, Message> {
    let mut all = column![
        row![
            words::title(form.email.as_str()),
            container(words::caption(protocol_tag(form.protocol)))
                .padding([1, 5])
                .style(style::tag)
        ]
        .spacing(gap::M)
        .align_y(Center),
        row![
            container(words::muted(server_words(form))).width(Fill),
            icon_button(Icon::Server, t!("account-open"), Kind::Secondary).on_press(Message::ServerPressed)
        ]
        .spacing(gap::M)
        .align_y(Center),
        form_view(form).map(Message::Form),
    ]
    .spacing(gap::L);
    if let Some(report) = &settings.report {
        all = all.push(report_view(report));
    }
    if let Some(error) = &settings.error {
        all = all.push(
            container(words::body(error.as_str()).style(style::danger))
                .padding([gap::S, gap::M])
                .width(Fill)
                .style(style::danger_bar),
        );
    }
    let mut buttons = row![].spacing(gap::M).align_y(Center);
    buttons = buttons.push(
        button(t!("settings-save"), Kind::Primary)
            .on_press_maybe(settings.changed.then_some(Message::SavePressed)),
    );
    let test = if settings.testing {
        t!("setup-testing")
    } else {
        t!("settings-test")
    };
    buttons = buttons.push(
        button(test, Kind::Secondary).on_press_maybe((!settings.testing).then_some(Message::TestPressed)),
    );
    if settings.saved {
        buttons = buttons.push(words::body(t!("settings-saved")).style(style::success));
    }
    all = all.push(buttons).push(rule());
    all.push(removal(settings, form)).into()
}

/// What stays on the server, in a sentence.
fn server_words(form: &Form) -> String {
    match form.protocol {
        posthorn_model::Protocol::Imap => t!("account-imap-global"),
        posthorn_model::Protocol::Pop3 => form.leave.means(&form.days),
    }
}

fn removal<'a>(settings: &Settings, form: &'a Form) -> Element<'a, Message> {
    if !settings.removing {
        return row![
            container(words::muted(t!("remove-title"))).width(Fill),
            button(t!("remove-button"), Kind::Secondary).on_press(Message::RemovePressed)
        ]
        .align_y(Center)
        .into();
    }
    container(
        column![
            words::strong(t!("remove-question", name = form.name.clone())),
            words::body(removal_words(form)),
            row![
                space::horizontal(),
                button(t!("cancel"), Kind::Secondary).on_press(Message::RemoveCancelled),
                button(t!("remove-confirm"), Kind::Danger).on_press(Message::RemoveConfirmed)
            ]
            .spacing(gap::S)
        ]
        .spacing(gap::M),
    )
    .padding(gap::L)
    .style(style::danger_bar)
    .into()
}

fn window_page<'a>(appearance: Appearance, directory: &Directory) -> Element<'a, Message> {
    let choices = Appearance::ALL.into_iter().map(|choice| {
        let name = match choice {
            Appearance::System => t!("appearance-system"),
            Appearance::Light => t!("appearance-light"),
            Appearance::Dark => t!("appearance-dark"),
        };
        press(words::body(name))
            .kind(Kind::Row {
                selected: choice == appearance,
            })
            .padding([6, 12])
            .on_press(Message::AppearancePicked(choice))
            .into()
    });
    column![
        words::title(t!("settings-window")),
        words::caption(t!("appearance-title")),
        row(choices).spacing(gap::XS),
        words::caption(t!("network-title")),
        network(directory.network),
    ]
    .spacing(gap::M)
    .into()
}

fn network<'a>(network: Network) -> Element<'a, Message> {
    let choices = NetworkPolicy::ALL.into_iter().map(|choice| {
        let name = match choice {
            NetworkPolicy::Online => t!("network-online"),
            NetworkPolicy::Metered => t!("network-metered"),
            NetworkPolicy::Offline => t!("network-offline"),
        };
        press(words::body(name))
            .kind(Kind::Row {
                selected: choice == network.chosen,
            })
            .padding([6, 12])
            .on_press(Message::NetworkPicked(choice))
            .into()
    });
    let meaning = match network.chosen {
        NetworkPolicy::Online if network.metered => t!("network-system-metered"),
        NetworkPolicy::Online => t!("network-online-means"),
        NetworkPolicy::Metered => t!("network-metered-means"),
        NetworkPolicy::Offline => t!("network-offline-means"),
    };
    column![row(choices).spacing(gap::XS), words::muted(meaning)]
        .spacing(gap::S)
        .into()
}
