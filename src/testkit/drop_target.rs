//! A window that files are dropped on, as a file manager's (XDND, version 5), on a display of the test's own.

use std::io::{BufRead as _, BufReader};
use std::path::PathBuf;
use std::process::{Child, Command, Stdio};
use std::sync::mpsc::{Receiver, Sender, channel};
use std::thread::JoinHandle;

use x11rb::connection::Connection as _;
use x11rb::protocol::Event;
use x11rb::protocol::xproto::{
    Atom, AtomEnum, ClientMessageEvent, ConnectionExt as _, CreateWindowAux, EventMask, PropMode, Window,
    WindowClass,
};
use x11rb::rust_connection::RustConnection;
use x11rb::wrapper::ConnectionExt as _;

/// Why there is no display, or no window on it.
pub type Failure = Box<dyn std::error::Error + Send + Sync>;

x11rb::atom_manager! {
    Atoms: AtomsCookie {
        XdndSelection,
        XdndAware,
        XdndEnter,
        XdndPosition,
        XdndStatus,
        XdndLeave,
        XdndDrop,
        XdndFinished,
        XdndActionCopy,
        QUIT,
        URI_LIST: b"text/uri-list",
    }
}

/// How the window behaves.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Manner {
    Takes,
    /// Wants nothing.
    Refuses,
    /// Never answers.
    Silent,
}

/// What the window met.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum Met {
    Entered,
    /// Somebody is over it, and has been told whether it is wanted.
    Answered,
    Left,
    /// The list of addresses that was dropped.
    Dropped(String),
}

/// A window that files can be dropped on. Gone when dropped.
pub struct DropTarget {
    /// What it met, in order.
    pub met: Receiver<Met>,
    connection: RustConnection,
    window: Window,
    quit: u32,
    thread: Option<JoinHandle<()>>,
}

impl DropTarget {
    /// Shows it at a place on a display, over the window manager's head.
    ///
    /// # Errors
    /// Where there is no such display.
    pub fn open(display: &str, place: (i16, i16), size: (u16, u16), manner: Manner) -> Result<Self, Failure> {
        let (connection, screen) = x11rb::connect(Some(display))?;
        let root = connection.setup().roots.get(screen).ok_or("no such screen")?;
        let window = connection.generate_id()?;
        let atoms = Atoms::new(&connection)?.reply()?;
        let looks = CreateWindowAux::new()
            .override_redirect(1)
            .background_pixel(root.white_pixel);
        connection.create_window(
            x11rb::COPY_DEPTH_FROM_PARENT,
            window,
            root.root,
            place.0,
            place.1,
            size.0,
            size.1,
            0,
            WindowClass::INPUT_OUTPUT,
            x11rb::COPY_FROM_PARENT,
            &looks,
        )?;
        let (mode, kind) = (PropMode::REPLACE, AtomEnum::ATOM);
        connection.change_property32(mode, window, atoms.XdndAware, kind, &[5])?;
        connection.map_window(window)?;
        connection.sync()?;
        let (teller, met) = channel();
        let (ending, _) = x11rb::connect(Some(display))?;
        // What is sent without a mask of events is heard by the connection that made the window.
        let hearing = Hearing {
            connection,
            atoms,
            window,
            manner,
            source: 0,
            teller,
        };
        Ok(Self {
            met,
            connection: ending,
            window,
            quit: atoms.QUIT,
            thread: Some(std::thread::spawn(|| {
                // The test misses what it waits for where this fails.
                let _ = hearing.listen();
            })),
        })
    }

    /// Its number on the display.
    #[must_use]
    pub const fn window(&self) -> Window {
        self.window
    }
}

impl Drop for DropTarget {
    fn drop(&mut self) {
        let message = ClientMessageEvent::new(32, self.window, self.quit, [0; 5]);
        let (window, mask) = (self.window, EventMask::NO_EVENT);
        let _ = self.connection.send_event(false, window, mask, message);
        let _ = self.connection.sync();
        if let Some(thread) = self.thread.take() {
            let _ = thread.join();
        }
    }
}

/// The window's other side: who hears what is said to it.
struct Hearing {
    connection: RustConnection,
    atoms: Atoms,
    window: Window,
    manner: Manner,
    /// Who speaks.
    source: Window,
    teller: Sender<Met>,
}

impl Hearing {
    fn listen(mut self) -> Result<(), Failure> {
        loop {
            let met = match self.connection.wait_for_event()? {
                Event::ClientMessage(message) if message.type_ == self.atoms.QUIT => return Ok(()),
                Event::ClientMessage(message) => self.hear(&message)?,
                Event::SelectionNotify(told) => Some(self.take(told.property)?),
                _ => None,
            };
            if let Some(met) = met {
                // The test may have seen enough.
                let _ = self.teller.send(met);
            }
        }
    }

