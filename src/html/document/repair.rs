//! Boxes that CSS makes by itself and the engine does not, put into the document after styles are known.
//!
//! A table's part that is no table part any more (`td { display: block }` on narrow screens) is content that the
//! engine drops: CSS 2.1 section 17.2.1 puts it into a cell without a name, and so does this. The same goes for rows
//! and cells whose table became a block. A caption, which the engine passes over, is moved before its table.

use blitz_dom::node::Attribute;
use blitz_dom::{BaseDocument, LocalName, Node, NodeId, QualName, ns};
use style::properties::{LonghandId, PropertyDeclarationId};

use super::boxes::{BoxStyle, Kind, kind_of, resolve};

const TABLE: &str = "display:table;border-spacing:inherit;border-collapse:inherit;box-sizing:border-box";
const ROW: &str = "display:table-row";
const CELL: &str = "display:table-cell;padding:0;border:0;vertical-align:baseline";

/// Mends what the styles broke. Returns whether anything was changed.
pub(super) fn repair(document: &mut BaseDocument) -> bool {
    let mut order: Vec<(NodeId, Kind)> = Vec::new();
    let mut open: Vec<NodeId> = document
        .try_root_element()
        .map(|root| root.id)
        .into_iter()
        .collect();
    while let Some(id) = open.pop() {
        let Some(node) = document.get_node(id) else {
            continue;
        };
        let Some(kind) = kind_of(node).filter(|kind| *kind != Kind::None) else {
            continue;
        };
        order.push((id, kind));
        open.extend(node.children.iter());
    }
    let mut changed = false;
    // What is moved loses its style until the next pass: so the inner ones come first.
    for (id, kind) in order.into_iter().rev() {
        changed |= mend(document, id, kind);
    }
    changed
}

fn mend(document: &mut BaseDocument, id: NodeId, kind: Kind) -> bool {
    match kind {
        Kind::Table => repair_children(document, id, is_in_table, &[ROW, CELL]) | lift_captions(document, id),
        Kind::Rows => repair_children(document, id, |kind| kind == Kind::Row, &[ROW, CELL]),
        Kind::Row => repair_children(document, id, |kind| kind == Kind::Cell, &[CELL]),
        Kind::None | Kind::Columns | Kind::Contents => false,
        Kind::Cell => repair_flow(document, id) | hold_floats(document, id),
        _ => {
            open_link(document, id, kind)
                | indent_marker(document, id)
                | unroll(document, id)
                | box_padded(document, id, kind)
                | repair_flow(document, id)
        }
    }
}

fn repair_flow(document: &mut BaseDocument, id: NodeId) -> bool {
    repair_children(document, id, |kind| !kind.is_table_part(), &[TABLE])
}

fn is_in_table(kind: Kind) -> bool {
    matches!(kind, Kind::Rows | Kind::Row | Kind::Columns | Kind::Caption)
}

/// Wraps each run of children that may not stand here. `wrappers` are the styles of the boxes around it, outermost
/// first; a run of cells needs no cell around it.
fn repair_children(
    document: &mut BaseDocument,
    parent: NodeId,
    may_stand: fn(Kind) -> bool,
    wrappers: &[&str],
) -> bool {
    let mut runs: Vec<Vec<NodeId>> = Vec::new();
    let mut run: Vec<NodeId> = Vec::new();
    let mut blanks: Vec<NodeId> = Vec::new();
    let Some(node) = document.get_node(parent) else {
        return false;
    };
    for child in node.children.iter().copied() {
        let Some(child_node) = document.get_node(child) else {
            continue;
        };
        if child_node.is_whitespace_node() {
            blanks.push(child);
            continue;
        }
        let kind = if child_node.is_element() {
            kind_of(child_node).unwrap_or(Kind::None)
        } else if child_node.is_text_node() {
            Kind::Inline
        } else {
            Kind::None
        };
        if kind == Kind::None {
            continue;
        }
        if may_stand(kind) {
            if !run.is_empty() {
                runs.push(std::mem::take(&mut run));
            }
        } else {
            if !run.is_empty() {
                run.append(&mut blanks);
            }
            run.push(child);
        }
        blanks.clear();
    }
    if !run.is_empty() {
        runs.push(run);
    }
    for run in &runs {
        wrap(document, run, wrappers);
    }
    !runs.is_empty()
}

fn wrap(document: &mut BaseDocument, run: &[NodeId], wrappers: &[&str]) {
    let Some(first) = run.first().copied() else { return };
    let holds_cells = run
        .iter()
        .any(|id| document.get_node(*id).and_then(kind_of) == Some(Kind::Cell));
    let mut mutator = document.mutate();
    let mut innermost = None;
    for style in wrappers {
        if holds_cells && *style == CELL {
            break;
        }
        let wrapper = mutator.create_element(name("x-box"), vec![attribute("style", style)]);
        match innermost {
            None => mutator.insert_nodes_before(first, &[wrapper]),
            Some(outer) => mutator.append_children(outer, &[wrapper]),
        }
        innermost = Some(wrapper);
    }
    if let Some(innermost) = innermost {
        mutator.append_children(innermost, run);
    }
}

