//! Applies the rules: to a batch of mail that arrives, whose writes take the rules' along in one transaction, and,
//! asked for, to what a mailbox holds already.

use std::collections::{BTreeMap, BTreeSet};
use std::sync::Arc;

use posthorn_model::filter::Rule;
use posthorn_model::query::{PageStart, View};
use posthorn_model::{
    AccountId, Flag, FlagChange, Flags, MailboxId, MessageId, SpecialUse, Uid, UidValidity,
};
use posthorn_store::write::{NewMessage, Write};

use super::{Destination, Letter, Verdict, decide, needs_header};
use crate::Error;
use crate::command::{Receipt, Selection};
use crate::ops::apply::{Applier, Effect, Facts, Placed, Room};
use crate::ops::wish;
use crate::problem::Topic;
use crate::shared::Core;

/// Messages that one run looks at.
const MOST: u64 = 100_000;

/// One batch of arrivals in an inbox. Cheap where there are no rules.
pub struct Round {
    account: AccountId,
    inbox: MailboxId,
    rules: Arc<[Rule]>,
    taken: Vec<(Placed, u64, Verdict)>,
}

/// What the rules add to the batch.
#[derive(Default)]
pub struct Filtered {
    /// After the writes that place the messages.
    pub writes: Vec<Write>,
    /// Not worth a word to the user any more: moved away or marked as read.
    pub quiet: BTreeSet<MessageId>,
}

impl Round {
    pub fn open(core: &Core, account: AccountId, inbox: MailboxId) -> Self {
        Self {
            account,
            inbox,
            rules: core.with_rules(|rules| rules.list()),
            taken: Vec::new(),
        }
    }

    /// A message that is new here. `header`: its raw header block, or more of it.
    pub fn take(&mut self, new: &NewMessage, header: &[u8], uid: Option<Uid>, flags: &Flags) {
        if self.rules.is_empty() {
            return;
        }
        let letter = Letter {
            account: self.account,
            envelope: &new.envelope,
            header,
            size: new.size,
            has_attachments: new.has_attachments,
        };
        let verdict = decide(&self.rules, &letter);
        if verdict.is_empty() {
            return;
        }
        let placed = Placed {
            message: new.id,
            mailbox: self.inbox,
            uid,
            flags: flags.clone(),
            base: flags.clone(),
            message_id: new.envelope.message_id.clone(),
            hash: new.body.as_ref().map(|body| body.hash),
            size: new.size,
        };
        self.taken.push((placed, new.size, verdict));
    }

    /// What the rules do: here at once, and for IMAP as operations. Call with [`Core::local`] held, in the
    /// transaction that places the messages. `uid_validity`: of the inbox's UIDs, where a server gives them.
    pub async fn finish(self, core: &Core, uid_validity: Option<UidValidity>) -> Result<Filtered, Error> {
        let mut chosen = Vec::new();
        for (placed, size, verdict) in self.taken {
            if !was_here(core, self.account, &placed, size).await? {
                chosen.push((placed, verdict));
            }
        }
        if chosen.is_empty() {
            return Ok(Filtered::default());
        }
        let mut rooms = load_rooms(core, self.account).await?;
        if let Some(room) = rooms.rooms.get_mut(&self.inbox) {
            room.uid_validity = uid_validity.or(room.uid_validity);
        }
        let intent = core.store.new_operation_id().0;
        let effect = carry_out(core, &rooms, intent, &chosen)?;
        log::info!("Filters dealt with {} new messages.", chosen.len());
        let quiet = chosen
            .iter()
            .filter(|(_, verdict)| verdict.to.is_some() || verdict.change.add.contains(Flag::Seen));
        Ok(Filtered {
            quiet: quiet.map(|(placed, _)| placed.message).collect(),
            writes: effect.writes,
        })
    }
}

/// A message that another program moved back into the inbox is no new mail: a rule is applied once. A second copy by
/// way of a list has other headers, so another size; a provider's mailbox of all mail says nothing.
async fn was_here(core: &Core, account: AccountId, placed: &Placed, size: u64) -> Result<bool, Error> {
    let Some(message_id) = &placed.message_id else {
        return Ok(false);
    };
    for (known, known_size, _) in core.store.find_by_message_id(account, message_id).await? {
        if known_size != size || known == placed.message {
            continue;
        }
        for placement in core.store.placements_of(known).await? {
            let mailbox = core.store.mailbox(placement.mailbox).await?;
            let everything = matches!(
                mailbox.and_then(|row| row.special_use),
                Some(SpecialUse::All | SpecialUse::Important | SpecialUse::Flagged)
            );
            if !everything {
                return Ok(true);
            }
        }
    }
    Ok(false)
}

