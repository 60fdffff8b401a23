//! The program: messages come in, are routed to a screen, and what the screens ask for is carried out.

mod action;
mod dragging;
mod drawing;
mod keys;
mod perform;
mod sending;
mod toast;
mod view;
mod writing;

use std::collections::VecDeque;
use std::path::PathBuf;
use std::sync::Arc;
use std::time::Instant;

use iced::{Subscription, Task, event, theme, window};
use posthorn_engine::catalog::{Account, Mailbox, Submission};
use posthorn_engine::reading::PartAt;
use posthorn_engine::report::TestReport;
use posthorn_engine::unsubscribe::Unsubscribed;
use posthorn_engine::{AccountState, Error, Event, Network};
use posthorn_html::page::{Failure, Pixels};
use posthorn_model::{AccountId, Appearance, MessageId, Problem, SubmissionId};

use crate::UiOptions;
use crate::bridge::{Bridge, demo};
use crate::directory::{Directory, Progress};
use crate::painter::Brush;
use crate::screen::account::{self, AccountPage};
use crate::screen::compose::{self, Composer};
use crate::screen::mail::{self, Mail};
use crate::screen::settings::{self, Settings};
use crate::screen::setup::{self, Setup};
use crate::screen::sheet::{self, Sheet};
use crate::shortcut::{KeyPress, Keys};
use crate::system::{dialog::Saved, drag};
use crate::when::Clock;

pub use action::{Action, Deed};
pub use toast::Toast;

/// Something that has happened.
#[derive(Clone)]
pub enum Message {
    Opened(Result<Bridge, Error>),
    Happened(Event),
    Ticked(Instant),
    KeyPressed(KeyPress),
    FileDropped(PathBuf),
    CloseRequested(window::Id),
    /// The screen's density.
    Rescaled(f32),
    /// The window is so wide, in its own pixels.
    Resized(f32),
    /// The system's colours.
    ModeChanged(theme::Mode),
    /// The window's number where files can be dragged out of it.
    Placed(Option<u32>),
    /// Whoever is under the pointer wants what is dragged, or nobody does.
    DragWanted(bool),
    DraggedOut(Result<drag::Outcome, Error>),
    ShutDown,
    AccountsLoaded(Result<Vec<Account>, Error>),
    MailboxesLoaded(Result<Vec<Mailbox>, Error>),
    ProblemsLoaded(Result<Vec<Problem>, Error>),
    StatesLoaded(Result<Vec<(AccountId, AccountState)>, Error>),
    OutboxLoaded(Result<Vec<Submission>, Error>),
    Mail(mail::Message),
    Setup(setup::Message),
    Account(account::Message),
    Compose(compose::Message),
    Settings(settings::Message),
    Sheet(sheet::Message),
    Done(Deed, Result<Vec<i64>, Error>),
    AnswerReady(Result<Box<compose::Start>, Error>),
    DraftSaved(u64, Result<Option<MessageId>, Error>),
    SubmissionQueued(u64, Result<SubmissionId, Error>),
    SubmissionCancelled(SubmissionId, Result<(), Error>),
    PartsSaved(Result<Option<Saved>, Error>),
    SandboxStarted(Result<demo::Running, Error>),
    SandboxCleared(Result<(), Error>),
    AccountTested(Result<TestReport, Error>),
    AccountSaved(Result<(), Error>),
    AccountRemoved(Result<(), Error>),
    LinkOpened(Result<(), Error>),
    PartOpened(Result<(), Error>),
    /// What is said where it went well; nothing where that is empty.
    Told(String, Result<(), Error>),
    Unsubscribed(Result<Unsubscribed, Error>),
    /// A message as it came, and whether only its headers are wanted.
    SourceLoaded(bool, Result<Option<Vec<u8>>, Error>),
    PictureSeen(PartAt, Result<Pixels, Failure>),
    NetworkSet(Result<(), Error>),
    NetworkLoaded(Result<Network, Error>),
    AppearanceLoaded(Result<Appearance, Error>),
    ToastPressed(u64),
    ToastClosed(u64),
    ComposerPicked(u64),
}

