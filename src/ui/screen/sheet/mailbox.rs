//! Dialogs about mailboxes: what can be done with one, its name, and the question before it goes.

use iced::widget::{column, row, space, text_input};
use iced::{Center, Element, Fill};
use posthorn_engine::Command;
use posthorn_engine::catalog::Mailbox;
use posthorn_model::{AccountId, MailboxId, Protocol, SpecialUse};

use super::view::{answers, heading};
use super::{FIELD, Outcome};
use crate::app::{Action, Deed};
use crate::directory::{Directory, mailbox_name};
use crate::icon::{self, Icon};
use crate::t;
use crate::theme::{size, space as gap, style};
use crate::widget::{Kind, button, press, words};

/// What is asked.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum Question {
    /// What to do with this mailbox, or with the account where none is named.
    Menu {
        account: AccountId,
        mailbox: Option<MailboxId>,
        at: usize,
    },
    /// Its name, within another one where that is named.
    New {
        account: AccountId,
        within: Option<MailboxId>,
        typed: String,
    },
    Rename {
        mailbox: MailboxId,
        typed: String,
    },
    Delete(MailboxId),
}

/// A line of the menu.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Act {
    New,
    Rename,
    Delete,
    Subscribe(bool),
}

/// What happened in the dialog.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum Message {
    ActChosen(Act),
    Typed(String),
    Submitted,
}

/// What comes of it.
pub enum Next {
    Stay,
    Ask(Question),
    End(Outcome),
}

impl Question {
    #[must_use]
    pub const fn menu(account: AccountId, mailbox: Option<MailboxId>) -> Self {
        Self::Menu {
            account,
            mailbox,
            at: 0,
        }
    }

    /// Whether it has a field that takes the keyboard.
    #[must_use]
    pub const fn has_field(&self) -> bool {
        matches!(self, Self::New { .. } | Self::Rename { .. })
    }

    /// The menu's lines.
    #[must_use]
    pub fn acts(&self, directory: &Directory) -> Vec<Act> {
        let Self::Menu { account, mailbox, .. } = self else {
            return Vec::new();
        };
        let Some(mailbox) = mailbox.and_then(|id| directory.mailbox(id)) else {
            return vec![Act::New];
        };
        let mut acts = vec![Act::New];
        if may_change(mailbox) {
            acts.extend([Act::Rename, Act::Delete]);
        }
        let imap = directory
            .account(*account)
            .is_some_and(|account| account.config.protocol == Protocol::Imap);
        if imap && !mailbox.local {
            acts.push(Act::Subscribe(!mailbox.subscribed));
        }
        acts
    }

    pub fn step(&mut self, by: isize, directory: &Directory) {
        let last = self.acts(directory).len().saturating_sub(1);
        if let Self::Menu { at, .. } = self {
            *at = at.saturating_add_signed(by).min(last);
        }
    }

    pub fn update(&mut self, message: Message, directory: &Directory) -> Next {
        match message {
            Message::ActChosen(act) => self.choose(act, directory),
            Message::Typed(text) => {
                if let Self::New { typed, .. } | Self::Rename { typed, .. } = self {
                    *typed = text;
                }
                Next::Stay
            }
            Message::Submitted => self.submit(directory),
        }
    }

    fn choose(&self, act: Act, directory: &Directory) -> Next {
        let Self::Menu { account, mailbox, .. } = self else {
            return Next::Stay;
        };
        let named = mailbox.and_then(|id| directory.mailbox(id));
        match (act, named) {
            (Act::New, _) => Next::Ask(Self::New {
                account: *account,
                within: *mailbox,
                typed: String::new(),
            }),
            (Act::Rename, Some(mailbox)) => Next::Ask(Self::Rename {
                mailbox: mailbox.id,
                typed: mailbox.name.leaf().to_owned(),
            }),
            (Act::Delete, Some(mailbox)) => Next::Ask(Self::Delete(mailbox.id)),
            (Act::Subscribe(on), Some(mailbox)) => {
                let wish = Command::SubscribeMailbox {
                    mailbox: mailbox.id,
                    on,
                };
                let name = mailbox_name(mailbox);
                Next::End(done(
                    wish,
                    if on {
                        t!("done-subscribed", name = name)
                    } else {
                        t!("done-unsubscribed", name = name)
                    },
                ))
            }
            (_, None) => Next::Stay,
        }
    }

    /// Enter, or the button.
    fn submit(&self, directory: &Directory) -> Next {
        match self {
            Self::Menu { at, .. } => match self.acts(directory).into_iter().nth(*at) {
                Some(act) => self.choose(act, directory),
                None => Next::Stay,
            },
            Self::New { typed, .. } | Self::Rename { typed, .. } if typed.trim().is_empty() => Next::Stay,
            Self::New {
                account,
                within,
                typed,
            } => {
                let name = typed.trim();
                let path = match within.and_then(|id| directory.mailbox(id)) {
                    Some(parent) => format!("{}/{name}", parent.name.path),
                    None => name.to_owned(),
                };
                let wish = Command::CreateMailbox {
                    account: *account,
                    path,
                };
                Next::End(done(wish, t!("done-mailbox-made", name = name)))
            }
            Self::Rename { mailbox, typed } => {
                let Some(known) = directory.mailbox(*mailbox) else {
                    return Next::End(Outcome::Close);
                };
                let name = typed.trim();
                let path = match known.name.path.rsplit_once('/') {
                    Some((parent, _)) => format!("{parent}/{name}"),
                    None => name.to_owned(),
                };
                if path == known.name.path {
                    return Next::End(Outcome::Close);
                }
                let wish = Command::RenameMailbox {
                    mailbox: *mailbox,
                    path,
                };
                Next::End(done(wish, t!("done-mailbox-renamed", name = name)))
            }
            Self::Delete(mailbox) => {
                let Some(known) = directory.mailbox(*mailbox) else {
                    return Next::End(Outcome::Close);
                };
                let wish = Command::DeleteMailbox {
                    mailbox: *mailbox,
                    with_messages: true,
                };
                let name = mailbox_name(known);
                Next::End(done(wish, t!("done-mailbox-deleted", name = name)))
            }
        }
    }
}

