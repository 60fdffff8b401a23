//! The conversation: older messages folded, the chosen one open, each as its sender drew it.
//!
//! [`Reader`] routes; `reading` is one unfolded message, `canvas` its page, `material` what the page is made from,
//! `plain` text as a page, `find` the find bar, `block` text where there is nobody to draw.

mod ahead;
mod attachment;
mod bar;
pub mod block;
pub mod canvas;
mod event;
mod file;
mod find;
mod header;
pub mod material;
mod page;
mod plain;
pub mod preview;
mod reading;
mod step;
mod trust;
mod view;

use std::collections::{BTreeMap, BTreeSet};
use std::time::Instant;

use posthorn_engine::Error;
use posthorn_engine::catalog::{Message as Mail, Row};
use posthorn_engine::pictures::Consent;
use posthorn_html::page::PageId;
use posthorn_mime::PartStat;
use posthorn_model::query::Cursor;
use posthorn_model::{BodyState, Flag, MessageId, Part, ThreadId};

use crate::app::Action;
use crate::listing::key;
use crate::widget::Drag;
use crate::widget::page::PageEvent;
use crate::widget::witness::Place;
use canvas::{Answer, Around, Draw};
use find::Find;
use material::Read;
use reading::Reading;

pub use page::page_id;
pub use step::file_name;
pub use view::view;

/// The find bar's field.
pub const FIND: &str = "find";
/// What the conversation is scrolled in.
pub const SCROLL: &str = "conversation";

/// What happened in the reader.
#[derive(Clone, Debug)]
pub enum Message {
    ThreadLoaded(Cursor, Result<Vec<Row>, Error>),
    MessageLoaded(MessageId, Result<Option<Box<Read>>, Error>),
    PicturesFetched(MessageId, Result<posthorn_engine::pictures::Fetched, Error>),
    PicturesPressed(MessageId),
    AlwaysPressed(MessageId),
    UnsubscribePressed(MessageId),
    /// A message inside another one was opened.
    NestedLoaded(Result<Option<Box<Read>>, Error>),
    NestedClosed,
    Previewed(MessageId, u32, preview::Seen),
    /// An answer to an invitation, by its place.
    AnswerPressed(MessageId, usize, PartStat),
    ReceiptPressed(MessageId, bool),
    Toggled(MessageId),
    MorePressed(MessageId),
    DetailsPressed(MessageId),
    RetryPressed(MessageId),
    LinkPressed(String),
    PartPressed(MessageId, Part),
    PartDragged(MessageId, Part),
    SavePressed(MessageId, Part),
    SaveAllPressed(MessageId),
    Page(MessageId, PageEvent),
    Drawn(MessageId, Answer),
    /// A page's room has been the same for a while.
    Settled(MessageId),
    QuotedPressed(MessageId),
    MenuPressed(MessageId),
    AsTextPressed(MessageId),
    AsSentPressed(MessageId),
    FindTyped(String),
    FindStepped(bool),
    FindClosed,
}

/// The state of the reader.
#[derive(Debug, Default)]
pub struct Reader {
    pub current: Option<Row>,
    thread: Vec<Row>,
    open: BTreeMap<MessageId, Opened>,
    /// The message that may be opened next.
    ahead: Option<(MessageId, Opened)>,
    details: BTreeSet<MessageId>,
    /// The message of the conversation that keys are about, where it is not the chosen one.
    at: Option<MessageId>,
    /// The messages inside others that are open, the innermost last.
    inside: Vec<MessageId>,
    numbers: i64,
    /// The page that was touched last.
    touched: Option<MessageId>,
    pub find: Option<Find>,
    /// Whether files and messages can be dragged out of this window.
    pub drag: Drag,
    /// The room that the last page had: the next one will hardly have another.
    width: Option<f32>,
    /// What pages look like from outside; `None`: nobody is there to draw them.
    around: Option<Around>,
    /// Where the conversation is scrolled to.
    place: Place,
    places: BTreeMap<ThreadId, f32>,
    /// Pages that are no longer shown.
    left: Vec<PageId>,
}

/// A message that is unfolded.
#[derive(Debug)]
enum Opened {
    /// Since when.
    Loading(Instant),
    Here(Box<Reading>),
    Failed(Error),
}

