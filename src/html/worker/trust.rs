//! What an answer must be to be believed. The child reads what strangers wrote; it may be theirs by now.

use super::message::{MAX_PIXELS, Reply, Request};
use crate::page::{Page, Rect};

/// Far more than is laid out, and little enough that nothing overflows.
pub const MAX_LENGTH: f32 = 10_000_000.0;

/// Whether a reply is of the asked kind and agrees with itself.
pub fn answers(request: &Request, reply: &Reply, blobs: &[Vec<u8>]) -> bool {
    let bytes: usize = blobs.iter().map(Vec::len).sum();
    match (request, reply) {
        (Request::Open { id, .. } | Request::Resize { id, .. }, Reply::Page(page)) => {
            page.id == *id && bytes == 0 && is_sound(page)
        }
        (
            Request::Paint { .. } | Request::Picture { .. } | Request::PdfPage { .. },
            Reply::Pixels { width, height },
        ) => are_pixels(*width, *height, bytes) && blobs.len() == 1,
        (Request::Select { .. }, Reply::Selected(selected)) => {
            bytes == 0 && selected.rects.iter().all(is_placed)
        }
        (Request::Find { .. }, Reply::Found(found)) => bytes == 0 && found.iter().flatten().all(is_placed),
        (Request::Close { .. } | Request::Warm, Reply::Done) | (Request::Examine, Reply::Examined(_)) => {
            bytes == 0
        }
        (Request::Print { .. }, Reply::Document) => {
            matches!(blobs, [document] if document.starts_with(b"%PDF-"))
        }
        _ => false,
    }
}

fn are_pixels(width: u32, height: u32, bytes: usize) -> bool {
    let count = u64::from(width) * u64::from(height);
    count <= u64::from(MAX_PIXELS) && u64::try_from(bytes).is_ok_and(|bytes| bytes == 4 * count)
}

fn is_sound(page: &Page) -> bool {
    let is_length = |length: f32| (0.0..=MAX_LENGTH).contains(&length);
    is_length(page.width)
        && is_length(page.height)
        && page.links.iter().all(|link| {
            link.rects.iter().all(is_placed)
                && ["http:", "https:", "mailto:"].iter().any(|scheme| {
                    link.url
                        .get(..scheme.len())
                        .is_some_and(|start| start.eq_ignore_ascii_case(scheme))
                })
        })
        && page.remote.iter().all(|url| {
            ["http:", "https:"].iter().any(|scheme| {
                url.get(..scheme.len())
                    .is_some_and(|start| start.eq_ignore_ascii_case(scheme))
            })
        })
}

fn is_placed(rect: &Rect) -> bool {
    [rect.x, rect.y, rect.width, rect.height]
        .iter()
        .all(|length| length.is_finite() && length.abs() <= MAX_LENGTH)
}
