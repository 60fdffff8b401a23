//! One large message in pieces (RFC 9051 section 6.4.5, `BODY.PEEK[]<o.n>`), into a file that outlives the
//! connection and the process: what came is not asked for again.

use posthorn_model::{ErrorClass, Uid};
use sha2::{Digest, Sha256};
use std::collections::VecDeque;
use std::fs::{File, OpenOptions, TryLockError};
use std::io::{Read, Seek, SeekFrom, Write};
use std::path::{Path, PathBuf};
use std::time::{Duration, SystemTime};
use tempfile::TempPath;
use tokio::sync::mpsc;
use tokio::time::Instant;

use super::Session;
use super::client::Reply;
use super::code::Verdict;
use super::fetch::{LIE, SLOWEST};
use super::fetched::Fetched;
use super::guard::Literals;
use super::quirks::Care;
use crate::{Error, Payload};

/// Bytes in one piece.
const PIECE: u64 = 1 << 20;
/// Commands under way.
const IN_FLIGHT: usize = 2;
/// Bytes that are asked for once more when a fetch is resumed: what they are tells whether it is the same message,
/// and whether the end of the file survived.
const OVERLAP: u64 = 64 << 10;
/// Pieces shorter than asked, before the end, that are borne.
const MOST_SHORT: u32 = 16;
/// A message larger than this is not believed.
const LARGEST: u64 = 4 << 30;
const SUFFIX: &str = "part";

/// What has come of one message so far. Dropping it keeps the file; while it is open nobody else can open it.
#[derive(Debug)]
pub struct PartialBody {
    path: PathBuf,
    file: File,
    len: u64,
    /// Whether bytes from before this opening have been compared with the server's.
    compared: bool,
    /// The file belongs to somebody else now.
    finished: bool,
}

impl PartialBody {
    /// Opens what is there of `key`, which names the account, the mailbox, its UIDVALIDITY and the UID, in `dir`,
    /// which is made where it is missing.
    ///
    /// # Errors
    /// Disk; Refused where it is open already.
    pub fn open(dir: &Path, key: &str) -> Result<Self, Error> {
        std::fs::create_dir_all(dir).map_err(disk)?;
        let hash = Sha256::digest(key.as_bytes());
        let name: String = hash.iter().map(|byte| format!("{byte:02x}")).collect();
        let path = dir.join(name).with_extension(SUFFIX);
        let mut options = OpenOptions::new();
        options.read(true).write(true).create(true).truncate(false);
        let file = options.open(&path).map_err(disk)?;
        // A file system that knows no locks is borne: then the caller alone keeps two from fetching one message.
        if matches!(file.try_lock(), Err(TryLockError::WouldBlock)) {
            return Err(Error::new(
                ErrorClass::Refused,
                "",
                "this message is being fetched already",
            ));
        }
        let len = file.metadata().map_err(disk)?.len();
        Ok(Self {
            path,
            file,
            len,
            compared: len == 0,
            finished: false,
        })
    }

    /// Bytes that are here.
    #[must_use]
    pub const fn len(&self) -> u64 {
        self.len
    }

    #[must_use]
    pub const fn is_empty(&self) -> bool {
        self.len == 0
    }

    /// Gives up what is here.
    ///
    /// # Errors
    /// Disk.
    pub fn discard(self) -> Result<(), Error> {
        if self.finished {
            return Ok(());
        }
        std::fs::remove_file(&self.path).map_err(disk)
    }

    /// Removes the files in `dir` that nobody has touched for so long.
    ///
    /// # Errors
    /// Disk.
    pub fn sweep(dir: &Path, older_than: Duration) -> Result<(), Error> {
        let limit = SystemTime::now().checked_sub(older_than);
        let entries = match std::fs::read_dir(dir) {
            Err(error) if error.kind() == std::io::ErrorKind::NotFound => return Ok(()),
            entries => entries.map_err(disk)?,
        };
        for path in entries.filter_map(Result::ok).map(|entry| entry.path()) {
            let modified = std::fs::metadata(&path).and_then(|metadata| metadata.modified());
            let old = modified.is_ok_and(|modified| limit.is_some_and(|limit| modified < limit));
            if old && path.extension().is_some_and(|extension| extension == SUFFIX) {
                std::fs::remove_file(&path).map_err(disk)?;
            }
        }
        Ok(())
    }

    /// Forgets everything.
    fn restart(&mut self) -> Result<(), Error> {
        self.file.set_len(0).map_err(disk)?;
        self.len = 0;
        self.compared = true;
        Ok(())
    }

