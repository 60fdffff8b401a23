//! Whose word on the author of a message counts for an account: what the user named, else what the account's own
//! mail tells.

use posthorn_mime::{Trusted, learn_trusted, topmost_received};
use posthorn_model::query::{PageStart, View};
use posthorn_model::{AccountId, BodyState, SpecialUse};

use crate::Error;
use crate::reading::catalog::header_block;
use crate::shared::Core;

/// Messages of the inbox that are learnt from.
const LESSONS: u32 = 12;
/// Bytes: larger messages cost too much for what their first line tells.
const SMALL: u64 = 256 * 1024;

/// # Errors
/// Where the store fails.
pub async fn trusted(core: &Core, account: AccountId) -> Result<Trusted, Error> {
    let named = core.with_reading(|settings| {
        let mut accounts = settings.now().accounts.iter();
        accounts.find(|named| named.id == account).map(|named| Trusted {
            ids: named.servers.clone(),
            strips: named.removes_forged,
        })
    });
    if let Some(named) = named {
        return Ok(named);
    }
    let Some(config) = core.config(account) else {
        return Ok(Trusted::default());
    };
    let (host, email) = (config.incoming.host, config.identity.email);
    if let Some(known) = core.trust(account, &host, &email) {
        return Ok(known);
    }
    let received = received(core, account).await?;
    let learnt = learn_trusted(&host, &email, &received);
    // With nothing to learn from, the next message may tell more.
    if !received.is_empty() {
        core.learn_trust(account, &host, &email, &learnt);
    }
    Ok(learnt)
}

/// How recent messages came in.
async fn received(core: &Core, account: AccountId) -> Result<Vec<String>, Error> {
    let mailboxes = core.store.mailboxes(Some(account)).await?;
    let inbox = mailboxes
        .iter()
        .find(|row| row.special_use == Some(SpecialUse::Inbox));
    let Some(inbox) = inbox else {
        return Ok(Vec::new());
    };
    let page = core
        .store
        .page(View::Mailbox(inbox.id), PageStart::Newest, LESSONS as usize)
        .await?;
    let mut found = Vec::new();
    for row in page.rows {
        if row.body != BodyState::Whole || row.size > SMALL {
            continue;
        }
        let Some(hash) = core
            .store
            .message(row.message)
            .await?
            .and_then(|record| record.hash)
        else {
            continue;
        };
        let raw = core.store.raw(hash).await?;
        found.extend(raw.and_then(|raw| topmost_received(header_block(&raw))));
    }
    Ok(found)
}