/// What a caption looks like, for it to keep when it stands elsewhere.
const CAPTION: &[LonghandId] = &[
    LonghandId::TextAlign,
    LonghandId::FontSize,
    LonghandId::FontWeight,
    LonghandId::FontStyle,
    LonghandId::FontFamily,
    LonghandId::LineHeight,
    LonghandId::Color,
    LonghandId::BackgroundColor,
    LonghandId::PaddingTop,
    LonghandId::PaddingRight,
    LonghandId::PaddingBottom,
    LonghandId::PaddingLeft,
];

/// A caption stands before its table.
fn lift_captions(document: &mut BaseDocument, table: NodeId) -> bool {
    let Some(node) = document.get_node(table) else {
        return false;
    };
    let is_caption = |id: &NodeId| document.get_node(*id).and_then(kind_of) == Some(Kind::Caption);
    let captions: Vec<NodeId> = node.children.iter().copied().filter(is_caption).collect();
    for caption in &captions {
        let mut style = String::from("display:block!important");
        if let Some(styles) = document.get_node(*caption).and_then(Node::primary_styles) {
            for property in CAPTION {
                let value = styles.computed_value_to_string(PropertyDeclarationId::Longhand(*property));
                style.push_str(&format!(";{}:{value}", property.name()));
            }
        }
        append_style(document, *caption, &style);
        let mut mutator = document.mutate();
        let holder = mutator.create_element(name("x-box"), vec![attribute("style", "display:block")]);
        mutator.insert_nodes_before(table, &[holder]);
        mutator.append_children(holder, &[*caption]);
    }
    !captions.is_empty()
}

/// A cell is as high as what floats in it, and its padding lies below that; the engine forgets the padding.
fn hold_floats(document: &mut BaseDocument, cell: NodeId) -> bool {
    if !has_float(document, cell, 0) {
        return false;
    }
    let mut mutator = document.mutate();
    let end = mutator.create_element(
        name("x-box"),
        vec![attribute("style", "display:block;clear:both")],
    );
    mutator.append_children(cell, &[end]);
    true
}

fn has_float(document: &BaseDocument, id: NodeId, depth: usize) -> bool {
    let Some(node) = document.get_node(id) else {
        return false;
    };
    node.children.iter().any(|child| {
        let Some(child) = document.get_node(*child) else {
            return false;
        };
        let floats = child
            .primary_styles()
            .is_some_and(|styles| styles.clone_float().is_floating());
        let may_hold = matches!(kind_of(child), Some(Kind::Block | Kind::Inline));
        floats && kind_of(child) != Some(Kind::None)
            || may_hold && depth < 4 && has_float(document, child.id, depth + 1)
    })
}

/// A page is a picture, so a box within it cannot be scrolled: it shows all that it has.
fn unroll(document: &mut BaseDocument, id: NodeId) -> bool {
    use style::values::specified::box_::Overflow;
    let Some(styles) = document.get_node(id).and_then(Node::primary_styles) else {
        return false;
    };
    let scrolls = |overflow| matches!(overflow, Overflow::Auto | Overflow::Scroll);
    let (across, down) = (
        scrolls(styles.clone_overflow_x()),
        scrolls(styles.clone_overflow_y()),
    );
    if !(across || down) {
        return false;
    }
    let is_preformatted = styles
        .computed_value_to_string(PropertyDeclarationId::Longhand(LonghandId::TextWrapMode))
        == "nowrap";
    let is_high = !styles.clone_height().is_auto();
    drop(styles);
    let mut style = String::new();
    if across && is_preformatted {
        style.push_str("text-wrap-mode:wrap!important;overflow-wrap:anywhere!important;");
    }
    if down {
        style.push_str("max-height:none!important;");
        if is_high {
            style.push_str("height:auto!important;");
        }
    }
    if style.is_empty() {
        return false;
    }
    append_style(document, id, &style);
    true
}

/// Text of a button, in bytes.
const BUTTON: usize = 120;
/// Padding from which an inline box is seen as a button, left and right together.
const PADDED: f32 = 8.0;

