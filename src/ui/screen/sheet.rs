//! Dialogs over the window: moving, the palette, problems, keys, questions.

mod list;
pub mod mailbox;
pub mod picture;
pub mod source;
mod view;

use posthorn_engine::Command;
use posthorn_engine::attachment::Caution;
use posthorn_engine::reading::{PartAt, Unsubscribe};
use posthorn_engine::unsubscribe::By;
use posthorn_mime::{Reason, Target};
use posthorn_model::query::View;
use posthorn_model::{MailboxId, MessageId, NetworkPolicy, Part, Remedy};

use crate::app::{Action, Deed};
use crate::directory::Directory;
use crate::shortcut::Wish;
use list::{Choice, Choices};

pub use view::view;

/// The field of a dialog with choices.
pub const FIELD: &str = "sheet-field";

/// A dialog.
#[derive(Clone, Debug)]
pub enum Sheet {
    Keys,
    Problems,
    /// A link, before it is opened.
    Link(Target),
    /// So many messages are to be deleted for good.
    Delete(usize),
    Move(Choices),
    Palette(Choices),
    /// A file that could do harm, before it is opened.
    Open(PartAt, Part, Vec<Reason>),
    /// How a mailing list is left, before it is.
    Unsubscribe(MessageId, Unsubscribe),
    /// What can be done with the message that is read.
    MessageMenu(Choices),
    /// The message's links.
    Links(Choices, Vec<(String, String)>),
    /// A message as it came.
    Source(source::Source),
    Mailbox(mailbox::Question),
    /// A picture, as large as the window.
    Picture(picture::Viewer),
}

/// What happened in a dialog.
#[derive(Clone, Debug)]
pub enum Message {
    Closed,
    Mailbox(mailbox::Message),
    Typed(String),
    Submitted,
    Chosen(usize),
    Source(source::Message),
    Picture(picture::Message),
    LinkConfirmed,
    OpenConfirmed,
    SaveInstead,
    UnsubscribeConfirmed,
    DeleteConfirmed,
    RemedyPressed(
        Option<posthorn_model::AccountId>,
        Option<posthorn_model::MailboxId>,
        Remedy,
    ),
    ResendPressed(posthorn_model::SubmissionId),
    CancelPressed(posthorn_model::SubmissionId),
    MarkSentPressed(posthorn_model::SubmissionId),
}

/// What a dialog ends with.
#[derive(Clone, Debug)]
pub enum Outcome {
    Stay,
    Close,
    MoveTo(MailboxId, String),
    List(View),
    Wish(Wish),
    Delete,
    OpenLink(String),
    Act(Action),
    /// As [`Outcome::Act`], and the dialog stays.
    Also(Action),
    /// Another dialog takes this one's place.
    Ask(mailbox::Question),
}

fn command(command: Command) -> Outcome {
    Outcome::Act(Action::Do(Deed {
        commands: vec![command],
        said: None,
        undoable: false,
    }))
}

impl Sheet {
    #[must_use]
    pub fn move_to() -> Self {
        Self::Move(Choices::default())
    }

    #[must_use]
    pub fn palette() -> Self {
        Self::Palette(Choices::default())
    }

    /// A link, looked at before it is opened.
    #[must_use]
    pub fn link(text: &str, url: &str) -> Self {
        Self::Link(posthorn_mime::look_at_link(text, url))
    }

    #[must_use]
    pub fn message_menu() -> Self {
        Self::MessageMenu(Choices::default())
    }

    #[must_use]
    pub fn links(links: Vec<(String, String)>) -> Self {
        Self::Links(Choices::default(), links)
    }

    #[must_use]
    pub fn source(raw: &[u8], headers: bool) -> Self {
        Self::Source(source::Source::new(raw, headers))
    }

