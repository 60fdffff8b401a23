use super::*;
use crate::CertificateFault;
use rcgen::{BasicConstraints, CertificateParams, DnType, IsCa, Issuer, KeyPair};
use rustls::pki_types::{CertificateDer, PrivateKeyDer, PrivatePkcs8KeyDer};
use std::io::Write as _;
use tokio::io::{AsyncRead, AsyncReadExt, AsyncWrite, AsyncWriteExt};
use tokio::net::TcpListener;
use tokio_rustls::TlsAcceptor;

/// A private issuer, its certificate in a file, and a server's certificate that it issued.
struct Pki {
    ca_file: tempfile::NamedTempFile,
    acceptor: TlsAcceptor,
}

fn pki(names: &[&str], years: (i32, i32)) -> Pki {
    let ca_key = KeyPair::generate().expect("key");
    let mut ca = CertificateParams::new(Vec::new()).expect("parameters");
    ca.is_ca = IsCa::Ca(BasicConstraints::Unconstrained);
    ca.distinguished_name.push(DnType::CommonName, "Test Root");
    let ca_pem = ca.self_signed(&ca_key).expect("root").pem();
    let issuer = Issuer::new(ca, ca_key);
    let key = KeyPair::generate().expect("key");
    let names: Vec<String> = names.iter().map(ToString::to_string).collect();
    let mut leaf = CertificateParams::new(names).expect("parameters");
    leaf.distinguished_name.push(DnType::CommonName, "the server");
    leaf.not_before = rcgen::date_time_ymd(years.0, 1, 1);
    leaf.not_after = rcgen::date_time_ymd(years.1, 1, 1);
    let leaf = leaf.signed_by(&key, &issuer).expect("leaf");
    let mut ca_file = tempfile::NamedTempFile::new().expect("file");
    ca_file.write_all(ca_pem.as_bytes()).expect("write");
    let provider = Arc::new(rustls::crypto::ring::default_provider());
    let config = rustls::ServerConfig::builder_with_provider(provider)
        .with_safe_default_protocol_versions()
        .expect("versions")
        .with_no_client_auth()
        .with_single_cert(
            vec![CertificateDer::from(leaf)],
            PrivateKeyDer::Pkcs8(PrivatePkcs8KeyDer::from(key.serialize_der())),
        )
        .expect("server configuration");
    Pki {
        ca_file,
        acceptor: TlsAcceptor::from(Arc::new(config)),
    }
}

fn dialer(ca_file: Option<&Path>) -> Dialer {
    let options = DialOptions {
        ca_file: ca_file.map(Path::to_owned),
        connect_timeout: Duration::from_secs(5),
        read_timeout: Duration::from_secs(5),
        ..DialOptions::default()
    };
    let mut dialer = Dialer::new(options).expect("dialer");
    Arc::get_mut(&mut dialer.shared).expect("unshared").suspicion = Duration::from_millis(50);
    dialer
}

async fn listen() -> (TcpListener, u16) {
    let listener = TcpListener::bind("127.0.0.1:0").await.expect("bind");
    let port = listener.local_addr().expect("address").port();
    (listener, port)
}

fn endpoint(port: u16, security: Security) -> Endpoint {
    Endpoint {
        host: "localhost".into(),
        port,
        security,
    }
}

/// Plays `script`: what to send first, then for each line received the next answer.
async fn play<S: AsyncRead + AsyncWrite + Unpin>(stream: &mut S, greeting: &str, answers: &[String]) {
    stream.write_all(greeting.as_bytes()).await.expect("greet");
    for answer in answers {
        let mut byte = 0;
        while byte != b'\n' {
            match stream.read_u8().await {
                Ok(read) => byte = read,
                Err(_) => return,
            }
        }
        stream.write_all(answer.as_bytes()).await.expect("answer");
    }
}

