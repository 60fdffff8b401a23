//! Fetches missing bodies over one connection, a turn at a time: so much as takes about two seconds, while the turn
//! before is still being written.

use std::collections::{BTreeMap, VecDeque};
use std::path::Path;
use std::sync::Arc;
use std::time::{Duration, Instant};

use posthorn_mime::parse_header;
use posthorn_model::{
    BodyState, ErrorClass, InternetMessageId, MailboxId, MessageId, Timestamp, Uid, UidSet, UidValidity,
};
use posthorn_net::imap::{Access, Body, PartialBody, Session, Summary};
use posthorn_store::write::Write;
use posthorn_store::{Durability, MailboxRow, Missing};
use tokio::sync::mpsc;
use tokio::task::JoinHandle;

use super::commit::{CHANNEL, Committer, Kept, Wanted};
use super::queue::Queue;
use crate::Error;
use crate::account::Post;
use crate::imap::{connections, plan};
use crate::ops::mailbox::on_server;
use crate::problem::Topic;
use crate::report::Bodies;
use crate::shared::Incoming;

/// Messages in one turn.
const MESSAGES: usize = 1000;
/// Turns that are written while the next is fetched.
const BEHIND: usize = 1;
/// Octets: a larger message comes in pieces.
pub const LARGE: u64 = 4 << 20;
/// Days that [`Bodies::Recent`] looks back.
const RECENT: i64 = 30;
/// Where a server's numbers do not last, so many of the newest messages are looked through for those wanted.
const RELEARNT: u64 = 20_000;

/// A turn that is being written.
struct Behind {
    mailbox: MailboxId,
    messages: Vec<MessageId>,
    task: JoinHandle<Result<Kept, Error>>,
    _incoming: Incoming,
}

/// What fetches, whatever the connection.
#[derive(Default)]
pub struct Puller {
    pub queue: Queue,
    /// Only these and newer ones.
    floor: Option<MessageId>,
    behind: VecDeque<Behind>,
    /// Open on the connection in use.
    selected: Option<(MailboxId, UidValidity)>,
    /// Bodies that said another Message-ID than their headers.
    doubted: BTreeMap<MailboxId, Vec<MessageId>>,
    /// Of the connection in use.
    bytes: u64,
    took: Duration,
    /// Bodies that are here now.
    pub kept: u64,
}

impl Puller {
    pub fn restrict(&mut self, post: &Post, bodies: Bodies) {
        self.floor = match bodies {
            Bodies::Recent => {
                let oldest = post.core.now().plus_seconds(-RECENT * Timestamp::DAY);
                Some(MessageId::floor(oldest))
            }
            Bodies::All | Bodies::None => None,
        };
    }

    /// What comes goes over another connection than before, or something else was opened on it.
    pub fn forget_connection(&mut self) {
        self.selected = None;
        self.bytes = 0;
        self.took = Duration::ZERO;
    }

    pub fn forget_selection(&mut self) {
        self.selected = None;
    }

    /// Whether nothing is wanted, and nothing being written.
    pub fn is_done(&self) -> bool {
        self.queue.is_empty() && self.behind.is_empty() && self.doubted.is_empty()
    }

    /// Whether this connection is slow enough to compress, once that can be told.
    pub fn pays_to_compress(&self) -> Option<bool> {
        connections::pays_to_compress(self.bytes, self.took)
    }

    /// One turn. False where nothing is left.
    pub async fn turn(&mut self, post: &Post, session: &mut Session) -> Result<bool, Error> {
        if self.queue.is_empty() {
            self.settle(post).await?;
        }
        if let Some((mailbox, messages)) = self.doubted.pop_first() {
            self.look_again(post, session, mailbox, &messages).await?;
            return Ok(true);
        }
        let Some((mailbox, before)) = self.queue.next() else {
            return Ok(false);
        };
        let list = self.list(post, mailbox, before).await?;
        if list.is_empty() {
            return Ok(true);
        }
        let row = find_mailbox(post, mailbox).await?;
        let Some((row, state)) = row.and_then(|row| {
            let state = row.sync?;
            Some((row, state))
        }) else {
            self.queue.finish(mailbox);
            return Ok(true);
        };
        match self.open(session, &row, state.uid_validity).await {
            Ok(found) if found == state.uid_validity => {
                post.core.clear(Topic::Unlasting(post.id, mailbox));
                self.fetch(post, session, &row, found, list).await?;
            }
            Ok(found) => {
                tell_unlasting(post, &row);
                let list = self.relearn(session, list).await?;
                self.fetch(post, session, &row, found, list).await?;
                // The next turn would find other numbers again.
                self.queue.finish(mailbox);
            }
            Err(error) if error.class == ErrorClass::Refused => self.queue.finish(mailbox),
            Err(error) => return Err(error),
        }
        Ok(true)
    }

