//! The dialogs, drawn.

use iced::widget::{column, container, row, scrollable, space, text, text_input};
use iced::{Center, Element, Fill};
use posthorn_engine::catalog::Submission;
use posthorn_engine::reading::Unsubscribe;
use posthorn_mime::{LinkWarning, Reason, Target};
use posthorn_model::{Part, Problem, Remedy, SubmissionState};

use super::list::Choice;
use super::{FIELD, Message, Sheet};
use crate::directory::Directory;
use crate::icon::{self, Icon};
use crate::measure::cut;
use crate::shortcut::{self, Group, Wish};
use crate::t;
use crate::theme::{font, size, space as gap, style, tokens};
use crate::when::Clock;
use crate::widget::{Kind, button, press, rule, sign, warnings, words};

/// The dialog's card; the caller lays it over the window. A picture takes all of that.
pub fn view<'a>(sheet: &'a Sheet, directory: &'a Directory, clock: &Clock) -> Element<'a, Message> {
    let (width, content) = match sheet {
        Sheet::Mailbox(question) => super::mailbox::view(question, directory),
        Sheet::Keys => (980.0, keys()),
        Sheet::Problems => (560.0, problems(directory, clock)),
        Sheet::Link(target) => (520.0, link(target)),
        Sheet::Open(_, part, reasons) => (500.0, open_file(part, reasons)),
        Sheet::Unsubscribe(_, way) => (460.0, unsubscribe(way)),
        Sheet::Delete(count) => (420.0, delete(*count)),
        Sheet::Move(choices) => (
            460.0,
            list(sheet, directory, t!("move-title"), &choices.typed, choices.at),
        ),
        Sheet::MessageMenu(choices) => (
            460.0,
            list(
                sheet,
                directory,
                t!("message-menu-title"),
                &choices.typed,
                choices.at,
            ),
        ),
        Sheet::Links(choices, _) => (
            560.0,
            list(sheet, directory, t!("links-title"), &choices.typed, choices.at),
        ),
        Sheet::Picture(viewer) => return super::picture::view(viewer),
        Sheet::Source(source) => (860.0, super::source::view(source).map(Message::Source)),
        Sheet::Palette(choices) => (
            520.0,
            list(sheet, directory, t!("palette-title"), &choices.typed, choices.at),
        ),
    };
    container(content)
        .padding(gap::L)
        .width(width)
        .style(style::floating)
        .into()
}

/// The cross of a dialog.
pub(super) fn closer<'a, M: Clone + 'a>(message: M) -> Element<'a, M> {
    let cross = icon::icon(Icon::Close).width(13).height(13);
    sign(
        cross,
        6,
        t!("close"),
        shortcut::keys_of(Wish::Back),
        Some(message),
    )
}

pub(super) fn heading<'a>(words_: String) -> Element<'a, Message> {
    row![
        text(words_).size(16).font(font::SEMIBOLD),
        space::horizontal(),
        closer(Message::Closed)
    ]
    .align_y(Center)
    .into()
}

fn keys<'a>() -> Element<'a, Message> {
    let group = |wanted: Group, name: String| {
        let lines = shortcut::sheet()
            .filter(|(group, _, _)| *group == wanted)
            .map(|(_, keys, name)| {
                row![
                    container(
                        container(words::caption(shortcut::spell(keys)).font(font::MEDIUM))
                            .padding([1, 6])
                            .style(style::tag)
                    )
                    .align_right(96),
                    words::body(name).width(Fill)
                ]
                .spacing(gap::S)
                .align_y(Center)
                .into()
            });
        column![
            words::caption(name).font(font::SEMIBOLD),
            column(lines).spacing(6)
        ]
        .spacing(gap::S)
        .width(if wanted == Group::Reading {
            iced::FillPortion(13)
        } else {
            iced::FillPortion(10)
        })
    };
    column![
        heading(t!("keys-title")),
        row![
            group(Group::Around, t!("keys-around")),
            group(Group::Message, t!("keys-message")),
            group(Group::Reading, t!("keys-reading")),
            group(Group::Window, t!("keys-window")),
        ]
        .spacing(gap::L)
    ]
    .spacing(gap::M)
    .into()
}

fn link(target: &Target) -> Element<'_, Message> {
    let risky = !target.warnings.is_empty();
    let kind = if risky { Kind::Danger } else { Kind::Primary };
    let buttons = if target.openable {
        answers(t!("link-open"), kind, Message::LinkConfirmed)
    } else {
        row![
            space::horizontal(),
            button(t!("cancel"), Kind::Secondary).on_press(Message::Closed)
        ]
        .into()
    };
    column![
        heading(t!("link-title")),
        words::muted(t!("link-leads")),
        container(words::body(target.url.as_str()).wrapping(text::Wrapping::WordOrGlyph))
            .padding(gap::M)
            .width(Fill)
            .style(style::bar),
        warnings(target.warnings.iter().map(link_words)),
        buttons,
    ]
    .spacing(gap::M)
    .into()
}

