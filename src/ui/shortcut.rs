//! One table of keys. Single letters reach it only when no text field has taken them.

use iced::keyboard::Modifiers;
use iced::keyboard::key::{Key, Named, Physical};
use posthorn_model::Appearance;

use crate::t;

/// What a key asks for. What that means depends on the screen in front.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash)]
pub enum Wish {
    Next,
    Previous,
    PageDown,
    PageUp,
    First,
    Last,
    ExtendNext,
    ExtendPrevious,
    Open,
    Back,
    Compose,
    Reply,
    ReplyAll,
    Forward,
    Archive,
    Delete,
    Junk,
    ToggleUnread,
    ToggleStar,
    Move,
    Undo,
    Search,
    GoInbox,
    GoSent,
    GoDrafts,
    Select,
    SelectAll,
    ShowKeys,
    Palette,
    Send,
    CheckNow,
    NewMailbox,
    /// What can be done with the mailbox in view.
    MailboxMenu,
    /// The next message of the conversation.
    NextInThread,
    PreviousInThread,
    Find,
    FindNext,
    FindPrevious,
    Copy,
    /// What can be done with the message.
    MessageMenu,
    ShowAsText,
    ShowAsSent,
    ShowQuoted,
    ShowPictures,
    FixedFont,
    Details,
    Links,
    ViewSource,
    AllHeaders,
    SaveMessage,
    SaveAll,
    Print,
    Unsubscribe,
    ZoomIn,
    ZoomOut,
    ZoomReset,
    FocusNext,
    FocusPrevious,
    NextPane,
    Problems,
    Settings,
    /// The window is to look like this.
    Look(Appearance),
    PreviousPane,
}

/// Where a key is on the sheet of keys.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Group {
    Around,
    Message,
    Reading,
    Window,
}

#[derive(Clone, Copy, Debug, PartialEq, Eq)]
enum Press {
    /// A character without Ctrl or Alt; Shift is part of the character.
    Letter(char),
    /// `g`, then this.
    AfterG(char),
    Ctrl(char),
    CtrlShift(char),
    CtrlNamed(Named),
    Named(Named),
    ShiftNamed(Named),
}

struct Entry {
    press: Press,
    wish: Wish,
    /// How the sheet shows it; empty: an alternative that it leaves out.
    keys: &'static str,
}

const fn entry(press: Press, wish: Wish, keys: &'static str) -> Entry {
    Entry { press, wish, keys }
}

