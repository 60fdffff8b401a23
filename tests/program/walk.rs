//! A person's first minutes, through the window and by the keyboard alone: set up an account, read, answer.

use posthorn_model::Security;
use posthorn_testkit::mailserver::Service;

use crate::posthorn::Posthorn;
use crate::server::{FRIEND, Server, USER};
use crate::window::{Display, Window};

const LETTER: &[u8] = b"From: Bob <bob@example.test>\r\nTo: Alice <alice@example.test>\r\n\
    Subject: The lighthouse keys\r\nMessage-ID: <keys@tests.example>\r\n\
    Date: Mon, 02 Feb 2026 10:00:00 +0000\r\n\r\nDo you still have them?\r\n";

/// Writes over what the focused field holds.
fn fill(window: &Window<'_>, text: &str) {
    window.press(&["ctrl+a"]);
    window.write(text);
}

/// The server's fields, from its host to its port.
fn fill_server(window: &Window<'_>, endpoint: &str) {
    let (host, port) = endpoint.rsplit_once(':').unwrap();
    fill(window, host);
    window.press(&["Tab"]);
    fill(window, port);
}

fn set_up(window: &Window<'_>, server: &Server) {
    window.see("setup", || {
        window.write(&server.address(USER));
        window.press(&["Return"]);
    });
    window.write(server.password());
    window.press(&["shift+Tab"]);
    fill(window, USER);
    // Past the password and the keychain: this machine may have none.
    window.press(&["Tab", "Tab", "Tab", "space", "Tab"]);
    fill_server(window, &server.endpoint(Service::Imap, Security::Tls));
    // Past TLS, STARTTLS and none.
    window.press(&["Tab", "Tab", "Tab", "Tab"]);
    fill_server(window, &server.endpoint(Service::Smtp, Security::Tls));
    window.see("list", || {
        // Past the three again and the way back.
        window.press(&["Tab", "Tab", "Tab", "Tab", "Tab", "space"]);
    });
}

/// The other way out of a mailbox whose server cannot remove single messages: the button beside the problem.
#[test]
fn what_stayed_marked_on_the_server_goes_by_a_button() {
    let Some(display) = Display::start(1280, 800) else {
        return;
    };
    let server = Server::sandbox_without(Security::Tls, &["UIDPLUS", "MOVE"]);
    server.seed("INBOX", [(LETTER, "")]);
    let posthorn = server.profile("imap", Security::Tls, None);
    posthorn.run(&["sync"]).expect(0);
    let window = display.open(&posthorn, &[]);
    window.wait_until("the first page", || display.shoot("list").1 > 800);
    window.see("letter", || window.press(&["j", "Return"]));
    window.press(&["Delete"]);
    let marked = || {
        let held = server.held(USER, "INBOX");
        held.iter().any(|held| held.flags.contains("deleted"))
    };
    window.wait_until("the letter marked as deleted on the server", marked);
    window.see("problems", || {
        window.press(&["ctrl+k"]);
        window.write("problems");
        window.press(&["Return"]);
    });
    // Past the dialog's cross.
    window.press(&["Tab", "Tab"]);
    display.shoot("remedy");
    window.press(&["space"]);
    window.wait_until("an empty inbox on the server", || {
        server.held(USER, "INBOX").is_empty()
    });
    assert_eq!(server.subjects(USER, "Trash"), ["The lighthouse keys"]);
    assert_eq!(window.close(), Some(0));
}

#[test]
fn from_the_first_run_to_an_answer_that_arrives() {
    let Some(server) = Server::dovecot() else {
        return;
    };
    let Some(display) = Display::start(1280, 800) else {
        return;
    };
    server.seed("INBOX", [(LETTER, "")]);
    let posthorn = Posthorn::new(Some(&server.ca()));
    let window = display.open(&posthorn, &[]);
    // The title bar and a word of patience have some four hundred colours, the page with its emblem a thousand.
    window.wait_until("the first page", || display.shoot("welcome").1 > 800);
    set_up(&window, &server);
    window.wait_until("the letter in the list", || {
        let listed = posthorn.list(&["list", "inbox"], "messages");
        listed.iter().any(|message| message["where"] == "both")
    });

    window.see("letter", || window.press(&["j", "Return"]));
    window.wait_until("the letter marked as read on the server", || {
        server
            .held(USER, "INBOX")
            .iter()
            .any(|held| held.flags.contains("seen"))
    });

    window.see("answer", || window.press(&["r"]));
    window.write("Yes, in the blue tin.");
    window.see("sent", || window.press(&["ctrl+Return"]));
    let arrived = server.wait_for(FRIEND, "INBOX", 1);
    let text = arrived[0].text();
    assert_eq!(arrived[0].subject(), "Re: The lighthouse keys");
    assert!(text.contains("Yes, in the blue tin."), "{text}");
    assert!(text.contains("> Do you still have them?"), "{text}");
    assert!(text.contains("In-Reply-To: <keys@tests.example>"), "{text}");
    window.wait_until("the sent copy on the server", || {
        server.subjects(USER, "Sent") == ["Re: The lighthouse keys"]
    });
    assert_eq!(window.close(), Some(0));
}
