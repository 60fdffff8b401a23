//! Random interleavings of what a user, another client and a bad network do, from a seed. Afterwards everything is
//! left to settle, and then the store and the server must agree, with nothing lost and nothing twice.
//!
//! A failing seed prints itself and its steps. `POSTHORN_SIMULATION=FROM..TO` runs these seeds in place of the few
//! that every test run takes.

mod imap;
mod pop3;

use std::collections::{BTreeMap, BTreeSet};
use std::ops::Range;
use std::time::{Duration, Instant};

use posthorn_model::{ErrorClass, Flag, FlagChange, Flags, LeaveOnServer, Protocol, Timestamp, Uid};
use posthorn_sandbox::{Fault, NewMessage, SandboxOptions, Service};
use posthorn_testkit::rng::Rng;

use super::world::{NOW, World, letter, run, subject_of};
use crate::Command;
use crate::catalog::{Mailbox, Row};
use crate::command::Selection;

/// How long one protocol's seeds may take in an ordinary test run; at least one runs.
const BUDGET: Duration = Duration::from_secs(14);
/// Passes in which everything must have come to rest.
const SETTLING: usize = 9;

/// The seeds to run, and whether the budget of time holds.
fn seeds() -> (Range<u64>, bool) {
    let asked = std::env::var("POSTHORN_SIMULATION").ok();
    let range = asked.as_deref().and_then(|text| {
        let (from, to) = text.split_once("..")?;
        Some(from.parse().ok()?..to.parse().ok()?)
    });
    range.map_or((1..51, true), |range| (range, false))
}

fn for_each_seed(name: &str, mut simulate: impl FnMut(u64)) {
    let (range, budgeted) = seeds();
    let start = Instant::now();
    let mut count = 0;
    for seed in range {
        if budgeted && count > 0 && start.elapsed() > BUDGET {
            break;
        }
        simulate(seed);
        count += 1;
    }
    println!("{name}: {count} seeds in {:.1} s", start.elapsed().as_secs_f64());
}

/// One run: a world, the chance that drives it, and what must be true of each content in the end.
struct Simulation {
    seed: u64,
    rng: Rng,
    world: World,
    user: String,
    steps: Vec<String>,
    next: usize,
    /// Every content that was ever there, by subject.
    known: BTreeMap<String, Vec<u8>>,
    /// Contents that somebody removed for good, or tried to.
    destroyed: BTreeSet<String>,
    /// Contents that were copied, by how often at most.
    copies: BTreeMap<String, usize>,
}

impl Drop for Simulation {
    fn drop(&mut self) {
        if std::thread::panicking() {
            println!("seed {} failed after:\n  {}", self.seed, self.steps.join("\n  "));
        }
    }
}

impl Simulation {
    async fn new(seed: u64, protocol: Protocol, policy: LeaveOnServer, options: SandboxOptions) -> Self {
        let mut steps = vec![format!("{protocol:?} {policy} without {:?}", options.without)];
        let world = World::with(protocol, policy, options).await;
        steps.push("start".to_owned());
        Self {
            seed,
            rng: Rng::new(seed),
            user: world.sandbox.login().username.clone(),
            world,
            steps,
            next: 0,
            known: BTreeMap::new(),
            destroyed: BTreeSet::new(),
            copies: BTreeMap::new(),
        }
    }

    fn note(&mut self, step: impl Into<String>) {
        self.steps.push(step.into());
    }

    fn mint(&mut self) -> (String, Vec<u8>) {
        let raw = letter(self.next);
        self.next += 1;
        let subject = subject_of(&raw);
        self.known.insert(subject.clone(), raw.clone());
        (subject, raw)
    }

    fn deliver(&mut self, mailbox: &str) {
        let (subject, raw) = self.mint();
        self.note(format!("server: {subject} arrives in {mailbox}"));
        self.put(mailbox, raw, Flags::default());
    }

    fn put(&self, mailbox: &str, raw: Vec<u8>, flags: Flags) {
        let message = NewMessage {
            raw,
            flags,
            internal_date: Timestamp(NOW),
        };
        self.world.sandbox.store().append(&self.user, mailbox, message);
    }

