//! What the user typed, as a search. Nothing of it reaches FTS5 but quoted strings, so that no input is a syntax
//! error there.

use posthorn_model::{Flag, MessageId, Timestamp};

use super::FLAG_WORDS;
use super::bigram::{is_cjk, pairs};

/// Whether the last word may still grow.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Typing {
    /// It is a beginning: `meet` finds "meeting".
    Unfinished,
    Finished,
}

#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) enum Filter {
    With(Flag),
    Without(Flag),
    Attachment,
}

#[derive(Clone, Debug, PartialEq, Eq)]
pub(super) struct Query {
    /// FTS5's; `None` where there are no words.
    pub(super) expression: Option<String>,
    pub(super) filters: Vec<Filter>,
    /// Included.
    pub(super) from: MessageId,
    /// Not included.
    pub(super) until: MessageId,
}

impl Query {
    /// Asks for nothing: finds nothing.
    pub(super) fn is_empty(&self) -> bool {
        self.expression.is_none()
            && self.filters.is_empty()
            && self.from == MessageId(0)
            && self.until == MessageId(i64::MAX)
    }
}

/// One item between spaces: `-field:text`, `field:"two words"`, `text*`.
#[derive(Clone, Debug, Default)]
struct Item {
    negated: bool,
    field: String,
    text: String,
    quoted: bool,
}

/// More words than anyone types; FTS5's own expression depth is limited.
const ITEMS: usize = 64;

pub(super) fn parse(text: &str, typing: Typing) -> Query {
    let mut query = Query {
        expression: None,
        filters: Vec::new(),
        from: MessageId(0),
        until: MessageId(i64::MAX),
    };
    let items = split(text);
    let open_end = typing == Typing::Unfinished && !text.ends_with(char::is_whitespace);
    let last = items.len();
    let (mut wanted, mut unwanted) = (Vec::new(), Vec::new());
    for (at, item) in items.into_iter().enumerate() {
        if take_filter(&mut query, &item) {
            continue;
        }
        let (column, text) = match item.field.as_str() {
            "from" => ("sender : ", item.text),
            "to" | "cc" => ("recipients : ", item.text),
            "subject" => ("subject : ", item.text),
            "body" => ("body : ", item.text),
            // `10:30` and `http://…` are words, not fields.
            "" => ("", item.text),
            field => ("", format!("{field}:{}", item.text)),
        };
        let prefix = !item.quoted && (text.ends_with('*') || (open_end && at + 1 == last));
        if let Some(phrase) = build_phrase(&text, prefix) {
            let side = if item.negated { &mut unwanted } else { &mut wanted };
            side.push(format!("{column}({phrase})"));
        }
    }
    if !wanted.is_empty() {
        let mut expression = format!("({})", wanted.join(" AND "));
        if !unwanted.is_empty() {
            expression = format!("{expression} NOT ({})", unwanted.join(" OR "));
        }
        query.expression = Some(expression);
    }
    query
}

fn take_filter(query: &mut Query, item: &Item) -> bool {
    let word = item.text.to_lowercase();
    match item.field.as_str() {
        "is" => match FLAG_WORDS.iter().find(|(name, _)| *name == word) {
            Some((_, filter)) => {
                query.filters.push(match (filter, item.negated) {
                    (Filter::With(flag), true) => Filter::Without(*flag),
                    (Filter::Without(flag), true) => Filter::With(*flag),
                    (filter, _) => *filter,
                });
                true
            }
            None => false,
        },
        "has" if matches!(word.as_str(), "attachment" | "attachments") && !item.negated => {
            query.filters.push(Filter::Attachment);
            true
        }
        "before" | "after" => match Timestamp::parse_rfc3339(&format!("{word}T00:00:00Z")) {
            Some(day) if item.field == "before" => {
                query.until = query.until.min(MessageId::floor(day));
                true
            }
            Some(day) => {
                query.from = query.from.max(MessageId::floor(day));
                true
            }
            None => false,
        },
        _ => false,
    }
}

