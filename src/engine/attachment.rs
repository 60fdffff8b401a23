//! Handing an attachment, or a message, to another program: written where nobody else reads, under a name that says
//! what it is, marked as coming from elsewhere where the system knows such a mark, and never run by us.

use std::fs;
use std::io::Write as _;
use std::path::{Path, PathBuf};
use std::process::{Command, Stdio};

use posthorn_mime::attachment::judge;
use posthorn_model::{ErrorClass, MessageId};

use crate::catalog::Catalog;
use crate::profile::{create_private, disk};
use crate::reading::PartAt;
use crate::shared::Shared;
use crate::{Error, outbox};

/// Whether the user knows what they open.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Caution {
    /// Kinds that can do harm are refused.
    Usual,
    /// The user was warned, and wants it.
    Warned,
}

/// Removes what an earlier run handed out. Failures leave files that are removed another time.
pub(crate) fn clear(opened: &Path) {
    let _ = fs::remove_dir_all(opened);
}

/// Who is to have a file.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
enum For {
    /// A program that shows it: to read, not to run, and what is to be changed is saved elsewhere first.
    Show,
    /// The user, who takes it to a place of theirs.
    Keep,
}

/// # Errors
/// See [`crate::Engine::open_part`].
pub(crate) async fn open(core: &Shared, at: PartAt, caution: Caution) -> Result<PathBuf, Error> {
    let path = write_part(core, at, caution, For::Show).await?;
    aside(move || hand_over(&path).map(|()| path)).await
}

/// # Errors
/// See [`crate::Engine::hand_out_part`].
pub(crate) async fn hand_out(core: &Shared, at: PartAt) -> Result<PathBuf, Error> {
    write_part(core, at, Caution::Usual, For::Keep).await
}

/// # Errors
/// See [`crate::Engine::hand_out_message`].
pub(crate) async fn hand_out_message(core: &Shared, id: MessageId, name: &str) -> Result<PathBuf, Error> {
    let raw = Catalog::new(Shared::clone(core)).raw(id).await?;
    let raw = raw.ok_or_else(|| Error::config("this message is not here yet"))?;
    let name = posthorn_mime::safe_file_name(&format!("{name}.eml"));
    let name = name.unwrap_or_else(|| "message.eml".to_owned());
    let opened = core.opened.clone();
    aside(move || write_private(&opened, &name, &raw, For::Keep)).await
}

async fn write_part(core: &Shared, at: PartAt, caution: Caution, whom: For) -> Result<PathBuf, Error> {
    let catalog = Catalog::new(Shared::clone(core));
    let bytes = catalog.part_at(at.clone()).await?;
    let bytes = bytes.ok_or_else(|| Error::config("there is no such attachment here"))?;
    let (name, declared) = catalog.part_name(at).await?;
    let opened = core.opened.clone();
    aside(move || {
        if caution == Caution::Usual && judge(&name, &declared, &bytes).needs_question() {
            return Err(Error::new(
                ErrorClass::Refused,
                "this attachment can do harm: it is opened only after a warning",
            ));
        }
        let path = write_private(&opened, &name, &bytes, whom)?;
        mark(&path);
        Ok(path)
    })
    .await
}

async fn aside(work: impl FnOnce() -> Result<PathBuf, Error> + Send + 'static) -> Result<PathBuf, Error> {
    let done = tokio::task::spawn_blocking(work).await;
    done.map_err(|_| Error::bug("handing over a file failed unexpectedly"))?
}

/// A directory of its own for each: the name stays as it is, and nobody can have put anything there before.
fn write_private(opened: &Path, name: &str, bytes: &[u8], whom: For) -> Result<PathBuf, Error> {
    let dir = opened.join(outbox::building::random()?);
    create_private(&dir).map_err(|error| disk(&dir, "create the directory", &error))?;
    let path = dir.join(name);
    let failed = |error: std::io::Error| disk(&path, "write", &error);
    let mut options = fs::OpenOptions::new();
    options.write(true).create_new(true);
    #[cfg(unix)]
    std::os::unix::fs::OpenOptionsExt::mode(
        &mut options,
        match whom {
            For::Show => 0o400,
            For::Keep => 0o600,
        },
    );
    #[cfg(not(unix))]
    let _ = whom;
    let mut file = options.open(&path).map_err(failed)?;
    file.write_all(bytes).map_err(failed)?;
    Ok(path)
}

/// Tells the system that the file comes from elsewhere. Linux desktops know no such mark.
#[allow(clippy::missing_const_for_fn)]
fn mark(path: &Path) {
    #[cfg(windows)]
    {
        // The zone of the internet, as an alternate stream beside the content.
        let mut stream = path.as_os_str().to_owned();
        stream.push(":Zone.Identifier");
        if let Err(error) = fs::write(stream, "[ZoneTransfer]\r\nZoneId=3\r\n") {
            log::warn!("An attachment could not be marked as coming from elsewhere: {error}.");
        }
    }
    #[cfg(target_os = "macos")]
    {
        let marked = Command::new("/usr/bin/xattr")
            .args(["-w", "com.apple.quarantine", "0081;00000000;Posthorn;"])
            .arg(path)
            .stdin(Stdio::null())
            .stdout(Stdio::null())
            .stderr(Stdio::null())
            .status();
        if !marked.is_ok_and(|status| status.success()) {
            log::warn!("An attachment could not be marked as coming from elsewhere.");
        }
    }
    #[cfg(not(any(windows, target_os = "macos")))]
    let _ = path;
}

/// A fixed program with the path as its one argument, never a shell.
fn hand_over(path: &Path) -> Result<(), Error> {
    let (program, before): (&str, &[&str]) = if cfg!(windows) {
        ("rundll32", &["url.dll,FileProtocolHandler"])
    } else if cfg!(target_os = "macos") {
        ("open", &[])
    } else {
        ("xdg-open", &[])
    };
    let failed = |why: String| {
        Error::new(
            ErrorClass::Config,
            format!("this system could not open {}: {why}", path.display()),
        )
    };
    let status = Command::new(program)
        .args(before)
        .arg(path)
        .stdin(Stdio::null())
        .stdout(Stdio::null())
        .stderr(Stdio::null())
        .status()
        .map_err(|error| failed(format!("{program}: {error}")))?;
    if status.success() {
        Ok(())
    } else {
        Err(failed(format!("{program} ended with {status}")))
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn each_lies_alone_under_its_own_name_and_cannot_be_run() {
        let dir = tempfile::tempdir().expect("a directory");
        let opened = dir.path().join("opened");
        let first = write_private(&opened, "a.pdf", b"one", For::Show).expect("written");
        let second = write_private(&opened, "a.pdf", b"two", For::Keep).expect("written");
        assert_ne!(first, second);
        assert_eq!(fs::read(&first).expect("read"), b"one");
        assert_eq!(first.file_name(), second.file_name());
        #[cfg(unix)]
        {
            use std::os::unix::fs::PermissionsExt as _;
            let mode = |path: &Path| fs::metadata(path).expect("there").permissions().mode() & 0o777;
            assert_eq!(mode(&first), 0o400);
            assert_eq!(mode(&second), 0o600);
            assert_eq!(mode(first.parent().expect("a directory")), 0o700);
        }
        clear(&opened);
        assert!(!opened.exists());
        clear(&opened);
    }
}
