//! Address fields as headers hold them (RFC 5322 section 3.4, with its obsolete forms and what programs write in
//! their place). Encoded words count in names only (RFC 2047 section 5): an address is taken as it stands.

use std::borrow::Cow;

use crate::word;

/// One mailbox as written.
#[derive(Debug, Default, PartialEq, Eq)]
pub(crate) struct Mailbox {
    /// Decoded, not cleaned.
    pub(crate) name: String,
    pub(crate) email: String,
    /// Programs disagree on what this says: two angle brackets, or several addresses without a comma.
    pub(crate) ambiguous: bool,
}

#[derive(Clone, Copy, PartialEq, Eq)]
enum Kind {
    Word,
    Quoted,
}

struct Piece<'x> {
    kind: Kind,
    text: Cow<'x, str>,
    /// Nothing stands between it and the one before.
    glued: bool,
}

/// Which marks are taken for what they usually mean: one that is never closed stands for itself.
#[derive(Clone, Copy)]
struct Marks {
    quotes: bool,
    comments: bool,
}

/// Characters with their places; jumps to any place.
struct Cursor<'x> {
    line: &'x str,
    at: usize,
}

impl<'x> Cursor<'x> {
    fn peek(&self) -> Option<(usize, char)> {
        let byte = *self.line.as_bytes().get(self.at)?;
        let c = if byte.is_ascii() {
            char::from(byte)
        } else {
            self.line.get(self.at..)?.chars().next()?
        };
        Some((self.at, c))
    }

    fn next(&mut self) -> Option<(usize, char)> {
        let found = self.peek()?;
        self.at += found.1.len_utf8();
        Some(found)
    }

    fn next_if(&mut self, wanted: impl Fn(char) -> bool) -> Option<char> {
        let (_, c) = self.peek().filter(|(_, c)| wanted(*c))?;
        self.at += c.len_utf8();
        Some(c)
    }

    /// Passes over bytes up to the first that is wanted; gives what stands before it.
    fn skip_to(&mut self, wanted: impl Fn(u8) -> bool) -> &'x str {
        let rest = self.line.get(self.at..).unwrap_or_default();
        let length = rest.bytes().position(wanted).unwrap_or(rest.len());
        self.at += length;
        rest.get(..length).unwrap_or_default()
    }
}

struct Reader<'x> {
    rest: Cursor<'x>,
    line: &'x str,
    marks: Marks,
    /// Where the last semicolon stands: a group ends with one.
    last_semicolon: usize,
    pieces: Vec<Piece<'x>>,
    /// Where the first angle bracket stood among the pieces.
    name_end: Option<usize>,
    angles: Vec<String>,
    comments: Vec<String>,
    glued: bool,
    out: Vec<Mailbox>,
    most: usize,
}

/// Reads an unfolded line; at most `most` mailboxes and one more.
pub(crate) fn read(line: &str, most: usize, decode: &mut dyn FnMut(&str) -> String) -> Vec<Mailbox> {
    let mut marks = Marks {
        quotes: true,
        comments: true,
    };
    // Each turn gives one kind of mark up, so there are three at most.
    loop {
        let mut reader = Reader {
            rest: Cursor { line, at: 0 },
            line,
            marks,
            last_semicolon: line.rfind(';').unwrap_or(0),
            pieces: Vec::new(),
            name_end: None,
            angles: Vec::new(),
            comments: Vec::new(),
            glued: false,
            out: Vec::new(),
            most,
        };
        match reader.run(decode) {
            Ok(()) => return reader.out,
            Err(given_up) => marks = given_up,
        }
    }
}

impl<'x> Reader<'x> {
    fn run(&mut self, decode: &mut dyn FnMut(&str) -> String) -> Result<(), Marks> {
        while let Some((at, c)) = self.rest.next() {
            match c {
                '"' if self.marks.quotes => self.read_quoted(at + 1)?,
                '(' if self.marks.comments => self.read_comment()?,
                '"' | '(' | ')' | '>' => self.glued = false,
                '<' => self.read_angle(),
                ',' | ';' => self.close(decode),
                // The name of a group: its members follow.
                ':' if at < self.last_semicolon => self.reset(),
                '[' if self.ends_with_at() => self.read_literal(),
                c if c.is_whitespace() => self.glued = false,
                c => self.read_word(at, c),
            }
            if self.out.len() > self.most {
                return Ok(());
            }
        }
        self.close(decode);
        Ok(())
    }