const TABLE: &[Entry] = &[
    entry(Press::Letter('j'), Wish::Next, "j  ↓"),
    entry(Press::Named(Named::ArrowDown), Wish::Next, ""),
    entry(Press::Letter('k'), Wish::Previous, "k  ↑"),
    entry(Press::Named(Named::ArrowUp), Wish::Previous, ""),
    entry(Press::Named(Named::PageDown), Wish::PageDown, ""),
    entry(Press::Named(Named::PageUp), Wish::PageUp, ""),
    entry(Press::Named(Named::Home), Wish::First, ""),
    entry(Press::Named(Named::End), Wish::Last, ""),
    entry(Press::ShiftNamed(Named::ArrowDown), Wish::ExtendNext, "Shift ↓"),
    entry(Press::ShiftNamed(Named::ArrowUp), Wish::ExtendPrevious, ""),
    entry(Press::Named(Named::Enter), Wish::Open, "Enter"),
    entry(Press::Named(Named::Escape), Wish::Back, "Esc"),
    entry(Press::Letter('/'), Wish::Search, "/"),
    entry(Press::AfterG('i'), Wish::GoInbox, "g i"),
    entry(Press::AfterG('s'), Wish::GoSent, "g s"),
    entry(Press::AfterG('d'), Wish::GoDrafts, "g d"),
    entry(Press::Letter('x'), Wish::Select, "x"),
    entry(Press::Ctrl('a'), Wish::SelectAll, "Ctrl A"),
    entry(Press::Letter('c'), Wish::Compose, "c"),
    entry(Press::Ctrl('n'), Wish::Compose, ""),
    entry(Press::Letter('r'), Wish::Reply, "r"),
    entry(Press::Letter('a'), Wish::ReplyAll, "a"),
    entry(Press::Letter('f'), Wish::Forward, "f"),
    entry(Press::Letter('e'), Wish::Archive, "e"),
    entry(Press::Letter('#'), Wish::Delete, "#  Del"),
    entry(Press::Named(Named::Delete), Wish::Delete, ""),
    entry(Press::Letter('!'), Wish::Junk, "!"),
    entry(Press::Letter('u'), Wish::ToggleUnread, "u"),
    entry(Press::Letter('s'), Wish::ToggleStar, "s"),
    entry(Press::Letter('v'), Wish::Move, "v"),
    entry(Press::Letter('z'), Wish::Undo, "z"),
    entry(Press::Ctrl('z'), Wish::Undo, ""),
    entry(Press::Letter('n'), Wish::NextInThread, "n"),
    entry(Press::Letter('p'), Wish::PreviousInThread, "p"),
    entry(Press::Ctrl('f'), Wish::Find, "Ctrl F"),
    entry(Press::Named(Named::F3), Wish::FindNext, "F3"),
    entry(Press::ShiftNamed(Named::F3), Wish::FindPrevious, "Shift F3"),
    entry(Press::ShiftNamed(Named::Enter), Wish::FindPrevious, ""),
    entry(Press::Ctrl('c'), Wish::Copy, "Ctrl C"),
    entry(Press::Letter('m'), Wish::MessageMenu, "m"),
    entry(Press::Letter('o'), Wish::Links, "o"),
    entry(Press::Letter('i'), Wish::ShowPictures, "i"),
    entry(Press::Letter('t'), Wish::ShowAsText, "t"),
    entry(Press::Letter('w'), Wish::ShowAsSent, "w"),
    entry(Press::Letter('q'), Wish::ShowQuoted, "q"),
    entry(Press::Letter('d'), Wish::Details, "d"),
    entry(Press::Ctrl('u'), Wish::ViewSource, "Ctrl U"),
    entry(Press::CtrlShift('h'), Wish::AllHeaders, "Ctrl Shift H"),
    entry(Press::Ctrl('s'), Wish::SaveMessage, "Ctrl S"),
    entry(Press::CtrlShift('s'), Wish::SaveAll, "Ctrl Shift S"),
    entry(Press::Ctrl('p'), Wish::Print, "Ctrl P"),
    entry(Press::CtrlNamed(Named::Enter), Wish::Send, "Ctrl Enter"),
    entry(Press::Ctrl('k'), Wish::Palette, "Ctrl K"),
    entry(Press::Ctrl('r'), Wish::CheckNow, "Ctrl R"),
    entry(Press::Ctrl(','), Wish::Settings, "Ctrl ,"),
    entry(Press::Named(Named::F5), Wish::CheckNow, ""),
    entry(Press::Ctrl('+'), Wish::ZoomIn, "Ctrl +"),
    entry(Press::Ctrl('='), Wish::ZoomIn, ""),
    entry(Press::Ctrl('-'), Wish::ZoomOut, "Ctrl −"),
    entry(Press::Ctrl('0'), Wish::ZoomReset, "Ctrl 0"),
    entry(Press::Letter('?'), Wish::ShowKeys, "?"),
    entry(Press::Named(Named::F1), Wish::ShowKeys, ""),
    entry(Press::Named(Named::Tab), Wish::FocusNext, "Tab"),
    entry(Press::ShiftNamed(Named::Tab), Wish::FocusPrevious, ""),
    entry(Press::Named(Named::F6), Wish::NextPane, "F6"),
    entry(Press::ShiftNamed(Named::F6), Wish::PreviousPane, ""),
];

