//! What a dialog with a field offers: mailboxes, and for the palette every command too.

use posthorn_model::MailboxId;

use crate::directory::{Directory, mailbox_icon, mailbox_name};
use crate::icon::Icon;
use crate::shortcut::{self, Wish};

/// More would not be read.
const SHOWN: usize = 9;

/// What was typed, and which line is chosen.
#[derive(Clone, Debug, Default)]
pub struct Choices {
    pub typed: String,
    pub at: usize,
}

/// One line.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum Choice {
    Mailbox {
        id: MailboxId,
        name: String,
        account: String,
        icon: Icon,
    },
    Wish(Wish),
}

const COMMANDS: [Wish; 20] = [
    Wish::Compose,
    Wish::Reply,
    Wish::ReplyAll,
    Wish::Forward,
    Wish::Archive,
    Wish::Delete,
    Wish::Move,
    Wish::ToggleUnread,
    Wish::ToggleStar,
    Wish::Junk,
    Wish::Undo,
    Wish::Search,
    Wish::SelectAll,
    Wish::CheckNow,
    Wish::GoInbox,
    Wish::GoSent,
    Wish::GoDrafts,
    Wish::ShowKeys,
    Wish::ZoomIn,
    Wish::ZoomOut,
];

/// How well words match what was typed: the smaller the better. Letters must follow one another, not closely.
fn rank(words: &str, typed: &str) -> Option<usize> {
    let words = words.to_lowercase();
    let typed = typed.trim().to_lowercase();
    if let Some(at) = words.find(&typed) {
        return Some(at);
    }
    let mut rest = words.chars();
    typed
        .chars()
        .filter(|c| !c.is_whitespace())
        .all(|wanted| rest.any(|c| c == wanted))
        .then_some(1000)
}

impl Choices {
    fn best(&self, all: impl Iterator<Item = (String, Choice)>) -> Vec<Choice> {
        let mut found: Vec<(usize, Choice)> = all
            .filter_map(|(words, choice)| Some((rank(&words, &self.typed)?, choice)))
            .collect();
        found.sort_by_key(|(rank, _)| *rank);
        found.truncate(SHOWN);
        found.into_iter().map(|(_, choice)| choice).collect()
    }

    fn of_mailboxes(directory: &Directory) -> impl Iterator<Item = (String, Choice)> + '_ {
        directory
            .mailboxes
            .iter()
            .filter(|mailbox| mailbox.selectable)
            .map(|mailbox| {
                let name = mailbox_name(mailbox);
                let account = directory
                    .account(mailbox.account)
                    .map(|account| account.config.name.clone())
                    .unwrap_or_default();
                let words = format!("{name} {} {account}", mailbox.name.path);
                let choice = Choice::Mailbox {
                    id: mailbox.id,
                    name,
                    account,
                    icon: mailbox_icon(mailbox.special_use),
                };
                (words, choice)
            })
    }

    #[must_use]
    pub fn mailboxes(&self, directory: &Directory) -> Vec<Choice> {
        self.best(Self::of_mailboxes(directory))
    }

    #[must_use]
    pub fn everything(&self, directory: &Directory) -> Vec<Choice> {
        let commands = COMMANDS
            .into_iter()
            .map(|wish| (shortcut::name(wish), Choice::Wish(wish)));
        self.best(commands.chain(Self::of_mailboxes(directory)))
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn ranks_what_was_typed() {
        assert_eq!(rank("Archive", "arc"), Some(0));
        assert_eq!(rank("My Archive", "arc"), Some(3));
        assert_eq!(rank("Reply to all", "rta"), Some(1000));
        assert_eq!(rank("Archive", "x"), None);
        assert_eq!(rank("Archive", ""), Some(0));
    }
}
