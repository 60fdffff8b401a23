//! What each element looks like as text.

use html5ever::LocalName;
use html5ever::tokenizer::Tag;

use crate::layout::Layout;
use crate::style::{attribute, is_hidden, safe_url};
use crate::to_text::{HtmlText, Link};

/// Open elements remembered; deeper ones are counted only.
const MAX_OPEN: usize = 256;
const MAX_LINKS: usize = 5_000;
/// Longest text of a link that is listed, in characters.
const MAX_LINK_TEXT: usize = 200;

#[derive(Debug, PartialEq, Eq)]
enum Effect {
    Nothing,
    /// The line breaks that it owes on closing.
    Block(usize),
    Quote,
    List {
        next: Option<u32>,
    },
    Item,
    Preformatted,
    Hidden,
    Link {
        mark: usize,
        url: String,
    },
}

#[derive(Debug)]
struct Open {
    /// Interned: comparing two costs nothing.
    name: LocalName,
    effect: Effect,
}

#[derive(Debug, Default)]
pub(crate) struct Renderer {
    layout: Layout,
    links: Vec<Link>,
    open: Vec<Open>,
    /// Elements open beyond [`MAX_OPEN`].
    beyond: usize,
    hidden: usize,
    preformatted: usize,
}

impl Renderer {
    pub(crate) fn is_full(&self) -> bool {
        self.layout.is_full()
    }

    pub(crate) fn push_text(&mut self, text: &str) {
        if self.hidden > 0 {
            return;
        }
        if self.preformatted > 0 {
            self.layout.push_verbatim(text);
        } else {
            self.layout.push_folded(text);
        }
    }

    pub(crate) fn open(&mut self, tag: &Tag) {
        let name: &str = &tag.name;
        self.close_implied(name);
        if matches!(
            name,
            "img"
                | "br"
                | "hr"
                | "wbr"
                | "input"
                | "meta"
                | "link"
                | "base"
                | "col"
                | "area"
                | "embed"
                | "source"
                | "track"
                | "param"
        ) {
            if self.hidden == 0 {
                self.show_void(name, tag);
            }
            return;
        }
        let effect = self.begin(name, tag);
        match &effect {
            Effect::Hidden => self.hidden += 1,
            Effect::Preformatted => self.preformatted += 1,
            Effect::Quote => self.layout.quotes += 1,
            Effect::Item => self.layout.indent += 1,
            _ => {}
        }
        if self.open.len() < MAX_OPEN {
            self.open.push(Open {
                name: tag.name.clone(),
                effect,
            });
        } else {
            self.undo(&effect);
            self.beyond += 1;
        }
    }

    fn show_void(&mut self, name: &str, tag: &Tag) {
        match name {
            "br" if self.preformatted > 0 => self.layout.push_verbatim("\n"),
            "br" => self.layout.break_hard(),
            "hr" => {
                self.layout.break_lines(1);
                self.layout.push_folded("----------");
                self.layout.break_lines(1);
            }
            "img" => {
                let tiny =
                    |name: &str| attribute(tag, name).is_some_and(|size| matches!(size.trim(), "0" | "1"));
                let alt = attribute(tag, "alt").map(str::trim).unwrap_or_default();
                let pixel = tiny("width") && tiny("height");
                if !alt.is_empty() && !pixel && !is_hidden(tag) {
                    let short: String = alt.chars().take(1_000).collect();
                    self.layout.push_folded("[");
                    self.layout.push_folded(&short);
                    self.layout.push_folded("]");
                }
            }
            _ => {}
        }
    }

