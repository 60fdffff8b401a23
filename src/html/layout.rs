//! Where lines break: white space folded, at most one empty line in a row, marks of quotations and indents in front.

/// Longest text, in bytes; the notice that it was cut comes on top.
pub(crate) const MAX_TEXT: usize = 2 * 1024 * 1024;
/// Marks in front of a line; what is quoted or indented deeper looks no deeper.
const MAX_MARKS: usize = 20;

#[derive(Debug, Default)]
pub(crate) struct Layout {
    out: String,
    /// Line breaks owed before the next character: 1 ends the line, 2 leaves one empty.
    owed: usize,
    space: bool,
    /// Whether the current line has anything but marks.
    begun: bool,
    /// How deep the current line is quoted: an empty line between two belongs to the shallower.
    line_quotes: usize,
    /// The line break right behind `<pre>` does not count.
    pub(crate) drops_line_break: bool,
    pub(crate) quotes: usize,
    pub(crate) indent: usize,
}

impl Layout {
    pub(crate) fn is_full(&self) -> bool {
        self.out.len() >= MAX_TEXT
    }

    /// Where the next character will stand, for cutting out a link's text.
    pub(crate) fn mark(&self) -> usize {
        self.out.len()
    }

    pub(crate) fn since(&self, mark: usize) -> &str {
        self.out.get(mark..).unwrap_or_default()
    }

    pub(crate) fn has_begun_line(&self) -> bool {
        self.begun && self.owed == 0
    }

    /// At least this many line breaks before what comes next.
    pub(crate) fn break_lines(&mut self, count: usize) {
        self.owed = self.owed.max(count).min(2);
        self.space = false;
    }

    /// `<br>`: one more line break; a second one leaves a line empty.
    pub(crate) fn break_hard(&mut self) {
        self.break_lines(if self.begun && self.owed == 0 { 1 } else { 2 });
    }

    pub(crate) fn push_folded(&mut self, text: &str) {
        for c in text.chars() {
            if self.is_full() {
                return;
            }
            if c.is_whitespace() {
                self.space = true;
            } else {
                self.push_char(c);
            }
        }
    }

    pub(crate) fn push_verbatim(&mut self, text: &str) {
        for c in text.chars() {
            if self.is_full() {
                return;
            }
            match c {
                '\n' if self.drops_line_break => {}
                // Every empty line counts here.
                '\n' => self.owed += 1,
                '\r' => {}
                c => {
                    self.start_line();
                    if !is_dropped(c, self.out.chars().next_back()) {
                        self.out.push(c);
                        self.begun = true;
                    }
                }
            }
            self.drops_line_break = false;
        }
    }

    fn push_char(&mut self, c: char) {
        if is_dropped(
            c,
            self.out
                .chars()
                .next_back()
                .filter(|_| !self.space && self.owed == 0),
        ) {
            return;
        }
        self.start_line();
        if self.space && self.begun && !self.out.ends_with(' ') {
            self.out.push(' ');
        }
        self.space = false;
        self.out.push(c);
        self.begun = true;
    }

    fn start_line(&mut self) {
        let fresh = self.out.is_empty() || self.owed > 0;
        if self.out.is_empty() {
            self.owed = 0;
        }
        if !fresh {
            return;
        }
        self.out.truncate(self.out.trim_end_matches(' ').len());
        let between = self.line_quotes.min(self.quotes).min(MAX_MARKS);
        while self.owed > 0 {
            self.owed -= 1;
            self.out.push('\n');
            if self.owed > 0 {
                self.out.extend(std::iter::repeat_n('>', between));
            }
        }
        self.begun = false;
        self.space = false;
        self.line_quotes = self.quotes;
        if self.quotes > 0 {
            self.out
                .extend(std::iter::repeat_n('>', self.quotes.min(MAX_MARKS)));
            self.out.push(' ');
        }
        self.out
            .extend(std::iter::repeat_n("  ", self.indent.min(MAX_MARKS)));
    }

    pub(crate) fn finish(mut self) -> String {
        self.out.truncate(self.out.trim_end().len());
        self.out
    }
}

/// Characters without a picture, with which newsletters fill the space behind their preheader. Joiners are kept
/// between characters, where emoji and several scripts need them.
fn is_dropped(c: char, before: Option<char>) -> bool {
    match c {
        '\u{ad}'
        | '\u{34f}'
        | '\u{200b}'
        | '\u{200e}'
        | '\u{200f}'
        | '\u{2060}'..='\u{2064}'
        | '\u{feff}' => true,
        '\u{202a}'..='\u{202e}' | '\u{2066}'..='\u{2069}' | '\u{fffc}' => true,
        '\u{200c}' | '\u{200d}' => {
            before.is_none_or(|before| before.is_whitespace() || matches!(before, '\u{200c}' | '\u{200d}'))
        }
        '\t' | '\n' => false,
        c => c.is_control(),
    }
}
