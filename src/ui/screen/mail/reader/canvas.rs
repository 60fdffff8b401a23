//! One message's page: opened, laid out anew when its room changes, and painted strip by strip as it is looked at.
//!
//! A page that is laid out anew stands behind the one that is shown until what is in view of it is painted, so that
//! nothing flickers. What was asked for a page that is no longer wanted is let go when it comes.

use std::collections::BTreeSet;
use std::sync::Arc;
use std::time::{Duration, Instant};

use posthorn_html::page::{Failure, Grain, Look, Page, PageId, PageTheme, Pixels, Point, Rect, Selected};
use posthorn_model::MessageId;

use super::material::Material;
use crate::app::Action;
use crate::widget::page::{Grid, Shown, Tiles};

/// How long the room must stay the same before the page is laid out anew.
const CALM: Duration = Duration::from_millis(120);
/// Strips that are being painted at a time: what has scrolled out of view meanwhile is never painted.
const AT_ONCE: usize = 3;
/// How often a page is opened anew because the process that held it is gone.
const TRIES: u8 = 2;
/// How much of a page is in view at first, in the window's pixels.
const FIRST: f32 = 500.0;
/// A page is made smaller to fit its room, down to this.
const SMALLEST: f32 = 0.45;

/// What is asked of the painter.
#[derive(Clone, Debug)]
pub enum Draw {
    Open {
        of: MessageId,
        serial: u64,
        material: Arc<Material>,
        look: Look,
        /// Only the beginning of a long message: the whole follows.
        part: bool,
    },
    Paint {
        of: MessageId,
        page: PageId,
        strip: u32,
        rect: Rect,
    },
    Close(PageId),
    Select {
        of: MessageId,
        page: PageId,
        from: Point,
        to: Point,
        grain: Grain,
    },
    Find {
        of: MessageId,
        page: PageId,
        words: String,
    },
}

/// What came of it.
#[derive(Clone, Debug)]
pub enum Answer {
    Opened(u64, Result<Page, Failure>),
    Painted(PageId, u32, Result<Pixels, Failure>),
    Selected(PageId, Result<Selected, Failure>),
    Found(PageId, String, Result<Vec<Vec<Rect>>, Failure>),
}

/// What a page looks like from outside.
#[derive(Clone, Copy, Debug, PartialEq)]
pub struct Around {
    /// The window is dark.
    pub dark: bool,
    /// Device pixels for one of the window's.
    pub device: f32,
}

impl Default for Around {
    fn default() -> Self {
        Self {
            dark: false,
            device: 1.0,
        }
    }
}

/// A page that is laid out.
#[derive(Debug)]
struct Laid {
    page: Page,
    grid: Grid,
    tiles: Tiles,
    asked: BTreeSet<u32>,
    /// The strips that are looked at.
    view: (u32, u32),
}

/// Text that is being marked.
#[derive(Debug, Default)]
struct Marked {
    selected: Selected,
    /// The painter is at it.
    busy: bool,
    /// Where the mouse went meanwhile.
    next: Option<(Point, Point, Grain)>,
}

/// See the module.
#[derive(Debug)]
pub struct Canvas {
    of: MessageId,
    material: Arc<Material>,
    around: Around,
    width: Option<f32>,
    serial: u64,
    /// The look that is being laid out.
    opening: Option<Look>,
    shown: Option<Laid>,
    next: Option<Laid>,
    /// What is shown, or will be first, is the beginning of a long message.
    part: bool,
    failure: Option<Failure>,
    tries: u8,
    since: Instant,
    marked: Marked,
    hovered: Option<usize>,
    focused: Option<usize>,
    /// A page that does not fit its room is made smaller by this.
    fit: f32,
    /// The room changed; nothing is done about it before it has been calm.
    due: bool,
}