/// A key press that nothing in the window has taken.
#[derive(Clone, Debug, PartialEq)]
pub struct KeyPress {
    /// With Shift applied.
    pub key: Key,
    pub physical: Physical,
    pub modifiers: Modifiers,
    /// A text field has the focus and took it, or would take it.
    pub taken: bool,
}

/// Remembers a `g` until the next key.
#[derive(Clone, Copy, Debug, Default)]
pub struct Keys {
    after_g: bool,
}

impl Keys {
    /// What the key asks for. A key that a field took never means a single letter.
    pub fn read(&mut self, press: &KeyPress) -> Option<Wish> {
        let after_g = std::mem::take(&mut self.after_g);
        let ctrl = press.modifiers.command();
        if press.modifiers.alt() || press.modifiers.logo() && !ctrl {
            return None;
        }
        let character = match &press.key {
            Key::Character(text) if text.is_ascii() => text.chars().next(),
            key => key.to_latin(press.physical),
        };
        let found = |wanted: Press| {
            TABLE
                .iter()
                .find(|entry| entry.press == wanted)
                .map(|entry| entry.wish)
        };
        match (&press.key, character) {
            (Key::Named(named), _) if ctrl => found(Press::CtrlNamed(*named)),
            (Key::Named(named), _) if press.taken => {
                // A field keeps the arrows and Enter, a message Tab while it has links; Escape and F6 still move about.
                matches!(named, Named::Escape | Named::F6)
                    .then(|| self.named(*named, press.modifiers))
                    .flatten()
            }
            (Key::Named(named), _) => self.named(*named, press.modifiers),
            (_, Some(character)) if ctrl => {
                let letter = character.to_ascii_lowercase();
                let shifted = if press.modifiers.shift() {
                    found(Press::CtrlShift(letter))
                } else {
                    None
                };
                shifted.or_else(|| found(Press::Ctrl(letter))).filter(|wish| {
                    // Undo and select-all within a field are the field's own.
                    !(press.taken && matches!(wish, Wish::Undo | Wish::SelectAll | Wish::Copy))
                })
            }
            (_, Some(_)) if press.taken => None,
            (_, Some('g')) if !after_g => {
                self.after_g = true;
                None
            }
            (_, Some(character)) if after_g => found(Press::AfterG(character)),
            (_, Some(character)) => found(Press::Letter(character)),
            _ => None,
        }
    }

    #[expect(clippy::unused_self, reason = "reads as one of the reader's steps")]
    fn named(self, named: Named, modifiers: Modifiers) -> Option<Wish> {
        let wanted = if modifiers.shift() {
            Press::ShiftNamed(named)
        } else {
            Press::Named(named)
        };
        TABLE
            .iter()
            .find(|entry| entry.press == wanted)
            .map(|entry| entry.wish)
    }
}

/// How a wish's key is written, for tooltips and the sheet.
#[must_use]
pub fn keys_of(wish: Wish) -> &'static str {
    TABLE
        .iter()
        .find(|entry| entry.wish == wish && !entry.keys.is_empty())
        .map_or("", |entry| entry.keys)
}

/// Keys as they are called on the user's keyboard.
#[must_use]
pub fn spell(keys: &str) -> String {
    let named = [
        ("Ctrl", t!("keyname-ctrl")),
        ("Shift", t!("keyname-shift")),
        ("Enter", t!("keyname-enter")),
        ("Del", t!("keyname-del")),
    ];
    named
        .iter()
        .fold(keys.to_owned(), |said, (key, name)| said.replace(key, name))
}

/// Everything on the sheet of keys.
pub fn sheet() -> impl Iterator<Item = (Group, &'static str, String)> {
    TABLE
        .iter()
        .filter(|entry| !entry.keys.is_empty())
        .map(|entry| (group(entry.wish), entry.keys, name(entry.wish)))
}

