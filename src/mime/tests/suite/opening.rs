//! The reading path: over written messages, over the hostile set beside the checkout, and over damaged copies of it.

use std::path::{Path, PathBuf};
use std::time::{Duration, Instant};

use posthorn_mime::compose::reply;
use posthorn_mime::headers::verdict::Mark;
use posthorn_mime::text::{split_signature, trim_quoted};
use posthorn_mime::{
    Defect, Kind, Method, PartStat, Reader, Risk, SenderWarning, Trusted, parse, parse_header, part_bytes,
    read, related_parts, survey,
};
use posthorn_model::Identity;

/// Beside the checkout, or where the variable says.
fn mail() -> PathBuf {
    if let Some(path) = std::env::var_os("POSTHORN_MAIL") {
        return PathBuf::from(path);
    }
    Path::new(env!("CARGO_MANIFEST_DIR")).join("../../../shared/mail")
}

fn synthetic(prefix: &str) -> Vec<(String, Vec<u8>)> {
    let mut out = Vec::new();
    let entries = std::fs::read_dir(mail().join("synthetic"))
        .into_iter()
        .flatten()
        .flatten();
    for entry in entries {
        let name = entry.file_name().to_string_lossy().into_owned();
        if name.starts_with(prefix) && name.ends_with(".eml") {
            out.push((name, std::fs::read(entry.path()).unwrap_or_default()));
        }
    }
    out
}

fn reader() -> Reader {
    Reader {
        trusted: Trusted {
            ids: vec!["mx.home.example".to_owned()],
            strips: false,
        },
        me: vec!["victim@home.example".to_owned()],
    }
}

#[test]
fn nobody_is_shown_as_somebody_else() {
    let forged = ["potus@whitehouse.example", "support@bank.example"];
    // These say nothing else than the forged address, so it is what they are from.
    let honest = [
        "A-auth-results-forged.eml",
        "A-two-from-headers.eml",
        "A-unclosed-angle.eml",
    ];
    for (name, raw) in synthetic("A-") {
        let reading = read(&raw, &reader());
        let envelope = &reading.parsed.envelope;
        assert_eq!(*envelope, parse_header(&raw).envelope, "{name}");
        let draft = reply(&reading.parsed, false, &Identity::default());
        let answered = draft.to.first().map(|to| to.email.clone()).unwrap_or_default();
        for address in &envelope.from {
            let texts = [address.display(), address.email.as_str()];
            assert!(!texts.iter().any(|text| text.is_empty()), "{name}: {address:?}");
            for text in texts {
                let hidden = |c: char| {
                    c.is_control()
                        || ('\u{200b}'..='\u{200f}').contains(&c)
                        || ('\u{202a}'..='\u{202e}').contains(&c)
                        || ('\u{2066}'..='\u{2069}').contains(&c)
                        || c == '\u{2800}'
                        || c == '\u{a0}'
                };
                assert!(!text.chars().any(hidden), "{name}: {text:?}");
            }
        }
        if let Some(first) = envelope.from.first()
            && !honest.contains(&name.as_str())
        {
            assert!(!forged.contains(&first.display()), "{name}: {first:?}");
            assert!(!forged.contains(&first.email.as_str()), "{name}: {first:?}");
            let name_only = first.name.as_deref().unwrap_or_default();
            assert!(
                !forged.iter().any(|forged| name_only.contains(forged)),
                "{name}: {first:?}"
            );
            assert!(reading.sender.is_some(), "{name}");
        }
        assert!(
            envelope.from.is_empty() || answered == envelope.from[0].email,
            "{name}: {answered}"
        );
        assert!(
            !matches!(reading.verdict.mark, Mark::Verified(_)),
            "{name}: {:?}",
            reading.verdict
        );
    }
}

