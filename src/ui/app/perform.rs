//! Carries out what screens ask for. Everything that takes time becomes a task.

use std::sync::Arc;

use iced::Task;
use iced::widget::operation;
use posthorn_engine::reading::PartAt;
use posthorn_engine::{Command, Error};
use posthorn_model::{MessageId, Part};

use super::{Action, App, Deed, Message, Screen};
use crate::bridge::{self, Bridge};
use crate::listing::{Fetch, Subject};
use crate::screen::account::{self, AccountPage, Outlook};
use crate::screen::mail;
use crate::screen::mail::reader;
use crate::screen::mail::reader::material::Read;
use crate::screen::settings::Settings;
use crate::screen::setup::{self, Setup};
use crate::screen::sheet::picture::Viewer;
use crate::screen::sheet::{self, Sheet};
use crate::system::dialog::{self, Saved};

impl App {
    pub(super) fn perform_all(&mut self, actions: Vec<Action>) -> Task<Message> {
        Task::batch(
            actions
                .into_iter()
                .map(|action| self.perform(action))
                .collect::<Vec<_>>(),
        )
    }

    /// Carries out one action.
    pub fn perform(&mut self, action: Action) -> Task<Message> {
        match action {
            Action::ShowMove => self.show(Sheet::move_to()),
            Action::ShowPalette => self.show(Sheet::palette()),
            Action::ShowMessageMenu => self.show(Sheet::message_menu()),
            Action::ShowLinks(links) => self.show(Sheet::links(links)),
            Action::Draw(draw) => self.draw(draw),
            Action::Settle(of, after) => Self::settle(of, after),
            Action::Reveal(reveal) => Self::reveal(reveal),
            Action::ScrollReader(to) => Self::scroll_reader(to),
            Action::ScrollReaderBy(by) => Self::scroll_reader_by(by),
            Action::Copy(text) => iced::clipboard::write(text),
            Action::PrintMessage {
                of,
                material,
                letterhead,
                name,
            } => self.print(of, material, &letterhead, name),
            Action::AskMailbox(question) => self.show(Sheet::Mailbox(question)),
            Action::ShowPicture(pictures, at) => {
                let viewer = Viewer::new(pictures, at);
                let wanted = viewer.wanted();
                let shown = self.show(Sheet::Picture(viewer));
                Task::batch([shown, self.perform_all(wanted.into_iter().collect())])
            }
            Action::ShowProblems => self.show(Sheet::Problems),
            Action::AskLink { text, url } => self.show(Sheet::link(&text, &url)),
            Action::AskOpen(at, part, reasons) => self.show(Sheet::Open(at, part, reasons)),
            Action::AskUnsubscribe(id, way) => self.show(Sheet::Unsubscribe(id, way)),
            Action::AskDelete(count) => self.show(Sheet::Delete(count)),
            Action::ShowSettings => {
                self.screen = Screen::Settings(Box::new(Settings::new(&self.directory)));
                Task::none()
            }
            Action::ShowAccount(id) => match AccountPage::open(id, &self.directory) {
                Some((page, first)) => {
                    self.screen = Screen::Account(Box::new(page));
                    self.perform_all(first)
                }
                None => Task::none(),
            },
            Action::ShowSetup => {
                self.screen = Screen::Setup(Box::new(Setup::another()));
                operation::focus(setup::ADDRESS)
            }
            Action::ShowMail => self.show_mail(),
            Action::SetAppearance(appearance) => {
                // The window shows it at once, whatever the disk says.
                self.appearance = appearance;
                self.perform(Action::Do(Deed {
                    commands: vec![Command::SetAppearance(appearance)],
                    said: None,
                    undoable: false,
                }))
            }
            Action::Focus(id) => operation::focus(id),
            Action::Failed(error) => {
                self.fail(&error);
                Task::none()
            }
            Action::Say(text) => {
                self.say(text);
                Task::none()
            }
            Action::Answer(wish, message, account) => self.answer(wish, message, account),
            Action::ContinueDraft(message, account) => self.continue_draft(message, account),
            Action::CloseComposer => self.close_composer(),
            Action::PickFiles => self.pick_files(),
            Action::SaveDraft => self.save_front_draft(),
            Action::Send => self.send(),
            other => match self.bridge.clone() {
                Some(bridge) => self.ask(other, &bridge),
                None => Task::none(),
            },
        }
    }

