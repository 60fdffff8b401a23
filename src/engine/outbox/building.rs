//! Messages that the engine writes itself, because the user asked for what they say.

use posthorn_mime::compose::{self, Built, Draft};
use posthorn_model::Timestamp;

use crate::Error;

/// # Errors
/// `Config` where nothing can be sent to one of the recipients; `Bug` without randomness.
pub fn build(draft: &Draft, now: Timestamp) -> Result<Built, Error> {
    let random = random()?;
    let id = compose::message_id(&draft.identity, &random);
    let built = compose::build(draft, now, &id, seed(&random));
    match built.refused.first() {
        Some(refused) => Err(Error::config(format!(
            "{:?} is not a mail address",
            refused.email
        ))),
        None => Ok(built),
    }
}

/// 32 hexadecimal digits.
///
/// # Errors
/// `Bug` where the system has none.
pub fn random() -> Result<String, Error> {
    let mut bytes = [0_u8; 16];
    getrandom::fill(&mut bytes).map_err(|error| Error::bug(format!("no randomness: {error}")))?;
    Ok(bytes.iter().map(|byte| format!("{byte:02x}")).collect())
}

/// A number from them.
pub fn seed(random: &str) -> u64 {
    u64::from_str_radix(random.get(..16).unwrap_or_default(), 16).unwrap_or(0)
}
