//! The three panes: where mail is, what is there, what it says.

mod deed;
mod list_pane;
pub mod reader;
mod sidebar;
mod status;

use std::collections::BTreeSet;
use std::time::{Duration, Instant};

use iced::Element;
use iced::widget::row;
use posthorn_engine::Error;
use posthorn_engine::catalog::{Page, Row};
use posthorn_model::query::{Cursor, View};
use posthorn_model::{AccountId, Flag, FlagChange, MailboxId, MessageId, NetworkPolicy, SpecialUse};

use crate::app::Action;
use crate::directory::Directory;
use crate::listing::{Fetch, Listing, Subject, key};
use crate::row as card;
use crate::screen::compose;
use crate::screen::sheet::mailbox::Question;
use crate::shortcut::Wish;
use crate::when::Clock;
use crate::widget::circle::Pane;
use crate::widget::{ListEvent, splitter};

use reader::Reader;

/// The search box, for the keyboard.
pub const SEARCH: &str = "search";
/// The message list, for the keyboard and tests.
pub const LIST: &str = "message-list";
/// The three panes, and the sidebar's row that is shown.
pub const LEFT: &str = "pane-left";
pub const MIDDLE: &str = "pane-middle";
pub const RIGHT: &str = "pane-right";
const SHOWN: &str = "mailbox-shown";
/// How long a message is on the screen before it counts as read.
const READ_AFTER: Duration = Duration::from_millis(700);
/// How far Page Up and Page Down go.
const SCREENFUL: i64 = 8;

/// What happened in the three panes.
#[derive(Clone, Debug)]
pub enum Message {
    ViewPicked(View),
    /// The other button, or the menu key, on a mailbox or an account.
    MenuAsked(AccountId, Option<MailboxId>),
    AccountToggled(AccountId),
    SidebarToggled,
    SidebarDragged(f32),
    ListDragged(f32),
    Listed(ListEvent<Cursor>),
    PageLoaded(Fetch, Result<Page, Error>),
    SearchTyped(String),
    SearchSubmitted,
    SearchCleared,
    WishPressed(Wish),
    Reader(reader::Message),
    ProblemsPressed,
    SettingsPressed,
    /// An account's mail on its server.
    ServerPressed(AccountId),
    OfflinePressed,
}

/// The list gives way to the reader down to this.
const LEAST: f32 = 240.0;

/// The state of the three panes.
#[derive(Debug)]
pub struct Mail {
    pub view: View,
    pub listing: Listing,
    pub reader: Reader,
    serial: u64,
    pub search: String,
    sidebar_width: f32,
    list_width: f32,
    sidebar_open: bool,
    /// Whether it is open where there is little room.
    sidebar_squeezed: bool,
    /// The window's width.
    room: f32,
    folded: BTreeSet<AccountId>,
    /// The last step went up the list.
    backwards: bool,
    /// When the message in the reader counts as read.
    read_at: Option<(Cursor, Instant)>,
    /// Since when an empty list has been waiting for its first page.
    waiting: Option<Instant>,
}

impl Default for Mail {
    fn default() -> Self {
        Self {
            view: View::Inbox,
            listing: Listing::new(Subject::View(View::Inbox), 1),
            reader: Reader::default(),
            serial: 1,
            search: String::new(),
            sidebar_width: 224.0,
            list_width: 384.0,
            sidebar_open: true,
            sidebar_squeezed: false,
            room: 1280.0,
            folded: BTreeSet::new(),
            backwards: false,
            read_at: None,
            waiting: None,
        }
    }
}

fn load(fetch: Option<Fetch>) -> Vec<Action> {
    fetch.map(Action::LoadPage).into_iter().collect()
}

impl Mail {
    /// Loads the first page of the list in front.
    pub fn start(&mut self) -> Vec<Action> {
        self.waiting = Some(Instant::now());
        load(self.listing.start())
    }

