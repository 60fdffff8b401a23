//! Pictures on servers that the reader allowed: fetched several at a time, within bounds, and recognised by their
//! own first bytes whatever the server calls them.

use std::collections::{BTreeMap, BTreeSet};
use std::io::Read as _;
use std::sync::atomic::{AtomicBool, AtomicUsize, Ordering};
use std::sync::{Mutex, PoisonError};
use std::time::{Duration, Instant};

use crate::web::{self, Cleartext, Fault, Visit, Web};

const ACCEPT: &str = "image/webp,image/png,image/jpeg,image/gif,image/bmp";
/// At once for one message.
const HANDS: usize = 6;
/// Enough to recognise every kind.
const SIGN: usize = 16;

/// What one message may bring in.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Bounds {
    pub pictures: usize,
    /// Bytes of one picture.
    pub each: usize,
    /// Bytes of all together.
    pub together: usize,
    /// For one picture, with its redirects.
    pub patience: Duration,
    pub patience_together: Duration,
}

impl Default for Bounds {
    fn default() -> Self {
        Self {
            pictures: 200,
            each: 8 << 20,
            together: 32 << 20,
            patience: Duration::from_secs(15),
            patience_together: Duration::from_secs(60),
        }
    }
}

/// What came of each address.
pub type Fetched = BTreeMap<String, Result<Vec<u8>, Fault>>;

/// Fetches each address once. Blocks until all have come, failed or run out of time, or until `given_up` is set.
#[must_use]
pub fn fetch(
    web: &Web,
    urls: &[String],
    cleartext: Cleartext,
    bounds: &Bounds,
    given_up: &AtomicBool,
) -> Fetched {
    let mut seen = BTreeSet::new();
    // In the message's order: what stands at the top comes first.
    let wanted: Vec<&String> = urls.iter().filter(|url| seen.insert(*url)).collect();
    let (now, later) = wanted.split_at(wanted.len().min(bounds.pictures));
    let mut fetched: Fetched = later
        .iter()
        .map(|url| ((*url).clone(), Err(Fault::TooMany)))
        .collect();
    let round = Round {
        visit: web.visit(ACCEPT),
        cleartext,
        bounds,
        until: Instant::now() + bounds.patience_together,
        room: AtomicUsize::new(bounds.together),
        next: AtomicUsize::new(0),
        given_up,
    };
    let here = Mutex::new(Fetched::new());
    std::thread::scope(|scope| {
        for _ in 0..HANDS.min(now.len()) {
            scope.spawn(|| {
                while let Some(url) = now.get(round.next.fetch_add(1, Ordering::Relaxed)) {
                    let came = round.fetch_one(url);
                    let mut here = here.lock().unwrap_or_else(PoisonError::into_inner);
                    here.insert((*url).clone(), came);
                }
            });
        }
    });
    fetched.append(&mut here.into_inner().unwrap_or_else(PoisonError::into_inner));
    fetched
}

struct Round<'a> {
    visit: Visit,
    cleartext: Cleartext,
    bounds: &'a Bounds,
    until: Instant,
    /// Bytes that may still come.
    room: AtomicUsize,
    next: AtomicUsize,
    given_up: &'a AtomicBool,
}

impl Round<'_> {
    fn fetch_one(&self, url: &str) -> Result<Vec<u8>, Fault> {
        self.go_on()?;
        let until = self.until.min(Instant::now() + self.bounds.patience);
        let mut response = self.visit.get(url, self.cleartext, until)?;
        let status = response.status().as_u16();
        if status != 200 {
            return Err(Fault::Status(status));
        }
        let announced = response.body().content_length().unwrap_or(0);
        if announced > self.bounds.each as u64 {
            return Err(Fault::TooLarge);
        }
        let mut body = response.body_mut().as_reader();
        let mut bytes = Vec::new();
        let mut piece = vec![0; 16 * 1024];
        loop {
            self.go_on()?;
            if Instant::now() >= until {
                return Err(Fault::TooSlow);
            }
            let count = body.read(&mut piece).map_err(|error| web::explain_io(&error))?;
            if count == 0 {
                break;
            }
            self.take_room(count)?;
            bytes.extend_from_slice(piece.get(..count).unwrap_or_default());
            if bytes.len() > self.bounds.each {
                return Err(Fault::TooLarge);
            }
            // Nothing large is loaded only to be thrown away.
            if bytes.len() >= SIGN && !is_picture(&bytes) {
                return Err(Fault::WrongType);
            }
        }
        if is_picture(&bytes) {
            Ok(bytes)
        } else {
            Err(Fault::WrongType)
        }
    }

    fn go_on(&self) -> Result<(), Fault> {
        if self.given_up.load(Ordering::Relaxed) {
            return Err(Fault::Cancelled);
        }
        Ok(())
    }

    fn take_room(&self, count: usize) -> Result<(), Fault> {
        let taken = self
            .room
            .fetch_update(Ordering::Relaxed, Ordering::Relaxed, |room| {
                room.checked_sub(count)
            });
        taken.map(|_| ()).map_err(|_| Fault::TooMany)
    }
}

/// Whether the bytes begin as PNG, JPEG, GIF, WebP or BMP do. SVG is a document with links of its own: refused.
#[must_use]
pub fn is_picture(bytes: &[u8]) -> bool {
    let starts = |sign: &[u8]| bytes.starts_with(sign);
    let at = |from: usize, sign: &[u8]| bytes.get(from..from + sign.len()) == Some(sign);
    starts(b"\x89PNG\r\n\x1a\n")
        || starts(b"\xff\xd8\xff")
        || starts(b"GIF87a")
        || starts(b"GIF89a")
        || (starts(b"RIFF") && at(8, b"WEBP"))
        // Two letters are little: the reserved bytes must be zero too.
        || (starts(b"BM") && at(6, &[0; 4]))
}

#[cfg(test)]
mod tests;
