//! F6 from pane to pane, round and round: into what a pane would rather have focused, else into its first.

use iced::Rectangle;
use iced::advanced::widget::Id;
use iced::advanced::widget::operation::{Focusable, Operation, Outcome};

use super::stride::Give;

/// Part of the window.
#[derive(Clone, Debug)]
pub struct Pane {
    /// Of the container that holds it.
    pub id: &'static str,
    /// What takes the focus there, where it is there.
    pub rather: Option<String>,
}

/// Takes the focus one pane further or one back; panes that are not shown, or have nothing to focus, are passed over.
/// `here`: where the user is while nothing has the focus.
#[must_use]
pub fn circle(
    forward: bool,
    panes: Vec<Pane>,
    here: &'static str,
    scroll: &'static str,
) -> impl Operation<()> {
    let now = panes.iter().position(|pane| pane.id == here).unwrap_or_default();
    Look {
        forward,
        scroll,
        panes: panes
            .into_iter()
            .map(|pane| Found {
                id: Id::new(pane.id),
                rather: pane.rather.map(Id::from),
                first: None,
                best: None,
            })
            .collect(),
        now,
        entering: None,
        within: None,
        total: 0,
    }
}

struct Found {
    id: Id,
    rather: Option<Id>,
    /// By their places among all that can be focused.
    first: Option<usize>,
    best: Option<usize>,
}

/// Finds out which pane has the focus, and what could take it in each.
struct Look {
    forward: bool,
    scroll: &'static str,
    panes: Vec<Found>,
    now: usize,
    /// What is traversed next is this pane's; what is traversed now is.
    entering: Option<usize>,
    within: Option<usize>,
    total: usize,
}

impl Look {
    fn next(&self) -> Option<usize> {
        let count = self.panes.len();
        (1..=count)
            .map(|step| {
                let by = if self.forward { step } else { count - step };
                (self.now + by) % count
            })
            .filter_map(|at| self.panes.get(at))
            .find_map(|pane| pane.best.or(pane.first))
    }
}

impl Operation<()> for Look {
    fn traverse(&mut self, operate: &mut dyn FnMut(&mut dyn Operation<()>)) {
        let within = self.within;
        if let Some(pane) = self.entering.take() {
            self.within = Some(pane);
        }
        operate(self);
        self.within = within;
    }

    fn container(&mut self, id: Option<&Id>, _bounds: Rectangle) {
        let entered = id.and_then(|id| self.panes.iter().position(|pane| pane.id == *id));
        if entered.is_some() {
            self.entering = entered;
        }
    }

    fn focusable(&mut self, id: Option<&Id>, _bounds: Rectangle, state: &mut dyn Focusable) {
        if let Some(within) = self.within
            && let Some(pane) = self.panes.get_mut(within)
        {
            pane.first = pane.first.or(Some(self.total));
            if id.is_some() && id == pane.rather.as_ref() {
                pane.best = Some(self.total);
            }
            if state.is_focused() {
                self.now = within;
            }
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

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn panes_without_anything_to_focus_are_passed_over() {
        let check = |now, forward, has: [Option<usize>; 3], expect| {
            let panes = has.map(|first| Found {
                id: Id::new("pane"),
                rather: None,
                first,
                best: None,
            });
            let look = Look {
                forward,
                scroll: "",
                panes: panes.into(),
                now,
                entering: None,
                within: None,
                total: 9,
            };
            assert_eq!(look.next(), expect, "{now} {forward} {has:?}");
        };
        check(0, true, [Some(0), Some(3), Some(6)], Some(3));
        check(2, true, [Some(0), Some(3), Some(6)], Some(0));
        check(0, false, [Some(0), Some(3), Some(6)], Some(6));
        check(1, false, [None, Some(3), Some(6)], Some(6));
        check(1, true, [None, Some(3), None], Some(3));
        check(1, true, [None, None, None], None);
    }

    struct Field<'a>(&'a mut bool);

    impl Focusable for Field<'_> {
        fn is_focused(&self) -> bool {
            *self.0
        }

        fn focus(&mut self) {
            *self.0 = true;
        }

        fn unfocus(&mut self) {
            *self.0 = false;
        }
    }

    /// Two panes of two fields each, and one field beside them, as a window hands an operation around.
    fn walk(operation: &mut dyn Operation<()>, fields: &mut [bool; 5]) {
        let bounds = Rectangle::default();
        let [beside, fields @ ..] = fields;
        operation.traverse(&mut |window| {
            window.focusable(None, bounds, &mut Field(beside));
            for (pane, fields) in ["left", "right"].into_iter().zip(fields.chunks_mut(2)) {
                window.container(Some(&Id::new(pane)), bounds);
                window.traverse(&mut |inside| {
                    // A container of its own within the pane is still within it.
                    inside.container(None, bounds);
                    inside.traverse(&mut |inside| {
                        for (field, id) in fields.iter_mut().zip(["one", "two"]) {
                            inside.focusable(Some(&Id::new(id)), bounds, &mut Field(field));
                        }
                    });
                });
            }
        });
    }

    #[test]
    fn the_focus_goes_into_the_next_pane_and_comes_round() {
        let panes = || {
            vec![
                Pane {
                    id: "left",
                    rather: None,
                },
                Pane {
                    id: "right",
                    rather: Some("two".into()),
                },
            ]
        };
        let mut fields = [false; 5];
        // At first nothing has the focus, and the user is on the left; then a field beside the panes has it.
        for (forward, expect) in [(true, 4), (true, 1), (false, 4), (false, 1)] {
            let mut look = circle(forward, panes(), "left", "");
            walk(&mut look, &mut fields);
            if let Outcome::Chain(mut give) = look.finish() {
                walk(&mut *give, &mut fields);
            }
            let focused: Vec<usize> = (0..5).filter(|at| fields[*at]).collect();
            assert_eq!(focused, [expect], "{forward}");
        }
        fields = [true, false, false, false, false];
        let mut look = circle(true, panes(), "left", "");
        walk(&mut look, &mut fields);
        assert!(matches!(look.finish(), Outcome::Chain(_)));
    }
}
