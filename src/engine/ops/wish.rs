//! Carries out a wish: gathers what it touches, lets [`super::apply`] decide, and commits it all in one
//! transaction with the way back.

use posthorn_model::{
    AccountId, Appearance, BodyState, ErrorClass, FlagChange, Hash, LedgerRow, MailboxId, MessageId,
    NetworkPolicy, OperationState, ReadingSettings, SpecialUse, SubmissionId, SubmissionState,
};
use posthorn_store::Durability;
use posthorn_store::write::{NewMessage, Write};

use super::apply::{Applier, Effect, Facts, Intent, Placed, Room};
use super::undo;
use crate::catalog::APPEARANCE;
use crate::command::{Command, Receipt, Selection};
use crate::event::Event;
use crate::reading::settings;
use crate::shared::Core;
use crate::{Error, link, outbox};

/// Intents that can be taken back.
const REMEMBERED: usize = 20;

/// The settings' keys of remembered intents.
pub const UNDO: &str = "undo/";

/// What a wish has done, and whom to tell.
#[derive(Debug, Default)]
pub struct Outcome {
    pub receipt: Receipt,
    /// Accounts with something new for their server.
    pub wake: Vec<AccountId>,
    pub check: Vec<AccountId>,
    /// Accounts with something to send.
    pub send: Vec<AccountId>,
    pub fetch: Option<(AccountId, MessageId)>,
}

/// # Errors
/// Where nothing was changed.
pub async fn perform(core: &Core, command: Command) -> Result<Outcome, Error> {
    match command {
        Command::Flag { selection, change } => act(core, &selection, Act::Flag(change)).await,
        Command::Move { selection, to } => act(core, &selection, Act::Move(to)).await,
        Command::Copy { selection, to } => act(core, &selection, Act::Copy(to)).await,
        Command::Delete(selection) => act(core, &selection, Act::Delete).await,
        Command::Archive(selection) => act(core, &selection, Act::File(SpecialUse::Archive)).await,
        Command::Junk(selection) => act(core, &selection, Act::File(SpecialUse::Junk)).await,
        Command::DiscardDraft(message) => {
            let selection = Selection {
                messages: vec![message],
                mailbox: None,
            };
            act(core, &selection, Act::Discard).await
        }
        Command::CreateMailbox { account, path } => super::housekeeping::create(core, account, &path).await,
        Command::RenameMailbox { mailbox, path } => super::housekeeping::rename(core, mailbox, &path).await,
        Command::DeleteMailbox {
            mailbox,
            with_messages,
        } => super::housekeeping::delete(core, mailbox, with_messages).await,
        Command::ExpungeMailbox { mailbox, with_others } => {
            super::housekeeping::expunge(core, mailbox, with_others).await
        }
        Command::SubscribeMailbox { mailbox, on } => super::housekeeping::subscribe(core, mailbox, on).await,
        Command::Undo { intent } => undo::take_back(core, intent).await,
        Command::SaveDraft {
            account,
            raw,
            replaces,
        } => super::draft::save(core, account, raw, replaces).await,
        Command::FetchBody(message) => fetch_body(core, message).await,
        Command::CheckNow(accounts) => Ok(Outcome {
            check: known_or_all(core, accounts),
            ..Outcome::default()
        }),
        Command::SetNetwork(policy) => set_network(core, policy).await,
        Command::SetAppearance(appearance) => set_appearance(core, appearance).await,
        Command::AllowPictures(sender) => change_reading(core, |now| settings::allow(now, sender)),
        Command::ForbidPictures(sender) => change_reading(core, |now| settings::forbid(now, sender)),
        Command::ForgetPictures(sender) => change_reading(core, |now| settings::forget(now, &sender)),
        Command::SetReading(next) => change_reading(core, |now| *now = *next),
        Command::AcceptDisappearance(account) => accept(core, account).await,
        Command::Resend(id) => outbox::submit::resend(core, id).await,
        Command::CancelSubmission(id) => outbox::submit::cancel(core, id).await,
        Command::MarkSent(id) => outbox::submit::mark_sent(core, id).await,
    }
}

/// Kept for the next start first: what the user sees is what holds.
async fn set_network(core: &Core, policy: NetworkPolicy) -> Result<Outcome, Error> {
    let kept = Write::PutSetting {
        key: link::NETWORK.to_owned(),
        value: (policy != NetworkPolicy::default()).then(|| policy.name().to_owned()),
    };
    core.store.apply(vec![kept], Durability::Normal).await?;
    let old = core.set_network(|network| network.chosen = policy);
    let back = old.in_effect() == NetworkPolicy::Offline && !core.is_offline();
    let accounts = if back { core.account_ids() } else { Vec::new() };
    Ok(Outcome {
        check: accounts.clone(),
        send: accounts,
        ..Outcome::default()
    })
}

async fn set_appearance(core: &Core, appearance: Appearance) -> Result<Outcome, Error> {
    let kept = Write::PutSetting {
        key: APPEARANCE.to_owned(),
        value: (appearance != Appearance::default()).then(|| appearance.name().to_owned()),
    };
    core.store.apply(vec![kept], Durability::Normal).await?;
    Ok(Outcome::default())
}

