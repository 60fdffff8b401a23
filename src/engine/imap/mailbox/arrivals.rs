//! New messages: what is told of them comes newest first and is stored while the next are on their way. One that is
//! here already (moved or copied by somebody, or kept through a change of UIDs) is recognised, not made anew.
//!
//! Their headers come first, so that the list is usable long before the bodies are here; where all of it takes no more
//! than a moment, they come whole at once.

use std::collections::BTreeMap;
use std::sync::Arc;
use std::time::Instant;

use posthorn_mime::parse_header;
use posthorn_model::{AccountId, SpecialUse, Uid, UidSet};
use posthorn_net::imap::{Body, Summary};
use posthorn_store::{MailboxRow, Store, Wanted};
use tokio::sync::mpsc;

use super::arrival::{Coming, Reader};
use super::storer::{Doubt, Storer};
use super::{BATCH, MailboxSync, Opened, bounded, within};
use crate::Error;
use crate::imap::bodies;
use crate::imap::merge::Waiting;
use crate::imap::plan::{self, Plan};
use crate::intake::{GROUP, Keeping};
use crate::ops::queue;
use crate::report::Bodies;

/// Messages asked for at once: the first answer is a few screenfuls, so that the list shows something soon.
const FIRST: usize = 100;
const REACH: usize = 4 * BATCH;

/// Headers that are taken apart together.
const HEADERS: usize = 200;

/// Batches between the wire and the store: with them, memory does not grow with the mailbox. The answers to one question
/// fit, and a few more: the next is asked while the last are taken apart.
const BUFFER: usize = REACH / HEADERS + 3;

/// Batches that are being taken apart while others are stored.
const UNDER_WAY: usize = 6;

/// Where new messages go, and what is expected of them.
struct Outlet {
    give: mpsc::Sender<Coming>,
    /// Asked for, and not handed over.
    missing: UidSet,
    /// Some of them may stand here without a UID.
    adrift: bool,
    /// There are messages in other mailboxes: one of them may be what arrives.
    elsewhere: bool,
}

