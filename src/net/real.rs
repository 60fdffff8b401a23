//! Sessions with real servers: Dovecot's POP3 and Postfix's submission, where they are installed.

use posthorn_model::{ErrorClass, MsgNo, Secret, Security};
use posthorn_testkit::mailserver::{MailServer, Options, Seed, Service};
use tokio::sync::mpsc;

use crate::{Credentials, DialOptions, Dialer, pop3, smtp};

fn dialer(server: &MailServer, memory_limit: usize) -> Dialer {
    let options = DialOptions {
        ca_file: Some(server.ca_pem()),
        memory_limit,
        ..DialOptions::default()
    };
    Dialer::new(options).expect("dialer")
}

fn credentials(server: &MailServer, user: &str) -> Credentials {
    let password = server.password(user).expect("a user");
    Credentials::Password {
        username: user.into(),
        password: Secret::new(password.into()),
    }
}

fn samples() -> Vec<Vec<u8>> {
    let head = "From: a@example.net\r\nSubject: x\r\n\r\n";
    let bodies: [&[u8]; 8] = [
        b"plain\r\n",
        b".\r\n..\r\n...\r\n.dot\r\n",
        b"caf\xe9 \x01\x7f\xff\r\n",
        b"",
        b"\r\n\r\n\r\n",
        &[b'x'; 200_000],
        b"+OK\r\n-ERR\r\n.\r\n",
        &b".stuffed\r\n".repeat(200_000),
    ];
    bodies
        .iter()
        .map(|body| [head.as_bytes(), body].concat())
        .collect()
}

async fn retrieve(session: &mut pop3::Session) -> Vec<(MsgNo, Vec<u8>)> {
    let numbers: Vec<_> = session
        .list()
        .await
        .expect("list")
        .into_iter()
        .map(|(number, size)| (number, Some(size)))
        .collect();
    let (sender, mut receiver) = mpsc::channel(2);
    let gather = async {
        let mut all = Vec::new();
        while let Some(pop3::Retrieved { number, result, .. }) = receiver.recv().await {
            all.push((number, result.expect("received").into_bytes().expect("bytes")));
        }
        all
    };
    let fetch = async {
        session.retrieve(&numbers, &sender).await.expect("retrieve");
        drop(sender);
    };
    tokio::join!(fetch, gather).1
}

#[test]
fn real_servers_are_understood() {
    let Some(server) = MailServer::start(Options::default()).expect("mail server") else {
        return;
    };
    let samples = samples();
    let seeds: Vec<_> = samples
        .iter()
        .map(|raw| Seed {
            raw: raw.clone(),
            ..Seed::default()
        })
        .collect();
    server.seed("alice", "INBOX", &seeds).expect("seed");
    let runtime = tokio::runtime::Builder::new_multi_thread()
        .enable_all()
        .build()
        .expect("runtime");
    runtime.block_on(async {
        for security in [Security::Tls, Security::StartTls, Security::None] {
            receive(&server, security, &samples).await;
        }
        delete(&server, samples.len()).await;
        for security in [Security::Tls, Security::StartTls] {
            submit(&server, security).await;
        }
    });
    let count = server.wait_for_messages("bob", "INBOX", 2).expect("delivered");
    assert_eq!(count, 2, "{}", server.logs());
    for message in server.messages("bob", "INBOX").expect("messages") {
        let text = String::from_utf8_lossy(&message.raw);
        assert!(
            text.ends_with("\r\n\r\nbody\r\n.\r\n.dot\r\n..\r\nend\r\n"),
            "{text}"
        );
    }
}

