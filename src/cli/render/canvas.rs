//! A page painted in tiles and put together.

use posthorn_html::page::{Failure, Page, Pixels, Rect};
use posthorn_html::worker::Worker;

/// Dots of a tile, a side.
const TILE: u32 = 512;
/// Dots of the whole picture: the rest of a longer page is left out.
const MAX_DOTS: u64 = 48_000_000;
const MAX_SIDE: u32 = 32_000;

pub struct Canvas {
    pixels: Pixels,
    is_cut: bool,
}

impl Canvas {
    #[must_use]
    pub const fn width(&self) -> u32 {
        self.pixels.width
    }

    #[must_use]
    pub const fn height(&self) -> u32 {
        self.pixels.height
    }

    /// Not all of the page is on it.
    #[must_use]
    pub const fn is_cut(&self) -> bool {
        self.is_cut
    }

    #[must_use]
    pub fn into_png(self) -> Option<Vec<u8>> {
        posthorn_html::png::write_png(&self.pixels)
    }

    fn put(&mut self, tile: &Pixels, left: u32, top: u32, width: u32, height: u32) {
        let (from_stride, to_stride) = (tile.width as usize * 4, self.pixels.width as usize * 4);
        let length = tile.width.min(width) as usize * 4;
        let rows = tile.rgba.chunks_exact(from_stride.max(1)).take(height as usize);
        let lines = self
            .pixels
            .rgba
            .chunks_exact_mut(to_stride.max(1))
            .skip(top as usize);
        for (row, line) in rows.zip(lines) {
            let start = left as usize * 4;
            if let (Some(from), Some(to)) = (row.get(..length), line.get_mut(start..start + length)) {
                to.copy_from_slice(from);
            }
        }
    }
}

/// # Errors
/// The worker's.
pub async fn paint(worker: &Worker, page: &Page, scale: f32) -> Result<Canvas, Failure> {
    let width = dots(page.width * scale).min(MAX_SIDE);
    let whole = dots(page.height * scale);
    let most = u32::try_from(MAX_DOTS / u64::from(width)).unwrap_or(MAX_SIDE);
    let height = whole.min(most).min(MAX_SIDE);
    let mut canvas = Canvas {
        pixels: Pixels {
            width,
            height,
            rgba: vec![255; width as usize * height as usize * 4],
        },
        is_cut: height < whole,
    };
    for top in (0..height).step_by(TILE as usize) {
        for left in (0..width).step_by(TILE as usize) {
            let (tile_width, tile_height) = (TILE.min(width - left), TILE.min(height - top));
            #[expect(clippy::cast_precision_loss, reason = "at most 32,000")]
            let area = Rect {
                x: left as f32 / scale,
                y: top as f32 / scale,
                width: tile_width as f32 / scale,
                height: tile_height as f32 / scale,
            };
            let tile = worker.paint(page.id, area).await?;
            canvas.put(&tile, left, top, tile_width, tile_height);
        }
    }
    Ok(canvas)
}

#[expect(
    clippy::cast_possible_truncation,
    clippy::cast_sign_loss,
    reason = "the largest page is a million pixels long"
)]
fn dots(length: f32) -> u32 {
    (length.ceil().clamp(1.0, 16_000_000.0)) as u32
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn tiles_lie_where_they_belong_whatever_their_size() {
        let mut canvas = Canvas {
            pixels: Pixels {
                width: 3,
                height: 2,
                rgba: vec![0; 24],
            },
            is_cut: false,
        };
        let tile = |width: u32, height: u32, dot: u8| Pixels {
            width,
            height,
            rgba: vec![dot; (width * height * 4) as usize],
        };
        canvas.put(&tile(2, 2, 1), 0, 0, 2, 2);
        // One row and one column more than asked for, as rounding may give.
        canvas.put(&tile(2, 3, 2), 2, 0, 1, 2);
        canvas.put(&tile(9, 9, 3), 3, 2, 0, 0);
        let dots: Vec<u8> = canvas.pixels.rgba.iter().step_by(4).copied().collect();
        assert_eq!(dots, [1, 1, 2, 1, 1, 2]);
    }
}
