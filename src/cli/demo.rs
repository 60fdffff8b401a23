//! `posthorn demo`: the window on a fresh sandbox mailbox.

use crate::Window;
use crate::session::Context;

/// The window makes its sandbox itself: its first page offers the same.
#[must_use]
pub fn window(context: &Context) -> Window {
    Window {
        demo: true,
        ..context.window()
    }
}
