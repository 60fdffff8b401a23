//! The engine, given closed HTML and bytes, and nothing else.

use std::sync::{Arc, OnceLock};

use anyrender::PaintScene;
use blitz_dom::{BaseDocument, DocumentConfig, StyleThreading, UserAgentStylesheet};
use blitz_html::HtmlDocument;
use blitz_traits::net::{Bytes, NetHandler, NetProvider, Request};
use blitz_traits::shell::{ColorScheme, Viewport};
use kurbo::{Affine, Rect};
use peniko::{Color, Fill};

use super::dark::DARK_PAPER;
use super::ground::Ground;
use super::{fonts, quirks, repair, tables};
use crate::page::Look;
use crate::sanitize::Closed;

/// The largest page that is shown: what lies beyond was made by mistake or malice.
const MAX_WIDTH: f32 = 20_000.0;
const MAX_HEIGHT: f32 = 1_000_000.0;
/// Heights in `vh` and the like refer to a screen of this height.
const SCREEN: f32 = 800.0;

/// How the message is asked to look.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) enum Scheme {
    Light,
    /// By its own rules for the dark.
    OwnDark,
}

pub(super) struct Engine {
    document: HtmlDocument,
    scale: f32,
    /// How far the page reaches to the left of where the engine begins to count.
    left: f32,
    paper: Color,
    /// Texts need so much.
    least: (f32, f32),
}

