//! `pop3-plan`: it says what the next check then does, and does nothing itself.

use posthorn_model::Security;

use crate::mail::message;
use crate::server::{Server, USER};

#[test]
fn a_plan_changes_nothing_and_comes_true() {
    let server = Server::sandbox(Security::Tls);
    let subjects = ["One", "Two", "Three"];
    for subject in subjects {
        let raw = message(subject, "text");
        server.seed("INBOX", [(raw.as_slice(), "")]);
    }
    let posthorn = server.profile("pop3", Security::Tls, None);
    let check = |more: &[&str], live: bool, figures: [u64; 4]| {
        let plan = posthorn
            .run(&[&["pop3-plan", "work"], more].concat())
            .expect(0)
            .json();
        assert_eq!(plan["live"], live, "{more:?}");
        let totals = ["on_server", "download", "leave_next", "stay"]
            .map(|name| plan["totals"][name]["messages"].as_u64().unwrap());
        assert_eq!(totals, figures, "{more:?}: {plan}");
        assert_eq!(server.subjects(USER, "INBOX").len(), subjects.len(), "{more:?}");
        plan
    };
    check(&["--offline"], false, [0, 0, 0, 0]);
    check(&[], true, [3, 3, 0, 3]);
    check(&["--leave-on-server", "0"], true, [3, 3, 3, 0]);
    assert_eq!(
        posthorn.list(&["list", "inbox"], "messages").len(),
        0,
        "looking brings nothing here"
    );

    posthorn.run(&["sync"]).expect(0);
    check(&[], true, [3, 0, 0, 3]);
    check(&["--leave-on-server", "7"], true, [3, 0, 0, 0]);
    for live in [false, true] {
        let more = ["--keep-at-most", "1", "--offline"];
        let more = if live { &more[..2] } else { &more[..] };
        let plan = check(more, live, [3, 0, 2, 1]);
        let leaves: Vec<_> = plan["messages"]
            .as_array()
            .unwrap()
            .iter()
            .map(|line| line["leaves"].as_str().unwrap())
            .collect();
        assert_eq!(leaves, ["next-check", "next-check", "never"], "the oldest go");
    }
    posthorn
        .run(&["account", "set", "work", "--keep-at-most", "1"])
        .expect(0);
    posthorn.run(&["sync"]).expect(0);
    assert_eq!(server.subjects(USER, "INBOX"), ["Three"]);

    posthorn.run(&["pop3-plan", "nobody"]).expect(1);
    posthorn
        .run(&["pop3-plan", "work", "--keep-at-most", "some"])
        .expect(2);
    let other = server.profile("imap", Security::Tls, None);
    other.run(&["pop3-plan", "work"]).expect(2);
}