    fn show(&mut self, sheet: Sheet) -> Task<Message> {
        let field = sheet.field();
        self.sheet = Some(sheet);
        field.map_or_else(Task::none, operation::focus)
    }

    fn show_mail(&mut self) -> Task<Message> {
        self.screen = Screen::Mail;
        if self.mail.listing.loaded {
            return Task::none();
        }
        let actions = self.mail.start();
        self.perform_all(actions)
    }

    /// What needs the engine.
    fn ask(&mut self, action: Action, bridge: &Bridge) -> Task<Message> {
        match action {
            Action::LoadPage(fetch) => load_page(bridge, fetch),
            Action::LoadMaildrop(id) => Task::perform(bridge.maildrop(id), move |result| {
                Message::Account(account::Message::Loaded(id, result.map(Arc::new)))
            }),
            Action::Forecast(serial, maildrop, policy) => {
                let now = self.clock.now;
                let looking = bridge::aside(move || Arc::new(Outlook::new(&maildrop, policy, now)));
                Task::perform(looking, move |result| {
                    Message::Account(account::Message::Looked(serial, result))
                })
            }
            Action::LoadThread(of, thread) => Task::perform(bridge.thread(thread), move |result| {
                Message::Mail(mail::Message::Reader(reader::Message::ThreadLoaded(of, result)))
            }),
            Action::LoadMessage(id) => Task::perform(look_through(bridge.reading(id)), move |result| {
                Message::Mail(mail::Message::Reader(reader::Message::MessageLoaded(id, result)))
            }),
            Action::Do(deed) => carry_out(bridge, deed),
            Action::SavePart(at, part) => save_parts(bridge, vec![(at, part)], false),
            Action::SaveParts(parts) => save_parts(bridge, parts, true),
            Action::DragPart(at) => self.drag_out(bridge.hand_out_part(at)),
            Action::DragMessage(id, name) => self.drag_out(bridge.hand_out_message(id, name)),
            Action::OpenPart(at, caution) => Task::perform(bridge.open_part(at, caution), |result| {
                Message::PartOpened(result.map(|_| ()))
            }),
            Action::LoadNested(at) => Task::perform(look_through(bridge.nested(at)), |result| {
                Message::Mail(mail::Message::Reader(reader::Message::NestedLoaded(result)))
            }),
            Action::Preview { of, at, index, look } => self.preview(bridge, of, at, index, look),
            Action::LoadPicture(at) => self.look_at_picture(bridge, at),
            Action::FetchPictures(id, request) => {
                Task::perform(bridge.fetch_pictures(request), move |result| {
                    Message::Mail(mail::Message::Reader(reader::Message::PicturesFetched(
                        id, result,
                    )))
                })
            }
            Action::AnswerInvitation(said) => Task::perform(bridge.answer_invitation(said), |result| {
                Message::Told(crate::t!("said-event-answered"), result.map(|_| ()))
            }),
            Action::AnswerReceipt(id, true) => {
                let words = crate::t!("receipt-words");
                Task::perform(bridge.send_receipt(id, words), |result| {
                    Message::Told(crate::t!("said-receipt-sent"), result.map(|_| ()))
                })
            }
            Action::AnswerReceipt(id, false) => Task::perform(bridge.decline_receipt(id), |result| {
                Message::Told(String::new(), result)
            }),
            Action::Unsubscribe(id, by) => Task::perform(bridge.unsubscribe(id, by), Message::Unsubscribed),
            Action::LoadSource(id, headers) => Task::perform(bridge.raw(id), move |result| {
                Message::SourceLoaded(headers, result)
            }),
            Action::SaveMessage(id, name) => save_message(bridge, id, name),
            Action::SetNetwork(policy) => {
                let answer = bridge.command(Command::SetNetwork(policy));
                Task::perform(answer, |result| Message::NetworkSet(result.map(|_| ())))
            }
            Action::TestAccount(config, secret) => {
                Task::perform(bridge.test_account(*config, secret), Message::AccountTested)
            }
            Action::AddAccount(config, secret) => {
                Task::perform(bridge.add_account(*config, secret), |result| {
                    Message::AccountSaved(result.map(|_| ()))
                })
            }
            Action::UpdateAccount(id, config, secret) => {
                Task::perform(bridge.update_account(id, *config, secret), Message::AccountSaved)
            }
            Action::RemoveAccount(id) => Task::perform(bridge.remove_account(id), Message::AccountRemoved),
            Action::StartSandbox => {
                self.sandbox_starting = true;
                Task::perform(bridge::demo::start(bridge.clone()), Message::SandboxStarted)
            }
            Action::CancelSubmission(id) => {
                let answer = bridge.command(Command::CancelSubmission(id));
                Task::perform(answer, move |result| {
                    Message::SubmissionCancelled(id, result.map(|_| ()))
                })
            }
            _ => Task::none(),
        }
    }

