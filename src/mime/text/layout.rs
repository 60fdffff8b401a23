//! A text cut into what a reader shows in different ways: own words, quotes by depth, attributions, signatures,
//! what wants a fixed font.

use super::quote::split_marks;
use super::signature::split_signature;
use super::trim::trim_quoted;

/// What a piece of a text is.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash)]
pub enum PieceKind {
    Own,
    /// Quoted this deep; at least 1.
    Quote(usize),
    Signature,
}

/// Adjoining lines of one kind.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Piece {
    pub kind: PieceKind,
    /// Bytes of the text, with the line breaks.
    pub start: usize,
    pub end: usize,
    pub lines: usize,
    /// Part of the older mail below the writer's own text: see [`trim_quoted`].
    pub older: bool,
    /// Columns, drawings or code: wants a fixed font.
    pub fixed: bool,
}

/// Cuts a text into pieces that, joined, are the text again.
#[must_use]
pub fn lay_out(text: &str) -> Vec<Piece> {
    let (own, rest) = trim_quoted(text);
    let mut out = Vec::new();
    let (body, signature) = split_signature(own);
    push_pieces(text, 0, body.len(), false, &mut out);
    if signature.is_some() {
        push(text, PieceKind::Signature, body.len(), own.len(), false, &mut out);
    }
    if let Some(rest) = rest {
        let start = text.len() - rest.len();
        push_pieces(text, start, text.len(), true, &mut out);
    }
    out
}

fn push_pieces(text: &str, start: usize, end: usize, older: bool, out: &mut Vec<Piece>) {
    let mut from = start;
    let mut open: Option<usize> = None;
    let mut at = start;
    for line in text.get(start..end).unwrap_or_default().split_inclusive('\n') {
        let depth = split_marks(line.trim_end_matches(['\n', '\r'])).0;
        if open.is_some_and(|open| open != depth) {
            push(text, kind(open), from, at, older, out);
            from = at;
        }
        open = Some(depth);
        at += line.len();
    }
    push(text, kind(open), from, at, older, out);
}

const fn kind(depth: Option<usize>) -> PieceKind {
    match depth {
        None | Some(0) => PieceKind::Own,
        Some(depth) => PieceKind::Quote(depth),
    }
}

fn push(text: &str, kind: PieceKind, start: usize, end: usize, older: bool, out: &mut Vec<Piece>) {
    let piece = text.get(start..end).unwrap_or_default();
    if piece.is_empty() {
        return;
    }
    out.push(Piece {
        kind,
        start,
        end,
        lines: piece.lines().count(),
        older,
        fixed: kind != PieceKind::Signature && looks_fixed(piece),
    });
}

/// Whether a text is drawn with its characters: tables, ASCII art, code, differences between files. A guess; the
/// reader can always switch.
#[must_use]
pub fn looks_fixed(text: &str) -> bool {
    let (mut lines, mut drawn, mut prose) = (0_usize, 0_usize, 0_usize);
    for line in text.lines().take(400) {
        let (_, line) = split_marks(line);
        let bare = line.trim_end();
        if bare.trim().is_empty() {
            continue;
        }
        lines += 1;
        if is_drawn(bare) {
            drawn += 1;
        } else if bare.split_whitespace().count() >= 5 {
            prose += 1;
        }
    }
    drawn >= 3 && drawn * 2 >= lines && drawn > prose
}

fn is_drawn(line: &str) -> bool {
    let inner = line.trim_start();
    if inner.starts_with("@@ ")
        || inner.starts_with("diff --git ")
        || inner.starts_with("+++ ")
        || inner.starts_with("--- ")
    {
        return true;
    }
    if inner.starts_with('|') && inner.ends_with('|') && inner.len() > 2 {
        return true;
    }
    if line.chars().any(|c| matches!(c, '\u{2500}'..='\u{259f}')) {
        return true;
    }
    // Columns: words with wide gaps between them, but not the gap after a sentence.
    let gaps = inner.contains("   ") || inner.contains('\t');
    let indent = line.len() - inner.len();
    let marks = inner
        .chars()
        .filter(|c| !c.is_alphanumeric() && !c.is_whitespace())
        .count();
    let all = inner.chars().filter(|c| !c.is_whitespace()).count();
    let rule = inner.len() >= 3
        && inner
            .chars()
            .all(|c| matches!(c, '-' | '=' | '+' | '|' | '*' | '_' | ' '));
    let code = inner.ends_with([';', '{', '}']) && (indent >= 2 || all > marks * 2 && marks > 1);
    gaps || rule || code || (all >= 2 && marks * 2 > all)
}

#[cfg(test)]
mod tests {
    use super::*;
    use proptest::prelude::*;

    #[test]
    fn cuts_into_pieces() {
        let text = "Hello\n> one\n>> two\nmine\n-- \nAnna\n\nOn 3 Apr 2012, Bo wrote:\n> old\n";
        let pieces = lay_out(text);
        let kinds: Vec<_> = pieces.iter().map(|piece| (piece.kind, piece.older)).collect();
        use PieceKind as K;
        assert_eq!(
            kinds,
            [
                (K::Own, false),
                (K::Quote(1), false),
                (K::Quote(2), false),
                (K::Own, false),
                (K::Signature, false),
                (K::Own, true),
                (K::Quote(1), true)
            ]
        );
        assert!(lay_out("").is_empty());
    }

    #[test]
    fn notices_drawings() {
        let check = |text: &str, expect: bool| assert_eq!(looks_fixed(text), expect, "{text:?}");
        check(
            "Name      Price   Count\nApples    1.20    3\nPears     2.50    12\n",
            true,
        );
        check("+---+---+\n| a | b |\n+---+---+\n", true);
        check("  /\\_/\\\n ( o.o )\n  > ^ <\n", true);
        check(
            "diff --git a/x b/x\n--- a/x\n+++ b/x\n@@ -1 +1 @@\n-a\n+b\n",
            true,
        );
        check("fn main() {\n    let a = 1;\n    call(a);\n}\n", true);
        check(
            "Hello Anna,\n\nhow are you today? I hope that all is well.\n\nYours\nBo\n",
            false,
        );
        check(
            "- one thing\n- another thing\n- a third thing that is longer\n",
            false,
        );
        check("", false);
    }

    proptest! {
        #[test]
        fn pieces_are_the_text(text in "(> [a-z]{0,9}\n|>> x\n|-- \n|\n|On 2012-04-03 bob wrote:\n|[\\PC]{0,20}\n){0,20}") {
            let joined: String = lay_out(&text).iter().map(|piece| text.get(piece.start..piece.end).unwrap()).collect();
            prop_assert_eq!(joined, text);
        }
    }
}
