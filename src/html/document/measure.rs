//! How narrow and how wide a box's content would like to be (CSS Sizing 3, section 5), from texts already shaped.

use std::collections::HashMap;

use blitz_dom::{BaseDocument, NodeId};
use parley::InlineBoxKind;

use super::boxes::{BoxStyle, Kind};
use super::tables::{Grid, build_grid, count_of};

type Extent = (f32, f32);

/// Wider than any room.
const WIDEST: f32 = 100_000.0;

pub(super) struct Measure<'a> {
    document: &'a mut BaseDocument,
    scale: f32,
    boxes: HashMap<NodeId, Extent>,
    grids: HashMap<NodeId, Grid>,
}

impl<'a> Measure<'a> {
    pub(super) fn new(document: &'a mut BaseDocument, scale: f32) -> Measure<'a> {
        Measure {
            document,
            scale,
            boxes: HashMap::new(),
            grids: HashMap::new(),
        }
    }

    pub(super) fn document(&self) -> &BaseDocument {
        self.document
    }

    pub(super) fn style(&self, id: NodeId) -> Option<BoxStyle> {
        BoxStyle::of(self.document.get_node(id)?)
    }

    /// Boxes within a box, as they are laid out.
    pub(super) fn children(&self, id: NodeId) -> Vec<NodeId> {
        let Some(node) = self.document.get_node(id) else {
            return Vec::new();
        };
        let children = node.layout_children.borrow();
        children
            .as_ref()
            .map(|children| children.to_vec())
            .unwrap_or_default()
    }

    pub(super) fn document_children(&self, id: NodeId) -> Vec<NodeId> {
        self.document
            .get_node(id)
            .map(|node| node.children.to_vec())
            .unwrap_or_default()
    }

    pub(super) fn is_named(&self, id: NodeId, name: &str) -> bool {
        self.document
            .get_node(id)
            .and_then(|node| node.element_data())
            .is_some_and(|element| &*element.name.local == name)
    }

    pub(super) fn count(&self, id: NodeId, attribute: &str) -> usize {
        self.document
            .get_node(id)
            .map_or(1, |node| count_of(node, attribute))
    }

    /// A table's spacing, whether its borders collapse, and whether its content does not matter.
    pub(super) fn table_style(&self, id: NodeId) -> (f32, bool, bool) {
        let Some(styles) = self.document.get_node(id).and_then(|node| node.primary_styles()) else {
            return (0.0, false, false);
        };
        use style::computed_values::border_collapse::T as Collapse;
        use style::computed_values::table_layout::T as Layout;
        (
            styles.clone_border_spacing().0.width.px(),
            styles.clone_border_collapse() == Collapse::Collapse,
            styles.clone_table_layout() == Layout::Fixed && !styles.clone_width().is_auto(),
        )
    }

    pub(super) fn grid(&mut self, table: NodeId) -> Grid {
        if let Some(known) = self.grids.get(&table) {
            return known.clone();
        }
        let grid = build_grid(self, table);
        self.grids.insert(table, grid.clone());
        grid
    }

    /// The border box, without regard to a width that is a share of something.
    pub(super) fn border_box(&mut self, id: NodeId) -> Extent {
        if let Some(known) = self.boxes.get(&id) {
            return *known;
        }
        let extent = self.measure(id);
        self.boxes.insert(id, extent);
        extent
    }

    /// What a box adds to the width of the box around it.
    pub(super) fn contribution(&mut self, id: NodeId) -> Extent {
        let Some(style) = self.style(id) else {
            return (0.0, 0.0);
        };
        if style.kind == Kind::None || style.is_out_of_flow {
            return (0.0, 0.0);
        }
        let (least, most) = self.border_box(id);
        let outset = style.outset(0.0);
        ((least + outset).max(0.0), (most + outset).max(0.0))
    }

    fn measure(&mut self, id: NodeId) -> Extent {
        let Some(style) = self.style(id) else {
            return (0.0, 0.0);
        };
        let inset = style.inset(0.0);
        let (mut least, mut most) = match style.kind {
            Kind::Table => {
                let (least, most) = self.grid(id).extent();
                let (_, _, is_fixed) = self.table_style(id);
                // Fixed columns of a share of the room: however wide that is, they fill it.
                (
                    least,
                    if is_fixed && style.share().is_some() {
                        WIDEST
                    } else {
                        most
                    },
                )
            }
            _ if self.is_named(id, "img") => self.picture(id, &style),
            _ => {
                let (least, most) = self.content(id, &style);
                (least + inset, most + inset)
            }
        };
        // The content of a cell that asks for a width still says how narrow it may be.
        if style.kind != Kind::Cell
            && let Some(width) = style.fixed(style.width.as_ref())
        {
            let width = if style.kind == Kind::Table {
                width.max(least)
            } else {
                width
            };
            (least, most) = (width, width);
        }
        if let Some(cap) = style.fixed(style.most.as_ref()) {
            let cap = if style.kind == Kind::Table {
                cap.max(least)
            } else {
                cap
            };
            (least, most) = (least.min(cap), most.min(cap));
        }
        if let Some(floor) = style.fixed(style.least.as_ref()) {
            (least, most) = (least.max(floor), most.max(floor));
        }
        (least, most.max(least))
    }

    fn picture(&self, id: NodeId, style: &BoxStyle) -> Extent {
        let inset = style.inset(0.0);
        let natural = self
            .document
            .get_node(id)
            .and_then(|node| node.element_data())
            .and_then(|element| element.raster_image_data())
            .map(|picture| (picture.width as f32, picture.height as f32));
        let (width, height) = natural.unwrap_or((0.0, 0.0));
        let wanted = match style.height.as_ref().and_then(|height| height.to_length()) {
            Some(asked) if height > 0.0 && style.width.is_none() => width * asked.px() / height,
            _ => width,
        };
        // A picture that is a share of its room, or at most one, may be as narrow as it must.
        let gives_way =
            style.share().is_some() || style.most.as_ref().is_some_and(|most| most.has_percentage());
        let least = if gives_way { 0.0 } else { wanted };
        (least + inset, wanted + inset)
    }

    fn content(&mut self, id: NodeId, style: &BoxStyle) -> Extent {
        let is_text = self
            .document
            .get_node(id)
            .is_some_and(|node| node.flags.is_inline_root());
        if is_text {
            return self.lines(id);
        }
        let (mut least, mut most, mut floats) = (0.0_f32, 0.0_f32, 0.0_f32);
        let (mut sum_least, mut sum_most) = (0.0_f32, 0.0_f32);
        for child in self.children(id) {
            let (low, high) = self.contribution(child);
            least = least.max(low);
            if self.style(child).is_some_and(|style| style.is_float) {
                floats += high;
                most = most.max(floats);
            } else {
                most = most.max(high);
            }
            sum_least += low;
            sum_most += high;
        }
        match style.kind {
            Kind::FlexRow => (if style.wraps { least } else { sum_least }, sum_most),
            _ => (least, most),
        }
    }

    /// Lines of text with the boxes in them.
    fn lines(&mut self, id: NodeId) -> Extent {
        let held: Vec<(u64, InlineBoxKind)> = self
            .text(id)
            .map(|text| {
                text.layout
                    .inline_boxes()
                    .map(|held| (held.id, held.kind))
                    .collect()
            })
            .unwrap_or_default();
        let mut widths = HashMap::new();
        let mut floats = (0.0_f32, 0.0_f32);
        for (held, kind) in &held {
            let node = NodeId::from_u64(*held);
            let (low, high) = self.contribution(node);
            let low = if self.gives_way(node) { 0.0 } else { low };
            match kind {
                InlineBoxKind::InFlow => {
                    widths.insert(*held, (low, high));
                }
                _ => floats = (floats.0.max(low), floats.1 + high),
            }
        }
        let scale = self.scale;
        let Some(text) = self.text(id) else {
            return (0.0, 0.0);
        };
        let mut extents = [0.0_f32; 2];
        for (at, extent) in extents.iter_mut().enumerate() {
            for held in text.layout.inline_boxes_mut() {
                if let Some((low, high)) = widths.get(&held.id) {
                    held.width = if at == 0 { *low } else { *high } * scale;
                }
            }
            let content = text.layout.calculate_content_widths();
            *extent = if at == 0 { content.min } else { content.max } / scale;
            if widths.is_empty() {
                extents = [content.min / scale, content.max / scale];
                break;
            }
        }
        text.content_widths = None;
        let [least, most] = extents.map(round_up);
        (least.max(floats.0), most + floats.1)
    }

    /// Whether a box in a line may be narrower than it would like, since it asks for a share.
    fn gives_way(&self, id: NodeId) -> bool {
        let is_replaced =
            self.is_named(id, "img") || self.is_named(id, "x-img") || self.is_named(id, "x-field");
        is_replaced && self.style(id).is_some_and(|style| style.share().is_some())
    }

    fn text(&mut self, id: NodeId) -> Option<&mut blitz_dom::node::TextLayout> {
        let element = self.document.get_node_mut(id)?.element_data_mut()?;
        element.inline_layout_data.as_deref_mut()
    }
}

/// Widths are whole 64ths of a pixel, as in browsers; a text must fit into its own.
fn round_up(width: f32) -> f32 {
    (width * 64.0).ceil() / 64.0
}
