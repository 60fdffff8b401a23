//! The signature below `-- ` (RFC 3676 section 4.3).

/// Longest signature that is taken for one, in lines: what is longer is text below a stray separator.
const MAX_LINES: usize = 20;

/// The text and, where there is one, the signature without its separator.
#[must_use]
pub fn split_signature(text: &str) -> (&str, Option<&str>) {
    let mut at = text.len();
    for (count, line) in text.split_inclusive('\n').rev().enumerate() {
        if count > MAX_LINES {
            break;
        }
        let start = at - line.len();
        let bare = line.trim_end_matches(['\n', '\r']);
        if bare == "-- " || (bare == "--" && count > 0) {
            return (text.get(..start).unwrap_or(text), text.get(at..));
        }
        at = start;
    }
    (text, None)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn splits() {
        let check =
            |text: &str, expect: (&str, Option<&str>)| assert_eq!(split_signature(text), expect, "{text:?}");
        check("hi\n-- \nAnna\n", ("hi\n", Some("Anna\n")));
        check("hi\r\n-- \r\nAnna", ("hi\r\n", Some("Anna")));
        check("hi\n--\nAnna", ("hi\n", Some("Anna")));
        check("-- \nonly", ("", Some("only")));
        check("a -- b", ("a -- b", None));
        check("hi\n--", ("hi\n--", None));
        check("", ("", None));
        let long = format!("hi\n-- \n{}", "x\n".repeat(30));
        check(&long, (&long, None));
    }
}