    /// What is missing next in this mailbox.
    async fn list(
        &mut self,
        post: &Post,
        mailbox: MailboxId,
        before: Option<MessageId>,
    ) -> Result<Vec<(Uid, Wanted)>, Error> {
        let missing = Missing {
            mailbox,
            before,
            from: self.floor,
            limit: MESSAGES,
        };
        let rows = post.core.store.bodies_missing(missing).await?;
        if rows.is_empty() {
            self.queue.finish(mailbox);
        }
        let most = connections::turn_size(self.bytes, self.took);
        // A metered network: larger ones come when somebody opens them.
        let limit = post.core.policy().prefetch_limit();
        let mut bytes = 0;
        let mut list = Vec::new();
        for row in rows {
            if bytes >= most {
                break;
            }
            self.queue.reach(mailbox, row.message);
            if !self.queue.wants(mailbox, row.message) || limit.is_some_and(|limit| row.size > limit) {
                continue;
            }
            let Some(uid) = row.uid else { continue };
            bytes += row.size;
            let wanted = Wanted {
                message: row.message,
                message_id: row.message_id,
                received: row.received,
                size: row.size,
            };
            list.push((uid, wanted));
        }
        Ok(list)
    }

    /// Opens the mailbox where it is not open; the generation of its UIDs now. Refused where it has none.
    async fn open(
        &mut self,
        session: &mut Session,
        row: &MailboxRow,
        wanted: UidValidity,
    ) -> Result<UidValidity, Error> {
        if let Some((mailbox, uid_validity)) = self.selected
            && mailbox == row.id
            && uid_validity == wanted
        {
            return Ok(uid_validity);
        }
        self.selected = None;
        let selected = session.select(&row.name, Access::Examine, None).await?;
        let found = selected
            .uid_validity
            .ok_or_else(|| Error::new(ErrorClass::Refused, "the server keeps no lasting numbers"))?;
        self.selected = Some((row.id, found));
        Ok(found)
    }

    async fn fetch(
        &mut self,
        post: &Post,
        session: &mut Session,
        row: &MailboxRow,
        uid_validity: UidValidity,
        list: Vec<(Uid, Wanted)>,
    ) -> Result<(), Error> {
        while self.behind.len() > BEHIND {
            self.settle_one(post).await?;
        }
        let uids: Vec<(Uid, u64)> = list.iter().map(|(uid, wanted)| (*uid, wanted.size)).collect();
        let messages: Vec<MessageId> = list.iter().map(|(_, wanted)| wanted.message).collect();
        self.queue.begin(messages.iter().copied());
        let wanted: Arc<BTreeMap<Uid, Wanted>> = Arc::new(list.into_iter().collect());
        let missing = headers_only(post).await?;
        let committer = Committer {
            core: Arc::clone(&post.core),
            account: post.id,
            mailbox: row.clone(),
            uid_validity,
            wanted: Arc::clone(&wanted),
            progress: (self.kept, self.kept + missing),
        };
        let (out, bodies) = mpsc::channel::<Body>(CHANNEL);
        self.behind.push_back(Behind {
            mailbox: row.id,
            messages,
            task: tokio::spawn(committer.run(bodies)),
            _incoming: Incoming::begin(&post.core),
        });
        let (started, before) = (Instant::now(), session.traffic().bytes_in);
        let keys = |uid: Uid| format!("{}/{}/{}/{uid}", post.id, row.id, uid_validity.0);
        let fetched = fetch_over(session, &post.core.partial_dir(), &uids, keys, &out).await;
        drop(out);
        self.took += started.elapsed();
        self.bytes += session.traffic().bytes_in.saturating_sub(before);
        let received: UidSet = match fetched {
            Ok(received) => received,
            Err(error) => {
                // What came whole is kept even where the connection broke after it; our own failure matters more.
                self.settle(post).await?;
                return Err(error);
            }
        };
        for (uid, wanted) in wanted.iter() {
            if !received.contains(*uid) {
                self.queue.withhold(row.id, wanted.message);
            }
        }
        Ok(())
    }

