//! What characters look like: blanks that are none, marks that nobody sees, letters that pass for others. For names
//! and domains that strangers choose (Unicode Technical Standards 39 and 46, as far as mail needs them).

use icu_normalizer::ComposingNormalizerBorrowed;
use unicode_script::{Script, UnicodeScript};

/// Combining marks kept on one letter: more climb out of the line.
const MAX_MARKS: usize = 3;
/// Characters of a terminal's string that are looked through for its end.
const MAX_SEQUENCE: usize = 256;

/// One line for people, and whether anything that deceives was taken out: controls, terminal sequences, direction
/// marks, invisible characters, padding. At most `most` characters.
pub(crate) fn clean_label(text: &str, most: usize) -> (String, bool) {
    if text.len() <= most && text.bytes().all(|byte| matches!(byte, 0x20..=0x7e)) {
        return (squeeze(text), false);
    }
    let mut out = String::with_capacity(text.len().min(most * 4));
    let (mut space, mut dirty, mut marks, mut count, mut run) = (false, false, 0, 0_usize, 0_usize);
    let mut last = ' ';
    let mut rest = text.chars().peekable();
    while let Some(c) = rest.next() {
        if matches!(c, '\u{1b}' | '\u{9b}') {
            skip_sequence(c, &mut rest);
            (space, dirty) = (true, true);
            continue;
        }
        if is_blank(c) {
            run += 1;
            // Two or three happen; a row of them pushes what follows out of sight.
            dirty |= run > 8 || !(c.is_whitespace() || matches!(c, '\t' | '\n' | '\r'));
            space = true;
            continue;
        }
        if c.is_control() || is_invisible(c) && !is_joined(last, c, rest.peek().copied()) {
            dirty |= c != '\u{feff}' && c != '\u{ad}';
            continue;
        }
        run = 0;
        marks = if is_mark(c) { marks + 1 } else { 0 };
        if marks > MAX_MARKS {
            dirty = true;
            continue;
        }
        if count >= most {
            out.push('…');
            return (out, dirty);
        }
        if space && !out.is_empty() {
            out.push(' ');
            count += 1;
        }
        space = false;
        out.push(c);
        last = c;
        count += 1;
    }
    (out, dirty)
}

fn squeeze(text: &str) -> String {
    let trimmed = text.trim_matches(' ');
    if !trimmed.contains("  ") {
        return trimmed.to_owned();
    }
    trimmed
        .split(' ')
        .filter(|word| !word.is_empty())
        .collect::<Vec<_>>()
        .join(" ")
}

/// Takes a terminal's sequence off (ECMA-48 section 5.4): what stands behind the escape must not stay as litter.
fn skip_sequence(introducer: char, rest: &mut std::iter::Peekable<std::str::Chars<'_>>) {
    let kind = if introducer == '\u{9b}' {
        Some('[')
    } else {
        rest.next()
    };
    match kind {
        Some('[') => {
            while let Some(c) = rest.next_if(|c| matches!(c, ' '..='~')) {
                if matches!(c, '@'..='~') {
                    return;
                }
            }
        }
        // A string that ends with BEL or ST; without an end nothing but its introducer goes.
        Some(']' | 'P' | '^' | '_' | 'X') => {
            let mut ahead = rest.clone();
            let mut length = 0;
            while let Some(c) = ahead.next().filter(|_| length < MAX_SEQUENCE) {
                length += 1;
                if matches!(c, '\u{7}' | '\u{9c}') || c == '\u{1b}' && ahead.peek() == Some(&'\\') {
                    let tail = usize::from(c == '\u{1b}');
                    for _ in 0..length + tail {
                        rest.next();
                    }
                    return;
                }
            }
        }
        _ => {}
    }
}

/// Shows as nothing but room: white space, and the letters that are drawn empty.
pub(crate) const fn is_blank(c: char) -> bool {
    c.is_whitespace()
        || matches!(
            c,
            '\u{2800}' | '\u{3164}' | '\u{ffa0}' | '\u{115f}' | '\u{1160}' | '\u{1d159}' | '\u{16fe4}'
        )
}

