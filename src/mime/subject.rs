//! The base subject (RFC 5256 section 2.1), for threads: what is left of a subject without the marks that replies,
//! forwards and lists put before and behind it. Beyond the RFC, the marks of other languages count too.

/// Marks of replies, lower case.
const REPLY: &[&str] = &[
    "re",
    "aw",
    "antw",
    "antwort",
    "sv",
    "vs",
    "odp",
    "ynt",
    "rif",
    "res",
    "rép",
    "ref",
    "bls",
    "atb",
    "vá",
    "отв",
    "ответ",
    "відп",
    "απ",
    "σχετ",
    "回复",
    "回覆",
    "答复",
    "返信",
    "답장",
    "회신",
    "השב",
    "תשובה",
    "رد",
];
/// Marks of forwards, lower case.
const FORWARD: &[&str] = &[
    "fw",
    "fwd",
    "wg",
    "weitergeleitet",
    "vl",
    "vb",
    "tr",
    "rv",
    "enc",
    "encaminhada",
    "pd",
    "ilt",
    "i̇lt",
    "továbbítás",
    "fs",
    "пер",
    "πρθ",
    "转发",
    "轉寄",
    "轉發",
    "転送",
    "전달",
    "הועבר",
    "إعادة توجيه",
];

/// Whether a mark was found.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
enum Mark {
    Reply,
    Forward,
}

/// The subject without reply and forward marks, list tags and `(fwd)`, white space folded. The case is kept.
#[must_use]
pub fn base_subject(subject: &str) -> String {
    reduce(&crate::word::clean(subject)).0
}

/// What two subjects of one thread have in common: the base subject without case.
#[must_use]
pub fn thread_key(subject: &str) -> String {
    base_subject(subject).to_lowercase()
}

/// Whether the subject says that the message answers or forwards another one.
#[must_use]
pub fn is_reply_or_forward(subject: &str) -> bool {
    reduce(&crate::word::clean(subject)).1
}

/// The subject of an answer: one `Re: `, whatever marks of replies stood there; tags and forwards stay.
#[must_use]
pub fn reply_subject(subject: &str) -> String {
    let clean = crate::word::clean(subject);
    let mut rest = clean.as_str();
    while let Some((Mark::Reply, after)) = strip_mark(rest) {
        rest = after.trim_start();
    }
    format!("Re: {rest}").trim_end().to_owned()
}

/// The subject of a forward: one `Fwd: `.
#[must_use]
pub fn forward_subject(subject: &str) -> String {
    let clean = crate::word::clean(subject);
    let mut rest = clean.as_str();
    while let Some((Mark::Forward, after)) = strip_mark(rest) {
        rest = after.trim_start();
    }
    format!("Fwd: {rest}").trim_end().to_owned()
}

fn reduce(clean: &str) -> (String, bool) {
    let mut marked = false;
    let mut rest = clean.trim();
    // RFC 5256 section 2.1, steps 2 to 6. Each round shortens the text or is the last.
    loop {
        let before = rest.len();
        while let Some(shorter) = strip_trailer(rest) {
            marked = true;
            rest = shorter;
        }
        loop {
            let length = rest.len();
            if let Some((_, after)) = strip_leader(rest) {
                marked = true;
                rest = after.trim();
            }
            if let Some(after) = strip_blob(rest).map(str::trim).filter(|after| !after.is_empty()) {
                rest = after;
            }
            if rest.len() == length {
                break;
            }
        }
        let inner = rest
            .get(..5)
            .filter(|head| head.eq_ignore_ascii_case("[fwd:"))
            .and(rest.get(5..));
        if let Some(inner) = inner.and_then(|inner| inner.strip_suffix(']')) {
            marked = true;
            rest = inner.trim();
        }
        if rest.len() == before {
            return (rest.to_owned(), marked);
        }
    }
}

fn strip_trailer(text: &str) -> Option<&str> {
    let end = text.len().checked_sub(5)?;
    let tail = text.get(end..)?;
    tail.eq_ignore_ascii_case("(fwd)")
        .then(|| text.get(..end).unwrap_or_default().trim_end())
}

/// `[list]`: a tag that holds no brackets itself.
fn strip_blob(text: &str) -> Option<&str> {
    let (inner, after) = text.strip_prefix('[')?.split_once(']')?;
    (!inner.contains('[')
        && !inner
            .get(..4)
            .is_some_and(|head| head.eq_ignore_ascii_case("fwd:")))
    .then_some(after)
}

