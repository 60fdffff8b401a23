//! The file that holds secrets: three lines of text, sealed with XChaCha20-Poly1305.
//!
//! The first two lines say which key opens it and are authenticated with the rest; the third is nonce and ciphertext
//! in base64. A check value tells a wrong key from a damaged file. It is replaced whole or not at all.

use base64::Engine;
use base64::engine::general_purpose::STANDARD as BASE64;
use chacha20poly1305::aead::{Aead, KeyInit, Payload};
use chacha20poly1305::{XChaCha20Poly1305, XNonce};
use hmac::{Hmac, Mac};
use posthorn_model::{ErrorClass, Secret};
use sha2::Sha256;
use std::collections::BTreeMap;
use std::fmt;
use std::io::{self, Write};
use std::path::{Path, PathBuf};
use zeroize::Zeroizing;

use crate::Error;

pub(super) type Key = Zeroizing<[u8; 32]>;

const FIRST_LINE: &str = "posthorn-secrets 1";
/// Bytes of a file that is believed to be one.
const SIZE: u64 = 16 << 20;
const NONCE: usize = 24;
/// KiB and passes that a file may ask for: a damaged or planted one must not take all memory.
const MEMORY: std::ops::RangeInclusive<u32> = 8..=1 << 20;
const PASSES: std::ops::RangeInclusive<u32> = 1..=20;

/// How a passphrase becomes a key.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(super) struct Stretching {
    /// KiB.
    pub(super) memory: u32,
    pub(super) passes: u32,
    pub(super) salt: Vec<u8>,
}

impl Stretching {
    /// OWASP's first choice for Argon2id: the 64 MiB of RFC 9106 would be most of what the program uses. A file says
    /// how its own key is made, so older ones stay readable.
    pub(super) fn new() -> Result<Self, Error> {
        let mut salt = vec![0; 16];
        fill(&mut salt)?;
        Ok(Self {
            memory: 19 * 1024,
            passes: 2,
            salt,
        })
    }
}

/// Where the key of a file comes from.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(super) enum Origin {
    Keychain,
    Passphrase(Stretching),
}

impl fmt::Display for Origin {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Self::Keychain => f.write_str("keychain"),
            Self::Passphrase(Stretching { memory, passes, salt }) => {
                write!(f, "argon2id m={memory} t={passes} salt={}", BASE64.encode(salt))
            }
        }
    }
}

impl Origin {
    fn parse(text: &str) -> Option<Self> {
        if text == "keychain" {
            return Some(Self::Keychain);
        }
        let mut words = text.strip_prefix("argon2id ")?.split(' ');
        let memory = words
            .next()?
            .strip_prefix("m=")?
            .parse()
            .ok()
            .filter(|memory| MEMORY.contains(memory))?;
        let passes = words
            .next()?
            .strip_prefix("t=")?
            .parse()
            .ok()
            .filter(|passes| PASSES.contains(passes))?;
        let salt = BASE64.decode(words.next()?.strip_prefix("salt=")?).ok()?;
        let fits = words.next().is_none() && (8..=64).contains(&salt.len());
        fits.then_some(Self::Passphrase(Stretching { memory, passes, salt }))
    }
}

/// The secrets of a file, open.
pub(super) struct Vault {
    path: PathBuf,
    origin: Origin,
    key: Key,
    pub(super) secrets: BTreeMap<String, Secret>,
}

impl Vault {
    /// `unlock` gets the origin named in the file, `None` where there is no file yet, and gives the key.
    pub(super) fn open(
        path: &Path,
        unlock: impl FnOnce(Option<&Origin>) -> Result<(Origin, Key), Error>,
    ) -> Result<Self, Error> {
        let Some(text) = read(path)? else {
            let (origin, key) = unlock(None)?;
            return Ok(Self {
                path: path.to_path_buf(),
                origin,
                key,
                secrets: BTreeMap::new(),
            });
        };
        let damaged = || {
            let what = format!(
                "the file of saved passwords is damaged and was left as it is: {}",
                path.display()
            );
            Error::new(ErrorClass::Corrupt, "", what)
        };
        let file = SealedText::parse(&text).ok_or_else(damaged)?;
        let (origin, key) = unlock(Some(&file.origin))?;
        if origin != file.origin {
            let what = "the file of saved passwords was sealed in another way than the account is set to";
            return Err(Error::new(ErrorClass::Config, "", what));
        }
        if check_value(&key) != file.check {
            let what = match origin {
                Origin::Keychain => {
                    "the keychain holds another key than the saved passwords need: enter them again"
                }
                Origin::Passphrase(_) => "the passphrase for the saved passwords is wrong",
            };
            return Err(Error::new(ErrorClass::Auth, "", what));
        }
        let secrets = file.unseal(&key).ok_or_else(damaged)?;
        Ok(Self {
            path: path.to_path_buf(),
            origin,
            key,
            secrets,
        })
    }

    /// Durable when it returns.
    pub(super) fn write(&self) -> Result<(), Error> {
        let text = seal(&self.origin, &self.key, &self.secrets)?;
        replace(&self.path, text.as_bytes()).map_err(|error| trouble(&self.path, "written", &error))
    }
}

struct SealedText<'a> {
    origin: Origin,
    check: &'a str,
    /// The first two lines.
    head: &'a str,
    nonce: Vec<u8>,
    sealed: Vec<u8>,
}

