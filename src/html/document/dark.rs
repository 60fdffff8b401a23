//! A message without a dark style of its own, turned dark while it is painted.
//!
//! Lightness is turned around, hue stays. Grounds never come out lighter than the middle, and text never darker than
//! three quarters, so that what could be read still can: text that was light on a dark ground stays as it is, and so
//! does that ground. Pictures are never touched.

use std::sync::Arc;

use anyrender::{Filter, Glyph, NormalizedCoord, Paint, PaintRef, PaintScene, RenderContext};
use kurbo::{Affine, Rect, Shape, Stroke, Vec2};
use peniko::{BlendMode, Color, Fill, FontData, Gradient, StyleRef};

/// What is seen where a message has no ground of its own, and what white becomes: the window's own dark card.
pub(super) const DARK_PAPER: Color = Color::from_rgb8(0x26, 0x24, 0x21);
/// The same as lightness and hue.
const DARKEST: Lab = Lab {
    lightness: 0.261_378,
    a: 0.001_277,
    b: 0.006_124,
};
/// Grounds at most as light as this stay as they are.
const DARK_GROUND: f32 = 0.5;
/// Text at least as light as this stays as it is.
const LIGHT_TEXT: f32 = 0.75;
/// Lightness of text that was black.
const LIGHTEST: f32 = 0.93;
/// Shapes no thicker are lines, in device pixels.
const LINE: f64 = 4.0;

/// A colour as lightness and two axes of hue (OKLab).
struct Lab {
    lightness: f32,
    a: f32,
    b: f32,
}

fn to_linear(value: f32) -> f32 {
    let value = value.clamp(0.0, 1.0);
    if value <= 0.040_45 {
        value / 12.92
    } else {
        ((value + 0.055) / 1.055).powf(2.4)
    }
}

fn from_linear(value: f32) -> f32 {
    let value = value.clamp(0.0, 1.0);
    if value <= 0.003_130_8 {
        value * 12.92
    } else {
        1.055 * value.powf(1.0 / 2.4) - 0.055
    }
}

impl Lab {
    fn of(color: Color) -> Lab {
        let [red, green, blue, _] = color.components.map(to_linear);
        let l = (0.412_221_46 * red + 0.536_332_55 * green + 0.051_445_995 * blue).cbrt();
        let m = (0.211_903_5 * red + 0.680_699_5 * green + 0.107_396_96 * blue).cbrt();
        let s = (0.088_302_46 * red + 0.281_718_85 * green + 0.629_978_7 * blue).cbrt();
        Lab {
            lightness: 0.210_454_26 * l + 0.793_617_8 * m - 0.004_072_047 * s,
            a: 1.977_998_5 * l - 2.428_592_2 * m + 0.450_593_7 * s,
            b: 0.025_904_037 * l + 0.782_771_77 * m - 0.808_675_77 * s,
        }
    }

    fn with_lightness(&self, lightness: f32, alpha: f32) -> Color {
        let l = (lightness + 0.396_337_78 * self.a + 0.215_803_76 * self.b).powi(3);
        let m = (lightness - 0.105_561_346 * self.a - 0.063_854_17 * self.b).powi(3);
        let s = (lightness - 0.089_484_18 * self.a - 1.291_485_5 * self.b).powi(3);
        Color::new([
            from_linear(4.076_741_7 * l - 3.307_711_6 * m + 0.230_969_94 * s),
            from_linear(-1.268_438 * l + 2.609_757_4 * m - 0.341_319_4 * s),
            from_linear(-0.004_196_086_3 * l - 0.703_418_6 * m + 1.707_614_7 * s),
            alpha,
        ])
    }
}

fn darken_ground(color: Color) -> Color {
    let lab = Lab::of(color);
    if lab.lightness <= DARK_GROUND {
        return color;
    }
    let share = (lab.lightness - DARK_GROUND) / (1.0 - DARK_GROUND);
    let tinted = Lab {
        a: lab.a + share * DARKEST.a,
        b: lab.b + share * DARKEST.b,
        ..lab
    };
    let lightness = DARK_GROUND + share * (DARKEST.lightness - DARK_GROUND);
    tinted.with_lightness(lightness, color.components[3])
}

fn lighten_text(color: Color) -> Color {
    let lab = Lab::of(color);
    if lab.lightness >= LIGHT_TEXT {
        return color;
    }
    let share = lab.lightness / LIGHT_TEXT;
    lab.with_lightness(LIGHTEST + share * (LIGHT_TEXT - LIGHTEST), color.components[3])
}

/// Lines are seen on either ground: those that were faint on white are faint on black.
fn turn_line(color: Color) -> Color {
    let lab = Lab::of(color);
    let lightness = (1.25 - lab.lightness).clamp(0.35, 0.85);
    lab.with_lightness(lightness, color.components[3])
}

fn turn_gradient(gradient: &Gradient) -> Gradient {
    let mut turned = gradient.clone();
    for stop in turned.stops.iter_mut() {
        stop.color = darken_ground(stop.color.to_alpha_color()).into();
    }
    turned
}

