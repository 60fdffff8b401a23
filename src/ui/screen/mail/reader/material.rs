//! What a message's page is made from, and how much of it is shown.

use std::collections::BTreeMap;
use std::sync::Arc;

use posthorn_engine::Reading;
use posthorn_html::page::Heading;
use posthorn_model::{Address, Timestamp};

use super::plain;
use crate::t;
use crate::when::Clock;

/// How the reader wants to see a message.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub struct Wanted {
    /// Its text, though it has a layout of its own.
    pub as_text: bool,
    /// Text in a font whose letters are all as wide.
    pub fixed: bool,
    /// Its own colours, though the window is dark.
    pub as_sent: bool,
    /// With what it quotes at its end.
    pub quoted: bool,
    /// All of a very long text.
    pub whole: bool,
}

/// The remote pictures that were fetched, by their addresses.
pub type Fetched = Arc<BTreeMap<String, Vec<u8>>>;

/// A message as it was read, with what takes a while to find out found out off the window's thread.
#[derive(Clone, Debug)]
pub struct Read {
    pub reading: Reading,
    /// How much of the HTML and of the text is the writer's own; the rest is quoted at the end.
    own_html: usize,
    own_text: usize,
}

impl Read {
    /// Looks through the message: for a thread of its own.
    #[must_use]
    pub fn new(reading: Reading) -> Self {
        let html = reading.message.html.as_deref().unwrap_or_default();
        let text = reading.message.text.as_deref().unwrap_or_default();
        Self {
            own_html: posthorn_html::own_words(html).len(),
            own_text: posthorn_mime::text::trim_quoted(text).0.trim_end().len(),
            reading,
        }
    }
}

#[derive(Clone, Debug)]
pub enum Body {
    Html(String),
    Text(String),
    /// HTML that is shown as text.
    Converted(String),
}

/// See the module.
#[derive(Debug)]
pub struct Material {
    pub body: Body,
    pub wanted: Wanted,
    /// The parts that pictures may come from, by Content-ID.
    pub parts: BTreeMap<String, Vec<u8>>,
    pub fetched: Fetched,
    /// Something is left out at the end because it was quoted.
    pub trims: bool,
    /// Something is left out because it is too long: its length in bytes.
    pub more: usize,
}

/// What stands above a message on paper.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Letterhead {
    subject: String,
    date: Timestamp,
    from: String,
    to: String,
    cc: String,
    files: String,
}

impl Letterhead {
    #[must_use]
    pub fn of(reading: &Reading) -> Self {
        let envelope = &reading.message.envelope;
        let people = |addresses: &[Address]| {
            let names: Vec<String> = addresses.iter().map(ToString::to_string).collect();
            names.join(", ")
        };
        let files = reading
            .attachments
            .iter()
            .filter_map(|file| file.part.name.clone());
        Self {
            subject: envelope.subject.clone(),
            date: reading.message.date,
            from: people(&envelope.from),
            to: people(&envelope.to),
            cc: people(&envelope.cc),
            files: files.collect::<Vec<_>>().join(", "),
        }
    }

    /// In the user's words; what is empty is left out.
    #[must_use]
    pub fn heading(&self, clock: &Clock) -> Heading {
        let fields = [
            (t!("field-from"), self.from.clone()),
            (t!("field-to"), self.to.clone()),
            (t!("field-cc"), self.cc.clone()),
            (t!("field-date"), clock.full(self.date)),
            (t!("field-files"), self.files.clone()),
        ];
        Heading {
            title: if self.subject.is_empty() {
                t!("list-no-subject")
            } else {
                self.subject.clone()
            },
            fields: fields
                .into_iter()
                .filter(|(_, value)| !value.is_empty())
                .collect(),
        }
    }
}

/// More text than this is laid out only when it is asked for.
const LONG: usize = 256 * 1024;

impl Material {
    /// `answers`: the message stands in a conversation, where what it quotes can be read anyway.
    #[must_use]
    pub fn new(read: &Read, wanted: Wanted, answers: bool, fetched: Fetched) -> Self {
        let mail = &read.reading.message;
        let mut material = Self {
            body: Body::Text(String::new()),
            wanted,
            parts: BTreeMap::new(),
            fetched,
            trims: false,
            more: 0,
        };
        let plain = mail.text.as_deref().filter(|text| !text.trim().is_empty());
        match (mail.html.as_deref(), plain) {
            (Some(html), _) if !wanted.as_text => {
                let own = html.get(..read.own_html).unwrap_or(html);
                material.trims = answers && own.len() < html.len();
                let kept = if material.trims && !wanted.quoted {
                    own
                } else {
                    html
                };
                material.body = Body::Html(kept.to_owned());
                material.parts = read.reading.related.clone();
            }
            (_, Some(text)) => {
                let own = text.get(..read.own_text).unwrap_or(text);
                let rest = text.get(own.len()..).unwrap_or_default();
                material.trims = answers && !rest.trim().is_empty();
                let kept = if material.trims && !wanted.quoted {
                    own
                } else {
                    text
                };
                material.set_text(kept);
            }
            (Some(html), None) => material.body = Body::Converted(html.to_owned()),
            (None, None) => {}
        }
        material
    }

    fn set_text(&mut self, text: &str) {
        let whole = text.len();
        let text = if self.wanted.whole { text } else { shorten(text) };
        self.more = whole - text.len();
        self.body = Body::Text(text.to_owned());
    }

    /// Whether there is anything to lay out.
    #[must_use]
    pub fn is_empty(&self) -> bool {
        match &self.body {
            Body::Html(text) | Body::Text(text) | Body::Converted(text) => text.trim().is_empty(),
        }
    }

    /// Text is made in the window's colours; a message with a layout of its own is turned dark by whoever draws it.
    #[must_use]
    pub const fn turns_dark(&self) -> bool {
        matches!(self.body, Body::Html(_)) && !self.wanted.as_sent
    }

    /// Whether its beginning is worth a page of its own, that is there before the whole.
    #[must_use]
    pub fn is_long(&self) -> bool {
        matches!(&self.body, Body::Html(html) if posthorn_html::beginning(html).is_some())
    }

    /// As [`Self::html`], of a long message its beginning only.
    #[must_use]
    pub fn first_html(&self, dark: bool) -> String {
        match &self.body {
            Body::Html(html) => posthorn_html::beginning(html).unwrap_or(html).to_owned(),
            Body::Text(_) | Body::Converted(_) => self.html(dark),
        }
    }

    /// What is laid out, in the window's colours where those are ours to choose. May take a while.
    #[must_use]
    pub fn html(&self, dark: bool) -> String {
        let dark = dark && !self.wanted.as_sent;
        match &self.body {
            Body::Html(html) => html.clone(),
            Body::Text(text) => plain::to_html(text, self.wanted.fixed, dark),
            Body::Converted(html) => {
                let text = posthorn_html::to_text(html).text;
                plain::to_html(shorten(&text), self.wanted.fixed, dark)
            }
        }
    }
}

/// The beginning of a very long text, up to the end of a line.
fn shorten(text: &str) -> &str {
    if text.len() <= LONG {
        return text;
    }
    let kept = text.get(..text.floor_char_boundary(LONG)).unwrap_or(text);
    kept.rfind('\n').and_then(|at| kept.get(..at)).unwrap_or(kept)
}
