//! The conversation: older messages folded, the chosen one open.

pub mod block;
mod header;
mod view;

use std::collections::{BTreeMap, BTreeSet};
use std::time::Instant;

use posthorn_engine::Error;
use posthorn_engine::catalog::{Message as Mail, Row};
use posthorn_model::query::Cursor;
use posthorn_model::{BodyState, Flag, MessageId, Part};

use crate::app::Action;
use crate::listing::key;
use block::Block;

pub use view::view;

/// How much text is laid out at first; the rest comes on request, since a megabyte takes a second to shape.
const FIRST: usize = 64 * 1024;

/// What happened in the reader.
#[derive(Clone, Debug)]
pub enum Message {
    ThreadLoaded(Cursor, Result<Vec<Row>, Error>),
    MessageLoaded(MessageId, Result<Option<Box<Mail>>, Error>),
    Toggled(MessageId),
    MorePressed(MessageId),
    DetailsPressed(MessageId),
    RetryPressed(MessageId),
    LinkPressed(String),
    PartPressed(MessageId, Part),
    SaveAllPressed(MessageId),
}

/// The state of the reader.
#[derive(Debug, Default)]
pub struct Reader {
    pub current: Option<Row>,
    thread: Vec<Row>,
    open: BTreeMap<MessageId, Opened>,
    details: BTreeSet<MessageId>,
}

/// A message that is unfolded.
#[derive(Debug)]
enum Opened {
    /// Since when.
    Loading(Instant),
    Here(Box<Reading>),
    Failed(Error),
}

/// A message, ready to draw.
#[derive(Debug)]
struct Reading {
    mail: Mail,
    blocks: Vec<Block>,
    /// How many bytes of the text are shown, of how many.
    shown: usize,
    whole: usize,
    /// The text was made from HTML.
    from_html: bool,
}

impl Reading {
    fn new(mail: Mail, limit: usize) -> Self {
        let from_html = mail.html.is_some()
            && !mail
                .parts
                .iter()
                .any(|part| part.content_type == "text/plain" && part.name.is_none());
        let converted = mail
            .html
            .as_deref()
            .filter(|_| from_html)
            .map(posthorn_html::to_text);
        let text = converted
            .as_ref()
            .map(|html| html.text.as_str())
            .or(mail.text.as_deref())
            .unwrap_or_default();
        let links: &[posthorn_html::Link] = converted.as_ref().map_or(&[], |html| &html.links);
        let shown = if text.len() > limit {
            text.get(..text.floor_char_boundary(limit))
                .and_then(|start| start.rfind('\n'))
                .unwrap_or(limit)
        } else {
            text.len()
        };
        Self {
            blocks: block::blocks(text.get(..shown).unwrap_or(text), links),
            shown,
            whole: text.len(),
            from_html,
            mail,
        }
    }

    /// What is offered as a file: named parts and those that are not text.
    fn attachments(&self) -> impl Iterator<Item = &Part> {
        self.mail
            .parts
            .iter()
            .filter(|part| !part.inline && (part.name.is_some() || !part.content_type.starts_with("text/")))
    }
}

impl Reader {
    /// Opens a message and its conversation.
    pub fn show(&mut self, row: &Row) -> Vec<Action> {
        if self.current.as_ref().is_some_and(|now| key(now) == key(row)) {
            self.current = Some(row.clone());
            return Vec::new();
        }
        self.open.clear();
        self.details.clear();
        self.thread = vec![row.clone()];
        self.current = Some(row.clone());
        self.open.insert(row.message, Opened::Loading(Instant::now()));
        let mut actions = vec![
            Action::LoadThread(key(row), row.thread),
            Action::LoadMessage(row.message),
        ];
        if row.body == BodyState::Headers {
            actions.push(Action::fetch_body(row.message));
        }
        actions
    }

    pub fn clear(&mut self) {
        *self = Self::default();
    }

    /// These messages changed; empty: any of them may have.
    pub fn changed(&mut self, messages: &[MessageId]) -> Vec<Action> {
        let Some(current) = &self.current else {
            return Vec::new();
        };
        let concerns = |id: &MessageId| messages.is_empty() || messages.contains(id);
        let mut actions = Vec::new();
        if messages.is_empty() || self.thread.iter().any(|row| concerns(&row.message)) {
            actions.push(Action::LoadThread(key(current), current.thread));
        }
        for (id, opened) in &self.open {
            let settled = matches!(opened, Opened::Here(reading) if reading.mail.body == BodyState::Whole);
            if concerns(id) && !settled {
                actions.push(Action::LoadMessage(*id));
            }
        }
        actions
    }

    /// The message that is being read, whole or not.
    #[must_use]
    pub fn reading(&self) -> Option<&Mail> {
        match self.open.get(&self.current.as_ref()?.message)? {
            Opened::Here(reading) => Some(&reading.mail),
            Opened::Loading(_) | Opened::Failed(_) => None,
        }
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
        self.open
            .values()
            .any(|opened| matches!(opened, Opened::Loading(_)))
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
            Message::ThreadLoaded(of, Ok(rows)) => {
                if self.current.as_ref().map(key) == Some(of) && !rows.is_empty() {
                    self.thread = one_each(rows, of);
                    if let Some(row) = self.thread.iter().find(|row| key(row) == of) {
                        self.current = Some(row.clone());
                    }
                }
                Vec::new()
            }
            Message::ThreadLoaded(_, Err(error)) => {
                log::warn!("A conversation could not be read: {error}.");
                Vec::new()
            }
            Message::MessageLoaded(id, result) => {
                self.loaded(id, result);
                Vec::new()
            }
            Message::Toggled(id) => self.toggle(id),
            Message::RetryPressed(id) => {
                self.open.insert(id, Opened::Loading(Instant::now()));
                vec![Action::LoadMessage(id), Action::fetch_body(id)]
            }
            Message::MorePressed(id) => {
                if let Some(Opened::Here(reading)) = self.open.get_mut(&id) {
                    let limit = reading.shown * 4;
                    **reading = Reading::new(reading.mail.clone(), limit);
                }
                Vec::new()
            }
            Message::DetailsPressed(id) => {
                if !self.details.remove(&id) {
                    self.details.insert(id);
                }
                Vec::new()
            }
            Message::LinkPressed(url) => vec![Action::AskLink(url)],
            Message::PartPressed(id, part) => vec![Action::SavePart(id, part)],
            Message::SaveAllPressed(id) => self.save_all(id),
        }
    }

    fn save_all(&self, id: MessageId) -> Vec<Action> {
        match self.open.get(&id) {
            Some(Opened::Here(reading)) => {
                vec![Action::SaveParts(id, reading.attachments().cloned().collect())]
            }
            _ => Vec::new(),
        }
    }

    fn loaded(&mut self, id: MessageId, result: Result<Option<Box<Mail>>, Error>) {
        let Some(opened) = self.open.get_mut(&id) else {
            return;
        };
        *opened = match result {
            Ok(Some(mail)) => Opened::Here(Box::new(Reading::new(*mail, FIRST))),
            Ok(None) => Opened::Failed(Error::new(
                posthorn_model::ErrorClass::Corrupt,
                crate::t!("reader-gone"),
            )),
            Err(error) => Opened::Failed(error),
        };
    }

    fn toggle(&mut self, id: MessageId) -> Vec<Action> {
        if self.open.remove(&id).is_some() {
            return Vec::new();
        }
        self.open.insert(id, Opened::Loading(Instant::now()));
        vec![Action::LoadMessage(id)]
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