    /// What an element does when it opens, and what it will undo when it closes.
    fn begin(&mut self, name: &str, tag: &Tag) -> Effect {
        let dropped = matches!(
            name,
            "script"
                | "style"
                | "title"
                | "template"
                | "iframe"
                | "noembed"
                | "noframes"
                | "svg"
                | "select"
                | "audio"
                | "video"
                | "canvas"
        );
        if dropped || is_hidden(tag) {
            return Effect::Hidden;
        }
        if self.hidden > 0 {
            return Effect::Nothing;
        }
        match name {
            "p" | "h1" | "h2" | "h3" | "h4" | "h5" | "h6" | "dl" | "figure" => self.block(2),
            "div" | "section" | "article" | "header" | "footer" | "main" | "nav" | "aside" | "address"
            | "form" | "fieldset" | "table" | "caption" | "center" | "figcaption" | "dt" | "dd" | "tr"
            | "body" | "details" | "summary" | "legend" => self.block(1),
            "td" | "th" => {
                if self.layout.has_begun_line() {
                    self.layout.push_folded(" | ");
                }
                Effect::Nothing
            }
            "blockquote" => {
                self.layout.break_lines(2);
                Effect::Quote
            }
            "pre" | "xmp" | "listing" => {
                self.layout.break_lines(2);
                self.layout.drops_line_break = true;
                Effect::Preformatted
            }
            "ul" | "menu" => self.list(None),
            "ol" => {
                let start = attribute(tag, "start").and_then(|start| start.trim().parse().ok());
                self.list(Some(start.unwrap_or(1)))
            }
            "li" => self.item(tag),
            "a" => match attribute(tag, "href").and_then(safe_url) {
                Some(url) => Effect::Link {
                    mark: self.layout.mark(),
                    url,
                },
                None => Effect::Nothing,
            },
            _ => Effect::Nothing,
        }
    }

    fn block(&mut self, breaks: usize) -> Effect {
        self.layout.break_lines(breaks);
        Effect::Block(breaks)
    }

    fn list(&mut self, next: Option<u32>) -> Effect {
        let nested = self
            .open
            .iter()
            .any(|open| matches!(open.effect, Effect::List { .. }));
        self.layout.break_lines(if nested { 1 } else { 2 });
        Effect::List { next }
    }

    fn item(&mut self, tag: &Tag) -> Effect {
        self.layout.break_lines(1);
        let list = self
            .open
            .iter_mut()
            .rev()
            .find_map(|open| match &mut open.effect {
                Effect::List { next } => Some(next),
                _ => None,
            });
        let marker = match list {
            Some(Some(next)) => {
                let number = attribute(tag, "value")
                    .and_then(|value| value.trim().parse().ok())
                    .unwrap_or(*next);
                *next = number.saturating_add(1);
                format!("{number}. ")
            }
            _ => "• ".to_owned(),
        };
        self.layout.push_folded(&marker);
        Effect::Item
    }

    pub(crate) fn close(&mut self, name: &LocalName) {
        match &**name {
            // `</p>` alone is an empty paragraph, `</br>` a break (HTML section 13.2.6.4.7).
            "p" if !self.open.iter().any(|open| &*open.name == "p") => self.layout.break_lines(2),
            "br" => self.layout.break_hard(),
            _ => {}
        }
        if self.beyond > 0 {
            self.beyond -= 1;
            return;
        }
        // A cell does not let an end tag out of its table, unless that ends the table.
        let fence = |open: &Open| matches!(&*open.name, "td" | "th" | "table") && !is_table_part(name);
        for (at, open) in self.open.iter().enumerate().rev() {
            if open.name == *name {
                self.close_down_to(at);
                return;
            }
            if fence(open) {
                return;
            }
        }
    }

    /// End tags that people leave out: an item ends at the next one, a paragraph at the next block.
    fn close_implied(&mut self, name: &str) {
        let (ends, fences): (&[&str], &[&str]) = match name {
            "li" => (&["li"], &["ul", "ol", "menu"]),
            "dt" | "dd" => (&["dt", "dd"], &["dl"]),
            "td" | "th" => (&["td", "th"], &["table", "tr"]),
            "tr" => (&["tr"], &["table"]),
            "tbody" | "thead" | "tfoot" => (&["tbody", "thead", "tfoot"], &["table"]),
            "option" => (&["option"], &["select"]),
            "a" => (&["a"], &["td", "th", "table"]),
            "p" | "div" | "ul" | "ol" | "dl" | "table" | "blockquote" | "pre" | "h1" | "h2" | "h3" | "h4"
            | "h5" | "h6" | "hr" | "section" | "article" | "center" | "form" => {
                (&["p"], &["td", "th", "table", "div", "li", "blockquote"])
            }
            _ => return,
        };
        if self.beyond > 0 {
            return;
        }
        for (at, open) in self.open.iter().enumerate().rev() {
            if ends.contains(&&*open.name) {
                self.close_down_to(at);
                return;
            }
            if fences.contains(&&*open.name) {
                return;
            }
        }
    }

