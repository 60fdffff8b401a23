//! Files and messages dragged out of the window, by a pointer that really moves.

use std::path::PathBuf;
use std::sync::mpsc::RecvTimeoutError;
use std::time::Duration;

use posthorn_model::Security;
use posthorn_testkit::drop_target::{DropTarget, Manner, Met, files};

use crate::server::Server;
use crate::window::Display;

const LETTER: &[u8] = b"From: Bob <bob@example.test>\r\nTo: Alice <alice@example.test>\r\n\
    Subject: The tide table\r\nMessage-ID: <tide@tests.example>\r\n\
    Date: Mon, 02 Feb 2026 10:00:00 +0000\r\nMIME-Version: 1.0\r\n\
    Content-Type: multipart/mixed; boundary=b\r\n\r\n\
    --b\r\nContent-Type: text/plain\r\n\r\nHere it is.\r\n\
    --b\r\nContent-Type: text/csv; name=\"High water.csv\"\r\n\
    Content-Disposition: attachment; filename=\"High water.csv\"\r\n\r\n03:12,5.1\r\n15:40,4.9\r\n--b--\r\n";

/// Where the window stands over all others that files are dropped on, and its middle.
const PLACE: (i16, i16) = (20, 600);
const MIDDLE: (i16, i16) = (120, 680);

/// Drags from a place to the window beside; what was dropped there, where anything was.
fn drag(display: &Display, target: &DropTarget, from: (i16, i16)) -> Option<PathBuf> {
    // As slowly as a hand: what comes within one frame is one movement to the window.
    let hand = |words: &[&str], at: (i16, i16)| {
        let (x, y) = (at.0.to_string(), at.1.to_string());
        let mut all = vec!["mousemove", &x, &y, "sleep", "0.15"];
        all.extend(words);
        display.act(&all);
    };
    hand(&["mousedown", "1", "sleep", "0.15"], from);
    hand(&[], (from.0 + 12, from.1 + 4));
    hand(&[], MIDDLE);
    // A word on whether it is wanted, or nobody came.
    let mut met = target.met.recv_timeout(Duration::from_millis(1500));
    while met == Ok(Met::Entered) || met == Ok(Met::Left) {
        met = target.met.recv_timeout(Duration::from_secs(20));
    }
    display.act(&["mouseup", "1"]);
    if met == Err(RecvTimeoutError::Timeout) {
        return None;
    }
    loop {
        if let Met::Dropped(list) = target.met.recv_timeout(Duration::from_secs(20)).unwrap() {
            return files(&list).pop();
        }
    }
}

#[test]
fn an_attachment_and_a_message_leave_the_window_by_hand() {
    let Some(display) = Display::start(1280, 800) else {
        return;
    };
    let server = Server::sandbox(Security::Tls);
    server.seed("INBOX", [(LETTER, "")]);
    let posthorn = server.profile("imap", Security::Tls, None);
    posthorn.run(&["sync"]).expect(0);
    let window = display.open(&posthorn, &[]);
    window.wait_until("the first page", || display.shoot("list").1 > 800);
    window.see("letter", || window.press(&["j", "Return"]));
    let target = DropTarget::open(display.name(), PLACE, (200, 160), Manner::Takes).unwrap();

    // The file stands below the letter's few words: somewhere on this line.
    let found = (260..560)
        .step_by(20)
        .find_map(|y| drag(&display, &target, (760, y)));
    let file = found.expect("the attachment was not dragged");
    assert_eq!(file.file_name().unwrap(), "High water.csv");
    assert_eq!(std::fs::read(&file).unwrap(), b"03:12,5.1\r\n15:40,4.9");
    assert!(file.starts_with(posthorn.profile()), "{}", file.display());

    let found = (120..240)
        .step_by(20)
        .find_map(|y| drag(&display, &target, (400, y)));
    let message = found.expect("the message was not dragged");
    assert_eq!(message.file_name().unwrap(), "The tide table.eml");
    assert_eq!(std::fs::read(&message).unwrap(), LETTER);
    drop(target);
    assert_eq!(window.close(), Some(0));
}
