//! The window: the only crate that names iced.

use std::path::PathBuf;

/// What the window is opened with.
#[derive(Clone, Debug, Default)]
pub struct UiOptions {
    /// The profile; opened off the window's thread.
    pub engine: posthorn_engine::Options,
    /// Starts a mailbox server inside this process and adds an IMAP and a POP3 account on it.
    pub demo: bool,
    /// A `mailto:` link to compose from.
    pub mailto: Option<String>,
    /// An `.eml` file to read.
    pub open: Option<PathBuf>,
}

/// Why the window could not be shown.
#[derive(Debug)]
pub enum Error {
    /// No display, or nothing to draw with.
    Window(String),
    /// The profile could not be opened; the window showed this too.
    Engine(posthorn_engine::Error),
}

impl std::fmt::Display for Error {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        match self {
            Self::Window(why) => write!(f, "the window could not be opened: {why}"),
            Self::Engine(error) => error.fmt(f),
        }
    }
}

impl std::error::Error for Error {}

/// Shows the window until it is closed; the engine is shut down in order before this returns.
///
/// # Errors
/// Where there is no display.
pub fn run(_options: UiOptions) -> Result<(), Error> {
    Err(Error::Window("not yet built".into()))
}
