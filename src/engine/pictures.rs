//! Pictures on servers: fetched where the reader says so, or the reader's rule does, and never otherwise.

use std::collections::{BTreeMap, VecDeque};
use std::path::Path;
use std::sync::Arc;
use std::sync::atomic::{AtomicBool, Ordering};

use posthorn_model::{ErrorClass, MessageId, NetworkPolicy};
use posthorn_net::pictures::{Bounds, fetch as fetch_from};
use posthorn_net::web::{Cleartext, Web, WebRules};

pub use posthorn_net::pictures::Fetched;
pub use posthorn_net::web::Fault;

use crate::Error;
use crate::catalog::Catalog;
use crate::reading::PictureRule;
use crate::shared::Shared;

/// Bytes of fetched pictures that are kept in memory.
const KEPT: usize = 64 << 20;

/// Who says that they may be fetched.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Consent {
    /// The reader, now, for this message.
    Once,
    /// The settings: fetched only where [`PictureRule::Show`] holds for this message.
    Rule,
}

/// Which pictures of which message.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct PictureRequest {
    pub message: MessageId,
    /// As the page names them, in its order.
    pub urls: Vec<String>,
    pub consent: Consent,
}

/// Fetches pictures without a profile, for `posthorn render --remote allow`. Blocks.
///
/// # Errors
/// Where trusted certificates cannot be read; what becomes of each picture is in the answer.
pub fn fetch(urls: &[String], ca_file: Option<&Path>) -> Result<Fetched, Error> {
    let web = Web::new(ca_file, WebRules::strict())?;
    let given_up = AtomicBool::new(false);
    let cleartext = Cleartext::WhereNothingElse;
    Ok(fetch_from(&web, urls, cleartext, &Bounds::default(), &given_up))
}

/// Gives up what is being fetched when nobody waits for it any more.
pub(crate) struct GiveUp(pub Arc<AtomicBool>);

impl Drop for GiveUp {
    fn drop(&mut self) {
        self.0.store(true, Ordering::Relaxed);
    }
}

/// # Errors
/// `Network` while offline; `Refused` where the rule that is named does not hold; `Config` for no such message.
pub(crate) async fn fetch_for(
    core: &Shared,
    request: PictureRequest,
    given_up: Arc<AtomicBool>,
) -> Result<Fetched, Error> {
    let reading = Catalog::new(Arc::clone(core)).reading(request.message).await?;
    let reading = reading.ok_or_else(|| Error::config("there is no such message"))?;
    if request.consent == Consent::Rule && reading.pictures != PictureRule::Show {
        return Err(Error::new(
            ErrorClass::Refused,
            "no rule allows this message's pictures",
        ));
    }
    if core.policy() == NetworkPolicy::Offline {
        return Err(Error::new(
            ErrorClass::Network,
            "posthorn works offline: no picture was fetched",
        ));
    }
    // Without encryption everybody on the way sees who reads what: only where the reader has just said yes.
    let cleartext = match request.consent {
        Consent::Once => Cleartext::WhereNothingElse,
        Consent::Rule => Cleartext::Never,
    };
    let (mut here, missing) = core.with_pictures(|cache| cache.take(request.message, &request.urls));
    if missing.is_empty() {
        return Ok(here);
    }
    let web = core.web().await?;
    let fetching = tokio::task::spawn_blocking(move || {
        fetch_from(&web, &missing, cleartext, &Bounds::default(), &given_up)
    });
    let fetched = fetching
        .await
        .map_err(|_| Error::bug("fetching the pictures failed unexpectedly"))?;
    core.with_pictures(|cache| cache.keep(request.message, &fetched));
    here.extend(fetched);
    Ok(here)
}

/// Pictures that were fetched since the start, by message: opening it again asks no server again, and no message can
/// tell by what another one brought. In memory only: a file would tell what was read.
#[derive(Debug, Default)]
pub(crate) struct Cache {
    kept: BTreeMap<MessageId, BTreeMap<String, Arc<[u8]>>>,
    /// The message fetched longest ago first.
    order: VecDeque<MessageId>,
    bytes: usize,
}

impl Cache {
    /// What is here, and what is not.
    fn take(&self, message: MessageId, urls: &[String]) -> (Fetched, Vec<String>) {
        let known = self.kept.get(&message);
        let (mut here, mut missing) = (Fetched::new(), Vec::new());
        for url in urls {
            match known.and_then(|known| known.get(url)) {
                Some(bytes) => {
                    here.insert(url.clone(), Ok(bytes.to_vec()));
                }
                None => missing.push(url.clone()),
            }
        }
        (here, missing)
    }

    fn keep(&mut self, message: MessageId, fetched: &Fetched) {
        let came = fetched
            .iter()
            .filter_map(|(url, came)| Some((url, came.as_ref().ok()?)));
        let known = self.kept.entry(message).or_default();
        for (url, bytes) in came {
            let old = known.insert(url.clone(), bytes.as_slice().into());
            self.bytes = self.bytes.saturating_sub(old.map_or(0, |old| old.len())) + bytes.len();
        }
        self.order.retain(|other| *other != message);
        self.order.push_back(message);
        while self.bytes > KEPT
            && let Some(oldest) = self.order.pop_front()
        {
            let gone = self.kept.remove(&oldest).unwrap_or_default();
            let gone: usize = gone.values().map(|bytes| bytes.len()).sum();
            self.bytes = self.bytes.saturating_sub(gone);
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn pictures_are_kept_by_message_and_within_bounds() {
        let mut cache = Cache::default();
        let fetched = |size: usize| -> Fetched {
            [
                ("u".to_owned(), Ok(vec![1; size])),
                ("v".to_owned(), Err(Fault::TooSlow)),
            ]
            .into()
        };
        let urls = ["u".to_owned(), "v".to_owned()];
        cache.keep(MessageId(1), &fetched(10));
        let (here, missing) = cache.take(MessageId(1), &urls);
        assert_eq!(
            (here.len(), missing),
            (1, vec!["v".to_owned()]),
            "a failure is tried again"
        );
        assert_eq!(
            cache.take(MessageId(2), &urls).0.len(),
            0,
            "another message asks for itself"
        );
        cache.keep(MessageId(1), &fetched(20));
        assert_eq!(cache.bytes, 20);
        for n in 2..10 {
            cache.keep(MessageId(n), &fetched(KEPT / 4));
        }
        assert!(cache.bytes <= KEPT);
        assert_eq!(cache.take(MessageId(1), &urls).0.len(), 0);
        assert_eq!(cache.take(MessageId(9), &urls).0.len(), 1);
    }
}
