//! What comes out is closed, whatever goes in.

use super::addresses::{Origin, Shelf};
use super::{Closed, sanitize};
use crate::page::BlockedKind;

struct OneShelf;

impl Shelf for OneShelf {
    fn find(&mut self, origin: &Origin) -> Option<usize> {
        matches!(origin, Origin::Part(id) if id == "here").then_some(0)
    }
}

fn close(html: &str) -> Closed {
    sanitize(html, &mut OneShelf)
}

fn body(html: &str) -> String {
    let html = close(&format!("<!DOCTYPE html>{html}")).html;
    let (_, body) = html.split_once("<body").unwrap();
    body.split_once('>')
        .unwrap()
        .1
        .trim_end_matches("</html>")
        .trim_end_matches("</body>")
        .to_owned()
}

#[test]
fn elements_are_from_a_list() {
    for (html, expect) in [
        ("<p>a<b>b</b></p>", "<p>a<b>b</b></p>"),
        ("a<script>alert(1)</script>b", "ab"),
        ("a<iframe src=x>z</iframe>b", "ab"),
        ("<blink>a</blink>", "a"),
        (
            "<form action=x><input value=y></form>",
            "<div><x-field>y</x-field></div>",
        ),
        ("<p onclick=x()>a", "<p>a</p>"),
        ("<svg><script>x</script></svg>a", "a"),
        ("<a href=javascript:x>a</a>", "<a href=\"l:x\">a</a>"),
        ("<a href='https://e.example.org/'>a</a>", "<a href=\"l:0\">a</a>"),
        ("<img src=cid:here alt=x>", "<img src=\"r:0\" alt=\"x\">"),
        (
            "<img src=https://e.example.org/a alt=x>",
            "<x-img alt=\"x\">x</x-img>",
        ),
        ("<td>a", "a"),
        ("&lt;script&gt;", "&lt;script&gt;"),
        ("<video><source src=x>old</video>", "old"),
    ] {
        assert_eq!(body(html), expect, "{html}");
    }
}

#[test]
fn refusals_are_told() {
    for (html, kind, url) in [
        (
            "<script src=https://e.example.org/a.js></script>",
            BlockedKind::Script,
            "https://e.example.org/a.js",
        ),
        (
            "<link rel=stylesheet href=//e.example.org/a.css>",
            BlockedKind::Style,
            "//e.example.org/a.css",
        ),
        (
            "<iframe src=https://e.example.org/></iframe>",
            BlockedKind::Frame,
            "https://e.example.org/",
        ),
        ("<video src=a.mp4></video>", BlockedKind::Media, "a.mp4"),
        (
            "<form action=https://e.example.org/>",
            BlockedKind::Form,
            "https://e.example.org/",
        ),
        (
            "<meta http-equiv=refresh content='0;url=x'>",
            BlockedKind::Frame,
            "0;url=x",
        ),
        (
            "<img src=https://e.example.org/a width=1 height=1>",
            BlockedKind::Tracker,
            "https://e.example.org/a",
        ),
        (
            "<img src=https://e.example.org/a style='width: 0px;height:0'>",
            BlockedKind::Tracker,
            "https://e.example.org/a",
        ),
        (
            "<img src=https://e.example.org/a style='display:none'>",
            BlockedKind::Tracker,
            "https://e.example.org/a",
        ),
        (
            "<td background=https://e.example.org/a>",
            BlockedKind::Picture,
            "https://e.example.org/a",
        ),
        ("<img src=cid:none>", BlockedKind::Missing, "cid:none"),
    ] {
        let html = if html.starts_with("<td") {
            format!("<table><tr>{html}")
        } else {
            html.to_owned()
        };
        let blocked = close(&html).addresses.blocked;
        let found = blocked.iter().find(|blocked| blocked.kind == kind);
        assert_eq!(
            found.map(|blocked| blocked.url.as_str()),
            Some(url),
            "{html}: {blocked:?}"
        );
    }
}

#[test]
fn pictures_on_servers_are_listed_once() {
    let closed = close(
        "<img src=https://e.example.org/a><img src=https://e.example.org/a><img src=https://e.example.org/p width=1 height=1>",
    );
    assert_eq!(closed.addresses.remote, ["https://e.example.org/a"]);
}

#[test]
fn attributes_become_styles_of_no_weight() {
    let closed = close("<table width=600 cellpadding=5><tr><td bgcolor=red align=center>x");
    for expect in [
        "{width:600px;}",
        "{padding:5px;background-color:#ff0000;text-align:-moz-center;}",
        "was-width=\"600\"",
    ] {
        assert!(closed.html.contains(expect), "{expect}: {}", closed.html);
    }
}

#[test]
fn nothing_that_comes_out_names_the_outside() {
    let html = "<style>a{background:url(https://e.example.org/1)}@import 'https://e.example.org/2';</style>\
        <body background=https://e.example.org/3><div style=\"background:url('https://e.example.org/4')\">\
        <img src=https://e.example.org/5 srcset='https://e.example.org/6 2x' lowsrc=https://e.example.org/7>\
        <a href=https://e.example.org/8 ping=https://e.example.org/9>x</a><input type=image src=https://e.example.org/a>\
        <blockquote cite=https://e.example.org/b>q</blockquote>";
    let closed = close(html);
    assert!(!closed.html.contains("example.org"), "{}", closed.html);
}
