//! HTML mail to something that a reader may see. For now: text, and where its links lead.
//!
//! This crate is the only one that names an HTML engine. It never touches the network, the disk or a clock. What it
//! is given is hostile: output is bounded, work is linear in the input, and nesting costs no stack, because there
//! is no tree: html5ever's tokenizer drives a renderer that keeps a bounded list of open elements. It knows
//! nothing of MIME. Start reading at [`to_text()`]; `render` decides what each element looks like, `layout` where
//! lines break.

mod layout;
pub mod page;
mod render;
mod style;
pub mod to_text;
pub mod worker;

pub use to_text::{HtmlText, Link, to_text};
pub use worker::Worker;
