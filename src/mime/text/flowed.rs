//! format=flowed (RFC 3676): paragraphs survive the trip, narrow readers see ordinary lines.

/// Where lines are broken on sending: RFC 3676 section 4.2 wants 78 at most.
const WIDTH: usize = 72;

/// Joins soft-broken lines. Quoted paragraphs come back as one line behind their `> ` marks.
#[must_use]
pub fn decode_flowed(text: &str, delsp: bool) -> String {
    let mut out = String::with_capacity(text.len());
    let mut open: Option<usize> = None;
    for line in text.split('\n') {
        let line = line.strip_suffix('\r').unwrap_or(line);
        let content = line.trim_start_matches('>');
        let depth = line.len() - content.len();
        let content = content.strip_prefix(' ').unwrap_or(content);
        // The signature's separator ends in a space and flows nowhere (section 4.3).
        let signature = content == "-- ";
        match open {
            Some(flowing) if flowing == depth && !signature => {}
            Some(_) => {
                out.push('\n');
                push_marks(depth, &mut out);
            }
            None => push_marks(depth, &mut out),
        }
        let flows = content.ends_with(' ') && !signature;
        let content = if flows && delsp {
            content.strip_suffix(' ').unwrap_or(content)
        } else {
            content
        };
        out.push_str(content);
        if flows {
            open = Some(depth);
        } else {
            open = None;
            out.push('\n');
        }
    }
    // `split` gives one piece more than there are line breaks.
    if open.is_none() {
        out.pop();
    }
    out
}

fn push_marks(depth: usize, out: &mut String) {
    out.extend(std::iter::repeat_n('>', depth));
    if depth > 0 {
        out.push(' ');
    }
}

/// Wraps paragraphs softly and stuffs what would be misread. Lines that end in white space lose it, so that they
/// do not flow into the next one; quoted lines are wrapped behind their marks.
#[must_use]
pub fn encode_flowed(text: &str) -> String {
    let mut out = String::with_capacity(text.len() + text.len() / 20);
    for line in text.split('\n') {
        let line = line.strip_suffix('\r').unwrap_or(line);
        if line == "-- " {
            out.push_str("-- \n");
            continue;
        }
        let (depth, content) = super::quote::split_marks(line);
        let marks = ">".repeat(depth);
        let mut rest = content.trim_end();
        loop {
            let (piece, after) = cut(rest, WIDTH.saturating_sub(depth + 1).max(20));
            out.push_str(&marks);
            // Space-stuffing (section 4.4); quoted content always gets its space.
            let stuff = depth > 0 || piece.starts_with([' ', '>']) || piece.starts_with("From ");
            if stuff && !(piece.is_empty() && after.is_none()) {
                out.push(' ');
            }
            out.push_str(piece);
            out.push('\n');
            match after {
                Some(after) => rest = after,
                None => break,
            }
        }
    }
    out.pop();
    out
}

/// Cuts behind the last space within `width` characters; the space stays: it is what makes the line flow.
fn cut(text: &str, width: usize) -> (&str, Option<&str>) {
    let mut last = None;
    for (count, (at, c)) in text.char_indices().enumerate() {
        // The very first characters may be an indent, behind which nothing can be cut.
        if c == ' ' && !text.get(..at).unwrap_or_default().trim_start().is_empty() {
            let runs_on = text.get(at + 1..).is_some_and(|after| after.starts_with(' '));
            if !runs_on {
                if count >= width && last.is_some() {
                    break;
                }
                last = Some(at + 1);
            }
        }
        if count >= width && last.is_some() {
            break;
        }
    }
    let fits = text.chars().nth(width).is_none();
    match last {
        Some(at) if !fits => match (text.get(..at), text.get(at..)) {
            (Some(piece), Some(after)) if !after.is_empty() => (piece, Some(after)),
            _ => (text, None),
        },
        _ => (text, None),
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use proptest::prelude::*;

    #[test]
    fn decodes() {
        let check = |input: &str, delsp: bool, expect: &str| {
            assert_eq!(decode_flowed(input, delsp), expect, "{input:?}");
        };
        check("one \ntwo\nthree", false, "one two\nthree");
        check("one \r\ntwo\r\n", false, "one two\n");
        check("日本 \n語", true, "日本語");
        check("> a \n> b\n>> c \nd", false, "> a b\n>> c \nd");
        check(" >stuffed\n From here", false, ">stuffed\nFrom here");
        check("text \n-- \nname", false, "text \n-- \nname");
        check("a\n\nb", false, "a\n\nb");
        check("end ", false, "end ");
        check("", false, "");
        check(">\n> a", false, "> \n> a");
    }

    #[test]
    fn encodes() {
        let check = |input: &str, expect: &str| assert_eq!(encode_flowed(input), expect, "{input:?}");
        check("short", "short");
        check("trailing   \nnext", "trailing\nnext");
        check(">quoted", "> quoted");
        check(" indented", "  indented");
        check("From here", " From here");
        check("-- \nname", "-- \nname");
        check("a\n\nb", "a\n\nb");
        let long = "word ".repeat(40);
        for line in encode_flowed(&long).lines() {
            assert!(line.chars().count() <= 73, "{line:?}");
        }
        check(&"x".repeat(200), &"x".repeat(200));
    }

    proptest! {
        #[test]
        fn comes_back(text in "([a-z>]{1,12}[ ]){0,40}[a-z]{1,12}(\n[a-z]{0,9}){0,5}") {
            let expect: Vec<String> = text
                .split('\n')
                .map(|line| {
                    let (depth, content) = super::super::quote::split_marks(line);
                    if depth == 0 { line.to_owned() } else { format!("{} {content}", ">".repeat(depth)) }
                })
                .collect();
            prop_assert_eq!(decode_flowed(&encode_flowed(&text), false), expect.join("\n"));
        }

        #[test]
        fn never_panics(text in "\\PC{0,200}") {
            let _ = encode_flowed(&decode_flowed(&text, true));
        }
    }
}
