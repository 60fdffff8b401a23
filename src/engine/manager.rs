//! The manager: opens the profile, owns the runtime and the actors, takes wishes, and ends everything in order.

use std::collections::BTreeMap;
use std::path::PathBuf;
use std::sync::atomic::{AtomicBool, Ordering};
use std::sync::{Arc, Mutex, PoisonError};
use std::time::Duration;

use posthorn_model::filter::Rule;
use posthorn_model::{
    AccountConfig, AccountId, ErrorClass, MailboxId, MailboxName, MessageId, NetworkPolicy, Problem,
    Protocol, Secret, SecretPlace, SpecialUse, SubmissionId,
};
use posthorn_store::write::{NewMailbox, Write};
use posthorn_store::{Durability, Store};
use tokio::runtime::{Handle, Runtime};

use crate::account::{Actor, Request};
use crate::catalog::Catalog;
use crate::command::{Command, Receipt};
use crate::config::{self, Accounts};
use crate::event::{AccountState, Event};
use crate::filter::file::Rules;
use crate::filter::round;
use crate::forecast::Maildrop;
use crate::hub::Reader;
use crate::invitation::InvitationAnswer;
use crate::link::{self, Network};
use crate::ops::{handover, wish};
use crate::pictures::{self, Fetched, PictureRequest};
use crate::pop3::dry_run;
use crate::problem::Topic;
use crate::profile::{Lock, Paths};
use crate::reading::PartAt;
use crate::reading::settings::Settings;
use crate::report::{Bodies, SyncReport, SyncRequest, TestReport};
use crate::schedule::Extent;
use crate::shared::{Core, Shared};
use crate::unsubscribe::{By, Unsubscribed};
use crate::{
    Error, Options, Outgoing, attachment, index, invitation, outbox, pulse, receipt, setup, unsubscribe,
};

/// How long signing out may take at the end.
const GOODBYE: Duration = Duration::from_secs(2);

/// The mailboxes of an account whose server has none: where they are is here.
const LOCAL_MAILBOXES: [(&str, SpecialUse); 6] = [
    ("Inbox", SpecialUse::Inbox),
    ("Drafts", SpecialUse::Drafts),
    ("Sent", SpecialUse::Sent),
    ("Archive", SpecialUse::Archive),
    ("Junk", SpecialUse::Junk),
    ("Trash", SpecialUse::Trash),
];

/// An open profile.
pub struct Manager {
    core: Shared,
    runtime: Mutex<Option<Runtime>>,
    /// Given back at the end; `None` where the profile is only read.
    lock: Mutex<Option<Lock>>,
    actors: Mutex<BTreeMap<AccountId, Actor>>,
    started: AtomicBool,
    indexer: Mutex<Option<tokio::task::JoinHandle<()>>>,
}

/// A store that nobody has made yet, or an older version's, is made or brought up to date first, where no other
/// instance is about to.
fn open_to_read(paths: &Paths) -> Result<Store, Error> {
    let error = match Store::open_read_only(&paths.data) {
        Ok(store) => return Ok(store),
        Err(error) => error,
    };
    paths.create()?;
    let Ok(_lock) = Lock::take(paths) else {
        return Err(error.into());
    };
    drop(Store::open(&paths.data)?);
    Ok(Store::open_read_only(&paths.data)?)
}

impl Manager {
    /// # Errors
    /// `Config` where another instance writes or the store is of a newer version, `Disk`, `Corrupt`.
    pub fn open(options: Options) -> Result<Self, Error> {
        let paths = Paths::resolve(options.profile.as_deref())?;
        let read_only = options.read_only;
        let lock = if read_only {
            None
        } else {
            paths.create()?;
            Some(Lock::take(&paths)?)
        };
        let accounts = Accounts::load(&paths.config)?;
        let rules = Rules::load(&paths.config)?;
        let reading = Settings::load(&paths.config)?;
        let store = if read_only {
            open_to_read(&paths)?
        } else {
            Store::open(&paths.data)?
        };
        let runtime = tokio::runtime::Builder::new_multi_thread()
            .worker_threads(2)
            .thread_name("posthorn-engine")
            .enable_all()
            .build()
            .map_err(|error| {
                Error::new(
                    ErrorClass::Bug,
                    format!("cannot start the engine's threads: {error}"),
                )
            })?;
        let core = Arc::new(Core::new(
            &options,
            &paths,
            (accounts, rules, reading),
            store,
            runtime.handle().clone(),
        ));
        let manager = Self {
            core,
            lock: Mutex::new(lock),
            actors: Mutex::default(),
            started: AtomicBool::new(false),
            indexer: Mutex::default(),
            runtime: Mutex::new(Some(runtime)),
        };
        if read_only {
            manager.wait_for(recall_network)?;
        } else {
            manager.prepare(&paths)?;
        }
        Ok(manager)
    }

