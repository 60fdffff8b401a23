//! How the child locks itself in, as far as the system lets it.
//!
//! Everywhere on Unix: bounds on address space, processor time, open files, and no byte written to a file. On Linux
//! besides: Landlock (no file but fonts, no socket) and seccomp (no call that drawing does not need). Fonts are found by
//! a library that is loaded then, so there are two steps: before they are found only what the system shares with
//! everybody can be read; after, only the fonts themselves.

#[cfg(target_os = "linux")]
mod calls;
#[cfg(target_os = "linux")]
mod files;
#[cfg(unix)]
mod limits;

use super::message::Confinement;

/// Before anything is loaded, and before a second thread runs.
pub fn before_fonts() -> Confinement {
    let mut confinement = Confinement::default();
    #[cfg(unix)]
    {
        confinement.limits = limits::bound();
    }
    #[cfg(target_os = "linux")]
    {
        confinement.files = files::allow_system();
    }
    confinement
}

/// On the thread that draws, when nothing more is loaded or started.
pub fn after_fonts(confinement: &mut Confinement) {
    #[cfg(unix)]
    {
        confinement.limits &= limits::forbid_writing();
    }
    #[cfg(target_os = "linux")]
    {
        confinement.files &= files::allow_fonts();
        confinement.calls = calls::allow_drawing();
    }
    #[cfg(not(unix))]
    let _ = confinement;
}

/// How much memory this process takes, asked of a file that is opened before files are forbidden.
pub struct Memory {
    #[cfg(target_os = "linux")]
    status: Option<std::fs::File>,
}

impl Memory {
    pub fn open() -> Self {
        Self {
            #[cfg(target_os = "linux")]
            status: std::fs::File::open("/proc/self/statm").ok(),
        }
    }

    /// In bytes; 0 where the system does not tell.
    pub fn resident(&self) -> u64 {
        #[cfg(target_os = "linux")]
        {
            self.read_resident().unwrap_or_default()
        }
        #[cfg(not(target_os = "linux"))]
        {
            0
        }
    }

    #[cfg(target_os = "linux")]
    fn read_resident(&self) -> Option<u64> {
        use std::os::unix::fs::FileExt as _;
        let mut bytes = [0; 128];
        let length = self.status.as_ref()?.read_at(&mut bytes, 0).ok()?;
        let text = std::str::from_utf8(bytes.get(..length)?).ok()?;
        // proc(5): size, resident, shared, in pages; of those, shared ones are fonts.
        let mut pages = text.split(' ').skip(1).map(|field| field.parse::<u64>().ok());
        let (resident, shared) = (pages.next()??, pages.next()??);
        Some(resident.saturating_sub(shared) * PAGE)
    }
}

/// The smallest page that Linux has; larger ones only make the process look smaller than it is.
#[cfg(target_os = "linux")]
const PAGE: u64 = 4096;