fn done(command: Command, said: String) -> Outcome {
    Outcome::Act(Action::Do(Deed::undoable(vec![command], said)))
}

/// The inbox always is, and a local account needs its few.
fn may_change(mailbox: &Mailbox) -> bool {
    mailbox.special_use != Some(SpecialUse::Inbox) && !(mailbox.local && mailbox.special_use.is_some())
}

/// How many messages and mailboxes go with this one.
fn contents(mailbox: &Mailbox, directory: &Directory) -> (u64, usize) {
    let prefix = format!("{}/", mailbox.name.path);
    let below: Vec<&Mailbox> = directory
        .mailboxes_of(mailbox.account)
        .filter(|other| other.name.path.starts_with(&prefix))
        .collect();
    let messages = below.iter().map(|other| other.total).sum::<u64>() + mailbox.total;
    (messages, below.len())
}

/// The dialog's content, and its width.
pub fn view<'a>(question: &'a Question, directory: &'a Directory) -> (f32, Element<'a, super::Message>) {
    let content = match question {
        Question::Menu { account, mailbox, at } => {
            return (320.0, menu(question, directory, *account, *mailbox, *at));
        }
        Question::New {
            account,
            within,
            typed,
        } => {
            let parent = within.and_then(|id| directory.mailbox(id));
            let account = directory.account(*account);
            let place = match (parent, account) {
                (Some(parent), _) => t!("mailbox-new-within", name = mailbox_name(parent)),
                (None, Some(account)) => t!("mailbox-new-in", name = account.config.name.as_str()),
                (None, None) => String::new(),
            };
            name_form(t!("mailbox-new-title"), place, typed, t!("mailbox-new-confirm"))
        }
        Question::Rename { typed, .. } => name_form(
            t!("mailbox-rename-title"),
            String::new(),
            typed,
            t!("mailbox-rename-confirm"),
        ),
        Question::Delete(id) => match directory.mailbox(*id) {
            Some(mailbox) => delete(mailbox, directory),
            None => heading(t!("mailbox-delete-gone")),
        },
    };
    (420.0, content)
}

fn menu<'a>(
    question: &Question,
    directory: &'a Directory,
    account: AccountId,
    mailbox: Option<MailboxId>,
    at: usize,
) -> Element<'a, super::Message> {
    let title = match mailbox.and_then(|id| directory.mailbox(id)) {
        Some(mailbox) => mailbox_name(mailbox),
        None => directory
            .account(account)
            .map_or_else(String::new, |account| account.config.name.clone()),
    };
    let mut lines = column![].spacing(1);
    for (n, act) in question.acts(directory).into_iter().enumerate() {
        let (glyph, name) = match act {
            Act::New if mailbox.is_some() => (Icon::Folder, t!("mailbox-act-new-within")),
            Act::New => (Icon::Folder, t!("mailbox-act-new")),
            Act::Rename => (Icon::Compose, t!("mailbox-act-rename")),
            Act::Delete => (Icon::Trash, t!("mailbox-act-delete")),
            Act::Subscribe(true) => (Icon::Right, t!("mailbox-act-subscribe")),
            Act::Subscribe(false) => (Icon::Right, t!("mailbox-act-unsubscribe")),
        };
        lines = lines.push(
            press(
                row![
                    icon::icon(glyph).width(15).height(15),
                    words::body(name).width(Fill)
                ]
                .spacing(gap::M)
                .align_y(Center),
            )
            .kind(Kind::Row { selected: n == at })
            .padding([7.0, gap::M])
            .width(Fill)
            .on_press(super::Message::Mailbox(Message::ActChosen(act))),
        );
    }
    column![heading(title), lines].spacing(gap::S).into()
}

fn name_form<'a>(title: String, place: String, typed: &str, yes: String) -> Element<'a, super::Message> {
    let field = text_input(&t!("mailbox-name"), typed)
        .id(FIELD)
        .on_input(|text| super::Message::Mailbox(Message::Typed(text)))
        .on_submit(super::Message::Mailbox(Message::Submitted))
        .size(size::READING)
        .padding([8, 10])
        .style(style::input);
    let mut content = column![heading(title)].spacing(gap::M);
    if !place.is_empty() {
        content = content.push(words::muted(place));
    }
    let ready = (!typed.trim().is_empty()).then_some(super::Message::Mailbox(Message::Submitted));
    content
        .push(field)
        .push(
            row![
                space::horizontal(),
                button(t!("cancel"), Kind::Secondary).on_press(super::Message::Closed),
                button(yes, Kind::Primary).on_press_maybe(ready)
            ]
            .spacing(gap::S),
        )
        .into()
}

fn delete<'a>(mailbox: &Mailbox, directory: &Directory) -> Element<'a, super::Message> {
    let (messages, below) = contents(mailbox, directory);
    let mut content =
        column![heading(t!("mailbox-delete-title", name = mailbox_name(mailbox)))].spacing(gap::M);
    content = content.push(words::body(if messages > 0 {
        t!("mailbox-delete-messages", count = messages)
    } else {
        t!("mailbox-delete-empty")
    }));
    if below > 0 {
        content = content.push(words::body(t!("mailbox-delete-below", count = below)));
    }
    content
        .push(answers(
            t!("mailbox-delete-confirm"),
            Kind::Danger,
            super::Message::Mailbox(Message::Submitted),
        ))
        .into()
}
