//! The window: three panes, a composer, settings and the first run. The only crate that names iced.
//!
//! It must never wait on the main thread: no network, disk, parsing or lock; everything that takes time is a task
//! whose answer comes back as a message. It sees the engine through [`bridge::Face`] alone, keeps owned copies of
//! what it shows, and asks again when an event says that something changed. It holds no more than a few pages of
//! rows, however large the mailbox.
//!
//! Nothing from a message opens, loads or runs by itself: links are shown before the system opens them, and files are
//! handed to it only by the user's own press, after a question where they could do harm. Messages are drawn by a
//! process of their own, behind [`painter`]: what comes back is pixels, links and text.
//!
//! Start reading at [`app`] (messages in, actions out), then [`screen`]. [`theme`] holds every size and colour,
//! [`shortcut`] every key, [`i18n`] every word, [`widget`] what the toolkit lacks. [`listing`] is the message list's
//! data, [`row`] its looks.

pub mod app;
pub mod bridge;
pub mod directory;
#[cfg(test)]
mod fixture;
pub mod i18n;
pub mod icon;
pub mod listing;
pub mod measure;
pub mod painter;
mod row;
pub mod screen;
pub mod shortcut;
mod system;
#[cfg(test)]
mod tests;
pub mod theme;
pub mod when;
pub mod widget;

// The fixture is shared with the example and names this crate from outside.
#[cfg(test)]
extern crate self as posthorn_ui;

use std::path::PathBuf;

use iced::{Settings, Size, Task, window};

use app::{App, Message};
use bridge::Bridge;
use when::Clock;

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
pub fn run(options: UiOptions) -> Result<(), Error> {
    let mut engine = options.engine.clone();
    // A demo without a profile of its own leaves nothing behind.
    let fresh = if options.demo && engine.profile.is_none() {
        let folder = tempfile::tempdir().map_err(|error| Error::Window(error.to_string()))?;
        engine.profile = Some(folder.path().to_owned());
        Some(folder)
    } else {
        None
    };
    let shown = show(options, move || bridge::open(engine.clone()));
    drop(fresh);
    shown
}

/// As [`run`], with whatever engine `open` makes, off the window's thread.
///
/// # Errors
/// Where there is no display.
pub fn show(
    options: UiOptions,
    open: impl Fn() -> Result<Bridge, posthorn_engine::Error> + Clone + Send + 'static,
) -> Result<(), Error> {
    load_fonts();
    // One for the window, warm before the first message is opened.
    let painter = painter::hire();
    let boot = move || {
        let open = open.clone();
        let opening = Task::perform(bridge::aside(open), |result| {
            Message::Opened(result.and_then(|opened| opened))
        });
        let app = App::new(options.clone(), Clock::system()).with_painter(painter.clone());
        (app, opening)
    };
    iced::application(boot, App::update, App::view)
        .title(App::title)
        .theme(|app: &App| theme::theme_of(app.appearance))
        .style(App::style)
        .scale_factor(|app: &App| app.zoom)
        .subscription(App::subscription)
        .settings(settings())
        .window(window::Settings {
            size: Size::new(1280.0, 800.0),
            min_size: Some(Size::new(640.0, 400.0)),
            exit_on_close_request: false,
            #[cfg(target_os = "linux")]
            platform_specific: window::settings::PlatformSpecific {
                application_id: "org.posthorn.Posthorn".into(),
                ..Default::default()
            },
            ..window::Settings::default()
        })
        .run()
        .map_err(|error| Error::Window(error.to_string()))
}

/// The toolkit's settings: our font and size.
#[must_use]
pub fn settings() -> Settings {
    Settings {
        id: Some("org.posthorn.Posthorn".into()),
        default_font: theme::font::REGULAR,
        default_text_size: theme::size::BODY.into(),
        ..Settings::default()
    }
}

/// Before the first view: widths are measured with these fonts.
pub fn load_fonts() {
    if let Ok(mut system) = iced::advanced::graphics::text::font_system().write() {
        for file in theme::font::files() {
            system.load_font(file.into());
        }
    }
}
