//! The bundled font. Unhinted on purpose: a hinted one is rasterised anew in every frame.

use iced::Font;
use iced::font::{Family, Weight};

const FAMILY: &str = "Posthorn Inter";

pub const REGULAR: Font = Font::with_name(FAMILY);
pub const MEDIUM: Font = weight(Weight::Medium);
pub const SEMIBOLD: Font = weight(Weight::Semibold);
/// For raw source and fingerprints.
pub const MONO: Font = Font::MONOSPACE;

const fn weight(weight: Weight) -> Font {
    Font {
        family: Family::Name(FAMILY),
        weight,
        ..Font::DEFAULT
    }
}

/// The weight for a text that may be in any script. The bundled font has Latin, Greek and Cyrillic; elsewhere the
/// system's fonts stand in, and asking those for weight 500 finds whatever family happens to have one.
#[must_use]
pub fn suited(text: &str, wanted: Font) -> Font {
    let covered = |c: char| c < '\u{530}' || ('\u{1e00}'..'\u{2200}').contains(&c);
    if wanted == MEDIUM && !text.chars().all(covered) {
        REGULAR
    } else {
        wanted
    }
}

/// The font files, to be loaded before the first view.
#[must_use]
pub fn files() -> [&'static [u8]; 3] {
    [
        include_bytes!("../../../assets/fonts/PosthornInter-Regular.ttf"),
        include_bytes!("../../../assets/fonts/PosthornInter-Medium.ttf"),
        include_bytes!("../../../assets/fonts/PosthornInter-SemiBold.ttf"),
    ]
}