    /// Brings the store in line with the configuration and settles what a crash left open.
    fn prepare(&self, paths: &Paths) -> Result<(), Error> {
        let core = Arc::clone(&self.core);
        crate::spool::clear(&paths.data.join("spool"));
        crate::attachment::clear(&core.opened);
        self.wait_for(prepare_store)?;
        if let Some(trouble) = core.with_rules(|rules| rules.trouble()) {
            core.raise(Topic::Filters(None), &trouble);
        }
        if let Some(trouble) = core.with_reading(|settings| settings.trouble()) {
            core.raise(Topic::Reading, &trouble);
        }
        for notice in core.store.notices() {
            core.raise(Topic::Store, &Error::new(ErrorClass::Corrupt, notice.clone()));
        }
        for id in core.account_ids() {
            self.employ(id);
        }
        let indexer = core.handle.spawn(index::run(Arc::clone(&core)));
        *self.indexer.lock().unwrap_or_else(PoisonError::into_inner) = Some(indexer);
        Ok(())
    }

    /// Runs it on the engine's runtime, and blocks.
    fn wait_for<F>(&self, work: impl FnOnce(Shared) -> F) -> Result<(), Error>
    where
        F: Future<Output = Result<(), Error>> + Send + 'static,
    {
        let (done, waiting) = std::sync::mpsc::channel();
        let work = work(Arc::clone(&self.core));
        self.core.handle.spawn(async move {
            let _ = done.send(work.await);
        });
        waiting
            .recv()
            .map_err(|_| Error::bug("opening the store failed unexpectedly"))?
    }

    /// Starts an account's actor.
    fn employ(&self, id: AccountId) {
        let Some(config) = self.core.config(id) else {
            return;
        };
        let actor = Actor::spawn(&self.core, id, config);
        self.core.set_state(id, AccountState::Ready);
        self.core.listen(id, actor.ends().0);
        if self.started.load(Ordering::SeqCst) {
            actor.tell(Request::Start);
        }
        self.lock_actors().insert(id, actor);
    }

    async fn dismiss(&self, id: AccountId) {
        let actor = self.lock_actors().remove(&id);
        if let Some(actor) = actor {
            actor.stop(GOODBYE).await;
        }
    }

    pub fn handle(&self) -> &Handle {
        &self.core.handle
    }

    pub fn catalog(&self) -> Catalog {
        Catalog::new(Arc::clone(&self.core))
    }

    pub fn subscribe(&self) -> Reader {
        self.core.hub.subscribe(self.core.handle.clone())
    }

    pub fn start(&self) {
        if !self.started.swap(true, Ordering::SeqCst) {
            self.core.handle.spawn(pulse::run(Arc::clone(&self.core)));
            for actor in self.lock_actors().values() {
                actor.tell(Request::Start);
            }
        }
    }

    pub fn problems(&self) -> Vec<Problem> {
        self.core.problems.list()
    }

    pub fn network(&self) -> Network {
        self.core.network()
    }

    pub fn states(&self) -> Vec<(AccountId, AccountState)> {
        self.core.states().into_iter().collect()
    }

    pub async fn command(&self, command: Command) -> Result<Receipt, Error> {
        self.refuse_reading()?;
        let outcome = wish::perform(&self.core, command).await?;
        let receipt = outcome.receipt.clone();
        self.tell(outcome);
        Ok(receipt)
    }

    /// Wakes whom a wish concerns.
    fn tell(&self, outcome: wish::Outcome) {
        let actors = self.lock_actors();
        for account in outcome.wake {
            if let Some(actor) = actors.get(&account) {
                actor.tell(Request::Wake);
            }
        }
        for account in outcome.check {
            if let Some(actor) = actors.get(&account) {
                actor.tell(Request::Check);
            }
        }
        for account in outcome.send {
            if let Some(actor) = actors.get(&account) {
                actor.wake_outbox();
            }
        }
        if let Some((account, message)) = outcome.fetch
            && let Some(actor) = actors.get(&account)
        {
            actor.fetch_body(message);
        }
    }