    /// Shows another list.
    pub fn list(&mut self, subject: Subject) -> Vec<Action> {
        if let Subject::View(view) = subject {
            self.view = view;
            self.search.clear();
        }
        self.make_room();
        self.serial += 1;
        self.listing = Listing::new(subject, self.serial);
        self.reader.clear();
        self.read_at = None;
        self.start()
    }

    /// Rows of these mailboxes changed.
    pub fn changed(&mut self, messages: &[MessageId]) -> Vec<Action> {
        let mut actions = load(self.listing.changed());
        actions.extend(self.reader.changed(messages));
        actions
    }

    pub fn update(&mut self, message: Message, directory: &Directory) -> Vec<Action> {
        match message {
            Message::ViewPicked(view) => self.list(Subject::View(view)),
            Message::MenuAsked(account, mailbox) => {
                vec![Action::AskMailbox(Question::menu(account, mailbox))]
            }
            Message::AccountToggled(id) => {
                if !self.folded.remove(&id) {
                    self.folded.insert(id);
                }
                Vec::new()
            }
            Message::SidebarToggled => {
                let open = if self.is_narrow() {
                    &mut self.sidebar_squeezed
                } else {
                    &mut self.sidebar_open
                };
                *open = !*open;
                Vec::new()
            }
            Message::SidebarDragged(by) => {
                self.sidebar_width = (self.sidebar_width + by).clamp(160.0, 420.0);
                Vec::new()
            }
            Message::ListDragged(by) => {
                self.list_width = (self.list_width + by).clamp(260.0, 720.0);
                Vec::new()
            }
            Message::Listed(event) => {
                if matches!(event, ListEvent::Pressed { .. }) {
                    self.reader.untouch();
                }
                self.listed(event)
            }
            Message::PageLoaded(fetch, Ok(page)) => {
                self.waiting = None;
                load(self.listing.arrived(&fetch, page))
            }
            Message::PageLoaded(fetch, Err(error)) => {
                self.waiting = None;
                self.listing.failed(&fetch);
                vec![Action::Failed(error)]
            }
            Message::SearchTyped(text) => {
                self.search = text;
                Vec::new()
            }
            Message::SearchSubmitted if self.search.trim().is_empty() => self.clear_search(),
            Message::SearchSubmitted => self.list(Subject::Search(self.search.trim().to_owned())),
            Message::SearchCleared => self.clear_search(),
            Message::WishPressed(wish) => self.wish(wish, directory),
            Message::Reader(message) => {
                let mut actions = self.reader.update(message);
                self.arm_reading();
                actions.extend(self.look_ahead());
                actions
            }
            Message::ProblemsPressed => vec![Action::ShowProblems],
            Message::SettingsPressed => vec![Action::ShowSettings],
            Message::ServerPressed(id) => vec![Action::ShowAccount(id)],
            // The user's own word: that the system calls the connection metered changes nothing about it.
            Message::OfflinePressed => vec![Action::SetNetwork(match directory.network.chosen {
                NetworkPolicy::Offline => NetworkPolicy::Online,
                NetworkPolicy::Online | NetworkPolicy::Metered => NetworkPolicy::Offline,
            })],
        }
    }

    fn clear_search(&mut self) -> Vec<Action> {
        self.search.clear();
        if matches!(self.listing.subject, Subject::Search(_)) {
            return self.list(Subject::View(self.view));
        }
        Vec::new()
    }