const fn group(wish: Wish) -> Group {
    match wish {
        Wish::Compose
        | Wish::Reply
        | Wish::ReplyAll
        | Wish::Forward
        | Wish::Archive
        | Wish::Delete
        | Wish::Junk
        | Wish::ToggleUnread
        | Wish::ToggleStar
        | Wish::Move
        | Wish::Undo
        | Wish::Send => Group::Message,
        Wish::NextInThread
        | Wish::PreviousInThread
        | Wish::Find
        | Wish::FindNext
        | Wish::FindPrevious
        | Wish::Copy
        | Wish::MessageMenu
        | Wish::ShowAsText
        | Wish::ShowAsSent
        | Wish::ShowQuoted
        | Wish::ShowPictures
        | Wish::FixedFont
        | Wish::Details
        | Wish::Links
        | Wish::ViewSource
        | Wish::AllHeaders
        | Wish::SaveMessage
        | Wish::SaveAll
        | Wish::Print
        | Wish::Unsubscribe => Group::Reading,
        Wish::ShowKeys
        | Wish::Palette
        | Wish::CheckNow
        | Wish::ZoomIn
        | Wish::ZoomOut
        | Wish::ZoomReset
        | Wish::FocusNext
        | Wish::FocusPrevious
        | Wish::NextPane
        | Wish::Problems
        | Wish::Settings
        | Wish::Look(_)
        | Wish::PreviousPane => Group::Window,
        _ => Group::Around,
    }
}