fn is_line(shape: &impl Shape, transform: Affine) -> bool {
    let bounds = transform.transform_rect_bbox(shape.bounding_box());
    bounds.width().min(bounds.height()) <= LINE
}

/// Paints dark what is painted into it.
pub(super) struct DarkScene<'a, S: PaintScene> {
    scene: &'a mut S,
}

impl<'a, S: PaintScene> DarkScene<'a, S> {
    pub(super) fn new(scene: &'a mut S) -> DarkScene<'a, S> {
        DarkScene { scene }
    }
}

impl<S: PaintScene> RenderContext for DarkScene<'_, S> {}

impl<S: PaintScene> PaintScene for DarkScene<'_, S> {
    fn reset(&mut self) {
        self.scene.reset();
    }

    fn push_layer(
        &mut self,
        fill: Fill,
        blend: impl Into<BlendMode>,
        alpha: f32,
        transform: Affine,
        clip: &impl Shape,
        filter: Option<Arc<Filter>>,
        backdrop_filter: Option<Arc<Filter>>,
    ) {
        self.scene
            .push_layer(fill, blend, alpha, transform, clip, filter, backdrop_filter);
    }

    fn push_clip_layer(&mut self, fill: Fill, transform: Affine, clip: &impl Shape) {
        self.scene.push_clip_layer(fill, transform, clip);
    }

    fn pop_layer(&mut self) {
        self.scene.pop_layer();
    }

    fn stroke<'a>(
        &mut self,
        style: &Stroke,
        transform: Affine,
        brush: impl Into<PaintRef<'a>>,
        brush_transform: Option<Affine>,
        shape: &impl Shape,
    ) {
        match brush.into() {
            Paint::Solid(color) => {
                let color = turn_line(color);
                self.scene.stroke(style, transform, color, brush_transform, shape);
            }
            Paint::Gradient(gradient) => {
                let gradient = turn_gradient(gradient);
                self.scene
                    .stroke(style, transform, &gradient, brush_transform, shape);
            }
            other => self.scene.stroke(style, transform, other, brush_transform, shape),
        }
    }

    fn fill<'a>(
        &mut self,
        style: Fill,
        transform: Affine,
        brush: impl Into<PaintRef<'a>>,
        brush_transform: Option<Affine>,
        shape: &impl Shape,
    ) {
        match brush.into() {
            Paint::Solid(color) => {
                let color = if is_line(shape, transform) {
                    turn_line(color)
                } else {
                    darken_ground(color)
                };
                self.scene.fill(style, transform, color, brush_transform, shape);
            }
            Paint::Gradient(gradient) => {
                let gradient = turn_gradient(gradient);
                self.scene
                    .fill(style, transform, &gradient, brush_transform, shape);
            }
            other => self.scene.fill(style, transform, other, brush_transform, shape),
        }
    }

    fn draw_glyphs<'a, 's: 'a>(
        &'s mut self,
        font: &'a FontData,
        font_size: f32,
        hint: bool,
        normalized_coords: &'a [NormalizedCoord],
        embolden: Vec2,
        style: impl Into<StyleRef<'a>>,
        brush: impl Into<PaintRef<'a>>,
        brush_alpha: f32,
        transform: Affine,
        glyph_transform: Option<Affine>,
        glyphs: impl Iterator<Item = Glyph> + Clone,
    ) {
        let brush = match brush.into() {
            Paint::Solid(color) => Paint::Solid(lighten_text(color)),
            other => other,
        };
        self.scene.draw_glyphs(
            font,
            font_size,
            hint,
            normalized_coords,
            embolden,
            style,
            brush,
            brush_alpha,
            transform,
            glyph_transform,
            glyphs,
        );
    }

    fn draw_box_shadow(&mut self, transform: Affine, rect: Rect, brush: Color, radius: f64, std_dev: f64) {
        let shadow = Color::new([0.0, 0.0, 0.0, brush.components[3]]);
        self.scene
            .draw_box_shadow(transform, rect, shadow, radius, std_dev);
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn white_becomes_the_card_that_it_lies_on() {
        assert_eq!(darken_ground(Color::WHITE).to_rgba8(), DARK_PAPER.to_rgba8());
    }

    #[test]
    fn what_could_be_read_still_can() {
        for (text, ground) in [
            ([0.0, 0.0, 0.0], [1.0, 1.0, 1.0]),
            ([1.0, 1.0, 1.0], [0.1, 0.1, 0.1]),
            ([1.0, 1.0, 1.0], [0.1, 0.4, 0.9]),
            ([0.2, 0.2, 0.2], [1.0, 0.9, 0.2]),
            ([0.1, 0.2, 0.8], [0.95, 0.95, 0.95]),
            ([0.4, 0.4, 0.4], [1.0, 1.0, 1.0]),
        ] {
            let color = |[r, g, b]: [f32; 3]| Color::new([r, g, b, 1.0]);
            let text = Lab::of(lighten_text(color(text))).lightness;
            let ground = Lab::of(darken_ground(color(ground))).lightness;
            assert!(text - ground > 0.2, "{text} on {ground}");
            assert!(ground <= 0.55);
        }
    }
}