#[test]
fn the_true_address_is_shown() {
    let check = |file: &str, label: &str, warning: Option<SenderWarning>| {
        for (_, raw) in synthetic(file) {
            let sender = read(&raw, &reader()).sender.unwrap();
            assert_eq!(sender.label(), label, "{file}");
            let found = warning
                .as_ref()
                .is_none_or(|warning| sender.warnings.contains(warning));
            assert!(found, "{file}: {:?}", sender.warnings);
        }
    };
    let eve = "eve@attacker.example";
    check(
        "A-name-is-other-address.eml",
        eve,
        Some(SenderWarning::NameIsAddress(
            "potus@whitehouse.example".to_owned(),
        )),
    );
    check(
        "A-two-angles-cve-2025-3875.eml",
        "Spoofed Name",
        Some(SenderWarning::Ambiguous),
    );
    check("A-group-cve-2025-0510.eml", eve, None);
    check("A-group-2.eml", eve, None);
    check("A-nested-comment-bomb.eml", eve, None);
    check(
        "A-two-addrs-no-sender.eml",
        eve,
        Some(SenderWarning::SeveralAuthors),
    );
    check(
        "A-many-addrs-attacker-last.eml",
        eve,
        Some(SenderWarning::SeveralAuthors),
    );
    check(
        "A-two-from-headers.eml",
        "support@bank.example",
        Some(SenderWarning::Ambiguous),
    );
    check("A-two-from-headers-rev.eml", eve, Some(SenderWarning::Ambiguous));
    check("A-from-space-colon.eml", eve, Some(SenderWarning::Ambiguous));
    check(
        "A-homoglyph-domain-punycode.eml",
        "Apple",
        Some(SenderWarning::DomainDeceptive),
    );
    check(
        "A-homoglyph-name-cyrillic.eml",
        "РаyPаl",
        Some(SenderWarning::NameMixesScripts),
    );
    check(
        "A-quoted-local-with-at.eml",
        "\"support@bank.example\"@attacker.example",
        Some(SenderWarning::LocalHasAt),
    );
    check("A-ansi-escape.eml", eve, Some(SenderWarning::NameHadHidden));
    for (name, raw) in synthetic("A-mailsploit") {
        let sender = read(&raw, &reader()).sender.unwrap();
        assert_eq!(sender.domain, "attacker.example", "{name}: {sender:?}");
    }
}

#[test]
fn attachments_keep_to_their_directory_and_ask() {
    let risky = [
        "rtlo",
        "double-ext",
        "lnk",
        "scf",
        "hta",
        "js",
        "appimage",
        "jar",
        "iso",
        "onenote",
        "html",
        "traversal-win",
        "leading-space",
        "unicode-fullwidth",
        "nul",
        "split-ext",
    ];
    for (name, raw) in synthetic("B-") {
        let reading = read(&raw, &reader());
        for attached in &reading.attachments {
            let shown = attached.part.name.as_deref().unwrap_or_default();
            assert!(!shown.is_empty() && shown.len() <= 255, "{name}: {shown:?}");
            assert!(
                !shown.contains(['/', '\\', '\0', '\n', ':', '\u{202e}']),
                "{name}: {shown:?}"
            );
            assert!(
                !shown.starts_with(['.', ' ', '-', '~']) && !shown.ends_with(['.', ' ']),
                "{name}: {shown:?}"
            );
            assert!(part_bytes(&raw, attached.part.index).is_some(), "{name}");
            let asks = risky.iter().any(|kind| name.contains(kind));
            if asks {
                assert!(
                    matches!(attached.nature.risk, Risk::Ask(_)),
                    "{name}: {attached:?}"
                );
            }
        }
        assert!(
            !reading.attachments.is_empty() || name.contains("name-vs"),
            "{name}"
        );
    }
    for (_, raw) in synthetic("B-deep-uuencode.eml") {
        let reading = read(&raw, &reader());
        assert_eq!(reading.attachments.len(), 40.min(reading.attachments.len()));
        let first = &reading.attachments[0];
        assert_eq!(first.part.name.as_deref(), Some("x.sh"));
        assert_eq!(
            part_bytes(&raw, first.part.index).as_deref(),
            Some(b"Cat".as_slice())
        );
        assert!(first.nature.needs_question());
    }
    for (_, raw) in synthetic("B-ics-organizer-attach.eml") {
        let reading = read(&raw, &reader());
        assert_eq!(reading.invitations.len(), 1);
        assert_eq!(reading.invitations[0].method, Method::Request);
        assert_eq!(reading.attachments[0].nature.kind, Kind::Calendar);
    }
    for (_, raw) in synthetic("B-vcard-photo-uri.eml") {
        let reading = read(&raw, &reader());
        assert_eq!(reading.cards[0].name, "x");
        assert!(reading.cards[0].urls.is_empty());
    }
}

#[test]
fn receipts_are_only_asked_for() {
    for (name, raw) in synthetic("C-mdn") {
        let asked = read(&raw, &reader()).receipt;
        assert!(asked.is_some_and(|asked| !asked.matches_return_path), "{name}");
    }
}

