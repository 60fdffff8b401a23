//! Plain text as a page: quotations behind bars of their depth's colour, links, the signature dimmed.

use std::fmt::Write as _;

use iced::Color;
use posthorn_mime::text::{linkify, quote_lines, split_signature};

use crate::theme::{DARK, LIGHT, Tokens, line, size};

/// Deeper quotations look like this deep.
const DEEPEST: usize = 6;

/// The page. Its colours are the window's, so that whoever draws it leaves them as they are.
#[must_use]
pub fn to_html(text: &str, fixed: bool, dark: bool) -> String {
    let tokens = if dark { &DARK } else { &LIGHT };
    let (text, signature) = split_signature(text);
    let mut out = String::with_capacity(text.len() + text.len() / 4 + 1024);
    head(&mut out, tokens, fixed);
    write_lines(&mut out, text);
    if let Some(signature) = signature {
        out.push_str("<div class=\"s\">");
        write_lines(&mut out, signature);
        out.push_str("</div>");
    }
    out.push_str("</body></html>");
    out
}

fn head(out: &mut String, t: &Tokens, fixed: bool) {
    let font = if fixed {
        "\"Noto Sans Mono\", \"DejaVu Sans Mono\", monospace"
    } else {
        "Inter, \"Noto Sans\", \"DejaVu Sans\", sans-serif"
    };
    let size = if fixed { size::BODY } else { size::READING };
    // Writing to a String cannot fail.
    let _ = write!(
        out,
        "<!DOCTYPE html><html><head><style>\
         html, body {{ background: {}; }} body {{ margin: 0; padding: 0; color: {}; font-family: {font}; font-size: {size}px; \
         line-height: {}; overflow-wrap: anywhere; }} \
         div.t {{ white-space: pre-wrap; }} \
         div.s {{ color: {}; margin-top: 12px; }} \
         a {{ color: {}; text-decoration: underline; }} \
         blockquote {{ margin: 4px 0; padding: 0 0 0 10px; border-left: 2px solid; }}",
        hex(t.surface_raised),
        hex(t.text),
        line::READING,
        hex(t.text_muted),
        hex(t.quotes[0]),
    );
    for (n, color) in t.quotes.iter().enumerate() {
        let _ = write!(
            out,
            " blockquote.q{n} {{ color: {0}; border-left-color: {0}; }}",
            hex(*color)
        );
    }
    out.push_str("</style></head><body>");
}

fn hex(color: Color) -> String {
    let [red, green, blue, _] = color.into_rgba8();
    format!("#{red:02x}{green:02x}{blue:02x}")
}

fn write_lines(out: &mut String, text: &str) {
    let mut depth = 0;
    let mut run = String::new();
    for line in quote_lines(text) {
        let wanted = line.depth.min(DEEPEST);
        if wanted != depth {
            flush(out, &mut run);
            while depth > wanted {
                out.push_str("</blockquote>");
                depth -= 1;
            }
            while depth < wanted {
                let _ = write!(out, "<blockquote class=\"q{}\">", depth % 3);
                depth += 1;
            }
        }
        run.push_str(line.text.trim_end());
        run.push('\n');
        // A long run is a long line of boxes for whoever lays it out.
        if run.len() > 8 * 1024 && line.text.trim().is_empty() {
            flush(out, &mut run);
        }
    }
    flush(out, &mut run);
    for _ in 0..depth {
        out.push_str("</blockquote>");
    }
}

fn flush(out: &mut String, run: &mut String) {
    let text = std::mem::take(run);
    if text.is_empty() {
        return;
    }
    out.push_str("<div class=\"t\">");
    let text = text.strip_suffix('\n').unwrap_or(&text);
    for span in linkify(text) {
        match &span.url {
            Some(url) => {
                out.push_str("<a href=\"");
                escape(out, url);
                out.push_str("\">");
                escape(out, span.text);
                out.push_str("</a>");
            }
            None => escape(out, span.text),
        }
    }
    // An empty line at the end of a run is a line all the same.
    if text.ends_with('\n') || text.is_empty() {
        out.push_str("<br>");
    }
    out.push_str("</div>");
}

fn escape(out: &mut String, text: &str) {
    for c in text.chars() {
        match c {
            '&' => out.push_str("&amp;"),
            '<' => out.push_str("&lt;"),
            '>' => out.push_str("&gt;"),
            '"' => out.push_str("&quot;"),
            c if c.is_control() && c != '\n' && c != '\t' => {}
            c => out.push(c),
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn body(text: &str) -> String {
        let html = to_html(text, false, false);
        let (_, body) = html.split_once("<body>").unwrap();
        body.trim_end_matches("</body></html>").to_owned()
    }

    #[test]
    fn markup_in_text_stays_text() {
        assert_eq!(
            body("a < b & <script>\"x\"</script>"),
            "<div class=\"t\">a &lt; b &amp; &lt;script&gt;&quot;x&quot;&lt;/script&gt;</div>"
        );
    }

    #[test]
    fn quotations_nest_by_depth() {
        assert_eq!(
            body("Yes\n> one\n>> two\nno"),
            "<div class=\"t\">Yes</div><blockquote class=\"q0\"><div class=\"t\">one</div>\
             <blockquote class=\"q1\"><div class=\"t\">two</div></blockquote></blockquote><div class=\"t\">no</div>"
        );
        let deep = body(&format!("{} deep", ">".repeat(40)));
        assert_eq!(deep.matches("<blockquote").count(), DEEPEST);
        assert_eq!(deep.matches("</blockquote").count(), DEEPEST);
    }

    #[test]
    fn links_lead_where_they_say_and_signatures_are_dimmed() {
        let html = body("See https://example.org/a?b=1&c=2\n-- \nAda");
        assert!(
            html.contains(
                "<a href=\"https://example.org/a?b=1&amp;c=2\">https://example.org/a?b=1&amp;c=2</a>"
            )
        );
        assert!(
            html.contains("<div class=\"s\"><div class=\"t\">Ada</div></div>"),
            "{html}"
        );
        assert!(!body("javascript:alert(1)").contains("<a "));
    }
}
