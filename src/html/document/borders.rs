//! Borders that collapse (CSS 2.1 section 17.6.2), as borders that do not.
//!
//! The engine draws a collapsed table as a grid of equal lines, and leaves out the borders of its cells. Most mail
//! that collapses its tables draws a line below some rows and nothing else. So where two borders meet, the weaker one
//! is taken away here, and the table is laid out with separate borders and no space between its cells.

use std::collections::HashMap;

use blitz_dom::{Node, NodeId};
use style::properties::{LonghandId, PropertyDeclarationId};

use super::measure::Measure;

/// Places in tables larger than this are not compared.
const MOST_PLACES: usize = 200_000;

const SIDES: [&str; 4] = ["top", "right", "bottom", "left"];
const TOP: usize = 0;
const RIGHT: usize = 1;
const BOTTOM: usize = 2;
const LEFT: usize = 3;

/// A cell and the places that it fills.
#[derive(Clone, Copy, Debug)]
pub(super) struct Placed {
    pub(super) node: NodeId,
    /// The `<tr>`.
    pub(super) line: NodeId,
    pub(super) row: usize,
    pub(super) column: usize,
    pub(super) span: usize,
    pub(super) rows: usize,
}

/// What became of a cell's borders.
#[derive(Clone, Debug, Default)]
struct Fate {
    widths: [f32; 4],
    lost: [bool; 4],
    /// A row's border that the cell draws for it.
    taken: [Option<String>; 4],
}

#[derive(Clone, Debug, Default)]
pub(super) struct Collapsed {
    /// Declarations for each cell that needs some.
    pub(super) cells: Vec<(NodeId, String)>,
    pub(super) table: String,
    /// Width that a cell's left and right borders lost.
    pub(super) lost: HashMap<NodeId, f32>,
}

pub(super) fn collapse(measure: &Measure<'_>, table: NodeId, placed: &[Placed]) -> Collapsed {
    let table_sides = sides(measure, table);
    let mut fates: Vec<Fate> = placed
        .iter()
        .map(|cell| Fate {
            widths: sides(measure, cell.node),
            ..Fate::default()
        })
        .collect();
    let is_bare = |widths: &[f32; 4]| widths.iter().all(|width| *width == 0.0);
    let mut result = Collapsed {
        table: "border-collapse:separate!important;border-spacing:0!important;padding:0!important".to_owned(),
        ..Collapsed::default()
    };
    let mut places: HashMap<(usize, usize), usize> = HashMap::new();
    for (number, cell) in placed.iter().enumerate() {
        for row in cell.row..cell.row + cell.rows {
            for column in cell.column..cell.column + cell.span {
                if places.len() < MOST_PLACES {
                    places.insert((row, column), number);
                }
            }
        }
    }
    take_lines(measure, placed, &mut fates);
    if is_bare(&table_sides) && fates.iter().all(|fate| is_bare(&fate.widths)) {
        return result;
    }
    let end = placed
        .iter()
        .map(|cell| cell.column + cell.span)
        .max()
        .unwrap_or(0);
    let bottom = placed.iter().map(|cell| cell.row + cell.rows).max().unwrap_or(0);
    for (number, cell) in placed.iter().enumerate() {
        let below = places.get(&(cell.row + cell.rows, cell.column)).copied();
        let beside = places.get(&(cell.row, cell.column + cell.span)).copied();
        settle(&mut fates, number, RIGHT, beside, LEFT);
        settle(&mut fates, number, BOTTOM, below, TOP);
    }
    for side in [TOP, RIGHT, BOTTOM, LEFT] {
        let is_outer = |cell: &Placed| match side {
            TOP => cell.row == 0,
            RIGHT => cell.column + cell.span >= end,
            BOTTOM => cell.row + cell.rows >= bottom,
            _ => cell.column == 0,
        };
        settle_outer(
            &mut fates,
            placed,
            side,
            &table_sides,
            is_outer,
            &mut result.table,
        );
    }
    for (cell, fate) in placed.iter().zip(&fates) {
        write(cell.node, fate, &mut result);
    }
    result
}

