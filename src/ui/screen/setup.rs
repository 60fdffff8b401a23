//! The first run, and every further account: one address, then what follows from it.

pub mod form;
mod form_view;
mod view;

use posthorn_engine::Error;
use posthorn_engine::report::TestReport;

use crate::app::Action;
use form::Form;

pub use form_view::{FormMessage, form_view};
pub use view::{report_view, view};

/// The one field of the first page.
pub const ADDRESS: &str = "setup-address";

/// What happened on the page.
#[derive(Clone, Debug)]
pub enum Message {
    AddressTyped(String),
    ContinuePressed,
    BackPressed,
    Form(FormMessage),
    TestPressed,
    AddAnywayPressed,
    SandboxPressed,
    CancelPressed,
}

/// What the page is busy with.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Busy {
    No,
    Testing,
    Adding,
    Sandbox,
}

/// The state of the page.
#[derive(Debug)]
pub struct Setup {
    /// Whether this is the first account of all.
    pub first: bool,
    pub address: String,
    /// What follows from the address; `None` on the first page.
    pub form: Option<Form>,
    pub busy: Busy,
    pub report: Option<TestReport>,
    pub error: Option<String>,
}

impl Setup {
    #[must_use]
    pub fn first() -> Self {
        Self {
            first: true,
            address: String::new(),
            form: None,
            busy: Busy::No,
            report: None,
            error: None,
        }
    }

    #[must_use]
    pub fn another() -> Self {
        Self {
            first: false,
            ..Self::first()
        }
    }

    /// The account was not added.
    pub fn failed(&mut self, error: Error) {
        self.busy = Busy::No;
        self.error = Some(error.message);
    }

    pub fn update(&mut self, message: Message) -> Vec<Action> {
        match message {
            Message::AddressTyped(text) => {
                self.address = text;
                self.error = None;
            }
            Message::ContinuePressed => match Form::guess(&self.address) {
                Some(form) => {
                    self.form = Some(form);
                    self.error = None;
                    return vec![Action::Focus(form::PASSWORD)];
                }
                None => self.error = Some(crate::t!("setup-bad-address")),
            },
            Message::BackPressed => {
                self.form = None;
                self.report = None;
                self.error = None;
                return vec![Action::Focus(ADDRESS)];
            }
            Message::Form(message) => {
                if let Some(form) = &mut self.form {
                    form.update(message);
                    self.error = None;
                }
            }
            Message::TestPressed => return self.test(),
            Message::AddAnywayPressed => return self.add(),
            Message::SandboxPressed => {
                if self.busy == Busy::No {
                    self.busy = Busy::Sandbox;
                    return vec![Action::StartSandbox];
                }
            }
            Message::CancelPressed => return vec![Action::ShowMail],
        }
        Vec::new()
    }

    fn test(&mut self) -> Vec<Action> {
        if self.busy != Busy::No {
            return Vec::new();
        }
        self.report = None;
        match self.form.as_ref().map(Form::account) {
            Some(Ok((config, secret))) => {
                self.busy = Busy::Testing;
                self.error = None;
                vec![Action::TestAccount(Box::new(config), secret)]
            }
            Some(Err(why)) => {
                self.error = Some(why);
                Vec::new()
            }
            None => Vec::new(),
        }
    }

    /// The servers have answered: where all is well, the account is added.
    pub fn tested(&mut self, result: Result<TestReport, Error>) -> Vec<Action> {
        self.busy = Busy::No;
        match result {
            Ok(report) => {
                let good = report.is_good();
                self.report = Some(report);
                if good { self.add() } else { Vec::new() }
            }
            Err(error) => {
                self.error = Some(error.message);
                Vec::new()
            }
        }
    }

    fn add(&mut self) -> Vec<Action> {
        match self.form.as_ref().map(Form::account) {
            Some(Ok((config, secret))) => {
                self.busy = Busy::Adding;
                vec![Action::AddAccount(Box::new(config), secret)]
            }
            Some(Err(why)) => {
                self.error = Some(why);
                Vec::new()
            }
            None => Vec::new(),
        }
    }
}
