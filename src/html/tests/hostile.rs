//! Bounds: nesting, length and tangles cost neither stack nor time nor memory. Sizes are such that quadratic work
//! would be noticed.

use posthorn_html::to_text;

#[test]
fn deep_nesting_costs_no_stack() {
    for tag in [
        "div",
        "blockquote",
        "b",
        "ul><li",
        "table><tr><td",
        "a href=http://x.example",
        "pre",
        "span hidden",
    ] {
        let name = tag.split([' ', '>']).next().unwrap();
        for count in [1_000, 10_000] {
            let html = format!(
                "{}deep{}after",
                format!("<{tag}>").repeat(count),
                format!("</{name}>").repeat(count)
            );
            let text = to_text(&html).text;
            assert!(
                text.contains("after") || tag.contains("hidden") || tag.contains('>'),
                "{tag} {count}"
            );
        }
    }
}

#[test]
fn long_mail_is_cut_and_says_so() {
    let read = to_text(&"<p>some words in a paragraph of its own</p>".repeat(100_000));
    assert!(read.truncated);
    assert!(read.text.ends_with("too long or too tangled.]"));
    assert!(read.text.len() <= 2 * 1024 * 1024 + 200, "{}", read.text.len());
    let read = to_text(&"x".repeat(3_000_000));
    assert!(read.truncated && read.text.len() <= 2 * 1024 * 1024 + 200);
}

#[test]
fn tangled_tags_are_given_up() {
    let attributes: String = (0..100_000).map(|n| format!(" a{n}")).collect();
    for html in [
        format!("before<p{attributes}>after"),
        format!("before<p{}>after", attributes.replace(' ', "/")),
        format!("before<p{}>after", attributes.replace(' ', "=\"\"")),
    ] {
        let read = to_text(&html);
        assert!(read.truncated && read.text.starts_with("before"), "{}", read.text);
    }
}

#[test]
fn long_comments_and_pictures_are_passed_over() {
    let html = format!(
        "a<!-- {} -->b<img src=\"data:image/png;base64,{}\">c",
        "x y ".repeat(100_000),
        "ab/+".repeat(100_000)
    );
    let read = to_text(&html);
    assert_eq!((read.text.as_str(), read.truncated), ("abc", false));
}

#[test]
fn repeated_pieces_cost_one_pass() {
    for piece in [
        "<",
        "&",
        "<!--",
        "<!",
        "</",
        "<a ",
        "data:",
        "&amp",
        "<td>",
        "</td>",
        "<li>",
        "<p>",
        "<br>",
        "&#",
        "<![CDATA[",
        "<script>",
    ] {
        let _ = to_text(&piece.repeat(100_000 / piece.len()));
    }
}
