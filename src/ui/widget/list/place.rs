//! Where a list stands: the row at its top, and how far that row is scrolled out of view.

use super::Rows;

/// The place, with the keys that were in view: they anchor it when rows come and go.
#[derive(Clone, Debug, PartialEq)]
pub struct Place<K> {
    pub row: u64,
    /// From 0 up to a row's height.
    pub px: f32,
    /// The rows in view when the place was last settled, the topmost first.
    anchors: Vec<(u64, K)>,
}

impl<K> Default for Place<K> {
    fn default() -> Self {
        Self {
            row: 0,
            px: 0.0,
            anchors: Vec::new(),
        }
    }
}

/// Rows as pixels: exact enough, since only differences of a few screens are ever converted.
#[expect(
    clippy::cast_precision_loss,
    reason = "a share of the track and a few rows need no more than f32 gives"
)]
fn float(rows: u64) -> f32 {
    rows as f32
}

/// Pixels as whole rows.
#[expect(
    clippy::cast_possible_truncation,
    clippy::cast_sign_loss,
    reason = "the cast saturates, and the value is floored and not negative"
)]
fn whole(rows: f64) -> u64 {
    rows.max(0.0).floor() as u64
}

impl<K: Copy + PartialEq> Place<K> {
    /// At the very top, new rows show themselves; below it, the first row in view that still exists stays put.
    pub fn keep<R: Rows<Key = K>>(&mut self, rows: &R) {
        if self.row == 0 && self.px == 0.0 {
            return;
        }
        for (was, key) in &self.anchors {
            if let Some(now) = rows.find(*key) {
                let below_top = was.saturating_sub(self.row);
                self.row = now.saturating_sub(below_top);
                return;
            }
        }
    }

    /// Notes the keys in view.
    pub fn remember<R: Rows<Key = K>>(&mut self, rows: &R, row_height: f32, height: f32) {
        let (first, last) = self.in_view(rows.total(), row_height, height);
        self.anchors = (first..last)
            .filter_map(|row| Some((row, rows.key(row)?)))
            .collect();
    }

    /// The rows in view; the last is exclusive.
    #[must_use]
    pub fn in_view(&self, total: u64, row_height: f32, height: f32) -> (u64, u64) {
        let shown = whole(f64::from((self.px + height) / row_height)) + 1;
        (self.row.min(total), self.row.saturating_add(shown).min(total))
    }

    /// The row at a distance from the list's top edge, and where that row's own top is.
    #[must_use]
    pub fn row_at(&self, y: f32, row_height: f32) -> (u64, f32) {
        let down = whole(f64::from((y + self.px) / row_height));
        (self.row.saturating_add(down), float(down) * row_height - self.px)
    }

    pub fn scroll(&mut self, pixels: f32, row_height: f32) {
        let offset = self.px + pixels;
        let rows = (offset / row_height).floor();
        if rows < 0.0 {
            let up = whole(f64::from(-rows));
            if up > self.row {
                (self.row, self.px) = (0, 0.0);
                return;
            }
            self.row -= up;
        } else {
            self.row = self.row.saturating_add(whole(f64::from(rows)));
        }
        self.px = offset - rows * row_height;
    }

    /// Never beyond the end, and the end never above the list's bottom.
    pub fn clamp(&mut self, total: u64, row_height: f32, height: f32) {
        let (row, px) = Self::end(total, row_height, height);
        if self.row > row || self.row == row && self.px > px {
            (self.row, self.px) = (row, px);
        }
    }

    /// The place at which the last row stands at the bottom.
    fn end(total: u64, row_height: f32, height: f32) -> (u64, f32) {
        let fits = whole(f64::from((height / row_height).ceil())).max(1);
        if total < fits {
            return (0, 0.0);
        }
        let over = float(fits) * row_height - height;
        (total - fits, over)
    }

    /// Scrolls just so far that the whole row is in view.
    pub fn reveal(&mut self, row: u64, row_height: f32, height: f32) {
        if row < self.row || row == self.row && self.px > 0.0 {
            (self.row, self.px) = (row, 0.0);
            return;
        }
        let below = row - self.row;
        let fits = whole(f64::from(height / row_height));
        if below > fits || float(below + 1) * row_height - self.px > height {
            let up = whole(f64::from((height / row_height).ceil())).max(1);
            self.row = (row + 1).saturating_sub(up);
            self.px = if row + 1 < up {
                0.0
            } else {
                float(up) * row_height - height
            };
        }
    }

