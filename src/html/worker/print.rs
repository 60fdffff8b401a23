//! A message as a PDF: who wrote it and when, then pictures of its page cut between lines, over them its text, unseen
//! but there to be marked and searched, and its links.

use std::collections::BTreeMap;

use super::heading;
use super::pdf::{Pdf, Piece, Words};
use crate::document::Document;
use crate::page::{Failure, Grain, Heading, Look, Page, PageId, PageTheme, Pixels, Point, Rect, Source};

/// A4 in points.
pub const PAPER: (f32, f32) = (595.28, 841.89);
pub const MARGIN: f32 = 40.0;
/// Points for one CSS pixel (CSS Values, section 6.2).
const POINTS: f32 = 0.75;
/// Longer messages are not printed.
const MAX_SHEETS: usize = 150;
/// Boxes of text whose words are laid over the pictures; asking for each costs time.
const MAX_WORDS: usize = 6_000;
/// Points of the first sheet, at most, that are not the message's own.
const MAX_HEADING: f32 = 380.0;
/// A sheet may end this early, as a part of it, so that no line is cut.
const EARLIEST: f32 = 0.55;
const EARLIEST_BLANK: f32 = 0.8;

/// # Errors
/// As [`Document::open`]; [`Failure::TooLarge`] for more sheets than are printed.
pub fn print(source: Source, heading: &Heading) -> Result<Vec<u8>, Failure> {
    let width = (PAPER.0 - 2.0 * MARGIN) / POINTS;
    let look = Look {
        width,
        scale: 2.0,
        theme: PageTheme::Light,
    };
    let mut document = Document::open(Source { look, ..source })?;
    let page = document.page(PageId(0));
    // What does not fit is made smaller.
    let points = POINTS * (width / page.width.max(width));
    let length = (PAPER.1 - 2.0 * MARGIN) / points;
    let sheets = page.height / length;
    if sheets > 150.0 {
        return Err(Failure::TooLarge);
    }
    let dots = dots_per_inch(sheets);
    let mut pdf = Pdf::new(&heading.title);
    let mut head = print_heading(heading, look, dots)?;
    // In the page's own pixels.
    let taken = head.as_ref().map_or(0.0, |head| head.height() / points);
    document.resize(Look {
        scale: dots / 72.0 * points,
        ..look
    })?;
    let lines = document
        .select(Point::default(), Point::default(), Grain::All)
        .rects;
    let mut words = read_words(&mut document, &lines);
    let mut top = 0.0;
    for number in 1.. {
        if number > MAX_SHEETS {
            return Err(Failure::TooLarge);
        }
        let room = if number == 1 { length - taken } else { length };
        let left = page.height - top;
        let area = Rect {
            x: 0.0,
            y: top,
            width: page.width,
            height: left.clamp(1.0, room),
        };
        let pixels = document.paint(area)?;
        let height = if left <= room {
            area.height
        } else {
            cut(&pixels, area, &lines)
        };
        let head = head.take();
        let piece = Piece {
            pixels: shorten(pixels, height / area.height),
            area: Rect { height, ..area },
            points,
            below: head.as_ref().map_or(0.0, Piece::height),
            words: words.split_off_above(top + height),
            links: links_within(&page, top, top + height),
        };
        pdf.add(&head.into_iter().chain([piece]).collect::<Vec<_>>())?;
        top += height;
        if top + 0.5 >= page.height {
            break;
        }
    }
    Ok(pdf.finish())
}

/// Who wrote it and when, for the top of the first sheet.
fn print_heading(heading: &Heading, look: Look, dots: f32) -> Result<Option<Piece>, Failure> {
    let scale = dots / 72.0 * POINTS;
    let Some(mut document) = heading::open(heading, Look { scale, ..look }) else {
        return Ok(None);
    };
    let page = document.page(PageId(0));
    let area = Rect {
        x: 0.0,
        y: 0.0,
        width: page.width,
        height: page.height.min(MAX_HEADING / POINTS),
    };
    let lines = document
        .select(Point::default(), Point::default(), Grain::All)
        .rects;
    let words = read_words(&mut document, &lines).split_off_above(area.height);
    Ok(Some(Piece {
        pixels: document.paint(area)?,
        area,
        // Names without a break may make it wider than the paper.
        points: POINTS * (look.width / page.width.max(look.width)),
        below: 0.0,
        words,
        links: Vec::new(),
    }))
}

/// Fine for what people print, coarser for what would take too long.
fn dots_per_inch(sheets: f32) -> f32 {
    match sheets {
        few if few <= 8.0 => 192.0,
        some if some <= 24.0 => 150.0,
        _ => 100.0,
    }
}