    /// Shows a message as it came.
    pub(super) fn source_loaded(&mut self, headers: bool, raw: Option<Vec<u8>>) -> Task<Message> {
        match raw {
            Some(raw) => self.show(Sheet::source(&raw, headers)),
            None => {
                self.say(crate::t!("source-not-here"));
                Task::none()
            }
        }
    }

    pub(super) fn check_now(&mut self) -> Task<Message> {
        self.perform(Action::Do(Deed {
            commands: vec![Command::CheckNow(Vec::new())],
            said: None,
            undoable: false,
        }))
    }

    pub(super) fn load_accounts(&self) -> Task<Message> {
        self.read(|bridge| Task::perform(bridge.accounts(), Message::AccountsLoaded))
    }

    pub(super) fn load_mailboxes(&self) -> Task<Message> {
        self.read(|bridge| Task::perform(bridge.mailboxes(), Message::MailboxesLoaded))
    }

    pub(super) fn load_problems(&self) -> Task<Message> {
        self.read(|bridge| Task::perform(bridge.problems(), Message::ProblemsLoaded))
    }

    pub(super) fn load_states(&self) -> Task<Message> {
        self.read(|bridge| Task::perform(bridge.states(), Message::StatesLoaded))
    }

    pub(super) fn load_network(&self) -> Task<Message> {
        self.read(|bridge| Task::perform(bridge.network(), Message::NetworkLoaded))
    }

    pub(super) fn load_appearance(&self) -> Task<Message> {
        self.read(|bridge| Task::perform(bridge.appearance(), Message::AppearanceLoaded))
    }

    pub(super) fn load_outbox(&self) -> Task<Message> {
        self.read(|bridge| Task::perform(bridge.outbox(), Message::OutboxLoaded))
    }

    fn read(&self, ask: impl FnOnce(&Bridge) -> Task<Message>) -> Task<Message> {
        self.bridge.as_ref().map_or_else(Task::none, ask)
    }

    /// An account was added, changed or removed.
    pub(super) fn account_saved(&mut self) -> Task<Message> {
        if let Screen::Setup(_) = self.screen {
            self.screen = Screen::Blank;
            self.begin_anew();
        } else if let Screen::Settings(settings) = &mut self.screen {
            settings.saved();
        }
        let page = match &mut self.screen {
            Screen::Account(page) => page.saved(),
            _ => Vec::new(),
        };
        let page = self.perform_all(page);
        Task::batch([
            page,
            self.load_accounts(),
            self.load_mailboxes(),
            self.load_states(),
        ])
    }

    /// An account could not be added or changed: the page that asked says so.
    pub(super) fn not_added(&mut self, error: Error) {
        match &mut self.screen {
            Screen::Setup(setup) => setup.failed(error),
            Screen::Settings(settings) => settings.failed(error),
            Screen::Account(page) => page.failed(error),
            Screen::Blank => {
                let mut setup = Setup::first();
                setup.failed(error);
                self.screen = Screen::Setup(Box::new(setup));
            }
            Screen::Mail => self.fail(&error),
        }
    }

    pub(super) fn sheet_message(&mut self, message: sheet::Message) -> Task<Message> {
        let Some(sheet) = &mut self.sheet else {
            return Task::none();
        };
        let outcome = sheet.update(message, &self.directory);
        self.sheet_outcome(outcome)
    }

    pub(super) fn sheet_wish(&mut self, wish: crate::shortcut::Wish) -> Task<Message> {
        let Some(sheet) = &mut self.sheet else {
            return Task::none();
        };
        let outcome = sheet.wish(wish, &self.directory);
        self.sheet_outcome(outcome)
    }