/// An account's mailboxes, for deciding; no message, and no ledger: a rule's move is not the user's act.
struct Rooms {
    rooms: BTreeMap<MailboxId, Room>,
    paths: BTreeMap<String, MailboxId>,
    account: AccountId,
}

async fn load_rooms(core: &Core, account: AccountId) -> Result<Rooms, Error> {
    let mut all = Rooms {
        rooms: BTreeMap::new(),
        paths: BTreeMap::new(),
        account,
    };
    let operations = core.store.operations(Some(account)).await?;
    let leaving = crate::ops::mailbox::leaving(&operations);
    for row in core.store.mailboxes(Some(account)).await? {
        // A rule moves nothing into a mailbox that is about to go.
        if leaving.contains(&row.id) {
            continue;
        }
        let room = Room::from(&row);
        if row.selectable {
            all.paths.insert(row.name.path, row.id);
        }
        all.rooms.insert(row.id, room);
    }
    Ok(all)
}

impl Rooms {
    fn find(&self, to: &Destination) -> Option<MailboxId> {
        match to {
            Destination::Mailbox(path) => find_path(&self.paths, path),
            Destination::Junk => self
                .rooms
                .values()
                .find(|room| room.special_use == Some(SpecialUse::Junk) && room.selectable)
                .map(|room| room.id),
        }
    }
}

/// By its path; where there is none, without regard to case.
fn find_path(paths: &BTreeMap<String, MailboxId>, path: &str) -> Option<MailboxId> {
    paths.get(path).copied().or_else(|| {
        let same = |known: &&String| known.to_lowercase() == path.to_lowercase();
        let name = paths.keys().find(same)?;
        paths.get(name).copied()
    })
}

/// Marks first, then moves: as the user would, and in the order in which the server is to hear of it.
fn carry_out(core: &Core, rooms: &Rooms, intent: i64, chosen: &[(Placed, Verdict)]) -> Result<Effect, Error> {
    let mut by_change: Vec<(FlagChange, Vec<Placed>)> = Vec::new();
    let mut by_target: BTreeMap<MailboxId, Vec<Placed>> = BTreeMap::new();
    let mut missing: BTreeSet<&Destination> = BTreeSet::new();
    for (placed, verdict) in chosen {
        let marked = Placed {
            flags: verdict.change.apply(&placed.flags),
            ..placed.clone()
        };
        if marked.flags != placed.flags {
            match by_change.iter_mut().find(|(change, _)| *change == verdict.change) {
                Some((_, group)) => group.push(placed.clone()),
                None => by_change.push((verdict.change.clone(), vec![placed.clone()])),
            }
        }
        if let Some(to) = &verdict.to {
            match rooms.find(to) {
                Some(target) => by_target.entry(target).or_default().push(marked),
                None => {
                    missing.insert(to);
                }
            }
        }
    }
    tell_missing(core, rooms.account, &missing);
    let mut effect = Effect::default();
    let mut new_id = || core.store.new_operation_id();
    let facts = |placed: Vec<Placed>| Facts {
        placed,
        rooms: rooms.rooms.clone(),
        now: core.now(),
        ..Facts::default()
    };
    let mut add = |more: Effect| {
        effect.writes.extend(more.writes);
        effect.steps.extend(more.steps);
        effect.accounts.extend(more.accounts);
    };
    for (change, group) in by_change {
        let facts = facts(group);
        let mut applier = Applier::new(&facts, intent, &mut new_id);
        applier.flag(&change)?;
        add(applier.finish());
    }
    for (target, group) in by_target {
        let facts = facts(group);
        let mut applier = Applier::new(&facts, intent, &mut new_id);
        applier.move_to(target)?;
        add(applier.finish());
    }
    effect.messages = chosen.len();
    effect.accounts.sort_unstable();
    effect.accounts.dedup();
    Ok(effect)
}

/// Mail that a rule cannot put anywhere stays in the inbox, and the user hears of it.
fn tell_missing(core: &Core, account: AccountId, missing: &BTreeSet<&Destination>) {
    let topic = Topic::Filters(Some(account));
    let Some(to) = missing.first() else {
        core.clear(topic);
        return;
    };
    let what = match to {
        Destination::Mailbox(path) => format!("{path:?}"),
        Destination::Junk => "for junk".to_owned(),
    };
    let words =
        format!("a filter wants to move mail to a mailbox {what} that is not there: it stays in the inbox");
    core.raise(topic, &Error::config(words));
}