    /// A message on the server: mailbox, UID and subject.
    fn choose_there(&mut self) -> Option<(String, Uid, String)> {
        let paths: Vec<String> = self.server_paths();
        let path = self.rng.choose(&paths)?.clone();
        let mut messages = self.world.sandbox.messages(&path);
        // What is marked and left, other clients leave alone.
        messages.retain(|message| !message.flags.contains(Flag::Deleted));
        let message = self.rng.choose(&messages)?;
        Some((path, message.uid, subject_of(&message.raw)))
    }

    fn server_paths(&self) -> Vec<String> {
        let mailboxes = self.world.sandbox.store().mailboxes(&self.user);
        mailboxes.into_iter().map(|mailbox| mailbox.path).collect()
    }

    fn choose_flags(&mut self) -> Flags {
        let mut flags = Flags::default();
        for flag in [Flag::Seen, Flag::Flagged, Flag::Answered] {
            if self.rng.chance(40) {
                flags.insert(flag);
            }
        }
        if self.rng.chance(20) {
            assert!(flags.insert_named("$Forwarded"));
        }
        flags
    }

    fn choose_change(&mut self) -> FlagChange {
        let (add, remove) = (self.choose_flags(), self.choose_flags());
        FlagChange {
            remove: remove.minus(&add),
            add,
        }
    }

    async fn mailboxes(&self) -> Vec<Mailbox> {
        let all = self.world.engine().catalog().mailboxes(None).await;
        all.expect("mailboxes")
    }

    /// A message here, with its mailbox.
    async fn choose_here(&mut self) -> Option<(Mailbox, Row)> {
        let mailboxes = self.mailboxes().await;
        let filled: Vec<Mailbox> = mailboxes
            .into_iter()
            .filter(|mailbox| mailbox.total > 0)
            .collect();
        let mailbox = self.rng.choose(&filled)?.clone();
        let rows = self.world.rows(&mailbox.name.path).await;
        let row = self.rng.choose(&rows)?.clone();
        Some((mailbox, row))
    }

    async fn choose_mailbox(&mut self) -> Option<Mailbox> {
        let mailboxes = self.mailboxes().await;
        self.rng.choose(&mailboxes).cloned()
    }

    /// A wish that may be refused: the message may be gone by now.
    async fn wish(&mut self, command: Command) {
        let done = self.world.engine().command(command).await;
        if let Err(error) = done {
            self.note(format!("  refused: {error}"));
        }
    }

    async fn flag_here(&mut self) {
        let Some((mailbox, row)) = self.choose_here().await else {
            return;
        };
        let change = self.choose_change();
        self.note(format!(
            "here: {} in {}: +{:?} -{:?}",
            row.subject,
            mailbox.name.path,
            change.add.names(),
            change.remove.names()
        ));
        let selection = self.select(&mailbox, &row);
        self.wish(Command::Flag { selection, change }).await;
    }

    fn select(&mut self, mailbox: &Mailbox, row: &Row) -> Selection {
        Selection {
            messages: vec![row.message],
            mailbox: self.rng.chance(50).then_some(mailbox.id),
        }
    }

    async fn delete_here(&mut self) {
        let Some((mailbox, row)) = self.choose_here().await else {
            return;
        };
        self.note(format!("here: delete {} in {}", row.subject, mailbox.name.path));
        // From the trash it is for good.
        self.destroyed.insert(row.subject.clone());
        let selection = self.select(&mailbox, &row);
        self.wish(Command::Delete(selection)).await;
    }

    async fn undo(&mut self) {
        self.note("here: undo");
        self.wish(Command::Undo { intent: None }).await;
    }