fn link_words(warning: &LinkWarning) -> String {
    match warning {
        LinkWarning::Refused(scheme) => t!("link-warn-refused", scheme = scheme.as_str()),
        LinkWarning::OtherHost { shown, target } => {
            t!(
                "link-warn-other",
                shown = shown.as_str(),
                target = target.as_str()
            )
        }
        LinkWarning::DeceptiveHost(host) => t!("link-warn-deceptive", host = host.as_str()),
        LinkWarning::UserInfo(shown) => t!("link-warn-user", shown = shown.as_str()),
        LinkWarning::NumericHost(host) => t!("link-warn-numeric", host = host.as_str()),
        LinkWarning::OddPort(port) => t!("link-warn-port", port = port.to_string()),
        LinkWarning::VeryLong => t!("link-warn-long"),
        LinkWarning::HiddenCharacters => t!("link-warn-hidden"),
    }
}

fn reason_words(reason: &Reason) -> String {
    match reason {
        Reason::Program => t!("risk-program"),
        Reason::Script => t!("risk-script"),
        Reason::Shortcut => t!("risk-shortcut"),
        Reason::DiskImage => t!("risk-disk-image"),
        Reason::WebPage => t!("risk-web-page"),
        Reason::Macros => t!("risk-macros"),
        Reason::Holds(name) => t!("risk-holds", name = name.as_str()),
        Reason::Locked => t!("risk-locked"),
        Reason::DoubleExtension(shown) => t!("risk-double", shown = shown.as_str()),
        Reason::NotWhatItSays(found) => t!("risk-not-what", found = found.as_str()),
        Reason::HiddenInName => t!("risk-hidden"),
    }
}

fn open_file<'a>(part: &'a Part, reasons: &'a [Reason]) -> Element<'a, Message> {
    let name = part.name.clone().unwrap_or_else(|| part.content_type.clone());
    column![
        heading(t!("open-title")),
        words::body(t!("open-means", name = name)).wrapping(text::Wrapping::WordOrGlyph),
        warnings(reasons.iter().map(reason_words)),
        row![
            button(t!("open-anyway"), Kind::Danger).on_press(Message::OpenConfirmed),
            space::horizontal(),
            button(t!("cancel"), Kind::Secondary).on_press(Message::Closed),
            button(t!("open-save"), Kind::Primary).on_press(Message::SaveInstead)
        ]
        .spacing(gap::S)
    ]
    .spacing(gap::M)
    .into()
}

fn unsubscribe(way: &Unsubscribe) -> Element<'_, Message> {
    let (what, yes) = match way {
        Unsubscribe::OneClick { host, .. } => (
            t!("unsubscribe-post", host = host.as_str()),
            t!("unsubscribe-confirm"),
        ),
        Unsubscribe::Mail { to } => (
            t!("unsubscribe-mail", to = to.email.as_str()),
            t!("unsubscribe-confirm"),
        ),
        Unsubscribe::Web { url } => (t!("unsubscribe-web", url = url.as_str()), t!("unsubscribe-visit")),
    };
    column![
        heading(t!("unsubscribe-title")),
        words::body(what).wrapping(text::Wrapping::WordOrGlyph),
        answers(yes, Kind::Primary, Message::UnsubscribeConfirmed),
    ]
    .spacing(gap::M)
    .into()
}

fn delete<'a>(count: usize) -> Element<'a, Message> {
    column![
        heading(t!("delete-title", count = count)),
        words::body(t!("delete-means")),
        answers(t!("delete-confirm"), Kind::Danger, Message::DeleteConfirmed),
    ]
    .spacing(gap::M)
    .into()
}

pub(super) fn answers<'a>(yes: String, kind: Kind, message: Message) -> Element<'a, Message> {
    row![
        space::horizontal(),
        button(t!("cancel"), Kind::Secondary).on_press(Message::Closed),
        button(yes, kind).on_press(message)
    ]
    .spacing(gap::S)
    .into()
}