/// Shows as nothing at all, or turns the order of what follows.
pub(crate) const fn is_invisible(c: char) -> bool {
    matches!(
        c,
        '\u{ad}'
            | '\u{34f}'
            | '\u{61c}'
            | '\u{17b4}'
            | '\u{17b5}'
            | '\u{180b}'..='\u{180f}'
            | '\u{200b}'..='\u{200f}'
            | '\u{2028}'..='\u{202e}'
            | '\u{2060}'..='\u{206f}'
            | '\u{fe00}'..='\u{fe0f}'
            | '\u{feff}'
            | '\u{fff0}'..='\u{fffb}'
            | '\u{fffe}'
            | '\u{ffff}'
            | '\u{1d173}'..='\u{1d17a}'
            | '\u{1bca0}'..='\u{1bca3}'
            | '\u{e0000}'..='\u{e0fff}'
    )
}

const fn is_mark(c: char) -> bool {
    matches!(c, '\u{300}'..='\u{36f}' | '\u{483}'..='\u{489}' | '\u{1ab0}'..='\u{1aff}' | '\u{1dc0}'..='\u{1dff}' | '\u{20d0}'..='\u{20ff}' | '\u{fe20}'..='\u{fe2f}')
}

/// Joiners and variation selectors where a script or a picture character needs them.
fn is_joined(before: char, c: char, after: Option<char>) -> bool {
    let symbol = |c: char| matches!(c, '\u{203c}'..='\u{2049}' | '\u{2190}'..='\u{2bff}' | '\u{fe0f}' | '\u{1f000}'..='\u{1faff}' | '#' | '*' | '0'..='9' | '\u{a9}' | '\u{ae}');
    let joining = |c: char| matches!(c, '\u{600}'..='\u{8ff}' | '\u{900}'..='\u{dff}' | '\u{1000}'..='\u{109f}' | '\u{1780}'..='\u{18af}');
    match c {
        '\u{200d}' => {
            after.is_some_and(|after| symbol(before) && symbol(after) || joining(before) && joining(after))
        }
        '\u{200c}' => after.is_some_and(|after| joining(before) && joining(after)),
        '\u{fe0e}' | '\u{fe0f}' => symbol(before),
        _ => false,
    }
}

/// Compatibility forms folded (NFKC): full-width, circled and mathematical letters become the plain ones.
pub(crate) fn fold_forms(text: &str) -> String {
    if text.is_ascii() {
        return text.to_owned();
    }
    ComposingNormalizerBorrowed::new_nfkc()
        .normalize(text)
        .into_owned()
}

/// The text as it looks, in lower-case ASCII where a letter passes for one.
pub(crate) fn skeleton(text: &str) -> String {
    fold_forms(text)
        .chars()
        .flat_map(char::to_lowercase)
        .filter(|c| !is_invisible(*c) && !c.is_control())
        .map(|c| look_alike(c).unwrap_or(c))
        .collect()
}

/// The ASCII letter that a lower-case letter of another script, or of Latin's edges, is read as.
pub(crate) const fn look_alike(c: char) -> Option<char> {
    Some(match c {
        'а' | 'α' | 'ɑ' | 'ա' => 'a',
        'ь' | 'в' | 'ƅ' => 'b',
        'с' | 'ϲ' | 'ƈ' => 'c',
        'ԁ' | 'ɗ' | 'ժ' => 'd',
        'е' | 'є' | 'ҽ' | 'ε' | 'ɛ' => 'e',
        'ғ' | 'ƒ' | 'ք' => 'f',
        'ɡ' | 'ց' | 'ԍ' => 'g',
        'һ' | 'հ' | 'н' | 'ɦ' => 'h',
        'і' | 'ι' | 'ı' | 'ɩ' | 'ӏ' | 'ɪ' => 'i',
        'ј' | 'ϳ' | 'յ' => 'j',
        'к' | 'κ' | 'қ' => 'k',
        'ł' | 'ɫ' | 'լ' | 'ǀ' => 'l',
        'м' => 'm',
        'п' | 'ո' | 'η' | 'ռ' => 'n',
        'о' | 'ο' | 'օ' | 'σ' | 'ө' | '၀' | '০' | '੦' | '૦' | 'ഠ' | 'ɵ' => 'o',
        'р' | 'ρ' | 'ƿ' | 'þ' => 'p',
        'ԛ' | 'զ' | 'գ' => 'q',
        'г' | 'ʀ' | 'ɼ' => 'r',
        'ѕ' | 'ƨ' | 'ꜱ' => 's',
        'т' | 'τ' => 't',
        'υ' | 'ս' | 'ц' | 'ʋ' => 'u',
        'ѵ' | 'ν' => 'v',
        'ѡ' | 'ԝ' | 'ω' => 'w',
        'х' | 'χ' | 'ҳ' => 'x',
        'у' | 'γ' | 'ү' | 'ყ' | 'ʏ' => 'y',
        'ʐ' | 'ᴢ' => 'z',
        _ => return None,
    })
}

