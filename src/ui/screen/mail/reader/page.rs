//! What happens on the pages: marking, links, what the painter answers, and the find bar.

use posthorn_html::page::{Grain, Point, Rect};
use posthorn_model::MessageId;

use super::canvas::{Answer, Canvas};
use super::find::Find;
use super::{FIND, Message, Reader};
use crate::app::Action;
use crate::widget::page::{Mark, MarkKind, PageEvent};
use crate::widget::reveal::Reveal;

impl Reader {
    pub(super) fn on_canvas(
        &mut self,
        id: MessageId,
        act: impl FnOnce(&mut Canvas) -> Vec<Action>,
    ) -> Vec<Action> {
        let canvas = self
            .reading_of_mut(id)
            .and_then(|reading| reading.canvas.as_mut());
        canvas.map(act).unwrap_or_default()
    }

    pub(super) fn page_event(&mut self, id: MessageId, event: PageEvent) -> Vec<Action> {
        match event {
            PageEvent::Sized(width) => {
                self.width = Some(width);
                self.on_canvas(id, |canvas| canvas.resize(width))
            }
            PageEvent::Needed { first, last } => self.on_canvas(id, |canvas| canvas.need(first, last)),
            PageEvent::Hovered(link) => self.on_canvas(id, |canvas| {
                canvas.hover(link);
                Vec::new()
            }),
            PageEvent::Marking { from, to, grain } => {
                self.touch(id);
                let point = |at: iced::Point| Point { x: at.x, y: at.y };
                self.on_canvas(id, |canvas| canvas.mark(point(from), point(to), grain))
            }
            PageEvent::Unmarked => {
                self.touch(id);
                self.on_canvas(id, |canvas| {
                    canvas.unmark();
                    Vec::new()
                })
            }
            PageEvent::LinkPressed(n) => {
                let link = self.link(id, n);
                link.map(|(text, url)| Action::AskLink { text, url })
                    .into_iter()
                    .collect()
            }
            PageEvent::LinkFocused(link) => self.focus_link(id, link),
            PageEvent::Scrolled(by) => vec![Action::ScrollReaderBy(by)],
            PageEvent::Context { link } => match link.and_then(|n| self.link(id, n)) {
                Some((_, url)) => vec![Action::Copy(url), Action::Say(crate::t!("said-link-copied"))],
                None => self.update(Message::MenuPressed(id)),
            },
        }
    }

    /// The keyboard is at a link: it comes into view, and where it leads is shown.
    fn focus_link(&mut self, id: MessageId, link: Option<usize>) -> Vec<Action> {
        self.on_canvas(id, |canvas| {
            canvas.focus(link);
            let seen = link.and_then(|n| {
                let shown = canvas.shown()?;
                let rects = &shown.page.links.get(n)?.rects;
                let (first, last) = (rects.first()?, rects.last()?);
                let (fit, height) = (shown.grid.fit(), last.y + last.height - first.y);
                Some(Action::Reveal(Reveal::within(
                    page_id(id),
                    first.y * fit,
                    height.max(0.0) * fit,
                )))
            });
            seen.into_iter().collect()
        })
    }

    /// A link's words, and where it leads.
    fn link(&self, id: MessageId, n: usize) -> Option<(String, String)> {
        let link = self.reading_of(id)?.drawn()?.page()?.links.get(n)?;
        Some((link.text.clone(), link.url.clone()))
    }

    /// Marks are on one page at a time.
    fn touch(&mut self, id: MessageId) {
        if self.touched.is_some_and(|other| other != id) {
            for reading in self.readings_mut().filter(|reading| reading.id() != id) {
                if let Some(canvas) = &mut reading.canvas {
                    canvas.unmark();
                }
            }
        }
        self.touched = Some(id);
    }

    /// The hands are elsewhere: "select all" means what is there.
    pub const fn untouch(&mut self) {
        self.touched = None;
    }

    /// The text that is marked.
    #[must_use]
    pub fn marked(&self) -> Option<&str> {
        self.readings()
            .filter_map(|reading| reading.drawn())
            .map(|canvas| canvas.selected().text.as_str())
            .find(|text| !text.is_empty())
    }

    /// Marks all of the message that was touched last; `None` where it was none.
    pub fn mark_all(&mut self) -> Option<Vec<Action>> {
        let id = self.touched?;
        self.reading_of(id)?.drawn()?.page()?;
        let origin = Point::default();
        Some(self.on_canvas(id, |canvas| canvas.mark(origin, origin, Grain::All)))
    }

