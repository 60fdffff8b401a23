//! Composers: opening, saving, sending, and taking a message back.

use std::time::Instant;

use iced::Task;
use iced::widget::operation;
use posthorn_engine::catalog::Submission;
use posthorn_engine::{Command, Error};
use posthorn_mime::compose::{self as mime, Draft};
use posthorn_model::{AccountId, ErrorClass, Identity, MessageId, SubmissionState};

use super::{Action, App, Deed, Message, Screen};
use crate::bridge::aside;
use crate::screen::compose::{self, BODY, Composer, Saved, Start, TO};
use crate::shortcut::Wish;
use crate::t;

impl App {
    pub(super) fn identity(&self, account: AccountId) -> Identity {
        self.directory
            .account(account)
            .map(|account| account.config.identity.clone())
            .unwrap_or_default()
    }

    /// Whom a new message is from: the account in view, or else the first that can send.
    fn writer(&self) -> Option<AccountId> {
        let here = match self.mail.view {
            posthorn_model::query::View::Mailbox(id) => {
                self.directory.mailbox(id).map(|mailbox| mailbox.account)
            }
            posthorn_model::query::View::Account(id) => Some(id),
            _ => None,
        };
        let can_send = |id: &AccountId| {
            self.directory
                .account(*id)
                .is_some_and(|account| account.config.outgoing.is_some())
        };
        here.filter(can_send).or_else(|| {
            self.directory
                .accounts
                .iter()
                .map(|account| account.id)
                .find(can_send)
        })
    }

    pub(super) fn open_composer(&mut self, start: Start) -> Task<Message> {
        let answers = start.draft.in_reply_to.is_some();
        let id = self.next_serial();
        self.composers.push(Composer::new(id, start));
        self.mail.make_room();
        self.composing = Some(id);
        self.screen = Screen::Mail;
        operation::focus(if answers { BODY } else { TO })
    }

    pub(super) fn compose_new(&mut self) -> Task<Message> {
        let Some(account) = self.writer() else {
            self.say(t!("compose-no-sender"));
            return Task::none();
        };
        let body = mime::with_signature("", &self.identity(account));
        self.open_composer(Start {
            account,
            draft: Draft {
                body,
                ..Draft::default()
            },
            replaces: None,
        })
    }

    /// What the program was started for.
    pub(super) fn start_from_options(&mut self) -> Vec<Action> {
        let Some(link) = self.options.mailto.take() else {
            return Vec::new();
        };
        let (Some(mailto), Some(account)) = (mime::from_mailto(&link), self.writer()) else {
            return vec![Action::Say(t!("mailto-unreadable"))];
        };
        let id = self.next_serial();
        self.composers.push(Composer::new(
            id,
            Start {
                account,
                draft: Draft {
                    body: mime::with_signature(&mailto.body, &self.identity(account)),
                    to: mailto.to,
                    cc: mailto.cc,
                    bcc: mailto.bcc,
                    subject: mailto.subject,
                    in_reply_to: mailto.in_reply_to,
                    ..Draft::default()
                },
                replaces: None,
            },
        ));
        self.mail.make_room();
        self.composing = Some(id);
        vec![Action::Focus(TO)]
    }

    /// Reply, reply to all or forward.
    pub(super) fn answer(&mut self, wish: Wish, message: MessageId, account: AccountId) -> Task<Message> {
        let identity = self.identity(account);
        self.compose_from(message, move |raw| {
            let parsed = posthorn_mime::parse(raw);
            let mut draft = match wish {
                Wish::Forward => mime::forward(&parsed, raw),
                _ => mime::reply(&parsed, wish == Wish::ReplyAll, &identity),
            };
            // Room above the quotation, where writing begins.
            if !draft.body.starts_with('\n') {
                draft.body.insert_str(0, "\n\n");
            }
            draft.identity = identity.clone();
            Start {
                account,
                draft,
                replaces: None,
            }
        })
    }

    pub(super) fn continue_draft(&mut self, message: MessageId, account: AccountId) -> Task<Message> {
        let open = self
            .composers
            .iter()
            .find(|composer| composer.draft == Some(message));
        if let Some(open) = open {
            self.mail.make_room();
            self.composing = Some(open.id);
            return Task::none();
        }
        let identity = self.identity(account);
        self.compose_from(message, move |raw| Start {
            account,
            draft: compose::read_draft(raw, identity.clone()),
            replaces: Some(message),
        })
    }

    fn compose_from(
        &mut self,
        message: MessageId,
        make: impl FnOnce(&[u8]) -> Start + Send + 'static,
    ) -> Task<Message> {
        let Some(bridge) = self.bridge.clone() else {
            return Task::none();
        };
        let made = async move {
            match bridge.raw(message).await? {
                Some(raw) => aside(move || Box::new(make(&raw))).await,
                None => {
                    bridge.command(Command::FetchBody(message)).await?;
                    Err(Error::new(ErrorClass::Network, t!("compose-not-here")))
                }
            }
        };
        Task::perform(made, Message::AnswerReady)
    }

    pub(super) fn answer_ready(&mut self, result: Result<Box<Start>, Error>) -> Task<Message> {
        match result {
            Ok(start) => self.open_composer(*start),
            Err(error) => {
                self.fail(&error);
                Task::none()
            }
        }
    }

