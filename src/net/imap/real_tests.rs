//! Conversations with other people's servers: one that misbehaves on purpose, and Dovecot. Both live beside the
//! repository and are passed over where they are not.

use super::*;
use crate::{Credentials, DialOptions, Dialer, Error};
use futures_util::StreamExt;
use posthorn_model::{Endpoint, Flag, FlagChange, Secret, Security};
use std::io::{BufRead, BufReader, Read};
use std::path::{Path, PathBuf};
use std::process::{Child, Command, Stdio};
use std::task::Poll;
use std::time::Instant;

/// A folder of the shared material; prints what is passed over without it.
fn shared(what: &str) -> Option<PathBuf> {
    let path = Path::new(env!("CARGO_MANIFEST_DIR"))
        .join("../../../shared")
        .join(what);
    if !path.exists() {
        println!("skipped: {} is not there", path.display());
        return None;
    }
    Some(path)
}

struct Hostile {
    process: Child,
    port: u16,
    directory: tempfile::TempDir,
}

impl Drop for Hostile {
    fn drop(&mut self) {
        let _ = self.process.kill();
        let _ = self.process.wait();
    }
}

impl Hostile {
    /// Blocks while the server makes its certificates, unless they are in `certs` already.
    fn start(program: &Path, mode: &str, certs: &Path) -> Self {
        let directory = tempfile::tempdir().expect("a folder");
        let mut process = Command::new("python3")
            .arg(program)
            .args([
                "--mode", mode, "--port", "0", "--stall", "30", "--size", "8", "--secs", "60",
            ])
            .arg("--certs")
            .arg(certs)
            .args(["--log", "log"])
            .current_dir(directory.path())
            .stdout(Stdio::piped())
            .stderr(Stdio::null())
            .spawn()
            .expect("the server");
        let mut ready = String::new();
        let output = process.stdout.take().expect("its output");
        BufReader::new(output).read_line(&mut ready).expect("a line");
        let port = ready.split_whitespace().nth(1).and_then(|port| port.parse().ok());
        Self {
            port: port.unwrap_or_else(|| panic!("{mode}: {ready:?}")),
            process,
            directory,
        }
    }

    fn violations(&self) -> Vec<String> {
        let mut log = String::new();
        let mut file = std::fs::File::open(self.directory.path().join("log")).expect("the log");
        file.read_to_string(&mut log).expect("the log");
        log.lines()
            .filter(|line| line.contains("\"violation\""))
            .map(str::to_owned)
            .collect()
    }
}

async fn connect(port: u16, security: Security, ca_file: PathBuf, patience: u64) -> Result<Session, Error> {
    let dialer = Dialer::new(DialOptions {
        ca_file: Some(ca_file),
        connect_timeout: Duration::from_secs(5),
        read_timeout: Duration::from_secs(patience),
        ..DialOptions::default()
    })?;
    let endpoint = Endpoint {
        host: "localhost".into(),
        port,
        security,
    };
    let credentials = Credentials::Password {
        username: "alice".into(),
        password: Secret::new("s3cret".into()),
    };
    Session::connect(&dialer, &endpoint, &credentials).await
}

/// Summaries and bodies of everything in INBOX: how many came, and what went wrong if something did.
async fn read_all(session: &mut Session) -> Result<(u64, u64, Option<Error>), Error> {
    session.compress().await?;
    session.list().await?;
    session
        .select(&MailboxName::local("INBOX"), Access::Write, None)
        .await?;
    let uids = session.search_all_uids().await?;
    let mut sizes = Vec::new();
    let summaries = session
        .fetch_summaries(&uids, &mut |summary| sizes.push((summary.uid, summary.size)))
        .await?;
    let (sender, mut receiver) = tokio::sync::mpsc::channel(1000);
    let fetched = session.fetch_bodies(&sizes, &sender).await;
    let mut bodies = 0;
    while let Ok(Body { payload, .. }) = receiver.try_recv() {
        assert!(!payload.is_empty());
        bodies += 1;
    }
    if let Ok(received) = &fetched {
        assert_eq!(received.len(), bodies);
    }
    Ok((summaries.len(), bodies, fetched.err()))
}

