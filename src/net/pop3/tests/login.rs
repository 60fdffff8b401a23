//! Who we say we are, and in which way.

use super::*;

#[tokio::test]
async fn apop_is_used_on_the_users_word_alone() {
    let credentials = Credentials::Password {
        username: "mrose".into(),
        password: Secret::new("tanstaaf".into()),
    };
    let begin = async |greeting: &[u8], apop, lines: &[(&str, &[u8])]| {
        let (near, far) = tokio::io::duplex(1 << 16);
        tokio::spawn(serve(far, script(lines), false));
        let mut channel = Channel::over(near, "pop.example.org");
        channel.set_greeting(greeting.to_vec());
        let wishes = Wishes {
            apop,
            ..Wishes::default()
        };
        let begun = Session::begin(channel, (995, wishes), &credentials, place()).await;
        begun.map(|_| ()).map_err(|error| error.class)
    };
    let greeting = b"+OK POP3 server ready <1896.697170952@dbc.mtview.ca.us>\r\n";
    let capa: (&str, &[u8]) = ("CAPA", b"-ERR what?\r\n");
    let apop = "APOP mrose c4c9334bac560ecc979e58001b3e22fb";
    assert_eq!(begin(greeting, true, &[capa, (apop, b"+OK\r\n")]).await, Ok(()));
    assert_eq!(
        begin(greeting, true, &[capa, (apop, b"-ERR [AUTH] no\r\n")]).await,
        Err(ErrorClass::Auth)
    );
    assert_eq!(
        begin(b"+OK <no timestamp>\r\n", true, &[capa]).await,
        Err(ErrorClass::Config)
    );
    let lines = [
        capa,
        ("USER mrose", &b"+OK\r\n"[..]),
        ("PASS tanstaaf", b"+OK\r\n"),
    ];
    assert_eq!(begin(greeting, false, &lines).await, Ok(()));
}

/// RFC 6856, section 2.

#[tokio::test]
async fn utf8_is_switched_on_before_a_user_name_that_needs_it() {
    let credentials = |username: &str| Credentials::Password {
        username: username.into(),
        password: Secret::new("s3 cret".into()),
    };
    let offered: (&str, &[u8]) = ("CAPA", b"+OK\r\nUTF8 USER\r\n.\r\n");
    let utf8: (&str, &[u8]) = ("UTF8", b"+OK\r\n");
    let pass: (&str, &[u8]) = ("PASS s3 cret", b"+OK\r\n");
    let lines = [offered, utf8, ("USER j\u{f6}rg", b"+OK\r\n"), pass, offered];
    let begun = begin(b"+OK\r\n", &credentials("j\u{f6}rg"), script(&lines), false).await;
    assert!(begun.expect("login").capabilities().utf8);
    let lines = [offered, ("USER alice", &b"+OK\r\n"[..]), pass, offered];
    begin(b"+OK\r\n", &alice(), script(&lines), false)
        .await
        .expect("login");
}

