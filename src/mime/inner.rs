//! Files inside of parts: what Outlook packs into `winmail.dat`, and what older programs write into the text itself.
//! They are parts like others, with indices of their own beyond those of the leaves, which never move.

use crate::decode;
use crate::defect::Defects;
use crate::structure::{Leaf, Tree};
use crate::{uuencode, winmail};

/// Between the indices of files inside the same leaf; more leaves than this are not read.
const STRIDE: u32 = 65_536;
/// Files of one leaf.
pub(crate) const MAX_INNER: usize = 500;
/// Decoded bytes of a leaf that is unpacked.
const MAX_BYTES: usize = 256 * 1024 * 1024;

/// A file inside of a part.
#[derive(Debug, Default, PartialEq, Eq)]
pub(crate) struct Inner {
    /// As written, not made safe.
    pub(crate) name: String,
    pub(crate) content_type: String,
    pub(crate) bytes: Vec<u8>,
}

/// The index of the file with this number in a leaf.
pub(crate) fn index_of(leaf: u32, number: usize) -> Option<u32> {
    let number = u32::try_from(number).ok()?.checked_add(1)?;
    number.checked_mul(STRIDE)?.checked_add(leaf)
}

/// The leaf and the number behind an index; `None` where it is a leaf's own.
pub(crate) fn split_index(index: u32) -> Option<(u32, usize)> {
    let number = (index / STRIDE).checked_sub(1)?;
    Some((index % STRIDE, usize::try_from(number).ok()?))
}

/// Whether a leaf may hold files: cheap enough for every leaf.
pub(crate) fn may_hold(leaf: &Leaf<'_>) -> bool {
    let head = &leaf.head;
    match head.content_type.as_str() {
        "application/ms-tnef" | "application/vnd.ms-tnef" => true,
        "text/plain" => !head.attachment && uuencode::is_likely(leaf.body),
        _ => head
            .name
            .as_deref()
            .is_some_and(|name| name.eq_ignore_ascii_case("winmail.dat")),
    }
}

/// The files inside of a leaf.
pub(crate) fn files(leaf: &Leaf<'_>, defects: &mut Defects) -> Vec<Inner> {
    if !may_hold(leaf) || leaf.body.len() > MAX_BYTES {
        return Vec::new();
    }
    let bytes = decode::decode(leaf.head.encoding, leaf.body, defects);
    if leaf.head.content_type == "text/plain" {
        uuencode::files(&bytes)
    } else {
        defects.guard("winmail.dat", || winmail::files(&bytes))
    }
}

/// One file by the index of a part.
pub(crate) fn bytes_of(tree: &Tree<'_>, index: u32) -> Option<Vec<u8>> {
    let (leaf, number) = split_index(index)?;
    let leaf = tree.leaves.get(usize::try_from(leaf).ok()?)?;
    let mut files = files(leaf, &mut Defects::default());
    (number < files.len()).then(|| files.swap_remove(number).bytes)
}
