//! Every table given the width and the columns that CSS would give it, before the engine lays it out.
//!
//! The engine sizes columns as a grid does. So the contents of cells are measured here, from the texts that it shaped
//! and the styles that it computed; `columns` says what follows; and each table is told to lay itself out with fixed
//! columns of those widths. Outer tables come first: a table's room is what the cell around it got.

use std::collections::HashMap;

use blitz_dom::{BaseDocument, LocalName, NodeId};

use super::borders::{Collapsed, Placed, collapse};
use super::boxes::{BoxStyle, Kind, kind_of};
use super::columns::{Asked, Cell, Column, distribute, extent, gather};
use super::measure::Measure;
use super::repair::{append_style, attribute, name};

/// Columns of one table; the sanitiser lets no cell span more.
pub(super) const MOST_COLUMNS: usize = 100;

/// A table's grid, as far as widths need it.
#[derive(Clone, Debug, Default)]
pub(super) struct Grid {
    pub(super) columns: Vec<Column>,
    cells: Vec<(NodeId, usize, usize)>,
    collapsed: Option<Collapsed>,
    /// Between two columns, and outside the first and last.
    gap: f32,
    /// Padding, border and the outermost gaps.
    inset: f32,
    own_columns: Vec<NodeId>,
}

impl Grid {
    fn gaps(&self) -> f32 {
        self.gap * self.columns.len().saturating_sub(1) as f32
    }

    /// The table's border box, at least and at most.
    pub(super) fn extent(&self) -> (f32, f32) {
        let (least, most) = extent(&self.columns);
        let rest = self.inset + self.gaps();
        (least + rest, most + rest)
    }
}

/// What is to be written into the document.
struct Plan {
    table: NodeId,
    width: f32,
    columns: Vec<f32>,
    own_columns: Vec<NodeId>,
    collapsed: Option<Collapsed>,
}

/// Measures all tables and writes their columns' widths into the document. Styles must be resolved and texts shaped.
pub(super) fn size_tables(document: &mut BaseDocument, width: f32, scale: f32) {
    let Some(root) = document.try_root_element().map(|root| root.id) else {
        return;
    };
    let mut measure = Measure::new(document, scale);
    let mut plans = Vec::new();
    let mut placer = Placer {
        measure: &mut measure,
        plans: &mut plans,
    };
    placer.place(root, width);
    for plan in plans {
        write(document, &plan);
    }
}

fn write(document: &mut BaseDocument, plan: &Plan) {
    let collapsed = plan.collapsed.as_ref();
    let borders = collapsed
        .map(|collapsed| collapsed.table.as_str())
        .unwrap_or_default();
    for (cell, style) in collapsed.iter().flat_map(|collapsed| &collapsed.cells) {
        append_style(document, *cell, style);
    }
    append_style(
        document,
        plan.table,
        &format!(
            "width:{:.3}px!important;min-width:0!important;max-width:none!important;\
             box-sizing:border-box!important;table-layout:fixed!important;{borders}",
            plan.width
        ),
    );
    for column in &plan.own_columns {
        append_style(document, *column, "display:none!important");
    }
    let first = document
        .get_node(plan.table)
        .and_then(|node| node.children.first().copied());
    let mut mutator = document.mutate();
    let columns: Vec<NodeId> = plan
        .columns
        .iter()
        .map(|width| {
            // A column of no width would count as one without a wish.
            let style = format!(
                "display:table-column!important;width:{:.3}px!important",
                width.max(0.01)
            );
            mutator.create_element(name("col"), vec![attribute("style", &style)])
        })
        .collect();
    match first {
        Some(first) => mutator.insert_nodes_before(first, &columns),
        None => mutator.append_children(plan.table, &columns),
    }
}

struct Placer<'a, 'b> {
    measure: &'a mut Measure<'b>,
    plans: &'a mut Vec<Plan>,
}

impl Placer<'_, '_> {
    /// Decides the widths of all tables within a box whose containing block is `room` wide.
    fn place(&mut self, id: NodeId, room: f32) {
        let Some(style) = self.measure.style(id) else {
            return;
        };
        if style.kind == Kind::None || style.is_out_of_flow {
            return;
        }
        match style.kind {
            Kind::Table => self.place_table(id, &style, room),
            // What flexible boxes get is the engine's to say.
            Kind::FlexRow | Kind::FlexColumn | Kind::Grid => {}
            Kind::Contents | Kind::Inline => self.place_children(id, room),
            _ => {
                let width = self.used_width(id, &style, room);
                let inner = (width - style.inset(room)).max(0.0);
                self.place_children(id, inner);
            }
        }
    }