impl Canvas {
    #[must_use]
    pub fn new(of: MessageId, material: Material, around: Around) -> Self {
        Self {
            of,
            material: Arc::new(material),
            around,
            width: None,
            serial: 0,
            opening: None,
            shown: None,
            next: None,
            part: false,
            failure: None,
            tries: 0,
            since: Instant::now(),
            marked: Marked::default(),
            hovered: None,
            focused: None,
            fit: 1.0,
            due: false,
        }
    }

    #[must_use]
    pub fn material(&self) -> &Material {
        &self.material
    }

    /// Why nothing can be drawn.
    #[must_use]
    pub const fn failure(&self) -> Option<Failure> {
        self.failure
    }

    #[must_use]
    pub fn page(&self) -> Option<&Page> {
        self.shown.as_ref().map(|laid| &laid.page)
    }

    /// The room that it was told of.
    #[must_use]
    pub const fn width(&self) -> Option<f32> {
        self.width
    }

    #[must_use]
    pub const fn is_dark(&self) -> bool {
        self.around.dark
    }

    /// Whether nothing is being laid out or painted for it.
    #[must_use]
    pub fn is_idle(&self) -> bool {
        let shown = self.shown.as_ref().is_some_and(|laid| laid.asked.is_empty());
        self.failure.is_some() || shown && self.next.is_none() && !self.due && !self.part
    }

    /// Since when nothing is to be seen.
    #[must_use]
    pub fn waiting(&self) -> Option<Instant> {
        let waits = self.shown.is_none() && self.opening.is_some() && self.failure.is_none();
        waits.then_some(self.since)
    }