#[test]
fn one_pass_gives_what_a_pane_shows() {
    let raw = b"Received: from out.example.org (out.example.org [192.0.2.1]) by mx.home.example; Mon, 3 Mar 2025 10:00:00 +0000\r\n\
From: Ada Berg <ada@example.org>\r\nReply-To: ada@elsewhere.example\r\nTo: victim@home.example\r\nSubject: Meeting\r\n\
Disposition-Notification-To: ada@example.org\r\nContent-Type: multipart/mixed; boundary=b\r\n\r\n\
--b\r\nContent-Type: multipart/related; boundary=r\r\n\r\n--r\r\nContent-Type: text/html\r\n\r\n<img src=cid:pic@x>\r\n\
--r\r\nContent-Type: image/png\r\nContent-ID: <pic@x>\r\nContent-Location: http://example.org/a.png\r\nContent-Transfer-Encoding: base64\r\n\r\niVBORw0KGgo=\r\n--r--\r\n\
--b\r\nContent-Type: text/calendar; method=REQUEST; charset=utf-8\r\n\r\nBEGIN:VCALENDAR\r\nMETHOD:REQUEST\r\nBEGIN:VEVENT\r\nUID:1\r\nDTSTART:20250304T100000Z\r\nSUMMARY:Tea\r\nORGANIZER:mailto:ada@example.org\r\nATTENDEE;PARTSTAT=ACCEPTED:mailto:Victim@home.example\r\nEND:VEVENT\r\nEND:VCALENDAR\r\n\
--b\r\nContent-Type: message/rfc822\r\n\r\nSubject: inner\r\n\r\nhello\r\n--b--\r\n";
    let reading = read(raw, &reader());
    let sender = reading.sender.unwrap();
    assert_eq!(
        sender.warnings,
        [SenderWarning::ReplyElsewhere("ada@elsewhere.example".to_owned())]
    );
    assert!(reading.receipt.is_some());
    assert_eq!(reading.invitations[0].my_status(), Some(PartStat::Accepted));
    let messages: Vec<_> = reading
        .attachments
        .iter()
        .filter(|attached| attached.message)
        .collect();
    assert_eq!(messages.len(), 1);
    let inner = part_bytes(raw, messages[0].part.index).unwrap();
    assert_eq!(parse(&inner).envelope.subject, "inner");
    let related = related_parts(raw);
    assert_eq!(related["pic@x"].bytes, b"\x89PNG\r\n\x1a\n");
    assert_eq!(related["http://example.org/a.png"].content_type, "image/png");
}

#[test]
fn files_inside_of_parts_have_indices_that_never_move() {
    let folder = mail().join("mimekit/UnitTests/TestData/tnef");
    let mut files = Vec::new();
    collect(&folder, &mut files);
    for path in files
        .iter()
        .filter(|path| path.extension().is_some_and(|extension| extension == "tnef"))
    {
        let name = path.display();
        let bytes = std::fs::read(path).unwrap();
        let encoded = bytes
            .iter()
            .map(|byte| format!("={byte:02X}"))
            .collect::<Vec<_>>();
        let body: String = encoded
            .chunks(20)
            .map(|line| format!("{}=\r\n", line.concat()))
            .collect();
        let raw = format!(
            "Subject: x\r\nContent-Type: multipart/mixed; boundary=b\r\n\r\n--b\r\n\r\ntext\r\n--b\r\n\
             Content-Type: application/ms-tnef; name=winmail.dat\r\nContent-Transfer-Encoding: quoted-printable\r\n\r\n\
             {body}\r\n--b\r\nContent-Type: image/png; name=a.png\r\n\r\nx\r\n--b--\r\n"
        );
        let parsed = parse(raw.as_bytes());
        let names: Vec<_> = parsed
            .attachments()
            .map(|part| part.name.clone().unwrap_or_default())
            .collect();
        assert!(
            parsed
                .parts
                .iter()
                .any(|part| part.index == 2 && part.name.as_deref() == Some("a.png")),
            "{name}"
        );
        for part in &parsed.parts {
            let length = part_bytes(raw.as_bytes(), part.index).map(|bytes| bytes.len() as u64);
            assert_eq!(length, Some(part.size), "{name}: {}", part.index);
        }
        let list = std::fs::read_to_string(path.with_extension("list")).unwrap_or_default();
        for expected in list.lines().map(str::trim).filter(|line| !line.is_empty()) {
            assert!(
                names.iter().any(|name| name == expected),
                "{name}: {expected} not in {names:?}"
            );
        }
    }
}

#[test]
fn answers_of_common_programs_are_trimmed() {
    let folder = mail().join("talon-quotes/tests/fixtures/standard_replies");
    let mut files = Vec::new();
    collect(&folder, &mut files);
    for path in files
        .iter()
        .filter(|path| path.extension().is_some_and(|extension| extension == "eml"))
    {
        let text = parse(&std::fs::read(path).unwrap()).text.unwrap();
        let (own, older) = trim_quoted(&text);
        let (own, _) = split_signature(own);
        let own = own
            .trim()
            .strip_suffix("Sent from my iPhone")
            .unwrap_or(own)
            .trim();
        assert_eq!(own, "Hello", "{}", path.display());
        assert!(older.is_some(), "{}", path.display());
    }
}

