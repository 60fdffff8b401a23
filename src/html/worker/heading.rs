//! What stands above a printed message, as a page of its own: nothing in the message can reach it.

use std::collections::BTreeMap;

use crate::document::Document;
use crate::page::{Heading, Look, Source};

/// Characters of one value: a message to a whole town is not printed with all its names.
const MAX_VALUE: usize = 400;
const MAX_FIELDS: usize = 12;

/// `None` where there is nothing to say, or it cannot be laid out: the message is printed all the same.
pub fn open(heading: &Heading, look: Look) -> Option<Document> {
    if heading.title.is_empty() && heading.fields.is_empty() {
        return None;
    }
    let source = Source {
        html: to_html(heading),
        parts: BTreeMap::new(),
        fetched: BTreeMap::new(),
        look,
    };
    Document::open(source)
        .inspect_err(|failure| log::info!("What stands above a printed message was left out: {failure:?}."))
        .ok()
}

fn to_html(heading: &Heading) -> String {
    let mut html = String::from(
        "<body style=\"margin:0 8px;font-family:sans-serif;font-size:13px;line-height:1.4;color:#000\">\
         <div style=\"border-bottom:1px solid #999;padding-bottom:10px;margin-bottom:16px\">",
    );
    if !heading.title.is_empty() {
        html.push_str("<div style=\"font-size:19px;font-weight:bold;margin-bottom:8px\">");
        write(&heading.title, &mut html);
        html.push_str("</div>");
    }
    html.push_str("<table style=\"border-collapse:collapse;font-size:13px\">");
    for (name, value) in heading.fields.iter().take(MAX_FIELDS) {
        html.push_str(
            "<tr><td style=\"padding:0 14px 0 0;vertical-align:top;white-space:nowrap;color:#555\">",
        );
        write(name, &mut html);
        html.push_str("</td><td style=\"padding:0;vertical-align:top;overflow-wrap:anywhere\">");
        write(value, &mut html);
        html.push_str("</td></tr>");
    }
    html.push_str("</table></div></body>");
    html
}

fn write(text: &str, html: &mut String) {
    for (n, c) in text.chars().enumerate() {
        match c {
            _ if n == MAX_VALUE => return html.push('…'),
            '&' => html.push_str("&amp;"),
            '<' => html.push_str("&lt;"),
            '>' => html.push_str("&gt;"),
            c if c.is_control() => html.push(' '),
            c => html.push(c),
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn names_are_text_and_bounded() {
        let heading = Heading {
            title: "<b>Hi</b>\n& bye".into(),
            fields: vec![("From".into(), "x".repeat(5_000))],
        };
        let html = to_html(&heading);
        assert!(html.contains("&lt;b&gt;Hi&lt;/b&gt; &amp; bye"), "{html}");
        assert!(html.contains("x…</td>") && html.len() < 2_000, "{}", html.len());
    }
}
