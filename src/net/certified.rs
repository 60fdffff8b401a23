//! An account that shows a certificate of its own, and signs in by it alone (SASL EXTERNAL).

use posthorn_model::{ClientCertificate, Endpoint, ErrorClass, Secret, Security};
use rcgen::{BasicConstraints, CertificateParams, DnType, IsCa, Issuer, KeyPair};
use rustls::RootCertStore;
use rustls::pki_types::{CertificateDer, PrivateKeyDer, PrivatePkcs8KeyDer};
use rustls::server::WebPkiClientVerifier;
use std::path::{Path, PathBuf};
use std::sync::Arc;
use tokio::io::{AsyncBufReadExt, AsyncWriteExt, BufReader};
use tokio::net::TcpListener;
use tokio_rustls::TlsAcceptor;

use crate::{Credentials, DialOptions, Dialer, pop3};

/// An authority, in whose name the server and one of the users can show a certificate.
struct Pki {
    folder: tempfile::TempDir,
    acceptor: TlsAcceptor,
}

impl Pki {
    fn new() -> Self {
        let folder = tempfile::tempdir().expect("folder");
        let (issuer, root, pem) = authority();
        std::fs::write(folder.path().join("ca.pem"), pem).expect("written");
        let (leaf, key) = issue(&issuer, &["localhost"], "the server");
        let (own, own_key) = issue(&issuer, &[], "alice");
        std::fs::write(folder.path().join("alice.pem"), pem_of(&own)).expect("written");
        std::fs::write(folder.path().join("alice.key"), own_key.serialize_pem()).expect("written");
        let (stranger, ..) = authority();
        let (other, other_key) = issue(&stranger, &[], "alice");
        std::fs::write(folder.path().join("other.pem"), pem_of(&other)).expect("written");
        std::fs::write(folder.path().join("other.key"), other_key.serialize_pem()).expect("written");
        let provider = Arc::new(rustls::crypto::ring::default_provider());
        let mut roots = RootCertStore::empty();
        roots.add(root).expect("a root");
        let verifier = WebPkiClientVerifier::builder_with_provider(Arc::new(roots), provider.clone())
            .build()
            .expect("a verifier");
        let config = rustls::ServerConfig::builder_with_provider(provider)
            .with_safe_default_protocol_versions()
            .expect("versions")
            .with_client_cert_verifier(verifier)
            .with_single_cert(
                vec![leaf],
                PrivateKeyDer::Pkcs8(PrivatePkcs8KeyDer::from(key.serialize_der())),
            )
            .expect("server configuration");
        Self {
            folder,
            acceptor: TlsAcceptor::from(Arc::new(config)),
        }
    }

    fn path(&self, name: &str) -> PathBuf {
        self.folder.path().join(name)
    }

    fn own(&self, certificate: &str, key: &str) -> ClientCertificate {
        ClientCertificate {
            certificate: self.path(certificate),
            key: self.path(key),
        }
    }

    fn dialer(&self) -> Dialer {
        Dialer::new(DialOptions {
            ca_file: Some(self.path("ca.pem")),
            ..DialOptions::default()
        })
        .expect("dialer")
    }
}

fn authority() -> (Issuer<'static, KeyPair>, CertificateDer<'static>, String) {
    let key = KeyPair::generate().expect("key");
    let mut params = CertificateParams::new(Vec::new()).expect("parameters");
    params.is_ca = IsCa::Ca(BasicConstraints::Unconstrained);
    params.distinguished_name.push(DnType::CommonName, "Test Root");
    let root = params.self_signed(&key).expect("root");
    (Issuer::new(params, key), root.der().clone(), root.pem())
}

fn issue(
    issuer: &Issuer<'static, KeyPair>,
    names: &[&str],
    whose: &str,
) -> (CertificateDer<'static>, KeyPair) {
    let key = KeyPair::generate().expect("key");
    let names: Vec<String> = names.iter().map(ToString::to_string).collect();
    let mut leaf = CertificateParams::new(names).expect("parameters");
    leaf.distinguished_name.push(DnType::CommonName, whose);
    let leaf = leaf.signed_by(&key, issuer).expect("leaf");
    (leaf.der().clone(), key)
}