/// Whether a word mixes scripts that no language writes together (UTS 39 section 5.2, "highly restrictive").
pub(crate) fn mixes_scripts(word: &str) -> bool {
    // Latin with its everyday accents.
    if word.chars().all(|c| c < '\u{250}') {
        return false;
    }
    let mut found: Vec<Script> = Vec::new();
    for c in word.chars() {
        let script = c.script();
        if matches!(script, Script::Common | Script::Inherited | Script::Unknown) || found.contains(&script) {
            continue;
        }
        found.push(script);
    }
    let within = |allowed: &[Script]| found.iter().all(|script| allowed.contains(script));
    found.len() > 1
        && !within(&[Script::Latin, Script::Han, Script::Hiragana, Script::Katakana])
        && !within(&[Script::Latin, Script::Han, Script::Hangul])
        && !within(&[Script::Latin, Script::Han, Script::Bopomofo])
}

/// Scripts of living languages in everyday use (UAX 31 table 5): others in a domain are there for their looks.
pub(crate) fn is_everyday(c: char) -> bool {
    matches!(
        c.script(),
        Script::Common
            | Script::Inherited
            | Script::Latin
            | Script::Cyrillic
            | Script::Greek
            | Script::Han
            | Script::Hiragana
            | Script::Katakana
            | Script::Hangul
            | Script::Bopomofo
            | Script::Arabic
            | Script::Hebrew
            | Script::Devanagari
            | Script::Bengali
            | Script::Gurmukhi
            | Script::Gujarati
            | Script::Oriya
            | Script::Tamil
            | Script::Telugu
            | Script::Kannada
            | Script::Malayalam
            | Script::Sinhala
            | Script::Thai
            | Script::Lao
            | Script::Myanmar
            | Script::Khmer
            | Script::Georgian
            | Script::Armenian
            | Script::Ethiopic
            | Script::Tibetan
            | Script::Thaana
    )
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn cleans_labels() {
        let check = |text: &str, expect: &str, dirty: bool| {
            assert_eq!(clean_label(text, 100), (expect.to_owned(), dirty), "{text:?}");
        };
        check("Anna  Berg ", "Anna Berg", false);
        check("Jörg\u{a0}Müller", "Jörg Müller", false);
        check("\u{1b}]0;pwn\u{7}\u{1b}[2J", "", true);
        check("a\u{1b}[31mred", "a red", true);
        check("a\u{1b}]open", "a open", true);
        check("Bank\u{202e}", "Bank", true);
        check("sup\u{200b}port", "support", true);
        check("a\n\n\nb", "a b", false);
        check("a\u{2800}\u{2800}b", "a b", true);
        check("Bank\u{3164}\u{115f}x", "Bank x", true);
        check("👩\u{200d}🚀 Ada ❤\u{fe0f}", "👩\u{200d}🚀 Ada ❤\u{fe0f}", false);
        check("می\u{200c}خواهم", "می\u{200c}خواهم", false);
        check(
            "e\u{301}\u{301}\u{301}\u{301}\u{301}",
            "e\u{301}\u{301}\u{301}",
            true,
        );
        check("", "", false);
        assert_eq!(clean_label(&"é".repeat(500), 10).0.chars().count(), 11);
        assert_eq!(
            clean_label(&"\u{1b}]".repeat(200_000), 100),
            (String::new(), true)
        );
    }

    #[test]
    fn folds_what_looks_alike() {
        assert_eq!(skeleton("РаyРаl"), "paypal");
        assert_eq!(skeleton("ｓｕｐｐｏｒｔ＠ｂａｎｋ"), "support@bank");
        assert_eq!(skeleton("plain"), "plain");
    }

    #[test]
    fn notices_mixed_scripts() {
        for (word, expect) in [
            ("РаyРаl", true),
            ("Иван", false),
            ("Anna", false),
            ("Αlpha", true),
            ("東京ラボ", false),
            ("東京Lab", false),
            ("한국KT", false),
            ("Jörg", false),
        ] {
            assert_eq!(mixes_scripts(word), expect, "{word}");
        }
    }
}
