//! Where passwords and tokens are kept: the system's keychain, a sealed file, or memory for this session.
//!
//! The keychain holds one random key per profile and no more, because some take no more than 2,560 bytes and OAuth
//! tokens are longer; the secrets lie in a file of the profile, sealed with that key. A machine without a keychain
//! has the same file sealed with a key from a passphrase. A file that cannot be read is never overwritten.
//!
//! Every call blocks, on the disk or on the user who is asked to unlock something: never call from the runtime.

mod sealed;
mod system;

use argon2::Argon2;
use posthorn_model::{ErrorClass, Remedy, Secret};
use std::collections::BTreeMap;
use std::path::{Path, PathBuf};
use std::sync::{Mutex, MutexGuard, PoisonError};
use zeroize::Zeroizing;

use crate::Error;
use sealed::{Key, Origin, Stretching, Vault};
use system::SystemKeychain;

/// A place for secrets, each under a key such as "account/3". Blocks.
pub trait SecretStore: Send + Sync {
    /// `None`: nothing is kept under this key.
    ///
    /// # Errors
    /// Where the place cannot be read, so that nobody takes a locked keychain for an empty one.
    fn load(&self, key: &str) -> Result<Option<Secret>, Error>;

    /// # Errors
    /// Where the secret is not durably kept.
    fn save(&self, key: &str, secret: &Secret) -> Result<(), Error>;

    /// Does nothing where nothing is kept.
    ///
    /// # Errors
    /// Where the secret may still be there.
    fn remove(&self, key: &str) -> Result<(), Error>;
}

/// The system's keychain, through a key for this profile.
pub struct Keychain {
    system: SystemKeychain,
    path: PathBuf,
    /// The profile's key, once the keychain has given it. Also keeps readers and writers of the file apart.
    key: Mutex<Option<Key>>,
}

impl Keychain {
    /// `profile_tag` names the profile in the keychain, in words that a user may read there; `dir` is the profile's,
    /// where `keychain.sealed` lies. Asks the keychain nothing yet.
    ///
    /// # Errors
    /// Class Bug where the system gives no thread.
    pub fn open(profile_tag: &str, dir: &Path) -> Result<Self, Error> {
        let system = SystemKeychain::start(profile_tag)?;
        Ok(Self {
            system,
            path: dir.join("keychain.sealed"),
            key: Mutex::default(),
        })
    }

    fn held(&self) -> MutexGuard<'_, Option<Key>> {
        self.key.lock().unwrap_or_else(PoisonError::into_inner)
    }

    /// The profile's key, or `None` where the keychain has none yet.
    fn key(&self, held: &mut Option<Key>) -> Result<Option<Key>, Error> {
        if held.is_none() {
            *held = self.system.load()?;
        }
        Ok(held.clone())
    }

    /// Opens the file with the profile's key, for a change. Where the keychain has lost the key, what was sealed with
    /// it is lost too: that file is set aside and the secrets begin anew.
    fn vault(&self, held: &mut Option<Key>) -> Result<Vault, Error> {
        let key = match self.key(held)? {
            Some(key) => key,
            None => {
                let key = sealed::random_key()?;
                self.system.save(&key)?;
                held.insert(key).clone()
            }
        };
        let open = || Vault::open(&self.path, |_| Ok((Origin::Keychain, key.clone())));
        match open() {
            Err(error) if matches!(error.class, ErrorClass::Auth | ErrorClass::Corrupt) => {
                let aside = sealed::set_aside(&self.path)?;
                log::warn!(
                    "The saved passwords could not be read and were set aside as {}.",
                    aside.display()
                );
                open()
            }
            opened => opened,
        }
    }
}

impl SecretStore for Keychain {
    fn load(&self, key: &str) -> Result<Option<Secret>, Error> {
        let mut held = self.held();
        if !sealed::exists(&self.path)? {
            return Ok(None);
        }
        let Some(profile_key) = self.key(&mut held)? else {
            let what = "the keychain no longer holds the key to the saved passwords: enter them again";
            return Err(Error::new(ErrorClass::Auth, "", what));
        };
        let vault = Vault::open(&self.path, |_| Ok((Origin::Keychain, profile_key)))?;
        Ok(vault.secrets.get(key).cloned())
    }

    fn save(&self, key: &str, secret: &Secret) -> Result<(), Error> {
        let mut held = self.held();
        let mut vault = self.vault(&mut held)?;
        vault.secrets.insert(key.to_owned(), secret.clone());
        vault.write()
    }

    fn remove(&self, key: &str) -> Result<(), Error> {
        let mut held = self.held();
        if !sealed::exists(&self.path)? {
            return Ok(());
        }
        let mut vault = self.vault(&mut held)?;
        if vault.secrets.remove(key).is_none() {
            return Ok(());
        }
        vault.write()
    }
}

/// A file sealed with a passphrase, for machines without a keychain.
pub struct SealedFile {
    path: PathBuf,
    passphrase: Secret,
    /// The stretched passphrase, and what it was stretched with.
    stretched: Mutex<(Stretching, Key)>,
}

