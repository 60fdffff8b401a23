//! One queue of orders, carried out one by one by child processes that a thread starts, watches and replaces.
//!
//! A child that is too slow, ends, or answers anything but what was asked is killed, and a fresh one started at
//! once; the pages that it held are gone. A child that has grown too large or old takes no new page; it ends with
//! the last page that it holds. Everything ends when the last sender of orders is dropped.

use std::collections::BTreeMap;
use std::ffi::OsString;
use std::path::PathBuf;
use std::process::{Child, ChildStdin, ChildStdout, Command, Stdio};
use std::sync::mpsc::{Receiver, RecvTimeoutError, Sender, channel};
use std::time::{Duration, Instant};
use std::{io, thread};

use futures_channel::oneshot;

use super::frame::{Frame, read_frame, rubbish, write_frame};
use super::message::{ANSWER, Answer, Confinement, Numbered, REQUEST, Reply, Request, Wear};
use crate::page::{Failure, PageId};

/// Loading fonts, which on a cold disk takes a while.
const START: Duration = Duration::from_secs(20);
/// A child that the machine did not let work is looked at again after this.
const RETRY: Duration = Duration::from_millis(100);
/// A child that has opened this many pages is replaced when it holds none.
const MAX_OPENED: u32 = 400;
/// Likewise one that stays larger than this, in bytes.
const MAX_RESIDENT: u64 = 320 * 1024 * 1024;
/// Likewise one that has worked this long, in seconds: well before its limit on processor time.
const MAX_BUSY: f64 = 120.0;

/// A reply and the bytes beside it, or why there are none.
pub type Outcome = Result<(Reply, Vec<Vec<u8>>), Failure>;
/// What a child said, read and believed: the refusal is the child's own.
type Said = (Result<Reply, Failure>, Vec<Vec<u8>>);

pub struct Order {
    pub request: Request,
    pub blobs: Vec<Vec<u8>>,
    pub allowed: Duration,
    /// `None` where nobody waits.
    pub answer: Option<oneshot::Sender<Outcome>>,
}

/// How children are started.
#[derive(Clone, Debug)]
pub struct Recipe {
    pub program: PathBuf,
    pub arguments: Vec<String>,
    /// Ends a child that had nothing to do for so long; without it, one is always warm.
    pub idle: Option<Duration>,
}

/// Starts the thread. Without one, the sender's orders are dropped, and who waits hears so.
pub fn start(recipe: Recipe) -> Sender<Order> {
    let (sender, orders) = channel();
    let started = thread::Builder::new()
        .name("posthorn-html".to_owned())
        .spawn(move || Lane::new(recipe).run(&orders));
    if let Err(error) = started {
        log::error!("The thread that asks for drawings could not be started: {error}.");
    }
    sender
}

struct Lane {
    recipe: Recipe,
    current: Option<Running>,
    /// Take no new pages, and hold some.
    retired: Vec<Running>,
    next_child: u64,
    /// Which child holds a page.
    pages: BTreeMap<PageId, u64>,
    told_confinement: bool,
}

impl Lane {
    fn new(recipe: Recipe) -> Self {
        Self {
            recipe,
            current: None,
            retired: Vec::new(),
            next_child: 0,
            pages: BTreeMap::new(),
            told_confinement: false,
        }
    }

    fn run(mut self, orders: &Receiver<Order>) {
        if self.recipe.idle.is_none() {
            self.warm();
        }
        loop {
            let order = match self.recipe.idle {
                Some(idle) if self.current.is_some() => match orders.recv_timeout(idle) {
                    Err(RecvTimeoutError::Timeout) => {
                        self.current = None;
                        continue;
                    }
                    order => order.ok(),
                },
                _ => orders.recv().ok(),
            };
            let Some(order) = order else { return };
            self.carry_out(order);
        }
    }

