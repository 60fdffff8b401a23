//! Threads: the REFERENCES algorithm (RFC 5256 section 3) for a batch, and the rule for one more message.

use std::collections::HashMap;

use posthorn_model::{Envelope, InternetMessageId, Timestamp};

use crate::subject;

/// Longest chain of ancestors that is walked to rule out a loop; beyond, the link is not made.
const MAX_CHAIN: usize = 10_000;

/// What threading needs to know of a message.
#[derive(Clone, Debug)]
pub struct Item<'x, Id> {
    pub id: Id,
    pub message_id: Option<&'x InternetMessageId>,
    pub references: &'x [InternetMessageId],
    pub in_reply_to: &'x [InternetMessageId],
    pub subject: &'x str,
    /// Siblings and threads come in this order.
    pub date: Timestamp,
}

/// One message within its thread.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Member<Id> {
    pub id: Id,
    /// 0 for the first; children of a message that is missing stand where it would.
    pub depth: usize,
}

/// Whether threads whose first messages share a base subject become one (RFC 5256 section 3, step 5).
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Subjects {
    Merge,
    Ignore,
}

/// Ids to look up for the thread of one more message, the nearest ancestor first: the references from the newest
/// to the oldest, then In-Reply-To. Without references only the first In-Reply-To counts (RFC 5256 section 3, step
/// 1A): broken senders put strangers there.
#[must_use]
pub fn ancestors(envelope: &Envelope) -> Vec<InternetMessageId> {
    let mut out: Vec<InternetMessageId> = Vec::new();
    let in_reply_to = envelope.in_reply_to.first();
    for id in envelope.references.iter().rev().chain(in_reply_to) {
        if !out.contains(id) && envelope.message_id.as_ref() != Some(id) {
            out.push(id.clone());
        }
    }
    out
}

#[derive(Default)]
struct Container {
    /// Index of the item; `None`: referred to, not here.
    item: Option<usize>,
    parent: Option<usize>,
    children: Vec<usize>,
}