    fn reset(&mut self) {
        self.pieces.clear();
        self.angles.clear();
        self.comments.clear();
        self.name_end = None;
        self.glued = false;
    }

    fn push(&mut self, kind: Kind, text: Cow<'x, str>) {
        let glued = std::mem::replace(&mut self.glued, true);
        self.pieces.push(Piece { kind, text, glued });
    }

    fn ends_with_at(&self) -> bool {
        self.glued && self.pieces.last().is_some_and(|piece| piece.text.ends_with('@'))
    }

    fn read_quoted(&mut self, start: usize) -> Result<(), Marks> {
        // Copied only where something is escaped.
        let mut unescaped: Option<String> = None;
        while let Some((at, c)) = self.rest.next() {
            match c {
                '"' => {
                    let plain = self.line.get(start..at).unwrap_or_default();
                    self.push(Kind::Quoted, unescaped.map_or(Cow::Borrowed(plain), Cow::Owned));
                    return Ok(());
                }
                '\\' => {
                    let before = self.line.get(start..at).unwrap_or_default();
                    let text = unescaped.get_or_insert_with(|| before.to_owned());
                    text.extend(self.rest.next().map(|(_, c)| c));
                }
                c => {
                    if let Some(text) = unescaped.as_mut() {
                        text.push(c);
                    }
                }
            }
        }
        Err(Marks {
            quotes: false,
            ..self.marks
        })
    }

    fn read_comment(&mut self) -> Result<(), Marks> {
        let mut text = String::new();
        let mut depth = 1_u32;
        while let Some((_, c)) = self.rest.next() {
            match c {
                '\\' => text.extend(self.rest.next().map(|(_, c)| c)),
                '(' => depth += 1,
                ')' if depth == 1 => {
                    self.comments.push(text);
                    self.glued = false;
                    return Ok(());
                }
                ')' => depth -= 1,
                c => text.push(c),
            }
        }
        Err(Marks {
            comments: false,
            ..self.marks
        })
    }

    /// What stands in angle brackets, without white space, comments and route (section 4.4).
    fn read_angle(&mut self) {
        // Nearly always nothing stands there but the address.
        let plain = self
            .rest
            .skip_to(|byte| !byte.is_ascii_graphic() || b"\"(),:;<>\\".contains(&byte));
        let mut text = plain.to_owned();
        let (mut quoted, mut comment, mut colon) = (false, 0_u32, false);
        while let Some((_, c)) = self.rest.peek() {
            let route = text.starts_with('@') && !colon;
            colon |= c == ':';
            if matches!(c, ',' | ';') && !quoted && comment == 0 && !route {
                break;
            }
            self.rest.next();
            match c {
                '\\' if quoted => {
                    text.push(c);
                    text.extend(self.rest.next().map(|(_, c)| c));
                }
                '"' if comment == 0 => {
                    quoted = !quoted;
                    text.push(c);
                }
                '(' if !quoted => comment += 1,
                ')' if !quoted && comment > 0 => comment -= 1,
                _ if comment > 0 => {}
                '<' if !quoted => text.clear(),
                '>' if !quoted => break,
                c if c.is_whitespace() && !quoted => {}
                c => text.push(c),
            }
        }
        if text.starts_with('@')
            && let Some((_, email)) = text.split_once(':')
        {
            text = email.to_owned();
        }
        self.name_end.get_or_insert(self.pieces.len());
        self.angles.push(text);
        self.glued = false;
    }

    /// `[192.0.2.1]`, `[IPv6:…]` behind an `@`.
    fn read_literal(&mut self) {
        let mut text = String::from("[");
        while let Some(c) = self.rest.next_if(|c| !matches!(c, ',' | ';' | '<' | '>')) {
            text.push(c);
            if c == ']' {
                break;
            }
        }
        self.push(Kind::Word, Cow::Owned(text));
    }