impl Reader {
    /// Opens a message and its conversation.
    pub fn show(&mut self, row: &Row) -> Vec<Action> {
        if self.current.as_ref().is_some_and(|now| key(now) == key(row)) {
            self.current = Some(row.clone());
            return Vec::new();
        }
        self.leave();
        self.thread = vec![row.clone()];
        self.current = Some(row.clone());
        let top = self.places.get(&row.thread).copied().unwrap_or_default();
        let mut actions = vec![
            Action::ScrollReader(top),
            Action::LoadThread(key(row), row.thread),
        ];
        if let Some(mut reading) = self.take_ahead(row.message) {
            // Now that it is read, what the reader's rules allow may be fetched.
            actions.extend(reading.obey());
            self.open.insert(row.message, Opened::Here(reading));
            return actions;
        }
        self.open.insert(row.message, Opened::Loading(Instant::now()));
        actions.push(Action::LoadMessage(row.message));
        if row.body == BodyState::Headers {
            actions.push(Action::fetch_body(row.message));
        }
        actions
    }

    pub fn clear(&mut self) {
        self.leave();
        self.forget_ahead();
        self.current = None;
        self.thread.clear();
    }

    /// Remembers the place, and lets go of every page.
    fn leave(&mut self) {
        const REMEMBERED: usize = 500;
        if let Some(row) = self.current.take() {
            if self.places.len() >= REMEMBERED {
                self.places.pop_first();
            }
            self.places.insert(row.thread, self.place.get());
        }
        for (_, opened) in std::mem::take(&mut self.open) {
            self.let_go(opened);
        }
        self.details.clear();
        self.at = None;
        self.inside.clear();
        self.touched = None;
        self.find = None;
    }

    fn let_go(&mut self, opened: Opened) {
        if let Opened::Here(mut reading) = opened
            && let Some(canvas) = &mut reading.canvas
        {
            let closed = canvas.close().into_iter().filter_map(|action| match action {
                Action::Draw(Draw::Close(page)) => Some(page),
                _ => None,
            });
            self.left.extend(closed);
        }
    }

    /// Pages that the painter may forget.
    pub fn take_left(&mut self) -> Vec<PageId> {
        std::mem::take(&mut self.left)
    }

    /// These messages changed; empty: any of them may have.
    pub fn changed(&mut self, messages: &[MessageId]) -> Vec<Action> {
        let concerns = |id: &MessageId| messages.is_empty() || messages.contains(id);
        if self.ahead.as_ref().is_some_and(|(id, _)| concerns(id)) {
            self.forget_ahead();
        }
        let Some(current) = &self.current else {
            return Vec::new();
        };
        let mut actions = Vec::new();
        if messages.is_empty() || self.thread.iter().any(|row| concerns(&row.message)) {
            actions.push(Action::LoadThread(key(current), current.thread));
        }
        for (id, opened) in &self.open {
            let settled = matches!(opened, Opened::Here(reading) if reading.mail().body == BodyState::Whole);
            if concerns(id) && !settled {
                actions.push(Action::LoadMessage(*id));
            }
        }
        actions
    }

    /// The window's colours and the screen's density, or nobody to draw.
    pub fn surround(&mut self, around: Option<Around>) -> Vec<Action> {
        if self.around == around {
            return Vec::new();
        }
        self.around = around;
        self.forget_ahead();
        let Some(around) = around else { return Vec::new() };
        self.readings_mut()
            .filter_map(|reading| reading.canvas.as_mut())
            .flat_map(|canvas| canvas.surround(around))
            .collect()
    }

    fn readings(&self) -> impl Iterator<Item = &Reading> {
        self.open.values().filter_map(|opened| match opened {
            Opened::Here(reading) => Some(&**reading),
            Opened::Loading(_) | Opened::Failed(_) => None,
        })
    }

    fn readings_mut(&mut self) -> impl Iterator<Item = &mut Reading> {
        self.open.values_mut().filter_map(|opened| match opened {
            Opened::Here(reading) => Some(&mut **reading),
            Opened::Loading(_) | Opened::Failed(_) => None,
        })
    }

    fn reading_of(&self, id: MessageId) -> Option<&Reading> {
        let ahead = || Some(&self.ahead.as_ref().filter(|(ahead, _)| *ahead == id)?.1);
        match self.open.get(&id).or_else(ahead)? {
            Opened::Here(reading) => Some(reading),
            Opened::Loading(_) | Opened::Failed(_) => None,
        }
    }

    fn reading_of_mut(&mut self, id: MessageId) -> Option<&mut Reading> {
        let ahead = self.ahead.as_mut().filter(|(ahead, _)| *ahead == id);
        match self.open.get_mut(&id).or_else(|| Some(&mut ahead?.1))? {
            Opened::Here(reading) => Some(reading),
            Opened::Loading(_) | Opened::Failed(_) => None,
        }
    }