/// Mode, and what becomes of reading a mailbox of five messages; where chance decides how many come, only the error.
const HOSTILE: &str = "
ok                     5 of 5
starttls-stripped      config
starttls-inject        protocol
pretls-tamper          protocol
greeting-huge          protocol
auth-unavailable       network
endless-line           protocol
drop-between           network
drop-mid-literal       4 of 5 network
huge-literal           0 of 5 protocol
literal-overflow       0 of 5 protocol
stall-mid-literal      4 of 5 network
nested-paren           5 of 5
malformed              5 of 5
flags-evil             5 of 5
list-evil              5 of 5
nul-bytes              5 of 5
unsolicited            5 of 5
tag-wrong              5 of 5
cont-unasked           5 of 5
lie-exists-huge        5 of 5
fetch-other            5 of 5
fetch-dup              5 of 5
fetch-missing          3 of 4
fetch-nil              0 of 5
fetch-no               5 of 5
starttls-refused       config
starttls-no            config
starttls-garbage       config
preauth                protocol
preauth-data           protocol
starttls-inject-tagged protocol
pretls-alert           protocol
pretls-capa            protocol
referral               auth
login-disabled         config
auth-fail              auth
auth-limit             network
greeting-bye           network
greeting-garbage       config
greeting-none          network
drop-mid-line          network
huge-literal-empty     0 of 5 protocol
endless-untagged       protocol
search-flood           5 of 5
slow-drip              0 of 5 network
stall-login            network
stall-fetch            network
untagged-only          network
lie-exists             5 of 5
exists-shrink          5 of 5
uid-dup                4 of 4
uid-desc               0 of 0
uid-zero               0 of 0
uidnext-low            5 of 5
uidnext-missing        5 of 5
uidvalidity-bump       5 of 5
uidvalidity-missing    5 of 5
uid-reuse              5 of 5
size-lie               5 of 5
expunge-oob            5 of 5
expunge-midfetch       4 of 5
list-flood             protocol
select-no              refused
compress-bomb          protocol
drop-mid-literal-rst   network
drop-random            network
bye-random             network
";

#[tokio::test]
async fn bears_a_hostile_server() {
    let Some(program) = shared("hostile/hostile_imap.py") else {
        return;
    };
    let certs = tempfile::tempdir().expect("a folder");
    drop(Hostile::start(&program, "ok", certs.path()));
    let ca_file = certs.path().join("ca.pem");
    let run = async |mode: &str, expect: &str| {
        let start = {
            let (program, mode, certs) = (program.clone(), mode.to_owned(), certs.path().to_owned());
            move || Hostile::start(&program, &mode, &certs)
        };
        let server = tokio::task::spawn_blocking(start).await.expect("a server");
        let started = Instant::now();
        let shown = match connect(server.port, Security::StartTls, ca_file.clone(), 4).await {
            Err(error) => error.class.name().to_owned(),
            Ok(mut session) => match read_all(&mut session).await {
                Err(error) => error.class.name().to_owned(),
                Ok((summaries, bodies, error)) => {
                    let class = error.map_or("", |error| error.class.name());
                    format!("{bodies} of {summaries} {class}").trim().to_owned()
                }
            },
        };
        let by_chance = ["drop-mid-literal-rst", "drop-random", "bye-random"].contains(&mode);
        assert!(
            shown == expect || (by_chance && shown.ends_with(expect)),
            "{mode}: {shown}"
        );
        assert!(started.elapsed() < Duration::from_secs(60), "{mode} hangs");
        assert_eq!(server.violations(), [""; 0], "{mode}");
    };
    let cases: Vec<(&str, &str)> = HOSTILE
        .lines()
        .filter_map(|line| line.split_once(' '))
        .map(|(mode, expect)| (mode, expect.trim()))
        .collect();
    let runs = cases.iter().map(|(mode, expect)| run(mode, expect));
    let mut runs = futures_util::stream::iter(runs).buffer_unordered(8);
    while runs.next().await.is_some() {}
}

/// Mode, what is asked, and what is to come of it.
const HOSTILE_CHANGES: &str = "
idle-flood        wait     news
idle-bye          wait     network
stall-idle        wait     network
append-drop       append   network
append-drop-lost  append   network
append-no         append   quota
append-trycreate  append   refused
store-no          store    refused
copy-no           copy     refused
move-drop         move     network
copyuid-evil      copy     copied None
expunge-drop      expunge  network
";

