//! Previews of PDFs: the first page.

use hayro::hayro_interpret::InterpreterSettings;
use hayro::hayro_syntax::Pdf;
use hayro::vello_cpu::color::palette::css::WHITE;
use hayro::{PixmapSettings, RenderCache, RenderSettings, render};

use crate::page::{Failure, Pixels};

/// A page is drawn no larger than this, a side, whatever was asked.
const MAX_SIDE: u32 = 4_096;
/// Enlarging a stamp-sized page beyond this shows nothing more.
const MAX_SCALE: f32 = 4.0;

/// # Errors
/// [`Failure::Unreadable`] where there is no page that can be drawn.
pub fn draw(bytes: Vec<u8>, max_width: u32, max_height: u32) -> Result<Pixels, Failure> {
    let pdf = Pdf::new(bytes).map_err(|_| Failure::Unreadable)?;
    let page = pdf.pages().first().ok_or(Failure::Unreadable)?;
    let (width, height) = page.render_dimensions();
    if !(1.0..=50_000.0).contains(&width) || !(1.0..=50_000.0).contains(&height) {
        return Err(Failure::Unreadable);
    }
    #[expect(clippy::cast_precision_loss, reason = "at most 4,096")]
    let (max_width, max_height) = (
        max_width.clamp(1, MAX_SIDE) as f32,
        max_height.clamp(1, MAX_SIDE) as f32,
    );
    let scale = (max_width / width).min(max_height / height).min(MAX_SCALE);
    if width * scale < 1.0 || height * scale < 1.0 {
        return Err(Failure::Unreadable);
    }
    let pixmap = render(
        page,
        &RenderCache::new(),
        &InterpreterSettings::default(),
        &RenderSettings::default(),
        &PixmapSettings {
            x_scale: scale,
            y_scale: scale,
            // On white every pixel is opaque, and premultiplied is what straight alpha is.
            bg_color: WHITE,
        },
    );
    Ok(Pixels {
        width: u32::from(pixmap.width()),
        height: u32::from(pixmap.height()),
        rgba: pixmap.data_as_u8_slice().to_vec(),
    })
}