    pub async fn send(&self, outgoing: Outgoing) -> Result<SubmissionId, Error> {
        self.refuse_reading()?;
        let account = outgoing.account;
        let id = outbox::submit::accept(&self.core, outgoing).await?;
        if let Some(actor) = self.lock_actors().get(&account) {
            actor.wake_outbox();
        }
        Ok(id)
    }

    pub async fn sync(&self, request: SyncRequest) -> Result<SyncReport, Error> {
        self.refuse_reading()?;
        let ids = if request.accounts.is_empty() {
            self.core.account_ids()
        } else {
            request.accounts
        };
        let extent = if request.push_only {
            Extent::Operations
        } else {
            Extent::All
        };
        let mut report = self.run_all(&ids, &extent, request.bodies).await?;
        // What went to another account may now be removed from the one that had it.
        let released = self.released(&ids).await?;
        let more = self
            .run_all(&released, &Extent::Operations, request.bodies)
            .await?;
        for (id, after) in released.iter().zip(more.accounts) {
            let place = ids.iter().position(|known| known == id);
            if let Some(account) = place.and_then(|place| report.accounts.get_mut(place)) {
                account.add(after);
            }
        }
        Ok(report)
    }

    /// One pass over each of them, side by side; the reports stand in their order.
    async fn run_all(&self, ids: &[AccountId], extent: &Extent, bodies: Bodies) -> Result<SyncReport, Error> {
        let mut running = Vec::new();
        for id in ids {
            let ends = self.lock_actors().get(id).map(Actor::ends);
            let (requests, outbox) = ends.ok_or_else(|| Error::config("there is no such account"))?;
            running.push(tokio::spawn(Actor::sync(
                requests,
                outbox,
                extent.clone(),
                bodies,
            )));
        }
        let mut report = SyncReport::default();
        for task in running {
            let ended = task
                .await
                .map_err(|_| Error::bug("the sync failed unexpectedly"))?;
            report.accounts.push(ended?);
        }
        Ok(report)
    }

    /// Those of the accounts whose messages another account has taken over meanwhile.
    async fn released(&self, ids: &[AccountId]) -> Result<Vec<AccountId>, Error> {
        let all = self.core.store.operations(None).await?;
        let mut ready = Vec::new();
        for id in ids {
            let mut own = all.iter().filter(|operation| operation.account == *id);
            if own.any(|operation| handover::is_released(operation, &all)) {
                ready.push(*id);
            }
        }
        Ok(ready)
    }

    pub async fn add_account(
        &self,
        config: AccountConfig,
        secret: Option<Secret>,
    ) -> Result<AccountId, Error> {
        self.refuse_reading()?;
        config::check(&config)?;
        let place = config.secrets;
        let id = self.core.with_accounts(|accounts| accounts.add(config))?;
        let kept = async {
            if let Some(secret) = secret {
                self.core.secrets.save(place, id, secret).await?;
            }
            put_account(&self.core, id).await
        };
        if let Err(error) = kept.await {
            // As if nothing had been asked for: an account that cannot sign in would only puzzle.
            let _ = self.core.with_accounts(|accounts| accounts.remove(id));
            return Err(explain_place(error, place));
        }
        self.employ(id);
        self.core.hub.publish(&Event::AccountsChanged);
        Ok(id)
    }

    pub async fn update_account(
        &self,
        id: AccountId,
        config: AccountConfig,
        secret: Option<Secret>,
    ) -> Result<(), Error> {
        self.refuse_reading()?;
        let old = self.core.config(id);
        let old = old.ok_or_else(|| Error::config("there is no such account"))?;
        let place = config.secrets;
        let secret = match secret {
            None if old.secrets != place => self.core.secrets.load(old.secrets, id).await?,
            secret => secret,
        };
        if let Some(secret) = secret {
            let saved = self.core.secrets.save(place, id, secret).await;
            saved.map_err(|error| explain_place(error, place))?;
        }
        self.core.with_accounts(|accounts| accounts.update(id, config))?;
        if old.secrets != place {
            let _ = self.core.secrets.remove(old.secrets, id).await;
        }
        put_account(&self.core, id).await?;
        self.dismiss(id).await;
        self.core.problems.forget(id);
        self.employ(id);
        self.core.hub.publish(&Event::AccountsChanged);
        self.core.hub.publish(&Event::ProblemsChanged);
        Ok(())
    }

