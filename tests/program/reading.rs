//! Every message that there is, opened in every way: no mistake of ours, no word to the network, and what mail may not
//! do. `POSTHORN_CORPUS=DIR` names another folder of messages and mbox files.

use std::collections::BTreeMap;
use std::path::{Path, PathBuf};
use std::process::{Command, Stdio};

use serde_json::Value;

use crate::posthorn::Posthorn;
use crate::server::shared;

fn corpus() -> Option<PathBuf> {
    let named = std::env::var_os("POSTHORN_CORPUS").map(PathBuf::from);
    let found = named.or_else(|| shared("mail"));
    if found.is_none() {
        println!("skipped: no corpus lies beside the project, and POSTHORN_CORPUS names none");
    }
    found
}

/// Builds without optimisation are slower, and so is a machine that runs all tests at once.
const SLACK: f64 = if cfg!(debug_assertions) { 4.0 } else { 2.0 };

/// One line for each message, and what they come to.
pub fn rehearse(words: &[&str]) -> (Vec<Value>, Value) {
    // Not through the harness: a whole corpus takes longer than a command on a few messages may.
    let posthorn = Posthorn::new(None);
    let mut command = posthorn.command();
    command
        .args(["--json", "rehearse"])
        .args(words)
        .stderr(Stdio::inherit());
    let output = command.output().unwrap();
    let lines = String::from_utf8(output.stdout).unwrap();
    let mut lines: Vec<Value> = lines
        .lines()
        .map(|line| serde_json::from_str(line).unwrap())
        .collect();
    let summary = lines.pop().unwrap_or_default()["summary"].clone();
    assert!(
        summary.is_object(),
        "ended early, with {:?}, behind {:?}",
        output.status,
        lines.last()
    );
    (lines, summary)
}

#[test]
fn every_message_opens_in_every_way() {
    let Some(corpus) = corpus() else { return };
    let (messages, summary) = rehearse(&[corpus.to_str().unwrap()]);
    println!("{summary:#}");
    let wrong: Vec<&Value> = messages
        .iter()
        .filter(|message| message["panicked"] == true || is_mistake(&message["failure"]))
        .collect();
    assert!(wrong.is_empty(), "{wrong:#?}");
    assert!(
        summary["messages"].as_u64() > Some(0),
        "there is mail in {corpus:?}"
    );
}

/// Too large to draw is an answer; too slow and dead are not.
fn is_mistake(failure: &Value) -> bool {
    !matches!(failure.as_str(), None | Some("too_large"))
}

/// What each message must not do, as the corpus says it in a form that a program can read.
pub fn expectations(folder: &Path) -> BTreeMap<String, Value> {
    let text = std::fs::read_to_string(folder.join("expect.jsonl")).unwrap_or_default();
    let lines = text
        .lines()
        .map(|line| serde_json::from_str::<Value>(line).unwrap());
    lines
        .map(|line| (line["file"].as_str().unwrap().to_owned(), line))
        .collect()
}

#[test]
fn hostile_messages_keep_within_their_bounds() {
    let Some(folder) = corpus().map(|corpus| corpus.join("synthetic")) else {
        return;
    };
    let expected = expectations(&folder);
    if expected.is_empty() {
        println!("skipped: nothing says what {} is to do", folder.display());
        return;
    }
    let (messages, _) = rehearse(&[folder.to_str().unwrap()]);
    let mut faults = Vec::new();
    for message in &messages {
        let file = Path::new(message["file"].as_str().unwrap());
        let name = file.file_name().unwrap().to_str().unwrap();
        let Some(expect) = expected.get(name) else {
            continue;
        };
        faults.extend(
            find_faults(message, expect)
                .into_iter()
                .map(|fault| format!("{name}: {fault}")),
        );
    }
    println!("{} messages, {} expectations", messages.len(), expected.len());
    assert!(faults.is_empty(), "{} faults: {faults:#?}", faults.len());
}

fn find_faults(message: &Value, expect: &Value) -> Vec<String> {
    let strings = |value: &Value| -> Vec<String> {
        let list = value.as_array().cloned().unwrap_or_default();
        list.iter()
            .filter_map(|item| item.as_str().map(str::to_owned))
            .collect()
    };
    let mut faults = Vec::new();
    let senders = strings(&message["from"]);
    for liar in strings(&expect["from_not_shown_as"]) {
        // Of several authors, all are shown: one of them may be anybody.
        if !senders.is_empty() && senders.iter().all(|shown| is_shown_as(shown, &liar)) {
            faults.push(format!("shown as {liar}: {senders:?}"));
        }
    }
    for shown in senders
        .iter()
        .chain(&strings(&message["reply_to"]))
        .chain([&subject(message)])
    {
        if let Some(c) = shown.chars().find(|c| is_hidden(*c)) {
            faults.push(format!("{c:?} in {shown:?}"));
        }
    }
    for name in strings(&message["names"]) {
        faults.extend(say_unsafe(&name).map(|why| format!("attachment {name:?}: {why}")));
    }
    if expect["raw_name"].is_string() && strings(&message["names"]).is_empty() {
        faults.push("its attachment has no name".to_owned());
    }
    if let Some(most) = expect["max_ms"]
        .as_f64()
        .or_else(|| bound(expect, "s").map(|most| most * 1_000.0))
    {
        let took = message["seconds"].as_f64().unwrap() * 1_000.0;
        if took > most * SLACK {
            faults.push(format!("took {took:.0} ms"));
        }
    }
    faults
}

