//! HTML mail to something that a reader may see: text with its links, or a page drawn as its sender drew it.
//!
//! This crate is the only one that names an HTML engine. It never touches the network or a clock. What it is given is
//! hostile: output is bounded and work is linear in the input.
//!
//! Two ways lead through it. [`to_text()`] needs no tree: html5ever's tokenizer drives a renderer that keeps a bounded
//! list of open elements (`render` decides what each element looks like, `layout` where lines break). A page goes
//! from `sanitize` (HTML that names nothing outside itself) through `pictures` (the only bytes it may show) to
//! [`document`] (laid out, painted, searched), all in a process of its own. [`page`] has the words for it. The
//! crate knows nothing of MIME.

mod beginning;
pub mod document;
mod layout;
pub mod page;
mod pictures;
pub mod png;
mod quoted;
mod render;
mod sanitize;
mod style;
pub mod to_text;
pub mod worker;

pub use beginning::beginning;
pub use document::Document;
pub use quoted::own_words;
pub use to_text::{HtmlText, Link, to_text};
pub use worker::Worker;
