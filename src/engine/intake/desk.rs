//! Where messages are taken apart, off the runtime: it is work for the processor.
//!
//! The threads are always the same, and few, whatever the number of accounts: an allocator keeps memory for each thread
//! that has ever worked on messages.

use std::collections::VecDeque;
use std::panic::{AssertUnwindSafe, catch_unwind};
use std::sync::{Arc, Condvar, Mutex, MutexGuard, OnceLock, PoisonError};

use tokio::sync::{Semaphore, oneshot};

use crate::Error;

/// They keep two processors busy beside the wire and the disk.
const THREADS: usize = 2;

/// Octets in memory of batches that wait for a thread or are being taken apart, of all accounts together: what comes
/// faster waits on its server. Some four batches keep the threads busy: more would only take memory.
const ROOM: u32 = 4 << 20;

type Job = Box<dyn FnOnce() + Send>;

/// Its threads begin with the first job, and end after the last when it is dropped.
pub struct Desk {
    jobs: OnceLock<Arc<Jobs>>,
    room: Arc<Semaphore>,
}

/// What waits for a thread.
#[derive(Default)]
struct Jobs {
    waiting: Mutex<Waiting>,
    ready: Condvar,
}

#[derive(Default)]
struct Waiting {
    /// Of single messages.
    alone: VecDeque<Job>,
    batches: VecDeque<Job>,
    closed: bool,
}

impl Default for Desk {
    fn default() -> Self {
        Self {
            jobs: OnceLock::new(),
            room: Arc::new(Semaphore::new(ROOM as usize)),
        }
    }
}

impl Desk {
    /// Work on a batch that takes so many octets in memory until it is done: begun once there is room for it. A single
    /// message waits for none.
    pub async fn begin_with_room<T: Send + 'static>(
        &self,
        messages: usize,
        octets: u64,
        work: impl FnOnce() -> Result<T, Error> + Send + 'static,
    ) -> oneshot::Receiver<Result<T, Error>> {
        if messages == 1 {
            return self.begin(messages, work);
        }
        // One that is larger than the room has all of it.
        let octets = u32::try_from(octets).map_or(ROOM, |octets| octets.min(ROOM));
        let room = Arc::clone(&self.room).acquire_many_owned(octets).await;
        self.begin(messages, move || {
            let result = work();
            drop(room);
            result
        })
    }

    /// Work on so many messages. A single one goes before all batches, since somebody may wait for it; otherwise what
    /// is begun first is taken first.
    pub fn begin<T: Send + 'static>(
        &self,
        messages: usize,
        work: impl FnOnce() -> Result<T, Error> + Send + 'static,
    ) -> oneshot::Receiver<Result<T, Error>> {
        let (answer, result) = oneshot::channel();
        let job: Job = Box::new(move || {
            // Nobody may wait for it any more.
            let _ = answer.send(work());
        });
        let jobs = self.jobs.get_or_init(start);
        let mut waiting = jobs.lock();
        // Where no thread works, the answer is dropped, and whoever waits for it is told.
        if !waiting.closed {
            let lane = if messages == 1 {
                &mut waiting.alone
            } else {
                &mut waiting.batches
            };
            lane.push_back(job);
            drop(waiting);
            jobs.ready.notify_one();
        }
        result
    }
}

impl Drop for Desk {
    fn drop(&mut self) {
        if let Some(jobs) = self.jobs.get() {
            jobs.lock().closed = true;
            jobs.ready.notify_all();
        }
    }
}

impl Jobs {
    fn lock(&self) -> MutexGuard<'_, Waiting> {
        self.waiting.lock().unwrap_or_else(PoisonError::into_inner)
    }

    /// Waits. `None` once closed and empty.
    fn next(&self) -> Option<Job> {
        let mut waiting = self.lock();
        loop {
            if let Some(job) = waiting.take() {
                return Some(job);
            }
            if waiting.closed {
                return None;
            }
            waiting = self.ready.wait(waiting).unwrap_or_else(PoisonError::into_inner);
        }
    }
}

impl Waiting {
    fn take(&mut self) -> Option<Job> {
        self.alone.pop_front().or_else(|| self.batches.pop_front())
    }
}

