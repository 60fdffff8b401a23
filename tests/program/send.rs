//! Out by SMTP, and the copy that is kept.

use posthorn_model::Security;

use crate::server::{FRIEND, Server, USER, on_each_server};

on_each_server! {
    a_message_arrives_and_a_copy_is_kept
    what_is_composed_arrives_with_its_attachment
}

fn a_message_arrives_and_a_copy_is_kept(server: &Server, security: Security) {
    for protocol in ["imap", "pop3"] {
        let posthorn = server.profile(protocol, security, None);
        let subject = format!("Sent beside {protocol}");
        let raw = format!(
            "From: Alice <{from}>\r\nTo: Bob <{to}>\r\nBcc: {from}\r\nSubject: {subject}\r\n\
             Message-ID: <sent-{protocol}@tests.example>\r\nDate: Mon, 02 Feb 2026 10:00:00 +0000\r\n\r\n\
             .a line with a dot\r\nFrom here\r\n",
            from = server.address(USER),
            to = server.address(FRIEND),
        );
        let before = server.held(FRIEND, "INBOX").len();
        let sent = posthorn
            .run_with_input(&["send", "-"], raw.as_bytes())
            .expect(0)
            .json();
        assert_eq!(sent["state"], "sent", "{sent}");

        let arrived = server.wait_for(FRIEND, "INBOX", before + 1);
        let arrived: Vec<_> = arrived.iter().filter(|held| held.subject() == subject).collect();
        assert_eq!(arrived.len(), 1);
        assert!(
            arrived[0]
                .text()
                .ends_with("\r\n.a line with a dot\r\nFrom here\r\n"),
            "{}",
            arrived[0].text()
        );
        assert!(!arrived[0].text().contains("Bcc:"), "{}", arrived[0].text());

        let outbox = posthorn.json(&["outbox"]);
        assert_eq!(outbox[0]["state"], "sent", "{outbox}");
        assert_eq!(
            outbox[0]["message_id"],
            format!("<sent-{protocol}@tests.example>")
        );
        assert_eq!(
            posthorn.json(&["dump"])["outbox"][0]["mid"],
            format!("<sent-{protocol}@tests.example>")
        );

        // Once more, and once only.
        posthorn.run(&["sync"]).expect(0);
        let copies = posthorn.list(&["list", "work/Sent"], "messages");
        let copies: Vec<_> = copies
            .iter()
            .filter(|message| message["subject"] == subject.as_str())
            .collect();
        assert_eq!(copies.len(), 1, "{copies:?}");
        assert!(
            copies[0]["flags"].as_array().unwrap().contains(&"seen".into()),
            "{copies:?}"
        );
        let copy = posthorn
            .run_plain(&["show", &copies[0]["id"].to_string(), "--raw"])
            .expect(0)
            .text();
        assert!(
            copy.contains("Bcc:"),
            "the kept copy says who else got it: {copy}"
        );
        let filed = server
            .subjects(USER, "Sent")
            .iter()
            .filter(|filed| **filed == subject)
            .count();
        assert_eq!(filed, usize::from(protocol == "imap"), "on the server");
        assert_eq!(
            server
                .held(FRIEND, "INBOX")
                .iter()
                .filter(|held| held.subject() == subject)
                .count(),
            1,
            "sent twice"
        );
    }
}

fn what_is_composed_arrives_with_its_attachment(server: &Server, security: Security) {
    let posthorn = server.profile("imap", security, None);
    let folder = tempfile::tempdir().unwrap();
    let file = folder.path().join("Übersicht.bin");
    let bytes: Vec<u8> = (0..=255_u8).cycle().take(100_000).collect();
    std::fs::write(&file, &bytes).unwrap();
    let to = server.address(FRIEND);
    let words = [
        "compose",
        "--send-now",
        "--to",
        &to,
        "--subject",
        "Grüße",
        "--body",
        "Hallo Bob,\n\nbis bald.\n",
        "--attach",
        file.to_str().unwrap(),
    ];
    let sent = posthorn.run(&words).expect(0).json();
    assert_eq!(sent["state"], "sent", "{sent}");
    let arrived = server.wait_for(FRIEND, "INBOX", 1);
    assert!(
        arrived[0]
            .text()
            .contains(&format!("From: \"Alice Example\" <{}>", server.address(USER)))
            || arrived[0]
                .text()
                .contains(&format!("From: Alice Example <{}>", server.address(USER)))
    );

    // The friend reads it: the attachment has come through whole.
    posthorn.run(&["sync"]).expect(0);
    let id = posthorn.id_of("work/Sent", "Grüße");
    let target = folder.path().join("saved");
    let attachments = posthorn.list(
        &["attachments", &id, "--save", target.to_str().unwrap()],
        "attachments",
    );
    assert_eq!(attachments.len(), 1);
    assert_eq!(attachments[0]["name"], "Übersicht.bin");
    assert_eq!(
        std::fs::read(attachments[0]["saved"].as_str().unwrap()).unwrap(),
        bytes
    );
}
