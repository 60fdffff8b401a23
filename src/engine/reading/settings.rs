//! What the user allows a message, in `reading.toml`: readable by people, replaced in one step.

use std::fs;
use std::path::{Path, PathBuf};

use posthorn_model::{ReadingSettings, Sender};

use crate::Error;
use crate::config::write_whole;
use crate::profile::disk;

const HEADER: &str = "# What Posthorn may do when you read a message.\n\
                      # pictures: ask, never or always. receipts: never or ask.\n\n";

/// Rules about senders that are kept.
const MOST: usize = 10_000;

/// The settings of a profile, as they are in the file.
#[derive(Debug)]
pub struct Settings {
    path: PathBuf,
    now: ReadingSettings,
    /// Why the file cannot be understood: nothing is allowed without asking then, and nothing changed.
    broken: Option<String>,
}

impl Settings {
    /// Reads the file; without one everything is asked for. A file that cannot be understood is left as it is: see
    /// [`Settings::trouble`].
    ///
    /// # Errors
    /// `Disk`.
    pub fn load(config_dir: &Path) -> Result<Self, Error> {
        let path = config_dir.join("reading.toml");
        let read = match fs::read_to_string(&path) {
            Ok(text) => parse(&text),
            Err(error) if error.kind() == std::io::ErrorKind::NotFound => Ok(ReadingSettings::default()),
            Err(error) if error.kind() == std::io::ErrorKind::InvalidData => Err("it is not text".to_owned()),
            Err(error) => return Err(disk(&path, "read", &error)),
        };
        let (now, broken) = match read {
            Ok(now) => (now, None),
            Err(why) => (
                ReadingSettings::default(),
                Some(format!(
                    "no sender's pictures are shown without asking: cannot understand {}: {why}",
                    path.display()
                )),
            ),
        };
        Ok(Self { path, now, broken })
    }

    #[must_use]
    pub const fn now(&self) -> &ReadingSettings {
        &self.now
    }

    /// Why the file does not count.
    #[must_use]
    pub fn trouble(&self) -> Option<Error> {
        self.broken.clone().map(Error::config)
    }

    /// Changes the settings, in the file too. Returns whether anything changed.
    ///
    /// # Errors
    /// `Config` while the file cannot be understood, and for more senders than are kept; `Disk`.
    pub fn change(&mut self, change: impl FnOnce(&mut ReadingSettings)) -> Result<bool, Error> {
        if let Some(trouble) = self.trouble() {
            return Err(trouble);
        }
        let mut next = self.now.clone();
        change(&mut next);
        if next == self.now {
            return Ok(false);
        }
        check(&next).map_err(Error::config)?;
        let text = toml::to_string_pretty(&next)
            .map_err(|error| Error::bug(format!("cannot write the settings down: {error}")))?;
        write_whole(&self.path, format!("{HEADER}{text}").as_bytes())
            .map_err(|error| disk(&self.path, "write", &error))?;
        self.now = next;
        Ok(true)
    }
}

/// From now on this sender's pictures are shown.
pub fn allow(settings: &mut ReadingSettings, sender: Sender) {
    settings.no_pictures_from.remove(&sender);
    settings.pictures_from.insert(sender);
}

/// From now on this sender's pictures are neither shown nor offered.
pub fn forbid(settings: &mut ReadingSettings, sender: Sender) {
    settings.pictures_from.remove(&sender);
    settings.no_pictures_from.insert(sender);
}

/// Nothing is said about this sender any more.
pub fn forget(settings: &mut ReadingSettings, sender: &Sender) {
    settings.pictures_from.remove(sender);
    settings.no_pictures_from.remove(sender);
}

fn parse(text: &str) -> Result<ReadingSettings, String> {
    let settings: ReadingSettings =
        toml::from_str(text).map_err(|error| error.to_string().trim().replace('\n', " "))?;
    check(&settings)?;
    Ok(settings)
}