    pub async fn remove_account(&self, id: AccountId) -> Result<(), Error> {
        self.refuse_reading()?;
        let config = self.core.config(id);
        let config = config.ok_or_else(|| Error::config("there is no such account"))?;
        self.dismiss(id).await;
        self.core.with_accounts(|accounts| accounts.remove(id))?;
        self.core
            .apply(id, vec![Write::RemoveAccount(id)], Durability::Full)
            .await?;
        if let Err(error) = self.core.secrets.remove(config.secrets, id).await {
            log::warn!("The secret of a removed account could not be removed: {error}.");
        }
        self.core.problems.forget(id);
        self.core.forget_state(id);
        self.core.hub.publish(&Event::AccountsChanged);
        self.core.hub.publish(&Event::ProblemsChanged);
        Ok(())
    }

    pub async fn finish_index(&self) -> Result<(), Error> {
        self.refuse_reading()?;
        index::finish(&self.core).await
    }

    pub async fn put_filters(&self, rules: Vec<Rule>) -> Result<(), Error> {
        self.refuse_reading()?;
        round::check_targets(&self.core, &rules).await?;
        self.core.with_rules(|known| known.replace(rules))
    }

    pub async fn run_filters(&self, mailbox: MailboxId) -> Result<round::Run, Error> {
        self.refuse_reading()?;
        let (run, outcome) = round::run(&self.core, mailbox, true).await?;
        self.tell(outcome);
        Ok(run)
    }

    /// Works for readers too: nothing is changed.
    pub async fn fetch_pictures(
        &self,
        request: PictureRequest,
        given_up: Arc<AtomicBool>,
    ) -> Result<Fetched, Error> {
        pictures::fetch_for(&self.core, request, given_up).await
    }

    pub async fn unsubscribe(&self, message: MessageId, by: By) -> Result<Unsubscribed, Error> {
        self.refuse_reading()?;
        let done = unsubscribe::perform(&self.core, message, by).await?;
        if let Unsubscribed::Queued { .. } = &done {
            self.wake_all();
        }
        Ok(done)
    }

    pub async fn send_receipt(&self, message: MessageId, words: &str) -> Result<SubmissionId, Error> {
        self.refuse_reading()?;
        let id = receipt::send(&self.core, message, words).await?;
        self.wake_all();
        Ok(id)
    }

    pub async fn decline_receipt(&self, message: MessageId) -> Result<(), Error> {
        self.refuse_reading()?;
        receipt::decline(&self.core, message).await?;
        self.wake_all();
        Ok(())
    }

    pub async fn answer_invitation(&self, answer: InvitationAnswer) -> Result<SubmissionId, Error> {
        self.refuse_reading()?;
        let id = invitation::answer(&self.core, answer).await?;
        self.wake_all();
        Ok(id)
    }

    pub async fn open_part(&self, at: PartAt, caution: attachment::Caution) -> Result<PathBuf, Error> {
        attachment::open(&self.core, at, caution).await
    }

    pub async fn hand_out_part(&self, at: PartAt) -> Result<PathBuf, Error> {
        attachment::hand_out(&self.core, at).await
    }

    pub async fn hand_out_message(&self, id: MessageId, name: String) -> Result<PathBuf, Error> {
        attachment::hand_out_message(&self.core, id, &name).await
    }

    /// Those with nothing to send or to tell their server go back to sleep.
    fn wake_all(&self) {
        for actor in self.lock_actors().values() {
            actor.wake_outbox();
            actor.tell(Request::Wake);
        }
    }

    /// Works for readers too: nothing is changed.
    pub async fn look_at_maildrop(&self, account: AccountId) -> Result<Maildrop, Error> {
        dry_run::look(&self.core, account).await
    }

    pub async fn test_account(&self, config: AccountConfig, secret: Option<Secret>) -> TestReport {
        setup::test(&self.core, &config, secret).await
    }