/// Where the program stands.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum Phase {
    Opening,
    Failed(Error),
    Open,
    Closing,
}

/// Which screen is in front.
#[derive(Debug)]
pub enum Screen {
    /// Nothing is known of the accounts yet.
    Blank,
    Setup(Box<Setup>),
    Mail,
    Settings(Box<Settings>),
    Account(Box<AccountPage>),
}

/// All of the window's state: owned copies, and the handle to the engine.
pub struct App {
    pub phase: Phase,
    pub screen: Screen,
    pub directory: Directory,
    pub mail: Mail,
    pub composers: Vec<Composer>,
    /// The composer that stands in the reader's place.
    pub composing: Option<u64>,
    /// Handed to the outbox; kept while it can still be taken back.
    pub sent: Vec<(SubmissionId, Composer)>,
    pub sheet: Option<Sheet>,
    pub toasts: VecDeque<Toast>,
    pub clock: Clock,
    pub appearance: Appearance,
    pub zoom: f32,
    /// The window's, in its own pixels.
    width: f32,
    /// Device pixels for one of the window's, before its own zoom.
    density: f32,
    mode: theme::Mode,
    /// The window's number where files can be dragged out of it.
    place: Option<u32>,
    /// Something is on its way out of the window.
    dragging: bool,
    painter: Option<Brush>,
    options: UiOptions,
    bridge: Option<Bridge>,
    sandbox: Option<demo::Running>,
    /// The sandbox is on its way: its accounts are not left over.
    sandbox_starting: bool,
    keys: Keys,
    opened_at: Instant,
    /// Serial numbers of composers and toasts.
    serial: u64,
}

impl App {
    /// The window before the engine is open.
    #[must_use]
    pub fn new(options: UiOptions, clock: Clock) -> Self {
        Self {
            phase: Phase::Opening,
            screen: Screen::Blank,
            directory: Directory::default(),
            mail: Mail::default(),
            composers: Vec::new(),
            composing: None,
            sent: Vec::new(),
            sheet: None,
            toasts: VecDeque::new(),
            clock,
            appearance: Appearance::default(),
            zoom: 1.0,
            width: 1280.0,
            density: 1.0,
            mode: theme::Mode::None,
            place: None,
            dragging: false,
            painter: None,
            options,
            bridge: None,
            sandbox: None,
            sandbox_starting: false,
            keys: Keys::default(),
            opened_at: Instant::now(),
            serial: 0,
        }
    }

    /// With somebody who draws messages; without, they are shown as text.
    #[must_use]
    pub fn with_painter(mut self, painter: Option<Brush>) -> Self {
        self.painter = painter;
        self
    }

    fn next_serial(&mut self) -> u64 {
        self.serial += 1;
        self.serial
    }

    /// Takes a message in. Nothing here waits.
    pub fn update(&mut self, message: Message) -> Task<Message> {
        let task = self.route(message);
        Task::batch([task, self.tend_pages()])
    }

