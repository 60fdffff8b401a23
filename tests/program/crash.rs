//! Killed in the middle, again and again: nothing is lost, nothing stands there twice.

use posthorn_model::Security;
use std::collections::BTreeSet;
use std::sync::mpsc;
use std::time::Duration;

use crate::corpus::{as_pop3_serves, dumped, generate, hashes};
use crate::posthorn::{Posthorn, run_tool};
use crate::server::{Server, USER};

const COUNT: usize = 300;
const KILLS: u64 = 10;

/// Starts a sync and kills it after so many milliseconds, if it still runs then.
fn sync_and_kill(posthorn: &Posthorn, after: u64) -> bool {
    let mut child = posthorn.spawn(&["sync"]);
    let pid = child.id();
    let (sender, receiver) = mpsc::channel();
    std::thread::scope(|scope| {
        scope.spawn(move || sender.send(child.wait()));
        let killed = receiver.recv_timeout(Duration::from_millis(after)).is_err();
        if killed {
            crate::posthorn::signal(pid, "KILL");
            let _ = receiver.recv();
        }
        killed
    })
}

/// What SQLite itself says of every database in the profile.
fn check_databases(posthorn: &Posthorn) {
    const SCRIPT: &str = "import sqlite3,sys\n\
        for path in sys.argv[1:]:\n\
        \x20c=sqlite3.connect(path,timeout=10)\n\
        \x20r=c.execute('PRAGMA integrity_check').fetchall();k=c.execute('PRAGMA foreign_key_check').fetchall()\n\
        \x20assert r==[('ok',)] and not k,(path,r[:3],k[:3])\n";
    let files = posthorn.files();
    let databases: Vec<&str> = files
        .iter()
        .filter(|path| path.extension().is_some_and(|extension| extension == "sqlite"))
        .map(|path| path.to_str().unwrap())
        .collect();
    if run_tool("python3", &["-c", "import sqlite3"]).is_none() {
        println!("skipped: no Python to check the databases with");
        return;
    }
    let words: Vec<&str> = ["-c", SCRIPT].into_iter().chain(databases).collect();
    assert!(run_tool("python3", &words).is_some(), "a database is damaged");
}

fn kill_and_converge(server: &Server, protocol: &str, policy: Option<&str>) {
    let mail = generate(COUNT);
    server.seed("INBOX", mail.iter().map(|raw| (raw.as_slice(), "")));
    let posthorn = server.profile(protocol, Security::Tls, policy);
    let everything = hashes(server.held(USER, "INBOX").into_iter().map(|held| {
        if protocol == "pop3" {
            as_pop3_serves(held.raw)
        } else {
            held.raw
        }
    }));
    let mut kills = 0;
    let mut half_way = 0;
    let mut before = BTreeSet::new();
    for round in 1..=KILLS {
        kills += u64::from(sync_and_kill(&posthorn, 20 + round * round * 12));
        check_databases(&posthorn);
        let dump = posthorn.run(&["dump"]).expect(0).json();
        let stored = dump["messages"].as_array().unwrap();
        let now: BTreeSet<String> = stored.iter().map(|message| message["sha"].to_string()).collect();
        assert!(now.is_superset(&before), "round {round}: what was stored is gone");
        before = now;
        half_way += u64::from(!stored.is_empty() && stored.len() < COUNT);
        // Whatever left the server must be here, at every moment.
        let here: BTreeSet<&str> = stored
            .iter()
            .filter_map(|message| message["sha"].as_str())
            .collect();
        let there = hashes(server.held(USER, "INBOX").into_iter().map(|held| {
            if protocol == "pop3" {
                as_pop3_serves(held.raw)
            } else {
                held.raw
            }
        }));
        for sha in everything.keys() {
            assert!(
                here.contains(sha.as_str()) || there.contains_key(sha),
                "round {round}: {sha} is lost"
            );
        }
    }
    println!("{protocol}: killed {kills} times; {half_way} times some of the mail was here");
    posthorn.run(&["sync"]).expect(0);
    check_databases(&posthorn);
    let stored = dumped(&posthorn, "work/INBOX");
    let wrong: Vec<_> = everything
        .iter()
        .filter(|(sha, count)| stored.get(*sha) != Some(count))
        .take(5)
        .collect();
    assert!(wrong.is_empty(), "{protocol}: lost or doubled: {wrong:?}");
    assert_eq!(stored.values().sum::<usize>(), COUNT, "{protocol}");
}

#[test]
fn imap_converges_after_kills() {
    if let Some(server) = Server::dovecot() {
        kill_and_converge(&server, "imap", None);
    }
}

#[test]
fn pop3_that_deletes_converges_after_kills() {
    if let Some(server) = Server::dovecot() {
        kill_and_converge(&server, "pop3", Some("never"));
    }
}

#[test]
fn the_sandbox_converges_after_kills() {
    kill_and_converge(&Server::sandbox(Security::Tls), "pop3", Some("never"));
    kill_and_converge(&Server::sandbox(Security::Tls), "imap", None);
}
