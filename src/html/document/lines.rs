//! The texts of a laid-out page: where they are, what is marked in them, what is found in them.

use blitz_dom::{BaseDocument, Node, NodeId};
use parley::{Affinity, Cursor, Layout, Selection};

use super::engine::Engine;
use crate::page::{Grain, Point, Rect, Selected};

/// A block of lines: text laid out as one, in one box.
#[derive(Clone, Copy, Debug)]
pub(super) struct Block {
    pub(super) node: NodeId,
    /// Of the lines, on the page.
    pub(super) x: f32,
    pub(super) y: f32,
    width: f32,
    height: f32,
}

impl Block {
    pub(super) fn area(&self) -> Rect {
        Rect {
            x: self.x,
            y: self.y,
            width: self.width,
            height: self.height,
        }
    }
}

/// Every block of lines, in the order in which it is read.
pub(super) struct Lines {
    blocks: Vec<Block>,
}

/// A place in the text.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord)]
struct Place {
    block: usize,
    byte: usize,
}

pub(super) type TextLayout = Layout<blitz_dom::node::TextBrush>;

impl Lines {
    pub(super) fn of(engine: &Engine) -> Lines {
        let document = engine.document();
        let mut blocks = Vec::new();
        let mut open: Vec<NodeId> = document
            .try_root_element()
            .map(|root| root.id)
            .into_iter()
            .collect();
        while let Some(id) = open.pop() {
            let Some(node) = document.get_node(id) else {
                continue;
            };
            if let Some((text, layout)) = text_of(node)
                && !text.is_empty()
            {
                let at = node.absolute_position(0.0, 0.0);
                let own = node.final_layout();
                blocks.push(Block {
                    node: id,
                    x: at.x + own.padding.left + own.border.left,
                    y: at.y + own.padding.top + own.border.top + block_offset(node),
                    width: layout.full_width() / layout.scale(),
                    height: layout.height() / layout.scale(),
                });
            }
            if let Some(children) = node.layout_children.borrow().as_ref() {
                open.extend(children.iter().rev());
            }
        }
        Lines { blocks }
    }

    /// How far the page has to begin further left for what is written from the right and does not fit; more was not
    /// meant to be seen.
    pub(super) fn reach_left(&self, engine: &Engine) -> f32 {
        const FARTHEST: f32 = 2_000.0;
        let document = engine.document();
        let mut left = 0.0_f32;
        for block in self.blocks.iter().filter(|block| block.x < 0.0) {
            let mut at = document.get_node(block.node);
            let styles = at.and_then(Node::primary_styles);
            if styles
                .is_none_or(|styles| styles.clone_direction() != style::computed_values::direction::T::Rtl)
            {
                continue;
            }
            // With the boxes that the text stands in.
            while let Some(node) = at {
                left = left.max(-node.absolute_position(0.0, 0.0).x);
                at = node.containing_block().and_then(|id| document.get_node(id));
            }
        }
        if left > FARTHEST {
            return 0.0;
        }
        // The engine counts what does not fit as if it stood beyond the other edge, with the space around it.
        if left > 0.0 {
            left.max(engine.beyond().min(FARTHEST))
        } else {
            0.0
        }
    }

    pub(super) fn shift(&mut self, right: f32) {
        for block in &mut self.blocks {
            block.x += right;
        }
    }

    pub(super) fn blocks(&self) -> &[Block] {
        &self.blocks
    }

    pub(super) fn text(&self, engine: &Engine) -> String {
        let document = engine.document();
        let texts = self
            .blocks
            .iter()
            .filter_map(|block| Some(text_of(document.get_node(block.node)?)?.0));
        texts.collect::<Vec<&str>>().join("\n")
    }

    pub(super) fn select(&self, engine: &Engine, from: Point, to: Point, grain: Grain) -> Selected {
        let document = engine.document();
        let range = if grain == Grain::All {
            self.everything(document)
        } else {
            match (self.reach(document, from, grain), self.reach(document, to, grain)) {
                (Some(one), Some(other)) => Some((one.0.min(other.0), one.1.max(other.1))),
                _ => None,
            }
        };
        range.map_or_else(Selected::default, |(start, end)| self.cut(document, start, end))
    }

    fn everything(&self, document: &BaseDocument) -> Option<(Place, Place)> {
        let last = self.blocks.last()?;
        let byte = text_of(document.get_node(last.node)?)?.0.len();
        Some((
            Place { block: 0, byte: 0 },
            Place {
                block: self.blocks.len() - 1,
                byte,
            },
        ))
    }

