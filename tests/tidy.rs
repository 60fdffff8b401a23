//! Holds the house to its plan (ARCHITECTURE.md): which crate may know which, how long things may be, what may be
//! named where. Reads files only.

#![allow(
    clippy::unwrap_used,
    clippy::panic,
    clippy::indexing_slicing,
    clippy::string_slice,
    clippy::print_stdout,
    clippy::cast_possible_truncation,
    reason = "a test that cannot go on panics, and says on standard output what it skips"
)]

use std::collections::{BTreeMap, BTreeSet};
use std::fs;
use std::path::{Path, PathBuf};
use std::process::Command;

/// The arrows of the picture, and no others.
const ARROWS: &[(&str, &[&str])] = &[
    ("posthorn", &["cli", "ui"]),
    ("cli", &["engine", "html", "mime", "model", "sandbox"]),
    ("ui", &["engine", "html", "mime", "model", "sandbox"]),
    ("engine", &["mime", "model", "net", "store"]),
    ("html", &["model"]),
    ("mime", &["model"]),
    ("store", &["model"]),
    ("net", &["model"]),
    ("sandbox", &["model"]),
    ("testkit", &["model"]),
    ("model", &[]),
];

/// What tests may know besides.
const TEST_ARROWS: &[&str] = &["model", "sandbox", "testkit"];

/// Libraries with an owner: a name (or the start of one), and the only crates that may depend on it.
const OWNED: &[(&str, &[&str])] = &[
    ("iced", &["ui"]),
    ("rusqlite", &["store"]),
    ("zstd", &["store"]),
    ("async-imap", &["net"]),
    ("imap-proto", &["net"]),
    ("async-pop", &["net"]),
    ("lettre", &["net"]),
    ("keyring", &["net"]),
    ("tokio-rustls", &["net", "sandbox", "testkit"]),
    ("rustls-platform-verifier", &["net"]),
    ("rustls", &["net", "sandbox", "testkit"]),
    ("rcgen", &["sandbox", "testkit"]),
    ("mail-parser", &["mime"]),
    ("mail-builder", &["mime"]),
    ("html5ever", &["html"]),
    ("blitz", &["html"]),
    ("clap", &["cli", "posthorn"]),
    ("env_logger", &["posthorn"]),
];

/// No I/O, no async, no clock.
const MODEL_MAY_NAME: &[&str] = &["serde", "thiserror", "zeroize", "jiff"];

const TOP_LEVEL: &[&str] = &[
    ".cargo",
    ".ci",
    ".github",
    ".gitignore",
    "ARCHITECTURE.md",
    "CHANGELOG.md",
    "CONTRIBUTING.md",
    "Cargo.lock",
    "Cargo.toml",
    "LICENSE-APACHE",
    "LICENSE-MIT",
    "Makefile",
    "README.md",
    "assets",
    "clippy.toml",
    "deny.toml",
    "packaging",
    "resources",
    "rustfmt.toml",
    "src",
    "tests",
];
/// Of these, what need not be there.
const MAY_BE_MISSING: &[&str] = &[".github", "assets", "resources"];
/// Where proptest keeps the cases that once failed: beside the first `main.rs` that it finds.
const PROPTEST_CASES: &str = "src/proptest-regressions";

fn root() -> &'static Path {
    Path::new(env!("CARGO_MANIFEST_DIR"))
}

fn read(path: &Path) -> String {
    fs::read_to_string(path).unwrap_or_else(|error| panic!("{}: {error}", path.display()))
}

fn manifest(path: &Path) -> toml::Table {
    read(path)
        .parse()
        .unwrap_or_else(|error| panic!("{}: {error}", path.display()))
}

/// Short name and manifest of every crate.
fn crates() -> BTreeMap<String, toml::Table> {
    let workspace = manifest(&root().join("Cargo.toml"));
    let members = workspace["workspace"]["members"].as_array().unwrap();
    members
        .iter()
        .map(|member| {
            let folder = root().join(member.as_str().unwrap());
            let table = manifest(&folder.join("Cargo.toml"));
            let name = table["package"]["name"].as_str().unwrap().to_owned();
            (name.strip_prefix("posthorn-").unwrap_or(&name).to_owned(), table)
        })
        .collect()
}

/// Every dependency of a manifest: its name, how it is written, and whether only tests see it.
fn dependencies(manifest: &toml::Table) -> Vec<(String, toml::Value, bool)> {
    let mut found = Vec::new();
    let mut collect = |table: &toml::Table| {
        for (section, only_tests) in [
            ("dependencies", false),
            ("build-dependencies", false),
            ("dev-dependencies", true),
        ] {
            let names = table
                .get(section)
                .and_then(toml::Value::as_table)
                .into_iter()
                .flatten();
            found.extend(names.map(|(name, how)| (name.clone(), how.clone(), only_tests)));
        }
    };
    collect(manifest);
    for target in manifest
        .get("target")
        .and_then(toml::Value::as_table)
        .into_iter()
        .flatten()
    {
        collect(target.1.as_table().unwrap());
    }
    found
}

