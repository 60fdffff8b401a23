//! The child's side of the pipes.

use std::collections::BTreeMap;
use std::panic::{AssertUnwindSafe, catch_unwind};
use std::time::Instant;
use std::{io, thread};

use super::confine::{self, Memory};
use super::frame::{Frame, read_frame, write_frame};
use super::message::{Answer, Numbered, REQUEST, Reply, Request, Wear, unpack};
use super::{examine, pdf_page, picture, print};
use crate::document::{Document, STACK};
use crate::page::{Failure, Look, Page, PageId, PageTheme, Pixels, Rect, Source};

/// Pages that are open at once: a window shows a few.
const MAX_PAGES: usize = 200;

/// What a document does not need, the decoders may.
const SPARE_STACK: usize = 16 * 1024 * 1024;

/// The main function of the process that draws: answers until the pipe is closed. Gives the exit code.
#[must_use]
pub fn serve() -> u8 {
    let memory = Memory::open();
    let mut confinement = confine::before_fonts();
    let drawing = thread::Builder::new()
        .name("posthorn-draw".to_owned())
        .stack_size(STACK + SPARE_STACK)
        .spawn(move || {
            warm_up();
            confine::after_fonts(&mut confinement);
            let mut child = Drawing {
                pages: BTreeMap::new(),
                memory,
                busy: 0.0,
            };
            child.send(0, Ok((Reply::Ready(confinement), None)))?;
            child.answer_requests()
        });
    let ended = drawing.map(thread::JoinHandle::join);
    match ended {
        // The other end of the pipe was closed: that is how it ends.
        Ok(Ok(Err(error))) if error.kind() == io::ErrorKind::UnexpectedEof => 0,
        _ => 1,
    }
}

/// Has the fonts of the usual scripts read, and what else is done once, before anything is locked.
fn warm_up() {
    let html = "<p>Posthorn <b>bold</b> <i>italic</i> <tt>mono</tt> <span style='font-family: serif'>serif</span> \
        кириллица ελληνικά עברית العربية 漢字 かな 한글 ไทย हिन्दी 📯 ✓ →";
    let source = Source {
        html: html.to_owned(),
        parts: BTreeMap::new(),
        fetched: BTreeMap::new(),
        look: Look {
            width: 400.0,
            scale: 1.0,
            theme: PageTheme::Light,
        },
    };
    // Where this fails, so will the first message, and there somebody hears of it.
    if let Ok(mut document) = Document::open(source) {
        let _ = document.paint(Rect {
            width: 400.0,
            height: 100.0,
            ..Rect::default()
        });
    }
}

struct Drawing {
    pages: BTreeMap<PageId, Document>,
    memory: Memory,
    busy: f64,
}

type Answered = Result<(Reply, Option<Vec<u8>>), Failure>;

impl Drawing {
    fn answer_requests(&mut self) -> io::Result<()> {
        loop {
            let frame = read_frame(&mut io::stdin().lock(), REQUEST)?;
            let request: Numbered<Request> = serde_json::from_slice(&frame.header)?;
            let began = Instant::now();
            let answered = catch_unwind(AssertUnwindSafe(|| self.answer(request.body, frame.blobs)));
            self.busy += began.elapsed().as_secs_f64();
            self.send(request.serial, answered.unwrap_or(Err(Failure::Died)))?;
        }
    }

    fn answer(&mut self, request: Request, blobs: Vec<Vec<u8>>) -> Answered {
        match request {
            Request::Open { id, source } => {
                if self.pages.len() >= MAX_PAGES {
                    return Err(Failure::TooLarge);
                }
                let source = unpack(source, blobs).ok_or(Failure::Unreadable)?;
                let document = Document::open(source)?;
                let page = document.page(id);
                self.pages.insert(id, document);
                Ok((Reply::Page(Box::new(placed(page))), None))
            }
            Request::Resize { id, look } => {
                let document = self.page(id)?;
                document.resize(look)?;
                Ok((Reply::Page(Box::new(placed(document.page(id)))), None))
            }
            Request::Paint { id, area } => self.page(id)?.paint(area).map(with_pixels),
            Request::Select { id, from, to, grain } => {
                let mut selected = self.page(id)?.select(from, to, grain);
                selected.rects.retain(is_placed);
                Ok((Reply::Selected(selected), None))
            }
            Request::Find { id, needle } => {
                let mut found = self.page(id)?.find(&needle);
                found.iter_mut().for_each(|place| place.retain(is_placed));
                Ok((Reply::Found(found), None))
            }
            Request::Close { id } => {
                self.pages.remove(&id);
                Ok((Reply::Done, None))
            }
            Request::Picture {
                max_width,
                max_height,
            } => picture::decode(&only(blobs)?, max_width, max_height).map(with_pixels),
            Request::PdfPage {
                max_width,
                max_height,
            } => pdf_page::draw(only(blobs)?, max_width, max_height).map(with_pixels),
            Request::Print { source, heading } => {
                let source = unpack(source, blobs).ok_or(Failure::Unreadable)?;
                Ok((Reply::Document, Some(print::print(source, &heading)?)))
            }
            Request::Warm => Ok((Reply::Done, None)),
            Request::Examine => Ok((Reply::Examined(examine::attempt()), None)),
        }
    }

    fn page(&mut self, id: PageId) -> Result<&mut Document, Failure> {
        self.pages.get_mut(&id).ok_or(Failure::Gone)
    }

    fn send(&self, serial: u64, answered: Answered) -> io::Result<()> {
        let (outcome, blob) = match answered {
            Ok((reply, blob)) => (Ok(reply), blob),
            Err(failure) => (Err(failure), None),
        };
        let answer = Answer {
            outcome,
            wear: Wear {
                resident: self.memory.resident(),
                busy: self.busy,
            },
        };
        let header = serde_json::to_vec(&Numbered { serial, body: answer })?;
        let frame = Frame {
            header,
            blobs: blob.into_iter().collect(),
        };
        write_frame(&mut io::stdout().lock(), &frame)
    }
}

/// JSON knows no infinity: a box that lies nowhere is left out.
fn placed(mut page: Page) -> Page {
    for link in &mut page.links {
        link.rects.retain(is_placed);
    }
    page
}

fn is_placed(rect: &Rect) -> bool {
    [rect.x, rect.y, rect.width, rect.height]
        .iter()
        .all(|length| length.abs() <= super::trust::MAX_LENGTH)
}

fn with_pixels(pixels: Pixels) -> (Reply, Option<Vec<u8>>) {
    let Pixels { width, height, rgba } = pixels;
    (Reply::Pixels { width, height }, Some(rgba))
}

fn only(blobs: Vec<Vec<u8>>) -> Result<Vec<u8>, Failure> {
    blobs.into_iter().next().ok_or(Failure::Unreadable)
}