    /// Stops commands, lets the actors finish their step, signs out, drains the writer, gives back the lock.
    pub async fn shutdown(&self) {
        self.core.stop.send_replace(true);
        let actors = std::mem::take(&mut *self.lock_actors());
        let stopping: Vec<_> = actors
            .into_values()
            .map(|actor| tokio::spawn(actor.stop(GOODBYE)))
            .collect();
        for actor in stopping {
            let _ = actor.await;
        }
        let indexer = self.indexer.lock().unwrap_or_else(PoisonError::into_inner).take();
        if let Some(indexer) = indexer {
            let _ = indexer.await;
        }
        self.core.store.drain().await;
        self.core.hub.close();
        self.lock.lock().unwrap_or_else(PoisonError::into_inner).take();
    }

    fn refuse_reading(&self) -> Result<(), Error> {
        if self.core.read_only {
            return Err(Error::config("this profile is open for reading only"));
        }
        if self.core.is_stopping() {
            return Err(Error::stopped());
        }
        Ok(())
    }

    fn lock_actors(&self) -> std::sync::MutexGuard<'_, BTreeMap<AccountId, Actor>> {
        self.actors.lock().unwrap_or_else(PoisonError::into_inner)
    }
}

impl Drop for Manager {
    fn drop(&mut self) {
        // Without a shutdown this is a crash as far as the store is concerned, which it survives. A runtime must
        // not be dropped where waiting is forbidden: let its threads end by themselves.
        self.core.stop.send_replace(true);
        let runtime = self.runtime.lock().unwrap_or_else(PoisonError::into_inner).take();
        if let Some(runtime) = runtime {
            runtime.shutdown_background();
        }
    }
}

/// What the user last said of the network.
async fn recall_network(core: Shared) -> Result<(), Error> {
    let kept = core.store.setting(link::NETWORK).await?;
    if let Some(chosen) = kept.and_then(|name| NetworkPolicy::parse(&name)) {
        core.set_network(|network| network.chosen = chosen);
    }
    Ok(())
}

async fn prepare_store(core: Shared) -> Result<(), Error> {
    recall_network(Arc::clone(&core)).await?;
    for id in core.account_ids() {
        put_account(&core, id).await?;
    }
    if core.store.rebuild_wanted() {
        let rebuilt = core.store.rebuild(Arc::new(crate::intake::reading)).await?;
        log::warn!(
            "The index was made again from {} stored messages; {} could not be read back.",
            rebuilt.messages,
            rebuilt.unreadable
        );
    }
    outbox::submit::settle_after_restart(&core).await
}

/// The account's row, and the mailboxes of one whose server has none.
async fn put_account(core: &Shared, id: AccountId) -> Result<(), Error> {
    let Some(config) = core.config(id) else {
        return Ok(());
    };
    let known = core.store.accounts().await?;
    let current = known
        .iter()
        .any(|row| row.id == id && row.name == config.name && row.protocol == config.protocol);
    let mut writes = Vec::new();
    if !current {
        writes.push(Write::PutAccount {
            id,
            name: config.name.clone(),
            protocol: config.protocol,
        });
    }
    if config.protocol == Protocol::Pop3 {
        let there = core.store.mailboxes(Some(id)).await?;
        for (path, purpose) in LOCAL_MAILBOXES {
            let name = MailboxName::local(path);
            if there
                .iter()
                .any(|mailbox| mailbox.name.path == path && mailbox.special_use == Some(purpose))
            {
                continue;
            }
            let known = there.iter().find(|mailbox| mailbox.name == name);
            writes.push(Write::PutMailbox(NewMailbox {
                id: known.map_or_else(|| core.store.new_mailbox_id(), |mailbox| mailbox.id),
                account: id,
                name,
                delimiter: Some('/'),
                special_use: Some(purpose),
                selectable: true,
                subscribed: true,
                local: true,
            }));
        }
    }
    core.apply(id, writes, Durability::Full).await?;
    Ok(())
}

fn explain_place(error: Error, place: SecretPlace) -> Error {
    match place {
        SecretPlace::Keychain => Error {
            message: format!(
                "{}; without a keychain, keep the password in the sealed file (--secrets file) or for this session only (--secrets session)",
                error.message
            ),
            ..error
        },
        SecretPlace::File | SecretPlace::Session => error,
    }
}
