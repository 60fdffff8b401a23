//! The window without a display: messages in, state and texts out, over a fake engine with real state.

mod account;
mod canned;
mod dragging;
mod flow;
mod mailboxes;
mod reading;
mod real;
mod typing;

use std::sync::Arc;
use std::sync::atomic::{AtomicBool, Ordering};
use std::task::{Context, Poll, Wake, Waker};
use std::thread::Thread;
use std::time::{Duration, Instant};

use iced::futures::stream::{BoxStream, StreamExt};
use iced::{Size, Task};
use iced_test::Simulator;
use iced_test::runtime::{Action, task};
use jiff::tz::TimeZone;

use crate::UiOptions;
use crate::app::{App, Message};
use crate::bridge::Bridge;
use crate::fixture::{Fixture, NOW};
use crate::painter::Brush;
use crate::when::Clock;

struct Woken {
    thread: Thread,
    again: AtomicBool,
}

impl Wake for Woken {
    fn wake(self: Arc<Self>) {
        self.again.store(true, Ordering::SeqCst);
        self.thread.unpark();
    }
}

/// A window whose tasks run when it is asked to settle.
struct Window {
    app: App,
    tasks: Vec<BoxStream<'static, Action<Message>>>,
}

impl Window {
    fn open(fixture: &Fixture) -> Self {
        Self::over(Arc::new(fixture.clone()), None)
    }

    fn over(bridge: Bridge, painter: Option<Brush>) -> Self {
        crate::load_fonts();
        let clock = Clock {
            now: NOW,
            zone: TimeZone::UTC,
            read: || NOW,
        };
        let mut window = Self {
            app: App::new(UiOptions::default(), clock).with_painter(painter),
            tasks: Vec::new(),
        };
        window.send(Message::Opened(Ok(bridge)));
        window
    }

    /// One message, and everything that follows from it at once.
    fn send(&mut self, message: Message) {
        let task = self.app.update(message);
        self.add(task);
        self.settle();
    }

    fn add(&mut self, task: Task<Message>) {
        self.tasks.extend(task::into_stream(task));
    }

    /// Runs tasks until none can go on by itself.
    fn settle(&mut self) {
        let woken = Arc::new(Woken {
            thread: std::thread::current(),
            again: AtomicBool::new(true),
        });
        let waker = Waker::from(Arc::clone(&woken));
        let mut context = Context::from_waker(&waker);
        while woken.again.swap(false, Ordering::SeqCst) {
            let mut came = Vec::new();
            self.tasks.retain_mut(|stream| {
                loop {
                    match stream.poll_next_unpin(&mut context) {
                        Poll::Ready(Some(Action::Output(message))) => came.push(message),
                        Poll::Ready(Some(_)) => {}
                        Poll::Ready(None) => return false,
                        Poll::Pending => return true,
                    }
                }
            });
            for message in came {
                woken.again.store(true, Ordering::SeqCst);
                let task = self.app.update(message);
                self.add(task);
            }
        }
    }

    /// Settles until something is so; work on other threads wakes it.
    fn until(&mut self, what: &str, so: impl Fn(&App) -> bool) {
        let deadline = Instant::now() + Duration::from_secs(20);
        loop {
            self.settle();
            if so(&self.app) {
                return;
            }
            assert!(Instant::now() < deadline, "never came to be: {what}");
            std::thread::park_timeout(Duration::from_millis(20));
        }
    }

    fn ui(&self) -> Simulator<'_, Message> {
        Simulator::with_size(crate::settings(), Size::new(1280.0, 800.0), self.app.view())
    }

    /// Does something by hand, and feeds back what came of it.
    fn by_hand(&mut self, act: impl FnOnce(&mut Simulator<'_, Message>)) {
        let mut ui = self.ui();
        act(&mut ui);
        let messages: Vec<Message> = ui.into_messages().collect();
        for message in messages {
            self.send(message);
        }
    }

    fn press(&mut self, label: &str) {
        self.by_hand(|ui| {
            ui.click(label)
                .unwrap_or_else(|_| panic!("there is no {label:?} to press"));
        });
    }

    fn type_into(&mut self, id: &'static str, text: &str) {
        self.by_hand(|ui| {
            ui.click(iced_test::selector::id(id))
                .unwrap_or_else(|_| panic!("there is no field {id}"));
            ui.typewrite(text);
        });
    }

    fn shows(&self, text: &str) -> bool {
        self.ui().find(text).is_ok()
    }

    fn key(&mut self, wish: crate::shortcut::Wish) {
        let task = self.app.wish(wish);
        self.add(task);
        self.settle();
    }

    /// The clock goes on.
    fn later(&mut self, by: Duration) {
        self.send(Message::Ticked(Instant::now() + by));
    }
}
