//! The pictures that a page may show: bytes handed over with the message, and nothing else.
//!
//! A picture's size is read from its header before anything decodes it, so that a small file cannot become a large
//! one in memory.

use std::collections::{BTreeMap, HashMap};
use std::io::Cursor;

use base64::Engine as _;
use base64::alphabet;
use base64::engine::{DecodePaddingMode, GeneralPurpose, GeneralPurposeConfig};

use crate::sanitize::addresses::{Origin, Shelf};

/// Pixels of one picture.
const MAX_PIXELS: u64 = 40_000_000;
/// Pixels of all pictures of a message.
const MAX_ALL_PIXELS: u64 = 120_000_000;
/// Bytes of one `data:` picture.
const MAX_INLINE: usize = 16 * 1024 * 1024;

const BASE64: GeneralPurpose = GeneralPurpose::new(
    &alphabet::STANDARD,
    GeneralPurposeConfig::new()
        .with_decode_allow_trailing_bits(true)
        .with_decode_padding_mode(DecodePaddingMode::Indifferent),
);

#[derive(Debug)]
pub(crate) struct Pictures<'a> {
    parts: &'a BTreeMap<String, Vec<u8>>,
    fetched: &'a BTreeMap<String, Vec<u8>>,
    known: HashMap<Origin, Option<usize>>,
    shown: Vec<Vec<u8>>,
    pixels: u64,
}

impl<'a> Pictures<'a> {
    pub(crate) fn new(
        parts: &'a BTreeMap<String, Vec<u8>>,
        fetched: &'a BTreeMap<String, Vec<u8>>,
    ) -> Pictures<'a> {
        Pictures {
            parts,
            fetched,
            known: HashMap::new(),
            shown: Vec::new(),
            pixels: 0,
        }
    }

    /// The bytes by their place.
    pub(crate) fn into_shown(self) -> Vec<Vec<u8>> {
        self.shown
    }

    fn load(&mut self, origin: &Origin) -> Option<usize> {
        let bytes = match origin {
            Origin::Part(id) => self.parts.get(id)?.clone(),
            Origin::Remote(url) => self.fetched.get(url)?.clone(),
            Origin::Inline(address) => decode_inline(address)?,
        };
        let (width, height) = image::ImageReader::new(Cursor::new(&bytes))
            .with_guessed_format()
            .ok()?
            .into_dimensions()
            .ok()?;
        let pixels = u64::from(width) * u64::from(height);
        if pixels == 0 || pixels > MAX_PIXELS || self.pixels + pixels > MAX_ALL_PIXELS {
            return None;
        }
        self.pixels += pixels;
        self.shown.push(bytes);
        Some(self.shown.len() - 1)
    }
}

impl Shelf for Pictures<'_> {
    fn find(&mut self, origin: &Origin) -> Option<usize> {
        if let Some(known) = self.known.get(origin) {
            return *known;
        }
        let place = self.load(origin);
        self.known.insert(origin.clone(), place);
        place
    }
}

/// The bytes of a `data:` address (RFC 2397).
fn decode_inline(address: &str) -> Option<Vec<u8>> {
    if address.len() > MAX_INLINE {
        return None;
    }
    let (kind, data) = address.get(5..)?.split_once(',')?;
    let kind = kind.to_ascii_lowercase();
    if !kind.trim_start().starts_with("image/") {
        return None;
    }
    if !kind.trim_end().ends_with(";base64") {
        return Some(data.as_bytes().to_vec());
    }
    // Lines are folded in the middle of it, and some senders escape it.
    let digits = data.replace("%2B", "+").replace("%2F", "/").replace("%3D", "=");
    let digits: Vec<u8> = digits
        .bytes()
        .filter(|byte| byte.is_ascii_alphanumeric() || matches!(byte, b'+' | b'/'))
        .collect();
    BASE64.decode(digits).ok()
}

#[cfg(test)]
mod tests {
    use super::*;

    const DOT: &str = "data:image/gif;base64,R0lGODlhAQABAIAAAAAAAP///yH5BAEAAAAALAAAAAABAAEAAAIBRAA7";

    #[test]
    fn only_pictures_within_limits_are_shown() {
        let huge = {
            // A BMP header that promises 100,000 by 100,000 pixels.
            let mut bytes = vec![0; 60];
            bytes[..2].copy_from_slice(b"BM");
            bytes[10] = 54;
            bytes[14] = 40;
            bytes[18..22].copy_from_slice(&100_000_i32.to_le_bytes());
            bytes[22..26].copy_from_slice(&100_000_i32.to_le_bytes());
            bytes[26] = 1;
            bytes[28] = 24;
            bytes
        };
        let parts = BTreeMap::from([
            ("huge".to_owned(), huge),
            ("text".to_owned(), b"no picture".to_vec()),
            ("dot".to_owned(), decode_inline(DOT).unwrap()),
        ]);
        let fetched = BTreeMap::new();
        let mut pictures = Pictures::new(&parts, &fetched);
        for (origin, expect) in [
            (Origin::Part("huge".to_owned()), None),
            (Origin::Part("text".to_owned()), None),
            (Origin::Part("none".to_owned()), None),
            (Origin::Part("dot".to_owned()), Some(0)),
            (Origin::Inline(DOT.to_owned()), Some(1)),
            (Origin::Part("dot".to_owned()), Some(0)),
            (Origin::Inline("data:text/html,<p>".to_owned()), None),
            (Origin::Inline("data:image/svg+xml,<svg/>".to_owned()), None),
            (Origin::Remote("https://x.example.org/".to_owned()), None),
        ] {
            assert_eq!(pictures.find(&origin), expect, "{origin:?}");
        }
    }
}
