//! Previews of pictures.

use std::io::Cursor;

use image::{DynamicImage, ImageDecoder as _, ImageReader, Limits};

use crate::page::{Failure, Pixels};

/// Pixels of one side, and bytes that decoding may take.
const MAX_SIDE: u32 = 30_000;
const MAX_DECODED: u64 = 400 * 1024 * 1024;
const MAX_PIXELS: u64 = 80_000_000;

/// Decodes, turns as the camera says, and makes smaller what does not fit.
///
/// # Errors
/// [`Failure::Unreadable`] where it is no picture, [`Failure::TooLarge`] for one beyond the limits.
pub fn decode(bytes: &[u8], max_width: u32, max_height: u32) -> Result<Pixels, Failure> {
    let mut limits = Limits::default();
    limits.max_alloc = Some(MAX_DECODED);
    let mut reader = ImageReader::new(Cursor::new(bytes))
        .with_guessed_format()
        .map_err(|_| Failure::Unreadable)?;
    reader.limits(limits);
    let mut decoder = reader.into_decoder().map_err(|_| Failure::Unreadable)?;
    let (width, height) = decoder.dimensions();
    if width > MAX_SIDE || height > MAX_SIDE || u64::from(width) * u64::from(height) > MAX_PIXELS {
        return Err(Failure::TooLarge);
    }
    let orientation = decoder.orientation().ok();
    let mut picture = DynamicImage::from_decoder(decoder).map_err(|_| Failure::Unreadable)?;
    if let Some(orientation) = orientation {
        picture.apply_orientation(orientation);
    }
    let (max_width, max_height) = (max_width.clamp(1, 8_192), max_height.clamp(1, 8_192));
    if picture.width() > max_width || picture.height() > max_height {
        picture = picture.thumbnail(max_width, max_height);
    }
    let rgba = picture.into_rgba8();
    Ok(Pixels {
        width: rgba.width(),
        height: rgba.height(),
        rgba: rgba.into_raw(),
    })
}

#[cfg(test)]
mod tests {
    use super::*;

    fn encode(width: u32, height: u32, format: image::ImageFormat) -> Vec<u8> {
        let mut bytes = Cursor::new(Vec::new());
        let picture = image::RgbImage::from_pixel(width, height, image::Rgb([200, 30, 40]));
        assert!(picture.write_to(&mut bytes, format).is_ok());
        bytes.into_inner()
    }

    #[test]
    fn large_pictures_are_made_to_fit() {
        let check = |width, height, expect| {
            for format in [
                image::ImageFormat::Png,
                image::ImageFormat::Jpeg,
                image::ImageFormat::Bmp,
            ] {
                let pixels = decode(&encode(width, height, format), 100, 50).map(|pixels| {
                    assert_eq!(pixels.rgba.len(), (pixels.width * pixels.height * 4) as usize);
                    (pixels.width, pixels.height)
                });
                assert_eq!(pixels, Ok(expect), "{width}x{height} {format:?}");
            }
        };
        check(40, 30, (40, 30));
        check(100, 50, (100, 50));
        check(400, 100, (100, 25));
        check(100, 400, (13, 50));
    }

    #[test]
    fn what_is_no_picture_says_so() {
        let png = encode(40, 30, image::ImageFormat::Png);
        for bytes in [
            &b""[..],
            b"no picture",
            b"<svg xmlns='http://www.w3.org/2000/svg'/>",
            png.get(..60).unwrap_or_default(),
        ] {
            assert_eq!(decode(bytes, 10, 10), Err(Failure::Unreadable), "{bytes:?}");
        }
        let mut bomb = encode(1, 1, image::ImageFormat::Bmp);
        if let Some(width) = bomb.get_mut(18..26) {
            width.copy_from_slice(&[0x40, 0x9c, 0, 0, 0x40, 0x9c, 0, 0]);
        }
        // Whoever looks first refuses it: the decoder or we.
        let refused = decode(&bomb, 10, 10);
        assert!(
            matches!(refused, Err(Failure::TooLarge | Failure::Unreadable)),
            "{refused:?}"
        );
    }
}
