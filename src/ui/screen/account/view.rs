//! The page, drawn: the policy on the left, what it does on the right; one below the other where there is little room.

use iced::widget::{column, container, responsive, row, scrollable, slider, space, text_input};
use iced::{Center, Element, Fill, Theme};
use posthorn_engine::catalog::Account;
use posthorn_engine::forecast::others::Comparison;
use posthorn_model::{Endpoint, Security};

use super::draft::MOST_DAYS;
use super::table::{HEIGHT, Table};
use super::{AccountPage, DAYS, Edit, Leave, Limit, Message, Outlook, Question, Tab, nothing, words as said};
use crate::directory::{Directory, protocol_tag, state_words};
use crate::icon::{self, Icon};
use crate::shortcut::{self, Wish};
use crate::t;
use crate::theme::{self, font, size, space as gap, style};
use crate::when::{self, Clock};
use crate::widget::{Kind, List, Press, button, icon_button, press, rule, sign, words};

/// Below this width the policy stands above the list.
const NARROW: f32 = 900.0;
const LEFT: f32 = 372.0;

pub fn view<'a>(page: &'a AccountPage, directory: &'a Directory, clock: &'a Clock) -> Element<'a, Message> {
    let Some(account) = directory.account(page.account) else {
        return space().into();
    };
    let body = match page.protocol {
        posthorn_model::Protocol::Pop3 => {
            responsive(move |room| pop3(page, clock, room.width < NARROW)).into()
        }
        posthorn_model::Protocol::Imap => imap(account, directory),
    };
    container(column![head(page, account, clock), rule(), body])
        .width(Fill)
        .height(Fill)
        .style(style::ground)
        .into()
}

fn head<'a>(page: &AccountPage, account: &'a Account, clock: &Clock) -> Element<'a, Message> {
    let checked = page.maildrop.as_ref().map(|maildrop| match maildrop.checked_at {
        Some(at) => t!("account-checked", day = clock.within(at)),
        None => t!("account-never-checked"),
    });
    container(
        row![
            sign(
                icon::icon(Icon::Left),
                7,
                t!("key-back"),
                shortcut::keys_of(Wish::Back),
                Some(Message::BackPressed)
            ),
            iced::widget::text(account.config.name.as_str())
                .size(16)
                .font(font::SEMIBOLD)
                .wrapping(iced::widget::text::Wrapping::None),
            container(words::caption(protocol_tag(account.config.protocol)).size(10))
                .padding([1, 4])
                .style(style::tag),
            space::horizontal(),
            words::caption(checked.unwrap_or_default()),
            icon_button(Icon::Refresh, t!("account-check"), Kind::Secondary).on_press(Message::CheckPressed),
            sign(
                icon::icon(Icon::Settings),
                7,
                t!("settings-title"),
                "",
                Some(Message::SettingsPressed)
            ),
        ]
        .spacing(gap::S)
        .align_y(Center),
    )
    .padding([gap::S, gap::M])
    .into()
}

fn pop3<'a>(page: &'a AccountPage, clock: &'a Clock, narrow: bool) -> Element<'a, Message> {
    if narrow {
        let all = column![
            stopped(page),
            policy(page),
            rule(),
            figures(page),
            container(list(page, clock)).height(9.0 * HEIGHT)
        ]
        .spacing(gap::L)
        .padding(gap::L);
        let all = scrollable(all)
            .direction(style::vertical())
            .style(style::scroll)
            .height(Fill);
        return column![all, rule(), foot(page)].into();
    }
    let left = scrollable(container(policy(page)).padding(gap::L))
        .direction(style::vertical())
        .style(style::scroll)
        .height(Fill);
    row![
        container(column![left, rule(), foot(page)])
            .width(LEFT)
            .height(Fill)
            .style(style::sunken),
        column![stopped(page), figures(page), list(page, clock)]
            .spacing(gap::M)
            .padding(iced::Padding {
                top: gap::L,
                right: gap::L,
                bottom: 0.0,
                left: gap::L,
            })
            .width(Fill)
            .height(Fill)
    ]
    .into()
}

/// A round mark before each of several choices.
fn radio<'a>(selected: bool) -> Element<'a, Message> {
    let dot =
        container(space().width(6).height(6)).style(move |theme: &Theme| iced::widget::container::Style {
            background: selected.then(|| theme::tokens(theme).on_accent.into()),
            border: iced::border::rounded(3),
            ..iced::widget::container::Style::default()
        });
    container(dot)
        .center(16)
        .style(move |theme: &Theme| {
            let t = theme::tokens(theme);
            let (fill, line) = if selected {
                (Some(t.accent_fill.into()), t.accent_fill)
            } else {
                (None, t.border)
            };
            iced::widget::container::Style {
                background: fill,
                border: iced::Border {
                    color: line,
                    width: 1.0,
                    radius: 8.0.into(),
                },
                ..iced::widget::container::Style::default()
            }
        })
        .into()
}