/// Borders of rows stand between cells only where they collapse.
fn take_lines(measure: &Measure<'_>, placed: &[Placed], fates: &mut [Fate]) {
    for (cell, fate) in placed.iter().zip(fates) {
        let Some(line) = measure.document().get_node(cell.line) else {
            continue;
        };
        let widths = widths_of(line);
        for side in [TOP, BOTTOM] {
            let (Some(theirs), Some(ours)) = (widths.get(side), fate.widths.get_mut(side)) else {
                continue;
            };
            if *theirs > *ours
                && let Some(taken) = fate.taken.get_mut(side)
            {
                *ours = *theirs;
                *taken = describe(line, side, *theirs);
            }
        }
    }
}

/// Of two borders that meet, the wider stays; of two like ones, that of the cell above or before.
fn settle(fates: &mut [Fate], number: usize, side: usize, other: Option<usize>, other_side: usize) {
    let Some(other) = other.filter(|other| *other != number) else {
        return;
    };
    let width =
        |number: usize, side: usize| fates.get(number).and_then(|fate| fate.widths.get(side)).copied();
    let (Some(ours), Some(theirs)) = (width(number, side), width(other, other_side)) else {
        return;
    };
    if ours <= 0.0 || theirs <= 0.0 {
        return;
    }
    let (loser, lost_side) = if theirs > ours {
        (number, side)
    } else {
        (other, other_side)
    };
    if let Some(lost) = fates.get_mut(loser).and_then(|fate| fate.lost.get_mut(lost_side)) {
        *lost = true;
    }
}

fn settle_outer(
    fates: &mut [Fate],
    placed: &[Placed],
    side: usize,
    table_sides: &[f32; 4],
    is_outer: impl Fn(&Placed) -> bool,
    table: &mut String,
) {
    let own = table_sides.get(side).copied().unwrap_or(0.0);
    let widest = placed
        .iter()
        .zip(fates.iter())
        .filter(|(cell, _)| is_outer(cell))
        .filter_map(|(_, fate)| fate.widths.get(side).copied())
        .fold(0.0, f32::max);
    if own <= 0.0 || widest <= 0.0 {
        return;
    }
    if own > widest {
        for (_, fate) in placed
            .iter()
            .zip(fates.iter_mut())
            .filter(|(cell, _)| is_outer(cell))
        {
            if let Some(lost) = fate.lost.get_mut(side) {
                *lost = true;
            }
        }
    } else if let Some(name) = SIDES.get(side) {
        table.push_str(&format!(";border-{name}-width:0!important"));
    }
}

fn write(cell: NodeId, fate: &Fate, result: &mut Collapsed) {
    let mut style = String::new();
    for (side, name) in SIDES.iter().enumerate() {
        let lost = fate.lost.get(side).copied().unwrap_or(false);
        if lost {
            style.push_str(&format!("border-{name}-width:0!important;"));
            if side == LEFT || side == RIGHT {
                let width = fate.widths.get(side).copied().unwrap_or(0.0);
                *result.lost.entry(cell).or_default() += width;
            }
        } else if let Some(Some(taken)) = fate.taken.get(side) {
            style.push_str(&format!("border-{name}:{taken}!important;"));
        }
    }
    if !style.is_empty() {
        result.cells.push((cell, style));
    }
}

fn sides(measure: &Measure<'_>, id: NodeId) -> [f32; 4] {
    measure.document().get_node(id).map(widths_of).unwrap_or_default()
}

fn widths_of(node: &Node) -> [f32; 4] {
    let Some(styles) = node.primary_styles() else {
        return [0.0; 4];
    };
    let border = styles.get_border();
    [
        (border.border_top_width.0, border.border_top_style),
        (border.border_right_width.0, border.border_right_style),
        (border.border_bottom_width.0, border.border_bottom_style),
        (border.border_left_width.0, border.border_left_style),
    ]
    .map(|(width, style)| {
        if style.none_or_hidden() {
            0.0
        } else {
            width.to_f32_px()
        }
    })
}

fn describe(node: &Node, side: usize, width: f32) -> Option<String> {
    let styles = node.primary_styles()?;
    let (style, color) = match side {
        TOP => (LonghandId::BorderTopStyle, LonghandId::BorderTopColor),
        _ => (LonghandId::BorderBottomStyle, LonghandId::BorderBottomColor),
    };
    let text = |id| styles.computed_value_to_string(PropertyDeclarationId::Longhand(id));
    Some(format!("{width}px {} {}", text(style), text(color)))
}
