//! What everything in the engine shares: the store, the way to servers, secrets, the time, events and problems.

use std::collections::{BTreeMap, BTreeSet};
use std::path::PathBuf;
use std::sync::atomic::{AtomicUsize, Ordering};
use std::sync::{Arc, Mutex, OnceLock, PoisonError};
use std::time::Duration;

use posthorn_mime::Trusted;
use posthorn_model::{AccountConfig, AccountId, AuthMethod, ErrorClass, MailboxId, NetworkPolicy, Timestamp};
use posthorn_net::{Credentials, DialOptions, Dialer, Web, WebRules};
use posthorn_store::write::Write;
use posthorn_store::{Changes, Durability, Store};
use tokio::runtime::Handle;
use tokio::sync::{MutexGuard, watch};

use crate::clock::Clock;
use crate::config::Accounts;
use crate::event::{AccountState, Doing, Event};
use crate::filter::file::Rules;
use crate::hub::Hub;
use crate::intake::Desk;
use crate::link::Network;
use crate::pictures::Cache;
use crate::problem::{Problems, Topic};
use crate::profile::Paths;
use crate::reading::settings::Settings;
use crate::secrets::Secrets;
use crate::{Error, Options};

/// Shared by the face, the actors and their helpers.
pub struct Core {
    pub store: Store,
    pub secrets: Secrets,
    pub clock: Clock,
    pub hub: Hub,
    pub problems: Problems,
    pub handle: Handle,
    pub read_only: bool,
    accounts: Mutex<Accounts>,
    rules: Mutex<Rules>,
    reading: Mutex<Settings>,
    pictures: Mutex<Cache>,
    /// Whose authentication results count, as learnt since the start; with the host and address it was learnt for.
    trust: Mutex<BTreeMap<AccountId, (String, String, Trusted)>>,
    states: Mutex<BTreeMap<AccountId, AccountState>>,
    /// By which one account's work tells another that its turn has come.
    wakers: Mutex<BTreeMap<AccountId, tokio::sync::mpsc::UnboundedSender<crate::account::Request>>>,
    /// Held while something is read, decided and written: a user's change made between the reading and the
    /// writing would be lost otherwise. Never held across the network.
    local: tokio::sync::Mutex<()>,
    /// Maildrops that accounts here share: a maildrop admits one session (RFC 1939, section 8).
    maildrops: Mutex<BTreeMap<String, Arc<tokio::sync::Mutex<()>>>>,
    pub stop: watch::Sender<bool>,
    /// Mailboxes that somebody has looked at since the start.
    visited: Mutex<BTreeSet<MailboxId>>,
    /// What the network may be used for.
    network: watch::Sender<Network>,
    /// Counts how often the machine woke or its way to the network changed: connections made before are dead.
    moves: watch::Sender<u64>,
    /// How many [`Incoming`]s live.
    incoming: AtomicUsize,
    /// Something waits for the search index.
    pub unindexed: tokio::sync::Notify,
    /// Where what comes in is taken apart.
    pub desk: Desk,
    /// Held by whoever takes a step of the search index.
    pub indexing: tokio::sync::Mutex<()>,
    ca_file: Option<PathBuf>,
    imap_without: Vec<String>,
    spool: PathBuf,
    dialer: OnceLock<Dialer>,
    /// Attachments that were handed to other programs.
    pub opened: PathBuf,
    web_rules: WebRules,
    web: OnceLock<Web>,
}

/// Bodies are being fetched or written while this lives: what can wait, waits.
pub struct Incoming(Shared);

impl Incoming {
    pub fn begin(core: &Shared) -> Self {
        core.incoming.fetch_add(1, Ordering::Relaxed);
        Self(Arc::clone(core))
    }
}

impl Drop for Incoming {
    fn drop(&mut self) {
        self.0.incoming.fetch_sub(1, Ordering::Relaxed);
    }
}

impl Core {
    pub fn takes_mail_in(&self) -> bool {
        self.incoming.load(Ordering::Relaxed) > 0
    }

