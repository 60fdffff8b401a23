//! The process that draws, and what becomes of children that misbehave. This program is its own child.

#![allow(
    clippy::unwrap_used,
    clippy::panic,
    clippy::indexing_slicing,
    clippy::print_stdout,
    reason = "a test that cannot go on panics, and says on standard output what it skips"
)]

use std::collections::BTreeMap;
use std::future::Future;
use std::io::{Read as _, Write as _};
use std::pin::pin;
use std::sync::Arc;
use std::task::{Context, Poll, Wake, Waker};
use std::thread::{self, Thread};
use std::time::{Duration, Instant};

use posthorn_html::Worker;
use posthorn_html::page::{
    Failure, Grain, Heading, Look, Page, PageId, PageTheme, Pixels, Point, Rect, Source,
};

fn main() {
    let arguments: Vec<String> = std::env::args().skip(1).collect();
    match arguments
        .iter()
        .map(String::as_str)
        .collect::<Vec<_>>()
        .as_slice()
    {
        ["html-worker"] => std::process::exit(i32::from(posthorn_html::worker::serve())),
        ["misbehave", how] => misbehave(how),
        words => run_all(words),
    }
}

type Test = (&'static str, fn());

const TESTS: &[Test] = &[
    (
        "a_page_is_laid_out_painted_and_closed",
        a_page_is_laid_out_painted_and_closed,
    ),
    ("the_child_is_locked_in", the_child_is_locked_in),
    ("a_closed_page_is_gone", a_closed_page_is_gone),
    (
        "a_request_that_nobody_waits_for_is_taken_back",
        a_request_that_nobody_waits_for_is_taken_back,
    ),
    (
        "children_that_misbehave_are_killed",
        children_that_misbehave_are_killed,
    ),
    (
        "a_child_that_cannot_start_is_said",
        a_child_that_cannot_start_is_said,
    ),
    ("pictures_and_pdfs_are_previewed", pictures_and_pdfs_are_previewed),
    ("a_message_is_printed", a_message_is_printed),
    ("what_is_too_large_is_not_sent", what_is_too_large_is_not_sent),
    (
        "no_child_outlives_the_last_handle",
        no_child_outlives_the_last_handle,
    ),
    (
        "memory_returns_after_many_messages",
        memory_returns_after_many_messages,
    ),
];

fn run_all(words: &[&str]) {
    // As the standard runner is called by cargo and by editors.
    if words.contains(&"--list") {
        for (name, _) in TESTS {
            println!("{name}: test");
        }
        return;
    }
    let wanted: Vec<&&str> = words.iter().filter(|word| !word.starts_with('-')).collect();
    let mut failed = 0;
    for (name, test) in TESTS {
        if !wanted.is_empty() && !wanted.iter().any(|word| name.contains(**word)) {
            continue;
        }
        let began = Instant::now();
        let outcome = std::panic::catch_unwind(test);
        let word = if outcome.is_ok() { "ok" } else { "FAILED" };
        println!("test {name} ... {word} ({:.1} s)", began.elapsed().as_secs_f64());
        failed += i32::from(outcome.is_err());
    }
    std::process::exit(failed.min(1));
}

struct Unpark(Thread);

impl Wake for Unpark {
    fn wake(self: Arc<Self>) {
        self.0.unpark();
    }
}

/// Waits without a runtime, as the futures promise that one can.
fn wait<T>(future: impl Future<Output = T>) -> T {
    let waker = Waker::from(Arc::new(Unpark(thread::current())));
    let mut future = pin!(future);
    loop {
        if let Poll::Ready(value) = future.as_mut().poll(&mut Context::from_waker(&waker)) {
            return value;
        }
        thread::park();
    }
}

fn worker() -> Worker {
    worker_with(&["html-worker"])
}

fn worker_with(arguments: &[&str]) -> Worker {
    let arguments = arguments.iter().map(|word| (*word).to_owned()).collect();
    Worker::new(std::env::current_exe().unwrap(), arguments)
}

fn source(html: &str) -> Source {
    Source {
        html: html.to_owned(),
        parts: BTreeMap::new(),
        fetched: BTreeMap::new(),
        look: Look {
            width: 700.0,
            scale: 1.0,
            theme: PageTheme::Light,
        },
    }
}

fn tile(page: &Page) -> Rect {
    Rect {
        x: 0.0,
        y: 0.0,
        width: page.width,
        height: page.height.min(512.0),
    }
}

const LETTER: &str = "<p>Dear <b>reader</b>,</p><p>see <a href='https://example.org/'>this page</a>.</p>";

fn a_page_is_laid_out_painted_and_closed() {
    let worker = worker();
    let page = wait(worker.open(source(LETTER))).unwrap();
    assert!(page.text.contains("reader"), "{}", page.text);
    assert_eq!(page.links.len(), 1);
    let pixels = wait(worker.paint(page.id, tile(&page))).unwrap();
    assert_eq!(pixels.rgba.len(), (pixels.width * pixels.height * 4) as usize);
    assert!(
        pixels.rgba.chunks(4).any(|dot| dot != [255; 4]),
        "something is drawn"
    );
    let all = wait(worker.select(page.id, Point::default(), Point::default(), Grain::All)).unwrap();
    assert!(all.text.contains("this page"), "{}", all.text);
    assert_eq!(wait(worker.find(page.id, "READER".to_owned())).unwrap().len(), 1);
    let look = Look {
        width: 320.0,
        scale: 2.0,
        theme: PageTheme::Dark,
    };
    assert_eq!(wait(worker.resize(page.id, look)).unwrap().id, page.id);
    worker.close(page.id);
    assert_eq!(wait(worker.paint(page.id, tile(&page))), Err(Failure::Gone));
}

fn the_child_is_locked_in() {
    let attempts = wait(worker().examine()).unwrap();
    assert!(attempts.len() >= 6, "{attempts:?}");
    if cfg!(target_os = "linux") {
        for attempt in &attempts {
            assert!(!attempt.refused.is_empty(), "could {}", attempt.what);
            assert!(
                attempt.refused.contains("denied") || attempt.refused.contains("not permitted"),
                "{attempt:?}"
            );
        }
    } else {
        println!("skipped: only Linux locks the process in; here it could {attempts:?}");
    }
}

fn a_closed_page_is_gone() {
    let worker = worker();
    assert_eq!(
        wait(worker.paint(PageId(77), Rect::default())),
        Err(Failure::Gone)
    );
    worker.close(PageId(77));
    let first = wait(worker.open(source("<p>one"))).unwrap();
    let second = wait(worker.open(source("<p>two"))).unwrap();
    assert_ne!(first.id, second.id);
    worker.close(first.id);
    assert_eq!(wait(worker.find(first.id, "one".to_owned())), Err(Failure::Gone));
    assert_eq!(
        wait(worker.find(second.id, "two".to_owned())).map(|found| found.len()),
        Ok(1)
    );
}

fn a_request_that_nobody_waits_for_is_taken_back() {
    // Each would take its three seconds.
    let worker = worker_with(&["misbehave", "stall"]);
    let began = Instant::now();
    let waker = Waker::noop();
    for _ in 0..50 {
        let mut open = Box::pin(worker.open(source(LETTER)));
        assert!(open.as_mut().poll(&mut Context::from_waker(waker)).is_pending());
    }
    assert_eq!(wait(worker.open(source(LETTER))), Err(Failure::TooSlow));
    assert!(began.elapsed() < Duration::from_secs(20), "{:?}", began.elapsed());
}

/// What a child may do instead of answering.
fn misbehave(how: &str) {
    let mut out = std::io::stdout().lock();
    let mut say = |bytes: &[u8]| out.write_all(bytes).and_then(|()| out.flush());
    let frame = |header: &str, lengths: &[u32], rest: &[u8]| {
        let mut bytes = Vec::new();
        bytes.extend(u32::try_from(header.len()).unwrap().to_le_bytes());
        bytes.extend(u32::try_from(lengths.len()).unwrap().to_le_bytes());
        bytes.extend(lengths.iter().flat_map(|length| length.to_le_bytes()));
        bytes.extend(header.as_bytes());
        bytes.extend(rest);
        bytes
    };
    let wear = r#""wear":{"resident":0,"busy":0.0}"#;
    let limits = r#"{"limits":true,"files":true,"calls":true}"#;
    let ready = format!(r#"{{"serial":0,"body":{{"outcome":{{"Ok":{{"Ready":{limits}}}}},{wear}}}}}"#);
    if how == "mute" {
        return;
    }
    let _ = say(&frame(&ready, &[], b""));
    let mut begun = [0; 8];
    let _ = std::io::stdin().read_exact(&mut begun);
    let reply = |serial: u64, reply: &str| {
        format!(r#"{{"serial":{serial},"body":{{"outcome":{{"Ok":{reply}}},{wear}}}}}"#)
    };
    let page = |id: u64, link: &str| {
        format!(
            r#"{{"Page":{{"id":{id},"width":700.0,"height":9.0,"links":[{{"url":"{link}","text":"","rects":[]}}],"blocked":[],"remote":[],"text":"","has_dark_rules":false}}}}"#
        )
    };
    let _ = match how {
        "die" => return,
        "rubbish" => say(&[0x41; 4_096]),
        "no json" => say(&frame("{nonsense", &[], b"")),
        "deep json" => say(&frame(&"[".repeat(1_000_000), &[], b"")),
        "huge header" => say(&u32::MAX.to_le_bytes()).and_then(|()| say(&[0; 64])),
        "huge blob" => say(&frame(&reply(1, "\"Done\""), &[u32::MAX], b"abc")),
        "other serial" => say(&frame(&reply(7, &page(1, "https://x")), &[], b"")),
        "other page" => say(&frame(&reply(1, &page(9, "https://x")), &[], b"")),
        "other kind" => say(&frame(&reply(1, "\"Document\""), &[5], b"%PDF-")),
        "other link" => say(&frame(&reply(1, &page(1, "file:///etc/passwd")), &[], b"")),
        "flood" => {
            let _ = say(&frame(&reply(1, "\"Done\""), &[], b""));
            while say(&[7; 65_536]).is_ok() {}
            return;
        }
        _ => Ok(()),
    };
    // Does not end by itself.
    loop {
        thread::park();
    }
}

fn children_that_misbehave_are_killed() {
    for (how, expect) in [
        ("mute", Failure::NoProcess),
        ("die", Failure::Died),
        ("rubbish", Failure::Died),
        ("no json", Failure::Died),
        ("deep json", Failure::Died),
        ("huge header", Failure::Died),
        ("huge blob", Failure::Died),
        ("other serial", Failure::Died),
        ("other page", Failure::Died),
        ("other kind", Failure::Died),
        ("other link", Failure::Died),
        ("flood", Failure::Died),
        ("stall", Failure::TooSlow),
    ] {
        let worker = worker_with(&["misbehave", how]);
        let began = Instant::now();
        assert_eq!(wait(worker.open(source(LETTER))), Err(expect), "{how}");
        let most = if how == "stall" { 8 } else { 6 };
        assert!(
            began.elapsed() < Duration::from_secs(most),
            "{how}: {:?}",
            began.elapsed()
        );
    }
}

fn a_child_that_cannot_start_is_said() {
    let worker = Worker::new("/no/such/program".into(), Vec::new());
    assert_eq!(wait(worker.open(source(LETTER))), Err(Failure::NoProcess));
    assert_eq!(wait(worker.picture(Vec::new(), 9, 9)), Err(Failure::NoProcess));
}

fn pictures_and_pdfs_are_previewed() {
    let worker = worker();
    let mut png = std::io::Cursor::new(Vec::new());
    let picture = image::RgbImage::from_pixel(300, 200, image::Rgb([1, 2, 3]));
    picture.write_to(&mut png, image::ImageFormat::Png).unwrap();
    let small = wait(worker.picture(png.into_inner(), 30, 30)).unwrap();
    assert_eq!((small.width, small.height), (30, 20));
    assert_eq!(small.rgba[..4], [1, 2, 3, 255]);
    assert_eq!(
        wait(worker.picture(b"GIF89a".to_vec(), 30, 30)),
        Err(Failure::Unreadable)
    );
    assert_eq!(
        wait(worker.pdf_page(b"%PDF-1.4 nothing".to_vec(), 30, 30)),
        Err(Failure::Unreadable)
    );
    let printed = wait(worker.print(source(LETTER), heading("Letter"))).unwrap();
    let page = wait(worker.pdf_page(printed, 300, 300)).unwrap();
    assert_eq!(page.height, 300);
    assert!((200..220).contains(&page.width), "{}", page.width);
    assert!(is_drawn(&page), "the letter is on it");
}

fn is_drawn(pixels: &Pixels) -> bool {
    pixels.rgba.chunks(4).any(|dot| dot[0] < 128)
}

fn a_message_is_printed() {
    let worker = worker();
    let long: String = (0..120)
        .map(|line| format!("<p>Line {line} of a long letter</p>"))
        .collect();
    let pdf = wait(worker.print(source(&long), heading("Grüße"))).unwrap();
    let text = String::from_utf8_lossy(&pdf);
    assert!(pdf.starts_with(b"%PDF-") && text.trim_end().ends_with("%%EOF"));
    let sheets = text.matches("/Type /Page\n").count();
    assert!((3..10).contains(&sheets), "{sheets} sheets");
    // What stands at the foot is not compressed.
    for n in 1..=sheets {
        assert!(
            text.contains(&format!("({n} / {sheets}) Tj")),
            "sheet {n} of {sheets}"
        );
    }
    let bare = wait(worker.print(source("<p>One line</p>"), Heading::default())).unwrap();
    let headed = wait(worker.print(source("<p>One line</p>"), heading("A title"))).unwrap();
    let pictures = |pdf: &[u8]| String::from_utf8_lossy(pdf).matches("/Subtype /Image").count();
    assert_eq!((pictures(&bare), pictures(&headed)), (1, 2));
    let lowest = |pdf: Vec<u8>| {
        let page = wait(worker.pdf_page(pdf, 400, 400)).unwrap();
        let row = page.width as usize * 4;
        let is_dark = |row: &[u8]| row.chunks(4).any(|dot| dot[0] < 128);
        // Above the number at its foot.
        page.rgba
            .chunks(row)
            .take(350)
            .rposition(is_dark)
            .unwrap_or_default()
    };
    let (alone, below) = (lowest(bare), lowest(headed));
    assert!(
        below > alone + 20,
        "the line stands below its heading: {alone}, {below}"
    );
}

fn heading(title: &str) -> Heading {
    Heading {
        title: title.to_owned(),
        fields: vec![("From".to_owned(), "Ada <ada@example.org>".to_owned())],
    }
}

fn what_is_too_large_is_not_sent() {
    let mut large = source(LETTER);
    large.parts.insert("a".to_owned(), vec![0; 200 * 1024 * 1024]);
    let worker = worker();
    assert_eq!(wait(worker.open(large)), Err(Failure::TooLarge));
    assert!(
        wait(worker.open(source(LETTER))).is_ok(),
        "the child is still there"
    );
}

#[cfg(target_os = "linux")]
fn children() -> Vec<u32> {
    let pid = std::process::id();
    let mut children = Vec::new();
    for task in std::fs::read_dir(format!("/proc/{pid}/task")).unwrap().flatten() {
        let listed = std::fs::read_to_string(task.path().join("children")).unwrap_or_default();
        children.extend(
            listed
                .split_whitespace()
                .filter_map(|word| word.parse::<u32>().ok()),
        );
    }
    children
}

#[cfg(target_os = "linux")]
fn no_child_outlives_the_last_handle() {
    let worker = worker();
    assert!(wait(worker.open(source(LETTER))).is_ok());
    assert!(wait(worker.print(source(LETTER), Heading::default())).is_ok());
    assert_eq!(children().len(), 2, "one draws, one prints");
    let copy = worker.clone();
    drop(worker);
    assert!(wait(copy.open(source(LETTER))).is_ok());
    drop(copy);
    let began = Instant::now();
    while !children().is_empty() {
        assert!(
            began.elapsed() < Duration::from_secs(10),
            "{:?} are left",
            children()
        );
        thread::yield_now();
    }
}

#[cfg(not(target_os = "linux"))]
fn no_child_outlives_the_last_handle() {
    println!("skipped: children are counted on Linux only");
}

#[cfg(target_os = "linux")]
fn memory_returns_after_many_messages() {
    let resident = || -> u64 {
        children()
            .iter()
            .filter_map(|pid| std::fs::read_to_string(format!("/proc/{pid}/statm")).ok())
            .filter_map(|text| text.split(' ').nth(1)?.parse::<u64>().ok())
            .sum::<u64>()
            * 4_096
            / (1024 * 1024)
    };
    let worker = worker();
    let row = "<tr><td style='background:#eef;padding:4px'>cell <b>bold</b></td><td><a href='https://x.example/'>link</a></td></tr>";
    let newsletter = format!("<table>{}</table>", row.repeat(30));
    let open_and_close = || {
        let page = wait(worker.open(source(&newsletter))).unwrap();
        wait(worker.paint(page.id, tile(&page))).unwrap();
        worker.close(page.id);
        assert_eq!(wait(worker.find(page.id, String::new())), Err(Failure::Gone));
    };
    for _ in 0..20 {
        open_and_close();
    }
    let before = resident();
    for _ in 0..500 {
        open_and_close();
    }
    let after = resident();
    println!("{before} MB after 20 messages, {after} MB after 520");
    assert!(after < before + 40, "{before} MB grew to {after} MB");
}

#[cfg(not(target_os = "linux"))]
fn memory_returns_after_many_messages() {
    println!("skipped: memory is measured on Linux only");
}
