//! The user's accounts in `accounts.toml`: readable by people, replaced in one step, and never holding a secret.

use std::fs;
use std::io::Write as _;
use std::path::{Path, PathBuf};

use posthorn_model::{AccountConfig, AccountId, AuthMethod, Pop3Policy, Protocol, Security};
use serde::{Deserialize, Serialize};

use crate::Error;
use crate::profile::disk;

const HEADER: &str = "# Posthorn's accounts. Passwords are not in here: they are in the keychain or in the sealed file.\n\
                      # The numbers in `id` tie an account to its stored mail: leave them as they are.\n\n";

/// The file's content.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
struct Document {
    /// The id of the next account: ids are never given twice, since stored mail hangs on them.
    next_id: i64,
    #[serde(default, rename = "account")]
    accounts: Vec<Entry>,
}

#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
struct Entry {
    id: AccountId,
    #[serde(flatten)]
    config: AccountConfig,
}

/// The accounts of a profile, as they are in the file.
#[derive(Clone, Debug)]
pub struct Accounts {
    path: PathBuf,
    document: Document,
}

impl Accounts {
    /// Reads the file; without one there are no accounts.
    ///
    /// # Errors
    /// `Config` for a file that cannot be understood, which is left as it is; `Disk`.
    pub fn load(config_dir: &Path) -> Result<Self, Error> {
        let path = config_dir.join("accounts.toml");
        let document = match fs::read_to_string(&path) {
            Ok(text) => parse(&text)
                .map_err(|why| Error::config(format!("cannot understand {}: {why}", path.display())))?,
            Err(error) if error.kind() == std::io::ErrorKind::NotFound => Document {
                next_id: 1,
                accounts: Vec::new(),
            },
            Err(error) if error.kind() == std::io::ErrorKind::InvalidData => {
                return Err(Error::config(format!(
                    "cannot understand {}: it is not text",
                    path.display()
                )));
            }
            Err(error) => return Err(disk(&path, "read", &error)),
        };
        Ok(Self { path, document })
    }

    pub fn iter(&self) -> impl Iterator<Item = (AccountId, &AccountConfig)> {
        self.document
            .accounts
            .iter()
            .map(|entry| (entry.id, &entry.config))
    }

    #[must_use]
    pub fn find(&self, id: AccountId) -> Option<&AccountConfig> {
        self.iter()
            .find(|(known, _)| *known == id)
            .map(|(_, config)| config)
    }

    /// Adds an account to the file.
    ///
    /// # Errors
    /// `Config` where it cannot work or its name is taken; `Disk`. Nothing is changed then.
    pub fn add(&mut self, config: AccountConfig) -> Result<AccountId, Error> {
        self.check(&config, None)?;
        let id = AccountId(self.document.next_id);
        let mut next = self.document.clone();
        next.next_id = next.next_id.saturating_add(1);
        next.accounts.push(Entry { id, config });
        self.replace(next)?;
        Ok(id)
    }

    /// Replaces an account's settings in the file.
    ///
    /// # Errors
    /// As [`Accounts::add`]; `Config` for an unknown account and for another protocol.
    pub fn update(&mut self, id: AccountId, config: AccountConfig) -> Result<(), Error> {
        self.check(&config, Some(id))?;
        let mut next = self.document.clone();
        let entry = next.accounts.iter_mut().find(|entry| entry.id == id);
        let entry = entry.ok_or_else(|| Error::config("there is no such account"))?;
        if entry.config.protocol != config.protocol {
            return Err(Error::config(
                "an account's protocol cannot be changed by editing it",
            ));
        }
        entry.config = config;
        self.replace(next)
    }

    /// Takes an account out of the file.
    ///
    /// # Errors
    /// `Config` for an unknown account, `Disk`.
    pub fn remove(&mut self, id: AccountId) -> Result<AccountConfig, Error> {
        let config = self.find(id).cloned();
        let config = config.ok_or_else(|| Error::config("there is no such account"))?;
        let mut next = self.document.clone();
        next.accounts.retain(|entry| entry.id != id);
        self.replace(next)?;
        Ok(config)
    }