/// What came of a job.
pub async fn finish<T>(result: oneshot::Receiver<Result<T, Error>>) -> Result<T, Error> {
    result
        .await
        .map_err(|_| Error::bug("taking messages apart failed unexpectedly"))?
}

fn start() -> Arc<Jobs> {
    let jobs = Arc::new(Jobs::default());
    let start_one = |_: &usize| {
        let jobs = Arc::clone(&jobs);
        let started = std::thread::Builder::new()
            .name("posthorn-reader".into())
            .spawn(move || work(&jobs));
        if let Err(error) = &started {
            log::error!("There is no thread to take messages apart: {error}.");
        }
        started.is_ok()
    };
    let started = (0..THREADS).filter(start_one).count();
    jobs.lock().closed = started == 0;
    jobs
}

fn work(jobs: &Jobs) {
    while let Some(job) = jobs.next() {
        if catch_unwind(AssertUnwindSafe(job)).is_err() {
            log::error!("Taking messages apart failed inside; nothing of them was kept.");
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[tokio::test]
    async fn a_job_that_fails_inside_is_told_and_the_next_is_done() {
        let desk = Desk::default();
        for _ in 0..2 * THREADS {
            let failing = desk.begin::<()>(2, || panic!("on purpose"));
            let error = finish(failing).await.expect_err("it failed");
            assert_eq!(error.class, posthorn_model::ErrorClass::Bug);
        }
        let done = desk.begin(2, || Ok(7));
        assert_eq!(finish(done).await.expect("done"), 7);
    }

    #[tokio::test]
    async fn a_single_message_goes_before_batches_that_wait() {
        let desk = Desk::default();
        let order = Arc::new(Mutex::new(Vec::new()));
        let gates: Vec<_> = (0..THREADS).map(|_| std::sync::mpsc::channel::<()>()).collect();
        let (mut open, mut busy) = (Vec::new(), Vec::new());
        for (gate, shut) in gates {
            open.push(gate);
            let wait = move || Ok(shut.recv().is_ok());
            busy.push(desk.begin(2, wait));
        }
        let note = |messages: usize, name: &'static str| {
            let order = Arc::clone(&order);
            desk.begin(messages, move || {
                order.lock().expect("free").push(name);
                Ok(())
            })
        };
        let all = [note(2, "batch"), note(3, "another"), note(1, "single")];
        // One thread alone, so that the order is that of taking.
        drop(open.pop());
        for job in all {
            finish(job).await.expect("done");
        }
        assert_eq!(*order.lock().expect("free"), ["single", "batch", "another"]);
        drop(open);
        for job in busy {
            finish(job).await.expect("done");
        }
    }

    #[tokio::test]
    async fn batches_wait_for_room_and_a_larger_one_has_all_of_it() {
        let desk = Desk::default();
        let most = u64::from(ROOM);
        let (open, shut) = std::sync::mpsc::channel::<()>();
        let first = desk
            .begin_with_room(2, most - 1, move || Ok(shut.recv().is_ok()))
            .await;
        // What fits beside it begins; what does not waits, and a single message does not.
        let small = desk.begin_with_room(2, 1, || Ok(1)).await;
        assert_eq!(finish(small).await.expect("done"), 1);
        let mut large = std::pin::pin!(desk.begin_with_room(2, u64::MAX, || Ok(2)));
        let waits = tokio::time::timeout(std::time::Duration::from_millis(50), &mut large).await;
        assert!(waits.is_err(), "there is no room");
        let single = desk.begin_with_room(1, 1, || Ok(3)).await;
        assert_eq!(finish(single).await.expect("done"), 3);
        drop(open);
        assert!(!finish(first).await.expect("done"));
        assert_eq!(finish(large.await).await.expect("done"), 2);
        // One that fails inside gives its room back.
        let failing = desk.begin_with_room::<()>(2, most, || panic!("on purpose")).await;
        finish(failing).await.expect_err("it failed");
        let next = desk.begin_with_room(2, most, || Ok(4)).await;
        assert_eq!(finish(next).await.expect("done"), 4);
    }
}