    fn route(&mut self, message: Message) -> Task<Message> {
        let actions = match message {
            Message::Opened(Ok(bridge)) => return self.opened(bridge),
            Message::Opened(Err(error)) => {
                self.phase = Phase::Failed(error);
                Vec::new()
            }
            Message::Happened(event) => return self.happened(event),
            Message::Ticked(now) => return self.tick(now),
            Message::KeyPressed(press) => return self.key(&press),
            Message::CloseRequested(id) => return self.close(id),
            Message::ShutDown => return iced::exit(),
            Message::Rescaled(density) => {
                self.density = density;
                Vec::new()
            }
            Message::Resized(width) => {
                self.resize(width);
                Vec::new()
            }
            Message::ModeChanged(mode) => {
                self.mode = mode;
                Vec::new()
            }
            Message::Placed(window) => {
                self.place = window;
                self.drag_wanted(false);
                Vec::new()
            }
            Message::DragWanted(wanted) => {
                self.drag_wanted(wanted);
                Vec::new()
            }
            Message::Mail(mail::Message::WishPressed(wish)) => return self.wish(wish),
            Message::Mail(message) => self.mail_message(message),
            Message::Setup(message) => match &mut self.screen {
                Screen::Setup(setup) => setup.update(message),
                _ => Vec::new(),
            },
            Message::Settings(message) => match &mut self.screen {
                Screen::Settings(settings) => settings.update(message, &self.directory),
                _ => Vec::new(),
            },
            Message::Account(message) => match &mut self.screen {
                Screen::Account(page) => page.update(message, &self.directory),
                _ => Vec::new(),
            },
            Message::AccountTested(result) => match &mut self.screen {
                Screen::Setup(setup) => setup.tested(result),
                Screen::Settings(settings) => settings.tested(result),
                _ => Vec::new(),
            },
            Message::Sheet(message) => return self.sheet_message(message),
            Message::Compose(message) => return self.compose_message(message),
            Message::FileDropped(path) => return self.file_dropped(path),
            Message::AnswerReady(result) => return self.answer_ready(result),
            Message::DraftSaved(id, result) => return self.draft_saved(id, result),
            Message::SubmissionQueued(id, result) => return self.submission_queued(id, result),
            Message::SubmissionCancelled(id, result) => return self.submission_cancelled(id, result),
            Message::ComposerPicked(id) => {
                self.composing = Some(id);
                Vec::new()
            }
            Message::ToastPressed(id) => return self.toast_pressed(id),
            Message::ToastClosed(id) => {
                self.toasts.retain(|toast| toast.id != id);
                Vec::new()
            }
            loaded => return self.answered(loaded),
        };
        self.perform_all(actions)
    }

    /// Takes in what the engine answered.
    fn answered(&mut self, message: Message) -> Task<Message> {
        match message {
            Message::AccountsLoaded(Ok(accounts)) => return self.accounts_loaded(accounts),
            Message::MailboxesLoaded(Ok(mailboxes)) => self.directory.take_mailboxes(mailboxes),
            Message::ProblemsLoaded(Ok(problems)) => self.directory.problems = problems,
            Message::StatesLoaded(Ok(states)) => self.directory.states = states.into_iter().collect(),
            Message::OutboxLoaded(Ok(outbox)) => self.outbox_loaded(outbox),
            Message::Done(deed, result) => self.done(&deed, result),
            Message::PartsSaved(Ok(None)) | Message::LinkOpened(Ok(())) | Message::PartOpened(Ok(())) => {}
            Message::Told(said, Ok(())) if !said.is_empty() => self.say(said),
            Message::Unsubscribed(Ok(done)) => self.say(unsubscribed_words(done)),
            Message::PartsSaved(Ok(Some(saved))) => self.say(saved_words(&saved)),
            Message::SandboxStarted(Ok(running)) => {
                self.sandbox = Some(running);
                self.sandbox_starting = false;
                return self.account_saved();
            }
            Message::AccountSaved(Ok(()))
            | Message::AccountRemoved(Ok(()))
            | Message::SandboxCleared(Ok(())) => {
                return self.account_saved();
            }
            Message::SourceLoaded(headers, Ok(raw)) => return self.source_loaded(headers, raw),
            Message::PictureSeen(at, result) => self.picture_seen(&at, result),
            Message::DraggedOut(result) => self.dragged_out(result),
            Message::NetworkSet(Ok(())) => return self.load_network(),
            Message::NetworkLoaded(Ok(network)) => self.directory.network = network,
            Message::AppearanceLoaded(Ok(appearance)) => self.appearance = appearance,
            Message::SandboxStarted(Err(error)) => {
                self.sandbox_starting = false;
                self.not_added(error);
            }
            Message::AccountSaved(Err(error)) => self.not_added(error),
            Message::AccountsLoaded(Err(error))
            | Message::MailboxesLoaded(Err(error))
            | Message::ProblemsLoaded(Err(error))
            | Message::StatesLoaded(Err(error))
            | Message::OutboxLoaded(Err(error))
            | Message::PartsSaved(Err(error))
            | Message::AccountRemoved(Err(error))
            | Message::SandboxCleared(Err(error))
            | Message::LinkOpened(Err(error))
            | Message::SourceLoaded(_, Err(error))
            | Message::PartOpened(Err(error))
            | Message::Told(_, Err(error))
            | Message::Unsubscribed(Err(error))
            | Message::NetworkSet(Err(error))
            | Message::NetworkLoaded(Err(error))
            | Message::AppearanceLoaded(Err(error)) => self.fail(&error),
            _ => {}
        }
        Task::none()
    }