/// A number that the words of an expectation give, as `<2 s` or `<300 MB`.
fn bound(expect: &Value, unit: &str) -> Option<f64> {
    let mut words = expect["must"]
        .as_str()?
        .split([' ', ',', ';', ')', '('])
        .peekable();
    while let Some(word) = words.next() {
        let number = word.strip_prefix('<').and_then(|number| number.parse().ok());
        if number.is_some() && words.peek() == Some(&unit) {
            return number;
        }
    }
    None
}

/// What the program and the process that draws for it have held at most, in megabytes; `None` where the system does
/// not tell.
fn measure_peak(file: &Path) -> Option<f64> {
    let posthorn = Posthorn::new(None);
    let mut child = posthorn
        .command()
        .args(["--json", "rehearse"])
        .arg(file)
        .stdout(Stdio::null())
        .stderr(Stdio::null())
        .spawn()
        .unwrap();
    let resident = |process: u32| -> Option<u64> {
        let status = std::fs::read_to_string(format!("/proc/{process}/status")).ok()?;
        let line = status.lines().find_map(|line| line.strip_prefix("VmHWM:"))?;
        line.split_whitespace().next()?.parse().ok()
    };
    let mut peaks: BTreeMap<u32, u64> = BTreeMap::new();
    while child.try_wait().unwrap().is_none() {
        let own = child.id();
        let children =
            std::fs::read_to_string(format!("/proc/{own}/task/{own}/children")).unwrap_or_default();
        let children = children.split_whitespace().filter_map(|id| id.parse().ok());
        for process in std::iter::once(own).chain(children) {
            if let Some(held) = resident(process) {
                let peak = peaks.entry(process).or_default();
                *peak = held.max(*peak);
            }
        }
        std::thread::sleep(std::time::Duration::from_millis(2));
    }
    #[expect(clippy::cast_precision_loss, reason = "kilobytes")]
    (!peaks.is_empty()).then(|| peaks.values().sum::<u64>() as f64 / 1_024.0)
}

#[test]
fn hostile_messages_need_little_memory() {
    let Some(folder) = corpus().map(|corpus| corpus.join("synthetic")) else {
        return;
    };
    let mut faults = Vec::new();
    for (name, expect) in expectations(&folder) {
        let most = expect["max_rss_mb"].as_f64().or_else(|| bound(&expect, "MB"));
        let Some((most, held)) = most.zip(measure_peak(&folder.join(&name))) else {
            continue;
        };
        println!("{name}: {held:.0} MB of {most}");
        if held > most {
            faults.push(format!("{name}: {held:.0} MB, not {most}"));
        }
    }
    assert!(faults.is_empty(), "{faults:#?}");
}

/// A new kind of expectation is to be asked for, not to be passed over.
#[test]
fn every_field_of_an_expectation_is_asked_for() {
    const ASKED: &[&str] = &[
        "file",
        "cat",
        "must",
        "bytes",
        "from_not_shown_as",
        "raw_name",
        "leak",
        "max_ms",
        "max_rss_mb",
    ];
    let Some(folder) = corpus().map(|corpus| corpus.join("synthetic")) else {
        return;
    };
    for (name, expect) in expectations(&folder) {
        let fields = expect.as_object().unwrap();
        let unknown: Vec<&String> = fields
            .keys()
            .filter(|field| !ASKED.contains(&field.as_str()))
            .collect();
        assert!(unknown.is_empty(), "{name}: {unknown:?}");
        let size = std::fs::metadata(folder.join(&name)).unwrap().len();
        assert_eq!(expect["bytes"].as_u64(), Some(size), "{name}");
    }
}

/// Whether a name, or the address itself, says so. What stands before the last `@` of an address is not its domain.
pub fn is_shown_as(shown: &str, liar: &str) -> bool {
    let shown = shown.to_lowercase();
    shown.rsplit_once(" <").map_or(shown == liar, |(name, email)| {
        name.contains(liar) || email.trim_end_matches('>') == liar
    })
}

