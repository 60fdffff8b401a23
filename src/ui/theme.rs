//! Every token of the window's look. A size, colour or weight that is not here is a mistake.

pub mod font;
pub mod style;
mod token;

pub use token::{DARK, LIGHT, Tokens, account_color};

use iced::{Color, Theme};
use posthorn_model::Appearance;

/// Distances, in logical pixels.
pub mod space {
    pub const XS: f32 = 4.0;
    pub const S: f32 = 8.0;
    pub const M: f32 = 12.0;
    pub const L: f32 = 16.0;
    pub const XL: f32 = 24.0;
    pub const XXL: f32 = 32.0;
}

/// Corner radii.
pub mod radius {
    pub const CONTROL: f32 = 6.0;
    pub const CARD: f32 = 10.0;
}

/// Sizes of text.
pub mod size {
    pub const CAPTION: f32 = 11.0;
    pub const BODY: f32 = 13.0;
    pub const READING: f32 = 15.0;
    pub const TITLE: f32 = 20.0;
    pub const ICON: f32 = 16.0;
}

/// Line heights, relative to the size of the text.
pub mod line {
    pub const LIST: f32 = 1.3;
    pub const READING: f32 = 1.45;
}

/// The width of the bar that carries an account's own colour.
pub const ACCOUNT_BAR: f32 = 3.0;
/// Lines between things.
pub const HAIRLINE: f32 = 1.0;

/// `None` follows the system.
#[must_use]
pub const fn theme_of(appearance: Appearance) -> Option<Theme> {
    match appearance {
        Appearance::System => None,
        Appearance::Light => Some(Theme::Light),
        Appearance::Dark => Some(Theme::Dark),
    }
}

/// The tokens that belong to the toolkit's theme.
#[must_use]
pub fn tokens(theme: &Theme) -> &'static Tokens {
    if theme.extended_palette().is_dark {
        &DARK
    } else {
        &LIGHT
    }
}

/// WCAG 2 contrast ratio of two opaque colours.
#[must_use]
pub fn contrast(a: Color, b: Color) -> f32 {
    let luminance = |color: Color| {
        let linear = |channel: f32| {
            if channel <= 0.040_45 {
                channel / 12.92
            } else {
                ((channel + 0.055) / 1.055).powf(2.4)
            }
        };
        0.2126 * linear(color.r) + 0.7152 * linear(color.g) + 0.0722 * linear(color.b)
    };
    let (a, b) = (luminance(a), luminance(b));
    (a.max(b) + 0.05) / (a.min(b) + 0.05)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn text_is_legible_on_every_surface() {
        for (name, t) in [("light", &LIGHT), ("dark", &DARK)] {
            let surfaces = [
                ("surface", t.surface),
                ("raised", t.surface_raised),
                ("sunken", t.surface_sunken),
                ("hover", t.hover),
                ("pressed", t.pressed),
                ("accent-soft", t.accent_soft),
                ("warning-soft", t.warning_soft),
                ("danger-soft", t.danger_soft),
            ];
            let texts = [
                ("text", t.text),
                ("muted", t.text_muted),
                ("accent", t.accent),
                ("danger", t.danger),
                ("warning", t.warning),
                ("success", t.success),
                ("quote 1", t.quotes[0]),
                ("quote 2", t.quotes[1]),
                ("quote 3", t.quotes[2]),
            ];
            for (on, surface) in surfaces {
                for (what, text) in texts {
                    let ratio = contrast(text, surface);
                    assert!(ratio >= 4.5, "{name}: {what} on {on} is only {ratio:.2}");
                }
                assert!(contrast(t.focus, surface) >= 3.0, "{name}: focus ring on {on}");
            }
            for (what, text, fill) in [
                ("accent fill", t.on_accent, t.accent_fill),
                ("hovered accent fill", t.on_accent, t.accent_fill_hover),
                ("danger fill", t.on_danger, t.danger),
                ("toast", t.on_inverse, t.inverse),
                ("toast's button", t.inverse_accent, t.inverse),
                ("selected text", t.text, t.selection),
            ] {
                let ratio = contrast(text, fill);
                assert!(ratio >= 4.5, "{name}: text on {what} is only {ratio:.2}");
            }
        }
    }

    #[test]
    fn sizes_and_distances_are_the_agreed_ones() {
        assert_eq!(
            [space::XS, space::S, space::M, space::L, space::XL, space::XXL],
            [4.0, 8.0, 12.0, 16.0, 24.0, 32.0]
        );
        assert_eq!([radius::CONTROL, radius::CARD], [6.0, 10.0]);
        assert_eq!(
            [size::CAPTION, size::BODY, size::READING, size::TITLE],
            [11.0, 13.0, 15.0, 20.0]
        );
    }
}