    fn place_children(&mut self, id: NodeId, room: f32) {
        for child in self.measure.children(id) {
            self.place(child, room);
        }
    }

    /// The border box of a box that is no table.
    fn used_width(&mut self, id: NodeId, style: &BoxStyle, room: f32) -> f32 {
        let most = style.resolved(style.most.as_ref(), room).unwrap_or(f32::INFINITY);
        let least = style.resolved(style.least.as_ref(), room).unwrap_or(0.0);
        let available = (room - style.outset(room)).max(0.0);
        let shrinks = style.is_float || style.kind == Kind::InlineBlock;
        let width = match style.resolved(style.width.as_ref(), room) {
            Some(width) => width,
            None if shrinks => {
                let (low, high) = self.measure.border_box(id);
                available.clamp(low, high.max(low))
            }
            None => available,
        };
        width.min(most).max(least)
    }

    fn place_table(&mut self, id: NodeId, style: &BoxStyle, room: f32) {
        let grid = self.measure.grid(id);
        let (least, most) = grid.extent();
        let available = (room - style.outset(room)).max(0.0);
        let width = match style.width.as_ref() {
            // A table's width is of its border box whatever box-sizing says, except where an author said otherwise.
            Some(_) => style.resolved(style.width.as_ref(), room).unwrap_or(available),
            None => available.clamp(least, most.max(least)),
        };
        let cap = style.resolved(style.most.as_ref(), room).unwrap_or(f32::INFINITY);
        let floor = style.resolved(style.least.as_ref(), room).unwrap_or(0.0);
        let width = width.min(cap).max(floor).max(least);
        let columns = distribute(&grid.columns, (width - grid.inset - grid.gaps()).max(0.0));
        for (cell, column, span) in &grid.cells {
            let Some(style) = self.measure.style(*cell) else {
                continue;
            };
            let end = (column + span).min(columns.len());
            let spanned = columns.get(*column..end).unwrap_or_default();
            let mut inner = spanned.iter().sum::<f32>() + grid.gap * spanned.len().saturating_sub(1) as f32;
            inner -= style.inset(0.0);
            if let Some(collapsed) = &grid.collapsed {
                inner += collapsed.lost.get(cell).copied().unwrap_or(0.0);
            }
            self.place_children(*cell, inner.max(0.0));
        }
        if !columns.is_empty() {
            self.plans.push(Plan {
                table: id,
                width,
                columns,
                own_columns: grid.own_columns,
                collapsed: grid.collapsed,
            });
        }
    }
}

/// Finds a table's cells and what its columns need of them.
pub(super) fn build_grid(measure: &mut Measure<'_>, table: NodeId) -> Grid {
    let mut grid = Grid::default();
    let Some(style) = measure.style(table) else {
        return grid;
    };
    let (spacing, is_collapsed, is_fixed) = measure.table_style(table);
    let mut walk = Walk::default();
    walk.visit(measure, table);
    grid.collapsed = is_collapsed.then(|| collapse(measure, table, &walk.cells));
    let mut cells = Vec::new();
    for placed in walk.cells.iter().filter(|placed| !is_fixed || placed.row == 0) {
        let lost = grid
            .collapsed
            .as_ref()
            .and_then(|collapsed| collapsed.lost.get(&placed.node));
        if let Some(style) = measure.style(placed.node) {
            cells.push(measure_cell(
                measure,
                placed,
                &style,
                lost.copied().unwrap_or(0.0),
                is_fixed,
            ));
        }
    }
    grid.gap = if is_collapsed { 0.0 } else { spacing };
    grid.inset = if is_collapsed {
        style.border
    } else {
        style.inset(0.0) + 2.0 * spacing
    };
    let count = walk.count.max(walk.asked.len()).min(MOST_COLUMNS);
    let mut asked = Vec::new();
    for (at, column) in walk.asked.iter().enumerate() {
        match measure.style(*column) {
            Some(style) if style.share().is_some() => {
                asked.extend(style.share().map(|share| (at, Asked::Share(share))))
            }
            Some(style) => {
                let pixels = style.fixed(style.width.as_ref()).filter(|width| *width > 0.0);
                asked.extend(pixels.map(|width| (at, Asked::Pixels(width))));
            }
            None => {}
        }
    }
    // Cells that ask for more columns than there are have those that there are.
    for cell in &mut cells {
        cell.span = cell.span.min(count.saturating_sub(cell.column)).max(1);
    }
    grid.columns = gather(count, &asked, &cells, grid.gap);
    grid.cells = walk
        .cells
        .iter()
        .map(|placed| (placed.node, placed.column, placed.span))
        .collect();
    grid.own_columns = walk.own_columns;
    grid
}