    /// The message that is being read, whole or not.
    #[must_use]
    pub fn reading(&self) -> Option<&Mail> {
        Some(self.reading_of(self.current.as_ref()?.message)?.mail())
    }

    /// The message that keys are about: the one stepped to within the conversation, or else the chosen one.
    #[must_use]
    pub fn meant(&self) -> Option<&Row> {
        let stepped = self.at.and_then(|id| self.row(id));
        stepped.or(self.current.as_ref())
    }

    /// How the toolkit knows the page that keys are about, where there is one.
    #[must_use]
    pub fn meant_page(&self) -> Option<String> {
        let id = self.inside.last().copied();
        Some(page_id(id.or_else(|| Some(self.meant()?.message))?))
    }

    fn row(&self, id: MessageId) -> Option<&Row> {
        self.thread.iter().find(|row| row.message == id)
    }

    /// Whether the current message is on the screen and still unread.
    #[must_use]
    pub fn unread_and_open(&self) -> Option<Cursor> {
        let row = self.current.as_ref()?;
        let open = matches!(self.open.get(&row.message), Some(Opened::Here(_)));
        (open && !row.flags.contains(Flag::Seen)).then(|| key(row))
    }

    /// Whether a message is still being opened.
    #[must_use]
    pub fn is_waiting(&self) -> bool {
        self.open.values().any(|opened| match opened {
            Opened::Loading(_) => true,
            Opened::Here(reading) => reading.drawn().is_some_and(|canvas| canvas.waiting().is_some()),
            Opened::Failed(_) => false,
        })
    }

    /// Notes flags that were changed here, ahead of the engine's word.
    pub fn flag(&mut self, cursors: &BTreeSet<Cursor>, change: &posthorn_model::FlagChange) {
        for row in self.thread.iter_mut().chain(self.current.as_mut()) {
            if cursors.contains(&key(row)) {
                row.flags = change.apply(&row.flags);
            }
        }
    }

    pub fn update(&mut self, message: Message) -> Vec<Action> {
        match message {
            Message::ThreadLoaded(of, result) => self.thread_loaded(of, result),
            Message::MessageLoaded(id, result) => self.loaded(id, result),
            Message::Toggled(id) => self.toggle(id),
            Message::RetryPressed(id) => {
                self.open.insert(id, Opened::Loading(Instant::now()));
                vec![Action::LoadMessage(id), Action::fetch_body(id)]
            }
            Message::MorePressed(id) => self.change(id, |reading| {
                reading.set_more();
                reading.show(|wanted| wanted.whole = true)
            }),
            Message::DetailsPressed(id) => {
                if !self.details.remove(&id) {
                    self.details.insert(id);
                }
                Vec::new()
            }
            Message::LinkPressed(url) => vec![Action::AskLink {
                text: String::new(),
                url,
            }],
            Message::PartPressed(id, part) => self.open_part(id, &part),
            Message::PartDragged(id, part) => self.drag_part(id, &part),
            Message::SavePressed(id, part) => self.save_part(id, part),
            Message::SaveAllPressed(id) => self.save_all(id),
            Message::PicturesFetched(id, result) => self.change(id, |reading| reading.fetched(result)),
            Message::PicturesPressed(id) => self.change(id, |reading| reading.fetch(Consent::Once)),
            Message::AlwaysPressed(id) => self.allow_always(id),
            Message::UnsubscribePressed(id) => self.ask_unsubscribe(id),
            Message::NestedLoaded(result) => self.nested_loaded(result),
            Message::NestedClosed => self.close_nested(),
            Message::AnswerPressed(id, n, status) => self.answer_invitation(id, n, status),
            Message::ReceiptPressed(id, send) => self.answer_receipt(id, send),
            Message::Previewed(id, index, seen) => self.change(id, |reading| {
                reading.previewed(index, seen);
                Vec::new()
            }),
            Message::Page(id, event) => self.page_event(id, event),
            Message::Drawn(id, answer) => self.drawn(id, answer),
            Message::Settled(id) => self.on_canvas(id, canvas::Canvas::settled),
            Message::QuotedPressed(id) => self.change(id, |reading| {
                reading.show(|wanted| wanted.quoted = !wanted.quoted)
            }),
            Message::AsTextPressed(id) => self.change(id, |reading| {
                reading.show(|wanted| wanted.as_text = !wanted.as_text)
            }),
            Message::AsSentPressed(id) => self.change(id, |reading| {
                reading.show(|wanted| wanted.as_sent = !wanted.as_sent)
            }),
            Message::MenuPressed(id) => {
                self.at = Some(id);
                vec![Action::ShowMessageMenu]
            }
            Message::FindTyped(words) => self.look_for(words),
            Message::FindStepped(forward) => self.step_find(forward),
            Message::FindClosed => {
                self.find = None;
                Vec::new()
            }
        }
    }

