//! What inline styles and attributes hide. Style sheets are not read: mail that hides by class shows its preheader.

use html5ever::tokenizer::Tag;

/// An attribute's value.
pub(crate) fn attribute<'x>(tag: &'x Tag, name: &str) -> Option<&'x str> {
    tag.attrs
        .iter()
        .find(|attribute| &*attribute.name.local == name)
        .map(|attribute| &*attribute.value)
}

/// Whether the element and what is in it is not for the eye.
pub(crate) fn is_hidden(tag: &Tag) -> bool {
    if attribute(tag, "hidden").is_some() {
        return true;
    }
    let Some(style) = attribute(tag, "style") else {
        return false;
    };
    let (mut flat, mut clips) = (false, false);
    for declaration in style.split(';').take(100) {
        let Some((name, value)) = declaration.split_once(':') else {
            continue;
        };
        let name = name.trim().to_ascii_lowercase();
        let value = value.trim().to_ascii_lowercase();
        let value = value.trim_end_matches("!important").trim_end();
        match (name.as_str(), value) {
            ("display", "none") | ("visibility", "hidden" | "collapse") | ("mso-hide", "all") => return true,
            ("opacity", "0" | "0.0" | "0%") => return true,
            ("max-height" | "height", "0" | "0px") => flat = true,
            ("overflow", "hidden") => clips = true,
            _ => {}
        }
    }
    flat && clips
}

/// The address where its scheme is one that a reader may open.
pub(crate) fn safe_url(url: &str) -> Option<String> {
    // Browsers drop these within an address (URL standard section 4.4).
    let url: String = url
        .trim()
        .chars()
        .filter(|c| !matches!(c, '\t' | '\n' | '\r'))
        .collect();
    let (scheme, rest) = url.split_once(':')?;
    let web = scheme.eq_ignore_ascii_case("http") || scheme.eq_ignore_ascii_case("https");
    let allowed = (web && rest.starts_with("//")) || scheme.eq_ignore_ascii_case("mailto");
    let clean = !url
        .chars()
        .any(|c| c.is_control() || matches!(c, '\u{202a}'..='\u{202e}' | '\u{2066}'..='\u{2069}'));
    (allowed && clean && url.len() <= 8 * 1024).then_some(url)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn allows_web_and_mail_only() {
        for (url, expect) in [
            ("https://example.org/a b", Some("https://example.org/a b")),
            (" HTTP://example.org ", Some("HTTP://example.org")),
            ("mailto:a@b", Some("mailto:a@b")),
            ("ht\ntps://example.org", Some("https://example.org")),
            ("java\tscript:alert(1)", None),
            ("javascript:alert(1)", None),
            ("data:text/html,x", None),
            ("file:///etc/passwd", None),
            ("cid:x", None),
            ("//example.org", None),
            ("/relative", None),
            ("", None),
        ] {
            assert_eq!(safe_url(url).as_deref(), expect, "{url:?}");
        }
    }
}
