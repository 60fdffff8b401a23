//! The command line as such: what it prints, and how it leaves.

use crate::mail::message;
use crate::posthorn::Posthorn;
use crate::server::Server;
use posthorn_model::Security;
use std::process::Stdio;

#[test]
fn what_is_not_built_says_so() {
    let posthorn = Posthorn::new(None);
    for words in [
        &["account", "discover", "a@example.org"][..],
        &["where"],
        &["switch", "work", "--to", "imap"],
        &["lab", "--sandbox"],
        &["backup", "create", "somewhere"],
        &["import", "file.mbox"],
        &["export", "work/INBOX", "--format", "mbox", "--to", "x"],
        &["doctor"],
    ] {
        let error = posthorn.run(words).expect_error(1, "not-yet");
        assert!(
            error["message"].as_str().unwrap().contains("not yet"),
            "{words:?}"
        );
        let plain = posthorn.run_plain(words).expect(1);
        assert!(plain.stderr.contains("not yet"), "{words:?}: {}", plain.stderr);
        assert_eq!(plain.text(), "", "{words:?}");
    }
}

#[test]
fn wrong_usage_leaves_with_two() {
    let posthorn = Posthorn::new(None);
    for words in [
        &["frobnicate"][..],
        &["list"],
        &["show"],
        &["flag", "1"],
        &["move", "work/INBOX"],
        &["list", "inbox", "--before", "yesterday"],
        &["send", "x.eml", "--at", "tomorrow"],
    ] {
        posthorn.run(words).expect_error(2, "usage");
        assert!(
            !posthorn.run_plain(words).expect(2).stderr.is_empty(),
            "{words:?}"
        );
    }
}

#[test]
fn help_and_version_are_no_failure() {
    let posthorn = Posthorn::new(None);
    assert!(
        posthorn
            .run_plain(&["--help"])
            .expect(0)
            .text()
            .contains("account")
    );
    assert!(
        posthorn
            .run_plain(&["--version"])
            .expect(0)
            .text()
            .starts_with("posthorn ")
    );
}

#[test]
fn an_empty_profile_can_be_read() {
    let posthorn = Posthorn::new(None);
    assert!(posthorn.list(&["account", "list"], "accounts").is_empty());
    assert!(posthorn.list(&["mailboxes"], "mailboxes").is_empty());
    assert!(posthorn.list(&["list", "all"], "messages").is_empty());
    assert!(posthorn.list(&["dump"], "messages").is_empty());
    assert_eq!(posthorn.json(&["outbox"]), serde_json::json!([]));
    posthorn.run(&["sync"]).expect_error(1, "config");
    posthorn.run(&["show", "7"]).expect_error(1, "unknown");
}

#[test]
fn options_stand_before_or_after_the_command() {
    let posthorn = Posthorn::new(None);
    let mut command = std::process::Command::new(env!("CARGO_BIN_EXE_posthorn"));
    command
        .args(["account", "list", "--profile"])
        .arg(posthorn.profile())
        .arg("--json");
    let output = command.stdin(Stdio::null()).output().unwrap();
    assert!(output.status.success(), "{output:?}");
    assert_eq!(output.stdout, posthorn.run(&["account", "list"]).stdout);
}

#[test]
fn a_reader_that_goes_away_is_no_panic() {
    let posthorn = Posthorn::new(None);
    let mut child = posthorn.command().args(["account", "list"]).spawn().unwrap();
    drop(child.stdout.take());
    let output = child.wait_with_output().unwrap();
    assert_eq!(String::from_utf8_lossy(&output.stderr), "");
}

#[test]
fn mail_cannot_steer_the_terminal() {
    let server = Server::sandbox(Security::Tls);
    let evil = message(
        "Nice \u{1b}]0;title\u{7} \u{202e}gpj.exe",
        "text \u{1b}[2J \u{9b}31m \u{202e}end",
    );
    server.seed("INBOX", [(evil.as_slice(), "")]);
    let posthorn = server.profile("imap", Security::Tls, None);
    posthorn.run(&["sync"]).expect(0);
    let id = posthorn.list(&["list", "inbox"], "messages")[0]["id"].to_string();
    for words in [
        &["list", "inbox"][..],
        &["show", &id],
        &["show", &id, "--text"],
        &["show", &id, "--headers"],
        &["search", "text"],
    ] {
        for answer in [posthorn.run_plain(words), posthorn.run(words)] {
            let text = answer.expect(0).text();
            let found = text
                .chars()
                .find(|c| (c.is_control() && *c != '\n') || *c == '\u{202e}');
            assert_eq!(found, None, "{words:?}: {text:?}");
        }
    }
    assert_eq!(posthorn.run_plain(&["show", &id, "--raw"]).expect(0).stdout, evil);
}

#[test]
fn the_sandbox_command_serves_until_it_is_told_to_stop() {
    let outside = Posthorn::new(None);
    let sandbox = outside.start(&["sandbox"]);
    let described = sandbox.wait_for("the ports", |line| line["imap"]["port"].is_u64());
    let ca = std::path::PathBuf::from(described["ca_file"].as_str().unwrap());
    let posthorn = Posthorn::new(Some(&ca));
    let endpoint = |service: &str| format!("127.0.0.1:{}", described[service]["port"]);
    let (imap, smtp) = (endpoint("imap"), endpoint("smtp"));
    let words = [
        "account",
        "add",
        "--name",
        "box",
        "--email",
        described["address"].as_str().unwrap(),
        "--protocol",
        "imap",
        "--incoming",
        &imap,
        "--outgoing",
        &smtp,
        "--username",
        described["username"].as_str().unwrap(),
        "--password-stdin",
        "--secrets",
        "file",
    ];
    let password = described["password"].as_str().unwrap();
    posthorn.run_with_input(&words, password.as_bytes()).expect(0);
    posthorn.run(&["sync"]).expect(0);
    assert!(
        !posthorn.list(&["list", "inbox"], "messages").is_empty(),
        "the sandbox has no sample mail"
    );
    assert_eq!(sandbox.stop("TERM"), Some(0));
    assert!(!ca.exists(), "the sandbox left its files behind");
}
