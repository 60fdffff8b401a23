use posthorn_testkit::ca::Ca;
use posthorn_testkit::webserver::{Answer, Asked, WebServer};

use super::*;
use crate::web::tests::{Places, plain, secure, web};

const GIF: &[u8] = b"GIF89a\x01\x00\x01\x00\x00\x00\x00;tail of it";

fn answer(asked: &Asked) -> Answer {
    let picture = |body: &[u8]| Answer::response("200 OK", &[("Content-Type", "text/html")], body);
    let head = |fields: &str| format!("HTTP/1.1 200 OK\r\n{fields}\r\n").into_bytes();
    match asked.line() {
        "GET /gif" => picture(GIF),
        "GET /tiny" => picture(b"GIF89a"),
        "GET /svg" => Answer::response(
            "200 OK",
            &[("Content-Type", "image/gif")],
            b"<svg xmlns='x'><image/></svg>",
        ),
        "GET /empty" => picture(b""),
        "GET /gone" => Answer::response("404 Not Found", &[], GIF),
        "GET /large" => picture(&[GIF, &[0; 4000]].concat()),
        "GET /announced" => Answer::Stuck(head("Content-Length: 99999999\r\n")),
        "GET /endless" => Answer::Endless([head(""), GIF.to_vec()].concat()),
        "GET /wrong-and-endless" => Answer::Endless([head(""), b"<html>no picture".to_vec()].concat()),
        "GET /stuck" => Answer::Stuck([head("Content-Length: 50\r\n"), GIF.to_vec()].concat()),
        "GET /cut" => Answer::Bytes([head("Content-Length: 500\r\n"), GIF.to_vec()].concat()),
        "GET /chunked" => Answer::Bytes(
            [
                head("Transfer-Encoding: chunked\r\n"),
                b"6\r\nGIF89a\r\n0\r\n\r\n".to_vec(),
            ]
            .concat(),
        ),
        "GET /noise" => Answer::Bytes(b"\x00\x01\x02 what?\r\n\r\n".to_vec()),
        _ => picture(GIF),
    }
}

fn bounds() -> Bounds {
    Bounds {
        pictures: 50,
        each: 3000,
        together: 100_000,
        patience: Duration::from_secs(20),
        patience_together: Duration::from_secs(30),
    }
}

fn serve() -> (Ca, WebServer, Web) {
    let ca = Ca::new().expect("an authority");
    let server = secure(&ca, answer);
    let web = web(&ca, Places::from([(("a.example", 443), server.address())]));
    (ca, server, web)
}

fn all(web: &Web, paths: &[&str], bounds: &Bounds) -> Vec<Result<usize, Fault>> {
    let urls: Vec<String> = paths
        .iter()
        .map(|path| format!("https://a.example{path}"))
        .collect();
    let mut fetched = fetch(web, &urls, Cleartext::Never, bounds, &AtomicBool::new(false));
    let of = |url: &String| fetched.remove(url).map(|came| came.map(|bytes| bytes.len()));
    urls.iter()
        .map(of)
        .map(|came| came.expect("an outcome"))
        .collect()
}

#[test]
fn pictures_are_recognised_by_their_bytes_and_bounded() {
    let (_ca, _server, web) = serve();
    let check = |path: &str, expect: Result<usize, Fault>| {
        assert_eq!(all(&web, &[path], &bounds()), [expect], "{path}");
    };
    check("/gif", Ok(GIF.len()));
    check("/tiny", Ok(6));
    check("/chunked", Ok(6));
    check("/svg", Err(Fault::WrongType));
    check("/empty", Err(Fault::WrongType));
    check("/gone", Err(Fault::Status(404)));
    check("/large", Err(Fault::TooLarge));
    check("/announced", Err(Fault::TooLarge));
    check("/endless", Err(Fault::TooLarge));
    check("/wrong-and-endless", Err(Fault::WrongType));
    check("/cut", Err(Fault::Unreachable));
    check("/noise", Err(Fault::Garbled));
}

