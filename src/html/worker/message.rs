//! What is asked and answered, without the bytes: those travel as blobs beside it.

use std::collections::BTreeMap;

use serde::{Deserialize, Serialize};

use super::frame::Caps;
use crate::page::{Failure, Grain, Heading, Look, Page, PageId, Point, Rect, Selected, Source};

/// What the child takes: a message with its pictures.
pub const REQUEST: Caps = Caps {
    header: 8 * 1024 * 1024,
    blobs: 10_000,
    bytes: 160 * 1024 * 1024,
};
/// What the program takes: a page's text and links, a tile's pixels, a printed document.
pub const ANSWER: Caps = Caps {
    header: 48 * 1024 * 1024,
    blobs: 1,
    bytes: 256 * 1024 * 1024,
};
/// Pixels of one answer: a tile is a quarter of a million, a preview a few million.
pub const MAX_PIXELS: u32 = 40_000_000;

#[derive(Debug, Serialize, Deserialize)]
pub struct Numbered<T> {
    pub serial: u64,
    pub body: T,
}

#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
pub enum Request {
    Open {
        id: PageId,
        source: SourceHead,
    },
    Resize {
        id: PageId,
        look: Look,
    },
    Paint {
        id: PageId,
        area: Rect,
    },
    Select {
        id: PageId,
        from: Point,
        to: Point,
        grain: Grain,
    },
    Find {
        id: PageId,
        needle: String,
    },
    Close {
        id: PageId,
    },
    Picture {
        max_width: u32,
        max_height: u32,
    },
    PdfPage {
        max_width: u32,
        max_height: u32,
    },
    Print {
        source: SourceHead,
        heading: Heading,
    },
    /// Only waits until there is a child.
    Warm,
    Examine,
}

impl Request {
    /// The open page that it is about.
    pub const fn page(&self) -> Option<PageId> {
        match self {
            Self::Resize { id, .. }
            | Self::Paint { id, .. }
            | Self::Select { id, .. }
            | Self::Find { id, .. }
            | Self::Close { id } => Some(*id),
            Self::Open { .. }
            | Self::Picture { .. }
            | Self::PdfPage { .. }
            | Self::Print { .. }
            | Self::Warm
            | Self::Examine => None,
        }
    }
}

/// A [`Source`]; its bytes are blobs in this order: the HTML, the parts, what was fetched.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
pub struct SourceHead {
    parts: Vec<String>,
    fetched: Vec<String>,
    look: Look,
}

pub fn pack(source: Source) -> (SourceHead, Vec<Vec<u8>>) {
    let mut blobs = vec![source.html.into_bytes()];
    let mut unzip = |map: BTreeMap<String, Vec<u8>>| {
        map.into_iter()
            .map(|(name, bytes)| {
                blobs.push(bytes);
                name
            })
            .collect()
    };
    let head = SourceHead {
        parts: unzip(source.parts),
        fetched: unzip(source.fetched),
        look: source.look,
    };
    (head, blobs)
}

/// `None` where the blobs are not those that the head names.
pub fn unpack(head: SourceHead, blobs: Vec<Vec<u8>>) -> Option<Source> {
    if blobs.len() != 1 + head.parts.len() + head.fetched.len() {
        return None;
    }
    let mut blobs = blobs.into_iter();
    let html = String::from_utf8(blobs.next()?).ok()?;
    let parts = head.parts.into_iter().zip(blobs.by_ref()).collect();
    let fetched = head.fetched.into_iter().zip(blobs).collect();
    Some(Source {
        html,
        parts,
        fetched,
        look: head.look,
    })
}

#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
pub struct Answer {
    pub outcome: Result<Reply, Failure>,
    pub wear: Wear,
}

/// What the process has grown to, by its own account.
#[derive(Clone, Copy, Debug, Default, PartialEq, Serialize, Deserialize)]
pub struct Wear {
    /// Bytes in memory; 0 where the system does not tell.
    pub resident: u64,
    /// Seconds spent on requests.
    pub busy: f64,
}

#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
pub enum Reply {
    /// The first answer, unasked: warm, and locked in this far.
    Ready(Confinement),
    Page(Box<Page>),
    /// RGBA in the blob.
    Pixels {
        width: u32,
        height: u32,
    },
    Selected(Selected),
    Found(Vec<Vec<Rect>>),
    Done,
    /// A PDF in the blob.
    Document,
    Examined(Vec<Attempt>),
}

/// How far the child is locked in.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, Serialize, Deserialize)]
pub struct Confinement {
    /// Bounds on memory, time, and no file written.
    pub limits: bool,
    /// No file but fonts (Landlock).
    pub files: bool,
    /// No socket, no other process (seccomp).
    pub calls: bool,
}

/// Something that the child tried, to see whether it is refused.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct Attempt {
    pub what: String,
    /// The refusal; empty where it worked.
    pub refused: String,
}
