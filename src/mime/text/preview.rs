//! The one line below the subject in a list.

use super::quote::split_marks;
use super::signature::split_signature;
use super::strip::strip_html_to;

/// Longest preview, in characters.
pub const MAX_CHARS: usize = 200;

/// The beginning of what the writer wrote, on one line: quotes, their attributions and the signature are passed
/// over. A message of nothing but quotes shows those.
#[must_use]
pub fn preview(text: &str) -> String {
    // Enough for any preview; a text of megabytes is not walked.
    let head = text.get(..text.floor_char_boundary(16 * 1024)).unwrap_or(text);
    let body = if head.len() == text.len() {
        split_signature(head).0
    } else {
        head
    };
    let own = collect(body, 0);
    if own.is_empty() {
        collect(body, usize::MAX)
    } else {
        own
    }
}

/// The same of HTML, of which only the beginning is read.
#[must_use]
pub fn preview_html(html: &str) -> String {
    preview(&strip_html_to(html, 8 * MAX_CHARS))
}

fn collect(text: &str, max_depth: usize) -> String {
    let mut out = String::new();
    let mut length = 0;
    let mut lines = text.lines().peekable();
    while let Some(line) = lines.next() {
        let (depth, content) = split_marks(line);
        let next_quoted = lines.peek().is_some_and(|next| split_marks(next).0 > 0);
        let attribution = max_depth == 0 && next_quoted && content.trim_end().ends_with(':');
        if depth > max_depth || attribution || is_ruler(content) {
            continue;
        }
        for word in content
            .split(|c: char| c.is_whitespace() || c.is_control())
            .filter(|word| !word.is_empty())
        {
            if length >= MAX_CHARS {
                return out;
            }
            if length > 0 && !out.ends_with(' ') {
                out.push(' ');
                length += 1;
            }
            for c in word.chars().filter(|c| !is_filler(*c)) {
                if length >= MAX_CHARS {
                    return out;
                }
                out.push(c);
                length += 1;
            }
        }
    }
    out.trim_end().to_owned()
}

fn is_ruler(line: &str) -> bool {
    let line = line.trim();
    line.len() >= 3
        && line
            .chars()
            .all(|c| matches!(c, '-' | '_' | '=' | '*' | '~' | '#'))
}

/// What newsletters fill the space behind their preheader with.
const fn is_filler(c: char) -> bool {
    matches!(c, '\u{34f}' | '\u{ad}' | '\u{200b}'..='\u{200f}' | '\u{202a}'..='\u{202e}' | '\u{2060}'..='\u{2069}' | '\u{feff}' | '\u{fffc}')
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn shows_what_was_written() {
        let check = |text: &str, expect: &str| assert_eq!(preview(text), expect, "{text:?}");
        check("Hello,\n\nhow are   you?\n", "Hello, how are you?");
        check(
            "On Monday Anna wrote:\n> old\n> text\nNew answer.\n-- \nBob",
            "New answer.",
        );
        check("> only\n> quotes", "only quotes");
        check("a\n------\nb", "a b");
        check("x\u{200b}\u{200c}\u{feff} y", "x y");
        check("", "");
        check("\n \n", "");
    }

    #[test]
    fn stays_short() {
        assert_eq!(preview(&"é".repeat(100_000)).chars().count(), MAX_CHARS);
        assert!(preview(&"é ".repeat(100_000)).chars().count() <= MAX_CHARS);
        assert!(preview(&"éé ".repeat(100_000)).chars().count() <= MAX_CHARS);
    }
}
