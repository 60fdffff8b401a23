//! The window's only way to the engine: owned values in, owned values out, every answer awaited.
//!
//! [`Face`] is what the window needs of an engine; the engine has it, and so do fakes with real state behind.

pub mod demo;

use std::path::PathBuf;
use std::pin::Pin;
use std::sync::Arc;

use iced::futures::stream::{self, BoxStream, StreamExt};
use posthorn_engine::attachment::Caution;
use posthorn_engine::catalog::{Account, Hits, Mailbox, Page, Row, Submission};
use posthorn_engine::forecast::Maildrop;
use posthorn_engine::invitation::InvitationAnswer;
use posthorn_engine::pictures::{Fetched, PictureRequest};
use posthorn_engine::reading::PartAt;
use posthorn_engine::report::TestReport;
use posthorn_engine::unsubscribe::{By, Unsubscribed};
use posthorn_engine::{
    AccountState, Command, Engine, Error, Event, Network, Options, Outgoing, Reading, Receipt,
};
use posthorn_model::query::{PageStart, View};
use posthorn_model::{
    AccountConfig, AccountId, Appearance, MessageId, Problem, Secret, SubmissionId, ThreadId,
};

/// What the engine will say.
pub type Answer<T> = Pin<Box<dyn Future<Output = Result<T, Error>> + Send>>;

/// An engine as the window sees it. No method blocks; none waits for the network to read.
pub trait Face: Send + Sync {
    fn accounts(&self) -> Answer<Vec<Account>>;
    fn mailboxes(&self) -> Answer<Vec<Mailbox>>;
    fn page(&self, view: View, start: PageStart, limit: u32) -> Answer<Page>;
    /// One message with everything that reading needs.
    fn reading(&self, id: MessageId) -> Answer<Option<Reading>>;
    /// A message inside another one.
    fn nested(&self, at: PartAt) -> Answer<Option<Reading>>;
    fn thread(&self, id: ThreadId) -> Answer<Vec<Row>>;
    fn raw(&self, id: MessageId) -> Answer<Option<Vec<u8>>>;
    fn part(&self, at: PartAt) -> Answer<Option<Vec<u8>>>;
    /// Hands an attachment to another program.
    fn open_part(&self, at: PartAt, caution: Caution) -> Answer<PathBuf>;
    /// Writes an attachment where nobody else reads, to be taken elsewhere.
    fn hand_out_part(&self, at: PartAt) -> Answer<PathBuf>;
    /// As above: a message as it came, as `name`.eml.
    fn hand_out_message(&self, id: MessageId, name: String) -> Answer<PathBuf>;
    /// Pictures on servers, as far as this message may have them.
    fn fetch_pictures(&self, request: PictureRequest) -> Answer<Fetched>;
    fn unsubscribe(&self, message: MessageId, by: By) -> Answer<Unsubscribed>;
    /// Tells a sender that the message was read; `words` are what people see of it.
    fn send_receipt(&self, message: MessageId, words: String) -> Answer<SubmissionId>;
    fn decline_receipt(&self, message: MessageId) -> Answer<()>;
    fn answer_invitation(&self, answer: InvitationAnswer) -> Answer<SubmissionId>;
    fn search(&self, query: String, limit: u32) -> Answer<Hits>;
    fn outbox(&self) -> Answer<Vec<Submission>>;
    /// What a POP3 account's server holds, as far as the last check told, and what the ledger remembers.
    fn maildrop(&self, account: AccountId) -> Answer<Maildrop>;
    fn problems(&self) -> Answer<Vec<Problem>>;
    fn states(&self) -> Answer<Vec<(AccountId, AccountState)>>;
    fn network(&self) -> Answer<Network>;
    fn appearance(&self) -> Answer<Appearance>;
    fn command(&self, command: Command) -> Answer<Receipt>;
    fn send(&self, outgoing: Outgoing) -> Answer<SubmissionId>;
    fn add_account(&self, config: AccountConfig, secret: Option<Secret>) -> Answer<AccountId>;
    fn update_account(&self, id: AccountId, config: AccountConfig, secret: Option<Secret>) -> Answer<()>;
    fn remove_account(&self, id: AccountId) -> Answer<()>;
    fn test_account(&self, config: AccountConfig, secret: Option<Secret>) -> Answer<TestReport>;
    fn events(&self) -> BoxStream<'static, Event>;
    fn shutdown(&self) -> Answer<()>;
}