    fn check(&self, config: &AccountConfig, id: Option<AccountId>) -> Result<(), Error> {
        check(config)?;
        let taken = self
            .iter()
            .any(|(other, known)| Some(other) != id && known.name.eq_ignore_ascii_case(&config.name));
        if taken {
            return Err(Error::config(format!(
                "there is an account named {} already",
                config.name
            )));
        }
        Ok(())
    }

    fn replace(&mut self, next: Document) -> Result<(), Error> {
        let text = toml::to_string_pretty(&next)
            .map_err(|error| Error::bug(format!("cannot write the accounts down: {error}")))?;
        write_whole(&self.path, format!("{HEADER}{text}").as_bytes())
            .map_err(|error| disk(&self.path, "write", &error))?;
        self.document = next;
        Ok(())
    }
}

fn parse(text: &str) -> Result<Document, String> {
    let document: Document =
        toml::from_str(text).map_err(|error| error.to_string().trim().replace('\n', " "))?;
    let mut ids: Vec<AccountId> = document.accounts.iter().map(|entry| entry.id).collect();
    ids.sort_unstable();
    if ids.windows(2).any(|pair| pair.first() == pair.last()) {
        return Err("two accounts have the same id".to_owned());
    }
    if ids.last().is_some_and(|last| last.0 >= document.next_id) {
        return Err("next_id must be larger than every account's id".to_owned());
    }
    Ok(document)
}

/// Whether an account with these settings can work at all.
///
/// # Errors
/// `Config`, with what to change.
pub fn check(config: &AccountConfig) -> Result<(), Error> {
    let name = &config.name;
    if name.is_empty() || name.contains(['/', '\0']) || name.chars().any(char::is_control) {
        return Err(Error::config(
            "an account's name must not be empty or hold a slash",
        ));
    }
    if !config.identity.email.contains('@') || config.identity.email.chars().any(char::is_control) {
        return Err(Error::config(format!(
            "{:?} is not a mail address",
            config.identity.email
        )));
    }
    if config.username.is_empty() {
        return Err(Error::config("the user name is empty"));
    }
    let servers = std::iter::once(&config.incoming).chain(&config.outgoing);
    for endpoint in servers {
        if endpoint.security == Security::None && !endpoint.is_loopback() && !config.allow_cleartext {
            return Err(Error::config(format!(
                "{endpoint} would get the password in clear: use tls or starttls, or allow it with --allow-cleartext"
            )));
        }
    }
    if config.auth == AuthMethod::External && config.client_certificate.is_none() {
        return Err(Error::config(
            "to sign in by a certificate, the account needs one: give it with --client-cert and --client-key",
        ));
    }
    if config.connections == Some(0) {
        return Err(Error::config("an account needs one connection at least"));
    }
    if config.protocol == Protocol::Imap && config.pop3 != Pop3Policy::default() {
        return Err(Error::config(
            "what is left on the server, and how it comes, is for POP3: by IMAP, mail stays on the server until it is deleted",
        ));
    }
    Ok(())
}

/// Replaces a file by one with this content, or leaves it as it is: written beside it, synced, renamed over it.
pub(crate) fn write_whole(path: &Path, content: &[u8]) -> std::io::Result<()> {
    let dir = path.parent().unwrap_or(Path::new("."));
    let mut file = tempfile::NamedTempFile::new_in(dir)?;
    file.write_all(content)?;
    file.as_file().sync_all()?;
    file.persist(path).map_err(|error| error.error)?;
    // The rename itself is durable once the directory is; where directories cannot be opened, it is anyway.
    #[cfg(unix)]
    fs::File::open(dir)?.sync_all()?;
    Ok(())
}

#[cfg(test)]
mod tests;
