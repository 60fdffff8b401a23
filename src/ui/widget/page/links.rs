//! The keyboard among a page's links: Tab goes to the next, Shift and Tab to the one before, Enter opens.

use iced::advanced::renderer::Quad;
use iced::advanced::{Renderer as _, Shell};
use iced::keyboard::Modifiers;
use iced::keyboard::key::{Key, Named};
use iced::{Background, Border, Color, Rectangle, Renderer, Theme};

use super::{PageEvent, PageView, Shown, State};
use crate::theme;

/// Remembers which way Tab goes: the focus that comes next does not say.
pub(super) fn note_way(state: &mut State, key: &Key, modifiers: Modifiers) {
    if *key == Key::Named(Named::Tab) {
        state.backwards = modifiers.shift();
    }
}

impl<Message> PageView<'_, Message> {
    fn links(&self) -> usize {
        self.shown.map_or(0, |shown| shown.page.links.len())
    }

    /// With the focus. True where the key was for a link; Tab behind the last one leaves the page.
    pub(super) fn key_on_links(
        &self,
        state: &mut State,
        key: &Key,
        modifiers: Modifiers,
        shell: &mut Shell<'_, Message>,
    ) -> bool {
        match key {
            Key::Named(Named::Tab) if !modifiers.command() && !modifiers.alt() => {
                let to = match (state.link, modifiers.shift()) {
                    (None, false) => Some(0),
                    (None, true) => None,
                    (Some(n), false) => n.checked_add(1),
                    (Some(n), true) => n.checked_sub(1),
                };
                let to = to.filter(|n| *n < self.links());
                self.focus_link(state, to, shell);
                if to.is_some() {
                    shell.capture_event();
                }
                true
            }
            Key::Named(Named::Enter) if modifiers.is_empty() => {
                let Some(n) = state.link.filter(|n| *n < self.links()) else {
                    return false;
                };
                shell.publish((self.on_event)(PageEvent::LinkPressed(n)));
                shell.capture_event();
                true
            }
            _ => false,
        }
    }

    /// The focus has come or gone since the window was last drawn.
    pub(super) fn settle_focus(
        &self,
        state: &mut State,
        bounds: Rectangle,
        viewport: &Rectangle,
        shell: &mut Shell<'_, Message>,
    ) {
        if !state.focused {
            self.leave_link(state, shell);
        } else if state.entering && self.shown.is_some() {
            state.entering = false;
            let to = if state.backwards {
                self.links().checked_sub(1)
            } else {
                self.first_from(state, bounds, viewport)
            };
            self.focus_link(state, to, shell);
        }
    }

    /// The first link in view or below it; else the first of all.
    fn first_from(&self, state: &State, bounds: Rectangle, viewport: &Rectangle) -> Option<usize> {
        let shown = self.shown?;
        let links = &shown.page.links;
        let seen = links.iter().position(|link| {
            link.rects.first().is_some_and(|rect| {
                let area = self.on_window(shown, state, bounds, rect);
                area.y + area.height > viewport.y
            })
        });
        seen.or((!links.is_empty()).then_some(0))
    }

    fn focus_link(&self, state: &mut State, to: Option<usize>, shell: &mut Shell<'_, Message>) {
        if state.link != to {
            state.link = to;
            shell.publish((self.on_event)(PageEvent::LinkFocused(to)));
            shell.request_redraw();
        }
    }

    pub(super) fn leave_link(&self, state: &mut State, shell: &mut Shell<'_, Message>) {
        self.focus_link(state, None, shell);
    }

    /// A ring around each box of the link that has the focus.
    pub(super) fn draw_link_focus(
        &self,
        shown: Shown<'_>,
        state: &State,
        bounds: Rectangle,
        renderer: &mut Renderer,
        theme: &Theme,
    ) {
        let link = state.link.filter(|_| state.focused);
        let rects = link.and_then(|n| shown.page.links.get(n));
        for rect in rects.map(|link| &link.rects).into_iter().flatten() {
            renderer.fill_quad(
                Quad {
                    bounds: self.on_window(shown, state, bounds, rect).expand(2.0),
                    border: Border {
                        color: theme::tokens(theme).focus,
                        width: 2.0,
                        radius: 4.0.into(),
                    },
                    ..Quad::default()
                },
                Background::Color(Color::TRANSPARENT),
            );
        }
    }
}
