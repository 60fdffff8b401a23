//! Quoting by `>` marks: how deep each line is, and how to quote.

/// One line, without its quote marks.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Line<'x> {
    /// 0: the writer's own.
    pub depth: usize,
    pub text: &'x str,
}

/// Every line with its depth.
pub fn quote_lines(text: &str) -> impl Iterator<Item = Line<'_>> {
    text.lines().map(|line| {
        let (depth, text) = split_marks(line);
        Line { depth, text }
    })
}

/// Counts `>`, with a space between allowed (`> > a`); one space behind the last belongs to the marks.
pub(crate) fn split_marks(line: &str) -> (usize, &str) {
    let mut depth = 0;
    let mut rest = line;
    loop {
        if let Some(after) = rest.strip_prefix('>') {
            rest = after;
        } else if let Some(after) = rest.strip_prefix(" >").filter(|_| depth > 0) {
            rest = after;
        } else {
            break;
        }
        depth += 1;
    }
    let text = if depth > 0 {
        rest.strip_prefix(' ').unwrap_or(rest)
    } else {
        rest
    };
    (depth, text)
}

/// One level deeper: `> ` before own lines, `>` before quoted ones.
#[must_use]
pub fn quote_text(text: &str) -> String {
    let mut out = String::with_capacity(text.len() + text.len() / 16);
    for line in text.trim_end().lines() {
        let line = line.trim_end();
        out.push('>');
        if !line.starts_with('>') && !line.is_empty() {
            out.push(' ');
        }
        out.push_str(line);
        out.push('\n');
    }
    out
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn counts_marks() {
        let check = |line: &str, depth: usize, text: &str| {
            assert_eq!(split_marks(line), (depth, text), "{line:?}");
        };
        check("own", 0, "own");
        check("> a", 1, "a");
        check(">a", 1, "a");
        check(">> a", 2, "a");
        check("> > a", 2, "a");
        check(">  indented", 1, " indented");
        check(">", 1, "");
        check(" > not", 0, " > not");
        check("", 0, "");
    }

    #[test]
    fn quotes() {
        assert_eq!(quote_text("a\n\n> b\n"), "> a\n>\n>> b\n");
        assert_eq!(quote_text(""), "");
        let lines: Vec<_> = quote_lines("a\n> b").map(|line| line.depth).collect();
        assert_eq!(lines, [0, 1]);
    }
}
