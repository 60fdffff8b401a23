//! Where messages are taken apart, off the runtime: it is work for the processor.
//!
//! The threads are always the same, and few, whatever the number of accounts: an allocator keeps memory for each thread
//! that has ever worked on messages.

use std::panic::{AssertUnwindSafe, catch_unwind};
use std::sync::{Arc, Mutex, OnceLock, PoisonError, mpsc};

use tokio::sync::oneshot;

use crate::Error;

/// They keep two processors busy beside the wire and the disk.
const THREADS: usize = 2;

type Job = Box<dyn FnOnce() + Send>;

/// Its threads begin with the first job, and end after the last when it is dropped.
#[derive(Default)]
pub struct Desk(OnceLock<mpsc::Sender<Job>>);

impl Desk {
    /// What is begun first is taken first.
    pub fn begin<T: Send + 'static>(
        &self,
        work: impl FnOnce() -> Result<T, Error> + Send + 'static,
    ) -> oneshot::Receiver<Result<T, Error>> {
        let (answer, result) = oneshot::channel();
        let job: Job = Box::new(move || {
            // Nobody may wait for it any more.
            let _ = answer.send(work());
        });
        // Where no thread is left, the answer is dropped, and whoever waits for it is told.
        let _ = self.0.get_or_init(start).send(job);
        result
    }
}

/// What came of a job.
pub async fn finish<T>(result: oneshot::Receiver<Result<T, Error>>) -> Result<T, Error> {
    result
        .await
        .map_err(|_| Error::bug("taking messages apart failed unexpectedly"))?
}

fn start() -> mpsc::Sender<Job> {
    let (give, jobs) = mpsc::channel::<Job>();
    let jobs = Arc::new(Mutex::new(jobs));
    for _ in 0..THREADS {
        let jobs = Arc::clone(&jobs);
        let started = std::thread::Builder::new()
            .name("posthorn-reader".into())
            .spawn(move || work(&jobs));
        if let Err(error) = started {
            log::error!("There is no thread to take messages apart: {error}.");
        }
    }
    give
}

fn work(jobs: &Mutex<mpsc::Receiver<Job>>) {
    loop {
        let next = jobs.lock().unwrap_or_else(PoisonError::into_inner).recv();
        let Ok(job) = next else {
            return;
        };
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
            let failing = desk.begin::<()>(|| panic!("on purpose"));
            let error = finish(failing).await.expect_err("it failed");
            assert_eq!(error.class, posthorn_model::ErrorClass::Bug);
        }
        let done = desk.begin(|| Ok(7));
        assert_eq!(finish(done).await.expect("done"), 7);
    }
}