    fn carry_out(&mut self, order: Order) {
        // Whoever asked has gone on to another message.
        if order.answer.as_ref().is_some_and(oneshot::Sender::is_canceled) {
            return;
        }
        let opens = match &order.request {
            Request::Open { id, .. } => Some(*id),
            _ => None,
        };
        let outcome = self.ask(order.request, order.blobs, order.allowed);
        let opened = opens.filter(|_| outcome.is_ok());
        let unheard = order.answer.is_some_and(|waiting| waiting.send(outcome).is_err());
        if let Some(id) = opened.filter(|_| unheard) {
            let _ = self.ask(Request::Close { id }, Vec::new(), super::DRAWING);
        }
        self.replace_the_worn();
    }

    fn ask(&mut self, request: Request, blobs: Vec<Vec<u8>>, allowed: Duration) -> Outcome {
        let mut child = self.take_child(request.page())?;
        if let Some(confinement) = child.wait_until_ready()? {
            self.tell(confinement);
        }
        // From here on, a child that is not put back is killed by being dropped.
        let name = child.name;
        let close = match &request {
            Request::Close { id } => Some(*id),
            _ => None,
        };
        let open = match &request {
            Request::Open { id, .. } => Some(*id),
            _ => None,
        };
        match child.exchange(request, blobs, allowed) {
            Ok((outcome, blobs)) => {
                if let Some(id) = close {
                    self.pages.remove(&id);
                }
                if let Some(id) = open.filter(|_| outcome.is_ok()) {
                    self.pages.insert(id, name);
                    child.opened += 1;
                }
                if outcome == Err(Failure::Died) {
                    // It caught a panic; what that left behind is not to be built on.
                    child.wear.busy = f64::INFINITY;
                }
                self.put_back(child);
                outcome.map(|reply| (reply, blobs))
            }
            Err(Broken::Refused(failure)) => {
                self.put_back(child);
                Err(failure)
            }
            Err(Broken::Child(failure)) => {
                log::warn!("The process that draws messages was replaced: {failure:?}.");
                self.pages.retain(|_, holder| *holder != name);
                drop(child);
                self.warm();
                Err(failure)
            }
        }
    }

    /// The child that holds a page, or the one that takes new ones.
    fn take_child(&mut self, page: Option<PageId>) -> Result<Running, Failure> {
        if let Some(page) = page {
            let holder = self.pages.get(&page).copied().ok_or(Failure::Gone)?;
            if self.current.as_ref().is_some_and(|child| child.name == holder) {
                return self.current.take().ok_or(Failure::Gone);
            }
            let at = self.retired.iter().position(|child| child.name == holder);
            return at.map(|at| self.retired.swap_remove(at)).ok_or(Failure::Gone);
        }
        if let Some(mut child) = self.current.take() {
            if child.is_running() {
                return Ok(child);
            }
            self.pages.retain(|_, holder| *holder != child.name);
        }
        self.spawn()
    }

    fn put_back(&mut self, child: Running) {
        if self.current.is_none() && !child.is_retired {
            self.current = Some(child);
        } else {
            self.retired.push(child);
        }
    }

    /// Starts a child where none takes new pages; it loads its fonts while nobody waits.
    fn warm(&mut self) {
        if self.current.is_none() && self.recipe.idle.is_none() {
            match self.spawn() {
                Ok(child) => self.current = Some(child),
                Err(failure) => log::warn!("The process that draws messages did not start: {failure:?}."),
            }
        }
    }

    fn spawn(&mut self) -> Result<Running, Failure> {
        self.next_child += 1;
        Running::start(&self.recipe, self.next_child).map_err(|error| {
            log::debug!("A process that draws messages could not be started: {error}.");
            Failure::NoProcess
        })
    }

    fn replace_the_worn(&mut self) {
        let pages = &self.pages;
        let holds = |child: &Running| pages.values().any(|holder| *holder == child.name);
        self.retired.retain(|child| holds(child));
        let Some(mut child) = self.current.take() else {
            return self.warm();
        };
        if !child.is_worn() {
            self.current = Some(child);
            return;
        }
        if holds(&child) {
            child.is_retired = true;
            self.retired.push(child);
        }
        self.warm();
    }

