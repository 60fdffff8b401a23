//! The store's threads: one writer fed first in first out, a keeper that makes raw messages durable beside it, a few
//! readers that can only query, one reader for long work (hashing, compressing, checking), so that a list never
//! waits behind it.
//!
//! Every call is a future over a oneshot channel; the crate names no runtime. Dropping a future does not take
//! back what it asked for.

mod file;
#[cfg(test)]
mod full_disk;
mod ids;
mod queue;

use std::panic::{AssertUnwindSafe, catch_unwind};
use std::path::{Path, PathBuf};
use std::sync::atomic::{AtomicBool, Ordering};
use std::sync::{Arc, Mutex, PoisonError};
use std::thread::JoinHandle;

use futures_channel::oneshot;
use posthorn_model::{AccountId, MailboxId, MessageId, OperationId, SubmissionId, Timestamp};
use rusqlite::Connection;

pub(crate) use self::file::{Access, create_dir, now, open as open_file, set_aside, suspect_mark, sync_dir};
use self::ids::Ids;
use self::queue::Queue;
use crate::error::{Error, File, Result};
use crate::{check, migrate, rebuild};

/// Lists are short work: two threads keep one slow page from blocking the next.
const QUICK_READERS: usize = 2;

/// What the writer thread works with.
pub(crate) struct Writer {
    pub(crate) index: Connection,
    pub(crate) messages: Connection,
}

/// What the keeper thread works with: raw messages go to their file, and its syncs, while the writer indexes.
pub(crate) struct Keeper {
    /// Only queried.
    pub(crate) index: Connection,
    pub(crate) messages: Connection,
    pub(crate) dir: PathBuf,
}

/// What a reader thread works with.
pub(crate) struct Reader {
    pub(crate) index: Connection,
    pub(crate) messages: Connection,
    pub(crate) dir: PathBuf,
}

type WriteJob = Box<dyn FnOnce(&mut Writer) + Send>;
/// For a thread that opens its files at its first job.
type Job<T> = Box<dyn FnOnce(Result<&mut T>) + Send>;

/// How fast a read must be: which threads it runs on.
#[derive(Clone, Copy, PartialEq, Eq)]
pub(crate) enum Pace {
    Quick,
    Bulk,
}

/// The local message cache. Cheap to clone; the last clone dropped stops the threads after the work in hand.
#[derive(Clone)]
pub struct Store {
    shared: Arc<Shared>,
}

struct Shared {
    dir: PathBuf,
    /// `None`: open for reading only.
    writes: Option<Arc<Queue<WriteJob>>>,
    keeps: Arc<Queue<Job<Keeper>>>,
    quick: Arc<Queue<Job<Reader>>>,
    bulk: Arc<Queue<Job<Reader>>>,
    threads: Mutex<Threads>,
    ids: Ids,
    notices: Vec<String>,
    rebuild_wanted: AtomicBool,
}

#[derive(Default)]
struct Threads {
    handles: Vec<JoinHandle<()>>,
    /// Each completes when its thread has closed its files.
    others_ended: Vec<oneshot::Receiver<()>>,
    writer_ended: Option<oneshot::Receiver<()>>,
}

impl Store {
    /// Opens or creates both files in `dir`. The caller holds the profile's lock. A damaged index is set aside
    /// and a new one begun: see [`Store::rebuild_wanted`]. A file of a newer version is an error.
    pub fn open(dir: &Path) -> Result<Self> {
        create_dir(dir)?;
        for file in [File::Messages, File::Index] {
            refuse_newer(dir, file)?;
        }
        let opened = rebuild::open_both(dir)?;
        let writer = opened.writer;
        let ids = Ids::load(dir, &writer.index)?;
        let wanted = rebuild::is_wanted(&writer.index)?;
        let writes = Arc::new(Queue::new());
        let mut threads = Threads::default();
        threads.start_writer(writer, Arc::clone(&writes))?;
        Self::start(
            dir,
            Access::Query,
            Some(writes),
            threads,
            ids,
            opened.notices,
            wanted,
        )
    }

    /// For commands that only read while another instance holds the profile.
    pub fn open_read_only(dir: &Path) -> Result<Self> {
        let index = open_file(dir, File::Index, Access::ReadOnly)?;
        for (file, connection) in [
            (File::Index, &index),
            (File::Messages, &open_file(dir, File::Messages, Access::ReadOnly)?),
        ] {
            let known = migrate::known(file);
            if migrate::check_version(connection, file, known)? < known.len() {
                return Err(Error::Bug(format!("{file} has not been brought up to date yet")));
            }
        }
        let ids = Ids::load(dir, &index)?;
        Self::start(
            dir,
            Access::ReadOnly,
            None,
            Threads::default(),
            ids,
            Vec::new(),
            false,
        )
    }

