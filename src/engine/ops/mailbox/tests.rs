use super::*;
use proptest::prelude::*;

/// A mailbox on a server, `/` between levels.
pub fn row(id: i64, path: &str) -> MailboxRow {
    let name = posthorn_net::imap::mailbox_name(path, Some('/'), false);
    MailboxRow {
        id: MailboxId(id),
        account: AccountId(1),
        special_use: name.is_inbox().then_some(SpecialUse::Inbox),
        name,
        delimiter: Some('/'),
        selectable: true,
        subscribed: true,
        local: false,
        total: 0,
        unread: 0,
        object_id: None,
        sync: None,
    }
}

/// What is here and what waits, as the store would keep it.
struct Desk {
    facts: Facts,
    next: i64,
}

impl Desk {
    fn new(paths: &[&str]) -> Self {
        let ids = 1..;
        let rows = paths.iter().zip(ids).map(|(path, id)| row(id, path)).collect();
        Self {
            facts: Facts {
                account: AccountId(1),
                local: false,
                rows,
                operations: Vec::new(),
                now: Timestamp(0),
                intent: 1,
            },
            next: 100,
        }
    }

    fn id(&self, path: &str) -> Option<MailboxId> {
        let leaving = leaving(&self.facts.operations);
        let rows = self.facts.rows.iter();
        let mut found = rows.filter(|row| row.name.path == path && !leaving.contains(&row.id));
        found.next().map(|row| row.id)
    }

    fn act(
        &mut self,
        act: impl FnOnce(&Facts, &mut NewId<'_>) -> Result<Plan, Error>,
    ) -> Result<Vec<Step>, Error> {
        let mut next = self.next;
        let mut new_id = || {
            next += 1;
            OperationId(next)
        };
        let plan = act(&self.facts, &mut new_id)?;
        self.next = next;
        for write in plan.writes {
            self.write(write);
        }
        Ok(plan.steps)
    }

    fn write(&mut self, write: Write) {
        match write {
            Write::PutMailbox(new) => {
                let clash = self
                    .facts
                    .rows
                    .iter()
                    .any(|row| row.name.wire == new.name.wire && row.id != new.id);
                assert!(!clash, "two mailboxes {}", new.name);
                self.facts.rows.retain(|row| row.id != new.id);
                self.facts.rows.push(MailboxRow {
                    name: new.name,
                    subscribed: new.subscribed,
                    ..row(new.id.0, "x")
                });
            }
            Write::RemoveMailbox(id) => {
                self.facts.rows.retain(|row| row.id != id);
                self.facts.operations.retain(|operation| operation.mailbox != id);
            }
            Write::AddOperation(operation) => self.facts.operations.push(*operation),
            Write::PutOperation(operation) => {
                for known in &mut self.facts.operations {
                    if known.id == operation.id {
                        *known = (*operation).clone();
                    }
                }
            }
            Write::RemoveOperation(id) => self.facts.operations.retain(|operation| operation.id != id),
            other => panic!("unexpected {other:?}"),
        }
    }

    fn create(&mut self, path: &str) -> Result<Vec<Step>, Error> {
        self.next += 1;
        let id = MailboxId(self.next);
        let name = self.facts.name(path)?;
        self.act(|facts, new_id| facts.create(&name, id, new_id))
    }

    fn rename(&mut self, path: &str, to: &str) -> Result<Vec<Step>, Error> {
        let mailbox = self.id(path).unwrap_or(MailboxId(0));
        let name = self.facts.name(to)?;
        self.act(|facts, new_id| facts.rename(mailbox, &name, new_id))
    }

    fn delete(&mut self, path: &str) -> Result<Vec<Step>, Error> {
        let mailbox = self.id(path).unwrap_or(MailboxId(0));
        self.act(|facts, new_id| facts.delete(mailbox, new_id))
    }

    fn paths(&self) -> BTreeSet<String> {
        let leaving = leaving(&self.facts.operations);
        let rows = self.facts.rows.iter().filter(|row| !leaving.contains(&row.id));
        rows.map(|row| row.name.path.clone()).collect()
    }

    /// Sends the oldest operation to a server that holds these names.
    fn send(&mut self, server: &mut BTreeSet<String>) {
        if self.facts.operations.is_empty() {
            return;
        }
        let operation = self.facts.operations.remove(0);
        let mailbox = self.facts.rows.iter().find(|row| row.id == operation.mailbox);
        let name = mailbox.map(|row| server_name(row, &self.facts.operations).path);
        match operation.kind {
            OperationKind::CreateMailbox { .. } => {
                assert!(server.insert(name.expect("a row")), "made twice");
            }
            OperationKind::DeleteMailbox => {
                assert!(server.remove(&name.expect("a row")), "deleted twice");
                let mentioned = self
                    .facts
                    .operations
                    .iter()
                    .any(|later| mentions(later, operation.mailbox));
                if !mentioned {
                    self.facts.rows.retain(|row| row.id != operation.mailbox);
                }
            }
            OperationKind::RenameMailbox { renamed } => {
                let first = renamed.first().expect("renamed");
                assert!(!server.contains(&first.to.path), "renamed onto another");
                let moved: BTreeSet<String> = server
                    .iter()
                    .map(|name| {
                        if *name == first.from.path {
                            return first.to.path.clone();
                        }
                        let below = name.strip_prefix(&format!("{}/", first.from.path));
                        below.map_or_else(|| name.clone(), |rest| format!("{}/{rest}", first.to.path))
                    })
                    .collect();
                assert!(moved != *server, "renamed nothing");
                *server = moved;
            }
            _ => {}
        }
    }
}

fn kinds(desk: &Desk) -> Vec<&'static str> {
    let name = |operation: &Operation| match operation.kind {
        OperationKind::CreateMailbox { .. } => "create",
        OperationKind::RenameMailbox { .. } => "rename",
        OperationKind::DeleteMailbox => "delete",
        OperationKind::Subscribe { .. } => "subscribe",
        _ => "other",
    };
    desk.facts.operations.iter().map(name).collect()
}