    fn opened(&mut self, bridge: Bridge) -> Task<Message> {
        let events = bridge.events();
        self.bridge = Some(Arc::clone(&bridge));
        self.phase = Phase::Open;
        let mut tasks = vec![
            Task::run(events, Message::Happened),
            self.load_accounts(),
            self.load_mailboxes(),
            self.load_problems(),
            self.load_states(),
            self.load_network(),
            self.load_appearance(),
            self.load_outbox(),
            Self::look_around(),
        ];
        if self.options.demo {
            tasks.push(self.perform(Action::StartSandbox));
        }
        Task::batch(tasks)
    }

    fn accounts_loaded(&mut self, accounts: Vec<Account>) -> Task<Message> {
        let no_sandbox = self.sandbox.is_none() && !self.sandbox_starting;
        if no_sandbox && accounts.iter().any(|account| demo::is_sandbox(&account.config)) {
            // A crash left them behind: their server is gone.
            return match self.clear_sandbox(&accounts) {
                Some(clearing) => Task::perform(clearing, Message::SandboxCleared),
                None => Task::none(),
            };
        }
        let none = accounts.is_empty();
        self.directory.accounts = accounts;
        match self.screen {
            Screen::Blank if none && !self.options.demo => {
                self.screen = Screen::Setup(Box::new(Setup::first()));
                self.perform(Action::Focus(setup::ADDRESS))
            }
            Screen::Blank if !none => {
                self.screen = Screen::Mail;
                let mut actions = self.mail.start();
                actions.extend(self.start_from_options());
                self.perform_all(actions)
            }
            Screen::Mail | Screen::Settings(_) | Screen::Account(_) if none => {
                self.begin_anew();
                self.screen = Screen::Setup(Box::new(Setup::first()));
                Task::none()
            }
            _ => Task::none(),
        }
    }

    /// Mail's screen as it is at the start.
    pub(crate) fn begin_anew(&mut self) {
        self.mail = Mail::default();
        self.mail.resize(self.width);
        self.drag_wanted(false);
    }

    fn mail_message(&mut self, message: mail::Message) -> Vec<Action> {
        // Another message was chosen: the composer makes room and waits below.
        let picks = matches!(
            message,
            mail::Message::Listed(crate::widget::ListEvent::Pressed { .. })
        );
        if picks {
            self.composing = None;
        }
        self.mail.update(message, &self.directory)
    }