fn subject(message: &Value) -> String {
    message["subject"].as_str().unwrap_or_default().to_owned()
}

/// Controls, and what turns text around or is not seen (Unicode annex 9).
pub fn is_hidden(c: char) -> bool {
    c.is_control()
        || matches!(c,
            '\u{200b}' | '\u{200e}' | '\u{200f}' | '\u{2028}'..='\u{202e}' | '\u{2060}'..='\u{2069}' | '\u{feff}')
}

/// Why a name must not become a file's, on any system.
pub fn say_unsafe(name: &str) -> Option<&'static str> {
    let stem = name
        .split('.')
        .next()
        .unwrap_or_default()
        .trim()
        .to_ascii_lowercase();
    let is_device = matches!(stem.as_str(), "con" | "prn" | "aux" | "nul")
        || ["com", "lpt"].iter().any(|port| {
            stem.strip_prefix(port)
                .is_some_and(|number| matches!(number, "1" | "2" | "3" | "4" | "5" | "6" | "7" | "8" | "9"))
        });
    if name.chars().any(is_hidden) {
        Some("a hidden character")
    } else if name.contains(['/', '\\', ':', '|', '?', '*', '<', '>', '"']) {
        Some("a character that leads elsewhere")
    } else if name.trim() != name || name.ends_with('.') || name.starts_with('.') {
        Some("a blank or a dot at its end")
    } else if is_device {
        Some("a device")
    } else if name.len() > 255 || name.is_empty() {
        Some("its length")
    } else {
        None
    }
}

/// What asks for something by itself, one file for every way that is known, and all else that means no good but what
/// only takes long.
fn leaking() -> Option<Vec<PathBuf>> {
    let corpus = corpus()?;
    let mut files = vec![corpus.join("httpleaks/leak.html")];
    for (name, expect) in expectations(&corpus.join("synthetic")) {
        if expect["leak"] == 1 || expect["max_ms"].is_null() {
            files.push(corpus.join("synthetic").join(name));
        }
    }
    files.retain(|file| file.exists());
    (!files.is_empty()).then_some(files)
}

#[test]
fn no_message_reaches_the_network_by_itself() {
    let Some(files) = leaking() else { return };
    let folder = tempfile::tempdir().unwrap();
    let log = folder.path().join("calls");
    let posthorn = Posthorn::new(None);
    let traced = Command::new("strace")
        .args([
            "-f",
            "-qq",
            "--seccomp-bpf",
            "-e",
            "trace=network",
            "-e",
            "signal=none",
            "-o",
        ])
        .arg(&log)
        .arg(env!("CARGO_BIN_EXE_posthorn"))
        .arg("--profile")
        .arg(posthorn.profile())
        .args(["--json", "rehearse", "--print"])
        .args(&files)
        .stdin(Stdio::null())
        .stderr(Stdio::null())
        .output();
    let Ok(output) = traced else {
        println!("skipped: strace is not installed");
        return;
    };
    let said = String::from_utf8_lossy(&output.stdout);
    let Some(summary) = said.lines().last().filter(|line| line.contains("summary")) else {
        println!("skipped: strace may not look here: {:?}", output.status);
        return;
    };
    let summary: Value = serde_json::from_str(summary).unwrap();
    println!("{summary:#}");
    assert_eq!(summary["summary"]["messages"], files.len());
    assert!(summary["summary"]["drawn"].as_u64() > Some(0), "{summary}");
    assert!(summary["summary"]["blocked"].as_u64() > Some(20), "{summary}");
    let calls = std::fs::read_to_string(&log).unwrap();
    // Two ends of a pipe of our own lead nowhere.
    let calls: Vec<&str> = calls
        .lines()
        .filter(|line| line.contains('(') && !line.contains("socketpair(AF_UNIX"))
        .collect();
    assert!(calls.is_empty(), "{calls:#?}");
}

const LETTER: &[u8] = b"From: a@example.org\r\nSubject: Hello\r\nMIME-Version: 1.0\r\n\
    Content-Type: text/html; charset=utf-8\r\n\r\n\
    <h1>Hello</h1><p>see <a href=\"https://example.org/x\">here</a></p><img src=\"https://track.example/p.gif\">";

