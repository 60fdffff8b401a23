//! Asks whoever draws messages, and carries back what came of it. Nothing here waits.

use std::collections::BTreeMap;
use std::sync::Arc;

use iced::advanced::widget::operate;
use iced::widget::operation;
use iced::{Task, theme, window};
use posthorn_engine::Error;
use posthorn_engine::reading::PartAt;
use posthorn_html::page::{Failure, Heading, Look, PageTheme, Pixels, Source};
use posthorn_model::{ErrorClass, MessageId};

use super::{App, Message};
use crate::bridge::{self, aside};
use crate::painter::Brush;
use crate::screen::mail;
use crate::screen::mail::reader::canvas::{Answer, Around, Draw};
use crate::screen::mail::reader::material::{Letterhead, Material};
use crate::screen::mail::reader::preview::{self, Seen};
use crate::screen::mail::reader::{self, SCROLL};
use crate::screen::sheet::Sheet;
use crate::screen::sheet::picture::SIDE;
use crate::system::dialog::{self, Saved};
use crate::t;
use crate::widget::reveal::Reveal;

fn told(of: MessageId, answer: Answer) -> Message {
    Message::Mail(mail::Message::Reader(reader::Message::Drawn(of, answer)))
}

/// Everything that a page is made from. Text becomes a page here, off the window's thread.
async fn gather(material: Arc<Material>, look: Look, dark: bool, part: bool) -> Result<Source, Failure> {
    let made = aside(move || Source {
        html: if part {
            material.first_html(dark)
        } else {
            material.html(dark)
        },
        parts: material.parts.clone(),
        fetched: BTreeMap::clone(&material.fetched),
        look,
    });
    made.await.map_err(|_| Failure::Died)
}

impl App {
    /// What pages look like from outside; `None` where there is nobody to draw them.
    fn around(&self) -> Option<Around> {
        self.painter.as_ref()?;
        Some(Around {
            dark: self.is_dark(),
            device: self.density * self.zoom,
        })
    }

    pub(super) fn is_dark(&self) -> bool {
        match crate::theme::theme_of(self.appearance) {
            Some(theme) => theme.extended_palette().is_dark,
            None => self.mode == theme::Mode::Dark,
        }
    }

    /// After every message: pages that are left are closed, and the others hear of another screen or theme.
    pub(super) fn tend_pages(&mut self) -> Task<Message> {
        if let Some(painter) = &self.painter {
            for page in self.mail.reader.take_left() {
                painter.close(page);
            }
        }
        let around = self.around();
        let actions = self.mail.reader.surround(around);
        self.perform_all(actions)
    }

    /// Asks for the screen's density and the system's colours.
    pub(super) fn look_around() -> Task<Message> {
        let density = window::latest()
            .and_then(window::scale_factor)
            .map(Message::Rescaled);
        let mode = iced::system::theme().map(Message::ModeChanged);
        Task::batch([density, mode, Self::find_place()])
    }

    pub(super) fn draw(&self, draw: Draw) -> Task<Message> {
        let Some(painter) = self.painter.clone() else {
            return Task::none();
        };
        match draw {
            Draw::Close(page) => {
                painter.close(page);
                Task::none()
            }
            Draw::Open {
                of,
                serial,
                material,
                look,
                part,
            } => {
                let dark = self.is_dark();
                let opened = async move {
                    let source = gather(material, look, dark, part).await?;
                    painter.open(source).await
                };
                Task::perform(opened, move |result| told(of, Answer::Opened(serial, result)))
            }
            Draw::Paint {
                of,
                page,
                strip,
                rect,
            } => Task::perform(painter.paint(page, rect), move |result| {
                told(of, Answer::Painted(page, strip, result))
            }),
            Draw::Select {
                of,
                page,
                from,
                to,
                grain,
            } => Task::perform(painter.select(page, from, to, grain), move |result| {
                told(of, Answer::Selected(page, result))
            }),
            Draw::Find { of, page, words } => {
                Task::perform(painter.find(page, words.clone()), move |result| {
                    told(of, Answer::Found(page, words.clone(), result))
                })
            }
        }
    }

