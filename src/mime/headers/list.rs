//! Mailing lists: `List-Id` (RFC 2919), `List-Post` and `List-Unsubscribe` (RFC 2369), one click (RFC 8058).

use crate::defect::Defects;
use crate::field::{Block, FieldName};
use crate::text::linkify::safe_url;
use crate::word;

/// What a mailing list says about itself; all empty for other mail.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct ListHeaders {
    /// The identifier without its description and angle brackets.
    pub id: Option<String>,
    /// The address to post to.
    pub post: Option<String>,
    /// `https:` and `mailto:` only, in the sender's order.
    pub unsubscribe: Vec<String>,
    /// Whether a POST to the `https:` one unsubscribes without a further question.
    pub one_click: bool,
}

impl ListHeaders {
    pub(crate) fn read(block: &Block<'_>) -> Self {
        let line = |name: FieldName| {
            let value = block.first(name)?;
            let value = value.get(..8 * 1024).unwrap_or(value);
            Some(word::to_line(value, None, &mut Defects::default()))
        };
        let unsubscribe: Vec<String> = line(FieldName::ListUnsubscribe)
            .map(|line| bracketed(&line))
            .unwrap_or_default()
            .into_iter()
            .filter(|url| !url.to_ascii_lowercase().starts_with("http:"))
            .filter_map(|url| safe_url(&url))
            .take(10)
            .collect();
        let one_click = line(FieldName::ListUnsubscribePost)
            .is_some_and(|line| line.trim().eq_ignore_ascii_case("List-Unsubscribe=One-Click"));
        let post = line(FieldName::ListPost)
            .map(|line| bracketed(&line))
            .unwrap_or_default();
        Self {
            id: line(FieldName::ListId).and_then(|line| {
                let id = bracketed(&line)
                    .into_iter()
                    .next_back()
                    .unwrap_or_else(|| line.trim().to_owned());
                (!id.is_empty() && id.len() <= 255).then_some(id)
            }),
            post: post.iter().find_map(|url| {
                let address = url
                    .get(..7)
                    .filter(|scheme| scheme.eq_ignore_ascii_case("mailto:"))
                    .and(url.get(7..))?;
                address.split('?').next().map(str::to_owned)
            }),
            one_click: one_click && unsubscribe.iter().any(|url| url.starts_with("https:")),
            unsubscribe,
        }
    }
}

/// What stands in angle brackets, without white space.
fn bracketed(line: &str) -> Vec<String> {
    line.split('<')
        .skip(1)
        .filter_map(|piece| piece.split_once('>'))
        .map(|(inner, _)| inner.chars().filter(|c| !c.is_whitespace()).collect())
        .collect()
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::field::read_block;

    #[test]
    fn reads_list_headers() {
        let raw = b"List-Id: Our list <list.example.org>\r\nList-Post: <mailto:list@example.org?x=y>\r\n\
            List-Unsubscribe: <https://example.org/u?x>,\r\n <mailto:list-request@example.org>, <http://plain.example>,\r\n\
            \t<javascript:alert(1)>\r\nList-Unsubscribe-Post: List-Unsubscribe=One-Click\r\n\r\n";
        let list = ListHeaders::read(&read_block(raw, 0, |_| false, &mut Defects::default()));
        assert_eq!(list.id.as_deref(), Some("list.example.org"));
        assert_eq!(list.post.as_deref(), Some("list@example.org"));
        assert_eq!(
            list.unsubscribe,
            ["https://example.org/u?x", "mailto:list-request@example.org"]
        );
        assert!(list.one_click);
        let none = ListHeaders::read(&read_block(b"To: a\n\n", 0, |_| false, &mut Defects::default()));
        assert_eq!(none, ListHeaders::default());
    }
}