#[test]
fn a_server_that_stops_in_the_middle_costs_its_time_and_no_more() {
    let (_ca, _server, web) = serve();
    let bounds = Bounds {
        patience: Duration::from_millis(200),
        ..bounds()
    };
    assert_eq!(all(&web, &["/stuck"], &bounds), [Err(Fault::TooSlow)]);
}

#[test]
fn one_message_brings_only_so_much() {
    let (_ca, server, web) = serve();
    let paths: Vec<String> = (0..8).map(|n| format!("/{n}")).collect();
    let paths: Vec<&str> = paths.iter().map(String::as_str).collect();
    let few = Bounds {
        pictures: 3,
        ..bounds()
    };
    let came = all(&web, &paths, &few);
    assert_eq!(came.iter().filter(|came| came.is_ok()).count(), 3);
    assert_eq!(
        came.iter()
            .rev()
            .take(5)
            .filter(|came| **came == Err(Fault::TooMany))
            .count(),
        5
    );
    assert_eq!(server.asked().len(), 3);
    let little = Bounds {
        together: GIF.len() * 2,
        ..bounds()
    };
    let came = all(&web, &paths, &little);
    assert_eq!(came.iter().filter(|came| came.is_ok()).count(), 2);
}

#[test]
fn each_address_is_asked_once() {
    let (_ca, server, web) = serve();
    let urls: Vec<String> = ["/a", "/b", "/a", "/a"]
        .map(|path| format!("https://a.example{path}"))
        .into();
    let fetched = fetch(&web, &urls, Cleartext::Never, &bounds(), &AtomicBool::new(false));
    assert_eq!((fetched.len(), server.asked().len()), (2, 2));
}

#[test]
fn what_is_given_up_is_not_asked_for() {
    let (_ca, server, web) = serve();
    let urls = ["https://a.example/a".to_owned()];
    let fetched = fetch(&web, &urls, Cleartext::Never, &bounds(), &AtomicBool::new(true));
    assert_eq!(fetched.get(&urls[0]), Some(&Err(Fault::Cancelled)));
    assert_eq!(server.connections(), 0);
}

#[test]
fn without_encryption_only_where_it_was_allowed() {
    let ca = Ca::new().expect("an authority");
    let server = plain(answer);
    let closed = std::net::TcpListener::bind("127.0.0.1:0").and_then(|listener| listener.local_addr());
    let places = Places::from([
        (("a.example", 443), closed.expect("an address")),
        (("a.example", 80), server.address()),
    ]);
    let web = web(&ca, places);
    let urls = ["http://a.example/gif".to_owned()];
    let ask = |cleartext| {
        let mut fetched = fetch(&web, &urls, cleartext, &bounds(), &AtomicBool::new(false));
        fetched
            .remove(&urls[0])
            .expect("an outcome")
            .map(|bytes| bytes.len())
    };
    assert_eq!(ask(Cleartext::Never), Err(Fault::NotEncrypted));
    assert_eq!(ask(Cleartext::WhereNothingElse), Ok(GIF.len()));
}

#[test]
fn kinds_are_told_by_their_first_bytes() {
    let check = |bytes: &[u8], expect: bool| assert_eq!(is_picture(bytes), expect, "{bytes:?}");
    check(b"\x89PNG\r\n\x1a\n....", true);
    check(b"\xff\xd8\xff\xe0", true);
    check(b"GIF87a", true);
    check(b"RIFF\x01\x02\x03\x04WEBPVP8 ", true);
    check(b"BM\x46\x00\x00\x00\x00\x00\x00\x00", true);
    check(b"BM, said she, is no picture", false);
    check(b"RIFF\x01\x02\x03\x04WAVE", false);
    check(b"<svg/>", false);
    check(b"%PDF-1.7", false);
    check(b"", false);
}