/// The engine draws no padding around a part of a line. A button is such a part often enough: it becomes a block
/// within the line, and what its padding adds to the line's height is taken off again.
fn box_padded(document: &mut BaseDocument, id: NodeId, kind: Kind) -> bool {
    let Some(node) = document.get_node(id).filter(|_| kind == Kind::Inline) else {
        return false;
    };
    let (Some(style), Some(styles)) = (BoxStyle::of(node), node.primary_styles()) else {
        return false;
    };
    if style.inset(0.0) < PADDED {
        return false;
    }
    let border = styles.get_border();
    let height = |width: f32, hidden: bool| if hidden { 0.0 } else { width };
    let above = resolve(&styles.clone_padding_top().0, 0.0)
        + height(
            border.border_top_width.0.to_f32_px(),
            border.border_top_style.none_or_hidden(),
        );
    let below = resolve(&styles.clone_padding_bottom().0, 0.0)
        + height(
            border.border_bottom_width.0.to_f32_px(),
            border.border_bottom_style.none_or_hidden(),
        );
    drop(styles);
    let is_plain = node.children.iter().all(|child| {
        let child = document.get_node(*child);
        child.is_some_and(|child| {
            child.is_text_node() || matches!(kind_of(child), Some(Kind::Inline | Kind::None))
        })
    });
    if !is_plain || node.text_content().len() > BUTTON {
        return false;
    }
    let style = format!(
        "display:inline-block!important;margin-top:{:.2}px!important;margin-bottom:{:.2}px!important",
        -above, -below
    );
    append_style(document, id, &style);
    true
}

/// The engine leaves out the blank between a number and its item.
fn indent_marker(document: &mut BaseDocument, id: NodeId) -> bool {
    let Some(node) = document.get_node(id) else {
        return false;
    };
    let is_item = node
        .element_data()
        .is_some_and(|element| &*element.name.local == "li");
    let parent = node.parent.and_then(|parent| document.get_node(parent));
    let is_numbered = parent.is_some_and(|parent| {
        parent
            .element_data()
            .is_some_and(|element| &*element.name.local == "ol")
    });
    if !is_item || !is_numbered {
        return false;
    }
    let Some(style) = BoxStyle::of(node) else {
        return false;
    };
    let Some(styles) = node.primary_styles() else {
        return false;
    };
    let is_left_to_right = styles.clone_direction() == style::computed_values::direction::T::Ltr;
    let is_outside =
        styles.clone_list_style_position() == style::computed_values::list_style_position::T::Outside;
    let kind = styles.computed_value_to_string(PropertyDeclarationId::Longhand(LonghandId::ListStyleType));
    let blank = styles.clone_font_size().used_size().px() * 0.26;
    drop(styles);
    if !is_left_to_right || !is_outside || matches!(kind.as_str(), "none" | "disc" | "circle" | "square") {
        return false;
    }
    let [margin, _] = &style.margin;
    let [padding, _] = &style.padding;
    let margin = margin.as_ref().map_or(0.0, |margin| resolve(margin, 0.0)) - blank;
    let padding = resolve(padding, 0.0) + blank;
    append_style(
        document,
        id,
        &format!("margin-left:{margin}px!important;padding-left:{padding}px!important"),
    );
    true
}

/// A link that holds nothing but blocks is one: the engine would leave an empty line below it.
fn open_link(document: &mut BaseDocument, id: NodeId, kind: Kind) -> bool {
    let Some(node) = document.get_node(id) else {
        return false;
    };
    if kind != Kind::Inline || node.children.is_empty() {
        return false;
    }
    let mut blocks = 0;
    for child in node.children.iter() {
        let Some(child) = document.get_node(*child) else {
            continue;
        };
        if child.is_whitespace_node() {
            continue;
        }
        match kind_of(child) {
            Some(Kind::Block | Kind::Table | Kind::FlexRow | Kind::FlexColumn | Kind::Grid) => {
                let styles = child.primary_styles();
                if styles.is_some_and(|styles| styles.clone_float().is_floating()) {
                    return false;
                }
                blocks += 1;
            }
            Some(Kind::None) => {}
            _ => return false,
        }
    }
    if blocks > 0 {
        append_style(document, id, "display:block!important");
    }
    blocks > 0
}

pub(super) fn append_style(document: &mut BaseDocument, id: NodeId, declarations: &str) {
    let old = document
        .get_node(id)
        .and_then(|node| node.attr(LocalName::from("style")))
        .unwrap_or_default();
    let style = if old.is_empty() {
        declarations.to_owned()
    } else {
        format!("{old};{declarations}")
    };
    document
        .mutate()
        .set_attribute(id, attribute_name("style"), &style);
}

pub(super) fn name(local: &str) -> QualName {
    QualName::new(None, ns!(html), LocalName::from(local))
}

fn attribute_name(local: &str) -> QualName {
    QualName::new(None, ns!(), LocalName::from(local))
}

pub(super) fn attribute(local: &str, value: &str) -> Attribute {
    Attribute {
        name: attribute_name(local),
        value: value.to_owned(),
    }
}
