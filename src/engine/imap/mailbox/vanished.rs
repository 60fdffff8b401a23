//! What is gone from a mailbox. It is taken away at the end of the pass, when everything that arrived anywhere is
//! here: what another client moved is never nowhere.

use posthorn_model::imap::SyncState;
use posthorn_model::{ErrorClass, MessageId, Remedy, UidSet};
use posthorn_store::write::Write;
use posthorn_store::{Durability, MailboxRow};

use super::{MailboxSync, Opened, bounded};
use crate::Error;
use crate::account::Post;
use crate::imap::plan;
use crate::ops::queue;
use crate::problem::Topic;
use crate::report::AccountReport;

/// Messages gone from one mailbox, with what is remembered of it once they are taken away.
pub struct Departure {
    mailbox: MailboxRow,
    gone: UidSet,
    /// After a complete look: what no UID names and no operation brings is not on the server.
    strays: bool,
    state: SyncState,
}

impl MailboxSync<'_> {
    /// Finds what vanished and remembers how far this pass has come.
    pub(super) async fn finish(
        &mut self,
        opened: &Opened,
        server: Option<UidSet>,
        withheld: UidSet,
    ) -> Result<(), Error> {
        let (mut server, mut withheld) = (server, withheld);
        if server.is_none() && !self.adds_up(opened).await? {
            // The figures do not add up: ask for everything rather than guess.
            let all = bounded(self.session.search_all_uids().await?)?;
            let fresh = all.minus(&self.known_uids(opened.uid_validity).await?);
            (withheld, _) = self.take_in(opened, &fresh, true, false).await?;
            server = Some(all);
        }
        let post = self.post;
        let core = &post.core;
        let gone = match (&server, &opened.selected.vanished) {
            (Some(server), _) => self.known_uids(opened.uid_validity).await?.minus(server),
            (None, Some(told)) => told.clone(),
            (None, None) => UidSet::default(),
        };
        // EXPUNGE and EXISTS on the way explain a difference.
        let counted = server
            .as_ref()
            .map(UidSet::len)
            .filter(|named| *named < u64::from(opened.remote.exists) && !self.session.take_news());
        self.tell_withheld(&withheld, counted.map(|named| (opened.remote.exists, named)));
        let last = core.store.last_uid(self.mailbox.id).await?;
        let departure = Departure {
            mailbox: self.mailbox.clone(),
            gone,
            strays: server.is_some() && withheld.is_empty(),
            state: plan::next_state(opened.uid_validity, &opened.remote, last, &withheld),
        };
        let _local = core.local().await;
        if departure.find(self.post).await?.is_empty() {
            core.clear(Topic::Vanished(self.post.id, Some(self.mailbox.id)));
            let writes = departure.close(self.post, departure.state).await?;
            core.apply(self.post.id, writes, Durability::Normal).await?;
        } else {
            self.departures.push(departure);
        }
        Ok(())
    }

    /// Whether what is here, less what SELECT called vanished, is as much as the server counts.
    async fn adds_up(&mut self, opened: &Opened) -> Result<bool, Error> {
        let here = self.look_here().await?;
        let post = self.post;
        let gone = match &opened.selected.vanished {
            None => 0,
            Some(told) if told.is_empty() => 0,
            Some(told) => {
                let placed = post.core.store.placements_by_uids(self.mailbox.id, told).await?;
                let placed: UidSet = placed.iter().filter_map(|placement| placement.uid).collect();
                let leaving = self.leaving(opened.uid_validity).await?;
                let leaving = leaving.minus(&leaving.minus(told)).minus(&placed);
                placed.len() + leaving.len()
            }
        };
        Ok(here.known.saturating_sub(gone) == u64::from(opened.remote.exists))
    }
}

impl Departure {
    /// What is remembered of the mailbox. Call with the local lock held.
    async fn close(&self, post: &Post, state: SyncState) -> Result<Vec<Write>, Error> {
        let operations = post.core.store.operations(Some(post.id)).await?;
        let mut writes =
            queue::forget_left(&operations, self.mailbox.id, self.state.uid_validity, &self.gone);
        writes.push(Write::SetSyncState {
            mailbox: self.mailbox.id,
            state: Some(state),
        });
        Ok(writes)
    }

    /// The messages that it takes away, as things are now. Call with the local lock held.
    async fn find(&self, post: &Post) -> Result<Vec<MessageId>, Error> {
        let store = &post.core.store;
        let mut leaving: Vec<MessageId> = Vec::new();
        if !self.gone.is_empty() {
            let placed = store.placements_by_uids(self.mailbox.id, &self.gone).await?;
            leaving.extend(placed.iter().map(|placement| placement.message));
        }
        if self.strays {
            let operations = store.operations(Some(post.id)).await?;
            let coming = queue::coming_in(&operations, self.mailbox.id);
            let adrift = store.adrift(self.mailbox.id).await?;
            let strays = adrift.iter().map(|adrift| adrift.message);
            leaving.extend(strays.filter(|message| !coming.contains(message)));
        }
        Ok(leaving)
    }
}

/// Whether a message would be nowhere if these departures were believed now.
pub async fn any_lost(post: &Post, departures: &[Departure]) -> Result<bool, Error> {
    for departure in departures {
        let leaving = departure.find(post).await?;
        let lost = post
            .core
            .store
            .only_placed_in(departure.mailbox.id, leaving)
            .await?;
        if !lost.is_empty() {
            return Ok(true);
        }
    }
    Ok(false)
}

/// Takes away what is gone, unless that looks like an accident. What stands in another mailbox is not lost.
pub async fn settle(
    post: &Post,
    departures: Vec<Departure>,
    accepted: bool,
    report: &mut AccountReport,
) -> Result<(), Error> {
    let core = &post.core;
    for departure in departures {
        let mailbox = &departure.mailbox;
        let _local = core.local().await;
        let leaving = departure.find(post).await?;
        let lost = core
            .store
            .only_placed_in(mailbox.id, leaving.clone())
            .await?
            .len() as u64;
        let total = core.store.mailbox(mailbox.id).await?.map_or(0, |row| row.total);
        let suspicion = plan::suspect(total, lost).filter(|_| !accepted && lost > 0);
        let topic = Topic::Vanished(post.id, Some(mailbox.id));
        let mut writes = Vec::new();
        let state = if let Some(suspicion) = suspicion {
            let error = Error {
                remedies: vec![Remedy::ReviewAndContinue],
                ..Error::new(ErrorClass::Suspicious, suspicion.explain(&mailbox.name.path))
            };
            core.raise(topic, &error);
            // The next pass looks at the whole mailbox again.
            plan::unfinished(departure.state.uid_validity, 1)
        } else {
            core.clear(topic);
            report.gone += lost;
            report.changed += (leaving.len() as u64).saturating_sub(lost);
            writes.extend(leaving.into_iter().map(|message| Write::Unplace {
                message,
                mailbox: mailbox.id,
            }));
            departure.state
        };
        writes.extend(departure.close(post, state).await?);
        core.apply(post.id, writes, Durability::Normal).await?;
    }
    Ok(())
}