    fn change(&mut self, id: MessageId, change: impl FnOnce(&mut Reading) -> Vec<Action>) -> Vec<Action> {
        self.reading_of_mut(id).map(change).unwrap_or_default()
    }

    fn thread_loaded(&mut self, of: Cursor, result: Result<Vec<Row>, Error>) -> Vec<Action> {
        let rows = match result {
            Ok(rows) => rows,
            Err(error) => {
                log::warn!("A conversation could not be read: {error}.");
                return Vec::new();
            }
        };
        if self.current.as_ref().map(key) != Some(of) || rows.is_empty() {
            return Vec::new();
        }
        let first = self.thread.len() <= 1;
        self.thread = one_each(rows, of);
        if let Some(row) = self.thread.iter().find(|row| key(row) == of) {
            self.current = Some(row.clone());
        }
        self.order_find();
        if !first || self.thread.len() <= 1 {
            return Vec::new();
        }
        let mut actions = self.know_conversation();
        actions.extend(self.reveal_chosen());
        actions
    }

    /// What the open messages quote can be read above them, now that the conversation is known.
    fn know_conversation(&mut self) -> Vec<Action> {
        self.readings_mut()
            .filter(|reading| !reading.answers)
            .flat_map(|reading| {
                reading.answers = true;
                reading.renew()
            })
            .collect()
    }

    fn loaded(&mut self, id: MessageId, result: Result<Option<Box<Read>>, Error>) -> Vec<Action> {
        let Some(old) = self.open.remove(&id) else {
            return if self.is_ahead(id) {
                self.prepared(id, result)
            } else {
                Vec::new()
            };
        };
        self.let_go(old);
        let answers = self.thread.len() > 1;
        let opened = match result {
            Ok(Some(read)) => Opened::Here(Box::new(Reading::new(id, *read, answers, self.around))),
            Ok(None) => Opened::Failed(Error::new(
                posthorn_model::ErrorClass::Corrupt,
                crate::t!("reader-gone"),
            )),
            Err(error) => Opened::Failed(error),
        };
        self.open.insert(id, opened);
        self.order_find();
        let mut actions = self.lay_out(id);
        actions.extend(self.look_into_files(id));
        actions
    }

    /// Begins with the page before the window has been drawn, and so with the room known.
    fn lay_out(&mut self, id: MessageId) -> Vec<Action> {
        let Some(width) = self.width else {
            return Vec::new();
        };
        self.on_canvas(id, |canvas| canvas.resize(width))
    }

    /// A look at each file, where there is somebody to draw it.
    fn look_into_files(&self, id: MessageId) -> Vec<Action> {
        let reading = self.reading_of(id).filter(|_| self.around.is_some());
        reading.map(Reading::look_into_files).unwrap_or_default()
    }

    fn toggle(&mut self, id: MessageId) -> Vec<Action> {
        if let Some(opened) = self.open.remove(&id) {
            self.let_go(opened);
            self.order_find();
            return Vec::new();
        }
        self.unfold(id)
    }

    fn unfold(&mut self, id: MessageId) -> Vec<Action> {
        if self.open.contains_key(&id) {
            return Vec::new();
        }
        self.open.insert(id, Opened::Loading(Instant::now()));
        let mut actions = vec![Action::LoadMessage(id)];
        if self.row(id).is_some_and(|row| row.body == BodyState::Headers) {
            actions.push(Action::fetch_body(id));
        }
        actions
    }
}

/// One row for each message: where the conversation names it in several mailboxes, the one that was chosen.
fn one_each(rows: Vec<Row>, chosen: Cursor) -> Vec<Row> {
    let mut kept: Vec<Row> = Vec::with_capacity(rows.len());
    for row in rows {
        match kept.iter_mut().find(|other| other.message == row.message) {
            Some(other) if key(&row) == chosen => *other = row,
            Some(_) => {}
            None => kept.push(row),
        }
    }
    kept
}