    fn close_down_to(&mut self, at: usize) {
        while self.open.len() > at {
            let Some(open) = self.open.pop() else {
                return;
            };
            self.undo(&open.effect);
        }
    }

    fn undo(&mut self, effect: &Effect) {
        match effect {
            Effect::Nothing => {}
            Effect::Block(breaks) => self.layout.break_lines(*breaks),
            Effect::Quote => {
                self.layout.break_lines(2);
                self.layout.quotes -= 1;
            }
            Effect::List { .. } => {
                let nested = self
                    .open
                    .iter()
                    .any(|open| matches!(open.effect, Effect::List { .. }));
                self.layout.break_lines(if nested { 1 } else { 2 });
            }
            Effect::Item => {
                self.layout.break_lines(1);
                self.layout.indent -= 1;
            }
            Effect::Preformatted => {
                self.layout.break_lines(2);
                self.preformatted -= 1;
            }
            Effect::Hidden => self.hidden -= 1,
            Effect::Link { mark, url } => self.add_link(*mark, url),
        }
    }

    fn add_link(&mut self, mark: usize, url: &str) {
        if self.links.len() >= MAX_LINKS {
            return;
        }
        let shown = self.layout.since(mark);
        let words = shown
            .split_whitespace()
            .filter(|word| !word.chars().all(|c| c == '>'));
        let mut text = String::new();
        for word in words {
            if text.chars().count() >= MAX_LINK_TEXT {
                break;
            }
            if !text.is_empty() {
                text.push(' ');
            }
            text.extend(word.chars().take(MAX_LINK_TEXT));
        }
        if text.is_empty() {
            url.clone_into(&mut text);
        }
        let url = url.to_owned();
        self.links.push(Link { text, url });
    }

    pub(crate) fn finish(mut self, cut: bool) -> HtmlText {
        self.close_down_to(0);
        let truncated = cut || self.layout.is_full();
        let mut text = self.layout.finish();
        if truncated {
            text.push_str("\n\n[The rest of this message is not shown here: it is too long or too tangled.]");
        }
        HtmlText {
            text: text.trim_start_matches('\n').to_owned(),
            links: self.links,
            truncated,
        }
    }
}

fn is_table_part(name: &str) -> bool {
    matches!(
        name,
        "td" | "th" | "tr" | "table" | "tbody" | "thead" | "tfoot" | "body" | "html"
    )
}

#[cfg(test)]
mod tests {
    use crate::to_text;

    fn check(html: &str, expect: &str) {
        assert_eq!(to_text(html).text, expect, "{html:?}");
    }

    #[test]
    fn renders_blocks() {
        check("<p>One</p><p>two</p>", "One\n\ntwo");
        check("<div>a</div><div>b</div>c", "a\nb\nc");
        check("a<br>b<br><br>c", "a\nb\n\nc");
        check("<h1>Title</h1>text", "Title\n\ntext");
        check("  lots \n of <b> space </b> here ", "lots of space here");
        check("a<b>b</b>c", "abc");
        check("x<hr>y", "x\n----------\ny");
        check("<p>one<p>two<div>three", "one\n\ntwo\n\nthree");
        check("", "");
        check("plain", "plain");
    }

    #[test]
    fn renders_lists() {
        check("<ul><li>one<li>two</ul>", "• one\n• two");
        check("a<ol start=3><li>x</li><li>y</li></ol>b", "a\n\n3. x\n4. y\n\nb");
        check(
            "<ul><li>a<ul><li>b</li></ul></li><li>c</li></ul>",
            "• a\n  • b\n• c",
        );
    }

    #[test]
    fn renders_quotes() {
        check(
            "a<blockquote>b<br>c<blockquote>d</blockquote></blockquote>e",
            "a\n\n> b\n> c\n>\n>> d\n\ne",
        );
        check("<blockquote><p>x</p><p>y</p></blockquote>", "> x\n>\n> y");
    }

