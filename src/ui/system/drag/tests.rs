use std::path::PathBuf;
use std::sync::mpsc::{Receiver, RecvTimeoutError, Sender, channel};
use std::thread::JoinHandle;
use std::time::Duration;

use posthorn_testkit::drop_target::{BareDisplay, DropTarget, Manner, Met, files};

use super::x11::Source;
use super::*;

const PATIENCE: Duration = Duration::from_secs(20);

/// Something held at the display's left, and a window at its right that it may be dropped on.
struct Stage {
    display: BareDisplay,
    target: DropTarget,
    file: Option<Sender<PathBuf>>,
    wants: Receiver<bool>,
    drag: JoinHandle<Outcome>,
}

impl Stage {
    fn set(manner: Manner) -> Option<Self> {
        let display = BareDisplay::start().unwrap()?;
        let target = DropTarget::open(&display.name, (400, 100), (200, 200), manner).unwrap();
        display
            .act(&["mousemove", "100", "200", "mousedown", "1"])
            .unwrap();
        let (file, files) = channel();
        let (said, wants) = channel();
        let name = display.name.clone();
        let drag = std::thread::spawn(move || {
            let source = Source::connect(Some(&name), 0).unwrap();
            source
                .run(files, |wanted| said.send(wanted).unwrap_or_default())
                .unwrap()
        });
        Some(Self {
            display,
            target,
            file: Some(file),
            wants,
            drag,
        })
    }

    #[track_caller]
    fn expect(&self, what: &Met) {
        loop {
            match self.target.met.recv_timeout(PATIENCE) {
                Ok(met) if met == *what => return,
                Ok(_) => {}
                Err(RecvTimeoutError::Timeout | RecvTimeoutError::Disconnected) => panic!("never: {what:?}"),
            }
        }
    }

    fn give(&self, path: PathBuf) {
        self.file.as_ref().unwrap().send(path).unwrap();
    }

    fn dropped(&self) -> Vec<PathBuf> {
        loop {
            if let Met::Dropped(list) = self.target.met.recv_timeout(PATIENCE).unwrap() {
                return files(&list);
            }
        }
    }
}

#[test]
fn a_file_arrives_where_it_is_dropped() {
    let Some(stage) = Stage::set(Manner::Takes) else {
        return;
    };
    let folder = tempfile::tempdir().unwrap();
    let path = folder.path().join("Überblick 100 %.txt");
    std::fs::write(&path, b"what it holds").unwrap();
    stage.give(path);
    stage.display.act(&["mousemove", "500", "200"]).unwrap();
    stage.expect(&Met::Answered);
    stage.display.act(&["mouseup", "1"]).unwrap();
    let came = stage.dropped();
    assert_eq!(std::fs::read(&came[0]).unwrap(), b"what it holds");
    assert_eq!(stage.drag.join().unwrap(), Outcome::Taken);
}

#[test]
fn a_file_that_is_still_being_written_is_waited_for() {
    let Some(stage) = Stage::set(Manner::Takes) else {
        return;
    };
    stage.display.act(&["mousemove", "500", "200"]).unwrap();
    stage.expect(&Met::Answered);
    stage.display.act(&["mouseup", "1"]).unwrap();
    stage.give(PathBuf::from("/late.txt"));
    assert_eq!(stage.dropped(), [PathBuf::from("/late.txt")]);
    assert_eq!(stage.drag.join().unwrap(), Outcome::Taken);
}

#[test]
fn nothing_is_dropped_on_what_does_not_want_it() {
    for manner in [Manner::Refuses, Manner::Silent] {
        let Some(stage) = Stage::set(manner) else { return };
        stage.give(PathBuf::from("/unwanted.txt"));
        stage.display.act(&["mousemove", "500", "200"]).unwrap();
        stage.expect(&Met::Entered);
        stage.display.act(&["mouseup", "1"]).unwrap();
        stage.expect(&Met::Left);
        assert_eq!(stage.drag.join().unwrap(), Outcome::Left, "{manner:?}");
    }
}

#[test]
fn a_drag_is_left_by_moving_on_by_escape_and_where_there_is_no_file() {
    let Some(mut stage) = Stage::set(Manner::Takes) else {
        return;
    };
    stage.display.act(&["mousemove", "500", "200"]).unwrap();
    stage.expect(&Met::Answered);
    stage.display.act(&["mousemove", "100", "200"]).unwrap();
    stage.expect(&Met::Left);
    let wants = |stage: &Stage| stage.wants.recv_timeout(PATIENCE).unwrap();
    assert_eq!((wants(&stage), wants(&stage)), (true, false));
    stage.display.act(&["mousemove", "500", "210"]).unwrap();
    stage.expect(&Met::Answered);
    stage.display.act(&["keydown", "Escape"]).unwrap();
    stage.expect(&Met::Left);
    stage.display.act(&["keyup", "Escape"]).unwrap();
    assert_eq!(stage.drag.join().unwrap(), Outcome::Left);

    let Some(again) = Stage::set(Manner::Takes) else {
        return;
    };
    stage = again;
    stage.display.act(&["mousemove", "500", "200"]).unwrap();
    stage.expect(&Met::Answered);
    // It could not be written.
    stage.file = None;
    stage.expect(&Met::Left);
    assert_eq!(stage.drag.join().unwrap(), Outcome::Left);
}

#[test]
fn nothing_is_dropped_on_the_window_it_came_from() {
    let Some(stage) = Stage::set(Manner::Takes) else {
        return;
    };
    let own = stage.target.window();
    let (_file, files) = channel();
    let name = stage.display.name.clone();
    let drag = std::thread::spawn(move || {
        Source::connect(Some(&name), own)
            .unwrap()
            .run(files, |_| ())
            .unwrap()
    });
    // The first source is told that its file does not come, and leaves the stage to the second.
    let Stage {
        display,
        target,
        file,
        drag: first,
        ..
    } = stage;
    drop(file);
    assert_eq!(first.join().unwrap(), Outcome::Left);
    display.act(&["mousemove", "500", "200"]).unwrap();
    display.act(&["mouseup", "1"]).unwrap();
    assert_eq!(drag.join().unwrap(), Outcome::Left);
    assert!(!target.met.try_iter().any(|met| met == Met::Entered));
}

#[test]
fn addresses_name_any_file() {
    for (path, expect) in [
        ("/tmp/a.txt", "file:///tmp/a.txt\r\n"),
        ("/tmp/a b%.txt", "file:///tmp/a%20b%25.txt\r\n"),
        ("/tmp/\u{e9}\n#", "file:///tmp/%C3%A9%0A%23\r\n"),
    ] {
        assert_eq!(uri_line(Path::new(path)), expect.as_bytes(), "{path:?}");
    }
}
