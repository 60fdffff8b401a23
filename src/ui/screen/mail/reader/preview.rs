//! A look at a message's files: pictures, the first page of a PDF, the first lines of a text.

use iced::advanced::image::Handle;
use posthorn_html::page::{Failure, Pixels};
use posthorn_mime::Kind;
use posthorn_model::Part;

use super::reading::Reading;
use crate::app::Action;

/// Device pixels of a preview, on its longer side.
pub const SIDE: u32 = 380;
/// A message with more files than this shows the rest by name.
const MOST: usize = 12;
/// A larger file is not looked into.
const LARGEST: u64 = 24 << 20;
/// Of a text, so much is shown.
const LETTERS: usize = 320;

/// What a file looks like.
#[derive(Clone, Debug)]
pub enum Preview {
    Picture { handle: Handle, width: u32, height: u32 },
    Text(String),
}

/// How a file is looked into.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Look {
    Picture,
    Pdf,
    Text,
}

/// What came of it.
#[derive(Clone, Debug)]
pub enum Seen {
    Drawn(Result<Pixels, Failure>),
    Read(Vec<u8>),
}

impl Look {
    /// How a part is looked into; `None`: not at all.
    #[must_use]
    pub const fn at(part: &Part, kind: Kind) -> Option<Self> {
        if part.size > LARGEST {
            return None;
        }
        match kind {
            Kind::Pdf => Some(Self::Pdf),
            Kind::Text => Some(Self::Text),
            Kind::Picture => Some(Self::Picture),
            _ => None,
        }
    }
}

impl Preview {
    /// What is shown of what was seen; nothing where that is nothing.
    #[must_use]
    pub fn of(seen: Seen) -> Option<Self> {
        match seen {
            Seen::Drawn(Ok(pixels)) => {
                let due = u64::from(pixels.width) * u64::from(pixels.height) * 4;
                let whole = due > 0 && u64::try_from(pixels.rgba.len()) == Ok(due);
                whole.then(|| Self::Picture {
                    width: pixels.width,
                    height: pixels.height,
                    handle: Handle::from_rgba(pixels.width, pixels.height, pixels.rgba),
                })
            }
            Seen::Drawn(Err(_)) => None,
            Seen::Read(bytes) => {
                let text = String::from_utf8_lossy(bytes.get(..bytes.len().min(4096)).unwrap_or(&bytes))
                    .chars()
                    .filter(|c| *c == '\n' || !c.is_control())
                    .take(LETTERS)
                    .collect::<String>();
                (!text.trim().is_empty()).then_some(Self::Text(text))
            }
        }
    }
}

impl Reading {
    /// Asks for a look at each file.
    pub fn look_into_files(&self) -> Vec<Action> {
        let wanted = self
            .attachments()
            .filter_map(|file| Some((&file.part, Look::at(&file.part, file.nature.kind)?)));
        wanted
            .take(MOST)
            .map(|(part, look)| Action::Preview {
                of: self.id(),
                at: self.part_at(part.index),
                index: part.index,
                look,
            })
            .collect()
    }

    /// A file that was seen to be a picture.
    #[must_use]
    pub fn is_picture(&self, index: u32) -> bool {
        let mut pictures = self
            .attachments()
            .filter(|file| file.nature.kind == Kind::Picture);
        matches!(self.previews.get(&index), Some(Preview::Picture { .. }))
            && pictures.any(|file| file.part.index == index)
    }

    /// A file was looked into.
    pub fn previewed(&mut self, index: u32, seen: Seen) {
        if let Some(preview) = Preview::of(seen) {
            self.previews.insert(index, preview);
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn only_what_can_be_looked_at_is() {
        let part = |size: u64| Part {
            index: 1,
            content_type: "application/octet-stream".into(),
            name: Some("a".into()),
            size,
            content_id: None,
            inline: false,
        };
        for (kind, size, expect) in [
            (Kind::Picture, 10, Some(Look::Picture)),
            (Kind::Picture, LARGEST + 1, None),
            (Kind::Pdf, 10, Some(Look::Pdf)),
            (Kind::WebPage, 10, None),
            (Kind::Program, 10, None),
            (Kind::Text, 10, Some(Look::Text)),
        ] {
            assert_eq!(Look::at(&part(size), kind), expect, "{kind:?}");
        }
    }

    #[test]
    fn what_is_not_whole_is_not_shown() {
        let pixels = Pixels {
            width: 2,
            height: 2,
            rgba: vec![0; 15],
        };
        assert!(Preview::of(Seen::Drawn(Ok(pixels))).is_none());
        assert!(Preview::of(Seen::Drawn(Err(Failure::Unreadable))).is_none());
        assert!(Preview::of(Seen::Read(b"  \n".to_vec())).is_none());
        assert!(
            matches!(Preview::of(Seen::Read(vec![b'a'; 9000])), Some(Preview::Text(text)) if text.len() == LETTERS)
        );
    }
}
