//! TLS with the system's trust, and certificate trouble as data that can be shown.

use posthorn_model::{ErrorClass, Remedy, Timestamp};
use rustls::client::Resumption;
use rustls::client::danger::{HandshakeSignatureValid, ServerCertVerified, ServerCertVerifier};
use rustls::pki_types::pem::PemObject;
use rustls::pki_types::{CertificateDer, PrivateKeyDer, ServerName, UnixTime};
use rustls::sign::{CertifiedKey, SingleCertAndKey};
use rustls::{CertificateError, ClientConfig, DigitallySignedStruct, OtherError, SignatureScheme};
use sha2::{Digest, Sha256};
use std::fmt;
use std::io;
use std::path::Path;
use std::sync::Arc;

use crate::Error;

mod der;

/// Why a certificate is not trusted.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum CertificateFault {
    Expired,
    NotYetValid,
    WrongName,
    UnknownIssuer,
    Revoked,
    /// Malformed, wrongly signed, too weak, or made for another purpose.
    Unusable,
}

/// What is known of a certificate that is not trusted.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct CertificateTrouble {
    pub fault: CertificateFault,
    /// The name that we asked for.
    pub expected: String,
    /// The names in the certificate, where they do not fit.
    pub names: Vec<String>,
    /// The subject's common name or organisation, as the certificate claims it.
    pub subject: Option<String>,
    /// The issuer's, as the certificate claims it.
    pub issuer: Option<String>,
    /// The end of validity for `Expired`, its beginning for `NotYetValid`.
    pub limit: Option<Timestamp>,
    /// SHA-256 of the certificate: upper-case hexadecimal with colons.
    pub fingerprint: String,
}

impl fmt::Display for CertificateTrouble {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let since = |f: &mut fmt::Formatter<'_>, word: &str| match self.limit {
            Some(limit) => write!(f, " {word} {limit}"),
            None => Ok(()),
        };
        match self.fault {
            CertificateFault::Expired => {
                f.write_str("the server's certificate has expired")?;
                since(f, "on")?;
            }
            CertificateFault::NotYetValid => {
                f.write_str("the server's certificate is not valid yet")?;
                since(f, "before")?;
                f.write_str("; is this machine's clock right?")?;
            }
            CertificateFault::WrongName => {
                write!(f, "the server's certificate is not for {}", self.expected)?;
                if !self.names.is_empty() {
                    write!(f, " but for {}", self.names.join(", "))?;
                }
            }
            CertificateFault::UnknownIssuer => match &self.issuer {
                Some(issuer) => write!(
                    f,
                    "the server's certificate is issued by \"{issuer}\", which this system does not trust"
                )?,
                None => {
                    f.write_str("the server's certificate has an issuer that this system does not trust")?
                }
            },
            CertificateFault::Revoked => f.write_str("the server's certificate has been revoked")?,
            CertificateFault::Unusable => f.write_str("the server's certificate cannot be verified")?,
        }
        write!(f, "; SHA-256 {}", self.fingerprint)
    }
}

impl std::error::Error for CertificateTrouble {}

fn config_error(what: String) -> Error {
    Error::new(ErrorClass::Config, "", what)
}

/// The certificates of `ca_file`.
pub(crate) fn extra_roots(ca_file: Option<&Path>) -> Result<Vec<CertificateDer<'static>>, Error> {
    let mut roots = Vec::new();
    if let Some(path) = ca_file {
        let unreadable = |error: &dyn fmt::Display| {
            config_error(format!(
                "the certificate file {} cannot be read: {error}",
                path.display()
            ))
        };
        for certificate in CertificateDer::pem_file_iter(path).map_err(|error| unreadable(&error))? {
            roots.push(certificate.map_err(|error| unreadable(&error))?);
        }
        if roots.is_empty() {
            return Err(unreadable(&"it holds no PEM certificate"));
        }
    }
    Ok(roots)
}