#[test]
fn what_the_server_has_not_heard_of_folds() {
    let check = |acts: &[&str], expect: &[&str], paths: &[&str]| {
        let mut desk = Desk::new(&["INBOX", "A", "A/x"]);
        for act in acts {
            let words: Vec<&str> = act.split(' ').collect();
            let done = match words.as_slice() {
                ["create", path] => desk.create(path),
                ["rename", path, to] => desk.rename(path, to),
                ["delete", path] => desk.delete(path),
                [on @ ("subscribe" | "unsubscribe"), path] => {
                    let id = desk.id(path).expect("there");
                    desk.act(|facts, new_id| facts.subscribe(id, *on == "subscribe", new_id))
                }
                other => panic!("{other:?}"),
            };
            done.unwrap_or_else(|error| panic!("{act}: {error}"));
        }
        assert_eq!(kinds(&desk), expect, "{acts:?}");
        let mut wanted: BTreeSet<String> = paths.iter().map(|path| (*path).to_owned()).collect();
        wanted.insert("INBOX".into());
        assert_eq!(desk.paths(), wanted, "{acts:?}");
    };
    check(&["create N"], &["create"], &["A", "A/x", "N"]);
    check(&["create N", "delete N"], &[], &["A", "A/x"]);
    check(&["create N", "rename N M"], &["create"], &["A", "A/x", "M"]);
    check(&["rename A B"], &["rename"], &["B", "B/x"]);
    check(&["rename A B", "rename B C"], &["rename"], &["C", "C/x"]);
    check(&["rename A B", "rename B A"], &[], &["A", "A/x"]);
    check(
        &["rename A B", "create A"],
        &["rename", "create"],
        &["A", "B", "B/x"],
    );
    check(&["delete A/x", "delete A"], &["delete", "delete"], &[]);
    check(&["delete A/x", "create A/x"], &[], &["A", "A/x"]);
    check(&["unsubscribe A", "subscribe A"], &[], &["A", "A/x"]);
    check(&["unsubscribe A"], &["subscribe"], &["A", "A/x"]);
    check(&["create N", "unsubscribe N"], &["create"], &["A", "A/x", "N"]);
    // A deletion stands between: the order matters to the server.
    check(
        &["create N", "delete A/x", "rename N M"],
        &["create", "delete", "rename"],
        &["A", "M"],
    );
}

#[test]
fn impossible_wishes_change_nothing() {
    let mut desk = Desk::new(&["INBOX", "A", "A/x", "B"]);
    assert!(desk.create("A").is_err());
    assert!(desk.create("inbox").is_err());
    assert!(desk.rename("INBOX", "C").is_err());
    assert!(desk.delete("INBOX").is_err());
    assert!(desk.rename("A", "A/x/y").is_err());
    assert!(desk.rename("A", "B").is_err());
    assert!(desk.rename("A", "A").is_err());
    assert!(desk.rename("none", "C").is_err());
    assert!(desk.facts.operations.is_empty());
    desk.delete("B").expect("deleted");
    assert!(desk.rename("A", "B").is_err(), "B is still on the server");
}

