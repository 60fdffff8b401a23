//! IMAP: after settling, every mailbox here is the server's, and each content is there unless it was destroyed.

use super::*;

/// Extensions switched off, chosen by seed.
const WITHOUT: [&[&str]; 7] = [
    &[],
    &["QRESYNC"],
    &["CONDSTORE", "OBJECTID", "NOTIFY"],
    &["MOVE", "NOTIFY"],
    &["MOVE", "UIDPLUS", "IDLE"],
    &["LIST-STATUS", "LIST-EXTENDED", "ESEARCH", "LITERAL+", "LITERAL-"],
    posthorn_sandbox::IMAP_EXTENSIONS,
];

/// Seeds that have found something: an upload twice, flags that stayed behind, the last copy taken back, a message
/// taken for another whose Message-ID contains its own.
const FOUND: [u64; 4] = [53, 92, 205, 215];

#[test]
fn what_was_found_once_stays_found() {
    for seed in FOUND {
        run(simulate(seed));
    }
}

#[test]
fn imap_converges() {
    for_each_seed("imap", |seed| run(simulate(seed)));
}

async fn simulate(seed: u64) {
    let without = WITHOUT[usize::try_from(seed).unwrap_or(0) % WITHOUT.len()];
    let options = SandboxOptions {
        without,
        ..SandboxOptions::plain_and_empty()
    };
    let mut simulation = Simulation::new(seed, Protocol::Imap, LeaveOnServer::Forever, options).await;
    for _ in 0..simulation.rng.below(8) + 2 {
        simulation.deliver("INBOX");
    }
    for _ in 0..30 + simulation.rng.below(30) {
        simulation.step().await;
    }
    simulation.settle().await;
    simulation.check_imap().await;
}

impl Simulation {
    async fn step(&mut self) {
        match self.rng.below(22) {
            0..=2 => self.deliver("INBOX"),
            3 => self.deliver("Archive"),
            4 | 5 => self.flag_there(),
            6 => self.move_there(),
            7 => self.remove_there(),
            8 if self.rng.chance(20) => self.renumber(),
            9 | 10 => self.flag_here().await,
            11 | 12 => self.move_here().await,
            13 => self.delete_here().await,
            14 => self.copy_here().await,
            15 => self.undo().await,
            16 => self.draft().await,
            17 if self.rng.chance(60) => self.break_something(Service::Imap),
            18 if self.rng.chance(50) => self.crash(),
            19 if self.rng.chance(30) => self.restart().await,
            20 if self.rng.chance(30) => self.create_there(),
            _ => self.sync().await,
        }
    }

    fn flag_there(&mut self) {
        let Some((path, uid, subject)) = self.choose_there() else {
            return;
        };
        let flags = self.choose_flags();
        self.note(format!("server: {subject} in {path} gets {:?}", flags.names()));
        self.world
            .sandbox
            .store()
            .set_flags(&self.user, &path, uid, flags);
    }

    /// As another client's MOVE.
    fn move_there(&mut self) {
        let Some((from, uid, subject)) = self.choose_there() else {
            return;
        };
        let paths = self.server_paths();
        let Some(to) = self.rng.choose(&paths).filter(|to| **to != from).cloned() else {
            return;
        };
        self.note(format!("server: {subject} moves from {from} to {to}"));
        let messages = self.world.sandbox.messages(&from);
        let message = messages.iter().find(|message| message.uid == uid).expect("there");
        self.put(&to, message.raw.to_vec(), message.flags.clone());
        self.world
            .sandbox
            .store()
            .vanish(&self.user, &from, |m| m.uid == uid);
    }

    fn remove_there(&mut self) {
        let Some((path, uid, subject)) = self.choose_there() else {
            return;
        };
        self.note(format!("server: {subject} goes from {path}"));
        self.destroyed.insert(subject);
        self.world
            .sandbox
            .store()
            .vanish(&self.user, &path, |m| m.uid == uid);
    }

    fn renumber(&mut self) {
        let paths = self.server_paths();
        let Some(path) = self.rng.choose(&paths).cloned() else {
            return;
        };
        self.note(format!("server: {path} is numbered anew"));
        self.world.sandbox.store().bump_uid_validity(&self.user, &path);
    }

    fn create_there(&mut self) {
        let path = format!("Made {}", self.next);
        self.note(format!("server: {path} comes into being"));
        self.world.sandbox.store().create(&self.user, &path);
    }

    async fn move_here(&mut self) {
        let Some((mailbox, row)) = self.choose_here().await else {
            return;
        };
        let Some(to) = self.choose_mailbox().await else {
            return;
        };
        self.note(format!(
            "here: {} moves from {} to {}",
            row.subject, mailbox.name.path, to.name.path
        ));
        let selection = Selection {
            messages: vec![row.message],
            mailbox: Some(mailbox.id),
        };
        self.wish(Command::Move { selection, to: to.id }).await;
    }

    async fn copy_here(&mut self) {
        let Some((mailbox, row)) = self.choose_here().await else {
            return;
        };
        let Some(to) = self.choose_mailbox().await else {
            return;
        };
        self.note(format!(
            "here: {} is copied from {} to {}",
            row.subject, mailbox.name.path, to.name.path
        ));
        *self.copies.entry(row.subject.clone()).or_insert(0) += 1;
        let selection = Selection {
            messages: vec![row.message],
            mailbox: Some(mailbox.id),
        };
        self.wish(Command::Copy { selection, to: to.id }).await;
    }

    async fn draft(&mut self) {
        let (subject, raw) = self.mint();
        self.note(format!("here: draft {subject}"));
        let account = self.world.account;
        let draft = Command::SaveDraft {
            account,
            raw,
            replaces: None,
        };
        if let Err(error) = self.world.engine().command(draft).await {
            self.note(format!("  refused: {error}"));
            self.destroyed.insert(subject);
        }
    }

    async fn check_imap(&mut self) {
        let mut here_paths: Vec<String> = Vec::new();
        for mailbox in self.mailboxes().await {
            if !mailbox.local || mailbox.total > 0 {
                here_paths.push(mailbox.name.path);
            }
        }
        here_paths.sort();
        let mut there_paths = self.server_paths();
        there_paths.sort();
        assert_eq!(here_paths, there_paths, "the mailboxes differ");
        // Without UIDPLUS a moved message stays behind, marked.
        let shown = |all: Vec<(String, Vec<String>)>| -> Vec<(String, Vec<String>)> {
            let marked = |flags: &[String]| flags.iter().any(|flag| flag == "deleted");
            all.into_iter().filter(|(_, flags)| !marked(flags)).collect()
        };
        for path in &there_paths {
            let (here, there) = (self.world.here(path).await, self.world.there(path));
            assert_eq!(shown(here), shown(there), "in {path}");
        }
        self.count_here().await;
        let there = self.count_there();
        for subject in self.known.keys() {
            let count = there.get(subject).copied().unwrap_or(0);
            let most = 1 + self.copies.get(subject).copied().unwrap_or(0);
            assert!(count > 0 || self.destroyed.contains(subject), "{subject} is lost");
            assert!(count <= most, "{subject} is there {count} times");
        }
    }
}
