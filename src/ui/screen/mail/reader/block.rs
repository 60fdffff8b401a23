//! A message's text as blocks: runs of one quote depth, short enough to lay out one by one, with its links.

use posthorn_mime::text::{linkify, quote_lines};

/// Lines in one block, at most: a block is the unit that is shaped anew.
const LINES: usize = 40;

/// A run of lines of one depth.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Block {
    /// 0: the writer's own words.
    pub depth: usize,
    pub spans: Vec<Span>,
}

/// A piece of text, and where it leads.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Span {
    pub text: String,
    pub url: Option<String>,
}

/// Cuts text into blocks. `links` are those of the HTML that the text was made from, in the text's order.
#[must_use]
pub fn blocks(text: &str, links: &[posthorn_html::Link]) -> Vec<Block> {
    let mut out: Vec<Block> = Vec::new();
    let mut run = String::new();
    let mut lines = 0;
    let mut depth = 0;
    let mut links = links.iter().peekable();
    for line in quote_lines(text) {
        if line.depth != depth || lines >= LINES {
            flush(&mut out, depth, &mut run, &mut links);
            lines = 0;
            depth = line.depth;
        }
        if lines > 0 {
            run.push('\n');
        }
        run.push_str(line.text.trim_end());
        lines += 1;
    }
    flush(&mut out, depth, &mut run, &mut links);
    out
}

type Links<'a> = std::iter::Peekable<std::slice::Iter<'a, posthorn_html::Link>>;

fn flush(out: &mut Vec<Block>, depth: usize, run: &mut String, links: &mut Links<'_>) {
    let text = std::mem::take(run);
    if text.is_empty() {
        return;
    }
    let mut spans = Vec::new();
    let mut rest = text.as_str();
    // A link whose words are not found ahead was part of what the text leaves out: it must not hold up the others.
    while let Some(link) = links.peek() {
        let Some((before, after)) = rest
            .split_once(link.text.trim())
            .filter(|_| !link.text.trim().is_empty())
        else {
            break;
        };
        plain(&mut spans, before);
        spans.push(Span {
            text: link.text.trim().to_owned(),
            url: Some(link.url.clone()),
        });
        rest = after;
        links.next();
    }
    plain(&mut spans, rest);
    out.push(Block { depth, spans });
}

fn plain(spans: &mut Vec<Span>, text: &str) {
    spans.extend(
        linkify(text)
            .into_iter()
            .filter(|span| !span.text.is_empty())
            .map(|span| Span {
                text: span.text.to_owned(),
                url: span.url,
            }),
    );
}

#[cfg(test)]
mod tests {
    use super::*;

    fn depths(text: &str) -> Vec<(usize, String)> {
        blocks(text, &[])
            .into_iter()
            .map(|block| {
                (
                    block.depth,
                    block.spans.iter().map(|span| span.text.as_str()).collect(),
                )
            })
            .collect()
    }

    #[test]
    fn a_block_has_one_depth() {
        assert_eq!(
            depths("Yes.\n\n> Shall we?\n>> When?\n> Tomorrow\nBye"),
            [
                (0, "Yes.\n".to_owned()),
                (1, "Shall we?".to_owned()),
                (2, "When?".to_owned()),
                (1, "Tomorrow".to_owned()),
                (0, "Bye".to_owned())
            ]
        );
        assert_eq!(depths(""), []);
    }

    #[test]
    fn long_texts_are_cut_into_blocks() {
        let text = "line\n".repeat(1000);
        let all = blocks(&text, &[]);
        assert_eq!(all.len(), 1000 / LINES);
    }

    #[test]
    fn addresses_become_links_and_nothing_else_does() {
        let all = blocks("See https://example.org/a and javascript:alert(1)", &[]);
        let urls: Vec<_> = all
            .iter()
            .flat_map(|block| &block.spans)
            .filter_map(|span| span.url.as_deref())
            .collect();
        assert_eq!(urls, ["https://example.org/a"]);
    }

    #[test]
    fn html_links_are_found_in_their_order() {
        let link = |text: &str, url: &str| posthorn_html::Link {
            text: text.into(),
            url: url.into(),
        };
        let links = [
            link("here", "https://a.example"),
            link("here", "https://b.example"),
        ];
        let all = blocks("Look here\nand here.", &links);
        let urls: Vec<_> = all
            .iter()
            .flat_map(|block| &block.spans)
            .filter_map(|span| span.url.as_deref())
            .collect();
        assert_eq!(urls, ["https://a.example", "https://b.example"]);
    }
}
