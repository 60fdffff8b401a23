//! Setting up accounts.

use posthorn_model::Security;
use std::net::TcpListener;

use crate::posthorn::Posthorn;
use crate::server::{Server, on_each_server};

const PASSWORD: &str = "a password that nobody guesses 7431";

fn add(posthorn: &Posthorn, words: &[&str]) -> crate::posthorn::Answer {
    let mut all = vec!["account", "add", "--password-stdin", "--secrets", "file"];
    all.extend(words);
    posthorn.run_with_input(&all, format!("{PASSWORD}\n").as_bytes())
}

#[test]
fn an_account_is_kept_and_no_server_is_asked() {
    let listener = TcpListener::bind("127.0.0.1:0").unwrap();
    listener.set_nonblocking(true).unwrap();
    let endpoint = listener.local_addr().unwrap().to_string();
    let posthorn = Posthorn::new(None);
    add(
        &posthorn,
        &[
            "--name",
            "work",
            "--email",
            "a@example.org",
            "--protocol",
            "pop3",
            "--incoming",
            &endpoint,
            "--incoming-security",
            "starttls",
            "--outgoing",
            &endpoint,
            "--username",
            "me",
            "--leave-on-server",
            "14",
        ],
    )
    .expect(0);
    assert!(listener.accept().is_err(), "account add connected to the server");

    let accounts = posthorn.list(&["account", "list"], "accounts");
    assert_eq!(accounts.len(), 1);
    let account = posthorn.json(&["account", "show", "work"])["account"].clone();
    assert_eq!(account, accounts[0]);
    assert_eq!(account["protocol"], "pop3");
    assert_eq!(account["username"], "me");
    assert_eq!(account["email"], "a@example.org");
    assert_eq!(account["leave_on_server"], "14");
    assert_eq!(account["incoming"]["security"], "starttls");
    assert_eq!(account["outgoing"]["security"], "tls");

    for file in posthorn.files() {
        let bytes = std::fs::read(&file).unwrap();
        let found = bytes
            .windows(PASSWORD.len())
            .any(|window| window == PASSWORD.as_bytes());
        assert!(!found, "the password lies open in {}", file.display());
    }

    posthorn
        .run(&["account", "set", "work", "--connections", "2"])
        .expect_error(2, "usage");

    posthorn.json(&["account", "remove", "work"]);
    assert!(posthorn.list(&["account", "list"], "accounts").is_empty());
    posthorn
        .run(&["account", "show", "work"])
        .expect_error(1, "unknown");
}

#[test]
fn a_name_is_taken_once() {
    let posthorn = Posthorn::new(None);
    let words = [
        "--name",
        "work",
        "--email",
        "a@example.org",
        "--protocol",
        "imap",
        "--incoming",
        "localhost:993",
    ];
    add(&posthorn, &words).expect(0);
    add(&posthorn, &words).expect_error(1, "config");
    assert_eq!(posthorn.list(&["account", "list"], "accounts").len(), 1);
}

#[test]
fn an_imap_account_has_as_many_connections_as_the_user_wants() {
    let posthorn = Posthorn::new(None);
    let words = ["--name", "work", "--email", "a@example.org", "--protocol", "imap"];
    let words = [&words[..], &["--incoming", "localhost:993", "--connections", "2"]].concat();
    add(&posthorn, &words).expect(0);
    let connections = || posthorn.json(&["account", "show", "work"])["account"]["connections"].clone();
    assert_eq!(connections(), 2);
    posthorn.json(&["account", "set", "work", "--connections", "5"]);
    assert_eq!(connections(), 5);
    for nonsense in ["0", "11", "many"] {
        let said = posthorn.run(&["account", "set", "work", "--connections", nonsense]);
        assert_eq!(said.code, Some(2), "{nonsense}");
    }
    assert_eq!(connections(), 5);
}

#[test]
fn what_cannot_be_right_is_refused_before_anything_is_written() {
    let check = |words: &[&str], code: i32, class: &str| {
        let posthorn = Posthorn::new(None);
        let mut all = vec!["--name", "work", "--email", "a@example.org", "--protocol", "imap"];
        all.extend(words);
        add(&posthorn, &all).expect_error(code, class);
        assert_eq!(posthorn.files(), Vec::<std::path::PathBuf>::new(), "{words:?}");
    };
    check(
        &[
            "--incoming",
            "mail.example.org:143",
            "--incoming-security",
            "none",
        ],
        1,
        "config",
    );
    check(
        &[
            "--incoming",
            "mail.example.org:993",
            "--outgoing",
            "mail.example.org:25",
            "--outgoing-security",
            "none",
        ],
        1,
        "config",
    );
    check(&["--incoming", "mail.example.org"], 2, "usage");
    check(
        &["--incoming", "mail.example.org:993", "--leave-on-server", "3"],
        2,
        "usage",
    );
    check(&["--incoming", "mail.example.org:993", "--oauth"], 2, "usage");
    check(&[], 2, "usage");
}

#[test]
fn an_empty_password_is_refused() {
    let posthorn = Posthorn::new(None);
    let words = [
        "account",
        "add",
        "--password-stdin",
        "--secrets",
        "file",
        "--name",
        "work",
        "--email",
        "a@example.org",
        "--protocol",
        "imap",
        "--incoming",
        "localhost:993",
    ];
    posthorn.run_with_input(&words, b"\n").expect_error(2, "usage");
    assert!(posthorn.files().is_empty());
}

on_each_server! { both_protocols_sign_in a_wrong_password_asks_the_user }

fn both_protocols_sign_in(server: &Server, security: Security) {
    for protocol in ["imap", "pop3"] {
        let posthorn = server.profile(protocol, security, None);
        let answer = posthorn.run(&["account", "test", "work"]).expect(0).json();
        assert_eq!(answer["good"], true, "{answer}");
        let services: Vec<_> = answer["servers"]
            .as_array()
            .unwrap()
            .iter()
            .map(|server| &server["service"])
            .collect();
        assert_eq!(services, [protocol, "smtp"], "{answer}");
    }
}

fn a_wrong_password_asks_the_user(server: &Server, security: Security) {
    for protocol in ["imap", "pop3"] {
        let posthorn = server.profile(protocol, security, None);
        let account = posthorn.json(&["account", "show", "work"])["account"].clone();
        let endpoint = |which: &str| {
            format!(
                "{}:{}",
                account[which]["host"].as_str().unwrap(),
                account[which]["port"]
            )
        };
        let (incoming, outgoing) = (endpoint("incoming"), endpoint("outgoing"));
        posthorn.json(&["account", "remove", "work"]);
        let words = [
            "--name",
            "work",
            "--email",
            "a@example.org",
            "--username",
            "alice",
            "--protocol",
            protocol,
            "--incoming",
            &incoming,
            "--incoming-security",
            security.name(),
            "--outgoing",
            &outgoing,
            "--outgoing-security",
            security.name(),
        ];
        add(&posthorn, &words).expect(0);

        let answer = posthorn.run(&["account", "test", "work"]).expect(4).json();
        for server in answer["servers"].as_array().unwrap() {
            assert_eq!(server["error"]["class"], "auth", "{answer}");
            assert_eq!(server["error"]["remedies"][0], "enter-password", "{answer}");
        }
        let answer = posthorn.run(&["sync"]).expect(4);
        let problems = answer.json()["accounts"][0]["problems"].clone();
        assert_eq!(problems[0]["class"], "auth", "{problems}");
        for text in [answer.text(), answer.stderr] {
            assert!(!text.contains(PASSWORD), "the password was printed");
        }
    }
}