    fn break_something(&mut self, service: Service) {
        let bytes = 20 + self.rng.below(6000);
        let commands: &[&str] = match service {
            Service::Pop3 => &["UIDL", "RETR", "DELE", "LIST", "STAT"],
            _ => &[
                "UID MOVE",
                "UID COPY",
                "UID STORE",
                "APPEND",
                "UID EXPUNGE",
                "SELECT",
                "UID FETCH",
            ],
        };
        let command = (*self.rng.choose(commands).expect("a command")).to_owned();
        let fault = match self.rng.below(4) {
            0 | 1 => Fault::CloseAfterSent { service, bytes },
            2 => Fault::CloseAfterReceived {
                service,
                bytes: bytes / 8,
            },
            _ => Fault::CloseBeforeAnswer { service, command },
        };
        self.note(format!("network: {fault:?}"));
        self.world.sandbox.faults().inject(fault);
    }

    async fn sync(&mut self) {
        let report = self.world.sync().await;
        let problems: Vec<&str> = report
            .problems
            .iter()
            .map(|problem| problem.detail.as_str())
            .collect();
        self.note(format!(
            "sync: {} new, {} changed, {} gone, {} bodies {problems:?}",
            report.new, report.changed, report.gone, report.bodies
        ));
    }

    fn crash(&mut self) {
        self.note("crash");
        self.world.crash();
    }

    async fn restart(&mut self) {
        self.note("restart");
        self.world.restart().await;
    }

    /// No more faults: syncs until a pass has nothing to do and nothing to complain of.
    async fn settle(&mut self) {
        self.note("settle");
        self.world.sandbox.faults().clear();
        let mut rested = 0;
        for _ in 0..SETTLING {
            let report = self.world.sync().await;
            let suspicious = |problem: &posthorn_model::Problem| problem.class == ErrorClass::Suspicious;
            if report.problems.iter().any(suspicious) {
                self.note("here: the disappearance is accepted");
                self.wish(Command::AcceptDisappearance(self.world.account)).await;
                continue;
            }
            self.note(format!(
                "sync: {} new, {} changed, {} gone, problems {:?}",
                report.new,
                report.changed,
                report.gone,
                report
                    .problems
                    .iter()
                    .map(|problem| &problem.detail)
                    .collect::<Vec<_>>()
            ));
            let quiet = (report.new, report.changed, report.gone, report.bodies) == (0, 0, 0, 0);
            let waiting = self.operations().await;
            // What a server without UIDPLUS keeps is told for as long as it lies there.
            let troubled = report
                .problems
                .iter()
                .any(|problem| !problem.detail.contains("left on the server, marked as deleted"));
            if quiet && !troubled && waiting.is_empty() {
                rested += 1;
            } else {
                rested = 0;
            }
            // The first pass may have sent what the second one then sees.
            if rested == 2 {
                return;
            }
        }
        let waiting = self.operations().await;
        panic!("it does not come to rest; operations: {waiting:#?}");
    }

    /// What waits for the server: not the memory of what a server without UIDPLUS keeps.
    async fn operations(&self) -> Vec<posthorn_model::Operation> {
        let operations = self.world.engine().catalog().operations().await;
        let mut operations = operations.expect("operations");
        operations.retain(|operation| !matches!(operation.kind, posthorn_model::OperationKind::LeftDeleted));
        operations
    }

    /// How often each content lies in the mailboxes here, and its bytes, which must be as they were.
    async fn count_here(&self) -> BTreeMap<String, usize> {
        let mut counts = BTreeMap::new();
        for mailbox in self.mailboxes().await {
            for row in self.world.rows(&mailbox.name.path).await {
                *counts.entry(row.subject.clone()).or_insert(0) += 1;
                let raw = self.world.engine().catalog().raw(row.message).await;
                let raw = raw.expect("readable").unwrap_or_default();
                assert!(
                    self.known.get(&row.subject) == Some(&raw),
                    "{} in {} is not what it was: {:?}",
                    row.subject,
                    mailbox.name.path,
                    String::from_utf8_lossy(&raw)
                );
            }
        }
        counts
    }

    fn count_there(&self) -> BTreeMap<String, usize> {
        let mut counts = BTreeMap::new();
        for path in self.server_paths() {
            for message in self.world.sandbox.messages(&path) {
                // Marked and left: what a server without UIDPLUS keeps of a moved message.
                if !message.flags.contains(Flag::Deleted) {
                    *counts.entry(subject_of(&message.raw)).or_insert(0) += 1;
                }
            }
        }
        counts
    }
}
