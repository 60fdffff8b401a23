//! Accounts as they are set up, and how the window looks.

mod view;

use posthorn_engine::Error;
use posthorn_engine::report::TestReport;
use posthorn_model::{AccountId, Appearance, NetworkPolicy};

use super::setup::FormMessage;
use super::setup::form::Form;
use crate::app::Action;
use crate::directory::Directory;
use crate::t;

pub use view::view;

/// What happened on the page.
#[derive(Clone, Debug)]
pub enum Message {
    AccountPicked(AccountId),
    WindowPicked,
    AddPressed,
    BackPressed,
    Form(FormMessage),
    SavePressed,
    TestPressed,
    /// Its mail on the server.
    ServerPressed,
    RemovePressed,
    RemoveConfirmed,
    RemoveCancelled,
    AppearancePicked(Appearance),
    NetworkPicked(NetworkPolicy),
}

/// The state of the page.
#[derive(Debug)]
pub struct Settings {
    /// `None`: the window's own page.
    pub account: Option<AccountId>,
    pub form: Option<Form>,
    pub report: Option<TestReport>,
    pub error: Option<String>,
    pub saved: bool,
    pub changed: bool,
    pub removing: bool,
    pub testing: bool,
}

impl Settings {
    #[must_use]
    pub fn new(directory: &Directory) -> Self {
        let mut settings = Self {
            account: None,
            form: None,
            report: None,
            error: None,
            saved: false,
            changed: false,
            removing: false,
            testing: false,
        };
        if let Some(first) = directory.accounts.first() {
            settings.pick(first.id, directory);
        }
        settings
    }

    fn pick(&mut self, id: AccountId, directory: &Directory) {
        self.account = Some(id);
        self.form = directory.account(id).map(|account| Form::of(&account.config));
        self.report = None;
        self.error = None;
        self.saved = false;
        self.changed = false;
        self.removing = false;
        self.testing = false;
    }

    /// The engine has taken the change.
    pub fn saved(&mut self) {
        self.saved = true;
        self.changed = false;
        self.error = None;
        if self.removing {
            self.removing = false;
            self.account = None;
            self.form = None;
        }
    }

    pub fn failed(&mut self, error: Error) {
        self.error = Some(error.message);
        self.saved = false;
    }

    pub fn update(&mut self, message: Message, directory: &Directory) -> Vec<Action> {
        match message {
            Message::AccountPicked(id) => self.pick(id, directory),
            Message::WindowPicked => {
                self.account = None;
                self.form = None;
                self.removing = false;
            }
            Message::AddPressed => return vec![Action::ShowSetup],
            Message::BackPressed => return vec![Action::ShowMail],
            Message::Form(message) => {
                if let Some(form) = &mut self.form {
                    form.update(message);
                    self.saved = false;
                    self.changed = true;
                    self.error = None;
                }
            }
            Message::SavePressed => return self.save(),
            Message::TestPressed => return self.test(),
            Message::ServerPressed => return self.account.map(Action::ShowAccount).into_iter().collect(),
            Message::RemovePressed => self.removing = true,
            Message::RemoveCancelled => self.removing = false,
            Message::RemoveConfirmed => {
                if let Some(id) = self.account {
                    return vec![Action::RemoveAccount(id)];
                }
            }
            Message::NetworkPicked(policy) => return vec![Action::SetNetwork(policy)],
            Message::AppearancePicked(appearance) => return vec![Action::SetAppearance(appearance)],
        }
        Vec::new()
    }

    /// The servers have answered.
    pub fn tested(&mut self, result: Result<TestReport, Error>) -> Vec<Action> {
        self.testing = false;
        match result {
            Ok(report) => self.report = Some(report),
            Err(error) => self.error = Some(error.message),
        }
        Vec::new()
    }

    fn test(&mut self) -> Vec<Action> {
        match self.form.as_ref().map(Form::account) {
            Some(Ok((config, secret))) if !self.testing => {
                self.testing = true;
                self.report = None;
                vec![Action::TestAccount(Box::new(config), secret)]
            }
            Some(Err(why)) => {
                self.error = Some(why);
                Vec::new()
            }
            _ => Vec::new(),
        }
    }

    fn save(&mut self) -> Vec<Action> {
        let (Some(id), Some(form)) = (self.account, &self.form) else {
            return Vec::new();
        };
        match form.account() {
            Ok((config, secret)) => vec![Action::UpdateAccount(id, Box::new(config), secret)],
            Err(why) => {
                self.error = Some(why);
                Vec::new()
            }
        }
    }
}

/// What stays where when an account is removed, in plain words.
#[must_use]
pub fn removal_words(form: &Form) -> String {
    match form.protocol {
        posthorn_model::Protocol::Imap => t!("remove-imap", server = form.incoming.host.clone()),
        posthorn_model::Protocol::Pop3 => t!("remove-pop3", server = form.incoming.host.clone()),
    }
}