impl<'a> SealedText<'a> {
    fn parse(text: &'a str) -> Option<Self> {
        let (first, rest) = text.split_once('\n')?;
        let (second, body) = rest.split_once('\n')?;
        let (origin, check) = second.strip_prefix("key ")?.rsplit_once(" check=")?;
        let mut nonce = BASE64.decode(body.strip_suffix('\n')?).ok()?;
        if first != FIRST_LINE || nonce.len() < NONCE {
            return None;
        }
        let sealed = nonce.split_off(NONCE);
        let head = text.get(..text.len() - body.len())?;
        Some(Self {
            origin: Origin::parse(origin)?,
            check,
            head,
            nonce,
            sealed,
        })
    }

    fn unseal(&self, key: &Key) -> Option<BTreeMap<String, Secret>> {
        let cipher = XChaCha20Poly1305::new_from_slice(key.as_slice()).ok()?;
        let payload = Payload {
            msg: &self.sealed,
            aad: self.head.as_bytes(),
        };
        let plain = Zeroizing::new(cipher.decrypt(XNonce::from_slice(&self.nonce), payload).ok()?);
        let map: BTreeMap<String, String> = serde_json::from_slice(&plain).ok()?;
        Some(
            map.into_iter()
                .map(|(key, text)| (key, Secret::new(text)))
                .collect(),
        )
    }
}

fn seal(origin: &Origin, key: &Key, secrets: &BTreeMap<String, Secret>) -> Result<String, Error> {
    let failed = || Error::new(ErrorClass::Bug, "", "the passwords could not be sealed");
    let map: BTreeMap<&str, &str> = secrets
        .iter()
        .map(|(key, secret)| (key.as_str(), secret.reveal()))
        .collect();
    let plain = Zeroizing::new(serde_json::to_vec(&map).map_err(|_| failed())?);
    let head = format!("{FIRST_LINE}\nkey {origin} check={}\n", check_value(key));
    let mut body = vec![0; NONCE];
    fill(&mut body)?;
    let cipher = XChaCha20Poly1305::new_from_slice(key.as_slice()).map_err(|_| failed())?;
    let payload = Payload {
        msg: &plain,
        aad: head.as_bytes(),
    };
    let sealed = cipher
        .encrypt(XNonce::from_slice(&body), payload)
        .map_err(|_| failed())?;
    body.extend_from_slice(&sealed);
    Ok(format!("{head}{}\n", BASE64.encode(body)))
}

/// Eight bytes by which a key is recognised, and which tell nothing else about it.
fn check_value(key: &Key) -> String {
    let Ok(mut mac) = <Hmac<Sha256> as Mac>::new_from_slice(key.as_slice()) else {
        return String::new();
    };
    mac.update(b"posthorn key check");
    mac.finalize()
        .into_bytes()
        .iter()
        .take(8)
        .map(|byte| format!("{byte:02x}"))
        .collect()
}

pub(super) fn random_key() -> Result<Key, Error> {
    let mut key = Zeroizing::new([0; 32]);
    fill(key.as_mut_slice())?;
    Ok(key)
}

fn fill(bytes: &mut [u8]) -> Result<(), Error> {
    getrandom::fill(bytes).map_err(|_| Error::new(ErrorClass::Bug, "", "the system gives no random numbers"))
}

pub(super) fn exists(path: &Path) -> Result<bool, Error> {
    path.try_exists().map_err(|error| trouble(path, "read", &error))
}

fn read(path: &Path) -> Result<Option<String>, Error> {
    match std::fs::metadata(path) {
        Err(error) if error.kind() == io::ErrorKind::NotFound => return Ok(None),
        Ok(found) if found.len() <= SIZE => {}
        Ok(_) => return Ok(Some(String::new())),
        Err(error) => return Err(trouble(path, "read", &error)),
    }
    let bytes = std::fs::read(path).map_err(|error| trouble(path, "read", &error))?;
    Ok(Some(String::from_utf8(bytes).unwrap_or_default()))
}

/// Renames a file that cannot be read to a name that is free, and gives that.
pub(super) fn set_aside(path: &Path) -> Result<PathBuf, Error> {
    for number in 1..10_000 {
        let mut name = path.as_os_str().to_owned();
        name.push(format!(".unreadable-{number}"));
        let aside = PathBuf::from(name);
        if !exists(&aside)? {
            std::fs::rename(path, &aside).map_err(|error| trouble(path, "set aside", &error))?;
            return Ok(aside);
        }
    }
    Err(Error::new(
        ErrorClass::Disk,
        "",
        "too many unreadable files of saved passwords are here already",
    ))
}

/// A new file beside the old one, on the disk, then in its place. Only the user may read it.
fn replace(path: &Path, bytes: &[u8]) -> io::Result<()> {
    let dir = path
        .parent()
        .filter(|dir| !dir.as_os_str().is_empty())
        .unwrap_or_else(|| Path::new("."));
    std::fs::create_dir_all(dir)?;
    let mut file = tempfile::NamedTempFile::new_in(dir)?;
    file.write_all(bytes)?;
    file.as_file().sync_all()?;
    file.persist(path)?;
    #[cfg(unix)]
    std::fs::File::open(dir)?.sync_all()?;
    Ok(())
}

fn trouble(path: &Path, done: &str, error: &io::Error) -> Error {
    let what = format!(
        "the file of saved passwords could not be {done} ({error}): {}",
        path.display()
    );
    Error::new(ErrorClass::Disk, "", what)
}
