//! Pixels as a file.

use image::codecs::png::{CompressionType, FilterType, PngEncoder};
use image::{ExtendedColorType, ImageEncoder as _};

use crate::page::Pixels;

/// A PNG of what was painted; `None` where the pixels are not as many as they say.
#[must_use]
pub fn write_png(pixels: &Pixels) -> Option<Vec<u8>> {
    let count = u64::from(pixels.width) * u64::from(pixels.height) * 4;
    if count == 0 || u64::try_from(pixels.rgba.len()).ok()? != count {
        return None;
    }
    let mut png = Vec::new();
    PngEncoder::new_with_quality(&mut png, CompressionType::Fast, FilterType::Adaptive)
        .write_image(
            &pixels.rgba,
            pixels.width,
            pixels.height,
            ExtendedColorType::Rgba8,
        )
        .ok()?;
    Some(png)
}
