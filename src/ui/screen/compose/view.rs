//! The composer, drawn in the reader's place.

use iced::keyboard::key::{Key, Named};
use iced::widget::{column, container, row, scrollable, space, text, text_editor, text_input};
use iced::{Center, Element, Fill};
use posthorn_engine::catalog::Account;

use super::{BODY, Composer, Message, Saved, TO};
use crate::directory::Directory;
use crate::icon::{self, Icon};
use crate::measure::cut;
use crate::t;
use crate::theme::{font, line, size, space as gap, style};
use crate::when;
use crate::widget::{Kind, hint, icon_button, press, rule, sign, words};

const LABEL: f32 = 64.0;
/// The widest that a message is set while it is written.
const MEASURE: f32 = 880.0;

pub fn view<'a>(composer: &'a Composer, directory: &'a Directory) -> Element<'a, Message> {
    let mut all = column![];
    if let Some(error) = &composer.error {
        all = all.push(
            container(
                container(words::body(error.as_str()).style(style::danger))
                    .padding([gap::S, gap::M])
                    .width(Fill)
                    .style(style::danger_bar),
            )
            .padding([gap::S, gap::XL]),
        );
    }
    let writers: Vec<&Account> = directory
        .accounts
        .iter()
        .filter(|account| account.config.outgoing.is_some())
        .collect();
    if writers.len() > 1 {
        all = all.push(senders(composer, &writers)).push(line_between());
    }
    all = all
        .push(field(t!("field-to"), &composer.to, TO, Message::ToTyped))
        .push(line_between());
    if composer.copies {
        all = all
            .push(field(
                t!("field-cc"),
                &composer.cc,
                "compose-cc",
                Message::CcTyped,
            ))
            .push(line_between())
            .push(field(
                t!("field-bcc"),
                &composer.bcc,
                "compose-bcc",
                Message::BccTyped,
            ))
            .push(line_between());
    }
    all = all
        .push(field(
            t!("field-subject"),
            &composer.subject,
            "compose-subject",
            Message::SubjectTyped,
        ))
        .push(line_between());
    all = all.push(editor(composer));
    if !composer.files.is_empty() {
        all = all.push(line_between()).push(files(composer));
    }
    let page = container(all).max_width(MEASURE);
    container(column![bar(composer), rule(), container(page).center_x(Fill)])
        .width(Fill)
        .height(Fill)
        .style(style::ground)
        .into()
}

fn line_between<'a>() -> Element<'a, Message> {
    container(rule()).padding([0.0, gap::XL]).into()
}

fn bar(composer: &Composer) -> Element<'_, Message> {
    let quiet = |glyph, name: String, keys, message| sign(icon::icon(glyph), 7, name, keys, Some(message));
    let said = match &composer.saved {
        Saved::Untouched | Saved::Dirty(_) => String::new(),
        Saved::Saving => t!("compose-saving"),
        Saved::Yes => t!("compose-saved"),
        Saved::Failed(_) => t!("compose-not-saved"),
    };
    let send = icon_button(Icon::Sent, t!("action-send"), Kind::Primary)
        .on_press_maybe((!composer.sending).then_some(Message::SendPressed));
    container(
        row![
            hint(send, t!("action-send"), "Ctrl Enter"),
            quiet(Icon::Attachment, t!("compose-attach"), "", Message::AttachPressed),
            quiet(Icon::Trash, t!("compose-discard"), "", Message::DiscardPressed),
            copies(composer),
            space::horizontal(),
            words::caption(said),
            quiet(Icon::Close, t!("compose-close"), "Esc", Message::ClosePressed),
        ]
        .spacing(gap::S)
        .align_y(Center),
    )
    .padding([0.0, gap::L])
    .center_y(52)
    .into()
}

fn copies(composer: &Composer) -> Element<'_, Message> {
    let label = if composer.copies {
        t!("compose-fewer")
    } else {
        t!("compose-copies")
    };
    press(words::muted(label))
        .kind(Kind::Quiet)
        .padding([6, 8])
        .on_press(Message::CopiesPressed)
        .into()
}

