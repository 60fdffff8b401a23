//! The engine's face: every call runs on the engine's own runtime, whatever executor awaits it.

use std::path::PathBuf;
use std::sync::Arc;
use std::sync::atomic::AtomicBool;

use posthorn_model::filter::Rule;
use posthorn_model::{AccountConfig, AccountId, MailboxId, MessageId, Problem, Secret, SubmissionId};

use crate::attachment::Caution;
use crate::catalog::Catalog;
use crate::command::{Command, Receipt};
use crate::event::{AccountState, Events};
use crate::forecast::Maildrop;
use crate::invitation::InvitationAnswer;
use crate::link::Network;
use crate::manager::Manager;
use crate::pictures::{Fetched, GiveUp, PictureRequest};
use crate::reading::PartAt;
use crate::unsubscribe::{By, Unsubscribed};
use crate::{Error, Options, Outgoing, filter, report};

/// An open profile. Cheap to clone; [`Engine::shutdown`] ends it for all.
#[derive(Clone)]
pub struct Engine {
    manager: Arc<Manager>,
}

impl Engine {
    /// Opens the profile: takes its lock (unless `read_only`), opens the store, reads the configuration. Contacts
    /// no server. Blocks for a moment: call it off the window's thread.
    ///
    /// # Errors
    /// `Config` where another instance has the profile or its store is of a newer version, `Disk`, `Corrupt`.
    pub fn open(options: Options) -> Result<Self, Error> {
        let manager = Arc::new(Manager::open(options)?);
        Ok(Self { manager })
    }

    /// What is stored, to read.
    #[must_use]
    pub fn catalog(&self) -> Catalog {
        self.manager.catalog()
    }

    /// What happens from now on.
    #[must_use]
    pub fn events(&self) -> Events {
        Events(self.manager.subscribe())
    }

    /// Starts the background work of every account: sync now, then IDLE or polling, operations and outbox.
    pub fn start(&self) {
        self.manager.start();
    }

    /// Commits the wish with its local effect; returns when it is durable, not when the server has it.
    ///
    /// # Errors
    /// Where nothing was changed.
    pub async fn command(&self, command: Command) -> Result<Receipt, Error> {
        self.run(move |manager| async move { manager.command(command).await })
            .await
    }

    /// Hands a message to the outbox, durably.
    ///
    /// # Errors
    /// Where it was not accepted into the outbox: bad recipients, no outgoing server, disk.
    pub async fn send(&self, outgoing: Outgoing) -> Result<SubmissionId, Error> {
        self.run(move |manager| async move { manager.send(outgoing).await })
            .await
    }

    /// One complete pass: operations pushed, outbox emptied, mail fetched; ends when done.
    ///
    /// # Errors
    /// Where no account could be started; trouble of single accounts is in the report.
    pub async fn sync(&self, request: report::SyncRequest) -> Result<report::SyncReport, Error> {
        self.run(move |manager| async move { manager.sync(request).await })
            .await
    }

    /// Adds an account and keeps its secret. Contacts no server.
    ///
    /// # Errors
    /// `Config` for a name already taken, cleartext without leave, a keychain that is not there.
    pub async fn add_account(
        &self,
        config: AccountConfig,
        secret: Option<Secret>,
    ) -> Result<AccountId, Error> {
        self.run(move |manager| async move { manager.add_account(config, secret).await })
            .await
    }

    /// Replaces an account's settings, and its secret where one is given.
    ///
    /// # Errors
    /// As [`Engine::add_account`].
    pub async fn update_account(
        &self,
        id: AccountId,
        config: AccountConfig,
        secret: Option<Secret>,
    ) -> Result<(), Error> {
        self.run(move |manager| async move { manager.update_account(id, config, secret).await })
            .await
    }

    /// Forgets an account, its secret and its local index. Never touches its server.
    ///
    /// # Errors
    /// `Config` for an unknown account, `Disk`.
    pub async fn remove_account(&self, id: AccountId) -> Result<(), Error> {
        self.run(move |manager| async move { manager.remove_account(id).await })
            .await
    }

    /// Replaces the rules for mail that arrives, in the order in which they are tried.
    ///
    /// # Errors
    /// `Config` for rules that cannot work, and while `filters.toml` cannot be understood; `Disk`.
    pub async fn put_filters(&self, rules: Vec<Rule>) -> Result<(), Error> {
        self.run(move |manager| async move { manager.put_filters(rules).await })
            .await
    }

    /// Does what the rules say to everything in a mailbox, as one intent that can be undone.
    ///
    /// # Errors
    /// Where nothing was changed.
    pub async fn run_filters(&self, mailbox: MailboxId) -> Result<filter::round::Run, Error> {
        self.run(move |manager| async move { manager.run_filters(mailbox).await })
            .await
    }

    /// Puts all that still waits into the search index, which otherwise happens by itself, behind everything else.
    ///
    /// # Errors
    /// `Config` where the profile is only read; `Disk`, `Corrupt`.
    pub async fn finish_index(&self) -> Result<(), Error> {
        self.run(move |manager| async move { manager.finish_index().await })
            .await
    }

