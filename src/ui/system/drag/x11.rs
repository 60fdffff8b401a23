//! A drag source on X11 (the XDND protocol, version 5), on a connection of its own.
//!
//! The toolkit's connection holds the pointer while its button is down, so nothing is grabbed here: where the pointer
//! is, whether the button is still down and whether Escape is pressed is asked a hundred times a second.

use std::path::PathBuf;
use std::sync::mpsc::{Receiver, TryRecvError};
use std::time::{Duration, Instant};

use x11rb::connection::Connection;
use x11rb::errors::{ConnectError, ConnectionError, ReplyOrIdError};
use x11rb::protocol::Event;
use x11rb::protocol::xproto::{
    AtomEnum, ClientMessageEvent, ConnectionExt as _, CreateWindowAux, EventMask, PropMode,
    SELECTION_NOTIFY_EVENT, SelectionNotifyEvent, SelectionRequestEvent, Timestamp, Window, WindowClass,
};
use x11rb::rust_connection::RustConnection;
use x11rb::wrapper::ConnectionExt as _;

use super::target::{self, Target};
use super::{Outcome, uri_line};

/// How often the pointer is asked for.
const BEAT: Duration = Duration::from_millis(10);
/// The button was let go before the target had answered: so long it is waited for.
const ANSWER: Duration = Duration::from_secs(3);
/// A target that has the drop may take this long between two signs of life.
const FINISH: Duration = Duration::from_secs(30);

x11rb::atom_manager! {
    /// The protocol's words.
    pub Atoms: AtomsCookie {
        XdndSelection,
        XdndAware,
        XdndProxy,
        XdndEnter,
        XdndPosition,
        XdndStatus,
        XdndLeave,
        XdndDrop,
        XdndFinished,
        XdndActionCopy,
        TARGETS,
        TIMESTAMP,
        URI_LIST: b"text/uri-list",
    }
}

/// Somebody whom the pointer is over.
#[derive(Clone, Copy, Debug)]
struct Aim {
    target: Target,
    /// It said that it would take them.
    accepts: bool,
    /// A position was sent and not answered yet.
    waiting: bool,
    /// Where the pointer has gone meanwhile.
    next: Option<(i16, i16)>,
}

/// What is dragged.
enum Files {
    /// They are being written.
    Coming(Receiver<PathBuf>),
    /// As a list of addresses.
    Here(Vec<u8>),
    Failed,
}

#[derive(Clone, Copy, Debug)]
enum Stage {
    Moving,
    /// Let go; until then an answer counts.
    LetGo(Instant),
    /// Dropped; until then the target may take them.
    Dropped(Instant),
}

/// See the module.
pub struct Source {
    connection: RustConnection,
    atoms: Atoms,
    root: Window,
    window: Window,
    /// Nothing is dropped on the window it came from.
    own: Window,
    /// When the drag began, as the server counts.
    time: Timestamp,
    escapes: Vec<u8>,
    aim: Option<Aim>,
    at: Option<(i16, i16)>,
    /// Asked for before the files were here.
    asked: Vec<SelectionRequestEvent>,
    finished: Option<Outcome>,
    stage: Stage,
}

impl Source {
    /// `display`: the one that the environment names, where there is none here.
    pub fn connect(display: Option<&str>, own: Window) -> Result<Self, ConnectError> {
        let (connection, screen) = x11rb::connect(display)?;
        let root = connection.setup().roots.get(screen).map(|screen| screen.root);
        let root = root.ok_or(ConnectError::InvalidScreen)?;
        Self::new(connection, root, own).map_err(|error| {
            log::warn!("The display gives no files away: {error}.");
            ConnectError::UnknownError
        })
    }

    fn new(connection: RustConnection, root: Window, own: Window) -> Result<Self, ReplyOrIdError> {
        let atoms = Atoms::new(&connection)?.reply()?;
        let window = connection.generate_id()?;
        // Never shown: it only speaks.
        let hears = CreateWindowAux::new().event_mask(EventMask::PROPERTY_CHANGE);
        let class = WindowClass::INPUT_ONLY;
        connection.create_window(
            0,
            window,
            root,
            0,
            0,
            1,
            1,
            0,
            class,
            x11rb::COPY_FROM_PARENT,
            &hears,
        )?;
        let time = read_time(&connection, window)?;
        connection.set_selection_owner(window, atoms.XdndSelection, time)?;
        let escapes = target::escapes(&connection)?;
        Ok(Self {
            connection,
            atoms,
            root,
            window,
            own,
            time,
            escapes,
            aim: None,
            at: None,
            asked: Vec::new(),
            finished: None,
            stage: Stage::Moving,
        })
    }

