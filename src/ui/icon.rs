//! The window's icons: small line drawings of our own, coloured when drawn.

use std::sync::OnceLock;

use iced::advanced::svg::Handle;
use iced::widget::{Svg, svg};
use iced::{Color, Theme};

use crate::theme;

macro_rules! icons {
    ($($name:ident = $file:literal),+ $(,)?) => {
        /// One drawing of `assets/icons`.
        #[derive(Clone, Copy, Debug, PartialEq, Eq)]
        pub enum Icon {
            $($name),+
        }

        impl Icon {
            #[cfg(test)]
            const ALL: &'static [Self] = &[$(Self::$name),+];

            const fn bytes(self) -> &'static [u8] {
                match self {
                    $(Self::$name => include_bytes!(concat!("../../assets/icons/", $file, ".svg"))),+
                }
            }

            /// The drawing, made once.
            #[must_use]
            pub fn handle(self) -> Handle {
                match self {
                    $(Self::$name => {
                        static HANDLE: OnceLock<Handle> = OnceLock::new();
                        HANDLE.get_or_init(|| Handle::from_memory(self.bytes())).clone()
                    })+
                }
            }
        }
    };
}

icons! {
    All = "all",
    Archive = "archive",
    Attachment = "attachment",
    Calendar = "calendar",
    Check = "check",
    Clock = "clock",
    Close = "close",
    Compose = "compose",
    Down = "down",
    Drafts = "drafts",
    File = "file",
    Folder = "folder",
    Forward = "forward",
    Here = "here",
    Important = "flag-important",
    Inbox = "inbox",
    Junk = "junk",
    Left = "left",
    Link = "link",
    More = "more",
    Move = "move",
    Open = "open",
    Person = "person",
    Picture = "picture",
    Plus = "plus",
    Refresh = "refresh",
    Reply = "reply",
    ReplyAll = "reply-all",
    Right = "right",
    Save = "save",
    Search = "search",
    Sent = "sent",
    Server = "server",
    Settings = "settings",
    Sidebar = "sidebar",
    Star = "star",
    StarFull = "star-full",
    Trash = "trash",
    Undo = "undo",
    Unread = "unread",
    Up = "up",
    Verified = "verified",
    Warning = "warning",
}

/// The icon as a widget, in the muted text colour.
#[must_use]
pub fn icon<'a>(icon: Icon) -> Svg<'a> {
    colored(icon, |theme| theme::tokens(theme).text_muted)
}

/// The icon as a widget, in a colour of the theme.
#[must_use]
pub fn colored<'a>(icon: Icon, color: impl Fn(&Theme) -> Color + 'a) -> Svg<'a> {
    Svg::new(icon.handle())
        .width(theme::size::ICON)
        .height(theme::size::ICON)
        .style(move |theme, _| svg::Style {
            color: Some(color(theme)),
        })
}

/// The program's own mark, in its colours.
#[must_use]
pub fn mark<'a>(side: f32) -> Svg<'a> {
    static HANDLE: OnceLock<Handle> = OnceLock::new();
    let handle =
        HANDLE.get_or_init(|| Handle::from_memory(include_bytes!("../../assets/icon.svg").as_slice()));
    Svg::new(handle.clone()).width(side).height(side)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn every_drawing_is_small_and_self_contained() {
        for icon in Icon::ALL {
            let text = std::str::from_utf8(icon.bytes()).unwrap();
            assert!(text.len() < 800, "{icon:?}");
            assert!(text.contains("viewBox=\"0 0 16 16\""), "{icon:?}");
            assert!(!text.contains("href") && !text.contains("<script"), "{icon:?}");
        }
    }
}