    /// Waits for all that is being written.
    pub async fn settle(&mut self, post: &Post) -> Result<(), Error> {
        while !self.behind.is_empty() {
            self.settle_one(post).await?;
        }
        Ok(())
    }

    async fn settle_one(&mut self, post: &Post) -> Result<(), Error> {
        let Some(behind) = self.behind.pop_front() else {
            return Ok(());
        };
        let kept = behind.task.await;
        self.queue.end(&behind.messages);
        let kept = kept.map_err(|_| Error::bug("keeping messages failed unexpectedly"))??;
        self.kept += kept.count;
        if kept.mistaken.is_empty() {
            return Ok(());
        }
        log::warn!("A server gave the UIDs of messages to others: they are matched anew.");
        let void = kept.mistaken.iter().map(|message| Write::SetUid {
            message: *message,
            mailbox: behind.mailbox,
            uid: None,
        });
        post.core
            .apply(post.id, void.collect(), Durability::Normal)
            .await?;
        post.note_misled(behind.mailbox);
        self.doubted
            .entry(behind.mailbox)
            .or_default()
            .extend(kept.mistaken);
        Ok(())
    }

    /// Messages whose UIDs were given to others are looked for by what they are, within one selection.
    async fn look_again(
        &mut self,
        post: &Post,
        session: &mut Session,
        mailbox: MailboxId,
        messages: &[MessageId],
    ) -> Result<(), Error> {
        let store = &post.core.store;
        let mut list = Vec::new();
        for message in messages {
            self.queue.withhold(mailbox, *message);
            if let Some(record) = store.message(*message).await?
                && record.body == BodyState::Headers
                && let Some(any) = Uid::new(1)
            {
                let wanted = Wanted {
                    message: *message,
                    message_id: record.envelope.message_id,
                    received: record.received,
                    size: record.size,
                };
                list.push((any, wanted));
            }
        }
        let row = find_mailbox(post, mailbox).await?;
        let Some(row) = row.filter(|_| !list.is_empty()) else {
            return Ok(());
        };
        self.selected = None;
        let selected = session.select(&row.name, Access::Examine, None).await?;
        let Some(uid_validity) = selected.uid_validity else {
            return Ok(());
        };
        self.selected = Some((mailbox, uid_validity));
        let list = self.relearn(session, list).await?;
        if !list.is_empty() {
            self.fetch(post, session, &row, uid_validity, list).await?;
            self.settle(post).await?;
            // A second mistake is the server's last word in this sweep.
            self.doubted.remove(&mailbox);
        }
        Ok(())
    }

    /// The UIDs that these messages have within this selection, whatever they had before.
    async fn relearn(
        &mut self,
        session: &mut Session,
        list: Vec<(Uid, Wanted)>,
    ) -> Result<Vec<(Uid, Wanted)>, Error> {
        let mut wanted: BTreeMap<(InternetMessageId, u64), Vec<Wanted>> = BTreeMap::new();
        for (_, one) in list {
            if let Some(id) = one.message_id.clone() {
                wanted.entry((id, one.size)).or_default().push(one);
            }
        }
        let all = session.search_all_uids().await?;
        let mut found = Vec::new();
        let mut looked = 0;
        for asked in plan::newest_first(&all, 500, 2000) {
            if wanted.is_empty() || looked >= RELEARNT {
                break;
            }
            looked += asked.len();
            let mut take = |summary: Summary| {
                let Some(id) = parse_header(&summary.header).envelope.message_id else {
                    return;
                };
                let key = (id, summary.size);
                let Some(list) = wanted.get_mut(&key) else {
                    return;
                };
                if let Some(one) = list.pop() {
                    found.push((summary.uid, one));
                }
                if list.is_empty() {
                    wanted.remove(&key);
                }
            };
            session.fetch_headers(&asked, &mut take).await?;
        }
        Ok(found)
    }

