//! What a forecast is made from: the maildrop as it was left, or as the server lists it now. Changes nothing, here or
//! there.

use posthorn_model::{AccountId, Protocol, Timestamp};

use super::driver::{checked_key, hides_mail, sign_in, tripped_key};
use super::listing;
use super::plan::Ledger;
use crate::Error;
use crate::forecast::{Letter, Maildrop};
use crate::ops::wish::accept_key;
use crate::shared::Shared;

/// As the last check left it.
///
/// # Errors
/// What the store says.
pub async fn remember(core: &Shared, account: AccountId) -> Result<Maildrop, Error> {
    let mut maildrop = Maildrop::remembered(load_ledger(core, account).await?);
    describe(core, account, &mut maildrop).await?;
    Ok(maildrop)
}

/// As the server lists it now. No message is marked for deletion, and RSET before QUIT (RFC 1939 section 5) takes back
/// whatever another hand might have marked in this session.
///
/// # Errors
/// `Config` for an account that is not a POP3 account; where the server cannot be reached or breaks off.
pub async fn look(core: &Shared, account: AccountId) -> Result<Maildrop, Error> {
    let config = core.config(account);
    let config = config.filter(|config| config.protocol == Protocol::Pop3);
    let config = config.ok_or_else(|| Error::config("this is not a POP3 account"))?;
    let ledger = load_ledger(core, account).await?;
    let _turn = core.take_maildrop(&config).await;
    let mut session = sign_in(core, account, &config).await?;
    let listed = listing::list(&mut session, core, account, &ledger).await?;
    let hides_fetched = hides_mail(&session);
    session.reset().await?;
    if let Err(error) = session.quit().await {
        log::info!("The server did not take leave: {error}.");
    }
    let mut maildrop = Maildrop {
        listed,
        ledger,
        hides_fetched,
        ..Maildrop::default()
    };
    describe(core, account, &mut maildrop).await?;
    maildrop.live = true;
    maildrop.checked_at = Some(core.now());
    Ok(maildrop)
}

async fn load_ledger(core: &Shared, account: AccountId) -> Result<Ledger, Error> {
    let rows = core.store.ledger(account).await?;
    Ok(rows.into_iter().map(|row| (row.uidl.clone(), row)).collect())
}

/// What the store knows beside the ledger.
async fn describe(core: &Shared, account: AccountId, maildrop: &mut Maildrop) -> Result<(), Error> {
    let letters = core.store.ledger_letters(account).await?;
    maildrop.letters = letters
        .into_iter()
        .map(|letter| {
            let shown = Letter {
                subject: letter.subject,
                from: letter.from,
                date: Some(letter.message.date()),
            };
            (letter.uidl, shown)
        })
        .collect();
    let checked = core.store.setting(&checked_key(account)).await?;
    maildrop.checked_at = checked.and_then(|text| Timestamp::parse_rfc3339(&text));
    maildrop.accepted = core.store.setting(&accept_key(account)).await?.is_some();
    maildrop.tripped = core.store.setting(&tripped_key(account)).await?.is_some();
    Ok(())
}