/// Tags, then a mark.
fn strip_leader(text: &str) -> Option<(Mark, &str)> {
    let mut rest = text;
    loop {
        if let Some(found) = strip_mark(rest) {
            return Some(found);
        }
        rest = strip_blob(rest)?.trim_start();
    }
}

/// One mark: its word, then `[2]`, `(2)`, `^2`, `2` or a tag, then a colon, ASCII or full width.
fn strip_mark(text: &str) -> Option<(Mark, &str)> {
    // No mark is longer; a long subject is not searched for its colon.
    let window = text.get(..text.floor_char_boundary(80)).unwrap_or(text);
    let (at, colon) = window.char_indices().find(|(_, c)| matches!(c, ':' | '：'))?;
    let after = text.get(at + colon.len_utf8()..)?;
    let head = text.get(..at)?.trim_end();
    let word_end = head
        .find(|c: char| !(c.is_alphabetic() || matches!(c, '\u{307}' | ' ')))
        .unwrap_or(head.len());
    let (word, count) = (
        head.get(..word_end)?.trim_end().to_lowercase(),
        head.get(word_end..)?,
    );
    let mark = if REPLY.contains(&word.as_str()) {
        Mark::Reply
    } else if FORWARD.contains(&word.as_str()) {
        Mark::Forward
    } else {
        return None;
    };
    let inner = |open: char, close: char| count.strip_prefix(open).and_then(|rest| rest.strip_suffix(close));
    let digits = |text: &str| text.len() <= 4 && text.chars().all(|c| c.is_ascii_digit());
    let counted = inner('[', ']').is_some_and(|tag| !tag.contains(['[', ']']))
        || inner('(', ')').is_some_and(digits)
        || digits(count.trim_start_matches('^'));
    counted.then_some((mark, after))
}

#[cfg(test)]
mod tests {
    use super::*;
    use proptest::prelude::*;

    #[test]
    fn reduces_subjects() {
        let check = |subject: &str, expect: &str, marked: bool| {
            assert_eq!(base_subject(subject), expect, "{subject:?}");
            assert_eq!(is_reply_or_forward(subject), marked, "{subject:?}");
        };
        check("Hello", "Hello", false);
        check("Re: Hello", "Hello", true);
        check("RE:RE : re: Hello", "Hello", true);
        check("Re[2]: Hello", "Hello", true);
        check("Re(3): Hello", "Hello", true);
        check("Re^4: Hello", "Hello", true);
        check("Antwort: Hallo", "Hallo", true);
        check("AW: WG: Hallo", "Hallo", true);
        check("SV: Hej", "Hej", true);
        check("VS: Hei", "Hei", true);
        check("回复: 你好", "你好", true);
        check("答复：你好", "你好", true);
        check("转发: 你好", "你好", true);
        check("Отв: привет", "привет", true);
        check("[list] Re: [list] Hello", "Hello", true);
        check("[list] Hello", "Hello", false);
        check("Re: [a][b] Hello (fwd)", "Hello", true);
        check("[Fwd: Re: Hello]", "Hello", true);
        check("Fwd: Hello (FWD) (fwd)", "Hello", true);
        check("[only tag]", "[only tag]", false);
        check("Re:", "", true);
        check("", "", false);
        check("Recipe: cake", "Recipe: cake", false);
        check("Regarding: it", "Regarding: it", false);
        check("Meeting: Re: x", "Meeting: Re: x", false);
        check("  spaces \t fold ", "spaces fold", false);
        check("[open", "[open", false);
    }

    #[test]
    fn marks_answers_once() {
        assert_eq!(reply_subject("Hello"), "Re: Hello");
        assert_eq!(reply_subject("AW: RE[2]: Hello"), "Re: Hello");
        assert_eq!(reply_subject("[list] Hello"), "Re: [list] Hello");
        assert_eq!(reply_subject("Fwd: Hello"), "Re: Fwd: Hello");
        assert_eq!(reply_subject("x\r\nBcc: y"), "Re: x Bcc: y");
        assert_eq!(reply_subject(""), "Re:");
        assert_eq!(forward_subject("WG: Fwd: Hello"), "Fwd: Hello");
    }

    proptest! {
        #[test]
        fn is_idempotent(subject in "(re|fwd|\\[|\\]|:|\\(fwd\\)| |x|：){0,20}") {
            let base = base_subject(&subject);
            prop_assert_eq!(base_subject(&base), base);
        }
    }
}