    fn listed(&mut self, event: ListEvent<Cursor>) -> Vec<Action> {
        match event {
            ListEvent::Needed { first, last } => load(self.listing.need(first, last)),
            ListEvent::Pressed { key, at, width, .. } if card::is_star(at, width) => {
                let starred = self
                    .listing
                    .row_of(key)
                    .is_some_and(|row| row.flags.contains(Flag::Flagged));
                self.flag(&BTreeSet::from([key]), &deed::star(!starred))
            }
            ListEvent::Pressed { key, modifiers, .. } if modifiers.shift() => {
                self.listing.extend_to(key);
                Vec::new()
            }
            ListEvent::Pressed { key, modifiers, .. } if modifiers.command() => {
                self.listing.toggle(key);
                Vec::new()
            }
            ListEvent::Pressed { key, .. } => {
                self.listing.select_only(key);
                self.open()
            }
            ListEvent::DoublePressed { key } => {
                self.listing.select_only(key);
                self.open_fully()
            }
            ListEvent::Dragged { key } => {
                let row = self.listing.row_of(key);
                let dragged =
                    row.map(|row| Action::DragMessage(row.message, reader::file_name(&row.subject)));
                dragged.into_iter().collect()
            }
            ListEvent::Context { key, .. } => {
                if !self.listing.selected.contains(&key) {
                    self.listing.select_only(key);
                }
                vec![Action::ShowPalette]
            }
        }
    }

    /// Shows the row under the cursor in the reader.
    fn open(&mut self) -> Vec<Action> {
        let row = self
            .listing
            .cursor
            .and_then(|cursor| self.listing.row_of(cursor))
            .cloned();
        match row {
            Some(row) => {
                self.make_room();
                let actions = self.reader.show(&row);
                self.arm_reading();
                actions
            }
            None => Vec::new(),
        }
    }

    /// As [`Self::open`], and a draft goes on being written.
    fn open_fully(&mut self) -> Vec<Action> {
        let mut actions = self.open();
        if let Some(row) = &self.reader.current
            && row.flags.contains(Flag::Draft)
        {
            actions.push(Action::ContinueDraft(row.message, row.account));
        }
        actions
    }

    /// Prepares what lies in the way that the reader goes, where nothing else is to be done.
    fn look_ahead(&mut self) -> Vec<Action> {
        let shown = self.reader.current.as_ref().map(key);
        let at = shown
            .filter(|_| self.reader.is_calm())
            .and_then(|at| self.listing.find(at));
        let next = at.and_then(|at| {
            if self.backwards {
                at.checked_sub(1)
            } else {
                at.checked_add(1)
            }
        });
        match next.and_then(|next| self.listing.row(next)) {
            Some(row) => self.reader.prepare(row),
            None => Vec::new(),
        }
    }

    fn arm_reading(&mut self) {
        self.read_at = match (self.reader.unread_and_open(), self.read_at) {
            (Some(now), Some((before, at))) if now == before => Some((before, at)),
            (Some(now), _) => Some((now, Instant::now() + READ_AFTER)),
            (None, _) => None,
        };
    }

    /// Whether anything here waits for the clock.
    #[must_use]
    pub fn is_waiting(&self) -> bool {
        self.read_at.is_some() || self.waiting.is_some() || self.reader.is_waiting()
    }

    pub fn tick(&mut self, now: Instant) -> Vec<Action> {
        match self.read_at {
            Some((cursor, at)) if at <= now => {
                self.read_at = None;
                self.flag(&BTreeSet::from([cursor]), &FlagChange::adding(Flag::Seen))
            }
            _ => Vec::new(),
        }
    }

    fn step(&mut self, by: i64, extend: bool) -> Vec<Action> {
        let Some(to) = self.listing.step(by) else {
            return Vec::new();
        };
        self.backwards = by < 0;
        self.listing.reveal += 1;
        if extend {
            self.listing.extend_to(to);
            return Vec::new();
        }
        self.listing.select_only(to);
        self.open()
    }