/// What every message is drawn with, below what it says itself.
const SHEET: &str = r"
*, *::before, *::after { animation: none !important; transition: none !important; }
html { font-family: serif; }
x-img { display: inline-block; box-sizing: border-box; overflow: hidden; vertical-align: bottom;
    color: #767676; font-size: 12px; line-height: 1.3; text-align: start;
    min-width: 1em; min-height: 1em; outline: 1px dashed #c8c8c8; outline-offset: -1px; }
x-img[was-tiny] { min-width: 0; min-height: 0; outline: none; }
x-field { display: inline-block; box-sizing: border-box; border: 1px solid #8f8f9d; border-radius: 3px;
    padding: 1px 6px; min-width: 2em; min-height: 1.2em; }
pre, code, tt, kbd, samp { font-family: monospace; }
hr { box-sizing: content-box; height: 0; margin: 0.5em auto; border-width: 1px; border-style: solid;
    border-color: #9a9a9a #eeeeee #eeeeee #9a9a9a; }
[hidden] { display: none; }
";

const DARK_SHEET: &str = "html { color: #e6e6e6; } a[href] { color: #8ab4f8; }";

/// What lies below everything: where the root has no colour of its own, the body's reaches to the edges of the page
/// (CSS Backgrounds section 2.11.2), and where it has none either, this is seen.
const PAPER: Color = Color::from_rgb8(0xff, 0xff, 0xff);

impl Engine {
    pub(super) fn load(closed: &Closed, pictures: &[Vec<u8>], look: Look, scheme: Scheme) -> Engine {
        static OURS: OnceLock<UserAgentStylesheet> = OnceLock::new();
        static DARK: OnceLock<UserAgentStylesheet> = OnceLock::new();
        let scale = look.scale.clamp(0.1, 8.0);
        let width = look.width.clamp(100.0, 10_000.0);
        let mut sheets = vec![
            UserAgentStylesheet::default_sheet(),
            OURS.get_or_init(|| UserAgentStylesheet::parse(SHEET)).clone(),
        ];
        if scheme == Scheme::OwnDark {
            sheets.push(
                DARK.get_or_init(|| UserAgentStylesheet::parse(DARK_SHEET))
                    .clone(),
            );
        }
        let config = DocumentConfig {
            viewport: Some(Viewport::new(
                round(width * scale),
                round(SCREEN * scale),
                scale,
                match scheme {
                    Scheme::Light => ColorScheme::Light,
                    Scheme::OwnDark => ColorScheme::Dark,
                },
            )),
            ua_stylesheets: sheets,
            net_provider: Some(Arc::new(Vault {
                pictures: pictures
                    .iter()
                    .map(|bytes| Bytes::copy_from_slice(bytes))
                    .collect(),
            })),
            font_ctx: Some(fonts::context()),
            style_threading: StyleThreading::Sequential,
            base_url: Some("about:blank".to_owned()),
            ..DocumentConfig::default()
        };
        let mut document = HtmlDocument::from_html(&closed.html, config);
        prepare(&mut document, width, scale, closed.is_old);
        document.resolve(0.0);
        // Pictures that the styles ask for arrive with the next pass.
        document.resolve(0.0);
        Engine {
            document,
            scale,
            left: 0.0,
            paper: match scheme {
                Scheme::Light => PAPER,
                Scheme::OwnDark => DARK_PAPER,
            },
            least: (0.0, 0.0),
        }
    }

    pub(super) fn document(&self) -> &BaseDocument {
        &self.document
    }

    /// What does not fit and is written from the right reaches beyond the left edge: the page begins there then.
    pub(super) fn widen(&mut self, left: f32) {
        self.left = left;
    }

    /// The page is at least so wide and high.
    pub(super) fn grow(&mut self, least: (f32, f32)) {
        self.least = least;
    }

    /// Everything lies to the right of where the engine says, by this.
    pub(super) fn left(&self) -> f32 {
        self.left
    }

    /// How far anything reaches beyond the right edge.
    pub(super) fn beyond(&self) -> f32 {
        let root = self.document.try_root_element();
        root.map_or(0.0, |root| {
            let layout = root.final_layout();
            (layout.scrollable_overflow_rect.right - layout.size.width).max(0.0)
        })
    }

    /// Width and height of everything, in CSS pixels.
    pub(super) fn size(&self) -> (f32, f32) {
        let Some(root) = self.document.try_root_element() else {
            return (0.0, 0.0);
        };
        let layout = root.final_layout();
        let overflow = &layout.scrollable_overflow_rect;
        let width = (layout.size.width + self.left).max(overflow.right);
        let height = layout.size.height.max(overflow.bottom);
        (
            width.max(self.least.0).min(MAX_WIDTH),
            height.max(self.least.1).min(MAX_HEIGHT),
        )
    }

    /// Whether most of the first screens is light.
    pub(super) fn is_light(&mut self) -> bool {
        let (width, height) = self.size();
        let width = round(width.clamp(1.0, 2_000.0) * self.scale);
        let height = round(height.clamp(1.0, 3.0 * SCREEN) * self.scale);
        let mut ground = Ground::new(width, height);
        self.paint(&mut ground, (0.0, 0.0), width, height);
        ground.is_light()
    }

    /// Paints the part whose top left corner is `from`.
    pub(super) fn paint(&mut self, scene: &mut impl PaintScene, from: (f32, f32), width: u32, height: u32) {
        let scale = f64::from(self.scale);
        let whole = Rect::new(0.0, 0.0, f64::from(width), f64::from(height));
        scene.fill(Fill::NonZero, Affine::IDENTITY, self.paper, None, &whole);
        let document: &mut BaseDocument = &mut self.document;
        // The engine leaves out what its viewport does not show.
        document.set_viewport_scroll(blitz_dom::Point {
            x: f64::from(from.0 - self.left),
            y: f64::from(from.1),
        });
        blitz_paint::paint_scene(scene, document, scale, width, height, 0, 0);
        document.set_viewport_scroll(blitz_dom::Point { x: 0.0, y: 0.0 });
    }
}

/// Meets what the engine leaves out: styles first, then texts, and only then layout.
fn prepare(document: &mut BaseDocument, width: f32, scale: f32, is_old: bool) {
    if document.try_root_element().is_none() {
        return;
    }
    document.handle_messages();
    document.resolve_stylist(0.0);
    let is_shrunk = is_old && quirks::shrink_lines(document);
    if repair::repair(document) || is_shrunk {
        document.resolve_stylist(0.0);
    }
    document.resolve_layout_children();
    document.resolve_deferred_tasks();
    tables::size_tables(document, width, scale);
}

#[expect(
    clippy::cast_possible_truncation,
    clippy::cast_sign_loss,
    reason = "clamped by the caller"
)]
fn round(length: f32) -> u32 {
    length.round() as u32
}

/// Serves `r:N` from memory. Everything else does not exist.
struct Vault {
    pictures: Vec<Bytes>,
}

impl NetProvider for Vault {
    fn fetch(&self, _document: usize, request: Request, handler: Box<dyn NetHandler>) {
        let address = request.url.as_str();
        let picture = address
            .strip_prefix("r:")
            .and_then(|place| place.parse::<usize>().ok())
            .and_then(|place| self.pictures.get(place));
        if let Some(bytes) = picture {
            handler.bytes(address.to_owned(), bytes.clone());
        }
    }

    fn is_noop(&self) -> bool {
        // Nothing is worth waiting for: what is here is here at once.
        true
    }
}