/// Trusts the system's roots, and `roots` beside them.
pub(crate) fn client_config(roots: Vec<CertificateDer<'static>>) -> Result<Arc<ClientConfig>, Error> {
    let provider = Arc::new(rustls::crypto::ring::default_provider());
    let inner = rustls_platform_verifier::Verifier::new_with_extra_roots(roots, provider.clone())
        .map_err(|error| config_error(format!("no trusted certificates could be loaded: {error}")))?;
    let config = ClientConfig::builder_with_provider(provider)
        .with_safe_default_protocol_versions()
        .map_err(|error| Error::new(ErrorClass::Bug, "", format!("TLS cannot be set up: {error}")))?
        .dangerous()
        .with_custom_certificate_verifier(Arc::new(Explaining { inner }))
        .with_no_client_auth();
    Ok(Arc::new(config))
}

/// The same trust, and a certificate of the user's for servers that ask for one.
pub(crate) fn with_certificate(
    config: &ClientConfig,
    certificate: &Path,
    key: &Path,
) -> Result<Arc<ClientConfig>, Error> {
    let unreadable = |path: &Path, error: &dyn fmt::Display| {
        config_error(format!(
            "the account's certificate in {} cannot be used: {error}",
            path.display()
        ))
    };
    let chain = CertificateDer::pem_file_iter(certificate)
        .and_then(Iterator::collect::<Result<Vec<_>, _>>)
        .map_err(|error| unreadable(certificate, &error))?;
    if chain.is_empty() {
        return Err(unreadable(certificate, &"it holds no PEM certificate"));
    }
    let private = PrivateKeyDer::from_pem_file(key).map_err(|error| match error {
        rustls::pki_types::pem::Error::NoItemsFound => unreadable(
            key,
            &"it holds no private key in clear (an encrypted one cannot be used)",
        ),
        error => unreadable(key, &error),
    })?;
    let certified = CertifiedKey::from_der(chain, private, config.crypto_provider())
        .map_err(|error| unreadable(key, &error))?;
    let mut config = config.clone();
    config.client_auth_cert_resolver = Arc::new(SingleCertAndKey::from(certified));
    // A session of somebody else must not be taken up again.
    config.resumption = Resumption::default();
    Ok(Arc::new(config))
}

/// Believes exactly what the platform's verifier believes, and says in its refusals which certificate it saw.
#[derive(Debug)]
struct Explaining {
    inner: rustls_platform_verifier::Verifier,
}

