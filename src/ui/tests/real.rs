//! The window over the real engine and a mail server in this process: from a press to what others receive.

use std::sync::{Arc, Mutex};
use std::time::{Duration, Instant};

use posthorn_engine::{Options, WebRules};
use posthorn_mime::PartStat;
use posthorn_model::{
    AccountConfig, AuthMethod, BodyState, Flags, Identity, Pop3Policy, Protocol, Secret, SecretPlace,
    Timestamp,
};
use posthorn_sandbox::{NewMessage, Sandbox, SandboxOptions, SandboxUser, Service, StoredMessage};
use posthorn_testkit::ca::Ca;
use posthorn_testkit::webserver::{Answer, Asked, WebServer};
use tokio::runtime::Handle;

use super::Window;
use super::canned::Canned;
use crate::bridge::Bridge;
use crate::t;

const PASSWORD: &str = "s3cret";

/// A window, and everything behind it.
struct World {
    window: Window,
    canned: Canned,
    bridge: Bridge,
    sandbox: Sandbox,
    _folder: tempfile::TempDir,
}

/// Both the sandbox and the engine's answers want a runtime around them, as the toolkit's is around the window.
fn run(test: impl FnOnce()) {
    let runtime = tokio::runtime::Builder::new_multi_thread()
        .worker_threads(1)
        .enable_all()
        .build()
        .unwrap();
    let _inside = runtime.enter();
    test();
}

impl World {
    /// With one message, which is opened.
    fn reading(raw: &str, subject: &str, web: WebRules, ca: Option<&Ca>) -> Self {
        let options = SandboxOptions {
            users: ["you", "boss"]
                .map(|name| SandboxUser::new(name, PASSWORD))
                .into(),
            ..SandboxOptions::plain_and_empty()
        };
        let sandbox = Handle::current().block_on(Sandbox::start(options)).unwrap();
        let message = NewMessage {
            raw: raw.replace('\n', "\r\n").into_bytes(),
            flags: Flags::default(),
            internal_date: Timestamp(1_750_000_000),
        };
        sandbox.add_message("INBOX", message).unwrap();
        let folder = tempfile::tempdir().unwrap();
        let ca_file = ca.map(|ca| {
            let file = folder.path().join("ca.pem");
            std::fs::write(&file, ca.pem()).unwrap();
            file
        });
        let options = Options {
            profile: Some(folder.path().join("profile")),
            ca_file,
            web,
            ..Options::default()
        };
        let bridge = crate::bridge::open(options).unwrap();
        let adding = bridge.add_account(account(&sandbox), Some(Secret::new(PASSWORD.to_owned())));
        Handle::current().block_on(adding).unwrap();
        let canned = Canned::default();
        let mut window = Window::over(Arc::clone(&bridge), Some(Arc::new(canned.clone())));
        window.until("the message is listed", |app| app.mail.listing.total == 1);
        window.press(subject);
        window.until("it is open", |app| {
            let mail = app.mail.reader.reading();
            mail.is_some_and(|mail| mail.body == BodyState::Whole)
        });
        super::reading::redraw(&mut window);
        Self {
            window,
            canned,
            bridge,
            sandbox,
            _folder: folder,
        }
    }

    fn received(&self, by: &str) -> Vec<StoredMessage> {
        self.sandbox.store().messages(by, "INBOX")
    }

    /// Until the server has so many messages for somebody.
    fn wait_for(&mut self, by: &str, count: usize) {
        let deadline = Instant::now() + Duration::from_secs(30);
        while self.received(by).len() < count {
            assert!(Instant::now() < deadline, "{count} messages for {by} never came");
            self.window.settle();
            std::thread::park_timeout(Duration::from_millis(20));
        }
    }
}

impl Drop for World {
    fn drop(&mut self) {
        // The sandbox is still there to say goodbye to.
        let _ = Handle::current().block_on(self.bridge.shutdown());
    }
}

fn account(sandbox: &Sandbox) -> AccountConfig {
    let login = sandbox.login();
    AccountConfig {
        name: "test".into(),
        protocol: Protocol::Imap,
        username: login.username.clone(),
        auth: AuthMethod::Password,
        client_certificate: None,
        secrets: SecretPlace::Session,
        allow_cleartext: false,
        connections: None,
        pop3: Pop3Policy::default(),
        identity: Identity {
            name: login.name.clone(),
            email: login.address.clone(),
            signature: String::new(),
        },
        incoming: sandbox.endpoint(Service::Imap),
        outgoing: Some(sandbox.endpoint(Service::Smtp)),
    }
}

