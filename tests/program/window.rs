//! A virtual display with a window manager, hands for the keyboard and the mouse, and a camera.

use std::io::{BufRead, BufReader};
use std::path::{Path, PathBuf};
use std::process::{Child, Command, Stdio};
use std::sync::mpsc;
use std::time::{Duration, Instant};

use crate::posthorn::Posthorn;

const PATIENCE: Duration = Duration::from_secs(60);

/// Xvfb on a free display. Ended when dropped.
pub struct Display {
    name: String,
    server: Child,
    manager: Child,
    shots: PathBuf,
    // Keeps the pictures only where nobody asked for them elsewhere.
    _folder: tempfile::TempDir,
    taken: std::cell::Cell<u32>,
}

impl Display {
    /// `None`, with a line that says why, where its programs are not installed. CI must have them.
    pub fn start(width: u32, height: u32) -> Option<Self> {
        let ready = ["Xvfb", "openbox", "xdotool", "import"]
            .iter()
            .find(|name| !is_installed(name));
        if let Some(missing) = ready {
            assert!(
                std::env::var("CI").as_deref() != Ok("true"),
                "CI has no {missing}: make test installs it"
            );
            println!("skipped: {missing} is not installed");
            return None;
        }
        // Xvfb picks a free display itself and prints its number.
        let mut server = Command::new("Xvfb")
            .args([
                "-displayfd",
                "1",
                "-screen",
                "0",
                &format!("{width}x{height}x24"),
                "-nolisten",
                "tcp",
            ])
            .stdin(Stdio::null())
            .stdout(Stdio::piped())
            .stderr(Stdio::null())
            .spawn()
            .unwrap();
        let mut number = String::new();
        BufReader::new(server.stdout.take().unwrap())
            .read_line(&mut number)
            .unwrap();
        let name = format!(":{}", number.trim());
        let manager = Command::new("openbox")
            .env("DISPLAY", &name)
            .stdin(Stdio::null())
            .stdout(Stdio::null())
            .stderr(Stdio::null())
            .spawn()
            .unwrap();
        let folder = tempfile::tempdir().unwrap();
        let shots =
            std::env::var_os("POSTHORN_SHOTS").map_or_else(|| folder.path().to_owned(), PathBuf::from);
        std::fs::create_dir_all(&shots).unwrap();
        Some(Self {
            name,
            server,
            manager,
            shots,
            _folder: folder,
            taken: std::cell::Cell::new(0),
        })
    }

    /// Opens the window of a profile on this display.
    pub fn open(&self, posthorn: &Posthorn, words: &[&str]) -> Window<'_> {
        let child = posthorn
            .command()
            .args(words)
            .env("DISPLAY", &self.name)
            .env_remove("WAYLAND_DISPLAY")
            .env("ICED_BACKEND", "tiny-skia")
            .stdout(Stdio::null())
            .stderr(Stdio::inherit())
            .spawn()
            .unwrap();
        let window = Window { display: self, child };
        window.wait_until("the window", || {
            self.ask(&["search", "--onlyvisible", "--name", "Posthorn"])
                .is_some()
        });
        window
    }

    /// Runs xdotool; what it printed, where it worked and printed something.
    pub fn ask(&self, words: &[&str]) -> Option<String> {
        let output = Command::new("xdotool")
            .args(words)
            .env("DISPLAY", &self.name)
            .output()
            .unwrap();
        let text = String::from_utf8_lossy(&output.stdout).trim().to_owned();
        (output.status.success() && !text.is_empty()).then_some(text)
    }

    pub fn name(&self) -> &str {
        &self.name
    }

    pub fn act(&self, words: &[&str]) {
        let status = Command::new("xdotool")
            .args(words)
            .env("DISPLAY", &self.name)
            .status()
            .unwrap();
        assert!(status.success(), "xdotool {words:?}");
    }

    /// Takes a picture of the whole display; its file, and how many colours it holds.
    pub fn shoot(&self, what: &str) -> (PathBuf, usize) {
        self.taken.set(self.taken.get() + 1);
        let path = self.shots.join(format!("{:02}-{what}.png", self.taken.get()));
        let status = Command::new("import")
            .args(["-window", "root"])
            .arg(&path)
            .env("DISPLAY", &self.name)
            .status()
            .unwrap();
        assert!(status.success(), "no picture");
        let output = Command::new("identify")
            .args(["-format", "%k"])
            .arg(&path)
            .output()
            .unwrap();
        let colours = String::from_utf8_lossy(&output.stdout)
            .trim()
            .parse()
            .unwrap_or(0);
        (path, colours)
    }
}