impl SealedFile {
    /// Opens the file, or prepares to create it: it is written with the first secret. Takes a tenth of a second and
    /// 64 MB, by design.
    ///
    /// # Errors
    /// Auth: the passphrase is wrong. Corrupt: the file is damaged, and stays as it is. Config: no passphrase.
    pub fn open(path: &Path, passphrase: Secret) -> Result<Self, Error> {
        if passphrase.reveal().is_empty() {
            let what = "the sealed file of passwords needs a passphrase";
            return Err(Error::new(ErrorClass::Config, "", what).with_remedies(&[Remedy::EnterPassword]));
        }
        let mut stretched = None;
        Vault::open(path, |origin| {
            let found = stretch_for(origin, &passphrase)?;
            stretched = Some(found.clone());
            Ok((Origin::Passphrase(found.0), found.1))
        })?;
        let stretched =
            stretched.ok_or_else(|| Error::new(ErrorClass::Bug, "", "the passphrase was not used"))?;
        Ok(Self {
            path: path.to_path_buf(),
            passphrase,
            stretched: Mutex::new(stretched),
        })
    }

    fn vault(&self, stretched: &mut (Stretching, Key)) -> Result<Vault, Error> {
        Vault::open(&self.path, |origin| {
            // Another process may have begun the file with a salt of its own.
            if matches!(origin, Some(Origin::Passphrase(found)) if *found != stretched.0) {
                *stretched = stretch_for(origin, &self.passphrase)?;
            }
            Ok((Origin::Passphrase(stretched.0.clone()), stretched.1.clone()))
        })
    }

    fn held(&self) -> MutexGuard<'_, (Stretching, Key)> {
        self.stretched.lock().unwrap_or_else(PoisonError::into_inner)
    }
}

impl SecretStore for SealedFile {
    fn load(&self, key: &str) -> Result<Option<Secret>, Error> {
        Ok(self.vault(&mut self.held())?.secrets.get(key).cloned())
    }

    fn save(&self, key: &str, secret: &Secret) -> Result<(), Error> {
        let mut held = self.held();
        let mut vault = self.vault(&mut held)?;
        vault.secrets.insert(key.to_owned(), secret.clone());
        vault.write()
    }

    fn remove(&self, key: &str) -> Result<(), Error> {
        let mut held = self.held();
        let mut vault = self.vault(&mut held)?;
        if vault.secrets.remove(key).is_none() {
            return Ok(());
        }
        vault.write()
    }
}

fn stretch_for(origin: Option<&Origin>, passphrase: &Secret) -> Result<(Stretching, Key), Error> {
    let stretching = match origin {
        Some(Origin::Passphrase(found)) => found.clone(),
        _ => Stretching::new()?,
    };
    let key = stretch(passphrase, &stretching)?;
    Ok((stretching, key))
}

/// Kibibytes set aside for Argon2, of which only those in use are ever touched. glibc takes the size of what is given
/// back, up to 32 MiB, for what it may keep in each of its arenas from then on: the program's for as long as it runs.
const BLOCKS: usize = 33 * 1024;

/// Argon2id (RFC 9106).
fn stretch(passphrase: &Secret, with: &Stretching) -> Result<Key, Error> {
    let unfit = || {
        Error::new(
            ErrorClass::Corrupt,
            "",
            "the sealed file of passwords names impossible parameters",
        )
    };
    let parameters = argon2::Params::new(with.memory, with.passes, 1, None).map_err(|_| unfit())?;
    let argon = Argon2::new(argon2::Algorithm::Argon2id, argon2::Version::V0x13, parameters);
    let mut key = Zeroizing::new([0; 32]);
    let mut blocks = Vec::with_capacity(BLOCKS);
    blocks.resize(argon.params().block_count(), argon2::Block::default());
    argon
        .hash_password_into_with_memory(
            passphrase.reveal().as_bytes(),
            &with.salt,
            key.as_mut_slice(),
            &mut blocks,
        )
        .map_err(|_| unfit())?;
    Ok(key)
}

/// This process's memory: gone when it ends.
#[derive(Default)]
pub struct SessionSecrets(Mutex<BTreeMap<String, Secret>>);

impl SessionSecrets {
    fn held(&self) -> MutexGuard<'_, BTreeMap<String, Secret>> {
        self.0.lock().unwrap_or_else(PoisonError::into_inner)
    }
}

impl SecretStore for SessionSecrets {
    fn load(&self, key: &str) -> Result<Option<Secret>, Error> {
        Ok(self.held().get(key).cloned())
    }

    fn save(&self, key: &str, secret: &Secret) -> Result<(), Error> {
        self.held().insert(key.to_owned(), secret.clone());
        Ok(())
    }

    fn remove(&self, key: &str) -> Result<(), Error> {
        self.held().remove(key);
        Ok(())
    }
}

#[cfg(test)]
mod tests;
