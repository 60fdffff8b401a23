//! No text of a message is lost at any width: tried on the mail beside the project, where there is some, or in
//! `POSTHORN_CORPUS`. Here, since this crate both reads mail and draws it.

use std::path::{Path, PathBuf};

use posthorn_html::Document;
use posthorn_html::document::STACK;
use posthorn_html::page::{Look, PageTheme};

use super::letter;

const WIDTHS: [f32; 6] = [320.0, 480.0, 600.0, 800.0, 1_000.0, 1_200.0];
/// Messages that are laid out, of those that there are, and how large they may be: it is a sample.
const MESSAGES: usize = 2_000;
const BYTES: u64 = 200_000;

fn list(folder: &Path, files: &mut Vec<PathBuf>) {
    for entry in std::fs::read_dir(folder).into_iter().flatten().flatten() {
        let path = entry.path();
        if path.is_dir() {
            // What is there was made to break the layout, not to be read.
            if path.file_name().is_some_and(|name| name != "synthetic") {
                list(&path, files);
            }
        } else if entry.metadata().is_ok_and(|data| data.len() < BYTES) {
            files.push(path);
        }
    }
}

/// Lines that are lost, each with its file and width.
fn look(files: &[PathBuf]) -> (usize, Vec<String>) {
    let (mut messages, mut lost) = (0, Vec::new());
    for file in files {
        let raw = std::fs::read(file).unwrap_or_default();
        let parsed = posthorn_mime::parse(&raw);
        if parsed.html.is_none() {
            continue;
        }
        messages += 1;
        for width in WIDTHS {
            let look = Look {
                width,
                scale: 1.0,
                theme: PageTheme::Light,
            };
            let Ok(document) = Document::open(letter::source(&raw, &parsed, look)) else {
                break;
            };
            let found = document.lost_text().into_iter();
            lost.extend(found.map(|text| format!("{} at {width}: {text}", file.display())));
        }
        if messages >= MESSAGES {
            break;
        }
    }
    (messages, lost)
}

#[test]
fn no_text_of_the_corpus_is_lost_at_any_width() {
    let beside = Path::new(env!("CARGO_MANIFEST_DIR")).join("../../../shared/mail");
    let corpus = std::env::var_os("POSTHORN_CORPUS").map_or(beside, PathBuf::from);
    let mut files = Vec::new();
    list(&corpus, &mut files);
    if files.is_empty() {
        println!("skipped: no corpus lies beside the project, and POSTHORN_CORPUS names none");
        return;
    }
    // The same sample every time, from all folders.
    files.sort_by_cached_key(|path| {
        let name = path.to_string_lossy();
        let mix = |sum: u64, byte: u8| (sum ^ u64::from(byte)).wrapping_mul(0x0100_0000_01b3);
        (name.bytes().fold(0xcbf2_9ce4_8422_2325, mix), name.into_owned())
    });
    let run = move || look(&files);
    let thread = std::thread::Builder::new().stack_size(STACK).spawn(run).unwrap();
    let (messages, lost) = thread.join().unwrap();
    println!("{messages} messages at {} widths", WIDTHS.len());
    assert!(lost.is_empty(), "{} lines: {lost:#?}", lost.len());
}
