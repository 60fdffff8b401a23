//! What the engine's callers see when something fails.

use posthorn_model::{ErrorClass, Remedy};

use crate::schedule::Pause;

/// A failure in plain words. `Clone`, so that window messages can carry it.
#[derive(Clone, Debug, PartialEq, Eq, thiserror::Error)]
#[error("{message}")]
pub struct Error {
    pub class: ErrorClass,
    /// What happened and what was kept; lower case, no full stop, no secret, no mail text.
    pub message: String,
    pub remedies: Vec<Remedy>,
    /// Whether the server will say the same tomorrow.
    pub permanent: bool,
    /// How long the server wants to be left alone.
    pub pause: Pause,
}

impl Error {
    #[must_use]
    pub const fn class(&self) -> ErrorClass {
        self.class
    }

    #[must_use]
    pub fn new(class: ErrorClass, message: impl Into<String>) -> Self {
        Self {
            class,
            message: message.into(),
            remedies: Vec::new(),
            permanent: false,
            pause: Pause::Usual,
        }
    }

    #[must_use]
    pub fn config(message: impl Into<String>) -> Self {
        Self {
            remedies: vec![Remedy::CheckSettings],
            ..Self::new(ErrorClass::Config, message)
        }
    }

    #[must_use]
    pub fn bug(message: impl Into<String>) -> Self {
        Self::new(ErrorClass::Bug, message)
    }

    /// The engine is shutting down: nothing failed, nothing was done.
    #[must_use]
    pub fn stopped() -> Self {
        Self::new(ErrorClass::Network, "posthorn is shutting down")
    }
}

impl From<posthorn_net::Error> for Error {
    fn from(error: posthorn_net::Error) -> Self {
        let message = error.to_string();
        let pause = Pause::asked_by(error.server.as_deref().unwrap_or_default());
        Self {
            class: error.class,
            message,
            permanent: error.permanent,
            remedies: error.remedies,
            pause,
        }
    }
}

impl From<posthorn_store::Error> for Error {
    fn from(error: posthorn_store::Error) -> Self {
        Self {
            class: error.class(),
            message: error.to_string(),
            remedies: error.remedies(),
            permanent: false,
            pause: Pause::Usual,
        }
    }
}
