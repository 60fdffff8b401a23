//! The user or the system asks the program to stop.

use std::future::poll_fn;
use std::task::{Context, Poll};

#[cfg(unix)]
use tokio::signal::unix::{Signal, SignalKind, signal};
#[cfg(windows)]
use tokio::signal::windows::{CtrlBreak, CtrlC, CtrlClose, ctrl_break, ctrl_c, ctrl_close};

/// Listens from its making on: what arrives while nobody waits is not lost.
pub struct Interrupts {
    // Each is absent where the system refuses a handler: it then ends the program, which is what it asks for.
    #[cfg(unix)]
    signals: [Option<Signal>; 3],
    #[cfg(windows)]
    signals: (Option<CtrlC>, Option<CtrlBreak>, Option<CtrlClose>),
}

impl Interrupts {
    /// Has to be called within a runtime.
    #[must_use]
    pub fn listen() -> Self {
        #[cfg(unix)]
        let kinds = [
            SignalKind::interrupt(),
            SignalKind::terminate(),
            SignalKind::hangup(),
        ];
        Self {
            #[cfg(unix)]
            signals: kinds.map(|kind| signal(kind).ok()),
            #[cfg(windows)]
            signals: (ctrl_c().ok(), ctrl_break().ok(), ctrl_close().ok()),
        }
    }

    /// Ends at the next request since the last one that was waited for.
    pub async fn next(&mut self) {
        poll_fn(|context| self.poll(context)).await;
    }

    #[cfg(unix)]
    fn poll(&mut self, context: &mut Context<'_>) -> Poll<()> {
        let mut heard = Poll::Pending;
        for signal in self.signals.iter_mut().flatten() {
            if signal.poll_recv(context).is_ready() {
                heard = Poll::Ready(());
            }
        }
        heard
    }

    #[cfg(windows)]
    fn poll(&mut self, context: &mut Context<'_>) -> Poll<()> {
        let (interrupt, stop, close) = &mut self.signals;
        // All of them, so that each is told to wake this task.
        let heard = [
            interrupt
                .as_mut()
                .map(|signal| signal.poll_recv(context).is_ready()),
            stop.as_mut().map(|signal| signal.poll_recv(context).is_ready()),
            close.as_mut().map(|signal| signal.poll_recv(context).is_ready()),
        ];
        if heard.contains(&Some(true)) {
            Poll::Ready(())
        } else {
            Poll::Pending
        }
    }
}