/// What a wish is called.
#[must_use]
pub fn name(wish: Wish) -> String {
    match wish {
        Wish::Next => t!("key-next"),
        Wish::Previous => t!("key-previous"),
        Wish::PageDown => t!("key-page-down"),
        Wish::PageUp => t!("key-page-up"),
        Wish::First => t!("key-first"),
        Wish::Last => t!("key-last"),
        Wish::ExtendNext | Wish::ExtendPrevious => t!("key-extend"),
        Wish::Open => t!("key-open"),
        Wish::Back => t!("key-back"),
        Wish::Compose => t!("action-compose"),
        Wish::Reply => t!("action-reply"),
        Wish::ReplyAll => t!("action-reply-all"),
        Wish::Forward => t!("action-forward"),
        Wish::Archive => t!("action-archive"),
        Wish::Delete => t!("action-delete"),
        Wish::Junk => t!("action-junk"),
        Wish::ToggleUnread => t!("key-unread"),
        Wish::ToggleStar => t!("key-star"),
        Wish::Move => t!("action-move"),
        Wish::Undo => t!("action-undo"),
        Wish::Search => t!("key-search"),
        Wish::GoInbox => t!("key-go-inbox"),
        Wish::GoSent => t!("key-go-sent"),
        Wish::GoDrafts => t!("key-go-drafts"),
        Wish::Select => t!("key-select"),
        Wish::SelectAll => t!("key-select-all"),
        Wish::ShowKeys => t!("key-keys"),
        Wish::Palette => t!("key-palette"),
        Wish::Send => t!("action-send"),
        Wish::CheckNow => t!("action-check-now"),
        Wish::NewMailbox => t!("mailbox-act-new"),
        Wish::MailboxMenu => t!("mailbox-menu"),
        Wish::NextInThread => t!("key-next-in-thread"),
        Wish::PreviousInThread => t!("key-previous-in-thread"),
        Wish::Find => t!("action-find"),
        Wish::FindNext => t!("key-find-next"),
        Wish::FindPrevious => t!("key-find-previous"),
        Wish::Copy => t!("action-copy"),
        Wish::MessageMenu => t!("action-message-menu"),
        Wish::ShowAsText => t!("action-as-text"),
        Wish::ShowAsSent => t!("action-as-sent"),
        Wish::ShowQuoted => t!("action-quoted"),
        Wish::ShowPictures => t!("action-pictures"),
        Wish::FixedFont => t!("action-fixed-font"),
        Wish::Details => t!("action-details"),
        Wish::Links => t!("action-links"),
        Wish::ViewSource => t!("action-source"),
        Wish::AllHeaders => t!("action-headers"),
        Wish::SaveMessage => t!("action-save-message"),
        Wish::SaveAll => t!("action-save-all"),
        Wish::Print => t!("action-print"),
        Wish::Unsubscribe => t!("action-unsubscribe"),
        Wish::ZoomIn => t!("key-zoom-in"),
        Wish::ZoomOut => t!("key-zoom-out"),
        Wish::ZoomReset => t!("key-zoom-reset"),
        Wish::FocusNext | Wish::FocusPrevious => t!("key-focus"),
        Wish::NextPane | Wish::PreviousPane => t!("key-pane"),
        Wish::Problems => t!("problems-title"),
        Wish::Settings => t!("settings-title"),
        Wish::Look(Appearance::System) => t!("look-system"),
        Wish::Look(Appearance::Light) => t!("look-light"),
        Wish::Look(Appearance::Dark) => t!("look-dark"),
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use iced::keyboard::key::NativeCode;

    fn press(key: Key, modifiers: Modifiers, taken: bool) -> KeyPress {
        KeyPress {
            key,
            physical: Physical::Unidentified(NativeCode::Unidentified),
            modifiers,
            taken,
        }
    }

    fn letter(text: &str, modifiers: Modifiers, taken: bool) -> Option<Wish> {
        Keys::default().read(&press(Key::Character(text.into()), modifiers, taken))
    }

    #[test]
    fn letters_ask_for_what_the_table_says() {
        for (text, wish) in [
            ("j", Some(Wish::Next)),
            ("#", Some(Wish::Delete)),
            ("!", Some(Wish::Junk)),
            ("?", Some(Wish::ShowKeys)),
            ("/", Some(Wish::Search)),
            ("y", None),
            ("J", None),
        ] {
            assert_eq!(letter(text, Modifiers::empty(), false), wish, "{text}");
        }
    }

    #[test]
    fn nothing_typed_into_a_field_ever_fires() {
        for text in "abcdefghijklmnopqrstuvwxyz#!?/0123456789ABCDEFXZ".chars() {
            let text = text.to_string();
            assert_eq!(letter(&text, Modifiers::empty(), true), None, "{text}");
            assert_eq!(letter(&text, Modifiers::SHIFT, true), None, "Shift {text}");
        }
        for named in [Named::Enter, Named::Delete, Named::ArrowDown, Named::Home] {
            let typed = press(Key::Named(named), Modifiers::empty(), true);
            assert_eq!(Keys::default().read(&typed), None, "{named:?}");
        }
    }

    #[test]
    fn combinations_work_while_typing() {
        let ctrl = Modifiers::COMMAND;
        let enter = press(Key::Named(Named::Enter), ctrl, true);
        assert_eq!(Keys::default().read(&enter), Some(Wish::Send));
        assert_eq!(letter("k", ctrl, true), Some(Wish::Palette));
        assert_eq!(letter("z", ctrl, true), None);
        assert_eq!(letter("z", ctrl, false), Some(Wish::Undo));
        assert_eq!(letter("j", Modifiers::ALT, false), None);
    }

    #[test]
    fn g_waits_for_one_key_only() {
        let mut keys = Keys::default();
        let mut read = |text: &str| keys.read(&press(Key::Character(text.into()), Modifiers::empty(), false));
        assert_eq!(read("g"), None);
        assert_eq!(read("i"), Some(Wish::GoInbox));
        assert_eq!(read("i"), Some(Wish::ShowPictures));
        assert_eq!(read("g"), None);
        assert_eq!(read("j"), None);
        assert_eq!(read("j"), Some(Wish::Next));
    }

    #[test]
    fn keys_are_spelt_as_on_the_keyboard() {
        for keys in ["Ctrl Shift H", "#  Del", "Enter", "j  ↓", ""] {
            assert_eq!(spell(keys), keys);
        }
    }

    #[test]
    fn no_key_is_given_twice() {
        for (at, entry) in TABLE.iter().enumerate() {
            assert!(
                TABLE.iter().skip(at + 1).all(|other| other.press != entry.press),
                "{:?}",
                entry.press
            );
        }
    }
}
