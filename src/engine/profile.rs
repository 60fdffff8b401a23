//! Where a profile's files are, and the lock that lets one instance write.

use std::fs::{File, OpenOptions, TryLockError};
use std::path::{Path, PathBuf};

use posthorn_model::{ErrorClass, Remedy};

use crate::Error;

/// The profile's directories. Nothing else on the machine is written.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Paths {
    /// The store, the sealed secrets, the lock.
    pub data: PathBuf,
    /// `accounts.toml`.
    pub config: PathBuf,
    /// Sockets and spooled downloads: nothing that must survive.
    pub run: PathBuf,
    pub logs: PathBuf,
}

impl Paths {
    /// Everything under `profile`, or in the platform's directories.
    ///
    /// # Errors
    /// `Config` where the platform names no home directory.
    pub fn resolve(profile: Option<&Path>) -> Result<Self, Error> {
        if let Some(dir) = profile {
            return Ok(Self {
                data: dir.join("data"),
                config: dir.join("config"),
                run: dir.join("run"),
                logs: dir.join("logs"),
            });
        }
        let dirs = directories::ProjectDirs::from("org", "Posthorn", "Posthorn").ok_or_else(|| {
            Error::config("this system names no home directory: say where the profile is with --profile")
        })?;
        let data = dirs.data_dir().to_path_buf();
        Ok(Self {
            run: dirs.cache_dir().join("run"),
            logs: dirs
                .state_dir()
                .map_or_else(|| data.join("logs"), Path::to_path_buf),
            config: dirs.config_dir().to_path_buf(),
            data,
        })
    }

    /// Makes the directories, readable by this user alone.
    ///
    /// # Errors
    /// `Disk`.
    pub fn create(&self) -> Result<(), Error> {
        for dir in [&self.data, &self.config, &self.run, &self.logs] {
            create_private(dir).map_err(|error| disk(dir, "create the directory", &error))?;
        }
        Ok(())
    }
}

pub(crate) fn create_private(dir: &Path) -> std::io::Result<()> {
    let mut builder = std::fs::DirBuilder::new();
    builder.recursive(true);
    #[cfg(unix)]
    std::os::unix::fs::DirBuilderExt::mode(&mut builder, 0o700);
    builder.create(dir)
}

/// What an I/O error on one of the profile's files means to the user.
pub(crate) fn disk(path: &Path, doing: &str, error: &std::io::Error) -> Error {
    Error {
        remedies: vec![Remedy::FreeDiskSpace, Remedy::TryAgain],
        ..Error::new(
            ErrorClass::Disk,
            format!("cannot {doing} {}: {error}", path.display()),
        )
    }
}

/// The right to write to a profile; given back when dropped, or by the system when the process ends.
#[derive(Debug)]
pub struct Lock {
    _file: File,
}

impl Lock {
    /// Takes the profile's lock.
    ///
    /// # Errors
    /// `Config` where another instance holds it, `Disk`.
    pub fn take(paths: &Paths) -> Result<Self, Error> {
        let path = paths.data.join("profile.lock");
        let file = OpenOptions::new()
            .create(true)
            .truncate(false)
            .write(true)
            .open(&path)
            .map_err(|error| disk(&path, "open", &error))?;
        match file.try_lock() {
            Ok(()) => Ok(Self { _file: file }),
            Err(TryLockError::WouldBlock) => Err(Error::config(format!(
                "another Posthorn is using the profile in {}: close it first, or choose another profile with --profile",
                paths.data.display()
            ))),
            Err(TryLockError::Error(error)) => Err(disk(&path, "lock", &error)),
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn one_writer_at_a_time() {
        let dir = tempfile::tempdir().expect("temporary directory");
        let paths = Paths::resolve(Some(dir.path())).expect("paths");
        paths.create().expect("directories");
        let first = Lock::take(&paths).expect("free");
        let second = Lock::take(&paths).expect_err("taken");
        assert_eq!(second.class(), ErrorClass::Config);
        assert!(!second.remedies.is_empty());
        drop(first);
        Lock::take(&paths).expect("free again");
    }
}
