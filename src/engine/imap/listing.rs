//! Asks for the list of mailboxes with what they hold, and brings ours in line: new ones, renamed ones, and at the
//! end of the pass those that are gone.

use std::collections::BTreeMap;

use posthorn_mime::parse_header;
use posthorn_model::{AccountId, ErrorClass, MailboxId, Remedy, Uid, UidSet};
use posthorn_net::imap::{Access, ListedMailbox, Session, Status, Summary};
use posthorn_store::write::{NewMailbox, Write};
use posthorn_store::{Durability, MailboxRow};

use super::folders::{self, Rename};
use crate::Error;
use crate::account::Post;
use crate::event::Doing;
use crate::ops::mailbox::{busy, overlay};
use crate::problem::Topic;

/// Messages compared before a mailbox that came is taken for one that went.
const COMPARED: usize = 3;

/// What the server says of the account's mailboxes.
pub struct Listing {
    pub statuses: BTreeMap<MailboxId, Status>,
    /// Known ones that it does not list.
    pub missing: Vec<MailboxId>,
}

pub async fn refresh(post: &Post, session: &mut Session) -> Result<Listing, Error> {
    let core = &post.core;
    core.progress(post.id, Doing::Listing, 0, 0);
    let mut listed = session.list().await?;
    let known = core.store.mailboxes(Some(post.id)).await?;
    tell_cut(post, folders::cut(&mut listed, &known));
    ask_statuses(session, &mut listed).await?;
    let operations = core.store.operations(Some(post.id)).await?;
    let ahead = overlay(listed.clone(), &known, &operations);
    let renamed = confirm(post, session, &known, &ahead).await?;
    let _local = core.local().await;
    let known = core.store.mailboxes(Some(post.id)).await?;
    let operations = core.store.operations(Some(post.id)).await?;
    let listed = overlay(listed, &known, &operations);
    let plan = folders::plan(&known, &listed, &busy(&operations), &renamed);
    let mut writes: Vec<Write> = Vec::new();
    let mut ids: BTreeMap<Vec<u8>, MailboxId> = known
        .iter()
        .filter(|row| !renamed.iter().any(|rename| rename.id == row.id))
        .map(|row| (row.name.wire.clone(), row.id))
        .collect();
    make_room(&known, &renamed, &mut writes);
    for (id, mailbox) in plan.put {
        let id = id.unwrap_or_else(|| core.store.new_mailbox_id());
        ids.insert(mailbox.name.wire.clone(), id);
        writes.push(Write::PutMailbox(describe(id, post.id, mailbox)));
    }
    // The server's own words for what it calls them.
    for mailbox in &listed {
        let row = ids.get(&mailbox.name.wire);
        let Some(id) = row.filter(|_| mailbox.mailbox_id.is_some()) else {
            continue;
        };
        let noted = known.iter().find(|row| row.id == *id);
        if noted.is_none_or(|row| row.object_id != mailbox.mailbox_id) {
            writes.push(Write::IdentifyMailbox {
                mailbox: *id,
                object_id: mailbox.mailbox_id.clone(),
            });
        }
    }
    core.apply(post.id, writes, Durability::Normal).await?;
    let statuses = listed.into_iter().filter_map(|mailbox| {
        let id = ids.get(&mailbox.name.wire)?;
        Some((*id, mailbox.status?))
    });
    Ok(Listing {
        statuses: statuses.collect(),
        missing: plan.missing,
    })
}

fn tell_cut(post: &Post, left_out: usize) {
    let topic = Topic::Mailboxes(post.id);
    if left_out == 0 {
        post.core.clear(topic);
        return;
    }
    let what = format!(
        "the server lists {} mailboxes: {left_out} of them are left out",
        folders::MOST + left_out
    );
    post.core.raise(topic, &Error::new(ErrorClass::Protocol, what));
}

/// What the list did not tell is asked for in one turn.
async fn ask_statuses(session: &mut Session, listed: &mut [ListedMailbox]) -> Result<(), Error> {
    let mut silent: Vec<&mut ListedMailbox> = listed
        .iter_mut()
        .filter(|mailbox| mailbox.selectable && mailbox.status.is_none())
        .collect();
    if silent.is_empty() {
        return Ok(());
    }
    let names: Vec<_> = silent.iter().map(|mailbox| mailbox.name.clone()).collect();
    let told = session.statuses(&names).await?;
    for (mailbox, status) in silent.iter_mut().zip(told) {
        if let Some(id) = status.as_ref().and_then(|status| status.mailbox_id.clone()) {
            mailbox.mailbox_id.get_or_insert(id);
        }
        mailbox.status = status;
    }
    Ok(())
}