/// All files of the project with one of these extensions (or all, for none), as paths from its root.
fn files(extensions: &[&str]) -> Vec<PathBuf> {
    fn walk(folder: &Path, found: &mut Vec<PathBuf>) {
        for entry in fs::read_dir(folder).unwrap() {
            let path = entry.unwrap().path();
            if path.is_dir() {
                walk(&path, found);
            } else {
                found.push(path.strip_prefix(root()).unwrap().to_owned());
            }
        }
    }
    let mut found = Vec::new();
    for name in TOP_LEVEL {
        let path = root().join(name);
        if path.is_dir() {
            walk(&path, &mut found);
        } else if path.is_file() {
            found.push(PathBuf::from(name));
        }
    }
    found.retain(|path| {
        let extension = path
            .extension()
            .and_then(|extension| extension.to_str())
            .unwrap_or_default();
        extensions.is_empty() || extensions.contains(&extension)
    });
    found.sort();
    found
}

fn is_test(path: &Path) -> bool {
    let name = path.file_name().unwrap().to_string_lossy();
    path.iter().any(|level| level == "tests" || level == "benches")
        || name == "tests.rs"
        || name.ends_with("_tests.rs")
}

fn report(what: &str, found: &[String]) {
    assert!(found.is_empty(), "{what}:\n  {}", found.join("\n  "));
}

#[test]
fn crates_know_only_what_is_drawn() {
    let allowed: BTreeMap<&str, &[&str]> = ARROWS.iter().copied().collect();
    let mut wrong = Vec::new();
    for (name, manifest) in crates() {
        let Some(arrows) = allowed.get(name.as_str()) else {
            wrong.push(format!("{name} is not in the picture"));
            continue;
        };
        for (dependency, _, only_tests) in dependencies(&manifest) {
            let Some(other) = dependency.strip_prefix("posthorn-") else {
                continue;
            };
            let drawn = arrows.contains(&other) || (only_tests && TEST_ARROWS.contains(&other));
            if !drawn {
                wrong.push(format!("{name} → {other}"));
            }
        }
    }
    report("arrows that are not drawn in ARCHITECTURE.md", &wrong);
}

#[test]
fn every_folder_of_src_is_a_listed_crate() {
    let workspace = manifest(&root().join("Cargo.toml"));
    assert!(workspace["workspace"].get("default-members").is_some());
    let listed: BTreeSet<String> = workspace["workspace"]["members"]
        .as_array()
        .unwrap()
        .iter()
        .map(|member| member.as_str().unwrap().to_owned())
        .collect();
    let mut wrong = Vec::new();
    for entry in fs::read_dir(root().join("src")).unwrap() {
        let entry = entry.unwrap();
        let name = format!("src/{}", entry.file_name().to_string_lossy());
        if !entry.path().is_dir() {
            if name != "src/main.rs" {
                wrong.push(format!("{name} is loose"));
            }
        } else if !listed.contains(&name) && name != PROPTEST_CASES {
            wrong.push(format!("{name} is not a member of the workspace"));
        }
    }
    for (name, manifest) in crates() {
        let lints = manifest.get("lints").and_then(|lints| lints.get("workspace"));
        if lints.and_then(toml::Value::as_bool) != Some(true) {
            wrong.push(format!("{name} does not take the workspace's lints"));
        }
        if name != "posthorn" && manifest["lib"]["path"].as_str() != Some("lib.rs") {
            wrong.push(format!("{name}: its library is not lib.rs"));
        }
        if read(&lib_of(&name))
            .lines()
            .next()
            .is_none_or(|line| !line.starts_with("//!"))
        {
            wrong.push(format!("{name}: its first file does not say what it is for"));
        }
    }
    report("src", &wrong);
}

fn lib_of(name: &str) -> PathBuf {
    match name {
        "posthorn" => root().join("src/main.rs"),
        name => root().join("src").join(name).join("lib.rs"),
    }
}

#[test]
fn libraries_stay_with_their_owner() {
    let mut wrong = Vec::new();
    for (name, manifest) in crates() {
        for (dependency, _, only_tests) in dependencies(&manifest) {
            let owner = OWNED.iter().find(|(owned, _)| {
                dependency
                    .strip_prefix(owned)
                    .is_some_and(|rest| rest.is_empty() || rest.starts_with(['-', '_']))
            });
            if !only_tests && owner.is_some_and(|(_, owners)| !owners.contains(&name.as_str())) {
                wrong.push(format!("{name} names {dependency}"));
            }
            if name == "model" && !only_tests && !MODEL_MAY_NAME.contains(&dependency.as_str()) {
                wrong.push(format!("model names {dependency}"));
            }
        }
    }
    report("libraries outside the one crate that may name them", &wrong);
}