    /// Takes a piece that begins at `offset`, which is not beyond what is here. False where it differs from what is
    /// here already.
    fn take(&mut self, offset: u64, piece: Payload) -> Result<bool, Error> {
        let piece = piece.into_bytes().map_err(disk)?;
        let known = usize::try_from(self.len - offset)
            .unwrap_or(usize::MAX)
            .min(piece.len());
        let (known, fresh) = piece.split_at_checked(known).unwrap_or((&piece, &[]));
        let mut ours = vec![0; known.len()];
        self.file.seek(SeekFrom::Start(offset)).map_err(disk)?;
        self.file.read_exact(&mut ours).map_err(disk)?;
        if ours != known {
            return Ok(false);
        }
        self.file.seek(SeekFrom::Start(self.len)).map_err(disk)?;
        let written = self.file.write_all(fresh);
        self.len = self.file.metadata().map_err(disk)?.len();
        written.map_err(disk)?;
        self.compared = true;
        Ok(true)
    }

    /// Hands the file over; what is here is gone afterwards.
    fn finish(&mut self) -> Result<Payload, Error> {
        // Some systems let nobody read a locked file; where there was no lock there is none to give back.
        let _ = self.file.unlock();
        self.finished = true;
        let size = self.len;
        let path = TempPath::try_from_path(&self.path).map_err(disk)?;
        Ok(Payload::File { path, size })
    }
}

fn disk(error: std::io::Error) -> Error {
    let what = format!("a large message could not be kept on disk ({error})");
    Error::new(ErrorClass::Disk, "", what)
}

/// A piece that has been asked for.
struct Asked {
    tag: String,
    offset: u64,
    /// What came for it; `None` for nothing and for NIL.
    came: Option<Payload>,
    /// The server named no origin.
    whole: bool,
}

/// How far fetching has come.
enum End {
    More,
    Last,
    /// The message is not there, or the server does not give it.
    Gone,
    /// The server sent the message as a whole.
    Whole(Payload),
    /// This is not the message of which a part is here.
    Different,
}

/// The pieces under way.
struct Pieces {
    flying: VecDeque<Asked>,
    /// Where the next one begins.
    next: u64,
    short: u32,
}

impl Session {
    /// Fetches the rest of a message whose announced size is `size` (0 where unknown), in pieces of which two are
    /// under way. `None` where the server does not give it. The end is where the announced size and a short piece
    /// agree, or where the server has nothing more. Drop `part` before the payload.
    ///
    /// # Errors
    /// Where the connection, the protocol or the disk fails; what came until then stays in `part`.
    pub async fn fetch_large(
        &mut self,
        uid: Uid,
        size: u64,
        part: &mut PartialBody,
    ) -> Result<Option<Payload>, Error> {
        if part.finished {
            let what = "this message has been fetched already";
            return Err(Error::new(ErrorClass::Bug, self.client.host(), what));
        }
        if self.quirks.ask_for(Care::NoPieces) {
            return self.fetch_whole(uid, size).await;
        }
        // A server that knows no pieces sends all of it: that has room on the disk too.
        let most = (size.saturating_mul(2) + LIE).min(LARGEST);
        self.client.set_literals(Literals::Whole { memory: PIECE, most });
        let mut fetched = self.fetch_pieces(uid, size, part).await;
        if matches!(fetched, Ok(End::Different)) {
            log::info!(
                "A message is not the one of which a part was kept: it is fetched from its beginning."
            );
            part.restart()?;
            fetched = self.fetch_pieces(uid, size, part).await;
        }
        self.client.set_literals(Literals::default());
        match fetched? {
            End::Last => part.finish().map(Some),
            End::Whole(payload) => {
                part.restart()?;
                Ok(Some(payload))
            }
            End::Gone => Ok(None),
            End::More | End::Different => {
                part.restart()?;
                let what = "the server's pieces do not make one message";
                Err(self.client.give_up(Error::protocol(self.client.host(), what)))
            }
        }
    }

    async fn fetch_whole(&mut self, uid: Uid, size: u64) -> Result<Option<Payload>, Error> {
        let (sender, mut receiver) = mpsc::channel(1);
        self.fetch_bodies(&[(uid, size)], &sender).await?;
        Ok(receiver.try_recv().ok().map(|body| body.payload))
    }