/// The window's handle to an engine.
pub type Bridge = Arc<dyn Face>;

/// Opens the profile and starts its accounts. Blocks: for a thread of its own.
///
/// # Errors
/// As [`Engine::open`].
pub fn open(options: Options) -> Result<Bridge, Error> {
    let engine = Engine::open(options)?;
    engine.start();
    Ok(Arc::new(engine))
}

/// Runs what blocks on a thread of its own.
pub async fn aside<T: Send + 'static>(work: impl FnOnce() -> T + Send + 'static) -> Result<T, Error> {
    // Tests drive tasks by hand: what follows from a message follows at once.
    if cfg!(test) {
        return Ok(work());
    }
    elsewhere(work).await
}

/// Nothing for a while.
pub async fn pause(time: std::time::Duration) {
    // Where the system has no thread left, nobody can wait.
    let _ = elsewhere(move || std::thread::sleep(time)).await;
}

async fn elsewhere<T: Send + 'static>(work: impl FnOnce() -> T + Send + 'static) -> Result<T, Error> {
    let (sender, receiver) = iced::futures::channel::oneshot::channel();
    let spawned = std::thread::Builder::new().name("aside".into()).spawn(move || {
        // The window may have gone meanwhile: nobody waits for the result then.
        let _ = sender.send(work());
    });
    if spawned.is_err() {
        return Err(Error::bug("the system has no thread left"));
    }
    receiver
        .await
        .map_err(|_| Error::bug("a background step ended without a result"))
}

macro_rules! ask {
    ($catalog:expr, $method:ident($($argument:expr),*)) => {{
        let catalog = $catalog;
        Box::pin(async move { catalog.$method($($argument),*).await })
    }};
}

impl Face for Engine {
    fn accounts(&self) -> Answer<Vec<Account>> {
        ask!(self.catalog(), accounts())
    }

    fn mailboxes(&self) -> Answer<Vec<Mailbox>> {
        ask!(self.catalog(), mailboxes(None))
    }

    fn page(&self, view: View, start: PageStart, limit: u32) -> Answer<Page> {
        ask!(self.catalog(), page(view, start, limit))
    }

    fn reading(&self, id: MessageId) -> Answer<Option<Reading>> {
        ask!(self.catalog(), reading(id))
    }

    fn nested(&self, at: PartAt) -> Answer<Option<Reading>> {
        ask!(self.catalog(), nested(at))
    }

    fn thread(&self, id: ThreadId) -> Answer<Vec<Row>> {
        ask!(self.catalog(), thread(id))
    }

    fn raw(&self, id: MessageId) -> Answer<Option<Vec<u8>>> {
        ask!(self.catalog(), raw(id))
    }

    fn part(&self, at: PartAt) -> Answer<Option<Vec<u8>>> {
        ask!(self.catalog(), part_at(at))
    }

    fn open_part(&self, at: PartAt, caution: Caution) -> Answer<PathBuf> {
        let engine = self.clone();
        Box::pin(async move { engine.open_part(at, caution).await })
    }

    fn hand_out_part(&self, at: PartAt) -> Answer<PathBuf> {
        let engine = self.clone();
        Box::pin(async move { engine.hand_out_part(at).await })
    }

    fn hand_out_message(&self, id: MessageId, name: String) -> Answer<PathBuf> {
        let engine = self.clone();
        Box::pin(async move { engine.hand_out_message(id, name).await })
    }

    fn fetch_pictures(&self, request: PictureRequest) -> Answer<Fetched> {
        let engine = self.clone();
        Box::pin(async move { engine.fetch_pictures(request).await })
    }