    /// What a key or a button asks of the three panes.
    pub fn wish(&mut self, wish: Wish, directory: &Directory) -> Vec<Action> {
        // Enter in the find bar goes on.
        if wish == Wish::Open && self.reader.find.is_some() {
            return self.reader.step_find(true);
        }
        if let Some(actions) = self.reader.wish(wish) {
            return actions;
        }
        match wish {
            Wish::Next => self.step(1, false),
            Wish::Previous => self.step(-1, false),
            Wish::PageDown => self.step(SCREENFUL, false),
            Wish::PageUp => self.step(-SCREENFUL, false),
            Wish::First => self.step(i64::MIN / 2, false),
            Wish::Last => self.step(i64::MAX / 2, false),
            Wish::ExtendNext => self.step(1, true),
            Wish::ExtendPrevious => self.step(-1, true),
            Wish::Open => self.open_fully(),
            Wish::Back => self.back(),
            Wish::Select => {
                if let Some(cursor) = self.listing.cursor {
                    self.listing.toggle(cursor);
                }
                Vec::new()
            }
            Wish::SelectAll => {
                self.listing.select_all();
                Vec::new()
            }
            Wish::Search => vec![Action::Focus(SEARCH)],
            Wish::NewMailbox => self.ask_new_mailbox(directory),
            Wish::MailboxMenu => self.ask_menu(directory),
            Wish::GoInbox => self.list(Subject::View(View::Inbox)),
            Wish::GoSent => self.go(SpecialUse::Sent, directory),
            Wish::GoDrafts => self.go(SpecialUse::Drafts, directory),
            Wish::Archive | Wish::Delete | Wish::Junk => self.put_away(wish, directory),
            Wish::ToggleUnread => {
                let change = if self.listing.any_unread() {
                    FlagChange::adding(Flag::Seen)
                } else {
                    FlagChange::removing(Flag::Seen)
                };
                self.read_at = None;
                self.flag(&self.listing.selected.clone(), &change)
            }
            Wish::ToggleStar => {
                let all = self.listing.chosen().all(|row| row.flags.contains(Flag::Flagged));
                self.flag(&self.listing.selected.clone(), &deed::star(!all))
            }
            Wish::Move if !self.listing.selected.is_empty() => vec![Action::ShowMove],
            Wish::Reply | Wish::ReplyAll | Wish::Forward => self.answer(wish),
            _ => Vec::new(),
        }
    }

    fn answer(&self, wish: Wish) -> Vec<Action> {
        self.reader
            .meant()
            .map(|row| Action::Answer(wish, row.message, row.account))
            .into_iter()
            .collect()
    }

    fn back(&mut self) -> Vec<Action> {
        if self.reader.find.take().is_some() {
            return Vec::new();
        }
        if self.listing.selected.len() > 1 {
            if let Some(cursor) = self.listing.cursor {
                self.listing.select_only(cursor);
            } else {
                self.listing.selected.clear();
            }
            return Vec::new();
        }
        if !self.search.is_empty() || matches!(self.listing.subject, Subject::Search(_)) {
            return self.clear_search();
        }
        self.listing.selected.clear();
        self.reader.clear();
        self.read_at = None;
        Vec::new()
    }

    /// In the account in view, or else the first.
    fn ask_new_mailbox(&self, directory: &Directory) -> Vec<Action> {
        let account = self.account_in_view(directory);
        let question = account.map(|account| Question::New {
            account,
            within: None,
            typed: String::new(),
        });
        question.map(Action::AskMailbox).into_iter().collect()
    }

    fn ask_menu(&self, directory: &Directory) -> Vec<Action> {
        let mailbox = match self.view {
            View::Mailbox(id) => Some(id),
            _ => None,
        };
        let account = self.account_in_view(directory);
        account
            .map(|account| Action::AskMailbox(Question::menu(account, mailbox)))
            .into_iter()
            .collect()
    }

    fn account_in_view(&self, directory: &Directory) -> Option<AccountId> {
        let account = match self.view {
            View::Mailbox(id) => directory.mailbox(id).map(|mailbox| mailbox.account),
            View::Account(id) => Some(id),
            View::Inbox | View::All => None,
        };
        account.or_else(|| directory.accounts.first().map(|account| account.id))
    }

    /// To a mailbox by its purpose: of the account in view, or else of the first.
    fn go(&mut self, purpose: SpecialUse, directory: &Directory) -> Vec<Action> {
        self.account_in_view(directory)
            .and_then(|account| directory.special(account, purpose))
            .map(|mailbox| mailbox.id)
            .map(|id| self.list(Subject::View(View::Mailbox(id))))
            .unwrap_or_default()
    }