    /// Lists a POP3 account's maildrop for a forecast, and changes nothing there or here.
    ///
    /// # Errors
    /// `Config` for another account; where the server cannot be reached or breaks off.
    pub async fn look_at_maildrop(&self, account: AccountId) -> Result<Maildrop, Error> {
        self.run(move |manager| async move { manager.look_at_maildrop(account).await })
            .await
    }

    /// Fetches pictures on servers for one message, as the reader said or the reader's rule says. Each address has
    /// its own outcome. Dropping the future gives up what has not come.
    ///
    /// # Errors
    /// `Refused` where the rule does not allow it, `Network` while offline, `Config` for no such message.
    pub async fn fetch_pictures(&self, request: PictureRequest) -> Result<Fetched, Error> {
        let given_up = Arc::new(AtomicBool::new(false));
        let _guard = GiveUp(Arc::clone(&given_up));
        self.run(move |manager| async move { manager.fetch_pictures(request, given_up).await })
            .await
    }

    /// Leaves the mailing list that a message came by.
    ///
    /// # Errors
    /// `Config` where the message does not offer this way; `Network` where its server did not confirm.
    pub async fn unsubscribe(&self, message: MessageId, by: By) -> Result<Unsubscribed, Error> {
        self.run(move |manager| async move { manager.unsubscribe(message, by).await })
            .await
    }

    /// Sends the receipt that a message asks for, and remembers it: there is no second one. `words` are what people
    /// read in it, in the user's language; empty for a few English ones.
    ///
    /// # Errors
    /// `Refused` where the settings say never; `Config` where none is asked for, or the request was answered.
    pub async fn send_receipt(&self, message: MessageId, words: String) -> Result<SubmissionId, Error> {
        self.run(move |manager| async move { manager.send_receipt(message, &words).await })
            .await
    }

    /// Sends no receipt, and remembers that too.
    ///
    /// # Errors
    /// `Config` where none is asked for, or the request was answered.
    pub async fn decline_receipt(&self, message: MessageId) -> Result<(), Error> {
        self.run(move |manager| async move { manager.decline_receipt(message).await })
            .await
    }

    /// Answers an invitation by mail to its organiser.
    ///
    /// # Errors
    /// `Config` where there is no such invitation, or nobody to answer.
    pub async fn answer_invitation(&self, answer: InvitationAnswer) -> Result<SubmissionId, Error> {
        self.run(move |manager| async move { manager.answer_invitation(answer).await })
            .await
    }

    /// Writes a part into a private directory and opens it with the program that the system has for it. Returns
    /// where it lies; it is removed when the profile is next opened.
    ///
    /// # Errors
    /// `Refused` for a kind that can do harm, unless the user was warned; `Config` where the system has no program
    /// for it, `Disk`.
    pub async fn open_part(&self, at: PartAt, caution: Caution) -> Result<PathBuf, Error> {
        self.run(move |manager| async move { manager.open_part(at, caution).await })
            .await
    }

    /// Writes a part where nobody else reads, for the user to take elsewhere. Returns where it lies; it is removed
    /// when the profile is next opened.
    ///
    /// # Errors
    /// `Refused` for a kind that can do harm, `Config` where it is not here, `Disk`.
    pub async fn hand_out_part(&self, at: PartAt) -> Result<PathBuf, Error> {
        self.run(move |manager| async move { manager.hand_out_part(at).await })
            .await
    }

    /// As [`Self::hand_out_part`]: a message exactly as it came, as `name`.eml.
    ///
    /// # Errors
    /// `Config` where it is not here, `Disk`.
    pub async fn hand_out_message(&self, id: MessageId, name: String) -> Result<PathBuf, Error> {
        self.run(move |manager| async move { manager.hand_out_message(id, name).await })
            .await
    }

    /// Signs in to both servers and out again; sends nothing else.
    pub async fn test_account(&self, config: AccountConfig, secret: Option<Secret>) -> report::TestReport {
        self.run(move |manager| async move { Ok(manager.test_account(config, secret).await) })
            .await
            .unwrap_or_default()
    }

    /// What is wrong now. A success removes a problem.
    #[must_use]
    pub fn problems(&self) -> Vec<Problem> {
        self.manager.problems()
    }

    /// What the network may be used for now.
    #[must_use]
    pub fn network(&self) -> Network {
        self.manager.network()
    }

    /// How each account is doing now.
    #[must_use]
    pub fn states(&self) -> Vec<(AccountId, AccountState)> {
        self.manager.states()
    }

    /// Stops commands, lets the actors finish their step, signs out within 2 s, drains the writer.
    pub async fn shutdown(&self) {
        let ended = self
            .run(|manager| async move {
                manager.shutdown().await;
                Ok(())
            })
            .await;
        if let Err(error) = ended {
            log::error!("Shutting down failed: {error}.");
        }
    }

    async fn run<T, F>(&self, act: impl FnOnce(Arc<Manager>) -> F + Send + 'static) -> Result<T, Error>
    where
        T: Send + 'static,
        F: Future<Output = Result<T, Error>> + Send + 'static,
    {
        let manager = Arc::clone(&self.manager);
        let task = self.manager.handle().spawn(async move { act(manager).await });
        task.await
            .map_err(|_| Error::bug("this failed unexpectedly; nothing that was stored is lost"))?
    }
}
