//! Files dragged out of the window to another program.
//!
//! The toolkit takes files that are dropped on the window and gives none away. On X11 we give them ourselves
//! ([`x11`]). Elsewhere nothing is offered: Wayland lets a drag begin only with the serial number of the press, which
//! the toolkit keeps to itself, and macOS and Windows only from the window's own thread, which is the toolkit's.

#[cfg(target_os = "linux")]
mod target;
#[cfg(target_os = "linux")]
mod x11;

#[cfg(target_os = "linux")]
use std::path::Path;
use std::path::PathBuf;
use std::sync::mpsc::Receiver;

use posthorn_engine::Error;

/// How a drag ended.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
#[cfg_attr(
    not(target_os = "linux"),
    allow(dead_code, reason = "nothing is dragged there")
)]
pub enum Outcome {
    /// Another program has the files.
    Taken,
    /// It was given up, or nobody wanted them.
    Left,
}

/// The window's number, where files can be dragged out of it.
#[must_use]
pub fn place(window: &dyn iced::window::Window) -> Option<u32> {
    use iced::window::raw_window_handle::{HasWindowHandle, RawWindowHandle};

    if cfg!(not(target_os = "linux")) {
        return None;
    }
    // Of a trait object's two handles, this one is meant.
    match HasWindowHandle::window_handle(window).ok()?.as_raw() {
        RawWindowHandle::Xlib(handle) => u32::try_from(handle.window).ok(),
        RawWindowHandle::Xcb(handle) => Some(handle.window.get()),
        _ => None,
    }
}

/// Follows the pointer out of the window `own` until its button is let go, and hands the files to whoever is there.
/// They may come while it is on its way; where they do not come at all, it is given up. `tell` hears when whoever is
/// under the pointer wants them, and when nobody does any more. Blocks: for a thread of its own.
///
/// # Errors
/// `Config` where the display cannot be spoken to.
#[cfg(target_os = "linux")]
pub fn drag(own: u32, files: Receiver<PathBuf>, tell: impl Fn(bool)) -> Result<Outcome, Error> {
    let failed = |why: String| {
        let said = crate::t!("drag-failed", why = why);
        Error::new(posthorn_model::ErrorClass::Config, said)
    };
    let source = x11::Source::connect(None, own).map_err(|error| failed(error.to_string()))?;
    let ended = source.run(files, tell);
    ended.map_err(|error| failed(error.to_string()))
}

/// Nothing is offered here, so nothing comes to be dragged.
///
/// # Errors
/// None.
#[cfg(not(target_os = "linux"))]
pub fn drag(_own: u32, _files: Receiver<PathBuf>, _tell: impl Fn(bool)) -> Result<Outcome, Error> {
    Ok(Outcome::Left)
}

/// A file as others are told of it (RFC 2483 section 5, RFC 8089).
#[cfg(target_os = "linux")]
fn uri_line(path: &Path) -> Vec<u8> {
    use std::os::unix::ffi::OsStrExt as _;

    const HEX: &[u8; 16] = b"0123456789ABCDEF";
    let digit = |value: u8| HEX.get(usize::from(value)).copied().unwrap_or(b'0');
    let mut line = b"file://".to_vec();
    for byte in path.as_os_str().as_bytes() {
        if byte.is_ascii_alphanumeric() || b"/-._~".contains(byte) {
            line.push(*byte);
        } else {
            line.extend([b'%', digit(byte >> 4), digit(byte & 0xf)]);
        }
    }
    line.extend(b"\r\n");
    line
}

#[cfg(test)]
#[cfg(target_os = "linux")]
mod tests;