/// What the rules would do to a message that is here.
#[derive(Clone, Debug)]
pub struct Tried {
    pub message: MessageId,
    pub subject: String,
    /// False where a rule looks at a field that is not here yet: then the verdict says nothing.
    pub complete: bool,
    pub verdict: Verdict,
}

/// What a run has found, and done.
#[derive(Clone, Debug, Default)]
pub struct Run {
    pub looked_at: u64,
    /// Passed over: a rule looks at fields of them that are not here yet.
    pub incomplete: u64,
    pub tried: Vec<Tried>,
    pub receipt: Receipt,
}

/// Tries the rules on one message.
pub async fn try_one(core: &Core, message: MessageId) -> Result<Option<Tried>, Error> {
    let rules = core.with_rules(|rules| rules.list());
    let Some(record) = core.store.message(message).await? else {
        return Ok(None);
    };
    let raw = match record.hash.filter(|_| needs_header(&rules)) {
        Some(hash) => core.store.raw(hash).await?,
        None => None,
    };
    let letter = Letter {
        account: record.account,
        envelope: &record.envelope,
        header: raw.as_deref().unwrap_or_default(),
        size: record.size,
        has_attachments: core
            .store
            .row(message)
            .await?
            .is_some_and(|row| row.has_attachments),
    };
    Ok(Some(Tried {
        message,
        complete: raw.is_some() || !needs_header(&rules),
        subject: record.envelope.subject.clone(),
        verdict: decide(&rules, &letter),
    }))
}

/// Tries the rules on everything in a mailbox; with `really`, does what they say, as one intent that can be undone.
pub async fn run(core: &Core, mailbox: MailboxId, really: bool) -> Result<(Run, wish::Outcome), Error> {
    let mut found = Run::default();
    let mut start = PageStart::Newest;
    loop {
        let page = core.store.page(View::Mailbox(mailbox), start, 500).await?;
        for row in &page.rows {
            found.looked_at += 1;
            match try_one(core, row.message).await? {
                Some(tried) if !tried.complete => found.incomplete += 1,
                Some(tried) if !tried.verdict.is_empty() => found.tried.push(tried),
                Some(_) | None => {}
            }
        }
        match page.next.filter(|_| found.looked_at < MOST) {
            Some(next) => start = PageStart::Before(next),
            None => break,
        }
    }
    if !really || found.tried.is_empty() {
        return Ok((found, wish::Outcome::default()));
    }
    let _local = core.local().await;
    let selection = Selection {
        messages: found.tried.iter().map(|one| one.message).collect(),
        mailbox: Some(mailbox),
    };
    let facts = wish::gather(core, &selection, None).await?;
    let Some(account) = facts.rooms.get(&mailbox).map(|room| room.account) else {
        return Err(Error::config("there is no such mailbox"));
    };
    let verdicts: BTreeMap<MessageId, &Verdict> = found
        .tried
        .iter()
        .map(|one| (one.message, &one.verdict))
        .collect();
    let chosen: Vec<(Placed, Verdict)> = facts
        .placed
        .iter()
        .filter_map(|placed| Some((placed.clone(), (*verdicts.get(&placed.message)?).clone())))
        .filter(|(placed, verdict)| {
            verdict.to.is_some() || verdict.change.apply(&placed.flags) != placed.flags
        })
        .collect();
    let rooms = load_rooms(core, account).await?;
    let intent = core.store.new_operation_id().0;
    let effect = carry_out(core, &rooms, intent, &chosen)?;
    let outcome = wish::commit(core, &facts, intent, effect).await?;
    found.receipt = outcome.receipt.clone();
    Ok((found, outcome))
}

/// Whether every mailbox that the rules name is there: for one account, or for at least one of all.
pub async fn check_targets(core: &Core, rules: &[Rule]) -> Result<(), Error> {
    let all = core.store.mailboxes(None).await?;
    for rule in rules {
        for action in &rule.actions {
            let posthorn_model::filter::Action::Move(path) = action else {
                continue;
            };
            let there = all.iter().any(|row| {
                row.selectable
                    && rule.account.is_none_or(|account| account == row.account)
                    && row.name.path.to_lowercase() == path.to_lowercase()
            });
            if !there {
                return Err(Error::config(format!("there is no mailbox {path:?} to move to")));
            }
        }
    }
    Ok(())
}