/// Renames that are certain, and those that a look inside makes so.
async fn confirm(
    post: &Post,
    session: &mut Session,
    known: &[MailboxRow],
    listed: &[ListedMailbox],
) -> Result<Vec<Rename>, Error> {
    let mut sure = Vec::new();
    for rename in folders::renames(known, listed) {
        let row = known.iter().find(|row| row.id == rename.id);
        let mailbox = listed.iter().find(|mailbox| mailbox.name.wire == rename.wire);
        let (Some(row), Some(mailbox)) = (row, mailbox) else {
            continue;
        };
        if rename.certain || holds_the_same(post, session, row, mailbox).await? {
            log::info!("Mailbox {} has another name on the server.", row.id);
            sure.push(rename);
        }
    }
    Ok(sure)
}

/// Compares the newest messages by their Message-IDs.
async fn holds_the_same(
    post: &Post,
    session: &mut Session,
    row: &MailboxRow,
    mailbox: &ListedMailbox,
) -> Result<bool, Error> {
    let store = &post.core.store;
    let Some(last) = store.last_uid(row.id).await? else {
        return Ok(false);
    };
    let first = Uid::new(last.value().saturating_sub(200).max(1)).unwrap_or(last);
    let mut placed = store
        .placements_by_uids(row.id, &UidSet::range(first, last))
        .await?;
    placed.reverse();
    placed.truncate(COMPARED);
    let mut expected = BTreeMap::new();
    for placement in placed {
        let record = store.message(placement.message).await?;
        if let (Some(uid), Some(record)) = (placement.uid, record) {
            expected.insert(uid, record.envelope.message_id);
        }
    }
    let opened = session.select(&mailbox.name, Access::Examine, None).await;
    let selected = match opened {
        Ok(selected) => selected,
        Err(error) if error.class == ErrorClass::Refused => return Ok(false),
        Err(error) => return Err(error.into()),
    };
    if selected.uid_validity != row.sync.map(|state| state.uid_validity) {
        return Ok(false);
    }
    let uids: UidSet = expected.keys().copied().collect();
    let mut same = 0;
    let mut take = |summary: Summary| {
        let id = parse_header(&summary.header).envelope.message_id;
        if id.is_some() && expected.get(&summary.uid) == Some(&id) {
            same += 1;
        }
    };
    session.fetch_headers(&uids, &mut take).await?;
    Ok(same > 0 && same == expected.len())
}

/// Names are unique: where one takes another's, or they swap, all that change give up theirs first.
fn make_room(known: &[MailboxRow], renamed: &[Rename], writes: &mut Vec<Write>) {
    let taken = |rename: &Rename| known.iter().any(|row| row.name.wire == rename.wire);
    if !renamed.iter().any(taken) {
        return;
    }
    for row in known {
        let moves = renamed.iter().any(|rename| rename.id == row.id);
        let yields = renamed.iter().any(|rename| rename.wire == row.name.wire);
        if moves || yields {
            let mut name = row.name.clone();
            name.wire = format!("\0{}", row.id).into_bytes();
            writes.push(Write::PutMailbox(NewMailbox {
                id: row.id,
                account: row.account,
                name,
                delimiter: row.delimiter,
                special_use: row.special_use,
                selectable: row.selectable,
                subscribed: row.subscribed,
                local: row.local,
            }));
        }
    }
}

/// Removes mailboxes that are gone, unless so much mail would go with them that the user has to look first. Mail that
/// has arrived elsewhere does not count.
pub async fn remove_missing(post: &Post, missing: &[MailboxId], accepted: bool) -> Result<(), Error> {
    let core = &post.core;
    let topic = Topic::Vanished(post.id, None);
    if missing.is_empty() {
        core.clear(topic);
        return Ok(());
    }
    let _local = core.local().await;
    let known = core.store.mailboxes(Some(post.id)).await?;
    let busy = busy(&core.store.operations(Some(post.id)).await?);
    let leaving: Vec<MailboxId> = missing.iter().copied().filter(|id| !busy.contains(id)).collect();
    let lost = core.store.count_only_in(leaving.clone()).await?;
    if let Some(suspicion) = folders::suspect_removal(&known, lost, accepted) {
        let what = suspicion.explain("mailboxes that the server no longer lists");
        let error = Error {
            remedies: vec![Remedy::ReviewAndContinue],
            ..Error::new(ErrorClass::Suspicious, what)
        };
        core.raise(topic, &error);
        return Ok(());
    }
    core.clear(topic);
    let writes = leaving.into_iter().map(Write::RemoveMailbox).collect();
    core.apply(post.id, writes, Durability::Normal).await?;
    Ok(())
}

fn describe(id: MailboxId, account: AccountId, listed: ListedMailbox) -> NewMailbox {
    NewMailbox {
        id,
        account,
        name: listed.name,
        delimiter: listed.delimiter,
        special_use: listed.special_use,
        selectable: listed.selectable,
        subscribed: listed.subscribed,
        local: false,
    }
}