    /// The field that takes the keyboard.
    #[must_use]
    pub const fn field(&self) -> Option<&'static str> {
        match self {
            Self::Move(_) | Self::Palette(_) | Self::MessageMenu(_) | Self::Links(..) => Some(FIELD),
            Self::Mailbox(question) if question.has_field() => Some(FIELD),
            _ => None,
        }
    }

    fn choices(&mut self) -> Option<&mut Choices> {
        match self {
            Self::Move(choices)
            | Self::Palette(choices)
            | Self::MessageMenu(choices)
            | Self::Links(choices, _) => Some(choices),
            _ => None,
        }
    }

    /// What can be chosen, for what was typed.
    #[must_use]
    pub fn offered(&self, directory: &Directory) -> Vec<Choice> {
        match self {
            Self::Move(choices) => choices.mailboxes(directory),
            Self::Palette(choices) => choices.everything(directory),
            Self::MessageMenu(choices) => choices.of_message(),
            Self::Links(choices, links) => choices.of_links(links),
            _ => Vec::new(),
        }
    }

    fn choose(&self, at: usize, directory: &Directory) -> Outcome {
        let moves = matches!(self, Self::Move(_));
        match self.offered(directory).into_iter().nth(at) {
            Some(Choice::Mailbox { id, name, .. }) if moves => Outcome::MoveTo(id, name),
            Some(Choice::Mailbox { id, .. }) => Outcome::List(View::Mailbox(id)),
            Some(Choice::Wish(wish)) => Outcome::Wish(wish),
            Some(Choice::Link { text, url }) => Outcome::Act(Action::AskLink { text, url }),
            Some(Choice::Account { id, .. }) => Outcome::Act(Action::ShowAccount(id)),
            None => Outcome::Stay,
        }
    }

    pub fn update(&mut self, message: Message, directory: &Directory) -> Outcome {
        match message {
            Message::Closed => Outcome::Close,
            Message::Typed(text) => {
                if let Some(choices) = self.choices() {
                    choices.typed = text;
                    choices.at = 0;
                }
                Outcome::Stay
            }
            Message::Submitted => {
                let at = self.choices().map_or(0, |choices| choices.at);
                self.choose(at, directory)
            }
            Message::Chosen(at) => self.choose(at, directory),
            Message::Source(message) => match self {
                Self::Source(source) => source.update(message),
                _ => Outcome::Stay,
            },
            Message::Picture(message) => match self {
                Self::Picture(viewer) => viewer.update(message),
                _ => Outcome::Stay,
            },
            Message::LinkConfirmed => match self {
                Self::Link(target) if target.openable => Outcome::OpenLink(target.url.clone()),
                _ => Outcome::Close,
            },
            Message::DeleteConfirmed => Outcome::Delete,
            Message::OpenConfirmed => match self {
                Self::Open(at, ..) => Outcome::Act(Action::OpenPart(at.clone(), Caution::Warned)),
                _ => Outcome::Close,
            },
            Message::SaveInstead => match self {
                Self::Open(at, part, _) => Outcome::Act(Action::SavePart(at.clone(), part.clone())),
                _ => Outcome::Close,
            },
            Message::UnsubscribeConfirmed => match self {
                Self::Unsubscribe(id, Unsubscribe::OneClick { .. }) => {
                    Outcome::Act(Action::Unsubscribe(*id, By::OneClick))
                }
                Self::Unsubscribe(id, Unsubscribe::Mail { .. }) => {
                    Outcome::Act(Action::Unsubscribe(*id, By::Mail))
                }
                Self::Unsubscribe(_, Unsubscribe::Web { url }) => Outcome::Act(Action::AskLink {
                    text: String::new(),
                    url: url.clone(),
                }),
                _ => Outcome::Close,
            },
            Message::Mailbox(message) => self.ask_mailbox(message, directory),
            Message::RemedyPressed(account, mailbox, remedy) => remedied(account, mailbox, remedy),
            Message::ResendPressed(id) => command(Command::Resend(id)),
            Message::CancelPressed(id) => command(Command::CancelSubmission(id)),
            Message::MarkSentPressed(id) => command(Command::MarkSent(id)),
        }
    }

    /// Keys, while the dialog is in front. Its field takes Enter itself.
    pub fn wish(&mut self, wish: Wish, directory: &Directory) -> Outcome {
        if let (Self::Picture(viewer), Some(forward)) = (&mut *self, way(wish)) {
            return viewer.step(forward);
        }
        match wish {
            Wish::Back => Outcome::Close,
            Wish::Next => self.step(1, directory),
            Wish::Previous => self.step(-1, directory),
            Wish::ShowKeys if matches!(self, Self::Keys) => Outcome::Close,
            Wish::Open => match self {
                // A link that is not what it seems is not opened by a key that was meant for something else.
                Self::Link(target) if target.openable && target.warnings.is_empty() => {
                    Outcome::OpenLink(target.url.clone())
                }
                Self::Link(_) => Outcome::Stay,
                Self::Keys | Self::Problems | Self::Source(_) | Self::Picture(_) => Outcome::Close,
                Self::Unsubscribe(..) => self.update(Message::UnsubscribeConfirmed, directory),
                // A file that could do harm is never opened by a key that was meant for something else.
                Self::Open(..) => Outcome::Stay,
                Self::Mailbox(_) => self.ask_mailbox(mailbox::Message::Submitted, directory),
                _ => self.update(Message::Submitted, directory),
            },
            _ => Outcome::Stay,
        }
    }

    fn ask_mailbox(&mut self, message: mailbox::Message, directory: &Directory) -> Outcome {
        let Self::Mailbox(question) = self else {
            return Outcome::Close;
        };
        match question.update(message, directory) {
            mailbox::Next::Stay => Outcome::Stay,
            mailbox::Next::Ask(question) => Outcome::Ask(question),
            mailbox::Next::End(outcome) => outcome,
        }
    }

    fn step(&mut self, by: isize, directory: &Directory) -> Outcome {
        if let Self::Mailbox(question) = self {
            question.step(by, directory);
            return Outcome::Stay;
        }
        let last = self.offered(directory).len().saturating_sub(1);
        if let Some(choices) = self.choices() {
            choices.at = choices.at.saturating_add_signed(by).min(last);
        }
        Outcome::Stay
    }
}

/// Which way a key goes among pictures.
const fn way(wish: Wish) -> Option<bool> {
    match wish {
        Wish::Next | Wish::NextInThread => Some(true),
        Wish::Previous | Wish::PreviousInThread => Some(false),
        _ => None,
    }
}

fn remedied(
    account: Option<posthorn_model::AccountId>,
    mailbox: Option<posthorn_model::MailboxId>,
    remedy: Remedy,
) -> Outcome {
    match (remedy, account) {
        (Remedy::TryAgain | Remedy::FreeDiskSpace, _) => {
            command(Command::CheckNow(account.into_iter().collect()))
        }
        (Remedy::EnterPassword | Remedy::CheckSettings | Remedy::InspectCertificate, _) => {
            Outcome::Act(Action::ShowSettings)
        }
        (Remedy::ReviewAndContinue, Some(account)) => command(Command::AcceptDisappearance(account)),
        (Remedy::ReviewAndContinue, None) => Outcome::Close,
        // The problem itself says what else goes.
        (Remedy::ExpungeMailbox, _) => mailbox.map_or(Outcome::Close, |mailbox| {
            command(Command::ExpungeMailbox {
                mailbox,
                with_others: true,
            })
        }),
        (Remedy::WorkOffline, _) => Outcome::Act(Action::SetNetwork(NetworkPolicy::Offline)),
    }
}
