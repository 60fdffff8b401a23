//! Pictures on servers, with the program as it is: on a network of its own, where a public address leads to a server
//! of the test's. Nothing is relaxed for it, so that what is refused in earnest is refused here.

use std::path::Path;
use std::process::{Command, Stdio};

use posthorn_testkit::ca::Ca;
use posthorn_testkit::webserver::{Answer, Asked, WebServer};
use serde_json::Value;

use crate::posthorn::Posthorn;

/// Set within the other network: the folder for what is written.
const WITHIN: &str = "POSTHORN_TEST_WITHIN";
/// Public addresses that nobody answers for there but we.
const SECURE: &str = "93.184.216.34";
const CLEAR: &str = "93.184.216.35";
const INSIDE: &str = "10.9.8.7";

const GIF: &[u8] = b"GIF89a\x02\x00\x02\x00\x80\x00\x00\xff\x00\x00\xff\xff\xff!\xf9\x04\x00\x00\x00\x00\x00,\x00\x00\x00\x00\x02\x00\x02\x00\x00\x02\x02\x84Q\x00;";

const LETTER: &str = "From: News <news@shop.example>\r\nTo: you@example.org\r\nSubject: Wares\r\nMIME-Version: 1.0\r\n\
    Content-Type: text/html; charset=utf-8\r\n\r\n<p>Hello</p>\
    <img width=40 height=40 src=\"http://secure.test-pictures.com/good.gif\">\
    <img width=40 height=40 src=\"https://secure.test-pictures.com/on\">\
    <img width=40 height=40 src=\"http://clear.test-pictures.com/clear.gif\">\
    <img width=40 height=40 src=\"https://secure.test-pictures.com/inside\">\
    <img width=40 height=40 src=\"https://secure.test-pictures.com/huge\">\
    <img width=40 height=40 src=\"http://inside.test-pictures.com/x.gif\">\
    <img width=40 height=40 src=\"http://127.0.0.1/x.gif\">";

#[test]
fn allowed_pictures_come_encrypted_and_nothing_inside_is_reached() {
    let folder = tempfile::tempdir().unwrap();
    let hosts = folder.path().join("hosts");
    let names = format!(
        "127.0.0.1 localhost\n{SECURE} secure.test-pictures.com\n{CLEAR} clear.test-pictures.com\n\
         {INSIDE} inside.test-pictures.com\n"
    );
    std::fs::write(&hosts, names).unwrap();
    let script = format!(
        "ip link set lo up && for a in {SECURE} {CLEAR} {INSIDE}; do ip addr add $a/32 dev lo || exit 9; done && \
         mount --bind {} /etc/hosts && exec \"$0\" --exact remote::within --nocapture",
        hosts.display()
    );
    let output = Command::new("unshare")
        .args(["--map-root-user", "--net", "--mount", "sh", "-c", &script])
        .arg(std::env::current_exe().unwrap())
        .env(WITHIN, folder.path())
        .stdin(Stdio::null())
        .output();
    let said = output.map(|output| {
        let text = [output.stdout, output.stderr].concat();
        (
            output.status.success(),
            String::from_utf8_lossy(&text).into_owned(),
        )
    });
    match said {
        Ok((true, said)) if said.contains("1 passed") => {}
        Ok((_, said)) if said.contains("remote::within") => panic!("{said}"),
        other => println!("skipped: this system lets nobody have a network of their own: {other:?}"),
    }
}

fn answer(asked: &Asked) -> Answer {
    let picture = [("Content-Type", "image/gif"), ("Set-Cookie", "reader=you")];
    match asked.line() {
        "GET /on" => Answer::redirect("/good.gif?again"),
        "GET /inside" => Answer::redirect("http://inside.test-pictures.com/secret"),
        "GET /huge" => Answer::Endless(
            [
                b"HTTP/1.1 200 OK\r\nContent-Type: image/gif\r\n\r\n".as_slice(),
                GIF,
            ]
            .concat(),
        ),
        _ => Answer::response("200 OK", &picture, GIF),
    }
}

/// Does nothing by itself: the test above runs it on the other network.
#[test]
fn within() {
    let Some(folder) = std::env::var_os(WITHIN) else {
        return;
    };
    let folder = Path::new(&folder);
    let ca = Ca::new().unwrap();
    let pem = folder.join("ca.pem");
    std::fs::write(&pem, ca.pem()).unwrap();
    let certificate = ca.issue_for(&["secure.test-pictures.com"]).unwrap();
    let secure = WebServer::start_at(&format!("{SECURE}:443"), Some(&certificate), answer).unwrap();
    let unsafe_twin = WebServer::start_at(&format!("{SECURE}:80"), None, answer).unwrap();
    let clear = WebServer::start_at(&format!("{CLEAR}:80"), None, answer).unwrap();
    let inside = WebServer::start_at(&format!("{INSIDE}:80"), None, answer).unwrap();
    let own = WebServer::start_at("127.0.0.1:80", None, answer).unwrap();
    let letter = folder.join("letter.eml");
    std::fs::write(&letter, LETTER).unwrap();
    let out = folder.join("x.png");
    let posthorn = Posthorn::new(Some(&pem));
    let words = [
        "render",
        letter.to_str().unwrap(),
        "--width",
        "600",
        "--out",
        out.to_str().unwrap(),
    ];

    let closed = posthorn.json(&words);
    let all = [&secure, &unsafe_twin, &clear, &inside, &own];
    assert!(
        all.iter().all(|server| server.connections() == 0),
        "nobody allowed anything"
    );
    assert_eq!(count(&closed, "remote"), 7, "{closed}");

    let open = posthorn.json(&[words.as_slice(), &["--remote", "allow"]].concat());
    let lines = |server: &WebServer| -> Vec<String> {
        let asked = server.asked();
        let mut lines: Vec<String> = asked.iter().map(|asked| asked.line().to_owned()).collect();
        lines.sort_unstable();
        lines
    };
    assert_eq!(
        lines(&secure),
        [
            "GET /good.gif",
            "GET /good.gif?again",
            "GET /huge",
            "GET /inside",
            "GET /on"
        ]
    );
    assert_eq!(
        unsafe_twin.connections(),
        0,
        "encryption is tried first, and it was there"
    );
    assert_eq!(
        lines(&clear),
        ["GET /clear.gif"],
        "where there is none, and the reader said yes"
    );
    assert_eq!((inside.connections(), own.connections()), (0, 0));
    for asked in [secure.asked(), clear.asked()].concat() {
        for field in ["cookie", "referer", "authorization", "origin", "accept-language"] {
            assert_eq!(asked.field(field), None, "{}", asked.head);
        }
    }
    // Three came; what is too large, and what leads inside, stays away.
    assert_eq!(count(&open, "blocked") + 3, count(&closed, "blocked"), "{open}");
    assert!(std::fs::read(&out).unwrap().starts_with(b"\x89PNG"));
    println!("{open}");
}

fn count(value: &Value, name: &str) -> usize {
    value[name].as_array().map_or(0, Vec::len)
}