impl MailboxSync<'_> {
    /// UIDs that may be new, and whether each is known to be a message. In a range not every number is.
    pub(super) async fn find_fresh(
        &mut self,
        opened: &Opened,
        server: Option<&UidSet>,
    ) -> Result<(UidSet, bool), Error> {
        if let Some(server) = server {
            return Ok((server.minus(&self.known_uids(opened.uid_validity).await?), true));
        }
        let (Plan::Quick { from } | Plan::Resync { from, .. }) = opened.plan else {
            return Ok((UidSet::default(), true));
        };
        // From the first UID not seen to the last that SELECT promised.
        let end = opened.remote.uid_next.unwrap_or(u32::MAX).saturating_sub(1);
        let (Some(first), Some(last)) = (Uid::new(from), Uid::new(end)) else {
            return Ok((UidSet::default(), true));
        };
        let range = UidSet::range(first, last);
        if range.is_empty() {
            return Ok((range, true));
        }
        if range.len() > BATCH as u64 {
            let all = bounded(self.session.search_all_uids().await?)?;
            let known = self.known_uids(opened.uid_validity).await?;
            return Ok((within(&all, first, last).minus(&known), true));
        }
        let post = self.post;
        let placed = post
            .core
            .store
            .placements_by_uids(self.mailbox.id, &range)
            .await?;
        let placed: UidSet = placed.iter().filter_map(|placement| placement.uid).collect();
        let leaving = self.leaving(opened.uid_validity).await?;
        Ok((range.minus(&placed).minus(&leaving), false))
    }

    /// Fetches and stores what is new, newest first. Returns what was asked for and did not come, and where asked to
    /// have `doubts`, what came and was not stored for them.
    pub(super) async fn take_in(
        &mut self,
        opened: &Opened,
        fresh: &UidSet,
        exact: bool,
        doubts: bool,
    ) -> Result<(UidSet, Doubt), Error> {
        if fresh.is_empty() {
            return Ok((UidSet::default(), Doubt::default()));
        }
        let storer = Storer {
            doubts,
            ..self.prepare_storer(opened, fresh, exact).await?
        };
        let (give, coming) = mpsc::channel(BUFFER);
        let mut outlet = Outlet {
            give,
            missing: UidSet::default(),
            adrift: !storer.waiting.is_empty(),
            elsewhere: storer.elsewhere,
        };
        let (hand_on, pending) = mpsc::channel(UNDER_WAY);
        let reader = Reader {
            core: Arc::clone(&storer.core),
            account: storer.account,
            path: self.mailbox.name.path.clone(),
            uid_validity: opened.uid_validity,
            ruled: storer.announces,
        };
        let keeping = Keeping {
            store: storer.core.store.clone(),
            pending,
            group: GROUP,
        };
        let reading = tokio::spawn(reader.run(coming, hand_on));
        let storing = tokio::spawn(storer.run(keeping));
        let fetched = self.fetch_new(fresh, &mut outlet).await;
        let Outlet { give, missing, .. } = outlet;
        drop(give);
        let failed = |_| Error::bug("storing new messages failed unexpectedly");
        // Our own failure matters more than the connection's.
        let stored = storing.await.map_err(failed)??;
        reading.await.map_err(failed)?;
        self.report.new += stored.new;
        self.report.bodies += stored.whole;
        fetched?;
        let missing = if exact { missing } else { UidSet::default() };
        Ok((missing, stored.doubt))
    }

    async fn fetch_new(&mut self, fresh: &UidSet, outlet: &mut Outlet) -> Result<(), Error> {
        let mut beyond = fresh.len();
        for (turn, asked) in plan::newest_first(fresh, FIRST, REACH).enumerate() {
            beyond -= asked.len();
            let mut listed = asked;
            if turn > 0 && self.bodies_follow() && !outlet.adrift {
                listed = self.fetch_whole(listed, beyond, outlet).await?;
            }
            if !listed.is_empty() {
                self.fetch_summaries(&listed, outlet).await?;
            }
        }
        Ok(())
    }

    async fn fetch_summaries(&mut self, asked: &UidSet, outlet: &mut Outlet) -> Result<(), Error> {
        let Ok(mut room) = outlet.give.reserve_many(REACH / HEADERS + 1).await else {
            // The store has failed, and says so itself.
            return Ok(());
        };
        let mut batch = Vec::new();
        let mut bytes = 0_u64;
        let mut take = |summary: Summary| {
            if asked.contains(summary.uid) {
                bytes = bytes.saturating_add(summary.size);
                batch.push(summary);
            }
            if batch.len() >= HEADERS
                && let Some(place) = room.next()
            {
                place.send(Coming::Headers(std::mem::take(&mut batch)));
            }
        };
        let (started, before) = (Instant::now(), self.session.traffic().bytes_in);
        let received = if self.bodies_follow() {
            self.session.fetch_headers(asked, &mut take).await?
        } else {
            self.session.fetch_summaries(asked, &mut take).await?
        };
        let came = self.session.traffic().bytes_in.saturating_sub(before);
        self.pace.note_headers(came, started.elapsed());
        self.pace.note_sizes(received.len(), bytes);
        if !batch.is_empty()
            && let Some(place) = room.next()
        {
            place.send(Coming::Headers(batch));
        }
        for &(first, last) in asked.minus(&received).ranges() {
            if let (Some(first), Some(last)) = (Uid::new(first), Uid::new(last)) {
                outlet.missing.insert_range(first, last);
            }
        }
        Ok(())
    }

    /// Fetches messages whole as long as they come fast enough, with `beyond` more to come after them. Returns those
    /// that are to be listed by their headers.
    async fn fetch_whole(
        &mut self,
        asked: UidSet,
        beyond: u64,
        outlet: &mut Outlet,
    ) -> Result<UidSet, Error> {
        if self.pace.turn(self.pace.expect(asked.len() + beyond)).is_none() {
            return Ok(asked);
        }
        let mut told = BTreeMap::new();
        let mut take = |summary: Summary| {
            if asked.contains(summary.uid) {
                told.insert(summary.uid, summary);
            }
        };
        self.session
            .fetch_outlines(&asked, outlet.elsewhere, &mut take)
            .await?;
        if outlet.elsewhere {
            self.leave_known(&mut told).await?;
        }
        let mut left = add_sizes(told.values());
        let mut came = UidSet::default();
        while !told.is_empty()
            && let Some(turn) = self.pace.turn(left.saturating_add(self.pace.expect(beyond)))
        {
            let chosen = choose(&mut told, turn);
            left = add_sizes(told.values());
            let received = self.fetch_turn(chosen, outlet).await?;
            for uid in received.iter() {
                came.insert(uid);
            }
        }
        Ok(asked.minus(&came))
    }

    /// One turn of whole messages. Returns what came.
    async fn fetch_turn(&mut self, chosen: Vec<Summary>, outlet: &Outlet) -> Result<UidSet, Error> {
        let uids: Vec<(Uid, u64)> = chosen.iter().map(|told| (told.uid, told.size)).collect();
        let told = chosen.into_iter().map(|told| (told.uid, told)).collect();
        let (out, bodies) = mpsc::channel::<Body>(bodies::CHANNEL);
        if outlet.give.send(Coming::Whole { told, bodies }).await.is_err() {
            // The store has failed, and says so itself.
            return Ok(UidSet::default());
        }
        let started = Instant::now();
        let received = self.session.fetch_bodies(&uids, &out).await?;
        let bytes = uids.iter().map(|(_, size)| size).sum();
        self.pace.note_whole(bytes, started.elapsed());
        Ok(received)
    }

    /// What may be here already is recognised by its headers, and not fetched again.
    async fn leave_known(&mut self, told: &mut BTreeMap<Uid, Summary>) -> Result<(), Error> {
        let wanted = told.values().map(|summary| Wanted {
            object_id: summary.email_id.clone(),
            message_id: parse_header(&summary.header).envelope.message_id,
        });
        let post = self.post;
        let candidates = post
            .core
            .store
            .find_candidates(post.id, self.mailbox.id, wanted.collect())
            .await?;
        let mut candidates = candidates.into_iter();
        told.retain(|_, _| candidates.next().is_none_or(|found| found.is_empty()));
        Ok(())
    }

    /// Whether all that comes is fetched whole in a moment: then nobody has to guess what it holds.
    fn bodies_follow(&self) -> bool {
        self.bodies == Bodies::All && self.post.core.policy().prefetch_limit().is_none()
    }

    async fn prepare_storer(
        &mut self,
        opened: &Opened,
        fresh: &UidSet,
        exact: bool,
    ) -> Result<Storer, Error> {
        let post = self.post;
        let store = &post.core.store;
        let waiting = waiting(store, post.id, self.mailbox).await?;
        let account = store.accounts().await?.into_iter().find(|row| row.id == post.id);
        let total = store.mailbox(self.mailbox.id).await?.map_or(0, |row| row.total);
        Ok(Storer {
            core: Arc::clone(&post.core),
            account: post.id,
            mailbox: self.mailbox.clone(),
            uid_validity: opened.uid_validity,
            announces: opened.familiar && self.mailbox.special_use == Some(SpecialUse::Inbox),
            elsewhere: account.is_none_or(|row| row.total > total),
            doubts: false,
            waiting,
            progress: (0, if exact { fresh.len() } else { 0 }),
            bodies: self.bodies,
            wishes: post.bodies.clone(),
        })
    }
}