    async fn fetch_pieces(&mut self, uid: Uid, size: u64, part: &mut PartialBody) -> Result<End, Error> {
        let before = if part.compared { 0 } else { OVERLAP };
        let mut pieces = Pieces {
            flying: VecDeque::new(),
            next: part.len.saturating_sub(before),
            short: 0,
        };
        let mut end = End::More;
        loop {
            let going = matches!(end, End::More);
            while going && pieces.wants_more(size, part) {
                if !pieces.flying.is_empty() {
                    self.client.allow_pipelining();
                }
                let offset = pieces.next;
                let command = format!("UID FETCH {uid} (UID BODY.PEEK[]<{offset}.{PIECE}>)");
                pieces.flying.push_back(Asked {
                    tag: self.client.send(&command).await?,
                    offset,
                    came: None,
                    whole: false,
                });
                pieces.next += PIECE;
            }
            if pieces.flying.is_empty() {
                return Ok(end);
            }
            let asked = self.await_piece(uid, &mut pieces.flying).await?;
            if pieces.flying.is_empty() {
                self.client.settled();
            }
            if going {
                let placed = pieces.place(part, size, asked);
                end = placed.map_err(|error| self.client.give_up(error))?;
            }
        }
    }

    /// Waits for the end of the first piece.
    async fn await_piece(&mut self, uid: Uid, flying: &mut VecDeque<Asked>) -> Result<Asked, Error> {
        let until = Instant::now() + self.client.patience() + Duration::from_secs(2 * PIECE / SLOWEST);
        loop {
            let (tag, done) = match self.client.next(until).await? {
                Reply::Fetch(fetched) if fetched.uid == Some(uid) => {
                    keep(flying, fetched);
                    continue;
                }
                Reply::Done(tag, done) => (tag, done),
                _ => continue,
            };
            if !flying.iter().any(|asked| asked.tag == tag) {
                continue;
            }
            if done.verdict == Verdict::Bad {
                let error = done.refusal(self.client.host(), "the message could not be read");
                return Err(self.client.give_up(error));
            }
            match flying.pop_front() {
                Some(asked) if asked.tag == tag => return Ok(asked),
                _ => {
                    let what = "the server answers in the wrong order";
                    return Err(self.client.give_up(Error::protocol(self.client.host(), what)));
                }
            }
        }
    }
}

impl Pieces {
    /// Only what is announced is asked for ahead; beyond it, one piece at a time finds out whether there is more.
    fn wants_more(&self, size: u64, part: &PartialBody) -> bool {
        let ahead = part.compared && self.next < size;
        self.flying.is_empty() || (ahead && self.flying.len() < IN_FLIGHT)
    }

    fn place(&mut self, part: &mut PartialBody, size: u64, asked: Asked) -> Result<End, Error> {
        let Some(piece) = asked.came else {
            // Expunged meanwhile, or beyond an end of which some servers say nothing.
            return Ok(match (part.compared, part.len) {
                (false, _) => End::Different,
                (true, 0) => End::Gone,
                (true, len) if len == size => End::Last,
                (true, len) if asked.offset > len => End::More,
                (true, _) => End::Gone,
            });
        };
        let length = piece.len();
        if length > PIECE {
            // It passed over the range.
            let all = asked.whole || asked.offset == 0;
            return Ok(if all { End::Whole(piece) } else { End::Different });
        }
        if asked.offset > part.len {
            // It follows one that was short, and is asked for again.
            return Ok(End::More);
        }
        if asked.offset + length < part.len || !part.take(asked.offset, piece)? {
            return Ok(End::Different);
        }
        if part.len > LARGEST {
            let what = "the server sends far more than the message's announced size";
            return Err(Error::protocol("", what));
        }
        if length == PIECE {
            return Ok(End::More);
        }
        if length == 0 || part.len == size {
            return Ok(if part.len == 0 { End::Gone } else { End::Last });
        }
        // The announced size is wrong, or the piece is: what comes next tells.
        self.short += 1;
        self.next = part.len;
        Ok(if self.short > MOST_SHORT {
            End::Different
        } else {
            End::More
        })
    }
}

/// Gives a reply to the piece that it belongs to: by its origin, or to the first that lacks one.
fn keep(flying: &mut VecDeque<Asked>, fetched: Fetched) {
    let place = match fetched.origin {
        Some(origin) => flying.iter_mut().find(|asked| asked.offset == origin),
        None => flying.iter_mut().find(|asked| asked.came.is_none()),
    };
    if let Some(asked) = place {
        asked.whole = fetched.origin.is_none();
        asked.came = asked.came.take().or(fetched.body);
    }
}