    fn tell(&mut self, confinement: Confinement) {
        if std::mem::replace(&mut self.told_confinement, true) {
            return;
        }
        let missing: Vec<&str> = [
            (confinement.limits, "limits on memory and time"),
            (confinement.files, "no access to files"),
            (confinement.calls, "no access to the network"),
        ]
        .into_iter()
        .filter_map(|(has, what)| (!has).then_some(what))
        .collect();
        if !missing.is_empty() {
            log::info!(
                "This system cannot hold the process that draws messages to: {}.",
                missing.join(", ")
            );
        }
    }
}

/// Why there is no answer.
enum Broken {
    /// Not sent: the child is as it was.
    Refused(Failure),
    /// The child is to be killed.
    Child(Failure),
}

/// A child and the thread that talks to it, since a pipe knows no deadline.
struct Running {
    name: u64,
    process: Child,
    requests: Sender<Frame>,
    answers: Receiver<io::Result<Frame>>,
    started: Instant,
    is_ready: bool,
    is_retired: bool,
    serial: u64,
    opened: u32,
    wear: Wear,
}

impl Running {
    fn start(recipe: &Recipe, name: u64) -> io::Result<Self> {
        let mut process = Command::new(&recipe.program)
            .args(&recipe.arguments)
            .env_clear()
            .envs(environment())
            .current_dir(if cfg!(windows) { "." } else { "/" })
            .stdin(Stdio::piped())
            .stdout(Stdio::piped())
            .stderr(Stdio::null())
            .spawn()?;
        let pipes = process.stdin.take().zip(process.stdout.take());
        let (requests, to_send) = channel();
        let (answer, answers) = channel();
        let talking = pipes
            .ok_or_else(|| rubbish("no pipes"))
            .and_then(|(input, output)| {
                thread::Builder::new()
                    .name("posthorn-html-pipe".to_owned())
                    .spawn(move || talk(input, output, &to_send, &answer))
            });
        // Owns the process before anything can fail, so that it never outlives us.
        let running = Self {
            name,
            process,
            requests,
            answers,
            started: Instant::now(),
            is_ready: false,
            is_retired: false,
            serial: 0,
            opened: 0,
            wear: Wear::default(),
        };
        talking.map(|_| running)
    }

    /// It wants to work and was not let, because the machine is busy: that is not its message's fault.
    fn is_starved(&self, most: Duration) -> bool {
        self.look()
            .is_some_and(|(is_at_work, worked)| is_at_work && worked < most)
    }

    /// Whether the child is at work, and its processor time; `None` where the system does not tell.
    fn look(&self) -> Option<(bool, Duration)> {
        if !cfg!(target_os = "linux") {
            return None;
        }
        let text = std::fs::read_to_string(format!("/proc/{}/stat", self.process.id())).ok()?;
        // proc(5): behind the name in parentheses the state, and from the twelfth on times in hundredths of a second.
        let (_, fields) = text.rsplit_once(") ")?;
        let mut fields = fields.split(' ');
        let is_at_work = matches!(fields.next(), Some("R" | "D"));
        let mut times = fields.skip(10).map(|field| field.parse::<u64>().ok());
        let (user, system) = (times.next()??, times.next()??);
        Some((is_at_work, Duration::from_millis(10 * (user + system))))
    }

    fn is_running(&mut self) -> bool {
        matches!(self.process.try_wait(), Ok(None))
    }

    fn is_worn(&self) -> bool {
        self.opened >= MAX_OPENED || self.wear.resident > MAX_RESIDENT || self.wear.busy > MAX_BUSY
    }

    /// Says once how the child is locked in.
    fn wait_until_ready(&mut self) -> Result<Option<Confinement>, Failure> {
        if self.is_ready {
            return Ok(None);
        }
        let left = START.saturating_sub(self.started.elapsed());
        match self.receive(0, left) {
            Ok((Ok(Reply::Ready(confinement)), _)) => {
                self.is_ready = true;
                Ok(Some(confinement))
            }
            _ => Err(Failure::NoProcess),
        }
    }