fn rule_choice<'a>(page: &AccountPage, leave: Leave, name: String, means: String) -> Element<'a, Message> {
    let selected = page.draft.leave == leave;
    let inside = row![
        radio(selected),
        column![words::body(name).font(font::MEDIUM), words::muted(means)].spacing(2)
    ]
    .spacing(gap::M);
    press(container(inside).width(Fill))
        .kind(Kind::Row { selected })
        .padding(gap::S)
        .width(Fill)
        .on_press(Message::Edited(Edit::Leave(leave)))
        .into()
}

fn policy(page: &AccountPage) -> Element<'_, Message> {
    let draft = &page.draft;
    let days = u64::from(draft.days.parse::<u16>().unwrap_or(0));
    let mut rules = column![
        words::strong(t!("leave-title")),
        rule_choice(
            page,
            Leave::Forever,
            t!("leave-forever"),
            t!("leave-forever-means")
        ),
        rule_choice(
            page,
            Leave::Days,
            t!("leave-days"),
            t!("leave-days-means", days = days)
        ),
    ]
    .spacing(gap::XS);
    if draft.leave == Leave::Days {
        rules = rules.push(days_row(page));
    }
    rules = rules
        .push(rule_choice(
            page,
            Leave::UntilRemoved,
            t!("leave-until-removed"),
            t!("leave-until-removed-means"),
        ))
        .push(rule_choice(
            page,
            Leave::Never,
            t!("leave-never"),
            t!("leave-never-means"),
        ));
    column![rules, limit(page), fetching(page)]
        .spacing(gap::XL)
        .into()
}

/// What is done with the draft: always in sight, for the question it asks is about mail that goes.
fn foot(page: &AccountPage) -> Element<'_, Message> {
    let error = page.error.as_ref().map(|error| {
        container(words::body(error.as_str()).style(style::danger))
            .padding([gap::S, gap::M])
            .width(Fill)
            .style(style::danger_bar)
    });
    let act = match page.question {
        Some(question) => ask(question),
        None => buttons(page),
    };
    container(column![].push(error).push(act).spacing(gap::S))
        .padding([gap::M, gap::L])
        .width(Fill)
        .into()
}

fn days_row(page: &AccountPage) -> Element<'_, Message> {
    let handle = slider(0..=MOST_DAYS, page.draft.slider(), |days| {
        Message::Edited(Edit::Days(days.to_string()))
    })
    .style(style::slider);
    container(
        row![
            handle,
            field(&page.draft.days, DAYS)
                .on_input(|text| Message::Edited(Edit::Days(text)))
                .width(58),
            words::body(t!("leave-days-unit"))
        ]
        .spacing(gap::S)
        .align_y(Center),
    )
    .padding(iced::Padding {
        top: 0.0,
        right: gap::S,
        bottom: gap::S,
        left: 36.0,
    })
    .into()
}

fn field<'a>(value: &str, id: &'static str) -> text_input::TextInput<'a, Message> {
    text_input("", value)
        .id(id)
        .size(size::BODY)
        .padding([5, 8])
        .style(style::input)
}

fn choice<'a>(label: String, selected: bool, edit: Edit) -> Press<'a, Message> {
    press(words::body(label))
        .kind(Kind::Row { selected })
        .padding([4, 9])
        .on_press(Message::Edited(edit))
}

fn limit(page: &AccountPage) -> Element<'_, Message> {
    let draft = &page.draft;
    let mut line = row![
        choice(
            t!("limit-none"),
            draft.limit == Limit::None,
            Edit::Limit(Limit::None)
        ),
        choice(
            t!("limit-messages"),
            draft.limit == Limit::Messages,
            Edit::Limit(Limit::Messages)
        ),
        choice(
            t!("limit-megabytes"),
            draft.limit == Limit::Megabytes,
            Edit::Limit(Limit::Megabytes)
        ),
    ]
    .spacing(2)
    .align_y(Center);
    if draft.limit != Limit::None {
        line = line.push(
            field(&draft.most, "account-limit")
                .on_input(|text| Message::Edited(Edit::LimitTyped(text)))
                .width(72),
        );
    }
    let mut all = column![words::strong(t!("limit-title")), line].spacing(gap::S);
    if draft.limit != Limit::None {
        all = all.push(words::muted(t!("limit-means")));
    }
    all.into()
}

