//! A list's data: the rows that are loaded, what is selected, and what to load next. Pure.

use std::collections::BTreeSet;

use posthorn_engine::catalog::{Page, Row};
use posthorn_model::query::{Cursor, PageStart, View};
use posthorn_model::{Flag, FlagChange};

/// Rows fetched at once.
const PAGE: u32 = 150;
/// Rows kept; the far end is dropped beyond it.
const KEEP: usize = 600;
/// Rows fetched above the first one in view.
const LEAD: u64 = 40;

/// What is listed.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum Subject {
    View(View),
    Search(String),
}

/// A page to fetch.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Fetch {
    /// The listing's serial number: an answer for an older one is dropped.
    pub serial: u64,
    pub subject: Subject,
    pub start: PageStart,
    pub limit: u32,
}

/// The state of one list.
#[derive(Clone, Debug)]
pub struct Listing {
    pub subject: Subject,
    /// Grows with every new subject.
    pub serial: u64,
    pub total: u64,
    first: u64,
    rows: Vec<Row>,
    next: Option<Cursor>,
    /// Something has arrived, perhaps an empty page.
    pub loaded: bool,
    pending: Option<Fetch>,
    /// What is in view and not loaded.
    needed: Option<(u64, u64)>,
    stale: bool,
    pub selected: BTreeSet<Cursor>,
    /// Where the keyboard is.
    pub cursor: Option<Cursor>,
    /// The other end of a selection by Shift.
    anchor: Option<Cursor>,
    /// Grows whenever the cursor is to be brought into view.
    pub reveal: u64,
}

/// The row's place, as a key.
#[must_use]
pub const fn key(row: &Row) -> Cursor {
    Cursor {
        message: row.message,
        mailbox: row.mailbox,
    }
}

impl Listing {
    #[must_use]
    pub const fn new(subject: Subject, serial: u64) -> Self {
        Self {
            subject,
            serial,
            total: 0,
            first: 0,
            rows: Vec::new(),
            next: None,
            loaded: false,
            pending: None,
            needed: None,
            stale: false,
            selected: BTreeSet::new(),
            cursor: None,
            anchor: None,
            reveal: 0,
        }
    }

    /// The first page.
    pub fn start(&mut self) -> Option<Fetch> {
        self.stale = true;
        self.next_fetch()
    }

    #[must_use]
    pub fn row(&self, number: u64) -> Option<&Row> {
        self.rows
            .get(usize::try_from(number.checked_sub(self.first)?).ok()?)
    }

    #[must_use]
    pub fn find(&self, wanted: Cursor) -> Option<u64> {
        let at = self.rows.iter().position(|row| key(row) == wanted)?;
        Some(self.first + at as u64)
    }

    #[must_use]
    pub fn row_of(&self, wanted: Cursor) -> Option<&Row> {
        self.rows.iter().find(|row| key(row) == wanted)
    }

    pub fn rows(&self) -> impl Iterator<Item = &Row> {
        self.rows.iter()
    }

    #[must_use]
    pub fn is_empty(&self) -> bool {
        self.loaded && self.total == 0
    }

    /// Rows in view that are not loaded (the last is exclusive).
    pub fn need(&mut self, first: u64, last: u64) -> Option<Fetch> {
        self.needed = Some((first, last));
        self.next_fetch()
    }

    /// Something in the list has changed.
    pub fn changed(&mut self) -> Option<Fetch> {
        self.stale = true;
        self.next_fetch()
    }

    /// One fetch at a time; the newest wish is served when its answer is here.
    fn next_fetch(&mut self) -> Option<Fetch> {
        if self.pending.is_some() {
            return None;
        }
        let (start, limit) = if std::mem::take(&mut self.stale) {
            let limit = u32::try_from(self.rows.len()).unwrap_or(PAGE).max(PAGE);
            if self.first == 0 {
                (PageStart::Newest, limit)
            } else {
                (PageStart::Row(self.first), limit)
            }
        } else {
            let (first, last) = self.needed.take()?;
            let end = self.first + self.rows.len() as u64;
            let missing = (first..last.min(self.total)).any(|row| self.row(row).is_none());
            if !missing {
                return None;
            }
            match self.next {
                Some(cursor) if first >= self.first && first <= end => (PageStart::Before(cursor), PAGE),
                _ => (PageStart::Row(first.saturating_sub(LEAD)), PAGE),
            }
        };
        let fetch = Fetch {
            serial: self.serial,
            subject: self.subject.clone(),
            start,
            limit,
        };
        self.pending = Some(fetch.clone());
        Some(fetch)
    }