    fn start(
        dir: &Path,
        access: Access,
        writes: Option<Arc<Queue<WriteJob>>>,
        mut threads: Threads,
        ids: Ids,
        notices: Vec<String>,
        wanted: bool,
    ) -> Result<Self> {
        let (quick, bulk) = (Arc::new(Queue::new()), Arc::new(Queue::new()));
        let reader = {
            let dir = dir.to_owned();
            move || Reader::open(&dir, access)
        };
        for _ in 0..QUICK_READERS {
            threads.start_lazy("store-reader", reader.clone(), Arc::clone(&quick))?;
        }
        threads.start_lazy("store-reader", reader, Arc::clone(&bulk))?;
        let keeps = Arc::new(Queue::new());
        if writes.is_some() {
            let dir = dir.to_owned();
            threads.start_lazy("store-keeper", move || Keeper::open(&dir), Arc::clone(&keeps))?;
        }
        Ok(Self {
            shared: Arc::new(Shared {
                dir: dir.to_owned(),
                writes,
                keeps,
                quick,
                bulk,
                threads: Mutex::new(threads),
                ids,
                notices,
                rebuild_wanted: AtomicBool::new(wanted),
            }),
        })
    }

    /// What was found and done while opening (damage, files set aside), in plain words for a list of problems.
    #[must_use]
    pub fn notices(&self) -> &[String] {
        &self.shared.notices
    }

    /// Whether the index is new beside older messages: call [`Store::rebuild`].
    #[must_use]
    pub fn rebuild_wanted(&self) -> bool {
        self.shared.rebuild_wanted.load(Ordering::Relaxed)
    }

    pub(crate) fn rebuild_done(&self) {
        self.shared.rebuild_wanted.store(false, Ordering::Relaxed);
    }

    pub(crate) fn dir(&self) -> &Path {
        &self.shared.dir
    }

    #[must_use]
    pub fn is_read_only(&self) -> bool {
        self.shared.writes.is_none()
    }

    /// A new message's id, unique among those stored and those handed out. A second holds about a million:
    /// beyond that the next second's are used.
    #[must_use]
    pub fn message_id(&self, date: Timestamp) -> MessageId {
        self.shared.ids.message(date)
    }

    #[must_use]
    pub fn new_account_id(&self) -> AccountId {
        AccountId(self.shared.ids.next(ids::Kind::Account))
    }

    #[must_use]
    pub fn new_mailbox_id(&self) -> MailboxId {
        MailboxId(self.shared.ids.next(ids::Kind::Mailbox))
    }

    #[must_use]
    pub fn new_operation_id(&self) -> OperationId {
        OperationId(self.shared.ids.next(ids::Kind::Operation))
    }

    #[must_use]
    pub fn new_submission_id(&self) -> SubmissionId {
        SubmissionId(self.shared.ids.next(ids::Kind::Submission))
    }

    /// Finishes what was asked, checkpoints both files and closes them. Everything asked later fails with
    /// [`Error::Closed`].
    pub async fn drain(&self) {
        let (others, writer) = {
            let mut threads = self.shared.lock_threads();
            (
                std::mem::take(&mut threads.others_ended),
                threads.writer_ended.take(),
            )
        };
        self.shared.close_others();
        for ended in others {
            // A dropped sender means the same: the thread is gone.
            let _ = ended.await;
        }
        // Last, so that its checkpoint meets nobody and can empty the journals.
        if let Some(writes) = &self.shared.writes {
            writes.close();
        }
        if let Some(ended) = writer {
            let _ = ended.await;
        }
    }

    pub(crate) async fn write<T: Send + 'static>(
        &self,
        job: impl FnOnce(&mut Writer) -> Result<T> + Send + 'static,
    ) -> Result<T> {
        let Some(writes) = &self.shared.writes else {
            return Err(Error::ReadOnly);
        };
        let (answer, result) = oneshot::channel();
        let accepted = writes.push(Box::new(move |writer: &mut Writer| {
            // The caller may have gone; the work stands.
            let _ = answer.send(job(writer));
        }));
        self.finish(accepted, result).await
    }

    pub(crate) async fn read<T: Send + 'static>(
        &self,
        pace: Pace,
        job: impl FnOnce(&Reader) -> Result<T> + Send + 'static,
    ) -> Result<T> {
        let queue = match pace {
            Pace::Quick => &self.shared.quick,
            Pace::Bulk => &self.shared.bulk,
        };
        let (answer, result) = oneshot::channel::<Result<T>>();
        let accepted = queue.push(Box::new(move |reader: Result<&mut Reader>| {
            if !answer.is_canceled() {
                let _ = answer.send(reader.and_then(|reader| job(reader)));
            }
        }));
        self.finish(accepted, result).await
    }

    pub(crate) async fn keep<T: Send + 'static>(
        &self,
        job: impl FnOnce(&mut Keeper) -> Result<T> + Send + 'static,
    ) -> Result<T> {
        if self.is_read_only() {
            return Err(Error::ReadOnly);
        }
        let (answer, result) = oneshot::channel::<Result<T>>();
        // As with writes: the caller may have gone; the work stands.
        let accepted = self
            .shared
            .keeps
            .push(Box::new(move |keeper: Result<&mut Keeper>| {
                let _ = answer.send(keeper.and_then(job));
            }));
        self.finish(accepted, result).await
    }

    async fn finish<T>(&self, accepted: bool, result: oneshot::Receiver<Result<T>>) -> Result<T> {
        if !accepted {
            return Err(Error::Closed);
        }
        let result = result
            .await
            .unwrap_or_else(|_| Err(Error::Bug("the store failed inside; the log says more".into())));
        if let Err(Error::Corrupt { file, .. }) = &result {
            check::suspect(&self.shared.dir, *file);
        }
        result
    }
}