fn senders<'a>(composer: &Composer, accounts: &[&'a Account]) -> Element<'a, Message> {
    let choices = accounts.iter().map(|account| {
        let email = account.config.identity.email.as_str();
        let same = accounts
            .iter()
            .filter(|other| other.config.identity.email == email);
        let name = if same.count() > 1 {
            t!(
                "compose-sender",
                email = email,
                account = account.config.name.as_str()
            )
        } else {
            email.to_owned()
        };
        press(words::body(name))
            .kind(Kind::Row {
                selected: account.id == composer.account,
            })
            .padding([4, 8])
            .on_press(Message::SenderPicked(account.id))
            .into()
    });
    // As tall as they need: in a narrow window they stand below each other.
    let choices = row(choices).spacing(gap::XS).wrap();
    container(labelled(t!("field-from"), choices.into()))
        .padding([6.0, gap::XL])
        .into()
}

fn labelled<'a>(label: String, content: Element<'a, Message>) -> Element<'a, Message> {
    row![words::muted(label).width(LABEL), container(content).width(Fill)]
        .align_y(Center)
        .spacing(gap::XS)
        .into()
}

fn field<'a>(
    label: String,
    value: &str,
    id: &'static str,
    on_input: fn(String) -> Message,
) -> Element<'a, Message> {
    let input = text_input("", value)
        .id(id)
        .on_input(on_input)
        .size(size::BODY)
        .padding([gap::S, gap::XS])
        .style(style::bare_input);
    container(labelled(label, input.into()))
        .padding([0.0, gap::XL])
        .center_y(40)
        .into()
}

/// Keys that the program takes before the editor does.
fn binding(press: text_editor::KeyPress) -> Option<text_editor::Binding<Message>> {
    let focused = matches!(press.status, text_editor::Status::Focused { .. });
    if focused && press.modifiers.command() {
        match (&press.key, press.key.to_latin(press.physical_key)) {
            (Key::Named(Named::Enter), _) => return None,
            (_, Some('z')) if press.modifiers.shift() => {
                return Some(text_editor::Binding::Custom(Message::RedoPressed));
            }
            (_, Some('z')) => return Some(text_editor::Binding::Custom(Message::UndoPressed)),
            (_, Some('y')) => return Some(text_editor::Binding::Custom(Message::RedoPressed)),
            _ => {}
        }
    }
    // Tab leaves the text, as it leaves every field.
    if press.key == Key::Named(Named::Tab) {
        return None;
    }
    text_editor::Binding::from_key_press(press)
}

fn editor(composer: &Composer) -> Element<'_, Message> {
    container(
        text_editor(&composer.body)
            .id(BODY)
            .placeholder(t!("compose-placeholder"))
            .on_action(Message::Edited)
            .key_binding(binding)
            .size(size::READING)
            .line_height(line::READING)
            .height(Fill)
            .padding([gap::M, 0.0])
            .style(style::editor),
    )
    .padding([0.0, gap::XL])
    .height(Fill)
    .into()
}

fn files(composer: &Composer) -> Element<'_, Message> {
    let chips = composer.files.iter().enumerate().map(|(at, file)| {
        let size_ = when::size(u64::try_from(file.bytes.len()).unwrap_or(u64::MAX));
        container(
            row![
                icon::icon(Icon::File),
                words::body(cut(&file.name, size::BODY, font::REGULAR, 200.0)).wrapping(text::Wrapping::None),
                words::caption(size_),
                sign(
                    icon::icon(Icon::Close).width(11).height(11),
                    4,
                    t!("compose-remove-file"),
                    "",
                    Some(Message::FileRemoved(at))
                )
            ]
            .spacing(gap::S)
            .align_y(Center),
        )
        .padding([4.0, gap::S])
        .style(style::card)
        .into()
    });
    container(scrollable(row(chips).spacing(gap::S).wrap().vertical_spacing(gap::S)).style(style::scroll))
        .padding([gap::S, gap::XL])
        .max_height(120)
        .into()
}

/// A composer that waits below the reader.
pub fn chip<'a, M: Clone + 'a>(composer: &Composer, on_press: M) -> Element<'a, M> {
    press(
        row![
            icon::icon(Icon::Drafts),
            words::body(cut(&composer.name(), size::BODY, font::MEDIUM, 220.0))
                .font(font::MEDIUM)
                .wrapping(text::Wrapping::None)
        ]
        .spacing(gap::S)
        .align_y(Center),
    )
    .kind(Kind::Secondary)
    .on_press(on_press)
    .into()
}