    fn happened(&mut self, event: Event) -> Task<Message> {
        match event {
            Event::AccountsChanged => Task::batch([self.load_accounts(), self.load_states()]),
            Event::MailboxesChanged { .. } => self.load_mailboxes(),
            Event::MessagesChanged { messages, .. } => {
                if !matches!(
                    self.screen,
                    Screen::Mail | Screen::Settings(_) | Screen::Account(_)
                ) {
                    return Task::none();
                }
                let actions = self.mail.changed(&messages);
                self.perform_all(actions)
            }
            Event::NewMail { .. } | Event::OperationsChanged => Task::none(),
            Event::StateChanged { account, state } => {
                self.directory.states.insert(account, state);
                // A check has ended: what is on the server may be another.
                match &self.screen {
                    Screen::Account(page) if page.account == account && state != AccountState::Syncing => {
                        let actions = page.reload();
                        self.perform_all(actions)
                    }
                    _ => Task::none(),
                }
            }
            Event::Progress {
                account,
                doing: posthorn_engine::event::Doing::Idle,
                ..
            } => {
                self.directory.progress.remove(&account);
                Task::none()
            }
            Event::Progress {
                account,
                doing,
                done,
                total,
            } => {
                self.directory
                    .progress
                    .insert(account, Progress { doing, done, total });
                Task::none()
            }
            Event::NetworkChanged { .. } => self.load_network(),
            // Read anew by whoever opens a message.
            Event::ReadingChanged => Task::none(),
            Event::ProblemsChanged => self.load_problems(),
            Event::OutboxChanged => self.load_outbox(),
        }
    }

    fn tick(&mut self, now: Instant) -> Task<Message> {
        self.clock.tick();
        self.toasts.retain(|toast| toast.until > now);
        self.forget_sent();
        let mut actions = self.mail.tick(now);
        actions.extend(self.drafts_due(now));
        self.perform_all(actions)
    }

    /// Drafts first, then the engine; the window is out of the way at once.
    fn close(&mut self, id: window::Id) -> Task<Message> {
        self.phase = Phase::Closing;
        let drafts = self.save_all_drafts();
        let Some(bridge) = self.bridge.clone() else {
            return iced::exit();
        };
        let cleared = self.clear_sandbox(&self.directory.accounts);
        let ended = async move {
            if let Some(cleared) = cleared
                && let Err(error) = cleared.await
            {
                log::warn!("The sandbox's accounts stay until the next start: {error}.");
            }
            crate::bridge::end(bridge).await;
        };
        let ended = Task::perform(ended, |()| Message::ShutDown);
        Task::batch([window::set_mode(id, window::Mode::Hidden), drafts.chain(ended)])
    }

    fn clear_sandbox(
        &self,
        accounts: &[Account],
    ) -> Option<impl Future<Output = Result<(), Error>> + Send + 'static> {
        let ids: Vec<AccountId> = accounts
            .iter()
            .filter(|account| demo::is_sandbox(&account.config))
            .map(|account| account.id)
            .collect();
        if ids.is_empty() {
            return None;
        }
        self.bridge.clone().map(|bridge| demo::clear(bridge, ids))
    }

    /// What the program listens to.
    pub fn subscription(&self) -> Subscription<Message> {
        let quick = !self.toasts.is_empty()
            || self.mail.is_waiting()
            || self.phase == Phase::Opening
            || self.composers.iter().any(|composer| composer.is_dirty());
        let period = std::time::Duration::from_millis(if quick { 200 } else { 20_000 });
        Subscription::batch([
            event::listen_with(keys::listen),
            window::close_requests().map(Message::CloseRequested),
            iced::system::theme_changes().map(Message::ModeChanged),
            iced::time::every(period).map(Message::Ticked),
        ])
    }

    /// The window's title.
    #[must_use]
    pub fn title(&self) -> String {
        let unread = self.directory.inbox_unread();
        match self.screen {
            Screen::Mail if unread > 0 => crate::t!("window-title-unread", count = unread),
            _ => crate::t!("window-title"),
        }
    }
}

fn saved_words(saved: &Saved) -> String {
    let place = saved.place.display().to_string();
    if saved.unasked {
        crate::t!("saved-unasked", place = place)
    } else {
        crate::t!("saved-to", place = place)
    }
}

fn unsubscribed_words(done: Unsubscribed) -> String {
    match done {
        Unsubscribed::Posted { host } => crate::t!("unsubscribed-posted", host = host),
        Unsubscribed::Queued { to, .. } => crate::t!("unsubscribed-queued", to = to),
    }
}