    /// A look at a file: read by the engine, drawn by whoever draws.
    pub(super) fn preview(
        &self,
        bridge: &bridge::Bridge,
        of: MessageId,
        at: PartAt,
        index: u32,
        look: preview::Look,
    ) -> Task<Message> {
        let Some(painter) = self.painter.clone() else {
            return Task::none();
        };
        let part = bridge.part(at);
        let seen = async move {
            let Ok(Some(bytes)) = part.await else {
                return Seen::Drawn(Err(Failure::Unreadable));
            };
            match look {
                preview::Look::Picture => Seen::Drawn(painter.picture(bytes, preview::SIDE).await),
                preview::Look::Pdf => Seen::Drawn(painter.pdf_page(bytes, preview::SIDE).await),
                preview::Look::Text => Seen::Read(bytes),
            }
        };
        Task::perform(seen, move |seen| {
            Message::Mail(mail::Message::Reader(reader::Message::Previewed(of, index, seen)))
        })
    }

    /// A file as a picture, as large as it is.
    pub(super) fn look_at_picture(&self, bridge: &bridge::Bridge, at: PartAt) -> Task<Message> {
        let Some(painter) = self.painter.clone() else {
            return Task::none();
        };
        let part = bridge.part(at.clone());
        let seen = async move {
            match part.await {
                Ok(Some(bytes)) => painter.picture(bytes, SIDE).await,
                _ => Err(Failure::Unreadable),
            }
        };
        Task::perform(seen, move |result| Message::PictureSeen(at.clone(), result))
    }

    pub(super) fn picture_seen(&mut self, at: &PartAt, result: Result<Pixels, Failure>) {
        if let Some(Sheet::Picture(viewer)) = &mut self.sheet {
            viewer.take(at, result);
        }
    }

    /// Comes back after a while.
    pub(super) fn settle(of: MessageId, after: std::time::Duration) -> Task<Message> {
        Task::perform(bridge::pause(after), move |()| {
            Message::Mail(mail::Message::Reader(reader::Message::Settled(of)))
        })
    }

    pub(super) fn reveal(reveal: Reveal) -> Task<Message> {
        operate(reveal.within_scrollable(SCROLL)).discard()
    }

    pub(super) fn scroll_reader(to: f32) -> Task<Message> {
        operation::scroll_to(SCROLL, operation::AbsoluteOffset { x: None, y: Some(to) })
    }

    pub(super) fn scroll_reader_by(by: f32) -> Task<Message> {
        operation::scroll_by(SCROLL, operation::AbsoluteOffset { x: 0.0, y: by })
    }

    /// Writes a message onto paper that is a PDF.
    pub(super) fn print(
        &mut self,
        of: MessageId,
        material: Arc<Material>,
        letterhead: &Letterhead,
        name: String,
    ) -> Task<Message> {
        let Some(painter) = self.painter.clone() else {
            self.say(t!("print-no-painter"));
            return Task::none();
        };
        log::debug!("Message {of} is printed.");
        let saved = print_to_file(painter, material, letterhead.heading(&self.clock), name);
        Task::perform(saved, Message::PartsSaved)
    }
}

async fn print_to_file(
    painter: Brush,
    material: Arc<Material>,
    heading: Heading,
    name: String,
) -> Result<Option<Saved>, Error> {
    let look = Look {
        width: 700.0,
        scale: 1.0,
        theme: PageTheme::Light,
    };
    let failed = |failure: Failure| {
        log::info!("A message could not be printed: {failure:?}.");
        Error::new(ErrorClass::Corrupt, t!("print-failed"))
    };
    let source = gather(material, look, false, false).await.map_err(failed)?;
    let pdf = painter.print(source, heading).await.map_err(failed)?;
    dialog::save(format!("{name}.pdf"), pdf).await
}
