//! `posthorn rehearse`: opens every message of files and folders as a row, in the pane, as an answer, as a forward
//! and as a picture, with no profile and no network, and says what came of it. For our tests, and for whoever has mail
//! that we do not.

use std::collections::BTreeMap;
use std::panic::{AssertUnwindSafe, catch_unwind};
use std::path::{Path, PathBuf};
use std::time::Instant;

use clap::Args;
use posthorn_html::page::{Failure as NotDrawn, Grain, Look, Page, PageTheme, Point, Rect};
use posthorn_html::worker::Worker;
use posthorn_mime::{Parsed, compose};
use posthorn_model::{Address, Identity, Timestamp};
use serde::Serialize;
use serde_json::json;

use crate::failure::{Failure, Status};
use crate::output::Output;
use crate::render::letter;

#[derive(Args, Debug)]
pub struct RehearseRequest {
    /// Messages, mbox files, and folders of both
    #[arg(required = true)]
    paths: Vec<PathBuf>,
    #[arg(long, value_name = "PIXELS", default_value_t = 700, value_parser = clap::value_parser!(u16).range(100..))]
    width: u16,
    /// Print each message too
    #[arg(long)]
    print: bool,
    /// Change each message by chance in this many ways, and open those
    #[arg(long, value_name = "TIMES", default_value_t = 0)]
    mutate: u32,
    /// Where chance starts
    #[arg(long, value_name = "NUMBER", default_value_t = 1)]
    seed: u64,
}

/// What came of one message.
#[derive(Debug, Default, Serialize)]
struct Opened {
    file: String,
    /// Within an mbox file, from 0.
    index: usize,
    from: Vec<String>,
    reply_to: Vec<String>,
    subject: String,
    /// Of attachments.
    names: Vec<String>,
    /// Who an answer would go to.
    answers: Vec<String>,
    /// Our code made a mistake on it.
    panicked: bool,
    height: f32,
    links: usize,
    blocked: usize,
    remote: usize,
    failure: Option<NotDrawn>,
    seconds: f64,
}

#[derive(Debug, Default, Serialize)]
struct Summary {
    files: usize,
    messages: usize,
    drawn: usize,
    links: usize,
    blocked: usize,
    remote: usize,
    panics: usize,
    failures: BTreeMap<String, usize>,
    seconds: f64,
}

/// # Errors
/// Where a file cannot be read, or nobody reads what is printed.
pub fn run(request: &RehearseRequest, output: &mut Output) -> Result<Status, Failure> {
    let worker = crate::render::worker()?;
    let runtime = tokio::runtime::Builder::new_current_thread()
        .build()
        .map_err(|error| Failure::disk("cannot start", &error))?;
    let mut files = Vec::new();
    for path in &request.paths {
        list_files(path, &mut files).map_err(|error| Failure::disk(&path.display().to_string(), &error))?;
    }
    let began = Instant::now();
    let mut summary = Summary {
        files: files.len(),
        ..Summary::default()
    };
    let mut chance = Chance(request.seed);
    for file in &files {
        let bytes =
            std::fs::read(file).map_err(|error| Failure::disk(&file.display().to_string(), &error))?;
        for (index, raw) in cut_messages(file, &bytes).into_iter().enumerate() {
            for turn in 0..=request.mutate {
                let changed = if turn == 0 {
                    raw.clone()
                } else {
                    chance.mutate(&raw)
                };
                // Standard error, before it is opened: what ends the whole process is then known by name.
                log::info!(
                    "Opening {} #{index}, turn {turn}, from {}.",
                    file.display(),
                    chance.0
                );
                let mut opened = runtime.block_on(open(&worker, &changed, request));
                opened.file = file.display().to_string();
                opened.index = index;
                count(&opened, &mut summary);
                tell(&opened, turn, output)?;
            }
        }
    }
    summary.seconds = began.elapsed().as_secs_f64();
    if output.is_json() {
        output.stream(&json!({ "summary": summary }))?;
    } else {
        output.line(&format!(
            "{} messages in {} files: {} drawn, {} links, {} kept from the network, {} mistakes, {:.1} s",
            summary.messages,
            summary.files,
            summary.drawn,
            summary.links,
            summary.blocked,
            summary.panics,
            summary.seconds
        ))?;
        for (failure, count) in &summary.failures {
            output.line(&format!("  not drawn, {failure}: {count}"))?;
        }
    }
    Ok(if summary.panics == 0 {
        Status::Done
    } else {
        Status::Failed
    })
}

fn tell(opened: &Opened, turn: u32, output: &mut Output) -> Result<(), Failure> {
    if output.is_json() && (turn == 0 || opened.panicked || opened.failure.is_some()) {
        return output.stream(opened);
    }
    if opened.panicked {
        return output.line(&format!("{} #{}: a mistake of ours", opened.file, opened.index));
    }
    Ok(())
}

