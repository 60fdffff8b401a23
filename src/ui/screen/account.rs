//! One account and its server: what is there, what leaves it and when, and what was deleted. For POP3 the policy is set
//! here, with its consequences in sight; for IMAP the page says what IMAP means.

mod draft;
mod outlook;
mod table;
mod view;
mod words;

use std::sync::Arc;

use posthorn_engine::forecast::{Count, Maildrop, may_delete};
use posthorn_engine::{Command, Error};
use posthorn_model::{AccountId, Protocol};

use crate::app::{Action, Deed};
use crate::directory::Directory;
use crate::t;
use crate::widget::ListEvent;

pub use crate::screen::leave::Leave;
pub use draft::{Draft, Edit, Limit};
pub use outlook::Outlook;
pub use view::view;

/// The field of days, for the keyboard.
pub const DAYS: &str = "account-days";

/// What happened on the page.
#[derive(Clone, Debug)]
pub enum Message {
    BackPressed,
    SettingsPressed,
    CheckPressed,
    /// The user has looked at what vanished.
    GoOnPressed,
    Loaded(AccountId, Result<Arc<Maildrop>, Error>),
    Looked(u64, Result<Arc<Outlook>, Error>),
    Edited(Edit),
    TabPicked(Tab),
    Listed(ListEvent<u64>),
    RevertPressed,
    SavePressed,
    SaveConfirmed,
    SaveCancelled,
}

/// What the list shows.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Tab {
    /// What will happen to what is on the server.
    Ahead,
    /// What was deleted there.
    Deleted,
}

/// Numbers that are asked about before a policy is taken up.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Question {
    pub next: Count,
    pub within: Count,
}

/// The state of the page.
#[derive(Debug)]
pub struct AccountPage {
    pub account: AccountId,
    pub protocol: Protocol,
    pub draft: Draft,
    pub maildrop: Option<Arc<Maildrop>>,
    /// For the policy as it stands in the draft; behind it for a moment after a change.
    pub outlook: Option<Arc<Outlook>>,
    pub tab: Tab,
    pub question: Option<Question>,
    pub error: Option<String>,
    pub saved: bool,
    /// Of the newest forecast that was asked for.
    serial: u64,
}

impl AccountPage {
    /// The page, and what it needs first; `None` for an account that has gone.
    #[must_use]
    pub fn open(id: AccountId, directory: &Directory) -> Option<(Self, Vec<Action>)> {
        let account = directory.account(id)?;
        let protocol = account.config.protocol;
        let page = Self {
            account: id,
            protocol,
            draft: Draft::of(account.config.pop3),
            maildrop: None,
            outlook: None,
            tab: Tab::Ahead,
            question: None,
            error: None,
            saved: false,
            serial: 0,
        };
        let first = page.reload();
        Some((page, first))
    }

    /// What is on the server may have changed.
    #[must_use]
    pub fn reload(&self) -> Vec<Action> {
        match self.protocol {
            Protocol::Pop3 => vec![Action::LoadMaildrop(self.account)],
            Protocol::Imap => Vec::new(),
        }
    }

    pub fn update(&mut self, message: Message, directory: &Directory) -> Vec<Action> {
        match message {
            Message::BackPressed => return vec![Action::ShowMail],
            Message::SettingsPressed => return vec![Action::ShowSettings],
            Message::CheckPressed => return vec![do_quietly(Command::CheckNow(vec![self.account]))],
            Message::GoOnPressed => {
                return vec![do_quietly(Command::AcceptDisappearance(self.account))];
            }
            Message::Loaded(id, result) if id == self.account => match result {
                Ok(maildrop) => {
                    self.maildrop = Some(maildrop);
                    return self.look();
                }
                Err(error) => self.error = Some(error.message),
            },
            Message::Looked(serial, result) if serial == self.serial => match result {
                Ok(outlook) => self.outlook = Some(outlook),
                Err(error) => self.error = Some(error.message),
            },
            Message::Loaded(..) | Message::Looked(..) | Message::Listed(_) => {}
            Message::Edited(edit) => {
                self.draft.update(edit);
                self.saved = false;
                self.error = None;
                self.question = None;
                return self.look();
            }
            Message::TabPicked(tab) => self.tab = tab,
            Message::RevertPressed => {
                self.draft = Draft::of(self.draft.saved);
                self.question = None;
                self.error = None;
                return self.look();
            }
            Message::SavePressed => return self.save(directory),
            Message::SaveConfirmed => return self.store(directory),
            Message::SaveCancelled => self.question = None,
        }
        Vec::new()
    }

    /// Asks for a forecast of the policy in the draft; answers to older questions are not taken.
    fn look(&mut self) -> Vec<Action> {
        let (Some(maildrop), Ok(policy)) = (&self.maildrop, self.draft.policy()) else {
            return Vec::new();
        };
        self.serial += 1;
        vec![Action::Forecast(self.serial, Arc::clone(maildrop), policy)]
    }

    /// A policy that deletes something is taken up only after its numbers have been seen.
    fn save(&mut self, directory: &Directory) -> Vec<Action> {
        let policy = match self.draft.policy() {
            Ok(policy) => policy,
            Err(why) => {
                self.error = Some(why);
                return Vec::new();
            }
        };
        let totals = match &self.outlook {
            Some(outlook) if outlook.policy == policy => Some(outlook.forecast.totals),
            // The forecast is on its way; nothing is taken up before it is here.
            Some(_) => return Vec::new(),
            None => None,
        };
        let within = totals.map(|totals| totals.leave_within).unwrap_or_default();
        if within.messages > 0 || totals.is_none() && may_delete(&policy) {
            let next = totals.map(|totals| totals.leave_next).unwrap_or_default();
            self.question = Some(Question { next, within });
            return Vec::new();
        }
        self.store(directory)
    }

    fn store(&mut self, directory: &Directory) -> Vec<Action> {
        self.question = None;
        let (Some(account), Ok(policy)) = (directory.account(self.account), self.draft.policy()) else {
            return Vec::new();
        };
        let mut config = account.config.clone();
        config.pop3 = policy;
        vec![Action::UpdateAccount(self.account, Box::new(config), None)]
    }

    /// The engine has taken the policy up.
    pub fn saved(&mut self) -> Vec<Action> {
        if let Ok(policy) = self.draft.policy() {
            self.draft.saved = policy;
        }
        self.saved = true;
        self.error = None;
        self.reload()
    }

    pub fn failed(&mut self, error: Error) {
        self.error = Some(error.message);
        self.saved = false;
    }
}

fn do_quietly(command: Command) -> Action {
    Action::Do(Deed {
        commands: vec![command],
        said: None,
        undoable: false,
    })
}

/// What a list of nothing says.
#[must_use]
fn nothing(tab: Tab) -> String {
    match tab {
        Tab::Ahead => t!("account-nothing-there"),
        Tab::Deleted => t!("account-nothing-deleted"),
    }
}
