//! What a connection that waits for news keeps in mind: which mailboxes there are, what was told of them last, and
//! when they are asked again.

use std::collections::{BTreeMap, BTreeSet};
use std::pin::Pin;
use std::task::{Context, Poll};
use std::time::Duration;

use posthorn_model::{ErrorClass, MailboxId, MailboxName, SpecialUse};
use posthorn_net::imap::{Access, News, Selected, Session, Status};
use posthorn_store::MailboxRow;
use tokio::time::{Instant, sleep};

use crate::Error;
use crate::account::Post;
use crate::link::Calm;
use crate::schedule::{self, Extent, Wanted, Watching};

/// One wait: every command within it is renewed earlier, and after it the plan is made anew.
const LONGEST: Duration = Duration::from_secs(20 * 60);

/// Mailboxes asked for their STATUS in one turn.
const TURN: usize = 100;

/// So often in a row a server may end the wait at once before it is taken for one that cannot wait.
const PATIENCE: u32 = 3;

/// Tests do not wait.
#[cfg(test)]
const HASTE: u32 = 100;
#[cfg(not(test))]
const HASTE: u32 = 1;

/// Whose session it is.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Perch {
    /// For waiting alone.
    Own,
    /// The actor's, between its passes: it must not be told of other mailboxes while it works.
    Shared,
}

/// What ends a wait before its time. May be asked again after it has happened.
pub struct Interrupt<'a>(Option<Pin<Box<dyn Future<Output = ()> + Send + 'a>>>);

impl<'a> Interrupt<'a> {
    pub fn by(future: impl Future<Output = ()> + Send + 'a) -> Self {
        Self(Some(Box::pin(future)))
    }

    pub fn never() -> Self {
        Self::by(std::future::pending())
    }

    pub const fn has_happened(&self) -> bool {
        self.0.is_none()
    }
}

impl Future for Interrupt<'_> {
    type Output = ();

    fn poll(mut self: Pin<&mut Self>, context: &mut Context<'_>) -> Poll<()> {
        if let Some(future) = &mut self.0 {
            std::task::ready!(future.as_mut().poll(context));
            self.0 = None;
        }
        Poll::Ready(())
    }
}

/// Waits for news on a session.
pub struct Lookout {
    rows: Vec<MailboxRow>,
    inbox: MailboxId,
    /// The STATUS that a pass was asked for last: the same again is no news.
    told: BTreeMap<MailboxId, Status>,
    asked: BTreeMap<MailboxId, Instant>,
    notified: bool,
    /// Waits in a row that the server ended at once.
    cut_short: u32,
    calm: Calm,
    begun: Instant,
}

impl Lookout {
    pub async fn new(post: &Post) -> Result<Self, Error> {
        let rows = load(post).await?;
        let inbox = rows.iter().find(|row| row.special_use == Some(SpecialUse::Inbox));
        let inbox = inbox.ok_or_else(|| Error::new(ErrorClass::Network, "the inbox is not known yet"))?;
        Ok(Self {
            inbox: inbox.id,
            rows,
            told: BTreeMap::new(),
            asked: BTreeMap::new(),
            notified: false,
            cut_short: 0,
            calm: Calm::default(),
            begun: Instant::now(),
        })
    }

    /// Opens the inbox on a session; false where the server tells nothing by itself.
    pub async fn settle_in(
        &mut self,
        post: &Post,
        session: &mut Session,
        perch: Perch,
    ) -> Result<bool, Error> {
        if !can_wait(session, perch) {
            return Ok(false);
        }
        self.rows = load(post).await?;
        let inbox = self.rows.iter().find(|row| row.id == self.inbox);
        let inbox = inbox.ok_or_else(|| Error::new(ErrorClass::Network, "the inbox is gone"))?;
        let (name, unread) = (inbox.name.clone(), inbox.unread);
        let selected = session.select(&name, Access::Examine, None).await?;
        self.notified = perch == Perch::Own && session.notify(true).await?;
        // What came between the last pass and now nobody tells; where there is no NOTIFY, the next question after
        // the other mailboxes does.
        if self.notified {
            post.hint(Extent::All);
        } else if self.is_news(self.inbox, &as_status(&selected, unread)) {
            post.hint(Extent::Mailboxes([self.inbox].into()));
        }
        Ok(self.notified || can_wait(session, perch))
    }

    pub const fn watching(&self) -> Watching {
        if self.notified {
            Watching::Everything
        } else {
            Watching::Inbox
        }
    }

    /// Asks whom it is time to ask, then waits for news once; hints at what they concern.
    pub async fn round(
        &mut self,
        post: &Post,
        session: &mut Session,
        interrupt: &mut Interrupt<'_>,
    ) -> Result<(), Error> {
        let mut wait = LONGEST;
        if !self.notified {
            self.ask(post, session).await?;
            if let Some(next) = self.next_question(post) {
                wait = wait.min(next.saturating_duration_since(Instant::now()));
            }
        }
        let begun = Instant::now();
        let news = session.wait_until(wait, interrupt).await?;
        if news.is_empty() && interrupt.has_happened() {
            return Ok(());
        }
        if news.is_empty() {
            return self.heard_nothing(begun.elapsed(), wait);
        }
        self.cut_short = 0;
        self.rows = load(post).await?;
        if news.contains(&News::Overflow) {
            self.notified = session.notify(true).await?;
        }
        if let Some(extent) = self.read(&news) {
            post.hint(extent);
        }
        tokio::select! {
            () = sleep(self.calm.after_news(self.begun.elapsed())) => {}
            () = interrupt => {}
        }
        Ok(())
    }