    pub(super) fn drawn(&mut self, id: MessageId, answer: Answer) -> Vec<Action> {
        if let Answer::Found(page, words, result) = answer {
            return self.found(id, page, &words, result.unwrap_or_default());
        }
        let is_ahead = self.is_ahead(id);
        let words = self.find.as_ref().map(|find| find.words.clone());
        let Some(reading) = self.reading_of_mut(id) else {
            // Folded meanwhile: what was opened for it is of no use.
            if let Answer::Opened(_, Ok(page)) = answer {
                self.left.push(page.id);
            }
            return Vec::new();
        };
        let Some(canvas) = &mut reading.canvas else {
            return Vec::new();
        };
        let (mut actions, renewed) = canvas.answered(answer);
        if canvas.failure().is_some() {
            reading.set_text();
        } else if renewed && !is_ahead {
            actions.extend(reading.obey());
        }
        if renewed
            && !is_ahead
            && let Some(canvas) = reading.drawn()
            && let Some(words) = words.filter(|words| !words.is_empty())
        {
            actions.extend(canvas.find(&words));
        }
        actions
    }

    fn found(
        &mut self,
        id: MessageId,
        page: posthorn_html::page::PageId,
        words: &str,
        hits: Vec<Vec<Rect>>,
    ) -> Vec<Action> {
        let current = self
            .reading_of(id)
            .and_then(|reading| reading.drawn()?.page())
            .is_some_and(|shown| shown.id == page);
        let first = current && self.find.as_mut().is_some_and(|find| find.found(id, words, hits));
        if first { self.reveal_hit() } else { Vec::new() }
    }

    /// Opens the find bar, or brings it to hand.
    pub fn open_find(&mut self) -> Vec<Action> {
        if self.current.is_none() {
            return Vec::new();
        }
        if self.find.is_none() {
            let marked = self
                .marked()
                .filter(|text| !text.contains('\n'))
                .map(str::to_owned);
            self.find = Some(Find::default());
            self.order_find();
            if let Some(words) = marked {
                let mut actions = self.look_for(words);
                actions.push(Action::Focus(FIND));
                return actions;
            }
        }
        vec![Action::Focus(FIND)]
    }

    /// The open messages, as they stand.
    pub(super) fn order_find(&mut self) {
        let order = self
            .thread
            .iter()
            .map(|row| row.message)
            .filter(|id| self.open.contains_key(id))
            .collect();
        if let Some(find) = &mut self.find {
            find.set_order(order);
        }
    }

    pub(super) fn look_for(&mut self, words: String) -> Vec<Action> {
        let Some(find) = &mut self.find else {
            return Vec::new();
        };
        find.look_for(words.clone());
        if words.trim().is_empty() {
            return Vec::new();
        }
        self.readings()
            .filter_map(|reading| reading.drawn())
            .flat_map(|canvas| canvas.find(&words))
            .collect()
    }

    pub fn step_find(&mut self, forward: bool) -> Vec<Action> {
        if let Some(find) = &mut self.find {
            find.step(forward);
        }
        self.reveal_hit()
    }

    fn reveal_hit(&self) -> Vec<Action> {
        let Some((id, rect)) = self.find.as_ref().and_then(Find::target) else {
            return Vec::new();
        };
        let fit = self
            .reading_of(id)
            .and_then(|reading| reading.drawn()?.shown())
            .map_or(1.0, |shown| shown.grid.fit());
        vec![Action::Reveal(Reveal::within(
            page_id(id),
            rect.y * fit,
            rect.height * fit,
        ))]
    }

    /// What is drawn over a message's page.
    pub(super) fn marks(&self, id: MessageId, canvas: &Canvas) -> Vec<Mark> {
        let selected = canvas.selected().rects.iter().map(|rect| Mark {
            rect: *rect,
            kind: MarkKind::Selected,
        });
        let hits = self.find.as_ref().map(|find| find.marks(id));
        selected.chain(hits.into_iter().flatten()).collect()
    }

    /// The link under the pointer or with the focus, on whichever page.
    #[must_use]
    pub fn hovered_link(&self) -> Option<&str> {
        self.readings()
            .find_map(|reading| reading.drawn()?.link())
            .map(|link| link.url.as_str())
    }
}

/// How the toolkit knows a message's page.
#[must_use]
pub fn page_id(id: MessageId) -> String {
    format!("page-{id}")
}

/// How the toolkit knows a message's card.
#[must_use]
pub fn card_id(id: MessageId) -> String {
    format!("message-{id}")
}