    pub fn new(
        options: &Options,
        paths: &Paths,
        (accounts, rules, reading): (Accounts, Rules, Settings),
        store: Store,
        handle: Handle,
    ) -> Self {
        let tag = paths.data.display().to_string();
        Self {
            store,
            secrets: Secrets::new(paths.data.clone(), tag, options.secrets_key.clone()),
            clock: options.clock.clone(),
            hub: Hub::default(),
            problems: Problems::default(),
            handle,
            read_only: options.read_only,
            accounts: Mutex::new(accounts),
            rules: Mutex::new(rules),
            reading: Mutex::new(reading),
            pictures: Mutex::default(),
            trust: Mutex::default(),
            states: Mutex::default(),
            wakers: Mutex::default(),
            local: tokio::sync::Mutex::default(),
            maildrops: Mutex::default(),
            stop: watch::Sender::new(false),
            visited: Mutex::default(),
            network: watch::Sender::default(),
            moves: watch::Sender::default(),
            incoming: AtomicUsize::new(0),
            unindexed: tokio::sync::Notify::new(),
            desk: Desk::default(),
            indexing: tokio::sync::Mutex::default(),
            ca_file: options.ca_file.clone(),
            imap_without: options.imap_without.clone(),
            spool: paths.data.join("spool"),
            dialer: OnceLock::new(),
            opened: paths.run.join("opened"),
            web_rules: options.web.clone(),
            web: OnceLock::new(),
        }
    }

    pub fn now(&self) -> Timestamp {
        self.clock.now()
    }

    /// The right to sign in to this account's maildrop: two accounts here must not lock each other out.
    pub async fn take_maildrop(&self, config: &AccountConfig) -> tokio::sync::OwnedMutexGuard<()> {
        let name = format!("{}/{}", config.incoming, config.username).to_lowercase();
        let turn = {
            let mut maildrops = self.maildrops.lock().unwrap_or_else(PoisonError::into_inner);
            Arc::clone(maildrops.entry(name).or_default())
        };
        turn.lock_owned().await
    }

    /// Where parts of large messages wait for the rest.
    pub fn partial_dir(&self) -> PathBuf {
        crate::spool::partial(&self.spool)
    }

    /// The way to an account's servers. Trust roots are read when a server is first needed.
    pub async fn dialer(&self, config: &AccountConfig) -> Result<Dialer, Error> {
        if self.dialer.get().is_none() {
            let options = DialOptions {
                ca_file: self.ca_file.clone(),
                connect_timeout: Duration::from_secs(20),
                read_timeout: Duration::from_secs(60),
                allow_cleartext: false,
                spool_dir: self.spool.clone(),
                memory_limit: 1 << 20,
                without: self.imap_without.clone(),
            };
            let made = tokio::task::spawn_blocking(move || {
                std::fs::create_dir_all(&options.spool_dir)
                    .map_err(|error| crate::profile::disk(&options.spool_dir, "create", &error))?;
                Dialer::new(options).map_err(Error::from)
            });
            let made = made
                .await
                .map_err(|_| Error::bug("reading the trust roots failed"))??;
            let _ = self.dialer.set(made);
        }
        let dialer = self.dialer.get();
        let dialer = dialer.ok_or_else(|| Error::bug("no way to reach servers"))?;
        let dialer = dialer.with_cleartext(config.allow_cleartext);
        let Some(own) = config.client_certificate.clone() else {
            return Ok(dialer);
        };
        let reading = tokio::task::spawn_blocking(move || dialer.with_client_certificate(&own));
        let certified = reading.await;
        Ok(certified.map_err(|_| Error::bug("reading the account's certificate failed"))??)
    }

    /// The way to an account's servers, and what to show there. Beside each other: trust roots lie in hundreds of files,
    /// and a sealed secret takes its time by design.
    ///
    /// # Errors
    /// `Auth` where there is no secret; what the place of secrets says.
    pub async fn sign_in(
        &self,
        id: AccountId,
        config: &AccountConfig,
    ) -> Result<(Dialer, Credentials), Error> {
        tokio::try_join!(self.dialer(config), self.credentials(id, config))
    }

    /// # Errors
    /// `Auth` where there is no secret; what the place of secrets says.
    pub async fn credentials(&self, id: AccountId, config: &AccountConfig) -> Result<Credentials, Error> {
        if config.auth == AuthMethod::External {
            return Ok(Credentials::Certificate {
                username: config.username.clone(),
            });
        }
        let secret = self.secrets.load(config.secrets, id).await?;
        let secret = secret.ok_or_else(|| Error {
            remedies: vec![posthorn_model::Remedy::EnterPassword],
            ..Error::new(
                ErrorClass::Auth,
                format!("the password of {} is not known", config.name),
            )
        })?;
        Ok(credentials_with(config, secret))
    }

