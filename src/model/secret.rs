//! Passwords and tokens: wiped when dropped, and impossible to print by accident.

use zeroize::Zeroizing;

/// A password or token. It has no `Display`, its `Debug` shows nothing, and its memory is wiped on drop.
#[derive(Clone, PartialEq, Eq)]
pub struct Secret(Zeroizing<String>);

impl Secret {
    #[must_use]
    pub fn new(text: String) -> Self {
        Self(Zeroizing::new(text))
    }

    /// The text itself, for the one place that sends or seals it.
    #[must_use]
    pub fn reveal(&self) -> &str {
        &self.0
    }
}

impl std::fmt::Debug for Secret {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        f.write_str("Secret(…)")
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn never_prints() {
        let secret = Secret::new("s3cret".into());
        assert!(!format!("{secret:?}").contains("s3cret"));
        assert_eq!(secret.reveal(), "s3cret");
    }
}