#[test]
fn a_message_is_rendered_without_a_profile() {
    let folder = tempfile::tempdir().unwrap();
    let out = folder.path().join("x.png");
    let file = folder.path().join("letter.eml");
    std::fs::write(&file, LETTER).unwrap();
    let posthorn = Posthorn::new(None);
    let (out_name, file_name) = (out.to_str().unwrap(), file.to_str().unwrap());
    for (message, scale, width) in [(file_name, "1", 700), ("-", "2", 1_400)] {
        let words = [
            "render", message, "--width", "700", "--scale", scale, "--out", out_name,
        ];
        let value = posthorn.run_with_input(&words, LETTER).expect(0).json();
        assert_eq!(value["width"], width);
        let height = value["height"].as_u64().unwrap();
        assert!((40..2_000).contains(&height), "{height}");
        assert_eq!(value["links"][0]["url"], "https://example.org/x");
        assert_eq!(value["links"][0]["text"], "here");
        assert!(value["links"][0]["rect"]["width"].as_f64() > Some(5.0), "{value}");
        assert_eq!(value["blocked"][0]["url"], "https://track.example/p.gif");
        assert!(value["blocked"][0]["kind"].is_string());
        assert!(value["text"].as_str().unwrap().contains("Hello"));
        assert!(value["seconds"].as_f64() > Some(0.0));
        let png = std::fs::read(&out).unwrap();
        assert!(png.starts_with(b"\x89PNG\r\n\x1a\n"));
        // The header's own chunk begins with both lengths (PNG, section 11.2.2).
        assert_eq!(png[16..20], u32::try_from(width).unwrap().to_be_bytes());
        assert_eq!(png[20..24], u32::try_from(height).unwrap().to_be_bytes());
    }
    assert!(!posthorn.profile().exists(), "no profile was made");
    let dark = posthorn.json(&["render", file_name, "--width", "320", "--dark", "--out", out_name]);
    assert_eq!(dark["width"], 320);
    let pdf = folder.path().join("x.pdf");
    posthorn.json(&[
        "render",
        file_name,
        "--width",
        "700",
        "--out",
        pdf.to_str().unwrap(),
    ]);
    assert!(std::fs::read(&pdf).unwrap().starts_with(b"%PDF-"));
}

#[test]
fn text_alone_is_rendered_too() {
    let folder = tempfile::tempdir().unwrap();
    let out = folder.path().join("x.png");
    let text = b"Subject: Text\r\n\r\nplain <b>text</b>, see https://example.org/\r\n\r\n> quoted\r\n";
    let words = ["render", "-", "--width", "500", "--out", out.to_str().unwrap()];
    let value = Posthorn::new(None).run_with_input(&words, text).expect(0).json();
    assert!(value["text"].as_str().unwrap().contains("<b>text</b>"), "{value}");
    assert_eq!(value["links"][0]["url"], "https://example.org/");
    let nothing = Posthorn::new(None).run_with_input(&words, b"").expect(0).json();
    assert!(nothing["height"].as_u64() > Some(0));
}

#[test]
fn what_cannot_be_rendered_says_why() {
    let posthorn = Posthorn::new(None);
    let folder = tempfile::tempdir().unwrap();
    let out = folder.path().join("x.png");
    let out = out.to_str().unwrap();
    posthorn
        .run(&["render", "/no/such.eml", "--width", "700", "--out", out])
        .expect_error(1, "disk");
    for words in [
        ["render", "-", "--width", "0", "--out", out],
        ["render", "-", "--width", "wide", "--out", out],
    ] {
        posthorn.run(&words).expect_error(2, "usage");
    }
    posthorn
        .run(&["render", "-", "--width", "700", "--out", "/no/such/folder/x.png"])
        .expect_error(1, "disk");
    posthorn
        .run(&["render", "7", "--width", "700", "--out", out])
        .expect(1);
}

/// `POSTHORN_FUZZ=SECONDS` opens changed messages of the corpus for so long.
#[test]
fn changed_messages_open_too() {
    let seconds = std::env::var("POSTHORN_FUZZ")
        .ok()
        .and_then(|text| text.parse::<u64>().ok());
    let Some(corpus) = corpus() else { return };
    let sample = [
        "synthetic/C-img-srcset.eml",
        "synthetic/C-css-block.eml",
        "httpleaks/leak.html",
    ];
    let files: Vec<String> = sample
        .iter()
        .map(|name| corpus.join(name).display().to_string())
        .filter(|name| Path::new(name).exists())
        .collect();
    let began = std::time::Instant::now();
    let mut seed = 1;
    loop {
        let start = seed.to_string();
        let mut words = vec!["--mutate", "3", "--seed", &start];
        if seconds.is_some() {
            words.push(corpus.to_str().unwrap());
        } else if files.is_empty() {
            return;
        } else {
            words.extend(files.iter().map(String::as_str));
        }
        let (lines, summary) = rehearse(&words);
        let wrong: Vec<&Value> = lines
            .iter()
            .filter(|line| line["panicked"] == true || line["failure"] == "died")
            .collect();
        assert!(wrong.is_empty(), "from {seed}: {wrong:#?}");
        println!("from {seed}: {summary}");
        seed += 1;
        if seconds.is_none_or(|seconds| began.elapsed().as_secs() > seconds) {
            return;
        }
    }
}