fn change_reading(core: &Core, change: impl FnOnce(&mut ReadingSettings)) -> Result<Outcome, Error> {
    if core.with_reading(|settings| settings.change(change))? {
        core.hub.publish(&Event::ReadingChanged);
    }
    Ok(Outcome::default())
}

fn known_or_all(core: &Core, accounts: Vec<AccountId>) -> Vec<AccountId> {
    if accounts.is_empty() {
        core.account_ids()
    } else {
        accounts
    }
}

/// What is done to messages.
enum Act {
    Flag(FlagChange),
    Move(MailboxId),
    Copy(MailboxId),
    Delete,
    File(SpecialUse),
    Discard,
}

impl Act {
    fn decide(&self, applier: &mut Applier<'_>) -> Result<(), Error> {
        match self {
            Self::Flag(change) => applier.flag(change),
            Self::Move(to) => applier.move_to(*to),
            Self::Copy(to) => applier.copy_to(*to),
            Self::Delete => applier.delete(),
            Self::File(purpose) => applier.file(*purpose),
            Self::Discard => applier.discard(),
        }
    }
}

async fn act(core: &Core, selection: &Selection, act: Act) -> Result<Outcome, Error> {
    let to = match &act {
        Act::Copy(to) => Some(*to),
        _ => None,
    };
    let _local = core.local().await;
    let mut facts = gather(core, selection, to).await?;
    if facts.placed.is_empty() {
        return Err(Error::config("there is no such message"));
    }
    if let Act::Copy(to) | Act::Move(to) = &act {
        prepare_copies(core, &mut facts, *to).await?;
    }
    let intent = core.store.new_operation_id().0;
    let effect = {
        let mut new_id = || core.store.new_operation_id();
        let mut applier = Applier::new(&facts, intent, &mut new_id);
        act.decide(&mut applier)?;
        applier.finish()
    };
    commit(core, &facts, intent, effect).await
}

/// What the messages become in the account of `to`, where they are another's. Call with [`Core::local`] held.
async fn prepare_copies(core: &Core, facts: &mut Facts, to: MailboxId) -> Result<(), Error> {
    let Some(target) = facts.rooms.get(&to).map(|room| room.account) else {
        return Ok(());
    };
    let foreign: Vec<MessageId> = facts
        .placed
        .iter()
        .filter(|placed| {
            let room = facts.rooms.get(&placed.mailbox);
            room.is_some_and(|room| room.account != target)
        })
        .map(|placed| placed.message)
        .collect();
    for message in foreign {
        if facts.copies.contains_key(&message) {
            continue;
        }
        let Some(record) = core.store.message(message).await? else {
            continue;
        };
        let raw = match record.hash {
            Some(hash) => core.store.raw(hash).await?.map(|raw| (hash, raw)),
            None => None,
        };
        let copy = match raw {
            Some((hash, raw)) => {
                let size = raw.len() as u64;
                let parsed = posthorn_mime::parse(&raw);
                crate::intake::build_message(&core.store, target, hash, size, parsed, record.received)
            }
            None => NewMessage {
                id: core.store.message_id(record.date),
                account: target,
                envelope: record.envelope,
                received: record.received,
                size: record.size,
                has_attachments: record.has_attachments,
                body: None,
            },
        };
        facts.copies.insert(message, copy);
    }
    Ok(())
}

/// Writes the effect and its way back in one transaction.
pub async fn commit(core: &Core, facts: &Facts, intent: i64, effect: Effect) -> Result<Outcome, Error> {
    if effect.steps.is_empty() && effect.mailboxes.is_empty() {
        return Ok(Outcome::default());
    }
    let mut writes = effect.writes;
    writes.extend(remember(core, facts, intent, effect.steps, effect.mailboxes).await?);
    let account = touched(facts).or_else(|| effect.accounts.first().copied());
    core.apply(account.unwrap_or(AccountId(0)), writes, Durability::Full)
        .await?;
    Ok(Outcome {
        receipt: Receipt {
            intent: Some(intent),
            messages: effect.messages,
            ..Receipt::default()
        },
        wake: effect.accounts,
        ..Outcome::default()
    })
}

fn touched(facts: &Facts) -> Option<AccountId> {
    let first = facts.placed.first()?;
    facts.rooms.get(&first.mailbox).map(|room| room.account)
}

async fn remember(
    core: &Core,
    facts: &Facts,
    intent: i64,
    steps: Vec<super::apply::Step>,
    mailboxes: Vec<super::mailbox::Step>,
) -> Result<Vec<Write>, Error> {
    let record = Intent {
        id: intent,
        at: facts.now,
        steps,
        mailboxes,
    };
    let text = serde_json::to_string(&record)
        .map_err(|error| Error::bug(format!("the way back could not be written down: {error}")))?;
    let mut writes = vec![Write::PutSetting {
        key: format!("{UNDO}{intent:020}"),
        value: Some(text),
    }];
    let known = core.store.settings().await?;
    let old: Vec<&String> = known.keys().filter(|key| key.starts_with(UNDO)).collect();
    let surplus = (old.len() + 1).saturating_sub(REMEMBERED);
    writes.extend(old.into_iter().take(surplus).map(|key| Write::PutSetting {
        key: key.clone(),
        value: None,
    }));
    Ok(writes)
}