    /// Until it is dropped and taken, or given up.
    /// `tell` hears when whoever is under the pointer wants them, and when nobody does any more.
    pub fn run(mut self, files: Receiver<PathBuf>, tell: impl Fn(bool)) -> Result<Outcome, ReplyOrIdError> {
        let mut files = Files::Coming(files);
        let mut told = false;
        loop {
            while let Some(event) = self.connection.poll_for_event()? {
                self.heed(event)?;
            }
            let wanted = self.aim.is_some_and(|aim| aim.accepts);
            if wanted != std::mem::replace(&mut told, wanted) {
                tell(wanted);
            }
            files.look();
            self.answer(&files)?;
            if let Some(outcome) = self.finished {
                return Ok(outcome);
            }
            match self.stage {
                Stage::Moving if matches!(files, Files::Failed) || self.escaped()? => self.leave()?,
                Stage::Moving => self.follow()?,
                Stage::LetGo(end) => self.decide(end)?,
                Stage::Dropped(end) if Instant::now() > end => self.finished = Some(Outcome::Left),
                Stage::Dropped(_) => {}
            }
            self.connection.flush()?;
            if let Some(outcome) = self.finished {
                // What was sent last is read before the connection ends.
                self.connection.sync()?;
                return Ok(outcome);
            }
            std::thread::sleep(BEAT);
        }
    }

    fn heed(&mut self, event: Event) -> Result<(), ConnectionError> {
        match event {
            Event::ClientMessage(message) if message.type_ == self.atoms.XdndStatus => self.told(&message)?,
            Event::ClientMessage(message) if message.type_ == self.atoms.XdndFinished => {
                let [who, how, ..] = message.data.as_data32();
                if let Some(aim) = self.aim.filter(|aim| aim.target.window == who) {
                    // Before version 5 nobody says how it went.
                    let taken = aim.target.version < 5 || how & 1 == 1;
                    self.finished = Some(if taken { Outcome::Taken } else { Outcome::Left });
                }
            }
            Event::SelectionRequest(request) => {
                self.asked.push(request);
                if let Stage::Dropped(_) = self.stage {
                    self.stage = Stage::Dropped(Instant::now() + FINISH);
                }
            }
            // Targets that have gone are found out by what is asked of them.
            _ => {}
        }
        Ok(())
    }

    /// The target's word on the last position.
    fn told(&mut self, message: &ClientMessageEvent) -> Result<(), ConnectionError> {
        let [who, said, ..] = message.data.as_data32();
        let Some(aim) = self.aim.as_mut().filter(|aim| aim.target.window == who) else {
            return Ok(());
        };
        aim.accepts = said & 1 == 1;
        aim.waiting = false;
        match aim.next.take() {
            Some(at) => self.point(at),
            None => Ok(()),
        }
    }

    fn escaped(&self) -> Result<bool, ReplyOrIdError> {
        let down = self.connection.query_keymap()?.reply()?.keys;
        let is_down = |key: &u8| {
            let byte = down.get(usize::from(key >> 3));
            byte.is_some_and(|byte| byte & (1 << (key & 7)) != 0)
        };
        Ok(self.escapes.iter().any(is_down))
    }

    fn follow(&mut self) -> Result<(), ReplyOrIdError> {
        let pointer = target::look(&self.connection, self.root)?;
        if !pointer.held {
            self.stage = Stage::LetGo(Instant::now() + ANSWER);
            return Ok(());
        }
        if self.at == Some(pointer.at) {
            return Ok(());
        }
        self.at = Some(pointer.at);
        let found = target::find(&self.connection, &self.atoms, self.root, self.own, pointer)?;
        if found != self.aim.map(|aim| aim.target) {
            self.say_leave()?;
            self.aim = found.map(|target| Aim {
                target,
                accepts: false,
                waiting: false,
                next: None,
            });
            if let Some(target) = found {
                let kinds = [self.atoms.URI_LIST, 0, 0];
                let [one, two, three] = kinds;
                let said = [self.window, target.version << 24, one, two, three];
                self.say(target, self.atoms.XdndEnter, said)?;
            }
        }
        Ok(self.point(pointer.at)?)
    }