    /// A server that ends every wait at once must not keep us busy.
    fn heard_nothing(&mut self, waited: Duration, meant: Duration) -> Result<(), Error> {
        if waited * 2 >= meant {
            self.cut_short = 0;
            return Ok(());
        }
        self.cut_short += 1;
        if self.cut_short >= PATIENCE {
            return Err(Error::new(
                ErrorClass::Network,
                "the server ends every wait for news at once",
            ));
        }
        Ok(())
    }

    /// What news concern.
    fn read(&mut self, news: &[News]) -> Option<Extent> {
        let mut extent: Option<Extent> = None;
        for one in news {
            let concerned = match one {
                News::Selected => Extent::Mailboxes([self.inbox].into()),
                News::Mailboxes | News::Overflow => Extent::All,
                News::Mailbox { name, status } => match self.find(name) {
                    None => Extent::All,
                    Some(id) => {
                        if status.as_ref().is_some_and(|status| !self.is_news(id, status)) {
                            continue;
                        }
                        Extent::Mailboxes([id].into())
                    }
                },
            };
            extent = Some(match extent {
                Some(known) => known.merge(concerned),
                None => concerned,
            });
        }
        extent
    }

    fn find(&self, name: &MailboxName) -> Option<MailboxId> {
        let row = self.rows.iter().find(|row| row.name.wire == name.wire);
        row.map(|row| row.id)
    }

    fn is_news(&mut self, id: MailboxId, status: &Status) -> bool {
        let Some(row) = self.rows.iter().find(|row| row.id == id) else {
            return true;
        };
        let known = is_known(row, status);
        let before = self.told.insert(id, status.clone());
        !known && before.as_ref() != Some(status)
    }

    /// Asks the mailboxes whose time has come, in one turn.
    async fn ask(&mut self, post: &Post, session: &mut Session) -> Result<(), Error> {
        let now = Instant::now();
        let visited = post.core.visited();
        let mut due: Vec<(Wanted, MailboxId, MailboxName)> = Vec::new();
        for row in self.rows.iter().filter(|row| row.id != self.inbox) {
            let wanted = wanted(row, &visited);
            let every = interval(wanted, post);
            let last = self.asked.get(&row.id).copied();
            if every.is_some_and(|every| last.is_none_or(|last| now >= last + every)) {
                due.push((wanted, row.id, row.name.clone()));
            }
        }
        due.sort_by_key(|(wanted, ..)| std::cmp::Reverse(*wanted));
        due.truncate(TURN);
        if due.is_empty() {
            return Ok(());
        }
        let names: Vec<MailboxName> = due.iter().map(|(_, _, name)| name.clone()).collect();
        let statuses = session.statuses(&names).await?;
        self.rows = load(post).await?;
        let mut changed = BTreeSet::new();
        for ((_, id, _), status) in due.iter().zip(statuses) {
            self.asked.insert(*id, now);
            if status.is_some_and(|status| self.is_news(*id, &status)) {
                changed.insert(*id);
            }
        }
        if !changed.is_empty() {
            post.hint(Extent::Mailboxes(changed));
        }
        Ok(())
    }

    fn next_question(&self, post: &Post) -> Option<Instant> {
        let visited = post.core.visited();
        let others = self.rows.iter().filter(|row| row.id != self.inbox);
        others
            .filter_map(|row| {
                let every = interval(wanted(row, &visited), post)?;
                Some(
                    self.asked
                        .get(&row.id)
                        .map_or_else(Instant::now, |last| *last + every),
                )
            })
            .min()
    }
}

fn can_wait(session: &Session, perch: Perch) -> bool {
    let capabilities = session.capabilities();
    capabilities.has("IDLE") || (perch == Perch::Own && capabilities.has("NOTIFY"))
}

/// SELECT says all that STATUS does, but for the unread ones.
fn as_status(selected: &Selected, unread: u64) -> Status {
    Status {
        messages: selected.exists,
        unseen: u32::try_from(unread).unwrap_or(u32::MAX),
        uid_next: selected.uid_next,
        uid_validity: selected.uid_validity,
        highest_modseq: selected.highest_modseq,
        ..Status::default()
    }
}

fn interval(wanted: Wanted, post: &Post) -> Option<Duration> {
    schedule::status_interval(wanted, post.core.policy()).map(|every| every / HASTE)
}

fn wanted(row: &MailboxRow, visited: &BTreeSet<MailboxId>) -> Wanted {
    if visited.contains(&row.id) {
        Wanted::Visited
    } else if row.subscribed {
        Wanted::Subscribed
    } else {
        Wanted::No
    }
}

async fn load(post: &Post) -> Result<Vec<MailboxRow>, Error> {
    let mut rows = post.core.store.mailboxes(Some(post.id)).await?;
    rows.retain(|row| row.selectable && !row.local);
    Ok(rows)
}

/// Whether a STATUS says only what is here already. Where a server keeps no mod-sequences, flags may change with
/// nothing in it to show that: then the counts must do, and a look at everything once in a while.
fn is_known(row: &MailboxRow, status: &Status) -> bool {
    let Some(state) = row.sync else {
        return false;
    };
    status.uid_validity == Some(state.uid_validity)
        && status.uid_next == Some(state.uid_next)
        && u64::from(status.messages) == row.total
        && match (status.highest_modseq, state.highest_modseq) {
            (Some(now), Some(known)) => now == known,
            _ => u64::from(status.unseen) == row.unread,
        }
}

#[cfg(test)]
mod tests;