async fn change(session: &mut Session, what: &str) -> Result<String, Error> {
    let inbox = MailboxName::local("INBOX");
    let archive = MailboxName::local("Archive");
    session.select(&inbox, Access::Write, None).await?;
    let uids = session.search_all_uids().await?;
    let deleted = FlagChange::adding(Flag::Deleted);
    Ok(match what {
        "wait" => {
            let news = session.wait(Duration::from_secs(3)).await?;
            let told = if news.is_empty() { "nothing" } else { "news" };
            session.noop().await?;
            told.to_owned()
        }
        "append" => {
            let placed = session
                .append(&inbox, &Flags::default(), None, b"Subject: x\r\n\r\nx\r\n")
                .await?;
            format!("appended {placed:?}")
        }
        "store" => format!("{} stored", session.store_flags(&uids, &deleted).await?.len()),
        "copy" => format!("copied {:?}", session.copy(&uids, &archive).await?),
        "move" => {
            let moved = session.move_messages(&uids, &archive).await?;
            let told = if moved.copied.is_some() { "told" } else { "untold" };
            format!("moved, {told}")
        }
        _ => {
            session.store_flags(&uids, &deleted).await?;
            format!("{:?}", session.expunge(&uids).await?)
        }
    })
}

#[tokio::test]
async fn bears_a_hostile_server_while_changing() {
    let Some(program) = shared("hostile/hostile_imap.py") else {
        return;
    };
    let certs = tempfile::tempdir().expect("a folder");
    drop(Hostile::start(&program, "ok", certs.path()));
    let ca_file = certs.path().join("ca.pem");
    let run = async |mode: &str, what: &str, expect: &str| {
        let start = {
            let (program, mode, certs) = (program.clone(), mode.to_owned(), certs.path().to_owned());
            move || Hostile::start(&program, &mode, &certs)
        };
        let server = tokio::task::spawn_blocking(start).await.expect("a server");
        let started = Instant::now();
        let mut session = connect(server.port, Security::StartTls, ca_file.clone(), 4)
            .await
            .expect("a session");
        let shown = match change(&mut session, what).await {
            Ok(shown) => shown,
            Err(error) => error.class.name().to_owned(),
        };
        assert_eq!(shown, expect, "{mode}");
        assert!(started.elapsed() < Duration::from_secs(60), "{mode} hangs");
        assert_eq!(server.violations(), [""; 0], "{mode}");
    };
    let cases: Vec<(&str, &str, &str)> = HOSTILE_CHANGES
        .lines()
        .filter_map(|line| {
            let (mode, rest) = line.split_once(' ')?;
            let (what, expect) = rest.trim().split_once(' ')?;
            Some((mode, what, expect.trim()))
        })
        .collect();
    futures_util::future::join_all(cases.iter().map(|(mode, what, expect)| run(mode, what, expect))).await;
}

/// Dovecot, started for one test.
struct Dovecot {
    launcher: PathBuf,
    directory: tempfile::TempDir,
    imap: u16,
    imaps: u16,
}

impl Drop for Dovecot {
    fn drop(&mut self) {
        let _ = Command::new(&self.launcher)
            .arg("down")
            .arg(self.directory.path())
            .output();
    }
}

impl Dovecot {
    fn start() -> Option<Self> {
        let launcher = shared("bench/mailserver")?;
        let directory = tempfile::Builder::new().prefix("dv").tempdir_in("/tmp").ok()?;
        let output = Command::new(&launcher)
            .arg("up")
            .arg(directory.path())
            .args(["--no-smtp", "--fsync", "never", "--user", "alice:s3cret"])
            .output()
            .ok()?;
        let told = String::from_utf8_lossy(&output.stdout).into_owned();
        let port = |name: &str| {
            let (_, rest) = told.split_once(&format!("\"{name}\": "))?;
            rest.split(|c: char| !c.is_ascii_digit()).next()?.parse().ok()
        };
        let (Some(imap), Some(imaps)) = (port("imap"), port("imaps")) else {
            println!("skipped: Dovecot does not start here");
            return None;
        };
        Some(Self {
            launcher,
            directory,
            imap,
            imaps,
        })
    }

    async fn connect(&self, security: Security) -> Session {
        let port = if security == Security::Tls {
            self.imaps
        } else {
            self.imap
        };
        let ca_file = self.directory.path().join("tls/ca.pem");
        connect(port, security, ca_file, 20).await.expect("a session")
    }
}

