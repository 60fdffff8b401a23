//! What of a message is drawn: its HTML, or its text set as a page.

use std::collections::BTreeMap;

use posthorn_html::page::{Heading, Look, Source};
use posthorn_mime::Parsed;
use posthorn_mime::text::linkify;
use posthorn_model::{Address, Envelope};

use crate::date;

/// Text set as a page, in bytes and lines: enough to read on paper, little enough to be laid out in time whatever it
/// holds.
const MAX_PLAIN: usize = 64 * 1024;
const MAX_LINES: usize = 1_500;
/// Lines of a block.
const BLOCK: usize = 40;

#[must_use]
pub fn source(raw: &[u8], parsed: &Parsed, look: Look) -> Source {
    match &parsed.html {
        Some(html) => Source {
            html: html.clone(),
            parts: posthorn_mime::related_parts(raw)
                .into_iter()
                .map(|(name, related)| (name, related.bytes))
                .collect(),
            fetched: BTreeMap::new(),
            look,
        },
        None => plain(None, parsed.text.as_deref().unwrap_or_default(), look),
    }
}

/// What stands above it on paper.
#[must_use]
pub fn heading(envelope: &Envelope) -> Heading {
    let people = |addresses: &[Address]| {
        let names: Vec<String> = addresses.iter().map(ToString::to_string).collect();
        names.join(", ")
    };
    let fields = [
        ("From", people(&envelope.from)),
        ("To", people(&envelope.to)),
        ("Cc", people(&envelope.cc)),
        ("Date", envelope.date.map(date::say_in_full).unwrap_or_default()),
    ];
    Heading {
        title: envelope.subject.clone(),
        fields: fields
            .into_iter()
            .filter(|(_, value)| !value.is_empty())
            .map(|(name, value)| (name.to_owned(), value))
            .collect(),
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
    let start = text.get(..text.floor_char_boundary(MAX_PLAIN)).unwrap_or(text);
    let lines: Vec<&str> = start.lines().take(MAX_LINES).collect();
    // Painting can skip a block that is not seen; a block for each line would cost more than it saves.
    for block in lines.chunks(BLOCK) {
        html.push_str("<div style=\"white-space: pre-wrap; overflow-wrap: anywhere\">");
        for span in linkify(&block.join("\n")) {
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
        // The last line break of a block is not drawn: an empty line at its end needs one more.
        if block.last().is_some_and(|line| line.is_empty()) {
            html.push('\n');
        }
        html.push_str("</div>");
    }
    if start.len() < text.len() || start.lines().nth(MAX_LINES).is_some() {
        html.push_str("<p style=\"color: #767676\">Only the beginning of this text is drawn.</p>");
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
        assert!(html("a\n\nb").contains(">a\n\nb</div>"));
        let check = |text: String, is_cut: bool| {
            let page = html(&text);
            assert_eq!(
                page.contains("Only the beginning"),
                is_cut,
                "{} bytes",
                text.len()
            );
            assert!(page.len() < 2 * MAX_PLAIN, "{}", page.len());
        };
        check("x".repeat(MAX_PLAIN), false);
        check("ü".repeat(MAX_PLAIN), true);
        check("x\n".repeat(MAX_LINES), false);
        check("x\n".repeat(MAX_LINES + 1), true);
    }
}