    /// Tells the target where the pointer is; one that has not answered yet hears of it later.
    fn point(&mut self, at: (i16, i16)) -> Result<(), ConnectionError> {
        let Some(aim) = &mut self.aim else {
            return Ok(());
        };
        if aim.waiting {
            aim.next = Some(at);
            return Ok(());
        }
        aim.waiting = true;
        let target = aim.target;
        let place = u32::from(at.0.cast_unsigned()) << 16 | u32::from(at.1.cast_unsigned());
        let said = [self.window, 0, place, self.time, self.atoms.XdndActionCopy];
        self.say(target, self.atoms.XdndPosition, said)
    }

    /// The button was let go: it is dropped where somebody takes it.
    fn decide(&mut self, end: Instant) -> Result<(), ReplyOrIdError> {
        match self.aim {
            Some(aim) if aim.waiting && Instant::now() < end => Ok(()),
            Some(aim) if aim.accepts && !aim.waiting => {
                self.stage = Stage::Dropped(Instant::now() + FINISH);
                let said = [self.window, 0, self.time, 0, 0];
                Ok(self.say(aim.target, self.atoms.XdndDrop, said)?)
            }
            _ => self.leave(),
        }
    }

    fn leave(&mut self) -> Result<(), ReplyOrIdError> {
        self.finished = Some(Outcome::Left);
        Ok(self.say_leave()?)
    }

    fn say_leave(&mut self) -> Result<(), ConnectionError> {
        match self.aim.take() {
            Some(aim) => self.say(aim.target, self.atoms.XdndLeave, [self.window, 0, 0, 0, 0]),
            None => Ok(()),
        }
    }

    fn say(&self, to: Target, what: u32, said: [u32; 5]) -> Result<(), ConnectionError> {
        let message = ClientMessageEvent::new(32, to.window, what, said);
        let sent = self
            .connection
            .send_event(false, to.hears, EventMask::NO_EVENT, message);
        sent.map(|_| ())
    }

    /// Hands out what was asked for, as far as it is here (ICCCM section 2.2).
    fn answer(&mut self, files: &Files) -> Result<(), ReplyOrIdError> {
        let atoms = self.atoms;
        for request in std::mem::take(&mut self.asked) {
            let lists = request.target == atoms.URI_LIST;
            if lists && matches!(files, Files::Coming(_)) {
                self.asked.push(request);
                continue;
            }
            // Old programs name no property.
            let property = if request.property == x11rb::NONE {
                request.target
            } else {
                request.property
            };
            let (to, mode) = (request.requestor, PropMode::REPLACE);
            let given = match files {
                Files::Here(list) if lists => {
                    self.connection
                        .change_property8(mode, to, property, atoms.URI_LIST, list)?;
                    true
                }
                _ if request.target == atoms.TARGETS => {
                    let kinds = [atoms.TARGETS, atoms.TIMESTAMP, atoms.URI_LIST];
                    self.connection
                        .change_property32(mode, to, property, AtomEnum::ATOM, &kinds)?;
                    true
                }
                _ if request.target == atoms.TIMESTAMP => {
                    let time = [self.time];
                    self.connection
                        .change_property32(mode, to, property, AtomEnum::INTEGER, &time)?;
                    true
                }
                _ => false,
            };
            let told = SelectionNotifyEvent {
                response_type: SELECTION_NOTIFY_EVENT,
                sequence: 0,
                time: request.time,
                requestor: request.requestor,
                selection: request.selection,
                target: request.target,
                property: if given { property } else { x11rb::NONE },
            };
            self.connection.send_event(false, to, EventMask::NO_EVENT, told)?;
        }
        Ok(())
    }
}

impl Files {
    fn look(&mut self) {
        let Self::Coming(coming) = self else { return };
        match coming.try_recv() {
            Ok(path) => *self = Self::Here(uri_line(&path)),
            Err(TryRecvError::Empty) => {}
            Err(TryRecvError::Disconnected) => *self = Self::Failed,
        }
    }
}

/// The server's clock: what it notes of a change that changes nothing.
fn read_time(connection: &RustConnection, window: Window) -> Result<Timestamp, ReplyOrIdError> {
    let (name, kind) = (AtomEnum::WM_NAME, AtomEnum::STRING);
    connection.change_property8(PropMode::APPEND, window, name, kind, &[])?;
    connection.flush()?;
    loop {
        if let Event::PropertyNotify(noted) = connection.wait_for_event()? {
            return Ok(noted.time);
        }
    }
}
