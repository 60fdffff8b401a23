//! A profile in a temporary directory, a sandbox, and ways to wait for what should come true.

use std::path::PathBuf;
use std::sync::Arc;
use std::sync::atomic::{AtomicI64, Ordering};
use std::time::{Duration, Instant};

use posthorn_model::query::{PageStart, View};
use posthorn_model::{
    AccountConfig, AccountId, AuthMethod, Flags, Identity, LeaveOnServer, MailboxId, MessageId, Pop3Policy,
    Protocol, Secret, SecretPlace, Timestamp,
};
use posthorn_sandbox::{NewMessage, Sandbox, SandboxOptions, Service};
use posthorn_store::write::Write;
use posthorn_store::{Durability, Store};

use super::proxy::Proxy;
use crate::catalog::Row;
use crate::imap::plan;
use crate::report::{AccountReport, SyncRequest};
use crate::{Clock, Command, Engine, Options, WebRules};

/// Deadline of everything that is waited for.
const PATIENCE: Duration = Duration::from_secs(20);

pub const NOW: i64 = 1_760_000_000;

pub struct World {
    dir: tempfile::TempDir,
    pub sandbox: Sandbox,
    time: Arc<AtomicI64>,
    engine: Option<Engine>,
    web: (WebRules, Option<PathBuf>),
    pub account: AccountId,
}

/// Runs a test on a runtime of its own, which stands for the window's.
pub fn run(test: impl Future<Output = ()>) {
    let runtime = tokio::runtime::Builder::new_current_thread()
        .enable_all()
        .build()
        .expect("a runtime");
    runtime.block_on(test);
}

impl World {
    pub async fn new(protocol: Protocol) -> Self {
        Self::with(
            protocol,
            LeaveOnServer::Forever,
            SandboxOptions::plain_and_empty(),
        )
        .await
    }

    pub async fn with(protocol: Protocol, policy: LeaveOnServer, options: SandboxOptions) -> Self {
        let mut world = Self::empty(options).await;
        let config = world.config(protocol, policy);
        world.account = world.add(config).await;
        world
    }

    /// An IMAP account whose way to the server can be cut and blocked.
    pub async fn behind_proxy(options: SandboxOptions) -> (Self, Proxy) {
        let mut world = Self::empty(options).await;
        let mut config = world.config(Protocol::Imap, LeaveOnServer::Forever);
        let proxy = Proxy::to(config.incoming.port).await;
        config.incoming.port = proxy.port();
        world.account = world.add(config).await;
        (world, proxy)
    }

    async fn empty(options: SandboxOptions) -> Self {
        let sandbox = Sandbox::start(options).await.expect("a sandbox");
        let dir = tempfile::tempdir().expect("a directory");
        let time = Arc::new(AtomicI64::new(NOW));
        let mut world = Self {
            dir,
            sandbox,
            time,
            engine: None,
            web: (WebRules::new(|_, _| Ok(Vec::new()), |_| false), None),
            account: AccountId(0),
        };
        world.open();
        world
    }

    /// An account at the sandbox.
    pub fn config(&self, protocol: Protocol, policy: LeaveOnServer) -> AccountConfig {
        let login = self.sandbox.login();
        let service = match protocol {
            Protocol::Imap => Service::Imap,
            Protocol::Pop3 => Service::Pop3,
        };
        AccountConfig {
            name: "test".into(),
            protocol,
            username: login.username.clone(),
            auth: AuthMethod::Password,
            client_certificate: None,
            secrets: SecretPlace::File,
            allow_cleartext: false,
            connections: None,
            pop3: Pop3Policy::leaving(policy),
            identity: Identity {
                name: login.name.clone(),
                email: login.address.clone(),
                signature: String::new(),
            },
            incoming: self.sandbox.endpoint(service),
            outgoing: Some(self.sandbox.endpoint(Service::Smtp)),
        }
    }

    pub async fn add(&self, config: AccountConfig) -> AccountId {
        let secret = Secret::new(self.sandbox.login().password.clone());
        let added = self.engine().add_account(config, Some(secret)).await;
        added.expect("an account")
    }

    fn options(&self) -> Options {
        let time = Arc::clone(&self.time);
        Options {
            profile: Some(self.path()),
            secrets_key: Some(Secret::new("a key".into())),
            clock: Clock::new(move || Timestamp(time.load(Ordering::SeqCst))),
            web: self.web.0.clone(),
            ca_file: self.web.1.clone(),
            ..Options::default()
        }
    }

    /// From now on these web servers are there, with certificates of this authority.
    pub async fn reach(&mut self, rules: WebRules, ca_pem: &str) {
        let file = self.dir.path().join("ca.pem");
        std::fs::write(&file, ca_pem).expect("written");
        self.web = (rules, Some(file));
        self.restart().await;
    }

    pub fn path(&self) -> PathBuf {
        self.dir.path().join("profile")
    }

    pub fn open(&mut self) {
        // A dropped engine gives its lock back when its last task has ended.
        let deadline = Instant::now() + PATIENCE;
        loop {
            match Engine::open(self.options()) {
                Ok(engine) => {
                    self.engine = Some(engine);
                    return;
                }
                Err(error) if Instant::now() > deadline => panic!("cannot open: {error}"),
                Err(_) => std::thread::yield_now(),
            }
        }
    }

    pub fn engine(&self) -> &Engine {
        self.engine.as_ref().expect("an open engine")
    }

