//! What a session proves the user's identity with.

use posthorn_model::Secret;

/// A user name and what belongs to it. `Debug` shows no secret.
#[derive(Clone, Debug)]
pub enum Credentials {
    Password {
        username: String,
        password: Secret,
    },
    /// An OAuth bearer token (RFC 7628).
    Bearer {
        username: String,
        token: Secret,
    },
    /// The certificate that TLS has shown (SASL EXTERNAL, RFC 4422 appendix A).
    Certificate {
        username: String,
    },
}

impl Credentials {
    #[must_use]
    pub fn username(&self) -> &str {
        match self {
            Self::Password { username, .. }
            | Self::Bearer { username, .. }
            | Self::Certificate { username } => username,
        }
    }
}