impl Drop for Display {
    fn drop(&mut self) {
        for child in [&mut self.manager, &mut self.server] {
            let _ = child.kill();
            let _ = child.wait();
        }
    }
}

/// The program's window. Closed when dropped.
pub struct Window<'a> {
    display: &'a Display,
    child: Child,
}

impl Window<'_> {
    /// Presses keys, one after the other: `Tab`, `Return`, `ctrl+Return`.
    pub fn press(&self, keys: &[&str]) {
        for key in keys {
            self.display
                .act(&["key", "--clearmodifiers", "--delay", "20", key]);
        }
    }

    pub fn write(&self, text: &str) {
        self.display
            .act(&["type", "--clearmodifiers", "--delay", "10", text]);
    }

    /// Until something outside the window is so: a file, a server's mailbox, what `list` prints.
    #[track_caller]
    pub fn wait_until(&self, what: &str, condition: impl Fn() -> bool) {
        let (_never, tick) = mpsc::channel::<()>();
        let end = Instant::now() + PATIENCE;
        while !condition() {
            if Instant::now() > end {
                let (path, _) = self.display.shoot("too-late");
                panic!("{what} did not come; see {}", path.display());
            }
            let _ = tick.recv_timeout(Duration::from_millis(50));
        }
    }

    /// Acts, and waits until the window looks different: more has changed than a blinking cursor.
    #[track_caller]
    pub fn see(&self, what: &str, act: impl FnOnce()) {
        let (before, _) = self.display.shoot("before");
        act();
        self.wait_until(what, || {
            let (after, _) = self.display.shoot(what);
            count_differences(&before, &after) > 5_000.0
        });
    }

    /// Closes it as a person does, and waits until the program has ended; its exit code.
    #[track_caller]
    pub fn close(mut self) -> Option<i32> {
        self.press(&["alt+F4"]);
        let end = Instant::now() + PATIENCE;
        let (_never, tick) = mpsc::channel::<()>();
        while Instant::now() < end {
            if let Some(status) = self.child.try_wait().unwrap() {
                return status.code();
            }
            let _ = tick.recv_timeout(Duration::from_millis(50));
        }
        panic!("the program did not end when its window was closed");
    }
}

impl Drop for Window<'_> {
    fn drop(&mut self) {
        let _ = self.child.kill();
        let _ = self.child.wait();
    }
}

/// Pixels in which two pictures differ.
fn count_differences(one: &Path, other: &Path) -> f64 {
    let output = Command::new("compare")
        .args(["-metric", "AE"])
        .args([one, other])
        .arg("null:")
        .output()
        .unwrap();
    // Written as 12345 or 1.2345e+04.
    let said = String::from_utf8_lossy(&output.stderr);
    said.trim().parse().unwrap_or(0.0)
}

fn is_installed(name: &str) -> bool {
    let path = std::env::var_os("PATH").unwrap_or_default();
    std::env::split_paths(&path).any(|folder| folder.join(name).is_file())
}

#[test]
fn the_camera_sees_the_display() {
    let Some(display) = Display::start(640, 400) else {
        return;
    };
    let (path, colours) = display.shoot("empty");
    assert!(path.is_file());
    assert!(colours >= 1);
}
