//! Chinese, Japanese and Korean are written without spaces that mean words, so runs of them are indexed as
//! overlapping pairs, and searched as phrases of pairs.

use std::borrow::Cow;

pub(super) const fn is_cjk(letter: char) -> bool {
    matches!(letter,
        '\u{3005}'..='\u{3007}' | '\u{3040}'..='\u{30ff}' | '\u{31f0}'..='\u{31ff}' | '\u{3400}'..='\u{4dbf}'
        | '\u{4e00}'..='\u{9fff}' | '\u{ac00}'..='\u{d7a3}' | '\u{f900}'..='\u{faff}' | '\u{ff66}'..='\u{ff9d}'
        | '\u{20000}'..='\u{3134f}')
}

/// For the index: `日本語` becomes `日本 本語 語`. The last letter alone, so that each letter begins some word and
/// a search for one letter is a search for a prefix.
pub(super) fn spread(text: &str) -> Cow<'_, str> {
    if text.is_ascii() || !text.chars().any(is_cjk) {
        return Cow::Borrowed(text);
    }
    let mut out = String::with_capacity(text.len() * 2);
    let mut letters = text.chars().peekable();
    let mut inside = false;
    while let Some(letter) = letters.next() {
        if is_cjk(letter) {
            if !inside {
                out.push(' ');
            }
            inside = true;
            out.push(letter);
            if let Some(next) = letters.peek().filter(|next| is_cjk(**next)) {
                out.push(*next);
            }
            out.push(' ');
        } else {
            inside = false;
            out.push(letter);
        }
    }
    Cow::Owned(out)
}

/// For a query: the pairs of a run of two letters or more, without its last letter alone.
pub(super) fn pairs(run: &str) -> Vec<String> {
    let letters: Vec<char> = run.chars().collect();
    letters.windows(2).map(|pair| pair.iter().collect()).collect()
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn spreads_runs_only() {
        for (text, expect) in [
            ("plain", "plain"),
            ("naïve", "naïve"),
            ("日本語", " 日本 本語 語 "),
            ("a日b", "a 日 b"),
            ("v2東京です", "v2 東京 京で です す "),
            ("한글 text", " 한글 글  text"),
        ] {
            assert_eq!(spread(text), expect, "{text}");
        }
        assert_eq!(pairs("日本語"), ["日本", "本語"]);
    }
}