    fn sheet_outcome(&mut self, outcome: sheet::Outcome) -> Task<Message> {
        match outcome {
            sheet::Outcome::Stay => return Task::none(),
            sheet::Outcome::Also(action) => return self.perform(action),
            sheet::Outcome::Close => {
                self.sheet = None;
                return Task::none();
            }
            _ => self.sheet = None,
        }
        match outcome {
            sheet::Outcome::MoveTo(mailbox, name) => {
                let actions = self.mail.move_to(mailbox, &name);
                self.perform_all(actions)
            }
            sheet::Outcome::List(view) => {
                let actions = self.mail.list(Subject::View(view));
                self.perform_all(actions)
            }
            sheet::Outcome::Wish(wish) => self.wish(wish),
            sheet::Outcome::Delete => {
                let actions = self.mail.carry_out(crate::shortcut::Wish::Delete);
                self.perform_all(actions)
            }
            sheet::Outcome::OpenLink(url) => Task::perform(crate::system::open(url), Message::LinkOpened),
            sheet::Outcome::Act(action) => self.perform(action),
            sheet::Outcome::Ask(question) => self.show(Sheet::Mailbox(question)),
            sheet::Outcome::Stay | sheet::Outcome::Close | sheet::Outcome::Also(_) => Task::none(),
        }
    }
}

fn load_page(bridge: &Bridge, fetch: Fetch) -> Task<Message> {
    let answer = match &fetch.subject {
        Subject::View(view) => bridge.page(*view, fetch.start, fetch.limit),
        Subject::Search(words) => bridge::found(bridge, words.clone()),
    };
    Task::perform(answer, move |result| {
        Message::Mail(mail::Message::PageLoaded(fetch.clone(), result))
    })
}

fn carry_out(bridge: &Bridge, deed: Deed) -> Task<Message> {
    let bridge = bridge.clone();
    let commands = deed.commands.clone();
    let answer = async move {
        let mut intents = Vec::new();
        for command in commands {
            intents.extend(bridge.command(command).await?.intent);
        }
        Ok::<_, Error>(intents)
    };
    Task::perform(answer, move |result| Message::Done(deed.clone(), result))
}

/// Reads a message, and finds out what takes a while on a thread of its own.
async fn look_through(
    answer: bridge::Answer<Option<posthorn_engine::Reading>>,
) -> Result<Option<Box<Read>>, Error> {
    match answer.await? {
        Some(reading) => bridge::aside(move || Some(Box::new(Read::new(reading)))).await,
        None => Ok(None),
    }
}

/// The message exactly as it came, as a file that other programs read too.
fn save_message(bridge: &Bridge, id: MessageId, name: String) -> Task<Message> {
    let bridge = bridge.clone();
    let saved = async move {
        let Some(raw) = bridge.raw(id).await? else {
            return Err(Error::new(
                posthorn_model::ErrorClass::Network,
                crate::t!("source-not-here"),
            ));
        };
        dialog::save(format!("{name}.eml"), raw).await
    };
    Task::perform(saved, Message::PartsSaved)
}

fn save_parts(bridge: &Bridge, parts: Vec<(PartAt, Part)>, several: bool) -> Task<Message> {
    let bridge = bridge.clone();
    let saved = async move {
        if several {
            save_all(&bridge, parts).await
        } else {
            save_one(&bridge, parts).await
        }
    };
    Task::perform(saved, Message::PartsSaved)
}

async fn save_one(bridge: &Bridge, parts: Vec<(PartAt, Part)>) -> Result<Option<Saved>, Error> {
    let Some((at, part)) = parts.into_iter().next() else {
        return Ok(None);
    };
    let bytes = bridge.part(at).await?.ok_or_else(not_here)?;
    let name = dialog::file_name(part.name.as_deref().unwrap_or_default());
    dialog::save(name, bytes).await
}

async fn save_all(bridge: &Bridge, parts: Vec<(PartAt, Part)>) -> Result<Option<Saved>, Error> {
    let Some(saved) = dialog::pick_folder().await? else {
        return Ok(None);
    };
    let mut missing = false;
    for (at, part) in parts {
        let Some(bytes) = bridge.part(at).await? else {
            missing = true;
            continue;
        };
        let name = dialog::file_name(part.name.as_deref().unwrap_or_default());
        let path = saved.place.join(name);
        bridge::aside(move || crate::system::write_new(&path, &bytes, false)).await??;
    }
    if missing { Err(not_here()) } else { Ok(Some(saved)) }
}

fn not_here() -> Error {
    Error::new(posthorn_model::ErrorClass::Network, crate::t!("save-not-here"))
}
