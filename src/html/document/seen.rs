//! Which texts of a laid-out page can be seen: the page is as large as they need, and tests look for those that are
//! lost. What a message hides by its own rules (no height, no size, no opacity) is neither.

use blitz_dom::{Node, NodeId};
use style::values::computed::LengthPercentage;
use style::values::specified::box_::Overflow;

use super::engine::Engine;
use super::lines::{Lines, boxes, text_of};
use crate::page::Rect;

/// A line is seen where so much of it is.
const SEEN: f32 = 0.9;
/// A box that is no larger, and text that is no larger, was made so that it is not seen.
const NOTHING: f32 = 2.0;
const EVERYWHERE: Rect = Rect {
    x: -1e6,
    y: -1e6,
    width: 1e8,
    height: 1e8,
};

impl Lines {
    /// Width and height that the texts need, where that is more than the engine says: it does not pass on what
    /// overflows some boxes.
    pub(super) fn extent(&self, engine: &Engine) -> (f32, f32) {
        let (mut width, mut height) = engine.size();
        for block in self.blocks() {
            let area = block.area();
            let (right, bottom) = (area.x + area.width, area.y + area.height);
            if right <= width && bottom <= height {
                continue;
            }
            let document = engine.document();
            let Some(node) = document.get_node(block.node) else {
                continue;
            };
            let Some((text, layout)) = text_of(node) else {
                continue;
            };
            let Some(window) = window(engine, node, EVERYWHERE) else {
                continue;
            };
            for line in layout.lines() {
                let range = line.text_range();
                // What only keeps a place open needs none.
                if text
                    .get(range.clone())
                    .is_some_and(|words| !words.trim().is_empty())
                {
                    for rect in boxes(block, layout, range.start, range.end) {
                        let seen = cut(rect, window);
                        width = width.max(seen.x + seen.width);
                        height = height.max(seen.y + seen.height);
                    }
                }
            }
        }
        (width, height)
    }

    /// Lines of text that lie outside the page, or outside a box that shows only what lies within it.
    pub(super) fn lost(&self, engine: &Engine) -> Vec<String> {
        let document = engine.document();
        let (width, height) = engine.size();
        let page = Rect {
            x: 0.0,
            y: 0.0,
            width,
            height,
        };
        let mut lost = Vec::new();
        for block in self.blocks() {
            let Some(node) = document.get_node(block.node) else {
                continue;
            };
            let Some((text, layout)) = text_of(node) else {
                continue;
            };
            let Some(window) = window(engine, node, page) else {
                continue;
            };
            for line in layout.lines() {
                let range = line.text_range();
                let words = text.get(range.clone()).unwrap_or_default().trim();
                let rects = boxes(block, layout, range.start, range.end);
                let whole: f32 = rects.iter().map(size).sum();
                let seen: f32 = rects.iter().map(|rect| size(&cut(*rect, window))).sum();
                if !words.is_empty() && seen < whole * SEEN {
                    lost.push(words.to_owned());
                }
            }
        }
        lost
    }
}

fn size(rect: &Rect) -> f32 {
    rect.width.max(0.0) * rect.height.max(0.0)
}

/// What can be seen of a node's content; `None` where the message hides it.
fn window(engine: &Engine, node: &Node, page: Rect) -> Option<Rect> {
    let document = engine.document();
    let styles = node.primary_styles()?;
    let is_hidden = styles.clone_visibility() != style::computed_values::visibility::T::Visible
        || styles.clone_font_size().used_size().px() < NOTHING;
    if is_hidden {
        return None;
    }
    let mut window = page;
    let mut at: Option<NodeId> = Some(node.id);
    while let Some(node) = at.and_then(|id| document.get_node(id)) {
        at = node.containing_block();
        let Some(styles) = node.primary_styles() else {
            continue;
        };
        if styles.clone_opacity() < 0.05 {
            return None;
        }
        let clips =
            styles.clone_overflow_x() != Overflow::Visible || styles.clone_overflow_y() != Overflow::Visible;
        // The root's is the page's own.
        if !clips || at.is_none() || document.try_root_element().is_some_and(|root| root.id == node.id) {
            continue;
        }
        let own = super::boxes::BoxStyle::of(node);
        let sizes = own.iter().flat_map(|own| [&own.width, &own.most, &own.height]);
        let most_height = match styles.clone_max_height() {
            style::values::computed::MaxSize::LengthPercentage(length) => Some(length.0),
            _ => None,
        };
        let is_nothing = |length: &LengthPercentage| {
            length.to_length().is_some_and(|length| length.px() < NOTHING)
                || length.to_percentage().is_some_and(|share| share.0 == 0.0)
        };
        if sizes.flatten().any(is_nothing) || most_height.as_ref().is_some_and(is_nothing) {
            return None;
        }
        // A picture's words stand for it, as far as there is room.
        if node
            .element_data()
            .is_some_and(|element| &*element.name.local == "x-img")
        {
            return None;
        }
        let corner = node.absolute_position(0.0, 0.0);
        let layout = node.final_layout();
        window = cut(
            window,
            Rect {
                x: corner.x + engine.left(),
                y: corner.y,
                width: layout.size.width,
                height: layout.size.height,
            },
        );
    }
    Some(window)
}

fn cut(rect: Rect, window: Rect) -> Rect {
    let (left, top) = (rect.x.max(window.x), rect.y.max(window.y));
    Rect {
        x: left,
        y: top,
        width: (rect.x + rect.width).min(window.x + window.width) - left,
        height: (rect.y + rect.height).min(window.y + window.height) - top,
    }
}