    #[must_use]
    pub fn shown(&self) -> Option<Shown<'_>> {
        let laid = self.shown.as_ref()?;
        Some(Shown {
            page: &laid.page,
            grid: laid.grid,
            tiles: &laid.tiles,
        })
    }

    #[must_use]
    pub fn selected(&self) -> &Selected {
        &self.marked.selected
    }

    /// The link under the pointer, or else the one that has the keyboard's focus.
    #[must_use]
    pub fn link(&self) -> Option<&posthorn_html::page::PageLink> {
        self.page()?.links.get(self.hovered.or(self.focused)?)
    }

    pub const fn focus(&mut self, link: Option<usize>) {
        self.focused = link;
    }

    pub const fn hover(&mut self, link: Option<usize>) {
        self.hovered = link;
    }

    /// The bytes of pictures and strips that are kept.
    #[must_use]
    pub fn bytes(&self) -> usize {
        [&self.shown, &self.next]
            .into_iter()
            .flatten()
            .map(|laid| laid.tiles.bytes())
            .sum()
    }

    fn look(&self) -> Option<Look> {
        let theme = if self.around.dark && self.material.turns_dark() {
            PageTheme::Dark
        } else {
            PageTheme::Light
        };
        Some(Look {
            width: self.width?,
            scale: self.around.device * self.fit,
            theme,
        })
    }

    /// Lays the page out for the room as it is now.
    pub fn open(&mut self) -> Vec<Action> {
        self.due = false;
        let Some(look) = self.look().filter(|_| self.failure.is_none()) else {
            return Vec::new();
        };
        self.serial += 1;
        self.opening = Some(look);
        let part = self.shown.is_none() && self.material.is_long();
        self.part |= part;
        vec![Action::Draw(Draw::Open {
            of: self.of,
            serial: self.serial,
            material: Arc::clone(&self.material),
            look,
            part,
        })]
    }

    /// The page has this much room: at once for the first time, later when it has been calm.
    pub fn resize(&mut self, width: f32) -> Vec<Action> {
        if self.width == Some(width) {
            return Vec::new();
        }
        let first = self.width.replace(width).is_none();
        self.fit = 1.0;
        if first { self.open() } else { self.settle() }
    }

    /// Another screen, another zoom, another theme.
    pub fn surround(&mut self, around: Around) -> Vec<Action> {
        if self.around == around {
            return Vec::new();
        }
        let lights = self.around.dark != around.dark;
        self.around = around;
        if lights { self.open() } else { self.settle() }
    }

    /// Shows something else of the same message: with pictures, with the quoted text, as text.
    pub fn replace(&mut self, material: Material) -> Vec<Action> {
        self.material = Arc::new(material);
        self.part = false;
        self.failure = None;
        self.tries = 0;
        self.fit = 1.0;
        self.open()
    }

    fn settle(&mut self) -> Vec<Action> {
        if self.due || self.width.is_none() {
            return Vec::new();
        }
        self.due = true;
        vec![Action::Settle(self.of, CALM)]
    }

    /// It has been calm for a while.
    pub fn settled(&mut self) -> Vec<Action> {
        if self.due && self.opening != self.look() {
            return self.open();
        }
        self.due = false;
        Vec::new()
    }

    /// These strips are looked at.
    pub fn need(&mut self, first: u32, last: u32) -> Vec<Action> {
        let of = self.of;
        self.shown
            .as_mut()
            .map(|laid| laid.look_at(of, first, last))
            .unwrap_or_default()
    }

    pub fn mark(&mut self, from: Point, to: Point, grain: Grain) -> Vec<Action> {
        let Some(page) = self.page().map(|page| page.id) else {
            return Vec::new();
        };
        if self.marked.busy {
            self.marked.next = Some((from, to, grain));
            return Vec::new();
        }
        self.marked.busy = true;
        vec![Action::Draw(Draw::Select {
            of: self.of,
            page,
            from,
            to,
            grain,
        })]
    }

    pub fn unmark(&mut self) {
        self.marked.selected = Selected::default();
        self.marked.next = None;
    }

    /// Looks for words on the page, where there is one.
    pub fn find(&self, words: &str) -> Vec<Action> {
        let page = self.page().map(|page| Draw::Find {
            of: self.of,
            page: page.id,
            words: words.to_owned(),
        });
        page.map(Action::Draw).into_iter().collect()
    }

    /// Lets go of what the painter holds.
    pub fn close(&mut self) -> Vec<Action> {
        [self.shown.take(), self.next.take()]
            .into_iter()
            .flatten()
            .map(|laid| Action::Draw(Draw::Close(laid.page.id)))
            .collect()
    }

    /// Takes in what the painter answered. True where another page is shown now.
    pub fn answered(&mut self, answer: Answer) -> (Vec<Action>, bool) {
        match answer {
            Answer::Opened(serial, result) => self.opened(serial, result),
            Answer::Painted(page, strip, result) => self.painted(page, strip, result),
            Answer::Selected(page, result) => (self.marked_as(page, result), false),
            Answer::Found(..) => (Vec::new(), false),
        }
    }

    fn marked_as(&mut self, page: PageId, result: Result<Selected, Failure>) -> Vec<Action> {
        self.marked.busy = false;
        if self.page().map(|page| page.id) == Some(page)
            && let Ok(selected) = result
        {
            self.marked.selected = selected;
        }
        match self.marked.next.take() {
            Some((from, to, grain)) => self.mark(from, to, grain),
            None => Vec::new(),
        }
    }

    fn opened(&mut self, serial: u64, result: Result<Page, Failure>) -> (Vec<Action>, bool) {
        if serial != self.serial {
            // The room changed meanwhile: another answer is on its way.
            let late = result.ok().map(|page| Action::Draw(Draw::Close(page.id)));
            return (late.into_iter().collect(), false);
        }
        let Some(look) = self.opening else {
            return (Vec::new(), false);
        };
        match result {
            Err(failure) => (self.failed(failure), true),
            Ok(page) if self.too_wide(&page, look) => {
                self.fit = (look.width / page.width).max(SMALLEST);
                let mut actions = vec![Action::Draw(Draw::Close(page.id))];
                actions.extend(self.open());
                (actions, false)
            }
            Ok(page) => self.laid(page, look),
        }
    }

    fn too_wide(&self, page: &Page, look: Look) -> bool {
        const SLACK: f32 = 1.5;
        self.fit >= 1.0 && page.width > look.width + SLACK
    }

    fn laid(&mut self, page: Page, look: Look) -> (Vec<Action>, bool) {
        let laid = Laid {
            grid: Grid::new(&page, look, self.around.device),
            page,
            tiles: Tiles::default(),
            asked: BTreeSet::new(),
            view: (0, 0),
        };
        let of = self.of;
        let mut actions = Vec::new();
        if let Some(old) = self.next.take() {
            actions.push(Action::Draw(Draw::Close(old.page.id)));
        }
        let Some(shown) = &self.shown else {
            // Its beginning is looked at first, and asked for before the window has been drawn and says so.
            let laid = self.shown.insert(laid);
            if let Some((first, last)) = laid.grid.within(0.0, FIRST) {
                actions.extend(laid.look_at(of, first, last));
            }
            if self.part {
                // What it asks for, and where words stand in it, is known with the rest.
                actions.extend(self.open());
                return (actions, false);
            }
            return (actions, true);
        };
        let (top, bottom) = shown.grid.span(shown.view);
        let next = self.next.insert(laid);
        let wanted = next.grid.within(top, bottom).unwrap_or((0, 1));
        actions.extend(next.look_at(of, wanted.0, wanted.1));
        (actions, false)
    }

    fn painted(&mut self, page: PageId, strip: u32, result: Result<Pixels, Failure>) -> (Vec<Action>, bool) {
        let of = self.of;
        let Some(laid) = [self.shown.as_mut(), self.next.as_mut()]
            .into_iter()
            .flatten()
            .find(|laid| laid.page.id == page)
        else {
            return (Vec::new(), false);
        };
        laid.asked.remove(&strip);
        match result {
            Ok(pixels) => laid.tiles.put(strip, pixels),
            Err(failure) => return (self.failed(failure), self.failure.is_some()),
        }
        let actions = laid.pump(of);
        match self.next.take_if(|next| next.is_painted()) {
            Some(next) => {
                let old = self.shown.replace(next);
                self.part = false;
                self.unmark();
                self.hovered = None;
                self.focused = None;
                let closed = old.map(|laid| Action::Draw(Draw::Close(laid.page.id)));
                (actions.into_iter().chain(closed).collect(), true)
            }
            None => (actions, false),
        }
    }

    /// A process that is gone costs another try; anything else, the picture.
    fn failed(&mut self, failure: Failure) -> Vec<Action> {
        if failure == Failure::Gone && self.tries < TRIES {
            self.tries += 1;
            self.next = None;
            return self.open();
        }
        log::info!("A message is shown as text: {failure:?}.");
        self.failure = Some(failure);
        self.opening = None;
        self.close()
    }
}

impl Laid {
    fn look_at(&mut self, of: MessageId, first: u32, last: u32) -> Vec<Action> {
        self.view = (first, last);
        self.tiles.keep(first, last);
        self.pump(of)
    }

    /// Asks for what is in view and missing, from the middle outwards.
    fn pump(&mut self, of: MessageId) -> Vec<Action> {
        let (first, last) = self.view;
        let middle = first.midpoint(last);
        let mut missing: Vec<u32> = (first..last.min(self.grid.count()))
            .filter(|n| !self.tiles.has(*n) && !self.asked.contains(n))
            .collect();
        missing.sort_by_key(|n| n.abs_diff(middle));
        missing.truncate(AT_ONCE.saturating_sub(self.asked.len()));
        self.asked.extend(&missing);
        missing
            .into_iter()
            .map(|strip| {
                Action::Draw(Draw::Paint {
                    of,
                    page: self.page.id,
                    strip,
                    rect: self.grid.rect(strip),
                })
            })
            .collect()
    }

    fn is_painted(&self) -> bool {
        let (first, last) = self.view;
        (first..last.min(self.grid.count())).all(|n| self.tiles.has(n))
    }
}
