//! What many servers were recorded to say, from `../shared/mail` beside the workspace: every reply is read to its
//! end, and no FETCH of a UID is lost.

use crate::Channel;
use crate::imap::client::{Client, Reply};
use crate::imap::fetched::Fetched;
use crate::imap::guard::Literals;
use posthorn_model::ErrorClass;
use std::path::{Path, PathBuf};
use std::time::Duration;
use tokio::io::AsyncWriteExt;

fn files(dir: &Path, found: &mut Vec<PathBuf>) {
    for entry in std::fs::read_dir(dir).expect("a folder").filter_map(Result::ok) {
        let path = entry.path();
        if path.is_dir() {
            files(&path, found);
        } else if path.extension().is_some_and(|extension| extension == "txt") {
            found.push(path);
        }
    }
}

/// Whether the line begins a FETCH reply.
fn begins_fetch(line: &str) -> bool {
    let mut words = line.split(' ');
    words.next() == Some("*")
        && words.next().is_some_and(|word| word.parse::<u32>().is_ok())
        && words.next() == Some("FETCH")
}

/// The FETCH replies, or why they could not be read.
async fn replay(recorded: &str) -> Result<Vec<Fetched>, crate::Error> {
    let (ours, mut theirs) = tokio::io::duplex(8 << 20);
    let said = recorded.replace("A########", "A0002").replace('\n', "\r\n");
    theirs
        .write_all(said.as_bytes())
        .await
        .expect("the server's side");
    let mut client = Client::new(Channel::over(ours, "recorded"), Path::new("/nowhere")).await?;
    client.set_literals(Literals::Whole {
        memory: 1 << 30,
        most: 1 << 30,
    });
    let mut fetched = Vec::new();
    let each = &mut |reply: Reply| {
        if let Reply::Fetch(reply) = reply {
            fetched.push(reply);
        }
    };
    client.run("NOOP", Duration::from_secs(10), each).await?;
    Ok(fetched)
}

#[tokio::test]
async fn every_recorded_reply_is_read() {
    let dir = Path::new(env!("CARGO_MANIFEST_DIR"))
        .join("../../../shared/mail/mailkit-transcripts/UnitTests/Net/Imap/Resources");
    if !dir.exists() {
        println!("skipped: {} is not there", dir.display());
        return;
    }
    let mut paths = Vec::new();
    files(&dir, &mut paths);
    let (mut replies, mut with_uid) = (0, 0);
    for path in &paths {
        let recorded = String::from_utf8_lossy(&std::fs::read(path).expect("a file")).into_owned();
        let name = path.strip_prefix(&dir).expect("below").display().to_string();
        let Some((answer, _)) = recorded.split_once("A########") else {
            continue;
        };
        match replay(&recorded).await {
            Ok(fetched) => {
                let expect = answer.lines().filter(|line| begins_fetch(line)).count();
                assert_eq!(fetched.len(), expect, "{name}");
                replies += expect;
                with_uid += fetched.iter().filter(|fetched| fetched.uid.is_some()).count();
            }
            Err(error) => {
                println!("{name}: {error}");
                assert_eq!(error.class, ErrorClass::Bug, "{name}: {error}");
            }
        }
    }
    println!(
        "{} files, {replies} messages, {with_uid} with their UID",
        paths.len()
    );
    assert!(replies > 300 && with_uid + 1 >= replies);
}
