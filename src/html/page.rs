//! The words between a reader and the process that draws: what is to be drawn, and what came of it.
//!
//! Lengths are CSS pixels of the laid-out page, origin top left, unless a comment says device pixels.

use std::collections::BTreeMap;

use serde::{Deserialize, Serialize};

/// How a page is to look.
#[derive(Clone, Copy, Debug, PartialEq, Serialize, Deserialize)]
pub struct Look {
    /// The pane's width.
    pub width: f32,
    /// Device pixels for one CSS pixel: the screen's scale times the reader's zoom.
    pub scale: f32,
    pub theme: PageTheme,
}

#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "lowercase")]
pub enum PageTheme {
    Light,
    /// The message's own dark rules where it has some, else its colours turned dark.
    Dark,
}

/// A message's HTML, and the only bytes that its pictures may come from.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
pub struct Source {
    /// As sent, not sanitised; of a multipart/related, its root.
    pub html: String,
    /// Parts of this message by Content-ID without angle brackets.
    pub parts: BTreeMap<String, Vec<u8>>,
    /// Remote pictures that the reader allowed and somebody else fetched, by the URL in [`Page::remote`].
    pub fetched: BTreeMap<String, Vec<u8>>,
    pub look: Look,
}

/// What stands above a printed message.
#[derive(Clone, Debug, Default, PartialEq, Eq, Serialize, Deserialize)]
pub struct Heading {
    /// Large, and what the document is called.
    pub title: String,
    /// Names and values, in the reader's language: who wrote it, to whom, when.
    pub fields: Vec<(String, String)>,
}

/// Names an open page within its process.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Hash, Serialize, Deserialize)]
pub struct PageId(pub u64);

#[derive(Clone, Copy, Debug, Default, PartialEq, Serialize, Deserialize)]
pub struct Rect {
    pub x: f32,
    pub y: f32,
    pub width: f32,
    pub height: f32,
}

#[derive(Clone, Copy, Debug, Default, PartialEq, Serialize, Deserialize)]
pub struct Point {
    pub x: f32,
    pub y: f32,
}

/// A link, and every box that it is drawn in.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
pub struct PageLink {
    /// `http:`, `https:` or `mailto:`.
    pub url: String,
    /// The words that it covers, on one line.
    pub text: String,
    pub rects: Vec<Rect>,
}

/// What a message asked for and did not get.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct Blocked {
    pub kind: BlockedKind,
    /// As the message has it, cut to 2,000 bytes.
    pub url: String,
}

#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Hash, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum BlockedKind {
    /// A picture on a server: fetched only where the reader allows it.
    Picture,
    /// A picture too small to see, or hidden: it only tells that the message was opened. Never fetched.
    Tracker,
    /// Style sheets, fonts, frames, scripts, forms, sound, film: never fetched.
    Style,
    Font,
    Frame,
    Script,
    Form,
    Media,
    /// A scheme that no picture or link may have.
    Scheme,
    /// A `cid:` that names no part of this message, or bytes that are no picture within the limits.
    Missing,
}

/// A page that is laid out.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
pub struct Page {
    pub id: PageId,
    /// At least the width asked for; more where the message does not fit.
    pub width: f32,
    pub height: f32,
    pub links: Vec<PageLink>,
    pub blocked: Vec<Blocked>,
    /// Pictures on servers that would be drawn if they were fetched, each once, in order.
    pub remote: Vec<String>,
    /// The message as text, for when drawing fails, for quoting and for the command line.
    pub text: String,
    /// The message says how it wants to look in the dark.
    pub has_dark_rules: bool,
}

/// A rectangle of a page as pixels.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct Pixels {
    /// Device pixels.
    pub width: u32,
    pub height: u32,
    /// `width * height * 4` bytes, RGBA, straight alpha, rows from the top.
    pub rgba: Vec<u8>,
}

/// How far a selection reaches around its two ends.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "lowercase")]
pub enum Grain {
    Character,
    Word,
    /// Lines up to where their writer broke them: a paragraph.
    Line,
    /// Everything, wherever the ends are.
    All,
}

/// Text that the reader marked.
#[derive(Clone, Debug, Default, PartialEq, Serialize, Deserialize)]
pub struct Selected {
    pub text: String,
    pub rects: Vec<Rect>,
}

/// Why there is no picture. The reader shows the message's text then, and says this in a line.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum Failure {
    /// It took longer than allowed; the process was ended.
    TooSlow,
    /// The process ended: a panic, a limit on memory or time.
    Died,
    /// Larger than what is drawn.
    TooLarge,
    /// No such page: its process was replaced. Open it again.
    Gone,
    /// The process could not be started, or not be locked in.
    NoProcess,
    /// No picture, or no page of a PDF, could be read from these bytes.
    Unreadable,
}
