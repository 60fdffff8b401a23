//! The beginning of a very long message: laid out alone, it is on the screen while the rest still takes its time.

/// HTML that is laid out at once, in bytes: a few tenths of a second on a slow machine.
const LONG: usize = 256 * 1024;
/// What is laid out first of more: some screens, and the styles before them.
const FIRST: usize = 64 * 1024;

/// The first part of HTML that is too long to be waited for; `None` where it is not. Cut behind a tag; what is open
/// there is closed by whoever reads it.
#[must_use]
pub fn beginning(html: &str) -> Option<&str> {
    if html.len() <= LONG {
        return None;
    }
    // Styles count as nothing: they are not what is seen.
    let seen_from = html.get(..LONG)?.rfind("</style>").unwrap_or_default();
    let most = html.floor_char_boundary((seen_from + FIRST).min(html.len() / 2));
    let head = html.get(..most)?;
    head.get(..=head.rfind('>')?)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_long_message_begins_behind_a_tag_and_its_styles() {
        assert_eq!(beginning("<p>short"), None);
        assert_eq!(beginning(&"ü".repeat(300_000)), None);
        let long = format!("<p>{}", "<b>wörd</b> ".repeat(40_000));
        let head = beginning(&long).unwrap();
        assert!(head.len() <= FIRST && head.ends_with('>'));
        let styled = format!("<style>{}</style>{long}", "a{} ".repeat(30_000));
        assert!(beginning(&styled).unwrap().len() > 120_000);
    }
}