    /// As after a crash: no shutdown, and a new process.
    pub fn crash(&mut self) {
        self.engine = None;
        self.open();
    }

    pub async fn restart(&mut self) {
        self.engine().shutdown().await;
        self.engine = None;
        self.open();
    }

    /// As where the first pass of a mailbox broke off after what is here.
    pub async fn break_off(&mut self, path: &str) {
        let mailbox = self.mailbox(path).await;
        self.engine().shutdown().await;
        self.engine = None;
        let store = Store::open(&self.path().join("data")).expect("a store");
        let state = store.sync_state(mailbox).await.expect("readable");
        let state = state.map(|state| plan::unfinished(state.uid_validity, 1));
        let writes = vec![Write::SetSyncState { mailbox, state }];
        let written = store.apply(writes, Durability::Full).await;
        written.expect("written");
        store.drain().await;
        drop(store);
        self.open();
    }

    pub fn pass_days(&self, days: i64) {
        self.time.fetch_add(days * Timestamp::DAY, Ordering::SeqCst);
    }

    pub async fn sync(&self) -> AccountReport {
        let mut report = self.engine().sync(SyncRequest::default()).await.expect("a sync");
        report.accounts.remove(0)
    }

    /// A sync that must go well.
    pub async fn sync_well(&self) -> AccountReport {
        let report = self.sync().await;
        assert!(report.problems.is_empty(), "{:?}", report.problems);
        report
    }

    pub async fn mailbox(&self, path: &str) -> MailboxId {
        let all = self.engine().catalog().mailboxes(None).await.expect("mailboxes");
        let found = all.iter().find(|mailbox| mailbox.name.path == path);
        found.unwrap_or_else(|| panic!("no {path}")).id
    }

    pub async fn rows(&self, path: &str) -> Vec<Row> {
        let view = View::Mailbox(self.mailbox(path).await);
        let page = self.engine().catalog().page(view, PageStart::Newest, 1000).await;
        page.expect("a page").rows
    }

    /// Subjects with flags, sorted, as the window shows them.
    pub async fn here(&self, path: &str) -> Vec<(String, Vec<String>)> {
        let mut all: Vec<_> = self
            .rows(path)
            .await
            .into_iter()
            .map(|row| (row.subject, row.flags.names()))
            .collect();
        all.sort();
        all
    }

    /// The same, as the server holds them.
    pub fn there(&self, path: &str) -> Vec<(String, Vec<String>)> {
        let mut all: Vec<_> = self
            .sandbox
            .messages(path)
            .into_iter()
            .map(|message| (subject_of(&message.raw), message.flags.names()))
            .collect();
        all.sort();
        all
    }

    pub async fn subjects(&self, path: &str) -> Vec<String> {
        self.here(path)
            .await
            .into_iter()
            .map(|(subject, _)| subject)
            .collect()
    }

    pub fn subjects_there(&self, path: &str) -> Vec<String> {
        self.there(path).into_iter().map(|(subject, _)| subject).collect()
    }

    pub async fn find(&self, path: &str, subject: &str) -> MessageId {
        let rows = self.rows(path).await;
        let row = rows.iter().find(|row| row.subject == subject);
        row.unwrap_or_else(|| panic!("no {subject} in {path}")).message
    }

    pub fn deliver(&self, path: &str, number: usize) {
        self.deliver_raw(path, letter(number));
    }

    pub fn deliver_raw(&self, path: &str, raw: Vec<u8>) {
        let message = NewMessage {
            raw,
            flags: Flags::default(),
            internal_date: Timestamp(NOW),
        };
        self.sandbox.add_message(path, message).expect("delivered");
    }

    pub async fn command(&self, command: Command) -> crate::Receipt {
        self.engine().command(command).await.expect("a command")
    }

    /// Every whole message here has exactly bytes that the server served.
    pub async fn assert_bytes(&self, path: &str) {
        let catalog = self.engine().catalog();
        let mut here = Vec::new();
        for row in self.rows(path).await {
            here.push(catalog.raw(row.message).await.expect("readable").expect("whole"));
        }
        let mut there: Vec<Vec<u8>> = self
            .sandbox
            .messages(path)
            .iter()
            .map(|message| message.raw.to_vec())
            .collect();
        here.sort();
        there.sort();
        assert!(
            here == there,
            "bytes differ in {path}: {} here, {} there",
            here.len(),
            there.len()
        );
    }

    /// Waits for something to come true, woken by events.
    pub async fn wait(&self, what: &str, mut is_true: impl AsyncFnMut(&Self) -> bool) {
        let mut events = self.engine().events();
        let deadline = tokio::time::Instant::now() + PATIENCE;
        while !is_true(self).await {
            let event = tokio::time::timeout_at(deadline, events.next());
            assert!(event.await.is_ok(), "waited in vain for: {what}");
        }
    }
}

pub fn letter(number: usize) -> Vec<u8> {
    let hour = number % 24;
    format!(
        "From: Ada <ada@example.org>\r\nTo: you@example.org\r\nSubject: letter {number:04}\r\n\
         Date: Wed, 1 Oct 2025 {hour:02}:00:00 +0000\r\nMessage-ID: <{number}@letters.example.org>\r\n\r\n\
         The text of letter {number}.\r\n"
    )
    .into_bytes()
}

pub fn subject_of(raw: &[u8]) -> String {
    posthorn_mime::parse_header(raw).envelope.subject
}
