//! Files on their way out of the window.

use std::path::PathBuf;
use std::sync::mpsc;

use iced::futures::channel::mpsc::unbounded;
use iced::futures::future;
use iced::{Task, window};
use posthorn_engine::Error;

use super::{App, Message};
use crate::bridge::{self, Answer};
use crate::system::drag;
use crate::widget::Drag;

impl App {
    /// Asks the window where it is: not every display lets files be dragged out.
    pub(super) fn find_place() -> Task<Message> {
        window::latest().then(|id| match id {
            Some(id) => window::run(id, drag::place).map(Message::Placed),
            None => Task::none(),
        })
    }

    /// The file is written while it is on its way: whoever has it dropped on them waits for it, not the pointer.
    pub(super) fn drag_out(&mut self, file: Answer<PathBuf>) -> Task<Message> {
        let Some(own) = self.place.filter(|_| !self.dragging) else {
            return Task::none();
        };
        self.dragging = true;
        let (sender, receiver) = mpsc::channel();
        let written = async move {
            let path = file.await?;
            // The drag may have been given up meanwhile.
            let _ = sender.send(path);
            Ok::<_, Error>(())
        };
        let (teller, wants) = unbounded();
        let tell = move |wanted| {
            // Nobody listens any more once it is over.
            let _ = teller.unbounded_send(wanted);
        };
        let dragged = bridge::aside(move || drag::drag(own, receiver, tell));
        let both = async {
            let (written, dragged) = future::join(written, dragged).await;
            written.and(dragged?)
        };
        Task::batch([
            Task::perform(both, Message::DraggedOut),
            Task::run(wants, Message::DragWanted),
        ])
    }

    /// Whoever is under the pointer wants it, or nobody does.
    pub(super) fn drag_wanted(&mut self, wanted: bool) {
        self.mail.reader.drag = match (self.place, wanted) {
            (None, _) => Drag::Impossible,
            (Some(_), true) => Drag::Wanted,
            (Some(_), false) => Drag::Possible,
        };
    }

    pub(super) fn dragged_out(&mut self, result: Result<drag::Outcome, Error>) {
        self.dragging = false;
        self.drag_wanted(false);
        if let Err(error) = result {
            self.fail(&error);
        }
    }
}