fn pem_of(certificate: &CertificateDer<'_>) -> String {
    use base64::Engine;
    let text = base64::engine::general_purpose::STANDARD.encode(certificate);
    let lines: Vec<&str> = text
        .as_bytes()
        .chunks(64)
        .filter_map(|line| std::str::from_utf8(line).ok())
        .collect();
    format!(
        "-----BEGIN CERTIFICATE-----\n{}\n-----END CERTIFICATE-----\n",
        lines.join("\n")
    )
}

/// What a server that asks for a certificate hears of the login, and how the login ends.
async fn log_in(
    pki: &Pki,
    dialer: Dialer,
    credentials: Credentials,
) -> (Vec<String>, Result<(), ErrorClass>) {
    let listener = TcpListener::bind("127.0.0.1:0").await.expect("bind");
    let port = listener.local_addr().expect("address").port();
    let acceptor = pki.acceptor.clone();
    let server = tokio::spawn(async move {
        let mut heard = Vec::new();
        let (stream, _) = listener.accept().await.expect("accept");
        let Ok(stream) = acceptor.accept(stream).await else {
            return heard;
        };
        let mut stream = BufReader::new(stream);
        stream.write_all(b"+OK hello\r\n").await.expect("greeted");
        let mut line = String::new();
        while stream.read_line(&mut line).await.is_ok_and(|read| read > 0) {
            let answer: &[u8] = match line.trim_end() {
                "CAPA" => b"+OK\r\nSASL PLAIN EXTERNAL\r\nUIDL\r\n.\r\n",
                _ => b"+OK\r\n",
            };
            heard.push(std::mem::take(&mut line).trim_end().to_owned());
            if stream.write_all(answer).await.is_err() {
                break;
            }
        }
        heard
    });
    let endpoint = Endpoint {
        host: "localhost".into(),
        port,
        security: Security::Tls,
    };
    let session = pop3::Session::connect(&dialer, &endpoint, &credentials).await;
    let ended = session.map(drop).map_err(|error| error.class);
    (server.await.expect("the server"), ended)
}

fn alice() -> Credentials {
    Credentials::Certificate {
        username: "alice".into(),
    }
}

#[tokio::test]
async fn signs_in_by_its_certificate_alone() {
    let pki = Pki::new();
    let dialer = pki
        .dialer()
        .with_client_certificate(&pki.own("alice.pem", "alice.key"))
        .expect("a certificate");
    let (heard, ended) = log_in(&pki, dialer, alice()).await;
    assert_eq!(ended, Ok(()));
    // "alice" in base64.
    assert_eq!(heard, ["CAPA", "AUTH EXTERNAL YWxpY2U=", "CAPA"]);
}

#[tokio::test]
async fn shows_its_certificate_beside_a_password() {
    let pki = Pki::new();
    let own = pki.own("alice.pem", "alice.key");
    let dialer = pki.dialer().with_client_certificate(&own).expect("a certificate");
    let credentials = Credentials::Password {
        username: "alice".into(),
        password: Secret::new("s3cret".into()),
    };
    let (heard, ended) = log_in(&pki, dialer, credentials).await;
    assert_eq!(ended, Ok(()));
    assert!(
        heard.iter().any(|line| line.starts_with("AUTH PLAIN ")),
        "{heard:?}"
    );
}

#[tokio::test]
async fn without_the_right_certificate_nothing_is_said() {
    let pki = Pki::new();
    let stranger = pki
        .dialer()
        .with_client_certificate(&pki.own("other.pem", "other.key"))
        .expect("a certificate");
    for dialer in [pki.dialer(), stranger] {
        let (heard, ended) = log_in(&pki, dialer, alice()).await;
        assert_eq!(heard, [""; 0]);
        assert_eq!(ended, Err(ErrorClass::Config));
    }
}

#[test]
fn files_that_hold_no_certificate_are_told() {
    let pki = Pki::new();
    let check = |certificate: &Path, key: &Path, words: &str| {
        let own = ClientCertificate {
            certificate: certificate.to_owned(),
            key: key.to_owned(),
        };
        let error = pki.dialer().with_client_certificate(&own).expect_err("refused");
        assert_eq!(error.class, ErrorClass::Config);
        assert!(error.what.contains(words), "{}", error.what);
    };
    let (own, key) = (pki.path("alice.pem"), pki.path("alice.key"));
    check(&key, &key, "no PEM certificate");
    check(&own, &own, "no private key");
    check(&pki.path("none.pem"), &key, "none.pem");
    check(&own, &pki.path("other.key"), "other.key");
}
