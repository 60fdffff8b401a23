//! A tolerant reader of IMAP data: atoms, strings, literals and lists (RFC 9051 section 4). It never recurses and
//! never fails: where the text makes no sense it says so with `None`, and the caller keeps what it has.

use super::guard::{Captured, Literal};
use crate::Payload;

/// How deep lists may nest before we stop believing them.
const DEEPEST: usize = 60;
/// The longest section name, such as `BODY[HEADER.FIELDS (…)]`, in bytes.
const SECTION: usize = 8192;

/// One token.
#[derive(Debug)]
pub(super) enum Token<'a> {
    Open,
    Close,
    /// Everything up to a space or parenthesis: also `NIL`, numbers and `BODY[HEADER.FIELDS (A B)]`.
    Atom(&'a [u8]),
    /// Escapes undone.
    Quoted(Vec<u8>),
    Literal(Literal),
}

impl Token<'_> {
    pub(super) fn is_nil(&self) -> bool {
        matches!(self, Self::Atom(atom) if atom.eq_ignore_ascii_case(b"NIL"))
    }

    pub(super) fn number(&self) -> Option<u64> {
        match self {
            Self::Atom(digits) => number(digits),
            _ => None,
        }
    }

    /// The bytes of an atom or string; a literal from its memory only.
    pub(super) fn into_bytes(self) -> Option<Vec<u8>> {
        match self {
            Self::Atom(atom) => Some(atom.to_vec()),
            Self::Quoted(bytes) => Some(bytes),
            Self::Literal(literal) => match literal.payload {
                Payload::Memory(bytes) => Some(bytes),
                Payload::File { .. } => None,
            },
            Self::Open | Self::Close => None,
        }
    }
}

/// Decimal digits only, within 64 bits.
pub(super) fn number(digits: &[u8]) -> Option<u64> {
    let plain = !digits.is_empty() && digits.iter().all(u8::is_ascii_digit);
    plain
        .then(|| std::str::from_utf8(digits).ok()?.parse().ok())
        .flatten()
}

pub(super) struct Scanner<'a> {
    text: &'a [u8],
    at: usize,
    literals: std::iter::Peekable<std::vec::IntoIter<(usize, Literal)>>,
}

impl<'a> Scanner<'a> {
    /// Takes the literals out of `captured`; its text stays.
    pub(super) fn new(captured: &'a mut Captured) -> Self {
        let literals = std::mem::take(&mut captured.literals);
        Self {
            text: &captured.text,
            at: 0,
            literals: literals.into_iter().peekable(),
        }
    }

    /// Over text without literals.
    pub(super) fn over(text: &'a [u8]) -> Self {
        Self {
            text,
            at: 0,
            literals: Vec::new().into_iter().peekable(),
        }
    }

    fn peek(&self) -> Option<u8> {
        self.text.get(self.at).copied()
    }

