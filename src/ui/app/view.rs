//! The window, drawn: the screen in front, dialogs and toasts over it.

use iced::widget::{column, container, mouse_area, opaque, row, space, stack};
use iced::{Bottom, Center, Element, Fill, Padding, Theme, theme};

use super::toast::Way;
use super::{App, Message, Phase, Screen, Toast};
use crate::icon::{self, Icon};
use crate::screen::sheet::Sheet;
use crate::screen::{account, compose, settings, setup, sheet};
use crate::t;
use crate::theme::{space as gap, style, tokens};
use crate::widget::still::still;
use crate::widget::{Kind, button, hint, words};

impl App {
    /// Draws the window.
    #[must_use]
    pub fn view(&self) -> Element<'_, Message> {
        let screen: Element<'_, Message> = match (&self.phase, &self.screen) {
            (Phase::Failed(error), _) => failed(&error.message),
            (_, Screen::Setup(setup)) => setup::view(setup).map(Message::Setup),
            (_, Screen::Settings(settings)) => {
                settings::view(settings, &self.directory, self.appearance).map(Message::Settings)
            }
            (_, Screen::Account(page)) => {
                account::view(page, &self.directory, &self.clock).map(Message::Account)
            }
            (_, Screen::Mail) => self.mail_view(),
            (_, Screen::Blank) => self.opening(),
        };
        let mut layers = stack![still(screen, self.sheet.is_some())];
        if let Some(sheet) = &self.sheet {
            let card = sheet::view(sheet, &self.directory, &self.clock).map(Message::Sheet);
            layers = layers.push(if matches!(sheet, Sheet::Picture(_)) {
                opaque(container(card).width(Fill).height(Fill).style(style::surface))
            } else {
                over(card, Message::Sheet(sheet::Message::Closed))
            });
        }
        if !self.toasts.is_empty() {
            layers = layers.push(self.toasts_view());
        }
        layers.width(Fill).height(Fill).into()
    }

    fn mail_view(&self) -> Element<'_, Message> {
        let front = self
            .composing
            .and_then(|id| self.composers.iter().find(|composer| composer.id == id));
        let pane = front.map(|composer| compose::view(composer, &self.directory).map(Message::Compose));
        let waiting: Vec<_> = self
            .composers
            .iter()
            .filter(|composer| Some(composer.id) != self.composing)
            .map(|composer| compose::chip(composer, Message::ComposerPicked(composer.id)))
            .collect();
        self.mail.view(&self.directory, &self.clock, pane, waiting)
    }

    /// Nothing for a moment, then a word: the engine is usually open before an eye could tell.
    fn opening(&self) -> Element<'_, Message> {
        let slow = self.opened_at.elapsed() > std::time::Duration::from_millis(400);
        let words_ = if self.options.demo {
            t!("setup-sandbox-starting")
        } else {
            t!("opening")
        };
        let said: Element<'_, Message> = if slow || self.options.demo {
            column![icon::mark(48.0), words::muted(words_)]
                .spacing(gap::M)
                .align_x(Center)
                .into()
        } else {
            space().into()
        };
        container(said).center(Fill).style(style::ground).into()
    }

    fn toasts_view(&self) -> Element<'_, Message> {
        container(
            column(self.toasts.iter().map(toast))
                .spacing(gap::S)
                .align_x(Center),
        )
        .width(Fill)
        .height(Fill)
        .align_x(Center)
        .align_y(Bottom)
        .padding(Padding::default().bottom(44))
        .into()
    }

    /// The colours behind everything.
    #[must_use]
    pub fn style(&self, theme: &Theme) -> theme::Style {
        let t = tokens(theme);
        theme::Style {
            background_color: t.surface,
            text_color: t.text,
        }
    }
}

/// A dialog over the dimmed window; a click beside it closes it.
fn over<'a>(card: Element<'a, Message>, close: Message) -> Element<'a, Message> {
    opaque(
        mouse_area(
            container(opaque(card))
                .center_x(Fill)
                .height(Fill)
                .padding(Padding::default().top(90))
                .style(style::scrim),
        )
        .on_press(close),
    )
}

fn toast(toast: &Toast) -> Element<'_, Message> {
    let mut line = row![].spacing(gap::M).align_y(Center);
    if toast.bad {
        line = line.push(icon::colored(Icon::Warning, |theme| tokens(theme).inverse_accent));
    }
    line = line.push(container(words::body(toast.text.as_str())).max_width(520));
    if toast.way != Way::None {
        line = line.push(
            button(t!("action-undo"), Kind::Inverse)
                .padding([2, 6])
                .on_press(Message::ToastPressed(toast.id)),
        );
    }
    line = line.push(hint(
        crate::widget::press(
            icon::colored(Icon::Close, |theme| tokens(theme).on_inverse)
                .width(12)
                .height(12),
        )
        .kind(Kind::Inverse)
        .padding(4)
        .on_press(Message::ToastClosed(toast.id)),
        t!("close"),
        "",
    ));
    container(line)
        .padding([gap::S, gap::L])
        .style(style::toast)
        .into()
}

fn failed(why: &str) -> Element<'_, Message> {
    container(
        column![
            icon::colored(Icon::Warning, |theme| tokens(theme).danger)
                .width(32)
                .height(32),
            words::title(t!("open-failed")),
            words::body(why).center(),
            words::muted(t!("open-failed-kept")).center(),
        ]
        .spacing(gap::M)
        .max_width(520)
        .align_x(Center),
    )
    .center(Fill)
    .style(style::ground)
    .into()
}
