//! Notes how far the scrollable around it is scrolled, without a message and without building the window anew.

use std::sync::Arc;
use std::sync::atomic::{AtomicU32, Ordering};

use iced::advanced::Shell;
use iced::{Element, Event, window};

use super::frame::{At, Idea, around};

/// A place, in pixels from the top.
#[derive(Clone, Debug, Default)]
pub struct Place(Arc<AtomicU32>);

impl Place {
    #[must_use]
    pub fn get(&self) -> f32 {
        f32::from_bits(self.0.load(Ordering::Relaxed))
    }

    fn set(&self, to: f32) {
        self.0.store(to.to_bits(), Ordering::Relaxed);
    }
}

struct Witness(Place);

/// Everything within a scrollable, and where to note the place.
pub fn witness<'a, Message: 'a>(
    content: impl Into<Element<'a, Message>>,
    place: Place,
) -> Element<'a, Message> {
    around(Witness(place), content.into())
}

impl<Message> Idea<Message> for Witness {
    type State = ();

    fn state(&self) {}

    fn update(&mut self, (): &mut (), event: &Event, at: At<'_>, _shell: &mut Shell<'_, Message>) {
        if let Event::Window(window::Event::RedrawRequested(_)) = event {
            self.0.set(at.viewport.y - at.bounds.y);
        }
    }
}