/// Messages here without a UID, which an arrival may turn out to be. Looked at once: nothing reaches the server's
/// mailbox from here while a pass looks at it.
async fn waiting(store: &Store, account: AccountId, mailbox: &MailboxRow) -> Result<Waiting, Error> {
    let mut waiting = Waiting::default();
    let adrift = store.adrift(mailbox.id).await?;
    if adrift.is_empty() {
        return Ok(waiting);
    }
    let operations = store.operations(Some(account)).await?;
    let uploads = queue::uploads_into(&operations, mailbox.id);
    for one in adrift {
        let upload = uploads.contains(&one.message);
        waiting.add(&one, upload);
    }
    Ok(waiting)
}

/// A server may claim any size.
fn add_sizes<'a>(summaries: impl Iterator<Item = &'a Summary>) -> u64 {
    summaries.fold(0, |bytes, summary| bytes.saturating_add(summary.size))
}

/// The newest of them that fit into one turn. Those that would fill it alone stay out of it altogether.
fn choose(told: &mut BTreeMap<Uid, Summary>, turn: u64) -> Vec<Summary> {
    let most = turn.min(bodies::LARGE);
    let mut chosen = Vec::new();
    let mut bytes = 0;
    while bytes < turn
        && let Some((_, summary)) = told.pop_last()
    {
        if summary.size <= most {
            bytes += summary.size;
            chosen.push(summary);
        }
    }
    chosen
}

#[cfg(test)]
mod tests {
    use super::*;

    fn told(sizes: &[u64]) -> BTreeMap<Uid, Summary> {
        let summaries = (1..).zip(sizes).filter_map(|(number, size)| {
            let uid = Uid::new(number)?;
            let summary = Summary {
                uid,
                flags: posthorn_model::Flags::default(),
                modseq: None,
                internal_date: None,
                size: *size,
                header: Vec::new(),
                attachments: None,
                email_id: None,
                thread_id: None,
                labels: None,
            };
            Some((uid, summary))
        });
        summaries.collect()
    }

    #[test]
    fn the_newest_that_fit_go_first_whatever_a_server_claims() {
        let check = |sizes: &[u64], turn: u64, expect: &[u64], left: &[u64]| {
            let mut told = told(sizes);
            let chosen: Vec<u64> = choose(&mut told, turn).iter().map(|one| one.size).collect();
            let rest: Vec<u64> = told.values().map(|one| one.size).collect();
            assert_eq!((chosen.as_slice(), rest.as_slice()), (expect, left), "{sizes:?}");
        };
        check(&[10, 20, 30], 100, &[30, 20, 10], &[]);
        check(&[10, 20, 30], 40, &[30, 20], &[10]);
        check(&[10, 500, 30], 100, &[30, 10], &[]);
        check(&[bodies::LARGE + 1, 5], u64::MAX, &[5], &[]);
        check(&[u64::MAX, u64::MAX], 100, &[], &[]);
        check(&[], 100, &[], &[]);
        assert_eq!(add_sizes(told(&[u64::MAX, u64::MAX, 1]).values()), u64::MAX);
    }
}