    /// The right to read, decide and write without anyone in between.
    pub async fn local(&self) -> MutexGuard<'_, ()> {
        self.local.lock().await
    }

    /// One transaction, then its events.
    pub async fn apply(
        &self,
        account: AccountId,
        writes: Vec<Write>,
        durability: Durability,
    ) -> Result<Changes, Error> {
        if writes.is_empty() {
            return Ok(Changes::default());
        }
        let changes = self.store.apply(writes, durability).await?;
        self.announce(account, &changes);
        Ok(changes)
    }

    fn announce(&self, account: AccountId, changes: &Changes) {
        if !changes.messages.is_empty() {
            self.unindexed.notify_one();
        }
        if !changes.mailboxes.is_empty() {
            self.hub.publish(&Event::MailboxesChanged { account });
            let few = changes.messages.len() <= 200;
            self.hub.publish(&Event::MessagesChanged {
                mailboxes: changes.mailboxes.iter().copied().collect(),
                messages: if few { changes.messages.clone() } else { Vec::new() },
            });
        }
        if changes.operations {
            self.hub.publish(&Event::OperationsChanged);
        }
        if changes.outbox {
            self.hub.publish(&Event::OutboxChanged);
        }
    }

    /// From now on this end hears of what waits for the account.
    pub fn listen(&self, id: AccountId, end: tokio::sync::mpsc::UnboundedSender<crate::account::Request>) {
        let mut wakers = self.wakers.lock().unwrap_or_else(PoisonError::into_inner);
        wakers.insert(id, end);
    }

    /// Operations of this account can go ahead.
    pub fn nudge(&self, id: AccountId) {
        let wakers = self.wakers.lock().unwrap_or_else(PoisonError::into_inner);
        if let Some(end) = wakers.get(&id) {
            // An account that has stopped looks at its operations when it starts.
            let _ = end.send(crate::account::Request::Wake);
        }
    }

    pub fn with_accounts<T>(&self, act: impl FnOnce(&mut Accounts) -> T) -> T {
        act(&mut self.accounts.lock().unwrap_or_else(PoisonError::into_inner))
    }

    pub fn with_rules<T>(&self, act: impl FnOnce(&mut Rules) -> T) -> T {
        act(&mut self.rules.lock().unwrap_or_else(PoisonError::into_inner))
    }

    pub fn with_reading<T>(&self, act: impl FnOnce(&mut Settings) -> T) -> T {
        act(&mut self.reading.lock().unwrap_or_else(PoisonError::into_inner))
    }

    pub(crate) fn with_pictures<T>(&self, act: impl FnOnce(&mut Cache) -> T) -> T {
        act(&mut self.pictures.lock().unwrap_or_else(PoisonError::into_inner))
    }

    /// What was learnt of an account as it is set up now.
    pub fn trust(&self, id: AccountId, host: &str, email: &str) -> Option<Trusted> {
        let learnt = self.trust.lock().unwrap_or_else(PoisonError::into_inner);
        let (of_host, of_email, trusted) = learnt.get(&id)?;
        (of_host == host && of_email == email).then(|| trusted.clone())
    }

    pub fn learn_trust(&self, id: AccountId, host: &str, email: &str, trusted: &Trusted) {
        let mut learnt = self.trust.lock().unwrap_or_else(PoisonError::into_inner);
        learnt.insert(id, (host.to_owned(), email.to_owned(), trusted.clone()));
    }

    /// The way to web servers. Trust roots are read when one is first needed.
    pub async fn web(&self) -> Result<Web, Error> {
        if self.web.get().is_none() {
            let (ca_file, rules) = (self.ca_file.clone(), self.web_rules.clone());
            let made = tokio::task::spawn_blocking(move || Web::new(ca_file.as_deref(), rules));
            let made = made
                .await
                .map_err(|_| Error::bug("reading the trust roots failed"))??;
            let _ = self.web.set(made);
        }
        let web = self.web.get().cloned();
        web.ok_or_else(|| Error::bug("no way to reach web servers"))
    }

    pub fn config(&self, id: AccountId) -> Option<AccountConfig> {
        self.with_accounts(|accounts| accounts.find(id).cloned())
    }

    pub fn account_ids(&self) -> Vec<AccountId> {
        self.with_accounts(|accounts| accounts.iter().map(|(id, _)| id).collect())
    }

    pub fn set_state(&self, account: AccountId, state: AccountState) {
        let old = self.lock_states().insert(account, state);
        if old != Some(state) {
            self.hub.publish(&Event::StateChanged { account, state });
        }
    }

    pub fn forget_state(&self, account: AccountId) {
        self.lock_states().remove(&account);
    }

    pub fn states(&self) -> BTreeMap<AccountId, AccountState> {
        self.lock_states().clone()
    }

    fn lock_states(&self) -> std::sync::MutexGuard<'_, BTreeMap<AccountId, AccountState>> {
        self.states.lock().unwrap_or_else(PoisonError::into_inner)
    }

    pub fn raise(&self, topic: Topic, error: &Error) {
        log::warn!(
            "A problem: {topic:?}: {} ({}).",
            error.message,
            error.class.name()
        );
        if self.problems.raise(topic, error, self.now()) {
            self.hub.publish(&Event::ProblemsChanged);
        }
    }

    pub fn clear(&self, topic: Topic) {
        self.clear_where(|known| known == topic);
    }

    pub fn clear_where(&self, gone: impl Fn(Topic) -> bool) {
        if self.problems.drop_where(gone) {
            self.hub.publish(&Event::ProblemsChanged);
        }
    }

    pub fn progress(&self, account: AccountId, doing: Doing, done: u64, total: u64) {
        self.hub.publish(&Event::Progress {
            account,
            doing,
            done,
            total,
        });
    }

    /// Somebody looks at this mailbox: its news matter.
    pub fn visit(&self, mailbox: MailboxId) {
        self.lock_visited().insert(mailbox);
    }

    pub fn visited(&self) -> BTreeSet<MailboxId> {
        self.lock_visited().clone()
    }

    fn lock_visited(&self) -> std::sync::MutexGuard<'_, BTreeSet<MailboxId>> {
        self.visited.lock().unwrap_or_else(PoisonError::into_inner)
    }

    pub fn network(&self) -> Network {
        *self.network.borrow()
    }

    /// What holds now: the user's word, and the system's.
    pub fn policy(&self) -> NetworkPolicy {
        self.network().in_effect()
    }

    pub fn is_offline(&self) -> bool {
        self.policy() == NetworkPolicy::Offline
    }

    /// Takes the user's word for this run, or the system's. Returns what held before.
    pub fn set_network(&self, change: impl FnOnce(&mut Network)) -> Network {
        let old = self.network();
        let changed = self.network.send_if_modified(|network| {
            change(network);
            *network != old
        });
        if changed {
            let (chosen, policy) = (self.network().chosen, self.policy());
            log::info!("The network is {} now.", policy.name());
            self.hub.publish(&Event::NetworkChanged { chosen, policy });
        }
        old
    }

    /// What the network may be used for, as it changes.
    pub fn watch_network(&self) -> watch::Receiver<Network> {
        self.network.subscribe()
    }

    /// Completes when, or at once where, nothing may use the network.
    pub async fn went_offline(&self) {
        let mut network = self.network.subscribe();
        let offline = |network: &Network| network.in_effect() == NetworkPolicy::Offline;
        if network.wait_for(offline).await.is_err() {
            std::future::pending().await
        }
    }

    /// Changes whenever connections that were made before are to be given up: the machine slept, or its way to the
    /// network is another.
    pub fn watch_moves(&self) -> watch::Receiver<u64> {
        self.moves.subscribe()
    }

    pub fn note_move(&self) {
        self.moves.send_modify(|count| *count = count.wrapping_add(1));
    }

    pub fn is_stopping(&self) -> bool {
        *self.stop.borrow()
    }

    /// Completes when the engine shuts down.
    pub async fn stopped(&self) {
        let mut stop = self.stop.subscribe();
        // An error means that the sender is gone, which is the same.
        let _ = stop.wait_for(|stop| *stop).await;
    }

    /// One random byte, to spread retries. Never for anything secret.
    pub fn chance() -> u8 {
        let mut byte = [0];
        let _ = getrandom::fill(&mut byte);
        let [byte] = byte;
        byte
    }
}

/// What signs in with this secret.
pub fn credentials_with(config: &AccountConfig, secret: posthorn_model::Secret) -> Credentials {
    let username = config.username.clone();
    match config.auth {
        AuthMethod::Password => Credentials::Password {
            username,
            password: secret,
        },
        AuthMethod::OAuth => Credentials::Bearer {
            username,
            token: secret,
        },
        AuthMethod::External => Credentials::Certificate { username },
    }
}

/// `Arc` for short: everything holds it.
pub type Shared = Arc<Core>;
