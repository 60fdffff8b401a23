//! The desktop's file dialogs, and what happens where it has none: files go to the downloads, and that is said.

use std::path::{Path, PathBuf};

use posthorn_engine::Error;
use posthorn_model::ErrorClass;

use super::write_new;
use crate::bridge::aside;
use crate::t;

/// Where a file was put.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Saved {
    pub place: PathBuf,
    /// Nobody was asked: there is no dialog here.
    pub unasked: bool,
}

/// Where the user wants something.
#[derive(Clone, Debug, PartialEq, Eq)]
enum Wanted {
    /// This very file, or in this folder.
    Here(PathBuf),
    /// There is no dialog: in the folder of downloads.
    Downloads(PathBuf),
    Nowhere,
}

/// Files to attach; `None` where nobody can be asked.
pub async fn pick_files() -> Option<Vec<PathBuf>> {
    if !is_there().await {
        return None;
    }
    let picked = rfd::AsyncFileDialog::new()
        .set_title(t!("dialog-attach"))
        .pick_files()
        .await;
    let picked = picked.unwrap_or_default();
    Some(picked.into_iter().map(|file| file.path().to_owned()).collect())
}

/// Saves one file where the user wants it; `None` where they want it nowhere.
///
/// # Errors
/// `Disk`.
pub async fn save(name: String, bytes: Vec<u8>) -> Result<Option<Saved>, Error> {
    let wanted = if is_there().await {
        let dialog = rfd::AsyncFileDialog::new()
            .set_title(t!("dialog-save"))
            .set_file_name(&name);
        let picked = dialog.save_file().await;
        picked.map_or(Wanted::Nowhere, |file| Wanted::Here(file.path().to_owned()))
    } else {
        Wanted::Downloads(downloads().await?)
    };
    let (path, unasked) = match wanted {
        Wanted::Here(path) => (path, false),
        Wanted::Downloads(folder) => (folder.join(file_name(&name)), true),
        Wanted::Nowhere => return Ok(None),
    };
    let place = aside(move || write_new(&path, &bytes, !unasked)).await??;
    Ok(Some(Saved { place, unasked }))
}

/// Where several files go, and whether nobody was asked; `None` where the user wants them nowhere.
///
/// # Errors
/// `Disk` where there is neither a dialog nor a folder of downloads.
pub async fn pick_folder() -> Result<Option<Saved>, Error> {
    if !is_there().await {
        let place = downloads().await?;
        return Ok(Some(Saved { place, unasked: true }));
    }
    let dialog = rfd::AsyncFileDialog::new().set_title(t!("dialog-save-all"));
    let picked = dialog.pick_folder().await;
    Ok(picked.map(|folder| Saved {
        place: folder.path().to_owned(),
        unasked: false,
    }))
}

/// A name that stays in its folder.
#[must_use]
pub fn file_name(name: &str) -> String {
    posthorn_mime::safe_file_name(name).unwrap_or_else(|| t!("file-attachment"))
}

async fn downloads() -> Result<PathBuf, Error> {
    aside(|| {
        let user = directories::UserDirs::new();
        let user = user.ok_or_else(|| Error::new(ErrorClass::Disk, t!("dialog-none")))?;
        let folder = folder_of(user.download_dir(), user.home_dir());
        std::fs::create_dir_all(&folder).map_err(|error| {
            let (place, why) = (folder.display().to_string(), error.to_string());
            Error::new(ErrorClass::Disk, t!("save-failed", place = place, why = why))
        })?;
        Ok(folder)
    })
    .await?
}

/// Systems without a desktop often do not say where downloads go.
fn folder_of(downloads: Option<&Path>, home: &Path) -> PathBuf {
    downloads.map_or_else(|| home.join("Downloads"), Path::to_owned)
}

/// Whether the desktop has file dialogs. A dialog that cannot be shown looks like one that was left otherwise.
async fn is_there() -> bool {
    // Where the system has no thread left, there is no dialog either.
    aside(probe::is_there).await.unwrap_or_default()
}

#[cfg(not(target_os = "linux"))]
mod probe {
    pub const fn is_there() -> bool {
        true
    }
}

#[cfg(target_os = "linux")]
mod probe {
    use std::time::Duration;

    use zbus::blocking::connection::Builder;

    const SERVICE: &str = "org.freedesktop.portal.Desktop";
    const PATH: &str = "/org/freedesktop/portal/desktop";
    /// A portal that is not running yet is started by the question.
    const PATIENCE: Duration = Duration::from_secs(10);

    /// The portal's dialogs, or zenity's, which stand in for them.
    pub fn is_there() -> bool {
        has_portal() || is_in_path("zenity")
    }

    /// A portal may be there and know nothing of files.
    fn has_portal() -> bool {
        let Ok(bus) = Builder::session().and_then(|bus| bus.method_timeout(PATIENCE).build()) else {
            return false;
        };
        let properties = Some("org.freedesktop.DBus.Properties");
        let question = ("org.freedesktop.portal.FileChooser", "version");
        let answer = bus.call_method(Some(SERVICE), PATH, properties, "Get", &question);
        answer
            .inspect_err(|error| log::debug!("There is no portal for file dialogs: {error}."))
            .is_ok()
    }

    fn is_in_path(program: &str) -> bool {
        let path = std::env::var_os("PATH").unwrap_or_default();
        std::env::split_paths(&path).any(|folder| folder.join(program).is_file())
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn files_go_to_the_downloads_whatever_their_names() {
        let home = Path::new("/home/ada");
        assert_eq!(folder_of(None, home), Path::new("/home/ada/Downloads"));
        let theirs = Path::new("/data/get");
        assert_eq!(folder_of(Some(theirs), home), theirs);
        for name in ["../../.profile", "/etc/passwd", "a/b", "..", ""] {
            let name = file_name(name);
            assert!(!name.contains('/') && !name.is_empty() && name != "..", "{name}");
        }
    }
}