fn split(text: &str) -> Vec<Item> {
    let mut items = Vec::new();
    let mut letters = text.chars().peekable();
    while let Some(first) = letters.peek().copied() {
        if first.is_whitespace() {
            letters.next();
            continue;
        }
        if items.len() >= ITEMS {
            break;
        }
        let mut item = Item::default();
        if first == '-' {
            item.negated = true;
            letters.next();
        }
        while let Some(letter) = letters.next_if(|letter| !letter.is_whitespace()) {
            match letter {
                '"' if item.text.is_empty() => {
                    item.quoted = true;
                    item.text = letters.by_ref().take_while(|letter| *letter != '"').collect();
                    break;
                }
                ':' if item.field.is_empty() && !item.text.is_empty() => {
                    item.field = std::mem::take(&mut item.text).to_lowercase();
                }
                _ => item.text.push(letter),
            }
        }
        items.push(item);
    }
    items
}

/// Quoted strings joined as a phrase; `None` where the text holds no letter or digit, for which FTS5 has no word.
fn build_phrase(text: &str, prefix: bool) -> Option<String> {
    let mut parts: Vec<String> = Vec::new();
    let mut ends_in_single = false;
    let mut rest = text;
    while let Some(first) = rest.chars().next() {
        let cjk = is_cjk(first);
        let end = rest
            .char_indices()
            .find(|(_, letter)| is_cjk(*letter) != cjk)
            .map_or(rest.len(), |(at, _)| at);
        let (run, after) = rest.split_at_checked(end)?;
        rest = after;
        if cjk {
            let pairs = pairs(run);
            ends_in_single = pairs.is_empty();
            if pairs.is_empty() {
                parts.push(run.to_owned());
            } else {
                parts.extend(pairs);
            }
        } else if run.contains(char::is_alphanumeric) {
            ends_in_single = false;
            parts.push(run.replace(['"', '\0'], " "));
        }
    }
    if parts.is_empty() {
        return None;
    }
    // A run of CJK inside a mixed word has its last letter between its pairs and what follows: not adjacent, so
    // such a word is all its parts rather than one phrase.
    let mixed = text.chars().any(is_cjk)
        && text
            .chars()
            .any(|letter| letter.is_alphanumeric() && !is_cjk(letter));
    let glue = if mixed { " AND " } else { " + " };
    let quoted: Vec<String> = parts.iter().map(|part| format!("\"{part}\"")).collect();
    let star = if prefix || ends_in_single { " *" } else { "" };
    Some(format!("{}{star}", quoted.join(glue)))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn builds_quoted_expressions() {
        let check = |text: &str, expect: Option<&str>| {
            let query = parse(text, Typing::Finished);
            assert_eq!(query.expression.as_deref(), expect, "{text:?}");
        };
        check("", None);
        check("  ", None);
        check("meeting", Some(r#"(("meeting"))"#));
        check("meet*", Some(r#"(("meet*" *))"#));
        check("two words", Some(r#"(("two") AND ("words"))"#));
        check(r#""two words""#, Some(r#"(("two words"))"#));
        check(r#""two words"#, Some(r#"(("two words"))"#));
        check(
            "from:anna subject:\"the bill\"",
            Some(r#"(sender : ("anna") AND subject : ("the bill"))"#),
        );
        check("a -b", Some(r#"(("a")) NOT (("b"))"#));
        check("-b", None);
        check("NEAR(a b) OR \"", Some(r#"(("NEAR(a") AND ("b)") AND ("OR"))"#));
        check("10:30", Some(r#"(("10:30"))"#));
        check("?! is:unread", None);
        check("日本語", Some(r#"(("日本" + "本語"))"#));
        check("日", Some(r#"(("日" *))"#));
        check("x日本", Some(r#"(("x" AND "日本"))"#));
    }

    #[test]
    fn reads_filters() {
        let query = parse(
            "is:unread has:attachment -is:flagged after:2024-11-02",
            Typing::Finished,
        );
        assert_eq!(
            query.filters,
            [
                Filter::Without(Flag::Seen),
                Filter::Attachment,
                Filter::Without(Flag::Flagged)
            ]
        );
        assert_eq!(query.from.date().to_string(), "2024-11-02T00:00:00Z");
        assert!(parse("", Typing::Finished).is_empty());
    }

    #[test]
    fn the_last_word_may_grow() {
        let expression = |text| parse(text, Typing::Unfinished).expression.unwrap_or_default();
        assert_eq!(expression("a mee"), r#"(("a") AND ("mee" *))"#);
        assert_eq!(expression("a mee "), r#"(("a") AND ("mee"))"#);
    }
}
