//! Keeps an account's tasks alive: one that panics is started again with a pause, and after three times in three
//! minutes its account stops with a problem. The rest of the program goes on.

use std::sync::{Arc, Mutex, PoisonError};

use posthorn_model::{AccountId, ErrorClass, Remedy};
use tokio::sync::watch;
use tokio::task::JoinHandle;

use crate::Error;
use crate::event::AccountState;
use crate::problem::Topic;
use crate::schedule::Strikes;
use crate::shared::Shared;

/// Watches over the tasks of one account.
#[derive(Clone)]
pub struct Supervisor {
    pub core: Shared,
    pub account: AccountId,
    strikes: Arc<Mutex<Strikes>>,
    /// Stops this account's tasks.
    pub stop: Arc<watch::Sender<bool>>,
}

impl Supervisor {
    pub fn new(core: Shared, account: AccountId) -> Self {
        Self {
            core,
            account,
            strikes: Arc::default(),
            stop: Arc::new(watch::Sender::new(false)),
        }
    }

    /// Completes when the account, or the whole engine, stops.
    pub async fn stopped(&self) {
        let mut stop = self.stop.subscribe();
        tokio::select! {
            // An error means that the sender is gone, which is the same.
            _ = stop.wait_for(|stop| *stop) => {}
            () = self.core.stopped() => {}
        }
    }

    /// Runs a task again and again until it ends by itself or the account stops.
    pub fn keep<F>(&self, name: &'static str, task: impl Fn() -> F + Send + 'static) -> JoinHandle<()>
    where
        F: Future<Output = ()> + Send + 'static,
    {
        let this = self.clone();
        self.core.handle.clone().spawn(async move {
            loop {
                let Err(ended) = tokio::spawn(task()).await else {
                    return;
                };
                if !ended.is_panic() {
                    return;
                }
                log::error!("The task {name} of account {} panicked.", this.account);
                let verdict = this
                    .strikes
                    .lock()
                    .unwrap_or_else(PoisonError::into_inner)
                    .count(this.core.now());
                let Some(pause) = verdict else {
                    this.give_up(name);
                    return;
                };
                tokio::select! {
                    () = tokio::time::sleep(pause) => {}
                    () = this.stopped() => return,
                }
            }
        })
    }

    fn give_up(&self, name: &str) {
        let error = Error {
            remedies: vec![Remedy::TryAgain],
            ..Error::new(
                ErrorClass::Bug,
                format!(
                    "this account was stopped after repeated failures of the program ({name}); your mail here is kept"
                ),
            )
        };
        self.core.raise(Topic::Stopped(self.account), &error);
        self.core.set_state(self.account, AccountState::NeedsUser);
        self.stop.send_replace(true);
    }
}