fn count(opened: &Opened, summary: &mut Summary) {
    summary.messages += 1;
    summary.panics += usize::from(opened.panicked);
    summary.links += opened.links;
    summary.blocked += opened.blocked;
    summary.remote += opened.remote;
    match opened.failure {
        None => summary.drawn += usize::from(!opened.panicked),
        Some(failure) => *summary.failures.entry(format!("{failure:?}")).or_default() += 1,
    }
}

async fn open(worker: &Worker, raw: &[u8], request: &RehearseRequest) -> Opened {
    let began = Instant::now();
    let look = Look {
        width: f32::from(request.width),
        scale: 1.0,
        theme: PageTheme::Light,
    };
    let read = catch_unwind(AssertUnwindSafe(|| {
        let parsed = posthorn_mime::parse(raw);
        let opened = read(raw, &parsed);
        let source = letter::source(raw, &parsed, look);
        (opened, source, letter::heading(&parsed.envelope))
    }));
    let Ok((mut opened, source, heading)) = read else {
        return Opened {
            panicked: true,
            ..Opened::default()
        };
    };
    let printed = request.print.then(|| source.clone());
    match worker.open(source).await {
        Ok(page) => {
            opened.height = page.height;
            opened.links = page.links.len();
            opened.blocked = page.blocked.len();
            opened.remote = page.remote.len();
            opened.failure = look_at(worker, &page).await.err();
            worker.close(page.id);
        }
        Err(failure) => opened.failure = Some(failure),
    }
    opened.seconds = began.elapsed().as_secs_f64();
    if let Some(source) = printed {
        let printed = worker.print(source, heading).await;
        opened.failure = opened.failure.or(printed.err());
    }
    opened
}

/// The first screenful, a search, and everything marked.
async fn look_at(worker: &Worker, page: &Page) -> Result<(), NotDrawn> {
    for top in [0.0, 512.0] {
        let area = Rect {
            x: 0.0,
            y: top,
            width: page.width.min(4_000.0),
            height: 512.0,
        };
        worker.paint(page.id, area).await?;
    }
    worker.find(page.id, "e".to_owned()).await?;
    worker
        .select(page.id, Point::default(), Point::default(), Grain::All)
        .await?;
    Ok(())
}

/// As a row, in the pane, answered and sent on.
fn read(raw: &[u8], parsed: &Parsed) -> Opened {
    let say = |list: &[Address]| list.iter().map(ToString::to_string).collect::<Vec<_>>();
    let me = Identity {
        email: "me@example.org".to_owned(),
        ..Identity::default()
    };
    let mut answers = Vec::new();
    for all in [false, true] {
        let answer = compose::reply(parsed, all, &me);
        answers.extend(say(&answer.to));
        answers.extend(say(&answer.cc));
        let id = compose::message_id(&me, "rehearsal");
        let built = compose::build(&answer, Timestamp(0), &id, 1);
        let _ = posthorn_mime::parse_header(&built.raw);
    }
    let mut onward = compose::forward(parsed, raw);
    onward.identity = me.clone();
    let _ = compose::build(&onward, Timestamp(0), &compose::message_id(&me, "rehearsal"), 2);
    answers.sort_unstable();
    answers.dedup();
    Opened {
        from: say(&parsed.envelope.from),
        reply_to: say(&parsed.envelope.reply_to),
        subject: parsed.envelope.subject.clone(),
        names: parsed.parts.iter().filter_map(|part| part.name.clone()).collect(),
        answers,
        ..Opened::default()
    }
}

/// Everything below a folder that may be mail, in order.
fn list_files(path: &Path, files: &mut Vec<PathBuf>) -> std::io::Result<()> {
    if !path.is_dir() {
        files.push(path.to_owned());
        return Ok(());
    }
    let mut entries: Vec<PathBuf> = std::fs::read_dir(path)?
        .flatten()
        .map(|entry| entry.path())
        .collect();
    entries.sort_unstable();
    for entry in entries {
        let name = entry
            .file_name()
            .unwrap_or_default()
            .to_string_lossy()
            .into_owned();
        let is_other = [".json", ".jsonl", ".xml", ".ron", ".tsv", ".md", ".png"]
            .iter()
            .any(|end| name.ends_with(end));
        if entry.is_dir() || !(is_other || name.starts_with(['_', '.'])) {
            list_files(&entry, files)?;
        }
    }
    Ok(())
}

