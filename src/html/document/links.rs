//! Where a page's links are.

use std::collections::HashMap;

use blitz_dom::{BaseDocument, Node, NodeId};
use parley::PositionedLayoutItem;

use super::engine::Engine;
use super::lines::{Lines, text_of};
use crate::page::{PageLink, Rect};

/// The words of one link.
const MAX_TEXT: usize = 1_000;

/// Each link with its boxes, in order. `targets` are what `l:N` stands for.
pub(super) fn find(engine: &Engine, lines: &Lines, targets: &[String]) -> Vec<PageLink> {
    let document = engine.document();
    let mut owners = Owners {
        document,
        known: HashMap::new(),
    };
    let mut rects: HashMap<NodeId, Vec<Rect>> = HashMap::new();
    for block in lines.blocks() {
        let Some((_, layout)) = document.get_node(block.node).and_then(text_of) else {
            continue;
        };
        let scale = layout.scale();
        for line in layout.lines() {
            let metrics = line.metrics();
            for item in line.items() {
                // Boxes in a line are found as boxes.
                let PositionedLayoutItem::GlyphRun(run) = item else {
                    continue;
                };
                let rect = Rect {
                    x: block.x + run.offset() / scale,
                    y: block.y + metrics.block_min_coord / scale,
                    width: run.advance() / scale,
                    height: (metrics.block_max_coord - metrics.block_min_coord) / scale,
                };
                if let Some(owner) = owners.of(run.style().brush.id) {
                    push(rects.entry(owner).or_default(), rect);
                }
            }
        }
    }
    add_boxes(engine, &mut owners, &mut rects);
    collect(document, &mut rects, targets)
}

/// Links that are boxes themselves, such as buttons, and pictures in links.
fn add_boxes(engine: &Engine, owners: &mut Owners<'_>, rects: &mut HashMap<NodeId, Vec<Rect>>) {
    let document = engine.document();
    let mut open: Vec<NodeId> = document
        .try_root_element()
        .map(|root| root.id)
        .into_iter()
        .collect();
    while let Some(id) = open.pop() {
        let Some(node) = document.get_node(id) else {
            continue;
        };
        let is_link = target_of(node).is_some();
        if (is_link || is_named(node, "img") || is_named(node, "x-img"))
            && let Some(owner) = owners.of(id)
        {
            let at = node.absolute_position(0.0, 0.0);
            let size = node.final_layout().size;
            let rect = Rect {
                x: at.x + engine.left(),
                y: at.y,
                width: size.width,
                height: size.height,
            };
            if rect.width > 0.0 && rect.height > 0.0 {
                let known = rects.entry(owner).or_default();
                known.retain(|inner| !contains(&rect, inner));
                if !known.iter().any(|outer| contains(outer, &rect)) {
                    known.push(rect);
                }
            }
        }
        if let Some(children) = node.layout_children.borrow().as_ref() {
            open.extend(children.iter().rev());
        }
    }
}

fn collect(
    document: &BaseDocument,
    rects: &mut HashMap<NodeId, Vec<Rect>>,
    targets: &[String],
) -> Vec<PageLink> {
    let mut links = Vec::new();
    let mut open: Vec<NodeId> = document
        .try_root_element()
        .map(|root| root.id)
        .into_iter()
        .collect();
    while let Some(id) = open.pop() {
        let Some(node) = document.get_node(id) else {
            continue;
        };
        if let Some(target) = target_of(node).and_then(|place| targets.get(place))
            && let Some(rects) = rects.remove(&id)
        {
            links.push(PageLink {
                url: target.clone(),
                text: words(document, node),
                rects,
            });
        }
        open.extend(node.children.iter().rev());
    }
    links
}

/// Finds the link that a node stands in.
struct Owners<'a> {
    document: &'a BaseDocument,
    known: HashMap<NodeId, Option<NodeId>>,
}

impl Owners<'_> {
    fn of(&mut self, id: NodeId) -> Option<NodeId> {
        let mut passed = Vec::new();
        let mut at = Some(id);
        let mut found = None;
        while let Some(id) = at {
            if let Some(known) = self.known.get(&id) {
                found = *known;
                break;
            }
            let Some(node) = self.document.get_node(id) else {
                break;
            };
            passed.push(id);
            if target_of(node).is_some() {
                found = Some(id);
                break;
            }
            at = node.parent;
        }
        self.known.extend(passed.into_iter().map(|id| (id, found)));
        found
    }
}

/// Joins what follows on the same line.
fn push(rects: &mut Vec<Rect>, rect: Rect) {
    if let Some(last) = rects.last_mut()
        && (last.y - rect.y).abs() < 0.5
        && (last.height - rect.height).abs() < 0.5
        && (last.x + last.width - rect.x).abs() < 1.0
    {
        last.width = rect.x + rect.width - last.x;
        return;
    }
    rects.push(rect);
}

fn contains(outer: &Rect, inner: &Rect) -> bool {
    outer.x <= inner.x + 0.5
        && outer.y <= inner.y + 0.5
        && outer.x + outer.width + 0.5 >= inner.x + inner.width
        && outer.y + outer.height + 0.5 >= inner.y + inner.height
}

fn target_of(node: &Node) -> Option<usize> {
    let element = node.element_data()?;
    if &*element.name.local != "a" {
        return None;
    }
    attribute(node, "href")?.strip_prefix("l:")?.parse().ok()
}

fn is_named(node: &Node, name: &str) -> bool {
    node.element_data()
        .is_some_and(|element| &*element.name.local == name)
}

fn attribute<'a>(node: &'a Node, name: &str) -> Option<&'a str> {
    let attributes = node.element_data()?.attrs();
    let found = attributes
        .iter()
        .find(|attribute| &*attribute.name.local == name)?;
    Some(found.value.as_str())
}

/// The text within, pictures by their alternative, on one line.
fn words(document: &BaseDocument, link: &Node) -> String {
    let mut text = String::new();
    let mut open: Vec<NodeId> = vec![link.id];
    while let Some(id) = open.pop() {
        let Some(node) = document.get_node(id) else {
            continue;
        };
        if text.len() > MAX_TEXT {
            break;
        }
        if let Some(data) = node.text_data() {
            text.push_str(&data.content);
        } else if is_named(node, "img") {
            text.push(' ');
            text.push_str(attribute(node, "alt").unwrap_or_default());
        } else if is_named(node, "br") {
            text.push(' ');
        }
        open.extend(node.children.iter().rev());
    }
    let words: Vec<&str> = text.split_whitespace().collect();
    let line = words.join(" ");
    line.get(..line.floor_char_boundary(MAX_TEXT))
        .unwrap_or_default()
        .to_owned()
}