#[tokio::test]
async fn works_with_dovecot() {
    let Some(server) = Dovecot::start() else { return };
    let mut session = server.connect(Security::StartTls).await;
    let mailboxes = session.list().await.expect("a list");
    assert!(
        mailboxes
            .iter()
            .any(|mailbox| mailbox.special_use == Some(SpecialUse::Trash))
    );
    assert!(mailboxes.iter().all(|mailbox| mailbox.status.is_some()));
    let inbox = MailboxName::local("INBOX");
    let large = format!("Subject: large\r\n\r\n{}", "0123456789abcde\r\n".repeat(100_000));
    let raws = [
        "Subject: \u{e4}\r\n\r\nbody {5}\r\n",
        large.as_str(),
        "no header\r\n",
    ];
    for raw in raws {
        let flags = Flags::default().with(Flag::Seen);
        let placed = session.append(&inbox, &flags, None, raw.as_bytes()).await;
        assert!(placed.expect("appended").is_some());
    }
    let selected = session
        .select(&inbox, Access::Write, None)
        .await
        .expect("selected");
    assert_eq!(selected.exists, 3);
    let (summaries, bodies, error) = read_all(&mut session).await.expect("read");
    assert_eq!((summaries, bodies, error), (3, 3, None));
    let uids: Vec<(Uid, u64)> = (1..=3).filter_map(|uid| Some((Uid::new(uid)?, 1))).collect();
    let (sender, mut receiver) = tokio::sync::mpsc::channel(10);
    session.fetch_bodies(&uids, &sender).await.expect("bodies");
    while let Ok(Body { uid, payload }) = receiver.try_recv() {
        let index = uid.value() as usize - 1;
        assert_eq!(payload.path().is_some(), index == 1, "the large one is a file");
        assert_eq!(
            payload.into_bytes().expect("bytes"),
            raws[index].as_bytes(),
            "to the byte"
        );
    }

    let one: UidSet = [Uid::new(1).expect("not 0")].into_iter().collect();
    let target = session.name_for("Neu/Bücher");
    session.create(&target, None).await.expect("made");
    let outcome = session.move_messages(&one, &target).await.expect("moved");
    assert_eq!(outcome.originals, Expunged::Done);
    assert_eq!(outcome.copied.map(|copied| copied.from.len()), Some(1));
    assert_eq!(session.status(&target).await.expect("status").messages, 1);
    assert!(session.traffic().round_trips < 40);
    session.logout().await;
    learns_what_changed(&server, selected, &inbox).await;
}

/// Another session changes things; QRESYNC tells, and IDLE does.
async fn learns_what_changed(server: &Dovecot, before: Selected, inbox: &MailboxName) {
    let mut watcher = server.connect(Security::Tls).await;
    let resume = Resume {
        uid_validity: before.uid_validity.expect("a UIDVALIDITY"),
        modseq: before.highest_modseq.expect("a HIGHESTMODSEQ"),
        known: UidSet::parse("1:3").expect("a set"),
    };
    let selected = watcher
        .select(inbox, Access::Write, Some(resume))
        .await
        .expect("selected");
    assert_eq!(
        selected.vanished.map(|gone| gone.to_string()).as_deref(),
        Some("1")
    );
    let mut other = server.connect(Security::Tls).await;
    other.select(inbox, Access::Write, None).await.expect("selected");
    let two: UidSet = [Uid::new(2).expect("not 0")].into_iter().collect();
    let (event, changed) = tokio::join!(watcher.idle(Duration::from_secs(20)), async {
        other.store_flags(&two, &FlagChange::adding(Flag::Flagged)).await
    });
    assert_eq!(event.expect("idle"), IdleEvent::Changed);
    assert_eq!(changed.expect("stored").len(), 1);
    let mut reports = Vec::new();
    watcher
        .fetch_flags(&two, before.highest_modseq, &mut |report| reports.push(report))
        .await
        .expect("flags");
    assert!(reports.iter().all(|report| report.flags.contains(Flag::Flagged)) && reports.len() == 1);
    other
        .store_flags(&two, &FlagChange::adding(Flag::Deleted))
        .await
        .expect("marked");
    assert_eq!(other.expunge(&two).await.expect("expunged"), Expunged::Done);
    assert!(watcher.noop().await.expect("noop"), "the other's expunge is news");
    assert_eq!(watcher.search_all_uids().await.expect("search").to_string(), "3");
}

/// Bytes of files in a folder.
fn held(dir: &Path) -> u64 {
    let entries = std::fs::read_dir(dir).expect("dir");
    entries
        .filter_map(|entry| Some(entry.ok()?.metadata().ok()?.len()))
        .sum()
}