fn check(settings: &ReadingSettings) -> Result<(), String> {
    if settings.pictures_from.len() > MOST || settings.no_pictures_from.len() > MOST {
        return Err(format!("there are more than {MOST} senders"));
    }
    let mut ids: Vec<_> = settings.accounts.iter().map(|account| account.id).collect();
    ids.sort_unstable();
    if ids.windows(2).any(|pair| pair.first() == pair.last()) {
        return Err("an account's servers are named twice".to_owned());
    }
    let bad = |name: &String| name.trim().is_empty() || name.chars().any(char::is_control);
    if settings
        .accounts
        .iter()
        .any(|account| account.servers.iter().any(bad))
    {
        return Err("a server has no name".to_owned());
    }
    Ok(())
}

#[cfg(test)]
mod tests {
    use super::*;
    use posthorn_model::reading::TrustedServers;
    use posthorn_model::{AccountId, PicturePolicy, ReceiptPolicy};

    fn sender(text: &str) -> Sender {
        Sender::parse(text).expect("a sender")
    }

    #[test]
    fn settings_are_kept_as_people_write_them() {
        let dir = tempfile::tempdir().expect("a directory");
        let mut settings = Settings::load(dir.path()).expect("none");
        assert_eq!(*settings.now(), ReadingSettings::default());
        assert!(!settings.change(|_| {}).expect("nothing to do"));
        assert!(!dir.path().join("reading.toml").exists());
        let changed = settings.change(|now| {
            now.receipts = ReceiptPolicy::Ask;
            allow(now, sender("News@Shop.example"));
            allow(now, sender("@example.net"));
            forbid(now, sender("@Spam.example"));
            now.accounts.push(TrustedServers {
                id: AccountId(2),
                servers: vec!["mx.example.org".into()],
                removes_forged: true,
            });
        });
        assert!(changed.expect("kept"));
        let text = fs::read_to_string(dir.path().join("reading.toml")).expect("a file");
        for line in [
            "pictures = \"ask\"",
            "receipts = \"ask\"",
            "\"news@shop.example\"",
            "\"@spam.example\"",
        ] {
            assert!(text.contains(line), "{line} in {text}");
        }
        let mut again = Settings::load(dir.path()).expect("read");
        assert_eq!(again.now(), settings.now());
        again
            .change(|now| {
                allow(now, sender("@spam.example"));
                forget(now, &sender("@example.net"));
            })
            .expect("kept");
        let names: Vec<String> = again
            .now()
            .pictures_from
            .iter()
            .map(ToString::to_string)
            .collect();
        assert_eq!(names, ["news@shop.example", "@spam.example"]);
        assert!(again.now().no_pictures_from.is_empty());
    }

    #[test]
    fn a_file_that_is_not_understood_allows_nothing_and_is_left_as_it_is() {
        for text in [
            "pictures = \"sometimes\"\n",
            "pictures_from = [\"everybody\"]\n",
            "pictures_from = \"a@b.example\"\n",
            "colour = 1\n",
            "[[account]]\nid = 1\n",
            "[[account]]\nid = 1\nservers = [\" \"]\n",
            "[[account]]\nid = 1\nservers = []\n[[account]]\nid = 1\nservers = []\n",
            "pictures = \"always\"\n\u{0}",
        ] {
            let dir = tempfile::tempdir().expect("a directory");
            let path = dir.path().join("reading.toml");
            fs::write(&path, text).expect("written");
            let mut settings = Settings::load(dir.path()).expect("no failure");
            assert_eq!(settings.now().pictures, PicturePolicy::Ask, "{text}");
            assert!(settings.trouble().is_some(), "{text}");
            assert!(
                settings
                    .change(|now| now.pictures = PicturePolicy::Always)
                    .is_err(),
                "{text}"
            );
            assert_eq!(fs::read_to_string(&path).expect("read"), text);
        }
        let dir = tempfile::tempdir().expect("a directory");
        fs::write(dir.path().join("reading.toml"), b"\xff\xfe").expect("written");
        assert!(
            Settings::load(dir.path())
                .expect("no failure")
                .trouble()
                .is_some()
        );
    }
}