/// What dialling a server says that plays in clear, then (if told) in TLS.
async fn dial(
    kind: Greeter,
    security: Security,
    greeting: String,
    answers: Vec<String>,
) -> Result<Channel, Error> {
    let pki = pki(&["localhost"], (2020, 2090));
    let (listener, port) = listen().await;
    let acceptor = pki.acceptor.clone();
    let server = tokio::spawn(async move {
        let (mut stream, _) = listener.accept().await.expect("accept");
        play(&mut stream, &greeting, &answers).await;
        if security == Security::StartTls
            && let Ok(mut protected) = acceptor.accept(stream).await
        {
            protected.write_all(b"inside\r\n").await.expect("write");
            let _ = protected.read_u8().await;
        }
    });
    let result = dialer(Some(pki.ca_file.path()))
        .open(&endpoint(port, security), kind)
        .await;
    server.abort();
    result
}

#[tokio::test]
async fn begins_encryption_for_each_protocol() {
    let check = async |kind, greeting: &str, answers: &[&str]| {
        let answers = answers.iter().map(ToString::to_string).collect();
        let channel = dial(kind, Security::StartTls, greeting.into(), answers).await;
        let channel = channel.unwrap_or_else(|error| panic!("{kind:?}: {error}"));
        assert!(channel.is_tls());
        assert_eq!(channel.greeting(), None, "nothing before TLS is believed");
    };
    check(Greeter::Imap, "* OK hi\r\n", &["S1 OK go\r\n"]).await;
    check(Greeter::Pop3, "+OK hi\r\n", &["+OK go\r\n"]).await;
    let smtp = ["250-me\r\n250 STARTTLS\r\n", "220 go\r\n"];
    check(Greeter::Smtp, "220-hi\r\n220 there\r\n", &smtp).await;
}

/// protocol, security, greeting, answers (`;` between, `~` for a line end inside one), class, words of the error.
const REFUSED: &str = "
imap starttls | * OK hi     | S1 OK go~S2 OK evil                | protocol | injected
imap starttls | * OK hi~* LIST () / Evil | S1 OK go              | protocol | injected
imap starttls | * OK hi     | * CAPABILITY AUTH=EVIL             | protocol | something else
imap starttls | * PREAUTH   |                                    | protocol | logged in before
imap starttls | * OK hi     | S1 NO not here                     | config   | not here
imap starttls | * OK hi     | S1 OKAY                            | protocol | something else
imap starttls | * BYE busy  |                                    | network  | turns connections away
imap starttls | * OK hi     | S1 OK go ; * OK still in clear     | protocol | in clear
pop3 starttls | +OK hi      | +OK go~+OK evil                    | protocol | injected
pop3 starttls | +OK hi      | -ERR what                          | config   | what
smtp starttls | 220 hi      | 250 me ; 220 go~250 evil           | protocol | injected
smtp starttls | 220 hi      | 250 me ; 502 no                    | config   | 502 no
imap none     | +OK hi      |                                    | config   | speaks POP3, not IMAP
pop3 tls      | * OK hi     |                                    | config   | speaks IMAP, not POP3
imap tls      | * OK hi     |                                    | config   | without encryption from the start
smtp none     | HTTP/1.1 400 Bad Request |                       | config   | speaks HTTP, not SMTP
";

#[tokio::test]
async fn refuses_what_is_not_what_was_asked_for() {
    for case in REFUSED.lines().filter(|line| !line.is_empty()) {
        let fields: Vec<&str> = case.split('|').map(str::trim).collect();
        let (kind, security) = fields[0].split_once(' ').expect("two words");
        let kind = match kind {
            "imap" => Greeter::Imap,
            "pop3" => Greeter::Pop3,
            _ => Greeter::Smtp,
        };
        let security = match security.trim() {
            "starttls" => Security::StartTls,
            "tls" => Security::Tls,
            _ => Security::None,
        };
        let line = |text: &str| format!("{}\r\n", text.trim().replace('~', "\r\n"));
        let answers = fields[2].split(';').map(line).collect();
        let error = dial(kind, security, line(fields[1]), answers)
            .await
            .expect_err(case);
        assert_eq!(error.class.name(), fields[3], "{case}: {error}");
        assert!(error.to_string().contains(fields[4]), "{case}: {error}");
    }
}

