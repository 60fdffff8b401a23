//! The window's way to the process that draws messages: owned values in, owned values out, every answer awaited.
//!
//! [`Painter`] is what the window needs of it; the worker of the `html` crate has it, and so do fakes that answer with
//! canned pages.

use std::pin::Pin;
use std::sync::Arc;

use posthorn_html::Worker;
use posthorn_html::page::{Failure, Grain, Heading, Page, PageId, Pixels, Point, Rect, Selected, Source};

/// What the painter will say.
pub type Drawn<T> = Pin<Box<dyn Future<Output = Result<T, Failure>> + Send>>;

/// Draws messages, elsewhere. No method blocks.
pub trait Painter: Send + Sync {
    fn open(&self, source: Source) -> Drawn<Page>;
    fn paint(&self, page: PageId, rect: Rect) -> Drawn<Pixels>;
    fn select(&self, page: PageId, from: Point, to: Point, grain: Grain) -> Drawn<Selected>;
    /// Where words stand: the boxes of each hit, in reading order.
    fn find(&self, page: PageId, words: String) -> Drawn<Vec<Vec<Rect>>>;
    fn close(&self, page: PageId);
    /// A picture's bytes, decoded and no larger than so many device pixels on either side.
    fn picture(&self, bytes: Vec<u8>, most: u32) -> Drawn<Pixels>;
    /// The first page of a PDF, no larger than so many device pixels on either side.
    fn pdf_page(&self, bytes: Vec<u8>, most: u32) -> Drawn<Pixels>;
    /// The whole message as a PDF on A4 pages, below its heading.
    fn print(&self, source: Source, heading: Heading) -> Drawn<Vec<u8>>;
}

/// The window's handle to a painter.
pub type Brush = Arc<dyn Painter>;

macro_rules! ask {
    ($worker:expr, $method:ident($($argument:expr),*)) => {{
        let worker = $worker.clone();
        Box::pin(async move { worker.$method($($argument),*).await })
    }};
}

impl Painter for Worker {
    fn open(&self, source: Source) -> Drawn<Page> {
        ask!(self, open(source))
    }

    fn paint(&self, page: PageId, rect: Rect) -> Drawn<Pixels> {
        ask!(self, paint(page, rect))
    }

    fn select(&self, page: PageId, from: Point, to: Point, grain: Grain) -> Drawn<Selected> {
        ask!(self, select(page, from, to, grain))
    }

    fn find(&self, page: PageId, words: String) -> Drawn<Vec<Vec<Rect>>> {
        ask!(self, find(page, words))
    }

    fn close(&self, page: PageId) {
        Self::close(self, page);
    }

    fn picture(&self, bytes: Vec<u8>, most: u32) -> Drawn<Pixels> {
        ask!(self, picture(bytes, most, most))
    }

    fn pdf_page(&self, bytes: Vec<u8>, most: u32) -> Drawn<Pixels> {
        ask!(self, pdf_page(bytes, most, most))
    }

    fn print(&self, source: Source, heading: Heading) -> Drawn<Vec<u8>> {
        ask!(self, print(source, heading))
    }
}

/// The program's own worker; `None` where there can be none: messages are shown as text then.
#[must_use]
pub fn hire() -> Option<Brush> {
    Some(Arc::new(Worker::of_this_program()?))
}
