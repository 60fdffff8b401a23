//! Brings a part of a conversation into view.

use iced::Rectangle;
use iced::Vector;
use iced::advanced::widget::operation::scrollable::AbsoluteOffset;
use iced::advanced::widget::operation::{Operation, Outcome, Scrollable};
use iced::advanced::widget::{Id, operation};

use crate::theme::space;

/// What begins within this share of the view is well in it.
const WELL: f32 = 0.6;

/// What is to be seen.
#[derive(Clone, Debug, PartialEq)]
pub struct Reveal {
    /// The widget.
    pub target: String,
    /// A part of it, in pixels from its top; `None`: its top edge comes to the top of the view.
    pub part: Option<(f32, f32)>,
    /// Nothing moves where its top edge is well in view already.
    pub gentle: bool,
}

impl Reveal {
    /// The widget's top edge at the top.
    #[must_use]
    pub const fn top(target: String) -> Self {
        Self {
            target,
            part: None,
            gentle: false,
        }
    }

    /// As [`Reveal::top`], unless it is to be seen already.
    #[must_use]
    pub const fn gently(target: String) -> Self {
        Self {
            target,
            part: None,
            gentle: true,
        }
    }

    /// A part of it; nothing moves where it is in view already.
    #[must_use]
    pub const fn within(target: String, top: f32, height: f32) -> Self {
        Self {
            target,
            part: Some((top, height)),
            gentle: false,
        }
    }

    /// The operation on the widgets.
    #[must_use]
    pub fn within_scrollable(self, scroll: &'static str) -> impl Operation<()> {
        Seek {
            target: Id::from(self.target),
            scroll: Id::new(scroll),
            part: self.part,
            gentle: self.gentle,
            view: None,
            found: None,
        }
    }
}

struct Seek {
    target: Id,
    scroll: Id,
    part: Option<(f32, f32)>,
    gentle: bool,
    /// The scrollable's bounds, and how far it is scrolled.
    view: Option<(Rectangle, f32)>,
    found: Option<Rectangle>,
}

impl Operation<()> for Seek {
    fn traverse(&mut self, operate: &mut dyn FnMut(&mut dyn Operation<()>)) {
        operate(self);
    }

    fn container(&mut self, id: Option<&Id>, bounds: Rectangle) {
        if id == Some(&self.target) {
            self.found = Some(bounds);
        }
    }

    fn scrollable(
        &mut self,
        id: Option<&Id>,
        bounds: Rectangle,
        _content: Rectangle,
        translation: Vector,
        _state: &mut dyn Scrollable,
    ) {
        if id == Some(&self.scroll) {
            self.view = Some((bounds, translation.y));
        }
    }

    fn finish(&self) -> Outcome<()> {
        let (Some((view, scrolled)), Some(found)) = (self.view, self.found) else {
            return Outcome::None;
        };
        let top = found.y - view.y - scrolled;
        if self.gentle && top >= 0.0 && top < view.height * WELL {
            return Outcome::None;
        }
        let Some(to) = destination(self.part, found.y - view.y, view.height, scrolled) else {
            return Outcome::None;
        };
        Outcome::Chain(Box::new(operation::scrollable::scroll_to(
            self.scroll.clone(),
            AbsoluteOffset { x: None, y: Some(to) },
        )))
    }
}

/// Where to scroll to, if anywhere.
fn destination(part: Option<(f32, f32)>, top: f32, view: f32, scrolled: f32) -> Option<f32> {
    let Some((within, height)) = part else {
        return Some((top - space::L).max(0.0));
    };
    let start = top + within;
    let seen = start >= scrolled + space::L && start + height <= scrolled + view - space::L;
    // A third down: what comes before it is worth seeing too.
    (!seen).then(|| (start - view / 3.0).max(0.0))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn nothing_moves_that_is_in_view() {
        for (part, top, scrolled, expect) in [
            (None, 400.0, 0.0, Some(384.0)),
            (None, 4.0, 90.0, Some(0.0)),
            (Some((10.0, 20.0)), 100.0, 0.0, None),
            (Some((900.0, 20.0)), 100.0, 0.0, Some(800.0)),
            (Some((0.0, 20.0)), 100.0, 500.0, Some(0.0)),
        ] {
            assert_eq!(
                destination(part, top, 600.0, scrolled),
                expect,
                "{part:?} {scrolled}"
            );
        }
    }
}