#[tokio::test]
async fn trusts_the_system_and_the_given_file() {
    let check = async |names: &[&str], years: (i32, i32), known: bool| {
        let pki = pki(names, years);
        let (listener, port) = listen().await;
        let server = tokio::spawn(async move {
            loop {
                let (stream, _) = listener.accept().await.expect("accept");
                if let Ok(mut stream) = pki.acceptor.accept(stream).await {
                    let _ = stream.write_all(b"* OK hi\r\n").await;
                    let _ = stream.read_u8().await;
                }
            }
        });
        let file = known.then(|| pki.ca_file.path());
        let result = dialer(file)
            .open(&endpoint(port, Security::Tls), Greeter::Imap)
            .await;
        server.abort();
        result.map(|channel| channel.greeting().map(<[u8]>::to_vec))
    };
    let greeting = check(&["localhost"], (2020, 2090), true).await.expect("trusted");
    assert_eq!(greeting.as_deref(), Some(&b"* OK hi\r\n"[..]));
    let refuse = async |name: &str, years, known, fault, words: &str| {
        let error = check(&[name], years, known).await.expect_err("not trusted");
        assert_eq!(error.class, ErrorClass::Certificate, "{error}");
        let trouble = error.certificate.as_deref().expect("details");
        assert_eq!(trouble.fault, fault);
        assert!(error.to_string().contains(words), "{error}");
        assert_eq!(trouble.fingerprint.len(), 32 * 3 - 1);
        assert_eq!(trouble.subject.as_deref(), Some("the server"));
    };
    use CertificateFault::{Expired, NotYetValid, UnknownIssuer, WrongName};
    refuse("localhost", (2020, 2090), false, UnknownIssuer, "\"Test Root\"").await;
    refuse("a.example", (2020, 2090), true, WrongName, "but for a.example").await;
    refuse("localhost", (2020, 2021), true, Expired, "expired on 2021-01-01").await;
    refuse("localhost", (2089, 2090), true, NotYetValid, "before 2089-01-01").await;
}

#[tokio::test]
async fn notices_a_port_that_wants_tls_from_the_start() {
    let pki = pki(&["localhost"], (2020, 2090));
    let (listener, port) = listen().await;
    let server = tokio::spawn(async move {
        loop {
            let (stream, _) = listener.accept().await.expect("accept");
            let acceptor = pki.acceptor.clone();
            tokio::spawn(async move { acceptor.accept(stream).await.map(drop) });
        }
    });
    for security in [Security::None, Security::StartTls] {
        let error = dialer(None)
            .open(&endpoint(port, security), Greeter::Imap)
            .await
            .expect_err("silent");
        assert_eq!(error.class, ErrorClass::Config);
        assert!(error.what.contains("encryption from the start"), "{error}");
    }
    server.abort();
}

#[tokio::test]
async fn says_what_is_wrong_before_anything_is_sent() {
    let far = Endpoint {
        host: "192.0.2.1".into(),
        port: 143,
        security: Security::None,
    };
    let error = dialer(None)
        .open(&far, Greeter::Imap)
        .await
        .expect_err("clear text");
    assert_eq!(error.class, ErrorClass::Config);
    let (listener, port) = listen().await;
    drop(listener);
    let error = dialer(None)
        .open(&endpoint(port, Security::Tls), Greeter::Imap)
        .await
        .expect_err("nobody there");
    assert_eq!(
        (error.class, error.what.as_str()),
        (ErrorClass::Network, "the server refuses connections on this port")
    );
    let nowhere = Endpoint {
        host: "no-such-host.invalid".into(),
        port: 993,
        security: Security::Tls,
    };
    let error = dialer(None)
        .open(&nowhere, Greeter::Imap)
        .await
        .expect_err("no such name");
    assert!(error.what.contains("no server of this name"), "{error}");
    let empty = tempfile::NamedTempFile::new().expect("file");
    let options = DialOptions {
        ca_file: Some(empty.path().to_owned()),
        ..DialOptions::default()
    };
    assert_eq!(Dialer::new(options).expect_err("empty").class, ErrorClass::Config);
}

#[test]
fn takes_the_address_families_in_turn() {
    let addresses =
        |text: &str| -> Vec<SocketAddr> { text.split(' ').map(|a| a.parse().expect("address")).collect() };
    assert_eq!(
        in_turn(addresses("[::1]:1 [::2]:1 1.1.1.1:1 [::3]:1")),
        addresses("[::1]:1 1.1.1.1:1 [::2]:1 [::3]:1")
    );
}