async fn receive(server: &MailServer, security: Security, samples: &[Vec<u8>]) {
    let endpoint = server.endpoint(Service::Pop3, security);
    let dialer = dialer(server, 100_000);
    let connected = pop3::Session::connect(&dialer, &endpoint, &credentials(server, "alice")).await;
    let mut session = connected.expect("login");
    assert!(session.capabilities().pipelining && session.capabilities().uidl);
    assert_eq!(session.stat().await.expect("stat").0 as usize, samples.len());
    assert_eq!(
        session.uidl().await.expect("uidl").expect("has ids").len(),
        samples.len()
    );
    let mut top = None;
    session
        .tops(&[MsgNo(1)], &mut |_, header| top = header)
        .await
        .expect("top");
    let top = top.expect("can");
    assert!(top.starts_with(b"From: a@example.net\r\n") && !top.ends_with(b"plain\r\n"));
    for ((number, got), sent) in retrieve(&mut session).await.into_iter().zip(samples) {
        // Dovecot ends every message with a line end.
        let whole = got == *sent || got.strip_suffix(b"\r\n").is_some_and(|got| got == sent);
        assert!(whole, "{number}: {} bytes instead of {}", got.len(), sent.len());
    }
    session.quit().await.expect("quit");
    let wrong = Credentials::Password {
        username: "alice".into(),
        password: Secret::new("wrong".into()),
    };
    let error = pop3::Session::connect(&dialer, &endpoint, &wrong)
        .await
        .err()
        .expect("refused");
    assert_eq!(error.class, ErrorClass::Auth, "{error}");
}

async fn delete(server: &MailServer, count: usize) {
    let endpoint = server.endpoint(Service::Pop3, Security::Tls);
    let (dialer, alice) = (dialer(server, 100_000), credentials(server, "alice"));
    let connect = async || {
        pop3::Session::connect(&dialer, &endpoint, &alice)
            .await
            .expect("login")
    };
    let mut session = connect().await;
    session.delete(&[MsgNo(1), MsgNo(2)]).await.expect("answers");
    session.reset().await.expect("reset");
    let answers = session.delete(&[MsgNo(3), MsgNo(99)]).await.expect("answers");
    assert!(answers[0].1.is_ok() && answers[1].1.is_err());
    session.quit().await.expect("quit");
    let mut session = connect().await;
    assert_eq!(session.stat().await.expect("stat").0 as usize, count - 1);
    session.delete(&[MsgNo(1)]).await.expect("answers");
    // Leaving without QUIT takes the deletion back.
    drop(session);
    assert_eq!(connect().await.stat().await.expect("stat").0 as usize, count - 1);
}

async fn submit(server: &MailServer, security: Security) {
    let endpoint = server.endpoint(Service::Smtp, security);
    let (dialer, alice) = (dialer(server, 100_000), credentials(server, "alice"));
    smtp::check(&dialer, &endpoint, Some(&alice))
        .await
        .expect("check");
    let message = smtp::Message {
        from: server.address("alice"),
        to: vec![server.address("bob"), server.address("nobody-here")],
        raw: b"From: alice\nSubject: x\n\nbody\n.\n.dot\n..\nend".to_vec(),
    };
    match smtp::submit(&dialer, &endpoint, Some(&alice), &message).await {
        smtp::Outcome::Accepted { reply, refused } => {
            assert!(reply.starts_with("250 "), "{reply}");
            let names: Vec<_> = refused.iter().map(|(to, _)| to.as_str()).collect();
            assert_eq!(names, [server.address("nobody-here")], "{}", server.logs());
        }
        other => panic!("{other:?}\n{}", server.logs()),
    }
    let nobody = smtp::Message {
        to: vec![server.address("nobody-here")],
        ..message
    };
    let outcome = smtp::submit(&dialer, &endpoint, Some(&alice), &nobody).await;
    assert!(
        matches!(&outcome, smtp::Outcome::Refused(error) if error.permanent),
        "{outcome:?}"
    );
    let wrong = Credentials::Password {
        username: "alice".into(),
        password: Secret::new("wrong".into()),
    };
    let error = smtp::check(&dialer, &endpoint, Some(&wrong))
        .await
        .expect_err("refused");
    assert_eq!(error.class, ErrorClass::Auth, "{error}");
}
