//! Every message of a directory of real and broken mail beside the checkout, where there is one.

use std::path::{Path, PathBuf};
use std::time::Instant;

use posthorn_mime::{Defect, parse, parse_header, part_bytes};

fn collect(dir: &Path, out: &mut Vec<PathBuf>) {
    let Ok(entries) = std::fs::read_dir(dir) else {
        return;
    };
    for entry in entries.flatten() {
        let path = entry.path();
        if path.is_dir() {
            collect(&path, out);
        } else {
            out.push(path);
        }
    }
}

#[test]
fn every_file_gives_a_value() {
    let beside = Path::new(env!("CARGO_MANIFEST_DIR")).join("../../../shared/mail");
    let root = std::env::var_os("POSTHORN_MAIL").map_or(beside, PathBuf::from);
    let mut files = Vec::new();
    collect(&root, &mut files);
    if files.is_empty() {
        println!("skipped: no mail beside the checkout");
        return;
    }
    let (mut bytes, mut parts, mut texts, mut defects, mut dates) = (0, 0, 0, 0, 0);
    let mut panicked = Vec::new();
    let started = Instant::now();
    for path in &files {
        let raw = std::fs::read(path).unwrap();
        let parsed = parse(&raw);
        let header = parse_header(&raw);
        assert_eq!(parsed.envelope, header.envelope, "{}", path.display());
        for part in &parsed.parts {
            let length = part_bytes(&raw, part.index).map(|bytes| bytes.len());
            assert!(length.is_some(), "{}: part {}", path.display(), part.index);
        }
        assert!(parsed.preview.chars().count() <= 200);
        bytes += raw.len();
        parts += parsed.parts.len();
        texts += usize::from(parsed.text.as_deref().is_some_and(|text| !text.trim().is_empty()));
        dates += usize::from(parsed.envelope.date.is_some());
        defects += usize::from(!parsed.defects.is_empty());
        let found = parsed.defects.iter().find_map(|defect| match defect {
            Defect::ParserPanicked(what) => Some(*what),
            _ => None,
        });
        panicked.extend(found.map(|what| (path.clone(), what)));
    }
    println!(
        "{} files, {bytes} bytes: {parts} parts, {texts} with text, {dates} with a date, {defects} with defects, {} panics caught, {:?}",
        files.len(),
        panicked.len(),
        started.elapsed()
    );
    for (path, what) in &panicked {
        println!("caught in {}: {what}", path.display());
    }
    let whole: Vec<_> = panicked
        .iter()
        .filter(|(_, what)| matches!(*what, "message" | "header"))
        .collect();
    assert!(whole.is_empty(), "{whole:?}");
}
