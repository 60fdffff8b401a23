//! What a dialog with a field offers: mailboxes, and for the palette every command too.

use posthorn_model::{AccountId, Appearance, MailboxId};

use crate::directory::{Directory, mailbox_icon, mailbox_name};
use crate::icon::Icon;
use crate::shortcut::{self, Wish};
use crate::t;

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
    Link {
        text: String,
        url: String,
    },
    /// An account's mail on its server.
    Account {
        id: AccountId,
        name: String,
    },
}

const COMMANDS: [Wish; 29] = [
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
    Wish::NewMailbox,
    Wish::MailboxMenu,
    Wish::GoInbox,
    Wish::GoSent,
    Wish::GoDrafts,
    Wish::ShowKeys,
    Wish::Problems,
    Wish::Settings,
    Wish::Look(Appearance::Light),
    Wish::Look(Appearance::Dark),
    Wish::Look(Appearance::System),
    Wish::NextInThread,
    Wish::PreviousInThread,
    Wish::ZoomIn,
    Wish::ZoomOut,
];

/// What can be done with the message that is read.
const OF_MESSAGE: [Wish; 16] = [
    Wish::Find,
    Wish::Copy,
    Wish::Links,
    Wish::ShowPictures,
    Wish::ShowAsText,
    Wish::ShowAsSent,
    Wish::FixedFont,
    Wish::ShowQuoted,
    Wish::Details,
    Wish::AllHeaders,
    Wish::ViewSource,
    Wish::SaveMessage,
    Wish::SaveAll,
    Wish::Print,
    Wish::Unsubscribe,
    Wish::MessageMenu,
];

/// How well a line matches what was typed: the smaller the better. The letters of its name may be apart; its other
/// words must hold what was typed as it stands.
fn rank(name: &str, others: &str, typed: &str) -> Option<usize> {
    let (name, others) = (name.to_lowercase(), others.to_lowercase());
    let typed = typed.trim().to_lowercase();
    if name.starts_with(&typed) {
        return Some(0);
    }
    if name.split_whitespace().any(|word| word.starts_with(&typed)) {
        return Some(1);
    }
    if name.contains(&typed) {
        return Some(2);
    }
    if others.contains(&typed) {
        return Some(3);
    }
    let has = |word: &str| name.contains(word) || others.contains(word);
    if typed.split_whitespace().all(has) {
        return Some(4);
    }
    let mut rest = name.chars();
    typed
        .chars()
        .filter(|c| !c.is_whitespace())
        .all(|wanted| rest.any(|c| c == wanted))
        .then_some(5)
}

impl Choices {
    fn best(&self, all: impl Iterator<Item = (String, String, Choice)>) -> Vec<Choice> {
        self.best_of(SHOWN, all)
    }

    fn best_of(&self, most: usize, all: impl Iterator<Item = (String, String, Choice)>) -> Vec<Choice> {
        let mut found: Vec<(usize, Choice)> = all
            .filter_map(|(name, others, choice)| Some((rank(&name, &others, &self.typed)?, choice)))
            .collect();
        found.sort_by_key(|(rank, _)| *rank);
        found.truncate(most);
        found.into_iter().map(|(_, choice)| choice).collect()
    }

    fn of_mailboxes(directory: &Directory) -> impl Iterator<Item = (String, String, Choice)> + '_ {
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
                let others = format!("{} {account}", mailbox.name.path);
                let choice = Choice::Mailbox {
                    id: mailbox.id,
                    name: name.clone(),
                    account,
                    icon: mailbox_icon(mailbox.special_use),
                };
                (name, others, choice)
            })
    }

    #[must_use]
    pub fn mailboxes(&self, directory: &Directory) -> Vec<Choice> {
        self.best(Self::of_mailboxes(directory))
    }

    #[must_use]
    pub fn of_message(&self) -> Vec<Choice> {
        let all = OF_MESSAGE.into_iter().filter(|wish| *wish != Wish::MessageMenu);
        self.best_of(
            OF_MESSAGE.len(),
            all.map(|wish| (shortcut::name(wish), String::new(), Choice::Wish(wish))),
        )
    }

    /// A message's links, by their words or by where they lead.
    #[must_use]
    pub fn of_links(&self, links: &[(String, String)]) -> Vec<Choice> {
        self.best(links.iter().map(|(text, url)| {
            let name = if text.trim().is_empty() { url } else { text };
            let choice = Choice::Link {
                text: name.clone(),
                url: url.clone(),
            };
            (name.clone(), url.clone(), choice)
        }))
    }

    #[must_use]
    pub fn everything(&self, directory: &Directory) -> Vec<Choice> {
        let commands = COMMANDS
            .into_iter()
            .chain(OF_MESSAGE)
            .map(|wish| (shortcut::name(wish), String::new(), Choice::Wish(wish)));
        let accounts = directory.accounts.iter().map(|account| {
            let name = account.config.name.clone();
            let choice = Choice::Account {
                id: account.id,
                name: name.clone(),
            };
            (t!("account-open"), name, choice)
        });
        self.best(commands.chain(accounts).chain(Self::of_mailboxes(directory)))
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn ranks_what_was_typed() {
        let check = |name: &str, typed: &str, expect: Option<usize>| {
            assert_eq!(rank(name, "Old/Attic", typed), expect, "{name} {typed}");
        };
        check("Archive", "arc", Some(0));
        check("My Archive", "arc", Some(1));
        check("Research", "arc", Some(2));
        check("Archive", "attic", Some(3));
        check("Archive", "attic arch", Some(4));
        check("Reply to all", "rta", Some(5));
        check("Archive", "x", None);
        check("Archive", "", Some(0));
    }
}