#[tokio::test]
async fn logs_in_by_what_is_offered_and_never_twice() {
    let check = async |credentials: &Credentials, lines: &[(&str, &[u8])], expect: Result<(), ErrorClass>| {
        let begun = begin(b"+OK\r\n", credentials, script(lines), false).await;
        assert_eq!(
            begun.map(|_| ()).map_err(|error| error.class),
            expect,
            "{lines:?}"
        );
    };
    let capa = |sasl: &str| format!("+OK\r\nSASL {sasl}\r\n.\r\n").into_bytes();
    let plain = capa("PLAIN LOGIN");
    let ok: &[u8] = b"+OK\r\n";
    check(
        &alice(),
        &[
            ("CAPA", &plain),
            ("AUTH PLAIN AGFsaWNlAHMzIGNyZXQ=", ok),
            ("CAPA", &plain),
        ],
        Ok(()),
    )
    .await;
    // Nothing is tried after a refusal: the script would fail at a further command.
    let refused = [
        ("CAPA", plain.as_slice()),
        ("AUTH PLAIN AGFsaWNlAHMzIGNyZXQ=", b"-ERR [AUTH] no\r\n"),
    ];
    check(&alice(), &refused, Err(ErrorClass::Auth)).await;
    let login = capa("LOGIN");
    let lines: [(&str, &[u8]); 5] = [
        ("CAPA", &login),
        ("AUTH LOGIN", b"+ VXNlcm5hbWU6\r\n"),
        ("YWxpY2U=", b"+ UGFzc3dvcmQ6\r\n"),
        ("czMgY3JldA==", ok),
        ("CAPA", &login),
    ];
    check(&alice(), &lines, Ok(())).await;
    // A server that asks on is cut off.
    let endless: [(&str, &[u8]); 4] = [
        ("CAPA", &plain),
        ("AUTH PLAIN AGFsaWNlAHMzIGNyZXQ=", b"+ \r\n"),
        ("", b"+ \r\n"),
        ("*", b"-ERR\r\n"),
    ];
    check(&alice(), &endless, Err(ErrorClass::Protocol)).await;
    // An impostor cannot say yes to SCRAM.
    let (near, far) = tokio::io::duplex(1 << 16);
    let impostor = async move {
        let mut far = BufReader::new(far);
        let mut line = String::new();
        far.read_line(&mut line).await.expect("CAPA");
        far.write_all(b"+OK\r\nSASL PLAIN SCRAM-SHA-256\r\n.\r\n")
            .await
            .expect("write");
        line.clear();
        far.read_line(&mut line).await.expect("AUTH");
        assert!(line.starts_with("AUTH SCRAM-SHA-256 "), "{line}");
        far.write_all(b"+OK welcome\r\n").await.expect("write");
    };
    tokio::spawn(impostor);
    let mut channel = Channel::over(near, "h");
    channel.set_greeting(b"+OK\r\n".to_vec());
    let error = Session::begin(channel, (1, Wishes::default()), &alice(), place())
        .await
        .err()
        .expect("impostor");
    assert_eq!(error.class, ErrorClass::Protocol);
}

#[tokio::test]
async fn tokens_go_where_tokens_are_taken() {
    let bearer = |token: &str| Credentials::Bearer {
        username: "u".into(),
        token: Secret::new(token.into()),
    };
    let begun = |credentials, lines: Vec<(String, Vec<u8>)>| async move {
        begin(b"+OK\r\n", &credentials, lines, false)
            .await
            .map(|_| ())
            .map_err(|error| error.class)
    };
    let offered: &[u8] = b"+OK\r\nSASL PLAIN XOAUTH2\r\n.\r\n";
    let short = [
        ("CAPA", offered),
        ("AUTH XOAUTH2 dXNlcj11AWF1dGg9QmVhcmVyIHQBAQ==", b"+OK\r\n"),
        ("CAPA", offered),
    ];
    assert_eq!(begun(bearer("t"), script(&short)).await, Ok(()));
    // RFC 5034, section 4: what makes the line too long goes on the next.
    let token = "t".repeat(1500);
    let message = format!("user=u\x01auth=Bearer {token}\x01\x01");
    let encoded = base64::Engine::encode(&base64::engine::general_purpose::STANDARD, message);
    let long: [(&str, &[u8]); 4] = [
        ("CAPA", offered),
        ("AUTH XOAUTH2", b"+ \r\n"),
        (&encoded, b"+ eyJzdGF0dXMiOiI0MDEifQ==\r\n"),
        ("", b"-ERR [AUTH] expired\r\n"),
    ];
    assert_eq!(begun(bearer(&token), script(&long)).await, Err(ErrorClass::Auth));
    let none: &[u8] = b"+OK\r\nSASL PLAIN\r\n.\r\n";
    assert_eq!(
        begun(bearer("t"), script(&[("CAPA", none)])).await,
        Err(ErrorClass::Config)
    );
}

#[tokio::test]
async fn greetings_that_turn_us_away() {
    for (greeting, class) in [
        (&b"-ERR down\r\n"[..], ErrorClass::Network),
        (b"-ERR [SYS/PERM] closed\r\n", ErrorClass::Refused),
        (b"HTTP/1.1 400 Bad\r\n", ErrorClass::Protocol),
    ] {
        let begun = begin(greeting, &alice(), Vec::new(), false).await;
        assert_eq!(begun.err().expect("turned away").class, class);
    }
}