    fn exchange(&mut self, request: Request, blobs: Vec<Vec<u8>>, allowed: Duration) -> Result<Said, Broken> {
        self.serial += 1;
        let numbered = Numbered {
            serial: self.serial,
            body: request,
        };
        let header = serde_json::to_vec(&numbered).map_err(|_| Broken::Refused(Failure::Unreadable))?;
        let frame = Frame { header, blobs };
        if !Frame::fits(frame.header.len(), frame.blobs.len(), frame.size(), REQUEST) {
            return Err(Broken::Refused(Failure::TooLarge));
        }
        let request = numbered.body;
        self.requests
            .send(frame)
            .map_err(|_| Broken::Child(Failure::Died))?;
        let (outcome, blobs) = self.receive(self.serial, allowed).map_err(Broken::Child)?;
        match outcome {
            Ok(reply) if !super::trust::answers(&request, &reply, &blobs) => {
                Err(Broken::Child(Failure::Died))
            }
            outcome => Ok((outcome, blobs)),
        }
    }

    fn receive(&mut self, serial: u64, allowed: Duration) -> Result<Said, Failure> {
        let began = Instant::now();
        let worked = self.look().map_or(Duration::ZERO, |(_, worked)| worked);
        let mut patience = allowed;
        let frame = loop {
            match self.answers.recv_timeout(patience) {
                Ok(Ok(frame)) => break frame,
                Ok(Err(_)) | Err(RecvTimeoutError::Disconnected) => return Err(Failure::Died),
                Err(RecvTimeoutError::Timeout)
                    if began.elapsed() < allowed * 2 && self.is_starved(worked + allowed.mul_f64(0.9)) =>
                {
                    patience = RETRY;
                }
                Err(RecvTimeoutError::Timeout) => return Err(Failure::TooSlow),
            }
        };
        let answer: Numbered<Answer> = serde_json::from_slice(&frame.header).map_err(|_| Failure::Died)?;
        if answer.serial != serial {
            return Err(Failure::Died);
        }
        self.wear = answer.body.wear;
        Ok((answer.body.outcome, frame.blobs))
    }
}

impl Drop for Running {
    fn drop(&mut self) {
        // It may have ended already; then there is nothing to kill.
        let _ = self.process.kill();
        let _ = self.process.wait();
    }
}

fn talk(
    mut input: ChildStdin,
    mut output: ChildStdout,
    requests: &Receiver<Frame>,
    answers: &Sender<io::Result<Frame>>,
) {
    loop {
        let answer = read_frame(&mut output, ANSWER);
        let is_end = answer.is_err();
        if answers.send(answer).is_err() || is_end {
            return;
        }
        let Ok(request) = requests.recv() else { return };
        if let Err(error) = write_frame(&mut input, &request) {
            // The process may have said why before it closed its end; no answer is no answer.
            let _ = answers.send(Err(error));
            return;
        }
    }
}

/// What finding fonts needs, and no more: a child must not learn from the environment who the user is.
fn environment() -> Vec<(OsString, OsString)> {
    const KEPT: &[&str] = &[
        "HOME",
        "FONTCONFIG_FILE",
        "FONTCONFIG_PATH",
        "FONTCONFIG_SYSROOT",
        "XDG_CONFIG_HOME",
        "XDG_CONFIG_DIRS",
        "XDG_DATA_HOME",
        "XDG_DATA_DIRS",
        "XDG_CACHE_HOME",
        "LANG",
        "LC_ALL",
        "LC_CTYPE",
        "LD_LIBRARY_PATH",
        "SYSTEMROOT",
        "WINDIR",
    ];
    KEPT.iter()
        .filter_map(|name| Some((OsString::from(name), std::env::var_os(name)?)))
        // Each arena reserves address space, which is limited.
        .chain([("MALLOC_ARENA_MAX".into(), "1".into())])
        .collect()
}
