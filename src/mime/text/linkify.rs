//! Finding links in plain text. Only what a reader may open: web and mail addresses.

use linkify::{LinkFinder, LinkKind};

/// A piece of text, and where it leads.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Span<'x> {
    pub text: &'x str,
    /// `http:`, `https:` or `mailto:`; `None` for plain text.
    pub url: Option<String>,
}

/// Cuts text into spans that, joined, are the text again.
#[must_use]
pub fn linkify(text: &str) -> Vec<Span<'_>> {
    let mut finder = LinkFinder::new();
    finder.kinds(&[LinkKind::Url, LinkKind::Email]);
    // For `www.` only: a bare domain is as often the name of a file.
    finder.url_must_have_scheme(false);
    let mut out: Vec<Span<'_>> = Vec::new();
    for span in finder.spans(text) {
        let url = match span.kind() {
            Some(LinkKind::Url) if is_web_name(span.as_str()) => {
                safe_url(&format!("https://{}", span.as_str()))
            }
            Some(LinkKind::Url) => safe_url(span.as_str()),
            Some(LinkKind::Email) => Some(format!("mailto:{}", span.as_str())),
            _ => None,
        };
        out.push(Span {
            text: span.as_str(),
            url,
        });
    }
    out
}

fn is_web_name(text: &str) -> bool {
    text.get(..4)
        .is_some_and(|start| start.eq_ignore_ascii_case("www."))
}

/// The URL where its scheme is one that a reader may open; everything else is shown, never opened.
#[must_use]
pub fn safe_url(url: &str) -> Option<String> {
    let url = url.trim();
    let (scheme, rest) = url.split_once(':')?;
    let allowed = ["http", "https", "mailto"]
        .iter()
        .any(|known| known.eq_ignore_ascii_case(scheme));
    let clean = !url.contains(|c: char| c.is_control() || c.is_whitespace() || crate::word::is_override(c));
    let web = scheme.eq_ignore_ascii_case("mailto") || rest.starts_with("//");
    (allowed && clean && web && url.len() <= 8 * 1024).then(|| url.to_owned())
}

/// `%40` and the like; what is no escape stays.
pub(crate) fn percent_decode(text: &str) -> String {
    if !text.contains('%') {
        return text.to_owned();
    }
    let mut out = Vec::with_capacity(text.len());
    let mut rest = text.as_bytes();
    while let [byte, tail @ ..] = rest {
        rest = tail;
        if let (b'%', [high, low, tail @ ..]) = (byte, tail)
            && let (Some(high), Some(low)) = (crate::decode::hex(*high), crate::decode::hex(*low))
        {
            out.push(high << 4 | low);
            rest = tail;
        } else {
            out.push(*byte);
        }
    }
    String::from_utf8_lossy(&out).into_owned()
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn finds_links() {
        let check = |text: &str, expect: &[&str]| {
            let spans = linkify(text);
            assert_eq!(spans.iter().map(|span| span.text).collect::<String>(), text);
            let urls: Vec<_> = spans.iter().filter_map(|span| span.url.as_deref()).collect();
            assert_eq!(urls, expect, "{text:?}");
        };
        check(
            "see https://example.org/a_(b). Bye",
            &["https://example.org/a_(b)"],
        );
        check("<http://example.org>", &["http://example.org"]);
        check("write a.b@example.org now", &["mailto:a.b@example.org"]);
        check("file:///etc/passwd ftp://x.example javascript:alert(1)", &[]);
        check("data:text/html,x", &[]);
        check(
            "see www.example.org/a, main.rs and example.org",
            &["https://www.example.org/a"],
        );
        check("nothing", &[]);
        check("", &[]);
    }

    #[test]
    fn refuses_other_schemes() {
        for (url, expect) in [
            ("https://example.org", true),
            ("HTTP://example.org", true),
            ("mailto:a@b", true),
            ("javascript:alert(1)", false),
            ("java\nscript:x", false),
            ("file:///x", false),
            ("http:x", false),
            ("https://a\u{202e}b", false),
            ("//example.org", false),
            ("", false),
        ] {
            assert_eq!(safe_url(url).is_some(), expect, "{url:?}");
        }
    }
}
