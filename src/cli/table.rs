//! Columns that line up.

use unicode_width::{UnicodeWidthChar, UnicodeWidthStr};

use crate::clean;
use crate::failure::Failure;
use crate::output::Output;

/// How a column stands.
#[derive(Clone, Copy, Debug)]
pub enum Column {
    /// To the left, as wide as its widest cell.
    Left,
    /// To the right: figures.
    Right,
    /// To the left, cut at this many cells.
    UpTo(usize),
    /// To the left, cut at what the terminal leaves; at most one, and the last.
    Rest,
}

/// Prints rows below their headings; nothing at all where there are no rows.
///
/// # Errors
/// Where nobody reads it.
pub fn print(
    output: &mut Output,
    columns: &[(&str, Column)],
    rows: impl IntoIterator<Item = Vec<String>>,
) -> Result<(), Failure> {
    let rows: Vec<Vec<String>> = rows
        .into_iter()
        .map(|row| row.iter().map(|cell| clean::line(cell)).collect())
        .collect();
    if rows.is_empty() {
        return Ok(());
    }
    let headings: Vec<String> = columns.iter().map(|(name, _)| (*name).to_owned()).collect();
    let widths = measure(columns, std::iter::once(&headings).chain(&rows), output.width());
    for row in std::iter::once(&headings).chain(&rows) {
        let cells = row
            .iter()
            .zip(&widths)
            .zip(columns)
            .map(|((cell, width), (_, column))| {
                let cell = cut(cell, *width);
                let room = " ".repeat(width.saturating_sub(cell.width()));
                match column {
                    Column::Right => room + &cell,
                    _ => cell + &room,
                }
            });
        output.line(&cells.collect::<Vec<_>>().join("  "))?;
    }
    Ok(())
}

fn measure<'a>(
    columns: &[(&str, Column)],
    rows: impl Iterator<Item = &'a Vec<String>>,
    total: usize,
) -> Vec<usize> {
    let mut widths = vec![0; columns.len()];
    for row in rows {
        for ((widest, cell), (_, column)) in widths.iter_mut().zip(row).zip(columns) {
            let limit = match column {
                Column::UpTo(limit) => *limit,
                _ => usize::MAX,
            };
            *widest = (*widest).max(cell.width()).min(limit);
        }
    }
    let fixed: usize = widths
        .iter()
        .zip(columns)
        .filter(|(_, (_, column))| !matches!(column, Column::Rest))
        .map(|(width, _)| width + 2)
        .sum();
    for (width, (_, column)) in widths.iter_mut().zip(columns) {
        if matches!(column, Column::Rest) {
            *width = (*width).min(total.saturating_sub(fixed).max(20));
        }
    }
    widths
}

/// At most `width` terminal cells, with an ellipsis where something is missing.
#[must_use]
pub fn cut(text: &str, width: usize) -> String {
    if text.width() <= width {
        return text.to_owned();
    }
    let mut left = width.saturating_sub(1);
    let mut short: String = text
        .chars()
        .take_while(|c| {
            let cells = c.width().unwrap_or(0);
            let fits = cells <= left;
            left = left.saturating_sub(cells);
            fits
        })
        .collect();
    short.push('…');
    short
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn cuts_at_terminal_cells() {
        let check = |text: &str, width: usize, expect: &str| {
            assert_eq!(cut(text, width), expect);
            assert!(expect.width() <= width);
        };
        check("short", 10, "short");
        check("exactly", 7, "exactly");
        check("rather long", 7, "rather…");
        check("漢字漢字", 5, "漢字…");
        check("漢字漢字", 4, "漢…");
    }
}
