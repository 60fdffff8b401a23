//! The system's keychain, on a thread of its own.
//!
//! keyring's calls block, wait for the user, and on Linux run an executor of their own, which panics where another
//! runtime is at work: so no thread but ours makes them. Each call has a deadline, because a keychain may wait for a
//! prompt that nobody sees.

use base64::Engine;
use base64::engine::general_purpose::STANDARD as BASE64;
use keyring_core::Error as KeyringError;
use posthorn_model::{ErrorClass, Remedy};
use std::sync::mpsc::{Receiver, Sender, channel};
use std::time::Duration;
use zeroize::Zeroizing;

use super::sealed::Key;
use crate::Error;

/// The name under which the keychain lists our key.
const SERVICE: &str = "org.posthorn.Posthorn";
/// Long enough for somebody to type the keychain's password.
const PATIENCE: Duration = Duration::from_secs(120);

enum Request {
    Load,
    Save(Key),
}

type Answer = Result<Option<Key>, Error>;

pub(super) struct SystemKeychain {
    requests: Sender<(Request, Sender<Answer>)>,
}

impl SystemKeychain {
    pub(super) fn start(profile_tag: &str) -> Result<Self, Error> {
        let (requests, incoming) = channel();
        let tag = profile_tag.to_owned();
        std::thread::Builder::new()
            .name("keychain".to_owned())
            .spawn(move || serve(&tag, &incoming))
            .map_err(|_| Error::new(ErrorClass::Bug, "", "no thread could be had for the keychain"))?;
        Ok(Self { requests })
    }

    /// `None`: the keychain answers, and has no key for this profile.
    pub(super) fn load(&self) -> Result<Option<Key>, Error> {
        self.ask(Request::Load)
    }

    pub(super) fn save(&self, key: &Key) -> Result<(), Error> {
        self.ask(Request::Save(key.clone())).map(|_| ())
    }

    fn ask(&self, request: Request) -> Answer {
        let (answer, wait) = channel();
        let gone = || Error::new(ErrorClass::Bug, "", "the keychain's thread has ended");
        self.requests.send((request, answer)).map_err(|_| gone())?;
        match wait.recv_timeout(PATIENCE) {
            Ok(answer) => answer,
            Err(std::sync::mpsc::RecvTimeoutError::Timeout) => {
                let what = "the system's keychain does not answer: it may be waiting to be unlocked";
                Err(Error::new(ErrorClass::Auth, "", what).with_remedies(&[
                    Remedy::TryAgain,
                    Remedy::EnterPassword,
                    Remedy::CheckSettings,
                ]))
            }
            Err(std::sync::mpsc::RecvTimeoutError::Disconnected) => Err(gone()),
        }
    }
}

/// Ends when the last request can no longer come.
fn serve(tag: &str, requests: &Receiver<(Request, Sender<Answer>)>) {
    while let Ok((request, answer)) = requests.recv() {
        let done = entry(tag).and_then(|entry| match request {
            Request::Load => match entry.get_password().map(Zeroizing::new) {
                Ok(text) => Ok(Some(text)),
                Err(KeyringError::NoEntry) => Ok(None),
                Err(error) => Err(error),
            },
            Request::Save(key) => {
                let text = Zeroizing::new(BASE64.encode(key.as_slice()));
                entry.set_password(&text).map(|()| None)
            }
        });
        // Whoever asked may have given up.
        answer
            .send(
                done.map_err(|error| explain(&error))
                    .and_then(|text| text.map(|text| read_key(&text)).transpose()),
            )
            .ok();
    }
}

fn read_key(text: &str) -> Result<Key, Error> {
    let bytes = BASE64.decode(text).map(Zeroizing::new).ok();
    bytes
        .and_then(|bytes| Some(Zeroizing::new(<[u8; 32]>::try_from(bytes.as_slice()).ok()?)))
        .ok_or_else(|| {
            let what =
                "the keychain's entry for this profile is not what was put there; remove it there to go on";
            Error::new(ErrorClass::Corrupt, "", what)
        })
}

fn entry(tag: &str) -> Result<keyring_core::Entry, KeyringError> {
    if keyring_core::get_default_store().is_none() && keyring::Entry::store_status().is_err() {
        retry()?;
    }
    keyring_core::Entry::new(SERVICE, tag)
}

/// keyring remembers for ever that it found no service when it first looked; the user may have started one since.
#[cfg(all(unix, not(any(target_os = "macos", target_os = "ios", target_os = "android"))))]
fn retry() -> Result<(), KeyringError> {
    keyring_core::set_default_store(zbus_secret_service_keyring_store::Store::new()?);
    Ok(())
}

#[cfg(not(all(unix, not(any(target_os = "macos", target_os = "ios", target_os = "android")))))]
fn retry() -> Result<(), KeyringError> {
    Err(KeyringError::NoDefaultStore)
}

/// In words that help, and without what the entry holds.
fn explain(error: &KeyringError) -> Error {
    let (class, what, remedies): (_, String, &[Remedy]) = match error {
        KeyringError::NoStorageAccess(_) => (
            ErrorClass::Auth,
            "the system's keychain is locked: unlock it and try again".to_owned(),
            &[Remedy::TryAgain, Remedy::EnterPassword, Remedy::CheckSettings],
        ),
        KeyringError::PlatformFailure(cause) => (
            ErrorClass::Config,
            format!("{} ({cause})", ABSENT),
            &[Remedy::CheckSettings, Remedy::TryAgain],
        ),
        KeyringError::NoDefaultStore => (
            ErrorClass::Config,
            ABSENT.to_owned(),
            &[Remedy::CheckSettings, Remedy::TryAgain],
        ),
        KeyringError::Ambiguous(_) => (
            ErrorClass::Config,
            "the keychain has two entries for this profile: remove one there".to_owned(),
            &[Remedy::TryAgain],
        ),
        KeyringError::BadEncoding(_) | KeyringError::BadDataFormat(..) | KeyringError::BadStoreFormat(_) => (
            ErrorClass::Corrupt,
            "the keychain's entry for this profile cannot be read; remove it there to go on".to_owned(),
            &[Remedy::TryAgain],
        ),
        _ => (
            ErrorClass::Config,
            "the system's keychain does not keep passwords for this program".to_owned(),
            &[Remedy::CheckSettings],
        ),
    };
    Error::new(class, "", what).with_remedies(remedies)
}

const ABSENT: &str = "no keychain service answers on this system: start one (GNOME Keyring or KWallet, for example), \
                      or keep passwords in the sealed file or for the session only";
