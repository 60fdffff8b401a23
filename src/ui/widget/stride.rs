//! Tab from widget to widget: behind the last comes the first, and where nothing has the focus it starts where the
//! user is. What takes it within `scroll` comes into view.

use iced::advanced::widget::Id;
use iced::advanced::widget::operation::scrollable::{AbsoluteOffset, scroll_by};
use iced::advanced::widget::operation::{Focusable, Operation, Outcome, Scrollable};
use iced::{Rectangle, Vector};

use crate::theme::space;

/// Takes the focus one further or one back. `start`: what takes it where nothing has it.
#[must_use]
pub fn stride(forward: bool, start: Option<String>, scroll: &'static str) -> impl Operation<()> {
    Look {
        forward,
        scroll,
        start: start.map(Id::from),
        started: None,
        focused: None,
        total: 0,
    }
}

/// Finds out who has the focus.
struct Look {
    forward: bool,
    scroll: &'static str,
    start: Option<Id>,
    /// Where `start` stands among those that can be focused.
    started: Option<usize>,
    focused: Option<usize>,
    total: usize,
}

impl Look {
    fn next(&self) -> Option<usize> {
        let last = self.total.checked_sub(1)?;
        Some(match (self.focused, self.forward) {
            (None, _) if self.started.is_some() => self.started?,
            (None, true) => 0,
            (None, false) => last,
            (Some(now), true) if now >= last => 0,
            (Some(now), true) => now + 1,
            (Some(now), false) => now.checked_sub(1).unwrap_or(last),
        })
    }
}

impl Operation<()> for Look {
    fn traverse(&mut self, operate: &mut dyn FnMut(&mut dyn Operation<()>)) {
        operate(self);
    }

    fn focusable(&mut self, id: Option<&Id>, _bounds: Rectangle, state: &mut dyn Focusable) {
        if state.is_focused() {
            self.focused = Some(self.total);
        }
        if id.is_some() && id == self.start.as_ref() {
            self.started = Some(self.total);
        }
        self.total += 1;
    }

    fn finish(&self) -> Outcome<()> {
        match self.next() {
            Some(to) => Outcome::Chain(Box::new(Give::to(to, self.scroll))),
            None => Outcome::None,
        }
    }
}

/// Gives the focus to one, and to no other.
pub(super) struct Give {
    to: usize,
    at: usize,
    scroll: Id,
    /// The scrollable's bounds, and how far it is scrolled.
    view: Option<(Rectangle, Vector)>,
    /// What is traversed next is the scrollable's content; what is traversed now is.
    below: bool,
    within: bool,
    /// What took the focus, where that is within the scrollable.
    found: Option<Rectangle>,
}

impl Give {
    /// To the one at this place among all that can be focused.
    pub(super) fn to(to: usize, scroll: &'static str) -> Self {
        Self {
            to,
            at: 0,
            scroll: Id::new(scroll),
            view: None,
            below: false,
            within: false,
            found: None,
        }
    }
}

impl Operation<()> for Give {
    fn traverse(&mut self, operate: &mut dyn FnMut(&mut dyn Operation<()>)) {
        let within = self.within;
        self.within |= std::mem::take(&mut self.below);
        operate(self);
        self.within = within;
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
            self.view = Some((bounds, translation));
            self.below = true;
        }
    }

    fn focusable(&mut self, _id: Option<&Id>, bounds: Rectangle, state: &mut dyn Focusable) {
        if self.at == self.to {
            state.focus();
            self.found = self.within.then_some(bounds);
        } else {
            state.unfocus();
        }
        self.at += 1;
    }

    fn finish(&self) -> Outcome<()> {
        let by = self
            .view
            .zip(self.found)
            .map_or(0.0, |((view, moved), found)| distance(view, found - moved));
        if by == 0.0 {
            return Outcome::None;
        }
        Outcome::Chain(Box::new(scroll_by(
            self.scroll.clone(),
            AbsoluteOffset { x: 0.0, y: by },
        )))
    }
}

/// How far to scroll until something stands in view; what is taller than the view stays where it is.
fn distance(view: Rectangle, found: Rectangle) -> f32 {
    let above = found.y - space::L - view.y;
    let below = found.y + found.height + space::L - view.y - view.height;
    if found.height > view.height - 2.0 * space::L {
        0.0
    } else if above < 0.0 {
        above
    } else {
        below.max(0.0)
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_focus_goes_round_and_starts_where_the_user_is() {
        let check = |focused, started, forward, expect| {
            let look = Look {
                forward,
                scroll: "",
                start: None,
                started,
                focused,
                total: 5,
            };
            assert_eq!(look.next(), Some(expect), "{focused:?} {started:?} {forward}");
        };
        check(None, None, true, 0);
        check(None, None, false, 4);
        check(None, Some(3), true, 3);
        check(None, Some(3), false, 3);
        check(Some(1), Some(3), true, 2);
        check(Some(4), None, true, 0);
        check(Some(0), None, false, 4);
    }

    #[test]
    fn what_takes_the_focus_comes_into_view() {
        let area = |y, height| Rectangle {
            x: 0.0,
            y,
            width: 100.0,
            height,
        };
        let view = area(100.0, 400.0);
        for (y, height, expect) in [
            (200.0, 30.0, 0.0),
            (500.0, 30.0, 46.0),
            (90.0, 30.0, -26.0),
            (-300.0, 900.0, 0.0),
        ] {
            assert_eq!(distance(view, area(y, height)), expect, "{y} {height}");
        }
    }
}