    /// One message that somebody waits for; done when it is here. False where no server has it.
    pub async fn fetch_one(
        &mut self,
        post: &Post,
        session: &mut Session,
        message: MessageId,
    ) -> Result<bool, Error> {
        let store = &post.core.store;
        let Some(record) = store.message(message).await? else {
            return Ok(false);
        };
        for placement in store.placements_of(message).await? {
            let Some(uid) = placement.uid else { continue };
            let Some(row) = find_mailbox(post, placement.mailbox).await? else {
                continue;
            };
            let Some(state) = row.sync else { continue };
            let wanted = Wanted {
                message,
                message_id: record.envelope.message_id.clone(),
                received: record.received,
                size: record.size,
            };
            let found = self.open(session, &row, state.uid_validity).await?;
            let mut list = vec![(uid, wanted)];
            if found != state.uid_validity {
                tell_unlasting(post, &row);
                list = self.relearn(session, list).await?;
            }
            self.fetch(post, session, &row, found, list).await?;
            self.settle(post).await?;
            return Ok(true);
        }
        Ok(false)
    }

    /// Says of these mailboxes how many bodies the server did not hand over in this sweep.
    pub fn tell_withheld(&mut self, post: &Post, mailboxes: &[MailboxRow]) {
        let withheld = self.queue.take_withheld();
        for row in mailboxes {
            let topic = Topic::WithoutBody(post.id, row.id);
            let Some(count) = withheld.get(&row.id) else {
                post.core.clear(topic);
                continue;
            };
            let what = format!(
                "the server does not hand over {count} messages of “{}” that it lists; they are asked for again each time",
                row.name.path
            );
            post.core.raise(topic, &Error::new(ErrorClass::Protocol, what));
        }
    }
}

/// Bodies as they come; large ones in pieces, which a lost connection does not undo.
async fn fetch_over(
    session: &mut Session,
    partial: &Path,
    uids: &[(Uid, u64)],
    key: impl Fn(Uid) -> String,
    out: &mpsc::Sender<Body>,
) -> Result<UidSet, Error> {
    let (large, small): (Vec<_>, Vec<_>) = uids.iter().copied().partition(|(_, size)| *size > LARGE);
    let mut received = UidSet::default();
    if !small.is_empty() {
        received = session.fetch_bodies(&small, out).await?;
    }
    for (uid, size) in large {
        let mut part = match PartialBody::open(partial, &key(uid)) {
            Ok(part) => part,
            // Somebody waits for this very message, and has it under way.
            Err(error) if error.class == ErrorClass::Refused => continue,
            Err(error) => return Err(error.into()),
        };
        if let Some(payload) = session.fetch_large(uid, size, &mut part).await? {
            if out.send(Body { uid, payload }).await.is_err() {
                return Err(Error::new(ErrorClass::Network, "the download was stopped"));
            }
            received.insert(uid);
        }
    }
    Ok(received)
}

/// The mailbox under the name by which the server knows it now.
async fn find_mailbox(post: &Post, id: MailboxId) -> Result<Option<MailboxRow>, Error> {
    let row = post.core.store.mailbox(id).await?;
    let operations = post.core.store.operations(Some(post.id)).await?;
    Ok(on_server(row.into_iter().collect(), &operations).pop())
}

fn tell_unlasting(post: &Post, row: &MailboxRow) {
    let what = format!(
        "the server numbers the messages of “{}” anew whenever it is opened: each time all of them have to be looked through",
        row.name.path
    );
    let topic = Topic::Unlasting(post.id, row.id);
    post.core.raise(topic, &Error::new(ErrorClass::Protocol, what));
}

/// Messages of the account without their body.
pub async fn headers_only(post: &Post) -> Result<u64, Error> {
    let accounts = post.core.store.accounts().await?;
    let account = accounts.iter().find(|row| row.id == post.id);
    Ok(account.map_or(0, |row| row.headers_only))
}