    /// The word, line or place nearest to a point.
    fn reach(&self, document: &BaseDocument, point: Point, grain: Grain) -> Option<(Place, Place)> {
        let (number, block) = self
            .blocks
            .iter()
            .enumerate()
            .min_by(|(_, one), (_, other)| distance(one, point).total_cmp(&distance(other, point)))?;
        let (text, layout) = text_of(document.get_node(block.node)?)?;
        let scale = layout.scale();
        let (x, y) = ((point.x - block.x) * scale, (point.y - block.y) * scale);
        let range = match grain {
            Grain::Character | Grain::All => Selection::from_point(layout, x, y).text_range(),
            Grain::Word => Selection::word_from_point(layout, x, y).text_range(),
            Grain::Line => {
                let line = Selection::line_from_point(layout, x, y).text_range();
                paragraph(text, line.start, line.end)
            }
        };
        let place = |byte: usize| Place {
            block: number,
            byte: text.floor_char_boundary(byte),
        };
        Some((place(range.start), place(range.end)))
    }

    fn cut(&self, document: &BaseDocument, start: Place, end: Place) -> Selected {
        let mut selected = Selected::default();
        for number in start.block..=end.block {
            let Some(block) = self.blocks.get(number) else {
                break;
            };
            let Some((text, layout)) = document.get_node(block.node).and_then(text_of) else {
                continue;
            };
            let from = if number == start.block { start.byte } else { 0 };
            let to = if number == end.block { end.byte } else { text.len() };
            let Some(part) = text.get(from..to).filter(|part| !part.is_empty()) else {
                continue;
            };
            if !selected.text.is_empty() && !selected.text.ends_with('\n') {
                selected.text.push('\n');
            }
            selected.text.push_str(part);
            selected.rects.extend(boxes(block, layout, from, to));
        }
        selected
    }

    pub(super) fn find(&self, engine: &Engine, needle: &str, most: usize) -> Vec<Vec<Rect>> {
        let document = engine.document();
        let needle: String = fold(needle).0;
        let mut hits = Vec::new();
        if needle.is_empty() {
            return hits;
        }
        for block in &self.blocks {
            let Some((text, layout)) = document.get_node(block.node).and_then(text_of) else {
                continue;
            };
            let (folded, places) = fold(text);
            let mut from = 0;
            while let Some(at) = folded.get(from..).and_then(|rest| rest.find(&needle)) {
                let (start, end) = (from + at, from + at + needle.len());
                from = end;
                let (Some(start), Some(end)) = (places.get(start), places.get(end)) else {
                    break;
                };
                hits.push(boxes(block, layout, *start, *end));
                if hits.len() >= most {
                    return hits;
                }
            }
        }
        hits
    }
}

/// In lower case, blanks of any kind as one space; and for each byte the byte of the original it came from.
fn fold(text: &str) -> (String, Vec<usize>) {
    let mut folded = String::with_capacity(text.len());
    let mut places = Vec::with_capacity(text.len() + 1);
    for (at, c) in text.char_indices() {
        if c.is_whitespace() {
            if !folded.ends_with(' ') {
                folded.push(' ');
            }
        } else if c != '\u{ad}' && c != '\u{200b}' {
            folded.extend(c.to_lowercase());
        }
        places.resize(folded.len(), at);
    }
    places.push(text.len());
    (folded, places)
}

/// Widened to where lines were broken by whoever wrote them, not by the room there is.
fn paragraph(text: &str, start: usize, end: usize) -> std::ops::Range<usize> {
    let before = text.get(..start).and_then(|before| before.rfind('\n'));
    // A line that ends with its break is whole already.
    let whole = end > start && text.get(..end).is_some_and(|line| line.ends_with('\n'));
    let after = text
        .get(end..)
        .filter(|_| !whole)
        .and_then(|after| after.find('\n'));
    let end = if whole {
        end
    } else {
        after.map_or(text.len(), |at| end + at)
    };
    before.map_or(0, |at| at + 1)..end
}

fn distance(block: &Block, point: Point) -> f32 {
    let beyond = |at: f32, start: f32, length: f32| (start - at).max(at - start - length).max(0.0);
    // Whatever stands on the same line is nearer than what stands above or below.
    beyond(point.y, block.y, block.height) * 8.0 + beyond(point.x, block.x, block.width)
}

pub(super) fn boxes(block: &Block, layout: &TextLayout, from: usize, to: usize) -> Vec<Rect> {
    let scale = layout.scale();
    let selection = Selection::new(
        Cursor::from_byte_index(layout, from, Affinity::Downstream),
        Cursor::from_byte_index(layout, to, Affinity::Upstream),
    );
    #[expect(clippy::cast_possible_truncation, reason = "pixels of a page")]
    let place = |value: f64| value as f32 / scale;
    selection
        .geometry(layout)
        .iter()
        .map(|(rect, _)| Rect {
            x: block.x + place(rect.x0),
            y: block.y + place(rect.y0),
            width: place(rect.x1 - rect.x0),
            height: place(rect.y1 - rect.y0),
        })
        .collect()
}

pub(super) fn text_of(node: &Node) -> Option<(&str, &TextLayout)> {
    if !node.flags.is_inline_root() {
        return None;
    }
    let lines = node.element_data()?.inline_layout_data.as_ref()?;
    Some((lines.text.as_str(), &lines.layout))
}

fn block_offset(node: &Node) -> f32 {
    node.element_data()
        .and_then(|element| element.inline_layout_data.as_ref())
        .map_or(0.0, |lines| lines.block_offset)
}