    fn read_word(&mut self, at: usize, first: char) {
        // Encoded words of careless programs hold commas and brackets; they are one piece all the same.
        if first == '='
            && let Some(length) = self.line.get(at..).and_then(word::word_length)
        {
            let text = self.line.get(at..at + length).unwrap_or_default();
            self.rest.at = at + length;
            self.push(Kind::Word, Cow::Borrowed(text));
            return;
        }
        // White space beyond ASCII stays in the word: names are cleaned later, and addresses have none.
        if first != '=' {
            self.rest
                .skip_to(|byte| byte.is_ascii_whitespace() || b"\"()<>,;:[=".contains(&byte));
        }
        let text = self.line.get(at..self.rest.at).unwrap_or_default();
        self.push(Kind::Word, Cow::Borrowed(text));
    }

    fn close(&mut self, decode: &mut dyn FnMut(&str) -> String) {
        let ambiguous = self.angles.len() > 1;
        let mut mailbox = match self.name_end {
            Some(end) => {
                let before = self.pieces.get(..end).unwrap_or_default();
                let named = if before.is_empty() { &self.pieces } else { before };
                Mailbox {
                    name: join(named),
                    email: self.angles.pop().unwrap_or_default(),
                    ambiguous,
                }
            }
            None => from_words(&self.pieces),
        };
        if mailbox.name.is_empty() && !self.comments.is_empty() {
            mailbox.name = self.comments.join(" ");
        }
        if mailbox.name.contains("=?") {
            mailbox.name = decode(&mailbox.name);
        }
        self.reset();
        if !(mailbox.name.trim().is_empty() && mailbox.email.is_empty()) {
            self.out.push(mailbox);
        }
    }
}

fn join<'p, 'x: 'p>(pieces: impl IntoIterator<Item = &'p Piece<'x>>) -> String {
    let mut out = String::with_capacity(48);
    for piece in pieces {
        if !piece.glued && !out.is_empty() {
            out.push(' ');
        }
        out.push_str(&piece.text);
    }
    out
}

/// Words without angle brackets: the last run that holds an `@` is the address.
fn from_words(pieces: &[Piece<'_>]) -> Mailbox {
    let mut runs: Vec<Vec<&Piece<'_>>> = Vec::new();
    let is_word = |piece: &Piece<'_>| piece.kind == Kind::Word;
    for piece in pieces {
        // White space around the `@` is obsolete, but allowed (section 4.4).
        let at = is_word(piece) && piece.text.starts_with('@');
        let open = runs
            .last()
            .and_then(|run| run.last())
            .is_some_and(|last| is_word(last) && last.text.ends_with('@'));
        match runs.last_mut() {
            Some(run) if piece.glued || at || open => run.push(piece),
            _ => runs.push(vec![piece]),
        }
    }
    let holds_at = |run: &Vec<&Piece<'_>>| {
        run.iter()
            .any(|piece| is_word(piece) && !is_encoded(&piece.text) && piece.text.contains('@'))
    };
    let write = |run: &[&Piece<'_>]| -> String {
        let one = |piece: &&Piece<'_>| match piece.kind {
            Kind::Word => piece.text.to_string(),
            Kind::Quoted => format!("\"{}\"", piece.text.replace('\\', "\\\\").replace('"', "\\\"")),
        };
        run.iter().map(one).collect()
    };
    let found = runs.iter().filter(|run| holds_at(run)).count();
    if found == 0 {
        // A lone word may be an address without a domain; anything else is a name without an address.
        return match runs.as_slice() {
            [run] if run.iter().all(|piece| is_word(piece) && !is_encoded(&piece.text)) => Mailbox {
                email: write(run),
                ..Mailbox::default()
            },
            _ => Mailbox {
                name: join(pieces),
                ..Mailbox::default()
            },
        };
    }
    let mut mailbox = Mailbox {
        ambiguous: found > 1,
        ..Mailbox::default()
    };
    if let Some(run) = runs.iter().rfind(|run| holds_at(run)) {
        mailbox.email = write(run);
    }
    let others: Vec<String> = runs
        .iter()
        .filter(|run| !holds_at(run))
        .map(|run| join(run.iter().copied()))
        .collect();
    mailbox.name = others.join(" ");
    mailbox
}

fn is_encoded(text: &str) -> bool {
    text.starts_with("=?") && text.ends_with("?=")
}
