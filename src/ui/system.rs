//! What the desktop does for us: file dialogs, files dragged out, writing a saved file, opening a link.

pub mod dialog;
pub mod drag;

use std::io::Write;
use std::path::{Path, PathBuf};

use posthorn_engine::Error;
use posthorn_model::ErrorClass;

use crate::t;

/// Writes a file. Unless the user named this very file, one that is there already is left alone and the name gets a
/// number. Gives where it lies.
///
/// # Errors
/// `Disk`.
pub fn write_new(path: &Path, bytes: &[u8], replace: bool) -> Result<PathBuf, Error> {
    let failed = |error: std::io::Error| {
        Error::new(
            ErrorClass::Disk,
            t!(
                "save-failed",
                place = path.display().to_string(),
                why = error.to_string()
            ),
        )
    };
    if replace {
        return std::fs::write(path, bytes)
            .map(|()| path.to_owned())
            .map_err(failed);
    }
    let stem = path
        .file_stem()
        .unwrap_or_default()
        .to_string_lossy()
        .into_owned();
    let extension = path
        .extension()
        .map(|extension| format!(".{}", extension.to_string_lossy()))
        .unwrap_or_default();
    for attempt in 1..1000 {
        let candidate = if attempt == 1 {
            path.to_owned()
        } else {
            path.with_file_name(format!("{stem} ({attempt}){extension}"))
        };
        match std::fs::File::create_new(&candidate) {
            Ok(mut file) => return file.write_all(bytes).map(|()| candidate).map_err(failed),
            Err(error) if error.kind() == std::io::ErrorKind::AlreadyExists => {}
            Err(error) => return Err(failed(error)),
        }
    }
    Err(failed(std::io::Error::from(std::io::ErrorKind::AlreadyExists)))
}

/// Hands a web or mail link to the system. Anything else is refused.
///
/// # Errors
/// `Config` where the system has nothing to open it with.
pub async fn open(url: String) -> Result<(), Error> {
    let Some(url) = posthorn_mime::text::linkify::safe_url(&url) else {
        return Err(Error::new(ErrorClass::Refused, t!("link-refused")));
    };
    crate::bridge::aside(move || {
        let (program, before): (&str, &[&str]) = if cfg!(target_os = "windows") {
            ("rundll32", &["url.dll,FileProtocolHandler"])
        } else if cfg!(target_os = "macos") {
            ("open", &[])
        } else {
            ("xdg-open", &[])
        };
        std::process::Command::new(program)
            .args(before)
            .arg(&url)
            .stdin(std::process::Stdio::null())
            .stdout(std::process::Stdio::null())
            .stderr(std::process::Stdio::null())
            .spawn()
            .and_then(|mut child| child.wait())
            .map_err(|error| Error::new(ErrorClass::Config, t!("link-failed", why = error.to_string())))
            .map(|_| ())
    })
    .await?
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn never_writes_over_a_file_that_is_there() {
        let folder = tempfile::tempdir().unwrap();
        let path = folder.path().join("report.pdf");
        write_new(&path, b"one", false).unwrap();
        let second = write_new(&path, b"two", false).unwrap();
        assert_eq!(second, folder.path().join("report (2).pdf"));
        assert_eq!(std::fs::read(&path).unwrap(), b"one");
        assert_eq!(
            std::fs::read(folder.path().join("report (2).pdf")).unwrap(),
            b"two"
        );
        write_new(&path, b"three", true).unwrap();
        assert_eq!(std::fs::read(&path).unwrap(), b"three");
    }
}
