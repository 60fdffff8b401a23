//! How wide a text is, cheaply: advance widths of the bundled font, shaped once for each character and kept.
//!
//! Rows are cut here so that no text ever overflows its box: an overflowing text costs the renderer a new clip mask
//! in every frame.

use std::collections::HashMap;
use std::sync::{OnceLock, RwLock};

use iced::advanced::graphics::text::Paragraph;
use iced::advanced::text::{Alignment, LineHeight, Paragraph as _, Shaping, Text, Wrapping};
use iced::{Font, Pixels, Size, alignment};
use unicode_segmentation::UnicodeSegmentation;

/// The size at which widths are measured; the font is unhinted, so they scale.
const REFERENCE: f32 = 100.0;

type Widths = RwLock<HashMap<(char, u16), f32>>;

fn shape(text: &str, font: Font) -> f32 {
    Paragraph::with_text(Text {
        content: text,
        bounds: Size::INFINITE,
        size: Pixels(REFERENCE),
        line_height: LineHeight::Relative(1.0),
        font,
        align_x: Alignment::Default,
        align_y: alignment::Vertical::Top,
        shaping: Shaping::Advanced,
        wrapping: Wrapping::None,
    })
    .min_width()
}

fn advance(character: char, font: Font) -> f32 {
    static WIDTHS: OnceLock<Widths> = OnceLock::new();
    let widths = WIDTHS.get_or_init(Widths::default);
    let key = (character, font.weight as u16);
    if let Ok(known) = widths.read()
        && let Some(width) = known.get(&key)
    {
        return *width;
    }
    let width = if character.is_control() {
        0.0
    } else {
        // Between two letters, since a space at the end of a line has no width.
        let mut sample = String::from("|");
        sample.push(character);
        sample.push('|');
        (shape(&sample, font) - shape("||", font)).max(0.0)
    };
    if let Ok(mut known) = widths.write() {
        known.insert(key, width);
    }
    width
}

/// The width of one line of text, in logical pixels. Exact for Latin, a good guess for joined scripts.
#[must_use]
pub fn width(text: &str, size: f32, font: Font) -> f32 {
    text.chars()
        .map(|character| advance(character, font))
        .sum::<f32>()
        * size
        / REFERENCE
}

/// The text, or as much of it as fits with an ellipsis. Looks at no more of a long text than fits.
#[must_use]
pub fn cut(text: &str, size: f32, font: Font, room: f32) -> String {
    let ellipsis = advance('…', font) * size / REFERENCE;
    let mut used = 0.0;
    let mut fits = 0;
    let mut end = 0;
    for grapheme in text.graphemes(true) {
        used += width(grapheme, size, font);
        if used > room {
            let kept = text.get(..fits).unwrap_or_default().trim_end();
            return if kept.is_empty() && room < ellipsis {
                String::new()
            } else {
                format!("{kept}…")
            };
        }
        end += grapheme.len();
        if used + ellipsis <= room {
            fits = end;
        }
    }
    text.to_owned()
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::theme::font;

    fn load_fonts() {
        let mut system = iced::advanced::graphics::text::font_system().write().unwrap();
        for file in font::files() {
            system.load_font(file.into());
        }
    }

    #[test]
    fn sums_of_advances_match_shaping() {
        load_fonts();
        for text in [
            "Quarterly report",
            "Illinois 11:07",
            "Grüße aus Köln — schön!",
            "WAVE To Yale",
        ] {
            for font in [font::REGULAR, font::SEMIBOLD] {
                let shaped = shape(text, font) * 13.0 / REFERENCE;
                let summed = width(text, 13.0, font);
                // Kerning draws some pairs together: the sum may be a little too wide, never too narrow.
                assert!(
                    summed >= shaped - 0.5 && summed <= shaped * 1.06,
                    "{text}: shaped {shaped}, summed {summed}"
                );
            }
        }
    }

    #[test]
    fn figures_have_one_width() {
        load_fonts();
        assert!((width("11:11", 13.0, font::REGULAR) - width("08:46", 13.0, font::REGULAR)).abs() < 0.01);
    }

    #[test]
    fn cut_text_fits_and_keeps_graphemes_whole() {
        load_fonts();
        let family = "👨‍👩‍👧‍👦 family outing on Sunday";
        for text in [
            "A rather long subject line that goes on",
            family,
            "",
            "a",
            "日本語のとても長い件名です",
        ] {
            for room in [0.0, 5.0, 20.0, 60.0, 150.0, 2000.0] {
                let kept = cut(text, 13.0, font::REGULAR, room);
                assert!(
                    width(&kept, 13.0, font::REGULAR) <= room + 0.01,
                    "{text:?} in {room}: {kept:?}"
                );
                let body = kept.strip_suffix('…').unwrap_or(&kept);
                assert!(text.starts_with(body), "{kept:?}");
                let whole: Vec<_> = text.graphemes(true).collect();
                assert!(body.graphemes(true).zip(whole).all(|(a, b)| a == b), "{kept:?}");
            }
        }
    }

    #[test]
    fn a_megabyte_is_cut_as_fast_as_a_line() {
        load_fonts();
        let long = "word ".repeat(200_000);
        assert!(cut(&long, 13.0, font::REGULAR, 200.0).len() < 100);
    }
}