/// The messages of an mbox file (RFC 4155), the page of an HTML file, else the one message that a file is.
fn cut_messages(file: &Path, bytes: &[u8]) -> Vec<Vec<u8>> {
    if file.extension().is_some_and(|end| end == "html" || end == "htm") {
        let mut raw = b"MIME-Version: 1.0\r\nContent-Type: text/html; charset=utf-8\r\n\r\n".to_vec();
        raw.extend_from_slice(bytes);
        return vec![raw];
    }
    // A field may be written with a blank before its colon.
    if !bytes.starts_with(b"From ") || bytes.starts_with(b"From :") {
        return vec![bytes.to_vec()];
    }
    let mut messages: Vec<Vec<u8>> = Vec::new();
    let mut after_empty = true;
    for line in bytes.split_inclusive(|byte| *byte == b'\n') {
        if after_empty && line.starts_with(b"From ") {
            messages.push(Vec::new());
        } else if let Some(message) = messages.last_mut() {
            let quoted = line.iter().position(|byte| *byte != b'>').unwrap_or_default();
            let is_quoted = quoted > 0 && line.get(quoted..).is_some_and(|rest| rest.starts_with(b"From "));
            message.extend_from_slice(line.get(usize::from(is_quoted)..).unwrap_or(line));
        }
        after_empty = matches!(line, b"\n" | b"\r\n");
    }
    messages
}

/// Numbers that are the same for the same start (SplitMix64).
struct Chance(u64);

impl Chance {
    fn next(&mut self) -> u64 {
        self.0 = self.0.wrapping_add(0x9e37_79b9_7f4a_7c15);
        let mut z = self.0;
        z = (z ^ (z >> 30)).wrapping_mul(0xbf58_476d_1ce4_e5b9);
        z = (z ^ (z >> 27)).wrapping_mul(0x94d0_49bb_1331_11eb);
        z ^ (z >> 31)
    }

    fn below(&mut self, bound: usize) -> usize {
        usize::try_from(self.next() % (bound.max(1) as u64)).unwrap_or_default()
    }

    /// A few changes: pieces of mail put in, doubled, taken out, and bytes flipped.
    fn mutate(&mut self, raw: &[u8]) -> Vec<u8> {
        const PIECES: &[&str] = &[
            "<table>",
            "<td style=\"display:block\">",
            "</table>",
            "<div style=\"float:left\">",
            "<!--",
            "-->",
            "<style>",
            "</style>",
            "@media (max-width:600px){",
            "}",
            "width:99999999px",
            "calc(1px*9e30)",
            "<img src=\"cid:x\">",
            "rowspan=65535",
            "colspan=\"9999999\"",
            "position:absolute",
            "font-size:1e9px",
            "&#x10ffff;",
            "&#0;",
            "\u{202e}",
            "\u{200d}",
            "=?utf-8?B?",
            "?=",
            "\r\n\r\n",
            "--",
            "Content-Type: text/html\r\n",
            "<svg>",
            "<math>",
            "<select>",
            "<template>",
            "url(data:image/png;base64,AAAA)",
            "margin:-99999px",
            "line-height:0",
            "direction:rtl",
            "<bdo dir=rtl>",
            "columns:1000",
            "grid-template-columns:repeat(9999,1px)",
            "zoom:1000",
        ];
        let mut changed = raw.to_vec();
        for _ in 0..=self.below(6) {
            let length = changed.len();
            let at = self.below(length + 1);
            let end = (at + self.below(200)).min(length);
            match self.below(5) {
                0 => {
                    let piece = PIECES.get(self.below(PIECES.len())).copied().unwrap_or_default();
                    changed.splice(at..at, piece.bytes());
                }
                1 => drop(changed.splice(at..end, [])),
                2 => {
                    let piece = changed
                        .get(at..end)
                        .unwrap_or_default()
                        .repeat(1 + self.below(20));
                    changed.splice(at..at, piece);
                }
                3 => {
                    let bit = 1_u8 << self.below(8);
                    if let Some(byte) = changed.get_mut(at) {
                        *byte ^= bit;
                    }
                }
                _ => {
                    let piece = PIECES.get(self.below(PIECES.len())).copied().unwrap_or_default();
                    changed.splice(at..at, piece.repeat(1 + self.below(300)).bytes());
                }
            }
        }
        changed
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn mbox_files_are_cut_where_messages_begin() {
        let check = |text: &str, expect: &[&str]| {
            let cut = cut_messages(Path::new("x.mbox"), text.as_bytes());
            let cut: Vec<_> = cut.iter().map(|raw| String::from_utf8_lossy(raw)).collect();
            assert_eq!(cut, expect, "{text:?}");
        };
        check(
            "From a\nSubject: 1\n\nx\n\nFrom b\n\ny\n",
            &["Subject: 1\n\nx\n\n", "\ny\n"],
        );
        check("From a\n\n>From x\nFrom y\n", &["\nFrom x\nFrom y\n"]);
        check("Subject: 1\n\nFrom a\n", &["Subject: 1\n\nFrom a\n"]);
        check("From : a\n\nx\n", &["From : a\n\nx\n"]);
    }

    #[test]
    fn chance_is_repeatable() {
        let once = Chance(7).mutate(b"From: a\r\n\r\nx");
        assert_eq!(once, Chance(7).mutate(b"From: a\r\n\r\nx"));
        assert_ne!(once, Chance(8).mutate(b"From: a\r\n\r\nx"));
    }
}