impl ServerCertVerifier for Explaining {
    fn verify_server_cert(
        &self,
        end_entity: &CertificateDer<'_>,
        intermediates: &[CertificateDer<'_>],
        server_name: &ServerName<'_>,
        ocsp_response: &[u8],
        now: UnixTime,
    ) -> Result<ServerCertVerified, rustls::Error> {
        self.inner
            .verify_server_cert(end_entity, intermediates, server_name, ocsp_response, now)
            .map_err(|error| match error {
                rustls::Error::InvalidCertificate(fault) => {
                    let trouble = describe(&fault, end_entity, server_name);
                    rustls::Error::InvalidCertificate(CertificateError::Other(OtherError(Arc::new(trouble))))
                }
                other => other,
            })
    }

    fn verify_tls12_signature(
        &self,
        message: &[u8],
        certificate: &CertificateDer<'_>,
        signature: &DigitallySignedStruct,
    ) -> Result<HandshakeSignatureValid, rustls::Error> {
        self.inner.verify_tls12_signature(message, certificate, signature)
    }

    fn verify_tls13_signature(
        &self,
        message: &[u8],
        certificate: &CertificateDer<'_>,
        signature: &DigitallySignedStruct,
    ) -> Result<HandshakeSignatureValid, rustls::Error> {
        self.inner.verify_tls13_signature(message, certificate, signature)
    }

    fn supported_verify_schemes(&self) -> Vec<SignatureScheme> {
        self.inner.supported_verify_schemes()
    }
}

fn describe(
    fault: &CertificateError,
    certificate: &CertificateDer<'_>,
    name: &ServerName<'_>,
) -> CertificateTrouble {
    let at = |time: &UnixTime| i64::try_from(time.as_secs()).ok().map(Timestamp);
    let (kind, limit, names) = match fault {
        CertificateError::Expired => (CertificateFault::Expired, None, Vec::new()),
        CertificateError::ExpiredContext { not_after, .. } => {
            (CertificateFault::Expired, at(not_after), Vec::new())
        }
        CertificateError::NotValidYet => (CertificateFault::NotYetValid, None, Vec::new()),
        CertificateError::NotValidYetContext { not_before, .. } => {
            (CertificateFault::NotYetValid, at(not_before), Vec::new())
        }
        CertificateError::NotValidForName => (CertificateFault::WrongName, None, Vec::new()),
        CertificateError::NotValidForNameContext { presented, .. } => {
            let names = presented.iter().take(20).map(|name| plain_name(name)).collect();
            (CertificateFault::WrongName, None, names)
        }
        CertificateError::UnknownIssuer => (CertificateFault::UnknownIssuer, None, Vec::new()),
        CertificateError::Revoked => (CertificateFault::Revoked, None, Vec::new()),
        _ => (CertificateFault::Unusable, None, Vec::new()),
    };
    let parties = der::parties(certificate);
    let (issuer, subject) = parties.unwrap_or_default();
    CertificateTrouble {
        fault: kind,
        expected: name.to_str().into_owned(),
        names,
        subject,
        issuer,
        limit,
        fingerprint: fingerprint(certificate),
    }
}

/// `DnsName("example.org")` as rustls writes a presented name, as people write it.
fn plain_name(presented: &str) -> String {
    let inner = presented
        .split_once('(')
        .map_or(presented, |(_, rest)| rest.trim_end_matches(')'));
    crate::error::quote(inner.trim_matches('"').as_bytes())
}

fn fingerprint(certificate: &[u8]) -> String {
    let hex: Vec<String> = Sha256::digest(certificate)
        .iter()
        .map(|byte| format!("{byte:02X}"))
        .collect();
    hex.join(":")
}

/// What a failure of rustls means; `None` where the error is not one.
pub(crate) fn explain(host: &str, error: &io::Error) -> Option<Error> {
    let tls = error.get_ref()?.downcast_ref::<rustls::Error>()?;
    Some(match tls {
        rustls::Error::InvalidCertificate(CertificateError::Other(OtherError(inner))) => {
            match inner.downcast_ref::<CertificateTrouble>() {
                Some(trouble) => Error {
                    certificate: Some(Box::new(trouble.clone())),
                    ..Error::new(ErrorClass::Certificate, host, trouble.to_string())
                },
                None => Error::new(
                    ErrorClass::Certificate,
                    host,
                    "the server's certificate cannot be verified",
                ),
            }
        }
        rustls::Error::InvalidCertificate(_) | rustls::Error::NoCertificatesPresented => Error::new(
            ErrorClass::Certificate,
            host,
            format!("the server's certificate cannot be verified: {tls}"),
        ),
        rustls::Error::PeerIncompatible(_) => Error::new(
            ErrorClass::Config,
            host,
            format!("the server only offers outdated encryption, which is refused ({tls})"),
        ),
        rustls::Error::AlertReceived(
            rustls::AlertDescription::ProtocolVersion | rustls::AlertDescription::HandshakeFailure,
        ) => Error::new(
            ErrorClass::Config,
            host,
            format!("the server and this program share no safe way of encryption ({tls})"),
        ),
        rustls::Error::AlertReceived(
            rustls::AlertDescription::CertificateRequired
            | rustls::AlertDescription::BadCertificate
            | rustls::AlertDescription::UnsupportedCertificate
            | rustls::AlertDescription::CertificateRevoked
            | rustls::AlertDescription::CertificateExpired
            | rustls::AlertDescription::CertificateUnknown
            | rustls::AlertDescription::UnknownCA
            | rustls::AlertDescription::AccessDenied,
        ) => Error::new(
            ErrorClass::Config,
            host,
            format!("the server wants a certificate of this account, or not the one that it has ({tls})"),
        ),
        rustls::Error::AlertReceived(_) => Error::new(
            ErrorClass::Network,
            host,
            format!("the server ended the TLS connection ({tls})"),
        ),
        _ => Error::protocol(host, format!("the TLS connection failed ({tls})"))
            .with_remedies(&[Remedy::CheckSettings, Remedy::TryAgain]),
    })
}
