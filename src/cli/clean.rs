//! Text from mail and servers, made safe for a terminal.

/// Whether a character could steer a terminal or turn text around: C0 and C1 controls, line and paragraph
/// separators, and the bidirectional controls (Unicode annex 9, section 2).
#[must_use]
pub const fn is_unsafe(c: char) -> bool {
    matches!(c,
        '\u{0}'..='\u{1f}' | '\u{7f}'..='\u{9f}' | '\u{2028}' | '\u{2029}'
        | '\u{61c}' | '\u{200e}' | '\u{200f}' | '\u{202a}'..='\u{202e}' | '\u{2066}'..='\u{2069}')
}

/// One line: whitespace becomes one space, everything unsafe a visible sign.
#[must_use]
pub fn line(text: &str) -> String {
    let mut safe = String::with_capacity(text.len());
    for c in text.chars() {
        match c {
            '\t' | '\n' | '\r' | '\u{2028}' | '\u{2029}' => safe.push(' '),
            c if is_unsafe(c) => safe.push('\u{fffd}'),
            c => safe.push(c),
        }
    }
    safe
}

/// Several lines: line ends and tabs stay.
#[must_use]
pub fn lines(text: &str) -> String {
    let mut safe = String::with_capacity(text.len());
    let mut rest = text.chars().peekable();
    while let Some(c) = rest.next() {
        match c {
            '\n' | '\t' => safe.push(c),
            '\r' if rest.peek() == Some(&'\n') => {}
            '\r' | '\u{2028}' | '\u{2029}' => safe.push('\n'),
            c if is_unsafe(c) => safe.push('\u{fffd}'),
            c => safe.push(c),
        }
    }
    safe
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn nothing_unsafe_is_left() {
        let check = |text: &str, one: &str, many: &str| {
            assert_eq!(line(text), one, "{text:?}");
            assert_eq!(lines(text), many, "{text:?}");
        };
        check("plain ünï 漢字 🎺", "plain ünï 漢字 🎺", "plain ünï 漢字 🎺");
        check("a\r\nb\tc", "a  b c", "a\nb\tc");
        check("a\rb", "a b", "a\nb");
        check("\u{1b}[31mred", "\u{fffd}[31mred", "\u{fffd}[31mred");
        check("\u{9b}31m", "\u{fffd}31m", "\u{fffd}31m");
        check("a\u{202e}gpj.exe", "a\u{fffd}gpj.exe", "a\u{fffd}gpj.exe");
        check("\u{2066}x\u{2069}", "\u{fffd}x\u{fffd}", "\u{fffd}x\u{fffd}");
        check("a\u{2028}b", "a b", "a\nb");
        check("\u{7}\u{0}", "\u{fffd}\u{fffd}", "\u{fffd}\u{fffd}");
    }
}
