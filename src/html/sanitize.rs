//! HTML as sent to HTML that is closed: nothing in it names anything outside it.
//!
//! What comes out has only elements, attributes and CSS from a list of allowed ones; every address in it is `r:N` (a
//! picture whose bytes are at hand) or `l:N` (a link's target in a table beside it). Attributes from before CSS are
//! CSS of no specificity in it. Depth, cells, text, numbers and CSS are bounded, and the work is linear in the input.

pub(crate) mod addresses;
mod css;
mod elements;
mod legacy;
mod tree;
mod write;

use addresses::{Addresses, Shelf};

/// A message's HTML, closed.
#[derive(Debug)]
pub(crate) struct Closed {
    pub(crate) html: String,
    pub(crate) addresses: Addresses,
    /// The message says how it wants to look in the dark.
    pub(crate) has_dark_rules: bool,
    /// Written without a doctype or with an old one.
    pub(crate) is_old: bool,
    /// Its end is missing, for it is too long or too tangled.
    pub(crate) is_cut: bool,
}

/// Never fails; asks the shelf once for each picture.
pub(crate) fn sanitize(html: &str, shelf: &mut dyn Shelf) -> Closed {
    let tree = tree::parse(html);
    let mut writer = write::Writer::new(&tree, shelf);
    let html = writer.write();
    Closed {
        html,
        addresses: std::mem::take(&mut writer.addresses),
        has_dark_rules: writer.css.has_dark_rules,
        is_old: tree.quirks != tree::Quirks::None,
        is_cut: writer.is_cut,
    }
}

#[cfg(test)]
mod tests;
