use std::collections::BTreeMap;
use std::io::{Read as _, Write as _};
use std::sync::Mutex;

use posthorn_testkit::ca::Ca;
use posthorn_testkit::webserver::{Answer, Asked, WebServer};

use super::*;

/// Names that lead to servers on this machine, by host and port; all other names lead nowhere.
pub(crate) type Places = BTreeMap<(&'static str, u16), SocketAddr>;

/// Loopback is allowed, and nothing else.
pub(crate) fn web(ca: &Ca, places: Places) -> Web {
    let dir = tempfile::tempdir().expect("a directory");
    let file = dir.path().join("ca.pem");
    std::fs::write(&file, ca.pem()).expect("written");
    let look_up = move |host: &str, port: u16| {
        let found = places
            .iter()
            .filter(|((name, at), _)| *name == host && *at == port);
        Ok(found.map(|(_, address)| *address).collect())
    };
    Web::new(
        Some(&file),
        WebRules::new(look_up, |address| address.is_loopback()),
    )
    .expect("a way")
}

pub(crate) fn secure(ca: &Ca, answer: impl Fn(&Asked) -> Answer + Send + Sync + 'static) -> WebServer {
    let names = ["a.example", "b.example", "xn--bcher-kva.example"];
    let certificate = ca.issue_for(&names).expect("a certificate");
    WebServer::start(Some(&certificate), answer).expect("a server")
}

pub(crate) fn plain(answer: impl Fn(&Asked) -> Answer + Send + Sync + 'static) -> WebServer {
    WebServer::start(None, answer).expect("a server")
}

fn closed() -> SocketAddr {
    let listener = std::net::TcpListener::bind("127.0.0.1:0").expect("a port");
    listener.local_addr().expect("an address")
}

/// Speaks plain HTTP on the port for TLS, as some servers do, and does not wait for a request that it understands.
fn confused() -> SocketAddr {
    let listener = std::net::TcpListener::bind("127.0.0.1:0").expect("a port");
    let address = listener.local_addr().expect("an address");
    std::thread::spawn(move || {
        let (mut stream, _) = listener.accept().expect("a client");
        let _ = stream.write_all(b"HTTP/1.1 400 Bad Request\r\n\r\n");
        // Until the client hangs up: data that nobody has read would reset the connection.
        let _ = stream.read_to_end(&mut Vec::new());
    });
    address
}

fn soon() -> Instant {
    Instant::now() + Duration::from_secs(20)
}

fn status(web: &Web, url: &str, cleartext: Cleartext) -> Result<u16, Fault> {
    let response = web.visit("image/*").get(url, cleartext, soon())?;
    Ok(response.status().as_u16())
}

#[test]
fn only_web_addresses_are_asked() {
    let check = |address: &str, expect: Result<&str, Fault>| {
        let found = parse(address).map(|url| written(&url));
        assert_eq!(found.as_deref().map_err(|fault| *fault), expect, "{address:?}");
    };
    check("https://a.example/x?y=1#z", Ok("https://a.example/x?y=1"));
    check(" HTTPS://A.Example:443 ", Ok("https://a.example/"));
    check(
        "http://a.example:80/{x}|^`\"<>",
        Ok("http://a.example/%7Bx%7D%7C%5E%60%22%3C%3E"),
    );
    check(
        "https://bücher.example/ü",
        Ok("https://xn--bcher-kva.example/%C3%BC"),
    );
    for bad in [
        "",
        "a.example",
        "//a.example/x",
        "ftp://a.example/",
        "file:///etc/passwd",
        "data:image/gif,x",
        "javascript:x",
        "https://",
        "https://user@a.example/",
        "https://u:p@a.example/",
        "https://a.example:8443/",
        "http://a.example:443/",
        "https://a.example:80/",
        "http://a.example:22/",
        "https://a b.example/",
    ] {
        check(bad, Err(Fault::BadAddress));
    }
    for private in [
        "http://localhost/",
        "https://router/",
        "https://x.local/",
        "https://nas.lan./",
    ] {
        check(private, Err(Fault::Private));
    }
    check(
        &format!("https://a.example/{}", "x".repeat(LONGEST)),
        Err(Fault::BadAddress),
    );
}

#[test]
fn addresses_inside_are_never_dialled() {
    let ca = Ca::new().expect("an authority");
    let inside = plain(|_| Answer::response("200 OK", &[], b"secret"));
    let port = inside.address().port();
    let file = tempfile::NamedTempFile::new().expect("a file");
    std::fs::write(file.path(), ca.pem()).expect("written");
    // As a hostile name server would answer.
    let look_up = move |host: &str, _: u16| {
        let all: &[&str] = match host {
            "inside.example" => &["127.0.0.1"],
            "both.example" => &["198.51.100.7", "127.0.0.1"],
            "mapped.example" => &["::ffff:127.0.0.1"],
            "home.example" => &["192.168.1.1"],
            "cloud.example" => &["169.254.169.254"],
            "six.example" => &["::1"],
            literal => &[literal],
        };
        let all = all
            .iter()
            .map(|text| text.trim_matches(['[', ']']).parse::<IpAddr>());
        Ok(all
            .flatten()
            .map(|address| SocketAddr::new(address, port))
            .collect())
    };
    let web = Web::new(Some(file.path()), WebRules::new(look_up, guard::is_public)).expect("a way");
    for host in [
        "inside.example",
        "both.example",
        "mapped.example",
        "home.example",
        "cloud.example",
        "six.example",
        "127.0.0.1",
        "[::1]",
        "[::ffff:127.0.0.1]",
        "0x7f.1",
        "2130706433",
        "0177.0.0.1",
        "10.1.2.3",
    ] {
        for scheme in ["http", "https"] {
            let url = format!("{scheme}://{host}/x");
            assert_eq!(
                status(&web, &url, Cleartext::WhereNothingElse),
                Err(Fault::Private),
                "{url}"
            );
        }
    }
    assert_eq!(inside.connections(), 0);
}

#[test]
fn a_name_that_changes_its_mind_is_dialled_where_it_was_looked_up() {
    let ca = Ca::new().expect("an authority");
    let public = secure(&ca, |_| Answer::response("200 OK", &[], b"x"));
    let inside = secure(&ca, |_| Answer::response("200 OK", &[], b"secret"));
    let (first, later) = (public.address(), inside.address());
    let file = tempfile::NamedTempFile::new().expect("a file");
    std::fs::write(file.path(), ca.pem()).expect("written");
    let answers = Mutex::new(0);
    // The first answer is fine, every other one leads inside: here, to a port that is not admitted.
    let look_up = move |_: &str, _: u16| {
        let mut count = answers.lock().expect("unpoisoned");
        *count += 1;
        let inside = SocketAddr::new(IpAddr::from([127, 0, 0, 2]), later.port());
        Ok(vec![if *count == 1 { first } else { inside }])
    };
    let admit = |address: IpAddr| address == IpAddr::from([127, 0, 0, 1]);
    let web = Web::new(Some(file.path()), WebRules::new(look_up, admit)).expect("a way");
    assert_eq!(status(&web, "https://a.example/", Cleartext::Never), Ok(200));
    assert_eq!(
        status(&web, "https://a.example/", Cleartext::Never),
        Err(Fault::Private)
    );
    assert_eq!((public.connections(), inside.connections()), (1, 0));
}

#[test]
fn redirects_are_followed_a_little_way_and_never_inside() {
    let ca = Ca::new().expect("an authority");
    let server = secure(&ca, |asked| match asked.line() {
        "GET /one" => Answer::redirect("two?x#y"),
        "GET /two?x" => Answer::redirect("//b.example/three"),
        "GET /three" => Answer::redirect("http://a.example/end"),
        "GET /loop" => Answer::redirect("/loop"),
        "GET /inside" => Answer::redirect("https://10.0.0.1/"),
        "GET /local" => Answer::redirect("http://localhost/"),
        "GET /file" => Answer::redirect("file:///etc/passwd"),
        "GET /port" => Answer::redirect("https://a.example:8080/"),
        "GET /nowhere" => Answer::response("301 Moved", &[], b""),
        _ => Answer::response("200 OK", &[("Set-Cookie", "id=1")], b"x"),
    });
    let at = server.address();
    let mut places = Places::new();
    for host in ["a.example", "b.example"] {
        places.insert((host, 443), at);
    }
    places.insert(("10.0.0.1", 443), "10.0.0.1:443".parse().expect("an address"));
    let web = web(&ca, places);
    let check = |path: &str, expect: Result<u16, Fault>| {
        let url = format!("https://a.example{path}");
        assert_eq!(status(&web, &url, Cleartext::WhereNothingElse), expect, "{path}");
    };
    check("/one", Ok(200));
    let lines: Vec<String> = server
        .asked()
        .iter()
        .map(|asked| asked.line().to_owned())
        .collect();
    assert_eq!(
        lines,
        ["GET /one", "GET /two?x", "GET /three", "GET /end"],
        "http: was asked with encryption"
    );
    for asked in server.asked() {
        for field in [
            "cookie",
            "referer",
            "accept-language",
            "accept-encoding",
            "authorization",
            "origin",
        ] {
            assert_eq!(asked.field(field), None, "{}", asked.head);
        }
        assert_eq!(asked.field("user-agent"), Some("Mozilla/5.0"));
        assert_eq!(asked.field("accept"), Some("image/*"));
    }
    check("/loop", Err(Fault::TooManyRedirects));
    check("/inside", Err(Fault::Private));
    check("/local", Err(Fault::Private));
    check("/file", Err(Fault::BadAddress));
    check("/port", Err(Fault::BadAddress));
    check("/nowhere", Err(Fault::Garbled));
    let loops = server
        .asked()
        .iter()
        .filter(|asked| asked.line() == "GET /loop")
        .count();
    assert_eq!(loops, MOST_REDIRECTS + 1);
}

#[test]
fn encryption_is_tried_first_and_done_without_only_where_there_is_none() {
    let ca = Ca::new().expect("an authority");
    let other = Ca::new().expect("an authority");
    let good = secure(&ca, |_| Answer::response("200 OK", &[], b"x"));
    let untrusted = secure(&other, |_| Answer::response("200 OK", &[], b"x"));
    let clear = plain(|_| Answer::response("204 No Content", &[], b""));
    let confused = confused();
    let check = |https: SocketAddr, url: &str, cleartext: Cleartext, expect: Result<u16, Fault>| {
        let places = Places::from([(("a.example", 443), https), (("a.example", 80), clear.address())]);
        assert_eq!(
            status(&web(&ca, places), url, cleartext),
            expect,
            "{url} {cleartext:?}"
        );
    };
    use Cleartext::{Never, WhereNothingElse};
    check(good.address(), "http://a.example/", Never, Ok(200));
    check(good.address(), "http://a.example/", WhereNothingElse, Ok(200));
    check(closed(), "http://a.example/", WhereNothingElse, Ok(204));
    check(closed(), "http://a.example/", Never, Err(Fault::NotEncrypted));
    check(
        closed(),
        "https://a.example/",
        WhereNothingElse,
        Err(Fault::NotEncrypted),
    );
    check(confused, "http://a.example/", WhereNothingElse, Ok(204));
    check(
        untrusted.address(),
        "http://a.example/",
        WhereNothingElse,
        Err(Fault::Certificate),
    );
    assert_eq!(clear.asked().len(), 2);
    assert!(untrusted.asked().is_empty());
}

#[test]
fn a_post_goes_to_an_encrypted_address_and_no_further() {
    let ca = Ca::new().expect("an authority");
    let server = secure(&ca, |asked| match asked.line() {
        "POST /yes" => Answer::response("202 Accepted", &[], b"fine"),
        "POST /on" => Answer::redirect("/yes"),
        _ => Answer::response("500 No", &[], b""),
    });
    let places = Places::from([
        (("a.example", 443), server.address()),
        (("a.example", 80), closed()),
    ]);
    let web = web(&ca, places);
    let check = |url: &str, expect: Result<(), Fault>| {
        assert_eq!(crate::unsubscribe::post(&web, url), expect, "{url}");
    };
    check("https://a.example/yes", Ok(()));
    check("https://a.example/on", Err(Fault::Status(302)));
    check("https://a.example/no", Err(Fault::Status(500)));
    check("http://a.example/yes", Err(Fault::NotEncrypted));
    check("https://127.0.0.1/yes", Err(Fault::NotFound));
    let asked = server.asked();
    assert_eq!(asked.len(), 3, "no GET, and nothing twice");
    for asked in asked {
        assert!(asked.line().starts_with("POST "), "{}", asked.head);
        assert_eq!(asked.body, "List-Unsubscribe=One-Click");
        assert_eq!(
            asked.field("content-type"),
            Some("application/x-www-form-urlencoded")
        );
        assert_eq!(asked.field("cookie"), None);
    }
}

#[test]
fn silence_ends() {
    let ca = Ca::new().expect("an authority");
    let server = secure(&ca, |_| Answer::Stuck(Vec::new()));
    let mute = std::net::TcpListener::bind("127.0.0.1:0").expect("a port");
    let places = Places::from([
        (("a.example", 443), server.address()),
        // Takes the connection, and never says a word of TLS.
        (("b.example", 443), mute.local_addr().expect("an address")),
    ]);
    let web = web(&ca, places);
    for host in ["a.example", "b.example"] {
        let until = Instant::now() + Duration::from_millis(200);
        let ended = web
            .visit("*/*")
            .get(&format!("https://{host}/"), Cleartext::Never, until);
        assert_eq!(ended.err(), Some(Fault::TooSlow), "{host}");
    }
}
