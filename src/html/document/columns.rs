//! How wide a table's columns are: CSS's automatic algorithm (CSS Tables 3, sections 3.8 and 3.9), which the engine
//! has not. Pure: cells' widths in, columns' widths out.

/// A cell as the columns see it. Widths are of the border box.
#[derive(Clone, Copy, Debug)]
pub(super) struct Cell {
    pub(super) column: usize,
    pub(super) span: usize,
    pub(super) least: f32,
    pub(super) most: f32,
    /// A width in pixels that the cell asks for.
    pub(super) asked: Option<f32>,
    /// A share of the table that the cell asks for.
    pub(super) share: Option<f32>,
}

#[derive(Clone, Copy, Debug, Default, PartialEq)]
pub(super) struct Column {
    pub(super) least: f32,
    pub(super) most: f32,
    pub(super) share: Option<f32>,
    pub(super) is_fixed: bool,
    /// No cell begins and ends in it.
    pub(super) is_empty: bool,
}

/// The columns' needs. `asked` are widths of `<col>` elements, `gap` lies between two columns.
pub(super) fn gather(count: usize, asked: &[(usize, Asked)], cells: &[Cell], gap: f32) -> Vec<Column> {
    let mut columns = vec![
        Column {
            is_empty: true,
            ..Column::default()
        };
        count
    ];
    for (at, asked) in asked {
        if let Some(column) = columns.get_mut(*at) {
            match asked {
                Asked::Pixels(width) => {
                    column.most = *width;
                    column.least = *width;
                    column.is_fixed = true;
                }
                Asked::Share(share) => column.share = Some(*share),
            }
        }
    }
    for cell in cells.iter().filter(|cell| cell.span == 1) {
        if let Some(column) = columns.get_mut(cell.column) {
            add_cell(column, cell);
        }
    }
    bound_shares(&mut columns);
    let mut spanning: Vec<&Cell> = cells.iter().filter(|cell| cell.span > 1).collect();
    spanning.sort_by_key(|cell| cell.span);
    for cell in spanning {
        let end = (cell.column + cell.span).min(count);
        if let Some(spanned) = columns.get_mut(cell.column..end) {
            add_spanning(spanned, cell, gap);
        }
    }
    bound_shares(&mut columns);
    columns
}

/// What a `<col>` asks for.
#[derive(Clone, Copy, Debug)]
pub(super) enum Asked {
    Pixels(f32),
    Share(f32),
}

fn add_cell(column: &mut Column, cell: &Cell) {
    let most = match cell.asked {
        Some(asked) => asked.max(cell.least),
        None => cell.most.max(cell.least),
    };
    column.least = column.least.max(cell.least);
    column.most = if column.is_fixed && cell.asked.is_none() {
        column.most.max(cell.least)
    } else if cell.asked.is_some() && !column.is_fixed && !column.is_empty {
        // One cell that asks for a width fixes its column; the others only keep it from being too narrow.
        most.max(column.least)
    } else {
        column.most.max(most)
    };
    column.is_fixed |= cell.asked.is_some();
    column.is_empty = false;
    if let Some(share) = cell.share {
        column.share = Some(column.share.unwrap_or(0.0).max(share));
    }
}

/// Together, shares are at most the whole.
fn bound_shares(columns: &mut [Column]) {
    let mut left = 1.0_f32;
    for column in columns {
        if let Some(share) = column.share.as_mut() {
            *share = share.clamp(0.0, left);
            left -= *share;
        }
    }
}

fn add_spanning(columns: &mut [Column], cell: &Cell, gap: f32) {
    let gaps = gap * columns.len().saturating_sub(1) as f32;
    let least = (cell.least - gaps).max(0.0);
    let most = (cell.asked.unwrap_or(cell.most).max(cell.least) - gaps).max(0.0);
    if let Some(share) = cell.share {
        let taken: f32 = columns.iter().filter_map(|column| column.share).sum();
        let rest = (share - taken).max(0.0);
        let open: Vec<usize> = (0..columns.len())
            .filter(|at| columns.get(*at).is_some_and(|column| column.share.is_none()))
            .collect();
        let sum: f32 = open
            .iter()
            .filter_map(|at| columns.get(*at))
            .map(|column| column.most)
            .sum();
        for at in &open {
            if let Some(column) = columns.get_mut(*at) {
                let part = if sum > 0.0 {
                    column.most / sum
                } else {
                    1.0 / open.len() as f32
                };
                column.share = Some(rest * part);
            }
        }
    }
    let leasts = distribute(columns, least);
    for (column, width) in columns.iter_mut().zip(leasts) {
        column.least = column.least.max(width);
        column.most = column.most.max(column.least);
    }
    let mosts = distribute(columns, most);
    let fixes = cell.asked.is_some() && columns.iter().all(|column| column.is_empty);
    for (column, width) in columns.iter_mut().zip(mosts) {
        column.most = column.most.max(width);
        column.is_fixed |= fixes;
    }
}

/// The columns' widths together, at least and at most, without gaps.
pub(super) fn extent(columns: &[Column]) -> (f32, f32) {
    let least: f32 = columns.iter().map(|column| column.least).sum();
    let mut most: f32 = columns.iter().map(|column| column.most.max(column.least)).sum();
    let shares: f32 = columns.iter().filter_map(|column| column.share).sum();
    let others: f32 = columns
        .iter()
        .filter(|column| column.share.is_none())
        .map(|column| column.most)
        .sum();
    for column in columns {
        if let Some(share) = column.share.filter(|share| *share > 0.0) {
            most = most.max(column.most / share);
        }
    }
    if shares > 0.0 && others > 0.0 {
        most = most.max(if shares < 0.999 {
            others / (1.0 - shares)
        } else {
            1.0e5
        });
    }
    (least, most.max(least))
}

