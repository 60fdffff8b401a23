//! Whether a page's ground came out light: some messages have a rule or two for the dark and stay white all the same.

use std::sync::Arc;

use anyrender::{Filter, Glyph, NormalizedCoord, Paint, PaintRef, PaintScene, RenderContext};
use kurbo::{Affine, Rect, Shape, Stroke, Vec2};
use peniko::{BlendMode, Color, Fill, FontData, StyleRef};

/// Places looked at, across and down.
const ACROSS: u32 = 32;
const DOWN: u32 = 48;

/// Keeps what was painted last at each place of a coarse grid, and paints nothing.
pub(super) struct Ground {
    step: (f64, f64),
    lightness: Vec<f32>,
}

impl Ground {
    /// For a picture of this size in device pixels.
    pub(super) fn new(width: u32, height: u32) -> Ground {
        Ground {
            step: (
                f64::from(width) / f64::from(ACROSS),
                f64::from(height) / f64::from(DOWN),
            ),
            lightness: vec![0.0; (ACROSS * DOWN) as usize],
        }
    }

    pub(super) fn is_light(&self) -> bool {
        let light = self
            .lightness
            .iter()
            .filter(|lightness| **lightness > 0.6)
            .count();
        light * 2 > self.lightness.len()
    }

    fn mark(&mut self, bounds: Rect, lightness: f32) {
        let places = (0..DOWN).flat_map(|row| (0..ACROSS).map(move |column| (column, row)));
        for (place, (column, row)) in self.lightness.iter_mut().zip(places) {
            let x = (f64::from(column) + 0.5) * self.step.0;
            let y = (f64::from(row) + 0.5) * self.step.1;
            if x >= bounds.x0 && x < bounds.x1 && y >= bounds.y0 && y < bounds.y1 {
                *place = lightness;
            }
        }
    }
}

fn lightness(color: Color) -> Option<f32> {
    let [red, green, blue, alpha] = color.components;
    (alpha > 0.5).then_some(0.299 * red + 0.587 * green + 0.114 * blue)
}

impl RenderContext for Ground {}

impl PaintScene for Ground {
    fn reset(&mut self) {}

    fn push_layer(
        &mut self,
        _fill: Fill,
        _blend: impl Into<BlendMode>,
        _alpha: f32,
        _transform: Affine,
        _clip: &impl Shape,
        _filter: Option<Arc<Filter>>,
        _backdrop_filter: Option<Arc<Filter>>,
    ) {
    }

    fn push_clip_layer(&mut self, _fill: Fill, _transform: Affine, _clip: &impl Shape) {}

    fn pop_layer(&mut self) {}

    fn stroke<'a>(
        &mut self,
        _style: &Stroke,
        _transform: Affine,
        _brush: impl Into<PaintRef<'a>>,
        _brush_transform: Option<Affine>,
        _shape: &impl Shape,
    ) {
    }

    fn fill<'a>(
        &mut self,
        _style: Fill,
        transform: Affine,
        brush: impl Into<PaintRef<'a>>,
        _brush_transform: Option<Affine>,
        shape: &impl Shape,
    ) {
        let bounds = transform.transform_rect_bbox(shape.bounding_box());
        if bounds.width() < self.step.0 || bounds.height() < self.step.1 {
            return;
        }
        let lightness = match brush.into() {
            Paint::Solid(color) => lightness(color),
            Paint::Gradient(gradient) => {
                let first = gradient.stops.iter().next();
                first.and_then(|stop| lightness(stop.color.to_alpha_color()))
            }
            // A picture is neither.
            _ => Some(0.5),
        };
        if let Some(lightness) = lightness {
            self.mark(bounds, lightness);
        }
    }

    fn draw_glyphs<'a, 's: 'a>(
        &'s mut self,
        _font: &'a FontData,
        _font_size: f32,
        _hint: bool,
        _normalized_coords: &'a [NormalizedCoord],
        _embolden: Vec2,
        _style: impl Into<StyleRef<'a>>,
        _brush: impl Into<PaintRef<'a>>,
        _brush_alpha: f32,
        _transform: Affine,
        _glyph_transform: Option<Affine>,
        _glyphs: impl Iterator<Item = Glyph> + Clone,
    ) {
    }

    fn draw_box_shadow(
        &mut self,
        _transform: Affine,
        _rect: Rect,
        _brush: Color,
        _radius: f64,
        _std_dev: f64,
    ) {
    }
}
