//! The find bar: what is looked for, where it was found, and the hit that it stands at.

use std::collections::BTreeMap;

use posthorn_html::page::Rect;
use posthorn_model::MessageId;

use crate::widget::page::{Mark, MarkKind};

/// See the module.
#[derive(Debug, Default)]
pub struct Find {
    pub words: String,
    /// The boxes of each hit, by message.
    hits: BTreeMap<MessageId, Vec<Vec<Rect>>>,
    /// The open messages, in the order that they stand in.
    order: Vec<MessageId>,
    at: usize,
}

impl Find {
    /// Other words: everything that was found is of no use.
    pub fn look_for(&mut self, words: String) {
        self.words = words;
        self.hits.clear();
        self.at = 0;
    }

    pub fn set_order(&mut self, order: Vec<MessageId>) {
        self.hits.retain(|id, _| order.contains(id));
        self.order = order;
        self.at = self.at.min(self.count().saturating_sub(1));
    }

    /// Takes in what a page answered. True where it gives the first place to stand at.
    pub fn found(&mut self, of: MessageId, words: &str, hits: Vec<Vec<Rect>>) -> bool {
        if words != self.words || !self.order.contains(&of) {
            return false;
        }
        let none = self.count() == 0;
        let here = self.here();
        self.hits.insert(of, hits);
        match here {
            // Others may have come before it: it stays where it was.
            Some((id, n)) => self.at = self.before(id) + n,
            None => self.at = 0,
        }
        none && self.count() > 0
    }

    fn before(&self, id: MessageId) -> usize {
        self.order
            .iter()
            .take_while(|other| **other != id)
            .map(|other| self.hits.get(other).map_or(0, Vec::len))
            .sum()
    }

    #[must_use]
    pub fn count(&self) -> usize {
        self.hits.values().map(Vec::len).sum()
    }

    /// Which hit it stands at, counted from one; 0 where there is none.
    #[must_use]
    pub fn place(&self) -> usize {
        if self.count() == 0 { 0 } else { self.at + 1 }
    }

    /// The next hit, or the one before; behind the last comes the first.
    pub fn step(&mut self, forward: bool) {
        let count = self.count();
        if count > 0 {
            self.at = (self.at + if forward { 1 } else { count - 1 }) % count;
        }
    }

    /// The message and the hit within it.
    fn here(&self) -> Option<(MessageId, usize)> {
        let mut rest = self.at;
        for id in &self.order {
            let count = self.hits.get(id).map_or(0, Vec::len);
            if rest < count {
                return Some((*id, rest));
            }
            rest -= count;
        }
        None
    }

    /// Where it stands: the message, and the place on its page.
    #[must_use]
    pub fn target(&self) -> Option<(MessageId, Rect)> {
        let (id, n) = self.here()?;
        let rect = self.hits.get(&id)?.get(n)?.first()?;
        Some((id, *rect))
    }

    /// What is drawn over a message's page.
    pub fn marks(&self, of: MessageId) -> impl Iterator<Item = Mark> + '_ {
        let here = self.here();
        let hits = self.hits.get(&of).into_iter().flatten().enumerate();
        hits.flat_map(move |(n, rects)| {
            let kind = if here == Some((of, n)) {
                MarkKind::HitHere
            } else {
                MarkKind::Hit
            };
            rects.iter().map(move |rect| Mark { rect: *rect, kind })
        })
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn hits(count: usize, y: f32) -> Vec<Vec<Rect>> {
        (0..count).map(|_| vec![Rect { y, ..Rect::default() }]).collect()
    }

    #[test]
    fn steps_through_the_messages_in_their_order_and_round_again() {
        let (a, b) = (MessageId(1), MessageId(2));
        let mut find = Find::default();
        find.set_order(vec![b, a]);
        find.look_for("tide".into());
        assert!(find.found(a, "tide", hits(1, 10.0)));
        assert!(!find.found(b, "tide", hits(2, 20.0)), "it stands already");
        assert!(!find.found(a, "other", hits(9, 0.0)), "an answer to other words");
        assert_eq!((find.count(), find.place()), (3, 3), "it stays at the hit it had");
        find.step(true);
        assert_eq!(find.place(), 1);
        assert_eq!(find.target().map(|(id, rect)| (id, rect.y)), Some((b, 20.0)));
        find.step(false);
        assert_eq!(find.target().map(|(id, _)| id), Some(a));
        find.look_for("x".into());
        assert_eq!((find.count(), find.place(), find.target()), (0, 0, None));
        find.step(true);
        assert_eq!(find.place(), 0);
    }
}