/// Widths that fill `target`, gaps taken off (CSS Tables 3, section 3.9.3.1).
pub(super) fn distribute(columns: &[Column], target: f32) -> Vec<f32> {
    let least = |column: &Column| column.least;
    let by_share = |column: &Column| match column.share {
        Some(share) => (share * target).max(column.least),
        None => column.least,
    };
    let asked = |column: &Column| match column.share {
        Some(share) => (share * target).max(column.least),
        None if column.is_fixed => column.most.max(column.least),
        None => column.least,
    };
    let most = |column: &Column| match column.share {
        Some(share) => (share * target).max(column.least),
        None => column.most.max(column.least),
    };
    let guesses: [Vec<f32>; 4] = [
        columns.iter().map(least).collect(),
        columns.iter().map(by_share).collect(),
        columns.iter().map(asked).collect(),
        columns.iter().map(most).collect(),
    ];
    let mut below: Option<&Vec<f32>> = None;
    for guess in &guesses {
        let sum: f32 = guess.iter().sum();
        if sum >= target {
            return match below {
                Some(below) => between(below, guess, target),
                None => guess.clone(),
            };
        }
        below = Some(guess);
    }
    grow(columns, below.cloned().unwrap_or_default(), target)
}

/// Two rows of widths mixed so that they sum up to `target`.
fn between(below: &[f32], above: &[f32], target: f32) -> Vec<f32> {
    let (low, high): (f32, f32) = (below.iter().sum(), above.iter().sum());
    let part = if high > low {
        (target - low) / (high - low)
    } else {
        1.0
    };
    below
        .iter()
        .zip(above)
        .map(|(below, above)| below + (above - below) * part)
        .collect()
}

/// Gives what is left to the columns that may take it.
fn grow(columns: &[Column], mut widths: Vec<f32>, target: f32) -> Vec<f32> {
    let left = target - widths.iter().sum::<f32>();
    if left <= 0.0 {
        return widths;
    }
    type Weight = fn(&Column) -> f32;
    let one: Weight = |column| if column.is_empty { 0.0 } else { 1.0 };
    let choices: [Weight; 5] = [
        |column| {
            if column.share.is_none() && !column.is_fixed {
                column.most
            } else {
                0.0
            }
        },
        |column| {
            let takes = column.share.is_none() && !column.is_fixed && !column.is_empty;
            if takes { 1.0 } else { 0.0 }
        },
        |column| {
            if column.share.is_none() && column.is_fixed {
                column.most
            } else {
                0.0
            }
        },
        |column| column.share.unwrap_or(0.0),
        one,
    ];
    for weight in choices {
        let sum: f32 = columns.iter().map(weight).sum();
        if sum > 0.0 {
            for (width, column) in widths.iter_mut().zip(columns) {
                *width += left * weight(column) / sum;
            }
            return widths;
        }
    }
    let part = left / widths.len().max(1) as f32;
    widths.iter_mut().for_each(|width| *width += part);
    widths
}

#[cfg(test)]
mod tests {
    use super::*;

    fn cell(column: usize, least: f32, most: f32) -> Cell {
        Cell {
            column,
            span: 1,
            least,
            most,
            asked: None,
            share: None,
        }
    }

    fn widths(count: usize, cells: &[Cell], target: f32) -> Vec<i32> {
        let columns = gather(count, &[], cells, 0.0);
        #[expect(clippy::cast_possible_truncation, reason = "small numbers")]
        distribute(&columns, target)
            .into_iter()
            .map(|width| width.round() as i32)
            .collect()
    }

    #[test]
    fn columns_share_as_css_says() {
        let asked = |width| Cell {
            asked: Some(width),
            ..cell(0, 10.0, 50.0)
        };
        let share = |column, share| Cell {
            share: Some(share),
            ..cell(column, 10.0, 50.0)
        };
        for (cells, target, expect) in [
            // In proportion to what they would like.
            (
                vec![cell(0, 10.0, 100.0), cell(1, 10.0, 300.0)],
                800.0,
                vec![200, 600],
            ),
            // Between least and most.
            (
                vec![cell(0, 50.0, 100.0), cell(1, 50.0, 300.0)],
                250.0,
                vec![75, 175],
            ),
            // A fixed column stays; the rest goes to the others.
            (vec![asked(120.0), cell(1, 10.0, 50.0)], 600.0, vec![120, 480]),
            (vec![share(0, 0.25), cell(1, 10.0, 50.0)], 400.0, vec![100, 300]),
            (vec![share(0, 0.5), share(1, 0.5)], 640.0, vec![320, 320]),
            // Too narrow for its words: never below the least.
            (vec![cell(0, 300.0, 400.0), share(1, 0.9)], 400.0, vec![300, 100]),
            (
                vec![
                    asked(120.0),
                    Cell {
                        column: 1,
                        ..asked(60.0)
                    },
                ],
                360.0,
                vec![240, 120],
            ),
        ] {
            assert_eq!(widths(2, &cells, target), expect, "{cells:?}");
        }
    }

    #[test]
    fn a_spanning_cell_widens_its_columns() {
        let wide = Cell {
            span: 2,
            ..cell(0, 400.0, 600.0)
        };
        let columns = gather(2, &[], &[cell(0, 10.0, 100.0), cell(1, 10.0, 100.0), wide], 0.0);
        assert_eq!(extent(&columns), (400.0, 600.0));
    }

    #[test]
    fn shares_widen_the_table() {
        let columns = gather(
            2,
            &[],
            &[
                Cell {
                    share: Some(0.25),
                    ..cell(0, 10.0, 100.0)
                },
                cell(1, 10.0, 60.0),
            ],
            0.0,
        );
        assert_eq!(extent(&columns), (20.0, 400.0));
    }
}
