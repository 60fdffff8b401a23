//! Passwords and tokens by the place that the user chose for them. Everything that blocks is on a blocking thread.

use std::path::PathBuf;
use std::sync::{Arc, Mutex, PoisonError};

use posthorn_model::{AccountId, Secret, SecretPlace};
use posthorn_net::keychain::{Keychain, SealedFile, SecretStore, SessionSecrets};

use crate::Error;

type Place = Arc<dyn SecretStore>;

/// Opens each place when it is first needed: a keychain may ask the user something.
#[derive(Clone)]
pub struct Secrets {
    inner: Arc<Inner>,
}

struct Inner {
    dir: PathBuf,
    /// Names this profile in the keychain.
    tag: String,
    key: Option<Secret>,
    session: Place,
    keychain: Mutex<Option<Place>>,
    file: Mutex<Option<Place>>,
}

impl Secrets {
    pub fn new(dir: PathBuf, tag: String, key: Option<Secret>) -> Self {
        Self {
            inner: Arc::new(Inner {
                dir,
                tag,
                key,
                session: Arc::new(SessionSecrets::default()),
                keychain: Mutex::default(),
                file: Mutex::default(),
            }),
        }
    }

    pub async fn load(&self, place: SecretPlace, account: AccountId) -> Result<Option<Secret>, Error> {
        self.with(place, move |store| store.load(&key_of(account))).await
    }

    pub async fn save(&self, place: SecretPlace, account: AccountId, secret: Secret) -> Result<(), Error> {
        self.with(place, move |store| store.save(&key_of(account), &secret))
            .await
    }

    pub async fn remove(&self, place: SecretPlace, account: AccountId) -> Result<(), Error> {
        self.with(place, move |store| store.remove(&key_of(account)))
            .await
    }

    async fn with<T: Send + 'static>(
        &self,
        place: SecretPlace,
        act: impl FnOnce(&dyn SecretStore) -> Result<T, posthorn_net::Error> + Send + 'static,
    ) -> Result<T, Error> {
        let inner = Arc::clone(&self.inner);
        let task = tokio::task::spawn_blocking(move || act(&*inner.open(place)?).map_err(Error::from));
        task.await
            .map_err(|_| Error::bug("reading the secret failed unexpectedly"))?
    }
}

impl Inner {
    fn open(&self, place: SecretPlace) -> Result<Place, Error> {
        match place {
            SecretPlace::Session => Ok(Arc::clone(&self.session)),
            SecretPlace::Keychain => open_once(&self.keychain, || {
                Ok(Arc::new(Keychain::open(&self.tag, &self.dir)?) as Place)
            }),
            SecretPlace::File => open_once(&self.file, || {
                let key = self.key.clone().ok_or_else(|| {
                    Error::config(
                        "the sealed file of passwords needs its key: set POSTHORN_SECRETS_KEY or enter it when asked",
                    )
                })?;
                Ok(Arc::new(SealedFile::open(&self.dir.join("secrets.sealed"), key)?) as Place)
            }),
        }
    }
}

/// A place that failed to open is tried again next time: the user may have unlocked it.
fn open_once(
    slot: &Mutex<Option<Place>>,
    open: impl FnOnce() -> Result<Place, Error>,
) -> Result<Place, Error> {
    let mut slot = slot.lock().unwrap_or_else(PoisonError::into_inner);
    match &*slot {
        Some(place) => Ok(Arc::clone(place)),
        None => {
            let place = open()?;
            *slot = Some(Arc::clone(&place));
            Ok(place)
        }
    }
}

fn key_of(account: AccountId) -> String {
    format!("account/{account}")
}