    /// To a share (0 to 1) of the way from the first row to the end.
    pub fn jump(&mut self, share: f32, total: u64, row_height: f32, height: f32) {
        let (last, over) = Self::end(total, row_height, height);
        #[expect(
            clippy::cast_precision_loss,
            reason = "f64 holds every row number that a mailbox can have"
        )]
        let end = last as f64 + f64::from(over / row_height);
        let at = f64::from(share.clamp(0.0, 1.0)) * end;
        self.row = whole(at);
        #[expect(clippy::cast_possible_truncation, reason = "a fraction of one row")]
        let part = at.fract() as f32;
        self.px = part * row_height;
    }

    /// Where the scroll bar's thumb starts and how long it is; `None` where everything is in view.
    #[must_use]
    pub fn thumb(&self, total: u64, row_height: f32, height: f32, smallest: f32) -> Option<(f32, f32)> {
        let (last, over) = Self::end(total, row_height, height);
        let end = float(last) + over / row_height;
        if end <= 0.0 || height <= smallest {
            return None;
        }
        let length = (height * height / (float(total) * row_height)).clamp(smallest, height);
        let share = ((float(self.row) + self.px / row_height) / end).clamp(0.0, 1.0);
        Some((share * (height - length), length))
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use iced::{Rectangle, Renderer, Theme};

    const HEIGHT: f32 = 700.0;
    const ROW: f32 = 70.0;

    /// Rows keyed by a number, of which a window is loaded.
    struct Fake {
        keys: Vec<u64>,
        first: u64,
        total: u64,
    }

    impl Rows for Fake {
        type Key = u64;

        fn total(&self) -> u64 {
            self.total
        }

        fn key(&self, row: u64) -> Option<u64> {
            let at = usize::try_from(row.checked_sub(self.first)?).ok()?;
            self.keys.get(at).copied()
        }

        fn find(&self, key: u64) -> Option<u64> {
            let at = self.keys.iter().position(|other| *other == key)?;
            Some(self.first + at as u64)
        }

        fn draw(&self, _: u64, _: bool, _: Rectangle, _: &mut Renderer, _: &Theme) {}

        fn read(&self, _: u64, _: Rectangle, _: &mut dyn FnMut(Rectangle, &str)) {}
    }

    fn fake(keys: impl IntoIterator<Item = u64>) -> Fake {
        let keys: Vec<_> = keys.into_iter().collect();
        Fake {
            total: keys.len() as u64,
            keys,
            first: 0,
        }
    }

    fn settled(rows: &Fake, scrolled: f32) -> Place<u64> {
        let mut place = Place::default();
        place.scroll(scrolled, ROW);
        place.remember(rows, ROW, HEIGHT);
        place
    }

    #[test]
    fn new_mail_leaves_the_reader_where_they_were() {
        let before = fake(100..200);
        let mut place = settled(&before, 10.0 * ROW + 12.0);
        let after = fake((97..100).chain(100..200));
        place.keep(&after);
        assert_eq!((place.row, place.px), (13, 12.0));
        assert_eq!(after.key(place.row), before.key(10));
    }

    #[test]
    fn new_mail_shows_at_the_very_top() {
        let mut place = settled(&fake(100..200), 0.0);
        place.keep(&fake(97..200));
        assert_eq!((place.row, place.px), (0, 0.0));
    }

    #[test]
    fn the_next_row_anchors_when_the_top_one_is_deleted() {
        let before = fake(0..50);
        let mut place = settled(&before, 20.0 * ROW);
        let after = fake((0..50).filter(|key| *key != 20 && *key != 3));
        place.keep(&after);
        // Row 21 was one below the top, and still is: the list closes up from below.
        assert_eq!(after.find(21), Some(19));
        assert_eq!(place.row, 18);
    }

    #[test]
    fn offsets_stay_fine_a_million_rows_down() {
        let total = 1_000_000;
        let mut place: Place<u64> = Place {
            row: 900_000,
            px: 3.25,
            anchors: Vec::new(),
        };
        for _ in 0..1000 {
            place.scroll(0.25, ROW);
        }
        place.clamp(total, ROW, HEIGHT);
        assert_eq!((place.row, place.px), (900_003, 43.25));
    }

    #[test]
    fn scrolling_stops_at_both_ends() {
        let mut place: Place<u64> = Place::default();
        place.scroll(-500.0, ROW);
        assert_eq!((place.row, place.px), (0, 0.0));
        place.scroll(1e9, ROW);
        place.clamp(25, ROW, 715.0);
        assert_eq!((place.row, place.px), (14, 55.0));
        let mut short: Place<u64> = Place::default();
        short.scroll(300.0, ROW);
        short.clamp(3, ROW, HEIGHT);
        assert_eq!((short.row, short.px), (0, 0.0));
    }

    #[test]
    fn revealing_moves_no_more_than_needed() {
        let check = |from: (u64, f32), row: u64, expect: (u64, f32)| {
            let mut place: Place<u64> = Place {
                row: from.0,
                px: from.1,
                anchors: Vec::new(),
            };
            place.reveal(row, ROW, 715.0);
            assert_eq!((place.row, place.px), expect, "from {from:?} to {row}");
        };
        check((5, 0.0), 7, (5, 0.0));
        check((5, 10.0), 5, (5, 0.0));
        check((5, 0.0), 2, (2, 0.0));
        check((5, 0.0), 15, (5, 55.0));
        check((5, 0.0), 500_000, (499_990, 55.0));
    }

    #[test]
    fn the_bar_goes_from_end_to_end() {
        let total = 1_000_000;
        let mut place: Place<u64> = Place::default();
        for share in [0.0, 0.25, 0.5, 1.0] {
            place.jump(share, total, ROW, HEIGHT);
            let (start, length) = place.thumb(total, ROW, HEIGHT, 28.0).unwrap();
            assert!((start / (HEIGHT - length) - share).abs() < 0.001);
        }
        assert_eq!(place.in_view(total, ROW, HEIGHT).1, total);
        assert_eq!(place.thumb(5, ROW, HEIGHT, 28.0), None);
    }
}