#[tokio::test]
async fn uses_dovecots_extensions() {
    let Some(server) = Dovecot::start() else { return };
    let inbox = MailboxName::local("INBOX");
    let mut watcher = server.connect(Security::StartTls).await;
    let mut other = server.connect(Security::Tls).await;
    let spaces = watcher.namespaces().await.expect("namespaces").expect("some");
    assert_eq!(spaces.personal.len(), 1);
    assert!(other.compress().await.expect("compressed") && other.is_compressed());
    other.list().await.expect("a list");
    let other_box = other.name_for("Anders/ü");
    other
        .create(&other_box, Some(SpecialUse::Archive))
        .await
        .expect("made");
    watcher.list().await.expect("a list");
    watcher
        .select(&inbox, Access::Write, None)
        .await
        .expect("selected");
    assert!(watcher.notify(true).await.expect("notify"));

    // One message into the other mailbox, one into the selected one, one mailbox more.
    let noise = |seed: u64| -> String {
        let line = |n: u64| format!("{:016x}\r\n", (n + seed).wrapping_mul(0x9E37_79B9_7F4A_7C15));
        (0..250_000).map(line).collect()
    };
    let large = format!("Subject: large\r\n\r\n{}", noise(7));
    let flags = Flags::default();
    let wait = |mut watcher: Session| async move {
        let news = watcher.wait(Duration::from_secs(20)).await.expect("news");
        (watcher, news)
    };
    let ((watcher, news), placed) = tokio::join!(
        wait(watcher),
        other.append(&other_box, &flags, None, b"Subject: x\r\n\r\nx\r\n")
    );
    placed.expect("appended");
    let told = news.iter().find_map(|news| match news {
        News::Mailbox { name, status } => Some((name.clone(), status.clone())),
        _ => None,
    });
    let (name, status) = told.unwrap_or_else(|| panic!("{news:?}"));
    assert_eq!(name.path, "Anders/ü");
    assert_eq!(status.expect("a whole status").messages, 1);
    let ((watcher, news), placed) = tokio::join!(
        wait(watcher),
        other.append(&inbox, &flags, None, large.as_bytes())
    );
    placed.expect("appended");
    assert_eq!(news, [News::Selected]);
    let renamed = other.name_for("Anders/neu");
    let ((mut watcher, news), done) = tokio::join!(wait(watcher), other.rename(&other_box, &renamed));
    done.expect("renamed");
    assert!(news.contains(&News::Mailboxes), "{news:?}");

    let statuses = watcher
        .statuses(&[renamed.clone(), MailboxName::local("nowhere")])
        .await
        .expect("statuses");
    assert!(statuses[0].as_ref().is_some_and(|status| status.messages == 1) && statuses[1].is_none());
    fetches_in_pieces(&server, &mut other, &inbox, &large).await;
    other.delete(&renamed).await.expect("deleted");
    other.delete(&renamed).await.expect("twice is well");
    let error = other.rename(&renamed, &other_box).await.expect_err("gone");
    assert_eq!(error.code, Some(ResponseCode::NonExistent), "{error}");
}

/// Drops the connection in the middle, and goes on over another.
async fn fetches_in_pieces(server: &Dovecot, session: &mut Session, inbox: &MailboxName, large: &str) {
    let dir = tempfile::tempdir().expect("a folder");
    let uid = Uid::new(1).expect("not 0");
    let size = large.len() as u64;
    session
        .select(inbox, Access::Examine, None)
        .await
        .expect("selected");
    let before = session.traffic().bytes_in;
    let mut part = PartialBody::open(dir.path(), "key").expect("a part");
    assert!(PartialBody::open(dir.path(), "key").is_err(), "open already");
    let mut doomed = server.connect(Security::Tls).await;
    doomed
        .select(inbox, Access::Examine, None)
        .await
        .expect("selected");
    {
        let mut fetching = Box::pin(doomed.fetch_large(uid, size, &mut part));
        // A step at a time: on a busy machine all of it could come before a clock is looked at.
        while held(dir.path()) == 0 {
            let step = std::future::poll_fn(|cx| Poll::Ready(fetching.as_mut().poll(cx))).await;
            assert!(step.is_pending(), "too fast: {step:?}");
            tokio::time::sleep(Duration::from_millis(1)).await;
        }
    }
    drop(part);
    let mut part = PartialBody::open(dir.path(), "key").expect("a part");
    assert!(!part.is_empty() && part.len() < size);
    let kept = part.len();
    let payload = session
        .fetch_large(uid, size, &mut part)
        .await
        .expect("fetched")
        .expect("there");
    drop(part);
    assert!(
        payload.into_bytes().expect("bytes") == large.as_bytes(),
        "to the byte"
    );
    let came = session.traffic().bytes_in - before;
    assert!(
        came < size - kept + (1 << 20),
        "{came} bytes for the rest of {size} after {kept}"
    );
    assert!(came < size * 2 / 3, "compressed: {came} of {size}");
    assert!(
        session
            .fetch_large(
                Uid::new(99).expect("not 0"),
                5,
                &mut PartialBody::open(dir.path(), "99").expect("a part")
            )
            .await
            .expect("asked")
            .is_none()
    );
}
