//! HTML mail to something that a reader may see. For now: text and links.
//!
//! This crate is the only one that names an HTML engine. It never touches the network, the disk or a clock, and
//! what it is given is hostile: output is bounded, work is linear, nesting costs no stack. It knows nothing of
//! MIME. Start reading at [`to_text()`].

pub mod to_text;

pub use to_text::{HtmlText, Link, to_text};
