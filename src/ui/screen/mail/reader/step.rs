//! From message to message within a conversation.

use super::material::Letterhead;
use super::page::card_id;
use super::{Message, Reader};
use crate::app::Action;
use crate::shortcut::Wish;
use crate::widget::reveal::Reveal;

impl Reader {
    /// To the next message of the conversation, or the one before; it is unfolded and comes into view.
    pub fn step(&mut self, forward: bool) -> Vec<Action> {
        let Some(meant) = self.meant().map(|row| row.message) else {
            return Vec::new();
        };
        let Some(now) = self.thread.iter().position(|row| row.message == meant) else {
            return Vec::new();
        };
        let to = if forward { now + 1 } else { now.wrapping_sub(1) };
        let Some(id) = self.thread.get(to).map(|row| row.message) else {
            return Vec::new();
        };
        self.at = Some(id);
        let mut actions = self.unfold(id);
        actions.push(Action::Reveal(Reveal::top(card_id(id))));
        actions
    }

    /// A conversation that is opened for the first time starts at the message that was chosen.
    pub(super) fn reveal_chosen(&self) -> Vec<Action> {
        let Some(row) = &self.current else {
            return Vec::new();
        };
        let been = self.places.contains_key(&row.thread);
        let chosen = (!been).then(|| Action::Reveal(Reveal::gently(card_id(row.message))));
        chosen.into_iter().collect()
    }

    /// What a key asks of the message that is meant; `None` where that is nothing of the reader's.
    pub fn wish(&mut self, wish: Wish) -> Option<Vec<Action>> {
        let id = match self.inside.last() {
            Some(inner) => *inner,
            None => self.meant()?.message,
        };
        Some(match wish {
            Wish::NextInThread => self.step(true),
            Wish::PreviousInThread => self.step(false),
            Wish::Find => self.open_find(),
            Wish::FindNext if self.find.is_none() => self.open_find(),
            Wish::FindNext => self.step_find(true),
            Wish::FindPrevious => self.step_find(false),
            Wish::Copy => self.copy(),
            Wish::SelectAll => return self.mark_all(),
            Wish::ShowAsText => self.update(Message::AsTextPressed(id)),
            Wish::ShowAsSent => self.update(Message::AsSentPressed(id)),
            Wish::ShowQuoted => self.update(Message::QuotedPressed(id)),
            Wish::FixedFont => self.change(id, |reading| reading.show(|wanted| wanted.fixed = !wanted.fixed)),
            Wish::Details => self.update(Message::DetailsPressed(id)),
            Wish::Links => self.ask_links(id),
            Wish::MessageMenu => vec![Action::ShowMessageMenu],
            Wish::ViewSource => vec![Action::LoadSource(id, false)],
            Wish::AllHeaders => vec![Action::LoadSource(id, true)],
            Wish::SaveMessage => vec![Action::SaveMessage(id, self.file_name(id))],
            Wish::Print => self.print(id),
            Wish::SaveAll => self.save_all(id),
            Wish::ShowPictures => self.update(Message::PicturesPressed(id)),
            Wish::Unsubscribe => self.ask_unsubscribe(id),
            Wish::Back if !self.inside.is_empty() && self.find.is_none() => self.close_nested(),
            _ => return None,
        })
    }

    fn copy(&self) -> Vec<Action> {
        let marked = self.marked().map(|text| Action::Copy(text.to_owned()));
        marked.into_iter().collect()
    }

    /// The links of a message, to choose from by the keyboard.
    fn ask_links(&self, id: posthorn_model::MessageId) -> Vec<Action> {
        let page = self.reading_of(id).and_then(|reading| reading.drawn()?.page());
        let links: Vec<(String, String)> = page
            .map(|page| page.links.iter())
            .into_iter()
            .flatten()
            .map(|link| (link.text.clone(), link.url.clone()))
            .collect();
        if links.is_empty() {
            return vec![Action::Say(crate::t!("said-no-links"))];
        }
        vec![Action::ShowLinks(links)]
    }

    /// The message's subject, as a file's name.
    fn file_name(&self, id: posthorn_model::MessageId) -> String {
        file_name(self.row(id).map_or("", |row| row.subject.as_str()))
    }

    fn print(&self, id: posthorn_model::MessageId) -> Vec<Action> {
        let Some(reading) = self.reading_of(id) else {
            return Vec::new();
        };
        vec![Action::PrintMessage {
            of: id,
            material: std::sync::Arc::new(reading.for_paper()),
            letterhead: Letterhead::of(&reading.read.reading),
            name: self.file_name(id),
        }]
    }
}

/// A message's name as a file: its subject.
#[must_use]
pub fn file_name(subject: &str) -> String {
    let name = posthorn_mime::safe_file_name(subject).unwrap_or_else(|| crate::t!("file-message"));
    name.chars().take(80).collect()
}
