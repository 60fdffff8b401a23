//! The reader's plain view of HTML mail.

use std::cell::{Cell, RefCell};

use html5ever::TokenizerResult;
use html5ever::tendril::StrTendril;
use html5ever::tokenizer::states::RawKind;
use html5ever::tokenizer::{
    BufferQueue, TagKind, Token, TokenSink, TokenSinkResult, Tokenizer, TokenizerOpts,
};

use crate::render::Renderer;

/// HTML read, in bytes, after pictures within it are dropped.
const MAX_INPUT: usize = 4 * 1024 * 1024;
/// What is fed at once; between, the guard looks.
const CHUNK: usize = 4 * 1024;
/// Possible attributes since the last token. The tokenizer compares each attribute with all others of its tag, so a
/// tag of a hundred thousand would take minutes.
const MAX_PENDING: usize = 5_000;
/// Comments and pictures longer than this are dropped beforehand, so that they do not trip the guard.
const LONG: usize = 4 * 1024;

/// One link of a message.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Link {
    /// What the message shows for it; the address itself where it shows nothing.
    pub text: String,
    /// `http:`, `https:` or `mailto:`.
    pub url: String,
}

/// HTML as text, and where its links lead.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct HtmlText {
    /// Lines ended by `\n`; quotations behind `> `.
    pub text: String,
    /// In the order of the text.
    pub links: Vec<Link>,
    /// Whether something was left out because the message is too long or too tangled. The text says so too.
    pub truncated: bool,
}

/// Renders HTML as text: at most about 2 MB of it.
#[must_use]
pub fn to_text(html: &str) -> HtmlText {
    let lean = drop_long(html);
    let input = lean.get(..lean.floor_char_boundary(MAX_INPUT)).unwrap_or(&lean);
    let sink = Sink {
        renderer: RefCell::new(Renderer::default()),
        tokens: Cell::new(0),
    };
    let tokenizer = Tokenizer::new(sink, TokenizerOpts::default());
    let queue = BufferQueue::default();
    let mut rest = input;
    let mut pending = 0;
    let mut tangled = false;
    while !rest.is_empty() && !tangled && !tokenizer.sink.renderer.borrow().is_full() {
        let (chunk, tail) = rest.split_at(rest.floor_char_boundary(CHUNK).max(1));
        queue.push_back(StrTendril::from_slice(chunk));
        // Scripts are never run: feeding goes on. What is left in the queue waits for the next chunk.
        while !matches!(tokenizer.feed(&queue), TokenizerResult::Done) {}
        let tokens = tokenizer.sink.tokens.replace(0);
        pending = if tokens > 0 {
            0
        } else {
            pending + count_separators(chunk)
        };
        tangled = pending > MAX_PENDING;
        rest = tail;
    }
    if !tangled {
        tokenizer.end();
    }
    let cut = tangled || input.len() < lean.len() || !rest.is_empty();
    tokenizer.sink.renderer.into_inner().finish(cut)
}

/// What may stand between two attributes.
fn count_separators(chunk: &str) -> usize {
    chunk
        .bytes()
        .filter(|byte| matches!(byte, b' ' | b'\t' | b'\n' | b'\r' | 0x0c | b'/' | b'"' | b'\''))
        .count()
}

/// Without comments and `data:` pictures that are long. Shorter ones are the tokenizer's business, which knows
/// where they do not count.
fn drop_long(html: &str) -> String {
    let mut out = String::with_capacity(html.len());
    let mut comments = html.match_indices("<!--").map(|(at, _)| at).peekable();
    let mut pictures = html.match_indices("data:").map(|(at, _)| at).peekable();
    let mut from = 0;
    loop {
        while comments.next_if(|at| *at < from).is_some() {}
        while pictures.next_if(|at| *at < from).is_some() {}
        let (comment, picture) = (comments.peek().copied(), pictures.peek().copied());
        let Some(at) = comment.into_iter().chain(picture).min() else {
            break;
        };
        let rest = html.get(at..).unwrap_or_default();
        let is_comment = comment == Some(at);
        let length = if is_comment {
            rest.find("-->").map(|end| end + 3)
        } else {
            rest.find(['"', '\'', '>', ' ', '\n'])
        };
        // Never ended: nothing behind it is either.
        let Some(length) = length else {
            break;
        };
        let long = length > LONG;
        out.push_str(html.get(from..if long { at } else { at + 4 }).unwrap_or_default());
        from = at + if long { length } else { 4 };
    }
    out.push_str(html.get(from..).unwrap_or_default());
    out
}

struct Sink {
    renderer: RefCell<Renderer>,
    tokens: Cell<usize>,
}

impl TokenSink for Sink {
    type Handle = ();

    fn process_token(&self, token: Token, _line: u64) -> TokenSinkResult<()> {
        if !matches!(token, Token::ParseError(_)) {
            self.tokens.set(self.tokens.get() + 1);
        }
        let mut renderer = self.renderer.borrow_mut();
        match token {
            Token::CharacterTokens(text) => renderer.push_text(&text),
            Token::TagToken(tag) if tag.kind == TagKind::StartTag => {
                renderer.open(&tag);
                return raw_kind(&tag.name).map_or(TokenSinkResult::Continue, TokenSinkResult::RawData);
            }
            Token::TagToken(tag) => renderer.close(&tag.name),
            _ => {}
        }
        TokenSinkResult::Continue
    }
}

/// Elements whose content is no markup (HTML section 13.2.6.4).
fn raw_kind(name: &str) -> Option<RawKind> {
    match name {
        "script" => Some(RawKind::ScriptData),
        "style" | "xmp" | "iframe" | "noembed" | "noframes" => Some(RawKind::Rawtext),
        "title" | "textarea" => Some(RawKind::Rcdata),
        _ => None,
    }
}