#[test]
fn the_server_knows_old_names_until_it_is_told() {
    let mut desk = Desk::new(&["INBOX", "A", "A/x"]);
    desk.rename("A", "B").expect("renamed");
    desk.create("B/new").expect("made");
    desk.delete("B/x").expect("deleted");
    let operations = desk.facts.operations.clone();
    let names: BTreeSet<String> = on_server(desk.facts.rows.clone(), &operations)
        .into_iter()
        .map(|row| row.name.path)
        .collect();
    assert_eq!(names, ["A", "INBOX"].map(String::from).into());
    let listed = ["INBOX", "A", "A/x", "A/unknown"].map(|path| ListedMailbox {
        name: posthorn_net::imap::mailbox_name(path, Some('/'), false),
        delimiter: Some('/'),
        special_use: None,
        selectable: true,
        subscribed: false,
        status: None,
        mailbox_id: None,
    });
    let seen: Vec<String> = overlay(listed.to_vec(), &desk.facts.rows, &operations)
        .into_iter()
        .map(|mailbox| mailbox.name.path)
        .collect();
    assert_eq!(seen, ["INBOX", "B", "B/x", "B/unknown"]);
}

#[derive(Clone, Debug)]
enum Act {
    Create(&'static str),
    Rename(&'static str, &'static str),
    Delete(&'static str),
    Undo,
    Send,
}

fn act() -> impl Strategy<Value = Act> {
    let path = || prop::sample::select(vec!["A", "B", "C", "A/x", "B/x", "C/y"]);
    prop_oneof![
        path().prop_map(Act::Create),
        (path(), path()).prop_map(|(from, to)| Act::Rename(from, to)),
        path().prop_map(Act::Delete),
        Just(Act::Undo),
        Just(Act::Send),
    ]
}

proptest! {
    /// However wishes, undo and sending interleave, what the server ends with is what is shown here.
    #[test]
    fn server_and_screen_agree_in_the_end(acts in prop::collection::vec(act(), 1..24)) {
        let mut desk = Desk::new(&["INBOX", "A", "A/x"]);
        let mut server: BTreeSet<String> = desk.paths();
        let mut done: Vec<Vec<Step>> = Vec::new();
        for act in acts {
            let steps = match act {
                Act::Create(path) => desk.create(path).ok(),
                Act::Rename(from, to) => desk.rename(from, to).ok(),
                // As the wish does it: what stands below goes first.
                Act::Delete(path) => match desk.id(path) {
                    Some(id) if desk.facts.family(id).is_ok_and(|family| family.len() == 1) => {
                        desk.delete(path).ok()
                    }
                    _ => None,
                },
                Act::Undo => {
                    let before = desk.paths();
                    if let Some(steps) = done.pop() {
                        for step in steps.iter().rev() {
                            let _ = desk.act(|facts, new_id| facts.take_back(step, new_id));
                        }
                    }
                    prop_assert!(desk.paths().contains("INBOX") && before.contains("INBOX"));
                    None
                }
                Act::Send => {
                    desk.send(&mut server);
                    None
                }
            };
            done.extend(steps.filter(|steps| !steps.is_empty()));
        }
        for _ in 0..desk.facts.operations.len() {
            desk.send(&mut server);
        }
        prop_assert!(desk.facts.operations.is_empty());
        prop_assert_eq!(server, desk.paths());
    }

    /// Taken back before anything is sent, it is as if nothing had been asked for.
    #[test]
    fn undo_before_sending_leaves_no_trace(acts in prop::collection::vec(act(), 1..12)) {
        let mut desk = Desk::new(&["INBOX", "A", "A/x"]);
        let before = desk.paths();
        let mut done: Vec<Vec<Step>> = Vec::new();
        for act in acts {
            let steps = match act {
                Act::Create(path) => desk.create(path).ok(),
                Act::Rename(from, to) => desk.rename(from, to).ok(),
                Act::Delete(path) => match desk.id(path) {
                    Some(id) if desk.facts.family(id).is_ok_and(|family| family.len() == 1) => {
                        desk.delete(path).ok()
                    }
                    _ => None,
                },
                Act::Undo | Act::Send => None,
            };
            done.extend(steps);
        }
        while let Some(steps) = done.pop() {
            for step in steps.iter().rev() {
                desk.act(|facts, new_id| facts.take_back(step, new_id)).expect("taken back");
            }
        }
        prop_assert_eq!(desk.paths(), before);
    }
}
