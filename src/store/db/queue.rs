//! Jobs waiting for a thread: first in, first out, unbounded because every caller awaits its own.

use std::collections::VecDeque;
use std::sync::{Condvar, Mutex, MutexGuard, PoisonError};

/// Held only for the moment of a push or a pop.
pub(crate) struct Queue<T> {
    state: Mutex<State<T>>,
    ready: Condvar,
}

struct State<T> {
    jobs: VecDeque<T>,
    open: bool,
}

impl<T> Queue<T> {
    pub(crate) fn new() -> Self {
        Self {
            state: Mutex::new(State {
                jobs: VecDeque::new(),
                open: true,
            }),
            ready: Condvar::new(),
        }
    }

    fn lock(&self) -> MutexGuard<'_, State<T>> {
        self.state.lock().unwrap_or_else(PoisonError::into_inner)
    }

    /// False once closed: the job is dropped.
    pub(crate) fn push(&self, job: T) -> bool {
        let mut state = self.lock();
        if state.open {
            state.jobs.push_back(job);
            drop(state);
            self.ready.notify_one();
            return true;
        }
        false
    }

    /// Waits. `None` once closed and empty: what was accepted is done first.
    pub(crate) fn pop(&self) -> Option<T> {
        let mut state = self.lock();
        loop {
            if let Some(job) = state.jobs.pop_front() {
                return Some(job);
            }
            if !state.open {
                return None;
            }
            state = self.ready.wait(state).unwrap_or_else(PoisonError::into_inner);
        }
    }

    pub(crate) fn close(&self) {
        self.lock().open = false;
        self.ready.notify_all();
    }
}