/// Everything that a wish about these messages may touch. Call with [`Core::local`] held.
pub async fn gather(core: &Core, selection: &Selection, to: Option<MailboxId>) -> Result<Facts, Error> {
    let mut facts = Facts {
        now: core.now(),
        ..Facts::default()
    };
    let mut messages = selection.messages.clone();
    messages.sort_unstable();
    messages.dedup();
    for message in messages {
        let Some(record) = core.store.message(message).await? else {
            continue;
        };
        let labelled = core.store.setting(&labels_key(record.account)).await?.is_some();
        if labelled {
            facts.labelled.insert(record.account);
        }
        for placement in core.store.placements_of(message).await? {
            if placement.uid.is_some() {
                facts.standing.insert((message, placement.mailbox));
            }
            let chosen = selection.mailbox.is_none_or(|only| only == placement.mailbox)
                || Some(placement.mailbox) == to;
            let placed = Placed {
                message,
                mailbox: placement.mailbox,
                uid: placement.uid,
                flags: placement.flags,
                base: placement.base,
                message_id: record.envelope.message_id.clone(),
                hash: record.hash,
                size: record.size,
            };
            if chosen {
                facts.placed.push(placed);
            } else if labelled {
                facts.beside.push(placed);
            }
        }
        for (account, row) in core.store.ledger_rows_of(message).await? {
            if let Some(config) = core.config(account) {
                let rows = facts.ledger.entry(message).or_default();
                rows.push((account, row, config.pop3.leave));
            }
        }
    }
    let operations = core.store.operations(None).await?;
    let leaving = super::mailbox::leaving(&operations);
    for row in core.store.mailboxes(None).await? {
        if leaving.contains(&row.id) {
            continue;
        }
        facts.rooms.insert(row.id, Room::from(&row));
    }
    for operation in operations {
        let unheard = operation.state != OperationState::Sent && operation.tries == 0;
        if unheard && matches!(operation.kind, posthorn_model::OperationKind::Append { .. }) {
            for target in &operation.targets {
                facts
                    .uploads
                    .insert((target.message, operation.mailbox), operation.id);
            }
        }
    }
    Ok(facts)
}

async fn fetch_body(core: &Core, message: MessageId) -> Result<Outcome, Error> {
    let record = core.store.message(message).await?;
    let record = record.ok_or_else(|| Error::config("there is no such message"))?;
    if let Some((account, row)) = core.store.ledger_of(message).await?
        && row.hash.is_none()
    {
        // By POP3 the rest comes with a check, and not before it is written down that it is wanted.
        let row = Box::new(LedgerRow { wanted: true, ..row });
        core.apply(account, vec![Write::PutLedger { account, row }], Durability::Full)
            .await?;
        return Ok(Outcome {
            check: vec![account],
            ..Outcome::default()
        });
    }
    Ok(Outcome {
        fetch: (record.body == BodyState::Headers).then_some((record.account, message)),
        ..Outcome::default()
    })
}

/// Kept in the store until the next whole pass has used it: the user may have looked in another process.
pub fn accept_key(account: AccountId) -> String {
    format!("accept-disappearance/{account}")
}

/// Kept once a server has said that its mailboxes are labels (X-GM-EXT-1): wishes are carried out here offline too.
pub fn labels_key(account: AccountId) -> String {
    format!("labels/{account}")
}

async fn accept(core: &Core, account: AccountId) -> Result<Outcome, Error> {
    let write = Write::PutSetting {
        key: accept_key(account),
        value: Some(core.now().to_string()),
    };
    core.apply(account, vec![write], Durability::Full).await?;
    Ok(Outcome {
        check: vec![account],
        ..Outcome::default()
    })
}

/// A submission that the user may decide about.
pub async fn submission(
    core: &Core,
    id: SubmissionId,
    allowed: &[SubmissionState],
) -> Result<posthorn_store::SubmissionRecord, Error> {
    let record = core.store.submission(id).await?;
    let record = record.ok_or_else(|| Error::config("there is no such message in the outbox"))?;
    if !allowed.contains(&record.state) {
        return Err(Error::new(
            ErrorClass::Config,
            format!("this message is {}: that cannot be done now", record.state.name()),
        ));
    }
    Ok(record)
}

/// Keeps raw bytes that were made here.
pub async fn keep(
    core: &Core,
    account: AccountId,
    mailbox: &str,
    flags: &posthorn_model::Flags,
    raw: Vec<u8>,
) -> Result<Hash, Error> {
    let input = posthorn_store::RawInput {
        source: posthorn_store::RawSource::Bytes(raw),
        provenance: posthorn_store::Provenance {
            account,
            mailbox: mailbox.to_owned(),
            uid: None,
            uidl: None,
            received: Some(core.now()),
            flags: flags.clone(),
        },
    };
    let hashes = core.store.keep_raw(vec![input]).await?;
    let hash = hashes.first().copied();
    hash.ok_or_else(|| Error::bug("the message was not kept"))
}
