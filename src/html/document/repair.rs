//! Boxes that CSS makes by itself and the engine does not, put into the document after styles are known.
//!
//! A table's part that is no table part any more (`td { display: block }` on narrow screens) is content that the
//! engine drops: CSS 2.1 section 17.2.1 puts it into a cell without a name, and so does this. The same goes for rows
//! and cells whose table became a block. A caption, which the engine passes over, becomes a row.

use blitz_dom::node::Attribute;
use blitz_dom::{BaseDocument, LocalName, NodeId, QualName, ns};

use super::boxes::{Kind, kind_of};

const TABLE: &str = "display:table;border-spacing:inherit;border-collapse:inherit;box-sizing:border-box";
const ROW: &str = "display:table-row";
const CELL: &str = "display:table-cell;padding:0;border:0;vertical-align:baseline";

/// Mends what the styles broke. Returns whether anything was changed.
pub(super) fn repair(document: &mut BaseDocument) -> bool {
    let mut changed = false;
    let mut open: Vec<NodeId> = document
        .try_root_element()
        .map(|root| root.id)
        .into_iter()
        .collect();
    while let Some(id) = open.pop() {
        let Some(kind) = document.get_node(id).and_then(kind_of) else {
            continue;
        };
        if kind == Kind::None {
            continue;
        }
        changed |= match kind {
            Kind::Table => {
                repair_children(document, id, is_in_table, &[ROW, CELL]) | turn_captions(document, id)
            }
            Kind::Rows => repair_children(document, id, |kind| kind == Kind::Row, &[ROW, CELL]),
            Kind::Row => repair_children(document, id, |kind| kind == Kind::Cell, &[CELL]),
            Kind::Columns | Kind::Contents => false,
            _ => {
                repair_children(document, id, |kind| !kind.is_table_part(), &[TABLE])
                    | open_link(document, id, kind)
            }
        };
        if let Some(node) = document.get_node(id) {
            open.extend(node.children.iter());
        }
    }
    changed
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

/// A caption stands in a cell over all columns.
fn turn_captions(document: &mut BaseDocument, table: NodeId) -> bool {
    let Some(node) = document.get_node(table) else {
        return false;
    };
    let is_caption = |id: &NodeId| document.get_node(*id).and_then(kind_of) == Some(Kind::Caption);
    let captions: Vec<NodeId> = node.children.iter().copied().filter(is_caption).collect();
    for caption in &captions {
        let mut mutator = document.mutate();
        let row = mutator.create_element(name("x-box"), vec![attribute("style", ROW)]);
        let cell = mutator.create_element(
            name("x-box"),
            vec![
                attribute("style", CELL),
                attribute("colspan", &super::tables::MOST_COLUMNS.to_string()),
            ],
        );
        mutator.insert_nodes_before(*caption, &[row]);
        mutator.append_children(row, &[cell]);
        mutator.append_children(cell, &[*caption]);
        drop(mutator);
        append_style(document, *caption, "display:block!important");
    }
    !captions.is_empty()
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