fn fetching(page: &AccountPage) -> Element<'_, Message> {
    let draft = &page.draft;
    let mut all = column![
        words::strong(t!("fetch-title")),
        row![
            choice(t!("fetch-whole"), !draft.headers_first, Edit::HeadersFirst(false)),
            choice(t!("fetch-headers"), draft.headers_first, Edit::HeadersFirst(true)),
        ]
        .spacing(2),
    ]
    .spacing(gap::S);
    if !draft.headers_first {
        all = all.push(
            row![
                words::body(t!("fetch-cap")),
                field(&draft.cap, "account-cap")
                    .on_input(|text| Message::Edited(Edit::Cap(text)))
                    .width(64),
                words::body("MB")
            ]
            .spacing(gap::S)
            .align_y(Center),
        );
    }
    all.push(
        row![
            choice(t!("fetch-oldest"), !draft.newest_first, Edit::NewestFirst(false)),
            choice(t!("fetch-newest"), draft.newest_first, Edit::NewestFirst(true)),
        ]
        .spacing(2),
    )
    .push(
        row![
            words::body(t!("fetch-portion")),
            field(&draft.portion, "account-portion")
                .on_input(|text| Message::Edited(Edit::Portion(text)))
                .width(64),
            words::body(t!("fetch-portion-unit"))
        ]
        .spacing(gap::S)
        .align_y(Center),
    )
    .push(words::muted(t!("fetch-empty-means")))
    .into()
}

fn buttons(page: &AccountPage) -> Element<'_, Message> {
    let changed = page.draft.is_changed();
    let mut line = row![
        button(t!("settings-save"), Kind::Primary).on_press_maybe(changed.then_some(Message::SavePressed)),
    ]
    .spacing(gap::S)
    .align_y(Center);
    if changed {
        line = line.push(button(t!("account-revert"), Kind::Quiet).on_press(Message::RevertPressed));
    }
    if page.saved && !changed {
        line = line.push(words::body(t!("settings-saved")).style(style::success));
    }
    line.into()
}

/// The question before a policy that deletes.
fn ask<'a>(question: Question) -> Element<'a, Message> {
    let next = if question.next.messages > 0 {
        said::counted!("account-ask-next", question.next)
    } else {
        t!("account-ask-none-next")
    };
    let within = (question.within != question.next)
        .then(|| words::body(said::counted!("account-ask-within", question.within)));
    container(
        column![words::strong(next)]
            .push(within)
            .push(words::body(t!("account-ask-kept")))
            .push(
                row![
                    button(t!("account-ask-save"), Kind::Danger).on_press(Message::SaveConfirmed),
                    button(t!("cancel"), Kind::Secondary).on_press(Message::SaveCancelled),
                ]
                .spacing(gap::S),
            )
            .spacing(gap::M),
    )
    .padding(gap::M)
    .width(Fill)
    .style(style::danger_bar)
    .into()
}

/// What the circuit breaker has stopped at: above all else.
fn stopped(page: &AccountPage) -> Option<Element<'_, Message>> {
    let suspicion = page.outlook.as_ref()?.forecast.suspicion.as_ref()?;
    let bar = container(
        row![
            container(words::body(said::suspicion(suspicion))).width(Fill),
            button(t!("account-go-on"), Kind::Secondary).on_press(Message::GoOnPressed)
        ]
        .spacing(gap::M)
        .align_y(Center),
    )
    .padding(gap::M)
    .style(style::danger_bar);
    Some(bar.into())
}

fn figures(page: &AccountPage) -> Element<'_, Message> {
    let Some(outlook) = &page.outlook else {
        return space().into();
    };
    let forecast = &outlook.forecast;
    let stopped = forecast.suspicion.is_some();
    let mut all = column![].spacing(gap::XS);
    for (place, sentence) in said::sentences(&forecast.totals, stopped).into_iter().enumerate() {
        let line = if place == 0 {
            words::strong(sentence).size(size::READING)
        } else {
            words::body(sentence)
        };
        all = all.push(line);
    }
    column![all, others(outlook)].spacing(gap::L).into()
}

/// One, another and a third.
fn enumerate(names: &[&str]) -> String {
    match names {
        [some @ .., last] if !some.is_empty() => t!("list-and", some = some.join(", "), last = *last),
        _ => names.concat(),
    }
}

