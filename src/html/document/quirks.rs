//! Lines as documents with an old doctype, or none, expect them.
//!
//! In standards mode a line is at least as high as its block's own font says. In the two old modes an inline box that
//! holds no text of its own, the block's included, adds nothing to the height of its lines: a small `<font>` or a
//! picture alone in a cell makes a line as high as itself (Quirks Mode Standard, section 3.2). Most mail is written so.

use std::collections::HashMap;

use blitz_dom::{BaseDocument, Node, NodeId};
use style::values::computed::font::LineHeight;

use super::boxes::{Kind, kind_of};
use super::repair::append_style;

/// Takes the height from boxes without text, and says it again where there is text. Returns whether there was any.
pub(super) fn shrink_lines(document: &mut BaseDocument) -> bool {
    let mut heights: HashMap<NodeId, String> = HashMap::new();
    let mut open: Vec<NodeId> = document
        .try_root_element()
        .map(|root| root.id)
        .into_iter()
        .collect();
    while let Some(id) = open.pop() {
        let Some(node) = document.get_node(id) else {
            continue;
        };
        let kind = kind_of(node);
        if kind == Some(Kind::None) {
            continue;
        }
        let holds_lines = matches!(
            kind,
            Some(Kind::Block | Kind::Cell | Kind::InlineBlock | Kind::Caption)
        );
        if holds_lines && !is_named(node, "li") {
            shrink(document, node, &mut heights);
        }
        open.extend(node.children.iter());
    }
    let changed = !heights.is_empty();
    for (id, height) in heights {
        append_style(document, id, &format!("line-height:{height}!important"));
    }
    changed
}

fn shrink(document: &BaseDocument, node: &Node, heights: &mut HashMap<NodeId, String>) {
    let mut parts = Vec::new();
    let mut begins_line = true;
    for child in node.children.iter().filter_map(|child| document.get_node(*child)) {
        if child.is_text_node() {
            if child.is_collapsible_whitespace_node() {
                continue;
            }
            return;
        }
        match kind_of(child) {
            _ if is_named(child, "br") => return,
            // A break ends a line of which it adds nothing to the height; alone, it makes a line.
            _ if is_named(child, "x-br") => {
                if begins_line {
                    parts.push(child);
                }
                begins_line = true;
            }
            Some(Kind::Inline | Kind::InlineBlock) => {
                parts.push(child);
                begins_line = false;
            }
            Some(Kind::None) | None => {}
            // Lines and blocks side by side: the lines stand in boxes without a name, which are left alone.
            Some(_) => return,
        }
    }
    if parts.is_empty() {
        return;
    }
    heights.insert(node.id, "0".to_owned());
    for part in parts {
        if heights.get(&part.id).is_some_and(|height| height == "0") {
            continue;
        }
        if let Some(height) = height_of(part) {
            heights.insert(part.id, height);
        }
        if kind_of(part) == Some(Kind::Inline) {
            shrink(document, part, heights);
        }
    }
}

/// The computed value, to be said again on the element itself.
fn height_of(node: &Node) -> Option<String> {
    Some(match node.primary_styles()?.clone_line_height() {
        LineHeight::Normal => "normal".to_owned(),
        LineHeight::Number(number) => number.0.to_string(),
        LineHeight::Length(length) => format!("{}px", length.0.px()),
    })
}

fn is_named(node: &Node, name: &str) -> bool {
    node.element_data()
        .is_some_and(|element| &*element.name.local == name)
}
