//! The process that draws: HTML, pictures and PDFs from strangers are read there and nowhere else.
//!
//! It is this program again, started with a hidden argument: [`serve`] is its main function, [`Worker`] what the
//! rest of the program holds. They speak in frames over two pipes (`frame`, `message`). The child locks itself in
//! before it reads the first byte (`confine`): bounds on memory and processor time, no file but fonts, no network,
//! no other process. The program believes nothing that it says (`trust`), and a child that is slow, ends or talks
//! rubbish is killed and replaced (`lane`).
//!
//! Two children may run: one lays out and paints what is read, the other decodes previews and prints, so that
//! neither waits for the other.

mod child;
mod confine;
mod examine;
mod frame;
mod heading;
mod lane;
mod message;
mod pdf;
mod pdf_page;
mod picture;
mod print;
mod trust;

use std::fmt;
use std::path::PathBuf;
use std::sync::Arc;
use std::sync::atomic::{AtomicU64, Ordering};
use std::sync::mpsc::Sender;
use std::time::Duration;

use futures_channel::oneshot;

use self::lane::{Order, Outcome, Recipe};
use self::message::{Reply, Request};
use crate::page::{Failure, Grain, Heading, Look, Page, PageId, Pixels, Point, Rect, Selected, Source};

pub use self::child::serve;
pub use self::message::Attempt;

/// The argument that makes this program the child.
pub const ARGUMENT: &str = "html-worker";

/// What one request may take before the child is replaced.
const DRAWING: Duration = Duration::from_secs(3);
const PRINTING: Duration = Duration::from_secs(12);
/// A child for previews and printing is not kept warm for ever.
const IDLE: Duration = Duration::from_secs(30);

/// Draws in other processes. Clones share them; they end with the last clone.
///
/// The answers come through channels that need no runtime. A future that is dropped takes its request back.
#[derive(Clone)]
pub struct Worker {
    reading: Sender<Order>,
    aside: Sender<Order>,
    next_page: Arc<AtomicU64>,
}

impl fmt::Debug for Worker {
    fn fmt(&self, out: &mut fmt::Formatter<'_>) -> fmt::Result {
        out.write_str("Worker")
    }
}

impl Worker {
    /// Starts a child at once, so that it is warm when the first message is opened. `arguments` must lead `program`
    /// to [`serve`].
    #[must_use]
    pub fn new(program: PathBuf, arguments: Vec<String>) -> Self {
        let recipe = |idle| Recipe {
            program: program.clone(),
            arguments: arguments.clone(),
            idle,
        };
        Self {
            reading: lane::start(recipe(None)),
            aside: lane::start(recipe(Some(IDLE))),
            next_page: Arc::new(AtomicU64::new(1)),
        }
    }

    /// The child is this program, by [`ARGUMENT`]; `None` where the system does not say what that is.
    #[must_use]
    pub fn of_this_program() -> Option<Self> {
        // The link leads to what runs now, even when the file has been replaced by a newer version.
        let program = if cfg!(target_os = "linux") {
            PathBuf::from("/proc/self/exe")
        } else {
            std::env::current_exe().ok()?
        };
        Some(Self::new(program, vec![ARGUMENT.to_owned()]))
    }

    /// Lays a message out. Close the page when it is no longer shown.
    ///
    /// # Errors
    /// Where it cannot be drawn: show its text.
    pub async fn open(&self, source: Source) -> Result<Page, Failure> {
        let id = PageId(self.next_page.fetch_add(1, Ordering::Relaxed));
        let (source, blobs) = message::pack(source);
        let open = Request::Open { id, source };
        match ask(&self.reading, open, blobs, DRAWING).await? {
            (Reply::Page(page), _) => Ok(*page),
            _ => Err(Failure::Died),
        }
    }

    /// Lays an open page out anew. Where that fails, the page is gone.
    ///
    /// # Errors
    /// As [`Worker::open`].
    pub async fn resize(&self, id: PageId, look: Look) -> Result<Page, Failure> {
        match ask(&self.reading, Request::Resize { id, look }, Vec::new(), DRAWING).await? {
            (Reply::Page(page), _) => Ok(*page),
            _ => Err(Failure::Died),
        }
    }