    /// What has not been read.
    pub(super) fn rest(&self) -> &'a [u8] {
        self.text.get(self.at..).unwrap_or_default()
    }

    /// `None` at the end, and for good where a string does not end.
    pub(super) fn token(&mut self) -> Option<Token<'a>> {
        while matches!(self.peek()?, b' ' | b'\r' | b'\n' | b'\t') {
            self.at += 1;
        }
        match self.peek()? {
            b'(' => {
                self.at += 1;
                Some(Token::Open)
            }
            b')' => {
                self.at += 1;
                Some(Token::Close)
            }
            b'"' => self.quoted(),
            b'{' | b'~' if self.is_literal() => self.literal(),
            _ => Some(self.atom()),
        }
    }

    fn is_literal(&mut self) -> bool {
        let rest = self.rest();
        let rest = rest.get(..32).unwrap_or(rest);
        let length = memchr::memchr(b'\n', rest).map_or(rest.len(), |at| at + 1);
        let end = self.at + length;
        self.literals.peek().is_some_and(|(place, _)| *place == end)
            && rest
                .get(..length)
                .and_then(|header| header.strip_suffix(b"}\r\n"))
                .is_some_and(|header| {
                    header
                        .iter()
                        .skip(1)
                        .all(|byte| byte.is_ascii_digit() || b"{+".contains(byte))
                })
    }

    fn literal(&mut self) -> Option<Token<'a>> {
        let (place, literal) = self.literals.next()?;
        self.at = place;
        Some(Token::Literal(literal))
    }

    fn quoted(&mut self) -> Option<Token<'a>> {
        let mut bytes = Vec::new();
        let mut rest = self.rest().iter().enumerate().skip(1);
        while let Some((index, &byte)) = rest.next() {
            match byte {
                b'"' => {
                    self.at += index + 1;
                    return Some(Token::Quoted(bytes));
                }
                b'\\' => bytes.extend(rest.next().map(|(_, escaped)| *escaped)),
                b'\r' | b'\n' => break,
                _ => bytes.push(byte),
            }
        }
        self.at = self.text.len();
        None
    }

    fn atom(&mut self) -> Token<'a> {
        let ends = |byte: &u8| matches!(byte, b' ' | b'(' | b')' | b'\r' | b'\n');
        let find = |bytes: &[u8]| bytes.iter().position(ends).unwrap_or(bytes.len());
        let rest = self.rest();
        let mut end = find(rest);
        let head = rest.get(..end).unwrap_or_default();
        if let Some(open) = memchr::memrchr(b'[', head)
            && memchr::memchr(b']', head.get(open..).unwrap_or_default()).is_none()
        {
            // `BODY[HEADER.FIELDS (…)]` is one; a bracket that does not close soon swallows nothing.
            let section = rest.get(..SECTION.min(rest.len())).unwrap_or_default();
            if let Some(close) =
                memchr::memchr2(b']', b'\n', section).filter(|at| section.get(*at) == Some(&b']'))
            {
                end = close + find(rest.get(close..).unwrap_or_default());
            }
        }
        let (atom, _) = rest.split_at_checked(end.max(1)).unwrap_or((rest, &[]));
        self.at += atom.len();
        Token::Atom(atom)
    }

    /// Skips a value that began with `first`: a whole list, or nothing more.
    pub(super) fn skip(&mut self, first: &Token<'_>) -> Option<()> {
        if matches!(first, Token::Open) {
            self.walk(&mut |_, _| {})?;
        }
        Some(())
    }

    /// Reads the rest of a list whose `(` has been read, to its `)`; shows every token with its depth, 1 being
    /// inside that list. `None` where it does not end or is nested beyond belief.
    pub(super) fn walk(&mut self, see: &mut dyn FnMut(usize, Token<'a>)) -> Option<()> {
        let mut depth = 1;
        loop {
            let token = self.token()?;
            match token {
                Token::Open => {
                    see(depth, token);
                    depth += 1;
                    if depth > DEEPEST {
                        return None;
                    }
                }
                Token::Close => {
                    depth -= 1;
                    if depth == 0 {
                        return Some(());
                    }
                    see(depth, token);
                }
                _ => see(depth, token),
            }
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn show(text: &str) -> String {
        let mut scanner = Scanner::over(text.as_bytes());
        let mut shown = Vec::new();
        while let Some(token) = scanner.token() {
            shown.push(match token {
                Token::Open => "(".to_owned(),
                Token::Close => ")".to_owned(),
                Token::Atom(atom) => String::from_utf8_lossy(atom).into_owned(),
                Token::Quoted(bytes) => format!("'{}'", String::from_utf8_lossy(&bytes)),
                Token::Literal(_) => "literal".to_owned(),
            });
        }
        shown.join("|")
    }

    #[test]
    fn reads_tokens() {
        let check = |text: &str, expect: &str| assert_eq!(show(text), expect, "{text:?}");
        check("a (b \"c d\" NIL)\r\n", "a|(|b|'c d'|NIL|)");
        check("\"a\\\"b\\\\\"", "'a\"b\\'");
        check(
            "BODY[HEADER.FIELDS (A \"B\")]<0> NIL",
            "BODY[HEADER.FIELDS (A \"B\")]<0>|NIL",
        );
        check("BODY[ x) y", "BODY[|x|)|y");
        check("\"never ends", "");
        check("{3}\r\nabc", "{3}|abc");
        check("", "");
    }

    #[test]
    fn deep_lists_end_the_walk() {
        let mut scanner = Scanner::over(&[b'('; 100_000]);
        assert!(scanner.walk(&mut |_, _| {}).is_none());
    }
}