fn nowhere() -> WebRules {
    WebRules::new(|_, _| Ok(Vec::new()), |_| false)
}

const INVITATION: &str = "From: Bot <bot@calendar.example>\nTo: you@example.org\nSubject: Invited to plans\n\
    Message-ID: <i@calendar.example>\nDate: Wed, 1 Oct 2025 10:00:00 +0000\nMIME-Version: 1.0\n\
    Content-Type: text/calendar; method=REQUEST; charset=utf-8\n\n\
    BEGIN:VCALENDAR\nVERSION:2.0\nPRODID:x\nMETHOD:REQUEST\nBEGIN:VEVENT\nUID:plan-1\nSEQUENCE:3\nSUMMARY:Plans\n\
    DTSTAMP:20250101T000000Z\nDTSTART:20250301T100000Z\nORGANIZER;CN=Boss:mailto:boss@example.org\n\
    ATTENDEE;CN=Other:mailto:other@example.org\nATTENDEE;RSVP=TRUE;PARTSTAT=NEEDS-ACTION:mailto:you@example.org\n\
    END:VEVENT\nEND:VCALENDAR\n";

#[test]
fn an_invitation_is_accepted_left_open_and_declined_by_mail_to_its_organiser() {
    run(answer_in_all_ways);
}

fn answer_in_all_ways() {
    let mut world = World::reading(INVITATION, "Invited to plans", nowhere(), None);
    let you = world.sandbox.login().address.clone();
    assert!(you.starts_with("you@example.org"), "{you}");
    let answers = [
        (t!("event-accept"), PartStat::Accepted, "ACCEPTED"),
        (t!("event-tentative"), PartStat::Tentative, "TENTATIVE"),
        (t!("event-decline"), PartStat::Declined, "DECLINED"),
    ];
    for (n, (label, status, word)) in answers.into_iter().enumerate() {
        world.window.press(&label);
        world.wait_for("boss", n + 1);
        let came = &world.received("boss")[n];
        let parsed = posthorn_mime::parse(&came.raw);
        let to: Vec<&str> = parsed.envelope.to.iter().map(|to| to.email.as_str()).collect();
        assert_eq!(to, ["boss@example.org"], "the organiser, not who sent it");
        assert!(parsed.envelope.cc.is_empty());
        assert_eq!(parsed.envelope.from[0].email, you);
        let subject = match status {
            PartStat::Accepted => t!("event-accepted-subject", event = "Plans"),
            PartStat::Declined => t!("event-declined-subject", event = "Plans"),
            _ => t!("event-tentative-subject", event = "Plans"),
        };
        assert_eq!(parsed.envelope.subject, subject);
        let part = parsed
            .parts
            .iter()
            .find(|part| part.content_type == "text/calendar")
            .unwrap();
        let calendar = posthorn_mime::part_bytes(&came.raw, part.index).unwrap();
        let calendar = String::from_utf8(calendar).unwrap().replace("\r\n ", "");
        for line in ["METHOD:REPLY", "UID:plan-1", "SEQUENCE:3"] {
            assert!(
                calendar.lines().any(|found| found == line),
                "{line} in {calendar}"
            );
        }
        let of = |name: &str| -> Vec<&str> {
            let lines = calendar.lines();
            lines.filter(|line| line.starts_with(name)).collect()
        };
        let (organizer, attendees) = (of("ORGANIZER"), of("ATTENDEE"));
        assert!(
            organizer.len() == 1 && organizer[0].contains("boss@example.org"),
            "{calendar}"
        );
        assert!(
            attendees.len() == 1
                && attendees[0].contains(&format!("PARTSTAT={word}"))
                && attendees[0].ends_with(&you),
            "{calendar}"
        );
        let raw = String::from_utf8_lossy(&came.raw);
        assert!(
            raw.contains("method=REPLY") || raw.contains("method=\"REPLY\""),
            "{raw}"
        );
        // The card remembers it, from the engine too.
        let reading = world.window.app.mail.reader.reading().unwrap().id;
        let read = Handle::current().block_on(world.bridge.reading(reading));
        let read = read.unwrap().unwrap();
        assert_eq!(read.invitations[0].answered, Some(status));
    }
    assert_eq!(world.received("boss").len(), 3);
}

