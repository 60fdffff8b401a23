//! POP3: what ever arrived is on the server or here, once; what stays on the server is what the policy says.

use super::*;

const POLICIES: [LeaveOnServer; 4] = [
    LeaveOnServer::Forever,
    LeaveOnServer::Never,
    LeaveOnServer::Days(2),
    LeaveOnServer::UntilRemoved,
];
const WITHOUT: [&[&str]; 4] = [
    &[],
    &["PIPELINING"],
    &["TOP", "CAPA"],
    &["RESP-CODES", "AUTH-RESP-CODE"],
];

/// Seeds that have found something: a removal that another intent's undo took back.
const FOUND: [u64; 1] = [139];

#[test]
fn what_was_found_once_stays_found() {
    for seed in FOUND {
        run(simulate(seed));
    }
}

#[test]
fn pop3_converges() {
    for_each_seed("pop3", |seed| run(simulate(seed)));
}

async fn simulate(seed: u64) {
    let pick = usize::try_from(seed).unwrap_or(0);
    let policy = POLICIES[pick % POLICIES.len()];
    let options = SandboxOptions {
        without: WITHOUT[pick / POLICIES.len() % WITHOUT.len()],
        ..SandboxOptions::plain_and_empty()
    };
    let mut simulation = Simulation::new(seed, Protocol::Pop3, policy, options).await;
    for _ in 0..simulation.rng.below(12) + 3 {
        simulation.deliver("INBOX");
    }
    for _ in 0..30 + simulation.rng.below(30) {
        simulation.step_pop3().await;
    }
    simulation.settle().await;
    if let LeaveOnServer::Days(days) = policy {
        simulation.note("the days pass");
        simulation.world.pass_days(i64::from(days) + 1);
        simulation.settle().await;
    }
    simulation.check_pop3(policy).await;
}

impl Simulation {
    async fn step_pop3(&mut self) {
        match self.rng.below(16) {
            0..=3 => self.deliver("INBOX"),
            4 if self.rng.chance(40) => self.take_there().await,
            5 if self.rng.chance(30) => {
                self.note("server: every UIDL is new");
                self.world.sandbox.store().bump_uid_validity(&self.user, "INBOX");
            }
            6 => self.flag_here().await,
            7 => self.delete_here().await,
            8 => self.archive_here().await,
            9 => self.undo().await,
            10 => self.break_something(Service::Pop3),
            11 => {
                let deletes = self.rng.chance(50);
                self.note(format!("network: QUIT is lost, deletes: {deletes}"));
                self.world.sandbox.faults().inject(Fault::DropQuit { deletes });
            }
            12 if self.rng.chance(50) => self.crash(),
            13 if self.rng.chance(30) => {
                self.note("a day passes");
                self.world.pass_days(1);
            }
            _ => self.sync().await,
        }
    }

    /// Another client takes a message away that is here already.
    async fn take_there(&mut self) {
        let Some((path, uid, subject)) = self.choose_there() else {
            return;
        };
        if self.count_here_bare().await.contains_key(&subject) {
            self.note(format!("server: another client takes {subject}"));
            self.world
                .sandbox
                .store()
                .vanish(&self.user, &path, |m| m.uid == uid);
        }
    }

    async fn archive_here(&mut self) {
        let Some((mailbox, row)) = self.choose_here().await else {
            return;
        };
        self.note(format!("here: archive {} in {}", row.subject, mailbox.name.path));
        let selection = self.select(&mailbox, &row);
        self.wish(Command::Archive(selection)).await;
    }

    /// Without looking at bytes.
    async fn count_here_bare(&self) -> BTreeMap<String, usize> {
        let mut counts = BTreeMap::new();
        for mailbox in self.mailboxes().await {
            for row in self.world.rows(&mailbox.name.path).await {
                *counts.entry(row.subject).or_insert(0) += 1;
            }
        }
        counts
    }

    async fn check_pop3(&mut self, policy: LeaveOnServer) {
        let (here, there) = (self.count_here().await, self.count_there());
        for subject in self.known.keys() {
            let count = here.get(subject).copied().unwrap_or(0);
            let on_server = there.get(subject).copied().unwrap_or(0);
            assert!(count <= 1, "{subject} is here {count} times");
            assert!(on_server <= 1, "{subject} is there {on_server} times");
            assert!(
                count == 1 || self.destroyed.contains(subject),
                "{subject} is not here; on the server: {on_server}"
            );
        }
        match policy {
            LeaveOnServer::Never | LeaveOnServer::Days(_) => {
                assert!(there.is_empty(), "still on the server: {there:?}");
            }
            LeaveOnServer::UntilRemoved => {
                let inbox = self.world.subjects("Inbox").await;
                for subject in there.keys() {
                    assert!(
                        inbox.contains(subject),
                        "{subject} was removed here, and is still there"
                    );
                }
            }
            LeaveOnServer::Forever => (),
        }
    }
}