impl std::fmt::Debug for Store {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        f.debug_struct("Store")
            .field("dir", &self.shared.dir)
            .finish_non_exhaustive()
    }
}

impl Shared {
    fn lock_threads(&self) -> std::sync::MutexGuard<'_, Threads> {
        self.threads.lock().unwrap_or_else(PoisonError::into_inner)
    }

    /// All but the writer.
    fn close_others(&self) {
        self.quick.close();
        self.bulk.close();
        self.keeps.close();
    }
}

impl Drop for Shared {
    fn drop(&mut self) {
        self.close_others();
        if let Some(writes) = &self.writes {
            writes.close();
        }
        let handles = std::mem::take(&mut self.lock_threads().handles);
        for handle in handles {
            if handle.join().is_err() {
                log::error!("A thread of the store had panicked.");
            }
        }
    }
}

impl Threads {
    fn start_writer(&mut self, mut writer: Writer, queue: Arc<Queue<WriteJob>>) -> Result<()> {
        let (end, ended) = oneshot::channel();
        let handle = spawn("store-writer", move || {
            while let Some(job) = queue.pop() {
                // A panic rolls its transaction back while unwinding; the next job starts clean.
                if catch_unwind(AssertUnwindSafe(|| job(&mut writer))).is_err() {
                    log::error!("A write of the store panicked; nothing of it was kept.");
                }
            }
            writer.checkpoint();
            drop(writer);
            let _ = end.send(());
        })?;
        self.handles.push(handle);
        self.writer_ended = Some(ended);
        Ok(())
    }

    /// Opened at the first job, so that opening the store waits for the writer's files only.
    fn start_lazy<T: 'static>(
        &mut self,
        name: &str,
        open: impl Fn() -> Result<T> + Send + 'static,
        queue: Arc<Queue<Job<T>>>,
    ) -> Result<()> {
        let (end, ended) = oneshot::channel();
        let handle = spawn(name, move || {
            let mut slot = None;
            while let Some(job) = queue.pop() {
                // A panic rolls an open transaction back while unwinding; the next job starts clean.
                let ran = catch_unwind(AssertUnwindSafe(|| match &mut slot {
                    Some(files) => job(Ok(files)),
                    None => match open() {
                        Ok(files) => job(Ok(slot.insert(files))),
                        Err(error) => job(Err(error)),
                    },
                }));
                if ran.is_err() {
                    log::error!("A job of the store panicked; nothing of it was kept.");
                }
            }
            drop(slot);
            let _ = end.send(());
        })?;
        self.handles.push(handle);
        self.others_ended.push(ended);
        Ok(())
    }
}

fn spawn(name: &str, run: impl FnOnce() + Send + 'static) -> Result<JoinHandle<()>> {
    std::thread::Builder::new()
        .name(name.into())
        .spawn(run)
        .map_err(|error| Error::Bug(format!("no thread for the store: {error}")))
}

impl Reader {
    fn open(dir: &Path, access: Access) -> Result<Self> {
        Ok(Self {
            index: open_file(dir, File::Index, access)?,
            messages: open_file(dir, File::Messages, access)?,
            dir: dir.to_owned(),
        })
    }
}

impl Keeper {
    fn open(dir: &Path) -> Result<Self> {
        Ok(Self {
            index: open_file(dir, File::Index, Access::Query)?,
            messages: open_file(dir, File::Messages, Access::Write)?,
            dir: dir.to_owned(),
        })
    }
}

/// Looks without writing: even switching to WAL would be a write.
fn refuse_newer(dir: &Path, file: File) -> Result<()> {
    if !dir.join(file.name()).exists() {
        return Ok(());
    }
    let looked = open_file(dir, file, Access::ReadOnly)
        .and_then(|connection| migrate::check_version(&connection, file, migrate::known(file)));
    match looked {
        Err(error @ Error::Newer { .. }) => Err(error),
        // Damage is the opening's business.
        _ => Ok(()),
    }
}

impl Writer {
    /// Empties both journals into their files. A reader of another process may keep that from happening: then
    /// the journal stays, which loses nothing.
    fn checkpoint(&self) {
        for (file, connection) in [(File::Messages, &self.messages), (File::Index, &self.index)] {
            let done =
                connection.query_row("PRAGMA wal_checkpoint(TRUNCATE)", [], |row| row.get::<_, i64>(0));
            match done {
                Ok(0) => {}
                Ok(_) => log::info!("The journal of {file} stays: it is being read."),
                Err(error) => log::warn!("The journal of {file} could not be emptied: {error}."),
            }
        }
    }
}