/// `lost` is the width of borders that are not drawn since they met wider ones.
fn measure_cell(
    measure: &mut Measure<'_>,
    placed: &Placed,
    style: &BoxStyle,
    lost: f32,
    is_fixed: bool,
) -> Cell {
    let (mut least, mut most) = measure.border_box(placed.node);
    least -= lost;
    most -= lost;
    let asked = style
        .fixed(style.width.as_ref())
        .filter(|width| *width > style.inset(0.0) || is_fixed);
    let asked = asked.map(|width| if style.counts_border { width } else { width - lost });
    if is_fixed {
        least = 0.0;
        most = 0.0;
    }
    Cell {
        column: placed.column,
        span: placed.span,
        least,
        most: most.max(least),
        asked,
        share: style.share().filter(|share| *share > 0.0),
    }
}

/// Goes through a table's rows and gives each cell its column.
#[derive(Default)]
struct Walk {
    cells: Vec<Placed>,
    /// One for each column that a `<col>` describes.
    asked: Vec<NodeId>,
    own_columns: Vec<NodeId>,
    count: usize,
    rows: usize,
    /// For each column, rows that a cell from above still fills.
    filled: HashMap<usize, usize>,
}

impl Walk {
    fn visit(&mut self, measure: &Measure<'_>, id: NodeId) {
        for child in measure.document_children(id) {
            let Some(node) = measure.document().get_node(child) else {
                continue;
            };
            match kind_of(node) {
                Some(Kind::Rows | Kind::Contents) => self.visit(measure, child),
                Some(Kind::Row) => self.visit_row(measure, child),
                Some(Kind::Columns) => {
                    if measure.is_named(id, "table") || self.own_columns.is_empty() {
                        self.own_columns.push(child);
                    }
                    self.visit_columns(measure, child);
                }
                _ => {}
            }
        }
    }

    fn visit_columns(&mut self, measure: &Measure<'_>, id: NodeId) {
        let inner: Vec<NodeId> = measure
            .document_children(id)
            .into_iter()
            .filter(|child| measure.document().get_node(*child).and_then(kind_of) == Some(Kind::Columns))
            .collect();
        if inner.is_empty() {
            for _ in 0..measure.count(id, "span") {
                self.asked.push(id);
            }
        }
        for child in inner {
            self.visit_columns(measure, child);
        }
    }

    fn visit_row(&mut self, measure: &Measure<'_>, id: NodeId) {
        self.filled
            .values_mut()
            .for_each(|rows| *rows = rows.saturating_sub(1));
        let mut column = 0;
        for child in measure.document_children(id) {
            if measure.document().get_node(child).and_then(kind_of) != Some(Kind::Cell) {
                continue;
            }
            while self.filled.get(&column).is_some_and(|rows| *rows > 0) {
                column += 1;
            }
            let span = measure.count(child, "colspan");
            let rows = measure.count(child, "rowspan");
            self.cells.push(Placed {
                node: child,
                line: id,
                row: self.rows,
                column,
                span,
                rows,
            });
            for at in column..column + span {
                self.filled.insert(at, rows);
            }
            self.count = self.count.max(column + span);
            column += span;
        }
        self.rows += 1;
    }
}

/// An attribute that counts columns or rows.
pub(super) fn count_of(node: &blitz_dom::Node, attribute: &str) -> usize {
    node.attr(LocalName::from(attribute))
        .and_then(|value| value.parse().ok())
        .unwrap_or(1)
        .clamp(1, MOST_COLUMNS)
}
