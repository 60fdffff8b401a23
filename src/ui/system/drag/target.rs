//! Who is under the pointer, and whether they take what is dropped on them.

use x11rb::connection::Connection;
use x11rb::errors::{ReplyError, ReplyOrIdError};
use x11rb::protocol::xproto::{Atom, AtomEnum, ConnectionExt as _, Window};
use x11rb::rust_connection::RustConnection;

use super::x11::Atoms;

/// The version of XDND that is spoken here, the last one.
const VERSION: u32 = 5;
/// Windows in windows; a display that nests deeper is not looked through.
const DEEPEST: usize = 32;

/// Somebody who takes drops.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Target {
    /// Whom messages are about.
    pub window: Window,
    /// Whom they are sent to: a desktop's icons hear for the root window.
    pub hears: Window,
    pub version: u32,
}

/// Where the pointer is, on the whole display, and which of its buttons are down.
#[derive(Clone, Copy, Debug)]
pub struct Pointer {
    pub at: (i16, i16),
    pub held: bool,
    child: Window,
}

/// Asks for the pointer.
pub fn look(connection: &RustConnection, root: Window) -> Result<Pointer, ReplyOrIdError> {
    use x11rb::protocol::xproto::KeyButMask;

    let under = connection.query_pointer(root)?.reply()?;
    Ok(Pointer {
        at: (under.root_x, under.root_y),
        held: under.mask.contains(KeyButMask::BUTTON1),
        child: under.child,
    })
}

/// The outermost window under the pointer that takes drops, or the display's ground where no window is. Over `own`
/// there is nobody.
pub fn find(
    connection: &RustConnection,
    atoms: &Atoms,
    root: Window,
    own: Window,
    pointer: Pointer,
) -> Result<Option<Target>, ReplyOrIdError> {
    if pointer.child == x11rb::NONE {
        return examine(connection, atoms, root);
    }
    let mut window = pointer.child;
    for _ in 0..DEEPEST {
        if window == own || window == x11rb::NONE {
            return Ok(None);
        }
        if let Some(target) = examine(connection, atoms, window)? {
            return Ok(Some(target));
        }
        // Windows may go at any moment.
        let Some(under) = there(connection.query_pointer(window)?.reply())? else {
            return Ok(None);
        };
        window = under.child;
    }
    Ok(None)
}

fn examine(
    connection: &RustConnection,
    atoms: &Atoms,
    window: Window,
) -> Result<Option<Target>, ReplyOrIdError> {
    let hears = proxy(connection, atoms, window)?.unwrap_or(window);
    let version = number(connection, hears, atoms.XdndAware, AtomEnum::ATOM.into())?;
    Ok(version.filter(|version| *version >= 3).map(|version| Target {
        window,
        hears,
        version: version.min(VERSION),
    }))
}

/// Who hears for a window. Proxies name themselves: what a dead one left behind is not believed.
fn proxy(
    connection: &RustConnection,
    atoms: &Atoms,
    window: Window,
) -> Result<Option<Window>, ReplyOrIdError> {
    let kind = AtomEnum::WINDOW.into();
    let Some(proxy) = number(connection, window, atoms.XdndProxy, kind)? else {
        return Ok(None);
    };
    let named = number(connection, proxy, atoms.XdndProxy, kind)?;
    Ok((named == Some(proxy)).then_some(proxy))
}

/// A property's first number.
fn number(
    connection: &RustConnection,
    window: Window,
    property: Atom,
    kind: Atom,
) -> Result<Option<u32>, ReplyOrIdError> {
    let asked = connection.get_property(false, window, property, kind, 0, 1)?;
    let value = there(asked.reply())?;
    Ok(value.and_then(|value| value.value32()?.next()))
}

/// What was answered, or nothing where the window has gone meanwhile.
fn there<T>(answer: Result<T, ReplyError>) -> Result<Option<T>, ReplyError> {
    match answer {
        Ok(answer) => Ok(Some(answer)),
        Err(ReplyError::X11Error(_)) => Ok(None),
        Err(error) => Err(error),
    }
}

/// The keys that are Escape here.
pub fn escapes(connection: &RustConnection) -> Result<Vec<u8>, ReplyOrIdError> {
    const ESCAPE: u32 = 0xff1b;
    let setup = connection.setup();
    let (first, last) = (setup.min_keycode, setup.max_keycode);
    let count = last.saturating_sub(first).saturating_add(1);
    let mapping = connection.get_keyboard_mapping(first, count)?.reply()?;
    let each = usize::from(mapping.keysyms_per_keycode.max(1));
    let keys = (first..=last).zip(mapping.keysyms.chunks(each));
    Ok(keys
        .filter(|(_, meanings)| meanings.contains(&ESCAPE))
        .map(|(key, _)| key)
        .collect())
}
