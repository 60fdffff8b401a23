//! The keyboard, from the window to a wish, and from a wish to whoever is in front.

use iced::advanced::widget::operate;
use iced::keyboard;
use iced::widget::operation;
use iced::{Event, Task, event, window};

use super::{App, Message, Screen};
use crate::screen::mail::reader::SCROLL;
use crate::screen::mail::{self, SEARCH};
use crate::screen::sheet::Sheet;
use crate::shortcut::{KeyPress, Wish};
use crate::widget::circle::circle;
use crate::widget::stride::stride;

/// Picks what the program wants of the window's events.
pub fn listen(event: Event, status: event::Status, _window: window::Id) -> Option<Message> {
    match event {
        Event::Keyboard(keyboard::Event::KeyPressed {
            modified_key,
            physical_key,
            modifiers,
            ..
        }) => Some(Message::KeyPressed(KeyPress {
            key: modified_key,
            physical: physical_key,
            modifiers,
            taken: status == event::Status::Captured,
        })),
        Event::Window(window::Event::Rescaled(density)) => Some(Message::Rescaled(density)),
        Event::Window(window::Event::Resized(size) | window::Event::Opened { size, .. }) => {
            Some(Message::Resized(size.width))
        }
        Event::Window(window::Event::FileDropped(path)) => Some(Message::FileDropped(path)),
        _ => None,
    }
}

impl App {
    pub(super) fn key(&mut self, press: &KeyPress) -> Task<Message> {
        // It ends the drag, which sees it for itself.
        if self.dragging && press.key == keyboard::Key::Named(keyboard::key::Named::Escape) {
            return Task::none();
        }
        match self.keys.read(press) {
            Some(wish) => self.wish(wish),
            None => Task::none(),
        }
    }

    /// Carries a wish to whoever is in front: a sheet, the composer, or the screen.
    pub fn wish(&mut self, wish: Wish) -> Task<Message> {
        match wish {
            Wish::FocusNext => return self.stride(true),
            Wish::FocusPrevious => return self.stride(false),
            Wish::NextPane => return self.circle(true),
            Wish::PreviousPane => return self.circle(false),
            Wish::ZoomIn => self.zoom_to(self.zoom + 0.1),
            Wish::ZoomOut => self.zoom_to(self.zoom - 0.1),
            Wish::ZoomReset => self.zoom_to(1.0),
            _ if self.sheet.is_some() => return self.sheet_wish(wish),
            _ if !matches!(self.screen, Screen::Mail) => return self.other_wish(wish),
            _ if self.composing.is_some() => return self.composer_wish(wish),
            _ => return self.mail_wish(wish),
        }
        Task::none()
    }

    fn zoom_to(&mut self, zoom: f32) {
        let width = self.width * self.zoom;
        self.zoom = zoom.clamp(0.7, 2.0);
        self.resize(width / self.zoom);
    }

    /// The window is so wide, in its own pixels.
    pub(super) fn resize(&mut self, width: f32) {
        self.width = width;
        self.mail.resize(width);
    }

    /// Takes the focus further. Where a message is read and nothing has it yet, its links come first.
    fn stride(&self, forward: bool) -> Task<Message> {
        let reads = matches!(self.screen, Screen::Mail) && self.sheet.is_none() && self.composing.is_none();
        let page = self.mail.reader.meant_page().filter(|_| reads);
        operate(stride(forward, page, SCROLL)).discard()
    }

    /// Takes the focus to the next pane. Under a dialog nothing takes it, and other screens are one pane.
    fn circle(&self, forward: bool) -> Task<Message> {
        if !matches!(self.screen, Screen::Mail) || self.sheet.is_some() {
            return Task::none();
        }
        operate(circle(
            forward,
            self.mail.panes(self.composing.is_some()),
            mail::MIDDLE,
            SCROLL,
        ))
        .discard()
    }

    fn other_wish(&mut self, wish: Wish) -> Task<Message> {
        match (&self.screen, wish) {
            (Screen::Settings(_) | Screen::Account(_), Wish::Back) => self.perform(super::Action::ShowMail),
            (Screen::Setup(_), Wish::Back) if !self.directory.accounts.is_empty() => {
                self.perform(super::Action::ShowMail)
            }
            (Screen::Account(page), Wish::CheckNow) => {
                let check = crate::screen::account::Message::CheckPressed;
                let _ = page;
                self.update(Message::Account(check))
            }
            (Screen::Account(_), Wish::Palette) => self.perform(super::Action::ShowPalette),
            _ => Task::none(),
        }
    }

    fn composer_wish(&mut self, wish: Wish) -> Task<Message> {
        match wish {
            Wish::Send => self.perform(super::Action::Send),
            Wish::Back => self.perform(super::Action::CloseComposer),
            Wish::Palette => self.perform(super::Action::ShowPalette),
            Wish::Undo => self.undo_typing(),
            _ => Task::none(),
        }
    }

    pub(super) fn mail_wish(&mut self, wish: Wish) -> Task<Message> {
        match wish {
            Wish::Compose => self.compose_new(),
            Wish::Undo => self.undo_last(),
            Wish::ShowKeys => {
                self.sheet = Some(Sheet::Keys);
                Task::none()
            }
            Wish::Palette => self.perform(super::Action::ShowPalette),
            Wish::CheckNow => self.check_now(),
            Wish::Problems => self.perform(super::Action::ShowProblems),
            Wish::Settings => self.perform(super::Action::ShowSettings),
            Wish::Look(appearance) => self.perform(super::Action::SetAppearance(appearance)),
            Wish::Search => Task::batch([operation::focus(SEARCH), operation::select_all(SEARCH)]),
            wish => {
                let actions = self.mail.wish(wish, &self.directory);
                self.perform_all(actions)
            }
        }
    }
}