    fn hear(&mut self, message: &ClientMessageEvent) -> Result<Option<Met>, Failure> {
        let atoms = self.atoms;
        let [from, _, dropped_at, ..] = message.data.as_data32();
        Ok(if message.type_ == atoms.XdndEnter {
            self.source = from;
            Some(Met::Entered)
        } else if message.type_ == atoms.XdndPosition && self.manner != Manner::Silent {
            let takes = u32::from(self.manner == Manner::Takes);
            self.say(atoms.XdndStatus, [self.window, takes, 0, 0, atoms.XdndActionCopy])?;
            Some(Met::Answered)
        } else if message.type_ == atoms.XdndLeave {
            Some(Met::Left)
        } else if message.type_ == atoms.XdndDrop {
            let (what, list) = (atoms.XdndSelection, atoms.URI_LIST);
            self.connection
                .convert_selection(self.window, what, list, list, dropped_at)?;
            self.connection.flush()?;
            None
        } else {
            None
        })
    }

    /// What was dropped has been handed over.
    fn take(&self, property: Atom) -> Result<Met, Failure> {
        let asked = self
            .connection
            .get_property(true, self.window, property, AtomEnum::ANY, 0, 1 << 20)?;
        let list = String::from_utf8(asked.reply()?.value)?;
        self.say(
            self.atoms.XdndFinished,
            [self.window, 1, self.atoms.XdndActionCopy, 0, 0],
        )?;
        Ok(Met::Dropped(list))
    }

    fn say(&self, what: Atom, said: [u32; 5]) -> Result<(), Failure> {
        let message = ClientMessageEvent::new(32, self.source, what, said);
        self.connection
            .send_event(false, self.source, EventMask::NO_EVENT, message)?;
        Ok(self.connection.flush()?)
    }
}

/// The files that a list of addresses names.
#[must_use]
pub fn files(list: &str) -> Vec<PathBuf> {
    let addresses = list.lines().filter_map(|line| line.strip_prefix("file://"));
    addresses.map(|path| PathBuf::from(decode(path))).collect()
}

fn decode(text: &str) -> String {
    let mut bytes = Vec::new();
    let mut rest = text.bytes();
    while let Some(byte) = rest.next() {
        if byte == b'%' {
            let digits: String = rest.by_ref().take(2).map(char::from).collect();
            bytes.extend(u8::from_str_radix(&digits, 16));
        } else {
            bytes.push(byte);
        }
    }
    String::from_utf8_lossy(&bytes).into_owned()
}

/// A display without a window manager. Ended when dropped.
pub struct BareDisplay {
    pub name: String,
    server: Child,
}

impl BareDisplay {
    /// `None`, with a line that says why, where its programs are not installed. CI must have them.
    ///
    /// # Errors
    /// Where CI has them not, or they do not start.
    #[expect(clippy::print_stdout, reason = "a skipped test says why it was skipped")]
    pub fn start() -> Result<Option<Self>, Failure> {
        let path = std::env::var_os("PATH").unwrap_or_default();
        let is_there = |name: &&str| std::env::split_paths(&path).any(|folder| folder.join(name).is_file());
        if let Some(missing) = ["Xvfb", "xdotool"].iter().find(|name| !is_there(name)) {
            if std::env::var("CI").as_deref() == Ok("true") {
                return Err(format!("CI has no {missing}: make test installs it").into());
            }
            println!("skipped: {missing} is not installed");
            return Ok(None);
        }
        let mut server = Command::new("Xvfb")
            .args([
                "-displayfd",
                "1",
                "-screen",
                "0",
                "640x400x24",
                "-nolisten",
                "tcp",
            ])
            .stdin(Stdio::null())
            .stdout(Stdio::piped())
            .stderr(Stdio::null())
            .spawn()?;
        // It picks a free display itself and prints its number.
        let mut number = String::new();
        let said = server.stdout.take().ok_or("no output")?;
        BufReader::new(said).read_line(&mut number)?;
        let name = format!(":{}", number.trim());
        Ok(Some(Self { name, server }))
    }

    /// Moves the pointer, presses keys and buttons.
    ///
    /// # Errors
    /// Where xdotool cannot.
    pub fn act(&self, words: &[&str]) -> Result<(), Failure> {
        let mut hand = Command::new("xdotool");
        let status = hand.args(words).env("DISPLAY", &self.name).status()?;
        if status.success() {
            Ok(())
        } else {
            Err(format!("xdotool {words:?}: {status}").into())
        }
    }
}

impl Drop for BareDisplay {
    fn drop(&mut self) {
        let _ = self.server.kill();
        let _ = self.server.wait();
    }
}