#[test]
fn dependencies_stand_in_one_table() {
    let workspace = manifest(&root().join("Cargo.toml"));
    let table = workspace["workspace"]["dependencies"].as_table().unwrap();
    let mut wrong = Vec::new();
    let mut used = BTreeSet::new();
    for (name, manifest) in crates() {
        for (dependency, how, _) in dependencies(&manifest) {
            if how.get("workspace").and_then(toml::Value::as_bool) != Some(true) {
                wrong.push(format!("{name}: {dependency} has a version of its own"));
            }
            used.insert(dependency);
        }
    }
    for (dependency, how) in table {
        if how.get("git").is_some() {
            wrong.push(format!("{dependency} comes from git"));
        }
        if !used.contains(dependency) {
            wrong.push(format!("{dependency} is used by no crate"));
        }
    }
    let lock = read(&root().join("Cargo.lock"));
    if lock.contains("source = \"git+") {
        wrong.push("Cargo.lock holds a git dependency".to_owned());
    }
    report("dependencies", &wrong);
}

#[test]
fn files_and_functions_stay_short() {
    let long: Vec<String> = files(&["rs"])
        .iter()
        .filter(|path| !is_test(path))
        .map(|path| (path, read(&root().join(path)).lines().count()))
        .filter(|(path, lines)| {
            *lines
                > if **path == Path::new("src/main.rs") {
                    100
                } else {
                    800
                }
        })
        .map(|(path, lines)| format!("{}: {lines} lines", path.display()))
        .collect();
    report("files too long", &long);

    let workspace = manifest(&root().join("Cargo.toml"));
    let lint = workspace["workspace"]["lints"]["clippy"].get("too_many_lines");
    assert!(
        lint.is_some_and(|level| level.as_str() != Some("allow")),
        "clippy must count lines"
    );
    let clippy = manifest(&root().join("clippy.toml"));
    assert_eq!(clippy["too-many-lines-threshold"].as_integer(), Some(100));
    let excused: Vec<String> = files(&["rs"])
        .iter()
        .filter(|path| !is_test(path) && read(&root().join(path)).contains("clippy::too_many_lines"))
        .map(|path| path.display().to_string())
        .collect();
    report("functions excused from their length", &excused);
}

#[test]
fn files_are_named_for_what_is_in_them() {
    let empty_names = [
        "mod", "utils", "util", "helpers", "helper", "common", "types", "misc", "manager2",
    ];
    let wrong: Vec<String> = files(&["rs"])
        .iter()
        .filter(|path| {
            let named = |name: &std::ffi::OsStr| empty_names.iter().any(|empty| name == *empty);
            path.file_stem().is_some_and(named) || path.iter().any(named)
        })
        .map(|path| path.display().to_string())
        .collect();
    report("names that say nothing", &wrong);
}

#[test]
fn the_top_level_is_as_drawn() {
    let mut wrong = Vec::new();
    for name in TOP_LEVEL {
        if !MAY_BE_MISSING.contains(name) && !root().join(name).exists() {
            wrong.push(format!("{name} is missing"));
        }
    }
    // What git keeps: whatever else lies about on somebody's machine is theirs.
    let tracked = Command::new("git").arg("ls-files").current_dir(root()).output();
    let tracked = tracked.map(|output| String::from_utf8_lossy(&output.stdout).into_owned());
    let tracked = tracked.unwrap_or_default();
    let names: BTreeSet<&str> = tracked
        .lines()
        .filter_map(|path| path.split('/').next())
        .collect();
    for name in names {
        if !TOP_LEVEL.contains(&name) {
            wrong.push(format!("{name} does not belong there"));
        }
    }
    report("the top level", &wrong);
}

#[test]
fn nothing_is_left_for_later() {
    // In halves, so that this file does not hold them either.
    let words: Vec<String> = [("to", "do!("), ("FIX", "ME"), ("XX", "X:"), ("#[ign", "ore")]
        .iter()
        .map(|(first, second)| format!("{first}{second}"))
        .collect();
    let mut wrong = Vec::new();
    for path in files(&[]) {
        let Ok(text) = fs::read_to_string(root().join(&path)) else {
            continue;
        };
        for (number, line) in text.lines().enumerate() {
            for word in words.iter().filter(|word| line.contains(word.as_str())) {
                wrong.push(format!("{}:{}: {word}", path.display(), number + 1));
            }
        }
    }
    report("loose ends", &wrong);
}

#[test]
fn the_lock_holds_no_second_tls_or_runtime() {
    let lock = manifest(&root().join("Cargo.lock"));
    let names: BTreeSet<&str> = lock["package"]
        .as_array()
        .unwrap()
        .iter()
        .filter_map(|package| package["name"].as_str())
        .collect();
    let unwanted: Vec<String> = ["aws-lc-rs", "aws-lc-sys", "async-std", "utf7-imap", "mail-auth"]
        .iter()
        .filter(|name| names.contains(*name))
        .map(|name| (*name).to_owned())
        .collect();
    report("packages that must not come in", &unwanted);
}