    pub(super) fn front(&mut self) -> Option<&mut Composer> {
        let id = self.composing?;
        self.composers.iter_mut().find(|composer| composer.id == id)
    }

    pub(super) fn compose_message(&mut self, message: compose::Message) -> Task<Message> {
        match message {
            compose::Message::DiscardPressed => self.discard(),
            compose::Message::FilesRead(id, files) => {
                if let Some(composer) = self.composers.iter_mut().find(|composer| composer.id == id) {
                    composer.add_files(files);
                }
                Task::none()
            }
            message => {
                let actions = self
                    .front()
                    .map(|composer| composer.update(message))
                    .unwrap_or_default();
                self.perform_all(actions)
            }
        }
    }

    pub(super) fn undo_typing(&mut self) -> Task<Message> {
        if let Some(composer) = self.front() {
            composer.undo();
        }
        Task::none()
    }

    pub(super) fn take(&mut self, id: u64) -> Option<Composer> {
        let at = self.composers.iter().position(|composer| composer.id == id)?;
        if self.composing == Some(id) {
            self.composing = None;
        }
        Some(self.composers.remove(at))
    }

    fn discard(&mut self) -> Task<Message> {
        let Some(composer) = self.composing.and_then(|id| self.take(id)) else {
            return Task::none();
        };
        match composer.draft {
            Some(draft) => self.perform(Action::Do(Deed::undoable(
                vec![Command::DiscardDraft(draft)],
                t!("compose-discarded"),
            ))),
            None => {
                self.say(t!("compose-discarded"));
                Task::none()
            }
        }
    }

    /// Closes the composer in front. What was written is kept as a draft.
    pub(super) fn close_composer(&mut self) -> Task<Message> {
        let Some(id) = self.composing else {
            return Task::none();
        };
        let touched = self
            .composers
            .iter()
            .any(|composer| composer.id == id && composer.saved != Saved::Untouched);
        if !touched {
            self.take(id);
            return Task::none();
        }
        let saved = self.save_draft(id);
        self.composing = None;
        saved
    }

    pub(super) fn save_front_draft(&mut self) -> Task<Message> {
        self.composing.map_or_else(Task::none, |id| self.save_draft(id))
    }

    pub(super) fn save_all_drafts(&mut self) -> Task<Message> {
        let dirty: Vec<u64> = self
            .composers
            .iter()
            .filter(|composer| composer.is_dirty())
            .map(|composer| composer.id)
            .collect();
        Task::batch(
            dirty
                .into_iter()
                .map(|id| self.save_draft(id))
                .collect::<Vec<_>>(),
        )
    }

    pub(super) fn drafts_due(&mut self, now: Instant) -> Vec<Action> {
        let due = self.front().is_some_and(|composer| composer.is_due(now));
        due.then_some(Action::SaveDraft).into_iter().collect()
    }

    fn save_draft(&mut self, id: u64) -> Task<Message> {
        let now = self.clock.now;
        let identity = self
            .composers
            .iter()
            .find(|composer| composer.id == id)
            .map(|composer| self.identity(composer.account));
        let (Some(bridge), Some(identity)) = (self.bridge.clone(), identity) else {
            return Task::none();
        };
        let Some(composer) = self.composers.iter_mut().find(|composer| composer.id == id) else {
            return Task::none();
        };
        if composer.saved == Saved::Saving {
            return Task::none();
        }
        composer.saved = Saved::Saving;
        let (account, replaces) = (composer.account, composer.draft);
        let draft = composer.draft(&identity);
        let saved = async move {
            let built = aside(move || build(&draft, now)).await?;
            let command = Command::SaveDraft {
                account,
                raw: built.raw,
                replaces,
            };
            Ok(bridge.command(command).await?.draft)
        };
        Task::perform(saved, move |result| Message::DraftSaved(id, result))
    }

    pub(super) fn draft_saved(&mut self, id: u64, result: Result<Option<MessageId>, Error>) -> Task<Message> {
        let front = self.composing == Some(id);
        let Some(composer) = self.composers.iter_mut().find(|composer| composer.id == id) else {
            return Task::none();
        };
        match result {
            Ok(draft) => {
                composer.draft = draft.or(composer.draft);
                if composer.saved == Saved::Saving {
                    composer.saved = Saved::Yes;
                }
                if !front {
                    self.take(id);
                    self.say(t!("compose-kept"));
                }
            }
            Err(error) => {
                composer.saved = Saved::Failed(error.message.clone());
                self.fail(&error);
            }
        }
        Task::none()
    }

    pub(super) fn outbox_loaded(&mut self, outbox: Vec<Submission>) {
        self.directory.stuck = outbox
            .into_iter()
            .filter(|submission| {
                matches!(
                    submission.state,
                    SubmissionState::Held | SubmissionState::Uncertain
                )
            })
            .collect();
    }
}

/// Two unlikely numbers: the standard library seeds every `RandomState` from the system.
fn random() -> u64 {
    use std::hash::{BuildHasher, RandomState};
    RandomState::new().hash_one(std::process::id())
}

pub(super) fn build(draft: &Draft, now: posthorn_model::Timestamp) -> mime::Built {
    let id = mime::message_id(&draft.identity, &format!("{:016x}{:016x}", random(), random()));
    mime::build(draft, now, &id, random())
}