    fn unsubscribe(&self, message: MessageId, by: By) -> Answer<Unsubscribed> {
        let engine = self.clone();
        Box::pin(async move { engine.unsubscribe(message, by).await })
    }

    fn search(&self, query: String, limit: u32) -> Answer<Hits> {
        ask!(self.catalog(), search(query, limit))
    }

    fn outbox(&self) -> Answer<Vec<Submission>> {
        ask!(self.catalog(), outbox())
    }

    fn maildrop(&self, account: AccountId) -> Answer<Maildrop> {
        ask!(self.catalog(), maildrop(account))
    }

    fn problems(&self) -> Answer<Vec<Problem>> {
        let engine = self.clone();
        Box::pin(async move { Ok(engine.problems()) })
    }

    fn states(&self) -> Answer<Vec<(AccountId, AccountState)>> {
        let engine = self.clone();
        Box::pin(async move { Ok(engine.states()) })
    }

    fn network(&self) -> Answer<Network> {
        let engine = self.clone();
        Box::pin(async move { Ok(engine.network()) })
    }

    fn appearance(&self) -> Answer<Appearance> {
        ask!(self.catalog(), appearance())
    }

    fn command(&self, command: Command) -> Answer<Receipt> {
        let engine = self.clone();
        Box::pin(async move { engine.command(command).await })
    }

    fn send(&self, outgoing: Outgoing) -> Answer<SubmissionId> {
        let engine = self.clone();
        Box::pin(async move { engine.send(outgoing).await })
    }

    fn add_account(&self, config: AccountConfig, secret: Option<Secret>) -> Answer<AccountId> {
        let engine = self.clone();
        Box::pin(async move { engine.add_account(config, secret).await })
    }

    fn update_account(&self, id: AccountId, config: AccountConfig, secret: Option<Secret>) -> Answer<()> {
        let engine = self.clone();
        Box::pin(async move { engine.update_account(id, config, secret).await })
    }

    fn remove_account(&self, id: AccountId) -> Answer<()> {
        let engine = self.clone();
        Box::pin(async move { engine.remove_account(id).await })
    }

    fn send_receipt(&self, message: MessageId, words: String) -> Answer<SubmissionId> {
        let engine = self.clone();
        Box::pin(async move { engine.send_receipt(message, words).await })
    }

    fn decline_receipt(&self, message: MessageId) -> Answer<()> {
        let engine = self.clone();
        Box::pin(async move { engine.decline_receipt(message).await })
    }

    fn answer_invitation(&self, answer: InvitationAnswer) -> Answer<SubmissionId> {
        let engine = self.clone();
        Box::pin(async move { engine.answer_invitation(answer).await })
    }

    fn test_account(&self, config: AccountConfig, secret: Option<Secret>) -> Answer<TestReport> {
        let engine = self.clone();
        Box::pin(async move { Ok(engine.test_account(config, secret).await) })
    }

    fn events(&self) -> BoxStream<'static, Event> {
        stream::unfold(Engine::events(self), |mut events| async move {
            events.next().await.map(|event| (event, events))
        })
        .boxed()
    }

    fn shutdown(&self) -> Answer<()> {
        let engine = self.clone();
        Box::pin(async move {
            engine.shutdown().await;
            Ok(())
        })
    }
}

/// What a search found, as a page.
#[must_use]
pub fn found(bridge: &Bridge, words: String) -> Answer<Page> {
    const MOST: u32 = 1000;
    let answer = bridge.search(words, MOST);
    Box::pin(async move {
        let hits = answer.await?;
        Ok(Page {
            first: 0,
            total: hits.rows.len() as u64,
            next: None,
            rows: hits.rows,
        })
    })
}

/// Shuts the engine down; gives up waiting after a while, since its data is durable at any moment.
pub async fn end(bridge: Bridge) {
    const PATIENCE: std::time::Duration = std::time::Duration::from_secs(4);
    let patience = pause(PATIENCE);
    let ended = bridge.shutdown();
    iced::futures::future::select(Box::pin(ended), Box::pin(patience)).await;
}