const GIF: &[u8] = b"GIF89a\x01\x00\x01\x00\x00\x00\x00;";

/// An address for each way in which a server can behave.
const NEWSLETTER: &str = "From: News <news@shop.example>\nTo: you@example.org\nSubject: Wares\n\
    Message-ID: <n@shop.example>\nDate: Wed, 1 Oct 2025 10:00:00 +0000\nMIME-Version: 1.0\n\
    Content-Type: text/html; charset=utf-8\n\n<p>Hello</p>\n\
    <img src=\"http://a.example/good.gif\">\n<img src=\"https://a.example/on\">\n\
    <img src=\"https://a.example/inside\">\n<img src=\"https://a.example/huge\">\n\
    <img src=\"https://a.example/page.html\">\n<img src=\"http://inside.example/x.gif\">\n";

#[test]
fn show_once_asks_servers_for_the_pictures_and_tells_them_nothing() {
    run(show_once);
}

fn show_once() {
    let ca = Ca::new().unwrap();
    let certificate = ca.issue_for(&["a.example"]).unwrap();
    let secure = WebServer::start(Some(&certificate), |asked: &Asked| match asked.line() {
        "GET /on" => Answer::redirect("http://a.example/good.gif?2"),
        "GET /inside" => Answer::redirect("https://inside.example/secret"),
        "GET /huge" => Answer::Endless(
            b"HTTP/1.1 200 OK\r\nContent-Type: image/gif\r\n\r\nGIF89a\x01\x00\x01\x00\x00\x00\x00".to_vec(),
        ),
        "GET /page.html" => Answer::response("200 OK", &[("Content-Type", "text/html")], b"<p>x</p>"),
        _ => Answer::response("200 OK", &[("Set-Cookie", "reader=you")], GIF),
    })
    .unwrap();
    let clear = WebServer::start(None, |_: &Asked| Answer::response("200 OK", &[], GIF)).unwrap();
    let (at, plain) = (secure.address(), clear.address());
    let asked_for = Arc::new(Mutex::new(Vec::new()));
    let names = Arc::clone(&asked_for);
    // The one server stands where the public network is; everything else on this machine is inside.
    let look_up = move |host: &str, port: u16| {
        names.lock().unwrap().push(format!("{host}:{port}"));
        let inside = "127.0.0.2:443".parse().unwrap();
        Ok(match (host, port) {
            ("a.example", 443) => vec![at],
            ("a.example", 80) => vec![plain],
            _ => vec![inside],
        })
    };
    let public = at.ip();
    let rules = WebRules::new(look_up, move |address| address == public);
    let mut world = World::reading(NEWSLETTER, "Wares", rules, Some(&ca));
    assert_eq!(
        secure.connections() + clear.connections(),
        0,
        "reading asks nobody"
    );
    assert!(asked_for.lock().unwrap().is_empty(), "not even for a name");

    world.window.press(&t!("pictures-once"));
    let canned = world.canned.clone();
    world.window.until("the page with its pictures", |_| {
        let asked = canned.asked.lock().unwrap();
        asked
            .opened
            .last()
            .is_some_and(|source| !source.fetched.is_empty())
    });
    let shown = canned
        .asked
        .lock()
        .unwrap()
        .opened
        .last()
        .unwrap()
        .fetched
        .clone();
    let urls: Vec<&str> = shown.keys().map(String::as_str).collect();
    assert_eq!(urls, ["http://a.example/good.gif", "https://a.example/on"]);
    assert!(shown.values().all(|bytes| bytes == GIF));
    assert_eq!(
        clear.connections(),
        0,
        "what says http: is asked with encryption first"
    );
    for asked in secure.asked() {
        for field in [
            "cookie",
            "referer",
            "authorization",
            "origin",
            "accept-language",
            "if-none-match",
        ] {
            assert_eq!(asked.field(field), None, "{}", asked.head);
        }
        assert!(!asked.head.contains("you@example.org") && !asked.head.contains("n@shop.example"));
    }
    let secret = secure.asked().iter().any(|asked| asked.line().contains("secret"));
    assert!(!secret, "a redirect to the inside was followed");
}
