//! A private certificate authority, and server certificates that are right or wrong in one way each.

use rcgen::{
    BasicConstraints, CertificateParams, DistinguishedName, DnType, ExtendedKeyUsagePurpose, IsCa, Issuer,
    KeyPair, KeyUsagePurpose,
};

/// What is wrong with a server's certificate.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub enum CertificateKind {
    /// Nothing: for `localhost`, `127.0.0.1` and `::1`, signed by the authority.
    #[default]
    Good,
    /// For `wrong.example` only.
    WrongHost,
    /// Ended in 2021.
    Expired,
    /// Begins in 2048.
    NotYetValid,
    /// Signed by itself, not by the authority.
    SelfSigned,
}

/// A certificate and its key, as PEM.
#[derive(Clone, Debug)]
pub struct ServerCertificate {
    pub certificate_pem: String,
    pub key_pem: String,
}

/// An authority of its own: no two trust each other.
pub struct Ca {
    issuer: Issuer<'static, KeyPair>,
    pem: String,
}

impl Ca {
    pub fn new() -> Result<Self, rcgen::Error> {
        let key = KeyPair::generate()?;
        let mut params = build_params(&[], "Posthorn test CA", (2020, 2049))?;
        params.is_ca = IsCa::Ca(BasicConstraints::Constrained(0));
        params.key_usages = vec![KeyUsagePurpose::KeyCertSign, KeyUsagePurpose::CrlSign];
        let pem = params.self_signed(&key)?.pem();
        Ok(Self {
            issuer: Issuer::new(params, key),
            pem,
        })
    }

    /// What a client has to trust.
    #[must_use]
    pub fn pem(&self) -> &str {
        &self.pem
    }

    pub fn issue(&self, kind: CertificateKind) -> Result<ServerCertificate, rcgen::Error> {
        let names: &[&str] = match kind {
            CertificateKind::WrongHost => &["wrong.example"],
            _ => &["localhost", "127.0.0.1", "::1"],
        };
        self.issue_with(kind, names)
    }

    /// A good certificate for these names.
    pub fn issue_for(&self, names: &[&str]) -> Result<ServerCertificate, rcgen::Error> {
        self.issue_with(CertificateKind::Good, names)
    }

    fn issue_with(&self, kind: CertificateKind, names: &[&str]) -> Result<ServerCertificate, rcgen::Error> {
        let key = KeyPair::generate()?;
        let years = match kind {
            CertificateKind::Expired => (2020, 2021),
            CertificateKind::NotYetValid => (2048, 2049),
            _ => (2020, 2049),
        };
        let mut params = build_params(names, "localhost", years)?;
        params.key_usages = vec![KeyUsagePurpose::DigitalSignature];
        params.extended_key_usages = vec![ExtendedKeyUsagePurpose::ServerAuth];
        params.use_authority_key_identifier_extension = true;
        let certificate = match kind {
            CertificateKind::SelfSigned => params.self_signed(&key)?,
            _ => params.signed_by(&key, &self.issuer)?,
        };
        Ok(ServerCertificate {
            certificate_pem: certificate.pem(),
            key_pem: key.serialize_pem(),
        })
    }
}

fn build_params(
    names: &[&str],
    common_name: &str,
    years: (i32, i32),
) -> Result<CertificateParams, rcgen::Error> {
    let names: Vec<String> = names.iter().map(ToString::to_string).collect();
    let mut params = CertificateParams::new(names)?;
    params.distinguished_name = DistinguishedName::new();
    params.distinguished_name.push(DnType::CommonName, common_name);
    params.not_before = rcgen::date_time_ymd(years.0, 1, 1);
    params.not_after = rcgen::date_time_ymd(years.1, 12, 31);
    Ok(params)
}
