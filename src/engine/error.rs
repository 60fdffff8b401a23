//! What the engine's callers see when something fails.

use posthorn_model::{ErrorClass, Remedy};

/// A failure in plain words. `Clone`, so that window messages can carry it.
#[derive(Clone, Debug, PartialEq, Eq, thiserror::Error)]
#[error("{message}")]
pub struct Error {
    pub class: ErrorClass,
    /// What happened and what was kept; lower case, no full stop, no secret, no mail text.
    pub message: String,
    pub remedies: Vec<Remedy>,
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
}
