//! Short words at the bottom of the window, with a way back.

use std::time::{Duration, Instant};

use posthorn_engine::{Command, Error};
use posthorn_model::SubmissionId;

use super::{Action, App, Deed, Message};
use crate::t;
use iced::Task;

const SHOWN: Duration = Duration::from_secs(7);
/// More would cover the window.
const MOST: usize = 3;

/// What the toast's button does.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum Way {
    None,
    /// Takes these intents back.
    Undo(Vec<i64>),
    /// Takes a message back out of the outbox.
    Unsend(SubmissionId),
}

/// One toast.
#[derive(Clone, Debug)]
pub struct Toast {
    pub id: u64,
    pub text: String,
    pub way: Way,
    pub until: Instant,
    pub bad: bool,
}

impl App {
    pub(super) fn toast(&mut self, text: String, way: Way, shown: Duration, bad: bool) {
        let id = self.next_serial();
        self.toasts.push_back(Toast {
            id,
            text,
            way,
            until: Instant::now() + shown,
            bad,
        });
        while self.toasts.len() > MOST {
            self.toasts.pop_front();
        }
    }

    pub(super) fn say(&mut self, text: String) {
        self.toast(text, Way::None, SHOWN, false);
    }

    pub(super) fn fail(&mut self, error: &Error) {
        self.toast(
            t!("failed", why = error.message.as_str()),
            Way::None,
            SHOWN * 2,
            true,
        );
    }

    /// What a deed has come to.
    pub(super) fn done(&mut self, deed: &Deed, result: Result<Vec<i64>, Error>) {
        match (result, &deed.said) {
            (Ok(intents), Some(said)) => {
                let way = if deed.undoable && !intents.is_empty() {
                    Way::Undo(intents)
                } else {
                    Way::None
                };
                self.toast(said.clone(), way, SHOWN, false);
            }
            (Ok(_), None) => {}
            (Err(error), _) => self.fail(&error),
        }
    }

    pub(super) fn toast_pressed(&mut self, id: u64) -> Task<Message> {
        let Some(at) = self.toasts.iter().position(|toast| toast.id == id) else {
            return Task::none();
        };
        match self.toasts.remove(at).map(|toast| toast.way) {
            Some(Way::Undo(intents)) => self.take_back(intents),
            Some(Way::Unsend(id)) => self.perform(Action::CancelSubmission(id)),
            Some(Way::None) | None => Task::none(),
        }
    }

    /// The newest toast's way back, or the engine's newest intent.
    pub(super) fn undo_last(&mut self) -> Task<Message> {
        let newest = self
            .toasts
            .iter()
            .rev()
            .find(|toast| toast.way != Way::None)
            .map(|toast| toast.id);
        match newest {
            Some(id) => self.toast_pressed(id),
            None => self.perform(Action::Do(Deed {
                commands: vec![Command::Undo { intent: None }],
                said: Some(t!("done-undone")),
                undoable: false,
            })),
        }
    }

    fn take_back(&mut self, intents: Vec<i64>) -> Task<Message> {
        self.perform(Action::Do(Deed {
            commands: intents
                .into_iter()
                .rev()
                .map(|intent| Command::Undo { intent: Some(intent) })
                .collect(),
            said: Some(t!("done-undone")),
            undoable: false,
        }))
    }
}
