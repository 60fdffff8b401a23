//! What an HTML message quotes at its end, left out: the reader sees it among the conversation anyway.
//!
//! Programs mark what they quote by an element of their own. Everything from the last such element on is left out,
//! if nothing but blanks follows it and something stands before it; a reader who answers below the quotation loses
//! no word. This looks at tags only and makes no sense of them: what comes out is hostile still.

/// How the usual programs mark what they quote, in lower case.
const MARKS: [&str; 9] = [
    "gmail_quote",
    "moz-cite-prefix",
    "yahoo_quoted",
    "divrplyfwdmsg",
    "appendonsend",
    "protonmail_quote",
    "zmail_extra",
    "type=\"cite\"",
    "posthorn-quoted",
];

/// More than this is not looked through.
const LONG: usize = 4 << 20;

/// The message up to what it quotes at its end; all of it where nothing is quoted there, or nothing else is said.
#[must_use]
pub fn own_words(html: &str) -> &str {
    if html.len() > LONG {
        return html;
    }
    let Some(start) = first_mark(html) else {
        return html;
    };
    let (own, rest) = html.split_at_checked(start).unwrap_or((html, ""));
    if !has_words(own) || has_words(after_quotation(rest)) {
        return html;
    }
    own
}

/// Where the first tag begins that carries a mark.
fn first_mark(html: &str) -> Option<usize> {
    let lower = html.to_ascii_lowercase();
    let mut at = 0;
    while let Some(start) = lower.get(at..)?.find('<').map(|found| at + found) {
        let tag = lower.get(start..)?;
        let end = tag.find('>').map_or(tag.len(), |end| end + 1);
        let tag = tag.get(..end)?;
        let opens = tag.starts_with("<div") || tag.starts_with("<blockquote");
        if opens && MARKS.iter().any(|mark| tag.contains(mark)) {
            return Some(start);
        }
        at = start + end.max(1);
    }
    None
}

/// What follows the quotation: behind the end of its element, and of elements like it that follow at once.
fn after_quotation(rest: &str) -> &str {
    let mut rest = rest;
    loop {
        let after = after_element(rest);
        let next = after.trim_start();
        // The line that says who wrote it, and the quotation itself, are often elements side by side.
        let lower: String = next.chars().take(400).collect::<String>().to_ascii_lowercase();
        let another = lower.starts_with("<blockquote")
            || lower.starts_with("<div") && MARKS.iter().any(|mark| lower.contains(mark))
            || lower.starts_with("<br")
            || lower.starts_with("<hr");
        if !another || after.len() >= rest.len() {
            return after;
        }
        rest = next;
    }
}

/// Behind the end of the element that the text begins with.
fn after_element(text: &str) -> &str {
    let name: String = text
        .chars()
        .skip(1)
        .take_while(char::is_ascii_alphanumeric)
        .collect::<String>()
        .to_ascii_lowercase();
    let lower = text.to_ascii_lowercase();
    let (open, close) = (format!("<{name}"), format!("</{name}"));
    if matches!(name.as_str(), "br" | "hr" | "") {
        return text.find('>').and_then(|end| text.get(end + 1..)).unwrap_or("");
    }
    let mut depth = 0_usize;
    let mut at = 0;
    while let Some(start) = lower
        .get(at..)
        .and_then(|rest| rest.find('<'))
        .map(|found| at + found)
    {
        let tag = lower.get(start..).unwrap_or("");
        if tag.starts_with(&close) {
            depth = depth.saturating_sub(1);
        } else if tag.starts_with(&open) {
            depth += 1;
        }
        at = start + tag.find('>').map_or(tag.len(), |end| end + 1).max(1);
        if depth == 0 {
            return text.get(at..).unwrap_or("");
        }
    }
    ""
}

/// Whether anything is said or shown.
fn has_words(html: &str) -> bool {
    html.to_ascii_lowercase().contains("<img") || !crate::to_text(html).text.trim().is_empty()
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn what_is_quoted_at_the_end_is_left_out() {
        for (html, expect) in [
            (
                "<div>Yes.</div><div class=\"gmail_quote\">On Monday Ada wrote:<blockquote>Shall we?</blockquote></div>",
                "<div>Yes.</div>",
            ),
            (
                "<p>Yes.</p><div class=\"moz-cite-prefix\">Ada:</div><blockquote type=\"cite\"><p>Shall we?</p></blockquote><br></body>",
                "<p>Yes.</p>",
            ),
            (
                "<p>Yes.</p><DIV ID=\"divRplyFwdMsg\"><b>From:</b> Ada<div>more</div></DIV>",
                "<p>Yes.</p>",
            ),
        ] {
            assert_eq!(own_words(html), expect);
        }
    }

    #[test]
    fn no_word_of_the_writers_own_is_lost() {
        for html in [
            "<p>Yes.</p>",
            "<blockquote type=\"cite\">Shall we?</blockquote><p>Yes, below.</p>",
            "<div class=\"gmail_quote\">Forwarded</div>",
            "<p>a</p><blockquote type=\"cite\">one</blockquote><p>b</p><blockquote type=\"cite\">two</blockquote>",
            "<p>gmail_quote is a word</p>",
            "",
            "<",
            "<div class=\"gmail_quote",
        ] {
            assert_eq!(own_words(html), html);
        }
    }
}