/// Where a sheet ends: between lines of text, and where nothing is drawn if there is such a place near.
fn cut(pixels: &Pixels, area: Rect, lines: &[Rect]) -> f32 {
    let is_between = |at: f32| {
        lines
            .iter()
            .all(|line| line.y >= at - 0.5 || line.y + line.height <= at + 0.5)
    };
    let rows = pixels.rgba.chunks_exact(pixels.width.max(1) as usize * 4);
    let count = rows.len().max(1);
    let mut between = None;
    for (row, dots) in rows.enumerate().rev() {
        #[expect(clippy::cast_precision_loss, reason = "rows of one sheet")]
        let part = (row as f32 + 1.0) / count as f32;
        if part < EARLIEST || (part < EARLIEST_BLANK && between.is_some()) {
            break;
        }
        let height = area.height * part;
        if !is_between(area.y + height) {
            continue;
        }
        if is_one_colour(dots) {
            return height;
        }
        between.get_or_insert(height);
    }
    between.unwrap_or(area.height)
}

fn is_one_colour(row: &[u8]) -> bool {
    row.first_chunk::<4>()
        .is_some_and(|first| row.chunks_exact(4).all(|dot| dot == first))
}

/// The upper part of a picture.
fn shorten(mut pixels: Pixels, part: f32) -> Pixels {
    #[expect(
        clippy::cast_possible_truncation,
        clippy::cast_sign_loss,
        clippy::cast_precision_loss,
        reason = "a part of a height"
    )]
    let height = ((pixels.height as f32 * part).round() as u32).clamp(1, pixels.height.max(1));
    pixels.rgba.truncate(pixels.width as usize * 4 * height as usize);
    pixels.height = height;
    pixels
}

fn links_within(page: &Page, top: f32, bottom: f32) -> Vec<(Rect, String)> {
    page.links
        .iter()
        .flat_map(|link| link.rects.iter().map(|rect| (*rect, link.url.clone())))
        .filter(|(rect, _)| rect.y < bottom && rect.y + rect.height > top)
        .collect()
}

/// What stands in each box of text, by the box's middle in tenths of a pixel.
struct Text(BTreeMap<i64, Vec<Words>>);

fn read_words(document: &mut Document, lines: &[Rect]) -> Text {
    let mut words: BTreeMap<i64, Vec<Words>> = BTreeMap::new();
    for line in lines.iter().take(MAX_WORDS) {
        let middle = line.y + line.height / 2.0;
        let end = |x| Point { x, y: middle };
        let selected = document.select(
            end(line.x + 0.01),
            end(line.x + line.width - 0.01),
            Grain::Character,
        );
        let text = selected.text.trim().replace(['\n', '\r'], " ");
        if !text.is_empty() {
            #[expect(clippy::cast_possible_truncation, reason = "a place on a page")]
            words
                .entry((middle * 10.0) as i64)
                .or_default()
                .push(Words { area: *line, text });
        }
    }
    Text(words)
}

impl Text {
    /// Takes what lies above a line.
    fn split_off_above(&mut self, bottom: f32) -> Vec<Words> {
        #[expect(clippy::cast_possible_truncation, reason = "a place on a page")]
        let below = self.0.split_off(&((bottom * 10.0) as i64));
        std::mem::replace(&mut self.0, below)
            .into_values()
            .flatten()
            .collect()
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn sheets_end_between_lines() {
        let line = |y, height| Rect {
            x: 0.0,
            y,
            width: 50.0,
            height,
        };
        // One dot a row: rows that are listed have two colours.
        let check = |lines: &[Rect], busy: std::ops::Range<usize>, expect: f32| {
            let rgba = (0..100)
                .flat_map(|row| {
                    if busy.contains(&row) {
                        [0, 0, 0, 255, 9, 9, 9, 255]
                    } else {
                        [7; 8]
                    }
                })
                .collect();
            let pixels = Pixels {
                width: 2,
                height: 100,
                rgba,
            };
            let area = Rect {
                x: 0.0,
                y: 1_000.0,
                width: 2.0,
                height: 100.0,
            };
            let at = cut(&pixels, area, lines);
            assert!((at - expect).abs() < 0.01, "{lines:?} {busy:?}: {at}");
        };
        check(&[], 0..0, 100.0);
        check(&[line(1_090.0, 20.0)], 0..0, 90.0);
        check(&[line(1_090.0, 20.0), line(1_070.0, 20.0)], 0..0, 90.0);
        check(&[], 85..100, 85.0);
        // A picture over most of the sheet is cut rather than left.
        check(&[], 0..100, 100.0);
        check(&[line(1_095.0, 20.0)], 0..100, 95.0);
        // A line as tall as the sheet.
        check(&[line(1_000.0, 300.0)], 0..0, 100.0);
    }
}