    /// Takes a page in. Returns what to fetch next.
    pub fn arrived(&mut self, fetch: &Fetch, page: Page) -> Option<Fetch> {
        if fetch.serial != self.serial {
            return None;
        }
        self.pending = None;
        self.loaded = true;
        let follows = matches!(fetch.start, PageStart::Before(_))
            && page.first == self.first + self.rows.len() as u64
            && page.total == self.total;
        self.total = page.total;
        self.next = page.next;
        if follows {
            self.rows.extend(page.rows);
            let spare = self.rows.len().saturating_sub(KEEP);
            self.rows.drain(..spare);
            self.first += spare as u64;
        } else {
            self.first = page.first;
            self.rows = page.rows;
        }
        if self.rows.is_empty() && self.total > 0 && self.first > 0 {
            // The list shrank below the page: start over.
            self.first = 0;
            self.stale = true;
        }
        self.forget_gone();
        self.next_fetch()
    }

    /// A fetch failed: let the next wish try again.
    pub fn failed(&mut self, fetch: &Fetch) {
        if fetch.serial == self.serial {
            self.pending = None;
            self.loaded = true;
        }
    }

    /// While every row is loaded, whatever is selected and not among them is gone.
    fn forget_gone(&mut self) {
        if self.rows.len() as u64 == self.total {
            let here: BTreeSet<Cursor> = self.rows.iter().map(key).collect();
            self.selected.retain(|cursor| here.contains(cursor));
            self.cursor = self.cursor.filter(|cursor| here.contains(cursor));
        }
    }

    /// A plain click or step: this row alone.
    pub fn select_only(&mut self, cursor: Cursor) {
        self.selected.clear();
        self.selected.insert(cursor);
        self.cursor = Some(cursor);
        self.anchor = Some(cursor);
    }

    /// Ctrl and a click, or `x`: this row too, or not any more.
    pub fn toggle(&mut self, cursor: Cursor) {
        if !self.selected.remove(&cursor) {
            self.selected.insert(cursor);
        }
        self.cursor = Some(cursor);
        self.anchor = Some(cursor);
    }

    /// Shift and a click or step: everything from the anchor to here.
    pub fn extend_to(&mut self, cursor: Cursor) {
        let anchor = self.anchor.or(self.cursor).unwrap_or(cursor);
        let (Some(from), Some(to)) = (self.find(anchor), self.find(cursor)) else {
            self.select_only(cursor);
            return;
        };
        self.selected = (from.min(to)..=from.max(to))
            .filter_map(|row| self.row(row).map(key))
            .collect();
        self.cursor = Some(cursor);
        self.anchor = Some(anchor);
    }

    pub fn select_all(&mut self) {
        self.selected = self.rows.iter().map(key).collect();
    }

    /// The row so many steps from the cursor, stopping at the ends of what is loaded.
    #[must_use]
    pub fn step(&self, by: i64) -> Option<Cursor> {
        let last = (self.first + self.rows.len() as u64).checked_sub(1)?;
        let to = match self.cursor.and_then(|cursor| self.find(cursor)) {
            Some(at) => at.saturating_add_signed(by).clamp(self.first, last),
            None => self.first,
        };
        self.row(to).map(key)
    }

    /// What to stand on once the selected rows have left: the row below them, or else above.
    #[must_use]
    pub fn neighbour(&self) -> Option<Cursor> {
        let chosen: Vec<usize> = (0..self.rows.len())
            .filter(|at| {
                self.rows
                    .get(*at)
                    .is_some_and(|row| self.selected.contains(&key(row)))
            })
            .collect();
        let below = chosen.last().map(|last| last + 1);
        let above = chosen.first().and_then(|first| first.checked_sub(1));
        let row = below
            .and_then(|at| self.rows.get(at))
            .or_else(|| self.rows.get(above?))?;
        Some(key(row))
    }

    /// Takes rows out at once, ahead of the engine's word.
    pub fn remove(&mut self, gone: &BTreeSet<Cursor>) {
        let before = self.rows.len();
        self.rows.retain(|row| !gone.contains(&key(row)));
        self.total = self.total.saturating_sub((before - self.rows.len()) as u64);
        self.selected.retain(|cursor| !gone.contains(cursor));
        if self.cursor.is_some_and(|cursor| gone.contains(&cursor)) {
            self.cursor = None;
        }
    }

    /// Changes flags at once, ahead of the engine's word.
    pub fn flag(&mut self, cursors: &BTreeSet<Cursor>, change: &FlagChange) {
        for row in &mut self.rows {
            if cursors.contains(&key(row)) {
                row.flags = change.apply(&row.flags);
            }
        }
    }

    /// The selected rows, as far as they are loaded.
    pub fn chosen(&self) -> impl Iterator<Item = &Row> {
        self.rows.iter().filter(|row| self.selected.contains(&key(row)))
    }

    /// Whether any selected message is unread.
    #[must_use]
    pub fn any_unread(&self) -> bool {
        self.chosen().any(|row| !row.flags.contains(Flag::Seen))
    }
}

#[cfg(test)]
mod tests;
