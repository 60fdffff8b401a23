//! The message beside the one that is read, prepared while nothing else is to be done: read, laid out, and its first
//! strips painted, so that going on costs a frame. One at a time; nothing is fetched for it, and nothing is told of it.

use std::time::Instant;

use posthorn_engine::Error;
use posthorn_engine::catalog::Row;
use posthorn_model::{BodyState, MessageId};

use super::material::Read;
use super::reading::Reading;
use super::{Opened, Reader};
use crate::app::Action;

/// A larger message is opened when it is asked for, bytes of HTML and of its pictures.
const LARGE: usize = 4 << 20;

impl Reader {
    /// Whether all that is open is on the screen, so that somebody has time.
    #[must_use]
    pub fn is_calm(&self) -> bool {
        let canvases = self.readings().filter_map(Reading::drawn);
        self.current.is_some()
            && !self.is_waiting()
            && canvases.into_iter().all(super::canvas::Canvas::is_idle)
    }

    /// Begins with a message that may be opened next.
    pub fn prepare(&mut self, row: &Row) -> Vec<Action> {
        let id = row.message;
        let is_known = self.open.contains_key(&id) || self.is_ahead(id);
        if is_known || row.body != BodyState::Whole || self.around.is_none() || self.width.is_none() {
            return Vec::new();
        }
        self.forget_ahead();
        self.ahead = Some((id, Opened::Loading(Instant::now())));
        vec![Action::LoadMessage(id)]
    }

    pub(super) fn is_ahead(&self, id: MessageId) -> bool {
        self.ahead.as_ref().is_some_and(|(ahead, _)| *ahead == id)
    }

    pub(super) fn prepared(
        &mut self,
        id: MessageId,
        result: Result<Option<Box<Read>>, Error>,
    ) -> Vec<Action> {
        self.forget_ahead();
        let Some(read) = result.ok().flatten().filter(|read| is_small(read)) else {
            // Where it failed, the reader hears why when it is opened.
            return Vec::new();
        };
        let reading = Reading::new(id, *read, false, self.around);
        self.ahead = Some((id, Opened::Here(Box::new(reading))));
        let mut actions = self.lay_out(id);
        actions.extend(self.look_into_files(id));
        actions
    }

    /// The message, where it is the one that was prepared, and prepared far enough.
    pub(super) fn take_ahead(&mut self, id: MessageId) -> Option<Box<Reading>> {
        match self.ahead.take_if(|(ahead, _)| *ahead == id)? {
            (_, Opened::Here(reading)) => Some(reading),
            _ => None,
        }
    }

    pub(super) fn forget_ahead(&mut self) {
        if let Some((_, opened)) = self.ahead.take() {
            self.let_go(opened);
        }
    }
}

fn is_small(read: &Read) -> bool {
    let html = read.reading.message.html.as_ref().map_or(0, String::len);
    let related: usize = read.reading.related.values().map(Vec::len).sum();
    html + related < LARGE
}