    #[test]
    fn renders_tables_row_by_row() {
        check(
            "<table><tr><td>a</td><td>b</td></tr><tr><td>c<td>d</table>",
            "a | b\nc | d",
        );
        check(
            "<table><tr><td><table><tr><td>in</td></tr></table></td></tr></table>out",
            "in\nout",
        );
        check("<table><tr><td></td><td>x</td></tr></table>", "x");
    }

    #[test]
    fn keeps_preformatted_text() {
        check("<pre>a\n  b\n\nc</pre>d", "a\n  b\n\nc\n\nd");
        check("x<pre>\na\n\n\nb\n</pre>d", "x\n\na\n\n\nb\n\nd");
        check("<blockquote><pre>a\n\nb</pre></blockquote>", "> a\n>\n> b");
    }

    #[test]
    fn drops_what_is_not_for_the_eye() {
        check(
            "<head><title>t</title><style>p{}</style></head><script>if (a<b) x()</script>shown",
            "shown",
        );
        check("<div style='display: none'>pre<b>header</b></div>shown", "shown");
        check("<span style=\"DISPLAY:NONE !important\">x</span>y", "y");
        check("<div hidden>x<div>y</div></div>z", "z");
        check("<div style='max-height:0;overflow:hidden'>x</div>y", "y");
        check(
            "<td style='font-size:0'><p style='font-size:14px'>kept</p></td>",
            "kept",
        );
        check(
            "pre&zwnj;&nbsp;&zwnj;&nbsp;\u{200b}\u{feff}\u{ad}x",
            "pre\u{200c} x",
        );
        check("👩\u{200d}💻", "👩\u{200d}💻");
        check(
            "<!-- c -->a<!--[if mso]>no<![endif]-->b<!--[if !mso]><!-->c<!--<![endif]-->",
            "abc",
        );
        check("x\u{202e}y\0\u{7}z", "xyz");
        check("<p hidden>a<p>b", "b");
        check("<li hidden>a<li>b", "• b");
    }

    #[test]
    fn decodes_entities() {
        check(
            "caf&eacute; &amp;lt; &#8364; &#x20ac; &bogus; a&nbsp;b &copy",
            "café &lt; € € &bogus; a b ©",
        );
    }

    #[test]
    fn names_pictures() {
        check("<img alt='A chart' src=http://x.example/t.png>", "[A chart]");
        check(
            "<img src=x><img alt='' src=y><img alt=pixel width=1 height=1>",
            "",
        );
    }

    #[test]
    fn lists_links() {
        let check = |html: &str, text: &str, links: &[(&str, &str)]| {
            let read = to_text(html);
            let got: Vec<_> = read
                .links
                .iter()
                .map(|link| (link.text.as_str(), link.url.as_str()))
                .collect();
            assert_eq!((read.text.as_str(), got.as_slice()), (text, links), "{html:?}");
        };
        check(
            "see <a href='https://x.example/'>this <b>page</b></a>.",
            "see this page.",
            &[("this page", "https://x.example/")],
        );
        check("<a href=mailto:a@b>mail</a>", "mail", &[("mail", "mailto:a@b")]);
        check(
            "<a href=javascript:alert(1)>x</a><a href=file:///x>y</a><a href=/r>z</a>",
            "xyz",
            &[],
        );
        check(
            "<a href=https://x.example/><img src=y></a>",
            "",
            &[("https://x.example/", "https://x.example/")],
        );
        check(
            "<a href=https://x.example/>never closed",
            "never closed",
            &[("never closed", "https://x.example/")],
        );
        check(
            "<a href=http://a.example>a<a href=http://b.example>b</a>",
            "ab",
            &[("a", "http://a.example"), ("b", "http://b.example")],
        );
        check("<div hidden><a href=https://x.example>x</a></div>", "", &[]);
    }

    #[test]
    fn mended_markup_stays_readable() {
        check("</div></p>a</b></table>b", "ab");
        check("<table><tr><td>a</div>b</table>c", "ab\nc");
        check("<b><p>x</b>y</p>z", "x\n\ny\n\nz");
    }
}