    /// Paints a part of a page: best in tiles of about 512 device pixels a side.
    ///
    /// # Errors
    /// Where it cannot be painted, or is too large to be painted at once.
    pub async fn paint(&self, id: PageId, area: Rect) -> Result<Pixels, Failure> {
        to_pixels(ask(&self.reading, Request::Paint { id, area }, Vec::new(), DRAWING).await?)
    }

    /// The text between two points.
    ///
    /// # Errors
    /// Where the page is gone.
    pub async fn select(
        &self,
        id: PageId,
        from: Point,
        to: Point,
        grain: Grain,
    ) -> Result<Selected, Failure> {
        let select = Request::Select { id, from, to, grain };
        match ask(&self.reading, select, Vec::new(), DRAWING).await? {
            (Reply::Selected(selected), _) => Ok(selected),
            _ => Err(Failure::Died),
        }
    }

    /// Where a text stands: the boxes of each place.
    ///
    /// # Errors
    /// Where the page is gone.
    pub async fn find(&self, id: PageId, needle: String) -> Result<Vec<Vec<Rect>>, Failure> {
        match ask(&self.reading, Request::Find { id, needle }, Vec::new(), DRAWING).await? {
            (Reply::Found(found), _) => Ok(found),
            _ => Err(Failure::Died),
        }
    }

    /// Frees a page. Never waits.
    pub fn close(&self, id: PageId) {
        // Where the lane has ended, so has the page.
        let _ = self.reading.send(Order {
            request: Request::Close { id },
            blobs: Vec::new(),
            allowed: DRAWING,
            answer: None,
        });
    }

    /// A picture, decoded, turned as its metadata says, and made smaller where it is larger than this.
    ///
    /// # Errors
    /// Where it is no picture, or one beyond the limits.
    pub async fn picture(&self, bytes: Vec<u8>, max_width: u32, max_height: u32) -> Result<Pixels, Failure> {
        let picture = Request::Picture {
            max_width,
            max_height,
        };
        to_pixels(ask(&self.aside, picture, vec![bytes], DRAWING).await?)
    }

    /// The first page of a PDF, no larger than this.
    ///
    /// # Errors
    /// Where there is none that can be drawn.
    pub async fn pdf_page(&self, bytes: Vec<u8>, max_width: u32, max_height: u32) -> Result<Pixels, Failure> {
        let page = Request::PdfPage {
            max_width,
            max_height,
        };
        to_pixels(ask(&self.aside, page, vec![bytes], DRAWING).await?)
    }

    /// A message as a PDF of A4 pages, numbered, the heading above it on the first. The width, the scale and the theme of its look do not matter.
    ///
    /// # Errors
    /// Where it cannot be drawn, or is too long.
    pub async fn print(&self, source: Source, heading: Heading) -> Result<Vec<u8>, Failure> {
        let (source, blobs) = message::pack(source);
        let print = Request::Print { source, heading };
        let (_, blobs) = ask(&self.aside, print, blobs, PRINTING).await?;
        blobs.into_iter().next().ok_or(Failure::Died)
    }

    /// Waits until the child is warm. Not needed: every request does.
    ///
    /// # Errors
    /// Where there is no child.
    pub async fn warm(&self) -> Result<(), Failure> {
        ask(&self.reading, Request::Warm, Vec::new(), DRAWING)
            .await
            .map(drop)
    }

    /// Has the child try what it must not be able to do.
    ///
    /// # Errors
    /// Where there is no child.
    pub async fn examine(&self) -> Result<Vec<Attempt>, Failure> {
        match ask(&self.reading, Request::Examine, Vec::new(), DRAWING).await? {
            (Reply::Examined(attempts), _) => Ok(attempts),
            _ => Err(Failure::Died),
        }
    }
}

async fn ask(lane: &Sender<Order>, request: Request, blobs: Vec<Vec<u8>>, allowed: Duration) -> Outcome {
    let (answer, answered) = oneshot::channel();
    let order = Order {
        request,
        blobs,
        allowed,
        answer: Some(answer),
    };
    lane.send(order).map_err(|_| Failure::NoProcess)?;
    answered.await.unwrap_or(Err(Failure::NoProcess))
}

fn to_pixels((reply, blobs): (Reply, Vec<Vec<u8>>)) -> Result<Pixels, Failure> {
    match (reply, blobs.into_iter().next()) {
        (Reply::Pixels { width, height }, Some(rgba)) => Ok(Pixels { width, height, rgba }),
        _ => Err(Failure::Died),
    }
}
