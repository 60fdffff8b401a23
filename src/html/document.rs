//! A message laid out: the only module that names the engine.
//!
//! [`Document`] lives in the child process, on a thread with at least [`STACK`] bytes of stack: style and layout
//! recurse, to a depth that the sanitiser bounds. It is given closed HTML and the bytes of its pictures, and has
//! no way to ask for more: its provider of resources serves those bytes and nothing else. The engine may panic; every
//! entry here catches that and says [`Failure::Died`].

mod borders;
mod boxes;
mod columns;
mod dark;
mod engine;
mod fonts;
mod ground;
mod lines;
mod links;
mod measure;
mod quirks;
mod repair;
mod seen;
mod tables;

use std::panic::{AssertUnwindSafe, catch_unwind};

use anyrender::ImageRenderer as _;
use anyrender_vello_cpu::VelloCpuImageRenderer;

use crate::page::{Failure, Grain, Look, Page, PageId, PageTheme, Pixels, Point, Rect, Selected, Source};
use crate::pictures::Pictures;
use crate::sanitize::{Closed, sanitize};
use crate::to_text;
use dark::DarkScene;
use engine::{Engine, Scheme};
use lines::Lines;

/// Stack that the thread of a [`Document`] needs.
pub const STACK: usize = 64 * 1024 * 1024;

/// HTML with its pictures taken out, in bytes.
const MAX_HTML: usize = 24 * 1024 * 1024;
/// Device pixels of one painted rectangle, a side.
const MAX_SIDE: f32 = 8_192.0;
const MAX_AREA: f32 = 32.0 * 1024.0 * 1024.0;
/// Hits of one search.
const MAX_HITS: usize = 1_000;

/// A message, sanitised and laid out.
pub struct Document {
    closed: Closed,
    pictures: Vec<Vec<u8>>,
    text: String,
    look: Look,
    /// The colours are turned dark while painting.
    is_forced_dark: bool,
    engine: Engine,
    lines: Lines,
}

impl Document {
    /// Sanitises and lays out.
    ///
    /// # Errors
    ///
    /// [`Failure::TooLarge`] for a message that is larger or more tangled than what is drawn, [`Failure::Died`] where
    /// the engine failed on it.
    pub fn open(source: Source) -> Result<Document, Failure> {
        guard(move || Self::open_unguarded(&source))?
    }

    fn open_unguarded(source: &Source) -> Result<Document, Failure> {
        if source.html.len() > MAX_HTML {
            return Err(Failure::TooLarge);
        }
        let mut pictures = Pictures::new(&source.parts, &source.fetched);
        let closed = sanitize(&source.html, &mut pictures);
        if closed.is_cut {
            return Err(Failure::TooLarge);
        }
        let pictures = pictures.into_shown();
        let (engine, lines, is_forced_dark) = lay_out(&closed, &pictures, source.look);
        Ok(Document {
            text: to_text(&source.html).text,
            closed,
            pictures,
            look: source.look,
            is_forced_dark,
            engine,
            lines,
        })
    }

    /// What the message's page is, with its links and with what was kept from it.
    #[must_use]
    pub fn page(&self, id: PageId) -> Page {
        let (width, height) = self.engine.size();
        let links = guard(|| links::find(&self.engine, &self.lines, &self.closed.addresses.links));
        Page {
            id,
            width: width.max(self.look.width),
            height,
            links: links.unwrap_or_default(),
            blocked: self.closed.addresses.blocked.clone(),
            remote: self.closed.addresses.remote.clone(),
            text: self.text.clone(),
            has_dark_rules: self.closed.has_dark_rules,
        }
    }

    /// Paints a rectangle of the page at the look's scale. What lies outside the page is background.
    ///
    /// # Errors
    ///
    /// [`Failure::TooLarge`] for more pixels than are painted at once, [`Failure::Died`] where the engine failed.
    pub fn paint(&mut self, area: Rect) -> Result<Pixels, Failure> {
        let scale = self.look.scale;
        let (width, height) = ((area.width * scale).ceil(), (area.height * scale).ceil());
        let is_sane = width >= 1.0 && height >= 1.0 && width <= MAX_SIDE && height <= MAX_SIDE;
        if !is_sane || width * height > MAX_AREA || !area.x.is_finite() || !area.y.is_finite() {
            return Err(Failure::TooLarge);
        }
        #[expect(
            clippy::cast_possible_truncation,
            clippy::cast_sign_loss,
            reason = "checked above"
        )]
        let (width, height) = (width as u32, height as u32);
        let is_forced_dark = self.is_forced_dark;
        let engine = &mut self.engine;
        let rgba = guard(move || {
            let mut renderer = VelloCpuImageRenderer::new(width, height);
            let mut rgba = Vec::new();
            renderer.render_to_vec(
                |scene| {
                    if is_forced_dark {
                        engine.paint(&mut DarkScene::new(scene), (area.x, area.y), width, height);
                    } else {
                        engine.paint(scene, (area.x, area.y), width, height);
                    }
                },
                &mut rgba,
            );
            rgba
        })?;
        Ok(Pixels { width, height, rgba })
    }

    /// The text between two points, and the boxes around it.
    pub fn select(&mut self, from: Point, to: Point, grain: Grain) -> Selected {
        guard(|| self.lines.select(&self.engine, from, to, grain)).unwrap_or_default()
    }

    /// Every place of a text, whatever its case, each with its boxes; at most 1,000.
    #[must_use]
    pub fn find(&self, needle: &str) -> Vec<Vec<Rect>> {
        guard(|| self.lines.find(&self.engine, needle, MAX_HITS)).unwrap_or_default()
    }

    /// Lays out anew for another width, scale or theme.
    ///
    /// # Errors
    ///
    /// [`Failure::Died`] where the engine failed; the page is then as it was.
    pub fn resize(&mut self, look: Look) -> Result<(), Failure> {
        // A width on the other side of a media query needs a new document, and that costs little more.
        let (engine, lines, is_forced_dark) = guard(|| lay_out(&self.closed, &self.pictures, look))?;
        self.engine = engine;
        self.lines = lines;
        self.is_forced_dark = is_forced_dark;
        self.look = look;
        Ok(())
    }

    /// Every text as it was laid out, in order: for tests that nothing is lost.
    #[must_use]
    pub fn shown_text(&self) -> String {
        self.lines.text(&self.engine)
    }

    /// Lines of text that nobody can see, though the message does not hide them: for the same tests.
    #[must_use]
    pub fn lost_text(&self) -> Vec<String> {
        self.lines.lost(&self.engine)
    }
}

fn lay_out(closed: &Closed, pictures: &[Vec<u8>], look: Look) -> (Engine, Lines, bool) {
    let is_dark = look.theme == PageTheme::Dark;
    let scheme = if is_dark && closed.has_dark_rules {
        Scheme::OwnDark
    } else {
        Scheme::Light
    };
    let mut engine = Engine::load(closed, pictures, look, scheme);
    let mut is_forced = is_dark && scheme == Scheme::Light;
    if scheme == Scheme::OwnDark && engine.is_light() {
        engine = Engine::load(closed, pictures, look, Scheme::Light);
        is_forced = true;
    }
    let mut lines = Lines::of(&engine);
    engine.widen(lines.reach_left(&engine));
    lines.shift(engine.left());
    engine.grow(lines.extent(&engine));
    (engine, lines, is_forced)
}

/// Runs the engine; a panic of it is a failure of this document only.
fn guard<T>(run: impl FnOnce() -> T) -> Result<T, Failure> {
    catch_unwind(AssertUnwindSafe(run)).map_err(|_| Failure::Died)
}
