//! HTML to plain text by a small state machine: for previews, the index and a first quick view. It never fails and
//! reads each byte once. The reader's own view of HTML mail is another crate's work.

use mail_parser::decoders::html::add_html_token;

/// Longest output, in bytes.
const MAX_OUTPUT: usize = 4 * 1024 * 1024;

/// The visible text, with line breaks where blocks end.
#[must_use]
pub fn strip_html(html: &str) -> String {
    strip_html_to(html, MAX_OUTPUT)
}

/// The same, until there are so many bytes of text.
pub(super) fn strip_html_to(html: &str, most: usize) -> String {
    let mut out = String::with_capacity(most.min(html.len() / 4));
    let mut rest = html;
    while !rest.is_empty() && out.len() < most {
        let Some((before, after)) = rest.split_once('<') else {
            push_text(rest, &mut out);
            break;
        };
        push_text(before, &mut out);
        rest = take_tag(after, &mut out);
    }
    let mut text = String::with_capacity(out.len());
    let mut blank = 0;
    for line in out.lines().map(str::trim) {
        blank = if line.is_empty() { blank + 1 } else { 0 };
        // At most one empty line in a row, and none in front.
        if blank <= 1 && !(line.is_empty() && text.is_empty()) {
            text.push_str(line);
            text.push('\n');
        }
    }
    text.truncate(text.trim_end().len());
    text
}

/// Takes what follows a `<`; gives the rest.
fn take_tag<'x>(after: &'x str, out: &mut String) -> &'x str {
    if let Some(comment) = after.strip_prefix("!--") {
        return comment.split_once("-->").map_or("", |(_, rest)| rest);
    }
    if !after.starts_with(|c: char| c.is_ascii_alphabetic() || matches!(c, '/' | '!' | '?')) {
        // "a < b" is text.
        out.push('<');
        return after;
    }
    let (tag, rest) = split_tag(after);
    let name = tag.trim_start_matches('/');
    let name = name
        .split(|c: char| !c.is_ascii_alphanumeric())
        .next()
        .unwrap_or_default()
        .to_ascii_lowercase();
    let closing = tag.starts_with('/');
    match name.as_str() {
        "script" | "style" | "title" | "template" | "textarea" | "noscript" if !closing => {
            skip_element(&name, rest)
        }
        "br" | "p" | "div" | "tr" | "table" | "ul" | "ol" | "blockquote" | "h1" | "h2" | "h3" | "h4"
        | "h5" | "h6" | "hr" | "pre" | "section" | "article" | "header" | "footer" | "center" => {
            if !out.ends_with("\n\n") {
                out.push('\n');
            }
            rest
        }
        "li" => {
            if !closing {
                out.push_str("\n• ");
            }
            rest
        }
        "td" | "th" => {
            push_space(out);
            rest
        }
        _ => rest,
    }
}

/// Up to the `>` that ends the tag; one within quotes does not.
fn split_tag(after: &str) -> (&str, &str) {
    let mut quote = None;
    // Only after a `=` does a quote open a value: `<p don't>` must not swallow the message.
    let mut value = false;
    for (at, byte) in after.bytes().enumerate() {
        match (quote, byte) {
            (Some(open), byte) if open == byte => quote = None,
            (Some(_), _) => {}
            (None, b'"' | b'\'') if value => quote = Some(byte),
            (None, b'>') => {
                return (
                    after.get(..at).unwrap_or_default(),
                    after.get(at + 1..).unwrap_or_default(),
                );
            }
            _ => {}
        }
        value = byte == b'=' || (value && byte.is_ascii_whitespace());
    }
    (after, "")
}

fn skip_element<'x>(name: &str, rest: &'x str) -> &'x str {
    let mut at = 0;
    while let Some(found) = rest.get(at..).and_then(|tail| tail.find("</")) {
        let start = at + found + 2;
        let tail = rest.get(start..).unwrap_or_default();
        let matches = tail
            .as_bytes()
            .get(..name.len())
            .is_some_and(|text| text.eq_ignore_ascii_case(name.as_bytes()));
        if matches {
            return tail.split_once('>').map_or("", |(_, rest)| rest);
        }
        at = start;
    }
    ""
}

fn push_text(text: &str, out: &mut String) {
    let mut rest = text;
    while let Some((before, after)) = rest.split_once('&') {
        push_words(before, out);
        let window = after.get(..after.floor_char_boundary(33)).unwrap_or(after);
        match window.find(';') {
            Some(end) if end > 0 => {
                let token = format!("&{};", window.get(..end).unwrap_or_default());
                let mut entity = String::new();
                add_html_token(&mut entity, token.as_bytes(), false);
                push_words(&entity, out);
                rest = after.get(end + 1..).unwrap_or_default();
            }
            _ => {
                out.push('&');
                rest = after;
            }
        }
    }
    push_words(rest, out);
}

fn push_words(text: &str, out: &mut String) {
    let mut rest = text;
    while !rest.is_empty() {
        // Plain words go over in one piece.
        let plain = rest.bytes().take_while(u8::is_ascii_graphic).count();
        let (word, after) = rest.split_at(plain);
        out.push_str(word);
        let mut others = after.chars();
        let Some(c) = others.next() else { return };
        rest = others.as_str();
        match c {
            '\u{200b}'..='\u{200f}' | '\u{ad}' | '\u{34f}' | '\u{feff}' | '\u{2060}' | '\0' => {}
            c if c.is_whitespace() => push_space(out),
            c => out.push(c),
        }
    }
}

fn push_space(out: &mut String) {
    if !out.ends_with([' ', '\n']) && !out.is_empty() {
        out.push(' ');
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use proptest::prelude::*;

    #[test]
    fn strips() {
        let check = |html: &str, expect: &str| assert_eq!(strip_html(html), expect, "{html:?}");
        check(
            "<p class=x>Hello <b>you</b></p><p>there</p>",
            "Hello you\n\nthere",
        );
        check("a<br/>b<br class='x'>c", "a\nb\nc");
        check(
            "<style type=\"text/css\">p{}</style>x<script>if(a<b)</script>y",
            "xy",
        );
        check("<title>t</title>body", "body");
        check(
            "caf&eacute; &amp; &#233; &#x20AC; &bogus; &",
            "café & é € &bogus; &",
        );
        check("1 < 2 & 3 > 2", "1 < 2 & 3 > 2");
        check("<!-- <p> -->x<!-- open", "x");
        check("<a href=\"x>y\">link</a>", "link");
        check("<ul><li>one<li>two</ul>", "• one\n• two");
        check("<td>a</td><td>b</td>", "a b");
        check("<p don't>text</p>", "text");
        check("x\u{200b}\u{200c}&zwnj;&nbsp;y", "x y");
        check("<script>never closed", "");
        check("", "");
    }

    proptest! {
        #[test]
        fn never_panics(html in "([<>&;/\"'=! a-zé]|&#|<!--|<script|</p>){0,80}") {
            let _ = strip_html(&html);
        }
    }
}