fn list<'a>(
    sheet: &Sheet,
    directory: &Directory,
    title: String,
    typed: &str,
    at: usize,
) -> Element<'a, Message> {
    let field = text_input(&title, typed)
        .id(FIELD)
        .on_input(Message::Typed)
        .on_submit(Message::Submitted)
        .size(size::READING)
        .padding([8, 10])
        .style(style::input);
    let offered = sheet.offered(directory);
    let mut lines = column![].spacing(1);
    if offered.is_empty() {
        lines = lines.push(container(words::muted(t!("palette-nothing"))).padding([gap::S, gap::M]));
    }
    for (n, choice) in offered.into_iter().enumerate() {
        let selected = n == at;
        let (glyph, name, extra) = match choice {
            Choice::Mailbox {
                name, account, icon, ..
            } => (icon, name, account),
            Choice::Wish(wish) => (
                Icon::Right,
                shortcut::name(wish),
                shortcut::spell(shortcut::keys_of(wish)),
            ),
            Choice::Link { text, url } => (
                Icon::Link,
                cut(&text, size::BODY, font::REGULAR, 220.0),
                cut(&url, size::CAPTION, font::REGULAR, 250.0),
            ),
            Choice::Account { name, .. } => (Icon::Server, t!("account-open"), name),
        };
        lines = lines.push(
            press(
                row![
                    icon::icon(glyph).width(15).height(15),
                    words::body(name).width(Fill),
                    words::caption(extra)
                ]
                .spacing(gap::M)
                .align_y(Center),
            )
            .kind(Kind::Row { selected })
            .padding([7.0, gap::M])
            .width(Fill)
            .on_press(Message::Chosen(n)),
        );
    }
    column![field, lines].spacing(gap::S).into()
}

fn problems<'a>(directory: &'a Directory, clock: &Clock) -> Element<'a, Message> {
    let mut all = column![].spacing(gap::M);
    for problem in &directory.problems {
        all = all.push(problem_card(problem, directory, clock));
    }
    for submission in &directory.stuck {
        all = all.push(stuck_card(submission));
    }
    if directory.problems.is_empty() && directory.stuck.is_empty() {
        all = all.push(words::muted(t!("problems-none")));
    }
    column![
        heading(t!("problems-title")),
        rule(),
        container(
            scrollable(all.padding(iced::Padding::default().right(gap::M)))
                .direction(style::vertical())
                .style(style::scroll)
        )
        .max_height(460)
    ]
    .spacing(gap::M)
    .into()
}

fn problem_card<'a>(problem: &'a Problem, directory: &'a Directory, clock: &Clock) -> Element<'a, Message> {
    let who = problem
        .account
        .and_then(|id| directory.account(id))
        .map_or_else(|| t!("problems-program"), |account| account.config.name.clone());
    let remedies = problem.remedies.iter().map(|remedy| {
        // It cannot be taken back.
        let kind = match remedy {
            Remedy::ExpungeMailbox => Kind::Danger,
            _ => Kind::Secondary,
        };
        button(remedy_words(*remedy), kind)
            .on_press(Message::RemedyPressed(problem.account, problem.mailbox, *remedy))
            .into()
    });
    container(
        row![
            icon::colored(Icon::Warning, |theme| tokens(theme).danger),
            column![
                row![
                    words::strong(who),
                    space::horizontal(),
                    words::caption(t!("problems-since", when = clock.within(problem.since)))
                ]
                .spacing(gap::S),
                words::body(problem.detail.as_str()),
                row(remedies).spacing(gap::S).wrap()
            ]
            .spacing(gap::S)
        ]
        .spacing(gap::M),
    )
    .padding(gap::M)
    .width(Fill)
    .style(style::card)
    .into()
}

fn stuck_card(submission: &Submission) -> Element<'_, Message> {
    let id = submission.id;
    let uncertain = submission.state == SubmissionState::Uncertain;
    let what = if uncertain {
        t!("outbox-uncertain", subject = submission.subject.as_str())
    } else {
        t!("outbox-held", subject = submission.subject.as_str())
    };
    let mut buttons = row![
        button(t!("outbox-resend"), Kind::Secondary).on_press(Message::ResendPressed(id)),
        button(t!("outbox-cancel"), Kind::Secondary).on_press(Message::CancelPressed(id))
    ]
    .spacing(gap::S);
    if uncertain {
        buttons = buttons
            .push(button(t!("outbox-mark-sent"), Kind::Secondary).on_press(Message::MarkSentPressed(id)));
    }
    let mut said = column![words::body(what)].spacing(gap::S);
    if !submission.reply.is_empty() {
        said = said.push(words::muted(t!(
            "outbox-reply",
            reply = submission.reply.as_str()
        )));
    }
    container(
        row![
            icon::colored(Icon::Sent, |theme| tokens(theme).danger),
            said.push(buttons)
        ]
        .spacing(gap::M),
    )
    .padding(gap::M)
    .width(Fill)
    .style(style::card)
    .into()
}

fn remedy_words(remedy: Remedy) -> String {
    match remedy {
        Remedy::TryAgain => t!("remedy-try-again"),
        Remedy::EnterPassword => t!("remedy-enter-password"),
        Remedy::CheckSettings => t!("remedy-check-settings"),
        Remedy::InspectCertificate => t!("remedy-inspect-certificate"),
        Remedy::FreeDiskSpace => t!("remedy-free-disk-space"),
        Remedy::ReviewAndContinue => t!("remedy-review"),
        Remedy::WorkOffline => t!("remedy-work-offline"),
        Remedy::ExpungeMailbox => t!("remedy-expunge-mailbox"),
    }
}
