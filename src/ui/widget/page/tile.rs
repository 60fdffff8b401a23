//! Strips of a page: where they lie, and what is kept of them.

use std::collections::BTreeMap;

use iced::Rectangle;
use iced::advanced::image::Handle;
use posthorn_html::page::{Look, Page, Pixels, Rect};

/// The height of a strip, in device pixels.
const STRIP: f32 = 512.0;
/// What one page may keep of its strips, in bytes: some five screenfuls at twice the usual density.
const KEPT: usize = 64 << 20;

/// How a page is cut into strips.
#[derive(Clone, Copy, Debug, PartialEq)]
pub struct Grid {
    /// Device pixels for one of the page's.
    scale: f32,
    /// Device pixels for one of the window's.
    device: f32,
    height: f32,
    width: f32,
}

/// A strip that is painted.
#[derive(Clone, Debug)]
pub struct Tile {
    pub handle: Handle,
    width: u32,
    height: u32,
    used: u64,
}

/// The strips of one page that are painted, as many as may be kept.
#[derive(Debug, Default)]
pub struct Tiles {
    tiles: BTreeMap<u32, Tile>,
    bytes: usize,
    turn: u64,
}

impl Grid {
    #[must_use]
    pub fn new(page: &Page, look: Look, device: f32) -> Self {
        Self {
            scale: look.scale.max(0.05),
            device: device.max(0.05),
            height: page.height,
            width: page.width,
        }
    }

    /// The window's pixels for one of the page's.
    #[must_use]
    pub fn fit(&self) -> f32 {
        self.scale / self.device
    }

    #[must_use]
    pub fn height(&self, page: f32) -> f32 {
        page * self.fit()
    }

    /// How far a page of this width can be moved to the side.
    #[must_use]
    pub fn too_wide(&self, page: f32, room: f32) -> f32 {
        (page * self.fit() - room).max(0.0)
    }

    fn strip(&self) -> f32 {
        STRIP / self.scale
    }

    /// How many strips there are.
    #[must_use]
    pub fn count(&self) -> u32 {
        whole((self.height / self.strip()).ceil())
    }

    /// The strips between two heights, in the window's pixels from the page's top.
    #[must_use]
    pub fn within(&self, top: f32, bottom: f32) -> Option<(u32, u32)> {
        let strip = self.strip() * self.fit();
        let first = whole((top / strip).floor());
        let last = whole((bottom / strip).ceil()).min(self.count());
        (first < last).then_some((first, last))
    }

    /// From where to where such strips reach, in the window's pixels from the page's top.
    #[must_use]
    pub fn span(&self, (first, last): (u32, u32)) -> (f32, f32) {
        let strip = self.strip() * self.fit();
        (exact(first) * strip, exact(last) * strip)
    }

    /// What to paint for a strip: one device pixel more than its share, so that no seam ever shows between two
    /// that are rounded differently.
    #[must_use]
    pub fn rect(&self, n: u32) -> Rect {
        let top = exact(n) * self.strip();
        let height = (self.strip() + 1.0 / self.scale).min(self.height - top);
        Rect {
            x: 0.0,
            y: top,
            width: self.width,
            height: height.max(1.0 / self.scale),
        }
    }

    /// Where a strip is drawn, with the page's top left corner at that of `bounds`. Exactly as many device pixels
    /// as were painted, at whole ones.
    #[must_use]
    pub fn place(&self, n: u32, tile: &Tile, bounds: Rectangle, pan: f32) -> Rectangle {
        let snap = |at: f32| {
            let device = (at * self.device).round();
            // The renderer cuts towards zero: a little inside, on either side of it.
            (device + 0.2_f32.copysign(device)) / self.device
        };
        Rectangle {
            x: snap(bounds.x - (pan * self.device).round() / self.device),
            y: snap((bounds.y * self.device).round() / self.device + exact(n) * STRIP / self.device),
            width: pixels(tile.width) / self.device,
            height: pixels(tile.height) / self.device,
        }
    }
}

fn whole(number: f32) -> u32 {
    #[expect(
        clippy::cast_possible_truncation,
        clippy::cast_sign_loss,
        reason = "clamped to what both hold"
    )]
    let whole = number.clamp(0.0, 1_000_000.0) as u32;
    whole
}

fn exact(n: u32) -> f32 {
    #[expect(clippy::cast_precision_loss, reason = "at most a million strips")]
    let n = n as f32;
    n
}

fn pixels(count: u32) -> f32 {
    exact(count)
}

impl Tiles {
    #[must_use]
    pub fn has(&self, n: u32) -> bool {
        self.tiles.contains_key(&n)
    }

    #[must_use]
    pub fn get(&self, n: u32) -> Option<&Tile> {
        self.tiles.get(&n)
    }

    /// Takes in what was painted; pixels that do not fill their picture are let go.
    pub fn put(&mut self, n: u32, pixels: Pixels) {
        let bytes = pixels.rgba.len();
        let due = u64::from(pixels.width) * u64::from(pixels.height) * 4;
        if due == 0 || u64::try_from(bytes) != Ok(due) {
            return;
        }
        self.turn += 1;
        let tile = Tile {
            width: pixels.width,
            height: pixels.height,
            used: self.turn,
            handle: Handle::from_rgba(pixels.width, pixels.height, pixels.rgba),
        };
        self.bytes += bytes;
        if let Some(old) = self.tiles.insert(n, tile) {
            self.bytes -= size(&old);
        }
    }

    /// Notes which strips are looked at, and lets go of others where too much is kept.
    pub fn keep(&mut self, first: u32, last: u32) {
        self.turn += 1;
        for (_, tile) in self.tiles.range_mut(first..last.max(first)) {
            tile.used = self.turn;
        }
        while self.bytes > KEPT {
            let oldest = self
                .tiles
                .iter()
                .filter(|(n, _)| !(first..last).contains(n))
                .min_by_key(|(_, tile)| tile.used)
                .map(|(n, _)| *n);
            let Some(tile) = oldest.and_then(|n| self.tiles.remove(&n)) else {
                return;
            };
            self.bytes -= size(&tile);
        }
    }

    /// What is kept, in bytes.
    #[must_use]
    pub const fn bytes(&self) -> usize {
        self.bytes
    }
}

fn size(tile: &Tile) -> usize {
    tile.width as usize * tile.height as usize * 4
}