fn others(outlook: &Outlook) -> Element<'_, Message> {
    if outlook.forecast.lines.is_empty() {
        // With nothing there, all programs do the same, whatever they would do otherwise.
        return space().into();
    }
    let removes = |comparison: &Comparison| comparison.leave_within.messages > 0 || !comparison.has.rule;
    let ours = &outlook.forecast.totals;
    if ours.leave_within.messages == 0 && !outlook.others.iter().any(removes) {
        let programs: Vec<&str> = outlook.others.iter().map(|other| other.client.name()).collect();
        let sentence = t!("others-keep-all", programs = enumerate(&programs));
        return container(words::body(sentence))
            .padding(gap::M)
            .width(Fill)
            .style(style::card)
            .into();
    }
    let head = row![
        words::caption(t!("others-title")).width(Fill),
        words::caption(t!("others-next")).width(130),
        words::caption(t!("others-within")).width(130),
    ]
    .spacing(gap::M);
    let lines = outlook.others.iter().map(other);
    container(
        column![
            head,
            other_line(
                "Posthorn".to_owned(),
                t!("other-ours"),
                ours.leave_next,
                ours.leave_within
            )
        ]
        .extend(lines)
        .spacing(gap::S),
    )
    .padding(gap::M)
    .style(style::card)
    .into()
}

fn other(comparison: &Comparison) -> Element<'_, Message> {
    other_line(
        comparison.client.name().to_owned(),
        said::other(comparison),
        comparison.leave_next,
        comparison.leave_within,
    )
}

fn other_line<'a>(
    name: String,
    what: String,
    next: posthorn_engine::forecast::Count,
    within: posthorn_engine::forecast::Count,
) -> Element<'a, Message> {
    let figure = |count: posthorn_engine::forecast::Count| {
        if count.messages == 0 {
            t!("others-none")
        } else {
            when::count(count.messages)
        }
    };
    row![
        column![words::body(name).font(font::MEDIUM), words::caption(what)].width(Fill),
        words::body(figure(next)).width(130),
        words::body(figure(within)).width(130),
    ]
    .spacing(gap::M)
    .align_y(Center)
    .into()
}

fn list<'a>(page: &'a AccountPage, clock: &'a Clock) -> Element<'a, Message> {
    let tab = |tab, name: String| {
        press(words::body(name).font(font::MEDIUM))
            .kind(Kind::Row {
                selected: page.tab == tab,
            })
            .padding([5, 10])
            .on_press(Message::TabPicked(tab))
    };
    let tabs = row![
        tab(Tab::Ahead, t!("account-tab-ahead")),
        tab(Tab::Deleted, t!("account-tab-deleted")),
    ]
    .spacing(2);
    let content: Element<'a, Message> = match (&page.maildrop, &page.outlook) {
        (Some(maildrop), Some(outlook)) => {
            let table = Table {
                maildrop,
                outlook,
                tab: page.tab,
                clock,
            };
            if crate::widget::Rows::total(&table) == 0 {
                container(words::muted(nothing(page.tab)))
                    .center_x(Fill)
                    .padding(gap::XL)
                    .into()
            } else {
                let subject = if page.tab == Tab::Ahead { 1 } else { 2 };
                List::new(table, HEIGHT, subject, Message::Listed)
                    .id("account-list")
                    .into()
            }
        }
        _ => space().into(),
    };
    column![tabs, rule(), content].spacing(gap::S).height(Fill).into()
}

/// The honest counterpart: the mail is the server's.
fn imap<'a>(account: &'a Account, directory: &'a Directory) -> Element<'a, Message> {
    let here: u64 = directory
        .mailboxes_of(account.id)
        .map(|mailbox| mailbox.total)
        .sum();
    let folders = directory
        .mailboxes_of(account.id)
        .filter(|mailbox| mailbox.selectable)
        .count();
    let incoming = &account.config.incoming;
    let fact = |name: String, value: String| {
        row![words::muted(name).width(170), words::body(value).width(Fill)].spacing(gap::M)
    };
    let outgoing = account
        .config
        .outgoing
        .as_ref()
        .map_or_else(|| t!("account-no-outgoing"), endpoint);
    let all = column![
        words::strong(t!("account-imap-lives", server = incoming.host.clone())).size(size::READING),
        words::body(t!("account-imap-copies", shown = when::count(here), count = here)),
        words::body(t!("account-imap-global")),
        words::body(t!("account-imap-no-backup")),
        rule(),
        words::strong(t!("account-connection")),
        fact(t!("setup-incoming"), endpoint(incoming)),
        fact(t!("setup-outgoing"), outgoing),
        fact(t!("setup-username"), account.config.username.clone()),
        fact(t!("account-state"), state_words(directory.state(account.id))),
        fact(t!("account-mailboxes"), when::count(folders as u64)),
    ]
    .spacing(gap::M)
    .max_width(640)
    .padding(gap::XL);
    scrollable(all)
        .direction(style::vertical())
        .style(style::scroll)
        .width(Fill)
        .height(Fill)
        .into()
}

/// Where a server is, and how what goes there is kept from others.
fn endpoint(endpoint: &Endpoint) -> String {
    let security = match endpoint.security {
        Security::Tls => t!("security-tls"),
        Security::StartTls => t!("security-starttls"),
        Security::None => t!("account-not-encrypted"),
    };
    format!("{endpoint} ({security})")
}