#[test]
fn many_files_in_one_text_cost_one_pass() {
    let block = "begin 644 a.txt\n#0V%T\n`\nend\n";
    let raw = format!(
        "Subject: x\r\n\r\n{}{}",
        block.repeat(20_000),
        "text\n".repeat(100_000)
    );
    let started = Instant::now();
    let reading = read(raw.as_bytes(), &reader());
    assert_eq!(reading.attachments.len(), 500);
    // A pass for each file would take minutes.
    assert!(
        started.elapsed() < Duration::from_secs(20),
        "{:?}",
        started.elapsed()
    );
}

fn collect(dir: &Path, out: &mut Vec<PathBuf>) {
    for entry in std::fs::read_dir(dir).into_iter().flatten().flatten() {
        let path = entry.path();
        if path.is_dir() {
            collect(&path, out);
        } else {
            out.push(path);
        }
    }
}

/// Small and repeatable: xorshift.
struct Dice(u64);

impl Dice {
    fn roll(&mut self, below: usize) -> usize {
        self.0 ^= self.0 << 13;
        self.0 ^= self.0 >> 7;
        self.0 ^= self.0 << 17;
        usize::try_from(self.0 % (below.max(1) as u64)).unwrap_or(0)
    }
}

#[test]
fn every_file_and_its_damaged_copies_can_be_read() {
    let mut files = Vec::new();
    collect(&mail(), &mut files);
    files.sort();
    if files.is_empty() {
        println!("skipped: no mail beside the checkout");
        return;
    }
    let budget = std::env::var("POSTHORN_FUZZ_SECONDS")
        .ok()
        .and_then(|text| text.parse().ok())
        .unwrap_or(2);
    let (mut calendars, mut contacts, mut asked, mut risky) = (0, 0, 0, 0);
    let whole = |raw: &[u8], name: &str| {
        let reading = read(raw, &reader());
        let _ = related_parts(raw);
        let caught = reading
            .parsed
            .defects
            .iter()
            .any(|defect| matches!(defect, Defect::ParserPanicked("message" | "header")));
        assert!(!caught, "{name}");
        let (row, parsed) = (survey(raw), &reading.parsed);
        assert_eq!(
            (&row.envelope, row.received, &row.parts, &row.preview),
            (&parsed.envelope, parsed.received, &parsed.parts, &parsed.preview),
            "{name}"
        );
        reading
    };
    let mut slowest = (Duration::ZERO, PathBuf::new());
    for path in &files {
        let raw = std::fs::read(path).unwrap();
        let started = Instant::now();
        let reading = whole(&raw, &path.display().to_string());
        if started.elapsed() > slowest.0 {
            slowest = (started.elapsed(), path.clone());
        }
        calendars += reading.invitations.len();
        contacts += reading.cards.len();
        asked += usize::from(reading.receipt.is_some());
        risky += reading
            .attachments
            .iter()
            .filter(|attached| attached.nature.needs_question())
            .count();
    }
    println!(
        "{} files: {calendars} events, {contacts} cards, {asked} receipts, {risky} risky, slowest {slowest:?}",
        files.len()
    );
    let seed = std::env::var("POSTHORN_FUZZ_SEED")
        .ok()
        .and_then(|text| text.parse().ok())
        .unwrap_or(0x5eed);
    let mut dice = Dice(seed);
    let started = Instant::now();
    let mut turns = 0_u32;
    while started.elapsed() < Duration::from_secs(budget) {
        let path = &files[dice.roll(files.len())];
        let mut raw = std::fs::read(path).unwrap();
        raw.truncate(200_000);
        for _ in 0..=dice.roll(8) {
            if raw.is_empty() {
                break;
            }
            let at = dice.roll(raw.len());
            match dice.roll(5) {
                0 => raw[at] = u8::try_from(dice.roll(256)).unwrap(),
                1 => raw.truncate(at),
                2 => {
                    let end = (at + dice.roll(400)).min(raw.len());
                    let piece = raw[at..end].to_vec();
                    let to = dice.roll(raw.len());
                    raw.splice(to..to, piece);
                }
                3 => {
                    let end = (at + dice.roll(60)).min(raw.len());
                    raw.drain(at..end);
                }
                _ => raw.insert(at, b"\r\n\"();:<>@=,\0\x1b"[dice.roll(14)]),
            }
        }
        let _ = whole(
            &raw,
            &format!("{} damaged, seed {seed}, turn {turns}", path.display()),
        );
        turns += 1;
    }
    println!("{turns} damaged copies");
}