    /// The rows that an action would take, for dialogs.
    pub fn chosen(&self) -> impl Iterator<Item = &Row> {
        self.listing.chosen()
    }

    /// The window is so wide.
    pub const fn resize(&mut self, room: f32) {
        self.room = room;
    }

    /// Something is to be read or written now: a sidebar that leaves no room for it goes.
    pub fn make_room(&mut self) {
        const ENOUGH: f32 = 320.0;
        if self.room - self.sidebar_width - LEAST < ENOUGH {
            self.sidebar_squeezed = false;
        }
    }

    /// There is no room for three panes: the sidebar waits until it is asked for.
    fn is_narrow(&self) -> bool {
        const THREE: f32 = 940.0;
        self.room < THREE
    }

    /// How wide the sidebar is, if it is there, and the list: the reader keeps what reading needs.
    fn widths(&self) -> (Option<f32>, f32) {
        const READER: f32 = 400.0;
        let open = if self.is_narrow() {
            self.sidebar_squeezed
        } else {
            self.sidebar_open
        };
        let sidebar = open.then_some(self.sidebar_width);
        let left = self.room - sidebar.unwrap_or_default() - READER;
        (sidebar, self.list_width.min(left.max(LEAST)))
    }

    /// The three panes and the status line.
    /// The panes for the keyboard, from left to right.
    #[must_use]
    pub fn panes(&self, composing: bool) -> Vec<Pane> {
        let page = if composing {
            Some(compose::BODY.to_owned())
        } else {
            self.reader.meant_page()
        };
        let pane = |id, rather| Pane { id, rather };
        vec![
            pane(LEFT, Some(SHOWN.to_owned())),
            pane(MIDDLE, Some(LIST.to_owned())),
            pane(RIGHT, page),
        ]
    }

    pub fn view<'a>(
        &'a self,
        directory: &'a Directory,
        clock: &'a Clock,
        instead: Option<Element<'a, crate::app::Message>>,
        waiting: Vec<Element<'a, crate::app::Message>>,
    ) -> Element<'a, crate::app::Message> {
        let mut panes = row![];
        let (sidebar, list) = self.widths();
        if let Some(width) = sidebar {
            panes = panes
                .push(sidebar::view(self, directory, width).map(crate::app::Message::Mail))
                .push(splitter(|by| {
                    crate::app::Message::Mail(Message::SidebarDragged(by))
                }));
        }
        panes = panes
            .push(list_pane::view(self, directory, clock, list).map(crate::app::Message::Mail))
            .push(splitter(|by| crate::app::Message::Mail(Message::ListDragged(by))));
        let pane = match instead {
            Some(composer) => composer,
            None => list_pane::reading(self, directory, clock).map(crate::app::Message::Mail),
        };
        panes = panes.push(iced::widget::container(list_pane::with_waiting(pane, waiting)).id(RIGHT));
        iced::widget::column![
            panes.height(iced::Fill),
            status::view(directory).map(crate::app::Message::Mail)
        ]
        .into()
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_reader_keeps_its_room() {
        let mut mail = Mail::default();
        let check = |mail: &mut Mail, room: f32, sidebar: Option<f32>, list: f32| {
            mail.resize(room);
            assert_eq!(mail.widths(), (sidebar, list), "{room}");
        };
        check(&mut mail, 1920.0, Some(224.0), 384.0);
        check(&mut mail, 1280.0, Some(224.0), 384.0);
        check(&mut mail, 960.0, Some(224.0), 336.0);
        check(&mut mail, 800.0, None, 384.0);
        check(&mut mail, 640.0, None, 240.0);
        mail.update(Message::SidebarToggled, &Directory::default());
        check(&mut mail, 800.0, Some(224.0), 240.0);
        check(&mut mail, 1280.0, Some(224.0), 384.0);
        mail.make_room();
        check(&mut mail, 800.0, Some(224.0), 240.0);
        mail.resize(640.0);
        mail.make_room();
        check(&mut mail, 640.0, None, 240.0);
    }
}
