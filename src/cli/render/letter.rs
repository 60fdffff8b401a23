//! What of a message is drawn: its HTML, or its text set as a page.

use std::collections::BTreeMap;

use posthorn_html::page::{Look, Source};
use posthorn_mime::Parsed;
use posthorn_mime::text::linkify;

/// Text set as a page, in bytes; the rest is in the document's `text`.
const MAX_PLAIN: usize = 512 * 1024;

#[must_use]
pub fn source(raw: &[u8], parsed: &Parsed, look: Look) -> Source {
    match &parsed.html {
        Some(html) => Source {
            html: html.clone(),
            parts: posthorn_engine::reading::related(raw, parsed),
            fetched: BTreeMap::new(),
            look,
        },
        None => plain(None, parsed.text.as_deref().unwrap_or_default(), look),
    }
}

/// Plain text as a page, its addresses as links, under a line of ours.
#[must_use]
pub fn plain(notice: Option<&str>, text: &str, look: Look) -> Source {
    let mut html = String::from("<div style=\"font-family: sans-serif; font-size: 14px\">");
    if let Some(notice) = notice {
        html.push_str("<p style=\"color: #767676\">");
        escape(notice, &mut html);
        html.push_str("</p>");
    }
    let text = text.get(..text.floor_char_boundary(MAX_PLAIN)).unwrap_or(text);
    // One element a line: painting can skip what is not seen.
    for line in text.lines() {
        html.push_str("<div style=\"white-space: pre-wrap; overflow-wrap: anywhere; min-height: 1.2em\">");
        for span in linkify(line) {
            if let Some(url) = &span.url {
                html.push_str("<a href=\"");
                escape(url, &mut html);
                html.push_str("\">");
                escape(span.text, &mut html);
                html.push_str("</a>");
            } else {
                escape(span.text, &mut html);
            }
        }
        html.push_str("</div>");
    }
    html.push_str("</div>");
    Source {
        html,
        parts: BTreeMap::new(),
        fetched: BTreeMap::new(),
        look,
    }
}

fn escape(text: &str, html: &mut String) {
    for c in text.chars() {
        match c {
            '&' => html.push_str("&amp;"),
            '<' => html.push_str("&lt;"),
            '>' => html.push_str("&gt;"),
            '"' => html.push_str("&quot;"),
            c => html.push(c),
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use posthorn_html::page::PageTheme;

    #[test]
    fn text_stays_text() {
        let look = Look {
            width: 700.0,
            scale: 1.0,
            theme: PageTheme::Light,
        };
        let html = |text: &str| plain(Some("a < b"), text, look).html;
        let page = html("<script>alert(1)</script> & \"x\"\n\nsee https://example.org/?a=1&b=2");
        assert!(!page.contains("<script"), "{page}");
        assert!(page.contains("a &lt; b"), "{page}");
        assert!(
            page.contains("href=\"https://example.org/?a=1&amp;b=2\""),
            "{page}"
        );
        assert_eq!(html("a\n\nb").matches("<div").count(), 4);
    }
}