/// Groups messages into threads, oldest thread first, each in reading order.
#[must_use]
pub fn threads<Id: Clone>(items: &[Item<'_, Id>], subjects: Subjects) -> Vec<Vec<Member<Id>>> {
    let mut forest = Forest {
        arena: Vec::with_capacity(items.len()),
    };
    forest.link(items);
    let mut roots = forest.prune();
    if subjects == Subjects::Merge {
        roots = forest.merge_subjects(&roots, items);
    }
    forest.sort(&mut roots, items);
    roots
        .into_iter()
        .map(|root| forest.flatten(root, items))
        .filter(|thread| !thread.is_empty())
        .collect()
}

struct Forest {
    arena: Vec<Container>,
}

impl Forest {
    fn add(&mut self, container: Container) -> usize {
        self.arena.push(container);
        self.arena.len() - 1
    }

    fn parent(&self, at: usize) -> Option<usize> {
        self.arena.get(at).and_then(|container| container.parent)
    }

    fn children(&self, at: usize) -> &[usize] {
        self.arena
            .get(at)
            .map_or(&[], |container| container.children.as_slice())
    }

    fn item(&self, at: usize) -> Option<usize> {
        self.arena.get(at).and_then(|container| container.item)
    }

    /// The old parent's list keeps the child; [`Forest::prune`] passes over it. Searching long lists for each
    /// move would cost their square.
    fn attach(&mut self, child: usize, parent: usize) {
        if let Some(container) = self.arena.get_mut(parent) {
            container.children.push(child);
        }
        if let Some(container) = self.arena.get_mut(child) {
            container.parent = Some(parent);
        }
    }

    /// Whether `child` may hang below `parent` without closing a loop.
    fn allows(&self, child: usize, parent: usize) -> bool {
        if child == parent {
            return false;
        }
        if self.children(child).is_empty() {
            return true;
        }
        let mut at = Some(parent);
        for _ in 0..MAX_CHAIN {
            match at {
                None => return true,
                Some(ancestor) if ancestor == child => return false,
                Some(ancestor) => at = self.parent(ancestor),
            }
        }
        false
    }

    /// Step 1: containers by id, linked along the references.
    fn link<'x, Id>(&mut self, items: &[Item<'x, Id>]) {
        let mut by_id: HashMap<&'x str, usize> = HashMap::new();
        for (index, item) in items.iter().enumerate() {
            let known = item.message_id.and_then(|id| by_id.get(id.0.as_str()).copied());
            let own = match known.filter(|at| self.item(*at).is_none()) {
                Some(at) => at,
                // Without an id, or with one that another message has already: unique (step 1A).
                None => {
                    let at = self.add(Container::default());
                    if let (Some(id), None) = (item.message_id, known) {
                        by_id.insert(&id.0, at);
                    }
                    at
                }
            };
            if let Some(container) = self.arena.get_mut(own) {
                container.item = Some(index);
            }
            let chain = if item.references.is_empty() {
                item.in_reply_to.get(..1).unwrap_or_default()
            } else {
                item.references
            };
            let mut previous = None;
            for id in chain {
                let at = match by_id.get(id.0.as_str()) {
                    Some(at) => *at,
                    None => {
                        let at = self.add(Container::default());
                        by_id.insert(&id.0, at);
                        at
                    }
                };
                if let Some(parent) = previous
                    && self.parent(at).is_none()
                    && self.allows(at, parent)
                {
                    self.attach(at, parent);
                }
                previous = Some(at);
            }
            // Step 1B: the message's own word on its parent counts more than what others' references implied.
            if let Some(parent) = previous
                && self.parent(own) != Some(parent)
                && self.allows(own, parent)
            {
                self.attach(own, parent);
            }
        }
    }

    /// Steps 2 and 3: the roots, without containers of missing messages; only a root with several children may
    /// stay empty.
    fn prune(&mut self) -> Vec<usize> {
        let roots: Vec<usize> = (0..self.arena.len())
            .filter(|at| self.parent(*at).is_none())
            .collect();
        let mut out = Vec::new();
        for root in roots {
            // Children before parents, without recursion.
            let mut order = vec![root];
            let mut next = 0;
            while let Some(at) = order.get(next).copied() {
                let below: Vec<usize> = self
                    .children(at)
                    .iter()
                    .copied()
                    .filter(|child| self.parent(*child) == Some(at))
                    .collect();
                order.extend_from_slice(&below);
                if let Some(container) = self.arena.get_mut(at) {
                    container.children = below;
                }
                next += 1;
            }
            for at in order.into_iter().rev() {
                let mut children = Vec::new();
                for child in self.children(at).to_vec() {
                    if self.item(child).is_some() {
                        children.push(child);
                    } else if let Some(empty) = self.arena.get_mut(child) {
                        children.append(&mut empty.children);
                    }
                }
                for child in &children {
                    if let Some(child) = self.arena.get_mut(*child) {
                        child.parent = Some(at);
                    }
                }
                if let Some(container) = self.arena.get_mut(at) {
                    container.children = children;
                }
            }
            match (self.item(root), self.children(root)) {
                (None, []) => {}
                (None, [only]) => {
                    let only = *only;
                    if let Some(child) = self.arena.get_mut(only) {
                        child.parent = None;
                    }
                    if let Some(empty) = self.arena.get_mut(root) {
                        empty.children.clear();
                    }
                    out.push(only);
                }
                _ => out.push(root),
            }
        }
        out
    }

    /// The subject of a thread: of its root, or of the first child of an empty one.
    fn root_subject<'x, Id>(&self, root: usize, items: &[Item<'x, Id>]) -> &'x str {
        let at = self
            .item(root)
            .or_else(|| self.children(root).first().and_then(|child| self.item(*child)));
        at.and_then(|at| items.get(at)).map_or("", |item| item.subject)
    }

    /// Step 5.
    fn merge_subjects<Id>(&mut self, roots: &[usize], items: &[Item<'_, Id>]) -> Vec<usize> {
        let keys: Vec<(usize, String, bool)> = roots
            .iter()
            .map(|root| {
                let text = self.root_subject(*root, items);
                (
                    *root,
                    subject::thread_key(text),
                    subject::is_reply_or_forward(text),
                )
            })
            .collect();
        let mut table: HashMap<&str, (usize, bool)> = HashMap::new();
        for (root, key, marked) in keys.iter().filter(|(_, key, _)| !key.is_empty()) {
            let better = table.get(key.as_str()).is_none_or(|(other, other_marked)| {
                let empty = self.item(*root).is_none();
                let other_empty = self.item(*other).is_none();
                !other_empty && (empty || (*other_marked && !marked))
            });
            if better {
                table.insert(key, (*root, *marked));
            }
        }
        for (root, key, marked) in &keys {
            let found = table.get(key.as_str()).copied();
            let Some((target, target_marked)) = found.filter(|(target, _)| target != root) else {
                continue;
            };
            match (self.item(target).is_some(), self.item(*root).is_some()) {
                (false, false) => {
                    for child in self.children(*root).to_vec() {
                        self.attach(child, target);
                    }
                    if let Some(empty) = self.arena.get_mut(*root) {
                        empty.children.clear();
                    }
                }
                // An answer hangs below what it answers.
                (true, true) if *marked && !target_marked => self.attach(*root, target),
                (false, true) => self.attach(*root, target),
                // Two with the same right: siblings below an empty one.
                _ => {
                    let dummy = self.add(Container::default());
                    self.attach(target, dummy);
                    self.attach(*root, dummy);
                    table.insert(key, (dummy, target_marked));
                }
            }
        }
        let is_root = |at: &usize| {
            self.parent(*at).is_none() && (self.item(*at).is_some() || !self.children(*at).is_empty())
        };
        (0..self.arena.len()).filter(is_root).collect()
    }

    /// Steps 4 and 6: by date; an empty container has the date of its first child.
    fn sort<Id>(&mut self, roots: &mut [usize], items: &[Item<'_, Id>]) {
        let date = |at: Option<usize>| at.and_then(|at| items.get(at)).map(|item| item.date);
        for at in 0..self.arena.len() {
            let mut children = self.children(at).to_vec();
            children.sort_by_key(|child| date(self.item(*child)));
            if let Some(container) = self.arena.get_mut(at) {
                container.children = children;
            }
        }
        let first = |root: usize| {
            let own = self
                .item(root)
                .or_else(|| self.children(root).first().and_then(|child| self.item(*child)));
            date(own)
        };
        roots.sort_by_key(|root| first(*root));
    }

    fn flatten<Id: Clone>(&self, root: usize, items: &[Item<'_, Id>]) -> Vec<Member<Id>> {
        let mut out = Vec::new();
        let mut stack = vec![(root, 0)];
        while let Some((at, depth)) = stack.pop() {
            let item = self.item(at).and_then(|at| items.get(at));
            if let Some(item) = item {
                out.push(Member {
                    id: item.id.clone(),
                    depth,
                });
            }
            let below = depth + usize::from(item.is_some());
            stack.extend(self.children(at).iter().rev().map(|child| (*child, below)));
        }
        out
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use proptest::prelude::*;

    struct Row {
        message_id: Option<InternetMessageId>,
        references: Vec<InternetMessageId>,
        subject: String,
    }

    fn row(message_id: &str, references: &str, subject: &str) -> Row {
        let id = |text: &str| InternetMessageId(text.to_owned());
        Row {
            message_id: (!message_id.is_empty()).then(|| id(message_id)),
            references: references.split_whitespace().map(id).collect(),
            subject: subject.to_owned(),
        }
    }

    fn thread_rows(rows: &[Row], subjects: Subjects) -> Vec<Vec<Member<usize>>> {
        let items: Vec<_> = rows
            .iter()
            .enumerate()
            .map(|(id, row)| Item {
                id,
                message_id: row.message_id.as_ref(),
                references: &row.references,
                in_reply_to: &[],
                subject: &row.subject,
                date: Timestamp(i64::try_from(id).unwrap()),
            })
            .collect();
        threads(&items, subjects)
    }

    /// Threads as `0(1(2))(3)`, the numbers being rows.
    fn show(threads: &[Vec<Member<usize>>]) -> String {
        let thread = |members: &Vec<Member<usize>>| {
            members
                .iter()
                .map(|member| format!("{}{}", "-".repeat(member.depth), member.id))
                .collect::<Vec<_>>()
                .join(" ")
        };
        threads.iter().map(thread).collect::<Vec<_>>().join(" | ")
    }

    #[test]
    fn threads_by_references() {
        let check = |rows: &[Row], expect: &str| {
            assert_eq!(show(&thread_rows(rows, Subjects::Ignore)), expect);
        };
        check(&[], "");
        check(
            &[row("a", "", ""), row("b", "a", ""), row("c", "a b", "")],
            "0 -1 --2",
        );
        // Out of order, and the middle one missing.
        check(&[row("c", "a b", ""), row("a", "", "")], "1 -0");
        // The first one missing: two answers to it are one thread.
        check(&[row("b", "a", ""), row("c", "a", "")], "0 1");
        // Loops are not closed.
        check(&[row("a", "b", ""), row("b", "a", "")], "1 -0");
        check(&[row("a", "a", "")], "0");
        // The same id twice, and none: on their own.
        check(
            &[row("a", "", ""), row("a", "", ""), row("", "", "")],
            "0 | 1 | 2",
        );
        check(&[row("", "a", ""), row("a", "", "")], "1 -0");
        // A message's own references overrule what another's implied.
        check(
            &[
                row("x", "a c", ""),
                row("c", "b", ""),
                row("a", "", ""),
                row("b", "", ""),
            ],
            "2 | 3 -1 --0",
        );
    }

    #[test]
    fn threads_by_subject() {
        let check = |rows: &[Row], expect: &str| {
            assert_eq!(show(&thread_rows(rows, Subjects::Merge)), expect);
        };
        check(&[row("a", "", "Hi"), row("b", "", "Re: Hi")], "0 -1");
        check(&[row("a", "", "Re: Hi"), row("b", "", "Hi")], "1 -0");
        check(&[row("a", "", "Hi"), row("b", "", "Hi")], "0 1");
        check(&[row("a", "", "Hi"), row("b", "", "Other")], "0 | 1");
        check(&[row("a", "", ""), row("b", "", "")], "0 | 1");
        check(
            &[
                row("a", "", "Hi"),
                row("b", "", "Antwort: Hi"),
                row("c", "", "AW: Hi"),
            ],
            "0 -1 -2",
        );
        check(
            &[
                row("a", "x", "Re: Hi"),
                row("b", "x", "Re: Hi"),
                row("c", "", "Re: Hi"),
            ],
            "0 1 2",
        );
    }

    #[test]
    fn long_chains_do_not_recurse() {
        let rows: Vec<_> = (0..50_000)
            .map(|n| {
                row(
                    &format!("m{n}"),
                    &if n > 0 {
                        format!("m{}", n - 1)
                    } else {
                        String::new()
                    },
                    "",
                )
            })
            .collect();
        assert_eq!(
            thread_rows(&rows, Subjects::Merge).first().map(Vec::len),
            Some(50_000)
        );
    }

    #[test]
    fn nearest_ancestor_comes_first() {
        let ids = |text: &str| {
            text.split_whitespace()
                .map(|id| InternetMessageId(id.to_owned()))
                .collect::<Vec<_>>()
        };
        let envelope = Envelope {
            message_id: Some(InternetMessageId("d".into())),
            references: ids("a b c d"),
            in_reply_to: ids("x y"),
            ..Envelope::default()
        };
        assert_eq!(ancestors(&envelope), ids("c b a x"));
    }

    proptest! {
        #[test]
        fn every_message_is_in_exactly_one_thread(
            links in proptest::collection::vec((0_u8..8, proptest::collection::vec(0_u8..8, 0..5), 0_u8..3), 0..30),
        ) {
            let rows: Vec<_> = links
                .iter()
                .map(|(id, references, subject)| {
                    let references = references.iter().map(|id| format!("m{id} ")).collect::<String>();
                    row(&format!("m{id}"), &references, ["", "Hi", "Re: Hi"][usize::from(*subject)])
                })
                .collect();
            for subjects in [Subjects::Merge, Subjects::Ignore] {
                let mut seen: Vec<usize> = thread_rows(&rows, subjects).concat().iter().map(|member| member.id).collect();
                seen.sort_unstable();
                prop_assert_eq!(seen, (0..rows.len()).collect::<Vec<_>>());
            }
        }
    }
}
